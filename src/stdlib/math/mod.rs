//! `math`: the table of the module, and the functions of one or two floats. Integer functions are in `integer.rs`, sums and norms in
//! `sums.rs`.

mod integer;
mod sums;

use dashu_int::IBig;
use dashu_int::ops::{Abs, BitTest};

use super::support::add;
use crate::native::{ModuleRow, new_module};
use crate::rows;
use crate::value::{BigInt, Module, R, Raised, Ref, Value};
use crate::vm::Vm;
use integer::{math_comb, math_factorial, math_gcd, math_isqrt, math_lcm, math_perm};
use sums::{math_dist, math_fsum, math_hypot, math_prod, math_sumprod};

pub const MODULE: ModuleRow = ModuleRow { name: "math", load };

fn load(vm: &Vm) -> R<Ref<Module>> {
    let module = new_module(
        vm,
        "math",
        "Mathematical functions as defined by the C standard, and some for integers.",
        &rows![
            "acos", "x, /" => math_acos(0);
            "acosh", "x, /" => math_acosh(0);
            "asin", "x, /" => math_asin(0);
            "asinh", "x, /" => math_asinh(0);
            "atan", "x, /" => math_atan(0);
            "atan2", "y, x, /" => math_atan2(0 1);
            "atanh", "x, /" => math_atanh(0);
            "cbrt", "x, /" => math_cbrt(0);
            "ceil", "x, /" => math_ceil(0);
            "comb", "n, k, /" => math_comb(0 1);
            "copysign", "x, y, /" => math_copysign(0 1);
            "cos", "x, /" => math_cos(0);
            "cosh", "x, /" => math_cosh(0);
            "degrees", "x, /" => math_degrees(0);
            "dist", "p, q, /" => math_dist(0 1);
            "erf", "x, /" => math_erf(0);
            "erfc", "x, /" => math_erfc(0);
            "exp", "x, /" => math_exp(0);
            "exp2", "x, /" => math_exp2(0);
            "expm1", "x, /" => math_expm1(0);
            "fabs", "x, /" => math_fabs(0);
            "factorial", "n, /" => math_factorial(0);
            "floor", "x, /" => math_floor(0);
            "fmod", "x, y, /" => math_fmod(0 1);
            "frexp", "x, /" => math_frexp(0);
            "fsum", "seq, /" => math_fsum(0);
            "gamma", "x, /" => math_gamma(0);
            "gcd", "*integers" => math_gcd(0);
            "hypot", "*coordinates" => math_hypot(0);
            "isclose", "a, b, *, rel_tol=1e-09, abs_tol=0.0" => math_isclose(0 1 2 3);
            "isfinite", "x, /" => math_isfinite(0);
            "isinf", "x, /" => math_isinf(0);
            "isnan", "x, /" => math_isnan(0);
            "isqrt", "n, /" => math_isqrt(0);
            "lcm", "*integers" => math_lcm(0);
            "ldexp", "x, i, /" => math_ldexp(0 1);
            "lgamma", "x, /" => math_lgamma(0);
            "log", "x, base=None, /" => math_log(0 1);
            "log10", "x, /" => math_log10(0);
            "log1p", "x, /" => math_log1p(0);
            "log2", "x, /" => math_log2(0);
            "modf", "x, /" => math_modf(0);
            "nextafter", "x, y, /, *, steps=None" => math_nextafter(0 1 2);
            "perm", "n, k=None, /" => math_perm(0 1);
            "pow", "x, y, /" => math_pow(0 1);
            "prod", "iterable, /, *, start=1" => math_prod(0 1);
            "radians", "x, /" => math_radians(0);
            "remainder", "x, y, /" => math_remainder(0 1);
            "sin", "x, /" => math_sin(0);
            "sinh", "x, /" => math_sinh(0);
            "sqrt", "x, /" => math_sqrt(0);
            "sumprod", "p, q, /" => math_sumprod(0 1);
            "tan", "x, /" => math_tan(0);
            "tanh", "x, /" => math_tanh(0);
            "trunc", "x, /" => math_trunc(0);
            "ulp", "x, /" => math_ulp(0);
        ],
    );
    use std::f64::consts;
    for (name, number) in [("pi", consts::PI), ("e", consts::E), ("tau", consts::TAU), ("inf", f64::INFINITY), ("nan", f64::NAN)]
    {
        add(vm, &module, name, Value::float(number));
    }
    Ok(module)
}

#[cold]
#[inline(never)]
fn domain_error(vm: &Vm) -> Raised {
    vm.value_error("math domain error")
}

#[cold]
#[inline(never)]
fn range_error(vm: &Vm) -> Raised {
    vm.overflow_error("math range error")
}

/// A function of one float that never overflows: NaN from a number is a domain error, and so is infinity from a finite one.
#[inline]
fn bounded(vm: &Vm, x: f64, result: f64) -> R<f64> {
    if result.is_finite() || x.is_nan() || (result.is_infinite() && x.is_infinite()) { Ok(result) } else { Err(domain_error(vm)) }
}

/// As `bounded`, for functions that can overflow.
#[inline]
fn ranged(vm: &Vm, x: f64, result: f64) -> R<f64> {
    if result.is_finite() || x.is_nan() {
        return Ok(result);
    }
    if result.is_nan() {
        return Err(domain_error(vm));
    }
    if x.is_finite() { Err(range_error(vm)) } else { Ok(result) }
}

macro_rules! functions {
    ($($check:ident $name:ident: $x:ident => $result:expr;)*) => {
        $(fn $name(vm: &Vm, $x: f64) -> R<f64> {
            $check(vm, $x, $result)
        })*
    };
}

functions! {
    bounded math_acos: x => x.acos();
    bounded math_acosh: x => libm::acosh(x);
    bounded math_asin: x => x.asin();
    bounded math_asinh: x => libm::asinh(x);
    bounded math_atan: x => x.atan();
    bounded math_atanh: x => if x.abs() == 1.0 { f64::NAN } else { libm::atanh(x) };
    bounded math_cbrt: x => x.cbrt();
    bounded math_cos: x => x.cos();
    ranged math_cosh: x => x.cosh();
    bounded math_erf: x => libm::erf(x);
    bounded math_erfc: x => libm::erfc(x);
    ranged math_exp: x => x.exp();
    ranged math_exp2: x => x.exp2();
    ranged math_expm1: x => x.exp_m1();
    bounded math_fabs: x => x.abs();
    bounded math_log1p: x => if x <= -1.0 { f64::NAN } else { x.ln_1p() };
    bounded math_sin: x => x.sin();
    ranged math_sinh: x => x.sinh();
    bounded math_sqrt: x => x.sqrt();
    bounded math_tan: x => x.tan();
    bounded math_tanh: x => x.tanh();
}

fn math_atan2(_vm: &Vm, y: f64, x: f64) -> f64 {
    y.atan2(x)
}

fn math_copysign(_vm: &Vm, x: f64, y: f64) -> f64 {
    x.copysign(y)
}

fn math_degrees(_vm: &Vm, x: f64) -> f64 {
    x * (180.0 / std::f64::consts::PI)
}

fn math_radians(_vm: &Vm, x: f64) -> f64 {
    x * (std::f64::consts::PI / 180.0)
}

fn math_isfinite(_vm: &Vm, x: f64) -> bool {
    x.is_finite()
}

fn math_isinf(_vm: &Vm, x: f64) -> bool {
    x.is_infinite()
}

fn math_isnan(_vm: &Vm, x: f64) -> bool {
    x.is_nan()
}

fn math_isclose(vm: &Vm, a: f64, b: f64, rel_tol: Option<f64>, abs_tol: Option<f64>) -> R<bool> {
    let (rel, abs) = (rel_tol.unwrap_or(1e-9), abs_tol.unwrap_or(0.0));
    if rel < 0.0 || abs < 0.0 {
        return Err(vm.value_error("tolerances must be non-negative"));
    }
    if a == b {
        return Ok(true);
    }
    if a.is_infinite() || b.is_infinite() {
        return Ok(false);
    }
    let difference = (b - a).abs();
    Ok(difference <= (rel * b).abs() || difference <= (rel * a).abs() || difference <= abs)
}

fn math_fmod(vm: &Vm, x: f64, y: f64) -> R<f64> {
    let result = x % y;
    if result.is_nan() && !x.is_nan() && !y.is_nan() { Err(domain_error(vm)) } else { Ok(result) }
}

fn math_remainder(vm: &Vm, x: f64, y: f64) -> R<f64> {
    if x.is_nan() || y.is_nan() {
        return Ok(x + y);
    }
    if x.is_infinite() || y == 0.0 {
        return Err(domain_error(vm));
    }
    if y.is_infinite() {
        return Ok(x);
    }
    let (absx, absy) = (x.abs(), y.abs());
    let rest = absx % absy;
    let other = absy - rest;
    let result = if rest < other {
        rest
    } else if rest > other {
        -other
    } else {
        // Half way: towards the even multiple.
        rest - 2.0 * ((0.5 * (absx - rest)) % absy)
    };
    Ok(1.0f64.copysign(x) * result)
}

fn math_pow(vm: &Vm, x: f64, y: f64) -> R<f64> {
    let result = x.powf(y);
    if result.is_finite() || !x.is_finite() || !y.is_finite() {
        return Ok(result);
    }
    if result.is_nan() || x == 0.0 { Err(domain_error(vm)) } else { Err(range_error(vm)) }
}

fn math_gamma(vm: &Vm, x: f64) -> R<f64> {
    if x == f64::NEG_INFINITY || x == 0.0 || (x < 0.0 && x == x.floor()) {
        return Err(domain_error(vm));
    }
    ranged(vm, x, libm::tgamma(x))
}

fn math_lgamma(vm: &Vm, x: f64) -> R<f64> {
    if x.is_infinite() {
        return Ok(f64::INFINITY);
    }
    if x <= 0.0 && x == x.floor() {
        return Err(domain_error(vm));
    }
    ranged(vm, x, libm::lgamma(x))
}

/// `x` as a fraction in [0.5, 1) and a power of two.
fn frexp(x: f64) -> (f64, i64) {
    if x == 0.0 || !x.is_finite() {
        return (x, 0);
    }
    let (fraction, exponent) = libm::frexp(x);
    (fraction, i64::from(exponent))
}

fn math_frexp(_vm: &Vm, x: f64) -> (f64, i64) {
    frexp(x)
}

/// `x * 2**exponent`, rounded once.
pub(super) fn scale(x: f64, exponent: i64) -> f64 {
    libm::ldexp(x, exponent.clamp(-3000, 3000) as i32)
}

fn math_ldexp(vm: &Vm, x: f64, exponent: &Value) -> R<f64> {
    let exponent = match exponent {
        Value::Int(i) => *i,
        Value::Bool(b) => *b as i64,
        value => match value.payload::<BigInt>() {
            Some(big) if big.0 > IBig::ZERO => i64::MAX,
            Some(_) => i64::MIN,
            None => match value.unwrapped() {
                Value::Int(i) => *i,
                _ => return Err(vm.type_error("Expected an int as second argument to ldexp.")),
            },
        },
    };
    if x == 0.0 || !x.is_finite() {
        return Ok(x);
    }
    let result = scale(x, exponent);
    if result.is_infinite() { Err(range_error(vm)) } else { Ok(result) }
}

fn math_modf(_vm: &Vm, x: f64) -> (f64, f64) {
    if x.is_infinite() {
        return (0.0f64.copysign(x), x);
    }
    if x.is_nan() {
        return (x, x);
    }
    let whole = x.trunc();
    ((x - whole).copysign(x), whole)
}

/// The logarithm of an integer beyond the floats: `ln` or one of its kin of the leading bits, plus the rest's share.
fn big_log(big: &IBig, log: fn(f64) -> f64) -> f64 {
    let float = big.to_f64().value();
    if float.is_finite() {
        return log(float);
    }
    let shift = big.clone().abs().bit_len() - 64;
    let (fraction, exponent) = frexp((big >> shift).to_f64().value());
    log(fraction) + log(2.0) * (exponent as f64 + shift as f64)
}

fn log_of(vm: &Vm, x: &Value, log: fn(f64) -> f64) -> R<f64> {
    if let Some(big) = x.payload::<BigInt>() {
        return if big.0 > IBig::ZERO { Ok(big_log(&big.0, log)) } else { Err(domain_error(vm)) };
    }
    let x = vm.to_f64(x)?;
    if x.is_nan() || x == f64::INFINITY {
        return Ok(x);
    }
    if x > 0.0 { Ok(log(x)) } else { Err(domain_error(vm)) }
}

fn math_log(vm: &Vm, x: &Value, base: &Value) -> R<f64> {
    let numerator = log_of(vm, x, f64::ln)?;
    if base.is_undef() {
        return Ok(numerator);
    }
    let denominator = log_of(vm, base, f64::ln)?;
    if denominator == 0.0 { Err(vm.zero_division_error("float division by zero")) } else { Ok(numerator / denominator) }
}

fn math_log2(vm: &Vm, x: &Value) -> R<f64> {
    log_of(vm, x, f64::log2)
}

fn math_log10(vm: &Vm, x: &Value) -> R<f64> {
    log_of(vm, x, f64::log10)
}

/// `floor(x)` and its kin: through the special method, else of the float.
fn rounded(vm: &Vm, x: &Value, special: &Ref<crate::value::Str>, round: fn(f64) -> f64) -> R {
    if let Value::Float(bits) = x {
        return integral(vm, round(f64::from_bits(*bits)));
    }
    if let Value::Int(_) = x {
        return Ok(x.clone());
    }
    if let Some(result) = vm.call_special(x, special, &[])? {
        return Ok(result);
    }
    let x = vm.to_f64(x)?;
    integral(vm, round(x))
}

/// A float without fraction as an integer.
fn integral(vm: &Vm, x: f64) -> R {
    if x.abs() < 9.2e18 {
        return Ok(Value::Int(x as i64));
    }
    match IBig::try_from(x) {
        Ok(big) => Ok(vm.heap.int(big)),
        Err(_) if x.is_nan() => Err(vm.value_error("cannot convert float NaN to integer")),
        Err(_) => Err(vm.overflow_error("cannot convert float infinity to integer")),
    }
}

fn math_floor(vm: &Vm, x: &Value) -> R {
    rounded(vm, x, &vm.n.__floor__, f64::floor)
}

fn math_ceil(vm: &Vm, x: &Value) -> R {
    rounded(vm, x, &vm.n.__ceil__, f64::ceil)
}

fn math_trunc(vm: &Vm, x: &Value) -> R {
    if let Value::Float(bits) = x {
        return integral(vm, f64::from_bits(*bits).trunc());
    }
    match vm.call_special(x, &vm.n.__trunc__, &[])? {
        Some(result) => Ok(result),
        None => Err(vm.type_error(format!("type {} doesn't define __trunc__ method", vm.class_of(x).name().as_str()))),
    }
}

/// The place of a float in the order of all floats.
fn rank(x: f64) -> i64 {
    let bits = x.to_bits() as i64;
    if bits < 0 { i64::MIN - bits } else { bits }
}

fn math_nextafter(vm: &Vm, x: f64, y: f64, steps: &Value) -> R<f64> {
    let steps = match steps {
        Value::Undef | Value::None => 1,
        value => match vm.index(value)? {
            Value::Int(i) if i < 0 => return Err(vm.value_error("steps must be a non-negative integer")),
            Value::Int(i) => i,
            big => match big.downcast::<BigInt>() {
                Some(big) if big.0 < IBig::ZERO => return Err(vm.value_error("steps must be a non-negative integer")),
                _ => i64::MAX,
            },
        },
    };
    if steps == 0 || x.is_nan() {
        return Ok(x);
    }
    if y.is_nan() {
        return Ok(y);
    }
    if x == y {
        return Ok(y);
    }
    let (from, to) = (i128::from(rank(x)), i128::from(rank(y)));
    let at = if from < to { (from + i128::from(steps)).min(to) } else { (from - i128::from(steps)).max(to) };
    if at == to {
        return Ok(y);
    }
    let at = at as i64;
    if at == 0 {
        return Ok(0.0f64.copysign(if from < to { -1.0 } else { 1.0 }));
    }
    Ok(f64::from_bits(if at < 0 { (i64::MIN - at) as u64 } else { at as u64 }))
}

fn math_ulp(_vm: &Vm, x: f64) -> f64 {
    let x = x.abs();
    if !x.is_finite() {
        return x;
    }
    if x == f64::MAX { x - x.next_down() } else { x.next_up() - x }
}
