//! The built-in types and functions: a file per type, `functions/` for the functions. `install` fills a bare interpreter in.

mod bool;
pub mod codecs;
mod comparisons;
mod complex;
mod dict;
pub mod files;
pub mod float;
mod functions;
pub mod int;
mod iterators;
mod list;
mod range;
mod set;
mod shown;
mod slice;
mod sort;
mod str;
mod tuple;
mod views;

use crate::vm::Vm;

/// Gives the classes their methods, and puts the built-in names into `vm.builtins`.
pub fn install(vm: &Vm) {
    int::install(vm);
    bool::install(vm);
    float::install(vm);
    complex::install(vm);
    str::install(vm);
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
