//! `bytes` and `bytearray` as the operators see them: subscripts, concatenation, repetition, comparison, containment. The methods are
//! in `builtins/bytes/`.

use std::cmp::Ordering;

use super::Vm;
use crate::value::memory_view::MemoryView;
use crate::value::{ByteArray, Bytes, List, R, Ref, Slice, Str, Value};

/// Reads the bytes of a bytes-like value; `None` for others. The closure runs no script code.
#[inline]
pub fn with_bytes<U>(value: &Value, read: impl FnOnce(&[u8]) -> U) -> Option<U> {
    if let Some(bytes) = value.payload::<Bytes>() {
        return Some(read(bytes.data()));
    }
    if let Some(bytes) = value.payload::<ByteArray>() {
        return Some(bytes.with(read));
    }
    value.downcast::<MemoryView>().and_then(|view| view.with(read))
}

/// A copy of the bytes of a bytes-like value; `None` for others.
pub fn bytes_of(value: &Value) -> Option<Vec<u8>> {
    with_bytes(value, <[u8]>::to_vec)
}

/// How many bytes a bytes-like value has.
pub fn length(value: &Value) -> Option<usize> {
    match value.downcast::<MemoryView>() {
        Some(view) => view.lent().map(|_| view.layout.size()),
        None => with_bytes(value, <[u8]>::len),
    }
}

impl Vm {
    /// Bytes in the type of `like`: a `bytearray` if that is one, else `bytes`.
    pub fn bytes_like(&self, like: &Value, data: Vec<u8>) -> Value {
        if like.payload::<ByteArray>().is_some() {
            Value::from(self.heap.bytearray(data))
        } else {
            Value::from(self.heap.bytes_object(data))
        }
    }

    /// `bytes[key]`, for both types.
    pub fn bytes_get(&self, value: &Value, key: &Value) -> R {
        let len = || length(value).unwrap_or(0);
        if let Some(slice) = key.downcast::<Slice>() {
            let picked = self.slice_of(slice, len)?;
            self.check_alloc(picked.count)?;
            self.charge((picked.count / 4096) as u64)?;
            let data = with_bytes(value, |data| picked.of(data)).unwrap_or_default();
            return Ok(self.bytes_like(value, data));
        }
        let what = if value.payload::<Bytes>().is_some() { "byte" } else { "bytearray" };
        let index = match key {
            Value::Int(_) => self.item_index(key, len(), if what == "byte" { "index" } else { what }),
            _ => self.item_index(key, len(), what),
        };
        match index {
            Ok(index) => {
                Ok(with_bytes(value, |data| data.get(index).copied()).flatten().map_or(Value::None, |b| Value::Int(b.into())))
            }
            Err(raised) if what == "byte" && self.raised_is(&self.types.index_error) && self.has_index(key) => {
                drop(self.take_raised());
                let _ = raised;
                Err(self.index_error("index out of range"))
            }
            Err(raised) => Err(raised),
        }
    }

    /// A byte given as an integer: `ValueError` unless it is one.
    pub fn byte(&self, value: &Value) -> R<u8> {
        let index = match value {
            Value::Int(i) => *i,
            value => self.index_clamped(value)?,
        };
        u8::try_from(index).map_err(|_| self.value_error("byte must be in range(0, 256)"))
    }

    /// `array[key] = value`.
    pub fn bytearray_set(&self, array: &Ref<ByteArray>, key: &Value, value: &Value) -> R<()> {
        let Some(slice) = key.downcast::<Slice>() else {
            let index = self.item_index(key, array.with(<[u8]>::len), "bytearray")?;
            let byte = self.byte(value)?;
            let set = array.with_mut(|data| data.get_mut(index).map(|place| *place = byte));
            return set.ok_or_else(|| self.index_error("bytearray index out of range"));
        };
        let data = match bytes_of(value) {
            Some(data) => data,
            None => self.collect_bytes(value, "can assign only bytes, buffers, or iterables of ints in range(0, 256)")?,
        };
        let picked = self.slice_of(slice, || array.with(<[u8]>::len))?;
        self.will_scan(array.with(<[u8]>::len))?;
        if data.len() != picked.count && (picked.span().is_some() || data.is_empty()) {
            self.check_resizable(array)?;
        }
        if let Some(span) = picked.span() {
            self.check_alloc(array.with(<[u8]>::len).saturating_add(data.len()))?;
            array.with_mut(|bytes| drop(bytes.splice(span, data)));
            return Ok(());
        }
        if data.is_empty() {
            array.with_mut(|bytes| remove(bytes, picked.indices().collect()));
            return Ok(());
        }
        if data.len() != picked.count {
            let message = format!("attempt to assign bytes of size {} to extended slice of size {}", data.len(), picked.count);
            return Err(self.value_error(message));
        }
        array.with_mut(|bytes| {
            for (at, byte) in picked.indices().zip(data) {
                bytes[at] = byte;
            }
        });
        Ok(())
    }

    /// `del array[key]`.
    pub fn bytearray_del(&self, array: &Ref<ByteArray>, key: &Value) -> R<()> {
        if let Some(slice) = key.downcast::<Slice>() {
            let picked = self.slice_of(slice, || array.with(<[u8]>::len))?;
            self.will_scan(array.with(<[u8]>::len))?;
            self.check_alloc_items(if picked.span().is_some() { 0 } else { picked.count }, size_of::<usize>())?;
            if picked.count > 0 {
                self.check_resizable(array)?;
            }
            array.with_mut(|bytes| match picked.span() {
                Some(span) => drop(bytes.drain(span)),
                None => remove(bytes, picked.indices().collect()),
            });
            return Ok(());
        }
        let index = self.item_index(key, array.with(<[u8]>::len), "bytearray")?;
        self.will_scan(array.with(<[u8]>::len))?;
        self.check_resizable(array)?;
        array.with_mut(|bytes| {
            if index < bytes.len() {
                bytes.remove(index);
            }
        });
        Ok(())
    }

    /// The bytes that an iterable of integers gives. `refused` is the message for values that are not iterable.
    pub fn collect_bytes(&self, iterable: &Value, refused: &str) -> R<Vec<u8>> {
        if iterable.payload::<Str>().is_some() || !self.is_iterable(iterable) {
            return Err(self.type_error(refused));
        }
        let mut data = Vec::new();
        if let Some(list) = iterable.downcast::<List>() {
            self.check_alloc(list.len())?;
        }
        self.for_each(iterable, &mut |item| {
            data.push(self.byte(&item)?);
            if data.len() % 4096 == 0 {
                self.check_alloc(data.len())?;
                self.charge(64)?;
            }
            Ok(true)
        })?;
        Ok(data)
    }

    /// `a + b` for bytes-like values, in the type of `a`; `a` is one.
    pub fn bytes_concat(&self, a: &Value, b: &Value) -> R {
        let (Some(left), Some(right)) = (length(a), length(b)) else {
            let (a, b) = (self.class_of(a.unwrapped()).name(), self.class_of(b).name());
            return Err(self.type_error(format!("can't concat {} to {}", b.as_str(), a.as_str())));
        };
        self.check_alloc(left.saturating_add(right))?;
        self.charge((left.saturating_add(right) / 4096) as u64)?;
        let mut data = Vec::with_capacity(left + right);
        with_bytes(a, |bytes| data.extend_from_slice(bytes));
        with_bytes(b, |bytes| data.extend_from_slice(bytes));
        Ok(self.bytes_like(a, data))
    }

    /// `array += other`.
    pub fn bytearray_extend(&self, array: &Ref<ByteArray>, other: &Value) -> R<()> {
        let Some(more) = bytes_of(other) else {
            let class = self.class_of(other).name();
            return Err(self.type_error(format!("can't concat {} to bytearray", class.as_str())));
        };
        self.extend_bytearray(array, &more)
    }

    /// Puts bytes at the end of an array.
    pub fn extend_bytearray(&self, array: &Ref<ByteArray>, more: &[u8]) -> R<()> {
        if more.is_empty() {
            return Ok(());
        }
        self.check_resizable(array)?;
        self.check_alloc(array.with(<[u8]>::len).saturating_add(more.len()))?;
        self.will_scan(more.len())?;
        array.with_mut(|bytes| bytes.extend_from_slice(more));
        Ok(())
    }

    /// `BufferError` while memory views look at the array.
    pub fn check_resizable(&self, array: &Ref<ByteArray>) -> R<()> {
        if array.is_lent() {
            return Err(self.buffer_error("Existing exports of data: object cannot be re-sized"));
        }
        Ok(())
    }

    /// How many bytes `fill_buffer` can put into a value; `TypeError` if it is nothing that bytes can be put into.
    pub fn room_in(&self, value: &Value) -> R<usize> {
        if let Some(array) = value.payload::<ByteArray>() {
            return Ok(array.with(<[u8]>::len));
        }
        match value.downcast::<MemoryView>() {
            Some(view) if !view.layout.readonly && view.layout.is_contiguous(false) => Ok(view.layout.size()),
            _ => {
                let class = self.class_of(value).name();
                let message = format!("readinto() argument must be read-write bytes-like object, not {}", class.as_str());
                Err(self.type_error(message))
            }
        }
    }

    /// Puts bytes at the beginning of a value, as many as fit.
    pub fn fill_buffer(&self, value: &Value, data: &[u8]) {
        self.fill_buffer_at(value, 0, data);
    }

    /// Puts bytes into a value, as many as fit.
    pub fn fill_buffer_at(&self, value: &Value, at: usize, data: &[u8]) {
        if let Some(array) = value.payload::<ByteArray>() {
            array.with_mut(|bytes| {
                if let Some(place) = bytes.get_mut(at..) {
                    let count = data.len().min(place.len());
                    place[..count].copy_from_slice(&data[..count]);
                }
            });
        } else if let Some(view) = value.downcast::<MemoryView>()
            && let Some(lent) = view.lent()
        {
            let count = data.len().min(view.layout.size().saturating_sub(at));
            lent.storage.write(view.layout.offset + at, &data[..count]);
        }
    }

    /// `value * times` for a bytes-like value.
    pub fn bytes_repeat(&self, value: &Value, times: &Value) -> R {
        let times = self.repeat_count(times)?;
        let total = length(value).unwrap_or(0).saturating_mul(times);
        self.check_alloc(total)?;
        self.charge((total / 4096) as u64)?;
        let data = with_bytes(value, |bytes| bytes.repeat(times)).unwrap_or_default();
        Ok(self.bytes_like(value, data))
    }

    /// `item in value` for a bytes-like value: a byte or a run of bytes.
    pub fn bytes_contains(&self, value: &Value, item: &Value) -> R<bool> {
        self.will_scan(length(value).unwrap_or(0))?;
        if let Some(wanted) = bytes_of(item) {
            return Ok(with_bytes(value, |bytes| memchr::memmem::find(bytes, &wanted).is_some()).unwrap_or(false));
        }
        if !self.has_index(item) {
            let class = self.class_of(item).name();
            return Err(self.type_error(format!("a bytes-like object is required, not '{}'", class.as_str())));
        }
        let byte = self.byte(item)?;
        Ok(with_bytes(value, |bytes| bytes.contains(&byte)).unwrap_or(false))
    }
}

/// How two bytes-like values compare; `None` if one is not bytes-like.
pub fn compare(a: &Value, b: &Value) -> Option<Ordering> {
    if let (Value::Obj(x), Value::Obj(y)) = (a.unwrapped(), b.unwrapped())
        && x.is(y)
    {
        length(a)?;
        return Some(Ordering::Equal);
    }
    with_bytes(a, |a| with_bytes(b, |b| a.cmp(b))).flatten()
}

/// Removes the bytes at these indices (in any order, without repetition).
fn remove(bytes: &mut Vec<u8>, mut indices: Vec<usize>) {
    indices.sort_unstable();
    let mut gone = indices.into_iter().peekable();
    let mut at = 0;
    bytes.retain(|_| {
        let keep = gone.next_if_eq(&at).is_none();
        at += 1;
        keep
    });
}
