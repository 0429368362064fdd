//! What the modules of the library share: native iterators, making objects of classes that a script may derive from, scripts
//! that complete a module, and counting work.

use std::cell::RefCell;

use crate::native::{Row, define_class, define_iterator};
use crate::syntax::{Mode, Source};
use crate::value::{Class, Module, Payload, R, Ref, Value};
use crate::vm::Vm;
use crate::vm::function::StaticMethod;

/// A native iterator: its state is data (positions and values), never a closure.
pub trait NativeIterator: Payload {
    /// The next item, or `None` at the end. Iterators that hand out references to themselves implement `next_of` instead.
    fn next(&self, _vm: &Vm) -> R<Option<Value>> {
        Ok(None)
    }

    /// The next item, or `None` at the end, of the iterator object.
    #[inline]
    fn next_of(this: &Ref<Self>, vm: &Vm) -> R<Option<Value>> {
        this.next(vm)
    }
}

/// The class of a native iterator, with `__iter__` and `__next__` beside `rows`.
pub fn iterator_class<T: NativeIterator>(vm: &Vm, module: &str, name: &str, rows: &[Row]) -> Ref<Class> {
    let class = define_class::<T>(vm, module, name, rows);
    define_iterator::<T>(vm, &class, next_item::<T>);
    class
}

fn next_item<T: NativeIterator>(vm: &Vm, this: &Value) -> R<Option<Value>> {
    match this.payload::<T>() {
        Some(this) => T::next_of(this, vm),
        None => Ok(None),
    }
}

/// The result of a native `__new__`: `inner` itself, or inside an instance of the derived class that `class` is.
pub fn wrap_new(vm: &Vm, class: &Value, inner: Value) -> R {
    match class.downcast::<Class>() {
        Some(class) => vm.wrap_new(class, inner),
        None => Err(vm.type_error("__new__(X): X is not a type object")),
    }
}

/// Puts a class into a module under its name.
pub fn add_class(vm: &Vm, module: &Ref<Module>, class: &Ref<Class>) {
    module.dict.set_str(&vm.intern(class.own_name().as_str()), Value::from(class));
}

/// An exception class of a module, derived from `base`.
pub fn exception_class(vm: &Vm, module: &str, name: &str, base: &Ref<Class>) -> R {
    let namespace = vm.heap.dict();
    namespace.set_str(&vm.n.__module__, vm.str_value(module));
    let bases = vm.heap.tuple([Value::from(base)]);
    vm.call(&Value::from(&vm.types.type_), &[vm.str_value(name), Value::from(bases), Value::from(namespace)])
}

/// Puts a constant into a module.
pub fn add(vm: &Vm, module: &Ref<Module>, name: &str, value: Value) {
    module.dict.set_str(&vm.intern(name), value);
}

/// Runs the script that completes a module, in the module's own namespace. An error in it is one of ours, so it is told whole.
pub fn run_script(vm: &Vm, module: &Ref<Module>, text: &'static str) -> R<()> {
    let source = Source::new(format!("<{}>", module.name.as_str()), text);
    let code = vm.compile(&source, Mode::File, &module.dict).map_err(|error| vm.raise_compile_error(&source, error))?;
    // The script may import modules that import this one.
    vm.modules.set_str(&module.name, Value::from(module));
    let result = vm.run(&code);
    if result.is_err() {
        drop(vm.modules.remove_str(&module.name));
    }
    result.map(drop)
}

/// Counts the steps of a native loop, so that fuel is charged and limits are seen in proportion to its work.
#[derive(Default)]
pub struct Meter(u32);

impl Meter {
    /// One step of a few dozen instructions.
    #[inline]
    pub fn step(&mut self, vm: &Vm) -> R<()> {
        self.0 = self.0.wrapping_add(1);
        if self.0 & 63 == 0 {
            return vm.charge(8);
        }
        Ok(())
    }
}

/// Makes the function `name` of a class a static method: for a `__new__` that takes its arguments as they come.
pub fn make_static(vm: &Vm, class: &Ref<Class>, name: &str) {
    let name = vm.intern(name);
    if let Some(function) = class.dict.get_str(&name) {
        class.dict.set_str(&name, Value::from(vm.heap.alloc(StaticMethod(function))));
    }
}

/// The objects whose `repr` is under way, by address.
#[derive(Default)]
struct Shown(RefCell<Vec<usize>>);

/// The text that `show` gives, or `again` if this object's `repr` is already under way.
pub fn repr_guarded(vm: &Vm, object: &Value, again: &str, show: impl FnOnce() -> R<String>) -> R<String> {
    let shown = vm.extension::<Shown>(Shown::default);
    let address = object.unwrapped().as_obj().map_or(0, |object| object.address());
    if shown.0.borrow().contains(&address) {
        return Ok(again.to_owned());
    }
    shown.0.borrow_mut().push(address);
    let text = vm.nested(show);
    shown.0.borrow_mut().pop();
    text
}
