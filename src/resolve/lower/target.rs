//! Targets: names, attributes, subscripts and unpacking, for assignment, loops, `with`, `del`.

use super::expr::Operand;
use super::{Lowerer, Place, Statements};
use crate::syntax::Span;
use crate::syntax::ast::*;
use crate::vm::expr::attribute::{DeleteAttribute, StoreAttribute};
use crate::vm::expr::name::{DeleteName, Deleted, StoreCaptured, StoreClassName, StoreGlobal, StoreLocal, TakeTemp};
use crate::vm::expr::subscript::{DeleteSubscript, StoreSubscript};
use crate::vm::node::Tree;
use crate::vm::stmt::simple::Unpack;

impl Lowerer<'_> {
    /// `name = value`.
    pub(super) fn store_name(&mut self, name: &Name, value: Tree, span: Span) -> Tree {
        let globals = self.globals_of_code();
        let place = self.at(span);
        match self.place(name) {
            Place::Local(slot) => Box::new(StoreLocal { slot, value, place }),
            Place::Cell { slot, .. } => Box::new(StoreCaptured { slot, value, place }),
            Place::Global => Box::new(StoreGlobal::new(globals, self.name(name), value, place)),
            Place::Class(_) => Box::new(StoreClassName { name: self.name(name), value, place }),
        }
    }

    /// `del name`.
    pub(super) fn delete_name(&mut self, name: &Name, span: Span) -> Tree {
        let globals = self.globals_of_code();
        let place = match self.place(name) {
            Place::Local(slot) => Deleted::Local(slot),
            Place::Cell { slot, .. } => Deleted::Captured(slot),
            Place::Global => Deleted::Global(globals),
            Place::Class(_) => Deleted::Class,
        };
        Box::new(DeleteName { place, name: self.name(name), span, at: self.at(span) })
    }

    /// The statement that assigns `value` to a target. Whatever suspends in the target has been spilled.
    pub(super) fn store(&mut self, target: &mut Expr, value: Operand) -> Tree {
        let span = target.span;
        match &mut target.kind {
            ExprKind::Name(name) => {
                let name = name.clone();
                let value = value.into_tree();
                self.store_name(&name, value, span)
            }
            ExprKind::Attribute { value: object, attr } => {
                let name = self.name(&attr.name);
                let object = self.operand(object);
                let place = self.at(span);
                super::expr::with_operands!(object, value, |object, value| {
                    Box::new(StoreAttribute::new(object, name, value, span, place)) as Tree
                })
            }
            ExprKind::Subscript { value: object, slice } => {
                let object = self.operand(object);
                let key = self.operand(slice);
                let place = self.at(span);
                match value {
                    Operand::Local(value) => super::expr::with_operands!(object, key, |object, key| {
                        Box::new(StoreSubscript { object, key, value, span, place }) as Tree
                    }),
                    Operand::Const(value) => super::expr::with_operands!(object, key, |object, key| {
                        Box::new(StoreSubscript { object, key, value, span, place }) as Tree
                    }),
                    Operand::Child(value) => super::expr::with_operands!(object, key, |object, key| {
                        Box::new(StoreSubscript { object, key, value, span, place }) as Tree
                    }),
                }
            }
            ExprKind::Tuple { elts } | ExprKind::List { elts } => {
                let star = elts.iter().position(|elt| matches!(elt.kind, ExprKind::Starred { .. }));
                let (before, after) = match star {
                    Some(at) => (at, Some(elts.len() - at - 1)),
                    None => (elts.len(), None),
                };
                let targets = elts
                    .iter_mut()
                    .map(|elt| {
                        let elt = if let ExprKind::Starred { value } = &mut elt.kind { value } else { elt };
                        self.item_target(elt)
                    })
                    .collect();
                Box::new(Unpack { value: value.into_tree(), before, after, targets, span })
            }
            ExprKind::Starred { value: inner } => self.store(inner, value),
            _ => unreachable!("the parser accepts only targets"),
        }
    }

    /// A slot for an item, and the statement that assigns it to the target from there; a plain local variable needs none.
    pub(super) fn item_target(&mut self, target: &mut Expr) -> (u16, Option<Tree>) {
        if let ExprKind::Name(name) = &target.kind {
            let name = name.clone();
            if let Place::Local(slot) = self.place(&name) {
                return (slot, None);
            }
        }
        let slot = self.temp();
        let store = self.store(target, Operand::Child(crate::vm::expr::operand::Child(Box::new(TakeTemp(slot)))));
        (slot, Some(store))
    }

    /// As `item_target`, for a target in which something may suspend.
    pub(super) fn spilled_item_target(&mut self, target: &mut Expr) -> (u16, Option<Tree>) {
        if !self.may_suspend(target) {
            return self.item_target(target);
        }
        let slot = self.temp();
        let mut out = Statements::new();
        self.spill_target(target, &mut out);
        let span = target.span;
        let store = self.store(target, Operand::Child(crate::vm::expr::operand::Child(Box::new(TakeTemp(slot)))));
        out.push((store, span));
        (slot, Some(self.suspending_block(out)))
    }

    /// Spills what suspends in the parts of a target.
    pub(super) fn spill_target(&mut self, target: &mut Expr, out: &mut Statements) {
        match &mut target.kind {
            ExprKind::Attribute { value, .. } => self.spill_all(&mut [value], out),
            ExprKind::Subscript { value, slice } => self.spill_all(&mut [value, slice], out),
            ExprKind::Tuple { elts } | ExprKind::List { elts } => elts.iter_mut().for_each(|elt| self.spill_target(elt, out)),
            ExprKind::Starred { value } => self.spill_target(value, out),
            _ => {}
        }
    }

    /// `del target`.
    pub(super) fn delete(&mut self, target: &mut Expr, out: &mut Statements) {
        let span = target.span;
        self.spill_target(target, out);
        let tree: Tree = match &mut target.kind {
            ExprKind::Name(name) => {
                let name = name.clone();
                self.delete_name(&name, span)
            }
            ExprKind::Attribute { value, attr } => {
                let place = self.at(span);
                Box::new(DeleteAttribute { object: self.expr(value), name: self.name(&attr.name), span, place })
            }
            ExprKind::Subscript { value, slice } => {
                let place = self.at(span);
                Box::new(DeleteSubscript { object: self.expr(value), key: self.expr(slice), span, place })
            }
            ExprKind::Tuple { elts } | ExprKind::List { elts } => {
                for elt in elts {
                    self.delete(elt, out);
                }
                return;
            }
            _ => unreachable!("the parser accepts only targets"),
        };
        out.push((tree, span));
    }
}
