//! front door
pub mod syntax;
