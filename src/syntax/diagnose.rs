//! Finds the right words for a token the grammar did not expect. Called by `parse` once it has failed.

use lalrpop_util::ParseError;

use super::actions::Stop;
use super::error::{SyntaxError, SyntaxErrorKind as Kind};
use super::source::Span;
use super::token::Token;

pub fn diagnose(text: &str, _start: Token, stopped: ParseError<u32, Token, Stop>) -> SyntaxError {
    match stopped {
        ParseError::UnrecognizedToken { token: (l, _, r), .. } | ParseError::ExtraToken { token: (l, _, r) } => {
            SyntaxError { incomplete: l as usize >= text.len(), ..SyntaxError::new(Kind::Invalid, Span { start: l, end: r }) }
        }
        _ => SyntaxError { incomplete: true, ..SyntaxError::new(Kind::Invalid, Span::at(text.len())) },
    }
}
