//! `threading.Thread`: a function run by a thread of its own.

use std::cell::{Cell, RefCell};

use crate::host::Stream;
use crate::native::define_class;
use crate::native_kind;
use crate::rows;
use crate::sched::baton::{MAIN, ThreadId, Woken};
use crate::sched::{self, report, threads, workers};
use crate::stdlib::support::wrap_new;
use crate::value::{Class, Dict, Payload, R, Ref, Shared, Value, Visitor};
use crate::vm::exit::Stage;
use crate::vm::traceback::format_exception;
use crate::vm::{Args, Vm};

/// The payload of a thread.
pub struct Thread {
    name: Shared<Value>,
    target: Shared<Value>,
    args: Shared<Value>,
    kwargs: Shared<Value>,
    daemon: Cell<bool>,
    initialised: Cell<bool>,
    id: Cell<Option<ThreadId>>,
    ended: Cell<bool>,
    joiners: RefCell<Vec<ThreadId>>,
}

impl Payload for Thread {
    native_kind!();
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        for slot in [&self.name, &self.target, &self.args, &self.kwargs] {
            slot.with(|value| visitor.value(value));
        }
    }

    fn clear(&self) {
        for slot in [&self.target, &self.args, &self.kwargs] {
            slot.set(Value::None);
        }
    }
}

impl Thread {
    fn new(name: Value) -> Thread {
        Thread {
            name: Shared::new(name),
            target: Shared::new(Value::None),
            args: Shared::new(Value::None),
            kwargs: Shared::new(Value::None),
            daemon: Cell::new(false),
            initialised: Cell::new(false),
            id: Cell::new(None),
            ended: Cell::new(false),
            joiners: RefCell::default(),
        }
    }

    fn is_alive(&self) -> bool {
        self.id.get().is_some() && !self.ended.get()
    }
}

/// Names of threads so far, and the object of the main thread.
#[derive(Default)]
struct Known {
    count: Cell<u64>,
    main: RefCell<Option<Value>>,
}

/// The class.
pub fn class(vm: &Vm) -> Ref<Class> {
    vm.on_exit(Stage::Threads, join_all);
    define_class::<Thread>(
        vm,
        "threading",
        "Thread",
        &rows![
            static "__new__", "cls, *args, **kwargs" => new(0);
            "__init__", "group=None, target=None, name=None, args=(), kwargs=None, *, daemon=None" => init(0 2 3 4 5 6);
            "__repr__", "" => repr(0);
            "start", "" => start(0);
            "run", "" => run(0);
            "join", "timeout=None" => join(0 1);
            "is_alive", "" => is_alive(0);
            "getName", "" => name(0);
            "setName", "name" => set_name(0 1);
            "isDaemon", "" => is_daemon(0);
            "setDaemon", "daemonic" => set_daemon(0 1);
            get "name" => name(0), set set_name(0 1);
            get "daemon" => is_daemon(0), set set_daemon(0 1);
            get "ident" => ident(0);
            get "native_id" => ident(0);
        ],
    )
}

fn new(vm: &Vm, class: &Value) -> R {
    wrap_new(vm, class, Value::from(vm.heap.alloc(Thread::new(vm.str_value("")))))
}

fn init(
    vm: &Vm,
    thread: &Ref<Thread>,
    target: Option<Value>,
    name: Option<Value>,
    args: Option<Value>,
    kwargs: Option<Value>,
    daemon: Option<bool>,
) -> R<()> {
    let name = match name {
        Some(name) => Value::from(vm.str(&name)?),
        None => {
            let known = vm.extension(Known::default);
            known.count.set(known.count.get() + 1);
            let mut text = format!("Thread-{}", known.count.get());
            if let Some(target) = &target
                && let Some(function) = vm.find_attr(target, &vm.n.__name__)?
            {
                text.push_str(&format!(" ({})", vm.str(&function)?.as_str()));
            }
            vm.str_value(&text)
        }
    };
    thread.name.set(name);
    thread.target.set(target.unwrap_or(Value::None));
    thread.args.set(args.unwrap_or(Value::None));
    thread.kwargs.set(kwargs.unwrap_or(Value::None));
    let inherited = || current_thread(vm).payload::<Thread>().is_some_and(|thread| thread.daemon.get());
    thread.daemon.set(daemon.unwrap_or_else(inherited));
    thread.initialised.set(true);
    Ok(())
}

fn repr(vm: &Vm, this: &Value) -> R<String> {
    let thread: &Ref<Thread> = crate::native::FromValue::from_value(vm, this)?;
    let class = vm.class_of(this).name();
    let class = if thread.id.get() == Some(MAIN) { "_MainThread" } else { class.as_str() };
    let mut state = match (thread.id.get(), thread.ended.get()) {
        (None, _) => "initial".to_owned(),
        (Some(_), false) => "started".to_owned(),
        (Some(_), true) => "stopped".to_owned(),
    };
    if thread.daemon.get() {
        state.push_str(" daemon");
    }
    if let Some(id) = thread.id.get() {
        state.push_str(&format!(" {id}"));
    }
    Ok(format!("<{class}({}, {state})>", vm.str(&thread.name.get())?.as_str()))
}

fn start(vm: &Vm, this: &Value) -> R<()> {
    let thread: &Ref<Thread> = crate::native::FromValue::from_value(vm, this)?;
    if !thread.initialised.get() {
        return Err(vm.runtime_error("thread.__init__() not called"));
    }
    if thread.id.get().is_some() {
        return Err(vm.runtime_error("threads can only be started once"));
    }
    let name = vm.str(&thread.name.get())?;
    workers::start(vm, name.as_str(), body, this).map(drop)
}

/// What the new thread does.
fn body(vm: &Vm, this: &Value) {
    let Some(thread) = this.payload::<Thread>() else { return };
    let id = threads::current(vm);
    thread.id.set(Some(id));
    let alive = &sched::of(vm).threads.alive;
    alive.borrow_mut().insert(id, this.clone());
    if vm.call_method(this, &vm.intern("run"), &[]).is_err() {
        report_exception(vm, this);
    }
    let gone = alive.borrow_mut().remove(&id);
    drop(gone);
    thread.ended.set(true);
    for slot in [&thread.target, &thread.args, &thread.kwargs] {
        slot.set(Value::None);
    }
    let joiners = std::mem::take(&mut *thread.joiners.borrow_mut());
    for joiner in joiners {
        threads::wake(vm, joiner);
    }
}

fn run(vm: &Vm, thread: &Ref<Thread>) -> R<()> {
    let target = thread.target.get();
    if target.is_none() {
        return Ok(());
    }
    let args = thread.args.get();
    let args = if args.is_none() { vec![] } else { vm.collect(&args)? };
    let kwargs = thread.kwargs.get();
    let mut keywords = Vec::new();
    if let Some(dict) = kwargs.payload::<Dict>() {
        for (key, value) in dict.to_vec() {
            match key.downcast() {
                Some(name) => keywords.push((vm.name_of(name), value)),
                None => return Err(vm.type_error("keywords must be strings")),
            }
        }
    }
    vm.call_with(&target, Args { positional: &args, keywords: &keywords }).map(drop)
}

/// What a thread did not catch goes to standard error; `SystemExit` only ends the thread.
fn report_exception(vm: &Vm, this: &Value) {
    if sched::event_loop::is_limit(vm) || vm.raised_is(&vm.types.system_exit) {
        drop(vm.take_raised());
        return;
    }
    let exception = vm.take_raised();
    if show(vm, this, &exception).is_err() {
        drop(vm.take_raised());
    }
}

fn show(vm: &Vm, this: &Value, exception: &Value) -> R<()> {
    let name = vm.find_attr(this, &vm.n.name)?.unwrap_or_default();
    let name = vm.str(&name)?;
    let text = format!("Exception in thread {}:\n{}", name.as_str(), format_exception(vm, exception));
    vm.write(Stream::Err, &text)
}

/// `threading.excepthook(args)`: what is done with an exception that a thread did not catch.
pub fn excepthook(vm: &Vm, args: &Value) -> R<()> {
    let part = |name: &str| Ok(vm.find_attr(args, &vm.intern(name))?.unwrap_or(Value::None));
    let (exception, thread) = (part("exc_value")?, part("thread")?);
    if vm.is_instance(&exception, &vm.types.system_exit) {
        return Ok(());
    }
    show(vm, &thread, &exception)
}

fn join(vm: &Vm, thread: &Ref<Thread>, timeout: Option<f64>) -> R<()> {
    if !thread.initialised.get() {
        return Err(vm.runtime_error("Thread.__init__() not called"));
    }
    let Some(id) = thread.id.get() else {
        return Err(vm.runtime_error("cannot join thread before it is started"));
    };
    let current = threads::current(vm);
    if id == current {
        return Err(vm.runtime_error("cannot join current thread"));
    }
    wait_for(vm, thread, timeout)
}

fn wait_for(vm: &Vm, thread: &Ref<Thread>, timeout: Option<f64>) -> R<()> {
    let current = threads::current(vm);
    let until = timeout.map(|timeout| sched::now(vm) + timeout);
    while thread.is_alive() && until.is_none_or(|until| sched::now(vm) < until) {
        thread.joiners.borrow_mut().push(current);
        let woken = threads::park(vm, until);
        thread.joiners.borrow_mut().retain(|joiner| *joiner != current);
        match woken? {
            Woken::Deadlock => return Err(report::thread_deadlock(vm, "Thread.join()")),
            Woken::TimedOut => break,
            _ => {}
        }
    }
    Ok(())
}

fn is_alive(_vm: &Vm, thread: &Ref<Thread>) -> bool {
    thread.is_alive()
}

fn name(_vm: &Vm, thread: &Ref<Thread>) -> Value {
    thread.name.get()
}

fn set_name(vm: &Vm, thread: &Ref<Thread>, name: &Value) -> R<()> {
    thread.name.set(Value::from(vm.str(name)?));
    Ok(())
}

fn is_daemon(_vm: &Vm, thread: &Ref<Thread>) -> bool {
    thread.daemon.get()
}

fn set_daemon(vm: &Vm, thread: &Ref<Thread>, daemon: bool) -> R<()> {
    if thread.id.get().is_some() {
        return Err(vm.runtime_error("cannot set daemon status of active thread"));
    }
    thread.daemon.set(daemon);
    Ok(())
}

fn ident(_vm: &Vm, thread: &Ref<Thread>) -> Option<usize> {
    thread.id.get().map(|id| id as usize)
}

/// The object of the main thread.
pub fn main_thread(vm: &Vm) -> Value {
    let known = vm.extension(Known::default);
    if let Some(main) = &*known.main.borrow() {
        return main.clone();
    }
    let main = vm.heap.alloc(Thread::new(vm.str_value("MainThread")));
    main.id.set(Some(MAIN));
    main.initialised.set(true);
    let main = Value::from(main);
    *known.main.borrow_mut() = Some(main.clone());
    main
}

/// The object of the running thread.
pub fn current_thread(vm: &Vm) -> Value {
    let current = threads::current(vm);
    let known = sched::of(vm).threads.alive.borrow().get(&current).cloned();
    match known {
        Some(thread) => thread,
        None if current == MAIN => main_thread(vm),
        None => {
            let thread = vm.heap.alloc(Thread::new(vm.str_value(&format!("Dummy-{current}"))));
            thread.id.set(Some(current));
            thread.initialised.set(true);
            thread.daemon.set(true);
            Value::from(thread)
        }
    }
}

/// The name of the running thread.
pub fn current_name(vm: &Vm) -> R {
    class(vm);
    match current_thread(vm).payload::<Thread>() {
        Some(thread) => Ok(thread.name.get()),
        None => Ok(Value::None),
    }
}

pub fn enumerate(vm: &Vm) -> Vec<Value> {
    let mut all = vec![main_thread(vm)];
    all.extend(sched::of(vm).threads.alive.borrow().values().cloned());
    all
}

pub fn active_count(vm: &Vm) -> usize {
    sched::of(vm).threads.alive.borrow().len() + 1
}

pub fn get_ident(vm: &Vm) -> usize {
    threads::current(vm) as usize
}

/// A thread object for a thread of the library (an executor's worker), already running.
pub fn adopt(vm: &Vm, name: &str) -> Value {
    class(vm);
    let thread = vm.heap.alloc(Thread::new(vm.str_value(name)));
    let id = threads::current(vm);
    thread.id.set(Some(id));
    thread.initialised.set(true);
    let value = Value::from(thread);
    sched::of(vm).threads.alive.borrow_mut().insert(id, value.clone());
    value
}

/// The thread object of `adopt` has come to its end.
pub fn release(vm: &Vm, value: &Value) {
    let Some(thread) = value.payload::<Thread>() else { return };
    thread.ended.set(true);
    if let Some(id) = thread.id.get() {
        let gone = sched::of(vm).threads.alive.borrow_mut().remove(&id);
        drop(gone);
    }
    let joiners = std::mem::take(&mut *thread.joiners.borrow_mut());
    for joiner in joiners {
        threads::wake(vm, joiner);
    }
}

/// At the end of the program: waits for all threads that are no daemons.
fn join_all(vm: &Vm) -> R<()> {
    let threads = &sched::of(vm).threads;
    threads.ending.set(true);
    let idle = std::mem::take(&mut *threads.idle.borrow_mut());
    for thread in idle {
        sched::threads::wake(vm, thread);
    }
    loop {
        let next = threads
            .alive
            .borrow()
            .values()
            .find(|value| value.payload::<Thread>().is_some_and(|thread| !thread.daemon.get()))
            .cloned();
        let Some(next) = next else { break };
        if let Some(thread) = next.payload::<Thread>() {
            wait_for(vm, thread, None)?;
        }
    }
    threads.ending.set(false);
    Ok(())
}
