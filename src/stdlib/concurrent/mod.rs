//! `concurrent.futures`: work on threads, and the futures of it.

pub mod executor;
mod futures;

use futures::{as_completed, wait};

use super::support::{add, add_class};
use crate::native::{ModuleRow, new_module};
use crate::rows;
use crate::value::{Base, Class, Module, R, Ref, Value};
use crate::vm::Vm;
use crate::vm::types::bare_class;

pub const PACKAGE: ModuleRow = ModuleRow { name: "concurrent", load: load_package };
pub const FUTURES: ModuleRow = ModuleRow { name: "concurrent.futures", load };

fn load_package(vm: &Vm) -> R<Ref<Module>> {
    let module = new_module(vm, "concurrent", "", &[]);
    add(vm, &module, "__path__", Value::from(vm.heap.list(vec![])));
    Ok(module)
}

fn load(vm: &Vm) -> R<Ref<Module>> {
    let module = new_module(
        vm,
        "concurrent.futures",
        "Execute computations asynchronously using threads.",
        &rows![
            "wait", "fs, timeout=None, return_when='ALL_COMPLETED'" => wait(0 1 2);
            "as_completed", "fs, timeout=None" => as_completed(0 1);
            raw "ProcessPoolExecutor", "" => no_processes;
        ],
    );
    let errors = errors(vm);
    for class in [&errors.error, &errors.cancelled, &errors.invalid_state, &errors.broken] {
        add_class(vm, &module, class);
    }
    add(vm, &module, "TimeoutError", Value::from(&vm.types.timeout_error));
    for name in ["FIRST_COMPLETED", "FIRST_EXCEPTION", "ALL_COMPLETED"] {
        add(vm, &module, name, vm.str_value(name));
    }
    for class in [futures::class(vm), executor::base_class(vm), executor::class(vm)] {
        add_class(vm, &module, &class);
    }
    Ok(module)
}

fn no_processes(vm: &Vm, _args: crate::vm::Args<'_>) -> R {
    Err(vm.not_implemented_error("ProcessPoolExecutor is not supported: use ThreadPoolExecutor"))
}

/// The exceptions of the module.
pub struct Errors {
    pub error: Ref<Class>,
    pub cancelled: Ref<Class>,
    pub invalid_state: Ref<Class>,
    pub broken: Ref<Class>,
}

/// The exceptions, made at first use.
pub fn errors(vm: &Vm) -> std::rc::Rc<Errors> {
    vm.extension(|| {
        let make = |name: &str, parent: &Ref<Class>| {
            let class = bare_class(&vm.heap, vm.names(), name, Base::Exception, &[parent]);
            class.dict.set_str(&vm.n.__module__, vm.str_value("concurrent.futures._base"));
            class
        };
        let error = make("Error", &vm.types.exception);
        Errors {
            cancelled: make("CancelledError", &error),
            invalid_state: make("InvalidStateError", &error),
            broken: make("BrokenExecutor", &vm.types.runtime_error),
            error,
        }
    })
}
