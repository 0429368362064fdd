//! Tuples: data only; the methods are in `builtins/tuple.rs`.

use super::object::{Kind, Payload, Ref, Visitor};
use super::{Heap, Value};

/// The payload of a tuple object.
pub struct Tuple {
    items: Box<[Value]>,
}

impl Payload for Tuple {
    const KIND: Kind = Kind::Tuple;
    const CONTAINER: bool = true;
    const BUFFERS: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.values(self.items.iter());
    }

    fn buffers(&self) -> usize {
        self.items.len() * size_of::<Value>()
    }
}

impl Heap {
    /// A tuple object of these items.
    #[inline]
    pub fn tuple(&self, items: impl Into<Box<[Value]>>) -> Ref<Tuple> {
        let items = items.into();
        self.charge(items.len() * size_of::<Value>());
        self.alloc(Tuple { items })
    }
}

impl Tuple {
    /// The items.
    #[inline(always)]
    pub fn items(&self) -> &[Value] {
        &self.items
    }

    #[inline(always)]
    pub fn len(&self) -> usize {
        self.items.len()
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}
