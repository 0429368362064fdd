//! `gc`: the cycle collector.

use std::cell::Cell;

use super::support::add;
use crate::native::{ModuleRow, new_module};
use crate::rows;
use crate::value::{Module, R, Ref, Value};
use crate::vm::Vm;

pub const MODULE: ModuleRow = ModuleRow { name: "gc", load };

/// What scripts have set. The collector runs by itself when containers have piled up, whatever is set here: memory stays bounded.
struct Settings {
    enabled: Cell<bool>,
    threshold: Cell<(i64, i64, i64)>,
}

fn load(vm: &Vm) -> R<Ref<Module>> {
    let module = new_module(
        vm,
        "gc",
        "The cycle collector.",
        &rows![
            "collect", "generation=2" => collect(0);
            "enable", "" => enable();
            "disable", "" => disable();
            "isenabled", "" => isenabled();
            "get_count", "" => get_count();
            "get_threshold", "" => get_threshold();
            "set_threshold", "threshold0, threshold1=None, threshold2=None, /" => set_threshold(0 1 2);
            "get_debug", "" => get_debug();
            "is_tracked", "obj, /" => is_tracked(0);
            "freeze", "" => nothing();
            "unfreeze", "" => nothing();
        ],
    );
    add(vm, &module, "garbage", vm.heap.list(Vec::new()).into());
    add(vm, &module, "callbacks", vm.heap.list(Vec::new()).into());
    Ok(module)
}

fn settings(vm: &Vm) -> std::rc::Rc<Settings> {
    vm.extension(|| Settings { enabled: Cell::new(true), threshold: Cell::new((700, 10, 10)) })
}

fn collect(vm: &Vm, generation: Option<i64>) -> R<i64> {
    if !(0..=2).contains(&generation.unwrap_or(2)) {
        return Err(vm.value_error("invalid generation"));
    }
    // Looking through all objects is work that counts.
    vm.charge(1 + vm.heap.bytes() as u64 / 1024)?;
    let found = vm.collect_cycles();
    Ok(found as i64)
}

fn enable(vm: &Vm) {
    settings(vm).enabled.set(true);
}

fn disable(vm: &Vm) {
    settings(vm).enabled.set(false);
}

fn isenabled(vm: &Vm) -> bool {
    settings(vm).enabled.get()
}

fn get_count(vm: &Vm) -> Value {
    vm.heap.tuple([0, 0, 0].map(Value::Int)).into()
}

fn get_threshold(vm: &Vm) -> Value {
    let (a, b, c) = settings(vm).threshold.get();
    vm.heap.tuple([a, b, c].map(Value::Int)).into()
}

fn set_threshold(vm: &Vm, first: i64, second: Option<i64>, third: Option<i64>) {
    let (_, b, c) = settings(vm).threshold.get();
    settings(vm).threshold.set((first, second.unwrap_or(b), third.unwrap_or(c)));
}

fn get_debug(_vm: &Vm) -> i64 {
    0
}

fn is_tracked(_vm: &Vm, object: &Value) -> bool {
    use crate::value::Kind;
    !matches!(object.kind(), Kind::Free | Kind::Str | Kind::Bytes | Kind::ByteArray | Kind::BigInt | Kind::Range)
}

fn nothing(_vm: &Vm) {}
