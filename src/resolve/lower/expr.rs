//! Expressions that do not suspend.

use std::marker::PhantomData;

use super::{Lowerer, Place, Statements};
use crate::syntax::Span;
use crate::syntax::ast::*;
use crate::value::{Complex, Value};
use crate::vm::cache::{Cache, Method};
use crate::vm::enter::CallSite;
use crate::vm::expr::arithmetic::{self, Binary, Unary};
use crate::vm::expr::attribute::Attribute;
use crate::vm::expr::call::{Call, CallMethod, ClassCache, NativeCache};
use crate::vm::expr::call_any::{CallAny, CallKeywords, Callee};
use crate::vm::expr::compare::{self, And, Chain, Compare, Conditional, In, Is, IsNone, Not, Or};
use crate::vm::expr::display::{Display, DisplayKind, Element, Joined, MakeDict, MakeList, MakeTuple, Piece, Spec};
use crate::vm::expr::name::{Captured, ClassName, Global, Temp, Walrus};
use crate::vm::expr::operand::{self, Child, Const, Local, LocalField};
use crate::vm::expr::scope::{ScopeFunction, ScopeQuestion};
use crate::vm::expr::subscript::{MakeSlice, Subscript};
use crate::vm::expr::super_::{CallSuperMethod, SuperCache, SuperWithoutArguments};
use crate::vm::node::Tree;
use crate::vm::unowned::Unowned;
use crate::vm::warning::Invert;

/// A lowered operand, by kind.
pub(super) enum Operand {
    Local(Local),
    Const(Const),
    Child(Child),
}

impl Operand {
    pub(super) fn into_tree(self) -> Tree {
        match self {
            Operand::Local(local) => Box::new(local),
            Operand::Const(constant) => Box::new(constant),
            Operand::Child(child) => child.0,
        }
    }
}

/// Evaluates the body with the operand bound at its own type.
macro_rules! with_operand {
    ($a:expr, |$x:ident| $body:expr) => {
        match $a {
            Operand::Local($x) => $body,
            Operand::Const($x) => $body,
            Operand::Child($x) => $body,
        }
    };
}

/// The same for two operands.
macro_rules! with_operands {
    ($a:expr, $b:expr, |$x:ident, $y:ident| $body:expr) => {
        match ($a, $b) {
            (Operand::Local($x), Operand::Local($y)) => $body,
            (Operand::Local($x), Operand::Const($y)) => $body,
            (Operand::Local($x), Operand::Child($y)) => $body,
            (Operand::Const($x), Operand::Local($y)) => $body,
            (Operand::Const($x), Operand::Const($y)) => $body,
            (Operand::Const($x), Operand::Child($y)) => $body,
            (Operand::Child($x), Operand::Local($y)) => $body,
            (Operand::Child($x), Operand::Const($y)) => $body,
            (Operand::Child($x), Operand::Child($y)) => $body,
        }
    };
}

pub(super) use {with_operand, with_operands};

impl Lowerer<'_> {
    /// An expression as a tree.
    pub(super) fn expr(&mut self, expr: &mut Expr) -> Tree {
        if !self.step() {
            return Box::new(Const(Value::None));
        }
        if expr.depth().total > SHALLOW {
            let deep = expr.depth().total.is_multiple_of(32);
            let tree = with_stack(|| self.expr_here(expr));
            // Deep trees are evaluated with an eye on the native stack.
            return if deep { Box::new(crate::vm::expr::scope::Deep(tree)) } else { tree };
        }
        self.expr_here(expr)
    }

    /// An expression as an operand.
    pub(super) fn operand(&mut self, expr: &mut Expr) -> Operand {
        match &expr.kind {
            ExprKind::Constant(constant) => Operand::Const(Const(self.constant(constant))),
            ExprKind::Name(name) if !name.starts_with('.') && !self.frame().has_walrus => {
                let name = name.clone();
                match self.place(&name) {
                    Place::Local(slot) => Operand::Local(Local { slot, name: self.name(&name), span: expr.span }),
                    _ => Operand::Child(Child(self.expr(expr))),
                }
            }
            _ => Operand::Child(Child(self.expr(expr))),
        }
    }

    /// An operand of arithmetic: an attribute of a local variable is one of its own kind.
    fn field_operand(&mut self, expr: &mut Expr) -> Result<LocalField, Operand> {
        if let ExprKind::Attribute { value, attr } = &mut expr.kind {
            let name = self.name(&attr.name);
            return match self.operand(value) {
                Operand::Local(local) => {
                    let cache = Cache::new(crate::vm::cache::Load::Field(0));
                    Ok(LocalField { local, name, span: expr.span, cache })
                }
                other => Err(with_operand!(other, |object| {
                    Operand::Child(Child(Box::new(Attribute::new(object, name, expr.span))))
                })),
            };
        }
        Err(self.operand(expr))
    }

    pub(super) fn constant(&mut self, constant: &Constant) -> Value {
        match constant {
            Constant::None => Value::None,
            Constant::True => Value::TRUE,
            Constant::False => Value::FALSE,
            Constant::Ellipsis => Value::Ellipsis,
            Constant::Int(i) => Value::Int(*i),
            Constant::BigInt(big) => self.vm.heap.int((**big).clone()),
            Constant::Float(f) => Value::float(*f),
            Constant::Complex(imag) => Value::from(self.vm.heap.complex(Complex::new(0.0, *imag))),
            Constant::Str(text) => {
                // Text that looks like a name is shared with names, as attribute and key lookups like it.
                let is_name = text.len() <= 32 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
                if is_name { Value::from(self.vm.intern(text)) } else { self.vm.str_value(text) }
            }
            Constant::Bytes(bytes) => Value::from(self.vm.heap.bytes_object(bytes.to_vec())),
        }
    }

    /// The value of a name.
    pub(super) fn load_name(&mut self, name: &Name, span: Span) -> Tree {
        let place = self.place(name);
        self.load_place(place, name, span)
    }

    fn load_place(&mut self, place: Place, name: &Name, span: Span) -> Tree {
        let globals = self.globals_of_code();
        match place {
            Place::Local(slot) => Box::new(Local { slot, name: self.name(name), span }),
            Place::Cell { slot, is_free } => Box::new(Captured { slot, name: self.name(name), is_free, span }),
            Place::Global => Box::new(Global::new(globals, self.name(name), span)),
            Place::Class(outside) => {
                let outside = self.load_place(*outside, name, span);
                Box::new(ClassName { name: self.name(name), outside })
            }
        }
    }

    fn expr_here(&mut self, expr: &mut Expr) -> Tree {
        let span = expr.span;
        match &mut expr.kind {
            ExprKind::Constant(constant) => Box::new(Const(self.constant(constant))),
            ExprKind::Name(name) => {
                let name = name.clone();
                if let Some(slot) = name.strip_prefix(".k").and_then(|slot| slot.parse().ok()) {
                    return Box::new(Temp(slot));
                }
                if let Some(tree) = Self::hidden_name(&name) {
                    return tree;
                }
                self.load_name(&name, span)
            }
            ExprKind::BoolOp { op, values } => {
                let values: Box<[Tree]> = values.iter_mut().map(|value| self.expr(value)).collect();
                match op {
                    BoolOp::And => Box::new(And(values)),
                    BoolOp::Or => Box::new(Or(values)),
                }
            }
            ExprKind::NamedExpr { target, value } => {
                let ExprKind::Name(name) = &target.kind else { unreachable!("the parser accepts only names") };
                let name = name.clone();
                let value = self.expr(value);
                let temp = self.temp();
                let scope = self.scope;
                // In a comprehension the name belongs to what is around it.
                while self.scopes.all[self.scope].kind == super::ScopeKind::Comprehension {
                    self.scope = self.scopes.all[self.scope].parent.expect("a comprehension is in something");
                }
                let store = self.store_name(&name, Box::new(crate::vm::expr::name::TakeTemp(temp)), span);
                self.scope = scope;
                Box::new(Walrus { store, temp, value })
            }
            ExprKind::BinOp { left, op, right } => {
                let op = *op;
                let a = self.field_operand(left);
                let b = self.field_operand(right);
                match (a, b) {
                    (Ok(a), Ok(b)) if is_common(op) => common(op, a, b, span),
                    (Ok(a), Err(b)) if is_common(op) => with_operand!(b, |b| common(op, a, b, span)),
                    (Err(a), Ok(b)) if is_common(op) => with_operand!(a, |a| common(op, a, b, span)),
                    (a, b) => {
                        let plain = |part: Result<LocalField, Operand>| {
                            part.map_or_else(|plain| plain, |field| Operand::Child(Child(Box::new(Attribute::from(field)))))
                        };
                        with_operands!(plain(a), plain(b), |a, b| binary(op, a, b, span))
                    }
                }
            }
            ExprKind::UnaryOp { op: UnaryOp::Not, operand } => Box::new(Not(self.expr(operand))),
            ExprKind::UnaryOp { op, operand } => {
                match (&*op, &operand.kind) {
                    (UnaryOp::USub, ExprKind::Constant(Constant::Int(i))) if *i != i64::MIN => {
                        return Box::new(Const(Value::Int(-i)));
                    }
                    (UnaryOp::USub, ExprKind::Constant(Constant::Float(f))) => return Box::new(Const(Value::float(-f))),
                    _ => {}
                }
                if *op == UnaryOp::Invert && !is_constant(operand) {
                    return Box::new(Invert { a: self.expr(operand), span, place: self.at(span) });
                }
                Box::new(Unary { op: *op, a: self.expr(operand), span })
            }
            ExprKind::Lambda { args, body } => self.lambda(args, body, span),
            ExprKind::IfExp { test, body, orelse } => {
                let test = self.expr(test);
                let then = self.expr(body);
                Box::new(Conditional { test, then, otherwise: self.expr(orelse) })
            }
            ExprKind::Dict { items } => {
                let items = items
                    .iter_mut()
                    .map(|item| {
                        let key = item.key.as_mut().map(|key| self.expr(key));
                        (key, self.expr(&mut item.value))
                    })
                    .collect();
                Box::new(MakeDict { items, span })
            }
            ExprKind::Set { elts } => {
                let is_constant = elts.len() > 2 && elts.iter().all(is_constant);
                let kind = if is_constant { DisplayKind::ConstantSet } else { DisplayKind::Set };
                let elements = self.elements(elts, span);
                Box::new(Display { kind, elements, span })
            }
            ExprKind::ListComp { .. } | ExprKind::SetComp { .. } | ExprKind::DictComp { .. } => self.comprehension(expr),
            ExprKind::GeneratorExp { .. } => self.generator_expression(expr),
            ExprKind::Await { .. } | ExprKind::Yield { .. } | ExprKind::YieldFrom { .. } => {
                // Every suspension point is spilled before the expression around it is lowered.
                let mut out = Statements::new();
                let tree = self.spilled(expr, &mut out);
                debug_assert!(false, "a suspension point was not spilled");
                tree
            }
            ExprKind::Compare { left, ops, comparators } => self.compare(left, ops, comparators, span),
            ExprKind::Call { func, args, keywords } => self.call(func, args, keywords, span),
            ExprKind::FormattedValue { .. } => {
                let piece = self.piece(expr);
                Box::new(Joined(Box::new([piece])))
            }
            ExprKind::JoinedStr { values } => {
                let pieces: Box<[Piece]> = values.iter_mut().map(|value| self.piece(value)).collect();
                Box::new(Joined(pieces))
            }
            ExprKind::Attribute { value, attr } => {
                let name = self.name(&attr.name);
                let object = self.operand(value);
                with_operand!(object, |object| Box::new(Attribute::new(object, name, span)) as Tree)
            }
            ExprKind::Subscript { value, slice } => {
                let object = self.operand(value);
                let key = self.operand(slice);
                with_operands!(object, key, |object, key| Box::new(Subscript { object, key, span }) as Tree)
            }
            ExprKind::Starred { value } => self.expr(value),
            ExprKind::List { elts } => {
                if elts.iter().any(|elt| matches!(elt.kind, ExprKind::Starred { .. })) {
                    let elements = self.elements(elts, span);
                    return Box::new(Display { kind: DisplayKind::List, elements, span });
                }
                Box::new(MakeList(elts.iter_mut().map(|elt| self.expr(elt)).collect()))
            }
            ExprKind::Tuple { elts } => {
                if elts.iter().any(|elt| matches!(elt.kind, ExprKind::Starred { .. })) {
                    let elements = self.elements(elts, span);
                    return Box::new(Display { kind: DisplayKind::Tuple, elements, span });
                }
                if let Some(value) = self.constant_tuple(elts) {
                    return Box::new(Const(value));
                }
                Box::new(MakeTuple(elts.iter_mut().map(|elt| self.expr(elt)).collect()))
            }
            ExprKind::Slice { lower, upper, step } => {
                let mut part = |part: &mut Option<Box<Expr>>| part.as_mut().map(|part| self.expr(part));
                let (start, stop, step) = (part(lower), part(upper), part(step));
                Box::new(MakeSlice { start, stop, step })
            }
        }
    }

    /// A tuple of constants is a constant.
    fn constant_tuple(&mut self, elts: &[Expr]) -> Option<Value> {
        let mut items = Vec::with_capacity(elts.len());
        for elt in elts {
            match &elt.kind {
                ExprKind::Constant(constant) => items.push(self.constant(constant)),
                ExprKind::Tuple { elts } => items.push(self.constant_tuple(elts)?),
                _ => return None,
            }
        }
        Some(Value::from(self.vm.heap.tuple(items)))
    }

    pub(super) fn elements(&mut self, elts: &mut [Expr], span: Span) -> Box<[Element]> {
        elts.iter_mut()
            .map(|elt| match &mut elt.kind {
                ExprKind::Starred { value } => Element::Star(self.expr(value), span),
                _ => Element::One(self.expr(elt)),
            })
            .collect()
    }

    fn piece(&mut self, expr: &mut Expr) -> Piece {
        let span = expr.span;
        match &mut expr.kind {
            ExprKind::Constant(Constant::Str(text)) => Piece::Text((&**text).into()),
            ExprKind::FormattedValue { value, conversion, format_spec } => {
                let value = self.expr(value);
                let spec = match format_spec {
                    None => Spec::None,
                    Some(spec) => match &mut spec.kind {
                        ExprKind::JoinedStr { values } if values.is_empty() => Spec::None,
                        ExprKind::JoinedStr { values } if values.len() == 1 => match &values[0].kind {
                            ExprKind::Constant(Constant::Str(text)) => Spec::Text((&**text).into()),
                            _ => Spec::Computed(self.expr(spec)),
                        },
                        ExprKind::Constant(Constant::Str(text)) => Spec::Text((&**text).into()),
                        _ => Spec::Computed(self.expr(spec)),
                    },
                };
                Piece::Field { value, conversion: *conversion, spec, span }
            }
            _ => Piece::Field { value: self.expr(expr), conversion: None, spec: Spec::None, span },
        }
    }

    fn compare(&mut self, left: &mut Expr, ops: &[CmpOp], comparators: &mut [Expr], span: Span) -> Tree {
        if let ([op], [right]) = (ops, &mut *comparators) {
            let negated = matches!(op, CmpOp::IsNot | CmpOp::NotIn);
            match op {
                CmpOp::Is | CmpOp::IsNot => {
                    if matches!(right.kind, ExprKind::Constant(Constant::None)) {
                        let a = self.operand(left);
                        return with_operand!(a, |a| Box::new(IsNone { a, negated }) as Tree);
                    }
                    let a = self.expr(left);
                    return Box::new(Is { a, b: self.expr(right), negated });
                }
                CmpOp::In | CmpOp::NotIn => {
                    let a = self.operand(left);
                    let b = self.operand(right);
                    return with_operands!(a, b, |a, b| Box::new(In { a, b, negated, span }) as Tree);
                }
                _ => {}
            }
            let a = self.operand(left);
            let b = self.operand(right);
            return with_operands!(a, b, |a, b| comparison(*op, a, b, span));
        }
        let first = self.expr(left);
        let rest = ops.iter().copied().zip(comparators.iter_mut().map(|comparator| self.expr(comparator))).collect();
        Box::new(Chain { first, rest, span })
    }

    fn call(&mut self, func: &mut Expr, args: &mut [Expr], keywords: &mut [Keyword], span: Span) -> Tree {
        let plain = keywords.is_empty() && args.iter().all(|arg| !matches!(arg.kind, ExprKind::Starred { .. }));
        if let ExprKind::Name(name) = &func.kind
            && plain
            && args.is_empty()
        {
            let name = name.clone();
            if name.as_str() == "super" {
                return Box::new(self.super_call(&name, func.span, span));
            }
            if let Some(question) = ScopeQuestion::named(&name) {
                return self.scope_call(question, &name, func.span, span, Box::default());
            }
        }
        if let ExprKind::Name(name) = &func.kind
            && plain
            && (name.as_str() == "eval" || name.as_str() == "exec")
        {
            let name = name.clone();
            let question = if name.as_str() == "eval" { ScopeQuestion::Eval } else { ScopeQuestion::Exec };
            let args = args.iter_mut().map(|arg| self.expr(arg)).collect();
            return self.scope_call(question, &name, func.span, span, args);
        }
        if let ExprKind::Attribute { value, attr } = &mut func.kind {
            let name = self.name(&attr.name);
            let attribute_span = func.span;
            if plain {
                if let ExprKind::Call { func: inner, args: none, keywords: no_keywords } = &value.kind
                    && none.is_empty()
                    && no_keywords.is_empty()
                    && let ExprKind::Name(callee) = &inner.kind
                    && callee.as_str() == "super"
                {
                    let callee = callee.clone();
                    let sup = self.super_call(&callee, inner.span, value.span);
                    let site = self.call_site(args, span);
                    return Box::new(CallSuperMethod { sup, name, site, cache: SuperCache::default() });
                }
                let object = self.operand(value);
                let site = self.call_site(args, span);
                let cache = Cache::new(Method::Bound(Unowned::none()));
                return with_operand!(object, |object| {
                    let (native, class) = (NativeCache::new(), ClassCache::default());
                    Box::new(CallMethod { object, name, site, attribute_span, cache, native, class }) as Tree
                });
            }
            let object = self.expr(value);
            return self.call_any(Callee::Method { object, name, span: attribute_span }, args, keywords, span);
        }
        if plain {
            if let ExprKind::Name(name) = &func.kind
                && Self::hidden_name(name).is_none()
                && let Place::Global = self.place(name)
            {
                let callee = Global::new(self.globals_of_code(), self.name(name), func.span);
                return Box::new(Call { callee, site: self.call_site(args, span) });
            }
            let callee = Child(self.expr(func));
            return Box::new(Call { callee, site: self.call_site(args, span) });
        }
        let callee = self.expr(func);
        self.call_any(Callee::Value(callee), args, keywords, span)
    }

    /// A call with keywords or stars.
    fn call_any(&mut self, callee: Callee, args: &mut [Expr], keywords: &mut [Keyword], span: Span) -> Tree {
        let has_stars = args.iter().any(|arg| matches!(arg.kind, ExprKind::Starred { .. }));
        if has_stars || keywords.iter().any(|keyword| keyword.arg.is_none()) {
            let args = self.elements(args, span);
            let keywords = self.keywords(keywords);
            let place = self.at(span);
            return Box::new(CallAny { callee, args, keywords, span, place });
        }
        let site = self.call_site(args, span);
        let keywords = self.keywords(keywords);
        Box::new(CallKeywords { callee, site, keywords })
    }

    fn call_site(&mut self, args: &mut [Expr], span: Span) -> CallSite {
        CallSite { args: args.iter_mut().map(|arg| self.expr(arg)).collect(), span, place: self.at(span) }
    }

    fn super_call(&mut self, name: &Name, name_span: Span, span: Span) -> SuperWithoutArguments {
        let callee = self.load_name(name, name_span);
        let class = match self.place(&Name::new(super::CLASS_CELL)) {
            Place::Cell { slot, .. } => Some(slot),
            _ => None,
        };
        let frame = self.frame();
        let this = frame.first;
        let scope = frame.scope;
        let is_cell = this.is_some() && {
            let first = self.frame().slots.iter().find(|(_, slot)| **slot == 0).map(|((owner, name), _)| (*owner, name.clone()));
            first.is_some_and(|(owner, name)| owner == scope && self.scopes.is_captured(owner, &name))
        };
        SuperWithoutArguments { class, this: this.map(|slot| (slot, is_cell)), callee, span }
    }

    /// `locals()`, `globals()`, `vars()`, `dir()`, `eval(...)`, `exec(...)`: built-in functions that look at the running frame.
    /// Whether a scope is the current one, or one around it in the same frame.
    fn is_around(&self, scope: super::ScopeId) -> bool {
        let mut at = Some(self.scope);
        while let Some(id) = at {
            if id == scope {
                return true;
            }
            at = match self.scopes.all[id].kind {
                super::ScopeKind::Comprehension | super::ScopeKind::TypeParams => self.scopes.all[id].parent,
                _ => None,
            };
        }
        false
    }

    fn scope_call(&mut self, question: ScopeQuestion, name: &Name, name_span: Span, span: Span, args: Box<[Tree]>) -> Tree {
        let callee = self.load_name(name, name_span);
        let mut locals = Vec::new();
        let in_namespace = self.scopes.all[self.scope].kind == super::ScopeKind::Class;
        let frame_scope = self.frame().scope;
        let is_module = self.scopes.all[frame_scope].kind == super::ScopeKind::Module;
        if !in_namespace && !is_module {
            let slots: Vec<(Name, super::ScopeId)> =
                self.frame().slots.keys().map(|(owner, name)| (name.clone(), *owner)).collect();
            let free = self.frame().free.clone();
            let mut all: Vec<(u16, Name, bool)> = Vec::new();
            for (name, owner) in slots {
                // Those of comprehensions that are not around the call are out of sight.
                if self.is_around(owner) && !name.starts_with('.') {
                    match self.variable(owner, &name) {
                        Place::Local(slot) => all.push((slot, name, false)),
                        Place::Cell { slot, .. } => all.push((slot, name, true)),
                        _ => {}
                    }
                }
            }
            for (owner, name) in free {
                if let Place::Cell { slot, .. } = self.variable(owner, &name)
                    && name.as_str() != super::CLASS_CELL
                {
                    all.push((slot, name, true));
                }
            }
            // An inner variable comes later and hides an outer one.
            all.sort_by_key(|entry| entry.0);
            locals = all.into_iter().map(|(slot, name, is_cell)| (self.name(&name), slot, is_cell)).collect();
        }
        let globals = self.globals_of_code();
        Box::new(ScopeFunction { question, callee, args, globals, in_namespace, is_module, locals: locals.into(), span })
    }
}

/// Whether CPython's compiler knows the value.
fn is_constant(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Constant(_) => true,
        ExprKind::UnaryOp { op: UnaryOp::USub | UnaryOp::UAdd | UnaryOp::Invert, operand } => is_constant(operand),
        ExprKind::Tuple { elts } => elts.iter().all(is_constant),
        _ => false,
    }
}

/// The operators whose fields are operands of their own kind.
fn is_common(op: Operator) -> bool {
    matches!(op, Operator::Add | Operator::Sub | Operator::Mult)
}

fn common<A: operand::Operand, B: operand::Operand>(op: Operator, a: A, b: B, span: Span) -> Tree {
    match op {
        Operator::Add => Box::new(Binary::<arithmetic::Add, A, B> { a, b, span, op: PhantomData }),
        Operator::Sub => Box::new(Binary::<arithmetic::Sub, A, B> { a, b, span, op: PhantomData }),
        _ => Box::new(Binary::<arithmetic::Mult, A, B> { a, b, span, op: PhantomData }),
    }
}

fn binary<A: operand::Operand, B: operand::Operand>(op: Operator, a: A, b: B, span: Span) -> Tree {
    macro_rules! by_operator {
        ($($name:ident)*) => {
            match op {
                $(Operator::$name => Box::new(Binary::<arithmetic::$name, A, B> { a, b, span, op: PhantomData }),)*
            }
        };
    }
    by_operator!(Add Sub Mult Div FloorDiv Mod Pow MatMult BitAnd BitOr BitXor LShift RShift)
}

fn comparison<A: operand::Operand, B: operand::Operand>(op: CmpOp, a: A, b: B, span: Span) -> Tree {
    macro_rules! by_operator {
        ($($name:ident)*) => {
            match op {
                $(CmpOp::$name => Box::new(Compare::<compare::$name, A, B> { a, b, span, op: PhantomData }),)*
                CmpOp::Is | CmpOp::IsNot | CmpOp::In | CmpOp::NotIn => unreachable!("lowered apart"),
            }
        };
    }
    by_operator!(Eq NotEq Lt LtE Gt GtE)
}
