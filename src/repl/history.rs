//! What was typed before: kept in `~/.asplet_history`, or in the file that `ASPLET_HISTORY` names (nowhere if it is empty).

use std::path::PathBuf;

use rustyline::DefaultEditor;

fn file() -> Option<PathBuf> {
    match std::env::var_os("ASPLET_HISTORY") {
        Some(path) if path.is_empty() => None,
        Some(path) => Some(path.into()),
        None => Some(std::env::home_dir()?.join(".asplet_history")),
    }
}

/// Makes earlier entries available.
pub fn load(editor: &mut DefaultEditor) {
    if let Some(file) = file() {
        // There is none at the first time.
        let _ = editor.load_history(&file);
    }
}

/// Adds an entry, at once, so that a crash loses nothing.
pub fn add(editor: &mut DefaultEditor, entry: &str) {
    let _ = editor.add_history_entry(entry);
    if let Some(file) = file() {
        // History is a convenience: a home that cannot be written to is no reason to complain.
        let _ = editor.append_history(&file);
    }
}
