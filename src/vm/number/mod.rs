//! Numbers: arithmetic, comparison and hashes of `bool`, `int` (machine words that overflow into big integers), `float` and
//! `complex`.
//!
//! `operators.rs` asks here first for every arithmetic operator; the methods in `builtins/int.rs` and `builtins/float.rs` answer with
//! the same functions. Integers are in `integer.rs` and, where one operation takes long, in `huge.rs`; floats in `float.rs`, complex
//! numbers in `complex.rs`, text to numbers in `parse.rs`, numbers to text in `print.rs`. Work on big integers is charged, and its
//! memory checked, before it begins.

mod compare;
pub mod complex;
pub mod float;
pub mod huge;
pub mod integer;
pub mod parse;
pub mod print;
#[cfg(test)]
mod tests;

use dashu_int::IBig;

use super::Vm;
use crate::syntax::ast::{Operator, UnaryOp};
use crate::value::{BigInt, R, Ref, Value};

pub use compare::{compare, equal};
pub use print::DigitLimit;

/// A real number as the operations see it.
#[derive(Clone, Copy)]
pub enum Number<'a> {
    Int(i64),
    Big(&'a Ref<BigInt>),
    Float(f64),
}

impl<'a> Number<'a> {
    /// The number that a value is: `bool` counts as an integer, and an instance of a class derived from a number as the number inside.
    #[inline]
    pub fn of(value: &'a Value) -> Option<Number<'a>> {
        match value {
            Value::Int(i) => Some(Number::Int(*i)),
            Value::Float(bits) => Some(Number::Float(f64::from_bits(*bits))),
            Value::Bool(b) => Some(Number::Int(*b as i64)),
            Value::Obj(object) => match object.downcast::<BigInt>() {
                Some(big) => Some(Number::Big(big)),
                None => match value.unwrapped() {
                    Value::Obj(inner) => inner.downcast::<BigInt>().map(Number::Big),
                    plain => Number::of(plain),
                },
            },
            _ => None,
        }
    }

    /// The integer that a value is; nothing for floats.
    #[inline]
    pub fn integer(value: &'a Value) -> Option<Number<'a>> {
        match Number::of(value)? {
            Number::Float(_) => None,
            integer => Some(integer),
        }
    }

    /// An integer as a big one.
    pub fn to_big(self) -> IBig {
        match self {
            Number::Int(i) => IBig::from(i),
            Number::Big(big) => big.0.clone(),
            Number::Float(f) => float::trunc_to_big(f).unwrap_or_default(),
        }
    }

    /// As a float, correctly rounded; `OverflowError` if it is too large.
    #[inline]
    pub fn to_f64(self, vm: &Vm) -> R<f64> {
        match self {
            Number::Int(i) => Ok(i as f64),
            Number::Float(f) => Ok(f),
            Number::Big(big) => integer::big_to_f64(vm, &big.0),
        }
    }

    /// As a value in its plain form (`True` becomes 1).
    pub fn to_value(self) -> Value {
        match self {
            Number::Int(i) => Value::Int(i),
            Number::Big(big) => Value::from(big),
            Number::Float(f) => Value::float(f),
        }
    }

    /// Whether it is 0.
    pub fn is_zero(self) -> bool {
        match self {
            Number::Int(i) => i == 0,
            Number::Big(_) => false,
            Number::Float(f) => f == 0.0,
        }
    }

    /// Whether it is less than 0.
    pub fn is_negative(self) -> bool {
        match self {
            Number::Int(i) => i < 0,
            Number::Big(big) => big.0.sign() == dashu_int::Sign::Negative,
            Number::Float(f) => f < 0.0,
        }
    }
}

/// `a op b`, or `None` if they are not both numbers or the operator is not for them.
#[inline]
pub fn binary(vm: &Vm, op: Operator, a: &Value, b: &Value) -> R<Option<Value>> {
    if let (Value::Bool(x), Value::Bool(y)) = (a, b) {
        match op {
            Operator::BitAnd => return Ok(Some(Value::Bool(x & y))),
            Operator::BitOr => return Ok(Some(Value::Bool(x | y))),
            Operator::BitXor => return Ok(Some(Value::Bool(x ^ y))),
            _ => {}
        }
    }
    let (Some(x), Some(y)) = (Number::of(a), Number::of(b)) else { return complex::binary(vm, op, a, b) };
    match (x, y) {
        (Number::Float(x), Number::Float(y)) => float::binary(vm, op, x, y),
        (Number::Float(x), y) => match float_takes(op) {
            true => float::binary(vm, op, x, y.to_f64(vm)?),
            false => Ok(None),
        },
        (x, Number::Float(y)) => match float_takes(op) {
            true => float::binary(vm, op, x.to_f64(vm)?, y),
            false => Ok(None),
        },
        (x, y) => integer::binary(vm, op, x, y),
    }
}

fn float_takes(op: Operator) -> bool {
    use Operator::*;
    matches!(op, Add | Sub | Mult | Div | Mod | Pow | FloorDiv)
}

/// `op a`, or `None` if it is no number (or a float, for `~`).
pub fn unary(vm: &Vm, op: UnaryOp, a: &Value) -> R<Option<Value>> {
    let Some(number) = Number::of(a) else { return Ok(complex::unary(vm, op, a)) };
    let result = match (op, number) {
        (UnaryOp::Not, number) => Value::bool(number.is_zero()),
        (UnaryOp::UAdd, number) => number.to_value(),
        (UnaryOp::USub, Number::Float(f)) => Value::float(-f),
        (UnaryOp::Invert, Number::Float(_)) => return Ok(None),
        (UnaryOp::USub, Number::Int(i)) => match i.checked_neg() {
            Some(negated) => Value::Int(negated),
            None => vm.heap.int128(-i128::from(i)),
        },
        (UnaryOp::Invert, Number::Int(i)) => Value::Int(!i),
        (UnaryOp::USub, Number::Big(big)) => {
            integer::check_bits(vm, integer::bits(&big.0))?;
            vm.heap.int(-&big.0)
        }
        (UnaryOp::Invert, Number::Big(big)) => {
            integer::check_bits(vm, integer::bits(&big.0))?;
            vm.heap.int(!&big.0)
        }
    };
    Ok(Some(result))
}

/// `abs(a)`, or `None` if it is no number.
pub fn absolute(vm: &Vm, a: &Value) -> R<Option<Value>> {
    match Number::of(a) {
        None => match complex::of(a) {
            Some(number) => complex::absolute(vm, number).map(|magnitude| Some(Value::float(magnitude))),
            None => Ok(None),
        },
        Some(Number::Float(f)) => Ok(Some(Value::float(f.abs()))),
        Some(number) if number.is_negative() => unary(vm, UnaryOp::USub, a),
        Some(number) => Ok(Some(number.to_value())),
    }
}

/// `divmod(a, b)` as quotient and remainder, or `None` if they are not both numbers.
pub fn divmod(vm: &Vm, a: &Value, b: &Value) -> R<Option<(Value, Value)>> {
    let (Some(x), Some(y)) = (Number::of(a), Number::of(b)) else { return Ok(None) };
    if let (Number::Float(_), _) | (_, Number::Float(_)) = (x, y) {
        let (x, y) = (x.to_f64(vm)?, y.to_f64(vm)?);
        if y == 0.0 {
            return Err(vm.zero_division_error("float divmod()"));
        }
        let (quotient, remainder) = float::divmod(x, y);
        return Ok(Some((Value::float(quotient), Value::float(remainder))));
    }
    if y.is_zero() {
        return Err(vm.zero_division_error("integer division or modulo by zero"));
    }
    integer::divmod(vm, x, y).map(Some)
}

/// `pow(a, b, modulus)`, or `None` if they are not all numbers.
pub fn power(vm: &Vm, a: &Value, b: &Value, modulus: &Value) -> R<Option<Value>> {
    if modulus.is_none() || modulus.is_undef() {
        return binary(vm, Operator::Pow, a, b);
    }
    let all = [a, b, modulus];
    if all.iter().any(|value| complex::of(value).is_some()) {
        let numbers = all.iter().all(|value| complex::of(value).is_some() || Number::of(value).is_some());
        return if numbers { Err(vm.value_error("complex modulo")) } else { Ok(None) };
    }
    let (Some(x), Some(y)) = (Number::of(a), Number::of(b)) else { return Ok(None) };
    let numbers = (Number::integer(a), Number::integer(b), Number::integer(modulus));
    match numbers {
        (Some(x), Some(y), Some(z)) => integer::pow_mod(vm, x, y, z).map(Some),
        _ if Number::of(modulus).is_none() && !matches!((x, y), (Number::Float(_), _) | (_, Number::Float(_))) => Ok(None),
        _ => Err(vm.type_error("pow() 3rd argument not allowed unless all arguments are integers")),
    }
}

/// `bool(a)`, or `None` if it is no number.
#[inline]
pub fn truth(a: &Value) -> Option<bool> {
    match Number::of(a) {
        Some(number) => Some(!number.is_zero()),
        None => complex::of(a).map(complex::truth),
    }
}

/// `hash(a)`, or `None` if it is no number. Equal numbers of different types hash alike.
pub fn hash(a: &Value) -> Option<i64> {
    Some(match Number::of(a)? {
        Number::Int(i) => crate::value::hash::int(i),
        Number::Float(f) => crate::value::hash::float(f),
        Number::Big(big) => integer::hash(&big.0),
    })
}
