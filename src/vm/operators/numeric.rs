//! The numbers' answers (`vm/number/`) in the form operators want them.

use super::super::{Vm, number};
use crate::syntax::ast::{CmpOp, Operator, UnaryOp};
use crate::value::{R, Value};

#[inline]
pub(super) fn binary(vm: &Vm, op: Operator, a: &Value, b: &Value) -> R<Option<Value>> {
    number::binary(vm, op, a, b)
}

pub(super) fn unary(vm: &Vm, op: UnaryOp, a: &Value) -> R<Option<Value>> {
    number::unary(vm, op, a)
}

/// A comparison; NaN is unequal to everything and in no order.
#[inline]
pub(super) fn compare(op: CmpOp, a: &Value, b: &Value) -> Option<Value> {
    let Some(order) = number::compare(a, b) else { return number::complex::compare(op, a, b) };
    Some(Value::bool(match op {
        CmpOp::Eq => order.is_some_and(|order| order.is_eq()),
        CmpOp::NotEq => order.is_none_or(|order| order.is_ne()),
        CmpOp::Lt => order.is_some_and(|order| order.is_lt()),
        CmpOp::LtE => order.is_some_and(|order| order.is_le()),
        CmpOp::Gt => order.is_some_and(|order| order.is_gt()),
        CmpOp::GtE => order.is_some_and(|order| order.is_ge()),
        _ => return None,
    }))
}

pub(super) fn hash(value: &Value) -> i64 {
    number::hash(value).unwrap_or(0)
}
