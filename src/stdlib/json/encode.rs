//! Values to JSON text.

use super::own;
use crate::value::{Dict, List, R, Ref, Tuple, Value};
use crate::vm::{Args, Vm};

/// How to write.
struct Options {
    skip_keys: bool,
    ensure_ascii: bool,
    check_circular: bool,
    allow_nan: bool,
    sort_keys: bool,
    /// What one level is indented by; `None` for everything on one line.
    indent: Option<String>,
    item_separator: String,
    key_separator: String,
    /// Called for what is not serializable; `None` raises.
    default: Value,
}

/// `dumps(obj, *, ...)`.
pub fn json_dumps(vm: &Vm, args: Args<'_>) -> R {
    let [object] = args.positional else {
        return Err(match args.positional.len() {
            0 => vm.type_error("dumps() missing 1 required positional argument: 'obj'"),
            given => vm.type_error(format!("dumps() takes 1 positional argument but {given} were given")),
        });
    };
    let mut options = Options {
        skip_keys: false,
        ensure_ascii: true,
        check_circular: true,
        allow_nan: true,
        sort_keys: false,
        indent: None,
        item_separator: ", ".to_owned(),
        key_separator: ": ".to_owned(),
        default: Value::None,
    };
    let mut separators = &Value::None;
    for (name, value) in args.keywords {
        match name.as_str() {
            "skipkeys" => options.skip_keys = vm.truthy(value)?,
            "ensure_ascii" => options.ensure_ascii = vm.truthy(value)?,
            "check_circular" => options.check_circular = vm.truthy(value)?,
            "allow_nan" => options.allow_nan = vm.truthy(value)?,
            "sort_keys" => options.sort_keys = vm.truthy(value)?,
            "default" => options.default = value.clone(),
            "separators" => separators = value,
            "indent" => options.indent = indent(vm, value)?,
            "cls" if value.is_none() => {}
            // A class of the script's, or an option that only such a class knows.
            _ => return with_class(vm, object, args),
        }
    }
    if options.indent.is_some() {
        options.item_separator = ",".to_owned();
    }
    if !separators.is_none() {
        let pair = vm.collect(separators)?;
        let [item, key] = &pair[..] else {
            return Err(vm.value_error(match pair.len() {
                given @ 0..2 => format!("not enough values to unpack (expected 2, got {given})"),
                _ => "too many values to unpack (expected 2)".to_owned(),
            }));
        };
        for (number, (given, slot)) in
            [(item, &mut options.item_separator), (key, &mut options.key_separator)].into_iter().enumerate()
        {
            match given.as_str() {
                Some(text) => text.clone_into(slot),
                None if matches!(object.unwrapped(), Value::Obj(_)) && object.as_str().is_none() => {
                    let name = vm.class_of(given).name();
                    let number = number + 6;
                    return Err(vm.type_error(format!("make_encoder() argument {number} must be str, not {}", name.as_str())));
                }
                None => {}
            }
        }
    }
    let mut encoder = Encoder { vm, options, text: String::new(), open: Vec::new(), steps: 0 };
    encoder.value(object, 0)?;
    vm.check_alloc(encoder.text.len())?;
    Ok(vm.heap.string(encoder.text).into())
}

fn with_class(vm: &Vm, object: &Value, args: Args<'_>) -> R {
    let given = args.keywords.iter().find(|(name, value)| name.as_str() == "cls" && !value.is_none());
    let class = match given {
        Some((_, class)) => class.clone(),
        None => own(vm, "JSONEncoder")?,
    };
    let keywords: Vec<_> = args.keywords.iter().filter(|(name, _)| name.as_str() != "cls").cloned().collect();
    let encoder = vm.call_with(&class, Args { positional: &[], keywords: &keywords })?;
    vm.call_method(&encoder, &vm.intern("encode"), std::slice::from_ref(object))
}

fn indent(vm: &Vm, value: &Value) -> R<Option<String>> {
    match value {
        Value::None => Ok(None),
        value => match value.as_str() {
            Some(text) => Ok(Some(text.to_owned())),
            None => {
                let width = vm.index_i64(value)?.max(0) as usize;
                vm.check_alloc(width)?;
                Ok(Some(" ".repeat(width)))
            }
        },
    }
}

struct Encoder<'a> {
    vm: &'a Vm,
    options: Options,
    text: String,
    /// The containers around the place, by address.
    open: Vec<usize>,
    steps: u32,
}

impl Encoder<'_> {
    fn value(&mut self, value: &Value, level: usize) -> R<()> {
        self.steps += 1;
        if self.steps.is_multiple_of(64) {
            self.vm.charge(8)?;
            self.vm.check_alloc(self.text.len())?;
        }
        match value {
            Value::None => self.text.push_str("null"),
            Value::Bool(b) => self.text.push_str(if *b != 0 { "true" } else { "false" }),
            Value::Int(i) => {
                use std::fmt::Write;
                let _ = write!(self.text, "{i}");
            }
            Value::Float(bits) => {
                let text = self.float(f64::from_bits(*bits))?;
                self.text.push_str(&text);
            }
            value => return self.object(value, level),
        }
        Ok(())
    }

    fn object(&mut self, value: &Value, level: usize) -> R<()> {
        let vm = self.vm;
        if let Some(text) = value.as_str() {
            return write_string(vm, &mut self.text, text, self.options.ensure_ascii);
        }
        if let Some(dict) = value.payload::<Dict>() {
            return self.nest(value, |this| this.dict(dict, level));
        }
        if let Some(list) = value.payload::<List>() {
            let list = list.clone();
            return self.nest(value, |this| {
                let mut index = 0;
                this.items(level, || {
                    index += 1;
                    list.get(index - 1)
                })
            });
        }
        if let Some(tuple) = value.payload::<Tuple>() {
            let mut items = tuple.items().iter();
            return self.nest(value, |this| this.items(level, || items.next().cloned()));
        }
        match value.unwrapped() {
            Value::Obj(_) if value.payload::<crate::value::BigInt>().is_none() => {}
            // Numbers of derived classes are written as the number they are.
            plain => {
                if plain.kind() == crate::value::Kind::BigInt {
                    let digits = vm.repr(plain)?;
                    self.text.push_str(digits.as_str());
                    return Ok(());
                }
                let plain = plain.clone();
                return self.value(&plain, level);
            }
        }
        if self.options.default.is_none() {
            let name = vm.class_of(value).name();
            return Err(vm.type_error(format!("Object of type {} is not JSON serializable", name.as_str())));
        }
        let default = self.options.default.clone();
        self.nest(value, |this| {
            let replaced = vm.call(&default, std::slice::from_ref(value))?;
            this.value(&replaced, level)
        })
    }

    /// One level deeper, watching for circles.
    fn nest(&mut self, value: &Value, inside: impl FnOnce(&mut Self) -> R<()>) -> R<()> {
        let vm = self.vm;
        let address = value.as_obj().map_or(0, |object| object.address());
        if self.options.check_circular {
            if self.open.contains(&address) {
                return Err(vm.value_error("Circular reference detected"));
            }
            self.open.push(address);
        }
        let result = vm.nested(|| inside(self));
        self.open.pop();
        result
    }

    fn new_line(&mut self, level: usize) -> R<()> {
        if let Some(indent) = &self.options.indent {
            let width = indent.len().saturating_mul(level);
            if width > 4096 {
                self.vm.will_scan(width)?;
                self.vm.check_alloc(self.text.len().saturating_add(width))?;
            }
            self.text.push('\n');
            for _ in 0..level {
                self.text.push_str(indent);
            }
        }
        Ok(())
    }

    /// What stands between items, or behind a key.
    fn separate(&mut self, is_item: bool) -> R<()> {
        let separator = if is_item { &self.options.item_separator } else { &self.options.key_separator };
        if separator.len() > 4096 {
            self.vm.will_scan(separator.len())?;
            self.vm.check_alloc(self.text.len() + separator.len())?;
        }
        self.text.push_str(separator);
        Ok(())
    }

    fn items(&mut self, level: usize, mut next: impl FnMut() -> Option<Value>) -> R<()> {
        let Some(mut item) = next() else {
            self.text.push_str("[]");
            return Ok(());
        };
        self.text.push('[');
        loop {
            self.new_line(level + 1)?;
            self.value(&item, level + 1)?;
            match next() {
                Some(following) => item = following,
                None => break,
            }
            self.separate(true)?;
        }
        self.new_line(level)?;
        self.text.push(']');
        Ok(())
    }

    fn dict(&mut self, dict: &Ref<Dict>, level: usize) -> R<()> {
        let vm = self.vm;
        if dict.is_empty() {
            self.text.push_str("{}");
            return Ok(());
        }
        vm.check_alloc_items(dict.len(), 32)?;
        let mut entries = dict.to_vec();
        if self.options.sort_keys {
            sort(vm, &mut entries)?;
        }
        self.text.push('{');
        let mut first = true;
        for (key, value) in entries {
            let number;
            let name = match key.as_str() {
                Some(text) => text,
                None => match self.key(&key)? {
                    Some(text) => {
                        number = text;
                        &number
                    }
                    None => continue,
                },
            };
            if !std::mem::take(&mut first) {
                self.separate(true)?;
            }
            self.new_line(level + 1)?;
            write_string(vm, &mut self.text, name, self.options.ensure_ascii)?;
            self.separate(false)?;
            self.value(&value, level + 1)?;
        }
        if !first {
            self.new_line(level)?;
        }
        self.text.push('}');
        Ok(())
    }

    /// A key that is no string; `None` for one to be left out.
    fn key(&self, key: &Value) -> R<Option<String>> {
        let vm = self.vm;
        match key.unwrapped() {
            Value::None => Ok(Some("null".to_owned())),
            Value::Bool(b) => Ok(Some(if *b != 0 { "true" } else { "false" }.to_owned())),
            Value::Float(bits) => self.float(f64::from_bits(*bits)).map(Some),
            plain if crate::native::is_integer(plain) => Ok(Some(vm.repr(plain)?.as_str().to_owned())),
            _ if self.options.skip_keys => Ok(None),
            _ => {
                let name = vm.class_of(key).name();
                Err(vm.type_error(format!("keys must be str, int, float, bool or None, not {}", name.as_str())))
            }
        }
    }

    fn float(&self, number: f64) -> R<String> {
        if number.is_finite() {
            return Ok(self.vm.repr(&Value::float(number))?.as_str().to_owned());
        }
        let (json, python) = match number {
            f64::INFINITY => ("Infinity", "inf"),
            f64::NEG_INFINITY => ("-Infinity", "-inf"),
            _ => ("NaN", "nan"),
        };
        if self.options.allow_nan {
            Ok(json.to_owned())
        } else {
            Err(self.vm.value_error(format!("Out of range float values are not JSON compliant: {python}")))
        }
    }
}

/// Sorts entries by key. Strings have the order of their bytes; anything else is compared as `sorted` does.
fn sort(vm: &Vm, entries: &mut Vec<(Value, Value)>) -> R<()> {
    if entries.iter().all(|(key, _)| key.as_str().is_some()) {
        vm.charge(entries.len() as u64 / 4)?;
        entries.sort_by(|(a, _), (b, _)| a.as_str().cmp(&b.as_str()));
        return Ok(());
    }
    let keys = entries.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>();
    let keys = Value::from(vm.heap.list(keys));
    vm.call_method(&keys, &vm.intern("sort"), &[])?;
    let sorted = vm.collect(&keys)?;
    let mut from = std::mem::take(entries);
    for key in sorted {
        if let Some(at) = from.iter().position(|(candidate, _)| candidate.is(&key)) {
            entries.push(from.swap_remove(at));
        }
    }
    Ok(())
}

/// The text of a string in quotes.
pub fn json_encode_string(vm: &Vm, text: &str, ensure_ascii: bool) -> R<String> {
    let mut out = String::with_capacity(text.len() + 2);
    write_string(vm, &mut out, text, ensure_ascii)?;
    Ok(out)
}

/// Bytes between two looks at the limits while one text is written.
const STRETCH: usize = 1 << 15;

fn write_string(vm: &Vm, out: &mut String, text: &str, ensure_ascii: bool) -> R<()> {
    out.push('"');
    if text.len() <= STRETCH {
        write_stretch(out, text, ensure_ascii);
    } else {
        let mut rest = text;
        while !rest.is_empty() {
            vm.charge((STRETCH / 128) as u64)?;
            vm.check_alloc(out.len() + 6 * STRETCH)?;
            let mut end = rest.len().min(STRETCH);
            while !rest.is_char_boundary(end) {
                end += 1;
            }
            let (stretch, after) = rest.split_at(end);
            write_stretch(out, stretch, ensure_ascii);
            rest = after;
        }
    }
    out.push('"');
    Ok(())
}

fn write_stretch(out: &mut String, text: &str, ensure_ascii: bool) {
    use std::fmt::Write;
    let mut plain = 0;
    for (offset, c) in text.char_indices() {
        let quoted = matches!(c, '"' | '\\' | '\0'..='\x1f') || (ensure_ascii && !(' '..='~').contains(&c));
        if !quoted {
            continue;
        }
        out.push_str(&text[plain..offset]);
        plain = offset + c.len_utf8();
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            c => {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push_str(&text[plain..]);
}
