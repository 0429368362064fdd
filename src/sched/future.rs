//! Futures: a result that comes later, and who is to be told. Tasks and gatherings are futures too: each of the three payloads has
//! a `FutureCore`, and `AnyFuture` is a reference to any of them.
//!
//! Done callbacks are data: what kind, a target object, a number. The first stands in the future itself, since few have more.

use std::cell::Cell;

use super::event_loop::EventLoop;
use super::gather::Gathering;
use super::handle::Handle;
use super::task::Task;
use super::{cancelled_error, of};
use crate::native::FromValue;
use crate::native_kind;
use crate::value::weak::WeakRef;
use crate::value::{Class, Exception, ObjRef, Payload, R, Raised, Ref, Shared, Value, Visitor};
use crate::vm::Vm;

/// How a future stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum State {
    Pending,
    /// Done: `content` is the result.
    Finished,
    /// Done: `content` is the exception.
    Failed,
    /// `content` is the `CancelledError` that ended a task, until someone asks for it.
    Cancelled,
}

impl State {
    /// The name in messages.
    pub fn name(self) -> &'static str {
        match self {
            State::Pending => "pending",
            State::Finished | State::Failed => "finished",
            State::Cancelled => "cancelled",
        }
    }
}

/// What a done callback does with its target; `run` says how.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Reaction {
    /// Resume the task that awaits the future.
    Wake,
    /// Call the function of a `DoneCallback`, given by a script.
    Call,
    /// Stop the loop that runs until this future is done.
    StopLoop,
    /// Count a child of a gathering.
    Gather,
    /// Count one of the futures of `asyncio.wait`.
    Wait,
    /// Hand one of the futures of `asyncio.as_completed` out.
    Completed,
    /// Pass the outcome on to the outer future of `asyncio.shield`.
    Shielded,
    /// The outer future of `asyncio.shield` is done: stop listening to the inner one.
    Unshield,
    /// A task of a task group is done.
    Group,
    /// Drop the host's work for the future.
    Outside,
    /// Pass the outcome on to a `concurrent.futures.Future`.
    ToThread,
    /// Cancel the work on a thread that a cancelled future stands for.
    CancelThread,
}

impl Reaction {
    /// What messages call it, which is what CPython does.
    pub fn name(self) -> &'static str {
        match self {
            Reaction::Wake => "Task.task_wakeup()",
            Reaction::Call => "Future.add_done_callback()",
            Reaction::StopLoop => "_run_until_complete_cb()",
            Reaction::Gather => "gather.<locals>._done_callback()",
            Reaction::Wait => "_wait.<locals>._on_completion()",
            Reaction::Completed => "as_completed.<locals>._on_completion()",
            Reaction::Shielded => "shield.<locals>._inner_done_callback()",
            Reaction::Unshield => "shield.<locals>._outer_done_callback()",
            Reaction::Group => "TaskGroup._on_task_done()",
            Reaction::ToThread => "_chain_future.<locals>._call_set_state()",
            Reaction::Outside | Reaction::CancelThread => "_chain_future.<locals>._call_check_cancel()",
        }
    }
}

/// One done callback.
#[derive(Clone)]
pub struct Callback {
    pub reaction: Reaction,
    pub number: u32,
    pub target: ObjRef,
}

impl Callback {
    /// What runs it, now that the future is done.
    fn handle(self, future: &AnyFuture) -> Handle {
        Handle::Done { reaction: self.reaction, number: self.number, target: self.target, future: future.clone() }
    }
}

/// A done callback of a script, with the context it runs in.
pub struct DoneCallback {
    pub function: Value,
    pub context: Option<Ref<super::Context>>,
}

impl Payload for DoneCallback {
    native_kind!();
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.value(&self.function);
        if let Some(context) = &self.context {
            visitor.reference(context);
        }
    }
}

/// What few futures have.
#[derive(Default)]
struct More {
    /// Done callbacks after the first.
    callbacks: Vec<Callback>,
    cancel_message: Value,
    /// The traceback of the exception when it was set.
    traceback: Value,
    /// A task's name, given by the script.
    name: Value,
    /// Which of the tasks that were made with a name it is: 1, 2, ...
    named: u32,
    /// A weak reference to the object of a derived class that holds this one.
    outer: Value,
    /// That object itself, while a task is pending.
    held: Value,
}

impl More {
    fn bytes(&self) -> usize {
        size_of::<More>() + self.callbacks.capacity() * size_of::<Callback>()
    }
}

/// What all futures have.
pub struct FutureCore {
    state: Cell<State>,
    /// The coroutine that awaits it has just handed it to its task, as an `await` does.
    pub(super) is_awaited: Cell<bool>,
    /// The exception has not been looked at.
    unseen: Cell<bool>,
    /// A timer will complete it.
    timed: Cell<bool>,
    /// A task that nobody else knows is not reported when it is destroyed while pending.
    pub(super) is_internal: Cell<bool>,
    /// An object of a derived class holds it: that is what scripts get to see.
    has_outer: Cell<bool>,
    first: Cell<Reaction>,
    /// Of tasks: the next step throws a `CancelledError` in.
    pub(super) must_cancel: Cell<bool>,
    /// Of tasks: `cancel()` calls that no `uncancel()` has answered.
    pub(super) cancel_requests: Cell<u32>,
    first_number: Cell<u32>,
    pub event_loop: Ref<EventLoop>,
    /// While the future is pending, the target of its first done callback, or `Undef`; then its outcome.
    content: Shared<Value>,
    more: Shared<Option<Box<More>>>,
}

impl FutureCore {
    /// A pending future of a loop.
    pub fn new(event_loop: Ref<EventLoop>) -> FutureCore {
        FutureCore {
            state: Cell::new(State::Pending),
            is_awaited: Cell::new(false),
            unseen: Cell::new(false),
            timed: Cell::new(false),
            is_internal: Cell::new(false),
            has_outer: Cell::new(false),
            first: Cell::new(Reaction::Wake),
            must_cancel: Cell::new(false),
            cancel_requests: Cell::new(0),
            first_number: Cell::new(0),
            event_loop,
            content: Shared::new(Value::Undef),
            more: Shared::new(None),
        }
    }

    #[inline]
    pub fn state(&self) -> State {
        self.state.get()
    }

    #[inline]
    pub fn is_done(&self) -> bool {
        self.state.get() != State::Pending
    }

    #[inline]
    pub fn is_cancelled(&self) -> bool {
        self.state.get() == State::Cancelled
    }

    /// The future is handed to a task by an `await`.
    pub fn await_it(&self) {
        self.is_awaited.set(true);
    }

    /// A timer will complete the future: its loop is told if it is cancelled before.
    pub fn set_timed(&self) {
        self.timed.set(true);
    }

    /// Only the library knows the task: it is not reported when it is destroyed while pending.
    pub fn set_internal(&self) {
        self.is_internal.set(true);
    }

    /// Whether it is reported when it is destroyed while pending.
    pub fn report_destruction(&self, reported: bool) {
        self.is_internal.set(!reported);
    }

    /// Whether it has just been handed over by an `await`, and to say so.
    pub fn is_handed_over(&self) -> bool {
        self.is_awaited.get()
    }

    pub fn hand_over(&self, yes: bool) {
        self.is_awaited.set(yes);
    }

    /// Whether only the library knows it.
    pub fn is_internal(&self) -> bool {
        self.is_internal.get()
    }

    /// Whether an exception waits to be looked at.
    pub fn has_unseen_exception(&self) -> bool {
        self.unseen.get()
    }

    /// Reports the references.
    pub fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.reference(&self.event_loop);
        self.content.with(|content| visitor.value(content));
        self.more.with(|more| {
            let Some(more) = more else { return };
            for callback in &more.callbacks {
                visitor.object(&callback.target);
            }
            visitor.value(&more.cancel_message);
            visitor.value(&more.traceback);
            visitor.value(&more.name);
            visitor.value(&more.outer);
            visitor.value(&more.held);
        });
    }

    /// Takes the references out.
    pub fn clear(&self) {
        drop(self.content.take());
        drop(self.more.take());
    }

    /// Bytes outside the cell.
    pub fn buffers(&self) -> usize {
        self.more.with(|more| more.as_ref().map_or(0, |more| more.bytes()))
    }

    fn with_more<T>(&self, change: impl FnOnce(&mut More) -> T) -> T {
        let before = self.buffers();
        let result = self.more.with_mut(|more| change(more.get_or_insert_default()));
        let heap = self.event_loop.heap();
        heap.charge(self.buffers());
        heap.discharge(before);
        result
    }

    /// The object of a derived class that holds the future, while it lives.
    #[cold]
    fn outer(&self) -> Option<Value> {
        let reference = self.more.with(|more| more.as_ref().map(|more| more.outer.clone()))?;
        reference.downcast::<WeakRef>()?.target().map(Value::Obj)
    }

    /// Lets go of what a pending task holds.
    pub(super) fn release_outer(&self) {
        if self.has_outer.get() {
            drop(self.with_more(|more| std::mem::take(&mut more.held)));
        }
    }

    /// The message of the latest cancellation: `None` or `Undef` if it had none.
    pub fn cancel_message(&self) -> Value {
        self.more.with(|more| more.as_ref().map_or(Value::None, |more| more.cancel_message.clone()))
    }

    /// A task's name, if the script gave one.
    pub(super) fn name(&self) -> Option<Value> {
        self.more.with(|more| more.as_ref().map(|more| more.name.clone())).filter(|name| !name.is_undef())
    }

    /// Names a task.
    pub(super) fn set_name(&self, name: Value) {
        drop(self.with_more(|more| std::mem::replace(&mut more.name, name)));
    }

    /// Which of the tasks made with a name it is; 0 for others.
    pub(super) fn named(&self) -> u32 {
        self.more.with(|more| more.as_ref().map_or(0, |more| more.named))
    }

    /// Notes that it is the n-th task made with a name.
    pub(super) fn set_named(&self, nth: u32) {
        self.with_more(|more| more.named = nth);
    }

    /// Notes the message of a cancellation.
    pub fn set_cancel_message(&self, message: &Value) {
        let known = self.more.with(|more| more.is_some());
        if known || !(message.is_none() || message.is_undef()) {
            let message = message.clone();
            drop(self.with_more(|more| std::mem::replace(&mut more.cancel_message, message)));
        }
    }

    /// Done callbacks in order.
    pub fn callbacks(&self) -> Vec<Callback> {
        let first = self.first_callback();
        let rest = self.more.with(|more| more.as_ref().map_or_else(Vec::new, |more| more.callbacks.clone()));
        first.into_iter().chain(rest).collect()
    }

    fn first_callback(&self) -> Option<Callback> {
        match self.content.get() {
            Value::Obj(target) if !self.is_done() => Some(self.first_with(target)),
            _ => None,
        }
    }

    fn first_with(&self, target: ObjRef) -> Callback {
        Callback { reaction: self.first.get(), number: self.first_number.get(), target }
    }

    /// Adds a callback to a pending future.
    fn push_callback(&self, callback: Callback) {
        if self.content.with(Value::is_undef) {
            self.first.set(callback.reaction);
            self.first_number.set(callback.number);
            self.content.set(Value::Obj(callback.target));
        } else {
            self.with_more(|more| more.callbacks.push(callback));
        }
    }

    /// Removes the callbacks that `matches` picks; how many there were.
    fn remove_callbacks(&self, mut matches: impl FnMut(&Callback) -> R<bool>) -> R<usize> {
        let callbacks = self.callbacks();
        let mut kept = Vec::with_capacity(callbacks.len());
        let before = callbacks.len();
        for callback in callbacks {
            if !matches(&callback)? {
                kept.push(callback);
            }
        }
        let removed = before - kept.len();
        if removed > 0 {
            drop(self.content.take());
            let old = self.with_more(|more| std::mem::take(&mut more.callbacks));
            drop(old);
            for callback in kept {
                self.push_callback(callback);
            }
        }
        Ok(removed)
    }
}

/// The payload of a plain future.
pub struct Future {
    pub core: FutureCore,
}

impl Payload for Future {
    native_kind!();
    const CONTAINER: bool = true;
    const BUFFERS: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        self.core.trace(visitor);
    }

    fn clear(&self) {
        self.core.clear();
    }

    fn buffers(&self) -> usize {
        self.core.buffers()
    }
}

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
            return super::task::cancel(vm, task, message);
        }
        if let Some(gathering) = self.as_gathering() {
            return super::gather::cancel(vm, gathering, message);
        }
        self.cancel_itself(vm, message)
    }

    /// Makes the future cancelled.
    pub(super) fn cancel_itself(&self, vm: &Vm, message: &Value) -> R<bool> {
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
    pub(super) fn cancelled_by(&self, vm: &Vm, exception: Value) -> R<()> {
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
pub(super) fn await_hook(vm: &Vm, value: &Value) -> R<Option<Value>> {
    let Some(future) = AnyFuture::of(value) else { return Ok(None) };
    if future.core().is_done() {
        return future.result(vm).map(Some);
    }
    future.core().is_awaited.set(true);
    Ok(None)
}

/// Runs a done callback of `future`.
pub(super) fn run(vm: &Vm, reaction: Reaction, number: u32, target: &ObjRef, future: &AnyFuture) -> R<()> {
    match reaction {
        Reaction::Wake => match target.downcast::<Task>() {
            Some(task) => super::task::wake(vm, task, future),
            None => Ok(()),
        },
        Reaction::Call => match target.downcast::<DoneCallback>() {
            Some(done) => super::handle::call_in_context(vm, &done.function, &[future.value()], &done.context, None),
            None => Ok(()),
        },
        Reaction::StopLoop => {
            super::event_loop::stop_when_done(vm, future);
            Ok(())
        }
        Reaction::Gather => match target.downcast::<Gathering>() {
            Some(gathering) => super::gather::child_done(vm, gathering, future),
            None => Ok(()),
        },
        Reaction::Wait => super::waiting::one_done(vm, target, future),
        Reaction::Completed => super::waiting::completed(vm, target, number, future),
        Reaction::Shielded => super::shield::inner_done(vm, target, future),
        Reaction::Unshield => {
            super::shield::outer_done(target, future);
            Ok(())
        }
        Reaction::Group => super::task_group::task_done(vm, target, number, future),
        Reaction::Outside => {
            if let Some(event_loop) = target.downcast::<EventLoop>() {
                super::outside::over(vm, event_loop, number, future);
            }
            Ok(())
        }
        Reaction::ToThread => super::thread_future::copy_to_thread(vm, target, future),
        Reaction::CancelThread => super::thread_future::cancelled_in_loop(vm, target, future),
    }
}
