//! The countdown of the evaluator, and what is looked after when it runs out: limits, interrupts, finalisers, cycles, other threads.
//!
//! One counter (`Heap::ticks`) serves them all. Calls and loop back-edges take one tick, long native operations `charge` in
//! proportion to their work. A slice of ticks is taken off the fuel when it is used up; whoever needs the evaluator's attention at
//! once (the heap, a signal) makes the counter negative.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::Vm;
use super::traceback;
use crate::value::{Exception, Kind, LastRite, ObjRef, R, Raised, Value};

/// Ticks between looks at the clock and the flags.
const SLICE: i64 = 10_000;

/// Which limit a script crossed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Limit {
    /// `Limits::fuel`: the work it may do.
    Fuel,
    /// `Limits::memory`: the memory it may hold.
    Memory,
    /// `Limits::time`: the time by which it must be done.
    Deadline,
    /// `Limits::output`: the bytes it may print.
    Output,
    /// `Limits::tasks`: the tasks that may exist at once.
    Tasks,
    /// The host asked it to stop, by a `Stopper`.
    Stopped,
}

impl Limit {
    /// What happened, in a line: what `Display` of the error says.
    ///
    /// ```
    /// assert_eq!(asplet::Limit::Fuel.message(), "the script has used up its fuel");
    /// ```
    pub fn message(self) -> &'static str {
        match self {
            Limit::Fuel => "the script has used up its fuel",
            Limit::Memory => "the script has used up its memory",
            Limit::Deadline => "the script has run out of time",
            Limit::Output => "the script has printed more than it may",
            Limit::Tasks => "the script has started more tasks than it may",
            Limit::Stopped => "the script was stopped by its host",
        }
    }
}

/// The state of limits and interrupts.
pub struct Ticks {
    /// What was left when the current slice began; `u64::MAX` for no limit.
    fuel: Cell<u64>,
    slice: Cell<i64>,
    deadline: Cell<Option<Instant>>,
    /// The limit that was crossed: every look from then on raises it again.
    crossed: Cell<Option<Limit>>,
    /// Set from a signal handler: `KeyboardInterrupt`.
    interrupt: RefCell<Arc<AtomicBool>>,
    /// Set by the host from any thread: stop now.
    stop: RefCell<Arc<AtomicBool>>,
    /// Called at each slice by the layer that shares the interpreter among threads.
    hand_over: Cell<Option<fn(&Vm)>>,
    /// Asked before `KeyboardInterrupt` is raised: whether the interrupt was dealt with otherwise.
    on_interrupt: Cell<Option<fn(&Vm) -> bool>>,
    finalizing: Cell<bool>,
    collecting: Cell<bool>,
    /// `gc.disable()` was called.
    pub collection_off: Cell<bool>,
}

impl Default for Ticks {
    fn default() -> Ticks {
        Ticks {
            fuel: Cell::new(u64::MAX),
            slice: Cell::new(0),
            deadline: Cell::new(None),
            crossed: Cell::new(None),
            interrupt: RefCell::default(),
            stop: RefCell::default(),
            hand_over: Cell::new(None),
            on_interrupt: Cell::new(None),
            finalizing: Cell::new(false),
            collecting: Cell::new(false),
            collection_off: Cell::new(false),
        }
    }
}

impl Vm {
    /// One call or loop turn.
    #[inline(always)]
    pub fn tick(&self) -> R<()> {
        let left = self.heap.ticks.get() - 1;
        self.heap.ticks.set(left);
        if left < 0 { self.look_up() } else { Ok(()) }
    }

    /// Counts `work` units (about the work of a call each) of a long native operation, and looks up when the slice is used up. To be
    /// called in proportion to the work, before doing it.
    #[inline]
    pub fn charge(&self, work: u64) -> R<()> {
        let left = self.heap.ticks.get().saturating_sub_unsigned(work);
        self.heap.ticks.set(left);
        if left < 0 { self.look_up() } else { Ok(()) }
    }

    /// Fuel that is left; `None` without a limit.
    pub fn fuel(&self) -> Option<u64> {
        let fuel = self.ticks.fuel.get();
        let now = self.heap.ticks.get();
        let aside = self.heap.aside();
        let left = if now == -1 && aside > 0 { aside } else { now };
        (fuel != u64::MAX).then(|| fuel.saturating_sub((self.ticks.slice.get() - left).max(0) as u64))
    }

    /// Sets the fuel; `None` for no limit. Clears a limit that was crossed.
    pub fn set_fuel(&self, fuel: Option<u64>) {
        self.ticks.fuel.set(fuel.unwrap_or(u64::MAX));
        self.ticks.slice.set(0);
        self.heap.ticks.set(0);
        self.ticks.crossed.set(None);
    }

    /// Sets the time by which scripts must be done.
    pub fn set_deadline(&self, deadline: Option<Instant>) {
        self.ticks.deadline.set(deadline);
    }

    /// The time by which scripts must be done.
    pub fn deadline(&self) -> Option<Instant> {
        self.ticks.deadline.get()
    }

    /// The limit that was crossed, if one was.
    pub fn limit_crossed(&self) -> Option<Limit> {
        self.ticks.crossed.get()
    }

    /// Forgets that a limit was crossed, so that the interpreter can be used again.
    pub fn clear_limit(&self) {
        self.ticks.crossed.set(None);
    }

    /// The flag that makes the script raise `KeyboardInterrupt` at its next look.
    pub fn interrupt_flag(&self) -> Arc<AtomicBool> {
        self.ticks.interrupt.borrow().clone()
    }

    /// The flag that stops the script at its next look.
    pub fn stop_flag(&self) -> Arc<AtomicBool> {
        self.ticks.stop.borrow().clone()
    }

    /// Registers what is called at each slice, for handing the interpreter over to another thread.
    pub fn set_hand_over(&self, hook: Option<fn(&Vm)>) {
        self.ticks.hand_over.set(hook);
    }

    /// Registers what is asked before an interrupt raises `KeyboardInterrupt`.
    pub fn set_interrupt_hook(&self, hook: Option<fn(&Vm) -> bool>) {
        self.ticks.on_interrupt.set(hook);
    }

    /// What happens every slice, and when something asked for attention.
    #[cold]
    #[inline(never)]
    fn look_up(&self) -> R<()> {
        let ticks = &self.ticks;
        let now = self.heap.ticks.get();
        let aside = self.heap.take_aside();
        let left = if now == -1 && aside > 0 { aside } else { now };
        let used = (ticks.slice.get() - left).max(0) as u64;
        let fuel = ticks.fuel.get();
        if fuel != u64::MAX {
            ticks.fuel.set(fuel.saturating_sub(used));
        }
        let slice = ticks.fuel.get().min(SLICE as u64) as i64;
        ticks.slice.set(slice);
        self.heap.ticks.set(slice);
        if let Some(limit) = ticks.crossed.get() {
            return Err(self.cross(limit));
        }
        if ticks.fuel.get() == 0 {
            return Err(self.cross(Limit::Fuel));
        }
        if self.heap.collection_due() && !ticks.collection_off.get() {
            self.collect_cycles();
        }
        if self.heap.bytes() > self.heap.limit() {
            self.collect_cycles();
            if self.heap.bytes() > self.heap.limit() {
                return Err(self.cross(Limit::Memory));
            }
        }
        if ticks.deadline.get().is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(self.cross(Limit::Deadline));
        }
        if ticks.stop.borrow().load(Ordering::Relaxed) {
            return Err(self.cross(Limit::Stopped));
        }
        if ticks.interrupt.borrow().swap(false, Ordering::Relaxed) && !ticks.on_interrupt.get().is_some_and(|hook| hook(self)) {
            return Err(self.raise_with(&self.types.keyboard_interrupt, vec![]));
        }
        self.run_finalizers();
        if let Some(hook) = ticks.hand_over.get() {
            hook(self);
        }
        Ok(())
    }

    /// Ends the script with an exception that it cannot catch.
    #[cold]
    #[inline(never)]
    pub fn cross(&self, limit: Limit) -> Raised {
        self.ticks.crossed.set(Some(limit));
        let class = if limit == Limit::Memory { &self.types.memory_error } else { &self.types.runtime_error };
        // The message is made even past the memory limit: it is short, and the script ends.
        let exception = self.exception(class, vec![self.str_value(limit.message())]);
        if let Some(e) = exception.downcast::<Exception>() {
            e.uncatchable.set(true);
        }
        self.raise(exception)
    }

    /// Frees unreachable cycles; how many objects they held.
    pub fn collect_cycles(&self) -> usize {
        if self.ticks.collecting.replace(true) {
            return 0;
        }
        let found = self.heap.collect();
        self.ticks.collecting.set(false);
        found
    }

    /// Runs what objects that became unreachable want to run: `__del__`, the warning of a coroutine that was never awaited, the
    /// `finally` blocks of a generator that was dropped.
    pub fn run_finalizers(&self) {
        if !self.heap.has_finalizers() || self.ticks.finalizing.replace(true) {
            return;
        }
        let raised = self.raised.take();
        let span = self.error_span.get();
        let here = self.heap.here.get();
        while self.heap.has_finalizers() {
            for (place, rite) in self.heap.take_finalizers() {
                if self.ticks.crossed.get().is_some() || self.charge(4).is_err() && self.held_up() {
                    continue;
                }
                self.heap.here.set(place);
                match rite {
                    LastRite::Finalize(object) => self.finalize(object),
                    LastRite::Notify { reference, callback } => {
                        if let Err(Raised) = self.call(&callback, &[Value::Obj(reference)]) {
                            self.unraisable("Exception ignored in", &callback);
                        }
                    }
                }
            }
        }
        self.heap.here.set(here);
        self.error_span.set(span);
        if raised.is_some() {
            self.raised.set(raised);
        }
        self.ticks.finalizing.set(false);
    }

    /// Whether a limit keeps the rest of the finalisers from running: what they belong to goes without. An interrupt only waits.
    #[cold]
    fn held_up(&self) -> bool {
        drop(self.take_raised());
        if self.ticks.crossed.get().is_none() {
            self.ticks.interrupt.borrow().store(true, Ordering::Relaxed);
        }
        self.ticks.crossed.get().is_some()
    }

    /// Lets objects that became unreachable go without their finalisers, once a limit has ended the script.
    pub fn forget_finalizers(&self) {
        while self.heap.has_finalizers() {
            drop(self.heap.take_finalizers());
        }
    }

    fn finalize(&self, object: ObjRef) {
        match object.kind() {
            Kind::Coroutine | Kind::Generator | Kind::AsyncGenerator => self.finalize_resumable(&Value::Obj(object)),
            Kind::Native => {
                if let Some(hook) = self.finalize_hook(object.class_index()) {
                    hook(self, &Value::Obj(object));
                }
            }
            _ => {
                let value = Value::Obj(object);
                if let Err(Raised) = self.call_special(&value, &self.n.__del__, &[]) {
                    let method = self.class_of(&value).lookup(&self.n.__del__);
                    self.unraisable("Exception ignored in", &method);
                }
            }
        }
    }

    /// Reports an exception that has nowhere to go on standard error, as CPython does.
    pub fn unraisable(&self, what: &str, object: &Value) {
        let exception = self.take_raised();
        if exception.downcast::<Exception>().is_some_and(|e| e.uncatchable.get()) {
            // It is raised again at the next look.
            return;
        }
        if let Some(sys) = self.modules.get_str(&self.n.sys)
            && let Some(sys) = sys.payload::<crate::value::Module>()
            && let Some(hook) = sys.dict.get_text("unraisablehook")
            && !sys.dict.get_text("__unraisablehook__").is_some_and(|usual| usual.is(&hook))
            && let Some(tell) = sys.dict.get_text("_tell_unraisable")
        {
            let message = if what == "Exception ignored in" { Value::None } else { self.str_value(what) };
            if self.call(&tell, &[hook, exception, message, object.clone()]).is_err() {
                drop(self.take_raised());
            }
            return;
        }
        let shown = match self.repr(object) {
            Ok(text) => text.as_str().to_owned(),
            Err(Raised) => {
                drop(self.take_raised());
                "<object repr() failed>".to_owned()
            }
        };
        let mut text = format!("{what}: {shown}\n");
        text.push_str(&traceback::format_exception(self, &exception));
        if self.tell_stderr(&text).is_err() {
            drop(self.take_raised());
        }
    }
}
