//! The special methods of the built-in types that answer operators, made from one table: `int.__add__`, `str.__len__`, `float.__lt__`.
//!
//! The operators themselves never come here for values of the built-in types (`vm/operators/builtin.rs` answers them at once). These
//! methods are for whoever asks by name (`super().__add__(x)`, `map(str.__len__, ...)`, `hasattr`) and for instances of derived
//! classes, which hold a built-in value: it is taken out, and the same functions answer. What a type's own file defines stays.

use crate::native::{Entry, Row, define_methods};
use crate::syntax::ast::{CmpOp, Operator, UnaryOp};
use crate::value::{Class, Kind, R, Ref, Value};
use crate::vm::function::Binding;
use crate::vm::{Vm, number};

type Slot = (&'static str, &'static str, fn(&Vm, &[Value]) -> R);

const OPERATORS: [Operator; 13] = [
    Operator::Add,
    Operator::Sub,
    Operator::Mult,
    Operator::MatMult,
    Operator::Div,
    Operator::Mod,
    Operator::Pow,
    Operator::LShift,
    Operator::RShift,
    Operator::BitOr,
    Operator::BitXor,
    Operator::BitAnd,
    Operator::FloorDiv,
];

fn answer(found: Option<Value>) -> Value {
    found.unwrap_or(Value::NotImplemented)
}

/// Whether `a` is a number of a type that holds all of the type of `b`: then it is for that type to answer.
fn is_wider(a: &Value, b: &Value) -> bool {
    let width = |value: &Value| match value.unwrapped() {
        Value::Float(_) => 1,
        other if other.kind() == Kind::Complex => 2,
        _ => 0,
    };
    width(a) > width(b)
}

/// `a.__op__(b)`.
fn binary<const OP: usize>(vm: &Vm, args: &[Value]) -> R {
    if is_wider(&args[1], &args[0]) {
        return Ok(Value::NotImplemented);
    }
    vm.builtin_binary(OPERATORS[OP], args[0].unwrapped(), args[1].unwrapped()).map(answer)
}

/// `b.__rop__(a)`.
fn reflected<const OP: usize>(vm: &Vm, args: &[Value]) -> R {
    if is_wider(&args[1], &args[0]) {
        return Ok(Value::NotImplemented);
    }
    vm.builtin_binary(OPERATORS[OP], args[1].unwrapped(), args[0].unwrapped()).map(answer)
}

fn comparison(vm: &Vm, op: CmpOp, args: &[Value]) -> R {
    if is_wider(&args[1], &args[0]) {
        return Ok(Value::NotImplemented);
    }
    vm.builtin_compare(op, args[0].unwrapped(), args[1].unwrapped()).map(answer)
}

fn unary(vm: &Vm, op: UnaryOp, args: &[Value]) -> R {
    vm.builtin_unary(op, args[0].unwrapped()).map(answer)
}

fn pair(vm: &Vm, found: Option<(Value, Value)>) -> Value {
    match found {
        Some((quotient, remainder)) => Value::from(vm.heap.tuple([quotient, remainder])),
        None => Value::NotImplemented,
    }
}

macro_rules! arithmetic {
    ($($name:literal $reflected:literal $op:ident;)*) => {
        [$(
            ($name, "value, /", binary::<{ Operator::$op as usize }>),
            ($reflected, "value, /", reflected::<{ Operator::$op as usize }>),
        )*]
    };
}

const ORDER: [Slot; 6] = [
    ("__eq__", "value, /", |vm, args| comparison(vm, CmpOp::Eq, args)),
    ("__ne__", "value, /", |vm, args| comparison(vm, CmpOp::NotEq, args)),
    ("__lt__", "value, /", |vm, args| comparison(vm, CmpOp::Lt, args)),
    ("__le__", "value, /", |vm, args| comparison(vm, CmpOp::LtE, args)),
    ("__gt__", "value, /", |vm, args| comparison(vm, CmpOp::Gt, args)),
    ("__ge__", "value, /", |vm, args| comparison(vm, CmpOp::GtE, args)),
];

const ARITHMETIC: [Slot; 14] = arithmetic! {
    "__add__" "__radd__" Add;
    "__sub__" "__rsub__" Sub;
    "__mul__" "__rmul__" Mult;
    "__truediv__" "__rtruediv__" Div;
    "__floordiv__" "__rfloordiv__" FloorDiv;
    "__mod__" "__rmod__" Mod;
    "__pow__" "__rpow__" Pow;
};

const BITS: [Slot; 10] = arithmetic! {
    "__lshift__" "__rlshift__" LShift;
    "__rshift__" "__rrshift__" RShift;
    "__and__" "__rand__" BitAnd;
    "__or__" "__ror__" BitOr;
    "__xor__" "__rxor__" BitXor;
};

const NUMBER: [Slot; 6] = [
    ("__neg__", "/", |vm, args| unary(vm, UnaryOp::USub, args)),
    ("__pos__", "/", |vm, args| unary(vm, UnaryOp::UAdd, args)),
    ("__abs__", "/", |vm, args| number::absolute(vm, args[0].unwrapped()).map(answer)),
    ("__bool__", "/", |vm, args| vm.truthy(args[0].unwrapped()).map(Value::bool)),
    ("__divmod__", "value, /", |vm, args| {
        number::divmod(vm, args[0].unwrapped(), args[1].unwrapped()).map(|found| pair(vm, found))
    }),
    ("__rdivmod__", "value, /", |vm, args| {
        number::divmod(vm, args[1].unwrapped(), args[0].unwrapped()).map(|found| pair(vm, found))
    }),
];

const INVERT: [Slot; 1] = [("__invert__", "/", |vm, args| unary(vm, UnaryOp::Invert, args))];

const HASH: [Slot; 1] = [("__hash__", "/", |vm, args| vm.hash(args[0].unwrapped()).map(Value::Int))];

const REPR: [Slot; 1] = [("__repr__", "/", |vm, args| {
    let mut text = String::new();
    vm.write_builtin_repr(&mut text, args[0].unwrapped())?;
    Ok(Value::from(vm.heap.string(text)))
})];

const SEQUENCE: [Slot; 7] = [
    ("__add__", "value, /", |vm, args| {
        let (a, b) = (args[0].unwrapped(), args[1].unwrapped());
        match vm.builtin_binary(Operator::Add, a, b)? {
            Some(sum) => Ok(sum),
            None => Err(vm.cannot_concatenate(a, &args[1])),
        }
    }),
    ("__mul__", "value, /", binary::<{ Operator::Mult as usize }>),
    ("__rmul__", "value, /", reflected::<{ Operator::Mult as usize }>),
    ("__len__", "/", |vm, args| vm.len(args[0].unwrapped()).map(|length| Value::Int(length as i64))),
    ("__getitem__", "key, /", |vm, args| vm.get_item(args[0].unwrapped(), &args[1])),
    ("__contains__", "key, /", |vm, args| vm.contains(args[0].unwrapped(), &args[1]).map(Value::bool)),
    ("__iter__", "/", |vm, args| vm.iter(args[0].unwrapped())),
];

const TEXT: [Slot; 1] = [("__str__", "/", |_vm, args| Ok(args[0].unwrapped().clone()))];

/// Adds the methods that the type's own file has not defined.
fn add(vm: &Vm, class: &Ref<Class>, tables: &[&[Slot]]) {
    for (name, signature, enter) in tables.iter().flat_map(|table| table.iter()) {
        if class.dict.get_text(name).is_none() {
            let row = Row { name, signature, entry: Entry::Bound(*enter), binding: Binding::Method };
            define_methods(vm, class, &[row]);
        }
    }
}

pub fn install(vm: &Vm) {
    let types = &vm.types;
    add(vm, &types.int, &[&ARITHMETIC, &BITS, &NUMBER, &INVERT, &ORDER, &HASH, &REPR]);
    add(vm, &types.bool_, &[&BITS[4..], &INVERT, &REPR]);
    add(vm, &types.float, &[&ARITHMETIC, &NUMBER, &ORDER, &HASH, &REPR]);
    add(vm, &types.complex, &[&ARITHMETIC[..8], &ARITHMETIC[12..], &NUMBER[..4], &ORDER, &HASH, &REPR]);
    add(vm, &types.str, &[&SEQUENCE, &ORDER, &HASH, &REPR, &TEXT]);
    add(vm, &types.bytes, &[&SEQUENCE, &ORDER, &HASH, &REPR]);
    add(vm, &types.bytearray, &[&SEQUENCE, &ORDER, &REPR]);
    add(vm, &types.list, &[&SEQUENCE]);
    add(vm, &types.tuple, &[&SEQUENCE]);
    for class in [&types.list, &types.dict, &types.set, &types.bytearray] {
        class.dict.set_str(&vm.n.__hash__, Value::None);
    }
}
