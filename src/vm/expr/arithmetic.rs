//! Binary and unary operators, with the fast paths for machine integers and floats.

use std::marker::PhantomData;

use super::operand::Operand;
use crate::syntax::Span;
use crate::syntax::ast::{Operator, UnaryOp};
use crate::value::{R, Raised, Value};
use crate::vm::Vm;
use crate::vm::node::{Node, Tree};

/// A binary operator as a type, so that each gets its own code.
pub trait Arithmetic: 'static {
    const OP: Operator;

    /// The result for machine integers, unless it overflows or raises.
    #[inline(always)]
    fn ints(_a: i64, _b: i64) -> Option<Value> {
        None
    }

    /// The result for floats, unless it raises.
    #[inline(always)]
    fn floats(_a: f64, _b: f64) -> Option<Value> {
        None
    }
}

macro_rules! arithmetic {
    ($($name:ident { $($body:tt)* })*) => {
        $(
            #[doc = concat!("The operator `", stringify!($name), "`.")]
            pub struct $name;

            impl Arithmetic for $name {
                const OP: Operator = Operator::$name;
                $($body)*
            }
        )*
    };
}

arithmetic! {
    Add {
        #[inline(always)]
        fn ints(a: i64, b: i64) -> Option<Value> { a.checked_add(b).map(Value::Int) }
        #[inline(always)]
        fn floats(a: f64, b: f64) -> Option<Value> { Some(Value::float(a + b)) }
    }
    Sub {
        #[inline(always)]
        fn ints(a: i64, b: i64) -> Option<Value> { a.checked_sub(b).map(Value::Int) }
        #[inline(always)]
        fn floats(a: f64, b: f64) -> Option<Value> { Some(Value::float(a - b)) }
    }
    Mult {
        #[inline(always)]
        fn ints(a: i64, b: i64) -> Option<Value> { a.checked_mul(b).map(Value::Int) }
        #[inline(always)]
        fn floats(a: f64, b: f64) -> Option<Value> { Some(Value::float(a * b)) }
    }
    Div {
        #[inline(always)]
        fn ints(a: i64, b: i64) -> Option<Value> {
            const EXACT: u64 = 1 << 53;
            (b != 0 && a.unsigned_abs() <= EXACT && b.unsigned_abs() <= EXACT).then(|| Value::float(a as f64 / b as f64))
        }
        #[inline(always)]
        fn floats(a: f64, b: f64) -> Option<Value> { (b != 0.0).then(|| Value::float(a / b)) }
    }
    FloorDiv {
        #[inline(always)]
        fn ints(a: i64, b: i64) -> Option<Value> {
            if b > 0 { return Some(Value::Int(a.div_euclid(b))); }
            if b == 0 || b == -1 { return None; }
            let quotient = a / b;
            Some(Value::Int(if a % b > 0 { quotient - 1 } else { quotient }))
        }
    }
    Mod {
        #[inline(always)]
        fn ints(a: i64, b: i64) -> Option<Value> {
            if b > 0 { return Some(Value::Int(if (a | b) >> 32 == 0 { (a as u32 % b as u32) as i64 } else { a.rem_euclid(b) })); }
            if b == 0 || b == -1 { return None; }
            let rest = a % b;
            Some(Value::Int(if rest > 0 { rest + b } else { rest }))
        }
    }
    BitAnd {
        #[inline(always)]
        fn ints(a: i64, b: i64) -> Option<Value> { Some(Value::Int(a & b)) }
    }
    BitOr {
        #[inline(always)]
        fn ints(a: i64, b: i64) -> Option<Value> { Some(Value::Int(a | b)) }
    }
    BitXor {
        #[inline(always)]
        fn ints(a: i64, b: i64) -> Option<Value> { Some(Value::Int(a ^ b)) }
    }
    LShift {
        #[inline(always)]
        fn ints(a: i64, b: i64) -> Option<Value> {
            if !(0..63).contains(&b) { return None; }
            let shifted = a << b;
            (shifted >> b == a).then_some(Value::Int(shifted))
        }
    }
    RShift {
        #[inline(always)]
        fn ints(a: i64, b: i64) -> Option<Value> { (b >= 0).then(|| Value::Int(a >> b.min(63))) }
    }
    Pow {}
    MatMult {}
}

/// The result of a fast path, if there is one for these operands.
#[inline(always)]
pub(super) fn quick<Op: Arithmetic>(a: &Value, b: &Value) -> Option<Value> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => Op::ints(*a, *b),
        (Value::Float(a), Value::Float(b)) => Op::floats(f64::from_bits(*a), f64::from_bits(*b)),
        (Value::Float(a), Value::Int(b)) => Op::floats(f64::from_bits(*a), *b as f64),
        (Value::Int(a), Value::Float(b)) => Op::floats(*a as f64, f64::from_bits(*b)),
        _ => None,
    }
}

/// `a op b`.
pub struct Binary<Op, A, B> {
    pub a: A,
    pub b: B,
    pub span: Span,
    pub op: PhantomData<Op>,
}

impl<Op: Arithmetic, A: Operand, B: Operand> Node for Binary<Op, A, B> {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        let a = self.a.load(vm, l)?;
        let b = self.b.load(vm, l)?;
        let (a, b) = (self.a.peek(&a, l), self.b.peek(&b, l));
        match quick::<Op>(a, b) {
            Some(value) => Ok(value),
            None => slow(vm, Op::OP, a, b, self.span),
        }
    }
}

#[inline(never)]
fn slow(vm: &Vm, op: Operator, a: &Value, b: &Value, span: Span) -> R {
    vm.binary(op, a, b).map_err(|Raised| vm.at(span))
}

/// `-a`, `+a`, `~a`.
pub struct Unary {
    pub op: UnaryOp,
    pub a: Tree,
    pub span: Span,
}

impl Node for Unary {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        let a = self.a.eval(vm, l)?;
        match (self.op, &a) {
            (UnaryOp::USub, Value::Int(i)) if *i != i64::MIN => Ok(Value::Int(-i)),
            (UnaryOp::USub, Value::Float(bits)) => Ok(Value::float(-f64::from_bits(*bits))),
            (UnaryOp::Invert, Value::Int(i)) => Ok(Value::Int(!i)),
            (UnaryOp::UAdd, Value::Int(_) | Value::Float(_)) => Ok(a),
            _ => vm.unary(self.op, &a).map_err(|Raised| vm.at(self.span)),
        }
    }
}
