//! `abc`: abstract base classes. The metaclass is a script; the check that nearly always answers is native.

use super::support::run_script;
use crate::native::{ModuleRow, define_methods, new_module};
use crate::rows;
use crate::value::{Class, Module, R, Ref, Value};
use crate::vm::Vm;

pub const MODULE: ModuleRow = ModuleRow { name: "abc", load };

fn load(vm: &Vm) -> R<Ref<Module>> {
    let module = new_module(
        vm,
        "abc",
        "Abstract Base Classes (ABCs) according to PEP 3119.",
        &rows!["_note_registration", "cls, subclass, /" => note_registration(0 1);],
    );
    run_script(vm, &module, include_str!("abc.script"))?;
    if let Some(meta) = module.dict.get_text("ABCMeta").and_then(|value| value.downcast::<Class>().cloned()) {
        define_methods(vm, &meta, &rows!["__instancecheck__", "instance, /" => instancecheck(0 1);]);
    }
    Ok(module)
}

/// Instances of a class that is registered with one of sequences or mappings match their patterns.
fn note_registration(vm: &Vm, class: &Ref<Class>, subclass: &Ref<Class>) {
    if subclass.is_script
        && let Some(collection) = vm.collection_of(class)
    {
        subclass.registered.set(Some(collection));
    }
}

/// `isinstance(instance, cls)`: by the linearised bases, else as `__subclasscheck__` says of the instance's class.
fn instancecheck(vm: &Vm, class: &Value, instance: &Value) -> R {
    let of = vm.class_of(instance);
    if class.downcast::<Class>().is_some_and(|class| of.is_subclass(class)) {
        return Ok(Value::TRUE);
    }
    let answer = vm.call_method(class, &vm.n.__subclasscheck__, &[Value::from(&of)])?;
    if !vm.truthy(&answer)?
        && let Some(claimed) = vm.find_attr(instance, &vm.n.__class__)?
        && !claimed.is(&Value::from(&of))
    {
        return vm.call_method(class, &vm.n.__subclasscheck__, &[claimed]);
    }
    Ok(answer)
}
