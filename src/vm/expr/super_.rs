//! `super()` without arguments, and calls of methods through it.

use std::cell::Cell;

use super::call::{Arguments, call_bound, evaluate};
use crate::syntax::Span;
use crate::value::{Class, Kind, R, Raised, Ref, Str, Value};
use crate::vm::Vm;
use crate::vm::enter::CallSite;
use crate::vm::function::Function;
use crate::vm::node::{Node, Tree};
use crate::vm::unowned::Unowned;

/// `super()` without arguments: the class whose body defines the method, and the method's first argument.
pub struct SuperWithoutArguments {
    /// The slot of the `__class__` cell, if there is one.
    pub class: Option<u16>,
    /// The slot of the first parameter, if there is one, and whether it holds a cell.
    pub this: Option<(u16, bool)>,
    /// What `super` means; if it is not the built-in class, it is called without arguments.
    pub callee: Tree,
    pub span: Span,
}

impl Node for SuperWithoutArguments {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        let callee = self.callee.eval(vm, l)?;
        if !callee.is(&Value::from(&vm.types.super_)) {
            return vm.call(&callee, &[]).map_err(|Raised| vm.at(self.span));
        }
        let (class, this) = self.parts(vm, l)?;
        vm.make_super(&class, &this).map_err(|Raised| vm.at(self.span))
    }
}

impl SuperWithoutArguments {
    /// The class and the object that `super()` is about.
    pub fn parts(&self, vm: &Vm, l: &[Value]) -> R<(Value, Value)> {
        let Some((slot, is_cell)) = self.this else {
            vm.runtime_error("super(): no arguments");
            return Err(vm.at(self.span));
        };
        let mut this = l[slot as usize].clone();
        if is_cell && let Some(variable) = this.downcast::<crate::value::Variable>() {
            this = variable.get();
        }
        if this.is_undef() {
            vm.runtime_error("super(): arg[0] deleted");
            return Err(vm.at(self.span));
        }
        let Some(slot) = self.class else {
            vm.runtime_error("super(): __class__ cell not found");
            return Err(vm.at(self.span));
        };
        match l[slot as usize].downcast::<crate::value::Variable>().map(|variable| variable.get()) {
            Some(class) if !class.is_undef() => Ok((class, this)),
            _ => {
                vm.runtime_error("super(): empty __class__ cell");
                Err(vm.at(self.span))
            }
        }
    }
}

/// `super().name(a, b)` in a method: looks the method up and calls it without making the `super` object.
pub struct CallSuperMethod {
    pub sup: SuperWithoutArguments,
    pub name: Ref<Str>,
    pub site: CallSite,
    pub cache: SuperCache,
}

/// What a site knows: the function that the name means behind this class for objects of that class, both by address. True while
/// the epoch is the same, for the reason that `vm/cache.rs` has.
pub struct SuperCache {
    key: Cell<(usize, usize, u32)>,
    function: Cell<Unowned<Function>>,
}

impl Default for SuperCache {
    fn default() -> Self {
        SuperCache { key: Cell::new((0, 0, 0)), function: Cell::new(Unowned::none()) }
    }
}

impl CallSuperMethod {
    /// The function, if it is a script's and the object is one of the class.
    fn find(&self, vm: &Vm, class: &Ref<Class>, this: &Value) -> Option<Ref<Function>> {
        let this_class = vm.class_of(this);
        let key = (class.address(), this_class.address(), vm.heap.epoch());
        if self.cache.key.get() == key {
            return Some(self.cache.function.get().get().clone());
        }
        if this.kind() == Kind::Class || !vm.is_instance(this, class) {
            return None;
        }
        let found = this_class.lookup_after(class, &self.name).downcast::<Function>()?.clone();
        if this_class.is_subclass(class) {
            self.cache.key.set(key);
            self.cache.function.set(Unowned::new(&found));
        }
        Some(found)
    }
}

impl Node for CallSuperMethod {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        let callee = self.sup.callee.eval(vm, l)?;
        if callee.is(&Value::from(&vm.types.super_)) {
            let (class, this) = self.sup.parts(vm, l)?;
            if let Some(class) = class.downcast::<Class>()
                && this.as_obj().is_some()
                && let Some(function) = self.find(vm, class, &this)
            {
                if self.site.args.len() < function.code.parameters.positional {
                    return vm.enter_method(&function, this, &self.site, l);
                }
                return call_bound(vm, &function, this, &self.site, l);
            }
        }
        let object = self.sup.eval(vm, l)?;
        let (method, this) = vm.method_parts(&object, &self.name).map_err(|Raised| vm.at(self.site.span))?;
        let mut args = Arguments::new();
        evaluate(vm, l, this, &self.site.args, &mut args)?;
        vm.heap.here.set(self.site.place);
        vm.call(&method, &args).map_err(|Raised| vm.at(self.site.span))
    }
}
