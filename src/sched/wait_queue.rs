//! Who waits for a lock, an event, a queue: futures in order of arrival. Every waiting primitive of asyncio is a page over this.
//!
//! A waiter joins with a future and keeps the ticket; when it goes on, for whatever reason, it leaves with the ticket. Both take
//! constant time: a ticket is the number of the waiter, so its place is known, and places of those who left are skipped.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use super::event_loop::EventLoop;
use super::future::{AnyFuture, Future};
use crate::value::{R, Ref, Value, Visitor};
use crate::vm::Vm;

/// The number of a waiter in its queue.
pub type Ticket = u64;

/// Futures in order of arrival.
#[derive(Default)]
pub struct WaitQueue {
    waiters: RefCell<VecDeque<Option<Ref<Future>>>>,
    /// The ticket of the front.
    first: Cell<Ticket>,
    /// Everyone before this ticket is done: woken or cancelled.
    next: Cell<Ticket>,
    /// Everyone before this ticket has left or was cancelled.
    live: Cell<Ticket>,
    waiting: Cell<usize>,
}

impl WaitQueue {
    /// Joins at the end: the ticket, and the future to await.
    pub fn join(&self, vm: &Vm, event_loop: &Ref<EventLoop>) -> (Ticket, Value) {
        let future = event_loop.create_future(vm);
        let ticket = self.first.get() + self.waiters.borrow().len() as u64;
        self.waiters.borrow_mut().push_back(Some(future.clone()));
        self.waiting.set(self.waiting.get() + 1);
        (ticket, Value::from(future))
    }

    /// Leaves the queue; the future of the waiter comes back, if it had not left before.
    pub fn leave(&self, ticket: Ticket) -> Option<Ref<Future>> {
        let mut waiters = self.waiters.borrow_mut();
        let place = usize::try_from(ticket.checked_sub(self.first.get())?).ok()?;
        let future = waiters.get_mut(place)?.take()?;
        self.waiting.set(self.waiting.get() - 1);
        while let Some(None) = waiters.front() {
            waiters.pop_front();
            self.first.set(self.first.get() + 1);
        }
        Some(future)
    }

    /// Takes out waiters at the front that are done (cancelled, say) and will not leave by themselves.
    pub fn forget_done(&self) {
        loop {
            let done = {
                let mut waiters = self.waiters.borrow_mut();
                match waiters.front() {
                    Some(Some(future)) if future.core.is_done() => {
                        self.waiting.set(self.waiting.get() - 1);
                        waiters.pop_front().flatten()
                    }
                    Some(None) => waiters.pop_front().flatten(),
                    _ => return,
                }
            };
            self.first.set(self.first.get() + 1);
            drop(done);
        }
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.waiting.get()
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The first waiter, done or not.
    pub fn front(&self) -> Option<Ref<Future>> {
        self.waiters.borrow().front().cloned().flatten()
    }

    /// The first waiter that is not done, if any.
    pub fn next_waiter(&self) -> Option<Ref<Future>> {
        let waiters = self.waiters.borrow();
        let mut ticket = self.next.get().max(self.first.get());
        loop {
            let waiter = waiters.get((ticket - self.first.get()) as usize);
            match waiter {
                None => break,
                Some(Some(future)) if !future.core.is_done() => {
                    self.next.set(ticket);
                    return Some(future.clone());
                }
                Some(_) => ticket += 1,
            }
        }
        self.next.set(ticket);
        None
    }

    /// Wakes the first waiter that is not done with `result`; whether there was one.
    pub fn wake_one(&self, vm: &Vm, result: Value) -> R<bool> {
        match self.next_waiter() {
            Some(future) => {
                AnyFuture::from(&future).set_result(vm, result)?;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// Wakes all who wait.
    pub fn wake_all(&self, vm: &Vm, result: &Value) -> R<()> {
        while self.wake_one(vm, result.clone())? {}
        Ok(())
    }

    /// Whether anyone waits whose future was not cancelled.
    pub fn has_live(&self) -> bool {
        let waiters = self.waiters.borrow();
        let mut ticket = self.live.get().max(self.first.get());
        let live = loop {
            match waiters.get((ticket - self.first.get()) as usize) {
                None => break false,
                Some(Some(future)) if !future.core.is_cancelled() => break true,
                Some(_) => ticket += 1,
            }
        };
        self.live.set(ticket);
        live
    }

    /// Takes all waiters out.
    pub fn clear(&self) {
        let waiters = std::mem::take(&mut *self.waiters.borrow_mut());
        self.first.set(self.first.get() + waiters.len() as u64);
        self.waiting.set(0);
        drop(waiters);
    }

    /// Reports the references.
    pub fn trace(&self, visitor: &mut Visitor<'_>) {
        for waiter in self.waiters.borrow().iter().flatten() {
            visitor.reference(waiter);
        }
    }
}
