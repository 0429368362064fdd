//! The methods of `range`. Bounds are 64-bit integers; wider ones are refused where a range is made.

use crate::native::define_methods;
use crate::rows;
use crate::syntax::ast::CmpOp;
use crate::value::{Iter, R, Range, Ref, Value};
use crate::vm::Vm;
use crate::vm::function::Args;

/// Fills the class in.
pub fn install(vm: &Vm) {
    let class = &vm.types.range;
    class.is_final.set(true);
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
    let bound = |value: &Value| match vm.index(value)? {
        Value::Int(i) => Ok(i),
        _ => Err(vm.range_too_wide()),
    };
    let range = match given {
        [stop] => Range { start: 0, stop: bound(stop)?, step: 1 },
        [start, stop] => Range { start: bound(start)?, stop: bound(stop)?, step: 1 },
        [start, stop, step] => Range { start: bound(start)?, stop: bound(stop)?, step: bound(step)? },
        [] => return Err(vm.type_error("range expected at least 1 argument, got 0")),
        more => return Err(vm.type_error(format!("range expected at most 3 arguments, got {}", more.len()))),
    };
    if range.step == 0 {
        return Err(vm.value_error("range() arg 3 must not be zero"));
    }
    Ok(Value::from(vm.heap.alloc(range)))
}

fn start(_vm: &Vm, range: &Ref<Range>) -> i64 {
    range.start
}

fn stop(_vm: &Vm, range: &Ref<Range>) -> i64 {
    range.stop
}

fn step(_vm: &Vm, range: &Ref<Range>) -> i64 {
    range.step
}

fn count(vm: &Vm, range: &Ref<Range>, value: &Value) -> R<usize> {
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

fn index(vm: &Vm, range: &Ref<Range>, value: &Value) -> R<i64> {
    match vm.range_position(range, value)? {
        Some(at) => Ok(at as i64),
        None if matches!(value, Value::Int(_) | Value::Bool(_)) || value.downcast::<crate::value::BigInt>().is_some() => {
            let shown = vm.repr(value)?;
            Err(vm.value_error(format!("{} is not in range", shown.as_str())))
        }
        None => Err(vm.value_error("sequence.index(x): x not in sequence")),
    }
}

fn is_true(_vm: &Vm, range: &Ref<Range>) -> bool {
    !range.is_empty()
}

fn contains(vm: &Vm, range: &Ref<Range>, value: &Value) -> R<bool> {
    vm.range_contains(range, value)
}

/// Whether two ranges have the same numbers.
pub fn same(a: &Range, b: &Range) -> bool {
    match (a.len(), b.len()) {
        (x, y) if x != y => false,
        (0, _) => true,
        (1, _) => a.start == b.start,
        _ => a.start == b.start && a.step == b.step,
    }
}

fn compare(_vm: &Vm, op: CmpOp, range: &Ref<Range>, other: &Value) -> R {
    Ok(match (op, other.downcast::<Range>()) {
        (CmpOp::Eq, Some(other)) => Value::bool(same(range, other)),
        (CmpOp::NotEq, Some(other)) => Value::bool(!same(range, other)),
        _ => Value::NotImplemented,
    })
}

fn eq(vm: &Vm, range: &Ref<Range>, other: &Value) -> R {
    compare(vm, CmpOp::Eq, range, other)
}

fn ne(vm: &Vm, range: &Ref<Range>, other: &Value) -> R {
    compare(vm, CmpOp::NotEq, range, other)
}

fn get_item(vm: &Vm, range: &Ref<Range>, key: &Value) -> R {
    vm.range_get(range, key)
}

fn hash(vm: &Vm, range: &Ref<Range>) -> R<i64> {
    let len = vm.heap.int128(range.len().into());
    let rest = match range.len() {
        0 => [len, Value::None, Value::None],
        1 => [len, Value::Int(range.start), Value::None],
        _ => [len, Value::Int(range.start), Value::Int(range.step)],
    };
    vm.hash(&Value::from(vm.heap.tuple(rest)))
}

fn iter(vm: &Vm, range: &Ref<Range>) -> Value {
    vm.iterator(Iter::range(range))
}

fn reversed(vm: &Vm, range: &Ref<Range>) -> Value {
    let left = range.len();
    let next = if left == 0 { range.start } else { range.at(left - 1) };
    vm.iterator(Iter::Range { next, step: range.step.wrapping_neg(), left })
}

fn len(vm: &Vm, range: &Ref<Range>) -> R<i64> {
    i64::try_from(range.len()).map_err(|_| vm.overflow_error("Python int too large to convert to C ssize_t"))
}

fn repr(_vm: &Vm, range: &Ref<Range>) -> String {
    match range.step {
        1 => format!("range({}, {})", range.start, range.stop),
        step => format!("range({}, {}, {step})", range.start, range.stop),
    }
}
