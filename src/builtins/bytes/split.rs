//! Cutting bytes up, and stripping them.

use std::ops::Range;

use memchr::memmem;

use super::{Data, bytes_argument};
use crate::native::Given;
use crate::value::{R, Value};
use crate::vm::Vm;

/// White space among bytes.
pub fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

fn separator(vm: &Vm, sep: &Value) -> R<Option<Vec<u8>>> {
    match sep {
        Value::Undef | Value::None => Ok(None),
        sep => part_separator(vm, sep).map(Some),
    }
}

fn part_separator(vm: &Vm, sep: &Value) -> R<Vec<u8>> {
    let sep = bytes_argument(vm, sep)?;
    if sep.is_empty() { Err(vm.value_error("empty separator")) } else { Ok(sep) }
}

fn limit(max: Option<i64>) -> usize {
    usize::try_from(max.unwrap_or(-1)).unwrap_or(usize::MAX)
}

/// A list of the parts, each in the type of the whole.
fn list(vm: &Vm, this: Data<'_>, spans: Vec<Range<usize>>) -> R {
    vm.check_alloc(spans.len().saturating_mul(64))?;
    let mut parts = Vec::with_capacity(spans.len());
    for (at, span) in spans.into_iter().enumerate() {
        if at % 64 == 63 {
            vm.charge(8)?;
        }
        let part = this.with(|data| data.get(span).map(<[u8]>::to_vec)).unwrap_or_default();
        parts.push(this.made(vm, part));
    }
    Ok(Value::from(vm.heap.list(parts)))
}

pub fn split(vm: &Vm, this: Data<'_>, sep: &Value, Given(maxsplit): Given<i64>) -> R {
    let separator = separator(vm, sep)?;
    let max = limit(maxsplit);
    vm.will_scan(this.len())?;
    vm.check_alloc(this.len())?;
    let spans = this.with(|data| match &separator {
        Some(sep) => {
            let mut spans = Vec::new();
            let mut from = 0;
            for at in memmem::find_iter(data, sep).take(max) {
                spans.push(from..at);
                from = at + sep.len();
            }
            spans.push(from..data.len());
            spans
        }
        None => words(data, max),
    });
    list(vm, this, spans)
}

fn words(data: &[u8], max: usize) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    let mut at = 0;
    loop {
        at += data[at..].iter().take_while(|b| is_space(**b)).count();
        if at == data.len() {
            return spans;
        }
        if spans.len() >= max {
            spans.push(at..data.len());
            return spans;
        }
        let length = data[at..].iter().take_while(|b| !is_space(**b)).count();
        spans.push(at..at + length);
        at += length;
    }
}

pub fn rsplit(vm: &Vm, this: Data<'_>, sep: &Value, Given(maxsplit): Given<i64>) -> R {
    let separator = separator(vm, sep)?;
    let max = limit(maxsplit);
    vm.will_scan(this.len())?;
    vm.check_alloc(this.len())?;
    let mut spans = this.with(|data| match &separator {
        Some(sep) => {
            let mut spans = Vec::new();
            let mut end = data.len();
            for at in memmem::rfind_iter(data, sep).take(max) {
                spans.push(at + sep.len()..end);
                end = at;
            }
            spans.push(0..end);
            spans
        }
        None => words_from_end(data, max),
    });
    spans.reverse();
    list(vm, this, spans)
}

fn words_from_end(data: &[u8], max: usize) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    let mut end = data.len();
    loop {
        end -= data[..end].iter().rev().take_while(|b| is_space(**b)).count();
        if end == 0 {
            return spans;
        }
        if spans.len() >= max {
            spans.push(0..end);
            return spans;
        }
        let length = data[..end].iter().rev().take_while(|b| !is_space(**b)).count();
        spans.push(end - length..end);
        end -= length;
    }
}

pub fn splitlines(vm: &Vm, this: Data<'_>, keepends: Option<bool>) -> R {
    let keep = keepends.unwrap_or(false);
    vm.will_scan(this.len())?;
    vm.check_alloc(this.len())?;
    let spans = this.with(|data| {
        let mut spans = Vec::new();
        let mut from = 0;
        while let Some(length) = memchr::memchr2(b'\n', b'\r', &data[from..]) {
            let end = from + length;
            let next = if data[end..].starts_with(b"\r\n") { end + 2 } else { end + 1 };
            spans.push(from..if keep { next } else { end });
            from = next;
        }
        if from < data.len() {
            spans.push(from..data.len());
        }
        spans
    });
    list(vm, this, spans)
}

fn three(vm: &Vm, this: Data<'_>, at: Option<usize>, sep: Vec<u8>, empty_first: bool) -> R {
    let parts = match at {
        Some(at) => {
            let after = at + sep.len();
            let (before, rest) = this.with(|data| (data[..at].to_vec(), data[after..].to_vec()));
            [this.made(vm, before), this.made(vm, sep), this.made(vm, rest)]
        }
        None => {
            let empty = || this.made(vm, Vec::new());
            if empty_first { [empty(), empty(), this.itself(vm)] } else { [this.itself(vm), empty(), empty()] }
        }
    };
    Ok(Value::from(vm.heap.tuple(parts)))
}

pub fn partition(vm: &Vm, this: Data<'_>, sep: &Value) -> R {
    let sep = part_separator(vm, sep)?;
    vm.will_scan(this.len())?;
    let at = this.with(|data| memmem::find(data, &sep));
    three(vm, this, at, sep, false)
}

pub fn rpartition(vm: &Vm, this: Data<'_>, sep: &Value) -> R {
    let sep = part_separator(vm, sep)?;
    vm.will_scan(this.len())?;
    let at = this.with(|data| memmem::rfind(data, &sep));
    three(vm, this, at, sep, true)
}

fn stripped(vm: &Vm, this: Data<'_>, set: &Value, left: bool, right: bool) -> R {
    let set = match set {
        Value::Undef | Value::None => None,
        set => Some(bytes_argument(vm, set)?),
    };
    let mut gone = [false; 256];
    match &set {
        None => (0..=255u8).filter(|b| is_space(*b)).for_each(|b| gone[usize::from(b)] = true),
        Some(set) => set.iter().for_each(|b| gone[usize::from(*b)] = true),
    }
    vm.will_scan(this.len())?;
    let kept = this.with(|data| {
        let start = if left { data.iter().take_while(|b| gone[usize::from(**b)]).count() } else { 0 };
        let rest = &data[start..];
        let end = if right { rest.iter().rev().take_while(|b| gone[usize::from(**b)]).count() } else { 0 };
        (rest.len() - end < data.len()).then(|| rest[..rest.len() - end].to_vec())
    });
    Ok(match kept {
        Some(kept) => this.made(vm, kept),
        None => this.itself(vm),
    })
}

pub fn strip(vm: &Vm, this: Data<'_>, set: &Value) -> R {
    stripped(vm, this, set, true, true)
}

pub fn lstrip(vm: &Vm, this: Data<'_>, set: &Value) -> R {
    stripped(vm, this, set, true, false)
}

pub fn rstrip(vm: &Vm, this: Data<'_>, set: &Value) -> R {
    stripped(vm, this, set, false, true)
}
