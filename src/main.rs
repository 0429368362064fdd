//! The `asplet` command: runs a program, or talks at a prompt. `cli/` reads the options and turns outcomes into exit statuses.

mod cli;
#[cfg(feature = "repl")]
mod repl;

fn main() -> std::process::ExitCode {
    cli::main()
}
