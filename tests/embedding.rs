//! The library as a host sees it.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use asplet::{Capability, Captured, Data, Error, Interpreter, Limit, Limits, ScriptException};

#[test]
fn values_come_out_typed() {
    let mut interpreter = Interpreter::new();
    assert_eq!(interpreter.eval::<i64>("2 ** 40").unwrap(), 1 << 40);
    assert_eq!(interpreter.eval::<u128>("2 ** 100").unwrap(), 1 << 100);
    assert_eq!(interpreter.eval::<f64>("1 / 4").unwrap(), 0.25);
    assert!(interpreter.eval::<bool>("not []").unwrap());
    assert_eq!(interpreter.eval::<String>("'a' * 3").unwrap(), "aaa");
    assert_eq!(interpreter.eval::<Vec<i64>>("[n * n for n in range(4)]").unwrap(), [0, 1, 4, 9]);
    assert_eq!(interpreter.eval::<Option<i64>>("None").unwrap(), None);
    assert_eq!(interpreter.eval::<(i64, String)>("(1, 'x')").unwrap(), (1, "x".into()));
    assert_eq!(interpreter.eval::<HashMap<String, i64>>("{'a': 1}").unwrap(), HashMap::from([("a".into(), 1)]));
    assert_eq!(interpreter.eval::<Vec<u8>>("b'hi'").unwrap(), b"hi");
    let data = interpreter.eval::<Data>("{'k': [1, None, (True, 2.5)], 3: {4}}").unwrap();
    let list = Data::List(vec![Data::Int(1), Data::None, Data::Tuple(vec![Data::Bool(true), Data::Float(2.5)])]);
    assert_eq!(data, Data::Dict(vec![(Data::Str("k".into()), list), (Data::Int(3), Data::Set(vec![Data::Int(4)]))]));
}

#[test]
fn mismatches_and_objects_are_refused() {
    let mut interpreter = Interpreter::new();
    assert!(matches!(interpreter.eval::<i64>("'x'"), Err(Error::Mismatch(m)) if m.to_string() == "expected int, got str"));
    let Err(Error::Exception(exception)) = interpreter.eval::<Data>("[print]") else { panic!() };
    assert_eq!(exception.to_string(), "TypeError: 'builtin_function_or_method' object is not plain data");
    let circle = "x = []\nx.append(x)";
    interpreter.exec(circle).unwrap();
    assert!(matches!(interpreter.get_global::<Data>("x"), Err(Error::Exception(e)) if e.class == "RecursionError"));
}

#[test]
fn globals_and_calls() {
    let mut interpreter = Interpreter::new();
    interpreter.set_global("rates", BTreeMap::from([("EUR", 1.0), ("CZK", 25.0)])).unwrap();
    interpreter.exec("def convert(amount, to, *, digits=1): return round(amount * rates[to], digits)").unwrap();
    assert_eq!(interpreter.call::<f64>("convert", (2, "CZK")).unwrap(), 50.0);
    assert!(matches!(interpreter.call::<f64>("convert", (2,)), Err(Error::Exception(e)) if e.class == "TypeError"));
    assert!(
        matches!(interpreter.call::<f64>("missing", ()), Err(Error::Exception(e)) if e.message == "name 'missing' is not defined")
    );
    interpreter.exec("count = 41\ncount += 1").unwrap();
    assert_eq!(interpreter.get_global::<i64>("count").unwrap(), 42);
}

#[test]
fn host_functions_follow_their_signature() {
    let mut interpreter = Interpreter::new();
    interpreter.register("tag", "name, /, *, text='', level=1", |name: String, text: Option<String>, level: Option<u8>| {
        format!("<{name}{}>{}", level.map_or(1, |level| level), text.unwrap_or_default())
    });
    assert_eq!(interpreter.eval::<String>("tag('h')").unwrap(), "<h1>");
    assert_eq!(interpreter.eval::<String>("tag('h', level=2, text='x')").unwrap(), "<h2>x");
    let message = |interpreter: &mut Interpreter, code: &str| match interpreter.eval::<String>(code) {
        Err(Error::Exception(exception)) => exception.to_string(),
        other => panic!("{other:?}"),
    };
    assert!(message(&mut interpreter, "tag()").starts_with("TypeError: tag() "));
    assert!(message(&mut interpreter, "tag('a', 'b')").starts_with("TypeError: tag() takes"));
    assert_eq!(message(&mut interpreter, "tag(1)"), "TypeError: tag() argument 1: expected str, got int");
    assert_eq!(
        message(&mut interpreter, "tag('a', level=300)"),
        "TypeError: tag() argument 3: expected an int between 0 and 255, got 300"
    );
}

#[test]
fn dotted_names_make_modules() {
    let mut interpreter = Interpreter::new();
    interpreter.register("store.size", "", || 3);
    interpreter.add_module("helpers.text", "def shout(word): return word.upper() + '!'");
    interpreter.add_module("helpers", "kind = 'package'");
    interpreter.exec("import store\nfrom helpers.text import shout\nimport helpers").unwrap();
    assert_eq!(interpreter.eval::<String>("shout(helpers.kind) + str(store.size())").unwrap(), "PACKAGE!3");
    let missing = interpreter.exec("import nowhere");
    assert!(matches!(missing, Err(Error::Exception(e)) if e.to_string() == "ModuleNotFoundError: No module named 'nowhere'"));
}

#[derive(Debug, PartialEq)]
struct OutOfStock(u32);

impl fmt::Display for OutOfStock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} missing", self.0)
    }
}

impl std::error::Error for OutOfStock {}

#[test]
fn errors_keep_their_identity_across_the_border() {
    let mut interpreter = Interpreter::new();
    interpreter.register("order", "count", |count: u32| -> Result<(), OutOfStock> { Err(OutOfStock(count)) });
    interpreter.register("parse", "text", |text: String| -> Result<i64, ScriptException> {
        text.parse().map_err(|_| ScriptException::new("ValueError", format!("not a number: {text}")))
    });
    // Through several frames of the script and a handler that raises it again.
    let script = "
def relay(n):
    try:
        order(n)
    except RuntimeError as error:
        assert str(error) == f'{n} missing'
        raise
";
    interpreter.exec(script).unwrap();
    let Err(Error::Host(error)) = interpreter.call::<()>("relay", (7,)) else { panic!() };
    assert_eq!(*error.downcast::<OutOfStock>().unwrap(), OutOfStock(7));
    // An exception of the script's own stays one.
    let Err(Error::Exception(exception)) = interpreter.eval::<i64>("parse('x')") else { panic!() };
    assert_eq!(exception.to_string(), "ValueError: not a number: x");
    let caught = "
try:
    parse('y')
except ValueError as error:
    seen = str(error)
";
    interpreter.exec(caught).unwrap();
    assert_eq!(interpreter.get_global::<String>("seen").unwrap(), "not a number: y");
}

#[test]
fn syntax_errors_and_exits_are_told_apart() {
    let mut interpreter = Interpreter::new();
    let Err(Error::Syntax(problem)) = interpreter.exec("x = (1 +") else { panic!() };
    assert_eq!((problem.class, problem.line), ("SyntaxError", 1));
    assert!(problem.rendered.contains("x = (1 +\n"));
    let Err(Error::Exit { status, .. }) = interpreter.exec("import sys\nsys.exit(3)") else { panic!() };
    assert_eq!(status, 3);
    let Err(Error::Exception(exception)) = interpreter.exec("def f():\n    1 / 0\nf()") else { panic!() };
    assert!(exception.traceback.contains("line 2, in f"), "{}", exception.traceback);
}

#[test]
fn output_is_captured_or_forwarded() {
    let output = Captured::new();
    let mut interpreter = Interpreter::builder().capture(&output).build();
    interpreter.exec("import sys\nprint('out', 1)\nprint('err', file=sys.stderr)").unwrap();
    assert_eq!((output.take_out().as_str(), output.take_err().as_str()), ("out 1\n", "err\n"));

    let count = Arc::new(AtomicUsize::new(0));
    let counter = count.clone();
    let mut interpreter = Interpreter::builder()
        .output(move |_, bytes| {
            counter.fetch_add(bytes.len(), Ordering::SeqCst);
            Ok(())
        })
        .build();
    interpreter.exec("print('four')").unwrap();
    assert_eq!(count.load(Ordering::SeqCst), 5);
}

#[test]
fn nothing_but_output_is_granted() {
    let mut interpreter = Interpreter::new();
    for (code, capability) in [
        ("open('/etc/passwd')", "files"),
        ("open('/tmp/asplet-must-not-exist', 'w')", "files"),
        ("input()", "input"),
        ("__import__('time').time()", "clock"),
    ] {
        let Err(Error::Exception(exception)) = interpreter.exec(code) else { panic!("{code} was allowed") };
        assert_eq!(exception.class, "PermissionError", "{code}");
        assert!(exception.message.contains(&format!("'{capability}'")), "{}", exception.message);
    }
    assert!(!std::path::Path::new("/tmp/asplet-must-not-exist").exists());
    let mut granted = Interpreter::builder().grant(Capability::Clock).input("typed\n").build();
    assert_eq!(granted.eval::<String>("input()").unwrap(), "typed");
    granted.exec("import time\nassert time.time() > 1e9").unwrap();
}

#[test]
fn limits_cannot_be_caught_and_leave_the_interpreter_usable() {
    let mut interpreter =
        Interpreter::builder().fuel(200_000).memory(8 << 20).output_limit(100).capture(&Captured::new()).build();
    let spin = "
while True:
    try:
        while True: pass
    except BaseException: pass
    finally: pass
";
    assert!(matches!(interpreter.exec(spin), Err(Error::Limit(Limit::Fuel))));
    assert!(matches!(interpreter.exec("while True: print('x' * 50)"), Err(Error::Limit(Limit::Output))));
    let grow = "
x = []
try:
    while True: x.append('y' * 100000)
finally:
    done = True
";
    assert!(interpreter.exec(grow).is_err());
    interpreter.exec("x = None").unwrap();
    assert_eq!(interpreter.eval::<i64>("1 + 1").unwrap(), 2);
    let deep = interpreter.exec("def f(n): return f(n + 1)\nf(0)");
    assert!(matches!(deep, Err(Error::Exception(e)) if e.class == "RecursionError"));
}

#[test]
fn time_is_limited_even_while_waiting() {
    let mut interpreter = Interpreter::builder().limits(Limits::none()).time(Duration::from_millis(50)).build();
    let script = "import asyncio\nasyncio.run(asyncio.sleep(60))";
    assert!(matches!(interpreter.exec(script), Err(Error::Limit(Limit::Deadline))));
    assert!(matches!(interpreter.exec("while True: pass"), Err(Error::Limit(Limit::Deadline))));
}

#[test]
fn time_is_limited_while_a_run_waits_for_the_host() {
    let mut interpreter = Interpreter::builder().limits(Limits::none()).time(Duration::from_millis(50)).build();
    interpreter.register_async("never", "", std::future::pending::<i64>);
    let outcome = smol::block_on(interpreter.run::<i64>("await never()"));
    assert!(matches!(outcome, Err(Error::Limit(Limit::Deadline))));
    assert_eq!(interpreter.eval::<i64>("2").unwrap(), 2);
}

#[test]
fn a_run_that_waits_for_the_host_is_stopped_from_another_thread() {
    let mut interpreter = Interpreter::builder().limits(Limits::none()).build();
    interpreter.register_async("never", "", std::future::pending::<i64>);
    let stopper = interpreter.stopper();
    let mut run = Box::pin(interpreter.run::<i64>("await never()"));
    // It waits before it is asked.
    assert!(smol::block_on(smol::future::poll_once(&mut run)).is_none());
    let other = std::thread::spawn(move || stopper.stop());
    assert!(matches!(smol::block_on(run), Err(Error::Limit(Limit::Stopped))));
    other.join().unwrap();
}

#[test]
fn the_account_of_memory_is_balanced() {
    let mut interpreter = Interpreter::builder().memory(16 << 20).fuel(u64::MAX).build();
    // Far more than the limit in circles, whose buffers are counted, and in closures that come and go.
    let circles = "for _ in range(20_000): a = [0] * 100; d = {'a': a}; a.append(d)";
    let closures = "def counter(n): return lambda: n\nfor _ in range(100_000): counter(0)";
    for code in [circles, closures, "class A: pass\nfor _ in range(50_000): a = A(); a.a = a"] {
        for _ in 0..5 {
            interpreter.exec(code).unwrap_or_else(|error| panic!("{code}: {error}"));
        }
    }
}

#[test]
fn walks_over_shared_lists_heed_the_limits() {
    let mut interpreter = Interpreter::builder().limits(Limits::none()).time(Duration::from_millis(100)).build();
    let shared = "
def shared(make):
    made = make(())
    for _ in range(60): made = make((made, made))
    return made
";
    interpreter.exec(shared).unwrap();
    for code in ["shared(list) == shared(list)", "hash(shared(tuple))", "isinstance(1, shared(tuple))", "repr(shared(list))"] {
        let outcome = interpreter.exec(code);
        assert!(matches!(outcome, Err(Error::Limit(Limit::Deadline))), "{code}: {outcome:?}");
    }
}

#[test]
fn time_is_limited_inside_long_native_work() {
    let mut interpreter = Interpreter::builder().limits(Limits::none()).time(Duration::from_millis(50)).build();
    interpreter.exec("import math").unwrap();
    // Each would take from half a minute to hours.
    for code in ["pow(3, 10**9)", "math.comb(10**9, 5 * 10**7)", "(1 << 10**9) // 3**(10**7)", "exec('f(x)\\n' * 10**8)"] {
        let begin = std::time::Instant::now();
        let outcome = interpreter.exec(code);
        assert!(matches!(outcome, Err(Error::Limit(Limit::Deadline))), "{code}: {outcome:?}");
        assert!(begin.elapsed() < Duration::from_secs(10), "{code} took {:?}", begin.elapsed());
    }
}

#[test]
fn programs_count_for_the_memory() {
    let mut interpreter = Interpreter::builder().memory(16 << 20).fuel(u64::MAX).build();
    interpreter.exec("kept = []").unwrap();
    // As trees, as code that is kept, as texts that functions and tracebacks keep.
    let kept = [
        "exec('x = 1\\n' * 300_000)",
        "while True: kept.append(compile('x = 1\\n' * 1000, '', 'exec'))",
        "while True: kept.append(compile('#' * 10**6, '', 'exec'))",
        "while True: exec('def f(): pass\\n#' + '#' * 10**6); kept.append(f)",
        "while True:\n  try: exec('#' * 10**6 + '\\nunknown')\n  except NameError as e: kept.append(e)",
    ];
    for code in kept {
        let outcome = interpreter.exec(code);
        assert!(matches!(&outcome, Err(Error::Exception(e)) if e.class == "MemoryError"), "{code}: {outcome:?}");
        interpreter.exec("kept.clear()").unwrap();
    }
    // What is dropped goes off the account.
    for _ in 0..200 {
        interpreter.exec("exec('def f(): pass\\n#' + '#' * 10**6)").unwrap();
        interpreter.exec("exec('x = 1\\n' * 1000)").unwrap();
    }
}

#[test]
fn memory_is_limited_for_endless_iterables_and_for_copies() {
    let mut interpreter = Interpreter::builder().memory(16 << 20).build();
    interpreter.exec("from itertools import count, product\ndef f(*args): pass").unwrap();
    let endless =
        ["[*count()]", "(*count(),)", "{*count()}", "f(*count())", "f(1, *count())", "list(product(range(1000), repeat=4))"];
    for code in endless.into_iter().chain(["10 ** 10 ** 9", "9 ** 9 ** 9"]) {
        let outcome = interpreter.exec(code);
        assert!(matches!(&outcome, Err(Error::Exception(e)) if e.class == "MemoryError"), "{code}: {outcome:?}");
    }
    // Small inside, where lists are shared, and large as a copy.
    interpreter.register("take", "data", |_: Data| ());
    interpreter.exec("shared = []\nfor _ in range(40): shared = [shared, shared]").unwrap();
    for outcome in [interpreter.get_global::<Data>("shared").map(drop), interpreter.exec("take(shared)")] {
        assert!(matches!(&outcome, Err(Error::Exception(e)) if e.class == "MemoryError"), "{outcome:?}");
    }
    assert_eq!(interpreter.eval::<i64>("1 + 1").unwrap(), 2);
}

#[test]
fn a_panic_of_the_host_leaves_the_interpreter_usable() {
    let mut interpreter = Interpreter::new();
    interpreter.register("boom", "", || -> i64 { panic!("of the host") });
    let code = "
failures = 0
for _ in range(1100):
    try:
        sorted([1, 2], key=lambda item: boom())
    except RuntimeError as error:
        assert str(error) == \"the host's function boom() panicked\"
        failures += 1
";
    interpreter.exec(code).unwrap();
    for _ in 0..1100 {
        assert!(matches!(interpreter.eval::<i64>("(lambda: boom())()"), Err(Error::Exception(e)) if e.class == "RuntimeError"));
    }
    assert_eq!(interpreter.eval::<i64>("(lambda: failures)()").unwrap(), 1100);
}

#[test]
fn a_script_is_stopped_from_another_thread() {
    let mut interpreter = Interpreter::builder().limits(Limits::none()).build();
    let stopper = interpreter.stopper();
    let thread = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(30));
        stopper.stop();
    });
    assert!(matches!(interpreter.exec("while True: pass"), Err(Error::Limit(Limit::Stopped))));
    thread.join().unwrap();
    assert_eq!(interpreter.eval::<i64>("3").unwrap(), 3);
}

#[test]
fn an_interpreter_moves_between_threads() {
    let mut interpreter = Interpreter::new();
    interpreter.exec("items = [1]").unwrap();
    let mut interpreter = std::thread::spawn(move || {
        interpreter.exec("items.append(2)").unwrap();
        interpreter
    })
    .join()
    .unwrap();
    assert_eq!(interpreter.eval::<Vec<i64>>("items").unwrap(), [1, 2]);
}

const FETCH: &str = "
import asyncio
results = await asyncio.gather(*(fetch(n) for n in range(5)))
sum(results)
";

/// An interpreter with an async function that takes 30 ms.
fn fetching() -> Interpreter {
    let mut interpreter = Interpreter::new();
    interpreter.register_async("fetch", "n", |n: i64| async move {
        smol::Timer::after(Duration::from_millis(30)).await;
        n * 10
    });
    interpreter
}

#[test]
fn scripts_run_as_futures_under_smol() {
    let mut interpreter = fetching();
    let start = std::time::Instant::now();
    assert_eq!(smol::block_on(interpreter.run::<i64>(FETCH)).unwrap(), 100);
    assert!(start.elapsed() < Duration::from_millis(140), "the calls ran one after the other");
    // A script without `await` is a future, too.
    assert_eq!(smol::block_on(interpreter.run::<i64>("x = 20\nx + 1")).unwrap(), 21);
}

#[test]
fn a_run_moves_between_threads() {
    let mut interpreter = fetching();
    let executor = Arc::new(smol::Executor::new());
    let task = executor.spawn(async move { interpreter.run::<i64>(FETCH).await });
    let stop = Arc::new(AtomicBool::new(false));
    let workers: Vec<_> = (0..2)
        .map(|_| {
            let (executor, stop) = (executor.clone(), stop.clone());
            std::thread::spawn(move || {
                while !stop.load(Ordering::SeqCst) {
                    if !executor.try_tick() {
                        std::thread::yield_now();
                    }
                }
            })
        })
        .collect();
    assert_eq!(smol::block_on(task).unwrap(), 100);
    stop.store(true, Ordering::SeqCst);
    workers.into_iter().for_each(|worker| worker.join().unwrap());
}

#[test]
fn host_functions_work_inside_asyncio_run() {
    let mut interpreter = fetching();
    interpreter.exec("import asyncio\nasync def main(): return await fetch(4)\nresult = asyncio.run(main())").unwrap();
    assert_eq!(interpreter.get_global::<i64>("result").unwrap(), 40);
}

#[test]
fn errors_of_async_functions_reach_the_script() {
    let mut interpreter = Interpreter::new();
    interpreter.register_async("order", "count", |count: u32| async move { Err::<(), _>(OutOfStock(count)) });
    let caught = "
try:
    await order(2)
except RuntimeError as error:
    message = str(error)
message
";
    assert_eq!(smol::block_on(interpreter.run::<String>(caught)).unwrap(), "2 missing");
    let Err(Error::Host(error)) = smol::block_on(interpreter.run::<()>("await order(5)")) else { panic!() };
    assert_eq!(*error.downcast::<OutOfStock>().unwrap(), OutOfStock(5));
}

#[test]
fn dropping_a_run_cancels_the_script() {
    let output = Captured::new();
    let mut interpreter = Interpreter::builder().capture(&output).build();
    let script = "
import asyncio
async def child():
    try:
        await asyncio.sleep(3600)
    finally:
        print('child closed')
task = asyncio.create_task(child())
try:
    await asyncio.sleep(3600)
finally:
    await asyncio.sleep(0)
    print('closed')
";
    {
        let mut run = pin!(interpreter.run::<()>(script));
        let mut context = Context::from_waker(Waker::noop());
        assert!(run.as_mut().poll(&mut context).is_pending());
    }
    let printed = output.take_out();
    assert!(printed.contains("child closed\n") && printed.contains("\nclosed\n") || printed.starts_with("closed\n"), "{printed}");
    assert_eq!(interpreter.eval::<i64>("1 + 1").unwrap(), 2);
    assert_eq!(smol::block_on(interpreter.run::<i64>("await asyncio.sleep(0, 5)")).unwrap(), 5);
}

#[test]
fn dropping_a_run_is_quick_even_if_the_script_resists() {
    let mut interpreter = Interpreter::new();
    let script = "
import asyncio
while True:
    try:
        await asyncio.sleep(3600)
    except BaseException:
        pass
";
    let start = std::time::Instant::now();
    {
        let mut run = pin!(interpreter.run::<()>(script));
        assert!(run.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    assert!(start.elapsed() < Duration::from_secs(2));
    assert_eq!(interpreter.eval::<i64>("1 + 1").unwrap(), 2);
}

#[test]
fn a_run_ends_when_its_body_ends() {
    let mut interpreter = Interpreter::new();
    let script = "
import asyncio
log = []
async def background():
    try:
        await asyncio.sleep(3600)
    finally:
        log.append('background ended')
asyncio.create_task(background())
await asyncio.sleep(0)
len(log)
";
    let start = std::time::Instant::now();
    assert_eq!(smol::block_on(interpreter.run::<usize>(script)).unwrap(), 0);
    assert!(start.elapsed() < Duration::from_secs(5));
    assert_eq!(interpreter.get_global::<Vec<String>>("log").unwrap(), ["background ended"]);
}

#[test]
fn a_virtual_clock_does_not_wait() {
    let mut interpreter = Interpreter::builder().virtual_clock().build();
    let start = std::time::Instant::now();
    let script = "
import asyncio
loop = asyncio.get_running_loop()
before = loop.time()
await asyncio.sleep(86400)
loop.time() - before
";
    assert_eq!(smol::block_on(interpreter.run::<f64>(script)).unwrap(), 86400.0);
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn polls_of_a_waiting_run_are_cheap_and_silent() {
    let mut interpreter = Interpreter::new();
    let mut run = pin!(interpreter.run::<i64>("import asyncio\nawait asyncio.sleep(0.05)\n7"));
    let mut context = Context::from_waker(Waker::noop());
    let mut polls = 0;
    let outcome = loop {
        polls += 1;
        if let Poll::Ready(outcome) = run.as_mut().poll(&mut context) {
            break outcome;
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    assert_eq!(outcome.unwrap(), 7);
    assert!(polls > 1);
}

#[test]
fn scripts_cannot_raise_the_limit_of_depth() {
    let mut interpreter = Interpreter::builder().depth(200).build();
    interpreter.exec("import sys\nsys.setrecursionlimit(10**9)\ndef f(n): return f(n + 1)").unwrap();
    assert_eq!(interpreter.eval::<u32>("sys.getrecursionlimit()").unwrap(), 200);
    let error = interpreter.eval::<()>("f(0)").unwrap_err();
    assert!(error.to_string().starts_with("RecursionError"), "{error}");
}
