//! Conversions between values and Rust types, for parameters and results of native functions.

use dashu_int::IBig;

use crate::value::{BigInt, Kind, Payload, R, Ref, Value};
use crate::vm::Vm;

/// A Rust type that an argument converts to. `TypeError` (or what the conversion raises) if it does not.
pub trait FromValue<'a>: Sized {
    fn from_value(vm: &Vm, value: &'a Value) -> R<Self>;
}

/// A Rust type that converts to a value.
pub trait IntoValue {
    fn into_value(self, vm: &Vm) -> Value;

    /// As the result of a function; `R` passes its error on.
    fn into_result(self, vm: &Vm) -> R
    where
        Self: Sized,
    {
        Ok(self.into_value(vm))
    }
}

impl<'a> FromValue<'a> for &'a Value {
    #[inline(always)]
    fn from_value(_vm: &Vm, value: &'a Value) -> R<Self> {
        Ok(value)
    }
}

impl<'a> FromValue<'a> for Value {
    #[inline(always)]
    fn from_value(_vm: &Vm, value: &'a Value) -> R<Self> {
        Ok(value.clone())
    }
}

/// Absent, or `None`: nothing.
impl<'a, T: FromValue<'a>> FromValue<'a> for Option<T> {
    #[inline]
    fn from_value(vm: &Vm, value: &'a Value) -> R<Self> {
        match value {
            Value::Undef | Value::None => Ok(None),
            value => T::from_value(vm, value).map(Some),
        }
    }
}

/// An argument that may be absent but not `None`.
pub struct Given<T>(pub Option<T>);

impl<'a, T: FromValue<'a>> FromValue<'a> for Given<T> {
    #[inline]
    fn from_value(vm: &Vm, value: &'a Value) -> R<Self> {
        match value {
            Value::Undef => Ok(Given(None)),
            value => T::from_value(vm, value).map(|value| Given(Some(value))),
        }
    }
}

/// The object as this exact payload, or the one inside an instance of a derived class.
impl<'a, T: Payload> FromValue<'a> for &'a Ref<T> {
    #[inline]
    fn from_value(vm: &Vm, value: &'a Value) -> R<Self> {
        match value.payload::<T>() {
            Some(found) => Ok(found),
            None => Err(wrong_type::<T>(vm, value)),
        }
    }
}

#[cold]
#[inline(never)]
fn wrong_type<T: Payload>(vm: &Vm, value: &Value) -> crate::value::Raised {
    let expected = vm.types.at(T::class_index()).map_or_else(|| "object".to_owned(), |class| class.name().as_str().to_owned());
    vm.type_error(format!("expected {expected}, got {}", vm.class_of(value).name().as_str()))
}

impl<'a> FromValue<'a> for &'a str {
    #[inline]
    fn from_value(vm: &Vm, value: &'a Value) -> R<Self> {
        match value.as_str() {
            Some(text) => Ok(text),
            None => Err(wrong_type::<crate::value::Str>(vm, value)),
        }
    }
}

/// By truth value.
impl<'a> FromValue<'a> for bool {
    #[inline]
    fn from_value(vm: &Vm, value: &'a Value) -> R<Self> {
        vm.truthy(value)
    }
}

/// By `__index__`; `OverflowError` beyond 64 bits.
impl<'a> FromValue<'a> for i64 {
    #[inline]
    fn from_value(vm: &Vm, value: &'a Value) -> R<Self> {
        match value {
            Value::Int(i) => Ok(*i),
            value => vm.index_i64(value),
        }
    }
}

/// By `__float__` or `__index__`.
impl<'a> FromValue<'a> for f64 {
    #[inline]
    fn from_value(vm: &Vm, value: &'a Value) -> R<Self> {
        match value {
            Value::Float(bits) => Ok(f64::from_bits(*bits)),
            value => vm.to_f64(value),
        }
    }
}

/// An integer of any size, by `__index__`.
pub struct Integer(pub IBig);

impl<'a> FromValue<'a> for Integer {
    fn from_value(vm: &Vm, value: &'a Value) -> R<Self> {
        match vm.index(value)? {
            Value::Int(i) => Ok(Integer(IBig::from(i))),
            big => match big.downcast::<BigInt>() {
                Some(big) => Ok(Integer(big.0.clone())),
                None => Err(vm.type_error("an integer is required")),
            },
        }
    }
}

/// The items of an iterable.
pub struct Iterable(pub Vec<Value>);

impl<'a> FromValue<'a> for Iterable {
    fn from_value(vm: &Vm, value: &'a Value) -> R<Self> {
        vm.collect(value).map(Iterable)
    }
}

impl IntoValue for Value {
    #[inline(always)]
    fn into_value(self, _vm: &Vm) -> Value {
        self
    }
}

impl<T: Payload> IntoValue for Ref<T> {
    #[inline(always)]
    fn into_value(self, _vm: &Vm) -> Value {
        Value::from(self)
    }
}

impl IntoValue for () {
    #[inline(always)]
    fn into_value(self, _vm: &Vm) -> Value {
        Value::None
    }
}

impl IntoValue for bool {
    #[inline(always)]
    fn into_value(self, _vm: &Vm) -> Value {
        Value::bool(self)
    }
}

impl IntoValue for i64 {
    #[inline(always)]
    fn into_value(self, _vm: &Vm) -> Value {
        Value::Int(self)
    }
}

impl IntoValue for usize {
    #[inline(always)]
    fn into_value(self, vm: &Vm) -> Value {
        vm.heap.int128(self as i128)
    }
}

impl IntoValue for f64 {
    #[inline(always)]
    fn into_value(self, _vm: &Vm) -> Value {
        Value::float(self)
    }
}

impl IntoValue for IBig {
    fn into_value(self, vm: &Vm) -> Value {
        vm.heap.int(self)
    }
}

impl IntoValue for &str {
    #[inline]
    fn into_value(self, vm: &Vm) -> Value {
        vm.str_value(self)
    }
}

impl IntoValue for String {
    fn into_value(self, vm: &Vm) -> Value {
        Value::from(vm.heap.string(self))
    }
}

/// A list.
impl<T: IntoValue> IntoValue for Vec<T> {
    fn into_value(self, vm: &Vm) -> Value {
        let items = self.into_iter().map(|item| item.into_value(vm)).collect();
        Value::from(vm.heap.list(items))
    }
}

/// `None` for nothing.
impl<T: IntoValue> IntoValue for Option<T> {
    #[inline]
    fn into_value(self, vm: &Vm) -> Value {
        match self {
            Some(value) => value.into_value(vm),
            None => Value::None,
        }
    }
}

/// A tuple.
impl<A: IntoValue, B: IntoValue> IntoValue for (A, B) {
    fn into_value(self, vm: &Vm) -> Value {
        let items = [self.0.into_value(vm), self.1.into_value(vm)];
        Value::from(vm.heap.tuple(items))
    }
}

impl<T: IntoValue> IntoValue for R<T> {
    /// Only through `into_result`, which keeps the error.
    fn into_value(self, vm: &Vm) -> Value {
        match self {
            Ok(value) => value.into_value(vm),
            Err(_) => unreachable!("results are converted by into_result"),
        }
    }

    #[inline(always)]
    fn into_result(self, vm: &Vm) -> R {
        self.map(|value| value.into_value(vm))
    }
}

/// Whether a value can be taken for an integer at once.
pub fn is_integer(value: &Value) -> bool {
    matches!(value, Value::Int(_) | Value::Bool(_)) || value.kind() == Kind::BigInt
}
