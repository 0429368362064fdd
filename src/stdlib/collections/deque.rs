//! `collections.deque`.

use std::cell::Cell;
use std::collections::VecDeque;

use super::super::support::{Meter, NativeIterator, iterator_class, repr_guarded};
use crate::native::Given;
use crate::native::define_class;
use crate::syntax::ast::CmpOp;
use crate::value::{Class, Payload, R, Raised, Ref, Shared, Value, Visitor};
use crate::vm::Vm;
use crate::{native_kind, rows};

const ITEM: usize = size_of::<Value>();

pub fn class(vm: &Vm) -> Ref<Class> {
    iterator_class::<DequeIterator>(vm, "collections", "_deque_iterator", &rows!["__length_hint__", "/" => iterator_length(0);]);
    iterator_class::<DequeReverseIterator>(vm, "collections", "_deque_reverse_iterator", &[]);
    define_class::<Deque>(
        vm,
        "collections",
        "deque",
        &rows![
            static "__new__", "cls, *args, **kwargs" => deque_new(0);
            "__init__", "iterable=(), maxlen=None" => deque_init(0 1 2);
            "append", "item, /" => append(0 1);
            "appendleft", "item, /" => appendleft(0 1);
            "clear", "/" => clear(0);
            "copy", "/" => copy(0);
            "count", "value, /" => count(0 1);
            "extend", "iterable, /" => extend(0 1);
            "extendleft", "iterable, /" => extendleft(0 1);
            "index", "value, start=0, stop=None, /" => index(0 1 2 3);
            "insert", "index, value, /" => insert(0 1 2);
            "pop", "/" => pop(0);
            "popleft", "/" => popleft(0);
            "remove", "value, /" => remove(0 1);
            "reverse", "/" => reverse(0);
            "rotate", "n=1, /" => rotate(0 1);
            get "maxlen" => maxlen(0);
            "__len__", "/" => length(0);
            "__bool__", "/" => is_filled(0);
            "__contains__", "value, /" => contains(0 1);
            "__getitem__", "index, /" => getitem(0 1);
            "__setitem__", "index, value, /" => setitem(0 1 2);
            "__delitem__", "index, /" => delitem(0 1);
            "__iter__", "/" => iter(0);
            "__reversed__", "/" => reversed(0);
            "__copy__", "/" => copy(0);
            "__reduce__", "/" => reduce(0);
            "__add__", "other, /" => add(0 1);
            "__iadd__", "other, /" => iadd(0 1);
            "__mul__", "n, /" => mul(0 1);
            "__rmul__", "n, /" => mul(0 1);
            "__imul__", "n, /" => imul(0 1);
            "__eq__", "other, /" => eq(0 1);
            "__ne__", "other, /" => ne(0 1);
            "__lt__", "other, /" => lt(0 1);
            "__le__", "other, /" => le(0 1);
            "__gt__", "other, /" => gt(0 1);
            "__ge__", "other, /" => ge(0 1);
            "__repr__", "/" => repr(0);
            class "__class_getitem__", "item, /" => class_getitem(0 1);
        ],
    )
}

/// The payload of a deque.
#[derive(Default)]
struct Deque {
    items: Shared<VecDeque<Value>>,
    maxlen: Cell<Option<usize>>,
    /// Changes with the number or order of items: iterators notice.
    version: Cell<u64>,
}

impl Payload for Deque {
    native_kind!();
    const CONTAINER: bool = true;
    const BUFFERS: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        self.items.with(|items| visitor.values(items));
    }

    fn clear(&self) {
        drop(self.items.take());
    }

    fn buffers(&self) -> usize {
        self.items.with(|items| items.capacity() * ITEM)
    }
}

impl Deque {
    fn len(&self) -> usize {
        self.items.with(VecDeque::len)
    }

    fn get(&self, index: usize) -> Option<Value> {
        self.items.with(|items| items.get(index).cloned())
    }

    /// Changes the items; what is removed is to be returned.
    fn change<T>(&self, vm: &Vm, change: impl FnOnce(&mut VecDeque<Value>) -> T) -> T {
        self.version.set(self.version.get().wrapping_add(1));
        let (result, before, after) = self.items.with_mut(|items| {
            let before = items.capacity();
            let result = change(items);
            (result, before * ITEM, items.capacity() * ITEM)
        });
        if before != after {
            vm.heap.charge(after);
            vm.heap.discharge(before);
        }
        result
    }

    /// Adds at the right; an item too many falls out at the left.
    fn push(&self, vm: &Vm, item: Value) {
        let max = self.maxlen.get();
        let fallen = self.change(vm, |items| match max {
            Some(0) => Some(item),
            max => {
                let fallen = if max == Some(items.len()) { items.pop_front() } else { None };
                items.push_back(item);
                fallen
            }
        });
        drop(fallen);
    }

    fn push_left(&self, vm: &Vm, item: Value) {
        let max = self.maxlen.get();
        let fallen = self.change(vm, |items| match max {
            Some(0) => Some(item),
            max => {
                let fallen = if max == Some(items.len()) { items.pop_back() } else { None };
                items.push_front(item);
                fallen
            }
        });
        drop(fallen);
    }
}

fn deque_new(vm: &Vm, class: &Ref<Class>) -> R {
    vm.wrap_new(class, vm.heap.alloc(Deque::default()).into())
}

fn deque_init(vm: &Vm, this: &Ref<Deque>, iterable: &Value, maxlen: &Value) -> R<()> {
    let max = match maxlen {
        Value::Undef | Value::None => None,
        value => match vm.index(value) {
            Ok(Value::Int(max)) if max >= 0 => Some(max as usize),
            Ok(_) => return Err(vm.value_error("maxlen must be non-negative")),
            Err(_) => {
                drop(vm.take_raised());
                return Err(vm.type_error("an integer is required"));
            }
        },
    };
    this.maxlen.set(max);
    drop(this.change(vm, std::mem::take));
    if iterable.is_undef() { Ok(()) } else { extend_with(vm, this, iterable) }
}

fn extend_with(vm: &Vm, this: &Ref<Deque>, iterable: &Value) -> R<()> {
    let mut meter = Meter::default();
    vm.for_each(iterable, &mut |item| {
        meter.step(vm)?;
        this.push(vm, item);
        Ok(true)
    })
}

/// The items of `iterable`, copied first if they are those of `this`.
fn source(vm: &Vm, this: &Ref<Deque>, iterable: &Value) -> R {
    match iterable.payload::<Deque>() {
        Some(other) if other.is(this) => {
            vm.check_alloc_items(this.len(), ITEM)?;
            Ok(vm.heap.list(this.items.with(|items| items.iter().cloned().collect())).into())
        }
        _ => Ok(iterable.clone()),
    }
}

fn append(vm: &Vm, this: &Ref<Deque>, item: Value) {
    this.push(vm, item);
}

fn appendleft(vm: &Vm, this: &Ref<Deque>, item: Value) {
    this.push_left(vm, item);
}

fn extend(vm: &Vm, this: &Ref<Deque>, iterable: &Value) -> R<()> {
    let iterable = source(vm, this, iterable)?;
    extend_with(vm, this, &iterable)
}

fn extendleft(vm: &Vm, this: &Ref<Deque>, iterable: &Value) -> R<()> {
    let iterable = source(vm, this, iterable)?;
    let mut meter = Meter::default();
    vm.for_each(&iterable, &mut |item| {
        meter.step(vm)?;
        this.push_left(vm, item);
        Ok(true)
    })
}

fn pop(vm: &Vm, this: &Ref<Deque>) -> R {
    this.change(vm, VecDeque::pop_back).ok_or_else(|| vm.index_error("pop from an empty deque"))
}

fn popleft(vm: &Vm, this: &Ref<Deque>) -> R {
    this.change(vm, VecDeque::pop_front).ok_or_else(|| vm.index_error("pop from an empty deque"))
}

fn clear(vm: &Vm, this: &Ref<Deque>) {
    drop(this.change(vm, std::mem::take));
}

/// Another deque with the same items, of the same class.
fn copy(vm: &Vm, this: &Value) -> R {
    let Some(deque) = this.payload::<Deque>() else { return Err(vm.type_error("a deque is required")) };
    let class = vm.class_of(this);
    if !class.is_script {
        return copied(vm, deque);
    }
    match deque.maxlen.get() {
        None => vm.call(&Value::from(&class), std::slice::from_ref(this)),
        Some(max) => vm.call(&Value::from(&class), &[this.clone(), vm.heap.int128(max as i128)]),
    }
}

fn copied(vm: &Vm, deque: &Ref<Deque>) -> R {
    vm.check_alloc_items(deque.len(), ITEM)?;
    vm.charge(deque.len() as u64 / 64)?;
    let items = deque.items.get();
    vm.heap.charge(items.capacity() * ITEM);
    let made = Deque { items: Shared::new(items), maxlen: deque.maxlen.clone(), version: Cell::new(0) };
    Ok(vm.heap.alloc(made).into())
}

fn reduce(vm: &Vm, this: &Value) -> R {
    let Some(deque) = this.payload::<Deque>() else { return Err(vm.type_error("a deque is required")) };
    let max = deque.maxlen.get().map_or(Value::None, |max| vm.heap.int128(max as i128));
    let items = Value::from(vm.heap.list(deque.items.with(|items| items.iter().cloned().collect())));
    let args = Value::from(vm.heap.tuple([items, max]));
    Ok(vm.heap.tuple([Value::from(vm.class_of(this)), args]).into())
}

#[cold]
fn mutated(vm: &Vm) -> Raised {
    vm.runtime_error("deque mutated during iteration")
}

/// The first index from `start` to `stop` whose item equals `value`.
fn find(vm: &Vm, this: &Ref<Deque>, value: &Value, start: usize, stop: usize) -> R<Option<usize>> {
    let version = this.version.get();
    let mut meter = Meter::default();
    for index in start..stop {
        meter.step(vm)?;
        let Some(item) = this.get(index) else { return Ok(None) };
        let equal = vm.eq(&item, value)?;
        if this.version.get() != version {
            return Err(mutated(vm));
        }
        if equal {
            return Ok(Some(index));
        }
    }
    Ok(None)
}

fn contains(vm: &Vm, this: &Ref<Deque>, value: &Value) -> R<bool> {
    Ok(find(vm, this, value, 0, this.len())?.is_some())
}

fn count(vm: &Vm, this: &Ref<Deque>, value: &Value) -> R<i64> {
    let (mut count, mut from) = (0, 0);
    while let Some(at) = find(vm, this, value, from, this.len())? {
        count += 1;
        from = at + 1;
    }
    Ok(count)
}

fn index(vm: &Vm, this: &Ref<Deque>, value: &Value, start: Option<i64>, stop: Option<i64>) -> R<i64> {
    let len = this.len() as i64;
    let clamp = |bound: i64| if bound < 0 { (bound + len).max(0) } else { bound.min(len) } as usize;
    let (start, stop) = (clamp(start.unwrap_or(0)), clamp(stop.unwrap_or(len)));
    match find(vm, this, value, start, stop)? {
        Some(at) => Ok(at as i64),
        None => Err(vm.value_error(format!("{} is not in deque", vm.repr(value)?.as_str()))),
    }
}

fn remove(vm: &Vm, this: &Ref<Deque>, value: &Value) -> R<()> {
    let version = this.version.get();
    let mut meter = Meter::default();
    for at in 0..this.len() {
        meter.step(vm)?;
        let Some(item) = this.get(at) else { break };
        let equal = vm.eq(&item, value)?;
        if this.version.get() != version {
            return Err(vm.index_error("deque mutated during remove()."));
        }
        if equal {
            drop(this.change(vm, |items| items.remove(at)));
            return Ok(());
        }
    }
    Err(vm.value_error(format!("{} is not in deque", vm.repr(value)?.as_str())))
}

fn insert(vm: &Vm, this: &Ref<Deque>, index: i64, value: Value) -> R<()> {
    let len = this.len();
    if this.maxlen.get() == Some(len) {
        return Err(vm.index_error("deque already at its maximum size"));
    }
    let at = if index < 0 { (index + len as i64).max(0) } else { index.min(len as i64) } as usize;
    vm.charge(1 + len as u64 / 1024)?;
    this.change(vm, |items| items.insert(at, value));
    Ok(())
}

fn reverse(vm: &Vm, this: &Ref<Deque>) -> R<()> {
    vm.charge(1 + this.len() as u64 / 64)?;
    this.change(vm, |items| items.make_contiguous().reverse());
    Ok(())
}

fn rotate(vm: &Vm, this: &Ref<Deque>, Given(n): Given<i64>) -> R<()> {
    let len = this.len() as i64;
    if len > 1 {
        let right = n.unwrap_or(1).rem_euclid(len);
        vm.charge(1 + right.min(len - right) as u64 / 64)?;
        this.change(vm, |items| items.rotate_right(right as usize));
    }
    Ok(())
}

fn maxlen(vm: &Vm, this: &Ref<Deque>) -> Value {
    this.maxlen.get().map_or(Value::None, |max| vm.heap.int128(max as i128))
}

fn length(_vm: &Vm, this: &Ref<Deque>) -> i64 {
    this.len() as i64
}

fn is_filled(_vm: &Vm, this: &Ref<Deque>) -> bool {
    this.len() > 0
}

/// The place an index means.
fn place(vm: &Vm, this: &Ref<Deque>, index: &Value) -> R<usize> {
    let given = match index {
        Value::Int(i) => *i,
        value if value.kind() == crate::value::Kind::Slice => {
            return Err(vm.type_error("sequence index must be integer, not 'slice'"));
        }
        value => vm.index_i64(value)?,
    };
    let len = this.len() as i64;
    let at = if given < 0 { given + len } else { given };
    if (0..len).contains(&at) { Ok(at as usize) } else { Err(vm.index_error("deque index out of range")) }
}

fn getitem(vm: &Vm, this: &Ref<Deque>, index: &Value) -> R {
    let at = place(vm, this, index)?;
    this.get(at).ok_or_else(|| vm.index_error("deque index out of range"))
}

fn setitem(vm: &Vm, this: &Ref<Deque>, index: &Value, value: Value) -> R<()> {
    let at = place(vm, this, index)?;
    // The order of the items stays, so iterators go on.
    let old = this.items.with_mut(|items| items.get_mut(at).map(|slot| std::mem::replace(slot, value)));
    drop(old);
    Ok(())
}

fn delitem(vm: &Vm, this: &Ref<Deque>, index: &Value) -> R<()> {
    let at = place(vm, this, index)?;
    vm.charge(1 + this.len() as u64 / 1024)?;
    drop(this.change(vm, |items| items.remove(at)));
    Ok(())
}

fn class_getitem(vm: &Vm, class: Value, item: &Value) -> Value {
    vm.generic_alias(class, item)
}

fn not_a_deque(vm: &Vm, other: &Value) -> Raised {
    let name = vm.class_of(other).name();
    vm.type_error(format!("can only concatenate deque (not \"{}\") to deque", name.as_str()))
}

fn add(vm: &Vm, this: &Value, other: &Value) -> R {
    if other.payload::<Deque>().is_none() {
        return Err(not_a_deque(vm, other));
    }
    let sum = copy(vm, this)?;
    if let Some(deque) = sum.payload::<Deque>() {
        extend(vm, deque, other)?;
    }
    Ok(sum)
}

fn iadd(vm: &Vm, this: Value, other: &Value) -> R {
    if let Some(deque) = this.payload::<Deque>() {
        extend(vm, deque, other)?;
    }
    Ok(this)
}

fn mul(vm: &Vm, this: &Value, n: &Value) -> R {
    let product = copy(vm, this)?;
    imul(vm, product, n)
}

fn imul(vm: &Vm, this: Value, n: &Value) -> R {
    let times = vm.index_i64(n)?.max(0) as usize;
    let Some(deque) = this.payload::<Deque>() else { return Ok(this) };
    if times == 0 {
        clear(vm, deque);
        return Ok(this);
    }
    let unit: Vec<Value> = deque.items.with(|items| items.iter().cloned().collect());
    if unit.is_empty() {
        return Ok(this);
    }
    let max = deque.maxlen.get();
    // Of a bounded deque only the last rounds show.
    let rounds = max.map_or(times - 1, |max| (times - 1).min(max.div_ceil(unit.len()) + 1));
    if max.is_none() {
        vm.check_alloc_items(unit.len().saturating_mul(times), ITEM)?;
    }
    for _ in 0..rounds {
        vm.charge(1 + unit.len() as u64 / 64)?;
        for item in &unit {
            deque.push(vm, item.clone());
        }
    }
    Ok(this)
}

/// Compares item by item; the first difference decides, else the lengths.
fn compare(vm: &Vm, operator: CmpOp, this: &Value, other: &Value) -> R {
    let (Some(a), Some(b)) = (this.payload::<Deque>(), other.payload::<Deque>()) else { return Ok(Value::NotImplemented) };
    let is_equality = matches!(operator, CmpOp::Eq | CmpOp::NotEq);
    if is_equality && a.len() != b.len() {
        return Ok(Value::bool(operator == CmpOp::NotEq));
    }
    vm.nested(|| {
        let mut meter = Meter::default();
        let mut index = 0;
        let versions = (a.version.get(), b.version.get());
        while let (Some(x), Some(y)) = (a.get(index), b.get(index)) {
            meter.step(vm)?;
            if !vm.eq(&x, &y)? {
                return if is_equality { Ok(Value::bool(operator == CmpOp::NotEq)) } else { vm.compare(operator, &x, &y) };
            }
            if versions != (a.version.get(), b.version.get()) {
                return Err(mutated(vm));
            }
            index += 1;
        }
        vm.compare(operator, &Value::Int(a.len() as i64), &Value::Int(b.len() as i64))
    })
}

macro_rules! comparisons {
    ($($name:ident $operator:ident;)*) => {
        $(fn $name(vm: &Vm, this: &Value, other: &Value) -> R {
            compare(vm, CmpOp::$operator, this, other)
        })*
    };
}

comparisons! {
    eq Eq;
    ne NotEq;
    lt Lt;
    le LtE;
    gt Gt;
    ge GtE;
}

fn repr(vm: &Vm, this: &Value) -> R<String> {
    let Some(deque) = this.payload::<Deque>() else { return Err(vm.type_error("a deque is required")) };
    let name = vm.class_of(this).own_name();
    let text = repr_guarded(vm, this, "[...]", || {
        let list = Value::from(vm.heap.list(deque.items.with(|items| items.iter().cloned().collect())));
        let items = vm.repr(&list)?;
        Ok(match deque.maxlen.get() {
            Some(max) => format!("{}({}, maxlen={max})", name.as_str(), items.as_str()),
            None => format!("{}({})", name.as_str(), items.as_str()),
        })
    })?;
    Ok(text)
}

/// An iterator of a deque.
struct DequeIterator {
    /// The deque.
    source: Value,
    index: Cell<usize>,
    version: u64,
}

impl Payload for DequeIterator {
    native_kind!();
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.value(&self.source);
    }
}

impl NativeIterator for DequeIterator {
    fn next(&self, vm: &Vm) -> R<Option<Value>> {
        let Some(deque) = self.source.downcast::<Deque>() else { return Ok(None) };
        if deque.version.get() != self.version {
            return Err(mutated(vm));
        }
        let item = deque.get(self.index.get());
        if item.is_some() {
            self.index.set(self.index.get() + 1);
        }
        Ok(item)
    }
}

fn iterator_length(_vm: &Vm, this: &Ref<DequeIterator>) -> i64 {
    this.source.downcast::<Deque>().map_or(0, |deque| deque.len().saturating_sub(this.index.get()) as i64)
}

fn iter(vm: &Vm, this: &Ref<Deque>) -> Value {
    let made = DequeIterator { source: Value::from(this), index: Cell::new(0), version: this.version.get() };
    vm.heap.alloc(made).into()
}

/// A reverse iterator of a deque.
struct DequeReverseIterator {
    source: Value,
    left: Cell<usize>,
    version: u64,
}

impl Payload for DequeReverseIterator {
    native_kind!();
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.value(&self.source);
    }
}

impl NativeIterator for DequeReverseIterator {
    fn next(&self, vm: &Vm) -> R<Option<Value>> {
        let Some(deque) = self.source.downcast::<Deque>() else { return Ok(None) };
        if deque.version.get() != self.version {
            return Err(mutated(vm));
        }
        let Some(at) = self.left.get().checked_sub(1) else { return Ok(None) };
        self.left.set(at);
        Ok(deque.get(at))
    }
}

fn reversed(vm: &Vm, this: &Ref<Deque>) -> Value {
    let made = DequeReverseIterator { source: Value::from(this), left: Cell::new(this.len()), version: this.version.get() };
    vm.heap.alloc(made).into()
}
