//! A script as a Rust future, the prompt's statements, and the end of a program.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::{Data, FromData, Interpreter, Island};
use crate::error::Error;
use crate::resolve::CompileError;
use crate::sched::driver::{self, Drive};
use crate::sched::future::AnyFuture;
use crate::sched::{EventLoop, task};
use crate::syntax::{Mode, Options, Source};
use crate::value::{Dict, Exception, R, Ref, Value};
use crate::vm::Vm;
use crate::vm::code::CodeKind;
use crate::vm::coroutine::Coroutine;
use crate::vm::exit::Stage as ExitStage;
use crate::vm::traceback::Traceback;

/// A script that runs as it is polled: [`Interpreter::run`], [`Interpreter::call_async`]. It is a `Future` of `Result<T, Error>`, `Send`, and
/// borrows the interpreter; to spawn it, move the interpreter into an `async` block.
///
/// # Panics
///
/// When it is polled again after it has ended, like the future of an `async` block.
///
/// ```
/// use asplet::Interpreter;
///
/// let mut interpreter = Interpreter::new();
/// let answer = std::thread::spawn(move || smol::block_on(async move { interpreter.run::<i64>("6 * 7").await }));
/// assert_eq!(answer.join().unwrap().unwrap(), 42);
/// ```
#[must_use = "futures do nothing unless they are polled"]
pub struct Run<'i, T> {
    inner: Island<Inner<'i>>,
    of: PhantomData<fn() -> T>,
}

impl<T> fmt::Debug for Run<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").finish_non_exhaustive()
    }
}

struct Inner<'i> {
    /// How the result is copied out.
    result: fn(&Vm, &Value) -> R<Data>,
    /// Borrowed exclusively for as long as the run lives.
    interpreter: &'i Interpreter,
    stage: Stage<'i>,
}

#[allow(clippy::large_enum_variant, reason = "there is one in a run, and it is driving for most of its life")]
enum Stage<'i> {
    Created(Start),
    Driving { drive: Drive<'i>, event_loop: Ref<EventLoop> },
    Over,
}

/// What runs.
pub(super) enum Start {
    Script(Source),
    Call(String, Vec<Data>),
}

impl<'i, T: FromData> Run<'i, T> {
    pub(super) fn new(interpreter: &'i mut Interpreter, start: Start) -> Run<'i, T> {
        Run { inner: Island(Inner { result: Data::result::<T>, interpreter, stage: Stage::Created(start) }), of: PhantomData }
    }
}

const _: () = {
    const fn check<T: Send>() {}
    check::<Run<'static, std::rc::Rc<()>>>();
};

impl<T: FromData> Future for Run<'_, T> {
    type Output = Result<T, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let inner = &mut self.get_mut().inner.0;
        inner.poll(cx).map(|outcome| Ok(T::from_data(outcome?)?))
    }
}

impl<'i> Inner<'i> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Data, Error>> {
        let vm = &*self.interpreter.vm;
        vm.measure_stack();
        match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Created(start) => {
                self.interpreter.limits.apply(vm);
                match self.start(start) {
                    Ok(Ok(None)) => self.poll(cx),
                    Ok(Ok(Some(value))) => {
                        let outcome = (self.result)(vm, &value);
                        drop(value);
                        Poll::Ready(self.end(outcome))
                    }
                    Ok(Err(raised)) => Poll::Ready(self.end(Err(raised))),
                    Err(error) => Poll::Ready(Err(error)),
                }
            }
            Stage::Driving { mut drive, event_loop } => {
                let polled = Pin::new(&mut drive).poll(cx);
                self.stage = Stage::Driving { drive, event_loop };
                match polled {
                    Poll::Pending => Poll::Pending,
                    Poll::Ready(result) => {
                        let outcome = result.and_then(|value| (self.result)(vm, &value));
                        Poll::Ready(self.end(outcome))
                    }
                }
            }
            Stage::Over => panic!("a run was polled after its end"),
        }
    }

    /// Begins: the value if there is nothing to wait for, else nothing, and the stage is `Driving`.
    fn start(&mut self, start: Start) -> Result<R<Option<Value>>, Error> {
        let vm = &*self.interpreter.vm;
        let (begun, awaits) = match start {
            Start::Script(source) => {
                let globals = self.interpreter.main().dict.clone();
                let code = match vm.compile_script(&source, &globals) {
                    Ok(code) => code,
                    Err(CompileError::Syntax(error)) => return Err(Error::syntax(&source, &error)),
                    Err(CompileError::Raised(raised)) => return Ok(Err(raised)),
                };
                (vm.run(&code), code.kind == CodeKind::Coroutine)
            }
            Start::Call(name, args) => {
                let result = self.interpreter.call_value(&name, args);
                let awaits = result.as_ref().is_ok_and(|result| result.downcast::<Coroutine>().is_some());
                (result, awaits)
            }
        };
        let body = match begun {
            Ok(body) if awaits => body,
            other => return Ok(other.map(Some)),
        };
        let begin = || -> R<_> {
            let supervised = supervise(self.interpreter, body)?;
            let event_loop = EventLoop::new(vm);
            let main = task::spawn(vm, &event_loop, &supervised, None, None)?;
            Ok((driver::drive(vm, &event_loop, &AnyFuture::from(&main)), event_loop))
        };
        Ok(begin().map(|(drive, event_loop)| {
            self.stage = Stage::Driving { drive, event_loop };
            None
        }))
    }

    fn end(&mut self, outcome: R<Data>) -> Result<Data, Error> {
        let vm = &*self.interpreter.vm;
        let outcome = outcome.map_err(|_| {
            hide_supervisor(vm);
            Error::take(vm)
        });
        self.abandon();
        outcome
    }

    /// Ends what is left of the script: its tasks are cancelled, and go on as far as they can without waiting and within their budget; not
    /// at all if a limit has ended the script.
    fn abandon(&mut self) {
        let vm = &*self.interpreter.vm;
        let crossed = vm.limit_crossed();
        vm.clear_limit();
        if let Stage::Driving { drive, event_loop } = std::mem::replace(&mut self.stage, Stage::Over) {
            drop(drive);
            if crossed.is_some() {
                driver::abandon(vm, &event_loop);
                vm.forget_finalizers();
                return self.interpreter.leave();
            }
            vm.set_fuel(Some(CLEANUP_FUEL));
            if driver::wind_down(vm, &event_loop).is_err() {
                drop(Error::take(vm));
            }
        }
        self.interpreter.leave();
    }
}

/// Steps for the `finally` blocks of a script that was dropped.
const CLEANUP_FUEL: u64 = 1_000_000;

impl Drop for Inner<'_> {
    fn drop(&mut self) {
        self.interpreter.vm.measure_stack();
        self.abandon();
    }
}

/// Wraps the coroutine of a script's body in the one that ends the tasks it leaves.
fn supervise(interpreter: &Interpreter, body: Value) -> R {
    let vm = &interpreter.vm;
    let helper = vm.intern("supervise");
    let module = match vm.find_extension::<Supervisor>() {
        Some(known) => known.0.clone(),
        None => {
            let globals = vm.module("asplet", None, None).dict.clone();
            let source = Source::new(SUPERVISOR, include_str!("supervise.script"));
            match vm.compile_with(&source, Mode::File.into(), &globals) {
                Ok(code) => drop(vm.run(&code)?),
                Err(error) => return Err(vm.raise_compile_error(&source, error)),
            }
            vm.extension(|| Supervisor(globals)).0.clone()
        }
    };
    match module.get_str(&helper) {
        Some(function) => vm.call(&function, &[body]),
        None => Err(vm.system_error("the supervisor is missing")),
    }
}

/// The name of its source in tracebacks.
const SUPERVISOR: &str = "<supervise>";

/// Takes the supervisor's frame out of the traceback of the exception on its way.
fn hide_supervisor(vm: &Vm) {
    let raised = vm.raised.get();
    let Some(exception) = raised.as_ref().and_then(|raised| raised.downcast::<Exception>()) else { return };
    let outermost = exception.traceback.get();
    if let Some(entry) = outermost.downcast::<Traceback>()
        && entry.info.source.name() == SUPERVISOR
    {
        exception.traceback.set(entry.next.get());
    }
}

/// The globals of `supervise.script`, once it has run.
struct Supervisor(Ref<Dict>);

/// The event loop of the prompt: tasks go on whenever something is awaited.
struct PromptLoop(Ref<EventLoop>);

/// Runs what was typed at the prompt.
pub(super) fn interact(interpreter: &mut Interpreter, source: &Source) -> Result<(), Error> {
    let options = Options { top_level_await: true, ..Mode::Interactive.into() };
    interpreter.enter(|this| {
        let vm = &this.vm;
        let globals = this.main().dict.clone();
        let code = match vm.compile_with(source, options, &globals) {
            Ok(code) => code,
            Err(CompileError::Syntax(error)) => return Err(Error::syntax(source, &error)),
            Err(CompileError::Raised(raised)) => return Ok(Err(raised)),
        };
        let body = match vm.run(&code) {
            Ok(body) if code.kind == CodeKind::Coroutine => body,
            other => return Ok(other.map(drop)),
        };
        let event_loop = vm.extension(|| PromptLoop(EventLoop::new(vm)));
        let wait = || -> R<()> {
            let main = task::spawn(vm, &event_loop.0, &body, None, None)?;
            driver::run_until_complete(vm, &event_loop.0, &AnyFuture::from(&main)).map(drop)
        };
        Ok(wait())
    })
}

/// Ends what a program has left: threads, exit functions, and objects with finalisers.
pub(super) fn finish(interpreter: &mut Interpreter) {
    let ended = interpreter.enter(|this| {
        let vm = &this.vm;
        for stage in [ExitStage::Threads, ExitStage::Functions] {
            vm.run_exit_hooks(stage);
            if is_over(vm) {
                return Ok(Ok(()));
            }
        }
        // As at the end of CPython: the globals of the program go, private ones first, then cycles.
        let globals = this.main().dict.clone();
        for private in [true, false] {
            for (name, value) in globals.to_vec() {
                let is_private = name.as_str().is_some_and(|name| name.starts_with('_') && !name.starts_with("__"));
                if is_private == private && name.as_str() != Some("__builtins__") {
                    drop(value);
                    if let Some(name) = name.payload() {
                        globals.set_str(name, Value::None);
                    }
                    vm.run_finalizers();
                    if is_over(vm) {
                        return Ok(Ok(()));
                    }
                }
            }
        }
        globals.empty();
        vm.collect_cycles();
        vm.run_finalizers();
        is_over(vm);
        Ok(Ok(()))
    });
    // Whatever could go wrong here has been reported on standard error.
    drop(ended);
}

/// Whether what a program has left went on until a limit; that is reported.
fn is_over(vm: &Vm) -> bool {
    let Some(limit) = vm.limit_crossed() else { return false };
    vm.write_stderr(&format!("{}\n", limit.message()));
    true
}
