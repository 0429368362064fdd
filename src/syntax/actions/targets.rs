//! What may be assigned to, deleted or annotated, and how the rest is called in messages.

use super::Actions;
use crate::syntax::ast::{Constant, Expr, ExprKind, Operator, StmtKind, UnaryOp};
use crate::syntax::error::SyntaxErrorKind as Kind;
use crate::syntax::source::Span;

/// The words a message has for an expression.
pub fn describe(expr: &Expr) -> &'static str {
    match &expr.kind {
        ExprKind::Attribute { .. } => "attribute",
        ExprKind::Subscript { .. } => "subscript",
        ExprKind::Starred { .. } => "starred",
        ExprKind::Name(_) => "name",
        ExprKind::List { .. } => "list",
        ExprKind::Tuple { .. } => "tuple",
        ExprKind::Lambda { .. } => "lambda",
        ExprKind::Call { .. } => "function call",
        ExprKind::BoolOp { .. } | ExprKind::BinOp { .. } | ExprKind::UnaryOp { .. } => "expression",
        ExprKind::GeneratorExp { .. } => "generator expression",
        ExprKind::Yield { .. } | ExprKind::YieldFrom { .. } => "yield expression",
        ExprKind::Await { .. } => "await expression",
        ExprKind::ListComp { .. } => "list comprehension",
        ExprKind::SetComp { .. } => "set comprehension",
        ExprKind::DictComp { .. } => "dict comprehension",
        ExprKind::Dict { .. } => "dict literal",
        ExprKind::Set { .. } => "set display",
        ExprKind::JoinedStr { .. } | ExprKind::FormattedValue { .. } => "f-string expression",
        ExprKind::Constant(Constant::None) => "None",
        ExprKind::Constant(Constant::True) => "True",
        ExprKind::Constant(Constant::False) => "False",
        ExprKind::Constant(Constant::Ellipsis) => "ellipsis",
        ExprKind::Constant(_) => "literal",
        ExprKind::Compare { .. } => "comparison",
        ExprKind::IfExp { .. } => "conditional expression",
        ExprKind::NamedExpr { .. } => "named expression",
        ExprKind::Slice { .. } => "slice",
    }
}

/// The first part of a target that cannot be one.
fn invalid_part(target: &Expr, deleting: bool) -> Option<&Expr> {
    match &target.kind {
        ExprKind::List { elts } | ExprKind::Tuple { elts } => elts.iter().find_map(|elt| invalid_part(elt, deleting)),
        ExprKind::Starred { .. } if deleting => Some(target),
        ExprKind::Starred { value } => invalid_part(value, deleting),
        ExprKind::Name(_) | ExprKind::Subscript { .. } | ExprKind::Attribute { .. } => None,
        _ => Some(target),
    }
}

/// The first part of an assignment's target that cannot be assigned to.
pub fn invalid_target(target: &Expr) -> Option<&Expr> {
    invalid_part(target, false)
}

impl Actions<'_> {
    /// One more target of an assignment; checked when the value is there.
    pub fn targets(&self, mut into: Vec<Expr>, target: Box<Expr>) -> Vec<Expr> {
        into.push(*target);
        into
    }

    pub fn assign(&self, targets: Vec<Expr>, value: Box<Expr>) -> StmtKind {
        if let Some((part, first)) = targets.iter().find_map(|target| Some((invalid_part(target, false)?, target))) {
            let single = targets.len() == 1;
            if !(single && self.begins_tight(&value) && self.refuse_comparison(first, &value)) {
                let kind = match &part.kind {
                    ExprKind::Yield { .. } | ExprKind::YieldFrom { .. } => Kind::AssignToYield,
                    _ => Kind::AssignTo { what: describe(part).into(), here: false },
                };
                self.refuse(kind, part.span);
            }
        }
        StmtKind::Assign { targets, value }
    }

    /// What stands before the equals sign may have been meant to be compared; false if nothing suggests so.
    fn refuse_comparison(&self, target: &Expr, value: &Expr) -> bool {
        let last = match &target.kind {
            ExprKind::Tuple { elts } if self.is_bare_tuple(target) => elts.last().unwrap_or(target),
            _ => target,
        };
        match &last.kind {
            ExprKind::Name(_) => self.refuse(Kind::MeantEquality, last.span.to(value.span)),
            ExprKind::List { .. }
            | ExprKind::Tuple { .. }
            | ExprKind::GeneratorExp { .. }
            | ExprKind::Constant(Constant::None | Constant::True | Constant::False) => return false,
            _ if self.is_tight(last) => {
                self.refuse(Kind::AssignTo { what: describe(last).into(), here: true }, last.span);
            }
            _ => return false,
        }
        true
    }

    /// A tuple without parentheses.
    fn is_bare_tuple(&self, tuple: &Expr) -> bool {
        let ExprKind::Tuple { elts } = &tuple.kind else { return false };
        elts.first().is_some_and(|first| first.span.start == tuple.span.start)
    }

    fn is_parenthesized(&self, expr: &Expr) -> bool {
        self.slice(0, expr.span.start).trim_end().ends_with('(')
    }

    /// Whether an expression binds at least as tightly as `|`.
    fn is_tight(&self, expr: &Expr) -> bool {
        let loose = matches!(
            expr.kind,
            ExprKind::Compare { .. }
                | ExprKind::BoolOp { .. }
                | ExprKind::UnaryOp { op: UnaryOp::Not, .. }
                | ExprKind::IfExp { .. }
                | ExprKind::Lambda { .. }
                | ExprKind::Yield { .. }
                | ExprKind::YieldFrom { .. }
                | ExprKind::Starred { .. }
        );
        !loose || self.is_parenthesized(expr)
    }

    /// Whether the first part of an expression does.
    fn begins_tight(&self, expr: &Expr) -> bool {
        match &expr.kind {
            ExprKind::Compare { left, .. } => self.is_tight(left),
            ExprKind::BoolOp { values, .. } => values.first().is_some_and(|first| self.begins_tight(first)),
            ExprKind::IfExp { body, .. } => self.begins_tight(body),
            ExprKind::Tuple { elts } => elts.first().is_none_or(|first| self.begins_tight(first)),
            _ => self.is_tight(expr),
        }
    }

    /// A target of `for`, `as` and the like.
    pub fn check_assignable(&self, target: &Expr) {
        if let Some(part) = invalid_part(target, false) {
            self.refuse(Kind::AssignTo { what: describe(part).into(), here: false }, part.span);
        }
    }

    pub fn loop_target(&self, target: Box<Expr>) -> Box<Expr> {
        self.check_assignable(&target);
        target
    }

    pub fn delete(&self, targets: Vec<Expr>) -> StmtKind {
        if let Some(part) = targets.iter().find_map(|target| invalid_part(target, true)) {
            self.refuse(Kind::Delete(describe(part)), part.span);
        }
        StmtKind::Delete { targets }
    }

    pub fn aug_assign(&self, target: Box<Expr>, op: Operator, value: Box<Expr>) -> StmtKind {
        if !matches!(target.kind, ExprKind::Name(_) | ExprKind::Attribute { .. } | ExprKind::Subscript { .. }) {
            self.refuse(Kind::AugmentedTarget(describe(&target)), target.span);
        }
        StmtKind::AugAssign { target, op, value }
    }

    /// `l` is where the target begins, its parentheses included.
    pub fn ann_assign(&self, l: u32, target: Box<Expr>, annotation: Box<Expr>, value: Option<Box<Expr>>) -> StmtKind {
        let simple = matches!(target.kind, ExprKind::Name(_)) && target.span.start == l;
        match &target.kind {
            ExprKind::Name(_) | ExprKind::Attribute { .. } | ExprKind::Subscript { .. } => {}
            ExprKind::Tuple { elts } if self.is_bare_tuple(&target) => {
                let first = elts.first().map_or(target.span, |first| first.span);
                self.refuse(Kind::AnnotatedSeveral("tuple"), first);
            }
            ExprKind::List { .. } | ExprKind::Tuple { .. } => {
                self.refuse(Kind::AnnotatedSeveral(describe(&target)), target.span);
            }
            _ => self.refuse(Kind::AnnotatedTarget, Span { start: l, end: target.span.end }),
        }
        StmtKind::AnnAssign { target, annotation, value, simple }
    }
}
