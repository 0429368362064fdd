//! Callables as data: script functions, native functions, bound methods, and the small wrappers that classes use.
//! Calling them is `call.rs`'s matter; rows and typed parameters of native functions are in `native/`.

use std::cell::{Cell, OnceCell};

use super::Vm;
use super::code::Code;
use super::coroutine::NativeFrame;
use super::suspend::Begun;
use crate::value::{Dict, Kind, Payload, R, Ref, Shared, Str, Value, Variable, Visitor};

/// The payload of a function written in a script.
pub struct Function {
    pub code: Ref<Code>,
    /// The captured variables, in the order of `Code::free`.
    pub closure: Box<[Ref<Variable>]>,
    /// Defaults of the last positional parameters.
    pub defaults: Shared<Box<[Value]>>,
    /// Defaults of keyword-only parameters, `Undef` where there is none, in order of the parameters; empty if none has one.
    pub kw_defaults: Shared<Box<[Value]>>,
    /// What few functions have, or few programs look at.
    pub extra: Shared<Option<Box<FunctionExtra>>>,
}

/// Attributes of a function that differ from what its code says.
#[derive(Default)]
pub struct FunctionExtra {
    pub name: Option<Value>,
    pub qualname: Option<Value>,
    pub doc: Option<Value>,
    pub module: Option<Value>,
    pub annotations: Option<Value>,
    pub type_params: Option<Value>,
    /// `__dict__`.
    pub dict: Option<Ref<Dict>>,
}

impl Function {
    /// Puts the cells of captured variables into their slots.
    #[inline(never)]
    pub(super) fn put_closure(&self, slots: &mut [Value]) {
        for (slot, variable) in slots[self.code.free_base..].iter_mut().zip(&self.closure) {
            *slot = Value::from(variable);
        }
    }
}

impl Payload for Function {
    const KIND: Kind = Kind::Function;
    const CONTAINER: bool = true;
    const BUFFERS: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.reference(&self.code);
        for variable in &self.closure {
            visitor.reference(variable);
        }
        self.defaults.with(|values| visitor.values(values));
        self.kw_defaults.with(|values| visitor.values(values));
        self.extra.with(|extra| {
            let Some(extra) = extra else { return };
            for slot in [&extra.name, &extra.qualname, &extra.doc, &extra.module, &extra.annotations, &extra.type_params] {
                visitor.values(slot);
            }
            if let Some(dict) = &extra.dict {
                visitor.reference(dict);
            }
        });
    }

    fn clear(&self) {
        drop(self.defaults.take());
        drop(self.kw_defaults.take());
        drop(self.extra.take());
    }

    fn buffers(&self) -> usize {
        let values = |list: &Shared<Box<[Value]>>| list.with(|values| size_of_val(&**values));
        let extra = if self.extra.with(Option::is_some) { size_of::<FunctionExtra>() } else { 0 };
        size_of_val(&*self.closure) + values(&self.defaults) + values(&self.kw_defaults) + extra
    }
}

/// Arguments of a call that are not yet bound to parameters.
#[derive(Clone, Copy, Default)]
pub struct Args<'a> {
    pub positional: &'a [Value],
    pub keywords: &'a [(Ref<Str>, Value)],
}

impl<'a> Args<'a> {
    /// Only positional arguments.
    #[inline]
    pub fn positional(positional: &'a [Value]) -> Self {
        Args { positional, keywords: &[] }
    }
}

/// An `async` native function: two ways to call it with arguments as for `NativeCode::Bound`.
#[derive(Clone, Copy)]
pub struct AsyncEntry {
    /// The frame of a coroutine.
    pub make: fn(&Vm, &[Value]) -> R<Box<dyn NativeFrame>>,
    /// The call is awaited at once: a frame is kept only if it has to wait.
    pub begin: fn(&Vm, &[Value]) -> R<Begun>,
}

/// How a native function is entered.
pub enum NativeCode {
    /// Arguments bound by the signature: one value per parameter, `Undef` for one that is absent, a tuple for `*args`, a dict for
    /// `**kwargs`.
    Bound(fn(&Vm, &[Value]) -> R),
    /// Arguments as they come; the function checks them itself.
    Raw(fn(&Vm, Args<'_>) -> R),
    /// As `Bound`, but awaited: the frame runs when the call is awaited.
    Async(AsyncEntry),
    /// A host's closure, as `Bound`.
    Closure(Box<dyn Fn(&Vm, &[Value]) -> R + Send>),
    /// A host's closure, as `Async`.
    AsyncClosure(Box<dyn Fn(&Vm, &[Value]) -> R<Box<dyn NativeFrame>> + Send>),
}

/// With how many positional arguments a native function can be entered without more ado, receivers included, and how many values it
/// takes: those that are missing are `Undef`.
#[derive(Clone, Copy, Default)]
pub struct Arity {
    pub least: u8,
    /// Less than `least` if there is always more to do.
    pub most: u8,
    pub values: u8,
    pub is_known: bool,
}

/// The way into a native function for a number of arguments that need no binding.
#[derive(Clone, Copy)]
pub struct Direct {
    pub enter: fn(&Vm, &[Value]) -> R,
    /// How many values it takes.
    pub values: usize,
}

/// How a native function in a class is bound when it is looked up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Binding {
    /// A function of a module, or a static method.
    Function,
    /// The first argument is the instance.
    Method,
    /// The first argument is the class.
    Class,
}

/// The payload of a native function.
pub struct NativeFunction {
    pub name: Ref<Str>,
    /// The parameters in script syntax, as in `prefix, start=0, end=None`, without `self`.
    pub signature_text: std::borrow::Cow<'static, str>,
    pub signature: OnceCell<Box<crate::vm::signature::Signature>>,
    /// How many arguments can be passed on as they are, once somebody has asked.
    pub arity: Cell<Arity>,
    pub code: NativeCode,
    pub binding: Binding,
    /// The class it is a method of, or the module's name; `None` for neither.
    pub owner: Shared<Value>,
}

impl Payload for NativeFunction {
    const KIND: Kind = Kind::NativeFunction;
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.reference(&self.name);
        self.owner.with(|owner| visitor.value(owner));
    }

    fn clear(&self) {
        self.owner.set(Value::None);
    }
}

/// The payload of a method bound to an instance (or a class).
pub struct BoundMethod {
    pub function: Value,
    pub this: Value,
}

impl Payload for BoundMethod {
    const KIND: Kind = Kind::BoundMethod;
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.value(&self.function);
        visitor.value(&self.this);
    }
}

/// The payload of a `property`.
#[derive(Default)]
pub struct Property {
    pub get: Shared<Value>,
    pub set: Shared<Value>,
    pub delete: Shared<Value>,
    pub doc: Shared<Value>,
    pub name: Shared<Value>,
    /// The documentation is that of the getter, and follows a new one.
    pub doc_of_getter: Cell<bool>,
}

impl Payload for Property {
    const KIND: Kind = Kind::Property;
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        for part in [&self.get, &self.set, &self.delete, &self.doc, &self.name] {
            part.with(|part| visitor.value(part));
        }
    }
}

/// The payload of a `staticmethod`.
pub struct StaticMethod(pub Value);

impl Payload for StaticMethod {
    const KIND: Kind = Kind::StaticMethod;
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.value(&self.0);
    }
}

/// The payload of a `classmethod`.
pub struct ClassMethod(pub Value);

impl Payload for ClassMethod {
    const KIND: Kind = Kind::ClassMethod;
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.value(&self.0);
    }
}

/// The payload of a `super` object.
pub struct Super {
    /// The class after which the search begins.
    pub class: Value,
    /// The instance or class that methods are bound to.
    pub this: Value,
    /// The class whose linearised bases are searched.
    pub this_class: Value,
}

impl Payload for Super {
    const KIND: Kind = Kind::Super;
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.values([&self.class, &self.this, &self.this_class]);
    }
}

/// A counter used where identity must be stable for the life of the process.
#[derive(Default)]
pub struct Serial(Cell<u64>);

impl Serial {
    /// The next number, from 1.
    pub fn next(&self) -> u64 {
        self.0.set(self.0.get() + 1);
        self.0.get()
    }
}
