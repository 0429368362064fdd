//! Subscripts of memory views.

use super::{Open, lend, will_copy};
use crate::value::memory_view::{Layout, MemoryView};
use crate::value::{R, Raised, Slice, Value};
use crate::vm::Vm;
use crate::vm::scalar::{self, Unfit};

/// What a key means.
enum Place {
    /// The element that begins at this byte.
    Element(usize),
    /// Part of the view.
    Part(Layout),
}

pub fn get_item(vm: &Vm, this: Open<'_>, key: &Value) -> R {
    match place(vm, &this, key, "multi-dimensional sub-views are not implemented")? {
        Place::Element(at) => Ok(this.element(vm, at)),
        Place::Part(layout) => Ok(this.view(vm, layout)),
    }
}

/// `partial` is what is wrong with one index for many dimensions.
fn place(vm: &Vm, this: &Open<'_>, key: &Value, partial: &str) -> R<Place> {
    let layout = this.layout();
    let dimensions = layout.shape.len();
    if let Some(indices) = key.as_tuple() {
        if !indices.iter().all(|index| vm.has_index(index)) {
            let all_slices = dimensions > 0 && indices.iter().all(|index| index.downcast::<Slice>().is_some());
            return Err(match all_slices {
                true => vm.not_implemented_error("multi-dimensional slicing is not implemented"),
                false => invalid_key(vm),
            });
        }
        if indices.len() < dimensions {
            return Err(vm.not_implemented_error("sub-views are not implemented"));
        }
        if indices.len() > dimensions {
            let message = format!("cannot index {dimensions}-dimension view with {}-element tuple", indices.len());
            return Err(vm.type_error(message));
        }
        let mut at = layout.offset;
        for (dimension, index) in indices.iter().enumerate() {
            at = at.wrapping_add_signed(step(vm, layout, dimension, index)?);
        }
        return Ok(Place::Element(at));
    }
    if dimensions == 0 {
        if matches!(key, Value::Ellipsis) {
            return Ok(Place::Part(layout.clone()));
        }
        return Err(vm.type_error("invalid indexing of 0-dim memory"));
    }
    if let Some(slice) = key.downcast::<Slice>() {
        let picked = vm.slice_of(slice, || layout.shape[0])?;
        let mut part = layout.clone();
        part.shape[0] = picked.count;
        // A single element or none has no neighbour that a step could lead to.
        part.strides[0] = layout.strides[0].saturating_mul(picked.step as isize);
        if picked.count > 0 {
            part.offset = layout.offset.wrapping_add_signed(picked.start as isize * layout.strides[0]);
        }
        return Ok(Place::Part(part));
    }
    if !vm.has_index(key) {
        return Err(invalid_key(vm));
    }
    if dimensions > 1 {
        return Err(vm.not_implemented_error(partial));
    }
    Ok(Place::Element(layout.offset.wrapping_add_signed(step(vm, layout, 0, key)?)))
}

/// How far an index leads in a dimension.
fn step(vm: &Vm, layout: &Layout, dimension: usize, index: &Value) -> R<isize> {
    let index = match vm.index(index)? {
        Value::Int(index) => index,
        _ => {
            let given = vm.class_of(index).name();
            return Err(vm.index_error(format!("cannot fit '{}' into an index-sized integer", given.as_str())));
        }
    };
    let length = layout.shape[dimension] as i64;
    let at = if index < 0 { index.saturating_add(length) } else { index };
    if !(0..length).contains(&at) {
        return Err(vm.index_error(format!("index out of bounds on dimension {}", dimension + 1)));
    }
    Ok(at as isize * layout.strides[dimension])
}

fn invalid_key(vm: &Vm) -> Raised {
    vm.type_error("memoryview: invalid slice key")
}

pub fn set_item(vm: &Vm, this: Open<'_>, key: &Value, value: &Value) -> R<()> {
    if this.layout().readonly {
        return Err(vm.type_error("cannot modify read-only memory"));
    }
    match place(vm, &this, key, "sub-views are not implemented")? {
        Place::Element(at) => set_element(vm, &this, at, value),
        Place::Part(layout) if layout.shape.is_empty() => set_element(vm, &this, layout.offset, value),
        Place::Part(layout) if layout.shape.len() > 1 => {
            Err(vm.not_implemented_error("memoryview slice assignments are currently restricted to ndim = 1"))
        }
        Place::Part(layout) => set_part(vm, &this, layout, value),
    }
}

fn set_element(vm: &Vm, this: &Open<'_>, at: usize, value: &Value) -> R<()> {
    let (scalar, code) = (this.layout().scalar, this.layout().code);
    match scalar::write(vm, scalar, value, cfg!(target_endian = "big"), true) {
        Ok(bytes) => {
            // Converting the value may have run a script that released the view; the storage is still held here.
            this.lent.storage.write(at, &bytes[..scalar.size()]);
            Ok(())
        }
        Err(Unfit::Raised(raised)) => Err(raised),
        Err(Unfit::Type) => Err(vm.type_error(format!("memoryview: invalid type for format '{code}'"))),
        Err(Unfit::Range) => Err(vm.value_error(format!("memoryview: invalid value for format '{code}'"))),
    }
}

fn set_part(vm: &Vm, this: &Open<'_>, layout: Layout, value: &Value) -> R<()> {
    let Some((lent, given)) = lend(vm, value)? else {
        let class = vm.class_of(value).name();
        return Err(vm.type_error(format!("a bytes-like object is required, not '{}'", class.as_str())));
    };
    if given.code != layout.code || given.shape != layout.shape {
        return Err(vm.value_error("memoryview assignment: lvalue and rvalue have different structures"));
    }
    let from = vm.heap.alloc_owning(MemoryView::new(lent.clone(), given));
    will_copy(vm, &Open { view: &from, lent })?;
    // Copied first: both may look at the same bytes.
    let data = from.with(<[u8]>::to_vec).unwrap_or_default();
    vm.check_alloc(layout.count().saturating_mul(size_of::<usize>()))?;
    if layout.is_contiguous(false) {
        this.lent.storage.write(layout.offset, &data);
        return Ok(());
    }
    for (at, element) in layout.places(false).into_iter().zip(data.chunks(layout.scalar.size())) {
        this.lent.storage.write(at, element);
    }
    Ok(())
}
