//! What a host receives when a script does not end well.

use std::cell::RefCell;
use std::fmt;

use crate::interpreter::Mismatch;
use crate::native_kind;
use crate::syntax::{Source, SyntaxError};
use crate::value::{Class, Exception, Module, Payload, R, Raised, Ref, Value};
use crate::vm::Vm;
use crate::vm::traceback::Traceback;

/// An error of the host program itself: whatever is `Error + Send + Sync`, in a box. Text becomes one by `into()`.
pub type HostError = Box<dyn std::error::Error + Send + Sync>;

/// Why a script gave no result. `Display` is one line; [`Error::report`] is what a person wants to see.
///
/// ```
/// use asplet::{Error, Interpreter};
///
/// let mut interpreter = Interpreter::new();
/// match interpreter.exec("total = 1 / 0") {
///     Err(Error::Exception(exception)) => {
///         assert!(exception.is_a("ArithmeticError"));
///         assert_eq!((exception.class.as_str(), exception.message.as_str()), ("ZeroDivisionError", "division by zero"));
///         assert_eq!(exception.place(), Some(("<exec>", 1)));
///     }
///     other => panic!("{other:?}"),
/// }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The text is not a program, or not the parameters of a function.
    Syntax(Box<SyntaxProblem>),
    /// The script raised an exception and did not catch it.
    Exception(Box<ScriptException>),
    /// The script called `sys.exit()`.
    Exit {
        /// The number given to `sys.exit`: 0 for success.
        status: i32,
        /// What `sys.exit` was given, if that was not a number.
        message: Option<String>,
    },
    /// The script crossed a limit.
    Limit(Limit),
    /// An error that a function of the host returned, and that the script let pass.
    Host {
        /// The very same error: downcast it.
        error: HostError,
        /// What the script saw in its place, with the traceback to the call.
        exception: Box<ScriptException>,
    },
    /// The result (or a global) is not of the type that was asked for, or a closure does not fit the parameters it was registered with.
    Mismatch(Mismatch),
}

/// A syntax error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxProblem {
    /// `SyntaxError`, `IndentationError` or `TabError`.
    pub class: &'static str,
    /// What is wrong, in a line.
    pub message: String,
    /// The name of the source: `<eval>`, `<exec>`, `<run>`, a module's name in angle brackets, or a file.
    pub source: String,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
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
    origin: Option<Box<Origin>>,
}

/// What only an exception that was raised has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Origin {
    /// The names of the classes that its class is derived from.
    bases: Vec<String>,
    /// Source and line.
    place: Option<(String, u32)>,
}

/// Which limit a script crossed.
pub use crate::vm::ticks::Limit;

impl ScriptException {
    /// An exception of a class, with its message. Returned as an error by a function of the host, it is what the script sees.
    ///
    /// The class is a built-in exception, or one of the script's or of an imported module's, which is called with the message: `ValueError`,
    /// `MyError`, `store.Missing`. If there is no such class, the script sees a `RuntimeError` whose message begins with the name.
    ///
    /// ```
    /// use asplet::{Interpreter, ScriptException};
    ///
    /// let mut interpreter = Interpreter::new();
    /// interpreter.add_module("store", "class Missing(LookupError): pass").unwrap();
    /// interpreter.register("store.read", "key", |key: String| Err::<(), _>(ScriptException::new("store.Missing", key))).unwrap();
    /// let script = "
    /// import store
    /// try:
    ///     store.read('milk')
    /// except store.Missing as error:
    ///     answer = f'no {error}'
    /// ";
    /// interpreter.exec(script).unwrap();
    /// assert_eq!(interpreter.get_global::<String>("answer").unwrap(), "no milk");
    /// ```
    pub fn new(class: impl Into<String>, message: impl Into<String>) -> ScriptException {
        ScriptException { class: class.into(), message: message.into(), ..ScriptException::default() }
    }

    /// Whether `except NAME` would catch it: it is of the class with this name, or of one derived from it.
    pub fn is_a(&self, class: &str) -> bool {
        self.class == class || self.origin.iter().flat_map(|origin| &origin.bases).any(|base| base == class)
    }

    /// Where it was raised: the name of the source and the line, from 1. Nothing if the script had no part in it.
    pub fn place(&self) -> Option<(&str, u32)> {
        let (source, line) = self.origin.as_ref()?.place.as_ref()?;
        Some((source, *line))
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
            Error::Host { error, .. } => error.fmt(f),
            Error::Mismatch(mismatch) => mismatch.fmt(f),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Host { error, .. } => Some(&**error),
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
    /// The text that the command line shows, with a line end: a traceback, the place of a syntax error with a caret, or one line.
    ///
    /// ```
    /// let error = asplet::Interpreter::new().exec("print(1 +)").unwrap_err();
    /// assert!(error.report().contains("    print(1 +)\n"));
    /// ```
    pub fn report(&self) -> String {
        match self {
            Error::Syntax(problem) => format!("{}\n", problem.rendered),
            Error::Exception(exception) | Error::Host { exception, .. } if !exception.traceback.is_empty() => {
                exception.traceback.clone()
            }
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
            return Error::Host { error, exception: Box::new(describe(vm, &exception)) };
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
    let bases = vm.class_of(exception).mro.with(|classes| {
        let bases = classes.iter().skip(1).filter(|base| !base.is(&vm.types.object));
        bases.map(|base| base.name().as_str().to_owned()).collect()
    });
    let origin = Some(Box::new(Origin { bases, place: place(exception) }));
    ScriptException { class, message, traceback, notes, origin }
}

/// The source and the line of the innermost frame of a traceback.
fn place(exception: &Value) -> Option<(String, u32)> {
    let mut entry = exception.downcast::<Exception>()?.traceback.get();
    loop {
        let next = entry.downcast::<Traceback>()?.next.get();
        if next.is_none() {
            let innermost = entry.downcast::<Traceback>()?;
            return Some((innermost.info.source.name().to_owned(), innermost.line()));
        }
        entry = next;
    }
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
            Error::Host { error, .. } => error,
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
    let made = match exception_class(vm, &exception.class) {
        Ok(Some(class)) => vm.call(&class, &[vm.str_value(&exception.message)]),
        Ok(None) => Ok(vm.exception(&vm.types.runtime_error, vec![vm.str_value(&exception.to_string())])),
        Err(raised) => Err(raised),
    };
    let noted = made.and_then(|made| {
        if !exception.notes.is_empty() {
            let notes = exception.notes.iter().map(|note| vm.str_value(note)).collect();
            vm.set_attr(&made, &vm.n.__notes__, Value::from(vm.heap.list(notes)))?;
        }
        Ok(made)
    });
    match noted {
        Ok(exception) => vm.raise_new(exception),
        Err(raised) => raised,
    }
}

/// The exception class of this name: a built-in one, one among the globals, or one of an imported module.
fn exception_class(vm: &Vm, name: &str) -> R<Option<Value>> {
    let mut known: Option<Value> = None;
    vm.types.each_exception(|builtin, class| {
        if builtin == name {
            known = Some(Value::from(class));
        }
    });
    if known.is_some() {
        return Ok(known);
    }
    let mut parts = name.split('.');
    let first = parts.next().unwrap_or_default();
    let main = vm.modules.get_str(&vm.n.__main__);
    let global = main.as_ref().and_then(|main| main.downcast::<Module>()).and_then(|main| main.dict.get_text(first));
    let Some(mut found) = global.or_else(|| vm.modules.get_text(first)) else { return Ok(None) };
    for part in parts {
        match vm.find_attr(&found, &vm.intern(part))? {
            Some(inner) => found = inner,
            None => return Ok(None),
        }
    }
    let is_exception = found.downcast::<Class>().is_some_and(|class| class.is_subclass(&vm.types.base_exception));
    Ok(is_exception.then_some(found))
}

/// The host's error that this exception stands for.
fn carried(vm: &Vm, exception: &Value) -> Option<HostError> {
    let name = vm.known_name(CARRIER)?;
    let attributes = exception.downcast::<Exception>()?.attributes.get()?;
    attributes.get_str(&name)?.downcast::<Carrier>()?.0.take()
}
