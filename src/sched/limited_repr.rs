//! Values in messages: their `repr`, cut where it is long or deep, as CPython's `reprlib` does.

use crate::value::{Dict, Kind, List, R, Raised, Tuple, Value};
use crate::vm::Vm;

/// Containers inside each other are shown so deep.
const LEVELS: usize = 6;
/// Items of sequences and sets, and of dicts, that are shown.
const ITEMS: usize = 6;
const ENTRIES: usize = 4;

/// The short `repr` of a value.
pub fn limited_repr(vm: &Vm, value: &Value) -> R<String> {
    shown(vm, value, LEVELS)
}

fn shown(vm: &Vm, value: &Value, level: usize) -> R<String> {
    match value.kind() {
        Kind::List => {
            let list = value.downcast::<List>().map(|list| list.to_vec()).unwrap_or_default();
            items(vm, &list, level, ("[", "]"), "")
        }
        Kind::Tuple => {
            let tuple = value.downcast::<Tuple>().map(|tuple| tuple.items().to_vec()).unwrap_or_default();
            items(vm, &tuple, level, ("(", ")"), ",")
        }
        Kind::Set => match vm.collect(value)? {
            keys if keys.is_empty() => Ok("set()".to_owned()),
            keys => items(vm, &sorted(vm, keys)?, level, ("{", "}"), ""),
        },
        Kind::FrozenSet => match vm.collect(value)? {
            keys if keys.is_empty() => Ok("frozenset()".to_owned()),
            keys => items(vm, &sorted(vm, keys)?, level, ("frozenset({", "})"), ""),
        },
        Kind::Dict => match value.downcast::<Dict>() {
            Some(dict) if dict.is_empty() => Ok("{}".to_owned()),
            Some(_) if level == 0 => Ok("{...}".to_owned()),
            Some(dict) => {
                let keys = sorted(vm, dict.keys())?;
                let mut parts = Vec::new();
                for key in keys.iter().take(ENTRIES) {
                    let entry = vm.get_item(value, key)?;
                    parts.push(format!("{}: {}", shown(vm, key, level - 1)?, shown(vm, &entry, level - 1)?));
                }
                if keys.len() > ENTRIES {
                    parts.push("...".to_owned());
                }
                Ok(format!("{{{}}}", parts.join(", ")))
            }
            None => Ok(String::new()),
        },
        Kind::Str => text(vm, value),
        _ if matches!(value, Value::Int(_)) || value.kind() == Kind::BigInt => Ok(cut(vm.repr(value)?.as_str(), 40)),
        _ => Ok(cut(vm.repr(value)?.as_str(), 30)),
    }
}

fn items(vm: &Vm, all: &[Value], level: usize, around: (&str, &str), trail: &str) -> R<String> {
    let (left, right) = around;
    if level == 0 && !all.is_empty() {
        return Ok(format!("{left}...{right}"));
    }
    let mut parts = Vec::new();
    for item in all.iter().take(ITEMS) {
        parts.push(shown(vm, item, level.saturating_sub(1))?);
    }
    if all.len() > ITEMS {
        parts.push("...".to_owned());
    }
    let trail = if all.len() == 1 { trail } else { "" };
    Ok(format!("{left}{}{trail}{right}", parts.join(", ")))
}

/// In order, if they have one.
fn sorted(vm: &Vm, keys: Vec<Value>) -> R<Vec<Value>> {
    let list = Value::from(vm.heap.list(keys.clone()));
    let sorted = vm.builtins.get_text("sorted").unwrap_or_default();
    match vm.call(&sorted, &[list]) {
        Ok(sorted) => vm.collect(&sorted),
        Err(Raised) if super::event_loop::is_limit(vm) => Err(Raised),
        Err(Raised) => {
            drop(vm.take_raised());
            Ok(keys)
        }
    }
}

/// A text: as much of it as fits is looked at.
fn text(vm: &Vm, value: &Value) -> R<String> {
    const MOST: usize = 30;
    let whole: Vec<char> = value.as_str().unwrap_or_default().chars().collect();
    let start: String = whole.iter().take(MOST).collect();
    let short = vm.repr(&vm.str_value(&start))?.as_str().to_owned();
    if short.chars().count() <= MOST {
        return Ok(short);
    }
    let head = (MOST - 3) / 2;
    let tail = (MOST - 3 - head).min(whole.len());
    let ends: String = whole.iter().take(head).chain(&whole[whole.len() - tail..]).collect();
    Ok(cut_always(vm.repr(&vm.str_value(&ends))?.as_str(), MOST))
}

/// The text with its middle left out if it is longer than `most`.
fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most { text.to_owned() } else { cut_always(text, most) }
}

fn cut_always(text: &str, most: usize) -> String {
    let chars: Vec<char> = text.chars().collect();
    let head = (most - 3) / 2;
    let tail = (most - 3 - head).min(chars.len());
    chars.iter().take(head).chain(&['.'; 3]).chain(&chars[chars.len() - tail..]).collect()
}
