//! `asyncio.shield`: an outer future that can be cancelled without the inner one.

use super::future::{AnyFuture, Future, Reaction, State};
use crate::value::{ObjRef, R, Ref, Value};
use crate::vm::Vm;

/// The outer future for an inner one that is not done.
pub fn shield(vm: &Vm, inner: &AnyFuture) -> R<Ref<Future>> {
    let outer = inner.core().event_loop.create_future(vm);
    inner.on_done(vm, Reaction::Shielded, outer.as_obj().clone(), 0)?;
    AnyFuture::from(&outer).on_done(vm, Reaction::Unshield, inner.as_obj().clone(), 0)?;
    Ok(outer)
}

pub(super) fn inner_done(vm: &Vm, outer: &ObjRef, inner: &AnyFuture) -> R<()> {
    let Some(outer) = AnyFuture::of(&Value::Obj(outer.clone())) else { return Ok(()) };
    if outer.core().is_done() {
        inner.mark_seen();
        return Ok(());
    }
    match inner.core().state() {
        State::Cancelled => outer.cancel(vm, &Value::None).map(drop),
        State::Failed => {
            inner.mark_seen();
            outer.fail(vm, inner.peek_exception())
        }
        State::Finished | State::Pending => outer.set_result(vm, inner.peek_result()),
    }
}

pub(super) fn outer_done(inner: &ObjRef, outer: &AnyFuture) {
    let Some(inner) = AnyFuture::of(&Value::Obj(inner.clone())) else { return };
    if !inner.core().is_done() {
        inner.forget(Reaction::Shielded, outer.as_obj());
    }
}
