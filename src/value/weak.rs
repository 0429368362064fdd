//! Weak references: objects that know another one without keeping it alive.
//!
//! An object that is weakly referenced, and one that refers weakly, carry a flag in their headers, so that freeing any other
//! object costs no more than before. The table on the heap has, by the address of an object, the objects that refer to it weakly, in
//! the order in which they were made. Both sides leave the table when their counts fall to zero, before their cells are free (see
//! `Heap::release`); those are the reasons why the addresses in it are those of live objects. The classes are in `stdlib/weakref/`.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ptr::NonNull;

use foldhash::fast::FixedState;

use super::object::{Header, ObjRef, Payload, Ref, Visitor};
use super::{Heap, Kind, Shared, Value};

/// The payload of a weak reference.
pub struct WeakRef {
    /// The object referred to, while it lives.
    target: Cell<Option<NonNull<Header>>>,
    /// Called with the reference when the object has died; `Undef` for nothing.
    pub callback: Shared<Value>,
    /// The hash of the object, once it was asked for.
    pub hash: Cell<Option<i64>>,
}

impl Payload for WeakRef {
    crate::native_kind!();
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        self.callback.with(|callback| visitor.value(callback));
    }

    fn clear(&self) {
        drop(self.callback.take());
    }
}

impl WeakRef {
    /// One that refers to nothing yet (`Heap::refer_weakly`).
    pub fn new(callback: Value) -> WeakRef {
        WeakRef { target: Cell::new(None), callback: Shared::new(callback), hash: Cell::new(None) }
    }

    /// The object referred to, if it lives.
    pub fn target(&self) -> Option<ObjRef> {
        self.target.get().map(counted)
    }
}

/// A reference to the object in a cell that the table has.
fn counted(cell: NonNull<Header>) -> ObjRef {
    // SAFETY: what the table has is alive (see above); the count taken for the clone is its own, and the original is forgotten.
    let object = unsafe { ObjRef::from_raw(cell) };
    let clone = object.clone();
    std::mem::forget(object);
    clone
}

/// Who refers weakly to whom: by the address of an object, those that refer to it.
#[derive(Default)]
pub(super) struct WeakTable(RefCell<HashMap<NonNull<Header>, Vec<NonNull<Header>>, FixedState>>);

/// The weak reference that an object is (or that one of a derived class holds).
fn reference_in(object: &ObjRef) -> Option<Ref<WeakRef>> {
    Value::Obj(object.clone()).payload::<WeakRef>().cloned()
}

impl Heap {
    /// Makes `reference`, which is a weak reference or an instance of a class derived from one, refer to `target`.
    pub fn refer_weakly(&self, reference: &ObjRef, target: &ObjRef) {
        let Some(inner) = reference_in(reference) else { return };
        if inner.target.get().is_some() {
            return;
        }
        inner.target.set(Some(target.cell()));
        target.set_weakly_referenced(true);
        reference.set_refers_weakly();
        self.weak.0.borrow_mut().entry(target.cell()).or_default().push(reference.cell());
    }

    /// The objects that refer weakly to this one, in the order in which they were made.
    pub fn weak_references(&self, target: &ObjRef) -> Vec<ObjRef> {
        if !target.is_weakly_referenced() {
            return Vec::new();
        }
        self.weak.0.borrow().get(&target.cell()).map_or_else(Vec::new, |all| all.iter().map(|cell| counted(*cell)).collect())
    }

    /// An object that refers weakly to another one is about to be freed.
    #[cold]
    pub(super) fn forget_weak_reference(&self, reference: NonNull<Header>) {
        // Its count is zero: without one of its own, looking into it would free it once more.
        let (object, inner) = {
            // SAFETY: the object is whole; the reference is forgotten below, so its count stays as it is.
            let object = unsafe { ObjRef::from_raw(reference) };
            let inner = Value::Obj(object);
            (inner.payload::<WeakRef>().and_then(|inner| inner.target.take()), inner)
        };
        std::mem::forget(inner);
        let Some(target) = object else { return };
        let mut table = self.weak.0.borrow_mut();
        if let Some(all) = table.get_mut(&target) {
            all.retain(|known| *known != reference);
            if all.is_empty() {
                table.remove(&target);
                counted(target).set_weakly_referenced(false);
            }
        }
    }

    /// An object is about to be freed: those that refer to it weakly forget it, and those that want to be told are, in the
    /// opposite order to that in which they were made, unless `is_garbage` says that nobody can see it.
    #[cold]
    pub(super) fn clear_weak_references(&self, target: NonNull<Header>, is_garbage: &dyn Fn(NonNull<Header>) -> bool) {
        let Some(all) = self.weak.0.borrow_mut().remove(&target) else { return };
        // All are held until the end, as one may own another.
        let all: Vec<ObjRef> = all.into_iter().rev().map(counted).collect();
        for reference in &all {
            let Some(inner) = reference_in(reference) else { continue };
            inner.target.set(None);
            if is_garbage(reference.cell()) {
                continue;
            }
            let callback = inner.callback.take();
            if !callback.is_undef() {
                self.notify_later(reference.clone(), callback);
            }
        }
    }

    /// Whether a kind of objects can be referred to weakly. Of instances their classes say so (`Class::weakly_referable`).
    pub fn is_weakly_referable(kind: Kind) -> bool {
        matches!(
            kind,
            Kind::Set
                | Kind::FrozenSet
                | Kind::Class
                | Kind::Function
                | Kind::NativeFunction
                | Kind::BoundMethod
                | Kind::Code
                | Kind::Generator
                | Kind::Coroutine
                | Kind::AsyncGenerator
                | Kind::Module
                | Kind::Native
        )
    }
}
