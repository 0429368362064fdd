//! `async with asyncio.timeout()`: the state behind the block. The methods are in `stdlib/asyncio/timeouts.rs`.

use std::cell::Cell;

use super::handle::Handle;
use super::task::Task;
use super::timers::Due;
use super::{now, running_loop};
use crate::native_kind;
use crate::value::{Payload, R, Ref, Shared, Value, Visitor};
use crate::vm::Vm;

/// Where a timeout stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    Created,
    Active,
    Expiring,
    Expired,
    Finished,
}

impl Stage {
    /// The name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Stage::Created => "created",
            Stage::Active => "active",
            Stage::Expiring => "expiring",
            Stage::Expired => "expired",
            Stage::Finished => "finished",
        }
    }
}

/// The payload of a timeout.
pub struct Timeout {
    pub stage: Cell<Stage>,
    pub when: Cell<Option<f64>>,
    /// The task inside the block.
    pub task: Shared<Option<Ref<Task>>>,
    /// Its cancellation requests when it entered.
    pub cancelling: Cell<u32>,
    /// The timer that counts: an earlier one, rescheduled since, has a smaller number. 0 means none.
    serial: Cell<u32>,
    timers: Cell<u32>,
}

impl Payload for Timeout {
    native_kind!();
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        self.task.with(|task| {
            if let Some(task) = task {
                visitor.reference(task);
            }
        });
    }

    fn clear(&self) {
        self.task.set(None);
    }
}

impl Timeout {
    /// A timeout at a time of the loop's clock.
    pub fn new(when: Option<f64>) -> Timeout {
        Timeout {
            stage: Cell::new(Stage::Created),
            when: Cell::new(when),
            task: Shared::new(None),
            cancelling: Cell::new(0),
            serial: Cell::new(0),
            timers: Cell::new(0),
        }
    }

    /// Whether the timer with this number still counts.
    pub(super) fn expects(&self, serial: u32) -> bool {
        self.serial.get() == serial
    }

    /// Forgets the timer.
    pub fn disarm(&self) {
        if self.serial.replace(0) != 0
            && let Some(task) = self.task.get()
        {
            task.core.event_loop.note_cancelled_timer();
        }
    }
}

impl Ref<Timeout> {
    /// Sets the time, and the timer for it.
    pub fn schedule(&self, vm: &Vm, when: Option<f64>) -> R<()> {
        self.when.set(when);
        self.disarm();
        let Some(when) = when else { return Ok(()) };
        let event_loop = running_loop(vm)?;
        self.timers.set(self.timers.get().wrapping_add(1).max(1));
        self.serial.set(self.timers.get());
        let due = Due::Expire(self.clone(), self.serial.get());
        if when <= now(vm) { event_loop.push(vm, Handle::Timer(due)) } else { event_loop.add_timer(vm, when, due) }
    }
}

/// The time is over: the task inside the block is cancelled.
pub(super) fn expire(vm: &Vm, timeout: &Ref<Timeout>, serial: u32) -> R<()> {
    if !timeout.expects(serial) || timeout.stage.get() != Stage::Active {
        return Ok(());
    }
    timeout.serial.set(0);
    if let Some(task) = timeout.task.get() {
        super::task::cancel(vm, &task, &Value::None)?;
    }
    timeout.stage.set(Stage::Expiring);
    Ok(())
}
