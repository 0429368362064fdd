//! The threads of an interpreter. Each is an OS thread of the host that runs script code while it holds the baton; what the virtual
//! machine keeps per thread is exchanged when the baton changes hands.
//!
//! Natives that block use `release` (for operations outside), `sleep`, or `park` and `wake` (for waiting for each other).

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::baton::{Baton, MAIN, ThreadId, Woken};
use super::context::Context;
use super::evaluator::Flags;
use super::event_loop::EventLoop;
use super::{now, of};
use crate::value::{R, Ref, Value};
use crate::vm::Vm;
use crate::vm::thread::ThreadPart;

/// The threads of an interpreter.
pub struct Threads {
    pub baton: Arc<Baton>,
    /// The one that holds the baton.
    current: Cell<ThreadId>,
    started: Cell<ThreadId>,
    /// Those that have not ended, with the objects that stand for them.
    pub alive: RefCell<BTreeMap<ThreadId, Value>>,
    /// What threads that were started are about to work on.
    pub(super) starting: RefCell<HashMap<ThreadId, Value>>,
    /// Workers of executors that wait for work.
    pub idle: RefCell<Vec<ThreadId>>,
    /// The program is over: idle workers end.
    pub ending: Cell<bool>,
}

impl Threads {
    pub(super) fn new() -> Threads {
        Threads {
            baton: Arc::new(Baton::default()),
            current: Cell::new(MAIN),
            started: Cell::new(MAIN),
            alive: RefCell::default(),
            starting: RefCell::default(),
            idle: RefCell::default(),
            ending: Cell::new(false),
        }
    }

    /// The number of a new thread.
    pub(super) fn next(&self) -> ThreadId {
        self.started.set(self.started.get() + 1);
        self.started.get()
    }
}

/// The thread that runs now.
pub fn current(vm: &Vm) -> ThreadId {
    of(vm).threads.current.get()
}

/// Whether a thread has not ended.
pub fn is_alive(vm: &Vm, thread: ThreadId) -> bool {
    thread == MAIN || of(vm).threads.alive.borrow().contains_key(&thread)
}

/// What the interpreter keeps for a thread.
pub(super) struct ThreadState {
    thread: ThreadId,
    part: ThreadPart,
    running: Option<Ref<EventLoop>>,
    context: Option<Ref<Context>>,
}

impl ThreadState {
    /// The state of a thread that begins.
    pub(super) fn fresh(thread: ThreadId) -> ThreadState {
        ThreadState { thread, part: ThreadPart::default(), running: None, context: None }
    }

    /// Takes the state of the running thread out.
    pub(super) fn take(vm: &Vm) -> ThreadState {
        let sched = of(vm);
        ThreadState {
            thread: sched.threads.current.get(),
            part: vm.exchange_thread(ThreadPart::default()),
            running: sched.running.take(),
            context: sched.context.take(),
        }
    }

    /// Puts it in: the thread goes on.
    pub(super) fn put(self, vm: &Vm) {
        let sched = of(vm);
        sched.threads.current.set(self.thread);
        drop(vm.exchange_thread(self.part));
        sched.running.set(self.running);
        sched.context.set(self.context);
    }
}

pub(super) fn arrived(vm: &Vm, jump: Option<f64>) {
    if let Some(when) = jump {
        of(vm).clock.jump(when);
    }
}

/// Runs a blocking operation while other threads may use the interpreter. The operation must not touch it.
pub fn release<T>(vm: &Vm, operation: impl FnOnce() -> T) -> T {
    let baton = &of(vm).threads.baton;
    let state = ThreadState::take(vm);
    baton.put();
    let outcome = operation();
    arrived(vm, baton.take(state.thread));
    state.put(vm);
    outcome
}

/// Lets a thread that waits have its turn: the evaluator calls this every so often.
pub(super) fn hand_over(vm: &Vm) {
    if of(vm).threads.baton.is_wanted() {
        release(vm, || ());
    }
}

/// Parks the running thread until it is woken or the clock shows `until`.
pub fn park(vm: &Vm, until: Option<f64>) -> R<Woken> {
    let sched = of(vm);
    let baton = &sched.threads.baton;
    let is_virtual = sched.clock.is_virtual();
    let until = until.filter(|until| *until < f64::INFINITY);
    let limit = match until {
        Some(until) if !is_virtual => {
            let ahead = Duration::try_from_secs_f64((until - now(vm)).max(0.0)).ok();
            ahead.and_then(|ahead| Instant::now().checked_add(ahead))
        }
        _ => None,
    };
    let Flags { interrupt, stop, deadline } = super::evaluator::flags(vm);
    let is_main = current(vm) == MAIN;
    let attention = move || {
        stop.load(Ordering::Relaxed)
            || is_main && interrupt.load(Ordering::Relaxed)
            || deadline.is_some_and(|deadline| Instant::now() >= deadline)
    };
    let state = ThreadState::take(vm);
    let (woken, jump) = baton.park(state.thread, until, limit, is_virtual, attention);
    arrived(vm, jump);
    state.put(vm);
    if woken == Woken::Attention {
        vm.heap.request_attention();
        vm.charge(1)?;
    }
    Ok(woken)
}

/// Wakes a thread that parks.
pub fn wake(vm: &Vm, thread: ThreadId) {
    of(vm).threads.baton.wake(thread);
}

/// Puts the baton down between two polls of a driving Rust future; what comes back is for `rise`, or tells why to go on at once.
pub(super) fn rest(vm: &Vm, until: Option<f64>) -> Result<ThreadState, Woken> {
    let sched = of(vm);
    let until = until.filter(|until| *until < f64::INFINITY);
    let state = ThreadState::take(vm);
    match sched.threads.baton.rest(state.thread, until, sched.clock.is_virtual()) {
        None => Ok(state),
        Some((woken, jump)) => {
            arrived(vm, jump);
            state.put(vm);
            Err(woken)
        }
    }
}

/// Takes it up again.
pub(super) fn rise(vm: &Vm, state: ThreadState) -> Woken {
    let (woken, jump) = of(vm).threads.baton.rise(state.thread);
    arrived(vm, jump);
    state.put(vm);
    woken
}

/// `time.sleep`: on the wall's clock, or the virtual one.
pub fn sleep(vm: &Vm, seconds: f64) -> R<()> {
    let until = now(vm) + seconds;
    if seconds <= 0.0 {
        release(vm, || ());
        return Ok(());
    }
    loop {
        match park(vm, Some(until))? {
            Woken::TimedOut => return Ok(()),
            Woken::Deadlock => return Ok(()),
            Woken::Signalled | Woken::Attention => {
                if now(vm) >= until {
                    return Ok(());
                }
            }
        }
    }
}
