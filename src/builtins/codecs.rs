//! Encodings: text to bytes and back, with the error handlers. `str.encode`, `bytes.decode`, `str(bytes, ...)` and files use them.

use std::fmt::Write;

use crate::value::{R, Raised, Ref, Str, Value};
use crate::vm::Vm;

/// An encoding that is built in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Encoding {
    Utf8,
    /// With a byte order mark.
    Utf8Sig,
    Ascii,
    Latin1,
    /// `None`: by the byte order mark, which is written, too.
    Utf16(Option<Order>),
    Utf32(Option<Order>),
}

/// Which byte comes first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    Little,
    Big,
}

/// What to do about what cannot be encoded or decoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Handler {
    Strict,
    Ignore,
    Replace,
    BackslashReplace,
    XmlCharRefReplace,
}

/// The encoding of this name.
pub fn find(name: &str) -> Option<Encoding> {
    let plain: String = name.to_ascii_lowercase().chars().map(|c| if matches!(c, '_' | ' ') { '-' } else { c }).collect();
    Some(match plain.as_str() {
        "utf-8" | "utf8" | "u8" | "utf" | "cp65001" | "utf8-ucs2" | "utf8-ucs4" => Encoding::Utf8,
        "utf-8-sig" | "utf8-sig" => Encoding::Utf8Sig,
        "ascii" | "us-ascii" | "646" | "us" | "ansi-x3.4-1968" | "iso646-us" => Encoding::Ascii,
        "latin-1" | "latin1" | "latin" | "l1" | "iso-8859-1" | "iso8859-1" | "8859" | "cp819" | "iso-ir-100" => Encoding::Latin1,
        "utf-16" | "utf16" | "u16" => Encoding::Utf16(None),
        "utf-16-le" | "utf-16le" | "utf16-le" | "utf16le" => Encoding::Utf16(Some(Order::Little)),
        "utf-16-be" | "utf-16be" | "utf16-be" | "utf16be" => Encoding::Utf16(Some(Order::Big)),
        "utf-32" | "utf32" | "u32" => Encoding::Utf32(None),
        "utf-32-le" | "utf-32le" | "utf32-le" | "utf32le" => Encoding::Utf32(Some(Order::Little)),
        "utf-32-be" | "utf-32be" | "utf32-be" | "utf32be" => Encoding::Utf32(Some(Order::Big)),
        _ => return None,
    })
}

/// The name that messages use.
fn shown(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Utf8 | Encoding::Utf8Sig => "utf-8",
        Encoding::Ascii => "ascii",
        Encoding::Latin1 => "latin-1",
        Encoding::Utf16(Some(Order::Big)) => "utf-16-be",
        Encoding::Utf16(_) => "utf-16-le",
        Encoding::Utf32(Some(Order::Big)) => "utf-32-be",
        Encoding::Utf32(_) => "utf-32-le",
    }
}

/// An argument that names an encoding or a handler.
pub fn argument<'a>(vm: &Vm, value: &'a Value, function: &str, name: &str, default: &'a str) -> R<&'a str> {
    if value.is_undef() {
        return Ok(default);
    }
    value.as_str().ok_or_else(|| {
        let class = vm.class_of(value).name();
        let given = if value.is_none() { "None" } else { class.as_str() };
        vm.type_error(format!("{function}() argument '{name}' must be str, not {given}"))
    })
}

fn known(vm: &Vm, name: &str) -> R<Encoding> {
    find(name).ok_or_else(|| vm.lookup_error(format!("unknown encoding: {name}")))
}

fn handler(vm: &Vm, name: &str) -> R<Handler> {
    Ok(match name {
        "strict" => Handler::Strict,
        "ignore" => Handler::Ignore,
        "replace" => Handler::Replace,
        "backslashreplace" => Handler::BackslashReplace,
        "xmlcharrefreplace" => Handler::XmlCharRefReplace,
        "surrogateescape" | "surrogatepass" => {
            let message = format!("the error handler '{name}' is not supported: strings hold no lone surrogates");
            return Err(vm.lookup_error(message));
        }
        _ => return Err(vm.lookup_error(format!("unknown error handler name '{name}'"))),
    })
}

/// `text.encode(encoding, errors)`.
pub fn encode(vm: &Vm, text: &Ref<Str>, encoding: &str, errors: &str) -> R<Vec<u8>> {
    let encoding = known(vm, encoding)?;
    let body = text.as_str();
    let factor = match encoding {
        Encoding::Utf32(_) => 4,
        Encoding::Utf16(_) => 2,
        _ => 1,
    };
    vm.check_alloc(body.len().saturating_mul(factor).saturating_add(4))?;
    vm.charge((body.len() / 4096) as u64)?;
    Ok(match encoding {
        Encoding::Utf8 => body.as_bytes().to_vec(),
        Encoding::Utf8Sig => [b"\xef\xbb\xbf", body.as_bytes()].concat(),
        Encoding::Ascii if body.is_ascii() => body.as_bytes().to_vec(),
        Encoding::Ascii => encode_small(vm, text, encoding, 128, errors)?,
        Encoding::Latin1 => encode_small(vm, text, encoding, 256, errors)?,
        Encoding::Utf16(order) => {
            let mut data = Vec::with_capacity(body.len() * 2 + 2);
            let mark = if order.is_none() { "\u{FEFF}" } else { "" };
            for unit in mark.encode_utf16().chain(body.encode_utf16()) {
                data.extend(if order == Some(Order::Big) { unit.to_be_bytes() } else { unit.to_le_bytes() });
            }
            data
        }
        Encoding::Utf32(order) => {
            let mut data = Vec::with_capacity(body.len() * 4 + 4);
            let mark = if order.is_none() { "\u{FEFF}" } else { "" };
            for code in mark.chars().chain(body.chars()).map(u32::from) {
                data.extend(if order == Some(Order::Big) { code.to_be_bytes() } else { code.to_le_bytes() });
            }
            data
        }
    })
}

/// An encoding with one byte for each of the first `limit` code points.
fn encode_small(vm: &Vm, text: &Ref<Str>, encoding: Encoding, limit: u32, errors: &str) -> R<Vec<u8>> {
    let mut data = Vec::with_capacity(text.len());
    let mut chosen = None;
    let mut chars = text.as_str().chars().enumerate().peekable();
    while let Some((at, c)) = chars.next() {
        if (c as u32) < limit {
            data.push(c as u32 as u8);
            continue;
        }
        let handler = match chosen {
            Some(handler) => handler,
            None => *chosen.insert(handler(vm, errors)?),
        };
        match handler {
            Handler::Strict => {
                let mut end = at + 1;
                while chars.next_if(|(_, c)| *c as u32 >= limit).is_some() {
                    end += 1;
                }
                let reason = format!("ordinal not in range({limit})");
                return Err(unencodable(vm, text, encoding, at, end, &reason));
            }
            Handler::Ignore => {}
            Handler::Replace => data.push(b'?'),
            Handler::XmlCharRefReplace => data.extend(format!("&#{};", c as u32).bytes()),
            Handler::BackslashReplace => {
                let mut escaped = String::new();
                escape(&mut escaped, c as u32);
                data.extend(escaped.bytes());
            }
        }
        if data.len() % 4096 == 0 {
            vm.check_alloc(data.len())?;
        }
    }
    Ok(data)
}

fn escape(escaped: &mut String, code: u32) {
    let _ = match code {
        0..=0xFF => write!(escaped, "\\x{code:02x}"),
        0x100..=0xFFFF => write!(escaped, "\\u{code:04x}"),
        _ => write!(escaped, "\\U{code:08x}"),
    };
}

#[cold]
fn unencodable(vm: &Vm, text: &Ref<Str>, encoding: Encoding, start: usize, end: usize, reason: &str) -> Raised {
    let args = [
        vm.str_value(shown(encoding)),
        Value::from(text),
        Value::Int(start as i64),
        Value::Int(end as i64),
        vm.str_value(reason),
    ];
    match vm.call(&Value::from(&vm.types.unicode_encode_error), &args) {
        Ok(exception) => vm.raise_new(exception),
        Err(raised) => raised,
    }
}

#[cold]
fn undecodable(vm: &Vm, data: &[u8], encoding: Encoding, fault: &Fault) -> Raised {
    let args = [
        vm.str_value(shown(encoding)),
        Value::from(vm.heap.bytes_object(data)),
        Value::Int(fault.start as i64),
        Value::Int(fault.end as i64),
        vm.str_value(fault.reason),
    ];
    match vm.call(&Value::from(&vm.types.unicode_decode_error), &args) {
        Ok(exception) => vm.raise_new(exception),
        Err(raised) => raised,
    }
}

/// Bytes that mean no text.
struct Fault {
    start: usize,
    end: usize,
    reason: &'static str,
}

/// `bytes.decode(encoding, errors)`.
pub fn decode(vm: &Vm, data: &[u8], encoding: &str, errors: &str) -> R<String> {
    let encoding = known(vm, encoding)?;
    vm.check_text(data.len().saturating_mul(2))?;
    vm.charge((data.len() / 4096) as u64)?;
    match encoding {
        Encoding::Utf8 => decode_by(vm, data, 0, encoding, errors, utf8),
        Encoding::Utf8Sig => {
            let start = if data.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
            decode_by(vm, data, start, encoding, errors, utf8)
        }
        Encoding::Ascii => decode_by(vm, data, 0, encoding, errors, |data, at, text| {
            let good = data[at..].iter().take_while(|b| b.is_ascii()).count();
            text.extend(data[at..at + good].iter().map(|b| *b as char));
            let at = at + good;
            (at < data.len()).then_some(Fault { start: at, end: at + 1, reason: "ordinal not in range(128)" })
        }),
        Encoding::Latin1 => Ok(data.iter().map(|b| *b as char).collect()),
        Encoding::Utf16(order) => {
            let (order, start) = match (order, data) {
                (Some(order), _) => (order, 0),
                (None, [0xFF, 0xFE, ..]) => (Order::Little, 2),
                (None, [0xFE, 0xFF, ..]) => (Order::Big, 2),
                (None, _) => (Order::Little, 0),
            };
            decode_by(vm, data, start, Encoding::Utf16(Some(order)), errors, move |data, at, text| utf16(data, at, text, order))
        }
        Encoding::Utf32(order) => {
            let (order, start) = match (order, data) {
                (Some(order), _) => (order, 0),
                (None, [0xFF, 0xFE, 0, 0, ..]) => (Order::Little, 4),
                (None, [0, 0, 0xFE, 0xFF, ..]) => (Order::Big, 4),
                (None, _) => (Order::Little, 0),
            };
            decode_by(vm, data, start, Encoding::Utf32(Some(order)), errors, move |data, at, text| utf32(data, at, text, order))
        }
    }
}

/// Decodes from `start`: `step` appends text from a position on until the end or a fault, which the handler settles.
fn decode_by(
    vm: &Vm,
    data: &[u8],
    start: usize,
    encoding: Encoding,
    errors: &str,
    step: impl Fn(&[u8], usize, &mut String) -> Option<Fault>,
) -> R<String> {
    let mut text = String::with_capacity(data.len() - start);
    let mut at = start;
    let mut chosen = None;
    let mut faults = 0usize;
    while let Some(fault) = step(data, at, &mut text) {
        faults += 1;
        if faults.is_multiple_of(64) {
            vm.charge(4)?;
            vm.check_text(text.len())?;
        }
        let handler = match chosen {
            Some(handler) => handler,
            None => *chosen.insert(handler(vm, errors)?),
        };
        match handler {
            Handler::Strict => return Err(undecodable(vm, data, encoding, &fault)),
            Handler::Ignore => {}
            Handler::Replace => text.push('\u{FFFD}'),
            Handler::BackslashReplace => {
                for byte in &data[fault.start..fault.end] {
                    escape(&mut text, u32::from(*byte));
                }
            }
            Handler::XmlCharRefReplace => {
                return Err(vm.type_error("don't know how to handle UnicodeDecodeError in error callback"));
            }
        }
        at = fault.end;
    }
    Ok(text)
}

fn utf8(data: &[u8], at: usize, text: &mut String) -> Option<Fault> {
    let error = match std::str::from_utf8(&data[at..]) {
        Ok(good) => {
            text.push_str(good);
            return None;
        }
        Err(error) => error,
    };
    let start = at + error.valid_up_to();
    text.push_str(std::str::from_utf8(&data[at..start]).unwrap_or_default());
    Some(match error.error_len() {
        None => Fault { start, end: data.len(), reason: "unexpected end of data" },
        Some(length) => {
            let is_lead = matches!(data[start], 0xC2..=0xF4);
            let reason = if is_lead { "invalid continuation byte" } else { "invalid start byte" };
            Fault { start, end: start + length, reason }
        }
    })
}

fn utf16(data: &[u8], mut at: usize, text: &mut String, order: Order) -> Option<Fault> {
    let unit = |at: usize| {
        let pair = [*data.get(at)?, *data.get(at + 1)?];
        Some(if order == Order::Little { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) })
    };
    while at < data.len() {
        let Some(first) = unit(at) else {
            return Some(Fault { start: at, end: data.len(), reason: "truncated data" });
        };
        if let Some(c) = char::from_u32(first.into()) {
            text.push(c);
            at += 2;
            continue;
        }
        if first >= 0xDC00 {
            return Some(Fault { start: at, end: at + 2, reason: "illegal encoding" });
        }
        let Some(second) = unit(at + 2) else {
            return Some(Fault { start: at, end: data.len(), reason: "unexpected end of data" });
        };
        match char::decode_utf16([first, second]).next() {
            Some(Ok(c)) => text.push(c),
            _ => return Some(Fault { start: at, end: at + 2, reason: "illegal UTF-16 surrogate" }),
        }
        at += 4;
    }
    None
}

fn utf32(data: &[u8], mut at: usize, text: &mut String, order: Order) -> Option<Fault> {
    while at < data.len() {
        let Some(four) = data.get(at..at + 4).and_then(|four| <[u8; 4]>::try_from(four).ok()) else {
            return Some(Fault { start: at, end: data.len(), reason: "truncated data" });
        };
        let code = if order == Order::Little { u32::from_le_bytes(four) } else { u32::from_be_bytes(four) };
        match char::from_u32(code) {
            Some(c) => text.push(c),
            None if code < 0x11_0000 => {
                return Some(Fault {
                    start: at,
                    end: at + 4,
                    reason: "code point in surrogate code point range(0xd800, 0xe000)",
                });
            }
            None => return Some(Fault { start: at, end: at + 4, reason: "code point not in range(0x110000)" }),
        }
        at += 4;
    }
    None
}
