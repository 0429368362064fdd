//! Exception groups: splitting them by what they hold, for `except*` and for the methods `split` and `subgroup`.

use super::Vm;
use crate::value::{Class, Exception, Kind, R, Ref, Tuple, Value};

/// The two parts of a split group; `None` for an empty one.
pub type Parts = (Option<Value>, Option<Value>);

impl Vm {
    /// The exceptions in a group; nothing for other exceptions.
    pub fn group_exceptions(&self, exception: &Value) -> Option<Ref<Tuple>> {
        let group = exception.downcast::<Exception>()?;
        if !group.class.with(|class| class.is_subclass(&self.types.base_exception_group)) {
            return None;
        }
        group.fields.with(|fields| fields.get(1).and_then(|items| items.downcast::<Tuple>().cloned()))
    }

    /// What `except* classes` catches of an exception, and what is left. An exception that is no group and matches is caught inside a
    /// new group without message.
    pub fn split_for_except(&self, exception: &Value, classes: &Value) -> R<Parts> {
        if self.group_exceptions(exception).is_some() {
            return self.split_group(exception, &|vm, leaf| vm.instance_check(leaf, classes));
        }
        if !self.instance_check(exception, classes)? {
            return Ok((None, Some(exception.clone())));
        }
        let items = Value::from(self.heap.list(vec![exception.clone()]));
        let group = self.call(&Value::from(&self.types.base_exception_group), &[self.str_value(""), items])?;
        if let (Some(group), Some(inner)) = (group.downcast::<Exception>(), exception.downcast::<Exception>()) {
            group.traceback.set(inner.traceback.get());
        }
        Ok((Some(group), None))
    }

    /// Splits a group (or a single exception) by a condition on its members, keeping the nesting.
    pub fn split_group(&self, exception: &Value, matches: &dyn Fn(&Vm, &Value) -> R<bool>) -> R<Parts> {
        if matches(self, exception)? {
            return Ok((Some(exception.clone()), None));
        }
        let Some(members) = self.group_exceptions(exception) else { return Ok((None, Some(exception.clone()))) };
        let (mut matching, mut rest) = (Vec::new(), Vec::new());
        for member in members.items() {
            let (yes, no) = self.nested(|| self.split_group(member, matches))?;
            matching.extend(yes);
            rest.extend(no);
        }
        Ok((self.derive_group(exception, matching)?, self.derive_group(exception, rest)?))
    }

    /// A group like `original` with other members, nothing if there are none: `original.derive(members)`.
    pub fn derive_group(&self, original: &Value, members: Vec<Value>) -> R<Option<Value>> {
        if members.is_empty() {
            return Ok(None);
        }
        let members = Value::from(self.heap.list(members));
        let derived = self.call_method(original, &self.intern("derive"), &[members])?;
        let (Some(new), Some(old)) = (derived.downcast::<Exception>(), original.downcast::<Exception>()) else {
            return Err(self.type_error("derive must return an instance of BaseExceptionGroup"));
        };
        if !self.is_instance(&derived, &self.types.base_exception_group) {
            return Err(self.type_error("derive must return an instance of BaseExceptionGroup"));
        }
        new.traceback.set(old.traceback.get());
        new.context.set(old.context.get());
        new.cause.set(old.cause.get());
        new.suppress_context.set(old.suppress_context.get());
        let notes = old.attributes.get().and_then(|dict| dict.get_str(&self.n.__notes__));
        if let Some(notes) = notes
            && notes.kind() == Kind::List
        {
            let copy = Value::from(self.heap.list(self.collect(&notes)?));
            self.exception_dict(new).set_str(&self.n.__notes__, copy);
        }
        Ok(Some(derived))
    }

    /// The classes an `except*` clause may name: exceptions, but no groups.
    pub fn check_except_star(&self, classes: &Value) -> R<()> {
        let one;
        let all = match classes.as_tuple() {
            Some(several) => several,
            None => {
                one = [classes.clone()];
                &one
            }
        };
        for class in all {
            let Some(class) = class.downcast::<Class>().filter(|class| class.is_subclass(&self.types.base_exception)) else {
                return Err(self.type_error("catching classes that do not inherit from BaseException is not allowed"));
            };
            if class.is_subclass(&self.types.base_exception_group) {
                return Err(self.type_error("catching ExceptionGroup with except* is not allowed. Use except instead."));
            }
        }
        Ok(())
    }
}
