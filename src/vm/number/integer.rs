//! Arithmetic of integers: machine words first, big integers where those overflow.

use dashu_int::ops::{BitTest, DivRem, UnsignedAbs};
use dashu_int::{IBig, Sign, UBig};

use super::{Number, float, huge};
use crate::syntax::ast::Operator;
use crate::value::{R, Value, hash as hashes};
use crate::vm::Vm;

/// The most bits an integer may have: 1 GiB, whatever the memory limit.
const MAX_BITS: u64 = 1 << 33;

/// Bits up to which a result is not worth counting its work.
const SHORT: u64 = 4096;

/// `a op b` for integers; `None` for `@`.
#[inline]
pub fn binary(vm: &Vm, op: Operator, a: Number<'_>, b: Number<'_>) -> R<Option<Value>> {
    if let (Number::Int(x), Number::Int(y)) = (a, b) { small(vm, op, x, y) } else { large(vm, op, a, b) }
}

#[inline]
fn small(vm: &Vm, op: Operator, x: i64, y: i64) -> R<Option<Value>> {
    let wide = match op {
        Operator::Add => match x.checked_add(y) {
            Some(sum) => return Ok(Some(Value::Int(sum))),
            None => i128::from(x) + i128::from(y),
        },
        Operator::Sub => match x.checked_sub(y) {
            Some(difference) => return Ok(Some(Value::Int(difference))),
            None => i128::from(x) - i128::from(y),
        },
        Operator::Mult => match x.checked_mul(y) {
            Some(product) => return Ok(Some(Value::Int(product))),
            None => i128::from(x) * i128::from(y),
        },
        Operator::BitAnd => return Ok(Some(Value::Int(x & y))),
        Operator::BitOr => return Ok(Some(Value::Int(x | y))),
        Operator::BitXor => return Ok(Some(Value::Int(x ^ y))),
        Operator::FloorDiv => match y {
            0 => return Err(vm.zero_division_error("integer division or modulo by zero")),
            -1 => -i128::from(x),
            y => return Ok(Some(Value::Int(floor_div(x, y)))),
        },
        Operator::Mod => match y {
            0 => return Err(vm.zero_division_error("integer modulo by zero")),
            -1 => 0,
            y => return Ok(Some(Value::Int(floor_mod(x, y)))),
        },
        Operator::Div => return divide_small(vm, x, y).map(Some),
        Operator::Pow => return power(vm, Number::Int(x), Number::Int(y)).map(Some),
        Operator::LShift if (0..64).contains(&y) => i128::from(x) << y,
        Operator::RShift if y >= 0 => return Ok(Some(Value::Int(x >> y.min(63)))),
        Operator::LShift => return shift_left(vm, Number::Int(x), Number::Int(y)).map(Some),
        Operator::RShift => return Err(vm.value_error("negative shift count")),
        Operator::MatMult => return Ok(None),
    };
    Ok(Some(vm.heap.int128(wide)))
}

/// The quotient rounded down. `y` is neither 0 nor -1.
#[inline]
fn floor_div(x: i64, y: i64) -> i64 {
    let quotient = x.wrapping_div(y);
    if x.wrapping_rem(y) != 0 && (x < 0) != (y < 0) { quotient - 1 } else { quotient }
}

/// The remainder with the divisor's sign. `y` is neither 0 nor -1.
#[inline]
fn floor_mod(x: i64, y: i64) -> i64 {
    let rest = x.wrapping_rem(y);
    if rest != 0 && (rest < 0) != (y < 0) { rest + y } else { rest }
}

#[inline]
fn divide_small(vm: &Vm, x: i64, y: i64) -> R {
    const EXACT: u64 = 1 << 53;
    if y == 0 {
        return Err(vm.zero_division_error("division by zero"));
    }
    if x.unsigned_abs() <= EXACT && y.unsigned_abs() <= EXACT {
        return Ok(Value::float(x as f64 / y as f64));
    }
    divide(vm, Number::Int(x), Number::Int(y))
}

#[cold]
#[inline(never)]
fn large(vm: &Vm, op: Operator, a: Number<'_>, b: Number<'_>) -> R<Option<Value>> {
    let result = match op {
        Operator::Add | Operator::Sub | Operator::BitAnd | Operator::BitOr | Operator::BitXor => linear(vm, op, a, b)?,
        Operator::Mult => multiply(vm, a, b)?,
        Operator::FloorDiv | Operator::Mod => {
            if b.is_zero() {
                let what = if op == Operator::Mod { "integer modulo by zero" } else { "integer division or modulo by zero" };
                return Err(vm.zero_division_error(what));
            }
            let (quotient, remainder) = divmod(vm, a, b)?;
            if op == Operator::Mod { remainder } else { quotient }
        }
        Operator::Div => {
            if b.is_zero() {
                return Err(vm.zero_division_error("division by zero"));
            }
            divide(vm, a, b)?
        }
        Operator::Pow => power(vm, a, b)?,
        Operator::LShift => shift_left(vm, a, b)?,
        Operator::RShift => shift_right(vm, a, b)?,
        Operator::MatMult => return Ok(None),
    };
    Ok(Some(result))
}

/// How many bits the magnitude has.
pub fn bits(big: &IBig) -> u64 {
    match big.sign() {
        Sign::Positive => big.bit_len() as u64,
        Sign::Negative => big.as_sign_words().1.iter().rev().find(|word| **word != 0).map_or(0, |word| {
            let words = big.as_sign_words().1.len() as u64;
            words * 64 - u64::from(word.leading_zeros())
        }),
    }
}

fn bits_of(number: Number<'_>) -> u64 {
    match number {
        Number::Int(i) => 64 - u64::from(i.unsigned_abs().leading_zeros()),
        Number::Big(big) => bits(&big.0),
        Number::Float(_) => 0,
    }
}

/// Before an integer of so many bits is made: memory, and the work of going over it once.
pub fn check_bits(vm: &Vm, bits: u64) -> R<()> {
    if bits <= SHORT {
        return Ok(());
    }
    if bits > MAX_BITS {
        return Err(vm.out_of_memory());
    }
    vm.check_alloc((bits / 8) as usize)?;
    vm.charge(bits / 64 / 64)
}

fn linear(vm: &Vm, op: Operator, a: Number<'_>, b: Number<'_>) -> R {
    check_bits(vm, bits_of(a).max(bits_of(b)) + 1)?;
    let result = match (a, b) {
        (Number::Big(a), Number::Big(b)) => apply(op, &a.0, &b.0),
        (Number::Big(a), b) => apply(op, &a.0, &b.to_big()),
        (a, Number::Big(b)) => apply(op, &a.to_big(), &b.0),
        (a, b) => apply(op, &a.to_big(), &b.to_big()),
    };
    Ok(vm.heap.int(result))
}

fn apply(op: Operator, a: &IBig, b: &IBig) -> IBig {
    match op {
        Operator::Add => a + b,
        Operator::Sub => a - b,
        Operator::BitAnd => a & b,
        Operator::BitOr => a | b,
        _ => a ^ b,
    }
}

fn multiply(vm: &Vm, a: Number<'_>, b: Number<'_>) -> R {
    let bits = bits_of(a) + bits_of(b);
    check_bits(vm, bits)?;
    let result = match (a, b) {
        (Number::Big(a), Number::Big(b)) if bits > SHORT => huge::multiply(vm, &a.0, &b.0)?,
        (Number::Big(a), Number::Big(b)) => &a.0 * &b.0,
        (Number::Big(a), Number::Int(b)) | (Number::Int(b), Number::Big(a)) => &a.0 * b,
        (a, b) => a.to_big() * b.to_big(),
    };
    Ok(vm.heap.int(result))
}

/// Quotient rounded down and remainder with the divisor's sign. The divisor is not 0.
pub fn divmod(vm: &Vm, a: Number<'_>, b: Number<'_>) -> R<(Value, Value)> {
    if let (Number::Int(x), Number::Int(y)) = (a, b) {
        if y == -1 {
            return Ok((vm.heap.int128(-i128::from(x)), Value::Int(0)));
        }
        return Ok((Value::Int(floor_div(x, y)), Value::Int(floor_mod(x, y))));
    }
    let (m, n) = (bits_of(a), bits_of(b));
    check_bits(vm, m)?;
    let (a, b) = (a.to_big(), b.to_big());
    let (quotient, remainder) =
        if m > SHORT && n > 64 { rounded_down(huge::div_rem(vm, &a, &b)?, &b) } else { divmod_big(&a, &b) };
    Ok((vm.heap.int(quotient), vm.heap.int(remainder)))
}

/// As `divmod`, without charge.
pub fn divmod_big(a: &IBig, b: &IBig) -> (IBig, IBig) {
    rounded_down(a.div_rem(b), b)
}

fn rounded_down((quotient, remainder): (IBig, IBig), divisor: &IBig) -> (IBig, IBig) {
    if !remainder.is_zero() && remainder.sign() != divisor.sign() {
        return (quotient - IBig::ONE, remainder + divisor);
    }
    (quotient, remainder)
}

/// `a / b` as the float nearest to the exact quotient. The divisor is not 0.
fn divide(vm: &Vm, a: Number<'_>, b: Number<'_>) -> R {
    check_bits(vm, bits_of(a).max(bits_of(b)))?;
    let negative = a.is_negative() != b.is_negative();
    let (a, b) = (a.to_big().unsigned_abs(), b.to_big().unsigned_abs());
    match quotient_to_f64(a, b) {
        Some(quotient) => Ok(Value::float(if negative { -quotient } else { quotient })),
        None => Err(vm.overflow_error("integer division result too large for a float")),
    }
}

/// The float nearest to `a / b`, ties to even; `None` if it is too large. `b` is not 0.
pub fn quotient_to_f64(a: UBig, b: UBig) -> Option<f64> {
    if a.is_zero() {
        return Some(0.0);
    }
    let difference = a.bit_len() as i64 - b.bit_len() as i64;
    if difference > 1025 {
        return None;
    }
    if difference < -1080 {
        return Some(0.0);
    }
    // The quotient is taken with two or three bits more than the result keeps; what lies below only matters as not being zero.
    let shift = difference.max(-1021) - 55;
    let (quotient, rest) = if shift <= 0 { (a << (-shift) as usize).div_rem(b) } else { a.div_rem(b << shift as usize) };
    let quotient = u64::try_from(quotient).ok()?;
    let length = 64 - i64::from(quotient.leading_zeros());
    let lowest = (length + shift - 53).max(-1074);
    let extra = (lowest - shift) as u32;
    let kept = quotient >> extra;
    let below = quotient & ((1 << extra) - 1);
    let half = 1u64 << (extra - 1);
    let up = below > half || below == half && (!rest.is_zero() || kept & 1 == 1);
    let result = float::scale((kept + u64::from(up)) as f64, lowest as i32);
    result.is_finite().then_some(result)
}

/// A big integer as the nearest float, `OverflowError` beyond the largest.
pub fn big_to_f64(vm: &Vm, big: &IBig) -> R<f64> {
    let nearest = if bits(big) > 1024 { f64::INFINITY } else { big.to_f64().value() };
    match nearest.is_finite() {
        true => Ok(nearest),
        false => Err(vm.overflow_error("int too large to convert to float")),
    }
}

fn power(vm: &Vm, a: Number<'_>, b: Number<'_>) -> R {
    if b.is_negative() {
        let (base, exponent) = (a.to_f64(vm)?, b.to_f64(vm)?);
        return float::power(vm, base, exponent);
    }
    if b.is_zero() {
        return Ok(Value::Int(1));
    }
    match a {
        Number::Int(0 | 1) => return Ok(a.to_value()),
        Number::Int(-1) => return Ok(Value::Int(if is_odd(b) { -1 } else { 1 })),
        _ => {}
    }
    // The base is at least 2, so no larger exponent can be served.
    let Number::Int(exponent) = b else { return Err(vm.out_of_memory()) };
    if let Number::Int(base) = a
        && let Ok(exponent) = u32::try_from(exponent)
        && let Some(result) = base.checked_pow(exponent)
    {
        return Ok(Value::Int(result));
    }
    // A power of two has one bit fewer per step than others of its length.
    let length = match a {
        Number::Int(i) if i.unsigned_abs().is_power_of_two() => u64::from(i.unsigned_abs().trailing_zeros()),
        a => bits_of(a),
    };
    let result_bits = length.saturating_mul(exponent as u64).saturating_add(1);
    check_bits(vm, result_bits)?;
    let base = a.to_big();
    let power = if result_bits > SHORT { huge::power(vm, base, exponent as u64)? } else { base.pow(exponent as usize) };
    Ok(vm.heap.int(power))
}

fn is_odd(number: Number<'_>) -> bool {
    match number {
        Number::Int(i) => i & 1 == 1,
        Number::Big(big) => big.0.bit(0),
        Number::Float(_) => false,
    }
}

/// `pow(base, exponent, modulus)`.
pub fn pow_mod(vm: &Vm, base: Number<'_>, exponent: Number<'_>, modulus: Number<'_>) -> R {
    if modulus.is_zero() {
        return Err(vm.value_error("pow() 3rd argument cannot be 0"));
    }
    let length = bits_of(modulus);
    check_bits(vm, bits_of(base).max(length).saturating_mul(2))?;
    let signed_modulus = modulus.to_big();
    let magnitude = signed_modulus.clone().unsigned_abs();
    let Some(power) = huge::power_modulo(vm, &base.to_big(), &exponent.to_big(), &magnitude)? else {
        return Err(vm.value_error("base is not invertible for the given modulus"));
    };
    let result = IBig::from(power);
    let result = if modulus.is_negative() && !result.is_zero() { result + signed_modulus } else { result };
    Ok(vm.heap.int(result))
}

fn shift_left(vm: &Vm, a: Number<'_>, b: Number<'_>) -> R {
    if b.is_negative() {
        return Err(vm.value_error("negative shift count"));
    }
    if a.is_zero() {
        return Ok(Value::Int(0));
    }
    let Number::Int(count) = b else { return Err(vm.overflow_error("too many digits in integer")) };
    check_bits(vm, bits_of(a).saturating_add(count as u64))?;
    Ok(vm.heap.int(a.to_big() << count as usize))
}

fn shift_right(vm: &Vm, a: Number<'_>, b: Number<'_>) -> R {
    if b.is_negative() {
        return Err(vm.value_error("negative shift count"));
    }
    let everything = Value::Int(if a.is_negative() { -1 } else { 0 });
    let Number::Int(count) = b else { return Ok(everything) };
    match a {
        Number::Big(big) if (count as u64) < bits(&big.0) => {
            check_bits(vm, bits(&big.0) - count as u64)?;
            Ok(vm.heap.int(&big.0 >> count as usize))
        }
        Number::Int(i) => Ok(Value::Int(i >> count.min(63))),
        _ => Ok(everything),
    }
}

/// The hash of a big integer: the value modulo 2^61 - 1, with its sign, and -2 in place of -1.
pub fn hash(big: &IBig) -> i64 {
    let (sign, words) = big.as_sign_words();
    let mut rest: u128 = 0;
    for word in words.iter().rev() {
        rest = ((rest << 64) | u128::from(*word)) % u128::from(hashes::MODULUS);
    }
    match if sign == Sign::Negative { -(rest as i64) } else { rest as i64 } {
        -1 => -2,
        hash => hash,
    }
}

/// `round(number, digits)` for an integer: to a multiple of a power of ten if `digits` is negative, ties to even.
pub fn round(vm: &Vm, number: Number<'_>, digits: Number<'_>) -> R {
    if !digits.is_negative() {
        return Ok(number.to_value());
    }
    // Ten to the power of the number of decimal digits, and one, exceeds twice the number.
    let decimals = bits_of(number) * 30_103 / 100_000 + 2;
    let places = match digits {
        Number::Int(digits) if digits.unsigned_abs() <= decimals => digits.unsigned_abs(),
        _ => return Ok(Value::Int(0)),
    };
    let unit = power(vm, Number::Int(10), Number::Int(places as i64))?;
    let Some(unit_number) = Number::of(&unit) else { return Ok(number.to_value()) };
    let (_, rest) = divmod(vm, number, unit_number)?;
    let Some(rest) = Number::of(&rest) else { return Ok(number.to_value()) };
    let (number, unit, rest) = (number.to_big(), unit_number.to_big(), rest.to_big());
    let down = &number - &rest;
    let doubled = &rest * IBig::from(2);
    let up = match doubled.cmp(&unit) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Equal => (&down / &unit).bit(0),
    };
    Ok(vm.heap.int(if up { down + unit } else { down }))
}

/// `number.bit_length()`.
pub fn bit_length(number: Number<'_>) -> u64 {
    bits_of(number)
}

/// `number.bit_count()`: ones in the magnitude.
pub fn bit_count(number: Number<'_>) -> u64 {
    match number {
        Number::Int(i) => u64::from(i.unsigned_abs().count_ones()),
        Number::Big(big) => big.0.as_sign_words().1.iter().map(|word| u64::from(word.count_ones())).sum(),
        Number::Float(_) => 0,
    }
}
