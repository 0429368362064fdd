//! Exceptions: data only; the hierarchy is in `builtins/exceptions/`, tracebacks in `vm/traceback.rs`.

use std::cell::Cell;

use super::cell::Shared;
use super::object::{Kind, Payload, Ref, Visitor};
use super::{Class, Dict, Value};

/// The payload of an exception object of any class.
pub struct Exception {
    pub class: Shared<Ref<Class>>,
    /// The tuple of arguments.
    pub args: Shared<Value>,
    /// `__cause__`: an exception or `None`.
    pub cause: Shared<Value>,
    /// `__context__`: an exception or `None`.
    pub context: Shared<Value>,
    /// `__traceback__`: a traceback or `None`.
    pub traceback: Shared<Value>,
    /// `__suppress_context__`.
    pub suppress_context: Cell<bool>,
    /// A limit was crossed: no handler catches this, no `finally` runs for it.
    pub uncatchable: Cell<bool>,
    /// What classes with attributes of their own keep (`errno`, `value`, `name`): see `builtins/exceptions/fields.rs`. Empty as
    /// long as they follow from the arguments.
    pub fields: Shared<Box<[Value]>>,
    /// Other attributes, once there are any.
    pub attributes: Shared<Option<Ref<Dict>>>,
}

impl Exception {
    /// An exception of a class with its tuple of arguments.
    pub fn new(class: Ref<Class>, args: Value) -> Exception {
        Exception {
            class: Shared::new(class),
            args: Shared::new(args),
            cause: Shared::new(Value::None),
            context: Shared::new(Value::None),
            traceback: Shared::new(Value::None),
            suppress_context: Cell::new(false),
            uncatchable: Cell::new(false),
            fields: Shared::default(),
            attributes: Shared::new(None),
        }
    }
}

impl Payload for Exception {
    const KIND: Kind = Kind::Exception;
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        self.class.with(|class| visitor.reference(class));
        for slot in [&self.args, &self.cause, &self.context, &self.traceback] {
            slot.with(|value| visitor.value(value));
        }
        self.fields.with(|fields| visitor.values(fields));
        self.attributes.with(|dict| {
            if let Some(dict) = dict {
                visitor.reference(dict);
            }
        });
    }

    fn clear(&self) {
        for slot in [&self.args, &self.cause, &self.context, &self.traceback] {
            slot.set(Value::None);
        }
        drop(self.fields.take());
        self.attributes.set(None);
    }
}
