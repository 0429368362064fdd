//! Async generators that nobody finishes: one that is dropped while suspended is closed by a task; the rest when the loop ends.

use super::event_loop::EventLoop;
use super::handle::Handle;
use super::{of, task};
use crate::value::{Kind, R, Raised, Ref, Value};
use crate::vm::Vm;
use crate::vm::coroutine::{AsyncGenerator, State};

/// An async generator is iterated for the first time.
pub(super) fn first_iteration(vm: &Vm, _generator: &Ref<AsyncGenerator>) -> R<()> {
    if let Some(running) = of(vm).running.get() {
        running.has_generators.set(true);
    }
    Ok(())
}

/// A suspended one is no longer reachable: the loop closes it, so that its `finally` blocks run.
pub(super) fn dropped(vm: &Vm, generator: &Value) {
    // Between runs it waits for the next run of the loop that is current.
    let Some(running) = of(vm).running.get().or_else(|| of(vm).current.get().filter(|current| !current.closed.get())) else {
        return;
    };
    if let Err(Raised) = running.push(vm, Handle::Close(generator.clone())) {
        drop(vm.take_raised());
    }
}

/// Starts the task that closes it.
pub(super) fn close(vm: &Vm, generator: &Value) -> R<()> {
    let event_loop = super::running_loop(vm)?;
    let closing = vm.call_method(generator, &vm.n.aclose, &[])?;
    let coroutine = task::coroutine_of(vm, closing);
    task::spawn(vm, &event_loop, &coroutine, None, None).map(drop)
}

/// Those that are suspended now.
pub fn unfinished(vm: &Vm, event_loop: &EventLoop) -> Vec<Value> {
    if !event_loop.has_generators.replace(false) {
        return Vec::new();
    }
    let all = vm.heap.objects(Kind::AsyncGenerator).into_iter().map(Value::Obj);
    let is_suspended = |value: &Value| {
        value.downcast::<AsyncGenerator>().is_some_and(|generator| generator.inner.state.get() == State::Suspended)
    };
    all.filter(is_suspended).collect()
}
