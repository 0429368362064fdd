//! The part of the walk that goes through expressions and what they assign to. The statements come here for theirs.

use super::walk::Walk;
use super::{AT_BODY, AT_COMPREHENSION, ScopeKind};
use crate::syntax::ast::*;

impl Walk {
    pub(super) fn target(&mut self, target: &Expr) {
        match &target.kind {
            ExprKind::Name(name) => self.bind(name),
            ExprKind::Starred { value } => self.target(value),
            ExprKind::Tuple { elts } | ExprKind::List { elts } => elts.iter().for_each(|elt| self.target(elt)),
            _ => self.expr(target),
        }
    }

    pub(super) fn expr(&mut self, expr: &Expr) {
        if expr.depth().total > SHALLOW { with_stack(|| self.expr_here(expr)) } else { self.expr_here(expr) }
    }

    fn expr_here(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Constant(_) => {}
            ExprKind::Name(name) => self.used(name),
            ExprKind::BoolOp { values: elts, .. }
            | ExprKind::Set { elts }
            | ExprKind::List { elts }
            | ExprKind::Tuple { elts }
            | ExprKind::JoinedStr { values: elts } => elts.iter().for_each(|elt| self.expr(elt)),
            ExprKind::NamedExpr { target, value } => {
                self.expr(value);
                if let ExprKind::Name(name) = &target.kind {
                    let mut owner = self.current;
                    while self.scopes.all[owner].kind == ScopeKind::Comprehension
                        || self.scopes.all[owner].kind == ScopeKind::Generator
                    {
                        owner = self.scopes.all[owner].parent.expect("a comprehension is in something");
                    }
                    let uses = self.scopes.all[owner].names.get(name).copied().unwrap_or_default();
                    if !uses.global && !uses.nonlocal {
                        self.note(owner, name, |uses| uses.bound = true);
                    }
                    if owner != self.current {
                        self.note(self.current, name, |uses| uses.used = true);
                        if uses.global {
                            self.note(self.current, name, |uses| uses.global = true);
                        }
                    }
                }
                self.scope_of_frame().has_walrus = true;
            }
            ExprKind::BinOp { left, right, .. } => {
                self.expr(left);
                self.expr(right);
            }
            ExprKind::UnaryOp { operand: value, .. } | ExprKind::Starred { value } | ExprKind::Attribute { value, .. } => {
                self.expr(value);
            }
            ExprKind::Await { value } => {
                self.suspends();
                self.expr(value);
            }
            ExprKind::Yield { value } => {
                self.scope_of_frame().has_yield = true;
                self.optional(value);
            }
            ExprKind::YieldFrom { value } => {
                self.scope_of_frame().has_yield = true;
                self.expr(value);
            }
            ExprKind::Lambda { args, body } => {
                self.defaults(args);
                self.refuse_in_class_annotation("lambda", expr.span);
                let outer = self.enter(ScopeKind::Function, expr.span, AT_BODY);
                self.parameters(args);
                self.expr(body);
                self.current = outer;
            }
            ExprKind::IfExp { test, body, orelse } => {
                self.expr(test);
                self.expr(body);
                self.expr(orelse);
            }
            ExprKind::Dict { items } => {
                for item in items {
                    if let Some(key) = &item.key {
                        self.expr(key);
                    }
                    self.expr(&item.value);
                }
            }
            ExprKind::ListComp { elt, generators } | ExprKind::SetComp { elt, generators } => {
                self.comprehension(expr, ScopeKind::Comprehension, generators, &[elt]);
            }
            ExprKind::GeneratorExp { elt, generators } => {
                self.comprehension(expr, ScopeKind::Generator, generators, &[elt]);
            }
            ExprKind::DictComp { key, value, generators } => {
                self.comprehension(expr, ScopeKind::Comprehension, generators, &[key, value]);
            }
            ExprKind::Compare { left, comparators, .. } => {
                self.expr(left);
                comparators.iter().for_each(|comparator| self.expr(comparator));
            }
            ExprKind::Call { func, args, keywords } => {
                self.expr(func);
                args.iter().for_each(|arg| self.expr(arg));
                keywords.iter().for_each(|keyword| self.expr(&keyword.value));
            }
            ExprKind::FormattedValue { value, format_spec, .. } => {
                self.expr(value);
                self.optional(format_spec);
            }
            ExprKind::Subscript { value, slice } => {
                self.expr(value);
                self.expr(slice);
            }
            ExprKind::Slice { lower, upper, step } => {
                self.optional(lower);
                self.optional(upper);
                self.optional(step);
            }
        }
    }

    fn comprehension(&mut self, expr: &Expr, kind: ScopeKind, generators: &[Comprehension], elements: &[&Expr]) {
        let Some((first, rest)) = generators.split_first() else { return };
        self.expr(&first.iter);
        if kind == ScopeKind::Comprehension && generators.iter().any(|part| part.is_async) {
            self.suspends();
        }
        self.refuse_in_class_annotation("comprehension", expr.span);
        let outer = self.enter(kind, expr.span, AT_COMPREHENSION);
        if generators.iter().any(|part| part.is_async) {
            self.suspends();
        }
        self.target(&first.target);
        first.ifs.iter().for_each(|test| self.expr(test));
        for part in rest {
            self.expr(&part.iter);
            self.target(&part.target);
            part.ifs.iter().for_each(|test| self.expr(test));
        }
        elements.iter().for_each(|element| self.expr(element));
        self.current = outer;
    }
}
