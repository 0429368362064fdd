//! Items: `object[key]` loaded, stored, deleted; slices.

use super::operand::Operand;
use crate::syntax::Span;
use crate::value::{Dict, List, Place, R, Raised, Slice, Str, Tuple, Value};
use crate::vm::Vm;
use crate::vm::node::{Node, Tree};

/// `object[key]`.
pub struct Subscript<A, B> {
    pub object: A,
    pub key: B,
    pub span: Span,
}

#[inline(always)]
fn position(index: i64, len: usize) -> usize {
    if index >= 0 { index as usize } else { (index as usize).wrapping_add(len) }
}

/// `object[key]`, if the object is a list, tuple or dict itself and no script code is needed.
#[inline(always)]
pub(super) fn quick(object: &Value, key: &Value) -> Option<Value> {
    let object = object.as_obj()?;
    if let Value::Int(index) = key {
        if let Some(list) = object.downcast::<List>() {
            return list.get(position(*index, list.len()));
        }
        if let Some(tuple) = object.downcast::<Tuple>() {
            return tuple.items().get(position(*index, tuple.len())).cloned();
        }
    }
    let dict = object.downcast::<Dict>()?;
    dict.value_at(find(dict, key)??)
}

/// Where a key is in a dict (`Some(None)`: nowhere), if that can be told without running script code.
#[inline(always)]
pub(super) fn find(dict: &Dict, key: &Value) -> Option<Option<usize>> {
    match key {
        Value::Int(i) => dict.find_int(*i).ok(),
        Value::Obj(object) => dict.find_str(object.downcast::<Str>()?).ok(),
        _ => None,
    }
}

impl<A: Operand, B: Operand> Node for Subscript<A, B> {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        let object = self.object.load(vm, l)?;
        let key = self.key.load(vm, l)?;
        let (object, key) = (self.object.peek(&object, l), self.key.peek(&key, l));
        match quick(object, key) {
            Some(value) => Ok(value),
            None => load_slowly(vm, object, key, self.span),
        }
    }
}

#[inline(never)]
fn load_slowly(vm: &Vm, object: &Value, key: &Value, span: Span) -> R {
    vm.get_item(object, key).map_err(|Raised| vm.at(span))
}

/// `object[key] = value`. The value is evaluated first, as assignment has it.
pub struct StoreSubscript<A, B, C> {
    pub object: A,
    pub key: B,
    pub value: C,
    pub span: Span,
    pub place: Place,
}

impl<A: Operand, B: Operand, C: Operand> Node for StoreSubscript<A, B, C> {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        self.exec(vm, l)
    }

    fn exec(&self, vm: &Vm, l: &mut [Value]) -> R {
        let value = self.value.load(vm, l)?;
        let object = self.object.load(vm, l)?;
        let key = self.key.load(vm, l)?;
        let value = self.value.take(value, l);
        let (object, key) = (self.object.peek(&object, l), self.key.peek(&key, l));
        vm.heap.here.set(self.place);
        let value = match object.as_obj() {
            Some(object) => match store_quickly(object, key, value) {
                Ok(()) => return Ok(Value::Next),
                Err(value) => value,
            },
            None => value,
        };
        store_slowly(vm, &object.clone(), &key.clone(), value, self.span)
    }
}

#[inline(always)]
fn store_quickly(object: &crate::value::ObjRef, key: &Value, value: Value) -> Result<(), Value> {
    if let Value::Int(index) = key
        && let Some(list) = object.downcast::<List>()
    {
        return list.set(position(*index, list.len()), value);
    }
    if let Some(dict) = object.downcast::<Dict>() {
        return match find(dict, key) {
            Some(Some(index)) => {
                drop(dict.replace_at(index, value));
                Ok(())
            }
            Some(None) if dict.len() < crate::value::dict::MAX_LEN => {
                let hash = match key {
                    Value::Int(i) => crate::value::hash::int(*i) as u64,
                    other => other.downcast::<Str>().map_or(0, |text| text.hash()),
                };
                dict.insert_new(hash, key.clone(), value);
                Ok(())
            }
            _ => Err(value),
        };
    }
    Err(value)
}

#[inline(never)]
fn store_slowly(vm: &Vm, object: &Value, key: &Value, value: Value, span: Span) -> R {
    match vm.set_item(object, key, value) {
        Ok(()) => Ok(Value::Next),
        Err(Raised) => Err(vm.at(span)),
    }
}

/// `del object[key]`.
pub struct DeleteSubscript {
    pub object: Tree,
    pub key: Tree,
    pub span: Span,
    pub place: Place,
}

impl Node for DeleteSubscript {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        self.exec(vm, l)
    }

    fn exec(&self, vm: &Vm, l: &mut [Value]) -> R {
        let object = self.object.eval(vm, l)?;
        let key = self.key.eval(vm, l)?;
        vm.heap.here.set(self.place);
        vm.del_item(&object, &key).map_err(|Raised| vm.at(self.span))?;
        vm.run_finalizers();
        Ok(Value::Next)
    }
}

/// `lower:upper:step` inside a subscript.
pub struct MakeSlice {
    pub start: Option<Tree>,
    pub stop: Option<Tree>,
    pub step: Option<Tree>,
}

impl Node for MakeSlice {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        let mut part = |tree: &Option<Tree>| match tree {
            Some(tree) => tree.eval(vm, l),
            None => Ok(Value::None),
        };
        let (start, stop, step) = (part(&self.start)?, part(&self.stop)?, part(&self.step)?);
        Ok(Value::from(vm.heap.alloc(Slice { start, stop, step })))
    }
}
