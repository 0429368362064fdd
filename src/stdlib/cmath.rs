//! `cmath`: functions of complex numbers. For finite numbers they follow Kahan ("Branch Cuts for Complex Elementary Functions"),
//! for infinities and NaN annex G of the C standard.

use std::f64::consts::{E, FRAC_PI_2};
use std::f64::consts::{LN_2, LN_10, PI, TAU};

use super::support::add;
use crate::builtins::complex::number;
use crate::native::{FromValue, ModuleRow, new_module};
use crate::rows;
use crate::value::{Complex, Module, R, Raised, Ref, Value};
use crate::vm::Vm;

pub const MODULE: ModuleRow = ModuleRow { name: "cmath", load };

fn load(vm: &Vm) -> R<Ref<Module>> {
    let module = new_module(
        vm,
        "cmath",
        "Mathematical functions of complex numbers.",
        &rows![
            "acos", "z, /" => cmath_acos(0);
            "acosh", "z, /" => cmath_acosh(0);
            "asin", "z, /" => cmath_asin(0);
            "asinh", "z, /" => cmath_asinh(0);
            "atan", "z, /" => cmath_atan(0);
            "atanh", "z, /" => cmath_atanh(0);
            "cos", "z, /" => cmath_cos(0);
            "cosh", "z, /" => cmath_cosh(0);
            "exp", "z, /" => cmath_exp(0);
            "isclose", "a, b, *, rel_tol=1e-09, abs_tol=0.0" => cmath_isclose(0 1 2 3);
            "isfinite", "z, /" => cmath_isfinite(0);
            "isinf", "z, /" => cmath_isinf(0);
            "isnan", "z, /" => cmath_isnan(0);
            "log", "z, base=None, /" => cmath_log(0 1);
            "log10", "z, /" => cmath_log10(0);
            "phase", "z, /" => cmath_phase(0);
            "polar", "z, /" => cmath_polar(0);
            "rect", "r, phi, /" => cmath_rect(0 1);
            "sin", "z, /" => cmath_sin(0);
            "sinh", "z, /" => cmath_sinh(0);
            "sqrt", "z, /" => cmath_sqrt(0);
            "tan", "z, /" => cmath_tan(0);
            "tanh", "z, /" => cmath_tanh(0);
        ],
    );
    for (name, number) in [("e", E), ("pi", PI), ("tau", TAU), ("inf", f64::INFINITY), ("nan", f64::NAN)] {
        add(vm, &module, name, Value::float(number));
    }
    for (name, imag) in [("infj", f64::INFINITY), ("nanj", f64::NAN)] {
        add(vm, &module, name, Value::from(vm.heap.complex(Complex::new(0.0, imag))));
    }
    Ok(module)
}

/// Beyond this, squares and sums of parts might overflow.
const LARGE: f64 = f64::MAX / 4.0;
const INFINITY: f64 = f64::INFINITY;
const NEG_INFINITY: f64 = f64::NEG_INFINITY;
const NAN: f64 = f64::NAN;

/// Any number, as an argument.
struct Z(Complex);

impl<'a> FromValue<'a> for Z {
    fn from_value(vm: &Vm, value: &'a Value) -> R<Self> {
        match number(vm, value)? {
            Some(number) => Ok(Z(number)),
            None => {
                let given = vm.class_of(value).name();
                Err(vm.type_error(format!("must be real number, not {}", given.as_str())))
            }
        }
    }
}

/// What a function has for an argument.
enum Outcome {
    Value(Complex),
    /// The argument is none the function is defined for.
    Domain,
}
use Outcome::{Domain, Value as Is};

fn is(real: f64, imag: f64) -> Outcome {
    Is(Complex::new(real, imag))
}

fn domain_error(vm: &Vm) -> Raised {
    vm.value_error("math domain error")
}

/// The result of a function that cannot overflow.
fn bounded(vm: &Vm, outcome: Outcome) -> R {
    match outcome {
        Is(number) => Ok(Value::from(vm.heap.complex(number))),
        Domain => Err(domain_error(vm)),
    }
}

/// The result of a function of `z` that has overflowed if it is infinite for a finite number.
fn ranged(vm: &Vm, z: Complex, outcome: Outcome) -> R {
    match &outcome {
        Is(number) if z.is_finite() && (number.real.is_infinite() || number.imag.is_infinite()) => {
            Err(vm.overflow_error("math range error"))
        }
        _ => bounded(vm, outcome),
    }
}

/// `z` times the imaginary unit.
fn turned(z: Complex) -> Complex {
    Complex::new(-z.imag, z.real)
}

/// `z` divided by the imaginary unit.
fn turned_back(z: Complex) -> Complex {
    Complex::new(z.imag, -z.real)
}

impl Outcome {
    fn turned_back(self) -> Outcome {
        match self {
            Is(z) => Is(turned_back(z)),
            Domain => Domain,
        }
    }
}

fn sqrt(z: Complex) -> Complex {
    if !z.is_finite() {
        return match (z.real, z.imag) {
            (_, imag) if imag.is_infinite() => Complex::new(INFINITY, imag),
            (real, imag) if real == INFINITY => Complex::new(INFINITY, if imag.is_nan() { NAN } else { 0.0f64.copysign(imag) }),
            (real, imag) if real == -INFINITY && imag.is_nan() => Complex::new(NAN, INFINITY),
            (real, imag) if real == -INFINITY => Complex::new(0.0, INFINITY.copysign(imag)),
            _ => Complex::new(NAN, NAN),
        };
    }
    if z.real == 0.0 && z.imag == 0.0 {
        return Complex::new(0.0, z.imag);
    }
    let (x, y) = (z.real.abs(), z.imag.abs());
    let s = if x < f64::MIN_POSITIVE && y < f64::MIN_POSITIVE {
        // Scaled up, so that subnormal numbers keep their digits.
        let x = libm::ldexp(x, 54);
        libm::ldexp(((x + libm::hypot(x, libm::ldexp(y, 54))) / 2.0).sqrt(), -27)
    } else {
        let x = x / 8.0;
        2.0 * (x + libm::hypot(x, y / 8.0)).sqrt()
    };
    let d = y / (2.0 * s);
    if z.real >= 0.0 { Complex::new(s, d.copysign(z.imag)) } else { Complex::new(d, s.copysign(z.imag)) }
}

fn cmath_sqrt(vm: &Vm, z: Z) -> R {
    bounded(vm, Is(sqrt(z.0)))
}

fn is_large(z: Complex) -> bool {
    z.real.abs() > LARGE || z.imag.abs() > LARGE
}

/// The logarithm of twice the magnitude of a large number.
fn log_twice(z: Complex) -> f64 {
    libm::hypot(z.real / 2.0, z.imag / 2.0).ln() + LN_2 * 2.0
}

fn one_minus(z: Complex) -> Complex {
    Complex::new(1.0 - z.real, -z.imag)
}

fn one_plus(z: Complex) -> Complex {
    Complex::new(1.0 + z.real, z.imag)
}

fn acos(z: Complex) -> Complex {
    if z.real.is_nan() || z.imag.is_nan() {
        return match (z.real, z.imag) {
            (real, imag) if imag.is_infinite() => Complex::new(real, -imag),
            (real, _) if real.is_infinite() => Complex::new(NAN, INFINITY),
            (0.0, _) => Complex::new(FRAC_PI_2, NAN),
            _ => Complex::new(NAN, NAN),
        };
    }
    if !z.is_finite() {
        return Complex::new(z.imag.abs().atan2(z.real), -INFINITY.copysign(z.imag));
    }
    if is_large(z) {
        return Complex::new(z.imag.abs().atan2(z.real), log_twice(z).copysign(-z.imag));
    }
    let (s1, s2) = (sqrt(one_minus(z)), sqrt(one_plus(z)));
    Complex::new(2.0 * s1.real.atan2(s2.real), libm::asinh(s2.real * s1.imag - s2.imag * s1.real))
}

fn cmath_acos(vm: &Vm, z: Z) -> R {
    bounded(vm, Is(acos(z.0)))
}

fn acosh(z: Complex) -> Complex {
    if z.real.is_nan() || z.imag.is_nan() {
        return match (z.real, z.imag) {
            (real, imag) if real.is_infinite() || imag.is_infinite() => Complex::new(INFINITY, NAN),
            _ => Complex::new(NAN, NAN),
        };
    }
    if !z.is_finite() {
        return Complex::new(INFINITY, z.imag.atan2(z.real));
    }
    if is_large(z) {
        return Complex::new(log_twice(z), z.imag.atan2(z.real));
    }
    let (s1, s2) = (sqrt(Complex::new(z.real - 1.0, z.imag)), sqrt(one_plus(z)));
    Complex::new(libm::asinh(s1.real * s2.real + s1.imag * s2.imag), 2.0 * s1.imag.atan2(s2.real))
}

fn cmath_acosh(vm: &Vm, z: Z) -> R {
    bounded(vm, Is(acosh(z.0)))
}

fn asinh(z: Complex) -> Complex {
    if z.real.is_nan() || z.imag.is_nan() {
        return match (z.real, z.imag) {
            (real, _) if real.is_infinite() => Complex::new(real, NAN),
            (_, imag) if imag.is_infinite() => Complex::new(INFINITY, NAN),
            (real, imag) if real.is_nan() && imag == 0.0 => Complex::new(NAN, imag),
            _ => Complex::new(NAN, NAN),
        };
    }
    if !z.is_finite() {
        return Complex::new(INFINITY.copysign(z.real), z.imag.atan2(z.real.abs()));
    }
    if is_large(z) {
        return Complex::new(log_twice(z).copysign(z.real), z.imag.atan2(z.real.abs()));
    }
    let (s1, s2) = (sqrt(Complex::new(1.0 + z.imag, -z.real)), sqrt(Complex::new(1.0 - z.imag, z.real)));
    Complex::new(libm::asinh(s1.real * s2.imag - s2.real * s1.imag), z.imag.atan2(s1.real * s2.real - s1.imag * s2.imag))
}

fn cmath_asinh(vm: &Vm, z: Z) -> R {
    bounded(vm, Is(asinh(z.0)))
}

fn cmath_asin(vm: &Vm, z: Z) -> R {
    bounded(vm, Is(turned_back(asinh(turned(z.0)))))
}

fn atanh(z: Complex) -> Outcome {
    // Odd: the right half-plane is enough.
    if z.real.is_sign_negative() && !z.real.is_nan() {
        return match atanh(-z) {
            Is(result) => Is(-result),
            Domain => Domain,
        };
    }
    if z.real.is_nan() || z.imag.is_nan() {
        return match (z.real, z.imag) {
            (_, imag) if imag.is_infinite() => is(0.0, FRAC_PI_2.copysign(imag)),
            (real, _) if real.is_infinite() || real == 0.0 => is(0.0, NAN),
            _ => is(NAN, NAN),
        };
    }
    if !z.is_finite() {
        return is(0.0, FRAC_PI_2.copysign(z.imag));
    }
    let y = z.imag.abs();
    if z.real > LARGE.sqrt() || y > LARGE.sqrt() {
        let h = libm::hypot(z.real / 2.0, z.imag / 2.0);
        return is(z.real / 4.0 / h / h, FRAC_PI_2.copysign(z.imag));
    }
    if z.real == 1.0 && y < f64::MIN_POSITIVE.sqrt() {
        if y == 0.0 {
            return Domain;
        }
        return is(-(y.sqrt() / libm::hypot(y, 2.0).sqrt()).ln(), (2f64.atan2(-y) / 2.0).copysign(z.imag));
    }
    let away = 1.0 - z.real;
    is((4.0 * z.real / (away * away + y * y)).ln_1p() / 4.0, -(-2.0 * z.imag).atan2(away * (1.0 + z.real) - y * y) / 2.0)
}

fn cmath_atanh(vm: &Vm, z: Z) -> R {
    bounded(vm, atanh(z.0))
}

fn cmath_atan(vm: &Vm, z: Z) -> R {
    bounded(vm, atanh(turned(z.0)).turned_back())
}

/// A length and an angle as a number, where the angle is finite and one that is 0 stays so.
fn directed(length: f64, angle: f64) -> Outcome {
    is(length * angle.cos(), if angle == 0.0 { angle } else { length * angle.sin() })
}

/// The largest argument of `exp` whose result is surely finite.
fn exp_limit() -> f64 {
    LARGE.ln()
}

fn exp(z: Complex) -> Outcome {
    if !z.is_finite() {
        return match (z.real, z.imag) {
            (NEG_INFINITY, imag) if imag.is_finite() => is(0.0f64.copysign(imag.cos()), 0.0f64.copysign(imag.sin())),
            (NEG_INFINITY, _) => is(0.0, 0.0),
            (INFINITY, imag) if imag.is_nan() => is(INFINITY, NAN),
            (INFINITY, imag) if imag.is_finite() => directed(INFINITY, imag),
            (real, imag) if real.is_nan() && imag == 0.0 => is(NAN, imag),
            (real, imag) if !real.is_nan() && imag.is_infinite() => Domain,
            _ => is(NAN, NAN),
        };
    }
    if z.real > exp_limit() {
        // In two steps: the parts may be smaller than the length.
        let length = (z.real - 1.0).exp();
        return is(length * z.imag.cos() * E, length * z.imag.sin() * E);
    }
    let length = z.real.exp();
    is(length * z.imag.cos(), length * z.imag.sin())
}

fn cmath_exp(vm: &Vm, z: Z) -> R {
    ranged(vm, z.0, exp(z.0))
}

fn cosh(z: Complex) -> Outcome {
    // Even: the right half-plane is enough.
    if z.real.is_sign_negative() && !z.real.is_nan() {
        return cosh(-z);
    }
    if !z.is_finite() {
        return match (z.real, z.imag) {
            (real, imag) if !real.is_nan() && imag.is_infinite() => Domain,
            (INFINITY, imag) if imag.is_nan() => is(INFINITY, NAN),
            (INFINITY, imag) => directed(INFINITY, imag),
            (real, imag) if real == 0.0 || imag == 0.0 => is(NAN, 0.0),
            _ => is(NAN, NAN),
        };
    }
    if z.real > exp_limit() {
        let less = z.real - 1.0;
        return is(z.imag.cos() * less.cosh() * E, z.imag.sin() * less.sinh() * E);
    }
    is(z.imag.cos() * z.real.cosh(), z.imag.sin() * z.real.sinh())
}

fn cmath_cosh(vm: &Vm, z: Z) -> R {
    ranged(vm, z.0, cosh(z.0))
}

fn cmath_cos(vm: &Vm, z: Z) -> R {
    ranged(vm, z.0, cosh(turned(z.0)))
}

fn sinh(z: Complex) -> Outcome {
    if !z.is_finite() {
        return match (z.real, z.imag) {
            (real, imag) if !real.is_nan() && imag.is_infinite() => Domain,
            (real, imag) if real.is_infinite() && imag.is_nan() => is(INFINITY, NAN),
            (real, imag) if real.is_infinite() => match directed(INFINITY, imag) {
                Is(found) => is(found.real * 1f64.copysign(real), found.imag),
                Domain => Domain,
            },
            (real, imag) if real.is_nan() && imag == 0.0 => is(NAN, imag),
            (0.0, _) => is(0.0, NAN),
            _ => is(NAN, NAN),
        };
    }
    if z.real.abs() > exp_limit() {
        let less = z.real - 1f64.copysign(z.real);
        return is(z.imag.cos() * less.sinh() * E, z.imag.sin() * less.cosh() * E);
    }
    is(z.imag.cos() * z.real.sinh(), z.imag.sin() * z.real.cosh())
}

fn cmath_sinh(vm: &Vm, z: Z) -> R {
    ranged(vm, z.0, sinh(z.0))
}

fn cmath_sin(vm: &Vm, z: Z) -> R {
    ranged(vm, z.0, sinh(turned(z.0)).turned_back())
}

fn tanh(z: Complex) -> Outcome {
    // Odd and mirrored: the sign of the real part is put back at the end.
    let sign = 1f64.copysign(z.real);
    if !z.is_finite() {
        return match (z.real, z.imag) {
            (real, imag) if real.is_finite() && imag.is_infinite() => Domain,
            (real, imag) if real.is_infinite() && imag.is_finite() => is(sign, 0.0f64.copysign(2.0 * imag.sin() * imag.cos())),
            (real, _) if real.is_infinite() => is(sign, 0.0),
            (real, imag) if real.is_nan() && imag == 0.0 => is(NAN, imag),
            _ => is(NAN, NAN),
        };
    }
    if z.real.abs() > exp_limit() {
        return is(sign, 4.0 * z.imag.sin() * z.imag.cos() * (-2.0 * z.real.abs()).exp());
    }
    let (x, y) = (z.real.tanh(), z.imag.tan());
    let c = 1.0 / z.real.cosh();
    let product = x * y;
    let below = 1.0 + product * product;
    is(x * (1.0 + y * y) / below, ((y / below) * c) * c)
}

fn cmath_tanh(vm: &Vm, z: Z) -> R {
    bounded(vm, tanh(z.0))
}

fn cmath_tan(vm: &Vm, z: Z) -> R {
    bounded(vm, tanh(turned(z.0)).turned_back())
}

fn log(z: Complex) -> Outcome {
    let angle = z.imag.atan2(z.real);
    if !z.is_finite() {
        let infinite = z.real.is_infinite() || z.imag.is_infinite();
        return is(if infinite { INFINITY } else { NAN }, angle);
    }
    let (x, y) = (z.real.abs(), z.imag.abs());
    let length = if is_large(z) {
        libm::hypot(x / 2.0, y / 2.0).ln() + LN_2
    } else if x < f64::MIN_POSITIVE && y < f64::MIN_POSITIVE {
        if x == 0.0 && y == 0.0 {
            return Domain;
        }
        // Scaled up, so that subnormal numbers keep their digits.
        libm::hypot(libm::ldexp(x, 53), libm::ldexp(y, 53)).ln() - 53.0 * LN_2
    } else {
        let h = libm::hypot(x, y);
        if (0.71..=1.73).contains(&h) {
            // Near 1 the logarithm is small, and its digits must not be lost.
            let (more, less) = (x.max(y), x.min(y));
            ((more - 1.0) * (more + 1.0) + less * less).ln_1p() / 2.0
        } else {
            h.ln()
        }
    };
    is(length, angle)
}

fn cmath_log(vm: &Vm, z: Z, base: &Value) -> R {
    let above = log(z.0);
    if base.is_undef() {
        return bounded(vm, above);
    }
    match (above, log(Z::from_value(vm, base)?.0)) {
        (Is(above), Is(below)) => bounded(vm, above.divided_by(below).map_or(Domain, Is)),
        _ => Err(domain_error(vm)),
    }
}

fn cmath_log10(vm: &Vm, z: Z) -> R {
    bounded(
        vm,
        match log(z.0) {
            Is(log) => is(log.real / LN_10, log.imag / LN_10),
            Domain => Domain,
        },
    )
}

fn cmath_phase(_vm: &Vm, z: Z) -> f64 {
    z.0.imag.atan2(z.0.real)
}

fn cmath_polar(vm: &Vm, z: Z) -> R<(f64, f64)> {
    let length = z.0.magnitude();
    if length.is_infinite() && z.0.is_finite() {
        return Err(vm.overflow_error("math range error"));
    }
    Ok((length, z.0.imag.atan2(z.0.real)))
}

fn cmath_rect(vm: &Vm, length: f64, angle: f64) -> R {
    let outcome = if length.is_finite() && angle.is_finite() {
        if angle == 0.0 { is(length, length * angle) } else { is(length * angle.cos(), length * angle.sin()) }
    } else {
        match (length, angle) {
            (_, angle) if angle.is_infinite() && !length.is_nan() && length != 0.0 => Domain,
            (length, 0.0) if length.is_nan() => is(NAN, angle),
            (length, angle) if length.is_infinite() && angle.is_nan() => is(INFINITY, NAN),
            (length, angle) if length.is_infinite() => match directed(INFINITY, angle) {
                Is(found) if length > 0.0 => Is(found),
                Is(found) => is(-found.real, -found.imag),
                Domain => Domain,
            },
            (0.0, _) => is(0.0, 0.0),
            _ => is(NAN, NAN),
        }
    };
    bounded(vm, outcome)
}

fn cmath_isfinite(_vm: &Vm, z: Z) -> bool {
    z.0.is_finite()
}

fn cmath_isinf(_vm: &Vm, z: Z) -> bool {
    z.0.real.is_infinite() || z.0.imag.is_infinite()
}

fn cmath_isnan(_vm: &Vm, z: Z) -> bool {
    z.0.real.is_nan() || z.0.imag.is_nan()
}

fn cmath_isclose(vm: &Vm, a: Z, b: Z, rel_tol: Option<f64>, abs_tol: Option<f64>) -> R<bool> {
    let (rel, abs) = (rel_tol.unwrap_or(1e-9), abs_tol.unwrap_or(0.0));
    if rel < 0.0 || abs < 0.0 {
        return Err(vm.value_error("tolerances must be non-negative"));
    }
    let (a, b) = (a.0, b.0);
    if a == b {
        return Ok(true);
    }
    let infinite = |z: Complex| z.real.is_infinite() || z.imag.is_infinite();
    if infinite(a) || infinite(b) {
        return Ok(false);
    }
    let difference = (a - b).magnitude();
    Ok(difference <= rel * b.magnitude() || difference <= rel * a.magnitude() || difference <= abs)
}
