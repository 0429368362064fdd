//! Async generators: their steps as awaitables (`asend`, `athrow`, `aclose`, `__anext__`), and running one to its next item.

use super::Vm;
use super::coroutine::{AsyncGenerator, Coroutine, NativeFrame, State, Step};
use super::frame::{Activation, Stack};
use super::suspend::Begun;
use crate::value::{Payload, R, Raised, Ref, Shared, Value, Visitor};

/// The awaitable that `asend`, `athrow`, `aclose` and `__anext__` of an async generator give.
pub struct AsyncGeneratorStep {
    pub generator: Ref<AsyncGenerator>,
    pub action: Shared<StepAction>,
    /// The coroutine that drives it, once a script does so by hand.
    pub driver: Shared<Option<Ref<Coroutine>>>,
}

/// What an `AsyncGeneratorStep` does.
#[derive(Clone)]
pub enum StepAction {
    Send(Value),
    Throw(Value),
    Close,
    /// It has been awaited.
    Used,
}

impl Payload for AsyncGeneratorStep {
    crate::native_kind!();
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.reference(&self.generator);
        self.action.with(|action| match action {
            StepAction::Send(value) | StepAction::Throw(value) => visitor.value(value),
            StepAction::Close | StepAction::Used => {}
        });
        self.driver.with(|driver| {
            if let Some(driver) = driver {
                visitor.reference(driver);
            }
        });
    }

    fn clear(&self) {
        self.action.set(StepAction::Used);
        self.driver.set(None);
    }
}

/// Awaits one thing: what drives an awaitable by hand.
struct AwaitOne(Option<Value>);

impl NativeFrame for AwaitOne {
    fn name(&self) -> &'static str {
        "asend"
    }

    fn resume(&mut self, _vm: &Vm, sent: R) -> R<Step> {
        match self.0.take() {
            Some(value) => {
                drop(sent?);
                Ok(Step::Await(value))
            }
            None => sent.map(Step::Done),
        }
    }

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.values(&self.0);
    }
}

impl Vm {
    pub(super) fn await_generator_step(&self, step: &Ref<AsyncGeneratorStep>) -> R<Begun> {
        let generator = &step.generator;
        let action = step.action.replace(StepAction::Used);
        if let StepAction::Used = action {
            return Err(self.runtime_error("cannot reuse already awaited __anext__()/asend()"));
        }
        let inner = &generator.inner;
        if generator.busy.get() || inner.state.get() == State::Running {
            let what = match action {
                StepAction::Close => "aclose()",
                StepAction::Throw(_) => "athrow()",
                _ => "anext()",
            };
            return Err(self.runtime_error(format!("{what}: asynchronous generator is already running")));
        }
        self.tell_first_iteration(generator)?;
        if let StepAction::Close = action {
            return self.begin_native(AsyncGeneratorClose { generator: generator.clone(), started: false });
        }
        self.step_async_generator(generator, action)
    }

    /// Runs an async generator to its next item, end, or suspension.
    pub(crate) fn step_async_generator(&self, generator: &Ref<AsyncGenerator>, action: StepAction) -> R<Begun> {
        let inner = &generator.inner;
        let created = inner.state.get() == State::Created;
        let sent = match action {
            StepAction::Send(value) => {
                if inner.state.get() == State::Closed {
                    return Err(self.raise_with(&self.types.stop_async_iteration, vec![]));
                }
                if created && !value.is_none() {
                    return Err(self.type_error("can't send non-None value to a just-started async generator"));
                }
                Ok(value)
            }
            StepAction::Throw(exception) => {
                self.raise(exception);
                if inner.state.get() == State::Closed || created {
                    inner.state.set(State::Closed);
                    return Err(Raised);
                }
                Err(Raised)
            }
            StepAction::Close | StepAction::Used => Ok(Value::None),
        };
        self.may_enter(1)?;
        let Some((code, mut slots, cursor)) = inner.take_top() else { return sent.map(Begun::Done) };
        generator.as_obj().cancel_finalizer();
        generator.busy.set(true);
        inner.state.set(State::Running);
        self.go_down();
        let result = self.run_body_of_frame(&code, &mut slots, cursor, sent);
        self.leave();
        let mut ended = self.after_step(&code, result);
        if let Ok(Value::Suspend) = ended {
            inner.put_back(slots, self.suspension.take_cursor());
            let yielded = self.suspension.yielded.take();
            if !self.suspension.is_item.replace(false) {
                // It waits: its frame stands on that of who wants the item, until the item is there.
                return Ok(self.join(generator.as_obj(), inner.take_stack(&self.heap), yielded));
            }
            inner.state.set(State::Suspended);
            generator.busy.set(false);
            if code.has_cleanup {
                generator.as_obj().request_finalizer();
            }
            return Ok(Begun::Done(yielded));
        }
        drop(slots);
        drop(inner.take_stack(&self.heap));
        self.generator_ended(generator, &mut ended);
        ended.map(Begun::Done)
    }

    /// An async generator has yielded an item: its frame goes back to it.
    pub(super) fn item_yielded(&self, generator: &Ref<AsyncGenerator>, stack: Stack) {
        let cleanup = stack.frames().iter().any(|frame| matches!(frame, Activation::Script(frame) if frame.code.has_cleanup));
        generator.inner.put_stack(&self.heap, stack);
        generator.inner.state.set(State::Suspended);
        generator.busy.set(false);
        if cleanup {
            generator.as_obj().request_finalizer();
        }
    }

    /// The frame of an async generator has ended, which is an exception for who awaits its next item.
    pub(super) fn generator_ended(&self, generator: &Ref<AsyncGenerator>, outcome: &mut R) {
        generator.inner.state.set(State::Closed);
        generator.busy.set(false);
        if outcome.is_ok() {
            *outcome = Err(self.raise_with(&self.types.stop_async_iteration, vec![]));
        }
    }

    /// At the first iteration of an async generator: the event loop wants to know, to close it in the end.
    pub(crate) fn tell_first_iteration(&self, generator: &Ref<AsyncGenerator>) -> R<()> {
        if generator.hooked.replace(true) {
            return Ok(());
        }
        match self.first_iteration_hook.get() {
            Some(hook) => hook(self, generator),
            None => Ok(()),
        }
    }

    /// The coroutine that drives a step of an async generator by hand.
    pub fn coroutine_of_step(&self, step: &Ref<AsyncGeneratorStep>) -> Ref<Coroutine> {
        if let Some(known) = step.driver.get() {
            return known;
        }
        // The driver awaits a step of its own, which takes the action over, so that the two do not hold each other.
        let inner = AsyncGeneratorStep {
            generator: step.generator.clone(),
            action: Shared::new(step.action.replace(StepAction::Used)),
            driver: Shared::new(None),
        };
        let value = self.native_coroutine(Box::new(AwaitOne(Some(Value::from(self.heap.alloc(inner))))));
        let coroutine = value.downcast::<Coroutine>().expect("just made").clone();
        coroutine.as_obj().cancel_finalizer();
        step.driver.set(Some(coroutine.clone()));
        coroutine
    }
}

/// `aclose()`: throws `GeneratorExit` in and expects the end.
struct AsyncGeneratorClose {
    generator: Ref<AsyncGenerator>,
    started: bool,
}

impl NativeFrame for AsyncGeneratorClose {
    fn name(&self) -> &'static str {
        "aclose"
    }

    fn resume(&mut self, vm: &Vm, sent: R) -> R<Step> {
        if !self.started {
            self.started = true;
            drop(sent?);
            let inner = &self.generator.inner;
            if matches!(inner.state.get(), State::Created | State::Closed) {
                inner.state.set(State::Closed);
                self.generator.as_obj().cancel_finalizer();
                drop(inner.take_stack(&vm.heap));
                return Ok(Step::Done(Value::None));
            }
            let exit = vm.exception(&vm.types.generator_exit, vec![]);
            let step = AsyncGeneratorStep {
                generator: self.generator.clone(),
                action: Shared::new(StepAction::Throw(exit)),
                driver: Shared::new(None),
            };
            return Ok(Step::Await(Value::from(vm.heap.alloc(step))));
        }
        match sent {
            Ok(_) => Err(vm.runtime_error("async generator ignored GeneratorExit")),
            Err(Raised) => {
                if vm.raised_is(&vm.types.generator_exit) || vm.raised_is(&vm.types.stop_async_iteration) {
                    drop(vm.take_raised());
                    return Ok(Step::Done(Value::None));
                }
                Err(Raised)
            }
        }
    }

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.reference(&self.generator);
    }
}
