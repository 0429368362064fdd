//! Attributes: the rules of lookup, with descriptors.
//!
//! `load` here finds attributes, `store.rs` sets and deletes them, `descriptor.rs` has the descriptor protocol, `suggest.rs` guesses what a
//! misspelt name was meant to be. What attributes built-in objects have is written where their classes are (`builtins/`), as
//! rows: nothing here knows single names.

mod descriptor;
mod store;
mod suggest;

pub use suggest::suggest;

use super::Vm;
use super::function::{Args, BoundMethod, Function, Super};
use crate::value::{Class, Exception, Instance, Kind, Module, R, Raised, Ref, Str, Value};

impl Vm {
    /// `object.name`. `name` is interned.
    pub fn get_attr(&self, object: &Value, name: &Ref<Str>) -> R {
        let found = self.find(object, name)?;
        if found.is_undef() {
            return Err(self.no_attribute(object, name));
        }
        Ok(found)
    }

    /// `getattr(object, name, None)` as an option.
    pub fn find_attr(&self, object: &Value, name: &Ref<Str>) -> R<Option<Value>> {
        let found = self.find(object, name);
        let found = self.catch(found, &self.types.attribute_error)?;
        Ok(found.filter(|value| !value.is_undef()))
    }

    /// `object.name` for a call: what to call, and whether `object` is to be its first argument. Makes no bound method for
    /// methods.
    #[inline]
    pub fn load_method(&self, object: &Value, name: &Ref<Str>) -> R<(Value, bool)> {
        let class = match object {
            Value::Obj(reference) => match reference.kind() {
                Kind::Instance => {
                    let class = self.class_of(object);
                    if !self.has_default_lookup(&class) {
                        return Ok((self.get_attr(object, name)?, false));
                    }
                    class
                }
                Kind::Class | Kind::Module | Kind::Super | Kind::Exception | Kind::Function | Kind::BoundMethod => {
                    return Ok((self.get_attr(object, name)?, false));
                }
                _ => self.class_of(object),
            },
            _ => self.class_of(object),
        };
        let found = class.lookup(name);
        if Self::is_plain_method(&found) {
            if let Some(instance) = object.downcast::<Instance>() {
                let own = instance.get(name);
                if !own.is_undef() {
                    return Ok((own, false));
                }
            }
            return Ok((found, true));
        }
        Ok((self.get_attr(object, name)?, false))
    }

    /// The attribute as the class and its bases define it, not bound; `Undef` if they do not.
    #[inline]
    pub fn lookup_on_class(&self, class: &Ref<Class>, name: &Ref<Str>) -> Value {
        class.lookup(name)
    }

    /// The special method `name` as the class of `object` defines it, bound to `object`; `None` if it has none.
    pub fn special(&self, object: &Value, name: &Ref<Str>) -> R<Option<Value>> {
        let class = self.class_of(object);
        match class.lookup(name) {
            Value::Undef => Ok(None),
            found => self.bind(&found, object, &class).map(Some),
        }
    }

    /// The same for a call: the method, and the object that is to be its first argument, `Undef` if it is bound.
    pub(crate) fn special_parts(&self, object: &Value, name: &Ref<Str>) -> R<Option<(Value, Value)>> {
        let class = self.class_of(object);
        match class.lookup(name) {
            Value::Undef => Ok(None),
            found if Self::is_plain_method(&found) => Ok(Some((found, object.clone()))),
            found => Ok(Some((self.bind(&found, object, &class)?, Value::Undef))),
        }
    }

    /// Calls the special method `name` of `object`; `None` if it has none.
    #[inline]
    pub fn call_special(&self, object: &Value, name: &Ref<Str>, args: &[Value]) -> R<Option<Value>> {
        match self.class_of(object).lookup(name) {
            Value::Undef => Ok(None),
            found => self.call_slot(&found, object, args).map(Some),
        }
    }

    /// Whether instances of the class are looked up in the ordinary way: nobody overrides `__getattribute__`.
    #[inline]
    pub fn has_default_lookup(&self, class: &Ref<Class>) -> bool {
        self.is_native_of(&class.lookup(&self.n.__getattribute__), &self.types.object)
    }

    /// Whether instances of the class are set in the ordinary way: nobody overrides `__setattr__`.
    #[inline]
    pub fn has_default_store(&self, class: &Ref<Class>) -> bool {
        let native = |class: &Ref<Class>, name| self.is_native_of(&class.lookup(name), &self.types.object);
        native(class, &self.n.__setattr__)
    }

    /// The attribute, `Undef` if there is none. A hook of a script class (`__getattr__`) raises what it raises.
    fn find(&self, object: &Value, name: &Ref<Str>) -> R {
        match object {
            Value::Obj(reference) => match reference.kind() {
                Kind::Instance | Kind::Exception => self.load_hooked(object, &self.class_of(object), name),
                Kind::Class => self.load_from_class(object, name),
                Kind::Module => self.load_from_module(object, name),
                Kind::Super => self.load_from_super(object, name),
                Kind::BoundMethod => self.load_from_method(object, name),
                Kind::Native => self.load_hooked(object, &self.class_of(object), name),
                _ => self.load_plainly(object, &self.class_of(object), name),
            },
            _ => self.load_plainly(object, &self.class_of(object), name),
        }
    }

    /// Lookup in an object whose class may have `__getattribute__` and `__getattr__`.
    fn load_hooked(&self, object: &Value, class: &Ref<Class>, name: &Ref<Str>) -> R {
        let hook = class.lookup(&self.n.__getattribute__);
        let found = if self.is_native_of(&hook, &self.types.object) {
            self.load_plainly(object, class, name)
        } else {
            self.nested(|| self.call_slot(&hook, object, &[Value::from(name)]))
        };
        self.or_getattr(found, object, class, name)
    }

    /// Falls back on `__getattr__` when the attribute is missing or an `AttributeError` is on its way.
    fn or_getattr(&self, found: R, object: &Value, class: &Ref<Class>, name: &Ref<Str>) -> R {
        let missing = match &found {
            Ok(value) => value.is_undef(),
            Err(_) => self.raised_is(&self.types.attribute_error),
        };
        if !missing {
            return found;
        }
        match class.lookup(&self.n.__getattr__) {
            Value::Undef => found,
            hook => {
                if found.is_err() {
                    drop(self.take_raised());
                }
                self.nested(|| self.call_slot(&hook, object, &[Value::from(name)]))
            }
        }
    }

    /// What `object.__getattribute__` does, `Undef` if there is no such attribute.
    pub(crate) fn load_plainly(&self, object: &Value, class: &Ref<Class>, name: &Ref<Str>) -> R {
        let on_class = class.lookup(name);
        if !on_class.is_undef() && self.is_data_descriptor(&on_class) && self.can_get(&on_class) {
            return self.bind(&on_class, object, class);
        }
        let own = self.own_attribute(object, name);
        if !own.is_undef() {
            return Ok(own);
        }
        if on_class.is_undef() {
            return Ok(Value::Undef);
        }
        self.bind(&on_class, object, class)
    }

    /// The attribute in the object's own namespace.
    pub(crate) fn own_attribute(&self, object: &Value, name: &Ref<Str>) -> Value {
        let Value::Obj(reference) = object else { return Value::Undef };
        if let Some(instance) = reference.downcast::<Instance>() {
            return instance.get(name);
        }
        if let Some(exception) = reference.downcast::<Exception>() {
            let dict = exception.attributes.get();
            return dict.and_then(|dict| dict.get_str(name)).unwrap_or_default();
        }
        if let Some(function) = reference.downcast::<Function>() {
            let dict = function.extra.with(|extra| extra.as_ref().and_then(|extra| extra.dict.clone()));
            return dict.and_then(|dict| dict.get_str(name)).unwrap_or_default();
        }
        if let Some(module) = reference.downcast::<Module>() {
            return module.dict.get_str(name).unwrap_or_default();
        }
        Value::Undef
    }

    fn load_from_class(&self, object: &Value, name: &Ref<Str>) -> R {
        let Some(class) = object.downcast::<Class>() else { return Ok(Value::Undef) };
        let meta = class.metaclass.get();
        let found = match &meta {
            Some(meta) => {
                let hook = meta.lookup(&self.n.__getattribute__);
                let is_default = self.is_native_of(&hook, &self.types.object) || self.is_native_of(&hook, &self.types.type_);
                if is_default {
                    self.load_class_plainly(class, meta, name)
                } else {
                    self.nested(|| self.call_slot(&hook, object, &[Value::from(name)]))
                }
            }
            None => self.load_class_plainly(class, &self.types.type_, name),
        };
        match &meta {
            Some(meta) => self.or_getattr(found, object, meta, name),
            None => found,
        }
    }

    /// What `type.__getattribute__` does.
    pub(crate) fn load_class_plainly(&self, class: &Ref<Class>, meta: &Ref<Class>, name: &Ref<Str>) -> R {
        let on_meta = meta.lookup(name);
        if !on_meta.is_undef() && self.is_data_descriptor(&on_meta) {
            return self.bind(&on_meta, &Value::from(class), meta);
        }
        let found = class.lookup(name);
        if !found.is_undef() {
            return match found.kind() {
                Kind::Function | Kind::Class => Ok(found),
                _ => self.bind(&found, &Value::Undef, class),
            };
        }
        if !on_meta.is_undef() {
            return self.bind(&on_meta, &Value::from(class), meta);
        }
        Ok(self.slot_member(class, name))
    }

    fn load_from_module(&self, object: &Value, name: &Ref<Str>) -> R {
        let Some(module) = object.downcast::<Module>() else { return Ok(Value::Undef) };
        if let Some(found) = module.dict.get_str(name) {
            return Ok(found);
        }
        let class = self.class_of(object);
        let found = self.load_plainly(object, &class, name)?;
        if !found.is_undef() {
            return Ok(found);
        }
        match module.dict.get_str(&self.n.__getattr__) {
            Some(hook) => self.nested(|| self.call(&hook, &[Value::from(name)])),
            None => Ok(Value::Undef),
        }
    }

    fn load_from_super(&self, object: &Value, name: &Ref<Str>) -> R {
        let Some(view) = object.downcast::<Super>() else { return Ok(Value::Undef) };
        if let (Some(class), Some(this_class)) = (view.class.downcast::<Class>(), view.this_class.downcast::<Class>())
            && !name.is(&self.n.__class__)
        {
            let found = this_class.lookup_after(class, name);
            if !found.is_undef() {
                // Bound to the class itself when the search is for its own methods.
                let this = if view.this.is(&view.this_class) { &Value::Undef } else { &view.this };
                return self.bind(&found, this, this_class);
            }
        }
        self.load_plainly(object, &self.types.super_, name)
    }

    /// A bound method has the attributes of its function.
    fn load_from_method(&self, object: &Value, name: &Ref<Str>) -> R {
        let found = self.load_plainly(object, &self.class_of(object), name)?;
        match object.downcast::<BoundMethod>() {
            Some(method) if found.is_undef() => self.find(&method.function, name),
            _ => Ok(found),
        }
    }

    /// The attribute of a super view, for the evaluator: `super().name`, without the view. Like `load_method`, it says whether
    /// `this` is to be the first argument.
    pub fn load_super_method(&self, class: &Ref<Class>, this: &Value, name: &Ref<Str>) -> R<(Value, bool)> {
        if this.kind() == Kind::Instance || this.kind() == Kind::Exception {
            let this_class = self.class_of(this);
            if this_class.is_subclass(class) {
                let found = this_class.lookup_after(class, name);
                if Self::is_plain_method(&found) {
                    return Ok((found, true));
                }
            }
        }
        let view = self.make_super(&Value::from(class), this)?;
        Ok((self.get_attr(&view, name)?, false))
    }

    /// The exception for a missing attribute.
    #[cold]
    #[inline(never)]
    pub fn no_attribute(&self, object: &Value, name: &Ref<Str>) -> Raised {
        // A method has the attributes of its function, so it is the function that lacks this one.
        let object = match object.downcast::<BoundMethod>() {
            Some(method) if method.function.kind() == Kind::Function => &method.function,
            _ => object,
        };
        let message = match object.kind() {
            Kind::Class => match object.downcast::<Class>() {
                Some(class) => format!("type object '{}' has no attribute '{}'", class.name().as_str(), name.as_str()),
                None => String::new(),
            },
            Kind::Module => match object.downcast::<Module>() {
                Some(module) => {
                    let known = module.dict.get_str(&self.n.__name__);
                    let shown = known.as_ref().and_then(|n| n.as_str()).unwrap_or(module.name.as_str());
                    format!("module '{shown}' has no attribute '{}'", name.as_str())
                }
                None => String::new(),
            },
            _ => format!("'{}' object has no attribute '{}'", self.class_of(object).name().as_str(), name.as_str()),
        };
        self.attribute_error_for(&message, object, name)
    }

    /// An `AttributeError` that knows its object and name.
    #[cold]
    #[inline(never)]
    pub fn attribute_error_for(&self, message: &str, object: &Value, name: &Ref<Str>) -> Raised {
        let exception = self.exception(&self.types.attribute_error, vec![self.str_value(message)]);
        if let Some(raised) = exception.downcast::<Exception>() {
            raised.fields.set(Box::new([Value::from(name), object.clone()]));
        }
        self.raise_new(exception)
    }

    /// The class as a message names it, with its module unless it is a built-in one (`collections.deque`).
    pub(crate) fn type_name(&self, class: &Ref<Class>) -> String {
        class.name().as_str().to_owned()
    }

    /// Calls `object.__getattribute__` for super classes: the whole default lookup with an error at its end.
    pub fn default_get_attr(&self, object: &Value, name: &Ref<Str>) -> R {
        let found = match object.downcast::<Class>() {
            Some(class) => self.load_class_plainly(class, &self.class_of(object), name)?,
            None => match object.kind() {
                Kind::Instance | Kind::Exception | Kind::Native => self.load_plainly(object, &self.class_of(object), name)?,
                _ => self.find(object, name)?,
            },
        };
        if found.is_undef() {
            return Err(self.no_attribute(object, name));
        }
        Ok(found)
    }

    /// A method by name with its arguments, for callers with keywords.
    pub fn call_method_with(&self, object: &Value, name: &Ref<Str>, args: Args<'_>) -> R {
        let (callable, is_method) = self.load_method(object, name)?;
        if is_method { self.call_bound(&callable, object, args) } else { self.call_with(&callable, args) }
    }
}
