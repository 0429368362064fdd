//! `memoryview`: construction, attributes and methods. Subscripts are in `items.rs`, casts in `cast.rs`; what a view looks at is in
//! `value/memory_view.rs`.

mod cast;
mod items;

use super::bytes::hexadecimal;
use crate::native::{FromValue, define_class, define_iterator};
use crate::rows;
use crate::value::memory_view::{Layout, Lent, MemoryView, Storage};
use crate::value::{Bytes, Payload, R, Ref, Shared, Value, Visitor};
use crate::vm::{Vm, scalar};

use cast::cast;
use items::{get_item, set_item};

/// Makes the class.
pub fn install(vm: &Vm) {
    let class = define_class::<MemoryView>(
        vm,
        "builtins",
        "memoryview",
        &rows![
            static "__new__", "cls, object" => new(1);
            "cast", "format, shape=None" => cast(0 1 2);
            "hex", "sep=None, bytes_per_sep=1" => hex(0 1 2);
            "release", "" => release(0);
            "tobytes", "order='C'" => tobytes(0 1);
            "tolist", "" => tolist(0);
            "toreadonly", "" => toreadonly(0);
            "__enter__", "" => enter(0);
            "__eq__", "value, /" => eq(0 1);
            "__exit__", "*exc_info" => release(0);
            "__getitem__", "key, /" => get_item(0 1);
            "__hash__", "/" => hash(0);
            "__iter__", "/" => iter(0);
            "__len__", "/" => len(0);
            "__ne__", "value, /" => ne(0 1);
            "__repr__", "/" => repr(0);
            "__setitem__", "key, value, /" => set_item(0 1 2);
            "__delitem__", "key, /" => del_item(0);
            get "c_contiguous" => c_contiguous(0);
            get "contiguous" => contiguous(0);
            get "f_contiguous" => f_contiguous(0);
            get "format" => format(0);
            get "itemsize" => itemsize(0);
            get "nbytes" => nbytes(0);
            get "ndim" => ndim(0);
            get "obj" => obj(0);
            get "readonly" => readonly(0);
            get "shape" => shape(0);
            get "strides" => strides(0);
            get "suboffsets" => suboffsets(0);
        ],
    );
    class.is_final.set(true);
    vm.builtins.set_str(&vm.intern("memoryview"), Value::from(&class));
    let class = define_class::<MemoryIterator>(vm, "builtins", "memory_iterator", &[]);
    define_iterator::<MemoryIterator>(vm, &class, next);
    class.is_final.set(true);
}

/// A view that has not been released, and what it looks at.
struct Open<'a> {
    view: &'a Ref<MemoryView>,
    lent: Lent,
}

impl<'a> FromValue<'a> for Open<'a> {
    fn from_value(vm: &Vm, value: &'a Value) -> R<Self> {
        let view = <&Ref<MemoryView>>::from_value(vm, value)?;
        match view.lent() {
            Some(lent) => Ok(Open { view, lent }),
            None => Err(vm.value_error("operation forbidden on released memoryview object")),
        }
    }
}

impl Open<'_> {
    fn layout(&self) -> &Layout {
        &self.view.layout
    }

    /// The element that begins at this byte.
    fn element(&self, vm: &Vm, at: usize) -> Value {
        let scalar = self.layout().scalar;
        let mut bytes = [0; 8];
        self.lent.storage.with(|all| bytes[..scalar.size()].copy_from_slice(&all[at..at + scalar.size()]));
        scalar::read(vm, scalar, &bytes[..scalar.size()], cfg!(target_endian = "big"))
    }

    /// Another view of the same bytes.
    fn view(&self, vm: &Vm, layout: Layout) -> Value {
        Value::from(vm.heap.alloc_owning(MemoryView::new(self.lent.clone(), layout)))
    }
}

/// What a view of an object would look at; nothing for objects that are not bytes-like.
fn lend(vm: &Vm, object: &Value) -> R<Option<(Lent, Layout)>> {
    if object.payload::<MemoryView>().is_some() {
        let open = Open::from_value(vm, object)?;
        return Ok(Some((open.lent.clone(), open.layout().clone())));
    }
    Ok(Lent::of(object).map(|lent| {
        let layout = Layout::bytes(lent.storage.with(<[u8]>::len), matches!(lent.storage, Storage::Fixed(_)));
        (lent, layout)
    }))
}

fn new(vm: &Vm, object: &Value) -> R {
    match lend(vm, object)? {
        Some((lent, layout)) => Ok(Value::from(vm.heap.alloc_owning(MemoryView::new(lent, layout)))),
        None => {
            let given = vm.class_of(object).name();
            Err(vm.type_error(format!("memoryview: a bytes-like object is required, not '{}'", given.as_str())))
        }
    }
}

fn release(_vm: &Vm, this: &Ref<MemoryView>) {
    this.release();
}

fn enter(vm: &Vm, this: &Value) -> R {
    Open::from_value(vm, this)?;
    Ok(this.clone())
}

fn repr(_vm: &Vm, this: &Ref<MemoryView>) -> String {
    let released = if this.lent().is_none() { "released " } else { "" };
    format!("<{released}memory at {:#x}>", this.address())
}

/// Before as many bytes as the view has are copied.
fn will_copy(vm: &Vm, this: &Open<'_>) -> R<()> {
    let size = this.layout().size();
    vm.check_alloc(size)?;
    vm.charge((size / 4096) as u64)?;
    if this.layout().is_contiguous(false) {
        return Ok(());
    }
    // Where every element is, besides.
    vm.check_alloc(this.layout().count().saturating_mul(size_of::<usize>()))?;
    vm.charge((size / 64) as u64)
}

fn tobytes(vm: &Vm, this: Open<'_>, order: &Value) -> R {
    let columns = match order {
        Value::Undef | Value::None => false,
        order => match order.as_str() {
            Some("C") => false,
            Some("F") => true,
            Some("A") => this.layout().is_contiguous(true) && !this.layout().is_contiguous(false),
            Some(_) => return Err(vm.value_error("order must be 'C', 'F' or 'A'")),
            None => {
                let given = vm.class_of(order).name();
                return Err(vm.type_error(format!("tobytes() argument 'order' must be str or None, not {}", given.as_str())));
            }
        },
    };
    will_copy(vm, &this)?;
    let data = if columns {
        let size = this.layout().scalar.size();
        let places = this.layout().places(true);
        this.lent.storage.with(|all| places.into_iter().flat_map(|at| &all[at..at + size]).copied().collect())
    } else {
        this.view.with(<[u8]>::to_vec).unwrap_or_default()
    };
    Ok(Value::from(vm.heap.bytes_object(data)))
}

fn hex(vm: &Vm, this: Open<'_>, sep: &Value, group: &Value) -> R<String> {
    will_copy(vm, &this)?;
    let data = this.view.with(<[u8]>::to_vec).unwrap_or_default();
    hexadecimal::write(vm, &data, sep, group)
}

fn tolist(vm: &Vm, this: Open<'_>) -> R {
    let places = places(vm, &this)?;
    let mut places = places.into_iter();
    nested_list(vm, &this, &this.layout().shape, &mut places)
}

/// Where each element begins, in order.
fn places(vm: &Vm, this: &Open<'_>) -> R<Vec<usize>> {
    let count = this.layout().count();
    vm.check_alloc(count.saturating_mul(size_of::<usize>() + size_of::<Value>()))?;
    vm.charge((count / 16) as u64)?;
    Ok(this.layout().places(false))
}

/// The elements in these dimensions as lists of lists.
fn nested_list(vm: &Vm, this: &Open<'_>, shape: &[usize], places: &mut std::vec::IntoIter<usize>) -> R {
    let Some((length, inner)) = shape.split_first() else {
        return Ok(places.next().map_or(Value::None, |at| this.element(vm, at)));
    };
    let mut items = Vec::with_capacity(*length);
    for _ in 0..*length {
        items.push(nested_list(vm, this, inner, places)?);
    }
    Ok(Value::from(vm.heap.list(items)))
}

fn toreadonly(vm: &Vm, this: Open<'_>) -> Value {
    this.view(vm, Layout { readonly: true, ..this.layout().clone() })
}

/// Equal are views of the same shape whose elements are equal numbers.
fn equals(vm: &Vm, this: &Value, other: &Value) -> R<Option<bool>> {
    let Some(view) = this.payload::<MemoryView>() else { return Ok(None) };
    if this.is(other) {
        return Ok(Some(true));
    }
    let (Some(left), false) = (view.lent(), other.payload::<MemoryView>().is_some_and(|other| other.lent().is_none())) else {
        return Ok(Some(false));
    };
    let Some((lent, layout)) = lend(vm, other)? else { return Ok(None) };
    if view.layout.shape != layout.shape {
        return Ok(Some(false));
    }
    let this = Open { view, lent: left };
    let other = vm.heap.alloc_owning(MemoryView::new(lent.clone(), layout));
    let other = Open { view: &other, lent };
    if this.layout().scalar == other.layout().scalar && matches!(this.layout().code, 'B' | 'b' | 'c' | 'h' | 'i' | 'q') {
        will_copy(vm, &this)?;
        will_copy(vm, &other)?;
        let data = this.view.with(<[u8]>::to_vec);
        return Ok(Some(other.view.with(|bytes| data.as_deref() == Some(bytes)) == Some(true)));
    }
    for (left, right) in places(vm, &this)?.into_iter().zip(places(vm, &other)?) {
        let (left, right) = (this.element(vm, left), other.element(vm, right));
        let same = match (left.downcast::<Bytes>(), right.downcast::<Bytes>()) {
            (Some(left), Some(right)) => left.data() == right.data(),
            _ => crate::vm::number::equal(&left, &right) == Some(true),
        };
        if !same {
            return Ok(Some(false));
        }
    }
    Ok(Some(true))
}

fn eq(vm: &Vm, this: &Value, other: &Value) -> R {
    Ok(equals(vm, this, other)?.map_or(Value::NotImplemented, Value::bool))
}

fn ne(vm: &Vm, this: &Value, other: &Value) -> R {
    Ok(equals(vm, this, other)?.map_or(Value::NotImplemented, |equal| Value::bool(!equal)))
}

fn hash(vm: &Vm, this: &Ref<MemoryView>) -> R<i64> {
    if let Some(known) = this.hash.get() {
        return Ok(known);
    }
    let value = Value::from(this);
    let open = Open::from_value(vm, &value)?;
    if !open.layout().readonly {
        return Err(vm.value_error("cannot hash writable memoryview object"));
    }
    if !matches!(open.layout().code, 'B' | 'b' | 'c') {
        return Err(vm.value_error("memoryview: hashing is restricted to formats 'B', 'b' or 'c'"));
    }
    vm.hash(&open.lent.object)?;
    will_copy(vm, &open)?;
    let data = this.with(<[u8]>::to_vec).unwrap_or_default();
    let found = vm.heap.bytes_object(data).hash() as i64;
    this.hash.set(Some(found));
    Ok(found)
}

fn len(vm: &Vm, this: Open<'_>) -> R<usize> {
    match this.layout().shape.first() {
        Some(length) => Ok(*length),
        None => Err(vm.type_error("0-dim memory has no length")),
    }
}

fn del_item(vm: &Vm, _this: Open<'_>) -> R<()> {
    Err(vm.type_error("cannot delete memory"))
}

fn obj(_vm: &Vm, this: Open<'_>) -> Value {
    this.lent.object.clone()
}

fn format(_vm: &Vm, this: Open<'_>) -> String {
    let prefix = if this.layout().prefixed { "@" } else { "" };
    format!("{prefix}{}", this.layout().code)
}

fn itemsize(_vm: &Vm, this: Open<'_>) -> usize {
    this.layout().scalar.size()
}

fn nbytes(_vm: &Vm, this: Open<'_>) -> usize {
    this.layout().size()
}

fn ndim(_vm: &Vm, this: Open<'_>) -> usize {
    this.layout().shape.len()
}

fn readonly(_vm: &Vm, this: Open<'_>) -> bool {
    this.layout().readonly
}

fn shape(vm: &Vm, this: Open<'_>) -> Value {
    let items: Vec<Value> = this.layout().shape.iter().map(|length| Value::Int(*length as i64)).collect();
    Value::from(vm.heap.tuple(items))
}

fn strides(vm: &Vm, this: Open<'_>) -> Value {
    let items: Vec<Value> = this.layout().strides.iter().map(|stride| Value::Int(*stride as i64)).collect();
    Value::from(vm.heap.tuple(items))
}

fn suboffsets(vm: &Vm, _this: Open<'_>) -> Value {
    Value::from(vm.heap.tuple([]))
}

fn c_contiguous(_vm: &Vm, this: Open<'_>) -> bool {
    this.layout().is_contiguous(false)
}

fn f_contiguous(_vm: &Vm, this: Open<'_>) -> bool {
    this.layout().is_contiguous(true)
}

fn contiguous(_vm: &Vm, this: Open<'_>) -> bool {
    this.layout().is_contiguous(false) || this.layout().is_contiguous(true)
}

/// What `iter` of a view gives.
struct MemoryIterator {
    view: Shared<Option<Value>>,
    at: std::cell::Cell<usize>,
}

impl Payload for MemoryIterator {
    crate::native_kind!();
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        self.view.with(|view| {
            if let Some(view) = view {
                visitor.value(view);
            }
        });
    }

    fn clear(&self) {
        drop(self.view.replace(None));
    }
}

fn iter(vm: &Vm, this: &Value) -> R {
    let open = Open::from_value(vm, this)?;
    match open.layout().shape.len() {
        0 => Err(vm.type_error("invalid indexing of 0-dim memory")),
        1 => {
            let at = std::cell::Cell::new(0);
            Ok(Value::from(vm.heap.alloc(MemoryIterator { view: Shared::new(Some(this.clone())), at })))
        }
        _ => Err(vm.not_implemented_error("multi-dimensional sub-views are not implemented")),
    }
}

fn next(vm: &Vm, this: &Value) -> R<Option<Value>> {
    let Some(iterator) = this.downcast::<MemoryIterator>() else { return Ok(None) };
    let Some(view) = iterator.view.get() else { return Ok(None) };
    let open = Open::from_value(vm, &view)?;
    let at = iterator.at.get();
    if at >= open.layout().shape[0] {
        drop(iterator.view.replace(None));
        return Ok(None);
    }
    iterator.at.set(at + 1);
    let place = open.layout().offset.wrapping_add_signed(at as isize * open.layout().strides[0]);
    Ok(Some(open.element(vm, place)))
}
