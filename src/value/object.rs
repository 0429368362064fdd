//! References to heap objects: the header, the untyped `ObjRef`, the typed `Ref<T>`, and the trait their payloads implement.
//!
//! Used by every layer above. The reference counts are plain (not atomic): an interpreter is used by one thread at a time.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU16, Ordering};

use super::heap::Heap;

/// What kind of payload an object carries. The number is also the index of its class in the table of classes, for all but
/// instances, exceptions and library types.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Kind {
    /// Not an object: a cell that waits to be used again.
    Free,
    Str,
    BigInt,
    Complex,
    Bytes,
    ByteArray,
    Tuple,
    List,
    Dict,
    Set,
    FrozenSet,
    Range,
    Slice,
    Class,
    Shape,
    /// An object of a class written in the script (or of a library class without payload): fields behind a shape.
    Instance,
    /// An exception of any class.
    Exception,
    Function,
    NativeFunction,
    BoundMethod,
    /// A captured variable.
    Cell,
    Code,
    Generator,
    Coroutine,
    AsyncGenerator,
    Module,
    Property,
    StaticMethod,
    ClassMethod,
    Super,
    MappingProxy,
    DictView,
    Iterator,
    Traceback,
    /// A payload of the library or the host, told apart by its Rust type.
    Native,
}

/// How many class indices are fixed: those of the kinds, then those of the kinds of iterators and of dict views, which share a
/// payload type each but not a class.
pub const FIXED_KINDS: u16 = Kind::Native as u16 + 1 + super::iterator::CLASSES + super::view::CLASSES;

/// What precedes every payload.
#[repr(C)]
pub struct Header {
    refs: Cell<u32>,
    pub(super) kind: Kind,
    flags: Cell<u8>,
    class: u16,
    pub(super) vtable: &'static VTable,
}

/// Set while an object must be finalised by the evaluator before it is freed.
const FINALIZE: u8 = 1;
/// Set on strings that are in the table of names.
const INTERNED: u8 = 2;
/// Set on objects with weak references.
const WEAKLY_REFERENCED: u8 = 4;
/// Set on objects that refer to others weakly.
const REFERS_WEAKLY: u8 = 8;

impl Header {
    pub(super) fn wants_finalizer(&self) -> bool {
        self.flags.get() & FINALIZE != 0
    }

    /// Whether freeing the object takes more than dropping its payload.
    #[inline(always)]
    pub(super) fn dies_slowly(&self) -> bool {
        self.flags.get() & (FINALIZE | WEAKLY_REFERENCED | REFERS_WEAKLY) != 0
    }

    pub(super) fn is_weakly_referenced(&self) -> bool {
        self.flags.get() & WEAKLY_REFERENCED != 0
    }

    pub(super) fn refers_weakly(&self) -> bool {
        self.flags.get() & REFERS_WEAKLY != 0
    }

    pub(super) fn clear_finalizer(&self) {
        self.flags.set(self.flags.get() & !FINALIZE);
    }

    pub(super) fn revive(&self) {
        self.refs.set(1);
    }

    /// The number beside the kind: for instances how many fields the cell has, for everything else the index of the class.
    #[inline(always)]
    pub(super) fn number(&self) -> u16 {
        self.class
    }

    pub(super) fn refs(&self) -> u32 {
        self.refs.get()
    }
}

/// What the heap has to know about a payload type.
pub struct VTable {
    /// Drops the payload in place; returns how many bytes of buffers went with it.
    pub(super) drop: unsafe fn(*mut Header) -> usize,
    /// Enumerates the references in the payload; `None` for leaves, which the cycle collector passes over.
    pub(super) trace: Option<unsafe fn(*const Header, &mut Visitor<'_>)>,
    /// Takes the references out, to break a cycle; returns how many bytes of buffers went with them.
    pub(super) clear: unsafe fn(*const Header) -> usize,
    /// The `Payload::IDENTITY` of the type.
    identity: &'static u8,
    /// The Rust type's name, for debugging.
    pub name: fn() -> &'static str,
}

/// Receives the references of an object, one at a time: the one enumeration that the cycle collector, the walk over suspended
/// programs and snapshots use.
pub struct Visitor<'a>(&'a mut dyn FnMut(&ObjRef));

impl<'a> Visitor<'a> {
    /// A visitor that calls `f` with each reference.
    pub fn new(f: &'a mut dyn FnMut(&ObjRef)) -> Self {
        Visitor(f)
    }

    /// Visits a reference.
    #[inline]
    pub fn object(&mut self, object: &ObjRef) {
        (self.0)(object);
    }

    /// Visits a typed reference.
    #[inline]
    pub fn reference<T: Payload>(&mut self, reference: &Ref<T>) {
        (self.0)(reference.as_obj());
    }

    /// Visits what a value refers to.
    #[inline]
    pub fn value(&mut self, value: &super::Value) {
        if let super::Value::Obj(object) = value {
            (self.0)(object);
        }
    }

    /// Visits several values.
    pub fn values<'v>(&mut self, values: impl IntoIterator<Item = &'v super::Value>) {
        for value in values {
            self.value(value);
        }
    }
}

/// Data that lives in a heap object.
///
/// `trace` must report every `ObjRef`, `Ref` and `Value` the payload owns, each once: the cycle collector takes the difference
/// between an object's count and the references reported for roots. A reference that is not reported only makes garbage
/// immortal; one reported twice frees live objects' contents (never their memory).
pub trait Payload: Sized + 'static {
    /// The kind; library and host types use `Kind::Native`.
    const KIND: Kind;
    /// Whether `trace` does anything.
    const CONTAINER: bool;
    /// Whether `buffers` does anything.
    const BUFFERS: bool = false;

    /// Its address tells library types apart; see `native_kind!`.
    const IDENTITY: &'static u8 = &ANY_KIND;

    /// Reports the references in the payload.
    fn trace(&self, _visitor: &mut Visitor<'_>) {}

    /// Takes out references that may close a cycle. Immutable payloads do nothing: some mutable one is part of any cycle.
    fn clear(&self) {}

    /// Bytes owned outside the cell. They must be charged to the heap when they are acquired; the heap discharges them when the
    /// object is freed.
    fn buffers(&self) -> usize {
        0
    }

    /// The index of the class of this type (see `Vm::class_of`); library types are numbered as they are first used.
    #[inline]
    fn class_index() -> u16 {
        Self::KIND as u16
    }
}

/// The identity of types that have a kind of their own.
static ANY_KIND: u8 = 0;

/// The numbers given to library types so far.
static NEXT_CLASS: AtomicU16 = AtomicU16::new(FIXED_KINDS);

/// Gives a library type its class index, once per process. Used by the `native_payload!` macro.
pub fn assign_class_index(slot: &AtomicU16) -> u16 {
    match slot.load(Ordering::Relaxed) {
        0 => {
            let fresh = NEXT_CLASS.fetch_add(1, Ordering::Relaxed);
            match slot.compare_exchange(0, fresh, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => fresh,
                Err(other) => other,
            }
        }
        index => index,
    }
}

/// Inside `impl Payload for T`: the items of a library type (`Kind::Native`, its identity and its class index).
#[macro_export]
macro_rules! native_kind {
    () => {
        const KIND: $crate::value::Kind = $crate::value::Kind::Native;
        const IDENTITY: &'static u8 = {
            static IDENTITY: u8 = 0;
            &IDENTITY
        };
        #[inline]
        fn class_index() -> u16 {
            static INDEX: ::std::sync::atomic::AtomicU16 = ::std::sync::atomic::AtomicU16::new(0);
            $crate::value::assign_class_index(&INDEX)
        }
    };
}

#[repr(C)]
struct Object<T> {
    header: Header,
    payload: T,
}

struct TableOf<T>(PhantomData<T>);

impl<T: Payload> TableOf<T> {
    const TABLE: VTable = VTable {
        drop: |cell| unsafe {
            let object = cell.cast::<Object<T>>();
            let buffers = if T::BUFFERS { (*object).payload.buffers() } else { 0 };
            std::ptr::drop_in_place(&raw mut (*object).payload);
            buffers
        },
        trace: if T::CONTAINER {
            Some(|cell, visitor| unsafe { (*cell.cast::<Object<T>>()).payload.trace(visitor) })
        } else {
            None
        },
        clear: |cell| unsafe {
            let payload = &(*cell.cast::<Object<T>>()).payload;
            let before = if T::BUFFERS { payload.buffers() } else { 0 };
            payload.clear();
            if T::BUFFERS { before.saturating_sub(payload.buffers()) } else { 0 }
        },
        identity: T::IDENTITY,
        name: std::any::type_name::<T>,
    };
}

impl Heap {
    /// Puts `payload` on the heap.
    #[inline]
    pub fn alloc<T: Payload>(&self, payload: T) -> Ref<T> {
        self.alloc_with_tail(payload, 0)
    }

    /// Puts `payload` on the heap, and the buffers it comes with on the account.
    pub fn alloc_owning<T: Payload>(&self, payload: T) -> Ref<T> {
        const { assert!(T::BUFFERS, "the payload has buffers") };
        self.charge(payload.buffers());
        self.alloc(payload)
    }

    /// Puts `payload` on the heap as an object of the class with this index, for payload types whose variants are classes of their
    /// own.
    #[inline]
    pub(crate) fn alloc_as<T: Payload>(&self, payload: T, class: u16) -> Ref<T> {
        let made = self.alloc_with_tail(payload, 0);
        // SAFETY: the object is ours alone.
        unsafe { (*made.cell.as_ptr()).class = class };
        made
    }

    /// Puts `payload` on the heap with `tail` uninitialised bytes behind it in the same cell. The whole must fit a cell.
    #[inline]
    pub fn alloc_with_tail<T: Payload>(&self, payload: T, tail: usize) -> Ref<T> {
        self.alloc_numbered(payload, tail, T::class_index())
    }

    /// The same with another number than the class index in the header.
    #[inline]
    pub(super) fn alloc_numbered<T: Payload>(&self, payload: T, tail: usize, number: u16) -> Ref<T> {
        let size = size_of::<Object<T>>() + tail;
        assert!(size <= super::heap::MAX_CELL, "an object is larger than a cell");
        let cell = self.take_cell(size).cast::<Object<T>>();
        let header =
            Header { refs: Cell::new(1), kind: T::KIND, flags: Cell::new(0), class: number, vtable: &TableOf::<T>::TABLE };
        // SAFETY: the cell is ours, large enough, and aligned to 16 bytes.
        unsafe { cell.write(Object { header, payload }) };
        if T::CONTAINER {
            self.count_container();
        }
        Ref { cell: cell.cast(), of: PhantomData }
    }

    /// How many bytes of tail a payload of type `T` can have.
    pub const fn max_tail<T>() -> usize {
        super::heap::MAX_CELL - size_of::<Object<T>>()
    }
}

/// A counted reference to an object of any kind.
#[repr(transparent)]
pub struct ObjRef {
    cell: NonNull<Header>,
}

impl ObjRef {
    /// # Safety
    /// The caller hands over one count of the object.
    pub(super) unsafe fn from_raw(cell: NonNull<Header>) -> Self {
        ObjRef { cell }
    }

    #[inline(always)]
    fn header(&self) -> &Header {
        // SAFETY: an object lives as long as a counted reference to it.
        unsafe { self.cell.as_ref() }
    }

    pub(super) fn cell(&self) -> NonNull<Header> {
        self.cell
    }

    pub(super) fn vtable(&self) -> &'static VTable {
        self.header().vtable
    }

    /// The Rust type of the payload, for reports and tests.
    pub fn payload_type(&self) -> &'static str {
        (self.vtable().name)()
    }

    /// The kind of payload.
    #[inline(always)]
    pub fn kind(&self) -> Kind {
        self.header().kind
    }

    /// The index of the class, for all but instances and exceptions.
    #[inline(always)]
    pub fn class_index(&self) -> u16 {
        self.header().class
    }

    /// The address, as `id()` shows it.
    #[inline(always)]
    pub fn address(&self) -> usize {
        self.cell.as_ptr() as usize
    }

    /// Whether both refer to the same object.
    #[inline(always)]
    pub fn is(&self, other: &ObjRef) -> bool {
        self.cell == other.cell
    }

    /// How many references exist.
    #[inline(always)]
    pub fn refs(&self) -> u32 {
        self.header().refs.get()
    }

    /// Whether the payload is a `T`.
    #[inline(always)]
    pub fn is_a<T: Payload>(&self) -> bool {
        let header = self.header();
        if matches!(T::KIND, Kind::Native) {
            header.kind == T::KIND && std::ptr::eq(header.vtable.identity, T::IDENTITY)
        } else {
            header.kind == T::KIND
        }
    }

    /// This reference as one to a `T`, if it is one.
    #[inline(always)]
    pub fn downcast<T: Payload>(&self) -> Option<&Ref<T>> {
        if self.is_a::<T>() {
            // SAFETY: both are a transparent pointer to the header, and the payload is a `T`.
            Some(unsafe { &*std::ptr::from_ref(self).cast::<Ref<T>>() })
        } else {
            None
        }
    }

    /// Reports the references in the object.
    pub fn trace(&self, visitor: &mut Visitor<'_>) {
        if let Some(trace) = self.vtable().trace {
            // SAFETY: the object is alive and the table is that of its payload.
            unsafe { trace(self.cell.as_ptr(), visitor) }
        }
    }

    /// Takes out references that may close a cycle.
    pub(super) fn clear(&self) {
        // SAFETY: as in `trace`.
        let buffers = unsafe { (self.vtable().clear)(self.cell.as_ptr()) };
        if buffers != 0 {
            self.heap().discharge(buffers);
        }
    }

    /// The heap this object lives on.
    #[inline]
    pub fn heap(&self) -> &Heap {
        Heap::of(self.cell.as_ptr())
    }

    /// Asks for this object to be handed to the evaluator (`Heap::take_finalizers`) before it is freed.
    pub fn request_finalizer(&self) {
        self.header().flags.set(self.header().flags.get() | FINALIZE);
    }

    /// Takes the request back.
    #[inline]
    pub fn cancel_finalizer(&self) {
        self.header().clear_finalizer();
    }

    /// Whether this string is in the table of names.
    #[inline]
    pub fn is_interned(&self) -> bool {
        self.header().flags.get() & INTERNED != 0
    }

    pub(super) fn set_interned(&self) {
        self.header().flags.set(self.header().flags.get() | INTERNED);
    }

    /// Whether weak references to this object exist.
    pub fn is_weakly_referenced(&self) -> bool {
        self.header().is_weakly_referenced()
    }

    pub(super) fn set_weakly_referenced(&self, on: bool) {
        let flags = self.header().flags.get() & !WEAKLY_REFERENCED;
        self.header().flags.set(if on { flags | WEAKLY_REFERENCED } else { flags });
    }

    pub(super) fn set_refers_weakly(&self) {
        self.header().flags.set(self.header().flags.get() | REFERS_WEAKLY);
    }
}

impl Clone for ObjRef {
    #[inline(always)]
    fn clone(&self) -> Self {
        let refs = &self.header().refs;
        // 2^32 references of 16 bytes do not fit the memory of a machine we know; see docs/ARCHITECTURE.md.
        refs.set(refs.get().wrapping_add(1));
        ObjRef { cell: self.cell }
    }
}

impl Drop for ObjRef {
    #[inline(always)]
    fn drop(&mut self) {
        let refs = &self.header().refs;
        let left = refs.get().wrapping_sub(1);
        refs.set(left);
        if left == 0 {
            Heap::release(self.cell);
        }
    }
}

impl fmt::Debug for ObjRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{:?} at {:#x}>", self.kind(), self.address())
    }
}

/// A counted reference to an object whose payload is a `T`.
#[repr(transparent)]
pub struct Ref<T> {
    cell: NonNull<Header>,
    of: PhantomData<T>,
}

impl<T: Payload> Ref<T> {
    /// The untyped reference.
    #[inline(always)]
    pub fn as_obj(&self) -> &ObjRef {
        // SAFETY: both are a transparent pointer to the header.
        unsafe { &*std::ptr::from_ref(self).cast::<ObjRef>() }
    }

    /// Gives the type up.
    #[inline(always)]
    pub fn into_obj(self) -> ObjRef {
        let object = ObjRef { cell: self.cell };
        std::mem::forget(self);
        object
    }

    /// Whether both refer to the same object.
    #[inline(always)]
    pub fn is(&self, other: &Ref<T>) -> bool {
        self.cell == other.cell
    }

    /// The address, as `id()` shows it.
    #[inline(always)]
    pub fn address(&self) -> usize {
        self.cell.as_ptr() as usize
    }

    /// The heap this object lives on.
    #[inline]
    pub fn heap(&self) -> &Heap {
        Heap::of(self.cell.as_ptr())
    }

    /// The payload, to be filled in.
    ///
    /// # Safety
    /// The object must be new: nothing else refers to it.
    #[inline(always)]
    pub(super) unsafe fn payload_mut(&mut self) -> &mut T {
        // SAFETY: the payload is a `T`, and the caller's promise makes this the only reference.
        unsafe { &mut (*self.cell.as_ptr().cast::<Object<T>>()).payload }
    }

    /// The first byte behind the payload; how many there are is the payload's business.
    #[inline(always)]
    pub(super) fn tail(&self) -> *mut u8 {
        // SAFETY: stays within the cell, or one past its end when there is no tail.
        unsafe { self.cell.as_ptr().cast::<u8>().add(size_of::<Object<T>>()) }
    }
}

impl<T: Payload> Deref for Ref<T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: the object lives as long as this reference, and its payload is a `T`.
        unsafe { &(*self.cell.as_ptr().cast::<Object<T>>()).payload }
    }
}

impl<T> Clone for Ref<T> {
    #[inline(always)]
    fn clone(&self) -> Self {
        // SAFETY: as in `ObjRef::clone`.
        let refs = unsafe { &(*self.cell.as_ptr()).refs };
        refs.set(refs.get().wrapping_add(1));
        Ref { cell: self.cell, of: PhantomData }
    }
}

impl<T> Drop for Ref<T> {
    #[inline(always)]
    fn drop(&mut self) {
        drop(ObjRef { cell: self.cell });
    }
}

impl<T: Payload> From<Ref<T>> for ObjRef {
    #[inline(always)]
    fn from(reference: Ref<T>) -> ObjRef {
        reference.into_obj()
    }
}

impl<T: Payload + fmt::Debug> fmt::Debug for Ref<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// The heap of the object whose payload `payload` is. Payloads use it to charge their buffers.
///
/// # Safety
/// `payload` must be the payload of a heap object, not a free-standing value.
#[inline]
pub(super) unsafe fn heap_of<T: Payload>(payload: &T) -> &Heap {
    Heap::of(std::ptr::from_ref(payload).cast())
}
