//! Assignments that begin with the target's old value: `target op= b`, and `local = local + b`.
//!
//! Text grows in place where nobody but the target refers to it, which makes building a string piece by piece linear: in a local
//! variable, and just as well in a captured or global one, a field, or an item of a list or dict.

use std::marker::PhantomData;

use super::arithmetic::{Add, Arithmetic, Mult, Sub, quick};
use super::operand::Operand;
use super::subscript;
use crate::syntax::Span;
use crate::syntax::ast::Operator;
use crate::value::{Dict, Instance, Kind, R, Raised, Ref, Str, Value, Variable};
use crate::vm::Vm;
use crate::vm::cache::is_plain_store;
use crate::vm::node::{Node, Tree};
use crate::vm::unowned::Unowned;

/// `local op= b`: numbers are replaced in place.
pub struct AugLocal<Op, B> {
    pub slot: u16,
    pub name: Ref<Str>,
    pub b: B,
    pub span: Span,
    pub op: PhantomData<Op>,
}

impl<Op: Arithmetic, B: Operand> Node for AugLocal<Op, B> {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        self.exec(vm, l)
    }

    fn exec(&self, vm: &Vm, l: &mut [Value]) -> R {
        let loaded = self.b.load(vm, l).map_err(|Raised| vm.at(self.span))?;
        let slot = self.slot as usize;
        let b = self.b.peek(&loaded, l);
        if let Some(value) = quick::<Op>(&l[slot], b) {
            // Numbers need no destructor.
            l[slot] = value;
            return Ok(Value::Next);
        }
        let b = self.b.take(loaded, l);
        augment_slowly(vm, Op::OP, &mut l[slot], &b, &self.name, self.span)
    }

    fn knows_its_place(&self) -> bool {
        true
    }
}

#[inline(never)]
fn augment_slowly(vm: &Vm, op: Operator, slot: &mut Value, b: &Value, name: &Ref<Str>, span: Span) -> R {
    if slot.is_undef() {
        vm.unbound_local(name);
        return Err(vm.at(span));
    }
    if op == Operator::Add && grow(vm, slot, b, 1).map_err(|Raised| vm.at(span))? {
        return Ok(Value::Next);
    }
    let value = vm.inplace(op, slot.clone(), b).map_err(|Raised| vm.at(span))?;
    let old = std::mem::replace(slot, value);
    drop(old);
    Ok(Value::Next)
}

/// Appends text to text to which there are just these references, if it is long enough to grow in place; whether it did.
fn grow(vm: &Vm, text: &Value, more: &Value, refs: u32) -> R<bool> {
    if let (Some(text), Some(more)) = (text.downcast::<Str>(), more.downcast::<Str>())
        && text.as_obj().refs() == refs
        && text.byte_len() + more.byte_len() > crate::value::str::MAX_INLINE
    {
        if more.byte_len() > 4096 {
            vm.check_text(more.byte_len())?;
        }
        vm.check_alloc(more.byte_len())?;
        return Ok(text.append(more.as_str(), refs));
    }
    Ok(false)
}

/// `local = local + b`.
pub struct AddToLocal<B> {
    pub slot: u16,
    pub name: Ref<Str>,
    pub b: B,
    /// Of the sum.
    pub span: Span,
    /// Of the local in it.
    pub local: Span,
}

impl<B: Operand> Node for AddToLocal<B> {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        self.exec(vm, l)
    }

    fn exec(&self, vm: &Vm, l: &mut [Value]) -> R {
        let slot = self.slot as usize;
        if l[slot].is_undef() {
            vm.unbound_local(&self.name);
            return Err(vm.at(self.local));
        }
        let loaded = self.b.load(vm, l)?;
        let b = self.b.peek(&loaded, l);
        if let Some(value) = quick::<Add>(&l[slot], b) {
            l[slot] = value;
            return Ok(Value::Next);
        }
        let b = self.b.take(loaded, l);
        add_slowly(vm, &mut l[slot], &b, self.span)
    }
}

#[inline(never)]
fn add_slowly(vm: &Vm, slot: &mut Value, b: &Value, span: Span) -> R {
    if grow(vm, slot, b, 1).map_err(|Raised| vm.at(span))? {
        return Ok(Value::Next);
    }
    let a = slot.clone();
    let sum = vm.binary(Operator::Add, &a, b).map_err(|Raised| vm.at(span))?;
    let old = std::mem::replace(slot, sum);
    drop((a, old));
    Ok(Value::Next)
}

/// The new value of a target that is no local variable, from its old value: `object.name op= b` and the like.
pub struct Inplace {
    pub op: Operator,
    /// The node that gives the old value, and gives it up.
    pub a: Tree,
    pub b: Tree,
    pub target: Target,
    pub span: Span,
}

/// Where the old value came from, and the new one goes: nodes that tell once more what the target's parts are.
pub enum Target {
    Captured(u16),
    Global(Unowned<Dict>, Ref<Str>),
    Attribute(Tree, Ref<Str>),
    Item(Tree, Tree),
    /// A name in the body of a class.
    Other,
}

impl Node for Inplace {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        let a = self.a.eval(vm, l)?;
        let b = self.b.eval(vm, l)?;
        let fast = match self.op {
            Operator::Add => quick::<Add>(&a, &b),
            Operator::Sub => quick::<Sub>(&a, &b),
            Operator::Mult => quick::<Mult>(&a, &b),
            _ => None,
        };
        match fast {
            Some(value) => Ok(value),
            None => self.slowly(vm, l, a, &b).map_err(|Raised| vm.at(self.span)),
        }
    }
}

impl Inplace {
    #[inline(never)]
    fn slowly(&self, vm: &Vm, l: &mut [Value], a: Value, b: &Value) -> R {
        if self.op == Operator::Add && a.kind() == Kind::Str {
            // If one of two references is the target's, only the target can see the text change, and it is about to be set.
            let refs = a.as_obj().map_or(0, |text| text.refs());
            if refs == 2 && self.target.holds(vm, l, &a) && grow(vm, &a, b, 2)? {
                return Ok(a);
            }
        }
        vm.inplace(self.op, a, b)
    }
}

impl Target {
    /// Whether this value is there itself, and storing another one does no more than replace it.
    fn holds(&self, vm: &Vm, l: &mut [Value], value: &Value) -> bool {
        match self {
            Target::Captured(slot) => l[*slot as usize].downcast::<Variable>().is_some_and(|variable| variable.get().is(value)),
            Target::Global(globals, name) => globals.get().get_str(name).is_some_and(|held| held.is(value)),
            Target::Attribute(object, name) => {
                let Ok(object) = object.eval(vm, l) else { return self.failed(vm) };
                let Some(instance) = object.downcast::<Instance>() else { return false };
                is_plain_store(vm, instance, name) && instance.get(name).is(value)
            }
            Target::Item(object, key) => {
                let Ok(object) = object.eval(vm, l) else { return self.failed(vm) };
                let Ok(key) = key.eval(vm, l) else { return self.failed(vm) };
                subscript::quick(&object, &key).is_some_and(|held| held.is(value))
            }
            Target::Other => false,
        }
    }

    /// The parts are variables or hidden slots, which cannot fail where they could be read before; should one, it holds nothing.
    #[cold]
    fn failed(&self, vm: &Vm) -> bool {
        drop(vm.take_raised());
        false
    }
}
