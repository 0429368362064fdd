//! Done callbacks: what happens when a future is done. They are data: what kind, a target object, a number. `FutureCore` stores
//! them, the first in the future itself, since few have more; `AnyFuture` schedules them, and `Handle` comes back to `run`.

use super::AnyFuture;
use crate::native_kind;
use crate::sched::event_loop::{self, EventLoop};
use crate::sched::gather::{self, Gathering};
use crate::sched::handle::{self, Handle};
use crate::sched::task::{self, Task};
use crate::sched::{Context, outside, shield, task_group, thread_future, waiting};
use crate::value::{ObjRef, Payload, R, Ref, Value, Visitor};
use crate::vm::Vm;

/// What a done callback does with its target; `run` says how.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Reaction {
    /// Resume the task that awaits the future.
    Wake,
    /// Call the function of a `DoneCallback`, given by a script.
    Call,
    /// Stop the loop that runs until this future is done.
    StopLoop,
    /// Count a child of a gathering.
    Gather,
    /// Count one of the futures of `asyncio.wait`.
    Wait,
    /// Hand one of the futures of `asyncio.as_completed` out.
    Completed,
    /// Pass the outcome on to the outer future of `asyncio.shield`.
    Shielded,
    /// The outer future of `asyncio.shield` is done: stop listening to the inner one.
    Unshield,
    /// A task of a task group is done.
    Group,
    /// Drop the host's work for the future.
    Outside,
    /// Pass the outcome on to a `concurrent.futures.Future`.
    ToThread,
    /// Cancel the work on a thread that a cancelled future stands for.
    CancelThread,
}

impl Reaction {
    /// What messages call it, which is what CPython does.
    pub fn name(self) -> &'static str {
        match self {
            Reaction::Wake => "Task.task_wakeup()",
            Reaction::Call => "Future.add_done_callback()",
            Reaction::StopLoop => "_run_until_complete_cb()",
            Reaction::Gather => "gather.<locals>._done_callback()",
            Reaction::Wait => "_wait.<locals>._on_completion()",
            Reaction::Completed => "as_completed.<locals>._on_completion()",
            Reaction::Shielded => "shield.<locals>._inner_done_callback()",
            Reaction::Unshield => "shield.<locals>._outer_done_callback()",
            Reaction::Group => "TaskGroup._on_task_done()",
            Reaction::ToThread => "_chain_future.<locals>._call_set_state()",
            Reaction::Outside | Reaction::CancelThread => "_chain_future.<locals>._call_check_cancel()",
        }
    }
}

/// One done callback.
#[derive(Clone)]
pub struct Callback {
    pub reaction: Reaction,
    pub number: u32,
    pub target: ObjRef,
}

impl Callback {
    /// What runs it, now that the future is done.
    pub(super) fn handle(self, future: &AnyFuture) -> Handle {
        Handle::Done { reaction: self.reaction, number: self.number, target: self.target, future: future.clone() }
    }
}

/// A done callback of a script, with the context it runs in.
pub struct DoneCallback {
    pub function: Value,
    pub context: Option<Ref<Context>>,
}

impl Payload for DoneCallback {
    native_kind!();
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.value(&self.function);
        if let Some(context) = &self.context {
            visitor.reference(context);
        }
    }
}

/// Runs a done callback of `future`.
pub(in crate::sched) fn run(vm: &Vm, reaction: Reaction, number: u32, target: &ObjRef, future: &AnyFuture) -> R<()> {
    match reaction {
        Reaction::Wake => match target.downcast::<Task>() {
            Some(task) => task::wake(vm, task, future),
            None => Ok(()),
        },
        Reaction::Call => match target.downcast::<DoneCallback>() {
            Some(done) => handle::call_in_context(vm, &done.function, &[future.value()], &done.context, None),
            None => Ok(()),
        },
        Reaction::StopLoop => {
            event_loop::stop_when_done(vm, future);
            Ok(())
        }
        Reaction::Gather => match target.downcast::<Gathering>() {
            Some(gathering) => gather::child_done(vm, gathering, future),
            None => Ok(()),
        },
        Reaction::Wait => waiting::one_done(vm, target, future),
        Reaction::Completed => waiting::completed(vm, target, number, future),
        Reaction::Shielded => shield::inner_done(vm, target, future),
        Reaction::Unshield => {
            shield::outer_done(target, future);
            Ok(())
        }
        Reaction::Group => task_group::task_done(vm, target, number, future),
        Reaction::Outside => {
            if let Some(event_loop) = target.downcast::<EventLoop>() {
                outside::over(vm, event_loop, number, future);
            }
            Ok(())
        }
        Reaction::ToThread => thread_future::copy_to_thread(vm, target, future),
        Reaction::CancelThread => thread_future::cancelled_in_loop(vm, target, future),
    }
}
