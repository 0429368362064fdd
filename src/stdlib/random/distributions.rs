//! Distributions: the methods of a generator that give floats (and `binomialvariate`). The formulas are the published ones in the
//! order that CPython evaluates them, since a seeded program's numbers must agree to the last bit.

use std::f64::consts::{E, PI, TAU};

use super::Rng;
use crate::syntax::ast::Operator;
use crate::value::{R, Ref, Value};
use crate::vm::Vm;

/// `4 * exp(-0.5) / sqrt(2)`.
const NV_MAGIC: f64 = 1.715_527_769_921_413_5;
/// `log(4)`.
const LOG_4: f64 = 1.386_294_361_119_890_6;
/// `1 + log(4.5)`.
const SG_MAGIC: f64 = 2.504_077_396_776_274;

fn zero_division(vm: &Vm) -> crate::value::Raised {
    vm.zero_division_error("float division by zero")
}

pub fn uniform(vm: &Vm, rng: &Ref<Rng>, a: &Value, b: &Value) -> R {
    let share = rng.float(vm)?;
    let width = vm.binary(Operator::Sub, b, a)?;
    let part = vm.binary(Operator::Mult, &width, &Value::float(share))?;
    vm.binary(Operator::Add, a, &part)
}

pub fn triangular(vm: &Vm, rng: &Ref<Rng>, low: Option<f64>, high: Option<f64>, mode: Option<f64>) -> R<f64> {
    let (mut low, mut high) = (low.unwrap_or(0.0), high.unwrap_or(1.0));
    let mut u = rng.float(vm)?;
    let mut c = match mode {
        None => 0.5,
        Some(_) if high == low => return Ok(low),
        Some(mode) => (mode - low) / (high - low),
    };
    if u > c {
        u = 1.0 - u;
        c = 1.0 - c;
        std::mem::swap(&mut low, &mut high);
    }
    Ok(low + (high - low) * (u * c).sqrt())
}

fn normal(vm: &Vm, rng: &Ref<Rng>, mu: f64, sigma: f64) -> R<f64> {
    loop {
        let u1 = rng.float(vm)?;
        let u2 = 1.0 - rng.float(vm)?;
        let z = NV_MAGIC * (u1 - 0.5) / u2;
        if z * z / 4.0 <= -u2.ln() {
            return Ok(mu + z * sigma);
        }
    }
}

pub fn normalvariate(vm: &Vm, rng: &Ref<Rng>, mu: Option<f64>, sigma: Option<f64>) -> R<f64> {
    normal(vm, rng, mu.unwrap_or(0.0), sigma.unwrap_or(1.0))
}

pub fn gauss(vm: &Vm, rng: &Ref<Rng>, mu: Option<f64>, sigma: Option<f64>) -> R<f64> {
    let z = match rng.gauss_next.take() {
        Some(z) => z,
        None => {
            let angle = rng.float(vm)? * TAU;
            let radius = (-2.0 * (1.0 - rng.float(vm)?).ln()).sqrt();
            rng.gauss_next.set(Some(angle.sin() * radius));
            angle.cos() * radius
        }
    };
    Ok(mu.unwrap_or(0.0) + z * sigma.unwrap_or(1.0))
}

pub fn lognormvariate(vm: &Vm, rng: &Ref<Rng>, mu: f64, sigma: f64) -> R<f64> {
    let result = normal(vm, rng, mu, sigma)?.exp();
    if result.is_infinite() { Err(vm.overflow_error("math range error")) } else { Ok(result) }
}

pub fn expovariate(vm: &Vm, rng: &Ref<Rng>, lambd: Option<f64>) -> R<f64> {
    let lambd = lambd.unwrap_or(1.0);
    let log = -(1.0 - rng.float(vm)?).ln();
    if lambd == 0.0 { Err(zero_division(vm)) } else { Ok(log / lambd) }
}

/// `x % TAU` as scripts have it: never negative.
fn modulo_tau(x: f64) -> f64 {
    let rest = x % TAU;
    if rest < 0.0 { rest + TAU } else { rest }
}

pub fn vonmisesvariate(vm: &Vm, rng: &Ref<Rng>, mu: f64, kappa: f64) -> R<f64> {
    if kappa <= 1e-6 {
        return Ok(TAU * rng.float(vm)?);
    }
    let s = 0.5 / kappa;
    let r = s + (1.0 + s * s).sqrt();
    let z = loop {
        let z = (PI * rng.float(vm)?).cos();
        let d = z / (r + z);
        let u = rng.float(vm)?;
        if u < 1.0 - d * d || u <= (1.0 - d) * d.exp() {
            break z;
        }
    };
    let q = 1.0 / r;
    let f = (q + z) / (1.0 + q * z);
    Ok(if rng.float(vm)? > 0.5 { modulo_tau(mu + f.acos()) } else { modulo_tau(mu - f.acos()) })
}

fn gamma(vm: &Vm, rng: &Ref<Rng>, alpha: f64, beta: f64) -> R<f64> {
    if alpha <= 0.0 || beta <= 0.0 {
        return Err(vm.value_error("gammavariate: alpha and beta must be > 0.0"));
    }
    if alpha > 1.0 {
        let ainv = (2.0 * alpha - 1.0).sqrt();
        let (bbb, ccc) = (alpha - LOG_4, alpha + ainv);
        loop {
            let u1 = rng.float(vm)?;
            if !(1e-7 < u1 && u1 < 0.999_999_9) {
                continue;
            }
            let u2 = 1.0 - rng.float(vm)?;
            let v = (u1 / (1.0 - u1)).ln() / ainv;
            let x = alpha * v.exp();
            let z = u1 * u1 * u2;
            let r = bbb + ccc * v - x;
            if r + SG_MAGIC - 4.5 * z >= 0.0 || r >= z.ln() {
                return Ok(x * beta);
            }
        }
    }
    if alpha == 1.0 {
        return Ok(-(1.0 - rng.float(vm)?).ln() * beta);
    }
    loop {
        let u = rng.float(vm)?;
        let b = (E + alpha) / E;
        let p = b * u;
        let x = if p <= 1.0 { p.powf(1.0 / alpha) } else { -((b - p) / alpha).ln() };
        let u1 = rng.float(vm)?;
        if p > 1.0 {
            if u1 <= x.powf(alpha - 1.0) {
                return Ok(x * beta);
            }
        } else if u1 <= (-x).exp() {
            return Ok(x * beta);
        }
    }
}

pub fn gammavariate(vm: &Vm, rng: &Ref<Rng>, alpha: f64, beta: f64) -> R<f64> {
    gamma(vm, rng, alpha, beta)
}

pub fn betavariate(vm: &Vm, rng: &Ref<Rng>, alpha: f64, beta: f64) -> R<f64> {
    let y = gamma(vm, rng, alpha, 1.0)?;
    if y == 0.0 { Ok(0.0) } else { Ok(y / (y + gamma(vm, rng, beta, 1.0)?)) }
}

pub fn paretovariate(vm: &Vm, rng: &Ref<Rng>, alpha: f64) -> R<f64> {
    let u = 1.0 - rng.float(vm)?;
    if alpha == 0.0 { Err(zero_division(vm)) } else { Ok(u.powf(-1.0 / alpha)) }
}

pub fn weibullvariate(vm: &Vm, rng: &Ref<Rng>, alpha: f64, beta: f64) -> R<f64> {
    let u = 1.0 - rng.float(vm)?;
    if beta == 0.0 { Err(zero_division(vm)) } else { Ok(alpha * (-u.ln()).powf(1.0 / beta)) }
}

pub fn binomialvariate(vm: &Vm, rng: &Ref<Rng>, n: Option<i64>, p: Option<f64>) -> R<i64> {
    let (n, p) = (n.unwrap_or(1), p.unwrap_or(0.5));
    if n < 0 {
        return Err(vm.value_error("n must be non-negative"));
    }
    if !(p > 0.0 && p < 1.0) {
        return match p {
            0.0 => Ok(0),
            1.0 => Ok(n),
            _ => Err(vm.value_error("p must be in the range 0.0 <= p <= 1.0")),
        };
    }
    if n == 1 {
        return Ok(i64::from(rng.float(vm)? < p));
    }
    if p > 0.5 { Ok(n - binomial(vm, rng, n, 1.0 - p)?) } else { binomial(vm, rng, n, p) }
}

/// For `p` up to one half: by waiting times when few are expected, else by rejection (Hörmann's BTRS).
fn binomial(vm: &Vm, rng: &Ref<Rng>, n: i64, p: f64) -> R<i64> {
    let count = n as f64;
    if count * p < 10.0 {
        let (mut x, mut y) = (0, 0.0);
        let c = (1.0 - p).log2();
        if c == 0.0 {
            return Ok(x);
        }
        loop {
            y += (rng.float(vm)?.log2() / c).floor() + 1.0;
            if y > count {
                return Ok(x);
            }
            x += 1;
        }
    }
    let spq = (count * p * (1.0 - p)).sqrt();
    let b = 1.15 + 2.53 * spq;
    let a = -0.0873 + 0.0248 * b + 0.01 * p;
    let c = count * p + 0.5;
    let vr = 0.92 - 4.2 / b;
    let alpha = (2.83 + 5.1 / b) * spq;
    let lpq = (p / (1.0 - p)).ln();
    let m = ((count + 1.0) * p).floor();
    let h = libm::lgamma(m + 1.0) + libm::lgamma(count - m + 1.0);
    loop {
        let u = rng.float(vm)? - 0.5;
        let us = 0.5 - u.abs();
        let k = ((2.0 * a / us + b) * u + c).floor();
        if k < 0.0 || k > count {
            continue;
        }
        let mut v = rng.float(vm)?;
        if us >= 0.07 && v <= vr {
            return Ok(k as i64);
        }
        v *= alpha / (a / (us * us) + b);
        if v.ln() <= h - libm::lgamma(k + 1.0) - libm::lgamma(count - k + 1.0) + (k - m) * lpq {
            return Ok(k as i64);
        }
    }
}
