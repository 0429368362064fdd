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

use logos::{Lexer, Logos};

use super::ast::MAX_BLOCKS;
use super::error::{SyntaxError, SyntaxErrorKind as Kind};
use super::literal;
use super::source::Span;
use super::token::Token;

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
        }
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

    /// Reads the indentation of a line that holds something; `true` if a block begins. Blank lines and comments are
    /// skipped.
    fn indentation(&mut self) -> Result<bool, SyntaxError> {
        let bytes = self.text.as_bytes();
        let mut at = self.lexer.span().end;
        let (mut column, mut alternate) = (0u32, 0u32);
        let mut joined = None;
        let end = loop {
            match bytes.get(at) {
                Some(b' ') => {
                    column += 1;
                    alternate += 1;
                }
                Some(b'\t') => {
                    column = (column / 8 + 1) * 8;
                    alternate += 1;
                }
                Some(b'\x0c') => (column, alternate) = (0, 0),
                Some(b'\r' | b'\n') => {
                    (column, alternate) = (0, 0);
                    joined = None;
                }
                Some(b'#') => {
                    at += bytes[at..].iter().position(|byte| matches!(byte, b'\r' | b'\n')).unwrap_or(bytes.len() - at);
                    continue;
                }
                Some(b'\\') if matches!(bytes.get(at + 1), Some(b'\r' | b'\n')) => {
                    // A joined line is indented as its first part.
                    joined.get_or_insert((column, alternate));
                    at += if bytes[at + 1..].starts_with(b"\r\n") { 3 } else { 2 };
                    continue;
                }
                Some(_) => break at,
                None if joined.is_some() => return Err(self.unexpected_end(at)),
                None => {
                    self.lexer.bump(at - self.lexer.span().end);
                    return Ok(false);
                }
            }
            at += 1;
        };
        self.lexer.bump(end - self.lexer.span().end);
        let (column, alternate) = joined.unwrap_or((column, alternate));
        let top = self.indents[self.indents.len() - 1];
        if column == top.column {
            self.match_line = false;
            return if alternate == top.alternate { Ok(false) } else { Err(self.tab_error(end)) };
        }
        if column > top.column {
            if alternate <= top.alternate {
                return Err(self.tab_error(end));
            }
            if self.indents.len() >= MAX_BLOCKS {
                let at = self.line_begin(end);
                return Err(error(Kind::TooManyIndents, at, at));
            }
            let cases = std::mem::take(&mut self.match_line);
            self.indents.push(Indent { column, alternate, cases });
            return Ok(true);
        }
        self.match_line = false;
        while self.indents[self.indents.len() - 1].column > column {
            self.indents.pop();
            self.dedents += 1;
        }
        let top = self.indents[self.indents.len() - 1];
        if top.column != column {
            let line_end = self.text[end..].find(['\r', '\n']).map_or(self.text.len(), |width| end + width);
            return Err(error(Kind::UnindentMismatch, line_end, line_end));
        }
        if top.alternate != alternate { Err(self.tab_error(end)) } else { Ok(false) }
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

    /// Whether the innermost thing open is a field of an f-string.
    fn at_field_level(&self) -> bool {
        matches!(self.modes.last(), Some(&Mode::Field(depth)) if depth == self.brackets.len())
    }

    /// The colon just read begins a format specification. They nest twice, as in CPython.
    fn open_spec(&mut self) -> Result<(), SyntaxError> {
        let depth = self.modes.iter().rev().take_while(|mode| **mode != Mode::Text).filter(|mode| **mode == Mode::Spec).count();
        if depth >= 2 {
            let at = self.lexer.span().end - 1;
            return Err(error(Kind::FStringTooDeep, at, at));
        }
        self.modes.push(Mode::Spec);
        Ok(())
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

    /// Finds the end of a string the lexer has just begun.
    fn string(&mut self) -> Result<Token, SyntaxError> {
        let span = self.lexer.span();
        let opening = &self.text[span.clone()];
        let quote = opening.as_bytes()[opening.len() - 1];
        let triple = opening.ends_with("\"\"\"") || opening.ends_with("'''");
        match literal::string_end(self.text, span.end, quote, triple) {
            Some(end) => {
                self.lexer.bump(end - span.end);
                Ok(Token::String)
            }
            None => {
                let closes = self.fstrings.last().is_some_and(|outer| outer.quote == quote && outer.triple == triple);
                Err(self.unterminated(span.start, triple, if closes { Missing::Brace } else { Missing::Quote }))
            }
        }
    }

    fn fstring_start(&mut self) -> Result<Token, SyntaxError> {
        let span = self.lexer.span();
        if self.fstrings.len() >= MAX_FSTRINGS {
            return Err(error(Kind::TooManyFStrings, span.start, span.end));
        }
        let opening = &self.text[span.clone()];
        let quote = opening.as_bytes()[opening.len() - 1];
        self.fstrings.push(FString {
            start: span.start as u32,
            quote,
            triple: opening.ends_with("\"\"\"") || opening.ends_with("'''"),
            raw: opening.contains(['r', 'R']),
            depth: self.brackets.len(),
        });
        self.modes.push(Mode::Text);
        Ok(Token::FStringStart)
    }

    /// The next piece of an f-string outside its fields: text, the brace of a field, or the end.
    fn fstring_text(&mut self, spec: bool) -> Result<Spanned, SyntaxError> {
        let string = self.fstrings[self.fstrings.len() - 1];
        let bytes = self.text.as_bytes();
        let start = self.lexer.span().end;
        let mut at = start;
        let close: &[u8] = match (string.triple, string.quote) {
            (true, b'"') => b"\"\"\"",
            (true, _) => b"'''",
            (false, b'"') => b"\"",
            (false, _) => b"'",
        };
        loop {
            let Some(&byte) = bytes.get(at) else {
                if spec {
                    return self.end().and_then(|_| Err(self.unterminated(at, true, Missing::FQuote)));
                }
                return Err(self.unterminated(string.start as usize, string.triple, Missing::FQuote));
            };
            match byte {
                b'\\' => {
                    let named = !string.raw && bytes.get(at + 1) == Some(&b'N') && bytes.get(at + 2) == Some(&b'{');
                    at += match bytes.get(at + 1) {
                        // Not `\{`: the brace opens a field all the same.
                        Some(b'{' | b'}') => 1,
                        _ if named => self.text[at..].find('}').map_or(3, |end| end + 1),
                        Some(b'\r') if bytes.get(at + 2) == Some(&b'\n') => 3,
                        Some(_) => 2,
                        None => 1,
                    };
                }
                b'\r' | b'\n' if !string.triple => {
                    if spec {
                        return Err(error(Kind::FString("expecting '}', or format specs"), at + 1, at + 2));
                    }
                    return Err(self.unterminated(string.start as usize, false, Missing::FQuote));
                }
                b'{' if !spec && bytes.get(at + 1) == Some(&b'{') => at += 2,
                b'}' if !spec && bytes.get(at + 1) == Some(&b'}') => at += 2,
                b'{' | b'}' => break,
                b'"' | b'\'' if bytes[at..].starts_with(close) => break,
                _ => at += 1,
            }
        }
        if at > start {
            self.lexer.bump(at - start);
            self.last = if string.raw { Token::FStringRawMiddle } else { Token::FStringMiddle };
            return Ok((start as u32, self.last, at as u32));
        }
        let (token, width) = match bytes[at] {
            b'{' => {
                self.lexer.bump(1);
                if self.brackets.len() >= MAX_BRACKETS {
                    return Err(error(Kind::TooManyBrackets, at, at + 1));
                }
                self.brackets.push((b'{', at as u32));
                self.modes.push(Mode::Field(self.brackets.len()));
                (Token::LBrace, 1)
            }
            b'}' if spec => {
                self.lexer.bump(1);
                self.modes.pop();
                self.modes.pop();
                self.brackets.pop();
                (Token::RBrace, 1)
            }
            b'}' => return Err(error(Kind::FStringSingleBrace, at, at + 1)),
            _ if spec => return Err(error(Kind::FString("expecting '}', or format specs"), at, at + 1)),
            _ => {
                self.lexer.bump(close.len());
                self.modes.pop();
                self.fstrings.pop();
                self.brackets.truncate(string.depth);
                (Token::FStringEnd, close.len())
            }
        };
        self.last = token;
        Ok((start as u32, token, (start + width) as u32))
    }

    /// Tells a soft keyword from a name; the lexer stands behind it.
    #[cold]
    fn soft_keyword(&mut self) -> Token {
        if !self.brackets.is_empty() {
            return Token::Name;
        }
        let begins_line = matches!(self.last, Token::Newline | Token::Indent | Token::Dedent);
        match self.lexer.slice() {
            "type" if begins_line || matches!(self.last, Token::Semicolon | Token::Colon) => {
                let mut next = self.lexer.clone();
                loop {
                    match next.next() {
                        Some(Ok(Token::Name | Token::WideChar)) => return Token::Type,
                        Some(Ok(Token::Continuation)) => {}
                        _ => return Token::Name,
                    }
                }
            }
            "case" if begins_line && self.indents[self.indents.len() - 1].cases => Token::Case,
            "match" if begins_line && self.begins_match() => {
                self.match_line = true;
                Token::Match
            }
            _ => Token::Name,
        }
    }

    /// Whether what follows the word `match` at the beginning of a line makes it a keyword.
    fn begins_match(&self) -> bool {
        let mut ahead = self.scouting(Token::Match);
        let Ok(Some((_, first, _))) = ahead.advance() else {
            return false;
        };
        match first {
            Token::Name
            | Token::Number
            | Token::String
            | Token::FStringStart
            | Token::LBrace
            | Token::Tilde
            | Token::Lambda
            | Token::Await
            | Token::Ellipsis
            | Token::None
            | Token::True
            | Token::False => return true,
            Token::LParen | Token::LBracket | Token::Minus | Token::Plus | Token::Star | Token::Not => {}
            _ => return false,
        }
        let mut previous = first;
        while let Ok(Some((_, token, _))) = ahead.advance() {
            if token == Token::Newline {
                // Without its colon, but with a block.
                return previous == Token::Colon || matches!(ahead.advance(), Ok(Some((_, Token::Indent, _))));
            }
            previous = token;
        }
        false
    }

    /// Whether the parenthesis after `with` encloses items rather than an expression.
    fn opens_with_items(&self) -> bool {
        if !self.brackets.is_empty() || !self.lexer.remainder().trim_start().starts_with(['(', '\\']) {
            return false;
        }
        let mut ahead = self.scouting(Token::With);
        if !matches!(ahead.advance(), Ok(Some((_, Token::LParen, _)))) {
            return false;
        }
        let (mut several, mut named, mut previous) = (false, false, Token::LParen);
        while let Ok(Some((_, token, _))) = ahead.advance() {
            match (ahead.brackets.len(), token) {
                (0, Token::RParen) => {
                    return named || several && matches!(ahead.advance(), Ok(Some((_, Token::Colon, _))));
                }
                (1, Token::As) => named = true,
                (1, Token::Comma) => several = true,
                (1, Token::ColonEqual | Token::Yield) => return false,
                (1, Token::Star) if matches!(previous, Token::LParen | Token::Comma) => {
                    return false;
                }
                _ => {}
            }
            previous = token;
        }
        false
    }

    /// A copy to look ahead with.
    fn scouting(&self, last: Token) -> Layout<'s> {
        Layout { scout: true, last, ..self.clone() }
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
    fn tab_error(&self, at: usize) -> SyntaxError {
        let at = self.line_begin(at);
        error(Kind::InconsistentTabs, at, at)
    }

    fn line_begin(&self, at: usize) -> usize {
        self.text[..at].rfind(['\r', '\n']).map_or(0, |end| end + 1)
    }

    #[cold]
    fn unexpected_end(&self, at: usize) -> SyntaxError {
        SyntaxError { incomplete: true, ..error(Kind::UnexpectedEnd, at, at) }
    }

    #[cold]
    fn unterminated(&self, start: usize, triple: bool, missing: Missing) -> SyntaxError {
        let end = if triple { self.text.len() } else { literal::line_end(self.text, start) };
        let line = literal::lines_before(self.text, end);
        let kind = match missing {
            Missing::Brace => Kind::FStringExpectingBrace,
            Missing::Quote if triple => Kind::UnterminatedTriple { line },
            Missing::Quote => Kind::UnterminatedString { line },
            Missing::FQuote if triple => Kind::UnterminatedFTriple { line },
            Missing::FQuote => Kind::UnterminatedFString { line },
        };
        SyntaxError { incomplete: triple, ..error(kind, start, start + 1) }
    }
}

/// What an unterminated string lacks.
enum Missing {
    Quote,
    FQuote,
    Brace,
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
