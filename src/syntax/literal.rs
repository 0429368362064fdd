//! Numbers and strings: where they end and what they mean.
//!
//! `layout` asks for the ends, `actions` for the values. Strings are Unicode text: an escape that names half of a
//! surrogate pair is refused.

use std::borrow::Cow;

use dashu_int::IBig;

use super::ast::Constant;
use super::error::{SyntaxError, SyntaxErrorKind as Kind};
use super::source::Span;

/// Decimal literals are limited as CPython limits them: converting one takes quadratic time.
const MAX_DECIMAL_DIGITS: usize = 4_300;

/// What stands before the quotes of a string, and how wide the quotes are.
#[derive(Clone, Copy)]
pub struct Prefix {
    pub raw: bool,
    pub bytes: bool,
    /// Of prefix and opening quotes.
    pub opening: usize,
    /// Of the closing quotes.
    pub closing: usize,
}

impl Prefix {
    /// Reads the prefix of a string literal.
    pub fn of(literal: &str) -> Prefix {
        let letters = literal.bytes().take_while(u8::is_ascii_alphabetic).count();
        let body = &literal[letters..];
        let triple = body.len() >= 6 && (body.starts_with("\"\"\"") || body.starts_with("'''"));
        let closing = if triple { 3 } else { 1 };
        let has = |letter: u8| literal.as_bytes()[..letters].iter().any(|byte| byte.to_ascii_lowercase() == letter);
        Prefix { raw: has(b'r'), bytes: has(b'b'), opening: letters + closing, closing }
    }
}

/// The value of a whole string literal that starts at this offset of its source.
pub fn string(literal: &str, start: usize) -> Result<Constant, SyntaxError> {
    let prefix = Prefix::of(literal);
    let body = &literal[prefix.opening..literal.len() - prefix.closing];
    let span = Span::new(start, start + literal.len());
    if prefix.bytes {
        return bytes(body, prefix.raw).map(|bytes| Constant::Bytes(bytes.into())).map_err(|kind| SyntaxError::new(kind, span));
    }
    text(body, prefix.raw).map(|text| Constant::Str(text.into())).map_err(|kind| SyntaxError::new(kind, span))
}

/// The text that stands between the quotes, with its escapes carried out.
pub fn text(body: &str, raw: bool) -> Result<Cow<'_, str>, Kind> {
    let body = newlines(body);
    if raw || !body.contains('\\') {
        return Ok(body);
    }
    unescape(&body).map(Cow::Owned)
}

/// The text of an f-string between its fields: doubled braces are halved too.
pub fn fstring_text(body: &str, raw: bool) -> Result<String, Kind> {
    let body = newlines(body);
    let mut out = String::with_capacity(body.len());
    let mut rest = &*body;
    // Between escapes, since the braces of `\N{...}` are its own.
    while let Some(at) = rest.find(if raw { &['{', '}'][..] } else { &['{', '}', '\\'][..] }) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if rest.starts_with('\\') {
            let width = escape(rest, body.len() - rest.len(), &mut out)?;
            rest = &rest[width..];
        } else {
            out.push_str(&rest[..1]);
            rest = &rest[rest.len().min(2)..];
        }
    }
    out.push_str(rest);
    Ok(out)
}

fn unescape(body: &str) -> Result<String, Kind> {
    let mut out = String::with_capacity(body.len());
    let mut rest = body;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let width = escape(rest, body.len() - rest.len(), &mut out)?;
        rest = &rest[width..];
    }
    out.push_str(rest);
    Ok(out)
}

/// Carries out the escape at the beginning of `rest`; answers how many bytes it takes.
fn escape(rest: &str, position: usize, out: &mut String) -> Result<usize, Kind> {
    let bytes = rest.as_bytes();
    let Some(&letter) = bytes.get(1) else {
        out.push('\\');
        return Ok(1);
    };
    let simple = match letter {
        b'\n' => return Ok(2),
        b'\\' | b'\'' | b'"' => letter as char,
        b'a' => '\x07',
        b'b' => '\x08',
        b'f' => '\x0c',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'v' => '\x0b',
        b'0'..=b'7' => {
            let (value, width) = octal(&bytes[1..]);
            out.extend(char::from_u32(value));
            return Ok(width + 1);
        }
        b'x' => return hex(rest, position, 2, out),
        b'u' => return hex(rest, position, 4, out),
        b'U' => return hex(rest, position, 8, out),
        b'N' => return named(rest, position, out),
        _ => {
            // An unknown escape stands for itself.
            out.push('\\');
            return Ok(1);
        }
    };
    out.push(simple);
    Ok(2)
}

/// What is to be said of the first escape in `start..end` of a text that means nothing, or no byte.
pub fn bad_escape(text: &str, start: usize, end: usize, is_bytes: bool) -> Option<String> {
    let bytes = text.as_bytes();
    let mut at = start;
    while let Some(found) = text[at..end].find('\\') {
        at += found + 1;
        match *bytes.get(at)? {
            b'\n' | b'\r' | b'\\' | b'\'' | b'"' | b'a' | b'b' | b'f' | b'n' | b'r' | b't' | b'v' | b'x' => {}
            b'N' | b'u' | b'U' if !is_bytes => {}
            b'0'..=b'7' => {
                let (value, width) = octal(&bytes[at..end]);
                if value > 0xff {
                    return Some(format!("invalid octal escape sequence '\\{}'", &text[at..at + width]));
                }
            }
            letter if letter.is_ascii() => return Some(format!("invalid escape sequence '\\{}'", letter as char)),
            _ => {}
        }
        if at >= end {
            return None;
        }
        // Behind the letter, whatever its width.
        at += text[at..].chars().next().map_or(1, char::len_utf8);
        if at > end {
            return None;
        }
    }
    None
}

/// What a number that runs into a keyword is called in the warning about it.
pub fn number_word(number: &str) -> &'static str {
    let bytes = number.as_bytes();
    match (bytes[0], bytes.get(1).map_or(0, |letter| letter | 0x20), bytes[bytes.len() - 1] | 0x20) {
        (b'0', b'x', _) => "hexadecimal",
        (b'0', b'o', _) => "octal",
        (b'0', b'b', _) => "binary",
        (_, _, b'j') => "imaginary",
        _ => "decimal",
    }
}

/// `\xhh`, `\uhhhh`, `\Uhhhhhhhh`.
fn hex(rest: &str, position: usize, digits: usize, out: &mut String) -> Result<usize, Kind> {
    let found = rest.as_bytes()[2..].iter().take(digits).take_while(|byte| byte.is_ascii_hexdigit()).count();
    let form = match digits {
        2 => "truncated \\xXX escape",
        4 => "truncated \\uXXXX escape",
        _ => "truncated \\UXXXXXXXX escape",
    };
    if found < digits {
        return Err(Kind::BadEscape { start: position, end: position + 1 + found, reason: form });
    }
    let value = u32::from_str_radix(&rest[2..2 + digits], 16).unwrap_or(u32::MAX);
    match char::from_u32(value) {
        Some(c) => out.push(c),
        None if (0xd800..0xe000).contains(&value) => return Err(Kind::Surrogate(value)),
        None => {
            let reason = "illegal Unicode character";
            return Err(Kind::BadEscape { start: position, end: position + 1 + digits, reason });
        }
    }
    Ok(2 + digits)
}

/// `\N{NAME}`.
fn named(rest: &str, position: usize, out: &mut String) -> Result<usize, Kind> {
    match rest[2..].strip_prefix('{').and_then(|name| name.split_once('}')) {
        Some((name, _)) if !name.is_empty() => {
            let width = name.len() + 4;
            match character_named(name) {
                Some(char) => out.push(char),
                None if cfg!(feature = "unicode") => {
                    let reason = "unknown Unicode character name";
                    return Err(Kind::BadEscape { start: position, end: position + width - 1, reason });
                }
                None => return Err(Kind::NamedCharacter(name.into())),
            }
            Ok(width)
        }
        _ => {
            let end = match rest[2..].starts_with('{') {
                true if rest[3..].contains('}') => position + 2,
                true => position + rest.len() - 1,
                false => position + 1,
            };
            Err(Kind::BadEscape { start: position, end, reason: "malformed \\N character escape" })
        }
    }
}

/// The character of a name, in any case of letters; none without the table of names.
#[cfg(feature = "unicode")]
pub fn character_named(name: &str) -> Option<char> {
    // The crate takes names loosely, Python to the letter. Aliases do not resemble the name.
    let char = unicode_names2::character(name)?;
    let Some(known) = unicode_names2::name(char) else { return Some(char) };
    let known = known.to_string();
    let loose = |name: &str| name.replace([' ', '-', '_'], "").to_ascii_uppercase();
    (known.eq_ignore_ascii_case(name) || loose(&known) != loose(name)).then_some(char)
}

#[cfg(not(feature = "unicode"))]
pub fn character_named(_name: &str) -> Option<char> {
    None
}

/// Up to three octal digits: their value and number.
fn octal(bytes: &[u8]) -> (u32, usize) {
    let width = bytes.iter().take(3).take_while(|byte| matches!(byte, b'0'..=b'7')).count();
    (bytes[..width].iter().fold(0, |value, byte| value * 8 + u32::from(byte - b'0')), width)
}

fn bytes(body: &str, raw: bool) -> Result<Vec<u8>, Kind> {
    if !body.is_ascii() {
        return Err(Kind::BytesNotAscii);
    }
    let body = newlines(body);
    let body = body.as_bytes();
    if raw {
        return Ok(body.to_vec());
    }
    let mut out = Vec::with_capacity(body.len());
    let mut at = 0;
    while let Some(&byte) = body.get(at) {
        let next = body.get(at + 1).copied();
        let (value, width) = match (byte, next) {
            (b'\\', Some(b'\n')) => {
                at += 2;
                continue;
            }
            (b'\\', Some(letter @ (b'\\' | b'\'' | b'"'))) => (letter, 2),
            (b'\\', Some(b'a')) => (7, 2),
            (b'\\', Some(b'b')) => (8, 2),
            (b'\\', Some(b'f')) => (12, 2),
            (b'\\', Some(b'n')) => (10, 2),
            (b'\\', Some(b'r')) => (13, 2),
            (b'\\', Some(b't')) => (9, 2),
            (b'\\', Some(b'v')) => (11, 2),
            (b'\\', Some(b'0'..=b'7')) => {
                let (value, width) = octal(&body[at + 1..]);
                (value as u8, width + 1)
            }
            (b'\\', Some(b'x')) => {
                let digits = body.get(at + 2..at + 4).and_then(|digits| std::str::from_utf8(digits).ok());
                let valid = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
                match valid.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
                    Some(value) => (value, 4),
                    None => return Err(Kind::BadBytesEscape { position: at }),
                }
            }
            _ => (byte, 1),
        };
        out.push(value);
        at += width;
    }
    Ok(out)
}

/// Line ends inside strings are `\n` however the file spells them.
fn newlines(body: &str) -> Cow<'_, str> {
    if body.contains('\r') { Cow::Owned(body.replace("\r\n", "\n").replace('\r', "\n")) } else { Cow::Borrowed(body) }
}

/// The offset behind the closing quotes of a string whose body begins at `at`.
pub fn string_end(text: &str, mut at: usize, quote: u8, triple: bool) -> Option<usize> {
    let bytes = text.as_bytes();
    loop {
        let byte = *bytes.get(at)?;
        if byte == quote {
            if !triple {
                return Some(at + 1);
            }
            if bytes.get(at + 1) == Some(&quote) && bytes.get(at + 2) == Some(&quote) {
                return Some(at + 3);
            }
        } else if byte == b'\\' {
            at += if bytes.get(at + 1) == Some(&b'\r') && bytes.get(at + 2) == Some(&b'\n') { 2 } else { 1 };
        } else if !triple && matches!(byte, b'\n' | b'\r') {
            return None;
        }
        at += 1;
    }
}

/// The offset at which the line holding `at` ends, joined lines included.
pub fn line_end(text: &str, at: usize) -> usize {
    let bytes = text.as_bytes();
    let mut at = at;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' if bytes[at + 1..].starts_with(b"\r\n") => at += 2,
            b'\\' => at += 1,
            b'\r' | b'\n' => break,
            _ => {}
        }
        at += 1;
    }
    at.min(text.len())
}

/// The number of the line that holds an offset.
pub fn lines_before(text: &str, at: usize) -> u32 {
    let bytes = &text.as_bytes()[..at];
    let ends = bytes
        .iter()
        .enumerate()
        .filter(|&(index, &byte)| byte == b'\n' || (byte == b'\r' && bytes.get(index + 1) != Some(&b'\n')));
    ends.count() as u32 + 1
}

/// Where a number that begins at `start` ends, or what is wrong with it.
pub fn number_end(text: &str, start: usize) -> Result<usize, SyntaxError> {
    let bytes = text.as_bytes();
    let at = |index: usize| bytes.get(index).copied().unwrap_or(0);
    if bytes[start] == b'0' {
        let radix = match at(start + 1) | 0x20 {
            b'x' => Some(Radix::Hexadecimal),
            b'o' => Some(Radix::Octal),
            b'b' => Some(Radix::Binary),
            _ => None,
        };
        if let Some(radix) = radix {
            return radix_end(text, start + 2, radix);
        }
    }
    let mut end = start;
    let mut float = false;
    if bytes[start] != b'.' {
        end = digits(text, start)?;
    }
    let whole = end;
    if at(end) == b'.' {
        float = true;
        end += 1;
        if at(end).is_ascii_digit() {
            end = digits(text, end)?;
        }
    }
    if at(end) | 0x20 == b'e' {
        let sign = usize::from(matches!(at(end + 1), b'+' | b'-'));
        if at(end + 1 + sign).is_ascii_digit() {
            float = true;
            end = digits(text, end + 1 + sign)?;
        } else if sign == 1 {
            return Err(bad(Kind::InvalidNumber("decimal"), end + 1));
        }
    }
    if at(end) | 0x20 == b'j' {
        return ends_here(text, end + 1, "imaginary");
    }
    if !float {
        let zeros = bytes[start..whole].iter().take_while(|byte| matches!(byte, b'0' | b'_')).count();
        if bytes[start] == b'0' && zeros < whole - start {
            return Err(SyntaxError::new(Kind::LeadingZeros, Span::new(start, start + zeros)));
        }
    }
    ends_here(text, end, "decimal")
}

#[derive(Clone, Copy)]
enum Radix {
    Hexadecimal,
    Octal,
    Binary,
}

fn radix_end(text: &str, start: usize, radix: Radix) -> Result<usize, SyntaxError> {
    let bytes = text.as_bytes();
    let (name, base) = match radix {
        Radix::Hexadecimal => ("hexadecimal", 16),
        Radix::Octal => ("octal", 8),
        Radix::Binary => ("binary", 2),
    };
    let is_digit = |index: usize| bytes.get(index).is_some_and(|&byte| (byte as char).is_digit(base));
    let mut at = start;
    loop {
        let underscore = bytes.get(at) == Some(&b'_');
        at += usize::from(underscore);
        if !is_digit(at) {
            return match bytes.get(at) {
                Some(&byte) if byte.is_ascii_digit() => Err(bad(Kind::InvalidDigit { digit: byte as char, literal: name }, at)),
                _ if underscore || at == start => Err(bad(Kind::InvalidNumber(name), at.saturating_sub(1))),
                _ => ends_here(text, at, name),
            };
        }
        while is_digit(at) {
            at += 1;
        }
        if bytes.get(at) != Some(&b'_') {
            return match bytes.get(at) {
                Some(&byte) if byte.is_ascii_digit() => Err(bad(Kind::InvalidDigit { digit: byte as char, literal: name }, at)),
                _ => ends_here(text, at, name),
            };
        }
    }
}

/// The end of decimal digits with single underscores between them.
fn digits(text: &str, mut at: usize) -> Result<usize, SyntaxError> {
    let bytes = text.as_bytes();
    loop {
        while bytes.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
        }
        if bytes.get(at) != Some(&b'_') {
            return Ok(at);
        }
        if !bytes.get(at + 1).is_some_and(u8::is_ascii_digit) {
            return Err(bad(Kind::InvalidNumber("decimal"), at));
        }
        at += 1;
    }
}

/// A number may not run into a name, keywords excepted.
fn ends_here(text: &str, end: usize, name: &'static str) -> Result<usize, SyntaxError> {
    let rest = &text[end..];
    let is_letter = |at: usize| rest.as_bytes().get(at).is_some_and(|byte| *byte == b'_' || byte.is_ascii_alphanumeric());
    if !is_letter(0) {
        return Ok(end);
    }
    const FOLLOWERS: [&str; 8] = ["and", "else", "for", "if", "in", "is", "not", "or"];
    if FOLLOWERS.iter().any(|word| rest.starts_with(word) && !is_letter(word.len())) {
        return Ok(end);
    }
    Err(bad(Kind::InvalidNumber(name), end.saturating_sub(1)))
}

#[cold]
fn bad(kind: Kind, at: usize) -> SyntaxError {
    SyntaxError::new(kind, Span::new(at, at + 1))
}

/// The value of a number literal whose form has been checked.
pub fn number(literal: &str) -> Result<Constant, Kind> {
    let digits: Cow<'_, str> = if literal.contains('_') { Cow::Owned(literal.replace('_', "")) } else { Cow::Borrowed(literal) };
    let bytes = digits.as_bytes();
    if let [b'0', letter, ..] = bytes {
        let radix = match letter | 0x20 {
            b'x' => 16,
            b'o' => 8,
            b'b' => 2,
            _ => 0,
        };
        if radix != 0 {
            return Ok(integer(&digits[2..], radix));
        }
    }
    if let Some(imaginary) = digits.strip_suffix(['j', 'J']) {
        return Ok(Constant::Complex(imaginary.parse().unwrap_or(0.0)));
    }
    if bytes.iter().all(u8::is_ascii_digit) {
        let significant = digits.trim_start_matches('0').len();
        if significant > MAX_DECIMAL_DIGITS {
            return Err(Kind::TooManyDigits(significant));
        }
        return Ok(integer(&digits, 10));
    }
    Ok(Constant::Float(digits.parse().unwrap_or(0.0)))
}

fn integer(digits: &str, radix: u32) -> Constant {
    match i64::from_str_radix(digits, radix) {
        Ok(value) => Constant::Int(value),
        Err(_) => Constant::BigInt(Box::new(IBig::from_str_radix(digits, radix).unwrap_or_default())),
    }
}
