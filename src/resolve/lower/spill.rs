//! Spilling: an expression in which something suspends becomes statements that leave their values in hidden slots, and an expression
//! that reads them. What is evaluated before a suspension point is saved in hidden slots too, so that the order of evaluation stays.
//!
//! Spilled operands are replaced in the syntax tree by names that no program can write: `.7` reads hidden slot 7 and empties it.

use super::{Lowerer, Statements};
use crate::syntax::ast::*;
use crate::vm::expr::name::{StoreLocal, TakeTemp};
use crate::vm::node::Tree;
use crate::vm::stmt::suspending::SuspendingIf;

/// Whether evaluating an expression may suspend its frame.
pub(super) fn suspends(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Await { .. } | ExprKind::Yield { .. } | ExprKind::YieldFrom { .. } => true,
        ExprKind::Lambda { args, .. } => args.defaults.iter().chain(args.kw_defaults.iter().flatten()).any(suspends),
        ExprKind::GeneratorExp { generators, .. } => generators.first().is_some_and(|first| suspends(&first.iter)),
        ExprKind::ListComp { elt, generators } | ExprKind::SetComp { elt, generators } => {
            suspends(elt) || any_suspends(generators)
        }
        ExprKind::DictComp { key, value, generators } => suspends(key) || suspends(value) || any_suspends(generators),
        ExprKind::Constant(_) | ExprKind::Name(_) => false,
        _ => {
            let mut at = expr;
            // Long chains to the left are walked in a loop.
            loop {
                if others(at).into_iter().any(suspends) {
                    return true;
                }
                match at.spine() {
                    Some(left) if left.spine().is_some() => at = left,
                    Some(left) => return suspends(left),
                    None => return false,
                }
            }
        }
    }
}

fn any_suspends(generators: &[Comprehension]) -> bool {
    generators.iter().any(|part| part.is_async || suspends(&part.iter) || part.ifs.iter().any(suspends) || suspends(&part.target))
}

/// The operands except the one on the spine.
fn others(expr: &Expr) -> Vec<&Expr> {
    match &expr.kind {
        ExprKind::BoolOp { values: elts, .. }
        | ExprKind::Set { elts }
        | ExprKind::List { elts }
        | ExprKind::Tuple { elts }
        | ExprKind::JoinedStr { values: elts } => elts.iter().collect(),
        ExprKind::NamedExpr { value, .. } | ExprKind::UnaryOp { operand: value, .. } | ExprKind::Starred { value } => vec![value],
        ExprKind::BinOp { right, .. } => vec![right],
        ExprKind::IfExp { test, body, orelse } => vec![test, body, orelse],
        ExprKind::Dict { items } => items.iter().flat_map(|item| item.key.iter().chain([&item.value])).collect(),
        ExprKind::Compare { left, comparators, .. } => [&**left].into_iter().chain(comparators).collect(),
        ExprKind::Call { args, keywords, .. } => args.iter().chain(keywords.iter().map(|keyword| &keyword.value)).collect(),
        ExprKind::FormattedValue { value, format_spec, .. } => [&**value].into_iter().chain(format_spec.as_deref()).collect(),
        ExprKind::Subscript { slice, .. } => vec![slice],
        ExprKind::Slice { lower, upper, step } => [lower, upper, step].into_iter().filter_map(|part| part.as_deref()).collect(),
        _ => vec![],
    }
}

/// All operands in order of evaluation.
fn operands(expr: &mut Expr) -> Vec<&mut Expr> {
    match &mut expr.kind {
        ExprKind::BoolOp { values: elts, .. }
        | ExprKind::Set { elts }
        | ExprKind::List { elts }
        | ExprKind::Tuple { elts }
        | ExprKind::JoinedStr { values: elts } => elts.iter_mut().map(inside_star).collect(),
        ExprKind::NamedExpr { value, .. }
        | ExprKind::UnaryOp { operand: value, .. }
        | ExprKind::Starred { value }
        | ExprKind::Attribute { value, .. } => vec![value],
        ExprKind::BinOp { left, right, .. } => vec![left, right],
        ExprKind::Dict { items } => {
            let mut all: Vec<&mut Expr> = Vec::new();
            for item in items {
                all.extend(item.key.iter_mut());
                all.push(&mut item.value);
            }
            all
        }
        ExprKind::Compare { left, comparators, .. } => {
            let mut all: Vec<&mut Expr> = vec![left];
            all.extend(comparators);
            all
        }
        ExprKind::Call { func, args, keywords } => {
            // The object of a method call, not the bound method.
            let mut all: Vec<&mut Expr> = Vec::new();
            all.push(callee_object(func));
            all.extend(args.iter_mut().map(inside_star));
            all.extend(keywords.iter_mut().map(|keyword| &mut keyword.value));
            all
        }
        ExprKind::FormattedValue { value, format_spec, .. } => {
            let mut all: Vec<&mut Expr> = vec![value];
            all.extend(format_spec.as_deref_mut());
            all
        }
        ExprKind::Subscript { value, slice } => vec![value, slice],
        ExprKind::Slice { lower, upper, step } => {
            [lower, upper, step].into_iter().filter_map(|part| part.as_deref_mut()).collect()
        }
        ExprKind::Lambda { args, .. } => {
            let Arguments { defaults, kw_defaults, .. } = &mut **args;
            defaults.iter_mut().chain(kw_defaults.iter_mut().flatten()).collect()
        }
        _ => vec![],
    }
}

/// What is evaluated first for a call: the object of a method, else the callee.
pub(super) fn callee_object(func: &mut Expr) -> &mut Expr {
    if matches!(func.kind, ExprKind::Attribute { .. }) {
        let ExprKind::Attribute { value, .. } = &mut func.kind else { unreachable!("just looked") };
        return value;
    }
    func
}

/// What stands behind a star: that is what is evaluated and saved.
fn inside_star(expr: &mut Expr) -> &mut Expr {
    if matches!(expr.kind, ExprKind::Starred { .. }) {
        let ExprKind::Starred { value } = &mut expr.kind else { unreachable!("just looked") };
        return value;
    }
    expr
}

/// Whether an expression has the same value later, whatever runs between.
fn is_fixed(expr: &Expr) -> bool {
    matches!(&expr.kind, ExprKind::Constant(_)) || matches!(&expr.kind, ExprKind::Name(name) if name.starts_with('.'))
}

impl Lowerer<'_> {
    /// Whether the expression suspends, asked only where the frame can.
    pub(super) fn may_suspend(&mut self, expr: &Expr) -> bool {
        self.frame().suspends && suspends(expr)
    }

    /// The expression, after statements for whatever suspends in it.
    pub(super) fn spilled(&mut self, expr: &mut Expr, out: &mut Statements) -> Tree {
        if self.may_suspend(expr) {
            self.spill(expr, out);
        }
        self.expr(expr)
    }

    /// Spills several expressions that are evaluated one after the other: those before the last that suspends are saved.
    pub(super) fn spill_all(&mut self, exprs: &mut [&mut Expr], out: &mut Statements) {
        if !self.frame().suspends {
            return;
        }
        let Some(last) = exprs.iter().rposition(|expr| suspends(expr)) else { return };
        for (index, expr) in exprs.iter_mut().enumerate().take(last + 1) {
            let slice_or_name = matches!(expr.kind, ExprKind::Slice { .. });
            if suspends(expr) {
                self.spill(expr, out);
            }
            if index < last && !is_fixed(expr) && !slice_or_name {
                self.save(expr, out);
            } else if index < last && slice_or_name {
                let mut parts = operands(expr);
                for part in &mut parts {
                    if !is_fixed(part) {
                        self.save(part, out);
                    }
                }
            }
        }
    }

    /// Evaluates an expression into a hidden slot, and puts the slot in its place.
    fn save(&mut self, expr: &mut Expr, out: &mut Statements) {
        let span = expr.span;
        let value = self.expr(expr);
        let slot = self.temp();
        let place = self.at(span);
        out.push((Box::new(StoreLocal { slot, value, place }), span));
        *expr = hidden(slot, span);
    }

    /// Makes the expression one that does not suspend.
    fn spill(&mut self, expr: &mut Expr, out: &mut Statements) {
        if expr.depth().total > SHALLOW {
            return with_stack(|| self.spill_here(expr, out));
        }
        self.spill_here(expr, out);
    }

    fn spill_here(&mut self, expr: &mut Expr, out: &mut Statements) {
        let span = expr.span;
        match &mut expr.kind {
            ExprKind::Await { value } => {
                let slot = self.await_expr(value, true, span, out);
                *expr = hidden(slot, span);
            }
            ExprKind::Yield { value } => {
                let slot = self.yield_expr(value.as_deref_mut(), span, out);
                *expr = hidden(slot, span);
            }
            ExprKind::YieldFrom { value } => {
                let iterable = self.spilled(value, out);
                let slot = self.temp();
                let info = self.frame().info.clone();
                out.push((Box::new(crate::vm::stmt::await_::YieldFrom { iterable, slot, span, info }), span));
                *expr = hidden(slot, span);
            }
            ExprKind::BoolOp { op, values } => {
                // slot = first; if slot (or not): slot = next; ...
                let is_and = matches!(op, BoolOp::And);
                let slot = self.temp();
                let mut values: Vec<Expr> = std::mem::take(values);
                let mut rest = values.split_off(1);
                let first = self.spilled(&mut values[0], out);
                let place = self.at(span);
                out.push((Box::new(StoreLocal { slot, value: first, place }), span));
                let chain = self.bool_chain(slot, is_and, &mut rest, span);
                out.push((chain, span));
                *expr = hidden(slot, span);
            }
            ExprKind::IfExp { test, body, orelse } => {
                let slot = self.temp();
                let test = self.spilled(test, out);
                let then = self.stored_in(slot, body);
                let otherwise = self.stored_in(slot, orelse);
                out.push((Box::new(SuspendingIf { test, then, otherwise: Some(otherwise) }), span));
                *expr = hidden(slot, span);
            }
            ExprKind::Compare { left, ops, comparators } if comparators.len() > 1 => {
                let slot = self.temp();
                let left = std::mem::replace(&mut **left, hidden(slot, span));
                let ops = std::mem::take(ops);
                let comparators = std::mem::take(comparators);
                self.compare_chain(slot, left, ops, comparators, span, out);
                *expr = hidden(slot, span);
            }
            ExprKind::ListComp { .. } | ExprKind::SetComp { .. } | ExprKind::DictComp { .. } => {
                let slot = self.suspending_comprehension(expr, out);
                *expr = hidden(slot, span);
            }
            ExprKind::GeneratorExp { generators, .. } => {
                if let Some(first) = generators.first_mut() {
                    self.spill(&mut first.iter, out);
                }
            }
            _ => {
                let mut all = operands(expr);
                self.spill_all(&mut all, out);
            }
        }
    }

    /// `slot = expr`, as a block.
    pub(super) fn stored_in(&mut self, slot: u16, expr: &mut Expr) -> Tree {
        let span = expr.span;
        let mut out = Statements::new();
        let value = self.spilled(expr, &mut out);
        let place = self.at(span);
        out.push((Box::new(StoreLocal { slot, value, place }), span));
        self.suspending_block(out)
    }

    fn bool_chain(&mut self, slot: u16, is_and: bool, rest: &mut [Expr], span: crate::syntax::Span) -> Tree {
        let (next, rest) = rest.split_first_mut().expect("at least two operands");
        let mut out = Statements::new();
        let value = self.spilled(next, &mut out);
        let place = self.at(span);
        out.push((Box::new(StoreLocal { slot, value, place }), span));
        if !rest.is_empty() {
            let chain = self.bool_chain(slot, is_and, rest, span);
            out.push((chain, span));
        }
        let then = self.suspending_block(out);
        let test: Tree = Box::new(crate::vm::expr::name::Temp(slot));
        let test = if is_and { test } else { Box::new(crate::vm::expr::compare::Not(test)) };
        Box::new(SuspendingIf { test, then, otherwise: None })
    }

    /// `a < b < c`: slot = a < b; if slot: slot = b < c; ...
    fn compare_chain(
        &mut self,
        slot: u16,
        mut left: Expr,
        mut ops: Vec<CmpOp>,
        mut comparators: Vec<Expr>,
        span: crate::syntax::Span,
        out: &mut Statements,
    ) {
        let op = ops.remove(0);
        let mut right = comparators.remove(0);
        self.spill_all(&mut [&mut left, &mut right], out);
        let more = !ops.is_empty();
        let again = if more {
            if !is_fixed(&right) || !matches!(right.kind, ExprKind::Constant(_)) {
                self.save_shared(&mut right, out)
            } else {
                None
            }
        } else {
            None
        };
        let mut comparison = Expr::new(ExprKind::Compare { left: Box::new(left), ops: vec![op], comparators: vec![right] }, span);
        let value = self.expr(&mut comparison);
        let place = self.at(span);
        out.push((Box::new(StoreLocal { slot, value, place }), span));
        if !more {
            return;
        }
        let ExprKind::Compare { comparators: mut used, .. } = comparison.kind else { return };
        let left = match again {
            Some(shared) => hidden(shared, span),
            None => used.remove(0),
        };
        let mut inner = Statements::new();
        self.compare_chain(slot, left, ops, comparators, span, &mut inner);
        let then = self.suspending_block(inner);
        let test = Box::new(crate::vm::expr::name::Temp(slot));
        out.push((Box::new(SuspendingIf { test, then, otherwise: None }), span));
    }

    /// Saves an expression that is read twice: replaced by a name that reads the first slot; the second slot is returned.
    fn save_shared(&mut self, expr: &mut Expr, out: &mut Statements) -> Option<u16> {
        let span = expr.span;
        let value = self.expr(expr);
        let (one, two) = (self.temp(), self.temp());
        let place = self.at(span);
        out.push((Box::new(StoreLocal { slot: one, value, place }), span));
        let place = self.at(span);
        out.push((Box::new(StoreLocal { slot: two, value: Box::new(crate::vm::expr::name::Temp(one)), place }), span));
        *expr = hidden(one, span);
        Some(two)
    }

    /// The node for a name made by `hidden`.
    pub(super) fn hidden_name(name: &Name) -> Option<Tree> {
        let slot: u16 = name.strip_prefix('.')?.parse().ok()?;
        Some(Box::new(TakeTemp(slot)))
    }
}

/// A name that reads a hidden slot and empties it.
pub(super) fn hidden(slot: u16, span: crate::syntax::Span) -> Expr {
    Expr::new(ExprKind::Name(Name::new(&format!(".{slot}"))), span)
}
