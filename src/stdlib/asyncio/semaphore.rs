//! `Semaphore` and `BoundedSemaphore`: a page over a counter with a `WaitQueue`.

use std::cell::Cell;

use super::support::{Home, bracketed, is_cancellation, once};
use crate::native::{define_class, define_methods};
use crate::native_kind;
use crate::rows;
use crate::sched::wait_queue::Ticket;
use crate::sched::{self, WaitQueue, payload_class};
use crate::stdlib::support::{add_class, wrap_new};
use crate::value::{Module, Payload, R, Ref, Value, Visitor};
use crate::vm::Vm;
use crate::vm::coroutine::{NativeFrame, Step};

pub fn load(vm: &Vm, module: &Ref<Module>) {
    let semaphore = define_class::<Semaphore>(
        vm,
        "asyncio.locks",
        "Semaphore",
        &rows![
            static "__new__", "cls, *args, **kwargs" => new(0);
            "__init__", "value=1" => init(0 1);
            "__repr__", "" => repr(0);
            "locked", "" => locked(0);
            get "_value" => value(0);
            async "acquire", "" => acquire(0);
            "release", "" => release(0);
            async "__aenter__", "" => enter(0);
            async "__aexit__", "exc_type, exc, tb" => exit(0);
        ],
    );
    let bounded = payload_class::<Bounded>(vm, "asyncio.locks", "BoundedSemaphore", &semaphore);
    define_methods(
        vm,
        &bounded,
        &rows![
            static "__new__", "cls, *args, **kwargs" => bounded_new(0);
            "__init__", "value=1" => init(0 1);
        ],
    );
    add_class(vm, module, &semaphore);
    add_class(vm, module, &bounded);
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

fn new(vm: &Vm, class: &Value) -> R {
    wrap_new(vm, class, Value::from(vm.heap.alloc(Semaphore::default())))
}

fn bounded_new(vm: &Vm, class: &Value) -> R {
    wrap_new(vm, class, Value::from(vm.heap.alloc(Bounded::default())))
}

fn init(vm: &Vm, semaphore: &Value, value: Option<i64>) -> R<()> {
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

fn repr(vm: &Vm, value: &Value) -> R<String> {
    let counter = counter(vm, value)?;
    let state = if counter.is_locked() { "locked".to_owned() } else { format!("unlocked, value:{}", counter.value.get()) };
    Ok(bracketed(vm, value, state, counter.waiters.len()))
}

fn locked(vm: &Vm, semaphore: &Value) -> R<bool> {
    counter(vm, semaphore).map(Counter::is_locked)
}

/// What is left, where programs are used to look.
fn value(vm: &Vm, semaphore: &Value) -> R<i64> {
    counter(vm, semaphore).map(|counter| counter.value.get())
}

fn acquire(_vm: &Vm, semaphore: Value) -> R<impl NativeFrame + use<>> {
    Ok(SemaphoreAcquire { semaphore, ticket: None, result: Value::TRUE })
}

fn release(vm: &Vm, semaphore: &Value) -> R<()> {
    counter(vm, semaphore)?.release(vm)
}

fn enter(_vm: &Vm, semaphore: Value) -> R<impl NativeFrame + use<>> {
    Ok(SemaphoreAcquire { semaphore, ticket: None, result: Value::None })
}

fn exit(_vm: &Vm, semaphore: Value) -> R<impl NativeFrame + use<>> {
    once("__aexit__", [semaphore], |vm, [semaphore]| {
        counter(vm, semaphore)?.release(vm)?;
        Ok(Value::None)
    })
}
