//! `None`, `Ellipsis` and `NotImplemented`.

use crate::native::define_methods;
use crate::rows;
use crate::value::{R, Ref, Str, Value};
use crate::vm::Vm;

pub fn install(vm: &Vm) {
    let types = &vm.types;
    define_methods(
        vm,
        &types.none,
        &rows![static "__new__", "cls, /" => none(0); "__bool__", "/" => no(0); "__repr__", "/" => repr(0);],
    );
    define_methods(vm, &types.ellipsis, &rows![static "__new__", "cls, /" => ellipsis(0); "__repr__", "/" => repr(0);]);
    define_methods(
        vm,
        &types.not_implemented,
        &rows![static "__new__", "cls, /" => not_implemented(0); "__repr__", "/" => repr(0);],
    );
    for class in [&types.none, &types.ellipsis, &types.not_implemented, &types.bool_, &types.range, &types.slice] {
        class.is_final.set(true);
    }
    for class in [&types.mappingproxy, &types.traceback] {
        class.is_final.set(true);
    }
}

fn none(_vm: &Vm, _class: &Value) -> Value {
    Value::None
}

fn no(_vm: &Vm, _this: &Value) -> bool {
    false
}

fn ellipsis(_vm: &Vm, _class: &Value) -> Value {
    Value::Ellipsis
}

fn not_implemented(_vm: &Vm, _class: &Value) -> Value {
    Value::NotImplemented
}

fn repr(vm: &Vm, this: &Value) -> R<Ref<Str>> {
    vm.repr(this)
}
