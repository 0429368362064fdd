//! What a host receives when a script does not end well.

use std::cell::RefCell;
use std::fmt;

use crate::interpreter::Mismatch;
use crate::native_kind;
use crate::syntax::{Source, SyntaxError};
use crate::value::{Class, Exception, Payload, R, Raised, Ref, Value};
use crate::vm::Vm;

/// An error of the host program itself.
pub type HostError = Box<dyn std::error::Error + Send + Sync>;

/// Why a script gave no result.
#[derive(Debug)]
pub enum Error {
    /// The text is not a program.
    Syntax(Box<SyntaxProblem>),
    /// The script raised an exception and did not catch it.
    Exception(Box<ScriptException>),
    /// The script called `sys.exit()`.
    Exit { status: i32, message: Option<String> },
    /// The script crossed a limit.
    Limit(Limit),
    /// An error that a function of the host returned, and that the script let pass: the very same one.
    Host(HostError),
    /// The result (or a global) is not of the type that was asked for.
    Mismatch(Mismatch),
}

/// A syntax error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxProblem {
    /// `SyntaxError`, `IndentationError` or `TabError`.
    pub class: &'static str,
    pub message: String,
    /// The name of the source.
    pub source: String,
    /// Line and column, both from 1.
    pub line: u32,
    pub column: u32,
    /// The text ended where more was expected.
    pub incomplete: bool,
    /// The whole message with the line and a caret, as a traceback shows it.
    pub rendered: String,
}

/// An exception that a script did not catch; also what a function of the host returns to raise one: see
/// [`ScriptException::new`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScriptException {
    /// The name of the class, as in `ValueError`.
    pub class: String,
    /// `str(exception)`.
    pub message: String,
    /// The whole text that the command line would show.
    pub traceback: String,
    /// What `add_note` added.
    pub notes: Vec<String>,
}

/// Which limit a script crossed.
pub use crate::vm::ticks::Limit;

impl ScriptException {
    /// An exception of a built-in class. Returned as an error by a function of the host, it is what the script sees.
    pub fn new(class: impl Into<String>, message: impl Into<String>) -> ScriptException {
        ScriptException { class: class.into(), message: message.into(), ..ScriptException::default() }
    }
}

impl fmt::Display for ScriptException {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.message.as_str() {
            "" => f.write_str(&self.class),
            message => write!(f, "{}: {message}", self.class),
        }
    }
}

impl std::error::Error for ScriptException {}

impl fmt::Display for SyntaxProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({}, line {})", self.class, self.message, self.source, self.line)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Syntax(problem) => problem.fmt(f),
            Error::Exception(exception) => exception.fmt(f),
            Error::Exit { message: Some(message), .. } => write!(f, "the script ended itself: {message}"),
            Error::Exit { status, .. } => write!(f, "the script ended itself with status {status}"),
            Error::Limit(limit) => f.write_str(limit.message()),
            Error::Host(error) => error.fmt(f),
            Error::Mismatch(mismatch) => mismatch.fmt(f),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Host(error) => Some(&**error),
            _ => None,
        }
    }
}

impl From<Mismatch> for Error {
    fn from(mismatch: Mismatch) -> Error {
        Error::Mismatch(mismatch)
    }
}

impl Error {
    /// The text that the command line shows: a traceback, or the place of a syntax error.
    pub fn report(&self) -> String {
        match self {
            Error::Syntax(problem) => format!("{}\n", problem.rendered),
            Error::Exception(exception) => exception.traceback.clone(),
            Error::Exit { message: Some(message), .. } => format!("{message}\n"),
            Error::Exit { .. } => String::new(),
            other => format!("{other}\n"),
        }
    }

    /// What the parser found wrong.
    pub(crate) fn syntax(source: &Source, error: &SyntaxError) -> Error {
        let (start, _) = error.place(source);
        Error::Syntax(Box::new(SyntaxProblem {
            class: error.class().name(),
            message: error.kind.to_string(),
            source: source.name().to_owned(),
            line: start.line,
            column: start.column,
            incomplete: error.incomplete,
            rendered: error.render(source),
        }))
    }

    /// The exception on its way, which ends here.
    pub(crate) fn take(vm: &Vm) -> Error {
        let exception = vm.take_raised();
        let uncatchable = exception.downcast::<Exception>().is_some_and(|e| e.uncatchable.get());
        if uncatchable && let Some(limit) = vm.limit_crossed() {
            return Error::Limit(limit);
        }
        if let Some(error) = carried(vm, &exception) {
            return Error::Host(error);
        }
        if vm.is_instance(&exception, &vm.types.system_exit) {
            return exit(vm, &exception);
        }
        Error::Exception(Box::new(describe(vm, &exception)))
    }
}

/// What `SystemExit` means for the process.
fn exit(vm: &Vm, exception: &Value) -> Error {
    let code = match vm.find_attr(exception, &vm.n.code) {
        Ok(code) => code.unwrap_or(Value::None),
        Err(Raised) => {
            drop(vm.take_raised());
            Value::None
        }
    };
    match code {
        Value::None => Error::Exit { status: 0, message: None },
        Value::Int(status) => Error::Exit { status: status as i32, message: None },
        Value::Bool(status) => Error::Exit { status: status as i32, message: None },
        other => Error::Exit { status: 1, message: Some(text_or(vm, vm.str(&other), "<exception str() failed>")) },
    }
}

/// An exception as data.
pub(crate) fn describe(vm: &Vm, exception: &Value) -> ScriptException {
    let traceback = crate::vm::traceback::format_exception(vm, exception);
    let class = vm.class_of(exception).name().as_str().to_owned();
    let message = text_or(vm, vm.str(exception), "<exception str() failed>");
    let notes = match vm.find_attr(exception, &vm.n.__notes__).and_then(|notes| match notes {
        Some(notes) => vm.collect(&notes),
        None => Ok(Vec::new()),
    }) {
        Ok(notes) => notes.iter().map(|note| text_or(vm, vm.str(note), "<note str() failed>")).collect(),
        Err(Raised) => {
            drop(vm.take_raised());
            Vec::new()
        }
    };
    ScriptException { class, message, traceback, notes }
}

fn text_or(vm: &Vm, text: R<Ref<crate::value::Str>>, otherwise: &str) -> String {
    match text {
        Ok(text) => text.as_str().to_owned(),
        Err(Raised) => {
            drop(vm.take_raised());
            otherwise.to_owned()
        }
    }
}

/// An error of the host inside the exception that stands for it in the script.
struct Carrier(RefCell<Option<HostError>>);

impl Payload for Carrier {
    native_kind!();
    const CONTAINER: bool = false;
}

/// The attribute that holds the carrier.
const CARRIER: &str = "__host_error__";

/// Raises an error of the host in the script: a `ScriptException` as the class it names, any other as `RuntimeError` that
/// remembers the error, so that it comes out as it went in if the script lets it pass.
pub(crate) fn raise_host_error(vm: &Vm, error: HostError) -> Raised {
    let error = match error.downcast::<ScriptException>() {
        Ok(exception) => return raise_script_exception(vm, &exception),
        Err(error) => error,
    };
    let error = match error.downcast::<Error>() {
        Ok(error) => match *error {
            Error::Exception(exception) => return raise_script_exception(vm, &exception),
            Error::Host(inner) => inner,
            other => Box::new(other),
        },
        Err(error) => error,
    };
    let exception = vm.exception(&vm.types.runtime_error, vec![vm.str_value(&error.to_string())]);
    let carrier = vm.heap.alloc(Carrier(RefCell::new(Some(error))));
    match vm.set_attr(&exception, &vm.intern(CARRIER), Value::from(carrier)) {
        Ok(()) => vm.raise_new(exception),
        Err(raised) => raised,
    }
}

fn raise_script_exception(vm: &Vm, exception: &ScriptException) -> Raised {
    let mut class: Option<Ref<Class>> = None;
    vm.types.each_exception(|name, known| {
        if name == exception.class {
            class = Some(known.clone());
        }
    });
    let class = class.unwrap_or_else(|| vm.types.runtime_error.clone());
    match vm.call(&Value::from(&class), &[vm.str_value(&exception.message)]) {
        Ok(exception) => vm.raise_new(exception),
        Err(raised) => raised,
    }
}

/// The host's error that this exception stands for.
fn carried(vm: &Vm, exception: &Value) -> Option<HostError> {
    let name = vm.known_name(CARRIER)?;
    let attributes = exception.downcast::<Exception>()?.attributes.get()?;
    attributes.get_str(&name)?.downcast::<Carrier>()?.0.take()
}
