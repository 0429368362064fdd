//! Comprehensions in the frame around them, and generator expressions.

use super::super::scope::{AT_COMPREHENSION, ScopeId};
use super::function::Body;
use super::{Lowerer, Statements};
use crate::syntax::Span;
use crate::syntax::ast::*;
use crate::vm::code::Parameters;
use crate::vm::expr::comprehension::{Clause, Collected, Comprehension as Node};
use crate::vm::expr::function::MakeGenerator;
use crate::vm::expr::name::{FreshCells, StoreLocal, Temp};
use crate::vm::node::Tree;
use crate::vm::stmt::await_::AsyncIter;
use crate::vm::stmt::collect::{Accumulate, NewContainer, NewKind};
use crate::vm::unowned::Unowned;

impl Lowerer<'_> {
    /// Gives the variables of an inlined scope slots, with fresh cells for captured ones.
    pub(super) fn inlined_variables(&mut self, scope: ScopeId, out: &mut Statements, span: Span) -> Box<[u16]> {
        let names: Vec<Name> = self.scopes.bound_names(scope).cloned().collect();
        let mut slots = Vec::new();
        let mut cells = Vec::new();
        for name in names {
            let slot = self.temp();
            if self.scopes.is_captured(scope, &name) {
                cells.push(slot);
            }
            slots.push(slot);
            self.frame().slots.insert((scope, name), slot);
        }
        if !cells.is_empty() {
            out.push((Box::new(FreshCells(cells.into())), span));
        }
        slots.into()
    }

    /// A list, set or dict comprehension that does not suspend.
    pub(super) fn comprehension(&mut self, expr: &mut Expr) -> Tree {
        let span = expr.span;
        let mark = self.mark();
        let scope = self.scopes.at(span, AT_COMPREHENSION);
        let (ExprKind::ListComp { generators, .. }
        | ExprKind::SetComp { generators, .. }
        | ExprKind::DictComp { generators, .. }) = &mut expr.kind
        else {
            unreachable!("called for comprehensions")
        };
        let (first, rest) = generators.split_first_mut().expect("at least one");
        let first_iterable = self.expr(&mut first.iter);
        let mut prepare = Statements::new();
        let slots = self.inlined_variables(scope, &mut prepare, span);
        let outer = std::mem::replace(&mut self.scope, scope);
        let mut clauses = vec![self.clause(first_iterable, first, span)];
        for part in rest {
            let iterable = self.expr(&mut part.iter);
            clauses.push(self.clause(iterable, part, span));
        }
        let collected = match &mut expr.kind {
            ExprKind::ListComp { elt, .. } => Collected::List(self.expr(elt)),
            ExprKind::SetComp { elt, .. } => Collected::Set(self.expr(elt)),
            ExprKind::DictComp { key, value, .. } => {
                let key = self.expr(key);
                Collected::Dict(key, self.expr(value))
            }
            _ => unreachable!("called for comprehensions"),
        };
        self.scope = outer;
        // The hidden slots stay taken while the expression around is evaluated: it may hold another comprehension.
        let _ = mark;
        let prepare = prepare.pop().map(|(tree, _)| tree);
        Box::new(Node { clauses: clauses.into(), collected, prepare, slots, span })
    }

    fn clause(&mut self, iterable: Tree, part: &mut Comprehension, span: Span) -> Clause {
        let (item, assign) = self.item_target(&mut part.target);
        let conditions = part.ifs.iter_mut().map(|test| self.expr(test)).collect();
        Clause { iterable, item, assign, conditions, span }
    }

    /// A comprehension in which something suspends: loops as statements, with the container in a hidden slot.
    pub(super) fn suspending_comprehension(&mut self, expr: &mut Expr, out: &mut Statements) -> u16 {
        let span = expr.span;
        let scope = self.scopes.at(span, AT_COMPREHENSION);
        let container = self.temp();
        let kind = match &expr.kind {
            ExprKind::ListComp { .. } => NewKind::List,
            ExprKind::SetComp { .. } => NewKind::Set,
            _ => NewKind::Dict,
        };
        let (ExprKind::ListComp { generators, .. }
        | ExprKind::SetComp { generators, .. }
        | ExprKind::DictComp { generators, .. }) = &mut expr.kind
        else {
            unreachable!("called for comprehensions")
        };
        let mut generators = std::mem::take(generators);
        let first = generators.first_mut().expect("at least one");
        let first_iterable = self.iterable(first, out);
        let iterable_slot = self.temp();
        let place = self.at(span);
        out.push((Box::new(StoreLocal { slot: iterable_slot, value: first_iterable, place }), span));
        let place = self.at(span);
        out.push((Box::new(StoreLocal { slot: container, value: Box::new(NewContainer(kind)), place }), span));
        self.inlined_variables(scope, out, span);
        let outer = std::mem::replace(&mut self.scope, scope);
        let innermost = |this: &mut Self, inner: &mut Statements| {
            let mut item = |element: &mut Expr| this.spilled(element, inner);
            let accumulate = match &mut expr.kind {
                ExprKind::ListComp { elt, .. } | ExprKind::SetComp { elt, .. } => {
                    Accumulate { container, key: None, item: item(elt), span }
                }
                ExprKind::DictComp { key, value, .. } => {
                    this.spill_all(&mut [key, value], inner);
                    let key = this.expr(key);
                    Accumulate { container, key: Some(key), item: this.expr(value), span }
                }
                _ => unreachable!("called for comprehensions"),
            };
            inner.push((Box::new(accumulate), span));
        };
        self.comprehension_loops(&mut generators, Some(iterable_slot), innermost, out, span);
        self.scope = outer;
        container
    }

    /// What a clause iterates over: an iterable, or for `async for` the async iterator.
    fn iterable(&mut self, part: &mut Comprehension, out: &mut Statements) -> Tree {
        let span = part.iter.span;
        let iterable = self.spilled(&mut part.iter, out);
        if part.is_async { Box::new(AsyncIter { iterable, span }) } else { iterable }
    }

    /// Loops, each inside the one before, around what `innermost` emits.
    fn comprehension_loops(
        &mut self,
        generators: &mut [Comprehension],
        given: Option<u16>,
        innermost: impl FnOnce(&mut Self, &mut Statements),
        out: &mut Statements,
        span: Span,
    ) {
        let Some((part, rest)) = generators.split_first_mut() else {
            innermost(self, out);
            return;
        };
        let iterable = match given {
            Some(slot) => Box::new(Temp(slot)),
            None => self.iterable(part, out),
        };
        let iterator = self.temp();
        let target = self.spilled_item_target(&mut part.target);
        let mut body = Statements::new();
        self.conditions(&mut part.ifs, &mut body, |this, body| {
            this.comprehension_loops(rest, None, innermost, body, span);
        });
        let body = self.suspending_block(body);
        self.emit_loop(part.is_async, iterator, iterable, target, body, None, span, out);
    }

    /// `if` around what `inner` emits, for each condition.
    fn conditions(&mut self, tests: &mut [Expr], out: &mut Statements, inner: impl FnOnce(&mut Self, &mut Statements)) {
        let Some((test, rest)) = tests.split_first_mut() else {
            inner(self, out);
            return;
        };
        let span = test.span;
        let test = self.spilled(test, out);
        let mut body = Statements::new();
        self.conditions(rest, &mut body, inner);
        let then = self.suspending_block(body);
        out.push((Box::new(crate::vm::stmt::suspending::SuspendingIf { test, then, otherwise: None }), span));
    }

    /// A generator expression: a generator function that is called with the first iterable.
    pub(super) fn generator_expression(&mut self, expr: &mut Expr) -> Tree {
        let span = expr.span;
        let scope = self.scopes.at(span, AT_COMPREHENSION);
        let ExprKind::GeneratorExp { elt, generators } = &mut expr.kind else { unreachable!("called for generator expressions") };
        let first = generators.first_mut().expect("at least one");
        let first_span = first.iter.span;
        let iterable = self.expr(&mut first.iter);
        let first_is_async = first.is_async;
        let iterable: Tree = if first_is_async {
            Box::new(AsyncIter { iterable, span: first_span })
        } else {
            Box::new(crate::vm::stmt::collect::Iter { iterable, span: first_span })
        };
        // The loops as statements whose innermost yields; the first iterates over the parameter.
        let parameter = Name::new(".0");
        let element = Box::new(std::mem::replace(&mut **elt, nothing(span)));
        let body = Body::Generator(std::mem::take(generators), element);
        let is_async = self.scopes.all[scope].has_await;
        self.scopes.all[scope].has_yield = true;
        let shape = Parameters { names: vec![self.name(".0")], positional: 1, positional_only: 1, ..Parameters::default() };
        let (code, captures) = self.code(scope, "<genexpr>", vec![parameter], shape, body, span, is_async);
        Box::new(MakeGenerator { code: Unowned::new(&code), captures, iterable })
    }

    /// The body of a generator expression, whose frame has just begun.
    pub(super) fn generator_body(&mut self, generators: &mut [Comprehension], element: &mut Expr, span: Span) -> Tree {
        let mut out = Statements::new();
        if let [part] = generators
            && !part.is_async
            && part.ifs.is_empty()
            && self.is_plain_loop(&[&part.target, element])
        {
            let iterator = self.temp();
            let target = self.spilled_item_target(&mut part.target);
            self.emit_for_yield(iterator, Box::new(Temp(0)), target, element, [span, span], &mut out);
        } else {
            let innermost = |this: &mut Self, inner: &mut Statements| {
                this.yield_expr(Some(element), span, inner);
            };
            self.comprehension_loops(generators, Some(0), innermost, &mut out, span);
        }
        self.return_value(None, span, &mut out);
        self.suspending_block(out)
    }
}

fn nothing(span: Span) -> Expr {
    Expr::new(ExprKind::Constant(Constant::None), span)
}
