//! Suspended programs as data: frames, and the generators, coroutines and async generators that own them.
//!
//! A frame is its slots, a cursor (the path of positions from the body down to the suspension point) and its code. A coroutine that
//! a task runs owns a stack of frames, outermost first: `await f()` puts the frame of `f` on top, and resuming touches only the
//! top. Native code that waits is a frame too: a Rust enum of states behind `NativeFrame`, enumerable like everything else.
//! How frames suspend and resume is in `suspend.rs`.

use std::cell::Cell;

use smallvec::SmallVec;

use super::Vm;
use super::code::Code;
use crate::syntax::Span;
use crate::value::{Heap, Kind, Payload, R, Ref, Shared, Str, Value, Visitor};

/// The positions of the active blocks of a suspended frame, a stack: leaving the innermost block pushes first, and going back takes the
/// outermost first.
///
/// Most frames wait a few blocks deep, at small positions: seven of them fit where a pointer to more would stand, below a mark that
/// shows how many there are.
pub enum Cursor {
    Short(u64),
    #[allow(clippy::box_collection, reason = "the box keeps a frame small")]
    Long(Box<Vec<u16>>),
}

/// The mark alone: no position.
const NOWHERE: u64 = 1;
/// Positions below this take 8 bits, others 16.
const SMALL: u16 = 0x80;
/// The largest position that is packed.
const MAX_PACKED: u16 = 0x7fff;

impl Default for Cursor {
    #[inline(always)]
    fn default() -> Cursor {
        Cursor::Short(NOWHERE)
    }
}

impl Cursor {
    /// That of a frame that has not begun.
    pub const UNSTARTED: Cursor = Cursor::Short(0);

    /// Whether the frame has not begun.
    #[inline(always)]
    pub fn is_unstarted(&self) -> bool {
        matches!(self, Cursor::Short(0))
    }

    /// Adds the position of a block around those that are there.
    #[inline(always)]
    pub fn push(&mut self, position: u16) {
        match self {
            Cursor::Short(bits) if position < SMALL && *bits >> 56 == 0 => *bits = (*bits << 8) | u64::from(position),
            _ => self.push_otherwise(position),
        }
    }

    #[cold]
    #[inline(never)]
    fn push_otherwise(&mut self, position: u16) {
        match self {
            Cursor::Short(bits) if (SMALL..=MAX_PACKED).contains(&position) && *bits >> 48 == 0 => {
                *bits = (*bits << 16) | (u64::from(position / SMALL) << 8) | u64::from(position % SMALL + SMALL);
            }
            Cursor::Short(_) => {
                let mut positions: Vec<u16> = std::iter::from_fn(|| self.pop()).collect();
                positions.reverse();
                positions.push(position);
                *self = Cursor::Long(Box::new(positions));
            }
            Cursor::Long(positions) => positions.push(position),
        }
    }

    /// Takes the outermost position.
    #[inline(always)]
    pub fn pop(&mut self) -> Option<u16> {
        match self {
            Cursor::Short(0 | NOWHERE) => None,
            Cursor::Short(bits) if *bits as u16 & SMALL == 0 => {
                let position = *bits as u16 & (SMALL - 1);
                *bits >>= 8;
                Some(position)
            }
            Cursor::Short(bits) => {
                let position = u16::from((*bits >> 8) as u8) * SMALL + (*bits as u16 & (SMALL - 1));
                *bits >>= 16;
                Some(position)
            }
            Cursor::Long(positions) => positions.pop(),
        }
    }

    /// The positions, outermost first.
    pub fn path(&self) -> impl Iterator<Item = u16> + use<> {
        let mut copy = match self {
            Cursor::Short(bits) => Cursor::Short(*bits),
            Cursor::Long(positions) => Cursor::Long(positions.clone()),
        };
        std::iter::from_fn(move || copy.pop())
    }
}

/// The frames of a coroutine, outermost first. One frame, the usual number, needs no memory of its own.
pub type Stack = SmallVec<[Activation; 1]>;

/// A frame of script code that is not on the native stack.
pub struct Frame {
    pub code: Ref<Code>,
    pub slots: Box<[Value]>,
    pub cursor: Cursor,
    /// The object this frame came from, if a script can see it: told when the frame ends.
    pub owner: Owner,
}

impl Frame {
    /// Where it is suspended, for messages.
    pub fn place(&self) -> Option<Span> {
        if self.cursor.is_unstarted() {
            return None;
        }
        self.code.body.place(&mut self.cursor.path())
    }

    /// The line of that place, or of the definition of a frame that was not started.
    pub fn line(&self) -> u32 {
        match self.place() {
            Some(span) => self.code.info.source.line_number(span.start),
            None => self.code.info.first_line,
        }
    }
}

/// The object that a frame on somebody's stack came from.
pub enum Owner {
    None,
    Coroutine(Ref<Coroutine>),
    /// The frame returns to the async generator when it yields an item.
    AsyncGenerator(Ref<AsyncGenerator>),
}

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
    fn name(&self) -> &'static str;

    /// Goes on. `sent` is what the awaited thing gave: a value (`None` the first time), or `Err` with the exception in the `Vm`
    /// (thrown in, for example a cancellation). An error returned ends the frame.
    fn resume(&mut self, vm: &Vm, sent: R) -> R<Step>;

    /// Reports every value held.
    fn trace(&self, visitor: &mut Visitor<'_>);
}

/// A frame of either kind.
pub enum Activation {
    Script(Frame),
    Native {
        frame: Box<dyn NativeFrame>,
        /// What it awaits, as `Begun::Pending` gave it.
        awaiting: Value,
    },
}

impl Activation {
    /// Reports every value held.
    pub fn trace(&self, visitor: &mut Visitor<'_>) {
        match self {
            Activation::Script(frame) => {
                visitor.reference(&frame.code);
                visitor.values(&frame.slots);
                match &frame.owner {
                    Owner::None => {}
                    Owner::Coroutine(owner) => visitor.reference(owner),
                    Owner::AsyncGenerator(owner) => visitor.reference(owner),
                }
            }
            Activation::Native { frame, awaiting } => {
                frame.trace(visitor);
                visitor.value(awaiting);
            }
        }
    }
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
    /// The frames, outermost first. Empty while running, joined or closed.
    pub stack: Shared<Stack>,
    /// Name and qualified name.
    pub name: Shared<Ref<Str>>,
    pub qualname: Shared<Ref<Str>>,
}

impl Resumable {
    fn trace(&self, visitor: &mut Visitor<'_>) {
        self.stack.with(|stack| {
            for frame in stack {
                frame.trace(visitor);
            }
        });
        self.name.with(|name| visitor.reference(name));
        self.qualname.with(|name| visitor.reference(name));
    }

    fn clear(&self) {
        self.state.set(State::Closed);
        drop(self.stack.take());
    }

    fn buffers(&self) -> usize {
        self.stack.with(bytes_of)
    }

    /// How many frames there are.
    #[inline(always)]
    pub(super) fn height(&self) -> u32 {
        self.stack.with(|stack| stack.len() as u32)
    }

    /// Takes what running it needs out of the topmost frame: its code, slots and cursor. `put_back` undoes that.
    #[inline(always)]
    pub(super) fn take_top(&self) -> Option<(Ref<Code>, Box<[Value]>, Cursor)> {
        self.stack.with_mut(|stack| match stack.last_mut()? {
            Activation::Script(frame) => {
                Some((frame.code.clone(), std::mem::take(&mut frame.slots), std::mem::take(&mut frame.cursor)))
            }
            Activation::Native { .. } => None,
        })
    }

    /// Puts slots and cursor of the topmost frame back.
    #[inline(always)]
    pub(super) fn put_back(&self, slots: Box<[Value]>, cursor: Cursor) {
        self.stack.with_mut(|stack| {
            if let Some(Activation::Script(frame)) = stack.last_mut() {
                // What was left in their place owns nothing.
                std::mem::forget(std::mem::replace(&mut frame.slots, slots));
                std::mem::forget(std::mem::replace(&mut frame.cursor, cursor));
            }
        });
    }

    /// Forgets the topmost frame.
    pub(super) fn drop_top(&self) {
        drop(self.stack.with_mut(Stack::pop));
    }

    /// Forgets all frames, of a stack whose bytes are charged to the heap.
    pub(super) fn drop_frames(&self, heap: &Heap) {
        let stack = self.stack.take();
        if stack.spilled() {
            heap.discharge(bytes_of(&stack));
        }
    }
}

/// Bytes that a stack has taken for more frames than one.
pub(super) fn bytes_of(stack: &Stack) -> usize {
    if stack.spilled() { stack.capacity() * size_of::<Activation>() } else { 0 }
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
