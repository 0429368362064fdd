//! What a `bytearray` can do beside what `bytes` can: change.

use super::{Data, contents};
use crate::native::Given;
use crate::native::define_methods;
use crate::rows;
use crate::value::{ByteArray, Class, R, Ref, Value};
use crate::vm::{Vm, binary};

/// Fills the class in.
pub fn install(vm: &Vm) {
    define_methods(
        vm,
        &vm.types.bytearray,
        &rows![
            static "__new__", "cls, /, *args, **kwargs" => new(0);
            "__init__", "source=b'', encoding='', errors=''" => init(0 1 2 3);
            "append", "item, /" => append(0 1);
            "clear", "" => clear(0);
            "copy", "" => copy(0);
            "extend", "iterable_of_ints, /" => extend(0 1);
            "insert", "index, item, /" => insert(0 1 2);
            "pop", "index=-1, /" => pop(0 1);
            "remove", "value, /" => remove(0 1);
            "reverse", "" => reverse(0);
            "__delitem__", "key, /" => del_item(0 1);
            "__iadd__", "value, /" => iadd(0 1);
            "__imul__", "value, /" => imul(0 1);
            "__setitem__", "key, value, /" => set_item(0 1 2);
        ],
    );
    vm.types.bytearray.dict.set_str(&vm.n.__hash__, Value::None);
}

fn new(vm: &Vm, class: &Ref<Class>) -> R {
    vm.wrap_new(class, Value::from(vm.heap.bytearray(Vec::new())))
}

fn init(vm: &Vm, array: &Ref<ByteArray>, source: &Value, encoding: &Value, errors: &Value) -> R<()> {
    let data = contents(vm, "bytearray", source, encoding, errors)?;
    vm.check_resizable(array)?;
    array.with_mut(|bytes| *bytes = data);
    Ok(())
}

fn append(vm: &Vm, array: &Ref<ByteArray>, item: &Value) -> R<()> {
    let byte = vm.byte(item)?;
    vm.check_resizable(array)?;
    vm.check_alloc(1)?;
    array.with_mut(|bytes| bytes.push(byte));
    Ok(())
}

fn clear(vm: &Vm, array: &Ref<ByteArray>) -> R<()> {
    vm.check_resizable(array)?;
    array.with_mut(|bytes| *bytes = Vec::new());
    Ok(())
}

fn copy(vm: &Vm, this: Data<'_>) -> R {
    vm.check_alloc(this.len())?;
    vm.will_scan(this.len())?;
    Ok(Value::from(vm.heap.bytearray(this.with(<[u8]>::to_vec))))
}

fn extend(vm: &Vm, array: &Ref<ByteArray>, iterable: &Value) -> R<()> {
    let more = match binary::bytes_of(iterable) {
        Some(data) => data,
        None if iterable.as_str().is_some_and(|text| !text.is_empty()) => {
            return Err(vm.type_error("'str' object cannot be interpreted as an integer"));
        }
        None if iterable.as_str().is_some() => return Ok(()),
        None => {
            let class = vm.class_of(iterable).name();
            vm.collect_bytes(iterable, &format!("can't extend bytearray with {}", class.as_str()))?
        }
    };
    vm.extend_bytearray(array, &more)
}

fn insert(vm: &Vm, array: &Ref<ByteArray>, index: i64, item: &Value) -> R<()> {
    let byte = vm.byte(item)?;
    vm.check_resizable(array)?;
    vm.check_alloc(1)?;
    will_move(vm, array)?;
    array.with_mut(|bytes| {
        let len = bytes.len() as i64;
        let at = if index < 0 { index.saturating_add(len).max(0) } else { index.min(len) };
        bytes.insert(at as usize, byte);
    });
    Ok(())
}

fn pop(vm: &Vm, array: &Ref<ByteArray>, Given(index): Given<i64>) -> R<i64> {
    let index = index.unwrap_or(-1);
    if array.with(<[u8]>::is_empty) {
        return Err(vm.index_error("pop from empty bytearray"));
    }
    vm.check_resizable(array)?;
    if index != -1 {
        will_move(vm, array)?;
    }
    let popped = array.with_mut(|bytes| {
        let at = if index < 0 { index.saturating_add(bytes.len() as i64) } else { index };
        let at = usize::try_from(at).ok().filter(|at| *at < bytes.len())?;
        Some(bytes.remove(at))
    });
    popped.map(i64::from).ok_or_else(|| vm.index_error("pop index out of range"))
}

fn remove(vm: &Vm, array: &Ref<ByteArray>, value: &Value) -> R<()> {
    let byte = vm.byte(value)?;
    will_move(vm, array)?;
    let Some(at) = array.with(|bytes| memchr::memchr(byte, bytes)) else {
        return Err(vm.value_error("value not found in bytearray"));
    };
    vm.check_resizable(array)?;
    array.with_mut(|bytes| bytes.remove(at));
    Ok(())
}

fn reverse(vm: &Vm, array: &Ref<ByteArray>) -> R<()> {
    will_move(vm, array)?;
    array.with_mut(|bytes| bytes.reverse());
    Ok(())
}

/// Before all bytes are looked at, or change their places.
fn will_move(vm: &Vm, array: &Ref<ByteArray>) -> R<()> {
    vm.will_scan(array.with(<[u8]>::len))
}

fn set_item(vm: &Vm, array: &Ref<ByteArray>, key: &Value, value: &Value) -> R<()> {
    vm.bytearray_set(array, key, value)
}

fn del_item(vm: &Vm, array: &Ref<ByteArray>, key: &Value) -> R<()> {
    vm.bytearray_del(array, key)
}

fn iadd(vm: &Vm, this: &Value, other: &Value) -> R {
    if let Some(array) = this.payload::<ByteArray>() {
        vm.bytearray_extend(array, other)?;
    }
    Ok(this.clone())
}

fn imul(vm: &Vm, this: &Value, times: &Value) -> R {
    let made = vm.bytes_repeat(this, times)?;
    let data = binary::bytes_of(&made).unwrap_or_default();
    if let Some(array) = this.payload::<ByteArray>() {
        if data.len() != array.with(<[u8]>::len) {
            vm.check_resizable(array)?;
        }
        array.with_mut(|bytes| *bytes = data);
    }
    Ok(this.clone())
}
