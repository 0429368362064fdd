//! Built-in functions that iterate, and that make iterators.

use crate::builtins::{list, sort};
use crate::native::Row;
use crate::rows;
use crate::syntax::ast::CmpOp;
use crate::value::{Iter, Kind, R, Value, Visitor};
use crate::vm::Vm;
use crate::vm::coroutine::{Generator, NativeFrame, Outcome, Step};
use crate::vm::function::Args;

pub(super) const ROWS: [Row; 10] = rows![
    "aiter", "async_iterable, /" => aiter(0);
    "all", "iterable, /" => all(0);
    "anext", "async_iterator, default=None, /" => anext(0 1);
    "any", "iterable, /" => any(0);
    "iter", "object, sentinel=None, /" => iter(0 1);
    "len", "obj, /" => len(0);
    raw "max", "*args, key=None, default=None" => max;
    raw "min", "*args, key=None, default=None" => min;
    "next", "iterator, default=None, /" => next(0 1);
    raw "sorted", "iterable, /, *, key=None, reverse=False" => sorted;
];

fn all(vm: &Vm, iterable: &Value) -> R<bool> {
    let mut result = true;
    vm.for_each(iterable, &mut |item| {
        result = vm.truthy(&item)?;
        Ok(result)
    })?;
    Ok(result)
}

fn any(vm: &Vm, iterable: &Value) -> R<bool> {
    let mut result = false;
    vm.for_each(iterable, &mut |item| {
        result = vm.truthy(&item)?;
        Ok(!result)
    })?;
    Ok(result)
}

fn iter(vm: &Vm, object: &Value, sentinel: &Value) -> R {
    if sentinel.is_undef() {
        return vm.iter(object);
    }
    if !super::attributes::is_callable(vm, object) {
        return Err(vm.type_error("iter(object, sentinel): object must be callable"));
    }
    Ok(vm.iterator(Iter::Callable { function: object.clone(), sentinel: sentinel.clone() }))
}

fn len(vm: &Vm, object: &Value) -> R<i64> {
    let length = vm.len(object)?;
    i64::try_from(length).map_err(|_| vm.overflow_error("Python int too large to convert to C ssize_t"))
}

fn next(vm: &Vm, iterator: &Value, default: &Value) -> R {
    if let Some(generator) = iterator.downcast::<Generator>() {
        return match vm.resume_generator(generator, Ok(Value::None))? {
            Outcome::Yield(item) => Ok(item),
            Outcome::Return(value) if default.is_undef() => Err(vm.stop_iteration(value)),
            Outcome::Return(_) => Ok(default.clone()),
        };
    }
    // A script's iterator raises its own exception, whose value must not be lost.
    if iterator.kind() == Kind::Instance {
        if vm.class_of(iterator).lookup(&vm.n.__next__).is_undef() {
            return Err(no_iterator(vm, iterator));
        }
        let result = vm.call_method(iterator, &vm.n.__next__, &[]);
        if default.is_undef() {
            return result;
        }
        return Ok(vm.catch(result, &vm.types.stop_iteration)?.unwrap_or_else(|| default.clone()));
    }
    if vm.class_of(iterator).lookup(&vm.n.__next__).is_undef() {
        return Err(no_iterator(vm, iterator));
    }
    if iterator.kind() == Kind::Iterator {
        return match vm.next(iterator)? {
            Some(item) => Ok(item),
            None if default.is_undef() => Err(vm.stop_iteration(Value::None)),
            None => Ok(default.clone()),
        };
    }
    if default.is_undef() {
        return match vm.call_special(iterator, &vm.n.__next__, &[])? {
            Some(item) => Ok(item),
            None => Err(no_iterator(vm, iterator)),
        };
    }
    Ok(vm.next(iterator)?.unwrap_or_else(|| default.clone()))
}

#[cold]
fn no_iterator(vm: &Vm, value: &Value) -> crate::value::Raised {
    vm.type_error(format!("'{}' object is not an iterator", vm.class_of(value).name().as_str()))
}

fn aiter(vm: &Vm, object: &Value) -> R {
    match vm.call_special(object, &vm.n.__aiter__, &[])? {
        Some(iterator) if vm.class_of(&iterator).lookup(&vm.n.__anext__).is_undef() => {
            let name = vm.class_of(&iterator).name();
            Err(vm.type_error(format!("aiter() returned not an async iterator of type '{}'", name.as_str())))
        }
        Some(iterator) => Ok(iterator),
        None => Err(vm.type_error(format!("'{}' object is not an async iterable", vm.class_of(object).name().as_str()))),
    }
}

fn anext(vm: &Vm, iterator: &Value, default: &Value) -> R {
    let awaitable = match vm.call_special(iterator, &vm.n.__anext__, &[])? {
        Some(awaitable) => awaitable,
        None => return Err(vm.type_error(format!("'{}' object is not an async iterator", vm.class_of(iterator).name().as_str()))),
    };
    if default.is_undef() {
        return Ok(awaitable);
    }
    Ok(vm.native_coroutine(Box::new(NextOrDefault::Start { awaitable, default: default.clone() })))
}

/// `anext(iterator, default)` while it is awaited.
enum NextOrDefault {
    Start { awaitable: Value, default: Value },
    Waiting { default: Value },
    Over,
}

impl NativeFrame for NextOrDefault {
    fn name(&self) -> &'static str {
        "anext"
    }

    fn resume(&mut self, vm: &Vm, sent: R) -> R<Step> {
        match std::mem::replace(self, NextOrDefault::Over) {
            NextOrDefault::Start { awaitable, default } => {
                sent?;
                *self = NextOrDefault::Waiting { default };
                Ok(Step::Await(awaitable))
            }
            NextOrDefault::Waiting { default } => {
                Ok(Step::Done(vm.catch(sent, &vm.types.stop_async_iteration)?.unwrap_or(default)))
            }
            NextOrDefault::Over => sent.map(Step::Done),
        }
    }

    fn trace(&self, visitor: &mut Visitor<'_>) {
        match self {
            NextOrDefault::Start { awaitable, default } => visitor.values([awaitable, default]),
            NextOrDefault::Waiting { default } => visitor.value(default),
            NextOrDefault::Over => {}
        }
    }
}

fn max(vm: &Vm, args: Args<'_>) -> R {
    extreme(vm, "max", CmpOp::Gt, args)
}

fn min(vm: &Vm, args: Args<'_>) -> R {
    extreme(vm, "min", CmpOp::Lt, args)
}

/// The first item of which no other is better by `op`.
fn extreme(vm: &Vm, name: &str, op: CmpOp, args: Args<'_>) -> R {
    let (mut key, mut default) = (None, None);
    for (keyword, value) in args.keywords {
        match keyword.as_str() {
            "key" => key = Some(value).filter(|value| !value.is_none()),
            "default" => default = Some(value),
            other => return Err(vm.type_error(format!("'{other}' is an invalid keyword argument for {name}()"))),
        }
    }
    let mut best = Best { vm, op, key, best: None };
    match args.positional {
        [] => return Err(vm.type_error(format!("{name} expected at least 1 argument, got 0"))),
        [iterable] => vm.for_each(iterable, &mut |item| best.offer(item).map(|()| true))?,
        _ if default.is_some() => {
            return Err(vm.type_error(format!("Cannot specify a default for {name}() with multiple positional arguments")));
        }
        items => items.iter().try_for_each(|item| best.offer(item.clone()))?,
    }
    match (best.best, default) {
        (Some((item, _)), _) => Ok(item),
        (None, Some(default)) => Ok(default.clone()),
        (None, None) => Err(vm.value_error(format!("{name}() iterable argument is empty"))),
    }
}

/// The best item so far, with its key if there is a key function.
struct Best<'a> {
    vm: &'a Vm,
    op: CmpOp,
    key: Option<&'a Value>,
    best: Option<(Value, Value)>,
}

impl Best<'_> {
    fn offer(&mut self, item: Value) -> R<()> {
        let vm = self.vm;
        let key = match self.key {
            Some(function) => vm.call(function, std::slice::from_ref(&item))?,
            None => Value::Undef,
        };
        let better = match &self.best {
            None => true,
            Some((known, known_key)) => {
                let (new, old) = if self.key.is_some() { (&key, known_key) } else { (&item, known) };
                match (new, old) {
                    (Value::Int(new), Value::Int(old)) => {
                        if self.op == CmpOp::Gt {
                            new > old
                        } else {
                            new < old
                        }
                    }
                    _ => {
                        let answer = vm.compare(self.op, new, old)?;
                        vm.truthy(&answer)?
                    }
                }
            }
        };
        if better {
            self.best = Some((item, key));
        }
        Ok(())
    }
}

fn sorted(vm: &Vm, args: Args<'_>) -> R {
    let [iterable] = args.positional else {
        return Err(vm.type_error(format!("sorted expected 1 argument, got {}", args.positional.len())));
    };
    let (mut key, mut reverse) = (None, false);
    let mut items = vm.collect(iterable)?;
    for (keyword, value) in args.keywords {
        match keyword.as_str() {
            "key" => key = Some(value).filter(|value| !value.is_none()),
            "reverse" => reverse = list::is_reverse(vm, value)?,
            other => return Err(vm.type_error(format!("'{other}' is an invalid keyword argument for sort()"))),
        }
    }
    sort::sort(vm, &mut items, key, reverse)?;
    Ok(Value::from(vm.heap.list(items)))
}
