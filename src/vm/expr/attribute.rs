//! Attribute access with inline caches: `object.name` loaded, stored, deleted.

use super::operand::Operand;
use crate::syntax::Span;
use crate::value::{Instance, Place, R, Raised, Ref, Str, Value};
use crate::vm::Vm;
use crate::vm::cache::{Cache, Load, Store, is_plain_store, note_load, note_setter, note_store};
use crate::vm::function::Args;
use crate::vm::node::{Node, Tree};

/// `object.name`.
pub struct Attribute<A> {
    pub object: A,
    pub name: Ref<Str>,
    pub span: Span,
    pub cache: Cache<Load>,
}

impl<A: Operand> Attribute<A> {
    pub fn new(object: A, name: Ref<Str>, span: Span) -> Self {
        Attribute { object, name, span, cache: Cache::new(Load::Field(0)) }
    }
}

impl From<super::operand::LocalField> for Attribute<super::operand::Local> {
    fn from(field: super::operand::LocalField) -> Self {
        Attribute::new(field.local, field.name, field.span)
    }
}

#[inline(always)]
pub(super) fn cached(vm: &Vm, cache: &Cache<Load>, object: &Value) -> Option<Value> {
    let instance = object.downcast::<Instance>()?;
    let Load::Field(index) = cache.get(vm, instance)? else { return None };
    let value = instance.field(index as usize);
    (!value.is_undef()).then_some(value)
}

impl<A: Operand> Node for Attribute<A> {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        let loaded = self.object.load(vm, l)?;
        let object = self.object.peek(&loaded, l);
        match cached(vm, &self.cache, object) {
            Some(value) => Ok(value),
            None => load_slowly(vm, object, &self.name, &self.cache, self.span),
        }
    }
}

#[inline(never)]
pub(super) fn load_slowly(vm: &Vm, object: &Value, name: &Ref<Str>, cache: &Cache<Load>, span: Span) -> R {
    if let Some(instance) = object.downcast::<Instance>() {
        match cache.get(vm, instance).or_else(|| cache.get_other(vm, instance)) {
            Some(Load::Property(getter)) => {
                return vm
                    .call_function(getter.get(), Args::positional(std::slice::from_ref(object)))
                    .map_err(|Raised| vm.at(span));
            }
            Some(Load::Field(index)) if !instance.field(index as usize).is_undef() => return Ok(instance.field(index as usize)),
            _ => {}
        }
        note_load(vm, cache, instance, name);
    }
    vm.get_attr(object, name).map_err(|Raised| vm.at(span))
}

/// `object.name = value`. The value is evaluated first, as assignment has it.
pub struct StoreAttribute<A, B> {
    pub object: A,
    pub name: Ref<Str>,
    pub value: B,
    pub span: Span,
    pub place: Place,
    pub cache: Cache<Store>,
}

impl<A: Operand, B: Operand> StoreAttribute<A, B> {
    pub fn new(object: A, name: Ref<Str>, value: B, span: Span, place: Place) -> Self {
        StoreAttribute { object, name, value, span, place, cache: Cache::new(Store::Field(0)) }
    }
}

impl<A: Operand, B: Operand> Node for StoreAttribute<A, B> {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        self.exec(vm, l)
    }

    fn exec(&self, vm: &Vm, l: &mut [Value]) -> R {
        let value = self.value.load(vm, l)?;
        let object = self.object.load(vm, l)?;
        let value = self.value.take(value, l);
        let object = self.object.peek(&object, l);
        if let Some(instance) = object.downcast::<Instance>()
            && let Some(store) = self.cache.get(vm, instance)
        {
            match store {
                Store::Field(index) => vm.drop_at(instance.replace_field(index as usize, value), self.place),
                Store::Extend(shape) => {
                    instance.extend(shape.get().clone(), value);
                }
                Store::Property(setter) => {
                    let args = [object.clone(), value];
                    vm.heap.here.set(self.place);
                    vm.call_function(setter.get(), Args::positional(&args)).map_err(|Raised| vm.at(self.span))?;
                }
            }
            return Ok(Value::Next);
        }
        // The object may be a local that the setter rebinds, so it is held.
        vm.heap.here.set(self.place);
        store_slowly(vm, object.clone(), &self.name, value, &self.cache, self.span)
    }
}

#[inline(never)]
fn store_slowly(vm: &Vm, object: Value, name: &Ref<Str>, value: Value, cache: &Cache<Store>, span: Span) -> R {
    if let Some(instance) = object.downcast::<Instance>() {
        match cache.get_other(vm, instance) {
            Some(Store::Field(index)) => {
                drop(instance.replace_field(index as usize, value));
                return Ok(Value::Next);
            }
            Some(Store::Extend(shape)) => {
                instance.extend(shape.get().clone(), value);
                return Ok(Value::Next);
            }
            // A setter is found by the general way.
            Some(Store::Property(_)) | None => {}
        }
    }
    let plain = match object.downcast::<Instance>() {
        Some(instance) if is_plain_store(vm, instance, name) => Some((instance.clone(), instance.shape())),
        _ => None,
    };
    if let Some((instance, before)) = plain {
        instance.set(name, value);
        note_store(vm, cache, &before, &instance, name);
        return Ok(Value::Next);
    }
    if let Some(instance) = object.downcast::<Instance>() {
        note_setter(vm, cache, instance, name);
    }
    match vm.set_attr(&object, name, value) {
        Ok(()) => Ok(Value::Next),
        Err(Raised) => Err(vm.at(span)),
    }
}

/// `del object.name`.
pub struct DeleteAttribute {
    pub object: Tree,
    pub name: Ref<Str>,
    pub span: Span,
    pub place: Place,
}

impl Node for DeleteAttribute {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        self.exec(vm, l)
    }

    fn exec(&self, vm: &Vm, l: &mut [Value]) -> R {
        let object = self.object.eval(vm, l)?;
        vm.heap.here.set(self.place);
        vm.del_attr(&object, &self.name).map_err(|Raised| vm.at(self.span))?;
        Ok(Value::Next)
    }
}
