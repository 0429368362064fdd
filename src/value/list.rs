//! Lists: data only; the methods are in `builtins/list.rs`.

use super::cell::Shared;
use super::object::{Kind, Payload, Ref, Visitor, heap_of};
use super::{Heap, Value};

const ITEM: usize = size_of::<Value>();

/// The payload of a list object.
#[derive(Default)]
pub struct List {
    items: Shared<Vec<Value>>,
}

impl Payload for List {
    const KIND: Kind = Kind::List;
    const CONTAINER: bool = true;
    const BUFFERS: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        self.items.with(|items| visitor.values(items));
    }

    fn clear(&self) {
        drop(self.items.take());
    }

    fn buffers(&self) -> usize {
        self.items.with(|items| items.capacity() * ITEM)
    }
}

impl Heap {
    /// A list object that takes `items` over.
    #[inline]
    pub fn list(&self, items: Vec<Value>) -> Ref<List> {
        self.charge(items.capacity() * ITEM);
        self.alloc(List { items: Shared::new(items) })
    }
}

impl List {
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.items.with(|items| items.len())
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The item at `index`.
    #[inline(always)]
    pub fn get(&self, index: usize) -> Option<Value> {
        self.items.with(|items| items.get(index).cloned())
    }

    /// Replaces the item at `index`; `value` comes back if there is no such item.
    #[inline(always)]
    pub fn set(&self, index: usize, value: Value) -> Result<(), Value> {
        let old = self.items.with_mut(|items| match items.get_mut(index) {
            Some(slot) => Ok(std::mem::replace(slot, value)),
            None => Err(value),
        });
        old.map(drop)
    }

    /// Reads the items. The closure runs no script code and does not touch this list.
    #[inline(always)]
    pub fn with<U>(&self, read: impl FnOnce(&[Value]) -> U) -> U {
        self.items.with(|items| read(items))
    }

    /// Copies of all items.
    pub fn to_vec(&self) -> Vec<Value> {
        self.items.with(|items| items.clone())
    }

    /// Appends an item.
    #[inline(always)]
    pub fn push(&self, value: Value) {
        self.items.with_mut(|items| {
            if items.len() == items.capacity() {
                // SAFETY: lists are only made by `Heap::list`.
                grow(items, unsafe { heap_of(self) });
            }
            items.push(value);
        });
    }

    /// Removes and returns the last item.
    #[inline(always)]
    pub fn pop(&self) -> Option<Value> {
        self.items.with_mut(Vec::pop)
    }

    /// Changes the items as a vector. The closure runs no script code, drops no value (it returns what it removed) and does not touch
    /// this list otherwise.
    pub fn with_mut<U>(&self, write: impl FnOnce(&mut Vec<Value>) -> U) -> U {
        let (result, before, after) = self.items.with_mut(|items| {
            let before = items.capacity();
            let result = write(items);
            (result, before * ITEM, items.capacity() * ITEM)
        });
        if before != after {
            // SAFETY: as in `push`.
            let heap = unsafe { heap_of(self) };
            heap.charge(after);
            heap.discharge(before);
        }
        result
    }

    /// Replaces all items; the old ones are returned to be dropped.
    pub fn replace(&self, items: Vec<Value>) -> Vec<Value> {
        self.with_mut(|old| std::mem::replace(old, items))
    }
}

#[cold]
#[inline(never)]
fn grow(items: &mut Vec<Value>, heap: &Heap) {
    let before = items.capacity();
    // By a half: what a list has but does not use counts as its memory.
    items.reserve_exact((items.len() / 2).max(4));
    heap.charge((items.capacity() - before) * ITEM);
}
