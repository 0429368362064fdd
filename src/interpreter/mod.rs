//! What a host program holds: an interpreter with its limits, its functions, and its scripts.
//!
//! [`Interpreter`] is made by [`Interpreter::new`] or by its [`Builder`]. Values cross its border only as copies ([`Data`]), so that no
//! object of the script ever leaves it.

mod builder;
mod convert;
mod copy;
mod data;
mod host_function;
mod parameters;
mod pending;
mod run;

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub use builder::{Builder, Limits};
pub use convert::IntoArgs;
pub use data::{Data, FromData, IntoData, Items, Mismatch, Part};
pub use host_function::{AsyncHostFunction, HostFunction, Outcome};
pub use run::Run;

use host_function::Shape;
use parameters::Parameters;

use crate::error::{Error, ScriptException};
use crate::host::{Host, Stream};
use crate::native::new_module;
use crate::resolve::CompileError;
use crate::sched::{self, workers};
use crate::syntax::ast::{ExprKind, StmtKind};
use crate::syntax::{Mode, Options, Source, parse};
use crate::value::{Module, R, Ref, Value};
use crate::vm::Vm;
use crate::vm::coroutine::Coroutine;

/// An interpreter: its modules, its globals, and the limits of what scripts may use.
///
/// It is `Send`: make it on one thread, use it on another. Nothing in it is shared with other interpreters. Whatever error a method
/// returns, the interpreter can be used again; after [`crate::Limit::Memory`], what its globals hold still counts until somebody frees it.
///
/// The error of every method that lets a script run may be any [`Error`]; the `Errors` below are those of the method itself.
///
/// ```
/// use asplet::Interpreter;
///
/// let mut interpreter = Interpreter::new();
/// interpreter.register("area", "width, height=1", |width: f64, height: f64| width * height)?;
/// interpreter.exec("def double(x): return 2 * x")?;
/// assert_eq!(interpreter.eval::<f64>("area(2, height=3)")?, 6.0);
/// assert_eq!(interpreter.call::<i64>("double", (21,))?, 42);
/// # Ok::<(), asplet::Error>(())
/// ```
pub struct Interpreter {
    vm: Island<Box<Vm>>,
    host: Arc<dyn Host>,
    limits: Limits,
    /// The modules that were made for functions and constants of the host.
    host_modules: HashSet<String>,
}

impl fmt::Debug for Interpreter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interpreter").field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// Wraps what belongs to an interpreter, to let the whole move between threads.
struct Island<T>(T);

// SAFETY: an interpreter is an island. All its objects (whose reference counts are not atomic) are owned by its heap, and none leaves it:
// hosts receive copies (`Data`), never references, and closures they register must be `Send` and get copies too. Nothing keeps
// objects in thread-local or global storage. Only `Interpreter` and `Run`, which borrows it exclusively, hold islands; `&mut self`
// or a worker's turn (see `sched/threads.rs`) makes sure that one thread at a time uses it. So the whole may move to another
// thread between two uses.
unsafe impl<T> Send for Island<T> {}

impl<T> std::ops::Deref for Island<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

const _: () = {
    const fn check<T: Send>() {}
    check::<Interpreter>();
};

impl Drop for Interpreter {
    /// Threads of the script end first.
    fn drop(&mut self) {
        self.vm.measure_stack();
        workers::shutdown(&self.vm);
    }
}

impl Default for Interpreter {
    fn default() -> Interpreter {
        Interpreter::new()
    }
}

impl Interpreter {
    /// An interpreter that may write to the process's output and nothing else, with the default [`Limits`].
    pub fn new() -> Interpreter {
        Builder::default().build()
    }

    /// Chooses what an interpreter may do before making it: see [`Builder`].
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Evaluates an expression and copies its value out, or ignores it if `T` is `()`.
    ///
    /// # Errors
    ///
    /// [`Error::Mismatch`] if the value is not a `T`; a `TypeError` of the script if it is not plain data.
    ///
    /// ```
    /// let squares: Vec<u32> = asplet::Interpreter::new().eval("[n * n for n in range(4)]")?;
    /// assert_eq!(squares, [0, 1, 4, 9]);
    /// # Ok::<(), asplet::Error>(())
    /// ```
    pub fn eval<T: FromData>(&mut self, expression: &str) -> Result<T, Error> {
        let source = Source::new("<eval>", expression);
        let data = self.enter(|this| {
            Ok(this.run_source(&source, Mode::Eval.into())?.and_then(|value| Data::result::<T>(&this.vm, &value)))
        })?;
        Ok(T::from_data(data)?)
    }

    /// Executes statements in the interpreter's globals: what they define stays.
    ///
    /// ```
    /// let mut interpreter = asplet::Interpreter::new();
    /// interpreter.exec("count = 1")?;
    /// interpreter.exec("count += 1\nassert count == 2")?;
    /// # Ok::<(), asplet::Error>(())
    /// ```
    pub fn exec(&mut self, code: &str) -> Result<(), Error> {
        let source = Source::new("<exec>", code);
        self.enter(|this| Ok(this.run_source(&source, Mode::File.into())?.map(drop)))
    }

    /// Calls a function, or whatever is callable, with positional arguments, and copies its result out. `name` is a global variable, a
    /// built-in name or a module; or, with dots in it, an attribute of one: `player.update`. A result that is not wanted is `()`.
    ///
    /// # Errors
    ///
    /// As [`Interpreter::eval`]; a `NameError` or `AttributeError` if there is no such function, a `TypeError` if it is an `async` one: see
    /// [`Interpreter::call_async`].
    ///
    /// ```
    /// let mut interpreter = asplet::Interpreter::new();
    /// interpreter.exec("def greet(name, times): return f'hello {name} ' * times")?;
    /// assert_eq!(interpreter.call::<String>("greet", ("you", 2))?, "hello you hello you ");
    /// assert_eq!(interpreter.call::<f64>("math.hypot", (3, 4))?, 5.0);
    /// # Ok::<(), asplet::Error>(())
    /// ```
    pub fn call<T: FromData>(&mut self, name: &str, args: impl IntoArgs) -> Result<T, Error> {
        let args = args.into_args();
        let data = self.enter(|this| {
            let vm = &this.vm;
            Ok(this.call_value(name, args).and_then(|result| match result.downcast::<Coroutine>() {
                Some(_) => Err(vm.type_error(format!("{name}() is async: the host has to use call_async"))),
                None => Data::result::<T>(vm, &result),
            }))
        })?;
        Ok(T::from_data(data)?)
    }

    /// Calls an `async` function of the script as a Rust future: see [`Interpreter::run`], and [`Interpreter::call`] for the name and the
    /// arguments. A function that is not `async` is called just so.
    ///
    /// ```
    /// let mut interpreter = asplet::Interpreter::builder().virtual_clock().build();
    /// interpreter.exec("import asyncio\nasync def later(x):\n    await asyncio.sleep(10)\n    return x + 1")?;
    /// assert_eq!(smol::block_on(interpreter.call_async::<i64>("later", (41,)))?, 42);
    /// # Ok::<(), asplet::Error>(())
    /// ```
    pub fn call_async<T: FromData>(&mut self, name: &str, args: impl IntoArgs) -> Run<'_, T> {
        Run::new(self, run::Start::Call(name.to_owned(), args.into_args()))
    }

    /// Sets a global variable to a copy.
    ///
    /// # Errors
    ///
    /// A `ValueError` if `name` is not a name of the language; whatever the script cannot be given, such as a dict with a list as a
    /// key (`TypeError`) or data that nests deeper than the limit of depth (`RecursionError`).
    ///
    /// ```
    /// let mut interpreter = asplet::Interpreter::new();
    /// interpreter.set_global("names", ["Ada", "Grace"])?;
    /// assert_eq!(interpreter.eval::<usize>("len(names)")?, 2);
    /// # Ok::<(), asplet::Error>(())
    /// ```
    pub fn set_global(&mut self, name: &str, value: impl IntoData) -> Result<(), Error> {
        check_name(name)?;
        let data = value.into_data();
        self.enter(|this| {
            Ok(data.into_value(&this.vm).map(|value| {
                this.main().dict.set_str(&this.vm.intern(name), value);
            }))
        })
    }

    /// Copies out a global variable, or with dots in its name an attribute: as [`Interpreter::call`] finds functions.
    ///
    /// # Errors
    ///
    /// As [`Interpreter::eval`]; a `NameError` or `AttributeError` if there is none.
    ///
    /// ```
    /// let mut interpreter = asplet::Interpreter::new();
    /// interpreter.exec("import math\nlimit = 10")?;
    /// assert_eq!(interpreter.get_global::<i64>("limit")?, 10);
    /// assert!(interpreter.get_global::<f64>("math.pi")? > 3.0);
    /// # Ok::<(), asplet::Error>(())
    /// ```
    pub fn get_global<T: FromData>(&mut self, name: &str) -> Result<T, Error> {
        let data = self.enter(|this| Ok(this.lookup(name).and_then(|value| Data::of(&this.vm, &value))))?;
        Ok(T::from_data(data)?)
    }

    /// Makes a Rust closure callable from scripts.
    ///
    /// `name` is a built-in name from then on or, with dots in it, belongs to a module that scripts import: `db.query` is `query` in the
    /// module `db`, which is made if there is none. `parameters` stand as between the brackets of a `def`:
    /// `"path, mode='r', *, strict=False"`. There are as many as the closure has; `*args` arrives as a `Vec` and `**options` as a map. Calls
    /// are checked against them, and what is not given is the default, which was evaluated at registration.
    ///
    /// In the script, an error that the closure returns is an exception ([`ScriptException`] chooses which, else `RuntimeError`), a panic a
    /// `RuntimeError`.
    ///
    /// # Errors
    ///
    /// [`Error::Syntax`] if the parameters are none, [`Error::Mismatch`] if they are not as many as the closure's or a default is not of
    /// the closure's type, a `ValueError` if the name is none; whatever goes wrong while a default is evaluated, or a module of this name
    /// imported.
    ///
    /// ```
    /// let mut interpreter = asplet::Interpreter::new();
    /// interpreter.register("text.pad", "word, width=8, *, fill='.'", |word: String, width: usize, fill: String| {
    ///     fill.repeat(width.saturating_sub(word.len())) + &word
    /// })?;
    /// interpreter.exec("import text")?;
    /// assert_eq!(interpreter.eval::<String>("text.pad('tea', 5)")?, "..tea");
    ///
    /// let error = interpreter.register("half", "x, y", |x: f64| x / 2.0).unwrap_err();
    /// assert_eq!(error.to_string(), "expected a closure of 2 parameters for half(x, y), got one of 1");
    /// # Ok::<(), asplet::Error>(())
    /// ```
    pub fn register<P, F: HostFunction<P>>(&mut self, name: &str, parameters: &str, function: F) -> Result<(), Error> {
        self.add_function(name, parameters, &F::SHAPE, |vm, path, parameters| {
            Value::from(host_function::function(vm, path, parameters, function))
        })
    }

    /// Makes a Rust closure that returns a future callable and awaitable from scripts: [`Interpreter::register`] says the rest. The
    /// future is polled by whatever runs the script, beside the script's tasks, and dropped when the awaiting task is cancelled.
    ///
    /// ```
    /// let mut interpreter = asplet::Interpreter::new();
    /// interpreter.register_async("fetch", "key", |key: String| async move { Ok::<_, std::io::Error>(key + "!") })?;
    /// assert_eq!(smol::block_on(interpreter.run::<String>("await fetch('a')"))?, "a!");
    /// # Ok::<(), asplet::Error>(())
    /// ```
    pub fn register_async<P, F: AsyncHostFunction<P>>(&mut self, name: &str, parameters: &str, function: F) -> Result<(), Error> {
        self.add_function(name, parameters, &F::SHAPE, |vm, path, parameters| {
            Value::from(host_function::async_function(vm, path, parameters, function))
        })
    }

    /// Makes a copy of a value known to scripts under a name, as [`Interpreter::register`] does for functions.
    ///
    /// # Errors
    ///
    /// As [`Interpreter::set_global`].
    ///
    /// ```
    /// let mut interpreter = asplet::Interpreter::new();
    /// interpreter.register_value("screen.SIZE", (640, 480))?;
    /// interpreter.exec("from screen import SIZE")?;
    /// assert_eq!(interpreter.eval::<i64>("SIZE[0]")?, 640);
    /// # Ok::<(), asplet::Error>(())
    /// ```
    pub fn register_value(&mut self, name: &str, value: impl IntoData) -> Result<(), Error> {
        check_path(name)?;
        let data = value.into_data();
        let made = self.enter(|this| {
            let value = data.into_value(&this.vm);
            Ok(value.and_then(|value| this.define(name, value)))
        })?;
        self.host_modules.extend(made);
        Ok(())
    }

    /// Makes a text importable as a module. It runs when a script imports it first; one that is imported already is forgotten, and runs
    /// anew at the next import. With dots in its name it is a module in a package.
    ///
    /// # Errors
    ///
    /// [`Error::Syntax`] if the text is not a program; a `ValueError` if the name is none, or if [`Interpreter::register`] has made a module
    /// of this name (which otherwise adds to a module that is there: register after this).
    ///
    /// ```
    /// let mut interpreter = asplet::Interpreter::new();
    /// interpreter.add_module("rules.prices", "def total(items): return sum(items)")?;
    /// interpreter.exec("from rules.prices import total")?;
    /// assert_eq!(interpreter.call::<i64>("total", ([1, 2],))?, 3);
    /// # Ok::<(), asplet::Error>(())
    /// ```
    pub fn add_module(&mut self, name: &str, code: &str) -> Result<(), Error> {
        check_path(name)?;
        if self.host_modules.contains(name) {
            let message =
                format!("functions or values of the host are registered in the module '{name}': add its text before them");
            return Err(Error::Exception(Box::new(ScriptException::new("ValueError", message))));
        }
        let source = Source::new(format!("<{name}>"), code);
        if let Err(error) = parse(&source, Mode::File) {
            return Err(Error::syntax(&source, &error));
        }
        self.vm.add_module_source(name, source);
        self.enter(|this| {
            drop(this.vm.modules.remove_str(&this.vm.intern(name)));
            Ok(Ok(()))
        })
    }

    /// Runs a script as a Rust future: its statements, with `await` allowed among them, and gives the value of the last one if that is an
    /// expression, else `None`; as `()` it is ignored. Its names are the interpreter's globals.
    ///
    /// Any executor will do. A poll returns whenever the script waits, and now and then while its tasks are busy; what runs without
    /// awaiting occupies the thread, until a limit ends it. Limits count from the first poll. Dropping the future cancels the script: the
    /// `finally` blocks of its tasks run as far as they can without waiting, and the interpreter stays usable.
    ///
    /// # Errors
    ///
    /// As [`Interpreter::eval`]. If nothing can ever wake the script, that is a `DeadlockError` of the script.
    ///
    /// ```
    /// use asplet::Interpreter;
    ///
    /// let mut interpreter = Interpreter::new();
    /// interpreter.register_async("fetch", "key", |key: String| async move { format!("value of {key}") }).unwrap();
    /// let script = "
    /// import asyncio
    /// values = await asyncio.gather(fetch('a'), fetch('b'))
    /// ' and '.join(values)
    /// ";
    /// let text: String = smol::block_on(interpreter.run(script)).unwrap();
    /// assert_eq!(text, "value of a and value of b");
    /// ```
    pub fn run<T: FromData>(&mut self, code: &str) -> Run<'_, T> {
        Run::new(self, run::Start::Script(Source::new("<run>", code)))
    }

    /// Runs a program as the command line does: as a new `__main__`, whose imports start in the folder of `name`. What it leaves
    /// (threads, exit functions, objects with finalisers) goes on living until [`Interpreter::finish`]. `name` is its file, or a name
    /// in angle brackets; the file is not read.
    ///
    /// ```
    /// let mut interpreter = asplet::Interpreter::new();
    /// interpreter.run_program("<hello>", "if __name__ == '__main__': answer = 42")?;
    /// assert_eq!(interpreter.get_global::<i64>("answer")?, 42);
    /// interpreter.finish();
    /// # Ok::<(), asplet::Error>(())
    /// ```
    pub fn run_program(&mut self, name: &str, code: &str) -> Result<(), Error> {
        let source = self.new_main(name, code);
        self.enter(|this| Ok(this.run_source(&source, Mode::File.into())?.map(drop)))
    }

    /// Feeds what was typed at a prompt: one statement or compound statement, in which `await` is allowed. The value of an expression is
    /// printed and becomes `_`. An [`Error::Syntax`] that is `incomplete` asks for another line. `name` is what tracebacks call the text.
    ///
    /// ```
    /// use asplet::{Captured, Error, Interpreter};
    ///
    /// let output = Captured::new();
    /// let mut interpreter = Interpreter::builder().capture(&output).build();
    /// interpreter.interact("<prompt>", "6 * 7").unwrap();
    /// assert_eq!(output.take_out(), "42\n");
    /// assert!(matches!(interpreter.interact("<prompt>", "def f():"), Err(Error::Syntax(problem)) if problem.incomplete));
    /// ```
    pub fn interact(&mut self, name: &str, code: &str) -> Result<(), Error> {
        let source = Source::new(name, code);
        run::interact(self, &source)
    }

    /// A handle that ends the script from another thread, at its next step: it ends with [`crate::Limit::Stopped`]. A script that waits in a
    /// [`Run`] is woken. A request that comes between two calls is forgotten at the end of the next, if that did not notice it.
    ///
    /// ```
    /// use asplet::{Error, Interpreter, Limit};
    ///
    /// let mut interpreter = Interpreter::new();
    /// let stopper = interpreter.stopper();
    /// let watchdog = std::thread::spawn(move || {
    ///     std::thread::sleep(std::time::Duration::from_millis(10));
    ///     stopper.stop();
    /// });
    /// assert!(matches!(interpreter.exec("while True: pass"), Err(Error::Limit(Limit::Stopped))));
    /// # watchdog.join().unwrap();
    /// ```
    pub fn stopper(&self) -> Stopper {
        Stopper { flag: self.vm.stop_flag(), alarm: sched::of(&self.vm).alarm.clone() }
    }

    /// A handle that raises `KeyboardInterrupt` in the script, as Ctrl-C does: the script can catch it.
    pub fn interrupter(&self) -> Stopper {
        Stopper { flag: self.vm.interrupt_flag(), alarm: sched::of(&self.vm).alarm.clone() }
    }

    /// The limits of each call.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Changes the limits, from the next call on.
    ///
    /// ```
    /// use asplet::{Error, Interpreter, Limit, Limits};
    ///
    /// let mut interpreter = Interpreter::new();
    /// interpreter.exec("def work(n): return sum(i * i for i in range(n))")?;
    /// interpreter.set_limits(Limits { fuel: Some(1000), ..interpreter.limits().clone() });
    /// assert!(matches!(interpreter.call::<i64>("work", (10_000,)), Err(Error::Limit(Limit::Fuel))));
    /// # Ok::<(), asplet::Error>(())
    /// ```
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
        self.limits.install(&self.vm);
    }

    /// Steps that the last call left of [`Limits::fuel`]; `None` if that has no limit.
    ///
    /// ```
    /// let mut interpreter = asplet::Interpreter::builder().fuel(10_000).build();
    /// interpreter.exec("for _ in range(1000): pass")?;
    /// assert!(interpreter.fuel_left().is_some_and(|left| (8_000..9_000).contains(&left)));
    /// # Ok::<(), asplet::Error>(())
    /// ```
    pub fn fuel_left(&self) -> Option<u64> {
        self.limits.fuel.and_then(|_| self.vm.fuel())
    }

    /// Bytes of live objects: what [`Limits::memory`] limits. Objects in circles that nobody uses count until they are collected.
    ///
    /// ```
    /// let mut interpreter = asplet::Interpreter::new();
    /// let before = interpreter.memory_used();
    /// interpreter.exec("text = 'x' * 1_000_000")?;
    /// assert!(interpreter.memory_used() - before >= 1_000_000);
    /// # Ok::<(), asplet::Error>(())
    /// ```
    pub fn memory_used(&self) -> usize {
        self.vm.heap.bytes()
    }

    /// Sends what the host keeps back of the script's output.
    ///
    /// # Errors
    ///
    /// That of the stream.
    pub fn flush(&self) -> std::io::Result<()> {
        self.host.flush(Stream::Out).and(self.host.flush(Stream::Err))
    }

    /// Ends what a program has left: waits for its threads, calls its exit functions, runs finalisers, and forgets its globals. What goes
    /// wrong is reported on the script's standard error.
    pub fn finish(&mut self) {
        run::finish(self);
    }

    /// Makes a new `__main__` for a program. `name` is its file, or a name in angle brackets.
    fn new_main(&mut self, name: &str, code: &str) -> Source {
        let has_file = !name.starts_with('<');
        let file = has_file.then(|| self.absolute(name));
        self.vm.main_module(file.as_deref());
        let source = Source::new(file.as_deref().unwrap_or(name), code);
        let folder = file.as_deref().and_then(|file| file.rsplit_once('/')).map_or("", |(folder, _)| folder);
        let folder = self.vm.str_value(folder);
        self.vm.import_path().replace(vec![folder]);
        source
    }

    fn absolute(&self, path: &str) -> String {
        match self.host.current_folder() {
            Ok(folder) if !path.starts_with('/') => format!("{}/{path}", folder.trim_end_matches('/')),
            _ => path.to_owned(),
        }
    }

    /// Lets a piece of work into the interpreter, with fresh limits.
    fn enter<T>(&mut self, work: impl FnOnce(&Interpreter) -> Result<R<T>, Error>) -> Result<T, Error> {
        self.limits.apply(&self.vm);
        self.vm.measure_stack();
        let outcome = match work(self) {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(_)) => Err(Error::take(&self.vm)),
            Err(error) => Err(error),
        };
        self.leave();
        outcome
    }

    /// Makes the interpreter ready for its next use.
    fn leave(&self) {
        self.vm.stop_flag().store(false, Ordering::SeqCst);
        if self.vm.limit_crossed().is_none() {
            self.vm.run_finalizers();
        }
        if self.vm.limit_crossed().is_some() {
            self.vm.forget_finalizers();
        }
        self.vm.clear_limit();
    }

    /// Compiles and runs a text in the globals of `__main__`.
    fn run_source(&self, source: &Source, options: Options) -> Result<R, Error> {
        let globals = self.main().dict.clone();
        match self.vm.compile_with(source, options, &globals) {
            Ok(code) => Ok(self.vm.run(&code)),
            Err(CompileError::Syntax(error)) => Err(Error::syntax(source, &error)),
            Err(CompileError::Raised(raised)) => Ok(Err(raised)),
        }
    }

    /// The module whose globals are the interpreter's.
    fn main(&self) -> Ref<Module> {
        let main = self.vm.modules.get_str(&self.vm.n.__main__);
        match main.as_ref().and_then(|main| main.downcast::<Module>()) {
            Some(main) => main.clone(),
            None => self.vm.main_module(None),
        }
    }

    /// Finds a global variable, a built-in name or a module, or an attribute of one.
    fn lookup(&self, path: &str) -> R {
        let vm = &self.vm;
        let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
        let known = self.main().dict.get_text(first).or_else(|| vm.builtins.get_text(first));
        let mut found = match known.or_else(|| vm.modules.get_text(first)) {
            Some(found) => found,
            None if rest.is_some() && vm.provides_module(first) => vm.import(first, None, 0)?,
            None => return Err(vm.name_error(format!("name '{first}' is not defined"))),
        };
        for name in rest.into_iter().flat_map(|rest| rest.split('.')) {
            found = vm.get_attr(&found, &vm.intern(name))?;
        }
        Ok(found)
    }

    fn call_value(&self, name: &str, args: Vec<Data>) -> R {
        let function = self.lookup(name)?;
        let args = args.into_iter().map(|arg| arg.into_value(&self.vm)).collect::<R<Vec<_>>>()?;
        self.vm.call(&function, &args)
    }

    /// Checks the parameters of a function of the host, and defines what `make` makes of it.
    fn add_function(
        &mut self,
        path: &str,
        parameters: &str,
        shape: &Shape,
        make: impl FnOnce(&Vm, &str, Parameters) -> Value,
    ) -> Result<(), Error> {
        check_path(path)?;
        let made = self.enter(|this| {
            let name = split(path).1;
            let parameters = match parameters::read(&this.vm, name, parameters)? {
                Ok(parameters) => parameters,
                Err(raised) => return Ok(Err(raised)),
            };
            parameters.check(name, shape)?;
            Ok(this.define(path, make(&this.vm, path, parameters)))
        })?;
        self.host_modules.extend(made);
        Ok(())
    }

    /// Puts a value into the built-in names, or into a module. Gives the names of modules that were made for it.
    fn define(&self, path: &str, value: Value) -> R<Vec<String>> {
        let vm = &self.vm;
        let (module, name) = split(path);
        let mut made = Vec::new();
        match module {
            Some(module) => {
                let module = self.module(module, &mut made)?;
                vm.set_attr(&module, &vm.intern(name), value)?;
            }
            None => vm.builtins.set_str(&vm.intern(name), value),
        }
        Ok(made)
    }

    /// The module of this name: one that is there, or a new one, with the packages around it.
    fn module(&self, path: &str, made: &mut Vec<String>) -> R {
        let vm = &self.vm;
        if let Some(known) = vm.modules.get_text(path) {
            return Ok(known);
        }
        if vm.provides_module(path) {
            return vm.import(path, None, 0);
        }
        let (outer, name) = split(path);
        let package = outer.map(|outer| self.module(outer, made)).transpose()?;
        let module = Value::from(new_module(vm, path, "A module of the host program.", &[]));
        vm.modules.set_str(&vm.intern(path), module.clone());
        if let Some(package) = package {
            if vm.find_attr(&package, &vm.n.__path__)?.is_none() {
                vm.set_attr(&package, &vm.n.__path__, Value::from(vm.heap.list(Vec::new())))?;
            }
            vm.set_attr(&package, &vm.intern(name), module.clone())?;
        }
        made.push(path.to_owned());
        Ok(module)
    }
}

/// `db.query` is `query` in the module `db`.
fn split(path: &str) -> (Option<&str>, &str) {
    match path.rsplit_once('.') {
        Some((module, last)) => (Some(module), last),
        None => (None, path),
    }
}

/// A `ValueError` if this is not a name that scripts can write.
fn check_name(name: &str) -> Result<(), Error> {
    let parsed = parse(&Source::new("<name>", name), Mode::Eval);
    let is_name = parsed.is_ok_and(|module| match module.body.as_slice() {
        [statement] => {
            matches!(&statement.kind, StmtKind::Expr { value } if matches!(&value.kind, ExprKind::Name(id) if **id == *name))
        }
        _ => false,
    });
    match is_name {
        true => Ok(()),
        false => Err(Error::Exception(Box::new(ScriptException::new("ValueError", format!("{name:?} is not a name"))))),
    }
}

/// The same for names with dots between them.
fn check_path(path: &str) -> Result<(), Error> {
    path.split('.').try_for_each(check_name)
}

/// Asks the script of an interpreter to stop, or interrupts it: [`Interpreter::stopper`], [`Interpreter::interrupter`]. Can be cloned and
/// sent to other threads, and outlive the interpreter.
#[derive(Clone)]
pub struct Stopper {
    flag: Arc<AtomicBool>,
    alarm: Arc<sched::outside::Alarm>,
}

impl fmt::Debug for Stopper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stopper").field("is_pending", &self.is_pending()).finish_non_exhaustive()
    }
}

impl Stopper {
    /// Asks, once. Does not wait.
    pub fn stop(&self) {
        self.flag.store(true, Ordering::SeqCst);
        self.alarm.ring();
    }

    /// Whether the script has yet to notice.
    pub fn is_pending(&self) -> bool {
        self.flag.load(Ordering::SeqCst)
    }
}
