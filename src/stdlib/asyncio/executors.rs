//! Work on threads from coroutines: `to_thread`, `run_in_executor`, `run_coroutine_threadsafe`, `wrap_future`.

use super::futures::loop_or_current;
use super::support::add_functions;
use super::tasks::is_coroutine;
use crate::native::define_methods;
use crate::rows;
use crate::sched::future::AnyFuture;
use crate::sched::thread_future::{self, ThreadFuture};
use crate::sched::{self, EventLoop, context};
use crate::stdlib::concurrent::executor::{self, Call, Executor};
use crate::value::{Module, R, Ref, Str, Value, Visitor};
use crate::vm::coroutine::{NativeFrame, Step};
use crate::vm::{Args, Vm};

pub fn load(vm: &Vm, module: &Ref<Module>) {
    add_functions(
        vm,
        module,
        &rows![
            async "to_thread", "func, /, *args, **kwargs" => to_thread(0 1 2);
            "run_coroutine_threadsafe", "coro, loop" => run_coroutine_threadsafe(0 1);
            "wrap_future", "future, *, loop=None" => wrap_future(0 1);
        ],
    );
}

/// Gives loops their methods for executors.
pub fn install(vm: &Vm) {
    define_methods(
        vm,
        &sched::of(vm).classes.event_loop,
        &rows![
            raw "run_in_executor", "executor, func, *args" => run_in_executor;
            "set_default_executor", "executor" => set_default_executor(0 1);
            async "shutdown_default_executor", "timeout=None" => shutdown_default_executor(0);
        ],
    );
}

/// The loop's executor, made at first need.
fn default_executor(vm: &Vm, event_loop: &Ref<EventLoop>) -> R {
    if event_loop.executor_closed.get() {
        return Err(vm.runtime_error("Executor shutdown has been called"));
    }
    let known = event_loop.executor.get();
    if !known.is_none() {
        return Ok(known);
    }
    let made = executor::default_executor(vm, "asyncio");
    event_loop.executor.set(made.clone());
    Ok(made)
}

/// Hands a call to the loop's executor; the future of the loop for it.
fn submit(vm: &Vm, event_loop: &Ref<EventLoop>, executor: &Value, call: Call) -> R {
    let future = if executor.payload::<Executor>().is_some() {
        executor::submit(vm, executor, call)?
    } else {
        let submit = vm.get_attr(executor, &vm.intern("submit"))?;
        let positional: Vec<Value> = std::iter::once(call.function).chain(call.args).collect();
        let made = vm.call_with(&submit, Args { positional: &positional, keywords: &call.keywords })?;
        match made.payload::<ThreadFuture>() {
            Some(future) => future.clone(),
            None => return wrong_future(vm, &made),
        }
    };
    thread_future::wrap(vm, &future, event_loop).map(Value::from)
}

fn wrong_future(vm: &Vm, value: &Value) -> R {
    let shown = vm.repr(value)?;
    Err(vm.assertion_error(format!("concurrent.futures.Future is expected, got {}", shown.as_str())))
}

fn run_in_executor(vm: &Vm, args: Args<'_>) -> R {
    let ([this, executor, function, rest @ ..], []) = (args.positional, args.keywords) else {
        return Err(vm.type_error("run_in_executor() takes an executor, a function and its arguments, all by position"));
    };
    let event_loop: &Ref<EventLoop> = crate::native::FromValue::from_value(vm, this)?;
    super::loops::check_callback(vm, event_loop, function, "run_in_executor")?;
    let executor = if executor.is_none() { default_executor(vm, event_loop)? } else { executor.clone() };
    let call = Call { function: function.clone(), args: rest.to_vec(), keywords: vec![], context: None };
    submit(vm, event_loop, &executor, call)
}

fn set_default_executor(vm: &Vm, event_loop: &Ref<EventLoop>, executor: &Value) -> R<()> {
    if executor.payload::<Executor>().is_none() {
        return Err(vm.type_error("executor must be ThreadPoolExecutor instance"));
    }
    event_loop.executor.set(executor.clone());
    Ok(())
}

/// `asyncio.to_thread`.
enum ToThread {
    Start { function: Value, args: Value, kwargs: Value },
    Waiting,
}

fn to_thread(_vm: &Vm, function: Value, args: Value, kwargs: Value) -> R<impl NativeFrame + use<>> {
    Ok(ToThread::Start { function, args, kwargs })
}

impl NativeFrame for ToThread {
    fn name(&self) -> &'static str {
        "to_thread"
    }

    fn resume(&mut self, vm: &Vm, sent: R) -> R<Step> {
        let value = sent?;
        let ToThread::Start { function, args, kwargs } = std::mem::replace(self, ToThread::Waiting) else {
            return Ok(Step::Done(value));
        };
        let event_loop = sched::running_loop(vm)?;
        let mut keywords: Vec<(Ref<Str>, Value)> = Vec::new();
        if let Some(dict) = kwargs.downcast::<crate::value::Dict>() {
            keywords.extend(dict.to_vec().into_iter().filter_map(|(key, value)| Some((key.downcast::<Str>()?.clone(), value))));
        }
        let context = Some(context::copy_current(vm).unwrap_or_else(|| context::empty(vm)));
        let call = Call { function, args: args.as_tuple().unwrap_or_default().to_vec(), keywords, context };
        let executor = default_executor(vm, &event_loop)?;
        submit(vm, &event_loop, &executor, call).map(Step::Await)
    }

    fn trace(&self, visitor: &mut Visitor<'_>) {
        if let ToThread::Start { function, args, kwargs } = self {
            visitor.values([function, args, kwargs]);
        }
    }
}

fn run_coroutine_threadsafe(vm: &Vm, coroutine: &Value, event_loop: &Ref<EventLoop>) -> R<Ref<ThreadFuture>> {
    if !is_coroutine(vm, coroutine)? {
        return Err(vm.type_error("A coroutine object is required"));
    }
    thread_future::submit_coroutine(vm, coroutine, event_loop)
}

fn wrap_future(vm: &Vm, future: &Value, event_loop: Option<&Ref<EventLoop>>) -> R {
    if AnyFuture::of(future).is_some() {
        return Ok(future.clone());
    }
    let Some(source) = future.payload::<ThreadFuture>() else { return wrong_future(vm, future) };
    let event_loop = loop_or_current(vm, event_loop)?;
    thread_future::wrap(vm, source, &event_loop).map(Value::from)
}

/// The loop is closed: its executor takes no more calls.
pub fn close_default(vm: &Vm, event_loop: &Ref<EventLoop>) -> R<()> {
    event_loop.executor_closed.set(true);
    if let Some(executor) = event_loop.executor.replace(Value::None).payload::<Executor>() {
        executor::close(vm, executor);
    }
    Ok(())
}

/// What waits for the workers of the loop's executor to end.
pub fn shutdown(event_loop: &Ref<EventLoop>) -> impl NativeFrame + use<> {
    Shutdown { event_loop: event_loop.clone() }
}

struct Shutdown {
    event_loop: Ref<EventLoop>,
}

fn shutdown_default_executor(_vm: &Vm, event_loop: &Ref<EventLoop>) -> R<impl NativeFrame + use<>> {
    Ok(shutdown(event_loop))
}

impl NativeFrame for Shutdown {
    fn name(&self) -> &'static str {
        "shutdown_default_executor"
    }

    fn resume(&mut self, vm: &Vm, sent: R) -> R<Step> {
        sent?;
        self.event_loop.executor_closed.set(true);
        let executor = self.event_loop.executor.get();
        let Some(executor) = executor.payload::<Executor>() else { return Ok(Step::Done(Value::None)) };
        executor::close(vm, executor);
        match executor::when_left(vm, executor)? {
            Some(future) => Ok(Step::Await(Value::from(future))),
            None => Ok(Step::Done(Value::None)),
        }
    }

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.reference(&self.event_loop);
    }
}
