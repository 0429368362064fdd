//! Comprehensions: what `:=` may assign in them, and where they may be asynchronous.

use super::{GENERATOR, ScopeKind, Validator};
use crate::syntax::ast::walk::Visitor;
use crate::syntax::ast::*;
use crate::syntax::error::SyntaxErrorKind as Kind;
use crate::syntax::source::Span;

impl Validator {
    pub(super) fn comprehension_expr(
        &mut self,
        what: &'static str,
        elements: [Option<&Expr>; 2],
        parts: &[Comprehension],
        span: Span,
    ) {
        let Some((first, rest)) = parts.split_first() else { return };
        self.iterable(&first.iter);
        let scope = self.in_scope(ScopeKind::Comprehension(what), |this| {
            this.comprehension_part(first);
            for part in rest {
                this.comprehension_target(part);
                this.iterable(&part.iter);
                this.exprs(&part.ifs);
            }
            for element in elements.into_iter().flatten() {
                this.expr(element);
            }
        });
        if what == GENERATOR || !(scope.awaits || parts.iter().any(|part| part.is_async)) {
            return;
        }
        let top_level_await = self.top_level_await;
        let around = self.scope();
        match around.kind {
            ScopeKind::Function { is_async: true } => {}
            ScopeKind::Comprehension(_) => around.awaits = true,
            ScopeKind::Module if top_level_await => {}
            _ => self.code_error(Kind::AsyncComprehension, span),
        }
    }

    pub(super) fn comprehension_part(&mut self, part: &Comprehension) {
        self.comprehension_target(part);
        self.exprs(&part.ifs);
    }

    pub(super) fn comprehension_target(&mut self, part: &Comprehension) {
        let mut variables = vec![];
        bound_names(&part.target, &mut variables);
        let scope = self.scope();
        let clash = variables.iter().find(|variable| scope.assigned.contains(&variable.0)).cloned();
        scope.variables.extend(variables.into_iter().map(|(name, _)| name));
        if let Some((name, span)) = clash {
            self.names_error(Kind::InnerLoopRebinds(name.as_str().into()), span);
        }
        self.target(&part.target);
    }

    pub(super) fn iterable(&mut self, iter: &Expr) {
        self.scope().iterables += 1;
        self.expr(iter);
        self.scope().iterables -= 1;
    }

    pub(super) fn named_expr(&mut self, target: &Expr, span: Span) {
        let ExprKind::Name(name) = &target.kind else { return };
        let mut kind = None;
        let mut in_comprehension = false;
        // A lambda in an iterable does not help.
        if self.scopes.iter().any(|scope| scope.iterables > 0) {
            self.names_error(Kind::WalrusInIterable, span);
            return;
        }
        for scope in self.scopes.iter_mut().rev() {
            match scope.kind {
                ScopeKind::Comprehension(_) => {
                    in_comprehension = true;
                    if scope.variables.contains(name) {
                        kind = Some((Kind::WalrusRebinds(name.as_str().into()), target.span));
                        break;
                    }
                    scope.assigned.insert(name.clone());
                }
                ScopeKind::Class if in_comprehension => {
                    kind = Some((Kind::WalrusInClassComprehension, target.span));
                    break;
                }
                ScopeKind::Type(place) => {
                    kind = Some(if in_comprehension {
                        (Kind::WalrusInTypeComprehension, target.span)
                    } else {
                        (Kind::NotInType { what: "named", place }, span)
                    });
                    break;
                }
                _ => break,
            }
        }
        if let Some((kind, span)) = kind {
            self.names_error(kind, span);
        }
    }
}

/// The names a target binds.
fn bound_names(target: &Expr, into: &mut Vec<(Name, Span)>) {
    match &target.kind {
        ExprKind::Name(name) => into.push((name.clone(), target.span)),
        ExprKind::List { elts } | ExprKind::Tuple { elts } => elts.iter().for_each(|elt| bound_names(elt, into)),
        ExprKind::Starred { value } => bound_names(value, into),
        _ => {}
    }
}
