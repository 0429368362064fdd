//! front door
pub mod builtins;
pub mod host;
pub mod native;
pub mod stdlib;
pub mod syntax;
pub mod value;
pub mod vm;
