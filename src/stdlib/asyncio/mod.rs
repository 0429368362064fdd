//! `asyncio`: what scripts see of the scheduler. A file per subject; the primitives that wait are pages over `sched::WaitQueue`.

mod as_completed;
mod barrier;
mod condition;
mod event;
mod executors;
mod futures;
mod handles;
mod lock;
pub mod loops;
mod policies;
mod queues;
pub mod runners;
mod semaphore;
mod submodules;
mod support;
mod task_groups;
pub mod tasks;
mod timeouts;

use super::support::{add, add_class};
use crate::native::{ModuleRow, new_module};
use crate::sched;
use crate::value::{Module, R, Ref, Value};
use crate::vm::Vm;

pub const MODULE: ModuleRow = ModuleRow { name: "asyncio", load };

fn load(vm: &Vm) -> R<Ref<Module>> {
    let module = new_module(vm, "asyncio", "The asyncio package, tracking PEP 3156.", &[]);
    let classes = &sched::of(vm).classes;
    for class in [
        &classes.cancelled_error,
        &classes.invalid_state_error,
        &classes.queue_empty,
        &classes.queue_full,
        &classes.broken_barrier_error,
        &classes.deadlock_error,
        &classes.future,
        &classes.task,
        &classes.handle,
        &classes.timer_handle,
        &classes.abstract_event_loop,
        &classes.base_event_loop,
    ] {
        add_class(vm, &module, class);
    }
    add(vm, &module, "TimeoutError", Value::from(&vm.types.timeout_error));
    add(vm, &module, "SelectorEventLoop", Value::from(&classes.event_loop));
    futures::load(vm, &module);
    tasks::load(vm, &module);
    as_completed::load(vm, &module);
    loops::load(vm, &module);
    runners::load(vm, &module);
    lock::load(vm, &module);
    event::load(vm, &module);
    condition::load(vm, &module);
    semaphore::load(vm, &module);
    barrier::load(vm, &module);
    queues::load(vm, &module);
    timeouts::load(vm, &module);
    task_groups::load(vm, &module);
    executors::load(vm, &module);
    submodules::load(vm, &module);
    Ok(module)
}
