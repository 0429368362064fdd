//! `Condition`: a page over a `WaitQueue` and a lock. Barriers have one inside and wait for it as scripts do.

use super::lock::{self, Acquire, Lock};
use super::support::{Home, bracketed, is_cancellation};
use crate::native::define_class;
use crate::native_kind;
use crate::rows;
use crate::sched::wait_queue::Ticket;
use crate::sched::{self, WaitQueue};
use crate::stdlib::support::{add_class, wrap_new};
use crate::value::{Module, Payload, R, Ref, Shared, Value, Visitor};
use crate::vm::Vm;
use crate::vm::coroutine::{NativeFrame, Step};

pub fn load(vm: &Vm, module: &Ref<Module>) {
    let condition = define_class::<Condition>(
        vm,
        "asyncio.locks",
        "Condition",
        &rows![
            static "__new__", "cls, *args, **kwargs" => new(0);
            "__init__", "lock=None" => init(0 1);
            "__repr__", "" => repr(0);
            "locked", "" => locked(0);
            async "acquire", "" => acquire(0);
            "release", "" => release(0);
            async "wait", "" => wait(0);
            async "wait_for", "predicate" => wait_for(0 1);
            "notify", "n=1" => notify(0 1);
            "notify_all", "" => notify_all(0);
            async "__aenter__", "" => enter(0);
            async "__aexit__", "exc_type, exc, tb" => exit(0);
        ],
    );
    add_class(vm, module, &condition);
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

fn new(vm: &Vm, class: &Value) -> R {
    wrap_new(vm, class, Value::from(vm.heap.alloc(Condition::new(vm))))
}

fn init(_vm: &Vm, condition: &Ref<Condition>, lock: Option<&Ref<Lock>>) {
    if let Some(lock) = lock {
        condition.lock.set(lock.clone());
    }
}

fn repr(vm: &Vm, value: &Value) -> R<String> {
    let condition: &Ref<Condition> = crate::native::FromValue::from_value(vm, value)?;
    let state = if condition.lock().is_locked() { "locked" } else { "unlocked" };
    Ok(bracketed(vm, value, state.to_owned(), condition.waiters.len()))
}

fn locked(_vm: &Vm, condition: &Ref<Condition>) -> bool {
    condition.lock().is_locked()
}

fn acquire(_vm: &Vm, condition: &Ref<Condition>) -> R<impl NativeFrame + use<>> {
    Ok(Acquire::new(&condition.lock(), Value::TRUE))
}

fn release(vm: &Vm, condition: &Ref<Condition>) -> R<()> {
    condition.lock().release(vm)
}

fn wait(_vm: &Vm, condition: &Ref<Condition>) -> R<impl NativeFrame + use<>> {
    Ok(ConditionWait::new(condition))
}

fn wait_for(_vm: &Vm, condition: &Ref<Condition>, predicate: Value) -> R<impl NativeFrame + use<>> {
    Ok(WaitFor { condition: condition.clone(), predicate, wait: None })
}

fn notify(vm: &Vm, condition: &Ref<Condition>, count: Option<i64>) -> R<()> {
    condition.notify(vm, count.unwrap_or(1).max(0) as usize)
}

fn notify_all(vm: &Vm, condition: &Ref<Condition>) -> R<()> {
    condition.notify(vm, usize::MAX)
}

fn enter(_vm: &Vm, condition: &Ref<Condition>) -> R<impl NativeFrame + use<>> {
    Ok(Acquire::new(&condition.lock(), Value::None))
}

fn exit(vm: &Vm, condition: &Ref<Condition>) -> R<impl NativeFrame + use<>> {
    lock::exit(vm, &condition.lock())
}
