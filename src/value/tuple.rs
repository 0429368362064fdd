//! Tuples: data only; the methods are in `builtins/tuple.rs`.
//!
//! The items of all but long tuples are in the cell, behind the payload: a tuple is one allocation.

use std::ptr::NonNull;

use super::object::{Kind, Payload, Ref, Visitor};
use super::{Heap, Value};

/// How many items are kept inside the cell.
const MAX_INLINE: usize = 16;

/// The payload of a tuple object. The items lie in the cell's tail, or, if there are more than `MAX_INLINE`, in a boxed slice.
pub struct Tuple {
    items: NonNull<Value>,
    len: usize,
}

impl Payload for Tuple {
    const KIND: Kind = Kind::Tuple;
    const CONTAINER: bool = true;
    const BUFFERS: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.values(self.items().iter());
    }

    #[inline]
    fn buffers(&self) -> usize {
        if self.len > MAX_INLINE { self.len * size_of::<Value>() } else { 0 }
    }
}

impl Drop for Tuple {
    #[inline]
    fn drop(&mut self) {
        let items = std::ptr::slice_from_raw_parts_mut(self.items.as_ptr(), self.len);
        // SAFETY: `len` items were put here by `Heap::tuple`, either into the tail, which goes with the cell, or as a box.
        unsafe {
            if self.len <= MAX_INLINE {
                std::ptr::drop_in_place(items);
            } else {
                drop(Box::from_raw(items));
            }
        }
    }
}

/// What the items of a tuple can be taken from.
pub trait TupleItems {
    fn count(&self) -> usize;

    /// Moves the items to `to`.
    ///
    /// # Safety
    /// There must be room for `count()` items at `to`.
    unsafe fn move_to(self, to: *mut Value);

    fn into_box(self) -> Box<[Value]>;
}

impl<const N: usize> TupleItems for [Value; N] {
    fn count(&self) -> usize {
        N
    }

    #[inline(always)]
    unsafe fn move_to(self, to: *mut Value) {
        // SAFETY: the caller's promise.
        unsafe { to.cast::<[Value; N]>().write(self) }
    }

    fn into_box(self) -> Box<[Value]> {
        self.into()
    }
}

impl TupleItems for Vec<Value> {
    fn count(&self) -> usize {
        self.len()
    }

    #[inline]
    unsafe fn move_to(mut self, to: *mut Value) {
        // SAFETY: the caller's promise; the vector forgets the items, which have moved.
        unsafe {
            std::ptr::copy_nonoverlapping(self.as_ptr(), to, self.len());
            self.set_len(0);
        }
    }

    fn into_box(self) -> Box<[Value]> {
        self.into()
    }
}

impl TupleItems for &[Value] {
    fn count(&self) -> usize {
        self.len()
    }

    #[inline]
    unsafe fn move_to(self, to: *mut Value) {
        for (index, item) in self.iter().enumerate() {
            // SAFETY: the caller's promise.
            unsafe { to.add(index).write(item.clone()) }
        }
    }

    fn into_box(self) -> Box<[Value]> {
        self.into()
    }
}

impl Heap {
    /// A tuple object of these items.
    #[inline]
    pub fn tuple(&self, items: impl TupleItems) -> Ref<Tuple> {
        let len = items.count();
        if len > MAX_INLINE {
            return self.long_tuple(items.into_box());
        }
        let mut made = self.alloc_with_tail(Tuple { items: NonNull::dangling(), len: 0 }, len * size_of::<Value>());
        let tail = made.tail().cast::<Value>();
        // SAFETY: the tail is aligned as the payload is, has room for the items, and nothing else refers to the object yet.
        unsafe {
            items.move_to(tail);
            *made.payload_mut() = Tuple { items: NonNull::new_unchecked(tail), len };
        }
        made
    }

    #[inline(never)]
    fn long_tuple(&self, items: Box<[Value]>) -> Ref<Tuple> {
        let len = items.len();
        self.charge(len * size_of::<Value>());
        let items = NonNull::new(Box::into_raw(items).cast::<Value>()).expect("a box's pointer");
        self.alloc(Tuple { items, len })
    }
}

impl Tuple {
    /// The items.
    #[inline(always)]
    pub fn items(&self) -> &[Value] {
        // SAFETY: there are `len` of them, and they never change.
        unsafe { std::slice::from_raw_parts(self.items.as_ptr(), self.len) }
    }

    #[inline(always)]
    pub fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}
