//! Keeps the dependencies of `src/` pointing one way, by reading the paths that begin with `crate::`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The rooms from the bottom up; those on one line do not use each other.
const ORDER: [&[&str]; 9] = [
    &["host", "syntax"],
    &["value"],
    // The virtual machine builds and runs the trees that `resolve` describes; the two are one storey.
    &["vm", "resolve"],
    &["native"],
    &["sched"],
    &["builtins"],
    &["stdlib"],
    &["interpreter", "error"],
    &["cli", "repl", "main", "lib"],
];

/// Neighbours that are one storey and may use each other.
const TOGETHER: [(&str, &str); 2] = [("vm", "resolve"), ("interpreter", "error")];

#[test]
fn dependencies_point_one_way() {
    let mut files = Vec::new();
    collect(Path::new("src"), &mut files);
    let mut wrong = BTreeSet::new();
    for file in &files {
        let room = room_of(file);
        if storey(&room) == ORDER.len() - 1 {
            continue;
        }
        let text = std::fs::read_to_string(file).expect("sources are readable");
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or("");
            for used in code.match_indices("crate::").flat_map(|(at, _)| names(&code[at + "crate::".len()..])) {
                if !known(&used) || used == room {
                    continue;
                }
                let allowed = storey(&used) < storey(&room) || together(&room, &used);
                if !allowed {
                    wrong.insert(format!("{}:{}: {room} uses {used}", file.display(), number + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.into_iter().collect::<Vec<_>>().join("\n"));
}

#[test]
fn every_room_has_a_storey() {
    let entries = std::fs::read_dir("src").expect("the sources are here");
    for entry in entries.flatten() {
        let room = room_of(&entry.path());
        assert!(known(&room), "src/{room} is missing in the order of tests/layering.rs");
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for path in std::fs::read_dir(folder).expect("a folder").flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
}

/// The first name below `src/`.
fn room_of(path: &Path) -> String {
    let inner = path.strip_prefix("src").unwrap_or(path);
    let first = inner.components().next().map(|part| part.as_os_str().to_string_lossy().into_owned()).unwrap_or_default();
    first.trim_end_matches(".rs").to_owned()
}

/// The rooms named behind `crate::`: one, or those in braces.
fn names(rest: &str) -> Vec<String> {
    let word = |text: &str| text.trim().split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or("").to_owned();
    match rest.strip_prefix('{') {
        Some(list) => list.split(',').map(word).collect(),
        None => vec![word(rest)],
    }
}

fn known(room: &str) -> bool {
    ORDER.iter().any(|rooms| rooms.contains(&room))
}

fn storey(room: &str) -> usize {
    ORDER.iter().position(|rooms| rooms.contains(&room)).unwrap_or(usize::MAX)
}

fn together(a: &str, b: &str) -> bool {
    TOGETHER.iter().any(|&(x, y)| (a, b) == (x, y) || (a, b) == (y, x))
}
