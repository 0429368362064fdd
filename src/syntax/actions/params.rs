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

    pub fn lambda(&self, l: u32, params: Vec<Param>, body: Box<Expr>, r: u32) -> Box<Expr> {
        let args = Box::new(self.arguments(params, true));
        self.expr(l, ExprKind::Lambda { args, body }, r)
    }

    /// Sorts a list of parameters.
    pub fn arguments(&self, params: Vec<Param>, lambda: bool) -> Arguments {
        let mut out = Arguments::default();
        let mut star: Option<Span> = None;
        let mut slash = false;
        for Param { kind, arg, default, span } in params {
            if out.kwarg.is_some() {
                self.refuse(Kind::AfterDoubleStarParam, span);
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
                        None if !out.defaults.is_empty() => self.refuse(Kind::ParamWithoutDefault, span),
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
                        self.refuse(Kind::SlashFirst, span);
                    }
                    slash = true;
                    out.posonlyargs = std::mem::take(&mut out.args);
                }
                (ParamKind::Star, arg) => {
                    if star.is_some() {
                        self.refuse(Kind::SecondStar, span);
                    }
                    star = Some(span);
                    out.vararg = arg.map(|arg| *arg);
                }
                (ParamKind::DoubleStar, arg) => {
                    self.bare_star_wants_names(&out, star, lambda);
                    out.kwarg = arg.map(|arg| *arg);
                }
                (ParamKind::Plain, None) => {}
            }
        }
        self.bare_star_wants_names(&out, star, lambda);
        out
    }

    fn bare_star_wants_names(&self, out: &Arguments, star: Option<Span>, lambda: bool) {
        if let Some(span) = star
            && out.vararg.is_none()
            && out.kwonlyargs.is_empty()
        {
            let _ = lambda;
            self.refuse(Kind::BareStar, span);
        }
    }
}
