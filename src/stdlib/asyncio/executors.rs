//! Work on threads: the loop's executor.

use crate::sched::EventLoop;
use crate::value::{Module, R, Ref};
use crate::vm::Vm;
use crate::vm::coroutine::NativeFrame;

pub fn load(_vm: &Vm, _module: &Ref<Module>) {}

pub fn install(_vm: &Vm) {}

pub fn close_default(_vm: &Vm, _event_loop: &Ref<EventLoop>) -> R<()> {
    Ok(())
}

pub fn shutdown(_vm: &Vm, _event_loop: &Ref<EventLoop>) -> R<Option<Box<dyn NativeFrame>>> {
    Ok(None)
}
