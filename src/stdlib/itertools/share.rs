//! Iterators that join, split or group sources: `chain`, `zip_longest`, `groupby`, `tee`.

use std::cell::Cell;

use super::super::support::{NativeIterator, iterator_class, wrap_new};
use crate::native::Given;
use crate::value::{Class, Payload, R, Ref, Shared, Value, Visitor};
use crate::vm::Vm;
use crate::{native_kind, rows};

pub fn classes(vm: &Vm) -> Vec<Ref<Class>> {
    iterator_class::<Grouper>(vm, "itertools", "_grouper", &[]);
    iterator_class::<Tee>(vm, "itertools", "_tee", &rows!["__copy__", "" => tee_copy(0);]);
    vec![
        iterator_class::<Chain>(
            vm,
            "itertools",
            "chain",
            &rows![
                static "__new__", "cls, *iterables" => chain_new(0 1);
                class "from_iterable", "iterable, /" => chain_from_iterable(0 1);
            ],
        ),
        iterator_class::<ZipLongest>(
            vm,
            "itertools",
            "zip_longest",
            &rows![static "__new__", "cls, *iterables, fillvalue=None" => zip_longest_new(0 1 2);],
        ),
        iterator_class::<GroupBy>(
            vm,
            "itertools",
            "groupby",
            &rows![static "__new__", "cls, iterable, key=None" => groupby_new(0 1 2);],
        ),
    ]
}

/// `chain(*iterables)`.
struct Chain {
    /// Iterator of the iterables, `None` when exhausted.
    sources: Shared<Value>,
    /// The iterator in use, `None` between two.
    current: Shared<Value>,
}

impl Payload for Chain {
    native_kind!();
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        self.sources.with(|value| visitor.value(value));
        self.current.with(|value| visitor.value(value));
    }

    fn clear(&self) {
        self.sources.set(Value::None);
        self.current.set(Value::None);
    }
}

fn chain_new(vm: &Vm, class: &Value, iterables: &Value) -> R {
    chain_from_iterable(vm, class, iterables)
}

fn chain_from_iterable(vm: &Vm, class: &Value, iterables: &Value) -> R {
    let made = Chain { sources: Shared::new(vm.iter(iterables)?), current: Shared::new(Value::None) };
    wrap_new(vm, class, vm.heap.alloc(made).into())
}

impl NativeIterator for Chain {
    fn next(&self, vm: &Vm) -> R<Option<Value>> {
        loop {
            let current = self.current.get();
            if !current.is_none() {
                if let Some(item) = vm.next(&current)? {
                    return Ok(Some(item));
                }
                self.current.set(Value::None);
            }
            let sources = self.sources.get();
            if sources.is_none() {
                return Ok(None);
            }
            vm.charge(1)?;
            match vm.next(&sources) {
                Ok(Some(source)) => self.current.set(vm.iter(&source)?),
                Ok(None) => {
                    self.sources.set(Value::None);
                    return Ok(None);
                }
                Err(raised) => {
                    self.sources.set(Value::None);
                    return Err(raised);
                }
            }
        }
    }
}

/// `zip_longest(*iterables, fillvalue)`.
struct ZipLongest {
    /// The iterators; `Undef` where one is exhausted.
    sources: Box<[Shared<Value>]>,
    active: Cell<usize>,
    fill: Value,
}

impl Payload for ZipLongest {
    native_kind!();
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        for source in &self.sources {
            source.with(|value| visitor.value(value));
        }
        visitor.value(&self.fill);
    }

    fn clear(&self) {
        for source in &self.sources {
            source.set(Value::Undef);
        }
    }
}

fn zip_longest_new(vm: &Vm, class: &Value, iterables: &Value, fill: &Value) -> R {
    let sources: Box<[Shared<Value>]> =
        iterables.as_tuple().unwrap_or_default().iter().map(|value| vm.iter(value).map(Shared::new)).collect::<R<_>>()?;
    let fill = if fill.is_undef() { Value::None } else { fill.clone() };
    let made = ZipLongest { active: Cell::new(sources.len()), sources, fill };
    wrap_new(vm, class, vm.heap.alloc(made).into())
}

impl NativeIterator for ZipLongest {
    fn next(&self, vm: &Vm) -> R<Option<Value>> {
        if self.active.get() == 0 {
            return Ok(None);
        }
        let mut items = Vec::with_capacity(self.sources.len());
        for slot in &self.sources {
            let source = slot.get();
            let item = if source.is_undef() {
                None
            } else {
                match vm.next(&source) {
                    Ok(item) => item,
                    Err(raised) => {
                        self.active.set(0);
                        return Err(raised);
                    }
                }
            };
            match item {
                Some(item) => items.push(item),
                None => {
                    if !source.is_undef() {
                        slot.set(Value::Undef);
                        self.active.set(self.active.get() - 1);
                        if self.active.get() == 0 {
                            return Ok(None);
                        }
                    }
                    items.push(self.fill.clone());
                }
            }
        }
        Ok(Some(vm.heap.tuple(items).into()))
    }
}

/// `groupby(iterable, key)`.
struct GroupBy {
    source: Value,
    /// `None` means identity.
    key: Value,
    /// Of the group handed out last, of the item read last, and that item; `Undef` before there is one.
    target: Shared<Value>,
    current_key: Shared<Value>,
    current: Shared<Value>,
    /// The number of the group handed out last: an older group is exhausted.
    group: Cell<u64>,
}

impl Payload for GroupBy {
    native_kind!();
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.values([&self.source, &self.key]);
        for slot in [&self.target, &self.current_key, &self.current] {
            slot.with(|value| visitor.value(value));
        }
    }

    fn clear(&self) {
        for slot in [&self.target, &self.current_key, &self.current] {
            slot.set(Value::Undef);
        }
    }
}

fn groupby_new(vm: &Vm, class: &Value, iterable: &Value, key: &Value) -> R {
    let made = GroupBy {
        source: vm.iter(iterable)?,
        key: if key.is_undef() { Value::None } else { key.clone() },
        target: Shared::default(),
        current_key: Shared::default(),
        current: Shared::default(),
        group: Cell::new(0),
    };
    wrap_new(vm, class, vm.heap.alloc(made).into())
}

impl GroupBy {
    /// Reads the next item and its key; whether there was one.
    fn step(&self, vm: &Vm) -> R<bool> {
        let Some(item) = vm.next(&self.source)? else { return Ok(false) };
        let key = if self.key.is_none() { item.clone() } else { vm.call(&self.key, std::slice::from_ref(&item))? };
        self.current.set(item);
        self.current_key.set(key);
        Ok(true)
    }
}

impl NativeIterator for GroupBy {
    fn next_of(this: &Ref<GroupBy>, vm: &Vm) -> R<Option<Value>> {
        this.group.set(this.group.get() + 1);
        loop {
            let (key, target) = (this.current_key.get(), this.target.get());
            if !key.is_undef() && (target.is_undef() || !vm.eq(&target, &key)?) {
                break;
            }
            vm.charge(1)?;
            if !this.step(vm)? {
                return Ok(None);
            }
        }
        let key = this.current_key.get();
        this.target.set(key.clone());
        let group = vm.heap.alloc(Grouper { parent: this.clone(), target: key.clone(), group: this.group.get() });
        Ok(Some(vm.heap.tuple([key, group.into()]).into()))
    }
}

/// One group of a `groupby`.
struct Grouper {
    parent: Ref<GroupBy>,
    target: Value,
    group: u64,
}

impl Payload for Grouper {
    native_kind!();
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.reference(&self.parent);
        visitor.value(&self.target);
    }
}

impl NativeIterator for Grouper {
    fn next(&self, vm: &Vm) -> R<Option<Value>> {
        let parent = &self.parent;
        if parent.group.get() != self.group {
            return Ok(None);
        }
        if parent.current.with(Value::is_undef) && !parent.step(vm)? {
            return Ok(None);
        }
        if !vm.eq(&self.target, &parent.current_key.get())? {
            return Ok(None);
        }
        Ok(Some(parent.current.take()))
    }
}

/// How many items a link of a tee's shared chain holds.
const LINK: usize = 56;

/// A stretch of the items that the iterators of one `tee` have read, and the way to the next stretch.
struct TeeLink {
    source: Value,
    items: Shared<Vec<Value>>,
    next: Shared<Option<Ref<TeeLink>>>,
    running: Cell<bool>,
}

impl Payload for TeeLink {
    native_kind!();
    const CONTAINER: bool = true;
    const BUFFERS: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.value(&self.source);
        self.items.with(|items| visitor.values(items));
        self.next.with(|next| {
            if let Some(next) = next {
                visitor.reference(next);
            }
        });
    }

    fn clear(&self) {
        drop(self.items.take());
        drop(self.next.take());
    }

    fn buffers(&self) -> usize {
        LINK * size_of::<Value>()
    }
}

fn new_link(vm: &Vm, source: Value) -> Ref<TeeLink> {
    vm.heap.charge(LINK * size_of::<Value>());
    vm.heap.alloc(TeeLink {
        source,
        items: Shared::new(Vec::with_capacity(LINK)),
        next: Shared::new(None),
        running: Cell::new(false),
    })
}

/// One iterator of a `tee`.
struct Tee {
    link: Shared<Ref<TeeLink>>,
    index: Cell<usize>,
}

impl Payload for Tee {
    native_kind!();
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        self.link.with(|link| visitor.reference(link));
    }
}

impl NativeIterator for Tee {
    fn next(&self, vm: &Vm) -> R<Option<Value>> {
        let mut link = self.link.get();
        if self.index.get() >= LINK {
            let next = match link.next.get() {
                Some(next) => next,
                None => {
                    let fresh = new_link(vm, link.source.clone());
                    link.next.set(Some(fresh.clone()));
                    fresh
                }
            };
            self.link.set(next.clone());
            self.index.set(0);
            link = next;
        }
        let index = self.index.get();
        let known = link.items.with(|items| items.get(index).cloned());
        let item = match known {
            Some(item) => item,
            None => {
                if link.running.replace(true) {
                    return Err(vm.runtime_error("cannot re-enter the tee iterator"));
                }
                let read = vm.next(&link.source);
                link.running.set(false);
                let Some(item) = read? else { return Ok(None) };
                link.items.with_mut(|items| items.push(item.clone()));
                item
            }
        };
        self.index.set(index + 1);
        Ok(Some(item))
    }
}

fn tee_copy(vm: &Vm, this: &Ref<Tee>) -> R {
    Ok(vm.heap.alloc(Tee { link: Shared::new(this.link.get()), index: this.index.clone() }).into())
}

pub fn tee(vm: &Vm, iterable: &Value, Given(n): Given<i64>) -> R {
    let n = n.unwrap_or(2);
    if n < 0 {
        return Err(vm.value_error("n must be >= 0"));
    }
    vm.check_alloc_items(n as usize, 64)?;
    let source = vm.iter(iterable)?;
    let first = match source.downcast::<Tee>() {
        Some(tee) => Tee { link: Shared::new(tee.link.get()), index: tee.index.clone() },
        None => Tee { link: Shared::new(new_link(vm, source)), index: Cell::new(0) },
    };
    let (link, index) = (first.link.get(), first.index.get());
    let mut copies = Vec::with_capacity(n as usize);
    for made in 0..n {
        if made % 64 == 63 {
            vm.charge(8)?;
        }
        copies.push(Value::from(vm.heap.alloc(Tee { link: Shared::new(link.clone()), index: Cell::new(index) })));
    }
    Ok(vm.heap.tuple(copies).into())
}
