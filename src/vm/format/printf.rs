//! The `%` operator of strings and bytes: printf-style formatting.
//!
//! Both work on bytes: what has a meaning in a format is ASCII, and the rest of a string is copied whole.

use super::number::{character_of, digits, text_of};
use crate::value::{ByteArray, Bytes, R, Raised, Ref, Str, Value};
use crate::vm::Vm;
use crate::vm::number::{Number, float as floats};

/// `format % values` for strings.
pub fn percent_str(vm: &Vm, format: &Ref<Str>, values: &Value) -> R {
    let text = Printf::new(vm, format.as_str().as_bytes(), values, false).run()?;
    // Only whole code points were copied.
    let text = String::from_utf8(text).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    Ok(Value::from(vm.heap.string(text)))
}

/// `format % values` for bytes.
pub fn percent_bytes(vm: &Vm, format: &[u8], values: &Value) -> R<Vec<u8>> {
    Printf::new(vm, format, values, true).run()
}

/// Where the next value comes from.
enum Source<'a> {
    Items {
        items: &'a [Value],
        next: usize,
    },
    /// One value, until it is taken.
    Single(Option<Value>),
}

struct Printf<'a> {
    vm: &'a Vm,
    format: &'a [u8],
    at: usize,
    values: &'a Value,
    source: Source<'a>,
    is_mapping: bool,
    is_bytes: bool,
    out: Vec<u8>,
}

/// What stands between `%` and the conversion character.
#[derive(Default)]
struct Flags {
    left: bool,
    plus: bool,
    space: bool,
    alternate: bool,
    zero: bool,
    width: usize,
    precision: Option<usize>,
}

impl<'a> Printf<'a> {
    fn new(vm: &'a Vm, format: &'a [u8], values: &'a Value, is_bytes: bool) -> Self {
        let is_text = values.payload::<Str>().is_some();
        let is_binary = values.payload::<Bytes>().is_some() || values.payload::<ByteArray>().is_some();
        let is_plain = values.as_tuple().is_some() || is_text || is_bytes && is_binary;
        let is_mapping = !is_plain && !vm.class_of(values).lookup(&vm.n.__getitem__).is_undef();
        let source = match values.as_tuple() {
            Some(items) => Source::Items { items, next: 0 },
            None => Source::Single(Some(values.clone())),
        };
        Printf { vm, format, at: 0, values, source, is_mapping, is_bytes, out: Vec::with_capacity(format.len() + 16) }
    }

    fn run(mut self) -> R<Vec<u8>> {
        self.vm.will_scan(self.format.len().saturating_mul(4))?;
        while let Some(length) = self.format[self.at..].iter().position(|b| *b == b'%') {
            self.out.extend_from_slice(&self.format[self.at..self.at + length]);
            self.at += length + 1;
            if self.peek() == Some(b'%') {
                self.out.push(b'%');
                self.at += 1;
                continue;
            }
            self.convert()?;
            self.vm.check_text(self.out.len())?;
            self.vm.charge(1)?;
        }
        self.out.extend_from_slice(&self.format[self.at..]);
        let left = match &self.source {
            Source::Items { items, next } => *next < items.len(),
            Source::Single(value) => value.is_some(),
        };
        if left && !self.is_mapping {
            let what = if self.is_bytes { "bytes" } else { "string" };
            return Err(self.vm.type_error(format!("not all arguments converted during {what} formatting")));
        }
        Ok(self.out)
    }

    fn peek(&self) -> Option<u8> {
        self.format.get(self.at).copied()
    }

    fn take(&mut self) -> R<Value> {
        let value = match &mut self.source {
            Source::Items { items, next } => {
                *next += 1;
                items.get(*next - 1).cloned()
            }
            Source::Single(value) => value.take(),
        };
        value.ok_or_else(|| self.vm.type_error("not enough arguments for format string"))
    }

    fn convert(&mut self) -> R<()> {
        let mut flags = Flags::default();
        if self.peek() == Some(b'(') {
            self.at += 1;
            self.mapping_key()?;
        }
        while let Some(flag) = self.peek() {
            match flag {
                b'-' => flags.left = true,
                b'+' => flags.plus = true,
                b' ' => flags.space = true,
                b'#' => flags.alternate = true,
                b'0' => flags.zero = true,
                _ => break,
            }
            self.at += 1;
        }
        self.width(&mut flags)?;
        self.precision(&mut flags)?;
        if matches!(self.peek(), Some(b'h' | b'l' | b'L')) {
            self.at += 1;
        }
        let Some(kind) = self.peek() else { return Err(self.vm.value_error("incomplete format")) };
        let value = self.take()?;
        self.value(kind, &value, &flags)?;
        self.at += 1;
        Ok(())
    }

    fn mapping_key(&mut self) -> R<()> {
        if !self.is_mapping {
            return Err(self.vm.type_error("format requires a mapping"));
        }
        let start = self.at;
        let mut open = 1;
        loop {
            match self.peek() {
                None => return Err(self.vm.value_error("incomplete format key")),
                Some(b'(') => open += 1,
                Some(b')') => open -= 1,
                Some(_) => {}
            }
            self.at += 1;
            if open == 0 {
                break;
            }
        }
        let key = &self.format[start..self.at - 1];
        let key = match std::str::from_utf8(key) {
            Ok(text) if !self.is_bytes => self.vm.str_value(text),
            _ => Value::from(self.vm.heap.bytes_object(key)),
        };
        let value = self.vm.get_item(self.values, &key)?;
        self.source = Source::Single(Some(value));
        Ok(())
    }

    fn star(&mut self) -> R<i64> {
        self.at += 1;
        match self.take()? {
            Value::Int(i) => Ok(i),
            Value::Bool(b) => Ok(b as i64),
            _ => Err(self.vm.type_error("* wants int")),
        }
    }

    fn number(&mut self, too_big: &str) -> R<usize> {
        let mut number: usize = 0;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            self.at += 1;
            number = number.saturating_mul(10).saturating_add(usize::from(digit - b'0'));
        }
        if number > i32::MAX as usize { Err(self.vm.value_error(too_big)) } else { Ok(number) }
    }

    fn width(&mut self, flags: &mut Flags) -> R<()> {
        if self.peek() == Some(b'*') {
            let width = self.star()?;
            flags.left |= width < 0;
            flags.width = usize::try_from(width.unsigned_abs()).unwrap_or(usize::MAX);
        } else {
            flags.width = self.number("width too big")?;
        }
        self.vm.check_text(flags.width)
    }

    fn precision(&mut self, flags: &mut Flags) -> R<()> {
        if self.peek() != Some(b'.') {
            return Ok(());
        }
        self.at += 1;
        flags.precision = Some(if self.peek() == Some(b'*') {
            let precision = usize::try_from(self.star()?).unwrap_or(0);
            if precision > i32::MAX as usize {
                return Err(self.vm.value_error("precision too big"));
            }
            precision
        } else {
            self.number("precision too big")?
        });
        Ok(())
    }

    fn value(&mut self, kind: u8, value: &Value, flags: &Flags) -> R<()> {
        match kind {
            b's' if !self.is_bytes => {
                let text = self.vm.str(value)?;
                self.text(text.as_str(), flags)
            }
            b'r' if !self.is_bytes => {
                let text = self.vm.repr(value)?;
                self.text(text.as_str(), flags)
            }
            b'a' | b'r' => {
                let text = self.vm.ascii(value)?;
                self.text(text.as_str(), flags)
            }
            b'b' | b's' if self.is_bytes => self.binary(value, flags),
            b'c' => self.character(value, flags),
            b'd' | b'i' | b'u' | b'o' | b'x' | b'X' => self.integer(kind, value, flags),
            b'e' | b'E' | b'f' | b'F' | b'g' | b'G' => self.float(kind, value, flags),
            _ => Err(self.unsupported()),
        }
    }

    fn unsupported(&self) -> Raised {
        let rest = &self.format[self.at..];
        let (code, index) = match std::str::from_utf8(self.format) {
            Ok(text) if !self.is_bytes => {
                (text[self.at..].chars().next().unwrap_or('\0') as u32, text[..self.at].chars().count())
            }
            _ => (rest.first().copied().unwrap_or(0).into(), self.at),
        };
        let shown = char::from_u32(code).filter(|c| ('\x20'..'\x7f').contains(c)).unwrap_or('?');
        self.vm.value_error(format!("unsupported format character '{shown}' (0x{code:x}) at index {index}"))
    }

    fn text(&mut self, text: &str, flags: &Flags) -> R<()> {
        let text = match flags.precision {
            Some(precision) => text.char_indices().nth(precision).map_or(text, |(end, _)| &text[..end]),
            None => text,
        };
        let length = if self.is_bytes { text.len() } else { text.chars().count() };
        self.padded(text.as_bytes(), length, flags)
    }

    fn padded(&mut self, text: &[u8], length: usize, flags: &Flags) -> R<()> {
        let missing = flags.width.saturating_sub(length);
        self.vm.check_text(self.out.len().saturating_add(missing).saturating_add(text.len()))?;
        if !flags.left {
            self.out.extend(std::iter::repeat_n(b' ', missing));
        }
        self.out.extend_from_slice(text);
        if flags.left {
            self.out.extend(std::iter::repeat_n(b' ', missing));
        }
        Ok(())
    }

    fn binary(&mut self, value: &Value, flags: &Flags) -> R<()> {
        let data = match crate::vm::binary::bytes_of(value) {
            Some(data) => data,
            None => match self.vm.call_special(value, &self.vm.n.__bytes__, &[])? {
                Some(made) if made.payload::<Bytes>().is_some() => crate::vm::binary::bytes_of(&made).unwrap_or_default(),
                Some(made) => {
                    let class = self.vm.class_of(&made).name();
                    return Err(self.vm.type_error(format!("__bytes__ returned non-bytes (type {})", class.as_str())));
                }
                None => {
                    let class = self.vm.class_of(value).name();
                    let message = format!(
                        "%b requires a bytes-like object, or an object that implements __bytes__, not '{}'",
                        class.as_str()
                    );
                    return Err(self.vm.type_error(message));
                }
            },
        };
        let kept = flags.precision.map_or(data.len(), |precision| precision.min(data.len()));
        self.padded(&data[..kept], kept, flags)
    }

    fn character(&mut self, value: &Value, flags: &Flags) -> R<()> {
        if self.is_bytes {
            return self.byte(value, flags);
        }
        if let Some(text) = value.payload::<Str>() {
            if text.len() != 1 {
                return Err(self.vm.type_error("%c requires int or char"));
            }
            return self.padded(text.as_str().as_bytes(), 1, flags);
        }
        let number = self.vm.index_clamped(value);
        let Some(number) = self.vm.catch(number, &self.vm.types.type_error)? else {
            return Err(self.vm.type_error("%c requires int or char"));
        };
        let char = character_of(self.vm, number)?;
        self.padded(char.encode_utf8(&mut [0; 4]).as_bytes(), 1, flags)
    }

    fn byte(&mut self, value: &Value, flags: &Flags) -> R<()> {
        if let Some(data) = crate::vm::binary::bytes_of(value) {
            if let [byte] = data.as_slice() {
                return self.padded(&[*byte], 1, flags);
            }
        } else {
            let number = self.vm.index_clamped(value);
            if let Some(number) = self.vm.catch(number, &self.vm.types.type_error)? {
                return match u8::try_from(number) {
                    Ok(byte) => self.padded(&[byte], 1, flags),
                    Err(_) => Err(self.vm.overflow_error("%c arg not in range(256)")),
                };
            }
        }
        Err(self.vm.type_error("%c requires an integer in range(256) or a single byte"))
    }

    fn integer(&mut self, kind: u8, value: &Value, flags: &Flags) -> R<()> {
        let integer = self.to_integer(kind, value)?;
        let number = Number::integer(&integer).unwrap_or(Number::Int(0));
        let mut digits = digits(self.vm, number, kind as char)?;
        if let Some(precision) = flags.precision {
            self.vm.check_text(precision)?;
            digits.insert_str(0, &"0".repeat(precision.saturating_sub(digits.len())));
        }
        let prefix = match kind {
            b'o' if flags.alternate => "0o",
            b'x' if flags.alternate => "0x",
            b'X' if flags.alternate => "0X",
            _ => "",
        };
        self.numeric(number.is_negative(), prefix, &digits, flags)
    }

    /// What `__int__`, for the decimal conversions, or else `__index__` makes of a value that is no number itself.
    fn convert_to_integer(&self, is_decimal: bool, value: &Value) -> R<Option<Value>> {
        if is_decimal && let Some(made) = self.vm.call_special(value, &self.vm.n.__int__, &[])? {
            return self.vm.integer_returned("__int__", &made).map(Some);
        }
        if self.vm.has_index(value) { self.vm.index(value).map(Some) } else { Ok(None) }
    }

    fn to_integer(&self, kind: u8, value: &Value) -> R {
        let is_decimal = matches!(kind, b'd' | b'i' | b'u');
        match Number::of(value) {
            Some(Number::Float(f)) if is_decimal => return floats::to_int(self.vm, f),
            Some(Number::Float(_)) | None => {}
            Some(integer) => return Ok(integer.to_value()),
        }
        // A TypeError, wherever it comes from, means that it is no number.
        let converted = self.convert_to_integer(is_decimal, value);
        if let Some(Some(integer)) = self.vm.catch(converted, &self.vm.types.type_error)? {
            return Ok(integer);
        }
        let wanted = if is_decimal { "a real number" } else { "an integer" };
        let class = self.vm.class_of(value).name();
        Err(self.vm.type_error(format!("%{} format: {wanted} is required, not {}", kind as char, class.as_str())))
    }

    fn float(&mut self, kind: u8, value: &Value, flags: &Flags) -> R<()> {
        let f = match Number::of(value) {
            Some(number) => number.to_f64(self.vm)?,
            None if self.is_bytes && value.payload::<Bytes>().is_some() => return Err(self.float_required(value)),
            None => self.vm.to_f64(value)?,
        };
        let precision = flags.precision.unwrap_or(6);
        self.vm.check_text(precision)?;
        let mut text = text_of(f.abs(), precision, kind as char, flags.alternate);
        if kind.is_ascii_uppercase() {
            text.make_ascii_uppercase();
        }
        self.numeric(f.is_sign_negative() && !f.is_nan(), "", &text, flags)
    }

    fn float_required(&self, value: &Value) -> Raised {
        let class = self.vm.class_of(value).name();
        self.vm.type_error(format!("float argument required, not {}", class.as_str()))
    }

    fn numeric(&mut self, negative: bool, prefix: &str, digits: &str, flags: &Flags) -> R<()> {
        let sign = match negative {
            true => "-",
            false if flags.plus => "+",
            false if flags.space => " ",
            false => "",
        };
        let mut text = String::with_capacity(digits.len() + 4);
        text.push_str(sign);
        text.push_str(prefix);
        if flags.zero && !flags.left {
            let missing = flags.width.saturating_sub(sign.len() + prefix.len() + digits.len());
            self.vm.check_text(missing)?;
            text.extend(std::iter::repeat_n('0', missing));
        }
        text.push_str(digits);
        self.padded(text.as_bytes(), text.len(), flags)
    }
}
