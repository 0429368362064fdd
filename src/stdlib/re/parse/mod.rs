//! Patterns in Python's syntax, translated into that of the `fancy_regex` crate, with Python's errors. `parse` is called when a
//! pattern is compiled.
//!
//! One pass over the pattern writes the translation; what is written for an item always stands for itself, so that a repeat can
//! follow. The parser and its place in the pattern are here; alternatives, sequences and single items are in `items.rs`, repeats in
//! `repeats.rs`, all that begins with a parenthesis in `groups.rs`, flags in `flags.rs`. What is known of an item beside its
//! translation is its `Piece`. `../escape.rs` and `../set.rs` read with the same parser.

mod flags;
mod groups;
mod items;
mod piece;
mod repeats;

pub use flags::{ASCII, DOTALL, IGNORECASE, LOCALE, MULTILINE, UNICODE, VERBOSE};

use groups::Group;

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

/// The parser: where it is, and what it has found and written so far.
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
    let flags = flags::check(parser.global, is_bytes)?;
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
}
