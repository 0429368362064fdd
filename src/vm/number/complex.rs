//! Arithmetic, comparison, hash and text of complex numbers. `number/mod.rs` comes here when an operand is one; `cmath` computes with
//! the same type.

use std::cmp::Ordering;
use std::ops::{Add, Mul, Neg, Sub};

use super::{Number, parse, print};
use crate::syntax::ast::{CmpOp, Operator, UnaryOp};
use crate::value::{Complex, R, Ref, Value};
use crate::vm::Vm;

/// Exponents up to here are powers by multiplication.
const SMALL_EXPONENT: f64 = 100.0;

impl Add for Complex {
    type Output = Complex;
    fn add(self, other: Complex) -> Complex {
        Complex::new(self.real + other.real, self.imag + other.imag)
    }
}

impl Sub for Complex {
    type Output = Complex;
    fn sub(self, other: Complex) -> Complex {
        Complex::new(self.real - other.real, self.imag - other.imag)
    }
}

impl Mul for Complex {
    type Output = Complex;
    fn mul(self, other: Complex) -> Complex {
        let (a, b) = (self, other);
        Complex::new(a.real * b.real - a.imag * b.imag, a.real * b.imag + a.imag * b.real)
    }
}

impl Neg for Complex {
    type Output = Complex;
    fn neg(self) -> Complex {
        Complex::new(-self.real, -self.imag)
    }
}

impl Complex {
    /// The quotient by Smith's method, which does not overflow on the way; nothing for a divisor of 0.
    pub fn divided_by(self, other: Complex) -> Option<Complex> {
        let (a, b) = (self, other);
        let (real, imag) = (b.real.abs(), b.imag.abs());
        if real >= imag {
            if real == 0.0 {
                return None;
            }
            let ratio = b.imag / b.real;
            let scale = b.real + b.imag * ratio;
            Some(Complex::new((a.real + a.imag * ratio) / scale, (a.imag - a.real * ratio) / scale))
        } else if imag >= real {
            let ratio = b.real / b.imag;
            let scale = b.real * ratio + b.imag;
            Some(Complex::new((a.real * ratio + a.imag) / scale, (a.imag * ratio - a.real) / scale))
        } else {
            Some(Complex::new(f64::NAN, f64::NAN))
        }
    }

    /// The distance from 0.
    pub fn magnitude(self) -> f64 {
        if self.real.is_infinite() || self.imag.is_infinite() { f64::INFINITY } else { libm::hypot(self.real, self.imag) }
    }

    /// Whether neither part is infinite or NaN.
    pub fn is_finite(self) -> bool {
        self.real.is_finite() && self.imag.is_finite()
    }

    /// `self ** exponent`; nothing for 0 to a power that has no value.
    fn power(self, exponent: Complex) -> Option<Complex> {
        if exponent.imag == 0.0 && exponent.real == exponent.real.floor() && exponent.real.abs() <= SMALL_EXPONENT {
            let product = self.multiplied(exponent.real.abs() as u32);
            return if exponent.real < 0.0 { Complex::new(1.0, 0.0).divided_by(product) } else { Some(product) };
        }
        if self == Complex::new(0.0, 0.0) {
            return if exponent.imag != 0.0 || exponent.real < 0.0 { None } else { Some(Complex::new(0.0, 0.0)) };
        }
        let magnitude = self.magnitude();
        let angle = self.imag.atan2(self.real);
        let mut length = magnitude.powf(exponent.real);
        let mut phase = angle * exponent.real;
        if exponent.imag != 0.0 {
            length *= (-angle * exponent.imag).exp();
            phase += exponent.imag * magnitude.ln();
        }
        Some(Complex::new(length * phase.cos(), length * phase.sin()))
    }

    fn multiplied(self, times: u32) -> Complex {
        let (mut result, mut square) = (Complex::new(1.0, 0.0), self);
        let mut bit = 1;
        while bit <= times {
            if times & bit != 0 {
                result = result * square;
            }
            bit <<= 1;
            square = square * square;
        }
        result
    }
}

/// The complex number that a value is, if it is one (or derived from one).
pub fn of(value: &Value) -> Option<Complex> {
    value.payload::<Complex>().map(|number| **number)
}

/// The number that a value is, as a complex one.
fn widened(vm: &Vm, value: &Value) -> R<Option<Complex>> {
    match of(value) {
        Some(number) => Ok(Some(number)),
        None => match Number::of(value) {
            Some(real) => Ok(Some(Complex::new(real.to_f64(vm)?, 0.0))),
            None => Ok(None),
        },
    }
}

/// Both operands, if one of them is complex and both are numbers.
fn operands(vm: &Vm, a: &Value, b: &Value) -> R<Option<(Complex, Complex)>> {
    if of(a).is_none() && of(b).is_none() {
        return Ok(None);
    }
    Ok(widened(vm, a)?.zip(widened(vm, b)?))
}

/// `a op b`, or `None` if none is complex, one is no number, or the operator is not for complex numbers.
#[cold]
#[inline(never)]
pub fn binary(vm: &Vm, op: Operator, a: &Value, b: &Value) -> R<Option<Value>> {
    if !matches!(op, Operator::Add | Operator::Sub | Operator::Mult | Operator::Div | Operator::Pow) {
        return Ok(None);
    }
    let Some((a, b)) = operands(vm, a, b)? else { return Ok(None) };
    let result = match op {
        Operator::Add => a + b,
        Operator::Sub => a - b,
        Operator::Mult => a * b,
        Operator::Div => a.divided_by(b).ok_or_else(|| vm.zero_division_error("complex division by zero"))?,
        _ => return power(vm, a, b).map(Some),
    };
    Ok(Some(Value::from(vm.heap.complex(result))))
}

/// `a ** b`.
pub fn power(vm: &Vm, a: Complex, b: Complex) -> R {
    let Some(result) = a.power(b) else {
        return Err(vm.zero_division_error("0.0 to a negative or complex power"));
    };
    if result.real.is_infinite() || result.imag.is_infinite() {
        return Err(vm.overflow_error("complex exponentiation"));
    }
    Ok(Value::from(vm.heap.complex(result)))
}

/// `op a`, or `None` if it is not complex (or the operator is not for it).
#[cold]
pub fn unary(vm: &Vm, op: UnaryOp, a: &Value) -> Option<Value> {
    let number = of(a)?;
    Some(match op {
        UnaryOp::Not => Value::bool(!truth(number)),
        UnaryOp::UAdd => Value::from(vm.heap.complex(number)),
        UnaryOp::USub => Value::from(vm.heap.complex(-number)),
        UnaryOp::Invert => return None,
    })
}

/// `abs(a)`.
pub fn absolute(vm: &Vm, a: Complex) -> R<f64> {
    let magnitude = a.magnitude();
    if magnitude.is_infinite() && a.is_finite() {
        return Err(vm.overflow_error("absolute value too large"));
    }
    Ok(magnitude)
}

/// Equality with another number; `None` for orderings, or if they are not both numbers.
#[cold]
pub fn compare(op: CmpOp, a: &Value, b: &Value) -> Option<Value> {
    let equal = match (of(a), of(b)) {
        (Some(a), Some(b)) => a == b,
        (Some(a), None) => equals_real(a, b)?,
        (None, Some(b)) => equals_real(b, a)?,
        (None, None) => return None,
    };
    match op {
        CmpOp::Eq => Some(Value::bool(equal)),
        CmpOp::NotEq => Some(Value::bool(!equal)),
        _ => None,
    }
}

fn equals_real(number: Complex, real: &Value) -> Option<bool> {
    let order = super::compare(&Value::float(number.real), real)?;
    Some(number.imag == 0.0 && order == Some(Ordering::Equal))
}

/// Whether it is not 0.
pub fn truth(number: Complex) -> bool {
    number.real != 0.0 || number.imag != 0.0
}

/// The hash: that of the real part for numbers that equal a real one.
pub fn hash(number: &Ref<Complex>) -> i64 {
    let part = |f: f64| match f.is_nan() {
        true => crate::value::hash::int((number.address() >> 4) as i64),
        false => crate::value::hash::float(f),
    };
    let combined = part(number.real).wrapping_add(part(number.imag).wrapping_mul(1_000_003));
    if combined == -1 { -2 } else { combined }
}

/// `repr(number)`.
pub fn repr(number: Complex) -> String {
    let imag = print::shortest(number.imag);
    if number.real == 0.0 && number.real.is_sign_positive() {
        return format!("{imag}j");
    }
    let sign = if imag.starts_with('-') { "" } else { "+" };
    format!("({}{sign}{imag}j)", print::shortest(number.real))
}

/// Why a text is no complex number.
pub enum ParseError {
    Malformed,
    /// An underscore is not between digits.
    Underscore,
}

/// The number that `text` writes, as `complex()` accepts it: two floats, the second with a sign and a `j`, or one of the two;
/// perhaps in parentheses.
pub fn parse(text: &str) -> Result<Complex, ParseError> {
    let text = parse::trim(text);
    let inner = match text.strip_prefix('(') {
        Some(rest) => parse::trim(rest.strip_suffix(')').ok_or(ParseError::Malformed)?),
        None => text,
    };
    if inner.contains('_') {
        let digit = |c: Option<char>| c.is_some_and(|c| crate::vm::characters::decimal(c).is_some());
        let placed = |(at, _)| digit(inner[..at].chars().next_back()) && digit(inner[at + 1..].chars().next());
        if !inner.match_indices('_').all(placed) {
            return Err(ParseError::Underscore);
        }
    }
    let float = |text: &str| match text.starts_with(parse::is_blank) || text.ends_with(parse::is_blank) {
        true => Err(ParseError::Malformed),
        false => parse::float(text).ok_or(ParseError::Malformed),
    };
    let Some(body) = inner.strip_suffix(['j', 'J']) else { return Ok(Complex::new(float(inner)?, 0.0)) };
    // The sign of the imaginary part is the last one that is not an exponent's.
    let bytes = body.as_bytes();
    let split = (0..bytes.len()).rev().find(|&at| {
        matches!(bytes[at], b'+' | b'-') && (at == 0 || !matches!(bytes[at - 1], b'e' | b'E') || at == bytes.len() - 1)
    });
    let (real, imag) = body.split_at(split.unwrap_or(0));
    let imag = match imag {
        "" | "+" => 1.0,
        "-" => -1.0,
        imag => float(imag)?,
    };
    Ok(Complex::new(if real.is_empty() { 0.0 } else { float(real)? }, imag))
}
