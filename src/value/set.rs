//! Sets and frozensets: data only; the methods are in `builtins/set.rs`, the comparisons that may run script code in
//! `vm/mapping.rs`.
//!
//! The table is probed the way CPython's is (runs of ten slots, then a jump by the perturbed hash; grown at three fifths), because a
//! set's order is visible: a set of integers iterates here as it does there.

use std::cell::Cell;

use super::cell::Shared;
use super::dict::same_key;
use super::object::{Kind, Payload, Ref, Visitor, heap_of};
use super::{Heap, Value};

const LINEAR: usize = 9;
const FIRST_SIZE: usize = 8;

#[derive(Clone)]
struct Slot {
    hash: i64,
    key: Key,
}

#[derive(Clone)]
enum Key {
    Free,
    Removed,
    Here(Value),
}

#[derive(Clone, Default)]
struct Table {
    slots: Box<[Slot]>,
    /// Slots that are not free.
    fill: usize,
    used: usize,
}

/// The keys of a set or frozenset.
#[derive(Default)]
pub struct Keys {
    table: Shared<Table>,
    version: Cell<u32>,
    /// Before this slot there are no keys, as far as the last looks have told: taking the first key again and again is linear.
    first: Cell<u32>,
}

/// What looking for a key came to; as `dict::Probe`.
pub enum Probe {
    Found(usize),
    Missing,
    Ask { slot: usize, key: Value, cursor: Cursor },
    Long { cursor: Cursor },
}

/// A probe that passes this many keys is handed back, so that its caller can count the work.
const LONG: usize = 512;

/// Where a probe stands.
#[derive(Clone, Copy, Default)]
pub struct Cursor {
    base: usize,
    run: usize,
    perturb: u64,
    started: bool,
}

impl Cursor {
    fn start(hash: i64, mask: usize) -> Cursor {
        Cursor { base: hash as u64 as usize & mask, run: 0, perturb: hash as u64, started: true }
    }

    /// The slot to look at, and the step to the next one.
    fn step(&mut self, mask: usize) -> usize {
        let slot = self.base + self.run;
        let limit = if self.base + LINEAR <= mask { LINEAR } else { 0 };
        if self.run < limit {
            self.run += 1;
        } else {
            self.perturb >>= 5;
            self.base = (self.base.wrapping_mul(5).wrapping_add(1).wrapping_add(self.perturb as usize)) & mask;
            self.run = 0;
        }
        slot
    }
}

impl Table {
    fn place(slots: &mut [Slot], hash: i64, key: Value) {
        let mask = slots.len() - 1;
        let mut cursor = Cursor::start(hash, mask);
        loop {
            let at = cursor.step(mask);
            if matches!(slots[at].key, Key::Free) {
                slots[at] = Slot { hash, key: Key::Here(key) };
                return;
            }
        }
    }

    fn resize(&mut self, wanted: usize) {
        let mut size = FIRST_SIZE;
        while size <= wanted {
            size *= 2;
        }
        let mut slots = vec![Slot { hash: 0, key: Key::Free }; size].into_boxed_slice();
        for slot in std::mem::take(&mut self.slots) {
            if let Key::Here(key) = slot.key {
                Table::place(&mut slots, slot.hash, key);
            }
        }
        self.slots = slots;
        self.fill = self.used;
    }

    /// Adds a key; the slot it got, or 0 if all have moved.
    fn insert(&mut self, hash: i64, key: Value) -> usize {
        if self.slots.is_empty() {
            self.resize(0);
        }
        self.used += 1;
        let mask = self.slots.len() - 1;
        let (mut base, mut perturb) = (hash as usize & mask, hash as u64);
        let mut removed = None;
        let free = 'probe: loop {
            let run = if base + LINEAR <= mask { LINEAR } else { 0 };
            for (ahead, slot) in self.slots[base..=base + run].iter().enumerate() {
                match slot.key {
                    Key::Free => break 'probe base + ahead,
                    Key::Removed => removed = Some(base + ahead),
                    Key::Here(_) => {}
                }
            }
            perturb >>= 5;
            base = (base.wrapping_mul(5).wrapping_add(1).wrapping_add(perturb as usize)) & mask;
        };
        // The last vacated slot on the way is used again.
        let at = removed.unwrap_or(free);
        self.slots[at] = Slot { hash, key: Key::Here(key) };
        if removed.is_some() {
            return at;
        }
        self.fill += 1;
        if self.fill * 5 >= (self.slots.len() - 1) * 3 {
            self.resize(if self.used > 50_000 { self.used * 2 } else { self.used * 4 });
            return 0;
        }
        at
    }

    /// Makes the table ready for another set's or dict's keys, by CPython's rule.
    fn make_room(&mut self, more: usize) {
        if self.slots.is_empty() {
            self.resize(0);
        }
        if (self.fill + more) * 5 >= (self.slots.len() - 1) * 3 {
            self.resize((self.used + more) * 2);
        }
    }

    /// Copies the keys of another table into this one, which is empty and has room.
    fn fill_from(&mut self, other: &Table) {
        (self.fill, self.used) = (other.used, other.used);
        if self.slots.len() == other.slots.len() && other.fill == other.used {
            self.slots.clone_from(&other.slots);
            return;
        }
        for slot in &other.slots {
            if let Key::Here(key) = &slot.key {
                Table::place(&mut self.slots, slot.hash, key.clone());
            }
        }
    }

    fn bytes(&self) -> usize {
        self.slots.len() * size_of::<Slot>()
    }
}

impl Keys {
    #[inline]
    pub fn len(&self) -> usize {
        self.table.with(|table| table.used)
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Changes whenever a key comes or goes.
    pub fn version(&self) -> u32 {
        self.version.get()
    }

    /// Notes a change that may have moved keys.
    fn changed(&self) {
        self.first.set(0);
        self.bump();
    }

    fn bump(&self) {
        self.version.set(self.version.get().wrapping_add(1));
    }

    /// Looks for a key; `cursor` is the default to begin with.
    pub fn probe(&self, hash: i64, key: &Value, mut cursor: Cursor) -> Probe {
        self.table.with(|table| {
            if table.slots.is_empty() {
                return Probe::Missing;
            }
            let mask = table.slots.len() - 1;
            if !cursor.started {
                cursor = Cursor::start(hash, mask);
            }
            let mut passed = 0;
            loop {
                if passed == LONG {
                    return Probe::Long { cursor };
                }
                passed += 1;
                let at = cursor.step(mask);
                match &table.slots[at] {
                    Slot { key: Key::Free, .. } => return Probe::Missing,
                    Slot { hash: other, key: Key::Here(other_key) } if *other == hash => match same_key(other_key, key) {
                        Some(true) => return Probe::Found(at),
                        Some(false) => {}
                        None => return Probe::Ask { slot: at, key: other_key.clone(), cursor },
                    },
                    _ => {}
                }
            }
        })
    }

    /// The slot of a key (`Some(None)` if it is not there), as far as that can be told without script code and soon; else `probe` can.
    #[inline]
    pub fn find_quickly(&self, hash: i64, key: &Value) -> Option<Option<usize>> {
        self.table.with(|table| {
            if table.slots.is_empty() {
                return Some(None);
            }
            let mask = table.slots.len() - 1;
            let (mut base, mut perturb) = (hash as usize & mask, hash as u64);
            for _ in 0..LONG / LINEAR {
                let run = if base + LINEAR <= mask { LINEAR } else { 0 };
                for (ahead, slot) in table.slots[base..=base + run].iter().enumerate() {
                    match &slot.key {
                        Key::Free => return Some(None),
                        Key::Here(other) if slot.hash == hash && same_key(other, key)? => return Some(Some(base + ahead)),
                        _ => {}
                    }
                }
                perturb >>= 5;
                base = (base.wrapping_mul(5).wrapping_add(1).wrapping_add(perturb as usize)) & mask;
            }
            None
        })
    }

    /// Adds a key that `probe` has just found missing. The caller charges the growth: see `Set::insert_new`.
    fn insert(&self, hash: i64, key: Value) -> (usize, usize) {
        self.bump();
        self.table.with_mut(|table| {
            let before = table.bytes();
            let at = table.insert(hash, key);
            self.first.set(self.first.get().min(u32::try_from(at).unwrap_or(u32::MAX)));
            (before, table.bytes())
        })
    }

    /// Removes the key in a slot and returns it.
    pub fn remove_at(&self, slot: usize) -> Option<Value> {
        self.bump();
        self.table.with_mut(|table| match table.slots.get_mut(slot) {
            Some(Slot { key: key @ Key::Here(_), .. }) => {
                table.used -= 1;
                match std::mem::replace(key, Key::Removed) {
                    Key::Here(key) => Some(key),
                    _ => None,
                }
            }
            _ => None,
        })
    }

    /// The first key at or behind slot `from`, with its slot and hash. Iterators keep the slot and add one.
    #[inline]
    pub fn next_key(&self, from: usize) -> Option<(usize, i64, Value)> {
        let first = self.first.get() as usize;
        self.table.with(|table| {
            let rest = table.slots.get(from.max(first)..)?;
            let ahead = rest.iter().position(|slot| matches!(slot.key, Key::Here(_)))?;
            let at = from.max(first) + ahead;
            if from <= first {
                self.first.set(u32::try_from(at).unwrap_or(u32::MAX));
            }
            match &rest[ahead] {
                Slot { hash, key: Key::Here(key) } => Some((at, *hash, key.clone())),
                _ => None,
            }
        })
    }

    /// Copies of all keys with their hashes, in order of the slots.
    pub fn to_vec(&self) -> Vec<(i64, Value)> {
        self.table.with(|table| {
            let key = |slot: &Slot| match &slot.key {
                Key::Here(key) => Some((slot.hash, key.clone())),
                _ => None,
            };
            table.slots.iter().filter_map(key).collect()
        })
    }

    /// Copies of all keys, in order of the slots.
    pub fn keys(&self) -> Vec<Value> {
        self.to_vec().into_iter().map(|(_, key)| key).collect()
    }

    fn copy(&self) -> Keys {
        let mut copy = Table::default();
        copy.make_room(self.len());
        self.table.with(|table| copy.fill_from(table));
        Keys { table: Shared::new(copy), ..Keys::default() }
    }

    fn buffers(&self) -> usize {
        self.table.with(Table::bytes)
    }

    fn trace(&self, visitor: &mut Visitor<'_>) {
        self.table.with(|table| {
            for slot in &table.slots {
                if let Key::Here(key) = &slot.key {
                    visitor.value(key);
                }
            }
        });
    }
}

/// The payload of a set object.
#[derive(Default)]
pub struct Set(Keys, Cell<usize>);

impl Payload for Set {
    const KIND: Kind = Kind::Set;
    const CONTAINER: bool = true;
    const BUFFERS: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        self.0.trace(visitor);
    }

    fn clear(&self) {
        self.0.changed();
        drop(self.0.table.take());
    }

    fn buffers(&self) -> usize {
        self.0.buffers()
    }
}

impl Set {
    /// The keys.
    #[inline]
    pub fn keys(&self) -> &Keys {
        &self.0
    }

    /// Adds a key that `probe` has just found missing.
    pub fn insert_new(&self, hash: i64, key: Value) {
        let (before, after) = self.0.insert(hash, key);
        if before != after {
            // SAFETY: sets are only used as payloads of heap objects.
            let heap = unsafe { heap_of(self) };
            heap.charge(after);
            heap.discharge(before);
        }
    }

    /// Makes room for the keys of another set or a dict, which has `more` of them.
    pub fn make_room(&self, more: usize) {
        self.0.changed();
        let (before, after) = self.0.table.with_mut(|table| {
            let before = table.bytes();
            table.make_room(more);
            (before, table.bytes())
        });
        // SAFETY: as in `insert_new`.
        let heap = unsafe { heap_of(self) };
        heap.charge(after);
        heap.discharge(before);
    }

    /// Copies the keys of another set, for which there is room, if this one has never had a key; whether it did.
    pub fn fill_from(&self, other: &Keys) -> bool {
        if std::ptr::eq(&self.0, other) || self.0.table.with(|table| table.fill != 0) {
            return false;
        }
        self.0.changed();
        other.table.with(|theirs| self.0.table.with_mut(|table| table.fill_from(theirs)));
        true
    }

    /// Forgets the places of removed keys if they are many: what CPython does after taking another set's keys out.
    pub fn sweep(&self) {
        self.0.changed();
        let (before, after) = self.0.table.with_mut(|table| {
            let before = table.bytes();
            if !table.slots.is_empty() && table.fill - table.used > (table.slots.len() - 1) / 4 {
                table.resize(if table.used > 50_000 { table.used * 2 } else { table.used * 4 });
            }
            (before, table.bytes())
        });
        // SAFETY: as in `insert_new`.
        let heap = unsafe { heap_of(self) };
        heap.charge(after);
        heap.discharge(before);
    }

    /// Removes and returns some key: the next one behind the last removed this way, so that emptying a set is linear.
    pub fn pop(&self) -> Option<Value> {
        let slots = self.0.table.with(|table| table.slots.len());
        let from = self.1.get() % slots.max(1);
        let (slot, ..) = self.0.next_key(from).or_else(|| self.0.next_key(0))?;
        self.1.set(slot + 1);
        self.0.remove_at(slot)
    }

    /// Takes over the keys of `other`, whose keys come here.
    pub fn exchange(&self, other: &Set) {
        self.0.changed();
        other.0.changed();
        let theirs = other.0.table.take();
        let ours = self.0.table.replace(theirs);
        drop(other.0.table.replace(ours));
    }

    /// Removes everything.
    pub fn empty(&self) {
        self.0.changed();
        let old = self.0.table.take();
        // SAFETY: as in `insert_new`.
        unsafe { heap_of(self) }.discharge(old.bytes());
        drop(old);
    }
}

/// The payload of a frozenset object: a set that is no longer changed once a script can see it.
#[derive(Default)]
pub struct FrozenSet(Keys, Cell<Option<i64>>);

impl Payload for FrozenSet {
    const KIND: Kind = Kind::FrozenSet;
    const CONTAINER: bool = true;
    const BUFFERS: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        self.0.trace(visitor);
    }

    fn buffers(&self) -> usize {
        self.0.buffers()
    }
}

impl FrozenSet {
    /// The keys.
    #[inline]
    pub fn keys(&self) -> &Keys {
        &self.0
    }

    /// The hash, from the keys' hashes; it does not depend on their order.
    pub fn hash(&self) -> i64 {
        if let Some(known) = self.1.get() {
            return known;
        }
        let mut hash = 1_927_868_237u64.wrapping_mul(self.0.len() as u64 + 1);
        for (one, _) in self.0.to_vec() {
            let one = one as u64;
            hash ^= (one ^ (one << 16) ^ 89_869_747).wrapping_mul(3_644_798_167);
        }
        hash ^= (hash >> 11) ^ (hash >> 25);
        hash = hash.wrapping_mul(69_069).wrapping_add(907_133_923);
        let hash = if hash == u64::MAX { 590_923_713 } else { hash as i64 };
        self.1.set(Some(hash));
        hash
    }
}

impl Heap {
    /// An empty set object.
    pub fn set(&self) -> Ref<Set> {
        self.alloc(Set::default())
    }

    /// A set object with the same keys.
    pub fn set_from(&self, keys: &Keys) -> Ref<Set> {
        let copy = keys.copy();
        self.charge(copy.buffers());
        self.alloc(Set(copy, Cell::new(0)))
    }

    /// A frozenset object that takes the keys of a set over, which is left empty.
    pub fn frozenset_taking(&self, set: &Ref<Set>) -> Ref<FrozenSet> {
        set.0.changed();
        // The table is charged already, and now belongs to the frozenset.
        let table = set.0.table.take();
        self.alloc(FrozenSet(Keys { table: Shared::new(table), ..Keys::default() }, Cell::new(None)))
    }

    /// A frozenset object with the same keys.
    pub fn frozenset_from(&self, keys: &Keys) -> Ref<FrozenSet> {
        let copy = keys.copy();
        self.charge(copy.buffers());
        self.alloc(FrozenSet(copy, Cell::new(None)))
    }
}
