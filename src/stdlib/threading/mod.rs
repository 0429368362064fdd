//! `threading`: threads that take turns. `Thread`, the two kinds of lock and `local` are here; what is built from locks (`Event`,
//! `Condition`, `Semaphore`, `Barrier`, `Timer`) is in `threading.script`.

mod local;
mod locks;
mod thread;

use thread::{active_count, current_thread, enumerate, excepthook, get_ident, main_thread};
pub use thread::{adopt, current_name, release};

use super::support::{add_class, run_script};
use crate::native::{ModuleRow, new_module};
use crate::rows;
use crate::value::{Module, R, Ref};
use crate::vm::Vm;

pub const MODULE: ModuleRow = ModuleRow { name: "threading", load };

fn load(vm: &Vm) -> R<Ref<Module>> {
    let module = new_module(
        vm,
        "threading",
        "Thread module emulating a subset of Java's threading model.",
        &rows![
            "current_thread", "" => current_thread();
            "main_thread", "" => main_thread();
            "enumerate", "" => enumerate();
            "active_count", "" => active_count();
            "get_ident", "" => get_ident();
            "get_native_id", "" => get_ident();
            "excepthook", "args, /" => excepthook(0);
        ],
    );
    for class in [thread::class(vm), locks::class(vm), locks::reentrant_class(vm), local::class(vm)] {
        add_class(vm, &module, &class);
    }
    run_script(vm, &module, include_str!("threading.script"))?;
    Ok(module)
}
