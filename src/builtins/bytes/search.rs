//! Finding and replacing bytes.

use memchr::memmem;

use super::{Data, bytes_argument};
use crate::builtins::str::{bound, clamp};
use crate::native::Given;
use crate::value::{R, Value};
use crate::vm::{Vm, binary};

/// What is looked for: bytes, or one byte given as an integer.
fn needle(vm: &Vm, sub: &Value) -> R<Vec<u8>> {
    if let Some(bytes) = binary::bytes_of(sub) {
        return Ok(bytes);
    }
    if !vm.has_index(sub) {
        let class = vm.class_of(sub).name();
        let message = format!("argument should be integer or bytes-like object, not '{}'", class.as_str());
        return Err(vm.type_error(message));
    }
    Ok(vec![vm.byte(sub)?])
}

/// The bounds of a search, once `__index__` of both has run.
fn bounds(vm: &Vm, this: Data<'_>, start: &Value, end: &Value) -> R<Option<(usize, usize)>> {
    let (start, end) = (bound(vm, start, 0)?, bound(vm, end, i64::MAX)?);
    vm.will_scan(this.len())?;
    Ok(clamp(start, end, this.len()))
}

fn position(vm: &Vm, this: Data<'_>, sub: &Value, start: &Value, end: &Value, last: bool) -> R<Option<usize>> {
    let sub = needle(vm, sub)?;
    let Some((start, end)) = bounds(vm, this, start, end)? else { return Ok(None) };
    Ok(this.with(|data| {
        let part = &data[start..end];
        let found = if last { memmem::rfind(part, &sub) } else { memmem::find(part, &sub) };
        found.map(|at| start + at)
    }))
}

pub fn find(vm: &Vm, this: Data<'_>, sub: &Value, start: &Value, end: &Value) -> R<i64> {
    Ok(position(vm, this, sub, start, end, false)?.map_or(-1, |at| at as i64))
}

pub fn rfind(vm: &Vm, this: Data<'_>, sub: &Value, start: &Value, end: &Value) -> R<i64> {
    Ok(position(vm, this, sub, start, end, true)?.map_or(-1, |at| at as i64))
}

pub fn index(vm: &Vm, this: Data<'_>, sub: &Value, start: &Value, end: &Value) -> R<usize> {
    position(vm, this, sub, start, end, false)?.ok_or_else(|| vm.value_error("subsection not found"))
}

pub fn rindex(vm: &Vm, this: Data<'_>, sub: &Value, start: &Value, end: &Value) -> R<usize> {
    position(vm, this, sub, start, end, true)?.ok_or_else(|| vm.value_error("subsection not found"))
}

pub fn count(vm: &Vm, this: Data<'_>, sub: &Value, start: &Value, end: &Value) -> R<usize> {
    let sub = needle(vm, sub)?;
    let Some((start, end)) = bounds(vm, this, start, end)? else { return Ok(0) };
    Ok(match sub.is_empty() {
        true => end - start + 1,
        false => this.with(|data| memmem::find_iter(&data[start..end], &sub).count()),
    })
}

fn has_affix(
    vm: &Vm,
    name: &str,
    this: Data<'_>,
    affix: &Value,
    bound: (&Value, &Value),
    test: fn(&[u8], &[u8]) -> bool,
) -> R<bool> {
    let bounds = bounds(vm, this, bound.0, bound.1)?;
    let matches = |affix: &[u8]| match bounds {
        Some((start, end)) => this.with(|data| test(&data[start..end], affix)),
        None => false,
    };
    if let Some(affix) = binary::bytes_of(affix) {
        return Ok(matches(&affix));
    }
    let Some(affixes) = affix.as_tuple() else {
        let class = vm.class_of(affix).name();
        let message = format!("{name} first arg must be bytes or a tuple of bytes, not {}", class.as_str());
        return Err(vm.type_error(message));
    };
    for affix in affixes {
        if matches(&bytes_argument(vm, affix)?) {
            return Ok(true);
        }
    }
    Ok(false)
}

pub fn startswith(vm: &Vm, this: Data<'_>, prefix: &Value, start: &Value, end: &Value) -> R<bool> {
    has_affix(vm, "startswith", this, prefix, (start, end), |part, prefix| part.starts_with(prefix))
}

pub fn endswith(vm: &Vm, this: Data<'_>, suffix: &Value, start: &Value, end: &Value) -> R<bool> {
    has_affix(vm, "endswith", this, suffix, (start, end), |part, suffix| part.ends_with(suffix))
}

pub fn removeprefix(vm: &Vm, this: Data<'_>, prefix: &Value) -> R {
    let prefix = bytes_argument(vm, prefix)?;
    match this.with(|data| data.strip_prefix(prefix.as_slice()).map(<[u8]>::to_vec)) {
        Some(rest) if !prefix.is_empty() => Ok(this.made(vm, rest)),
        _ => Ok(this.itself(vm)),
    }
}

pub fn removesuffix(vm: &Vm, this: Data<'_>, suffix: &Value) -> R {
    let suffix = bytes_argument(vm, suffix)?;
    match this.with(|data| data.strip_suffix(suffix.as_slice()).map(<[u8]>::to_vec)) {
        Some(rest) if !suffix.is_empty() => Ok(this.made(vm, rest)),
        _ => Ok(this.itself(vm)),
    }
}

pub fn replace(vm: &Vm, this: Data<'_>, old: &Value, new: &Value, Given(count): Given<i64>) -> R {
    let (old, new) = (bytes_argument(vm, old)?, bytes_argument(vm, new)?);
    let limit = usize::try_from(count.unwrap_or(-1)).unwrap_or(usize::MAX);
    vm.will_scan(this.len())?;
    let places = this.with(|data| if old.is_empty() { data.len() + 1 } else { memmem::find_iter(data, &old).count() });
    let places = places.min(limit);
    if places == 0 {
        return Ok(this.itself(vm));
    }
    vm.check_alloc(this.len().saturating_add(places.saturating_mul(new.len())))?;
    let made = this.with(|data| {
        let mut made = Vec::with_capacity(data.len());
        let mut from = 0;
        if old.is_empty() {
            for (at, byte) in data.iter().enumerate() {
                if at < places {
                    made.extend_from_slice(&new);
                }
                made.push(*byte);
            }
            if places > data.len() {
                made.extend_from_slice(&new);
            }
            return made;
        }
        for at in memmem::find_iter(data, &old).take(places) {
            made.extend_from_slice(&data[from..at]);
            made.extend_from_slice(&new);
            from = at + old.len();
        }
        made.extend_from_slice(&data[from..]);
        made
    });
    Ok(this.made(vm, made))
}
