//! `Lock`: a page over a `WaitQueue`. Conditions and barriers have one inside and acquire it as scripts do.

use std::cell::Cell;

use super::support::{Home, bracketed, is_cancellation, once};
use crate::native::define_class;
use crate::native_kind;
use crate::rows;
use crate::sched::wait_queue::Ticket;
use crate::sched::{self, WaitQueue};
use crate::stdlib::support::{add_class, wrap_new};
use crate::value::{Module, Payload, R, Ref, Value, Visitor};
use crate::vm::Vm;
use crate::vm::coroutine::{NativeFrame, Step};

pub fn load(vm: &Vm, module: &Ref<Module>) {
    let lock = define_class::<Lock>(
        vm,
        "asyncio.locks",
        "Lock",
        &rows![
            static "__new__", "cls, *args, **kwargs" => new(0);
            "__init__", "" => init(0);
            "__repr__", "" => repr(0);
            "locked", "" => locked(0);
            async "acquire", "" => acquire(0);
            "release", "" => release(0);
            async "__aenter__", "" => enter(0);
            async "__aexit__", "exc_type, exc, tb" => exit(0);
        ],
    );
    add_class(vm, module, &lock);
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

fn new(vm: &Vm, class: &Value) -> R {
    wrap_new(vm, class, Value::from(vm.heap.alloc(Lock::default())))
}

fn init(_vm: &Vm, _lock: &Ref<Lock>) {}

fn repr(vm: &Vm, value: &Value) -> R<String> {
    let lock: &Ref<Lock> = crate::native::FromValue::from_value(vm, value)?;
    let state = if lock.locked.get() { "locked" } else { "unlocked" };
    Ok(bracketed(vm, value, state.to_owned(), lock.waiters.len()))
}

fn locked(_vm: &Vm, lock: &Ref<Lock>) -> bool {
    lock.locked.get()
}

fn acquire(_vm: &Vm, lock: &Ref<Lock>) -> R<impl NativeFrame + use<>> {
    Ok(Acquire::new(lock, Value::TRUE))
}

fn release(vm: &Vm, lock: &Ref<Lock>) -> R<()> {
    lock.release(vm)
}

fn enter(_vm: &Vm, lock: &Ref<Lock>) -> R<impl NativeFrame + use<>> {
    Ok(Acquire::new(lock, Value::None))
}

/// Leaving `async with` over a lock, or over what has one inside.
pub fn exit(_vm: &Vm, lock: &Ref<Lock>) -> R<impl NativeFrame + use<>> {
    once("__aexit__", [Value::from(lock)], |vm, [lock]| {
        if let Some(lock) = lock.payload::<Lock>() {
            lock.release(vm)?;
        }
        Ok(Value::None)
    })
}
