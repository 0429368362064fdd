//! Attributes: the rules of lookup, with descriptors.

use super::Vm;
use crate::value::{R, Ref, Str, Value};

impl Vm {
    /// `object.name`. `name` is interned.
    pub fn get_attr(&self, _object: &Value, _name: &Ref<Str>) -> R {
        todo!()
    }

    /// `getattr(object, name, None)` as an option.
    pub fn find_attr(&self, _object: &Value, _name: &Ref<Str>) -> R<Option<Value>> {
        todo!()
    }

    /// `object.name = value`.
    pub fn set_attr(&self, _object: &Value, _name: &Ref<Str>, _value: Value) -> R<()> {
        todo!()
    }

    /// `del object.name`.
    pub fn del_attr(&self, _object: &Value, _name: &Ref<Str>) -> R<()> {
        todo!()
    }

    /// The special method `name` as the class of `object` defines it, bound to `object`; `None` if it has none.
    pub fn special(&self, _object: &Value, _name: &Ref<Str>) -> R<Option<Value>> {
        todo!()
    }

    /// Calls the special method `name` of `object`; `None` if it has none.
    pub fn call_special(&self, _object: &Value, _name: &Ref<Str>, _args: &[Value]) -> R<Option<Value>> {
        todo!()
    }
}
