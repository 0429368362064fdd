//! Complex numbers: data only; the arithmetic is in `vm/number/complex.rs`, the methods in `builtins/complex.rs`.

use super::Heap;
use super::object::{Kind, Payload, Ref};

/// The payload of a complex number.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Complex {
    pub real: f64,
    pub imag: f64,
}

impl Payload for Complex {
    const KIND: Kind = Kind::Complex;
    const CONTAINER: bool = false;
}

impl Complex {
    pub const fn new(real: f64, imag: f64) -> Complex {
        Complex { real, imag }
    }
}

impl Heap {
    /// A complex number.
    pub fn complex(&self, number: Complex) -> Ref<Complex> {
        self.alloc(number)
    }
}
