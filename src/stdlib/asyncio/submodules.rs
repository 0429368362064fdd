//! The modules inside the package (`asyncio.exceptions`, `asyncio.queues`, ...), which hold names of the package by subject; and the
//! answer to names that are not here.

use super::support::add_functions;
use crate::native::new_module;
use crate::rows;
use crate::value::{Module, R, Ref, Value};
use crate::vm::Vm;

const SUBMODULES: &[(&str, &[&str])] = &[
    (
        "events",
        &[
            "AbstractEventLoop",
            "Handle",
            "TimerHandle",
            "get_event_loop",
            "get_running_loop",
            "_get_running_loop",
            "new_event_loop",
            "set_event_loop",
            "get_event_loop_policy",
            "set_event_loop_policy",
        ],
    ),
    ("base_events", &["BaseEventLoop"]),
    ("exceptions", &["BrokenBarrierError", "CancelledError", "InvalidStateError", "TimeoutError"]),
    ("futures", &["Future", "isfuture", "wrap_future"]),
    ("locks", &["Lock", "Event", "Condition", "Semaphore", "BoundedSemaphore", "Barrier"]),
    ("queues", &["Queue", "LifoQueue", "PriorityQueue", "QueueEmpty", "QueueFull"]),
    ("runners", &["run", "Runner"]),
    ("taskgroups", &["TaskGroup"]),
    (
        "tasks",
        &[
            "Task",
            "create_task",
            "FIRST_COMPLETED",
            "FIRST_EXCEPTION",
            "ALL_COMPLETED",
            "wait",
            "wait_for",
            "as_completed",
            "sleep",
            "gather",
            "shield",
            "ensure_future",
            "run_coroutine_threadsafe",
            "current_task",
            "all_tasks",
            "eager_task_factory",
        ],
    ),
    ("coroutines", &["iscoroutine", "iscoroutinefunction"]),
    ("threads", &["to_thread"]),
    ("timeouts", &["Timeout", "timeout", "timeout_at"]),
];

/// What CPython's asyncio has beyond this: connections, processes, signals.
const MISSING: &[&str] = &[
    "AbstractServer",
    "BaseProtocol",
    "BaseTransport",
    "BufferedProtocol",
    "DatagramProtocol",
    "DatagramTransport",
    "IncompleteReadError",
    "LimitOverrunError",
    "Protocol",
    "ReadTransport",
    "SendfileNotAvailableError",
    "Server",
    "StreamReader",
    "StreamReaderProtocol",
    "StreamWriter",
    "SubprocessProtocol",
    "SubprocessTransport",
    "Transport",
    "WriteTransport",
    "create_subprocess_exec",
    "create_subprocess_shell",
    "open_connection",
    "open_unix_connection",
    "start_server",
    "start_unix_server",
    "subprocess",
];

pub fn load(vm: &Vm, module: &Ref<Module>) {
    for (short, names) in SUBMODULES {
        let full = format!("asyncio.{short}");
        let inner = new_module(vm, &full, "", &[]);
        for name in *names {
            let name = vm.intern(name);
            if let Some(value) = module.dict.get_str(&name) {
                inner.dict.set_str(&name, value);
            }
        }
        let inner = Value::from(inner);
        module.dict.set_str(&vm.intern(short), inner.clone());
        vm.modules.set_str(&vm.intern(&full), inner);
    }
    module.dict.set_str(&vm.n.__path__, Value::from(vm.heap.list(vec![])));
    add_functions(vm, module, &rows!["__getattr__", "name, /" => missing(0);]);
}

fn missing(vm: &Vm, name: &str) -> R {
    let mut message = format!("module 'asyncio' has no attribute '{name}'");
    if MISSING.contains(&name) {
        message.push_str(" (it is part of Python, but not of Asplet yet)");
    }
    Err(vm.attribute_error(message))
}
