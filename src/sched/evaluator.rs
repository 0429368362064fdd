//! What the scheduler asks the evaluator about suspended coroutines, signals and limits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use crate::value::{Exception, Ref, Value};
use crate::vm::Vm;
use crate::vm::coroutine::Coroutine;
use crate::vm::frame::Activation;
use crate::vm::traceback::{self, Traceback};

/// Where a coroutine stands, as `file:line`.
pub(super) fn place(vm: &Vm, coroutine: &Ref<Coroutine>) -> Option<String> {
    vm.line_of(&coroutine.inner).map(|(info, line)| format!("{}:{line}", info.source.name()))
}

/// The innermost function of a coroutine's stack that is a script's, and where it stands: `f() at file:line`.
pub(super) fn innermost(coroutine: &Ref<Coroutine>) -> Option<String> {
    coroutine.inner.with_stack(|stack| {
        stack.frames().iter().rev().find_map(|activation| match activation {
            Activation::Script(frame) => {
                let name = frame.code.qualname.as_str();
                Some(format!("{name}() at {}:{}", frame.code.info.source.name(), frame.line()))
            }
            Activation::Native { .. } | Activation::Joined(_) => None,
        })
    })
}

/// Where the coroutine that ended with an exception is defined, as `file:line`.
pub(super) fn definition(exception: &Value) -> Option<String> {
    let traceback = exception.downcast::<Exception>()?.traceback.get();
    let info = &traceback.downcast::<Traceback>()?.info;
    Some(format!("{}:{}", info.source.name(), info.first_line))
}

/// The native coroutine function in which a coroutine waits.
pub(super) fn awaited_native(coroutine: &Ref<Coroutine>) -> Option<String> {
    coroutine.inner.with_stack(|stack| match stack.frames().last() {
        Some(Activation::Native { frame, .. }) => Some(frame.name().to_owned()),
        _ => None,
    })
}

/// The text of an exception with its traceback.
pub(super) fn format_exception(vm: &Vm, exception: &Value) -> String {
    traceback::format_exception(vm, exception)
}

/// What a thread that waits must look at now and then.
pub(super) struct Flags {
    pub interrupt: Arc<AtomicBool>,
    pub stop: Arc<AtomicBool>,
    pub deadline: Option<Instant>,
}

/// Whether the script is asked to stop, or interrupted.
pub(super) fn is_asked(vm: &Vm) -> bool {
    vm.stop_flag().load(Ordering::SeqCst) || vm.interrupt_flag().load(Ordering::SeqCst)
}

pub(super) fn flags(vm: &Vm) -> Flags {
    Flags { interrupt: vm.interrupt_flag(), stop: vm.stop_flag(), deadline: vm.deadline() }
}
