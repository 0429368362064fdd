//! `concurrent.futures.Future`, `wait` and `as_completed`: threads that wait for the outcome of work.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use super::errors;
use crate::native::{Iterable, define_class};
use crate::native_kind;
use crate::rows;
use crate::sched::baton::Woken;
use crate::sched::thread_future::{State, ThreadFuture};
use crate::sched::{self, report, threads};
use crate::stdlib::support::wrap_new;
use crate::value::{Class, Exception, Payload, R, Ref, Value, Visitor};
use crate::vm::Vm;

/// The class.
pub fn class(vm: &Vm) -> Ref<Class> {
    define_class::<Iter>(
        vm,
        "concurrent.futures._base",
        "as_completed",
        &rows!["__iter__", "" => itself(0); "__next__", "" => next(0);],
    );
    define_class::<ThreadFuture>(
        vm,
        "concurrent.futures._base",
        "Future",
        &rows![
            static "__new__", "cls, *args, **kwargs" => new(0);
            "__repr__", "" => repr(0);
            "result", "timeout=None" => result(0 1);
            "exception", "timeout=None" => exception(0 1);
            "cancel", "" => cancel(0);
            "cancelled", "" => cancelled(0);
            "running", "" => running(0);
            "done", "" => done(0);
            "add_done_callback", "fn" => add_done_callback(0 1);
            "set_running_or_notify_cancel", "" => set_running(0);
            "set_result", "result" => set_result(0 1);
            "set_exception", "exception" => set_exception(0 1);
        ],
    )
}

fn itself(_vm: &Vm, this: Value) -> Value {
    this
}

fn new(vm: &Vm, class: &Value) -> R {
    wrap_new(vm, class, Value::from(vm.heap.alloc(ThreadFuture::default())))
}

fn repr(vm: &Vm, future: &Ref<ThreadFuture>) -> R<String> {
    let state = future.state.get();
    let outcome = match state {
        State::Finished => format!(" returned {}", vm.class_of(&future.outcome()).own_name().as_str()),
        State::Failed => format!(" raised {}", vm.class_of(&future.outcome()).own_name().as_str()),
        _ => String::new(),
    };
    Ok(format!("<Future at {:#x} state={}{outcome}>", future.address(), state.name()))
}

/// Waits for the outcome; raises if there is none in time, or the work was cancelled.
fn wait_for(vm: &Vm, future: &Ref<ThreadFuture>, timeout: Option<f64>) -> R<()> {
    if !future.wait(vm, timeout)? {
        return Err(vm.raise_with(&vm.types.timeout_error, vec![]));
    }
    if future.state.get() == State::Cancelled {
        return Err(vm.raise_with(&errors(vm).cancelled, vec![]));
    }
    Ok(())
}

/// The result, waited for.
pub fn outcome(vm: &Vm, future: &Ref<ThreadFuture>, timeout: Option<f64>) -> R {
    result(vm, future, timeout)
}

fn result(vm: &Vm, future: &Ref<ThreadFuture>, timeout: Option<f64>) -> R {
    wait_for(vm, future, timeout)?;
    match future.state.get() {
        State::Failed => Err(vm.raise(future.outcome())),
        _ => Ok(future.outcome()),
    }
}

fn exception(vm: &Vm, future: &Ref<ThreadFuture>, timeout: Option<f64>) -> R {
    wait_for(vm, future, timeout)?;
    Ok(if future.state.get() == State::Failed { future.outcome() } else { Value::None })
}

fn cancel(vm: &Vm, future: &Ref<ThreadFuture>) -> R<bool> {
    future.cancel(vm)
}

fn cancelled(_vm: &Vm, future: &Ref<ThreadFuture>) -> bool {
    future.state.get() == State::Cancelled
}

fn running(_vm: &Vm, future: &Ref<ThreadFuture>) -> bool {
    future.state.get() == State::Running
}

fn done(_vm: &Vm, future: &Ref<ThreadFuture>) -> bool {
    future.is_done()
}

fn add_done_callback(vm: &Vm, future: &Ref<ThreadFuture>, function: Value) -> R<()> {
    future.on_done(vm, function)
}

fn set_running(vm: &Vm, future: &Ref<ThreadFuture>) -> R<bool> {
    match future.state.get() {
        State::Cancelled => Ok(false),
        State::Pending => {
            future.state.set(State::Running);
            Ok(true)
        }
        _ => Err(vm.runtime_error("Future in unexpected state")),
    }
}

fn check_open(vm: &Vm, future: &Ref<ThreadFuture>) -> R<()> {
    if future.is_done() {
        let state = if future.state.get() == State::Cancelled { "CANCELLED" } else { "FINISHED" };
        let shown = vm.repr(&Value::from(future))?;
        return Err(vm.raise_class(&errors(vm).invalid_state, &format!("{state}: {}", shown.as_str())));
    }
    Ok(())
}

fn set_result(vm: &Vm, future: &Ref<ThreadFuture>, result: Value) -> R<()> {
    check_open(vm, future)?;
    future.complete(vm, State::Finished, result)
}

fn set_exception(vm: &Vm, future: &Ref<ThreadFuture>, exception: Value) -> R<()> {
    check_open(vm, future)?;
    match exception.downcast::<Exception>() {
        Some(_) => future.complete(vm, State::Failed, exception),
        None => future.complete(vm, State::Finished, Value::None),
    }
}

/// The distinct futures of an iterable, in order.
fn futures_of(vm: &Vm, Iterable(items): Iterable) -> R<Vec<Ref<ThreadFuture>>> {
    let mut seen = std::collections::HashSet::new();
    let mut futures = Vec::new();
    for item in &items {
        let future: &Ref<ThreadFuture> = crate::native::FromValue::from_value(vm, item)?;
        if seen.insert(future.address()) {
            futures.push(future.clone());
        }
    }
    Ok(futures)
}

/// Parks until one of `futures` that is not done yet is, or until a time; `false` if that has come.
fn park_for(vm: &Vm, futures: &[Ref<ThreadFuture>], until: Option<f64>) -> R<bool> {
    let thread = threads::current(vm);
    let pending: Vec<_> = futures.iter().filter(|future| !future.is_done()).collect();
    for future in &pending {
        future.add_waiter(thread);
    }
    let woken = threads::park(vm, until);
    for future in &pending {
        future.remove_waiter(thread);
    }
    match woken? {
        Woken::Deadlock => Err(report::thread_deadlock(vm, "concurrent.futures.wait()")),
        Woken::TimedOut => Ok(false),
        _ => Ok(true),
    }
}

/// `wait(fs, timeout, return_when)`: the named tuple of those done and those not.
pub fn wait(vm: &Vm, futures: Iterable, timeout: Option<f64>, when: Option<&str>) -> R {
    let futures = futures_of(vm, futures)?;
    let until = timeout.map(|timeout| sched::now(vm) + timeout);
    let when = when.unwrap_or("ALL_COMPLETED");
    if !matches!(when, "FIRST_COMPLETED" | "FIRST_EXCEPTION" | "ALL_COMPLETED") {
        return Err(vm.value_error(format!("Invalid return condition: {}", vm.repr(&vm.str_value(when))?.as_str())));
    }
    loop {
        let done = futures.iter().filter(|future| future.is_done()).count();
        let failed = futures.iter().any(|future| future.state.get() == State::Failed);
        let over = done == futures.len() || done > 0 && when == "FIRST_COMPLETED" || failed && when == "FIRST_EXCEPTION";
        if over || until.is_some_and(|until| sched::now(vm) >= until) || !park_for(vm, &futures, until)? {
            break;
        }
    }
    let (done, pending) = (vm.heap.set(), vm.heap.set());
    for future in &futures {
        vm.set_add(if future.is_done() { &done } else { &pending }, Value::from(future))?;
    }
    let collections = vm.import_top("collections")?;
    let namedtuple = vm.get_attr(&collections, &vm.intern("namedtuple"))?;
    let class = vm.call(&namedtuple, &[vm.str_value("DoneAndNotDoneFutures"), vm.str_value("done not_done")])?;
    vm.call(&class, &[Value::from(done), Value::from(pending)])
}

/// The payload of what `as_completed` gives.
struct Iter {
    pending: RefCell<Vec<Ref<ThreadFuture>>>,
    ready: RefCell<VecDeque<Ref<ThreadFuture>>>,
    total: usize,
    until: Cell<Option<f64>>,
}

impl Payload for Iter {
    native_kind!();
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        for future in self.pending.borrow().iter().chain(self.ready.borrow().iter()) {
            visitor.reference(future);
        }
    }
}

pub fn as_completed(vm: &Vm, futures: Iterable, timeout: Option<f64>) -> R {
    let futures = futures_of(vm, futures)?;
    let iter = Iter {
        total: futures.len(),
        pending: RefCell::new(futures),
        ready: RefCell::default(),
        until: Cell::new(timeout.map(|timeout| sched::now(vm) + timeout)),
    };
    Ok(Value::from(vm.heap.alloc(iter)))
}

fn next(vm: &Vm, iter: &Ref<Iter>) -> R {
    loop {
        if let Some(future) = iter.ready.borrow_mut().pop_front() {
            return Ok(Value::from(future));
        }
        let pending = std::mem::take(&mut *iter.pending.borrow_mut());
        if pending.is_empty() {
            return Err(vm.stop_iteration(Value::None));
        }
        let (done, pending): (Vec<_>, Vec<_>) = pending.into_iter().partition(|future| future.is_done());
        *iter.pending.borrow_mut() = pending.clone();
        iter.ready.borrow_mut().extend(done.iter().cloned());
        if !done.is_empty() {
            continue;
        }
        let until = iter.until.get();
        let is_over = until.is_some_and(|until| sched::now(vm) >= until);
        if is_over || !park_for(vm, &pending, until)? && pending.iter().all(|future| !future.is_done()) {
            let message = format!("{} (of {}) futures unfinished", pending.len(), iter.total);
            return Err(vm.raise_class(&vm.types.timeout_error, &message));
        }
    }
}
