//! Exception groups as `except*` makes them: new ones, and parts of one put together again.

use crate::value::{Exception, R, Value};
use crate::vm::Vm;

impl Vm {
    /// `ExceptionGroup(message, members)`, or `BaseExceptionGroup` if a member is not an `Exception`.
    pub(crate) fn new_exception_group(&self, message: &Value, members: &Value) -> R {
        let class = Value::from(&self.types.base_exception_group);
        self.call(&class, &[message.clone(), members.clone()])
    }

    /// The part of `original` that consists of the leaves of `parts`, in the shape of the original.
    pub(crate) fn rejoin_group(&self, original: &Value, parts: &[Value]) -> R {
        if !self.is_instance(original, &self.types.base_exception_group) {
            return Ok(parts.first().cloned().unwrap_or(Value::None));
        }
        let mut leaves = Vec::new();
        for part in parts {
            self.leaves_of(part, &mut leaves)?;
        }
        let joined = self.keep_leaves(original, &leaves)?;
        Ok(if joined.is_none() { parts.first().cloned().unwrap_or(Value::None) } else { joined })
    }

    /// The members of an exception group.
    fn members_of(&self, group: &Value) -> R<Vec<Value>> {
        let members = self.get_attr(group, &self.n.exceptions)?;
        self.collect(&members)
    }

    fn leaves_of(&self, exception: &Value, leaves: &mut Vec<Value>) -> R<()> {
        if !self.is_instance(exception, &self.types.base_exception_group) {
            leaves.push(exception.clone());
            return Ok(());
        }
        for member in self.members_of(exception)? {
            self.nested(|| self.leaves_of(&member, leaves))?;
        }
        Ok(())
    }

    fn keep_leaves(&self, exception: &Value, leaves: &[Value]) -> R {
        if !self.is_instance(exception, &self.types.base_exception_group) {
            return Ok(if leaves.iter().any(|leaf| leaf.is(exception)) { exception.clone() } else { Value::None });
        }
        let mut kept = Vec::new();
        for member in self.members_of(exception)? {
            let part = self.nested(|| self.keep_leaves(&member, leaves))?;
            if !part.is_none() {
                kept.push(part);
            }
        }
        if kept.is_empty() {
            return Ok(Value::None);
        }
        let kept = Value::from(self.heap.list(kept));
        let group = self.call_method(exception, &self.intern("derive"), &[kept])?;
        if let (Some(new), Some(old)) = (group.downcast::<Exception>(), exception.downcast::<Exception>()) {
            new.traceback.set(old.traceback.get());
            new.cause.set(old.cause.get());
            new.context.set(old.context.get());
            new.suppress_context.set(old.suppress_context.get());
        }
        Ok(group)
    }
}
