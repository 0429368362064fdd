//! Suspended programs as data: the generators, coroutines and async generators that own frames.
//!
//! A coroutine that a task runs owns a stack of frames (`frame.rs`), outermost first: `await f()` puts the frame of `f` on top, and
//! resuming touches only the top. Native code that waits is a frame too: a Rust enum of states behind `NativeFrame`, enumerable
//! like everything else. How frames suspend and resume is in `suspend.rs`.

use std::cell::Cell;

use super::Vm;
use super::code::Code;
use super::frame::{Activation, Cursor, Stack};
use crate::value::{Heap, Kind, ObjRef, Payload, R, Ref, Shared, Slots, Str, Tuple, Value, Visitor};

/// What a native frame wants next.
pub enum Step {
    /// It is done: the value of the `await`.
    Done(Value),
    /// Await this (a coroutine, a future, any awaitable), then resume with what it gave.
    Await(Value),
    /// As `Await`, and what it gives is this frame's own value: whoever can wait for it directly may forget the frame.
    Tail(Value),
    /// Give this to whoever drives the coroutine, as a bare `yield` would; resumed with what is sent.
    Yield(Value),
    /// As `Yield`, and what is sent is this frame's own value: the frame may be forgotten.
    TailYield(Value),
}

/// Native code that can wait: states in a Rust enum, never a closure or a Rust future.
pub trait NativeFrame: 'static {
    /// The name of the coroutine function, for messages.
    fn name(&self) -> &str;

    /// Goes on. `sent` is what the awaited thing gave: a value (`None` the first time), or `Err` with the exception in the `Vm`
    /// (thrown in, for example a cancellation). An error returned ends the frame.
    fn resume(&mut self, vm: &Vm, sent: R) -> R<Step>;

    /// Reports every value held.
    fn trace(&self, visitor: &mut Visitor<'_>);
}

/// Where a generator or coroutine stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// Not started.
    Created,
    Suspended,
    Running,
    /// Awaited by another coroutine, whose stack its frames have joined.
    Joined,
    Closed,
}

/// What generators, coroutines and async generators have in common.
pub struct Resumable {
    pub state: Cell<State>,
    /// The frames. Empty while running, joined or closed.
    stack: Shared<Stack>,
    /// Where its names come from: its code, a text that is both, or a tuple of the name and the qualified name.
    origin: Shared<ObjRef>,
}

impl Resumable {
    /// A new one with its only frame.
    pub(super) fn new(stack: Stack, origin: ObjRef) -> Resumable {
        Resumable { state: Cell::new(State::Created), stack: Shared::new(stack), origin: Shared::new(origin) }
    }

    /// Looks at the frames.
    pub fn with_stack<T>(&self, look: impl FnOnce(&Stack) -> T) -> T {
        self.stack.with(look)
    }

    /// Takes the frames out.
    #[inline]
    pub(super) fn take_stack(&self, heap: &Heap) -> Stack {
        let stack = self.stack.take();
        if stack.buffers() > 0 {
            heap.discharge(stack.buffers());
        }
        stack
    }

    /// Puts the frames back.
    #[inline]
    pub(super) fn put_stack(&self, heap: &Heap, stack: Stack) {
        if stack.buffers() > 0 {
            heap.charge(stack.buffers());
        }
        self.stack.set(stack);
    }

    /// `__name__`.
    pub fn name(&self) -> Ref<Str> {
        self.names().0
    }

    /// `__qualname__`.
    pub fn qualname(&self) -> Ref<Str> {
        self.names().1
    }

    /// Sets `__name__`.
    pub fn set_name(&self, heap: &Heap, name: &Ref<Str>) {
        self.origin.set(named(heap, name, &self.qualname()));
    }

    /// Sets `__qualname__`.
    pub fn set_qualname(&self, heap: &Heap, qualname: &Ref<Str>) {
        self.origin.set(named(heap, &self.name(), qualname));
    }

    fn names(&self) -> (Ref<Str>, Ref<Str>) {
        let origin = self.origin.get();
        if let Some(code) = origin.downcast::<Code>() {
            return (code.name.clone(), code.qualname.clone());
        }
        let text = |value: &Value| value.downcast::<Str>().cloned();
        let pair = origin.downcast::<Tuple>().and_then(|pair| Some((text(pair.items().first()?)?, text(pair.items().get(1)?)?)));
        let both = || origin.downcast::<Str>().map(|both| (both.clone(), both.clone()));
        pair.or_else(both).expect("names come from a code, a pair or a text")
    }

    /// The code of the function it came from, as far as that is still known.
    pub fn code(&self) -> Option<Ref<Code>> {
        self.origin.get().downcast::<Code>().cloned()
    }

    /// How many frames there are.
    #[inline(always)]
    pub(super) fn height(&self) -> u32 {
        self.stack.with(|stack| stack.height() as u32)
    }

    /// Takes what running it needs out of the topmost frame: its code, slots and cursor. `put_back` undoes that.
    #[inline(always)]
    pub(super) fn take_top(&self) -> Option<(Ref<Code>, Slots, Cursor)> {
        self.stack.with_mut(|stack| match stack.last_mut()? {
            Activation::Script(frame) => {
                Some((frame.code.clone(), std::mem::take(&mut frame.slots), std::mem::take(&mut frame.cursor)))
            }
            _ => None,
        })
    }

    /// Puts slots and cursor of the topmost frame back.
    #[inline(always)]
    pub(super) fn put_back(&self, slots: Slots, cursor: Cursor) {
        self.stack.with_mut(|stack| {
            if let Some(Activation::Script(frame)) = stack.last_mut() {
                // What was left in their place owns nothing.
                std::mem::forget(std::mem::replace(&mut frame.slots, slots));
                std::mem::forget(std::mem::replace(&mut frame.cursor, cursor));
            }
        });
    }

    /// Takes the topmost frame off.
    pub(super) fn pop(&self) -> Option<Activation> {
        self.stack.with_mut(Stack::pop)
    }

    /// Puts frames on top, given innermost first.
    pub(super) fn extend(&self, heap: &Heap, frames: &mut Vec<Activation>) {
        let mut stack = self.take_stack(heap);
        stack.extend(frames);
        self.put_stack(heap, stack);
    }

    fn trace(&self, visitor: &mut Visitor<'_>) {
        self.stack.with(|stack| stack.trace(visitor));
        self.origin.with(|origin| visitor.object(origin));
    }

    fn clear(&self) {
        self.state.set(State::Closed);
        drop(self.stack.take());
    }

    fn buffers(&self) -> usize {
        self.stack.with(Stack::buffers)
    }
}

/// The origin of a resumable with these names.
pub(super) fn named(heap: &Heap, name: &Ref<Str>, qualname: &Ref<Str>) -> ObjRef {
    heap.tuple(vec![Value::from(name), Value::from(qualname)]).into_obj()
}

macro_rules! resumable {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        pub struct $name {
            pub inner: Resumable,
            $($(#[$field_doc])* pub $field: $type,)*
        }

        impl Payload for $name {
            const KIND: Kind = Kind::$name;
            const CONTAINER: bool = true;
            const BUFFERS: bool = true;

            fn trace(&self, visitor: &mut Visitor<'_>) {
                self.inner.trace(visitor);
            }

            fn clear(&self) {
                self.inner.clear();
            }

            fn buffers(&self) -> usize {
                self.inner.buffers()
            }
        }
    };
}

resumable! {
    /// The payload of a generator object.
    Generator {}
}
resumable! {
    /// The payload of a coroutine object.
    Coroutine {}
}
resumable! {
    /// The payload of an async generator object.
    AsyncGenerator {
        /// An `__anext__`, `asend`, `athrow` or `aclose` of it is under way.
        busy: Cell<bool>,
        /// The first iteration has told the event loop about it.
        hooked: Cell<bool>,
    }
}

/// What resuming a generator or coroutine gave.
pub enum Outcome {
    /// It ended with this value.
    Return(Value),
    /// It yields this: a generator's item, or what the bottom of an await chain hands to the task (a future to wait for, or
    /// `None` for a bare yield).
    Yield(Value),
}
