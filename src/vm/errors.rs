//! Raising exceptions from native code: `return Err(vm.type_error("..."))`.

use std::fmt::Display;

use super::Vm;
use crate::value::{Class, Exception, R, Raised, Ref, Value};

macro_rules! raisers {
    ($($name:ident)*) => {
        impl Vm {
            $(
                #[doc = concat!("Raises the exception class of this name (`vm.types.", stringify!($name), "`) with a message.")]
                #[cold]
                #[inline(never)]
                pub fn $name(&self, message: impl Display) -> Raised {
                    self.raise_class(&self.types.$name, &message.to_string())
                }
            )*
        }
    };
}

raisers! {
    type_error value_error index_error attribute_error runtime_error overflow_error zero_division_error name_error
    unbound_local_error memory_error recursion_error import_error module_not_found_error assertion_error not_implemented_error
    system_error lookup_error eof_error unicode_error buffer_error reference_error
}

impl Vm {
    /// Starts an exception on its way: return the result as the `Err` of an `R`.
    #[cold]
    #[inline(never)]
    pub fn raise(&self, exception: Value) -> Raised {
        debug_assert!(exception.downcast::<Exception>().is_some(), "only exceptions are raised");
        self.raised.set(Some(exception));
        Raised
    }

    /// Raises an exception of `class` with a message.
    #[cold]
    #[inline(never)]
    pub fn raise_class(&self, class: &Ref<Class>, message: &str) -> Raised {
        let exception = self.exception(class, vec![self.str_value(message)]);
        self.raise_new(exception)
    }

    /// Raises an exception of `class` with these arguments.
    #[cold]
    #[inline(never)]
    pub fn raise_with(&self, class: &Ref<Class>, args: Vec<Value>) -> Raised {
        let exception = self.exception(class, args);
        self.raise_new(exception)
    }

    /// Raises a fresh exception, in the context of the one being handled.
    #[cold]
    #[inline(never)]
    pub fn raise_new(&self, exception: Value) -> Raised {
        self.set_context(&exception);
        self.raise(exception)
    }

    /// Makes the exception being handled the context of a new one, without closing a circle.
    pub fn set_context(&self, exception: &Value) {
        let handled = self.handled.get();
        let Some(raised) = exception.downcast::<Exception>() else { return };
        if handled.is_none() || handled.is(exception) {
            return;
        }
        // Cut the place where the new exception already stands in the chain of contexts.
        let mut at = handled.clone();
        let mut steps = 0;
        while let Some(inner) = at.downcast::<Exception>() {
            let next = inner.context.get();
            if next.is(exception) {
                inner.context.set(Value::None);
                break;
            }
            steps += 1;
            if steps > 100_000 {
                break;
            }
            at = next;
        }
        // Nothing can be raised here: the next tick looks up earlier.
        self.heap.ticks.set(self.heap.ticks.get().saturating_sub(steps / 16));
        raised.context.set(handled);
    }

    /// An exception object of a built-in class. Classes with a constructor of their own are called instead (`Vm::call`).
    pub fn exception(&self, class: &Ref<Class>, args: Vec<Value>) -> Value {
        let args = Value::from(self.heap.tuple(args));
        Value::from(self.heap.alloc(Exception::new(class.clone(), args)))
    }

    /// `KeyError(key)`.
    #[cold]
    #[inline(never)]
    pub fn key_error(&self, key: &Value) -> Raised {
        self.raise_with(&self.types.key_error, vec![key.clone()])
    }

    /// `StopIteration(value)`; no argument for `None`.
    #[cold]
    #[inline(never)]
    pub fn stop_iteration(&self, value: Value) -> Raised {
        let args = if value.is_none() { vec![] } else { vec![value] };
        self.raise_with(&self.types.stop_iteration, args)
    }

    /// The exception on its way, which stops here.
    pub fn take_raised(&self) -> Value {
        match self.raised.take() {
            Some(exception) => exception,
            None => {
                debug_assert!(false, "an error without an exception");
                self.exception(&self.types.system_error, vec![self.str_value("error return without exception set")])
            }
        }
    }

    /// Whether the exception on its way is of `class` (or derived from it), and may be caught.
    pub fn raised_is(&self, class: &Ref<Class>) -> bool {
        self.raised.with(|raised| match raised {
            Some(value) => {
                value.downcast::<Exception>().is_some_and(|e| !e.uncatchable.get() && e.class.with(|of| of.is_subclass(class)))
            }
            None => false,
        })
    }

    /// Turns an exception of `class` into `Ok(None)`; other outcomes stay.
    pub fn catch<T>(&self, result: R<T>, class: &Ref<Class>) -> R<Option<T>> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(Raised) if self.raised_is(class) => {
                drop(self.take_raised());
                Ok(None)
            }
            Err(raised) => Err(raised),
        }
    }

    /// `MemoryError` unless `bytes` more fit within the limit and the address space, once unreachable circles are gone. To be asked
    /// before a large allocation, with no container borrowed.
    #[inline]
    pub fn check_alloc(&self, bytes: usize) -> R<()> {
        if bytes > (isize::MAX as usize) / 2
            || !(self.heap.room_for(bytes) || self.make_room(bytes))
            || (bytes >= PROBED && !is_obtainable(bytes))
        {
            return Err(self.out_of_memory());
        }
        Ok(())
    }

    /// Collects circles if that might help; whether it did.
    #[cold]
    #[inline(never)]
    fn make_room(&self, bytes: usize) -> bool {
        if bytes > self.heap.limit() {
            return false;
        }
        // Looking through all objects is work that counts, when the limits are looked at next.
        let ticks = &self.heap.ticks;
        ticks.set(ticks.get().saturating_sub_unsigned(self.heap.bytes() as u64 / 1024));
        self.collect_cycles() > 0 && self.heap.room_for(bytes)
    }

    /// As `check_alloc`, for `count` items of `size` bytes.
    #[inline]
    pub fn check_alloc_items(&self, count: usize, size: usize) -> R<()> {
        match count.checked_mul(size) {
            Some(bytes) => self.check_alloc(bytes),
            None => Err(self.out_of_memory()),
        }
    }

    /// Raises `MemoryError`.
    #[cold]
    #[inline(never)]
    pub fn out_of_memory(&self) -> Raised {
        self.raise_with(&self.types.memory_error, vec![])
    }
}

/// From this size on, the system is asked whether it would give the memory: an allocation that fails aborts the process.
const PROBED: usize = 64 << 20;

#[cold]
#[inline(never)]
fn is_obtainable(bytes: usize) -> bool {
    let mut probe = Vec::<u8>::new();
    let reserved = probe.try_reserve_exact(bytes).is_ok();
    std::hint::black_box(&probe);
    reserved
}
