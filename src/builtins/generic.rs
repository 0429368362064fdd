//! `types.GenericAlias` (`list[int]`) and `types.UnionType` (`int | None`).

use crate::native::{define_class, define_methods};
use crate::rows;
use crate::value::{Class, Kind, R, Ref, Str, Tuple, Value, hash};
use crate::vm::generic::{GenericAlias, UnionType};
use crate::vm::getset::{GetSet, Member};
use crate::vm::{Args, Vm};

pub fn install(vm: &Vm) {
    let alias = define_class::<GenericAlias>(
        vm,
        "types",
        "GenericAlias",
        &rows![
            static "__new__", "cls, origin, args, /" => new_alias(0 1 2);
            raw "__call__", "*args, **kwargs" => call_alias;
            "__repr__", "/" => alias_repr(0);
            "__eq__", "value, /" => alias_eq(0 1);
            "__hash__", "/" => alias_hash(0);
            "__getitem__", "item, /" => alias_get_item(0 1);
            "__getattribute__", "name, /" => alias_attribute(0 1);
            "__mro_entries__", "bases, /" => alias_bases(0 1);
            "__or__", "value, /" => or(0 1);
            "__ror__", "value, /" => ror(0 1);
            "__iter__", "/" => alias_iter(0);
            "__dir__", "/" => alias_dir(0);
            get "__origin__" => origin(0);
            get "__args__" => args(0);
            get "__parameters__" => parameters(0);
            get "__unpacked__" => unpacked(0);
        ],
    );
    let union = define_class::<UnionType>(
        vm,
        "types",
        "UnionType",
        &rows![
            "__repr__", "/" => union_repr(0);
            "__eq__", "value, /" => union_eq(0 1);
            "__hash__", "/" => union_hash(0);
            "__or__", "value, /" => or(0 1);
            "__ror__", "value, /" => ror(0 1);
            "__instancecheck__", "instance, /" => instance_check(0 1);
            "__subclasscheck__", "subclass, /" => subclass_check(0 1);
            get "__args__" => union_args(0);
            get "__parameters__" => no_parameters(0);
        ],
    );
    let attribute = define_class::<GetSet>(
        vm,
        "builtins",
        "getset_descriptor",
        &rows![
            "__get__", "instance, owner=None, /" => get(0 1 2);
            "__set__", "instance, value, /" => set(0 1 2);
            "__delete__", "instance, /" => delete(0 1);
            get "__name__" => getset_name(0);
            get "__objclass__" => getset_owner(0);
            get "__doc__" => no_doc(0);
        ],
    );
    let member = define_class::<Member>(
        vm,
        "builtins",
        "member_descriptor",
        &rows![
            "__get__", "instance, owner=None, /" => get(0 1 2);
            "__set__", "instance, value, /" => set_member(0 1 2);
            "__delete__", "instance, /" => delete_member(0 1);
            get "__name__" => member_name(0);
            get "__objclass__" => member_owner(0);
            get "__doc__" => no_doc(0);
        ],
    );
    for class in [&union, &attribute, &member] {
        class.is_final.set(true);
    }
    define_methods(vm, &alias, &[]);
}

fn new_alias(vm: &Vm, _class: &Value, origin: Value, args: &Value) -> Value {
    vm.generic_alias(origin, args)
}

fn call_alias(vm: &Vm, args: Args<'_>) -> R {
    let Some((this, rest)) = args.positional.split_first() else {
        return Err(vm.type_error("descriptor '__call__' of 'types.GenericAlias' object needs an argument"));
    };
    let Some(alias) = this.downcast::<GenericAlias>() else { return Err(vm.not_callable(this)) };
    let made = vm.call_with(&alias.origin, Args { positional: rest, keywords: args.keywords })?;
    let kept = vm.set_attr(&made, &vm.intern("__orig_class__"), this.clone());
    // Objects without attributes of their own cannot tell which alias made them.
    if kept.is_err() && vm.catch(kept, &vm.types.attribute_error)?.is_none() {
        return Ok(made);
    }
    Ok(made)
}

/// A type as it is written in annotations.
fn write_type(vm: &Vm, out: &mut String, value: &Value) -> R<()> {
    if matches!(value, Value::Ellipsis) {
        out.push_str("...");
        return Ok(());
    }
    if let Some(class) = value.downcast::<Class>() {
        if class.is(&vm.types.none) {
            out.push_str("None");
            return Ok(());
        }
        out.push_str(&vm.full_name(class)?);
        return Ok(());
    }
    if let Some(items) = value.downcast::<crate::value::List>() {
        out.push('[');
        for (index, item) in items.to_vec().iter().enumerate() {
            if index > 0 {
                out.push_str(", ");
            }
            vm.nested(|| write_type(vm, out, item))?;
        }
        out.push(']');
        return Ok(());
    }
    vm.write_repr(out, value)
}

fn alias_repr(vm: &Vm, this: &Ref<GenericAlias>) -> R<String> {
    let mut text = String::new();
    if this.starred {
        text.push('*');
    }
    write_type(vm, &mut text, &this.origin)?;
    text.push('[');
    if let Some((result, arguments)) = arguments_of_callable(vm, this) {
        text.push('[');
        for (index, item) in arguments.iter().enumerate() {
            text.push_str(if index > 0 { ", " } else { "" });
            write_type(vm, &mut text, item)?;
        }
        text.push_str("], ");
        write_type(vm, &mut text, result)?;
        text.push(']');
        return Ok(text);
    }
    for (index, item) in this.args.items().iter().enumerate() {
        if index > 0 {
            text.push_str(", ");
        }
        write_type(vm, &mut text, item)?;
    }
    if this.args.is_empty() {
        text.push_str("()");
    }
    text.push(']');
    Ok(text)
}

/// What an alias of `collections.abc.Callable` shows in brackets of its own.
fn arguments_of_callable<'a>(vm: &Vm, this: &'a Ref<GenericAlias>) -> Option<(&'a Value, &'a [Value])> {
    let class = this.origin.downcast::<Class>()?;
    let module = class.dict.get_str(&vm.n.__module__)?;
    let is_callable = class.own_name().as_str() == "Callable" && module.as_str() == Some("collections.abc");
    let (result, arguments) = this.args.items().split_last().filter(|_| is_callable)?;
    let is_open =
        matches!(arguments, [only] if matches!(only, Value::Ellipsis) || vm.class_of(only).name().as_str() == "ParamSpec");
    (!is_open).then_some((result, arguments))
}

fn alias_eq(vm: &Vm, this: &Ref<GenericAlias>, other: &Value) -> R {
    let Some(other) = other.downcast::<GenericAlias>() else { return Ok(Value::NotImplemented) };
    let same = vm.eq(&this.origin, &other.origin)? && vm.eq(&Value::from(&this.args), &Value::from(&other.args))?;
    Ok(Value::bool(same && this.starred == other.starred))
}

fn alias_hash(vm: &Vm, this: &Ref<GenericAlias>) -> R<i64> {
    let parts = [vm.hash(&this.origin)?, vm.hash(&Value::from(&this.args))?];
    Ok(hash::tuple(parts.into_iter()))
}

/// Whether something is a type variable: it is substituted by a further subscript.
fn is_parameter(vm: &Vm, value: &Value) -> bool {
    value.kind() == Kind::Instance && vm.class_of(value).name().as_str() == "TypeVar"
}

/// The distinct type variables inside.
fn parameters_of(vm: &Vm, args: &[Value], found: &mut Vec<Value>) -> R<()> {
    for value in args {
        if is_parameter(vm, value) {
            if !found.iter().any(|known| known.is(value)) {
                found.push(value.clone());
            }
        } else if let Some(alias) = value.downcast::<GenericAlias>() {
            vm.nested(|| parameters_of(vm, alias.args.items(), found))?;
        } else if let Some(union) = value.downcast::<UnionType>() {
            vm.nested(|| parameters_of(vm, union.args.items(), found))?;
        }
    }
    Ok(())
}

fn alias_get_item(vm: &Vm, this: &Ref<GenericAlias>, item: &Value) -> R {
    let mut parameters = Vec::new();
    parameters_of(vm, this.args.items(), &mut parameters)?;
    if parameters.is_empty() {
        let shown = alias_repr(vm, this)?;
        return Err(vm.type_error(format!("{shown} is not a generic class")));
    }
    let given = match item.downcast::<Tuple>() {
        Some(several) => several.items().to_vec(),
        None => vec![item.clone()],
    };
    if given.len() != parameters.len() {
        let shown = alias_repr(vm, this)?;
        let how = if given.len() > parameters.len() { "Too many" } else { "Too few" };
        return Err(vm.type_error(format!("{how} arguments for {shown}; actual {}, expected {}", given.len(), parameters.len())));
    }
    substitute(vm, &Value::from(this), &parameters, &given)
}

fn substitute(vm: &Vm, value: &Value, parameters: &[Value], given: &[Value]) -> R {
    if let Some(index) = parameters.iter().position(|parameter| parameter.is(value)) {
        return Ok(given[index].clone());
    }
    let Some(alias) = value.downcast::<GenericAlias>() else { return Ok(value.clone()) };
    let args: R<Vec<Value>> =
        alias.args.items().iter().map(|item| vm.nested(|| substitute(vm, item, parameters, given))).collect();
    Ok(vm.generic_alias(alias.origin.clone(), &Value::from(vm.heap.tuple(args?))))
}

/// An alias has the attributes of its origin, but for its own and the special ones.
fn alias_attribute(vm: &Vm, this: &Value, name: &Ref<Str>) -> R {
    const OWN: [&str; 7] = [
        "__origin__",
        "__args__",
        "__parameters__",
        "__mro_entries__",
        "__unpacked__",
        "__class__",
        "__typing_unpacked_tuple_args__",
    ];
    let name = vm.name_of(name);
    if let Some(alias) = this.downcast::<GenericAlias>() {
        let text = name.as_str();
        let special = text.starts_with("__") && text.ends_with("__");
        let forwarded = !special || matches!(text, "__name__" | "__qualname__" | "__module__" | "__doc__");
        if forwarded && !OWN.contains(&text) {
            return vm.get_attr(&alias.origin, &name);
        }
    }
    vm.default_get_attr(this, &name)
}

fn alias_bases(vm: &Vm, this: &Ref<GenericAlias>, _bases: &Value) -> Ref<Tuple> {
    vm.heap.tuple([this.origin.clone()])
}

fn or(vm: &Vm, this: &Value, other: &Value) -> R {
    Ok(vm.type_union(this, other)?.unwrap_or(Value::NotImplemented))
}

fn ror(vm: &Vm, this: &Value, other: &Value) -> R {
    Ok(vm.type_union(other, this)?.unwrap_or(Value::NotImplemented))
}

fn alias_iter(vm: &Vm, this: &Ref<GenericAlias>) -> R {
    let starred = GenericAlias { origin: this.origin.clone(), args: this.args.clone(), starred: true };
    let only = Value::from(vm.heap.tuple([Value::from(vm.heap.alloc(starred))]));
    vm.iter(&only)
}

fn alias_dir(vm: &Vm, this: &Ref<GenericAlias>) -> R {
    vm.call_method(&this.origin, &vm.n.__dir__, &[])
}

fn origin(_vm: &Vm, this: &Ref<GenericAlias>) -> Value {
    this.origin.clone()
}

fn args(_vm: &Vm, this: &Ref<GenericAlias>) -> Ref<Tuple> {
    this.args.clone()
}

fn parameters(vm: &Vm, this: &Ref<GenericAlias>) -> R<Ref<Tuple>> {
    let mut found = Vec::new();
    parameters_of(vm, this.args.items(), &mut found)?;
    Ok(vm.heap.tuple(found))
}

fn unpacked(_vm: &Vm, this: &Ref<GenericAlias>) -> bool {
    this.starred
}

fn union_repr(vm: &Vm, this: &Ref<UnionType>) -> R<String> {
    let mut text = String::new();
    for (index, item) in this.args.items().iter().enumerate() {
        if index > 0 {
            text.push_str(" | ");
        }
        write_type(vm, &mut text, item)?;
    }
    Ok(text)
}

fn union_eq(vm: &Vm, this: &Ref<UnionType>, other: &Value) -> R {
    let Some(other) = other.downcast::<UnionType>() else { return Ok(Value::NotImplemented) };
    if this.args.len() != other.args.len() {
        return Ok(Value::FALSE);
    }
    for item in this.args.items() {
        if !vm.contains(&Value::from(&other.args), item)? {
            return Ok(Value::FALSE);
        }
    }
    Ok(Value::TRUE)
}

fn union_hash(vm: &Vm, this: &Ref<UnionType>) -> R<i64> {
    let mut combined = 0;
    for item in this.args.items() {
        combined ^= vm.hash(item)?;
    }
    Ok(combined)
}

fn instance_check(vm: &Vm, this: &Value, instance: &Value) -> R<bool> {
    vm.instance_check(instance, this)
}

fn subclass_check(vm: &Vm, this: &Value, subclass: &Value) -> R<bool> {
    vm.subclass_check(subclass, this)
}

fn union_args(_vm: &Vm, this: &Ref<UnionType>) -> Ref<Tuple> {
    this.args.clone()
}

fn no_parameters(vm: &Vm, this: &Ref<UnionType>) -> R<Ref<Tuple>> {
    let mut found = Vec::new();
    parameters_of(vm, this.args.items(), &mut found)?;
    Ok(vm.heap.tuple(found))
}

fn get(vm: &Vm, this: &Value, instance: &Value, owner: &Value) -> R {
    if instance.is_none() {
        return Ok(this.clone());
    }
    let class = owner.downcast::<Class>().cloned().unwrap_or_else(|| vm.class_of(instance));
    if let Some(attribute) = this.downcast::<GetSet>() {
        check_owner(vm, &attribute.name, &attribute.owner, instance)?;
    } else if let Some(member) = this.downcast::<Member>() {
        check_owner(vm, &member.name, &member.owner, instance)?;
    }
    vm.bind(this, instance, &class)
}

/// Descriptors of a class are for its instances.
fn check_owner(vm: &Vm, name: &Ref<Str>, owner: &Ref<Class>, instance: &Value) -> R<()> {
    if vm.is_instance(instance, owner) {
        return Ok(());
    }
    let (owner, given) = (owner.name(), vm.class_of(instance).name());
    Err(vm.type_error(format!(
        "descriptor '{}' for '{}' objects doesn't apply to a '{}' object",
        name.as_str(),
        owner.as_str(),
        given.as_str()
    )))
}

fn set_member(vm: &Vm, this: &Ref<Member>, instance: &Value, value: Value) -> R<()> {
    check_owner(vm, &this.name, &this.owner, instance)?;
    vm.set_through_property(&Value::from(this), instance, value)
}

fn delete_member(vm: &Vm, this: &Ref<Member>, instance: &Value) -> R<()> {
    set_member(vm, this, instance, Value::Undef)
}

fn set(vm: &Vm, this: &Ref<GetSet>, instance: &Value, value: Value) -> R<()> {
    check_owner(vm, &this.name, &this.owner, instance)?;
    vm.set_through_property(&Value::from(this), instance, value)
}

fn delete(vm: &Vm, this: &Ref<GetSet>, instance: &Value) -> R<()> {
    set(vm, this, instance, Value::Undef)
}

fn getset_name(_vm: &Vm, this: &Ref<GetSet>) -> Ref<Str> {
    this.name.clone()
}

fn getset_owner(_vm: &Vm, this: &Ref<GetSet>) -> Ref<Class> {
    this.owner.clone()
}

fn no_doc(_vm: &Vm, _this: &Value) -> Value {
    Value::None
}

fn member_name(_vm: &Vm, this: &Ref<Member>) -> Ref<Str> {
    this.name.clone()
}

fn member_owner(_vm: &Vm, this: &Ref<Member>) -> Ref<Class> {
    this.owner.clone()
}
