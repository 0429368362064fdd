//! `inspect`: what kind of thing an object is. Code objects tell the kinds of functions; the rest is a script.

use super::support::run_script;
use crate::native::{ModuleRow, new_module};
use crate::rows;
use crate::value::{Kind, Module, R, Ref, Value};
use crate::vm::code::CodeKind;
use crate::vm::coroutine::{AsyncGenerator, Coroutine, Generator, State};
use crate::vm::{BoundMethod, Function, Vm};

pub const MODULE: ModuleRow = ModuleRow { name: "inspect", load };

fn load(vm: &Vm) -> R<Ref<Module>> {
    let module = new_module(
        vm,
        "inspect",
        "Get useful information from live objects.",
        &rows![
            "_kind", "object" => kind(0);
            "_state", "object" => state(0);
            "_mark_iterable_coroutine", "function" => mark_iterable_coroutine(0);
            "_parameters", "function" => parameters(0);
        ],
    );
    run_script(vm, &module, include_str!("inspect.script"))?;
    Ok(module)
}

/// What calling a script function gives: a word, or nothing for what is no script function.
fn kind(_vm: &Vm, object: &Value) -> Option<&'static str> {
    let function = match object.downcast::<BoundMethod>() {
        Some(method) => &method.function,
        None => object,
    };
    Some(match function.downcast::<Function>()?.code.kind {
        CodeKind::Coroutine => "coroutine",
        CodeKind::AsyncGenerator => "async generator",
        CodeKind::Generator => "generator",
        _ => "function",
    })
}

/// Makes the generators of a generator function awaitable; whether it is one.
fn mark_iterable_coroutine(_vm: &Vm, function: &Value) -> bool {
    match function.downcast::<Function>() {
        Some(function) if function.code.kind == CodeKind::Generator => {
            function.code.info.is_iterable_coroutine.set(true);
            true
        }
        _ => false,
    }
}

/// How far a generator, coroutine or async generator is.
fn state(vm: &Vm, object: &Value) -> R<&'static str> {
    let generator = object.downcast::<Generator>().map(|generator| &generator.inner);
    let coroutine = object.downcast::<Coroutine>().map(|coroutine| &coroutine.inner);
    let inner = generator.or(coroutine).or(object.downcast::<AsyncGenerator>().map(|generator| &generator.inner));
    match inner.map(|inner| inner.state.get()) {
        Some(State::Created) => Ok("CREATED"),
        Some(State::Running) => Ok("RUNNING"),
        Some(State::Suspended | State::Joined) => Ok("SUSPENDED"),
        Some(State::Closed) => Ok("CLOSED"),
        None => Err(vm.type_error("a generator or coroutine is required")),
    }
}

/// The parameters of a script function as `(name, kind, default...)`, in the order in which they are written.
fn parameters(vm: &Vm, object: &Value) -> R {
    let Some(function) = object.downcast::<Function>() else {
        let shown = vm.repr(object)?;
        return match object.kind() {
            Kind::NativeFunction => Err(vm.value_error(format!("no signature found for builtin {}", shown.as_str()))),
            _ => Err(vm.type_error(format!("{} is not a callable object", shown.as_str()))),
        };
    };
    let all = &function.code.parameters;
    let mut found = Vec::new();
    let mut enter = |index: usize, kind: i64, default: Option<Value>| {
        let mut parts = vec![Value::from(&all.names[index]), Value::Int(kind)];
        parts.extend(default.filter(|default| !default.is_undef()));
        found.push(Value::from(vm.heap.tuple(parts)));
    };
    let defaults = function.defaults.get();
    let without = all.positional - defaults.len().min(all.positional);
    for index in 0..all.positional {
        let default = index.checked_sub(without).and_then(|at| defaults.get(at).cloned());
        enter(index, i64::from(index >= all.positional_only), default);
    }
    let after = all.positional + all.keyword_only;
    if all.has_args {
        enter(after, 2, None);
    }
    let kw_defaults = function.kw_defaults.get();
    for at in 0..all.keyword_only {
        enter(all.positional + at, 3, kw_defaults.get(at).cloned());
    }
    if all.has_kwargs {
        enter(after + usize::from(all.has_args), 4, None);
    }
    Ok(vm.heap.list(found).into())
}
