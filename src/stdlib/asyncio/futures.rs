//! `Future` and `Task` as classes: their methods, and awaiting them by hand.

use std::cell::Cell;

use super::support::{add_functions, itself};
use super::tasks::is_coroutine;
use crate::native::{Row, define_class, define_methods};
use crate::native_kind;
use crate::rows;
use crate::sched::future::{AnyFuture, DoneCallback, Future, FutureCore, Reaction, State};
use crate::sched::report::future_repr;
use crate::sched::{self, Context, EventLoop, Task, context, task};
use crate::stdlib::support::{add, wrap_new};
use crate::value::{Class, Dict, Exception, Module, Payload, R, Ref, Value, Visitor};
use crate::vm::Vm;
use crate::vm::coroutine::Coroutine;
use crate::vm::frame_object::FrameObject;
use crate::vm::traceback::entries;

pub fn load(vm: &Vm, module: &Ref<Module>) {
    install(vm);
    add_functions(vm, module, &rows!["isfuture", "obj, /" => isfuture(0);]);
    add(vm, module, "FIRST_COMPLETED", vm.str_value("FIRST_COMPLETED"));
    add(vm, module, "FIRST_EXCEPTION", vm.str_value("FIRST_EXCEPTION"));
    add(vm, module, "ALL_COMPLETED", vm.str_value("ALL_COMPLETED"));
}

/// Gives the classes of futures and tasks their methods.
fn install(vm: &Vm) {
    let classes = &sched::of(vm).classes;
    let of_future: &[Row] = &rows![
        static "__new__", "cls, *args, **kwargs" => future_new(0 1 2);
        "__init__", "*args, **kwargs" => init(0 1 2);
        "__repr__", "" => future_repr_row(0);
        "__await__", "" => future_await(0);
        "__iter__", "" => future_await(0);
        "result", "" => result(0);
        "exception", "" => exception(0);
        "set_result", "result, /" => set_result(0 1);
        "set_exception", "exception, /" => set_exception(0 1);
        "cancel", "msg=None" => cancel(0 1);
        "cancelled", "" => cancelled(0);
        "done", "" => done(0);
        "add_done_callback", "fn, /, *, context=None" => add_done_callback(0 1 2);
        "remove_done_callback", "fn, /" => remove_done_callback(0 1);
        "get_loop", "" => get_loop(0);
        class "__class_getitem__", "item, /" => class_getitem(0 1);
        get "_state" => state_word(0);
        get "_loop" => get_loop(0);
        get "_callbacks" => callbacks(0);
        get "_result" => peek_result(0);
        get "_exception" => peek_exception(0);
        get "_source_traceback" => nothing(0);
        get "_cancel_message" => cancel_message(0), set set_cancel_message(0 1);
        get "_log_traceback" => log_traceback(0), set set_log_traceback(0 1);
        get "_asyncio_future_blocking" => is_blocking(0), set set_blocking(0 1);
    ];
    define_methods(vm, &classes.future, of_future);
    define_methods(
        vm,
        &classes.task,
        &rows![
            static "__new__", "cls, *args, **kwargs" => task_new(0 1 2);
            "__init__", "*args, **kwargs" => task_init(0 1 2);
            "set_result", "result, /" => task_set_result(0 1);
            "set_exception", "exception, /" => task_set_exception(0 1);
            "cancelling", "" => cancelling(0);
            "uncancel", "" => uncancel(0);
            "get_name", "" => get_name(0);
            "set_name", "value, /" => set_name(0 1);
            "get_coro", "" => get_coro(0);
            "get_context", "" => get_context(0);
            get "_coro" => get_coro(0);
            get "_fut_waiter" => fut_waiter(0);
            get "_must_cancel" => must_cancel(0);
            get "_log_destroy_pending" => log_destroy_pending(0), set set_log_destroy_pending(0 1);
            "get_stack", "*, limit=None" => get_stack(0 1);
            "print_stack", "*, limit=None, file=None" => print_stack(0 1 2);
        ],
    );
    define_class::<FutureIterator>(
        vm,
        "_asyncio",
        "FutureIter",
        &rows![
            "__iter__", "" => itself(0);
            "__next__", "" => iterator_next(0);
            "send", "value, /" => iterator_send(0 1);
            "throw", "typ, val=None, tb=None, /" => iterator_throw(0 1);
            "close", "" => iterator_close(0);
        ],
    );
}

fn isfuture(_vm: &Vm, value: &Value) -> bool {
    AnyFuture::of(value).is_some()
}

fn class_getitem(vm: &Vm, class: Value, item: &Value) -> Value {
    vm.generic_alias(class, item)
}

/// The loop given as an argument, else the one that is current.
pub fn loop_or_current(vm: &Vm, given: Option<&Ref<EventLoop>>) -> R<Ref<EventLoop>> {
    match given {
        Some(given) => Ok(given.clone()),
        None => super::policies::get_event_loop(vm),
    }
}

/// The arguments of a constructor. A class derived in a script may take more than its base does, and hands on the base's own with
/// `super().__init__`; so only the class itself minds what it does not know.
struct Given<'a> {
    positional: &'a [Value],
    keywords: &'a Ref<Dict>,
}

impl<'a> Given<'a> {
    fn of(vm: &Vm, class: &Value, args: &'a Value, keywords: &'a Ref<Dict>, most: usize, known: &[&str]) -> R<Given<'a>> {
        let given = Given { positional: args.as_tuple().unwrap_or_default(), keywords };
        let Some(class) = class.downcast::<Class>().filter(|class| !class.is_script) else { return Ok(given) };
        let name = class.name();
        let count = given.positional.len();
        if count > most {
            return Err(vm.type_error(match most {
                0 => format!("{}() takes no positional arguments", name.as_str()),
                _ => format!("{}() takes exactly {most} positional argument ({count} given)", name.as_str()),
            }));
        }
        for key in keywords.keys() {
            let key = vm.str(&key)?;
            if !known.contains(&key.as_str()) {
                return Err(vm.type_error(format!("'{}' is an invalid keyword argument for {}()", key.as_str(), name.as_str())));
            }
        }
        Ok(given)
    }

    /// The value of a keyword, unless it is `None`.
    fn keyword(&self, name: &str) -> Option<Value> {
        self.keywords.get_text(name).filter(|value| !value.is_none())
    }

    fn event_loop(&self, vm: &Vm) -> R<Option<Ref<EventLoop>>> {
        let Some(given) = self.keyword("loop") else { return Ok(None) };
        crate::native::FromValue::from_value(vm, &given).map(|known: &Ref<EventLoop>| Some(known.clone()))
    }
}

fn future_new(vm: &Vm, class: &Value, args: &Value, keywords: &Ref<Dict>) -> R {
    let given = Given::of(vm, class, args, keywords, 0, &["loop"])?;
    let event_loop = loop_or_current(vm, given.event_loop(vm)?.as_ref())?;
    let made = vm.heap.alloc(Future { core: FutureCore::new(event_loop) });
    wrapped(vm, class, &AnyFuture::from(&made))
}

/// The future as an object of `class`.
fn wrapped(vm: &Vm, class: &Value, future: &AnyFuture) -> R {
    let made = wrap_new(vm, class, future.value())?;
    future.set_outer(vm, &made);
    Ok(made)
}

fn init(_vm: &Vm, _future: &Value, _args: &Value, _keywords: &Value) {}

fn task_new(vm: &Vm, class: &Value, args: &Value, keywords: &Ref<Dict>) -> R {
    let given = Given::of(vm, class, args, keywords, 1, &["coro", "loop", "name", "context", "eager_start"])?;
    let Some(coro) = given.positional.first().cloned().or_else(|| keywords.get_text("coro")) else {
        return Err(vm.type_error("Task() missing required argument 'coro' (pos 1)"));
    };
    if !is_coroutine(vm, &coro)? {
        return Err(vm.type_error(format!("a coroutine was expected, got {}", vm.repr(&coro)?.as_str())));
    }
    let event_loop = match given.event_loop(vm)? {
        Some(given) => given,
        None => sched::running_loop(vm)?,
    };
    let name = given.keyword("name").map(|name| vm.str(&name).map(Value::from)).transpose()?;
    let context = match given.keyword("context") {
        Some(context) => {
            let context: &Ref<Context> = crate::native::FromValue::from_value(vm, &context)?;
            Some(context.clone())
        }
        None => None,
    };
    let is_eager = given.keyword("eager_start").is_some_and(|eager| eager.is(&Value::TRUE));
    let made = task::unbegun(vm, &event_loop, &coro, context, name)?;
    let outer = wrapped(vm, class, &AnyFuture::from(&made))?;
    task::begin(vm, &made, is_eager && event_loop.running.get())?;
    Ok(outer)
}

/// A derived class may choose the name.
fn task_init(vm: &Vm, task: &Ref<Task>, _args: &Value, keywords: &Ref<Dict>) -> R<()> {
    match keywords.get_text("name").filter(|name| !name.is_none()) {
        Some(name) => set_name(vm, task, &name),
        None => Ok(()),
    }
}

fn future_repr_row(vm: &Vm, future: AnyFuture) -> R<String> {
    future_repr(vm, &future)
}

fn result(vm: &Vm, future: AnyFuture) -> R {
    future.result(vm)
}

fn exception(vm: &Vm, future: AnyFuture) -> R {
    future.exception(vm)
}

fn set_result(vm: &Vm, future: AnyFuture, result: Value) -> R<()> {
    future.set_result(vm, result)
}

fn set_exception(vm: &Vm, future: AnyFuture, exception: &Value) -> R<()> {
    future.set_exception(vm, exception)
}

fn task_set_result(vm: &Vm, _task: &Ref<Task>, _result: &Value) -> R<()> {
    Err(vm.runtime_error("Task does not support set_result operation"))
}

fn task_set_exception(vm: &Vm, _task: &Ref<Task>, _exception: &Value) -> R<()> {
    Err(vm.runtime_error("Task does not support set_exception operation"))
}

fn cancel(vm: &Vm, future: AnyFuture, message: &Value) -> R<bool> {
    future.cancel(vm, message)
}

fn cancelled(_vm: &Vm, future: AnyFuture) -> bool {
    future.core().is_cancelled()
}

fn done(_vm: &Vm, future: AnyFuture) -> bool {
    future.core().is_done()
}

fn add_done_callback(vm: &Vm, future: AnyFuture, function: Value, given: Option<&Ref<Context>>) -> R<()> {
    let context = given.cloned().or_else(|| context::copy_current(vm));
    let target = vm.heap.alloc(DoneCallback { function, context });
    future.on_done(vm, Reaction::Call, target.into_obj(), 0)
}

fn remove_done_callback(vm: &Vm, future: AnyFuture, function: &Value) -> R<usize> {
    future.remove_done_callback(vm, function)
}

fn get_loop(_vm: &Vm, future: AnyFuture) -> Value {
    future.core().event_loop.value()
}

/// What CPython's own library and some programs look at from outside.
fn state_word(_vm: &Vm, future: AnyFuture) -> &'static str {
    match future.core().state() {
        State::Pending => "PENDING",
        State::Cancelled => "CANCELLED",
        State::Finished | State::Failed => "FINISHED",
    }
}

/// Pairs of a callback and its context; those of the library itself are shown by their names.
fn callbacks(vm: &Vm, future: AnyFuture) -> Value {
    let all = future.core().callbacks();
    if all.is_empty() {
        return Value::None;
    }
    let pairs = all.iter().map(|callback| {
        let (function, context) = match callback.target.downcast::<DoneCallback>() {
            Some(done) => (done.function.clone(), done.context.clone()),
            None => (vm.str_value(callback.reaction.name()), None),
        };
        let context = context.unwrap_or_else(|| context::empty(vm));
        Value::from(vm.heap.tuple([function, Value::from(context)]))
    });
    let pairs = pairs.collect();
    Value::from(vm.heap.list(pairs))
}

fn or_none(value: Value) -> Value {
    if value.is_undef() { Value::None } else { value }
}

fn peek_result(_vm: &Vm, future: AnyFuture) -> Value {
    or_none(future.peek_result())
}

fn peek_exception(_vm: &Vm, future: AnyFuture) -> Value {
    or_none(future.peek_exception())
}

fn nothing(_vm: &Vm, _future: AnyFuture) {}

fn cancel_message(_vm: &Vm, future: AnyFuture) -> Value {
    or_none(future.core().cancel_message())
}

fn set_cancel_message(_vm: &Vm, future: AnyFuture, message: &Value) -> R<()> {
    future.core().set_cancel_message(message);
    Ok(())
}

fn log_traceback(_vm: &Vm, future: AnyFuture) -> bool {
    future.core().has_unseen_exception()
}

fn set_log_traceback(vm: &Vm, future: AnyFuture, value: &Value) -> R<()> {
    if vm.truthy(value)? {
        return Err(vm.value_error("_log_traceback can only be set to False"));
    }
    future.mark_seen();
    Ok(())
}

fn is_blocking(_vm: &Vm, future: AnyFuture) -> bool {
    future.core().is_handed_over()
}

fn set_blocking(vm: &Vm, future: AnyFuture, value: &Value) -> R<()> {
    future.core().hand_over(vm.truthy(value)?);
    Ok(())
}

fn fut_waiter(_vm: &Vm, task: &Ref<Task>) -> Value {
    task.waits_for().map_or(Value::None, |future| future.value())
}

fn must_cancel(_vm: &Vm, task: &Ref<Task>) -> bool {
    task.must_cancel()
}

fn log_destroy_pending(_vm: &Vm, task: &Ref<Task>) -> bool {
    !task.core.is_internal()
}

fn set_log_destroy_pending(vm: &Vm, task: &Ref<Task>, value: &Value) -> R<()> {
    task.core.report_destruction(vm.truthy(value)?);
    Ok(())
}

fn cancelling(_vm: &Vm, task: &Ref<Task>) -> usize {
    task.cancelling() as usize
}

fn uncancel(_vm: &Vm, task: &Ref<Task>) -> usize {
    task.uncancel() as usize
}

fn get_name(vm: &Vm, task: &Ref<Task>) -> Value {
    task.name(vm)
}

fn set_name(vm: &Vm, task: &Ref<Task>, name: &Value) -> R<()> {
    let name = vm.str(name)?;
    task.set_name(Value::from(name));
    Ok(())
}

fn get_coro(_vm: &Vm, task: &Ref<Task>) -> Value {
    task.coro()
}

fn get_context(vm: &Vm, task: &Ref<Task>) -> Ref<Context> {
    // While a task runs, its context is the current one.
    let is_running = task.core.event_loop.current.get().is_some_and(|current| current.is(task));
    if is_running { context::current(vm) } else { task.context(vm) }
}

/// The frame of the coroutine, and while it runs those that called it, oldest first; when it has failed the frames of the traceback.
fn get_stack(vm: &Vm, task: &Ref<Task>, limit: Option<i64>) -> R {
    let most = limit.map_or(usize::MAX, |limit| limit.max(0) as usize);
    let coro = task.coro();
    let mut frames = Vec::new();
    let frame = coro.downcast::<Coroutine>().map_or(Value::None, |coroutine| vm.frame_of(&coroutine.inner));
    if !frame.is_none() {
        let mut at = frame;
        while frames.len() < most
            && let Some(object) = at.downcast::<FrameObject>()
        {
            let back = object.back.get();
            frames.push(std::mem::replace(&mut at, back));
        }
        frames.reverse();
    } else if let Some(exception) = AnyFuture::from(task).peek_exception().downcast::<Exception>() {
        for entry in entries(&exception.traceback.get()).iter().take(most) {
            frames.push(vm.frame_object(&entry.info, entry.line(), Value::None));
        }
    }
    Ok(Value::from(vm.heap.list(frames)))
}

fn print_stack(vm: &Vm, task: &Value, limit: &Value, file: &Value) -> R {
    let traceback = vm.import("traceback", None, 0)?;
    let given = |value: &Value| if value.is_undef() { Value::None } else { value.clone() };
    let exception = match AnyFuture::of(task).map(|future| future.peek_exception()) {
        Some(exception) if !exception.is_undef() => exception,
        _ => Value::None,
    };
    let args = [task.clone(), given(limit), given(file), exception];
    vm.call_method(&traceback, &vm.intern("_print_task_stack"), &args)
}

/// The iterator that `future.__await__()` gives: it hands the future out once, then ends with the result.
struct FutureIterator {
    future: AnyFuture,
    asked: Cell<bool>,
}

impl Payload for FutureIterator {
    native_kind!();
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.object(self.future.as_obj());
    }
}

fn future_await(vm: &Vm, future: AnyFuture) -> Value {
    Value::from(vm.heap.alloc(FutureIterator { future, asked: Cell::new(false) }))
}

fn iterator_next(vm: &Vm, iterator: &Ref<FutureIterator>) -> R {
    let future = &iterator.future;
    if future.core().state() == State::Pending {
        if iterator.asked.replace(true) {
            return Err(vm.runtime_error("await wasn't used with future"));
        }
        future.core().await_it();
        return Ok(future.value());
    }
    let result = future.result(vm)?;
    Err(vm.stop_iteration(result))
}

fn iterator_send(vm: &Vm, iterator: &Ref<FutureIterator>, _value: &Value) -> R {
    iterator_next(vm, iterator)
}

fn iterator_throw(vm: &Vm, _iterator: &Ref<FutureIterator>, exception: &Value) -> R {
    let exception =
        if exception.downcast::<crate::value::Class>().is_some() { vm.call(exception, &[])? } else { exception.clone() };
    if exception.downcast::<crate::value::Exception>().is_none() {
        return Err(vm.type_error("exceptions must be classes deriving BaseException or instances of such a class"));
    }
    Err(vm.raise(exception))
}

fn iterator_close(_vm: &Vm, _iterator: &Ref<FutureIterator>) {}
