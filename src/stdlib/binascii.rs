//! `binascii`: bytes as hexadecimal digits and as base 64, and checksums.

use super::support::{add, exception_class};
use crate::builtins::bytes::hexadecimal;
use crate::native::{ModuleRow, new_module};
use crate::rows;
use crate::value::{Module, R, Raised, Ref, Str, Value};
use crate::vm::{Vm, binary};

pub const MODULE: ModuleRow = ModuleRow { name: "binascii", load };

fn load(vm: &Vm) -> R<Ref<Module>> {
    let module = new_module(
        vm,
        "binascii",
        "Bytes as text, and checksums.",
        &rows![
            "a2b_base64", "data, /, *, strict_mode=False" => a2b_base64(0 1);
            "a2b_hex", "hexstr, /" => unhexlify(0);
            "b2a_base64", "data, /, *, newline=True" => b2a_base64(0 1);
            "b2a_hex", "data, sep=None, bytes_per_sep=1" => hexlify(0 1 2);
            "crc32", "data, crc=0, /" => crc32(0 1);
            "crc_hqx", "data, crc, /" => crc_hqx(0 1);
            "hexlify", "data, sep=None, bytes_per_sep=1" => hexlify(0 1 2);
            "unhexlify", "hexstr, /" => unhexlify(0);
        ],
    );
    let error = exception_class(vm, "binascii", "Error", &vm.types.value_error)?;
    add(vm, &module, "Error", error);
    add(vm, &module, "Incomplete", exception_class(vm, "binascii", "Incomplete", &vm.types.exception)?);
    Ok(module)
}

#[cold]
fn error(vm: &Vm, message: &str) -> Raised {
    let made = vm.import("binascii", None, 0).and_then(|module| {
        let class = vm.get_attr(&module, &vm.intern("Error"))?;
        vm.call(&class, &[vm.str_value(message)])
    });
    match made {
        Ok(exception) => vm.raise_new(exception),
        Err(raised) => raised,
    }
}

/// Bytes to be written as text.
fn data_of(vm: &Vm, value: &Value) -> R<Vec<u8>> {
    let data = binary::bytes_of(value).ok_or_else(|| {
        let given = vm.class_of(value).name();
        vm.type_error(format!("a bytes-like object is required, not '{}'", given.as_str()))
    })?;
    vm.charge((data.len() / 1024) as u64)?;
    vm.check_alloc(data.len().saturating_mul(2))?;
    Ok(data)
}

/// Text to be read, as bytes or as a string of ASCII.
fn text_of(vm: &Vm, value: &Value) -> R<Vec<u8>> {
    let data = match value.payload::<Str>() {
        Some(text) if text.as_str().is_ascii() => text.as_str().as_bytes().to_vec(),
        Some(_) => return Err(vm.value_error("string argument should contain only ASCII characters")),
        None => binary::bytes_of(value).ok_or_else(|| {
            let given = vm.class_of(value).name();
            vm.type_error(format!("argument should be bytes, buffer or ASCII string, not '{}'", given.as_str()))
        })?,
    };
    vm.charge((data.len() / 1024) as u64)?;
    vm.check_alloc(data.len())?;
    Ok(data)
}

fn hexlify(vm: &Vm, data: &Value, sep: &Value, group: &Value) -> R {
    let digits = hexadecimal::write(vm, &data_of(vm, data)?, sep, group)?;
    Ok(Value::from(vm.heap.bytes_object(digits.into_bytes())))
}

fn unhexlify(vm: &Vm, text: &Value) -> R {
    let text = text_of(vm, text)?;
    if text.len() % 2 != 0 {
        return Err(error(vm, "Odd-length string"));
    }
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let bytes = text.chunks(2).map(|pair| Some((digit(pair[0])? << 4 | digit(pair[1])?) as u8));
    match bytes.collect::<Option<Vec<u8>>>() {
        Some(data) => Ok(Value::from(vm.heap.bytes_object(data))),
        None => Err(error(vm, "Non-hexadecimal digit found")),
    }
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn b2a_base64(vm: &Vm, data: &Value, newline: Option<bool>) -> R {
    let data = data_of(vm, data)?;
    let mut text = Vec::with_capacity(data.len() / 3 * 4 + 5);
    for chunk in data.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            let digit = ALPHABET[(bits >> (18 - 6 * at) & 63) as usize];
            text.push(if at <= chunk.len() { digit } else { b'=' });
        }
    }
    if newline.unwrap_or(true) {
        text.push(b'\n');
    }
    Ok(Value::from(vm.heap.bytes_object(text)))
}

fn digit_of(byte: u8) -> Option<u32> {
    Some(match byte {
        b'A'..=b'Z' => u32::from(byte - b'A'),
        b'a'..=b'z' => u32::from(byte - b'a') + 26,
        b'0'..=b'9' => u32::from(byte - b'0') + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

/// What is no digit is passed over, unless `strict`.
fn a2b_base64(vm: &Vm, text: &Value, strict: Option<bool>) -> R {
    let (text, strict) = (text_of(vm, text)?, strict.unwrap_or(false));
    if strict && text.first() == Some(&b'=') {
        return Err(error(vm, "Leading padding not allowed"));
    }
    let mut data = Vec::with_capacity(text.len() / 4 * 3 + 3);
    // Digits of the group of four under way, and padding after them.
    let (mut bits, mut digits, mut padding, mut complete) = (0u32, 0, 0, false);
    for (at, byte) in text.iter().enumerate() {
        if *byte == b'=' {
            padding += 1;
            if digits >= 2 && digits + padding >= 4 {
                if strict && at + 1 < text.len() {
                    return Err(error(vm, "Excess data after padding"));
                }
                complete = true;
                break;
            }
            continue;
        }
        let Some(digit) = digit_of(*byte) else {
            if strict {
                return Err(error(vm, "Only base64 data is allowed"));
            }
            continue;
        };
        if strict && padding > 0 {
            return Err(error(vm, "Discontinuous padding not allowed"));
        }
        padding = 0;
        bits = bits << 6 | digit;
        digits += 1;
        if digits > 1 {
            data.push((bits >> (8 - 2 * digits)) as u8);
        }
        if digits == 4 {
            (bits, digits) = (0, 0);
        }
    }
    if digits == 0 || complete {
        return Ok(Value::from(vm.heap.bytes_object(data)));
    }
    if digits == 1 {
        let count = data.len() / 3 * 4 + 1;
        return Err(error(
            vm,
            &format!("Invalid base64-encoded string: number of data characters ({count}) cannot be 1 more than a multiple of 4"),
        ));
    }
    Err(error(vm, "Incorrect padding"))
}

fn crc32(vm: &Vm, data: &Value, start: Option<i64>) -> R<i64> {
    let mut hasher = crc32fast::Hasher::new_with_initial(start.unwrap_or(0) as u32);
    hasher.update(&data_of(vm, data)?);
    Ok(i64::from(hasher.finalize()))
}

/// The checksum of CRC-CCITT, which binhex uses.
fn crc_hqx(vm: &Vm, data: &Value, start: i64) -> R<i64> {
    let step = |crc: u16, byte: &u8| {
        (0..8).fold(crc ^ u16::from(*byte) << 8, |crc, _| if crc & 0x8000 != 0 { crc << 1 ^ 0x1021 } else { crc << 1 })
    };
    Ok(i64::from(data_of(vm, data)?.iter().fold(start as u16, step)))
}
