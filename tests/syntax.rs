//! The parser from outside: every message against golden files, hostile input, and (by hand) folders of real programs.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use asplet::syntax::{Mode, Options, Source, SyntaxErrorKind, parse};

/// `tests/syntax/errors/*.golden` hold programs and what is said about them; `UPDATE=1` rewrites what is said.
#[test]
fn errors_are_worded_as_expected() {
    let mut files = Vec::new();
    collect(Path::new("tests/syntax/errors"), "golden", &mut files);
    assert!(!files.is_empty());
    let update = std::env::var_os("UPDATE").is_some();
    let mut wrong = String::new();
    for file in files {
        let before = std::fs::read_to_string(&file).unwrap();
        let after = with_answers(&before);
        if after == before {
            continue;
        }
        if update {
            std::fs::write(&file, after).unwrap();
        } else {
            let line = before.lines().zip(after.lines()).take_while(|(a, b)| a == b).count() + 1;
            let told = after.lines().nth(line - 1).unwrap_or_default();
            wrong.push_str(&format!("{}:{line}: now {told:?}\n", file.display()));
        }
    }
    assert!(wrong.is_empty(), "{wrong}rewrite with UPDATE=1 and review the difference");
}

/// A golden file with the present answers in place of those written in it.
fn with_answers(text: &str) -> String {
    let text = format!("\n{text}");
    let mut blocks = text.split("\n==== program");
    let mut out = blocks.next().unwrap_or_default().trim_start_matches('\n').to_string();
    for block in blocks {
        let (head, rest) = block.split_once('\n').unwrap_or((block, ""));
        let program = rest.split_once("\n==== error").map_or(rest.trim_end_matches('\n'), |(program, _)| program);
        if !out.is_empty() && !out.ends_with("\n\n") {
            out.push('\n');
        }
        out.push_str(&format!("==== program{head}\n{program}\n==== error{}\n", answer(head, program)));
    }
    out
}

/// What the parser says about a program: the rest of the heading and the block.
fn answer(head: &str, program: &str) -> String {
    let mode = if head.contains("interactive") {
        Mode::Interactive
    } else if head.contains("eval") {
        Mode::Eval
    } else {
        Mode::File
    };
    let options = Options { mode, top_level_await: head.contains("await") };
    let text = if head.contains("escaped") { unescape(program) } else { program.to_string() };
    let source = Source::new("<program>", text);
    match parse(&source, options) {
        Ok(_) => "\naccepted".into(),
        Err(error) => {
            let incomplete = if error.incomplete { " (incomplete)" } else { "" };
            format!("{incomplete}\n{}", error.render(&source))
        }
    }
}

fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        out.push(match c {
            '\\' => match chars.next() {
                Some('n') => '\n',
                Some('t') => '\t',
                Some('r') => '\r',
                Some('0') => '\0',
                Some('f') => '\x0c',
                other => other.unwrap_or('\\'),
            },
            _ => c,
        });
    }
    out
}

/// Reads programs separated by NUL from the file `PROGRAMS` and writes what is said about each to the file `ANSWERS`.
#[test]
#[ignore = "run by scripts/dev/compare-mutations"]
fn write_answers() {
    let programs = std::fs::read_to_string(std::env::var("PROGRAMS").expect("PROGRAMS names a file")).expect("programs");
    let answers: Vec<String> = programs.split('\0').map(|program| answer("", program)).collect();
    std::fs::write(std::env::var("ANSWERS").expect("ANSWERS names a file"), answers.join("\0")).expect("written");
}

/// Parses every `.py` file under the folder `PARSE_FOLDER`: all must parse, except those of Python 2 and on purpose bad
/// ones, and those with surrogates or names of characters in their strings, which are counted. Prints the speed. Run by hand:
/// `PARSE_FOLDER=.../lib/python3.12 cargo test --release --test syntax -- --ignored --nocapture folder`
#[test]
#[ignore = "needs a folder of Python files"]
fn folder_of_python_files_parses() {
    let folder = std::env::var("PARSE_FOLDER").expect("PARSE_FOLDER names a folder");
    let mut files = Vec::new();
    collect(Path::new(&folder), "py", &mut files);
    let (mut bytes, mut time, mut failed, mut refused) = (0, Duration::ZERO, 0, 0);
    for file in &files {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let Ok(text) = std::fs::read_to_string(file) else { continue };
        if name.starts_with("bad")
            || file.components().any(|part| part.as_os_str() == "lib2to3" || part.as_os_str() == "test_lib2to3")
        {
            continue;
        }
        let source = Source::new(file.display().to_string(), text);
        let begin = Instant::now();
        let result = parse(&source, Mode::File);
        time += begin.elapsed();
        bytes += source.text().len();
        match result {
            Err(error) if matches!(error.kind, SyntaxErrorKind::Surrogate(_) | SyntaxErrorKind::NamedCharacter(_)) => {
                refused += 1
            }
            Err(error) => {
                failed += 1;
                println!("{}\n", error.render(&source));
            }
            Ok(_) => {}
        }
    }
    let speed = bytes as f64 / time.as_secs_f64() / 1e6;
    println!("{} files, {bytes} bytes, {speed:.1} MB/s, {refused} refused, {failed} failed", files.len());
    assert_eq!(failed, 0);
}

fn collect(folder: &Path, extension: &str, into: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            collect(&path, extension, into);
        } else if path.extension().is_some_and(|found| found == extension) {
            into.push(path);
        }
    }
}
