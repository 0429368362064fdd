//! `property`, `staticmethod` and `classmethod`.

use crate::native::define_methods;
use crate::rows;
use crate::value::{Class, Kind, R, Ref, Value};
use crate::vm::function::{ClassMethod, Property, StaticMethod};
use crate::vm::{Args, Vm};

pub fn install(vm: &Vm) {
    define_methods(
        vm,
        &vm.types.property,
        &rows![
            static "__new__", "cls, *args, **kwargs" => new(0);
            "__init__", "fget=None, fset=None, fdel=None, doc=None" => init(0 1 2 3 4);
            "__get__", "instance, owner=None, /" => get(0 1);
            "__set__", "instance, value, /" => set(0 1 2);
            "__delete__", "instance, /" => delete(0 1);
            "__set_name__", "owner, name, /" => set_name(0 1 2);
            "getter", "object, /" => with_getter(0 1);
            "setter", "object, /" => with_setter(0 1);
            "deleter", "object, /" => with_deleter(0 1);
            get "fget" => fget(0);
            get "fset" => fset(0);
            get "fdel" => fdel(0);
            get "__doc__" => doc(0), set set_doc(0 1);
            get "__isabstractmethod__" => is_abstract(0);
        ],
    );
    define_methods(
        vm,
        &vm.types.staticmethod,
        &rows![
            static "__new__", "cls, function, /" => new_static(0 1);
            "__init__", "function, /" => accept(0);
            raw "__call__", "*args, **kwargs" => call_static;
            "__get__", "instance, owner=None, /" => static_function(0);
            get "__func__" => static_function(0);
            get "__wrapped__" => static_function(0);
            get "__isabstractmethod__" => static_is_abstract(0);
            get "__name__" => static_name(0);
            get "__qualname__" => static_qualname(0);
            get "__doc__" => static_doc(0);
            get "__module__" => static_module(0);
            get "__annotations__" => static_annotations(0);
        ],
    );
    define_methods(
        vm,
        &vm.types.classmethod,
        &rows![
            static "__new__", "cls, function, /" => new_class(0 1);
            "__init__", "function, /" => accept(0);
            "__get__", "instance, owner=None, /" => bind_class(0 1 2);
            get "__func__" => class_function(0);
            get "__wrapped__" => class_function(0);
            get "__isabstractmethod__" => class_is_abstract(0);
            get "__name__" => class_name(0);
            get "__qualname__" => class_qualname(0);
            get "__doc__" => class_doc(0);
            get "__module__" => class_module(0);
            get "__annotations__" => class_annotations(0);
        ],
    );
}

fn or_none(value: &Value) -> Value {
    if value.is_undef() { Value::None } else { value.clone() }
}

fn new(vm: &Vm, class: &Ref<Class>) -> R {
    vm.wrap_new(class, Value::from(vm.heap.alloc(Property::default())))
}

fn init(vm: &Vm, this: &Value, get: &Value, set: &Value, delete: &Value, doc: &Value) -> R<()> {
    let Some(property) = this.payload::<Property>() else { return Ok(()) };
    let get = or_none(get);
    let mut doc = or_none(doc);
    if !property.get.get().is_undef() {
        // Places of attribute access may remember the accessors.
        vm.heap.bump_epoch();
    }
    property.doc_of_getter.set(false);
    if doc.is_none() && !get.is_none() {
        doc = vm.find_attr(&get, &vm.n.__doc__)?.unwrap_or(Value::None);
        property.doc_of_getter.set(!doc.is_none());
    }
    property.get.set(get);
    property.set.set(or_none(set));
    property.delete.set(or_none(delete));
    property.doc.set(doc.clone());
    if this.kind() != Kind::Property {
        // The documentation of a derived class would hide that of its instance.
        let stored = vm.set_attr(this, &vm.n.__doc__, doc);
        vm.catch(stored, &vm.types.attribute_error)?;
    }
    Ok(())
}

fn get(vm: &Vm, this: &Value, instance: &Value) -> R {
    if instance.is_none() {
        return Ok(this.clone());
    }
    vm.bind(this.unwrapped(), instance, &vm.class_of(instance))
}

fn set(vm: &Vm, this: &Value, instance: &Value, value: Value) -> R<()> {
    vm.set_through_property(this.unwrapped(), instance, value)
}

fn delete(vm: &Vm, this: &Value, instance: &Value) -> R<()> {
    vm.set_through_property(this.unwrapped(), instance, Value::Undef)
}

fn set_name(_vm: &Vm, this: &Ref<Property>, _owner: &Value, name: &Value) {
    this.name.set(name.clone());
}

/// Another property with one part exchanged, of the same class.
fn with(vm: &Vm, this: &Value, index: usize, part: &Value) -> R {
    let Some(property) = this.payload::<Property>() else { return Ok(Value::None) };
    let mut parts = [property.get.get(), property.set.get(), property.delete.get(), Value::None];
    parts[index] = part.clone();
    if !property.doc_of_getter.get() || parts[0].is_none() {
        parts[3] = property.doc.get();
    }
    let made = vm.call(&Value::from(vm.class_of(this)), &parts)?;
    if let Some(copy) = made.payload::<Property>() {
        copy.name.set(property.name.get());
    }
    Ok(made)
}

fn with_getter(vm: &Vm, this: &Value, part: &Value) -> R {
    with(vm, this, 0, part)
}

fn with_setter(vm: &Vm, this: &Value, part: &Value) -> R {
    with(vm, this, 1, part)
}

fn with_deleter(vm: &Vm, this: &Value, part: &Value) -> R {
    with(vm, this, 2, part)
}

fn fget(_vm: &Vm, this: &Ref<Property>) -> Value {
    or_none(&this.get.get())
}

fn fset(_vm: &Vm, this: &Ref<Property>) -> Value {
    or_none(&this.set.get())
}

fn fdel(_vm: &Vm, this: &Ref<Property>) -> Value {
    or_none(&this.delete.get())
}

fn doc(_vm: &Vm, this: &Ref<Property>) -> Value {
    or_none(&this.doc.get())
}

fn set_doc(_vm: &Vm, this: &Ref<Property>, value: &Value) -> R<()> {
    this.doc.set(or_none(value));
    Ok(())
}

/// Whether something is marked as an abstract method.
fn marked(vm: &Vm, part: &Value) -> R<bool> {
    match vm.find_attr(part, &vm.n.__isabstractmethod__)? {
        Some(mark) => vm.truthy(&mark),
        None => Ok(false),
    }
}

fn is_abstract(vm: &Vm, this: &Ref<Property>) -> R<bool> {
    for part in [this.get.get(), this.set.get(), this.delete.get()] {
        if !part.is_none() && marked(vm, &part)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// `__new__` has done it all.
fn accept(_vm: &Vm, _this: &Value) {}

fn new_static(vm: &Vm, class: &Ref<Class>, function: Value) -> R {
    let made = Value::from(vm.heap.alloc(StaticMethod(function)));
    vm.wrap_new(class, made)
}

fn call_static(vm: &Vm, args: Args<'_>) -> R {
    match args.positional.split_first() {
        Some((this, rest)) => match this.payload::<StaticMethod>() {
            Some(wrapper) => vm.call_with(&wrapper.0, Args { positional: rest, keywords: args.keywords }),
            None => Err(vm.type_error("descriptor '__call__' requires a 'staticmethod' object")),
        },
        None => Err(vm.type_error("descriptor '__call__' of 'staticmethod' object needs an argument")),
    }
}

fn static_function(_vm: &Vm, this: &Ref<StaticMethod>) -> Value {
    this.0.clone()
}

fn new_class(vm: &Vm, class: &Ref<Class>, function: Value) -> R {
    let made = Value::from(vm.heap.alloc(ClassMethod(function)));
    vm.wrap_new(class, made)
}

fn class_function(_vm: &Vm, this: &Ref<ClassMethod>) -> Value {
    this.0.clone()
}

fn bind_class(vm: &Vm, this: &Value, instance: &Value, owner: &Value) -> R {
    let class = match owner.downcast::<Class>() {
        Some(class) => class.clone(),
        None => vm.class_of(instance),
    };
    vm.bind(this.unwrapped(), &Value::Undef, &class)
}

/// The attributes of the function inside.
macro_rules! forwarded {
    ($($wrapper:ident $abstract_:ident $name:ident $qualname:ident $doc:ident $module:ident $annotations:ident;)*) => {
        $(
            fn $abstract_(vm: &Vm, this: &Ref<$wrapper>) -> R<bool> {
                marked(vm, &this.0)
            }

            fn $name(vm: &Vm, this: &Ref<$wrapper>) -> R {
                vm.get_attr(&this.0, &vm.n.__name__)
            }

            fn $qualname(vm: &Vm, this: &Ref<$wrapper>) -> R {
                vm.get_attr(&this.0, &vm.n.__qualname__)
            }

            fn $doc(vm: &Vm, this: &Ref<$wrapper>) -> R {
                Ok(vm.find_attr(&this.0, &vm.n.__doc__)?.unwrap_or(Value::None))
            }

            fn $module(vm: &Vm, this: &Ref<$wrapper>) -> R {
                vm.get_attr(&this.0, &vm.n.__module__)
            }

            fn $annotations(vm: &Vm, this: &Ref<$wrapper>) -> R {
                vm.get_attr(&this.0, &vm.n.__annotations__)
            }
        )*
    };
}

forwarded! {
    StaticMethod static_is_abstract static_name static_qualname static_doc static_module static_annotations;
    ClassMethod class_is_abstract class_name class_qualname class_doc class_module class_annotations;
}
