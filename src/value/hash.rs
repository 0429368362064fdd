//! Hashes: Python's for numbers (equal numbers of different types hash alike), a seeded one for text and bytes.

use std::hash::{BuildHasher, Hasher};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use foldhash::fast::FixedState;

/// The prime modulus of numeric hashes, 2^61 - 1, as the Python reference states it (`sys.hash_info`).
pub const MODULUS: u64 = (1 << 61) - 1;

static STATE: OnceLock<FixedState> = OnceLock::new();

static SEED: AtomicU64 = AtomicU64::new(0);

/// Draws the seed of the tables' places, once per process; called before there is a table.
pub(super) fn draw_seed() {
    let drawn = std::hash::RandomState::new().hash_one(1u8) | 1;
    let _ = SEED.compare_exchange(0, drawn, Ordering::Relaxed, Ordering::Relaxed);
}

/// What spreads hashes over a table, differently in every process.
#[inline(always)]
pub(super) fn seed() -> u64 {
    SEED.load(Ordering::Relaxed)
}

/// The hash of bytes. The seed is drawn once per process, so that colliding keys cannot be prepared.
pub fn bytes(data: &[u8]) -> u64 {
    let state = STATE.get_or_init(|| FixedState::with_seed(std::hash::RandomState::new().hash_one(0u8)));
    let mut hasher = state.build_hasher();
    hasher.write(data);
    hasher.finish()
}

/// The hash of a text, never 0: half as long as others, which keeps strings small.
pub fn text(text: &str) -> u32 {
    let long = bytes(text.as_bytes());
    ((long ^ long >> 32) as u32).max(1)
}

/// The hash of an integer as Python defines it: the value modulo 2^61 - 1 with its sign, and -2 in place of -1.
#[inline(always)]
pub fn int(i: i64) -> i64 {
    if (i.unsigned_abs()) < MODULUS {
        return if i == -1 { -2 } else { i };
    }
    let rest = (i.unsigned_abs() % MODULUS) as i64;
    match if i < 0 { -rest } else { rest } {
        -1 => -2,
        hash => hash,
    }
}

/// The hash of a float: equal to that of an equal integer.
pub fn float(f: f64) -> i64 {
    if f.is_infinite() {
        return if f > 0.0 { 314_159 } else { -314_159 };
    }
    if f.is_nan() {
        return 0;
    }
    // f = mantissa * 2^exponent, reduced modulo the prime; 2^61 = 1 there, so the exponent is a rotation.
    let bits = f.to_bits();
    let raw = (bits >> 52 & 0x7FF) as i64;
    let mantissa = if raw == 0 { bits & ((1 << 52) - 1) } else { bits & ((1 << 52) - 1) | 1 << 52 };
    let exponent = (raw.max(1) - 1075).rem_euclid(61) as u32;
    let reduced = mantissa % MODULUS;
    let rotated = ((reduced << exponent) & MODULUS) | (reduced >> (61 - exponent));
    let hash = (rotated % MODULUS) as i64;
    match if f < 0.0 { -hash } else { hash } {
        -1 => -2,
        hash => hash,
    }
}

/// Combines the hashes of a tuple's items.
pub fn tuple(items: impl ExactSizeIterator<Item = i64>) -> i64 {
    let mut hash = TupleHash::default();
    items.for_each(|item| hash.add(item));
    hash.finish()
}

/// The hash of a tuple in the making (the xxHash scheme that CPython documents).
pub struct TupleHash {
    acc: u64,
    len: u64,
}

const P1: u64 = 11_400_714_785_074_694_791;
const P2: u64 = 14_029_467_366_897_019_727;
const P5: u64 = 2_870_177_450_012_600_261;

impl Default for TupleHash {
    fn default() -> TupleHash {
        TupleHash { acc: P5, len: 0 }
    }
}

impl TupleHash {
    /// Adds the hash of the next item.
    #[inline(always)]
    pub fn add(&mut self, item: i64) {
        self.acc = self.acc.wrapping_add((item as u64).wrapping_mul(P2)).rotate_left(31).wrapping_mul(P1);
        self.len += 1;
    }

    #[inline(always)]
    pub fn finish(self) -> i64 {
        let acc = self.acc.wrapping_add(self.len ^ (P5 ^ 3_527_539));
        if acc == u64::MAX { 1_546_275_796 } else { acc as i64 }
    }
}
