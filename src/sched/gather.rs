//! `asyncio.gather`: a future of the results of several.

use std::cell::Cell;
use std::collections::HashMap;

use super::cancelled_error;
use super::event_loop::EventLoop;
use super::future::{AnyFuture, FutureCore, Reaction, State};
use crate::native_kind;
use crate::value::{Payload, R, Ref, Shared, Value, Visitor};
use crate::vm::Vm;

/// The payload of a gathering.
pub struct Gathering {
    pub core: FutureCore,
    /// In the order of the arguments; one future may stand for several of them.
    children: Shared<Box<[AnyFuture]>>,
    /// How many are not done.
    pending: Cell<u32>,
    return_exceptions: bool,
    cancel_requested: Cell<bool>,
}

impl Payload for Gathering {
    native_kind!();
    const CONTAINER: bool = true;
    const BUFFERS: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        self.core.trace(visitor);
        self.children.with(|children| {
            for child in children {
                visitor.object(child.as_obj());
            }
        });
    }

    fn clear(&self) {
        self.core.clear();
        drop(self.children.take());
    }

    fn buffers(&self) -> usize {
        self.core.buffers() + self.children.with(|children| children.len() * size_of::<AnyFuture>())
    }
}

/// A gathering of awaitables. `ensure` makes a future of each.
pub fn gather(
    vm: &Vm,
    awaitables: &[Value],
    return_exceptions: bool,
    ensure: impl Fn(&Value, Option<&Ref<EventLoop>>) -> R<AnyFuture>,
) -> R<Ref<Gathering>> {
    let mut known: HashMap<usize, AnyFuture> = HashMap::with_capacity(awaitables.len());
    let mut children = Vec::with_capacity(awaitables.len());
    let mut distinct = Vec::with_capacity(awaitables.len());
    let mut event_loop: Option<Ref<EventLoop>> = None;
    for awaitable in awaitables {
        let address = awaitable.as_obj().map_or(0, |object| object.address());
        if let Some(future) = known.get(&address) {
            children.push(future.clone());
            continue;
        }
        let future = ensure(awaitable, event_loop.as_ref())?;
        let of = &future.core().event_loop;
        match &event_loop {
            None => event_loop = Some(of.clone()),
            Some(first) if !first.is(of) => {
                return Err(vm.value_error("The future belongs to a different loop than the one specified as the loop argument"));
            }
            Some(_) => {}
        }
        if !future.value().is(awaitable) {
            future.core().is_internal.set(true);
        }
        known.insert(address, future.clone());
        distinct.push(future.clone());
        children.push(future);
    }
    let Some(event_loop) = event_loop else { return Err(vm.value_error("nothing to gather")) };
    vm.heap.charge(children.len() * size_of::<AnyFuture>());
    let gathering = vm.heap.alloc(Gathering {
        core: FutureCore::new(event_loop),
        children: Shared::new(children.into()),
        pending: Cell::new(distinct.len() as u32),
        return_exceptions,
        cancel_requested: Cell::new(false),
    });
    let (done, pending): (Vec<AnyFuture>, Vec<AnyFuture>) = distinct.into_iter().partition(|child| child.core().is_done());
    for child in pending {
        child.on_done(vm, Reaction::Gather, gathering.as_obj().clone(), 0)?;
    }
    for child in done {
        child_done(vm, &gathering, &child)?;
    }
    Ok(gathering)
}

/// One of the children is done.
pub(super) fn child_done(vm: &Vm, gathering: &Ref<Gathering>, child: &AnyFuture) -> R<()> {
    let outer = AnyFuture::from(gathering);
    gathering.pending.set(gathering.pending.get().saturating_sub(1));
    if gathering.core.is_done() {
        child.mark_seen();
        return Ok(());
    }
    if !gathering.return_exceptions {
        match child.core().state() {
            State::Cancelled => return outer.fail(vm, child.cancelled_error(vm)),
            State::Failed => {
                child.mark_seen();
                return outer.fail(vm, child.peek_exception());
            }
            State::Finished | State::Pending => {}
        }
    }
    if gathering.pending.get() > 0 {
        return Ok(());
    }
    if gathering.cancel_requested.get() {
        return outer.fail(vm, child.cancelled_error(vm));
    }
    let children = gathering.children.with(|children| children.clone());
    let results = children.iter().map(|child| outcome(vm, child)).collect();
    outer.set_result(vm, Value::from(vm.heap.list(results)))
}

/// The result of a child, or its exception as a value.
fn outcome(vm: &Vm, child: &AnyFuture) -> Value {
    match child.core().state() {
        State::Cancelled => {
            let message = child.core().cancel_message();
            cancelled_error(vm, &if message.is_none() || message.is_undef() { vm.str_value("") } else { message })
        }
        State::Failed => {
            child.mark_seen();
            child.peek_exception()
        }
        State::Finished | State::Pending => child.peek_result(),
    }
}

/// `cancel()` of a gathering cancels its children.
pub(super) fn cancel(vm: &Vm, gathering: &Ref<Gathering>, message: &Value) -> R<bool> {
    if gathering.core.is_done() {
        return Ok(false);
    }
    let children = gathering.children.with(|children| children.clone());
    vm.nested(|| {
        let mut any = false;
        for child in &children {
            vm.charge(1)?;
            any |= child.cancel(vm, message)?;
        }
        if any {
            gathering.cancel_requested.set(true);
        }
        Ok(any)
    })
}
