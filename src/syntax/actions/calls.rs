//! The arguments of calls, and in which order they may stand.

use super::Actions;
use crate::syntax::ast::{Comprehension, Constant, Expr, ExprKind, Ident, Keyword};
use crate::syntax::error::SyntaxErrorKind as Kind;
use crate::syntax::source::Span;

/// The arguments of a call as far as they have been read.
#[derive(Default)]
pub struct CallArgs {
    pub args: Vec<Expr>,
    pub keywords: Vec<Keyword>,
    /// The first argument that is a generator expression without parentheses, and its first `for`.
    pub(super) generator: Option<(Span, u32)>,
    /// An argument that may not follow those before it.
    pub(super) misplaced: Option<Kind>,
    /// There is a `**` among them.
    unpacked: bool,
    /// How many arguments there are.
    pub(super) count: usize,
}

/// One argument of a call.
pub enum Argument {
    Positional(Box<Expr>),
    Keyword(Box<Expr>, Box<Expr>),
    DoubleStar(Box<Expr>),
    Generator(Box<(Box<Expr>, Vec<Comprehension>)>),
}

impl Actions<'_> {
    pub fn argument(&self, mut into: Box<CallArgs>, l: u32, arg: Argument, r: u32) -> Box<CallArgs> {
        let span = Span { start: l, end: r };
        into.count += 1;
        match arg {
            Argument::Positional(value) => {
                if !into.keywords.is_empty() {
                    let unpacked = into.unpacked;
                    let starred = matches!(value.kind, ExprKind::Starred { .. });
                    if unpacked && starred {
                        self.refuse(Kind::StarredAfterDoubleStarred, Span { start: l, end: l + 1 });
                    } else if unpacked {
                        into.misplaced.get_or_insert(Kind::PositionalAfterUnpacking);
                    } else if !starred {
                        into.misplaced.get_or_insert(Kind::PositionalAfterKeyword);
                    }
                }
                into.args.push(*value);
            }
            Argument::Keyword(key, value) => {
                let arg = match &key.kind {
                    ExprKind::Name(name) if key.span.start == l => Ident { name: name.clone(), span: key.span },
                    ExprKind::Constant(Constant::None | Constant::True | Constant::False) => {
                        let name = self.slice(key.span.start, key.span.end);
                        let span = Span { start: key.span.start, end: self.equals_sign(key.span.end) };
                        self.refuse(Kind::AssignTo { what: name.into(), here: false }, span);
                        self.ident(key.span.start, key.span.end)
                    }
                    _ => {
                        let span = Span { start: key.span.start, end: self.equals_sign(key.span.end) };
                        self.refuse(Kind::KeywordIsExpression, span);
                        self.ident(key.span.start, key.span.start)
                    }
                };
                into.keywords.push(Keyword { arg: Some(arg), value: *value, span });
            }
            Argument::DoubleStar(value) => {
                into.unpacked = true;
                into.keywords.push(Keyword { arg: None, value: *value, span });
            }
            Argument::Generator(parts) => {
                let (elt, generators) = *parts;
                let first = generators.first().map_or(l, |part| part.span.start);
                into.generator.get_or_insert((span, first));
                let kind = self.generator(elt, generators);
                into.args.push(*self.expr(l, kind, r));
            }
        }
        into
    }

    /// The end of the equals sign that follows a keyword.
    pub(super) fn equals_sign(&self, from: u32) -> u32 {
        self.text[from as usize..].find('=').map_or(from, |at| from + at as u32 + 1)
    }

    /// A generator expression with a comma behind it is not alone.
    pub fn trailing_comma(&self, mut arguments: Box<CallArgs>) -> Box<CallArgs> {
        arguments.count += 1;
        arguments
    }

    /// `f(a=1 for a in b)`
    pub fn keyword_generator(&self, key: Box<Expr>) -> Argument {
        let span = Span { start: key.span.start, end: self.equals_sign(key.span.end) };
        self.refuse(Kind::MeantEquality, span);
        Argument::Positional(key)
    }

    pub fn call(&self, l: u32, func: Box<Expr>, arguments: Box<CallArgs>, r: u32) -> Box<Expr> {
        let open = func.span.end;
        let CallArgs { mut args, keywords, generator, count, misplaced, .. } = *arguments;
        if let Some(kind) = misplaced {
            self.refuse(kind, Span { start: r - 1, end: r });
        }
        if let Some((span, _)) = generator {
            if count > 1 {
                self.refuse(Kind::BareGenerator, span);
            } else if let Some(generator) = args.first_mut() {
                // The parentheses of the call are those of the generator too.
                let start = self.slice(open, span.start).rfind('(').map_or(open, |at| open + at as u32);
                generator.span = Span { start, end: r };
            }
        }
        self.expr(l, ExprKind::Call { func, args, keywords }, r)
    }
}
