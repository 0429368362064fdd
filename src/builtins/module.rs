//! Modules as objects, and the read-only views of namespaces.

use super::object::sorted_names;
use crate::native::define_methods;
use crate::rows;
use crate::value::{Class, Dict, MappingProxy, Module, R, Ref, Str, Value};
use crate::vm::Vm;

pub fn install(vm: &Vm) {
    define_methods(
        vm,
        &vm.types.module,
        &rows![
            static "__new__", "cls, name, doc=None" => new(0 1 2);
            "__dir__", "/" => dir(0);
            "__repr__", "/" => repr(0);
        ],
    );
    define_methods(
        vm,
        &vm.types.mappingproxy,
        &rows![
            static "__new__", "cls, mapping" => new_proxy(0 1);
            "__getitem__", "key, /" => proxy_get_item(0 1);
            "__contains__", "key, /" => proxy_contains(0 1);
            "__len__", "/" => proxy_len(0);
            "__iter__", "/" => proxy_iter(0);
            "__reversed__", "/" => proxy_reversed(0);
            "__eq__", "value, /" => proxy_eq(0 1);
            "__or__", "value, /" => proxy_or(0 1);
            "__ror__", "value, /" => proxy_ror(0 1);
            "__str__", "/" => proxy_str(0);
            "get", "key, default=None, /" => proxy_get(0 1 2);
            "keys", "/" => proxy_keys(0);
            "values", "/" => proxy_values(0);
            "items", "/" => proxy_items(0);
            "copy", "/" => proxy_copy(0);
            class "__class_getitem__", "item, /" => class_getitem(0 1);
        ],
    );
    vm.types.mappingproxy.dict.set_str(&vm.n.__hash__, Value::None);
}

fn new(vm: &Vm, class: &Ref<Class>, name: &Ref<Str>, doc: &Value) -> R {
    let dict = vm.heap.dict();
    dict.set_str(&vm.n.__name__, Value::from(name));
    dict.set_str(&vm.n.__doc__, if doc.is_undef() { Value::None } else { doc.clone() });
    for name in [&vm.n.__package__, &vm.n.__loader__, &vm.n.__spec__] {
        dict.set_str(name, Value::None);
    }
    if class.is_script {
        return Err(vm.not_implemented_error("classes derived from types.ModuleType are not supported"));
    }
    Ok(Value::from(vm.heap.alloc(Module { name: name.clone(), dict })))
}

fn dir(vm: &Vm, this: &Ref<Module>) -> R {
    if let Some(hook) = this.dict.get_str(&vm.n.__dir__) {
        return vm.call(&hook, &[]);
    }
    Ok(sorted_names(vm, this.dict.keys()))
}

fn repr(vm: &Vm, this: &Value) -> R<Ref<Str>> {
    vm.repr(this)
}

fn new_proxy(vm: &Vm, _class: &Value, mapping: Value) -> R<Ref<MappingProxy>> {
    if mapping.payload::<Dict>().is_none() && vm.class_of(&mapping).lookup(&vm.n.keys).is_undef() {
        let given = vm.class_of(&mapping).name();
        return Err(vm.type_error(format!("mappingproxy() argument must be a mapping, not {}", given.as_str())));
    }
    Ok(vm.heap.alloc(MappingProxy(mapping)))
}

fn proxy_get_item(vm: &Vm, this: &Ref<MappingProxy>, key: &Value) -> R {
    vm.get_item(&this.0, key)
}

fn proxy_contains(vm: &Vm, this: &Ref<MappingProxy>, key: &Value) -> R<bool> {
    vm.contains(&this.0, key)
}

fn proxy_len(vm: &Vm, this: &Ref<MappingProxy>) -> R<usize> {
    vm.len(&this.0)
}

fn proxy_iter(vm: &Vm, this: &Ref<MappingProxy>) -> R {
    vm.iter(&this.0)
}

fn proxy_reversed(vm: &Vm, this: &Ref<MappingProxy>) -> R {
    vm.call_method(&this.0, &vm.n.__reversed__, &[])
}

fn inner(value: &Value) -> &Value {
    value.downcast::<MappingProxy>().map_or(value, |proxy| &proxy.0)
}

fn proxy_eq(vm: &Vm, this: &Ref<MappingProxy>, other: &Value) -> R {
    vm.compare(crate::syntax::ast::CmpOp::Eq, &this.0, inner(other))
}

fn proxy_or(vm: &Vm, this: &Ref<MappingProxy>, other: &Value) -> R {
    vm.binary(crate::syntax::ast::Operator::BitOr, &this.0, inner(other))
}

fn proxy_ror(vm: &Vm, this: &Ref<MappingProxy>, other: &Value) -> R {
    vm.binary(crate::syntax::ast::Operator::BitOr, inner(other), &this.0)
}

fn proxy_str(vm: &Vm, this: &Ref<MappingProxy>) -> R<Ref<Str>> {
    vm.str(&this.0)
}

fn proxy_get(vm: &Vm, this: &Ref<MappingProxy>, key: &Value, default: &Value) -> R {
    let default = if default.is_undef() { Value::None } else { default.clone() };
    vm.call_method(&this.0, &vm.n.get, &[key.clone(), default])
}

fn proxy_keys(vm: &Vm, this: &Ref<MappingProxy>) -> R {
    vm.call_method(&this.0, &vm.n.keys, &[])
}

fn proxy_values(vm: &Vm, this: &Ref<MappingProxy>) -> R {
    vm.call_method(&this.0, &vm.n.values, &[])
}

fn proxy_items(vm: &Vm, this: &Ref<MappingProxy>) -> R {
    vm.call_method(&this.0, &vm.n.items, &[])
}

fn proxy_copy(vm: &Vm, this: &Ref<MappingProxy>) -> R {
    vm.call_method(&this.0, &vm.intern("copy"), &[])
}

fn class_getitem(vm: &Vm, class: Value, item: &Value) -> Value {
    vm.generic_alias(class, item)
}
