//! `functools.partial`. The object is an instance with attributes of its own around the native part.

use super::super::support::repr_guarded;
use crate::native::define_class;
use crate::value::{Class, Dict, Payload, R, Ref, Str, Tuple, Value, Visitor};
use crate::vm::{Args, Vm};
use crate::{native_kind, rows};

/// The native part of a partial.
struct Partial {
    function: Value,
    args: Ref<Tuple>,
    keywords: Ref<Dict>,
}

impl Payload for Partial {
    native_kind!();
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.value(&self.function);
        visitor.reference(&self.args);
        visitor.reference(&self.keywords);
    }
}

/// What a `partial` calls.
pub fn function_of(value: &Value) -> Option<Value> {
    value.payload::<Partial>().map(|partial| partial.function.clone())
}

pub fn class(vm: &Vm) -> Ref<Class> {
    let class = define_class::<Partial>(
        vm,
        "functools",
        "partial",
        &rows![
            raw "__new__", "cls, func, /, *args, **keywords" => partial_new;
            raw "__call__", "*args, **keywords" => partial_call;
            "__repr__", "/" => repr(0);
            "__reduce__", "/" => reduce(0);
            get "func" => function(0);
            get "args" => args(0);
            get "keywords" => keywords(0);
            class "__class_getitem__", "item, /" => class_getitem(0 1);
        ],
    );
    super::super::support::make_static(vm, &class, "__new__");
    class
}

fn class_getitem(vm: &Vm, class: Value, item: &Value) -> Value {
    vm.generic_alias(class, item)
}

fn partial_new(vm: &Vm, args: Args<'_>) -> R {
    let [class, function, given @ ..] = args.positional else {
        return Err(vm.type_error("type 'partial' takes at least one argument"));
    };
    let Some(class) = class.downcast::<Class>() else {
        return Err(vm.type_error("partial.__new__(X): X is not a type object"));
    };
    let all = vm.heap.dict();
    // A partial of a partial is one partial.
    let inner = function.as_obj().filter(|_| vm.class_of(function).is(class)).and_then(|_| function.payload::<Partial>());
    let (function, mut positional) = match inner {
        Some(inner) => {
            for (name, value) in inner.keywords.to_vec() {
                vm.dict_set(&all, name, value)?;
            }
            vm.will_copy(inner.args.len())?;
            (inner.function.clone(), inner.args.items().to_vec())
        }
        None => (function.clone(), Vec::with_capacity(given.len())),
    };
    if vm.special(&function, &vm.n.__call__)?.is_none() {
        return Err(vm.type_error("the first argument must be callable"));
    }
    positional.extend_from_slice(given);
    for (name, value) in args.keywords {
        all.set_str(name, value.clone());
    }
    let made = vm.heap.alloc(Partial { function, args: vm.heap.tuple(positional), keywords: all });
    Ok(Value::from(vm.heap.instance_of_base(class, made.into())))
}

fn partial_call(vm: &Vm, args: Args<'_>) -> R {
    let Some((this, given)) = args.positional.split_first() else {
        return Err(vm.type_error("descriptor '__call__' of 'functools.partial' object needs an argument"));
    };
    let Some(this) = this.payload::<Partial>() else {
        return Err(vm.type_error("descriptor '__call__' requires a 'functools.partial' object"));
    };
    if this.keywords.is_empty() && args.keywords.is_empty() {
        if given.is_empty() {
            return vm.call(&this.function, this.args.items());
        }
        vm.will_copy(this.args.len())?;
        return vm.call(&this.function, &[this.args.items(), given].concat());
    }
    vm.will_copy(this.args.len())?;
    vm.charge((this.keywords.len() * (args.keywords.len() + 1) / 64) as u64)?;
    let mut keywords: Vec<(Ref<Str>, Value)> = Vec::with_capacity(this.keywords.len() + args.keywords.len());
    for (name, value) in this.keywords.to_vec() {
        let Some(name) = name.payload::<Str>() else { return Err(vm.type_error("keywords must be strings")) };
        let given = args.keywords.iter().find(|(known, _)| known.as_str() == name.as_str());
        keywords.push((vm.name_of(name), given.map_or(value, |(_, value)| value.clone())));
    }
    for (name, value) in args.keywords {
        if !keywords.iter().any(|(known, _)| known.as_str() == name.as_str()) {
            keywords.push((name.clone(), value.clone()));
        }
    }
    vm.call_with(&this.function, Args { positional: &[this.args.items(), given].concat(), keywords: &keywords })
}

fn function(_vm: &Vm, this: &Ref<Partial>) -> Value {
    this.function.clone()
}

fn args(_vm: &Vm, this: &Ref<Partial>) -> Value {
    Value::from(&this.args)
}

fn keywords(_vm: &Vm, this: &Ref<Partial>) -> Value {
    Value::from(&this.keywords)
}

fn reduce(vm: &Vm, this: &Value) -> R {
    let Some(partial) = this.payload::<Partial>() else { return Err(vm.type_error("a partial is required")) };
    let args: Vec<Value> = std::iter::once(&partial.function).chain(partial.args.items().iter()).cloned().collect();
    Ok(vm.heap.tuple([Value::from(vm.class_of(this)), vm.heap.tuple(args).into()]).into())
}

fn repr(vm: &Vm, this: &Value) -> R<String> {
    let Some(partial) = this.payload::<Partial>() else { return Err(vm.type_error("a partial is required")) };
    let class = vm.class_of(this);
    let name = if class.is_script { class.qualname.get().as_str().to_owned() } else { "functools.partial".to_owned() };
    repr_guarded(vm, this, "...", || {
        let mut parts = vec![vm.repr(&partial.function)?.as_str().to_owned()];
        for value in partial.args.items() {
            parts.push(vm.repr(value)?.as_str().to_owned());
        }
        for (key, value) in partial.keywords.to_vec() {
            parts.push(format!("{}={}", vm.str(&key)?.as_str(), vm.repr(&value)?.as_str()));
        }
        Ok(format!("{name}({})", parts.join(", ")))
    })
}
