//! Types with parameters (`list[int]`) and unions of types (`int | None`): data only; the methods are in `builtins/generic.rs`.

use super::Vm;
use crate::value::{Kind, Payload, R, Ref, Tuple, Value, Visitor};

/// The payload of `types.GenericAlias`: a class with parameters.
pub struct GenericAlias {
    pub origin: Value,
    pub args: Ref<Tuple>,
    /// Unpacked by a star, as in `tuple[*Ts]`.
    pub starred: bool,
}

impl Payload for GenericAlias {
    crate::native_kind!();
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.value(&self.origin);
        visitor.reference(&self.args);
    }
}

/// The payload of `types.UnionType`.
pub struct UnionType {
    pub args: Ref<Tuple>,
}

impl Payload for UnionType {
    crate::native_kind!();
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.reference(&self.args);
    }
}

impl Vm {
    /// `origin[args]`; `args` is the subscript, a tuple for several.
    pub fn generic_alias(&self, origin: Value, args: &Value) -> Value {
        let args = match args.downcast::<Tuple>() {
            Some(tuple) => tuple.clone(),
            None => self.heap.tuple([args.clone()]),
        };
        Value::from(self.heap.alloc(GenericAlias { origin, args, starred: false }))
    }

    /// `a | b` for types; nothing if one of them cannot be part of a union.
    pub fn type_union(&self, a: &Value, b: &Value) -> R<Option<Value>> {
        let mut members: Vec<Value> = Vec::new();
        for side in [a, b] {
            if let Some(union) = side.downcast::<UnionType>() {
                members.extend(union.args.items().iter().cloned());
            } else if side.is_none() {
                members.push(Value::from(&self.types.none));
            } else if side.kind() == Kind::Class || side.downcast::<GenericAlias>().is_some() {
                members.push(side.clone());
            } else {
                return Ok(None);
            }
        }
        let mut distinct: Vec<Value> = Vec::with_capacity(members.len());
        for member in members {
            self.charge(1 + distinct.len() as u64 / 64)?;
            if !distinct.iter().any(|known| known.is(&member)) {
                distinct.push(member);
            }
        }
        if distinct.len() == 1 {
            return Ok(distinct.pop());
        }
        let args = self.heap.tuple(distinct);
        Ok(Some(Value::from(self.heap.alloc(UnionType { args }))))
    }
}
