//! Iteration from native code, over values of any type. The steps of the built-in iterators are in `iterator.rs`.

use super::Vm;
use super::coroutine::Generator;
use super::cursor::Cursor;
use crate::value::{Dict, Kind, List, NativeIterator, R, Raised, Range, Str, Tuple, Value};

/// Takes the next item from an iterator of a native type: nothing at the end.
pub type NextHook = fn(&Vm, &Value) -> R<Option<Value>>;

/// Items of native iteration for one unit of work.
const PER_UNIT: u64 = 16;
/// From this many items on, memory is asked for while they are collected.
const MANY: usize = 4096;

impl Vm {
    /// `iter(value)`.
    #[inline]
    pub fn iter(&self, value: &Value) -> R {
        match self.native_iter(value) {
            Some(iterator) => Ok(iterator),
            None if value.kind() == Kind::Generator => Ok(value.clone()),
            None => self.iter_special(value),
        }
    }

    #[inline(never)]
    fn iter_special(&self, value: &Value) -> R {
        let class = self.class_of(value);
        let method = class.lookup(&self.n.__iter__);
        if method.is_undef() {
            if class.lookup(&self.n.__getitem__).is_undef() {
                return Err(self.not_iterable(value));
            }
            return Ok(self.iterator(crate::value::Iter::Sequence { object: value.clone(), next: 0 }));
        }
        if method.is_none() {
            return Err(self.not_iterable(value));
        }
        let iterator = self.call_slot(&method, value, &[])?;
        if !self.is_iterator(&iterator) {
            let given = self.class_of(&iterator);
            return Err(self.type_error(format!("iter() returned non-iterator of type '{}'", self.type_name(&given))));
        }
        Ok(iterator)
    }

    /// Whether `next(value)` has a chance.
    pub fn is_iterator(&self, value: &Value) -> bool {
        matches!(value.kind(), Kind::Iterator | Kind::Generator) || !self.class_of(value).lookup(&self.n.__next__).is_undef()
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn not_iterable(&self, value: &Value) -> Raised {
        self.type_error(format!("'{}' object is not iterable", self.type_name(&self.class_of(value))))
    }

    /// `next(iterator)`, or `None` when it is exhausted.
    #[inline]
    pub fn next(&self, iterator: &Value) -> R<Option<Value>> {
        if let Some(native) = iterator.downcast::<NativeIterator>() {
            return self.iterator_next(native);
        }
        if let Some(generator) = iterator.downcast::<Generator>() {
            let item = self.next_of_generator(generator)?;
            return Ok(if item.is_undef() { None } else { Some(item) });
        }
        self.next_special(iterator)
    }

    #[inline(never)]
    fn next_special(&self, iterator: &Value) -> R<Option<Value>> {
        if let Value::Obj(object) = iterator
            && object.kind() == Kind::Native
            && let Some(hook) = self.next_hook(object.class_index())
        {
            return self.nested(|| hook(self, iterator));
        }
        let method = self.class_of(iterator).lookup(&self.n.__next__);
        if method.is_undef() || method.is_none() {
            let class = self.class_of(iterator);
            return Err(self.type_error(format!("'{}' object is not an iterator", self.type_name(&class))));
        }
        let item = self.call_slot(&method, iterator, &[]);
        self.catch(item, &self.types.stop_iteration)
    }

    /// Tells how to take items from iterators of a native type without going through `__next__` and `StopIteration`.
    pub fn set_next_hook(&self, class_index: u16, hook: NextHook) {
        self.next_hooks.with_mut(|hooks| {
            if hooks.len() <= class_index as usize {
                hooks.resize(class_index as usize + 1, None);
            }
            hooks[class_index as usize] = Some(hook);
        });
    }

    #[inline]
    fn next_hook(&self, class_index: u16) -> Option<NextHook> {
        self.next_hooks.with(|hooks| hooks.get(class_index as usize).copied().flatten())
    }

    /// `list(iterable)` as a vector, charging fuel and checking memory as it grows.
    pub fn collect(&self, iterable: &Value) -> R<Vec<Value>> {
        match iterable.kind() {
            Kind::List => {
                if let Some(list) = iterable.downcast::<List>() {
                    self.will_copy(list.len())?;
                    return Ok(list.to_vec());
                }
            }
            Kind::Tuple => {
                if let Some(tuple) = iterable.downcast::<Tuple>() {
                    self.will_copy(tuple.len())?;
                    return Ok(tuple.items().to_vec());
                }
            }
            Kind::Dict => {
                if let Some(dict) = iterable.downcast::<Dict>() {
                    self.will_copy(dict.len())?;
                    return Ok(dict.keys());
                }
            }
            Kind::Range => {
                if let Some(range) = iterable.downcast::<Range>() {
                    let len = usize::try_from(range.len()).unwrap_or(usize::MAX);
                    self.check_alloc_items(len, size_of::<Value>())?;
                    self.charge(len as u64 / 64)?;
                    return Ok((0..len).map(|index| Value::Int(range.at(index as u64))).collect());
                }
            }
            Kind::Str => {
                if let Some(text) = iterable.downcast::<Str>() {
                    self.check_alloc_items(text.len(), size_of::<Value>() + 64)?;
                    self.charge(text.byte_len() as u64 / 64)?;
                    let mut buffer = [0; 4];
                    return Ok(text.as_str().chars().map(|c| self.str_value(c.encode_utf8(&mut buffer))).collect());
                }
            }
            _ => {}
        }
        let iterator = self.iter(iterable)?;
        let mut items = Vec::new();
        let hint = self.length_hint(iterable)?;
        if hint > 0 && hint < 1 << 32 && self.heap.room_for(hint * size_of::<Value>()) {
            items.reserve(hint.min(1 << 16));
        }
        self.drain(&iterator, &mut |item| {
            self.will_grow(items.len(), items.capacity())?;
            items.push(item);
            Ok(true)
        })?;
        Ok(items)
    }

    /// Asks for the memory before one more item goes into a vector that iteration fills.
    #[inline]
    pub fn will_grow(&self, len: usize, capacity: usize) -> R<()> {
        if len == capacity && len >= MANY {
            self.check_alloc_items(len * 2, size_of::<Value>())?;
        }
        Ok(())
    }

    /// Calls `each` with every item; `false` from it ends the walk.
    pub fn for_each(&self, iterable: &Value, each: &mut dyn FnMut(Value) -> R<bool>) -> R<()> {
        let mut cursor = Cursor::new(self, iterable.clone())?;
        let mut count = 0u64;
        loop {
            let item = cursor.next(self)?;
            if item.is_undef() {
                return Ok(());
            }
            count += 1;
            if count.is_multiple_of(PER_UNIT) {
                self.charge(1)?;
            }
            if !each(item)? {
                return Ok(());
            }
        }
    }

    /// As `for_each`, for the rest of an iterator.
    pub fn drain(&self, iterator: &Value, each: &mut dyn FnMut(Value) -> R<bool>) -> R<()> {
        let mut count = 0u64;
        while let Some(item) = self.next(iterator)? {
            count += 1;
            if count.is_multiple_of(PER_UNIT) {
                self.charge(1)?;
            }
            if !each(item)? {
                break;
            }
        }
        Ok(())
    }

    /// `operator.length_hint(value)`, 0 if unknown.
    pub fn length_hint(&self, value: &Value) -> R<usize> {
        Ok(self.known_length_hint(value)?.unwrap_or(0))
    }

    /// How many items a value says that it has, if it says so.
    pub fn known_length_hint(&self, value: &Value) -> R<Option<usize>> {
        if let Some(length) = self.builtin_len(value) {
            return Ok(Some(length));
        }
        if let Some(iterator) = value.downcast::<NativeIterator>() {
            return self.iterator_length_hint(iterator);
        }
        if !matches!(value.kind(), Kind::Instance | Kind::Native) {
            return Ok(None);
        }
        let class = self.class_of(value);
        if !class.lookup(&self.n.__len__).is_undef() {
            let length = self.len(value);
            if let Some(length) = self.catch(length, &self.types.type_error)? {
                return Ok(Some(length));
            }
        }
        let hint = self.call_special(value, &self.n.__length_hint__, &[]);
        match self.catch(hint, &self.types.type_error)?.flatten() {
            None | Some(Value::NotImplemented) => Ok(None),
            Some(Value::Int(hint)) => match usize::try_from(hint) {
                Ok(hint) => Ok(Some(hint)),
                Err(_) => Err(self.value_error("__length_hint__() should return >= 0")),
            },
            Some(other) => {
                let given = self.class_of(&other);
                Err(self.type_error(format!("__length_hint__ must be an integer, not {}", self.type_name(&given))))
            }
        }
    }
}
