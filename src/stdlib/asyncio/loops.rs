//! Event loops as scripts see them: their methods. Handles are in `handles.rs`, finding and making loops in `policies.rs`.

use std::cell::Cell;

use super::tasks::{create_task_in, ensure_future, is_coroutine, is_coroutine_function};
use crate::native::{Row, define_methods};
use crate::rows;
use crate::sched::event_loop::call_exception_handler;
use crate::sched::future::AnyFuture;
use crate::sched::handle::{Call, CallHandle, Handle, TimerHandle};
use crate::sched::timers::Due;
use crate::sched::{self, Context, EventLoop, context, driver, outside, report};
use crate::stdlib::support::wrap_new;
use crate::value::{Dict, Module, R, Ref, Value};
use crate::vm::Vm;
use crate::vm::coroutine::NativeFrame;

pub fn load(vm: &Vm, module: &Ref<Module>) {
    install(vm);
    super::handles::install(vm);
    super::policies::load(vm, module);
}

/// Gives the classes of loops and handles their methods.
pub fn install(vm: &Vm) {
    let classes = &sched::of(vm).classes;
    let of_loop: &[Row] = &rows![
        static "__new__", "cls, *args, **kwargs" => loop_new(0);
        "__repr__", "" => loop_repr(0);
        "run_until_complete", "future" => run_until_complete(0 1);
        "run_forever", "" => run_forever(0);
        "stop", "" => stop(0);
        "close", "" => close(0);
        "is_running", "" => is_running(0);
        "is_closed", "" => is_closed(0);
        "time", "" => time(0);
        "call_soon", "callback, *args, context=None" => call_soon(0 1 2 3);
        "call_soon_threadsafe", "callback, *args, context=None" => call_soon_threadsafe(0 1 2 3);
        "call_later", "delay, callback, *args, context=None" => call_later(0 1 2 3 4);
        "call_at", "when, callback, *args, context=None" => call_at(0 1 2 3 4);
        "create_future", "" => create_future(0);
        "create_task", "coro, *, name=None, context=None" => create_task(0 1 2 3);
        "get_debug", "" => get_debug(0);
        get "slow_callback_duration" => slow_callback_duration(0), set set_slow_callback_duration(0 1);
        "set_debug", "enabled" => set_debug(0 1);
        "get_exception_handler", "" => get_exception_handler(0);
        "set_exception_handler", "handler" => set_exception_handler(0 1);
        "call_exception_handler", "context" => call_handler(0 1);
        "default_exception_handler", "context" => default_handler(0 1);
        "get_task_factory", "" => get_task_factory(0);
        "set_task_factory", "factory" => set_task_factory(0 1);
        async "shutdown_asyncgens", "" => shutdown_asyncgens(0);
    ];
    define_methods(vm, &classes.event_loop, of_loop);
    super::executors::install(vm);
}

fn loop_new(vm: &Vm, class: &Value) -> R {
    let event_loop = EventLoop::new(vm);
    let made = wrap_new(vm, class, Value::from(&event_loop))?;
    if !made.is(&Value::from(&event_loop)) {
        event_loop.outer.set(made.clone());
    }
    Ok(made)
}

fn loop_repr(vm: &Vm, event_loop: &Ref<EventLoop>) -> String {
    let word = |yes: bool| if yes { "True" } else { "False" };
    format!(
        "<{} running={} closed={} debug={}>",
        vm.class_of(&event_loop.value()).name().as_str(),
        word(event_loop.running.get()),
        word(event_loop.closed.get()),
        word(event_loop.debug.get())
    )
}

fn run_until_complete(vm: &Vm, event_loop: &Ref<EventLoop>, future: &Value) -> R {
    event_loop.check_open(vm)?;
    if event_loop.running.get() {
        return Err(vm.runtime_error("This event loop is already running"));
    }
    if sched::of(vm).running.with(Option::is_some) {
        return Err(vm.runtime_error("Cannot run the event loop while another loop is running"));
    }
    let is_new = AnyFuture::of(future).is_none();
    let future = ensure_future(vm, future, Some(event_loop))?;
    if is_new {
        future.core().set_internal();
    }
    driver::run_until_complete(vm, event_loop, &future)
}

fn run_forever(vm: &Vm, event_loop: &Ref<EventLoop>) -> R<()> {
    driver::run_forever(vm, event_loop)
}

fn stop(_vm: &Vm, event_loop: &Ref<EventLoop>) {
    event_loop.stop();
}

fn close(vm: &Vm, event_loop: &Ref<EventLoop>) -> R<()> {
    if event_loop.running.get() {
        return Err(vm.runtime_error("Cannot close a running event loop"));
    }
    event_loop.close();
    super::executors::close_default(vm, event_loop)
}

fn is_running(_vm: &Vm, event_loop: &Ref<EventLoop>) -> bool {
    event_loop.running.get()
}

fn is_closed(_vm: &Vm, event_loop: &Ref<EventLoop>) -> bool {
    event_loop.closed.get()
}

fn time(vm: &Vm, _event_loop: &Ref<EventLoop>) -> f64 {
    sched::now(vm)
}

fn call(vm: &Vm, callback: &Value, args: &Value, given: Option<&Ref<Context>>) -> Call {
    Call::new(callback.clone(), args.clone(), given.cloned().or_else(|| context::copy_current(vm)))
}

/// In debug mode the loop must be used by its own thread, and a callback must be one.
fn check(vm: &Vm, event_loop: &Ref<EventLoop>, callback: &Value, method: &str) -> R<()> {
    if event_loop.debug.get()
        && event_loop.running.get()
        && !sched::of(vm).running.get().is_some_and(|running| running.is(event_loop))
    {
        return Err(vm.runtime_error("Non-thread-safe operation invoked on an event loop other than the current one"));
    }
    check_callback(vm, event_loop, callback, method)
}

/// The loop must be open, and in debug mode a callback must be one.
pub fn check_callback(vm: &Vm, event_loop: &Ref<EventLoop>, callback: &Value, method: &str) -> R<()> {
    event_loop.check_open(vm)?;
    if !event_loop.debug.get() {
        return Ok(());
    }
    if is_coroutine(vm, callback)? || is_coroutine_function(vm, callback)? {
        return Err(vm.type_error(format!("coroutines cannot be used with {method}()")));
    }
    if !vm.is_callable(callback) {
        let shown = vm.repr(callback)?;
        return Err(vm.type_error(format!("a callable object was expected by {method}(), got {}", shown.as_str())));
    }
    Ok(())
}

fn call_soon(vm: &Vm, event_loop: &Ref<EventLoop>, callback: &Value, args: &Value, given: Option<&Ref<Context>>) -> R {
    check(vm, event_loop, callback, "call_soon")?;
    schedule(vm, event_loop, callback, args, given)
}

fn schedule(vm: &Vm, event_loop: &Ref<EventLoop>, callback: &Value, args: &Value, given: Option<&Ref<Context>>) -> R {
    let handle = vm.heap.alloc(CallHandle { call: call(vm, callback, args, given) });
    event_loop.push(vm, Handle::Call(handle.clone()))?;
    Ok(Value::from(handle))
}

fn call_soon_threadsafe(vm: &Vm, event_loop: &Ref<EventLoop>, callback: &Value, args: &Value, given: Option<&Ref<Context>>) -> R {
    check_callback(vm, event_loop, callback, "call_soon_threadsafe")?;
    let handle = schedule(vm, event_loop, callback, args, given)?;
    outside::ring(vm, event_loop);
    Ok(handle)
}

fn call_later(
    vm: &Vm,
    event_loop: &Ref<EventLoop>,
    delay: &Value,
    callback: &Value,
    args: &Value,
    given: Option<&Ref<Context>>,
) -> R {
    if delay.is_none() {
        return Err(vm.type_error("delay must not be None"));
    }
    let when = sched::now(vm) + number(vm, delay)?;
    check(vm, event_loop, callback, "call_at")?;
    let handle = timer(vm, event_loop, when, callback, args, given);
    event_loop.add_timer(vm, when, Due::Call(handle.clone()))?;
    Ok(Value::from(handle))
}

fn call_at(
    vm: &Vm,
    event_loop: &Ref<EventLoop>,
    when: &Value,
    callback: &Value,
    args: &Value,
    given: Option<&Ref<Context>>,
) -> R {
    if when.is_none() {
        return Err(vm.type_error("when cannot be None"));
    }
    let when = number(vm, when)?;
    check(vm, event_loop, callback, "call_at")?;
    let handle = timer(vm, event_loop, when, callback, args, given);
    event_loop.add_timer_at(vm, when, Due::Call(handle.clone()))?;
    Ok(Value::from(handle))
}

/// A number of seconds, added to a time as `+` would.
pub fn number(vm: &Vm, value: &Value) -> R<f64> {
    match value {
        Value::Float(bits) => Ok(f64::from_bits(*bits)),
        Value::Int(i) => Ok(*i as f64),
        value => {
            let sum = vm.binary(crate::syntax::ast::Operator::Add, &Value::float(0.0), value)?;
            vm.to_f64(&sum)
        }
    }
}

fn timer(
    vm: &Vm,
    event_loop: &Ref<EventLoop>,
    when: f64,
    callback: &Value,
    args: &Value,
    given: Option<&Ref<Context>>,
) -> Ref<TimerHandle> {
    vm.heap.alloc(TimerHandle {
        call: call(vm, callback, args, given),
        when,
        event_loop: event_loop.clone(),
        scheduled: Cell::new(true),
    })
}

fn create_future(vm: &Vm, event_loop: &Ref<EventLoop>) -> Value {
    Value::from(event_loop.create_future(vm))
}

fn create_task(vm: &Vm, event_loop: &Ref<EventLoop>, coro: &Value, name: Option<Value>, context: Option<&Ref<Context>>) -> R {
    create_task_in(vm, event_loop, coro, name, context)
}

fn get_debug(_vm: &Vm, event_loop: &Ref<EventLoop>) -> bool {
    event_loop.debug.get()
}

fn set_debug(_vm: &Vm, event_loop: &Ref<EventLoop>, enabled: bool) {
    event_loop.debug.set(enabled);
}

fn slow_callback_duration(_vm: &Vm, event_loop: &Ref<EventLoop>) -> Value {
    event_loop.slow_callback_duration.get()
}

fn set_slow_callback_duration(_vm: &Vm, event_loop: &Ref<EventLoop>, seconds: &Value) -> R<()> {
    event_loop.slow_callback_duration.set(seconds.clone());
    Ok(())
}

fn get_exception_handler(_vm: &Vm, event_loop: &Ref<EventLoop>) -> Value {
    event_loop.exception_handler.get()
}

fn set_exception_handler(vm: &Vm, event_loop: &Ref<EventLoop>, handler: &Value) -> R<()> {
    if !handler.is_none() && !vm.is_callable(handler) {
        let shown = vm.repr(handler)?;
        return Err(vm.type_error(format!("A callable object or None is expected, got {}", shown.as_str())));
    }
    event_loop.exception_handler.set(handler.clone());
    Ok(())
}

fn call_handler(vm: &Vm, event_loop: &Ref<EventLoop>, facts: &Ref<Dict>) -> R<()> {
    let known: Vec<(Value, Value)> = facts.to_vec();
    let facts = known.iter().filter_map(|(key, value)| Some((key.as_str()?, value.clone()))).collect();
    call_exception_handler(vm, event_loop, facts)
}

fn default_handler(vm: &Vm, _event_loop: &Ref<EventLoop>, facts: &Ref<Dict>) -> R<()> {
    report::default_exception_handler(vm, facts)
}

fn get_task_factory(_vm: &Vm, event_loop: &Ref<EventLoop>) -> Value {
    event_loop.task_factory.get()
}

fn set_task_factory(vm: &Vm, event_loop: &Ref<EventLoop>, factory: &Value) -> R<()> {
    if !factory.is_none() && !vm.is_callable(factory) {
        return Err(vm.type_error("task factory must be a callable or None"));
    }
    event_loop.task_factory.set(factory.clone());
    Ok(())
}

fn shutdown_asyncgens(_vm: &Vm, event_loop: &Ref<EventLoop>) -> R<impl NativeFrame + use<>> {
    Ok(super::runners::close_generators(event_loop))
}
