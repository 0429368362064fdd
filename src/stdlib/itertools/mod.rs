//! `itertools`: the table of the module. Iterators over one source are in `stream.rs`, those that pick from pools in `combine.rs`,
//! those that share or bundle sources in `share.rs`.

mod combine;
mod share;
mod stream;

use super::support::add_class;
use crate::native::{ModuleRow, new_module};
use crate::rows;
use crate::value::{Module, R, Ref};
use crate::vm::Vm;
use share::tee;

pub const MODULE: ModuleRow = ModuleRow { name: "itertools", load };

fn load(vm: &Vm) -> R<Ref<Module>> {
    let module = new_module(
        vm,
        "itertools",
        "Functional tools for creating and using iterators.",
        &rows![
            "tee", "iterable, n=2, /" => tee(0 1);
        ],
    );
    for class in stream::classes(vm).into_iter().chain(combine::classes(vm)).chain(share::classes(vm)) {
        add_class(vm, &module, &class);
    }
    Ok(module)
}
