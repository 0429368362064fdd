//! Bound methods and native functions.

use crate::native::define_methods;
use crate::rows;
use crate::value::{Class, R, Ref, Str, Value};
use crate::vm::function::Binding;
use crate::vm::{Args, BoundMethod, NativeFunction, Vm};

pub fn install(vm: &Vm) {
    let types = &vm.types;
    define_methods(
        vm,
        &types.method,
        &rows![
            static "__new__", "cls, function, instance, /" => new(0 1 2);
            raw "__call__", "*args, **kwargs" => call;
            "__get__", "instance, owner=None, /" => itself(0);
            "__eq__", "value, /" => eq(0 1);
            "__hash__", "/" => hash(0);
            get "__func__" => function(0);
            get "__self__" => this(0);
            get "__doc__" => doc(0);
        ],
    );
    let classes = [&types.native_function, &types.method_descriptor, &types.wrapper_descriptor, &types.method_wrapper];
    for class in classes {
        define_methods(
            vm,
            class,
            &rows![
                raw "__call__", "*args, **kwargs" => call;
                "__eq__", "value, /" => eq(0 1);
                "__hash__", "/" => hash(0);
                get "__name__" => native_name(0);
                get "__qualname__" => native_qualname(0);
                get "__doc__" => native_doc(0);
                get "__module__" => native_module(0);
                get "__self__" => native_self(0);
                get "__text_signature__" => text_signature(0);
            ],
        );
    }
    for class in [&types.method_descriptor, &types.wrapper_descriptor] {
        define_methods(
            vm,
            class,
            &rows!["__get__", "instance, owner=None, /" => bind(0 1); get "__objclass__" => owner_class(0);],
        );
    }
    for class in classes {
        class.is_final.set(true);
    }
    types.method.is_final.set(true);
}

fn new(vm: &Vm, _class: &Value, function: &Value, instance: &Value) -> R {
    if !vm.is_callable(function) {
        return Err(vm.type_error("first argument must be callable"));
    }
    if instance.is_none() {
        return Err(vm.type_error("instance must not be None"));
    }
    Ok(vm.bound_method(function, instance))
}

fn call(vm: &Vm, args: Args<'_>) -> R {
    match args.positional.split_first() {
        Some((method, rest)) => vm.call_with(method, Args { positional: rest, keywords: args.keywords }),
        None => Err(vm.type_error("descriptor '__call__' of 'method' object needs an argument")),
    }
}

fn itself(_vm: &Vm, this: &Value) -> Value {
    this.clone()
}

fn bind(vm: &Vm, this: &Value, instance: &Value) -> Value {
    if instance.is_none() { this.clone() } else { vm.bound_method(this, instance) }
}

fn eq(vm: &Vm, this: &Value, other: &Value) -> R {
    match (this.downcast::<BoundMethod>(), other.downcast::<BoundMethod>()) {
        (Some(a), Some(b)) => Ok(Value::bool(a.this.is(&b.this) && vm.eq(&a.function, &b.function)?)),
        _ if this.is(other) => Ok(Value::TRUE),
        _ => Ok(Value::NotImplemented),
    }
}

fn hash(vm: &Vm, this: &Value) -> R<i64> {
    match this.downcast::<BoundMethod>() {
        Some(method) => Ok(vm.identity_hash(&method.this) ^ vm.hash(&method.function)?),
        None => Ok(vm.identity_hash(this)),
    }
}

fn function(_vm: &Vm, method: &Ref<BoundMethod>) -> Value {
    method.function.clone()
}

fn this(_vm: &Vm, method: &Ref<BoundMethod>) -> Value {
    method.this.clone()
}

fn doc(vm: &Vm, method: &Ref<BoundMethod>) -> R {
    vm.get_attr(&method.function, &vm.n.__doc__)
}

/// The native function itself, or the one a method is bound to.
fn native(value: &Value) -> Option<&Ref<NativeFunction>> {
    match value.downcast::<BoundMethod>() {
        Some(method) => method.function.downcast::<NativeFunction>(),
        None => value.downcast::<NativeFunction>(),
    }
}

fn native_name(_vm: &Vm, this: &Value) -> Option<Value> {
    native(this).map(|function| Value::from(&function.name))
}

fn native_qualname(_vm: &Vm, this: &Value) -> Option<String> {
    let function = native(this)?;
    let owner = function.owner.get();
    Some(match owner.downcast::<Class>() {
        Some(class) => format!("{}.{}", class.qualname.get().as_str(), function.name.as_str()),
        None => function.name.as_str().to_owned(),
    })
}

fn native_doc(_vm: &Vm, _this: &Value) -> Value {
    Value::None
}

fn native_module(_vm: &Vm, this: &Value) -> Option<Value> {
    let owner = native(this)?.owner.get();
    owner.downcast::<Str>().map(Value::from)
}

fn native_self(vm: &Vm, this: &Value) -> R {
    if let Some(method) = this.downcast::<BoundMethod>() {
        return Ok(method.this.clone());
    }
    let Some(function) = native(this) else { return Ok(Value::None) };
    match (function.binding, function.owner.get()) {
        (Binding::Function, owner) if owner.downcast::<Class>().is_some() => Ok(owner),
        (Binding::Function, owner) => match owner.downcast::<Str>().and_then(|name| vm.modules.get_str(name)) {
            Some(module) => Ok(module),
            None => Ok(Value::None),
        },
        _ => Err(vm.no_attribute(this, &vm.n.__self__)),
    }
}

fn text_signature(_vm: &Vm, this: &Value) -> Option<String> {
    let function = native(this)?;
    let text = function.signature_text.trim();
    let text = if text == "/" { "" } else { text };
    Some(match function.binding {
        Binding::Function => format!("({text})"),
        _ if text.is_empty() => "($self, /)".to_owned(),
        _ if text.contains('/') => format!("($self, {text})"),
        _ => format!("($self, /, {text})"),
    })
}

fn owner_class(_vm: &Vm, this: &Ref<NativeFunction>) -> Value {
    this.owner.get()
}
