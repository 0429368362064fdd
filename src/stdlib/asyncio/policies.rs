//! The functions that find, make and set event loops, and the policies that stand behind them: the default one, which keeps a loop for
//! the main thread, or one of the script's.

use std::cell::Cell;

use super::support::add_functions;
use crate::native::{define_class, define_methods};
use crate::native_kind;
use crate::rows;
use crate::sched::{self, EventLoop, payload_class};
use crate::stdlib::support::{add_class, wrap_new};
use crate::value::{Module, Payload, R, Ref, Shared, Value};
use crate::vm::Vm;

pub fn load(vm: &Vm, module: &Ref<Module>) {
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
    let policy = payload_class::<Policy>(vm, "asyncio.unix_events", "_UnixDefaultEventLoopPolicy", &abstract_policy);
    define_methods(
        vm,
        &policy,
        &rows![
            static "__new__", "cls, *args, **kwargs" => policy_new(0);
            "get_event_loop", "" => policy_get(0);
            "set_event_loop", "loop" => policy_set(0 1);
            "new_event_loop", "" => policy_make(0);
        ],
    );
    add_class(vm, module, &abstract_policy);
    module.dict.set_str(&vm.intern("DefaultEventLoopPolicy"), Value::from(&policy));
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
