//! Context variables: the bindings that tasks copy. The bindings of a context are one immutable object that copies share, so that
//! copying costs nothing; setting a variable makes a new one. Scripts reach this through `stdlib/contextvars.rs`.

use std::cell::Cell;

use super::of;
use crate::native_kind;
use crate::value::{Payload, R, Ref, Shared, Str, Value, Visitor};
use crate::vm::Vm;

/// The payload of a `ContextVar`.
pub struct ContextVar {
    pub name: Ref<Str>,
    /// `Undef` for none.
    pub default: Value,
}

impl Payload for ContextVar {
    native_kind!();
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.reference(&self.name);
        visitor.value(&self.default);
    }
}

/// The values of variables: never changed once made.
#[derive(Default)]
pub struct Bindings {
    pub items: Vec<(Ref<ContextVar>, Value)>,
}

impl Payload for Bindings {
    native_kind!();
    const CONTAINER: bool = true;
    const BUFFERS: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        for (variable, value) in &self.items {
            visitor.reference(variable);
            visitor.value(value);
        }
    }

    fn buffers(&self) -> usize {
        self.items.len() * size_of::<(Ref<ContextVar>, Value)>()
    }
}

/// The payload of a `Context`.
pub struct Context {
    bindings: Shared<Ref<Bindings>>,
    /// `run` is inside it.
    pub entered: Cell<bool>,
}

impl Payload for Context {
    native_kind!();
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        self.bindings.with(|bindings| visitor.reference(bindings));
    }
}

impl Context {
    /// The variables and their values.
    pub fn bindings(&self) -> Ref<Bindings> {
        self.bindings.get()
    }

    /// The value of a variable.
    pub fn get(&self, variable: &Ref<ContextVar>) -> Option<Value> {
        self.bindings.with(|bindings| bindings.items.iter().find(|(known, _)| known.is(variable)).map(|(_, value)| value.clone()))
    }

    /// Sets a variable, or removes it (`None`); the old value comes back.
    pub fn set(&self, vm: &Vm, variable: &Ref<ContextVar>, value: Option<Value>) -> Option<Value> {
        let old = self.bindings.get();
        let mut items = old.items.clone();
        let place = items.iter().position(|(known, _)| known.is(variable));
        let before = match (place, value) {
            (Some(place), Some(value)) => Some(std::mem::replace(&mut items[place].1, value)),
            (Some(place), None) => Some(items.remove(place).1),
            (None, Some(value)) => {
                items.push((variable.clone(), value));
                None
            }
            (None, None) => None,
        };
        vm.heap.charge(items.len() * size_of::<(Ref<ContextVar>, Value)>());
        self.bindings.set(vm.heap.alloc(Bindings { items }));
        before
    }
}

impl Context {
    /// A copy that shares the bindings.
    pub fn copy(&self, vm: &Vm) -> Ref<Context> {
        vm.heap.alloc(Context { bindings: Shared::new(self.bindings()), entered: Cell::new(false) })
    }
}

/// A context without variables.
pub fn empty(vm: &Vm) -> Ref<Context> {
    let bindings = vm.heap.alloc(Bindings::default());
    vm.heap.alloc(Context { bindings: Shared::new(bindings), entered: Cell::new(false) })
}

/// A copy of the current context; `None` if no variable was ever set in it.
pub fn copy_current(vm: &Vm) -> Option<Ref<Context>> {
    let current = of(vm).context.get()?;
    Some(current.copy(vm))
}

/// The current context, made if need be.
pub fn current(vm: &Vm) -> Ref<Context> {
    let sched = of(vm);
    if let Some(known) = sched.context.get() {
        return known;
    }
    let made = empty(vm);
    sched.context.set(Some(made.clone()));
    made
}

/// Runs `inside` with a context entered: `RuntimeError` if it is entered already.
pub fn run_in(vm: &Vm, context: &Ref<Context>, inside: impl FnOnce() -> R) -> R {
    if context.entered.replace(true) {
        let shown = vm.repr(&Value::from(context))?;
        return Err(vm.runtime_error(format!("cannot enter context: {} is already entered", shown.as_str())));
    }
    let (outcome, _) = super::in_context(vm, Some(context.clone()), inside);
    context.entered.set(false);
    outcome
}
