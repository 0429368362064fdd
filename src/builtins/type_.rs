//! `type`: what classes can do.

use std::rc::Rc;

use super::object::{add_class_names, attribute_name, sorted_names};
use crate::native::define_methods;
use crate::rows;
use crate::value::{Class, Dict, Kind, MappingProxy, R, Ref, Str, Tuple, Value};
use crate::vm::{Args, Vm};

pub fn install(vm: &Vm) {
    define_methods(
        vm,
        &vm.types.type_,
        &rows![
            raw "__new__", "object_or_name, bases, dict, **kwds" => new;
            raw "__init__", "object_or_name, bases, dict, **kwds" => init;
            raw "__call__", "*args, **kwargs" => call;
            class "__prepare__", "name=(), bases=(), /, **kwds" => prepare(0);
            "__repr__", "/" => repr(0);
            "__getattribute__", "name, /" => get_attribute(0 1);
            "__setattr__", "name, value, /" => set_attribute(0 1 2);
            "__delattr__", "name, /" => delete_attribute(0 1);
            "__instancecheck__", "instance, /" => instance_check(0 1);
            "__subclasscheck__", "subclass, /" => subclass_check(0 1);
            "__subclasses__", "/" => subclasses(0);
            "__dir__", "/" => dir(0);
            "__or__", "value, /" => or(0 1);
            "__ror__", "value, /" => ror(0 1);
            "mro", "/" => mro_list(0);
            get "__name__" => name(0), set set_name(0 1);
            get "__qualname__" => qualname(0), set set_qualname(0 1);
            get "__module__" => module(0), set set_module(0 1);
            get "__bases__" => bases(0), set set_bases(0 1);
            get "__base__" => base(0);
            get "__mro__" => mro(0);
            get "__dict__" => namespace(0);
            get "__doc__" => doc(0), set set_doc(0 1);
            get "__annotations__" => annotations(0), set set_annotations(0 1);
            get "__abstractmethods__" => abstract_methods(0), set set_abstract_methods(0 1);
            get "__type_params__" => type_params(0), set set_type_params(0 1);
            get "__flags__" => flags(0);
            get "__basicsize__" => basic_size(0);
            get "__text_signature__" => text_signature(0);
        ],
    );
}

fn new(vm: &Vm, args: Args<'_>) -> R {
    let Some((meta, rest)) = args.positional.split_first() else {
        return Err(vm.type_error("type.__new__(): not enough arguments"));
    };
    let is_type = meta.downcast::<Class>().is_some_and(|meta| meta.is(&vm.types.type_));
    match rest {
        [value] if is_type && args.keywords.is_empty() => Ok(Value::from(vm.class_of(value))),
        [name, bases, namespace] => {
            let wrong = |position: usize, expected: &str, given: &Value| {
                let given = vm.class_of(given).name();
                Err(vm.type_error(format!("type.__new__() argument {position} must be {expected}, not {}", given.as_str())))
            };
            let Some(text) = name.as_str() else { return wrong(1, "str", name) };
            let Some(items) = bases.as_tuple() else { return wrong(2, "tuple", bases) };
            if namespace.payload::<Dict>().is_none() {
                return wrong(3, "dict", namespace);
            }
            for base in items {
                if base.kind() != Kind::Class && vm.find_attr(base, &vm.n.__mro_entries__)?.is_some() {
                    return Err(vm.type_error("type() doesn't support MRO entry resolution; use types.new_class()"));
                }
            }
            // A more derived metaclass of a base makes the class.
            let winner = vm.choose_metaclass(Some(meta.clone()), items)?;
            if !winner.is(meta)
                && let Some(class) = winner.downcast::<Class>()
                && let method = class.lookup(&vm.n.__new__)
                && !vm.is_native_of(&method, &vm.types.type_)
            {
                let method = vm.bind(&method, &Value::Undef, class)?;
                let all = [winner.clone(), name.clone(), bases.clone(), namespace.clone()];
                return vm.call_with(&method, Args { positional: &all, keywords: args.keywords });
            }
            vm.build_class(meta, text, items, namespace, args.keywords)
        }
        _ if is_type => Err(vm.type_error("type() takes 1 or 3 arguments")),
        rest => Err(vm.type_error(format!("type.__new__() takes exactly 3 arguments ({} given)", rest.len()))),
    }
}

fn init(vm: &Vm, args: Args<'_>) -> R {
    match args.positional.len() {
        2 | 4 => Ok(Value::None),
        _ => Err(vm.type_error("type.__init__() takes 1 or 3 arguments")),
    }
}

fn call(vm: &Vm, args: Args<'_>) -> R {
    let Some((class, rest)) = args.positional.split_first() else {
        return Err(vm.type_error("descriptor '__call__' of 'type' object needs an argument"));
    };
    match class.downcast::<Class>() {
        Some(class) => vm.construct(class, Args { positional: rest, keywords: args.keywords }),
        None => {
            let given = vm.class_of(class).name();
            Err(vm.type_error(format!("descriptor '__call__' requires a 'type' object but received a '{}'", given.as_str())))
        }
    }
}

fn prepare(vm: &Vm, _meta: &Value) -> Ref<Dict> {
    vm.heap.dict()
}

fn repr(vm: &Vm, this: &Ref<Class>) -> R<String> {
    Ok(format!("<class '{}'>", vm.full_name(this)?))
}

fn get_attribute(vm: &Vm, this: &Value, name: &Value) -> R {
    vm.default_get_attr(this, &attribute_name(vm, name)?)
}

fn set_attribute(vm: &Vm, this: &Value, name: &Value, value: Value) -> R<()> {
    vm.default_set_attr(this, &attribute_name(vm, name)?, value)
}

fn delete_attribute(vm: &Vm, this: &Value, name: &Value) -> R<()> {
    vm.default_set_attr(this, &attribute_name(vm, name)?, Value::Undef)
}

fn instance_check(vm: &Vm, this: &Ref<Class>, instance: &Value) -> R<bool> {
    vm.plain_instance_check(instance, &vm.class_of(instance), this)
}

fn subclass_check(vm: &Vm, this: &Ref<Class>, subclass: &Value) -> R<bool> {
    vm.plain_subclass_check(subclass, this)
}

fn subclasses(vm: &Vm, this: &Ref<Class>) -> Vec<Value> {
    let objects = vm.heap.objects(Kind::Class);
    let classes = objects.iter().filter_map(|object| object.downcast::<Class>());
    let mut derived: Vec<&Ref<Class>> =
        classes.filter(|class| class.bases.with(|bases| bases.iter().any(|base| base.is(this)))).collect();
    derived.sort_by_key(|class| class.serial.get());
    derived.into_iter().map(Value::from).collect()
}

fn dir(vm: &Vm, this: &Ref<Class>) -> Value {
    let mut names = Vec::new();
    add_class_names(this, &mut names);
    sorted_names(vm, names)
}

fn or(vm: &Vm, this: &Value, other: &Value) -> R {
    Ok(vm.type_union(this, other)?.unwrap_or(Value::NotImplemented))
}

fn ror(vm: &Vm, this: &Value, other: &Value) -> R {
    Ok(vm.type_union(other, this)?.unwrap_or(Value::NotImplemented))
}

fn mro_list(_vm: &Vm, this: &Ref<Class>) -> Vec<Value> {
    this.mro.get().iter().map(Value::from).collect()
}

fn name(_vm: &Vm, this: &Ref<Class>) -> Ref<Str> {
    this.own_name()
}

/// Only the classes of scripts can be changed.
fn check_mutable(vm: &Vm, this: &Ref<Class>, name: &str, value: &Value) -> R<()> {
    let class = this.name();
    if !this.is_script {
        return Err(vm.type_error(format!("cannot set '{name}' attribute of immutable type '{}'", class.as_str())));
    }
    if value.is_undef() {
        return Err(vm.type_error(format!("cannot delete '{name}' attribute of type '{}'", class.as_str())));
    }
    Ok(())
}

fn text_for(vm: &Vm, this: &Ref<Class>, name: &str, value: &Value) -> R<Ref<Str>> {
    check_mutable(vm, this, name, value)?;
    match value.payload::<Str>() {
        Some(text) => Ok(vm.name_of(text)),
        None => {
            let (class, given) = (this.name(), vm.class_of(value).name());
            let message = format!("can only assign string to {}.{name}, not '{}'", class.as_str(), given.as_str());
            Err(vm.type_error(message))
        }
    }
}

fn set_name(vm: &Vm, this: &Ref<Class>, value: &Value) -> R<()> {
    let name = text_for(vm, this, "__name__", value)?;
    vm.check_class_name(name.as_str())?;
    this.name.set(name);
    Ok(())
}

fn qualname(_vm: &Vm, this: &Ref<Class>) -> Ref<Str> {
    this.qualname.get()
}

fn set_qualname(vm: &Vm, this: &Ref<Class>, value: &Value) -> R<()> {
    this.qualname.set(text_for(vm, this, "__qualname__", value)?);
    Ok(())
}

fn module(vm: &Vm, this: &Ref<Class>) -> Value {
    this.dict.get_str(&vm.n.__module__).unwrap_or_else(|| Value::from(&vm.n.builtins))
}

fn set_module(vm: &Vm, this: &Ref<Class>, value: &Value) -> R<()> {
    check_mutable(vm, this, "__module__", value)?;
    this.set_attribute(&vm.n.__module__, value.clone());
    Ok(())
}

fn bases(vm: &Vm, this: &Ref<Class>) -> Ref<Tuple> {
    vm.heap.tuple(this.bases.get().iter().map(Value::from).collect::<Vec<_>>())
}

fn set_bases(vm: &Vm, this: &Ref<Class>, value: &Value) -> R<()> {
    check_mutable(vm, this, "__bases__", value)?;
    let Some(items) = value.as_tuple() else {
        let (class, given) = (this.name(), vm.class_of(value).name());
        let message = format!("can only assign tuple to {}.__bases__, not {}", class.as_str(), given.as_str());
        return Err(vm.type_error(message));
    };
    if items.is_empty() {
        let class = this.name();
        return Err(vm.type_error(format!("can only assign non-empty tuple to {}.__bases__, not ()", class.as_str())));
    }
    vm.change_bases(this, items)
}

fn base(_vm: &Vm, this: &Ref<Class>) -> Value {
    let bases: Rc<[Ref<Class>]> = this.bases.get();
    let solid = bases.iter().find(|base| base.base == this.base).or(bases.first());
    solid.map_or(Value::None, Value::from)
}

fn mro(vm: &Vm, this: &Ref<Class>) -> Ref<Tuple> {
    vm.heap.tuple(this.mro.get().iter().map(Value::from).collect::<Vec<_>>())
}

fn namespace(vm: &Vm, this: &Ref<Class>) -> Value {
    Value::from(vm.heap.alloc(MappingProxy(Value::from(&this.dict))))
}

fn doc(vm: &Vm, this: &Ref<Class>) -> R {
    match this.dict.get_str(&vm.n.__doc__) {
        None => Ok(Value::None),
        Some(doc) if vm.is_descriptor(&doc) => vm.bind(&doc, &Value::Undef, this),
        Some(doc) => Ok(doc),
    }
}

fn set_doc(vm: &Vm, this: &Ref<Class>, value: &Value) -> R<()> {
    check_mutable(vm, this, "__doc__", value)?;
    this.set_attribute(&vm.n.__doc__, value.clone());
    Ok(())
}

fn annotations(vm: &Vm, this: &Ref<Class>) -> R {
    if let Some(known) = this.dict.get_str(&vm.n.__annotations__) {
        return Ok(known);
    }
    if !this.is_script {
        return Err(vm.no_attribute(&Value::from(this), &vm.n.__annotations__));
    }
    let fresh = Value::from(vm.heap.dict());
    this.set_attribute(&vm.n.__annotations__, fresh.clone());
    Ok(fresh)
}

fn set_annotations(vm: &Vm, this: &Ref<Class>, value: &Value) -> R<()> {
    if value.is_undef() {
        if this.remove_attribute(&vm.n.__annotations__) {
            return Ok(());
        }
        return Err(vm.attribute_error("__annotations__"));
    }
    check_mutable(vm, this, "__annotations__", value)?;
    this.set_attribute(&vm.n.__annotations__, value.clone());
    Ok(())
}

fn abstract_methods(vm: &Vm, this: &Ref<Class>) -> R {
    match this.dict.get_str(&vm.n.__abstractmethods__) {
        Some(found) if !this.is(&vm.types.type_) => Ok(found),
        _ => Err(vm.no_attribute(&Value::from(this), &vm.n.__abstractmethods__)),
    }
}

fn set_abstract_methods(vm: &Vm, this: &Ref<Class>, value: &Value) -> R<()> {
    if value.is_undef() {
        if this.remove_attribute(&vm.n.__abstractmethods__) {
            return Ok(());
        }
        return Err(vm.attribute_error("__abstractmethods__"));
    }
    check_mutable(vm, this, "__abstractmethods__", value)?;
    // Only a class that has abstract methods keeps the note, so that instantiation of others need not look into it.
    if vm.truthy(value)?
        || this.dict.get_str(&vm.n.__abstractmethods__).is_some()
        || !this.lookup(&vm.n.__abstractmethods__).is_undef()
    {
        this.set_attribute(&vm.n.__abstractmethods__, value.clone());
    }
    Ok(())
}

fn type_params(vm: &Vm, this: &Ref<Class>) -> Value {
    let found = this.dict.get_str(&vm.n.__type_params__);
    found.unwrap_or_else(|| Value::from(vm.heap.tuple([])))
}

fn set_type_params(vm: &Vm, this: &Ref<Class>, value: &Value) -> R<()> {
    check_mutable(vm, this, "__type_params__", value)?;
    this.set_attribute(&vm.n.__type_params__, value.clone());
    Ok(())
}

/// Of CPython's flags, those that say something here: heap type, base type, abstract.
fn flags(vm: &Vm, this: &Ref<Class>) -> R<i64> {
    let mut flags = 1 << 12;
    if this.is_script {
        flags |= 1 << 9;
    }
    if !this.is_final.get() {
        flags |= 1 << 10;
    }
    if let Some(names) = this.dict.get_str(&vm.n.__abstractmethods__)
        && !this.is(&vm.types.type_)
        && vm.truthy(&names)?
    {
        flags |= 1 << 20;
    }
    Ok(flags)
}

fn basic_size(_vm: &Vm, _this: &Ref<Class>) -> i64 {
    16
}

fn text_signature(_vm: &Vm, _this: &Ref<Class>) -> Value {
    Value::None
}
