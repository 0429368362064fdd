//! Strings: immutable Unicode text, UTF-8 inside, indexed by code point.
//!
//! A short string lives whole in its cell (one allocation); a long one in a buffer of its own, which `s += t` on an unshared
//! string extends in place. The hash and the number of code points are kept once known; text whose bytes and code points are
//! equally many is ASCII, where every index is an offset.

use std::cell::Cell;
use std::ptr::NonNull;

use super::object::{Kind, Payload, Ref, heap_of};
use super::{Heap, hash};

/// The longest text, in bytes, kept inside the cell.
pub const MAX_INLINE: usize = 112;
/// The longest text, in bytes, there can be.
pub const MAX_LEN: usize = u32::MAX as usize - 1;

const UNKNOWN: u32 = u32::MAX;

/// The payload of a string object. Its text is at `data`: in the cell's tail if `capacity` is 0, else in a buffer of that many
/// bytes.
pub struct Str {
    hash: Cell<u64>,
    data: Cell<NonNull<u8>>,
    len: Cell<u32>,
    chars: Cell<u32>,
    capacity: Cell<u32>,
    /// A byte offset and the code point there: where the last look into a non-ASCII text ended.
    cursor: Cell<(u32, u32)>,
}

impl Payload for Str {
    const KIND: Kind = Kind::Str;
    const CONTAINER: bool = false;
    const BUFFERS: bool = true;

    fn buffers(&self) -> usize {
        self.capacity.get() as usize
    }
}

impl Drop for Str {
    fn drop(&mut self) {
        if self.capacity.get() != 0 {
            // SAFETY: the parts of the vector forgotten in `adopt` or `reserve`.
            drop(unsafe { Vec::from_raw_parts(self.data.get().as_ptr(), 0, self.capacity.get() as usize) });
        }
    }
}

impl Heap {
    /// A string object with this text, which must not be longer than `MAX_LEN` bytes (longer text is cut; callers check with
    /// `Vm::check_size` first).
    #[inline]
    pub fn str(&self, text: &str) -> Ref<Str> {
        if text.len() > MAX_INLINE {
            return self.string(text.to_owned());
        }
        self.inline_str(&[text])
    }

    /// A string object of two texts, one after the other.
    #[inline]
    pub fn str_concat(&self, a: &str, b: &str) -> Ref<Str> {
        if a.len() + b.len() > MAX_INLINE {
            let mut text = String::with_capacity(a.len() + b.len());
            text.push_str(a);
            text.push_str(b);
            return self.string(text);
        }
        self.inline_str(&[a, b])
    }

    #[inline]
    fn inline_str(&self, parts: &[&str]) -> Ref<Str> {
        let len: usize = parts.iter().map(|part| part.len()).sum();
        let made = self.alloc_with_tail(Str::bare(len), len);
        let mut to = made.tail();
        // SAFETY: the tail has `len` bytes, and nothing else refers to them yet.
        unsafe {
            made.data.set(NonNull::new_unchecked(to));
            for part in parts {
                std::ptr::copy_nonoverlapping(part.as_ptr(), to, part.len());
                to = to.add(part.len());
            }
        }
        made
    }

    /// A string object that takes over the buffer of `text`.
    pub fn string(&self, mut text: String) -> Ref<Str> {
        if text.len() <= MAX_INLINE {
            return self.str(&text);
        }
        if text.len() > MAX_LEN {
            let mut end = MAX_LEN;
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            text.truncate(end);
        }
        if text.capacity() > MAX_LEN || text.capacity() > text.len() + text.len() / 2 {
            text.shrink_to_fit();
        }
        let made = self.alloc(Str::bare(text.len()));
        made.adopt(text.into_bytes());
        self.charge(made.buffers());
        made
    }
}

impl Str {
    fn bare(len: usize) -> Str {
        Str {
            hash: Cell::new(0),
            data: Cell::new(NonNull::dangling()),
            len: Cell::new(len as u32),
            chars: Cell::new(UNKNOWN),
            capacity: Cell::new(0),
            cursor: Cell::new((0, 0)),
        }
    }

    /// Takes the buffer of a vector over.
    fn adopt(&self, buffer: Vec<u8>) {
        let mut buffer = std::mem::ManuallyDrop::new(buffer);
        self.len.set(buffer.len() as u32);
        self.capacity.set(buffer.capacity() as u32);
        self.data.set(NonNull::new(buffer.as_mut_ptr()).expect("a vector's pointer"));
    }

    /// The text.
    #[inline(always)]
    pub fn as_str(&self) -> &str {
        // SAFETY: `data` points at `len` bytes copied from `str`s; they change only in `append`, which needs an unshared object.
        unsafe { std::str::from_utf8_unchecked(std::slice::from_raw_parts(self.data.get().as_ptr(), self.len.get() as usize)) }
    }

    /// Bytes of the text.
    #[inline(always)]
    pub fn byte_len(&self) -> usize {
        self.len.get() as usize
    }

    /// Code points of the text: Python's `len`.
    #[inline]
    pub fn len(&self) -> usize {
        match self.chars.get() {
            UNKNOWN => self.count(),
            known => known as usize,
        }
    }

    #[cold]
    #[inline(never)]
    fn count(&self) -> usize {
        let chars = self.as_str().chars().count();
        self.chars.set(chars as u32);
        chars
    }

    /// Whether there is no text.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len.get() == 0
    }

    /// Whether every code point is one byte, so that indices are offsets.
    #[inline]
    pub fn is_ascii(&self) -> bool {
        self.len() == self.byte_len()
    }

    /// The byte offset of code point `index`, which must be at most `len()`. Looking forward from the place of the last look
    /// makes walks over a text linear.
    pub fn offset(&self, index: usize) -> usize {
        if self.is_ascii() {
            return index;
        }
        if index >= self.len() {
            return self.byte_len();
        }
        let (mut offset, mut at) = match self.cursor.get() {
            (offset, at) if at as usize <= index => (offset as usize, at as usize),
            (offset, at) if (at as usize) - index < index => {
                let bytes = self.as_str().as_bytes();
                let (mut offset, mut at) = (offset as usize, at as usize);
                while at > index {
                    offset -= 1;
                    if bytes[offset] & 0xC0 != 0x80 {
                        at -= 1;
                    }
                }
                (offset, at)
            }
            _ => (0, 0),
        };
        let bytes = self.as_str().as_bytes();
        while at < index {
            offset += match bytes[offset] {
                0..0x80 => 1,
                0x80..0xE0 => 2,
                0xE0..0xF0 => 3,
                _ => 4,
            };
            at += 1;
        }
        self.cursor.set((offset as u32, at as u32));
        offset
    }

    /// The text from code point `start` to `end` (`start <= end <= len()`).
    pub fn slice(&self, start: usize, end: usize) -> &str {
        let from = self.offset(start);
        &self.as_str()[from..self.offset(end)]
    }

    /// The code point at `index`.
    #[inline]
    pub fn char_at(&self, index: usize) -> Option<char> {
        if index >= self.len() {
            return None;
        }
        self.as_str()[self.offset(index)..].chars().next()
    }

    /// The index of the code point at byte `offset`.
    pub fn index_of_offset(&self, offset: usize) -> usize {
        if self.is_ascii() { offset } else { self.as_str()[..offset].chars().count() }
    }

    /// The hash, computed once. Never 0.
    #[inline(always)]
    pub fn hash(&self) -> u64 {
        match self.hash.get() {
            0 => self.compute_hash(),
            known => known,
        }
    }

    #[cold]
    #[inline(never)]
    fn compute_hash(&self) -> u64 {
        let computed = hash::bytes(self.as_str().as_bytes()) | 1;
        self.hash.set(computed);
        computed
    }
}

impl Ref<Str> {
    /// Appends `text` in place if this is the only reference to a string that has (or is now given) a buffer of its own, and
    /// says whether it did. The caller has checked the length.
    pub fn append(&self, text: &str) -> bool {
        if self.as_obj().refs() != 1 || self.as_obj().is_interned() {
            return false;
        }
        let len = self.byte_len();
        let needed = len + text.len();
        if needed <= MAX_INLINE || needed > MAX_LEN {
            return false;
        }
        let own = self.as_str().as_bytes().as_ptr_range();
        if own.contains(&text.as_ptr()) {
            return false;
        }
        let before = self.capacity.get() as usize;
        // SAFETY: the only reference is `self`, so no text of this object is borrowed; the vector is rebuilt from its own parts.
        let mut buffer = if before == 0 {
            let mut fresh = Vec::with_capacity((needed * 2).min(MAX_LEN));
            fresh.extend_from_slice(self.as_str().as_bytes());
            fresh
        } else {
            unsafe { Vec::from_raw_parts(self.data.get().as_ptr(), len, before) }
        };
        if buffer.capacity() < needed {
            buffer.reserve_exact((needed + needed / 2).min(MAX_LEN) - len);
        }
        buffer.extend_from_slice(text.as_bytes());
        let was_known = self.chars.get();
        self.adopt(buffer);
        self.hash.set(0);
        self.chars.set(match was_known {
            UNKNOWN => UNKNOWN,
            known if text.is_ascii() => known + text.len() as u32,
            _ => UNKNOWN,
        });
        let after = self.capacity.get() as usize;
        if after != before {
            // SAFETY: `self` is the payload of a heap object.
            let heap = unsafe { heap_of::<Str>(self) };
            heap.charge(after);
            heap.discharge(before);
        }
        true
    }
}

impl std::fmt::Debug for Str {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.as_str().fmt(f)
    }
}
