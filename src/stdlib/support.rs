//! What the modules of the library share: native iterators, making objects of classes that a script may derive from, scripts
//! that complete a module, and counting work.

use std::rc::Rc;

use crate::native::{Row, define_class, define_methods};
use crate::rows;
use crate::syntax::{Mode, Source};
use crate::value::{Class, Module, Payload, R, Ref, Value};
use crate::vm::{Args, Vm};

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
    define_methods(
        vm,
        &class,
        &rows![
            raw "__iter__", "" => return_self;
            raw "__next__", "" => raw_next::<T>;
        ],
    );
    class
}

/// `__iter__` of iterators.
pub fn return_self(vm: &Vm, args: Args<'_>) -> R {
    match args.positional {
        [this] => Ok(this.clone()),
        _ => Err(vm.type_error("expected no arguments")),
    }
}

fn raw_next<T: NativeIterator>(vm: &Vm, args: Args<'_>) -> R {
    let Some(this) = args.positional.first().and_then(|value| value.payload::<T>()) else {
        return Err(vm.type_error("descriptor '__next__' requires another object"));
    };
    match T::next_of(this, vm)? {
        Some(item) => Ok(item),
        None => Err(vm.stop_iteration(Value::None)),
    }
}

/// The result of a native `__new__`: `inner` itself, or inside an instance of the derived class that `class` is.
pub fn wrap_new(vm: &Vm, class: &Value, inner: Value) -> R {
    match class.downcast::<Class>() {
        Some(class) if class.is(&vm.class_of(&inner)) => Ok(inner),
        Some(class) => Ok(Value::from(vm.heap.instance_of_base(class, inner))),
        None => Err(vm.type_error("__new__(X): X is not a type object")),
    }
}

/// Puts a class into a module under its name.
pub fn add_class(vm: &Vm, module: &Ref<Module>, class: &Ref<Class>) {
    module.dict.set_str(&vm.intern(class.name().as_str()), Value::from(class));
}

/// Puts a constant into a module.
pub fn add(vm: &Vm, module: &Ref<Module>, name: &str, value: Value) {
    module.dict.set_str(&vm.intern(name), value);
}

/// Runs the script that completes a module, in the module's own namespace. An error in it is one of ours, so it is told whole.
pub fn run_script(vm: &Vm, module: &Ref<Module>, text: &'static str) -> R<()> {
    let source = Rc::new(Source::new(format!("<{}>", module.name.as_str()), text));
    match vm.compile(source, Mode::File, &module.dict) {
        Ok(code) => vm.run(&code).map(drop),
        Err(error) => Err(vm.system_error(format!("{}: {error:?}", module.name.as_str()))),
    }
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
