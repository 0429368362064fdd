//! Telling soft keywords from names, by looking ahead on a copy of the stream.

use super::Layout;
use crate::syntax::token::Token;

impl<'s> Layout<'s> {
    /// Tells a soft keyword from a name; the lexer stands behind it.
    #[cold]
    pub(super) fn soft_keyword(&mut self) -> Token {
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
    pub(super) fn begins_match(&self) -> bool {
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
    pub(super) fn opens_with_items(&self) -> bool {
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
    pub(super) fn scouting(&self, last: Token) -> Layout<'s> {
        Layout { scout: true, last, ..self.clone() }
    }
}
