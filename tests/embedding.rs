//! The library as a host sees it.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use asplet::{Capability, Captured, Data, Error, Interpreter, Items, Limit, Limits, ScriptException};

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
    let list = Data::List(vec![Data::Int(1), Data::None, Data::Tuple(vec![Data::Bool(true), Data::Float(2.5)].into())].into());
    let entries = vec![(Data::Str("k".into()), list), (Data::Int(3), Data::Set(vec![Data::Int(4)].into()))];
    assert_eq!(data, Data::Dict(entries.into()));
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
    interpreter
        .register("tag", "name, /, *, text='', level=1", |name: String, text: String, level: u8| format!("<{name}{level}>{text}"))
        .unwrap();
    assert_eq!(interpreter.eval::<String>("tag('h')").unwrap(), "<h1>");
    assert_eq!(interpreter.eval::<String>("tag('h', level=2, text='x')").unwrap(), "<h2>x");
    let message = |interpreter: &mut Interpreter, code: &str| match interpreter.eval::<String>(code) {
        Err(Error::Exception(exception)) => exception.to_string(),
        other => panic!("{other:?}"),
    };
    assert!(message(&mut interpreter, "tag()").starts_with("TypeError: tag() "));
    assert!(message(&mut interpreter, "tag('a', 'b')").starts_with("TypeError: tag() takes"));
    assert_eq!(message(&mut interpreter, "tag(1)"), "TypeError: tag() argument 'name': expected str, got int");
    assert_eq!(
        message(&mut interpreter, "tag('a', level=300)"),
        "TypeError: tag() argument 'level': expected an int between 0 and 255, got 300"
    );
}

#[test]
fn dotted_names_make_modules() {
    let mut interpreter = Interpreter::new();
    interpreter.register("store.size", "", || 3).unwrap();
    interpreter.add_module("helpers.text", "def shout(word): return word.upper() + '!'").unwrap();
    interpreter.add_module("helpers", "kind = 'package'").unwrap();
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
    interpreter.register("order", "count", |count: u32| -> Result<(), OutOfStock> { Err(OutOfStock(count)) }).unwrap();
    interpreter
        .register("parse", "text", |text: String| -> Result<i64, ScriptException> {
            text.parse().map_err(|_| ScriptException::new("ValueError", format!("not a number: {text}")))
        })
        .unwrap();
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
    let Err(Error::Host { error, .. }) = interpreter.call::<()>("relay", (7,)) else { panic!() };
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
    interpreter.register_async("never", "", std::future::pending::<i64>).unwrap();
    let outcome = smol::block_on(interpreter.run::<i64>("await never()"));
    assert!(matches!(outcome, Err(Error::Limit(Limit::Deadline))));
    assert_eq!(interpreter.eval::<i64>("2").unwrap(), 2);
}

#[test]
fn a_run_that_waits_for_the_host_is_stopped_from_another_thread() {
    let mut interpreter = Interpreter::builder().limits(Limits::none()).build();
    interpreter.register_async("never", "", std::future::pending::<i64>).unwrap();
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
fn circles_make_room_for_large_objects() {
    let mut interpreter = Interpreter::builder().memory(16 << 20).build();
    let code = "
import asyncio
queue = asyncio.Queue()
for turn in range(200):
    circle = []
    circle.append(circle)
    match turn % 5:
        case 0: circle.append('x' * 3_000_000)
        case 1: circle.append(bytes(3_000_000))
        case 2: circle += [0] * 200_000
        case 3: circle.append(''.join(['x' * 1000] * 3000))
        case 4: circle.append(f'{turn:>3000000}')
    queue.put_nowait(turn)
";
    interpreter.exec(code).unwrap();
    // Looking for circles again and again counts as work.
    let mut interpreter = Interpreter::builder().limits(Limits::none()).memory(16 << 20).time(Duration::from_millis(50)).build();
    interpreter.exec("kept = [[] for _ in range(100_000)]").unwrap();
    let began = Instant::now();
    let code = "
while True:
    try: 'x' * 15_000_000
    except MemoryError: pass
";
    assert!(matches!(interpreter.exec(code), Err(Error::Limit(Limit::Deadline))));
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
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
fn long_native_work_heeds_the_time() {
    let time = Duration::from_millis(20);
    let mut interpreter = Interpreter::builder().limits(Limits::none()).time(time).build();
    let before = "
import gc, json
text, data = 'a' * 10**6, b'a' * 10**6
same, words = 'aa'[:1] * 10**6, {str(i): 0 for i in range(10**4)}
array, objects, long = bytearray(10**6), [[] for _ in range(10**4)], [text + str(i) for i in range(10)]
def f(**keywords): pass
";
    interpreter.exec(before).unwrap();
    let endless = [
        "text == same",
        "text < same",
        "{text: 1}[same]",
        "data == bytes(data)",
        "sorted(long)",
        "text.strip()",
        "str.maketrans(text, text)",
        "ascii('\u{e4}' * 10**5)",
        "repr(text)",
        "f'{text}'",
        "'%%%s' % text",
        "'{{{}'.format(text)",
        "array.insert(0, 1)",
        "array.reverse()",
        "json.loads(' ' * 10**5 + '1')",
        "json.dumps(text)",
        "f(**words)",
        "dict(**words)",
        "gc.collect()",
    ];
    for code in endless {
        let began = Instant::now();
        let outcome = interpreter.exec(&format!("while True: {code}"));
        assert!(matches!(outcome, Err(Error::Limit(Limit::Deadline))), "{code}: {outcome:?}");
        assert!(began.elapsed() < Duration::from_secs(10), "{code}: {:?}", began.elapsed());
    }
    assert_eq!(interpreter.eval::<i64>("1 + 1").unwrap(), 2);
}

#[test]
fn what_objects_own_is_on_the_account_of_memory() {
    let owners = [
        "import itertools\nmade = itertools.permutations([1] * 1000)",
        "import itertools\nmade = itertools.combinations([1] * 1000, 500)",
        "import itertools\nmade = itertools.product([1] * 1000)",
        "import functools\nmade = functools.partial(int, *[1] * 1000)",
        "import operator\nmade = operator.itemgetter(*[1] * 1000)",
        "import operator\nmade = operator.methodcaller('a', *[1] * 1000)",
        "import random\nmade = random.Random(1)",
        "import re\nmade = re.match('(a)' * 99, 'a' * 99)",
        "import atexit\nmade = atexit.register(int, *[1] * 1000)",
        "def made(a=1, b=2, c=3, d=4, *, e=5, f=6, g=7, h=8): pass",
        "class made(made if 'made' in globals() else object): pass",
    ];
    for code in owners {
        let mut interpreter = Interpreter::builder().memory(8 << 20).build();
        interpreter.exec("kept, made = [], object").unwrap();
        let (first, last) = code.rsplit_once('\n').unwrap_or(("", code));
        // A hundred thousand of each would take far more than the limit.
        let outcome = interpreter.exec(&format!("{first}\nfor _ in range(100_000):\n    {last}\n    kept.append(made)"));
        let ended = match &outcome {
            Err(Error::Limit(limit)) => *limit == Limit::Memory,
            Err(Error::Exception(exception)) => exception.class == "MemoryError",
            _ => false,
        };
        assert!(ended, "{code}: {outcome:?}");
    }
}

#[test]
fn nothing_is_said_or_run_once_a_limit_has_ended_a_script() {
    let output = Captured::new();
    let mut interpreter = Interpreter::builder().fuel(1_000_000).capture(&output).build();
    let code = "
import asyncio
class Noisy:
    def __del__(self): print('finalised')
async def never(): pass
async def main():
    noisy = [Noisy() for _ in range(10)]
    forgotten = [never() for _ in range(10)]
    tasks = [asyncio.create_task(asyncio.sleep(1)) for _ in range(10)]
    while True: pass
asyncio.run(main())
";
    assert!(matches!(interpreter.exec(code), Err(Error::Limit(Limit::Fuel))));
    interpreter.finish();
    assert_eq!((output.take_out(), output.take_err()), (String::new(), String::new()));
    // What goes on past the limit while a script ends is stopped.
    let bomb = "
class Bomb:
    def __del__(self): Bomb(); Bomb()
Bomb()
";
    let _ = interpreter.exec(bomb);
    interpreter.finish();
    assert_eq!(interpreter.eval::<i64>("1 + 1").unwrap(), 2);
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
    interpreter.register("take", "data", |_: Data| ()).unwrap();
    interpreter.exec("shared = []\nfor _ in range(40): shared = [shared, shared]").unwrap();
    for outcome in [interpreter.get_global::<Data>("shared").map(drop), interpreter.exec("take(shared)")] {
        assert!(matches!(&outcome, Err(Error::Exception(e)) if e.class == "MemoryError"), "{outcome:?}");
    }
    assert_eq!(interpreter.eval::<i64>("1 + 1").unwrap(), 2);
}

#[test]
fn a_panic_of_the_host_leaves_the_interpreter_usable() {
    let mut interpreter = Interpreter::new();
    interpreter.register("boom", "", || -> i64 { panic!("of the host") }).unwrap();
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
    interpreter
        .register_async("fetch", "n", |n: i64| async move {
            smol::Timer::after(Duration::from_millis(30)).await;
            n * 10
        })
        .unwrap();
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
    interpreter.register_async("order", "count", |count: u32| async move { Err::<(), _>(OutOfStock(count)) }).unwrap();
    let caught = "
try:
    await order(2)
except RuntimeError as error:
    message = str(error)
message
";
    assert_eq!(smol::block_on(interpreter.run::<String>(caught)).unwrap(), "2 missing");
    let Err(Error::Host { error, .. }) = smol::block_on(interpreter.run::<()>("await order(5)")) else { panic!() };
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

#[test]
fn data_may_nest_deeper_than_scripts() {
    let work = || {
        let mut interpreter = Interpreter::new();
        let mut deep = Data::List(Items::default());
        for _ in 0..1_000_000 {
            deep = Data::List(vec![deep].into());
        }
        interpreter.register("take", "data", |_: Data| ()).unwrap();
        let given = deep.clone();
        interpreter.register("give", "", move || given.clone()).unwrap();
        for outcome in
            [interpreter.set_global("deep", deep.clone()), interpreter.call("take", vec![deep]), interpreter.exec("give()")]
        {
            assert!(matches!(&outcome, Err(Error::Exception(e)) if e.class == "RecursionError"), "{outcome:?}");
        }
        interpreter.exec("deep = []\nfor _ in range(1_000_000): deep = [deep]").unwrap();
        assert!(interpreter.exec("take(deep)").is_err());
        assert_eq!(interpreter.eval::<i64>("1 + 1").unwrap(), 2);
    };
    std::thread::Builder::new().stack_size(2 << 20).spawn(work).unwrap().join().unwrap();
}

#[test]
fn modules_of_the_host_are_in_packages() {
    let mut interpreter = Interpreter::new();
    interpreter.register("a.b.c", "x", |x: i64| x + 1).unwrap();
    interpreter.register_value("a.b.LIMIT", 7).unwrap();
    interpreter.register_value("a.name", "A").unwrap();
    interpreter.exec("import a.b\nfrom a.b import c\nfrom a import b, name").unwrap();
    assert_eq!(interpreter.eval::<(i64, i64, i64, String)>("(a.b.c(1), c(2), b.LIMIT, name)").unwrap(), (2, 3, 7, "A".into()));
    let missing = interpreter.exec("import a.b.c").unwrap_err();
    assert_eq!(missing.to_string(), "ModuleNotFoundError: No module named 'a.b.c'; 'a.b' is not a package");
    // Texts make packages, too, and functions are added to texts and to the library.
    interpreter.add_module("p.q", "kind = 'text'").unwrap();
    interpreter.register("p.q.size", "", || 3).unwrap();
    interpreter.register("math.triple", "x", |x: f64| 3.0 * x).unwrap();
    interpreter.exec("import p.q, math").unwrap();
    assert_eq!(
        interpreter.eval::<(String, i64, f64)>("(p.q.kind, p.q.size(), math.triple(math.floor(2.5)))").unwrap(),
        ("text".into(), 3, 6.0)
    );
    assert_eq!(interpreter.call::<i64>("a.b.c", (4,)).unwrap(), 5);
}

#[test]
fn texts_of_modules_are_checked_and_replaced() {
    let mut interpreter = Interpreter::new();
    assert!(matches!(interpreter.add_module("broken", "def f(:"), Err(Error::Syntax(p)) if p.source == "<broken>"));
    for (round, code) in ["version = 1", "version = 2"].into_iter().enumerate() {
        interpreter.add_module("rules", code).unwrap();
        interpreter.exec("import rules").unwrap();
        assert_eq!(interpreter.get_global::<usize>("rules.version").unwrap(), round + 1);
    }
    interpreter.register("store.size", "", || 3).unwrap();
    let error = interpreter.add_module("store", "x = 1").unwrap_err();
    assert!(error.to_string().starts_with("ValueError: functions or values of the host are registered in the module 'store'"));
}

#[test]
fn what_is_wrong_with_a_function_is_said_when_it_is_registered() {
    let mut interpreter = Interpreter::new();
    for text in ["x y (", "x)", "x=1, y", "x, x", "x): pass\ndef g(", "x) -> (int", "x):\n if (y", "x # note", "**k, x", "/"] {
        let outcome = interpreter.register("f", text, |x: i64| x);
        assert!(matches!(&outcome, Err(Error::Syntax(problem)) if problem.class == "SyntaxError"), "{text}: {outcome:?}");
    }
    let error = interpreter.register("f", "x y (", |x: i64| x).unwrap_err();
    assert!(error.report().contains("def f(x y (): pass\n"), "{}", error.report());
    let message = |outcome: Result<(), Error>| outcome.unwrap_err().to_string();
    assert_eq!(
        message(interpreter.register("f", "x", |x: i64, y: i64| x + y)),
        "expected a closure of 1 parameter for f(x), got one of 2"
    );
    assert_eq!(
        message(interpreter.register_async("m.f", "x, /, *, y", |x: i64| async move { x })),
        "expected a closure of 2 parameters for f(x, /, *, y), got one of 1"
    );
    assert_eq!(
        message(interpreter.register("f", "x, y=None", |x: i64, y: i64| x + y)),
        "expected int, got None at the default of 'y' in f(x, y=None)"
    );
    assert_eq!(message(interpreter.register("f", "x=nothing", |x: i64| x)), "NameError: name 'nothing' is not defined");
    assert_eq!(
        message(interpreter.register("f", "x=print", |x: i64| x)),
        "TypeError: 'builtin_function_or_method' object is not plain data"
    );
    for name in ["", "a b", "1", "def", "a..b", ".a", "a.", "a.1", "f()", "x=1"] {
        assert!(message(interpreter.register(name, "", || 1)).starts_with("ValueError: "), "{name}");
        assert!(message(interpreter.set_global(name, 1)).starts_with("ValueError: "), "{name}");
        assert!(message(interpreter.register_value(name, 1)).starts_with("ValueError: "), "{name}");
        assert!(message(interpreter.add_module(name, "")).starts_with("ValueError: "), "{name}");
    }
    assert_eq!(message(interpreter.exec("f(1)")), "NameError: name 'f' is not defined");
}

#[test]
fn defaults_are_evaluated_and_passed() {
    let mut interpreter = Interpreter::new();
    let show = |a: i64, rest: Vec<i64>, b: Option<f64>, c: String, more: BTreeMap<String, i64>| {
        format!("{a} {rest:?} {b:?} {c} {more:?}")
    };
    interpreter.register("show", "a=2 * 30, *rest, b: float = None, c='a, b)=', **more", show).unwrap();
    for (call, wanted) in [
        ("show()", "60 [] None a, b)= {}"),
        ("show(1, 2, 3, b=4, c='x', d=5)", "1 [2, 3] Some(4.0) x {\"d\": 5}"),
        ("show(c='y')", "60 [] None y {}"),
    ] {
        assert_eq!(interpreter.eval::<String>(call).unwrap(), wanted);
    }
}

#[test]
fn exceptions_tell_their_classes_and_their_place() {
    let mut interpreter = Interpreter::new();
    interpreter.exec("class Spoiled(KeyError): pass").unwrap();
    interpreter.register("check", "", || Err::<(), _>(ScriptException::new("Spoiled", "milk"))).unwrap();
    interpreter.register("lose", "", || Err::<(), _>(ScriptException::new("Unheard", "of"))).unwrap();
    let Err(Error::Exception(exception)) = interpreter.exec("def f():\n    check()\n\nf()") else { panic!() };
    assert_eq!((exception.class.as_str(), exception.place()), ("Spoiled", Some(("<exec>", 2))));
    assert!(
        exception.is_a("Spoiled") && exception.is_a("LookupError") && exception.is_a("Exception") && !exception.is_a("OSError")
    );
    let Err(Error::Exception(exception)) = interpreter.exec("lose()") else { panic!() };
    assert_eq!(exception.to_string(), "RuntimeError: Unheard: of");
    // An error of the host knows where the script was.
    interpreter.register("order", "", || Err::<(), _>(OutOfStock(3))).unwrap();
    let error = interpreter.exec("\norder()").unwrap_err();
    assert!(error.report().contains("File \"<exec>\", line 2, in <module>"), "{}", error.report());
    assert!(matches!(error, Error::Host { exception, .. } if exception.place() == Some(("<exec>", 2))));
}

#[test]
fn async_functions_are_named_in_messages() {
    let mut interpreter = Interpreter::new();
    interpreter
        .register_async("net.fetch", "", || async {
            if true {
                panic!("of the host")
            }
        })
        .unwrap();
    interpreter.exec("import net").unwrap();
    let error = smol::block_on(interpreter.run::<()>("await net.fetch()")).unwrap_err();
    assert_eq!(error.to_string(), "RuntimeError: the host's function fetch() panicked");
    assert_eq!(interpreter.eval::<String>("f'{net.fetch()!r:.25}'").unwrap(), "<coroutine object fetch a");
}

#[test]
fn async_functions_of_the_script_are_called_as_futures() {
    let mut interpreter = fetching();
    interpreter
        .exec(
            "class Shop:\n    async def total(self, *items):\n        return sum([await fetch(i) for i in items])\nshop = Shop()",
        )
        .unwrap();
    assert_eq!(smol::block_on(interpreter.call_async::<i64>("shop.total", (1, 2))).unwrap(), 30);
    assert_eq!(smol::block_on(interpreter.call_async::<i64>("len", ("four",))).unwrap(), 4);
    assert!(
        matches!(smol::block_on(interpreter.call_async::<i64>("none", ())), Err(Error::Exception(e)) if e.class == "NameError")
    );
    drop(interpreter.call_async::<i64>("shop.total", (1,)));
    assert_eq!(interpreter.eval::<i64>("2").unwrap(), 2);
}

#[test]
fn tasks_are_limited() {
    let output = Captured::new();
    let mut interpreter = Interpreter::builder().tasks(100).capture(&output).build();
    let script = "
import asyncio
async def breed():
    asyncio.create_task(breed())
    asyncio.create_task(breed())
    await asyncio.sleep(1)
asyncio.run(breed())
";
    assert!(matches!(interpreter.exec(script), Err(Error::Limit(Limit::Tasks))));
    let reported = output.take_err();
    assert!(!reported.contains("destroyed"), "{reported}");
    let few = "async def main(): return len(await asyncio.gather(*(asyncio.sleep(0) for _ in range(99))))\nassert asyncio.run(main()) == 99";
    interpreter.exec(few).unwrap();
}

#[test]
fn limits_change_between_calls_and_count_anew() {
    let mut interpreter = Interpreter::builder().output_limit(10).fuel(100_000).capture(&Captured::new()).build();
    for _ in 0..5 {
        interpreter.exec("print('12345678')").unwrap();
    }
    assert!(matches!(interpreter.exec("print('123456789' * 2)"), Err(Error::Limit(Limit::Output))));
    interpreter.exec("for _ in range(1000): pass").unwrap();
    let left = interpreter.fuel_left().unwrap();
    assert!((98_000..99_001).contains(&left), "{left}");
    interpreter.set_limits(Limits { fuel: None, memory: Some(interpreter.memory_used() + 100_000), ..Limits::default() });
    assert_eq!(interpreter.fuel_left(), None);
    assert!(matches!(interpreter.exec("x = []\nwhile True: x.append(str(len(x)))"), Err(Error::Limit(Limit::Memory))));
    interpreter.set_limits(Limits::none());
    interpreter.exec("x = None").unwrap();
    assert_eq!(interpreter.limits().memory, None);
}

#[test]
fn results_that_nobody_wants_are_not_copied() {
    let mut interpreter = Interpreter::new();
    interpreter.exec("def make(): return object()\nasync def later(): return object()").unwrap();
    interpreter.call::<()>("make", ()).unwrap();
    interpreter.eval::<()>("make").unwrap();
    smol::block_on(interpreter.run::<()>("await later()")).unwrap();
    smol::block_on(interpreter.call_async::<()>("later", ())).unwrap();
    // But what would do nothing is refused.
    let error = interpreter.call::<()>("later", ()).unwrap_err();
    assert_eq!(error.to_string(), "TypeError: later() is async: the host has to use call_async");
    let error = interpreter.eval::<Data>("later()").unwrap_err();
    assert_eq!(error.to_string(), "TypeError: 'coroutine' object is not plain data: it has to be awaited");
}

#[test]
fn tracebacks_of_runs_begin_in_the_script() {
    let mut interpreter = Interpreter::new();
    let error = smol::block_on(interpreter.run::<()>("import asyncio\nawait asyncio.sleep(0)\n1 + 1 / 0")).unwrap_err();
    let wanted = "Traceback (most recent call last):
  File \"<run>\", line 3, in <module>
    1 + 1 / 0
        ~~^~~
ZeroDivisionError: division by zero
";
    assert_eq!(error.report(), wanted);
}

#[test]
fn panics_of_the_hosts_code_stop_in_drops_and_in_output() {
    struct Loud;
    impl Drop for Loud {
        fn drop(&mut self) {
            if !std::thread::panicking() {
                panic!("dropped");
            }
        }
    }
    let mut interpreter = Interpreter::builder().output(|_, _| panic!("of the writer")).build();
    let hold = || {
        let loud = Loud;
        async move {
            let _loud = loud;
            std::future::pending::<()>().await
        }
    };
    interpreter.register_async("hold", "", hold).unwrap();
    let script = "
import asyncio
hold()
try:
    async with asyncio.timeout(0.01):
        await hold()
except TimeoutError:
    pass
7
";
    assert_eq!(smol::block_on(interpreter.run::<i64>(script)).unwrap(), 7);
    let error = interpreter.exec("print('x')").unwrap_err();
    assert!(matches!(&error, Error::Exception(e) if e.is_a("OSError") && e.message.contains("panicked")), "{error}");
    assert_eq!(interpreter.eval::<i64>("1 + 1").unwrap(), 2);
}

#[test]
fn futures_that_wake_themselves_heed_the_limits() {
    let mut interpreter = Interpreter::builder().time(Duration::from_millis(50)).build();
    let spin = || {
        std::future::poll_fn(|context| {
            context.waker().wake_by_ref();
            Poll::<()>::Pending
        })
    };
    interpreter.register_async("spin", "", spin).unwrap();
    assert!(matches!(smol::block_on(interpreter.run::<()>("await spin()")), Err(Error::Limit(Limit::Deadline))));
    let blocking = "import asyncio\nasync def main(): await spin()\nasyncio.run(main())";
    assert!(matches!(interpreter.exec(blocking), Err(Error::Limit(Limit::Deadline))));
    let beside = "import asyncio\ntask = asyncio.create_task(spin())\nawait asyncio.sleep(0.001)\ntask.cancel()\n5";
    assert_eq!(smol::block_on(interpreter.run::<i64>(beside)).unwrap(), 5);
}

#[test]
fn many_calls_of_the_host_wait_at_once() {
    let mut interpreter = Interpreter::builder().time(Duration::from_secs(20)).build();
    interpreter.register_async("now", "n", |n: i64| async move { n }).unwrap();
    let script = "import asyncio\nsum(await asyncio.gather(*(now(n) for n in range(50_000))))";
    assert_eq!(smol::block_on(interpreter.run::<i64>(script)).unwrap(), 1_249_975_000);
}
