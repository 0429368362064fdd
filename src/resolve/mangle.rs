//! Private names: inside a class `C`, `__name` means `_C__name` (Python reference, 6.2.1).

use crate::syntax::ast::*;

/// Mangles the private names in all classes of a module.
pub fn mangle(module: &mut Module) {
    let mut walk = Walk { class: None };
    walk.body(&mut module.body);
}

struct Walk {
    /// The prefix `_C`, inside a class.
    class: Option<String>,
}

impl Walk {
    fn name(&self, name: &mut Name) {
        if let Some(class) = &self.class
            && name.starts_with("__")
            && !name.ends_with("__")
            && !name.contains('.')
        {
            *name = Name::new(&format!("{class}{}", name.as_str()));
        }
    }

    fn ident(&self, ident: &mut Ident) {
        self.name(&mut ident.name);
    }

    fn body(&mut self, body: &mut [Stmt]) {
        for statement in body {
            self.statement(statement);
        }
    }

    fn statement(&mut self, statement: &mut Stmt) {
        match &mut statement.kind {
            StmtKind::FunctionDef(def) => {
                self.ident(&mut def.name);
                self.all(&mut def.decorator_list);
                self.type_params(&mut def.type_params);
                self.arguments(&mut def.args);
                def.returns.iter_mut().for_each(|returns| self.expr(returns));
                self.body(&mut def.body);
            }
            StmtKind::ClassDef(def) => {
                self.ident(&mut def.name);
                self.all(&mut def.decorator_list);
                self.all(&mut def.bases);
                def.keywords.iter_mut().for_each(|keyword| self.expr(&mut keyword.value));
                let plain = def.name.name.trim_start_matches('_');
                let inner = (!plain.is_empty()).then(|| format!("_{plain}"));
                let outer = std::mem::replace(&mut self.class, inner);
                self.type_params(&mut def.type_params);
                self.body(&mut def.body);
                self.class = outer;
            }
            StmtKind::Return { value } => self.option(value),
            StmtKind::Delete { targets } => self.all(targets),
            StmtKind::Assign { targets, value } => {
                self.all(targets);
                self.expr(value);
            }
            StmtKind::TypeAlias { name, type_params, value } => {
                self.ident(name);
                self.type_params(type_params);
                self.expr(value);
            }
            StmtKind::AugAssign { target, value, .. } => {
                self.expr(target);
                self.expr(value);
            }
            StmtKind::AnnAssign { target, annotation, value, .. } => {
                self.expr(target);
                self.expr(annotation);
                self.option(value);
            }
            StmtKind::For(node) => {
                self.expr(&mut node.target);
                self.expr(&mut node.iter);
                self.body(&mut node.body);
                self.body(&mut node.orelse);
            }
            StmtKind::While { test, body, orelse } => {
                self.expr(test);
                self.body(body);
                self.body(orelse);
            }
            StmtKind::If { test, body, elifs, orelse } => {
                self.expr(test);
                self.body(body);
                for elif in elifs {
                    self.expr(&mut elif.test);
                    self.body(&mut elif.body);
                }
                self.body(orelse);
            }
            StmtKind::With(node) => {
                for item in &mut node.items {
                    self.expr(&mut item.context_expr);
                    item.optional_vars.iter_mut().for_each(|target| self.expr(target));
                }
                self.body(&mut node.body);
            }
            StmtKind::Match { subject, cases } => {
                self.expr(subject);
                for case in cases {
                    self.pattern(&mut case.pattern);
                    case.guard.iter_mut().for_each(|guard| self.expr(guard));
                    self.body(&mut case.body);
                }
            }
            StmtKind::Raise { exc, cause } => {
                self.option(exc);
                self.option(cause);
            }
            StmtKind::Try(node) => {
                self.body(&mut node.body);
                for handler in &mut node.handlers {
                    handler.typ.iter_mut().for_each(|typ| self.expr(typ));
                    handler.name.iter_mut().for_each(|name| self.ident(name));
                    self.body(&mut handler.body);
                }
                self.body(&mut node.orelse);
                self.body(&mut node.finalbody);
            }
            StmtKind::Assert { test, msg } => {
                self.expr(test);
                self.option(msg);
            }
            StmtKind::Import { names } => {
                for alias in names {
                    match &mut alias.asname {
                        Some(name) => self.ident(name),
                        None => self.ident(&mut alias.name),
                    }
                }
            }
            StmtKind::ImportFrom { names, .. } => {
                for alias in names {
                    self.ident(&mut alias.name);
                    alias.asname.iter_mut().for_each(|name| self.ident(name));
                }
            }
            StmtKind::Global { names } | StmtKind::Nonlocal { names } => names.iter_mut().for_each(|name| self.ident(name)),
            StmtKind::Expr { value } => self.expr(value),
            StmtKind::Pass | StmtKind::Break | StmtKind::Continue => {}
        }
    }

    fn type_params(&mut self, params: &mut [TypeParam]) {
        for param in params {
            self.ident(&mut param.name);
            if let TypeParamKind::TypeVar { bound: Some(bound) } = &mut param.kind {
                self.expr(bound);
            }
        }
    }

    fn arguments(&mut self, args: &mut Arguments) {
        let all = args
            .posonlyargs
            .iter_mut()
            .chain(&mut args.args)
            .chain(&mut args.vararg)
            .chain(&mut args.kwonlyargs)
            .chain(&mut args.kwarg);
        for arg in all {
            self.ident(&mut arg.arg);
            arg.annotation.iter_mut().for_each(|annotation| self.expr(annotation));
        }
        self.all(&mut args.defaults);
        args.kw_defaults.iter_mut().flatten().for_each(|default| self.expr(default));
    }

    fn pattern(&mut self, pattern: &mut Pattern) {
        match &mut pattern.kind {
            PatternKind::MatchValue { value } => self.expr(value),
            PatternKind::MatchSingleton { .. } => {}
            PatternKind::MatchSequence { patterns } | PatternKind::MatchOr { patterns } => {
                patterns.iter_mut().for_each(|pattern| self.pattern(pattern));
            }
            PatternKind::MatchMapping { keys, patterns, rest } => {
                self.all(keys);
                patterns.iter_mut().for_each(|pattern| self.pattern(pattern));
                rest.iter_mut().for_each(|rest| self.ident(rest));
            }
            PatternKind::MatchClass { cls, patterns, kwd_patterns } => {
                self.expr(cls);
                patterns.iter_mut().for_each(|pattern| self.pattern(pattern));
                // The names of attributes stay as they are written.
                kwd_patterns.iter_mut().for_each(|(_, pattern)| self.pattern(pattern));
            }
            PatternKind::MatchStar { name } => name.iter_mut().for_each(|name| self.ident(name)),
            PatternKind::MatchAs { pattern, name } => {
                pattern.iter_mut().for_each(|pattern| self.pattern(pattern));
                name.iter_mut().for_each(|name| self.ident(name));
            }
        }
    }

    fn all(&mut self, exprs: &mut [Expr]) {
        exprs.iter_mut().for_each(|expr| self.expr(expr));
    }

    fn option(&mut self, expr: &mut Option<Box<Expr>>) {
        expr.iter_mut().for_each(|expr| self.expr(expr));
    }

    fn expr(&mut self, expr: &mut Expr) {
        // Outside classes only classes inside lambdas' surroundings matter, and expressions hold no classes.
        if self.class.is_none() {
            return;
        }
        if expr.depth().total > SHALLOW { with_stack(|| self.expr_here(expr)) } else { self.expr_here(expr) }
    }

    fn expr_here(&mut self, expr: &mut Expr) {
        match &mut expr.kind {
            ExprKind::Constant(_) => {}
            ExprKind::Name(name) => self.name(name),
            ExprKind::Attribute { value, attr } => {
                self.expr(value);
                self.ident(attr);
            }
            ExprKind::BoolOp { values: elts, .. }
            | ExprKind::Set { elts }
            | ExprKind::List { elts }
            | ExprKind::Tuple { elts }
            | ExprKind::JoinedStr { values: elts } => self.all(elts),
            ExprKind::NamedExpr { target, value } => {
                self.expr(target);
                self.expr(value);
            }
            ExprKind::BinOp { left, right, .. } => {
                self.expr(left);
                self.expr(right);
            }
            ExprKind::UnaryOp { operand: value, .. }
            | ExprKind::Starred { value }
            | ExprKind::Await { value }
            | ExprKind::YieldFrom { value } => self.expr(value),
            ExprKind::Yield { value } => self.option(value),
            ExprKind::Lambda { args, body } => {
                self.arguments(args);
                self.expr(body);
            }
            ExprKind::IfExp { test, body, orelse } => {
                self.expr(test);
                self.expr(body);
                self.expr(orelse);
            }
            ExprKind::Dict { items } => {
                for item in items {
                    item.key.iter_mut().for_each(|key| self.expr(key));
                    self.expr(&mut item.value);
                }
            }
            ExprKind::ListComp { elt, generators }
            | ExprKind::SetComp { elt, generators }
            | ExprKind::GeneratorExp { elt, generators } => {
                self.expr(elt);
                self.generators(generators);
            }
            ExprKind::DictComp { key, value, generators } => {
                self.expr(key);
                self.expr(value);
                self.generators(generators);
            }
            ExprKind::Compare { left, comparators, .. } => {
                self.expr(left);
                self.all(comparators);
            }
            ExprKind::Call { func, args, keywords } => {
                self.expr(func);
                self.all(args);
                for keyword in keywords {
                    keyword.arg.iter_mut().for_each(|name| self.ident(name));
                    self.expr(&mut keyword.value);
                }
            }
            ExprKind::FormattedValue { value, format_spec, .. } => {
                self.expr(value);
                self.option(format_spec);
            }
            ExprKind::Subscript { value, slice } => {
                self.expr(value);
                self.expr(slice);
            }
            ExprKind::Slice { lower, upper, step } => {
                self.option(lower);
                self.option(upper);
                self.option(step);
            }
        }
    }

    fn generators(&mut self, generators: &mut [Comprehension]) {
        for part in generators {
            self.expr(&mut part.target);
            self.expr(&mut part.iter);
            self.all(&mut part.ifs);
        }
    }
}
