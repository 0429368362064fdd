//! `Lock` and `RLock`: threads that wait stand in a queue, in order of arrival.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use crate::native::define_class;
use crate::native_kind;
use crate::rows;
use crate::sched::baton::{ThreadId, Woken};
use crate::sched::{self, report, threads};
use crate::stdlib::support::wrap_new;
use crate::value::{Class, Payload, R, Ref, Value};
use crate::vm::Vm;

/// What both kinds are.
#[derive(Default)]
struct Mutex {
    owner: Cell<Option<ThreadId>>,
    /// How often the owner has it.
    times: Cell<u32>,
    waiters: RefCell<VecDeque<ThreadId>>,
}

/// The payload of a `Lock`.
#[derive(Default)]
pub struct Lock(Mutex);

/// The payload of an `RLock`.
#[derive(Default)]
pub struct Reentrant(Mutex);

impl Payload for Lock {
    native_kind!();
    const CONTAINER: bool = false;
}

impl Payload for Reentrant {
    native_kind!();
    const CONTAINER: bool = false;
}

/// The class `Lock`.
pub fn class(vm: &Vm) -> Ref<Class> {
    define_class::<Lock>(
        vm,
        "_thread",
        "Lock",
        &rows![
            static "__new__", "cls" => new(0);
            "__repr__", "" => repr(0);
            "acquire", "blocking=True, timeout=-1" => acquire(0 1 2);
            "release", "" => release(0);
            "locked", "" => locked(0);
            "__enter__", "" => enter(0);
            "__exit__", "*args" => exit(0);
        ],
    )
}

/// The class `RLock`.
pub fn reentrant_class(vm: &Vm) -> Ref<Class> {
    define_class::<Reentrant>(
        vm,
        "_thread",
        "RLock",
        &rows![
            static "__new__", "cls" => new_reentrant(0);
            "__repr__", "" => repr(0);
            "acquire", "blocking=True, timeout=-1" => acquire(0 1 2);
            "release", "" => release(0);
            "__enter__", "" => enter(0);
            "__exit__", "*args" => exit(0);
            "_is_owned", "" => is_owned(0);
            "_release_save", "" => release_save(0);
            "_acquire_restore", "times" => acquire_restore(0 1);
        ],
    )
}

fn new(vm: &Vm, class: &Value) -> R {
    wrap_new(vm, class, Value::from(vm.heap.alloc(Lock::default())))
}

fn new_reentrant(vm: &Vm, class: &Value) -> R {
    wrap_new(vm, class, Value::from(vm.heap.alloc(Reentrant::default())))
}

/// The lock behind an object, and whether its owner may take it again.
fn of<'a>(vm: &Vm, this: &'a Value) -> R<(&'a Mutex, bool)> {
    if let Some(lock) = this.payload::<Lock>() {
        Ok((&lock.0, false))
    } else if let Some(lock) = this.payload::<Reentrant>() {
        Ok((&lock.0, true))
    } else {
        Err(vm.type_error("expected a lock"))
    }
}

impl Mutex {
    /// Takes the lock, waiting until a time if one is named.
    fn acquire(&self, vm: &Vm, reentrant: bool, blocking: bool, timeout: Option<f64>) -> R<bool> {
        let current = threads::current(vm);
        if reentrant && self.owner.get() == Some(current) {
            self.times.set(self.times.get() + 1);
            return Ok(true);
        }
        let until = timeout.map(|timeout| sched::now(vm) + timeout);
        while self.owner.get().is_some() {
            if !blocking || until.is_some_and(|until| sched::now(vm) >= until) {
                return Ok(false);
            }
            self.waiters.borrow_mut().push_back(current);
            let woken = threads::park(vm, until);
            self.waiters.borrow_mut().retain(|waiter| *waiter != current);
            match woken? {
                Woken::Deadlock => return Err(report::thread_deadlock(vm, "lock.acquire()")),
                Woken::TimedOut if self.owner.get().is_some() => return Ok(false),
                _ => {}
            }
        }
        self.owner.set(Some(current));
        self.times.set(1);
        Ok(true)
    }

    /// Gives it back once.
    fn release(&self, vm: &Vm) {
        self.times.set(self.times.get().saturating_sub(1));
        if self.times.get() == 0 {
            self.owner.set(None);
            if let Some(next) = self.waiters.borrow_mut().pop_front() {
                threads::wake(vm, next);
            }
        }
    }
}

fn acquire(vm: &Vm, this: &Value, blocking: Option<bool>, timeout: Option<f64>) -> R<bool> {
    let (lock, reentrant) = of(vm, this)?;
    let (blocking, timeout) = (blocking.unwrap_or(true), timeout.unwrap_or(-1.0));
    if !blocking && timeout != -1.0 {
        return Err(vm.value_error("can't specify a timeout for a non-blocking call"));
    }
    if timeout < 0.0 && timeout != -1.0 {
        return Err(vm.value_error("timeout value must be a non-negative number"));
    }
    lock.acquire(vm, reentrant, blocking, (timeout >= 0.0).then_some(timeout))
}

fn release(vm: &Vm, this: &Value) -> R<()> {
    let (lock, reentrant) = of(vm, this)?;
    if reentrant && lock.owner.get() != Some(threads::current(vm)) {
        return Err(vm.runtime_error("cannot release un-acquired lock"));
    }
    if lock.owner.get().is_none() {
        return Err(vm.runtime_error("release unlocked lock"));
    }
    lock.release(vm);
    Ok(())
}

fn locked(vm: &Vm, this: &Value) -> R<bool> {
    Ok(of(vm, this)?.0.owner.get().is_some())
}

fn enter(vm: &Vm, this: &Value) -> R<bool> {
    acquire(vm, this, None, None)
}

fn exit(vm: &Vm, this: &Value) -> R<()> {
    release(vm, this)
}

fn is_owned(vm: &Vm, this: &Value) -> R<bool> {
    Ok(of(vm, this)?.0.owner.get() == Some(threads::current(vm)))
}

fn release_save(vm: &Vm, this: &Value) -> R<i64> {
    let (lock, _) = of(vm, this)?;
    if lock.owner.get() != Some(threads::current(vm)) {
        return Err(vm.runtime_error("cannot release un-acquired lock"));
    }
    let times = lock.times.replace(1);
    lock.release(vm);
    Ok(times.into())
}

fn acquire_restore(vm: &Vm, this: &Value, times: i64) -> R<()> {
    let (lock, reentrant) = of(vm, this)?;
    lock.acquire(vm, reentrant, true, None)?;
    lock.times.set(u32::try_from(times).unwrap_or(1).max(1));
    Ok(())
}

fn repr(vm: &Vm, this: &Value) -> R<String> {
    let (lock, reentrant) = of(vm, this)?;
    let state = if lock.owner.get().is_some() { "locked" } else { "unlocked" };
    let address = this.as_obj().map_or(0, |object| object.address());
    if reentrant {
        let owner = lock.owner.get().unwrap_or(0);
        let count = lock.times.get();
        return Ok(format!("<{state} _thread.RLock object owner={owner} count={count} at {address:#x}>"));
    }
    Ok(format!("<{state} _thread.lock object at {address:#x}>"))
}
