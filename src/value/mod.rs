//! The object model: values, the heap they live on, and the data of the built-in types (their methods are in `builtins/`).
//!
//! Uses nothing above it. `heap.rs`, `object.rs` and `cell.rs`, with the string and instance payloads that have a tail, hold the
//! `unsafe` code of the crate.

mod cell;
mod collect;
mod heap;
mod marks;
mod object;
mod place;
#[allow(clippy::module_inception, reason = "the file of `Value`, in the folder of all values")]
mod value;

pub mod bytes;
pub mod class;
pub mod complex;
pub mod dict;
pub mod exception;
pub mod hash;
pub mod instance;
pub mod int;
pub mod iterator;
pub mod list;
pub mod memory_view;
pub mod module;
pub mod names;
pub mod range;
pub mod scalar;
pub mod set;
pub mod slots;
pub mod str;
pub mod tuple;
pub mod variable;
pub mod view;
pub mod weak;

pub use bytes::{ByteArray, Bytes};
pub use cell::Shared;
pub use class::{Base, Class, Collection, MappingProxy, Shape};
pub use complex::Complex;
pub use dict::Dict;
pub use exception::Exception;
pub use heap::{Charged, Heap, LastRite};
pub use instance::Instance;
pub use int::BigInt;
pub use iterator::{Iter, IteratorKind, NativeIterator, Show};
pub use list::List;
pub use module::Module;
pub use names::Names;
pub use object::{FIXED_KINDS, Kind, ObjRef, Payload, Ref, Visitor, assign_class_index};
pub use place::{Level, Place};
pub use range::{Range, Slice};
pub use set::{FrozenSet, Set};
pub use slots::Slots;
pub use str::Str;
pub use tuple::Tuple;
pub use value::{R, Raised, Value};
pub use variable::Variable;
pub use view::{DictView, ViewKind};
