//! Runs every `.script` under tests/, scripts/tour and scripts/asyncio, and compares with the expectations that stand in it; see tests/README.md.
//!
//! ```text
//! cargo test --test scripts                      all
//! cargo test --test scripts -- list/ dict/       those whose path holds one of these texts
//! UPDATE=1 cargo test --test scripts -- list/    rewrite the expectations to what happens
//! ```
//!
//! Each script runs in a process of its own (this program again, with `--one`), so that none can take others down: twice, the
//! second time with the line ends of Windows. With `REFEREE=python3.12` that program runs the scripts instead.

mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use support::{Actual, EXPECT, Expectation};

/// Seconds a script may take unless its head says otherwise.
const TIMEOUT: u64 = 20;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, path] = args.as_slice()
        && flag == "--one"
    {
        return one(Path::new(path));
    }
    let filters: Vec<&String> = args.iter().filter(|arg| !arg.starts_with('-')).collect();
    let mut found = Vec::new();
    for folder in ["tests", "scripts/tour", "scripts/asyncio"] {
        collect(Path::new(folder), &mut found);
    }
    found.sort();
    found.retain(|path| filters.is_empty() || filters.iter().any(|filter| path.to_string_lossy().contains(filter.as_str())));
    if args.iter().any(|arg| arg == "--list") {
        found.iter().for_each(|path| println!("{}: test", path.display()));
        return ExitCode::SUCCESS;
    }
    let referee = std::env::var("REFEREE").ok();
    let (next, failures) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let jobs = std::thread::available_parallelism().map_or(2, usize::from).min(8);
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                while let Some(path) = found.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let result = match &referee {
                        Some(python) => ask(python, path),
                        None => in_process(path),
                    };
                    if let Err(wrong) = result {
                        println!("FAILED {}\n{wrong}", path.display());
                        failures.lock().expect("no test panics").push(path.clone());
                    }
                }
            });
        }
    });
    let failed = failures.into_inner().expect("no test panics").len();
    println!("\nscripts: {} passed, {failed} failed", found.len() - failed);
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The scripts under a folder. Names that begin with an underscore are for other scripts to import or read.
fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('_') {
            continue;
        }
        if path.is_dir() {
            collect(&path, found);
        } else if name.ends_with(".script") {
            found.push(path);
        }
    }
}

/// Runs a script by `--one` in a process of its own.
fn in_process(path: &Path) -> Result<(), String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let timeout = Expectation::of(&text).timeout.unwrap_or(TIMEOUT);
    let actual = wait(Command::new(program).arg("--one").arg(path), "", timeout)?;
    if actual.exit == 0 { Ok(()) } else { Err(format!("{}{}", actual.out, actual.err)) }
}

/// Runs a script here, twice.
fn one(path: &Path) -> ExitCode {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            println!("  {error}");
            return ExitCode::FAILURE;
        }
    };
    let wanted = Expectation::read(path, &text);
    let name = path.to_string_lossy();
    let actual = support::run(&name, &text, &wanted);
    if let Err(wrong) = wanted.check(&actual) {
        if std::env::var_os("UPDATE").is_some() {
            return update(path, &text, &wanted, &actual);
        }
        print!("{wrong}");
        return ExitCode::FAILURE;
    }
    let windows = text.replace("\r\n", "\n").replace('\n', "\r\n");
    if let Err(wrong) = wanted.check(&support::run(&name, &windows, &wanted)) {
        print!("  the second time, with CRLF line ends:\n{wrong}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// Rewrites what a script expects.
fn update(path: &Path, text: &str, wanted: &Expectation, actual: &Actual) -> ExitCode {
    let lines: Vec<&str> = actual.out.lines().collect();
    let done = if wanted.has_out_file {
        std::fs::write(path.with_extension("out"), &actual.out)
    } else if lines.len() != wanted.out.len() {
        println!(
            "  {} lines printed, {} expected: change the number of `{EXPECT}` comments by hand",
            lines.len(),
            wanted.out.len()
        );
        return ExitCode::FAILURE;
    } else {
        let mut printed = lines.iter();
        let mut fresh = String::new();
        for line in text.split_inclusive('\n') {
            match line.find(EXPECT.trim_end()) {
                Some(at) => {
                    let expect = format!("{EXPECT}{}", printed.next().unwrap_or(&""));
                    fresh += &format!("{}{}\n", &line[..at], expect.trim_end());
                }
                None => fresh += line,
            }
        }
        std::fs::write(path, fresh)
    };
    match done {
        Ok(()) => {
            println!("  rewritten");
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("  {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs a script under another interpreter.
fn ask(python: &str, path: &Path) -> Result<(), String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let wanted = Expectation::read(path, &text);
    if wanted.python_differs {
        return Ok(());
    }
    let mut command = Command::new(python);
    command.arg(path).args(&wanted.args);
    let actual = wait(&mut command, &wanted.input, 60)?;
    wanted.check(&actual)
}

/// Runs a program to its end, or until its time is up.
fn wait(command: &mut Command, input: &str, seconds: u64) -> Result<Actual, String> {
    use std::io::{Read, Write};
    let fail = |error: std::io::Error| format!("  {error}\n");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(fail)?;
    let _ = child.stdin.take().map(|mut stdin| stdin.write_all(input.as_bytes()));
    let (mut out, mut err) = (child.stdout.take(), child.stderr.take());
    let read = |pipe: &mut dyn Read| {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    };
    std::thread::scope(|scope| {
        let out = scope.spawn(move || out.as_mut().map(|pipe| read(pipe)).unwrap_or_default());
        let err = scope.spawn(move || err.as_mut().map(|pipe| read(pipe)).unwrap_or_default());
        let end = Instant::now() + Duration::from_secs(seconds);
        let status = loop {
            match child.try_wait().map_err(fail)? {
                Some(status) => break Some(status),
                None if Instant::now() > end => {
                    let _ = child.kill();
                    let _ = child.wait();
                    break None;
                }
                None => std::thread::sleep(Duration::from_millis(2)),
            }
        };
        let (out, err) = (out.join().unwrap_or_default(), err.join().unwrap_or_default());
        match status {
            Some(status) => match status.code() {
                Some(exit) => Ok(Actual { out, err, exit }),
                None => Err(format!("  ended by a signal: {status}\n{out}{err}")),
            },
            None => Err(format!("  not done after {seconds} seconds\n{out}{err}")),
        }
    })
}
