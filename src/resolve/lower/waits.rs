//! `await` and `yield`: each becomes a statement that leaves its value in a hidden slot. `spill.rs` calls in here where they stand inside of
//! expressions, `stmt.rs` and `assign.rs` where they are statements of their own.

use super::expr::{Operand, with_operand};
use super::{Lowerer, Statements};
use crate::syntax::Span;
use crate::syntax::ast::{Expr, ExprKind};
use crate::value::Value;
use crate::vm::expr::operand::Const;
use crate::vm::node::Tree;
use crate::vm::stmt::await_::{Await, AwaitCall, AwaitedCallee, Yield};

impl Lowerer<'_> {
    /// `await value`: emits the statement and returns the slot with the result.
    pub(super) fn await_expr(&mut self, value: &mut Expr, keeps: bool, span: Span, out: &mut Statements) -> u16 {
        let slot = self.temp();
        let call_span = value.span;
        if let ExprKind::Call { func, args, keywords } = &mut value.kind
            && keywords.is_empty()
            && args.iter().all(|arg| !matches!(arg.kind, ExprKind::Starred { .. }))
        {
            let mut all: Vec<&mut Expr> = Vec::new();
            all.push(super::spill::callee_object(func));
            all.extend(args.iter_mut());
            self.spill_all(&mut all, out);
            let func_span = func.span;
            let callee = match &mut func.kind {
                ExprKind::Attribute { value: object, attr } => {
                    let object = self.expr(object);
                    AwaitedCallee::Method { object, name: self.name(&attr.name), span: func_span }
                }
                _ => AwaitedCallee::Value(self.expr(func)),
            };
            let args = args.iter_mut().map(|arg| self.expr(arg)).collect();
            out.push((Box::new(AwaitCall { callee, args, slot, keeps, span, call_span, place: self.at(span) }), span));
            return slot;
        }
        let value = self.spilled(value, out);
        out.push((Box::new(Await { value, slot, keeps, span, place: self.at(span) }), span));
        slot
    }

    /// `yield value`: emits the statement and returns the slot with what is sent in.
    pub(super) fn yield_expr(&mut self, value: Option<&mut Expr>, span: Span, out: &mut Statements) -> u16 {
        let slot = self.temp();
        self.yield_into(slot, value, span, out);
        slot
    }

    /// `slot = yield value`: emits the statement.
    pub(super) fn yield_into(&mut self, slot: u16, value: Option<&mut Expr>, span: Span, out: &mut Statements) {
        let value = self.operand_or_none(value, out);
        let is_async = self.frame().is_async_generator;
        out.push((with_operand!(value, |value| Box::new(Yield { value, slot, is_async, span }) as Tree), span));
    }

    /// The operand of a statement that has nothing else to evaluate.
    pub(super) fn operand_or_none(&mut self, value: Option<&mut Expr>, out: &mut Statements) -> Operand {
        match value {
            Some(value) => {
                self.spill_all(&mut [&mut *value], out);
                self.operand(value)
            }
            None => Operand::Const(Const(Value::None)),
        }
    }
}
