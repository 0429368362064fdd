//! Resuming generators and coroutines from outside: `send`, `throw`, `close`, making them, finalising them.

use std::cell::Cell;

use super::Vm;
use super::code::{Code, CodeKind};
use super::coroutine::{AsyncGenerator, Coroutine, Generator, NativeFrame, Outcome, Resumable, State, named};
use super::frame::{Activation, Cursor, Frame, Stack};
use super::function::Function;
use super::suspend::Begun;
use crate::value::{Kind, ObjRef, Payload, R, Raised, Ref, Slots, Str, Value, Visitor};

/// The iterator that `coroutine.__await__()` gives.
pub struct CoroutineWrapper(pub Ref<Coroutine>);

impl Payload for CoroutineWrapper {
    crate::native_kind!();
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.reference(&self.0);
    }
}

impl Vm {
    /// Sends into a coroutine: `Ok(value)` as `send`, `Err` (with the exception in the `Vm`) as `throw`.
    pub fn resume_coroutine(&self, coroutine: &Ref<Coroutine>, sent: R) -> R<Outcome> {
        let inner = &coroutine.inner;
        match inner.state.get() {
            State::Created => {
                if let Ok(value) = &sent
                    && !value.is_none()
                {
                    return Err(self.type_error("can't send non-None value to a just-started coroutine"));
                }
            }
            State::Suspended => {}
            State::Running => return Err(self.value_error_over(sent, "coroutine already executing")),
            State::Joined => return Err(self.runtime_error("coroutine is being awaited already")),
            State::Closed => {
                drop(sent?);
                return Err(self.runtime_error("cannot reuse already awaited coroutine"));
            }
        }
        coroutine.as_obj().cancel_finalizer();
        inner.state.set(State::Running);
        let mut stack = inner.take_stack(&self.heap);
        let result = self.run_frames(&mut stack, sent);
        if let Ok((Outcome::Yield(_), _)) = &result {
            inner.put_stack(&self.heap, stack);
            inner.state.set(State::Suspended);
        } else {
            inner.state.set(State::Closed);
        }
        result.map(|(outcome, _)| outcome)
    }

    /// Sends into a generator, likewise.
    pub fn resume_generator(&self, generator: &Ref<Generator>, sent: R) -> R<Outcome> {
        match self.step_generator(generator, sent)? {
            Value::Undef => Ok(Outcome::Return(self.suspension.yielded.take())),
            item => Ok(Outcome::Yield(item)),
        }
    }

    /// The next item of a generator, `Undef` at its end: the loop's way, which is the shortest for a generator that waits in a frame of its
    /// own.
    pub(crate) fn next_of_generator(&self, generator: &Ref<Generator>) -> R {
        let inner = &generator.inner;
        if inner.state.get() != State::Suspended || inner.height() != 1 {
            return self.next_in_general(generator);
        }
        self.may_enter(1)?;
        let Some((code, mut slots, cursor)) = inner.take_top() else { return self.lost_frame() };
        inner.state.set(State::Running);
        self.suspension.sent.set(Value::None);
        self.suspension.cursor.set(cursor);
        self.go_down();
        let result = self.with_stack(|| code.body.resume(self, &mut slots));
        self.leave();
        if let Ok(Value::Suspend) = result {
            inner.put_back(slots, self.suspension.take_cursor());
            self.item_of(generator, code.has_cleanup)
        } else {
            let ended = self.after_step(&code, result);
            drop(slots);
            self.end_generator(generator);
            ended.map(|_| Value::Undef)
        }
    }

    #[inline(never)]
    fn next_in_general(&self, generator: &Ref<Generator>) -> R {
        let item = self.step_generator(generator, Ok(Value::None))?;
        if item.is_undef() {
            drop(self.suspension.yielded.take());
        }
        Ok(item)
    }

    /// The item for which a generator has just been suspended.
    #[inline(always)]
    fn item_of(&self, generator: &Ref<Generator>, has_cleanup: bool) -> R {
        generator.inner.state.set(State::Suspended);
        if has_cleanup {
            generator.as_obj().request_finalizer();
        }
        if !self.suspension.frames.with(Vec::is_empty) {
            self.pile_up(generator);
        }
        Ok(self.suspension.yielded.take())
    }

    #[inline(never)]
    fn end_generator(&self, generator: &Ref<Generator>) {
        generator.inner.state.set(State::Closed);
        generator.as_obj().cancel_finalizer();
        drop(generator.inner.take_stack(&self.heap));
    }

    /// Sends into a generator. Its item; `Undef` at its end, when the value that it returned is left in `Suspension::yielded`.
    fn step_generator(&self, generator: &Ref<Generator>, mut sent: R) -> R {
        let inner = &generator.inner;
        if inner.state.get() != State::Suspended
            && let Some(end) = self.refuse_resumption(inner, &mut sent)?
        {
            return Ok(end);
        }
        // Frames that delegate to others count for the depth, though they are not on the native stack.
        let depth = self.depth.get();
        self.may_enter(inner.height())?;
        inner.state.set(State::Running);
        if sent.is_err() && inner.height() > 1 && self.raised_is(&self.types.generator_exit) {
            sent = self.close_delegates(generator, depth);
        }
        loop {
            let result = self.run_top(generator, depth, sent);
            if let Ok(Value::Suspend) = result {
                return self.item_of(generator, false);
            }
            if inner.height() == 1 {
                self.end_generator(generator);
                self.suspension.yielded.set(result?);
                return Ok(Value::Undef);
            }
            drop(inner.pop());
            sent = result;
        }
    }

    /// Runs the topmost frame of a generator. Frames stay where they are; only slots and cursor are taken out meanwhile.
    #[inline(always)]
    fn run_top(&self, generator: &Ref<Generator>, depth: u32, sent: R) -> R {
        let inner = &generator.inner;
        let Some((code, mut slots, cursor)) = inner.take_top() else { return self.lost_frame() };
        let here = self.heap.here.get();
        self.heap.note_resumption(depth, inner.height() - 1);
        self.depth.set(depth + inner.height());
        let result = self.run_body_of_frame(&code, &mut slots, cursor, sent);
        self.depth.set(depth);
        self.heap.here.set(here);
        if let Ok(Value::Suspend) = result {
            inner.put_back(slots, self.suspension.take_cursor());
            if code.has_cleanup {
                generator.as_obj().request_finalizer();
            }
            return result;
        }
        self.after_step(&code, result)
    }

    /// Runs a body from the place that the cursor tells, or from its beginning.
    #[inline(always)]
    pub(super) fn run_body_of_frame(&self, code: &Ref<Code>, slots: &mut [Value], cursor: Cursor, sent: R) -> R {
        if cursor.is_unstarted() {
            drop(sent?);
            return self.with_stack(|| code.body.exec(self, slots));
        }
        self.suspension.hand_over(sent, &self.handled);
        self.suspension.cursor.set(cursor);
        self.with_stack(|| code.body.resume(self, slots))
    }

    #[cold]
    #[inline(never)]
    fn lost_frame(&self) -> R {
        Err(self.runtime_error("a generator lost its frame"))
    }

    /// Closes the frames that a generator delegates to, as `close()` of theirs would: what the lowest frame is sent then. One that
    /// ends as it likes lets the exception that closes it go on to the next; one that yields is an error there.
    #[cold]
    #[inline(never)]
    fn close_delegates(&self, generator: &Ref<Generator>, depth: u32) -> R {
        let inner = &generator.inner;
        let exit = self.raised.get().unwrap_or_default();
        while inner.height() > 1 {
            match self.run_top(generator, depth, Err(Raised)) {
                Ok(Value::Suspend) => {
                    drop(self.suspension.yielded.take());
                    drop(self.suspension.frames.take());
                    drop(inner.pop());
                    return Err(self.runtime_error("generator ignored GeneratorExit"));
                }
                Ok(_) => {}
                Err(Raised) if self.raised_is(&self.types.generator_exit) || self.raised_is(&self.types.stop_iteration) => {
                    drop(self.take_raised());
                }
                Err(Raised) => {
                    drop(inner.pop());
                    return Err(Raised);
                }
            }
            drop(inner.pop());
            self.raise(exit.clone());
        }
        Err(Raised)
    }

    /// For a generator that is not suspended: nothing if it may begin, `Undef` if it is at its end.
    #[inline(never)]
    fn refuse_resumption(&self, inner: &Resumable, sent: &mut R) -> R<Option<Value>> {
        match inner.state.get() {
            State::Created => match sent {
                Ok(value) if !value.is_none() => Err(self.type_error("can't send non-None value to a just-started generator")),
                _ => Ok(None),
            },
            State::Suspended => Ok(None),
            State::Running | State::Joined => {
                Err(self.value_error_over(std::mem::replace(sent, Err(Raised)), "generator already executing"))
            }
            State::Closed => {
                drop(std::mem::replace(sent, Ok(Value::None))?);
                self.suspension.yielded.set(Value::None);
                Ok(Some(Value::Undef))
            }
        }
    }

    /// Puts the frames that a generator delegates to, and that were left with it, on top of its own.
    #[inline(never)]
    fn pile_up(&self, generator: &Ref<Generator>) {
        let mut frames = self.suspension.frames.take();
        if frames.iter().any(|frame| matches!(frame, Activation::Script(frame) if frame.code.has_cleanup)) {
            generator.as_obj().request_finalizer();
        }
        generator.inner.extend(&self.heap, &mut frames);
    }

    /// Delegates to a generator that nobody else knows: its frame runs on the native stack, and if it suspends, it waits to be put on
    /// top of the frame that delegates. `None` if it is one that others can see, or that has begun.
    pub(crate) fn delegate(&self, iterable: &Value) -> Option<R<Begun>> {
        let generator = iterable.downcast::<Generator>()?;
        let object = generator.as_obj();
        if object.refs() > 1 || object.is_weakly_referenced() || generator.inner.state.get() != State::Created {
            return None;
        }
        let Some(Activation::Script(mut frame)) = generator.inner.pop() else { return None };
        generator.inner.state.set(State::Closed);
        if let Err(Raised) = self.enter() {
            return Some(Err(Raised));
        }
        let result = self.with_stack(|| frame.code.body.exec(self, &mut frame.slots));
        self.leave();
        Some(match self.after_step(&frame.code, result) {
            Ok(Value::Suspend) => {
                frame.cursor = self.suspension.take_cursor();
                self.suspension.frames.with_mut(|frames| frames.push(Activation::Script(frame)));
                Ok(Begun::Pending(Value::Undef))
            }
            Ok(value) => Ok(Begun::Done(value)),
            Err(Raised) => Err(Raised),
        })
    }

    #[cold]
    fn value_error_over(&self, sent: R, message: &str) -> Raised {
        if sent.is_err() {
            drop(self.take_raised());
        }
        self.value_error(message)
    }

    /// The generator, coroutine or async generator of a call whose arguments are in `slots`.
    pub(crate) fn make_resumable(&self, function: &Ref<Function>, slots: Slots) -> Value {
        let code = &function.code;
        let renamed = function.extra.with(|extra| {
            let extra = extra.as_ref().filter(|extra| extra.name.is_some() || extra.qualname.is_some())?;
            let text = |value: &Option<Value>, known: &Ref<Str>| {
                value.as_ref().and_then(|value| value.downcast::<Str>()).unwrap_or(known).clone()
            };
            Some((text(&extra.name, &code.name), text(&extra.qualname, &code.qualname)))
        });
        let origin = match renamed {
            Some((name, qualname)) => named(&self.heap, &name, &qualname),
            None => code.as_obj().clone(),
        };
        self.resumable(code, origin, slots)
    }

    /// The same by its code and what its names come from.
    pub(crate) fn resumable(&self, code: &Ref<Code>, origin: ObjRef, slots: Slots) -> Value {
        let frame = Frame { code: code.clone(), slots, cursor: Cursor::UNSTARTED };
        let inner = Resumable::new(Stack::One(Activation::Script(frame)), origin);
        match code.kind {
            CodeKind::Generator => Value::from(self.heap.alloc(Generator { inner })),
            CodeKind::AsyncGenerator => {
                Value::from(self.heap.alloc(AsyncGenerator { inner, busy: Cell::new(false), hooked: Cell::new(false) }))
            }
            _ => {
                let coroutine = self.heap.alloc(Coroutine { inner });
                coroutine.as_obj().request_finalizer();
                Value::from(coroutine)
            }
        }
    }

    /// A coroutine object around a native frame.
    pub fn native_coroutine(&self, frame: Box<dyn NativeFrame>) -> Value {
        let name = self.intern(frame.name());
        let inner = Resumable::new(Stack::One(Activation::native(frame, Value::Undef)), name.into_obj());
        let coroutine = self.heap.alloc(Coroutine { inner });
        coroutine.as_obj().request_finalizer();
        Value::from(coroutine)
    }

    /// `close()` of a generator or coroutine: throws `GeneratorExit` in.
    pub fn close_resumable(&self, object: &Value) -> R<()> {
        let (inner, what) = match object {
            Value::Obj(o) if o.kind() == Kind::Generator => (o.downcast::<Generator>().map(|g| &g.inner), "generator"),
            Value::Obj(o) if o.kind() == Kind::Coroutine => (o.downcast::<Coroutine>().map(|c| &c.inner), "coroutine"),
            _ => (None, ""),
        };
        let Some(inner) = inner else { return Ok(()) };
        match inner.state.get() {
            State::Created => {
                inner.state.set(State::Closed);
                if let Some(object) = object.as_obj() {
                    object.cancel_finalizer();
                }
                drop(inner.take_stack(&self.heap));
                return Ok(());
            }
            State::Closed => return Ok(()),
            _ => {}
        }
        let exit = self.exception(&self.types.generator_exit, vec![]);
        self.raise(exit);
        let result = match object.kind() {
            Kind::Generator => object.downcast::<Generator>().map(|g| self.resume_generator(g, Err(Raised))),
            _ => object.downcast::<Coroutine>().map(|c| self.resume_coroutine(c, Err(Raised))),
        };
        match result {
            Some(Ok(Outcome::Yield(_))) => Err(self.runtime_error(format!("{what} ignored GeneratorExit"))),
            Some(Ok(Outcome::Return(_))) | None => Ok(()),
            Some(Err(Raised)) => {
                if self.raised_is(&self.types.generator_exit) || self.raised_is(&self.types.stop_iteration) {
                    drop(self.take_raised());
                    return Ok(());
                }
                Err(Raised)
            }
        }
    }

    /// A generator or coroutine that was dropped: warns about one that was never awaited, and runs the `finally` blocks of one that is
    /// suspended.
    pub(crate) fn finalize_resumable(&self, object: &Value) {
        if let Some(coroutine) = object.downcast::<Coroutine>() {
            if coroutine.inner.state.get() == State::Created {
                coroutine.inner.state.set(State::Closed);
                drop(coroutine.inner.take_stack(&self.heap));
                self.warn_never_awaited(object);
            }
            return;
        }
        if let Some(generator) = object.downcast::<AsyncGenerator>() {
            if generator.inner.state.get() == State::Suspended
                && let Some(hook) = self.finalize_hook(object.as_obj().map_or(0, |o| o.class_index()))
            {
                hook(self, object);
            }
            return;
        }
        if self.close_resumable(object).is_err() {
            self.unraisable("Exception ignored in", object);
        }
    }
}
