//! The ways in which a frame gives control back, and how it gets it again.
//!
//! There are three, all of them statements (lowering makes them so): `yield` hands an item to whoever resumed the generator; a
//! bare wait hands what it waits for (a future) down to the task; and an `await` whose callee suspended lets the callee's frame stand
//! on top of its own. While control goes back, each block that is left pushes its position on the cursor of the frame, innermost
//! first, and frames that were running eagerly on the native stack move to `Suspension::frames`. Resuming pops the positions again,
//! outermost first. Nothing is recorded as long as nobody suspends.

use std::cell::Cell;

use smallvec::SmallVec;

use super::Vm;
use super::async_generator::AsyncGeneratorStep;
use super::code::{Code, CodeKind};
use super::coroutine::{AsyncGenerator, Coroutine, Generator, NativeFrame, Outcome, State, Step};
use super::frame::{Activation, Cursor, Frame, Stack, as_awaiting};
use super::function::{Args, Function, NativeCode, NativeFunction};
use super::resume::CoroutineWrapper;
use super::stmt::await_::is_iterable_coroutine;
use crate::value::{Exception, Kind, ObjRef, R, Raised, Ref, Shared, Slots, Value};

/// What is passed along while frames suspend and resume. Empty in between.
#[derive(Default)]
pub struct Suspension {
    /// Positions of the frame that is being left, or gone back into.
    pub cursor: Shared<Cursor>,
    /// Frames that have been left, innermost first.
    pub frames: Shared<Vec<Activation>>,
    /// What is handed over: an item, or what the chain waits for.
    pub yielded: Shared<Value>,
    /// `yielded` is an item of an async generator.
    pub is_item: Cell<bool>,
    /// What a resumed frame is sent; `Undef` if an exception is thrown in, which waits in `Vm::raised`.
    pub sent: Shared<Value>,
    /// What was being handled outside when an exception was thrown in.
    pub handled_outside: Shared<Value>,
}

impl Suspension {
    /// Notes what a frame that is about to be resumed gets. `handled` is the exception being handled meanwhile.
    #[inline]
    pub(super) fn hand_over(&self, sent: R, handled: &Shared<Value>) {
        if sent.is_err() {
            self.handled_outside.set(handled.get());
        }
        self.sent.set(sent.unwrap_or_default());
    }

    /// The positions of the frame that has just been left, to be kept with it.
    #[inline(always)]
    pub(super) fn take_cursor(&self) -> Cursor {
        self.cursor.take()
    }
}

/// What beginning (or going on) to await something came to.
pub enum Begun {
    Done(Value),
    /// It waits. The value is to be given to `continue_await` when the frame is resumed: `Undef` when the awaited frames are on top of the
    /// stack, else the future or iterator.
    Pending(Value),
}

impl Vm {
    /// Takes the outermost position off the cursor.
    #[inline(always)]
    pub(crate) fn pop_cursor(&self) -> u16 {
        self.suspension.cursor.with_mut(|cursor| cursor.pop()).unwrap_or_default()
    }

    /// Puts a position on the cursor.
    #[inline(always)]
    pub(crate) fn push_cursor(&self, position: u16) {
        self.suspension.cursor.with_mut(|cursor| cursor.push(position));
    }

    /// Passes a result on; if it is a suspension, with the position of the block that is being left.
    #[inline(always)]
    pub(crate) fn keep_place(&self, result: R, position: u16) -> R {
        if let Ok(Value::Suspend) = result {
            self.push_cursor(position);
        }
        result
    }

    /// What the frame that has just been resumed was sent.
    #[inline]
    pub(crate) fn take_sent(&self) -> R {
        match self.suspension.sent.take() {
            Value::Undef => Err(Raised),
            value => Ok(value),
        }
    }

    /// Runs a frame from where it stands until it ends or suspends. Adds the traceback entry if an exception leaves it.
    /// `below` frames wait for this one: they count as callers do.
    #[inline(always)]
    fn step_frame(&self, frame: &mut Frame, sent: R, below: u32) -> R {
        let Frame { code, slots, cursor } = frame;
        let depth = self.depth.get();
        let here = self.heap.here.get();
        self.may_enter(below.saturating_add(1))?;
        self.heap.note_resumption(depth, below);
        self.depth.set(depth + 1 + below);
        let cursor = std::mem::take(cursor);
        let result = self.run_body_of_frame(code, slots, cursor, sent);
        self.depth.set(depth);
        self.heap.here.set(here);
        self.after_step(code, result)
    }

    /// What leaving a body comes to: a traceback entry for an exception, and no `StopIteration` leaves a generator or coroutine.
    pub(super) fn after_step(&self, code: &Ref<Code>, result: R) -> R {
        match result {
            Ok(Value::Next) => Ok(Value::None),
            Ok(value) => Ok(value),
            Err(Raised) => {
                let _ = self.add_traceback(&code.info);
                self.forbid_stop_iteration(code.kind);
                Err(Raised)
            }
        }
    }

    #[cold]
    fn forbid_stop_iteration(&self, kind: CodeKind) {
        let stop = self.raised_is(&self.types.stop_iteration);
        let stop_async = kind == CodeKind::AsyncGenerator && self.raised_is(&self.types.stop_async_iteration);
        if !stop && !stop_async {
            return;
        }
        let what = match kind {
            CodeKind::Generator => "generator raised StopIteration",
            CodeKind::Coroutine => "coroutine raised StopIteration",
            _ if stop_async => "async generator raised StopAsyncIteration",
            _ => "async generator raised StopIteration",
        };
        let cause = self.take_raised();
        let exception = self.exception(&self.types.runtime_error, vec![self.str_value(what)]);
        if let Some(e) = exception.downcast::<Exception>() {
            e.context.set(cause.clone());
            e.cause.set(cause);
            e.suppress_context.set(true);
        }
        self.raise(exception);
    }

    /// Runs the frames of a stack, from the top, until all have ended or one suspends (the frames are then back on the stack).
    /// The flag says whether what is yielded is an item of an async generator whose frame was the lowest.
    pub(super) fn run_frames(&self, stack: &mut Stack, mut sent: R) -> R<(Outcome, bool)> {
        let suspension = &self.suspension;
        if sent.is_err() && stack.height() > 1 && self.raised_is(&self.types.generator_exit) {
            sent = self.close_awaited(stack);
        }
        loop {
            // Half of what is there at most are marks between frames.
            let below = stack.height() as u32 / 2;
            let Some(top) = stack.last_mut() else { break };
            match top {
                Activation::Script(frame) => {
                    sent = self.step_frame(frame, sent, below);
                    if let Ok(Value::Suspend) = sent {
                        frame.cursor = suspension.take_cursor();
                        let yielded = suspension.yielded.take();
                        if !suspension.is_item.replace(false) {
                            self.stack_up(stack);
                            return Ok((Outcome::Yield(yielded), false));
                        }
                        if stack.height() == 1 {
                            return Ok((Outcome::Yield(yielded), true));
                        }
                        self.hand_item_down(stack);
                        sent = Ok(yielded);
                        continue;
                    }
                    drop(stack.pop());
                }
                Activation::Joined(owner) => {
                    self.joined_ended(owner, &mut sent);
                    drop(stack.pop());
                }
                Activation::Native { frame, awaiting } => {
                    let begun = match awaiting.take() {
                        Some(object) => self.continue_await(Value::Obj(object), sent),
                        None => sent.map(Begun::Done),
                    };
                    let begun = match begun {
                        Ok(Begun::Done(value)) => self.run_native(&mut **frame, Ok(value)),
                        Ok(pending) => Ok(pending),
                        Err(Raised) => self.run_native(&mut **frame, Err(Raised)),
                    };
                    sent = match begun {
                        Ok(Begun::Done(value)) => Ok(value),
                        Ok(Begun::Pending(object)) => {
                            *awaiting = as_awaiting(object);
                            self.stack_up(stack);
                            return Ok((Outcome::Yield(suspension.yielded.take()), false));
                        }
                        Err(Raised) => Err(Raised),
                    };
                    drop(stack.pop());
                }
            }
        }
        sent.map(|value| (Outcome::Return(value), false))
    }

    /// The frame on top is that of an async generator that has yielded an item to the frame below: it goes back to its generator.
    fn hand_item_down(&self, stack: &mut Stack) {
        let frame = stack.pop();
        if let (Some(frame), Some(Activation::Joined(owner))) = (frame, stack.pop())
            && let Some(generator) = owner.downcast::<AsyncGenerator>()
        {
            self.item_yielded(generator, Stack::One(frame));
        }
    }

    /// Closes the frames that others await, as `close()` of their coroutines would: what the lowest frame is sent then. One that ends
    /// as it likes lets the exception that closes it go on to the next; one that goes on waiting is an error there.
    #[cold]
    #[inline(never)]
    fn close_awaited(&self, stack: &mut Stack) -> R {
        let exit = self.raised.get().unwrap_or_default();
        while stack.height() > 1 {
            match stack.pop() {
                Some(Activation::Joined(owner)) => self.joined_ended(&owner, &mut Err(Raised)),
                Some(frame) => match self.run_frames(&mut Stack::One(frame), Err(Raised)) {
                    Ok((Outcome::Yield(_), _)) => {
                        drop(self.suspension.frames.take());
                        return Err(self.runtime_error("coroutine ignored GeneratorExit"));
                    }
                    Ok((Outcome::Return(_), _)) => {
                        let Raised = self.raise(exit.clone());
                    }
                    Err(Raised) if self.raised_is(&self.types.generator_exit) || self.raised_is(&self.types.stop_iteration) => {
                        drop(self.take_raised());
                        let Raised = self.raise(exit.clone());
                    }
                    Err(Raised) => return Err(Raised),
                },
                None => break,
            }
        }
        Err(Raised)
    }

    /// Puts the frames that were left above the present top on the stack.
    #[inline]
    fn stack_up(&self, stack: &mut Stack) {
        if self.suspension.frames.with(Vec::is_empty) {
            return;
        }
        self.suspension.frames.with_mut(|frames| stack.extend(frames));
    }

    /// Runs a native frame until it is done or waits.
    fn run_native(&self, frame: &mut dyn NativeFrame, given: R) -> R<Begun> {
        self.run_native_for(frame, given).map(|(begun, _)| begun)
    }

    /// The same; the flag says that the frame is no longer needed.
    #[inline]
    fn run_native_for<F: NativeFrame + ?Sized>(&self, frame: &mut F, mut given: R) -> R<(Begun, bool)> {
        loop {
            match frame.resume(self, given)? {
                Step::Done(value) => return Ok((Begun::Done(value), true)),
                Step::Yield(value) => {
                    self.suspension.yielded.set(value);
                    return Ok((Begun::Pending(Value::Undef), false));
                }
                Step::TailYield(value) => {
                    self.suspension.yielded.set(value);
                    return Ok((Begun::Pending(Value::Undef), true));
                }
                Step::Await(value) => match self.nested(|| self.begin_await(value)) {
                    Ok(Begun::Done(value)) => given = Ok(value),
                    Ok(pending) => return Ok((pending, false)),
                    Err(Raised) => given = Err(Raised),
                },
                Step::Tail(value) => return self.nested(|| self.begin_await(value)).map(|begun| (begun, true)),
            }
        }
    }

    /// Tells the object that frames came from that they have ended.
    fn joined_ended(&self, owner: &ObjRef, sent: &mut R) {
        if let Some(coroutine) = owner.downcast::<Coroutine>() {
            coroutine.inner.state.set(State::Closed);
        } else if let Some(generator) = owner.downcast::<AsyncGenerator>() {
            self.generator_ended(generator, sent);
        }
    }

    /// Begins to await a value: runs a coroutine until it ends or suspends, looks at a future, calls `__await__`.
    pub fn begin_await(&self, value: Value) -> R<Begun> {
        let Value::Obj(object) = &value else { return Err(self.not_awaitable(&value)) };
        match object.kind() {
            Kind::Coroutine => {
                if let Some(coroutine) = object.downcast::<Coroutine>() {
                    return self.await_coroutine(coroutine);
                }
            }
            Kind::Native => {
                if let Some(hook) = self.await_hook(object.class_index()) {
                    return match hook(self, &value)? {
                        Some(result) => Ok(Begun::Done(result)),
                        None => {
                            self.suspension.yielded.set(value.clone());
                            Ok(Begun::Pending(value))
                        }
                    };
                }
                if let Some(step) = object.downcast::<AsyncGeneratorStep>() {
                    return self.await_generator_step(&step.clone());
                }
            }
            Kind::Generator if object.downcast::<Generator>().is_some_and(|generator| is_iterable_coroutine(generator)) => {
                return self.advance(value, Ok(Value::None));
            }
            Kind::Instance => {
                // A class derived from a future is awaited as the future inside.
                let inner = value.unwrapped();
                if let Value::Obj(object) = inner
                    && object.kind() == Kind::Native
                    && let Some(hook) = self.await_hook(object.class_index())
                    && self.class_of(&value).lookup(&self.n.__await__).kind() == Kind::NativeFunction
                {
                    return match hook(self, &value)? {
                        Some(result) => Ok(Begun::Done(result)),
                        None => {
                            self.suspension.yielded.set(value.clone());
                            Ok(Begun::Pending(value))
                        }
                    };
                }
            }
            _ => {}
        }
        let Some(iterator) = self.call_special(&value, &self.n.__await__, &[])? else {
            return Err(self.not_awaitable(&value));
        };
        if iterator.kind() == Kind::Coroutine {
            return Err(self.type_error("__await__() returned a coroutine"));
        }
        if self.class_of(&iterator).lookup(&self.n.__next__).is_undef() {
            let class = self.class_of(&iterator).name();
            return Err(self.type_error(format!("__await__() returned non-iterator of type '{}'", class.as_str())));
        }
        self.advance(iterator, Ok(Value::None))
    }

    #[cold]
    fn not_awaitable(&self, value: &Value) -> Raised {
        let class = self.class_of(value).name();
        self.type_error(format!("object {} can't be used in 'await' expression", class.as_str()))
    }

    /// Goes on awaiting what `begin_await` said is pending.
    pub fn continue_await(&self, awaiting: Value, sent: R) -> R<Begun> {
        let Value::Obj(object) = &awaiting else { return sent.map(Begun::Done) };
        let inner = awaiting.unwrapped();
        let index = inner.as_obj().map_or(0, |inner| inner.class_index());
        if inner.kind() == Kind::Native
            && let Some(hook) = self.await_hook(index)
        {
            drop(sent?);
            return match hook(self, &awaiting)? {
                Some(result) => Ok(Begun::Done(result)),
                None => Err(self.runtime_error("await wasn't used with future")),
            };
        }
        let _ = object;
        self.advance(awaiting, sent)
    }

    /// Sends into an iterator, generator or coroutine that a frame delegates to. `GeneratorExit` closes a generator, and goes on in the
    /// frame that delegates.
    pub fn advance(&self, iterator: Value, sent: R) -> R<Begun> {
        if sent.is_err() && self.raised_is(&self.types.generator_exit) {
            return self.close_delegate(&iterator);
        }
        let outcome = if let Some(generator) = iterator.downcast::<Generator>() {
            self.resume_generator(generator, sent)?
        } else if let Some(wrapper) = iterator.downcast::<CoroutineWrapper>() {
            self.resume_coroutine(&wrapper.0, sent)?
        } else if let Some(coroutine) = iterator.downcast::<Coroutine>() {
            self.resume_coroutine(coroutine, sent)?
        } else {
            self.advance_foreign(&iterator, sent)?
        };
        match outcome {
            Outcome::Return(value) => Ok(Begun::Done(value)),
            Outcome::Yield(value) => {
                self.suspension.yielded.set(value);
                Ok(Begun::Pending(iterator))
            }
        }
    }

    /// A frame that delegates to an iterator is being closed: so is the iterator first.
    #[cold]
    fn close_delegate(&self, iterator: &Value) -> R<Begun> {
        let exit = self.take_raised();
        let object = match iterator.downcast::<CoroutineWrapper>() {
            Some(wrapper) => Value::from(&wrapper.0),
            None => iterator.clone(),
        };
        match object.kind() {
            Kind::Generator | Kind::Coroutine => self.close_resumable(&object)?,
            _ => {
                if let Some(close) = self.find_attr(iterator, &self.n.close)? {
                    drop(self.call(&close, &[])?);
                }
            }
        }
        Err(self.raise(exit))
    }

    fn advance_foreign(&self, iterator: &Value, sent: R) -> R<Outcome> {
        let result = match sent {
            Ok(Value::None) => match self.call_special(iterator, &self.n.__next__, &[]) {
                Ok(Some(item)) => Ok(item),
                Ok(None) => {
                    let class = self.class_of(iterator).name();
                    Err(self.type_error(format!("'{}' object is not an iterator", class.as_str())))
                }
                Err(Raised) => Err(Raised),
            },
            Ok(value) => self.call_method(iterator, &self.n.send, &[value]),
            Err(Raised) => {
                let exception = self.take_raised();
                match self.find_attr(iterator, &self.n.throw)? {
                    Some(throw) => self.call(&throw, &[exception]),
                    None => return Err(self.raise(exception)),
                }
            }
        };
        match result {
            Ok(item) => Ok(Outcome::Yield(item)),
            Err(Raised) if self.raised_is(&self.types.stop_iteration) => {
                let stop = self.take_raised();
                Ok(Outcome::Return(self.value_of_stop(&stop)))
            }
            Err(Raised) => Err(Raised),
        }
    }

    /// The value that a `StopIteration` carries.
    pub fn value_of_stop(&self, stop: &Value) -> Value {
        let args = stop.downcast::<Exception>().map(|e| e.args.get());
        args.as_ref().and_then(|args| args.as_tuple()).and_then(|args| args.first().cloned()).unwrap_or(Value::None)
    }

    fn await_coroutine(&self, coroutine: &Ref<Coroutine>) -> R<Begun> {
        let inner = &coroutine.inner;
        match inner.state.get() {
            State::Created => {}
            State::Closed => return Err(self.runtime_error("cannot reuse already awaited coroutine")),
            State::Suspended | State::Running | State::Joined => {
                return Err(self.runtime_error("coroutine is being awaited already"));
            }
        }
        coroutine.as_obj().cancel_finalizer();
        inner.state.set(State::Joined);
        let mut stack = inner.take_stack(&self.heap);
        match self.run_frames(&mut stack, Ok(Value::None)) {
            Ok((Outcome::Yield(value), _)) => Ok(self.join(coroutine.as_obj(), stack, value)),
            Ok((Outcome::Return(value), _)) => {
                inner.state.set(State::Closed);
                Ok(Begun::Done(value))
            }
            Err(Raised) => {
                inner.state.set(State::Closed);
                Err(Raised)
            }
        }
    }

    /// The frames of a coroutine or async generator that another frame awaits have suspended: they wait to be put on top of that one.
    pub(super) fn join(&self, owner: &ObjRef, mut stack: Stack, yielded: Value) -> Begun {
        self.suspension.frames.with_mut(|frames| {
            stack.unstack(frames);
            frames.push(Activation::Joined(owner.clone()));
        });
        self.suspension.yielded.set(yielded);
        Begun::Pending(Value::Undef)
    }

    /// Awaits the result of an `async` native function, without a coroutine object between. The frame is kept only if it waits.
    #[inline]
    pub fn begin_native<F: NativeFrame>(&self, mut frame: F) -> R<Begun> {
        let (begun, is_over) = self.run_native_for(&mut frame, Ok(Value::None))?;
        Ok(if is_over { begun } else { self.keep_native(Box::new(frame), begun) })
    }

    /// The same for a frame whose type is not known.
    fn begin_boxed(&self, mut frame: Box<dyn NativeFrame>) -> R<Begun> {
        let (begun, is_over) = self.run_native_for(&mut *frame, Ok(Value::None))?;
        Ok(if is_over { begun } else { self.keep_native(frame, begun) })
    }

    fn keep_native(&self, frame: Box<dyn NativeFrame>, begun: Begun) -> Begun {
        let Begun::Pending(awaiting) = begun else { return begun };
        self.suspension.frames.with_mut(|frames| frames.push(Activation::native(frame, awaiting)));
        Begun::Pending(Value::Undef)
    }

    /// Calls a function, with `this` first unless it is `Undef`, and begins to await what it gives: a coroutine function runs at once, without
    /// a coroutine object or a frame unless it suspends.
    pub(crate) fn begin_call(
        &self,
        callee: &Value,
        this: &Value,
        args: &[Value],
        refuse: impl FnOnce(&str) -> Raised,
    ) -> R<Begun> {
        if let Some(function) = callee.downcast::<Function>()
            && function.code.kind == CodeKind::Coroutine
        {
            let function = function.clone();
            if function.code.slots <= 8 {
                return self.begin_on(&function, this, args, &mut [const { Value::Undef }; 8][..function.code.slots]);
            }
            return self.begin_on(&function, this, args, &mut vec![Value::Undef; function.code.slots]);
        }
        if let Some(function) = callee.downcast::<NativeFunction>()
            && matches!(function.code, NativeCode::Async(_) | NativeCode::AsyncClosure(_))
        {
            if this.is_undef() {
                return self.begin_native_call(function, Args::positional(args));
            }
            let all: SmallVec<[Value; 4]> = std::iter::once(this).chain(args).cloned().collect();
            return self.begin_native_call(function, Args::positional(&all));
        }
        let made = if this.is_undef() { self.call(callee, args) } else { self.call_bound(callee, this, Args::positional(args)) };
        let made = made?;
        if self.is_not_awaitable(&made) {
            return Err(refuse(self.class_of(&made).name().as_str()));
        }
        self.begin_await(made)
    }

    fn begin_on(&self, function: &Ref<Function>, this: &Value, args: &[Value], slots: &mut [Value]) -> R<Begun> {
        if this.is_undef() {
            self.bind_into(function, Args::positional(args), slots)?;
        } else {
            self.bind_into(function, Args::positional(&super::call::prepend(this, args)), slots)?;
        }
        function.put_closure(slots);
        self.begin_body(&function.code, slots)
    }

    /// Runs the body of a coroutine function on slots of the caller's, which move to a frame if it suspends.
    pub(crate) fn begin_body(&self, code: &Ref<Code>, slots: &mut [Value]) -> R<Begun> {
        self.enter()?;
        let result = self.with_stack(|| code.body.exec(self, slots));
        self.leave();
        match self.after_step(code, result)? {
            Value::Suspend => {
                let frame = Frame {
                    code: code.clone(),
                    slots: Slots::taken_from(&self.heap, &mut slots[..code.slots]),
                    cursor: self.suspension.take_cursor(),
                };
                self.suspension.frames.with_mut(|frames| frames.push(Activation::Script(frame)));
                Ok(Begun::Pending(Value::Undef))
            }
            value => Ok(Begun::Done(value)),
        }
    }
}

impl Vm {
    /// Calls an `async` native function and begins to await it.
    pub(crate) fn begin_native_call(&self, function: &Ref<NativeFunction>, args: Args<'_>) -> R<Begun> {
        match &function.code {
            NativeCode::Async(entry) => self.with_padded(function, args, |flat| (entry.begin)(self, flat)),
            NativeCode::AsyncClosure(make) => self.begin_boxed(self.with_padded(function, args, |flat| make(self, flat))?),
            _ => Err(self.type_error("an async function is required")),
        }
    }

    /// Forgets where an exception came from that was caught without a traceback entry.
    pub(crate) fn forget_span(&self) {
        self.error_span.set(super::traceback::NO_SPAN);
    }
}
