//! `heapq`: a list as a binary heap. Comparisons may run script code that changes the list, so every step looks at it anew.

use super::support::run_script;
use crate::native::{ModuleRow, new_module};
use crate::rows;
use crate::value::{List, Module, R, Raised, Ref, Value};
use crate::vm::Vm;
use crate::vm::operators::less_quickly;

pub const MODULE: ModuleRow = ModuleRow { name: "heapq", load };

fn load(vm: &Vm) -> R<Ref<Module>> {
    let module = new_module(
        vm,
        "heapq",
        "Heap queue algorithm (a.k.a. priority queue).",
        &rows![
            "heappush", "heap, item, /" => heappush(0 1);
            "heappop", "heap, /" => heappop(0);
            "heapify", "heap, /" => heapify(0);
            "heapreplace", "heap, item, /" => heapreplace(0 1);
            "heappushpop", "heap, item, /" => heappushpop(0 1);
            "_heapify_max", "heap, /" => heapify_max(0);
            "_heappop_max", "heap, /" => heappop_max(0);
            "_heapreplace_max", "heap, item, /" => heapreplace_max(0 1);
        ],
    );
    run_script(vm, &module, include_str!("heapq.script"))?;
    Ok(module)
}

fn list<'a>(vm: &Vm, name: &str, value: &'a Value) -> R<&'a Ref<List>> {
    match value.payload::<List>() {
        Some(list) => Ok(list),
        None => Err(vm.type_error(format!("{name} must be list, not {}", vm.class_of(value).name().as_str()))),
    }
}

#[cold]
fn changed(vm: &Vm) -> Raised {
    vm.runtime_error("list changed size during iteration")
}

#[cold]
fn empty(vm: &Vm) -> Raised {
    vm.index_error("index out of range")
}

/// Which of two items goes nearer to the root.
#[inline]
fn precedes(vm: &Vm, max: bool, a: &Value, b: &Value) -> R<bool> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => Ok(if max { b < a } else { a < b }),
        _ if max => vm.lt(b, a),
        _ => vm.lt(a, b),
    }
}

/// As `precedes`, if that needs no script code.
#[inline]
fn precedes_quickly(max: bool, a: &Value, b: &Value) -> Option<bool> {
    if max { less_quickly(b, a) } else { less_quickly(a, b) }
}

/// Moves the item at `position` towards the root as far as no script code is needed; where it is then, and whether it is at its place.
fn rise_quickly(items: &mut [Value], start: usize, mut position: usize, max: bool) -> (usize, bool) {
    while position > start {
        let parent = (position - 1) / 2;
        match precedes_quickly(max, &items[position], &items[parent]) {
            Some(true) => items.swap(position, parent),
            answer => return (position, answer.is_some()),
        }
        position = parent;
    }
    (position, true)
}

/// The same towards the leaves; where it is then.
fn sink_quickly(items: &mut [Value], mut position: usize, max: bool) -> usize {
    while 2 * position + 1 < items.len() {
        let mut child = 2 * position + 1;
        if let Some(right) = items.get(child + 1) {
            match precedes_quickly(max, &items[child], right) {
                Some(true) => {}
                Some(false) => child += 1,
                None => break,
            }
        }
        items.swap(position, child);
        position = child;
    }
    position
}

/// An item that must be there, since the length was checked before the last comparison.
fn at(vm: &Vm, heap: &Ref<List>, index: usize, len: usize) -> R {
    match heap.get(index) {
        Some(item) if heap.len() == len => Ok(item),
        _ => Err(changed(vm)),
    }
}

/// Moves the item at `position` towards the root, not beyond `start`.
fn rise(vm: &Vm, heap: &Ref<List>, start: usize, position: usize, max: bool) -> R<()> {
    let len = heap.len();
    let (mut position, done) = heap.with_mut(|items| rise_quickly(items, start, position, max));
    if done {
        return Ok(());
    }
    let item = at(vm, heap, position, len)?;
    while position > start {
        let parent = (position - 1) / 2;
        let above = at(vm, heap, parent, len)?;
        if !precedes(vm, max, &item, &above)? {
            break;
        }
        if heap.len() != len {
            return Err(changed(vm));
        }
        // Exchanged rather than shifted, so that the list is whole whenever script code looks.
        drop(heap.set(position, above));
        drop(heap.set(parent, item.clone()));
        position = parent;
    }
    Ok(())
}

/// Moves the item at `position` to a leaf along the smaller children, then back up to its place: fewer comparisons than stopping on
/// the way.
fn sink(vm: &Vm, heap: &Ref<List>, start: usize, max: bool) -> R<()> {
    let len = heap.len();
    let mut position = heap.with_mut(|items| sink_quickly(items, start, max));
    while 2 * position + 1 < len {
        let left = 2 * position + 1;
        let mut child = at(vm, heap, left, len)?;
        let mut index = left;
        if left + 1 < len {
            let right = at(vm, heap, left + 1, len)?;
            if !precedes(vm, max, &child, &right)? {
                (child, index) = (right, left + 1);
            }
        }
        let item = at(vm, heap, position, len)?;
        drop(heap.set(position, child));
        drop(heap.set(index, item));
        position = index;
    }
    rise(vm, heap, start, position, max)
}

fn push(vm: &Vm, heap: &Ref<List>, item: Value) -> R<()> {
    heap.push(item);
    rise(vm, heap, 0, heap.len() - 1, false)
}

fn pop(vm: &Vm, heap: &Ref<List>, max: bool) -> R {
    let Some(last) = heap.pop() else { return Err(empty(vm)) };
    let Some(first) = heap.get(0) else { return Ok(last) };
    drop(heap.set(0, last));
    sink(vm, heap, 0, max)?;
    Ok(first)
}

fn replace(vm: &Vm, heap: &Ref<List>, item: Value, max: bool) -> R {
    let Some(first) = heap.get(0) else { return Err(empty(vm)) };
    drop(heap.set(0, item));
    sink(vm, heap, 0, max)?;
    Ok(first)
}

fn make_heap(vm: &Vm, heap: &Ref<List>, max: bool) -> R<()> {
    for index in (0..heap.len() / 2).rev() {
        if index % 32 == 0 {
            vm.charge(8)?;
        }
        sink(vm, heap, index, max)?;
    }
    Ok(())
}

fn heappush(vm: &Vm, heap: &Value, item: Value) -> R<()> {
    push(vm, list(vm, "heappush() argument 1", heap)?, item)
}

fn heappop(vm: &Vm, heap: &Value) -> R {
    pop(vm, list(vm, "heappop() argument", heap)?, false)
}

fn heapify(vm: &Vm, heap: &Value) -> R<()> {
    make_heap(vm, list(vm, "heapify() argument", heap)?, false)
}

fn heapreplace(vm: &Vm, heap: &Value, item: Value) -> R {
    replace(vm, list(vm, "heapreplace() argument 1", heap)?, item, false)
}

fn heappushpop(vm: &Vm, heap: &Value, item: Value) -> R {
    let heap = list(vm, "heappushpop() argument 1", heap)?;
    match heap.get(0) {
        Some(first) if precedes(vm, false, &first, &item)? => replace(vm, heap, item, false),
        _ => Ok(item),
    }
}

fn heapify_max(vm: &Vm, heap: &Value) -> R<()> {
    make_heap(vm, list(vm, "_heapify_max() argument", heap)?, true)
}

fn heappop_max(vm: &Vm, heap: &Value) -> R {
    pop(vm, list(vm, "_heappop_max() argument", heap)?, true)
}

fn heapreplace_max(vm: &Vm, heap: &Value, item: Value) -> R {
    replace(vm, list(vm, "_heapreplace_max() argument 1", heap)?, item, true)
}
