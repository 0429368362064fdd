//! Patterns in Python's syntax, translated into that of the `fancy_regex` crate, with Python's errors.
//!
//! One pass over the pattern writes the translation; what is written for an item always stands for itself, so that a repeat can
//! follow. Beside it goes the width of what an item matches, for look-behinds, and a weight, so that no pattern grows out of hand.

use std::fmt::Write;

use super::escape::Escape;
use super::set::Set;

pub const IGNORECASE: u32 = 2;
pub const LOCALE: u32 = 4;
pub const MULTILINE: u32 = 8;
pub const DOTALL: u32 = 16;
pub const UNICODE: u32 = 32;
pub const VERBOSE: u32 = 64;
pub const ASCII: u32 = 256;

/// One more repetition than a repeat can ask for.
const MAX_REPEAT: u64 = 4_294_967_295;
/// As deep as groups may nest.
const MAX_DEPTH: usize = 50;
/// What a pattern may weigh, in about the states it takes.
const MAX_WEIGHT: u64 = 400_000;

/// What is wrong with a pattern.
pub enum Wrong {
    /// `re.error`, with the position in the pattern.
    At(String, usize),
    /// `re.error` without a position.
    Nowhere(&'static str),
    /// `ValueError`.
    Flags(&'static str),
    /// `OverflowError`: a repetition number.
    TooLarge,
    /// The pattern is correct, but more than is supported.
    Unsupported(&'static str),
}

/// A pattern that was read.
pub struct Parsed {
    /// The translation.
    pub text: String,
    pub flags: u32,
    /// The names of groups with their numbers, in the order of the numbers.
    pub names: Vec<(String, usize)>,
    /// The numbers of the groups, in the order in which they are closed.
    pub closing: Vec<usize>,
    pub groups: usize,
    pub weight: u64,
    /// Whether it matches nothing but empty texts.
    pub is_empty: bool,
    /// Whether there is a limit to how far it looks.
    pub is_bounded: bool,
    /// Whether searching may go back, as automata never do.
    pub backtracks: bool,
}

/// What was written for an item or a sequence.
#[derive(Clone, Copy)]
pub struct Piece {
    /// The fewest and the most characters it matches; `None` for no limit.
    pub width: (u64, Option<u64>),
    pub weight: u64,
    kind: PieceKind,
}

#[derive(Clone, Copy, PartialEq)]
enum PieceKind {
    Item,
    /// `^`, `\b` and the like, which cannot be repeated.
    Position,
    Repeat,
}

impl Piece {
    pub fn of(width: u64, weight: u64) -> Piece {
        Piece { width: (width, Some(width)), weight, kind: PieceKind::Item }
    }

    fn empty() -> Piece {
        Piece::of(0, 0)
    }

    fn then(self, next: Piece) -> Piece {
        let most = self.width.1.zip(next.width.1).map(|(a, b)| a.saturating_add(b));
        let width = (self.width.0.saturating_add(next.width.0), most);
        Piece { width, weight: self.weight.saturating_add(next.weight), kind: PieceKind::Item }
    }

    fn or(self, other: Piece) -> Piece {
        let most = self.width.1.zip(other.width.1).map(|(a, b)| a.max(b));
        let width = (self.width.0.min(other.width.0), most);
        Piece { width, weight: self.weight.saturating_add(other.weight), kind: PieceKind::Item }
    }
}

struct Group {
    name: Option<String>,
    /// Nothing while the group is open.
    width: Option<(u64, Option<u64>)>,
}

pub struct Parser<'a> {
    pub pattern: &'a [char],
    pub at: usize,
    pub is_bytes: bool,
    /// The flags in force here.
    pub flags: u32,
    /// The flags of the whole pattern.
    global: u32,
    out: String,
    groups: Vec<Group>,
    closing: Vec<usize>,
    /// How many groups there were when the outermost look-behind around began.
    look_behind: Option<usize>,
    /// Groups that conditions ask for, and where.
    asked: Vec<(usize, usize)>,
    depth: usize,
    backtracks: bool,
    is_bounded: bool,
}

/// Reads a pattern.
pub fn parse(pattern: &[char], is_bytes: bool, flags: u32) -> Result<Parsed, Wrong> {
    let mut parser = Parser {
        pattern,
        at: 0,
        is_bytes,
        flags,
        global: flags,
        out: String::new(),
        groups: vec![Group { name: None, width: None }],
        closing: Vec::new(),
        look_behind: None,
        asked: Vec::new(),
        depth: 0,
        backtracks: false,
        is_bounded: true,
    };
    let piece = parser.alternatives(true)?;
    if parser.at < pattern.len() {
        return Err(Wrong::At("unbalanced parenthesis".to_owned(), parser.at));
    }
    for (group, at) in &parser.asked {
        if *group >= parser.groups.len() {
            return Err(Wrong::At(format!("invalid group reference {group}"), *at));
        }
    }
    let flags = check_flags(parser.global, is_bytes)?;
    if piece.weight > MAX_WEIGHT {
        return Err(Wrong::Unsupported("the pattern is too large"));
    }
    let names = parser.groups.iter().enumerate().filter_map(|(number, group)| Some((group.name.clone()?, number)));
    Ok(Parsed {
        names: names.collect(),
        text: parser.out,
        flags,
        closing: parser.closing,
        groups: parser.groups.len() - 1,
        weight: piece.weight,
        is_empty: piece.width.1 == Some(0),
        is_bounded: parser.is_bounded,
        backtracks: parser.backtracks,
    })
}

fn check_flags(flags: u32, is_bytes: bool) -> Result<u32, Wrong> {
    if is_bytes {
        if flags & UNICODE != 0 {
            return Err(Wrong::Flags("cannot use UNICODE flag with a bytes pattern"));
        }
        if flags & LOCALE != 0 && flags & ASCII != 0 {
            return Err(Wrong::Flags("ASCII and LOCALE flags are incompatible"));
        }
        return Ok(flags);
    }
    if flags & LOCALE != 0 {
        return Err(Wrong::Flags("cannot use LOCALE flag with a str pattern"));
    }
    if flags & ASCII != 0 && flags & UNICODE != 0 {
        return Err(Wrong::Flags("ASCII and UNICODE flags are incompatible"));
    }
    Ok(if flags & ASCII == 0 { flags | UNICODE } else { flags })
}

impl Parser<'_> {
    pub fn peek(&self) -> Option<char> {
        self.pattern.get(self.at).copied()
    }

    pub fn next(&mut self) -> Option<char> {
        let char = self.peek()?;
        self.at += 1;
        Some(char)
    }

    fn eat(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    pub fn wrong<T>(&self, message: impl Into<String>, at: usize) -> Result<T, Wrong> {
        Err(Wrong::At(message.into(), at))
    }

    /// Whether classes and letters are ASCII only.
    pub fn is_ascii(&self) -> bool {
        self.is_bytes || self.flags & ASCII != 0
    }

    pub fn is_set(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }

    /// `a|b|c`, up to the end of the group. `first` if nothing stands before it.
    fn alternatives(&mut self, first: bool) -> Result<Piece, Wrong> {
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
    fn sequence(&mut self, mut first: bool) -> Result<Piece, Wrong> {
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

    /// A repeat of the item before, if one stands here.
    fn repeat(&mut self, last: Option<(usize, Piece)>) -> Result<Option<(usize, Piece)>, Wrong> {
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
        super::escape::write(&mut self.out, char, self.is_bytes);
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

    /// A reference back to a group.
    fn reference(&mut self, number: usize, at: usize, start: usize) -> Result<Piece, Wrong> {
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
    fn group(&mut self, here: usize, first: bool) -> Result<Option<Piece>, Wrong> {
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
                        return self.wrong(format!("unknown group name {}", super::quoted(&name, self.is_bytes)), at);
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
        self.wrong(format!("bad character in group name {}", super::quoted(name, self.is_bytes)), at)
    }

    fn number_of(&self, name: &str) -> Option<usize> {
        self.groups.iter().position(|group| group.name.as_deref() == Some(name))
    }

    fn capture(&mut self, here: usize, name: Option<(String, usize)>) -> Result<Piece, Wrong> {
        let number = self.groups.len();
        if let Some((name, at)) = &name
            && let Some(known) = self.number_of(name)
        {
            let name = super::quoted(name, self.is_bytes);
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

    fn inner(&mut self, here: usize, open: &str) -> Result<Piece, Wrong> {
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
                None => return self.wrong(format!("unknown group name {}", super::quoted(&name, self.is_bytes)), at),
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

    /// `(?i)`, `(?i-s:...)`.
    fn inline_flags(&mut self, here: usize, begins: char, first: bool) -> Result<Option<Piece>, Wrong> {
        let (mut on, mut off) = (0, 0);
        let mut char = begins;
        let kinds = ASCII | LOCALE | UNICODE;
        if char != '-' {
            loop {
                let flag = flag_of(char).unwrap_or(0);
                if self.is_bytes && flag == UNICODE {
                    return self.wrong("bad inline flags: cannot use 'u' flag with a bytes pattern", self.at);
                }
                if !self.is_bytes && flag == LOCALE {
                    return self.wrong("bad inline flags: cannot use 'L' flag with a str pattern", self.at);
                }
                on |= flag;
                if flag & kinds != 0 && on & kinds != flag {
                    return self.wrong("bad inline flags: flags 'a', 'u' and 'L' are incompatible", self.at);
                }
                let Some(next) = self.next() else { return self.wrong("missing -, : or )", self.at) };
                char = next;
                if matches!(char, ')' | '-' | ':') {
                    break;
                }
                if flag_of(char).is_none() {
                    let what = if char.is_alphabetic() { "unknown flag" } else { "missing -, : or )" };
                    return self.wrong(what, self.at - 1);
                }
            }
        }
        if char == ')' {
            if !first || !self.out.is_empty() {
                return self.wrong("global flags not at the start of the expression", here);
            }
            self.global |= on;
            self.flags |= on;
            return Ok(None);
        }
        if on & !(kinds | IGNORECASE | MULTILINE | DOTALL | VERBOSE) != 0 {
            return self.wrong("bad inline flags: cannot turn on global flag", self.at - 1);
        }
        if char == '-' {
            let Some(next) = self.next() else { return self.wrong("missing flag", self.at) };
            char = next;
            if flag_of(char).is_none() {
                let what = if char.is_alphabetic() { "unknown flag" } else { "missing flag" };
                return self.wrong(what, self.at - 1);
            }
            loop {
                let flag = flag_of(char).unwrap_or(0);
                if flag & kinds != 0 {
                    return self.wrong("bad inline flags: cannot turn off flags 'a', 'u' and 'L'", self.at);
                }
                off |= flag;
                let Some(next) = self.next() else { return self.wrong("missing :", self.at) };
                char = next;
                if char == ':' {
                    break;
                }
                if flag_of(char).is_none() {
                    let what = if char.is_alphabetic() { "unknown flag" } else { "missing :" };
                    return self.wrong(what, self.at - 1);
                }
            }
        }
        if on & off != 0 {
            return self.wrong("bad inline flags: flag turned on and off", self.at - 1);
        }
        let outer = self.flags;
        if on & kinds != 0 {
            self.flags &= !kinds;
        }
        self.flags = (self.flags | on) & !off;
        let piece = self.inner(here, "(?:");
        self.flags = outer;
        piece.map(Some)
    }
}

/// What a letter among inline flags stands for. `t` is one for the sake of old patterns, and means nothing.
fn flag_of(char: char) -> Option<u32> {
    Some(match char {
        'i' => IGNORECASE,
        'L' => LOCALE,
        'm' => MULTILINE,
        's' => DOTALL,
        'x' => VERBOSE,
        'a' => ASCII,
        't' => 1,
        'u' => UNICODE,
        _ => return None,
    })
}
