//! `Barrier`: a number of tasks that wait for each other.

use std::cell::Cell;

use super::condition::{Condition, ConditionWait};
use super::lock::Acquire;
use super::support::{once, plain_repr};
use crate::native::define_class;
use crate::native_kind;
use crate::rows;
use crate::sched;
use crate::stdlib::support::{add_class, wrap_new};
use crate::value::{Module, Payload, R, Ref, Value, Visitor};
use crate::vm::Vm;
use crate::vm::coroutine::{NativeFrame, Step};

pub fn load(vm: &Vm, module: &Ref<Module>) {
    let class = define_class::<Barrier>(
        vm,
        "asyncio.locks",
        "Barrier",
        &rows![
            static "__new__", "cls, *args, **kwargs" => new(0);
            "__init__", "parties" => init(0 1);
            "__repr__", "" => repr(0);
            async "wait", "" => wait(0);
            async "reset", "" => reset(0);
            async "abort", "" => abort(0);
            async "__aenter__", "" => wait(0);
            async "__aexit__", "exc_type, exc, tb" => exit(0);
            get "parties" => parties(0);
            get "n_waiting" => n_waiting(0);
            get "broken" => broken(0);
        ],
    );
    add_class(vm, module, &class);
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Filling,
    Draining,
    Resetting,
    Broken,
}

impl Stage {
    fn name(self) -> &'static str {
        match self {
            Stage::Filling => "filling",
            Stage::Draining => "draining",
            Stage::Resetting => "resetting",
            Stage::Broken => "broken",
        }
    }
}

struct Barrier {
    condition: Ref<Condition>,
    parties: Cell<i64>,
    count: Cell<i64>,
    stage: Cell<Stage>,
}

impl Payload for Barrier {
    native_kind!();
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.reference(&self.condition);
    }
}

impl Barrier {
    fn waiting(&self) -> i64 {
        if self.stage.get() == Stage::Filling { self.count.get() } else { 0 }
    }

    /// A task leaves: the last one opens the barrier for the next round.
    fn exit(&self, vm: &Vm) -> R<()> {
        self.count.set(self.count.get() - 1);
        if self.count.get() == 0 {
            if matches!(self.stage.get(), Stage::Resetting | Stage::Draining) {
                self.stage.set(Stage::Filling);
            }
            self.condition.notify(vm, usize::MAX)?;
        }
        Ok(())
    }
}

/// `barrier.wait()`: it holds the condition's lock whenever it runs.
enum Waiting {
    Start,
    Acquiring(Acquire),
    /// The round before must end first.
    Blocked(Option<ConditionWait>),
    /// Counted as number `index`.
    Inside {
        index: i64,
        wait: ConditionWait,
    },
    Over,
}

struct BarrierWait {
    barrier: Ref<Barrier>,
    stage: Waiting,
}

impl BarrierWait {
    /// Leaves the condition's lock with the outcome.
    fn release(&self, vm: &Vm, outcome: R) -> R<Step> {
        let held = outcome.as_ref().err().map(|_| vm.take_raised());
        self.barrier.condition.lock().release(vm)?;
        match held {
            Some(exception) => Err(vm.raise(exception)),
            None => outcome.map(Step::Done),
        }
    }

    /// Leaves the barrier and the lock.
    fn leave(&self, vm: &Vm, outcome: R) -> R<Step> {
        let held = outcome.as_ref().err().map(|_| vm.take_raised());
        self.barrier.exit(vm)?;
        let outcome = match held {
            Some(exception) => Err(vm.raise(exception)),
            None => outcome,
        };
        self.release(vm, outcome)
    }

    fn broken(&self, vm: &Vm, message: &str) -> R {
        Err(vm.raise_class(&sched::of(vm).classes.broken_barrier_error, message))
    }
}

impl NativeFrame for BarrierWait {
    fn name(&self) -> &'static str {
        "wait"
    }

    fn resume(&mut self, vm: &Vm, sent: R) -> R<Step> {
        let mut sent = sent;
        loop {
            match std::mem::replace(&mut self.stage, Waiting::Over) {
                Waiting::Start => self.stage = Waiting::Acquiring(Acquire::new(&self.barrier.condition.lock(), Value::None)),
                Waiting::Acquiring(mut acquire) => match acquire.resume(vm, sent)? {
                    Step::Done(_) => {
                        self.stage = Waiting::Blocked(None);
                        sent = Ok(Value::None);
                    }
                    step => {
                        self.stage = Waiting::Acquiring(acquire);
                        return Ok(step);
                    }
                },
                Waiting::Blocked(waiting) => {
                    if let Some(mut wait) = waiting {
                        match wait.resume(vm, sent) {
                            Ok(Step::Done(_)) => {}
                            Ok(step) => {
                                self.stage = Waiting::Blocked(Some(wait));
                                return Ok(step);
                            }
                            Err(raised) => return self.release(vm, Err(raised)),
                        }
                    }
                    sent = Ok(Value::None);
                    let barrier = &self.barrier;
                    match barrier.stage.get() {
                        Stage::Draining | Stage::Resetting => {
                            self.stage = Waiting::Blocked(Some(ConditionWait::new(&barrier.condition)));
                            continue;
                        }
                        Stage::Broken => {
                            let outcome = self.broken(vm, "Barrier aborted");
                            return self.release(vm, outcome);
                        }
                        Stage::Filling => {}
                    }
                    let index = barrier.count.get();
                    barrier.count.set(index + 1);
                    if index + 1 == barrier.parties.get() {
                        barrier.stage.set(Stage::Draining);
                        barrier.condition.notify(vm, usize::MAX)?;
                        return self.leave(vm, Ok(Value::Int(index)));
                    }
                    self.stage = Waiting::Inside { index, wait: ConditionWait::new(&barrier.condition) };
                }
                Waiting::Inside { index, mut wait } => match wait.resume(vm, sent) {
                    Ok(Step::Done(_)) => match self.barrier.stage.get() {
                        Stage::Filling => {
                            self.stage = Waiting::Inside { index, wait: ConditionWait::new(&self.barrier.condition) };
                            sent = Ok(Value::None);
                        }
                        Stage::Draining => return self.leave(vm, Ok(Value::Int(index))),
                        Stage::Broken | Stage::Resetting => {
                            let outcome = self.broken(vm, "Abort or reset of barrier");
                            return self.leave(vm, outcome);
                        }
                    },
                    Ok(step) => {
                        self.stage = Waiting::Inside { index, wait };
                        return Ok(step);
                    }
                    Err(raised) => return self.leave(vm, Err(raised)),
                },
                Waiting::Over => return sent.map(Step::Done),
            }
        }
    }

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.reference(&self.barrier);
        match &self.stage {
            Waiting::Acquiring(acquire) => acquire.trace(visitor),
            Waiting::Blocked(Some(wait)) | Waiting::Inside { wait, .. } => wait.trace(visitor),
            Waiting::Start | Waiting::Blocked(None) | Waiting::Over => {}
        }
    }
}

/// `reset()` and `abort()`: a change under the condition's lock.
struct Change {
    barrier: Ref<Barrier>,
    acquire: Acquire,
    name: &'static str,
}

impl NativeFrame for Change {
    fn name(&self) -> &'static str {
        self.name
    }

    fn resume(&mut self, vm: &Vm, sent: R) -> R<Step> {
        match self.acquire.resume(vm, sent)? {
            Step::Done(_) => {}
            step => return Ok(step),
        }
        let barrier = &self.barrier;
        let stage = match (self.name, barrier.count.get() > 0) {
            ("abort", _) => Stage::Broken,
            (_, true) => Stage::Resetting,
            (_, false) => Stage::Filling,
        };
        barrier.stage.set(stage);
        barrier.condition.notify(vm, usize::MAX)?;
        barrier.condition.lock().release(vm)?;
        Ok(Step::Done(Value::None))
    }

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.reference(&self.barrier);
        self.acquire.trace(visitor);
    }
}

fn new(vm: &Vm, class: &Value) -> R {
    let condition = vm.heap.alloc(Condition::new(vm));
    let barrier = Barrier { condition, parties: Cell::new(1), count: Cell::new(0), stage: Cell::new(Stage::Filling) };
    wrap_new(vm, class, Value::from(vm.heap.alloc(barrier)))
}

fn init(vm: &Vm, barrier: &Ref<Barrier>, parties: i64) -> R<()> {
    if parties < 1 {
        return Err(vm.value_error("parties must be > 0"));
    }
    barrier.parties.set(parties);
    Ok(())
}

fn repr(vm: &Vm, value: &Value) -> R<String> {
    let barrier: &Ref<Barrier> = crate::native::FromValue::from_value(vm, value)?;
    let mut extra = barrier.stage.get().name().to_owned();
    if barrier.stage.get() != Stage::Broken {
        extra.push_str(&format!(", waiters:{}/{}", barrier.waiting(), barrier.parties.get()));
    }
    Ok(format!("{} [{extra}]>", plain_repr(vm, value)))
}

fn wait(_vm: &Vm, barrier: &Ref<Barrier>) -> R<impl NativeFrame + use<>> {
    Ok(BarrierWait { barrier: barrier.clone(), stage: Waiting::Start })
}

fn change(barrier: &Ref<Barrier>, name: &'static str) -> R<impl NativeFrame + use<>> {
    let acquire = Acquire::new(&barrier.condition.lock(), Value::None);
    Ok(Change { barrier: barrier.clone(), acquire, name })
}

fn reset(_vm: &Vm, barrier: &Ref<Barrier>) -> R<impl NativeFrame + use<>> {
    change(barrier, "reset")
}

fn abort(_vm: &Vm, barrier: &Ref<Barrier>) -> R<impl NativeFrame + use<>> {
    change(barrier, "abort")
}

fn exit(_vm: &Vm, _barrier: &Ref<Barrier>) -> R<impl NativeFrame + use<>> {
    once("__aexit__", [], |_, []| Ok(Value::None))
}

fn parties(_vm: &Vm, barrier: &Ref<Barrier>) -> i64 {
    barrier.parties.get()
}

fn n_waiting(_vm: &Vm, barrier: &Ref<Barrier>) -> i64 {
    barrier.waiting()
}

fn broken(_vm: &Vm, barrier: &Ref<Barrier>) -> bool {
    barrier.stage.get() == Stage::Broken
}
