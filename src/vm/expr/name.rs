//! Names: captured variables, globals, names of class bodies; hidden slots.

use std::cell::Cell;

use super::operand::Operand;
use crate::syntax::Span;
use crate::value::{Dict, Place, R, Raised, Ref, Str, Value, Variable};
use crate::vm::Vm;
use crate::vm::node::{Node, Tree};
use crate::vm::unowned::Unowned;

/// A captured variable: the slot holds its cell.
pub struct Captured {
    pub slot: u16,
    pub name: Ref<Str>,
    /// Of an outer function.
    pub is_free: bool,
    pub span: Span,
}

impl Node for Captured {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        if let Some(variable) = l[self.slot as usize].downcast::<Variable>() {
            let value = variable.get();
            if !value.is_undef() {
                return Ok(value);
            }
        }
        let name = self.name.as_str();
        if self.is_free {
            vm.name_error(format!(
                "cannot access free variable '{name}' where it is not associated with a value in enclosing scope"
            ));
        } else {
            vm.unbound_local(&self.name);
        }
        Err(vm.at(self.span))
    }
}

/// `captured = value`.
pub struct StoreCaptured {
    pub slot: u16,
    pub value: Tree,
    pub place: Place,
}

impl Node for StoreCaptured {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        self.exec(vm, l)
    }

    fn exec(&self, vm: &Vm, l: &mut [Value]) -> R {
        let value = self.value.eval(vm, l)?;
        vm.heap.here.set(self.place);
        if let Some(variable) = l[self.slot as usize].downcast::<Variable>() {
            variable.set(value);
        }
        Ok(Value::Next)
    }
}

/// Puts fresh cells into slots: where captured variables of a comprehension begin.
pub struct FreshCells(pub Box<[u16]>);

impl Node for FreshCells {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        self.exec(vm, l)
    }

    fn exec(&self, vm: &Vm, l: &mut [Value]) -> R {
        for &slot in &self.0 {
            l[slot as usize] = Value::from(vm.heap.alloc(Variable::default()));
        }
        Ok(Value::Next)
    }
}

/// A global or built-in name. The place where it was found is kept: an index into the module's namespace, checked by the key that
/// stands there; or one into the built-ins, valid as long as no name has come to the module.
pub struct Global {
    pub globals: Unowned<Dict>,
    pub name: Ref<Str>,
    pub span: Span,
    index: Cell<u32>,
    /// The version of the module's namespace in which the name was missing.
    missing: Cell<u32>,
    is_builtin: Cell<bool>,
}

impl Global {
    pub fn new(globals: Unowned<Dict>, name: Ref<Str>, span: Span) -> Global {
        Global { globals, name, span, index: Cell::new(0), missing: Cell::new(0), is_builtin: Cell::new(false) }
    }

    #[cold]
    #[inline(never)]
    fn find(&self, vm: &Vm) -> R {
        let globals = self.globals.get();
        if let Some(index) = globals.position_of(&self.name) {
            self.index.set(index as u32);
            self.is_builtin.set(false);
            return Ok(globals.value_at(index).unwrap_or_default());
        }
        if let Some(index) = vm.builtins.position_of(&self.name) {
            self.index.set(index as u32);
            self.is_builtin.set(true);
            self.missing.set(globals.version());
            return Ok(vm.builtins.value_at(index).unwrap_or_default());
        }
        undefined(vm, &self.name);
        Err(vm.at(self.span))
    }
}

/// Raises `NameError`.
pub fn undefined(vm: &Vm, name: &Ref<Str>) -> Raised {
    let message = format!("name '{}' is not defined", name.as_str());
    vm.name_error_for(name, &message)
}

impl Node for Global {
    #[inline]
    fn eval(&self, vm: &Vm, _l: &mut [Value]) -> R {
        let index = self.index.get() as usize;
        let found = if self.is_builtin.get() {
            if self.missing.get() == self.globals.get().version() { vm.builtins.value_at_if(index, &self.name) } else { None }
        } else {
            self.globals.get().value_at_if(index, &self.name)
        };
        match found {
            Some(value) => Ok(value),
            None => self.find(vm),
        }
    }
}

impl Operand for Global {
    type Loaded = Value;

    #[inline(always)]
    fn load(&self, vm: &Vm, l: &mut [Value]) -> R {
        self.eval(vm, l)
    }

    #[inline(always)]
    fn peek<'a>(&'a self, loaded: &'a Value, _l: &'a [Value]) -> &'a Value {
        loaded
    }

    #[inline(always)]
    fn take(&self, loaded: Value, _l: &[Value]) -> Value {
        loaded
    }
}

/// `name = value` for a global.
pub struct StoreGlobal {
    pub globals: Unowned<Dict>,
    pub name: Ref<Str>,
    pub value: Tree,
    pub place: Place,
    index: Cell<u32>,
}

impl StoreGlobal {
    pub fn new(globals: Unowned<Dict>, name: Ref<Str>, value: Tree, place: Place) -> StoreGlobal {
        StoreGlobal { globals, name, value, place, index: Cell::new(0) }
    }
}

impl Node for StoreGlobal {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        self.exec(vm, l)
    }

    fn exec(&self, vm: &Vm, l: &mut [Value]) -> R {
        let value = self.value.eval(vm, l)?;
        vm.heap.here.set(self.place);
        let globals = self.globals.get();
        if let Err(value) = globals.set_at_if(self.index.get() as usize, &self.name, value) {
            globals.set_str(&self.name, value);
            self.index.set(globals.position_of(&self.name).unwrap_or_default() as u32);
        }
        Ok(Value::Next)
    }
}

/// A name in a class body: the namespace in slot 0, then what the name means outside.
pub struct ClassName {
    pub name: Ref<Str>,
    pub outside: Tree,
}

impl Node for ClassName {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        match namespace_get(vm, &l[0], &self.name)? {
            Some(value) => Ok(value),
            None => self.outside.eval(vm, l),
        }
    }
}

fn namespace_get(vm: &Vm, namespace: &Value, name: &Ref<Str>) -> R<Option<Value>> {
    match namespace.downcast::<Dict>() {
        Some(dict) => Ok(dict.get_str(name)),
        None => vm.catch(vm.get_item(namespace, &Value::from(name)), &vm.types.key_error),
    }
}

/// `name = value` in a class body.
pub struct StoreClassName {
    pub name: Ref<Str>,
    pub value: Tree,
    pub place: Place,
}

impl Node for StoreClassName {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        self.exec(vm, l)
    }

    fn exec(&self, vm: &Vm, l: &mut [Value]) -> R {
        let value = self.value.eval(vm, l)?;
        vm.heap.here.set(self.place);
        match l[0].downcast::<Dict>() {
            Some(dict) => dict.set_str(&self.name, value),
            None => vm.set_item(&l[0].clone(), &Value::from(&self.name), value)?,
        }
        Ok(Value::Next)
    }
}

/// Which name `del` removes.
pub enum Deleted {
    Local(u16),
    Captured(u16),
    Global(Unowned<Dict>),
    Class,
}

/// `del name`.
pub struct DeleteName {
    pub place: Deleted,
    pub name: Ref<Str>,
    pub span: Span,
    pub at: Place,
}

impl Node for DeleteName {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        self.exec(vm, l)
    }

    fn exec(&self, vm: &Vm, l: &mut [Value]) -> R {
        vm.heap.here.set(self.at);
        let found = match &self.place {
            Deleted::Local(slot) => {
                let old = std::mem::take(&mut l[*slot as usize]);
                if old.is_undef() {
                    vm.unbound_local(&self.name);
                    return Err(vm.at(self.span));
                }
                true
            }
            Deleted::Captured(slot) => {
                let variable = l[*slot as usize].downcast::<Variable>().cloned();
                if variable.is_none_or(|variable| variable.take().is_undef()) {
                    vm.unbound_local(&self.name);
                    return Err(vm.at(self.span));
                }
                true
            }
            Deleted::Global(globals) => globals.get().remove_str(&self.name).is_some(),
            Deleted::Class => match l[0].downcast::<Dict>() {
                Some(dict) => dict.remove_str(&self.name).is_some(),
                None => {
                    let deleted = vm.del_item(&l[0].clone(), &Value::from(&self.name));
                    vm.catch(deleted, &vm.types.key_error)?.is_some()
                }
            },
        };
        if !found {
            undefined(vm, &self.name);
            return Err(vm.at(self.span));
        }
        vm.run_finalizers();
        Ok(Value::Next)
    }
}

/// What a hidden slot holds.
pub struct Temp(pub u16);

impl Node for Temp {
    fn eval(&self, _vm: &Vm, l: &mut [Value]) -> R {
        Ok(l[self.0 as usize].clone())
    }
}

/// What a hidden slot holds, which is empty from then on.
pub struct TakeTemp(pub u16);

impl Node for TakeTemp {
    fn eval(&self, _vm: &Vm, l: &mut [Value]) -> R {
        Ok(std::mem::take(&mut l[self.0 as usize]))
    }
}

/// `slot = value`, for local variables and hidden slots.
pub struct StoreLocal {
    pub slot: u16,
    pub value: Tree,
    pub place: Place,
}

impl Node for StoreLocal {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        self.exec(vm, l)
    }

    #[inline]
    fn exec(&self, vm: &Vm, l: &mut [Value]) -> R {
        let value = self.value.eval(vm, l)?;
        let old = std::mem::replace(&mut l[self.slot as usize], value);
        vm.drop_at(old, self.place);
        Ok(Value::Next)
    }
}

/// `(slot := value)`.
pub struct Walrus {
    /// The statement that stores what is in `temp`.
    pub store: Tree,
    pub temp: u16,
    pub value: Tree,
}

impl Node for Walrus {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        let value = self.value.eval(vm, l)?;
        l[self.temp as usize] = value.clone();
        self.store.exec(vm, l)?;
        Ok(value)
    }
}

/// The `__annotations__` of a module or class body: the dict that is there, or a fresh one.
pub struct AnnotationsDict {
    pub globals: Unowned<Dict>,
    pub in_class: bool,
}

impl Node for AnnotationsDict {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        let known = if self.in_class {
            namespace_get(vm, &l[0], &vm.n.__annotations__)?
        } else {
            self.globals.get().get_str(&vm.n.__annotations__)
        };
        Ok(known.unwrap_or_else(|| Value::from(vm.heap.dict())))
    }
}

/// `dict[name] = value` for an annotation.
pub struct Annotate {
    pub dict: Tree,
    pub name: Value,
    pub value: Tree,
}

impl Node for Annotate {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        self.exec(vm, l)
    }

    fn exec(&self, vm: &Vm, l: &mut [Value]) -> R {
        let value = self.value.eval(vm, l)?;
        let dict = self.dict.eval(vm, l)?;
        vm.set_item(&dict, &self.name, value)?;
        Ok(Value::Next)
    }
}

/// Removes a name silently, if it is there: the end of an `except ... as name`. In a class body without `globals`.
pub struct Forget {
    pub globals: Option<Unowned<Dict>>,
    pub name: Ref<Str>,
}

impl Node for Forget {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        self.exec(vm, l)
    }

    fn exec(&self, _vm: &Vm, l: &mut [Value]) -> R {
        match &self.globals {
            Some(globals) => drop(globals.get().remove_str(&self.name)),
            None => {
                if let Some(dict) = l[0].downcast::<Dict>() {
                    drop(dict.remove_str(&self.name));
                }
            }
        }
        Ok(Value::Next)
    }
}

impl Vm {
    /// `NameError` that knows its name.
    #[cold]
    fn name_error_for(&self, name: &Ref<Str>, message: &str) -> Raised {
        let exception = self.exception(&self.types.name_error, vec![self.str_value(message)]);
        let _ = self.set_attr(&exception, &self.n.name, Value::from(name));
        self.raise_new(exception)
    }
}
