//! Dicts and sets: finding, setting and removing keys, where comparing them may run script code.
//!
//! The tables (`value/dict.rs`, `value/set.rs`) hand out the keys they cannot compare themselves. Whenever a comparison has changed
//! the table, the search starts over. Every place that needs a key goes through here: subscripts, methods, displays, `in`.

use super::Vm;
use crate::value::dict::{self, Probe};
use crate::value::set::{self, Cursor, Keys};
use crate::value::{Dict, DictView, FrozenSet, Kind, R, Raised, Ref, Set, Str, Value, ViewKind, hash};

/// Units of work of passing as many keys as a probe does at once.
const LONG_PROBE: u64 = 50;
/// From this many keys on, memory is asked for before a table grows.
const LARGE: usize = 4096;
/// Bytes per key of a table that grows: an entry and its places in the index, twice as many as there are.
const GROWTH: usize = 2 * (40 + 8);

/// The keys of a set or frozenset, or of an instance of a class derived from them.
#[inline]
pub fn set_keys(value: &Value) -> Option<&Keys> {
    let inner = value.unwrapped();
    match inner.kind() {
        Kind::Set => inner.downcast::<Set>().map(|set| set.keys()),
        Kind::FrozenSet => inner.downcast::<FrozenSet>().map(|set| set.keys()),
        _ => None,
    }
}

impl Vm {
    /// The hash of a key.
    #[inline]
    pub fn key_hash(&self, key: &Value) -> R<i64> {
        match key {
            Value::Int(i) => Ok(hash::int(*i)),
            key => match key.downcast::<Str>() {
                Some(text) if text.byte_len() < dict::LONG_TEXT => Ok(text.hash() as i64),
                _ => self.hash(key),
            },
        }
    }

    /// The position of a key in a dict. It stays true until script code runs or the dict changes.
    #[inline]
    pub fn dict_find(&self, dict: &Ref<Dict>, key: &Value) -> R<Option<usize>> {
        let hash = self.key_hash(key)? as u64;
        self.dict_find_hashed(dict, hash, key)
    }

    /// As `dict_find`, when the hash is known.
    #[inline]
    pub fn dict_find_hashed(&self, dict: &Ref<Dict>, hash: u64, key: &Value) -> R<Option<usize>> {
        match dict.probe(hash, key, 0) {
            Probe::Found(index) => Ok(Some(index)),
            Probe::Missing => Ok(None),
            more => self.dict_find_slowly(dict, hash, key, more),
        }
    }

    #[inline(never)]
    fn dict_find_slowly(&self, dict: &Ref<Dict>, hash: u64, key: &Value, mut probe: Probe) -> R<Option<usize>> {
        loop {
            let version = dict.version();
            let cursor = match probe {
                Probe::Found(index) => return Ok(Some(index)),
                Probe::Missing => return Ok(None),
                Probe::Long { cursor } => {
                    self.charge(LONG_PROBE)?;
                    cursor
                }
                Probe::Ask { index, key: candidate, cursor } => {
                    let same = self.eq(&candidate, key)?;
                    if same && dict.version() == version {
                        return Ok(Some(index));
                    }
                    cursor
                }
            };
            let unchanged = dict.version() == version;
            if !unchanged {
                self.charge(1)?;
            }
            probe = dict.probe(hash, key, if unchanged { cursor } else { 0 });
        }
    }

    /// `dict.get(key)`: the value, if the key is there. `__missing__` is not asked.
    #[inline]
    pub fn dict_get(&self, dict: &Ref<Dict>, key: &Value) -> R<Option<Value>> {
        Ok(self.dict_find(dict, key)?.and_then(|index| dict.value_at(index)))
    }

    /// `dict[key]` of an exact dict: `KeyError` if it is not there.
    #[inline]
    pub fn dict_item(&self, dict: &Ref<Dict>, key: &Value) -> R {
        match self.dict_get(dict, key)? {
            Some(value) => Ok(value),
            None => Err(self.key_error(key)),
        }
    }

    /// `object[key]` for a dict or an instance of a derived class, which may have `__missing__`.
    pub fn dict_subscript(&self, object: &Value, key: &Value) -> R {
        if let Some(dict) = object.downcast::<Dict>() {
            return self.dict_item(dict, key);
        }
        let found = match object.payload::<Dict>() {
            Some(dict) => self.dict_get(dict, key)?,
            None => None,
        };
        if let Some(value) = found {
            return Ok(value);
        }
        match self.call_special(object, &self.n.__missing__, std::slice::from_ref(key))? {
            Some(value) => Ok(value),
            None => Err(self.key_error(key)),
        }
    }

    /// `dict[key] = value`.
    #[inline]
    pub fn dict_set(&self, dict: &Ref<Dict>, key: Value, value: Value) -> R<()> {
        let hash = self.key_hash(&key)? as u64;
        self.dict_set_hashed(dict, hash, key, value)
    }

    /// As `dict_set`, when the hash is known.
    #[inline]
    pub fn dict_set_hashed(&self, dict: &Ref<Dict>, hash: u64, key: Value, value: Value) -> R<()> {
        match self.dict_find_hashed(dict, hash, &key)? {
            Some(index) => drop(dict.replace_at(index, value)),
            None => self.dict_insert(dict, hash, key, value)?,
        }
        Ok(())
    }

    /// Adds a key that was just found missing.
    #[inline]
    pub fn dict_insert(&self, dict: &Ref<Dict>, hash: u64, key: Value, value: Value) -> R<()> {
        let len = dict.len();
        if len >= LARGE && len.is_power_of_two() {
            self.check_table(len)?;
        }
        dict.insert_new(hash, key, value);
        Ok(())
    }

    #[cold]
    #[inline(never)]
    fn check_table(&self, len: usize) -> R<()> {
        if len >= dict::MAX_LEN / 2 {
            return Err(self.out_of_memory());
        }
        self.charge((len / 64) as u64)?;
        self.check_alloc(len * GROWTH)
    }

    /// Removes a key and returns its value, if it was there.
    #[inline]
    pub fn dict_remove(&self, dict: &Ref<Dict>, key: &Value) -> R<Option<Value>> {
        match self.dict_find(dict, key)? {
            Some(index) => Ok(dict.remove_at(index).map(|entry| entry.value)),
            None => Ok(None),
        }
    }

    /// `del dict[key]`: `KeyError` if it is not there.
    pub fn dict_del(&self, dict: &Ref<Dict>, key: &Value) -> R<()> {
        match self.dict_remove(dict, key)? {
            Some(_) => Ok(()),
            None => Err(self.key_error(key)),
        }
    }

    /// `dict.setdefault(key, default)`.
    pub fn dict_set_default(&self, dict: &Ref<Dict>, key: Value, default: Value) -> R {
        let hash = self.key_hash(&key)? as u64;
        match self.dict_find_hashed(dict, hash, &key)? {
            Some(index) => Ok(dict.value_at(index).unwrap_or(default)),
            None => {
                self.dict_insert(dict, hash, key, default.clone())?;
                Ok(default)
            }
        }
    }

    /// A copy of a dict.
    pub fn dict_copy(&self, dict: &Ref<Dict>) -> R<Ref<Dict>> {
        let len = dict.len();
        if len > 64 {
            self.charge((len / 32) as u64)?;
            self.check_alloc(len * GROWTH / 2)?;
        }
        Ok(dict.copy(&self.heap))
    }

    /// Whether the entries of a value can be read off its dict: a dict, or an instance of a derived class that iterates as dicts do.
    fn plain_dict<'a>(&self, value: &'a Value) -> Option<&'a Ref<Dict>> {
        if let Some(dict) = value.downcast::<Dict>() {
            return Some(dict);
        }
        let dict = value.payload::<Dict>()?;
        let iter = self.class_of(value).lookup(&self.n.__iter__);
        iter.is(&self.types.dict.lookup(&self.n.__iter__)).then_some(dict)
    }

    /// `dict.update(source)`: a mapping (anything with `keys`), or an iterable of pairs.
    pub fn dict_update(&self, dict: &Ref<Dict>, source: &Value) -> R<()> {
        if self.plain_dict(source).is_some() || self.find_attr(source, &self.n.keys)?.is_some() {
            return self.dict_merge(dict, source);
        }
        let mut index = 0usize;
        self.for_each(source, &mut |pair| {
            self.update_from_pair(dict, index, &pair)?;
            index += 1;
            Ok(true)
        })
    }

    /// Adds the entries of a mapping.
    pub fn dict_merge(&self, dict: &Ref<Dict>, source: &Value) -> R<()> {
        if let Some(other) = self.plain_dict(source) {
            return self.dict_merge_dict(dict, other);
        }
        let keys = self.call_method(source, &self.n.keys, &[])?;
        self.for_each(&keys, &mut |key| {
            let value = self.get_item(source, &key)?;
            self.dict_set(dict, key, value)?;
            Ok(true)
        })
    }

    fn dict_merge_dict(&self, dict: &Ref<Dict>, other: &Ref<Dict>) -> R<()> {
        if dict.is(other) {
            return Ok(());
        }
        let used = other.len();
        let mut at = 0;
        while let Some((position, entry)) = other.next_entry(at) {
            at = position + 1;
            if at.is_multiple_of(64) {
                self.charge(4)?;
            }
            self.dict_set_hashed(dict, entry.hash, entry.key, entry.value)?;
            if other.len() != used {
                return Err(self.runtime_error("dict mutated during update"));
            }
        }
        Ok(())
    }

    fn update_from_pair(&self, dict: &Ref<Dict>, index: usize, pair: &Value) -> R<()> {
        let length =
            |len: usize| self.value_error(format!("dictionary update sequence element #{index} has length {len}; 2 is required"));
        let (key, value) = match pair.as_tuple() {
            Some([key, value]) => (key.clone(), value.clone()),
            Some(other) => return Err(length(other.len())),
            None if !self.is_iterable(pair) => {
                return Err(self.type_error(format!("cannot convert dictionary update sequence element #{index} to a sequence")));
            }
            None => {
                let mut items = self.collect(pair)?;
                match (items.len(), items.pop(), items.pop()) {
                    (2, Some(value), Some(key)) => (key, value),
                    (len, ..) => return Err(length(len)),
                }
            }
        };
        self.dict_set(dict, key, value)
    }

    /// Whether two dicts are equal.
    pub fn dict_eq(&self, a: &Ref<Dict>, b: &Ref<Dict>) -> R<bool> {
        if a.is(b) && a.is_empty() {
            return Ok(true);
        }
        if a.len() != b.len() {
            return Ok(false);
        }
        self.nested(|| {
            let mut at = 0;
            while let Some((position, entry)) = a.next_entry(at) {
                at = position + 1;
                if at.is_multiple_of(16) {
                    self.charge(1)?;
                }
                let Some(index) = self.dict_find_hashed(b, entry.hash, &entry.key)? else { return Ok(false) };
                let Some(other) = b.value_at(index) else { return Ok(false) };
                if !self.eq(&other, &entry.value)? {
                    return Ok(false);
                }
            }
            Ok(true)
        })
    }

    /// Whether a view of a dict has an item.
    pub fn view_contains(&self, view: &Ref<DictView>, item: &Value) -> R<bool> {
        match view.kind {
            ViewKind::Keys => Ok(self.dict_find(&view.dict, item)?.is_some()),
            ViewKind::Items => {
                let Some([key, value]) = item.as_tuple() else { return Ok(false) };
                match self.dict_get(&view.dict, key)? {
                    Some(found) => self.eq(&found, value),
                    None => Ok(false),
                }
            }
            ViewKind::Values => {
                let mut at = 0;
                while let Some((position, value)) = view.dict.next_value(at) {
                    at = position + 1;
                    if at.is_multiple_of(16) {
                        self.charge(1)?;
                    }
                    if self.eq(&value, item)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
        }
    }
}

/// Sets.
impl Vm {
    /// The slot of a key. It stays true until script code runs or the set changes.
    #[inline]
    pub fn set_find(&self, keys: &Keys, key: &Value) -> R<Option<usize>> {
        let hash = self.key_hash(key)?;
        self.set_find_hashed(keys, hash, key)
    }

    /// As `set_find`, when the hash is known.
    #[inline]
    pub fn set_find_hashed(&self, keys: &Keys, hash: i64, key: &Value) -> R<Option<usize>> {
        match keys.find_quickly(hash, key) {
            Some(found) => Ok(found),
            None => self.set_find_slowly(keys, hash, key),
        }
    }

    #[inline(never)]
    fn set_find_slowly(&self, keys: &Keys, hash: i64, key: &Value) -> R<Option<usize>> {
        let mut cursor = Cursor::default();
        loop {
            let version = keys.version();
            match keys.probe(hash, key, cursor) {
                set::Probe::Found(slot) => return Ok(Some(slot)),
                set::Probe::Missing => return Ok(None),
                set::Probe::Long { cursor: further } => {
                    cursor = further;
                    self.charge(LONG_PROBE)?;
                }
                set::Probe::Ask { slot, key: candidate, cursor: further } => {
                    cursor = further;
                    let same = self.eq(&candidate, key)?;
                    if same && keys.version() == version {
                        return Ok(Some(slot));
                    }
                }
            }
            if keys.version() != version {
                self.charge(1)?;
                cursor = Cursor::default();
            }
        }
    }

    /// `key in set`. A set, which has no hash, is looked for as the equal frozenset.
    pub fn set_contains(&self, keys: &Keys, key: &Value) -> R<bool> {
        Ok(self.set_find_any(keys, key)?.is_some())
    }

    fn set_find_any(&self, keys: &Keys, key: &Value) -> R<Option<usize>> {
        match key.payload::<Set>() {
            None => self.set_find(keys, key),
            Some(inner) => match self.set_find(keys, key) {
                Err(Raised) if self.raised_is(&self.types.type_error) => {
                    drop(self.take_raised());
                    let frozen = self.heap.frozenset_from(inner.keys());
                    self.set_find_hashed(keys, frozen.hash(), &Value::from(frozen))
                }
                found => found,
            },
        }
    }

    /// Adds a key; whether it is new.
    #[inline]
    pub fn set_add(&self, set: &Ref<Set>, key: Value) -> R<bool> {
        let hash = self.key_hash(&key)?;
        self.set_add_hashed(set, hash, key)
    }

    /// As `set_add`, when the hash is known.
    pub fn set_add_hashed(&self, set: &Ref<Set>, hash: i64, key: Value) -> R<bool> {
        if self.set_find_hashed(set.keys(), hash, &key)?.is_some() {
            return Ok(false);
        }
        self.set_insert(set, hash, key)?;
        Ok(true)
    }

    /// Adds a key that is known to be missing.
    #[inline]
    fn set_insert(&self, set: &Ref<Set>, hash: i64, key: Value) -> R<()> {
        let len = set.keys().len();
        if len >= LARGE && len.is_power_of_two() {
            self.check_table(len)?;
        }
        set.insert_new(hash, key);
        Ok(())
    }

    /// Adds one of the keys of a set to another that has only such: unless a script can tell, they need not be compared.
    #[inline]
    fn set_take_over(&self, set: &Ref<Set>, hash: i64, key: Value) -> R<()> {
        match key.kind() {
            Kind::Free | Kind::Str => self.set_insert(set, hash, key),
            _ => self.set_add_hashed(set, hash, key).map(|_| ()),
        }
    }

    /// Removes a key; whether it was there.
    pub fn set_discard(&self, set: &Ref<Set>, key: &Value) -> R<bool> {
        match self.set_find_any(set.keys(), key)? {
            Some(slot) => {
                drop(set.keys().remove_at(slot));
                Ok(true)
            }
            None => Ok(false),
        }
    }

    fn set_discard_hashed(&self, set: &Ref<Set>, hash: i64, key: &Value) -> R<bool> {
        match self.set_find_hashed(set.keys(), hash, key)? {
            Some(slot) => {
                drop(set.keys().remove_at(slot));
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// Calls `each` with the keys of a set and their hashes. Keys that come or go meanwhile may be passed over.
    fn each_key(&self, keys: &Keys, mut each: impl FnMut(i64, Value) -> R<bool>) -> R<()> {
        let mut at = 0;
        while let Some((slot, hash, key)) = keys.next_key(at) {
            // Empty slots are passed too.
            if slot - at >= 64 {
                self.charge(((slot - at) / 64) as u64)?;
            }
            at = slot + 1;
            if at.is_multiple_of(16) {
                self.charge(1)?;
            }
            if !each(hash, key)? {
                break;
            }
        }
        Ok(())
    }

    /// A set of the keys of another.
    pub fn set_copy(&self, keys: &Keys) -> R<Ref<Set>> {
        let len = keys.len();
        if len > 64 {
            self.charge((len / 16) as u64)?;
            self.check_alloc(len * 4 * 32)?;
        }
        Ok(self.heap.set_from(keys))
    }

    /// A set of the items of an iterable.
    pub fn set_of(&self, iterable: &Value) -> R<Ref<Set>> {
        if let Some(keys) = set_keys(iterable) {
            return self.set_copy(keys);
        }
        let set = self.heap.set();
        self.set_update(&set, iterable)?;
        Ok(set)
    }

    /// `set.update(iterable)`.
    pub fn set_update(&self, set: &Ref<Set>, iterable: &Value) -> R<()> {
        if let Some(keys) = set_keys(iterable) {
            if std::ptr::eq(keys, set.keys()) || keys.is_empty() {
                return Ok(());
            }
            self.set_room(set, keys.len())?;
            if set.fill_from(keys) {
                return Ok(());
            }
            return self.each_key(keys, |hash, key| self.set_add_hashed(set, hash, key).map(|_| true));
        }
        if let Some(dict) = iterable.downcast::<Dict>() {
            self.set_room(set, dict.len())?;
            let mut at = 0;
            while let Some((position, entry)) = dict.next_entry(at) {
                at = position + 1;
                if at.is_multiple_of(16) {
                    self.charge(1)?;
                }
                self.set_add_hashed(set, entry.hash as i64, entry.key)?;
            }
            return Ok(());
        }
        self.for_each(iterable, &mut |item| self.set_add(set, item).map(|_| true))
    }

    fn set_room(&self, set: &Ref<Set>, more: usize) -> R<()> {
        let all = set.keys().len() + more;
        if all > LARGE {
            self.charge((all / 64) as u64)?;
            self.check_alloc(all * 4 * 32)?;
        }
        set.make_room(more);
        Ok(())
    }

    /// `set.intersection(other)`.
    pub fn set_intersection(&self, keys: &Keys, other: &Value) -> R<Ref<Set>> {
        let result = self.heap.set();
        match set_keys(other) {
            Some(theirs) => {
                let (few, many) = if theirs.len() > keys.len() { (keys, theirs) } else { (theirs, keys) };
                self.each_key(few, |hash, key| {
                    if self.set_find_hashed(many, hash, &key)?.is_some() {
                        self.set_take_over(&result, hash, key)?;
                    }
                    Ok(true)
                })?;
            }
            None => self.for_each(other, &mut |key| {
                let hash = self.key_hash(&key)?;
                if self.set_find_hashed(keys, hash, &key)?.is_some() {
                    self.set_add_hashed(&result, hash, key)?;
                }
                Ok(true)
            })?,
        }
        Ok(result)
    }

    /// `set.difference(other)`.
    pub fn set_difference(&self, keys: &Keys, other: &Value) -> R<Ref<Set>> {
        let dict = other.downcast::<Dict>();
        let size = match (set_keys(other), dict) {
            (Some(theirs), _) => theirs.len(),
            (None, Some(dict)) => dict.len(),
            (None, None) => 0,
        };
        if (set_keys(other).is_none() && dict.is_none()) || keys.len() >> 2 > size {
            let result = self.set_copy(keys)?;
            self.set_difference_update(&result, other)?;
            return Ok(result);
        }
        let result = self.heap.set();
        self.each_key(keys, |hash, key| {
            let found = match (set_keys(other), dict) {
                (Some(theirs), _) => self.set_find_hashed(theirs, hash, &key)?.is_some(),
                (None, Some(dict)) => self.dict_find_hashed(dict, hash as u64, &key)?.is_some(),
                (None, None) => false,
            };
            if !found {
                self.set_take_over(&result, hash, key)?;
            }
            Ok(true)
        })?;
        Ok(result)
    }

    /// `set.difference_update(other)`.
    pub fn set_difference_update(&self, set: &Ref<Set>, other: &Value) -> R<()> {
        match set_keys(other) {
            Some(theirs) if std::ptr::eq(theirs, set.keys()) => {
                set.empty();
                Ok(())
            }
            Some(theirs) => {
                self.each_key(theirs, |hash, key| self.set_discard_hashed(set, hash, &key).map(|_| true))?;
                set.sweep();
                Ok(())
            }
            None => {
                self.for_each(other, &mut |key| {
                    let hash = self.key_hash(&key)?;
                    self.set_discard_hashed(set, hash, &key).map(|_| true)
                })?;
                set.sweep();
                Ok(())
            }
        }
    }

    /// `set.symmetric_difference_update(other)`.
    pub fn set_symmetric_difference_update(&self, set: &Ref<Set>, other: &Value) -> R<()> {
        if set_keys(other).is_some_and(|theirs| std::ptr::eq(theirs, set.keys())) {
            set.empty();
            return Ok(());
        }
        let toggle = |hash: i64, key: Value| {
            if !self.set_discard_hashed(set, hash, &key)? {
                self.set_add_hashed(set, hash, key)?;
            }
            Ok(true)
        };
        if let Some(theirs) = set_keys(other) {
            return self.each_key(theirs, toggle);
        }
        if let Some(dict) = other.downcast::<Dict>() {
            for key in dict.keys() {
                toggle(self.key_hash(&key)?, key)?;
            }
            return Ok(());
        }
        let theirs = self.set_of(other)?;
        self.each_key(theirs.keys(), toggle)
    }

    /// Whether every key of `few` is in `many`.
    pub fn set_is_subset(&self, few: &Keys, many: &Keys) -> R<bool> {
        if few.len() > many.len() {
            return Ok(false);
        }
        let mut all = true;
        self.each_key(few, |hash, key| {
            all = self.set_find_hashed(many, hash, &key)?.is_some();
            Ok(all)
        })?;
        Ok(all)
    }

    /// Whether two sets have the same keys.
    pub fn set_eq(&self, a: &Keys, b: &Keys) -> R<bool> {
        if a.len() != b.len() {
            return Ok(false);
        }
        self.nested(|| self.set_is_subset(a, b))
    }

    /// `set.isdisjoint(other)`.
    pub fn set_is_disjoint(&self, keys: &Keys, other: &Value) -> R<bool> {
        let mut apart = true;
        match set_keys(other) {
            Some(theirs) => {
                let (few, many) = if theirs.len() > keys.len() { (keys, theirs) } else { (theirs, keys) };
                self.each_key(few, |hash, key| {
                    apart = self.set_find_hashed(many, hash, &key)?.is_none();
                    Ok(apart)
                })?;
            }
            None => self.for_each(other, &mut |key| {
                apart = self.set_find(keys, &key)?.is_none();
                Ok(apart)
            })?,
        }
        Ok(apart)
    }
}
