//! `bytes` and `bytearray`: data only; the methods are in `builtins/bytes/`.

use std::cell::{Cell, RefCell};

use super::Heap;
use super::hash;
use super::object::{Kind, Payload, Ref, heap_of};

/// The payload of a `bytes` object.
pub struct Bytes {
    data: Box<[u8]>,
    hash: Cell<u64>,
}

impl Payload for Bytes {
    const KIND: Kind = Kind::Bytes;
    const CONTAINER: bool = false;
    const BUFFERS: bool = true;

    fn buffers(&self) -> usize {
        self.data.len()
    }
}

impl Bytes {
    /// The bytes.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// The hash, computed once. Never 0.
    pub fn hash(&self) -> u64 {
        if self.hash.get() == 0 {
            self.hash.set(hash::bytes(&self.data) | 1);
        }
        self.hash.get()
    }
}

/// The payload of a `bytearray` object.
pub struct ByteArray {
    data: RefCell<Vec<u8>>,
    /// How many memory views look at the bytes.
    lent: Cell<usize>,
}

impl Payload for ByteArray {
    const KIND: Kind = Kind::ByteArray;
    const CONTAINER: bool = false;
    const BUFFERS: bool = true;

    fn buffers(&self) -> usize {
        self.data.borrow().capacity()
    }
}

impl ByteArray {
    /// Reads the bytes. The closure runs no script code.
    pub fn with<U>(&self, read: impl FnOnce(&[u8]) -> U) -> U {
        read(&self.data.borrow())
    }

    /// Whether memory views look at the bytes, so that their number must stay as it is.
    pub fn is_lent(&self) -> bool {
        self.lent.get() > 0
    }

    pub(super) fn lend(&self) {
        self.lent.set(self.lent.get() + 1);
    }

    pub(super) fn take_back(&self) {
        self.lent.set(self.lent.get() - 1);
    }

    /// Changes the bytes. The closure runs no script code, and keeps their number while the array is lent.
    pub fn with_mut<U>(&self, write: impl FnOnce(&mut Vec<u8>) -> U) -> U {
        let (result, before, after) = {
            let mut data = self.data.borrow_mut();
            let before = data.capacity();
            let result = write(&mut data);
            (result, before, data.capacity())
        };
        // SAFETY: byte arrays are only made by `Heap::bytearray`.
        let heap = unsafe { heap_of::<ByteArray>(self) };
        heap.charge(after);
        heap.discharge(before);
        result
    }
}

impl Heap {
    /// A `bytes` object.
    pub fn bytes_object(&self, data: impl Into<Box<[u8]>>) -> Ref<Bytes> {
        let data = data.into();
        self.charge(data.len());
        self.alloc(Bytes { data, hash: Cell::new(0) })
    }

    /// A `bytearray` object.
    pub fn bytearray(&self, data: Vec<u8>) -> Ref<ByteArray> {
        self.charge(data.capacity());
        self.alloc(ByteArray { data: RefCell::new(data), lent: Cell::new(0) })
    }
}
