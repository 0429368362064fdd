//! Statements with their clauses.

use super::{Actions, CallArgs, Param, end_of};
use crate::syntax::ast::*;
use crate::syntax::error::SyntaxErrorKind as Kind;
use crate::syntax::source::Span;

/// `except typ as name:`
pub struct HandlerHead {
    is_star: bool,
    typ: Option<Box<Expr>>,
    name: Option<Ident>,
}

impl Actions<'_> {
    /// The body of a module that is one expression.
    pub fn eval(&self, value: Box<Expr>) -> Vec<Stmt> {
        let span = value.span;
        vec![Stmt { kind: StmtKind::Expr { value }, span }]
    }

    pub fn alias(&self, l: u32, name: Ident, asname: Option<Ident>, r: u32) -> Alias {
        Alias { name, asname, span: Span { start: l, end: r } }
    }

    pub fn import_star(&self, l: u32, r: u32) -> Vec<Alias> {
        let span = Span { start: l, end: r };
        vec![Alias { name: Ident { name: Name::new("*"), span }, asname: None, span }]
    }

    pub fn import_comma(&self, names: Vec<Alias>, comma: u32) -> Vec<Alias> {
        self.refuse(Kind::TrailingImportComma, Span::new(comma as usize, comma as usize + 1));
        names
    }

    pub fn elif(&self, l: u32, test: Box<Expr>, body: Vec<Stmt>) -> Elif {
        let end = end_of(&body).unwrap_or(l);
        Elif { test: *test, body, span: Span { start: l, end } }
    }

    pub fn for_loop(&self, is_async: bool, target: Box<Expr>, iter: Box<Expr>, body: Vec<Stmt>, orelse: Vec<Stmt>) -> StmtKind {
        StmtKind::For(Box::new(For { is_async, target: *target, iter: *iter, body, orelse }))
    }

    pub fn with_item(&self, context_expr: Box<Expr>, target: Option<Box<Expr>>) -> WithItem {
        if let Some(target) = &target {
            self.check_assignable(target);
        }
        WithItem { context_expr: *context_expr, optional_vars: target.map(|target| *target) }
    }

    pub fn with(&self, is_async: bool, items: Vec<WithItem>, body: Vec<Stmt>) -> StmtKind {
        StmtKind::With(Box::new(With { is_async, items, body }))
    }

    pub fn handler_head(&self, is_star: bool, typ: Option<Box<Expr>>, name: Option<Ident>) -> Box<HandlerHead> {
        Box::new(HandlerHead { is_star, typ, name })
    }

    pub fn handler(&self, l: u32, head: Box<HandlerHead>, body: Vec<Stmt>) -> (bool, ExceptHandler) {
        let HandlerHead { is_star, typ, name } = *head;
        let end = end_of(&body).unwrap_or(l);
        (is_star, ExceptHandler { typ: typ.map(|typ| *typ), name, body, span: Span { start: l, end } })
    }

    pub fn unparenthesized_except(&self, first: Box<Expr>, rest: Vec<Expr>, name: Option<Ident>) -> Box<HandlerHead> {
        let last = name.map_or(rest.last().map_or(first.span, |last| last.span), |name| name.span);
        let span = first.span.to(last);
        self.refuse(Kind::UnparenthesizedExcept, span);
        self.handler_head(false, Some(first), None)
    }

    /// `except*:`
    pub fn except_star_alone(&self, colon: u32) -> Box<HandlerHead> {
        self.refuse(Kind::ExceptionTypesExpected, Span { start: colon, end: colon + 1 });
        self.handler_head(true, None, None)
    }

    pub fn try_statement(
        &self,
        body: Vec<Stmt>,
        handlers: Vec<(bool, ExceptHandler)>,
        orelse: Vec<Stmt>,
        finalbody: Vec<Stmt>,
    ) -> StmtKind {
        let is_star = handlers.first().is_some_and(|(is_star, _)| *is_star);
        if let Some((_, odd)) = handlers.iter().find(|(other, _)| *other != is_star) {
            let at = odd.span.start as usize;
            let star = if is_star { 0 } else { self.text[at + 6..].find('*').map_or(0, |star| star + 1) };
            self.refuse(Kind::MixedExcept, Span::new(at, at + "except".len() + star));
        }
        let handlers = handlers.into_iter().map(|(_, handler)| handler).collect();
        StmtKind::Try(Box::new(Try { is_star, body, handlers, orelse, finalbody }))
    }

    #[allow(clippy::too_many_arguments)]
    pub fn function(
        &self,
        l: u32,
        is_async: bool,
        name: Ident,
        type_params: Vec<TypeParam>,
        params: Vec<Param>,
        returns: Option<Box<Expr>>,
        body: Vec<Stmt>,
    ) -> Box<Stmt> {
        let args = self.arguments(params, None);
        let returns = returns.map(|returns| *returns);
        let node = FunctionDef { is_async, name, type_params, args, returns, body, decorator_list: vec![] };
        self.compound(l, StmtKind::FunctionDef(Box::new(node)))
    }

    pub fn class(
        &self,
        l: u32,
        name: Ident,
        type_params: Vec<TypeParam>,
        arguments: Option<(Box<CallArgs>, u32)>,
        body: Vec<Stmt>,
    ) -> Box<Stmt> {
        let (arguments, close) = arguments.unwrap_or_default();
        let CallArgs { args: bases, keywords, generator, count, misplaced, .. } = *arguments;
        if let Some(kind) = misplaced {
            self.refuse(kind, Span { start: close, end: close + 1 });
        }
        match generator {
            Some((_, at)) if count == 1 => self.refuse(Kind::Invalid, Span { start: at, end: at + 3 }),
            Some((span, _)) => self.refuse(Kind::BareGenerator, span),
            None => {}
        }
        let node = ClassDef { name, type_params, bases, keywords, body, decorator_list: vec![] };
        self.compound(l, StmtKind::ClassDef(Box::new(node)))
    }

    pub fn decorate(&self, decorators: Vec<Expr>, mut definition: Box<Stmt>) -> Box<Stmt> {
        match &mut definition.kind {
            StmtKind::FunctionDef(node) => node.decorator_list = decorators,
            StmtKind::ClassDef(node) => node.decorator_list = decorators,
            _ => {}
        }
        definition
    }

    /// `*Ts: bound`
    pub fn refuse_bound(&self, name: Ident, colon: u32, bound: Box<Expr>, kind: &'static str) -> Box<TypeParam> {
        let what = if matches!(bound.kind, ExprKind::Tuple { .. }) { "constraints" } else { "bound" };
        self.refuse(Kind::TypeParamBound { what, kind }, Span { start: colon, end: bound.span.end });
        self.type_param(name, TypeParamKind::TypeVarTuple)
    }

    pub fn type_param(&self, name: Ident, kind: TypeParamKind) -> Box<TypeParam> {
        Box::new(TypeParam { kind, name, span: Span::default() })
    }

    pub fn placed_type_param(&self, l: u32, param: Box<TypeParam>, r: u32) -> TypeParam {
        TypeParam { span: Span { start: l, end: r }, ..*param }
    }
}
