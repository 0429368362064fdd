//! Ctrl-C while a main task runs: the first one cancels the task, so that the script can clean up; the next raises `KeyboardInterrupt`.

use std::cell::Cell;

use super::future::AnyFuture;
use super::of;
use crate::value::{Shared, Value};
use crate::vm::Vm;

/// The main task that an interrupt cancels.
#[derive(Default)]
pub struct Interrupts {
    main: Shared<Option<AnyFuture>>,
    count: Cell<u32>,
}

/// While it lives, the first interrupt cancels the main task.
pub struct Guard<'vm> {
    vm: &'vm Vm,
    before: Option<AnyFuture>,
}

impl<'vm> Guard<'vm> {
    /// Makes `main` the task that is cancelled.
    pub fn new(vm: &'vm Vm, main: &AnyFuture) -> Guard<'vm> {
        let interrupts = &of(vm).interrupts;
        interrupts.count.set(0);
        Guard { vm, before: interrupts.main.replace(Some(main.clone())) }
    }

    /// How many interrupts there were.
    pub fn count(&self) -> u32 {
        of(self.vm).interrupts.count.get()
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        of(self.vm).interrupts.main.set(self.before.take());
    }
}

/// An interrupt has come: whether it was dealt with by cancelling the main task. The evaluator asks before it raises.
pub fn deal_with(vm: &Vm) -> bool {
    let interrupts = &of(vm).interrupts;
    let Some(main) = interrupts.main.get() else { return false };
    interrupts.count.set(interrupts.count.get() + 1);
    if interrupts.count.get() > 1 || main.core().is_done() {
        return false;
    }
    matches!(main.cancel(vm, &Value::None), Ok(true))
}
