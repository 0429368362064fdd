//! Comparison of numbers: exact, also between an integer and a float.

use std::cmp::Ordering;

use dashu_int::{IBig, Sign};

use super::Number;
use super::float::trunc_to_big;
use crate::value::Value;

/// How `a` and `b` compare: `Some(None)` if one is not a number in the sense of floats, `None` if they are not both numbers.
#[inline]
pub fn compare(a: &Value, b: &Value) -> Option<Option<Ordering>> {
    let (a, b) = (Number::of(a)?, Number::of(b)?);
    Some(match (a, b) {
        (Number::Int(a), Number::Int(b)) => Some(a.cmp(&b)),
        (Number::Float(a), Number::Float(b)) => a.partial_cmp(&b),
        (Number::Int(a), Number::Float(b)) => int_float(a, b),
        (Number::Float(a), Number::Int(b)) => int_float(b, a).map(Ordering::reverse),
        (Number::Big(a), Number::Big(b)) => Some(a.0.cmp(&b.0)),
        // A big integer is beyond every machine integer.
        (Number::Big(a), Number::Int(_)) => Some(by_sign(&a.0)),
        (Number::Int(_), Number::Big(b)) => Some(by_sign(&b.0).reverse()),
        (Number::Big(a), Number::Float(b)) => big_float(&a.0, b),
        (Number::Float(a), Number::Big(b)) => big_float(&b.0, a).map(Ordering::reverse),
    })
}

/// `a == b`, or `None` if they are not both numbers.
#[inline]
pub fn equal(a: &Value, b: &Value) -> Option<bool> {
    compare(a, b).map(|order| order == Some(Ordering::Equal))
}

fn by_sign(big: &IBig) -> Ordering {
    match big.sign() {
        Sign::Negative => Ordering::Less,
        Sign::Positive => Ordering::Greater,
    }
}

fn int_float(i: i64, f: f64) -> Option<Ordering> {
    const EXACT: i64 = 1 << 53;
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if (-EXACT..=EXACT).contains(&i) {
        return (i as f64).partial_cmp(&f);
    }
    if f.is_nan() {
        return None;
    }
    if f >= LIMIT {
        return Some(Ordering::Less);
    }
    if f < -LIMIT {
        return Some(Ordering::Greater);
    }
    let whole = f.trunc();
    Some(i.cmp(&(whole as i64)).then_with(|| whole.partial_cmp(&f).unwrap_or(Ordering::Equal)))
}

fn big_float(big: &IBig, f: f64) -> Option<Ordering> {
    if f.is_nan() {
        return None;
    }
    if f.is_infinite() {
        return Some(if f > 0.0 { Ordering::Less } else { Ordering::Greater });
    }
    if f.abs() < 9e18 {
        return Some(by_sign(big));
    }
    // Beyond 2^53 every float is whole.
    trunc_to_big(f).map(|whole| big.cmp(&whole))
}
