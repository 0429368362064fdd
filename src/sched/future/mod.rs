//! Futures: a result that comes later, and who is to be told. Tasks and gatherings are futures too: each of the three payloads has
//! a `FutureCore`, which is here with what it stores; what can be done with a future, whichever of the three it is, is in `any.rs`
//! (`AnyFuture`), and what is done when it is over in `callbacks.rs`. The rest of `sched` and `stdlib/asyncio` use all of it.

mod any;
mod callbacks;

use std::cell::Cell;

pub use any::AnyFuture;
pub(super) use any::await_hook;
pub(super) use callbacks::run;
pub use callbacks::{Callback, DoneCallback, Reaction};

use super::event_loop::EventLoop;
use crate::native_kind;
use crate::value::weak::WeakRef;
use crate::value::{ObjRef, Payload, R, Ref, Shared, Value, Visitor};

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
