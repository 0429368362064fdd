//! Runs the examples of the documentation: every fenced block marked `python` in README.md and under docs/ is a whole program, and
//! does what its `# expect:` comments say. A block marked `python ignore` is left alone.

mod support;

use std::path::{Path, PathBuf};

use support::Expectation;

#[test]
fn examples_do_what_they_say() {
    let mut pages = vec![PathBuf::from("README.md")];
    collect(Path::new("docs"), &mut pages);
    let (mut count, mut wrong) = (0, String::new());
    for page in &pages {
        let text = std::fs::read_to_string(page).unwrap_or_default();
        for (line, code) in blocks(&text) {
            count += 1;
            let name = format!("<{}, line {line}>", page.display());
            let wanted = Expectation::of(&code);
            if let Err(difference) = wanted.check(&support::run(&name, &code, &wanted)) {
                wrong += &format!("{name}\n{difference}");
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    assert!(count > 0, "there are examples");
}

/// The blocks of a page, with their lines.
fn blocks(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (number, line) in text.lines().enumerate() {
        match &mut open {
            Some(_) if line.trim_start().starts_with("```") => found.extend(open.take()),
            Some((_, code)) => {
                code.push_str(line);
                code.push('\n');
            }
            None if line.trim() == "```python" => open = Some((number + 2, String::new())),
            None => {}
        }
    }
    found
}

fn collect(folder: &Path, pages: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            collect(&path, pages);
        } else if path.extension().is_some_and(|ending| ending == "md") {
            pages.push(path);
        }
    }
    pages.sort();
}
