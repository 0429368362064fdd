//! The prompt: reads statements line by line with rustyline and feeds them to the interpreter. Called by the command line.

mod history;

use std::io::{self, BufRead, IsTerminal, Write};

use asplet::{Error, Interpreter};
use rustyline::DefaultEditor;
use rustyline::error::ReadlineError;

const PROMPT: &str = ">>> ";
const MORE: &str = "... ";

/// Talks until the end of input, or until the script exits.
pub fn talk(interpreter: &mut Interpreter) -> Result<(), Error> {
    let mut lines = Lines::open();
    if lines.is_terminal() {
        println!("Asplet {} on {}", env!("CARGO_PKG_VERSION"), std::env::consts::OS);
        println!("exit() or Ctrl-D to leave. `await` works here.");
    }
    let mut typed = String::new();
    loop {
        match lines.read(if typed.is_empty() { PROMPT } else { MORE }) {
            Line::Text(line) => {
                if typed.is_empty() && line.trim().is_empty() {
                    continue;
                }
                // An empty line behind the others becomes the line end that finishes a compound statement.
                if !typed.is_empty() {
                    typed.push('\n');
                }
                typed.push_str(&line);
                match interpreter.interact("<stdin>", &typed) {
                    Err(Error::Syntax(problem)) if problem.incomplete => continue,
                    Err(Error::Exit { status, message }) => return Err(Error::Exit { status, message }),
                    Err(error) => complain(interpreter, &error.report()),
                    Ok(()) => {}
                }
                let _ = interpreter.flush();
                lines.remember(typed.trim_end());
                typed.clear();
            }
            Line::Interrupted => {
                complain(interpreter, "\nKeyboardInterrupt\n");
                typed.clear();
            }
            Line::End => {
                if lines.is_terminal() {
                    println!();
                }
                return Ok(());
            }
        }
    }
}

fn complain(interpreter: &Interpreter, text: &str) {
    let _ = interpreter.flush();
    let _ = io::stderr().write_all(text.as_bytes());
}

/// What the user did.
enum Line {
    Text(String),
    Interrupted,
    End,
}

/// Where lines come from: an editor on a terminal, else plain input.
enum Lines {
    Editor(Box<DefaultEditor>),
    Plain,
}

impl Lines {
    fn open() -> Lines {
        if !io::stdin().is_terminal() {
            return Lines::Plain;
        }
        match DefaultEditor::new() {
            Ok(mut editor) => {
                history::load(&mut editor);
                Lines::Editor(Box::new(editor))
            }
            Err(_) => Lines::Plain,
        }
    }

    fn is_terminal(&self) -> bool {
        matches!(self, Lines::Editor(_))
    }

    fn read(&mut self, prompt: &str) -> Line {
        match self {
            Lines::Editor(editor) => match editor.readline(prompt) {
                Ok(line) => Line::Text(line),
                Err(ReadlineError::Interrupted) => Line::Interrupted,
                Err(_) => Line::End,
            },
            Lines::Plain => {
                print!("{prompt}");
                let _ = io::stdout().flush();
                let mut line = String::new();
                match io::stdin().lock().read_line(&mut line) {
                    Ok(0) | Err(_) => Line::End,
                    Ok(_) => Line::Text(line.trim_end_matches(['\n', '\r']).to_owned()),
                }
            }
        }
    }

    fn remember(&mut self, entry: &str) {
        if let Lines::Editor(editor) = self {
            history::add(editor, entry);
        }
    }
}
