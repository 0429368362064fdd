//! What the grammar does with what it has read. Called by the generated parser alone.
//!
//! Actions cannot fail: the first error is kept, the stream of tokens ends there, and a placeholder travels on until the
//! parser notices. Here are the nodes themselves, names, numbers and operators; the modules below have a page per subject.

#![allow(clippy::boxed_local, reason = "expressions and statements travel boxed through the parser")]

mod calls;
mod comprehensions;
mod params;
mod patterns;
mod statements;
mod strings;
mod targets;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use unicode_normalization::{UnicodeNormalization, is_nfkc};

use super::ast::*;
use super::error::{SyntaxError, SyntaxErrorKind as Kind};
use super::literal;
use super::source::Span;
use super::warning::Warning;

pub use calls::{Argument, CallArgs};
pub use params::{Param, ParamKind};
pub use statements::HandlerHead;
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
    warnings: RefCell<Vec<Warning>>,
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
        Actions {
            text,
            names: RefCell::default(),
            failed: Cell::new(false),
            error: Cell::new(None),
            warnings: RefCell::default(),
        }
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

    pub fn take_warnings(&self) -> Vec<Warning> {
        self.warnings.take()
    }

    /// Warns of the first escape in `l..r` that means nothing.
    fn check_escapes(&self, l: u32, r: u32, is_bytes: bool, span: Span) {
        if let Some(text) = literal::bad_escape(self.text, l as usize, r as usize, is_bytes) {
            self.warnings.borrow_mut().push(Warning { text, span });
        }
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
            names.get(normal.as_str()).cloned().unwrap_or_else(|| Name::new(&normal))
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

    /// A named expression as an argument, where only names are tried before `:=`, which is then what cannot stand there.
    pub fn named_argument(&self, l: u32, target: Box<Expr>, walrus: u32, value: Box<Expr>, r: u32) -> Box<Expr> {
        if !matches!(target.kind, ExprKind::Name(_)) || target.span.start != l {
            self.refuse(Kind::Invalid, Span::new(walrus as usize, walrus as usize + 2));
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
}

/// Where a block ends.
fn end_of(body: &[Stmt]) -> Option<u32> {
    body.last().map(|last| last.span.end)
}
