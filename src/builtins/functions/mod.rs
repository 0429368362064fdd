//! The built-in functions, by what they are about.

mod attributes;
mod code;
mod iteration;
mod numbers;
mod text;

use crate::native::{Row, native_function};
use crate::value::Value;
use crate::vm::Vm;
use crate::vm::function::Binding;

/// Puts them into the built-in namespace.
pub fn install(vm: &Vm) {
    let tables: [&[Row]; 6] =
        [&attributes::ROWS, &code::ROWS, &iteration::ROWS, &numbers::ROWS, &text::ROWS, &super::files::ROWS];
    for row in tables.into_iter().flatten() {
        let function = native_function(vm, row, Binding::Function, Value::from(&vm.n.builtins));
        vm.builtins.set_str(&vm.intern(row.name), Value::from(function));
    }
}
