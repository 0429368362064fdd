//! From the command line to a running program and back to an exit status. Called by `main.rs` only.

mod options;
mod signals;

use std::io::{IsTerminal, Read, Write};
use std::process::ExitCode;

use asplet::{Error, Interpreter, StdHost};
use options::{Command, Options, Program};

/// The status of a wrong command line, or of a program that cannot be read.
const USAGE: u8 = 2;
/// The status when the last output could not be written.
const OUTPUT_LOST: u8 = 120;

/// Runs the command.
pub fn main() -> ExitCode {
    let options = match options::parse() {
        Ok(Command::Run(options)) => options,
        Ok(Command::Say(text)) => {
            print_out(&text);
            return ExitCode::SUCCESS;
        }
        Err(message) => {
            eprint!("{message}\n{}", options::USAGE);
            return ExitCode::from(USAGE);
        }
    };
    let Some((name, text)) = program(&options) else { return ExitCode::from(USAGE) };
    let mut interpreter =
        Interpreter::builder().host(StdHost::new(options.arguments.clone())).limits(options.limits.clone()).script_sets_depth();
    if options.virtual_clock {
        interpreter = interpreter.virtual_clock();
    }
    let mut interpreter = interpreter.build();
    signals::install(&interpreter);
    let status = match text {
        Some(text) => run(&mut interpreter, &options, &name, text),
        None => talk(&mut interpreter),
    };
    // What is still alive dies with the process.
    std::mem::forget(interpreter);
    status
}

/// The program's name and text; no text for a prompt. `None` after complaining that there is none.
fn program(options: &Options) -> Option<(String, Option<Vec<u8>>)> {
    match &options.program {
        Program::Text(text) => Some(("<string>".to_owned(), Some(format!("{text}\n").into_bytes()))),
        Program::Input if std::io::stdin().is_terminal() => Some(("<stdin>".to_owned(), None)),
        Program::Input => {
            let mut text = Vec::new();
            match std::io::stdin().lock().read_to_end(&mut text) {
                Ok(_) => Some(("<stdin>".to_owned(), Some(text))),
                Err(error) => complain("<stdin>", &error),
            }
        }
        Program::File(path) => match read(path) {
            Ok((path, text)) => Some((path, Some(text))),
            Err(error) => complain(path, &error),
        },
    }
}

/// Reads a program's file; a folder is a program if it holds `__main__.script` or `__main__.py`.
fn read(path: &str) -> std::io::Result<(String, Vec<u8>)> {
    if !std::path::Path::new(path).is_dir() {
        return Ok((path.to_owned(), std::fs::read(path)?));
    }
    let inner = |ending: &str| format!("{}/__main__{ending}", path.trim_end_matches('/'));
    let found = [inner(".script"), inner(".py")].into_iter().find(|path| std::path::Path::new(path).is_file());
    match found {
        Some(path) => Ok((path.clone(), std::fs::read(path)?)),
        None => Err(std::io::Error::other(format!("can't find '__main__' module in '{path}'"))),
    }
}

fn complain<T>(path: &str, error: &std::io::Error) -> Option<T> {
    let program = std::env::args().next().unwrap_or_else(|| "asplet".to_owned());
    match error.raw_os_error() {
        Some(number) => {
            let absolute = std::path::absolute(path).map_or_else(|_| path.to_owned(), |path| path.display().to_string());
            let text = error.to_string();
            let text = text.split(" (os error").next().unwrap_or_default();
            eprintln!("{program}: can't open file '{absolute}': [Errno {number}] {text}");
        }
        None => eprintln!("{program}: {error}"),
    }
    None
}

fn run(interpreter: &mut Interpreter, options: &Options, name: &str, text: Vec<u8>) -> ExitCode {
    let result = match String::from_utf8(text) {
        Ok(text) => interpreter.run_program(name, &text),
        Err(error) => {
            report(interpreter, &not_utf8(name, &error));
            return ExitCode::FAILURE;
        }
    };
    if options.interactive {
        if let Err(error) = &result {
            report(interpreter, &error.report());
        }
        return talk(interpreter);
    }
    end(interpreter, &result)
}

/// Says how the program ended, and gives its status.
fn end(interpreter: &mut Interpreter, result: &Result<(), Error>) -> ExitCode {
    let status = match result {
        Ok(()) => 0,
        Err(Error::Exit { status, .. }) => *status as u8,
        Err(_) => 1,
    };
    if let Err(error) = result {
        report(interpreter, &error.report());
    }
    // A limit ends everything.
    if !matches!(result, Err(Error::Limit(_))) {
        interpreter.finish();
    }
    let flushed = interpreter.flush();
    if let Err(Error::Exception(exception)) = result
        && exception.class == "KeyboardInterrupt"
    {
        signals::die_of_interrupt();
    }
    match flushed {
        Err(error) if status == 0 => {
            let number = error.raw_os_error().unwrap_or(5);
            let text = error.to_string();
            let text = text.split(" (os error").next().unwrap_or_default();
            let class = if number == 32 { "BrokenPipeError" } else { "OSError" };
            let stream = "<_io.TextIOWrapper name='<stdout>' mode='w' encoding='utf-8'>";
            eprintln!("Exception ignored in: {stream}\n{class}: [Errno {number}] {text}");
            ExitCode::from(OUTPUT_LOST)
        }
        _ => ExitCode::from(status),
    }
}

/// Writes a traceback behind the output that came before it.
fn report(interpreter: &Interpreter, text: &str) {
    // If the output cannot be written, that is what the text is about, or the end of the program will say so.
    let _ = interpreter.flush();
    let _ = std::io::stderr().write_all(text.as_bytes());
}

fn print_out(text: &str) {
    // Nobody is left to be told that this could not be written.
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// What CPython says about a program that is not UTF-8.
fn not_utf8(name: &str, error: &std::string::FromUtf8Error) -> String {
    let valid = error.utf8_error().valid_up_to();
    let bytes = error.as_bytes();
    let line = bytes[..valid].iter().filter(|&&byte| byte == b'\n').count() + 1;
    format!(
        "  File \"{name}\", line {line}\nSyntaxError: Non-UTF-8 code starting with '\\x{:02x}' in file {name} on line {line}, \
         but no encoding declared; see https://peps.python.org/pep-0263/ for details\n",
        bytes[valid]
    )
}

#[cfg(feature = "repl")]
fn talk(interpreter: &mut Interpreter) -> ExitCode {
    let result = crate::repl::talk(interpreter);
    end(interpreter, &result)
}

#[cfg(not(feature = "repl"))]
fn talk(_interpreter: &mut Interpreter) -> ExitCode {
    eprintln!("this asplet was built without its prompt; give it a FILE");
    ExitCode::from(USAGE)
}
