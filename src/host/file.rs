//! Files as the interpreter uses them: bytes with a position. Text, lines and buffering are the business of `open()`.

use std::io::{self, Read, Seek, Write};

/// An open file. It is closed by dropping it.
pub trait File: Read + Write + Seek + Send {
    /// Cuts the file off, or fills it up with zeros, at this size.
    fn set_size(&mut self, size: u64) -> io::Result<()>;

    /// Whether this is a terminal.
    fn is_terminal(&self) -> bool {
        false
    }

    /// The number of the file in the process, if it has one.
    fn number(&self) -> Option<i32> {
        None
    }
}

/// How to open a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct OpenMode {
    /// It can be read.
    pub read: bool,
    /// It can be written.
    pub write: bool,
    /// Every write goes to the end.
    pub append: bool,
    /// Make the file if there is none.
    pub create: bool,
    /// Make the file, and fail if there is one.
    pub create_new: bool,
    /// Empty the file.
    pub truncate: bool,
}

impl OpenMode {
    /// `open(path)`.
    pub const READ: OpenMode =
        OpenMode { read: true, write: false, append: false, create: false, create_new: false, truncate: false };

    /// `open(path, "w")`.
    pub const WRITE: OpenMode = OpenMode { read: false, write: true, create: true, truncate: true, ..OpenMode::READ };

    /// Whether the file could change.
    pub fn changes(self) -> bool {
        self.write || self.append || self.create || self.create_new || self.truncate
    }
}

/// What stands at a path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FileKind {
    /// A file of so many bytes.
    File(u64),
    /// A folder.
    Folder,
    /// A device, a socket and the like.
    Other,
}
