//! Iterators over one source (or none): `count`, `cycle`, `repeat`, `accumulate`, `compress`, `dropwhile`, `takewhile`,
//! `filterfalse`, `islice`, `starmap`, `pairwise`, `batched`.

use std::cell::Cell;

use super::super::support::{Meter, NativeIterator, iterator_class, wrap_new};
use crate::syntax::ast::Operator;
use crate::value::{Class, Payload, R, Ref, Shared, Value, Visitor};
use crate::vm::Vm;
use crate::{native_kind, rows};

pub fn classes(vm: &Vm) -> Vec<Ref<Class>> {
    vec![
        iterator_class::<Count>(
            vm,
            "itertools",
            "count",
            &rows![
                static "__new__", "cls, start=0, step=1" => count_new(0 1 2);
                "__repr__", "" => count_repr(0);
            ],
        ),
        iterator_class::<Cycle>(vm, "itertools", "cycle", &rows![static "__new__", "cls, iterable, /" => cycle_new(0 1);]),
        iterator_class::<Repeat>(
            vm,
            "itertools",
            "repeat",
            &rows![
                static "__new__", "cls, object, times=None" => repeat_new(0 1 2);
                "__repr__", "" => repeat_repr(0);
                "__length_hint__", "" => repeat_length_hint(0);
            ],
        ),
        iterator_class::<Accumulate>(
            vm,
            "itertools",
            "accumulate",
            &rows![static "__new__", "cls, iterable, func=None, *, initial=None" => accumulate_new(0 1 2 3);],
        ),
        iterator_class::<Compress>(
            vm,
            "itertools",
            "compress",
            &rows![static "__new__", "cls, data, selectors" => compress_new(0 1 2);],
        ),
        iterator_class::<DropWhile>(
            vm,
            "itertools",
            "dropwhile",
            &rows![static "__new__", "cls, predicate, iterable, /" => dropwhile_new(0 1 2);],
        ),
        iterator_class::<TakeWhile>(
            vm,
            "itertools",
            "takewhile",
            &rows![static "__new__", "cls, predicate, iterable, /" => takewhile_new(0 1 2);],
        ),
        iterator_class::<FilterFalse>(
            vm,
            "itertools",
            "filterfalse",
            &rows![static "__new__", "cls, function, iterable, /" => filterfalse_new(0 1 2);],
        ),
        iterator_class::<Slice>(
            vm,
            "itertools",
            "islice",
            &rows![static "__new__", "cls, iterable, start, stop=None, step=None, /" => islice_new(0 1 2 3 4);],
        ),
        iterator_class::<StarMap>(
            vm,
            "itertools",
            "starmap",
            &rows![static "__new__", "cls, function, iterable, /" => starmap_new(0 1 2);],
        ),
        iterator_class::<Pairwise>(
            vm,
            "itertools",
            "pairwise",
            &rows![static "__new__", "cls, iterable, /" => pairwise_new(0 1);],
        ),
        iterator_class::<Batched>(
            vm,
            "itertools",
            "batched",
            &rows![static "__new__", "cls, iterable, n" => batched_new(0 1 2);],
        ),
    ]
}

/// Implements `Payload` for an iterator: its fixed values, then its changing ones.
macro_rules! payload {
    ($name:ident: $($fixed:ident)*; $($changing:ident)*) => {
        impl Payload for $name {
            native_kind!();
            const CONTAINER: bool = true;

            fn trace(&self, visitor: &mut Visitor<'_>) {
                let _ = &visitor;
                $(visitor.value(&self.$fixed);)*
                $(self.$changing.with(|value| visitor.value(value));)*
            }

            fn clear(&self) {
                $(self.$changing.set(Value::None);)*
            }
        }
    };
}

/// `count(start, step)`: an unending arithmetic sequence.
struct Count {
    step: Value,
    at: Shared<Value>,
}

payload!(Count: step; at);

fn is_number(vm: &Vm, value: &Value) -> R<bool> {
    if matches!(value, Value::Int(_) | Value::Bool(_) | Value::Float(_)) {
        return Ok(true);
    }
    let class = vm.class_of(value);
    Ok([&vm.n.__index__, &vm.n.__float__, &vm.n.__int__].iter().any(|name| !class.lookup(name).is_undef())
        || class.is_subclass(&vm.types.complex))
}

fn count_new(vm: &Vm, class: &Value, start: &Value, step: &Value) -> R {
    let or = |value: &Value, default| if value.is_undef() { Value::Int(default) } else { value.clone() };
    let (start, step) = (or(start, 0), or(step, 1));
    if !is_number(vm, &start)? || !is_number(vm, &step)? {
        return Err(vm.type_error("a number is required"));
    }
    wrap_new(vm, class, vm.heap.alloc(Count { step, at: Shared::new(start) }).into())
}

impl NativeIterator for Count {
    fn next(&self, vm: &Vm) -> R<Option<Value>> {
        let at = self.at.get();
        let next = match (&at, &self.step) {
            (Value::Int(a), Value::Int(b)) if a.checked_add(*b).is_some() => Value::Int(a + b),
            (a, b) => vm.binary(Operator::Add, a, b)?,
        };
        self.at.set(next);
        Ok(Some(at))
    }
}

fn count_repr(vm: &Vm, this: &Ref<Count>) -> R<String> {
    let at = vm.repr(&this.at.get())?;
    Ok(match this.step {
        Value::Int(1) => format!("count({})", at.as_str()),
        _ => format!("count({}, {})", at.as_str(), vm.repr(&this.step)?.as_str()),
    })
}

/// `cycle(iterable)`: the source, then what it gave, over and over.
struct Cycle {
    /// `None` when exhausted.
    source: Shared<Value>,
    /// A list.
    seen: Value,
    index: Cell<usize>,
}

payload!(Cycle: seen; source);

fn cycle_new(vm: &Vm, class: &Value, iterable: &Value) -> R {
    let source = Shared::new(vm.iter(iterable)?);
    let seen = Value::from(vm.heap.list(Vec::new()));
    wrap_new(vm, class, vm.heap.alloc(Cycle { source, seen, index: Cell::new(0) }).into())
}

impl NativeIterator for Cycle {
    fn next(&self, vm: &Vm) -> R<Option<Value>> {
        let Some(seen) = self.seen.downcast::<crate::value::List>() else { return Ok(None) };
        let source = self.source.get();
        if !source.is_none() {
            if let Some(item) = vm.next(&source)? {
                seen.push(item.clone());
                return Ok(Some(item));
            }
            self.source.set(Value::None);
        }
        let index = self.index.get();
        let item = seen.get(index);
        self.index.set(if index + 1 >= seen.len() { 0 } else { index + 1 });
        Ok(item)
    }
}

/// `repeat(object, times)`.
struct Repeat {
    object: Value,
    /// Negative: without end.
    left: Cell<i64>,
}

payload!(Repeat: object;);

fn repeat_new(vm: &Vm, class: &Value, object: Value, times: &Value) -> R {
    let left = if times.is_undef() { -1 } else { vm.index_i64(times)?.max(0) };
    wrap_new(vm, class, vm.heap.alloc(Repeat { object, left: Cell::new(left) }).into())
}

impl NativeIterator for Repeat {
    fn next(&self, _vm: &Vm) -> R<Option<Value>> {
        match self.left.get() {
            0 => return Ok(None),
            left if left > 0 => self.left.set(left - 1),
            _ => {}
        }
        Ok(Some(self.object.clone()))
    }
}

fn repeat_repr(vm: &Vm, this: &Ref<Repeat>) -> R<String> {
    let object = vm.repr(&this.object)?;
    Ok(match this.left.get() {
        left if left < 0 => format!("repeat({})", object.as_str()),
        left => format!("repeat({}, {left})", object.as_str()),
    })
}

fn repeat_length_hint(vm: &Vm, this: &Ref<Repeat>) -> R<i64> {
    match this.left.get() {
        left if left < 0 => Err(vm.type_error("len() of unsized object")),
        left => Ok(left),
    }
}

/// `accumulate(iterable, func, initial)`: running totals.
struct Accumulate {
    source: Value,
    /// `None` means addition.
    function: Value,
    /// `Undef` before the first item.
    total: Shared<Value>,
    /// Given, and not yet delivered.
    initial: Shared<Value>,
}

payload!(Accumulate: source function; total initial);

fn accumulate_new(vm: &Vm, class: &Value, iterable: &Value, function: &Value, initial: &Value) -> R {
    let or_none = |value: &Value| if value.is_undef() { Value::None } else { value.clone() };
    let made = Accumulate {
        source: vm.iter(iterable)?,
        function: or_none(function),
        total: Shared::default(),
        initial: Shared::new(or_none(initial)),
    };
    wrap_new(vm, class, vm.heap.alloc(made).into())
}

impl NativeIterator for Accumulate {
    fn next(&self, vm: &Vm) -> R<Option<Value>> {
        let initial = self.initial.replace(Value::None);
        if !initial.is_none() {
            self.total.set(initial.clone());
            return Ok(Some(initial));
        }
        let Some(item) = vm.next(&self.source)? else { return Ok(None) };
        let total = self.total.get();
        let next = if total.is_undef() {
            item
        } else if self.function.is_none() {
            vm.binary(Operator::Add, &total, &item)?
        } else {
            vm.call(&self.function, &[total, item])?
        };
        self.total.set(next.clone());
        Ok(Some(next))
    }
}

/// `compress(data, selectors)`.
struct Compress {
    data: Value,
    selectors: Value,
}

payload!(Compress: data selectors;);

fn compress_new(vm: &Vm, class: &Value, data: &Value, selectors: &Value) -> R {
    let made = Compress { data: vm.iter(data)?, selectors: vm.iter(selectors)? };
    wrap_new(vm, class, vm.heap.alloc(made).into())
}

impl NativeIterator for Compress {
    fn next(&self, vm: &Vm) -> R<Option<Value>> {
        let mut meter = Meter::default();
        loop {
            meter.step(vm)?;
            let Some(item) = vm.next(&self.data)? else { return Ok(None) };
            let Some(selector) = vm.next(&self.selectors)? else { return Ok(None) };
            if vm.truthy(&selector)? {
                return Ok(Some(item));
            }
        }
    }
}

/// `dropwhile(predicate, iterable)`.
struct DropWhile {
    predicate: Value,
    source: Value,
    started: Cell<bool>,
}

payload!(DropWhile: predicate source;);

fn dropwhile_new(vm: &Vm, class: &Value, predicate: Value, iterable: &Value) -> R {
    let made = DropWhile { predicate, source: vm.iter(iterable)?, started: Cell::new(false) };
    wrap_new(vm, class, vm.heap.alloc(made).into())
}

impl NativeIterator for DropWhile {
    fn next(&self, vm: &Vm) -> R<Option<Value>> {
        let mut meter = Meter::default();
        loop {
            meter.step(vm)?;
            let Some(item) = vm.next(&self.source)? else { return Ok(None) };
            if self.started.get() {
                return Ok(Some(item));
            }
            let dropped = vm.call(&self.predicate, std::slice::from_ref(&item))?;
            if !vm.truthy(&dropped)? {
                self.started.set(true);
                return Ok(Some(item));
            }
        }
    }
}

/// `takewhile(predicate, iterable)`.
struct TakeWhile {
    predicate: Value,
    source: Value,
    stopped: Cell<bool>,
}

payload!(TakeWhile: predicate source;);

fn takewhile_new(vm: &Vm, class: &Value, predicate: Value, iterable: &Value) -> R {
    let made = TakeWhile { predicate, source: vm.iter(iterable)?, stopped: Cell::new(false) };
    wrap_new(vm, class, vm.heap.alloc(made).into())
}

impl NativeIterator for TakeWhile {
    fn next(&self, vm: &Vm) -> R<Option<Value>> {
        if self.stopped.get() {
            return Ok(None);
        }
        let Some(item) = vm.next(&self.source)? else { return Ok(None) };
        let taken = vm.call(&self.predicate, std::slice::from_ref(&item))?;
        if vm.truthy(&taken)? {
            return Ok(Some(item));
        }
        self.stopped.set(true);
        Ok(None)
    }
}

/// `filterfalse(function, iterable)`.
struct FilterFalse {
    function: Value,
    source: Value,
}

payload!(FilterFalse: function source;);

fn filterfalse_new(vm: &Vm, class: &Value, function: Value, iterable: &Value) -> R {
    let made = FilterFalse { function, source: vm.iter(iterable)? };
    wrap_new(vm, class, vm.heap.alloc(made).into())
}

impl NativeIterator for FilterFalse {
    fn next(&self, vm: &Vm) -> R<Option<Value>> {
        let mut meter = Meter::default();
        loop {
            meter.step(vm)?;
            let Some(item) = vm.next(&self.source)? else { return Ok(None) };
            let kept = if self.function.is_none() {
                vm.truthy(&item)?
            } else {
                let result = vm.call(&self.function, std::slice::from_ref(&item))?;
                vm.truthy(&result)?
            };
            if !kept {
                return Ok(Some(item));
            }
        }
    }
}

/// `islice(iterable, start, stop, step)`.
struct Slice {
    /// `None` when done.
    source: Shared<Value>,
    /// How many items have been taken from the source, which to take next, and where to end (negative: nowhere).
    at: Cell<i64>,
    wanted: Cell<i64>,
    stop: i64,
    step: i64,
}

payload!(Slice: ; source);

fn islice_new(vm: &Vm, class: &Value, iterable: &Value, start: &Value, stop: &Value, step: &Value) -> R {
    let bound = |value: &Value| match value {
        Value::None => Some(None),
        value => {
            let index = vm.index_i64(value);
            match index {
                Ok(i) if i >= 0 => Some(Some(i)),
                Ok(_) => None,
                Err(_) => {
                    drop(vm.take_raised());
                    None
                }
            }
        }
    };
    let bad = "must be None or an integer: 0 <= x <= sys.maxsize.";
    // A stop of -1 is told apart from those below.
    let is_below = |stop: &Value| matches!(stop, Value::Int(i) if *i < -1);
    if is_below(if stop.is_undef() { start } else { stop }) {
        return Err(vm.value_error(format!("Indices for islice() {bad}")));
    }
    let (start, stop) = if stop.is_undef() {
        match bound(start) {
            Some(stop) => (0, stop),
            None => return Err(vm.value_error(format!("Stop argument for islice() {bad}"))),
        }
    } else {
        let Some(stop) = bound(stop) else {
            return Err(vm.value_error(format!("Stop argument for islice() {bad}")));
        };
        match bound(start) {
            Some(start) => (start.unwrap_or(0), stop),
            None => return Err(vm.value_error(format!("Indices for islice() {bad}"))),
        }
    };
    let step = match step {
        Value::Undef | Value::None => 1,
        step => match bound(step) {
            Some(Some(step)) if step > 0 => step,
            _ => return Err(vm.value_error("Step for islice() must be a positive integer or None.")),
        },
    };
    let made = Slice {
        source: Shared::new(vm.iter(iterable)?),
        at: Cell::new(0),
        wanted: Cell::new(start),
        stop: stop.unwrap_or(-1),
        step,
    };
    wrap_new(vm, class, vm.heap.alloc(made).into())
}

impl NativeIterator for Slice {
    fn next(&self, vm: &Vm) -> R<Option<Value>> {
        let source = self.source.get();
        if source.is_none() {
            return Ok(None);
        }
        let end = |this: &Slice| {
            this.source.set(Value::None);
            Ok(None)
        };
        let mut meter = Meter::default();
        let upto = if self.stop >= 0 { self.wanted.get().min(self.stop) } else { self.wanted.get() };
        while self.at.get() < upto {
            meter.step(vm)?;
            if vm.next(&source)?.is_none() {
                return end(self);
            }
            self.at.set(self.at.get() + 1);
        }
        if self.stop >= 0 && self.at.get() >= self.stop {
            return end(self);
        }
        let Some(item) = vm.next(&source)? else { return end(self) };
        self.at.set(self.at.get() + 1);
        let next = self.wanted.get().saturating_add(self.step);
        self.wanted.set(if self.stop >= 0 { next.min(self.stop) } else { next });
        Ok(Some(item))
    }
}

/// `starmap(function, iterable)`.
struct StarMap {
    function: Value,
    source: Value,
}

payload!(StarMap: function source;);

fn starmap_new(vm: &Vm, class: &Value, function: Value, iterable: &Value) -> R {
    let made = StarMap { function, source: vm.iter(iterable)? };
    wrap_new(vm, class, vm.heap.alloc(made).into())
}

impl NativeIterator for StarMap {
    fn next(&self, vm: &Vm) -> R<Option<Value>> {
        let Some(args) = vm.next(&self.source)? else { return Ok(None) };
        if let Some(items) = args.as_tuple() {
            return vm.call(&self.function, items).map(Some);
        }
        let items = vm.collect(&args)?;
        vm.call(&self.function, &items).map(Some)
    }
}

/// `pairwise(iterable)`.
struct Pairwise {
    source: Value,
    /// `Undef` before the first item.
    last: Shared<Value>,
}

payload!(Pairwise: source; last);

fn pairwise_new(vm: &Vm, class: &Value, iterable: &Value) -> R {
    let made = Pairwise { source: vm.iter(iterable)?, last: Shared::default() };
    wrap_new(vm, class, vm.heap.alloc(made).into())
}

impl NativeIterator for Pairwise {
    fn next(&self, vm: &Vm) -> R<Option<Value>> {
        let mut last = self.last.get();
        if last.is_undef() {
            match vm.next(&self.source)? {
                Some(first) => last = first,
                None => return Ok(None),
            }
        }
        let Some(item) = vm.next(&self.source)? else { return Ok(None) };
        self.last.set(item.clone());
        Ok(Some(vm.heap.tuple([last, item]).into()))
    }
}

/// `batched(iterable, n)`.
struct Batched {
    /// `None` when done.
    source: Shared<Value>,
    size: usize,
}

payload!(Batched: ; source);

fn batched_new(vm: &Vm, class: &Value, iterable: &Value, n: i64) -> R {
    if n < 1 {
        return Err(vm.value_error("n must be at least one"));
    }
    let made = Batched { source: Shared::new(vm.iter(iterable)?), size: n as usize };
    wrap_new(vm, class, vm.heap.alloc(made).into())
}

impl NativeIterator for Batched {
    fn next(&self, vm: &Vm) -> R<Option<Value>> {
        let source = self.source.get();
        if source.is_none() {
            return Ok(None);
        }
        let mut meter = Meter::default();
        let mut items = Vec::with_capacity(self.size.min(64));
        while items.len() < self.size {
            meter.step(vm)?;
            if items.len() == items.capacity() {
                vm.check_alloc_items(items.len() * 2, size_of::<Value>())?;
            }
            match vm.next(&source)? {
                Some(item) => items.push(item),
                None => {
                    self.source.set(Value::None);
                    break;
                }
            }
        }
        if items.is_empty() {
            return Ok(None);
        }
        Ok(Some(vm.heap.tuple(items).into()))
    }
}
