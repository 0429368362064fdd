//! Views of a dict: what `keys()`, `values()` and `items()` return. Data only; the methods are in `builtins/views.rs`.

use super::object::{Kind, Payload, Ref, Visitor};
use super::{Dict, Heap};

/// How many classes views have.
pub(super) const CLASSES: u16 = 3;
const FIRST_CLASS: u16 = Kind::Native as u16 + 1 + super::iterator::CLASSES;

/// What a view shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u16)]
pub enum ViewKind {
    Keys,
    Values,
    Items,
}

impl ViewKind {
    pub const ALL: [ViewKind; CLASSES as usize] = [ViewKind::Keys, ViewKind::Values, ViewKind::Items];

    /// The index of the class.
    pub const fn class_index(self) -> u16 {
        FIRST_CLASS + self as u16
    }

    /// The name of the class.
    pub const fn name(self) -> &'static str {
        match self {
            ViewKind::Keys => "dict_keys",
            ViewKind::Values => "dict_values",
            ViewKind::Items => "dict_items",
        }
    }
}

/// The payload of a view of a dict.
pub struct DictView {
    pub dict: Ref<Dict>,
    pub kind: ViewKind,
}

impl Payload for DictView {
    const KIND: Kind = Kind::DictView;
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.reference(&self.dict);
    }
}

impl Heap {
    /// A view of a dict.
    pub fn dict_view(&self, dict: Ref<Dict>, kind: ViewKind) -> Ref<DictView> {
        self.alloc_as(DictView { dict, kind }, kind.class_index())
    }
}
