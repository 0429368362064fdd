//! Plain data: what crosses the border between scripts and the host program, always as copies.
//!
//! [`Data`] holds any of it; [`FromData`] and [`IntoData`] are the conversions for Rust types, which hosts may implement for their
//! own. Objects that are not plain data (functions, instances, generators) stay inside: converting them is a `TypeError`.
//!
//! Data may nest as deep as memory allows: copying, comparing and dropping it use no native stack per level.

use std::fmt;
use std::ops::{Deref, DerefMut};

/// A value of a script, copied out.
///
/// Comparison is by variant and item by item, in order, also of sets and dicts; collect into a `HashSet` or `HashMap` to compare
/// without order. `{:?}` shows a hundred levels, and what is deeper as `..`.
///
/// ```
/// use asplet::{Data, Interpreter};
///
/// let data: Data = Interpreter::new().eval("[1, 'two', (3.0, None)]").unwrap();
/// let Data::List(items) = data else { panic!() };
/// assert_eq!(items[1], Data::Str("two".into()));
/// assert_eq!(items[2], Data::Tuple(vec![Data::Float(3.0), Data::None].into()));
/// ```
#[derive(Default)]
pub enum Data {
    /// `None`.
    #[default]
    None,
    /// `True` or `False`.
    Bool(bool),
    /// An `int` that fits into 64 bits.
    Int(i64),
    /// An `int` beyond 64 bits, in decimal digits with or without a sign. `ValueError` in the script if it is anything else.
    BigInt(String),
    /// A `float`.
    Float(f64),
    /// A `str`.
    Str(String),
    /// `bytes`; a `bytearray` comes out as this, too.
    Bytes(Vec<u8>),
    /// A `list`.
    List(Items),
    /// A `tuple`.
    Tuple(Items),
    /// A `set`; a `frozenset` comes out as this, too. The items are in no particular order, and have to be hashable in scripts.
    Set(Items),
    /// The keys and values of a `dict`, in its order. The keys have to be hashable in scripts; of equal ones the last value counts.
    Dict(Items<(Data, Data)>),
}

/// A Rust type that scripts can hand out: as results, global variables, and arguments of host functions.
///
/// ```
/// use std::collections::HashMap;
/// use asplet::{Data, FromData, Interpreter, Mismatch};
///
/// struct Point { x: f64, y: f64 }
///
/// impl FromData for Point {
///     fn from_data(data: Data) -> Result<Point, Mismatch> {
///         let fields: HashMap<String, f64> = HashMap::from_data(data)?;
///         let field = |name| fields.get(name).copied().ok_or_else(|| Mismatch::new(format!("'{name}'"), &Data::None));
///         Ok(Point { x: field("x")?, y: field("y")? })
///     }
/// }
///
/// let mut interpreter = Interpreter::new();
/// let point: Point = interpreter.eval("{'x': 1, 'y': 2.5}").unwrap();
/// assert_eq!((point.x, point.y), (1.0, 2.5));
/// let error = interpreter.eval::<Point>("{'x': 'left', 'y': 0}").err().unwrap();
/// assert_eq!(error.to_string(), "expected float, got str at ['x']");
/// ```
#[diagnostic::on_unimplemented(
    message = "scripts cannot hand out `{Self}`",
    note = "implement `FromData` for it; strings, lists and dicts come out owned: `String`, `Vec<T>`, `HashMap<K, V>`"
)]
pub trait FromData: Sized {
    /// Nobody looks at the value, so it is not copied out and need not be plain data.
    #[doc(hidden)]
    const IS_IGNORED: bool = false;

    /// Converts a value, or says what was expected.
    fn from_data(data: Data) -> Result<Self, Mismatch>;
}

/// A Rust type that scripts can be given: as arguments, global variables, and results of host functions.
///
/// ```
/// use asplet::{Data, Interpreter, IntoData};
///
/// struct Point { x: f64, y: f64 }
///
/// impl IntoData for Point {
///     fn into_data(self) -> Data {
///         [("x", self.x), ("y", self.y)].into_iter().collect::<std::collections::BTreeMap<_, _>>().into_data()
///     }
/// }
///
/// let mut interpreter = Interpreter::new();
/// interpreter.set_global("corner", Point { x: 1.0, y: 2.5 }).unwrap();
/// assert_eq!(interpreter.eval::<f64>("corner['x'] + corner['y']").unwrap(), 3.5);
/// ```
#[diagnostic::on_unimplemented(message = "scripts cannot be given `{Self}`", note = "implement `IntoData` for it")]
pub trait IntoData {
    /// Converts a value.
    fn into_data(self) -> Data;
}

/// A value, or a closure that is registered, was not of the type that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// What was asked for, in a script's words.
    pub expected: String,
    /// What came.
    pub found: String,
    /// Where in the whole value, as in `[3]['name']`; empty for the whole.
    pub place: String,
}

impl Mismatch {
    /// `expected` was asked for and `data` came.
    pub fn new(expected: impl Into<String>, data: &Data) -> Mismatch {
        Mismatch { expected: expected.into(), found: data.type_name().to_owned(), place: String::new() }
    }

    /// The same inside of something: `place` is as in `[3]`.
    pub fn at(mut self, place: impl fmt::Display) -> Mismatch {
        self.place = format!("{place}{}", self.place);
        self
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}, got {}", self.expected, self.found)?;
        match self.place.as_str() {
            "" => Ok(()),
            place => write!(f, " at {place}"),
        }
    }
}

impl std::error::Error for Mismatch {}

impl Data {
    /// The name of the type in scripts.
    ///
    /// ```
    /// assert_eq!(asplet::Data::Int(7).type_name(), "int");
    /// ```
    pub fn type_name(&self) -> &'static str {
        match self {
            Data::None => "None",
            Data::Bool(_) => "bool",
            Data::Int(_) | Data::BigInt(_) => "int",
            Data::Float(_) => "float",
            Data::Str(_) => "str",
            Data::Bytes(_) => "bytes",
            Data::List(_) => "list",
            Data::Tuple(_) => "tuple",
            Data::Set(_) => "set",
            Data::Dict(_) => "dict",
        }
    }

    /// What is inside of a container.
    fn children(&self) -> Option<Children<'_>> {
        match self {
            Data::List(items) | Data::Tuple(items) | Data::Set(items) => Some(Children::Items(items.iter())),
            Data::Dict(entries) => Some(Children::Entries(entries.iter(), None)),
            _ => None,
        }
    }

    /// A container like this one with other children, or a copy if it is none.
    fn with_children(&self, children: Vec<Data>) -> Data {
        match self {
            Data::None => Data::None,
            Data::Bool(b) => Data::Bool(*b),
            Data::Int(i) => Data::Int(*i),
            Data::BigInt(digits) => Data::BigInt(digits.clone()),
            Data::Float(f) => Data::Float(*f),
            Data::Str(text) => Data::Str(text.clone()),
            Data::Bytes(bytes) => Data::Bytes(bytes.clone()),
            Data::List(_) => Data::List(Items(children)),
            Data::Tuple(_) => Data::Tuple(Items(children)),
            Data::Set(_) => Data::Set(Items(children)),
            Data::Dict(_) => {
                let mut entries = Vec::with_capacity(children.len() / 2);
                let mut children = children.into_iter();
                while let (Some(key), Some(value)) = (children.next(), children.next()) {
                    entries.push((key, value));
                }
                Data::Dict(Items(entries))
            }
        }
    }
}

/// The items of a container, or the keys and values of a dict in turn.
enum Children<'a> {
    Items(std::slice::Iter<'a, Data>),
    Entries(std::slice::Iter<'a, (Data, Data)>, Option<&'a Data>),
}

impl<'a> Iterator for Children<'a> {
    type Item = &'a Data;

    fn next(&mut self) -> Option<&'a Data> {
        match self {
            Children::Items(items) => items.next(),
            Children::Entries(entries, value) => value.take().or_else(|| {
                let (key, following) = entries.next()?;
                *value = Some(following);
                Some(key)
            }),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let count = match self {
            Children::Items(items) => items.len(),
            Children::Entries(entries, value) => 2 * entries.len() + usize::from(value.is_some()),
        };
        (count, Some(count))
    }
}

impl Clone for Data {
    fn clone(&self) -> Data {
        // The containers around what is copied, outermost first: what is left of each, and the copies of what was before.
        let mut around: Vec<(&Data, Children<'_>, Vec<Data>)> = Vec::new();
        let mut next = Some(self);
        loop {
            let copy = match next {
                Some(data) => match data.children() {
                    Some(children) => {
                        let copies = Vec::with_capacity(children.size_hint().0);
                        around.push((data, children, copies));
                        None
                    }
                    None => Some(data.with_children(Vec::new())),
                },
                None => around.pop().map(|(container, _, copies)| container.with_children(copies)),
            };
            match (copy, around.last_mut()) {
                (Some(copy), None) => return copy,
                (Some(copy), Some((.., copies))) => copies.push(copy),
                (None, _) => {}
            }
            next = around.last_mut().and_then(|(_, children, _)| children.next());
        }
    }
}

impl PartialEq for Data {
    fn eq(&self, other: &Data) -> bool {
        let mut rest = Vec::new();
        let mut pair = Some((self, other));
        while let Some((one, two)) = pair {
            let is_same = match (one, two) {
                (Data::None, Data::None) => true,
                (Data::Bool(a), Data::Bool(b)) => a == b,
                (Data::Int(a), Data::Int(b)) => a == b,
                (Data::Float(a), Data::Float(b)) => a == b,
                (Data::Str(a), Data::Str(b)) | (Data::BigInt(a), Data::BigInt(b)) => a == b,
                (Data::Bytes(a), Data::Bytes(b)) => a == b,
                (Data::List(a), Data::List(b)) | (Data::Tuple(a), Data::Tuple(b)) | (Data::Set(a), Data::Set(b)) => {
                    rest.extend(a.iter().zip(b.iter()));
                    a.len() == b.len()
                }
                (Data::Dict(a), Data::Dict(b)) => {
                    rest.extend(a.iter().zip(b.iter()).flat_map(|(a, b)| [(&a.0, &b.0), (&a.1, &b.1)]));
                    a.len() == b.len()
                }
                _ => false,
            };
            if !is_same {
                return false;
            }
            pair = rest.pop();
        }
        true
    }
}

/// How many levels are shown by `{:?}`.
const LEVELS_SHOWN: usize = 100;

impl fmt::Debug for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Shown(self, LEVELS_SHOWN).fmt(f)
    }
}

/// Data with the number of levels that are to be shown.
struct Shown<'a>(&'a Data, usize);

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shown(data, levels) = *self;
        let inside = |items: &[Data], f: &mut fmt::Formatter<'_>, name: &str| {
            f.debug_tuple(name).field(&List(items.iter().map(|item| Shown(item, levels - 1)).collect())).finish()
        };
        match data {
            Data::List(_) | Data::Tuple(_) | Data::Set(_) | Data::Dict(_) if levels == 0 => f.write_str(".."),
            Data::None => f.write_str("None"),
            Data::Bool(b) => f.debug_tuple("Bool").field(b).finish(),
            Data::Int(i) => f.debug_tuple("Int").field(i).finish(),
            Data::BigInt(digits) => f.debug_tuple("BigInt").field(digits).finish(),
            Data::Float(number) => f.debug_tuple("Float").field(number).finish(),
            Data::Str(text) => f.debug_tuple("Str").field(text).finish(),
            Data::Bytes(bytes) => f.debug_tuple("Bytes").field(bytes).finish(),
            Data::List(items) => inside(items, f, "List"),
            Data::Tuple(items) => inside(items, f, "Tuple"),
            Data::Set(items) => inside(items, f, "Set"),
            Data::Dict(entries) => {
                let shown = entries.iter().map(|(key, value)| (Shown(key, levels - 1), Shown(value, levels - 1)));
                f.debug_tuple("Dict").field(&Map(shown.collect())).finish()
            }
        }
    }
}

struct List<'a>(Vec<Shown<'a>>);

impl fmt::Debug for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.0).finish()
    }
}

struct Map<'a>(Vec<(Shown<'a>, Shown<'a>)>);

impl fmt::Debug for Map<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.iter().map(|(key, value)| (key, value))).finish()
    }
}

/// The items of a container in [`Data`]: a `Vec` that may nest as deep as memory allows. Make one from a `Vec` by `into()`, or
/// `collect()` it; read it as a slice, change it as a `Vec`, or iterate over it.
///
/// ```
/// use asplet::{Data, Items};
///
/// let mut items: Items = vec![Data::Int(1)].into();
/// items.push(Data::Int(2));
/// let numbers = Data::List(items.into_iter().rev().collect());
/// assert_eq!(format!("{numbers:?}"), "List([Int(2), Int(1)])");
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct Items<T: Part = Data>(Vec<T>);

/// What [`Items`] are made of: data, or keys with their values.
pub trait Part: sealed::Part {}

impl Part for Data {}

impl Part for (Data, Data) {}

mod sealed {
    use super::Data;

    pub trait Part {
        /// Whether dropping it needs no care.
        fn is_flat(&self) -> bool;

        /// Moves the containers in it, which are to be dropped, to others.
        fn take_apart(self, containers: &mut Vec<Data>);
    }

    impl Part for Data {
        fn is_flat(&self) -> bool {
            match self {
                Data::List(items) | Data::Tuple(items) | Data::Set(items) => items.is_empty(),
                Data::Dict(entries) => entries.is_empty(),
                _ => true,
            }
        }

        fn take_apart(self, containers: &mut Vec<Data>) {
            if !self.is_flat() {
                containers.push(self);
            }
        }
    }

    impl Part for (Data, Data) {
        fn is_flat(&self) -> bool {
            self.0.is_flat() && self.1.is_flat()
        }

        fn take_apart(self, containers: &mut Vec<Data>) {
            self.0.take_apart(containers);
            self.1.take_apart(containers);
        }
    }
}

impl<T: Part> Items<T> {
    fn take_apart(&mut self, containers: &mut Vec<Data>) {
        for part in self.0.drain(..) {
            part.take_apart(containers);
        }
    }
}

impl<T: Part> Drop for Items<T> {
    fn drop(&mut self) {
        if self.0.iter().all(T::is_flat) {
            return;
        }
        let mut containers = Vec::new();
        self.take_apart(&mut containers);
        while let Some(mut container) = containers.pop() {
            match &mut container {
                Data::List(items) | Data::Tuple(items) | Data::Set(items) => items.take_apart(&mut containers),
                Data::Dict(entries) => entries.take_apart(&mut containers),
                _ => {}
            }
        }
    }
}

impl<T: Part> Default for Items<T> {
    fn default() -> Items<T> {
        Items(Vec::new())
    }
}

impl<T: Part> From<Vec<T>> for Items<T> {
    fn from(items: Vec<T>) -> Items<T> {
        Items(items)
    }
}

impl<T: Part> From<Items<T>> for Vec<T> {
    fn from(mut items: Items<T>) -> Vec<T> {
        std::mem::take(&mut items.0)
    }
}

impl<T: Part> FromIterator<T> for Items<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Items<T> {
        Items(items.into_iter().collect())
    }
}

impl<T: Part> IntoIterator for Items<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> std::vec::IntoIter<T> {
        Vec::from(self).into_iter()
    }
}

impl<'a, T: Part> IntoIterator for &'a Items<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> std::slice::Iter<'a, T> {
        self.0.iter()
    }
}

impl<T: Part> Deref for Items<T> {
    type Target = Vec<T>;

    fn deref(&self) -> &Vec<T> {
        &self.0
    }
}

impl<T: Part> DerefMut for Items<T> {
    fn deref_mut(&mut self) -> &mut Vec<T> {
        &mut self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A million levels of lists, tuples and dicts on a small stack.
    #[test]
    fn depth_needs_no_stack() {
        let work = || {
            let mut deep = Data::None;
            for level in 0..1_000_000 {
                deep = match level % 3 {
                    0 => Data::List(vec![deep].into()),
                    1 => Data::Tuple(vec![Data::Int(level), deep].into()),
                    _ => Data::Dict(vec![(Data::Int(level), deep)].into()),
                };
            }
            let copy = deep.clone();
            assert!(copy == deep);
            assert!(format!("{copy:?}").contains(".."));
            let Data::List(mut items) = copy else { panic!() };
            items.push(Data::None);
            assert!(Data::List(items) != deep);
        };
        std::thread::Builder::new().stack_size(256 << 10).spawn(work).unwrap().join().unwrap();
    }

    #[test]
    fn copies_are_equal() {
        let entries = vec![(Data::Str("k".into()), Data::Bytes(vec![1])), (Data::Tuple(Items::default()), Data::Bool(true))];
        let nested = Data::List(vec![Data::Dict(entries.into()), Data::Set(vec![Data::BigInt("1".into())].into())].into());
        assert_eq!(nested.clone(), nested);
        assert_eq!(format!("{nested:?}"), "List([Dict({Str(\"k\"): Bytes([1]), Tuple([]): Bool(true)}), Set([BigInt(\"1\")])])");
    }
}
