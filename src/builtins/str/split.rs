//! Cutting texts up, stripping them, and joining them.

use memchr::memmem;

use super::{plain, refuse};
use crate::native::Given;
use crate::value::{List, R, Ref, Str, Tuple, Value};
use crate::vm::{Vm, characters};

/// The parts of a text in the making: a list that checks memory as it grows.
struct Parts<'a> {
    vm: &'a Vm,
    items: Vec<Value>,
}

impl<'a> Parts<'a> {
    fn new(vm: &'a Vm) -> Self {
        Parts { vm, items: Vec::new() }
    }

    fn push(&mut self, part: &str) -> R<()> {
        if self.items.len() % 64 == 63 {
            self.vm.charge(8)?;
            self.vm.check_alloc(self.items.len() * size_of::<Value>())?;
        }
        self.items.push(self.vm.substring(part)?);
        Ok(())
    }

    fn list(self) -> Value {
        Value::from(self.vm.heap.list(self.items))
    }

    fn reversed(mut self) -> Value {
        self.items.reverse();
        self.list()
    }
}

enum Separator<'a> {
    Spaces,
    Text(&'a str),
}

fn separator<'a>(vm: &Vm, sep: &'a Value) -> R<Separator<'a>> {
    match sep {
        Value::Undef | Value::None => Ok(Separator::Spaces),
        sep => match sep.as_str() {
            Some("") => Err(vm.value_error("empty separator")),
            Some(text) => Ok(Separator::Text(text)),
            None => Err(refuse(vm, "must be str or None", sep)),
        },
    }
}

fn limit(max: Option<i64>) -> usize {
    usize::try_from(max.unwrap_or(-1)).unwrap_or(usize::MAX)
}

pub fn split(vm: &Vm, text: &Ref<Str>, sep: &Value, Given(maxsplit): Given<i64>) -> R {
    let separator = separator(vm, sep)?;
    let mut left = limit(maxsplit);
    let mut parts = Parts::new(vm);
    vm.will_scan(text.byte_len())?;
    let mut rest = text.as_str();
    match separator {
        Separator::Text(sep) => {
            let finder = memmem::Finder::new(sep);
            while left > 0
                && let Some(at) = finder.find(rest.as_bytes())
            {
                parts.push(&rest[..at])?;
                rest = &rest[at + sep.len()..];
                left -= 1;
            }
            parts.push(rest)?;
        }
        Separator::Spaces => loop {
            rest = rest.trim_start_matches(characters::is_space);
            if rest.is_empty() {
                break;
            }
            let end = if left == 0 { None } else { rest.find(characters::is_space) };
            match end {
                Some(end) => {
                    parts.push(&rest[..end])?;
                    rest = &rest[end..];
                    left -= 1;
                }
                None => {
                    parts.push(rest)?;
                    break;
                }
            }
        },
    }
    Ok(parts.list())
}

pub fn rsplit(vm: &Vm, text: &Ref<Str>, sep: &Value, Given(maxsplit): Given<i64>) -> R {
    let separator = separator(vm, sep)?;
    let mut left = limit(maxsplit);
    let mut parts = Parts::new(vm);
    vm.will_scan(text.byte_len())?;
    let mut rest = text.as_str();
    match separator {
        Separator::Text(sep) => {
            let finder = memmem::FinderRev::new(sep);
            while left > 0
                && let Some(at) = finder.rfind(rest.as_bytes())
            {
                parts.push(&rest[at + sep.len()..])?;
                rest = &rest[..at];
                left -= 1;
            }
            parts.push(rest)?;
        }
        Separator::Spaces => loop {
            rest = rest.trim_end_matches(characters::is_space);
            if rest.is_empty() {
                break;
            }
            let space = if left == 0 { None } else { rest.char_indices().rev().find(|(_, c)| characters::is_space(*c)) };
            match space {
                Some((at, c)) => {
                    parts.push(&rest[at + c.len_utf8()..])?;
                    rest = &rest[..at];
                    left -= 1;
                }
                None => {
                    parts.push(rest)?;
                    break;
                }
            }
        },
    }
    Ok(parts.reversed())
}

pub fn splitlines(vm: &Vm, text: &Ref<Str>, keepends: Option<bool>) -> R {
    let keep = keepends.unwrap_or(false);
    let mut parts = Parts::new(vm);
    vm.will_scan(text.byte_len())?;
    let mut rest = text.as_str();
    let ends = |c: char| matches!(c, '\n'..='\r' | '\x1c'..='\x1e' | '\u{85}' | '\u{2028}' | '\u{2029}');
    while let Some(at) = rest.find(ends) {
        let length = match rest[at..].starts_with("\r\n") {
            true => 2,
            false => rest[at..].chars().next().map_or(1, char::len_utf8),
        };
        parts.push(if keep { &rest[..at + length] } else { &rest[..at] })?;
        rest = &rest[at + length..];
    }
    if !rest.is_empty() {
        parts.push(rest)?;
    }
    Ok(parts.list())
}

fn three(vm: &Vm, before: Value, sep: Value, after: Value) -> R {
    Ok(Value::from(vm.heap.tuple([before, sep, after])))
}

fn part_separator<'a>(vm: &Vm, sep: &'a Value) -> R<&'a str> {
    match sep.as_str() {
        Some("") => Err(vm.value_error("empty separator")),
        Some(text) => Ok(text),
        None => Err(refuse(vm, "must be str", sep)),
    }
}

pub fn partition(vm: &Vm, text: &Ref<Str>, sep: &Value) -> R {
    let part = part_separator(vm, sep)?;
    vm.will_scan(text.byte_len())?;
    let body = text.as_str();
    match memmem::find(body.as_bytes(), part.as_bytes()) {
        Some(at) => three(vm, vm.substring(&body[..at])?, sep.unwrapped().clone(), vm.substring(&body[at + part.len()..])?),
        None => three(vm, plain(vm, text), vm.str_value(""), vm.str_value("")),
    }
}

pub fn rpartition(vm: &Vm, text: &Ref<Str>, sep: &Value) -> R {
    let part = part_separator(vm, sep)?;
    vm.will_scan(text.byte_len())?;
    let body = text.as_str();
    match memmem::rfind(body.as_bytes(), part.as_bytes()) {
        Some(at) => three(vm, vm.substring(&body[..at])?, sep.unwrapped().clone(), vm.substring(&body[at + part.len()..])?),
        None => three(vm, vm.str_value(""), vm.str_value(""), plain(vm, text)),
    }
}

fn stripped(vm: &Vm, name: &str, text: &Ref<Str>, chars: &Value, left: bool, right: bool) -> R {
    let body = text.as_str();
    let trim = |test: &dyn Fn(char) -> bool| {
        let body = if left { body.trim_start_matches(test) } else { body };
        if right { body.trim_end_matches(test) } else { body }
    };
    let kept = match chars {
        Value::Undef | Value::None => {
            vm.will_scan(body.len())?;
            trim(&characters::is_space)
        }
        chars => match chars.as_str() {
            Some(set) => {
                vm.charge((body.len() as u64 / 64).saturating_mul(set.len() as u64 / 16 + 1) / 8)?;
                trim(&|c| set.contains(c))
            }
            None => return Err(vm.type_error(format!("{name} arg must be None or str"))),
        },
    };
    if kept.len() == body.len() { Ok(plain(vm, text)) } else { vm.substring(kept) }
}

pub fn strip(vm: &Vm, text: &Ref<Str>, chars: &Value) -> R {
    stripped(vm, "strip", text, chars, true, true)
}

pub fn lstrip(vm: &Vm, text: &Ref<Str>, chars: &Value) -> R {
    stripped(vm, "lstrip", text, chars, true, false)
}

pub fn rstrip(vm: &Vm, text: &Ref<Str>, chars: &Value) -> R {
    stripped(vm, "rstrip", text, chars, false, true)
}

pub fn join(vm: &Vm, text: &Ref<Str>, iterable: &Value) -> R {
    let collected;
    let items: &[Value] = if let Some(tuple) = iterable.downcast::<Tuple>() {
        tuple.items()
    } else {
        collected = match iterable.downcast::<List>() {
            Some(list) => {
                vm.will_copy(list.len())?;
                list.to_vec()
            }
            None if !vm.is_iterable(iterable) => return Err(vm.type_error("can only join an iterable")),
            None => vm.collect(iterable)?,
        };
        &collected
    };
    join_items(vm, text, items)
}

fn join_items(vm: &Vm, text: &Ref<Str>, items: &[Value]) -> R {
    let separator = text.as_str();
    let mut total = separator.len().saturating_mul(items.len().saturating_sub(1));
    for (at, item) in items.iter().enumerate() {
        let Some(part) = item.as_str() else {
            let class = vm.class_of(item).name();
            let message = format!("sequence item {at}: expected str instance, {} found", class.as_str());
            return Err(vm.type_error(message));
        };
        total = total.saturating_add(part.len());
    }
    if let [only] = items
        && only.downcast::<Str>().is_some()
    {
        return Ok(only.clone());
    }
    vm.check_text(total)?;
    vm.charge((items.len() / 32) as u64)?;
    let mut joined = String::with_capacity(total);
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            joined.push_str(separator);
        }
        joined.push_str(item.as_str().unwrap_or_default());
    }
    Ok(Value::from(vm.heap.string(joined)))
}
