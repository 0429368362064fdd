//! Statements.

use super::expr::{Operand, with_operand};
use super::{Lowerer, Place, Purpose, Statements};
use crate::syntax::ast::*;
use crate::syntax::{Mode, Span};
use crate::value::Value;
use crate::vm::expr::arithmetic;
use crate::vm::expr::augment::{AddToLocal, AugLocal, Inplace, Target};
use crate::vm::expr::compare::Not;
use crate::vm::expr::name::{StoreClassName, StoreGlobal, StoreLocal, TakeTemp, Temp};
use crate::vm::expr::operand::{Child, Const};
use crate::vm::node::Tree;
use crate::vm::stmt::await_::{AsyncIter, AsyncNext, Await, AwaitCall, AwaitedCallee, Yield};
use crate::vm::stmt::block::{Block, For, If, Pair, Single, While};
use crate::vm::stmt::simple::{Assert, Import, ImportFrom, ImportStar, Raise, Return, Show, Signal};
use crate::vm::stmt::suspending::{SuspendingBlock, SuspendingFor, SuspendingIf, SuspendingWhile};
use crate::vm::stmt::try_::{Except, ExceptStar, Finally, Handler};
use crate::vm::stmt::with_::With as WithNode;

use super::spill::suspends;

/// More statements than this in one block are grouped, since positions are 16 bits.
const MAX_BLOCK: usize = 30_000;

/// Whether a module begins with `from __future__ import annotations`.
pub(super) fn imports_future_annotations(body: &[Stmt]) -> bool {
    body.iter().any(|statement| match &statement.kind {
        StmtKind::ImportFrom { module: Some(module), names, .. } => {
            &*module.name == "__future__" && names.iter().any(|alias| &*alias.name.name == "annotations")
        }
        _ => false,
    })
}

/// Whether executing a statement may suspend its frame.
fn statement_suspends(statement: &Stmt) -> bool {
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
            let store = StoreGlobal::new(self.globals_of_code(), self.name("__doc__"), value);
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
            Box::new(StoreClassName { name: self.name(&name), value })
        } else {
            Box::new(StoreGlobal::new(self.globals_of_code(), self.name(&name), value))
        };
        out.push((store, span));
    }

    fn in_namespace(&self) -> bool {
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
            StmtKind::Import { names } => self.import(names, out),
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

    fn assign(&mut self, targets: &mut [Expr], value: &mut Expr, span: Span, out: &mut Statements) {
        // `a, b = c, d` needs no tuple.
        if let [target] = targets {
            if let (ExprKind::Name(name), ExprKind::Yield { value: item }) = (&target.kind, &mut value.kind)
                && let Place::Local(slot) = self.place(name)
            {
                self.yield_into(slot, item.as_deref_mut(), span, out);
                return;
            }
            if self.may_suspend(value) {
                self.spill_all(&mut [value], out);
            }
            if self.may_suspend(target) {
                let saved = self.temp();
                let tree = self.expr(value);
                out.push((Box::new(StoreLocal { slot: saved, value: tree }), span));
                self.spill_target(target, out);
                let store = self.store(target, Operand::Child(Child(Box::new(TakeTemp(saved)))));
                out.push((store, span));
                return;
            }
            if let (ExprKind::Tuple { elts: targets }, ExprKind::Tuple { elts: values }) = (&mut target.kind, &mut value.kind)
                && targets.len() == values.len()
                && targets.len() <= 4
                && targets.len() > 1
                && targets.iter().chain(values.iter()).all(|part| !matches!(part.kind, ExprKind::Starred { .. }))
            {
                let slots: Vec<u16> = values.iter().map(|_| self.temp()).collect();
                for (value, &slot) in values.iter_mut().zip(&slots) {
                    let value = self.expr(value);
                    out.push((Box::new(StoreLocal { slot, value }), span));
                }
                for (target, &slot) in targets.iter_mut().zip(&slots) {
                    let store = self.store(target, Operand::Child(Child(Box::new(TakeTemp(slot)))));
                    out.push((store, span));
                }
                return;
            }
            if let Some(tree) = self.add_to_local(target, value) {
                out.push((tree, span));
                return;
            }
            let value = self.operand(value);
            let store = self.store(target, value);
            out.push((store, span));
            return;
        }
        let tree = self.spilled(value, out);
        let saved = self.temp();
        out.push((Box::new(StoreLocal { slot: saved, value: tree }), span));
        let last = targets.len() - 1;
        for (index, target) in targets.iter_mut().enumerate() {
            self.spill_target(target, out);
            let value: Tree = if index == last { Box::new(TakeTemp(saved)) } else { Box::new(Temp(saved)) };
            let store = self.store(target, Operand::Child(Child(value)));
            out.push((store, span));
        }
    }

    /// `local = local + b`, which is how some write `local += b`.
    fn add_to_local(&mut self, target: &Expr, value: &mut Expr) -> Option<Tree> {
        let ExprKind::Name(name) = &target.kind else { return None };
        let ExprKind::BinOp { left, op: Operator::Add, right } = &mut value.kind else { return None };
        if !matches!(&left.kind, ExprKind::Name(left) if left == name) || self.frame().has_walrus {
            return None;
        }
        let Place::Local(slot) = self.place(name) else { return None };
        let (name, local, span) = (self.name(name), left.span, value.span);
        let b = self.operand(right);
        Some(super::expr::with_operand!(b, |b| Box::new(AddToLocal { slot, name, b, span, local }) as Tree))
    }

    fn aug_assign(&mut self, target: &mut Expr, op: Operator, value: &mut Expr, span: Span, out: &mut Statements) {
        if let ExprKind::Name(name) = &target.kind {
            let name = name.clone();
            let simple = !self.may_suspend(value) && !self.frame().has_walrus;
            if let (Place::Local(slot), true) = (self.place(&name), simple) {
                let name = self.name(&name);
                let b = self.operand(value);
                let tree = super::expr::with_operand!(b, |b| aug_local(op, slot, name, b, span));
                out.push((tree, span));
                return;
            }
            let slot = self.temp();
            let old = self.load_name(&name, target.span);
            let a: Tree = if self.may_suspend(value) {
                out.push((Box::new(StoreLocal { slot, value: old }), span));
                Box::new(TakeTemp(slot))
            } else {
                old
            };
            let b = self.spilled(value, out);
            let held = match self.place(&name) {
                Place::Cell { slot, .. } => Target::Captured(slot),
                Place::Global => Target::Global(self.globals_of_code(), self.name(&name)),
                _ => Target::Other,
            };
            let new = Box::new(Inplace { op, a, b, target: held, span });
            let store = self.store_name(&name, new, target.span);
            out.push((store, span));
            return;
        }
        // The object (and key) are evaluated once.
        let keep = |this: &mut Self, expr: &mut Expr, out: &mut Statements| {
            let part = expr.span;
            // A local variable, or a constant, is the same when it is read again.
            if this.is_stable(expr) {
                let name = std::mem::replace(&mut expr.kind, ExprKind::Constant(Constant::None));
                return Kept::Again(name, part);
            }
            let tree = this.spilled(expr, out);
            let slot = this.temp();
            out.push((Box::new(StoreLocal { slot, value: tree }), part));
            Kept::Slot(slot, part)
        };
        let (mut load, mut store, held) = match &mut target.kind {
            ExprKind::Attribute { value: object, attr } => {
                let slot = keep(self, object, out);
                let make = |read: Expr| Expr::new(ExprKind::Attribute { value: Box::new(read), attr: attr.clone() }, target.span);
                let held = Target::Attribute(self.expr(&mut slot.first()), self.name(&attr.name));
                (make(slot.first()), make(slot.again()), held)
            }
            ExprKind::Subscript { value: object, slice } => {
                let object = keep(self, object, out);
                let key = keep(self, slice, out);
                let make = |object: Expr, key: Expr| {
                    Expr::new(ExprKind::Subscript { value: Box::new(object), slice: Box::new(key) }, target.span)
                };
                let held = Target::Item(self.expr(&mut object.first()), self.expr(&mut key.first()));
                (make(object.first(), key.first()), make(object.again(), key.again()), held)
            }
            _ => unreachable!("the parser accepts only names, attributes and subscripts"),
        };
        let old = self.expr(&mut load);
        let a: Tree = if self.may_suspend(value) {
            let slot = self.temp();
            out.push((Box::new(StoreLocal { slot, value: old }), span));
            Box::new(TakeTemp(slot))
        } else {
            old
        };
        let b = self.spilled(value, out);
        let new: Tree = Box::new(Inplace { op, a, b, target: held, span });
        let store = self.store(&mut store, Operand::Child(Child(new)));
        out.push((store, span));
    }

    fn annotate(&mut self, target: &mut Expr, annotation: &mut Expr, simple: bool, span: Span, out: &mut Statements) {
        let is_module = self.frames.len() == 1 && self.scopes.all[self.scope].kind == super::ScopeKind::Module;
        if !is_module && !self.in_namespace() {
            return;
        }
        if self.may_suspend(annotation) {
            self.spill_all(&mut [annotation], out);
        }
        let value = self.annotation(annotation);
        match &target.kind {
            ExprKind::Name(name) if simple => {
                let dict = self.load_name(&Name::new("__annotations__"), span);
                let name = Value::from(&self.name(name));
                let store = crate::vm::expr::name::Annotate { dict, name, value };
                out.push((Box::new(store), span));
            }
            _ => out.push((value, span)),
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

    fn while_loop(&mut self, test: &mut Expr, body: &mut [Stmt], orelse: &mut [Stmt], span: Span, out: &mut Statements) {
        let suspending = self.may_suspend(test)
            || self.frame().suspends && (body.iter().any(statement_suspends) || orelse.iter().any(statement_suspends));
        let mut before = Statements::new();
        let test = self.spilled(test, &mut before);
        let before = (!before.is_empty()).then(|| self.suspending_block(before));
        let body = self.body(body);
        let otherwise = (!orelse.is_empty()).then(|| self.body(orelse));
        let tree: Tree = if suspending {
            Box::new(SuspendingWhile { before, test, body, otherwise })
        } else {
            Box::new(While { test, body, otherwise })
        };
        out.push((tree, span));
    }

    fn for_loop(&mut self, node: &mut crate::syntax::ast::For, span: Span, out: &mut Statements) {
        let suspending = self.frame().suspends
            && (node.is_async
                || suspends(&node.target)
                || node.body.iter().any(statement_suspends)
                || node.orelse.iter().any(statement_suspends));
        let iter_span = node.iter.span;
        let iterable = self.spilled(&mut node.iter, out);
        // Taken before the body, whose statements give their hidden slots back.
        let iterator = self.temp();
        let target = self.spilled_item_target(&mut node.target);
        let body = self.body(&mut node.body);
        let otherwise = (!node.orelse.is_empty()).then(|| self.body(&mut node.orelse));
        if node.is_async {
            let iterable: Tree = Box::new(AsyncIter { iterable, span: iter_span });
            self.emit_loop(true, iterator, iterable, target, body, otherwise, iter_span, out);
        } else if suspending {
            self.emit_loop(false, iterator, iterable, target, body, otherwise, iter_span, out);
        } else {
            let (item, assign) = target;
            out.push((Box::new(For { iterable, item, assign, body, otherwise, span: iter_span }), span));
        }
    }

    /// A loop that may suspend.
    #[allow(clippy::too_many_arguments, reason = "the parts of a loop")]
    pub(super) fn emit_loop(
        &mut self,
        is_async: bool,
        iterator: u16,
        iterable: Tree,
        target: (u16, Option<Tree>),
        body: Tree,
        otherwise: Option<Tree>,
        span: Span,
        out: &mut Statements,
    ) {
        let (item, assign) = target;
        if !is_async {
            out.push((Box::new(SuspendingFor { iterable, iterator, item, assign, body, otherwise, span }), span));
            return;
        }
        // while True: item = await iterator.__anext__() (ends the loop); assign; body
        out.push((Box::new(StoreLocal { slot: iterator, value: iterable }), span));
        let tree = crate::vm::stmt::suspending::AsyncFor {
            step: Box::new(AsyncNext { iterator, slot: item, span }),
            iterator,
            assign,
            body,
            otherwise,
        };
        out.push((Box::new(tree), span));
    }

    fn with(&mut self, node: &mut crate::syntax::ast::With, span: Span, out: &mut Statements) {
        let tree = self.with_items(&mut node.items, node.is_async, &mut node.body, span, out);
        out.push((tree, span));
    }

    fn with_items(
        &mut self,
        items: &mut [WithItem],
        is_async: bool,
        body: &mut [Stmt],
        span: Span,
        out: &mut Statements,
    ) -> Tree {
        let (item, rest) = items.split_first_mut().expect("a with statement has items");
        let item_span = item.context_expr.span;
        let manager = self.spilled(&mut item.context_expr, out);
        let (exit, leaving, awaiting, saved) = (self.temp(), self.temp(), self.temp(), self.temp());
        let mut inner = Statements::new();
        let (entered, assign) = match &mut item.optional_vars {
            Some(target) if self.may_suspend(target) => {
                let slot = self.temp();
                self.spill_target(target, &mut inner);
                let store = self.store(target, Operand::Child(Child(Box::new(TakeTemp(slot)))));
                inner.push((store, item_span));
                (slot, Some(Box::new(Signal(Value::Next)) as Tree))
            }
            Some(target) => {
                let (slot, assign) = self.item_target(target);
                (slot, Some(assign.unwrap_or_else(|| Box::new(Signal(Value::Next)))))
            }
            None => (self.temp(), None),
        };
        let body = if rest.is_empty() {
            if inner.is_empty() {
                self.body(body)
            } else {
                for statement in body {
                    self.statement(statement, &mut inner);
                }
                self.suspending_block(inner)
            }
        } else {
            let tree = self.with_items(rest, is_async, body, span, &mut inner);
            inner.push((tree, span));
            if self.frame().suspends { self.suspending_block(inner) } else { self.block(inner) }
        };
        let info = self.frame().info.clone();
        Box::new(WithNode { manager, is_async, entered, assign, body, exit, leaving, awaiting, saved, info, span: item_span })
    }

    fn try_statement(&mut self, node: &mut Try, span: Span) -> Tree {
        let info = self.frame().info.clone();
        let mut tree = if node.handlers.is_empty() {
            self.body(&mut node.body)
        } else {
            let saved = self.temp();
            let (original, raised, part) = if node.is_star { (self.temp(), self.temp(), self.temp()) } else { (0, 0, 0) };
            let body = self.body(&mut node.body);
            let is_star = node.is_star;
            let handlers: Box<[Handler]> = node.handlers.iter_mut().map(|handler| self.handler(handler)).collect();
            let otherwise = (!node.orelse.is_empty()).then(|| self.body(&mut node.orelse));
            let tree: Tree = if is_star {
                Box::new(ExceptStar { body, handlers, otherwise, rest: saved, original, raised, part, info: info.clone() })
            } else {
                Box::new(Except { body, handlers, otherwise, saved, info: info.clone() })
            };
            tree
        };
        if !node.finalbody.is_empty() {
            if node.handlers.is_empty() && !node.orelse.is_empty() {
                let otherwise = self.body(&mut node.orelse);
                let both = vec![(tree, span), (otherwise, span)];
                tree = if self.frame().suspends { self.suspending_block(both) } else { self.block(both) };
            }
            let saved = self.temp();
            let finally = self.body(&mut node.finalbody);
            tree = Box::new(Finally { body: tree, finally, saved, info });
        }
        tree
    }

    fn handler(&mut self, handler: &mut ExceptHandler) -> Handler {
        let span = handler.typ.as_ref().map_or(handler.span, |typ| typ.span);
        let mut spilled = Statements::new();
        let types = handler.typ.as_mut().map(|typ| self.spilled(typ, &mut spilled));
        let before = (!spilled.is_empty()).then(|| self.suspending_block(spilled));
        let name = handler.name.as_ref().map(|ident| {
            let slot = self.temp();
            let bind = self.store_name(&ident.name, Box::new(TakeTemp(slot)), ident.span);
            let unbind = self.unbind_name(&ident.name);
            (slot, bind, unbind)
        });
        let body = self.body(&mut handler.body);
        Handler { before, types, name, body, span }
    }

    /// Removes a name silently.
    fn unbind_name(&mut self, name: &Name) -> Tree {
        let globals = self.globals_of_code();
        let undef: Tree = Box::new(Const(Value::Undef));
        match self.place(name) {
            Place::Local(slot) => Box::new(StoreLocal { slot, value: undef }),
            Place::Cell { slot, .. } => Box::new(crate::vm::expr::name::StoreCaptured { slot, value: undef }),
            Place::Global => Box::new(crate::vm::expr::name::Forget { globals: Some(globals), name: self.name(name) }),
            Place::Class(_) => Box::new(crate::vm::expr::name::Forget { globals: None, name: self.name(name) }),
        }
    }

    fn assert(&mut self, test: &mut Expr, msg: &mut Option<Box<Expr>>, span: Span, out: &mut Statements) {
        let suspends_in_message = msg.as_ref().is_some_and(|msg| suspends(msg)) && self.frame().suspends;
        let test_span = test.span;
        let test = self.spilled(test, out);
        if suspends_in_message && let Some(msg) = msg {
            let mut inner = Statements::new();
            let message = self.spilled(msg, &mut inner);
            let test_false: Tree = Box::new(Const(Value::FALSE));
            inner.push((Box::new(Assert { test: test_false, message: Some(message), span: test_span }), span));
            let then = self.suspending_block(inner);
            out.push((Box::new(SuspendingIf { test: Box::new(Not(test)), then, otherwise: None }), span));
            return;
        }
        let message = msg.as_mut().map(|msg| self.expr(msg));
        out.push((Box::new(Assert { test, message, span: test_span }), span));
    }

    fn import(&mut self, names: &mut [Alias], out: &mut Statements) {
        for alias in names {
            let globals = self.globals_of_code();
            let module = self.name(&alias.name.name);
            let whole = alias.asname.is_some();
            let target = match &alias.asname {
                Some(name) => name.name.clone(),
                None => Name::new(alias.name.name.split('.').next().unwrap_or_default()),
            };
            let value = Box::new(Import { module, whole, globals, span: alias.span });
            let store = self.store_name(&target, value, alias.span);
            out.push((store, alias.span));
        }
    }

    fn import_from(&mut self, module: Option<&Ident>, names: &mut [Alias], level: u32, span: Span, out: &mut Statements) {
        let module = self.name(module.map_or("", |ident| &ident.name));
        let globals = self.globals_of_code();
        if module.as_str() == "__future__" && level == 0 {
            return;
        }
        if let [alias] = names
            && &*alias.name.name == "*"
        {
            out.push((Box::new(ImportStar { module, level, globals, span }), span));
            return;
        }
        let names = names
            .iter()
            .map(|alias| {
                let target = alias.asname.as_ref().unwrap_or(&alias.name).name.clone();
                let slot = self.temp();
                let store = self.store_name(&target, Box::new(TakeTemp(slot)), alias.span);
                (self.name(&alias.name.name), slot, store)
            })
            .collect();
        out.push((Box::new(ImportFrom { module, level, globals, names, span }), span));
    }

    /// `return value`: emits the statement.
    pub(super) fn return_value(&mut self, value: Option<&mut Expr>, span: Span, out: &mut Statements) {
        let value = self.operand_or_none(value, out);
        out.push((with_operand!(value, |value| Box::new(Return { value, span }) as Tree), span));
    }

    /// The operand of a statement that has nothing else to evaluate.
    fn operand_or_none(&mut self, value: Option<&mut Expr>, out: &mut Statements) -> Operand {
        match value {
            Some(value) => {
                self.spill_all(&mut [&mut *value], out);
                self.operand(value)
            }
            None => Operand::Const(Const(Value::None)),
        }
    }

    /// `yield value`: emits the statement and returns the slot with what is sent in.
    pub(super) fn yield_expr(&mut self, value: Option<&mut Expr>, span: Span, out: &mut Statements) -> u16 {
        let slot = self.temp();
        self.yield_into(slot, value, span, out);
        slot
    }

    /// `slot = yield value`: emits the statement.
    fn yield_into(&mut self, slot: u16, value: Option<&mut Expr>, span: Span, out: &mut Statements) {
        let value = self.operand_or_none(value, out);
        let is_async = self.frame().is_async_generator;
        out.push((with_operand!(value, |value| Box::new(Yield { value, slot, is_async, span }) as Tree), span));
    }

    /// `await value`: emits the statement and returns the slot with the result.
    pub(super) fn await_expr(&mut self, value: &mut Expr, keeps: bool, span: Span, out: &mut Statements) -> u16 {
        let slot = self.temp();
        let call_span = value.span;
        if let ExprKind::Call { func, args, keywords } = &mut value.kind
            && keywords.is_empty()
            && args.iter().all(|arg| !matches!(arg.kind, ExprKind::Starred { .. }))
        {
            let mut all: Vec<&mut Expr> = Vec::new();
            all.push(super::spill::callee_object(func));
            all.extend(args.iter_mut());
            self.spill_all(&mut all, out);
            let func_span = func.span;
            let callee = match &mut func.kind {
                ExprKind::Attribute { value: object, attr } => {
                    let object = self.expr(object);
                    AwaitedCallee::Method { object, name: self.name(&attr.name), span: func_span }
                }
                _ => AwaitedCallee::Value(self.expr(func)),
            };
            let args = args.iter_mut().map(|arg| self.expr(arg)).collect();
            out.push((Box::new(AwaitCall { callee, args, slot, keeps, span, call_span }), span));
            return slot;
        }
        let value = self.spilled(value, out);
        out.push((Box::new(Await { value, slot, keeps, span }), span));
        slot
    }
}

fn aug_local<B: crate::vm::expr::operand::Operand>(
    op: Operator,
    slot: u16,
    name: crate::value::Ref<crate::value::Str>,
    b: B,
    span: Span,
) -> Tree {
    macro_rules! by_operator {
        ($($name:ident)*) => {
            match op {
                $(Operator::$name => Box::new(AugLocal::<arithmetic::$name, B> { slot, name, b, span, op: std::marker::PhantomData }),)*
            }
        };
    }
    by_operator!(Add Sub Mult Div FloorDiv Mod Pow MatMult BitAnd BitOr BitXor LShift RShift)
}

/// Part of an augmented target, which is read twice but evaluated once.
enum Kept {
    /// In a hidden slot.
    Slot(u16, Span),
    /// A name or constant that may simply be read again.
    Again(ExprKind, Span),
}

impl Kept {
    fn first(&self) -> Expr {
        match self {
            Kept::Slot(slot, span) => shared(*slot, *span),
            Kept::Again(kind, span) => Expr::new(copy_of(kind), *span),
        }
    }

    fn again(&self) -> Expr {
        match self {
            Kept::Slot(slot, span) => super::spill::hidden(*slot, *span),
            Kept::Again(kind, span) => Expr::new(copy_of(kind), *span),
        }
    }
}

/// A copy of a name or constant.
fn copy_of(kind: &ExprKind) -> ExprKind {
    match kind {
        ExprKind::Name(name) => ExprKind::Name(name.clone()),
        ExprKind::Constant(constant) => ExprKind::Constant(constant.clone()),
        _ => unreachable!("only names and constants are kept as they are"),
    }
}

impl Lowerer<'_> {
    /// Whether an expression is a local variable of a frame whose locals do not change within a statement, or a constant.
    fn is_stable(&mut self, expr: &Expr) -> bool {
        match &expr.kind {
            ExprKind::Constant(_) => true,
            ExprKind::Name(name) if !name.starts_with('.') && !self.frame().has_walrus => {
                let name = name.clone();
                matches!(self.place(&name), Place::Local(_))
            }
            _ => false,
        }
    }
}

/// A name that reads a hidden slot without emptying it.
fn shared(slot: u16, span: Span) -> Expr {
    Expr::new(ExprKind::Name(Name::new(&format!(".k{slot}"))), span)
}
