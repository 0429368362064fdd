//! Finding and replacing: positions are code points, the search itself runs over bytes.

use memchr::memmem;

use super::{plain, refuse};
use crate::native::Given;
use crate::value::{R, Ref, Str, Value};
use crate::vm::Vm;

/// A bound of a search: absent or `None`, or an integer by `__index__`.
pub fn bound(vm: &Vm, value: &Value, default: i64) -> R<i64> {
    match value {
        Value::Undef | Value::None => Ok(default),
        Value::Int(i) => Ok(*i),
        value if vm.has_index(value) => vm.index_clamped(value),
        _ => Err(vm.type_error("slice indices must be integers or None or have an __index__ method")),
    }
}

/// Bounds within a length: nothing if they are crossed (or the first lies beyond the end).
pub fn clamp(start: i64, end: i64, len: usize) -> Option<(usize, usize)> {
    let len = len as i64;
    let end = if end > len {
        len
    } else if end < 0 {
        (end + len).max(0)
    } else {
        end
    };
    let start = if start < 0 { start.saturating_add(len).max(0) } else { start };
    (start <= end).then_some((start as usize, end as usize))
}

/// The part of the text between the bounds, and the byte offset where it begins.
fn part<'a>(vm: &Vm, text: &'a Ref<Str>, start: &Value, end: &Value) -> R<Option<(&'a str, usize)>> {
    if start.is_undef() {
        return Ok(Some((text.as_str(), 0)));
    }
    let (start, end) = (bound(vm, start, 0)?, bound(vm, end, i64::MAX)?);
    Ok(clamp(start, end, text.len()).map(|(start, end)| {
        let from = text.offset(start);
        (&text.as_str()[from..text.offset(end)], from)
    }))
}

fn needle<'a>(vm: &Vm, sub: &'a Value) -> R<&'a str> {
    sub.as_str().ok_or_else(|| refuse(vm, "must be str", sub))
}

fn position(vm: &Vm, text: &Ref<Str>, sub: &Value, start: &Value, end: &Value, last: bool) -> R<Option<usize>> {
    let sub = needle(vm, sub)?;
    let Some((part, offset)) = part(vm, text, start, end)? else { return Ok(None) };
    vm.will_scan(part.len())?;
    let found = match last {
        false => memmem::find(part.as_bytes(), sub.as_bytes()),
        true => memmem::rfind(part.as_bytes(), sub.as_bytes()),
    };
    Ok(found.map(|at| text.index_of_offset(offset + at)))
}

pub fn find(vm: &Vm, text: &Ref<Str>, sub: &Value, start: &Value, end: &Value) -> R<i64> {
    Ok(position(vm, text, sub, start, end, false)?.map_or(-1, |at| at as i64))
}

pub fn rfind(vm: &Vm, text: &Ref<Str>, sub: &Value, start: &Value, end: &Value) -> R<i64> {
    Ok(position(vm, text, sub, start, end, true)?.map_or(-1, |at| at as i64))
}

pub fn index(vm: &Vm, text: &Ref<Str>, sub: &Value, start: &Value, end: &Value) -> R<usize> {
    position(vm, text, sub, start, end, false)?.ok_or_else(|| vm.value_error("substring not found"))
}

pub fn rindex(vm: &Vm, text: &Ref<Str>, sub: &Value, start: &Value, end: &Value) -> R<usize> {
    position(vm, text, sub, start, end, true)?.ok_or_else(|| vm.value_error("substring not found"))
}

pub fn count(vm: &Vm, text: &Ref<Str>, sub: &Value, start: &Value, end: &Value) -> R<usize> {
    let sub = needle(vm, sub)?;
    let Some((part, _)) = part(vm, text, start, end)? else { return Ok(0) };
    vm.will_scan(part.len())?;
    Ok(match sub {
        "" => part.chars().count() + 1,
        sub => memmem::find_iter(part.as_bytes(), sub.as_bytes()).count(),
    })
}

/// Whether the part begins or ends with one of the affixes: a string or a tuple of them.
fn has_affix(
    vm: &Vm,
    name: &str,
    text: &Ref<Str>,
    affix: &Value,
    start: &Value,
    end: &Value,
    test: fn(&str, &str) -> bool,
) -> R<bool> {
    let part = part(vm, text, start, end)?;
    let matches = |affix: &str| part.is_some_and(|(part, _)| test(part, affix));
    if let Some(affix) = affix.as_str() {
        return Ok(matches(affix));
    }
    let Some(affixes) = affix.as_tuple() else {
        return Err(refuse(vm, &format!("{name} first arg must be str or a tuple of str"), affix));
    };
    for affix in affixes {
        match affix.as_str() {
            Some(affix) if matches(affix) => return Ok(true),
            Some(_) => {}
            None => return Err(refuse(vm, &format!("tuple for {name} must only contain str"), affix)),
        }
    }
    Ok(false)
}

pub fn startswith(vm: &Vm, text: &Ref<Str>, prefix: &Value, start: &Value, end: &Value) -> R<bool> {
    has_affix(vm, "startswith", text, prefix, start, end, |part, prefix| part.starts_with(prefix))
}

pub fn endswith(vm: &Vm, text: &Ref<Str>, suffix: &Value, start: &Value, end: &Value) -> R<bool> {
    has_affix(vm, "endswith", text, suffix, start, end, |part, suffix| part.ends_with(suffix))
}

pub fn removeprefix(vm: &Vm, text: &Ref<Str>, prefix: &Value) -> R {
    let Some(prefix) = prefix.as_str() else { return Err(refuse(vm, "removeprefix() argument must be str", prefix)) };
    match text.as_str().strip_prefix(prefix) {
        Some(rest) if !prefix.is_empty() => vm.substring(rest),
        _ => Ok(plain(vm, text)),
    }
}

pub fn removesuffix(vm: &Vm, text: &Ref<Str>, suffix: &Value) -> R {
    let Some(suffix) = suffix.as_str() else { return Err(refuse(vm, "removesuffix() argument must be str", suffix)) };
    match text.as_str().strip_suffix(suffix) {
        Some(rest) if !suffix.is_empty() => vm.substring(rest),
        _ => Ok(plain(vm, text)),
    }
}

pub fn replace(vm: &Vm, text: &Ref<Str>, old: &Value, new: &Value, Given(count): Given<i64>) -> R {
    let Some(from) = old.as_str() else { return Err(refuse(vm, "replace() argument 1 must be str", old)) };
    let Some(to) = new.as_str() else { return Err(refuse(vm, "replace() argument 2 must be str", new)) };
    let limit = usize::try_from(count.unwrap_or(-1)).unwrap_or(usize::MAX);
    vm.will_scan(text.byte_len())?;
    let body = text.as_str();
    let places = if from.is_empty() { text.len() + 1 } else { memmem::find_iter(body.as_bytes(), from.as_bytes()).count() };
    let places = places.min(limit);
    if places == 0 || from == to {
        return Ok(plain(vm, text));
    }
    vm.check_text(body.len().saturating_add(places.saturating_mul(to.len())))?;
    let replaced = if limit >= places { body.replacen(from, to, places) } else { body.replacen(from, to, limit) };
    Ok(Value::from(vm.heap.string(replaced)))
}
