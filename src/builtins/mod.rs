//! The built-in types and functions: a file per type, `functions/` for the functions. `install` fills a bare interpreter in.

mod comparisons;
mod dict;
pub mod files;
mod functions;
mod iterators;
mod list;
mod range;
mod set;
mod shown;
mod slice;
mod sort;
mod tuple;
mod views;

use crate::vm::Vm;

/// Gives the classes their methods, and puts the built-in names into `vm.builtins`.
pub fn install(vm: &Vm) {
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
}
