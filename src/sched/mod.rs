//! Scheduling: the event loop, tasks, futures, timers, threads, and the clock they share.
//!
//! The loop decides, the driver waits: `EventLoop::turn` runs what is ready and reports how things stand; `driver.rs` turns that into
//! waiting. The order of events is CPython's: one first-in-first-out queue of handles; a turn runs what was ready when it began.
//! What scripts see of all this is in `stdlib/asyncio` and `stdlib/threading`.

pub mod baton;
pub mod clock;
pub mod context;
pub mod driver;
pub mod event_loop;
pub mod future;
pub mod gather;
mod generators;
pub mod handle;
pub mod interrupts;
mod limited_repr;
pub mod outside;
mod ready;
pub mod shield;
pub mod task;
pub mod task_group;
pub mod thread_future;
pub mod threads;
pub mod timeout;
pub mod timers;
pub mod wait_queue;
pub mod waiting;
pub mod workers;

mod classes;
mod evaluator;
pub(crate) mod report;

use std::cell::Cell;
use std::sync::Arc;

pub use classes::Classes;
pub(crate) use classes::payload_class;
pub use clock::Clock;
pub use context::Context;
pub use event_loop::{EventLoop, Turn};
pub use future::{AnyFuture, Future};
pub use generators::unfinished as unfinished_generators;
pub use task::Task;
pub use threads::Threads;
pub use wait_queue::WaitQueue;

use crate::value::{Payload, R, Ref, Shared, Value};
use crate::vm::Vm;
use crate::vm::coroutine::AsyncGenerator;

/// The scheduler's state in an interpreter.
pub struct Sched {
    pub clock: Clock,
    pub threads: Threads,
    pub interrupts: interrupts::Interrupts,
    /// What hosts ring when they ask a script to stop.
    pub alarm: Arc<outside::Alarm>,
    /// The classes of futures and tasks, and the exceptions of asyncio.
    pub classes: Classes,
    /// The event loop that runs on this thread.
    pub running: Shared<Option<Ref<EventLoop>>>,
    /// The event loop that `asyncio.set_event_loop` has set, and whether it was ever called.
    pub current: Shared<Option<Ref<EventLoop>>>,
    pub current_set: Cell<bool>,
    /// The context variables of what runs on this thread; `None` while none was ever set.
    pub context: Shared<Option<Ref<Context>>>,
    /// How many tasks a loop may have at once.
    pub max_tasks: Cell<usize>,
    /// How many tasks were named `Task-n`.
    task_names: Cell<u64>,
    named_tasks: Cell<u32>,
}

/// The scheduler's state.
#[inline]
pub fn of(vm: &Vm) -> &Sched {
    let known = vm.scheduler.get_or_init(|| Box::new(Sched::new(vm)));
    match known.downcast_ref::<Sched>() {
        Some(sched) => sched,
        None => unreachable!("only the scheduler keeps its state there"),
    }
}

impl Sched {
    fn new(vm: &Vm) -> Sched {
        vm.set_hand_over(Some(threads::hand_over));
        vm.ending_hook.set(Some(workers::shutdown));
        vm.set_interrupt_hook(Some(interrupts::deal_with));
        vm.first_iteration_hook.set(Some(generators::first_iteration));
        vm.set_finalize_hook(AsyncGenerator::class_index(), generators::dropped);
        Sched {
            clock: Clock::default(),
            threads: Threads::new(),
            interrupts: interrupts::Interrupts::default(),
            alarm: Arc::default(),
            classes: Classes::new(vm),
            running: Shared::new(None),
            current: Shared::new(None),
            current_set: Cell::new(false),
            context: Shared::new(None),
            max_tasks: Cell::new(usize::MAX),
            task_names: Cell::new(0),
            named_tasks: Cell::new(0),
        }
    }

    /// The number of the next task that is given no name.
    pub fn next_task_number(&self) -> u64 {
        self.task_names.set(self.task_names.get() + 1);
        self.task_names.get()
    }

    /// The latest of these numbers.
    pub fn task_number(&self) -> u64 {
        self.task_names.get()
    }

    /// Counts the tasks that are made with a name.
    pub(super) fn next_named_task(&self) -> u32 {
        self.named_tasks.set(self.named_tasks.get() + 1);
        self.named_tasks.get()
    }
}

/// The loop that runs on this thread: `RuntimeError` if none does.
pub fn running_loop(vm: &Vm) -> R<Ref<EventLoop>> {
    match of(vm).running.get() {
        Some(running) => Ok(running),
        None => Err(vm.runtime_error("no running event loop")),
    }
}

/// Seconds of the clock that timers use.
pub fn now(vm: &Vm) -> f64 {
    of(vm).clock.monotonic(&*vm.host)
}

/// Runs `inside` with `context` as the current one, and returns the context as it was left (it is made when a variable is first
/// set in it).
pub(crate) fn in_context<T>(vm: &Vm, context: Option<Ref<Context>>, inside: impl FnOnce() -> T) -> (T, Option<Ref<Context>>) {
    let sched = of(vm);
    let before = sched.context.replace(context);
    let outcome = inside();
    (outcome, sched.context.replace(before))
}

/// A value of the class `CancelledError` with the message of a cancellation.
pub fn cancelled_error(vm: &Vm, message: &Value) -> Value {
    let args = if message.is_none() || message.is_undef() { vec![] } else { vec![message.clone()] };
    vm.exception(&of(vm).classes.cancelled_error, args)
}
