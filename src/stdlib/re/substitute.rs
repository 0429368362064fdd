//! `sub`, `subn`, and what replacement templates become.

use super::engine::{Spans, Subject, Walk};
use super::matching::{self, Match};
use super::pattern::Pattern;
use super::template::{Bad, Part, parse};
use crate::value::{R, Ref, Str, Value};
use crate::vm::{Vm, binary};

/// The template that a value is, for this pattern.
pub fn template(vm: &Vm, pattern: &Pattern, value: &Value) -> R<Vec<Part>> {
    let (chars, is_bytes): (Vec<char>, bool) = match value.payload::<Str>() {
        Some(text) => (text.as_str().chars().collect(), false),
        None => match binary::bytes_of(value) {
            Some(data) => (data.into_iter().map(char::from).collect(), true),
            None => {
                let given = vm.class_of(value).name();
                return Err(vm.type_error(format!("decoding to str: need a bytes-like object, {} found", given.as_str())));
            }
        },
    };
    vm.charge((chars.len() / 64) as u64)?;
    vm.check_alloc(chars.len() * 4)?;
    let parts = match parse(&chars, is_bytes, pattern.groups, &pattern.names) {
        Ok(parts) => parts,
        Err(Bad::UnknownName(message)) => return Err(vm.index_error(message)),
        Err(Bad::Wrong(wrong)) => return Err(super::raise(vm, wrong, value)),
    };
    if is_bytes != pattern.is_bytes && parts.iter().any(|part| matches!(part, Part::Text(_))) {
        return Err(wrong_kind(vm, pattern, value));
    }
    Ok(parts)
}

fn wrong_kind(vm: &Vm, pattern: &Pattern, value: &Value) -> crate::value::Raised {
    let given = vm.class_of(value).name();
    let given = given.as_str();
    vm.type_error(match pattern.is_bytes {
        true => format!("sequence item 0: expected a bytes-like object, {given} found"),
        false => format!("sequence item 0: expected str instance, {given} found"),
    })
}

/// Appends a template filled in from a match.
pub fn expand(vm: &Vm, template: &[Part], found: &Match, out: &mut Vec<u8>) -> R<()> {
    fill(vm, template, &found.subject, &found.spans, found.pattern.is_bytes, out)
}

fn fill(vm: &Vm, template: &[Part], subject: &Subject, spans: &Spans, is_bytes: bool, out: &mut Vec<u8>) -> R<()> {
    for part in template {
        match part {
            Part::Text(text) if is_bytes => out.extend(text.chars().map(|char| char as u8)),
            Part::Text(text) => put(vm, out, text.as_bytes())?,
            Part::Group(group) => {
                if let Some((start, end)) = spans[*group] {
                    put(vm, out, subject.bytes(start, end))?;
                }
            }
        }
    }
    Ok(())
}

/// Appends bytes, of which there may be many.
fn put(vm: &Vm, out: &mut Vec<u8>, data: &[u8]) -> R<()> {
    if data.len() > 4096 || out.len() > 1 << 16 {
        vm.check_text(out.len().saturating_add(data.len()))?;
    }
    out.extend_from_slice(data);
    Ok(())
}

/// What was put together, as a value.
pub fn made(vm: &Vm, is_bytes: bool, data: Vec<u8>) -> Value {
    if is_bytes {
        return Value::from(vm.heap.bytes_object(data));
    }
    // All parts are parts of texts.
    Value::from(vm.heap.string(String::from_utf8(data).unwrap_or_default()))
}

/// What stands in the place of matches.
enum Replacement {
    Plain(Vec<u8>),
    Template(Vec<Part>),
    Function(Value),
}

fn replacement(vm: &Vm, pattern: &Pattern, value: &Value) -> R<Replacement> {
    if vm.is_callable(value) {
        return Ok(Replacement::Function(value.clone()));
    }
    let plain = match value.payload::<Str>() {
        Some(text) => (!text.as_str().contains('\\')).then(|| text.as_str().as_bytes().to_vec()),
        None => binary::bytes_of(value).filter(|data| !data.contains(&b'\\')),
    };
    match plain {
        Some(data) if data.is_empty() || value.payload::<Str>().is_none() == pattern.is_bytes => Ok(Replacement::Plain(data)),
        Some(_) => Err(wrong_kind(vm, pattern, value)),
        None => Ok(Replacement::Template(template(vm, pattern, value)?)),
    }
}

/// The text with its first `count` matches replaced (all for 0), and how many there were.
pub fn substitute(vm: &Vm, pattern: &Ref<Pattern>, by: &Value, string: &Value, count: i64) -> R<(Value, usize)> {
    let subject = Subject::of(vm, pattern, string)?;
    let by = replacement(vm, pattern, by)?;
    let length = subject.len();
    let end = subject.offset(length);
    let mut walk = Walk::new(subject.clone(), 0, length);
    let (mut out, mut last, mut done) = (Vec::new(), 0, 0);
    while count <= 0 || (done as i64) < count {
        let Some((spans, index)) = walk.next(vm, pattern)? else { break };
        let Some((start, stop)) = spans[0] else { break };
        put(vm, &mut out, subject.bytes(last, start))?;
        match &by {
            Replacement::Plain(text) => put(vm, &mut out, text)?,
            Replacement::Template(parts) => fill(vm, parts, &subject, &spans, pattern.is_bytes, &mut out)?,
            Replacement::Function(function) => {
                let found = matching::make(vm, pattern, string, &subject, (spans, index), (0, length));
                let made = vm.call(function, &[Value::from(found)])?;
                append(vm, pattern, &made, &mut out)?;
            }
        }
        last = stop;
        done += 1;
    }
    if done == 0 {
        return Ok((subject.part(vm, 0, end), 0));
    }
    put(vm, &mut out, subject.bytes(last, end))?;
    Ok((made(vm, pattern.is_bytes, out), done))
}

/// Appends what a function has returned for a match.
fn append(vm: &Vm, pattern: &Pattern, made: &Value, out: &mut Vec<u8>) -> R<()> {
    if made.is_none() {
        return Ok(());
    }
    if !pattern.is_bytes
        && let Some(text) = made.payload::<Str>()
    {
        return put(vm, out, text.as_str().as_bytes());
    }
    match binary::bytes_of(made).filter(|_| pattern.is_bytes) {
        Some(data) => put(vm, out, &data),
        None => Err(wrong_kind(vm, pattern, made)),
    }
}
