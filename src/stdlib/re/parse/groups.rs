//! What an opening parenthesis begins: groups with and without a name, look-around, conditions; and references back to groups.
//! The items of a sequence come here for it.

use std::fmt::Write;

use super::flags::flag_of;
use super::piece::{Piece, PieceKind};
use super::{IGNORECASE, Parser, Wrong};
use crate::stdlib::re::quoted;

/// As deep as groups may nest.
const MAX_DEPTH: usize = 50;

/// A capturing group.
pub(super) struct Group {
    pub(super) name: Option<String>,
    /// Nothing while the group is open.
    pub(super) width: Option<(u64, Option<u64>)>,
}

impl Parser<'_> {
    /// A reference back to a group.
    pub(super) fn reference(&mut self, number: usize, at: usize, start: usize) -> Result<Piece, Wrong> {
        let Some(group) = self.groups.get(number).filter(|_| number > 0) else {
            return self.wrong(format!("invalid group reference {number}"), at);
        };
        let Some(width) = group.width else { return self.wrong("cannot refer to an open group", start) };
        if self.look_behind.is_some_and(|known| number >= known) {
            return self.wrong("cannot refer to group defined in the same lookbehind subpattern", self.at);
        }
        self.backtracks = true;
        let fold = if self.is_set(IGNORECASE) { "(?i:" } else { "(?:" };
        let _ = write!(self.out, "{fold}\\{number})");
        Ok(Piece { width, weight: 8, kind: PieceKind::Item })
    }

    /// What an opening parenthesis begins.
    pub(super) fn group(&mut self, here: usize, first: bool) -> Result<Option<Piece>, Wrong> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Wrong::Unsupported("the groups of the pattern are nested too deeply"));
        }
        let piece = self.group_here(here, first)?;
        self.depth -= 1;
        Ok(piece)
    }

    fn group_here(&mut self, here: usize, first: bool) -> Result<Option<Piece>, Wrong> {
        if !self.eat('?') {
            return self.capture(here, None).map(Some);
        }
        let Some(char) = self.next() else { return self.unexpected_end() };
        match char {
            'P' => match self.next() {
                None => self.unexpected_end(),
                Some('<') => {
                    let at = self.at;
                    let name = self.name('>', "group name")?;
                    self.check_name(&name, at)?;
                    self.capture(here, Some((name, at))).map(Some)
                }
                Some('=') => {
                    let at = self.at;
                    let name = self.name(')', "group name")?;
                    self.check_name(&name, at)?;
                    let Some(number) = self.number_of(&name) else {
                        return self.wrong(format!("unknown group name {}", quoted(&name, self.is_bytes)), at);
                    };
                    self.reference(number, at, at).map(Some)
                }
                Some(other) => self.wrong(format!("unknown extension ?P{other}"), here + 1),
            },
            ':' => self.inner(here, "(?:").map(Some),
            '>' => {
                self.backtracks = true;
                self.inner(here, "(?>").map(Some)
            }
            '=' => self.look(here, "(?=", false).map(Some),
            '!' => self.look(here, "(?!", false).map(Some),
            '<' => match self.next() {
                None => self.unexpected_end(),
                Some('=') => self.look(here, "(?<=", true).map(Some),
                Some('!') => self.look(here, "(?<!", true).map(Some),
                Some(other) => self.wrong(format!("unknown extension ?<{other}"), here + 1),
            },
            '#' => loop {
                match self.next() {
                    None => return self.wrong("missing ), unterminated comment", here),
                    Some(')') => return Ok(None),
                    Some(_) => {}
                }
            },
            '(' => self.condition(here).map(Some),
            char if char == '-' || flag_of(char).is_some() => self.inline_flags(here, char, first),
            char => self.wrong(format!("unknown extension ?{char}"), here + 1),
        }
    }

    fn unexpected_end<T>(&self) -> Result<T, Wrong> {
        self.wrong("unexpected end of pattern", self.at)
    }

    /// A name up to what ends it.
    fn name(&mut self, end: char, what: &str) -> Result<String, Wrong> {
        let start = self.at;
        let mut name = String::new();
        loop {
            match self.next() {
                Some(char) if char == end => break,
                Some(char) => name.push(char),
                None if name.is_empty() => return self.wrong(format!("missing {what}"), start),
                None => return self.wrong(format!("missing {end}, unterminated name"), start),
            }
        }
        if name.is_empty() { self.wrong(format!("missing {what}"), start) } else { Ok(name) }
    }

    /// As `name`, for the names of characters.
    pub fn character_name(&mut self) -> Result<String, Wrong> {
        self.name('}', "character name")
    }

    fn check_name(&self, name: &str, at: usize) -> Result<(), Wrong> {
        let mut chars = name.chars();
        let begins = chars.next().is_some_and(|c| c == '_' || unicode_ident::is_xid_start(c));
        let is_identifier = begins && chars.all(unicode_ident::is_xid_continue) && (!self.is_bytes || name.is_ascii());
        if is_identifier {
            return Ok(());
        }
        self.wrong(format!("bad character in group name {}", quoted(name, self.is_bytes)), at)
    }

    fn number_of(&self, name: &str) -> Option<usize> {
        self.groups.iter().position(|group| group.name.as_deref() == Some(name))
    }

    fn capture(&mut self, here: usize, name: Option<(String, usize)>) -> Result<Piece, Wrong> {
        let number = self.groups.len();
        if let Some((name, at)) = &name
            && let Some(known) = self.number_of(name)
        {
            let name = quoted(name, self.is_bytes);
            return self.wrong(format!("redefinition of group name {name} as group {number}; was group {known}"), *at);
        }
        self.groups.push(Group { name: name.map(|(name, _)| name), width: None });
        self.out.push('(');
        let piece = self.body(here)?;
        self.out.push(')');
        self.groups[number].width = Some(piece.width);
        self.closing.push(number);
        Ok(Piece { weight: piece.weight + 2, kind: PieceKind::Item, ..piece })
    }

    pub(super) fn inner(&mut self, here: usize, open: &str) -> Result<Piece, Wrong> {
        self.out.push_str(open);
        let piece = self.body(here)?;
        self.out.push(')');
        Ok(Piece { kind: PieceKind::Item, ..piece })
    }

    /// What stands in a group, and its closing parenthesis. Flags set within end with it.
    fn body(&mut self, here: usize) -> Result<Piece, Wrong> {
        let flags = self.flags;
        let piece = self.alternatives(false)?;
        self.flags = flags;
        if !self.eat(')') {
            return self.wrong("missing ), unterminated subpattern", here);
        }
        Ok(piece)
    }

    fn look(&mut self, here: usize, open: &str, behind: bool) -> Result<Piece, Wrong> {
        self.backtracks = true;
        let outer = self.look_behind;
        if behind && outer.is_none() {
            self.look_behind = Some(self.groups.len());
        }
        let piece = self.inner(here, open)?;
        self.look_behind = outer;
        if behind && Some(piece.width.0) != piece.width.1 {
            return Err(Wrong::Nowhere("look-behind requires fixed-width pattern"));
        }
        Ok(Piece { width: (0, Some(0)), ..piece })
    }

    /// `(?(group)yes|no)`.
    fn condition(&mut self, here: usize) -> Result<Piece, Wrong> {
        let at = self.at;
        let name = self.name(')', "group name")?;
        let number = if name.bytes().all(|byte| byte.is_ascii_digit()) {
            match name.parse::<usize>() {
                Ok(0) => return self.wrong("bad group number", at),
                Ok(number) if number < 1_000_000 => number,
                _ => return self.wrong(format!("invalid group reference {name}"), at),
            }
        } else {
            self.check_name(&name, at)?;
            match self.number_of(&name) {
                Some(number) => number,
                None => return self.wrong(format!("unknown group name {}", quoted(&name, self.is_bytes)), at),
            }
        };
        self.backtracks = true;
        self.asked.push((number, at));
        if let Some(known) = self.look_behind {
            if self.groups.get(number).is_none_or(|group| group.width.is_none()) {
                return self.wrong("cannot refer to an open group", self.at);
            }
            if number >= known {
                return self.wrong("cannot refer to group defined in the same lookbehind subpattern", self.at);
            }
        }
        let flags = self.flags;
        let _ = write!(self.out, "(?({number})(?:");
        let yes = self.sequence(false)?;
        self.out.push_str(")|(?:");
        let no = if self.eat('|') { self.sequence(false)? } else { Piece::empty() };
        if self.peek() == Some('|') {
            return self.wrong("conditional backref with more than two branches", self.at);
        }
        self.out.push_str("))");
        self.flags = flags;
        if !self.eat(')') {
            return self.wrong("missing ), unterminated subpattern", here);
        }
        Ok(yes.or(no))
    }
}
