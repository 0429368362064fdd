//! Methods of generators, coroutines and async generators.

use crate::native::{Row, define_class, define_methods};
use crate::rows;
use crate::value::{Class, Exception, Kind, R, Raised, Ref, Shared, Value};
use crate::vm::Vm;
use crate::vm::async_generator::{AsyncGeneratorStep, StepAction};
use crate::vm::coroutine::{AsyncGenerator, Coroutine, Generator, Outcome};
use crate::vm::resume::CoroutineWrapper;

const GENERATOR: [Row; 5] = rows![
    "__iter__", "" => itself(0);
    "__next__", "" => generator_next(0);
    "send", "value, /" => generator_send(0 1);
    "throw", "typ, val=None, tb=None, /" => generator_throw(0 1 2 3);
    "close", "" => close(0);
];

const COROUTINE: [Row; 4] = rows![
    "__await__", "" => coroutine_await(0);
    "send", "value, /" => coroutine_send(0 1);
    "throw", "typ, val=None, tb=None, /" => coroutine_throw(0 1 2 3);
    "close", "" => close(0);
];

const ASYNC_GENERATOR: [Row; 5] = rows![
    "__aiter__", "" => itself(0);
    "__anext__", "" => async_next(0);
    "asend", "value, /" => async_send(0 1);
    "athrow", "typ, val=None, tb=None, /" => async_throw(0 1 2 3);
    "aclose", "" => async_close(0);
];

const WRAPPER: [Row; 5] = rows![
    "__iter__", "" => itself(0);
    "__next__", "" => wrapper_next(0);
    "send", "value, /" => wrapper_send(0 1);
    "throw", "typ, val=None, tb=None, /" => wrapper_throw(0 1 2 3);
    "close", "" => wrapper_close(0);
];

const STEP: [Row; 6] = rows![
    "__await__", "" => itself(0);
    "__iter__", "" => itself(0);
    "__next__", "" => step_next(0);
    "send", "value, /" => step_send(0 1);
    "throw", "typ, val=None, tb=None, /" => step_throw(0 1 2 3);
    "close", "" => step_close(0);
];

/// Fills in the classes.
pub fn install(vm: &Vm) {
    define_methods(vm, &vm.types.generator, &GENERATOR);
    define_methods(vm, &vm.types.coroutine, &COROUTINE);
    define_methods(vm, &vm.types.async_generator, &ASYNC_GENERATOR);
    for class in [&vm.types.generator, &vm.types.coroutine, &vm.types.async_generator] {
        class.is_final.set(true);
    }
    define_class::<CoroutineWrapper>(vm, "builtins", "coroutine_wrapper", &WRAPPER);
    define_class::<AsyncGeneratorStep>(vm, "builtins", "async_generator_asend", &STEP);
}

fn itself(_vm: &Vm, this: Value) -> Value {
    this
}

/// What a generator's method gives for an outcome.
fn item(vm: &Vm, outcome: Outcome) -> R {
    match outcome {
        Outcome::Yield(item) => Ok(item),
        Outcome::Return(value) => Err(stop(vm, value)),
    }
}

fn stop(vm: &Vm, value: Value) -> Raised {
    // A tuple or exception as the value must not be taken apart.
    let args = if value.is_none() { vec![] } else { vec![value] };
    let exception = vm.exception(&vm.types.stop_iteration, args);
    vm.raise(exception)
}

fn generator_next(vm: &Vm, this: &Ref<Generator>) -> R {
    let outcome = vm.resume_generator(this, Ok(Value::None))?;
    item(vm, outcome)
}

fn generator_send(vm: &Vm, this: &Ref<Generator>, value: Value) -> R {
    let outcome = vm.resume_generator(this, Ok(value))?;
    item(vm, outcome)
}

/// The exception that `throw` is given: an instance, or a class with a value and a traceback.
fn thrown(vm: &Vm, typ: &Value, val: &Value, tb: &Value) -> R {
    if !val.is_undef() || !tb.is_undef() {
        vm.deprecated("the (type, exc, tb) signature of throw() is deprecated, use the single-arg signature instead.")?;
    }
    let exception = if typ.kind() == Kind::Exception {
        if !val.is_undef() && !val.is_none() {
            return Err(vm.type_error("instance exception may not have a separate value"));
        }
        typ.clone()
    } else if typ.downcast::<Class>().is_some_and(|class| class.is_subclass(&vm.types.base_exception)) {
        let made = match val {
            Value::Undef | Value::None => vm.call(typ, &[])?,
            value if vm.instance_check(value, typ)? => value.clone(),
            value => match value.as_tuple() {
                Some(args) => vm.call(typ, args)?,
                None => vm.call(typ, std::slice::from_ref(value))?,
            },
        };
        if made.kind() != Kind::Exception {
            let (asked, given) = (vm.repr(typ)?, vm.class_of(&made).name());
            return Err(vm.type_error(format!(
                "calling {} should have returned an instance of BaseException, not {}",
                asked.as_str(),
                given.as_str()
            )));
        }
        made
    } else {
        let class = vm.class_of(typ).name();
        return Err(
            vm.type_error(format!("exceptions must be classes or instances deriving from BaseException, not {}", class.as_str()))
        );
    };
    if !tb.is_undef() && !tb.is_none() && tb.kind() != Kind::Traceback {
        return Err(vm.type_error("throw() third argument must be a traceback object"));
    }
    if tb.kind() == Kind::Traceback
        && let Some(e) = exception.downcast::<Exception>()
    {
        e.traceback.set(tb.clone());
    }
    Ok(exception)
}

fn generator_throw(vm: &Vm, this: &Ref<Generator>, typ: &Value, val: &Value, tb: &Value) -> R {
    let exception = thrown(vm, typ, val, tb)?;
    let outcome = vm.resume_generator(this, Err(vm.raise(exception)))?;
    item(vm, outcome)
}

fn close(vm: &Vm, this: &Value) -> R<()> {
    vm.close_resumable(this)
}

fn coroutine_await(vm: &Vm, this: &Ref<Coroutine>) -> Value {
    this.as_obj().cancel_finalizer();
    Value::from(vm.heap.alloc(CoroutineWrapper(this.clone())))
}

fn coroutine_send(vm: &Vm, this: &Ref<Coroutine>, value: Value) -> R {
    let outcome = vm.resume_coroutine(this, Ok(value))?;
    item(vm, outcome)
}

fn coroutine_throw(vm: &Vm, this: &Ref<Coroutine>, typ: &Value, val: &Value, tb: &Value) -> R {
    let exception = thrown(vm, typ, val, tb)?;
    let outcome = vm.resume_coroutine(this, Err(vm.raise(exception)))?;
    item(vm, outcome)
}

fn wrapper_next(vm: &Vm, this: &Ref<CoroutineWrapper>) -> R {
    coroutine_send(vm, &this.0, Value::None)
}

fn wrapper_send(vm: &Vm, this: &Ref<CoroutineWrapper>, value: Value) -> R {
    coroutine_send(vm, &this.0, value)
}

fn wrapper_throw(vm: &Vm, this: &Ref<CoroutineWrapper>, typ: &Value, val: &Value, tb: &Value) -> R {
    coroutine_throw(vm, &this.0, typ, val, tb)
}

fn wrapper_close(vm: &Vm, this: &Ref<CoroutineWrapper>) -> R<()> {
    vm.close_resumable(&Value::from(&this.0))
}

fn step(vm: &Vm, generator: &Ref<AsyncGenerator>, action: StepAction) -> Value {
    Value::from(vm.heap.alloc(AsyncGeneratorStep {
        generator: generator.clone(),
        action: Shared::new(action),
        driver: Shared::new(None),
    }))
}

fn async_next(vm: &Vm, this: &Ref<AsyncGenerator>) -> Value {
    step(vm, this, StepAction::Send(Value::None))
}

fn async_send(vm: &Vm, this: &Ref<AsyncGenerator>, value: Value) -> Value {
    step(vm, this, StepAction::Send(value))
}

fn async_throw(vm: &Vm, this: &Ref<AsyncGenerator>, typ: &Value, val: &Value, tb: &Value) -> R {
    let exception = thrown(vm, typ, val, tb)?;
    Ok(step(vm, this, StepAction::Throw(exception)))
}

fn async_close(vm: &Vm, this: &Ref<AsyncGenerator>) -> Value {
    step(vm, this, StepAction::Close)
}

/// Driving a step by hand: a coroutine around it is what `send` resumes.
fn step_next(vm: &Vm, this: &Ref<AsyncGeneratorStep>) -> R {
    step_send(vm, this, Value::None)
}

fn step_send(vm: &Vm, this: &Ref<AsyncGeneratorStep>, value: Value) -> R {
    let coroutine = vm.coroutine_of_step(this);
    let outcome = vm.resume_coroutine(&coroutine, Ok(value))?;
    item(vm, outcome)
}

fn step_throw(vm: &Vm, this: &Ref<AsyncGeneratorStep>, typ: &Value, val: &Value, tb: &Value) -> R {
    let exception = thrown(vm, typ, val, tb)?;
    let coroutine = vm.coroutine_of_step(this);
    let outcome = vm.resume_coroutine(&coroutine, Err(vm.raise(exception)))?;
    item(vm, outcome)
}

fn step_close(_vm: &Vm, this: &Ref<AsyncGeneratorStep>) {
    this.action.set(StepAction::Used);
}
