//! Repeats: `*`, `+`, `?`, `{m,n}`, greedy, lazy and possessive. A sequence asks for one after each of its items.

use std::fmt::Write;

use super::piece::{Piece, PieceKind};
use super::{MAX_WEIGHT, Parser, Wrong};

/// One more repetition than a repeat can ask for.
const MAX_REPEAT: u64 = 4_294_967_295;

impl Parser<'_> {
    /// A repeat of the item before, if one stands here.
    pub(super) fn repeat(&mut self, last: Option<(usize, Piece)>) -> Result<Option<(usize, Piece)>, Wrong> {
        let here = self.at;
        let (least, most) = match self.peek() {
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('?') => (0, Some(1)),
            Some('{') => match self.counts()? {
                Some(counts) => counts,
                None => return Ok(None),
            },
            _ => return Ok(None),
        };
        if self.at == here {
            self.at += 1;
        }
        self.is_bounded &= most.is_some();
        let Some((start, piece)) = last.filter(|(_, piece)| piece.kind != PieceKind::Position) else {
            return self.wrong("nothing to repeat", here);
        };
        if piece.kind == PieceKind::Repeat {
            return self.wrong("multiple repeat", here);
        }
        if piece.width.1 == Some(0) {
            // Once is as good as often.
            let lazy = self.eat('?');
            let _ = !lazy && self.eat('+');
            if least == 0 {
                self.out.insert_str(start, if lazy { "(?:|" } else { "(?:" });
                self.out.push_str(if lazy { ")" } else { "|)" });
            }
            return Ok(Some((start, Piece { kind: PieceKind::Repeat, ..piece })));
        }
        match (least, most) {
            (0, None) => self.out.push('*'),
            (1, None) => self.out.push('+'),
            (0, Some(1)) => self.out.push('?'),
            (least, None) => {
                let _ = write!(self.out, "{{{least},}}");
            }
            (least, Some(most)) => {
                let _ = write!(self.out, "{{{least},{most}}}");
            }
        }
        if self.eat('?') {
            self.out.push('?');
        } else if self.eat('+') {
            // Possessive, which as a group of its own is the same for every form of repeat.
            self.backtracks = true;
            self.out.insert_str(start, "(?>");
            self.out.push(')');
        }
        // As a unit, so that what follows belongs to all of it.
        self.out.insert_str(start, "(?:");
        self.out.push(')');
        let width =
            (piece.width.0.saturating_mul(least), most.zip(piece.width.1).map(|(times, most)| times.saturating_mul(most)));
        let times = most.unwrap_or(least.max(1));
        let weight = piece.weight.max(1).saturating_mul(times.max(1)).saturating_add(1);
        if weight > MAX_WEIGHT {
            return Err(Wrong::Unsupported("the pattern is too large"));
        }
        Ok(Some((start, Piece { width, weight, kind: PieceKind::Repeat })))
    }

    /// `{m,n}` and its forms; nothing if the brace is a character like others.
    fn counts(&mut self) -> Result<Option<(u64, Option<u64>)>, Wrong> {
        let here = self.at;
        self.at += 1;
        if self.peek() == Some('}') {
            self.at = here;
            return Ok(None);
        }
        let least = self.number();
        let most = if self.eat(',') { self.number() } else { least.clone() };
        if !self.eat('}') {
            self.at = here;
            return Ok(None);
        }
        let number = |digits: &str| match digits {
            "" => Ok(None),
            digits => match digits.parse::<u64>() {
                Ok(number) if number < MAX_REPEAT => Ok(Some(number)),
                _ => Err(Wrong::TooLarge),
            },
        };
        let (least, most) = (number(&least)?.unwrap_or(0), number(&most)?);
        if most.is_some_and(|most| most < least) {
            return self.wrong("min repeat greater than max repeat", here + 1);
        }
        Ok(Some((least, most)))
    }

    fn number(&mut self) -> String {
        let mut digits = String::new();
        while let Some(digit) = self.peek().filter(char::is_ascii_digit) {
            digits.push(digit);
            self.at += 1;
        }
        digits
    }
}
