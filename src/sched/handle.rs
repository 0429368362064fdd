//! What waits in the loop's queue: an enum, not closures. `CallHandle` and `TimerHandle` are what `call_soon` and `call_later` give to
//! scripts.

use std::cell::Cell;

use super::context::Context;
use super::future::{AnyFuture, Future, Reaction};
use super::task::Task;
use super::thread_future::ThreadFuture;
use super::timers::Due;
use super::{in_context, of};
use crate::native_kind;
use crate::value::{ObjRef, Payload, R, Ref, Shared, Value, Visitor};
use crate::vm::{Args, Vm};

/// An entry of the ready queue.
pub enum Handle {
    /// Resume a task with `None`: its first step, or the one after a bare yield.
    Step(Ref<Task>),
    /// Resume a task by throwing this exception.
    Throw(Ref<Task>, Box<Value>),
    /// Run a done callback of a future.
    Done { reaction: Reaction, number: u32, target: ObjRef, future: AnyFuture },
    /// A timer is due.
    Timer(Due),
    /// A function given to `call_soon`.
    Call(Ref<CallHandle>),
    /// Work on a thread is done: its outcome goes to a future of the loop.
    FromThread(Ref<ThreadFuture>, Ref<Future>),
    /// Start a coroutine for another thread, which waits for the outcome.
    Start(Box<Value>, Ref<ThreadFuture>),
    /// Cancel a future of the loop whose twin on a thread was cancelled.
    Cancel(AnyFuture),
    /// Nobody works for an executor any more.
    Release(Ref<Future>),
    /// Close an async generator that was dropped.
    Close(Value),
}

impl Handle {
    /// Reports the references.
    pub fn trace(&self, visitor: &mut Visitor<'_>) {
        match self {
            Handle::Step(task) => visitor.reference(task),
            Handle::Throw(task, exception) => {
                visitor.reference(task);
                visitor.value(exception);
            }
            Handle::Done { target, future, .. } => {
                visitor.object(target);
                visitor.object(future.as_obj());
            }
            Handle::Timer(due) => due.trace(visitor),
            Handle::Call(handle) => visitor.reference(handle),
            Handle::FromThread(source, target) => {
                visitor.reference(source);
                visitor.reference(target);
            }
            Handle::Start(coroutine, target) => {
                visitor.value(coroutine);
                visitor.reference(target);
            }
            Handle::Cancel(future) => visitor.object(future.as_obj()),
            Handle::Release(future) => visitor.reference(future),
            Handle::Close(generator) => visitor.value(generator),
        }
    }

    /// What messages call it.
    pub fn name(&self) -> &'static str {
        match self {
            Handle::Step(_) | Handle::Throw(..) => "Task.task_step()",
            Handle::Done { reaction, .. } => reaction.name(),
            Handle::Timer(_) => "_set_result_unless_cancelled()",
            Handle::Call(_) => "Handle._run()",
            Handle::FromThread(..) => "_set_state()",
            Handle::Start(..) => "run_coroutine_threadsafe.<locals>.callback()",
            Handle::Cancel(_) => "Task.cancel()",
            Handle::Release(_) => "set_result()",
            Handle::Close(_) => "create_task()",
        }
    }

    /// What debug mode calls it: the task it resumes, or the handle itself.
    pub fn subject(&self) -> Value {
        match self {
            Handle::Step(task) | Handle::Throw(task, _) => AnyFuture::from(task).value(),
            Handle::Done { target, future, .. } => {
                Value::Obj(target.clone()).downcast::<Task>().map_or_else(|| future.value(), |task| AnyFuture::from(task).value())
            }
            Handle::Call(handle) => Value::from(handle),
            Handle::Timer(Due::Call(handle)) => Value::from(handle),
            Handle::Timer(Due::Wake(future)) => AnyFuture::from(future).value(),
            Handle::Cancel(future) => future.value(),
            Handle::Release(future) | Handle::FromThread(_, future) => AnyFuture::from(future).value(),
            Handle::Start(coroutine, _) => (**coroutine).clone(),
            Handle::Close(generator) => generator.clone(),
            Handle::Timer(_) => Value::None,
        }
    }

    /// Does what it stands for.
    pub fn run(self, vm: &Vm) -> R<()> {
        match self {
            Handle::Step(task) => super::task::step(vm, &task, Ok(Value::None)),
            Handle::Throw(task, exception) => {
                let raised = vm.raise(*exception);
                super::task::step(vm, &task, Err(raised))
            }
            Handle::Done { reaction, number, target, future } => super::future::run(vm, reaction, number, &target, &future),
            Handle::Timer(Due::Wake(future)) => match future.core.is_done() {
                true => Ok(()),
                false => AnyFuture::from(&future).set_result(vm, Value::None),
            },
            Handle::Timer(Due::Expire(timeout, serial)) => super::timeout::expire(vm, &timeout, serial),
            Handle::Timer(Due::GiveUp(completions)) => completions.give_up(vm),
            Handle::Timer(Due::Call(handle)) => handle.call.run(vm, Value::from(&handle)),
            Handle::Call(handle) => handle.call.run(vm, Value::from(&handle)),
            Handle::FromThread(source, target) => super::thread_future::copy_to_loop(vm, &source, &target),
            Handle::Start(coroutine, target) => super::thread_future::start(vm, &coroutine, &target),
            Handle::Cancel(future) => future.cancel(vm, &Value::None).map(drop),
            Handle::Release(future) if future.core.is_done() => Ok(()),
            Handle::Release(future) => AnyFuture::from(&future).set_result(vm, Value::None),
            Handle::Close(generator) => super::generators::close(vm, &generator),
        }
    }
}

/// A call to be made later.
pub struct Call {
    pub function: Shared<Value>,
    /// A tuple.
    pub args: Shared<Value>,
    pub context: Shared<Option<Ref<Context>>>,
    cancelled: Cell<bool>,
}

impl Call {
    /// A call of `function(*args)` in a context.
    pub fn new(function: Value, args: Value, context: Option<Ref<Context>>) -> Call {
        Call {
            function: Shared::new(function),
            args: Shared::new(args),
            context: Shared::new(context),
            cancelled: Cell::new(false),
        }
    }

    pub fn is_cancelled(&self) -> bool {
        self.cancelled.get()
    }

    /// It will not be made; whether that is news.
    pub fn cancel(&self) -> bool {
        if self.cancelled.replace(true) {
            return false;
        }
        self.function.set(Value::None);
        self.args.set(Value::None);
        true
    }

    fn run(&self, vm: &Vm, handle: Value) -> R<()> {
        if self.is_cancelled() {
            return Ok(());
        }
        let (function, args) = (self.function.get(), self.args.get());
        call_in_context(vm, &function, args.as_tuple().unwrap_or_default(), &self.context.get(), Some(handle))
    }

    fn trace(&self, visitor: &mut Visitor<'_>) {
        self.function.with(|value| visitor.value(value));
        self.args.with(|value| visitor.value(value));
        self.context.with(|context| {
            if let Some(context) = context {
                visitor.reference(context);
            }
        });
    }

    fn clear(&self) {
        self.function.set(Value::None);
        self.args.set(Value::None);
        self.context.set(None);
    }
}

/// Calls a function of the script from the loop. What it raises goes to the loop's exception handler.
pub(super) fn call_in_context(
    vm: &Vm,
    function: &Value,
    args: &[Value],
    context: &Option<Ref<Context>>,
    handle: Option<Value>,
) -> R<()> {
    let (outcome, context) = in_context(vm, context.clone(), || vm.call_with(function, Args::positional(args)));
    let Err(raised) = outcome else { return Ok(()) };
    if super::event_loop::goes_through(vm) {
        return Err(raised);
    }
    let exception = vm.take_raised();
    let message = format!("Exception in callback {}", super::report::callback(vm, function, args)?);
    let Some(running) = of(vm).running.get() else { return Ok(()) };
    let mut facts = vec![("message", vm.str_value(&message)), ("exception", exception)];
    let handle = handle.unwrap_or_else(|| {
        let args = Value::from(vm.heap.tuple(args.to_vec()));
        Value::from(vm.heap.alloc(CallHandle { call: Call::new(function.clone(), args, None) }))
    });
    // The handler sees what the callback has set.
    if let Some(handle) = handle.payload::<CallHandle>() {
        handle.call.context.set(context);
    } else if let Some(handle) = handle.payload::<TimerHandle>() {
        handle.call.context.set(context);
    }
    facts.push(("handle", handle));
    super::event_loop::call_exception_handler(vm, &running, facts)
}

/// The payload of a `Handle`.
pub struct CallHandle {
    pub call: Call,
}

impl Payload for CallHandle {
    native_kind!();
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        self.call.trace(visitor);
    }

    fn clear(&self) {
        self.call.clear();
    }
}

/// The payload of a `TimerHandle`.
pub struct TimerHandle {
    pub call: Call,
    pub when: f64,
    pub event_loop: Ref<super::EventLoop>,
    /// It stands among the loop's timers.
    pub scheduled: Cell<bool>,
}

impl Payload for TimerHandle {
    native_kind!();
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        self.call.trace(visitor);
        visitor.reference(&self.event_loop);
    }

    fn clear(&self) {
        self.call.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_are_small() {
        assert!(size_of::<Handle>() <= 24);
    }
}
