//! Definitions: functions, lambdas, generator expressions, classes, type parameters.

use super::super::scope::{AT_ALIAS, AT_BODY, AT_TYPE_PARAMS, CLASS_CELL, ScopeId};
use super::{Lowerer, Statements};
use crate::syntax::Span;
use crate::syntax::ast::*;
use crate::value::{Ref, Str, Value};
use crate::vm::code::{Code, CodeKind, Parameters};
use crate::vm::expr::display::MakeTuple;
use crate::vm::expr::function::{Decorate, MakeClass, MakeFunction};
use crate::vm::expr::name::{StoreClassName, Temp};
use crate::vm::expr::operand::Const;
use crate::vm::expr::type_params::{MakeTypeAlias, MakeTypeParam, TypeParamName};
use crate::vm::node::Tree;
use crate::vm::unowned::Unowned;

/// A body to be lowered.
pub(super) enum Body<'a> {
    Statements(&'a mut [Stmt]),
    Expression(&'a mut Expr),
    /// Of a generator expression: the clauses and the element.
    Generator(Vec<Comprehension>, Box<Expr>),
}

impl Lowerer<'_> {
    /// The code of a function, and the slots (of the frame around) of the cells that it captures.
    pub(super) fn function_code(
        &mut self,
        name: &str,
        args: &Arguments,
        body: Body<'_>,
        span: Span,
        is_async: bool,
    ) -> (Ref<Code>, Box<[u16]>) {
        let scope = self.scopes.at(span, AT_BODY);
        let positional: Vec<&Arg> = args.posonlyargs.iter().chain(&args.args).collect();
        let mut parameters: Vec<Name> = positional.iter().map(|arg| arg.arg.name.clone()).collect();
        parameters.extend(args.kwonlyargs.iter().map(|arg| arg.arg.name.clone()));
        parameters.extend(args.vararg.iter().chain(&args.kwarg).map(|arg| arg.arg.name.clone()));
        let shape = Parameters {
            names: parameters.iter().map(|name| self.name(name)).collect(),
            positional_only: args.posonlyargs.len(),
            positional: positional.len(),
            keyword_only: args.kwonlyargs.len(),
            has_args: args.vararg.is_some(),
            has_kwargs: args.kwarg.is_some(),
        };
        self.code(scope, name, parameters, shape, body, span, is_async)
    }

    /// The code of a body with its own frame.
    #[allow(clippy::too_many_arguments, reason = "the parts of a definition")]
    pub(super) fn code(
        &mut self,
        scope: ScopeId,
        name: &str,
        parameters: Vec<Name>,
        shape: Parameters,
        body: Body<'_>,
        span: Span,
        is_async: bool,
    ) -> (Ref<Code>, Box<[u16]>) {
        let free = self.scopes.all[scope].free.clone();
        let captures: Box<[u16]> = free.iter().map(|(owner, name)| self.cell_slot(*owner, name)).collect();
        let qualname = if self.qualname.is_empty() { name.to_owned() } else { format!("{}{name}", self.qualname) };
        let outer_prefix = std::mem::replace(&mut self.qualname, format!("{qualname}.<locals>."));
        let outer_scope = std::mem::replace(&mut self.scope, scope);
        let mut variables = parameters;
        let first = (!variables.is_empty()).then_some(0);
        let own: Vec<Name> = self.scopes.bound_names(scope).cloned().collect();
        variables.extend(own);
        let info = self.info(name, span);
        self.begin(scope, &variables, info);
        let of = &self.scopes.all[scope];
        let kind = match (is_async, of.has_yield) {
            (true, true) => CodeKind::AsyncGenerator,
            (true, false) => CodeKind::Coroutine,
            (false, true) => CodeKind::Generator,
            (false, false) => CodeKind::Function,
        };
        let frame = self.frame();
        frame.first = first;
        frame.suspends = kind != CodeKind::Function;
        frame.is_async_generator = kind == CodeKind::AsyncGenerator;
        let (doc, body) = match body {
            Body::Statements(statements) => {
                let doc = self.docstring(statements);
                (doc, self.function_body(statements))
            }
            Body::Expression(expr) => (Value::None, self.expression_body(expr)),
            Body::Generator(mut generators, mut element) => {
                (Value::None, self.generator_body(&mut generators, &mut element, span))
            }
        };
        let locals = variables.iter().map(|name| self.name(name)).collect();
        let code = self.finish(name, &qualname, kind, shape, locals, doc, body);
        self.qualname = outer_prefix;
        self.scope = outer_scope;
        self.frame().children.push(code.clone());
        (code, captures)
    }

    /// The body of a lambda.
    fn expression_body(&mut self, expr: &mut Expr) -> Tree {
        let mut out = Statements::new();
        let span = expr.span;
        self.return_value(Some(expr), span, &mut out);
        self.suspending_block(out)
    }

    /// The function object of a definition or lambda.
    #[allow(clippy::too_many_arguments, reason = "the parts of a definition")]
    pub(super) fn make_function(
        &mut self,
        name: &str,
        args: &mut Arguments,
        returns: Option<&mut Expr>,
        body: Body<'_>,
        span: Span,
        is_async: bool,
        type_params: Option<Tree>,
        defaults: Defaults,
    ) -> Tree {
        let annotations = self.annotations(args, returns);
        let (code, captures) = self.function_code(name, args, body, span, is_async);
        Box::new(MakeFunction {
            code: Unowned::new(&code),
            defaults: defaults.positional,
            kw_defaults: defaults.keyword_only,
            annotations,
            captures,
            type_params,
        })
    }

    /// The default values, evaluated where the function is defined.
    pub(super) fn defaults(&mut self, args: &mut Arguments, out: &mut Statements) -> Defaults {
        let has_keyword_only = args.kw_defaults.iter().any(Option::is_some);
        let mut all: Vec<&mut Expr> = args.defaults.iter_mut().chain(args.kw_defaults.iter_mut().flatten()).collect();
        self.spill_all(&mut all, out);
        let positional = args.defaults.iter_mut().map(|default| self.expr(default)).collect();
        let keyword_only = if has_keyword_only {
            args.kw_defaults.iter_mut().map(|default| default.as_mut().map(|default| self.expr(default))).collect()
        } else {
            Box::default()
        };
        Defaults { positional, keyword_only }
    }

    fn annotations(&mut self, args: &mut Arguments, returns: Option<&mut Expr>) -> Option<Box<[(Ref<Str>, Tree)]>> {
        let mut all: Vec<(Ref<Str>, Tree)> = Vec::new();
        let parts = args
            .posonlyargs
            .iter_mut()
            .chain(&mut args.args)
            .chain(&mut args.vararg)
            .chain(&mut args.kwonlyargs)
            .chain(&mut args.kwarg);
        for arg in parts {
            if let Some(annotation) = &mut arg.annotation {
                let name = self.vm.intern(&arg.arg.name);
                let value = if let ExprKind::Starred { value } = &mut annotation.kind { value } else { annotation };
                let tree = self.annotation(value);
                all.push((name, tree));
            }
        }
        if let Some(returns) = returns {
            let tree = self.annotation(returns);
            all.push((self.name("return"), tree));
        }
        (!all.is_empty()).then(|| all.into())
    }

    /// An annotation: its value, or its text under `from __future__ import annotations`.
    pub(super) fn annotation(&mut self, expr: &mut Expr) -> Tree {
        if self.future_annotations {
            let text = self.source.slice(expr.span).to_owned();
            return Box::new(Const(self.vm.str_value(&text)));
        }
        self.expr(expr)
    }

    pub(super) fn function_def(&mut self, def: &mut FunctionDef, span: Span, out: &mut Statements) {
        let mut decorators: Vec<&mut Expr> = def.decorator_list.iter_mut().collect();
        let spans: Vec<Span> = decorators.iter().map(|expr| expr.span).collect();
        self.spill_all(&mut decorators, out);
        let decorators: Vec<Tree> = def.decorator_list.iter_mut().map(|expr| self.expr(expr)).collect();
        let defaults = self.defaults(&mut def.args, out);
        let (scope, type_params) = self.begin_type_params(&mut def.type_params, span, out);
        let name = def.name.name.clone();
        let body = Body::Statements(&mut def.body);
        let mut tree =
            self.make_function(&name, &mut def.args, def.returns.as_mut(), body, span, def.is_async, type_params, defaults);
        self.scope = scope;
        for (decorator, span) in decorators.into_iter().zip(spans).rev() {
            tree = Box::new(Decorate { decorator, decorated: tree, span, place: self.at(span) });
        }
        let store = self.store_name(&name, tree, def.name.span);
        out.push((store, span));
    }

    pub(super) fn lambda(&mut self, args: &mut Arguments, body: &mut Expr, span: Span) -> Tree {
        let mut out = Statements::new();
        let defaults = self.defaults(args, &mut out);
        debug_assert!(out.is_empty(), "suspending defaults of a lambda are spilled before");
        self.make_function("<lambda>", args, None, Body::Expression(body), span, false, None, defaults)
    }

    pub(super) fn class_def(&mut self, def: &mut ClassDef, span: Span, out: &mut Statements) {
        let mut before: Vec<&mut Expr> = def.decorator_list.iter_mut().collect();
        let spans: Vec<Span> = before.iter().map(|expr| expr.span).collect();
        before.extend(def.bases.iter_mut());
        before.extend(def.keywords.iter_mut().map(|keyword| &mut keyword.value));
        self.spill_all(&mut before, out);
        let decorators: Vec<Tree> = def.decorator_list.iter_mut().map(|expr| self.expr(expr)).collect();
        let (scope, type_params) = self.begin_type_params(&mut def.type_params, span, out);
        let bases = self.elements(&mut def.bases, span);
        let keywords = self.keywords(&mut def.keywords);
        let name = def.name.name.clone();
        let (code, captures) = self.class_code(&name, &mut def.body, span);
        let mut tree: Tree = Box::new(MakeClass {
            name: self.name(&name),
            code: Unowned::new(&code),
            captures,
            bases,
            keywords,
            type_params,
            span,
            place: self.at(span),
        });
        self.scope = scope;
        for (decorator, span) in decorators.into_iter().zip(spans).rev() {
            tree = Box::new(Decorate { decorator, decorated: tree, span, place: self.at(span) });
        }
        let store = self.store_name(&name, tree, def.name.span);
        out.push((store, span));
    }

    fn class_code(&mut self, name: &Name, body: &mut [Stmt], span: Span) -> (Ref<Code>, Box<[u16]>) {
        let scope = self.scopes.at(span, AT_BODY);
        let free = self.scopes.all[scope].free.clone();
        let captures: Box<[u16]> = free.iter().map(|(owner, name)| self.cell_slot(*owner, name)).collect();
        let qualname = format!("{}{name}", self.qualname);
        let outer_prefix = std::mem::replace(&mut self.qualname, format!("{qualname}."));
        let outer_scope = std::mem::replace(&mut self.scope, scope);
        // Slot 0 is the namespace, slot 1 the cell that methods know the class by.
        let has_cell = self.scopes.all[scope].captured.iter().any(Self::is_class_cell);
        let mut variables = vec![Name::new(".namespace")];
        if has_cell {
            variables.push(Name::new(CLASS_CELL));
        }
        let info = self.info(name, span);
        self.begin(scope, &variables, info);
        let doc = self.docstring(body);
        let mut statements = Statements::new();
        self.annotations_dict(body, &mut statements);
        for statement in body.iter_mut() {
            self.statement(statement, &mut statements);
        }
        if has_cell {
            let store = StoreClassName { name: self.name("__classcell__"), value: Box::new(Temp(1)), place: self.at(span) };
            statements.push((Box::new(store), span));
        }
        let body = self.block(statements);
        let code = self.finish(name, &qualname, CodeKind::Class, Parameters::default(), vec![], doc, body);
        self.qualname = outer_prefix;
        self.scope = outer_scope;
        self.frame().children.push(code.clone());
        (code, captures)
    }

    /// Enters the scope of type parameters and emits the statements that make them. Returns the scope to go back to, and the tuple of
    /// parameters.
    fn begin_type_params(&mut self, params: &mut [TypeParam], span: Span, out: &mut Statements) -> (ScopeId, Option<Tree>) {
        let outer = self.scope;
        if params.is_empty() {
            return (outer, None);
        }
        let scope = self.scopes.at(span, AT_TYPE_PARAMS);
        self.scope = scope;
        self.inlined_variables(scope, out, span);
        for param in params.iter_mut() {
            let kind = match param.kind {
                TypeParamKind::TypeVar { .. } => TypeParamName::TypeVar,
                TypeParamKind::ParamSpec => TypeParamName::ParamSpec,
                TypeParamKind::TypeVarTuple => TypeParamName::TypeVarTuple,
            };
            let bound = match &mut param.kind {
                TypeParamKind::TypeVar { bound: Some(bound) } => Some(self.thunk(&param.name.name, bound, param.span)),
                _ => None,
            };
            let made = MakeTypeParam { kind, name: self.name(&param.name.name), bound, span: param.span };
            let store = self.store_name(&param.name.name, Box::new(made), param.span);
            out.push((store, param.span));
        }
        let items = params.iter().map(|param| self.load_name(&param.name.name, param.span)).collect();
        (outer, Some(Box::new(MakeTuple(items))))
    }

    /// A function without parameters that evaluates an expression: what is evaluated when it is first looked at.
    fn thunk(&mut self, name: &Name, expr: &mut Expr, span: Span) -> Tree {
        let scope = self.scopes.at(span, AT_ALIAS);
        let (mut names, mut shape, mut defaults) = (vec![], Parameters::default(), vec![]);
        if self.scopes.class_seen_from(scope).is_some() {
            // The namespace of the class body around, in slot 0 as there.
            let namespace = Name::new(".namespace");
            shape = Parameters { names: vec![self.name(&namespace)], positional: 1, ..Parameters::default() };
            names.push(namespace);
            defaults.push(Box::new(Temp(0)) as Tree);
        }
        let (code, captures) = self.code(scope, name, names, shape, Body::Expression(expr), span, false);
        Box::new(MakeFunction {
            code: Unowned::new(&code),
            defaults: defaults.into(),
            kw_defaults: Box::default(),
            annotations: None,
            captures,
            type_params: None,
        })
    }

    pub(super) fn type_alias(
        &mut self,
        name: &Ident,
        type_params: &mut [TypeParam],
        value: &mut Expr,
        span: Span,
        out: &mut Statements,
    ) {
        let outer = self.scope;
        let scope = self.scopes.at(span, AT_TYPE_PARAMS);
        let (_, params) = if type_params.is_empty() {
            self.scope = scope;
            (outer, None)
        } else {
            self.begin_type_params(type_params, span, out)
        };
        let value = self.thunk(&name.name, value, span);
        self.scope = outer;
        let alias = MakeTypeAlias { name: self.name(&name.name), value, type_params: params, span };
        let store = self.store_name(&name.name, Box::new(alias), name.span);
        out.push((store, span));
    }

    /// Keyword arguments.
    pub(super) fn keywords(&mut self, keywords: &mut [Keyword]) -> Box<[(Option<Ref<Str>>, Tree)]> {
        keywords
            .iter_mut()
            .map(|keyword| {
                let name = keyword.arg.as_ref().map(|ident| self.vm.intern(&ident.name));
                (name, self.expr(&mut keyword.value))
            })
            .collect()
    }
}

/// Lowered default values.
pub(super) struct Defaults {
    positional: Box<[Tree]>,
    keyword_only: Box<[Option<Tree>]>,
}
