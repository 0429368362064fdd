//! Modules: a namespace with a name.

use super::object::{Kind, Payload, Ref, Visitor};
use super::{Dict, Str};

/// The payload of a module object.
pub struct Module {
    pub name: Ref<Str>,
    pub dict: Ref<Dict>,
}

impl Payload for Module {
    const KIND: Kind = Kind::Module;
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.reference(&self.name);
        visitor.reference(&self.dict);
    }
}
