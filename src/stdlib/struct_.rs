//! `struct`: values as the bytes of C structures. The elements are those of `vm/scalar.rs`.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use super::support::{NativeIterator, add_class, exception_class, iterator_class};
use crate::native::{ModuleRow, define_class, new_module};
use crate::rows;
use crate::value::memory_view::Lent;
use crate::value::scalar::Scalar;
use crate::value::{Class, Module, Payload, R, Raised, Ref, Str, Value, Visitor};
use crate::vm::function::Args;
use crate::vm::scalar::{Unfit, read, write};
use crate::vm::{Vm, binary};

pub const MODULE: ModuleRow = ModuleRow { name: "struct", load };

fn load(vm: &Vm) -> R<Ref<Module>> {
    let module = new_module(
        vm,
        "struct",
        "Values as the bytes of C structures.",
        &rows![
            "calcsize", "format, /" => calcsize(0);
            "iter_unpack", "format, buffer, /" => iter_unpack(0 1);
            raw "pack", "*args" => pack;
            raw "pack_into", "*args" => pack_into;
            "unpack", "format, buffer, /" => unpack(0 1);
            "unpack_from", "format, /, buffer, offset=0" => unpack_from(0 1 2);
        ],
    );
    let class = define_class::<Struct>(
        vm,
        "_struct",
        "Struct",
        &rows![
            static "__new__", "cls, format" => new(0 1);
            "iter_unpack", "buffer, /" => struct_iter_unpack(0 1);
            raw "pack", "*values" => struct_pack;
            raw "pack_into", "*args" => struct_pack_into;
            "unpack", "buffer, /" => struct_unpack(0 1);
            "unpack_from", "buffer, offset=0" => struct_unpack_from(0 1 2);
            get "format" => format(0);
            get "size" => size(0);
        ],
    );
    add_class(vm, &module, &class);
    iterator_class::<Unpacked>(vm, "_struct", "unpack_iterator", &rows!["__length_hint__", "" => length_hint(0);])
        .is_final
        .set(true);
    let error = exception_class(vm, "struct", "error", &vm.types.exception)?;
    module.dict.set_str(&vm.intern("error"), error.clone());
    vm.extension(Formats::default).error.set(error).unwrap_or_default();
    Ok(module)
}

/// What a format says.
struct Layout {
    size: usize,
    fields: Vec<Field>,
    /// How many values there are.
    count: usize,
    big_endian: bool,
    /// With the sizes of this machine: then floats that are too large become infinite.
    native: bool,
}

/// So many elements of a kind, one behind the other.
struct Field {
    at: usize,
    count: usize,
    code: char,
    kind: Kind,
}

enum Kind {
    Scalar(Scalar),
    /// `s` and `p`: `count` bytes that are one value.
    Bytes,
    Pascal,
}

/// Formats that were read, and the class of errors.
#[derive(Default)]
struct Formats {
    known: RefCell<HashMap<String, Rc<Layout>>>,
    error: std::cell::OnceCell<Value>,
}

/// As many formats are remembered.
const REMEMBERED: usize = 100;

#[cold]
fn error(vm: &Vm, message: impl Into<String>) -> Raised {
    let formats = vm.extension(Formats::default);
    let Some(class) = formats.error.get() else { return vm.value_error(message.into()) };
    match vm.call(class, &[vm.str_value(&message.into())]) {
        Ok(exception) => vm.raise_new(exception),
        Err(raised) => raised,
    }
}

fn text_of(vm: &Vm, format: &Value) -> R<String> {
    if let Some(text) = format.payload::<Str>() {
        return Ok(text.as_str().to_owned());
    }
    match format.payload::<crate::value::Bytes>() {
        Some(bytes) => Ok(bytes.data().iter().map(|byte| char::from(*byte)).collect()),
        None => {
            let given = vm.class_of(format).name();
            Err(vm.type_error(format!("Struct() argument 1 must be a str or bytes object, not {}", given.as_str())))
        }
    }
}

fn layout_of(vm: &Vm, format: &Value) -> R<Rc<Layout>> {
    let text = text_of(vm, format)?;
    let formats = vm.extension(Formats::default);
    if let Some(known) = formats.known.borrow().get(&text) {
        return Ok(known.clone());
    }
    vm.charge((text.len() / 16) as u64)?;
    let layout = Rc::new(parse(vm, &text)?);
    let mut known = formats.known.borrow_mut();
    if known.len() >= REMEMBERED {
        known.clear();
    }
    if text.len() <= 256 {
        known.insert(text, layout.clone());
    }
    Ok(layout)
}

fn parse(vm: &Vm, text: &str) -> R<Layout> {
    let (mut native, mut big_endian) = (true, cfg!(target_endian = "big"));
    let mut chars = text.chars().peekable();
    if let Some(order) = chars.next_if(|c| matches!(c, '@' | '=' | '<' | '>' | '!')) {
        native = order == '@';
        match order {
            '<' => big_endian = false,
            '>' | '!' => big_endian = true,
            _ => {}
        }
    }
    let mut layout = Layout { size: 0, fields: Vec::new(), count: 0, big_endian, native };
    let too_long = || error(vm, "total struct size too long");
    while let Some(char) = chars.next() {
        if matches!(char, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c') {
            continue;
        }
        let (mut code, mut count) = (char, 1usize);
        if let Some(digit) = char.to_digit(10) {
            count = digit as usize;
            while let Some(digit) = chars.peek().and_then(|c| c.to_digit(10)) {
                chars.next();
                count = count.checked_mul(10).and_then(|count| count.checked_add(digit as usize)).ok_or_else(too_long)?;
            }
            code = chars.next().ok_or_else(|| error(vm, "repeat count given without format specifier"))?;
        }
        let scalar = match code {
            'x' | 's' | 'p' => None,
            code => Some(scalar_of(code, native).ok_or_else(|| error(vm, "bad char in struct format"))?),
        };
        let element = scalar.map_or(1, Scalar::size);
        if native {
            layout.size = layout.size.checked_next_multiple_of(element).ok_or_else(too_long)?;
        }
        let field = |kind| Field { at: layout.size, count, code, kind };
        match (code, scalar) {
            ('s', _) => layout.fields.push(field(Kind::Bytes)),
            ('p', _) => layout.fields.push(field(Kind::Pascal)),
            (_, Some(scalar)) if count > 0 => layout.fields.push(field(Kind::Scalar(scalar))),
            _ => {}
        }
        let values = if matches!(code, 's' | 'p') { 1 } else { count * usize::from(scalar.is_some()) };
        layout.count = layout.count.checked_add(values).ok_or_else(too_long)?;
        layout.size = count.checked_mul(element).and_then(|bytes| layout.size.checked_add(bytes)).ok_or_else(too_long)?;
        if layout.size > isize::MAX as usize {
            return Err(too_long());
        }
    }
    Ok(layout)
}

/// What a format character stands for, with the sizes of this machine or the standard ones.
fn scalar_of(code: char, native: bool) -> Option<Scalar> {
    match code {
        'n' | 'N' | 'P' if !native => None,
        'l' if !native => Some(Scalar::Signed(4)),
        'L' if !native => Some(Scalar::Unsigned(4)),
        code => Scalar::native(code),
    }
}

/// The values as bytes.
fn packed(vm: &Vm, layout: &Layout, values: &[Value], name: &str) -> R<Vec<u8>> {
    if values.len() != layout.count {
        let message = format!("{name} expected {} items for packing (got {})", layout.count, values.len());
        return Err(error(vm, message));
    }
    vm.check_alloc(layout.size)?;
    vm.charge((layout.size / 4096 + values.len() / 16) as u64)?;
    let mut data = vec![0; layout.size];
    let mut values = values.iter();
    for field in &layout.fields {
        match field.kind {
            Kind::Scalar(scalar) => {
                let size = scalar.size();
                for place in data[field.at..field.at + field.count * size].chunks_exact_mut(size) {
                    let Some(value) = values.next() else { break };
                    match write(vm, scalar, value, layout.big_endian, layout.native) {
                        Ok(bytes) => place.copy_from_slice(&bytes[..size]),
                        Err(unfit) => return Err(does_not_fit(vm, field.code, scalar, unfit)),
                    }
                }
            }
            Kind::Bytes | Kind::Pascal => {
                let Some(value) = values.next() else { break };
                let Some(given) = binary::bytes_of(value) else {
                    return Err(error(vm, format!("argument for '{}' must be a bytes object", field.code)));
                };
                let place = &mut data[field.at..field.at + field.count];
                let (head, place) = match field.kind {
                    Kind::Pascal if !place.is_empty() => place.split_at_mut(1),
                    _ => place.split_at_mut(0),
                };
                let length = given.len().min(place.len());
                place[..length].copy_from_slice(&given[..length]);
                if let Some(head) = head.first_mut() {
                    *head = length.min(255) as u8;
                }
            }
        }
    }
    Ok(data)
}

fn does_not_fit(vm: &Vm, code: char, scalar: Scalar, unfit: Unfit) -> Raised {
    let message = match (unfit, scalar) {
        (Unfit::Raised(raised), _) => return raised,
        (_, Scalar::Char) => "char format requires a bytes object of length 1".to_owned(),
        (Unfit::Range, Scalar::Half | Scalar::Float) => {
            return vm.overflow_error(format!("float too large to pack with {code} format"));
        }
        (Unfit::Type, Scalar::Half | Scalar::Float | Scalar::Double) => "required argument is not a float".to_owned(),
        (Unfit::Type, _) => "required argument is not an integer".to_owned(),
        (Unfit::Range, Scalar::Signed(size)) => {
            let limit = 1i128 << (8 * size - 1);
            format!("'{code}' format requires {} <= number <= {}", -limit, limit - 1)
        }
        (Unfit::Range, _) => {
            format!("'{code}' format requires 0 <= number <= {}", (1i128 << (8 * scalar.size())) - 1)
        }
    };
    error(vm, message)
}

/// The values in bytes, which are as many as the format takes.
fn unpacked(vm: &Vm, layout: &Layout, data: &[u8]) -> R {
    vm.check_alloc(layout.count.saturating_mul(size_of::<Value>()))?;
    vm.charge((layout.count / 16) as u64)?;
    let mut values = Vec::with_capacity(layout.count);
    for field in &layout.fields {
        match field.kind {
            Kind::Scalar(scalar) => {
                let size = scalar.size();
                let elements = data[field.at..field.at + field.count * size].chunks_exact(size);
                values.extend(elements.map(|element| read(vm, scalar, element, layout.big_endian)));
            }
            Kind::Bytes => values.push(Value::from(vm.heap.bytes_object(&data[field.at..field.at + field.count]))),
            Kind::Pascal => {
                let all = &data[field.at..field.at + field.count];
                let text = match all.split_first() {
                    Some((length, rest)) => &rest[..usize::from(*length).min(rest.len())],
                    None => all,
                };
                values.push(Value::from(vm.heap.bytes_object(text)));
            }
        }
    }
    Ok(Value::from(vm.heap.tuple(values)))
}

fn buffer(vm: &Vm, value: &Value) -> R<Vec<u8>> {
    binary::bytes_of(value).ok_or_else(|| {
        let given = vm.class_of(value).name();
        vm.type_error(format!("a bytes-like object is required, not '{}'", given.as_str()))
    })
}

fn unpack_all(vm: &Vm, layout: &Layout, data: &Value) -> R {
    let data = buffer(vm, data)?;
    if data.len() != layout.size {
        return Err(error(vm, format!("unpack requires a buffer of {} bytes", layout.size)));
    }
    unpacked(vm, layout, &data)
}

/// Where `size` bytes begin at an offset that may count from the end; `needs` words what is missing.
fn place(vm: &Vm, offset: i64, size: usize, length: usize, what: &str) -> R<usize> {
    let (into, verb) = (what == "pack_into", if what == "pack_into" { "packing" } else { "unpacking" });
    let mut at = offset;
    if offset < 0 {
        if offset.saturating_add(size as i64) > 0 {
            return Err(error(
                vm,
                match into {
                    true => format!("no space to pack {size} bytes at offset {offset}"),
                    false => format!("not enough data to unpack {size} bytes at offset {offset}"),
                },
            ));
        }
        at = offset.saturating_add(length as i64);
        if at < 0 {
            return Err(error(vm, format!("offset {offset} out of range for {length}-byte buffer")));
        }
    }
    let at = at as usize;
    if length.saturating_sub(at) < size {
        return Err(error(
            vm,
            format!(
                "{what} requires a buffer of at least {} bytes for {verb} {size} bytes at offset {at} (actual buffer size is {length})",
                at.saturating_add(size)
            ),
        ));
    }
    Ok(at)
}

fn unpack_at(vm: &Vm, layout: &Layout, data: &Value, offset: i64) -> R {
    let data = buffer(vm, data)?;
    let at = place(vm, offset, layout.size, data.len(), "unpack_from")?;
    unpacked(vm, layout, &data[at..at + layout.size])
}

fn pack_at(vm: &Vm, layout: &Layout, args: &[Value]) -> R {
    let (target, offset, values) = match args {
        [] => return Err(error(vm, "pack_into expected buffer argument")),
        [_] => return Err(error(vm, "pack_into expected offset argument")),
        [target, offset, values @ ..] => (target, offset, values),
    };
    if values.len() != layout.count {
        let message = format!("pack_into expected {} items for packing (got {})", layout.count, values.len());
        return Err(error(vm, message));
    }
    let room = |vm: &Vm| match vm.room_in(target) {
        Ok(room) => Ok(room),
        Err(_) => {
            drop(vm.take_raised());
            let given = vm.class_of(target).name();
            Err(vm.type_error(format!("argument must be read-write bytes-like object, not {}", given.as_str())))
        }
    };
    room(vm)?;
    let offset = vm.index_i64(offset)?;
    // Packing may run script code, which must not change the size of an array.
    let held = Lent::of(target);
    let data = packed(vm, layout, values, "pack_into")?;
    let at = place(vm, offset, layout.size, room(vm)?, "pack_into")?;
    vm.fill_buffer_at(target, at, &data);
    drop(held);
    Ok(Value::None)
}

fn calcsize(vm: &Vm, format: &Value) -> R<usize> {
    Ok(layout_of(vm, format)?.size)
}

fn pack(vm: &Vm, args: Args<'_>) -> R {
    let Some((format, values)) = no_keywords(vm, "pack", args)?.split_first() else {
        return Err(vm.type_error("missing format argument"));
    };
    let data = packed(vm, &*layout_of(vm, format)?, values, "pack")?;
    Ok(Value::from(vm.heap.bytes_object(data)))
}

fn pack_into(vm: &Vm, args: Args<'_>) -> R {
    let Some((format, rest)) = no_keywords(vm, "pack_into", args)?.split_first() else {
        return Err(vm.type_error("missing format argument"));
    };
    pack_at(vm, &*layout_of(vm, format)?, rest)
}

fn no_keywords<'a>(vm: &Vm, name: &str, args: Args<'a>) -> R<&'a [Value]> {
    if args.keywords.is_empty() {
        Ok(args.positional)
    } else {
        Err(vm.type_error(format!("{name}() takes no keyword arguments")))
    }
}

fn unpack(vm: &Vm, format: &Value, data: &Value) -> R {
    unpack_all(vm, &*layout_of(vm, format)?, data)
}

fn unpack_from(vm: &Vm, format: &Value, data: &Value, offset: Option<i64>) -> R {
    unpack_at(vm, &*layout_of(vm, format)?, data, offset.unwrap_or(0))
}

fn iter_unpack(vm: &Vm, format: &Value, data: &Value) -> R {
    iterate(vm, &layout_of(vm, format)?, data)
}

/// The payload of a `Struct`.
struct Struct {
    format: String,
    layout: Rc<Layout>,
}

impl Payload for Struct {
    crate::native_kind!();
    const CONTAINER: bool = false;
    const BUFFERS: bool = true;

    fn buffers(&self) -> usize {
        self.format.capacity() + self.layout.fields.capacity() * size_of::<Field>()
    }
}

fn new(vm: &Vm, class: &Ref<Class>, format: &Value) -> R {
    let layout = layout_of(vm, format)?;
    let made = vm.heap.alloc_owning(Struct { format: text_of(vm, format)?, layout });
    vm.wrap_new(class, Value::from(made))
}

fn format(_vm: &Vm, this: &Ref<Struct>) -> String {
    this.format.clone()
}

fn size(_vm: &Vm, this: &Ref<Struct>) -> usize {
    this.layout.size
}

/// The receiver of a method that takes any number of values.
fn receiver<'a>(vm: &Vm, name: &str, args: Args<'a>) -> R<(Rc<Layout>, &'a [Value])> {
    match no_keywords(vm, name, args)?.split_first() {
        Some((this, rest)) => Ok((<&Ref<Struct> as crate::native::FromValue>::from_value(vm, this)?.layout.clone(), rest)),
        None => Err(vm.type_error(format!("unbound method Struct.{name}() needs an argument"))),
    }
}

fn struct_pack(vm: &Vm, args: Args<'_>) -> R {
    let (layout, values) = receiver(vm, "pack", args)?;
    let data = packed(vm, &layout, values, "pack")?;
    Ok(Value::from(vm.heap.bytes_object(data)))
}

fn struct_pack_into(vm: &Vm, args: Args<'_>) -> R {
    let (layout, rest) = receiver(vm, "pack_into", args)?;
    pack_at(vm, &layout, rest)
}

fn struct_unpack(vm: &Vm, this: &Ref<Struct>, data: &Value) -> R {
    unpack_all(vm, &this.layout, data)
}

fn struct_unpack_from(vm: &Vm, this: &Ref<Struct>, data: &Value, offset: Option<i64>) -> R {
    unpack_at(vm, &this.layout, data, offset.unwrap_or(0))
}

fn struct_iter_unpack(vm: &Vm, this: &Ref<Struct>, data: &Value) -> R {
    iterate(vm, &this.layout, data)
}

/// What `iter_unpack` gives.
struct Unpacked {
    layout: Rc<Layout>,
    data: Value,
    at: Cell<usize>,
}

impl Payload for Unpacked {
    crate::native_kind!();
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.value(&self.data);
    }
}

fn iterate(vm: &Vm, layout: &Rc<Layout>, data: &Value) -> R {
    let length = buffer(vm, data)?.len();
    if layout.size == 0 {
        return Err(error(vm, "cannot iteratively unpack with a struct of length 0"));
    }
    if length % layout.size != 0 {
        let message = format!("iterative unpacking requires a buffer of a multiple of {} bytes", layout.size);
        return Err(error(vm, message));
    }
    Ok(Value::from(vm.heap.alloc(Unpacked { layout: layout.clone(), data: data.clone(), at: Cell::new(0) })))
}

impl NativeIterator for Unpacked {
    fn next(&self, vm: &Vm) -> R<Option<Value>> {
        let at = self.at.get();
        let end = at + self.layout.size;
        let Some(part) = binary::with_bytes(&self.data, |data| data.get(at..end).map(<[u8]>::to_vec)).flatten() else {
            return Ok(None);
        };
        self.at.set(end);
        unpacked(vm, &self.layout, &part).map(Some)
    }
}

fn length_hint(_vm: &Vm, this: &Ref<Unpacked>) -> usize {
    binary::length(&this.data).unwrap_or(0).saturating_sub(this.at.get()) / this.layout.size
}
