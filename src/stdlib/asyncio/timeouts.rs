//! `asyncio.timeout` and `timeout_at`.

use super::support::{add_functions, is_cancellation, once};
use super::tasks::timeout_error_from;
use crate::native::define_class;
use crate::rows;
use crate::sched;
use crate::sched::timeout::{Stage, Timeout};
use crate::stdlib::support::{add_class, wrap_new};
use crate::value::{Module, R, Ref, Value};
use crate::vm::Vm;
use crate::vm::coroutine::NativeFrame;

pub fn load(vm: &Vm, module: &Ref<Module>) {
    let class = define_class::<Timeout>(
        vm,
        "asyncio.timeouts",
        "Timeout",
        &rows![
            static "__new__", "cls, when" => new(0 1);
            "__repr__", "" => repr(0);
            "when", "" => when(0);
            "reschedule", "when" => reschedule(0 1);
            "expired", "" => expired(0);
            async "__aenter__", "" => aenter(0);
            async "__aexit__", "exc_type, exc_val, exc_tb" => aexit(0 2);
        ],
    );
    add_class(vm, module, &class);
    add_functions(
        vm,
        module,
        &rows![
            "timeout", "delay" => after(0);
            "timeout_at", "when" => at(0);
        ],
    );
}

fn seconds(vm: &Vm, value: &Value) -> R<Option<f64>> {
    if value.is_none() { Ok(None) } else { super::loops::number(vm, value).map(Some) }
}

/// `asyncio.timeout(delay)`.
pub fn after(vm: &Vm, delay: &Value) -> R<Ref<Timeout>> {
    sched::running_loop(vm)?;
    let when = seconds(vm, delay)?.map(|delay| sched::now(vm) + delay);
    Ok(vm.heap.alloc(Timeout::new(when)))
}

fn at(vm: &Vm, when: &Value) -> R<Ref<Timeout>> {
    Ok(vm.heap.alloc(Timeout::new(seconds(vm, when)?)))
}

fn new(vm: &Vm, class: &Value, when: &Value) -> R {
    wrap_new(vm, class, Value::from(at(vm, when)?))
}

fn repr(vm: &Vm, timeout: &Ref<Timeout>) -> R<String> {
    let stage = timeout.stage.get();
    let info = match (stage, timeout.when.get()) {
        (Stage::Active, None) => " when=None".to_owned(),
        (Stage::Active, Some(when)) => {
            let rounded = format!("{when:.3}").parse().unwrap_or(when);
            format!(" when={}", vm.repr(&Value::float(rounded))?.as_str())
        }
        _ => String::new(),
    };
    Ok(format!("<Timeout [{}]{info}>", stage.name()))
}

fn when(_vm: &Vm, timeout: &Ref<Timeout>) -> Option<f64> {
    timeout.when.get()
}

fn reschedule(vm: &Vm, timeout: &Ref<Timeout>, when: &Value) -> R<()> {
    match timeout.stage.get() {
        Stage::Active => timeout.schedule(vm, seconds(vm, when)?),
        Stage::Created => Err(vm.runtime_error("Timeout has not been entered")),
        stage => Err(vm.runtime_error(format!("Cannot change state of {} Timeout", stage.name()))),
    }
}

fn expired(_vm: &Vm, timeout: &Ref<Timeout>) -> bool {
    matches!(timeout.stage.get(), Stage::Expiring | Stage::Expired)
}

fn aenter(_vm: &Vm, timeout: Value) -> R<impl NativeFrame + use<>> {
    once("__aenter__", [timeout], |vm, [value]| {
        if let Some(timeout) = value.payload::<Timeout>() {
            enter(vm, timeout)?;
        }
        Ok(value.clone())
    })
}

fn aexit(_vm: &Vm, timeout: Value, exception: Value) -> R<impl NativeFrame + use<>> {
    once("__aexit__", [timeout, exception], |vm, [timeout, exception]| {
        let Some(timeout) = timeout.payload::<Timeout>() else { return Ok(Value::None) };
        let is_cancellation = vm.is_instance(exception, &sched::of(vm).classes.cancelled_error);
        match finish(timeout, is_cancellation) {
            true => Err(timeout_error_from(vm, exception.clone())),
            false => Ok(Value::None),
        }
    })
}

/// Enters the block.
pub fn enter(vm: &Vm, timeout: &Ref<Timeout>) -> R<()> {
    if timeout.stage.get() != Stage::Created {
        return Err(vm.runtime_error("Timeout has already been entered"));
    }
    let running = sched::of(vm).running.get();
    let Some(task) = running.and_then(|running| running.current.get()) else {
        return Err(vm.runtime_error("Timeout should be used inside a task"));
    };
    timeout.stage.set(Stage::Active);
    timeout.cancelling.set(task.cancelling());
    timeout.task.set(Some(task));
    timeout.schedule(vm, timeout.when.get())
}

/// Leaves the block; whether a `CancelledError` that ends it is to become a `TimeoutError`.
fn finish(timeout: &Ref<Timeout>, is_cancellation: bool) -> bool {
    timeout.disarm();
    match timeout.stage.get() {
        Stage::Expiring => {
            timeout.stage.set(Stage::Expired);
            let left = timeout.task.get().map_or(0, |task| task.uncancel());
            left <= timeout.cancelling.get() && is_cancellation
        }
        Stage::Active => {
            timeout.stage.set(Stage::Finished);
            false
        }
        Stage::Created | Stage::Expired | Stage::Finished => false,
    }
}

/// Leaves the block with the outcome of what was inside.
pub fn leave(vm: &Vm, timeout: &Ref<Timeout>, outcome: R) -> R {
    match outcome {
        Ok(value) => {
            finish(timeout, false);
            Ok(value)
        }
        Err(raised) => {
            if finish(timeout, is_cancellation(vm)) {
                let cause = vm.take_raised();
                return Err(timeout_error_from(vm, cause));
            }
            Err(raised)
        }
    }
}
