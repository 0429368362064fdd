//! Flags: their values, which of them go together, and those written in the pattern, as in `(?i)` and `(?i-s:...)`. `parse` checks
//! them, the groups come here for inline ones.

use super::piece::Piece;
use super::{Parser, Wrong};

pub const IGNORECASE: u32 = 2;
pub const LOCALE: u32 = 4;
pub const MULTILINE: u32 = 8;
pub const DOTALL: u32 = 16;
pub const UNICODE: u32 = 32;
pub const VERBOSE: u32 = 64;
pub const ASCII: u32 = 256;

/// The flags of a whole pattern, with the one that is meant where none says what letters are.
pub(super) fn check(flags: u32, is_bytes: bool) -> Result<u32, Wrong> {
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
    /// `(?i)`, `(?i-s:...)`.
    pub(super) fn inline_flags(&mut self, here: usize, begins: char, first: bool) -> Result<Option<Piece>, Wrong> {
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
pub(super) fn flag_of(char: char) -> Option<u32> {
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
