//! The methods of `range`. Ranges whose bounds do not fit 64 bits are objects of another kind (`vm/wide_range.rs`).

use dashu_int::IBig;

use crate::native::define_methods;
use crate::rows;
use crate::value::{Iter, Payload, R, Range, Ref, Value};
use crate::vm::Vm;
use crate::vm::function::Args;
use crate::vm::wide_range::{self, WideRange};

/// Fills the class in.
pub fn install(vm: &Vm) {
    let class = &vm.types.range;
    class.is_final.set(true);
    vm.types.set_at(WideRange::class_index(), class.clone());
    define_methods(
        vm,
        class,
        &rows![
            raw "__new__", "start, stop=None, step=1, /" => new;
            "count", "value, /" => count(0 1);
            "index", "value, /" => index(0 1);
            "__bool__", "" => is_true(0);
            "__contains__", "key, /" => contains(0 1);
            "__eq__", "value, /" => eq(0 1);
            "__getitem__", "key, /" => get_item(0 1);
            "__hash__", "" => hash(0);
            "__iter__", "" => iter(0);
            "__len__", "" => len(0);
            "__ne__", "value, /" => ne(0 1);
            "__repr__", "" => repr(0);
            "__reversed__", "" => reversed(0);
            get "start" => start(0);
            get "stop" => stop(0);
            get "step" => step(0);
        ],
    );
}

fn new(vm: &Vm, args: Args<'_>) -> R {
    let given = args.positional.get(1..).unwrap_or_default();
    if !args.keywords.is_empty() {
        return Err(vm.type_error("range() takes no keyword arguments"));
    }
    let bound = |value: &Value| wide_range::integer(vm, value);
    let bounds = match given {
        [stop] => [IBig::ZERO, bound(stop)?, IBig::ONE],
        [start, stop] => [bound(start)?, bound(stop)?, IBig::ONE],
        [start, stop, step] => [bound(start)?, bound(stop)?, bound(step)?],
        [] => return Err(vm.type_error("range expected at least 1 argument, got 0")),
        more => return Err(vm.type_error(format!("range expected at most 3 arguments, got {}", more.len()))),
    };
    if bounds[2] == IBig::ZERO {
        return Err(vm.value_error("range() arg 3 must not be zero"));
    }
    Ok(wide_range::make(vm, bounds))
}

/// A range of one of the two kinds.
enum Any<'a> {
    Narrow(&'a Ref<Range>),
    Wide(&'a Ref<WideRange>),
}

use Any::{Narrow, Wide};

fn any<'a>(vm: &Vm, value: &'a Value, method: &str) -> R<Any<'a>> {
    if let Some(narrow) = value.downcast::<Range>() {
        return Ok(Narrow(narrow));
    }
    match value.downcast::<WideRange>() {
        Some(wide) => Ok(Wide(wide)),
        None => {
            let given = vm.class_of(value).name();
            Err(vm.type_error(format!("descriptor '{method}' requires a 'range' object but received a '{}'", given.as_str())))
        }
    }
}

fn start(vm: &Vm, this: &Value) -> R {
    Ok(match any(vm, this, "start")? {
        Narrow(range) => Value::Int(range.start),
        Wide(range) => vm.heap.int(range.start.clone()),
    })
}

fn stop(vm: &Vm, this: &Value) -> R {
    Ok(match any(vm, this, "stop")? {
        Narrow(range) => Value::Int(range.stop),
        Wide(range) => vm.heap.int(range.stop.clone()),
    })
}

fn step(vm: &Vm, this: &Value) -> R {
    Ok(match any(vm, this, "step")? {
        Narrow(range) => Value::Int(range.step),
        Wide(range) => vm.heap.int(range.step.clone()),
    })
}

fn count(vm: &Vm, this: &Value, value: &Value) -> R<usize> {
    let range = match any(vm, this, "count")? {
        Narrow(range) => range,
        Wide(range) => return Ok(range.position(vm, value)?.is_some() as usize),
    };
    if value.as_obj().is_none()
        || vm.has_index(value) && value.as_obj().is_some_and(|o| o.downcast::<crate::value::BigInt>().is_some())
    {
        return Ok(vm.range_contains(range, value)? as usize);
    }
    let mut count = 0;
    for at in 0..range.len() {
        vm.charge(1)?;
        count += vm.eq(&Value::Int(range.at(at)), value)? as usize;
    }
    Ok(count)
}

fn index(vm: &Vm, this: &Value, value: &Value) -> R {
    let found = match any(vm, this, "index")? {
        Narrow(range) => vm.range_position(range, value)?.map(IBig::from),
        Wide(range) => range.position(vm, value)?,
    };
    match found {
        Some(at) => Ok(vm.heap.int(at)),
        None if matches!(value, Value::Int(_) | Value::Bool(_)) || value.downcast::<crate::value::BigInt>().is_some() => {
            let shown = vm.repr(value)?;
            Err(vm.value_error(format!("{} is not in range", shown.as_str())))
        }
        None => Err(vm.value_error("sequence.index(x): x not in sequence")),
    }
}

fn is_true(vm: &Vm, this: &Value) -> R<bool> {
    Ok(match any(vm, this, "__bool__")? {
        Narrow(range) => !range.is_empty(),
        Wide(range) => !range.is_empty(),
    })
}

fn contains(vm: &Vm, this: &Value, value: &Value) -> R<bool> {
    match any(vm, this, "__contains__")? {
        Narrow(range) => vm.range_contains(range, value),
        Wide(range) => Ok(range.position(vm, value)?.is_some()),
    }
}

/// Length, first number and step, as far as they tell ranges with different numbers apart.
fn parts(vm: &Vm, this: &Value, method: &str) -> R<[Option<IBig>; 3]> {
    let [length, start, step] = match any(vm, this, method)? {
        Narrow(range) => [IBig::from(range.len()), IBig::from(range.start), IBig::from(range.step)],
        Wide(range) => range.parts(),
    };
    let start = (length != IBig::ZERO).then_some(start);
    let step = (length > IBig::ONE).then_some(step);
    Ok([Some(length), start, step])
}

fn equal(vm: &Vm, this: &Value, other: &Value) -> R<Option<bool>> {
    if !vm.class_of(other).is(&vm.types.range) {
        return Ok(None);
    }
    Ok(Some(parts(vm, this, "__eq__")? == parts(vm, other, "__eq__")?))
}

fn eq(vm: &Vm, this: &Value, other: &Value) -> R {
    Ok(equal(vm, this, other)?.map_or(Value::NotImplemented, Value::bool))
}

fn ne(vm: &Vm, this: &Value, other: &Value) -> R {
    Ok(equal(vm, this, other)?.map_or(Value::NotImplemented, |equal| Value::bool(!equal)))
}

fn get_item(vm: &Vm, this: &Value, key: &Value) -> R {
    match any(vm, this, "__getitem__")? {
        Narrow(range) => vm.range_get(range, key),
        Wide(range) => range.get(vm, key),
    }
}

fn hash(vm: &Vm, this: &Value) -> R<i64> {
    let parts = parts(vm, this, "__hash__")?;
    let parts = parts.map(|part| part.map_or(Value::None, |part| vm.heap.int(part)));
    vm.hash(&Value::from(vm.heap.tuple(parts)))
}

fn iter(vm: &Vm, this: &Value) -> R {
    Ok(match any(vm, this, "__iter__")? {
        Narrow(range) => vm.iterator(Iter::range(range)),
        Wide(_) => vm.iterator(Iter::Sequence { object: this.clone(), next: 0 }),
    })
}

fn reversed(vm: &Vm, this: &Value) -> R {
    let range = match any(vm, this, "__reversed__")? {
        Narrow(range) => range,
        Wide(range) => return vm.iter(&range.reversed(vm)),
    };
    let left = range.len();
    let next = if left == 0 { range.start } else { range.at(left - 1) };
    Ok(vm.iterator(Iter::Range { next, step: range.step.wrapping_neg(), left }))
}

fn len(vm: &Vm, this: &Value) -> R<i64> {
    match any(vm, this, "__len__")? {
        Narrow(range) => {
            i64::try_from(range.len()).map_err(|_| vm.overflow_error("Python int too large to convert to C ssize_t"))
        }
        Wide(range) => range.len(vm),
    }
}

fn repr(vm: &Vm, this: &Value) -> R<String> {
    Ok(match any(vm, this, "__repr__")? {
        Narrow(range) if range.step == 1 => format!("range({}, {})", range.start, range.stop),
        Narrow(range) => format!("range({}, {}, {})", range.start, range.stop, range.step),
        Wide(range) => range.repr(),
    })
}
