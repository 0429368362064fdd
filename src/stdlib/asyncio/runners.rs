//! `asyncio.run` and `Runner`: a loop made, used for a main task, and cleaned up.

use std::cell::Cell;

use super::support::{add_functions, is_cancellation};
use super::tasks::{create_task_by, ensure_future, is_coroutine};
use crate::native::define_class;
use crate::native_kind;
use crate::rows;
use crate::sched::event_loop::{call_exception_handler, is_limit};
use crate::sched::future::{AnyFuture, State};
use crate::sched::{self, Context, EventLoop, context, driver, gather, task};
use crate::stdlib::support::{add_class, wrap_new};
use crate::value::{Module, Payload, R, Ref, Shared, Value, Visitor};
use crate::vm::Vm;
use crate::vm::coroutine::{NativeFrame, Step};

pub fn load(vm: &Vm, module: &Ref<Module>) {
    add_functions(vm, module, &rows!["run", "main, *, debug=None, loop_factory=None" => run(0 1 2);]);
    let class = define_class::<Runner>(
        vm,
        "asyncio.runners",
        "Runner",
        &rows![
            static "__new__", "cls, *, debug=None, loop_factory=None" => runner_new(0 1 2);
            "__enter__", "" => runner_enter(0);
            "__exit__", "exc_type, exc_val, exc_tb" => runner_exit(0);
            "run", "coro, *, context=None" => runner_run(0 1 2);
            "close", "" => runner_close(0);
            "get_loop", "" => runner_loop(0);
        ],
    );
    add_class(vm, module, &class);
}

/// The payload of a `Runner`.
struct Runner {
    debug: Option<bool>,
    loop_factory: Value,
    event_loop: Shared<Option<Ref<EventLoop>>>,
    context: Shared<Option<Ref<Context>>>,
    /// It is the one that set the current loop.
    set_current: Cell<bool>,
    closed: Cell<bool>,
}

impl Payload for Runner {
    native_kind!();
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.value(&self.loop_factory);
        self.event_loop.with(|it| {
            if let Some(it) = it {
                visitor.reference(it);
            }
        });
        self.context.with(|it| {
            if let Some(it) = it {
                visitor.reference(it);
            }
        });
    }

    fn clear(&self) {
        self.event_loop.set(None);
        self.context.set(None);
    }
}

impl Runner {
    fn new(debug: Option<bool>, loop_factory: Value) -> Runner {
        Runner {
            debug,
            loop_factory,
            event_loop: Shared::new(None),
            context: Shared::new(None),
            set_current: Cell::new(false),
            closed: Cell::new(false),
        }
    }

    /// Makes the loop, unless that was done.
    fn start(&self, vm: &Vm) -> R<Ref<EventLoop>> {
        if self.closed.get() {
            return Err(vm.runtime_error("Runner is closed"));
        }
        if let Some(known) = self.event_loop.get() {
            return Ok(known);
        }
        let event_loop = if self.loop_factory.is_none() || self.loop_factory.is_undef() {
            let made = super::policies::make_loop(vm)?;
            if !self.set_current.replace(true) {
                super::policies::set_event_loop(vm, &made.value())?;
            }
            made
        } else {
            let made = vm.call(&self.loop_factory, &[])?;
            match made.payload::<EventLoop>() {
                Some(event_loop) => event_loop.clone(),
                None => {
                    let shown = vm.repr(&made)?;
                    return Err(vm.type_error(format!("loop_factory returned {}, which is no event loop", shown.as_str())));
                }
            }
        };
        if let Some(debug) = self.debug {
            event_loop.debug.set(debug);
        }
        self.context.set(context::copy_current(vm));
        self.event_loop.set(Some(event_loop.clone()));
        Ok(event_loop)
    }

    fn run(&self, vm: &Vm, coro: &Value, given: Option<&Ref<Context>>) -> R {
        if !is_coroutine(vm, coro)? {
            return Err(vm.value_error(format!("a coroutine was expected, got {}", vm.repr(coro)?.as_str())));
        }
        if sched::of(vm).running.with(Option::is_some) {
            return Err(vm.runtime_error("Runner.run() cannot be called from a running event loop"));
        }
        let event_loop = self.start(vm)?;
        let context = given.cloned().or_else(|| self.context.get());
        let task = create_task_by(vm, &event_loop, coro, None, context.as_ref())?;
        let future = ensure_future(vm, &task, Some(&event_loop))?;
        let interrupts = sched::interrupts::Guard::new(vm, &future);
        let outcome = driver::run_until_complete(vm, &event_loop, &future);
        if outcome.is_err()
            && interrupts.count() > 0
            && is_cancellation(vm)
            && future.as_task().is_some_and(|task| task.uncancel() == 0)
        {
            let cancelled = vm.take_raised();
            let interrupt = vm.exception(&vm.types.keyboard_interrupt, vec![]);
            if let Some(inner) = interrupt.downcast::<crate::value::Exception>() {
                inner.context.set(cancelled);
            }
            return Err(vm.raise(interrupt));
        }
        outcome
    }

    /// Ends what is left, and closes the loop.
    fn close(&self, vm: &Vm) -> R<()> {
        if self.closed.get() {
            return Ok(());
        }
        let Some(event_loop) = self.event_loop.get() else {
            return Ok(());
        };
        let outcome = clean_up(vm, &event_loop);
        if self.set_current.get() {
            super::policies::set_event_loop(vm, &Value::None)?;
        }
        event_loop.close();
        self.event_loop.set(None);
        self.closed.set(true);
        outcome
    }
}

/// Cancels all tasks and waits for their end, then closes async generators and the executor.
fn clean_up(vm: &Vm, event_loop: &Ref<EventLoop>) -> R<()> {
    cancel_all(vm, event_loop)?;
    let task = |frame: Box<dyn NativeFrame>| -> R<()> {
        let coroutine = vm.native_coroutine(frame);
        let future = ensure_future(vm, &coroutine, Some(event_loop))?;
        driver::run_until_complete(vm, event_loop, &future).map(drop)
    };
    task(Box::new(close_generators(event_loop)))?;
    task(Box::new(super::executors::shutdown(event_loop)))
}

fn cancel_all(vm: &Vm, event_loop: &Ref<EventLoop>) -> R<()> {
    let tasks = event_loop.tasks(vm);
    if tasks.is_empty() {
        return Ok(());
    }
    let values: Vec<Value> = tasks.iter().map(|task| AnyFuture::from(task).value()).collect();
    task::cancel_all(vm, &tasks)?;
    let all = gather::gather(vm, &values, true, |value, event_loop| ensure_future(vm, value, event_loop))?;
    driver::run_until_complete(vm, event_loop, &AnyFuture::from(&all))?;
    for task in &tasks {
        let future = AnyFuture::from(task);
        if future.core().state() == State::Failed {
            let facts = vec![
                ("message", vm.str_value("unhandled exception during asyncio.run() shutdown")),
                ("exception", future.peek_exception()),
                ("task", future.value()),
            ];
            call_exception_handler(vm, event_loop, facts)?;
        }
    }
    Ok(())
}

/// `loop.shutdown_asyncgens()`: closes the async generators that are under way, all at the same time.
pub fn close_generators(event_loop: &Ref<EventLoop>) -> impl NativeFrame + use<> {
    CloseGenerators { event_loop: event_loop.clone(), generators: None }
}

struct CloseGenerators {
    event_loop: Ref<EventLoop>,
    generators: Option<Vec<Value>>,
}

impl NativeFrame for CloseGenerators {
    fn name(&self) -> &'static str {
        "shutdown_asyncgens"
    }

    fn resume(&mut self, vm: &Vm, sent: R) -> R<Step> {
        let results = sent?;
        if let Some(generators) = self.generators.take() {
            for (result, generator) in vm.collect(&results)?.into_iter().zip(generators) {
                if vm.is_instance(&result, &vm.types.exception) {
                    let shown = vm.repr(&generator)?;
                    let message = format!("an error occurred during closing of asynchronous generator {}", shown.as_str());
                    let facts = vec![("message", vm.str_value(&message)), ("exception", result), ("asyncgen", generator)];
                    call_exception_handler(vm, &self.event_loop, facts)?;
                }
            }
            return Ok(Step::Done(Value::None));
        }
        let generators = sched::unfinished_generators(vm, &self.event_loop);
        if generators.is_empty() {
            return Ok(Step::Done(Value::None));
        }
        let mut closing = Vec::new();
        for generator in &generators {
            closing.push(vm.call_method(generator, &vm.n.aclose, &[])?);
        }
        let all = gather::gather(vm, &closing, true, |value, event_loop| ensure_future(vm, value, event_loop))?;
        self.generators = Some(generators);
        Ok(Step::Await(Value::from(all)))
    }

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.reference(&self.event_loop);
        visitor.values(self.generators.iter().flatten());
    }
}

/// `asyncio.run(main)`.
pub fn run(vm: &Vm, main: &Value, debug: Option<bool>, loop_factory: Value) -> R {
    if sched::of(vm).running.with(Option::is_some) {
        return Err(vm.runtime_error("asyncio.run() cannot be called from a running event loop"));
    }
    let runner = Runner::new(debug, loop_factory);
    let outcome = runner.run(vm, main, None);
    close_after(vm, &runner, outcome)
}

/// Closes a runner; an exception that is on its way stays there, or becomes the context of one that closing raises.
fn close_after(vm: &Vm, runner: &Runner, outcome: R) -> R {
    match outcome {
        Ok(value) => runner.close(vm).map(|()| value),
        Err(raised) if is_limit(vm) => {
            if let Some(event_loop) = runner.event_loop.get() {
                event_loop.close();
            }
            Err(raised)
        }
        Err(_) => {
            let exception = vm.take_raised();
            let handled = vm.handled.replace(exception.clone());
            let closed = runner.close(vm);
            vm.handled.set(handled);
            closed?;
            Err(vm.raise(exception))
        }
    }
}

fn runner_new(vm: &Vm, class: &Value, debug: Option<bool>, loop_factory: Value) -> R {
    let made = vm.heap.alloc(Runner::new(debug, loop_factory));
    wrap_new(vm, class, Value::from(made))
}

fn runner_enter(vm: &Vm, runner: &Value) -> R {
    if let Some(inner) = runner.payload::<Runner>() {
        inner.start(vm)?;
    }
    Ok(runner.clone())
}

fn runner_exit(vm: &Vm, runner: &Ref<Runner>) -> R<()> {
    runner.close(vm)
}

fn runner_run(vm: &Vm, runner: &Ref<Runner>, coro: &Value, context: Option<&Ref<Context>>) -> R {
    runner.run(vm, coro, context)
}

fn runner_close(vm: &Vm, runner: &Ref<Runner>) -> R<()> {
    runner.close(vm)
}

fn runner_loop(vm: &Vm, runner: &Ref<Runner>) -> R {
    runner.start(vm).map(|event_loop| event_loop.value())
}
