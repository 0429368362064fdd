//! `random`: the table of the module, the generator object, and what picks items. Distributions of floats are in
//! `distributions.rs`.
//!
//! The generator is the Mersenne Twister, seeded and drawn from as CPython documents it, so that seeded programs give the same numbers.
//! The module's functions are methods of one hidden generator, seeded through the host at first use.

mod distributions;

use std::cell::{Cell, RefCell};

use dashu_int::ops::{BitTest, UnsignedAbs};
use dashu_int::{IBig, UBig};
use rand_mt::Mt;
use sha2::{Digest, Sha512};

use super::support::{Meter, add, add_class, run_script, wrap_new};
use crate::native::{Integer, ModuleRow, define_class, new_module};
use crate::value::{ByteArray, Bytes, List, Module, Payload, R, Ref, Value};
use crate::vm::{BoundMethod, Vm, binary};
use crate::{native_kind, rows};
use distributions::*;

pub const MODULE: ModuleRow = ModuleRow { name: "random", load };

fn load(vm: &Vm) -> R<Ref<Module>> {
    let rows = &rows![
        static "__new__", "cls, x=None" => random_new(0);
        "__init__", "x=None" => seed(0 1);
        "seed", "a=None, version=2" => seed(0 1);
        "getstate", "" => getstate(0);
        "setstate", "state" => setstate(0 1);
        "_use_system", "" => use_system(0);
        "random", "" => random(0);
        "getrandbits", "k, /" => getrandbits(0 1);
        "randbytes", "n" => randbytes(0 1);
        "randrange", "start, stop=None, step=1" => randrange(0 1 2 3);
        "randint", "a, b" => randint(0 1 2);
        "choice", "seq" => choice(0 1);
        "choices", "population, weights=None, *, cum_weights=None, k=1" => choices(0 1 2 3 4);
        "shuffle", "x" => shuffle(0 1);
        "sample", "population, k, *, counts=None" => sample(0 1 2 3);
        "uniform", "a, b" => uniform(0 1 2);
        "triangular", "low=0.0, high=1.0, mode=None" => triangular(0 1 2 3);
        "normalvariate", "mu=0.0, sigma=1.0" => normalvariate(0 1 2);
        "gauss", "mu=0.0, sigma=1.0" => gauss(0 1 2);
        "lognormvariate", "mu, sigma" => lognormvariate(0 1 2);
        "expovariate", "lambd=1.0" => expovariate(0 1);
        "vonmisesvariate", "mu, kappa" => vonmisesvariate(0 1 2);
        "gammavariate", "alpha, beta" => gammavariate(0 1 2);
        "betavariate", "alpha, beta" => betavariate(0 1 2);
        "paretovariate", "alpha" => paretovariate(0 1);
        "weibullvariate", "alpha, beta" => weibullvariate(0 1 2);
        "binomialvariate", "n=1, p=0.5" => binomialvariate(0 1 2);
    ];
    let module = new_module(vm, "random", "Random variable generators.", &[]);
    let class = define_class::<Rng>(vm, "random", "Random", rows);
    let hidden = Value::from(vm.heap.alloc(Rng::default()));
    for row in rows.iter().filter(|row| !row.name.starts_with('_')) {
        if let Some(function) = class.dict.get_str(&vm.intern(row.name)) {
            let method = vm.heap.alloc(BoundMethod { function, this: hidden.clone() });
            add(vm, &module, row.name, method.into());
        }
    }
    add_class(vm, &module, &class);
    run_script(vm, &module, include_str!("random.script"))?;
    Ok(module)
}

/// Where the numbers come from.
#[derive(Default)]
enum Source {
    /// Nothing yet: the first number asks the host for a seed.
    #[default]
    Unseeded,
    /// Words to give before those of the generator (after `setstate`; the last one is next), and the generator.
    Twister(Vec<u32>, Box<Mt>),
    /// The host itself.
    System,
}

/// The payload of a `random.Random` object.
#[derive(Default)]
pub struct Rng {
    source: RefCell<Source>,
    /// The second of the two numbers that `gauss` makes at a time.
    gauss_next: Cell<Option<f64>>,
}

impl Payload for Rng {
    native_kind!();
    const CONTAINER: bool = false;
    const BUFFERS: bool = true;

    /// Those of a twister, which nearly all come to have.
    fn buffers(&self) -> usize {
        WORDS * size_of::<u32>()
    }
}

/// The words of the generator's state.
const WORDS: usize = 624;

impl Rng {
    /// The next 32 bits.
    #[inline]
    fn word(&self, vm: &Vm) -> R<u32> {
        match &mut *self.source.borrow_mut() {
            Source::Twister(first, twister) if first.is_empty() => return Ok(twister.next_u32()),
            Source::Twister(first, twister) => return Ok(first.pop().unwrap_or_else(|| twister.next_u32())),
            Source::System => {
                let mut bytes = [0; 4];
                vm.host.random(&mut bytes).map_err(|error| vm.io_error(error, None))?;
                return Ok(u32::from_le_bytes(bytes));
            }
            Source::Unseeded => {}
        }
        self.seed_from_host(vm)?;
        self.word(vm)
    }

    #[cold]
    fn seed_from_host(&self, vm: &Vm) -> R<()> {
        let mut bytes = [0; WORDS * 4];
        vm.host.random(&mut bytes).map_err(|error| vm.io_error(error, None))?;
        self.seed_with(bytes.chunks_exact(4).map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]])).collect());
        Ok(())
    }

    fn seed_with(&self, key: Vec<u32>) {
        *self.source.borrow_mut() = Source::Twister(Vec::new(), Box::new(Mt::new_with_key(key)));
    }

    /// A float in [0, 1) with 53 random bits.
    #[inline]
    pub fn float(&self, vm: &Vm) -> R<f64> {
        let (a, b) = (self.word(vm)? >> 5, self.word(vm)? >> 6);
        Ok((f64::from(a) * 67_108_864.0 + f64::from(b)) * (1.0 / 9_007_199_254_740_992.0))
    }

    /// `bits` random bits, up to 64.
    #[inline]
    fn bits(&self, vm: &Vm, bits: u32) -> R<u64> {
        if bits == 0 {
            return Ok(0);
        }
        if bits <= 32 {
            return Ok(u64::from(self.word(vm)? >> (32 - bits)));
        }
        let low = u64::from(self.word(vm)?);
        Ok(low | u64::from(self.word(vm)? >> (64 - bits)) << 32)
    }

    /// A number below `n`, which is not 0, each equally likely.
    #[inline]
    pub fn below(&self, vm: &Vm, n: u64) -> R<u64> {
        let bits = 64 - n.leading_zeros();
        loop {
            let drawn = self.bits(vm, bits)?;
            if drawn < n {
                return Ok(drawn);
            }
        }
    }

    fn many_bits(&self, vm: &Vm, bits: usize) -> R<UBig> {
        vm.check_alloc(bits / 4)?;
        let mut words = Vec::with_capacity(bits.div_ceil(32));
        let mut left = bits;
        while left > 0 {
            if words.len() % 1024 == 1023 {
                vm.charge(64)?;
            }
            let word = self.word(vm)?;
            words.push(if left < 32 { word >> (32 - left) } else { word });
            left = left.saturating_sub(32);
        }
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        Ok(UBig::from_le_bytes(&bytes))
    }

    fn many_below(&self, vm: &Vm, n: &UBig) -> R<UBig> {
        let bits = n.bit_len();
        loop {
            let drawn = self.many_bits(vm, bits)?;
            if drawn < *n {
                return Ok(drawn);
            }
        }
    }
}

fn random_new(vm: &Vm, class: &Value) -> R {
    wrap_new(vm, class, vm.heap.alloc_owning(Rng::default()).into())
}

fn seed(vm: &Vm, rng: &Ref<Rng>, seed: &Value) -> R<()> {
    rng.gauss_next.set(None);
    if matches!(&*rng.source.borrow(), Source::System) {
        return Ok(());
    }
    let number = match seed.unwrapped() {
        Value::Undef | Value::None => {
            *rng.source.borrow_mut() = Source::Unseeded;
            return Ok(());
        }
        Value::Float(_) => UBig::from(vm.hash(seed)? as u64),
        value if crate::native::is_integer(value) => {
            let Integer(number) = crate::native::FromValue::from_value(vm, seed)?;
            number.unsigned_abs()
        }
        value => {
            let length = binary::length(value).or_else(|| value.as_str().map(str::len)).unwrap_or(0);
            vm.check_alloc(length.saturating_mul(6))?;
            vm.will_scan(length.saturating_mul(4))?;
            let bytes = if let Some(text) = value.as_str() {
                text.as_bytes().to_vec()
            } else if let Some(bytes) = value.payload::<Bytes>() {
                bytes.data().to_vec()
            } else if let Some(bytes) = value.payload::<ByteArray>() {
                bytes.with(<[u8]>::to_vec)
            } else {
                return Err(vm.type_error("The only supported seed types are: None,\nint, float, str, bytes, and bytearray."));
            };
            let digest = Sha512::digest(&bytes);
            UBig::from_be_bytes(&[&bytes[..], &digest[..]].concat())
        }
    };
    vm.charge(1 + number.bit_len() as u64 / 512)?;
    let bytes = number.to_le_bytes();
    let word = |chunk: &[u8]| chunk.iter().rev().fold(0, |word, &byte| word << 8 | u32::from(byte));
    let mut key: Vec<u32> = bytes.chunks(4).map(word).collect();
    if key.is_empty() {
        key.push(0);
    }
    rng.seed_with(key);
    Ok(())
}

/// The mark of the form of state that this module reads and writes.
const VERSION: i64 = 3;

/// Undoes what the generator does to a word of state before handing it out.
fn untemper(mut word: u32) -> u32 {
    word ^= word >> 18;
    word ^= word << 15 & 0xEFC6_0000;
    // Each round makes seven bits more right.
    let given = word;
    for _ in 0..4 {
        word = given ^ (word << 7 & 0x9D2C_5680);
    }
    word ^ (word >> 11) ^ (word >> 22)
}

fn getstate(vm: &Vm, rng: &Ref<Rng>) -> R {
    if matches!(&*rng.source.borrow(), Source::Unseeded) {
        rng.seed_from_host(vm)?;
    }
    let (first, twister) = match &*rng.source.borrow() {
        Source::Twister(first, twister) => (first.clone(), twister.clone()),
        _ => return Err(vm.not_implemented_error("System entropy source does not have state.")),
    };
    // The next words are a whole state of which nothing has been used yet.
    let (mut first, mut twister) = (first, twister);
    let mut words = Vec::with_capacity(WORDS + 1);
    for _ in 0..WORDS {
        let word = first.pop().unwrap_or_else(|| twister.next_u32());
        words.push(Value::Int(untemper(word).into()));
    }
    words.push(Value::Int(0));
    let words = Value::from(vm.heap.tuple(words));
    let gauss = rng.gauss_next.get().map_or(Value::None, Value::float);
    Ok(vm.heap.tuple([Value::Int(VERSION), words, gauss]).into())
}

/// What the generator does to a word of state before handing it out.
fn temper(mut word: u32) -> u32 {
    word ^= word >> 11;
    word ^= word << 7 & 0x9D2C_5680;
    word ^= word << 15 & 0xEFC6_0000;
    word ^ word >> 18
}

fn setstate(vm: &Vm, rng: &Ref<Rng>, state: &Value) -> R<()> {
    let part = |index| vm.get_item(state, &Value::Int(index));
    // Version 2 had the same words.
    if !matches!(part(0)?, Value::Int(VERSION | 2)) {
        let version = vm.repr(&part(0)?)?;
        return Err(
            vm.value_error(format!("state with version {} passed to Random.setstate() of version {VERSION}", version.as_str()))
        );
    }
    let words = part(1)?;
    let Some(words) = words.as_tuple() else { return Err(vm.type_error("state vector must be a tuple")) };
    if words.len() != WORDS + 1 {
        return Err(vm.value_error("state vector is the wrong size"));
    }
    let mut numbers = Vec::with_capacity(WORDS + 1);
    for word in words {
        match u32::try_from(vm.index_i64(word)?) {
            Ok(word) => numbers.push(word),
            Err(_) => return Err(vm.value_error("invalid state")),
        }
    }
    let used = numbers.pop().unwrap_or(0) as usize;
    if used > WORDS {
        return Err(vm.value_error("invalid state"));
    }
    let gauss = match part(2)? {
        Value::None => None,
        value => Some(vm.to_f64(&value)?),
    };
    let handed_out: Vec<u32> = numbers.into_iter().map(temper).collect();
    let Ok(twister) = Mt::recover(handed_out.iter().copied()) else { return Err(vm.value_error("invalid state")) };
    let first = handed_out[used..].iter().rev().copied().collect();
    *rng.source.borrow_mut() = Source::Twister(first, Box::new(twister));
    rng.gauss_next.set(gauss);
    Ok(())
}

fn use_system(_vm: &Vm, rng: &Ref<Rng>) {
    *rng.source.borrow_mut() = Source::System;
}

fn random(vm: &Vm, rng: &Ref<Rng>) -> R<f64> {
    rng.float(vm)
}

fn getrandbits(vm: &Vm, rng: &Ref<Rng>, k: i64) -> R {
    match k {
        ..0 => Err(vm.value_error("number of bits must be non-negative")),
        0..=64 => Ok(vm.heap.int128(i128::from(rng.bits(vm, k as u32)?))),
        _ => Ok(vm.heap.int(rng.many_bits(vm, k as usize)?.into())),
    }
}

fn randbytes(vm: &Vm, rng: &Ref<Rng>, n: i64) -> R {
    if n < 0 {
        return Err(vm.value_error("number of bits must be non-negative"));
    }
    let Some(bits) = (n as usize).checked_mul(8) else { return Err(vm.out_of_memory()) };
    let mut bytes = rng.many_bits(vm, bits)?.to_le_bytes().into_vec();
    bytes.resize(n as usize, 0);
    Ok(vm.heap.bytes_object(bytes).into())
}

fn randrange(vm: &Vm, rng: &Ref<Rng>, start: &Value, stop: &Value, step: &Value) -> R {
    if let (Value::Int(start), Value::Int(stop), Value::Undef | Value::Int(1)) = (start, stop, step)
        && let Some(width) = stop.checked_sub(*start)
        && width > 0
    {
        return Ok(Value::Int(start + rng.below(vm, width as u64)? as i64));
    }
    let integer = |value: &Value| -> R<IBig> {
        let Integer(number) = crate::native::FromValue::from_value(vm, value)?;
        Ok(number)
    };
    let first = integer(start)?;
    if matches!(stop, Value::Undef | Value::None) {
        if !step.is_undef() && integer(step)? != IBig::ONE {
            return Err(vm.type_error("Missing a non-None stop argument"));
        }
        return match UBig::try_from(first) {
            Ok(width) if width != UBig::ZERO => Ok(vm.heap.int(rng.many_below(vm, &width)?.into())),
            _ => Err(vm.value_error("empty range for randrange()")),
        };
    }
    let last = integer(stop)?;
    let width = &last - &first;
    let by = if step.is_undef() { IBig::ONE } else { integer(step)? };
    let count = if by == IBig::ONE {
        width
    } else if by > IBig::ZERO {
        (width + &by - IBig::ONE) / &by
    } else if by < IBig::ZERO {
        (width + &by + IBig::ONE) / &by
    } else {
        return Err(vm.value_error("zero step for randrange()"));
    };
    match UBig::try_from(count) {
        Ok(count) if count != UBig::ZERO => {
            let drawn = IBig::from(rng.many_below(vm, &count)?);
            Ok(vm.heap.int(first + by * drawn))
        }
        _ if by == IBig::ONE => Err(vm.value_error(format!("empty range in randrange({first}, {last})"))),
        _ => Err(vm.value_error(format!("empty range in randrange({first}, {last}, {by})"))),
    }
}

fn randint(vm: &Vm, rng: &Ref<Rng>, a: &Value, b: &Value) -> R {
    let after = match b {
        Value::Int(b) if *b < i64::MAX => Value::Int(b + 1),
        b => vm.binary(crate::syntax::ast::Operator::Add, b, &Value::Int(1))?,
    };
    randrange(vm, rng, a, &after, &Value::Undef)
}

/// An item of any sequence.
fn item(vm: &Vm, sequence: &Value, index: u64) -> R {
    if let Some(item) = sequence.downcast::<List>().and_then(|list| list.get(index as usize)) {
        return Ok(item);
    }
    vm.get_item(sequence, &Value::Int(index as i64))
}

fn choice(vm: &Vm, rng: &Ref<Rng>, sequence: &Value) -> R {
    match vm.len(sequence)? as u64 {
        0 => Err(vm.index_error("Cannot choose from an empty sequence")),
        len => item(vm, sequence, rng.below(vm, len)?),
    }
}

fn choices(vm: &Vm, rng: &Ref<Rng>, population: &Value, weights: &Value, cum_weights: &Value, k: &Value) -> R {
    let k = if k.is_undef() { 1 } else { vm.index_i64(k)?.max(0) };
    let n = vm.len(population)?;
    vm.check_alloc_items(k as usize, size_of::<Value>())?;
    let mut meter = Meter::default();
    let mut picked = Vec::with_capacity(k as usize);
    let given = |value: &Value| !matches!(value, Value::Undef | Value::None);
    let totals: Vec<f64> = if given(cum_weights) {
        if given(weights) {
            return Err(vm.type_error("Cannot specify both weights and cumulative weights"));
        }
        vm.collect(cum_weights)?.iter().map(|weight| vm.to_f64(weight)).collect::<R<_>>()?
    } else if given(weights) {
        if matches!(weights.unwrapped(), Value::Int(_)) {
            let k = vm.repr(weights)?;
            return Err(vm.type_error(format!("The number of choices must be a keyword argument: k={}", k.as_str())));
        }
        let mut total = Value::Int(0);
        let mut totals = Vec::new();
        for weight in vm.collect(weights)? {
            meter.step(vm)?;
            total = vm.binary(crate::syntax::ast::Operator::Add, &total, &weight)?;
            totals.push(vm.to_f64(&total)?);
        }
        totals
    } else {
        for _ in 0..k {
            meter.step(vm)?;
            let index = (rng.float(vm)? * n as f64).floor() as u64;
            if n == 0 {
                return Err(vm.index_error("list index out of range"));
            }
            picked.push(item(vm, population, index)?);
        }
        return Ok(vm.heap.list(picked).into());
    };
    if totals.len() != n {
        return Err(vm.value_error("The number of weights does not match the population"));
    }
    let Some(&total) = totals.last() else { return Err(vm.index_error("list index out of range")) };
    if total <= 0.0 {
        return Err(vm.value_error("Total of weights must be greater than zero"));
    }
    if !total.is_finite() {
        return Err(vm.value_error("Total of weights must be finite"));
    }
    for _ in 0..k {
        meter.step(vm)?;
        let wanted = rng.float(vm)? * total;
        let index = totals[..n - 1].partition_point(|&upto| upto <= wanted);
        picked.push(item(vm, population, index as u64)?);
    }
    Ok(vm.heap.list(picked).into())
}

fn shuffle(vm: &Vm, rng: &Ref<Rng>, sequence: &Value) -> R<()> {
    let mut meter = Meter::default();
    let len = vm.len(sequence)?;
    for last in (1..len).rev() {
        meter.step(vm)?;
        let other = rng.below(vm, last as u64 + 1)? as usize;
        if let Some(list) = sequence.downcast::<List>() {
            list.with_mut(|items| {
                if last < items.len() {
                    items.swap(last, other);
                }
            });
            continue;
        }
        let (a, b) = (item(vm, sequence, last as u64)?, item(vm, sequence, other as u64)?);
        vm.set_item(sequence, &Value::Int(last as i64), b)?;
        vm.set_item(sequence, &Value::Int(other as i64), a)?;
    }
    Ok(())
}

fn is_sequence(vm: &Vm, value: &Value) -> bool {
    let class = vm.class_of(value);
    let unordered = value.payload::<crate::value::Dict>().is_some()
        || value.payload::<crate::value::Set>().is_some()
        || value.payload::<crate::value::FrozenSet>().is_some();
    !unordered && !class.lookup(&vm.n.__getitem__).is_undef() && !class.lookup(&vm.n.__len__).is_undef()
}

fn sample(vm: &Vm, rng: &Ref<Rng>, population: &Value, k: &Value, counts: &Value) -> R {
    if !is_sequence(vm, population) {
        return Err(vm.type_error("Population must be a sequence.  For dicts or sets, use sorted(d)."));
    }
    let n = vm.len(population)?;
    if !matches!(counts, Value::Undef | Value::None) {
        return sample_counted(vm, rng, population, k, counts, n);
    }
    let k = vm.index_i64(k)?;
    let indices = sample_indices(vm, rng, n as u64, k)?;
    let picked: Vec<Value> = indices.into_iter().map(|index| item(vm, population, index)).collect::<R<_>>()?;
    Ok(vm.heap.list(picked).into())
}

fn sample_counted(vm: &Vm, rng: &Ref<Rng>, population: &Value, k: &Value, counts: &Value, n: usize) -> R {
    let mut total = 0u64;
    let mut totals = Vec::new();
    for count in vm.collect(counts)? {
        let Value::Int(count) = count.unwrapped() else { return Err(vm.type_error("Counts must be integers")) };
        if *count < 0 {
            return Err(vm.value_error("Counts must be non-negative"));
        }
        total = total.saturating_add(*count as u64);
        totals.push(total);
    }
    if totals.len() != n {
        return Err(vm.value_error("The number of counts does not match the population"));
    }
    if total == 0 {
        return Err(vm.value_error("Total of counts must be greater than zero"));
    }
    let indices = sample_indices(vm, rng, total, vm.index_i64(k)?)?;
    let mut picked = Vec::with_capacity(indices.len());
    for drawn in indices {
        picked.push(item(vm, population, totals.partition_point(|&upto| upto <= drawn) as u64)?);
    }
    Ok(vm.heap.list(picked).into())
}

/// `k` different numbers below `n`, in the order in which they are drawn.
fn sample_indices(vm: &Vm, rng: &Ref<Rng>, n: u64, k: i64) -> R<Vec<u64>> {
    if k < 0 || k as u64 > n {
        return Err(vm.value_error("Sample larger than population or is negative"));
    }
    let k = k as u64;
    vm.check_alloc_items(k as usize, 32)?;
    let mut meter = Meter::default();
    let mut picked = Vec::with_capacity(k as usize);
    // Small populations (against the size of a set of the picked) are drawn from a pool that shrinks.
    let mut set_size = 21.0;
    if k > 5 {
        set_size += 4f64.powf((((k * 3) as f64).ln() / 4f64.ln()).ceil());
    }
    if n as f64 <= set_size {
        let mut pool: Vec<u64> = (0..n).collect();
        for taken in 0..k {
            meter.step(vm)?;
            let left = n - taken;
            let at = rng.below(vm, left)? as usize;
            picked.push(pool[at]);
            pool[at] = pool[left as usize - 1];
        }
        return Ok(picked);
    }
    let mut seen = std::collections::HashSet::with_hasher(foldhash::fast::FixedState::default());
    for _ in 0..k {
        meter.step(vm)?;
        let mut at = rng.below(vm, n)?;
        while !seen.insert(at) {
            at = rng.below(vm, n)?;
        }
        picked.push(at);
    }
    Ok(picked)
}
