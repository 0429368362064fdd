//! What the test programs share: reading the expectations that stand in a script, running it, comparing.

use std::fmt::Write as _;
use std::path::Path;

use asplet::{Capability, Captured, Error, Interpreter, Limits};

/// What a script should do.
#[derive(Debug, Default, Clone)]
pub struct Expectation {
    /// The lines of standard output, in order.
    pub out: Vec<String>,
    /// They stand in a file beside the script.
    pub has_out_file: bool,
    /// The last line of the traceback.
    pub error: Option<String>,
    /// The exit status.
    pub exit: i32,
    /// Texts that must appear on standard error.
    pub stderr: Vec<String>,
    /// The wall's clock instead of the virtual one.
    pub wall: bool,
    /// CPython does something else, on purpose.
    pub python_differs: bool,
    /// Lines of standard input.
    pub input: String,
    /// `sys.argv[1:]`.
    pub args: Vec<String>,
    /// Seconds it may take.
    pub timeout: Option<u64>,
}

/// The mark of an expected line of output.
pub const EXPECT: &str = "# expect: ";
/// The same for an empty line.
const EXPECT_EMPTY: &str = "# expect:";
const EXPECT_ERROR: &str = "# expect error: ";

impl Expectation {
    /// Reads the comments of a script, and its `.out` file if there is one.
    #[allow(dead_code, reason = "the examples of the documentation are in no files of their own")]
    pub fn read(path: &Path, text: &str) -> Expectation {
        let mut wanted = Expectation::of(text);
        if let Ok(out) = std::fs::read_to_string(path.with_extension("out")) {
            wanted.out = lines(&out);
            wanted.has_out_file = true;
        }
        wanted
    }

    /// Reads the comments of a script.
    pub fn of(text: &str) -> Expectation {
        let mut wanted = Expectation::default();
        let mut exit = None;
        for line in text.lines() {
            if let Some(at) = line.find(EXPECT_ERROR) {
                wanted.error = Some(line[at + EXPECT_ERROR.len()..].to_owned());
            } else if let Some(at) = line.find(EXPECT) {
                wanted.out.push(line[at + EXPECT.len()..].to_owned());
            } else if line.trim_end().ends_with(EXPECT_EMPTY) {
                wanted.out.push(String::new());
            }
            let Some(head) = line.strip_prefix("# ") else { continue };
            if let Some((key, value)) = head.split_once(':') {
                let value = value.trim();
                match key {
                    "exit" => exit = value.parse().ok(),
                    "stderr" => wanted.stderr.push(value.to_owned()),
                    "clock" => wanted.wall = value == "wall",
                    "python" => wanted.python_differs = value.starts_with("differs"),
                    "input" => wanted.input += &format!("{value}\n"),
                    "args" => wanted.args = value.split(' ').map(str::to_owned).collect(),
                    "timeout" => wanted.timeout = value.parse().ok(),
                    _ => {}
                }
            }
        }
        wanted.exit = exit.unwrap_or(i32::from(wanted.error.is_some()));
        wanted
    }

    /// Compares; the difference in words.
    pub fn check(&self, actual: &Actual) -> Result<(), String> {
        let mut wrong = String::new();
        let out = lines(&actual.out);
        // Blanks at the end of a line are not seen in a comment.
        let same = |a: Option<&String>, b: Option<&String>| match (a, b) {
            (Some(a), Some(b)) if !self.has_out_file => a.trim_end() == b.trim_end(),
            (a, b) => a == b,
        };
        let differs = (0..out.len().max(self.out.len())).find(|&i| !same(out.get(i), self.out.get(i)));
        if let Some(first) = differs {
            let show = |line: Option<&String>| line.map_or("nothing more".to_owned(), |line| format!("{line:?}"));
            let _ = writeln!(wrong, "  line {} of the output: expected {}", first + 1, show(self.out.get(first)));
            let _ = writeln!(wrong, "  {} printed  {}", " ".repeat(15), show(out.get(first)));
        }
        let last = actual.err.trim_end().lines().last().unwrap_or("");
        if let Some(error) = &self.error
            && last != error
        {
            let _ = writeln!(wrong, "  expected error: {error}\n             found: {last}");
        }
        for text in &self.stderr {
            if !actual.err.contains(text.as_str()) {
                let _ = writeln!(wrong, "  standard error lacks {text:?}");
            }
        }
        if actual.exit != self.exit {
            let _ = writeln!(wrong, "  exit status {} instead of {}", actual.exit, self.exit);
        }
        if wrong.is_empty() {
            return Ok(());
        }
        if !actual.err.is_empty() {
            let _ = writeln!(wrong, "  standard error:");
            for line in actual.err.lines() {
                let _ = writeln!(wrong, "    {line}");
            }
        }
        Err(wrong)
    }
}

/// What a script did.
#[derive(Debug, Default)]
pub struct Actual {
    pub out: String,
    pub err: String,
    pub exit: i32,
}

/// Runs a script as a program in an interpreter of its own.
pub fn run(name: &str, text: &str, wanted: &Expectation) -> Actual {
    let captured = Captured::new();
    let mut arguments = vec![name.to_owned()];
    arguments.extend(wanted.args.iter().cloned());
    let mut builder = Interpreter::builder().limits(Limits::none()).capture(&captured).arguments(arguments);
    for capability in Capability::ALL {
        builder = builder.grant(capability);
    }
    builder = builder.input(&wanted.input);
    if !wanted.wall {
        builder = builder.virtual_clock();
    }
    let mut interpreter = builder.build();
    let result = interpreter.run_program(name, text);
    let mut actual = Actual { err: captured.take_err(), ..Actual::default() };
    if let Err(error) = &result {
        actual.err += &error.report();
        actual.exit = match error {
            Error::Exit { status, .. } => *status,
            _ => 1,
        };
    }
    interpreter.finish();
    drop(interpreter);
    // What the end reports comes first, so that the last line stays that of the traceback.
    actual.err.insert_str(0, &captured.take_err());
    actual.out = captured.take_out();
    actual
}

/// The lines of an output; the last one need not be ended.
fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}
