//! `super`. A bare `super()` in a method is made by the evaluator, which knows the class and the first argument.

use super::object::attribute_name;
use crate::native::define_methods;
use crate::rows;
use crate::value::{Class, Kind, R, Ref, Value};
use crate::vm::Vm;
use crate::vm::function::Super;

pub fn install(vm: &Vm) {
    define_methods(
        vm,
        &vm.types.super_,
        &rows![
            static "__new__", "cls, type=None, object_or_type=None, /" => new(0 1 2);
            "__init__", "*args, **kwargs" => init(0);
            "__get__", "instance, owner=None, /" => bind(0 1);
            "__getattribute__", "name, /" => get_attribute(0 1);
            get "__thisclass__" => this_class(0);
            get "__self__" => this(0);
            get "__self_class__" => self_class(0);
        ],
    );
}

fn new(vm: &Vm, of: &Ref<Class>, class: &Value, this: &Value) -> R {
    if class.is_undef() {
        return Err(vm.runtime_error("super(): no arguments"));
    }
    if class.downcast::<Class>().is_none() {
        let given = vm.class_of(class).name();
        return Err(vm.type_error(format!("super() argument 1 must be a type, not {}", given.as_str())));
    }
    if this.is_undef() || this.is_none() {
        let unbound = Super { class: class.clone(), this: Value::Undef, this_class: Value::Undef };
        return vm.wrap_new(of, Value::from(vm.heap.alloc(unbound)));
    }
    let view = vm.make_super(class, this)?;
    vm.wrap_new(of, view)
}

/// `__new__` has done it all.
fn init(_vm: &Vm, _this: &Value) {}

/// An unbound view that is a class attribute becomes one bound to the instance.
fn bind(vm: &Vm, this: &Value, instance: &Value) -> R {
    match this.payload::<Super>() {
        Some(view) if view.this.is_undef() && !instance.is_none() => match this.kind() {
            Kind::Super => vm.make_super(&view.class, instance),
            _ => vm.call(&Value::from(vm.class_of(this)), &[view.class.clone(), instance.clone()]),
        },
        _ => Ok(this.clone()),
    }
}

/// What a class derived from `super` looks up.
fn get_attribute(vm: &Vm, this: &Value, name: &Value) -> R {
    let name = attribute_name(vm, name)?;
    let view = this.unwrapped();
    if name.is(&vm.n.__class__) || view.kind() != Kind::Super {
        return vm.default_get_attr(this, &name);
    }
    match vm.find_attr(view, &name)? {
        Some(found) => Ok(found),
        None => vm.default_get_attr(this, &name),
    }
}

fn or_none(value: &Value) -> Value {
    if value.is_undef() { Value::None } else { value.clone() }
}

fn this_class(_vm: &Vm, this: &Ref<Super>) -> Value {
    or_none(&this.class)
}

fn this(_vm: &Vm, this: &Ref<Super>) -> Value {
    or_none(&this.this)
}

fn self_class(_vm: &Vm, this: &Ref<Super>) -> Value {
    or_none(&this.this_class)
}
