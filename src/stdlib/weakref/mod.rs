//! `weakref`: references that do not keep their object alive. The table of them is in `value/weak.rs`; proxies, the containers,
//! methods and finalisers are a script.

use std::sync::atomic::{AtomicU16, Ordering};

use super::support::{add, add_class, run_script};
use crate::native::{ModuleRow, define_class, define_methods, new_module};
use crate::rows;
use crate::value::weak::WeakRef;
use crate::value::{Base, Class, Exception, Heap, Instance, Kind, Module, ObjRef, R, Ref, Value, assign_class_index};
use crate::vm::Vm;
use crate::vm::types::bare_class;

pub const MODULE: ModuleRow = ModuleRow { name: "weakref", load };

/// The index of the class that proxies are derived from.
static PROXY: AtomicU16 = AtomicU16::new(0);

fn load(vm: &Vm) -> R<Ref<Module>> {
    let module = new_module(
        vm,
        "weakref",
        "Weak references to objects.",
        &rows![
            "getweakrefcount", "object, /" => count(0);
            "getweakrefs", "object, /" => references(0);
            "_referent", "proxy, /" => referent(0);
            "_is_proxy", "object, /" => is_proxy(0);
        ],
    );
    let reference = define_class::<WeakRef>(
        vm,
        "weakref",
        "ReferenceType",
        &rows![
            static "__new__", "cls, object, callback=None, /, *args, **kwargs" => new(0 1 2);
            "__init__", "object, callback=None, /" => init(0);
            class "__class_getitem__", "item, /" => class_getitem(0 1);
            "__call__", "" => call(0);
            "__eq__", "value, /" => eq(0 1);
            "__hash__", "/" => hash(0);
            "__ne__", "value, /" => ne(0 1);
            "__repr__", "/" => repr(0);
            get "__callback__" => callback(0);
        ],
    );
    let proxy = bare_class(&vm.heap, vm.names(), "_Proxy", Base::Payload(assign_class_index(&PROXY)), &[&vm.types.object]);
    define_methods(vm, &proxy, &rows![static "__new__", "cls, object, callback=None, /" => new_proxy(0 1 2);]);
    vm.types.set_at(PROXY.load(Ordering::Relaxed), proxy.clone());
    add_class(vm, &module, &reference);
    add(vm, &module, "ref", Value::from(&reference));
    add(vm, &module, "_Proxy", Value::from(&proxy));
    run_script(vm, &module, include_str!("weakref.script"))?;
    run_script(vm, &module, include_str!("weak_set.script"))?;
    Ok(module)
}

/// The object that can be referred to weakly; `TypeError` if it cannot.
fn referable<'a>(vm: &Vm, object: &'a Value) -> R<&'a ObjRef> {
    let can = if let Some(instance) = object.downcast::<Instance>() {
        instance.with_class(|class| class.weakly_referable.get())
    } else if let Some(exception) = object.downcast::<Exception>() {
        exception.class.get().weakly_referable.get()
    } else {
        Heap::is_weakly_referable(object.kind()) && object.downcast::<WeakRef>().is_none()
    };
    match object.as_obj() {
        Some(found) if can => Ok(found),
        _ => {
            let given = vm.class_of(object).name();
            Err(vm.type_error(format!("cannot create weak reference to '{}' object", given.as_str())))
        }
    }
}

/// Whether an object is a reference of class `class` itself without a callback, which is made once per object and class.
fn is_plain(vm: &Vm, reference: &ObjRef, class: &Ref<Class>) -> bool {
    let value = Value::Obj(reference.clone());
    let has_callback = value.payload::<WeakRef>().is_none_or(|inner| !inner.callback.with(Value::is_undef));
    !has_callback && vm.class_of(&value).is(class)
}

fn make(vm: &Vm, class: &Ref<Class>, object: &Value, callback: &Value, index: u16, shared: bool) -> R {
    let target = referable(vm, object)?;
    let callback = if callback.is_none() { Value::Undef } else { callback.clone() };
    if shared && callback.is_undef() {
        let known = vm.heap.weak_references(target).into_iter().find(|reference| is_plain(vm, reference, class));
        if let Some(known) = known {
            return Ok(Value::Obj(known));
        }
    }
    let made = vm.wrap_new(class, Value::from(vm.heap.alloc_as(WeakRef::new(callback), index)))?;
    if let Some(reference) = made.as_obj() {
        vm.heap.refer_weakly(reference, target);
    }
    Ok(made)
}

fn reference_class() -> u16 {
    use crate::value::Payload;
    WeakRef::class_index()
}

fn new(vm: &Vm, class: &Ref<Class>, object: &Value, callback: &Value) -> R {
    make(vm, class, object, callback, reference_class(), !class.is_script)
}

fn new_proxy(vm: &Vm, class: &Ref<Class>, object: &Value, callback: &Value) -> R {
    make(vm, class, object, callback, PROXY.load(Ordering::Relaxed), true)
}

fn init(_vm: &Vm, _this: &Ref<WeakRef>) {}

fn class_getitem(vm: &Vm, class: &Value, item: &Value) -> Value {
    vm.generic_alias(class.clone(), item)
}

fn call(_vm: &Vm, this: &Ref<WeakRef>) -> Value {
    this.target().map_or(Value::None, Value::Obj)
}

/// Equal are references whose objects live and are equal; dead ones to themselves.
fn equals(vm: &Vm, this: &Value, other: &Value) -> R<Option<bool>> {
    let class = vm.types.at(reference_class());
    let is_reference = |value: &Value| class.as_ref().is_some_and(|class| vm.class_of(value).is_subclass(class));
    if !is_reference(other) {
        return Ok(None);
    }
    let target = |value: &Value| value.payload::<WeakRef>().and_then(|reference| reference.target());
    match (target(this), target(other)) {
        (Some(a), Some(b)) => vm.eq(&Value::Obj(a), &Value::Obj(b)).map(Some),
        _ => Ok(Some(this.is(other))),
    }
}

fn eq(vm: &Vm, this: &Value, other: &Value) -> R {
    Ok(equals(vm, this, other)?.map_or(Value::NotImplemented, Value::bool))
}

fn ne(vm: &Vm, this: &Value, other: &Value) -> R {
    Ok(equals(vm, this, other)?.map_or(Value::NotImplemented, |equal| Value::bool(!equal)))
}

fn hash(vm: &Vm, this: &Ref<WeakRef>) -> R<i64> {
    if let Some(known) = this.hash.get() {
        return Ok(known);
    }
    let Some(target) = this.target() else { return Err(vm.type_error("weak object has gone away")) };
    let found = vm.hash(&Value::Obj(target))?;
    this.hash.set(Some(found));
    Ok(found)
}

fn repr(vm: &Vm, this: &Value) -> R<String> {
    let address = this.as_obj().map_or(0, ObjRef::address);
    let Some(target) = this.payload::<WeakRef>().and_then(|reference| reference.target()) else {
        return Ok(format!("<weakref at {address:#x}; dead>"));
    };
    let target = Value::Obj(target);
    let class = vm.class_of(&target).name();
    let at = target.as_obj().map_or(0, ObjRef::address);
    // A name that cannot be had is left out.
    let name = vm.catch(vm.find_attr(&target, &vm.n.__name__), &vm.types.exception)?.flatten();
    let name = name.as_ref().and_then(Value::as_str).map_or_else(String::new, |name| format!(" ({name})"));
    Ok(format!("<weakref at {address:#x}; to '{}' at {at:#x}{name}>", class.as_str()))
}

fn callback(_vm: &Vm, this: &Ref<WeakRef>) -> Value {
    match this.callback.get() {
        Value::Undef => Value::None,
        callback => callback,
    }
}

/// The weak references to an object: those without callback first, then the others from the newest to the oldest.
fn all(vm: &Vm, object: &Value) -> Vec<Value> {
    let Some(object) = object.as_obj() else { return Vec::new() };
    let found = vm.heap.weak_references(object).into_iter().map(Value::Obj);
    let is_shared = |value: &Value| {
        let kind = value.kind();
        let plain = value.payload::<WeakRef>().is_some_and(|inner| inner.callback.with(Value::is_undef));
        plain && (kind == Kind::Native || is_proxy(vm, value))
    };
    let (mut first, mut rest): (Vec<Value>, Vec<Value>) = found.partition(is_shared);
    first.sort_by_key(|value| is_proxy(vm, value));
    rest.reverse();
    first.append(&mut rest);
    first
}

fn count(vm: &Vm, object: &Value) -> usize {
    all(vm, object).len()
}

fn references(vm: &Vm, object: &Value) -> Vec<Value> {
    all(vm, object)
}

fn is_proxy(vm: &Vm, value: &Value) -> bool {
    let proxy = vm.types.at(PROXY.load(Ordering::Relaxed));
    proxy.is_some_and(|proxy| vm.class_of(value).is_subclass(&proxy))
}

/// The object behind a proxy.
fn referent(vm: &Vm, proxy: &Value) -> R {
    match proxy.payload::<WeakRef>().and_then(|reference| reference.target()) {
        Some(target) => Ok(Value::Obj(target)),
        None => Err(vm.reference_error("weakly-referenced object no longer exists")),
    }
}
