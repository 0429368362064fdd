//! A host that grants output, and of the rest what it is told to.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::{Capability, File, FileKind, Host, OpenMode, StdHost, Stream, denied};

/// Output goes where the embedder wants it; every other effect is refused unless it was granted, and then is the process's. It is what a
/// [`Builder`](crate::Builder) uses; a [`Host`] of your own can delegate to one.
///
/// ```
/// use asplet::{Capability, Captured, Interpreter, Sandbox};
///
/// let output = Captured::new();
/// let sandbox = Sandbox::new().captured(&output).granting(Capability::Clock);
/// let mut interpreter = Interpreter::builder().host(sandbox).build();
/// interpreter.exec("import time\nprint(time.time() > 0)").unwrap();
/// assert_eq!(output.take_out(), "True\n");
/// ```
pub struct Sandbox {
    output: Output,
    granted: Vec<Capability>,
    /// Text in the place of the process's input.
    input: Option<Mutex<VecDeque<u8>>>,
    process: StdHost,
}

enum Output {
    Process,
    Captured(Captured),
    Forwarded(Forward),
}

type Forward = Box<dyn Fn(Stream, &[u8]) -> io::Result<()> + Send + Sync>;

impl Sandbox {
    /// Writes to the streams of the process; grants nothing else.
    pub fn new() -> Sandbox {
        let process = StdHost::by_line(vec![String::new()]);
        Sandbox { output: Output::Process, granted: Vec::new(), input: None, process }
    }

    /// Keeps what is written in memory.
    pub fn captured(self, captured: &Captured) -> Sandbox {
        Sandbox { output: Output::Captured(captured.clone()), ..self }
    }

    /// Hands what is written to a function.
    pub fn forwarded(self, write: impl Fn(Stream, &[u8]) -> io::Result<()> + Send + Sync + 'static) -> Sandbox {
        Sandbox { output: Output::Forwarded(Box::new(write)), ..self }
    }

    /// Grants a capability.
    pub fn granting(mut self, capability: Capability) -> Sandbox {
        self.granted.push(capability);
        self
    }

    /// Grants input, and gives this text as all there is.
    pub fn input(self, text: &str) -> Sandbox {
        let input = Some(Mutex::new(text.bytes().collect()));
        Sandbox { input, ..self }.granting(Capability::Input)
    }

    /// Sets `sys.argv`.
    pub fn arguments(self, arguments: Vec<String>) -> Sandbox {
        Sandbox { process: StdHost::by_line(arguments), ..self }
    }

    fn ask(&self, capability: Capability) -> io::Result<&StdHost> {
        match self.granted.contains(&capability) {
            true => Ok(&self.process),
            false => Err(denied(capability)),
        }
    }
}

impl Default for Sandbox {
    fn default() -> Sandbox {
        Sandbox::new()
    }
}

impl Host for Sandbox {
    fn write(&self, stream: Stream, bytes: &[u8]) -> io::Result<()> {
        match &self.output {
            Output::Process => self.process.write(stream, bytes),
            Output::Captured(captured) => {
                captured.write(stream, bytes);
                Ok(())
            }
            Output::Forwarded(write) => catch_unwind(AssertUnwindSafe(|| write(stream, bytes)))
                .unwrap_or_else(|_| Err(io::Error::other("the host's function for output panicked"))),
        }
    }

    fn flush(&self, stream: Stream) -> io::Result<()> {
        match &self.output {
            Output::Process => self.process.flush(stream),
            Output::Captured(_) | Output::Forwarded(_) => Ok(()),
        }
    }

    fn read_line(&self) -> io::Result<Vec<u8>> {
        let Some(input) = &self.input else { return self.ask(Capability::Input)?.read_line() };
        let mut input = input.lock().unwrap_or_else(PoisonError::into_inner);
        let end = input.iter().position(|&byte| byte == b'\n').map_or(input.len(), |at| at + 1);
        Ok(input.drain(..end).collect())
    }

    fn read_input(&self) -> io::Result<Vec<u8>> {
        let Some(input) = &self.input else { return self.ask(Capability::Input)?.read_input() };
        Ok(input.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect())
    }

    fn open(&self, path: &str, mode: OpenMode) -> io::Result<Box<dyn File>> {
        self.ask(Capability::Files)?.open(path, mode)
    }

    fn kind(&self, path: &str) -> io::Result<FileKind> {
        self.ask(Capability::Files)?.kind(path)
    }

    fn list(&self, path: &str) -> io::Result<Vec<String>> {
        self.ask(Capability::Files)?.list(path)
    }

    fn current_folder(&self) -> io::Result<String> {
        self.ask(Capability::Files)?.current_folder()
    }

    fn make_folder(&self, path: &str) -> io::Result<()> {
        self.ask(Capability::Files)?.make_folder(path)
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        self.ask(Capability::Files)?.remove(path)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.ask(Capability::Files)?.rename(from, to)
    }

    fn environment(&self) -> io::Result<Vec<(String, String)>> {
        self.ask(Capability::Environment)?.environment()
    }

    fn wall_clock(&self) -> io::Result<Duration> {
        self.ask(Capability::Clock)?.wall_clock()
    }

    fn monotonic(&self) -> Duration {
        self.process.monotonic()
    }

    fn cpu_time(&self) -> io::Result<Duration> {
        self.ask(Capability::Clock)?.cpu_time()
    }

    fn random(&self, bytes: &mut [u8]) -> io::Result<()> {
        self.ask(Capability::Randomness)?.random(bytes)
    }

    fn spawn(&self, name: &str, work: Box<dyn FnOnce() + Send>) -> io::Result<()> {
        self.ask(Capability::Threads)?.spawn(name, work)
    }

    fn arguments(&self) -> Vec<String> {
        self.process.arguments()
    }

    fn grants(&self, capability: Capability) -> bool {
        self.granted.contains(&capability)
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").field("granted", &self.granted).finish_non_exhaustive()
    }
}

/// Output kept in memory. Clones share it, so that the host keeps one and the interpreter another. What the script writes between two
/// calls of [`Captured::take_out`] is bounded by [`Limits::output`](crate::Limits::output) per call into the interpreter.
///
/// ```
/// use asplet::{Captured, Interpreter};
///
/// let output = Captured::new();
/// let mut interpreter = Interpreter::builder().capture(&output).build();
/// interpreter.exec("import sys\nprint('result')\nprint('problem', file=sys.stderr)").unwrap();
/// assert_eq!(output.take_out(), "result\n");
/// assert_eq!(output.take_err(), "problem\n");
/// assert_eq!(output.take_out(), "");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Captured(Arc<Mutex<[Vec<u8>; 2]>>);

impl Captured {
    /// An empty one.
    pub fn new() -> Captured {
        Captured::default()
    }

    /// What was written to standard output since the last call; what is not UTF-8 is replaced.
    pub fn take_out(&self) -> String {
        self.take(0)
    }

    /// What was written to standard error since the last call.
    pub fn take_err(&self) -> String {
        self.take(1)
    }

    fn take(&self, stream: usize) -> String {
        let bytes = std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner)[stream]);
        String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }

    fn write(&self, stream: Stream, bytes: &[u8]) {
        let index = usize::from(stream == Stream::Err);
        self.0.lock().unwrap_or_else(PoisonError::into_inner)[index].extend_from_slice(bytes);
    }
}
