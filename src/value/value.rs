//! `Value`: what a variable holds; `R` and `Raised`: what evaluating something gives.
//!
//! A value is 16 bytes whose payloads are all 64-bit integers or one pointer, and an error carries nothing (the exception waits
//! in the `Vm`), so that both `Value` and `R` travel in two registers. Exactly one variant is reference counted: clone and drop
//! are a comparison and a count. See docs/ARCHITECTURE.md for the measurements.

use std::fmt;

use super::object::{Kind, ObjRef, Payload, Ref};
use super::{Str, Tuple};

/// A value of the language, or one of the evaluator's private signals.
#[derive(Clone)]
pub enum Value {
    /// Signal: no value (an unbound variable, an absent argument, an exhausted iterator).
    Undef,
    /// Signal: a statement ended normally.
    Next,
    /// Signal: a `break` looks for its loop.
    Break,
    /// Signal: a `continue` looks for its loop.
    Continue,
    /// Signal: the frame is being suspended (see `vm/suspend.rs`).
    Suspend,
    None,
    NotImplemented,
    Ellipsis,
    /// 0 or 1; see `Value::bool`.
    Bool(u64),
    Int(i64),
    /// The bits of an `f64`; see `Value::float`.
    Float(u64),
    Obj(ObjRef),
}

const _: () = assert!(size_of::<Value>() == 16 && size_of::<R>() == 16);

/// An exception is on its way: it waits in the `Vm` (`Vm::take_raised`). Dropping this without looking there is a bug, which
/// debug builds assert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Raised;

/// A value, or an exception on its way.
pub type R<T = Value> = Result<T, Raised>;

impl Value {
    pub const TRUE: Value = Value::Bool(1);
    pub const FALSE: Value = Value::Bool(0);

    #[inline(always)]
    pub const fn bool(b: bool) -> Value {
        Value::Bool(b as u64)
    }

    #[inline(always)]
    pub const fn float(f: f64) -> Value {
        Value::Float(f.to_bits())
    }

    /// Whether this is the signal for no value.
    #[inline(always)]
    pub fn is_undef(&self) -> bool {
        matches!(self, Value::Undef)
    }

    #[inline(always)]
    pub fn is_none(&self) -> bool {
        matches!(self, Value::None)
    }

    /// The object, if the value is one.
    #[inline(always)]
    pub fn as_obj(&self) -> Option<&ObjRef> {
        match self {
            Value::Obj(object) => Some(object),
            _ => None,
        }
    }

    /// The kind of the object, `Kind::Free` for values that are none.
    #[inline(always)]
    pub fn kind(&self) -> Kind {
        match self {
            Value::Obj(object) => object.kind(),
            _ => Kind::Free,
        }
    }

    /// The object as a `T`, exactly (instances of script classes derived from a built-in type are not looked into; see
    /// `Value::payload`).
    #[inline(always)]
    pub fn downcast<T: Payload>(&self) -> Option<&Ref<T>> {
        match self {
            Value::Obj(object) => object.downcast::<T>(),
            _ => None,
        }
    }

    /// The object as a `T`, or the `T` inside an instance of a class derived from the built-in type.
    #[inline]
    pub fn payload<T: Payload>(&self) -> Option<&Ref<T>> {
        let object = self.as_obj()?;
        match object.downcast::<T>() {
            Some(found) => Some(found),
            None => object.downcast::<super::Instance>()?.base().downcast::<T>(),
        }
    }

    /// The built-in value inside an instance of a class derived from a built-in type, else the value itself.
    #[inline]
    pub fn unwrapped(&self) -> &Value {
        if let Value::Obj(object) = self
            && let Some(instance) = object.downcast::<super::Instance>()
            && !instance.base().is_undef()
        {
            return instance.base();
        }
        self
    }

    /// The text, if this is a string (or derived from one).
    #[inline]
    pub fn as_str(&self) -> Option<&str> {
        self.payload::<Str>().map(|s| s.as_str())
    }

    /// The items, if this is a tuple (or derived from one).
    #[inline]
    pub fn as_tuple(&self) -> Option<&[Value]> {
        self.payload::<Tuple>().map(|t| t.items())
    }

    /// Identity, as `is` has it. Numbers are identical when they are of one type and equal bit for bit.
    #[inline]
    pub fn is(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Obj(a), Value::Obj(b)) => a.is(b),
            (Value::Int(a), Value::Int(b)) => a == b,
            (Value::Float(a), Value::Float(b)) | (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Obj(_), _) | (_, Value::Obj(_)) => false,
            (a, b) => std::mem::discriminant(a) == std::mem::discriminant(b),
        }
    }
}

impl<T: Payload> From<Ref<T>> for Value {
    #[inline(always)]
    fn from(reference: Ref<T>) -> Value {
        Value::Obj(reference.into_obj())
    }
}

impl<T: Payload> From<&Ref<T>> for Value {
    #[inline(always)]
    fn from(reference: &Ref<T>) -> Value {
        Value::Obj(reference.as_obj().clone())
    }
}

impl Default for Value {
    #[inline(always)]
    fn default() -> Value {
        Value::Undef
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Undef => f.write_str("Undef"),
            Value::Next => f.write_str("Next"),
            Value::Break => f.write_str("Break"),
            Value::Continue => f.write_str("Continue"),
            Value::Suspend => f.write_str("Suspend"),
            Value::None => f.write_str("None"),
            Value::NotImplemented => f.write_str("NotImplemented"),
            Value::Ellipsis => f.write_str("Ellipsis"),
            Value::Bool(b) => write!(f, "{}", *b != 0),
            Value::Int(i) => write!(f, "{i}"),
            Value::Float(bits) => write!(f, "{:?}", f64::from_bits(*bits)),
            Value::Obj(object) => match object.downcast::<Str>() {
                Some(s) => write!(f, "{:?}", s.as_str()),
                None => object.fmt(f),
            },
        }
    }
}
