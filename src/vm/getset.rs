//! Computed attributes of native types: what CPython calls getset descriptors. Rows with `get` make them (`native/function.rs`).

use super::Vm;
use crate::value::{Class, Payload, R, Ref, Str, Value, Visitor};

/// Reads the attribute of an object.
pub type Getter = fn(&Vm, &Value) -> R;
/// Sets the attribute of an object; the value is `Undef` to delete it.
pub type Setter = fn(&Vm, &Value, &Value) -> R<()>;

/// The payload of a computed attribute: a data descriptor.
pub struct GetSet {
    pub name: Ref<Str>,
    /// The class that has it.
    pub owner: Ref<Class>,
    pub get: Getter,
    pub set: Option<Setter>,
}

impl Payload for GetSet {
    crate::native_kind!();
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.reference(&self.name);
        visitor.reference(&self.owner);
    }
}

/// The payload of the descriptor that a name in `__slots__` is, seen through the class.
pub struct Member {
    pub name: Ref<Str>,
    /// The class that has it.
    pub owner: Ref<Class>,
}

impl Payload for Member {
    crate::native_kind!();
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.reference(&self.name);
        visitor.reference(&self.owner);
    }
}
