//! `BaseExceptionGroup` and `ExceptionGroup`. Splitting is in `vm/group.rs`.

use super::fields::get;
use super::{make, split_class};
use crate::native::define_methods;
use crate::rows;
use crate::value::{Class, Exception, Kind, R, Ref, Value};
use crate::vm::{Args, Vm};

pub fn install(vm: &Vm) {
    define_methods(
        vm,
        &vm.types.base_exception_group,
        &rows![
            raw "__new__", "*args" => new;
            "__str__", "/" => text(0);
            "derive", "excs, /" => derive(0 1);
            "split", "condition, /" => split(0 1);
            "subgroup", "condition, /" => subgroup(0 1);
            class "__class_getitem__", "item, /" => class_getitem(0 1);
            get "message" => message(0);
            get "exceptions" => exceptions(0);
        ],
    );
}

fn new(vm: &Vm, args: Args<'_>) -> R {
    let (class, rest) = split_class(vm, args)?;
    let [message, members] = rest else {
        let given = rest.len();
        return Err(vm.type_error(format!("BaseExceptionGroup.__new__() takes exactly 2 arguments ({given} given)")));
    };
    if message.as_str().is_none() {
        let given = vm.class_of(message).name();
        let message = format!("BaseExceptionGroup.__new__() argument 1 must be str, not {}", given.as_str());
        return Err(vm.type_error(message));
    }
    let is_sequence = matches!(members.unwrapped().kind(), Kind::List | Kind::Tuple)
        || (!matches!(members.unwrapped().kind(), Kind::Dict | Kind::Set | Kind::FrozenSet)
            && !vm.class_of(members).lookup(&vm.n.__getitem__).is_undef());
    if !is_sequence {
        return Err(vm.type_error("second argument (exceptions) must be a sequence"));
    }
    let items = vm.collect(members)?;
    if items.is_empty() {
        return Err(vm.value_error("second argument (exceptions) must be a non-empty sequence"));
    }
    let mut only_exceptions = true;
    for (index, item) in items.iter().enumerate() {
        if item.kind() != Kind::Exception {
            return Err(vm.value_error(format!("Item {index} of second argument (exceptions) is not an exception")));
        }
        only_exceptions &= vm.is_instance(item, &vm.types.exception);
    }
    let mut class = class.clone();
    if class.is(&vm.types.base_exception_group) {
        if only_exceptions {
            class = vm.types.exception_group.clone();
        }
    } else if !only_exceptions {
        if class.is(&vm.types.exception_group) {
            return Err(vm.type_error("Cannot nest BaseExceptions in an ExceptionGroup"));
        }
        if class.is_subclass(&vm.types.exception) {
            return Err(vm.type_error(format!("Cannot nest BaseExceptions in '{}'", class.name().as_str())));
        }
    }
    let made = make(vm, &class, rest);
    made.fields.set(vec![message.clone(), Value::from(vm.heap.tuple(items))].into());
    Ok(Value::from(made))
}

fn text(vm: &Vm, this: &Ref<Exception>) -> R<String> {
    let message = vm.str(&get(vm, this, 0))?;
    let count = get(vm, this, 1).as_tuple().map_or(0, <[Value]>::len);
    let s = if count == 1 { "" } else { "s" };
    Ok(format!("{} ({count} sub-exception{s})", message.as_str()))
}

fn derive(vm: &Vm, this: &Ref<Exception>, members: &Value) -> R {
    let group = Value::from(&vm.types.base_exception_group);
    vm.call(&group, &[get(vm, this, 0), members.clone()])
}

/// Whether the condition is a class of exceptions, or several; else it is to be called.
fn is_classes(vm: &Vm, condition: &Value) -> R<bool> {
    let exception = |value: &Value| value.downcast::<Class>().is_some_and(|class| class.is_subclass(&vm.types.base_exception));
    if exception(condition) {
        return Ok(true);
    }
    if let Some(several) = condition.as_tuple()
        && several.iter().all(exception)
    {
        return Ok(true);
    }
    if condition.kind() != Kind::Class && condition.as_tuple().is_none() && vm.is_callable(condition) {
        return Ok(false);
    }
    Err(vm.type_error("expected a function, exception type or tuple of exception types"))
}

fn parts(vm: &Vm, this: &Value, condition: &Value) -> R<crate::vm::group::Parts> {
    if is_classes(vm, condition)? {
        return vm.split_group(this, &|vm, leaf| vm.instance_check(leaf, condition));
    }
    vm.split_group(this, &|vm, leaf| {
        let answer = vm.call(condition, std::slice::from_ref(leaf))?;
        vm.truthy(&answer)
    })
}

fn split(vm: &Vm, this: &Value, condition: &Value) -> R<(Value, Value)> {
    let (matching, rest) = parts(vm, this, condition)?;
    Ok((matching.unwrap_or(Value::None), rest.unwrap_or(Value::None)))
}

fn subgroup(vm: &Vm, this: &Value, condition: &Value) -> R {
    let (matching, _) = parts(vm, this, condition)?;
    Ok(matching.unwrap_or(Value::None))
}

fn class_getitem(vm: &Vm, class: Value, item: &Value) -> Value {
    vm.generic_alias(class, item)
}

fn message(vm: &Vm, this: &Ref<Exception>) -> Value {
    get(vm, this, 0)
}

fn exceptions(vm: &Vm, this: &Ref<Exception>) -> Value {
    get(vm, this, 1)
}
