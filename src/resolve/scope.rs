//! Scopes: which names a body binds and uses, and what each use means.
//!
//! Every scope of a module is found in one walk. Comprehensions and type parameters are scopes without a frame of their own: their
//! variables get slots in the frame around them (PEP 709), and only functions inside capture them. A variable used in another frame
//! than its own is captured: it lives in a cell, which every frame between passes on.

use std::collections::HashMap;

use crate::syntax::ast::*;
use crate::syntax::{Span, SyntaxError, SyntaxErrorKind};

/// The number of a scope.
pub type ScopeId = usize;

/// What a scope belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ScopeKind {
    Module,
    Class,
    Function,
    /// A generator expression: a function of its own.
    Generator,
    /// A comprehension that runs in the frame around it.
    Comprehension,
    /// The type parameters of a definition, likewise. What stands in them sees the class body around.
    TypeParams,
    /// The bound of a type parameter or the value of a type alias: a function of its own, called when somebody asks. It sees the
    /// class body around.
    Lazy,
}

/// What a body does with a name.
#[derive(Clone, Copy, Default, Debug)]
struct Use {
    bound: bool,
    parameter: bool,
    global: bool,
    nonlocal: bool,
    used: bool,
}

/// One scope.
pub struct Scope {
    pub kind: ScopeKind,
    pub parent: Option<ScopeId>,
    names: HashMap<Name, Use>,
    /// Names in the order in which they first appear.
    pub order: Vec<Name>,
    /// Own variables that functions inside use.
    pub captured: Vec<Name>,
    /// Variables of outer frames that this frame uses or passes on; only of scopes that have a frame.
    pub free: Vec<(ScopeId, Name)>,
    /// Whether it holds an assignment expression, so that locals may change while an expression is evaluated.
    pub has_walrus: bool,
    pub has_yield: bool,
    pub has_await: bool,
    /// A `try` or `with` stands in the body.
    pub has_cleanup: bool,
}

/// What a name means in a scope.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Meaning {
    /// A variable of this scope (whose frame may be the current one or an outer one).
    Variable(ScopeId),
    Global,
    /// An entry of the class body's namespace, if it is there; else what the name means outside.
    ClassEntry,
}

/// All scopes of a module. Scopes of definitions and comprehensions are found by the place in the source.
pub struct Scopes {
    pub all: Vec<Scope>,
    places: HashMap<(u32, u32, u8), ScopeId>,
}

/// Kinds of places: one syntax node may have two scopes.
pub const AT_BODY: u8 = 0;
pub const AT_TYPE_PARAMS: u8 = 1;
pub const AT_COMPREHENSION: u8 = 2;
pub const AT_ALIAS: u8 = 3;

/// The name of the class cell.
pub const CLASS_CELL: &str = "__class__";

impl Scopes {
    /// Analyses a module.
    pub fn analyse(module: &Module) -> Result<Scopes, SyntaxError> {
        let mut scopes = Scopes { all: Vec::new(), places: HashMap::new() };
        let top = scopes.push(ScopeKind::Module, None);
        let mut walk = Walk { scopes, current: top, nonlocals: Vec::new(), refused: None };
        walk.body(&module.body);
        if let Some(error) = walk.refused {
            return Err(error);
        }
        let mut scopes = walk.scopes;
        for (scope, name, span) in walk.nonlocals {
            let kind = match scopes.outer(scope, &name) {
                Meaning::Global => SyntaxErrorKind::NoBinding(name.as_str().into()),
                Meaning::Variable(owner) if scopes.all[owner].kind == ScopeKind::TypeParams => {
                    SyntaxErrorKind::NonlocalTypeParam(name.as_str().into())
                }
                _ => continue,
            };
            return Err(SyntaxError::new(kind, span));
        }
        scopes.bind_captures();
        Ok(scopes)
    }

    fn push(&mut self, kind: ScopeKind, parent: Option<ScopeId>) -> ScopeId {
        self.all.push(Scope {
            kind,
            parent,
            names: HashMap::new(),
            order: Vec::new(),
            captured: Vec::new(),
            free: Vec::new(),
            has_walrus: false,
            has_yield: false,
            has_await: false,
            has_cleanup: false,
        });
        self.all.len() - 1
    }

    /// The scope that begins at a place.
    pub fn at(&self, span: Span, kind: u8) -> ScopeId {
        self.places[&(span.start, span.end, kind)]
    }

    /// The scope whose frame runs `scope`.
    pub fn frame_of(&self, mut scope: ScopeId) -> ScopeId {
        while matches!(self.all[scope].kind, ScopeKind::Comprehension | ScopeKind::TypeParams) {
            scope = self.all[scope].parent.expect("not the module");
        }
        scope
    }

    /// What `name` means in `scope`.
    pub fn meaning(&self, scope: ScopeId, name: &Name) -> Meaning {
        let uses = self.all[scope].names.get(name).copied().unwrap_or_default();
        if uses.global {
            return Meaning::Global;
        }
        if self.all[scope].kind == ScopeKind::Class {
            if uses.bound && !uses.nonlocal {
                return Meaning::ClassEntry;
            }
            // A free name of a class body may still be an entry, put there by a metaclass: looked up there first.
            return if uses.nonlocal { self.outer(scope, name) } else { Meaning::ClassEntry };
        }
        if uses.bound && !uses.nonlocal {
            return if self.all[scope].kind == ScopeKind::Module { Meaning::Global } else { Meaning::Variable(scope) };
        }
        if let (ScopeKind::TypeParams | ScopeKind::Lazy, Some(parent)) = (self.all[scope].kind, self.all[scope].parent)
            && self.class_seen_from(scope).is_some()
            && !uses.nonlocal
        {
            return self.meaning(parent, name);
        }
        self.outer(scope, name)
    }

    /// The class body whose names an annotation scope sees: that directly around it.
    pub fn class_seen_from(&self, scope: ScopeId) -> Option<ScopeId> {
        let mut at = scope;
        while matches!(self.all[at].kind, ScopeKind::TypeParams | ScopeKind::Lazy) {
            at = self.all[at].parent?;
        }
        (at != scope && self.all[at].kind == ScopeKind::Class).then_some(at)
    }

    /// What `name` means in the scopes around `scope`, passing over class bodies (but not over their `__class__`).
    pub fn outer(&self, scope: ScopeId, name: &Name) -> Meaning {
        let mut at = self.all[scope].parent;
        while let Some(id) = at {
            let outer = &self.all[id];
            match outer.kind {
                ScopeKind::Module => return Meaning::Global,
                ScopeKind::Class => {
                    if name.as_str() == CLASS_CELL {
                        return Meaning::Variable(id);
                    }
                }
                _ => {
                    if let Some(uses) = outer.names.get(name) {
                        if uses.global {
                            return Meaning::Global;
                        }
                        if uses.bound && !uses.nonlocal {
                            return Meaning::Variable(id);
                        }
                    }
                }
            }
            at = outer.parent;
        }
        Meaning::Global
    }

    /// Whether the variable of `owner` is captured.
    pub fn is_captured(&self, owner: ScopeId, name: &Name) -> bool {
        self.all[owner].captured.contains(name)
    }

    /// The names that a function scope binds, parameters not counted, in order of appearance.
    pub fn bound_names(&self, scope: ScopeId) -> impl Iterator<Item = &Name> {
        let scope = &self.all[scope];
        scope.order.iter().filter(|name| {
            let uses = scope.names[*name];
            uses.bound && !uses.parameter && !uses.global && !uses.nonlocal
        })
    }

    fn bind_captures(&mut self) {
        let mut found: Vec<(ScopeId, ScopeId, Name)> = Vec::new();
        for (id, scope) in self.all.iter().enumerate() {
            for name in &scope.order {
                let mut meaning = self.meaning(id, name);
                if meaning == Meaning::ClassEntry && !scope.names[name].bound {
                    meaning = self.outer(id, name);
                }
                if let Meaning::Variable(owner) = meaning {
                    found.push((id, owner, name.clone()));
                }
            }
        }
        for (user, owner, name) in found {
            let home = self.frame_of(owner);
            let mut frame = self.frame_of(user);
            if frame == home {
                continue;
            }
            if !self.all[owner].captured.contains(&name) {
                self.all[owner].captured.push(name.clone());
            }
            while frame != home {
                let entry = (owner, name.clone());
                if !self.all[frame].free.contains(&entry) {
                    self.all[frame].free.push(entry);
                }
                let parent = self.all[frame].parent.expect("the owner is further out");
                frame = self.frame_of(parent);
            }
        }
    }
}

struct Walk {
    scopes: Scopes,
    current: ScopeId,
    nonlocals: Vec<(ScopeId, Name, Span)>,
    /// The first thing that is not allowed where it stands.
    refused: Option<SyntaxError>,
}

impl Walk {
    fn scope(&mut self) -> &mut Scope {
        &mut self.scopes.all[self.current]
    }

    fn note(&mut self, scope: ScopeId, name: &Name, change: impl FnOnce(&mut Use)) {
        let scope = &mut self.scopes.all[scope];
        let uses = scope.names.entry(name.clone()).or_insert_with(|| {
            scope.order.push(name.clone());
            Use::default()
        });
        change(uses);
    }

    fn bind(&mut self, name: &Name) {
        self.note(self.current, name, |uses| uses.bound = true);
    }

    fn used(&mut self, name: &Name) {
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

    fn enter(&mut self, kind: ScopeKind, span: Span, place: u8) -> ScopeId {
        let id = self.scopes.push(kind, Some(self.current));
        self.scopes.places.insert((span.start, span.end, place), id);
        std::mem::replace(&mut self.current, id)
    }

    fn body(&mut self, body: &[Stmt]) {
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
    fn refuse_in_class_annotation(&mut self, what: &'static str, span: Span) {
        if self.scopes.class_seen_from(self.current).is_some() {
            self.refused.get_or_insert_with(|| SyntaxError::new(SyntaxErrorKind::InnerScopeInClassAnnotation(what), span));
        }
    }

    fn scope_of_frame(&mut self) -> &mut Scope {
        let frame = self.scopes.frame_of(self.current);
        &mut self.scopes.all[frame]
    }

    fn suspends(&mut self) {
        self.scope_of_frame().has_await = true;
    }

    fn optional(&mut self, expr: &Option<Box<Expr>>) {
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

    fn defaults(&mut self, args: &Arguments) {
        args.defaults.iter().for_each(|default| self.expr(default));
        args.kw_defaults.iter().flatten().for_each(|default| self.expr(default));
    }

    fn parameters(&mut self, args: &Arguments) {
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

    fn target(&mut self, target: &Expr) {
        match &target.kind {
            ExprKind::Name(name) => self.bind(name),
            ExprKind::Starred { value } => self.target(value),
            ExprKind::Tuple { elts } | ExprKind::List { elts } => elts.iter().for_each(|elt| self.target(elt)),
            _ => self.expr(target),
        }
    }

    fn expr(&mut self, expr: &Expr) {
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
