//! `io`: text and bytes in memory, and the names of what `open` makes.

mod bytes_io;
mod string_io;

use super::support::{add, add_class};
use crate::builtins::files::unsupported_operation;
use crate::native::{ModuleRow, new_module};
use crate::value::{Module, R, Raised, Ref, Value};
use crate::vm::Vm;

pub const MODULE: ModuleRow = ModuleRow { name: "io", load };

fn load(vm: &Vm) -> R<Ref<Module>> {
    let module = new_module(vm, "io", "The stream interfaces: text and bytes in memory, and files.", &[]);
    add_class(vm, &module, &string_io::class(vm));
    add_class(vm, &module, &bytes_io::class(vm));
    add(vm, &module, "UnsupportedOperation", unsupported_operation(vm)?.into());
    if let Some(open) = vm.builtins.get_text("open") {
        add(vm, &module, "open", open);
    }
    for (name, number) in [("SEEK_SET", 0), ("SEEK_CUR", 1), ("SEEK_END", 2), ("DEFAULT_BUFFER_SIZE", 8192)] {
        add(vm, &module, name, Value::Int(number));
    }
    Ok(module)
}

#[cold]
fn closed(vm: &Vm, message: &str) -> Raised {
    vm.value_error(message)
}

/// Where `seek(offset, whence)` goes, from the place and the length.
fn seek_target(vm: &Vm, offset: i64, whence: i64, at: usize, len: usize) -> R<usize> {
    let from = match whence {
        0 if offset < 0 => return Err(vm.value_error(format!("negative seek value {offset}"))),
        0 => 0,
        1 => at,
        2 => len,
        _ => return Err(vm.value_error(format!("invalid whence ({whence}, should be 0, 1 or 2)"))),
    };
    Ok((from as i64).saturating_add(offset).max(0) as usize)
}

/// How many items a `size` argument asks for: all for nothing or a negative number.
fn wanted(size: Option<i64>) -> usize {
    match size {
        Some(size) if size >= 0 => size as usize,
        _ => usize::MAX,
    }
}
