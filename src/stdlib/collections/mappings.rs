//! The hot methods of the mappings of `collections`, which are script classes over `dict`.

use super::super::support::Meter;
use crate::native::define_methods;
use crate::rows;
use crate::syntax::ast::Operator;
use crate::value::{Class, Dict, Module, R, Ref, Value};
use crate::vm::Vm;

/// Gives the classes that the script made their native methods.
pub fn install(vm: &Vm, module: &Ref<Module>) {
    let class = |name: &str| module.dict.get_text(name).and_then(|value| value.downcast::<Class>().cloned());
    if let Some(class) = class("defaultdict") {
        define_methods(vm, &class, &rows!["__missing__", "key, /" => missing(0 1);]);
    }
    if let Some(class) = class("OrderedDict") {
        define_methods(vm, &class, &rows!["move_to_end", "key, last=True" => move_to_end(0 1 2);]);
    }
    if let Some(class) = class("Counter") {
        define_methods(vm, &class, &rows!["__missing__", "key, /" => zero(0 1);]);
    }
}

/// `defaultdict.__missing__`: makes the value, enters and returns it.
fn missing(vm: &Vm, this: &Value, key: &Value) -> R {
    let factory = vm.get_attr(this, &vm.intern("default_factory"))?;
    if factory.is_none() {
        return Err(vm.key_error(key));
    }
    let value = vm.call(&factory, &[])?;
    vm.set_item(this, key, value.clone())?;
    Ok(value)
}

/// `Counter.__missing__`.
fn zero(_vm: &Vm, _this: &Value, _key: &Value) -> i64 {
    0
}

/// `OrderedDict.move_to_end(key, last)`.
fn move_to_end(vm: &Vm, dict: &Ref<Dict>, key: &Value, last: Option<bool>) -> R<()> {
    let Some(at) = vm.dict_find(dict, key)? else { return Err(vm.key_error(key)) };
    let Some(entry) = dict.remove_at(at) else { return Ok(()) };
    if last.unwrap_or(true) {
        dict.insert_new(entry.hash, entry.key, entry.value);
        return Ok(());
    }
    if dict.is_full_in_front() {
        // All others move.
        vm.charge(1 + dict.len() as u64 / 16)?;
        vm.check_alloc(dict.len() * size_of::<crate::value::dict::Entry>())?;
    }
    dict.insert_front(entry.hash, entry.key, entry.value);
    Ok(())
}

/// `_count_elements(mapping, iterable)`: adds one for each item.
pub fn count_elements(vm: &Vm, mapping: &Value, iterable: &Value) -> R<()> {
    let mut meter = Meter::default();
    let dict = mapping.payload::<Dict>();
    vm.for_each(iterable, &mut |item| {
        meter.step(vm)?;
        let Some(dict) = dict else {
            let known = vm.call_method(mapping, &vm.n.get, &[item.clone(), Value::Int(0)])?;
            let count = vm.binary(Operator::Add, &known, &Value::Int(1))?;
            vm.set_item(mapping, &item, count)?;
            return Ok(true);
        };
        let hash = vm.key_hash(&item)? as u64;
        let at = vm.dict_find_hashed(dict, hash, &item)?;
        match at.and_then(|at| Some((at, dict.value_at(at)?))) {
            Some((at, Value::Int(count))) if count < i64::MAX => drop(dict.replace_at(at, Value::Int(count + 1))),
            Some((_, count)) => {
                let count = vm.binary(Operator::Add, &count, &Value::Int(1))?;
                vm.dict_set_hashed(dict, hash, item, count)?;
            }
            None => vm.dict_set_hashed(dict, hash, item, Value::Int(1))?,
        }
        Ok(true)
    })
}
