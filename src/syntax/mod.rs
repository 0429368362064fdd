//! Text to tree: the only door is [`parse`].
//!
//! `token` cuts words, `layout` turns lines and indentation into tokens, the grammar (in `grammar/module.lalrpop`) and
//! its `actions` build the [`ast`], `literal` reads numbers and strings, `validate` checks what a grammar cannot say.
//! Nothing else of Asplet is used here.

mod actions;
pub mod ast;
mod diagnose;
mod error;
mod grammar;
mod layout;
mod literal;
mod source;
mod token;
mod validate;
mod warning;

use actions::{Actions, Stop};
use layout::Layout;
use token::Token;

pub use error::{SyntaxError, SyntaxErrorClass, SyntaxErrorKind};
pub use literal::character_named;
pub use source::{Position, Source, Span};
pub use warning::Warning;

/// What a text is meant to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// A whole module.
    File,
    /// What was typed at a prompt: one line of simple statements, or one compound statement and the empty line that ends
    /// it (a last line end counts as one, as in `codeop`). While more is wanted the error is `incomplete`.
    Interactive,
    /// One expression; the module's body is a single expression statement.
    Eval,
}

/// How to parse.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    pub mode: Mode,
    /// Allow `await`, `async for` and `async with` outside functions.
    pub top_level_await: bool,
}

impl From<Mode> for Options {
    fn from(mode: Mode) -> Options {
        Options { mode, top_level_await: false }
    }
}

/// Parses and checks a source. The second argument is a [`Mode`], or [`Options`].
pub fn parse(source: &Source, options: impl Into<Options>) -> Result<ast::Module, SyntaxError> {
    parse_watched(source, options.into(), &|_| true)
}

/// As [`parse`], under an eye: `watch` is told now and then how many tokens were read since it was told last, and says whether to go on.
/// If not, the error is of the kind `Stopped`.
pub fn parse_watched(source: &Source, options: Options, watch: &dyn Fn(usize) -> bool) -> Result<ast::Module, SyntaxError> {
    let text = source.text();
    if text.len() >= u32::MAX as usize {
        return Err(SyntaxError::new(SyntaxErrorKind::SourceTooLarge, Span::default()));
    }
    if let Some(at) = text.find('\0') {
        return Err(SyntaxError::new(SyntaxErrorKind::NullByte, Span::new(at, at + 1)));
    }
    // Half-built trees are dropped in there.
    let room = ast::drop_stack(text.len());
    stacker::maybe_grow(room, room, || {
        let (body, mut warnings) = statements(text, options.mode, watch)?;
        if options.mode == Mode::Interactive {
            check_single(text, &body)?;
        }
        warnings.extend(validate::validate(&body, options.top_level_await)?);
        Ok(ast::Module { body, span: Span::new(0, text.len()), warnings })
    })
}

/// What a prompt takes at once: a single statement, which is finished.
fn check_single(text: &str, body: &[ast::Stmt]) -> Result<(), SyntaxError> {
    let Some(last) = body.last() else { return Ok(()) };
    if body.windows(2).any(|pair| text[pair[0].span.end as usize..pair[1].span.start as usize].contains(['\n', '\r'])) {
        return Err(SyntaxError::new(SyntaxErrorKind::MultipleStatements, body[0].span));
    }
    if last.is_compound() && !text[last.span.end as usize..].contains(['\n', '\r']) {
        let end = SyntaxError::new(SyntaxErrorKind::UnexpectedEnd, Span::at(text.len()));
        return Err(SyntaxError { incomplete: true, ..end });
    }
    Ok(())
}

/// How many tokens are read between looks at the watch.
const GLANCE: usize = 256;

/// Runs the generated parser.
fn statements(text: &str, mode: Mode, watch: &dyn Fn(usize) -> bool) -> Result<(Vec<ast::Stmt>, Vec<Warning>), SyntaxError> {
    let start = match mode {
        Mode::File => Token::StartFile,
        Mode::Interactive => Token::StartInteractive,
        Mode::Eval => Token::StartEval,
    };
    let actions = Actions::new(text);
    let mut layout = Layout::new(text, start);
    // An error of a token stands; one of an action gives way to errors of tokens behind it.
    let mut of_token = false;
    let mut count = 0usize;
    let tokens = layout.by_ref().map(|token| match token {
        Ok(_)
            if {
                count += 1;
                count.is_multiple_of(GLANCE) && !watch(GLANCE)
            } =>
        {
            of_token = true;
            actions.fail(SyntaxError::new(SyntaxErrorKind::Stopped, Span::default()));
            Err(Stop)
        }
        Ok(token) if !actions.failed() => Ok(token),
        Ok(_) => Err(Stop),
        Err(error) => {
            of_token = !actions.failed();
            actions.fail(error);
            Err(Stop)
        }
    });
    let result = grammar::StartParser::new().parse(&actions, tokens);
    match (result, actions.take_error()) {
        (_, Some(error)) if of_token && error.kind == SyntaxErrorKind::Invalid => {
            Err(diagnose::stray_character(error, text, start))
        }
        (_, Some(error)) if of_token => Err(error),
        (_, Some(error)) => Err(diagnose::before(error, layout, text)),
        (Ok(body), None) => Ok((body, warning::in_order(layout.take_warnings(), actions.take_warnings()))),
        (Err(stopped), None) => Err(diagnose::unexpected_token(text, start, stopped)),
    }
}
