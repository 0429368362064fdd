//! `re`: regular expressions. Patterns are translated (`parse/` with `escape.rs` and `set.rs`) into those of the `fancy_regex`
//! crate, which searches (`engine.rs`); `pattern.rs` and `matching.rs` are the classes, `substitute.rs` with `template.rs` puts
//! replacements together. Flags, the cache and the functions of the module are a script.

mod engine;
mod escape;
mod matching;
mod parse;
mod pattern;
mod set;
mod substitute;
mod template;

use super::support::{add_class, run_script};
use crate::native::{ModuleRow, new_module};
use crate::rows;
use crate::value::{Module, R, Raised, Ref, Str, Value};
use crate::vm::{Vm, binary};
use parse::Wrong;
use pattern::Pattern;

pub const MODULE: ModuleRow = ModuleRow { name: "re", load };

fn load(vm: &Vm) -> R<Ref<Module>> {
    let module = new_module(vm, "re", "Regular expressions.", &rows!["_compile", "pattern, flags, /" => compile(0 1);]);
    add_class(vm, &module, &pattern::class(vm));
    add_class(vm, &module, &matching::class(vm));
    run_script(vm, &module, include_str!("re.script"))?;
    Ok(module)
}

fn compile(vm: &Vm, given: &Value, flags: i64) -> R<Ref<Pattern>> {
    let (chars, is_bytes): (Vec<char>, bool) = match given.payload::<Str>() {
        Some(text) => (text.as_str().chars().collect(), false),
        None => match binary::bytes_of(given) {
            Some(data) => (data.into_iter().map(char::from).collect(), true),
            None => return Err(vm.type_error("first argument must be string or compiled pattern")),
        },
    };
    vm.charge((chars.len() / 8) as u64)?;
    vm.check_alloc(chars.len().saturating_mul(16))?;
    let parsed = parse::parse(&chars, is_bytes, flags as u32).map_err(|wrong| raise(vm, wrong, given))?;
    let made = Pattern {
        pattern: given.clone(),
        backtracks: parsed.backtracks,
        text: parsed.text,
        flags: parsed.flags,
        is_bytes,
        groups: parsed.groups,
        names: parsed.names,
        closing: parsed.closing,
        weight: parsed.weight,
        is_empty: parsed.is_empty,
        is_bounded: parsed.is_bounded,
        engine: Default::default(),
    };
    let size = crate::value::Payload::buffers(&made);
    vm.check_alloc(size)?;
    vm.heap.charge(size);
    let made = vm.heap.alloc(made);
    made.engine.check(vm, &made)?;
    Ok(made)
}

/// Raises what is wrong with a pattern or a template.
#[cold]
fn raise(vm: &Vm, wrong: Wrong, given: &Value) -> Raised {
    let (message, at) = match wrong {
        Wrong::At(message, at) => (message, Value::Int(at as i64)),
        Wrong::Nowhere(message) => (message.to_owned(), Value::None),
        Wrong::Flags(message) => return vm.value_error(message),
        Wrong::TooLarge => return vm.overflow_error("the repetition number is too large"),
        Wrong::Unsupported(message) => return vm.not_implemented_error(message),
    };
    let module = match vm.import("re", None, 0) {
        Ok(module) => module,
        Err(raised) => return raised,
    };
    let made = vm.get_attr(&module, &vm.intern("error")).and_then(|class| {
        let given = match given.payload::<crate::value::ByteArray>() {
            Some(array) => Value::from(vm.heap.bytes_object(array.with(<[u8]>::to_vec))),
            None => given.clone(),
        };
        vm.call(&class, &[vm.str_value(&message), given, at])
    });
    match made {
        Ok(exception) => vm.raise_new(exception),
        Err(raised) => raised,
    }
}

/// A name as messages show it: what is not ASCII is escaped in those about bytes.
fn quoted(name: &str, is_bytes: bool) -> String {
    let mut out = String::new();
    crate::vm::text::quote(&mut out, name, is_bytes);
    out
}
