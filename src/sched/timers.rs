//! The timers of a loop: a heap ordered by time, then by creation. Cancelled ones are left in place and thrown out when they come up,
//! or all together when they are the majority.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::future::Future;
use super::handle::TimerHandle;
use super::timeout::Timeout;
use super::waiting::Completions;
use crate::value::{Ref, Visitor};

/// What happens when a timer is due.
#[derive(Clone)]
pub enum Due {
    /// The future gets the result `None`, unless it is done: what `asyncio.sleep` and timeouts of `asyncio.wait` use.
    Wake(Ref<Future>),
    /// The block `async with asyncio.timeout()` is over.
    Expire(Ref<Timeout>, u32),
    /// The time of `asyncio.as_completed` is over.
    GiveUp(Ref<Completions>),
    /// A callback of the script.
    Call(Ref<TimerHandle>),
}

impl Due {
    /// Whether nothing would happen any more.
    fn is_cancelled(&self) -> bool {
        match self {
            Due::Wake(future) => future.core.is_done(),
            Due::Expire(timeout, serial) => !timeout.expects(*serial),
            Due::GiveUp(completions) => completions.left.get() == 0,
            Due::Call(handle) => handle.call.is_cancelled(),
        }
    }

    /// Reports the references.
    pub fn trace(&self, visitor: &mut Visitor<'_>) {
        match self {
            Due::Wake(future) => visitor.reference(future),
            Due::Expire(timeout, _) => visitor.reference(timeout),
            Due::GiveUp(completions) => visitor.reference(completions),
            Due::Call(handle) => visitor.reference(handle),
        }
    }
}

struct Timer {
    when: f64,
    serial: u64,
    due: Due,
}

impl PartialEq for Timer {
    fn eq(&self, other: &Timer) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Timer {}

impl PartialOrd for Timer {
    fn partial_cmp(&self, other: &Timer) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Timer {
    /// Reversed: the heap has its greatest element on top.
    fn cmp(&self, other: &Timer) -> Ordering {
        other.when.total_cmp(&self.when).then(other.serial.cmp(&self.serial))
    }
}

/// The timers of a loop.
#[derive(Default)]
pub struct Timers {
    heap: BinaryHeap<Timer>,
    made: u64,
    cancelled: usize,
}

/// Fewer cancelled timers than this are not worth looking for.
const WORTH_SWEEPING: usize = 100;

impl Timers {
    /// Adds a timer. A time that is no number is due at once.
    pub fn add(&mut self, when: f64, due: Due) {
        self.made += 1;
        let when = if when.is_nan() { f64::NEG_INFINITY } else { when };
        self.heap.push(Timer { when, serial: self.made, due });
    }

    /// The next timer if it is due by `now`.
    pub fn pop_due(&mut self, now: f64) -> Option<Due> {
        if self.heap.peek()?.when >= now {
            return None;
        }
        let timer = self.heap.pop()?;
        self.note_popped(&timer);
        Some(timer.due)
    }

    /// When the next timer is due, and the cancelled ones that stood before it (to be dropped by the caller).
    pub fn next_due(&mut self) -> (Option<f64>, Vec<Due>) {
        let mut thrown = Vec::new();
        while let Some(timer) = self.heap.peek() {
            if !timer.due.is_cancelled() {
                return (Some(timer.when), thrown);
            }
            if let Some(timer) = self.heap.pop() {
                self.note_popped(&timer);
                thrown.push(timer.due);
            }
        }
        (None, thrown)
    }

    fn note_popped(&mut self, timer: &Timer) {
        if self.cancelled > 0 && timer.due.is_cancelled() {
            self.cancelled -= 1;
        }
    }

    /// One of the timers has been cancelled. Returns what is to be dropped, now and then.
    pub fn note_cancelled(&mut self) -> Vec<Due> {
        self.cancelled += 1;
        if self.cancelled < WORTH_SWEEPING || self.cancelled * 2 < self.heap.len() {
            return Vec::new();
        }
        self.cancelled = 0;
        let (gone, kept): (Vec<Timer>, Vec<Timer>) =
            std::mem::take(&mut self.heap).into_vec().into_iter().partition(|timer| timer.due.is_cancelled());
        self.heap = BinaryHeap::from(kept);
        gone.into_iter().map(|timer| timer.due).collect()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    /// Takes all out.
    pub fn take(&mut self) -> Vec<Due> {
        self.cancelled = 0;
        std::mem::take(&mut self.heap).into_vec().into_iter().map(|timer| timer.due).collect()
    }

    /// Reports the references.
    pub fn trace(&self, visitor: &mut Visitor<'_>) {
        for timer in &self.heap {
            timer.due.trace(visitor);
        }
    }

    /// Bytes used.
    pub fn buffers(&self) -> usize {
        self.heap.capacity() * size_of::<Timer>()
    }
}
