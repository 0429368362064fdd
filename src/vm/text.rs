//! `repr`, `str`, `format` of values of any type.

use super::Vm;
use crate::value::{R, Ref, Str, Value};

impl Vm {
    /// `repr(value)`.
    pub fn repr(&self, _value: &Value) -> R<Ref<Str>> {
        todo!()
    }

    /// `str(value)`.
    pub fn str(&self, _value: &Value) -> R<Ref<Str>> {
        todo!()
    }

    /// `ascii(value)`.
    pub fn ascii(&self, _value: &Value) -> R<Ref<Str>> {
        todo!()
    }

    /// `format(value, spec)`.
    pub fn format(&self, _value: &Value, _spec: &str) -> R<Ref<Str>> {
        todo!()
    }
}
