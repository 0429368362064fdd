//! The timers of a loop: a heap ordered by time, which treats equal times as CPython's `heapq` does. Cancelled ones are left in place and thrown out when they come up,
//! or all together when they are the majority.

use std::collections::HashMap;

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
    /// Among timers of the same time the smaller goes first; those that are equal are in the order that the heap gives them.
    rank: u64,
    due: Due,
}

impl Timer {
    fn is_before(&self, other: &Timer) -> bool {
        (self.when, self.rank) < (other.when, other.rank)
    }
}

/// The timers of a loop.
#[derive(Default)]
pub struct Timers {
    heap: Vec<Timer>,
    made: u64,
    /// The ranks of the times that were asked for as such.
    ranks: HashMap<u64, u64>,
    cancelled: usize,
}

/// Fewer cancelled timers than this are not worth looking for.
const WORTH_SWEEPING: usize = 100;

impl Timers {
    /// Adds a timer. A time that is no number is due at once.
    ///
    /// Timers that were made one after the other with a delay go in that order, even if the clock stood still between. Those that were
    /// given the same time (`call_at`) are equal, and go in the order in which CPython's heap hands equal entries out.
    pub fn add(&mut self, when: f64, due: Due, is_absolute: bool) {
        self.made += 1;
        let when = if when.is_nan() { f64::NEG_INFINITY } else { when };
        let mut rank = self.made;
        if is_absolute {
            if self.ranks.len() > 2 * self.heap.len() + 64 {
                self.ranks.clear();
            }
            rank = *self.ranks.entry(when.to_bits()).or_insert(rank);
        }
        self.heap.push(Timer { when, rank, due });
        self.sift_down(0, self.heap.len() - 1);
    }

    /// Moves the entry at `at` towards the root until its parent is not greater.
    fn sift_down(&mut self, root: usize, mut at: usize) {
        while at > root {
            let parent = (at - 1) / 2;
            if !self.heap[at].is_before(&self.heap[parent]) {
                break;
            }
            self.heap.swap(at, parent);
            at = parent;
        }
    }

    /// Moves the entry at `root` to a leaf, smaller children up, and then back to where it belongs.
    fn sift_up(&mut self, root: usize) {
        let mut at = root;
        loop {
            let left = 2 * at + 1;
            if left >= self.heap.len() {
                break;
            }
            let right = left + 1;
            let child = if right < self.heap.len() && !self.heap[left].is_before(&self.heap[right]) { right } else { left };
            self.heap.swap(at, child);
            at = child;
        }
        self.sift_down(root, at);
    }

    fn pop(&mut self) -> Option<Timer> {
        if self.heap.is_empty() {
            return None;
        }
        let first = self.heap.swap_remove(0);
        if !self.heap.is_empty() {
            self.sift_up(0);
        }
        Some(first)
    }

    /// The next timer if it is due by `now`.
    pub fn pop_due(&mut self, now: f64) -> Option<Due> {
        if self.heap.first()?.when >= now {
            return None;
        }
        let timer = self.pop()?;
        self.note_popped(&timer);
        Some(timer.due)
    }

    /// When the next timer is due, and the cancelled ones that stood before it (to be dropped by the caller).
    pub fn next_due(&mut self) -> (Option<f64>, Vec<Due>) {
        let mut thrown = Vec::new();
        while let Some(timer) = self.heap.first() {
            if !timer.due.is_cancelled() {
                return (Some(timer.when), thrown);
            }
            if let Some(timer) = self.pop() {
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
            std::mem::take(&mut self.heap).into_iter().partition(|timer| timer.due.is_cancelled());
        self.heap = kept;
        for at in (0..self.heap.len() / 2).rev() {
            self.sift_up(at);
        }
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
        std::mem::take(&mut self.heap).into_iter().map(|timer| timer.due).collect()
    }

    /// Reports the references.
    pub fn trace(&self, visitor: &mut Visitor<'_>) {
        for timer in &self.heap {
            timer.due.trace(visitor);
        }
    }

    /// Bytes used.
    pub fn buffers(&self) -> usize {
        self.heap.capacity() * size_of::<Timer>() + self.ranks.capacity() * 2 * size_of::<u64>()
    }
}
