//! What a grammar cannot say: where `return`, `yield` and `await` may stand, what may be declared `global`, which
//! patterns make sense. Called by `parse` with a finished tree.
//!
//! Like CPython, errors about names are reported before errors about statements that stand in the wrong place, wherever
//! they are. One check is left to `resolve`, which knows the scopes: that a `nonlocal` name is bound in a function around.

mod comprehensions;
mod future;
mod names;
mod patterns;
mod suspicions;

use std::collections::HashSet;

use super::ast::walk::{self, Visitor};
use super::ast::*;
use super::error::{SyntaxError, SyntaxErrorKind as Kind};
use super::source::Span;
use super::warning::Warning;

/// Checks a whole tree. What is suspicious in it, if nothing is wrong.
pub fn validate(body: &[Stmt], top_level_await: bool) -> Result<Vec<Warning>, SyntaxError> {
    if let Some(error) = future::check(body) {
        return Err(error);
    }
    let mut validator = Validator {
        scopes: vec![],
        flow: vec![],
        blocks: 0,
        top_level_await,
        nesting: 0,
        names_error: None,
        code_error: None,
        warnings: vec![],
    };
    validator.in_scope(ScopeKind::Module, |validator| {
        names::declarations(validator, body, &[], true);
        validator.body(body);
    });
    match validator.names_error.or(validator.code_error) {
        Some(error) => Err(error),
        None => Ok(validator.warnings),
    }
}

struct Validator {
    /// From the module inwards.
    scopes: Vec<Scope>,
    /// The loops and `except*` blocks around, within one function.
    flow: Vec<Flow>,
    /// How many loops, `with` and `try` blocks are around, within one function.
    blocks: usize,
    top_level_await: bool,
    /// How many compound statements enclose the present place.
    nesting: u32,
    /// The first error of each of CPython's two passes.
    names_error: Option<SyntaxError>,
    code_error: Option<SyntaxError>,
    warnings: Vec<Warning>,
}

struct Scope {
    kind: ScopeKind,
    /// A `yield` has been seen.
    yields: bool,
    /// A `return` with a value has been seen.
    returns_value: Option<Span>,
    /// How many iterables of comprehensions enclose the present place.
    iterables: u32,
    /// In a comprehension: its variables, and what `:=` assigns in it.
    variables: HashSet<Name>,
    assigned: HashSet<Name>,
    /// In a comprehension: it awaits something.
    awaits: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum ScopeKind {
    Module,
    Class,
    Function {
        is_async: bool,
    },
    /// With the words messages have for it.
    Comprehension(&'static str),
    /// Annotations: the bound of a type variable, the value of a type alias, the head of a generic definition.
    Type(&'static str),
}

#[derive(Clone, Copy, PartialEq)]
enum Flow {
    Loop,
    ExceptStar,
}

/// As many blocks nest as in CPython.
const MOST_BLOCKS: usize = 20;

const LIST: &str = "list comprehension";
const SET: &str = "set comprehension";
const DICT: &str = "dict comprehension";
const GENERATOR: &str = "generator expression";

impl Validator {
    /// An error of CPython's symbol table.
    #[cold]
    fn names_error(&mut self, kind: Kind, span: Span) {
        self.names_error.get_or_insert_with(|| SyntaxError::new(kind, span));
    }

    /// An error of CPython's compiler.
    #[cold]
    fn code_error(&mut self, kind: Kind, span: Span) {
        self.code_error.get_or_insert_with(|| SyntaxError::new(kind, span));
    }

    fn in_scope(&mut self, kind: ScopeKind, inside: impl FnOnce(&mut Self)) -> Scope {
        let flow = std::mem::take(&mut self.flow);
        let blocks = std::mem::take(&mut self.blocks);
        self.scopes.push(Scope {
            kind,
            yields: false,
            returns_value: None,
            iterables: 0,
            variables: HashSet::new(),
            assigned: HashSet::new(),
            awaits: false,
        });
        inside(self);
        self.flow = flow;
        self.blocks = blocks;
        match self.scopes.pop() {
            Some(scope) => scope,
            None => unreachable!("pushed above"),
        }
    }

    fn scope(&mut self) -> &mut Scope {
        let last = self.scopes.len() - 1;
        &mut self.scopes[last]
    }

    fn in_flow(&mut self, flow: Flow, body: &[Stmt]) {
        self.flow.push(flow);
        self.body(body);
        self.flow.pop();
    }

    /// Inside so many more blocks.
    fn in_blocks(&mut self, count: usize, span: Span, inside: impl FnOnce(&mut Self)) {
        self.blocks += count;
        if self.blocks > MOST_BLOCKS {
            self.code_error(Kind::TooManyBlocks, span);
        }
        inside(self);
        self.blocks -= count;
    }

    // --- Functions and classes ---

    fn function(&mut self, node: &FunctionDef, span: Span) {
        self.exprs(&node.decorator_list);
        self.defaults(&node.args);
        self.check_debug(&node.name.name, span, "assign to");
        self.generic(&node.type_params, |this| {
            this.annotations(&node.args);
            if let Some(returns) = &node.returns {
                this.expr(returns);
            }
            this.function_body(ScopeKind::Function { is_async: node.is_async }, &node.args, |this| {
                let params: Vec<_> = node.args.iter().map(|arg| &arg.arg).collect();
                names::declarations(this, &node.body, &params, false);
                this.body(&node.body);
            });
        });
    }

    fn function_body(&mut self, kind: ScopeKind, args: &Arguments, inside: impl FnOnce(&mut Self)) {
        let mut seen = HashSet::new();
        // In the order in which CPython enters them.
        let plain = args.posonlyargs.iter().chain(&args.args).chain(&args.kwonlyargs).chain(&args.vararg).chain(&args.kwarg);
        for arg in plain {
            if !seen.insert(&arg.arg.name) {
                self.names_error(Kind::DuplicateArgument(arg.arg.name.as_str().into()), arg.span);
            }
            self.check_debug(&arg.arg.name, arg.span, "assign to");
        }
        self.in_scope(kind, inside);
    }

    fn defaults(&mut self, args: &Arguments) {
        self.exprs(&args.defaults);
        for default in args.kw_defaults.iter().flatten() {
            self.expr(default);
        }
    }

    fn annotations(&mut self, args: &Arguments) {
        for arg in args.iter() {
            if let Some(annotation) = &arg.annotation {
                self.element(annotation);
            }
        }
    }

    fn class(&mut self, node: &ClassDef, span: Span) {
        self.exprs(&node.decorator_list);
        self.check_debug(&node.name.name, span, "assign to");
        self.generic(&node.type_params, |this| {
            // The body is compiled first.
            let first = this.warnings.len();
            this.elements(&node.bases);
            this.keywords(&node.keywords);
            let of_head = this.warnings.len() - first;
            this.in_scope(ScopeKind::Class, |this| {
                names::declarations(this, &node.body, &[], false);
                this.body(&node.body);
            });
            this.warnings[first..].rotate_left(of_head);
        });
    }

    /// The head of a definition that may have type parameters.
    fn generic(&mut self, params: &[TypeParam], inside: impl FnOnce(&mut Self)) {
        if params.is_empty() {
            return inside(self);
        }
        let mut seen = HashSet::new();
        for param in params {
            if !seen.insert(&param.name.name) {
                self.names_error(Kind::DuplicateTypeParam(param.name.name.as_str().into()), param.span);
            }
        }
        self.in_scope(ScopeKind::Type("the definition of a generic"), |this| {
            for param in params {
                if let TypeParamKind::TypeVar { bound: Some(bound) } = &param.kind {
                    this.in_scope(ScopeKind::Type("a TypeVar bound"), |this| this.expr(bound));
                }
            }
            inside(this);
        });
    }

    // --- Leaving ---

    fn return_statement(&mut self, value: Option<&Expr>, span: Span) {
        let scope = self.scope();
        match scope.kind {
            ScopeKind::Function { is_async } => {
                if value.is_some() {
                    scope.returns_value.get_or_insert(span);
                    if is_async && scope.yields {
                        self.names_error(Kind::ReturnInAsyncGenerator, span);
                    }
                }
                if self.flow.contains(&Flow::ExceptStar) {
                    self.code_error(Kind::ExceptStarJump, span);
                }
            }
            _ => self.code_error(Kind::Outside { what: "'return'", place: "function" }, span),
        }
    }

    fn jump(&mut self, outside: Kind, span: Span) {
        match self.flow.last() {
            Some(Flow::Loop) => {}
            Some(Flow::ExceptStar) => self.code_error(Kind::ExceptStarJump, span),
            None => self.code_error(outside, span),
        }
    }

    fn yield_expr(&mut self, from: bool, span: Span) {
        let scope = self.scope();
        scope.yields = true;
        match scope.kind {
            ScopeKind::Comprehension(what) => self.names_error(Kind::YieldInside(what), span),
            ScopeKind::Type(place) => self.names_error(Kind::NotInType { what: "yield", place }, span),
            ScopeKind::Function { is_async: true } => {
                if let Some(place) = scope.returns_value {
                    self.names_error(Kind::ReturnInAsyncGenerator, place);
                }
                if from {
                    self.code_error(Kind::YieldFromInAsync, span);
                }
            }
            ScopeKind::Function { .. } => {}
            ScopeKind::Module | ScopeKind::Class => {
                self.code_error(Kind::Outside { what: "'yield'", place: "function" }, span);
            }
        }
    }

    fn await_expr(&mut self, span: Span) {
        let top_level_await = self.top_level_await;
        let scope = self.scope();
        match scope.kind {
            ScopeKind::Comprehension(_) => scope.awaits = true,
            ScopeKind::Type(place) => self.names_error(Kind::NotInType { what: "await", place }, span),
            ScopeKind::Function { is_async: true } => {}
            ScopeKind::Function { .. } => self.code_error(Kind::Outside { what: "'await'", place: "async function" }, span),
            ScopeKind::Module if top_level_await => {}
            ScopeKind::Module | ScopeKind::Class => {
                self.code_error(Kind::Outside { what: "'await'", place: "function" }, span);
            }
        }
    }

    /// `async for`, `async with`
    fn async_statement(&mut self, what: &'static str, span: Span) {
        let allowed = match self.scope().kind {
            ScopeKind::Function { is_async } => is_async,
            ScopeKind::Module => self.top_level_await,
            _ => false,
        };
        if !allowed {
            self.code_error(Kind::Outside { what, place: "async function" }, span);
        }
    }

    // --- Parts of expressions ---

    fn exprs(&mut self, exprs: &[Expr]) {
        for expr in exprs {
            self.expr(expr);
        }
    }

    /// Expressions among which `*a` may stand.
    fn elements(&mut self, elts: &[Expr]) {
        for elt in elts {
            self.element(elt);
        }
    }

    fn element(&mut self, elt: &Expr) {
        match &elt.kind {
            ExprKind::Starred { value } => self.expr(value),
            _ => self.expr(elt),
        }
    }

    fn keywords(&mut self, keywords: &[Keyword]) {
        let named = |keyword: &Keyword| keyword.arg.as_ref().map(|arg| arg.name.clone());
        let again = |at: usize| {
            let name = named(&keywords[at])?;
            keywords[at + 1..].iter().find(|later| later.arg.as_ref().is_some_and(|arg| arg.name == name))
        };
        let names: HashSet<&Name> = keywords.iter().filter_map(|keyword| Some(&keyword.arg.as_ref()?.name)).collect();
        if names.len() < keywords.iter().filter(|keyword| keyword.arg.is_some()).count()
            && let Some(keyword) = (0..keywords.len()).find_map(again)
            && let Some(name) = named(keyword)
        {
            self.code_error(Kind::RepeatedKeyword(name.as_str().into()), keyword.span);
        }
        for keyword in keywords {
            if let Some(arg) = &keyword.arg {
                self.check_debug(&arg.name, keyword.span, "assign to");
            }
            self.expr(&keyword.value);
        }
    }

    fn check_debug(&mut self, name: &Name, span: Span, verb: &'static str) {
        if name.as_str() == "__debug__" {
            self.code_error(Kind::Debug(verb), span);
        }
    }

    /// The elements of a tuple or list that is assigned to.
    fn unpacking(&mut self, elts: &[Expr], span: Span) {
        let mut star = None;
        for (index, elt) in elts.iter().enumerate() {
            if let ExprKind::Starred { value } = &elt.kind {
                if star.replace(index).is_some() {
                    self.code_error(Kind::SeveralStarred, span);
                }
                if index >= 1 << 8 {
                    self.code_error(Kind::TooManyBeforeStar, span);
                }
                self.target(value);
            } else {
                self.target(elt);
            }
        }
    }

    fn alias(&mut self, alias: &Alias, span: Span) {
        let name = alias.asname.as_ref().unwrap_or(&alias.name);
        self.check_debug(&name.name, span, "assign to");
    }
}

impl Visitor for Validator {
    fn body(&mut self, body: &[Stmt]) {
        self.nesting += 1;
        for stmt in body {
            self.stmt(stmt);
        }
        self.nesting -= 1;
    }

    fn stmt(&mut self, stmt: &Stmt) {
        let span = stmt.span;
        match &stmt.kind {
            StmtKind::FunctionDef(node) => return self.function(node, span),
            StmtKind::ClassDef(node) => return self.class(node, span),
            StmtKind::Return { value } => self.return_statement(value.as_deref(), span),
            StmtKind::Delete { targets } => {
                for target in targets {
                    if let ExprKind::Name(name) = &target.kind {
                        self.check_debug(name, target.span, "delete");
                    }
                    match &target.kind {
                        ExprKind::Subscript { .. } => walk::walk_expr(self, target),
                        _ => self.expr(target),
                    }
                }
                return;
            }
            StmtKind::TypeAlias { type_params, value, .. } => {
                return self.generic(type_params, |this| {
                    this.in_scope(ScopeKind::Type("a type alias"), |this| this.expr(value));
                });
            }
            StmtKind::For(node) => {
                if node.is_async {
                    self.async_statement("'async for'", span);
                }
                self.expr(&node.iter);
                self.target(&node.target);
                self.in_blocks(1, span, |this| this.in_flow(Flow::Loop, &node.body));
                return self.body(&node.orelse);
            }
            StmtKind::While { test, body, orelse } => {
                self.expr(test);
                self.in_blocks(1, span, |this| this.in_flow(Flow::Loop, body));
                return self.body(orelse);
            }
            StmtKind::With(node) => {
                if node.is_async {
                    self.async_statement("'async with'", span);
                }
                return self.in_blocks(node.items.len(), span, |this| walk::walk_stmt(this, stmt));
            }
            StmtKind::Match { cases, .. } => patterns::check(self, cases),
            StmtKind::Try(node) => {
                let finally = usize::from(!node.finalbody.is_empty());
                let except = usize::from(!node.handlers.is_empty());
                self.in_blocks(finally + except, span, |this| this.body(&node.body));
                for (index, handler) in node.handlers.iter().enumerate() {
                    match &handler.typ {
                        Some(typ) => self.expr(typ),
                        None if index + 1 < node.handlers.len() => self.code_error(Kind::DefaultExceptLast, handler.span),
                        None => {}
                    }
                    if let Some(name) = &handler.name {
                        self.check_debug(&name.name, handler.span, "assign to");
                    }
                    self.in_blocks(finally + 1, span, |this| match node.is_star {
                        true => this.in_flow(Flow::ExceptStar, &handler.body),
                        false => this.body(&handler.body),
                    });
                }
                self.in_blocks(finally, span, |this| this.body(&node.orelse));
                let first = self.warnings.len();
                self.body(&node.finalbody);
                // Compiled for both ways into it.
                self.warnings.extend_from_within(first..);
                return;
            }
            StmtKind::Import { names } => {
                for alias in names {
                    self.alias(alias, span);
                }
            }
            StmtKind::ImportFrom { names, module, level } => {
                // `future` has checked those of the module itself.
                let is_future = *level == 0 && module.as_ref().is_some_and(|module| module.name.as_str() == "__future__");
                if is_future && (self.scopes.len() > 1 || self.nesting > 1) {
                    self.code_error(Kind::FutureNotFirst, span);
                }
                for alias in names {
                    if alias.name.name.as_str() == "*" && self.scope().kind != ScopeKind::Module {
                        self.names_error(Kind::ImportStarInside, alias.span);
                    }
                    self.alias(alias, span);
                }
            }
            StmtKind::Assert { test, .. } => self.assertion(test, span),
            StmtKind::Nonlocal { .. } if self.scope().kind == ScopeKind::Module => {
                self.names_error(Kind::NonlocalAtModule, span);
            }
            StmtKind::Break => self.jump(Kind::Outside { what: "'break'", place: "loop" }, span),
            StmtKind::Continue => self.jump(Kind::ContinueNotInLoop, span),
            _ => {}
        }
        walk::walk_stmt(self, stmt);
    }

    fn expr(&mut self, expr: &Expr) {
        let span = expr.span;
        match &expr.kind {
            ExprKind::Name(_) | ExprKind::Constant(_) => return,
            ExprKind::List { elts } | ExprKind::Tuple { elts } | ExprKind::Set { elts } => {
                return self.deep(expr, |this| this.elements(elts));
            }
            ExprKind::Starred { .. } => self.code_error(Kind::StarredHere, span),
            ExprKind::Call { func, args, keywords } => {
                self.called(func);
                return self.deep(expr, |this| {
                    this.expr(func);
                    this.elements(args);
                    this.keywords(keywords);
                });
            }
            ExprKind::Lambda { args, body } => {
                return self.deep(expr, |this| {
                    this.defaults(args);
                    this.function_body(ScopeKind::Function { is_async: false }, args, |this| this.expr(body));
                });
            }
            ExprKind::ListComp { elt, generators } => {
                return self.deep(expr, |this| this.comprehension_expr(LIST, [Some(elt), None], generators, span));
            }
            ExprKind::SetComp { elt, generators } => {
                return self.deep(expr, |this| this.comprehension_expr(SET, [Some(elt), None], generators, span));
            }
            ExprKind::GeneratorExp { elt, generators } => {
                return self.deep(expr, |this| this.comprehension_expr(GENERATOR, [Some(elt), None], generators, span));
            }
            ExprKind::DictComp { key, value, generators } => {
                return self.deep(expr, |this| this.comprehension_expr(DICT, [Some(key), Some(value)], generators, span));
            }
            ExprKind::Compare { left, ops, comparators } => self.comparison(left, ops, comparators, span),
            ExprKind::Subscript { value, slice } => self.subscribed(value, slice),
            ExprKind::NamedExpr { target, .. } => self.named_expr(target, span),
            ExprKind::Yield { .. } => self.yield_expr(false, span),
            ExprKind::YieldFrom { .. } => self.yield_expr(true, span),
            ExprKind::Await { .. } => self.await_expr(span),
            _ => {}
        }
        walk::walk_expr(self, expr);
    }

    fn target(&mut self, target: &Expr) {
        match &target.kind {
            ExprKind::Name(name) => self.check_debug(name, target.span, "assign to"),
            ExprKind::Attribute { attr, .. } => {
                self.check_debug(&attr.name, target.span, "assign to");
                self.expr(target);
            }
            ExprKind::List { elts } | ExprKind::Tuple { elts } => {
                self.deep(target, |this| this.unpacking(elts, target.span));
            }
            ExprKind::Starred { .. } => self.code_error(Kind::StarredAssignment, target.span),
            ExprKind::Subscript { .. } => walk::walk_expr(self, target),
            _ => self.expr(target),
        }
    }
}

impl Validator {
    /// A step of the walk that may be deep inside.
    fn deep(&mut self, expr: &Expr, step: impl FnOnce(&mut Self)) {
        if expr.depth().total < SHALLOW { step(self) } else { with_stack(|| step(self)) }
    }
}
