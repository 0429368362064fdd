//! What a program may contain and hardly means: `SyntaxWarning`s, found by `layout` (numbers that run into a keyword), `actions`
//! (escapes that mean nothing) and `validate` (comparisons, calls and the like). Whoever compiles the tree gives them.

use super::source::Span;

/// A warning about a place in the text.
#[derive(Clone, PartialEq, Debug)]
pub struct Warning {
    pub text: String,
    pub span: Span,
}

/// What the passes of the parser have found, in the order of the text.
pub fn in_order(mut of_layout: Vec<Warning>, of_actions: Vec<Warning>) -> Vec<Warning> {
    of_layout.extend(of_actions);
    of_layout.sort_by_key(|warning| warning.span.start);
    of_layout
}
