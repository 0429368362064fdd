//! `AnyFuture`, a reference to a future, task or gathering: its outcome, its cancellation and its callbacks, the same for all three.
//! `sched`, `stdlib/asyncio` and hosts have futures in this form.

use super::callbacks::{Callback, DoneCallback, Reaction};
use super::{Future, FutureCore, State};
use crate::native::FromValue;
use crate::sched::gather::{self, Gathering};
use crate::sched::task::{self, Task};
use crate::sched::{cancelled_error, of};
use crate::value::weak::WeakRef;
use crate::value::{Class, Exception, ObjRef, R, Raised, Ref, Value};
use crate::vm::Vm;

/// A reference to a future, task or gathering.
#[derive(Clone)]
pub struct AnyFuture(ObjRef);

impl From<&Ref<Future>> for AnyFuture {
    fn from(future: &Ref<Future>) -> AnyFuture {
        AnyFuture(future.as_obj().clone())
    }
}

impl From<&Ref<Task>> for AnyFuture {
    fn from(task: &Ref<Task>) -> AnyFuture {
        AnyFuture(task.as_obj().clone())
    }
}

impl From<&Ref<Gathering>> for AnyFuture {
    fn from(gathering: &Ref<Gathering>) -> AnyFuture {
        AnyFuture(gathering.as_obj().clone())
    }
}

impl From<AnyFuture> for Value {
    fn from(future: AnyFuture) -> Value {
        if future.core().has_outer.get() { future.value() } else { Value::Obj(future.0) }
    }
}

impl<'a> FromValue<'a> for AnyFuture {
    fn from_value(vm: &Vm, value: &'a Value) -> R<AnyFuture> {
        AnyFuture::of(value)
            .ok_or_else(|| vm.type_error(format!("expected an asyncio.Future, got {}", vm.class_of(value).name().as_str())))
    }
}

impl AnyFuture {
    /// The future that `value` is.
    #[inline]
    pub fn of(value: &Value) -> Option<AnyFuture> {
        let object = value.unwrapped().as_obj()?;
        let known = object.is_a::<Future>() || object.is_a::<Task>() || object.is_a::<Gathering>();
        known.then(|| AnyFuture(object.clone()))
    }

    /// What all futures have.
    #[inline]
    pub fn core(&self) -> &FutureCore {
        if let Some(future) = self.0.downcast::<Future>() {
            &future.core
        } else if let Some(task) = self.0.downcast::<Task>() {
            &task.core
        } else if let Some(gathering) = self.0.downcast::<Gathering>() {
            &gathering.core
        } else {
            unreachable!("made only of futures")
        }
    }

    /// The task that it is.
    #[inline]
    pub fn as_task(&self) -> Option<&Ref<Task>> {
        self.0.downcast::<Task>()
    }

    /// The gathering that it is.
    pub fn as_gathering(&self) -> Option<&Ref<Gathering>> {
        self.0.downcast::<Gathering>()
    }

    #[inline]
    pub fn as_obj(&self) -> &ObjRef {
        &self.0
    }

    /// As a value: the object of a derived class if it is in one.
    pub fn value(&self) -> Value {
        let outer = if self.core().has_outer.get() { self.core().outer() } else { None };
        outer.unwrap_or_else(|| Value::Obj(self.0.clone()))
    }

    /// `outer` is an object of a derived class that holds this future.
    pub fn set_outer(&self, vm: &Vm, outer: &Value) {
        let Some(object) = outer.as_obj().filter(|object| !object.is(&self.0)) else { return };
        let reference = vm.heap.alloc(WeakRef::new(Value::Undef));
        vm.heap.refer_weakly(reference.as_obj(), object);
        let held = if self.as_task().is_some() && !self.core().is_done() { outer.clone() } else { Value::Undef };
        self.core().has_outer.set(true);
        let old = self.core().with_more(|more| {
            (std::mem::replace(&mut more.outer, Value::from(reference)), std::mem::replace(&mut more.held, held))
        });
        drop(old);
    }

    /// Adds a done callback; it is scheduled at once if the future is done.
    pub fn on_done(&self, vm: &Vm, reaction: Reaction, target: ObjRef, number: u32) -> R<()> {
        let core = self.core();
        let callback = Callback { reaction, number, target };
        if core.is_done() {
            return core.event_loop.push(vm, callback.handle(self));
        }
        core.push_callback(callback);
        Ok(())
    }

    /// Removes done callbacks with this meaning and target.
    pub fn forget(&self, reaction: Reaction, target: &ObjRef) {
        let found = self.core().remove_callbacks(|callback| Ok(callback.reaction == reaction && callback.target.is(target)));
        debug_assert!(found.is_ok());
    }

    /// Removes the done callbacks of a script that equal `function`; how many there were.
    pub fn remove_done_callback(&self, vm: &Vm, function: &Value) -> R<usize> {
        self.core().remove_callbacks(|callback| match callback.target.downcast::<DoneCallback>() {
            Some(known) => vm.eq(&known.function, function),
            None => Ok(false),
        })
    }

    /// Makes the future done: its callbacks are scheduled, in order.
    fn complete(&self, vm: &Vm, state: State, outcome: Value) -> R<()> {
        let core = self.core();
        let target = core.content.replace(outcome);
        core.state.set(state);
        let Value::Obj(target) = target else { return Ok(()) };
        core.event_loop.push(vm, core.first_with(target).handle(self))?;
        let rest = core.more.with_mut(|more| more.as_mut().map(|more| std::mem::take(&mut more.callbacks)));
        for callback in rest.into_iter().flatten() {
            core.event_loop.push(vm, callback.handle(self))?;
        }
        Ok(())
    }

    /// Gives the future its result: `InvalidStateError` if it is done.
    pub fn set_result(&self, vm: &Vm, result: Value) -> R<()> {
        self.check_pending(vm)?;
        self.complete(vm, State::Finished, result)
    }

    /// Gives the future an exception as its outcome: an instance, or a class to be called.
    pub fn set_exception(&self, vm: &Vm, exception: &Value) -> R<()> {
        self.check_pending(vm)?;
        let exception = match exception.downcast::<Class>() {
            Some(_) => vm.call(exception, &[])?,
            None => exception.clone(),
        };
        let Some(inner) = exception.downcast::<Exception>() else {
            return Err(vm.type_error("invalid exception object"));
        };
        if inner.class.with(|class| class.is_subclass(&vm.types.stop_iteration)) {
            return Err(vm.type_error("StopIteration interacts badly with generators and cannot be raised into a Future"));
        }
        self.fail(vm, exception)
    }

    /// Gives the future this exception object as its outcome.
    pub fn fail(&self, vm: &Vm, exception: Value) -> R<()> {
        let core = self.core();
        if let Some(inner) = exception.downcast::<Exception>() {
            let traceback = inner.traceback.get();
            if !traceback.is_none() {
                drop(core.with_more(|more| std::mem::replace(&mut more.traceback, traceback)));
            }
        }
        core.unseen.set(true);
        self.0.request_finalizer();
        self.complete(vm, State::Failed, exception)
    }

    fn check_pending(&self, vm: &Vm) -> R<()> {
        if self.core().is_done() {
            return Err(vm.raise_class(&of(vm).classes.invalid_state_error, "invalid state"));
        }
        Ok(())
    }

    /// `cancel(msg)`: whether anything was cancelled. A task is asked to end, a gathering asks its children.
    pub fn cancel(&self, vm: &Vm, message: &Value) -> R<bool> {
        if let Some(task) = self.as_task() {
            return task::cancel(vm, task, message);
        }
        if let Some(gathering) = self.as_gathering() {
            return gather::cancel(vm, gathering, message);
        }
        self.cancel_itself(vm, message)
    }

    /// Makes the future cancelled.
    pub(in crate::sched) fn cancel_itself(&self, vm: &Vm, message: &Value) -> R<bool> {
        let core = self.core();
        self.mark_seen();
        if core.is_done() {
            return Ok(false);
        }
        core.set_cancel_message(message);
        self.complete(vm, State::Cancelled, Value::Undef)?;
        if core.timed.get() {
            core.event_loop.note_cancelled_timer();
        }
        Ok(true)
    }

    /// The task ended with a `CancelledError`: it is cancelled, by that exception.
    pub(in crate::sched) fn cancelled_by(&self, vm: &Vm, exception: Value) -> R<()> {
        self.complete(vm, State::Cancelled, exception)
    }

    /// Someone has looked at the exception: it need not be reported.
    pub fn mark_seen(&self) {
        let core = self.core();
        if core.unseen.replace(false) {
            self.0.cancel_finalizer();
        }
    }

    /// The exception that tells of the cancellation.
    pub fn cancelled_error(&self, vm: &Vm) -> Value {
        let core = self.core();
        let known = if core.is_cancelled() { core.content.take() } else { Value::Undef };
        if !known.is_undef() { known } else { cancelled_error(vm, &core.cancel_message()) }
    }

    /// `result()`.
    pub fn result(&self, vm: &Vm) -> R {
        match self.core().state() {
            State::Finished => Ok(self.core().content.get()),
            State::Pending => Err(vm.raise_class(&of(vm).classes.invalid_state_error, "Result is not set.")),
            State::Cancelled => Err(self.raise_cancelled(vm)),
            State::Failed => {
                let exception = self.peek_exception();
                self.mark_seen();
                // The traceback with which it came is that of the first who asks; later ones begin their own.
                let traceback = self.core().more.with_mut(|more| more.as_mut().map(|more| std::mem::take(&mut more.traceback)));
                if let Some(inner) = exception.downcast::<Exception>() {
                    let traceback = traceback.filter(|traceback| !traceback.is_undef());
                    let old = inner.traceback.replace(traceback.unwrap_or(Value::None));
                    drop(old);
                }
                Err(vm.raise(exception))
            }
        }
    }

    /// `exception()`: the exception, or `None`.
    pub fn exception(&self, vm: &Vm) -> R {
        match self.core().state() {
            State::Finished => Ok(Value::None),
            State::Pending => Err(vm.raise_class(&of(vm).classes.invalid_state_error, "Exception is not set.")),
            State::Cancelled => Err(self.raise_cancelled(vm)),
            State::Failed => {
                self.mark_seen();
                Ok(self.peek_exception())
            }
        }
    }

    /// The exception of a failed future, else `Undef`, without having looked at it.
    pub fn peek_exception(&self) -> Value {
        if self.core().state() == State::Failed { self.core().content.get() } else { Value::Undef }
    }

    /// The result of a finished future, else `Undef`.
    pub fn peek_result(&self) -> Value {
        if self.core().state() == State::Finished { self.core().content.get() } else { Value::Undef }
    }

    #[cold]
    fn raise_cancelled(&self, vm: &Vm) -> Raised {
        let error = self.cancelled_error(vm);
        vm.raise_new(error)
    }
}

/// `await future`: its outcome if it is done; else the coroutine hands the future to its task.
pub(in crate::sched) fn await_hook(vm: &Vm, value: &Value) -> R<Option<Value>> {
    let Some(future) = AnyFuture::of(value) else { return Ok(None) };
    if future.core().is_done() {
        return future.result(vm).map(Some);
    }
    future.core().is_awaited.set(true);
    Ok(None)
}
