//! `threading.local`: attributes that each thread has its own values of.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::native::define_class;
use crate::native_kind;
use crate::rows;
use crate::sched::baton::ThreadId;
use crate::sched::threads;
use crate::stdlib::support::wrap_new;
use crate::value::{Class, Dict, Payload, R, Ref, Str, Value, Visitor};
use crate::vm::Vm;

/// The payload: a namespace per thread.
#[derive(Default)]
pub struct Local {
    spaces: RefCell<BTreeMap<ThreadId, Ref<Dict>>>,
}

impl Payload for Local {
    native_kind!();
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        for space in self.spaces.borrow().values() {
            visitor.reference(space);
        }
    }

    fn clear(&self) {
        let spaces = std::mem::take(&mut *self.spaces.borrow_mut());
        drop(spaces);
    }
}

impl Local {
    /// The namespace of the running thread; those of threads that have ended are dropped on the way.
    fn space(&self, vm: &Vm) -> Ref<Dict> {
        let current = threads::current(vm);
        if let Some(known) = self.spaces.borrow().get(&current) {
            return known.clone();
        }
        let made = vm.heap.dict();
        let mut spaces = std::mem::take(&mut *self.spaces.borrow_mut());
        spaces.retain(|thread, _| threads::is_alive(vm, *thread));
        spaces.insert(current, made.clone());
        *self.spaces.borrow_mut() = spaces;
        made
    }
}

/// The class.
pub fn class(vm: &Vm) -> Ref<Class> {
    define_class::<Local>(
        vm,
        "_thread",
        "local",
        &rows![
            static "__new__", "cls, *args, **kwargs" => new(0);
            "__getattribute__", "name, /" => get(0 1);
            "__setattr__", "name, value, /" => set(0 1 2);
            "__delattr__", "name, /" => delete(0 1);
        ],
    )
}

fn new(vm: &Vm, class: &Value) -> R {
    wrap_new(vm, class, Value::from(vm.heap.alloc(Local::default())))
}

/// The space of an object of the class.
fn space(vm: &Vm, this: &Value) -> R<Ref<Dict>> {
    let local: &Ref<Local> = crate::native::FromValue::from_value(vm, this)?;
    Ok(local.space(vm))
}

fn get(vm: &Vm, this: &Value, name: &Ref<Str>) -> R {
    let space = space(vm, this)?;
    if name.as_str() == "__dict__" {
        return Ok(Value::from(space));
    }
    if let Some(value) = space.get_text(name.as_str()) {
        return Ok(value);
    }
    vm.default_get_attr(this, &vm.name_of(name))
}

fn set(vm: &Vm, this: &Value, name: &Ref<Str>, value: Value) -> R<()> {
    let space = space(vm, this)?;
    vm.dict_set(&space, Value::from(name), value)
}

fn delete(vm: &Vm, this: &Value, name: &Ref<Str>) -> R<()> {
    let space = space(vm, this)?;
    match vm.dict_remove(&space, &Value::from(name))? {
        Some(_) => Ok(()),
        None => {
            let class = vm.class_of(this).name();
            Err(vm.attribute_error(format!("'{}' object has no attribute '{}'", class.as_str(), name.as_str())))
        }
    }
}
