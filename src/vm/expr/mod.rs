//! Nodes of expressions.

pub mod arithmetic;
pub mod attribute;
pub mod augment;
pub mod call;
pub mod call_any;
pub mod compare;
pub mod comprehension;
pub mod display;
pub mod function;
pub mod name;
pub mod operand;
pub mod scope;
pub mod subscript;
pub mod super_;
pub mod type_params;
