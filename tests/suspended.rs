//! Suspended state is data: from the tasks of a program that waits in every kind of place, everything it needs to go on is reached by the
//! one enumeration that the cycle collector uses (`Payload::trace`), and nothing that is reached is a closure, a native stack or a
//! Rust future of ours.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use asplet::host::{Host, StdHost};
use asplet::native::{Row, native_function};
use asplet::rows;
use asplet::syntax::{Mode, Source};
use asplet::value::{Kind, ObjRef, R, Raised, Str, Value, Visitor};
use asplet::vm::Vm;
use asplet::vm::coroutine::Coroutine;
use asplet::vm::frame::Activation;
use asplet::vm::function::{Binding, NativeCode, NativeFunction};

/// Each task holds a marker in a local variable while it waits in the kind of place that the marker names.
const PROGRAM: &str = r#"
import asyncio

class Place:
    def __init__(self, name):
        self.name = "place:" + name

class Manager:
    async def __aenter__(self): return self
    async def __aexit__(self, *exc): return False

async def in_loops(e):
    here = Place("loops")
    for i in range(3):
        while True:
            await e.wait()

async def in_try(e):
    here = Place("try")
    try:
        await e.wait()
    except ValueError:
        pass

async def in_handler(e):
    here = Place("handler")
    try:
        raise KeyError("kept")
    except KeyError as error:
        await e.wait()

async def in_finally(e):
    here = Place("finally")
    try:
        return "pending result"
    finally:
        await e.wait()

async def in_with(e):
    here = Place("with")
    async with Manager() as m:
        await e.wait()

async def in_comprehension(e):
    here = Place("comprehension")
    return [await e.wait() for i in range(3)]

async def items(e):
    here = Place("async generator")
    yield 1
    await e.wait()
    yield 2

async def in_async_for(e):
    async for item in items(e):
        pass

async def deep(e, n):
    here = Place("depth %d" % n)
    if n:
        return n + await deep(e, n - 1)
    await e.wait()

async def in_gather(e):
    here = Place("gather")
    await asyncio.gather(e.wait(), e.wait())

async def in_queue(q):
    here = Place("queue")
    await q.get()

async def in_full_queue(q):
    here = Place("full queue")
    await q.put("item that waits")

async def in_lock(lock):
    here = Place("lock")
    async with lock:
        pass

async def in_condition(c):
    here = Place("condition")
    async with c:
        await c.wait()

async def in_semaphore(s):
    here = Place("semaphore")
    await s.acquire()

async def in_timeout(e):
    here = Place("timeout")
    async with asyncio.timeout(1000):
        await e.wait()

async def in_wait_for(e):
    here = Place("wait_for")
    await asyncio.wait_for(e.wait(), 1000)

async def in_group(e):
    here = Place("task group")
    async with asyncio.TaskGroup() as group:
        group.create_task(e.wait())

async def in_sleep():
    here = Place("sleep")
    await asyncio.sleep(1000, "result of the sleep")

async def in_wait(e):
    here = Place("wait")
    await asyncio.wait([asyncio.create_task(e.wait())])

async def in_shield(e):
    here = Place("shield")
    await asyncio.shield(e.wait())

async def in_as_completed(e):
    here = Place("as_completed")
    for one in asyncio.as_completed([e.wait()]):
        await one

async def in_barrier(b):
    here = Place("barrier")
    await b.wait()

class Custom:
    def __await__(self):
        here = Place("__await__")
        yield from asyncio.sleep(1000).__await__()

async def in_custom():
    await Custom()

async def main():
    e, lock, full = asyncio.Event(), asyncio.Lock(), asyncio.Queue(1)
    full.put_nowait(1)
    await lock.acquire()
    places = [in_loops(e), in_try(e), in_handler(e), in_finally(e), in_with(e), in_comprehension(e), in_async_for(e), deep(e, 3),
        in_gather(e), in_queue(asyncio.Queue()), in_full_queue(full), in_lock(lock), in_condition(asyncio.Condition()),
        in_semaphore(asyncio.Semaphore(0)), in_timeout(e), in_wait_for(e), in_group(e), in_sleep(), in_wait(e), in_shield(e),
        in_as_completed(e), in_barrier(asyncio.Barrier(2)), in_custom()]
    tasks = [asyncio.create_task(place) for place in places]
    for i in range(5):
        await asyncio.sleep(0)
    walk(tasks)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

asyncio.run(main())
"#;

const PLACES: [&str; 26] = [
    "__await__",
    "as_completed",
    "async generator",
    "barrier",
    "comprehension",
    "condition",
    "depth 0",
    "depth 1",
    "depth 2",
    "depth 3",
    "finally",
    "full queue",
    "gather",
    "handler",
    "lock",
    "loops",
    "queue",
    "semaphore",
    "shield",
    "sleep",
    "task group",
    "timeout",
    "try",
    "wait",
    "wait_for",
    "with",
];

/// What else must be reached: state of native frames and of blocks that are being left.
const STATE: [&str; 4] = ["item that waits", "kept", "pending result", "result of the sleep"];

/// Walks everything reachable from `tasks` and checks it.
fn walk(_vm: &Vm, tasks: &Value) {
    let mut waiting: Vec<ObjRef> = tasks.as_obj().cloned().into_iter().collect();
    let mut seen: HashSet<usize> = HashSet::new();
    let mut texts: BTreeSet<String> = BTreeSet::new();
    let mut frames = 0;
    while let Some(object) = waiting.pop() {
        if !seen.insert(object.address()) {
            continue;
        }
        let payload = object.payload_type();
        for foreign in ["closure", "dyn core::future", "Pin<", "Waker", "JoinHandle", "smol::"] {
            assert!(!payload.contains(foreign), "{payload} is reachable from a suspended program");
        }
        if let Some(text) = object.downcast::<Str>() {
            texts.insert(text.as_str().to_owned());
        }
        if let Some(function) = object.downcast::<NativeFunction>() {
            let is_closure = matches!(function.code, NativeCode::Closure(_) | NativeCode::AsyncClosure(_));
            assert!(!is_closure, "{} is a closure", function.name.as_str());
        }
        if let Some(coroutine) = object.downcast::<Coroutine>() {
            // A frame of script code is slots, a cursor and a code; a native one is a named state that reports its values.
            coroutine.inner.with_stack(|stack| {
                for frame in stack.frames() {
                    frames += 1;
                    if let Activation::Native { frame, .. } = frame {
                        assert!(!frame.name().is_empty());
                    }
                }
            });
        }
        object.trace(&mut Visitor::new(&mut |next| waiting.push(next.clone())));
    }
    let found: Vec<&str> = texts.iter().filter_map(|text| text.strip_prefix("place:")).collect();
    assert_eq!(found, PLACES);
    for state in STATE {
        assert!(texts.contains(state), "{state:?} is not reached");
    }
    assert!(frames >= PLACES.len(), "only {frames} frames");
}

const WALK: [Row; 1] = rows!["walk", "tasks, /" => walk(0);];

#[test]
fn everything_suspended_is_enumerable_data() {
    let host: Arc<dyn Host> = Arc::new(StdHost::new(vec![]));
    let vm = Vm::new(host);
    vm.measure_stack();
    asplet::builtins::install(&vm);
    vm.set_module_finder(asplet::stdlib::find);
    let function = native_function(&vm, &WALK[0], Binding::Function, Value::None);
    vm.builtins.set_str(&vm.intern("walk"), Value::from(function));
    let module = vm.main_module(Some("suspended.script"));
    let source = Source::new("suspended.script", PROGRAM);
    let run = || -> R<()> {
        let code = vm.compile(&source, Mode::File, &module.dict).map_err(|error| vm.raise_compile_error(&source, error))?;
        vm.run(&code).map(drop)
    };
    if let Err(Raised) = run() {
        let exception = vm.take_raised();
        panic!("{}", asplet::vm::traceback::format_exception(&vm, &exception));
    }
    assert_eq!(Value::None.kind(), Kind::Free);
}
