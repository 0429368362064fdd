//! Bodies and statements: blocks in which something may suspend and others, and what each statement becomes. Assignments (`assign.rs`),
//! imports (`import.rs`) and statements with blocks (`compound.rs`) are handed on; conditionals and simple statements are here.

use super::expr::{Operand, with_operand};
use super::spill::suspends;
use super::{Lowerer, Purpose, Statements};
use crate::syntax::ast::*;
use crate::syntax::{Mode, Span};
use crate::value::Value;
use crate::vm::expr::compare::Not;
use crate::vm::expr::name::{StoreClassName, StoreGlobal};
use crate::vm::expr::operand::Const;
use crate::vm::node::Tree;
use crate::vm::stmt::block::{Block, If, Pair, Single};
use crate::vm::stmt::simple::{Assert, Raise, Return, Show, Signal};
use crate::vm::stmt::suspending::{SuspendingBlock, SuspendingIf};

/// More statements than this in one block are grouped, since positions are 16 bits.
const MAX_BLOCK: usize = 30_000;

/// Whether executing a statement may suspend its frame.
pub(super) fn statement_suspends(statement: &Stmt) -> bool {
    let blocks = |blocks: &[&Vec<Stmt>]| blocks.iter().any(|block| block.iter().any(statement_suspends));
    let opt = |expr: &Option<Box<Expr>>| expr.as_ref().is_some_and(|expr| suspends(expr));
    match &statement.kind {
        StmtKind::FunctionDef(def) => {
            let args = &def.args;
            def.decorator_list.iter().chain(&args.defaults).chain(args.kw_defaults.iter().flatten()).any(suspends)
        }
        StmtKind::ClassDef(def) => {
            let keywords = def.keywords.iter().map(|keyword| &keyword.value);
            def.decorator_list.iter().chain(&def.bases).chain(keywords).any(suspends)
        }
        StmtKind::Return { value } => opt(value),
        StmtKind::Delete { targets } => targets.iter().any(suspends),
        StmtKind::Assign { targets, value } => suspends(value) || targets.iter().any(suspends),
        StmtKind::AugAssign { target, value, .. } => suspends(target) || suspends(value),
        StmtKind::AnnAssign { target, value, annotation, .. } => suspends(target) || opt(value) || suspends(annotation),
        StmtKind::For(node) => {
            node.is_async || suspends(&node.iter) || suspends(&node.target) || blocks(&[&node.body, &node.orelse])
        }
        StmtKind::While { test, body, orelse } => suspends(test) || blocks(&[body, orelse]),
        StmtKind::If { test, body, elifs, orelse } => {
            suspends(test) || blocks(&[body, orelse]) || elifs.iter().any(|elif| suspends(&elif.test) || blocks(&[&elif.body]))
        }
        StmtKind::With(node) => {
            let item = |item: &WithItem| suspends(&item.context_expr) || item.optional_vars.as_ref().is_some_and(suspends);
            node.is_async || node.items.iter().any(item) || blocks(&[&node.body])
        }
        StmtKind::Match { subject, cases } => {
            suspends(subject) || cases.iter().any(|case| case.guard.as_ref().is_some_and(suspends) || blocks(&[&case.body]))
        }
        StmtKind::Raise { exc, cause } => opt(exc) || opt(cause),
        StmtKind::Try(node) => {
            blocks(&[&node.body, &node.orelse, &node.finalbody])
                || node.handlers.iter().any(|h| h.typ.as_ref().is_some_and(suspends) || blocks(&[&h.body]))
        }
        StmtKind::Assert { test, msg } => suspends(test) || opt(msg),
        StmtKind::Expr { value } => suspends(value),
        _ => false,
    }
}

/// A block of one statement.
fn single(statements: &mut Statements) -> Tree {
    let (tree, span) = statements.pop().expect("one");
    if tree.knows_its_place() { tree } else { Box::new(Single { tree, span }) }
}

impl Lowerer<'_> {
    pub(super) fn docstring(&self, body: &[Stmt]) -> Value {
        match body.first().map(|statement| &statement.kind) {
            Some(StmtKind::Expr { value }) => match &value.kind {
                ExprKind::Constant(Constant::Str(text)) => self.vm.str_value(text),
                _ => Value::None,
            },
            _ => Value::None,
        }
    }

    pub(super) fn module_body(&mut self, module: &mut Module, doc: &Value) -> Tree {
        let mut statements = Statements::new();
        let span = module.span;
        if self.purpose == Purpose::File && !doc.is_none() {
            let value: Tree = Box::new(Const(doc.clone()));
            let store = StoreGlobal::new(self.globals_of_code(), self.name("__doc__"), value, self.at(span));
            statements.push((Box::new(store), span));
        }
        self.annotations_dict(&module.body, &mut statements);
        for statement in &mut module.body {
            self.statement(statement, &mut statements);
        }
        let suspends = self.frame().suspends;
        if suspends { self.suspending_block(statements) } else { self.block(statements) }
    }

    pub(super) fn eval_body(&mut self, module: &mut Module) -> Tree {
        let mut out = Statements::new();
        let Some(Stmt { kind: StmtKind::Expr { value }, span }) = module.body.first_mut() else {
            return Box::new(Signal(Value::Next));
        };
        let span = *span;
        self.return_value(Some(value), span, &mut out);
        if self.frame().suspends { self.suspending_block(out) } else { self.block(out) }
    }

    /// `__annotations__ = {}` where the body of a module or class has annotations.
    pub(super) fn annotations_dict(&mut self, body: &[Stmt], out: &mut Statements) {
        fn has_annotations(body: &[Stmt]) -> bool {
            body.iter().any(|statement| match &statement.kind {
                StmtKind::AnnAssign { simple, .. } => *simple,
                StmtKind::If { body, elifs, orelse, .. } => {
                    has_annotations(body) || has_annotations(orelse) || elifs.iter().any(|elif| has_annotations(&elif.body))
                }
                StmtKind::While { body, orelse, .. } => has_annotations(body) || has_annotations(orelse),
                StmtKind::For(node) => has_annotations(&node.body) || has_annotations(&node.orelse),
                StmtKind::With(node) => has_annotations(&node.body),
                StmtKind::Try(node) => {
                    has_annotations(&node.body)
                        || has_annotations(&node.orelse)
                        || has_annotations(&node.finalbody)
                        || node.handlers.iter().any(|handler| has_annotations(&handler.body))
                }
                _ => false,
            })
        }
        if !has_annotations(body) {
            return;
        }
        let name = Name::new("__annotations__");
        let value: Tree =
            Box::new(crate::vm::expr::name::AnnotationsDict { globals: self.globals_of_code(), in_class: self.in_namespace() });
        let span = Span::default();
        let store: Tree = if self.in_namespace() {
            Box::new(StoreClassName { name: self.name(&name), value, place: self.at(span) })
        } else {
            Box::new(StoreGlobal::new(self.globals_of_code(), self.name(&name), value, self.at(span)))
        };
        out.push((store, span));
    }

    pub(super) fn in_namespace(&self) -> bool {
        self.scopes.all[self.scope].kind == super::ScopeKind::Class
    }

    /// The body of a function.
    pub(super) fn function_body(&mut self, body: &mut [Stmt]) -> Tree {
        if !self.frame().suspends {
            return self.body(body);
        }
        let mut statements = Statements::new();
        for statement in body {
            self.statement(statement, &mut statements);
        }
        self.suspending_block(statements)
    }

    /// A block of source statements.
    pub(super) fn body(&mut self, body: &mut [Stmt]) -> Tree {
        let suspending = self.frame().suspends && body.iter().any(statement_suspends);
        let mut statements = Statements::new();
        for statement in body {
            self.statement(statement, &mut statements);
        }
        if suspending { self.suspending_block(statements) } else { self.block(statements) }
    }

    pub(super) fn block(&mut self, mut statements: Statements) -> Tree {
        match statements.len() {
            1 => single(&mut statements),
            2 => {
                let second = statements.pop().expect("two");
                let first = statements.pop().expect("one");
                Box::new(Pair { first, second })
            }
            _ => Box::new(Block(statements.into())),
        }
    }

    /// A block in which something may suspend.
    pub(super) fn suspending_block(&mut self, mut statements: Statements) -> Tree {
        if statements.len() == 1 {
            return single(&mut statements);
        }
        if statements.len() > MAX_BLOCK {
            let rest = statements.split_off(MAX_BLOCK);
            let span = rest[0].1;
            let rest = self.suspending_block(rest);
            statements.push((rest, span));
        }
        Box::new(SuspendingBlock(statements.into()))
    }

    pub(super) fn statement(&mut self, statement: &mut Stmt, out: &mut Statements) {
        if !self.step() {
            return;
        }
        let mark = self.mark();
        self.statement_here(statement, out);
        self.release(mark);
    }

    fn statement_here(&mut self, statement: &mut Stmt, out: &mut Statements) {
        let span = statement.span;
        match &mut statement.kind {
            StmtKind::FunctionDef(def) => self.function_def(def, span, out),
            StmtKind::ClassDef(def) => self.class_def(def, span, out),
            StmtKind::Return { value } => {
                self.return_value(value.as_deref_mut(), span, out);
            }
            StmtKind::Delete { targets } => {
                for target in targets {
                    self.delete(target, out);
                }
            }
            StmtKind::Assign { targets, value } => self.assign(targets, value, span, out),
            StmtKind::TypeAlias { name, type_params, value } => self.type_alias(name, type_params, value, span, out),
            StmtKind::AugAssign { target, op, value } => self.aug_assign(target, *op, value, span, out),
            StmtKind::AnnAssign { target, annotation, value, simple } => {
                if let Some(value) = value {
                    self.assign(std::slice::from_mut(&mut **target), value, span, out);
                }
                self.annotate(target, annotation, *simple, span, out);
            }
            StmtKind::For(node) => self.for_loop(node, span, out),
            StmtKind::While { test, body, orelse } => self.while_loop(test, body, orelse, span, out),
            StmtKind::If { test, body, elifs, orelse } => {
                let tree = self.if_chain(test, body, elifs, orelse, out);
                out.push((tree, span));
            }
            StmtKind::With(node) => self.with(node, span, out),
            StmtKind::Match { subject, cases } => {
                self.check_branches(cases.len());
                self.match_statement(subject, cases, span, out);
            }
            StmtKind::Raise { exc, cause } => {
                let mut all: Vec<&mut Expr> = exc.iter_mut().chain(cause.iter_mut()).map(|expr| &mut **expr).collect();
                self.spill_all(&mut all, out);
                let exception = exc.as_mut().map(|expr| self.expr(expr));
                let cause = cause.as_mut().map(|expr| self.expr(expr));
                out.push((Box::new(Raise { exception, cause, span }), span));
            }
            StmtKind::Try(node) => {
                self.check_branches(node.handlers.len());
                let tree = self.try_statement(node, span);
                out.push((tree, span));
            }
            StmtKind::Assert { test, msg } => self.assert(test, msg, span, out),
            StmtKind::Import { names } => self.import(names, span, out),
            StmtKind::ImportFrom { module, names, level } => self.import_from(module.as_ref(), names, *level, span, out),
            StmtKind::Global { .. } | StmtKind::Nonlocal { .. } | StmtKind::Pass => {}
            StmtKind::Expr { value } => {
                if matches!(value.kind, ExprKind::Constant(_)) && self.purpose.mode() != Mode::Interactive {
                    return;
                }
                if let ExprKind::Yield { value: Some(item) } = &mut value.kind
                    && self.purpose.mode() != Mode::Interactive
                {
                    // What is sent in is not looked at.
                    self.yield_expr(Some(item), span, out);
                    return;
                }
                if let ExprKind::Await { value: awaited } = &mut value.kind
                    && self.purpose != Purpose::Interactive
                {
                    self.await_expr(awaited, false, span, out);
                    return;
                }
                let tree = self.spilled(value, out);
                let shown = self.purpose.mode() == Mode::Interactive && self.frames.len() == 1;
                let tree: Tree = if shown { Box::new(Show(tree)) } else { tree };
                out.push((tree, span));
            }
            StmtKind::Break => out.push((Box::new(Signal(Value::Break)), span)),
            StmtKind::Continue => out.push((Box::new(Signal(Value::Continue)), span)),
        }
    }

    fn if_chain(
        &mut self,
        test: &mut Expr,
        body: &mut [Stmt],
        elifs: &mut [Elif],
        orelse: &mut [Stmt],
        out: &mut Statements,
    ) -> Tree {
        let test = self.spilled(test, out);
        let then = self.body(body);
        let otherwise = match elifs.split_first_mut() {
            Some((elif, rest)) => {
                let mut inner = Statements::new();
                let span = elif.span;
                let tree = with_stack(|| self.if_chain(&mut elif.test, &mut elif.body, rest, orelse, &mut inner));
                if inner.is_empty() {
                    Some(tree)
                } else {
                    inner.push((tree, span));
                    Some(self.suspending_block(inner))
                }
            }
            None if orelse.is_empty() => None,
            None => Some(self.body(orelse)),
        };
        if self.frame().suspends {
            Box::new(SuspendingIf { test, then, otherwise })
        } else {
            Box::new(If { test, then, otherwise })
        }
    }

    fn assert(&mut self, test: &mut Expr, msg: &mut Option<Box<Expr>>, span: Span, out: &mut Statements) {
        let suspends_in_message = msg.as_ref().is_some_and(|msg| suspends(msg)) && self.frame().suspends;
        let test = self.spilled(test, out);
        if suspends_in_message && let Some(msg) = msg {
            let mut inner = Statements::new();
            let message = self.spilled(msg, &mut inner);
            let test_false: Tree = Box::new(Const(Value::FALSE));
            inner.push((Box::new(Assert { test: test_false, message: Some(message), span }), span));
            let then = self.suspending_block(inner);
            out.push((Box::new(SuspendingIf { test: Box::new(Not(test)), then, otherwise: None }), span));
            return;
        }
        let message = msg.as_mut().map(|msg| self.expr(msg));
        out.push((Box::new(Assert { test, message, span }), span));
    }

    /// `return value`: emits the statement.
    pub(super) fn return_value(&mut self, value: Option<&mut Expr>, span: Span, out: &mut Statements) {
        let value = self.operand_or_none(value, out);
        out.push((with_operand!(value, |value| Box::new(Return { value, span }) as Tree), span));
    }
}
