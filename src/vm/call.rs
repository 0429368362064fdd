//! Calls of values of any type from native code.

use super::{Args, Vm};
use crate::value::{R, Ref, Str, Value};

impl Vm {
    /// `callable(*positional)`.
    pub fn call(&self, _callable: &Value, _positional: &[Value]) -> R {
        todo!()
    }

    /// `callable(*positional, **keywords)`.
    pub fn call_with(&self, _callable: &Value, _args: Args<'_>) -> R {
        todo!()
    }

    /// `object.name(*positional)`.
    pub fn call_method(&self, _object: &Value, _name: &Ref<Str>, _positional: &[Value]) -> R {
        todo!()
    }
}
