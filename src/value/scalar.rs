//! Machine numbers as they lie in memory: what the format characters of `memoryview`, `array` and `struct` stand for. Reading and
//! writing them is in `vm/scalar.rs`.

/// One kind of element.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scalar {
    /// An integer of so many bytes.
    Signed(usize),
    Unsigned(usize),
    Bool,
    /// One byte as `bytes`.
    Char,
    /// Floats of 2, 4 and 8 bytes.
    Half,
    Float,
    Double,
}

impl Scalar {
    /// What a format character stands for on this machine.
    pub fn native(code: char) -> Option<Scalar> {
        Some(match code {
            'b' => Scalar::Signed(1),
            'B' => Scalar::Unsigned(1),
            'h' => Scalar::Signed(2),
            'H' => Scalar::Unsigned(2),
            'i' => Scalar::Signed(size_of::<i32>()),
            'I' => Scalar::Unsigned(size_of::<u32>()),
            'l' | 'n' => Scalar::Signed(size_of::<isize>()),
            'L' | 'N' | 'P' => Scalar::Unsigned(size_of::<usize>()),
            'q' => Scalar::Signed(8),
            'Q' => Scalar::Unsigned(8),
            '?' => Scalar::Bool,
            'c' => Scalar::Char,
            'e' => Scalar::Half,
            'f' => Scalar::Float,
            'd' => Scalar::Double,
            _ => return None,
        })
    }

    /// How many bytes it takes.
    pub fn size(self) -> usize {
        match self {
            Scalar::Signed(size) | Scalar::Unsigned(size) => size,
            Scalar::Bool | Scalar::Char => 1,
            Scalar::Half => 2,
            Scalar::Float => 4,
            Scalar::Double => 8,
        }
    }
}
