//! Who may use the interpreter: one thread at a time holds the baton. A thread that waits puts it down; this is the one place where
//! threads wait, for the baton or for each other.
//!
//! A waiting thread parks on its `Token` until another wakes it or a time comes. The baton knows how many threads are busy (they hold
//! it, want it, or block outside); when none is, nothing can happen before the earliest of the times that parked threads named: the
//! virtual clock jumps there. And if none named one, they wait for each other for good: the deadlock is reported to the main thread.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Names a thread of an interpreter.
pub type ThreadId = u64;

/// The first thread, which runs the program.
pub const MAIN: ThreadId = 1;

/// Why a parked thread goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Woken {
    /// It was woken.
    Signalled,
    /// The time it named has come.
    TimedOut,
    /// Nobody can ever wake it.
    Deadlock,
    /// The host wants the evaluator's attention, or the interpreter is being dropped.
    Attention,
}

/// The right to use the interpreter, shared by its threads.
pub struct Baton {
    state: Mutex<State>,
    changed: Condvar,
    /// How many threads wait for the baton.
    wanted: AtomicUsize,
    /// The interpreter is being dropped: every thread must end.
    closing: AtomicBool,
}

#[derive(Default)]
struct State {
    held: bool,
    /// Threads that want it, in order of arrival.
    queue: VecDeque<ThreadId>,
    /// Threads that hold it, want it, or block outside; and work of the host under way.
    busy: usize,
    parked: HashMap<ThreadId, Parked>,
    /// Wakings that came before the thread parked.
    early: HashMap<ThreadId, ()>,
    /// Where the virtual clock is to jump.
    jump: Option<f64>,
    threads: usize,
    /// Threads that have had the baton once.
    begun: HashSet<ThreadId>,
}

struct Parked {
    /// The time named, in seconds of the virtual clock.
    until: Option<f64>,
    /// The same on the wall.
    limit: Option<Instant>,
    woken: Option<Woken>,
    serial: u64,
}

/// How often a thread that waits on the wall's clock looks whether the host wants something.
const LOOK: Duration = Duration::from_millis(50);

impl Default for Baton {
    fn default() -> Baton {
        let state = State { held: true, busy: 1, threads: 1, ..State::default() };
        Baton { state: Mutex::new(state), changed: Condvar::new(), wanted: AtomicUsize::new(0), closing: AtomicBool::new(false) }
    }
}

impl Baton {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether another thread waits for the baton.
    pub fn is_wanted(&self) -> bool {
        self.wanted.load(Ordering::Relaxed) > 0
    }

    /// How many threads there are.
    pub fn threads(&self) -> usize {
        self.lock().threads
    }

    /// A new thread is about to start: it counts as busy from now on.
    pub fn enlist(&self) {
        let mut state = self.lock();
        state.threads += 1;
        state.busy += 1;
    }

    /// A thread ends, or could not be started.
    pub fn discharge(&self, held: bool, is_virtual: bool) {
        let mut state = self.lock();
        state.threads -= 1;
        state.busy -= 1;
        if held {
            state.held = false;
        }
        state.settle(is_virtual);
        self.changed.notify_all();
    }

    /// Work of the host begins (1) or ends (-1) that will wake somebody.
    pub fn count_outside(&self, change: isize, is_virtual: bool) {
        let mut state = self.lock();
        state.busy = state.busy.saturating_add_signed(change);
        if change < 0 {
            state.settle(is_virtual);
            self.changed.notify_all();
        }
    }

    /// Waits for the baton. Returns where the virtual clock is to jump.
    pub fn take(&self, thread: ThreadId) -> Option<f64> {
        let mut state = self.lock();
        if state.held || !state.queue.is_empty() {
            state.queue.push_back(thread);
            self.wanted.fetch_add(1, Ordering::Relaxed);
            while state.held || state.queue.front() != Some(&thread) {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            state.queue.pop_front();
            self.wanted.fetch_sub(1, Ordering::Relaxed);
        }
        state.held = true;
        state.jump.take()
    }

    /// Waits for the baton for the first time.
    pub fn take_first(&self, thread: ThreadId) -> Option<f64> {
        let jump = self.take(thread);
        self.lock().begun.insert(thread);
        self.changed.notify_all();
        jump
    }

    /// Waits, without the baton, until a thread has had it for the first time.
    pub fn wait_for_start(&self, thread: ThreadId) {
        let mut state = self.lock();
        while !state.begun.remove(&thread) {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits, without the baton, until no other thread is left.
    pub fn wait_until_alone(&self) {
        let mut state = self.lock();
        while state.threads > 1 {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Whether the interpreter is being dropped.
    pub fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Relaxed)
    }

    /// Puts the baton down, to block outside or to let others run: the thread stays busy.
    pub fn put(&self) {
        self.lock().held = false;
        self.changed.notify_all();
    }

    /// Puts the baton down between two polls by the host. If there is a reason to go on already, that comes back and the baton is kept.
    pub fn rest(&self, thread: ThreadId, until: Option<f64>, is_virtual: bool) -> Option<(Woken, Option<f64>)> {
        let mut state = self.lock();
        if state.early.remove(&thread).is_some() {
            return Some((Woken::Signalled, state.jump.take()));
        }
        state.park(thread, until, None);
        state.settle(is_virtual);
        if let Some(woken) = state.parked.get(&thread).and_then(|parked| parked.woken) {
            state.parked.remove(&thread);
            return Some((woken, state.jump.take()));
        }
        state.held = false;
        self.changed.notify_all();
        None
    }

    /// Ends a rest.
    pub fn rise(&self, thread: ThreadId) -> (Woken, Option<f64>) {
        let mut state = self.lock();
        let woken = match state.parked.remove(&thread) {
            Some(Parked { woken: Some(woken), .. }) => woken,
            Some(_) => {
                state.busy += 1;
                Woken::Attention
            }
            None => Woken::Signalled,
        };
        drop(state);
        (woken, self.take(thread))
    }

    /// Parks the calling thread, which holds the baton, until it is woken or the time `until` comes, and takes the baton again.
    /// `attention` is asked now and then whether the thread should look up.
    pub fn park(
        &self,
        thread: ThreadId,
        until: Option<f64>,
        limit: Option<Instant>,
        is_virtual: bool,
        attention: impl Fn() -> bool,
    ) -> (Woken, Option<f64>) {
        let mut state = self.lock();
        if state.early.remove(&thread).is_some() {
            return (Woken::Signalled, state.jump.take());
        }
        state.held = false;
        state.park(thread, until, limit);
        state.settle(is_virtual);
        self.changed.notify_all();
        let woken = loop {
            let Some(parked) = state.parked.get(&thread) else { break Woken::Signalled };
            if let Some(woken) = parked.woken {
                break woken;
            }
            let now = Instant::now();
            let reason = match parked.limit {
                _ if self.closing.load(Ordering::Relaxed) || attention() => Some(Woken::Attention),
                Some(limit) if limit <= now => Some(Woken::TimedOut),
                _ => None,
            };
            if let Some(reason) = reason {
                state.busy += 1;
                break reason;
            }
            let wait = parked.limit.map_or(LOOK, |limit| LOOK.min(limit - now));
            state = self.changed.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0;
        };
        state.parked.remove(&thread);
        drop(state);
        (woken, self.take(thread))
    }

    /// Wakes a thread, now or when it parks next. May be called from any thread.
    pub fn wake(&self, thread: ThreadId) {
        let mut state = self.lock();
        match state.parked.get_mut(&thread) {
            Some(parked) if parked.woken.is_none() => {
                parked.woken = Some(Woken::Signalled);
                state.busy += 1;
            }
            Some(_) => {}
            None => {
                state.early.insert(thread, ());
            }
        }
        self.changed.notify_all();
    }

    /// Tells all threads to end.
    pub fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
        self.changed.notify_all();
    }
}

impl State {
    fn park(&mut self, thread: ThreadId, until: Option<f64>, limit: Option<Instant>) {
        let serial = self.parked.values().map(|parked| parked.serial).max().unwrap_or(0) + 1;
        self.parked.insert(thread, Parked { until, limit, woken: None, serial });
        self.busy -= 1;
    }

    /// If nobody is busy: time goes on, or never will.
    fn settle(&mut self, is_virtual: bool) {
        if self.busy > 0 {
            return;
        }
        let timed = self.parked.values_mut().filter(|parked| parked.woken.is_none());
        let first = timed
            .filter_map(|parked| Some((parked.until?, parked)))
            .min_by(|(a, one), (b, other)| a.total_cmp(b).then(one.serial.cmp(&other.serial)));
        match first {
            Some((until, parked)) if is_virtual => {
                parked.woken = Some(Woken::TimedOut);
                self.jump = Some(until);
                self.busy += 1;
            }
            Some(_) => {}
            None => {
                if let Some(main) = self.parked.get_mut(&MAIN) {
                    main.woken = Some(Woken::Deadlock);
                    self.busy += 1;
                }
            }
        }
    }
}
