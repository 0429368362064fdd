//! Indentation: how wide a line begins, and which blocks that opens and closes.

use super::{Indent, Layout, error};
use crate::syntax::ast::MAX_BLOCKS;
use crate::syntax::error::{SyntaxError, SyntaxErrorKind as Kind};

impl Layout<'_> {
    /// Reads the indentation of a line that holds something; `true` if a block begins. Blank lines and comments are
    /// skipped.
    pub(super) fn indentation(&mut self) -> Result<bool, SyntaxError> {
        let bytes = self.text.as_bytes();
        let mut at = self.lexer.span().end;
        let (mut column, mut alternate) = (0u32, 0u32);
        let (mut joined, mut continued) = (None, false);
        let end = loop {
            match bytes.get(at) {
                Some(b' ') => {
                    column += 1;
                    alternate += 1;
                }
                Some(b'\t') => {
                    column = (column / 8 + 1) * 8;
                    alternate += 1;
                }
                Some(b'\x0c') => (column, alternate) = (0, 0),
                Some(b'\r' | b'\n') => {
                    (column, alternate) = (0, 0);
                    (joined, continued) = (None, false);
                }
                Some(b'#') => {
                    at += bytes[at..].iter().position(|byte| matches!(byte, b'\r' | b'\n')).unwrap_or(bytes.len() - at);
                    continue;
                }
                Some(b'\\') if matches!(bytes.get(at + 1), Some(b'\r' | b'\n')) => {
                    // A joined line is indented as its first part that is indented at all.
                    joined = joined.or((column > 0).then_some((column, column)));
                    continued = true;
                    at += if bytes[at + 1..].starts_with(b"\r\n") { 3 } else { 2 };
                    continue;
                }
                Some(_) => break at,
                None if continued => return Err(self.unexpected_end(at)),
                None => {
                    self.lexer.bump(at - self.lexer.span().end);
                    return Ok(false);
                }
            }
            at += 1;
        };
        self.lexer.bump(end - self.lexer.span().end);
        let (column, alternate) = joined.unwrap_or((column, alternate));
        let top = self.indents[self.indents.len() - 1];
        if column == top.column {
            self.match_line = false;
            return if alternate == top.alternate { Ok(false) } else { Err(self.tab_error(end)) };
        }
        if column > top.column {
            if alternate <= top.alternate {
                return Err(self.tab_error(end));
            }
            if self.indents.len() >= MAX_BLOCKS {
                let at = self.line_begin(end);
                return Err(error(Kind::TooManyIndents, at, at));
            }
            let cases = std::mem::take(&mut self.match_line);
            self.indents.push(Indent { column, alternate, cases });
            return Ok(true);
        }
        self.match_line = false;
        while self.indents[self.indents.len() - 1].column > column {
            self.indents.pop();
            self.dedents += 1;
        }
        let top = self.indents[self.indents.len() - 1];
        if top.column != column {
            let line_end = self.text[end..].find(['\r', '\n']).map_or(self.text.len(), |width| end + width);
            return Err(error(Kind::UnindentMismatch, line_end, line_end));
        }
        if top.alternate != alternate { Err(self.tab_error(end)) } else { Ok(false) }
    }

    #[cold]
    pub(super) fn tab_error(&self, at: usize) -> SyntaxError {
        let at = self.line_begin(at);
        error(Kind::InconsistentTabs, at, at)
    }

    pub(super) fn line_begin(&self, at: usize) -> usize {
        self.text[..at].rfind(['\r', '\n']).map_or(0, |end| end + 1)
    }
}
