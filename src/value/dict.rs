//! Dictionaries: data only; the methods are in `builtins/dict.rs`, the key comparisons that may run script code in
//! `vm/mapping.rs`.
//!
//! Entries stand in insertion order in a vector; beyond eight of them a table of indices finds them (`Places` says where to look). A probe that meets an equal hash with a key it cannot compare by itself hands the entry out (`Probe::Ask`), so that no
//! borrow is open while a script's `__eq__` runs. Namespaces (modules, classes) are dictionaries too; `version` and
//! `value_at` let their readers cache an entry's position.

use std::cell::Cell;

use super::cell::Shared;
use super::object::{Kind, Payload, Ref, Visitor, heap_of};
use super::{Heap, Str, Tuple, Value, hash};

const EMPTY: u32 = u32::MAX;
/// In the table of indices: an entry was here that is gone, and those that could not be here are further on.
const GONE: u32 = u32::MAX - 1;
/// A probe that passes this many entries is handed back, so that its caller can count the work.
const LONG: usize = 512;
/// Up to this many entries are searched one by one, without a table.
const SMALL: usize = 8;
/// The number of entries a dict may have.
pub const MAX_LEN: usize = (u32::MAX - 2) as usize;

/// One entry; `key` is `Undef` where an entry was removed.
#[derive(Clone)]
pub struct Entry {
    pub hash: u64,
    pub key: Value,
    pub value: Value,
}

#[derive(Default)]
struct Table {
    entries: Vec<Entry>,
    indices: Box<[u32]>,
    live: u32,
    /// Places of the table of indices that are not empty.
    fill: u32,
    /// Before `first` and from `end` on there are only holes, as far as is known: whoever looks for the first or last entry moves
    /// these, so that taking entries off either end one by one is linear.
    first: Cell<u32>,
    end: Cell<u32>,
}

/// The payload of a dict object.
#[derive(Default)]
pub struct Dict {
    table: Shared<Table>,
    /// Changes whenever a key comes or goes (not when a value is replaced).
    version: Cell<u32>,
}

/// Only `probe` can tell, which may call `__eq__`.
pub struct Unsure;

/// What looking for a key came to.
pub enum Probe {
    /// The entry at this index has the key.
    Found(usize),
    /// No entry has it.
    Missing,
    /// Only `key == ` this entry's key, evaluated by the caller, can tell. To go on, call `probe` again with `cursor`, unless
    /// `version` has changed since, which means to start over.
    Ask { index: usize, key: Value, cursor: usize },
    /// Many entries were passed. The caller counts the work (`Vm::charge`) and goes on as after `Ask`.
    Long { cursor: usize },
}

/// From this many bytes on, the caller compares text and bytes, and counts the work.
pub const LONG_TEXT: usize = 16 << 10;

/// Equality of keys as far as it can be told without running script code, or working long.
#[inline]
pub fn same_key(a: &Value, b: &Value) -> Option<bool> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => Some(a == b),
        (Value::Obj(x), Value::Obj(y)) => {
            if x.is(y) {
                return Some(true);
            }
            match (x.kind(), y.kind()) {
                (Kind::Str, Kind::Str) => {
                    same_bytes(a.downcast::<Str>()?.as_str().as_bytes(), b.downcast::<Str>()?.as_str().as_bytes())
                }
                (Kind::Bytes, Kind::Bytes) => {
                    same_bytes(a.downcast::<super::Bytes>()?.data(), b.downcast::<super::Bytes>()?.data())
                }
                (Kind::BigInt, Kind::BigInt) => Some(a.downcast::<super::BigInt>()?.0 == b.downcast::<super::BigInt>()?.0),
                (Kind::Tuple, Kind::Tuple) => same_tuple(a.downcast()?, b.downcast()?),
                (Kind::Str | Kind::Bytes | Kind::BigInt, Kind::Str | Kind::Bytes | Kind::BigInt) => Some(false),
                (Kind::Function | Kind::Class, Kind::Function) => Some(false),
                _ => None,
            }
        }
        (Value::Obj(x), _) | (_, Value::Obj(x)) => match x.kind() {
            Kind::Str | Kind::Bytes | Kind::BigInt | Kind::Tuple | Kind::Function => Some(false),
            _ => None,
        },
        (Value::Float(a), Value::Float(b)) => Some(a == b || f64::from_bits(*a) == f64::from_bits(*b)),
        _ => Some(same_number(a, b)),
    }
}

/// Equality of bytes that are not long.
#[inline]
fn same_bytes(a: &[u8], b: &[u8]) -> Option<bool> {
    if a.len() != b.len() {
        return Some(false);
    }
    (a.len() < LONG_TEXT).then(|| a == b)
}

/// Equality of short tuples of keys that are not tuples themselves.
fn same_tuple(a: &Ref<Tuple>, b: &Ref<Tuple>) -> Option<bool> {
    if a.len() != b.len() {
        return Some(false);
    }
    if a.len() > 8 {
        return None;
    }
    for (x, y) in a.items().iter().zip(b.items()) {
        if x.kind() == Kind::Tuple || !same_key(x, y)? {
            return if x.kind() == Kind::Tuple { None } else { Some(false) };
        }
    }
    Some(true)
}

/// Equality of values that are no objects.
fn same_number(a: &Value, b: &Value) -> bool {
    fn number(v: &Value) -> Option<(i64, Option<f64>)> {
        match v {
            Value::Int(i) => Some((*i, None)),
            Value::Bool(b) => Some((*b as i64, None)),
            Value::Float(bits) => Some((0, Some(f64::from_bits(*bits)))),
            _ => None,
        }
    }
    match (number(a), number(b)) {
        (Some((x, None)), Some((y, None))) => x == y,
        (Some((x, None)), Some((_, Some(f)))) | (Some((_, Some(f))), Some((x, None))) => {
            f == x as f64 && f.abs() <= 9.3e18 && f as i128 == i128::from(x)
        }
        (Some((_, Some(x))), Some((_, Some(y)))) => x == y,
        _ => a.is(b),
    }
}

#[inline]
fn mix(hash: u64) -> usize {
    // Seeded and folded, so that keys whose places collide cannot be prepared.
    let product = u128::from(hash ^ hash::seed()) * 0x9E37_79B9_7F4A_7C15;
    (product >> 64) as usize ^ product as usize
}

/// Where the index of an entry may be in a table of indices, one place after the other: first the one that the hash itself names,
/// so that numbers in a row lie in a row; if that is taken, where its mixture with the seed says, and onwards from there.
struct Places {
    hash: u64,
    mask: usize,
    at: usize,
    step: usize,
}

impl Places {
    #[inline(always)]
    fn new(hash: u64, indices: &[u32], step: usize) -> Places {
        let at = if step < 2 { 0 } else { mix(hash).wrapping_add(step - 2) };
        Places { hash, mask: indices.len() - 1, at, step }
    }

    #[inline(always)]
    fn next(&mut self) -> usize {
        self.at = match self.step {
            0 => self.hash as usize,
            1 => mix(self.hash),
            _ => self.at.wrapping_add(1),
        } & self.mask;
        self.step += 1;
        self.at
    }
}

impl Table {
    /// Notes in the table of indices where the entry at `index` is.
    #[inline]
    fn place(&mut self, hash: u64, index: usize) {
        if self.indices.is_empty() {
            return;
        }
        let mut places = Places::new(hash, &self.indices, 0);
        loop {
            let slot = &mut self.indices[places.next()];
            if *slot >= GONE {
                self.fill += (*slot == EMPTY) as u32;
                *slot = index as u32;
                return;
            }
        }
    }

    /// Whether the table of indices must be made anew before it takes another.
    #[inline]
    fn is_crowded(&self) -> bool {
        match self.indices.len() {
            0 => self.entries.len() >= SMALL,
            places => self.fill as usize >= usable(places),
        }
    }

    #[inline]
    fn find_quick(&self, hash: u64, mut is: impl FnMut(&Value) -> bool) -> Option<usize> {
        if self.indices.is_empty() {
            return self.entries.iter().position(|e| e.hash == hash && is(&e.key));
        }
        let mut places = Places::new(hash, &self.indices, 0);
        loop {
            let index = self.indices[places.next()];
            match self.entries.get(index as usize) {
                Some(entry) if entry.hash == hash && is(&entry.key) => return Some(index as usize),
                None if index == EMPTY => return None,
                _ => {}
            }
        }
    }

    fn insert(&mut self, hash: u64, key: Value, value: Value) -> usize {
        if self.entries.len() == self.entries.capacity() || self.is_crowded() {
            self.make_room();
        }
        let index = self.entries.len();
        self.place(hash, index);
        self.entries.push(Entry { hash, key, value });
        self.live += 1;
        self.end.set(index as u32 + 1);
        index
    }

    /// Puts an entry before all others: into a hole there, or all others move by half of their number to make holes.
    fn insert_front(&mut self, hash: u64, key: Value, value: Value) {
        if self.is_full_in_front() {
            self.entries.retain(|e| !e.key.is_undef());
            let gap = (self.entries.len() / 2).max(4);
            self.entries.reserve_exact(gap * 2);
            let hole = || Entry { hash: 0, key: Value::Undef, value: Value::Undef };
            self.entries.splice(..0, std::iter::repeat_with(hole).take(gap));
            self.first.set(gap as u32);
            self.end.set(self.entries.len() as u32);
            self.index(self.entries.capacity());
        }
        let index = self.first.get() as usize - 1;
        self.first.set(index as u32);
        self.end.set(self.end.get().max(index as u32 + 1));
        self.entries[index] = Entry { hash, key, value };
        self.live += 1;
        self.place(hash, index);
    }

    fn is_full_in_front(&self) -> bool {
        self.first.get() == 0 || self.is_crowded()
    }

    /// Drops the holes, or grows; either way the table of indices is made anew.
    #[cold]
    #[inline(never)]
    fn make_room(&mut self) {
        if (self.live as usize) < self.entries.len() {
            self.entries.retain(|e| !e.key.is_undef());
        }
        self.first.set(0);
        self.end.set(self.live);
        let wanted = match self.live as usize {
            0..4 => 4,
            4..8 => 8,
            n => n * 2,
        };
        if self.entries.capacity() < wanted {
            self.entries.reserve_exact(wanted - self.entries.len());
        }
        self.index(wanted);
    }

    fn index(&mut self, room: usize) {
        self.fill = 0;
        if room <= SMALL {
            self.indices = Box::default();
            return;
        }
        let size = (room * 3 / 2).next_power_of_two();
        self.indices = vec![EMPTY; size].into_boxed_slice();
        for (index, entry) in self.entries.iter().enumerate() {
            if entry.key.is_undef() {
                continue;
            }
            let mut places = Places::new(entry.hash, &self.indices, 0);
            let mut at = places.next();
            while self.indices[at] != EMPTY {
                at = places.next();
            }
            self.indices[at] = index as u32;
            self.fill += 1;
        }
    }

    fn remove(&mut self, index: usize) -> Option<Entry> {
        let hash = self.entries.get(index).filter(|e| !e.key.is_undef())?.hash;
        if !self.indices.is_empty() {
            let mut places = Places::new(hash, &self.indices, 0);
            let mut at = places.next();
            while self.indices[at] != index as u32 {
                at = places.next();
            }
            self.indices[at] = GONE;
        }
        let gone = Entry { hash: 0, key: Value::Undef, value: Value::Undef };
        let removed = std::mem::replace(&mut self.entries[index], gone);
        self.live -= 1;
        Some(removed)
    }

    /// The position of the first entry at or behind `from`.
    #[inline]
    fn next(&self, from: usize) -> Option<usize> {
        let first = self.first.get() as usize;
        let start = from.max(first);
        let entry = self.entries.get(start)?;
        if !entry.key.is_undef() {
            return Some(start);
        }
        let ahead = self.entries[start..].iter().position(|e| !e.key.is_undef());
        let at = ahead.map_or(self.entries.len(), |ahead| start + ahead);
        if from <= first {
            self.first.set(at as u32);
        }
        (at < self.entries.len()).then_some(at)
    }

    /// The position of the last entry before `to`.
    fn previous(&self, to: usize) -> Option<usize> {
        let end = self.end.get() as usize;
        let at = self.entries[..to.min(end)].iter().rposition(|e| !e.key.is_undef());
        if to >= end {
            self.end.set(at.map_or(0, |at| at as u32 + 1));
        }
        at
    }

    /// Removes the last entry, and the holes behind and before it that nobody will look at again.
    fn pop(&mut self) -> Option<Entry> {
        let last = self.previous(usize::MAX)?;
        let removed = self.remove(last);
        self.entries.truncate(last);
        self.first.set(self.first.get().min(last as u32));
        self.end.set(last as u32);
        removed
    }

    /// A table without entries that says of them what this one does.
    fn bounds(&self) -> Table {
        Table { live: self.live, fill: self.fill, first: self.first.clone(), end: self.end.clone(), ..Table::default() }
    }

    fn bytes(&self) -> usize {
        self.entries.capacity() * size_of::<Entry>() + self.indices.len() * 4
    }
}

/// How many entries (with holes) a table of indices of this size serves.
fn usable(indices: usize) -> usize {
    if indices == 0 { SMALL } else { indices * 2 / 3 }
}

impl Payload for Dict {
    const KIND: Kind = Kind::Dict;
    const CONTAINER: bool = true;
    const BUFFERS: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        self.table.with(|table| {
            for entry in &table.entries {
                visitor.value(&entry.key);
                visitor.value(&entry.value);
            }
        });
    }

    fn clear(&self) {
        self.bump();
        drop(self.table.take());
    }

    fn buffers(&self) -> usize {
        self.table.with(Table::bytes)
    }
}

impl Heap {
    /// An empty dict object.
    #[inline]
    pub fn dict(&self) -> Ref<Dict> {
        self.alloc(Dict::default())
    }
}

impl Dict {
    /// How many keys there are.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.table.with(|table| table.live as usize)
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Changes whenever a key comes or goes.
    #[inline(always)]
    pub fn version(&self) -> u32 {
        self.version.get()
    }

    fn bump(&self) {
        self.version.set(self.version.get().wrapping_add(1));
    }

    /// Looks for a key from the place `cursor` (0 to begin).
    #[inline]
    pub fn probe(&self, hash: u64, key: &Value, cursor: usize) -> Probe {
        self.table.with(|table| {
            let ask = |index: usize, cursor| Probe::Ask { index, key: table.entries[index].key.clone(), cursor };
            if table.indices.is_empty() {
                for (index, entry) in table.entries.iter().enumerate().skip(cursor) {
                    if entry.hash == hash && !entry.key.is_undef() {
                        match same_key(&entry.key, key) {
                            Some(true) => return Probe::Found(index),
                            Some(false) => {}
                            None => return ask(index, index + 1),
                        }
                    }
                }
                return Probe::Missing;
            }
            let mut places = Places::new(hash, &table.indices, cursor);
            loop {
                if places.step - cursor > LONG {
                    return Probe::Long { cursor: places.step };
                }
                let index = table.indices[places.next()];
                match table.entries.get(index as usize) {
                    Some(entry) if entry.hash == hash => match same_key(&entry.key, key) {
                        Some(true) => return Probe::Found(index as usize),
                        Some(false) => {}
                        None => return ask(index as usize, places.step),
                    },
                    None if index == EMPTY => return Probe::Missing,
                    _ => {}
                }
            }
        })
    }

    /// Looks for an integer key. `Err` if an entry with its hash has another kind of key, which only `probe` can tell.
    #[inline]
    pub fn find_int(&self, wanted: i64) -> Result<Option<usize>, Unsure> {
        let hash = hash::int(wanted) as u64;
        self.table.with(|table| {
            let mut unsure = false;
            let found = table.find_quick(hash, |key| match key {
                Value::Int(i) => *i == wanted,
                _ => {
                    unsure = true;
                    true
                }
            });
            if unsure { Err(Unsure) } else { Ok(found) }
        })
    }

    /// Looks for a string key. `Err` if an entry with its hash has another kind of key, which only `probe` can tell, or if the key is long.
    #[inline]
    pub fn find_str(&self, wanted: &Ref<Str>) -> Result<Option<usize>, Unsure> {
        if wanted.byte_len() >= LONG_TEXT {
            return Err(Unsure);
        }
        let hash = wanted.hash();
        self.table.with(|table| {
            let mut unsure = false;
            let found = table.find_quick(hash, |key| match key.downcast::<Str>() {
                Some(key) => key.is(wanted) || key.as_str() == wanted.as_str(),
                None => {
                    unsure = true;
                    true
                }
            });
            if unsure { Err(Unsure) } else { Ok(found) }
        })
    }

    /// The value of a string key. Only for dicts whose keys cannot claim to equal a string (namespaces, keyword arguments).
    #[inline]
    pub fn get_str(&self, name: &Ref<Str>) -> Option<Value> {
        self.position_of(name).and_then(|index| self.value_at(index))
    }

    /// The value of the key that is this text; as `get_str`.
    pub fn get_text(&self, text: &str) -> Option<Value> {
        let hash = u64::from(hash::text(text));
        self.table.with(|table| {
            let index = table.find_quick(hash, |k| k.downcast::<Str>().is_some_and(|s| s.as_str() == text))?;
            Some(table.entries[index].value.clone())
        })
    }

    /// The position of a string key; as `get_str`.
    #[inline]
    pub fn position_of(&self, name: &Ref<Str>) -> Option<usize> {
        let hash = name.hash();
        self.table.with(|table| {
            table.find_quick(hash, |key| match key {
                Value::Obj(object) => {
                    object.is(name.as_obj()) || object.downcast::<Str>().is_some_and(|s| s.as_str() == name.as_str())
                }
                _ => false,
            })
        })
    }

    /// The value at a cached position, if the key there is still the object `name`.
    #[inline(always)]
    pub fn value_at_if(&self, index: usize, name: &Ref<Str>) -> Option<Value> {
        self.table.with(|table| match table.entries.get(index) {
            Some(Entry { key: Value::Obj(key), value, .. }) if key.is(name.as_obj()) => Some(value.clone()),
            _ => None,
        })
    }

    /// Replaces the value at a cached position, if the key there is still the object `name`; else `value` comes back.
    #[inline(always)]
    pub fn set_at_if(&self, index: usize, name: &Ref<Str>, value: Value) -> Result<(), Value> {
        let old = self.table.with_mut(|table| match table.entries.get_mut(index) {
            Some(Entry { key: Value::Obj(key), value: slot, .. }) if key.is(name.as_obj()) => Ok(std::mem::replace(slot, value)),
            _ => Err(value),
        });
        old.map(drop)
    }

    /// The value at a position.
    #[inline]
    pub fn value_at(&self, index: usize) -> Option<Value> {
        self.table.with(|table| table.entries.get(index).filter(|e| !e.key.is_undef()).map(|e| e.value.clone()))
    }

    /// Sets the value of a string key; as `get_str`.
    pub fn set_str(&self, name: &Ref<Str>, value: Value) {
        match self.position_of(name) {
            Some(index) => drop(self.replace_at(index, value)),
            None => self.insert_new(name.hash(), Value::from(name), value),
        }
    }

    /// Replaces the value at a position and returns the old one.
    #[inline]
    pub fn replace_at(&self, index: usize, value: Value) -> Value {
        self.table.with_mut(|table| match table.entries.get_mut(index) {
            Some(entry) => std::mem::replace(&mut entry.value, value),
            None => value,
        })
    }

    /// Adds a key that `probe` has just found missing.
    #[inline]
    pub fn insert_new(&self, hash: u64, key: Value, value: Value) {
        self.bump();
        let fits = self.table.with(|table| table.entries.len() < table.entries.capacity() && !table.is_crowded());
        if fits {
            self.table.with_mut(|table| table.insert(hash, key, value));
            return;
        }
        self.insert_growing(hash, key, value);
    }

    #[inline(never)]
    fn insert_growing(&self, hash: u64, key: Value, value: Value) {
        self.change(|table| {
            table.insert(hash, key, value);
        });
    }

    /// Adds a key that `probe` has just found missing before all others.
    pub fn insert_front(&self, hash: u64, key: Value, value: Value) {
        self.bump();
        self.change(|table| table.insert_front(hash, key, value));
    }

    /// Whether adding a key in front moves all others.
    pub fn is_full_in_front(&self) -> bool {
        self.table.with(Table::is_full_in_front)
    }

    fn change(&self, change: impl FnOnce(&mut Table)) {
        let (before, after) = self.table.with_mut(|table| {
            let before = table.bytes();
            change(table);
            (before, table.bytes())
        });
        if before != after {
            // SAFETY: dicts are only used as payloads of heap objects.
            let heap = unsafe { heap_of(self) };
            heap.charge(after);
            heap.discharge(before);
        }
    }

    /// Removes the entry at a position and returns it.
    pub fn remove_at(&self, index: usize) -> Option<Entry> {
        self.bump();
        self.table.with_mut(|table| table.remove(index))
    }

    /// Removes the last entry and returns it.
    pub fn pop(&self) -> Option<Entry> {
        self.bump();
        self.table.with_mut(Table::pop)
    }

    /// Removes a string key; as `get_str`.
    pub fn remove_str(&self, name: &Ref<Str>) -> Option<Value> {
        let index = self.position_of(name)?;
        self.remove_at(index).map(|entry| entry.value)
    }

    /// The first entry at or behind position `from`, and its position. Iterators keep the position and add one.
    #[inline]
    pub fn next_entry(&self, from: usize) -> Option<(usize, Entry)> {
        self.table.with(|table| {
            let at = table.next(from)?;
            Some((at, table.entries[at].clone()))
        })
    }

    /// As `next_entry`, only the key.
    #[inline]
    pub fn next_key(&self, from: usize) -> Option<(usize, Value)> {
        self.table.with(|table| {
            let at = table.next(from)?;
            Some((at, table.entries[at].key.clone()))
        })
    }

    /// As `next_entry`, only the value.
    #[inline]
    pub fn next_value(&self, from: usize) -> Option<(usize, Value)> {
        self.table.with(|table| {
            let at = table.next(from)?;
            Some((at, table.entries[at].value.clone()))
        })
    }

    /// The last entry before position `to`, and its position.
    pub fn previous_entry(&self, to: usize) -> Option<(usize, Entry)> {
        self.table.with(|table| {
            let at = table.previous(to)?;
            Some((at, table.entries[at].clone()))
        })
    }

    /// One past the last position in use.
    pub fn end(&self) -> usize {
        self.table.with(|table| table.entries.len())
    }

    /// Copies of all entries in order.
    pub fn to_vec(&self) -> Vec<(Value, Value)> {
        self.table
            .with(|table| table.entries.iter().filter(|e| !e.key.is_undef()).map(|e| (e.key.clone(), e.value.clone())).collect())
    }

    /// Copies of all keys in order.
    pub fn keys(&self) -> Vec<Value> {
        self.table.with(|table| table.entries.iter().filter(|e| !e.key.is_undef()).map(|e| e.key.clone()).collect())
    }

    /// Another dict with the same entries.
    pub fn copy(&self, heap: &Heap) -> Ref<Dict> {
        let copy = self.table.with(|table| {
            if table.live as usize * 2 >= table.entries.len() {
                // Few holes: nothing needs to be found a place anew.
                return Table { entries: table.entries.clone(), indices: table.indices.clone(), ..table.bounds() };
            }
            let mut entries = Vec::with_capacity(table.live as usize);
            entries.extend(table.entries.iter().filter(|e| !e.key.is_undef()).cloned());
            let live = table.live;
            let mut copy = Table { entries, indices: Box::default(), live, end: Cell::new(live), ..Table::default() };
            copy.index(live as usize);
            copy
        });
        heap.charge(copy.bytes());
        heap.alloc(Dict { table: Shared::new(copy), version: Cell::new(0) })
    }

    /// Removes everything.
    pub fn empty(&self) {
        self.bump();
        let old = self.table.take();
        // SAFETY: as in `insert_new`.
        unsafe { heap_of(self) }.discharge(old.bytes());
        drop(old);
    }
}
