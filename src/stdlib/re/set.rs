//! Sets of characters: `[a-z\d]`, and `\d` and its kin alone.

use std::fmt::Write;

use super::escape::{self, Escape};
use super::parse::{Parser, Wrong};

/// A set of characters.
pub struct Set {
    negated: bool,
    items: Vec<Item>,
}

enum Item {
    Range(char, char),
    /// `\d` and the like, by letter.
    Class(char),
}

impl Set {
    pub fn of_char(char: char) -> Set {
        Set { negated: false, items: vec![Item::Range(char, char)] }
    }

    pub fn of_class(class: char) -> Set {
        Set { negated: false, items: vec![Item::Class(class)] }
    }

    /// Reads a set; `here` is where its bracket stands.
    pub fn parse(parser: &mut Parser<'_>, here: usize) -> Result<Set, Wrong> {
        let negated = parser.peek() == Some('^');
        parser.at += usize::from(negated);
        let mut items = Vec::new();
        let unterminated = |parser: &Parser<'_>| parser.wrong("unterminated character set", here);
        loop {
            let start = parser.at;
            let Some(char) = parser.next() else { return unterminated(parser) };
            if char == ']' && !items.is_empty() {
                return Ok(Set { negated, items });
            }
            let low = member(parser, start, char)?;
            if parser.peek() != Some('-') {
                items.push(low);
                continue;
            }
            parser.at += 1;
            let from = parser.at;
            let Some(char) = parser.next() else { return unterminated(parser) };
            if char == ']' {
                items.push(low);
                items.push(Item::Range('-', '-'));
                return Ok(Set { negated, items });
            }
            let high = member(parser, from, char)?;
            match (low, high) {
                (Item::Range(low, _), Item::Range(high, _)) if low <= high => items.push(Item::Range(low, high)),
                _ => {
                    let range: String = parser.pattern[start..parser.at].iter().collect();
                    return parser.wrong(format!("bad character range {range}"), start);
                }
            }
        }
    }

    /// Appends the set; gives its weight. `fold` adds the other cases of ASCII letters.
    pub fn write(&self, out: &mut String, ascii: bool, fold: bool, is_bytes: bool) -> u64 {
        out.push_str(if self.negated { "[^" } else { "[" });
        let mut weight = 2;
        for item in &self.items {
            match item {
                Item::Class(class) => {
                    let (text, cost) = class_text(*class, ascii);
                    out.push_str(text);
                    weight += cost;
                }
                Item::Range(low, high) => {
                    range(out, *low, *high, is_bytes);
                    weight += 2;
                    if fold {
                        other_case(out, *low, *high, 'a', 'A');
                        other_case(out, *low, *high, 'A', 'a');
                    }
                }
            }
        }
        out.push(']');
        weight
    }
}

fn member(parser: &mut Parser<'_>, start: usize, char: char) -> Result<Item, Wrong> {
    if char != '\\' {
        return Ok(Item::Range(char, char));
    }
    Ok(match Escape::parse_in_set(parser, start)? {
        Escape::Char(char) => Item::Range(char, char),
        Escape::Class(class) => Item::Class(class),
        Escape::Position(_) | Escape::Group(_) => unreachable!("not in sets"),
    })
}

fn range(out: &mut String, low: char, high: char, is_bytes: bool) {
    escape::write(out, low, is_bytes);
    if low != high {
        out.push('-');
        escape::write(out, high, is_bytes);
    }
}

/// Adds what the letters of the alphabet that begins with `from` and lie in the range are in the other case.
fn other_case(out: &mut String, low: char, high: char, from: char, to: char) {
    let (first, last) = (low.max(from), high.min(char::from(from as u8 + 25)));
    if first <= last {
        let other = |char: char| char::from(char as u8 - from as u8 + to as u8);
        let _ = write!(out, "{}-{}", other(first), other(last));
    }
}

/// What a class is within brackets, and about how much.
fn class_text(class: char, ascii: bool) -> (&'static str, u64) {
    match (class, ascii) {
        ('d', true) => ("0-9", 1),
        ('D', true) => ("[^0-9]", 2),
        ('s', true) => (" \\t\\n\\r\\x0b\\x0c", 3),
        ('S', true) => ("[^ \\t\\n\\r\\x0b\\x0c]", 4),
        ('w', true) => ("0-9A-Za-z_", 4),
        ('W', true) => ("[^0-9A-Za-z_]", 5),
        ('d', false) => ("\\p{Nd}", 60),
        ('D', false) => ("\\P{Nd}", 60),
        ('s', false) => ("\\s\\x1c-\\x1f", 10),
        ('S', false) => ("[^\\s\\x1c-\\x1f]", 10),
        ('w', false) => ("\\p{L}\\p{N}_", 400),
        _ => ("[^\\p{L}\\p{N}_]", 400),
    }
}
