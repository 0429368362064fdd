//! Nodes of statements.

pub mod await_;
pub mod block;
pub mod collect;
mod group;
pub mod match_;
pub mod simple;
pub mod suspending;
pub mod try_;
pub mod with_;
