//! The options of the command.

use std::time::Duration;

use asplet::Limits;
use lexopt::prelude::*;

/// What the command line asks for.
pub enum Command {
    Run(Options),
    /// Print this and be done.
    Say(String),
}

/// How to run what.
pub struct Options {
    pub program: Program,
    /// `sys.argv`.
    pub arguments: Vec<String>,
    /// Talk at a prompt after the program.
    pub interactive: bool,
    pub virtual_clock: bool,
    pub limits: Limits,
}

/// Where the program is.
pub enum Program {
    File(String),
    /// `-c TEXT`
    Text(String),
    /// `-`, or nothing: a prompt if the input is a terminal.
    Input,
}

pub const USAGE: &str = "\
usage: asplet [option] ... [FILE | -c TEXT | -] [arg] ...
Try `asplet --help` for more information.
";

const HELP: &str = "\
usage: asplet [option] ... [FILE | -c TEXT | -] [arg] ...

Runs a program written in Python's syntax; without one, or with -, reads it from the
input, and talks at a prompt if that is a terminal. The arguments behind it are the
program's own.

  -c TEXT             the program is TEXT
  -i                  talk at a prompt when the program has ended
  -h, --help          print this
  -V, --version       print the version

  --clock virtual     time stands still while anything runs, and jumps when all wait

Limits, none of which holds unless it is given (but for the depth of calls):
  --fuel STEPS        calls, turns of loops, and what they are worth
  --max-memory BYTES  of live objects; K, M and G may follow the number
  --max-depth CALLS   nested in each other (1000)
  --max-output BYTES
  --max-tasks TASKS   existing at once
  --timeout SECONDS
";

/// Reads the command line; the error is a message.
pub fn parse() -> Result<Command, String> {
    let mut parser = lexopt::Parser::from_env();
    let mut options = Options {
        program: Program::Input,
        arguments: vec![String::new()],
        interactive: false,
        virtual_clock: false,
        limits: Limits::none(),
    };
    let word = |error: lexopt::Error| error.to_string();
    while let Some(argument) = parser.next().map_err(word)? {
        match argument {
            Short('c') => {
                options.program = Program::Text(text(parser.value().map_err(word)?));
                options.arguments = vec!["-c".to_owned()];
                break;
            }
            Value(path) => {
                let path = text(path);
                options.arguments = vec![path.clone()];
                options.program = if path == "-" { Program::Input } else { Program::File(path) };
                break;
            }
            Short('i') => options.interactive = true,
            // Output is never kept back long enough to matter.
            Short('u') => {}
            Short('h') | Long("help") => return Ok(Command::Say(HELP.to_owned())),
            Short('V') | Long("version") => return Ok(Command::Say(format!("Asplet {}\n", env!("CARGO_PKG_VERSION")))),
            Long("clock") => match text(parser.value().map_err(word)?).as_str() {
                "virtual" => options.virtual_clock = true,
                "wall" => options.virtual_clock = false,
                other => return Err(format!("asplet: --clock is 'virtual' or 'wall', not '{other}'")),
            },
            Long("fuel") => options.limits.fuel = Some(count(&mut parser)?),
            Long("max-memory") => options.limits.memory = Some(size(count(&mut parser)?)),
            Long("max-depth") => options.limits.depth = u32::try_from(count(&mut parser)?).unwrap_or(u32::MAX),
            Long("max-output") => options.limits.output = Some(count(&mut parser)?),
            Long("max-tasks") => options.limits.tasks = Some(size(count(&mut parser)?)),
            Long("timeout") => options.limits.time = Some(seconds(&mut parser)?),
            other => return Err(format!("asplet: {}", other.unexpected())),
        }
    }
    if let Ok(rest) = parser.raw_args() {
        options.arguments.extend(rest.map(text));
    }
    Ok(Command::Run(options))
}

fn text(argument: std::ffi::OsString) -> String {
    argument.to_string_lossy().into_owned()
}

fn size(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

/// A number, with `K`, `M` or `G` behind it for powers of 1024.
fn count(parser: &mut lexopt::Parser) -> Result<u64, String> {
    let given = text(parser.value().map_err(|error| error.to_string())?);
    let (digits, scale) = match given.trim_end_matches(['K', 'k', 'M', 'm', 'G', 'g']) {
        digits if digits.len() == given.len() => (digits, 1),
        digits => match &given[digits.len()..] {
            "K" | "k" => (digits, 1 << 10),
            "M" | "m" => (digits, 1 << 20),
            "G" | "g" => (digits, 1 << 30),
            _ => (given.as_str(), 1),
        },
    };
    let number = digits.replace('_', "").parse::<u64>().ok().and_then(|number| number.checked_mul(scale));
    number.ok_or_else(|| format!("asplet: '{given}' is not a number"))
}

fn seconds(parser: &mut lexopt::Parser) -> Result<Duration, String> {
    let given = text(parser.value().map_err(|error| error.to_string())?);
    let seconds = given.parse::<f64>().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.ok_or_else(|| format!("asplet: '{given}' is not a number of seconds"))
}
