//! Statements with blocks: loops, `with` and `try`. `stmt.rs` calls in here, and `comprehension.rs` for its loops; conditionals, whose parts
//! only follow each other, stay in `stmt.rs`.

use super::expr::{Operand, with_operand};
use super::spill::suspends;
use super::stmt::statement_suspends;
use super::{Lowerer, Place, Statements};
use crate::syntax::Span;
use crate::syntax::ast::{self, ExceptHandler, Expr, ExprKind, Name, Stmt, StmtKind, Try, WithItem};
use crate::value::Value;
use crate::vm::expr::name::{StoreLocal, TakeTemp};
use crate::vm::expr::operand::{Child, Const};
use crate::vm::node::Tree;
use crate::vm::stmt::await_::{AsyncIter, AsyncNext};
use crate::vm::stmt::block::{For, While};
use crate::vm::stmt::simple::Signal;
use crate::vm::stmt::suspending::{ForYield, SuspendingFor, SuspendingWhile};
use crate::vm::stmt::try_::{Except, ExceptStar, Finally, Handler};
use crate::vm::stmt::with_::With as WithNode;

impl Lowerer<'_> {
    pub(super) fn while_loop(
        &mut self,
        test: &mut Expr,
        body: &mut [Stmt],
        orelse: &mut [Stmt],
        span: Span,
        out: &mut Statements,
    ) {
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

    pub(super) fn for_loop(&mut self, node: &mut ast::For, span: Span, out: &mut Statements) {
        let suspending = self.frame().suspends
            && (node.is_async
                || suspends(&node.target)
                || node.body.iter().any(statement_suspends)
                || node.orelse.iter().any(statement_suspends));
        let iterable = self.spilled(&mut node.iter, out);
        // Taken before the body, whose statements give their hidden slots back.
        let iterator = self.temp();
        let target = self.spilled_item_target(&mut node.target);
        if let (false, [Stmt { kind: StmtKind::Expr { value }, span: yield_span }], []) =
            (node.is_async, &mut node.body[..], &node.orelse[..])
            && let ExprKind::Yield { value: Some(value) } = &mut value.kind
            && self.is_plain_loop(&[&node.target, value])
        {
            self.emit_for_yield(iterator, iterable, target, value, [span, *yield_span], out);
            return;
        }
        let body = self.body(&mut node.body);
        let otherwise = (!node.orelse.is_empty()).then(|| self.body(&mut node.orelse));
        if node.is_async {
            let iterable: Tree = Box::new(AsyncIter { iterable, span });
            self.emit_loop(true, iterator, iterable, target, body, otherwise, span, out);
        } else if suspending {
            self.emit_loop(false, iterator, iterable, target, body, otherwise, span, out);
        } else {
            let (item, assign) = target;
            out.push((Box::new(For { iterable, item, assign, body, otherwise, span, place: self.at(span) }), span));
        }
    }

    /// Whether a loop with this target, around a `yield` of this value, waits nowhere else.
    pub(super) fn is_plain_loop(&mut self, parts: &[&Expr]) -> bool {
        !self.frame().is_async_generator && !parts.iter().any(|part| self.may_suspend(part))
    }

    /// `for target in iterable: yield value`.
    pub(super) fn emit_for_yield(
        &mut self,
        iterator: u16,
        iterable: Tree,
        (item, assign): (u16, Option<Tree>),
        value: &mut Expr,
        [span, yield_span]: [Span; 2],
        out: &mut Statements,
    ) {
        let place = self.at(span);
        let value = self.operand(value);
        let tree =
            with_operand!(value, |value| Box::new(ForYield { iterable, iterator, item, assign, value, span, place, yield_span })
                as Tree);
        out.push((tree, span));
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
            let place = self.at(span);
            out.push((Box::new(SuspendingFor { iterable, iterator, item, assign, body, otherwise, span, place }), span));
            return;
        }
        // while True: item = await iterator.__anext__() (ends the loop); assign; body
        let place = self.at(span);
        out.push((Box::new(StoreLocal { slot: iterator, value: iterable, place }), span));
        let tree = crate::vm::stmt::suspending::AsyncFor {
            step: Box::new(AsyncNext { iterator, slot: item, span }),
            iterator,
            assign,
            body,
            otherwise,
        };
        out.push((Box::new(tree), span));
    }

    pub(super) fn with(&mut self, node: &mut ast::With, span: Span, out: &mut Statements) {
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
        let manager = self.spilled(&mut item.context_expr, out);
        let (exit, leaving, awaiting, saved) = (self.temp(), self.temp(), self.temp(), self.temp());
        let mut inner = Statements::new();
        let (entered, assign) = match &mut item.optional_vars {
            Some(target) if self.may_suspend(target) => {
                let slot = self.temp();
                self.spill_target(target, &mut inner);
                let store = self.store(target, Operand::Child(Child(Box::new(TakeTemp(slot)))));
                inner.push((store, span));
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
        Box::new(WithNode { manager, is_async, entered, assign, body, exit, leaving, awaiting, saved, info, span })
    }

    pub(super) fn try_statement(&mut self, node: &mut Try, span: Span) -> Tree {
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
        let span = handler.span;
        let mut spilled = Statements::new();
        let types = handler.typ.as_mut().map(|typ| self.spilled(typ, &mut spilled));
        let before = (!spilled.is_empty()).then(|| self.suspending_block(spilled));
        let name = handler.name.as_ref().map(|ident| {
            let slot = self.temp();
            let bind = self.store_name(&ident.name, Box::new(TakeTemp(slot)), ident.span);
            let unbind = self.unbind_name(&ident.name, handler.span);
            (slot, bind, unbind)
        });
        let body = self.body(&mut handler.body);
        Handler { before, types, name, body, span }
    }

    /// Removes a name silently.
    fn unbind_name(&mut self, name: &Name, span: Span) -> Tree {
        let globals = self.globals_of_code();
        let undef: Tree = Box::new(Const(Value::Undef));
        match self.place(name) {
            Place::Local(slot) => Box::new(StoreLocal { slot, value: undef, place: self.at(span) }),
            Place::Cell { slot, .. } => {
                Box::new(crate::vm::expr::name::StoreCaptured { slot, value: undef, place: self.at(span) })
            }
            Place::Global => Box::new(crate::vm::expr::name::Forget { globals: Some(globals), name: self.name(name) }),
            Place::Class(_) => Box::new(crate::vm::expr::name::Forget { globals: None, name: self.name(name) }),
        }
    }
}
