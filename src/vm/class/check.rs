//! `isinstance` and `issubclass`.

use super::super::Vm;
use super::super::generic::{GenericAlias, UnionType};
use crate::value::{Class, Kind, R, Ref, Value};

impl Vm {
    /// `isinstance(value, classes)` with tuples, unions and `__instancecheck__`.
    #[inline]
    pub fn instance_check(&self, value: &Value, classes: &Value) -> R<bool> {
        if let Some(class) = classes.downcast::<Class>() {
            let of = self.class_of(value);
            if of.is(class) {
                return Ok(true);
            }
            if class.metaclass.with(Option::is_none) {
                return self.plain_instance_check(value, &of, class);
            }
        }
        self.instance_check_slowly(value, classes)
    }

    /// What `type.__instancecheck__` does: by the class, else by what the object says its `__class__` is.
    pub(crate) fn plain_instance_check(&self, value: &Value, of: &Ref<Class>, class: &Ref<Class>) -> R<bool> {
        if of.is_subclass(class) {
            return Ok(true);
        }
        if !matches!(value.kind(), Kind::Instance | Kind::Native) {
            return Ok(false);
        }
        // An object that pretends: a proxy whose class defines `__class__`.
        let pretends = self.class_attribute_differs(of);
        if !pretends {
            return Ok(false);
        }
        match self.find_attr(value, &self.n.__class__)? {
            Some(claimed) => Ok(claimed.downcast::<Class>().is_some_and(|claimed| claimed.is_subclass(class))),
            None => Ok(false),
        }
    }

    fn class_attribute_differs(&self, of: &Ref<Class>) -> bool {
        let own = of.lookup(&self.n.__class__);
        let default = self.types.object.lookup(&self.n.__class__);
        !own.is(&default) || !self.has_default_lookup(of)
    }

    #[inline(never)]
    fn instance_check_slowly(&self, value: &Value, classes: &Value) -> R<bool> {
        if let Some(several) = classes.as_tuple() {
            for one in several {
                if self.nested(|| self.instance_check(value, one))? {
                    return Ok(true);
                }
            }
            return Ok(false);
        }
        if let Some(union) = classes.downcast::<UnionType>() {
            for one in union.args.items() {
                if one.downcast::<GenericAlias>().is_some() {
                    return Err(self.type_error("isinstance() argument 2 cannot be a parameterized generic"));
                }
                if self.instance_check(value, one)? {
                    return Ok(true);
                }
            }
            return Ok(false);
        }
        let meta = self.class_of(classes);
        let hook = meta.lookup(&self.n.__instancecheck__);
        if let Some(class) = classes.downcast::<Class>()
            && self.is_native_of(&hook, &self.types.type_)
        {
            return self.plain_instance_check(value, &self.class_of(value), class);
        }
        if !hook.is_undef() {
            let answer = self.nested(|| self.call_slot(&hook, classes, std::slice::from_ref(value)))?;
            return self.truthy(&answer);
        }
        if classes.downcast::<GenericAlias>().is_some() {
            return Err(self.type_error("isinstance() argument 2 cannot be a parameterized generic"));
        }
        if self.bases_said(classes)?.is_none() {
            return Err(self.type_error("isinstance() arg 2 must be a type, a tuple of types, or a union"));
        }
        match self.find_attr(value, &self.n.__class__)? {
            Some(of) => self.said_subclass(&of, classes),
            None => Ok(false),
        }
    }

    /// The `__bases__` of something that behaves as a class without being one.
    fn bases_said(&self, class: &Value) -> R<Option<Value>> {
        Ok(self.find_attr(class, &self.n.__bases__)?.filter(|bases| bases.as_tuple().is_some()))
    }

    /// Whether following `__bases__` leads from one to the other.
    fn said_subclass(&self, class: &Value, base: &Value) -> R<bool> {
        if class.is(base) {
            return Ok(true);
        }
        let Some(bases) = self.bases_said(class)? else { return Ok(false) };
        for one in bases.as_tuple().unwrap_or_default() {
            if self.nested(|| self.said_subclass(one, base))? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// `issubclass(class, classes)`, likewise.
    pub fn subclass_check(&self, class: &Value, classes: &Value) -> R<bool> {
        if let Some(several) = classes.as_tuple() {
            for one in several {
                if self.nested(|| self.subclass_check(class, one))? {
                    return Ok(true);
                }
            }
            return Ok(false);
        }
        if let Some(base) = classes.downcast::<Class>() {
            let hook = self.class_of(classes).lookup(&self.n.__subclasscheck__);
            if self.is_native_of(&hook, &self.types.type_) {
                return self.plain_subclass_check(class, base);
            }
            let answer = self.nested(|| self.call_slot(&hook, classes, std::slice::from_ref(class)))?;
            return self.truthy(&answer);
        }
        if let Some(union) = classes.downcast::<UnionType>() {
            for one in union.args.items() {
                if one.downcast::<GenericAlias>().is_some() {
                    return Err(self.type_error("issubclass() argument 2 cannot be a parameterized generic"));
                }
                if self.subclass_check(class, one)? {
                    return Ok(true);
                }
            }
            return Ok(false);
        }
        if let Some(answer) = self.call_special(classes, &self.n.__subclasscheck__, std::slice::from_ref(class))? {
            return self.truthy(&answer);
        }
        if class.kind() != Kind::Class && self.bases_said(class)?.is_none() {
            return Err(self.type_error("issubclass() arg 1 must be a class"));
        }
        if classes.downcast::<GenericAlias>().is_some() {
            return Err(self.type_error("issubclass() argument 2 cannot be a parameterized generic"));
        }
        if self.bases_said(classes)?.is_none() {
            return Err(self.type_error("issubclass() arg 2 must be a class, a tuple of classes, or a union"));
        }
        self.said_subclass(class, classes)
    }

    /// What `type.__subclasscheck__` does.
    pub(crate) fn plain_subclass_check(&self, class: &Value, base: &Ref<Class>) -> R<bool> {
        match class.downcast::<Class>() {
            Some(class) => Ok(class.is_subclass(base)),
            None if self.bases_said(class)?.is_some() => self.said_subclass(class, &Value::from(base)),
            None => Err(self.type_error("issubclass() arg 1 must be a class")),
        }
    }
}
