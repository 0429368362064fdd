//! What subscripts and slices mean in a sequence of some length.

use dashu_int::{IBig, Sign};

use crate::value::{BigInt, Kind, R, Raised, Ref, Slice, Value};
use crate::vm::Vm;

/// The items that a slice picks: `count` of them, from `start` on, `step` apart. `stop` is where the slice ends, for insertions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Picked {
    pub start: i64,
    pub stop: i64,
    pub step: i64,
    pub count: usize,
}

impl Picked {
    /// The indices, in order.
    pub fn indices(self) -> impl Iterator<Item = usize> {
        let mut next = self.start;
        (0..self.count).map(move |_| {
            let at = next;
            next = next.wrapping_add(self.step);
            at as usize
        })
    }

    /// The indices as a span, if the step is 1.
    pub fn span(self) -> Option<std::ops::Range<usize>> {
        (self.step == 1).then(|| self.start as usize..self.start as usize + self.count)
    }

    /// The items picked out of a slice.
    pub fn of<T: Clone>(self, items: &[T]) -> Vec<T> {
        match self.span() {
            Some(span) => items[span].to_vec(),
            None => self.indices().map(|at| items[at].clone()).collect(),
        }
    }
}

impl Vm {
    /// Whether a value can stand for an integer (`__index__`).
    pub fn has_index(&self, value: &Value) -> bool {
        match value {
            Value::Int(_) | Value::Bool(_) => true,
            Value::Obj(object) if object.kind() == Kind::BigInt => true,
            Value::Obj(_) => !self.class_of(value).lookup(&self.n.__index__).is_undef(),
            _ => false,
        }
    }

    /// A value as an integer by `__index__`; integers beyond 64 bits become the nearest bound.
    pub fn index_clamped(&self, value: &Value) -> R<i64> {
        match value {
            Value::Int(i) => Ok(*i),
            value => match self.index(value)? {
                Value::Int(i) => Ok(i),
                big => Ok(match big.downcast::<BigInt>() {
                    Some(big) if big.0.sign() == Sign::Negative => i64::MIN,
                    _ => i64::MAX,
                }),
            },
        }
    }

    /// The position that a subscript means in a sequence of `len` items. `what` begins the messages: "list", "tuple", "range object",
    /// "list assignment".
    #[inline]
    pub fn item_index(&self, key: &Value, len: usize, what: &str) -> R<usize> {
        let index = match key {
            Value::Int(i) => *i,
            other => self.item_index_of(other, what)?,
        };
        let at = if index < 0 { index.wrapping_add(len as i64) } else { index };
        if (at as u64) < len as u64 { Ok(at as usize) } else { Err(self.out_of_range(what)) }
    }

    #[cold]
    #[inline(never)]
    pub(super) fn out_of_range(&self, what: &str) -> Raised {
        self.index_error(format!("{what} index out of range"))
    }

    #[cold]
    #[inline(never)]
    pub(super) fn item_index_of(&self, key: &Value, what: &str) -> R<i64> {
        if !self.has_index(key) {
            let sequence = what.split(' ').next().unwrap_or(what);
            let class = self.class_of(key).name();
            return Err(self.type_error(format!("{sequence} indices must be integers or slices, not {}", class.as_str())));
        }
        match self.index(key)? {
            Value::Int(i) => Ok(i),
            _ => {
                let class = self.class_of(key).name();
                Err(self.index_error(format!("cannot fit '{}' into an index-sized integer", class.as_str())))
            }
        }
    }

    fn slice_part(&self, part: &Value, default: i64) -> R<i64> {
        if part.is_none() {
            return Ok(default);
        }
        if !self.has_index(part) {
            return Err(self.type_error("slice indices must be integers or None or have an __index__ method"));
        }
        self.index_clamped(part)
    }

    /// The three parts of a slice as integers, before the length is known.
    pub(super) fn slice_parts(&self, slice: &Slice) -> R<(i64, i64, i64)> {
        let step = self.slice_part(&slice.step, 1)?.max(-i64::MAX);
        if step == 0 {
            return Err(self.value_error("slice step cannot be zero"));
        }
        let start = self.slice_part(&slice.start, if step < 0 { i64::MAX } else { 0 })?;
        let stop = self.slice_part(&slice.stop, if step < 0 { i64::MIN } else { i64::MAX })?;
        Ok((start, stop, step))
    }

    /// What a slice picks out of a sequence. The length is asked after `__index__` of the parts has run, which may change it.
    pub fn slice_of(&self, slice: &Ref<Slice>, len: impl FnOnce() -> usize) -> R<Picked> {
        let (start, stop, step) = self.slice_parts(slice)?;
        let len = len() as i64;
        let clamp = |at: i64| {
            let at = if at < 0 { at.saturating_add(len) } else { at };
            if step < 0 { at.clamp(-1, len - 1) } else { at.clamp(0, len) }
        };
        let (start, stop) = (clamp(start), clamp(stop));
        let distance = if step < 0 { i128::from(start) - i128::from(stop) } else { i128::from(stop) - i128::from(start) };
        let stride = i128::from(step).abs();
        let count = if distance <= 0 { 0 } else { ((distance - 1) / stride + 1) as usize };
        Ok(Picked { start, stop, step, count })
    }

    /// A slice's bounds as `slice.indices(length)` gives them, for lengths of any size.
    pub fn slice_indices(&self, slice: &Ref<Slice>, length: &IBig) -> R<[IBig; 3]> {
        let part = |part: &Value| -> R<Option<IBig>> {
            if part.is_none() {
                return Ok(None);
            }
            if !self.has_index(part) {
                return Err(self.type_error("slice indices must be integers or None or have an __index__ method"));
            }
            Ok(Some(match self.index(part)? {
                Value::Int(i) => IBig::from(i),
                big => big.downcast::<BigInt>().map_or(IBig::ZERO, |big| big.0.clone()),
            }))
        };
        let step = part(&slice.step)?.unwrap_or(IBig::ONE);
        if step == IBig::ZERO {
            return Err(self.value_error("slice step cannot be zero"));
        }
        let backwards = step.sign() == Sign::Negative;
        let (lower, upper) = if backwards { (IBig::from(-1), length - IBig::ONE) } else { (IBig::ZERO, length.clone()) };
        let clamp = |at: IBig| {
            let at = if at.sign() == Sign::Negative { at + length } else { at };
            at.max(lower.clone()).min(upper.clone())
        };
        let start = part(&slice.start)?.map_or_else(|| if backwards { upper.clone() } else { lower.clone() }, clamp);
        let stop = part(&slice.stop)?.map_or_else(|| if backwards { lower.clone() } else { upper.clone() }, clamp);
        Ok([start, stop, step])
    }
}
