//! Numbers from text: what `int("...")` and `float("...")` accept.

use dashu_int::IBig;

use super::huge;
use super::print::digit_limit;
use crate::value::{R, Value};
use crate::vm::{Vm, characters};

/// What is wrong with the text of an integer.
pub enum IntError {
    Invalid,
    /// So many digits are more than the limit.
    TooLong(usize),
}

/// The integer that `text` writes in `base` (2 to 36, or 0 to go by the prefix). The error is worded by the caller, who knows what the
/// text was given as; see `too_long`.
pub fn int(vm: &Vm, text: &str, base: u32) -> Result<R, IntError> {
    let text = trim(text);
    let (negative, rest) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let (base, digits, had_prefix) = strip_prefix(rest, base);
    // An underscore may stand after the prefix and between digits.
    let digits = if had_prefix { digits.strip_prefix('_').unwrap_or(digits) } else { digits };
    let (base, only_zeros) = if base == 0 { (10, digits.starts_with(['0', '_'])) } else { (base, false) };
    if let Some(small) = short(digits, base) {
        if only_zeros && small != 0 {
            return Err(IntError::Invalid);
        }
        return Ok(Ok(Value::Int(if negative { -small } else { small })));
    }
    let cleaned = clean(digits, base).ok_or(IntError::Invalid)?;
    if only_zeros && cleaned.bytes().any(|b| b != b'0') {
        return Err(IntError::Invalid);
    }
    let limit = digit_limit(vm);
    if !base.is_power_of_two() && limit != 0 && cleaned.len() > limit {
        return Err(IntError::TooLong(cleaned.len()));
    }
    let number = vm.check_alloc(cleaned.len()).and_then(|()| huge::parse(vm, &cleaned, base));
    let number = match number {
        Ok(number) => IBig::from(number.ok_or(IntError::Invalid)?),
        Err(raised) => return Ok(Err(raised)),
    };
    Ok(Ok(vm.heap.int(if negative { -number } else { number })))
}

/// The base that the prefix stands for (0 stays 0 without one), and what follows it.
fn strip_prefix(text: &str, base: u32) -> (u32, &str, bool) {
    let bytes = text.as_bytes();
    let prefixed = match bytes {
        [b'0', b'x' | b'X', ..] => 16,
        [b'0', b'o' | b'O', ..] => 8,
        [b'0', b'b' | b'B', ..] => 2,
        _ => return (base, text, false),
    };
    if base == 0 || base == prefixed { (prefixed, &text[2..], true) } else { (base, text, false) }
}

/// Up to twelve ASCII digits, which fit a machine integer in every base.
fn short(digits: &str, base: u32) -> Option<i64> {
    if digits.is_empty() || digits.len() > 12 {
        return None;
    }
    digits.bytes().try_fold(0i64, |number, byte| {
        let digit = (byte as char).to_digit(base)?;
        Some(number * i64::from(base) + i64::from(digit))
    })
}

/// The digits as ASCII without underscores; `None` if something else is there or an underscore is not between digits.
fn clean(digits: &str, base: u32) -> Option<String> {
    let mut cleaned = String::with_capacity(digits.len());
    let mut after_digit = false;
    for c in digits.chars() {
        if c == '_' {
            if !after_digit {
                return None;
            }
            after_digit = false;
            continue;
        }
        let digit = if c.is_ascii() { c.to_digit(base)? } else { characters::decimal(c).filter(|d| *d < base)? };
        cleaned.push(char::from_digit(digit, base)?);
        after_digit = true;
    }
    after_digit.then_some(cleaned)
}

/// The `ValueError` for `IntError::TooLong`.
pub fn too_long(vm: &Vm, digits: usize) -> crate::value::Raised {
    vm.value_error(format!(
        "Exceeds the limit ({} digits) for integer string conversion: value has {digits} digits; use sys.set_int_max_str_digits() \
         to increase the limit",
        digit_limit(vm)
    ))
}

/// The float that `text` writes, as `float()` accepts it: spaces around, underscores between digits, `inf`, `nan`.
pub fn float(text: &str) -> Option<f64> {
    let text = trim(text);
    let bytes = text.as_bytes();
    if bytes.iter().all(|b| matches!(b, b'0'..=b'9' | b'.' | b'+' | b'-' | b'e' | b'E')) {
        return text.parse().ok();
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    for name in ["inf", "infinity", "nan"] {
        if unsigned.eq_ignore_ascii_case(name) {
            let value = if name == "nan" { f64::NAN } else { f64::INFINITY };
            return Some(if bytes[0] == b'-' { -value } else { value });
        }
    }
    let mut cleaned = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '_' => {
                let between = cleaned.as_bytes().last().is_some_and(u8::is_ascii_digit);
                if !between || rest.peek().is_none_or(|next| characters::decimal(*next).is_none()) {
                    return None;
                }
            }
            '.' | '+' | '-' | 'e' | 'E' => cleaned.push(c),
            c => cleaned.push(char::from_digit(characters::decimal(c)?, 10)?),
        }
    }
    cleaned.parse().ok()
}

/// Without the white space around; the separators among the ASCII controls do not count here.
pub fn trim(text: &str) -> &str {
    text.trim_matches(is_blank)
}

/// Whether `trim` takes the character away.
pub fn is_blank(c: char) -> bool {
    !matches!(c, '\x1c'..='\x1f') && characters::is_space(c)
}
