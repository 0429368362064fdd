//! What `asyncio.wait` and `asyncio.as_completed` keep while their futures run.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use super::WaitQueue;
use super::future::{AnyFuture, Future, Reaction, State};
use crate::native_kind;
use crate::value::{ObjRef, Payload, R, Ref, Value, Visitor};
use crate::vm::Vm;

/// When `asyncio.wait` returns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReturnWhen {
    FirstCompleted,
    FirstException,
    AllCompleted,
}

/// The payload of a running `asyncio.wait`.
pub struct Wait {
    /// What the coroutine awaits.
    pub waiter: Ref<Future>,
    pending: Cell<usize>,
    when: ReturnWhen,
}

impl Payload for Wait {
    native_kind!();
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.reference(&self.waiter);
    }
}

/// Begins to wait for `futures`, of which some are pending.
pub fn wait(vm: &Vm, waiter: Ref<Future>, futures: &[AnyFuture], when: ReturnWhen) -> R<Ref<Wait>> {
    let wait = vm.heap.alloc(Wait { waiter, pending: Cell::new(futures.len()), when });
    for future in futures {
        future.on_done(vm, Reaction::Wait, wait.as_obj().clone(), 0)?;
    }
    Ok(wait)
}

/// Ends the waiting: callbacks that were not called are removed.
pub fn unwait(wait: &Ref<Wait>, futures: &[AnyFuture]) {
    for future in futures {
        if !future.core().is_done() {
            future.forget(Reaction::Wait, wait.as_obj());
        }
    }
}

pub(super) fn one_done(vm: &Vm, wait: &ObjRef, future: &AnyFuture) -> R<()> {
    let Some(wait) = wait.downcast::<Wait>() else { return Ok(()) };
    wait.pending.set(wait.pending.get().saturating_sub(1));
    let failed = future.core().state() == State::Failed;
    if failed && wait.when == ReturnWhen::FirstException && wait.pending.get() > 0 {
        // Looked at in order to decide, which need not be done for the last one.
        future.mark_seen();
    }
    let over = wait.pending.get() == 0
        || match wait.when {
            ReturnWhen::FirstCompleted => true,
            ReturnWhen::FirstException => failed,
            ReturnWhen::AllCompleted => false,
        };
    if over && !wait.waiter.core.is_done() {
        AnyFuture::from(&wait.waiter).set_result(vm, Value::None)?;
    }
    Ok(())
}

/// The payload behind `asyncio.as_completed`.
pub struct Completions {
    /// Futures that are not done, by number.
    pub todo: RefCell<Vec<Option<AnyFuture>>>,
    pub left: Cell<usize>,
    /// Done ones in order of completion; `None` once per future that the timeout overtook.
    pub done: RefCell<VecDeque<Option<AnyFuture>>>,
    pub getters: WaitQueue,
}

impl Payload for Completions {
    native_kind!();
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        for future in self.todo.borrow().iter().flatten().chain(self.done.borrow().iter().flatten()) {
            visitor.object(future.as_obj());
        }
        self.getters.trace(visitor);
    }

    fn clear(&self) {
        let todo = std::mem::take(&mut *self.todo.borrow_mut());
        let done = std::mem::take(&mut *self.done.borrow_mut());
        drop((todo, done));
        self.getters.clear();
    }
}

/// Begins to collect the futures as they complete.
pub fn completions(vm: &Vm, futures: Vec<AnyFuture>) -> R<Ref<Completions>> {
    let made = vm.heap.alloc(Completions {
        left: Cell::new(futures.len()),
        todo: RefCell::new(futures.iter().cloned().map(Some).collect()),
        done: RefCell::default(),
        getters: WaitQueue::default(),
    });
    for (number, future) in futures.iter().enumerate() {
        future.on_done(vm, Reaction::Completed, made.as_obj().clone(), number as u32)?;
    }
    Ok(made)
}

pub(super) fn completed(vm: &Vm, completions: &ObjRef, number: u32, future: &AnyFuture) -> R<()> {
    let Some(completions) = completions.downcast::<Completions>() else { return Ok(()) };
    let known = completions.todo.borrow_mut().get_mut(number as usize).and_then(Option::take);
    if known.is_none() {
        return Ok(());
    }
    completions.left.set(completions.left.get() - 1);
    completions.done.borrow_mut().push_back(Some(future.clone()));
    completions.getters.wake_one(vm, Value::None).map(drop)
}

impl Ref<Completions> {
    /// The time is over: whoever asks from now on gets `TimeoutError`.
    pub fn give_up(&self, vm: &Vm) -> R<()> {
        let todo = std::mem::take(&mut *self.todo.borrow_mut());
        self.left.set(0);
        for future in todo.into_iter().flatten() {
            future.forget(Reaction::Completed, self.as_obj());
            self.done.borrow_mut().push_back(None);
            self.getters.wake_one(vm, Value::None)?;
        }
        Ok(())
    }
}
