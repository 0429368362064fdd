//! What can be wrong with a text: the facts, and the one place that words them.
//!
//! The wording is CPython 3.12's wherever it has one, and so is the shape of the rendered block.

use std::fmt::{self, Write};

use super::source::{Position, Source, Span};

/// Why a text is not a program.
#[derive(Clone, PartialEq, Debug)]
pub struct SyntaxError {
    pub kind: SyntaxErrorKind,
    /// What the carets point at.
    pub span: Span,
    /// The text ended where more was expected: a prompt should ask for another line.
    pub incomplete: bool,
}

/// The facts of a [`SyntaxError`].
#[derive(Clone, PartialEq, Debug)]
pub enum SyntaxErrorKind {
    Invalid,
    SourceTooLarge,
}

/// Which exception class a script sees.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SyntaxErrorClass {
    SyntaxError,
    IndentationError,
    TabError,
}

impl SyntaxError {
    pub fn new(kind: SyntaxErrorKind, span: Span) -> SyntaxError {
        SyntaxError { kind, span, incomplete: false }
    }

    pub fn class(&self) -> SyntaxErrorClass {
        self.kind.class()
    }

    /// First and last place of the error, as `lineno`, `offset`, `end_lineno` and `end_offset` give them.
    pub fn place(&self, source: &Source) -> (Position, Position) {
        (source.position(self.span.start), source.position(self.span.end))
    }

    /// The block a traceback ends with.
    pub fn render(&self, source: &Source) -> String {
        let (start, end) = self.place(source);
        let line = source.line(start.line).unwrap_or("");
        let mut out = format!("  File \"{}\", line {}\n", source.name(), start.line);
        let body = line.trim_start_matches([' ', '\t', '\x0c']);
        let cut = line.chars().count() - body.chars().count();
        let body = body.trim_end();
        if !body.is_empty() {
            let width = line.trim_end().chars().count();
            let first = (start.column as usize - 1).max(cut);
            let last = if end.line > start.line { width } else { end.column as usize - 1 };
            let carets = last.saturating_sub(first).max(1);
            let _ = writeln!(out, "    {body}\n    {}{}", " ".repeat(first - cut), "^".repeat(carets));
        }
        let _ = write!(out, "{}: {}", self.class().name(), self.kind);
        out
    }
}

impl SyntaxErrorClass {
    pub fn name(self) -> &'static str {
        match self {
            SyntaxErrorClass::SyntaxError => "SyntaxError",
            SyntaxErrorClass::IndentationError => "IndentationError",
            SyntaxErrorClass::TabError => "TabError",
        }
    }
}

impl SyntaxErrorKind {
    fn class(&self) -> SyntaxErrorClass {
        SyntaxErrorClass::SyntaxError
    }
}

impl fmt::Display for SyntaxErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use SyntaxErrorKind::*;
        match self {
            Invalid => f.write_str("invalid syntax"),
            SourceTooLarge => f.write_str("source is larger than 4 GiB"),
        }
    }
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.class().name(), self.kind)
    }
}

impl std::error::Error for SyntaxError {}
