//! Classes: of values, and what is asked of them. `build.rs` makes classes, `check.rs` has `isinstance` and `issubclass`.

mod build;
mod check;
mod mro;

pub use build::ClassStart;

use super::Vm;
use super::function::{Binding, BoundMethod, NativeFunction, Super};
use crate::value::{Base, Class, Exception, Instance, Kind, ObjRef, R, Ref, Value};

impl Vm {
    /// `type(value)`.
    #[inline]
    pub fn class_of(&self, value: &Value) -> Ref<Class> {
        match value {
            Value::Obj(object) => self.class_of_object(object),
            Value::Int(_) => self.types.int.clone(),
            Value::Float(_) => self.types.float.clone(),
            Value::Bool(_) => self.types.bool_.clone(),
            Value::NotImplemented => self.types.not_implemented.clone(),
            Value::Ellipsis => self.types.ellipsis.clone(),
            _ => self.types.none.clone(),
        }
    }

    #[inline]
    fn class_of_object(&self, object: &ObjRef) -> Ref<Class> {
        if let Some(instance) = object.downcast::<Instance>() {
            return instance.class();
        }
        if let Some(exception) = object.downcast::<Exception>() {
            return exception.class.get();
        }
        if let Some(class) = object.downcast::<Class>() {
            return class.metaclass.get().unwrap_or_else(|| self.types.type_.clone());
        }
        if let Some(function) = object.downcast::<NativeFunction>() {
            return self.class_of_native_function(function);
        }
        if let Some(method) = object.downcast::<BoundMethod>()
            && let Some(function) = method.function.downcast::<NativeFunction>()
        {
            return if is_wrapper(function) { self.types.method_wrapper.clone() } else { self.types.native_function.clone() };
        }
        self.types.at(object.class_index()).unwrap_or_else(|| self.types.object.clone())
    }

    fn class_of_native_function(&self, function: &Ref<NativeFunction>) -> Ref<Class> {
        if function.binding != Binding::Method || !function.owner.with(|owner| owner.kind() == Kind::Class) {
            return self.types.native_function.clone();
        }
        if is_wrapper(function) { self.types.wrapper_descriptor.clone() } else { self.types.method_descriptor.clone() }
    }

    /// Whether `value` is an instance of `class` by its type's linearised bases (no `__instancecheck__`).
    #[inline]
    pub fn is_instance(&self, value: &Value, class: &Ref<Class>) -> bool {
        let of = self.class_of(value);
        of.is(class) || of.is_subclass(class)
    }

    /// The class whose instances a built-in constructor was asked for: `value` as it is for the built-in class itself, inside an
    /// instance for a script class derived from it.
    pub fn wrap_new(&self, class: &Ref<Class>, value: Value) -> R {
        if !class.is_script && (class.base == Base::Object || self.class_of(&value).is(class)) {
            return Ok(value);
        }
        if !class.lookup(&self.n.__abstractmethods__).is_undef() {
            // An abstract class derived from a built-in one is not checked by `__new__` in CPython either.
        }
        // The inner value is of the built-in type itself: what was copied from another derived instance sheds its class.
        let made = self.heap.instance_of_base(class, value.unwrapped().clone());
        self.watch_finalizer(&made, class);
        Ok(Value::from(made))
    }

    /// `super(class, this)`, and what a bare `super()` in a method is.
    pub fn make_super(&self, class: &Value, this: &Value) -> R {
        let Some(after) = class.downcast::<Class>() else {
            return Err(
                self.type_error(format!("super() argument 1 must be a type, not {}", self.class_of(class).name().as_str()))
            );
        };
        let this_class = match this.downcast::<Class>() {
            Some(this) if this.is_subclass(after) => Value::from(this),
            _ => {
                let mut of = self.class_of(this);
                // A proxy may say whose instance it stands for.
                if !of.is_subclass(after)
                    && let Some(said) = self.find_attr(this, &self.n.__class__)?
                    && let Some(said) = said.downcast::<Class>()
                {
                    of = said.clone();
                }
                if !of.is_subclass(after) {
                    return Err(self.type_error("super(type, obj): obj must be an instance or subtype of type"));
                }
                Value::from(of)
            }
        };
        Ok(Value::from(self.heap.alloc(Super { class: class.clone(), this: this.clone(), this_class })))
    }

    /// `__class__ = class`: only between classes of one layout.
    pub fn change_class(&self, object: &Value, class: &Value) -> R<()> {
        let Some(class) = class.downcast::<Class>() else {
            let given = self.class_of(class).name();
            return Err(self.type_error(format!("__class__ must be set to a class, not '{}' object", given.as_str())));
        };
        let old = self.class_of(object);
        let is_mutable = |class: &Ref<Class>| class.is_script;
        if !is_mutable(&old) || !is_mutable(class) {
            if object.kind() == Kind::Module && class.is_subclass(&self.types.module) {
                return Err(self.not_implemented_error("assigning a module's __class__ is not supported"));
            }
            return Err(self.type_error("__class__ assignment only supported for mutable types or ModuleType subclasses"));
        }
        let (had, has) = (old.slots.get(), class.slots.get());
        let same_slots = match (&had, &has) {
            (None, None) => true,
            (Some(a), Some(b)) => a.len() == b.len() && a.iter().all(|a| b.iter().any(|b| a.is(b))),
            _ => false,
        };
        if old.base != class.base || !same_slots {
            let (new, old) = (class.name(), old.name());
            return Err(self.type_error(format!(
                "__class__ assignment: '{}' object layout differs from '{}'",
                new.as_str(),
                old.as_str()
            )));
        }
        if let Some(instance) = object.downcast::<Instance>() {
            instance.set_class(class);
            if !class.lookup(&self.n.__del__).is_undef() {
                instance.as_obj().request_finalizer();
            }
        } else if let Some(exception) = object.downcast::<Exception>() {
            exception.class.set(class.clone());
        } else if let Some(changed) = object.downcast::<Class>() {
            changed.metaclass.set(Some(class.clone()));
            self.heap.bump_epoch();
        }
        Ok(())
    }

    /// Whether the class's instances are exceptions, classes, plain objects, or hold a built-in value.
    pub fn layout_of(&self, class: &Ref<Class>) -> Base {
        class.base
    }
}

/// Whether a native method is what CPython calls a slot wrapper.
fn is_wrapper(function: &Ref<NativeFunction>) -> bool {
    let name = function.name.as_str();
    name.starts_with("__")
        && !matches!(
            name,
            "__format__"
                | "__reduce__"
                | "__reduce_ex__"
                | "__dir__"
                | "__sizeof__"
                | "__init_subclass__"
                | "__subclasshook__"
                | "__class_getitem__"
                | "__instancecheck__"
                | "__subclasscheck__"
                | "__subclasses__"
                | "__prepare__"
                | "__round__"
                | "__ceil__"
                | "__floor__"
                | "__trunc__"
                | "__reversed__"
                | "__getnewargs__"
                | "__copy__"
                | "__deepcopy__"
                | "__enter__"
                | "__exit__"
                | "__length_hint__"
                | "__getstate__"
                | "__setstate__"
        )
}
