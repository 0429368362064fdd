//! Inline caches of attribute sites: what the last look at an attribute of an instance of this shape found.
//!
//! A cache is true while both the instance's shape (by address) and the heap's epoch are the same: the epoch changes whenever a
//! class attribute that lookups depend on changes, and whenever a class or shape is freed, so an address cannot come to mean another
//! shape, and a function found in a class is still there, which keeps it alive while the cache matches.

use std::cell::{Cell, OnceCell};

use super::Vm;
use super::function::{ClassMethod, Function, Property, StaticMethod};
use super::unowned::Unowned;
use crate::value::{Class, Instance, Kind, Ref, Shape, Str, Value};

/// What a site knows: about the shape that it met first, and about a few others once it has met them.
pub struct Cache<T> {
    first: Entry<T>,
    others: OnceCell<Box<Others<T>>>,
}

struct Entry<T> {
    shape: Cell<usize>,
    epoch: Cell<u32>,
    known: Cell<T>,
}

/// Of a site that meets objects of several shapes: the last few take turns.
struct Others<T> {
    entries: [Entry<T>; 4],
    next: Cell<usize>,
}

impl<T: Copy> Entry<T> {
    const fn new(blank: T) -> Self {
        Entry { shape: Cell::new(0), epoch: Cell::new(0), known: Cell::new(blank) }
    }

    #[inline(always)]
    fn is_about(&self, shape: usize, epoch: u32) -> bool {
        self.shape.get() == shape && self.epoch.get() == epoch
    }

    fn set(&self, shape: usize, epoch: u32, known: T) {
        self.shape.set(shape);
        self.epoch.set(epoch);
        self.known.set(known);
    }
}

impl<T: Copy> Cache<T> {
    /// A cache that knows nothing; `blank` is never returned.
    pub const fn new(blank: T) -> Self {
        Cache { first: Entry::new(blank), others: OnceCell::new() }
    }

    /// What is known about instances like this one, if they are of the first shape: the short way. `get_other` comes next.
    #[inline(always)]
    pub fn get(&self, vm: &Vm, instance: &Instance) -> Option<T> {
        self.first.is_about(instance.shape_address(), vm.heap.epoch()).then(|| self.first.known.get())
    }

    /// What is known about instances like this one, if they are of another shape.
    pub fn get_other(&self, vm: &Vm, instance: &Instance) -> Option<T> {
        let (shape, epoch) = (instance.shape_address(), vm.heap.epoch());
        let entry = self.others.get()?.entries.iter().find(|entry| entry.is_about(shape, epoch))?;
        Some(entry.known.get())
    }

    /// Notes what holds for instances of this shape.
    pub fn set(&self, vm: &Vm, shape: &Ref<Shape>, known: T) {
        let (shape, epoch) = (shape.address(), vm.heap.epoch());
        if self.first.epoch.get() != epoch || self.first.shape.get() == shape {
            return self.first.set(shape, epoch, known);
        }
        let others = self
            .others
            .get_or_init(|| Box::new(Others { entries: std::array::from_fn(|_| Entry::new(known)), next: Cell::new(0) }));
        let place = others.next.get();
        others.next.set((place + 1) % others.entries.len());
        others.entries[place].set(shape, epoch, known);
    }
}

/// What loading an attribute comes to.
#[derive(Clone, Copy)]
pub enum Load {
    /// It is in this field.
    Field(u32),
    /// It is a property with this getter.
    Property(Unowned<Function>),
}

/// What storing an attribute comes to.
#[derive(Clone, Copy)]
pub enum Store {
    /// It is in this field.
    Field(u32),
    /// It is new: the instance moves to this shape.
    Extend(Unowned<Shape>),
    /// It is a property with this setter.
    Property(Unowned<Function>),
}

/// What a method is, and what its function is given first.
#[derive(Clone, Copy)]
pub enum Method {
    /// The object.
    Bound(Unowned<Function>),
    /// Nothing.
    Static(Unowned<Function>),
    /// The class of the object.
    Class(Unowned<Function>),
}

impl Method {
    /// The method that a class attribute is, if its function is a script's.
    fn of(found: &Value) -> Option<Method> {
        if let Some(function) = found.downcast::<Function>() {
            return Some(Method::Bound(Unowned::new(function)));
        }
        if let Some(wrapper) = found.downcast::<StaticMethod>() {
            return wrapper.0.downcast::<Function>().map(|function| Method::Static(Unowned::new(function)));
        }
        let wrapper = found.downcast::<ClassMethod>()?;
        wrapper.0.downcast::<Function>().map(|function| Method::Class(Unowned::new(function)))
    }
}

/// Whether attribute access of instances of `class` follows the ordinary rules, and the class has no data descriptor (or anything
/// else that would come before the instance's fields) of this name.
pub fn fields_come_first(vm: &Vm, class: &Ref<Class>, name: &Ref<Str>) -> bool {
    let hook = class.lookup(&vm.n.__getattribute__);
    hook.is(&vm.types.object.lookup(&vm.n.__getattribute__)) && !overrides_fields(vm, &class.lookup(name))
}

/// Whether a class attribute comes before instance fields: data descriptors do.
fn overrides_fields(vm: &Vm, found: &Value) -> bool {
    match found.kind() {
        Kind::Property => true,
        Kind::Instance => {
            let class = vm.class_of(found);
            !class.lookup(&vm.n.__set__).is_undef() || !class.lookup(&vm.n.__delete__).is_undef()
        }
        Kind::Native => true,
        _ => false,
    }
}

/// Fills a load cache before a slow look at `object.name`, if a field or a property is what it will find.
pub fn note_load(vm: &Vm, cache: &Cache<Load>, instance: &Ref<Instance>, name: &Ref<Str>) {
    let shape = instance.shape();
    if !fields_come_first(vm, &shape.class, name) {
        if let Some(getter) =
            property(vm, &shape.class, name).and_then(|property| property.get.get().downcast::<Function>().cloned())
            && vm.has_default_lookup(&shape.class)
            && shape.class.lookup(&vm.n.__getattr__).is_undef()
        {
            cache.set(vm, &shape, Load::Property(Unowned::new(&getter)));
        }
        return;
    }
    if !shape.is_dict
        && let Some(index) = shape.field_of(name)
        && !instance.field(index).is_undef()
    {
        cache.set(vm, &shape, Load::Field(index as u32));
    }
}

/// The property of this name.
fn property(vm: &Vm, class: &Ref<Class>, name: &Ref<Str>) -> Option<Ref<Property>> {
    vm.lookup_on_class(class, name).downcast::<Property>().cloned()
}

/// Fills a store cache before a slow store, if it will call the setter of a property.
pub fn note_setter(vm: &Vm, cache: &Cache<Store>, instance: &Ref<Instance>, name: &Ref<Str>) {
    let shape = instance.shape();
    if let Some(setter) = property(vm, &shape.class, name).and_then(|property| property.set.get().downcast::<Function>().cloned())
        && vm.has_default_store(&shape.class)
    {
        cache.set(vm, &shape, Store::Property(Unowned::new(&setter)));
    }
}

/// Before a slow store: whether it will simply set a field, so that the shape before and after tell what happens.
pub fn is_plain_store(vm: &Vm, instance: &Ref<Instance>, name: &Ref<Str>) -> bool {
    let shape = instance.shape();
    if shape.is_dict {
        return false;
    }
    let class = &shape.class;
    class.slots.with(|slots| slots.as_ref().is_none_or(|names| names.iter().any(|known| known.is(name))))
        && class.lookup(&vm.n.__setattr__).is(&vm.types.object.lookup(&vm.n.__setattr__))
        && !overrides_fields(vm, &class.lookup(name))
        && name.as_obj().is_interned()
        && name.as_str() != "__class__"
        && name.as_str() != "__dict__"
}

/// Fills a store cache after a plain store that began with the shape `before`.
pub fn note_store(vm: &Vm, cache: &Cache<Store>, before: &Ref<Shape>, instance: &Ref<Instance>, name: &Ref<Str>) {
    let after = instance.shape();
    if after.is_dict {
        return;
    }
    if after.is(before) {
        if let Some(index) = after.field_of(name) {
            cache.set(vm, before, Store::Field(index as u32));
        }
    } else if after.names().len() == before.names().len() + 1 {
        cache.set(vm, before, Store::Extend(Unowned::new(&after)));
    }
}

/// The method that `name` means for instances of this shape, if neither a field nor anything else comes before it.
pub fn find_method(vm: &Vm, shape: &Ref<Shape>, name: &Ref<Str>) -> Option<Method> {
    if shape.is_dict || shape.field_of(name).is_some() {
        return None;
    }
    let hook = shape.class.lookup(&vm.n.__getattribute__);
    if !hook.is(&vm.types.object.lookup(&vm.n.__getattribute__)) {
        return None;
    }
    Method::of(&shape.class.lookup(name))
}

/// The method that `name` means for the class itself, if nothing of its metaclass comes before it: one that is called as it
/// stands, or with the class.
pub fn find_class_method(vm: &Vm, class: &Ref<Class>, name: &Ref<Str>) -> Option<Method> {
    if class.metaclass.with(Option::is_some) || !vm.types.type_.lookup(name).is_undef() {
        return None;
    }
    match Method::of(&class.lookup(name))? {
        Method::Bound(function) | Method::Static(function) => Some(Method::Static(function)),
        method => Some(method),
    }
}
