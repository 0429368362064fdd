//! Alternatives, sequences and single items of a pattern. `parse` and the groups read what they contain with it.

use super::piece::{Piece, PieceKind};
use super::{DOTALL, IGNORECASE, MULTILINE, Parser, VERBOSE, Wrong};
use crate::stdlib::re::escape::{self, Escape};
use crate::stdlib::re::set::Set;

impl Parser<'_> {
    /// `a|b|c`, up to the end of the group. `first` if nothing stands before it.
    pub(super) fn alternatives(&mut self, first: bool) -> Result<Piece, Wrong> {
        let start = self.out.len();
        let mut all = self.sequence(first)?;
        let mut several = false;
        while self.eat('|') {
            several = true;
            self.out.push('|');
            all = all.or(self.sequence(false)?);
        }
        if several {
            self.out.insert_str(start, "(?:");
            self.out.push(')');
        }
        Ok(all)
    }

    /// Items, one after the other.
    pub(super) fn sequence(&mut self, mut first: bool) -> Result<Piece, Wrong> {
        let mut all = Piece::empty();
        let mut last: Option<(usize, Piece)> = None;
        while let Some(char) = self.peek() {
            if matches!(char, '|' | ')') {
                break;
            }
            if self.is_set(VERBOSE) && self.skip_blank() {
                continue;
            }
            if let Some(repeated) = self.repeat(last)? {
                last = Some(repeated);
                continue;
            }
            if let Some((_, piece)) = last.take() {
                all = all.then(piece);
            }
            let start = self.out.len();
            if let Some(piece) = self.item(first)? {
                last = Some((start, piece));
                first = false;
            }
        }
        if let Some((_, piece)) = last {
            all = all.then(piece);
        }
        Ok(all)
    }

    /// Skips white space or a comment of the verbose syntax.
    fn skip_blank(&mut self) -> bool {
        match self.peek() {
            Some(' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c') => {
                self.at += 1;
                true
            }
            Some('#') => {
                while let Some(char) = self.next() {
                    if char == '\n' {
                        break;
                    }
                }
                true
            }
            _ => false,
        }
    }

    /// One item; nothing for flags and comments.
    fn item(&mut self, first: bool) -> Result<Option<Piece>, Wrong> {
        let here = self.at;
        let Some(char) = self.next() else { return Ok(None) };
        let position = Piece { kind: PieceKind::Position, ..Piece::of(0, 2) };
        Ok(Some(match char {
            '.' => {
                self.out.push_str(if self.is_set(DOTALL) { "(?s:.)" } else { "[^\\n]" });
                Piece::of(1, 4)
            }
            '^' => {
                self.out.push_str(if self.is_set(MULTILINE) { "(?m:^)" } else { "\\A" });
                position
            }
            '$' => {
                self.out.push_str(if self.is_set(MULTILINE) { "(?m:$)" } else { "(?=\\n?\\z)" });
                position
            }
            '[' => {
                let set = Set::parse(self, here)?;
                self.write_set(&set)
            }
            '(' => return self.group(here, first),
            '\\' => match Escape::parse(self, here)? {
                Escape::Char(char) => self.write_char(char),
                Escape::Class(class) => {
                    let set = Set::of_class(class);
                    self.write_set(&set)
                }
                Escape::Position(name) => {
                    self.write_position(name);
                    position
                }
                Escape::Group(number) => self.reference(number, here + 1, here)?,
            },
            char => self.write_char(char),
        }))
    }

    fn write_set(&mut self, set: &Set) -> Piece {
        let (ascii, fold) = (self.is_ascii(), self.is_set(IGNORECASE));
        let folded = fold && !ascii;
        if folded {
            self.out.push_str("(?i:");
        }
        let weight = set.write(&mut self.out, ascii, fold && ascii, self.is_bytes);
        if folded {
            self.out.push(')');
        }
        Piece::of(1, weight)
    }

    fn write_char(&mut self, char: char) -> Piece {
        if self.is_set(IGNORECASE) && (char.is_alphabetic() || !char.is_ascii()) {
            return self.write_set(&Set::of_char(char));
        }
        escape::write(&mut self.out, char, self.is_bytes);
        Piece::of(1, 1)
    }

    fn write_position(&mut self, name: char) {
        // The edge of a word, by what counts as a letter here.
        const INSIDE: &str = "[0-9A-Za-z_]";
        let text = match name {
            'A' => "\\A".to_owned(),
            'Z' => "\\z".to_owned(),
            name => {
                let edge = if self.is_ascii() {
                    format!("(?:(?<={INSIDE})(?!{INSIDE})|(?<!{INSIDE})(?={INSIDE}))")
                } else {
                    "\\b".to_owned()
                };
                match name {
                    'b' => edge,
                    // An empty text has no position that is not at an edge.
                    _ => format!("(?:(?!{edge})(?!\\A\\z))"),
                }
            }
        };
        self.out.push_str(&text);
    }
}
