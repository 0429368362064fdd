//! The payload of a `memoryview`: a window on the bytes of another object, with a shape. Reading and writing elements, and the
//! methods, are in `builtins/memoryview/`.

use std::cell::Cell;

use super::object::{Payload, Ref, Visitor};
use super::scalar::Scalar;
use super::{ByteArray, Bytes, Shared, Value};

/// The payload of a `memoryview`.
pub struct MemoryView {
    /// What is looked at; nothing once the view is released.
    lent: Shared<Option<Lent>>,
    pub layout: Layout,
    pub hash: Cell<Option<i64>>,
}

/// The bytes looked at. While this lives, a `bytearray` keeps its size.
pub struct Lent {
    /// The object as a script knows it.
    pub object: Value,
    pub storage: Storage,
}

/// Where the bytes are.
#[derive(Clone)]
pub enum Storage {
    Fixed(Ref<Bytes>),
    Array(Ref<ByteArray>),
}

/// Which bytes are looked at, and as what.
#[derive(Clone)]
pub struct Layout {
    /// Where the first element begins.
    pub offset: usize,
    /// How many elements there are in each dimension.
    pub shape: Box<[usize]>,
    /// The distance in bytes between neighbours in each dimension.
    pub strides: Box<[isize]>,
    /// The format character; `scalar` is what it stands for.
    pub code: char,
    /// Whether an `@` was written before it.
    pub prefixed: bool,
    pub scalar: Scalar,
    pub readonly: bool,
}

impl Lent {
    pub fn new(object: Value, storage: Storage) -> Lent {
        if let Storage::Array(array) = &storage {
            array.lend();
        }
        Lent { object, storage }
    }

    /// The bytes of a `bytes` or `bytearray`, or of an instance of a class derived from one.
    pub fn of(object: &Value) -> Option<Lent> {
        let storage = match (object.payload::<Bytes>(), object.payload::<ByteArray>()) {
            (Some(bytes), _) => Storage::Fixed(bytes.clone()),
            (_, Some(array)) => Storage::Array(array.clone()),
            _ => return None,
        };
        Some(Lent::new(object.clone(), storage))
    }
}

impl Clone for Lent {
    fn clone(&self) -> Lent {
        Lent::new(self.object.clone(), self.storage.clone())
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Storage::Array(array) = &self.storage
            // When the heap is torn down, the array may be gone already.
            && !array.heap().is_torn_down()
        {
            array.take_back();
        }
    }
}

impl Payload for MemoryView {
    crate::native_kind!();
    const CONTAINER: bool = true;
    const BUFFERS: bool = true;

    fn buffers(&self) -> usize {
        size_of_val(&*self.layout.shape) + size_of_val(&*self.layout.strides)
    }

    fn trace(&self, visitor: &mut Visitor<'_>) {
        self.lent.with(|lent| {
            let Some(lent) = lent else { return };
            visitor.value(&lent.object);
            match &lent.storage {
                Storage::Fixed(bytes) => visitor.reference(bytes),
                Storage::Array(array) => visitor.reference(array),
            }
        });
    }

    fn clear(&self) {
        self.release();
    }
}

impl MemoryView {
    pub fn new(lent: Lent, layout: Layout) -> MemoryView {
        MemoryView { lent: Shared::new(Some(lent)), layout, hash: Cell::new(None) }
    }

    /// What is looked at; nothing once the view is released.
    pub fn lent(&self) -> Option<Lent> {
        self.lent.with(Clone::clone)
    }

    /// Gives the bytes back.
    pub fn release(&self) {
        drop(self.lent.replace(None));
    }

    /// Reads the bytes of all elements, in order; nothing once the view is released. The closure runs no script code.
    pub fn with<U>(&self, read: impl FnOnce(&[u8]) -> U) -> Option<U> {
        let storage = self.lent.with(|lent| lent.as_ref().map(|lent| lent.storage.clone()))?;
        Some(storage.with(|all| match self.layout.span() {
            Some(span) => read(&all[span]),
            None => read(&self.layout.gather(all)),
        }))
    }
}

impl Storage {
    /// Reads all bytes. The closure runs no script code.
    pub fn with<U>(&self, read: impl FnOnce(&[u8]) -> U) -> U {
        match self {
            Storage::Fixed(bytes) => read(bytes.data()),
            Storage::Array(array) => array.with(read),
        }
    }

    /// Changes bytes, if they can be changed. The closure runs no script code.
    pub fn write(&self, at: usize, data: &[u8]) {
        if let Storage::Array(array) = self {
            array.with_mut(|all| all[at..at + data.len()].copy_from_slice(data));
        }
    }
}

impl Layout {
    /// Plain bytes from the beginning.
    pub fn bytes(length: usize, readonly: bool) -> Layout {
        Layout {
            offset: 0,
            shape: [length].into(),
            strides: [1].into(),
            code: 'B',
            prefixed: false,
            scalar: Scalar::Unsigned(1),
            readonly,
        }
    }

    /// How many elements there are.
    pub fn count(&self) -> usize {
        self.shape.iter().product()
    }

    /// How many bytes the elements take.
    pub fn size(&self) -> usize {
        self.count() * self.scalar.size()
    }

    /// Whether the elements lie one behind the other, the last index running fastest (or the first, for `columns`).
    pub fn is_contiguous(&self, columns: bool) -> bool {
        if self.count() == 0 {
            return true;
        }
        let mut expected = self.scalar.size() as isize;
        let dimensions = self.shape.iter().zip(&self.strides);
        let mut follows = |(length, stride): (&usize, &isize)| {
            let fits = *length == 1 || *stride == expected;
            expected *= *length as isize;
            fits
        };
        if columns { dimensions.into_iter().all(&mut follows) } else { dimensions.rev().all(&mut follows) }
    }

    /// The bytes of the elements, if they lie one behind the other.
    fn span(&self) -> Option<std::ops::Range<usize>> {
        self.is_contiguous(false).then(|| self.offset..self.offset + self.size())
    }

    /// Where each element begins, in order (with `columns`, the first index runs fastest).
    pub fn places(&self, columns: bool) -> Vec<usize> {
        let mut places = vec![self.offset];
        let mut spread = |(length, stride): (&usize, &isize)| {
            let from = std::mem::take(&mut places);
            places.reserve(from.len() * length);
            if columns {
                let steps = (0..*length).flat_map(|index| from.iter().map(move |at| (index, *at)));
                places.extend(steps.map(|(index, at)| at.wrapping_add_signed(index as isize * stride)));
            } else {
                let steps = from.iter().flat_map(|at| (0..*length).map(move |index| (index, *at)));
                places.extend(steps.map(|(index, at)| at.wrapping_add_signed(index as isize * stride)));
            }
        };
        self.shape.iter().zip(&self.strides).for_each(&mut spread);
        places
    }

    /// A copy of the bytes of the elements, in order.
    fn gather(&self, all: &[u8]) -> Vec<u8> {
        let size = self.scalar.size();
        self.places(false).into_iter().flat_map(|at| &all[at..at + size]).copied().collect()
    }
}
