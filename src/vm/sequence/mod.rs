//! Sequences, for lists, tuples and ranges: `index.rs` has what subscripts and slices mean (strings and bytes share it), `subscript.rs` reads,
//! stores and deletes by them, `edit.rs` lets lists grow and shrink, `repeat.rs` concatenates and repeats, `compare.rs` compares and
//! searches, `unpack.rs` unpacks. The operators, the methods of the types and assignments to several targets call in here.
//!
//! Items are read one at a time wherever script code may run between them, because a script can change a list at any moment.

mod compare;
mod edit;
mod index;
mod repeat;
mod subscript;
mod unpack;

use super::Vm;
use crate::value::{List, R, Ref, Tuple, Value};

const ITEM: usize = size_of::<Value>();
/// Items that are copied or dropped for one unit of work.
const PER_UNIT: usize = 64;
/// Comparisons of items for one unit of work.
const COMPARISONS: usize = 16;

/// Sequences whose items can be read one at a time.
pub trait Items {
    fn len(&self) -> usize;
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    fn item(&self, index: usize) -> Option<Value>;
}

impl Items for Ref<List> {
    fn len(&self) -> usize {
        List::len(self)
    }

    fn item(&self, index: usize) -> Option<Value> {
        self.get(index)
    }
}

impl Items for Ref<Tuple> {
    fn len(&self) -> usize {
        Tuple::len(self)
    }

    fn item(&self, index: usize) -> Option<Value> {
        self.items().get(index).cloned()
    }
}

impl Items for [Value] {
    fn len(&self) -> usize {
        <[Value]>::len(self)
    }

    fn item(&self, index: usize) -> Option<Value> {
        self.get(index).cloned()
    }
}

impl Vm {
    /// Counts the work and asks for the memory of copying items.
    #[inline]
    pub fn will_copy(&self, count: usize) -> R<()> {
        if count > PER_UNIT {
            self.charge((count / PER_UNIT) as u64)?;
            self.check_alloc_items(count, ITEM)?;
        }
        Ok(())
    }
}
