//! The methods of `list`.

use crate::native::define_methods;
use crate::rows;
use crate::syntax::ast::CmpOp;
use crate::value::{Class, Iter, List, R, Ref, Value};
use crate::vm::Vm;

use super::sort;

/// Fills the class in.
pub fn install(vm: &Vm) {
    define_methods(
        vm,
        &vm.types.list,
        &rows![
            static "__new__", "cls, /, *args, **kwargs" => new(0);
            "__init__", "iterable=(), /" => init(0 1);
            "append", "object, /" => append(0 1);
            "clear", "" => clear(0);
            "copy", "" => copy(0);
            "count", "value, /" => count(0 1);
            "extend", "iterable, /" => extend(0 1);
            "index", "value, start=0, stop=9223372036854775807, /" => index(0 1 2 3);
            "insert", "index, object, /" => insert(0 1 2);
            "pop", "index=-1, /" => pop(0 1);
            "remove", "value, /" => remove(0 1);
            "reverse", "" => reverse(0);
            "sort", "*, key=None, reverse=False" => sort_list(0 1 2);
            "__contains__", "key, /" => contains(0 1);
            "__delitem__", "key, /" => del_item(0 1);
            "__eq__", "value, /" => eq(0 1);
            "__ge__", "value, /" => ge(0 1);
            "__getitem__", "index, /" => get_item(0 1);
            "__gt__", "value, /" => gt(0 1);
            "__iadd__", "value, /" => iadd(0 1);
            "__imul__", "value, /" => imul(0 1);
            "__iter__", "" => iter(0);
            "__le__", "value, /" => le(0 1);
            "__len__", "" => len(0);
            "__lt__", "value, /" => lt(0 1);
            "__ne__", "value, /" => ne(0 1);
            "__repr__", "" => repr(0);
            "__reversed__", "" => reversed(0);
            "__setitem__", "key, value, /" => set_item(0 1 2);
            "__sizeof__", "" => size_of_list(0);
            class "__class_getitem__", "item, /" => class_getitem(0 1);
        ],
    );
    vm.types.list.dict.set_str(&vm.n.__hash__, Value::None);
}

/// `C[item]` for a class with type parameters only for show.
pub(super) fn class_getitem(vm: &Vm, class: &Value, item: &Value) -> Value {
    vm.generic_alias(class.clone(), item)
}

fn new(vm: &Vm, class: &Ref<Class>) -> R {
    vm.wrap_new(class, Value::from(vm.heap.list(Vec::new())))
}

fn init(vm: &Vm, list: &Ref<List>, iterable: &Value) -> R<()> {
    let items = if iterable.is_undef() { Vec::new() } else { vm.collect(iterable)? };
    drop(list.replace(items));
    Ok(())
}

fn append(vm: &Vm, list: &Ref<List>, object: Value) -> R<()> {
    vm.list_push(list, object)
}

fn clear(_vm: &Vm, list: &Ref<List>) {
    drop(list.replace(Vec::new()));
}

fn copy(vm: &Vm, list: &Ref<List>) -> R<Ref<List>> {
    vm.will_copy(list.len())?;
    Ok(vm.heap.list(list.to_vec()))
}

fn count(vm: &Vm, list: &Ref<List>, value: &Value) -> R<usize> {
    vm.items_count(list, value)
}

fn extend(vm: &Vm, list: &Ref<List>, iterable: &Value) -> R<()> {
    vm.list_extend(list, iterable)
}

/// `start` or `stop` of an `index` method, as a position.
pub(super) fn bound(vm: &Vm, value: &Value, default: usize, len: usize) -> R<usize> {
    if value.is_undef() {
        return Ok(default);
    }
    if !vm.has_index(value) {
        return Err(vm.type_error("slice indices must be integers or have an __index__ method"));
    }
    let at = vm.index_clamped(value)?;
    let at = if at < 0 { at.saturating_add(len as i64).max(0) } else { at };
    Ok(at as usize)
}

fn index(vm: &Vm, list: &Ref<List>, value: &Value, start: &Value, stop: &Value) -> R<usize> {
    let len = list.len();
    let start = bound(vm, start, 0, len)?;
    let stop = bound(vm, stop, usize::MAX, len)?;
    match vm.items_find(list, value, start, stop)? {
        Some(at) => Ok(at),
        None => {
            let shown = vm.repr(value)?;
            Err(vm.value_error(format!("{} is not in list", shown.as_str())))
        }
    }
}

fn insert(vm: &Vm, list: &Ref<List>, index: &Value, object: Value) -> R<()> {
    let at = match vm.index(index)? {
        Value::Int(at) => at,
        _ => return Err(vm.overflow_error("Python int too large to convert to C ssize_t")),
    };
    let len = list.len();
    let at = if at < 0 { at.saturating_add(len as i64).max(0) } else { at.min(len as i64) } as usize;
    if len - at > 256 {
        vm.charge(((len - at) / 256) as u64)?;
    }
    vm.list_push(list, object)?;
    list.with_mut(|items| items[at..].rotate_right(1));
    Ok(())
}

fn pop(vm: &Vm, list: &Ref<List>, index: &Value) -> R {
    let at = match index {
        Value::Undef => -1,
        Value::Int(at) => *at,
        other => match vm.index(other)? {
            Value::Int(at) => at,
            _ => return Err(vm.overflow_error("Python int too large to convert to C ssize_t")),
        },
    };
    let len = list.len();
    if len == 0 {
        return Err(vm.index_error("pop from empty list"));
    }
    if at == -1 {
        return list.pop().ok_or_else(|| vm.index_error("pop from empty list"));
    }
    let at = if at < 0 { at.wrapping_add(len as i64) } else { at };
    if at as u64 >= len as u64 {
        return Err(vm.index_error("pop index out of range"));
    }
    vm.list_take(list, at as usize)
}

fn remove(vm: &Vm, list: &Ref<List>, value: &Value) -> R<()> {
    match vm.items_find(list, value, 0, usize::MAX)? {
        // The comparison may have shortened the list: then there is nothing at that place to remove.
        Some(at) if at < list.len() => vm.list_take(list, at).map(drop),
        Some(_) => Ok(()),
        None => Err(vm.value_error("list.remove(x): x not in list")),
    }
}

fn reverse(vm: &Vm, list: &Ref<List>) -> R<()> {
    vm.charge((list.len() / 256) as u64)?;
    list.with_mut(|items| items.reverse());
    Ok(())
}

fn sort_list(vm: &Vm, list: &Ref<List>, key: Option<&Value>, reverse: &Value) -> R<()> {
    let reverse = is_reverse(vm, reverse)?;
    // Script code that runs meanwhile finds the list empty.
    let mut items = list.replace(Vec::new());
    let result = sort::sort(vm, &mut items, key, reverse);
    let meanwhile = list.replace(items);
    // Even what was taken out again leaves room behind.
    let modified = meanwhile.capacity() > 0;
    drop(meanwhile);
    result?;
    if modified { Err(vm.value_error("list modified during sort")) } else { Ok(()) }
}

/// The `reverse` argument of `sort` and `sorted`.
pub(super) fn is_reverse(vm: &Vm, reverse: &Value) -> R<bool> {
    if reverse.is_undef() { Ok(false) } else { vm.truthy(reverse) }
}

fn contains(vm: &Vm, list: &Ref<List>, value: &Value) -> R<bool> {
    vm.items_contain(list, value)
}

fn del_item(vm: &Vm, list: &Ref<List>, key: &Value) -> R<()> {
    vm.list_del(list, key)
}

fn get_item(vm: &Vm, list: &Ref<List>, key: &Value) -> R {
    vm.list_get(list, key)
}

fn set_item(vm: &Vm, list: &Ref<List>, key: &Value, value: Value) -> R<()> {
    vm.list_set(list, key, value)
}

fn compare(vm: &Vm, op: CmpOp, list: &Ref<List>, other: &Value) -> R {
    match other.payload::<List>() {
        Some(other) => vm.items_compare(op, list, other),
        None => Ok(Value::NotImplemented),
    }
}

super::comparisons::comparisons!(compare, List);

fn iadd(vm: &Vm, this: &Value, iterable: &Value) -> R {
    if let Some(list) = this.payload::<List>() {
        vm.list_extend(list, iterable)?;
    }
    Ok(this.clone())
}

fn imul(vm: &Vm, this: &Value, times: &Value) -> R {
    let times = vm.index(times)?;
    if let Some(list) = this.payload::<List>() {
        vm.list_repeat_in_place(list, &times)?;
    }
    Ok(this.clone())
}

fn iter(vm: &Vm, list: &Ref<List>) -> Value {
    vm.iterator(Iter::List { list: list.clone(), next: 0 })
}

fn reversed(vm: &Vm, list: &Ref<List>) -> Value {
    vm.iterator(Iter::ListReversed { list: list.clone(), next: list.len() })
}

fn len(_vm: &Vm, list: &Ref<List>) -> usize {
    list.len()
}

fn repr(vm: &Vm, this: &Value) -> R<String> {
    super::shown::container(vm, this)
}

fn size_of_list(_vm: &Vm, list: &Ref<List>) -> usize {
    40 + 8 * list.len()
}
