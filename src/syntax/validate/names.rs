//! `global` and `nonlocal`: a name must not have been used before it is declared.
//!
//! Most scopes declare nothing, so nothing is collected until a declaration is found; then the uses of all names of that
//! scope are collected once.

use std::collections::{HashMap, HashSet};

use super::Validator;
use crate::syntax::ast::walk::{self, Visitor};
use crate::syntax::ast::*;
use crate::syntax::error::SyntaxErrorKind as Kind;
use crate::syntax::source::Span;

/// Checks the declarations of one scope.
pub fn declarations(validator: &mut Validator, body: &[Stmt], params: &[&Ident], module: bool) {
    let mut found = Declarations::default();
    found.body(body);
    if found.list.is_empty() {
        return;
    }
    let mut uses = Uses::default();
    uses.body(body);
    let params: HashSet<&Name> = params.iter().map(|param| &param.name).collect();
    let mut declared: HashMap<&Name, &Declaration> = HashMap::new();
    for declaration in &found.list {
        let Declaration { name, scope, span } = declaration;
        let text = || name.as_str().into();
        let before = |seen: Option<u32>| seen.is_some_and(|offset| offset < span.start);
        let seen = uses.0.get(name).copied().unwrap_or_default();
        if params.contains(name) {
            validator.names_error(Kind::ParameterAnd { name: text(), scope }, *span);
        } else if before(seen.used) {
            validator.names_error(Kind::UsedPrior { name: text(), scope }, *span);
        } else if before(seen.annotated) {
            validator.names_error(Kind::AnnotatedScope { name: text(), scope }, *span);
        } else if before(seen.assigned) {
            validator.names_error(Kind::AssignedPrior { name: text(), scope }, *span);
        } else if let (Some(offset), false) = (seen.annotated, module) {
            let span = Span { start: offset, end: uses.1.get(&offset).copied().unwrap_or(offset) };
            validator.names_error(Kind::AnnotatedScope { name: text(), scope }, span);
        }
        let first = declared.entry(name).or_insert(declaration);
        if first.scope != *scope {
            validator.names_error(Kind::NonlocalAndGlobal(text()), first.span);
        }
    }
}

struct Declaration {
    name: Name,
    /// `global` or `nonlocal`.
    scope: &'static str,
    span: Span,
}

/// Finds the declarations of a scope; expressions hold none.
#[derive(Default)]
struct Declarations {
    list: Vec<Declaration>,
}

impl Visitor for Declarations {
    fn stmt(&mut self, stmt: &Stmt) {
        let (names, scope) = match &stmt.kind {
            StmtKind::Global { names } => (names, "global"),
            StmtKind::Nonlocal { names } => (names, "nonlocal"),
            StmtKind::FunctionDef(_) | StmtKind::ClassDef(_) => return,
            StmtKind::If { .. }
            | StmtKind::For(_)
            | StmtKind::While { .. }
            | StmtKind::With(_)
            | StmtKind::Try(_)
            | StmtKind::Match { .. } => return walk::walk_stmt(self, stmt),
            _ => return,
        };
        let span = stmt.span;
        self.list.extend(names.iter().map(|ident| Declaration { name: ident.name.clone(), scope, span }));
    }

    fn expr(&mut self, _: &Expr) {}

    fn pattern(&mut self, _: &Pattern) {}
}

/// Where a name is first used in each way.
#[derive(Clone, Copy, Default)]
struct Seen {
    used: Option<u32>,
    assigned: Option<u32>,
    annotated: Option<u32>,
}

/// Every name of a scope, and where annotated assignments end.
#[derive(Default)]
struct Uses(HashMap<Name, Seen>, HashMap<u32, u32>);

impl Uses {
    fn used(&mut self, name: &Name, span: Span) {
        self.0.entry(name.clone()).or_default().used.get_or_insert(span.start);
    }

    fn assigned(&mut self, name: &Name, span: Span) {
        self.0.entry(name.clone()).or_default().assigned.get_or_insert(span.start);
    }

    fn ident(&mut self, ident: &Ident) {
        self.assigned(&ident.name, ident.span);
    }

    /// What a definition evaluates where it stands.
    fn defaults(&mut self, args: &Arguments) {
        for default in args.defaults.iter().chain(args.kw_defaults.iter().flatten()) {
            self.expr(default);
        }
    }
}

impl Visitor for Uses {
    fn stmt(&mut self, stmt: &Stmt) {
        match &stmt.kind {
            StmtKind::FunctionDef(node) => {
                node.decorator_list.iter().for_each(|expr| self.expr(expr));
                self.ident(&node.name);
                if node.type_params.is_empty() {
                    self.arguments(&node.args);
                    node.returns.iter().for_each(|expr| self.expr(expr));
                } else {
                    self.defaults(&node.args);
                }
                return;
            }
            StmtKind::ClassDef(node) => {
                node.decorator_list.iter().for_each(|expr| self.expr(expr));
                self.ident(&node.name);
                if node.type_params.is_empty() {
                    node.bases.iter().for_each(|expr| self.expr(expr));
                    node.keywords.iter().for_each(|keyword| self.expr(&keyword.value));
                }
                return;
            }
            StmtKind::TypeAlias { name, .. } => return self.ident(name),
            StmtKind::AnnAssign { target, simple: true, .. } => {
                if let ExprKind::Name(name) = &target.kind {
                    self.0.entry(name.clone()).or_default().annotated.get_or_insert(stmt.span.start);
                    self.1.insert(stmt.span.start, stmt.span.end);
                }
            }
            StmtKind::Import { names } => {
                for alias in names {
                    match &alias.asname {
                        Some(name) => self.ident(name),
                        None => {
                            let first = alias.name.name.split('.').next().unwrap_or("");
                            self.assigned(&Name::new(first), alias.name.span);
                        }
                    }
                }
            }
            StmtKind::ImportFrom { names, .. } => {
                names.iter().for_each(|alias| self.ident(alias.asname.as_ref().unwrap_or(&alias.name)));
            }
            StmtKind::Try(node) => {
                node.handlers.iter().filter_map(|handler| handler.name.as_ref()).for_each(|name| self.ident(name));
            }
            _ => {}
        }
        walk::walk_stmt(self, stmt);
    }

    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Name(name) => self.used(name, expr.span),
            ExprKind::Lambda { args, .. } => self.defaults(args),
            ExprKind::ListComp { elt, generators }
            | ExprKind::SetComp { elt, generators }
            | ExprKind::GeneratorExp { elt, generators } => {
                with_stack(|| inside_comprehension(self, generators, &[elt]));
            }
            ExprKind::DictComp { key, value, generators } => {
                with_stack(|| inside_comprehension(self, generators, &[key, value]));
            }
            _ => walk::walk_expr(self, expr),
        }
    }

    fn target(&mut self, target: &Expr) {
        match &target.kind {
            ExprKind::Name(name) => self.assigned(name, target.span),
            ExprKind::List { elts } | ExprKind::Tuple { elts } => elts.iter().for_each(|elt| self.target(elt)),
            ExprKind::Starred { value } => self.target(value),
            _ => self.expr(target),
        }
    }

    fn pattern(&mut self, pattern: &Pattern) {
        match &pattern.kind {
            PatternKind::MatchStar { name: Some(name) }
            | PatternKind::MatchAs { name: Some(name), .. }
            | PatternKind::MatchMapping { rest: Some(name), .. } => self.ident(name),
            _ => {}
        }
        walk::walk_pattern(self, pattern);
    }
}

/// Of a comprehension only the first iterable belongs to the scope around, and what `:=` assigns.
fn inside_comprehension(uses: &mut Uses, generators: &[Comprehension], elements: &[&Expr]) {
    let Some((first, rest)) = generators.split_first() else { return };
    uses.expr(&first.iter);
    let mut walruses = Walruses(uses);
    first.ifs.iter().for_each(|test| walruses.expr(test));
    rest.iter().for_each(|part| walruses.comprehension(part));
    elements.iter().for_each(|element| walruses.expr(element));
}

/// Collects the targets of `:=` inside comprehensions.
struct Walruses<'u>(&'u mut Uses);

impl Visitor for Walruses<'_> {
    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Name(_) | ExprKind::Constant(_) | ExprKind::Lambda { .. } => return,
            ExprKind::NamedExpr { target, .. } => self.0.target(target),
            _ => {}
        }
        walk::walk_expr(self, expr);
    }
}
