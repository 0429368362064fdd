//! Operators on values of any type: fast paths for numbers, what the built-in types answer themselves (`builtin.rs`), then
//! special methods (`special.rs`), then the error (`messages.rs`).
//!
//! The order is that of Python's rules: a built-in type's own answer stands for its special method, since built-in types cannot be
//! changed; the right operand is asked first when its class is derived from the left one's.

mod builtin;
mod items;
mod messages;
mod numeric;
mod special;

pub(crate) use special::Operators;

use super::Vm;
use crate::syntax::ast::{CmpOp, Operator, UnaryOp};
use crate::value::{BigInt, Complex, Dict, FrozenSet, Instance, Kind, List, R, Ref, Set, Str, Tuple, Value, hash};

/// Comparing longer text, or bytes, is work that counts.
pub(crate) use crate::value::dict::LONG_TEXT;

impl Vm {
    /// `a op b`.
    #[inline]
    pub fn binary(&self, op: Operator, a: &Value, b: &Value) -> R {
        if let Some(result) = quick_binary(op, a, b) {
            return Ok(result);
        }
        self.binary_general(op, a, b, false)
    }

    /// `a op= b`: the new value of the target.
    #[inline]
    pub fn inplace(&self, op: Operator, a: Value, b: &Value) -> R {
        if let Some(result) = quick_binary(op, &a, b) {
            return Ok(result);
        }
        self.inplace_general(op, a, b)
    }

    #[inline(never)]
    fn inplace_general(&self, op: Operator, a: Value, b: &Value) -> R {
        match a.kind() {
            Kind::Str if op == Operator::Add => {
                if let (Some(text), Some(more)) = (a.downcast::<Str>(), b.downcast::<Str>()) {
                    self.check_text(text.byte_len().saturating_add(more.byte_len()))?;
                    if text.append(more.as_str(), 1) {
                        return Ok(a);
                    }
                    return self.str_concat(text, more);
                }
            }
            Kind::List => {
                if let Some(list) = a.downcast::<List>() {
                    if op == Operator::Add {
                        self.list_extend(list, b)?;
                        return Ok(a);
                    }
                    if op == Operator::Mult && self.has_index(b) {
                        self.list_repeat_in_place(list, b)?;
                        return Ok(a);
                    }
                }
            }
            Kind::Free | Kind::BigInt | Kind::Tuple | Kind::Bytes => {}
            _ => {
                let method = self.class_of(&a).lookup(&self.operators.rows[op as usize].in_place);
                if !method.is_undef() {
                    let result = self.nested(|| self.call_slot(&method, &a, std::slice::from_ref(b)))?;
                    if !matches!(result, Value::NotImplemented) {
                        return Ok(result);
                    }
                }
            }
        }
        self.binary_general(op, &a, b, true)
    }

    #[inline(never)]
    fn binary_general(&self, op: Operator, a: &Value, b: &Value, in_place: bool) -> R {
        if let Some(result) = self.builtin_binary(op, a, b)? {
            return Ok(result);
        }
        self.nested(|| self.binary_special(op, a, b, in_place))
    }

    /// `op a`.
    #[inline]
    pub fn unary(&self, op: UnaryOp, a: &Value) -> R {
        match (op, a) {
            (UnaryOp::Not, a) => Ok(Value::bool(!self.truthy(a)?)),
            (UnaryOp::USub, Value::Int(i)) if *i != i64::MIN => Ok(Value::Int(-i)),
            (UnaryOp::USub, Value::Float(bits)) => Ok(Value::float(-f64::from_bits(*bits))),
            _ => match self.builtin_unary(op, a)? {
                Some(result) => Ok(result),
                None => self.unary_special(op, a),
            },
        }
    }

    /// `a op b` for one comparison: any value, as `__lt__` and its kin may return one.
    #[inline]
    pub fn compare(&self, op: CmpOp, a: &Value, b: &Value) -> R {
        if let (Value::Int(x), Value::Int(y)) = (a, b) {
            match op {
                CmpOp::Eq => return Ok(Value::bool(x == y)),
                CmpOp::NotEq => return Ok(Value::bool(x != y)),
                CmpOp::Lt => return Ok(Value::bool(x < y)),
                CmpOp::LtE => return Ok(Value::bool(x <= y)),
                CmpOp::Gt => return Ok(Value::bool(x > y)),
                CmpOp::GtE => return Ok(Value::bool(x >= y)),
                _ => {}
            }
        }
        self.compare_general(op, a, b)
    }

    #[inline(never)]
    fn compare_general(&self, op: CmpOp, a: &Value, b: &Value) -> R {
        match op {
            CmpOp::Is => return Ok(Value::bool(a.is(b))),
            CmpOp::IsNot => return Ok(Value::bool(!a.is(b))),
            CmpOp::In => return Ok(Value::bool(self.contains(b, a)?)),
            CmpOp::NotIn => return Ok(Value::bool(!self.contains(b, a)?)),
            _ => {}
        }
        if let Some(result) = self.builtin_compare(op, a, b)? {
            return Ok(result);
        }
        if is_closed(a) && is_closed(b) && matches!(op, CmpOp::Eq | CmpOp::NotEq) {
            return Ok(Value::bool(a.is(b) == (op == CmpOp::Eq)));
        }
        self.nested(|| self.compare_special(op, a, b))
    }

    /// `a == b` as containers ask: identity first, then `__eq__`, as a truth value.
    #[inline]
    pub fn eq(&self, a: &Value, b: &Value) -> R<bool> {
        match (a, b) {
            (Value::Int(x), Value::Int(y)) => Ok(x == y),
            (Value::Obj(x), Value::Obj(y)) if x.is(y) => Ok(true),
            _ => {
                if let (Some(x), Some(y)) = (a.downcast::<Str>(), b.downcast::<Str>()) {
                    self.will_scan(x.byte_len().min(y.byte_len()))?;
                    return Ok(x.as_str() == y.as_str());
                }
                self.eq_slowly(a, b)
            }
        }
    }

    #[inline(never)]
    fn eq_slowly(&self, a: &Value, b: &Value) -> R<bool> {
        if a.is(b) {
            return Ok(true);
        }
        match self.compare_general(CmpOp::Eq, a, b)? {
            Value::Bool(answer) => Ok(answer != 0),
            other => self.truthy(&other),
        }
    }

    /// `a < b` as a truth value.
    #[inline]
    pub fn lt(&self, a: &Value, b: &Value) -> R<bool> {
        if let Some(answer) = less_quickly(a, b) {
            return Ok(answer);
        }
        match self.compare(CmpOp::Lt, a, b)? {
            Value::Bool(answer) => Ok(answer != 0),
            other => self.truthy(&other),
        }
    }

    /// `bool(value)`.
    #[inline]
    pub fn truthy(&self, value: &Value) -> R<bool> {
        Ok(match value {
            Value::Bool(b) => *b != 0,
            Value::None => false,
            Value::Int(i) => *i != 0,
            Value::Float(bits) => f64::from_bits(*bits) != 0.0,
            Value::Obj(object) => match object.kind() {
                Kind::Str => value.downcast::<Str>().is_some_and(|s| !s.is_empty()),
                Kind::List => value.downcast::<List>().is_some_and(|l| !l.is_empty()),
                Kind::Dict => value.downcast::<Dict>().is_some_and(|d| !d.is_empty()),
                Kind::Tuple => value.downcast::<Tuple>().is_some_and(|t| !t.is_empty()),
                Kind::BigInt | Kind::Function | Kind::Module => true,
                Kind::Complex => value.downcast::<Complex>().is_some_and(|number| super::number::complex::truth(**number)),
                _ => return self.truthy_special(value),
            },
            Value::NotImplemented => return self.truthy_not_implemented(),
            _ => true,
        })
    }

    /// `hash(value)`.
    #[inline]
    pub fn hash(&self, value: &Value) -> R<i64> {
        match value {
            Value::Int(i) => Ok(hash::int(*i)),
            Value::Obj(object) => match object.kind() {
                Kind::Str => match value.downcast::<Str>() {
                    Some(text) => self.hash_text(text),
                    None => Ok(0),
                },
                Kind::Tuple => self.hash_tuple(value),
                Kind::Instance | Kind::Native | Kind::Class | Kind::Exception => self.hash_special(value),
                _ => self.hash_builtin(value),
            },
            _ => self.hash_builtin(value),
        }
    }

    /// The hash of a text, whose computation counts if it is long.
    #[inline]
    fn hash_text(&self, text: &Ref<Str>) -> R<i64> {
        if text.byte_len() > LONG_TEXT && !text.is_hashed() {
            self.will_scan(text.byte_len())?;
        }
        Ok(text.hash() as i64)
    }

    fn hash_tuple(&self, value: &Value) -> R<i64> {
        let Some(tuple) = value.downcast::<Tuple>() else { return Ok(0) };
        let mut hash = hash::TupleHash::default();
        for (index, item) in tuple.items().iter().enumerate() {
            if index % 64 == 63 {
                self.charge(8)?;
            }
            hash.add(match item {
                Value::Int(i) => hash::int(*i),
                item => match item.downcast::<Str>() {
                    Some(text) => text.hash() as i64,
                    None => self.nested(|| self.hash(item))?,
                },
            });
        }
        Ok(hash.finish())
    }

    /// The hash by identity: that of objects whose class says nothing else.
    pub fn identity_hash(&self, value: &Value) -> i64 {
        match value {
            Value::Obj(object) => hash::int((object.address() >> 4) as i64),
            Value::None => 0x00fc_a86b,
            Value::Ellipsis => 0x00fc_a870,
            Value::NotImplemented => 0x00fc_a875,
            _ => 0,
        }
    }

    /// `operator.index(value)`: an integer value (`Int` or a big integer; never a bool).
    #[inline]
    pub fn index(&self, value: &Value) -> R {
        match value {
            Value::Int(_) => Ok(value.clone()),
            Value::Bool(b) => Ok(Value::Int(*b as i64)),
            _ if value.kind() == Kind::BigInt => Ok(value.clone()),
            _ => self.index_special(value),
        }
    }

    /// `value` as a machine integer by `__index__`; `OverflowError` if it does not fit.
    #[inline]
    pub fn index_i64(&self, value: &Value) -> R<i64> {
        match self.index(value)? {
            Value::Int(i) => Ok(i),
            _ => Err(self.overflow_error("Python int too large to convert to C ssize_t")),
        }
    }

    /// `float(value)` for numbers (`__float__`, then `__index__`), not strings.
    #[inline]
    pub fn to_f64(&self, value: &Value) -> R<f64> {
        match value {
            Value::Float(bits) => Ok(f64::from_bits(*bits)),
            Value::Int(i) => Ok(*i as f64),
            Value::Bool(b) => Ok(*b as f64),
            _ => self.to_f64_special(value),
        }
    }

    /// A big integer as a float: `OverflowError` if it is too large.
    pub(crate) fn big_to_f64(&self, big: &Ref<BigInt>) -> R<f64> {
        super::number::integer::big_to_f64(self, &big.0)
    }

    /// Asks for the memory of a text of this many bytes.
    #[inline]
    pub fn check_text(&self, bytes: usize) -> R<()> {
        if bytes > 4096 {
            if bytes > crate::value::str::MAX_LEN {
                return Err(self.out_of_memory());
            }
            self.charge((bytes / 8192) as u64)?;
            return self.check_alloc(bytes);
        }
        Ok(())
    }

    /// `a + b` for strings.
    #[inline]
    pub fn str_concat(&self, a: &Ref<Str>, b: &Ref<Str>) -> R {
        self.check_text(a.byte_len().saturating_add(b.byte_len()))?;
        Ok(Value::from(self.heap.str_concat(a.as_str(), b.as_str())))
    }
}

/// `a < b` for numbers of a kind, text, and short tuples of such, where no script code is needed.
#[inline]
pub fn less_quickly(a: &Value, b: &Value) -> Option<bool> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => Some(a < b),
        (Value::Float(a), Value::Float(b)) => Some(f64::from_bits(*a) < f64::from_bits(*b)),
        (Value::Obj(x), Value::Obj(y)) => match (x.kind(), y.kind()) {
            (Kind::Str, Kind::Str) => {
                let (a, b) = (a.downcast::<Str>()?, b.downcast::<Str>()?);
                // Comparing long text is work that counts.
                (a.byte_len().min(b.byte_len()) <= LONG_TEXT).then(|| a.as_str() < b.as_str())
            }
            (Kind::Tuple, Kind::Tuple) => less_tuple(a.downcast()?, b.downcast()?),
            _ => None,
        },
        _ => None,
    }
}

#[inline(never)]
fn less_tuple(a: &Ref<Tuple>, b: &Ref<Tuple>) -> Option<bool> {
    if a.len() > 8 || b.len() > 8 {
        return None;
    }
    for (x, y) in a.items().iter().zip(b.items()) {
        if x.kind() == Kind::Tuple {
            return None;
        }
        if !crate::value::dict::same_key(x, y)? {
            return less_quickly(x, y);
        }
    }
    Some(a.len() < b.len())
}

/// Arithmetic of machine numbers that needs no more than an instruction or two.
#[inline(always)]
fn quick_binary(op: Operator, a: &Value, b: &Value) -> Option<Value> {
    match (a, b) {
        (Value::Int(x), Value::Int(y)) => {
            let (x, y) = (*x, *y);
            match op {
                Operator::Add => x.checked_add(y).map(Value::Int),
                Operator::Sub => x.checked_sub(y).map(Value::Int),
                Operator::Mult => x.checked_mul(y).map(Value::Int),
                Operator::BitAnd => Some(Value::Int(x & y)),
                Operator::BitOr => Some(Value::Int(x | y)),
                Operator::BitXor => Some(Value::Int(x ^ y)),
                Operator::FloorDiv if y > 0 => Some(Value::Int(x.div_euclid(y))),
                Operator::Mod if y > 0 => Some(Value::Int(x.rem_euclid(y))),
                _ => None,
            }
        }
        (Value::Float(x), Value::Float(y)) => quick_float(op, f64::from_bits(*x), f64::from_bits(*y)),
        (Value::Float(x), Value::Int(y)) if exact(*y) => quick_float(op, f64::from_bits(*x), *y as f64),
        (Value::Int(x), Value::Float(y)) if exact(*x) => quick_float(op, *x as f64, f64::from_bits(*y)),
        _ => None,
    }
}

#[inline(always)]
fn quick_float(op: Operator, x: f64, y: f64) -> Option<Value> {
    match op {
        Operator::Add => Some(Value::float(x + y)),
        Operator::Sub => Some(Value::float(x - y)),
        Operator::Mult => Some(Value::float(x * y)),
        Operator::Div if y != 0.0 => Some(Value::float(x / y)),
        _ => None,
    }
}

/// Whether the integer is a float, too.
#[inline(always)]
fn exact(i: i64) -> bool {
    i.unsigned_abs() <= 1 << 53
}

/// Whether the value is of a built-in type whose comparisons are all in `builtin.rs`, so that nothing else can be equal to it
/// but what that says.
#[inline]
fn is_closed(value: &Value) -> bool {
    !matches!(
        value.kind(),
        Kind::Instance
            | Kind::Native
            | Kind::Class
            | Kind::Exception
            | Kind::BoundMethod
            | Kind::MappingProxy
            | Kind::DictView
            | Kind::Iterator
            | Kind::Slice
    )
}

/// Whether the value is a number itself.
#[inline]
pub(crate) fn is_number(value: &Value) -> bool {
    matches!(value, Value::Int(_) | Value::Float(_) | Value::Bool(_)) || matches!(value.kind(), Kind::BigInt | Kind::Complex)
}

/// The keys of a set or frozenset itself.
fn exact_keys(value: &Value) -> Option<&crate::value::set::Keys> {
    match value.kind() {
        Kind::Set => value.downcast::<Set>().map(|set| set.keys()),
        Kind::FrozenSet => value.downcast::<FrozenSet>().map(|set| set.keys()),
        _ => None,
    }
}

/// Whether an instance holds a built-in value.
#[inline]
fn holds_builtin(value: &Value) -> bool {
    value.downcast::<Instance>().is_some_and(|instance| !instance.base().is_undef())
}
