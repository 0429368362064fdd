//! Classes: of values, building them, instance and subclass checks.

use super::Vm;
use crate::value::{Class, R, Ref, Value};

impl Vm {
    /// `type(value)`.
    pub fn class_of(&self, _value: &Value) -> Ref<Class> {
        todo!()
    }

    /// Whether `value` is an instance of `class` by its type's linearised bases (no `__instancecheck__`).
    pub fn is_instance(&self, _value: &Value, _class: &Ref<Class>) -> bool {
        todo!()
    }

    /// `isinstance(value, classes)` with tuples, unions and `__instancecheck__`.
    pub fn instance_check(&self, _value: &Value, _classes: &Value) -> R<bool> {
        todo!()
    }

    /// `issubclass(class, classes)`, likewise.
    pub fn subclass_check(&self, _class: &Value, _classes: &Value) -> R<bool> {
        todo!()
    }

    /// `type(name, bases, namespace, **keywords)`: linearises the bases, calls `__set_name__` and `__init_subclass__`.
    pub fn build_class(
        &self,
        _metaclass: &Value,
        _name: &str,
        _bases: &[Value],
        _namespace: &Value,
        _keywords: &[(Ref<crate::value::Str>, Value)],
    ) -> R {
        todo!()
    }
}
