//! Numbers laid out by a specification: sign, prefix, grouped digits, the rest, padding.

use dashu_int::Sign;

use super::spec::{Align, Spec};
use super::{pad, reserve};
use crate::value::{Complex, R, Value};
use crate::vm::Vm;
use crate::vm::number::{Number, print};

/// More significant digits or decimals than any float has that are not zero.
const EXACT: usize = 1100;

/// Appends an integer.
pub fn integer(vm: &Vm, out: &mut String, number: Number<'_>, spec: &Spec, value: &Value) -> R<()> {
    if matches!(spec.kind, 'e' | 'E' | 'f' | 'F' | 'g' | 'G' | '%') {
        return float(vm, out, number.to_f64(vm)?, spec, value);
    }
    if !matches!(spec.kind, 'b' | 'c' | 'd' | 'o' | 'x' | 'X' | 'n') {
        return Err(spec.unknown_kind(vm, value));
    }
    if spec.precision.is_some() {
        return Err(vm.value_error("Precision not allowed in integer format specifier"));
    }
    if spec.no_negative_zero {
        return Err(vm.value_error("Negative zero coercion (z) not allowed in integer format specifier"));
    }
    if spec.kind == 'c' {
        return character(vm, out, number, spec);
    }
    let digits = digits(vm, number, spec.kind)?;
    let prefix = match spec.kind {
        'b' if spec.alternate => "0b",
        'o' if spec.alternate => "0o",
        'x' if spec.alternate => "0x",
        'X' if spec.alternate => "0X",
        _ => "",
    };
    let group = if matches!(spec.kind, 'd' | 'n') { 3 } else { 4 };
    lay_out(vm, out, number.is_negative(), prefix, &digits, "", group, spec)
}

/// The digits of the magnitude in the base that a type character stands for.
pub fn digits(vm: &Vm, number: Number<'_>, kind: char) -> R<String> {
    Ok(match number {
        Number::Int(i) => {
            let magnitude = i.unsigned_abs();
            match kind {
                'b' => format!("{magnitude:b}"),
                'o' => format!("{magnitude:o}"),
                'x' => format!("{magnitude:x}"),
                'X' => format!("{magnitude:X}"),
                _ => magnitude.to_string(),
            }
        }
        Number::Big(big) => {
            let radix = match kind {
                'b' => 2,
                'o' => 8,
                'x' | 'X' => 16,
                _ => return Ok(print::decimal(vm, &big.0)?.trim_start_matches('-').to_owned()),
            };
            let bits = crate::vm::number::integer::bits(&big.0) as usize;
            vm.check_text(bits / (radix as usize).ilog2() as usize + 1)?;
            vm.charge((bits / 512) as u64)?;
            let text = big.0.in_radix(radix).to_string();
            let magnitude = if big.0.sign() == Sign::Negative { &text[1..] } else { &text };
            if kind == 'X' { magnitude.to_ascii_uppercase() } else { magnitude.to_owned() }
        }
        Number::Float(_) => String::new(),
    })
}

fn character(vm: &Vm, out: &mut String, number: Number<'_>, spec: &Spec) -> R<()> {
    if spec.sign.is_some() {
        return Err(vm.value_error("Sign not allowed with integer format specifier 'c'"));
    }
    if spec.alternate {
        return Err(vm.value_error("Alternate form (#) not allowed with integer format specifier 'c'"));
    }
    let Number::Int(code) = number else { return Err(vm.overflow_error("Python int too large to convert to C long")) };
    let char = character_of(vm, code)?;
    let spec = Spec { align: if spec.align == Align::AfterSign { Align::Right } else { spec.align }, ..spec.clone() };
    pad(vm, out, char.encode_utf8(&mut [0; 4]), 1, &spec)
}

/// The character of a code for `%c` and the `c` type.
pub fn character_of(vm: &Vm, code: i64) -> R<char> {
    if !(0..0x110000).contains(&code) {
        return Err(vm.overflow_error("%c arg not in range(0x110000)"));
    }
    match char::from_u32(code as u32) {
        Some(char) => Ok(char),
        None => Err(vm.value_error(format!("lone surrogates are not supported: {code:#x}"))),
    }
}

/// Appends a float.
pub fn float(vm: &Vm, out: &mut String, f: f64, spec: &Spec, value: &Value) -> R<()> {
    if !matches!(spec.kind, '\0' | 'e' | 'E' | 'f' | 'F' | 'g' | 'G' | 'n' | '%') {
        return Err(spec.unknown_kind(vm, value));
    }
    real(vm, out, f, spec)
}

/// A float by any type character that floats have, or `r`: the shortest digits, never with a decimal that is not needed.
fn real(vm: &Vm, out: &mut String, f: f64, spec: &Spec) -> R<()> {
    let precision = spec.precision.unwrap_or(6);
    if precision > i32::MAX as usize {
        return Err(vm.value_error("precision too big"));
    }
    reserve(vm, out, precision.saturating_add(spec.width))?;
    let magnitude = if spec.kind == '%' { (f * 100.0).abs() } else { f.abs() };
    let mut text = match spec.kind {
        '\0' if spec.precision.is_none() => print::float(magnitude),
        'r' if spec.precision.is_none() => shortest(magnitude, spec.alternate),
        kind => text_of(magnitude, precision, kind, spec.alternate),
    };
    let zero = !text.bytes().take_while(|b| !matches!(b, b'e' | b'E')).any(|b| matches!(b, b'1'..=b'9'));
    let negative = f.is_sign_negative() && !f.is_nan() && !(spec.no_negative_zero && zero && f.is_finite());
    if matches!(spec.kind, 'E' | 'F' | 'G') {
        text.make_ascii_uppercase();
    }
    if spec.kind == '%' {
        text.push('%');
    }
    let whole = if f.is_finite() { text.bytes().take_while(u8::is_ascii_digit).count() } else { 0 };
    let (digits, rest) = text.split_at(whole);
    if whole == 0 {
        // Infinities and NaN are not grouped, even by zeros in front.
        let spec = Spec { grouping: None, ..spec.clone() };
        return lay_out(vm, out, negative, "", digits, rest, 3, &spec);
    }
    lay_out(vm, out, negative, "", digits, rest, 3, spec)
}

/// Appends a complex number: its parts like floats, the second always with its sign.
pub fn complex(vm: &Vm, out: &mut String, number: Complex, spec: &Spec, value: &Value) -> R<()> {
    if !matches!(spec.kind, '\0' | 'e' | 'E' | 'f' | 'F' | 'g' | 'G' | 'n') {
        return Err(spec.unknown_kind(vm, value));
    }
    if spec.fill == '0' {
        return Err(vm.value_error("Zero padding is not allowed in complex format specifier"));
    }
    if spec.align == Align::AfterSign {
        return Err(vm.value_error("'=' alignment flag is not allowed in complex format specifier"));
    }
    // Without a type character it looks like `str`: shortest digits, in parentheses unless it is imaginary.
    let plain = spec.kind == '\0';
    let only_imaginary = plain && number.real == 0.0 && number.real.is_sign_positive();
    let part = |sign: Option<char>| Spec { width: 0, sign, kind: if plain { 'r' } else { spec.kind }, ..spec.clone() };
    let mut text = String::new();
    if !only_imaginary {
        if plain {
            text.push('(');
        }
        real(vm, &mut text, number.real, &part(spec.sign))?;
    }
    real(vm, &mut text, number.imag, &part(if only_imaginary { spec.sign } else { Some('+') }))?;
    text.push_str(if plain && !only_imaginary { "j)" } else { "j" });
    let length = text.chars().count();
    pad(vm, out, &text, length, spec)
}

/// The shortest digits; with a decimal point in any case if asked for.
fn shortest(f: f64, alternate: bool) -> String {
    let mut text = print::shortest(f);
    if alternate && f.is_finite() && !text.contains('.') {
        let at = text.find('e').unwrap_or(text.len());
        text.insert(at, '.');
    }
    text
}

/// A float that is not negative, as the type character writes it (in lower case).
pub fn text_of(f: f64, precision: usize, kind: char, alternate: bool) -> String {
    if !f.is_finite() {
        return if f.is_nan() { "nan" } else { "inf" }.to_owned();
    }
    match kind {
        'f' | 'F' | '%' => {
            let mut text = print::fixed(f, precision);
            if alternate && precision == 0 {
                text.push('.');
            }
            text
        }
        'e' | 'E' => {
            let (mut digits, exponent) = scientific(f, precision);
            if precision > EXACT {
                digits.extend(std::iter::repeat_n('0', precision - EXACT));
            }
            if alternate && precision == 0 {
                digits.push('.');
            }
            with_exponent(digits, exponent)
        }
        kind => general(f, precision.max(1), kind, alternate),
    }
}

/// Mantissa with so many decimals (no more than matter), and exponent.
fn scientific(f: f64, decimals: usize) -> (String, i32) {
    let text = format!("{f:.*e}", decimals.min(EXACT));
    match text.split_once('e') {
        Some((mantissa, exponent)) => (mantissa.to_owned(), exponent.parse().unwrap_or(0)),
        None => (text, 0),
    }
}

fn with_exponent(mut digits: String, exponent: i32) -> String {
    digits.push_str(if exponent < 0 { "e-" } else { "e+" });
    let magnitude = exponent.unsigned_abs();
    if magnitude < 10 {
        digits.push('0');
    }
    digits.push_str(&magnitude.to_string());
    digits
}

/// `precision` significant digits, fixed or with an exponent, whichever suits the size; no type character asks for a decimal at least.
fn general(f: f64, precision: usize, kind: char, alternate: bool) -> String {
    let needs_decimal = kind == '\0';
    let (mantissa, exponent) = scientific(f, precision - 1);
    let mut digits: String = mantissa.chars().filter(|c| *c != '.').collect();
    if alternate && precision > digits.len() {
        digits.extend(std::iter::repeat_n('0', precision - digits.len()));
    }
    let limit = precision as i64 - i64::from(needs_decimal);
    if !(-4..limit).contains(&i64::from(exponent)) {
        let (first, rest) = digits.split_at(1);
        let rest = if alternate { rest } else { rest.trim_end_matches('0') };
        let dot = if rest.is_empty() && !alternate { "" } else { "." };
        return with_exponent(format!("{first}{dot}{rest}"), exponent);
    }
    let (whole, rest) = if exponent < 0 {
        ("0".to_owned(), format!("{}{digits}", "0".repeat((-exponent - 1) as usize)))
    } else {
        let whole = (exponent as usize + 1).min(digits.len());
        let missing = exponent as usize + 1 - whole;
        (format!("{}{}", &digits[..whole], "0".repeat(missing)), digits[whole..].to_owned())
    };
    let rest = if alternate { rest.as_str() } else { rest.trim_end_matches('0') };
    match rest {
        "" if needs_decimal => format!("{whole}.0"),
        "" if !alternate => whole,
        rest => format!("{whole}.{rest}"),
    }
}

/// Sign, prefix, digits (grouped), rest; filled up to the width.
#[expect(clippy::too_many_arguments, reason = "the parts of a number, in order")]
fn lay_out(
    vm: &Vm,
    out: &mut String,
    negative: bool,
    prefix: &str,
    digits: &str,
    rest: &str,
    group: usize,
    spec: &Spec,
) -> R<()> {
    let sign = match (negative, spec.sign) {
        (true, _) => "-",
        (false, Some('+')) => "+",
        (false, Some(' ')) => " ",
        _ => "",
    };
    let around = sign.len() + prefix.len() + rest.len();
    reserve(vm, out, spec.width.saturating_mul(spec.fill.len_utf8()).saturating_add(digits.len() * 2).saturating_add(around))?;
    let zeros = spec.fill == '0' && spec.align == Align::AfterSign;
    let grouped;
    let digits = match spec.grouping {
        Some(separator) => {
            grouped = group_digits(digits, separator, group, if zeros { spec.width.saturating_sub(around) } else { 0 });
            grouped.as_str()
        }
        None => digits,
    };
    let missing = spec.width.saturating_sub(around + digits.len());
    let (left, between) = match spec.align {
        Align::Left => (0, 0),
        Align::Right => (missing, 0),
        Align::Center => (missing / 2, 0),
        Align::AfterSign => (0, missing),
    };
    out.extend(std::iter::repeat_n(spec.fill, left));
    out.push_str(sign);
    out.push_str(prefix);
    out.extend(std::iter::repeat_n(spec.fill, between));
    out.push_str(digits);
    out.push_str(rest);
    out.extend(std::iter::repeat_n(spec.fill, missing - left - between));
    Ok(())
}

/// Digits with separators, with zeros in front until they fill `width` (a separator never comes first).
fn group_digits(digits: &str, separator: char, group: usize, width: usize) -> String {
    let mut count = digits.len();
    while count + count.saturating_sub(1) / group < width {
        count += 1;
    }
    let mut grouped = String::with_capacity(count + count / group);
    let zeros = count - digits.len();
    let all = std::iter::repeat_n('0', zeros).chain(digits.chars());
    for (at, digit) in all.enumerate() {
        if at > 0 && (count - at).is_multiple_of(group) {
            grouped.push(separator);
        }
        grouped.push(digit);
    }
    grouped
}
