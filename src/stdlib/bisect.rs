//! `bisect`: places in sorted sequences.

use crate::native::{ModuleRow, new_module};
use crate::rows;
use crate::value::{List, Module, R, Ref, Value};
use crate::vm::Vm;

pub const MODULE: ModuleRow = ModuleRow { name: "bisect", load };

fn load(vm: &Vm) -> R<Ref<Module>> {
    Ok(new_module(
        vm,
        "bisect",
        "Bisection algorithms.",
        &rows![
            "bisect", "a, x, lo=0, hi=None, *, key=None" => bisect_right(0 1 2 3 4);
            "bisect_left", "a, x, lo=0, hi=None, *, key=None" => bisect_left(0 1 2 3 4);
            "bisect_right", "a, x, lo=0, hi=None, *, key=None" => bisect_right(0 1 2 3 4);
            "insort", "a, x, lo=0, hi=None, *, key=None" => insort_right(0 1 2 3 4);
            "insort_left", "a, x, lo=0, hi=None, *, key=None" => insort_left(0 1 2 3 4);
            "insort_right", "a, x, lo=0, hi=None, *, key=None" => insort_right(0 1 2 3 4);
        ],
    ))
}

/// Which side of equal items.
#[derive(Clone, Copy, PartialEq)]
enum Side {
    Left,
    Right,
}

fn place(vm: &Vm, side: Side, a: &Value, x: &Value, lo: Option<i64>, hi: Option<i64>, key: &Value) -> R<i64> {
    let mut low = lo.unwrap_or(0);
    if low < 0 {
        return Err(vm.value_error("lo must be non-negative"));
    }
    let mut high = match hi {
        Some(hi) if hi != -1 => hi,
        _ => vm.len(a)? as i64,
    };
    while low < high {
        let middle = low + (high - low) / 2;
        let item = match a.downcast::<List>().and_then(|list| list.get(middle as usize)) {
            Some(item) => item,
            None => vm.get_item(a, &Value::Int(middle))?,
        };
        let item = match key {
            Value::Undef | Value::None => item,
            key => vm.call(key, &[item])?,
        };
        let go_right = match side {
            Side::Left => vm.lt(&item, x)?,
            Side::Right => !vm.lt(x, &item)?,
        };
        if go_right { low = middle + 1 } else { high = middle }
    }
    Ok(low)
}

fn insort(vm: &Vm, side: Side, a: &Value, x: Value, lo: Option<i64>, hi: Option<i64>, key: &Value) -> R<()> {
    let wanted = match key {
        Value::Undef | Value::None => x.clone(),
        key => vm.call(key, std::slice::from_ref(&x))?,
    };
    let index = place(vm, side, a, &wanted, lo, hi, key)?;
    if let Some(list) = a.downcast::<List>() {
        vm.charge(1 + list.len() as u64 / 1024)?;
        list.with_mut(|items| items.insert((index as usize).min(items.len()), x));
        return Ok(());
    }
    vm.call_method(a, &vm.intern("insert"), &[Value::Int(index), x]).map(drop)
}

fn bisect_left(vm: &Vm, a: &Value, x: &Value, lo: Option<i64>, hi: Option<i64>, key: &Value) -> R<i64> {
    place(vm, Side::Left, a, x, lo, hi, key)
}

fn bisect_right(vm: &Vm, a: &Value, x: &Value, lo: Option<i64>, hi: Option<i64>, key: &Value) -> R<i64> {
    place(vm, Side::Right, a, x, lo, hi, key)
}

fn insort_left(vm: &Vm, a: &Value, x: Value, lo: Option<i64>, hi: Option<i64>, key: &Value) -> R<()> {
    insort(vm, Side::Left, a, x, lo, hi, key)
}

fn insort_right(vm: &Vm, a: &Value, x: Value, lo: Option<i64>, hi: Option<i64>, key: &Value) -> R<()> {
    insort(vm, Side::Right, a, x, lo, hi, key)
}
