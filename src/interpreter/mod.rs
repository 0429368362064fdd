//! What a host program holds: an interpreter with its limits, its functions, and its scripts.
//!
//! [`Interpreter`] is made by [`Interpreter::new`] or by its [`Builder`]. Values cross its border only as copies ([`Data`]), so that no
//! object of the script ever leaves it.

mod builder;
mod data;
mod host_function;
mod pending;
mod run;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub use builder::{Builder, Limits};
pub use data::{Data, FromData, IntoArgs, IntoData, Mismatch};
pub use host_function::{AsyncHostFunction, HostFunction, Outcome};
pub use run::Run;

use crate::error::Error;
use crate::host::{Host, Stream};
use crate::native::new_module;
use crate::resolve::CompileError;
use crate::sched::{self, workers};
use crate::syntax::{Mode, Options, Source};
use crate::value::{Module, R, Ref, Value};
use crate::vm::Vm;

/// An interpreter: its modules, its globals, and the limits of what scripts may use.
///
/// ```
/// use asplet::Interpreter;
///
/// let mut interpreter = Interpreter::new();
/// interpreter.register("area", "width, height=1", |width: f64, height: Option<f64>| width * height.unwrap_or(1.0));
/// interpreter.exec("def double(x): return 2 * x").unwrap();
/// assert_eq!(interpreter.eval::<f64>("area(2, height=3)").unwrap(), 6.0);
/// assert_eq!(interpreter.call::<i64>("double", (21,)).unwrap(), 42);
/// ```
pub struct Interpreter {
    vm: Island<Box<Vm>>,
    host: Arc<dyn Host>,
    limits: Limits,
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

    /// Chooses what an interpreter may do before making it.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Evaluates an expression.
    pub fn eval<T: FromData>(&mut self, expression: &str) -> Result<T, Error> {
        let source = Source::new("<eval>", expression);
        let data =
            self.enter(|this| Ok(this.run_source(&source, Mode::Eval.into())?.and_then(|value| Data::of(&this.vm, &value))))?;
        Ok(T::from_data(data)?)
    }

    /// Executes statements in the interpreter's globals.
    pub fn exec(&mut self, code: &str) -> Result<(), Error> {
        let source = Source::new("<exec>", code);
        self.enter(|this| Ok(this.run_source(&source, Mode::File.into())?.map(drop)))
    }

    /// Calls a global function (or whatever is callable).
    pub fn call<T: FromData>(&mut self, name: &str, args: impl IntoArgs) -> Result<T, Error> {
        let args = args.into_args();
        let data = self.enter(|this| {
            Ok((|| {
                let vm = &this.vm;
                let function = this.lookup(name)?;
                let args = args.into_iter().map(|arg| arg.into_value(vm)).collect::<R<Vec<_>>>()?;
                let result = vm.call(&function, &args)?;
                Data::of(vm, &result)
            })())
        })?;
        Ok(T::from_data(data)?)
    }

    /// Sets a global variable.
    pub fn set_global(&mut self, name: &str, value: impl IntoData) -> Result<(), Error> {
        let data = value.into_data();
        self.enter(|this| {
            Ok(data.into_value(&this.vm).map(|value| {
                this.main().dict.set_str(&this.vm.intern(name), value);
            }))
        })
    }

    /// A copy of a global variable; `NameError` if there is none.
    pub fn get_global<T: FromData>(&mut self, name: &str) -> Result<T, Error> {
        let data = self.enter(|this| Ok(this.lookup(name).and_then(|value| Data::of(&this.vm, &value))))?;
        Ok(T::from_data(data)?)
    }

    /// Makes a Rust closure callable from scripts. The parameters are written as in a script: `"path, mode='r', *, strict=False"`;
    /// one that has a default may be missing, and is then `None` of an `Option`. The name is built in, or, with a dot in it
    /// (`"db.query"`), belongs to a module that scripts import. A panic of the closure is a `RuntimeError` in the script.
    pub fn register<P>(&mut self, name: &str, parameters: &str, function: impl HostFunction<P>) {
        let (module, last) = split(name);
        let function = host_function::function(&self.vm, last, parameters, function);
        self.define(module, last, Value::from(function));
    }

    /// Makes a Rust closure that returns a future awaitable from scripts; see [`Interpreter::register`]. The future is polled
    /// wherever the script runs.
    pub fn register_async<P>(&mut self, name: &str, parameters: &str, function: impl AsyncHostFunction<P>) {
        let (module, last) = split(name);
        let function = host_function::async_function(&self.vm, last, parameters, function);
        self.define(module, last, Value::from(function));
    }

    /// Makes a text importable as a module.
    pub fn add_module(&mut self, name: &str, code: &str) {
        self.vm.add_module_source(name, Source::new(format!("<{name}>"), code));
    }

    /// Runs a script as a Rust future: its statements, with `await` allowed among them, and gives the value of the last one if that is an
    /// expression. Dropping the future cancels the script; the interpreter stays usable.
    ///
    /// ```
    /// use asplet::Interpreter;
    ///
    /// let mut interpreter = Interpreter::new();
    /// interpreter.register_async("fetch", "key", |key: String| async move { format!("value of {key}") });
    /// let script = "
    /// import asyncio
    /// values = await asyncio.gather(fetch('a'), fetch('b'))
    /// ' and '.join(values)
    /// ";
    /// let text: String = smol::block_on(interpreter.run(script)).unwrap();
    /// assert_eq!(text, "value of a and value of b");
    /// ```
    pub fn run<T: FromData>(&mut self, code: &str) -> Run<'_, T> {
        Run::new(self, Source::new("<run>", code))
    }

    /// Runs a program as the command line does: as a new `__main__`, whose imports start in the folder of `name`. What it leaves
    /// (threads, exit functions, objects with finalisers) goes on living until [`Interpreter::finish`].
    pub fn run_program(&mut self, name: &str, code: &str) -> Result<(), Error> {
        let source = self.new_main(name, code);
        self.enter(|this| Ok(this.run_source(&source, Mode::File.into())?.map(drop)))
    }

    /// Feeds what was typed at a prompt: one statement or compound statement, in which `await` is allowed. The value of an expression is
    /// printed and becomes `_`. An [`Error::Syntax`] that is `incomplete` asks for another line.
    pub fn interact(&mut self, name: &str, code: &str) -> Result<(), Error> {
        let source = Source::new(name, code);
        run::interact(self, &source)
    }

    /// Stops the script from another thread, or from a signal handler, at its next step: it ends with [`crate::Limit::Stopped`].
    pub fn stopper(&self) -> Stopper {
        Stopper { flag: self.vm.stop_flag(), alarm: sched::of(&self.vm).alarm.clone() }
    }

    /// Raises `KeyboardInterrupt` in the script, as Ctrl-C does.
    pub fn interrupter(&self) -> Stopper {
        Stopper { flag: self.vm.interrupt_flag(), alarm: sched::of(&self.vm).alarm.clone() }
    }

    /// Sends what the host keeps back of the script's output.
    pub fn flush(&self) -> std::io::Result<()> {
        self.host.flush(Stream::Out).and(self.host.flush(Stream::Err))
    }

    /// Ends what a program has left: waits for its threads, calls its exit functions, runs finalisers. What goes wrong is reported on
    /// standard error.
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
        self.vm.clear_limit();
        self.vm.run_finalizers();
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

    fn lookup(&self, name: &str) -> R {
        let found = self.main().dict.get_text(name).or_else(|| self.vm.builtins.get_text(name));
        found.ok_or_else(|| self.vm.name_error(format!("name '{name}' is not defined")))
    }

    /// Puts a value into the built-in names, or into a module made for it.
    fn define(&self, module: Option<&str>, name: &str, value: Value) {
        let vm = &self.vm;
        let key = vm.intern(name);
        let Some(module) = module else {
            vm.builtins.set_str(&key, value);
            return;
        };
        let known = vm.modules.get_text(module);
        let module = match known.as_ref().and_then(|known| known.downcast::<Module>()) {
            Some(known) => known.clone(),
            None => {
                let made = new_module(vm, module, "A module of the host program.", &[]);
                vm.modules.set_str(&vm.intern(module), Value::from(&made));
                made
            }
        };
        module.dict.set_str(&key, value);
    }
}

/// `db.query` is `query` in the module `db`.
fn split(name: &str) -> (Option<&str>, &str) {
    match name.rsplit_once('.') {
        Some((module, last)) => (Some(module), last),
        None => (None, name),
    }
}

/// Asks the script of an interpreter to stop. Can be sent to other threads.
#[derive(Clone)]
pub struct Stopper {
    flag: Arc<AtomicBool>,
    alarm: Arc<sched::outside::Alarm>,
}

impl Stopper {
    /// Asks, once.
    pub fn stop(&self) {
        self.flag.store(true, Ordering::SeqCst);
        self.alarm.ring();
    }

    /// Whether the script has yet to notice.
    pub fn is_pending(&self) -> bool {
        self.flag.load(Ordering::SeqCst)
    }
}
