//! The walk over statements and definitions that notes what each scope does with its names. `Scopes::analyse` starts it.

use super::{AT_ALIAS, AT_BODY, AT_TYPE_PARAMS, CLASS_CELL, Scope, ScopeId, ScopeKind, Scopes, Use};
use crate::syntax::ast::*;
use crate::syntax::{Span, SyntaxError, SyntaxErrorKind};

/// The walk, and where it is.
pub(super) struct Walk {
    pub(super) scopes: Scopes,
    pub(super) current: ScopeId,
    pub(super) nonlocals: Vec<(ScopeId, Name, Span)>,
    /// The first thing that is not allowed where it stands.
    pub(super) refused: Option<SyntaxError>,
}

impl Walk {
    fn scope(&mut self) -> &mut Scope {
        &mut self.scopes.all[self.current]
    }

    pub(super) fn note(&mut self, scope: ScopeId, name: &Name, change: impl FnOnce(&mut Use)) {
        let scope = &mut self.scopes.all[scope];
        let uses = scope.names.entry(name.clone()).or_insert_with(|| {
            scope.order.push(name.clone());
            Use::default()
        });
        change(uses);
    }

    pub(super) fn bind(&mut self, name: &Name) {
        self.note(self.current, name, |uses| uses.bound = true);
    }

    pub(super) fn used(&mut self, name: &Name) {
        self.note(self.current, name, |uses| uses.used = true);
        if name.as_str() == "super" {
            let class = Name::new(CLASS_CELL);
            if self.scopes.all[self.current].kind != ScopeKind::Class && self.is_in_class() {
                self.note(self.current, &class, |uses| uses.used = true);
            }
        }
    }

    fn is_in_class(&self) -> bool {
        let mut at = Some(self.current);
        while let Some(id) = at {
            if self.scopes.all[id].kind == ScopeKind::Class {
                return true;
            }
            at = self.scopes.all[id].parent;
        }
        false
    }

    pub(super) fn enter(&mut self, kind: ScopeKind, span: Span, place: u8) -> ScopeId {
        let id = self.scopes.push(kind, Some(self.current));
        self.scopes.places.insert((span.start, span.end, place), id);
        std::mem::replace(&mut self.current, id)
    }

    pub(super) fn body(&mut self, body: &[Stmt]) {
        for statement in body {
            self.statement(statement);
        }
    }

    fn statement(&mut self, statement: &Stmt) {
        match &statement.kind {
            StmtKind::FunctionDef(def) => self.function(def, statement.span),
            StmtKind::ClassDef(def) => self.class(def, statement.span),
            StmtKind::Return { value } => self.optional(value),
            StmtKind::Delete { targets } => targets.iter().for_each(|target| self.target(target)),
            StmtKind::Assign { targets, value } => {
                self.expr(value);
                targets.iter().for_each(|target| self.target(target));
            }
            StmtKind::TypeAlias { name, type_params, value } => {
                self.bind(&name.name);
                let outer = self.enter(ScopeKind::TypeParams, statement.span, AT_TYPE_PARAMS);
                self.type_params(type_params);
                let around = self.enter(ScopeKind::Lazy, statement.span, AT_ALIAS);
                self.expr(value);
                self.current = around;
                self.current = outer;
            }
            StmtKind::AugAssign { target, value, .. } => {
                self.expr(target);
                self.expr(value);
                self.target(target);
            }
            StmtKind::AnnAssign { target, annotation, value, simple } => {
                if self.scope().kind == ScopeKind::Class || self.scope().kind == ScopeKind::Module || !*simple {
                    self.expr(annotation);
                }
                if let Some(value) = value {
                    self.expr(value);
                }
                // A name in parentheses is not declared by its annotation.
                if *simple || value.is_some() || !matches!(target.kind, ExprKind::Name(_)) {
                    self.target(target);
                }
            }
            StmtKind::For(node) => {
                if node.is_async {
                    self.suspends();
                }
                self.expr(&node.iter);
                self.target(&node.target);
                self.body(&node.body);
                self.body(&node.orelse);
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
                    self.expr(&elif.test);
                    self.body(&elif.body);
                }
                self.body(orelse);
            }
            StmtKind::With(node) => {
                if node.is_async {
                    self.suspends();
                }
                self.scope_of_frame().has_cleanup = true;
                for item in &node.items {
                    self.expr(&item.context_expr);
                    if let Some(target) = &item.optional_vars {
                        self.target(target);
                    }
                }
                self.body(&node.body);
            }
            StmtKind::Match { subject, cases } => {
                self.expr(subject);
                for case in cases {
                    self.pattern(&case.pattern);
                    if let Some(guard) = &case.guard {
                        self.expr(guard);
                    }
                    self.body(&case.body);
                }
            }
            StmtKind::Raise { exc, cause } => {
                self.optional(exc);
                self.optional(cause);
            }
            StmtKind::Try(node) => {
                self.scope_of_frame().has_cleanup = true;
                self.body(&node.body);
                for handler in &node.handlers {
                    if let Some(typ) = &handler.typ {
                        self.expr(typ);
                    }
                    if let Some(name) = &handler.name {
                        self.bind(&name.name);
                    }
                    self.body(&handler.body);
                }
                self.body(&node.orelse);
                self.body(&node.finalbody);
            }
            StmtKind::Assert { test, msg } => {
                self.expr(test);
                self.optional(msg);
            }
            StmtKind::Import { names } => {
                for alias in names {
                    match &alias.asname {
                        Some(name) => self.bind(&name.name),
                        None => {
                            let first = alias.name.name.split('.').next().unwrap_or_default();
                            self.bind(&Name::new(first));
                        }
                    }
                }
            }
            StmtKind::ImportFrom { names, .. } => {
                for alias in names {
                    if &*alias.name.name != "*" {
                        self.bind(&alias.asname.as_ref().unwrap_or(&alias.name).name);
                    }
                }
            }
            StmtKind::Global { names } => {
                for ident in names {
                    self.note(self.current, &ident.name, |uses| uses.global = true);
                }
            }
            StmtKind::Nonlocal { names } => {
                for ident in names {
                    self.note(self.current, &ident.name, |uses| uses.nonlocal = true);
                    // Functions around are walked to their end only later, so looking for the variable is put off.
                    self.nonlocals.push((self.current, ident.name.clone(), statement.span));
                }
            }
            StmtKind::Expr { value } => self.expr(value),
            StmtKind::Pass | StmtKind::Break | StmtKind::Continue => {}
        }
    }

    /// A function inside an annotation scope could not see the class around, so there is none.
    pub(super) fn refuse_in_class_annotation(&mut self, what: &'static str, span: Span) {
        if self.scopes.class_seen_from(self.current).is_some() {
            self.refused.get_or_insert_with(|| SyntaxError::new(SyntaxErrorKind::InnerScopeInClassAnnotation(what), span));
        }
    }

    pub(super) fn scope_of_frame(&mut self) -> &mut Scope {
        let frame = self.scopes.frame_of(self.current);
        &mut self.scopes.all[frame]
    }

    pub(super) fn suspends(&mut self) {
        self.scope_of_frame().has_await = true;
    }

    pub(super) fn optional(&mut self, expr: &Option<Box<Expr>>) {
        if let Some(expr) = expr {
            self.expr(expr);
        }
    }

    /// Enters the scope of type parameters, if there are any; the scope to go back to.
    fn enter_type_params(&mut self, params: &[TypeParam], span: Span) -> ScopeId {
        if params.is_empty() {
            return self.current;
        }
        let outer = self.enter(ScopeKind::TypeParams, span, AT_TYPE_PARAMS);
        self.type_params(params);
        outer
    }

    fn type_params(&mut self, params: &[TypeParam]) {
        for param in params {
            self.bind(&param.name.name);
        }
        for param in params {
            if let TypeParamKind::TypeVar { bound: Some(bound) } = &param.kind {
                let outer = self.enter(ScopeKind::Lazy, param.span, AT_ALIAS);
                self.expr(bound);
                self.current = outer;
            }
        }
    }

    fn function(&mut self, def: &FunctionDef, span: Span) {
        def.decorator_list.iter().for_each(|decorator| self.expr(decorator));
        self.defaults(&def.args);
        self.bind(&def.name.name);
        let outer = self.enter_type_params(&def.type_params, span);
        for arg in def.args.iter() {
            if let Some(annotation) = &arg.annotation {
                self.expr(annotation);
            }
        }
        if let Some(returns) = &def.returns {
            self.expr(returns);
        }
        let around = self.enter(ScopeKind::Function, span, AT_BODY);
        self.parameters(&def.args);
        self.body(&def.body);
        self.current = around;
        self.current = outer;
    }

    pub(super) fn defaults(&mut self, args: &Arguments) {
        args.defaults.iter().for_each(|default| self.expr(default));
        args.kw_defaults.iter().flatten().for_each(|default| self.expr(default));
    }

    pub(super) fn parameters(&mut self, args: &Arguments) {
        for arg in args.iter() {
            self.note(self.current, &arg.arg.name, |uses| {
                uses.bound = true;
                uses.parameter = true;
            });
        }
    }

    fn class(&mut self, def: &ClassDef, span: Span) {
        def.decorator_list.iter().for_each(|decorator| self.expr(decorator));
        self.bind(&def.name.name);
        let outer = self.enter_type_params(&def.type_params, span);
        def.bases.iter().for_each(|base| self.expr(base));
        def.keywords.iter().for_each(|keyword| self.expr(&keyword.value));
        let around = self.enter(ScopeKind::Class, span, AT_BODY);
        self.body(&def.body);
        self.current = around;
        self.current = outer;
    }

    fn pattern(&mut self, pattern: &Pattern) {
        match &pattern.kind {
            PatternKind::MatchValue { value } => self.expr(value),
            PatternKind::MatchSingleton { .. } => {}
            PatternKind::MatchSequence { patterns } | PatternKind::MatchOr { patterns } => {
                patterns.iter().for_each(|pattern| self.pattern(pattern));
            }
            PatternKind::MatchMapping { keys, patterns, rest } => {
                keys.iter().for_each(|key| self.expr(key));
                patterns.iter().for_each(|pattern| self.pattern(pattern));
                if let Some(rest) = rest {
                    self.bind(&rest.name);
                }
            }
            PatternKind::MatchClass { cls, patterns, kwd_patterns } => {
                self.expr(cls);
                patterns.iter().for_each(|pattern| self.pattern(pattern));
                kwd_patterns.iter().for_each(|(_, pattern)| self.pattern(pattern));
            }
            PatternKind::MatchStar { name } => {
                if let Some(name) = name {
                    self.bind(&name.name);
                }
            }
            PatternKind::MatchAs { pattern, name } => {
                if let Some(pattern) = pattern {
                    self.pattern(pattern);
                }
                if let Some(name) = name {
                    self.bind(&name.name);
                }
            }
        }
    }
}
