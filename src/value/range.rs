//! `range` and `slice` objects: data only; the methods are in `builtins/range.rs` and `builtins/slice.rs`.

use super::Value;
use super::object::{Kind, Payload, Visitor};

/// The payload of a range. Bounds beyond 64 bits are refused where ranges are made (docs/compatibility.md).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Range {
    pub start: i64,
    pub stop: i64,
    pub step: i64,
}

impl Payload for Range {
    const KIND: Kind = Kind::Range;
    const CONTAINER: bool = false;
}

impl Range {
    /// How many numbers there are.
    pub fn len(&self) -> u64 {
        let (start, stop, step) = (i128::from(self.start), i128::from(self.stop), i128::from(self.step));
        let count =
            if step > 0 { (stop - start + step - 1).div_euclid(step) } else { (start - stop - step - 1).div_euclid(-step) };
        count.max(0) as u64
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number at `index`, which must be below `len()`.
    pub fn at(&self, index: u64) -> i64 {
        (i128::from(self.start) + i128::from(self.step) * i128::from(index)) as i64
    }
}

/// The payload of a slice object.
pub struct Slice {
    pub start: Value,
    pub stop: Value,
    pub step: Value,
}

impl Payload for Slice {
    const KIND: Kind = Kind::Slice;
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.values([&self.start, &self.stop, &self.step]);
    }
}
