//! Instances of script classes: the fields stand in the object's own cell, behind a shape that names them (`class.rs`).
//!
//! ```text
//! | header 16 | shape 8 | extra 8 | field 0 | field 1 | ... to the end of the cell |
//! ```
//!
//! What few instances have is in `Extra`: the built-in value inside an instance of a class derived from a built-in type, fields that
//! found no room, or a dict in place of the fields once a script asked for `__dict__`.

use std::cell::UnsafeCell;

use super::cell::Shared;
use super::class::{MAX_FIELDS, Shape};
use super::object::{Kind, Payload, Ref, Visitor};
use super::{Class, Dict, Heap, Str, Value};

const FIELD: usize = size_of::<Value>();
const BEFORE: usize = size_of::<super::object::Header>() + size_of::<Instance>();
const MAX_INLINE: usize = (super::heap::MAX_CELL - BEFORE) / FIELD;

/// The payload of an instance.
pub struct Instance {
    shape: Shared<Ref<Shape>>,
    extra: Shared<Option<Box<Extra>>>,
}

struct Extra {
    base: Value,
    more: Vec<Value>,
    dict: Option<Ref<Dict>>,
}

/// The fields behind an instance. `Field` is `UnsafeCell` so that a field may change behind a shared reference.
type Field = UnsafeCell<Value>;

static NO_BASE: NoBase = NoBase(Value::Undef);
struct NoBase(Value);
// SAFETY: `Undef` refers to nothing.
unsafe impl Sync for NoBase {}

impl Payload for Instance {
    const KIND: Kind = Kind::Instance;
    const CONTAINER: bool = true;
    const BUFFERS: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        self.shape.with(|shape| visitor.reference(shape));
        for field in self.inline_fields() {
            // SAFETY: nothing changes a field while it is visited.
            visitor.value(unsafe { &*field.get() });
        }
        self.extra.with(|extra| {
            if let Some(extra) = extra {
                visitor.value(&extra.base);
                visitor.values(&extra.more);
                if let Some(dict) = &extra.dict {
                    visitor.reference(dict);
                }
            }
        });
    }

    fn clear(&self) {
        for field in self.inline_fields() {
            // SAFETY: the old value is dropped after it left the field.
            drop(std::mem::take(unsafe { &mut *field.get() }));
        }
        let removed = self.extra.with_mut(|extra| extra.as_mut().map(|e| (std::mem::take(&mut e.more), e.dict.take())));
        drop(removed);
    }

    fn buffers(&self) -> usize {
        self.extra.with(|extra| match extra {
            Some(extra) => size_of::<Extra>() + extra.more.capacity() * FIELD,
            None => 0,
        })
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        for field in self.inline_fields() {
            // SAFETY: the fields were initialised when the instance was made and are dropped only here.
            unsafe { std::ptr::drop_in_place(field.get()) };
        }
    }
}

impl Heap {
    /// An instance of a script class, without attributes.
    #[inline]
    pub fn instance(&self, class: &Ref<Class>) -> Ref<Instance> {
        let fields = class.expected_fields().min(MAX_INLINE);
        let payload = Instance { shape: Shared::new(class.root_shape()), extra: Shared::new(None) };
        // Cells come in steps, so there may be room for one field more.
        let fields = ((BEFORE + fields * FIELD).next_multiple_of(super::heap::STEP) - BEFORE) / FIELD;
        let made = self.alloc_numbered(payload, fields * FIELD, fields as u16);
        for field in made.inline_fields() {
            // SAFETY: the cell is new; the field lies within it.
            unsafe { field.get().write(Value::Undef) };
        }
        made
    }

    /// An instance of a script class derived from a built-in type, with the built-in value inside.
    pub fn instance_of_base(&self, class: &Ref<Class>, base: Value) -> Ref<Instance> {
        let made = self.instance(class);
        made.extra.set(Some(Box::new(Extra { base, more: Vec::new(), dict: None })));
        self.charge(size_of::<Extra>());
        made
    }
}

impl Instance {
    #[inline(always)]
    fn capacity(&self) -> usize {
        // SAFETY: instances live in cells, behind a header that says how many fields follow.
        unsafe { (*std::ptr::from_ref(self).cast::<super::object::Header>().sub(1)).number() as usize }
    }

    #[inline(always)]
    fn fields(&self) -> *const Field {
        // SAFETY: stays within the cell, or one past its end.
        unsafe { std::ptr::from_ref(self).add(1).cast() }
    }

    #[inline(always)]
    fn inline_fields(&self) -> &[Field] {
        // SAFETY: the rest of the cell is fields, initialised by `Heap::instance`.
        unsafe { std::slice::from_raw_parts(self.fields(), self.capacity()) }
    }

    /// The shape.
    #[inline(always)]
    pub fn shape(&self) -> Ref<Shape> {
        self.shape.get()
    }

    /// The address of the shape, for caches.
    #[inline(always)]
    pub fn shape_address(&self) -> usize {
        self.shape.with(Ref::address)
    }

    /// The class.
    #[inline]
    pub fn class(&self) -> Ref<Class> {
        self.shape.with(|shape| shape.class.clone())
    }

    /// Reads the class without counting a reference.
    #[inline(always)]
    pub fn with_class<U>(&self, read: impl FnOnce(&Ref<Class>) -> U) -> U {
        self.shape.with(|shape| read(&shape.class))
    }

    /// The built-in value inside, `Undef` if the class is not derived from a built-in type.
    #[inline]
    pub fn base(&self) -> &Value {
        // SAFETY: `base` is set when the instance is made and never replaced; its box is not moved or freed before the instance.
        self.extra.with(|extra| match extra {
            Some(extra) => unsafe { &*std::ptr::from_ref(&extra.base) },
            None => &NO_BASE.0,
        })
    }

    /// The field at a place that a cache or the shape gave. `Undef` if the attribute was deleted.
    #[inline(always)]
    pub fn field(&self, index: usize) -> Value {
        if index < self.capacity() {
            // SAFETY: within the cell; cloning runs nothing.
            return unsafe { (*(*self.fields().add(index)).get()).clone() };
        }
        self.extra.with(|extra| match extra {
            Some(extra) => extra.more.get(index - self.capacity()).cloned().unwrap_or_default(),
            None => Value::Undef,
        })
    }

    /// Looks at a field without counting a reference. The closure runs no script code.
    #[inline(always)]
    pub fn with_field<U>(&self, index: usize, read: impl FnOnce(&Value) -> U) -> U {
        if index < self.capacity() {
            // SAFETY: within the cell; the closure changes nothing.
            return read(unsafe { &*(*self.fields().add(index)).get() });
        }
        read(&self.field(index))
    }

    /// Replaces a field and returns the old value.
    #[inline(always)]
    pub fn replace_field(&self, index: usize, value: Value) -> Value {
        if index < self.capacity() {
            // SAFETY: within the cell; no reference to the field exists while it is exchanged.
            return std::mem::replace(unsafe { &mut *(*self.fields().add(index)).get() }, value);
        }
        self.replace_more(index - self.capacity(), value)
    }

    #[cold]
    #[inline(never)]
    fn replace_more(&self, index: usize, value: Value) -> Value {
        let (old, grown) = self.extra.with_mut(|extra| {
            let fresh = extra.is_none();
            let extra = extra.get_or_insert_with(|| Box::new(Extra { base: Value::Undef, more: Vec::new(), dict: None }));
            let before = extra.more.capacity();
            if extra.more.len() <= index {
                extra.more.resize(index + 1, Value::Undef);
            }
            let old = std::mem::replace(&mut extra.more[index], value);
            (old, (extra.more.capacity() - before) * FIELD + if fresh { size_of::<Extra>() } else { 0 })
        });
        self.heap().charge(grown);
        old
    }

    fn heap(&self) -> &Heap {
        // SAFETY: instances are only made by `Heap::instance`.
        unsafe { super::object::heap_of(self) }
    }

    /// The instance's own attribute, `Undef` if it has none of this name (interned).
    #[inline]
    pub fn get(&self, name: &Ref<Str>) -> Value {
        let index = self.shape.with(|shape| if shape.is_dict { Err(()) } else { Ok(shape.field_of(name)) });
        match index {
            Ok(Some(index)) => self.field(index),
            Ok(None) => Value::Undef,
            Err(()) => self.own_dict().and_then(|dict| dict.get_str(name)).unwrap_or_default(),
        }
    }

    /// Sets the instance's own attribute; the name is interned or the instance becomes one with a dict. Returns the field's place if
    /// there is one, for caches.
    pub fn set(&self, name: &Ref<Str>, value: Value) -> Option<usize> {
        let shape = self.shape();
        if shape.is_dict {
            if let Some(dict) = self.own_dict() {
                dict.set_str(name, value);
            }
            return None;
        }
        if let Some(index) = shape.field_of(name) {
            drop(self.replace_field(index, value));
            return Some(index);
        }
        let next = shape.with_field(name);
        if next.is_dict {
            self.dict().set_str(name, value);
            return None;
        }
        self.extend(next, value)
    }

    /// Moves to a shape with one field more, which gets `value`.
    #[inline]
    pub fn extend(&self, next: Ref<Shape>, value: Value) -> Option<usize> {
        let index = next.names().len() - 1;
        drop(self.replace_field(index, value));
        self.shape.set(next);
        Some(index)
    }

    /// Deletes the instance's own attribute; whether it was there.
    pub fn remove(&self, name: &Ref<Str>) -> bool {
        let shape = self.shape();
        if shape.is_dict {
            return self.own_dict().is_some_and(|dict| dict.remove_str(name).is_some());
        }
        match shape.field_of(name) {
            Some(index) => !self.replace_field(index, Value::Undef).is_undef(),
            None => false,
        }
    }

    fn own_dict(&self) -> Option<Ref<Dict>> {
        self.extra.with(|extra| extra.as_ref().and_then(|extra| extra.dict.clone()))
    }

    /// The attributes as a dict. From now on they live there, so that what a script does to `__dict__` shows.
    pub fn dict(&self) -> Ref<Dict> {
        if let Some(dict) = self.own_dict() {
            return dict;
        }
        let dict = self.heap().dict();
        for (name, value) in self.attributes() {
            dict.set_str(&name, value);
        }
        self.set_dict(dict.clone());
        dict
    }

    /// Replaces all attributes by those in `dict`, which the instance uses from now on.
    pub fn set_dict(&self, dict: Ref<Dict>) {
        let next = self.shape().as_dict();
        for index in 0..MAX_FIELDS.min(self.capacity()) {
            drop(self.replace_field(index, Value::Undef));
        }
        let fresh = self.extra.with_mut(|extra| {
            let fresh = extra.is_none();
            let extra = extra.get_or_insert_with(|| Box::new(Extra { base: Value::Undef, more: Vec::new(), dict: None }));
            (extra.dict.replace(dict), std::mem::take(&mut extra.more), fresh)
        });
        if fresh.2 {
            self.heap().charge(size_of::<Extra>());
        }
        self.heap().discharge(fresh.1.capacity() * FIELD);
        drop(fresh);
        self.shape.set(next);
    }

    /// Copies of the attributes, in the order in which they were first set. Names in a dict that are no strings are left out.
    pub fn attributes(&self) -> Vec<(Ref<Str>, Value)> {
        let shape = self.shape();
        if shape.is_dict {
            let entries = self.own_dict().map(|dict| dict.to_vec()).unwrap_or_default();
            return entries.into_iter().filter_map(|(k, v)| Some((k.downcast::<Str>()?.clone(), v))).collect();
        }
        let fields = shape.names().iter().enumerate().map(|(index, name)| (name.clone(), self.field(index)));
        fields.filter(|(_, value)| !value.is_undef()).collect()
    }

    /// Makes the instance one of another class (`__class__ = `), keeping its attributes.
    pub fn set_class(&self, class: &Ref<Class>) {
        let attributes = self.attributes();
        let was_dict = self.shape.with(|shape| shape.is_dict);
        if was_dict {
            self.shape.set(class.root_shape().as_dict());
            return;
        }
        self.shape.set(class.root_shape());
        for index in 0..attributes.len() {
            drop(self.replace_field(index, Value::Undef));
        }
        for (name, value) in attributes {
            self.set(&name, value);
        }
    }
}
