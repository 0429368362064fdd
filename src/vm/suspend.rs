//! The ways in which a frame gives control back, and how it gets it again.

use super::Vm;
use super::coroutine::{AsyncGenerator, Coroutine, Generator, NativeFrame, Outcome};
use crate::value::{R, Ref, Value};

impl Vm {
    /// Sends into a coroutine: `Ok(value)` as `send`, `Err` (with the exception in the `Vm`) as `throw`.
    pub fn resume_coroutine(&self, _coroutine: &Ref<Coroutine>, _sent: R) -> R<Outcome> {
        todo!()
    }

    /// Sends into a generator, likewise.
    pub fn resume_generator(&self, _generator: &Ref<Generator>, _sent: R) -> R<Outcome> {
        todo!()
    }

    /// Sends into an async generator, likewise: `Yield` is either an item (`true`) or something the await chain hands down (`false`).
    pub fn resume_async_generator(&self, _generator: &Ref<AsyncGenerator>, _sent: R) -> R<(Outcome, bool)> {
        todo!()
    }

    /// A coroutine object around a native frame.
    pub fn native_coroutine(&self, _frame: Box<dyn NativeFrame>) -> Value {
        todo!()
    }
}
