//! The steps of the built-in iterators, and which values have one. The data is in `value/iterator.rs`.
//!
//! `Vm::next` and the `for` statement come here for every iterator that is not a script's own.

use super::Vm;
use crate::value::str::MAX_LEN;
use crate::value::{
    ByteArray, Bytes, Dict, DictView, FrozenSet, Iter, Kind, List, NativeIterator, R, Range, Ref, Set, Show, Str, Tuple, Value,
    ViewKind,
};

/// What a step that needs no script code came to.
enum Quick {
    Item(Value),
    Char(char),
    Pair(Value, Value),
    /// The next of this iterator, with this number.
    Numbered(Value, i64),
    /// The next of each of these iterators.
    Zipped(Ref<Tuple>),
    /// Nothing more; the state that was left is dropped outside.
    End(Iter),
    Slow,
}

impl Vm {
    /// An iterator object.
    #[inline]
    pub fn iterator(&self, state: Iter) -> Value {
        Value::from(self.heap.iterator(state))
    }

    /// The built-in way to iterate over a value of a built-in type itself (not of a class derived from it).
    pub fn native_iter(&self, value: &Value) -> Option<Value> {
        let iter = match value.kind() {
            Kind::List => Iter::List { list: value.downcast::<List>()?.clone(), next: 0 },
            Kind::Tuple => Iter::Tuple { tuple: value.downcast::<Tuple>()?.clone(), next: 0 },
            Kind::Range => Iter::range(value.downcast::<Range>()?),
            Kind::Str => Iter::Str { text: value.downcast::<Str>()?.clone(), offset: 0 },
            Kind::Dict => Iter::dict(value.downcast::<Dict>()?.clone(), Show::Keys),
            Kind::DictView => {
                let view = value.downcast::<DictView>()?;
                Iter::dict(view.dict.clone(), view.kind.show())
            }
            Kind::Set => {
                let used = value.downcast::<Set>()?.keys().len();
                Iter::Set { set: value.clone(), at: 0, used, left: used }
            }
            Kind::FrozenSet => {
                let used = value.downcast::<FrozenSet>()?.keys().len();
                Iter::Set { set: value.clone(), at: 0, used, left: used }
            }
            Kind::Bytes => Iter::Bytes { bytes: value.downcast::<Bytes>()?.clone(), next: 0 },
            Kind::ByteArray => Iter::ByteArray { bytes: value.downcast::<ByteArray>()?.clone(), next: 0 },
            Kind::Iterator => return Some(value.clone()),
            _ => return None,
        };
        Some(self.iterator(iter))
    }

    /// Whether `iter(value)` has a chance: its class has `__iter__` or `__getitem__`.
    pub fn is_iterable(&self, value: &Value) -> bool {
        let class = self.class_of(value);
        let iter = class.lookup(&self.n.__iter__);
        if iter.is_undef() { !class.lookup(&self.n.__getitem__).is_undef() } else { !iter.is_none() }
    }

    /// The next item of a built-in iterator, or `None` when it is exhausted.
    #[inline]
    pub fn iterator_next(&self, iterator: &Ref<NativeIterator>) -> R<Option<Value>> {
        let quick = iterator.state.with_mut(|state| match state {
            Iter::Range { next, step, left } if *left > 0 => {
                let item = *next;
                *left -= 1;
                *next = item.wrapping_add(*step);
                Some(Value::Int(item))
            }
            Iter::List { list, next } => {
                let item = list.get(*next);
                *next += usize::from(item.is_some());
                item
            }
            _ => None,
        });
        if quick.is_some() { Ok(quick) } else { self.iterator_step(iterator) }
    }

    #[inline(never)]
    fn iterator_step(&self, iterator: &Ref<NativeIterator>) -> R<Option<Value>> {
        let quick = iterator.state.with_mut(|state| match state {
            Iter::Range { next, step, left } => {
                let item = *next;
                if *left == 0 {
                    return Quick::End(Iter::Done);
                }
                *left -= 1;
                *next = item.wrapping_add(*step);
                Quick::Item(Value::Int(item))
            }
            Iter::List { list, next } => match list.get(*next) {
                Some(item) => {
                    *next += 1;
                    Quick::Item(item)
                }
                None => Quick::End(std::mem::take(state)),
            },
            Iter::Tuple { tuple, next } => match tuple.items().get(*next) {
                Some(item) => {
                    *next += 1;
                    Quick::Item(item.clone())
                }
                None => Quick::End(std::mem::take(state)),
            },
            Iter::Str { text, offset } => match text.as_str()[*offset..].chars().next() {
                Some(char) => {
                    *offset += char.len_utf8();
                    Quick::Char(char)
                }
                None => Quick::End(std::mem::take(state)),
            },
            Iter::Dict { dict, at, used, left, show } if dict.len() == *used && *left > 0 => {
                let found = match show {
                    Show::Keys => dict.next_key(*at).map(|(at, key)| (at, Quick::Item(key))),
                    Show::Values => dict.next_value(*at).map(|(at, value)| (at, Quick::Item(value))),
                    Show::Items => dict.next_entry(*at).map(|(at, entry)| (at, Quick::Pair(entry.key, entry.value))),
                };
                match found {
                    Some((position, quick)) => {
                        *at = position + 1;
                        *left -= 1;
                        quick
                    }
                    None => Quick::End(std::mem::take(state)),
                }
            }
            Iter::Enumerate { inner, next: Value::Int(next) } if *next < i64::MAX => Quick::Numbered(inner.clone(), *next),
            Iter::Zip { inners, strict: false } if inners.len() == 2 => Quick::Zipped(inners.clone()),
            Iter::Set { set, at, used, left } => match super::mapping::set_keys(set) {
                Some(keys) if keys.len() == *used => match keys.next_key(*at) {
                    Some((slot, _, key)) => {
                        *at = slot + 1;
                        *left = left.saturating_sub(1);
                        Quick::Item(key)
                    }
                    None => Quick::End(std::mem::take(state)),
                },
                _ => Quick::Slow,
            },
            Iter::Done => Quick::End(Iter::Done),
            _ => Quick::Slow,
        });
        match quick {
            Quick::Item(item) => Ok(Some(item)),
            Quick::Char(char) => Ok(Some(self.char_value(char))),
            Quick::Pair(key, value) => Ok(Some(Value::from(self.heap.tuple([key, value])))),
            Quick::Numbered(inner, number) => {
                let Some(item) = self.nested(|| self.next(&inner))? else { return Ok(None) };
                // The number is that of then: the inner iterator may have come back here.
                iterator.state.with_mut(|state| {
                    if let Iter::Enumerate { next: next @ Value::Int(_), .. } = state {
                        *next = Value::Int(number + 1);
                    }
                });
                Ok(Some(Value::from(self.heap.tuple([Value::Int(number), item]))))
            }
            Quick::Zipped(inners) => {
                let [first, second] = inners.items() else { return Ok(None) };
                let Some(first) = self.nested(|| self.next(first))? else { return Ok(None) };
                let Some(second) = self.nested(|| self.next(second))? else { return Ok(None) };
                Ok(Some(Value::from(self.heap.tuple([first, second]))))
            }
            Quick::End(state) => {
                drop(state);
                Ok(None)
            }
            Quick::Slow => self.nested(|| self.iterator_next_slowly(iterator)),
        }
    }

    #[inline(never)]
    fn iterator_next_slowly(&self, iterator: &Ref<NativeIterator>) -> R<Option<Value>> {
        // One reference or two are counted for the time of the step: script code that runs in it may drop the iterator's own.
        let state = iterator.state.get();
        match state {
            Iter::Done | Iter::Range { .. } | Iter::List { .. } | Iter::Tuple { .. } | Iter::Str { .. } => Ok(None),
            Iter::ListReversed { list, next } => match next.checked_sub(1).and_then(|at| Some((at, list.get(at)?))) {
                Some((at, item)) => {
                    iterator.state.set(Iter::ListReversed { list, next: at });
                    Ok(Some(item))
                }
                None => self.exhausted(iterator),
            },
            Iter::Bytes { bytes, next } => match bytes.data().get(next).copied() {
                Some(byte) => {
                    iterator.state.set(Iter::Bytes { bytes, next: next + 1 });
                    Ok(Some(Value::Int(byte.into())))
                }
                None => self.exhausted(iterator),
            },
            Iter::ByteArray { bytes, next } => match bytes.with(|data| data.get(next).copied()) {
                Some(byte) => {
                    iterator.state.set(Iter::ByteArray { bytes, next: next + 1 });
                    Ok(Some(Value::Int(byte.into())))
                }
                None => self.exhausted(iterator),
            },
            Iter::Dict { dict, at, used, left, show } => {
                if dict.len() != used {
                    // Never equal again: the error stays.
                    iterator.state.set(Iter::Dict { dict, at, used: usize::MAX, left, show });
                    return Err(self.runtime_error("dictionary changed size during iteration"));
                }
                // All that was there has been passed.
                match dict.next_key(at) {
                    None => self.exhausted(iterator),
                    Some(_) => {
                        iterator.state.set(Iter::Done);
                        Err(self.runtime_error("dictionary keys changed during iteration"))
                    }
                }
            }
            Iter::DictReversed { dict, at, used, left, show } => {
                if dict.len() != used {
                    iterator.state.set(Iter::DictReversed { dict, at, used: usize::MAX, left, show });
                    return Err(self.runtime_error("dictionary changed size during iteration"));
                }
                match dict.previous_entry(at) {
                    None => self.exhausted(iterator),
                    Some(_) if left == 0 => {
                        iterator.state.set(Iter::Done);
                        Err(self.runtime_error("dictionary keys changed during iteration"))
                    }
                    Some((position, entry)) => {
                        let item = match show {
                            Show::Keys => entry.key,
                            Show::Values => entry.value,
                            Show::Items => Value::from(self.heap.tuple([entry.key, entry.value])),
                        };
                        iterator.state.set(Iter::DictReversed { dict, at: position, used, left: left - 1, show });
                        Ok(Some(item))
                    }
                }
            }
            Iter::Set { set, at, used, left } => {
                let Some(keys) = super::mapping::set_keys(&set) else { return Ok(None) };
                if keys.len() != used {
                    iterator.state.set(Iter::Set { set, at, used: usize::MAX, left });
                    return Err(self.runtime_error("Set changed size during iteration"));
                }
                match keys.next_key(at) {
                    Some((slot, _, key)) => {
                        iterator.state.set(Iter::Set { set, at: slot + 1, used, left: left.saturating_sub(1) });
                        Ok(Some(key))
                    }
                    None => self.exhausted(iterator),
                }
            }
            Iter::Sequence { object, next } => self.next_of_sequence(iterator, object, next),
            Iter::Reversed { object, next } => {
                if next <= 0 {
                    return self.exhausted(iterator);
                }
                let result = self.get_item(&object, &Value::Int(next - 1));
                match self.unless_out_of_items(result)? {
                    Some(item) => {
                        iterator.state.set(Iter::Reversed { object, next: next - 1 });
                        Ok(Some(item))
                    }
                    None => self.exhausted(iterator),
                }
            }
            Iter::Callable { function, sentinel } => {
                let result = self.call(&function, &[]);
                match self.catch(result, &self.types.stop_iteration)? {
                    Some(item) if !self.eq(&sentinel, &item)? => Ok(Some(item)),
                    _ => self.exhausted(iterator),
                }
            }
            Iter::Enumerate { inner, next } => {
                let Some(item) = self.next(&inner)? else { return Ok(None) };
                let after = self.successor(&next);
                // The state is that of now: the inner iterator may have come back here.
                iterator.state.set(Iter::Enumerate { inner, next: after });
                Ok(Some(Value::from(self.heap.tuple([next, item]))))
            }
            Iter::Zip { inners, strict } => self.next_of_zip(&inners, strict),
            Iter::Map { function, inners } => {
                let mut items = smallvec::SmallVec::<[Value; 4]>::new();
                for inner in inners.items() {
                    match self.next(inner)? {
                        Some(item) => items.push(item),
                        None => return Ok(None),
                    }
                }
                self.call(&function, &items).map(Some)
            }
            Iter::Filter { function, inner } => {
                let plain = function.is_none() || matches!(&function, Value::Obj(o) if o.is(self.types.bool_.as_obj()));
                loop {
                    self.charge(1)?;
                    let Some(item) = self.next(&inner)? else { return Ok(None) };
                    let good = if plain {
                        self.truthy(&item)?
                    } else {
                        self.truthy(&self.call(&function, std::slice::from_ref(&item))?)?
                    };
                    if good {
                        return Ok(Some(item));
                    }
                }
            }
        }
    }

    fn exhausted(&self, iterator: &Ref<NativeIterator>) -> R<Option<Value>> {
        iterator.state.set(Iter::Done);
        Ok(None)
    }

    fn next_of_sequence(&self, iterator: &Ref<NativeIterator>, object: Value, next: i64) -> R<Option<Value>> {
        let result = self.get_item(&object, &Value::Int(next));
        match self.unless_out_of_items(result)? {
            Some(item) => {
                let Some(after) = next.checked_add(1) else { return Err(self.overflow_error("iter index too large")) };
                iterator.state.set(Iter::Sequence { object, next: after });
                Ok(Some(item))
            }
            None => self.exhausted(iterator),
        }
    }

    /// `None` for an `IndexError` or `StopIteration`, by which `__getitem__` ends an iteration.
    fn unless_out_of_items(&self, result: R) -> R<Option<Value>> {
        match self.catch(result, &self.types.index_error) {
            Err(raised) => self.catch(Err(raised), &self.types.stop_iteration),
            found => found,
        }
    }

    fn next_of_zip(&self, inners: &Ref<Tuple>, strict: bool) -> R<Option<Value>> {
        let inners = inners.items();
        if inners.is_empty() {
            return Ok(None);
        }
        let mut items = Vec::with_capacity(inners.len());
        for (index, inner) in inners.iter().enumerate() {
            match self.next(inner)? {
                Some(item) => items.push(item),
                None if !strict => return Ok(None),
                None if index > 0 => return Err(self.zip_lengths(index, "shorter")),
                None => {
                    for (index, inner) in inners.iter().enumerate().skip(1) {
                        if self.next(inner)?.is_some() {
                            return Err(self.zip_lengths(index, "longer"));
                        }
                    }
                    return Ok(None);
                }
            }
        }
        Ok(Some(Value::from(self.heap.tuple(items))))
    }

    #[cold]
    fn zip_lengths(&self, index: usize, comparison: &str) -> crate::value::Raised {
        let others = if index == 1 { "argument 1".to_owned() } else { format!("arguments 1-{index}") };
        self.value_error(format!("zip() argument {} is {comparison} than {others}", index + 1))
    }

    /// An integer value plus one.
    fn successor(&self, number: &Value) -> Value {
        match number {
            Value::Int(i) => self.heap.int128(i128::from(*i) + 1),
            big => match big.downcast::<crate::value::BigInt>() {
                Some(big) => self.heap.int(&big.0 + dashu_int::IBig::ONE),
                None => Value::Int(1),
            },
        }
    }

    /// `__length_hint__` of a built-in iterator; `None` for those that have none.
    pub fn iterator_length_hint(&self, iterator: &Ref<NativeIterator>) -> R<Option<usize>> {
        Ok(Some(match iterator.state.get() {
            Iter::Done => 0,
            Iter::Range { left, .. } => usize::try_from(left).unwrap_or(MAX_LEN),
            Iter::List { list, next } => list.len().saturating_sub(next),
            Iter::ListReversed { list, next } => {
                if list.len() < next {
                    0
                } else {
                    next
                }
            }
            Iter::Tuple { tuple, next } => tuple.len().saturating_sub(next),
            Iter::Str { text, offset } => text.as_str().get(offset..).map_or(0, |rest| rest.chars().count()),
            Iter::Bytes { bytes, next } => bytes.data().len().saturating_sub(next),
            Iter::ByteArray { bytes, next } => bytes.with(|data| data.len()).saturating_sub(next),
            Iter::Dict { dict, used, left, .. } | Iter::DictReversed { dict, used, left, .. } => {
                if dict.len() == used {
                    left
                } else {
                    0
                }
            }
            Iter::Set { set, used, left, .. } => {
                if super::mapping::set_keys(&set).is_some_and(|keys| keys.len() == used) {
                    left
                } else {
                    0
                }
            }
            Iter::Sequence { object, next } => {
                if self.class_of(&object).lookup(&self.n.__len__).is_undef() {
                    return Ok(None);
                }
                self.len(&object)?.saturating_sub(usize::try_from(next).unwrap_or(0))
            }
            Iter::Reversed { object, next } => {
                let next = usize::try_from(next).unwrap_or(0);
                if self.len(&object)? < next { 0 } else { next }
            }
            Iter::Callable { .. } | Iter::Enumerate { .. } | Iter::Zip { .. } | Iter::Map { .. } | Iter::Filter { .. } => {
                return Ok(None);
            }
        }))
    }
}

impl ViewKind {
    /// What an iterator over such a view gives.
    pub fn show(self) -> Show {
        match self {
            ViewKind::Keys => Show::Keys,
            ViewKind::Values => Show::Values,
            ViewKind::Items => Show::Items,
        }
    }
}
