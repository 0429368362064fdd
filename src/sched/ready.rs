//! The queue of what is ready to run, in blocks: when a hundred thousand tasks are ready at once, none is moved to make room for
//! more, and the memory goes back as they run. Used by `event_loop.rs`.

use std::collections::VecDeque;

use super::handle::Handle;

/// Handles in a block.
const BLOCK: usize = 128;

/// Handles, first in first out.
#[derive(Default)]
pub struct Ready {
    /// All but the last are full when they are left for the next.
    blocks: VecDeque<VecDeque<Handle>>,
    /// An empty block to be used next.
    spare: Option<VecDeque<Handle>>,
    count: usize,
}

impl Ready {
    /// Puts a handle at the end.
    #[inline]
    pub fn push(&mut self, handle: Handle) {
        self.count += 1;
        match self.blocks.back_mut() {
            Some(block) if block.len() < BLOCK => block.push_back(handle),
            _ => self.push_to_new(handle),
        }
    }

    #[cold]
    fn push_to_new(&mut self, handle: Handle) {
        let mut block = self.spare.take().unwrap_or_else(|| VecDeque::with_capacity(BLOCK));
        block.push_back(handle);
        self.blocks.push_back(block);
    }

    /// Takes the first handle out.
    #[inline]
    pub fn pop(&mut self) -> Option<Handle> {
        let front = self.blocks.front_mut()?;
        let handle = front.pop_front()?;
        self.count -= 1;
        if front.is_empty() && self.blocks.len() > 1 {
            self.spare = self.blocks.pop_front();
        }
        Some(handle)
    }

    /// How many there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there is none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The handles.
    pub fn iter(&self) -> impl Iterator<Item = &Handle> {
        self.blocks.iter().flatten()
    }

    /// Bytes used.
    pub fn buffers(&self) -> usize {
        (self.blocks.len() + usize::from(self.spare.is_some())) * BLOCK * size_of::<Handle>()
    }
}
