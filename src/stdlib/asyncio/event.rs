//! `Event`: a page over a `WaitQueue`.

use std::cell::Cell;

use super::support::{Home, bracketed};
use crate::native::define_class;
use crate::native_kind;
use crate::rows;
use crate::sched::WaitQueue;
use crate::sched::wait_queue::Ticket;
use crate::stdlib::support::{add_class, wrap_new};
use crate::value::{Module, Payload, R, Ref, Value, Visitor};
use crate::vm::Vm;
use crate::vm::coroutine::{NativeFrame, Step};

pub fn load(vm: &Vm, module: &Ref<Module>) {
    let event = define_class::<Event>(
        vm,
        "asyncio.locks",
        "Event",
        &rows![
            static "__new__", "cls, *args, **kwargs" => new(0);
            "__init__", "" => init(0);
            "__repr__", "" => repr(0);
            "is_set", "" => is_set(0);
            "set", "" => set(0);
            "clear", "" => clear(0);
            async "wait", "" => wait(0);
        ],
    );
    add_class(vm, module, &event);
}

/// The payload of an event.
#[derive(Default)]
pub struct Event {
    is_set: Cell<bool>,
    waiters: WaitQueue,
    home: Home,
}

impl Payload for Event {
    native_kind!();
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        self.waiters.trace(visitor);
        self.home.trace(visitor);
    }

    fn clear(&self) {
        self.waiters.clear();
        self.home.clear();
    }
}

fn new(vm: &Vm, class: &Value) -> R {
    wrap_new(vm, class, Value::from(vm.heap.alloc(Event::default())))
}

fn init(_vm: &Vm, _event: &Ref<Event>) {}

fn repr(vm: &Vm, value: &Value) -> R<String> {
    let event: &Ref<Event> = crate::native::FromValue::from_value(vm, value)?;
    let state = if event.is_set.get() { "set" } else { "unset" };
    event.waiters.forget_done();
    Ok(bracketed(vm, value, state.to_owned(), event.waiters.len()))
}

fn is_set(_vm: &Vm, event: &Ref<Event>) -> bool {
    event.is_set.get()
}

fn set(vm: &Vm, event: &Ref<Event>) -> R<()> {
    if !event.is_set.replace(true) {
        event.waiters.wake_all(vm, &Value::TRUE)?;
        event.waiters.clear();
    }
    Ok(())
}

fn clear(_vm: &Vm, event: &Ref<Event>) {
    event.is_set.set(false);
}

struct EventWait {
    event: Ref<Event>,
    ticket: Option<Ticket>,
}

fn wait(_vm: &Vm, event: &Ref<Event>) -> R<impl NativeFrame + use<>> {
    Ok(EventWait { event: event.clone(), ticket: None })
}

impl NativeFrame for EventWait {
    fn name(&self) -> &'static str {
        "wait"
    }

    fn resume(&mut self, vm: &Vm, sent: R) -> R<Step> {
        let event = &self.event;
        if let Some(ticket) = self.ticket.take() {
            drop(event.waiters.leave(ticket));
            return sent.map(|_| Step::Done(Value::TRUE));
        }
        sent?;
        if event.is_set.get() {
            return Ok(Step::Done(Value::TRUE));
        }
        let event_loop = event.home.get(vm, &|| Value::from(event))?;
        // The future's value is this coroutine's, and `set` takes all waiters out, so nobody need come back here.
        event.waiters.forget_done();
        let (ticket, future) = event.waiters.join(vm, &event_loop);
        self.ticket = Some(ticket);
        Ok(Step::Tail(future))
    }

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.reference(&self.event);
    }
}
