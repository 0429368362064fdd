//! The slots of a frame that is not on the native stack: values without a header, on pages of their own.
//!
//! A reference to them is one word, since a page knows how large its cells are. Made and owned by the frames of generators and
//! coroutines (`vm/coroutine.rs`); the cycle collector reaches them through those.

use std::ops::{Deref, DerefMut};
use std::ptr::{self, NonNull};

use super::Value;
use super::heap::{Heap, MAX_CELL, PageHeader, STEP};

const _: () = assert!(size_of::<Value>() == STEP, "a cell of n steps holds n values");

/// A fixed number of values on the heap.
pub struct Slots {
    /// The first of the values, which are initialised; dangling if there are none.
    first: NonNull<Value>,
}

impl Slots {
    /// `count` slots with `Undef` in them.
    #[inline]
    pub fn new(heap: &Heap, count: usize) -> Slots {
        Slots::build(heap, count, |_| Value::Undef)
    }

    /// Slots with the values of `source`, which are taken out.
    #[inline]
    pub fn taken_from(heap: &Heap, source: &mut [Value]) -> Slots {
        Slots::build(heap, source.len(), |index| std::mem::take(&mut source[index]))
    }

    #[inline(always)]
    fn build(heap: &Heap, count: usize, mut value: impl FnMut(usize) -> Value) -> Slots {
        if count == 0 {
            return Slots::default();
        }
        let size = count * STEP;
        let first = if size <= MAX_CELL { heap.take_slots(size) } else { heap.take_block(size) }.cast::<Value>();
        for index in 0..count {
            // SAFETY: the memory is ours and large enough; `value` neither panics nor sees it.
            unsafe { first.add(index).write(value(index)) };
        }
        Slots { first }
    }

    #[inline(always)]
    fn is_dangling(&self) -> bool {
        self.first == NonNull::dangling()
    }

    /// How many there are.
    #[inline(always)]
    fn count(&self) -> usize {
        if self.is_dangling() {
            return 0;
        }
        // SAFETY: the values lie on a page, whose header tells the size of its cells: the size they were made with.
        unsafe { (*PageHeader::of(self.first.as_ptr().cast())).cell as usize / STEP }
    }
}

impl Default for Slots {
    fn default() -> Slots {
        Slots { first: NonNull::dangling() }
    }
}

impl Deref for Slots {
    type Target = [Value];

    #[inline(always)]
    fn deref(&self) -> &[Value] {
        // SAFETY: all are initialised when they are made, and `self` owns them.
        unsafe { std::slice::from_raw_parts(self.first.as_ptr(), self.count()) }
    }
}

impl DerefMut for Slots {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [Value] {
        // SAFETY: as in `deref`; the reference is exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.first.as_ptr(), self.count()) }
    }
}

impl Drop for Slots {
    #[inline]
    fn drop(&mut self) {
        let count = self.count();
        if count == 0 {
            return;
        }
        let heap = Heap::of(self.first.as_ptr().cast());
        let size = count * STEP;
        // SAFETY: the values are dropped once, and their memory goes back to the heap it came from, which outlives its frames.
        unsafe {
            ptr::drop_in_place(ptr::slice_from_raw_parts_mut(self.first.as_ptr(), count));
            if size <= MAX_CELL {
                heap.give_back_slots(self.first.cast(), size);
            } else {
                heap.give_back_block(self.first.cast(), size);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_of_all_sizes_are_counted_and_given_back() {
        let heap = Heap::new();
        let before = heap.bytes();
        for count in [0, 1, 2, 31, 32, 33, 5_000] {
            let list: Value = heap.list(vec![]).into();
            let mut source = vec![list.clone(); count];
            let slots = Slots::taken_from(&heap, &mut source);
            assert_eq!(slots.len(), count);
            assert!(source.iter().all(Value::is_undef));
            assert!(slots.iter().all(|value| !value.is_undef()));
            assert!(heap.bytes() >= before + count * STEP);
            drop((slots, list));
            assert_eq!(heap.bytes(), before);
        }
        assert_eq!(Slots::new(&heap, 3).iter().filter(|value| value.is_undef()).count(), 3);
    }
}
