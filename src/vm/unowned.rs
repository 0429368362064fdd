//! `Unowned<T>`: a reference from a node of the tree to an object that something else keeps alive.
//!
//! Nodes refer to the module's namespace and to the code of inner functions. Were these references counted, the cycle collector
//! would have to find them inside nodes; instead the `Code` that owns the tree owns them, and nodes hold plain addresses.
//!
//! The argument for the `unsafe`: a tree is only run by way of a counted reference to its `Code` (a function, a frame or the
//! caller of `Vm::run` holds one), whose `globals` and `children` never change. The addresses that inline caches keep are covered in
//! `cache.rs`.

use std::marker::PhantomData;

use crate::value::{Payload, Ref};

/// The address of an object that is alive whenever this is used. See the module's argument.
pub struct Unowned<T> {
    address: usize,
    of: PhantomData<*const T>,
}

impl<T> Clone for Unowned<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Unowned<T> {}

impl<T: Payload> Unowned<T> {
    /// The address of `object`, which the maker keeps alive.
    pub fn new(object: &Ref<T>) -> Self {
        Unowned { address: object.address(), of: PhantomData }
    }

    /// No object; not to be looked at.
    pub const fn none() -> Self {
        Unowned { address: 0, of: PhantomData }
    }

    /// The object.
    #[inline(always)]
    pub fn get(&self) -> &Ref<T> {
        debug_assert!(self.address != 0);
        // SAFETY: a `Ref` is a transparent pointer to the object, which is alive (the module's argument); the reference made here is not
        // counted and not dropped.
        unsafe { &*std::ptr::from_ref(&self.address).cast::<Ref<T>>() }
    }
}
