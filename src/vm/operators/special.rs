//! Operators that special methods answer: of script classes, of library types, and of built-in classes for instances derived
//! from them.

use super::super::Vm;
use super::holds_builtin;
use crate::syntax::ast::{CmpOp, Operator, UnaryOp};
use crate::value::{BigInt, Class, Kind, R, Ref, Str, Value};

/// The names of an operator's special methods.
pub(crate) struct OperatorNames {
    pub dunder: Ref<Str>,
    pub reflected: Ref<Str>,
    pub in_place: Ref<Str>,
}

/// The names of all operators' special methods, in the order of the operators.
pub(crate) struct Operators {
    pub rows: [OperatorNames; 13],
    pub comparisons: [Ref<Str>; 6],
}

const ALL: [Operator; 13] = [
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

impl Operators {
    pub(crate) fn new(intern: impl Fn(&str) -> Ref<Str>) -> Operators {
        Operators {
            rows: ALL.map(|op| {
                let row = op.row();
                OperatorNames { dunder: intern(row.dunder), reflected: intern(row.reflected), in_place: intern(row.in_place) }
            }),
            comparisons: ["__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"].map(intern),
        }
    }
}

impl Vm {
    /// The name of the method that answers a comparison (one of the six).
    fn comparison(&self, op: CmpOp) -> &Ref<Str> {
        &self.operators.comparisons[(op as usize).min(5)]
    }

    /// Calls `method(this, other)`; nothing if there is no method or it does not know.
    fn ask(&self, method: &Value, this: &Value, other: &Value) -> R<Option<Value>> {
        if method.is_undef() {
            return Ok(None);
        }
        match self.call_slot(method, this, std::slice::from_ref(other))? {
            Value::NotImplemented => Ok(None),
            answer => Ok(Some(answer)),
        }
    }

    /// As `ask`, for an operator. The methods of the built-in sequences raise where the operator goes on to ask the other operand, so
    /// their answer is taken from where it comes from.
    fn ask_for(&self, op: Operator, method: &Value, this: &Value, other: &Value, reflected: bool) -> R<Option<Value>> {
        if method.kind() == Kind::NativeFunction && matches!(op, Operator::Add | Operator::Mult) && is_sequence(this.unwrapped())
        {
            let (this, other) = (this.unwrapped(), other.unwrapped());
            let (a, b) = if reflected { (other, this) } else { (this, other) };
            return self.builtin_binary(op, a, b);
        }
        self.ask(method, this, other)
    }

    #[inline(never)]
    pub(super) fn binary_special(&self, op: Operator, a: &Value, b: &Value, in_place: bool) -> R {
        let names = &self.operators.rows[op as usize];
        let (left_class, right_class) = (self.class_of(a), self.class_of(b));
        let left = left_class.lookup(&names.dunder);
        let mut right = if left_class.is(&right_class) { Value::Undef } else { right_class.lookup(&names.reflected) };
        if !right.is_undef() && right_class.is_subclass(&left_class) && !right.is(&left_class.lookup(&names.reflected)) {
            if let Some(answer) = self.ask(&right, b, a)? {
                return Ok(answer);
            }
            right = Value::Undef;
        }
        if let Some(answer) = self.ask_for(op, &left, a, b, false)? {
            return Ok(answer);
        }
        if let Some(answer) = self.ask_for(op, &right, b, a, true)? {
            return Ok(answer);
        }
        Err(self.unsupported(op, a, b, in_place))
    }

    #[inline(never)]
    pub(super) fn compare_special(&self, op: CmpOp, a: &Value, b: &Value) -> R {
        let (left_class, right_class) = (self.class_of(a), self.class_of(b));
        let left = left_class.lookup(self.comparison(op));
        let is_equality = matches!(op, CmpOp::Eq | CmpOp::NotEq);
        let right = right_class.lookup(self.comparison(op.swapped().unwrap_or(op)));
        if is_equality && self.is_native_of(&left, &self.types.object) && self.is_native_of(&right, &self.types.object) {
            // Nobody says more than `object`: for `!=` that asks `__eq__`, which must be nobody's either.
            let settled = op == CmpOp::Eq
                || [&left_class, &right_class]
                    .iter()
                    .all(|class| self.is_native_of(&class.lookup(&self.n.__eq__), &self.types.object));
            if settled {
                return Ok(Value::bool(a.is(b) == (op == CmpOp::Eq)));
            }
        }
        let right_first = !left_class.is(&right_class) && right_class.is_subclass(&left_class);
        if right_first && let Some(answer) = self.ask(&right, b, a)? {
            return Ok(answer);
        }
        if let Some(answer) = self.ask(&left, a, b)? {
            return Ok(answer);
        }
        if !right_first && let Some(answer) = self.ask(&right, b, a)? {
            return Ok(answer);
        }
        match op {
            CmpOp::Eq => Ok(Value::bool(a.is(b))),
            CmpOp::NotEq => Ok(Value::bool(!a.is(b))),
            _ => Err(self.not_ordered(op, a, b)),
        }
    }

    #[inline(never)]
    pub(super) fn unary_special(&self, op: UnaryOp, a: &Value) -> R {
        let name = match op {
            UnaryOp::USub => &self.n.__neg__,
            UnaryOp::UAdd => &self.n.__pos__,
            UnaryOp::Invert | UnaryOp::Not => &self.n.__invert__,
        };
        match self.call_special(a, name, &[])? {
            Some(answer) => Ok(answer),
            None => {
                let class = self.class_of(a);
                Err(self.type_error(format!("bad operand type for unary {}: '{}'", op.symbol(), self.type_name(&class))))
            }
        }
    }

    #[inline(never)]
    pub(super) fn truthy_special(&self, value: &Value) -> R<bool> {
        let class = self.class_of(value);
        let method = class.lookup(&self.n.__bool__);
        if !method.is_undef() {
            return match self.call_slot(&method, value, &[])? {
                Value::Bool(answer) => Ok(answer != 0),
                other => {
                    let given = self.class_of(&other).name();
                    Err(self.type_error(format!("__bool__ should return bool, returned {}", given.as_str())))
                }
            };
        }
        let method = class.lookup(&self.n.__len__);
        if method.is_undef() {
            return Ok(true);
        }
        Ok(self.length_from(&self.call_slot(&method, value, &[])?)? != 0)
    }

    /// What `__len__` returned, as a length.
    pub(super) fn length_from(&self, result: &Value) -> R<usize> {
        match self.index(result)? {
            Value::Int(length) => match usize::try_from(length) {
                Ok(length) => Ok(length),
                Err(_) => Err(self.value_error("__len__() should return >= 0")),
            },
            _ => Err(self.overflow_error("cannot fit 'int' into an index-sized integer")),
        }
    }

    #[inline(never)]
    pub(super) fn hash_special(&self, value: &Value) -> R<i64> {
        let class = self.class_of(value);
        let method = class.lookup(&self.n.__hash__);
        if self.is_native_of(&method, &self.types.object) {
            return Ok(self.identity_hash(value));
        }
        if method.is_none() || method.is_undef() {
            return Err(self.unhashable(value));
        }
        match self.nested(|| self.call_slot(&method, value, &[]))?.unwrapped() {
            Value::Int(answer) => Ok(if *answer == -1 { -2 } else { *answer }),
            Value::Bool(answer) => Ok(*answer as i64),
            big if big.kind() == Kind::BigInt => Ok(super::numeric::hash(big)),
            _ => Err(self.type_error("__hash__ method should return an integer")),
        }
    }

    #[inline(never)]
    pub(super) fn index_special(&self, value: &Value) -> R {
        if holds_builtin(value) {
            match value.unwrapped() {
                Value::Bool(b) => return Ok(Value::Int(*b as i64)),
                inner @ Value::Int(_) => return Ok(inner.clone()),
                inner if inner.kind() == Kind::BigInt => return Ok(inner.clone()),
                _ => {}
            }
        }
        let class = self.class_of(value);
        match self.call_special(value, &self.n.__index__, &[])? {
            None => Err(self.type_error(format!("'{}' object cannot be interpreted as an integer", self.type_name(&class)))),
            Some(answer) => self.integer_returned("__index__", &answer),
        }
    }

    /// What `__int__` or `__index__` returned, as an int; one of a class derived from it is deprecated.
    pub fn integer_returned(&self, method: &str, answer: &Value) -> R {
        let inner = match answer.unwrapped() {
            inner @ Value::Int(_) => inner.clone(),
            Value::Bool(b) => Value::Int(*b as i64),
            inner if inner.kind() == Kind::BigInt => inner.clone(),
            _ => {
                let given = self.class_of(answer);
                return Err(self.type_error(format!("{method} returned non-int (type {})", self.type_name(&given))));
            }
        };
        let given = self.class_of(answer);
        if !given.is(&self.types.int) {
            let text = format!(
                "{method} returned non-int (type {}).  The ability to return an instance of a strict subclass of int is \
                 deprecated, and may be removed in a future version of Python.",
                self.type_name(&given)
            );
            self.deprecated(&text)?;
        }
        Ok(inner)
    }

    /// `bool(NotImplemented)`: true, so far.
    #[cold]
    #[inline(never)]
    pub(super) fn truthy_not_implemented(&self) -> R<bool> {
        self.deprecated("NotImplemented should not be used in a boolean context")?;
        Ok(true)
    }

    #[inline(never)]
    pub(super) fn to_f64_special(&self, value: &Value) -> R<f64> {
        let inner = value.unwrapped();
        if let Some(big) = inner.downcast::<BigInt>() {
            return self.big_to_f64(big);
        }
        let class = self.class_of(value);
        if holds_builtin(value) && matches!(inner, Value::Float(_) | Value::Int(_) | Value::Bool(_)) {
            let own = class.lookup(&self.n.__float__);
            if own.kind() != Kind::Function {
                return self.to_f64(inner);
            }
        }
        if let Some(answer) = self.call_special(value, &self.n.__float__, &[])? {
            return match answer.unwrapped() {
                Value::Float(bits) => Ok(f64::from_bits(*bits)),
                _ => {
                    let given = self.class_of(&answer);
                    Err(self.type_error(format!(
                        "{}.__float__ returned non-float (type {})",
                        self.type_name(&class),
                        self.type_name(&given)
                    )))
                }
            };
        }
        if class.lookup(&self.n.__index__).is_undef() {
            return Err(self.type_error(format!("must be real number, not {}", self.type_name(&class))));
        }
        self.to_f64(&self.index(value)?)
    }

    /// Whether the class of a value answers one of the comparisons itself (not only `object` does).
    pub fn overrides(&self, class: &Ref<Class>, name: &Ref<Str>) -> bool {
        let found = class.lookup(name);
        !found.is_undef() && !self.is_native_of(&found, &self.types.object)
    }
}

fn is_sequence(value: &Value) -> bool {
    matches!(value.kind(), Kind::Str | Kind::List | Kind::Tuple | Kind::Bytes | Kind::ByteArray)
}
