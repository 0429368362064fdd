//! The built-in types and functions: a file per type, each with an `install` that fills its class with methods; `functions/` for the
//! functions.
//!
//! `install` here is called once per interpreter, after `Vm::new`. The classes themselves exist since then (`vm/types.rs`); what is
//! added are rows (`native/`), so this is where to look for what a built-in type can do.

mod bool;
pub mod bytes;
pub mod codecs;
mod comparisons;
pub mod complex;
mod coroutine;
mod dict;
pub mod exceptions;
pub mod files;
pub mod float;
mod frame;
mod function;
mod functions;
mod generic;
pub mod int;
mod iterator_state;
mod iterators;
mod list;
mod memoryview;
mod method;
mod module;
mod object;
mod property;
mod range;
mod set;
mod shown;
mod singletons;
mod site;
mod slice;
mod slots;
mod sort;
mod str;
mod super_;
#[cfg(test)]
mod tests;
mod traceback;
mod tuple;
mod type_;
mod views;

use crate::value::Value;
use crate::vm::Vm;

/// Gives the classes their methods, and puts the built-in names into `vm.builtins`.
pub fn install(vm: &Vm) {
    object::install(vm);
    type_::install(vm);
    exceptions::install(vm);
    function::install(vm);
    method::install(vm);
    module::install(vm);
    property::install(vm);
    super_::install(vm);
    generic::install(vm);
    singletons::install(vm);
    traceback::install(vm);
    frame::install(vm);
    int::install(vm);
    bool::install(vm);
    float::install(vm);
    complex::install(vm);
    str::install(vm);
    bytes::install(vm);
    memoryview::install(vm);
    list::install(vm);
    tuple::install(vm);
    dict::install(vm);
    views::install(vm);
    set::install(vm);
    range::install(vm);
    slice::install(vm);
    iterators::install(vm);
    files::install(vm);
    functions::install(vm);
    coroutine::install(vm);
    // Last: the special methods that the files above leave to the operators.
    slots::install(vm);
    names(vm);
    site::install(vm);
    vm.heap.bump_epoch();
}

/// The built-in names that are types or constants.
fn names(vm: &Vm) {
    let types = &vm.types;
    #[rustfmt::skip]
    let named = [
        &types.object, &types.type_, &types.int, &types.bool_, &types.float, &types.complex, &types.str, &types.bytes, &types.bytearray,
        &types.tuple, &types.list, &types.dict, &types.set, &types.frozenset, &types.range, &types.slice, &types.property,
        &types.staticmethod, &types.classmethod, &types.super_,
    ];
    for class in named {
        vm.builtins.set_str(&vm.intern(class.own_name().as_str()), Value::from(class));
    }
    types.each_exception(|name, class| vm.builtins.set_str(&vm.intern(name), Value::from(class)));
    for alias in ["EnvironmentError", "IOError"] {
        vm.builtins.set_str(&vm.intern(alias), Value::from(&types.os_error));
    }
    vm.builtins.set_str(&vm.intern("NotImplemented"), Value::NotImplemented);
    vm.builtins.set_str(&vm.intern("Ellipsis"), Value::Ellipsis);
    vm.builtins.set_str(&vm.n.__debug__, Value::TRUE);
}
