//! Integer functions of `math`: exact at any size.

use dashu_int::ops::{Abs, BitTest, UnsignedAbs};
use dashu_int::{IBig, UBig};

use crate::native::Integer;
use crate::value::{BigInt, R, Ref, Tuple, Value};
use crate::vm::Vm;
use crate::vm::number::huge;
use crate::vm::number::integer::check_bits;

/// An integer argument, by `__index__`.
fn integer(vm: &Vm, value: &Value) -> R<IBig> {
    let Integer(number) = crate::native::FromValue::from_value(vm, value)?;
    Ok(number)
}

pub fn math_gcd(vm: &Vm, integers: &Ref<Tuple>) -> R {
    fold(vm, integers, 0, |a, b| gcd(vm, a, b), |a, b| Some(gcd_u64(a, b)))
}

fn gcd(vm: &Vm, a: &IBig, b: &IBig) -> R<IBig> {
    Ok(huge::gcd(vm, a.clone().unsigned_abs(), b.clone().unsigned_abs())?.into())
}

pub fn math_lcm(vm: &Vm, integers: &Ref<Tuple>) -> R {
    let lcm = |a: &IBig, b: &IBig| {
        if *a == IBig::ZERO || *b == IBig::ZERO {
            return Ok(IBig::ZERO);
        }
        check_bits(vm, (a.clone().bit_len() + b.clone().bit_len()) as u64)?;
        let (quotient, _) = huge::div_rem(vm, a, &gcd(vm, a, b)?)?;
        Ok(huge::multiply(vm, &quotient, b)?.abs())
    };
    fold(vm, integers, 1, lcm, |a, b| if a == 0 || b == 0 { Some(0) } else { (a / gcd_u64(a, b)).checked_mul(b) })
}

/// Folds the absolute values, in machine integers as long as they suffice.
fn fold(
    vm: &Vm,
    integers: &Ref<Tuple>,
    start: u64,
    big: impl Fn(&IBig, &IBig) -> R<IBig>,
    small: impl Fn(u64, u64) -> Option<u64>,
) -> R {
    let mut total = start;
    let mut items = integers.items().iter();
    while let Some(item) = items.next() {
        let index = vm.index(item)?;
        if let Value::Int(i) = index
            && let Some(next) = small(total, i.unsigned_abs())
        {
            total = next;
            continue;
        }
        let mut sum = big(&IBig::from(total), &integer(vm, &index)?)?;
        for item in items {
            sum = big(&sum, &integer(vm, item)?)?;
        }
        return Ok(vm.heap.int(sum));
    }
    Ok(vm.heap.int128(i128::from(total)))
}

fn gcd_u64(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

pub fn math_isqrt(vm: &Vm, n: &Value) -> R {
    match vm.index(n)? {
        Value::Int(i) if i < 0 => Err(vm.value_error("isqrt() argument must be nonnegative")),
        Value::Int(i) => Ok(Value::Int(i.isqrt())),
        big => {
            let number = integer(vm, &big)?;
            let Ok(number) = UBig::try_from(number) else {
                return Err(vm.value_error("isqrt() argument must be nonnegative"));
            };
            Ok(vm.heap.int(IBig::from(huge::square_root(vm, &number)?)))
        }
    }
}

pub fn math_factorial(vm: &Vm, n: &Value) -> R {
    let index = vm.index(n)?;
    let negative = match &index {
        Value::Int(i) => *i < 0,
        big => big.downcast::<BigInt>().is_some_and(|big| big.0 < IBig::ZERO),
    };
    if negative {
        return Err(vm.value_error("factorial() not defined for negative values"));
    }
    let Value::Int(n) = index else {
        return Err(vm.overflow_error(format!("factorial() argument should not exceed {}", i64::MAX)));
    };
    if n <= 20 {
        return Ok(Value::Int((1..=n).product()));
    }
    Ok(vm.heap.int(product_of_range(vm, 1, n as u64)?))
}

/// `low * (low + 1) * ... * high`, by halves so that factors are of like size.
fn product_of_range(vm: &Vm, low: u64, high: u64) -> R<IBig> {
    if low > high {
        return Ok(IBig::ONE);
    }
    check_bits(vm, (high - low + 1).saturating_mul(u64::from(64 - high.leading_zeros())))?;
    halves(vm, low, high)
}

fn halves(vm: &Vm, low: u64, high: u64) -> R<IBig> {
    if high - low < 16 {
        vm.charge(1)?;
        let mut product = IBig::from(low);
        for factor in low + 1..=high {
            product *= factor;
        }
        return Ok(product);
    }
    // The depth is the logarithm of the length.
    let middle = low + (high - low) / 2;
    let (a, b) = (halves(vm, low, middle)?, halves(vm, middle + 1, high)?);
    huge::multiply(vm, &a, &b)
}

fn negative(number: &IBig) -> bool {
    *number < IBig::ZERO
}

pub fn math_perm(vm: &Vm, n: &Value, k: &Value) -> R {
    if matches!(k, Value::None | Value::Undef) {
        return math_factorial(vm, n);
    }
    let (n, k) = (integer(vm, n)?, integer(vm, k)?);
    if negative(&n) {
        return Err(vm.value_error("n must be a non-negative integer"));
    }
    if negative(&k) {
        return Err(vm.value_error("k must be a non-negative integer"));
    }
    if k > n {
        return Ok(Value::Int(0));
    }
    let Ok(k) = u64::try_from(&k) else {
        return Err(vm.overflow_error(format!("k must not exceed {}", i64::MAX)));
    };
    Ok(vm.heap.int(falling(vm, &n, k)?))
}

/// `n * (n - 1) * ... ` of `k` factors.
fn falling(vm: &Vm, n: &IBig, k: u64) -> R<IBig> {
    if let Ok(n) = u64::try_from(n) {
        return product_of_range(vm, n - k + 1, n);
    }
    check_bits(vm, (n.clone().bit_len() as u64).saturating_mul(k))?;
    let mut product = IBig::ONE;
    for step in 0..k {
        product = huge::multiply(vm, &product, &(n - IBig::from(step)))?;
    }
    Ok(product)
}

pub fn math_comb(vm: &Vm, n: &Value, k: &Value) -> R {
    let (n, k) = (integer(vm, n)?, integer(vm, k)?);
    if negative(&n) {
        return Err(vm.value_error("n must be a non-negative integer"));
    }
    if negative(&k) {
        return Err(vm.value_error("k must be a non-negative integer"));
    }
    if k > n {
        return Ok(Value::Int(0));
    }
    let k = k.clone().min(&n - &k);
    let Some(k) = u64::try_from(&k).ok().filter(|&k| k <= i64::MAX as u64) else {
        return Err(vm.overflow_error(format!("min(n - k, k) must not exceed {}", i64::MAX)));
    };
    if let (Ok(n), true) = (u64::try_from(&n), k <= 30)
        && let Some(result) = small_comb(n, k)
    {
        return Ok(vm.heap.int128(result as i128));
    }
    let numerator = falling(vm, &n, k)?;
    let denominator = product_of_range(vm, 1, k)?;
    let (quotient, _) = huge::div_rem(vm, &numerator, &denominator)?;
    Ok(vm.heap.int(quotient))
}

fn small_comb(n: u64, k: u64) -> Option<u64> {
    let mut result = 1u128;
    for step in 0..k {
        result = result * u128::from(n - step) / u128::from(step + 1);
        if result > u128::from(u64::MAX) {
            return None;
        }
    }
    u64::try_from(result).ok()
}
