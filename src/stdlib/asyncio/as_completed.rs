//! `asyncio.as_completed`: an iterator of coroutines, each of which gives the next result there is.

use std::cell::Cell;

use super::support::{add_functions, itself};
use super::tasks::{ensure_future, is_coroutine};
use crate::native::{Iterable, define_class};
use crate::native_kind;
use crate::rows;
use crate::sched;
use crate::sched::future::{AnyFuture, Future};
use crate::sched::timers::Due;
use crate::sched::wait_queue::Ticket;
use crate::sched::waiting::{Completions, completions};
use crate::value::{Module, Payload, R, Ref, Shared, Value, Visitor};
use crate::vm::Vm;
use crate::vm::coroutine::{NativeFrame, Step};

pub fn load(vm: &Vm, module: &Ref<Module>) {
    define_class::<Iterator>(
        vm,
        "asyncio.tasks",
        "as_completed",
        &rows![
            "__iter__", "" => itself(0);
            "__next__", "" => next(0);
        ],
    );
    add_functions(vm, module, &rows!["as_completed", "fs, *, timeout=None" => as_completed(0 1);]);
}

/// It looks at its arguments when it is first asked, as the generator that it is in CPython does.
struct Iterator {
    begin: Shared<Option<(Value, Value)>>,
    completions: Shared<Option<Ref<Completions>>>,
    left: Cell<usize>,
}

impl Payload for Iterator {
    native_kind!();
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        self.begin.with(|begin| {
            if let Some((awaitables, timeout)) = begin {
                visitor.values([awaitables, timeout]);
            }
        });
        self.completions.with(|completions| {
            if let Some(completions) = completions {
                visitor.reference(completions);
            }
        });
    }
}

fn as_completed(vm: &Vm, awaitables: Value, timeout: &Value) -> Value {
    let timeout = if timeout.is_undef() { Value::None } else { timeout.clone() };
    Value::from(vm.heap.alloc(Iterator {
        begin: Shared::new(Some((awaitables, timeout))),
        completions: Shared::new(None),
        left: Cell::new(0),
    }))
}

fn begin(vm: &Vm, iterator: &Ref<Iterator>, awaitables: &Value, timeout: &Value) -> R<()> {
    if AnyFuture::of(awaitables).is_some() || is_coroutine(vm, awaitables)? {
        let class = vm.class_of(awaitables).name();
        return Err(vm.type_error(format!("expect an iterable of futures, not {}", class.as_str())));
    }
    let Iterable(items) = crate::native::FromValue::from_value(vm, awaitables)?;
    let mut seen = std::collections::HashSet::new();
    let mut futures = Vec::new();
    for item in &items {
        if seen.insert(item.as_obj().map_or(0, |object| object.address())) {
            futures.push(ensure_future(vm, item, None)?);
        }
    }
    let left = futures.len();
    let completions = completions(vm, futures)?;
    if !timeout.is_none() && left > 0 {
        let when = sched::now(vm) + super::loops::number(vm, timeout)?;
        let event_loop = super::futures::loop_or_current(vm, None)?;
        event_loop.add_timer(vm, when, Due::GiveUp(completions.clone()))?;
    }
    iterator.completions.set(Some(completions));
    iterator.left.set(left);
    Ok(())
}

fn next(vm: &Vm, iterator: &Ref<Iterator>) -> R {
    if let Some((awaitables, timeout)) = iterator.begin.take() {
        begin(vm, iterator, &awaitables, &timeout)?;
    }
    let completions = iterator.completions.get().filter(|_| iterator.left.get() > 0);
    let Some(completions) = completions else { return Err(vm.stop_iteration(Value::None)) };
    iterator.left.set(iterator.left.get() - 1);
    Ok(vm.native_coroutine(Box::new(WaitForOne { completions, ticket: None })))
}

struct WaitForOne {
    completions: Ref<Completions>,
    ticket: Option<(Ticket, Ref<Future>)>,
}

impl NativeFrame for WaitForOne {
    fn name(&self) -> &'static str {
        "_wait_for_one"
    }

    fn resume(&mut self, vm: &Vm, sent: R) -> R<Step> {
        let completions = &self.completions;
        if let Some((ticket, future)) = self.ticket.take() {
            completions.getters.leave(ticket);
            if let Err(raised) = sent {
                let is_meant = !future.core.is_cancelled() && future.core.is_done();
                if is_meant && !completions.done.borrow().is_empty() {
                    completions.getters.wake_one(vm, Value::None)?;
                }
                return Err(raised);
            }
        } else {
            sent?;
        }
        let done = completions.done.borrow_mut().pop_front();
        match done {
            Some(Some(future)) => future.result(vm).map(Step::Done),
            Some(None) => Err(vm.raise_with(&vm.types.timeout_error, vec![])),
            None => {
                let event_loop = sched::running_loop(vm)?;
                let (ticket, future) = completions.getters.join(vm, &event_loop);
                if let Some(inner) = future.downcast::<Future>() {
                    self.ticket = Some((ticket, inner.clone()));
                }
                Ok(Step::Await(future))
            }
        }
    }

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.reference(&self.completions);
        if let Some((_, future)) = &self.ticket {
            visitor.reference(future);
        }
    }
}
