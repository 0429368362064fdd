//! Numbers as text: `str` and `repr` of integers and floats.

use std::cell::Cell;
use std::fmt::Write;

use dashu_int::IBig;

use super::{Number, huge, integer};
use crate::value::R;
use crate::vm::Vm;

/// How many digits an integer may have where text and numbers are converted in a base that is no power of two (quadratic work);
/// 0 for no limit. `sys.set_int_max_str_digits` changes it.
pub struct DigitLimit(pub Cell<usize>);

impl Default for DigitLimit {
    fn default() -> DigitLimit {
        DigitLimit(Cell::new(4300))
    }
}

/// The limit in force.
pub fn digit_limit(vm: &Vm) -> usize {
    vm.extension(DigitLimit::default).0.get()
}

/// Changes the limit; 0 for none.
pub fn set_digit_limit(vm: &Vm, digits: usize) {
    vm.extension(DigitLimit::default).0.set(digits);
}

/// `repr` of a number.
pub fn number(vm: &Vm, number: Number<'_>) -> R<String> {
    match number {
        Number::Int(i) => Ok(i.to_string()),
        Number::Float(f) => Ok(float(f)),
        Number::Big(big) => decimal(vm, &big.0),
    }
}

/// The decimal digits of a big integer, within the limit.
pub fn decimal(vm: &Vm, big: &IBig) -> R<String> {
    let limit = digit_limit(vm);
    let about = (integer::bits(big) as f64 * std::f64::consts::LOG10_2) as usize;
    if limit != 0 && about > limit + 1 {
        return Err(too_large(vm, limit));
    }
    vm.check_alloc(about + 2)?;
    let text = if about <= 1000 { big.to_string() } else { huge::decimal(vm, big)? };
    if limit != 0 && text.trim_start_matches('-').len() > limit {
        return Err(too_large(vm, limit));
    }
    Ok(text)
}

#[cold]
fn too_large(vm: &Vm, limit: usize) -> crate::value::Raised {
    vm.value_error(format!(
        "Exceeds the limit ({limit} digits) for integer string conversion; use sys.set_int_max_str_digits() to increase the limit"
    ))
}

/// `repr(f)`: the shortest digits that read back as `f`.
pub fn float(f: f64) -> String {
    let mut text = shortest(f);
    if !text.contains(['.', 'e', 'n', 'i']) {
        text.push_str(".0");
    }
    text
}

/// From here on a float may lie in the middle between two shortest decimals. Python takes the even one; Rust does so only when told
/// how many digits to write.
const TIES: f64 = 1e13;

/// As `float`, without the `.0` of whole numbers.
pub fn shortest(f: f64) -> String {
    if f.is_nan() {
        return "nan".to_owned();
    }
    if f.is_infinite() {
        return if f > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let magnitude = f.abs();
    if magnitude == 0.0 || (1e-4..1e16).contains(&magnitude) {
        // Rust writes the shortest digits too, and never an exponent here.
        let text = f.to_string();
        if magnitude < TIES {
            return text;
        }
        let decimals = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
        return format!("{f:.decimals$}");
    }
    let mut scientific = format!("{f:e}");
    if magnitude >= TIES {
        let decimals = scientific.split_once('e').and_then(|(digits, _)| digits.split_once('.')).map_or(0, |(_, d)| d.len());
        scientific = format!("{f:.decimals$e}");
    }
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let mut text = String::with_capacity(24);
    let _ = write!(text, "{digits}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs());
    text
}

/// `f` with exactly `digits` decimals, ties of the exact value to even.
pub fn fixed(f: f64, digits: usize) -> String {
    // Rust's formatting takes no more than 16 bits of precision; a float has no more than 1074 decimals that are not zero.
    const EXACT: usize = 1100;
    if let Some(text) = fixed_quickly(f, digits) {
        return text;
    }
    let mut text = format!("{f:.*}", digits.min(EXACT));
    text.extend(std::iter::repeat_n('0', digits.saturating_sub(EXACT)));
    text
}

/// The same for usual sizes, in integers: the exact value times a power of ten, cut off and rounded.
fn fixed_quickly(f: f64, digits: usize) -> Option<String> {
    let bits = f.to_bits();
    // The value is the mantissa divided by 2 to this power.
    let shift = 1075 - (bits >> 52 & 0x7FF) as i32;
    if digits > 18 || !(1..=110).contains(&shift) {
        return None;
    }
    let mantissa = bits & ((1 << 52) - 1) | 1 << 52;
    let scaled = u128::from(mantissa) * 10u128.pow(digits as u32);
    let (whole, rest, half) = (u64::try_from(scaled >> shift).ok()?, scaled & ((1 << shift) - 1), 1u128 << (shift - 1));
    let rounded = whole.checked_add((rest > half || rest == half && whole % 2 == 1) as u64)?;
    let mut buffer = itoa::Buffer::new();
    let all = buffer.format(rounded);
    let mut text = String::with_capacity(digits + 24);
    if f.is_sign_negative() {
        text.push('-');
    }
    let before = all.len().saturating_sub(digits);
    text.push_str(if before == 0 { "0" } else { &all[..before] });
    if digits > 0 {
        text.push('.');
        text.extend(std::iter::repeat_n('0', digits.saturating_sub(all.len())));
        text.push_str(&all[before..]);
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quick_way_of_fixed_digits_agrees_with_the_general_one() {
        let mut bits = 0x3FE0_0000_0000_0001u64;
        for n in 0..20_000u64 {
            bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(n);
            let f = f64::from_bits(bits >> 2 | 0x3000_0000_0000_0000 | bits << 63);
            for f in [f, (n as f64 - 9_999.0) / 8.0, n as f64 / 1000.0] {
                let digits = (n % 20) as usize;
                if let Some(text) = fixed_quickly(f, digits) {
                    assert_eq!(text, format!("{f:.digits$}"));
                }
            }
        }
    }
}
