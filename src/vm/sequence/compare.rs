//! Comparison and search.

use super::{COMPARISONS, Items};
use crate::syntax::ast::CmpOp;
use crate::value::{Kind, R, Range, Value};
use crate::vm::Vm;

impl Vm {
    /// Whether two sequences are equal.
    pub fn items_eq(&self, a: &(impl Items + ?Sized), b: &(impl Items + ?Sized)) -> R<bool> {
        if a.len() != b.len() {
            return Ok(false);
        }
        Ok(self.first_difference(a, b)?.is_none() && a.len() == b.len())
    }

    /// The first pair of items that are not equal. `None` if one sequence is the beginning of the other.
    fn first_difference(&self, a: &(impl Items + ?Sized), b: &(impl Items + ?Sized)) -> R<Option<(Value, Value)>> {
        self.nested(|| {
            let mut index = 0;
            while let (Some(x), Some(y)) = (a.item(index), b.item(index)) {
                index += 1;
                if index.is_multiple_of(COMPARISONS) {
                    self.charge(1)?;
                }
                if !x.is(&y) {
                    let same = match (&x, &y) {
                        (Value::Int(x), Value::Int(y)) => x == y,
                        _ => self.eq(&x, &y)?,
                    };
                    if !same {
                        return Ok(Some((x, y)));
                    }
                }
            }
            Ok(None)
        })
    }

    /// `a op b` for two sequences of one type: the comparison of the first items that differ, else of the lengths.
    pub fn items_compare(&self, op: CmpOp, a: &(impl Items + ?Sized), b: &(impl Items + ?Sized)) -> R {
        if a.len() != b.len() && matches!(op, CmpOp::Eq | CmpOp::NotEq) {
            return Ok(Value::bool(op == CmpOp::NotEq));
        }
        let difference = self.first_difference(a, b)?;
        match (op, difference) {
            (CmpOp::Eq, Some(_)) => Ok(Value::FALSE),
            (CmpOp::NotEq, Some(_)) => Ok(Value::TRUE),
            (op, Some((x, y))) => self.nested(|| self.compare(op, &x, &y)),
            (op, None) => Ok(Value::bool(op.holds(a.len().cmp(&b.len())) == Some(true))),
        }
    }

    /// The first position from `from` on, before `to`, of an item equal to `wanted`.
    pub fn items_find(&self, items: &(impl Items + ?Sized), wanted: &Value, from: usize, to: usize) -> R<Option<usize>> {
        let mut at = from;
        while at < to {
            let Some(item) = items.item(at) else { break };
            if at.is_multiple_of(COMPARISONS) {
                self.charge(1)?;
            }
            let same = match (&item, wanted) {
                (Value::Int(x), Value::Int(y)) => x == y,
                _ => self.eq(&item, wanted)?,
            };
            if same {
                return Ok(Some(at));
            }
            at += 1;
        }
        Ok(None)
    }

    /// `wanted in items`.
    pub fn items_contain(&self, items: &(impl Items + ?Sized), wanted: &Value) -> R<bool> {
        Ok(self.items_find(items, wanted, 0, usize::MAX)?.is_some())
    }

    /// `items.count(wanted)`.
    pub fn items_count(&self, items: &(impl Items + ?Sized), wanted: &Value) -> R<usize> {
        let mut count = 0;
        let mut from = 0;
        while let Some(at) = self.items_find(items, wanted, from, usize::MAX)? {
            count += 1;
            from = at + 1;
        }
        Ok(count)
    }

    /// `number in range`, without walking for integers.
    pub fn range_contains(&self, range: &Range, item: &Value) -> R<bool> {
        Ok(self.range_position(range, item)?.is_some())
    }

    /// The index of a number in a range.
    pub fn range_position(&self, range: &Range, item: &Value) -> R<Option<u64>> {
        let number = match item {
            Value::Int(i) => i128::from(*i),
            Value::Bool(b) => i128::from(*b),
            item if item.kind() == Kind::BigInt => return Ok(None),
            item => {
                // Other numbers may equal an integer; other objects may claim to.
                if let Value::Float(bits) = item {
                    let float = f64::from_bits(*bits);
                    if float.fract() != 0.0 || float.abs() >= 9.3e18 {
                        return Ok(None);
                    }
                    float as i128
                } else if !matches!(item.kind(), Kind::Instance | Kind::Native | Kind::Complex) {
                    return Ok(None);
                } else {
                    for index in 0..range.len() {
                        self.charge(1)?;
                        if self.eq(&Value::Int(range.at(index)), item)? {
                            return Ok(Some(index));
                        }
                    }
                    return Ok(None);
                }
            }
        };
        let (start, step) = (i128::from(range.start), i128::from(range.step));
        let distance = number - start;
        if distance % step != 0 || distance / step < 0 {
            return Ok(None);
        }
        let index = (distance / step) as u128;
        Ok((index < u128::from(range.len())).then_some(index as u64))
    }
}
