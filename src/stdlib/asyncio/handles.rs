//! The handles that `call_soon` and `call_later` give, as scripts see them.

use std::cell::Cell;

use crate::native::define_methods;
use crate::rows;
use crate::sched::handle::{Call, CallHandle, Handle, TimerHandle};
use crate::sched::timers::Due;
use crate::sched::{self, Context, EventLoop, context, report};
use crate::stdlib::support::wrap_new;
use crate::value::{R, Ref, Value};
use crate::vm::Vm;

/// Gives the classes of handles their methods.
pub fn install(vm: &Vm) {
    let classes = &sched::of(vm).classes;
    define_methods(
        vm,
        &classes.handle,
        &rows![
            static "__new__", "cls, callback, args, loop, context=None" => handle_new(0 1 2 3 4);
            "_run", "" => handle_run(0);
            get "_callback" => handle_callback(0);
            get "_args" => handle_args(0);
            get "_cancelled" => handle_cancelled(0);
            "cancel", "" => handle_cancel(0);
            "cancelled", "" => handle_cancelled(0);
            "get_context", "" => handle_context(0);
            "__repr__", "" => handle_repr(0);
        ],
    );
    define_methods(
        vm,
        &classes.timer_handle,
        &rows![
            static "__new__", "cls, when, callback, args, loop, context=None" => timer_new(0 1 2 3 4 5);
            get "_when" => timer_when(0);
            get "_scheduled" => timer_scheduled(0);
            "__eq__", "other, /" => timer_eq(0 1);
            "__hash__", "" => timer_hash(0);
            "when", "" => timer_when(0);
            "__lt__", "other, /" => timer_lt(0 1);
            "__le__", "other, /" => timer_le(0 1);
            "__gt__", "other, /" => timer_gt(0 1);
            "__ge__", "other, /" => timer_ge(0 1);
        ],
    );
}

fn handle_new(vm: &Vm, class: &Value, callback: &Value, args: &Value, _event_loop: &Value, context: Option<&Ref<Context>>) -> R {
    let made = vm.heap.alloc(CallHandle { call: call(vm, callback, args, context)? });
    wrap_new(vm, class, Value::from(made))
}

fn timer_new(
    vm: &Vm,
    class: &Value,
    when: f64,
    callback: &Value,
    args: &Value,
    event_loop: &Ref<EventLoop>,
    context: Option<&Ref<Context>>,
) -> R {
    let made = vm.heap.alloc(TimerHandle {
        call: call(vm, callback, args, context)?,
        when,
        event_loop: event_loop.clone(),
        scheduled: Cell::new(false),
    });
    wrap_new(vm, class, Value::from(made))
}

/// The call of a handle that a script makes itself.
fn call(vm: &Vm, callback: &Value, args: &Value, given: Option<&Ref<Context>>) -> R<Call> {
    let args = if args.as_tuple().is_some() { args.clone() } else { Value::from(vm.heap.tuple(vm.collect(args)?)) };
    let context = given.cloned().or_else(|| context::copy_current(vm));
    Ok(Call::new(callback.clone(), args, context))
}

fn handle_run(vm: &Vm, handle: &Value) -> R<()> {
    if let Some(handle) = handle.payload::<CallHandle>() {
        Handle::Call(handle.clone()).run(vm)
    } else if let Some(handle) = handle.payload::<TimerHandle>() {
        Handle::Timer(Due::Call(handle.clone())).run(vm)
    } else {
        Ok(())
    }
}

fn handle_callback(vm: &Vm, handle: &Value) -> R {
    with_call(vm, handle, |call| call.function.get())
}

fn handle_args(vm: &Vm, handle: &Value) -> R {
    with_call(vm, handle, |call| call.args.get())
}

/// The call behind a handle of either kind.
fn with_call<T>(vm: &Vm, value: &Value, read: impl FnOnce(&Call) -> T) -> R<T> {
    if let Some(handle) = value.payload::<CallHandle>() {
        Ok(read(&handle.call))
    } else if let Some(handle) = value.payload::<TimerHandle>() {
        Ok(read(&handle.call))
    } else {
        Err(vm.type_error("expected a handle"))
    }
}

fn handle_cancel(vm: &Vm, handle: &Value) -> R<()> {
    if with_call(vm, handle, Call::cancel)?
        && let Some(timer) = handle.payload::<TimerHandle>()
        && timer.scheduled.get()
    {
        timer.event_loop.note_cancelled_timer();
    }
    Ok(())
}

fn handle_cancelled(vm: &Vm, handle: &Value) -> R<bool> {
    with_call(vm, handle, Call::is_cancelled)
}

fn handle_context(vm: &Vm, handle: &Value) -> R<Ref<Context>> {
    let known = with_call(vm, handle, |call| call.context.get())?;
    Ok(known.unwrap_or_else(|| context::empty(vm)))
}

fn handle_repr(vm: &Vm, handle: &Value) -> R<String> {
    let class = vm.class_of(handle).name();
    let mut parts = vec![class.as_str().to_owned()];
    let (is_cancelled, function, args) =
        with_call(vm, handle, |call| (call.is_cancelled(), call.function.get(), call.args.get()))?;
    if is_cancelled {
        parts.push("cancelled".to_owned());
    }
    if let Some(timer) = handle.payload::<TimerHandle>() {
        parts.push(format!("when={}", vm.repr(&Value::float(timer.when))?.as_str()));
    }
    if !is_cancelled {
        parts.push(report::callback(vm, &function, args.as_tuple().unwrap_or_default())?);
    }
    Ok(format!("<{}>", parts.join(" ")))
}

fn timer_when(_vm: &Vm, timer: &Ref<TimerHandle>) -> f64 {
    timer.when
}

/// How two timers compare; `NotImplemented` with anything else.
fn compare_timers(timer: &Ref<TimerHandle>, other: &Value, holds: impl FnOnce(f64, f64) -> bool) -> Value {
    match other.payload::<TimerHandle>() {
        Some(other) => Value::bool(holds(timer.when, other.when)),
        None => Value::NotImplemented,
    }
}

fn timer_lt(_vm: &Vm, timer: &Ref<TimerHandle>, other: &Value) -> Value {
    compare_timers(timer, other, |a, b| a < b)
}

fn timer_le(_vm: &Vm, timer: &Ref<TimerHandle>, other: &Value) -> Value {
    compare_timers(timer, other, |a, b| a <= b)
}

fn timer_gt(_vm: &Vm, timer: &Ref<TimerHandle>, other: &Value) -> Value {
    compare_timers(timer, other, |a, b| a > b)
}

fn timer_ge(_vm: &Vm, timer: &Ref<TimerHandle>, other: &Value) -> Value {
    compare_timers(timer, other, |a, b| a >= b)
}

fn timer_scheduled(_vm: &Vm, timer: &Ref<TimerHandle>) -> bool {
    timer.scheduled.get()
}

fn timer_eq(vm: &Vm, timer: &Ref<TimerHandle>, other: &Value) -> R {
    let Some(other) = other.payload::<TimerHandle>() else { return Ok(Value::NotImplemented) };
    let equal = timer.when == other.when
        && timer.call.is_cancelled() == other.call.is_cancelled()
        && vm.eq(&timer.call.function.get(), &other.call.function.get())?
        && vm.eq(&timer.call.args.get(), &other.call.args.get())?;
    Ok(Value::bool(equal))
}

fn timer_hash(vm: &Vm, timer: &Ref<TimerHandle>) -> R<i64> {
    vm.hash(&Value::float(timer.when))
}
