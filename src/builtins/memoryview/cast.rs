//! `memoryview.cast`.

use super::Open;
use crate::value::memory_view::Layout;
use crate::value::scalar::Scalar;
use crate::value::{List, R, Value};
use crate::vm::Vm;

/// As many dimensions as a view may have.
const MOST_DIMENSIONS: usize = 64;

pub fn cast(vm: &Vm, this: Open<'_>, format: &Value, shape: &Value) -> R {
    let Some(text) = format.as_str() else {
        let given = vm.class_of(format).name();
        return Err(vm.type_error(format!("cast() argument 'format' must be str, not {}", given.as_str())));
    };
    let layout = this.layout();
    if !layout.is_contiguous(false) {
        return Err(vm.type_error("memoryview: casts are restricted to C-contiguous views"));
    }
    let dimensions = match shape {
        Value::Undef => None,
        shape => Some(lengths(vm, shape)?),
    };
    if dimensions.as_ref().is_some_and(|lengths| lengths.len() != 1) && layout.shape.len() != 1 {
        return Err(vm.type_error("memoryview: cast must be 1D -> ND or ND -> 1D"));
    }
    let mut chars = text.strip_prefix('@').unwrap_or(text).chars();
    let found = match (chars.next(), chars.next()) {
        (Some(code), None) => Scalar::native(code).map(|scalar| (code, scalar)),
        _ => None,
    };
    let Some((code, scalar)) = found else {
        return Err(vm.value_error(
            "memoryview: destination format must be a native single character format prefixed with an optional '@'",
        ));
    };
    let is_byte = |code: char| matches!(code, 'B' | 'b' | 'c');
    if !is_byte(layout.code) && !is_byte(code) {
        return Err(vm.type_error("memoryview: cannot cast between two non-byte formats"));
    }
    let size = layout.size();
    if !size.is_multiple_of(scalar.size()) {
        return Err(vm.type_error("memoryview: length is not a multiple of itemsize"));
    }
    let shape = dimensions.unwrap_or_else(|| vec![size / scalar.size()]);
    let total = shape.iter().try_fold(scalar.size(), |total, length| total.checked_mul(*length));
    if total.is_none_or(|total| total > isize::MAX as usize) {
        return Err(vm.value_error("memoryview.cast(): product(shape) > SSIZE_MAX"));
    }
    if total != Some(size) {
        return Err(vm.type_error("memoryview: product(shape) * itemsize != buffer size"));
    }
    let mut strides = vec![0; shape.len()];
    let mut stride = scalar.size() as isize;
    for (at, length) in shape.iter().enumerate().rev() {
        strides[at] = stride;
        stride *= *length as isize;
    }
    Ok(this.view(
        vm,
        Layout {
            offset: layout.offset,
            shape: shape.into(),
            strides: strides.into(),
            code,
            prefixed: text.starts_with('@'),
            scalar,
            readonly: layout.readonly,
        },
    ))
}

/// The shape that a script asks for.
fn lengths(vm: &Vm, shape: &Value) -> R<Vec<usize>> {
    let items = match (shape.as_tuple(), shape.payload::<List>()) {
        (Some(items), _) => items.to_vec(),
        (None, Some(list)) => list.with(<[Value]>::to_vec),
        (None, None) => return Err(vm.type_error("shape must be a list or a tuple")),
    };
    if items.len() > MOST_DIMENSIONS {
        return Err(vm.value_error(format!("memoryview: number of dimensions must not exceed {MOST_DIMENSIONS}")));
    }
    items.iter().map(|item| length(vm, item)).collect()
}

fn length(vm: &Vm, item: &Value) -> R<usize> {
    match item.unwrapped() {
        Value::Int(length) if *length > 0 => Ok(*length as usize),
        Value::Int(_) | Value::Bool(0) => Err(vm.value_error("memoryview.cast(): elements of shape must be integers > 0")),
        Value::Bool(_) => Ok(1),
        other if crate::native::is_integer(other) => {
            Err(vm.value_error("memoryview.cast(): elements of shape must be integers > 0"))
        }
        _ => Err(vm.type_error("memoryview.cast(): elements of shape must be integers")),
    }
}
