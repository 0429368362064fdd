//! The driver: the one place where a loop waits. The loop says how things stand after a turn; the driver waits for the next timer, for
//! other threads, and for work of the host, or lets the virtual clock jump.
//!
//! `run_forever` blocks the calling thread (what `asyncio.run` does); `Drive` is the same as a Rust future, which any executor can poll.

use std::future::Future as RustFuture;
use std::pin::Pin;
use std::task::{Context as PollContext, Poll};
use std::time::{Duration, Instant};

use smol::Timer;

use super::baton::Woken;
use super::event_loop::{EventLoop, Turn};
use super::future::{AnyFuture, Reaction};
use super::threads::{self, ThreadState};
use super::{evaluator, now, of, outside, report};
use crate::value::{R, Ref, Value};
use crate::vm::Vm;

/// Makes `event_loop` the running one of this thread: `RuntimeError` if it cannot be.
fn enter(vm: &Vm, event_loop: &Ref<EventLoop>) -> R<()> {
    event_loop.check_open(vm)?;
    if event_loop.running.get() {
        return Err(vm.runtime_error("This event loop is already running"));
    }
    if of(vm).running.with(Option::is_some) {
        return Err(vm.runtime_error("Cannot run the event loop while another loop is running"));
    }
    event_loop.running.set(true);
    event_loop.thread.set(threads::current(vm));
    of(vm).running.set(Some(event_loop.clone()));
    Ok(())
}

fn leave(vm: &Vm, event_loop: &Ref<EventLoop>) {
    event_loop.running.set(false);
    of(vm).running.set(None);
}

/// Runs the loop until `stop()`.
pub fn run_forever(vm: &Vm, event_loop: &Ref<EventLoop>) -> R<()> {
    enter(vm, event_loop)?;
    let outcome = work(vm, event_loop);
    leave(vm, event_loop);
    if outcome.is_err() && super::event_loop::is_limit(vm) {
        // Nobody is to blame for what a limit has cut off.
        for task in event_loop.tasks(vm) {
            task.core.set_internal();
        }
    }
    outcome
}

fn work(vm: &Vm, event_loop: &Ref<EventLoop>) -> R<()> {
    loop {
        outside::poll(vm, event_loop)?;
        let deadline = match event_loop.turn(vm)? {
            Turn::Done => return Ok(()),
            Turn::Busy => continue,
            Turn::IdleUntil(when) => Some(when),
            Turn::IdleForever => None,
        };
        if !outside::is_woken(event_loop) && threads::park(vm, deadline)? == Woken::Deadlock {
            return Err(report::deadlock(vm, event_loop));
        }
    }
}

/// Runs the loop until `future` is done, and gives its outcome.
pub fn run_until_complete(vm: &Vm, event_loop: &Ref<EventLoop>, future: &AnyFuture) -> R {
    future.on_done(vm, Reaction::StopLoop, event_loop.as_obj().clone(), 0)?;
    let outcome = run_forever(vm, event_loop);
    future.forget(Reaction::StopLoop, event_loop.as_obj());
    if outcome.is_err() {
        future.mark_seen();
        outcome?;
    }
    if !future.core().is_done() {
        return Err(vm.runtime_error("Event loop stopped before Future completed."));
    }
    future.result(vm)
}

/// Ends a loop that nobody will drive any more: cancels its tasks, and lets them go on as far as they can without waiting. What is left
/// then is dropped without a report.
pub fn wind_down(vm: &Vm, event_loop: &Ref<EventLoop>) -> R<()> {
    enter(vm, event_loop)?;
    let outcome = settle(vm, event_loop);
    leave(vm, event_loop);
    abandon(vm, event_loop);
    outcome
}

/// Ends a loop at once: nothing in it goes on, and nothing is reported.
pub fn abandon(vm: &Vm, event_loop: &Ref<EventLoop>) {
    for task in event_loop.tasks(vm) {
        task.core.set_internal();
    }
    event_loop.close();
}

fn settle(vm: &Vm, event_loop: &Ref<EventLoop>) -> R<()> {
    for task in event_loop.tasks(vm) {
        AnyFuture::from(&task).cancel(vm, &Value::None)?;
    }
    while event_loop.has_tasks() {
        match event_loop.turn(vm)? {
            Turn::Busy | Turn::Done => {}
            Turn::IdleUntil(_) | Turn::IdleForever => break,
        }
    }
    Ok(())
}

/// Running a loop until a future is done, as a Rust future: for hosts. Each poll runs turns until nothing is ready, or for a while; between
/// polls the interpreter can be used by its other threads.
pub struct Drive<'vm> {
    vm: &'vm Vm,
    event_loop: Ref<EventLoop>,
    future: AnyFuture,
    timer: Option<(f64, Timer)>,
    /// Wakes the poller when the time of the script is over.
    limit: Option<Timer>,
    stage: Stage,
}

#[allow(clippy::large_enum_variant, reason = "there is one in a drive; a box would be an allocation for every rest")]
enum Stage {
    Created,
    /// Between polls, with the baton put down.
    Resting(ThreadState),
    /// Between polls, with the baton in hand.
    Paused,
    Over,
}

/// Turns in one poll, so that a busy loop leaves its host's executor a turn now and then.
const TURNS: usize = 64;

/// Drives `event_loop` until `future` is done.
pub fn drive<'vm>(vm: &'vm Vm, event_loop: &Ref<EventLoop>, future: &AnyFuture) -> Drive<'vm> {
    Drive { vm, event_loop: event_loop.clone(), future: future.clone(), timer: None, limit: None, stage: Stage::Created }
}

impl RustFuture for Drive<'_> {
    type Output = R;

    fn poll(mut self: Pin<&mut Self>, cx: &mut PollContext<'_>) -> Poll<R> {
        let this = &mut *self;
        let vm = this.vm;
        outside::listen(vm, &this.event_loop, cx.waker());
        let mut woken = match std::mem::replace(&mut this.stage, Stage::Over) {
            Stage::Created => match this.begin() {
                Ok(()) => Woken::Signalled,
                Err(raised) => return Poll::Ready(Err(raised)),
            },
            Stage::Resting(state) => threads::rise(vm, state),
            Stage::Paused => Woken::Signalled,
            Stage::Over => return Poll::Pending,
        };
        for _ in 0..TURNS {
            let turned = outside::poll(vm, &this.event_loop).and_then(|()| this.event_loop.turn(vm));
            let deadline = match turned {
                Err(raised) => return this.end(Err(raised)),
                Ok(Turn::Done) => return this.end(Ok(())),
                Ok(Turn::Busy) => continue,
                Ok(Turn::IdleUntil(when)) => Some(when),
                Ok(Turn::IdleForever) => None,
            };
            if woken == Woken::Deadlock && deadline.is_none() {
                let raised = report::deadlock(vm, &this.event_loop);
                return this.end(Err(raised));
            }
            if outside::is_woken(&this.event_loop) || !this.set_timer(deadline, cx) {
                continue;
            }
            match this.watch_limit(cx) {
                Err(raised) => return this.end(Err(raised)),
                Ok(true) => continue,
                Ok(false) => {}
            }
            match threads::rest(vm, deadline) {
                Ok(state) => {
                    this.stage = Stage::Resting(state);
                    return Poll::Pending;
                }
                Err(reason) => woken = reason,
            }
        }
        // Leave the executor a turn.
        cx.waker().wake_by_ref();
        threads::release(vm, || ());
        this.stage = Stage::Paused;
        Poll::Pending
    }
}

impl Drive<'_> {
    fn begin(&mut self) -> R<()> {
        self.future.on_done(self.vm, Reaction::StopLoop, self.event_loop.as_obj().clone(), 0)?;
        enter(self.vm, &self.event_loop)
    }

    /// Sees to it that the poller is woken at `deadline`; `false` if it has come.
    fn set_timer(&mut self, deadline: Option<f64>, cx: &mut PollContext<'_>) -> bool {
        let Some(when) = deadline else {
            self.timer = None;
            return true;
        };
        if of(self.vm).clock.is_virtual() {
            return true;
        }
        if self.timer.as_ref().is_none_or(|(known, _)| *known != when) {
            let ahead = Duration::try_from_secs_f64((when - now(self.vm)).max(0.0)).ok();
            self.timer = ahead.and_then(|ahead| Instant::now().checked_add(ahead)).map(|at| (when, Timer::at(at)));
        }
        match &mut self.timer {
            Some((_, timer)) => Pin::new(timer).poll(cx).is_pending(),
            None => true,
        }
    }

    /// Sees to it that the poller is woken when the time of the script is over; an error if it is, or if the script is to stop. `true` if
    /// an interrupt may have given the loop something to do.
    fn watch_limit(&mut self, cx: &mut PollContext<'_>) -> R<bool> {
        let is_over = self
            .vm
            .deadline()
            .is_some_and(|deadline| Pin::new(self.limit.get_or_insert_with(|| Timer::at(deadline))).poll(cx).is_ready());
        let attends = is_over || evaluator::is_asked(self.vm);
        if attends {
            self.vm.heap.request_attention();
            self.vm.charge(1)?;
        }
        Ok(attends)
    }

    fn end(&mut self, outcome: R<()>) -> Poll<R> {
        leave(self.vm, &self.event_loop);
        self.future.forget(Reaction::StopLoop, self.event_loop.as_obj());
        if let Err(raised) = outcome {
            return Poll::Ready(Err(raised));
        }
        if !self.future.core().is_done() {
            return Poll::Ready(Err(self.vm.runtime_error("Event loop stopped before Future completed.")));
        }
        Poll::Ready(self.future.result(self.vm))
    }
}

impl Drop for Drive<'_> {
    /// Dropped before its end: the loop is no longer running, and can be driven again.
    fn drop(&mut self) {
        match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Created | Stage::Over => return,
            Stage::Paused => {}
            Stage::Resting(state) => {
                threads::rise(self.vm, state);
            }
        }
        leave(self.vm, &self.event_loop);
        self.future.forget(Reaction::StopLoop, self.event_loop.as_obj());
    }
}
