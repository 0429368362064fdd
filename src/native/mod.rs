//! Rust functions as callables of the language: one mechanism for the built-in types, the library, and host programs.
//!
//! A row is a name, its parameters in script syntax, and a Rust function with typed parameters:
//!
//! ```text
//! rows![
//!     "startswith", "prefix, start=0, end=None" => str_startswith(0 1 2 3);  // fn(&Vm, &Ref<Str>, &Value, Option<i64>, Option<i64>) -> R<bool>
//!     "append", "object, /" => list_append(0 1);                             // fn(&Vm, &Ref<List>, Value)
//! ]
//! ```
//!
//! The signature gives arity, keywords and error messages; an absent argument reaches the function as `Undef`, which `Option`
//! turns into `None`. For methods, the receiver is the first Rust parameter and does not stand in the signature.

mod convert;
mod function;
mod module;

pub use convert::{FromValue, Given, Integer, IntoValue, Iterable, is_integer};
pub use function::{Entry, Row, define_class, define_iterator, define_methods, native_function, note_name};
pub use module::{ModuleRow, new_module};
