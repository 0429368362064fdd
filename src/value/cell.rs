//! `Shared<T>`: the interior mutability of containers (list items, dict tables, instance fields, frame slots).
//!
//! A `RefCell` costs 4 to 5 % on attribute and item access, so the containers use this wrapper instead: an `UnsafeCell` whose
//! accessors hand out a reference for the length of one closure. The contract, checked by a flag in debug builds: the closure runs no
//! script code, drops no `Value`, and does not touch the same cell again. Everything else (payloads of library types) uses
//! `Cell` and `RefCell`.

use std::cell::UnsafeCell;

#[cfg(debug_assertions)]
use std::cell::Cell;

/// A cell whose content is reached through short closures. See the module's contract.
pub struct Shared<T> {
    content: UnsafeCell<T>,
    #[cfg(debug_assertions)]
    borrowed: Cell<bool>,
}

impl<T> Shared<T> {
    /// Wraps `content`.
    #[inline]
    pub const fn new(content: T) -> Self {
        Shared {
            content: UnsafeCell::new(content),
            #[cfg(debug_assertions)]
            borrowed: Cell::new(false),
        }
    }

    /// Reads the content.
    #[inline(always)]
    pub fn with<U>(&self, read: impl FnOnce(&T) -> U) -> U {
        #[cfg(debug_assertions)]
        let _guard = Guard::take(&self.borrowed);
        // SAFETY: the closure neither re-enters this cell nor runs anything that could (the module's contract, checked in debug
        // builds), and the interpreter is never used from two threads at once, so no exclusive reference exists beside this one.
        read(unsafe { &*self.content.get() })
    }

    /// Changes the content. What it replaces is to be returned from the closure and dropped outside.
    #[inline(always)]
    pub fn with_mut<U>(&self, write: impl FnOnce(&mut T) -> U) -> U {
        #[cfg(debug_assertions)]
        let _guard = Guard::take(&self.borrowed);
        // SAFETY: as in `with`; the reference is the only one while the closure runs.
        write(unsafe { &mut *self.content.get() })
    }

    /// Puts `content` in and returns what was there.
    #[inline(always)]
    pub fn replace(&self, content: T) -> T {
        self.with_mut(|old| std::mem::replace(old, content))
    }

    /// Puts `content` in; the old content is dropped after the exchange, when the cell is free again.
    #[inline(always)]
    pub fn set(&self, content: T) {
        drop(self.replace(content));
    }
}

impl<T: Clone> Shared<T> {
    /// A copy of the content.
    #[inline(always)]
    pub fn get(&self) -> T {
        self.with(T::clone)
    }
}

impl<T: Default> Shared<T> {
    /// Takes the content out, leaving the default.
    #[inline(always)]
    pub fn take(&self) -> T {
        self.replace(T::default())
    }
}

impl<T: Default> Default for Shared<T> {
    fn default() -> Self {
        Shared::new(T::default())
    }
}

#[cfg(debug_assertions)]
struct Guard<'a>(&'a Cell<bool>);

#[cfg(debug_assertions)]
impl<'a> Guard<'a> {
    fn take(flag: &'a Cell<bool>) -> Self {
        assert!(!flag.replace(true), "a container was entered twice");
        Guard(flag)
    }
}

#[cfg(debug_assertions)]
impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}
