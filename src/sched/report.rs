//! What the scheduler tells people: callbacks and tasks in messages, exceptions that nobody took, deadlocks.

use std::fmt::Write;

use super::event_loop::EventLoop;
use super::future::{AnyFuture, Callback, DoneCallback};
use super::limited_repr::limited_repr;
use super::of;
use super::task::Task;
use crate::value::{Dict, Exception, R, Raised, Ref, Value};
use crate::vm::Vm;
use crate::vm::coroutine::{Coroutine, State};

/// A callback with its arguments, as in `print(1)` or `f() at file.script:3`. Of a `partial` the function inside is shown, with the
/// arguments of both.
pub fn callback(vm: &Vm, function: &Value, args: &[Value]) -> R<String> {
    let mut function = function.clone();
    let mut lists = vec![arguments(vm, args, &[])?];
    while let Some((inner, args, keywords)) = parts_of_partial(vm, &function)? {
        lists.push(arguments(vm, &args, &keywords)?);
        function = inner;
    }
    let mut text = match vm.find_attr(&function, &vm.n.__qualname__)? {
        Some(name) if name.as_str().is_some() => name.as_str().unwrap_or_default().to_owned(),
        _ => vm.repr(&function)?.as_str().to_owned(),
    };
    for list in lists.iter().rev() {
        text.push_str(list);
    }
    // A wrapper stands for what it wraps.
    for _ in 0..100 {
        match vm.find_attr(&function, &vm.intern("__wrapped__"))? {
            Some(wrapped) => function = wrapped,
            None => break,
        }
    }
    if let Some(function) = function.downcast::<crate::vm::Function>() {
        let info = &function.code.info;
        let _ = write!(text, " at {}:{}", info.source.name(), info.first_line);
    }
    Ok(text)
}

/// The function, arguments and keywords of a `functools.partial`.
#[allow(clippy::type_complexity, reason = "the three parts")]
fn parts_of_partial(vm: &Vm, value: &Value) -> R<Option<(Value, Vec<Value>, Vec<(Value, Value)>)>> {
    if vm.class_of(value).own_name().as_str() != "partial" {
        return Ok(None);
    }
    let part = |name: &str| vm.find_attr(value, &vm.intern(name));
    let (Some(function), Some(args), Some(keywords)) = (part("func")?, part("args")?, part("keywords")?) else { return Ok(None) };
    let keywords = keywords.downcast::<Dict>().map(|keywords| keywords.to_vec()).unwrap_or_default();
    Ok(Some((function, vm.collect(&args)?, keywords)))
}

fn arguments(vm: &Vm, args: &[Value], keywords: &[(Value, Value)]) -> R<String> {
    let mut parts = Vec::new();
    for arg in args {
        parts.push(limited_repr(vm, arg)?);
    }
    for (name, value) in keywords {
        parts.push(format!("{}={}", name.as_str().unwrap_or_default(), limited_repr(vm, value)?));
    }
    Ok(format!("({})", parts.join(", ")))
}

/// `repr(future)` for any of the three kinds.
pub fn future_repr(vm: &Vm, future: &AnyFuture) -> R<String> {
    let shown = vm.unless_printing(&future.value(), || describe(vm, future))?;
    Ok(shown.unwrap_or_else(|| "...".to_owned()))
}

fn describe(vm: &Vm, future: &AnyFuture) -> R<String> {
    let class = vm.class_of(&future.value()).name();
    let mut parts = Vec::new();
    match future.as_task() {
        Some(task) => {
            parts.push(task.state_name().to_owned());
            parts.push(format!("name={}", vm.repr(&task.name(vm))?.as_str()));
            parts.push(format!("coro=<{}>", coroutine(vm, &task.coro(), &future.peek_exception())?));
            if let Some(waits_for) = task.waits_for() {
                parts.push(format!("wait_for={}", vm.repr(&waits_for.value())?.as_str()));
            }
        }
        None => parts.push(future.core().state().name().to_owned()),
    }
    let result = future.peek_result();
    let exception = future.peek_exception();
    if !result.is_undef() {
        parts.push(format!("result={}", limited_repr(vm, &result)?));
    } else if !exception.is_undef() {
        parts.push(format!("exception={}", vm.repr(&exception)?.as_str()));
    }
    let callbacks = future.core().callbacks();
    if !callbacks.is_empty() {
        parts.push(format!("cb=[{}]", callbacks_repr(vm, &callbacks)?));
    }
    Ok(format!("<{} {}>", class.as_str(), parts.join(" ")))
}

fn callbacks_repr(vm: &Vm, callbacks: &[Callback]) -> R<String> {
    Ok(match callbacks {
        [] => String::new(),
        [one] => done_callback(vm, one)?,
        [first, second] => format!("{}, {}", done_callback(vm, first)?, done_callback(vm, second)?),
        [first, between @ .., last] => {
            format!("{}, <{} more>, {}", done_callback(vm, first)?, between.len(), done_callback(vm, last)?)
        }
    })
}

fn done_callback(vm: &Vm, done: &Callback) -> R<String> {
    match done.target.downcast::<DoneCallback>() {
        Some(done) => callback(vm, &done.function, &[]),
        None => Ok(done.reaction.name().to_owned()),
    }
}

/// A coroutine in messages: `f() running at file.script:3`, `f() done, defined at file.script:1`.
fn coroutine(vm: &Vm, value: &Value, exception: &Value) -> R<String> {
    let Some(coroutine) = value.downcast::<Coroutine>() else { return Ok(vm.repr(value)?.as_str().to_owned()) };
    let inner = &coroutine.inner;
    let name = inner.qualname().as_str().to_owned();
    let defined = |place: String| format!("{name}() done, defined at {place}");
    if inner.state.get() == State::Closed
        && let Some(code) = inner.code()
    {
        return Ok(defined(format!("{}:{}", code.info.source.name(), code.info.first_line)));
    }
    if inner.state.get() == State::Closed {
        return Ok(match super::evaluator::definition(exception) {
            Some(place) => defined(place),
            None => format!("{name}() done"),
        });
    }
    Ok(match super::evaluator::place(vm, coroutine) {
        Some(place) => format!("{name}() running at {place}"),
        None => format!("{name}() running"),
    })
}

/// Writes what happened to standard error, as CPython's logging does when nobody has configured it.
pub fn default_exception_handler(vm: &Vm, facts: &Ref<Dict>) -> R<()> {
    let message = facts.get_text("message").unwrap_or_default();
    let mut text = match message.as_str() {
        Some(message) if !message.is_empty() => message.to_owned(),
        _ => "Unhandled exception in event loop".to_owned(),
    };
    text.push('\n');
    let mut rest: Vec<(String, Value)> = facts
        .to_vec()
        .into_iter()
        .filter_map(|(key, value)| Some((key.as_str()?.to_owned(), value)))
        .filter(|(key, _)| key != "message" && key != "exception")
        .collect();
    rest.sort_by(|(a, _), (b, _)| a.cmp(b));
    for (key, value) in rest {
        let _ = writeln!(text, "{key}: {}", vm.repr(&value)?.as_str());
    }
    if let Some(exception) = facts.get_text("exception")
        && exception.downcast::<Exception>().is_some()
    {
        text.push_str(&super::evaluator::format_exception(vm, &exception));
    }
    vm.tell_stderr(&text)
}

/// A future with an exception that nobody has looked at is gone, or a task that nobody will resume.
pub(super) fn finalize(vm: &Vm, value: &Value) {
    let Some(future) = AnyFuture::of(value) else { return };
    if future.as_task().is_some() && !future.core().is_done() && !future.core().is_internal() {
        future.core().set_internal();
        let facts = vec![("task", value.clone()), ("message", vm.str_value("Task was destroyed but it is pending!"))];
        let event_loop = future.core().event_loop.clone();
        if let Err(Raised) = super::event_loop::call_exception_handler(vm, &event_loop, facts) {
            vm.unraisable("Exception ignored in", value);
        }
        return;
    }
    if !future.core().has_unseen_exception() {
        return;
    }
    future.mark_seen();
    let class = vm.class_of(value).name();
    let name = if class.as_str() == "_GatheringFuture" { "_GatheringFuture" } else { class.as_str() };
    let message = format!("{name} exception was never retrieved");
    let facts = vec![("message", vm.str_value(&message)), ("exception", future.peek_exception()), ("future", value.clone())];
    let event_loop = future.core().event_loop.clone();
    if let Err(Raised) = super::event_loop::call_exception_handler(vm, &event_loop, facts) {
        vm.unraisable("Exception ignored in", value);
    }
}

/// The most tasks that a deadlock report names.
const NAMED: usize = 20;

/// Nothing can ever run again: raises `DeadlockError`, which says who waits for what.
#[cold]
pub(super) fn deadlock(vm: &Vm, event_loop: &Ref<EventLoop>) -> Raised {
    let tasks = event_loop.tasks(vm);
    let mut text =
        String::from("nothing can run any more: every task waits for something that no other task or timer will bring");
    for task in tasks.iter().take(NAMED) {
        match waiting(vm, task) {
            Ok(line) => {
                let _ = write!(text, "\n  {line}");
            }
            Err(raised) => return raised,
        }
    }
    if tasks.len() > NAMED {
        let _ = write!(text, "\n  and {} more tasks", tasks.len() - NAMED);
    }
    vm.raise_class(&of(vm).classes.deadlock_error, &text)
}

/// What a task waits for, and where.
fn waiting(vm: &Vm, task: &Ref<Task>) -> R<String> {
    let name = vm.str(&task.name(vm))?.as_str().to_owned();
    let coro = task.coro();
    let coroutine = coro.downcast::<Coroutine>();
    let place = coroutine.and_then(super::evaluator::innermost).unwrap_or_default();
    let what = match task.waits_for() {
        None => "was not started".to_owned(),
        Some(future) => match (future.as_task(), coroutine.and_then(super::evaluator::awaited_native)) {
            (Some(other), _) => format!("waits for task {}", vm.str(&other.name(vm))?.as_str()),
            (None, Some(native)) => format!("waits in {native}()"),
            (None, None) => format!("waits for {}", vm.repr(&future.value())?.as_str()),
        },
    };
    Ok(format!("task {name} {what}, in {place}"))
}

/// The main thread waits for other threads, all of which wait: nothing can ever wake it.
#[cold]
pub(crate) fn thread_deadlock(vm: &Vm, what: &str) -> Raised {
    let count = of(vm).threads.baton.threads();
    let others = match count {
        0 | 1 => String::new(),
        2 => ", and so does the other thread".to_owned(),
        count => format!(", and so do the {} other threads", count - 1),
    };
    let message = format!("nothing can run any more: the main thread waits in {what}{others}");
    vm.raise_class(&of(vm).classes.deadlock_error, &message)
}
