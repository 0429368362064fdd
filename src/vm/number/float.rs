//! Arithmetic of floats: Python's sign rules for `//` and `%`, errors in place of infinities, rounding to decimal places.

use dashu_int::ops::UnsignedAbs;
use dashu_int::{IBig, Sign};

use super::{Number, complex, integer};
use crate::syntax::ast::Operator;
use crate::value::{Complex, R, Value};
use crate::vm::Vm;

/// `a op b` for floats; `None` for operators that floats do not have.
#[inline]
pub fn binary(vm: &Vm, op: Operator, a: f64, b: f64) -> R<Option<Value>> {
    let result = match op {
        Operator::Add => a + b,
        Operator::Sub => a - b,
        Operator::Mult => a * b,
        Operator::Div if b == 0.0 => return Err(vm.zero_division_error("float division by zero")),
        Operator::Div => a / b,
        Operator::FloorDiv if b == 0.0 => return Err(vm.zero_division_error("float floor division by zero")),
        Operator::FloorDiv => divmod(a, b).0,
        Operator::Mod if b == 0.0 => return Err(vm.zero_division_error("float modulo")),
        Operator::Mod => modulo(a, b),
        Operator::Pow => return power(vm, a, b).map(Some),
        _ => return Ok(None),
    };
    Ok(Some(Value::float(result)))
}

/// The remainder with the divisor's sign. The divisor is not 0.
pub fn modulo(a: f64, b: f64) -> f64 {
    let rest = a % b;
    if rest == 0.0 {
        return 0.0f64.copysign(b);
    }
    if (b < 0.0) != (rest < 0.0) { rest + b } else { rest }
}

/// Quotient rounded down and remainder. The divisor is not 0.
pub fn divmod(a: f64, b: f64) -> (f64, f64) {
    let truncated = a % b;
    let rest = modulo(a, b);
    let mut quotient = (a - truncated) / b;
    if truncated != 0.0 && (b < 0.0) != (truncated < 0.0) {
        quotient -= 1.0;
    }
    if quotient == 0.0 {
        return (0.0f64.copysign(a / b), rest);
    }
    let floor = quotient.floor();
    (if quotient - floor > 0.5 { floor + 1.0 } else { floor }, rest)
}

/// `a ** b`: a complex number for a negative one to a fractional power.
pub fn power(vm: &Vm, a: f64, b: f64) -> R {
    if a == 0.0 && b < 0.0 {
        return Err(vm.zero_division_error("0.0 cannot be raised to a negative power"));
    }
    if a < 0.0 && a.is_finite() && b.is_finite() && b != b.floor() {
        return complex::power(vm, Complex::new(a, 0.0), Complex::new(b, 0.0));
    }
    let result = a.powf(b);
    if result.is_infinite() && a.is_finite() && b.is_finite() {
        let args = vec![Value::Int(34), vm.str_value("Numerical result out of range")];
        return Err(vm.raise_with(&vm.types.overflow_error, args));
    }
    Ok(Value::float(result))
}

/// `mantissa * 2 ** exponent`, exact where the result can be; an infinity if it is too large.
pub fn scale(mantissa: f64, exponent: i32) -> f64 {
    if exponent < -1022 {
        // Twice, because the power alone would be subnormal. Exact when the result is.
        return scale(mantissa, exponent + 600) * 2f64.powi(-600);
    }
    if exponent > 1023 {
        return if exponent > 2200 { mantissa * f64::INFINITY } else { scale(mantissa, exponent - 600) * 2f64.powi(600) };
    }
    mantissa * f64::from_bits(((exponent + 1023) as u64) << 52)
}

/// A finite float as mantissa and exponent of two: `f == mantissa * 2 ** exponent`.
pub fn parts(f: f64) -> (i64, i32) {
    let bits = f.to_bits();
    let raw = (bits >> 52 & 0x7FF) as i32;
    let fraction = (bits & ((1 << 52) - 1)) as i64;
    let mantissa = if raw == 0 { fraction } else { fraction | 1 << 52 };
    (if f.is_sign_negative() { -mantissa } else { mantissa }, raw.max(1) - 1075)
}

/// The integer part; `None` for infinities and NaN.
pub fn trunc_to_big(f: f64) -> Option<IBig> {
    if !f.is_finite() {
        return None;
    }
    let (mantissa, exponent) = parts(f.trunc());
    Some(if exponent >= 0 {
        IBig::from(mantissa) << exponent as usize
    } else {
        // Whole, so what is shifted out is zero.
        let magnitude = if exponent > -64 { mantissa.unsigned_abs() >> -exponent } else { 0 };
        if mantissa < 0 { -IBig::from(magnitude) } else { IBig::from(magnitude) }
    })
}

/// `int(f)` for a whole or fractional float.
pub fn to_int(vm: &Vm, f: f64) -> R {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if (-LIMIT..LIMIT).contains(&f) {
        return Ok(Value::Int(f as i64));
    }
    match trunc_to_big(f) {
        Some(whole) => Ok(vm.heap.int(whole)),
        None if f.is_nan() => Err(vm.value_error("cannot convert float NaN to integer")),
        None => Err(vm.overflow_error("cannot convert float infinity to integer")),
    }
}

/// `round(f)`: to the nearest integer, ties to even.
pub fn round_to_int(vm: &Vm, f: f64) -> R {
    to_int(vm, f.round_ties_even())
}

/// `round(f, digits)`: to the nearest decimal, ties (of the exact binary value) to even.
pub fn round(vm: &Vm, f: f64, digits: i64) -> R<f64> {
    if !f.is_finite() || f == 0.0 || digits > 323 {
        return Ok(f);
    }
    if digits < -308 {
        return Ok(0.0f64.copysign(f));
    }
    if digits >= 0 {
        let rounded = super::print::fixed(f, digits as usize).parse().unwrap_or(f);
        return Ok(rounded);
    }
    let whole = trunc_to_big(f).unwrap_or_default();
    let unit = IBig::from(10).pow(digits.unsigned_abs() as usize);
    let magnitude = IBig::from(whole.unsigned_abs());
    let (quotient, rest) = integer::divmod_big(&magnitude, &unit);
    let up = match (&rest * IBig::from(2)).cmp(&unit) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Equal => f.fract() != 0.0 || (&quotient & IBig::ONE).is_one(),
    };
    let rounded = (if up { quotient + IBig::ONE } else { quotient }) * unit;
    let nearest = if integer::bits(&rounded) > 1024 { f64::INFINITY } else { rounded.to_f64().value() };
    if nearest.is_infinite() {
        return Err(vm.overflow_error("rounded value too large to represent"));
    }
    Ok(nearest.copysign(f))
}

/// `f.as_integer_ratio()`.
pub fn ratio(vm: &Vm, f: f64) -> R<(Value, Value)> {
    if f.is_nan() {
        return Err(vm.value_error("cannot convert NaN to integer ratio"));
    }
    if f.is_infinite() {
        return Err(vm.overflow_error("cannot convert Infinity to integer ratio"));
    }
    let (mut mantissa, mut exponent) = parts(f);
    if mantissa == 0 {
        return Ok((Value::Int(0), Value::Int(1)));
    }
    let even = (mantissa.trailing_zeros() as i32).min(if exponent < 0 { -exponent } else { 0 });
    mantissa >>= even;
    exponent += even;
    if exponent >= 0 {
        return Ok((vm.heap.int(IBig::from(mantissa) << exponent as usize), Value::Int(1)));
    }
    Ok((Value::Int(mantissa), vm.heap.int(IBig::ONE << (-exponent) as usize)))
}

/// `f.hex()`.
pub fn hex(f: f64) -> String {
    if f.is_nan() {
        return "nan".to_owned();
    }
    let sign = if f.is_sign_negative() { "-" } else { "" };
    if f.is_infinite() {
        return format!("{sign}inf");
    }
    if f == 0.0 {
        return format!("{sign}0x0.0p+0");
    }
    let bits = f.to_bits();
    let raw = (bits >> 52 & 0x7FF) as i32;
    let fraction = bits & ((1 << 52) - 1);
    let (lead, exponent) = if raw == 0 { (0, -1022) } else { (1, raw - 1023) };
    format!("{sign}0x{lead}.{fraction:013x}p{exponent:+}")
}

/// What is wrong with a hexadecimal float.
pub enum HexError {
    Invalid,
    TooLarge,
}

/// `float.fromhex(text)`.
pub fn from_hex(text: &str) -> Result<f64, HexError> {
    let text = text.trim_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c']);
    let (negative, rest) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let signed = |f: f64| if negative { -f } else { f };
    let lower = rest.to_ascii_lowercase();
    match lower.as_str() {
        "inf" | "infinity" => return Ok(signed(f64::INFINITY)),
        "nan" => return Ok(signed(f64::NAN)),
        _ => {}
    }
    let digits = lower.strip_prefix("0x").unwrap_or(&lower);
    let (mantissa, exponent) = match digits.split_once('p') {
        Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
        None => (digits, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = whole.len() + fraction.len();
    if all == 0 || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_hexdigit()) {
        return Err(HexError::Invalid);
    }
    // Digits beyond 64 bits only matter as not being zero.
    let mut value: u64 = 0;
    let mut shift = exponent.saturating_sub(4 * fraction.len() as i64);
    let mut sticky = false;
    for digit in whole.bytes().chain(fraction.bytes()) {
        let digit = u64::from((digit as char).to_digit(16).unwrap_or(0));
        if value >> 60 == 0 {
            value = value << 4 | digit;
        } else {
            sticky |= digit != 0;
            shift = shift.saturating_add(4);
        }
    }
    if value == 0 {
        return Ok(signed(0.0));
    }
    let length = 64 - i64::from(value.leading_zeros());
    if shift.saturating_add(length) > 1024 {
        return Err(HexError::TooLarge);
    }
    if shift.saturating_add(length) < -1080 {
        return Ok(signed(0.0));
    }
    let lowest = (length + shift - 53).max(-1074);
    let wide = u128::from(value) << 1 | u128::from(sticky);
    let extra = lowest - (shift - 1);
    let rounded = if extra <= 0 {
        scale(value as f64, shift as i32)
    } else {
        let extra = extra.min(127) as u32;
        let kept = wide >> extra;
        let below = wide & ((1 << extra) - 1);
        let half = 1u128 << (extra - 1);
        let up = below > half || below == half && kept & 1 == 1;
        scale((kept + u128::from(up)) as f64, lowest as i32)
    };
    if rounded.is_infinite() { Err(HexError::TooLarge) } else { Ok(signed(rounded)) }
}

fn parse_exponent(text: &str) -> Result<i64, HexError> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(HexError::Invalid);
    }
    let magnitude = digits.parse::<i64>().unwrap_or(i64::MAX / 4).min(i64::MAX / 4);
    Ok(if text.starts_with('-') { -magnitude } else { magnitude })
}

/// `float(number)`.
pub fn of(vm: &Vm, number: Number<'_>) -> R {
    number.to_f64(vm).map(Value::float)
}

/// The sign of a float as big integers have it.
pub fn sign(f: f64) -> Sign {
    if f.is_sign_negative() { Sign::Negative } else { Sign::Positive }
}
