//! Conversions between [`Data`] and the types of Rust.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt;
use std::hash::{BuildHasher, Hash};

use super::data::{Data, FromData, IntoData, Mismatch};

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

/// From anything: the value is not wanted, and is not even copied.
impl FromData for () {
    const IS_IGNORED: bool = true;

    fn from_data(_data: Data) -> Result<(), Mismatch> {
        Ok(())
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
                    let beyond = |found: &str| Mismatch {
                        expected: format!("an int between {} and {}", <$type>::MIN, <$type>::MAX),
                        found: if found.len() > 50 { "one of many digits".to_owned() } else { found.to_owned() },
                        place: String::new(),
                    };
                    match &data {
                        Data::Int(i) => <$type>::try_from(*i).map_err(|_| beyond(&i.to_string())),
                        Data::Bool(b) => Ok(<$type>::from(*b)),
                        Data::BigInt(digits) => digits.parse().map_err(|_| beyond(digits)),
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

/// An `int` that is too large is a mismatch.
impl FromData for f64 {
    fn from_data(data: Data) -> Result<f64, Mismatch> {
        match data {
            Data::Float(f) => Ok(f),
            Data::Int(i) => Ok(i as f64),
            Data::Bool(b) => Ok(f64::from(u8::from(b))),
            Data::BigInt(digits) => match digits.parse::<f64>() {
                Ok(f) if f.is_finite() => Ok(f),
                _ => Err(Mismatch { expected: "float".into(), found: "an int of too many digits".into(), place: String::new() }),
            },
            other => Err(Mismatch::new("float", &other)),
        }
    }
}

impl IntoData for f64 {
    fn into_data(self) -> Data {
        Data::Float(self)
    }
}

/// Rounded; a finite number that is beyond the range is a mismatch.
impl FromData for f32 {
    fn from_data(data: Data) -> Result<f32, Mismatch> {
        let wide = f64::from_data(data)?;
        match wide as f32 {
            narrow if narrow.is_infinite() && wide.is_finite() => {
                let expected = format!("a float between {:e} and {:e}", f32::MIN, f32::MAX);
                Err(Mismatch { expected, found: format!("{wide:e}"), place: String::new() })
            }
            narrow => Ok(narrow),
        }
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
            Data::List(items) | Data::Tuple(items) => {
                items.into_iter().enumerate().map(|(index, item)| T::from_data(item).map_err(|m| m.at(Index(index)))).collect()
            }
            Data::Set(items) => items.into_iter().map(T::from_data).collect(),
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

impl<T: IntoData + Clone> IntoData for &Vec<T> {
    fn into_data(self) -> Data {
        self.as_slice().into_data()
    }
}

impl<T: IntoData + Clone> IntoData for &[T] {
    fn into_data(self) -> Data {
        Data::List(self.iter().cloned().map(T::into_data).collect())
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

impl<T: FromData + Ord> FromData for BTreeSet<T> {
    fn from_data(data: Data) -> Result<BTreeSet<T>, Mismatch> {
        match data {
            Data::Set(items) => items.into_iter().map(T::from_data).collect(),
            other => Err(Mismatch::new("set", &other)),
        }
    }
}

impl<T: IntoData> IntoData for BTreeSet<T> {
    fn into_data(self) -> Data {
        Data::Set(self.into_iter().map(T::into_data).collect())
    }
}

/// The place of an item in a [`Mismatch`].
struct Index<T>(T);

impl<T: fmt::Display> fmt::Display for Index<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}]", self.0)
    }
}

/// The place of the value of a key.
fn at_key(key: &Data) -> String {
    match key {
        Data::Str(text) => format!("['{text}']"),
        Data::Int(i) => format!("[{i}]"),
        other => format!("[{} as key]", other.type_name()),
    }
}

fn entries<K: FromData, V: FromData>(data: Data) -> Result<Vec<(K, V)>, Mismatch> {
    match data {
        Data::Dict(entries) => {
            let convert = |(key, value): (Data, Data)| {
                let value = V::from_data(value).map_err(|mismatch| mismatch.at(at_key(&key)))?;
                Ok((K::from_data(key).map_err(|mismatch| mismatch.at("a key"))?, value))
            };
            entries.into_iter().map(convert).collect()
        }
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

/// The positional arguments of a call from the host: a tuple of up to eight (`(1,)` for one), or a vector of [`Data`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` are no arguments",
    note = "hand over a tuple of up to eight values that are `IntoData`, `(x,)` for one and `()` for none, or a `Vec<Data>`"
)]
pub trait IntoArgs {
    /// The arguments in order.
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
                        return Err(Mismatch { expected: concat!("a tuple of ", $count).to_owned(), found, place: String::new() });
                    }
                    let mut items = items.into_iter();
                    Ok(($($name::from_data(items.next().unwrap_or_default()).map_err(|mismatch| mismatch.at(Index($index)))?,)*))
                }
            }

            impl<$($name: IntoData),*> IntoData for ($($name,)*) {
                fn into_data(self) -> Data {
                    Data::Tuple(vec![$(self.$index.into_data()),*].into())
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
    7: A 0, B 1, C 2, D 3, E 4, F 5, G 6;
    8: A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7;
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
        check(BTreeSet::from([1_u8, 2]));
        assert_eq!(f64::from_data(u128::MAX.into_data()).unwrap(), u128::MAX as f64);
    }

    #[test]
    fn mismatches_say_both_sides() {
        assert_eq!(i64::from_data("x".into_data()).unwrap_err().to_string(), "expected int, got str");
        assert_eq!(u8::from_data(300.into_data()).unwrap_err().to_string(), "expected an int between 0 and 255, got 300");
        let large = Data::BigInt("1".repeat(400));
        assert_eq!(f64::from_data(large).unwrap_err().to_string(), "expected float, got an int of too many digits");
        assert!(f32::from_data(Data::Float(1e300)).is_err() && f32::from_data(Data::Float(f64::INFINITY)).unwrap().is_infinite());
        let nested = vec![BTreeMap::from([("k", (1, "x"))])].into_data();
        let error = Vec::<HashMap<String, (i64, i64)>>::from_data(nested).unwrap_err();
        assert_eq!(error.to_string(), "expected int, got str at [0]['k'][1]");
    }
}
