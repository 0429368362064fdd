//! Integers beyond 64 bits. An integer that fits is always a `Value::Int`, so each number has one form.

use dashu_int::IBig;

use super::object::{Kind, Payload};
use super::{Heap, Value};

/// The payload of an integer that does not fit an `i64`.
pub struct BigInt(pub IBig);

impl Payload for BigInt {
    const KIND: Kind = Kind::BigInt;
    const CONTAINER: bool = false;
    const BUFFERS: bool = true;

    fn buffers(&self) -> usize {
        bytes_of(&self.0)
    }
}

fn bytes_of(number: &IBig) -> usize {
    use dashu_int::ops::BitTest;
    match number.bit_len() {
        0..=128 => 0,
        bits => bits.div_ceil(64) * 8,
    }
}

impl Heap {
    /// The integer value of `number`, in its one form.
    pub fn int(&self, number: IBig) -> Value {
        match i64::try_from(&number) {
            Ok(small) => Value::Int(small),
            Err(_) => {
                self.charge(bytes_of(&number));
                Value::from(self.alloc(BigInt(number)))
            }
        }
    }

    /// The integer value of an `i128`.
    #[inline]
    pub fn int128(&self, number: i128) -> Value {
        match i64::try_from(number) {
            Ok(small) => Value::Int(small),
            Err(_) => self.int(IBig::from(number)),
        }
    }
}
