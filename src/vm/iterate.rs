//! Iteration from native code, over values of any type.

use super::Vm;
use crate::value::{R, Value};

impl Vm {
    /// `iter(value)`.
    pub fn iter(&self, _value: &Value) -> R {
        todo!()
    }

    /// `next(iterator)`, or `None` when it is exhausted.
    pub fn next(&self, _iterator: &Value) -> R<Option<Value>> {
        todo!()
    }

    /// `list(iterable)` as a vector, charging fuel and checking memory as it grows.
    pub fn collect(&self, _iterable: &Value) -> R<Vec<Value>> {
        todo!()
    }

    /// Calls `each` with every item; `false` from it ends the walk.
    pub fn for_each(&self, _iterable: &Value, _each: &mut dyn FnMut(Value) -> R<bool>) -> R<()> {
        todo!()
    }

    /// `operator.length_hint(value)`, 0 if unknown.
    pub fn length_hint(&self, _value: &Value) -> R<usize> {
        todo!()
    }
}
