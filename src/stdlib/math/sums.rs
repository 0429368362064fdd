//! Sums, products and norms of `math`: exact or nearly so where CPython's are.

use super::super::support::Meter;
use super::{frexp, scale};
use crate::syntax::ast::Operator;
use crate::value::{R, Ref, Tuple, Value};
use crate::vm::Vm;

/// A sum of floats without loss: non-overlapping partial sums of growing magnitude (Shewchuk).
#[derive(Default)]
pub struct ExactSum {
    partials: Vec<f64>,
    /// Sum of infinities and NaNs, and of the infinities alone.
    special: f64,
    infinities: f64,
    overflowed: bool,
}

impl ExactSum {
    pub fn add(&mut self, number: f64) {
        if !number.is_finite() {
            self.special += number;
            if number.is_infinite() {
                self.infinities += number;
            }
            return;
        }
        let mut x = number;
        let mut kept = 0;
        for index in 0..self.partials.len() {
            let mut y = self.partials[index];
            if x.abs() < y.abs() {
                std::mem::swap(&mut x, &mut y);
            }
            let high = x + y;
            let low = y - (high - x);
            if low != 0.0 {
                self.partials[kept] = low;
                kept += 1;
            }
            x = high;
        }
        self.partials.truncate(kept);
        if x != 0.0 {
            if !x.is_finite() {
                self.overflowed = true;
                self.partials.clear();
                return;
            }
            self.partials.push(x);
        }
    }

    /// The sum, rounded once, half to even.
    pub fn total(&self) -> f64 {
        if self.special != 0.0 || self.special.is_nan() {
            return self.special;
        }
        let mut rest = self.partials.as_slice();
        let Some((&last, before)) = rest.split_last() else { return 0.0 };
        let mut high = last;
        let mut low = 0.0;
        rest = before;
        while let Some((&y, before)) = rest.split_last() {
            let x = high;
            high = x + y;
            low = y - (high - x);
            rest = before;
            if low != 0.0 {
                break;
            }
        }
        // Half way between two floats: the sign of what lies below decides.
        if let Some(&below) = rest.last()
            && ((low < 0.0 && below < 0.0) || (low > 0.0 && below > 0.0))
        {
            let y = low * 2.0;
            let x = high + y;
            if y == x - high {
                high = x;
            }
        }
        high
    }
}

pub fn math_fsum(vm: &Vm, seq: &Value) -> R<f64> {
    let mut sum = ExactSum::default();
    let mut meter = Meter::default();
    vm.for_each(seq, &mut |item| {
        meter.step(vm)?;
        sum.add(vm.to_f64(&item)?);
        if sum.overflowed {
            return Err(vm.overflow_error("intermediate overflow in fsum"));
        }
        Ok(true)
    })?;
    if sum.infinities.is_nan() {
        return Err(vm.value_error("-inf + inf in fsum"));
    }
    Ok(sum.total())
}

pub fn math_prod(vm: &Vm, iterable: &Value, start: &Value) -> R {
    let mut product = if start.is_undef() { Value::Int(1) } else { start.clone() };
    let mut meter = Meter::default();
    vm.for_each(iterable, &mut |item| {
        meter.step(vm)?;
        product = match (&product, &item) {
            (Value::Float(a), Value::Float(b)) => Value::float(f64::from_bits(*a) * f64::from_bits(*b)),
            (a, b) => vm.binary(Operator::Mult, a, b)?,
        };
        Ok(true)
    })?;
    Ok(product)
}

pub fn math_sumprod(vm: &Vm, p: &Value, q: &Value) -> R {
    let (p, q) = (vm.iter(p)?, vm.iter(q)?);
    let mut total = Value::Int(0);
    // Floats (mixed with integers that are exact as floats) are summed without loss for as long as they come.
    let mut exact: Option<ExactSum> = None;
    let mut meter = Meter::default();
    let flush = |exact: &mut Option<ExactSum>, total: &mut Value| -> R<()> {
        if let Some(sum) = exact.take() {
            *total = vm.binary(Operator::Add, total, &Value::float(sum.total()))?;
        }
        Ok(())
    };
    loop {
        meter.step(vm)?;
        let (a, b) = match (vm.next(&p)?, vm.next(&q)?) {
            (Some(a), Some(b)) => (a, b),
            (None, None) => break,
            _ => return Err(vm.value_error("Inputs are not the same length")),
        };
        match (as_float(&a), as_float(&b)) {
            (Some((x, x_float)), Some((y, y_float))) if x_float || y_float => {
                let product = x * y;
                if product.is_finite() {
                    let sum = exact.get_or_insert_default();
                    sum.add(product);
                    sum.add(x.mul_add(y, -product));
                    if !sum.overflowed {
                        continue;
                    }
                }
                flush(&mut exact, &mut total)?;
            }
            _ => flush(&mut exact, &mut total)?,
        }
        let product = vm.binary(Operator::Mult, &a, &b)?;
        total = vm.binary(Operator::Add, &total, &product)?;
    }
    flush(&mut exact, &mut total)?;
    Ok(total)
}

fn as_float(value: &Value) -> Option<(f64, bool)> {
    match value {
        Value::Float(bits) => Some((f64::from_bits(*bits), true)),
        Value::Int(i) if i.unsigned_abs() <= 1 << 53 => Some((*i as f64, false)),
        Value::Bool(b) => Some((*b as f64, false)),
        _ => None,
    }
}

/// The Euclidean norm, scaled against overflow, its sum of squares kept in two floats, its root corrected once.
fn norm(components: &[f64]) -> f64 {
    let largest = components.iter().fold(0.0f64, |max, x| if x.abs() > max { x.abs() } else { max });
    if components.iter().any(|x| x.is_infinite()) {
        return f64::INFINITY;
    }
    if components.iter().any(|x| x.is_nan()) {
        return f64::NAN;
    }
    if largest == 0.0 || components.len() == 1 {
        return largest;
    }
    let (_, exponent) = frexp(largest);
    if exponent < -1023 {
        // Subnormal: scale up first.
        let grown: Vec<f64> = components.iter().map(|x| x / f64::MIN_POSITIVE).collect();
        return f64::MIN_POSITIVE * norm(&grown);
    }
    let (mut sum, mut low) = (1.0f64, 0.0f64);
    let mut parts: Vec<(f64, f64)> = components.iter().map(|x| square(scale(*x, -exponent))).collect();
    let mut add = |parts: &[(f64, f64)]| {
        for (high, rest) in parts {
            let total = sum + high;
            low += (high - (total - sum)) + rest;
            sum = total;
        }
        sum - 1.0 + low
    };
    let root = add(&parts).sqrt();
    let (high, rest) = square(root);
    parts = vec![(-high, -rest)];
    let rest = add(&parts);
    scale(root + rest / (2.0 * root), exponent)
}

/// `x * x` as a float and what rounding it lost.
fn square(x: f64) -> (f64, f64) {
    let high = x * x;
    (high, x.mul_add(x, -high))
}

pub fn math_hypot(vm: &Vm, coordinates: &Ref<Tuple>) -> R<f64> {
    let components: Vec<f64> = coordinates.items().iter().map(|x| vm.to_f64(x)).collect::<R<_>>()?;
    Ok(norm(&components))
}

pub fn math_dist(vm: &Vm, p: &Value, q: &Value) -> R<f64> {
    let points = |value: &Value| match value.as_tuple() {
        Some(items) => Ok(items.to_vec()),
        None => vm.collect(value),
    };
    let (p, q) = (points(p)?, points(q)?);
    if p.len() != q.len() {
        return Err(vm.value_error("both points must have the same number of dimensions"));
    }
    let differences: Vec<f64> = p.iter().zip(&q).map(|(a, b)| Ok((vm.to_f64(a)? - vm.to_f64(b)?).abs())).collect::<R<_>>()?;
    Ok(norm(&differences))
}
