//! What a call of an async function of the host is to the script: a coroutine that hands the Rust future to the event loop when it is first
//! awaited, and then waits for the script future that stands for it.
//!
//! The Rust futures of calls that nobody awaits yet lie in a table of the interpreter; the coroutine knows the number of its own, so that
//! suspended scripts stay data.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use super::host_function::HostFuture;
use crate::error::raise_host_error;
use crate::sched::{self, outside};
use crate::value::{R, Value, Visitor};
use crate::vm::Vm;
use crate::vm::coroutine::{NativeFrame, Step};

/// Calls that were made and not yet awaited, by number.
#[derive(Default)]
struct Unawaited {
    next: Cell<u64>,
    futures: RefCell<HashMap<u64, HostFuture>>,
}

/// The frame of one call.
struct Call {
    /// Of the function.
    name: String,
    /// The number of the Rust future until it was handed over.
    number: Option<u64>,
    table: Rc<Unawaited>,
}

/// The frame for a call of the function `name` whose result `future` will give.
pub(super) fn frame(vm: &Vm, name: &str, future: HostFuture) -> Box<dyn NativeFrame> {
    let table = vm.extension(Unawaited::default);
    let number = table.next.get();
    table.next.set(number + 1);
    table.futures.borrow_mut().insert(number, future);
    Box::new(Call { name: name.to_owned(), number: Some(number), table })
}

impl Call {
    fn take(&mut self) -> Option<HostFuture> {
        let number = self.number.take()?;
        self.table.futures.borrow_mut().remove(&number)
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        drop(self.take());
    }
}

impl NativeFrame for Call {
    fn name(&self) -> &str {
        &self.name
    }

    fn resume(&mut self, vm: &Vm, sent: R) -> R<Step> {
        let sent = sent?;
        let Some(future) = self.take() else { return Ok(Step::Done(sent)) };
        let event_loop = sched::running_loop(vm)?;
        let work = async move {
            let outcome = future.await;
            let answer: outside::Answer = Box::new(move |vm: &Vm| match outcome {
                Ok(data) => data.into_value(vm),
                Err(error) => Err(raise_host_error(vm, error)),
            });
            answer
        };
        let future = outside::begin(vm, &event_loop, &self.name, Box::pin(work))?;
        Ok(Step::Await(Value::from(future)))
    }

    fn trace(&self, _visitor: &mut Visitor<'_>) {}
}
