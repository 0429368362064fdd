//! The methods of `dict`.

use crate::native::define_methods;
use crate::rows;
use crate::syntax::ast::CmpOp;
use crate::value::{Class, Dict, Iter, R, Ref, Show, Value, ViewKind};
use crate::vm::Vm;
use crate::vm::function::Args;

use super::list::class_getitem;

/// Fills the class in.
pub fn install(vm: &Vm) {
    define_methods(
        vm,
        &vm.types.dict,
        &rows![
            static "__new__", "cls, /, *args, **kwargs" => new(0);
            raw "__init__", "iterable=(), /, **kwargs" => init;
            "clear", "" => clear(0);
            "copy", "" => copy(0);
            class "fromkeys", "iterable, value=None, /" => from_keys(0 1 2);
            "get", "key, default=None, /" => get(0 1 2);
            "items", "" => items(0);
            "keys", "" => keys(0);
            "pop", "key, default=None, /" => pop(0 1 2);
            "popitem", "" => pop_item(0);
            "setdefault", "key, default=None, /" => set_default(0 1 2);
            raw "update", "iterable=(), /, **kwargs" => update;
            "values", "" => values(0);
            "__contains__", "key, /" => contains(0 1);
            "__delitem__", "key, /" => del_item(0 1);
            "__eq__", "value, /" => eq(0 1);
            "__getitem__", "key, /" => get_item(0 1);
            "__ior__", "value, /" => ior(0 1);
            "__iter__", "" => iter(0);
            "__len__", "" => len(0);
            "__ne__", "value, /" => ne(0 1);
            "__or__", "value, /" => or(0 1);
            "__repr__", "" => repr(0);
            "__reversed__", "" => reversed(0);
            "__ror__", "value, /" => ror(0 1);
            "__setitem__", "key, value, /" => set_item(0 1 2);
            class "__class_getitem__", "item, /" => class_getitem(0 1);
        ],
    );
    vm.types.dict.dict.set_str(&vm.n.__hash__, Value::None);
}

fn new(vm: &Vm, class: &Ref<Class>) -> R {
    vm.wrap_new(class, Value::from(vm.heap.dict()))
}

fn init(vm: &Vm, args: Args<'_>) -> R {
    update_from(vm, "dict", args)
}

fn update(vm: &Vm, args: Args<'_>) -> R {
    update_from(vm, "update", args)
}

/// What `dict(...)` and `update(...)` have in common: an optional mapping or iterable of pairs, then keywords.
pub(crate) fn update_from(vm: &Vm, name: &str, args: Args<'_>) -> R {
    let Some((dict, given)) = args.positional.split_first().and_then(|(this, given)| Some((this.payload::<Dict>()?, given)))
    else {
        return Err(vm.type_error(format!("descriptor '{name}' requires a 'dict' object")));
    };
    match given {
        [] => {}
        [source] => vm.dict_update(dict, source)?,
        more => return Err(vm.type_error(format!("{name} expected at most 1 argument, got {}", more.len()))),
    }
    for (name, value) in args.keywords {
        vm.dict_set(dict, Value::from(name), value.clone())?;
    }
    Ok(Value::None)
}

fn clear(_vm: &Vm, dict: &Ref<Dict>) {
    dict.empty();
}

fn copy(vm: &Vm, dict: &Ref<Dict>) -> R<Ref<Dict>> {
    vm.dict_copy(dict)
}

fn from_keys(vm: &Vm, class: &Value, iterable: &Value, value: &Value) -> R {
    let value = if value.is_undef() { Value::None } else { value.clone() };
    let made = vm.call(class, &[])?;
    if let Some(dict) = made.downcast::<Dict>() {
        vm.for_each(iterable, &mut |key| vm.dict_set(dict, key, value.clone()).map(|()| true))?;
    } else {
        vm.for_each(iterable, &mut |key| vm.set_item(&made, &key, value.clone()).map(|()| true))?;
    }
    Ok(made)
}

fn get(vm: &Vm, dict: &Ref<Dict>, key: &Value, default: &Value) -> R {
    match vm.dict_get(dict, key)? {
        Some(value) => Ok(value),
        None if default.is_undef() => Ok(Value::None),
        None => Ok(default.clone()),
    }
}

fn items(vm: &Vm, dict: &Ref<Dict>) -> Value {
    Value::from(vm.heap.dict_view(dict.clone(), ViewKind::Items))
}

fn keys(vm: &Vm, dict: &Ref<Dict>) -> Value {
    Value::from(vm.heap.dict_view(dict.clone(), ViewKind::Keys))
}

fn values(vm: &Vm, dict: &Ref<Dict>) -> Value {
    Value::from(vm.heap.dict_view(dict.clone(), ViewKind::Values))
}

fn pop(vm: &Vm, dict: &Ref<Dict>, key: &Value, default: &Value) -> R {
    if dict.is_empty() && !default.is_undef() {
        return Ok(default.clone());
    }
    match vm.dict_remove(dict, key)? {
        Some(value) => Ok(value),
        None if default.is_undef() => Err(vm.key_error(key)),
        None => Ok(default.clone()),
    }
}

fn pop_item(vm: &Vm, dict: &Ref<Dict>) -> R {
    match dict.pop() {
        Some(entry) => Ok(Value::from(vm.heap.tuple([entry.key, entry.value]))),
        None => Err(vm.key_error(&vm.str_value("popitem(): dictionary is empty"))),
    }
}

fn set_default(vm: &Vm, dict: &Ref<Dict>, key: Value, default: &Value) -> R {
    let default = if default.is_undef() { Value::None } else { default.clone() };
    vm.dict_set_default(dict, key, default)
}

fn contains(vm: &Vm, dict: &Ref<Dict>, key: &Value) -> R<bool> {
    Ok(vm.dict_find(dict, key)?.is_some())
}

fn del_item(vm: &Vm, dict: &Ref<Dict>, key: &Value) -> R<()> {
    vm.dict_del(dict, key)
}

fn compare(vm: &Vm, op: CmpOp, dict: &Ref<Dict>, other: &Value) -> R {
    let Some(other) = other.payload::<Dict>() else { return Ok(Value::NotImplemented) };
    Ok(match op {
        CmpOp::Eq => Value::bool(vm.dict_eq(dict, other)?),
        CmpOp::NotEq => Value::bool(!vm.dict_eq(dict, other)?),
        _ => Value::NotImplemented,
    })
}

fn eq(vm: &Vm, dict: &Ref<Dict>, other: &Value) -> R {
    compare(vm, CmpOp::Eq, dict, other)
}

fn ne(vm: &Vm, dict: &Ref<Dict>, other: &Value) -> R {
    compare(vm, CmpOp::NotEq, dict, other)
}

fn get_item(vm: &Vm, this: &Value, key: &Value) -> R {
    vm.dict_subscript(this, key)
}

fn set_item(vm: &Vm, dict: &Ref<Dict>, key: Value, value: Value) -> R<()> {
    vm.dict_set(dict, key, value)
}

fn merged(vm: &Vm, left: &Value, right: &Value) -> R {
    match (left.payload::<Dict>(), right.payload::<Dict>()) {
        (Some(left), Some(_)) => {
            let copy = vm.dict_copy(left)?;
            vm.dict_merge(&copy, right)?;
            Ok(Value::from(copy))
        }
        _ => Ok(Value::NotImplemented),
    }
}

fn or(vm: &Vm, this: &Value, other: &Value) -> R {
    merged(vm, this, other)
}

fn ror(vm: &Vm, this: &Value, other: &Value) -> R {
    merged(vm, other, this)
}

fn ior(vm: &Vm, this: &Value, other: &Value) -> R {
    if let Some(dict) = this.payload::<Dict>() {
        vm.dict_update(dict, other)?;
    }
    Ok(this.clone())
}

fn iter(vm: &Vm, dict: &Ref<Dict>) -> Value {
    vm.iterator(Iter::dict(dict.clone(), Show::Keys))
}

fn reversed(vm: &Vm, dict: &Ref<Dict>) -> Value {
    vm.iterator(Iter::dict_reversed(dict.clone(), Show::Keys))
}

fn len(_vm: &Vm, dict: &Ref<Dict>) -> usize {
    dict.len()
}

fn repr(vm: &Vm, this: &Value) -> R<String> {
    super::shown::container(vm, this)
}
