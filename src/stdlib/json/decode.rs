//! JSON text to values.

use std::collections::HashMap;

use dashu_int::IBig;
use foldhash::fast::FixedState;

use super::own;
use crate::value::{ByteArray, Bytes, R, Raised, Ref, Str, Tuple, Value};
use crate::vm::{Args, Vm};

/// What a script wants to be called with.
#[derive(Default)]
struct Hooks {
    object: Option<Value>,
    object_pairs: Option<Value>,
    float: Option<Value>,
    int: Option<Value>,
    constant: Option<Value>,
    strict: bool,
}

fn some(value: &Value) -> Option<Value> {
    if matches!(value, Value::None | Value::Undef) { None } else { Some(value.clone()) }
}

/// `loads(s, *, ...)`.
pub fn json_loads(vm: &Vm, args: Args<'_>) -> R {
    let [given] = args.positional else {
        return Err(match args.positional.len() {
            0 => vm.type_error("loads() missing 1 required positional argument: 's'"),
            given => vm.type_error(format!("loads() takes 1 positional argument but {given} were given")),
        });
    };
    let text = match given.payload::<Str>() {
        Some(text) if text.as_str().starts_with('\u{feff}') => {
            return Err(error(vm, "Unexpected UTF-8 BOM (decode using utf-8-sig)", text, 0));
        }
        Some(text) => text.clone(),
        None => decode_bytes(vm, given)?,
    };
    let mut hooks = Hooks { strict: true, ..Hooks::default() };
    for (name, value) in args.keywords {
        match name.as_str() {
            "object_hook" => hooks.object = some(value),
            "object_pairs_hook" => hooks.object_pairs = some(value),
            "parse_float" => hooks.float = some(value),
            "parse_int" => hooks.int = some(value),
            "parse_constant" => hooks.constant = some(value),
            "strict" => hooks.strict = vm.truthy(value)?,
            "cls" if value.is_none() => {}
            // A class of the script's, or an option that only such a class knows.
            _ => return with_class(vm, &text, args),
        }
    }
    let mut scanner = Scanner::new(vm, &text, 0, hooks);
    scanner.skip_space();
    let value = scanner.value()?;
    scanner.skip_space();
    scanner.settle()?;
    if scanner.at < scanner.bytes.len() {
        return Err(error(vm, "Extra data", &text, scanner.at));
    }
    Ok(value)
}

fn with_class(vm: &Vm, text: &Ref<Str>, args: Args<'_>) -> R {
    let given = args.keywords.iter().find(|(name, value)| name.as_str() == "cls" && !value.is_none());
    let class = match given {
        Some((_, class)) => class.clone(),
        None => own(vm, "JSONDecoder")?,
    };
    let passed = |(name, value): &&(Ref<Str>, Value)| name.as_str() != "cls" && !value.is_none();
    let keywords: Vec<_> = args.keywords.iter().filter(passed).cloned().collect();
    let decoder = vm.call_with(&class, Args { positional: &[], keywords: &keywords })?;
    vm.call_method(&decoder, &vm.intern("decode"), &[Value::from(text)])
}

/// The text of bytes in UTF-8, UTF-16 or UTF-32, told apart by where their zeros are.
fn decode_bytes(vm: &Vm, given: &Value) -> R<Ref<Str>> {
    let data = if let Some(bytes) = given.payload::<Bytes>() {
        bytes.data().to_vec()
    } else if let Some(bytes) = given.payload::<ByteArray>() {
        bytes.with(<[u8]>::to_vec)
    } else {
        let name = vm.class_of(given).name();
        return Err(vm.type_error(format!("the JSON object must be str, bytes or bytearray, not {}", name.as_str())));
    };
    let encoding = match data[..] {
        [0, 0, 0xFE, 0xFF, ..] | [0xFF, 0xFE, 0, 0, ..] => "utf-32",
        [0xFE, 0xFF, ..] | [0xFF, 0xFE, ..] => "utf-16",
        [0xEF, 0xBB, 0xBF, ..] => "utf-8-sig",
        [0, second, _, _, ..] => {
            if second == 0 {
                "utf-32-be"
            } else {
                "utf-16-be"
            }
        }
        [_, 0, third, fourth, ..] => {
            if third != 0 || fourth != 0 {
                "utf-16-le"
            } else {
                "utf-32-le"
            }
        }
        [0, _] => "utf-16-be",
        [_, 0] => "utf-16-le",
        _ => "utf-8",
    };
    if encoding == "utf-8"
        && let Ok(text) = std::str::from_utf8(&data)
    {
        return Ok(vm.heap.str(text));
    }
    let bytes = Value::from(vm.heap.bytes_object(data));
    let text = vm.call_method(&bytes, &vm.intern("decode"), &[vm.str_value(encoding), vm.str_value("surrogatepass")])?;
    match text.payload::<Str>() {
        Some(text) => Ok(text.clone()),
        None => Err(vm.type_error("decoding did not give a str")),
    }
}

/// `_scan(text, start, options)`: the value at `start` and the index behind it. `start` and the result count code points.
pub fn json_scan(vm: &Vm, text: &Ref<Str>, start: i64, options: &Ref<Tuple>) -> R {
    if start < 0 {
        return Err(vm.value_error("idx cannot be negative"));
    }
    let [object, float, int, constant, strict, object_pairs] = options.items() else {
        return Err(vm.type_error("six options are expected"));
    };
    let hooks = Hooks {
        object: some(object),
        object_pairs: some(object_pairs),
        float: some(float),
        int: some(int),
        constant: some(constant),
        strict: vm.truthy(strict)?,
    };
    let from = text.offset((start as usize).min(text.len()));
    let mut scanner = Scanner::new(vm, text, from, hooks);
    let value = scanner.value()?;
    scanner.settle()?;
    let end = text.index_of_offset(scanner.at);
    Ok(vm.heap.tuple([value, Value::Int(end as i64)]).into())
}

/// A `JSONDecodeError` at a byte offset.
#[cold]
#[inline(never)]
fn error(vm: &Vm, message: &str, text: &Ref<Str>, offset: usize) -> Raised {
    let position = Value::Int(text.index_of_offset(offset) as i64);
    let made =
        own(vm, "JSONDecodeError").and_then(|class| vm.call(&class, &[vm.str_value(message), Value::from(text), position]));
    match made {
        Ok(exception) => vm.raise_new(exception),
        Err(raised) => raised,
    }
}

struct Scanner<'a> {
    vm: &'a Vm,
    text: &'a Ref<Str>,
    bytes: &'a [u8],
    at: usize,
    /// As far as the work has been counted.
    counted: usize,
    hooks: Hooks,
    /// Keys met so far, so that equal ones share an object.
    keys: HashMap<&'a str, Ref<Str>, FixedState>,
    steps: u32,
}

impl<'a> Scanner<'a> {
    fn new(vm: &'a Vm, text: &'a Ref<Str>, at: usize, hooks: Hooks) -> Self {
        Scanner { vm, text, bytes: text.as_str().as_bytes(), at, counted: at, hooks, keys: HashMap::default(), steps: 0 }
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    #[inline]
    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    /// Counts the work since the last time.
    #[inline]
    fn settle(&mut self) -> R<()> {
        let passed = self.at - self.counted;
        self.counted = self.at;
        self.vm.will_scan(passed)
    }

    #[cold]
    fn fail<T>(&self, message: &str, offset: usize) -> R<T> {
        Err(error(self.vm, message, self.text, offset))
    }

    fn value(&mut self) -> R {
        self.steps += 1;
        if self.steps.is_multiple_of(64) {
            self.vm.charge(8)?;
        }
        self.settle()?;
        match self.peek() {
            Some(b'"') => self.string().map(|text| match text {
                Text::Plain(text) => self.vm.str_value(text),
                Text::Built(text) => self.vm.heap.string(text).into(),
            }),
            Some(b'{') => self.nest(Self::object),
            Some(b'[') => self.nest(Self::array),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Value::TRUE),
            Some(b'f') => self.word("false", Value::FALSE),
            Some(b'n') => self.word("null", Value::None),
            Some(b'N') => self.constant("NaN", f64::NAN),
            Some(b'I') => self.constant("Infinity", f64::INFINITY),
            _ => self.fail("Expecting value", self.at),
        }
    }

    fn nest(&mut self, inside: fn(&mut Self) -> R) -> R {
        let vm = self.vm;
        vm.nested(|| inside(self))
    }

    fn starts_with(&self, word: &str) -> bool {
        self.bytes[self.at..].starts_with(word.as_bytes())
    }

    fn word(&mut self, word: &str, value: Value) -> R {
        if !self.starts_with(word) {
            return self.fail("Expecting value", self.at);
        }
        self.at += word.len();
        Ok(value)
    }

    fn constant(&mut self, word: &str, number: f64) -> R {
        let value = self.word(word, Value::float(number))?;
        match &self.hooks.constant {
            Some(hook) => self.vm.call(hook, &[self.vm.str_value(word)]),
            None => Ok(value),
        }
    }

    fn digits(&mut self) -> usize {
        let from = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        self.at - from
    }

    fn number(&mut self) -> R {
        let vm = self.vm;
        let from = self.at;
        let negative = self.peek() == Some(b'-');
        self.at += usize::from(negative);
        match self.peek() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => {
                self.digits();
            }
            _ => {
                self.at = from;
                if negative && self.starts_with("-Infinity") {
                    return self.constant("-Infinity", f64::NEG_INFINITY);
                }
                return self.fail("Expecting value", from);
            }
        }
        let whole = self.at;
        if self.peek() == Some(b'.') {
            self.at += 1;
            if self.digits() == 0 {
                self.at = whole;
            }
        }
        let fraction = self.at;
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            if self.digits() == 0 {
                self.at = fraction;
            }
        }
        let text = &self.text.as_str()[from..self.at];
        if self.at == whole {
            if let Some(hook) = &self.hooks.int {
                return vm.call(hook, &[vm.str_value(text)]);
            }
            if let Ok(number) = text.parse::<i64>() {
                return Ok(Value::Int(number));
            }
            if text.len() < 640
                && let Ok(number) = IBig::from_str_radix(text, 10)
            {
                return Ok(vm.heap.int(number));
            }
            // Long ones are subject to the limit that `int()` has.
            return vm.call(&Value::from(&vm.types.int), &[vm.str_value(text)]);
        }
        if let Some(hook) = &self.hooks.float {
            return vm.call(hook, &[vm.str_value(text)]);
        }
        Ok(Value::float(text.parse().unwrap_or(f64::NAN)))
    }

    /// A string; the place is at its opening quote.
    fn string(&mut self) -> R<Text<'a>> {
        let begin = self.at;
        self.at += 1;
        let text: &'a str = self.text_str();
        let mut built = String::new();
        let mut from = self.at;
        loop {
            match self.peek() {
                None => return self.fail("Unterminated string starting at", begin),
                Some(b'"') => {
                    let rest = &text[from..self.at];
                    self.at += 1;
                    if built.is_empty() {
                        return Ok(Text::Plain(rest));
                    }
                    built.push_str(rest);
                    return Ok(Text::Built(built));
                }
                Some(b'\\') => {
                    built.push_str(&text[from..self.at]);
                    built.push(self.escape(begin)?);
                    from = self.at;
                }
                Some(0..0x20) if self.hooks.strict => return self.fail("Invalid control character at", self.at),
                Some(_) => self.at += 1,
            }
        }
    }

    fn text_str(&self) -> &'a str {
        self.text.as_str()
    }

    /// What a backslash and what follows it stand for.
    fn escape(&mut self, begin: usize) -> R<char> {
        let backslash = self.at;
        self.at += 1;
        let Some(letter) = self.peek() else { return self.fail("Unterminated string starting at", begin) };
        self.at += 1;
        Ok(match letter {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\x08',
            b'f' => '\x0c',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let unit = self.hex(backslash)?;
                let mut point = unit;
                if (0xD800..0xDC00).contains(&unit) && self.starts_with("\\u") {
                    let before = self.at;
                    self.at += 2;
                    match self.hex(before)? {
                        low @ 0xDC00..0xE000 => point = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00),
                        _ => self.at = before,
                    }
                }
                // Half of a pair alone is no character.
                char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            _ => return self.fail("Invalid \\escape", backslash),
        })
    }

    /// The four digits behind `\u`.
    fn hex(&mut self, backslash: usize) -> R<u32> {
        let digits = self.bytes.get(self.at..self.at + 4).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let Some(digits) = digits else { return self.fail("Invalid \\uXXXX escape", backslash + 1) };
        self.at += 4;
        Ok(digits.iter().fold(0, |number, &digit| number << 4 | (digit as char).to_digit(16).unwrap_or(0)))
    }

    fn array(&mut self) -> R {
        let vm = self.vm;
        self.at += 1;
        self.skip_space();
        let mut items = Vec::new();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(vm.heap.list(items).into());
        }
        loop {
            let item = self.value()?;
            if items.len() == items.capacity() {
                vm.check_alloc_items(items.len() * 2, size_of::<Value>())?;
            }
            items.push(item);
            self.skip_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => break,
                _ => return self.fail("Expecting ',' delimiter", self.at),
            }
            self.skip_space();
        }
        self.at += 1;
        Ok(vm.heap.list(items).into())
    }

    fn object(&mut self) -> R {
        let vm = self.vm;
        self.at += 1;
        self.skip_space();
        let mut pairs = self.hooks.object_pairs.is_some().then(Vec::new);
        let dict = vm.heap.dict();
        if self.peek() == Some(b'}') {
            self.at += 1;
        } else {
            loop {
                if self.peek() != Some(b'"') {
                    return self.fail("Expecting property name enclosed in double quotes", self.at);
                }
                let key = match self.string()? {
                    Text::Plain(text) => self.keys.entry(text).or_insert_with(|| vm.heap.str(text)).clone(),
                    Text::Built(text) => vm.heap.string(text),
                };
                self.skip_space();
                if self.peek() != Some(b':') {
                    return self.fail("Expecting ':' delimiter", self.at);
                }
                self.at += 1;
                self.skip_space();
                let value = self.value()?;
                match &mut pairs {
                    Some(pairs) => pairs.push(Value::from(vm.heap.tuple([key.into(), value]))),
                    None => {
                        let len = dict.len();
                        if len >= MANY && len.is_power_of_two() {
                            // The table doubles.
                            vm.check_alloc(len * 64)?;
                        }
                        dict.set_str(&key, value);
                    }
                }
                self.skip_space();
                match self.peek() {
                    Some(b',') => self.at += 1,
                    Some(b'}') => {
                        self.at += 1;
                        break;
                    }
                    _ => return self.fail("Expecting ',' delimiter", self.at),
                }
                self.skip_space();
            }
        }
        if let (Some(hook), Some(pairs)) = (self.hooks.object_pairs.clone(), pairs) {
            return vm.call(&hook, &[vm.heap.list(pairs).into()]);
        }
        match self.hooks.object.clone() {
            Some(hook) => vm.call(&hook, &[dict.into()]),
            None => Ok(dict.into()),
        }
    }
}

/// From this many keys on, memory is asked for before a dict grows.
const MANY: usize = 4096;

/// The text of a string: as it stands in the source, or put together.
enum Text<'a> {
    Plain(&'a str),
    Built(String),
}
