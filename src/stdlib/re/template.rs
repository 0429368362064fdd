//! Replacement templates: `\1`, `\g<name>` and escapes in what `sub` puts in the place of matches.

use super::parse::Wrong;
use super::quoted;

/// A part of a template.
pub enum Part {
    Text(String),
    Group(usize),
}

/// What is wrong with a template.
pub enum Bad {
    Wrong(Wrong),
    /// `IndexError`.
    UnknownName(String),
}

impl From<Wrong> for Bad {
    fn from(wrong: Wrong) -> Bad {
        Bad::Wrong(wrong)
    }
}

fn wrong<T>(message: impl Into<String>, at: usize) -> Result<T, Bad> {
    Err(Bad::Wrong(Wrong::At(message.into(), at)))
}

fn is_octal(char: Option<char>) -> bool {
    char.is_some_and(|char| ('0'..='7').contains(&char))
}

/// Reads a template for a pattern with so many groups of these names.
pub fn parse(template: &[char], is_bytes: bool, groups: usize, names: &[(String, usize)]) -> Result<Vec<Part>, Bad> {
    let mut parts = Vec::new();
    let mut text = String::new();
    let mut at = 0;
    let group = |number: usize, parts: &mut Vec<Part>, text: &mut String, place: usize| {
        if number > groups {
            return wrong(format!("invalid group reference {number}"), place);
        }
        if !text.is_empty() {
            parts.push(Part::Text(std::mem::take(text)));
        }
        parts.push(Part::Group(number));
        Ok(())
    };
    while let Some(&char) = template.get(at) {
        let start = at;
        at += 1;
        if char != '\\' {
            text.push(char);
            continue;
        }
        let Some(&char) = template.get(at) else { return wrong("bad escape (end of pattern)", start) };
        at += 1;
        match char {
            'g' => {
                let (name, place, after) = group_name(template, at)?;
                at = after;
                let number = number_of(&name, place, is_bytes, names)?;
                group(number, &mut parts, &mut text, place)?;
            }
            '0' => {
                let mut more = 0;
                while more < 2 && is_octal(template.get(at).copied()) {
                    at += 1;
                    more += 1;
                }
                text.push(octal(&template[start + 1..at], start)?);
            }
            '1'..='9' => {
                if template.get(at).is_some_and(char::is_ascii_digit) {
                    at += 1;
                    if template[start + 1..at].iter().all(|digit| is_octal(Some(*digit))) && is_octal(template.get(at).copied()) {
                        at += 1;
                        text.push(octal(&template[start + 1..at], start)?);
                        continue;
                    }
                }
                let digits: String = template[start + 1..at].iter().collect();
                group(digits.parse().unwrap_or(usize::MAX), &mut parts, &mut text, start + 1)?;
            }
            'a' => text.push('\x07'),
            'b' => text.push('\x08'),
            'f' => text.push('\x0c'),
            'n' => text.push('\n'),
            'r' => text.push('\r'),
            't' => text.push('\t'),
            'v' => text.push('\x0b'),
            '\\' => text.push('\\'),
            char if char.is_ascii_alphabetic() => return wrong(format!("bad escape \\{char}"), start),
            char => text.extend(['\\', char]),
        }
    }
    if !text.is_empty() {
        parts.push(Part::Text(text));
    }
    Ok(parts)
}

/// The name in `<name>`, where it stands, and where it ends.
fn group_name(template: &[char], at: usize) -> Result<(String, usize, usize), Bad> {
    if template.get(at) != Some(&'<') {
        return wrong("missing <", at);
    }
    let start = at + 1;
    match template[start..].iter().position(|char| *char == '>') {
        Some(0) => wrong("missing group name", start),
        Some(length) => Ok((template[start..start + length].iter().collect(), start, start + length + 1)),
        None if start == template.len() => wrong("missing group name", start),
        None => wrong("missing >, unterminated name", start),
    }
}

fn number_of(name: &str, place: usize, is_bytes: bool, names: &[(String, usize)]) -> Result<usize, Bad> {
    if name.bytes().all(|byte| byte.is_ascii_digit()) {
        let number = name.parse::<usize>().ok().filter(|number| *number < 1 << 31);
        return match number {
            Some(number) => Ok(number),
            None => wrong(format!("invalid group reference {name}"), place),
        };
    }
    let mut chars = name.chars();
    let begins = chars.next().is_some_and(|c| c == '_' || unicode_ident::is_xid_start(c));
    if !begins || !chars.all(unicode_ident::is_xid_continue) || is_bytes && !name.is_ascii() {
        return wrong(format!("bad character in group name {}", quoted(name, is_bytes)), place);
    }
    match names.iter().find(|(known, _)| known == name) {
        Some((_, number)) => Ok(*number),
        None => Err(Bad::UnknownName(format!("unknown group name {}", quoted(name, is_bytes)))),
    }
}

fn octal(digits: &[char], start: usize) -> Result<char, Bad> {
    let digits: String = digits.iter().collect();
    let code = u32::from_str_radix(&digits, 8).unwrap_or(u32::MAX);
    match char::from_u32(code).filter(|_| code <= 0o377) {
        Some(char) => Ok(char),
        None => wrong(format!("octal escape value \\{digits} outside of range 0-0o377"), start),
    }
}
