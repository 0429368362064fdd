//! Setting and deleting attributes.

use super::super::Vm;
use super::super::function::{Function, FunctionExtra};
use crate::value::{Class, Exception, Instance, Kind, Module, R, Raised, Ref, Str, Value};

impl Vm {
    /// `object.name = value`.
    pub fn set_attr(&self, object: &Value, name: &Ref<Str>, value: Value) -> R<()> {
        match object.kind() {
            Kind::Instance | Kind::Exception | Kind::Class | Kind::Native => {
                let class = self.class_of(object);
                let hook = class.lookup(&self.n.__setattr__);
                if self.is_native_of(&hook, &self.types.object) || self.is_native_of(&hook, &self.types.type_) {
                    return self.store(object, &class, name, value);
                }
                self.nested(|| self.call_slot(&hook, object, &[Value::from(name), value])).map(drop)
            }
            _ => self.store(object, &self.class_of(object), name, value),
        }
    }

    /// `del object.name`.
    pub fn del_attr(&self, object: &Value, name: &Ref<Str>) -> R<()> {
        let class = self.class_of(object);
        let hook = class.lookup(&self.n.__delattr__);
        if self.is_native_of(&hook, &self.types.object) || self.is_native_of(&hook, &self.types.type_) || hook.is_undef() {
            return self.store(object, &class, name, Value::Undef);
        }
        self.nested(|| self.call_slot(&hook, object, &[Value::from(name)])).map(drop)
    }

    /// What `object.__setattr__` does, and with `Undef` what `object.__delattr__` does.
    pub fn default_set_attr(&self, object: &Value, name: &Ref<Str>, value: Value) -> R<()> {
        self.store(object, &self.class_of(object), name, value)
    }

    fn store(&self, object: &Value, class: &Ref<Class>, name: &Ref<Str>, value: Value) -> R<()> {
        let on_class = class.lookup(name);
        if !on_class.is_undef() && self.is_data_descriptor(&on_class) {
            return self.set_through(&on_class, object, name, value);
        }
        let Value::Obj(reference) = object else { return Err(self.cannot_set(object, class, name, &on_class)) };
        if let Some(instance) = reference.downcast::<Instance>() {
            return self.store_in_instance(object, instance, class, name, value, &on_class);
        }
        if let Some(owner) = reference.downcast::<Class>() {
            return self.store_in_class(owner, object, name, value);
        }
        let dict = if let Some(module) = reference.downcast::<Module>() {
            module.dict.clone()
        } else if let Some(exception) = reference.downcast::<Exception>() {
            self.exception_dict(exception)
        } else if let Some(function) = reference.downcast::<Function>() {
            self.function_dict(function)
        } else {
            return Err(self.cannot_set(object, class, name, &on_class));
        };
        if !value.is_undef() {
            dict.set_str(name, value);
            return Ok(());
        }
        match dict.remove_str(name) {
            Some(_) => Ok(()),
            None if reference.kind() == Kind::Module => {
                let message = format!("'module' object has no attribute '{}'", name.as_str());
                Err(self.attribute_error_for(&message, object, name))
            }
            None => Err(self.no_attribute(object, name)),
        }
    }

    fn store_in_instance(
        &self,
        object: &Value,
        instance: &Ref<Instance>,
        class: &Ref<Class>,
        name: &Ref<Str>,
        value: Value,
        on_class: &Value,
    ) -> R<()> {
        let allowed = class.slots.with(|slots| slots.as_ref().is_none_or(|names| names.iter().any(|known| known.is(name))));
        if !allowed {
            return Err(self.cannot_set(object, class, name, on_class));
        }
        if !value.is_undef() {
            instance.set(name, value);
            return Ok(());
        }
        if instance.remove(name) {
            return Ok(());
        }
        if class.slots.with(Option::is_some) {
            return Err(self.attribute_error_for(name.as_str(), object, name));
        }
        Err(self.no_attribute(object, name))
    }

    fn store_in_class(&self, class: &Ref<Class>, object: &Value, name: &Ref<Str>, value: Value) -> R<()> {
        if !class.is_script {
            return Err(self.type_error(format!(
                "cannot set '{}' attribute of immutable type '{}'",
                name.as_str(),
                self.type_name(class)
            )));
        }
        if value.is_undef() {
            if class.remove_attribute(name) {
                return Ok(());
            }
            return Err(self.no_attribute(object, name));
        }
        class.set_attribute(name, value);
        Ok(())
    }

    /// The dict of an exception's further attributes.
    pub(crate) fn exception_dict(&self, exception: &Ref<Exception>) -> Ref<crate::value::Dict> {
        if let Some(dict) = exception.attributes.get() {
            return dict;
        }
        let dict = self.heap.dict();
        exception.attributes.set(Some(dict.clone()));
        dict
    }

    /// The dict of a function's further attributes.
    pub(crate) fn function_dict(&self, function: &Ref<Function>) -> Ref<crate::value::Dict> {
        let known = function.extra.with(|extra| extra.as_ref().and_then(|extra| extra.dict.clone()));
        if let Some(dict) = known {
            return dict;
        }
        let dict = self.heap.dict();
        self.set_function_dict(function, dict.clone());
        dict
    }

    /// `function.__dict__ = dict`.
    pub(crate) fn set_function_dict(&self, function: &Ref<Function>, dict: Ref<crate::value::Dict>) {
        let old = function.extra.with_mut(|extra| extra.get_or_insert_default().dict.replace(dict));
        drop(old);
    }

    /// Changes what a function keeps beside its code. The closure returns what it replaces, to be dropped outside.
    pub(crate) fn change_function<T>(&self, function: &Ref<Function>, change: impl FnOnce(&mut FunctionExtra) -> T) -> T {
        if function.extra.with(Option::is_none) {
            self.heap.charge(size_of::<FunctionExtra>());
        }
        function.extra.with_mut(|extra| change(extra.get_or_insert_default()))
    }

    #[cold]
    #[inline(never)]
    fn cannot_set(&self, object: &Value, class: &Ref<Class>, name: &Ref<Str>, on_class: &Value) -> Raised {
        let class = self.type_name(class);
        let message = if on_class.is_undef() {
            format!("'{class}' object has no attribute '{}'", name.as_str())
        } else {
            format!("'{class}' object attribute '{}' is read-only", name.as_str())
        };
        self.attribute_error_for(&message, object, name)
    }
}
