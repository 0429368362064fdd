//! Event loops as scripts see them: their methods, handles, and the functions that find, make and set loops.

use std::cell::Cell;

use super::support::add_functions;
use super::tasks::{create_task_in, ensure_future};
use crate::native::{Row, define_class, define_methods};
use crate::native_kind;
use crate::rows;
use crate::sched::event_loop::call_exception_handler;
use crate::sched::future::AnyFuture;
use crate::sched::handle::{Call, CallHandle, Handle, TimerHandle};
use crate::sched::timers::Due;
use crate::sched::{self, Context, EventLoop, context, driver, outside, report};
use crate::stdlib::support::{add_class, wrap_new};
use crate::value::{Dict, Module, Payload, R, Ref, Shared, Value};
use crate::vm::Vm;
use crate::vm::coroutine::NativeFrame;

pub fn load(vm: &Vm, module: &Ref<Module>) {
    install(vm);
    add_functions(
        vm,
        module,
        &rows![
            "get_event_loop", "" => get_event_loop_row();
            "get_running_loop", "" => get_running_loop();
            "_get_running_loop", "" => find_running_loop();
            "new_event_loop", "" => new_event_loop();
            "set_event_loop", "loop, /" => set_event_loop(0);
            "get_event_loop_policy", "" => get_policy();
            "set_event_loop_policy", "policy, /" => set_policy(0);
        ],
    );
    let abstract_policy = define_class::<AbstractPolicy>(
        vm,
        "asyncio.events",
        "AbstractEventLoopPolicy",
        &rows![
            static "__new__", "cls, *args, **kwargs" => abstract_policy_new(0);
            "get_event_loop", "" => not_implemented(0);
            "set_event_loop", "loop" => not_implemented(0);
            "new_event_loop", "" => not_implemented(0);
            "get_child_watcher", "" => not_implemented(0);
            "set_child_watcher", "watcher" => not_implemented(0);
        ],
    );
    let policy = define_class::<Policy>(
        vm,
        "asyncio.unix_events",
        "_UnixDefaultEventLoopPolicy",
        &rows![
            static "__new__", "cls, *args, **kwargs" => policy_new(0);
            "get_event_loop", "" => policy_get(0);
            "set_event_loop", "loop" => policy_set(0 1);
            "new_event_loop", "" => policy_make(0);
        ],
    );
    add_class(vm, module, &abstract_policy);
    module.dict.set_str(&vm.intern("DefaultEventLoopPolicy"), Value::from(policy));
}

/// The payload of instances of `AbstractEventLoopPolicy` and what scripts derive from it.
struct AbstractPolicy;

impl Payload for AbstractPolicy {
    native_kind!();
    const CONTAINER: bool = false;
}

fn abstract_policy_new(vm: &Vm, class: &Value) -> R {
    wrap_new(vm, class, Value::from(vm.heap.alloc(AbstractPolicy)))
}

fn not_implemented(vm: &Vm, _policy: &Value) -> R {
    Err(vm.raise_with(&vm.types.not_implemented_error, vec![]))
}

/// The policy that is in force, once somebody has asked for it or set one.
#[derive(Default)]
struct Policies {
    current: Shared<Value>,
    /// It is one of a script's.
    is_foreign: Cell<bool>,
}

/// A policy of the script's, if one is in force.
fn foreign_policy(vm: &Vm) -> Option<Value> {
    let policies = vm.find_extension::<Policies>()?;
    policies.is_foreign.get().then(|| policies.current.get())
}

/// The payload of the default policy, which makes and keeps loops as the functions of the module do.
struct Policy;

impl Payload for Policy {
    native_kind!();
    const CONTAINER: bool = false;
}

fn get_policy(vm: &Vm) -> Value {
    let policies = vm.extension(Policies::default);
    if policies.current.with(|policy| policy.is_none() || policy.is_undef()) {
        policies.current.set(Value::from(vm.heap.alloc(Policy)));
    }
    policies.current.get()
}

fn set_policy(vm: &Vm, policy: &Value) -> R<()> {
    let is_policy = policy.payload::<Policy>().is_some() || policy.payload::<AbstractPolicy>().is_some();
    if !policy.is_none() && !is_policy {
        let class = vm.class_of(policy).name();
        return Err(
            vm.type_error(format!("policy must be an instance of AbstractEventLoopPolicy or None, not '{}'", class.as_str()))
        );
    }
    let policies = vm.extension(Policies::default);
    policies.is_foreign.set(!policy.is_none() && policy.downcast::<Policy>().is_none());
    policies.current.set(policy.clone());
    Ok(())
}

fn policy_new(vm: &Vm, class: &Value) -> R {
    wrap_new(vm, class, Value::from(vm.heap.alloc(Policy)))
}

fn policy_get(vm: &Vm, _policy: &Value) -> R {
    kept_loop(vm).map(|event_loop| event_loop.value())
}

fn policy_set(vm: &Vm, _policy: &Value, event_loop: &Value) -> R<()> {
    keep_loop(vm, event_loop)
}

fn policy_make(vm: &Vm, _policy: &Value) -> Ref<EventLoop> {
    EventLoop::new(vm)
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
    define_methods(
        vm,
        &classes.handle,
        &rows![
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
            "when", "" => timer_when(0);
            "__lt__", "other, /" => timer_lt(0 1);
            "__le__", "other, /" => timer_le(0 1);
            "__gt__", "other, /" => timer_gt(0 1);
            "__ge__", "other, /" => timer_ge(0 1);
        ],
    );
}

/// `asyncio.get_event_loop()`: the running loop, else the one that was set; in the main thread one is made if none ever was.
pub fn get_event_loop(vm: &Vm) -> R<Ref<EventLoop>> {
    let sched = sched::of(vm);
    if let Some(running) = sched.running.get() {
        return Ok(running);
    }
    if let Some(policy) = foreign_policy(vm) {
        return loop_of(vm, vm.call_method(&policy, &vm.intern("get_event_loop"), &[])?);
    }
    kept_loop(vm)
}

/// The loop that a script's policy gave.
fn loop_of(vm: &Vm, given: Value) -> R<Ref<EventLoop>> {
    match given.payload::<EventLoop>() {
        Some(event_loop) => Ok(event_loop.clone()),
        None => {
            let shown = vm.repr(&given)?;
            Err(vm.type_error(format!("the policy gave {}, which is no event loop", shown.as_str())))
        }
    }
}

/// What the default policy keeps.
fn kept_loop(vm: &Vm) -> R<Ref<EventLoop>> {
    let sched = sched::of(vm);
    let is_main = sched::threads::current(vm) == sched::baton::MAIN;
    if is_main {
        if let Some(current) = sched.current.get() {
            return Ok(current);
        }
        if !sched.current_set.get() {
            let made = EventLoop::new(vm);
            sched.current.set(Some(made.clone()));
            sched.current_set.set(true);
            return Ok(made);
        }
    }
    let thread = crate::stdlib::threading::current_name(vm)?;
    Err(vm.runtime_error(format!("There is no current event loop in thread {}.", vm.repr(&thread)?.as_str())))
}

fn get_event_loop_row(vm: &Vm) -> R {
    get_event_loop(vm).map(|event_loop| event_loop.value())
}

fn get_running_loop(vm: &Vm) -> R {
    sched::running_loop(vm).map(|running| running.value())
}

fn find_running_loop(vm: &Vm) -> Value {
    sched::of(vm).running.get().map_or(Value::None, |running| running.value())
}

fn new_event_loop(vm: &Vm) -> R {
    make_loop(vm).map(|event_loop| event_loop.value())
}

/// `asyncio.new_event_loop()`.
pub fn make_loop(vm: &Vm) -> R<Ref<EventLoop>> {
    match foreign_policy(vm) {
        Some(policy) => loop_of(vm, vm.call_method(&policy, &vm.intern("new_event_loop"), &[])?),
        None => Ok(EventLoop::new(vm)),
    }
}

/// `asyncio.set_event_loop(event_loop)`.
pub fn set_event_loop(vm: &Vm, event_loop: &Value) -> R<()> {
    match foreign_policy(vm) {
        Some(policy) => vm.call_method(&policy, &vm.intern("set_event_loop"), std::slice::from_ref(event_loop)).map(drop),
        None => keep_loop(vm, event_loop),
    }
}

/// What the default policy does then.
fn keep_loop(vm: &Vm, event_loop: &Value) -> R<()> {
    let sched = sched::of(vm);
    let event_loop = match event_loop.payload::<EventLoop>() {
        Some(given) => Some(given.clone()),
        None if event_loop.is_none() => None,
        None => {
            let class = vm.class_of(event_loop).name();
            return Err(vm.type_error(format!("loop must be an instance of AbstractEventLoop or None, not '{}'", class.as_str())));
        }
    };
    sched.current.set(event_loop);
    sched.current_set.set(true);
    Ok(())
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

fn call_soon(vm: &Vm, event_loop: &Ref<EventLoop>, callback: &Value, args: &Value, given: Option<&Ref<Context>>) -> R {
    event_loop.check_open(vm)?;
    let handle = vm.heap.alloc(CallHandle { call: call(vm, callback, args, given) });
    event_loop.push(vm, Handle::Call(handle.clone()))?;
    Ok(Value::from(handle))
}

fn call_soon_threadsafe(vm: &Vm, event_loop: &Ref<EventLoop>, callback: &Value, args: &Value, given: Option<&Ref<Context>>) -> R {
    let handle = call_soon(vm, event_loop, callback, args, given)?;
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
