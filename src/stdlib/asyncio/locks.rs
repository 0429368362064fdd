//! `Lock`, `Event`, `Condition`, `Semaphore`, `BoundedSemaphore`: each a page over a `WaitQueue`.

use std::cell::Cell;

use super::support::{Home, is_cancellation, once, plain_repr};
use crate::native::define_class;
use crate::native_kind;
use crate::rows;
use crate::sched::wait_queue::Ticket;
use crate::sched::{self, WaitQueue, payload_class};
use crate::stdlib::support::{add_class, wrap_new};
use crate::value::{Module, Payload, R, Ref, Shared, Value, Visitor};
use crate::vm::Vm;
use crate::vm::coroutine::{NativeFrame, Step};

pub fn load(vm: &Vm, module: &Ref<Module>) {
    let lock = define_class::<Lock>(
        vm,
        "asyncio.locks",
        "Lock",
        &rows![
            static "__new__", "cls, *args, **kwargs" => lock_new(0);
            "__init__", "" => lock_init(0);
            "__repr__", "" => lock_repr(0);
            "locked", "" => lock_locked(0);
            async "acquire", "" => lock_acquire(0);
            "release", "" => lock_release(0);
            async "__aenter__", "" => lock_enter(0);
            async "__aexit__", "exc_type, exc, tb" => lock_exit(0);
        ],
    );
    let event = define_class::<Event>(
        vm,
        "asyncio.locks",
        "Event",
        &rows![
            static "__new__", "cls, *args, **kwargs" => event_new(0);
            "__init__", "" => event_init(0);
            "__repr__", "" => event_repr(0);
            "is_set", "" => event_is_set(0);
            "set", "" => event_set(0);
            "clear", "" => event_clear(0);
            async "wait", "" => event_wait(0);
        ],
    );
    let condition = define_class::<Condition>(
        vm,
        "asyncio.locks",
        "Condition",
        &rows![
            static "__new__", "cls, *args, **kwargs" => condition_new(0);
            "__init__", "lock=None" => condition_init(0 1);
            "__repr__", "" => condition_repr(0);
            "locked", "" => condition_locked(0);
            async "acquire", "" => condition_acquire(0);
            "release", "" => condition_release(0);
            async "wait", "" => condition_wait(0);
            async "wait_for", "predicate" => condition_wait_for(0 1);
            "notify", "n=1" => condition_notify(0 1);
            "notify_all", "" => condition_notify_all(0);
            async "__aenter__", "" => condition_enter(0);
            async "__aexit__", "exc_type, exc, tb" => condition_exit(0);
        ],
    );
    let semaphore = define_class::<Semaphore>(
        vm,
        "asyncio.locks",
        "Semaphore",
        &rows![
            static "__new__", "cls, *args, **kwargs" => semaphore_new(0);
            "__init__", "value=1" => semaphore_init(0 1);
            "__repr__", "" => semaphore_repr(0);
            "locked", "" => semaphore_locked(0);
            async "acquire", "" => semaphore_acquire(0);
            "release", "" => semaphore_release(0);
            async "__aenter__", "" => semaphore_enter(0);
            async "__aexit__", "exc_type, exc, tb" => semaphore_exit(0);
        ],
    );
    let bounded = payload_class::<Bounded>(vm, "asyncio.locks", "BoundedSemaphore", &semaphore);
    crate::native::define_methods(
        vm,
        &bounded,
        &rows![
            static "__new__", "cls, *args, **kwargs" => bounded_new(0);
            "__init__", "value=1" => semaphore_init(0 1);
        ],
    );
    for class in [lock, event, condition, semaphore, bounded] {
        add_class(vm, module, &class);
    }
}

/// Adds what is in the square brackets of a primitive's repr.
fn bracketed(vm: &Vm, value: &Value, mut extra: String, waiters: usize) -> String {
    if waiters > 0 {
        extra.push_str(&format!(", waiters:{waiters}"));
    }
    format!("{} [{extra}]>", plain_repr(vm, value))
}

/// The payload of a lock.
#[derive(Default)]
pub struct Lock {
    locked: Cell<bool>,
    waiters: WaitQueue,
    home: Home,
}

impl Payload for Lock {
    native_kind!();
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        self.waiters.trace(visitor);
        self.home.trace(visitor);
    }

    fn clear(&self) {
        self.waiters.clear();
        self.home.clear();
    }
}

impl Lock {
    /// Whether someone holds it.
    pub fn is_locked(&self) -> bool {
        self.locked.get()
    }

    /// Gives it back: the first who waits is next.
    pub fn release(&self, vm: &Vm) -> R<()> {
        if !self.locked.replace(false) {
            return Err(vm.runtime_error("Lock is not acquired."));
        }
        self.wake_first(vm)
    }

    fn wake_first(&self, vm: &Vm) -> R<()> {
        match self.waiters.front() {
            Some(first) if !first.core.is_done() => sched::AnyFuture::from(&first).set_result(vm, Value::TRUE),
            _ => Ok(()),
        }
    }
}

/// `lock.acquire()`.
pub struct Acquire {
    lock: Ref<Lock>,
    ticket: Option<Ticket>,
    result: Value,
}

impl Acquire {
    /// Acquiring a lock.
    pub fn new(lock: &Ref<Lock>, result: Value) -> Acquire {
        Acquire { lock: lock.clone(), ticket: None, result }
    }
}

impl NativeFrame for Acquire {
    fn name(&self) -> &'static str {
        "acquire"
    }

    fn resume(&mut self, vm: &Vm, sent: R) -> R<Step> {
        let lock = &self.lock;
        let Some(ticket) = self.ticket.take() else {
            sent?;
            if !lock.locked.get() && !lock.waiters.has_live() {
                lock.locked.set(true);
                return Ok(Step::Done(self.result.clone()));
            }
            let event_loop = lock.home.get(vm, &|| Value::from(lock))?;
            let (ticket, future) = lock.waiters.join(vm, &event_loop);
            self.ticket = Some(ticket);
            return Ok(Step::Await(future));
        };
        drop(lock.waiters.leave(ticket));
        if let Err(raised) = sent {
            if is_cancellation(vm) && !lock.locked.get() {
                lock.wake_first(vm)?;
            }
            return Err(raised);
        }
        lock.locked.set(true);
        Ok(Step::Done(self.result.clone()))
    }

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.reference(&self.lock);
        visitor.value(&self.result);
    }
}

fn lock_new(vm: &Vm, class: &Value) -> R {
    wrap_new(vm, class, Value::from(vm.heap.alloc(Lock::default())))
}

fn lock_init(_vm: &Vm, _lock: &Ref<Lock>) {}

fn lock_repr(vm: &Vm, value: &Value) -> R<String> {
    let lock: &Ref<Lock> = crate::native::FromValue::from_value(vm, value)?;
    let state = if lock.locked.get() { "locked" } else { "unlocked" };
    Ok(bracketed(vm, value, state.to_owned(), lock.waiters.len()))
}

fn lock_locked(_vm: &Vm, lock: &Ref<Lock>) -> bool {
    lock.locked.get()
}

fn lock_acquire(_vm: &Vm, lock: &Ref<Lock>) -> R<impl NativeFrame + use<>> {
    Ok(Acquire::new(lock, Value::TRUE))
}

fn lock_release(vm: &Vm, lock: &Ref<Lock>) -> R<()> {
    lock.release(vm)
}

fn lock_enter(_vm: &Vm, lock: &Ref<Lock>) -> R<impl NativeFrame + use<>> {
    Ok(Acquire::new(lock, Value::None))
}

fn lock_exit(_vm: &Vm, lock: &Ref<Lock>) -> R<impl NativeFrame + use<>> {
    once("__aexit__", [Value::from(lock)], |vm, [lock]| {
        if let Some(lock) = lock.payload::<Lock>() {
            lock.release(vm)?;
        }
        Ok(Value::None)
    })
}

/// The payload of an event.
#[derive(Default)]
pub struct Event {
    is_set: Cell<bool>,
    waiters: WaitQueue,
    home: Home,
}

impl Payload for Event {
    native_kind!();
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        self.waiters.trace(visitor);
        self.home.trace(visitor);
    }

    fn clear(&self) {
        self.waiters.clear();
        self.home.clear();
    }
}

fn event_new(vm: &Vm, class: &Value) -> R {
    wrap_new(vm, class, Value::from(vm.heap.alloc(Event::default())))
}

fn event_init(_vm: &Vm, _event: &Ref<Event>) {}

fn event_repr(vm: &Vm, value: &Value) -> R<String> {
    let event: &Ref<Event> = crate::native::FromValue::from_value(vm, value)?;
    let state = if event.is_set.get() { "set" } else { "unset" };
    event.waiters.forget_done();
    Ok(bracketed(vm, value, state.to_owned(), event.waiters.len()))
}

fn event_is_set(_vm: &Vm, event: &Ref<Event>) -> bool {
    event.is_set.get()
}

fn event_set(vm: &Vm, event: &Ref<Event>) -> R<()> {
    if !event.is_set.replace(true) {
        event.waiters.wake_all(vm, &Value::TRUE)?;
        event.waiters.clear();
    }
    Ok(())
}

fn event_clear(_vm: &Vm, event: &Ref<Event>) {
    event.is_set.set(false);
}

struct EventWait {
    event: Ref<Event>,
    ticket: Option<Ticket>,
}

fn event_wait(_vm: &Vm, event: &Ref<Event>) -> R<impl NativeFrame + use<>> {
    Ok(EventWait { event: event.clone(), ticket: None })
}

impl NativeFrame for EventWait {
    fn name(&self) -> &'static str {
        "wait"
    }

    fn resume(&mut self, vm: &Vm, sent: R) -> R<Step> {
        let event = &self.event;
        if let Some(ticket) = self.ticket.take() {
            drop(event.waiters.leave(ticket));
            return sent.map(|_| Step::Done(Value::TRUE));
        }
        sent?;
        if event.is_set.get() {
            return Ok(Step::Done(Value::TRUE));
        }
        let event_loop = event.home.get(vm, &|| Value::from(event))?;
        // The future's value is this coroutine's, and `set` takes all waiters out, so nobody need come back here.
        event.waiters.forget_done();
        let (ticket, future) = event.waiters.join(vm, &event_loop);
        self.ticket = Some(ticket);
        Ok(Step::Tail(future))
    }

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.reference(&self.event);
    }
}

/// The payload of a condition.
pub struct Condition {
    lock: Shared<Ref<Lock>>,
    waiters: WaitQueue,
    home: Home,
}

impl Payload for Condition {
    native_kind!();
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        self.lock.with(|lock| visitor.reference(lock));
        self.waiters.trace(visitor);
        self.home.trace(visitor);
    }

    fn clear(&self) {
        self.waiters.clear();
        self.home.clear();
    }
}

impl Condition {
    /// A condition with a lock of its own.
    pub fn new(vm: &Vm) -> Condition {
        let lock = vm.heap.alloc(Lock::default());
        Condition { lock: Shared::new(lock), waiters: WaitQueue::default(), home: Home::default() }
    }

    /// The lock.
    pub fn lock(&self) -> Ref<Lock> {
        self.lock.get()
    }

    /// Wakes up to `count` who wait.
    pub fn notify(&self, vm: &Vm, count: usize) -> R<()> {
        if !self.lock.get().is_locked() {
            return Err(vm.runtime_error("cannot notify on un-acquired lock"));
        }
        for _ in 0..count {
            if !self.waiters.wake_one(vm, Value::FALSE)? {
                break;
            }
        }
        Ok(())
    }
}

/// `condition.wait()`.
pub struct ConditionWait {
    condition: Ref<Condition>,
    stage: WaitStage,
}

enum WaitStage {
    Start,
    Waiting(Ticket),
    /// The lock must be had again, whatever happens meanwhile.
    Reacquiring {
        acquire: Acquire,
        outcome: Option<Value>,
        cancelled: bool,
    },
}

impl ConditionWait {
    /// Waiting for a notification.
    pub fn new(condition: &Ref<Condition>) -> ConditionWait {
        ConditionWait { condition: condition.clone(), stage: WaitStage::Start }
    }
}

impl NativeFrame for ConditionWait {
    fn name(&self) -> &'static str {
        "wait"
    }

    fn resume(&mut self, vm: &Vm, sent: R) -> R<Step> {
        let condition = &self.condition;
        match &mut self.stage {
            WaitStage::Start => {
                sent?;
                let lock = condition.lock();
                if !lock.is_locked() {
                    return Err(vm.runtime_error("cannot wait on un-acquired lock"));
                }
                lock.release(vm)?;
                let event_loop = condition.home.get(vm, &|| Value::from(condition))?;
                let (ticket, future) = condition.waiters.join(vm, &event_loop);
                self.stage = WaitStage::Waiting(ticket);
                Ok(Step::Await(future))
            }
            WaitStage::Waiting(ticket) => {
                drop(condition.waiters.leave(*ticket));
                let outcome = sent.err().map(|_| vm.take_raised());
                let acquire = Acquire::new(&condition.lock(), Value::TRUE);
                self.stage = WaitStage::Reacquiring { acquire, outcome, cancelled: false };
                self.resume(vm, Ok(Value::None))
            }
            WaitStage::Reacquiring { acquire, outcome, cancelled } => match acquire.resume(vm, sent) {
                Ok(Step::Done(_)) => {
                    let failure = if *cancelled {
                        let error = sched::cancelled_error(vm, &Value::None);
                        Some(error)
                    } else {
                        outcome.take()
                    };
                    match failure {
                        None => Ok(Step::Done(Value::TRUE)),
                        Some(exception) => Err(vm.raise(exception)),
                    }
                }
                Err(_) if is_cancellation(vm) => {
                    drop(vm.take_raised());
                    *cancelled = true;
                    *acquire = Acquire::new(&condition.lock(), Value::TRUE);
                    self.resume(vm, Ok(Value::None))
                }
                step => step,
            },
        }
    }

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.reference(&self.condition);
        if let WaitStage::Reacquiring { acquire, outcome, .. } = &self.stage {
            acquire.trace(visitor);
            visitor.values(outcome);
        }
    }
}

/// `condition.wait_for(predicate)`.
struct WaitFor {
    condition: Ref<Condition>,
    predicate: Value,
    wait: Option<ConditionWait>,
}

impl NativeFrame for WaitFor {
    fn name(&self) -> &'static str {
        "wait_for"
    }

    fn resume(&mut self, vm: &Vm, sent: R) -> R<Step> {
        let mut sent = sent;
        loop {
            if let Some(wait) = &mut self.wait {
                match wait.resume(vm, sent)? {
                    Step::Done(_) => self.wait = None,
                    step => return Ok(step),
                }
            } else {
                sent?;
            }
            let answer = vm.call(&self.predicate, &[])?;
            if vm.truthy(&answer)? {
                return Ok(Step::Done(answer));
            }
            self.wait = Some(ConditionWait::new(&self.condition));
            sent = Ok(Value::None);
        }
    }

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.reference(&self.condition);
        visitor.value(&self.predicate);
        if let Some(wait) = &self.wait {
            wait.trace(visitor);
        }
    }
}

fn condition_new(vm: &Vm, class: &Value) -> R {
    wrap_new(vm, class, Value::from(vm.heap.alloc(Condition::new(vm))))
}

fn condition_init(_vm: &Vm, condition: &Ref<Condition>, lock: Option<&Ref<Lock>>) {
    if let Some(lock) = lock {
        condition.lock.set(lock.clone());
    }
}

fn condition_repr(vm: &Vm, value: &Value) -> R<String> {
    let condition: &Ref<Condition> = crate::native::FromValue::from_value(vm, value)?;
    let state = if condition.lock().is_locked() { "locked" } else { "unlocked" };
    Ok(bracketed(vm, value, state.to_owned(), condition.waiters.len()))
}

fn condition_locked(_vm: &Vm, condition: &Ref<Condition>) -> bool {
    condition.lock().is_locked()
}

fn condition_acquire(_vm: &Vm, condition: &Ref<Condition>) -> R<impl NativeFrame + use<>> {
    Ok(Acquire::new(&condition.lock(), Value::TRUE))
}

fn condition_release(vm: &Vm, condition: &Ref<Condition>) -> R<()> {
    condition.lock().release(vm)
}

fn condition_wait(_vm: &Vm, condition: &Ref<Condition>) -> R<impl NativeFrame + use<>> {
    Ok(ConditionWait::new(condition))
}

fn condition_wait_for(_vm: &Vm, condition: &Ref<Condition>, predicate: Value) -> R<impl NativeFrame + use<>> {
    Ok(WaitFor { condition: condition.clone(), predicate, wait: None })
}

fn condition_notify(vm: &Vm, condition: &Ref<Condition>, count: Option<i64>) -> R<()> {
    condition.notify(vm, count.unwrap_or(1).max(0) as usize)
}

fn condition_notify_all(vm: &Vm, condition: &Ref<Condition>) -> R<()> {
    condition.notify(vm, usize::MAX)
}

fn condition_enter(_vm: &Vm, condition: &Ref<Condition>) -> R<impl NativeFrame + use<>> {
    Ok(Acquire::new(&condition.lock(), Value::None))
}

fn condition_exit(vm: &Vm, condition: &Ref<Condition>) -> R<impl NativeFrame + use<>> {
    lock_exit(vm, &condition.lock())
}

/// The payload of a semaphore.
#[derive(Default)]
pub struct Semaphore {
    counter: Counter,
}

/// The payload of a bounded semaphore.
#[derive(Default)]
pub struct Bounded {
    counter: Counter,
}

#[derive(Default)]
struct Counter {
    value: Cell<i64>,
    /// What the value may not exceed.
    bound: Cell<Option<i64>>,
    waiters: WaitQueue,
    home: Home,
}

impl Counter {
    fn trace(&self, visitor: &mut Visitor<'_>) {
        self.waiters.trace(visitor);
        self.home.trace(visitor);
    }

    fn clear(&self) {
        self.waiters.clear();
        self.home.clear();
    }

    fn is_locked(&self) -> bool {
        self.value.get() == 0 || self.waiters.has_live()
    }

    fn wake_next(&self, vm: &Vm) -> R<()> {
        if let Some(next) = self.waiters.next_waiter() {
            self.value.set(self.value.get() - 1);
            sched::AnyFuture::from(&next).set_result(vm, Value::TRUE)?;
        }
        Ok(())
    }

    fn release(&self, vm: &Vm) -> R<()> {
        if self.bound.get().is_some_and(|bound| self.value.get() >= bound) {
            return Err(vm.value_error("BoundedSemaphore released too many times"));
        }
        self.value.set(self.value.get() + 1);
        self.wake_next(vm)
    }
}

macro_rules! counter_payload {
    ($name:ident) => {
        impl Payload for $name {
            native_kind!();
            const CONTAINER: bool = true;

            fn trace(&self, visitor: &mut Visitor<'_>) {
                self.counter.trace(visitor);
            }

            fn clear(&self) {
                self.counter.clear();
            }
        }
    };
}

counter_payload!(Semaphore);
counter_payload!(Bounded);

/// The counter of a semaphore of either kind.
fn counter<'a>(vm: &Vm, value: &'a Value) -> R<&'a Counter> {
    if let Some(semaphore) = value.payload::<Semaphore>() {
        Ok(&semaphore.counter)
    } else if let Some(semaphore) = value.payload::<Bounded>() {
        Ok(&semaphore.counter)
    } else {
        Err(vm.type_error("expected a semaphore"))
    }
}

struct SemaphoreAcquire {
    semaphore: Value,
    ticket: Option<Ticket>,
    result: Value,
}

impl NativeFrame for SemaphoreAcquire {
    fn name(&self) -> &'static str {
        "acquire"
    }

    fn resume(&mut self, vm: &Vm, sent: R) -> R<Step> {
        let counter = counter(vm, &self.semaphore)?;
        let Some(ticket) = self.ticket.take() else {
            sent?;
            if !counter.is_locked() {
                counter.value.set(counter.value.get() - 1);
                return Ok(Step::Done(self.result.clone()));
            }
            let event_loop = counter.home.get(vm, &|| self.semaphore.clone())?;
            let (ticket, future) = counter.waiters.join(vm, &event_loop);
            self.ticket = Some(ticket);
            return Ok(Step::Await(future));
        };
        let future = counter.waiters.leave(ticket);
        if let Err(raised) = sent {
            if is_cancellation(vm) && future.is_some_and(|future| !future.core.is_cancelled()) {
                counter.value.set(counter.value.get() + 1);
                counter.wake_next(vm)?;
            }
            return Err(raised);
        }
        if counter.value.get() > 0 {
            counter.wake_next(vm)?;
        }
        Ok(Step::Done(self.result.clone()))
    }

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.values([&self.semaphore, &self.result]);
    }
}

fn semaphore_new(vm: &Vm, class: &Value) -> R {
    wrap_new(vm, class, Value::from(vm.heap.alloc(Semaphore::default())))
}

fn bounded_new(vm: &Vm, class: &Value) -> R {
    wrap_new(vm, class, Value::from(vm.heap.alloc(Bounded::default())))
}

fn semaphore_init(vm: &Vm, semaphore: &Value, value: Option<i64>) -> R<()> {
    let value = value.unwrap_or(1);
    if value < 0 {
        return Err(vm.value_error("Semaphore initial value must be >= 0"));
    }
    let counter = counter(vm, semaphore)?;
    counter.value.set(value);
    if semaphore.payload::<Bounded>().is_some() {
        counter.bound.set(Some(value));
    }
    Ok(())
}

fn semaphore_repr(vm: &Vm, value: &Value) -> R<String> {
    let counter = counter(vm, value)?;
    let state = if counter.is_locked() { "locked".to_owned() } else { format!("unlocked, value:{}", counter.value.get()) };
    Ok(bracketed(vm, value, state, counter.waiters.len()))
}

fn semaphore_locked(vm: &Vm, semaphore: &Value) -> R<bool> {
    counter(vm, semaphore).map(Counter::is_locked)
}

fn semaphore_acquire(_vm: &Vm, semaphore: Value) -> R<impl NativeFrame + use<>> {
    Ok(SemaphoreAcquire { semaphore, ticket: None, result: Value::TRUE })
}

fn semaphore_release(vm: &Vm, semaphore: &Value) -> R<()> {
    counter(vm, semaphore)?.release(vm)
}

fn semaphore_enter(_vm: &Vm, semaphore: Value) -> R<impl NativeFrame + use<>> {
    Ok(SemaphoreAcquire { semaphore, ticket: None, result: Value::None })
}

fn semaphore_exit(_vm: &Vm, semaphore: Value) -> R<impl NativeFrame + use<>> {
    once("__aexit__", [semaphore], |vm, [semaphore]| {
        counter(vm, semaphore)?.release(vm)?;
        Ok(Value::None)
    })
}
