//! `str.translate` and the tables for it.

use super::refuse;
use crate::value::{Dict, R, Ref, Str, Value};
use crate::vm::Vm;

pub fn translate(vm: &Vm, text: &Ref<Str>, table: &Value) -> R {
    let mut made = String::with_capacity(text.byte_len());
    for (at, c) in text.as_str().chars().enumerate() {
        if at % 64 == 63 {
            vm.charge(16)?;
            vm.check_text(made.len())?;
        }
        match look_up(vm, table, c)? {
            None => made.push(c),
            Some(Value::None) => {}
            Some(value) => match value.as_str() {
                Some(text) => made.push_str(text),
                None if vm.has_index(&value) => {
                    let code = vm.index_clamped(&value)?;
                    match u32::try_from(code).ok().and_then(char::from_u32) {
                        Some(mapped) => made.push(mapped),
                        None if (0xD800..0xE000).contains(&code) => {
                            return Err(vm.value_error(format!("lone surrogates are not supported: {code:#x}")));
                        }
                        None => return Err(vm.value_error("character mapping must be in range(0x110000)")),
                    }
                }
                None => return Err(vm.type_error("character mapping must return integer, None or str")),
            },
        }
    }
    vm.check_text(made.len())?;
    Ok(Value::from(vm.heap.string(made)))
}

/// What the table says of a code point; nothing if it raises `LookupError`.
fn look_up(vm: &Vm, table: &Value, c: char) -> R<Option<Value>> {
    let key = Value::Int(c as i64);
    if let Some(dict) = table.downcast::<Dict>() {
        return vm.dict_get(dict, &key);
    }
    let found = vm.get_item(table, &key);
    vm.catch(found, &vm.types.lookup_error)
}

pub fn maketrans(vm: &Vm, x: &Value, y: &Value, z: &Value) -> R {
    let table = vm.heap.dict();
    if y.is_undef() {
        let Some(given) = x.payload::<Dict>() else {
            return Err(vm.type_error("if you give only one argument to maketrans it must be a dict"));
        };
        vm.will_copy(given.len())?;
        for (key, value) in given.to_vec() {
            let key = match key.payload::<Str>() {
                Some(text) => match (text.char_at(0), text.len()) {
                    (Some(c), 1) => Value::Int(c as i64),
                    _ => return Err(vm.value_error("string keys in translate table must be of length 1")),
                },
                None if crate::native::is_integer(&key) => key,
                None => return Err(vm.type_error("keys in translate table must be strings or integers")),
            };
            vm.dict_set(&table, key, value)?;
        }
        return Ok(Value::from(table));
    }
    let Some(from) = x.payload::<Str>() else {
        return Err(vm.type_error("first maketrans argument must be a string if there is a second argument"));
    };
    let Some(to) = y.payload::<Str>() else { return Err(refuse(vm, "maketrans() argument 2 must be str", y)) };
    if !z.is_undef() && z.as_str().is_none() {
        return Err(refuse(vm, "maketrans() argument 3 must be str", z));
    }
    if from.len() != to.len() {
        return Err(vm.value_error("the first two maketrans arguments must have equal length"));
    }
    for (at, (from, to)) in from.as_str().chars().zip(to.as_str().chars()).enumerate() {
        if at % 64 == 63 {
            vm.charge(8)?;
        }
        vm.dict_set(&table, Value::Int(from as i64), Value::Int(to as i64))?;
    }
    for (at, c) in z.as_str().unwrap_or_default().chars().enumerate() {
        if at % 64 == 63 {
            vm.charge(8)?;
        }
        vm.dict_set(&table, Value::Int(c as i64), Value::None)?;
    }
    Ok(Value::from(table))
}
