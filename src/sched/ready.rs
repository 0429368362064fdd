//! The queue of what is ready to run, in blocks: when a hundred thousand tasks are ready at once, none is moved to make room for
//! more, and the memory goes back as they run. Used by `event_loop.rs`.

use std::collections::VecDeque;

use super::handle::Handle;

/// Handles in a block.
const BLOCK: usize = 128;

/// Handles, first in first out.
#[derive(Default)]
pub struct Ready {
    /// Where handles are taken from.
    front: VecDeque<Handle>,
    /// Full blocks between the two.
    middle: VecDeque<VecDeque<Handle>>,
    /// Where handles are added.
    back: VecDeque<Handle>,
}

impl Ready {
    /// Puts a handle at the end.
    #[inline]
    pub fn push(&mut self, handle: Handle) {
        if self.back.len() == self.back.capacity() {
            self.make_room();
        }
        self.back.push_back(handle);
    }

    #[cold]
    #[inline(never)]
    fn make_room(&mut self) {
        let full = std::mem::replace(&mut self.back, VecDeque::with_capacity(BLOCK));
        if !full.is_empty() {
            self.middle.push_back(full);
        }
    }

    /// Takes the first handle out.
    #[inline]
    pub fn pop(&mut self) -> Option<Handle> {
        if self.front.is_empty() {
            self.turn_over();
        }
        self.front.pop_front()
    }

    /// The front is empty: the next block takes its place.
    #[inline(never)]
    fn turn_over(&mut self) {
        match self.middle.pop_front() {
            Some(block) => self.front = block,
            None => std::mem::swap(&mut self.front, &mut self.back),
        }
    }

    /// How many there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.front.len() + self.middle.len() * BLOCK + self.back.len()
    }

    /// Whether there is none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The handles.
    pub fn iter(&self) -> impl Iterator<Item = &Handle> {
        self.front.iter().chain(self.middle.iter().flatten()).chain(&self.back)
    }

    /// Bytes used.
    pub fn buffers(&self) -> usize {
        (self.front.capacity() + self.middle.len() * BLOCK + self.back.capacity()) * size_of::<Handle>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Value;

    #[test]
    fn handles_come_out_in_the_order_in_which_they_went_in() {
        let mut ready = Ready::default();
        let (mut added, mut taken) = (0, 0);
        let mut take = |ready: &mut Ready| {
            let Some(Handle::Close(Value::Int(number))) = ready.pop() else { panic!("a handle is missing") };
            assert_eq!(number, taken);
            taken += 1;
        };
        for (adding, taking) in [(1, 1), (3 * BLOCK, BLOCK), (5, 2 * BLOCK), (BLOCK, 0), (0, BLOCK + 5), (1, 1)] {
            for _ in 0..adding {
                ready.push(Handle::Close(Value::Int(added)));
                added += 1;
            }
            for _ in 0..taking {
                take(&mut ready);
            }
            assert_eq!(ready.len(), ready.iter().count());
        }
        assert!(ready.is_empty() && ready.pop().is_none());
    }
}
