//! Frames that are not on the native stack, and the stacks of them that coroutines own.
//!
//! A frame is its code, its slots and a cursor (the path of positions from the body down to the suspension point). Made in
//! `resume.rs` (generators and coroutines) and `suspend.rs` (calls that were running eagerly when they had to wait).

use super::code::Code;
use super::coroutine::NativeFrame;
use crate::syntax::Span;
use crate::value::{ObjRef, Ref, Slots, Value, Visitor};

/// A frame of script code.
pub struct Frame {
    pub code: Ref<Code>,
    pub slots: Slots,
    pub cursor: Cursor,
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

/// What stands on a stack of frames.
pub enum Activation {
    Script(Frame),
    Native {
        frame: Box<dyn NativeFrame>,
        /// What it awaits, as `Begun::Pending` gave it.
        awaiting: Option<ObjRef>,
    },
    /// The frames above came from this coroutine or async generator, which is told when they end. An item that an async generator
    /// yields goes to the frame below, and its frame back to it.
    Joined(ObjRef),
}

/// What `Begun::Pending` gave, as a frame keeps it: nothing for `Undef`.
pub(super) fn as_awaiting(value: Value) -> Option<ObjRef> {
    match value {
        Value::Obj(object) => Some(object),
        _ => None,
    }
}

impl Activation {
    /// A native frame that awaits what `Begun::Pending` gave.
    pub(super) fn native(frame: Box<dyn NativeFrame>, awaiting: Value) -> Activation {
        Activation::Native { frame, awaiting: as_awaiting(awaiting) }
    }

    /// Reports every value held.
    fn trace(&self, visitor: &mut Visitor<'_>) {
        match self {
            Activation::Script(frame) => {
                visitor.reference(&frame.code);
                visitor.values(frame.slots.iter());
            }
            Activation::Native { frame, awaiting } => {
                frame.trace(visitor);
                if let Some(awaiting) = awaiting {
                    visitor.object(awaiting);
                }
            }
            Activation::Joined(owner) => visitor.object(owner),
        }
    }
}

/// Frames, outermost first. One, the usual number, needs no memory of its own.
#[derive(Default)]
pub enum Stack {
    #[default]
    Empty,
    One(Activation),
    Many(Vec<Activation>),
}

impl Stack {
    /// Puts a frame on top.
    #[inline]
    pub fn push(&mut self, frame: Activation) {
        match self {
            Stack::Empty => *self = Stack::One(frame),
            Stack::One(_) => {
                if let Stack::One(first) = std::mem::take(self) {
                    *self = Stack::Many(vec![first, frame]);
                }
            }
            Stack::Many(frames) => frames.push(frame),
        }
    }

    /// Puts frames on top, given innermost first.
    pub fn extend(&mut self, innermost_first: &mut Vec<Activation>) {
        if let Stack::Many(frames) = self {
            frames.reserve_exact(innermost_first.len());
        } else if let (Stack::One(_), 1..) | (Stack::Empty, 2..) = (&*self, innermost_first.len()) {
            let mut frames = Vec::with_capacity(1 + innermost_first.len());
            frames.extend(self.pop());
            *self = Stack::Many(frames);
        }
        for frame in innermost_first.drain(..).rev() {
            self.push(frame);
        }
    }

    /// Takes the top off.
    #[inline]
    pub fn pop(&mut self) -> Option<Activation> {
        match self {
            Stack::Empty => None,
            Stack::Many(frames) => frames.pop(),
            Stack::One(_) => match std::mem::take(self) {
                Stack::One(frame) => Some(frame),
                _ => None,
            },
        }
    }

    /// Moves all frames to `innermost_first`.
    pub fn unstack(&mut self, innermost_first: &mut Vec<Activation>) {
        while let Some(frame) = self.pop() {
            innermost_first.push(frame);
        }
    }

    /// The topmost frame.
    #[inline(always)]
    pub fn last_mut(&mut self) -> Option<&mut Activation> {
        match self {
            Stack::Empty => None,
            Stack::One(frame) => Some(frame),
            Stack::Many(frames) => frames.last_mut(),
        }
    }

    /// How many frames there are.
    #[inline(always)]
    pub fn height(&self) -> usize {
        match self {
            Stack::Empty => 0,
            Stack::One(_) => 1,
            Stack::Many(frames) => frames.len(),
        }
    }

    /// The frames.
    pub fn frames(&self) -> &[Activation] {
        match self {
            Stack::Empty => &[],
            Stack::One(frame) => std::slice::from_ref(frame),
            Stack::Many(frames) => frames,
        }
    }

    /// Reports every value held.
    pub(super) fn trace(&self, visitor: &mut Visitor<'_>) {
        for frame in self.frames() {
            frame.trace(visitor);
        }
    }

    /// Bytes it takes beside itself.
    #[inline]
    pub(super) fn buffers(&self) -> usize {
        match self {
            Stack::Many(frames) => frames.capacity() * size_of::<Activation>(),
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A coroutine's cell has the header, its stack, and two words beside.
    #[test]
    fn frames_are_small() {
        assert_eq!(size_of::<Frame>(), 32);
        assert_eq!(size_of::<Activation>(), 32);
        assert_eq!(size_of::<Stack>(), 32);
    }
}
