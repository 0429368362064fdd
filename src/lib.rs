//! Asplet is an embeddable interpreter for a small async scripting language: Python 3.12's syntax and semantics, asyncio's
//! concurrency.
//!
//! ```
//! use asplet::Interpreter;
//!
//! let mut interpreter = Interpreter::new();
//! interpreter.register("greet", "name, punctuation='!'", |name: String, punctuation: String| {
//!     format!("Hello, {name}{punctuation}")
//! })?;
//! let words: Vec<String> = interpreter.eval("[greet(name) for name in ('Ada', 'Grace')]")?;
//! assert_eq!(words, ["Hello, Ada!", "Hello, Grace!"]);
//! # Ok::<(), asplet::Error>(())
//! ```
//!
//! An interpreter starts without any power over its surroundings but output, and with limits on everything a script can use up:
//! see [`Interpreter::builder`]. [`Interpreter::run`] runs a script as a Rust future. `docs/guide/embedding.md` shows more,
//! `docs/ARCHITECTURE.md` how it is built. The modules that are not named here are the interpreter's inside: they are reachable for the
//! project's own tests and promise nothing.

#![warn(missing_docs)]

mod error;
mod interpreter;

#[doc(hidden)]
pub mod builtins;
#[doc(hidden)]
pub mod host;
#[doc(hidden)]
pub mod native;
#[doc(hidden)]
pub mod resolve;
#[doc(hidden)]
pub mod sched;
#[doc(hidden)]
pub mod stdlib;
#[doc(hidden)]
pub mod syntax;
#[doc(hidden)]
pub mod value;
#[doc(hidden)]
pub mod vm;

pub use error::{Error, HostError, Limit, ScriptException, SyntaxProblem};
pub use host::{Capability, Captured, Denied, File, FileKind, Host, OpenMode, Sandbox, StdHost, Stream, denied};
pub use interpreter::{
    AsyncHostFunction, Builder, Data, FromData, HostFunction, Interpreter, IntoArgs, IntoData, Items, Limits, Mismatch, Outcome,
    Part, Run, Stopper,
};

/// The examples in the guide and in the README are tests.
#[cfg(doctest)]
#[doc = include_str!("../docs/guide/embedding.md")]
#[doc = include_str!("../README.md")]
pub struct Pages;
