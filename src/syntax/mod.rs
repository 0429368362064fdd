//! Text to tree: the only door is [`parse`].
//!
//! `token` cuts words, `layout` turns lines and indentation into tokens, the grammar (in `grammar/module.lalrpop`) and
//! its `actions` build the [`ast`], `literal` reads numbers and strings, `validate` checks what a grammar cannot say.
//! Nothing else of Asplet is used here.

pub mod ast;
mod error;
mod source;

pub use error::{SyntaxError, SyntaxErrorClass, SyntaxErrorKind};
pub use source::{Position, Source, Span};

/// What a text is meant to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// A whole module.
    File,
    /// What was typed at a prompt: one compound statement or one line of simple ones.
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
    let _ = options.into();
    Err(SyntaxError::new(SyntaxErrorKind::Invalid, Span::new(0, source.text().len())))
}
