//! `concurrent.futures.Future`: the outcome of work on a thread, which threads wait for, and its links with futures of a loop.

use std::cell::{Cell, RefCell};

use super::baton::{ThreadId, Woken};
use super::event_loop::EventLoop;
use super::future::{AnyFuture, Future, Reaction, State as LoopState};
use super::handle::Handle;
use super::{now, of, outside, task, threads};
use crate::native_kind;
use crate::value::{Exception, ObjRef, Payload, R, Raised, Ref, Shared, Value, Visitor};
use crate::vm::Vm;

/// How the work stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    Pending,
    Running,
    Cancelled,
    Finished,
    Failed,
}

impl State {
    /// The name in messages.
    pub fn name(self) -> &'static str {
        match self {
            State::Pending => "pending",
            State::Running => "running",
            State::Cancelled => "cancelled",
            State::Finished | State::Failed => "finished",
        }
    }
}

/// What happens when it is done.
#[derive(Clone)]
enum Callback {
    /// A function of the script.
    Call(Value),
    /// A future of a loop gets the outcome.
    Loop(Ref<Future>),
    /// A task that this stands for is cancelled if this was.
    Task(AnyFuture),
}

/// The payload.
pub struct ThreadFuture {
    pub state: Cell<State>,
    outcome: Shared<Value>,
    /// Threads that wait.
    waiters: RefCell<Vec<ThreadId>>,
    callbacks: RefCell<Vec<Callback>>,
}

impl Payload for ThreadFuture {
    native_kind!();
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        self.outcome.with(|outcome| visitor.value(outcome));
        for callback in self.callbacks.borrow().iter() {
            match callback {
                Callback::Call(function) => visitor.value(function),
                Callback::Loop(future) => visitor.reference(future),
                Callback::Task(future) => visitor.object(future.as_obj()),
            }
        }
    }

    fn clear(&self) {
        self.outcome.set(Value::None);
        let callbacks = std::mem::take(&mut *self.callbacks.borrow_mut());
        drop(callbacks);
    }
}

impl Default for ThreadFuture {
    fn default() -> ThreadFuture {
        ThreadFuture {
            state: Cell::new(State::Pending),
            outcome: Shared::new(Value::Undef),
            waiters: RefCell::default(),
            callbacks: RefCell::default(),
        }
    }
}

impl ThreadFuture {
    /// Whether there is an outcome.
    pub fn is_done(&self) -> bool {
        !matches!(self.state.get(), State::Pending | State::Running)
    }

    /// The result or exception.
    pub fn outcome(&self) -> Value {
        self.outcome.get()
    }

    /// Has a thread woken when the work is done.
    pub fn add_waiter(&self, thread: ThreadId) {
        self.waiters.borrow_mut().push(thread);
    }

    /// Takes that back.
    pub fn remove_waiter(&self, thread: ThreadId) {
        let mut waiters = self.waiters.borrow_mut();
        if let Some(place) = waiters.iter().position(|waiter| *waiter == thread) {
            waiters.swap_remove(place);
        }
    }
}

impl Ref<ThreadFuture> {
    /// Makes it done, wakes who waits and calls who is to be called.
    pub fn complete(&self, vm: &Vm, state: State, outcome: Value) -> R<()> {
        self.outcome.set(outcome);
        self.state.set(state);
        let waiters = std::mem::take(&mut *self.waiters.borrow_mut());
        for thread in waiters {
            threads::wake(vm, thread);
        }
        let callbacks = std::mem::take(&mut *self.callbacks.borrow_mut());
        for callback in callbacks {
            self.call(vm, callback)?;
        }
        Ok(())
    }

    fn call(&self, vm: &Vm, callback: Callback) -> R<()> {
        match callback {
            Callback::Loop(future) => {
                let event_loop = future.core.event_loop.clone();
                if event_loop.closed.get() {
                    return Ok(());
                }
                event_loop.push(vm, Handle::FromThread(self.clone(), future))?;
                outside::ring(vm, &event_loop);
            }
            Callback::Task(future) if self.state.get() == State::Cancelled => {
                let event_loop = future.core().event_loop.clone();
                if !event_loop.closed.get() {
                    event_loop.push(vm, Handle::Cancel(future))?;
                    outside::ring(vm, &event_loop);
                }
            }
            Callback::Task(_) => {}
            Callback::Call(function) => {
                if let Err(Raised) = vm.call(&function, &[Value::from(self)]) {
                    if super::event_loop::goes_through(vm) {
                        return Err(Raised);
                    }
                    let exception = vm.take_raised();
                    let shown = vm.repr(&Value::from(self))?;
                    let text = super::evaluator::format_exception(vm, &exception);
                    let text = format!("exception calling callback for {}\n{text}", shown.as_str());
                    vm.tell_stderr(&text)?;
                }
            }
        }
        Ok(())
    }

    fn link(&self, vm: &Vm, callback: Callback) -> R<()> {
        if self.is_done() {
            return self.call(vm, callback);
        }
        self.callbacks.borrow_mut().push(callback);
        Ok(())
    }

    /// `add_done_callback(fn)`.
    pub fn on_done(&self, vm: &Vm, function: Value) -> R<()> {
        self.link(vm, Callback::Call(function))
    }

    /// `cancel()`: possible until the work runs.
    pub fn cancel(&self, vm: &Vm) -> R<bool> {
        match self.state.get() {
            State::Running | State::Finished | State::Failed => Ok(false),
            State::Cancelled => Ok(true),
            State::Pending => {
                self.complete(vm, State::Cancelled, Value::Undef)?;
                Ok(true)
            }
        }
    }

    /// Waits until it is done, or the time is over (`false`).
    pub fn wait(&self, vm: &Vm, timeout: Option<f64>) -> R<bool> {
        let until = timeout.map(|timeout| now(vm) + timeout);
        let thread = threads::current(vm);
        while !self.is_done() {
            if until.is_some_and(|until| now(vm) >= until) {
                return Ok(false);
            }
            self.add_waiter(thread);
            let woken = threads::park(vm, until);
            self.remove_waiter(thread);
            match woken? {
                Woken::TimedOut if !self.is_done() => return Ok(false),
                Woken::Deadlock => return Err(super::report::thread_deadlock(vm, "concurrent.futures.Future.result()")),
                _ => {}
            }
        }
        Ok(true)
    }
}

/// The future of a loop for work on a thread: each tells the other.
pub fn wrap(vm: &Vm, source: &Ref<ThreadFuture>, event_loop: &Ref<EventLoop>) -> R<Ref<Future>> {
    let target = event_loop.create_future(vm);
    AnyFuture::from(&target).on_done(vm, Reaction::CancelThread, source.as_obj().clone(), 0)?;
    source.link(vm, Callback::Loop(target.clone()))?;
    Ok(target)
}

/// A future of the loop was cancelled: so is the work it stands for, unless that runs.
pub(super) fn cancelled_in_loop(vm: &Vm, source: &ObjRef, future: &AnyFuture) -> R<()> {
    match source.downcast::<ThreadFuture>() {
        Some(source) if future.core().is_cancelled() => source.cancel(vm).map(drop),
        _ => Ok(()),
    }
}

/// The work is done: the future of the loop gets the outcome.
pub(super) fn copy_to_loop(vm: &Vm, source: &Ref<ThreadFuture>, target: &Ref<Future>) -> R<()> {
    let target = AnyFuture::from(target);
    if target.core().is_done() {
        return Ok(());
    }
    match source.state.get() {
        State::Cancelled => target.cancel(vm, &Value::None).map(drop),
        State::Failed => target.set_exception(vm, &of_the_loop(vm, source.outcome())),
        _ => target.set_result(vm, source.outcome()),
    }
}

/// An exception of `concurrent.futures` as the one of asyncio with that name.
fn of_the_loop(vm: &Vm, exception: Value) -> Value {
    let class = vm.class_of(&exception);
    let is_ours = class.lookup(&vm.n.__module__).as_str().is_some_and(|module| module.starts_with("concurrent.futures"));
    let classes = &of(vm).classes;
    let class = match class.name().as_str() {
        "CancelledError" if is_ours => &classes.cancelled_error,
        "InvalidStateError" if is_ours => &classes.invalid_state_error,
        _ => return exception,
    };
    let args = exception.downcast::<Exception>().and_then(|known| known.args.get().as_tuple().map(<[Value]>::to_vec));
    vm.exception(class, args.unwrap_or_default())
}

/// Has a coroutine run by a loop of another thread: `asyncio.run_coroutine_threadsafe`.
pub fn submit_coroutine(vm: &Vm, coroutine: &Value, event_loop: &Ref<EventLoop>) -> R<Ref<ThreadFuture>> {
    let target = vm.heap.alloc(ThreadFuture::default());
    event_loop.push(vm, Handle::Start(Box::new(coroutine.clone()), target.clone()))?;
    outside::ring(vm, event_loop);
    Ok(target)
}

/// The task of a coroutine, by the factory of the loop if it has one.
fn start_task(vm: &Vm, event_loop: &Ref<EventLoop>, coroutine: &Value) -> R<AnyFuture> {
    let factory = event_loop.task_factory.get();
    if factory.is_none() {
        return task::spawn(vm, event_loop, coroutine, None, None).map(|task| AnyFuture::from(&task));
    }
    let made = vm.call(&factory, &[event_loop.value(), coroutine.clone()])?;
    AnyFuture::of(&made).ok_or_else(|| vm.type_error("the task factory returned what is no task"))
}

/// Starts the coroutine, in its loop.
pub(super) fn start(vm: &Vm, coroutine: &Value, target: &Ref<ThreadFuture>) -> R<()> {
    let event_loop = super::running_loop(vm)?;
    let future = match AnyFuture::of(coroutine) {
        Some(future) => future,
        None => match start_task(vm, &event_loop, coroutine) {
            Ok(task) => task,
            Err(raised) => {
                if let Some(exception) = vm.raised.get() {
                    target.complete(vm, State::Failed, exception)?;
                }
                return Err(raised);
            }
        },
    };
    target.link(vm, Callback::Task(future.clone()))?;
    future.on_done(vm, Reaction::ToThread, target.as_obj().clone(), 0)
}

/// A task that a thread waits for is done.
pub(super) fn copy_to_thread(vm: &Vm, target: &ObjRef, future: &AnyFuture) -> R<()> {
    let Some(target) = target.downcast::<ThreadFuture>() else { return Ok(()) };
    if target.is_done() {
        future.mark_seen();
        return Ok(());
    }
    match future.core().state() {
        LoopState::Cancelled => target.complete(vm, State::Cancelled, Value::Undef),
        LoopState::Failed => {
            future.mark_seen();
            target.complete(vm, State::Failed, future.peek_exception())
        }
        LoopState::Finished | LoopState::Pending => target.complete(vm, State::Finished, future.peek_result()),
    }
}
