//! Strings are cut whole; f-strings piece by piece, as the head of `layout` shows.

use super::{FString, Layout, MAX_BRACKETS, MAX_FSTRINGS, Mode, Spanned, error};
use crate::syntax::error::{SyntaxError, SyntaxErrorKind as Kind};
use crate::syntax::literal;
use crate::syntax::token::Token;

impl Layout<'_> {
    /// Whether the innermost thing open is a field of an f-string.
    pub(super) fn at_field_level(&self) -> bool {
        matches!(self.modes.last(), Some(&Mode::Field(depth)) if depth == self.brackets.len())
    }

    /// The colon just read begins a format specification. They nest twice, as in CPython.
    pub(super) fn open_spec(&mut self) -> Result<(), SyntaxError> {
        let depth = self.modes.iter().rev().take_while(|mode| **mode != Mode::Text).filter(|mode| **mode == Mode::Spec).count();
        if depth >= 2 {
            let at = self.lexer.span().end - 1;
            return Err(error(Kind::FStringTooDeep, at, at));
        }
        self.modes.push(Mode::Spec);
        Ok(())
    }

    /// Finds the end of a string the lexer has just begun.
    pub(super) fn string(&mut self) -> Result<Token, SyntaxError> {
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

    pub(super) fn fstring_start(&mut self) -> Result<Token, SyntaxError> {
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
    pub(super) fn fstring_text(&mut self, spec: bool) -> Result<Spanned, SyntaxError> {
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
