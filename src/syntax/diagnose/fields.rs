//! What can be wrong in a field of an f-string.

use super::Place;
use crate::syntax::error::{SyntaxError, SyntaxErrorKind as Kind};
use crate::syntax::token::Token;

impl Place<'_> {
    /// `{expression = !r :spec}`, read from the left until something is missing.
    pub(super) fn fstring_field(&self) -> Option<SyntaxError> {
        let open = self.field_start()?;
        let ahead = self.ahead(open + 1);
        let token = |index: usize| ahead.get(index).map(|token| token.1);
        let fail = |kind: Kind, index: usize| {
            let (start, _, end) = *ahead.get(index).or(ahead.last())?;
            Some(SyntaxError::new(kind, crate::syntax::source::Span { start, end }))
        };
        let before = match token(0)? {
            Token::Equal => Some('='),
            Token::Exclamation => Some('!'),
            Token::Colon => Some(':'),
            Token::RBrace => Some('}'),
            _ => None,
        };
        if let Some(before) = before {
            return fail(Kind::FStringExpressionBefore(before), 0);
        }
        if let Some(lambda) = self.bare_lambda(open) {
            return Some(lambda);
        }
        let Some(behind) = self.longest(Token::StartExpressions, open + 1) else {
            return fail(Kind::FString("expecting a valid expression after '{'"), 0);
        };
        let mut next = behind - open - 1;
        if !matches!(token(next), Some(Token::Equal | Token::Exclamation | Token::Colon | Token::RBrace)) {
            return fail(Kind::FString("expecting '=', or '!', or ':', or '}'"), next);
        }
        if token(next) == Some(Token::Equal) {
            next += 1;
            if !matches!(token(next), Some(Token::Exclamation | Token::Colon | Token::RBrace)) {
                return fail(Kind::FString("expecting '!', or ':', or '}'"), next);
            }
        }
        if token(next) == Some(Token::Exclamation) {
            match token(next + 1) {
                Some(Token::Colon | Token::RBrace) => return fail(Kind::FString("missing conversion character"), next + 1),
                Some(Token::Name) => next += 2,
                _ => return fail(Kind::FString("invalid conversion character"), next + 1),
            }
            if !matches!(token(next), Some(Token::Colon | Token::RBrace)) {
                return fail(Kind::FString("expecting ':' or '}'"), next);
            }
        }
        None
    }

    /// The index of the brace that opens the field the unexpected token stands in, outside of other brackets.
    fn field_start(&self) -> Option<usize> {
        let mut index = self.bracket(self.at)?;
        loop {
            let is_field = self.tokens[index].1 == Token::LBrace
                && index.checked_sub(1).is_some_and(|before| match self.tokens[before].1 {
                    Token::FStringStart | Token::FStringMiddle | Token::FStringRawMiddle => true,
                    // Behind another field, or at the beginning of a specification.
                    Token::RBrace | Token::Colon => self.is_behind_field(before),
                    _ => false,
                });
            if is_field {
                return Some(index);
            }
            index = self.bracket(index)?;
        }
    }

    /// Whether a `}` or `:` belongs to a field rather than to a dict.
    fn is_behind_field(&self, index: usize) -> bool {
        let Some(open) = self.bracket(index) else { return false };
        self.tokens[open].1 == Token::LBrace
            && open.checked_sub(1).is_some_and(|before| {
                matches!(
                    self.tokens[before].1,
                    Token::FStringStart | Token::FStringMiddle | Token::FStringRawMiddle | Token::RBrace
                )
            })
    }

    /// The colon of a lambda is taken for that of the field.
    fn bare_lambda(&self, open: usize) -> Option<SyntaxError> {
        let lambda = (open + 1..self.at).find(|&index| self.tokens[index].1 == Token::Lambda)?;
        let colon = (lambda + 1..self.at).find(|&index| self.tokens[index].1 == Token::Colon)?;
        let own = self.bracket(lambda) == Some(open);
        let follows = matches!(self.token(), Token::FStringMiddle | Token::FStringRawMiddle | Token::LBrace);
        (own && follows && colon + 1 == self.at)
            .then(|| self.over(Kind::FString("lambda expressions are not allowed without parentheses"), lambda, colon))
    }
}
