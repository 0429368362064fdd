//! Bytes as hexadecimal digits.

use super::Data;
use crate::value::{Class, R, Value};
use crate::vm::{Vm, binary};

const DIGITS: &[u8; 16] = b"0123456789abcdef";

pub(super) fn hex(vm: &Vm, this: Data<'_>, sep: &Value, group: &Value) -> R<String> {
    match this {
        Data::Fixed(bytes) => write(vm, bytes.data(), sep, group),
        Data::Array(array) => write(vm, &array.with(<[u8]>::to_vec), sep, group),
    }
}

/// The digits of bytes, with a separator between groups.
pub fn write(vm: &Vm, data: &[u8], sep: &Value, group: &Value) -> R<String> {
    let group = if group.is_undef() { 1 } else { vm.index_i64(group)? };
    let sep = match sep {
        Value::Undef => None,
        sep => Some(separator(vm, sep)?),
    };
    vm.check_text(data.len().saturating_mul(3))?;
    let size = usize::try_from(group.unsigned_abs()).unwrap_or(usize::MAX);
    let mut text = String::with_capacity(data.len() * 3);
    for (at, byte) in data.iter().enumerate() {
        // Groups are counted from the end, or from the beginning if their size is negative.
        let from = if group < 0 { at } else { data.len() - at };
        if let Some(sep) = sep
            && at > 0
            && size > 0
            && from % size == 0
        {
            text.push(sep);
        }
        text.push(DIGITS[usize::from(byte >> 4)] as char);
        text.push(DIGITS[usize::from(byte & 15)] as char);
    }
    Ok(text)
}

fn separator(vm: &Vm, sep: &Value) -> R<char> {
    let char = if let Some(text) = sep.as_str() {
        let mut chars = text.chars();
        match (chars.next(), chars.next()) {
            (Some(only), None) => Some(only),
            _ => None,
        }
    } else if let Some(data) = binary::bytes_of(sep) {
        match data.as_slice() {
            [only] => Some(*only as char),
            _ => None,
        }
    } else {
        vm.len(sep)?;
        return Err(vm.type_error("sep must be str or bytes."));
    };
    match char {
        Some(char) if char.is_ascii() => Ok(char),
        Some(_) => Err(vm.value_error("sep must be ASCII.")),
        None => Err(vm.value_error("sep must be length 1.")),
    }
}

fn parse(vm: &Vm, text: &Value) -> R<Vec<u8>> {
    let Some(text) = text.as_str() else {
        let class = vm.class_of(text).name();
        return Err(vm.type_error(format!("fromhex() argument must be str, not {}", class.as_str())));
    };
    vm.will_scan(text.len())?;
    vm.check_alloc(text.len() / 2)?;
    let mut data = Vec::with_capacity(text.len() / 2);
    let mut chars = text.chars().enumerate();
    let wrong = |at: usize| vm.value_error(format!("non-hexadecimal number found in fromhex() arg at position {at}"));
    while let Some((at, c)) = chars.next() {
        if matches!(c, ' ' | '\t'..='\r') {
            continue;
        }
        let Some(high) = c.to_digit(16) else { return Err(wrong(at)) };
        let Some(low) = chars.next().and_then(|(_, c)| c.to_digit(16)) else { return Err(wrong(at + 1)) };
        data.push((high << 4 | low) as u8);
    }
    Ok(data)
}

fn of_class(vm: &Vm, class: &Value, made: Value) -> R {
    match class.downcast::<Class>() {
        Some(class) if class.is_script => vm.call(&Value::from(class), &[made]),
        _ => Ok(made),
    }
}

pub fn bytes_fromhex(vm: &Vm, class: &Value, text: &Value) -> R {
    let data = parse(vm, text)?;
    of_class(vm, class, Value::from(vm.heap.bytes_object(data)))
}

pub fn bytearray_fromhex(vm: &Vm, class: &Value, text: &Value) -> R {
    let data = parse(vm, text)?;
    of_class(vm, class, Value::from(vm.heap.bytearray(data)))
}
