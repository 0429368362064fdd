//! Finds the right words for a token the grammar did not expect. Called by `parse` once parsing has failed.
//!
//! The generated parser only says which token it stopped at and what it would have accepted. The rules here look at the
//! tokens around that place for what was probably meant, in the order in which CPython looks, and word it as CPython
//! does. To find out where an expression begins or ends they run the same parser on a part of the tokens.

mod fields;
mod suggest;

use lalrpop_util::ParseError;

use super::actions::{Actions, Stop};
use super::ast::Stmt;
use super::error::{SyntaxError, SyntaxErrorKind as Kind};
use super::grammar::StartParser;
use super::layout::{Layout, Spanned};
use super::source::Span;
use super::token::Token;

/// How the generated parser reports that it stopped.
pub type Stopped = ParseError<u32, Token, Stop>;

/// The error for a place at which the generated parser stopped.
pub fn unexpected_token(text: &str, start: Token, stopped: Stopped) -> SyntaxError {
    let (expected, stop) = match &stopped {
        ParseError::UnrecognizedToken { token, expected } => (expected.as_slice(), Some(token.0)),
        ParseError::UnrecognizedEof { expected, .. } => (expected.as_slice(), None),
        _ => (&[][..], None),
    };
    let place = Place::find(text, start, &stopped, expected);
    let mut error = place.error();
    if !place.is_closed_by_the_rest(&mut error) {
        // The rest of the text has an error of its own, or a bracket was left open before.
        return error;
    }
    let rest_is_empty = stop.is_none_or(|at| text[at as usize..].trim().is_empty());
    error.incomplete = rest_is_empty && place.token() != Token::Newline;
    error
}

/// The error for a character that begins no token: in a field of an f-string, what is missing before it.
pub fn stray_character(error: SyntaxError, text: &str, start: Token) -> SyntaxError {
    let mut rest = Layout::new(text, start);
    let mut tokens: Vec<Spanned> = rest.by_ref().map_while(Result::ok).collect();
    tokens.push((error.span.start, Token::Dedent, error.span.end));
    let place = Place { text, at: tokens.len() - 1, tokens, expected: &[], rest };
    place.fstring_field().unwrap_or(error)
}

/// What the rest of a text has to say to an error an action found: errors of tokens and open brackets go first.
pub fn before(mut error: SyntaxError, mut layout: Layout<'_>, text: &str) -> SyntaxError {
    override_by_rest(&mut error, &mut layout, text, false);
    error
}

/// Reads on to the end. True unless something there replaced the error.
fn override_by_rest(error: &mut SyntaxError, layout: &mut Layout<'_>, text: &str, at_end: bool) -> bool {
    let found = layout.find_map(Result::err);
    let open = match found {
        None => return true,
        Some(SyntaxError { kind: Kind::NeverClosed(bracket), span, .. }) => Some((bracket, span.start)),
        // Not found by the scanner of words: CPython does not report it in place of an earlier error.
        Some(SyntaxError {
            kind:
                Kind::UnindentMismatch
                | Kind::InconsistentTabs
                | Kind::TooManyIndents
                | Kind::AfterContinuation
                | Kind::UnexpectedEnd
                | Kind::Invalid,
            ..
        }) => layout.open_bracket(),
        Some(found) => {
            *error = found;
            return false;
        }
    };
    // A bracket left open on an earlier line is the likelier mistake.
    let Some((bracket, start)) = open else { return true };
    let between = text.get(start as usize..error.span.end as usize).unwrap_or("");
    if !at_end && !between.contains(['\n', '\r']) {
        return true;
    }
    *error = SyntaxError::new(Kind::NeverClosed(bracket), Span { start, end: start + 1 });
    false
}

/// The place at which parsing stopped.
struct Place<'s> {
    text: &'s str,
    /// All tokens up to the unexpected one, which is the last, and a few more.
    tokens: Vec<Spanned>,
    /// The index of the unexpected token.
    at: usize,
    /// The tokens the parser would have accepted, in quotes.
    expected: &'s [String],
    /// The stream behind `tokens`.
    rest: Layout<'s>,
}

impl<'s> Place<'s> {
    fn find(text: &'s str, start: Token, stopped: &Stopped, expected: &'s [String]) -> Place<'s> {
        let mut rest = Layout::new(text, start);
        let mut tokens = Vec::new();
        let stop = match stopped {
            ParseError::UnrecognizedToken { token, .. } | ParseError::ExtraToken { token } => Some(*token),
            _ => None,
        };
        for token in rest.by_ref() {
            let Ok(token) = token else { break };
            tokens.push(token);
            if Some(token) == stop {
                break;
            }
        }
        if stop.is_none() {
            let end = text.len() as u32;
            tokens.push((end, Token::Dedent, end));
        }
        Place { text, at: tokens.len().saturating_sub(1), tokens, expected, rest }
    }

    /// Applies the rules.
    fn error(&self) -> SyntaxError {
        let rules: [fn(&Self) -> Option<SyntaxError>; 16] = [
            Self::missing_block,
            Self::missing_except,
            Self::missing_colon,
            Self::missing_parameters,
            Self::missing_else,
            Self::legacy_statement,
            Self::dict_entry,
            Self::import_from,
            Self::forgotten_comma,
            Self::unpacked_argument,
            Self::equals_sign,
            Self::loop_target,
            Self::missing_value,
            Self::fstring_field,
            Self::indentation,
            Self::bad_target,
        ];
        rules.iter().find_map(|rule| rule(self)).unwrap_or_else(|| self.at_token(Kind::Invalid))
    }

    /// Reads on to the end; false if something there replaced the error.
    fn is_closed_by_the_rest(&self, error: &mut SyntaxError) -> bool {
        if error.kind == Kind::UnexpectedIndent {
            return true;
        }
        let mut rest = self.rest.clone();
        // An error whose words needed the token behind: if the text ended there, the open bracket is reported.
        let suggested = matches!(error.kind, Kind::ForgottenComma | Kind::MissingParentheses { .. } | Kind::MeantEquality);
        let looked_behind = suggested && self.text[error.span.end as usize..].trim().is_empty();
        override_by_rest(error, &mut rest, self.text, looked_behind)
    }

    // --- Looking around ---

    fn token(&self) -> Token {
        self.tokens[self.at].1
    }

    /// The token this many places before the unexpected one.
    fn back(&self, count: usize) -> Option<Token> {
        self.at.checked_sub(count).map(|index| self.tokens[index].1)
    }

    fn text_of(&self, index: usize) -> &'s str {
        let (l, _, r) = self.tokens[index];
        &self.text[l as usize..r as usize]
    }

    fn expects(&self, token: &str) -> bool {
        self.expected.iter().any(|quoted| quoted.trim_matches('"') == token)
    }

    fn at_token(&self, kind: Kind) -> SyntaxError {
        self.over(kind, self.at, self.at)
    }

    /// An error that points at all tokens from `first` to `last`.
    fn over(&self, kind: Kind, first: usize, last: usize) -> SyntaxError {
        let span = Span { start: self.tokens[first].0, end: self.tokens[last].2 };
        SyntaxError::new(kind, span)
    }

    /// The index of the first token of the logical line that holds this index.
    fn line_start(&self, index: usize) -> usize {
        let ends = |token: &Spanned| {
            matches!(token.1, Token::Newline | Token::Indent | Token::Dedent | Token::StartFile | Token::StartInteractive)
        };
        self.tokens[..index].iter().rposition(ends).map_or(0, |found| found + 1)
    }

    /// The keyword of the statement that begins at this index, and its index.
    fn keyword(&self, start: usize) -> (Token, usize) {
        let index = start + usize::from(self.tokens[start].1 == Token::Async);
        match self.tokens.get(index) {
            Some(token) => (token.1, index),
            None => (Token::Newline, start),
        }
    }

    /// The index of the bracket that is open at `index`.
    fn bracket(&self, index: usize) -> Option<usize> {
        let mut depth = 0usize;
        for found in (0..index).rev() {
            match self.tokens[found].1 {
                Token::RParen | Token::RBracket | Token::RBrace => depth += 1,
                Token::LParen | Token::WithParen | Token::LBracket | Token::LBrace => {
                    if depth == 0 {
                        return Some(found);
                    }
                    depth -= 1;
                }
                _ => {}
            }
        }
        None
    }

    /// Parses some of the tokens as one expression of the given kind, or says how far that went.
    fn parse_part(&self, start: Token, tokens: &[Spanned]) -> Result<Vec<Stmt>, usize> {
        let actions = Actions::new(self.text);
        let end = tokens.last().map_or(0, |token| token.2);
        let mut read = 0usize;
        let stream = std::iter::once((0, start, 0)).chain(tokens.iter().copied()).chain([(end, Token::Newline, end)]);
        let counted = stream.map(|token| {
            read += 1;
            if actions.failed() { Err(Stop) } else { Ok(token) }
        });
        let result = StartParser::new().parse(&actions, counted);
        match result {
            Ok(body) if !actions.failed() => Ok(body),
            _ => Err(read.saturating_sub(2)),
        }
    }

    /// The index behind the longest expression of the given kind that begins at `from`.
    fn longest(&self, start: Token, from: usize) -> Option<usize> {
        let ahead = self.ahead(from);
        let stop = match self.parse_part(start, &ahead) {
            Ok(_) => return Some(from + ahead.len()),
            Err(stop) => stop.min(ahead.len()),
        };
        (1..=stop).rev().take(8).find(|&length| self.parse_part(start, &ahead[..length]).is_ok()).map(|length| from + length)
    }

    /// The tokens from an index on, up to the end of the logical line and not too many.
    fn ahead(&self, from: usize) -> Vec<Spanned> {
        let mut ahead: Vec<Spanned> = self.tokens.get(from..).unwrap_or(&[]).to_vec();
        ahead.extend(self.rest.clone().map_while(Result::ok).take(LOOK_AHEAD));
        let end = ahead.iter().position(|token| token.1 == Token::Newline).unwrap_or(ahead.len());
        ahead.truncate(end);
        ahead
    }

    /// Where a token of `ahead(from)` ends.
    fn end_of(&self, from: usize, behind: usize) -> u32 {
        self.ahead(from).get((behind - from).saturating_sub(1)).map_or(self.tokens[self.at].2, |token| token.2)
    }
}

/// How many tokens behind the unexpected one may matter to a message.
const LOOK_AHEAD: usize = 2_000;
