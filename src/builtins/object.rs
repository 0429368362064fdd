//! `object`: what every object can do unless its class says otherwise.

use std::rc::Rc;

use crate::native::define_methods;
use crate::rows;
use crate::value::{Base, Class, Dict, Exception, Instance, Kind, MappingProxy, Module, R, Ref, Str, Value};
use crate::vm::{Args, BoundMethod, Function, Vm};

pub fn install(vm: &Vm) {
    let class = &vm.types.object;
    define_methods(
        vm,
        class,
        &rows![
            raw "__new__", "*args, **kwargs" => new;
            raw "__init__", "*args, **kwargs" => init;
            "__repr__", "/" => repr(0);
            "__str__", "/" => str_(0);
            "__format__", "format_spec, /" => format(0 1);
            "__hash__", "/" => hash(0);
            "__eq__", "value, /" => eq(0 1);
            "__ne__", "value, /" => ne(0 1);
            "__lt__", "value, /" => unordered(0 1);
            "__le__", "value, /" => unordered(0 1);
            "__gt__", "value, /" => unordered(0 1);
            "__ge__", "value, /" => unordered(0 1);
            "__getattribute__", "name, /" => get_attribute(0 1);
            "__setattr__", "name, value, /" => set_attribute(0 1 2);
            "__delattr__", "name, /" => delete_attribute(0 1);
            "__dir__", "/" => dir(0);
            "__sizeof__", "/" => size_of(0);
            "__reduce__", "/" => reduce(0);
            "__reduce_ex__", "protocol, /" => reduce_ex(0 1);
            "__getstate__", "/" => get_state(0);
            class "__init_subclass__", "*args, **kwargs" => init_subclass(0 1 2);
            class "__subclasshook__", "object, /" => subclass_hook(0 1);
            get "__class__" => class_of(0), set set_class(0 1);
            get "__dict__" => namespace(0), set set_namespace(0 1);
            get "__weakref__" => weak_reference(0);
        ],
    );
    // Plain objects have no attributes of their own.
    class.slots.set(Some(Rc::new([])));
    let doc = "The base class of the class hierarchy.\n\nWhen called, it accepts no arguments and returns a new featureless\n\
               instance that has no instance attributes and cannot be given any.\n";
    class.dict.set_str(&vm.n.__doc__, vm.str_value(doc));
}

fn new(vm: &Vm, args: Args<'_>) -> R {
    let Some((first, rest)) = args.positional.split_first() else {
        return Err(vm.type_error("object.__new__(): not enough arguments"));
    };
    let Some(class) = first.downcast::<Class>() else {
        let given = vm.class_of(first).name();
        return Err(vm.type_error(format!("object.__new__(X): X is not a type object ({})", given.as_str())));
    };
    if class.base != Base::Object {
        let name = class.name();
        let owner = nearest_native(class);
        return Err(vm.type_error(format!("object.__new__({}) is not safe, use {owner}.__new__()", name.as_str())));
    }
    if !rest.is_empty() || !args.keywords.is_empty() {
        if !vm.is_native_of(&class.lookup(&vm.n.__new__), &vm.types.object) {
            return Err(vm.type_error("object.__new__() takes exactly one argument (the type to instantiate)"));
        }
        if vm.is_native_of(&class.lookup(&vm.n.__init__), &vm.types.object) {
            return Err(vm.type_error(format!("{}() takes no arguments", class.name().as_str())));
        }
    }
    vm.new_instance(class).map(Value::from)
}

/// The name of the first built-in class among the bases.
fn nearest_native(class: &Ref<Class>) -> String {
    let mro = class.mro.get();
    let native = mro.iter().find(|class| !class.is_script);
    native.map_or_else(String::new, |class| class.name().as_str().to_owned())
}

fn init(vm: &Vm, args: Args<'_>) -> R {
    let Some((this, rest)) = args.positional.split_first() else {
        return Err(vm.type_error("descriptor '__init__' of 'object' object needs an argument"));
    };
    if rest.is_empty() && args.keywords.is_empty() {
        return Ok(Value::None);
    }
    let class = vm.class_of(this);
    if !vm.is_native_of(&class.lookup(&vm.n.__init__), &vm.types.object) {
        return Err(vm.type_error("object.__init__() takes exactly one argument (the instance to initialize)"));
    }
    if vm.is_native_of(&class.lookup(&vm.n.__new__), &vm.types.object) {
        let name = class.name();
        return Err(
            vm.type_error(format!("{}.__init__() takes exactly one argument (the instance to initialize)", name.as_str()))
        );
    }
    Ok(Value::None)
}

fn repr(vm: &Vm, this: &Value) -> R<String> {
    let mut text = String::new();
    vm.write_default_repr(&mut text, this)?;
    Ok(text)
}

fn str_(vm: &Vm, this: &Value) -> R<Ref<Str>> {
    vm.repr(this)
}

fn format(vm: &Vm, this: &Value, spec: &Value) -> R<Ref<Str>> {
    match spec.as_str() {
        Some(spec) => vm.default_format(this, spec),
        None => {
            let given = vm.class_of(spec).name();
            Err(vm.type_error(format!("__format__() argument must be str, not {}", given.as_str())))
        }
    }
}

fn hash(vm: &Vm, this: &Value) -> i64 {
    vm.identity_hash(this)
}

fn eq(_vm: &Vm, this: &Value, other: &Value) -> Value {
    if this.is(other) { Value::TRUE } else { Value::NotImplemented }
}

fn ne(vm: &Vm, this: &Value, other: &Value) -> R {
    match vm.call_special(this, &vm.n.__eq__, std::slice::from_ref(other))? {
        None | Some(Value::NotImplemented) => Ok(Value::NotImplemented),
        Some(answer) => Ok(Value::bool(!vm.truthy(&answer)?)),
    }
}

fn unordered(_vm: &Vm, _this: &Value, _other: &Value) -> Value {
    Value::NotImplemented
}

/// The name of an attribute, as a script gave it.
pub fn attribute_name(vm: &Vm, name: &Value) -> R<Ref<Str>> {
    match name.payload::<Str>() {
        Some(name) => Ok(vm.name_of(name)),
        None => {
            let given = vm.class_of(name).name();
            Err(vm.type_error(format!("attribute name must be string, not '{}'", given.as_str())))
        }
    }
}

fn get_attribute(vm: &Vm, this: &Value, name: &Value) -> R {
    vm.default_get_attr(this, &attribute_name(vm, name)?)
}

fn set_attribute(vm: &Vm, this: &Value, name: &Value, value: Value) -> R<()> {
    if this.kind() == Kind::Class {
        let name = vm.class_of(this).name();
        return Err(vm.type_error(format!("can't apply this __setattr__ to {} object", name.as_str())));
    }
    vm.default_set_attr(this, &attribute_name(vm, name)?, value)
}

fn delete_attribute(vm: &Vm, this: &Value, name: &Value) -> R<()> {
    vm.default_set_attr(this, &attribute_name(vm, name)?, Value::Undef)
}

/// The names of all attributes of the bases of a class, sorted later by `dir`.
pub fn add_class_names(class: &Ref<Class>, names: &mut Vec<Value>) {
    for base in class.mro.get().iter() {
        names.extend(base.dict.keys());
        let slots = base.slots.get();
        names.extend(slots.iter().flat_map(|slots| slots.iter()).map(Value::from));
    }
}

/// Without repetitions, in order.
pub fn sorted_names(vm: &Vm, mut names: Vec<Value>) -> Value {
    names.retain(|name| name.kind() == Kind::Str);
    names.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
    names.dedup_by(|a, b| a.as_str() == b.as_str());
    Value::from(vm.heap.list(names))
}

fn dir(vm: &Vm, this: &Value) -> R {
    let mut names = Vec::new();
    if let Some(instance) = this.downcast::<Instance>() {
        names.extend(instance.attributes().into_iter().map(|(name, _)| Value::from(name)));
    } else if let Some(Value::Obj(dict)) = own_dict(vm, this)
        && let Some(dict) = dict.downcast::<Dict>()
    {
        names.extend(dict.keys());
    }
    add_class_names(&vm.class_of(this), &mut names);
    if own_dict(vm, this).is_none() {
        names.retain(|name| name.as_str() != Some("__dict__"));
    }
    if !has_weak_references(this) {
        names.retain(|name| name.as_str() != Some("__weakref__"));
    }
    Ok(sorted_names(vm, names))
}

fn size_of(vm: &Vm, this: &Value) -> usize {
    match this {
        Value::Obj(_) => 48 + vm.builtin_len(this).unwrap_or(0) * 8,
        _ => 24,
    }
}

/// The rules by which objects are made anew are a script: `stdlib/copyreg.script`.
fn ask_copyreg(vm: &Vm, function: &str, args: &[Value]) -> R {
    let module = vm.import("copyreg", None, 0)?;
    vm.call_method(&module, &vm.intern(function), args)
}

fn reduce(vm: &Vm, this: &Value) -> R {
    ask_copyreg(vm, "_reduce", &[this.clone(), Value::Int(0)])
}

fn reduce_ex(vm: &Vm, this: &Value, protocol: &Value) -> R {
    let method = vm.class_of(this).lookup(&vm.n.__reduce__);
    if vm.is_native_of(&method, &vm.types.object) {
        return ask_copyreg(vm, "_reduce", &[this.clone(), protocol.clone()]);
    }
    vm.call_method(this, &vm.n.__reduce__, &[])
}

fn get_state(vm: &Vm, this: &Value) -> R {
    ask_copyreg(vm, "_default_state", std::slice::from_ref(this))
}

fn init_subclass(vm: &Vm, class: &Value, args: &Value, keywords: &Value) -> R<()> {
    let name = class.downcast::<Class>().map_or_else(String::new, |class| class.name().as_str().to_owned());
    if vm.builtin_len(keywords) != Some(0) {
        return Err(vm.type_error(format!("{name}.__init_subclass__() takes no keyword arguments")));
    }
    match vm.builtin_len(args) {
        Some(0) => Ok(()),
        count => {
            let count = count.unwrap_or(0);
            Err(vm.type_error(format!("{name}.__init_subclass__() takes no arguments ({count} given)")))
        }
    }
}

fn subclass_hook(_vm: &Vm, _class: &Value, _other: &Value) -> Value {
    Value::NotImplemented
}

fn class_of(vm: &Vm, this: &Value) -> Ref<Class> {
    vm.class_of(this)
}

fn set_class(vm: &Vm, this: &Value, class: &Value) -> R<()> {
    if class.is_undef() {
        return Err(vm.type_error("can't delete __class__ attribute"));
    }
    vm.change_class(this, class)
}

/// The `__dict__` of a value, if it has one. Instances keep their attributes there from then on.
fn own_dict(vm: &Vm, this: &Value) -> Option<Value> {
    if let Some(instance) = this.downcast::<Instance>() {
        if instance.with_class(|class| class.slots.with(Option::is_some)) {
            return None;
        }
        return Some(Value::from(instance.dict()));
    }
    if let Some(exception) = this.downcast::<Exception>() {
        return Some(Value::from(vm.exception_dict(exception)));
    }
    if let Some(method) = this.downcast::<BoundMethod>() {
        return method.function.downcast::<Function>().map(|function| Value::from(vm.function_dict(function)));
    }
    if let Some(function) = this.downcast::<Function>() {
        return Some(Value::from(vm.function_dict(function)));
    }
    if let Some(module) = this.downcast::<Module>() {
        return Some(Value::from(&module.dict));
    }
    if let Some(class) = this.downcast::<Class>() {
        return Some(Value::from(vm.heap.alloc(MappingProxy(Value::from(&class.dict)))));
    }
    None
}

/// Whether a value is of a class whose instances know who refers to them weakly.
fn has_weak_references(this: &Value) -> bool {
    match this.downcast::<Instance>() {
        Some(instance) => instance.with_class(|class| class.weakly_referable.get()),
        None => this.downcast::<Exception>().is_some_and(|exception| exception.class.get().weakly_referable.get()),
    }
}

/// The first weak reference to a value, or `None`.
fn weak_reference(vm: &Vm, this: &Value) -> R {
    match this.as_obj() {
        Some(object) if has_weak_references(this) => {
            Ok(vm.heap.weak_references(object).into_iter().next().map_or(Value::None, Value::Obj))
        }
        _ => Err(vm.no_attribute(this, &vm.n.__weakref__)),
    }
}

fn namespace(vm: &Vm, this: &Value) -> R {
    match own_dict(vm, this) {
        Some(dict) => Ok(dict),
        None => Err(vm.no_attribute(this, &vm.n.__dict__)),
    }
}

fn set_namespace(vm: &Vm, this: &Value, dict: &Value) -> R<()> {
    if dict.is_undef() {
        return match this.downcast::<Instance>() {
            Some(instance) => {
                instance.set_dict(vm.heap.dict());
                Ok(())
            }
            None => Err(vm.type_error("cannot delete __dict__")),
        };
    }
    let Some(dict) = dict.payload::<Dict>() else {
        let given = vm.class_of(dict).name();
        return Err(vm.type_error(format!("__dict__ must be set to a dictionary, not a '{}'", given.as_str())));
    };
    if let Some(instance) = this.downcast::<Instance>()
        && own_dict(vm, this).is_some()
    {
        instance.set_dict(dict.clone());
    } else if let Some(exception) = this.downcast::<Exception>() {
        exception.attributes.set(Some(dict.clone()));
    } else if let Some(function) = this.downcast::<Function>() {
        vm.set_function_dict(function, dict.clone());
    } else {
        let class = vm.class_of(this).name();
        return Err(vm.attribute_error(format!("attribute '__dict__' of '{}' objects is not writable", class.as_str())));
    }
    Ok(())
}
