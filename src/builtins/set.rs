//! The methods of `set` and `frozenset`.

use crate::native::define_methods;
use crate::rows;
use crate::syntax::ast::CmpOp;
use crate::value::set::Keys;
use crate::value::{Class, FrozenSet, Iter, Kind, R, Ref, Set, Value};
use crate::vm::Vm;
use crate::vm::mapping::set_keys;

use super::list::class_getitem;

/// Fills both classes in.
pub fn install(vm: &Vm) {
    let types = &vm.types;
    for class in [&types.set, &types.frozenset] {
        define_methods(
            vm,
            class,
            &rows![
                "copy", "" => copy(0);
                "difference", "*others" => difference(0 1);
                "intersection", "*others" => intersection(0 1);
                "isdisjoint", "other, /" => is_disjoint(0 1);
                "issubset", "other, /" => is_subset(0 1);
                "issuperset", "other, /" => is_superset(0 1);
                "symmetric_difference", "other, /" => symmetric_difference(0 1);
                "union", "*others" => union(0 1);
                "__and__", "value, /" => and(0 1);
                "__contains__", "key, /" => contains(0 1);
                "__eq__", "value, /" => eq(0 1);
                "__ge__", "value, /" => ge(0 1);
                "__gt__", "value, /" => gt(0 1);
                "__iter__", "" => iter(0);
                "__le__", "value, /" => le(0 1);
                "__len__", "" => len(0);
                "__lt__", "value, /" => lt(0 1);
                "__ne__", "value, /" => ne(0 1);
                "__or__", "value, /" => or(0 1);
                "__rand__", "value, /" => rand(0 1);
                "__repr__", "" => repr(0);
                "__ror__", "value, /" => ror(0 1);
                "__rsub__", "value, /" => rsub(0 1);
                "__rxor__", "value, /" => rxor(0 1);
                "__sub__", "value, /" => sub(0 1);
                "__xor__", "value, /" => xor(0 1);
                class "__class_getitem__", "item, /" => class_getitem(0 1);
            ],
        );
    }
    define_methods(
        vm,
        &types.set,
        &rows![
            static "__new__", "cls, /, *args, **kwargs" => new(0);
            "__init__", "iterable=(), /" => init(0 1);
            "add", "object, /" => add(0 1);
            "clear", "" => clear(0);
            "difference_update", "*others" => difference_update(0 1);
            "discard", "object, /" => discard(0 1);
            "intersection_update", "*others" => intersection_update(0 1);
            "pop", "" => pop(0);
            "remove", "object, /" => remove(0 1);
            "symmetric_difference_update", "other, /" => symmetric_difference_update(0 1);
            "update", "*others" => update(0 1);
            "__iand__", "value, /" => iand(0 1);
            "__ior__", "value, /" => ior(0 1);
            "__isub__", "value, /" => isub(0 1);
            "__ixor__", "value, /" => ixor(0 1);
        ],
    );
    types.set.dict.set_str(&vm.n.__hash__, Value::None);
    define_methods(
        vm,
        &types.frozenset,
        &rows![
            static "__new__", "cls, iterable=(), /" => new_frozen(0 1);
            "__hash__", "" => hash(0);
        ],
    );
}

fn new(vm: &Vm, class: &Ref<Class>) -> R {
    vm.wrap_new(class, Value::from(vm.heap.set()))
}

fn init(vm: &Vm, set: &Ref<Set>, iterable: &Value) -> R<()> {
    set.empty();
    if iterable.is_undef() { Ok(()) } else { vm.set_update(set, iterable) }
}

fn new_frozen(vm: &Vm, class: &Ref<Class>, iterable: &Value) -> R {
    let exact = class.is(&vm.types.frozenset);
    if exact && iterable.downcast::<FrozenSet>().is_some() {
        return Ok(iterable.clone());
    }
    let set = if iterable.is_undef() { vm.heap.set() } else { vm.set_of(iterable)? };
    vm.wrap_new(class, frozen(vm, set))
}

/// The frozenset that a fresh set becomes.
fn frozen(vm: &Vm, set: Ref<Set>) -> Value {
    Value::from(vm.heap.frozenset_taking(&set))
}

/// The keys of the receiver of a method of either class.
fn keys_of<'a>(vm: &Vm, this: &'a Value) -> R<&'a Keys> {
    match set_keys(this) {
        Some(keys) => Ok(keys),
        None => Err(vm.type_error(format!("expected a set, got {}", vm.class_of(this).name().as_str()))),
    }
}

/// A result of the built-in class that `like` is of.
fn as_like(vm: &Vm, like: &Value, set: Ref<Set>) -> Value {
    if like.unwrapped().kind() == Kind::FrozenSet { frozen(vm, set) } else { Value::from(set) }
}

fn copy(vm: &Vm, this: &Value) -> R {
    if this.downcast::<FrozenSet>().is_some() {
        return Ok(this.clone());
    }
    let copy = vm.set_copy(keys_of(vm, this)?)?;
    Ok(as_like(vm, this, copy))
}

fn items(others: &Value) -> &[Value] {
    others.as_tuple().unwrap_or_default()
}

fn union(vm: &Vm, this: &Value, others: &Value) -> R {
    let result = vm.set_copy(keys_of(vm, this)?)?;
    for other in items(others) {
        vm.set_update(&result, other)?;
    }
    Ok(as_like(vm, this, result))
}

fn intersection(vm: &Vm, this: &Value, others: &Value) -> R {
    let result = intersected(vm, keys_of(vm, this)?, items(others))?;
    Ok(as_like(vm, this, result))
}

fn intersected(vm: &Vm, keys: &Keys, others: &[Value]) -> R<Ref<Set>> {
    let Some((first, rest)) = others.split_first() else { return vm.set_copy(keys) };
    let mut result = vm.set_intersection(keys, first)?;
    for other in rest {
        result = vm.set_intersection(result.keys(), other)?;
    }
    Ok(result)
}

fn difference(vm: &Vm, this: &Value, others: &Value) -> R {
    let keys = keys_of(vm, this)?;
    let Some((first, rest)) = items(others).split_first() else { return copy(vm, this) };
    let result = vm.set_difference(keys, first)?;
    for other in rest {
        vm.set_difference_update(&result, other)?;
    }
    Ok(as_like(vm, this, result))
}

fn symmetric_difference(vm: &Vm, this: &Value, other: &Value) -> R {
    let result = vm.set_of(other)?;
    vm.set_symmetric_difference_update(&result, this)?;
    Ok(as_like(vm, this, result))
}

fn is_disjoint(vm: &Vm, this: &Value, other: &Value) -> R<bool> {
    vm.set_is_disjoint(keys_of(vm, this)?, other)
}

fn is_subset(vm: &Vm, this: &Value, other: &Value) -> R<bool> {
    let keys = keys_of(vm, this)?;
    match set_keys(other) {
        Some(theirs) => vm.set_is_subset(keys, theirs),
        None => {
            let theirs = vm.set_of(other)?;
            vm.set_is_subset(keys, theirs.keys())
        }
    }
}

fn is_superset(vm: &Vm, this: &Value, other: &Value) -> R<bool> {
    let keys = keys_of(vm, this)?;
    if let Some(theirs) = set_keys(other) {
        return vm.set_is_subset(theirs, keys);
    }
    let mut all = true;
    vm.for_each(other, &mut |item| {
        all = vm.set_find(keys, &item)?.is_some();
        Ok(all)
    })?;
    Ok(all)
}

fn contains(vm: &Vm, this: &Value, key: &Value) -> R<bool> {
    vm.set_contains(keys_of(vm, this)?, key)
}

fn iter(vm: &Vm, this: &Value) -> R {
    let used = keys_of(vm, this)?.len();
    Ok(vm.iterator(Iter::Set { set: this.unwrapped().clone(), at: 0, used, left: used }))
}

fn len(vm: &Vm, this: &Value) -> R<usize> {
    Ok(keys_of(vm, this)?.len())
}

fn repr(vm: &Vm, this: &Value) -> R<String> {
    super::shown::container(vm, this)
}

/// `a op b` for two sets, or nothing if one is none.
pub(crate) fn compare(vm: &Vm, op: CmpOp, a: &Value, b: &Value) -> R {
    let (Some(ours), Some(theirs)) = (set_keys(a), set_keys(b)) else { return Ok(Value::NotImplemented) };
    let truth = match op {
        CmpOp::Eq => vm.set_eq(ours, theirs)?,
        CmpOp::NotEq => !vm.set_eq(ours, theirs)?,
        CmpOp::Lt => ours.len() < theirs.len() && vm.set_is_subset(ours, theirs)?,
        CmpOp::LtE => vm.set_is_subset(ours, theirs)?,
        CmpOp::Gt => ours.len() > theirs.len() && vm.set_is_subset(theirs, ours)?,
        CmpOp::GtE => vm.set_is_subset(theirs, ours)?,
        _ => return Ok(Value::NotImplemented),
    };
    Ok(Value::bool(truth))
}

macro_rules! compared {
    ($($name:ident $op:ident,)*) => {
        $(fn $name(vm: &Vm, this: &Value, other: &Value) -> R {
            compare(vm, CmpOp::$op, this, other)
        })*
    };
}

compared! { eq Eq, ne NotEq, lt Lt, le LtE, gt Gt, ge GtE, }

/// Calls `method` if both are sets.
fn operate(vm: &Vm, left: &Value, right: &Value, method: fn(&Vm, &Value, &Value) -> R) -> R {
    if set_keys(left).is_none() || set_keys(right).is_none() {
        return Ok(Value::NotImplemented);
    }
    method(vm, left, right)
}

fn one(vm: &Vm, this: &Value, other: &Value, method: fn(&Vm, &Value, &Value) -> R) -> R {
    operate(vm, this, other, |_, _, _| Ok(Value::Undef)).and_then(|answer| match answer {
        Value::Undef => method(vm, this, &Value::from(vm.heap.tuple([other.clone()]))),
        answer => Ok(answer),
    })
}

fn and(vm: &Vm, this: &Value, other: &Value) -> R {
    one(vm, this, other, intersection)
}

fn rand(vm: &Vm, this: &Value, other: &Value) -> R {
    one(vm, other, this, intersection)
}

fn or(vm: &Vm, this: &Value, other: &Value) -> R {
    one(vm, this, other, union)
}

fn ror(vm: &Vm, this: &Value, other: &Value) -> R {
    one(vm, other, this, union)
}

fn sub(vm: &Vm, this: &Value, other: &Value) -> R {
    one(vm, this, other, difference)
}

fn rsub(vm: &Vm, this: &Value, other: &Value) -> R {
    one(vm, other, this, difference)
}

fn xor(vm: &Vm, this: &Value, other: &Value) -> R {
    operate(vm, this, other, symmetric_difference)
}

fn rxor(vm: &Vm, this: &Value, other: &Value) -> R {
    operate(vm, other, this, symmetric_difference)
}

fn hash(vm: &Vm, set: &Ref<FrozenSet>) -> R<i64> {
    vm.charge((set.keys().len() / 64) as u64)?;
    Ok(set.hash())
}

fn add(vm: &Vm, set: &Ref<Set>, key: Value) -> R<()> {
    vm.set_add(set, key).map(|_| ())
}

fn clear(_vm: &Vm, set: &Ref<Set>) {
    set.empty();
}

fn discard(vm: &Vm, set: &Ref<Set>, key: &Value) -> R<()> {
    vm.set_discard(set, key).map(|_| ())
}

fn remove(vm: &Vm, set: &Ref<Set>, key: &Value) -> R<()> {
    if vm.set_discard(set, key)? { Ok(()) } else { Err(vm.key_error(key)) }
}

fn pop(vm: &Vm, set: &Ref<Set>) -> R {
    match set.pop() {
        Some(key) => Ok(key),
        None => Err(vm.key_error(&vm.str_value("pop from an empty set"))),
    }
}

fn update(vm: &Vm, set: &Ref<Set>, others: &Value) -> R<()> {
    items(others).iter().try_for_each(|other| vm.set_update(set, other))
}

fn difference_update(vm: &Vm, set: &Ref<Set>, others: &Value) -> R<()> {
    items(others).iter().try_for_each(|other| vm.set_difference_update(set, other))
}

fn intersection_update(vm: &Vm, set: &Ref<Set>, others: &Value) -> R<()> {
    let result = intersected(vm, set.keys(), items(others))?;
    set.exchange(&result);
    Ok(())
}

fn symmetric_difference_update(vm: &Vm, set: &Ref<Set>, other: &Value) -> R<()> {
    vm.set_symmetric_difference_update(set, other)
}

/// The operators that change a set in place give the set itself.
fn in_place(this: &Value, other: &Value, change: impl FnOnce(&Ref<Set>) -> R<()>) -> R {
    match (this.payload::<Set>(), set_keys(other)) {
        (Some(set), Some(_)) => change(set).map(|()| this.clone()),
        _ => Ok(Value::NotImplemented),
    }
}

fn ior(vm: &Vm, this: &Value, other: &Value) -> R {
    in_place(this, other, |set| vm.set_update(set, other))
}

fn isub(vm: &Vm, this: &Value, other: &Value) -> R {
    in_place(this, other, |set| vm.set_difference_update(set, other))
}

fn ixor(vm: &Vm, this: &Value, other: &Value) -> R {
    in_place(this, other, |set| vm.set_symmetric_difference_update(set, other))
}

fn iand(vm: &Vm, this: &Value, other: &Value) -> R {
    in_place(this, other, |set| {
        let result = vm.set_intersection(set.keys(), other)?;
        set.exchange(&result);
        Ok(())
    })
}
