//! Parameters: sorted into their kinds, and the order in which they may stand.

use super::Actions;
use crate::syntax::ast::{Arg, Arguments, Expr, ExprKind, Ident};
use crate::syntax::error::SyntaxErrorKind as Kind;
use crate::syntax::source::Span;

/// One item of a parameter list as it was written.
pub struct Param {
    kind: ParamKind,
    arg: Option<Box<Arg>>,
    default: Option<Box<Expr>>,
    span: Span,
}

#[derive(Clone, Copy, PartialEq)]
pub enum ParamKind {
    Plain,
    /// `/`
    Slash,
    /// `*`, `*args`
    Star,
    /// `**kwargs`
    DoubleStar,
}

impl Actions<'_> {
    pub fn param(&self, l: u32, (kind, arg, default): (ParamKind, Option<Box<Arg>>, Option<Box<Expr>>), r: u32) -> Param {
        Param { kind, arg, default, span: Span { start: l, end: r } }
    }

    /// `*args=1`
    pub fn refuse_default(&self, l: u32, what: &'static str) -> (ParamKind, Option<Box<Arg>>, Option<Box<Expr>>) {
        self.refuse(Kind::ParamDefault(what), Span { start: l, end: l + 1 });
        (ParamKind::Slash, None, None)
    }

    pub fn arg(&self, l: u32, arg: Ident, annotation: Option<Box<Expr>>, r: u32) -> Box<Arg> {
        Box::new(Arg { arg, annotation, span: Span { start: l, end: r } })
    }

    /// The colon stands at `colon`.
    pub fn lambda(&self, l: u32, params: Vec<Param>, colon: u32, body: Box<Expr>, r: u32) -> Box<Expr> {
        let args = Box::new(self.arguments(params, Some(colon)));
        self.expr(l, ExprKind::Lambda { args, body }, r)
    }

    /// Sorts a list of parameters; `end` is where what follows them begins.
    pub fn arguments(&self, params: Vec<Param>, end: Option<u32>) -> Arguments {
        let mut out = Arguments::default();
        let mut star: Option<Span> = None;
        let mut slash = false;
        for Param { kind, arg, default, span } in params {
            let symbol = |width: u32| Span { start: span.start, end: span.start + width };
            if out.kwarg.is_some() {
                let at = match kind {
                    ParamKind::Plain => arg.map_or(span, |arg| arg.arg.span),
                    ParamKind::DoubleStar => symbol(2),
                    _ => symbol(1),
                };
                self.refuse(Kind::AfterDoubleStarParam, at);
                break;
            }
            match (kind, arg) {
                (ParamKind::Plain, Some(arg)) if star.is_some() => {
                    out.kwonlyargs.push(*arg);
                    out.kw_defaults.push(default.map(|default| *default));
                }
                (ParamKind::Plain, Some(arg)) => {
                    match default {
                        Some(default) => out.defaults.push(*default),
                        None if !out.defaults.is_empty() => self.refuse(Kind::ParamWithoutDefault, arg.arg.span),
                        None => {}
                    }
                    out.args.push(*arg);
                }
                (ParamKind::Slash, _) => {
                    if slash {
                        self.refuse(Kind::SecondSlash, span);
                    } else if star.is_some() {
                        self.refuse(Kind::SlashAfterStar, span);
                    } else if out.args.is_empty() {
                        let kind = if self.comma_follows(span) { Kind::SlashFirst } else { Kind::Invalid };
                        self.refuse(kind, span);
                    }
                    slash = true;
                    out.posonlyargs = std::mem::take(&mut out.args);
                }
                (ParamKind::Star, arg) => {
                    if star.is_some() {
                        let names_more = arg.is_some() || self.comma_follows(span);
                        self.refuse(if names_more { Kind::SecondStar } else { Kind::Invalid }, symbol(1));
                    }
                    star = Some(span);
                    out.vararg = arg.map(|arg| *arg);
                }
                (ParamKind::DoubleStar, arg) => {
                    self.bare_star_wants_names(&out, star, end.map(|_| span.start));
                    out.kwarg = arg.map(|arg| *arg);
                }
                (ParamKind::Plain, None) => {}
            }
        }
        self.bare_star_wants_names(&out, star, end);
        out
    }

    /// In a lambda the message points at what follows the star, which begins at `next`.
    fn bare_star_wants_names(&self, out: &Arguments, star: Option<Span>, next: Option<u32>) {
        if let Some(span) = star
            && out.vararg.is_none()
            && out.kwonlyargs.is_empty()
        {
            let span = next.map_or(span, |next| Span { start: next, end: next + 1 });
            self.refuse(Kind::BareStar, span);
        }
    }

    fn comma_follows(&self, span: Span) -> bool {
        self.text[span.end as usize..].trim_start().starts_with(',')
    }
}
