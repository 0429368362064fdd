//! Resuming generators and coroutines from outside: `send`, `throw`, `close`, making them, finalising them.

use std::cell::Cell;

use super::Vm;
use super::code::CodeKind;
use super::coroutine::{
    Activation, AsyncGenerator, Coroutine, Cursor, Frame, Generator, NativeFrame, Outcome, Owner, Resumable, Stack, State,
};
use super::function::Function;
use crate::value::{Kind, Payload, R, Raised, Ref, Shared, Value, Visitor};

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
        self.resume(inner, sent, coroutine.as_obj()).map(|(outcome, _)| outcome)
    }

    /// Sends into a generator, likewise.
    pub fn resume_generator(&self, generator: &Ref<Generator>, sent: R) -> R<Outcome> {
        let inner = &generator.inner;
        match inner.state.get() {
            State::Created => {
                if let Ok(value) = &sent
                    && !value.is_none()
                {
                    return Err(self.type_error("can't send non-None value to a just-started generator"));
                }
            }
            State::Suspended => {}
            State::Running | State::Joined => return Err(self.value_error_over(sent, "generator already executing")),
            State::Closed => return sent.map(|_| Outcome::Return(Value::None)),
        }
        self.run_generator(generator, sent)
    }

    /// Runs the one frame of a generator. The frame stays where it is; only its slots and its cursor are taken out meanwhile.
    fn run_generator(&self, generator: &Ref<Generator>, sent: R) -> R<Outcome> {
        let inner = &generator.inner;
        let parts = inner.stack.with_mut(|stack| match stack.first_mut() {
            Some(Activation::Script(frame)) => {
                Some((frame.code.clone(), std::mem::take(&mut frame.slots), std::mem::take(&mut frame.cursor)))
            }
            _ => None,
        });
        let Some((code, mut slots, cursor)) = parts else { return sent.map(|_| Outcome::Return(Value::None)) };
        let began = inner.state.replace(State::Running);
        if let Err(Raised) = self.enter() {
            // Not entered: everything stays as it was.
            self.put_back(generator, slots, cursor);
            inner.state.set(began);
            return Err(Raised);
        }
        let result = if cursor.is_empty() {
            match sent {
                Ok(_) => self.with_stack(|| code.body.exec(self, &mut slots)),
                Err(Raised) => Err(Raised),
            }
        } else {
            self.suspension.sent.set(sent.unwrap_or_default());
            self.suspension.load(&cursor);
            self.with_stack(|| code.body.resume(self, &mut slots))
        };
        self.leave();
        if let Ok(Value::Suspend) = result {
            let cursor = self.suspension.take_cursor();
            self.put_back(generator, slots, cursor);
            inner.state.set(State::Suspended);
            if code.has_cleanup {
                generator.as_obj().request_finalizer();
            }
            return Ok(Outcome::Yield(self.suspension.yielded.take()));
        }
        inner.state.set(State::Closed);
        generator.as_obj().cancel_finalizer();
        drop(inner.stack.take());
        let result = self.after_step(&code, result);
        drop(slots);
        result.map(Outcome::Return)
    }

    #[inline]
    fn put_back(&self, generator: &Ref<Generator>, slots: Box<[Value]>, cursor: Cursor) {
        generator.inner.stack.with_mut(|stack| {
            if let Some(Activation::Script(frame)) = stack.first_mut() {
                frame.slots = slots;
                frame.cursor = cursor;
            }
        });
    }

    #[cold]
    fn value_error_over(&self, sent: R, message: &str) -> Raised {
        if sent.is_err() {
            drop(self.take_raised());
        }
        self.value_error(message)
    }

    /// The next item of a generator, `Undef` at its end: the loop's way.
    #[inline]
    pub(crate) fn next_of_generator(&self, generator: &Ref<Generator>) -> R {
        match self.resume_generator(generator, Ok(Value::None))? {
            Outcome::Yield(item) => Ok(item),
            Outcome::Return(_) => Ok(Value::Undef),
        }
    }

    fn resume(&self, inner: &Resumable, sent: R, object: &crate::value::ObjRef) -> R<(Outcome, bool)> {
        inner.state.set(State::Running);
        let mut stack = inner.stack.take();
        let result = self.run_frames(&mut stack, sent);
        match &result {
            Ok((Outcome::Yield(_), _)) => {
                let cleanup = stack.iter().any(|frame| matches!(frame, Activation::Script(f) if f.code.has_cleanup));
                inner.stack.set(stack);
                inner.state.set(State::Suspended);
                if cleanup && object.kind() != Kind::Coroutine {
                    object.request_finalizer();
                }
            }
            _ => {
                inner.state.set(State::Closed);
                object.cancel_finalizer();
            }
        }
        result
    }

    /// The generator, coroutine or async generator of a call whose arguments are in `slots`.
    pub(crate) fn make_resumable(&self, function: &Ref<Function>, slots: Box<[Value]>) -> Value {
        let code = function.code.clone();
        let kind = code.kind;
        let frame = Frame { code: code.clone(), slots, cursor: Cursor::default(), owner: Owner::None };
        let stack: Stack = smallvec::smallvec![Activation::Script(frame)];
        let (name, qualname) = function.extra.with(|extra| match extra {
            Some(extra) => (extra.name.clone(), extra.qualname.clone()),
            None => (None, None),
        });
        let text = |value: Option<Value>, known: &Ref<crate::value::Str>| {
            value.and_then(|value| value.downcast::<crate::value::Str>().cloned()).unwrap_or_else(|| known.clone())
        };
        let inner = Resumable {
            state: Cell::new(State::Created),
            stack: Shared::new(stack),
            name: Shared::new(text(name, &code.name)),
            qualname: Shared::new(text(qualname, &code.qualname)),
        };
        match kind {
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
        let stack: Stack = smallvec::smallvec![Activation::Native { frame, awaiting: Value::Undef }];
        let inner = Resumable {
            state: Cell::new(State::Created),
            stack: Shared::new(stack),
            name: Shared::new(name.clone()),
            qualname: Shared::new(name),
        };
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
                drop(inner.stack.take());
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
                let name = coroutine.inner.qualname.get();
                coroutine.inner.state.set(State::Closed);
                drop(coroutine.inner.stack.take());
                self.warn_never_awaited(name.as_str());
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
