//! Visiting the children of a node in the order in which they stand in the text.
//!
//! A [`Visitor`] says what it does at a node and calls the `walk_*` function for what it does not treat itself. Every
//! step into an expression goes through [`with_stack`] only where the tree is deep, which its depth tells.

use super::*;

/// Something that goes through a tree. The default methods go on to the children.
pub trait Visitor {
    fn stmt(&mut self, stmt: &Stmt) {
        walk_stmt(self, stmt);
    }

    fn expr(&mut self, expr: &Expr) {
        walk_expr(self, expr);
    }

    /// An expression that is assigned to, deleted or otherwise bound.
    fn target(&mut self, target: &Expr) {
        self.expr(target);
    }

    fn pattern(&mut self, pattern: &Pattern) {
        walk_pattern(self, pattern);
    }

    fn comprehension(&mut self, part: &Comprehension) {
        self.expr(&part.iter);
        self.target(&part.target);
        for test in &part.ifs {
            self.expr(test);
        }
    }

    fn body(&mut self, body: &[Stmt]) {
        for stmt in body {
            self.stmt(stmt);
        }
    }

    /// Only what is evaluated where the function stands: defaults and annotations.
    fn arguments(&mut self, args: &Arguments) {
        for default in args.defaults.iter().chain(args.kw_defaults.iter().flatten()) {
            self.expr(default);
        }
        for arg in args.iter() {
            if let Some(annotation) = &arg.annotation {
                self.expr(annotation);
            }
        }
    }
}

pub fn walk_stmt<V: Visitor + ?Sized>(visitor: &mut V, stmt: &Stmt) {
    match &stmt.kind {
        StmtKind::FunctionDef(node) => {
            all(visitor, &node.decorator_list);
            type_params(visitor, &node.type_params);
            visitor.arguments(&node.args);
            option(visitor, node.returns.as_ref());
            visitor.body(&node.body);
        }
        StmtKind::ClassDef(node) => {
            all(visitor, &node.decorator_list);
            type_params(visitor, &node.type_params);
            all(visitor, &node.bases);
            for keyword in &node.keywords {
                visitor.expr(&keyword.value);
            }
            visitor.body(&node.body);
        }
        StmtKind::Return { value } => option(visitor, value.as_deref()),
        StmtKind::Delete { targets } => {
            for target in targets {
                visitor.target(target);
            }
        }
        StmtKind::Assign { targets, value } => {
            visitor.expr(value);
            for target in targets {
                visitor.target(target);
            }
        }
        StmtKind::TypeAlias { type_params: params, value, .. } => {
            type_params(visitor, params);
            visitor.expr(value);
        }
        StmtKind::AugAssign { target, value, .. } => {
            visitor.target(target);
            visitor.expr(value);
        }
        StmtKind::AnnAssign { target, annotation, value, .. } => {
            option(visitor, value.as_deref());
            visitor.target(target);
            visitor.expr(annotation);
        }
        StmtKind::For(node) => {
            visitor.expr(&node.iter);
            visitor.target(&node.target);
            visitor.body(&node.body);
            visitor.body(&node.orelse);
        }
        StmtKind::While { test, body, orelse } => {
            visitor.expr(test);
            visitor.body(body);
            visitor.body(orelse);
        }
        StmtKind::If { test, body, elifs, orelse } => {
            visitor.expr(test);
            visitor.body(body);
            for elif in elifs {
                visitor.expr(&elif.test);
                visitor.body(&elif.body);
            }
            visitor.body(orelse);
        }
        StmtKind::With(node) => {
            for item in &node.items {
                visitor.expr(&item.context_expr);
                if let Some(target) = &item.optional_vars {
                    visitor.target(target);
                }
            }
            visitor.body(&node.body);
        }
        StmtKind::Match { subject, cases } => {
            visitor.expr(subject);
            for case in cases {
                visitor.pattern(&case.pattern);
                option(visitor, case.guard.as_ref());
                visitor.body(&case.body);
            }
        }
        StmtKind::Raise { exc, cause } => {
            option(visitor, exc.as_deref());
            option(visitor, cause.as_deref());
        }
        StmtKind::Try(node) => {
            visitor.body(&node.body);
            for handler in &node.handlers {
                option(visitor, handler.typ.as_ref());
                visitor.body(&handler.body);
            }
            visitor.body(&node.orelse);
            visitor.body(&node.finalbody);
        }
        StmtKind::Assert { test, msg } => {
            visitor.expr(test);
            option(visitor, msg.as_deref());
        }
        StmtKind::Expr { value } => visitor.expr(value),
        StmtKind::Import { .. }
        | StmtKind::ImportFrom { .. }
        | StmtKind::Global { .. }
        | StmtKind::Nonlocal { .. }
        | StmtKind::Pass
        | StmtKind::Break
        | StmtKind::Continue => {}
    }
}

pub fn walk_expr<V: Visitor + ?Sized>(visitor: &mut V, expr: &Expr) {
    if expr.depth().total < SHALLOW { children(visitor, expr) } else { with_stack(|| children(visitor, expr)) }
}

fn children<V: Visitor + ?Sized>(visitor: &mut V, expr: &Expr) {
    match &expr.kind {
        ExprKind::Constant(_) | ExprKind::Name(_) => {}
        ExprKind::BoolOp { values: elts, .. }
        | ExprKind::Set { elts }
        | ExprKind::List { elts }
        | ExprKind::Tuple { elts }
        | ExprKind::JoinedStr { values: elts } => all(visitor, elts),
        ExprKind::NamedExpr { target, value } => {
            visitor.expr(value);
            visitor.target(target);
        }
        ExprKind::BinOp { left, right, .. } => {
            visitor.expr(left);
            visitor.expr(right);
        }
        ExprKind::UnaryOp { operand: value, .. }
        | ExprKind::Await { value }
        | ExprKind::YieldFrom { value }
        | ExprKind::Attribute { value, .. }
        | ExprKind::Starred { value } => visitor.expr(value),
        ExprKind::Lambda { args, body } => {
            visitor.arguments(args);
            visitor.expr(body);
        }
        ExprKind::IfExp { test, body, orelse } => {
            visitor.expr(test);
            visitor.expr(body);
            visitor.expr(orelse);
        }
        ExprKind::Dict { items } => {
            for item in items {
                option(visitor, item.key.as_ref());
                visitor.expr(&item.value);
            }
        }
        ExprKind::ListComp { elt, generators }
        | ExprKind::SetComp { elt, generators }
        | ExprKind::GeneratorExp { elt, generators } => {
            for part in generators {
                visitor.comprehension(part);
            }
            visitor.expr(elt);
        }
        ExprKind::DictComp { key, value, generators } => {
            for part in generators {
                visitor.comprehension(part);
            }
            visitor.expr(key);
            visitor.expr(value);
        }
        ExprKind::Yield { value } => option(visitor, value.as_deref()),
        ExprKind::Compare { left, comparators, .. } => {
            visitor.expr(left);
            all(visitor, comparators);
        }
        ExprKind::Call { func, args, keywords } => {
            visitor.expr(func);
            all(visitor, args);
            for keyword in keywords {
                visitor.expr(&keyword.value);
            }
        }
        ExprKind::FormattedValue { value, format_spec, .. } => {
            visitor.expr(value);
            option(visitor, format_spec.as_deref());
        }
        ExprKind::Subscript { value, slice } => {
            visitor.expr(value);
            visitor.expr(slice);
        }
        ExprKind::Slice { lower, upper, step } => {
            option(visitor, lower.as_deref());
            option(visitor, upper.as_deref());
            option(visitor, step.as_deref());
        }
    }
}

pub fn walk_pattern<V: Visitor + ?Sized>(visitor: &mut V, pattern: &Pattern) {
    match &pattern.kind {
        PatternKind::MatchValue { value } => visitor.expr(value),
        PatternKind::MatchSingleton { .. } | PatternKind::MatchStar { .. } => {}
        PatternKind::MatchSequence { patterns } | PatternKind::MatchOr { patterns } => {
            for pattern in patterns {
                visitor.pattern(pattern);
            }
        }
        PatternKind::MatchMapping { keys, patterns, .. } => {
            for (key, pattern) in keys.iter().zip(patterns) {
                visitor.expr(key);
                visitor.pattern(pattern);
            }
        }
        PatternKind::MatchClass { cls, patterns, kwd_patterns } => {
            visitor.expr(cls);
            for pattern in patterns.iter().chain(kwd_patterns.iter().map(|(_, pattern)| pattern)) {
                visitor.pattern(pattern);
            }
        }
        PatternKind::MatchAs { pattern, .. } => {
            if let Some(pattern) = pattern {
                visitor.pattern(pattern);
            }
        }
    }
}

pub fn type_params<V: Visitor + ?Sized>(visitor: &mut V, params: &[TypeParam]) {
    for param in params {
        if let TypeParamKind::TypeVar { bound: Some(bound) } = &param.kind {
            visitor.expr(bound);
        }
    }
}

fn all<V: Visitor + ?Sized>(visitor: &mut V, exprs: &[Expr]) {
    for expr in exprs {
        visitor.expr(expr);
    }
}

fn option<V: Visitor + ?Sized>(visitor: &mut V, expr: Option<&Expr>) {
    if let Some(expr) = expr {
        visitor.expr(expr);
    }
}
