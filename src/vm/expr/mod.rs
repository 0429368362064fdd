//! Nodes of expressions.

pub mod arithmetic;
pub mod attribute;
pub mod augment;
pub mod call;
pub mod compare;
pub mod comprehension;
pub mod display;
pub mod function;
pub mod name;
pub mod operand;
pub mod scope;
pub mod subscript;
pub mod type_params;
