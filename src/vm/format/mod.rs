//! Formatting: `format(value, spec)` for the built-in types, `str.format`, and the `%` operator of strings and bytes.
//!
//! `Vm::format` (`text.rs`), f-strings and the `__format__` methods come to `format_builtin`; `str.format` is in `template.rs`, `%` in
//! `printf.rs`. What a specification says is in `spec.rs`, how numbers are laid out by it in `number.rs`.

mod number;
mod printf;
mod spec;
mod template;
#[cfg(test)]
mod tests;

pub use printf::{percent_bytes, percent_str};
pub use spec::{Align, Spec};
pub use template::{Fields, format_template};

use super::Vm;
use super::number::{Number, complex, print};
use crate::value::{R, Ref, Str, Value};

/// `format(value, spec)` for strings and numbers (and instances of classes derived from them), as their `__format__` does it;
/// `None` for values of other types.
pub fn format_builtin(vm: &Vm, value: &Value, spec: &str) -> R<Option<Ref<Str>>> {
    if spec.is_empty() {
        return match value {
            Value::Obj(object) => match object.downcast::<Str>() {
                Some(text) => Ok(Some(text.clone())),
                None if value.payload::<Str>().is_some() || Number::of(value).is_some() => vm.str(value).map(Some),
                None => Ok(None),
            },
            value => plain(vm, value),
        };
    }
    let mut out = String::new();
    match format_into(vm, &mut out, value, spec)? {
        true => Ok(Some(vm.heap.string(out))),
        false => Ok(None),
    }
}

fn plain(vm: &Vm, value: &Value) -> R<Option<Ref<Str>>> {
    Ok(Some(match value {
        Value::Int(i) => vm.heap.str(itoa(*i, &mut [0; 20])),
        Value::Float(bits) => vm.heap.str(&print::float(f64::from_bits(*bits))),
        Value::Bool(b) => vm.heap.str(if *b != 0 { "True" } else { "False" }),
        _ => return Ok(None),
    }))
}

/// The decimal digits of a machine integer, without an allocation.
pub fn itoa(i: i64, buffer: &mut [u8; 20]) -> &str {
    let mut rest = i.unsigned_abs();
    let mut at = buffer.len();
    loop {
        at -= 1;
        buffer[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if i < 0 {
        at -= 1;
        buffer[at] = b'-';
    }
    std::str::from_utf8(&buffer[at..]).unwrap_or_default()
}

/// Appends `format(value, spec)` to `out`, and says whether the type is one of those formatted here.
pub fn format_into(vm: &Vm, out: &mut String, value: &Value, spec: &str) -> R<bool> {
    if spec.is_empty() {
        match value {
            Value::Int(i) => out.push_str(itoa(*i, &mut [0; 20])),
            value => match format_builtin(vm, value, spec)? {
                Some(text) => out.push_str(text.as_str()),
                None => return Ok(false),
            },
        }
        return Ok(true);
    }
    if let Some(text) = value.payload::<Str>() {
        let spec = Spec::parse(vm, spec, value, 's', Align::Left)?;
        string(vm, out, text, &spec, value)?;
        return Ok(true);
    }
    if let Some(complex) = complex::of(value) {
        let spec = Spec::parse(vm, spec, value, '\0', Align::Right)?;
        number::complex(vm, out, complex, &spec, value)?;
        return Ok(true);
    }
    let Some(number) = Number::of(value) else { return Ok(false) };
    let default_kind = if matches!(number, Number::Float(_)) { '\0' } else { 'd' };
    let spec = Spec::parse(vm, spec, value, default_kind, Align::Right)?;
    match number {
        Number::Float(f) => number::float(vm, out, f, &spec, value)?,
        integer => number::integer(vm, out, integer, &spec, value)?,
    }
    Ok(true)
}

fn string(vm: &Vm, out: &mut String, text: &Ref<Str>, spec: &Spec, value: &Value) -> R<()> {
    if spec.kind != 's' {
        return Err(spec.unknown_kind(vm, value));
    }
    match spec.sign {
        Some(' ') => return Err(vm.value_error("Space not allowed in string format specifier")),
        Some(_) => return Err(vm.value_error("Sign not allowed in string format specifier")),
        None => {}
    }
    if spec.no_negative_zero {
        return Err(vm.value_error("Negative zero coercion (z) not allowed in string format specifier"));
    }
    if spec.alternate {
        return Err(vm.value_error("Alternate form (#) not allowed in string format specifier"));
    }
    if spec.align == Align::AfterSign {
        return Err(vm.value_error("'=' alignment not allowed in string format specifier"));
    }
    let length = text.len();
    let (text, length) = match spec.precision {
        Some(precision) if precision < length => (text.slice(0, precision), precision),
        _ => (text.as_str(), length),
    };
    pad(vm, out, text, length, spec)
}

/// Appends `text`, which has `length` code points, filled up to the width.
fn pad(vm: &Vm, out: &mut String, text: &str, length: usize, spec: &Spec) -> R<()> {
    let missing = spec.width.saturating_sub(length);
    reserve(vm, out, missing.saturating_mul(spec.fill.len_utf8()).saturating_add(text.len()))?;
    let left = match spec.align {
        Align::Left => 0,
        Align::Right | Align::AfterSign => missing,
        Align::Center => missing / 2,
    };
    out.extend(std::iter::repeat_n(spec.fill, left));
    out.push_str(text);
    out.extend(std::iter::repeat_n(spec.fill, missing - left));
    Ok(())
}

/// Before so many bytes are appended to a text in the making.
fn reserve(vm: &Vm, out: &str, bytes: usize) -> R<()> {
    if bytes > 4096 {
        vm.check_text(out.len().saturating_add(bytes))?;
        vm.charge((bytes / 1024) as u64)?;
    }
    Ok(())
}
