//! The views of a dict: `dict_keys`, `dict_values`, `dict_items`.

use crate::native::define_methods;
use crate::rows;
use crate::syntax::ast::CmpOp;
use crate::value::{Base, DictView, Iter, MappingProxy, R, Ref, Set, Value, ViewKind};
use crate::vm::Vm;
use crate::vm::mapping::set_keys;
use crate::vm::types::bare_class;

/// Makes the classes.
pub fn install(vm: &Vm) {
    for kind in ViewKind::ALL {
        let class = bare_class(&vm.heap, vm.names(), kind.name(), Base::Payload(kind.class_index()), &[&vm.types.object]);
        class.is_final.set(true);
        class.dict.set_str(&vm.n.__module__, vm.str_value("builtins"));
        define_methods(
            vm,
            &class,
            &rows![
                "__iter__", "" => iter(0);
                "__len__", "" => len(0);
                "__repr__", "" => repr(0);
                "__reversed__", "" => reversed(0);
                get "mapping" => mapping(0);
            ],
        );
        if kind != ViewKind::Values {
            define_methods(
                vm,
                &class,
                &rows![
                    "isdisjoint", "other, /" => is_disjoint(0 1);
                    "__and__", "value, /" => and(0 1);
                    "__contains__", "key, /" => contains(0 1);
                    "__eq__", "value, /" => eq(0 1);
                    "__ge__", "value, /" => ge(0 1);
                    "__gt__", "value, /" => gt(0 1);
                    "__le__", "value, /" => le(0 1);
                    "__lt__", "value, /" => lt(0 1);
                    "__ne__", "value, /" => ne(0 1);
                    "__or__", "value, /" => or(0 1);
                    "__rand__", "value, /" => and(0 1);
                    "__ror__", "value, /" => ror(0 1);
                    "__rsub__", "value, /" => rsub(0 1);
                    "__rxor__", "value, /" => rxor(0 1);
                    "__sub__", "value, /" => sub(0 1);
                    "__xor__", "value, /" => xor(0 1);
                ],
            );
            class.dict.set_str(&vm.n.__hash__, Value::None);
        }
        vm.types.set_at(kind.class_index(), class);
    }
}

fn iter(vm: &Vm, view: &Ref<DictView>) -> Value {
    vm.iterator(Iter::dict(view.dict.clone(), view.kind.show()))
}

fn reversed(vm: &Vm, view: &Ref<DictView>) -> Value {
    vm.iterator(Iter::dict_reversed(view.dict.clone(), view.kind.show()))
}

fn len(_vm: &Vm, view: &Ref<DictView>) -> usize {
    view.dict.len()
}

fn mapping(vm: &Vm, view: &Ref<DictView>) -> Value {
    Value::from(vm.heap.alloc(MappingProxy(Value::from(&view.dict))))
}

fn repr(vm: &Vm, this: &Value) -> R<String> {
    super::shown::view(vm, this)
}

fn contains(vm: &Vm, view: &Ref<DictView>, item: &Value) -> R<bool> {
    vm.view_contains(view, item)
}

/// Whether a view is like a set: of keys or items.
fn set_like(value: &Value) -> Option<&Ref<DictView>> {
    value.downcast::<DictView>().filter(|view| view.kind != ViewKind::Values)
}

/// How many members a set or a view like a set has.
fn size(value: &Value) -> Option<usize> {
    match set_like(value) {
        Some(view) => Some(view.dict.len()),
        None => set_keys(value).map(|keys| keys.len()),
    }
}

fn all_in(vm: &Vm, few: &Value, many: &Value) -> R<bool> {
    let mut all = true;
    vm.for_each(few, &mut |item| {
        all = vm.contains(many, &item)?;
        Ok(all)
    })?;
    Ok(all)
}

fn compare(vm: &Vm, op: CmpOp, view: &Ref<DictView>, other: &Value) -> R {
    let Some(theirs) = size(other) else { return Ok(Value::NotImplemented) };
    let ours = view.dict.len();
    let this = Value::from(view);
    let truth = match op {
        CmpOp::Eq => ours == theirs && all_in(vm, &this, other)?,
        CmpOp::NotEq => !(ours == theirs && all_in(vm, &this, other)?),
        CmpOp::Lt => ours < theirs && all_in(vm, &this, other)?,
        CmpOp::LtE => ours <= theirs && all_in(vm, &this, other)?,
        CmpOp::Gt => ours > theirs && all_in(vm, other, &this)?,
        CmpOp::GtE => ours >= theirs && all_in(vm, other, &this)?,
        _ => return Ok(Value::NotImplemented),
    };
    Ok(Value::bool(truth))
}

super::comparisons::comparisons!(compare, DictView);

fn set_of(vm: &Vm, value: &Value) -> R<Ref<Set>> {
    let set = vm.heap.set();
    vm.set_update(&set, value)?;
    Ok(set)
}

fn and(vm: &Vm, view: &Ref<DictView>, other: &Value) -> R<Ref<Set>> {
    if let Some(set) = other.downcast::<Set>()
        && view.dict.len() <= set.keys().len()
    {
        return vm.set_intersection(set.keys(), &Value::from(view));
    }
    let (many, few) = match set_like(other) {
        Some(larger) if larger.dict.len() > view.dict.len() => (larger.clone(), Value::from(view)),
        _ => (view.clone(), other.clone()),
    };
    let result = vm.heap.set();
    vm.for_each(&few, &mut |item| {
        if vm.view_contains(&many, &item)? {
            vm.set_add(&result, item)?;
        }
        Ok(true)
    })?;
    Ok(result)
}

fn union(vm: &Vm, left: &Value, right: &Value) -> R<Ref<Set>> {
    let set = set_of(vm, left)?;
    vm.set_update(&set, right)?;
    Ok(set)
}

fn or(vm: &Vm, this: &Value, other: &Value) -> R<Ref<Set>> {
    union(vm, this, other)
}

fn ror(vm: &Vm, this: &Value, other: &Value) -> R<Ref<Set>> {
    union(vm, other, this)
}

fn difference(vm: &Vm, left: &Value, right: &Value) -> R<Ref<Set>> {
    let set = set_of(vm, left)?;
    vm.set_difference_update(&set, right)?;
    Ok(set)
}

fn sub(vm: &Vm, this: &Value, other: &Value) -> R<Ref<Set>> {
    difference(vm, this, other)
}

fn rsub(vm: &Vm, this: &Value, other: &Value) -> R<Ref<Set>> {
    difference(vm, other, this)
}

fn symmetric_difference(vm: &Vm, left: &Value, right: &Value) -> R<Ref<Set>> {
    let set = set_of(vm, left)?;
    vm.set_symmetric_difference_update(&set, right)?;
    Ok(set)
}

fn xor(vm: &Vm, this: &Value, other: &Value) -> R<Ref<Set>> {
    symmetric_difference(vm, this, other)
}

fn rxor(vm: &Vm, this: &Value, other: &Value) -> R<Ref<Set>> {
    symmetric_difference(vm, other, this)
}

fn is_disjoint(vm: &Vm, this: &Value, other: &Value) -> R<bool> {
    let Some(view) = this.downcast::<DictView>() else { return Ok(true) };
    // The smaller one is walked, when both can be asked for members.
    let (few, many) = match size(other) {
        Some(theirs) if theirs > view.dict.len() => (this, other),
        _ => (other, this),
    };
    let mut apart = true;
    vm.for_each(few, &mut |item| {
        apart = !vm.contains(many, &item)?;
        Ok(apart)
    })?;
    Ok(apart)
}
