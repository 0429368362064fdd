//! Operators on values of any type: fast paths for the built-in types, then special methods.

use super::Vm;
use crate::syntax::ast::{CmpOp, Operator, UnaryOp};
use crate::value::{R, Value};

impl Vm {
    /// `a op b`.
    pub fn binary(&self, _op: Operator, _a: &Value, _b: &Value) -> R {
        todo!()
    }

    /// `a op= b`: the new value of the target.
    pub fn inplace(&self, _op: Operator, _a: Value, _b: &Value) -> R {
        todo!()
    }

    /// `op a`.
    pub fn unary(&self, _op: UnaryOp, _a: &Value) -> R {
        todo!()
    }

    /// `a op b` for one comparison: any value, as `__lt__` and its kin may return one.
    pub fn compare(&self, _op: CmpOp, _a: &Value, _b: &Value) -> R {
        todo!()
    }

    /// `a == b` as containers ask: identity first, then `__eq__`, as a truth value.
    pub fn eq(&self, _a: &Value, _b: &Value) -> R<bool> {
        todo!()
    }

    /// `a < b` as a truth value.
    pub fn lt(&self, _a: &Value, _b: &Value) -> R<bool> {
        todo!()
    }

    /// `bool(value)`.
    pub fn truthy(&self, _value: &Value) -> R<bool> {
        todo!()
    }

    /// `hash(value)`.
    pub fn hash(&self, _value: &Value) -> R<i64> {
        todo!()
    }

    /// `item in container`.
    pub fn contains(&self, _container: &Value, _item: &Value) -> R<bool> {
        todo!()
    }

    /// `object[key]`.
    pub fn get_item(&self, _object: &Value, _key: &Value) -> R {
        todo!()
    }

    /// `object[key] = value`.
    pub fn set_item(&self, _object: &Value, _key: &Value, _value: Value) -> R<()> {
        todo!()
    }

    /// `del object[key]`.
    pub fn del_item(&self, _object: &Value, _key: &Value) -> R<()> {
        todo!()
    }

    /// `len(value)`.
    pub fn len(&self, _value: &Value) -> R<usize> {
        todo!()
    }

    /// `operator.index(value)`: an integer value (`Int` or a big integer; never a bool).
    pub fn index(&self, _value: &Value) -> R {
        todo!()
    }

    /// `value` as a machine integer by `__index__`; `OverflowError` if it does not fit.
    pub fn index_i64(&self, _value: &Value) -> R<i64> {
        todo!()
    }

    /// `float(value)` for numbers (`__float__`, then `__index__`), not strings.
    pub fn to_f64(&self, _value: &Value) -> R<f64> {
        todo!()
    }
}
