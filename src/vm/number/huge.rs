//! Arithmetic on integers of any size in pieces: every product, quotient and root is put together from operations that take a few
//! milliseconds at most, each charged before it runs, so that a limit or an interrupt is noticed inside a long one.
//!
//! The pieces themselves are `dashu`'s. `integer.rs`, `print.rs`, `parse.rs` and the integer functions of `math` come here. Products
//! by Toom and Cook in three parts, quotients after Burnikel and Ziegler ("Fast Recursive Division", 1998), roots after Zimmermann
//! ("Karatsuba Square Root", 1999), common divisors after Lehmer.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use dashu_int::fast_div::ConstDivisor;
use dashu_int::ops::{BitTest, DivRem, Gcd, SquareRootRem, UnsignedAbs};
use dashu_int::{IBig, Sign, UBig, Word};

use crate::value::R;
use crate::vm::Vm;

/// Words of the shorter factor up to which a product is one operation.
const FACTOR: usize = 1 << 16;
/// Bits of a quotient or a divisor up to which a division is one operation; of a number whose root is taken in one.
const DIVISOR: usize = 1 << 18;
/// Bits up to which a greatest common divisor, and a number as text, is one operation.
const QUADRATIC: usize = 1 << 16;

/// Bits of a modulus up to which powers are taken in `dashu`'s ring, which divides faster. (From 31 words on, some of its products run
/// out of the memory that they have set aside.)
const RING: usize = 24 * Word::BITS as usize;

/// What a product of numbers of so many words costs, in the units of `Vm::charge`.
fn product_work(a: usize, b: usize) -> u64 {
    let (short, long) = (a.min(b) as u64 + 1, a.max(b) as u64 + 1);
    let square = if short <= 32 { (short * short) as f64 } else { 1024.0 * (short as f64 / 32.0).powf(1.5) };
    (square * (long as f64 / short as f64) / 64.0) as u64
}

/// Charges for going over a number of so many words a few times.
fn charge_passes(vm: &Vm, words: usize) -> R<()> {
    vm.charge(words as u64 / 16)
}

fn words_of(bits: usize) -> usize {
    bits / Word::BITS as usize + 1
}

/// `a * b`.
pub fn multiply(vm: &Vm, a: &IBig, b: &IBig) -> R<IBig> {
    let (short, long) = if size(a) < size(b) { (a, b) } else { (b, a) };
    let (m, n) = (size(short), size(long));
    if m <= FACTOR && 2 * n <= 3 * FACTOR {
        vm.charge(product_work(m, n))?;
        return Ok(if std::ptr::eq(a, b) { IBig::from(a.sqr()) } else { a * b });
    }
    charge_passes(vm, m + n)?;
    if n >= 2 * m {
        let half = n / 2;
        let [low, high] = parts(long, half);
        let (low, high) = (multiply(vm, &low, short)?, multiply(vm, &high, short)?);
        return Ok((high << bits_in(half)) + low);
    }
    // Each factor is a polynomial of three coefficients; it is evaluated at 0, 1, -1, 2 and infinity.
    let third = n.div_ceil(3);
    let x = Points::of(a, third);
    let [p0, p1, p_1, p2, p_inf] = if std::ptr::eq(a, b) { x.products(vm, &x)? } else { x.products(vm, &Points::of(b, third))? };
    let p2 = (p2 - &p_1) / 3;
    let p_1 = (&p1 - p_1) >> 1usize;
    let p1 = p1 - &p0;
    let p2 = (p2 - &p1) >> 1usize;
    let p1 = p1 - &p_1 - &p_inf;
    let p2 = p2 - (&p_inf << 1usize);
    let p_1 = p_1 - &p2;
    let shift = bits_in(third);
    Ok((((((((p_inf << shift) + p2) << shift) + p1) << shift) + p_1) << shift) + p0)
}

/// A polynomial of three coefficients at 0, 1, -1, 2 and infinity.
struct Points([IBig; 5]);

impl Points {
    fn of(number: &IBig, third: usize) -> Points {
        let [a0, high] = parts(number, third);
        let [a1, a2] = parts(&high, third);
        let even = &a0 + &a2;
        let at_2 = &a0 + (&a1 << 1usize) + (&a2 << 2usize);
        Points([a0, &even + &a1, even - a1, at_2, a2])
    }

    fn products(&self, vm: &Vm, other: &Points) -> R<[IBig; 5]> {
        let mut products = [IBig::ZERO; 5];
        for (place, product) in products.iter_mut().enumerate() {
            *product = multiply(vm, &self.0[place], &other.0[place])?;
        }
        Ok(products)
    }
}

fn size(number: &IBig) -> usize {
    number.as_sign_words().1.len()
}

fn bits_in(words: usize) -> usize {
    words * Word::BITS as usize
}

/// `number` as `low + high * 2**(bits of so many words)`.
fn parts(number: &IBig, low: usize) -> [IBig; 2] {
    let (sign, words) = number.as_sign_words();
    let (low, high) = words.split_at(low.min(words.len()));
    [low, high].map(|words| IBig::from_parts(sign, UBig::from_words(words)))
}

fn product(vm: &Vm, a: &UBig, b: &UBig) -> R<UBig> {
    Ok(multiply(vm, a.as_ibig(), b.as_ibig())?.unsigned_abs())
}

/// `base ** exponent`.
pub fn power(vm: &Vm, base: IBig, exponent: u64) -> R<IBig> {
    // The factors of two are a shift at the end.
    let twos = base.trailing_zeros().unwrap_or(0);
    let odd = base >> twos;
    let mut power = IBig::ONE;
    if odd != IBig::ONE {
        for bit in (0..u64::BITS - exponent.leading_zeros()).rev() {
            power = multiply(vm, &power, &power)?;
            if exponent >> bit & 1 == 1 {
                power = multiply(vm, &power, &odd)?;
            }
        }
    }
    let shift = twos as u64 * exponent;
    if shift > 0 {
        charge_passes(vm, words_of(shift as usize))?;
        power <<= shift as usize;
    }
    Ok(power)
}

/// Quotient rounded towards zero, and remainder. The divisor is not 0.
pub fn div_rem(vm: &Vm, a: &IBig, b: &IBig) -> R<(IBig, IBig)> {
    let (m, n) = (a.as_sign_words(), b.as_sign_words());
    let quotient_words = m.1.len().saturating_sub(n.1.len()) + 1;
    if quotient_words <= words_of(DIVISOR) && n.1.len() <= words_of(DIVISOR) || quotient_words <= 4 || n.1.len() <= 4 {
        vm.charge(2 * product_work(quotient_words, n.1.len()))?;
        return Ok(a.div_rem(b));
    }
    let (quotient, remainder) = divide(vm, a.clone().unsigned_abs(), b.clone().unsigned_abs())?;
    let sign = if m.0 == n.0 { Sign::Positive } else { Sign::Negative };
    Ok((IBig::from_parts(sign, quotient), IBig::from_parts(m.0, remainder)))
}

/// Of magnitudes: the dividend in digits of the divisor's length, from the top.
fn divide(vm: &Vm, a: UBig, b: UBig) -> R<(UBig, UBig)> {
    if a < b {
        return Ok((UBig::ZERO, a));
    }
    let length = b.bit_len();
    let digit = length.max(DIVISOR);
    if a.bit_len() > 4 * digit {
        // The digits are divided by halves, so that long dividends are not copied for each of them.
        let low = a.bit_len() / digit / 2 * digit;
        charge_passes(vm, words_of(a.bit_len()))?;
        let (low_part, high_part) = a.split_bits(low);
        let (high, rest) = divide(vm, high_part, b.clone())?;
        let (low_quotient, rest) = divide(vm, (rest << low) + low_part, b)?;
        return Ok(((high << low) + low_quotient, rest));
    }
    let mut quotient = UBig::ZERO;
    let mut rest = UBig::ZERO;
    let mut remaining = a;
    for place in (0..remaining.bit_len().div_ceil(digit)).rev() {
        charge_passes(vm, words_of(remaining.bit_len()))?;
        let (low, high) = remaining.split_bits(place * digit);
        remaining = low;
        let (q, r) = two_by_one(vm, (rest << digit) + high, &b, digit)?;
        quotient = (quotient << digit) + q;
        rest = r;
    }
    Ok((quotient, rest))
}

/// `a / b` where the quotient has at most `n` bits; recursion halves `n`.
fn two_by_one(vm: &Vm, a: UBig, b: &UBig, n: usize) -> R<(UBig, UBig)> {
    if n <= DIVISOR {
        let (a, b) = (a.as_ibig(), b.as_ibig());
        vm.charge(2 * product_work(size(a).saturating_sub(size(b)) + 1, size(b)))?;
        let (q, r) = a.div_rem(b);
        return Ok((q.unsigned_abs(), r.unsigned_abs()));
    }
    if n % 2 == 1 {
        let (q, r) = two_by_one(vm, a << 1usize, &(b << 1usize), n + 1)?;
        return Ok((q, r >> 1usize));
    }
    charge_passes(vm, words_of(n))?;
    let half = n / 2;
    let (b_low, b_high) = b.clone().split_bits(half);
    let (low, high) = a.split_bits(n);
    let (low, middle) = low.split_bits(half);
    let (q1, r) = three_by_two(vm, high, middle, b, [&b_high, &b_low], half)?;
    let (q2, r) = three_by_two(vm, r, low, b, [&b_high, &b_low], half)?;
    Ok(((q1 << half) + q2, r))
}

/// `(a * 2**n + low) / b` where the quotient has at most `n` bits and `b` is `high * 2**n + low`.
fn three_by_two(vm: &Vm, a: UBig, low: UBig, b: &UBig, [b_high, b_low]: [&UBig; 2], n: usize) -> R<(UBig, UBig)> {
    let (mut q, r) = if &a >> n == *b_high { (UBig::ones(n), a + b_high - (b_high << n)) } else { two_by_one(vm, a, b_high, n)? };
    let mut r = IBig::from((r << n) + low) - IBig::from(product(vm, &q, b_low)?);
    while r.sign() == Sign::Negative {
        q -= UBig::ONE;
        r += IBig::from(b.clone());
    }
    Ok((q, r.unsigned_abs()))
}

/// `base ** exponent` modulo `modulus`, which is not 0; of the inverse if the exponent is negative. `None` if there is no inverse.
pub fn power_modulo(vm: &Vm, base: &IBig, exponent: &IBig, modulus: &UBig) -> R<Option<UBig>> {
    if modulus.is_one() {
        return Ok(Some(UBig::ZERO));
    }
    let (_, rest) = div_rem(vm, base, modulus.as_ibig())?;
    let base = if rest.sign() == Sign::Negative { rest + modulus } else { rest };
    let mut base = base.unsigned_abs();
    if exponent.sign() == Sign::Negative {
        match inverse(vm, base, modulus)? {
            Some(inverse) => base = inverse,
            None => return Ok(None),
        }
    }
    let exponent = exponent.clone().unsigned_abs();
    let power = if modulus.bit_len() > RING { by_division } else { in_ring };
    power(vm, base, &exponent, modulus).map(Some)
}

fn in_ring(vm: &Vm, base: UBig, exponent: &UBig, modulus: &UBig) -> R<UBig> {
    let words = words_of(modulus.bit_len());
    vm.charge((1 + 3 * product_work(words, words)) * (exponent.bit_len() as u64).min(64) / 16)?;
    let ring = ConstDivisor::new(modulus.clone());
    let base = ring.reduce(base);
    let Ok(exponent) = u64::try_from(exponent) else {
        // A word of the exponent at a time.
        let mut power = ring.reduce(1);
        for word in exponent.as_words().iter().rev() {
            vm.charge(64 + 192 * product_work(words, words))?;
            for _ in 0..Word::BITS {
                power = power.sqr();
            }
            power *= base.pow(&UBig::from(*word));
        }
        return Ok(power.residue());
    };
    Ok(base.pow(&UBig::from(exponent)).residue())
}

fn by_division(vm: &Vm, base: UBig, exponent: &UBig, modulus: &UBig) -> R<UBig> {
    let product = |a: &IBig, b: &IBig| -> R<IBig> { Ok(div_rem(vm, &multiply(vm, a, b)?, modulus.as_ibig())?.1) };
    // Four bits of a long exponent at a time.
    let width = if exponent.bit_len() > 64 { 4 } else { 1 };
    let mut powers = vec![IBig::ONE, IBig::from(base)];
    for place in 2..1 << width {
        powers.push(product(&powers[place - 1], &powers[1])?);
    }
    let mut power = IBig::ONE;
    for place in (0..exponent.bit_len().div_ceil(width)).rev() {
        for _ in 0..width {
            power = product(&power, &power)?;
        }
        let digit = (0..width).fold(0, |digit, bit| digit | usize::from(exponent.bit(width * place + bit)) << bit);
        if digit != 0 {
            power = product(&power, &powers[digit])?;
        }
    }
    Ok(power.unsigned_abs())
}

/// The greatest common divisor.
pub fn gcd(vm: &Vm, a: UBig, b: UBig) -> R<UBig> {
    let (a, b) = if a < b { (b, a) } else { (a, b) };
    let (a, b) = euclid(vm, a, b, QUADRATIC, &mut [IBig::ZERO, IBig::ZERO])?;
    if b.is_zero() {
        return Ok(a);
    }
    let (_, rest) = div_rem(vm, a.as_ibig(), b.as_ibig())?;
    let words = words_of(b.bit_len()) as u64;
    vm.charge(1 + words * words / 32)?;
    Ok(if rest.is_zero() { b } else { b.gcd(&rest.unsigned_abs()) })
}

/// The number whose product with `base` leaves 1 modulo `modulus`, if there is one. The base is less than the modulus.
fn inverse(vm: &Vm, base: UBig, modulus: &UBig) -> R<Option<UBig>> {
    let mut cofactors = [IBig::ZERO, IBig::ONE];
    let (divisor, _) = euclid(vm, modulus.clone(), base, 0, &mut cofactors)?;
    let [inverse, _] = cofactors;
    let inverse = if inverse.sign() == Sign::Negative { inverse + modulus } else { inverse };
    Ok(divisor.is_one().then(|| inverse.unsigned_abs()))
}

/// Euclid's algorithm in Lehmer's steps, until the smaller number has at most so many bits. `a` is the greater one; `cofactors` are
/// numbers of which the same sums and differences are taken.
fn euclid(vm: &Vm, mut a: UBig, mut b: UBig, until: usize, cofactors: &mut [IBig; 2]) -> R<(UBig, UBig)> {
    while b.bit_len() > until {
        // What the algorithm does to the leading bits of both, as far as the rest cannot change it.
        let shift = a.bit_len().saturating_sub(62);
        let (mut x, mut y) = (leading(&a, shift), leading(&b, shift));
        let [mut p, mut q, mut r, mut s] = [1i64, 0, 0, 1];
        while y + r != 0 && y + s != 0 {
            let quotient = (x + p) / (y + r);
            if quotient != (x + q) / (y + s) {
                break;
            }
            (p, r) = (r, p - quotient * r);
            (q, s) = (s, q - quotient * s);
            (x, y) = (y, x - quotient * y);
        }
        let [u, v] = std::mem::take(cofactors);
        if q == 0 {
            let (quotient, rest) = div_rem(vm, a.as_ibig(), b.as_ibig())?;
            let next = u - multiply(vm, &quotient, &v)?;
            *cofactors = [v, next];
            (a, b) = (b, rest.unsigned_abs());
            continue;
        }
        charge_passes(vm, words_of(a.bit_len()))?;
        let combine = |p: i64, q: i64| {
            let sum = a.as_ibig() * p + b.as_ibig() * q;
            let cofactor = &u * p + &v * q;
            if sum.sign() == Sign::Negative { (sum.unsigned_abs(), -cofactor) } else { (sum.unsigned_abs(), cofactor) }
        };
        let ((next_a, next_u), (next_b, next_v)) = (combine(p, q), combine(r, s));
        (a, b) = (next_a, next_b);
        *cofactors = [next_u, next_v];
    }
    Ok((a, b))
}

fn leading(number: &UBig, shift: usize) -> i64 {
    i64::try_from(number >> shift).unwrap_or(i64::MAX)
}

/// The root, rounded down.
pub fn square_root(vm: &Vm, number: &UBig) -> R<UBig> {
    Ok(root_and_rest(vm, number)?.0)
}

fn root_and_rest(vm: &Vm, number: &UBig) -> R<(UBig, UBig)> {
    let bits = number.bit_len();
    if bits <= 2 * DIVISOR {
        let words = words_of(bits) / 2;
        vm.charge(product_work(words, words))?;
        return Ok(number.sqrt_rem());
    }
    charge_passes(vm, words_of(bits))?;
    let quarter = bits / 4;
    let (low, high) = number.clone().split_bits(2 * quarter);
    let (lowest, low) = low.split_bits(quarter);
    let (root, rest) = root_and_rest(vm, &high)?;
    let (q, u) = divide(vm, (rest << quarter) + low, &root << 1usize)?;
    let mut rest = IBig::from((u << quarter) + lowest) - IBig::from(product(vm, &q, &q)?);
    let mut root = (root << quarter) + q;
    while rest.sign() == Sign::Negative {
        rest += IBig::from(&root << 1usize) - IBig::ONE;
        root -= UBig::ONE;
    }
    Ok((root, rest.unsigned_abs()))
}

/// The number in decimal digits.
pub fn decimal(vm: &Vm, number: &IBig) -> R<String> {
    let (sign, magnitude) = number.clone().into_parts();
    let mut text = String::with_capacity(magnitude.bit_len() / 3 + 2);
    if sign == Sign::Negative {
        text.push('-');
    }
    write_decimal(vm, &magnitude, 0, &mut HashMap::new(), &mut text)?;
    Ok(text)
}

/// Appends the digits, with zeros before them up to `width`.
fn write_decimal(vm: &Vm, number: &UBig, width: usize, tens: &mut HashMap<usize, UBig>, text: &mut String) -> R<()> {
    if number.bit_len() <= QUADRATIC {
        let words = words_of(number.bit_len());
        vm.charge(product_work(words, words) * 4 + width as u64 / 256)?;
        let digits = number.to_string();
        let digits = if number.is_zero() && width > 0 { "" } else { digits.as_str() };
        text.extend(std::iter::repeat_n('0', width.saturating_sub(digits.len())));
        text.push_str(digits);
        return Ok(());
    }
    // Split at a power of two, so that all parts of a size share their power of ten.
    let digits = if width > 0 { width } else { (number.bit_len() as f64 * std::f64::consts::LOG10_2) as usize };
    let low = digits.next_power_of_two() / 2;
    let ten = kept_power(vm, 10, low, tens)?.clone();
    let (high, rest) = divide(vm, number.clone(), ten)?;
    write_decimal(vm, &high, width.saturating_sub(low), tens, text)?;
    write_decimal(vm, &rest, low, tens, text)
}

/// A power that is kept for others.
fn kept_power<'a>(vm: &Vm, base: u32, exponent: usize, powers: &'a mut HashMap<usize, UBig>) -> R<&'a UBig> {
    Ok(match powers.entry(exponent) {
        Entry::Occupied(known) => known.into_mut(),
        Entry::Vacant(place) => place.insert(power(vm, IBig::from(base), exponent as u64)?.unsigned_abs()),
    })
}

/// The number that ASCII digits write in `base`; `None` if they do not.
pub fn parse(vm: &Vm, digits: &str, base: u32) -> R<Option<UBig>> {
    if base.is_power_of_two() {
        vm.charge(digits.len() as u64 / 256)?;
        return Ok(UBig::from_str_radix(digits, base).ok());
    }
    parse_part(vm, digits, base, &mut HashMap::new())
}

fn parse_part(vm: &Vm, digits: &str, base: u32, powers: &mut HashMap<usize, UBig>) -> R<Option<UBig>> {
    if digits.len() <= QUADRATIC / 4 {
        let words = digits.len() / 16 + 1;
        vm.charge(product_work(words, words) * 2)?;
        return Ok(UBig::from_str_radix(digits, base).ok());
    }
    let low = digits.len().next_power_of_two() / 2;
    let Some((high, low_digits)) = digits.split_at_checked(digits.len() - low) else { return Ok(None) };
    let Some(high) = parse_part(vm, high, base, powers)? else { return Ok(None) };
    let Some(rest) = parse_part(vm, low_digits, base, powers)? else { return Ok(None) };
    Ok(Some(product(vm, &high, kept_power(vm, base, low, powers)?)? + rest))
}
