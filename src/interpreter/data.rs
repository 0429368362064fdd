//! Plain data: what crosses the border between scripts and the host program, always as copies.
//!
//! [`Data`] holds any of it; [`FromData`] and [`IntoData`] are the conversions for Rust types, which hosts may implement for their
//! own. Objects that are not plain data (functions, instances, generators) stay inside: converting them is a `TypeError`.

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{BuildHasher, Hash};

use dashu_int::IBig;
use dashu_int::ops::BitTest;

use crate::value::{BigInt, ByteArray, Bytes, Dict, FrozenSet, List, R, Set, Value};
use crate::vm::Vm;

/// A value of a script, copied out.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum Data {
    #[default]
    None,
    Bool(bool),
    Int(i64),
    /// An integer beyond 64 bits, in decimal digits.
    BigInt(String),
    Float(f64),
    Str(String),
    Bytes(Vec<u8>),
    List(Vec<Data>),
    Tuple(Vec<Data>),
    Set(Vec<Data>),
    /// Keys and values in order.
    Dict(Vec<(Data, Data)>),
}

/// A Rust type that scripts can hand out.
pub trait FromData: Sized {
    /// Converts a value, or says what was expected.
    fn from_data(data: Data) -> Result<Self, Mismatch>;

    /// What an argument that was not given becomes, if it may be left out.
    fn absent() -> Option<Self> {
        None
    }
}

/// A Rust type that scripts can be given.
pub trait IntoData {
    fn into_data(self) -> Data;
}

/// A value was not of the type that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// What was asked for, in a script's words.
    pub expected: String,
    /// What came.
    pub found: String,
}

impl Mismatch {
    /// `expected` was asked for and `data` came.
    pub fn new(expected: impl Into<String>, data: &Data) -> Mismatch {
        Mismatch { expected: expected.into(), found: data.type_name().to_owned() }
    }
}

impl std::fmt::Display for Mismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "expected {}, got {}", self.expected, self.found)
    }
}

impl std::error::Error for Mismatch {}

impl Data {
    /// The name of the type in scripts.
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

    /// Copies a value out. `TypeError` if it holds anything but plain data, `RecursionError` if it nests too deep (or in a circle),
    /// `MemoryError` if the copy is larger than what the limit leaves: an object that is in many places is copied into each.
    pub(crate) fn of(vm: &Vm, value: &Value) -> R<Data> {
        Copying { vm, bytes: Cell::new(0) }.copy(value)
    }

    /// Copies data in.
    pub(crate) fn into_value(self, vm: &Vm) -> R {
        let many = |items: Vec<Data>| -> R<Vec<Value>> {
            vm.check_alloc_items(items.len(), size_of::<Value>())?;
            vm.nested(|| items.into_iter().map(|item| item.into_value(vm)).collect())
        };
        Ok(match self {
            Data::None => Value::None,
            Data::Bool(b) => Value::bool(b),
            Data::Int(i) => Value::Int(i),
            Data::Float(f) => Value::float(f),
            Data::BigInt(digits) => match digits.parse::<IBig>() {
                Ok(number) => vm.heap.int(number),
                Err(_) => return Err(vm.value_error("the host handed over an integer that is not in decimal digits")),
            },
            Data::Str(text) => {
                vm.check_alloc(text.len())?;
                Value::from(vm.heap.string(text))
            }
            Data::Bytes(bytes) => {
                vm.check_alloc(bytes.len())?;
                Value::from(vm.heap.bytes_object(bytes))
            }
            Data::List(items) => Value::from(vm.heap.list(many(items)?)),
            Data::Tuple(items) => Value::from(vm.heap.tuple(many(items)?)),
            Data::Set(items) => {
                let items = Value::from(vm.heap.list(many(items)?));
                vm.call(&Value::from(&vm.types.set), &[items])?
            }
            Data::Dict(entries) => vm.nested(|| {
                let dict = Value::from(vm.heap.dict());
                for (key, value) in entries {
                    let key = key.into_value(vm)?;
                    vm.set_item(&dict, &key, value.into_value(vm)?)?;
                }
                Ok(dict)
            })?,
        })
    }
}

/// One copying out: what it has taken so far.
struct Copying<'a> {
    vm: &'a Vm,
    bytes: Cell<usize>,
}

impl Copying<'_> {
    fn copy(&self, value: &Value) -> R<Data> {
        let vm = self.vm;
        vm.charge(1)?;
        self.take(size_of::<Data>())?;
        Ok(match value.unwrapped() {
            Value::None => Data::None,
            Value::Bool(b) => Data::Bool(*b != 0),
            Value::Int(i) => Data::Int(*i),
            Value::Float(bits) => Data::Float(f64::from_bits(*bits)),
            inner => {
                if let Some(text) = inner.as_str() {
                    self.take(text.len())?;
                    Data::Str(text.to_owned())
                } else if let Some(big) = inner.downcast::<BigInt>() {
                    vm.charge(1 + big.0.bit_len() as u64 / 64)?;
                    self.take(big.0.bit_len() / 3)?;
                    Data::BigInt(big.0.to_string())
                } else if let Some(list) = inner.downcast::<List>() {
                    Data::List(self.items(&list.to_vec())?)
                } else if let Some(items) = inner.as_tuple() {
                    Data::Tuple(self.items(items)?)
                } else if let Some(dict) = inner.downcast::<Dict>() {
                    let entries = dict.to_vec();
                    Data::Dict(vm.nested(|| {
                        entries.iter().map(|(key, value)| Ok((self.copy(key)?, self.copy(value)?))).collect::<R<_>>()
                    })?)
                } else if let Some(bytes) = inner.downcast::<Bytes>() {
                    self.take(bytes.data().len())?;
                    Data::Bytes(bytes.data().to_vec())
                } else if let Some(bytes) = inner.downcast::<ByteArray>() {
                    self.take(bytes.with(<[u8]>::len))?;
                    Data::Bytes(bytes.with(<[u8]>::to_vec))
                } else if inner.downcast::<Set>().is_some() || inner.downcast::<FrozenSet>().is_some() {
                    Data::Set(self.items(&vm.collect(inner)?)?)
                } else {
                    let class = vm.class_of(value);
                    return Err(vm.type_error(format!("'{}' object is not plain data", class.name().as_str())));
                }
            }
        })
    }

    fn items(&self, items: &[Value]) -> R<Vec<Data>> {
        self.vm.nested(|| items.iter().map(|item| self.copy(item)).collect())
    }

    /// Counts `bytes` of the copy.
    fn take(&self, bytes: usize) -> R<()> {
        self.bytes.set(self.bytes.get().saturating_add(bytes));
        match self.vm.heap.room_for(self.bytes.get()) {
            true => Ok(()),
            false => Err(self.vm.out_of_memory()),
        }
    }
}

impl FromData for Data {
    fn from_data(data: Data) -> Result<Data, Mismatch> {
        Ok(data)
    }
}

impl IntoData for Data {
    fn into_data(self) -> Data {
        self
    }
}

impl FromData for () {
    fn from_data(data: Data) -> Result<(), Mismatch> {
        match data {
            Data::None => Ok(()),
            other => Err(Mismatch::new("None", &other)),
        }
    }
}

impl IntoData for () {
    fn into_data(self) -> Data {
        Data::None
    }
}

macro_rules! plain {
    ($($type:ty, $variant:ident, $name:literal;)*) => {
        $(
            impl FromData for $type {
                fn from_data(data: Data) -> Result<$type, Mismatch> {
                    match data {
                        Data::$variant(inner) => Ok(inner),
                        other => Err(Mismatch::new($name, &other)),
                    }
                }
            }

            impl IntoData for $type {
                fn into_data(self) -> Data {
                    Data::$variant(self)
                }
            }
        )*
    };
}

plain! {
    bool, Bool, "bool";
    String, Str, "str";
}

macro_rules! integers {
    ($($type:ty)*) => {
        $(
            impl FromData for $type {
                fn from_data(data: Data) -> Result<$type, Mismatch> {
                    let range = || format!("an int between {} and {}", <$type>::MIN, <$type>::MAX);
                    match &data {
                        Data::Int(i) => <$type>::try_from(*i).map_err(|_| Mismatch { expected: range(), found: i.to_string() }),
                        Data::Bool(b) => Ok(<$type>::from(*b)),
                        Data::BigInt(digits) => {
                            digits.parse().map_err(|_| Mismatch { expected: range(), found: "a larger int".to_owned() })
                        }
                        other => Err(Mismatch::new("int", other)),
                    }
                }
            }

            impl IntoData for $type {
                fn into_data(self) -> Data {
                    match i64::try_from(self) {
                        Ok(i) => Data::Int(i),
                        Err(_) => Data::BigInt(self.to_string()),
                    }
                }
            }
        )*
    };
}

integers! { i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize }

impl FromData for f64 {
    fn from_data(data: Data) -> Result<f64, Mismatch> {
        match data {
            Data::Float(f) => Ok(f),
            Data::Int(i) => Ok(i as f64),
            Data::Bool(b) => Ok(f64::from(u8::from(b))),
            Data::BigInt(ref digits) => digits.parse().map_err(|_| Mismatch::new("float", &data)),
            other => Err(Mismatch::new("float", &other)),
        }
    }
}

impl IntoData for f64 {
    fn into_data(self) -> Data {
        Data::Float(self)
    }
}

impl FromData for f32 {
    fn from_data(data: Data) -> Result<f32, Mismatch> {
        f64::from_data(data).map(|f| f as f32)
    }
}

impl IntoData for f32 {
    fn into_data(self) -> Data {
        Data::Float(self.into())
    }
}

impl IntoData for &str {
    fn into_data(self) -> Data {
        Data::Str(self.to_owned())
    }
}

impl IntoData for &String {
    fn into_data(self) -> Data {
        Data::Str(self.clone())
    }
}

impl<T: FromData> FromData for Option<T> {
    fn from_data(data: Data) -> Result<Option<T>, Mismatch> {
        match data {
            Data::None => Ok(None),
            data => T::from_data(data).map(Some),
        }
    }

    fn absent() -> Option<Option<T>> {
        Some(None)
    }
}

impl<T: IntoData> IntoData for Option<T> {
    fn into_data(self) -> Data {
        self.map_or(Data::None, T::into_data)
    }
}

/// From a list, tuple, set, or the numbers in bytes.
impl<T: FromData> FromData for Vec<T> {
    fn from_data(data: Data) -> Result<Vec<T>, Mismatch> {
        match data {
            Data::List(items) | Data::Tuple(items) | Data::Set(items) => items.into_iter().map(T::from_data).collect(),
            Data::Bytes(bytes) => bytes.into_iter().map(|byte| T::from_data(Data::Int(byte.into()))).collect(),
            other => Err(Mismatch::new("list", &other)),
        }
    }
}

/// As a list. For bytes there is [`Data::Bytes`].
impl<T: IntoData> IntoData for Vec<T> {
    fn into_data(self) -> Data {
        Data::List(self.into_iter().map(T::into_data).collect())
    }
}

impl<T: IntoData + Clone> IntoData for &[T] {
    fn into_data(self) -> Data {
        self.to_vec().into_data()
    }
}

impl<T: IntoData, const N: usize> IntoData for [T; N] {
    fn into_data(self) -> Data {
        Data::List(self.into_iter().map(T::into_data).collect())
    }
}

impl<T: FromData + Eq + Hash, S: BuildHasher + Default> FromData for HashSet<T, S> {
    fn from_data(data: Data) -> Result<HashSet<T, S>, Mismatch> {
        match data {
            Data::Set(items) => items.into_iter().map(T::from_data).collect(),
            other => Err(Mismatch::new("set", &other)),
        }
    }
}

impl<T: IntoData, S> IntoData for HashSet<T, S> {
    fn into_data(self) -> Data {
        Data::Set(self.into_iter().map(T::into_data).collect())
    }
}

fn entries<K: FromData, V: FromData>(data: Data) -> Result<Vec<(K, V)>, Mismatch> {
    match data {
        Data::Dict(entries) => entries.into_iter().map(|(k, v)| Ok((K::from_data(k)?, V::from_data(v)?))).collect(),
        other => Err(Mismatch::new("dict", &other)),
    }
}

impl<K: FromData + Eq + Hash, V: FromData, S: BuildHasher + Default> FromData for HashMap<K, V, S> {
    fn from_data(data: Data) -> Result<HashMap<K, V, S>, Mismatch> {
        Ok(entries(data)?.into_iter().collect())
    }
}

impl<K: IntoData, V: IntoData, S> IntoData for HashMap<K, V, S> {
    fn into_data(self) -> Data {
        Data::Dict(self.into_iter().map(|(k, v)| (k.into_data(), v.into_data())).collect())
    }
}

impl<K: FromData + Ord, V: FromData> FromData for BTreeMap<K, V> {
    fn from_data(data: Data) -> Result<BTreeMap<K, V>, Mismatch> {
        Ok(entries(data)?.into_iter().collect())
    }
}

impl<K: IntoData, V: IntoData> IntoData for BTreeMap<K, V> {
    fn into_data(self) -> Data {
        Data::Dict(self.into_iter().map(|(k, v)| (k.into_data(), v.into_data())).collect())
    }
}

/// The arguments of a call from the host: a tuple, or a vector of data.
pub trait IntoArgs {
    fn into_args(self) -> Vec<Data>;
}

impl IntoArgs for () {
    fn into_args(self) -> Vec<Data> {
        Vec::new()
    }
}

impl IntoArgs for Vec<Data> {
    fn into_args(self) -> Vec<Data> {
        self
    }
}

macro_rules! tuples {
    ($($count:literal: $($name:ident $index:tt),*;)*) => {
        $(
            impl<$($name: FromData),*> FromData for ($($name,)*) {
                fn from_data(data: Data) -> Result<Self, Mismatch> {
                    let items = match data {
                        Data::Tuple(items) | Data::List(items) => items,
                        other => return Err(Mismatch::new(concat!("a tuple of ", $count), &other)),
                    };
                    if items.len() != $count {
                        let found = format!("{} items", items.len());
                        return Err(Mismatch { expected: concat!("a tuple of ", $count).to_owned(), found });
                    }
                    let mut items = items.into_iter();
                    Ok(($($name::from_data(items.next().unwrap_or_default())?,)*))
                }
            }

            impl<$($name: IntoData),*> IntoData for ($($name,)*) {
                fn into_data(self) -> Data {
                    Data::Tuple(vec![$(self.$index.into_data()),*])
                }
            }

            impl<$($name: IntoData),*> IntoArgs for ($($name,)*) {
                fn into_args(self) -> Vec<Data> {
                    vec![$(self.$index.into_data()),*]
                }
            }
        )*
    };
}

tuples! {
    1: A 0;
    2: A 0, B 1;
    3: A 0, B 1, C 2;
    4: A 0, B 1, C 2, D 3;
    5: A 0, B 1, C 2, D 3, E 4;
    6: A 0, B 1, C 2, D 3, E 4, F 5;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rust_types_go_there_and_back() {
        fn check<T: FromData + IntoData + Clone + PartialEq + std::fmt::Debug>(value: T) {
            assert_eq!(T::from_data(value.clone().into_data()).unwrap(), value);
        }
        check(7_i64);
        check(u64::MAX);
        check(-1.5);
        check("text".to_owned());
        check(vec![Some(1_u8), None]);
        check(("a".to_owned(), true, 2_i32));
        check(HashMap::from([("key".to_owned(), vec![1_i64])]));
    }

    #[test]
    fn mismatches_say_both_sides() {
        assert_eq!(i64::from_data("x".into_data()).unwrap_err().to_string(), "expected int, got str");
        assert_eq!(u8::from_data(300.into_data()).unwrap_err().to_string(), "expected an int between 0 and 255, got 300");
    }
}
