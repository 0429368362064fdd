//! Filling texts up to a width.

use super::plain;
use crate::native::Given;
use crate::value::{R, Ref, Str, Value};
use crate::vm::Vm;

fn fill_char(vm: &Vm, fill: &Value) -> R<char> {
    if fill.is_undef() {
        return Ok(' ');
    }
    let Some(text) = fill.as_str() else {
        let class = vm.class_of(fill).name();
        let message = format!("The fill character must be a unicode character, not {}", class.as_str());
        return Err(vm.type_error(message));
    };
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(only), None) => Ok(only),
        _ => Err(vm.type_error("The fill character must be exactly one character long")),
    }
}

/// The text with `left` and `right` times the fill character around it.
fn padded(vm: &Vm, text: &Ref<Str>, left: usize, right: usize, fill: char) -> R {
    let filling = (left + right).saturating_mul(fill.len_utf8());
    vm.check_text(text.byte_len().saturating_add(filling))?;
    let mut made = String::with_capacity(text.byte_len() + filling);
    made.extend(std::iter::repeat_n(fill, left));
    made.push_str(text.as_str());
    made.extend(std::iter::repeat_n(fill, right));
    Ok(Value::from(vm.heap.string(made)))
}

fn missing(text: &Ref<Str>, width: i64) -> usize {
    usize::try_from(width).unwrap_or(0).saturating_sub(text.len())
}

pub fn center(vm: &Vm, text: &Ref<Str>, width: i64, fill: &Value) -> R {
    let fill = fill_char(vm, fill)?;
    let missing = missing(text, width);
    if missing == 0 {
        return Ok(plain(vm, text));
    }
    let left = missing / 2 + (missing & width as usize & 1);
    padded(vm, text, left, missing - left, fill)
}

pub fn ljust(vm: &Vm, text: &Ref<Str>, width: i64, fill: &Value) -> R {
    let fill = fill_char(vm, fill)?;
    match missing(text, width) {
        0 => Ok(plain(vm, text)),
        missing => padded(vm, text, 0, missing, fill),
    }
}

pub fn rjust(vm: &Vm, text: &Ref<Str>, width: i64, fill: &Value) -> R {
    let fill = fill_char(vm, fill)?;
    match missing(text, width) {
        0 => Ok(plain(vm, text)),
        missing => padded(vm, text, missing, 0, fill),
    }
}

pub fn zfill(vm: &Vm, text: &Ref<Str>, width: i64) -> R {
    let missing = missing(text, width);
    if missing == 0 {
        return Ok(plain(vm, text));
    }
    vm.check_text(text.byte_len().saturating_add(missing))?;
    let body = text.as_str();
    let sign = usize::from(body.starts_with(['+', '-']));
    let mut made = String::with_capacity(body.len() + missing);
    made.push_str(&body[..sign]);
    made.extend(std::iter::repeat_n('0', missing));
    made.push_str(&body[sign..]);
    Ok(Value::from(vm.heap.string(made)))
}

pub fn expandtabs(vm: &Vm, text: &Ref<Str>, Given(tabsize): Given<i64>) -> R {
    let size = usize::try_from(tabsize.unwrap_or(8)).unwrap_or(0);
    let tabs = text.as_str().bytes().filter(|b| *b == b'\t').count();
    vm.will_scan(text.byte_len())?;
    vm.check_text(text.byte_len().saturating_add(tabs.saturating_mul(size)))?;
    let mut made = String::with_capacity(text.byte_len());
    let mut column = 0usize;
    for c in text.as_str().chars() {
        match c {
            '\t' if size > 0 => {
                let spaces = size - column % size;
                made.extend(std::iter::repeat_n(' ', spaces));
                column += spaces;
            }
            '\t' => {}
            c => {
                made.push(c);
                column = if matches!(c, '\n' | '\r') { 0 } else { column + 1 };
            }
        }
    }
    Ok(Value::from(vm.heap.string(made)))
}
