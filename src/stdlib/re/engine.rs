//! Searching: a pattern's compiled forms, the text that is searched, and the walk from match to match.

use std::cell::OnceCell;

use fancy_regex::{BytesMode, Input, Regex, RegexBuilder, RegexInput};

use super::pattern::Pattern;
use crate::value::{Bytes, R, Raised, Ref, Str, Value};
use crate::vm::{Vm, binary};

/// As many steps back as one search may take.
const BACKTRACK_LIMIT: usize = 1_000_000;
/// A pattern that goes back searches no more bytes than this at once.
const AT_ONCE: usize = 8192;
/// As large as the automaton of a pattern may become, in bytes.
const SIZE_LIMIT: usize = 8 << 20;

/// Where groups matched, in bytes of the text; the whole match is group 0.
pub type Spans = Box<[Option<(usize, usize)>]>;

/// How a match may lie.
#[derive(Clone, Copy, PartialEq)]
pub enum Mode {
    /// Anywhere from the start on.
    Search,
    /// At the start.
    Match,
    /// From the start to the end.
    Full,
    /// At the start, and not empty.
    Advance,
}

/// The forms in which a pattern is searched, made when they are needed.
#[derive(Default)]
pub struct Engine {
    search: OnceCell<Regex>,
    full: OnceCell<Regex>,
    advance: OnceCell<Regex>,
}

/// The text that is searched.
#[derive(Clone)]
pub enum Subject {
    Text(Ref<Str>),
    Bytes(Ref<Bytes>),
}

impl Subject {
    /// The text of a value, as the pattern wants it.
    pub fn of(vm: &Vm, pattern: &Pattern, value: &Value) -> R<Subject> {
        if let Some(text) = value.payload::<Str>() {
            if pattern.is_bytes {
                return Err(vm.type_error("cannot use a bytes pattern on a string-like object"));
            }
            return Ok(Subject::Text(text.clone()));
        }
        let Some(data) = binary::bytes_of(value) else {
            let given = vm.class_of(value).name();
            return Err(vm.type_error(format!("expected string or bytes-like object, got '{}'", given.as_str())));
        };
        if !pattern.is_bytes {
            return Err(vm.type_error("cannot use a string pattern on a bytes-like object"));
        }
        match value.downcast::<Bytes>() {
            Some(bytes) => Ok(Subject::Bytes(bytes.clone())),
            None => Ok(Subject::Bytes(vm.heap.bytes_object(data))),
        }
    }

    /// Its length as scripts count it.
    pub fn len(&self) -> usize {
        match self {
            Subject::Text(text) => text.len(),
            Subject::Bytes(bytes) => bytes.data().len(),
        }
    }

    /// The byte at which the code point of this index begins.
    pub fn offset(&self, index: usize) -> usize {
        match self {
            Subject::Text(text) => text.offset(index),
            Subject::Bytes(_) => index,
        }
    }

    /// The index of the code point that begins at a byte, counted from one whose index is known.
    pub fn index(&self, byte: usize, known: (usize, usize)) -> usize {
        match self {
            Subject::Text(text) if !text.is_ascii() => {
                let all = text.as_str();
                if byte >= known.0 {
                    known.1 + all[known.0..byte].chars().count()
                } else {
                    known.1 - all[byte..known.0].chars().count()
                }
            }
            _ => byte,
        }
    }

    /// The byte after the code point that begins at this one.
    fn after(&self, byte: usize) -> usize {
        match self {
            Subject::Text(text) => byte + text.as_str()[byte..].chars().next().map_or(1, char::len_utf8),
            Subject::Bytes(_) => byte + 1,
        }
    }

    /// A part of it as a value.
    pub fn part(&self, vm: &Vm, start: usize, end: usize) -> Value {
        match self {
            Subject::Text(text) if start == 0 && end == text.byte_len() => Value::from(text),
            Subject::Text(text) => vm.str_value(&text.as_str()[start..end]),
            Subject::Bytes(bytes) if start == 0 && end == bytes.data().len() => Value::from(bytes),
            Subject::Bytes(bytes) => Value::from(vm.heap.bytes_object(&bytes.data()[start..end])),
        }
    }

    /// A part of it as bytes.
    pub fn bytes(&self, start: usize, end: usize) -> &[u8] {
        match self {
            Subject::Text(text) => &text.as_str().as_bytes()[start..end],
            Subject::Bytes(bytes) => &bytes.data()[start..end],
        }
    }
}

impl Engine {
    /// Makes the form that searches, to see whether the pattern can be had at all.
    pub fn check(&self, vm: &Vm, pattern: &Pattern) -> R<()> {
        self.form(vm, pattern, Mode::Search).map(|_| ())
    }

    fn form(&self, vm: &Vm, pattern: &Pattern, mode: Mode) -> R<&Regex> {
        let place = match mode {
            Mode::Search | Mode::Match => &self.search,
            Mode::Full => &self.full,
            Mode::Advance => &self.advance,
        };
        if let Some(known) = place.get() {
            return Ok(known);
        }
        vm.charge(pattern.weight / 8 + 16)?;
        let text = if mode == Mode::Full { format!("(?:{})\\z", pattern.text) } else { pattern.text.clone() };
        let mut builder = RegexBuilder::new(&text);
        builder.backtrack_limit(BACKTRACK_LIMIT).delegate_size_limit(SIZE_LIMIT);
        builder.find_not_empty(mode == Mode::Advance);
        if pattern.is_bytes {
            builder.bytes_mode(BytesMode::Ascii);
        }
        match builder.build() {
            Ok(made) => Ok(place.get_or_init(|| made)),
            Err(error) => Err(vm.not_implemented_error(format!("this pattern is not supported: {error}"))),
        }
    }

    /// The first match of a pattern between two bytes of a text.
    pub fn find(&self, vm: &Vm, pattern: &Pattern, subject: &Subject, start: usize, end: usize, mode: Mode) -> R<Option<Spans>> {
        let regex = self.form(vm, pattern, mode)?;
        if mode == Mode::Search && pattern.backtracks && end - start > AT_ONCE {
            return crawl(vm, regex, pattern, subject, start, end);
        }
        let found = once(vm, regex, subject, start, end, mode != Mode::Search)?;
        let walked = match found.as_ref().and_then(|spans| spans[0]) {
            Some((_, last)) => last.saturating_sub(start),
            None if mode == Mode::Search => end - start,
            None => 1,
        };
        vm.charge(1 + (walked / if pattern.backtracks { 4 } else { 64 }) as u64)?;
        Ok(found)
    }
}

/// The first match of a pattern that goes back, one place after the other: each may take as long as the text is, and nothing but
/// counting them lets limits end the search.
fn crawl(vm: &Vm, regex: &Regex, pattern: &Pattern, subject: &Subject, start: usize, end: usize) -> R<Option<Spans>> {
    let mut at = start;
    loop {
        vm.charge(1 + if pattern.is_bounded { 0 } else { (end - at) as u64 / 4096 })?;
        let found = once(vm, regex, subject, at, end, true)?;
        if found.is_some() || at >= end {
            return Ok(found);
        }
        at = subject.after(at);
    }
}

/// One search, or one look at a place.
fn once(vm: &Vm, regex: &Regex, subject: &Subject, start: usize, end: usize, anchored: bool) -> R<Option<Spans>> {
    let found = match subject {
        Subject::Text(text) => search(regex, &text.as_str()[..end], start, anchored),
        Subject::Bytes(bytes) => search(regex, &bytes.data()[..end], start, anchored),
    };
    found.map_err(|_| too_hard(vm))
}

#[cold]
fn too_hard(vm: &Vm) -> Raised {
    vm.runtime_error("the search was given up: the pattern goes back too often in this text")
}

fn search<S>(regex: &Regex, text: &S, start: usize, anchored: bool) -> fancy_regex::Result<Option<Spans>>
where
    S: Input + ?Sized + 'static,
    for<'t> S::Match<'t>: Span,
{
    let input = RegexInput::new(text).from_pos(start).anchored(anchored);
    let Some(captures) = regex.captures_input(input)? else { return Ok(None) };
    Ok(Some((0..captures.len()).map(|group| captures.get(group).map(|found| found.span())).collect()))
}

/// A match of a group, in a text or in bytes.
trait Span {
    fn span(&self) -> (usize, usize);
}

impl Span for fancy_regex::Match<'_> {
    fn span(&self) -> (usize, usize) {
        (self.start(), self.end())
    }
}

impl Span for fancy_regex::MatchBytes<'_> {
    fn span(&self) -> (usize, usize) {
        (self.start(), self.end())
    }
}

/// The matches of a pattern in a text, one after the other: data, so that an iterator can be left and gone on with.
pub struct Walk {
    pub subject: Subject,
    /// The byte from which the next match is searched.
    at: usize,
    /// The byte at which the text ends for this walk.
    end: usize,
    /// The last match was empty: the next one at the same place must not be.
    must_advance: bool,
    /// The index of a code point that is known, for the bytes before which it stands.
    known: (usize, usize),
    done: bool,
}

impl Walk {
    pub fn new(subject: Subject, start: usize, end: usize) -> Walk {
        let (at, end) = (subject.offset(start), subject.offset(end));
        Walk { subject, at, end, must_advance: false, known: (at, start), done: start > end }
    }

    /// The next match, and the index at which it begins.
    pub fn next(&mut self, vm: &Vm, pattern: &Pattern) -> R<Option<(Spans, usize)>> {
        self.step(vm, pattern, Mode::Search)
    }

    /// The next match of this kind: anywhere, or at the place where the last one ended.
    pub fn step(&mut self, vm: &Vm, pattern: &Pattern, mode: Mode) -> R<Option<(Spans, usize)>> {
        if self.done {
            return Ok(None);
        }
        let mut found = None;
        if self.must_advance {
            if !pattern.is_empty {
                found = pattern.engine.find(vm, pattern, &self.subject, self.at, self.end, Mode::Advance)?;
            }
            if found.is_none() {
                if self.at >= self.end || mode == Mode::Match {
                    self.done = true;
                    return Ok(None);
                }
                self.at = self.subject.after(self.at);
            }
        }
        if found.is_none() {
            found = pattern.engine.find(vm, pattern, &self.subject, self.at, self.end, mode)?;
        }
        let Some((spans, (start, end))) = found.and_then(|spans| spans[0].map(|whole| (spans, whole))) else {
            self.done = true;
            return Ok(None);
        };
        self.known = (start, self.subject.index(start, self.known));
        self.at = end;
        self.must_advance = start == end;
        Ok(Some((spans, self.known.1)))
    }
}
