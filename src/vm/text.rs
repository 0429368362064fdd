//! `repr`, `str`, `format` of values of any type. How the built-in containers and functions look is here; numbers print
//! themselves in `number/print.rs`, other types have their `__repr__` and `__format__` as rows of their classes.

use std::fmt::Write;

use super::coroutine::{AsyncGenerator, Coroutine, Generator, Resumable};
use super::function::{Binding, BoundMethod, ClassMethod, Function, NativeFunction, StaticMethod, Super};
use super::getset::{GetSet, Member};
use super::{Code, Vm, number};
use crate::value::{
    ByteArray, Bytes, Class, Dict, Kind, List, MappingProxy, Module, R, Range, Ref, Slice, Str, Tuple, Value, Variable,
};

/// From this length of text on, every item of a container asks whether there is room for more.
const LONG: usize = 1 << 20;
/// Characters between two looks at the limits while one text is written.
const STRETCH: usize = 1 << 15;

impl Vm {
    /// `repr(value)`.
    pub fn repr(&self, value: &Value) -> R<Ref<Str>> {
        if let Some(special) = self.own_repr(value, "__repr__")? {
            return Ok(special);
        }
        let mut text = String::new();
        self.write_builtin_repr(&mut text, value)?;
        Ok(self.heap.string(text))
    }

    /// Appends `repr(value)`.
    pub fn write_repr(&self, out: &mut String, value: &Value) -> R<()> {
        match self.own_repr(value, "__repr__")? {
            Some(text) => {
                self.check_text(out.len() + text.byte_len())?;
                out.push_str(text.as_str());
            }
            None => self.write_builtin_repr(out, value)?,
        }
        Ok(())
    }

    /// What the `__repr__` of a class says that can have one of its own: not the built-in types.
    /// `asked` is the method that a message about a wrong answer names.
    fn own_repr(&self, value: &Value, asked: &str) -> R<Option<Ref<Str>>> {
        let class = match value.kind() {
            Kind::Instance | Kind::Native | Kind::Exception | Kind::DictView | Kind::Iterator => self.class_of(value),
            Kind::Class => match value.downcast::<Class>().and_then(|class| class.metaclass.get()) {
                Some(meta) => meta,
                None => return Ok(None),
            },
            _ => return Ok(None),
        };
        let method = class.lookup(&self.n.__repr__);
        if self.is_native_of(&method, &self.types.object) || self.is_native_of(&method, &self.types.type_) {
            return Ok(None);
        }
        let text = self.nested(|| self.call_slot(&method, value, &[]))?;
        match text.payload::<Str>() {
            Some(text) => Ok(Some(text.clone())),
            None => {
                let given = self.class_of(&text);
                Err(self.type_error(format!("{asked} returned non-string (type {})", self.type_name(&given))))
            }
        }
    }

    /// Appends how the value looks when no class says otherwise. `value` is of a built-in type itself, or gets the look of
    /// plain objects.
    pub(crate) fn write_builtin_repr(&self, out: &mut String, value: &Value) -> R<()> {
        match value {
            Value::Int(i) => {
                let _ = write!(out, "{i}");
            }
            Value::Bool(b) => out.push_str(if *b != 0 { "True" } else { "False" }),
            Value::Float(bits) => out.push_str(&number::print::float(f64::from_bits(*bits))),
            Value::NotImplemented => out.push_str("NotImplemented"),
            Value::Ellipsis => out.push_str("Ellipsis"),
            Value::Obj(object) => match object.kind() {
                Kind::Str => {
                    if let Some(text) = value.downcast::<Str>() {
                        self.check_text(out.len() + text.byte_len())?;
                        self.write_quoted(out, text.as_str())?;
                    }
                }
                Kind::BigInt => {
                    if let Some(number) = number::Number::of(value) {
                        out.push_str(&number::print::number(self, number)?);
                    }
                }
                Kind::List | Kind::Tuple | Kind::Dict | Kind::Set | Kind::FrozenSet => self.write_container(out, value, value)?,
                Kind::Complex => {
                    if let Some(complex) = number::complex::of(value) {
                        out.push_str(&number::complex::repr(complex));
                    }
                }
                Kind::Bytes => {
                    if let Some(bytes) = value.downcast::<Bytes>() {
                        self.will_scan(bytes.data().len().saturating_mul(8))?;
                        self.check_text(out.len() + bytes.data().len() * 4)?;
                        quote_bytes(out, bytes.data());
                    }
                }
                _ => return self.nested(|| self.write_other(out, value)),
            },
            _ => out.push_str("None"),
        }
        Ok(())
    }

    /// What `print` makes of an object, unless it is being printed already.
    pub fn unless_printing<T>(&self, this: &Value, print: impl FnOnce() -> R<T>) -> R<Option<T>> {
        let address = this.as_obj().map_or(0, |object| object.address());
        if self.printing.borrow().contains(&address) {
            return Ok(None);
        }
        self.printing.borrow_mut().push(address);
        let result = self.nested(print);
        self.printing.borrow_mut().pop();
        result.map(Some)
    }

    /// Appends a container: `content` is the container itself, `this` the object that is printed (perhaps derived from it).
    pub(crate) fn write_container(&self, out: &mut String, content: &Value, this: &Value) -> R<()> {
        let address = this.as_obj().map_or(0, |object| object.address());
        if self.printing.borrow().contains(&address) {
            out.push_str(match content.kind() {
                Kind::List => "[...]",
                Kind::Tuple => "(...)",
                Kind::Dict => "{...}",
                _ => {
                    let _ = write!(out, "{}(...)", self.class_of(this).own_name().as_str());
                    return Ok(());
                }
            });
            return Ok(());
        }
        self.printing.borrow_mut().push(address);
        let result = self.nested(|| self.write_content(out, content, this));
        self.printing.borrow_mut().pop();
        result
    }

    /// Whether the text of an object is being made further out.
    pub(crate) fn is_printing(&self, value: &Value) -> bool {
        value.as_obj().is_some_and(|object| self.printing.borrow().contains(&object.address()))
    }

    fn write_content(&self, out: &mut String, content: &Value, this: &Value) -> R<()> {
        if let Some(list) = content.downcast::<List>() {
            out.push('[');
            let mut index = 0;
            while let Some(item) = list.get(index) {
                self.write_item(out, index, &item)?;
                index += 1;
            }
            out.push(']');
        } else if let Some(tuple) = content.downcast::<Tuple>() {
            out.push('(');
            for (index, item) in tuple.items().iter().enumerate() {
                self.write_item(out, index, item)?;
            }
            out.push_str(if tuple.len() == 1 { ",)" } else { ")" });
        } else if let Some(dict) = content.downcast::<Dict>() {
            out.push('{');
            let (mut at, mut count) = (0, 0);
            while let Some((position, entry)) = dict.next_entry(at) {
                self.write_item(out, count, &entry.key)?;
                out.push_str(": ");
                self.write_repr(out, &entry.value)?;
                (at, count) = (position + 1, count + 1);
            }
            out.push('}');
        } else if let Some(keys) = super::mapping::set_keys(content) {
            let named = this.kind() != Kind::Set;
            let name = self.class_of(this).own_name();
            if keys.is_empty() {
                let _ = write!(out, "{}()", name.as_str());
                return Ok(());
            }
            if named {
                let _ = write!(out, "{}(", name.as_str());
            }
            out.push('{');
            for (index, key) in keys.keys().iter().enumerate() {
                self.write_item(out, index, key)?;
            }
            out.push_str(if named { "})" } else { "}" });
        }
        Ok(())
    }

    fn write_item(&self, out: &mut String, index: usize, item: &Value) -> R<()> {
        if index > 0 {
            out.push_str(", ");
        }
        if index % 16 == 15 || out.len() >= LONG {
            self.charge(1)?;
            self.check_text(out.len())?;
        }
        self.write_repr(out, item)
    }

    fn write_other(&self, out: &mut String, value: &Value) -> R<()> {
        let address = value.as_obj().map_or(0, |object| object.address());
        match value.kind() {
            Kind::Class => {
                if let Some(class) = value.downcast::<Class>() {
                    let _ = write!(out, "<class '{}'>", self.full_name(class)?);
                }
            }
            Kind::Function => {
                if let Some(function) = value.downcast::<Function>() {
                    let _ = write!(out, "<function {} at {address:#x}>", self.function_qualname(function).as_str());
                }
            }
            Kind::NativeFunction => {
                if let Some(function) = value.downcast::<NativeFunction>() {
                    self.write_native_function(out, function);
                }
            }
            Kind::BoundMethod => {
                if let Some(method) = value.downcast::<BoundMethod>() {
                    self.write_method(out, method)?;
                }
            }
            Kind::Generator | Kind::Coroutine | Kind::AsyncGenerator => {
                let (what, inner) = if let Some(generator) = value.downcast::<Generator>() {
                    ("generator", &generator.inner)
                } else if let Some(coroutine) = value.downcast::<Coroutine>() {
                    ("coroutine", &coroutine.inner)
                } else if let Some(generator) = value.downcast::<AsyncGenerator>() {
                    ("async_generator", &generator.inner)
                } else {
                    return Ok(());
                };
                let inner: &Resumable = inner;
                let _ = write!(out, "<{what} object {} at {address:#x}>", inner.qualname().as_str());
            }
            Kind::Module => {
                if let Some(module) = value.downcast::<Module>() {
                    let name = module.dict.get_str(&self.n.__name__).unwrap_or_else(|| Value::from(&module.name));
                    out.push_str("<module ");
                    self.write_repr(out, &name)?;
                    match module.dict.get_str(&self.n.__file__) {
                        Some(file) if file.kind() == Kind::Str => {
                            out.push_str(" from ");
                            self.write_repr(out, &file)?;
                            out.push('>');
                        }
                        _ => out.push_str(" (built-in)>"),
                    }
                }
            }
            Kind::Range => {
                if let Some(range) = value.downcast::<Range>() {
                    let _ = match range.step {
                        1 => write!(out, "range({}, {})", range.start, range.stop),
                        step => write!(out, "range({}, {}, {step})", range.start, range.stop),
                    };
                }
            }
            Kind::Slice => {
                if let Some(slice) = value.downcast::<Slice>() {
                    out.push_str("slice(");
                    for (index, part) in [&slice.start, &slice.stop, &slice.step].into_iter().enumerate() {
                        self.write_item(out, index, part)?;
                    }
                    out.push(')');
                }
            }
            Kind::ByteArray => {
                if let Some(bytes) = value.downcast::<ByteArray>() {
                    let len = bytes.with(<[u8]>::len);
                    self.will_scan(len.saturating_mul(8))?;
                    self.check_text(out.len().saturating_add(len.saturating_mul(4)))?;
                    out.push_str("bytearray(");
                    bytes.with(|data| quote_bytes(out, data));
                    out.push(')');
                }
            }
            Kind::MappingProxy => {
                if let Some(proxy) = value.downcast::<MappingProxy>() {
                    out.push_str("mappingproxy(");
                    self.write_repr(out, &proxy.0)?;
                    out.push(')');
                }
            }
            Kind::StaticMethod | Kind::ClassMethod => {
                let inner = match (value.downcast::<StaticMethod>(), value.downcast::<ClassMethod>()) {
                    (Some(wrapper), _) => &wrapper.0,
                    (_, Some(wrapper)) => &wrapper.0,
                    _ => value,
                };
                out.push_str(if value.kind() == Kind::StaticMethod { "<staticmethod(" } else { "<classmethod(" });
                self.write_repr(out, inner)?;
                out.push_str(")>");
            }
            Kind::Super => {
                if let Some(view) = value.downcast::<Super>() {
                    let name =
                        |class: &Value| class.downcast::<Class>().map_or("NULL".to_owned(), |c| c.name().as_str().to_owned());
                    let class = name(&view.class);
                    let _ = match view.this.is_undef() {
                        true => write!(out, "<super: <class '{class}'>, NULL>"),
                        false => write!(out, "<super: <class '{class}'>, <{} object>>", name(&view.this_class)),
                    };
                }
            }
            Kind::Cell => {
                if let Some(cell) = value.downcast::<Variable>() {
                    let content = cell.get();
                    let _ = match content {
                        Value::Undef => write!(out, "<cell at {address:#x}: empty>"),
                        content => {
                            let class = self.class_of(&content);
                            let at = content.as_obj().map_or(0, |object| object.address());
                            write!(out, "<cell at {address:#x}: {} object at {at:#x}>", self.type_name(&class))
                        }
                    };
                }
            }
            Kind::Code => {
                if let Some(code) = value.downcast::<Code>() {
                    let line = code.info.first_line;
                    let _ = write!(
                        out,
                        "<code object {} at {address:#x}, file \"{}\", line {line}>",
                        code.name.as_str(),
                        code.info.source.name()
                    );
                }
            }
            _ => self.write_default(out, value)?,
        }
        Ok(())
    }

    /// How the value looks to `object.__repr__`.
    pub(crate) fn write_default_repr(&self, out: &mut String, value: &Value) -> R<()> {
        self.write_default(out, value)
    }

    /// `<module.Class object at 0x...>`.
    fn write_default(&self, out: &mut String, value: &Value) -> R<()> {
        if let Some(attribute) = value.downcast::<GetSet>() {
            let _ = write!(out, "<attribute '{}' of '{}' objects>", attribute.name.as_str(), self.type_name(&attribute.owner));
            return Ok(());
        }
        if let Some(member) = value.downcast::<Member>() {
            let _ = write!(out, "<member '{}' of '{}' objects>", member.name.as_str(), self.type_name(&member.owner));
            return Ok(());
        }
        let address = value.as_obj().map_or(0, |object| object.address());
        let _ = write!(out, "<{} object at {address:#x}>", self.full_name(&self.class_of(value))?);
        Ok(())
    }

    /// The class's module and qualified name; the module is left out for built-in classes.
    pub fn full_name(&self, class: &Ref<Class>) -> R<String> {
        let qualname = class.qualname.get();
        let module = class.dict.get_str(&self.n.__module__);
        match module.as_ref().and_then(|module| module.as_str()) {
            Some(module) if module != "builtins" => Ok(format!("{module}.{}", qualname.as_str())),
            _ => Ok(qualname.as_str().to_owned()),
        }
    }

    fn write_native_function(&self, out: &mut String, function: &Ref<NativeFunction>) {
        let name = function.name.as_str();
        let owner = function.owner.get();
        let _ = match owner.downcast::<Class>() {
            Some(class) if function.binding == Binding::Method => {
                let what = if self.class_of(&Value::from(function)).is(&self.types.wrapper_descriptor) {
                    "slot wrapper"
                } else {
                    "method"
                };
                write!(out, "<{what} '{name}' of '{}' objects>", self.type_name(class))
            }
            Some(class) => {
                let address = class.address();
                write!(out, "<built-in method {name} of type object at {address:#x}>")
            }
            None => write!(out, "<built-in function {name}>"),
        };
    }

    fn write_method(&self, out: &mut String, method: &Ref<BoundMethod>) -> R<()> {
        if let Some(function) = method.function.downcast::<NativeFunction>() {
            let class = self.class_of(&method.this);
            let address = method.this.as_obj().map_or(0, |object| object.address());
            let what = if self.class_of(&Value::from(method)).is(&self.types.method_wrapper) { "method-wrapper" } else { "" };
            let _ = match what {
                "" => write!(
                    out,
                    "<built-in method {} of {} object at {address:#x}>",
                    function.name.as_str(),
                    self.type_name(&class)
                ),
                what => write!(out, "<{what} '{}' of {} object at {address:#x}>", function.name.as_str(), self.type_name(&class)),
            };
            return Ok(());
        }
        let name = match self.find_attr(&method.function, &self.n.__qualname__)? {
            Some(name) => Some(name),
            None => self.find_attr(&method.function, &self.n.__name__)?,
        };
        let name = name.as_ref().and_then(|name| name.as_str()).unwrap_or("?");
        let _ = write!(out, "<bound method {name} of ");
        self.write_repr(out, &method.this)?;
        out.push('>');
        Ok(())
    }

    /// `function.__qualname__`.
    pub fn function_qualname(&self, function: &Ref<Function>) -> Ref<Str> {
        let changed = function.extra.with(|extra| extra.as_ref().and_then(|extra| extra.qualname.clone()));
        changed.and_then(|name| name.payload::<Str>().cloned()).unwrap_or_else(|| function.code.qualname.clone())
    }

    /// `str(value)`.
    pub fn str(&self, value: &Value) -> R<Ref<Str>> {
        if let Some(text) = value.downcast::<Str>() {
            return Ok(text.clone());
        }
        if let Some(proxy) = value.downcast::<MappingProxy>() {
            return self.nested(|| self.str(&proxy.0));
        }
        if !matches!(value.kind(), Kind::Instance | Kind::Exception | Kind::Native | Kind::Class) {
            return self.repr(value);
        }
        let method = self.class_of(value).lookup(&self.n.__str__);
        if self.is_native_of(&method, &self.types.object) || method.is_undef() {
            return match self.own_repr(value, "__str__")? {
                Some(text) => Ok(text),
                None => self.repr(value),
            };
        }
        let text = self.nested(|| self.call_slot(&method, value, &[]))?;
        match text.payload::<Str>() {
            Some(text) => Ok(text.clone()),
            None => {
                let given = self.class_of(&text);
                Err(self.type_error(format!("__str__ returned non-string (type {})", self.type_name(&given))))
            }
        }
    }

    /// `ascii(value)`.
    pub fn ascii(&self, value: &Value) -> R<Ref<Str>> {
        let text = self.repr(value)?;
        if text.is_ascii() {
            return Ok(text);
        }
        let mut escaped = String::with_capacity(text.byte_len());
        for (index, c) in text.as_str().chars().enumerate() {
            if index % STRETCH == STRETCH - 1 {
                self.will_write(&escaped, STRETCH)?;
            }
            if c.is_ascii() {
                escaped.push(c);
            } else {
                escape(&mut escaped, c);
            }
        }
        Ok(self.heap.string(escaped))
    }

    /// Appends a text as `repr` shows it, a stretch at a time: it may become ten times as long.
    fn write_quoted(&self, out: &mut String, text: &str) -> R<()> {
        if text.len() <= STRETCH {
            quote(out, text, false);
            return Ok(());
        }
        let mark = mark_of(text);
        out.push(mark);
        let mut rest = text;
        while !rest.is_empty() {
            self.will_write(out, STRETCH)?;
            let mut end = rest.len().min(STRETCH);
            while !rest.is_char_boundary(end) {
                end += 1;
            }
            let (stretch, after) = rest.split_at(end);
            quote_stretch(out, stretch, mark, false);
            rest = after;
        }
        out.push(mark);
        Ok(())
    }

    /// Before a stretch of so many characters is appended to a text in the making.
    fn will_write(&self, out: &str, count: usize) -> R<()> {
        self.charge((count / 64) as u64)?;
        self.check_alloc(out.len() + 10 * count)
    }

    /// `format(value, spec)`.
    pub fn format(&self, value: &Value, spec: &str) -> R<Ref<Str>> {
        if matches!(value.kind(), Kind::Free | Kind::Str | Kind::BigInt)
            && let Some(text) = super::format::format_builtin(self, value, spec)?
        {
            return Ok(text);
        }
        let class = self.class_of(value);
        let method = class.lookup(&self.n.__format__);
        if self.is_native_of(&method, &self.types.object) || method.is_undef() {
            return self.default_format(value, spec);
        }
        let text = self.nested(|| self.call_slot(&method, value, &[self.str_value(spec)]))?;
        match text.payload::<Str>() {
            Some(text) => Ok(text.clone()),
            None => {
                let given = self.class_of(&text);
                Err(self.type_error(format!("__format__ must return a str, not {}", self.type_name(&given))))
            }
        }
    }

    /// What `object.__format__` does.
    pub(crate) fn default_format(&self, value: &Value, spec: &str) -> R<Ref<Str>> {
        if spec.is_empty() {
            return self.str(value);
        }
        let class = self.type_name(&self.class_of(value));
        Err(self.type_error(format!("unsupported format string passed to {class}.__format__")))
    }
}

/// Appends a string as `repr` shows it. With `ascii`, other letters are escaped, too.
pub fn quote(out: &mut String, text: &str, ascii: bool) {
    let mark = mark_of(text);
    out.push(mark);
    quote_stretch(out, text, mark, ascii);
    out.push(mark);
}

/// The quotation mark that suits a text.
fn mark_of(text: &str) -> char {
    if text.contains('\'') && !text.contains('"') { '"' } else { '\'' }
}

fn quote_stretch(out: &mut String, text: &str, mark: char, ascii: bool) {
    out.reserve(text.len() + 1);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == mark => {
                out.push('\\');
                out.push(c);
            }
            ' '..='~' => out.push(c),
            c if !ascii && is_printable(c) => out.push(c),
            c => escape(out, c),
        }
    }
}

/// `\x07`, `\u200b`, `\U000e0001`.
fn escape(out: &mut String, c: char) {
    let _ = match c as u32 {
        code @ 0..=0xFF => write!(out, "\\x{code:02x}"),
        code @ 0..=0xFFFF => write!(out, "\\u{code:04x}"),
        code => write!(out, "\\U{code:08x}"),
    };
}

/// Appends bytes as `repr` shows them.
pub fn quote_bytes(out: &mut String, data: &[u8]) {
    let mark = if data.contains(&b'\'') && !data.contains(&b'"') { b'"' } else { b'\'' };
    out.push('b');
    out.push(mark as char);
    for &byte in data {
        match byte {
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            byte if byte == mark => {
                out.push('\\');
                out.push(byte as char);
            }
            b' '..=b'~' => out.push(byte as char),
            byte => {
                let _ = write!(out, "\\x{byte:02x}");
            }
        }
    }
    out.push(mark as char);
}

/// Whether `repr` shows the character as it is: not control, format, private use, unassigned, nor separators but the space.
pub fn is_printable(c: char) -> bool {
    use unicode_properties::{GeneralCategory as Category, UnicodeGeneralCategory};
    if c.is_ascii() {
        return matches!(c, ' '..='~');
    }
    !matches!(
        c.general_category(),
        Category::Control
            | Category::Format
            | Category::Surrogate
            | Category::PrivateUse
            | Category::Unassigned
            | Category::LineSeparator
            | Category::ParagraphSeparator
            | Category::SpaceSeparator
    )
}
