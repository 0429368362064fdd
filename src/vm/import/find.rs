//! Where a module's text is: the rules of folders and file names.
//!
//! In each folder, in this order: the package `name/__init__.script` or `.py`, the module `name.script` or `.py`. A folder `name` without
//! either is a part of a namespace package if nothing better is found anywhere.

use crate::host::{FileKind, Host};

/// Endings of program files, preferred first.
const ENDINGS: [&str; 2] = [".script", ".py"];

pub(super) enum Found {
    /// A file, and the folder of the package that it begins.
    Source { path: String, folder: Option<String> },
    /// The folders of a namespace package.
    Folders(Vec<String>),
}

/// Looks for the module whose last name is `name`. Folders that the host does not let us see hold nothing.
pub(super) fn find(host: &dyn Host, folders: &[String], name: &str) -> Option<Found> {
    let is_file = |path: &str| matches!(host.kind(path), Ok(FileKind::File(_) | FileKind::Other));
    let mut parts = Vec::new();
    for folder in folders {
        let stem = join(host, folder, name);
        let is_folder = matches!(host.kind(&stem), Ok(FileKind::Folder));
        if is_folder {
            for ending in ENDINGS {
                let path = format!("{stem}/__init__{ending}");
                if is_file(&path) {
                    return Some(Found::Source { path, folder: Some(stem) });
                }
            }
        }
        for ending in ENDINGS {
            let path = format!("{stem}{ending}");
            if is_file(&path) {
                return Some(Found::Source { path, folder: None });
            }
        }
        if is_folder {
            parts.push(stem);
        }
    }
    (!parts.is_empty()).then_some(Found::Folders(parts))
}

/// `folder/name`, where an empty folder is the current one.
fn join(host: &dyn Host, folder: &str, name: &str) -> String {
    let folder = match folder {
        "" => host.current_folder().unwrap_or_default(),
        folder => folder.to_owned(),
    };
    match folder.as_str() {
        "" => name.to_owned(),
        folder if folder.ends_with('/') => format!("{folder}{name}"),
        folder => format!("{folder}/{name}"),
    }
}
