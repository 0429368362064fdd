//! Escapes in patterns, and characters as the translation has them.

use std::fmt::Write;

use super::parse::{Parser, Wrong};

/// What a backslash and what follows it stand for.
pub enum Escape {
    Char(char),
    /// `\d` and the like, by letter.
    Class(char),
    /// `\A`, `\Z`, `\b`, `\B`.
    Position(char),
    /// `\1`.
    Group(usize),
}

/// Appends a character that stands for itself.
pub fn write(out: &mut String, char: char, is_bytes: bool) {
    match char {
        char if char.is_ascii_alphanumeric() || char == '_' => out.push(char),
        char if char.is_ascii() || is_bytes => {
            let _ = write!(out, "\\x{:02x}", char as u32);
        }
        char => out.push(char),
    }
}

fn is_octal(char: Option<char>) -> bool {
    char.is_some_and(|char| ('0'..='7').contains(&char))
}

impl Escape {
    /// Reads an escape outside of a set; `start` is where its backslash stands.
    pub fn parse(parser: &mut Parser<'_>, start: usize) -> Result<Escape, Wrong> {
        let Some(char) = parser.next() else { return parser.wrong("bad escape (end of pattern)", start) };
        match char {
            'A' | 'Z' | 'b' | 'B' => return Ok(Escape::Position(char)),
            '0' => {
                for _ in 0..2 {
                    if is_octal(parser.peek()) {
                        parser.at += 1;
                    }
                }
                return octal(parser, start).map(Escape::Char);
            }
            '1'..='9' => {
                if parser.peek().is_some_and(|char| char.is_ascii_digit()) {
                    parser.at += 1;
                    let digits = &parser.pattern[start + 1..parser.at];
                    if digits.iter().all(|digit| is_octal(Some(*digit))) && is_octal(parser.peek()) {
                        parser.at += 1;
                        return octal(parser, start).map(Escape::Char);
                    }
                }
                let digits: String = parser.pattern[start + 1..parser.at].iter().collect();
                return Ok(Escape::Group(digits.parse().unwrap_or(usize::MAX)));
            }
            _ => {}
        }
        Escape::common(parser, start, char)
    }

    /// Reads an escape in a set.
    pub fn parse_in_set(parser: &mut Parser<'_>, start: usize) -> Result<Escape, Wrong> {
        let Some(char) = parser.next() else { return parser.wrong("bad escape (end of pattern)", start) };
        match char {
            'b' => Ok(Escape::Char('\x08')),
            '0'..='7' => {
                for _ in 0..2 {
                    if is_octal(parser.peek()) {
                        parser.at += 1;
                    }
                }
                octal(parser, start).map(Escape::Char)
            }
            '8' | '9' => bad(parser, start),
            char => Escape::common(parser, start, char),
        }
    }

    fn common(parser: &mut Parser<'_>, start: usize, char: char) -> Result<Escape, Wrong> {
        Ok(match char {
            'd' | 'D' | 's' | 'S' | 'w' | 'W' => Escape::Class(char),
            'a' => Escape::Char('\x07'),
            'f' => Escape::Char('\x0c'),
            'n' => Escape::Char('\n'),
            'r' => Escape::Char('\r'),
            't' => Escape::Char('\t'),
            'v' => Escape::Char('\x0b'),
            'x' => Escape::Char(hex(parser, start, 2)?),
            'u' if !parser.is_bytes => Escape::Char(hex(parser, start, 4)?),
            'U' if !parser.is_bytes => Escape::Char(hex(parser, start, 8)?),
            'N' if !parser.is_bytes => Escape::Char(named(parser, start)?),
            char if char.is_ascii_alphabetic() => return bad(parser, start),
            char => Escape::Char(char),
        })
    }
}

fn bad<T>(parser: &Parser<'_>, start: usize) -> Result<T, Wrong> {
    let escape: String = parser.pattern[start..parser.at].iter().collect();
    parser.wrong(format!("bad escape {escape}"), start)
}

fn octal(parser: &Parser<'_>, start: usize) -> Result<char, Wrong> {
    let digits: String = parser.pattern[start + 1..parser.at].iter().collect();
    let code = u32::from_str_radix(&digits, 8).unwrap_or(u32::MAX);
    match char::from_u32(code).filter(|_| code <= 0o377) {
        Some(char) => Ok(char),
        None => parser.wrong(format!("octal escape value \\{digits} outside of range 0-0o377"), start),
    }
}

fn hex(parser: &mut Parser<'_>, start: usize, count: usize) -> Result<char, Wrong> {
    let from = parser.at;
    while parser.at - from < count && parser.peek().is_some_and(|char| char.is_ascii_hexdigit()) {
        parser.at += 1;
    }
    let digits: String = parser.pattern[from..parser.at].iter().collect();
    if digits.len() < count {
        let escape: String = parser.pattern[start..parser.at].iter().collect();
        return parser.wrong(format!("incomplete escape {escape}"), start);
    }
    match u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32) {
        Some(char) => Ok(char),
        None => bad(parser, start),
    }
}

/// `\N{NAME}`.
fn named(parser: &mut Parser<'_>, start: usize) -> Result<char, Wrong> {
    if parser.peek() != Some('{') {
        return parser.wrong("missing {", parser.at);
    }
    parser.at += 1;
    let name = parser.character_name()?;
    match crate::syntax::character_named(&name) {
        Some(char) => Ok(char),
        None => parser.wrong(format!("undefined character name {}", super::quoted(&name, false)), start),
    }
}
