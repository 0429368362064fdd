//! A piece of program text and places in it.
//!
//! A [`Source`] is shared by everything that may have to quote the text later: errors, code objects, tracebacks.
//! Positions are byte offsets ([`Span`]); lines and columns are worked out only when somebody asks.

use std::fmt;
use std::sync::{Arc, OnceLock};

/// The name and text of one module, script or entered line. Cloning is cheap.
#[derive(Clone)]
pub struct Source(Arc<Inner>);

struct Inner {
    name: Box<str>,
    text: Box<str>,
    /// Offsets at which lines begin, filled at the first question.
    lines: OnceLock<Vec<u32>>,
}

/// A half-open range of bytes of one source: `start..end`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Span {
    pub start: u32,
    pub end: u32,
}

/// Where an offset lies: both numbers count from one, columns in characters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Position {
    pub line: u32,
    pub column: u32,
}

impl Source {
    /// Takes a text under the name that messages will show for it. A leading byte order mark is dropped.
    pub fn new(name: impl Into<Box<str>>, text: impl Into<String>) -> Source {
        let mut text: String = text.into();
        if text.starts_with('\u{feff}') {
            text.drain(..'\u{feff}'.len_utf8());
        }
        Source(Arc::new(Inner { name: name.into(), text: text.into_boxed_str(), lines: OnceLock::new() }))
    }

    pub fn name(&self) -> &str {
        &self.0.name
    }

    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// The text under a span; empty if the span does not fit this source.
    pub fn slice(&self, span: Span) -> &str {
        self.text().get(span.range()).unwrap_or("")
    }

    /// Line and column of an offset; offsets past the end count as the end.
    pub fn position(&self, offset: u32) -> Position {
        let line = self.line_number(offset);
        let start = self.line_starts()[line as usize - 1] as usize;
        let end = floor_boundary(self.text(), offset as usize).max(start);
        let column = self.text()[start..end].chars().count() as u32 + 1;
        Position { line, column }
    }

    /// The line, counted from one, that holds this offset.
    pub fn line_number(&self, offset: u32) -> u32 {
        self.line_starts().partition_point(|&start| start <= offset).max(1) as u32
    }

    /// The text of a line, counted from one, without its line end; `None` past the last line.
    pub fn line(&self, number: u32) -> Option<&str> {
        let range = self.line_span(number)?.range();
        Some(&self.text()[range])
    }

    /// The bytes of a line, counted from one, without its line end.
    pub fn line_span(&self, number: u32) -> Option<Span> {
        let starts = self.line_starts();
        let index = (number as usize).checked_sub(1)?;
        let start = *starts.get(index)? as usize;
        let end = starts.get(index + 1).map_or(self.text().len(), |&next| next as usize);
        let body = self.text()[start..end].trim_end_matches(['\n', '\r']);
        Some(Span::new(start, start + body.len()))
    }

    /// How many lines there are; an empty text has one.
    pub fn line_count(&self) -> u32 {
        self.line_starts().len() as u32
    }

    fn line_starts(&self) -> &[u32] {
        self.0.lines.get_or_init(|| {
            let bytes = self.text().as_bytes();
            let mut starts = vec![0];
            for (index, &byte) in bytes.iter().enumerate() {
                if byte == b'\n' || (byte == b'\r' && bytes.get(index + 1) != Some(&b'\n')) {
                    starts.push(index as u32 + 1);
                }
            }
            starts
        })
    }
}

/// The nearest character boundary at or before an offset.
fn floor_boundary(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

impl Span {
    /// Offsets beyond 4 GiB cannot occur: `parse` refuses such sources.
    pub const fn new(start: usize, end: usize) -> Span {
        Span { start: start as u32, end: end as u32 }
    }

    /// An empty span at one offset.
    pub const fn at(offset: usize) -> Span {
        Span::new(offset, offset)
    }

    /// The smallest span that covers both.
    pub fn to(self, other: Span) -> Span {
        Span { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    pub const fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.start, self.end)
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Source({:?}, {} bytes)", self.name(), self.text().len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_in_every_customary_way() {
        let source = Source::new("x", "\u{feff}a\r\nbé\rc\n");
        assert_eq!(source.line_count(), 4);
        assert_eq!([1, 2, 3, 4].map(|n| source.line(n).unwrap()), ["a", "bé", "c", ""]);
        assert_eq!(source.line(5), None);
        assert_eq!(source.position(6), Position { line: 2, column: 3 });
        assert_eq!(source.position(99), Position { line: 4, column: 1 });
    }
}
