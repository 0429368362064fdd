//! `bool`: construction; everything else is what `int` does.

use crate::native::define_methods;
use crate::rows;
use crate::value::{R, Value};
use crate::vm::Vm;

/// Fills the class in.
pub fn install(vm: &Vm) {
    define_methods(vm, &vm.types.bool_, &rows![static "__new__", "cls, x=False, /" => new(0 1);]);
}

fn new(vm: &Vm, _class: &Value, x: &Value) -> R<bool> {
    if x.is_undef() { Ok(false) } else { vm.truthy(x) }
}
