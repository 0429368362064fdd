//! What the built-in types answer to operators: on values of the built-in types themselves, never on instances derived from them
//! (the special methods of the built-in classes unwrap those and come here: `builtins/slots.rs`).

use super::super::{Vm, binary, format, number};
use super::{exact_keys, is_number, numeric};
use crate::syntax::ast::{CmpOp, Operator, UnaryOp};
use crate::value::{Bytes, Complex, Dict, FrozenSet, Kind, List, R, Range, Slice, Str, Tuple, Value, hash};

impl Vm {
    /// `a op b`; nothing if the built-in types have no answer.
    pub(crate) fn builtin_binary(&self, op: Operator, a: &Value, b: &Value) -> R<Option<Value>> {
        if is_number(a) && is_number(b) {
            return numeric::binary(self, op, a, b);
        }
        match (op, a.kind(), b.kind()) {
            (Operator::Add, Kind::Str, Kind::Str) => match (a.downcast::<Str>(), b.downcast::<Str>()) {
                (Some(a), Some(b)) => self.str_concat(a, b).map(Some),
                _ => Ok(None),
            },
            (Operator::Add, Kind::List, Kind::List) => match a.downcast::<List>() {
                Some(list) => self.list_concat(list, b).map(Some),
                None => Ok(None),
            },
            (Operator::Add, Kind::Tuple, Kind::Tuple) => match a.downcast::<Tuple>() {
                Some(tuple) => self.tuple_concat(tuple, b).map(Some),
                None => Ok(None),
            },
            (Operator::Add, Kind::Bytes | Kind::ByteArray, Kind::Bytes | Kind::ByteArray) => self.bytes_concat(a, b).map(Some),
            (Operator::Add, Kind::Bytes | Kind::ByteArray, Kind::Native) if binary::length(b).is_some() => {
                self.bytes_concat(a, b).map(Some)
            }
            (Operator::Mod, Kind::Str, _) => match a.downcast::<Str>() {
                Some(text) => format::percent_str(self, text, b).map(Some),
                None => Ok(None),
            },
            (Operator::Mod, Kind::Bytes | Kind::ByteArray, _) => match binary::bytes_of(a) {
                Some(data) => format::percent_bytes(self, &data, b).map(|made| Some(self.bytes_like(a, made))),
                None => Ok(None),
            },
            (Operator::Mult, Kind::Str | Kind::List | Kind::Tuple | Kind::Bytes | Kind::ByteArray, _) if self.is_count(b) => {
                self.repeat(a, b)
            }
            (Operator::Mult, _, Kind::Str | Kind::List | Kind::Tuple | Kind::Bytes | Kind::ByteArray) if self.is_count(a) => {
                self.repeat(b, a)
            }
            _ => Ok(None),
        }
    }

    /// Whether a value can say how often a sequence is repeated.
    fn is_count(&self, value: &Value) -> bool {
        matches!(value, Value::Int(_) | Value::Bool(_)) || value.kind() == Kind::BigInt || self.has_index(value)
    }

    /// `sequence * times`.
    fn repeat(&self, sequence: &Value, times: &Value) -> R<Option<Value>> {
        if let Some(list) = sequence.downcast::<List>() {
            return self.list_repeat(list, times).map(Some);
        }
        if let Some(tuple) = sequence.downcast::<Tuple>() {
            return self.tuple_repeat(tuple, times).map(Some);
        }
        if let Some(text) = sequence.downcast::<Str>() {
            return self.str_repeat(text, times).map(Some);
        }
        self.bytes_repeat(sequence, times).map(Some)
    }

    /// `op a`; nothing if the built-in types have no answer.
    pub(crate) fn builtin_unary(&self, op: UnaryOp, a: &Value) -> R<Option<Value>> {
        if is_number(a) { numeric::unary(self, op, a) } else { Ok(None) }
    }

    /// `a op b` for the six orderings; nothing if the built-in types have no answer.
    pub(crate) fn builtin_compare(&self, op: CmpOp, a: &Value, b: &Value) -> R<Option<Value>> {
        if is_number(a) && is_number(b) {
            return Ok(numeric::compare(op, a, b));
        }
        let order = match (a.kind(), b.kind()) {
            (Kind::Str, Kind::Str) => match (a.downcast::<Str>(), b.downcast::<Str>()) {
                (Some(a), Some(b)) => {
                    self.will_scan(a.byte_len().min(b.byte_len()))?;
                    a.as_str().cmp(b.as_str())
                }
                _ => return Ok(None),
            },
            (Kind::Tuple, Kind::Tuple) => match (a.downcast::<Tuple>(), b.downcast::<Tuple>()) {
                (Some(a), Some(b)) => return self.items_compare(op, a, b).map(Some),
                _ => return Ok(None),
            },
            (Kind::List, Kind::List) => match (a.downcast::<List>(), b.downcast::<List>()) {
                (Some(a), Some(b)) => return self.items_compare(op, a, b).map(Some),
                _ => return Ok(None),
            },
            // A bytearray is also ordered against what lends bytes.
            (Kind::ByteArray, Kind::Native) | (Kind::Native, Kind::ByteArray)
                if !matches!(op, CmpOp::Eq | CmpOp::NotEq) && binary::length(a).is_some() && binary::length(b).is_some() =>
            {
                self.will_scan(binary::length(a).min(binary::length(b)).unwrap_or(0))?;
                match binary::compare(a, b) {
                    Some(order) => order,
                    None => return Ok(None),
                }
            }
            (Kind::Bytes | Kind::ByteArray, Kind::Bytes | Kind::ByteArray) => {
                self.will_scan(binary::length(a).min(binary::length(b)).unwrap_or(0))?;
                match binary::compare(a, b) {
                    Some(order) => order,
                    None => return Ok(None),
                }
            }
            (Kind::Dict, Kind::Dict) => {
                let (Some(a), Some(b)) = (a.downcast::<Dict>(), b.downcast::<Dict>()) else { return Ok(None) };
                return match op {
                    CmpOp::Eq => Ok(Some(Value::bool(self.nested(|| self.dict_eq(a, b))?))),
                    CmpOp::NotEq => Ok(Some(Value::bool(!self.nested(|| self.dict_eq(a, b))?))),
                    _ => Ok(None),
                };
            }
            (Kind::Set | Kind::FrozenSet, Kind::Set | Kind::FrozenSet) => return self.set_compare(op, a, b),
            (Kind::Range, Kind::Range) => {
                let (Some(a), Some(b)) = (a.downcast::<Range>(), b.downcast::<Range>()) else { return Ok(None) };
                let same = match (a.len(), b.len()) {
                    (0, 0) => true,
                    (1, 1) => a.start == b.start,
                    (x, y) => x == y && a.start == b.start && a.step == b.step,
                };
                return match op {
                    CmpOp::Eq => Ok(Some(Value::bool(same))),
                    CmpOp::NotEq => Ok(Some(Value::bool(!same))),
                    _ => Ok(None),
                };
            }
            (Kind::Slice, Kind::Slice) => {
                let (Some(a), Some(b)) = (a.downcast::<Slice>(), b.downcast::<Slice>()) else { return Ok(None) };
                let parts = |s: &Slice| [s.start.clone(), s.stop.clone(), s.step.clone()];
                return self.items_compare(op, parts(a).as_slice(), parts(b).as_slice()).map(Some);
            }
            _ => return Ok(None),
        };
        Ok(op.holds(order).map(Value::bool))
    }

    fn set_compare(&self, op: CmpOp, a: &Value, b: &Value) -> R<Option<Value>> {
        let (Some(x), Some(y)) = (exact_keys(a), exact_keys(b)) else { return Ok(None) };
        let answer = match op {
            CmpOp::Eq => self.set_eq(x, y)?,
            CmpOp::NotEq => !self.set_eq(x, y)?,
            CmpOp::LtE => x.len() <= y.len() && self.set_is_subset(x, y)?,
            CmpOp::Lt => x.len() < y.len() && self.set_is_subset(x, y)?,
            CmpOp::GtE => y.len() <= x.len() && self.set_is_subset(y, x)?,
            CmpOp::Gt => y.len() < x.len() && self.set_is_subset(y, x)?,
            _ => return Ok(None),
        };
        Ok(Some(Value::bool(answer)))
    }

    /// The hash of a value of a built-in type; `TypeError` for those that have none.
    #[inline(never)]
    pub(crate) fn hash_builtin(&self, value: &Value) -> R<i64> {
        match value {
            Value::Int(i) => return Ok(hash::int(*i)),
            Value::Bool(b) => return Ok(*b as i64),
            Value::Float(bits) => {
                let float = f64::from_bits(*bits);
                return Ok(if float.is_nan() { hash::int((*bits >> 3) as i64) } else { hash::float(float) });
            }
            _ => {}
        }
        match value.kind() {
            Kind::Str => match value.downcast::<Str>() {
                Some(text) => self.hash_text(text),
                None => Ok(0),
            },
            Kind::BigInt => Ok(numeric::hash(value)),
            Kind::Complex => Ok(value.downcast::<Complex>().map_or(0, number::complex::hash)),
            Kind::Bytes => match value.downcast::<Bytes>() {
                Some(bytes) => {
                    self.will_scan(bytes.data().len())?;
                    Ok(bytes.hash() as i64)
                }
                None => Ok(0),
            },
            Kind::Tuple => self.hash_tuple(value),
            Kind::FrozenSet => Ok(value.downcast::<FrozenSet>().map_or(0, |set| set.hash())),
            Kind::Range => {
                let Some(range) = value.downcast::<Range>() else { return Ok(0) };
                let none = self.identity_hash(&Value::None);
                let len = range.len();
                let parts = [
                    hash::int(len as i64),
                    if len == 0 { none } else { hash::int(range.start) },
                    if len < 2 { none } else { hash::int(range.step) },
                ];
                Ok(hash::tuple(parts.into_iter()))
            }
            Kind::Slice => {
                let Some(slice) = value.downcast::<Slice>() else { return Ok(0) };
                self.nested(|| {
                    let parts = [self.hash(&slice.start)?, self.hash(&slice.stop)?, self.hash(&slice.step)?];
                    Ok(hash::tuple(parts.into_iter()))
                })
            }
            Kind::List | Kind::Dict | Kind::Set | Kind::ByteArray | Kind::MappingProxy => Err(self.unhashable(value)),
            Kind::BoundMethod | Kind::DictView | Kind::Cell => self.hash_special(value),
            _ => Ok(self.identity_hash(value)),
        }
    }
}
