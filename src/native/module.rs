//! Modules written in Rust: a row per import name, a table of functions each.

use super::{Row, native_function};
use crate::value::{Module, R, Ref, Value};
use crate::vm::Vm;
use crate::vm::function::Binding;

/// A module that can be imported: `stdlib/mod.rs` holds the list of them.
#[derive(Clone, Copy)]
pub struct ModuleRow {
    /// The import name, dots included.
    pub name: &'static str,
    /// Makes the module, at its first import. Use `new_module`, then add constants and classes to its dict.
    pub load: fn(&Vm) -> R<Ref<Module>>,
}

/// A module object with these functions.
pub fn new_module(vm: &Vm, name: &str, doc: &str, rows: &[Row]) -> Ref<Module> {
    let dict = vm.heap.dict();
    let name = vm.intern(name);
    dict.set_str(&vm.n.__name__, Value::from(&name));
    dict.set_str(&vm.n.__doc__, vm.str_value(doc));
    dict.set_str(&vm.n.__package__, vm.str_value(""));
    for row in rows {
        let function = native_function(vm, row, Binding::Function, Value::from(&name));
        dict.set_str(&vm.intern(row.name), Value::from(function));
    }
    vm.heap.alloc(Module { name, dict })
}
