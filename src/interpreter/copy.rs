//! Copying plain data across the border, in both directions. Called wherever a value leaves the interpreter or enters it.

use std::cell::Cell;

use dashu_int::IBig;
use dashu_int::ops::BitTest;

use super::data::{Data, FromData, Items};
use crate::value::{BigInt, ByteArray, Bytes, Dict, FrozenSet, List, R, Set, Value};
use crate::vm::Vm;
use crate::vm::coroutine::Coroutine;

impl Data {
    /// Copies a value out. `TypeError` if it holds anything but plain data, `RecursionError` if it nests too deep (or in a circle),
    /// `MemoryError` if the copy is larger than what the limit leaves: an object that is in many places is copied into each.
    pub(crate) fn of(vm: &Vm, value: &Value) -> R<Data> {
        Copying { vm, bytes: Cell::new(0) }.copy(value)
    }

    /// Copies a result out for a `T`.
    pub(super) fn result<T: FromData>(vm: &Vm, value: &Value) -> R<Data> {
        if T::IS_IGNORED { Ok(Data::None) } else { Data::of(vm, value) }
    }

    /// Copies data in.
    pub(crate) fn into_value(self, vm: &Vm) -> R {
        let many = |items: Items| -> R<Vec<Value>> {
            vm.check_alloc_items(items.len(), size_of::<Value>())?;
            vm.nested(|| items.into_iter().map(|item| item.into_value(vm)).collect())
        };
        Ok(match self {
            Data::None => Value::None,
            Data::Bool(b) => Value::bool(b),
            Data::Int(i) => Value::Int(i),
            Data::Float(f) => Value::float(f),
            Data::BigInt(digits) => match digits.parse::<IBig>() {
                Ok(number) => vm.heap.int(number),
                Err(_) => return Err(vm.value_error("the host handed over an integer that is not in decimal digits")),
            },
            Data::Str(text) => {
                vm.check_alloc(text.len())?;
                Value::from(vm.heap.string(text))
            }
            Data::Bytes(bytes) => {
                vm.check_alloc(bytes.len())?;
                Value::from(vm.heap.bytes_object(bytes))
            }
            Data::List(items) => Value::from(vm.heap.list(many(items)?)),
            Data::Tuple(items) => Value::from(vm.heap.tuple(many(items)?)),
            Data::Set(items) => {
                let items = Value::from(vm.heap.list(many(items)?));
                vm.call(&Value::from(&vm.types.set), &[items])?
            }
            Data::Dict(entries) => vm.nested(|| {
                let dict = Value::from(vm.heap.dict());
                for (key, value) in entries {
                    let key = key.into_value(vm)?;
                    vm.set_item(&dict, &key, value.into_value(vm)?)?;
                }
                Ok(dict)
            })?,
        })
    }
}

/// One copying out: what it has taken so far.
struct Copying<'a> {
    vm: &'a Vm,
    bytes: Cell<usize>,
}

impl Copying<'_> {
    fn copy(&self, value: &Value) -> R<Data> {
        let vm = self.vm;
        vm.charge(1)?;
        self.take(size_of::<Data>())?;
        Ok(match value.unwrapped() {
            Value::None => Data::None,
            Value::Bool(b) => Data::Bool(*b != 0),
            Value::Int(i) => Data::Int(*i),
            Value::Float(bits) => Data::Float(f64::from_bits(*bits)),
            inner => {
                if let Some(text) = inner.as_str() {
                    self.take(text.len())?;
                    Data::Str(text.to_owned())
                } else if let Some(big) = inner.downcast::<BigInt>() {
                    vm.charge(1 + big.0.bit_len() as u64 / 64)?;
                    self.take(big.0.bit_len() / 3)?;
                    Data::BigInt(big.0.to_string())
                } else if let Some(list) = inner.downcast::<List>() {
                    Data::List(self.items(&list.to_vec())?)
                } else if let Some(items) = inner.as_tuple() {
                    Data::Tuple(self.items(items)?)
                } else if let Some(dict) = inner.downcast::<Dict>() {
                    let entries = dict.to_vec();
                    Data::Dict(vm.nested(|| {
                        entries.iter().map(|(key, value)| Ok((self.copy(key)?, self.copy(value)?))).collect::<R<_>>()
                    })?)
                } else if let Some(bytes) = inner.downcast::<Bytes>() {
                    self.take(bytes.data().len())?;
                    Data::Bytes(bytes.data().to_vec())
                } else if let Some(bytes) = inner.downcast::<ByteArray>() {
                    self.take(bytes.with(<[u8]>::len))?;
                    Data::Bytes(bytes.with(<[u8]>::to_vec))
                } else if inner.downcast::<Set>().is_some() || inner.downcast::<FrozenSet>().is_some() {
                    Data::Set(self.items(&vm.collect(inner)?)?)
                } else {
                    let class = vm.class_of(value);
                    let hint = if value.downcast::<Coroutine>().is_some() { ": it has to be awaited" } else { "" };
                    return Err(vm.type_error(format!("'{}' object is not plain data{hint}", class.name().as_str())));
                }
            }
        })
    }

    fn items(&self, items: &[Value]) -> R<Items> {
        self.vm.nested(|| items.iter().map(|item| self.copy(item)).collect())
    }

    /// Counts `bytes` of the copy.
    fn take(&self, bytes: usize) -> R<()> {
        self.bytes.set(self.bytes.get().saturating_add(bytes));
        match self.vm.heap.room_for(self.bytes.get()) {
            true => Ok(()),
            false => Err(self.vm.out_of_memory()),
        }
    }
}
