//! What is to be done when a program ends, registered by the modules that have something to do then.

use std::cell::RefCell;

use super::Vm;
use crate::value::{R, Raised, Value};

/// When a hook runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// First: wait for the threads that the program has started.
    Threads,
    /// Then: the functions that scripts have registered.
    Functions,
}

#[derive(Default)]
struct Hooks(RefCell<Vec<(Stage, fn(&Vm) -> R<()>)>>);

impl Vm {
    /// Has `hook` run when the program ends; once per program and module, however often this is called.
    pub fn on_exit(&self, stage: Stage, hook: fn(&Vm) -> R<()>) {
        let hooks = self.extension(Hooks::default);
        let mut hooks = hooks.0.borrow_mut();
        if !hooks.iter().any(|known| known.0 == stage && std::ptr::fn_addr_eq(known.1, hook)) {
            hooks.push((stage, hook));
        }
    }

    /// Runs the hooks of a stage. Their errors are reported on standard error.
    pub fn run_exit_hooks(&self, stage: Stage) {
        let Some(hooks) = self.find_extension::<Hooks>() else { return };
        let due: Vec<_> = hooks.0.borrow().iter().filter(|known| known.0 == stage).map(|known| known.1).collect();
        for hook in due {
            if let Err(Raised) = hook(self) {
                self.unraisable("Exception ignored in", &Value::None);
            }
        }
    }
}
