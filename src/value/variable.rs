//! Captured variables: what Python calls cells.

use super::Value;
use super::cell::Shared;
use super::object::{Kind, Payload, Visitor};

/// The payload of a cell: a variable shared by a function and the functions nested in it. `Undef` while unbound.
#[derive(Default)]
pub struct Variable {
    value: Shared<Value>,
}

impl Payload for Variable {
    const KIND: Kind = Kind::Cell;
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        self.value.with(|value| visitor.value(value));
    }

    fn clear(&self) {
        self.value.set(Value::Undef);
    }
}

impl Variable {
    /// A cell that holds `value`.
    pub fn new(value: Value) -> Self {
        Variable { value: Shared::new(value) }
    }

    #[inline(always)]
    pub fn get(&self) -> Value {
        self.value.get()
    }

    #[inline(always)]
    pub fn set(&self, value: Value) {
        self.value.set(value);
    }

    /// Takes the value out, leaving the cell unbound.
    pub fn take(&self) -> Value {
        self.value.take()
    }
}
