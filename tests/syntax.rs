//! The parser from outside.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use asplet::syntax::{Mode, Source, parse};

/// Parses every `.py` file under the folder `PARSE_FOLDER`: all must parse, except those whose name begins with
/// `bad`. Prints the speed. Run by hand:
/// `PARSE_FOLDER=.../lib/python3.12 cargo test --release --test syntax -- --ignored --nocapture folder`
#[test]
#[ignore = "needs a folder of Python files"]
fn folder_of_python_files_parses() {
    let folder = std::env::var("PARSE_FOLDER").expect("PARSE_FOLDER names a folder");
    let mut files = Vec::new();
    collect(Path::new(&folder), "py", &mut files);
    let (mut bytes, mut time, mut failed) = (0, Duration::ZERO, 0);
    for file in &files {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let Ok(text) = std::fs::read_to_string(file) else {
            continue;
        };
        if name.starts_with("bad") {
            continue;
        }
        let source = Source::new(file.display().to_string(), text);
        let begin = Instant::now();
        let result = parse(&source, Mode::File);
        time += begin.elapsed();
        bytes += source.text().len();
        if let Err(error) = result {
            failed += 1;
            println!("{}\n", error.render(&source));
        }
    }
    let speed = bytes as f64 / time.as_secs_f64() / 1e6;
    println!("{} files, {bytes} bytes, {speed:.1} MB/s, {failed} failed", files.len());
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
