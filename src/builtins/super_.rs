//! `super`. A bare `super()` in a method is made by the evaluator, which knows the class and the first argument.

use crate::native::define_methods;
use crate::rows;
use crate::value::{Class, R, Ref, Value};
use crate::vm::Vm;
use crate::vm::function::Super;

pub fn install(vm: &Vm) {
    define_methods(
        vm,
        &vm.types.super_,
        &rows![
            static "__new__", "cls, type=None, object_or_type=None, /" => new(0 1 2);
            "__get__", "instance, owner=None, /" => bind(0 1);
            get "__thisclass__" => this_class(0);
            get "__self__" => this(0);
            get "__self_class__" => self_class(0);
        ],
    );
}

fn new(vm: &Vm, _class: &Value, class: &Value, this: &Value) -> R {
    if class.is_undef() {
        return Err(vm.runtime_error("super(): no arguments"));
    }
    if class.downcast::<Class>().is_none() {
        let given = vm.class_of(class).name();
        return Err(vm.type_error(format!("super() argument 1 must be a type, not {}", given.as_str())));
    }
    if this.is_undef() || this.is_none() {
        let unbound = Super { class: class.clone(), this: Value::Undef, this_class: Value::Undef };
        return Ok(Value::from(vm.heap.alloc(unbound)));
    }
    vm.make_super(class, this)
}

fn bind(vm: &Vm, this: &Value, instance: &Value) -> R {
    match this.downcast::<Super>() {
        Some(view) if view.this.is_undef() && !instance.is_none() => vm.make_super(&view.class, instance),
        _ => Ok(this.clone()),
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
