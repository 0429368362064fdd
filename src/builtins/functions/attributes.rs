//! Built-in functions about objects: their attributes, classes, identity.

use crate::native::Row;
use crate::rows;
use crate::value::{Class, Kind, R, Ref, Str, Value};
use crate::vm::Vm;

pub(super) const ROWS: [Row; 11] = rows![
    "callable", "obj, /" => callable(0);
    "delattr", "obj, name, /" => delattr(0 1);
    "dir", "object=None, /" => dir(0);
    "getattr", "object, name, default=None, /" => getattr(0 1 2);
    "hasattr", "obj, name, /" => hasattr(0 1);
    "hash", "obj, /" => hash(0);
    "id", "obj, /" => id(0);
    "isinstance", "obj, class_or_tuple, /" => isinstance(0 1);
    "issubclass", "cls, class_or_tuple, /" => issubclass(0 1);
    "setattr", "obj, name, value, /" => setattr(0 1 2);
    "vars", "object=None, /" => vars(0);
];

/// Whether a value can be called.
pub(crate) fn is_callable(vm: &Vm, value: &Value) -> bool {
    matches!(value.kind(), Kind::Function | Kind::NativeFunction | Kind::BoundMethod | Kind::Class)
        || !vm.class_of(value).lookup(&vm.n.__call__).is_undef()
}

fn callable(vm: &Vm, value: &Value) -> bool {
    is_callable(vm, value)
}

/// An attribute's name given as a value.
fn name(vm: &Vm, name: &Value) -> R<Ref<Str>> {
    match name.payload::<Str>() {
        Some(text) => Ok(vm.name_of(text)),
        None => Err(vm.type_error(format!("attribute name must be string, not '{}'", vm.class_of(name).name().as_str()))),
    }
}

/// As `name`, for an attribute to be set: the name stays, as names of programs do.
fn name_to_set(vm: &Vm, value: &Value) -> R<Ref<Str>> {
    let text = name(vm, value)?;
    Ok(if text.len() <= 64 { vm.intern(text.as_str()) } else { text })
}

fn getattr(vm: &Vm, object: &Value, attribute: &Value, default: &Value) -> R {
    let name = name(vm, attribute)?;
    if default.is_undef() {
        return vm.get_attr(object, &name);
    }
    let found = vm.find_attr(object, &name)?;
    Ok(found.unwrap_or_else(|| default.clone()))
}

fn hasattr(vm: &Vm, object: &Value, attribute: &Value) -> R<bool> {
    let name = name(vm, attribute)?;
    Ok(vm.find_attr(object, &name)?.is_some())
}

fn setattr(vm: &Vm, object: &Value, attribute: &Value, value: Value) -> R<()> {
    let name = name_to_set(vm, attribute)?;
    vm.set_attr(object, &name, value)
}

fn delattr(vm: &Vm, object: &Value, attribute: &Value) -> R<()> {
    let name = name(vm, attribute)?;
    vm.del_attr(object, &name)
}

fn dir(vm: &Vm, object: &Value) -> R {
    let names = match object {
        Value::Undef => Some(Value::from(super::code::main_namespace(vm)?)),
        object => vm.call_special(object, &vm.n.__dir__, &[])?,
    };
    match names {
        Some(names) => {
            let mut names = vm.collect(&names)?;
            crate::builtins::sort::sort(vm, &mut names, None, false)?;
            Ok(Value::from(vm.heap.list(names)))
        }
        None => Err(vm.type_error("object does not provide __dir__")),
    }
}

fn vars(vm: &Vm, object: &Value) -> R {
    if object.is_undef() {
        return Ok(Value::from(super::code::main_namespace(vm)?));
    }
    match vm.find_attr(object, &vm.n.__dict__)? {
        Some(dict) => Ok(dict),
        None => Err(vm.type_error("vars() argument must have __dict__ attribute")),
    }
}

fn hash(vm: &Vm, object: &Value) -> R<i64> {
    vm.hash(object)
}

/// The identity of a value as a number: the address of objects, and for the others a number that no address is.
pub(crate) fn id(_vm: &Vm, object: &Value) -> i64 {
    let tag = |kind: i64, bits: i64| (bits.wrapping_mul(32) ^ (bits >> 58 & 15) << 59 ^ kind) & i64::MAX;
    match object {
        Value::Obj(object) => object.address() as i64,
        Value::Int(i) => tag(3, *i),
        Value::Float(bits) => tag(5, *bits as i64),
        Value::Bool(b) => 16 * *b as i64 + 7,
        Value::None => 9,
        Value::NotImplemented => 11,
        Value::Ellipsis => 13,
        _ => 1,
    }
}

fn isinstance(vm: &Vm, object: &Value, classes: &Value) -> R<bool> {
    if let Some(class) = classes.downcast::<Class>()
        && vm.class_of(object).is(class)
    {
        return Ok(true);
    }
    vm.instance_check(object, classes)
}

fn issubclass(vm: &Vm, class: &Value, classes: &Value) -> R<bool> {
    vm.subclass_check(class, classes)
}
