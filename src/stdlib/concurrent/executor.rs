//! `ThreadPoolExecutor`: workers that take calls from a queue. asyncio's default executor is one.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use super::errors;
use crate::host::Stream;
use crate::native::define_class;
use crate::native_kind;
use crate::rows;
use crate::sched::baton::{ThreadId, Woken};
use crate::sched::future::Future;
use crate::sched::handle::Handle;
use crate::sched::thread_future::{State, ThreadFuture};
use crate::sched::{self, Context, context, outside, report, threads, workers};
use crate::stdlib::support::wrap_new;
use crate::stdlib::threading;
use crate::value::{Base, Class, Payload, R, Raised, Ref, Shared, Str, Value, Visitor};
use crate::vm::traceback::format_exception;
use crate::vm::types::bare_class;
use crate::vm::{Args, Vm};

/// A call to be made by a worker.
pub struct Call {
    pub function: Value,
    pub args: Vec<Value>,
    pub keywords: Vec<(Ref<Str>, Value)>,
    /// The context it runs in: that of `asyncio.to_thread`.
    pub context: Option<Ref<Context>>,
}

struct Item {
    call: Call,
    future: Ref<ThreadFuture>,
}

/// The payload of an executor.
pub struct Executor {
    max_workers: Cell<usize>,
    prefix: Shared<Value>,
    initializer: Shared<Value>,
    initargs: Shared<Value>,
    queue: RefCell<VecDeque<Item>>,
    /// Workers that wait for a call.
    idle: RefCell<Vec<ThreadId>>,
    workers: Cell<usize>,
    named: Cell<usize>,
    is_shut_down: Cell<bool>,
    is_broken: Cell<bool>,
    /// Threads that wait for all workers to end, and futures of loops that do.
    joiners: RefCell<Vec<ThreadId>>,
    leaving: RefCell<Vec<Ref<Future>>>,
}

impl Payload for Executor {
    native_kind!();
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        for slot in [&self.prefix, &self.initializer, &self.initargs] {
            slot.with(|value| visitor.value(value));
        }
        for item in self.queue.borrow().iter() {
            visitor.value(&item.call.function);
            visitor.values(&item.call.args);
            for (name, value) in &item.call.keywords {
                visitor.reference(name);
                visitor.value(value);
            }
            if let Some(context) = &item.call.context {
                visitor.reference(context);
            }
            visitor.reference(&item.future);
        }
        for future in self.leaving.borrow().iter() {
            visitor.reference(future);
        }
    }

    fn clear(&self) {
        let queue = std::mem::take(&mut *self.queue.borrow_mut());
        let leaving = std::mem::take(&mut *self.leaving.borrow_mut());
        drop((queue, leaving));
        for slot in [&self.prefix, &self.initializer, &self.initargs] {
            slot.set(Value::None);
        }
    }
}

struct Base_;

impl Payload for Base_ {
    native_kind!();
    const CONTAINER: bool = false;
}

/// The class `Executor`, which others may be derived from.
pub fn base_class(vm: &Vm) -> Ref<Class> {
    if let Some(known) = vm.types.at(Base_::class_index()) {
        return known;
    }
    let class = bare_class(&vm.heap, vm.names(), "Executor", Base::Object, &[&vm.types.object]);
    class.dict.set_str(&vm.n.__module__, vm.str_value("concurrent.futures._base"));
    vm.types.set_at(Base_::class_index(), class.clone());
    class
}

/// The class `ThreadPoolExecutor`.
pub fn class(vm: &Vm) -> Ref<Class> {
    super::futures::class(vm);
    let index = Executor::class_index();
    if let Some(known) = vm.types.at(index) {
        return known;
    }
    let class = bare_class(&vm.heap, vm.names(), "ThreadPoolExecutor", Base::Payload(index), &[&base_class(vm)]);
    class.dict.set_str(&vm.n.__module__, vm.str_value("concurrent.futures.thread"));
    vm.types.set_at(index, class);
    define_class::<Results>(
        vm,
        "concurrent.futures._base",
        "result_iterator",
        &rows![
            "__iter__", "" => itself(0);
            "__next__", "" => next_result(0);
        ],
    );
    let class = vm.types.at(index).unwrap_or_else(|| vm.types.object.clone());
    crate::native::define_methods(
        vm,
        &class,
        &rows![
            static "__new__", "cls, *args, **kwargs" => new(0);
            "__init__", "max_workers=None, thread_name_prefix='', initializer=None, initargs=()" => init(0 1 2 3 4);
            raw "submit", "fn, /, *args, **kwargs" => submit_row;
            "map", "fn, *iterables, timeout=None, chunksize=1" => map(0 1 2 3);
            "shutdown", "wait=True, *, cancel_futures=False" => shutdown(0 1 2);
            "__enter__", "" => itself(0);
            "__exit__", "exc_type, exc_val, exc_tb" => exit(0);
            get "_max_workers" => max_workers(0);
        ],
    );
    class
}

fn itself(_vm: &Vm, this: Value) -> Value {
    this
}

fn max_workers(_vm: &Vm, executor: &Ref<Executor>) -> usize {
    executor.max_workers.get()
}

fn make(prefix: Value) -> Executor {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    Executor {
        max_workers: Cell::new((processors + 4).min(32)),
        prefix: Shared::new(prefix),
        initializer: Shared::new(Value::None),
        initargs: Shared::new(Value::None),
        queue: RefCell::default(),
        idle: RefCell::default(),
        workers: Cell::new(0),
        named: Cell::new(0),
        is_shut_down: Cell::new(false),
        is_broken: Cell::new(false),
        joiners: RefCell::default(),
        leaving: RefCell::default(),
    }
}

/// An executor with the default number of workers.
pub fn default_executor(vm: &Vm, prefix: &str) -> Value {
    class(vm);
    Value::from(vm.heap.alloc(make(vm.str_value(prefix))))
}

/// How many executors got a name of their own.
#[derive(Default)]
struct Named(Cell<usize>);

fn new(vm: &Vm, class: &Value) -> R {
    wrap_new(vm, class, Value::from(vm.heap.alloc(make(Value::Undef))))
}

fn init(
    vm: &Vm,
    executor: &Ref<Executor>,
    max_workers: Option<i64>,
    prefix: Option<Value>,
    initializer: Option<Value>,
    initargs: Option<Value>,
) -> R<()> {
    if let Some(count) = max_workers {
        if count <= 0 {
            return Err(vm.value_error("max_workers must be greater than 0"));
        }
        executor.max_workers.set(usize::try_from(count).unwrap_or(1));
    }
    if let Some(initializer) = &initializer
        && !vm.is_callable(initializer)
    {
        return Err(vm.type_error("initializer must be a callable"));
    }
    let given = match prefix {
        Some(prefix) => Some(vm.str(&prefix)?).filter(|prefix| !prefix.is_empty()),
        None => None,
    };
    let prefix = match given {
        Some(prefix) => Value::from(prefix),
        None => {
            let named = vm.extension(Named::default);
            let number = named.0.replace(named.0.get() + 1);
            vm.str_value(&format!("ThreadPoolExecutor-{number}"))
        }
    };
    executor.prefix.set(prefix);
    executor.initializer.set(initializer.unwrap_or(Value::None));
    executor.initargs.set(initargs.unwrap_or(Value::None));
    Ok(())
}

/// Hands a call to the workers, starting one more if none is idle and there may be more.
pub fn submit(vm: &Vm, this: &Value, call: Call) -> R<Ref<ThreadFuture>> {
    let executor: &Ref<Executor> = crate::native::FromValue::from_value(vm, this)?;
    if executor.is_broken.get() {
        let message = "A thread initializer failed, the thread pool is not usable anymore";
        return Err(vm.raise_class(&errors(vm).broken, message));
    }
    if executor.is_shut_down.get() {
        return Err(vm.runtime_error("cannot schedule new futures after shutdown"));
    }
    if sched::of(vm).threads.ending.get() {
        return Err(vm.runtime_error("cannot schedule new futures after interpreter shutdown"));
    }
    let future = vm.heap.alloc(ThreadFuture::default());
    executor.queue.borrow_mut().push_back(Item { call, future: future.clone() });
    let idle = executor.idle.borrow_mut().pop();
    if let Some(worker) = idle {
        threads::wake(vm, worker);
    } else if executor.workers.get() < executor.max_workers.get() {
        executor.workers.set(executor.workers.get() + 1);
        let name = worker_name(vm, executor, executor.named.get())?;
        if let Err(raised) = workers::start(vm, &name, work, &Value::from(executor)) {
            executor.workers.set(executor.workers.get() - 1);
            return Err(raised);
        }
    }
    Ok(future)
}

fn worker_name(vm: &Vm, executor: &Ref<Executor>, number: usize) -> R<String> {
    Ok(format!("{}_{number}", vm.str(&executor.prefix.get())?.as_str()))
}

fn submit_row(vm: &Vm, args: Args<'_>) -> R {
    let [this, function, rest @ ..] = args.positional else {
        return Err(vm.type_error("ThreadPoolExecutor.submit() missing 1 required positional argument: 'fn'"));
    };
    let call = Call { function: function.clone(), args: rest.to_vec(), keywords: args.keywords.to_vec(), context: None };
    submit(vm, this, call).map(Value::from)
}

/// What a worker does: calls from the queue, until there will be no more.
fn work(vm: &Vm, argument: &Value) {
    let Some(executor) = argument.payload::<Executor>() else { return };
    let number = executor.named.replace(executor.named.get() + 1);
    let name = match worker_name(vm, executor, number) {
        Ok(name) => name,
        Err(Raised) => {
            drop(vm.take_raised());
            String::new()
        }
    };
    let thread = threading::adopt(vm, &name);
    if initialise(vm, executor) && run_calls(vm, executor).is_err() {
        drop(vm.take_raised());
    }
    executor.workers.set(executor.workers.get() - 1);
    if executor.workers.get() == 0 {
        let joiners = std::mem::take(&mut *executor.joiners.borrow_mut());
        for joiner in joiners {
            threads::wake(vm, joiner);
        }
        let leaving = std::mem::take(&mut *executor.leaving.borrow_mut());
        for future in leaving {
            let event_loop = future.core.event_loop.clone();
            if !event_loop.closed.get() && event_loop.push(vm, Handle::Release(future)).is_ok() {
                outside::ring(vm, &event_loop);
            }
        }
    }
    threading::release(vm, &thread);
}

/// Calls the initializer; `false` if it failed, after which the executor is of no use.
fn initialise(vm: &Vm, executor: &Ref<Executor>) -> bool {
    let initializer = executor.initializer.get();
    if initializer.is_none() {
        return true;
    }
    let args = executor.initargs.get();
    let args = if args.is_none() { Ok(vec![]) } else { vm.collect(&args) };
    let outcome = args.and_then(|args| vm.call(&initializer, &args));
    if outcome.is_ok() {
        return true;
    }
    let exception = vm.take_raised();
    let text = format!("Exception in initializer:\n{}", format_exception(vm, &exception));
    if vm.write(Stream::Err, &text).is_err() {
        drop(vm.take_raised());
    }
    executor.is_broken.set(true);
    let items = std::mem::take(&mut *executor.queue.borrow_mut());
    for item in items {
        let message = "A thread initializer failed, the thread pool is not usable anymore";
        let error = vm.exception(&errors(vm).broken, vec![vm.str_value(message)]);
        if item.future.complete(vm, State::Failed, error).is_err() {
            drop(vm.take_raised());
        }
    }
    false
}

fn run_calls(vm: &Vm, executor: &Ref<Executor>) -> R<()> {
    let current = threads::current(vm);
    loop {
        let item = executor.queue.borrow_mut().pop_front();
        let Some(item) = item else {
            if executor.is_shut_down.get() || sched::of(vm).threads.ending.get() {
                return Ok(());
            }
            executor.idle.borrow_mut().push(current);
            sched::of(vm).threads.idle.borrow_mut().push(current);
            let woken = threads::park(vm, None);
            executor.idle.borrow_mut().retain(|idle| *idle != current);
            sched::of(vm).threads.idle.borrow_mut().retain(|idle| *idle != current);
            woken?;
            continue;
        };
        if item.future.state.get() != State::Pending {
            continue;
        }
        item.future.state.set(State::Running);
        let Item { call: Call { function, args, keywords, context }, future } = item;
        let call = || vm.call_with(&function, Args { positional: &args, keywords: &keywords });
        let outcome = match &context {
            Some(context) => context::run_in(vm, context, call),
            None => call(),
        };
        drop((function, args, keywords, context));
        match outcome {
            Ok(value) => future.complete(vm, State::Finished, value)?,
            Err(Raised) if sched::event_loop::is_limit(vm) => return Err(Raised),
            Err(Raised) => {
                let exception = vm.take_raised();
                future.complete(vm, State::Failed, exception)?;
            }
        }
    }
}

fn map(vm: &Vm, this: &Value, function: &Value, iterables: &Value, timeout: Option<f64>) -> R {
    let until = timeout.map(|timeout| sched::now(vm) + timeout);
    let iterators = iterables.as_tuple().unwrap_or_default().iter().map(|it| vm.iter(it)).collect::<R<Vec<_>>>()?;
    let mut futures = VecDeque::new();
    'items: while !iterators.is_empty() {
        let mut args = Vec::with_capacity(iterators.len());
        for iterator in &iterators {
            match vm.next(iterator)? {
                Some(item) => args.push(item),
                None => break 'items,
            }
        }
        let call = Call { function: function.clone(), args, keywords: vec![], context: None };
        futures.push_back(submit(vm, this, call)?);
    }
    Ok(Value::from(vm.heap.alloc(Results { futures: RefCell::new(futures), until })))
}

/// The payload of what `map` gives: results in order.
struct Results {
    futures: RefCell<VecDeque<Ref<ThreadFuture>>>,
    until: Option<f64>,
}

impl Payload for Results {
    native_kind!();
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        for future in self.futures.borrow().iter() {
            visitor.reference(future);
        }
    }
}

fn next_result(vm: &Vm, results: &Ref<Results>) -> R {
    let future = results.futures.borrow_mut().pop_front();
    let Some(future) = future else { return Err(vm.stop_iteration(Value::None)) };
    let timeout = results.until.map(|until| until - sched::now(vm));
    let outcome = super::futures::outcome(vm, &future, timeout);
    if outcome.is_err() {
        let exception = vm.take_raised();
        let rest = std::mem::take(&mut *results.futures.borrow_mut());
        for future in rest {
            future.cancel(vm)?;
        }
        return Err(vm.raise(exception));
    }
    outcome
}

/// No more calls are taken; idle workers end.
pub fn close(vm: &Vm, executor: &Ref<Executor>) {
    executor.is_shut_down.set(true);
    let idle = std::mem::take(&mut *executor.idle.borrow_mut());
    for worker in idle {
        threads::wake(vm, worker);
    }
}

/// A future of the loop that is done when no worker is left; nothing if none is.
pub fn when_left(vm: &Vm, executor: &Ref<Executor>) -> R<Option<Ref<Future>>> {
    if executor.workers.get() == 0 {
        return Ok(None);
    }
    let future = sched::running_loop(vm)?.create_future(vm);
    executor.leaving.borrow_mut().push(future.clone());
    Ok(Some(future))
}

fn shutdown(vm: &Vm, executor: &Ref<Executor>, wait: Option<bool>, cancel_futures: Option<bool>) -> R<()> {
    close(vm, executor);
    if cancel_futures == Some(true) {
        let items = std::mem::take(&mut *executor.queue.borrow_mut());
        for item in items {
            item.future.cancel(vm)?;
        }
    }
    if wait == Some(false) {
        return Ok(());
    }
    let current = threads::current(vm);
    while executor.workers.get() > 0 {
        executor.joiners.borrow_mut().push(current);
        let woken = threads::park(vm, None);
        executor.joiners.borrow_mut().retain(|joiner| *joiner != current);
        if woken? == Woken::Deadlock {
            return Err(report::thread_deadlock(vm, "ThreadPoolExecutor.shutdown()"));
        }
    }
    Ok(())
}

fn exit(vm: &Vm, executor: &Ref<Executor>) -> R<bool> {
    shutdown(vm, executor, None, None)?;
    Ok(false)
}
