//! Entering script functions: binding arguments to slots, the short way for simple calls, limits.

use super::{Args, Function, Vm};
use crate::value::{R, Ref};

impl Vm {
    /// Calls a script function: runs it, or makes its generator or coroutine.
    pub fn call_function(&self, _function: &Ref<Function>, _args: Args<'_>) -> R {
        todo!()
    }

    /// Counts `work` units (about the work of a call each) of a long native operation, and looks up when the slice is used up:
    /// limits, signals, finalisers, collection, other threads. To be called in proportion to the work done, before doing it.
    #[inline]
    pub fn charge(&self, _work: u64) -> R<()> {
        todo!()
    }

    /// Runs `inside` one level deeper, for native recursion over data: `RecursionError` past the limit of depth or of native stack.
    #[inline]
    pub fn nested<T>(&self, inside: impl FnOnce() -> R<T>) -> R<T> {
        inside()
    }
}
