//! What the machine keeps for the thread that uses it: exchanged when another thread takes over (see `sched/threads.rs`).

use std::cell::Cell;

use super::Vm;
use super::suspend::Suspension;
use super::traceback::NO_SPAN;
use crate::syntax::Span;
use crate::value::{Place, Shared, Value};

/// The part of the machine's state that belongs to one thread.
pub struct ThreadPart {
    raised: Option<Value>,
    handled: Value,
    depth: u32,
    stack_limit: usize,
    error_span: Span,
    places: (Place, Vec<Place>),
    printing: Vec<usize>,
    suspension: Suspension,
}

impl Default for ThreadPart {
    /// The state of a thread that begins.
    fn default() -> ThreadPart {
        ThreadPart {
            raised: None,
            handled: Value::None,
            depth: 0,
            stack_limit: 0,
            error_span: NO_SPAN,
            places: (Place::OUTSIDE, Vec::new()),
            printing: Vec::new(),
            suspension: Suspension::default(),
        }
    }
}

impl Vm {
    /// Puts the state of another thread in the place of the present one, which comes back.
    pub fn exchange_thread(&self, part: ThreadPart) -> ThreadPart {
        let suspension = Suspension {
            cursor: Shared::new(self.suspension.cursor.replace(part.suspension.cursor.take())),
            frames: Shared::new(self.suspension.frames.replace(part.suspension.frames.take())),
            yielded: Shared::new(self.suspension.yielded.replace(part.suspension.yielded.take())),
            is_item: Cell::new(self.suspension.is_item.replace(part.suspension.is_item.get())),
            sent: Shared::new(self.suspension.sent.replace(part.suspension.sent.take())),
            handled_outside: Shared::new(self.suspension.handled_outside.replace(part.suspension.handled_outside.take())),
        };
        let places = self.heap.exchange_places(self.depth.get(), part.places, part.depth);
        ThreadPart {
            raised: self.raised.replace(part.raised),
            handled: self.handled.replace(part.handled),
            depth: self.depth.replace(part.depth),
            stack_limit: self.stack_limit.replace(part.stack_limit),
            error_span: self.error_span.replace(part.error_span),
            places,
            printing: self.printing.replace(part.printing),
            suspension,
        }
    }
}
