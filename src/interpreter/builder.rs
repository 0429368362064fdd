//! Choosing what an interpreter may do: its host, its capabilities, its limits, its clock.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Interpreter, Island};
use crate::host::{Capability, Captured, Host, Sandbox, Stream};
use crate::vm::Vm;

/// What a script may use of each thing. Fuel and time count from the beginning of each call into the interpreter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Steps: calls, turns of loops, and as much as they are worth of long operations inside the interpreter.
    pub fuel: Option<u64>,
    /// Bytes of live objects.
    pub memory: Option<usize>,
    /// How deep calls may nest.
    pub depth: u32,
    /// Time on the wall.
    pub time: Option<Duration>,
    /// Bytes of output, in all.
    pub output: Option<u64>,
    /// Tasks that exist at once.
    pub tasks: Option<usize>,
}

impl Default for Limits {
    /// For embedding: generous for a script that behaves, and soon reached by one that does not.
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

impl Builder {
    /// Keeps what scripts write in memory.
    pub fn capture(mut self, output: &Captured) -> Builder {
        self.sandbox = self.sandbox.captured(output);
        self
    }

    /// Hands what scripts write to a function.
    pub fn output(mut self, write: impl Fn(Stream, &[u8]) -> io::Result<()> + Send + Sync + 'static) -> Builder {
        self.sandbox = self.sandbox.forwarded(write);
        self
    }

    /// Grants a capability.
    pub fn grant(mut self, capability: Capability) -> Builder {
        self.sandbox = self.sandbox.granting(capability);
        self
    }

    /// Grants input, and gives this text as all there is.
    pub fn input(mut self, text: &str) -> Builder {
        self.sandbox = self.sandbox.input(text);
        self
    }

    /// Sets `sys.argv`.
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

    /// Sets all limits.
    pub fn limits(mut self, limits: Limits) -> Builder {
        self.limits = limits;
        self
    }

    /// Limits the steps of each call into the interpreter.
    pub fn fuel(mut self, steps: u64) -> Builder {
        self.limits.fuel = Some(steps);
        self
    }

    /// Limits the bytes of live objects.
    pub fn memory(mut self, bytes: usize) -> Builder {
        self.limits.memory = Some(bytes);
        self
    }

    /// Limits how deep calls may nest.
    pub fn depth(mut self, calls: u32) -> Builder {
        self.limits.depth = calls;
        self
    }

    /// Limits the time on the wall of each call into the interpreter.
    pub fn time(mut self, time: Duration) -> Builder {
        self.limits.time = Some(time);
        self
    }

    /// Limits the bytes of output.
    pub fn output_limit(mut self, bytes: u64) -> Builder {
        self.limits.output = Some(bytes);
        self
    }

    /// Limits the tasks that exist at once.
    pub fn tasks(mut self, tasks: usize) -> Builder {
        self.limits.tasks = Some(tasks);
        self
    }

    /// Lets time stand still while anything runs, and jump to the next timer when everything waits.
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
        vm.max_depth.set(limits.depth);
        vm.deepest.set(if script_sets_depth { u32::MAX } else { limits.depth });
        vm.heap.set_limit(limits.memory.unwrap_or(usize::MAX));
        vm.set_output_limit(limits.output);
        let interpreter = Interpreter { vm: Island(vm), host, limits };
        if virtual_clock {
            crate::sched::of(&interpreter.vm).clock.set_virtual();
        }
        interpreter.vm.main_module(None);
        interpreter
    }
}
