//! Functions of scripts, their code, their cells, and what can be seen of generators and coroutines.

use crate::native::define_methods;
use crate::rows;
use crate::value::{Class, Dict, Kind, R, Ref, Shared, Str, Tuple, Value, Variable};
use crate::vm::code::CodeKind;
use crate::vm::coroutine::{AsyncGenerator, Coroutine, Generator, Resumable, State};
use crate::vm::{Args, Code, Function, Vm};

pub fn install(vm: &Vm) {
    let types = &vm.types;
    define_methods(
        vm,
        &types.function,
        &rows![
            raw "__call__", "*args, **kwargs" => call;
            "__get__", "instance, owner=None, /" => bind(0 1);
            get "__name__" => name(0), set set_name(0 1);
            get "__qualname__" => qualname(0), set set_qualname(0 1);
            get "__doc__" => doc(0), set set_doc(0 1);
            get "__module__" => module(0), set set_module(0 1);
            get "__defaults__" => defaults(0), set set_defaults(0 1);
            get "__kwdefaults__" => kw_defaults(0), set set_kw_defaults(0 1);
            get "__annotations__" => annotations(0), set set_annotations(0 1);
            get "__type_params__" => type_params(0), set set_type_params(0 1);
            get "__closure__" => closure(0);
            get "__code__" => code(0);
            get "__globals__" => globals(0);
            get "__builtins__" => builtins(0);
        ],
    );
    define_methods(
        vm,
        &types.code,
        &rows![
            get "co_name" => co_name(0);
            get "co_qualname" => co_qualname(0);
            get "co_filename" => co_filename(0);
            get "co_firstlineno" => co_firstlineno(0);
            get "co_argcount" => co_argcount(0);
            get "co_posonlyargcount" => co_posonlyargcount(0);
            get "co_kwonlyargcount" => co_kwonlyargcount(0);
            get "co_nlocals" => co_nlocals(0);
            get "co_varnames" => co_varnames(0);
            get "co_freevars" => co_freevars(0);
            get "co_cellvars" => co_cellvars(0);
            get "co_flags" => co_flags(0);
        ],
    );
    define_methods(
        vm,
        &types.cell,
        &rows![
            static "__new__", "cls, contents=None, /" => new_cell(0 1);
            get "cell_contents" => cell_contents(0), set set_cell_contents(0 1);
        ],
    );
    define_methods(
        vm,
        &types.generator,
        &rows![
            get "__name__" => resumable_name(0), set set_resumable_name(0 1);
            get "__qualname__" => resumable_qualname(0), set set_resumable_qualname(0 1);
            get "gi_running" => is_running(0);
            get "gi_suspended" => is_suspended(0);
            get "gi_frame" => frame(0);
            get "gi_code" => resumable_code(0);
            get "gi_yieldfrom" => no_frame(0);
        ],
    );
    define_methods(
        vm,
        &types.coroutine,
        &rows![
            get "__name__" => resumable_name(0), set set_resumable_name(0 1);
            get "__qualname__" => resumable_qualname(0), set set_resumable_qualname(0 1);
            get "cr_running" => is_running(0);
            get "cr_suspended" => is_suspended(0);
            get "cr_frame" => frame(0);
            get "cr_code" => resumable_code(0);
            get "cr_await" => no_frame(0);
            get "cr_origin" => no_frame(0);
        ],
    );
    define_methods(
        vm,
        &types.async_generator,
        &rows![
            get "__name__" => resumable_name(0), set set_resumable_name(0 1);
            get "__qualname__" => resumable_qualname(0), set set_resumable_qualname(0 1);
            get "ag_running" => is_running(0);
            get "ag_suspended" => is_suspended(0);
            get "ag_frame" => frame(0);
            get "ag_code" => resumable_code(0);
            get "ag_await" => no_frame(0);
        ],
    );
    for class in [&types.function, &types.code, &types.generator, &types.coroutine, &types.async_generator] {
        class.is_final.set(true);
    }
    types.cell.is_final.set(true);
}

fn call(vm: &Vm, args: Args<'_>) -> R {
    match args.positional.split_first() {
        Some((function, rest)) => vm.call_with(function, Args { positional: rest, keywords: args.keywords }),
        None => Err(vm.type_error("descriptor '__call__' of 'function' object needs an argument")),
    }
}

fn bind(vm: &Vm, this: &Value, instance: &Value) -> Value {
    if instance.is_none() { this.clone() } else { vm.bound_method(this, instance) }
}

/// Sets one of the attributes kept beside the code.
macro_rules! keep {
    ($vm:ident, $this:ident, $field:ident, $value:expr) => {{
        let old = $vm.change_function($this, |extra| extra.$field.replace($value));
        drop(old);
    }};
}

macro_rules! kept {
    ($this:ident, $field:ident) => {
        $this.extra.with(|extra| extra.as_ref().and_then(|extra| extra.$field.clone()))
    };
}

fn name(_vm: &Vm, this: &Ref<Function>) -> Value {
    kept!(this, name).unwrap_or_else(|| Value::from(&this.code.name))
}

fn set_name(vm: &Vm, this: &Ref<Function>, value: &Value) -> R<()> {
    if value.as_str().is_none() {
        return Err(vm.type_error("__name__ must be set to a string object"));
    }
    keep!(vm, this, name, value.clone());
    Ok(())
}

fn qualname(_vm: &Vm, this: &Ref<Function>) -> Value {
    kept!(this, qualname).unwrap_or_else(|| Value::from(&this.code.qualname))
}

fn set_qualname(vm: &Vm, this: &Ref<Function>, value: &Value) -> R<()> {
    if value.as_str().is_none() {
        return Err(vm.type_error("__qualname__ must be set to a string object"));
    }
    keep!(vm, this, qualname, value.clone());
    Ok(())
}

fn doc(_vm: &Vm, this: &Ref<Function>) -> Value {
    kept!(this, doc).unwrap_or_else(|| match &this.code.doc {
        Value::Undef => Value::None,
        doc => doc.clone(),
    })
}

fn or_none(value: &Value) -> Value {
    if value.is_undef() { Value::None } else { value.clone() }
}

fn set_doc(vm: &Vm, this: &Ref<Function>, value: &Value) -> R<()> {
    keep!(vm, this, doc, or_none(value));
    Ok(())
}

fn module(vm: &Vm, this: &Ref<Function>) -> Value {
    kept!(this, module).or_else(|| this.code.globals.get_str(&vm.n.__name__)).unwrap_or(Value::None)
}

fn set_module(vm: &Vm, this: &Ref<Function>, value: &Value) -> R<()> {
    keep!(vm, this, module, or_none(value));
    Ok(())
}

fn defaults(vm: &Vm, this: &Ref<Function>) -> Value {
    let values = this.defaults.with(|values| values.to_vec());
    if values.is_empty() { Value::None } else { Value::from(vm.heap.tuple(values)) }
}

fn set_defaults(vm: &Vm, this: &Ref<Function>, value: &Value) -> R<()> {
    let values = match value {
        Value::Undef | Value::None => Vec::new(),
        value => match value.as_tuple() {
            Some(items) => items.to_vec(),
            None => return Err(vm.type_error("__defaults__ must be set to a tuple object")),
        },
    };
    set_values(vm, &this.defaults, values);
    Ok(())
}

/// Replaces defaults, and settles the account.
fn set_values(vm: &Vm, place: &Shared<Box<[Value]>>, values: Vec<Value>) {
    vm.heap.charge(values.len() * size_of::<Value>());
    let old = place.replace(values.into());
    vm.heap.discharge(size_of_val(&*old));
}

/// The names of the keyword-only parameters.
fn keyword_only(this: &Ref<Function>) -> &[Ref<Str>] {
    let parameters = &this.code.parameters;
    let end = parameters.positional + parameters.keyword_only;
    parameters.names.get(parameters.positional..end).unwrap_or(&[])
}

fn kw_defaults(vm: &Vm, this: &Ref<Function>) -> Value {
    let values = this.kw_defaults.with(|values| values.to_vec());
    if values.iter().all(Value::is_undef) {
        return Value::None;
    }
    let dict = vm.heap.dict();
    for (name, value) in keyword_only(this).iter().zip(values) {
        if !value.is_undef() {
            dict.set_str(name, value);
        }
    }
    Value::from(dict)
}

fn set_kw_defaults(vm: &Vm, this: &Ref<Function>, value: &Value) -> R<()> {
    let values = match value {
        Value::Undef | Value::None => Vec::new(),
        value => match value.payload::<Dict>() {
            Some(dict) => keyword_only(this).iter().map(|name| dict.get_str(name).unwrap_or_default()).collect(),
            None => return Err(vm.type_error("__kwdefaults__ must be set to a dict object")),
        },
    };
    set_values(vm, &this.kw_defaults, values);
    Ok(())
}

fn annotations(vm: &Vm, this: &Ref<Function>) -> Value {
    if let Some(known) = kept!(this, annotations) {
        return known;
    }
    let fresh = Value::from(vm.heap.dict());
    keep!(vm, this, annotations, fresh.clone());
    fresh
}

fn set_annotations(vm: &Vm, this: &Ref<Function>, value: &Value) -> R<()> {
    let value = match value {
        Value::Undef | Value::None => Value::from(vm.heap.dict()),
        value if value.payload::<Dict>().is_some() => value.clone(),
        _ => return Err(vm.type_error("__annotations__ must be set to a dict object")),
    };
    keep!(vm, this, annotations, value);
    Ok(())
}

fn type_params(vm: &Vm, this: &Ref<Function>) -> Value {
    kept!(this, type_params).unwrap_or_else(|| Value::from(vm.heap.tuple([])))
}

fn set_type_params(vm: &Vm, this: &Ref<Function>, value: &Value) -> R<()> {
    if value.as_tuple().is_none() {
        return Err(vm.type_error("__type_params__ must be set to a tuple"));
    }
    keep!(vm, this, type_params, value.clone());
    Ok(())
}

fn closure(vm: &Vm, this: &Ref<Function>) -> Value {
    if this.closure.is_empty() {
        return Value::None;
    }
    Value::from(vm.heap.tuple(this.closure.iter().map(Value::from).collect::<Vec<_>>()))
}

fn code(_vm: &Vm, this: &Ref<Function>) -> Ref<Code> {
    this.code.clone()
}

fn globals(_vm: &Vm, this: &Ref<Function>) -> Ref<Dict> {
    this.code.globals.clone()
}

fn builtins(vm: &Vm, _this: &Ref<Function>) -> Ref<Dict> {
    vm.builtins.clone()
}

fn co_name(_vm: &Vm, this: &Ref<Code>) -> Ref<Str> {
    this.name.clone()
}

fn co_qualname(_vm: &Vm, this: &Ref<Code>) -> Ref<Str> {
    this.qualname.clone()
}

fn co_filename(vm: &Vm, this: &Ref<Code>) -> Value {
    vm.str_value(this.info.source.name())
}

fn co_firstlineno(_vm: &Vm, this: &Ref<Code>) -> i64 {
    this.info.first_line.into()
}

fn co_argcount(_vm: &Vm, this: &Ref<Code>) -> usize {
    this.parameters.positional
}

fn co_posonlyargcount(_vm: &Vm, this: &Ref<Code>) -> usize {
    this.parameters.positional_only
}

fn co_kwonlyargcount(_vm: &Vm, this: &Ref<Code>) -> usize {
    this.parameters.keyword_only
}

fn co_nlocals(_vm: &Vm, this: &Ref<Code>) -> usize {
    this.locals.len()
}

fn names(vm: &Vm, names: &[Ref<Str>]) -> Ref<Tuple> {
    vm.heap.tuple(names.iter().map(Value::from).collect::<Vec<_>>())
}

fn co_varnames(vm: &Vm, this: &Ref<Code>) -> Ref<Tuple> {
    names(vm, &this.locals)
}

fn co_freevars(vm: &Vm, this: &Ref<Code>) -> Ref<Tuple> {
    names(vm, &this.free)
}

fn co_cellvars(vm: &Vm, this: &Ref<Code>) -> Ref<Tuple> {
    let captured: Vec<Value> = this.captured.iter().filter_map(|slot| this.locals.get(*slot as usize)).map(Value::from).collect();
    vm.heap.tuple(captured)
}

fn co_flags(_vm: &Vm, this: &Ref<Code>) -> i64 {
    let mut flags = match this.kind {
        CodeKind::Module | CodeKind::Class => 0,
        CodeKind::Function => 3,
        CodeKind::Generator => 0x23,
        CodeKind::Coroutine => 0x83,
        CodeKind::AsyncGenerator => 0x203,
    };
    if this.info.is_iterable_coroutine.get() {
        flags |= 0x100;
    }
    if this.parameters.has_args {
        flags |= 4;
    }
    if this.parameters.has_kwargs {
        flags |= 8;
    }
    if !this.free.is_empty() {
        flags |= 16;
    }
    flags
}

fn new_cell(vm: &Vm, _class: &Ref<Class>, contents: Value) -> Ref<Variable> {
    vm.heap.alloc(Variable::new(contents))
}

fn cell_contents(vm: &Vm, this: &Ref<Variable>) -> R {
    match this.get() {
        Value::Undef => Err(vm.value_error("Cell is empty")),
        value => Ok(value),
    }
}

fn set_cell_contents(_vm: &Vm, this: &Ref<Variable>, value: Value) -> R<()> {
    this.set(value);
    Ok(())
}

/// What generators, coroutines and async generators have in common.
fn resumable(value: &Value) -> Option<&Resumable> {
    if let Some(generator) = value.downcast::<Generator>() {
        return Some(&generator.inner);
    }
    if let Some(coroutine) = value.downcast::<Coroutine>() {
        return Some(&coroutine.inner);
    }
    value.downcast::<AsyncGenerator>().map(|generator| &generator.inner)
}

fn resumable_name(_vm: &Vm, this: &Value) -> Value {
    resumable(this).map_or(Value::None, |inner| Value::from(inner.name()))
}

fn resumable_qualname(_vm: &Vm, this: &Value) -> Value {
    resumable(this).map_or(Value::None, |inner| Value::from(inner.qualname()))
}

fn set_resumable_name(vm: &Vm, this: &Value, value: &Value) -> R<()> {
    match (resumable(this), value.payload::<Str>()) {
        (Some(inner), Some(name)) => inner.set_name(&vm.heap, name),
        _ => return Err(vm.type_error("__name__ must be set to a string object")),
    }
    Ok(())
}

fn set_resumable_qualname(vm: &Vm, this: &Value, value: &Value) -> R<()> {
    match (resumable(this), value.payload::<Str>()) {
        (Some(inner), Some(name)) => inner.set_qualname(&vm.heap, name),
        _ => return Err(vm.type_error("__qualname__ must be set to a string object")),
    }
    Ok(())
}

fn is_running(_vm: &Vm, this: &Value) -> bool {
    resumable(this).is_some_and(|inner| inner.state.get() == State::Running)
}

fn is_suspended(_vm: &Vm, this: &Value) -> bool {
    resumable(this).is_some_and(|inner| matches!(inner.state.get(), State::Suspended | State::Joined))
}

/// The code of the function it came from.
fn resumable_code(_vm: &Vm, this: &Value) -> Value {
    resumable(this).and_then(Resumable::code).map_or(Value::None, Value::from)
}

/// Frames are no objects here (docs/compatibility.md).
fn frame(vm: &Vm, this: &Value) -> Value {
    match this.kind() {
        Kind::Generator => this.downcast::<Generator>().map(|it| vm.frame_of(&it.inner)),
        Kind::Coroutine => this.downcast::<Coroutine>().map(|it| vm.frame_of(&it.inner)),
        _ => this.downcast::<AsyncGenerator>().map(|it| vm.frame_of(&it.inner)),
    }
    .unwrap_or(Value::None)
}

fn no_frame(_vm: &Vm, this: &Value) -> Value {
    debug_assert!(matches!(this.kind(), Kind::Generator | Kind::Coroutine | Kind::AsyncGenerator));
    Value::None
}
