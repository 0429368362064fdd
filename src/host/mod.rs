//! The one door to the world: everything a script can do beyond computing goes through a [`Host`].
//!
//! The virtual machine holds one (`vm.host`), and every native function with an effect asks it: `print` and `input`, `open`,
//! imports of script files, `os.environ`, `time.time`, the seed of `random`, threads. Nothing else in the crate opens a file, reads
//! the environment or writes to a stream. A host that does not grant an effect answers with [`denied`], which scripts see as
//! `PermissionError` naming the capability.
//!
//! Two hosts are here: [`StdHost`] is the process itself and grants everything (the command line), [`Sandbox`] grants output and
//! what it is told to (embedding). This folder uses nothing else of ours.

mod file;
mod sandbox;
mod std_host;

use std::fmt;
use std::io;
use std::time::Duration;

pub use file::{File, FileKind, OpenMode};
pub use sandbox::{Captured, Sandbox};
pub use std_host::StdHost;

/// The world as an interpreter sees it.
///
/// Hosts are shared between the threads of an interpreter and may be called from several at once: a thread that blocks in
/// `read_line` has put the interpreter down. Methods that may block say so; the caller then lets other threads run
/// (`vm.blocking`). Every method but output, the clock and `grants` has a default that refuses. An error is an `OSError` in the script.
/// Methods must not panic: that would unwind through the interpreter.
///
/// ```
/// use std::{io, time::{Duration, Instant}};
/// use asplet::{Capability, Host, Interpreter, Stream};
///
/// /// Throws output away and has a time of day that stands still.
/// struct Quiet(Instant);
///
/// impl Host for Quiet {
///     fn write(&self, _stream: Stream, _bytes: &[u8]) -> io::Result<()> { Ok(()) }
///     fn flush(&self, _stream: Stream) -> io::Result<()> { Ok(()) }
///     fn monotonic(&self) -> Duration { self.0.elapsed() }
///     fn wall_clock(&self) -> io::Result<Duration> { Ok(Duration::from_secs(86400)) }
///     fn grants(&self, capability: Capability) -> bool { capability == Capability::Clock }
/// }
///
/// let mut interpreter = Interpreter::builder().host(Quiet(Instant::now())).build();
/// interpreter.exec("import time\nprint('unheard')").unwrap();
/// assert_eq!(interpreter.eval::<f64>("time.time()").unwrap(), 86400.0);
/// ```
pub trait Host: Send + Sync {
    /// Writes text to a stream. What arrives when is the host's business until `flush`.
    fn write(&self, stream: Stream, bytes: &[u8]) -> io::Result<()>;

    /// Sends what `write` may have kept back.
    fn flush(&self, stream: Stream) -> io::Result<()>;

    /// Whether somebody watches this stream.
    fn is_terminal(&self, _stream: Stream) -> bool {
        false
    }

    /// Reads a line of input with its line end; nothing at the end of input. Blocks.
    fn read_line(&self) -> io::Result<Vec<u8>> {
        Err(denied(Capability::Input))
    }

    /// Reads the rest of the input. Blocks.
    fn read_input(&self) -> io::Result<Vec<u8>> {
        Err(denied(Capability::Input))
    }

    /// Opens a file. May block.
    fn open(&self, _path: &str, _mode: OpenMode) -> io::Result<Box<dyn File>> {
        Err(denied(Capability::Files))
    }

    /// What stands at a path. `NotFound` if nothing does. May block.
    fn kind(&self, _path: &str) -> io::Result<FileKind> {
        Err(denied(Capability::Files))
    }

    /// The names in a folder, in no particular order. May block.
    fn list(&self, _path: &str) -> io::Result<Vec<String>> {
        Err(denied(Capability::Files))
    }

    /// The folder that relative paths start from.
    fn current_folder(&self) -> io::Result<String> {
        Err(denied(Capability::Files))
    }

    /// Makes a folder.
    fn make_folder(&self, _path: &str) -> io::Result<()> {
        Err(denied(Capability::Files))
    }

    /// Removes a file, or an empty folder.
    fn remove(&self, _path: &str) -> io::Result<()> {
        Err(denied(Capability::Files))
    }

    /// Renames a file or folder, replacing what stands at `to`.
    fn rename(&self, _from: &str, _to: &str) -> io::Result<()> {
        Err(denied(Capability::Files))
    }

    /// The environment variables.
    fn environment(&self) -> io::Result<Vec<(String, String)>> {
        Err(denied(Capability::Environment))
    }

    /// Time since the beginning of 1970, by the calendar's clock.
    fn wall_clock(&self) -> io::Result<Duration> {
        Err(denied(Capability::Clock))
    }

    /// Time since a moment that does not change while the host exists, by a clock that never goes back. Never refused: an event loop
    /// cannot be without it.
    fn monotonic(&self) -> Duration;

    /// Processor time that the process has used.
    fn cpu_time(&self) -> io::Result<Duration> {
        Err(denied(Capability::Clock))
    }

    /// Fills `bytes` with numbers nobody can guess.
    fn random(&self, _bytes: &mut [u8]) -> io::Result<()> {
        Err(denied(Capability::Randomness))
    }

    /// Runs `work` on a thread of its own, which nobody joins.
    fn spawn(&self, _name: &str, _work: Box<dyn FnOnce() + Send>) -> io::Result<()> {
        Err(denied(Capability::Threads))
    }

    /// `sys.argv`: the name of the program and its arguments.
    fn arguments(&self) -> Vec<String> {
        vec![String::new()]
    }

    /// Whether a use of this capability can succeed.
    fn grants(&self, capability: Capability) -> bool;

    /// The content of a file. May block.
    fn read_file(&self, path: &str) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        self.open(path, OpenMode::READ)?.read_to_end(&mut content)?;
        Ok(content)
    }
}

/// The streams that a script can write to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
    /// Only to be asked whether it is a terminal.
    In,
}

/// What a host may grant beyond output. Using one that is not granted is a `PermissionError` in the script.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Capability {
    /// `input()`, `sys.stdin`.
    Input,
    /// `open()`, imports of script files.
    Files,
    /// The environment variables. Nothing in the library reads them yet.
    Environment,
    /// The time of day and the processor's time. Waiting and `time.monotonic()` need no capability.
    Clock,
    /// Unpredictable numbers: what `random` is seeded with.
    Randomness,
    /// `threading`, `asyncio.to_thread()`, executors.
    Threads,
}

impl Capability {
    /// All of them.
    pub const ALL: [Capability; 6] = [
        Capability::Input,
        Capability::Files,
        Capability::Environment,
        Capability::Clock,
        Capability::Randomness,
        Capability::Threads,
    ];

    /// The word that messages use.
    pub fn name(self) -> &'static str {
        match self {
            Capability::Input => "input",
            Capability::Files => "files",
            Capability::Environment => "environment",
            Capability::Clock => "clock",
            Capability::Randomness => "randomness",
            Capability::Threads => "threads",
        }
    }
}

/// The host has not granted a capability. Travels inside an `io::Error`.
#[derive(Clone, Copy, Debug)]
pub struct Denied(pub Capability);

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "this interpreter has not been granted the capability '{}'", self.0.name())
    }
}

impl std::error::Error for Denied {}

/// The answer of a host that does not grant a capability.
#[cold]
pub fn denied(capability: Capability) -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, Denied(capability))
}
