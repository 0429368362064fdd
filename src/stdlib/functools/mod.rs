//! `functools`: the table of the module. `partial` and the caches are native (`partial.rs`, `cache.rs`), the rest is a script.

mod cache;
mod partial;

pub use partial::function_of as function_of_partial;

use super::support::{Meter, add, run_script};
use crate::native::{ModuleRow, define_class, new_module};
use crate::syntax::ast::CmpOp;
use crate::value::{Module, Payload, R, Raised, Ref, Value, Visitor};
use crate::vm::Vm;
use crate::{native_kind, rows};

pub const MODULE: ModuleRow = ModuleRow { name: "functools", load };

fn load(vm: &Vm) -> R<Ref<Module>> {
    let module = new_module(
        vm,
        "functools",
        "Tools for working with functions and callable objects.",
        &rows![
            "reduce", "function, iterable, initial=None, /" => reduce(0 1 2);
            "cmp_to_key", "mycmp" => cmp_to_key(0);
        ],
    );
    let key = &rows![
        "__call__", "obj" => key_of(0 1);
        get "obj" => key_object(0);
        "__lt__", "other, /" => key_lt(0 1);
        "__le__", "other, /" => key_le(0 1);
        "__gt__", "other, /" => key_gt(0 1);
        "__ge__", "other, /" => key_ge(0 1);
        "__eq__", "other, /" => key_eq(0 1);
        "__ne__", "other, /" => key_ne(0 1);
    ];
    let class = define_class::<Key>(vm, "functools", "KeyWrapper", key);
    class.dict.set_str(&vm.n.__hash__, Value::None);
    add(vm, &module, "partial", partial::class(vm).into());
    add(vm, &module, "_lru_cache_wrapper", cache::class(vm).into());
    run_script(vm, &module, include_str!("functools.script"))?;
    Ok(module)
}

fn reduce(vm: &Vm, function: &Value, iterable: &Value, initial: &Value) -> R {
    let iterator = match vm.iter(iterable) {
        Ok(iterator) => iterator,
        Err(raised) if vm.raised_is(&vm.types.type_error) => {
            let _: Raised = raised;
            drop(vm.take_raised());
            return Err(vm.type_error("reduce() arg 2 must support iteration"));
        }
        Err(raised) => return Err(raised),
    };
    let mut result = initial.clone();
    let mut meter = Meter::default();
    while let Some(item) = vm.next(&iterator)? {
        meter.step(vm)?;
        result = if result.is_undef() { item } else { vm.call(function, &[result, item])? };
    }
    if result.is_undef() { Err(vm.type_error("reduce() of empty iterable with no initial value")) } else { Ok(result) }
}

/// What `cmp_to_key` gives: without an object a function that makes keys, with one a key.
struct Key {
    compare: Value,
    object: Value,
}

impl Payload for Key {
    native_kind!();
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.values([&self.compare, &self.object]);
    }
}

fn cmp_to_key(vm: &Vm, compare: Value) -> Value {
    vm.heap.alloc(Key { compare, object: Value::Undef }).into()
}

fn key_of(vm: &Vm, this: &Ref<Key>, object: Value) -> Value {
    vm.heap.alloc(Key { compare: this.compare.clone(), object }).into()
}

fn key_object(vm: &Vm, this: &Ref<Key>) -> R {
    if this.object.is_undef() { Err(vm.attribute_error("object")) } else { Ok(this.object.clone()) }
}

fn compare_keys(vm: &Vm, operator: CmpOp, this: &Ref<Key>, other: &Value) -> R {
    let Some(other) = other.downcast::<Key>() else {
        return Err(vm.type_error("other argument must be K instance"));
    };
    if this.object.is_undef() || other.object.is_undef() {
        return Err(vm.attribute_error("object"));
    }
    let order = vm.call(&this.compare, &[this.object.clone(), other.object.clone()])?;
    vm.compare(operator, &order, &Value::Int(0))
}

macro_rules! comparisons {
    ($($name:ident $operator:ident;)*) => {
        $(fn $name(vm: &Vm, this: &Ref<Key>, other: &Value) -> R {
            compare_keys(vm, CmpOp::$operator, this, other)
        })*
    };
}

comparisons! {
    key_lt Lt;
    key_le LtE;
    key_gt Gt;
    key_ge GtE;
    key_eq Eq;
    key_ne NotEq;
}
