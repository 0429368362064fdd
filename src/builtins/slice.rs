//! The methods of `slice`.

use crate::native::{Integer, define_methods};
use crate::rows;
use crate::syntax::ast::CmpOp;
use crate::value::{R, Ref, Slice, Value};
use crate::vm::Vm;
use crate::vm::function::Args;

/// Fills the class in.
pub fn install(vm: &Vm) {
    let class = &vm.types.slice;
    class.is_final.set(true);
    define_methods(
        vm,
        class,
        &rows![
            raw "__new__", "start, stop=None, step=None, /" => new;
            "indices", "length, /" => indices(0 1);
            "__eq__", "value, /" => eq(0 1);
            "__ge__", "value, /" => ge(0 1);
            "__gt__", "value, /" => gt(0 1);
            "__hash__", "" => hash(0);
            "__le__", "value, /" => le(0 1);
            "__lt__", "value, /" => lt(0 1);
            "__ne__", "value, /" => ne(0 1);
            "__repr__", "" => repr(0);
            get "start" => start(0);
            get "stop" => stop(0);
            get "step" => step(0);
        ],
    );
}

fn new(vm: &Vm, args: Args<'_>) -> R {
    if !args.keywords.is_empty() {
        return Err(vm.type_error("slice() takes no keyword arguments"));
    }
    let (start, stop, step) = match args.positional.get(1..).unwrap_or_default() {
        [stop] => (Value::None, stop.clone(), Value::None),
        [start, stop] => (start.clone(), stop.clone(), Value::None),
        [start, stop, step] => (start.clone(), stop.clone(), step.clone()),
        [] => return Err(vm.type_error("slice expected at least 1 argument, got 0")),
        more => return Err(vm.type_error(format!("slice expected at most 3 arguments, got {}", more.len()))),
    };
    Ok(Value::from(vm.heap.alloc(Slice { start, stop, step })))
}

fn start(_vm: &Vm, slice: &Ref<Slice>) -> Value {
    slice.start.clone()
}

fn stop(_vm: &Vm, slice: &Ref<Slice>) -> Value {
    slice.stop.clone()
}

fn step(_vm: &Vm, slice: &Ref<Slice>) -> Value {
    slice.step.clone()
}

fn indices(vm: &Vm, slice: &Ref<Slice>, length: Integer) -> R {
    if length.0.sign() == dashu_int::Sign::Negative {
        return Err(vm.value_error("length should not be negative"));
    }
    let parts = vm.slice_indices(slice, &length.0)?;
    Ok(Value::from(vm.heap.tuple(parts.map(|part| vm.heap.int(part)))))
}

fn parts(slice: &Slice) -> [Value; 3] {
    [slice.start.clone(), slice.stop.clone(), slice.step.clone()]
}

fn compare(vm: &Vm, op: CmpOp, slice: &Ref<Slice>, other: &Value) -> R {
    match other.downcast::<Slice>() {
        Some(other) => vm.items_compare(op, &parts(slice)[..], &parts(other)[..]),
        None => Ok(Value::NotImplemented),
    }
}

super::comparisons::comparisons!(compare, Slice);

fn hash(vm: &Vm, slice: &Ref<Slice>) -> R<i64> {
    vm.hash(&Value::from(vm.heap.tuple(parts(slice))))
}

fn repr(vm: &Vm, slice: &Ref<Slice>) -> R<String> {
    let [start, stop, step] = parts(slice);
    let (start, stop, step) = (vm.repr(&start)?, vm.repr(&stop)?, vm.repr(&step)?);
    Ok(format!("slice({}, {}, {})", start.as_str(), stop.as_str(), step.as_str()))
}
