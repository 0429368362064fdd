//! Strings: immutable Unicode text, UTF-8 inside, indexed by code point.
//!
//! A short string lives whole in its cell (one allocation); a long one in a buffer of its own, which `s += t` on an unshared
//! string extends in place. The hash and the number of code points are kept once known; text whose bytes and code points are
//! equally many is ASCII, where every index is an offset. Long text that is not finds its offsets by `Marks` (`marks.rs`).

use std::cell::Cell;
use std::ptr::NonNull;

use super::marks::{self, Marks};
use super::object::{Kind, Payload, Ref, heap_of};
use super::{Heap, hash};

/// The longest text, in bytes, kept inside the cell.
pub const MAX_INLINE: usize = 112;
/// The longest text, in bytes, there can be.
pub const MAX_LEN: usize = u32::MAX as usize - 1;

const UNKNOWN: u32 = u32::MAX;

/// The payload of a string object. Its text is at `data`: in the cell's tail if `capacity` is 0, else in a buffer of that many
/// bytes; then the tail begins with a pointer to the `Marks`, null until there are some.
pub struct Str {
    data: Cell<NonNull<u8>>,
    len: Cell<u32>,
    chars: Cell<u32>,
    capacity: Cell<u32>,
    /// 0 until it is known.
    hash: Cell<u32>,
}

/// The tail of a string with a buffer.
type Tail = Cell<*mut Marks>;

// Cells come in steps of 16 bytes, of which header and payload leave half of one over: every cell has room for a `Tail`.
const _: () = assert!((16 + size_of::<Str>()) % super::heap::STEP == super::heap::STEP - size_of::<Tail>());

impl Payload for Str {
    const KIND: Kind = Kind::Str;
    const CONTAINER: bool = false;
    const BUFFERS: bool = true;

    #[inline]
    fn buffers(&self) -> usize {
        match self.capacity.get() {
            0 => 0,
            capacity => capacity as usize + self.marks().map_or(0, Marks::bytes),
        }
    }
}

impl Drop for Str {
    #[inline]
    fn drop(&mut self) {
        if self.capacity.get() != 0 {
            self.drop_buffer();
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
        let made = self.alloc_with_tail(Str::bare(text.len()), size_of::<Tail>());
        made.adopt(text.into_bytes());
        made.begin_tail();
        self.charge(made.buffers());
        made
    }
}

impl Str {
    fn bare(len: usize) -> Str {
        Str {
            data: Cell::new(NonNull::dangling()),
            len: Cell::new(len as u32),
            chars: Cell::new(UNKNOWN),
            capacity: Cell::new(0),
            hash: Cell::new(0),
        }
    }

    #[cold]
    #[inline(never)]
    fn drop_buffer(&mut self) {
        let marks = self.tail().get();
        if !marks.is_null() {
            // SAFETY: made by `Box::into_raw` in `make_marks`, and owned by this string alone.
            drop(unsafe { Box::from_raw(marks) });
        }
        // SAFETY: the parts of the vector forgotten in `adopt`.
        drop(unsafe { Vec::from_raw_parts(self.data.get().as_ptr(), 0, self.capacity.get() as usize) });
    }

    /// Where the pointer to the marks is, once the string has a buffer.
    fn tail(&self) -> &Tail {
        // SAFETY: strings are only made as payloads of heap objects, whose cells have room for a `Tail` behind the payload (see
        // the assertion above); `begin_tail` has written it when the buffer was taken over.
        unsafe { &*std::ptr::from_ref(self).add(1).cast::<Tail>() }
    }

    /// Writes the tail of a string that has just been given a buffer; its text is no longer in the tail.
    fn begin_tail(&self) {
        // SAFETY: as in `tail`; nothing else lies there.
        unsafe { std::ptr::from_ref(self).add(1).cast::<Tail>().cast_mut().write(Cell::new(std::ptr::null_mut())) }
    }

    fn marks(&self) -> Option<&Marks> {
        if self.capacity.get() == 0 {
            return None;
        }
        // SAFETY: null, or made in `make_marks` and freed with the string.
        unsafe { self.tail().get().as_ref() }
    }

    /// The marks of a text with a buffer.
    fn make_marks(&self) -> &Marks {
        if self.tail().get().is_null() {
            self.tail().set(Box::into_raw(Box::default()));
            // SAFETY: as in `tail`.
            unsafe { heap_of(self) }.charge(size_of::<Marks>());
        }
        // SAFETY: as in `marks`.
        unsafe { &*self.tail().get() }
    }

    /// Looks with the marks, whose growth is charged.
    fn with_marks<U>(&self, look: impl FnOnce(&Marks, &[u8]) -> U) -> U {
        let marks = self.make_marks();
        let before = marks.bytes();
        let found = look(marks, self.as_str().as_bytes());
        if marks.bytes() != before {
            // SAFETY: as in `tail`.
            unsafe { heap_of(self) }.charge(marks.bytes() - before);
        }
        found
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

    /// The byte offset of code point `index`, which must be at most `len()`.
    #[inline]
    pub fn offset(&self, index: usize) -> usize {
        if self.is_ascii() { index } else { self.find_offset(index) }
    }

    #[inline(never)]
    fn find_offset(&self, index: usize) -> usize {
        if index >= self.len() {
            return self.byte_len();
        }
        if self.capacity.get() == 0 {
            return marks::walk(self.as_str().as_bytes(), 0, index);
        }
        self.with_marks(|marks, bytes| marks.offset(bytes, index))
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
        if self.is_ascii() {
            return offset;
        }
        if self.capacity.get() == 0 {
            return self.as_str()[..offset].chars().count();
        }
        self.with_marks(|marks, bytes| marks.index(bytes, offset))
    }

    /// Whether the hash is known.
    #[inline]
    pub fn is_hashed(&self) -> bool {
        self.hash.get() != 0
    }

    /// The hash, computed once. Never 0.
    #[inline(always)]
    pub fn hash(&self) -> u64 {
        match self.hash.get() {
            0 => self.compute_hash(),
            known => u64::from(known),
        }
    }

    #[cold]
    #[inline(never)]
    fn compute_hash(&self) -> u64 {
        let computed = hash::text(self.as_str());
        self.hash.set(computed);
        u64::from(computed)
    }
}

impl Ref<Str> {
    /// Appends `text` in place if there are just `refs` references, and the string has (or is now given) a buffer of its own; says
    /// whether it did. The caller has checked the length, and knows whose the references are: all of them see the text change.
    pub fn append(&self, text: &str, refs: u32) -> bool {
        if self.as_obj().refs() != refs || self.as_obj().is_interned() {
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
        // SAFETY: no text of this object is borrowed, as the caller knows all references; the vector is rebuilt from its own parts.
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
        if before == 0 {
            self.begin_tail();
        }
        self.hash.set(0);
        self.chars.set(match was_known {
            UNKNOWN => UNKNOWN,
            known => known + text.chars().count() as u32,
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
