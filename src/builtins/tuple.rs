//! The methods of `tuple`.

use crate::native::define_methods;
use crate::rows;
use crate::syntax::ast::CmpOp;
use crate::value::{Class, Iter, R, Ref, Tuple, Value};
use crate::vm::Vm;

use super::list::{bound, class_getitem};

/// Fills the class in.
pub fn install(vm: &Vm) {
    define_methods(
        vm,
        &vm.types.tuple,
        &rows![
            static "__new__", "cls, iterable=(), /" => new(0 1);
            "count", "value, /" => count(0 1);
            "index", "value, start=0, stop=9223372036854775807, /" => index(0 1 2 3);
            "__contains__", "key, /" => contains(0 1);
            "__eq__", "value, /" => eq(0 1);
            "__ge__", "value, /" => ge(0 1);
            "__getitem__", "key, /" => get_item(0 1);
            "__getnewargs__", "" => new_args(0);
            "__gt__", "value, /" => gt(0 1);
            "__hash__", "" => hash(0);
            "__iter__", "" => iter(0);
            "__le__", "value, /" => le(0 1);
            "__len__", "" => len(0);
            "__lt__", "value, /" => lt(0 1);
            "__ne__", "value, /" => ne(0 1);
            "__repr__", "" => repr(0);
            class "__class_getitem__", "item, /" => class_getitem(0 1);
        ],
    );
}

fn new(vm: &Vm, class: &Ref<Class>, iterable: &Value) -> R {
    let tuple = match iterable {
        Value::Undef => Value::from(vm.heap.tuple([])),
        exact if exact.downcast::<Tuple>().is_some() => exact.clone(),
        other => Value::from(vm.heap.tuple(vm.collect(other)?)),
    };
    vm.wrap_new(class, tuple)
}

fn count(vm: &Vm, tuple: &Ref<Tuple>, value: &Value) -> R<usize> {
    vm.items_count(tuple, value)
}

fn index(vm: &Vm, tuple: &Ref<Tuple>, value: &Value, start: &Value, stop: &Value) -> R<usize> {
    let start = bound(vm, start, 0, tuple.len())?;
    let stop = bound(vm, stop, usize::MAX, tuple.len())?;
    match vm.items_find(tuple, value, start, stop)? {
        Some(at) => Ok(at),
        None => Err(vm.value_error("tuple.index(x): x not in tuple")),
    }
}

fn contains(vm: &Vm, tuple: &Ref<Tuple>, value: &Value) -> R<bool> {
    vm.items_contain(tuple, value)
}

fn get_item(vm: &Vm, tuple: &Ref<Tuple>, key: &Value) -> R {
    vm.tuple_get(tuple, key)
}

fn new_args(vm: &Vm, tuple: &Ref<Tuple>) -> Value {
    Value::from(vm.heap.tuple([Value::from(tuple)]))
}

fn compare(vm: &Vm, op: CmpOp, tuple: &Ref<Tuple>, other: &Value) -> R {
    match other.payload::<Tuple>() {
        Some(other) => vm.items_compare(op, tuple, other),
        None => Ok(Value::NotImplemented),
    }
}

super::comparisons::comparisons!(compare, Tuple);

fn hash(vm: &Vm, tuple: &Ref<Tuple>) -> R<i64> {
    vm.hash(&Value::from(tuple))
}

fn iter(vm: &Vm, tuple: &Ref<Tuple>) -> Value {
    vm.iterator(Iter::Tuple { tuple: tuple.clone(), next: 0 })
}

fn len(_vm: &Vm, tuple: &Ref<Tuple>) -> usize {
    tuple.len()
}

fn repr(vm: &Vm, this: &Value) -> R<String> {
    super::shown::container(vm, this)
}
