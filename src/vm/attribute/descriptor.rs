//! The descriptor protocol: what looking an attribute up in a class makes of it.

use super::super::Vm;
use super::super::function::{Binding, BoundMethod, ClassMethod, NativeFunction, Property, StaticMethod};
use super::super::getset::{GetSet, Member};
use crate::value::{Class, Instance, Kind, R, Ref, Str, Value};

impl Vm {
    /// Whether a class attribute is a function that becomes a method: calls may pass the object first instead of binding it.
    #[inline]
    pub fn is_plain_method(found: &Value) -> bool {
        match found.kind() {
            Kind::Function => true,
            Kind::NativeFunction => found.downcast::<NativeFunction>().is_some_and(|f| f.binding == Binding::Method),
            _ => false,
        }
    }

    /// Whether a class attribute comes before the instance's own: it has `__set__` or `__delete__`.
    #[inline]
    pub fn is_data_descriptor(&self, found: &Value) -> bool {
        match found.kind() {
            Kind::Property => true,
            Kind::Instance | Kind::Native => self.is_other_data_descriptor(found),
            _ => false,
        }
    }

    #[inline(never)]
    fn is_other_data_descriptor(&self, found: &Value) -> bool {
        if found.downcast::<GetSet>().is_some() || found.downcast::<Member>().is_some() {
            return true;
        }
        let class = self.class_of(found);
        !class.lookup(&self.n.__set__).is_undef() || !class.lookup(&self.n.__delete__).is_undef()
    }

    /// Whether a data descriptor can be read: one without `__get__` leaves that to the instance's own attribute.
    #[inline]
    pub(super) fn can_get(&self, found: &Value) -> bool {
        found.kind() != Kind::Instance || !self.class_of(found).lookup(&self.n.__get__).is_undef()
    }

    /// Whether a class attribute is a descriptor at all: looking it up does not give it as it is.
    #[inline]
    pub fn is_descriptor(&self, found: &Value) -> bool {
        match found.kind() {
            Kind::Function | Kind::NativeFunction | Kind::Property | Kind::StaticMethod | Kind::ClassMethod | Kind::Super => true,
            Kind::Instance | Kind::Native => {
                self.is_other_data_descriptor(found) || !self.class_of(found).lookup(&self.n.__get__).is_undef()
            }
            _ => false,
        }
    }

    /// What the attribute `found` of `class` is for `object`; `Undef` instead of an object when it was looked up through the
    /// class.
    #[inline]
    pub fn bind(&self, found: &Value, object: &Value, class: &Ref<Class>) -> R {
        match found.kind() {
            Kind::Function if !object.is_undef() => Ok(self.bound_method(found, object)),
            Kind::NativeFunction => Ok(self.bind_native_function(found, object, class)),
            Kind::Property => self.get_property(found, object),
            Kind::StaticMethod => Ok(found.downcast::<StaticMethod>().map_or(Value::None, |wrapper| wrapper.0.clone())),
            Kind::ClassMethod => self.bind_to_class(found, class),
            Kind::Native | Kind::Instance | Kind::Super => self.bind_other(found, object, class),
            _ => Ok(found.clone()),
        }
    }

    /// A method object.
    pub fn bound_method(&self, function: &Value, this: &Value) -> Value {
        Value::from(self.heap.alloc(BoundMethod { function: function.clone(), this: this.clone() }))
    }

    fn bind_native_function(&self, found: &Value, object: &Value, class: &Ref<Class>) -> Value {
        match found.downcast::<NativeFunction>().map(|function| function.binding) {
            Some(Binding::Method) if !object.is_undef() => self.bound_method(found, object),
            Some(Binding::Class) => self.bound_method(found, &Value::from(class)),
            _ => found.clone(),
        }
    }

    fn bind_to_class(&self, found: &Value, class: &Ref<Class>) -> R {
        let Some(wrapper) = found.downcast::<ClassMethod>() else { return Ok(found.clone()) };
        let owner = Value::from(class);
        match wrapper.0.kind() {
            Kind::Function => Ok(self.bound_method(&wrapper.0, &owner)),
            Kind::Property | Kind::ClassMethod | Kind::StaticMethod => {
                let meta = self.class_of(&owner);
                self.nested(|| self.bind(&wrapper.0, &owner, &meta))
            }
            _ if self.is_descriptor(&wrapper.0) && wrapper.0.kind() != Kind::NativeFunction => {
                let meta = self.class_of(&owner);
                self.bind(&wrapper.0, &owner, &meta)
            }
            _ => Ok(self.bound_method(&wrapper.0, &owner)),
        }
    }

    fn get_property(&self, found: &Value, object: &Value) -> R {
        let Some(property) = found.downcast::<Property>() else { return Ok(found.clone()) };
        if object.is_undef() {
            return Ok(found.clone());
        }
        let get = property.get.get();
        if get.is_none() || get.is_undef() {
            return Err(self.property_lacks(property, object, "getter"));
        }
        self.call(&get, std::slice::from_ref(object))
    }

    #[inline(never)]
    fn bind_other(&self, found: &Value, object: &Value, class: &Ref<Class>) -> R {
        if let Some(attribute) = found.downcast::<GetSet>() {
            if object.is_undef() {
                return Ok(found.clone());
            }
            return (attribute.get)(self, object);
        }
        if let Some(member) = found.downcast::<Member>() {
            if object.is_undef() {
                return Ok(found.clone());
            }
            let own = object.downcast::<Instance>().map(|instance| instance.get(&member.name)).unwrap_or_default();
            return if own.is_undef() { Err(self.no_attribute(object, &member.name)) } else { Ok(own) };
        }
        let get = self.class_of(found).lookup(&self.n.__get__);
        if get.is_undef() {
            return Ok(found.clone());
        }
        let object = if object.is_undef() { Value::None } else { object.clone() };
        self.call_slot(&get, found, &[object, Value::from(class)])
    }

    /// Sets (or deletes: `value` is `Undef`) through a data descriptor.
    pub(super) fn set_through(&self, found: &Value, object: &Value, name: &Ref<Str>, value: Value) -> R<()> {
        let deletes = value.is_undef();
        if let Some(property) = found.downcast::<Property>() {
            let (accessor, what) = if deletes { (property.delete.get(), "deleter") } else { (property.set.get(), "setter") };
            if accessor.is_none() || accessor.is_undef() {
                return Err(self.property_lacks(property, object, what));
            }
            let args = [object.clone(), value];
            self.call(&accessor, &args[..if deletes { 1 } else { 2 }])?;
            return Ok(());
        }
        if let Some(attribute) = found.downcast::<GetSet>() {
            return match attribute.set {
                Some(set) => set(self, object, &value),
                None if self.has_members(&attribute.owner) => Err(self.attribute_error("readonly attribute")),
                None => {
                    let owner = attribute.owner.name();
                    let message = format!("attribute '{}' of '{}' objects is not writable", name.as_str(), owner.as_str());
                    Err(self.attribute_error(message))
                }
            };
        }
        if let Some(member) = found.downcast::<Member>() {
            if let Some(instance) = object.downcast::<Instance>() {
                if !deletes {
                    instance.set(&member.name, value);
                } else if !instance.remove(&member.name) {
                    return Err(self.attribute_error(member.name.as_str()));
                }
            }
            return Ok(());
        }
        let (special, args) =
            if deletes { (&self.n.__delete__, vec![object.clone()]) } else { (&self.n.__set__, vec![object.clone(), value]) };
        match self.call_special(found, special, &args)? {
            Some(_) => Ok(()),
            None => Err(self.attribute_error(special.as_str())),
        }
    }

    /// The classes whose attributes CPython calls members, which word it differently that they cannot be set.
    fn has_members(&self, owner: &Ref<Class>) -> bool {
        let types = &self.types;
        let classes = [&types.range, &types.slice, &types.property, &types.method, &types.code, &types.function, &types.super_];
        classes.iter().any(|class| class.is(owner)) || owner.is(&types.base_exception_group)
    }

    /// Sets (or deletes) through a property or computed attribute that a script got hold of.
    pub(crate) fn set_through_property(&self, found: &Value, object: &Value, value: Value) -> R<()> {
        let name = match found.downcast::<GetSet>() {
            Some(attribute) => attribute.name.clone(),
            None => self.n.__set__.clone(),
        };
        self.set_through(found, object, &name, value)
    }

    #[cold]
    #[inline(never)]
    fn property_lacks(&self, property: &Ref<Property>, object: &Value, what: &str) -> crate::value::Raised {
        let class = self.class_of(object).qualname.get();
        let name = property.name.get();
        let message = match name.as_str() {
            Some(name) => format!("property '{name}' of '{}' object has no {what}", class.as_str()),
            None => format!("property of '{}' object has no {what}", class.as_str()),
        };
        self.attribute_error(message)
    }

    /// The descriptor for a name in the `__slots__` of the class, `Undef` if it is none.
    pub(super) fn slot_member(&self, class: &Ref<Class>, name: &Ref<Str>) -> Value {
        for owner in class.mro.get().iter() {
            let has = owner.slots.with(|slots| slots.as_ref().is_some_and(|names| names.iter().any(|known| known.is(name))));
            if has {
                return Value::from(self.heap.alloc(Member { name: name.clone(), owner: owner.clone() }));
            }
        }
        Value::Undef
    }
}
