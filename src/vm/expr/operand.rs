//! Operands: how a node gets at its children without visiting leaves.
//!
//! Nodes are generic over the kinds of their operands: a local variable or a constant is looked at where it stands, anything else is
//! evaluated. An operand is first loaded (which may run code), then looked at when all operands of the node are loaded. A local is
//! therefore read late; where a later operand could rebind it (an assignment expression), lowering uses `Child` with a node that copies.

use super::attribute::{cached, load_slowly};
use crate::syntax::Span;
use crate::value::{R, Ref, Str, Value};
use crate::vm::Vm;
use crate::vm::cache::{Cache, Load};
use crate::vm::node::{Node, Tree};

/// A child of a node.
pub trait Operand: 'static {
    /// What loading leaves to be looked at.
    type Loaded;

    /// Runs what there is to run.
    fn load(&self, vm: &Vm, l: &mut [Value]) -> R<Self::Loaded>;

    /// Looks at the value.
    fn peek<'a>(&'a self, loaded: &'a Self::Loaded, l: &'a [Value]) -> &'a Value;

    /// The value itself.
    fn take(&self, loaded: Self::Loaded, l: &[Value]) -> Value;
}

/// A local variable in a slot.
pub struct Local {
    pub slot: u16,
    pub name: Ref<Str>,
    pub span: Span,
}

impl Operand for Local {
    type Loaded = ();

    #[inline(always)]
    fn load(&self, vm: &Vm, l: &mut [Value]) -> R<()> {
        if l[self.slot as usize].is_undef() { Err(unbound(vm, self)) } else { Ok(()) }
    }

    #[inline(always)]
    fn peek<'a>(&'a self, _loaded: &'a (), l: &'a [Value]) -> &'a Value {
        &l[self.slot as usize]
    }

    #[inline(always)]
    fn take(&self, _loaded: (), l: &[Value]) -> Value {
        l[self.slot as usize].clone()
    }
}

#[cold]
#[inline(never)]
fn unbound(vm: &Vm, local: &Local) -> crate::value::Raised {
    vm.unbound_local(&local.name);
    vm.at(local.span)
}

impl Vm {
    /// Raises `UnboundLocalError` for a local variable.
    #[cold]
    #[inline(never)]
    pub(crate) fn unbound_local(&self, name: &Ref<Str>) -> crate::value::Raised {
        let name = name.as_str();
        self.unbound_local_error(format!("cannot access local variable '{name}' where it is not associated with a value"))
    }
}

impl Node for Local {
    #[inline]
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        let value = &l[self.slot as usize];
        if value.is_undef() {
            return Err(unbound(vm, self));
        }
        Ok(value.clone())
    }

    fn cond(&self, vm: &Vm, l: &mut [Value]) -> R<bool> {
        self.load(vm, l)?;
        match &l[self.slot as usize] {
            Value::Bool(b) => Ok(*b != 0),
            Value::Int(i) => Ok(*i != 0),
            Value::None => Ok(false),
            value => {
                let value = value.clone();
                vm.truthy(&value)
            }
        }
    }
}

/// A constant.
pub struct Const(pub Value);

impl Operand for Const {
    type Loaded = ();

    #[inline(always)]
    fn load(&self, _vm: &Vm, _l: &mut [Value]) -> R<()> {
        Ok(())
    }

    #[inline(always)]
    fn peek<'a>(&'a self, _loaded: &'a (), _l: &'a [Value]) -> &'a Value {
        &self.0
    }

    #[inline(always)]
    fn take(&self, _loaded: (), _l: &[Value]) -> Value {
        self.0.clone()
    }
}

impl Node for Const {
    #[inline]
    fn eval(&self, _vm: &Vm, _l: &mut [Value]) -> R {
        Ok(self.0.clone())
    }
}

/// Any node.
pub struct Child(pub Tree);

impl Operand for Child {
    type Loaded = Value;

    #[inline(always)]
    fn load(&self, vm: &Vm, l: &mut [Value]) -> R<Value> {
        self.0.eval(vm, l)
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

/// An attribute of a local variable, `local.name`, with its inline cache: the operand of arithmetic on fields.
pub struct LocalField {
    pub local: Local,
    pub name: Ref<Str>,
    pub span: Span,
    pub cache: Cache<Load>,
}

impl Operand for LocalField {
    type Loaded = Value;

    #[inline(always)]
    fn load(&self, vm: &Vm, l: &mut [Value]) -> R<Value> {
        match cached(vm, &self.cache, &l[self.local.slot as usize]) {
            Some(value) => Ok(value),
            None => self.load_slowly(vm, l),
        }
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

impl LocalField {
    #[inline(never)]
    fn load_slowly(&self, vm: &Vm, l: &mut [Value]) -> R {
        self.local.load(vm, l)?;
        load_slowly(vm, &l[self.local.slot as usize], &self.name, &self.cache, self.span)
    }
}
