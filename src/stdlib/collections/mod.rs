//! `collections`: the table of the module. `deque` is native; the mappings are script classes over `dict` (`collections.script`) whose hot
//! methods are native (`mappings.rs`).

mod deque;
mod mappings;

use super::struct_sequence::tuple_getter;
use super::support::{add, add_class, run_script};
use crate::native::{ModuleRow, new_module};
use crate::rows;
use crate::value::{Module, R, Ref};
use crate::vm::Vm;
use mappings::count_elements;

pub const MODULE: ModuleRow = ModuleRow { name: "collections", load };
pub const ABC: ModuleRow = ModuleRow { name: "collections.abc", load: load_abc };

fn load(vm: &Vm) -> R<Ref<Module>> {
    let module = new_module(
        vm,
        "collections",
        "Container types beside the built-in ones.",
        &rows![
            "_count_elements", "mapping, iterable, /" => count_elements(0 1);
            "_tuplegetter", "index, doc, /" => tuple_getter(0 1);
        ],
    );
    add(vm, &module, "__path__", vm.heap.list(Vec::new()).into());
    add(vm, &module, "__package__", vm.str_value("collections"));
    add_class(vm, &module, &deque::class(vm));
    run_script(vm, &module, include_str!("collections.script"))?;
    mappings::install(vm, &module);
    Ok(module)
}

fn load_abc(vm: &Vm) -> R<Ref<Module>> {
    let module = new_module(vm, "collections.abc", "Abstract base classes for containers.", &[]);
    run_script(vm, &module, include_str!("abc.script"))?;
    Ok(module)
}
