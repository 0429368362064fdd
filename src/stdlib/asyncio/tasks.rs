//! Making tasks and waiting for them: `create_task`, `sleep`, `gather`, `wait`, `wait_for`, `shield`.

use super::futures::loop_or_current;
use super::support::{add_functions, is_cancellation};
use super::timeouts;
use crate::native::{Iterable, define_class};
use crate::native_kind;
use crate::rows;
use crate::sched::future::AnyFuture;
use crate::sched::timeout::Timeout;
use crate::sched::timers::Due;
use crate::sched::waiting::{self, ReturnWhen, Wait};
use crate::sched::{self, Context, EventLoop, Task, gather, shield, task};
use crate::syntax::ast::CmpOp;
use crate::value::{Exception, Kind, Module, Payload, R, Ref, Str, Value, Visitor};
use crate::vm::code::CodeKind;
use crate::vm::coroutine::{NativeFrame, Step};
use crate::vm::function::NativeCode;
use crate::vm::{Args, BoundMethod, Function, NativeFunction, Vm};

pub fn load(vm: &Vm, module: &Ref<Module>) {
    add_functions(
        vm,
        module,
        &rows![
            "create_task", "coro, *, name=None, context=None" => create_task(0 1 2);
            "ensure_future", "coro_or_future, *, loop=None" => ensure_future_row(0 1);
            async "sleep", "delay, result=None" => sleep(0 1);
            "gather", "*coros_or_futures, return_exceptions=False" => gather_row(0 1);
            async "wait", "fs, *, timeout=None, return_when='ALL_COMPLETED'" => wait(0 1 2);
            async "wait_for", "fut, timeout" => wait_for(0 1);
            "shield", "arg" => shield_row(0);
            "current_task", "loop=None" => current_task(0);
            "all_tasks", "loop=None" => all_tasks(0);
            "iscoroutine", "obj" => is_coroutine(0);
            "iscoroutinefunction", "func" => is_coroutine_function(0);
            "eager_task_factory", "loop, coro, *, name=None, context=None" => eager_task_factory(0 1 2 3);
            "create_eager_task_factory", "custom_task_constructor" => create_eager_task_factory(0);
        ],
    );
}

/// `asyncio.iscoroutine(value)`: a coroutine, or an object with all methods of one.
pub fn is_coroutine(vm: &Vm, value: &Value) -> R<bool> {
    match value.kind() {
        Kind::Coroutine => Ok(true),
        Kind::Instance | Kind::Native => {
            let class = vm.class_of(value);
            let has = |name: &Ref<Str>| !class.lookup(name).is_undef();
            Ok(has(&vm.n.__await__) && has(&vm.n.send) && has(&vm.n.throw) && has(&vm.n.close))
        }
        _ => Ok(false),
    }
}

/// `asyncio.iscoroutinefunction(value)`: an `async def`, a native function that is awaited, a method or `partial` of either, or what is
/// marked as one.
pub fn is_coroutine_function(vm: &Vm, value: &Value) -> R<bool> {
    let mut value = value.clone();
    loop {
        if let Some(method) = value.downcast::<BoundMethod>() {
            value = method.function.clone();
        } else if let Some(inner) = crate::stdlib::functools::function_of_partial(&value) {
            value = inner;
        } else {
            break;
        }
    }
    if value.downcast::<Function>().is_some_and(|function| function.code.kind == CodeKind::Coroutine) {
        return Ok(true);
    }
    if let Some(native) = value.downcast::<NativeFunction>() {
        return Ok(matches!(native.code, NativeCode::Async(_) | NativeCode::AsyncClosure(_)));
    }
    match vm.find_attr(&value, &vm.intern("_is_coroutine_mark"))? {
        Some(mark) => Ok(mark.is(&Value::TRUE)),
        None => Ok(false),
    }
}

/// `loop.create_task(coro)`: by the loop's factory if it has one.
pub fn create_task_in(
    vm: &Vm,
    event_loop: &Ref<EventLoop>,
    coro: &Value,
    name: Option<Value>,
    context: Option<&Ref<Context>>,
) -> R {
    event_loop.check_open(vm)?;
    let factory = event_loop.task_factory.get();
    if factory.is_none() {
        if !is_coroutine(vm, coro)? {
            return Err(vm.type_error(format!("a coroutine was expected, got {}", vm.repr(coro)?.as_str())));
        }
        let name = name.map(|name| vm.str(&name).map(Value::from)).transpose()?;
        return task::spawn(vm, event_loop, coro, context.cloned(), name).map(Value::from);
    }
    let keyword = context.map(|context| (vm.intern("context"), Value::from(context)));
    let positional = [event_loop.value(), coro.clone()];
    let made = vm.call_with(&factory, Args { positional: &positional, keywords: keyword.as_slice() })?;
    set_name(vm, &made, name)?;
    Ok(made)
}

fn set_name(vm: &Vm, task: &Value, name: Option<Value>) -> R<()> {
    if let Some(name) = name
        && let Some(set_name) = vm.find_attr(task, &vm.intern("set_name"))?
    {
        vm.call(&set_name, &[name])?;
    }
    Ok(())
}

/// As `create_task_in`, the name given afterwards: the task has taken a number by then, as in CPython.
pub fn create_named_task(
    vm: &Vm,
    event_loop: &Ref<EventLoop>,
    coro: &Value,
    name: Option<Value>,
    context: Option<&Ref<Context>>,
) -> R {
    let made = create_task_in(vm, event_loop, coro, None, context)?;
    set_name(vm, &made, name)?;
    Ok(made)
}

fn create_task(vm: &Vm, coro: &Value, name: Option<Value>, context: Option<&Ref<Context>>) -> R {
    let event_loop = sched::running_loop(vm)?;
    create_task_by(vm, &event_loop, coro, name, context)
}

/// `event_loop.create_task(...)`, by the method of a derived class if it has one.
pub fn create_task_by(
    vm: &Vm,
    event_loop: &Ref<EventLoop>,
    coro: &Value,
    name: Option<Value>,
    context: Option<&Ref<Context>>,
) -> R {
    let outer = event_loop.outer.get();
    if outer.is_undef() {
        return create_named_task(vm, event_loop, coro, name, context);
    }
    let context = context.map(|context| (vm.intern("context"), Value::from(context)));
    let method = vm.get_attr(&outer, &vm.intern("create_task"))?;
    let made = vm.call_with(&method, Args { positional: std::slice::from_ref(coro), keywords: context.as_slice() })?;
    set_name(vm, &made, name)?;
    Ok(made)
}

fn eager_task_factory(
    vm: &Vm,
    event_loop: &Ref<EventLoop>,
    coro: &Value,
    name: Option<Value>,
    context: Option<&Ref<Context>>,
) -> R<Ref<Task>> {
    if !is_coroutine(vm, coro)? {
        return Err(vm.type_error(format!("a coroutine was expected, got {}", vm.repr(coro)?.as_str())));
    }
    if event_loop.running.get() {
        task::spawn_eagerly(vm, event_loop, coro, context.cloned(), name)
    } else {
        task::spawn(vm, event_loop, coro, context.cloned(), name)
    }
}

/// The payload of a task factory that has a constructor of tasks begin at once.
struct EagerFactory(Value);

impl Payload for EagerFactory {
    native_kind!();
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.value(&self.0);
    }
}

fn create_eager_task_factory(vm: &Vm, constructor: Value) -> Value {
    define_class::<EagerFactory>(
        vm,
        "builtins",
        "function",
        &rows![
            "__call__", "loop, coro, *, name=None, context=None" => eager_factory_call(0 1 2 3 4);
            "__repr__", "" => eager_factory_repr(0);
        ],
    );
    Value::from(vm.heap.alloc(EagerFactory(constructor)))
}

fn eager_factory_call(
    vm: &Vm,
    factory: &Ref<EagerFactory>,
    event_loop: &Value,
    coro: &Value,
    name: &Value,
    context: &Value,
) -> R {
    let given = |value: &Value| if value.is_undef() { Value::None } else { value.clone() };
    let keywords = [
        (vm.intern("loop"), event_loop.clone()),
        (vm.intern("name"), given(name)),
        (vm.intern("context"), given(context)),
        (vm.intern("eager_start"), Value::TRUE),
    ];
    vm.call_with(&factory.0, Args { positional: std::slice::from_ref(coro), keywords: &keywords })
}

fn eager_factory_repr(_vm: &Vm, factory: &Ref<EagerFactory>) -> String {
    format!("<function create_eager_task_factory.<locals>.factory at {:#x}>", factory.address())
}

/// A future of whatever can be awaited: itself, or a task for it.
pub fn ensure_future(vm: &Vm, value: &Value, event_loop: Option<&Ref<EventLoop>>) -> R<AnyFuture> {
    if let Some(future) = AnyFuture::of(value) {
        if event_loop.is_some_and(|event_loop| !future.core().event_loop.is(event_loop)) {
            return Err(vm.value_error("The future belongs to a different loop than the one specified as the loop argument"));
        }
        return Ok(future);
    }
    let coroutine = if is_coroutine(vm, value)? {
        value.clone()
    } else if !vm.class_of(value).lookup(&vm.n.__await__).is_undef() {
        task::coroutine_of(vm, value.clone())
    } else {
        return Err(vm.type_error("An asyncio.Future, a coroutine or an awaitable is required"));
    };
    let event_loop = loop_or_current(vm, event_loop)?;
    let task = match create_task_by(vm, &event_loop, &coroutine, None, None) {
        Ok(task) => task,
        Err(raised) if vm.raised_is(&vm.types.runtime_error) && coroutine.is(value) => {
            // Nobody will await it now.
            let error = vm.take_raised();
            vm.call_method(value, &vm.n.close, &[])?;
            let _ = vm.raise(error);
            return Err(raised);
        }
        Err(raised) => return Err(raised),
    };
    match AnyFuture::of(&task) {
        Some(future) => Ok(future),
        None => Err(vm.type_error(format!("the task factory returned {}, which is no task", vm.repr(&task)?.as_str()))),
    }
}

fn ensure_future_row(vm: &Vm, value: &Value, event_loop: Option<&Ref<EventLoop>>) -> R<Value> {
    ensure_future(vm, value, event_loop).map(Value::from)
}

/// `asyncio.sleep`.
enum Sleep {
    Start {
        delay: Value,
        result: Value,
    },
    /// A delay of zero only lets others run.
    Yielded {
        result: Value,
    },
    Waiting {
        result: Value,
    },
    Over,
}

fn sleep(_vm: &Vm, delay: Value, result: Value) -> R<impl NativeFrame + use<>> {
    let result = if result.is_undef() { Value::None } else { result };
    Ok(Sleep::Start { delay, result })
}

impl NativeFrame for Sleep {
    fn name(&self) -> &'static str {
        "sleep"
    }

    #[inline]
    fn resume(&mut self, vm: &Vm, sent: R) -> R<Step> {
        match std::mem::replace(self, Sleep::Over) {
            Sleep::Start { delay, result } => {
                sent?;
                if at_most_zero(vm, &delay)? {
                    let plain = result.is_none();
                    *self = Sleep::Yielded { result };
                    return Ok(if plain { Step::TailYield(Value::None) } else { Step::Yield(Value::None) });
                }
                let event_loop = sched::running_loop(vm)?;
                let future = event_loop.create_future(vm);
                let when = sched::now(vm) + super::loops::number(vm, &delay)?;
                event_loop.add_timer(vm, when, Due::Wake(future.clone()))?;
                future.core.set_timed();
                if result.is_none() {
                    // The timer gives the future that very value, so nobody need come back here.
                    return Ok(Step::Tail(Value::from(future)));
                }
                *self = Sleep::Waiting { result };
                Ok(Step::Await(Value::from(future)))
            }
            Sleep::Yielded { result } => sent.map(|_| Step::Done(result)),
            Sleep::Waiting { result } => sent.map(|_| Step::Done(result)),
            Sleep::Over => sent.map(Step::Done),
        }
    }

    fn trace(&self, visitor: &mut Visitor<'_>) {
        match self {
            Sleep::Start { delay, result } => visitor.values([delay, result]),
            Sleep::Yielded { result } | Sleep::Waiting { result } => visitor.value(result),
            Sleep::Over => {}
        }
    }
}

/// `delay <= 0`.
fn at_most_zero(vm: &Vm, delay: &Value) -> R<bool> {
    match delay {
        Value::Int(i) => Ok(*i <= 0),
        Value::Float(bits) => Ok(f64::from_bits(*bits) <= 0.0),
        other => {
            let answer = vm.compare(CmpOp::LtE, other, &Value::Int(0))?;
            vm.truthy(&answer)
        }
    }
}

fn gather_row(vm: &Vm, awaitables: &Value, return_exceptions: Option<bool>) -> R {
    let return_exceptions = return_exceptions.unwrap_or(false);
    let awaitables = awaitables.as_tuple().unwrap_or_default();
    if awaitables.is_empty() {
        let event_loop = loop_or_current(vm, None)?;
        let future = event_loop.create_future(vm);
        AnyFuture::from(&future).set_result(vm, Value::from(vm.heap.list(vec![])))?;
        return Ok(Value::from(future));
    }
    let ensure = |value: &Value, event_loop: Option<&Ref<EventLoop>>| ensure_future(vm, value, event_loop);
    gather::gather(vm, awaitables, return_exceptions, ensure).map(Value::from)
}

fn shield_row(vm: &Vm, value: &Value) -> R {
    let inner = ensure_future(vm, value, None)?;
    if inner.core().is_done() {
        return Ok(Value::from(inner));
    }
    shield::shield(vm, &inner).map(Value::from)
}

/// `asyncio.wait`.
enum WaitFrame {
    Start { futures: Value, timeout: Value, when: Value },
    Waiting { futures: Vec<AnyFuture>, wait: Ref<Wait>, timed: bool },
    Over,
}

fn wait(_vm: &Vm, futures: Value, timeout: Option<Value>, when: Value) -> R<impl NativeFrame + use<>> {
    let timeout = timeout.unwrap_or(Value::None);
    Ok(WaitFrame::Start { futures, timeout, when })
}

/// The distinct futures of an iterable, in order.
fn distinct_futures(vm: &Vm, iterable: &Value) -> R<Vec<AnyFuture>> {
    let mut seen = std::collections::HashSet::new();
    let mut futures = Vec::new();
    let Iterable(items) = crate::native::FromValue::from_value(vm, iterable)?;
    for item in &items {
        if is_coroutine(vm, item)? {
            return Err(vm.type_error("Passing coroutines is forbidden, use tasks explicitly."));
        }
    }
    for item in items {
        let Some(future) = AnyFuture::of(&item) else {
            let class = vm.class_of(&item).name();
            return Err(vm.attribute_error(format!("'{}' object has no attribute 'add_done_callback'", class.as_str())));
        };
        if seen.insert(future.as_obj().address()) {
            futures.push(future);
        }
    }
    Ok(futures)
}

impl NativeFrame for WaitFrame {
    fn name(&self) -> &'static str {
        "wait"
    }

    fn resume(&mut self, vm: &Vm, sent: R) -> R<Step> {
        match std::mem::replace(self, WaitFrame::Over) {
            WaitFrame::Start { futures, timeout, when } => {
                sent?;
                if AnyFuture::of(&futures).is_some() || is_coroutine(vm, &futures)? {
                    let class = vm.class_of(&futures).name();
                    return Err(vm.type_error(format!("expect a list of futures, not {}", class.as_str())));
                }
                if !vm.truthy(&futures)? {
                    return Err(vm.value_error("Set of Tasks/Futures is empty."));
                }
                let when = match when.as_str() {
                    None if when.is_undef() => ReturnWhen::AllCompleted,
                    Some("FIRST_COMPLETED") => ReturnWhen::FirstCompleted,
                    Some("FIRST_EXCEPTION") => ReturnWhen::FirstException,
                    Some("ALL_COMPLETED") => ReturnWhen::AllCompleted,
                    _ => {
                        let shown = vm.str(&when)?;
                        return Err(vm.value_error(format!("Invalid return_when value: {}", shown.as_str())));
                    }
                };
                let futures = distinct_futures(vm, &futures)?;
                if futures.is_empty() {
                    return Err(vm.assertion_error("Set of Futures is empty."));
                }
                let event_loop = sched::running_loop(vm)?;
                let waiter = event_loop.create_future(vm);
                let timed = !timeout.is_none();
                if timed {
                    let at = sched::now(vm) + super::loops::number(vm, &timeout)?;
                    event_loop.add_timer(vm, at, Due::Wake(waiter.clone()))?;
                }
                let wait = waiting::wait(vm, waiter.clone(), &futures, when)?;
                *self = WaitFrame::Waiting { futures, wait, timed };
                Ok(Step::Await(Value::from(waiter)))
            }
            WaitFrame::Waiting { futures, wait, timed } => {
                if timed {
                    wait.waiter.core.event_loop.note_cancelled_timer();
                }
                waiting::unwait(&wait, &futures);
                sent?;
                let (done, pending) = (vm.heap.set(), vm.heap.set());
                for future in &futures {
                    let set = if future.core().is_done() { &done } else { &pending };
                    vm.set_add(set, future.value())?;
                }
                Ok(Step::Done(Value::from(vm.heap.tuple([Value::from(done), Value::from(pending)]))))
            }
            WaitFrame::Over => sent.map(Step::Done),
        }
    }

    fn trace(&self, visitor: &mut Visitor<'_>) {
        match self {
            WaitFrame::Start { futures, timeout, when } => visitor.values([futures, timeout, when]),
            WaitFrame::Waiting { futures, wait, .. } => {
                for future in futures {
                    visitor.object(future.as_obj());
                }
                visitor.reference(wait);
            }
            WaitFrame::Over => {}
        }
    }
}

/// `asyncio.wait_for`.
enum WaitFor {
    Start {
        awaitable: Value,
        timeout: Value,
    },
    Inside(Ref<Timeout>),
    /// Without time to wait, the task is cancelled at once, and its end awaited.
    Cancelling {
        future: AnyFuture,
        wait: Ref<Wait>,
    },
    Over,
}

fn wait_for(_vm: &Vm, awaitable: Value, timeout: Value) -> R<impl NativeFrame + use<>> {
    Ok(WaitFor::Start { awaitable, timeout })
}

impl NativeFrame for WaitFor {
    fn name(&self) -> &'static str {
        "wait_for"
    }

    fn resume(&mut self, vm: &Vm, sent: R) -> R<Step> {
        match std::mem::replace(self, WaitFor::Over) {
            WaitFor::Start { awaitable, timeout } => {
                sent?;
                if !timeout.is_none() && at_most_zero(vm, &timeout)? {
                    let future = ensure_future(vm, &awaitable, None)?;
                    if future.core().is_done() {
                        return future.result(vm).map(Step::Done);
                    }
                    let waiter = sched::running_loop(vm)?.create_future(vm);
                    let wait = waiting::wait(vm, waiter.clone(), std::slice::from_ref(&future), ReturnWhen::AllCompleted)?;
                    future.cancel(vm, &Value::None)?;
                    *self = WaitFor::Cancelling { future, wait };
                    return Ok(Step::Await(Value::from(waiter)));
                }
                let timeout = timeouts::after(vm, &timeout)?;
                timeouts::enter(vm, &timeout)?;
                *self = WaitFor::Inside(timeout);
                Ok(Step::Await(awaitable))
            }
            WaitFor::Inside(timeout) => timeouts::leave(vm, &timeout, sent).map(Step::Done),
            WaitFor::Cancelling { future, wait } => {
                waiting::unwait(&wait, std::slice::from_ref(&future));
                sent?;
                match future.result(vm) {
                    Err(_) if is_cancellation(vm) => {
                        let cause = vm.take_raised();
                        Err(timeout_error_from(vm, cause))
                    }
                    outcome => outcome.map(Step::Done),
                }
            }
            WaitFor::Over => sent.map(Step::Done),
        }
    }

    fn trace(&self, visitor: &mut Visitor<'_>) {
        match self {
            WaitFor::Start { awaitable, timeout } => visitor.values([awaitable, timeout]),
            WaitFor::Inside(timeout) => visitor.reference(timeout),
            WaitFor::Cancelling { future, wait } => {
                visitor.object(future.as_obj());
                visitor.reference(wait);
            }
            WaitFor::Over => {}
        }
    }
}

/// `raise TimeoutError from cause`.
pub fn timeout_error_from(vm: &Vm, cause: Value) -> crate::value::Raised {
    let error = vm.exception(&vm.types.timeout_error, vec![]);
    if let Some(inner) = error.downcast::<Exception>() {
        inner.context.set(cause.clone());
        inner.cause.set(cause);
        inner.suppress_context.set(true);
    }
    vm.raise(error)
}

fn current_task(vm: &Vm, event_loop: Option<&Ref<EventLoop>>) -> R {
    let event_loop = match event_loop {
        Some(given) => given.clone(),
        None => sched::running_loop(vm)?,
    };
    Ok(event_loop.current.get().map_or(Value::None, |task| AnyFuture::from(&task).value()))
}

fn all_tasks(vm: &Vm, event_loop: Option<&Ref<EventLoop>>) -> R {
    let event_loop = match event_loop {
        Some(given) => given.clone(),
        None => sched::running_loop(vm)?,
    };
    let set = vm.heap.set();
    for task in event_loop.tasks(vm) {
        vm.set_add(&set, AnyFuture::from(&task).value())?;
    }
    Ok(Value::from(set))
}
