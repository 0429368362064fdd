//! The event loop: the queue of handles, the timers, the tasks. `turn` is the loop's one step; who calls it is `driver.rs`.

use std::cell::{Cell, RefCell};

use super::baton::{MAIN, ThreadId};
use super::context::Context;
use super::future::{AnyFuture, Future, FutureCore};
use super::handle::{CallHandle, Handle, TimerHandle};
use super::outside::Outside;
use super::ready::Ready;
use super::task::Task;
use super::timers::{Due, Timers};
use super::{now, of};
use crate::native_kind;
use crate::value::{Dict, Exception, Payload, R, Ref, Shared, Value, Visitor};
use crate::vm::ticks::Limit;
use crate::vm::{Args, Vm};

/// Timers due within this many seconds are taken together, as the resolution of CPython's clock has it.
const RESOLUTION: f64 = 1e-9;

/// How things stand after a turn.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Turn {
    /// `stop()` was called, or what the loop ran for is done.
    Done,
    /// More is ready.
    Busy,
    /// Nothing is ready before this time.
    IdleUntil(f64),
    /// Nothing is ready, and no timer will change that.
    IdleForever,
}

/// The payload of an event loop.
pub struct EventLoop {
    ready: RefCell<Ready>,
    timers: RefCell<Timers>,
    tasks: RefCell<Tasks>,
    /// The task whose step runs now.
    pub current: Shared<Option<Ref<Task>>>,
    pub running: Cell<bool>,
    pub closed: Cell<bool>,
    stopping: Cell<bool>,
    pub debug: Cell<bool>,
    /// Callbacks that take so many seconds are told of in debug mode.
    pub slow_callback_duration: Shared<Value>,
    /// The object of a derived class that holds the loop, or `Undef`.
    pub outer: Shared<Value>,
    pub exception_handler: Shared<Value>,
    pub task_factory: Shared<Value>,
    pub executor: Shared<Value>,
    /// Async generators were iterated in it: `shutdown_asyncgens` looks for those that are not finished.
    pub has_generators: Cell<bool>,
    pub executor_closed: Cell<bool>,
    /// Work of the host.
    pub(super) outside: Outside,
    /// The thread that runs it, or did last.
    pub(super) thread: Cell<ThreadId>,
    /// Bytes of the queues on the heap's account.
    charged: Cell<usize>,
}

/// Pending tasks, in places that are used again.
#[derive(Default)]
struct Tasks {
    places: Vec<Option<Ref<Task>>>,
    free: Vec<u32>,
}

impl Payload for EventLoop {
    native_kind!();
    const CONTAINER: bool = true;
    const BUFFERS: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        for handle in self.ready.borrow().iter() {
            handle.trace(visitor);
        }
        self.timers.borrow().trace(visitor);
        for task in self.tasks.borrow().places.iter().flatten() {
            visitor.reference(task);
        }
        self.current.with(|task| {
            if let Some(task) = task {
                visitor.reference(task);
            }
        });
        for value in [&self.exception_handler, &self.task_factory, &self.executor, &self.slow_callback_duration, &self.outer] {
            value.with(|value| visitor.value(value));
        }
        self.outside.trace(visitor);
    }

    fn clear(&self) {
        let ready = std::mem::take(&mut *self.ready.borrow_mut());
        let timers = self.timers.borrow_mut().take();
        let tasks = std::mem::take(&mut *self.tasks.borrow_mut());
        drop((ready, timers, tasks));
        self.outside.clear();
        self.current.set(None);
        for value in [&self.exception_handler, &self.task_factory, &self.executor, &self.slow_callback_duration] {
            value.set(Value::None);
        }
        drop(self.outer.take());
    }

    fn buffers(&self) -> usize {
        self.charged.get()
    }
}

impl EventLoop {
    /// A new loop.
    pub fn new(vm: &Vm) -> Ref<EventLoop> {
        vm.heap.alloc(EventLoop {
            ready: RefCell::default(),
            timers: RefCell::default(),
            tasks: RefCell::default(),
            current: Shared::new(None),
            running: Cell::new(false),
            closed: Cell::new(false),
            stopping: Cell::new(false),
            debug: Cell::new(false),
            slow_callback_duration: Shared::new(Value::float(0.1)),
            outer: Shared::new(Value::Undef),
            exception_handler: Shared::new(Value::None),
            task_factory: Shared::new(Value::None),
            executor: Shared::new(Value::None),
            has_generators: Cell::new(false),
            executor_closed: Cell::new(false),
            outside: Outside::default(),
            thread: Cell::new(MAIN),
            charged: Cell::new(0),
        })
    }

    /// `RuntimeError` if the loop is closed.
    pub fn check_open(&self, vm: &Vm) -> R<()> {
        if self.closed.get() { Err(vm.runtime_error("Event loop is closed")) } else { Ok(()) }
    }

    /// Puts a handle at the end of the ready queue.
    #[inline]
    pub fn push(&self, vm: &Vm, handle: Handle) -> R<()> {
        if self.closed.get() {
            return Err(vm.runtime_error("Event loop is closed"));
        }
        self.ready.borrow_mut().push(handle);
        Ok(())
    }

    /// Adds a timer.
    pub fn add_timer(&self, vm: &Vm, when: f64, due: Due) -> R<()> {
        self.check_open(vm)?;
        self.timers.borrow_mut().add(when, due, false);
        Ok(())
    }

    /// Adds a timer for a time that was asked for as such, not as a delay from now.
    pub fn add_timer_at(&self, vm: &Vm, when: f64, due: Due) -> R<()> {
        self.check_open(vm)?;
        self.timers.borrow_mut().add(when, due, true);
        Ok(())
    }

    /// One of the timers was cancelled.
    pub fn note_cancelled_timer(&self) {
        let thrown = self.timers.borrow_mut().note_cancelled();
        drop(thrown);
    }

    /// Handles that are ready.
    pub fn ready(&self) -> usize {
        self.ready.borrow().len()
    }

    /// Asks the loop to stop after the turn it is in.
    pub fn stop(&self) {
        self.stopping.set(true);
    }

    /// One turn: timers that are due join the queue, then what is ready now runs.
    pub fn turn(&self, vm: &Vm) -> R<Turn> {
        self.take_due(vm);
        self.settle_account(vm)?;
        let count = self.ready();
        for _ in 0..count {
            let Some(handle) = self.ready.borrow_mut().pop() else { break };
            vm.charge(1)?;
            let name = handle.name();
            let outcome = if self.debug.get() { self.run_watched(vm, handle) } else { handle.run(vm) };
            if let Err(raised) = outcome {
                if goes_through(vm) {
                    return Err(raised);
                }
                self.report_failure(vm, name)?;
            }
        }
        Ok(self.standing())
    }

    /// Runs a handle in debug mode: tells if it took long.
    #[cold]
    fn run_watched(&self, vm: &Vm, handle: Handle) -> R<()> {
        let shown = handle.subject();
        let begin = now(vm);
        handle.run(vm)?;
        let took = now(vm) - begin;
        let slow = vm.to_f64(&self.slow_callback_duration.get())?;
        if took >= slow {
            let shown = vm.repr(&shown)?;
            vm.tell_stderr(&format!("Executing {} took {took:.3} seconds\n", shown.as_str()))?;
        }
        Ok(())
    }

    /// A callback of the library's own has failed: that is reported, and the loop goes on.
    #[cold]
    fn report_failure(&self, vm: &Vm, name: &str) -> R<()> {
        let exception = vm.take_raised();
        let Some(running) = of(vm).running.get() else { return Err(vm.raise(exception)) };
        let message = format!("Exception in callback {name}");
        call_exception_handler(vm, &running, vec![("message", vm.str_value(&message)), ("exception", exception)])
    }

    fn take_due(&self, vm: &Vm) {
        if self.timers.borrow().is_empty() {
            return;
        }
        let end = now(vm) + RESOLUTION;
        loop {
            let due = self.timers.borrow_mut().pop_due(end);
            let Some(due) = due else { return };
            if let Due::Call(timer) = &due {
                timer.scheduled.set(false);
            }
            self.ready.borrow_mut().push(Handle::Timer(due));
        }
    }

    /// How things stand between turns.
    pub fn standing(&self) -> Turn {
        if self.stopping.replace(false) {
            return Turn::Done;
        }
        if !self.ready.borrow().is_empty() {
            return Turn::Busy;
        }
        let (next, thrown) = self.timers.borrow_mut().next_due();
        drop(thrown);
        match next {
            Some(when) if when < f64::INFINITY => Turn::IdleUntil(when),
            _ => Turn::IdleForever,
        }
    }

    /// Tells the heap how large the queues have become.
    fn settle_account(&self, vm: &Vm) -> R<()> {
        let bytes = self.ready.borrow().buffers()
            + self.timers.borrow().buffers()
            + self.tasks.borrow().places.capacity() * size_of::<Option<Ref<Task>>>();
        let known = self.charged.get();
        if bytes > known {
            vm.check_alloc(bytes - known)?;
            vm.heap.charge(bytes - known);
        } else {
            vm.heap.discharge(known - bytes);
        }
        self.charged.set(bytes);
        Ok(())
    }

    /// Whether a task is pending.
    pub(super) fn has_tasks(&self) -> bool {
        let tasks = self.tasks.borrow();
        tasks.places.len() > tasks.free.len()
    }

    pub(super) fn add_task(&self, vm: &Vm, task: &Ref<Task>) -> R<()> {
        let known = self.tasks.borrow().places.len() - self.tasks.borrow().free.len();
        if known >= of(vm).max_tasks.get() {
            return Err(vm.cross(Limit::Tasks));
        }
        let mut tasks = self.tasks.borrow_mut();
        let entry = Some(task.clone());
        match tasks.free.pop() {
            Some(place) => {
                tasks.places[place as usize] = entry;
                task.place.set(place);
            }
            None => {
                task.place.set(tasks.places.len() as u32);
                tasks.places.push(entry);
            }
        }
        Ok(())
    }

    pub(super) fn remove_task(&self, place: u32) {
        let mut tasks = self.tasks.borrow_mut();
        let Some(entry) = tasks.places.get_mut(place as usize) else { return };
        let gone = entry.take();
        if gone.is_some() {
            tasks.free.push(place);
        }
        drop(tasks);
        drop(gone);
    }

    /// The pending tasks in order of creation.
    pub fn tasks(&self, vm: &Vm) -> Vec<Ref<Task>> {
        let mut all: Vec<Ref<Task>> = self.tasks.borrow().places.iter().flatten().cloned().collect();
        let youngest = of(vm).task_number() as u32 + 1;
        all.sort_by_key(|task| std::cmp::Reverse(task.age(youngest)));
        all
    }

    /// `close()`: what waits is forgotten.
    pub fn close(&self) {
        self.closed.set(true);
        // Tasks that nobody will resume go with the last reference, and say so.
        let tasks = std::mem::take(&mut *self.tasks.borrow_mut());
        for task in tasks.places.iter().flatten() {
            if !task.core.is_internal() {
                task.as_obj().request_finalizer();
            }
        }
        let ready = std::mem::take(&mut *self.ready.borrow_mut());
        let timers = self.timers.borrow_mut().take();
        drop((ready, timers, tasks));
        self.outside.clear();
    }
}

impl Ref<EventLoop> {
    /// As a value: the object of a derived class if it is in one.
    pub fn value(&self) -> Value {
        let outer = self.outer.get();
        if outer.is_undef() { Value::from(self) } else { outer }
    }

    /// `create_future()`.
    #[inline]
    pub fn create_future(&self, vm: &Vm) -> Ref<Future> {
        vm.heap.alloc(Future { core: FutureCore::new(self.clone()) })
    }
}

/// What `run_until_complete` waits for is done.
pub(super) fn stop_when_done(vm: &Vm, future: &AnyFuture) {
    let exception = future.peek_exception();
    if let Some(inner) = exception.downcast::<Exception>() {
        future.mark_seen();
        let leaves = |class: &Ref<crate::value::Class>| inner.class.with(|of| of.is_subclass(class));
        if leaves(&vm.types.system_exit) || leaves(&vm.types.keyboard_interrupt) {
            // It has left the loop already.
            return;
        }
    }
    future.core().event_loop.stop();
}

/// Whether the exception on its way is a limit that was crossed, which nothing may hold up.
pub fn is_limit(vm: &Vm) -> bool {
    vm.raised.with(|raised| raised.as_ref().and_then(|e| e.downcast::<Exception>()).is_some_and(|e| e.uncatchable.get()))
}

/// Whether the exception on its way leaves the loop whatever raised it.
pub fn goes_through(vm: &Vm) -> bool {
    is_limit(vm) || vm.raised_is(&vm.types.keyboard_interrupt) || vm.raised_is(&vm.types.system_exit)
}

/// The context of what the facts are about: the handler runs in it.
fn context_of(facts: &Ref<Dict>) -> Option<Ref<Context>> {
    let thing = ["task", "future", "handle"].iter().find_map(|name| facts.get_text(name).filter(|thing| !thing.is_none()))?;
    if let Some(task) = thing.payload::<Task>() {
        return task.known_context();
    }
    if let Some(handle) = thing.payload::<CallHandle>() {
        return handle.call.context.get();
    }
    thing.payload::<TimerHandle>()?.call.context.get()
}

/// Tells the loop's exception handler; by default standard error.
pub fn call_exception_handler(vm: &Vm, event_loop: &Ref<EventLoop>, facts: Vec<(&str, Value)>) -> R<()> {
    let dict = vm.heap.dict();
    for (name, value) in facts {
        dict.set_str(&vm.intern(name), value);
    }
    let handler = event_loop.exception_handler.get();
    if handler.is_none() {
        return super::report::default_exception_handler(vm, &dict);
    }
    let args = [event_loop.value(), Value::from(&dict)];
    let call = || vm.call_with(&handler, Args::positional(&args));
    let outcome = match context_of(&dict) {
        Some(context) => super::in_context(vm, Some(context), call).0,
        None => call(),
    };
    match outcome {
        Ok(_) => Ok(()),
        Err(raised) if goes_through(vm) => Err(raised),
        Err(_) => {
            let exception = vm.take_raised();
            let facts = vm.heap.dict();
            facts.set_str(&vm.intern("message"), vm.str_value("Unhandled error in exception handler"));
            facts.set_str(&vm.intern("exception"), exception);
            facts.set_str(&vm.intern("context"), Value::from(dict));
            super::report::default_exception_handler(vm, &facts)
        }
    }
}
