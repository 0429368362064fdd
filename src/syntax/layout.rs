//! From words to the tokens the grammar reads: lines become `Newline`, indentation becomes `Indent` and `Dedent`,
//! brackets join lines, f-strings are opened up, and the soft keywords are told from names. Called by `parse`.
//!
//! # f-strings
//!
//! `f"a{b:>{c}}d"` becomes `FStringStart` `FStringMiddle` `{` Name `:` `FStringMiddle` `{` Name `}` `}` `FStringMiddle`
//! `FStringEnd`, so that the grammar reads the fields as it reads everything else. A stack of modes says whether the next
//! bytes are text, words of a field, or text of a format specification:
//!
//! ```text
//!   f"a{b:>{c}}d"
//!   Text            modes: [Text]
//!      ^ {          modes: [Text, Field]
//!        ^ :        modes: [Text, Field, Spec]
//!          ^ {      modes: [Text, Field, Spec, Field]
//!            ^^ }}  modes: [Text]
//! ```
//!
//! # Soft keywords
//!
//! `type` is a keyword if it begins a statement and a name follows. `case` is one at the beginning of a line directly
//! inside the block of a `match`. `match` is one if it begins a line and what follows can only be a subject, or the line
//! ends in a colon or has a block. The parenthesis after `with` encloses items if an `as` stands in it, or a comma and
//! a colon follows it.
//! Looking ahead is done on a copy of the whole state, at most once a line.

mod indentation;
mod soft_keywords;
mod strings;

use logos::{Lexer, Logos};

use super::error::{SyntaxError, SyntaxErrorKind as Kind};
use super::literal;
use super::source::Span;
use super::token::Token;
use super::warning::Warning;

/// As many brackets may be open at once as in CPython.
const MAX_BRACKETS: usize = 200;
/// And as many f-strings inside one another.
const MAX_FSTRINGS: usize = 150;

/// A token and where it stands.
pub type Spanned = (u32, Token, u32);

/// The stream of tokens of one source.
#[derive(Clone)]
pub struct Layout<'s> {
    lexer: Lexer<'s, Token>,
    text: &'s str,
    /// The first token, saying what is to be parsed.
    start: Option<Token>,
    /// Widths of the open indentations; the first is zero.
    indents: Vec<Indent>,
    /// `Dedent`s still to be given out.
    dedents: usize,
    /// Open brackets with their offsets.
    brackets: Vec<(u8, u32)>,
    modes: Vec<Mode>,
    fstrings: Vec<FString>,
    /// The next bytes are the indentation of a new line.
    line_start: bool,
    /// The token given out last.
    last: Token,
    /// This line began with the keyword `match`: the next block is one of cases.
    match_line: bool,
    /// The next parenthesis encloses the items of a `with`.
    with_paren: bool,
    /// Looking ahead: soft keywords need not be decided.
    scout: bool,
    warnings: Vec<Warning>,
}

#[derive(Clone, Copy)]
struct Indent {
    /// With a tab reaching to the next multiple of eight.
    column: u32,
    /// With a tab counting as one: both must agree, or the program depends on the size of tabs.
    alternate: u32,
    /// The block of a `match`.
    cases: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Text,
    /// Words until a `}` or `:` where this many brackets are open.
    Field(usize),
    Spec,
}

#[derive(Clone, Copy)]
struct FString {
    start: u32,
    quote: u8,
    triple: bool,
    raw: bool,
    /// Brackets open outside.
    depth: usize,
}

impl<'s> Layout<'s> {
    /// `start` is the token the stream begins with.
    pub fn new(text: &'s str, start: Token) -> Layout<'s> {
        Layout {
            lexer: Token::lexer(text),
            text,
            start: Some(start),
            indents: vec![Indent { column: 0, alternate: 0, cases: false }],
            dedents: 0,
            brackets: Vec::new(),
            modes: Vec::new(),
            fstrings: Vec::new(),
            line_start: true,
            last: Token::Newline,
            match_line: false,
            with_paren: false,
            scout: false,
            warnings: Vec::new(),
        }
    }

    pub fn take_warnings(&mut self) -> Vec<Warning> {
        std::mem::take(&mut self.warnings)
    }

    /// The bracket that is open innermost, with its offset.
    pub fn open_bracket(&self) -> Option<(char, u32)> {
        self.brackets.last().map(|&(bracket, offset)| (bracket as char, offset))
    }

    fn advance(&mut self) -> Result<Option<Spanned>, SyntaxError> {
        loop {
            if self.dedents > 0 {
                self.dedents -= 1;
                return Ok(Some(self.give_at(Token::Dedent)));
            }
            match self.modes.last() {
                Some(Mode::Text) => return self.fstring_text(false).map(Some),
                Some(Mode::Spec) => return self.fstring_text(true).map(Some),
                _ => {}
            }
            if self.line_start && self.brackets.is_empty() {
                self.line_start = false;
                if self.indentation()? {
                    return Ok(Some(self.give_at(Token::Indent)));
                }
                continue;
            }
            match self.lexer.next() {
                Some(Ok(token)) => {
                    let start = self.lexer.span().start as u32;
                    if let Some(token) = self.word(token)? {
                        self.last = token;
                        return Ok(Some((start, token, self.lexer.span().end as u32)));
                    }
                }
                Some(Err(())) => return Err(self.bad_character()),
                None => return self.end(),
            }
        }
    }

    /// Finishes a word begun by the lexer; `None` if nothing is to be given out.
    #[inline]
    fn word(&mut self, token: Token) -> Result<Option<Token>, SyntaxError> {
        match token {
            Token::Name => {
                if self.next_byte_is_wide() {
                    self.extend_name()?;
                    return Ok(Some(Token::Name));
                }
                if !self.scout {
                    match self.lexer.slice() {
                        "match" | "case" | "type" => return Ok(Some(self.soft_keyword())),
                        _ => {}
                    }
                }
                Ok(Some(Token::Name))
            }
            Token::WideChar => {
                self.extend_name()?;
                Ok(Some(Token::Name))
            }
            Token::LineEnd => {
                if !self.brackets.is_empty() {
                    return Ok(None);
                }
                self.line_start = true;
                Ok(Some(Token::Newline))
            }
            Token::Continuation => {
                if self.lexer.remainder().is_empty() {
                    return Err(self.unexpected_end(self.lexer.span().start + 1));
                }
                Ok(None)
            }
            Token::Backslash => {
                let at = self.lexer.span().end;
                if self.lexer.remainder().is_empty() {
                    return Err(self.unexpected_end(at));
                }
                let width = self.lexer.remainder().chars().next().map_or(0, char::len_utf8);
                Err(error(Kind::AfterContinuation, at, at + width))
            }
            Token::Number => {
                let start = self.lexer.span().start;
                let end = literal::number_end(self.text, start)?;
                self.lexer.bump(end - self.lexer.span().end);
                if !self.scout && self.lexer.remainder().starts_with(|next: char| next.is_ascii_alphabetic()) {
                    let text = format!("invalid {} literal", literal::number_word(self.lexer.slice()));
                    self.warnings.push(Warning { text, span: Span::new(start, end) });
                }
                Ok(Some(Token::Number))
            }
            Token::String => self.string().map(Some),
            Token::FStringStart => self.fstring_start().map(Some),
            Token::LParen => {
                self.open(b'(')?;
                if std::mem::take(&mut self.with_paren) {
                    return Ok(Some(Token::WithParen));
                }
                Ok(Some(token))
            }
            Token::LBracket => self.open(b'[').map(|()| Some(token)),
            Token::LBrace => self.open(b'{').map(|()| Some(token)),
            Token::RParen => self.close(b'(', b')').map(|()| Some(token)),
            Token::RBracket => self.close(b'[', b']').map(|()| Some(token)),
            Token::RBrace => self.close(b'{', b'}').map(|()| Some(token)),
            Token::Colon => {
                if self.at_field_level() {
                    self.open_spec()?;
                }
                Ok(Some(token))
            }
            Token::ColonEqual if self.at_field_level() => {
                // `{x:=5}` is a field whose specification begins with an equals sign.
                let start = self.lexer.span().start;
                self.lexer = Token::lexer(self.text);
                self.lexer.bump(start + 1);
                self.open_spec()?;
                self.last = Token::Colon;
                Ok(Some(Token::Colon))
            }
            Token::With if !self.scout => {
                self.with_paren = self.opens_with_items();
                Ok(Some(token))
            }
            _ => {
                if token.is_keyword() && self.next_byte_is_wide() {
                    self.extend_name()?;
                    return Ok(Some(Token::Name));
                }
                Ok(Some(token))
            }
        }
    }

    /// What follows the last byte: the end of its line, and of every block.
    fn end(&mut self) -> Result<Option<Spanned>, SyntaxError> {
        if !self.brackets.is_empty() {
            let (bracket, offset) = self.brackets[self.brackets.len() - 1];
            let kind = Kind::NeverClosed(bracket as char);
            return Err(SyntaxError { incomplete: true, ..error(kind, offset as usize, offset as usize + 1) });
        }
        if !matches!(self.last, Token::Newline | Token::Dedent) {
            self.line_start = true;
            return Ok(Some(self.give_at(Token::Newline)));
        }
        if self.indents.len() > 1 {
            self.indents.pop();
            return Ok(Some(self.give_at(Token::Dedent)));
        }
        Ok(None)
    }

    fn give_at(&mut self, token: Token) -> Spanned {
        self.last = token;
        let at = self.lexer.span().end as u32;
        (at, token, at)
    }

    fn open(&mut self, bracket: u8) -> Result<(), SyntaxError> {
        let span = self.lexer.span();
        if self.brackets.len() >= MAX_BRACKETS {
            return Err(error(Kind::TooManyBrackets, span.start, span.end));
        }
        self.brackets.push((bracket, span.start as u32));
        Ok(())
    }

    fn close(&mut self, opening: u8, closing: u8) -> Result<(), SyntaxError> {
        let span = self.lexer.span();
        if closing == b'}' && self.at_field_level() {
            self.modes.pop();
            self.brackets.pop();
            return Ok(());
        }
        let floor = match self.modes.last() {
            Some(&Mode::Field(depth)) => depth,
            _ => 0,
        };
        match self.brackets.last() {
            Some(&(open, _)) if open == opening && self.brackets.len() > floor => {
                self.brackets.pop();
                Ok(())
            }
            Some(_) if self.brackets.len() == floor => Err(error(Kind::FStringUnmatched(closing as char), span.start, span.end)),
            Some(&(open, offset)) => {
                let (here, there) =
                    (literal::lines_before(self.text, span.start), literal::lines_before(self.text, offset as usize));
                let line = (here != there).then_some(there);
                let kind = Kind::Mismatched { closing: closing as char, opening: open as char, offset, line };
                Err(error(kind, span.start, span.end))
            }
            None => Err(error(Kind::Unmatched(closing as char), span.start, span.end)),
        }
    }

    fn next_byte_is_wide(&self) -> bool {
        self.text.as_bytes().get(self.lexer.span().end).is_some_and(|&byte| byte >= 0x80)
    }

    /// Completes a name that has characters outside ASCII.
    #[cold]
    fn extend_name(&mut self) -> Result<(), SyntaxError> {
        let span = self.lexer.span();
        let mut end = span.start;
        for (index, c) in self.text[span.start..].char_indices() {
            let fits = if index == 0 { c == '_' || is_start(c) } else { is_continue(c) };
            if !fits {
                if c.is_ascii() {
                    break;
                }
                let at = span.start + index;
                return Err(error(Kind::InvalidCharacter(c), at, at + c.len_utf8()));
            }
            end = span.start + index + c.len_utf8();
        }
        self.lexer.bump(end - span.end);
        Ok(())
    }

    #[cold]
    fn bad_character(&self) -> SyntaxError {
        let span = self.lexer.span();
        let c = self.text[span.start..].chars().next().unwrap_or('\0');
        match c {
            '$' | '?' | '`' => error(Kind::Invalid, span.start, span.start + 1),
            _ => error(Kind::InvalidCharacter(c), span.start, span.start + c.len_utf8()),
        }
    }

    #[cold]
    fn unexpected_end(&self, at: usize) -> SyntaxError {
        SyntaxError { incomplete: true, ..error(Kind::UnexpectedEnd, at, at) }
    }
}

impl Iterator for Layout<'_> {
    type Item = Result<Spanned, SyntaxError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if let Some(start) = self.start.take() {
            return Some(Ok((0, start, 0)));
        }
        self.advance().transpose()
    }
}

fn is_start(c: char) -> bool {
    unicode_ident::is_xid_start(c)
}

fn is_continue(c: char) -> bool {
    unicode_ident::is_xid_continue(c)
}

#[cold]
fn error(kind: Kind, start: usize, end: usize) -> SyntaxError {
    SyntaxError::new(kind, Span::new(start, end))
}
