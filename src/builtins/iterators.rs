//! The classes of the built-in iterators, and the constructors of those that are names: `enumerate`, `zip`, `map`, `filter`, `reversed`.

use crate::native::define_methods;
use crate::rows;
use crate::value::{Base, Class, Iter, IteratorKind, NativeIterator, R, Ref, Value};
use crate::vm::Vm;
use crate::vm::function::Args;
use crate::vm::types::bare_class;

use super::list::class_getitem;

/// Makes the classes; those with a name go into the built-in namespace.
pub fn install(vm: &Vm) {
    for &kind in IteratorKind::ALL {
        let class = bare_class(&vm.heap, vm.names(), kind.name(), Base::Payload(kind.class_index()), &[&vm.types.object]);
        class.dict.set_str(&vm.n.__module__, vm.str_value("builtins"));
        define_methods(vm, &class, &rows!["__iter__", "" => itself(0); "__next__", "" => next(0);]);
        vm.types.set_at(kind.class_index(), class.clone());
        super::iterator_state::install(vm, &class, kind);
        match kind {
            IteratorKind::Enumerate => {
                define_methods(
                    vm,
                    &class,
                    &rows![
                        static "__new__", "cls, iterable, start=0" => new_enumerate(0 1 2);
                        class "__class_getitem__", "item, /" => class_getitem(0 1);
                    ],
                );
            }
            IteratorKind::Zip => define_methods(vm, &class, &rows![raw "__new__", "*iterables, strict=False" => new_zip;]),
            IteratorKind::Map => {
                define_methods(vm, &class, &rows![raw "__new__", "function, iterable, /, *iterables" => new_map;])
            }
            IteratorKind::Filter => {
                define_methods(vm, &class, &rows![static "__new__", "cls, function, iterable, /" => new_filter(0 1 2);]);
            }
            IteratorKind::Reversed => define_methods(
                vm,
                &class,
                &rows![raw "__new__", "object, /" => new_reversed; "__length_hint__", "" => length_hint(0);],
            ),
            IteratorKind::Callable => class.is_final.set(true),
            _ => {
                define_methods(vm, &class, &rows!["__length_hint__", "" => length_hint(0);]);
                class.is_final.set(true);
            }
        }
        let named = matches!(
            kind,
            IteratorKind::Enumerate | IteratorKind::Zip | IteratorKind::Map | IteratorKind::Filter | IteratorKind::Reversed
        );
        if named {
            vm.builtins.set_str(&vm.intern(kind.name()), Value::from(class));
        }
    }
}

fn itself(_vm: &Vm, this: &Value) -> Value {
    this.clone()
}

fn next(vm: &Vm, iterator: &Ref<NativeIterator>) -> R {
    match vm.iterator_next(iterator)? {
        Some(item) => Ok(item),
        None => Err(vm.stop_iteration(Value::None)),
    }
}

fn length_hint(vm: &Vm, iterator: &Ref<NativeIterator>) -> R {
    match vm.iterator_length_hint(iterator)? {
        Some(hint) => Ok(vm.heap.int128(hint as i128)),
        None => Ok(Value::NotImplemented),
    }
}

fn new_enumerate(vm: &Vm, class: &Ref<Class>, iterable: &Value, start: &Value) -> R {
    let next = if start.is_undef() { Value::Int(0) } else { vm.index(start)? };
    let inner = vm.iter(iterable)?;
    vm.wrap_new(class, vm.iterator(Iter::Enumerate { inner, next }))
}

fn new_zip(vm: &Vm, args: Args<'_>) -> R {
    let (class, iterables) = class_and_rest(vm, args)?;
    let mut strict = false;
    for (name, value) in args.keywords {
        if name.as_str() != "strict" {
            return Err(vm.type_error(format!("'{}' is an invalid keyword argument for zip()", name.as_str())));
        }
        strict = vm.truthy(value)?;
    }
    let inners = iterables.iter().map(|iterable| vm.iter(iterable)).collect::<R<Vec<_>>>()?;
    let inners = vm.heap.tuple(inners);
    vm.wrap_new(class, vm.iterator(Iter::Zip { inners, strict }))
}

fn new_map(vm: &Vm, args: Args<'_>) -> R {
    let (class, rest) = class_and_rest(vm, args)?;
    if !args.keywords.is_empty() && is_exactly(vm, class, IteratorKind::Map) {
        return Err(vm.type_error("map() takes no keyword arguments"));
    }
    let Some((function, iterables)) = rest.split_first().filter(|(_, iterables)| !iterables.is_empty()) else {
        return Err(vm.type_error("map() must have at least two arguments."));
    };
    let inners = iterables.iter().map(|iterable| vm.iter(iterable)).collect::<R<Vec<_>>>()?;
    let inners = vm.heap.tuple(inners);
    vm.wrap_new(class, vm.iterator(Iter::Map { function: function.clone(), inners }))
}

fn class_and_rest<'a>(vm: &Vm, args: Args<'a>) -> R<(&'a Ref<Class>, &'a [Value])> {
    match args.positional.split_first().and_then(|(class, rest)| Some((class.downcast::<Class>()?, rest))) {
        Some(found) => Ok(found),
        None => Err(vm.type_error("__new__(): not enough arguments")),
    }
}

fn is_exactly(vm: &Vm, class: &Ref<Class>, kind: IteratorKind) -> bool {
    vm.types.at(kind.class_index()).is_some_and(|known| known.is(class))
}

fn new_filter(vm: &Vm, class: &Ref<Class>, function: Value, iterable: &Value) -> R {
    let inner = vm.iter(iterable)?;
    vm.wrap_new(class, vm.iterator(Iter::Filter { function, inner }))
}

fn new_reversed(vm: &Vm, args: Args<'_>) -> R {
    let (class, rest) = class_and_rest(vm, args)?;
    if !args.keywords.is_empty() && is_exactly(vm, class, IteratorKind::Reversed) {
        return Err(vm.type_error("reversed() takes no keyword arguments"));
    }
    let [object] = rest else {
        return Err(vm.type_error(format!("reversed expected 1 argument, got {}", rest.len())));
    };
    if let Some(special) = reversed_by_method(vm, object)? {
        return Ok(special);
    }
    let of = vm.class_of(object);
    let is_sequence = !of.lookup(&vm.n.__getitem__).is_undef()
        && !of.lookup(&vm.n.__len__).is_undef()
        && object.payload::<crate::value::Dict>().is_none();
    let sized = of.lookup(&vm.n.__getitem__);
    if !is_sequence && !sized.is_undef() && object.payload::<crate::value::Dict>().is_none() {
        return Err(vm.type_error(format!("object of type '{}' has no len()", of.name().as_str())));
    }
    if !is_sequence {
        return Err(vm.type_error(format!("'{}' object is not reversible", of.name().as_str())));
    }
    let next = vm.len(object)? as i64;
    vm.wrap_new(class, vm.iterator(Iter::Reversed { object: object.clone(), next }))
}

fn reversed_by_method(vm: &Vm, object: &Value) -> R<Option<Value>> {
    let of = vm.class_of(object);
    let method = of.lookup(&vm.n.__reversed__);
    if method.is_none() {
        return Err(vm.type_error(format!("'{}' object is not reversible", of.name().as_str())));
    }
    if method.is_undef() {
        return Ok(None);
    }
    vm.call_special(object, &vm.n.__reversed__, &[])
}
