//! From the syntax tree to code: names get their slots (`scope`), suspension points become statements (`lower/spill`), and each body a
//! tree of nodes (`lower`).

mod compile;
mod lower;
mod mangle;
mod scope;

pub use compile::{CompileError, Compiled};
pub use lower::{Lowered, Purpose, lower};
