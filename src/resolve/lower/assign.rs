//! Assignments: plain, augmented and annotated ones. `stmt.rs` calls in here; `target.rs` stores into the single targets.

use super::expr::{Operand, with_operand};
use super::{Lowerer, Place, Statements};
use crate::syntax::Span;
use crate::syntax::ast::*;
use crate::value::Value;
use crate::vm::expr::arithmetic;
use crate::vm::expr::augment::{AddToLocal, AugLocal, Inplace, Target};
use crate::vm::expr::name::{StoreLocal, TakeTemp, Temp};
use crate::vm::expr::operand::Child;
use crate::vm::node::Tree;

impl Lowerer<'_> {
    pub(super) fn assign(&mut self, targets: &mut [Expr], value: &mut Expr, span: Span, out: &mut Statements) {
        // `a, b = c, d` needs no tuple.
        if let [target] = targets {
            if let (ExprKind::Name(name), ExprKind::Yield { value: item }) = (&target.kind, &mut value.kind)
                && let Place::Local(slot) = self.place(name)
            {
                self.yield_into(slot, item.as_deref_mut(), span, out);
                return;
            }
            if self.may_suspend(value) {
                self.spill_all(&mut [value], out);
            }
            if self.may_suspend(target) {
                let saved = self.temp();
                let tree = self.expr(value);
                out.push((Box::new(StoreLocal { slot: saved, value: tree, place: self.at(span) }), span));
                self.spill_target(target, out);
                let store = self.store(target, Operand::Child(Child(Box::new(TakeTemp(saved)))));
                out.push((store, span));
                return;
            }
            if let (ExprKind::Tuple { elts: targets }, ExprKind::Tuple { elts: values }) = (&mut target.kind, &mut value.kind)
                && targets.len() == values.len()
                && targets.len() <= 4
                && targets.len() > 1
                && targets.iter().chain(values.iter()).all(|part| !matches!(part.kind, ExprKind::Starred { .. }))
            {
                let slots: Vec<u16> = values.iter().map(|_| self.temp()).collect();
                for (value, &slot) in values.iter_mut().zip(&slots) {
                    let value = self.expr(value);
                    let place = self.at(span);
                    out.push((Box::new(StoreLocal { slot, value, place }), span));
                }
                for (target, &slot) in targets.iter_mut().zip(&slots) {
                    let store = self.store(target, Operand::Child(Child(Box::new(TakeTemp(slot)))));
                    out.push((store, span));
                }
                return;
            }
            if let Some(tree) = self.add_to_local(target, value) {
                out.push((tree, span));
                return;
            }
            let value = self.operand(value);
            let store = self.store(target, value);
            out.push((store, span));
            return;
        }
        let tree = self.spilled(value, out);
        let saved = self.temp();
        let place = self.at(span);
        out.push((Box::new(StoreLocal { slot: saved, value: tree, place }), span));
        let last = targets.len() - 1;
        for (index, target) in targets.iter_mut().enumerate() {
            self.spill_target(target, out);
            let value: Tree = if index == last { Box::new(TakeTemp(saved)) } else { Box::new(Temp(saved)) };
            let store = self.store(target, Operand::Child(Child(value)));
            out.push((store, span));
        }
    }

    /// `local = local + b`, which is how some write `local += b`.
    fn add_to_local(&mut self, target: &Expr, value: &mut Expr) -> Option<Tree> {
        let ExprKind::Name(name) = &target.kind else { return None };
        let ExprKind::BinOp { left, op: Operator::Add, right } = &mut value.kind else { return None };
        if !matches!(&left.kind, ExprKind::Name(left) if left == name) || self.frame().has_walrus {
            return None;
        }
        let Place::Local(slot) = self.place(name) else { return None };
        let (name, local, span) = (self.name(name), left.span, value.span);
        let b = self.operand(right);
        Some(with_operand!(b, |b| Box::new(AddToLocal { slot, name, b, span, local }) as Tree))
    }

    pub(super) fn aug_assign(&mut self, target: &mut Expr, op: Operator, value: &mut Expr, span: Span, out: &mut Statements) {
        if let ExprKind::Name(name) = &target.kind {
            let name = name.clone();
            let simple = !self.may_suspend(value) && !self.frame().has_walrus;
            if let (Place::Local(slot), true) = (self.place(&name), simple) {
                let name = self.name(&name);
                let b = self.operand(value);
                let tree = with_operand!(b, |b| aug_local(op, slot, name, b, span));
                out.push((tree, span));
                return;
            }
            let slot = self.temp();
            let old = self.load_name(&name, target.span);
            let a: Tree = if self.may_suspend(value) {
                let place = self.at(span);
                out.push((Box::new(StoreLocal { slot, value: old, place }), span));
                Box::new(TakeTemp(slot))
            } else {
                old
            };
            let b = self.spilled(value, out);
            let held = match self.place(&name) {
                Place::Cell { slot, .. } => Target::Captured(slot),
                Place::Global => Target::Global(self.globals_of_code(), self.name(&name)),
                _ => Target::Other,
            };
            let new = Box::new(Inplace { op, a, b, target: held, span });
            let store = self.store_name(&name, new, target.span);
            out.push((store, span));
            return;
        }
        // The object (and key) are evaluated once.
        let keep = |this: &mut Self, expr: &mut Expr, out: &mut Statements| {
            let part = expr.span;
            // A local variable, or a constant, is the same when it is read again.
            if this.is_stable(expr) {
                let name = std::mem::replace(&mut expr.kind, ExprKind::Constant(Constant::None));
                return Kept::Again(name, part);
            }
            let tree = this.spilled(expr, out);
            let slot = this.temp();
            let place = this.at(part);
            out.push((Box::new(StoreLocal { slot, value: tree, place }), part));
            Kept::Slot(slot, part)
        };
        let (mut load, mut store, held) = match &mut target.kind {
            ExprKind::Attribute { value: object, attr } => {
                let slot = keep(self, object, out);
                let make = |read: Expr| Expr::new(ExprKind::Attribute { value: Box::new(read), attr: attr.clone() }, target.span);
                let held = Target::Attribute(self.expr(&mut slot.first()), self.name(&attr.name));
                (make(slot.first()), make(slot.again()), held)
            }
            ExprKind::Subscript { value: object, slice } => {
                let object = keep(self, object, out);
                let key = keep(self, slice, out);
                let make = |object: Expr, key: Expr| {
                    Expr::new(ExprKind::Subscript { value: Box::new(object), slice: Box::new(key) }, target.span)
                };
                let held = Target::Item(self.expr(&mut object.first()), self.expr(&mut key.first()));
                (make(object.first(), key.first()), make(object.again(), key.again()), held)
            }
            _ => unreachable!("the parser accepts only names, attributes and subscripts"),
        };
        let old = self.expr(&mut load);
        let a: Tree = if self.may_suspend(value) {
            let slot = self.temp();
            let place = self.at(span);
            out.push((Box::new(StoreLocal { slot, value: old, place }), span));
            Box::new(TakeTemp(slot))
        } else {
            old
        };
        let b = self.spilled(value, out);
        let new: Tree = Box::new(Inplace { op, a, b, target: held, span });
        let store = self.store(&mut store, Operand::Child(Child(new)));
        out.push((store, span));
    }

    pub(super) fn annotate(&mut self, target: &mut Expr, annotation: &mut Expr, simple: bool, span: Span, out: &mut Statements) {
        let is_module = self.frames.len() == 1 && self.scopes.all[self.scope].kind == super::ScopeKind::Module;
        if !is_module && !self.in_namespace() {
            return;
        }
        if self.may_suspend(annotation) {
            self.spill_all(&mut [annotation], out);
        }
        let value = self.annotation(annotation);
        match &target.kind {
            ExprKind::Name(name) if simple => {
                let dict = self.load_name(&Name::new("__annotations__"), span);
                let name = Value::from(&self.name(name));
                let store = crate::vm::expr::name::Annotate { dict, name, value };
                out.push((Box::new(store), span));
            }
            _ => out.push((value, span)),
        }
    }

    /// Whether an expression is a local variable of a frame whose locals do not change within a statement, or a constant.
    fn is_stable(&mut self, expr: &Expr) -> bool {
        match &expr.kind {
            ExprKind::Constant(_) => true,
            ExprKind::Name(name) if !name.starts_with('.') && !self.frame().has_walrus => {
                let name = name.clone();
                matches!(self.place(&name), Place::Local(_))
            }
            _ => false,
        }
    }
}

fn aug_local<B: crate::vm::expr::operand::Operand>(
    op: Operator,
    slot: u16,
    name: crate::value::Ref<crate::value::Str>,
    b: B,
    span: Span,
) -> Tree {
    macro_rules! by_operator {
        ($($name:ident)*) => {
            match op {
                $(Operator::$name => Box::new(AugLocal::<arithmetic::$name, B> { slot, name, b, span, op: std::marker::PhantomData }),)*
            }
        };
    }
    by_operator!(Add Sub Mult Div FloorDiv Mod Pow MatMult BitAnd BitOr BitXor LShift RShift)
}

/// Part of an augmented target, which is read twice but evaluated once.
enum Kept {
    /// In a hidden slot.
    Slot(u16, Span),
    /// A name or constant that may simply be read again.
    Again(ExprKind, Span),
}

impl Kept {
    fn first(&self) -> Expr {
        match self {
            Kept::Slot(slot, span) => shared(*slot, *span),
            Kept::Again(kind, span) => Expr::new(copy_of(kind), *span),
        }
    }

    fn again(&self) -> Expr {
        match self {
            Kept::Slot(slot, span) => super::spill::hidden(*slot, *span),
            Kept::Again(kind, span) => Expr::new(copy_of(kind), *span),
        }
    }
}

/// A copy of a name or constant.
fn copy_of(kind: &ExprKind) -> ExprKind {
    match kind {
        ExprKind::Name(name) => ExprKind::Name(name.clone()),
        ExprKind::Constant(constant) => ExprKind::Constant(constant.clone()),
        _ => unreachable!("only names and constants are kept as they are"),
    }
}

/// A name that reads a hidden slot without emptying it.
fn shared(slot: u16, span: Span) -> Expr {
    Expr::new(ExprKind::Name(Name::new(&format!(".k{slot}"))), span)
}
