//! Machine numbers (`value/scalar.rs`) from and to bytes. `memoryview`, `array` and `struct` word the errors, each in its way.

use dashu_int::IBig;

use super::Vm;
use crate::value::scalar::Scalar;
use crate::value::{BigInt, Raised, Value};

/// Why a value cannot be written.
pub enum Unfit {
    /// It is of the wrong type.
    Type,
    /// It is out of range.
    Range,
    /// Converting it has raised an exception.
    Raised(Raised),
}

/// The element in these bytes, which are as many as it takes.
pub fn read(vm: &Vm, scalar: Scalar, bytes: &[u8], big_endian: bool) -> Value {
    match scalar {
        Scalar::Bool => Value::bool(bytes.iter().any(|byte| *byte != 0)),
        Scalar::Char => Value::from(vm.heap.bytes_object(bytes)),
        Scalar::Signed(size) => {
            let shift = 64 - 8 * size as u32;
            Value::Int((bits(bytes, big_endian) << shift) as i64 >> shift)
        }
        Scalar::Unsigned(_) => vm.heap.int128(i128::from(bits(bytes, big_endian))),
        Scalar::Half => Value::float(half_to_f64(bits(bytes, big_endian) as u16)),
        Scalar::Float => Value::float(f64::from(f32::from_bits(bits(bytes, big_endian) as u32))),
        Scalar::Double => Value::float(f64::from_bits(bits(bytes, big_endian))),
    }
}

/// Up to eight bytes as an unsigned number.
fn bits(bytes: &[u8], big_endian: bool) -> u64 {
    let push = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
    if big_endian { bytes.iter().fold(0, push) } else { bytes.iter().rev().fold(0, push) }
}

/// The bytes of a value as such an element: the first `scalar.size()` of what is returned. A finite float that is too large
/// becomes infinite if `overflow` allows it.
pub fn write(vm: &Vm, scalar: Scalar, value: &Value, big_endian: bool, overflow: bool) -> Result<[u8; 8], Unfit> {
    let number = match scalar {
        Scalar::Bool => u64::from(vm.truthy(value).map_err(Unfit::Raised)?),
        Scalar::Char => match super::binary::bytes_of(value) {
            Some(data) if data.len() == 1 => u64::from(data[0]),
            Some(_) => return Err(Unfit::Range),
            None => return Err(Unfit::Type),
        },
        Scalar::Signed(size) => {
            let number = integer(vm, value)?;
            let limit = 1i128 << (8 * size - 1);
            if !(-limit..limit).contains(&number) {
                return Err(Unfit::Range);
            }
            number as u64
        }
        Scalar::Unsigned(size) => {
            let number = integer(vm, value)?;
            if !(0..1i128 << (8 * size)).contains(&number) {
                return Err(Unfit::Range);
            }
            number as u64
        }
        Scalar::Half => match f64_to_half(float(vm, value)?) {
            Some(half) => u64::from(half),
            None => return Err(Unfit::Range),
        },
        Scalar::Float => {
            let wide = float(vm, value)?;
            let narrow = wide as f32;
            if narrow.is_infinite() && wide.is_finite() && !overflow {
                return Err(Unfit::Range);
            }
            u64::from(narrow.to_bits())
        }
        Scalar::Double => float(vm, value)?.to_bits(),
    };
    let mut bytes = number.to_le_bytes();
    if big_endian {
        bytes[..scalar.size()].reverse();
    }
    Ok(bytes)
}

/// The integer that a value is; one that no element can hold is given as far beyond.
fn integer(vm: &Vm, value: &Value) -> Result<i128, Unfit> {
    if !vm.has_index(value) {
        return Err(Unfit::Type);
    }
    match vm.index(value).map_err(Unfit::Raised)? {
        Value::Int(i) => Ok(i128::from(i)),
        big => {
            let big = big.downcast::<BigInt>().map(|big| &big.0);
            let far = if big.is_some_and(|big| *big < IBig::ZERO) { i128::MIN } else { i128::MAX };
            Ok(big.and_then(|big| i128::try_from(big).ok()).unwrap_or(far))
        }
    }
}

fn float(vm: &Vm, value: &Value) -> Result<f64, Unfit> {
    match vm.to_f64(value) {
        Ok(float) => Ok(float),
        Err(_) if vm.raised_is(&vm.types.type_error) => {
            drop(vm.take_raised());
            Err(Unfit::Type)
        }
        Err(raised) => Err(Unfit::Raised(raised)),
    }
}

/// The float that the 16 bits of a half-precision float stand for.
pub fn half_to_f64(half: u16) -> f64 {
    let sign = if half & 0x8000 != 0 { -1.0 } else { 1.0 };
    let fraction = f64::from(half & 0x3ff);
    match half >> 10 & 0x1f {
        0 => sign * fraction * 2f64.powi(-24),
        0x1f if fraction == 0.0 => sign * f64::INFINITY,
        0x1f => f64::NAN.copysign(sign),
        exponent => sign * (1024.0 + fraction) * 2f64.powi(i32::from(exponent) - 25),
    }
}

/// The nearest half-precision float, ties to even; nothing for a finite number that is too large.
pub fn f64_to_half(f: f64) -> Option<u16> {
    let sign = if f.is_sign_negative() { 0x8000 } else { 0 };
    if f.is_nan() {
        return Some(sign | 0x7e00);
    }
    if f.is_infinite() {
        return Some(sign | 0x7c00);
    }
    let magnitude = f.abs();
    let exponent = (magnitude.to_bits() >> 52) as i32 - 1023;
    // In units of the last place, of which subnormal numbers have fewer.
    let unit = exponent.max(-14) - 10;
    let units = (magnitude * 2f64.powi(-unit)).round_ties_even() as u32;
    let bits = if exponent < -14 { units } else { ((exponent + 14) as u32) * 1024 + units };
    // Rounding up to the next power of two carries into the exponent, as it should.
    if exponent > 15 || bits >= 0x7c00 { None } else { Some(sign | bits as u16) }
}
