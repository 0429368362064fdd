//! The built-in iterators: what each remembers. Data only: `vm/iterator.rs` takes the steps, the classes are in
//! `builtins/iterators.rs`.
//!
//! All share one payload type, so that `next` and the `for` statement reach the hot ones (ranges, lists, tuples, dicts, strings)
//! by one `match`. Their classes differ by variant. An exhausted iterator is `Iter::Done` and stays so.

use super::cell::Shared;
use super::object::{Kind, Payload, Ref, Visitor};
use super::{ByteArray, Bytes, Dict, Heap, List, Range, Str, Tuple, Value};

macro_rules! iterator_kinds {
    ($($kind:ident = $name:literal,)*) => {
        /// Which class an iterator is of.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u16)]
        pub enum IteratorKind {
            $($kind,)*
        }

        impl IteratorKind {
            pub const ALL: &'static [IteratorKind] = &[$(IteratorKind::$kind,)*];

            /// The name of the class.
            pub const fn name(self) -> &'static str {
                match self {
                    $(IteratorKind::$kind => $name,)*
                }
            }
        }
    };
}

iterator_kinds! {
    List = "list_iterator",
    ListReversed = "list_reverseiterator",
    Tuple = "tuple_iterator",
    Str = "str_iterator",
    AsciiStr = "str_ascii_iterator",
    Bytes = "bytes_iterator",
    ByteArray = "bytearray_iterator",
    Range = "range_iterator",
    DictKeys = "dict_keyiterator",
    DictValues = "dict_valueiterator",
    DictItems = "dict_itemiterator",
    DictKeysReversed = "dict_reversekeyiterator",
    DictValuesReversed = "dict_reversevalueiterator",
    DictItemsReversed = "dict_reverseitemiterator",
    Set = "set_iterator",
    Sequence = "iterator",
    Callable = "callable_iterator",
    Reversed = "reversed",
    Enumerate = "enumerate",
    Zip = "zip",
    Map = "map",
    Filter = "filter",
}

/// How many classes iterators have.
pub(super) const CLASSES: u16 = IteratorKind::ALL.len() as u16;
const FIRST_CLASS: u16 = Kind::Native as u16 + 1;

impl IteratorKind {
    /// The index of the class.
    pub const fn class_index(self) -> u16 {
        FIRST_CLASS + self as u16
    }

    /// The kind with this class index.
    pub fn of_class(index: u16) -> Option<IteratorKind> {
        IteratorKind::ALL.get(index.checked_sub(FIRST_CLASS)? as usize).copied()
    }
}

/// What an iterator remembers.
#[derive(Clone, Default)]
pub enum Iter {
    /// There is nothing more.
    #[default]
    Done,
    /// `left` numbers from `next` on.
    Range {
        next: i64,
        step: i64,
        left: u64,
    },
    List {
        list: Ref<List>,
        next: usize,
    },
    /// Items before `next`, the last first.
    ListReversed {
        list: Ref<List>,
        next: usize,
    },
    Tuple {
        tuple: Ref<Tuple>,
        next: usize,
    },
    /// The text from byte `offset` on.
    Str {
        text: Ref<Str>,
        offset: usize,
    },
    Bytes {
        bytes: Ref<Bytes>,
        next: usize,
    },
    ByteArray {
        bytes: Ref<ByteArray>,
        next: usize,
    },
    /// Entries at or behind position `at`; `used` is the size the dict had, `left` how many keys are to come.
    Dict {
        dict: Ref<Dict>,
        at: usize,
        used: usize,
        left: usize,
        show: Show,
    },
    /// Entries before position `at`, the last first.
    DictReversed {
        dict: Ref<Dict>,
        at: usize,
        used: usize,
        left: usize,
        show: Show,
    },
    /// Keys of a set or frozenset at or behind slot `at`; `used` is the size it had.
    Set {
        set: Value,
        at: usize,
        used: usize,
        left: usize,
    },
    /// Anything with `__getitem__`, from index `next` on.
    Sequence {
        object: Value,
        next: i64,
    },
    /// `iter(function, sentinel)`.
    Callable {
        function: Value,
        sentinel: Value,
    },
    /// Anything with `__getitem__` and `__len__`: items before `next`, the last first.
    Reversed {
        object: Value,
        next: i64,
    },
    /// `next` is an integer, big perhaps.
    Enumerate {
        inner: Value,
        next: Value,
    },
    Zip {
        inners: Ref<Tuple>,
        strict: bool,
    },
    Map {
        function: Value,
        inners: Ref<Tuple>,
    },
    /// `function` may be `None`.
    Filter {
        function: Value,
        inner: Value,
    },
}

/// What an iterator over a dict gives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Show {
    Keys,
    Values,
    Items,
}

impl Iter {
    /// The kind of a fresh iterator.
    fn kind(&self) -> IteratorKind {
        match self {
            Iter::Done => IteratorKind::Sequence,
            Iter::Range { .. } => IteratorKind::Range,
            Iter::List { .. } => IteratorKind::List,
            Iter::ListReversed { .. } => IteratorKind::ListReversed,
            Iter::Tuple { .. } => IteratorKind::Tuple,
            Iter::Str { text, .. } if text.is_ascii() => IteratorKind::AsciiStr,
            Iter::Str { .. } => IteratorKind::Str,
            Iter::Bytes { .. } => IteratorKind::Bytes,
            Iter::ByteArray { .. } => IteratorKind::ByteArray,
            Iter::Dict { show: Show::Keys, .. } => IteratorKind::DictKeys,
            Iter::Dict { show: Show::Values, .. } => IteratorKind::DictValues,
            Iter::Dict { show: Show::Items, .. } => IteratorKind::DictItems,
            Iter::DictReversed { show: Show::Keys, .. } => IteratorKind::DictKeysReversed,
            Iter::DictReversed { show: Show::Values, .. } => IteratorKind::DictValuesReversed,
            Iter::DictReversed { show: Show::Items, .. } => IteratorKind::DictItemsReversed,
            Iter::Set { .. } => IteratorKind::Set,
            Iter::Sequence { .. } => IteratorKind::Sequence,
            Iter::Callable { .. } => IteratorKind::Callable,
            Iter::Reversed { .. } => IteratorKind::Reversed,
            Iter::Enumerate { .. } => IteratorKind::Enumerate,
            Iter::Zip { .. } => IteratorKind::Zip,
            Iter::Map { .. } => IteratorKind::Map,
            Iter::Filter { .. } => IteratorKind::Filter,
        }
    }

    /// Over the numbers of a range.
    #[inline]
    pub fn range(range: &Range) -> Iter {
        Iter::Range { next: range.start, step: range.step, left: range.len() }
    }

    /// Over a dict.
    #[inline]
    pub fn dict(dict: Ref<Dict>, show: Show) -> Iter {
        let used = dict.len();
        Iter::Dict { dict, at: 0, used, left: used, show }
    }

    /// Over a dict, backwards.
    pub fn dict_reversed(dict: Ref<Dict>, show: Show) -> Iter {
        let (used, at) = (dict.len(), dict.end());
        Iter::DictReversed { dict, at, used, left: used, show }
    }

    fn trace(&self, visitor: &mut Visitor<'_>) {
        match self {
            Iter::Done | Iter::Range { .. } => {}
            Iter::List { list, .. } | Iter::ListReversed { list, .. } => visitor.reference(list),
            Iter::Tuple { tuple, .. } => visitor.reference(tuple),
            Iter::Str { text, .. } => visitor.reference(text),
            Iter::Bytes { bytes, .. } => visitor.reference(bytes),
            Iter::ByteArray { bytes, .. } => visitor.reference(bytes),
            Iter::Dict { dict, .. } | Iter::DictReversed { dict, .. } => visitor.reference(dict),
            Iter::Set { set, .. } => visitor.value(set),
            Iter::Sequence { object, .. } | Iter::Reversed { object, .. } => visitor.value(object),
            Iter::Callable { function, sentinel } => visitor.values([function, sentinel]),
            Iter::Enumerate { inner, next } => visitor.values([inner, next]),
            Iter::Zip { inners, .. } => visitor.reference(inners),
            Iter::Map { function, inners } => {
                visitor.value(function);
                visitor.reference(inners);
            }
            Iter::Filter { function, inner } => visitor.values([function, inner]),
        }
    }
}

/// The payload of a built-in iterator object.
pub struct NativeIterator {
    /// Where it stands. The contract of `Shared` holds: take out what script code is needed for, then put the new state in.
    pub state: Shared<Iter>,
}

impl Payload for NativeIterator {
    const KIND: Kind = Kind::Iterator;
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        self.state.with(|state| state.trace(visitor));
    }

    fn clear(&self) {
        self.state.set(Iter::Done);
    }
}

impl Heap {
    /// An iterator object.
    #[inline]
    pub fn iterator(&self, state: Iter) -> Ref<NativeIterator> {
        let class = state.kind().class_index();
        self.alloc_as(NativeIterator { state: Shared::new(state) }, class)
    }

    /// An iterator object of a given class, for a state that does not tell (`Iter::Done`).
    pub fn iterator_of(&self, kind: IteratorKind, state: Iter) -> Ref<NativeIterator> {
        self.alloc_as(NativeIterator { state: Shared::new(state) }, kind.class_index())
    }
}
