//! front door
pub mod syntax;
pub mod value;
