//! The six comparison methods of a type, from one function.

/// Defines `eq`, `ne`, `lt`, `le`, `gt` and `ge` for the rows of a type, by a function `compare(vm, op, this, other) -> R` that gives
/// `NotImplemented` for values of other types.
macro_rules! comparisons {
    ($compare:ident, $type:ty) => {
        $crate::builtins::comparisons::comparisons!(@each $compare, $type, eq Eq, ne NotEq, lt Lt, le LtE, gt Gt, ge GtE);
    };
    (@each $compare:ident, $type:ty, $($name:ident $op:ident),*) => {
        $(fn $name(vm: &$crate::vm::Vm, this: &$crate::value::Ref<$type>, other: &$crate::value::Value) -> $crate::value::R {
            $compare(vm, $crate::syntax::ast::CmpOp::$op, this, other)
        })*
    };
}

pub(super) use comparisons;
