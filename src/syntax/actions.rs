//! What the grammar does with what it has read. Called by the generated parser alone.
//!
//! Actions cannot fail: the first error is kept, the stream of tokens ends there, and a placeholder travels on until the
//! parser notices. `targets` has the checks of what may be assigned to or deleted.

#![allow(clippy::boxed_local, reason = "expressions and statements travel boxed through the parser")]

mod params;
mod strings;
mod targets;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use unicode_normalization::{UnicodeNormalization, is_nfkc};

use super::ast::*;
use super::error::{SyntaxError, SyntaxErrorKind as Kind};
use super::literal;
use super::source::Span;

pub use params::{Param, ParamKind};
pub use targets::{describe, invalid_target};

/// The parser has to stop; the error waits in [`Actions`].
#[derive(Debug, Clone, Copy)]
pub struct Stop;

/// The state behind all actions of one parse.
pub struct Actions<'s> {
    text: &'s str,
    names: RefCell<HashMap<&'s str, Name, foldhash::fast::FixedState>>,
    failed: Cell<bool>,
    error: Cell<Option<SyntaxError>>,
}

/// The arguments of a call as far as they have been read.
#[derive(Default)]
pub struct CallArgs {
    pub args: Vec<Expr>,
    pub keywords: Vec<Keyword>,
    /// The first argument that is a generator expression without parentheses, and its first `for`.
    generator: Option<(Span, u32)>,
    /// An argument that may not follow those before it.
    misplaced: Option<Kind>,
    /// How many arguments there are.
    count: usize,
}

/// One argument of a call.
pub enum Argument {
    Positional(Box<Expr>),
    Keyword(Box<Expr>, Box<Expr>),
    DoubleStar(Box<Expr>),
    Generator(Box<(Box<Expr>, Vec<Comprehension>)>),
}

/// `except typ as name:`
pub struct HandlerHead {
    is_star: bool,
    typ: Option<Box<Expr>>,
    name: Option<Ident>,
}

/// A chained comparison as far as it has been read.
pub struct Chain {
    left: Box<Expr>,
    ops: Vec<CmpOp>,
    comparators: Vec<Expr>,
}

impl Chain {
    pub fn push(&mut self, op: CmpOp, right: Expr) {
        self.ops.push(op);
        self.comparators.push(right);
    }
}

impl<'s> Actions<'s> {
    pub fn new(text: &'s str) -> Actions<'s> {
        Actions { text, names: RefCell::default(), failed: Cell::new(false), error: Cell::new(None) }
    }

    /// Keeps the first error.
    #[cold]
    pub fn fail(&self, error: SyntaxError) {
        if !self.failed.replace(true) {
            self.error.set(Some(error));
        }
    }

    #[cold]
    fn refuse(&self, kind: Kind, span: Span) {
        self.fail(SyntaxError::new(kind, span));
    }

    pub fn failed(&self) -> bool {
        self.failed.get()
    }

    pub fn take_error(&self) -> Option<SyntaxError> {
        self.error.take()
    }

    fn slice(&self, l: u32, r: u32) -> &'s str {
        &self.text[l as usize..r as usize]
    }

    // --- Nodes ---

    pub fn expr(&self, l: u32, kind: ExprKind, r: u32) -> Box<Expr> {
        let span = Span { start: l, end: r };
        let node = Expr::new(kind, span);
        if node.depth().is_allowed() {
            return Box::new(node);
        }
        self.refuse(Kind::TooDeep, span);
        self.nothing(span)
    }

    /// The placeholder for what has been refused.
    fn nothing(&self, span: Span) -> Box<Expr> {
        Box::new(Expr::new(ExprKind::Constant(Constant::None), span))
    }

    /// A node whose place is not known yet.
    pub fn atom(&self, kind: ExprKind) -> Box<Expr> {
        Box::new(Expr::new(kind, Span::default()))
    }

    pub fn placed(&self, l: u32, mut node: Box<Expr>, r: u32) -> Box<Expr> {
        node.span = Span { start: l, end: r };
        if node.depth().is_allowed() {
            return node;
        }
        self.refuse(Kind::TooDeep, node.span);
        self.nothing(node.span)
    }

    /// A statement whose place is not known yet.
    pub fn line(&self, kind: StmtKind) -> Box<Stmt> {
        self.stmt(0, kind, 0)
    }

    pub fn placed_line(&self, l: u32, mut node: Box<Stmt>, r: u32) -> Box<Stmt> {
        node.span = Span { start: l, end: r };
        node
    }

    pub fn bare_pattern(&self, kind: PatternKind) -> Box<Pattern> {
        self.pattern(0, kind, 0)
    }

    pub fn placed_pattern(&self, l: u32, mut node: Box<Pattern>, r: u32) -> Box<Pattern> {
        node.span = Span { start: l, end: r };
        node
    }

    pub fn stmt(&self, l: u32, kind: StmtKind, r: u32) -> Box<Stmt> {
        Box::new(Stmt { kind, span: Span { start: l, end: r } })
    }

    /// A statement that ends where its last block ends.
    pub fn compound(&self, l: u32, kind: StmtKind) -> Box<Stmt> {
        self.placed_compound(l, self.line(kind))
    }

    pub fn placed_compound(&self, l: u32, mut node: Box<Stmt>) -> Box<Stmt> {
        let end = match &node.kind {
            StmtKind::If { body, elifs, orelse, .. } => {
                let elif = elifs.last().map(|elif| elif.span.end);
                end_of(orelse).or(elif).or(end_of(body))
            }
            StmtKind::While { body, orelse, .. } => end_of(orelse).or(end_of(body)),
            StmtKind::For(node) => end_of(&node.orelse).or(end_of(&node.body)),
            StmtKind::With(node) => end_of(&node.body),
            StmtKind::Try(node) => {
                let handler = node.handlers.last().map(|handler| handler.span.end);
                end_of(&node.finalbody).or(end_of(&node.orelse)).or(handler).or(end_of(&node.body))
            }
            StmtKind::Match { cases, .. } => cases.last().map(|case| case.span.end),
            StmtKind::FunctionDef(node) => end_of(&node.body),
            StmtKind::ClassDef(node) => end_of(&node.body),
            _ => None,
        };
        node.span = Span { start: l, end: end.unwrap_or(l) };
        node
    }

    pub fn pattern(&self, l: u32, kind: PatternKind, r: u32) -> Box<Pattern> {
        Box::new(Pattern { kind, span: Span { start: l, end: r } })
    }

    // --- Names ---

    fn intern(&self, l: u32, r: u32) -> Name {
        let text = self.slice(l, r);
        let mut names = self.names.borrow_mut();
        if let Some(name) = names.get(text) {
            return name.clone();
        }
        let name = if text.is_ascii() || is_nfkc(text) {
            Name::new(text)
        } else {
            let normal: String = text.nfkc().collect();
            // Another spelling of the same name may be known already.
            names.values().find(|name| name.as_str() == normal).cloned().unwrap_or_else(|| Name::new(&normal))
        };
        names.insert(text, name.clone());
        name
    }

    pub fn ident(&self, l: u32, r: u32) -> Ident {
        Ident { name: self.intern(l, r), span: Span { start: l, end: r } }
    }

    pub fn name(&self, l: u32, r: u32) -> Box<Expr> {
        Box::new(Expr::new(ExprKind::Name(self.intern(l, r)), Span { start: l, end: r }))
    }

    /// `a.b.c` of an import.
    pub fn dotted(&self, l: u32, r: u32) -> Ident {
        let text = self.slice(l, r);
        let span = Span { start: l, end: r };
        if text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.')) {
            return Ident { name: self.intern(l, r), span };
        }
        let plain: String = text.chars().filter(|c| *c == '.' || *c == '_' || unicode_ident::is_xid_continue(*c)).collect();
        Ident { name: Name::new(&plain.nfkc().collect::<String>()), span }
    }

    // --- Literals ---

    pub fn number(&self, l: u32, r: u32) -> Box<Expr> {
        let constant = literal::number(self.slice(l, r)).unwrap_or_else(|kind| {
            self.refuse(kind, Span { start: l, end: r });
            Constant::None
        });
        self.expr(l, ExprKind::Constant(constant), r)
    }

    // --- Operators ---

    pub fn binary(&self, l: u32, left: Box<Expr>, op: Operator, right: Box<Expr>, r: u32) -> Box<Expr> {
        self.expr(l, ExprKind::BinOp { left, op, right }, r)
    }

    pub fn chain(&self, left: Box<Expr>, op: CmpOp, right: Box<Expr>) -> Box<Chain> {
        Box::new(Chain { left, ops: vec![op], comparators: vec![*right] })
    }

    pub fn compare(&self, l: u32, chain: Box<Chain>, r: u32) -> Box<Expr> {
        let Chain { left, ops, comparators } = *chain;
        self.expr(l, ExprKind::Compare { left, ops, comparators }, r)
    }

    pub fn named_expr(&self, l: u32, target: Box<Expr>, value: Box<Expr>, r: u32) -> Box<Expr> {
        if !matches!(target.kind, ExprKind::Name(_)) || target.span.start != l {
            self.refuse(Kind::NamedExprTarget(targets::describe(&target)), target.span);
        }
        self.expr(l, ExprKind::NamedExpr { target, value }, r)
    }

    /// Parentheses around one expression.
    pub fn group(&self, _l: u32, inner: Box<Expr>, _r: u32) -> Box<Expr> {
        if matches!(inner.kind, ExprKind::Starred { .. }) {
            self.refuse(Kind::LoneStarred, inner.span);
        }
        inner
    }

    // --- Calls ---

    pub fn argument(&self, mut into: Box<CallArgs>, l: u32, arg: Argument, r: u32) -> Box<CallArgs> {
        let span = Span { start: l, end: r };
        into.count += 1;
        match arg {
            Argument::Positional(value) => {
                if !into.keywords.is_empty() {
                    let unpacked = into.keywords.iter().any(|keyword| keyword.arg.is_none());
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
            Argument::DoubleStar(value) => into.keywords.push(Keyword { arg: None, value: *value, span }),
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
    fn equals_sign(&self, from: u32) -> u32 {
        self.text[from as usize..].find('=').map_or(from, |at| from + at as u32 + 1)
    }

    /// `f(a=1 for a in b)`
    pub fn keyword_generator(&self, key: Box<Expr>) -> Argument {
        let span = Span { start: key.span.start, end: self.equals_sign(key.span.end) };
        self.refuse(Kind::MeantEquality, span);
        Argument::Positional(key)
    }

    pub fn call(&self, l: u32, func: Box<Expr>, arguments: Box<CallArgs>, r: u32) -> Box<Expr> {
        let open = func.span.end;
        let CallArgs { mut args, keywords, generator, count, misplaced } = *arguments;
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

    // --- Comprehensions ---

    pub fn comprehension(
        &self,
        mut into: Vec<Comprehension>,
        l: u32,
        is_async: bool,
        target: Box<Expr>,
        iter: Box<Expr>,
        r: u32,
    ) -> Vec<Comprehension> {
        let span = Span { start: l, end: r };
        into.push(Comprehension { is_async, target: *target, iter: *iter, ifs: vec![], span });
        into
    }

    pub fn comprehension_if(&self, mut into: Vec<Comprehension>, test: Box<Expr>, r: u32) -> Vec<Comprehension> {
        if let Some(last) = into.last_mut() {
            last.ifs.push(*test);
            last.span.end = r;
        }
        into
    }

    pub fn generator(&self, elt: Box<Expr>, generators: Vec<Comprehension>) -> ExprKind {
        self.refuse_unpacking(&elt);
        ExprKind::GeneratorExp { elt, generators }
    }

    pub fn list_comp(&self, elt: Box<Expr>, generators: Vec<Comprehension>) -> ExprKind {
        self.refuse_unpacking(&elt);
        ExprKind::ListComp { elt, generators }
    }

    pub fn set_comp(&self, elt: Box<Expr>, generators: Vec<Comprehension>) -> ExprKind {
        self.refuse_unpacking(&elt);
        ExprKind::SetComp { elt, generators }
    }

    pub fn dict_comp(&self, item: Box<DictItem>, generators: Vec<Comprehension>) -> ExprKind {
        let DictItem { key, value } = *item;
        match key {
            Some(key) => ExprKind::DictComp { key: Box::new(key), value: Box::new(value), generators },
            None => {
                let start = self.text[..value.span.start as usize].rfind("**").unwrap_or(0);
                self.refuse(Kind::DictUnpackingInComprehension, Span::new(start, start + 2));
                ExprKind::Dict { items: vec![] }
            }
        }
    }

    fn refuse_unpacking(&self, elt: &Expr) {
        if matches!(elt.kind, ExprKind::Starred { .. }) {
            self.refuse(Kind::UnpackingInComprehension, elt.span);
        }
    }

    /// `[a, b for ...]`
    pub fn unparenthesized_target(&self, l: u32, elts: Vec<Expr>, r: u32) -> ExprKind {
        self.refuse(Kind::ParenthesizeTarget, Span { start: l, end: r });
        ExprKind::List { elts }
    }

    /// `value[slice]`; a single starred element makes a tuple.
    pub fn subscript(&self, l: u32, value: Box<Expr>, slice: Box<Expr>, r: u32) -> Box<Expr> {
        let slice = match &slice.kind {
            ExprKind::Starred { .. } => {
                let span = slice.span;
                self.expr(span.start, ExprKind::Tuple { elts: vec![*slice] }, span.end)
            }
            _ => slice,
        };
        self.expr(l, ExprKind::Subscript { value, slice }, r)
    }

    // --- Statements ---

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
        let CallArgs { args: bases, keywords, generator, count, misplaced } = *arguments;
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

    // --- Patterns ---

    pub fn case(&self, l: u32, pattern: Box<Pattern>, guard: Option<Box<Expr>>, body: Vec<Stmt>) -> MatchCase {
        let end = end_of(&body).unwrap_or(l);
        let guard = guard.map(|guard| *guard);
        MatchCase { pattern: *pattern, guard, body, span: Span { start: l, end } }
    }

    /// A name that a pattern binds; `_` binds nothing.
    pub fn capture(&self, name: Ident) -> Option<Ident> {
        (name.name.as_str() != "_").then_some(name)
    }

    pub fn as_pattern(&self, l: u32, pattern: Box<Pattern>, target: Box<Expr>, r: u32) -> Box<Pattern> {
        let name = match &target.kind {
            ExprKind::Name(name) if name.as_str() == "_" => {
                self.refuse(Kind::WildcardTarget, target.span);
                None
            }
            ExprKind::Name(name) => Some(Ident { name: name.clone(), span: target.span }),
            ExprKind::Attribute { value, .. } | ExprKind::Subscript { value, .. } | ExprKind::Call { func: value, .. } => {
                self.refuse(Kind::Invalid, Span { start: value.span.end, end: value.span.end + 1 });
                None
            }
            _ => {
                self.refuse(Kind::PatternTarget, target.span);
                None
            }
        };
        self.pattern(l, PatternKind::MatchAs { pattern: Some(pattern), name }, r)
    }

    /// `(*a)`
    pub fn lone_star_pattern(&self, close: u32) -> PatternKind {
        self.refuse(Kind::Invalid, Span { start: close, end: close + 1 });
        PatternKind::MatchSequence { patterns: vec![] }
    }

    pub fn literal_pattern(&self, value: Box<Expr>) -> PatternKind {
        if matches!(value.kind, ExprKind::JoinedStr { .. }) {
            self.refuse(Kind::PatternLiteral, value.span);
        }
        PatternKind::MatchValue { value }
    }

    /// `1 + 2j`
    pub fn complex_pattern(&self, l: u32, left: Box<Expr>, op: Operator, right: Box<Expr>, r: u32) -> Box<Expr> {
        let is_complex = |expr: &Expr| matches!(expr.kind, ExprKind::Constant(Constant::Complex(_)));
        let real = match &left.kind {
            ExprKind::UnaryOp { operand, .. } => operand,
            _ => &left,
        };
        if is_complex(real) {
            self.refuse(Kind::RealRequired, left.span);
        } else if !is_complex(&right) {
            self.refuse(Kind::ImaginaryRequired, right.span);
        }
        self.binary(l, left, op, right, r)
    }

    pub fn mapping_pattern(&self, items: Vec<(Option<Box<Expr>>, Box<Pattern>)>) -> PatternKind {
        let (mut keys, mut patterns, mut rest) = (vec![], vec![], None);
        for (key, pattern) in items {
            if rest.is_some() {
                self.refuse(Kind::Invalid, key.as_ref().map_or(pattern.span, |key| key.span));
            }
            match (key, *pattern) {
                (Some(key), pattern) => {
                    keys.push(*key);
                    patterns.push(pattern);
                }
                (None, Pattern { kind: PatternKind::MatchStar { name }, .. }) => {
                    if let Some(name) = name.as_ref().filter(|name| name.name.as_str() == "_") {
                        self.refuse(Kind::Invalid, name.span);
                    }
                    rest = name;
                }
                (None, _) => {}
            }
        }
        PatternKind::MatchMapping { keys, patterns, rest }
    }

    pub fn class_pattern(&self, cls: Box<Expr>, items: Vec<(Option<Box<Ident>>, Box<Pattern>)>) -> PatternKind {
        let (mut patterns, mut kwd_patterns) = (vec![], vec![]);
        for (name, pattern) in items {
            match name {
                Some(name) => kwd_patterns.push((*name, *pattern)),
                None => {
                    if !kwd_patterns.is_empty() {
                        self.refuse(Kind::PositionalPatternAfterKeyword, pattern.span);
                    }
                    patterns.push(*pattern);
                }
            }
        }
        PatternKind::MatchClass { cls, patterns, kwd_patterns }
    }
}

/// Where a block ends.
fn end_of(body: &[Stmt]) -> Option<u32> {
    body.last().map(|last| last.span.end)
}
