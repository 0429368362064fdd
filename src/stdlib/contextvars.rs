//! `contextvars`: variables whose values belong to a context, which tasks copy.

use std::cell::Cell;

use super::support::{add_class, wrap_new};
use crate::native::{ModuleRow, define_class, new_module};
use crate::native_kind;
use crate::rows;
use crate::sched;
use crate::sched::context::{self, Context, ContextVar};
use crate::value::{Module, Payload, R, Ref, Str, Value, Visitor};
use crate::vm::{Args, Vm};

pub const MODULE: ModuleRow = ModuleRow { name: "contextvars", load };

fn load(vm: &Vm) -> R<Ref<Module>> {
    let module = new_module(vm, "contextvars", "", &rows!["copy_context", "" => copy_context();]);
    let variable = define_class::<ContextVar>(
        vm,
        "_contextvars",
        "ContextVar",
        &rows![
            static "__new__", "cls, name, /, *, default=..." => variable_new(0 1 2);
            "__repr__", "" => variable_repr(0);
            class "__class_getitem__", "item, /" => class_getitem(0 1);
            "get", "default=..., /" => variable_get(0 1);
            "set", "value, /" => variable_set(0 1);
            "reset", "token, /" => variable_reset(0 1);
            get "name" => variable_name(0);
        ],
    );
    let token = define_class::<Token>(
        vm,
        "_contextvars",
        "Token",
        &rows![
            "__repr__", "" => token_repr(0);
            class "__class_getitem__", "item, /" => class_getitem(0 1);
            get "var" => token_var(0);
            get "old_value" => token_old(0);
        ],
    );
    let missing = define_class::<Missing>(vm, "_contextvars", "Token.MISSING", &rows!["__repr__", "" => missing_repr(0);]);
    drop(missing);
    let marker = Value::from(vm.heap.alloc(Missing));
    token.dict.set_str(&vm.intern("MISSING"), marker);
    let context = define_class::<Context>(
        vm,
        "_contextvars",
        "Context",
        &rows![
            static "__new__", "cls" => context_new(0);
            raw "run", "callable, /, *args, **kwargs" => context_run;
            "copy", "" => context_copy(0);
            "get", "var, default=None, /" => context_get(0 1 2);
            "keys", "" => context_keys(0);
            "values", "" => context_values(0);
            "items", "" => context_items(0);
            "__getitem__", "var, /" => context_item(0 1);
            "__contains__", "var, /" => context_contains(0 1);
            "__iter__", "" => context_iter(0);
            "__len__", "" => context_len(0);
        ],
    );
    for class in [variable, token, context] {
        add_class(vm, &module, &class);
    }
    Ok(module)
}

/// What `Token.old_value` is when there was none.
struct Missing;

impl Payload for Missing {
    native_kind!();
    const CONTAINER: bool = false;
}

fn missing_repr(_vm: &Vm, _missing: &Value) -> &'static str {
    "<Token.MISSING>"
}

/// The payload of a `Token`.
struct Token {
    variable: Ref<ContextVar>,
    context: Ref<Context>,
    /// `Undef` for none.
    old: Value,
    used: Cell<bool>,
}

impl Payload for Token {
    native_kind!();
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.reference(&self.variable);
        visitor.reference(&self.context);
        visitor.value(&self.old);
    }
}

fn class_getitem(_vm: &Vm, class: Value, _item: &Value) -> Value {
    class
}

fn copy_context(vm: &Vm) -> Ref<Context> {
    context::copy_current(vm).unwrap_or_else(|| context::empty(vm))
}

fn variable_new(vm: &Vm, class: &Value, name: &Value, default: Value) -> R {
    let Some(name) = name.downcast::<Str>() else { return Err(vm.type_error("context variable name must be a str")) };
    let made = vm.heap.alloc(ContextVar { name: name.clone(), default });
    wrap_new(vm, class, Value::from(made))
}

fn variable_name(_vm: &Vm, variable: &Ref<ContextVar>) -> Value {
    Value::from(&variable.name)
}

fn variable_repr(vm: &Vm, variable: &Ref<ContextVar>) -> R<String> {
    let name = vm.repr(&Value::from(&variable.name))?;
    let default = match variable.default.is_undef() {
        true => String::new(),
        false => format!(" default={}", vm.repr(&variable.default)?.as_str()),
    };
    Ok(format!("<ContextVar name={}{default} at {:#x}>", name.as_str(), variable.address()))
}

fn variable_get(vm: &Vm, variable: &Ref<ContextVar>, default: &Value) -> R {
    let known = sched::of(vm).context.get().and_then(|context| context.get(variable));
    match known {
        Some(value) => Ok(value),
        None if !default.is_undef() => Ok(default.clone()),
        None if !variable.default.is_undef() => Ok(variable.default.clone()),
        None => Err(vm.raise_with(&vm.types.lookup_error, vec![Value::from(variable)])),
    }
}

fn variable_set(vm: &Vm, variable: &Ref<ContextVar>, value: Value) -> Ref<Token> {
    let context = context::current(vm);
    let old = context.set(vm, variable, Some(value)).unwrap_or_default();
    vm.heap.alloc(Token { variable: variable.clone(), context, old, used: Cell::new(false) })
}

fn variable_reset(vm: &Vm, variable: &Ref<ContextVar>, token: &Ref<Token>) -> R<()> {
    let shown = |token: &Ref<Token>| vm.repr(&Value::from(token));
    if token.used.get() {
        return Err(vm.runtime_error(format!("{} has already been used once", shown(token)?.as_str())));
    }
    if !token.variable.is(variable) {
        return Err(vm.value_error(format!("{} was created by a different ContextVar", shown(token)?.as_str())));
    }
    let context = context::current(vm);
    if !token.context.is(&context) {
        return Err(vm.value_error(format!("{} was created in a different Context", shown(token)?.as_str())));
    }
    token.used.set(true);
    let value = (!token.old.is_undef()).then(|| token.old.clone());
    drop(context.set(vm, variable, value));
    Ok(())
}

fn token_repr(vm: &Vm, token: &Ref<Token>) -> R<String> {
    let used = if token.used.get() { " used" } else { "" };
    let variable = vm.repr(&Value::from(&token.variable))?;
    Ok(format!("<Token{used} var={} at {:#x}>", variable.as_str(), token.address()))
}

fn token_var(_vm: &Vm, token: &Ref<Token>) -> Ref<ContextVar> {
    token.variable.clone()
}

fn token_old(vm: &Vm, token: &Ref<Token>) -> Value {
    if !token.old.is_undef() {
        return token.old.clone();
    }
    vm.class_of(&Value::from(token)).lookup(&vm.intern("MISSING"))
}

fn context_new(vm: &Vm, class: &Value) -> R {
    wrap_new(vm, class, Value::from(context::empty(vm)))
}

fn context_run(vm: &Vm, args: Args<'_>) -> R {
    let [context, function, rest @ ..] = args.positional else {
        return Err(vm.type_error("run() missing 1 required positional argument"));
    };
    let Some(context) = context.payload::<Context>() else {
        return Err(vm.type_error("descriptor 'run' requires a 'Context' object"));
    };
    context::run_in(vm, context, || vm.call_with(function, Args { positional: rest, keywords: args.keywords }))
}

fn context_copy(vm: &Vm, context: &Ref<Context>) -> Ref<Context> {
    context.copy(vm)
}

/// The variable that a key of a context must be.
fn key<'a>(vm: &Vm, key: &'a Value) -> R<&'a Ref<ContextVar>> {
    match key.payload::<ContextVar>() {
        Some(variable) => Ok(variable),
        None => {
            let shown = vm.repr(key)?;
            Err(vm.type_error(format!("a ContextVar key was expected, got {}", shown.as_str())))
        }
    }
}

fn context_get(vm: &Vm, context: &Ref<Context>, variable: &Value, default: Option<Value>) -> R {
    Ok(context.get(key(vm, variable)?).or(default).unwrap_or(Value::None))
}

fn context_item(vm: &Vm, context: &Ref<Context>, variable: &Value) -> R {
    match context.get(key(vm, variable)?) {
        Some(value) => Ok(value),
        None => Err(vm.key_error(variable)),
    }
}

fn context_contains(vm: &Vm, context: &Ref<Context>, variable: &Value) -> R<bool> {
    Ok(context.get(key(vm, variable)?).is_some())
}

fn context_len(_vm: &Vm, context: &Ref<Context>) -> usize {
    context.bindings().items.len()
}

fn context_iter(vm: &Vm, context: &Ref<Context>) -> R {
    let keys = context_keys(vm, context);
    vm.iter(&Value::from(vm.heap.list(keys)))
}

fn context_keys(_vm: &Vm, context: &Ref<Context>) -> Vec<Value> {
    context.bindings().items.iter().map(|(variable, _)| Value::from(variable)).collect()
}

fn context_values(_vm: &Vm, context: &Ref<Context>) -> Vec<Value> {
    context.bindings().items.iter().map(|(_, value)| value.clone()).collect()
}

fn context_items(vm: &Vm, context: &Ref<Context>) -> Vec<Value> {
    let pair = |(variable, value): &(Ref<ContextVar>, Value)| Value::from(vm.heap.tuple([Value::from(variable), value.clone()]));
    context.bindings().items.iter().map(pair).collect()
}
