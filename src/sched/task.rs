//! Tasks: a coroutine that the loop drives, which is also the future of its outcome.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};

use super::context::Context;
use super::event_loop::{self, EventLoop};
use super::future::{AnyFuture, FutureCore, Reaction, State};
use super::handle::Handle;
use super::{cancelled_error, in_context, of};
use crate::native_kind;
use crate::value::{Exception, ObjRef, Payload, R, Ref, Shared, Value, Visitor};
use crate::vm::Vm;
use crate::vm::coroutine::{Coroutine, NativeFrame, Outcome, Step};

/// The payload of a task.
pub struct Task {
    pub core: FutureCore,
    /// The coroutine, or an object with its methods.
    coro: Shared<Option<ObjRef>>,
    /// The future it waits for.
    waits_for: Shared<Option<AnyFuture>>,
    /// Its context variables; `None` for none.
    context: Shared<Option<Ref<Context>>>,
    /// Its name is `Task-n` unless the script has given it one; then it is the number of the next task that has none.
    number: u32,
    /// Its place among the loop's tasks.
    pub(super) place: Cell<u32>,
}

impl Payload for Task {
    native_kind!();
    const CONTAINER: bool = true;
    const BUFFERS: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        self.core.trace(visitor);
        self.coro.with(|coro| {
            if let Some(coro) = coro {
                visitor.object(coro);
            }
        });
        self.waits_for.with(|future| {
            if let Some(future) = future {
                visitor.object(future.as_obj());
            }
        });
        self.context.with(|context| {
            if let Some(context) = context {
                visitor.reference(context);
            }
        });
    }

    fn clear(&self) {
        self.core.clear();
        drop(self.coro.take());
        drop(self.waits_for.take());
        drop(self.context.take());
    }

    fn buffers(&self) -> usize {
        self.core.buffers()
    }
}

/// A task of `event_loop` for a coroutine, not yet scheduled. `context` is shared if given, else the current one is copied.
fn make(vm: &Vm, event_loop: &Ref<EventLoop>, coro: &Value, context: Option<Ref<Context>>, name: Option<Value>) -> R<Ref<Task>> {
    let Some(coro) = coro.as_obj() else {
        return Err(vm.type_error(format!("a coroutine was expected, got {}", vm.repr(coro)?.as_str())));
    };
    let context = context.or_else(|| super::context::copy_current(vm));
    let numbers = of(vm);
    let number = if name.is_none() { numbers.next_task_number() } else { numbers.task_number() + 1 };
    let task = vm.heap.alloc(Task {
        core: FutureCore::new(event_loop.clone()),
        coro: Shared::new(Some(coro.clone())),
        waits_for: Shared::new(None),
        context: Shared::new(context),
        number: number as u32,
        place: Cell::new(u32::MAX),
    });
    if let Some(name) = name {
        task.core.set_name(name);
        task.core.set_named(numbers.next_named_task());
    }
    event_loop.add_task(vm, &task)?;
    Ok(task)
}

/// A task that has not begun: an object of a derived class may be put around it before `begin`.
pub fn unbegun(
    vm: &Vm,
    event_loop: &Ref<EventLoop>,
    coro: &Value,
    context: Option<Ref<Context>>,
    name: Option<Value>,
) -> R<Ref<Task>> {
    event_loop.check_open(vm)?;
    make(vm, event_loop, coro, context, name)
}

/// Schedules its first step, or takes it at once.
pub fn begin(vm: &Vm, task: &Ref<Task>, eagerly: bool) -> R<()> {
    let event_loop = &task.core.event_loop;
    if !eagerly {
        return event_loop.push(vm, Handle::Step(task.clone()));
    }
    let outer = event_loop.current.replace(None);
    let stepped = step(vm, task, Ok(Value::None));
    event_loop.current.set(outer);
    stepped
}

/// `Task(coro)`: a new task whose first step is scheduled.
pub fn spawn(
    vm: &Vm,
    event_loop: &Ref<EventLoop>,
    coro: &Value,
    context: Option<Ref<Context>>,
    name: Option<Value>,
) -> R<Ref<Task>> {
    let task = unbegun(vm, event_loop, coro, context, name)?;
    begin(vm, &task, false)?;
    Ok(task)
}

/// An eager task: its first step runs at once.
pub fn spawn_eagerly(
    vm: &Vm,
    event_loop: &Ref<EventLoop>,
    coro: &Value,
    context: Option<Ref<Context>>,
    name: Option<Value>,
) -> R<Ref<Task>> {
    let task = unbegun(vm, event_loop, coro, context, name)?;
    begin(vm, &task, true)?;
    Ok(task)
}

/// Resumes the coroutine and deals with what it gives: the core of a turn.
pub(super) fn step(vm: &Vm, task: &Ref<Task>, sent: R) -> R<()> {
    if task.core.is_done() {
        if sent.is_err() {
            drop(vm.take_raised());
        }
        return Ok(());
    }
    let sent = if task.core.must_cancel.get() { deliver_cancellation(vm, task, sent) } else { sent };
    drop(task.waits_for.take());
    let Some(coro) = task.coro.get() else { return Ok(()) };
    let event_loop = &task.core.event_loop;
    event_loop.current.set(Some(task.clone()));
    let (outcome, context) = in_context(vm, task.context.take(), || resume(vm, &coro, sent));
    event_loop.current.set(None);
    task.context.set(context);
    if vm.heap.has_finalizers() {
        // What the step has dropped is finalised before what comes after the step.
        vm.run_finalizers();
    }
    match outcome {
        Ok(Outcome::Yield(Value::None)) => event_loop.push(vm, Handle::Step(task.clone())),
        Ok(Outcome::Yield(yielded)) => wait_for(vm, task, &yielded),
        Ok(Outcome::Return(value)) => {
            task.finish();
            let future = AnyFuture::from(task);
            if task.core.must_cancel.replace(false) {
                let message = task.core.cancel_message();
                future.cancel_itself(vm, &message).map(drop)
            } else {
                future.set_result(vm, value)
            }
        }
        Err(raised) => {
            if event_loop::is_limit(vm) {
                return Err(raised);
            }
            task.finish();
            fail(vm, task)
        }
    }
}

/// `cancel()` was called while nothing could be cancelled: the coroutine gets a `CancelledError` now.
#[cold]
fn deliver_cancellation(vm: &Vm, task: &Ref<Task>, sent: R) -> R {
    task.core.must_cancel.set(false);
    if sent.is_err() {
        if vm.raised_is(&of(vm).classes.cancelled_error) {
            return sent;
        }
        drop(vm.take_raised());
    }
    let error = cancelled_error(vm, &task.core.cancel_message());
    Err(vm.raise(error))
}

/// The coroutine raised: the task is cancelled or has failed. `KeyboardInterrupt` and `SystemExit` also leave the loop.
#[cold]
fn fail(vm: &Vm, task: &Ref<Task>) -> R<()> {
    let goes_through = event_loop::goes_through(vm);
    let is_cancellation = vm.raised_is(&of(vm).classes.cancelled_error);
    let exception = vm.take_raised();
    let future = AnyFuture::from(task);
    if is_cancellation {
        return future.cancelled_by(vm, exception);
    }
    future.fail(vm, exception.clone())?;
    if goes_through { Err(vm.raise(exception)) } else { Ok(()) }
}

/// One step of a coroutine, or of an object with its methods.
fn resume(vm: &Vm, coro: &ObjRef, sent: R) -> R<Outcome> {
    if let Some(coroutine) = coro.downcast::<Coroutine>() {
        return vm.resume_coroutine(coroutine, sent);
    }
    let object = Value::Obj(coro.clone());
    let stepped = match sent {
        Ok(value) => vm.call_method(&object, &vm.n.send, &[value]),
        Err(_) => {
            let exception = vm.take_raised();
            vm.call_method(&object, &vm.n.throw, &[exception])
        }
    };
    match stepped {
        Ok(value) => Ok(Outcome::Yield(value)),
        Err(raised) if !vm.raised_is(&vm.types.stop_iteration) => Err(raised),
        Err(_) => {
            let stop = vm.take_raised();
            let args = stop.downcast::<Exception>().map_or(Value::None, |stop| stop.args.get());
            Ok(Outcome::Return(args.as_tuple().and_then(|args| args.first().cloned()).unwrap_or(Value::None)))
        }
    }
}

/// The coroutine handed out what it waits for.
fn wait_for(vm: &Vm, task: &Ref<Task>, yielded: &Value) -> R<()> {
    let Some(future) = AnyFuture::of(yielded) else {
        let shown = vm.repr(yielded)?;
        let message = if yielded.kind() == crate::value::Kind::Generator {
            let itself = vm.repr(&AnyFuture::from(task).value())?;
            format!("yield was used instead of yield from for generator in task {} with {}", itself.as_str(), shown.as_str())
        } else {
            format!("Task got bad yield: {}", shown.as_str())
        };
        return misuse(vm, task, message);
    };
    let core = future.core();
    if !core.event_loop.is(&task.core.event_loop) {
        let (itself, shown) = (vm.repr(&AnyFuture::from(task).value())?, vm.repr(yielded)?);
        return misuse(vm, task, format!("Task {} got Future {} attached to a different loop", itself.as_str(), shown.as_str()));
    }
    if !core.is_awaited.replace(false) {
        let (itself, shown) = (vm.repr(&AnyFuture::from(task).value())?, vm.repr(yielded)?);
        return misuse(
            vm,
            task,
            format!("yield was used instead of yield from in task {} with {}", itself.as_str(), shown.as_str()),
        );
    }
    if future.as_obj().is(task.as_obj()) {
        let itself = vm.repr(&AnyFuture::from(task).value())?;
        return misuse(vm, task, format!("Task cannot await on itself: {}", itself.as_str()));
    }
    future.on_done(vm, Reaction::Wake, task.as_obj().clone(), 0)?;
    task.waits_for.set(Some(future.clone()));
    if task.core.must_cancel.get() && future.cancel(vm, &task.core.cancel_message())? {
        task.core.must_cancel.set(false);
    }
    Ok(())
}

/// The coroutine did what no task can serve: it gets a `RuntimeError` in its next step.
#[cold]
fn misuse(vm: &Vm, task: &Ref<Task>, message: String) -> R<()> {
    let error = vm.exception(&vm.types.runtime_error, vec![vm.str_value(&message)]);
    task.core.event_loop.push(vm, Handle::Throw(task.clone(), Box::new(error)))
}

/// The future that the task waits for is done: it goes on with the result, or with the exception thrown in.
pub(super) fn wake(vm: &Vm, task: &Ref<Task>, future: &AnyFuture) -> R<()> {
    let sent = future.result(vm);
    step(vm, task, sent)
}

/// `task.cancel(msg)`: cancels what the task waits for, or notes that its next step must raise. Tasks that wait for tasks are walked
/// down in a loop, since the chain may be long.
pub(super) fn cancel(vm: &Vm, task: &Ref<Task>, message: &Value) -> R<bool> {
    let mut task = task.clone();
    let mut depth: u64 = 0;
    // Tasks that wait for each other in a circle are noticed by one that stays behind, ever longer.
    let mut behind = task.clone();
    loop {
        let future = AnyFuture::from(&task);
        future.mark_seen();
        if task.core.is_done() {
            // Only the first can be done: one that is waited for and done has its waiter woken, which is noted below.
            return Ok(depth > 0);
        }
        task.core.cancel_requests.set(task.core.cancel_requests.get().saturating_add(1));
        let inner = task.waits_for.get();
        if let Some(inner) = inner {
            match inner.as_task() {
                Some(next) if !next.core.is_done() => {
                    task = next.clone();
                    depth += 1;
                    vm.charge(1)?;
                    if task.is(&behind) {
                        return Err(vm.recursion_error("maximum recursion depth exceeded while calling a Python object"));
                    }
                    if depth.is_power_of_two() {
                        behind = task.clone();
                    }
                    continue;
                }
                _ if inner.cancel(vm, message)? => return Ok(true),
                _ => {}
            }
        }
        task.core.must_cancel.set(true);
        task.core.set_cancel_message(message);
        return Ok(true);
    }
}

/// Cancels each of these tasks, as calling `cancel()` of one after the other does. Tasks that wait for each other in a chain are
/// walked along once, and not once for each of them.
pub fn cancel_all(vm: &Vm, tasks: &[Ref<Task>]) -> R<()> {
    let awaited = |task: &Ref<Task>| {
        let waits_for = task.waits_for.get()?;
        waits_for.as_task().filter(|next| !next.core.is_done()).cloned()
    };
    // How many of the others pass their cancellation on to a task directly, then how many requests come to it in all.
    let mut waiters: HashMap<usize, u32> = HashMap::with_capacity(tasks.len());
    for next in tasks.iter().filter_map(awaited) {
        *waiters.entry(next.address()).or_default() += 1;
    }
    let mut requests: HashMap<usize, u32> = tasks.iter().map(|task| (task.address(), 1)).collect();
    let mut done = HashSet::new();
    let firsts: Vec<_> = tasks.iter().filter(|task| !waiters.contains_key(&task.address())).collect();
    for first in firsts {
        let mut at = first.clone();
        while done.insert(at.address()) {
            vm.charge(1)?;
            let count = requests.get(&at.address()).copied().unwrap_or_default();
            let Some(next) = awaited(&at) else {
                // The first call reaches what it waits for, the second finds that done; more change nothing else.
                for _ in 0..count.min(2) {
                    cancel(vm, &at, &Value::None)?;
                }
                let more = count.saturating_sub(2);
                at.core.cancel_requests.set(at.core.cancel_requests.get().saturating_add(more));
                break;
            };
            AnyFuture::from(&at).mark_seen();
            at.core.cancel_requests.set(at.core.cancel_requests.get().saturating_add(count));
            *requests.entry(next.address()).or_default() += count;
            let left = waiters.entry(next.address()).or_default();
            *left = left.saturating_sub(1);
            if *left > 0 {
                break;
            }
            at = next;
        }
    }
    // What is left waits in circles.
    for task in tasks.iter().filter(|task| !done.contains(&task.address())) {
        cancel(vm, task, &Value::None)?;
    }
    Ok(())
}

impl Task {
    /// The coroutine has ended.
    fn finish(&self) {
        self.core.release_outer();
        self.core.event_loop.remove_task(self.place.get());
    }

    /// The name: given, or `Task-n`.
    pub fn name(&self, vm: &Vm) -> Value {
        self.core.name().unwrap_or_else(|| vm.str_value(&format!("Task-{}", self.number)))
    }

    /// `set_name(value)`.
    pub fn set_name(&self, name: Value) {
        self.core.set_name(name);
    }

    /// Orders tasks by their creation: smaller is younger, given the number of the youngest.
    pub(super) fn age(&self, youngest: u32) -> (u32, bool, std::cmp::Reverse<u32>) {
        // The numbers may have gone round. Those with a name came before the one without whose number they have.
        let named = self.core.named();
        (youngest.wrapping_sub(self.number), named > 0, std::cmp::Reverse(named))
    }

    /// `cancelling()`.
    pub fn cancelling(&self) -> u32 {
        self.core.cancel_requests.get()
    }

    /// `uncancel()`: the requests left.
    pub fn uncancel(&self) -> u32 {
        self.core.cancel_requests.set(self.core.cancel_requests.get().saturating_sub(1));
        self.core.cancel_requests.get()
    }

    /// The coroutine.
    pub fn coro(&self) -> Value {
        self.coro.get().map_or(Value::None, Value::Obj)
    }

    /// The future it waits for.
    pub fn waits_for(&self) -> Option<AnyFuture> {
        self.waits_for.get()
    }

    /// Whether its next step throws a `CancelledError` in.
    pub fn must_cancel(&self) -> bool {
        self.core.must_cancel.get()
    }

    /// Its context variables, as an object.
    pub fn context(&self, vm: &Vm) -> Ref<Context> {
        if let Some(known) = self.context.get() {
            return known;
        }
        let made = super::context::empty(vm);
        self.context.set(Some(made.clone()));
        made
    }

    /// The same if there is one.
    pub(super) fn known_context(&self) -> Option<Ref<Context>> {
        self.context.get()
    }

    /// The name of its state in messages.
    pub fn state_name(&self) -> &'static str {
        match self.core.state() {
            State::Pending if self.core.cancel_requests.get() > 0 => "cancelling",
            state => state.name(),
        }
    }
}

/// A coroutine that awaits `awaitable`, which need not be one itself.
pub fn coroutine_of(vm: &Vm, awaitable: Value) -> Value {
    vm.native_coroutine(Box::new(AwaitIt { awaitable, asked: false }))
}

struct AwaitIt {
    awaitable: Value,
    asked: bool,
}

impl NativeFrame for AwaitIt {
    fn name(&self) -> &'static str {
        "_wrap_awaitable"
    }

    fn resume(&mut self, _vm: &Vm, sent: R) -> R<Step> {
        let value = sent?;
        if std::mem::replace(&mut self.asked, true) { Ok(Step::Done(value)) } else { Ok(Step::Await(self.awaitable.clone())) }
    }

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.value(&self.awaitable);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a task costs while it waits: with the header of 16 bytes these are cells of 96 and 64 bytes.
    #[test]
    fn tasks_and_futures_are_small() {
        if !cfg!(debug_assertions) {
            assert!(size_of::<Task>() <= 80);
            assert!(size_of::<super::super::Future>() <= 48);
        }
    }
}
