//! Classes and shapes: data only; building, attribute rules and special methods are in `vm/class/` and `vm/attribute/`.
//!
//! A shape is the layout of instances: which attribute stands in which field. Each class has a root shape without fields; setting a new
//! attribute follows (or makes) the transition to the shape with one field more, so instances that are filled in the same order
//! share one. Caches in the evaluator hold the address of a shape together with the heap's `epoch`: the epoch changes whenever an
//! attribute of a class that lookups depend on changes, and whenever a class is freed, so a cache that matches both is true.

use std::cell::Cell;
use std::rc::Rc;

use super::cell::Shared;
use super::object::{Kind, Payload, Ref, Visitor, heap_of};
use super::{Dict, Str, Value};

/// More attributes than this, and an instance keeps them in a dict.
pub const MAX_FIELDS: usize = 64;
/// More shapes than this for one class, and new layouts become dicts.
const MAX_SHAPES: u32 = 256;
const MEMO: usize = 64;

/// What kind of object a class's instances are: which payload `__new__` makes, and whether two bases fit together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Base {
    /// A plain instance with fields.
    Object,
    /// An exception.
    Exception,
    /// A class (the class is a metaclass).
    Class,
    /// An object of a built-in or library type, by class index; derived classes hold one inside their instances.
    Payload(u16),
}

/// What patterns of sequences and mappings match.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Collection {
    Sequence,
    Mapping,
}

/// The payload of a class object.
pub struct Class {
    pub name: Shared<Ref<Str>>,
    pub qualname: Shared<Ref<Str>>,
    /// The name in messages, if it is not the name alone: `collections.deque`.
    pub name_in_messages: Shared<Option<Ref<Str>>>,
    pub bases: Shared<Rc<[Ref<Class>]>>,
    /// The linearised bases (C3), this class first.
    pub mro: Shared<Rc<[Ref<Class>]>>,
    pub dict: Ref<Dict>,
    /// The class of this class; `None` means `type`.
    pub metaclass: Shared<Option<Ref<Class>>>,
    pub base: Base,
    /// Written in a script (its attributes can be set).
    pub is_script: bool,
    /// Whether instances can be referred to weakly.
    pub weakly_referable: Cell<bool>,
    /// Registered as a sequence or a mapping, which patterns want to know.
    pub registered: Cell<Option<Collection>>,
    /// Whether classes may be derived from it.
    pub is_final: Cell<bool>,
    /// `__slots__` without `__dict__`: the only instance attributes allowed.
    pub slots: Shared<Option<Rc<[Ref<Str>]>>>,
    /// Set when a class is derived from this one.
    pub has_derived: Cell<bool>,
    /// The shape of instances without attributes, made with the first instance.
    root: Shared<Option<Ref<Shape>>>,
    /// The shape of instances whose attributes are in a dict.
    dict_shape: Shared<Option<Ref<Shape>>>,
    /// The epoch at which making an instance was last found to be plain (`Vm::plain_init`).
    pub plain_at: Cell<u32>,
    /// When a script's class was made, relative to others: the order of `__subclasses__()`.
    pub serial: Cell<u32>,
    /// How many fields instances come to have.
    expected_fields: Cell<u16>,
    shapes: Cell<u32>,
    memo: Shared<Memo>,
    /// Bytes of the linearised bases on the account.
    order_bytes: Cell<usize>,
}

/// Bytes of a memo that is in use.
const MEMO_BYTES: usize = MEMO * size_of::<(usize, Value)>();

/// The first of the two places of a name in a memo; the other is its neighbour.
#[inline(always)]
fn place_of(name: &Ref<Str>) -> usize {
    // Names lie in rows of equal cells: the product spreads them.
    ((name.address() >> 4) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) as usize >> (usize::BITS - MEMO.ilog2())
}

/// Recent lookups, by address of the name. `Undef` notes that there is no such attribute.
#[derive(Default)]
struct Memo {
    epoch: u32,
    found: Option<Box<[(usize, Value); MEMO]>>,
}

impl Payload for Class {
    const KIND: Kind = Kind::Class;
    const CONTAINER: bool = true;
    const BUFFERS: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        self.name.with(|name| visitor.reference(name));
        self.qualname.with(|name| visitor.reference(name));
        self.name_in_messages.with(|name| {
            if let Some(name) = name {
                visitor.reference(name);
            }
        });
        for list in [&self.bases, &self.mro] {
            list.with(|classes| {
                // A slice shared by several owners would be reported once per owner; each class has its own.
                for class in classes.iter() {
                    visitor.reference(class);
                }
            });
        }
        visitor.reference(&self.dict);
        self.metaclass.with(|class| {
            if let Some(class) = class {
                visitor.reference(class);
            }
        });
        self.slots.with(|slots| {
            for name in slots.iter().flat_map(|names| names.iter()) {
                visitor.reference(name);
            }
        });
        for shape in [&self.root, &self.dict_shape] {
            shape.with(|shape| {
                if let Some(shape) = shape {
                    visitor.reference(shape);
                }
            });
        }
        self.memo.with(|memo| {
            if let Some(found) = &memo.found {
                visitor.values(found.iter().map(|(_, value)| value));
            }
        });
    }

    fn clear(&self) {
        // SAFETY: classes are only used as payloads of heap objects.
        unsafe { heap_of(self) }.bump_epoch();
        self.bases.set(Rc::new([]));
        self.mro.set(Rc::new([]));
        self.order_bytes.set(0);
        self.root.set(None);
        self.dict_shape.set(None);
        drop(self.memo.take());
    }

    fn buffers(&self) -> usize {
        let memo = self.memo.with(|memo| if memo.found.is_some() { MEMO_BYTES } else { 0 });
        memo + self.order_bytes.get()
    }
}

impl Drop for Class {
    fn drop(&mut self) {
        // SAFETY: as in `clear`.
        unsafe { heap_of(self) }.bump_epoch();
    }
}

impl Class {
    /// A class; `mro` and the attributes are filled in by `vm/class/build.rs`.
    pub fn new(name: Ref<Str>, dict: Ref<Dict>, base: Base, is_script: bool) -> Class {
        Class {
            qualname: Shared::new(name.clone()),
            name_in_messages: Shared::default(),
            name: Shared::new(name),
            bases: Shared::new(Rc::new([])),
            mro: Shared::new(Rc::new([])),
            dict,
            metaclass: Shared::new(None),
            base,
            is_script,
            weakly_referable: Cell::new(is_script),
            registered: Cell::new(None),
            is_final: Cell::new(false),
            slots: Shared::new(None),
            has_derived: Cell::new(false),
            root: Shared::new(None),
            dict_shape: Shared::new(None),
            plain_at: Cell::new(0),
            serial: Cell::new(0),
            expected_fields: Cell::new(4),
            shapes: Cell::new(0),
            memo: Shared::new(Memo::default()),
            order_bytes: Cell::new(0),
        }
    }

    /// Whether this class is `other` or derived from it (by the linearised bases; `__subclasscheck__` is for `vm/class/check.rs`).
    #[inline]
    pub fn is_subclass(&self, other: &Ref<Class>) -> bool {
        self.mro.with(|mro| mro.iter().any(|class| class.is(other)))
    }

    /// The name that messages have for it.
    pub fn name(&self) -> Ref<Str> {
        self.name_in_messages.get().unwrap_or_else(|| self.name.get())
    }

    /// The name as `__name__` tells it.
    pub fn own_name(&self) -> Ref<Str> {
        self.name.get()
    }

    /// The attribute as this class and its bases define it, `Undef` if they do not. `name` must be interned.
    #[inline]
    pub fn lookup(&self, name: &Ref<Str>) -> Value {
        // SAFETY: as in `clear`.
        let epoch = unsafe { heap_of(self) }.epoch();
        let place = place_of(name);
        let known = self.memo.with(|memo| {
            if memo.epoch != epoch {
                return None;
            }
            let found = memo.found.as_ref()?;
            // One of two places, the one that was filled last first.
            [place, place ^ 1]
                .into_iter()
                .map(|at| &found[at])
                .find(|entry| entry.0 == name.address())
                .map(|entry| entry.1.clone())
        });
        match known {
            Some(value) => value,
            None => self.lookup_slowly(name, epoch, place),
        }
    }

    #[cold]
    #[inline(never)]
    fn lookup_slowly(&self, name: &Ref<Str>, epoch: u32, place: usize) -> Value {
        let mro = self.mro.get();
        let found = mro.iter().find_map(|class| class.dict.get_str(name)).unwrap_or_default();
        if !name.as_obj().is_interned() {
            return found;
        }
        let entry = (name.address(), found.clone());
        if self.memo.with(|memo| memo.epoch != epoch || memo.found.is_none()) {
            let fresh = Box::new([const { (0, Value::Undef) }; MEMO]);
            let old = self.memo.replace(Memo { epoch, found: Some(fresh) });
            if old.found.is_none() {
                // SAFETY: as in `clear`.
                unsafe { heap_of(self) }.charge(MEMO_BYTES);
            }
            drop(old);
        }
        let old = self.memo.with_mut(|memo| {
            let found = memo.found.as_mut()?;
            found.swap(place, place ^ 1);
            Some(std::mem::replace(&mut found[place], entry))
        });
        drop(old);
        found
    }

    /// The class in the linearised bases, after `after`, that defines the attribute, and its value: what `super()` looks up.
    pub fn lookup_after(&self, after: &Ref<Class>, name: &Ref<Str>) -> Value {
        let mro = self.mro.get();
        let rest = mro.iter().skip_while(|class| !class.is(after)).skip(1);
        rest.into_iter().find_map(|class| class.dict.get_str(name)).unwrap_or_default()
    }
}

impl Ref<Class> {
    /// Sets the linearised bases, the class itself included.
    pub fn set_mro(&self, order: Rc<[Ref<Class>]>) {
        let bytes = size_of_val(&*order);
        self.heap().charge(bytes);
        self.heap().discharge(self.order_bytes.replace(bytes));
        self.mro.set(order);
    }

    /// Sets an attribute of the class and tells the caches when lookups may depend on it.
    pub fn set_attribute(&self, name: &Ref<Str>, value: Value) {
        let plain = |value: &Value| {
            !matches!(
                value.kind(),
                Kind::Function
                    | Kind::NativeFunction
                    | Kind::Property
                    | Kind::StaticMethod
                    | Kind::ClassMethod
                    | Kind::Instance
                    | Kind::Native
                    | Kind::Class
            )
        };
        match self.dict.position_of(name) {
            // The memo holds values, so it must go; evaluator caches of plain class variables go through the memo.
            Some(index) => {
                let old = self.dict.replace_at(index, value.clone());
                if plain(&old) && plain(&value) && !name.as_str().starts_with("__") {
                    self.forget(name, &value);
                } else {
                    self.heap().bump_epoch();
                }
                drop(old);
            }
            None => {
                self.dict.insert_new(name.hash(), Value::from(name), value);
                self.heap().bump_epoch();
            }
        }
    }

    /// Removes an attribute; whether it was there.
    pub fn remove_attribute(&self, name: &Ref<Str>) -> bool {
        let removed = self.dict.remove_str(name);
        self.heap().bump_epoch();
        removed.is_some()
    }

    /// A plain class variable of this class has a new value: memos of this class are corrected; those of derived classes would be
    /// stale, so a class that has any makes everything be looked up anew.
    fn forget(&self, name: &Ref<Str>, value: &Value) {
        if self.has_derived.get() {
            self.heap().bump_epoch();
            return;
        }
        let place = place_of(name);
        let old = self.memo.with_mut(|memo| {
            let found = memo.found.as_mut()?;
            let at = [place, place ^ 1].into_iter().find(|&at| found[at].0 == name.address())?;
            Some(std::mem::replace(&mut found[at].1, value.clone()))
        });
        drop(old);
    }

    /// The shape of instances without attributes.
    #[inline]
    pub fn root_shape(&self) -> Ref<Shape> {
        if let Some(root) = self.root.get() {
            return root;
        }
        let root = self.heap().alloc(Shape::root(self.clone()));
        self.root.set(Some(root.clone()));
        root
    }

    /// How many fields an instance should have room for.
    #[inline]
    pub fn expected_fields(&self) -> usize {
        self.expected_fields.get() as usize
    }
}

/// The payload of a shape.
pub struct Shape {
    pub class: Ref<Class>,
    names: Vec<Ref<Str>>,
    transitions: Shared<Vec<(Ref<Str>, Ref<Shape>)>>,
    /// Instances keep their attributes in a dict.
    pub is_dict: bool,
}

impl Payload for Shape {
    const KIND: Kind = Kind::Shape;
    const CONTAINER: bool = true;
    const BUFFERS: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.reference(&self.class);
        for name in &self.names {
            visitor.reference(name);
        }
        self.transitions.with(|transitions| {
            for (name, shape) in transitions {
                visitor.reference(name);
                visitor.reference(shape);
            }
        });
    }

    fn clear(&self) {
        drop(self.transitions.take());
    }

    fn buffers(&self) -> usize {
        self.names.len() * 8
    }
}

impl Drop for Shape {
    fn drop(&mut self) {
        // SAFETY: shapes are only used as payloads of heap objects.
        unsafe { heap_of(self) }.bump_epoch();
    }
}

impl Shape {
    fn root(class: Ref<Class>) -> Shape {
        Shape { class, names: Vec::new(), transitions: Shared::default(), is_dict: false }
    }

    /// The names of the fields, in order.
    #[inline]
    pub fn names(&self) -> &[Ref<Str>] {
        &self.names
    }

    /// The field that holds `name` (interned).
    #[inline]
    pub fn field_of(&self, name: &Ref<Str>) -> Option<usize> {
        self.names.iter().position(|known| known.is(name))
    }
}

impl Ref<Shape> {
    /// The shape with one field more, for `name` (interned); the class's dict shape when that would be too many.
    pub fn with_field(&self, name: &Ref<Str>) -> Ref<Shape> {
        let known = self.transitions.with(|all| all.iter().find(|(known, _)| known.is(name)).map(|(_, shape)| shape.clone()));
        if let Some(known) = known {
            return known;
        }
        let class = &self.class;
        if self.names.len() >= MAX_FIELDS || class.shapes.get() >= MAX_SHAPES || !name.as_obj().is_interned() {
            return self.as_dict();
        }
        let mut names = Vec::with_capacity(self.names.len() + 1);
        names.extend(self.names.iter().cloned());
        names.push(name.clone());
        class.shapes.set(class.shapes.get() + 1);
        class.expected_fields.set(class.expected_fields.get().max(names.len() as u16));
        if self.names.is_empty() && class.shapes.get() == 1 {
            // The first instance tells how many fields there will be, from one up.
            class.expected_fields.set(1);
        }
        self.heap().charge(names.len() * 8);
        let shape = Shape { class: class.clone(), names, transitions: Shared::default(), is_dict: false };
        let shape = self.heap().alloc(shape);
        let entry = (name.clone(), shape.clone());
        self.transitions.with_mut(|all| all.push(entry));
        shape
    }

    /// The shape of instances of the class whose attributes are in a dict.
    pub fn as_dict(&self) -> Ref<Shape> {
        if let Some(known) = self.class.dict_shape.get() {
            return known;
        }
        let shape = Shape { class: self.class.clone(), names: Vec::new(), transitions: Shared::default(), is_dict: true };
        let shape = self.heap().alloc(shape);
        self.class.dict_shape.set(Some(shape.clone()));
        shape
    }
}

/// The read-only view of a dict that a class's `__dict__` is.
pub struct MappingProxy(pub Value);

impl Payload for MappingProxy {
    const KIND: Kind = Kind::MappingProxy;
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.value(&self.0);
    }
}
