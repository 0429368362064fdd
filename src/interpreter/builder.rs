//! Choosing what an interpreter may do: its host, its capabilities, its limits, its clock.

use std::collections::HashSet;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Interpreter, Island};
use crate::host::{Capability, Captured, Host, Sandbox, Stream};
use crate::vm::Vm;

/// What a script may use of each thing; `None` is no limit. Fuel, time and output count anew with each call into the interpreter (a
/// [`Run`](crate::Run) is one call, from its first poll on); memory, depth and tasks are what there is at once.
///
/// Crossing one ends the script with [`Error::Limit`](crate::Error::Limit): no handler catches that, and no `finally` block runs.
/// Exceptions to the rule are ordinary exceptions of the script: calls that nest too deep are a `RecursionError`, and what alone is larger
/// than the memory that is left is a `MemoryError`, before it is made.
///
/// ```
/// use asplet::{Interpreter, Limits};
///
/// let limits = Limits { fuel: Some(10_000_000), memory: Some(32 << 20), ..Limits::default() };
/// let mut interpreter = Interpreter::builder().limits(limits).build();
/// assert_eq!(interpreter.eval::<i64>("sum(range(10))").unwrap(), 45);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Steps: calls, turns of loops, and as much as they are worth of long operations inside the interpreter. Tens of millions take about a
    /// second.
    pub fuel: Option<u64>,
    /// Bytes of live objects.
    pub memory: Option<usize>,
    /// How deep calls may nest, and data.
    pub depth: u32,
    /// Time on the wall. What a function of the host takes counts, but is not cut short.
    pub time: Option<Duration>,
    /// Bytes written to both streams.
    pub output: Option<u64>,
    /// Tasks that exist at once in an event loop, the main one included.
    pub tasks: Option<usize>,
}

impl Default for Limits {
    /// For embedding: generous for a script that behaves, and soon reached by one that does not. A thousand million steps, 256 MiB of memory,
    /// calls a thousand deep, five minutes, 64 MiB of output, a hundred thousand tasks.
    fn default() -> Limits {
        Limits {
            fuel: Some(1_000_000_000),
            memory: Some(256 << 20),
            depth: 1000,
            time: Some(Duration::from_secs(300)),
            output: Some(64 << 20),
            tasks: Some(100_000),
        }
    }
}

impl Limits {
    /// None but the depth of calls.
    pub fn none() -> Limits {
        Limits { fuel: None, memory: None, depth: 1000, time: None, output: None, tasks: None }
    }

    /// Refills what is counted anew with every call into the interpreter.
    pub(super) fn apply(&self, vm: &Vm) {
        vm.set_fuel(self.fuel);
        vm.set_deadline(self.time.and_then(|time| Instant::now().checked_add(time)));
        vm.set_output_limit(self.output);
    }

    /// Sets what does not change from call to call.
    pub(super) fn install(&self, vm: &Vm) {
        vm.max_depth.set(self.depth);
        vm.heap.set_limit(self.memory.unwrap_or(usize::MAX));
        crate::sched::of(vm).max_tasks.set(self.tasks.unwrap_or(usize::MAX));
    }
}

/// Makes an [`Interpreter`].
///
/// ```
/// use asplet::{Capability, Captured, Interpreter};
///
/// let output = Captured::new();
/// let mut interpreter = Interpreter::builder().capture(&output).grant(Capability::Clock).fuel(1_000_000).build();
/// interpreter.exec("print('hello')").unwrap();
/// assert_eq!(output.take_out(), "hello\n");
/// ```
#[derive(Default)]
pub struct Builder {
    host: Option<Arc<dyn Host>>,
    sandbox: Sandbox,
    limits: Limits,
    virtual_clock: bool,
    script_sets_depth: bool,
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl Builder {
    /// Keeps what scripts write in memory, where `output` shows it. Else it goes to the streams of the process.
    pub fn capture(mut self, output: &Captured) -> Builder {
        self.sandbox = self.sandbox.captured(output);
        self
    }

    /// Hands what scripts write to a function, in pieces as they come (a `print` may be several). An error that it returns is an `OSError`
    /// in the script, and so is a panic. It may be called from threads of the script.
    ///
    /// ```
    /// use asplet::{Interpreter, Stream};
    ///
    /// let (sender, receiver) = std::sync::mpsc::channel();
    /// let send = move |stream: Stream, bytes: &[u8]| sender.send((stream, bytes.to_vec())).map_err(std::io::Error::other);
    /// Interpreter::builder().output(send).build().exec("print('hello')").unwrap();
    /// let all: Vec<u8> = receiver.iter().filter(|(stream, _)| *stream == Stream::Out).flat_map(|(_, bytes)| bytes).collect();
    /// assert_eq!(all, b"hello\n");
    /// ```
    pub fn output(mut self, write: impl Fn(Stream, &[u8]) -> io::Result<()> + Send + Sync + 'static) -> Builder {
        self.sandbox = self.sandbox.forwarded(write);
        self
    }

    /// Grants a capability of the process; call it once for each.
    pub fn grant(mut self, capability: Capability) -> Builder {
        self.sandbox = self.sandbox.granting(capability);
        self
    }

    /// Grants input, and gives this text as all there is.
    pub fn input(mut self, text: &str) -> Builder {
        self.sandbox = self.sandbox.input(text);
        self
    }

    /// Sets `sys.argv`: the name of the program and its arguments.
    pub fn arguments(mut self, arguments: Vec<String>) -> Builder {
        self.sandbox = self.sandbox.arguments(arguments);
        self
    }

    /// Puts a host of your own in the place of the sandbox; what was said about output, capabilities and arguments is then
    /// its business.
    pub fn host(mut self, host: impl Host + 'static) -> Builder {
        self.host = Some(Arc::new(host));
        self
    }

    /// Sets all limits: see [`Limits`].
    pub fn limits(mut self, limits: Limits) -> Builder {
        self.limits = limits;
        self
    }

    /// Limits the steps of each call into the interpreter: [`Limits::fuel`].
    pub fn fuel(mut self, steps: u64) -> Builder {
        self.limits.fuel = Some(steps);
        self
    }

    /// Limits the bytes of live objects: [`Limits::memory`].
    pub fn memory(mut self, bytes: usize) -> Builder {
        self.limits.memory = Some(bytes);
        self
    }

    /// Limits how deep calls may nest: [`Limits::depth`].
    pub fn depth(mut self, calls: u32) -> Builder {
        self.limits.depth = calls;
        self
    }

    /// Limits the time on the wall of each call into the interpreter: [`Limits::time`].
    pub fn time(mut self, time: Duration) -> Builder {
        self.limits.time = Some(time);
        self
    }

    /// Limits the bytes that each call into the interpreter may write: [`Limits::output`].
    pub fn output_limit(mut self, bytes: u64) -> Builder {
        self.limits.output = Some(bytes);
        self
    }

    /// Limits the tasks that exist at once: [`Limits::tasks`].
    pub fn tasks(mut self, tasks: usize) -> Builder {
        self.limits.tasks = Some(tasks);
        self
    }

    /// Lets time stand still while anything runs, and jump to the next timer when everything waits: for tests. Futures of the host take the
    /// time they take.
    ///
    /// ```
    /// let mut interpreter = asplet::Interpreter::builder().virtual_clock().build();
    /// let script = "import asyncio\nawait asyncio.sleep(86400)\n'a day later'";
    /// assert_eq!(smol::block_on(interpreter.run::<String>(script)).unwrap(), "a day later");
    /// ```
    pub fn virtual_clock(mut self) -> Builder {
        self.virtual_clock = true;
        self
    }

    /// Lets `sys.setrecursionlimit` go beyond the limit of depth: for programs that belong to who runs them.
    pub fn script_sets_depth(mut self) -> Builder {
        self.script_sets_depth = true;
        self
    }

    /// The interpreter.
    pub fn build(self) -> Interpreter {
        let Builder { host, sandbox, limits, virtual_clock, script_sets_depth } = self;
        let host = host.unwrap_or_else(|| Arc::new(sandbox));
        let vm = Box::new(Vm::new(host.clone()));
        crate::builtins::install(&vm);
        vm.set_module_finder(crate::stdlib::find);
        limits.install(&vm);
        vm.deepest.set(if script_sets_depth { u32::MAX } else { limits.depth });
        let interpreter = Interpreter { vm: Island(vm), host, limits, host_modules: HashSet::new() };
        if virtual_clock {
            crate::sched::of(&interpreter.vm).clock.set_virtual();
        }
        interpreter.vm.main_module(None);
        interpreter
    }
}
