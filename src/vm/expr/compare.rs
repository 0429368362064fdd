//! Comparisons, boolean operators, conditions.

use std::marker::PhantomData;

use super::operand::Operand;
use super::subscript;
use crate::syntax::Span;
use crate::syntax::ast::CmpOp;
use crate::value::dict::LONG_TEXT;
use crate::value::{Dict, Kind, R, Raised, Set, Str, Value, hash};
use crate::vm::Vm;
use crate::vm::node::{Node, Tree};

/// A comparison as a type.
pub trait Comparison: 'static {
    const OP: CmpOp;
    fn ints(a: i64, b: i64) -> bool;
    fn floats(a: f64, b: f64) -> bool;
    fn texts(a: &str, b: &str) -> bool;
}

macro_rules! comparison {
    ($($name:ident $op:tt;)*) => {
        $(
            #[doc = concat!("The comparison `", stringify!($op), "`.")]
            pub struct $name;

            impl Comparison for $name {
                const OP: CmpOp = CmpOp::$name;

                #[inline(always)]
                fn ints(a: i64, b: i64) -> bool { a $op b }

                #[inline(always)]
                fn floats(a: f64, b: f64) -> bool { a $op b }

                #[inline(always)]
                fn texts(a: &str, b: &str) -> bool { a $op b }
            }
        )*
    };
}

comparison! {
    Eq ==;
    NotEq !=;
    Lt <;
    LtE <=;
    Gt >;
    GtE >=;
}

#[inline(always)]
fn quick<Op: Comparison>(a: &Value, b: &Value) -> Option<bool> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => Some(Op::ints(*a, *b)),
        (Value::Float(a), Value::Float(b)) => Some(Op::floats(f64::from_bits(*a), f64::from_bits(*b))),
        (Value::Obj(x), Value::Obj(y)) => {
            let (x, y) = (x.downcast::<Str>()?, y.downcast::<Str>()?);
            if x.is(y) {
                return Some(Op::ints(0, 0));
            }
            // Comparing long text is work that counts.
            (x.byte_len() < LONG_TEXT || y.byte_len() < LONG_TEXT).then(|| Op::texts(x.as_str(), y.as_str()))
        }
        _ => None,
    }
}

/// `a op b`.
pub struct Compare<Op, A, B> {
    pub a: A,
    pub b: B,
    pub span: Span,
    pub op: PhantomData<Op>,
}

impl<Op: Comparison, A: Operand, B: Operand> Node for Compare<Op, A, B> {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        let a = self.a.load(vm, l)?;
        let b = self.b.load(vm, l)?;
        let (a, b) = (self.a.peek(&a, l), self.b.peek(&b, l));
        match quick::<Op>(a, b) {
            Some(result) => Ok(Value::bool(result)),
            None => slow(vm, Op::OP, a, b, self.span),
        }
    }

    fn cond(&self, vm: &Vm, l: &mut [Value]) -> R<bool> {
        let a = self.a.load(vm, l)?;
        let b = self.b.load(vm, l)?;
        let (a, b) = (self.a.peek(&a, l), self.b.peek(&b, l));
        match quick::<Op>(a, b) {
            Some(result) => Ok(result),
            None => slow_cond(vm, Op::OP, a, b, self.span),
        }
    }
}

#[inline(never)]
fn slow(vm: &Vm, op: CmpOp, a: &Value, b: &Value, span: Span) -> R {
    vm.compare(op, a, b).map_err(|Raised| vm.at(span))
}

#[inline(never)]
fn slow_cond(vm: &Vm, op: CmpOp, a: &Value, b: &Value, span: Span) -> R<bool> {
    let result = slow(vm, op, a, b, span)?;
    vm.truthy(&result).map_err(|Raised| vm.at(span))
}

/// `a is b`, `a is not b`.
pub struct Is {
    pub a: Tree,
    pub b: Tree,
    pub negated: bool,
}

impl Node for Is {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        self.cond(vm, l).map(Value::bool)
    }

    fn cond(&self, vm: &Vm, l: &mut [Value]) -> R<bool> {
        let a = self.a.eval(vm, l)?;
        let b = self.b.eval(vm, l)?;
        Ok(a.is(&b) != self.negated)
    }
}

/// `a is None`, `a is not None`.
pub struct IsNone<A> {
    pub a: A,
    pub negated: bool,
}

impl<A: Operand> Node for IsNone<A> {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        self.cond(vm, l).map(Value::bool)
    }

    fn cond(&self, vm: &Vm, l: &mut [Value]) -> R<bool> {
        let a = self.a.load(vm, l)?;
        Ok(self.a.peek(&a, l).is_none() != self.negated)
    }
}

/// `a in b`, `a not in b`.
pub struct In<A, B> {
    pub a: A,
    pub b: B,
    pub negated: bool,
    pub span: Span,
}

/// Whether an item is in a dict, set or text, if that can be told at once.
#[inline]
fn contains_quickly(container: &Value, item: &Value) -> Option<bool> {
    let object = container.as_obj()?;
    match object.kind() {
        Kind::Dict => subscript::find(object.downcast::<Dict>()?, item).map(|at| at.is_some()),
        Kind::Set => {
            let keys = object.downcast::<Set>()?.keys();
            let hash = match item {
                Value::Int(i) => hash::int(*i),
                item => item.downcast::<Str>()?.hash() as i64,
            };
            keys.find_quickly(hash, item).map(|slot| slot.is_some())
        }
        Kind::Str => {
            let (text, part) = (object.downcast::<Str>()?.as_str(), item.downcast::<Str>()?.as_str());
            match part.as_bytes() {
                [byte] if text.len() <= 4096 => Some(memchr::memchr(*byte, text.as_bytes()).is_some()),
                _ => None,
            }
        }
        _ => None,
    }
}

impl<A: Operand, B: Operand> Node for In<A, B> {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        self.cond(vm, l).map(Value::bool)
    }

    fn cond(&self, vm: &Vm, l: &mut [Value]) -> R<bool> {
        let a = self.a.load(vm, l)?;
        let b = self.b.load(vm, l)?;
        let (a, b) = (self.a.peek(&a, l), self.b.peek(&b, l));
        let found = match contains_quickly(b, a) {
            Some(found) => found,
            None => contains_slowly(vm, b, a, self.span)?,
        };
        Ok(found != self.negated)
    }
}

#[inline(never)]
fn contains_slowly(vm: &Vm, container: &Value, item: &Value, span: Span) -> R<bool> {
    vm.contains(container, item).map_err(|Raised| vm.at(span))
}

/// `a op b` for two numbers of one kind.
#[inline]
fn numbers(op: CmpOp, a: &Value, b: &Value) -> Option<bool> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => op.holds(a.cmp(b)),
        (Value::Float(a), Value::Float(b)) => op.holds(f64::from_bits(*a).partial_cmp(&f64::from_bits(*b))?),
        _ => None,
    }
}

/// `a < b <= c ...`: each operand is evaluated once, and no further than the first comparison that fails.
pub struct Chain {
    pub first: Tree,
    pub rest: Box<[(CmpOp, Tree)]>,
    pub span: Span,
}

impl Node for Chain {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        let mut a = self.first.eval(vm, l)?;
        let last = self.rest.len() - 1;
        for (index, (op, operand)) in self.rest.iter().enumerate() {
            let b = operand.eval(vm, l)?;
            if let Some(holds) = numbers(*op, &a, &b) {
                if index == last || !holds {
                    return Ok(Value::bool(holds));
                }
                a = b;
                continue;
            }
            let result = match op {
                CmpOp::Is => Value::bool(a.is(&b)),
                CmpOp::IsNot => Value::bool(!a.is(&b)),
                CmpOp::In => Value::bool(vm.contains(&b, &a).map_err(|Raised| vm.at(self.span))?),
                CmpOp::NotIn => Value::bool(!vm.contains(&b, &a).map_err(|Raised| vm.at(self.span))?),
                _ => slow(vm, *op, &a, &b, self.span)?,
            };
            if index == last || !vm.truthy(&result).map_err(|Raised| vm.at(self.span))? {
                return Ok(result);
            }
            a = b;
        }
        unreachable!("a chain has comparisons")
    }
}

/// `not a`.
pub struct Not(pub Tree);

impl Node for Not {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        Ok(Value::bool(!self.0.cond(vm, l)?))
    }

    fn cond(&self, vm: &Vm, l: &mut [Value]) -> R<bool> {
        Ok(!self.0.cond(vm, l)?)
    }
}

/// `a and b and c`.
pub struct And(pub Box<[Tree]>);

impl Node for And {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        let (last, first) = self.0.split_last().expect("at least two operands");
        for operand in first {
            let value = operand.eval(vm, l)?;
            if !vm.truthy(&value)? {
                return Ok(value);
            }
        }
        last.eval(vm, l)
    }

    fn cond(&self, vm: &Vm, l: &mut [Value]) -> R<bool> {
        for operand in &self.0 {
            if !operand.cond(vm, l)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// `a or b or c`.
pub struct Or(pub Box<[Tree]>);

impl Node for Or {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        let (last, first) = self.0.split_last().expect("at least two operands");
        for operand in first {
            let value = operand.eval(vm, l)?;
            if vm.truthy(&value)? {
                return Ok(value);
            }
        }
        last.eval(vm, l)
    }

    fn cond(&self, vm: &Vm, l: &mut [Value]) -> R<bool> {
        for operand in &self.0 {
            if operand.cond(vm, l)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// `a if test else b`.
pub struct Conditional {
    pub test: Tree,
    pub then: Tree,
    pub otherwise: Tree,
}

impl Node for Conditional {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        if self.test.cond(vm, l)? { self.then.eval(vm, l) } else { self.otherwise.eval(vm, l) }
    }

    fn cond(&self, vm: &Vm, l: &mut [Value]) -> R<bool> {
        if self.test.cond(vm, l)? { self.then.cond(vm, l) } else { self.otherwise.cond(vm, l) }
    }
}
