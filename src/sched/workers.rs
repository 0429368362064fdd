//! OS threads that run script code. Each waits for the baton before it touches the interpreter, and ends before the interpreter does.
//!
//! This file holds the one `unsafe` promise of threading: that a pointer to the virtual machine may travel to another thread.

use std::sync::Arc;

use super::baton::{Baton, ThreadId};
use super::of;
use super::threads::ThreadState;
use crate::value::{R, Value};
use crate::vm::Vm;

/// The virtual machine, on its way to another thread.
struct Carried(*const Vm);

// SAFETY: the pointer is only followed by the thread that holds the baton (`Baton::take` is a lock, so what earlier holders did happens
// before), and the machine outlives the thread: it stays at its address, and `shutdown`, which runs before it is dropped, waits until
// every thread has left `run`. What is reached through it is thereby used by one thread at a time.
unsafe impl Send for Carried {}

/// What a thread does once it has the interpreter.
pub type Body = fn(&Vm, &Value);

/// Starts a thread that calls `body(argument)`; its number. The caller goes on when the thread blocks, ends, or has had its slice, as is usual
/// in CPython.
pub fn start(vm: &Vm, name: &str, body: Body, argument: &Value) -> R<ThreadId> {
    let threads = &of(vm).threads;
    let thread = threads.next();
    threads.starting.borrow_mut().insert(thread, argument.clone());
    threads.baton.enlist();
    let carried = Carried(vm);
    let baton = threads.baton.clone();
    let is_virtual = of(vm).clock.is_virtual();
    let work = Box::new(move || run(carried, thread, body, &baton, is_virtual));
    if let Err(error) = vm.host.spawn(name, work) {
        threads.baton.discharge(false, is_virtual);
        let argument = threads.starting.borrow_mut().remove(&thread);
        drop(argument);
        return match error.kind() {
            std::io::ErrorKind::PermissionDenied => Err(vm.io_error(error, None)),
            _ => Err(vm.runtime_error("can't start new thread")),
        };
    }
    let baton = threads.baton.clone();
    super::threads::release(vm, || baton.wait_for_start(thread));
    Ok(thread)
}

fn run(carried: Carried, thread: ThreadId, body: Body, baton: &Arc<Baton>, is_virtual: bool) {
    let jump = baton.take_first(thread);
    // SAFETY: this thread holds the baton; see `Carried`.
    let vm = unsafe { &*carried.0 };
    super::threads::arrived(vm, jump);
    ThreadState::fresh(thread).put(vm);
    vm.measure_stack();
    let argument = of(vm).threads.starting.borrow_mut().remove(&thread);
    if let Some(argument) = argument
        && !baton.is_closing()
    {
        body(vm, &argument);
    }
    // What the thread leaves in the machine goes while it still holds the baton.
    drop(ThreadState::take(vm));
    baton.discharge(true, is_virtual);
}

/// Ends all threads, before the interpreter is dropped: those that run are stopped at their next step, those that wait are woken.
pub fn shutdown(vm: &Vm) {
    let Some(known) = vm.scheduler.get() else { return };
    let Some(sched) = known.downcast_ref::<super::Sched>() else { return };
    let baton = &sched.threads.baton;
    if baton.threads() > 1 {
        baton.close();
        vm.stop_flag().store(true, std::sync::atomic::Ordering::Relaxed);
        super::threads::release(vm, || baton.wait_until_alone());
    }
}
