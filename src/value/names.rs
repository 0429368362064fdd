//! The table of names: one string object per identifier, so that names are compared by address.

use std::borrow::Borrow;
use std::cell::RefCell;
use std::collections::HashSet;
use std::hash::{Hash, Hasher};

use foldhash::fast::FixedState;

use super::object::Ref;
use super::{Heap, Str};

struct Interned(Ref<Str>);

impl Hash for Interned {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.as_str().hash(state);
    }
}

impl PartialEq for Interned {
    fn eq(&self, other: &Interned) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl Eq for Interned {}

impl Borrow<str> for Interned {
    fn borrow(&self) -> &str {
        self.0.as_str()
    }
}

/// The names of one interpreter. They live as long as it does, so only identifiers of programs and of the library go here, not
/// strings that a running script makes up.
#[derive(Default)]
pub struct Names {
    table: RefCell<HashSet<Interned, FixedState>>,
}

impl Names {
    /// The string object for `text`.
    pub fn intern(&self, heap: &Heap, text: &str) -> Ref<Str> {
        if let Some(known) = self.get(text) {
            return known;
        }
        let made = heap.str(text);
        made.as_obj().set_interned();
        self.table.borrow_mut().insert(Interned(made.clone()));
        made
    }

    /// The string object for `text`, if it is a name.
    pub fn get(&self, text: &str) -> Option<Ref<Str>> {
        self.table.borrow().get(text).map(|name| name.0.clone())
    }
}
