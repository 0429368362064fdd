//! The virtual machine: nodes and how they run, frames, calls, attributes, operators, exceptions, suspension.

pub mod async_generator;
pub mod attribute;
pub mod binary;
pub mod bind;
pub mod cache;
pub mod call;
pub mod characters;
pub mod class;
pub mod code;
pub mod coroutine;
pub mod cursor;
pub mod effects;
pub mod enter;
pub mod errors;
pub mod exit;
pub mod expr;
pub mod format;
pub mod frame;
pub mod frame_object;
pub mod function;
pub mod generic;
pub mod getset;
pub mod group;
pub mod import;
pub mod invoke;
pub mod iterate;
pub mod iterator;
pub mod mapping;
pub mod names;
pub mod node;
pub mod number;
pub mod operators;
pub mod places;
pub mod resume;
pub mod scalar;
pub mod sequence;
pub mod signature;
pub mod stmt;
pub mod string;
pub mod suspend;
mod syntax_error;
pub mod text;
pub mod thread;
pub mod ticks;
pub mod traceback;
pub mod types;
pub mod unowned;
pub mod warning;
pub mod wide_range;

use std::any::{Any, TypeId};
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

pub use code::Code;
pub use function::{Args, BoundMethod, Function, NativeFunction};
pub use names::CommonNames;
pub use node::{Node, Tree};
pub use types::Types;

use crate::host::{Host, Sandbox};
use crate::value::{Dict, Heap, Names, R, Ref, Shared, Str, Value};

/// An interpreter's state: everything that evaluating needs. It is used through shared references, by one thread at a time.
pub struct Vm {
    /// Names that the interpreter looks up.
    pub n: CommonNames,
    /// The classes of the language.
    pub types: Types,
    /// The exception on its way, while an `Err(Raised)` travels.
    pub(crate) raised: Shared<Option<Value>>,
    /// The exception being handled by the innermost `except` or `finally`: what a bare `raise` raises again.
    pub handled: Shared<Value>,
    /// The one door to the world; see `vm/effects.rs`.
    pub host: Arc<dyn Host>,
    /// Bytes that may still be written; `u64::MAX` for any number.
    output_left: Cell<u64>,
    /// `sys.modules`.
    pub modules: Ref<Dict>,
    /// The namespace of the built-in names.
    pub builtins: Ref<Dict>,
    /// Limits, interrupts, finalisers.
    pub ticks: ticks::Ticks,
    /// What frames pass along while they suspend and resume.
    pub(crate) suspension: suspend::Suspension,
    /// Where the exception on its way was raised in the frame that it is leaving.
    pub(crate) error_span: Cell<crate::syntax::Span>,
    /// Told when an async generator is first iterated over.
    pub first_iteration_hook: Cell<Option<FirstIterationHook>>,
    /// What is done with objects of a native type that want to be finalised, by class index.
    finalize_hooks: RefCell<Vec<Option<FinalizeHook>>>,
    /// Script calls that are active on the native stack.
    pub depth: Cell<u32>,
    pub max_depth: Cell<u32>,
    /// What scripts may raise that to.
    pub deepest: Cell<u32>,
    /// Pieces of native stack in use beside the thread's own.
    stack_pieces: Cell<u32>,
    /// The lowest address the native stack may reach.
    pub stack_limit: Cell<usize>,
    /// How to find out whether an object of a native type that is awaited is done: see `Vm::set_await_hook`.
    await_hooks: RefCell<Vec<Option<AwaitHook>>>,
    /// The names of the operators' special methods.
    pub(crate) operators: operators::Operators,
    /// How many classes scripts have made.
    class_serial: Cell<u32>,
    /// Addresses of the containers being printed, outermost first: a container inside itself is shown as `[...]`.
    printing: RefCell<Vec<usize>>,
    /// How to take the next item from an iterator of a native type: see `Vm::set_next_hook`.
    next_hooks: Shared<Vec<Option<iterate::NextHook>>>,
    /// The scheduler's state; see `sched/`.
    pub scheduler: OnceCell<Box<dyn Any>>,
    /// Called before the machine is dropped: other threads must have ended by then.
    pub ending_hook: Cell<Option<fn(&Vm)>>,
    /// State of the layers above (scheduler, modules), by type.
    extensions: RefCell<HashMap<TypeId, Rc<dyn Any>>>,
    /// Strings of one character.
    pub(crate) characters: string::CharCache,
    names: Names,
    /// The bodies of code, by number.
    pub bodies: places::Bodies,
    /// Last, because everything above may hold objects.
    pub heap: Box<Heap>,
}

/// Told when an async generator is first iterated over.
pub type FirstIterationHook = fn(&Vm, &Ref<coroutine::AsyncGenerator>) -> R<()>;

/// Finalises an object that is no longer reachable.
pub type FinalizeHook = fn(&Vm, &Value);

/// Looks at an awaited object: its result (or exception) if it is done, `None` if the coroutine has to wait for it, which hands the
/// object itself to the task.
pub type AwaitHook = fn(&Vm, &Value) -> R<Option<Value>>;

impl Vm {
    /// A bare interpreter: the classes exist, but have no methods; `builtins::install` comes next.
    pub fn new(host: Arc<dyn Host>) -> Vm {
        let heap = Heap::new();
        let names = Names::default();
        Vm {
            n: CommonNames::new(&heap, &names),
            types: Types::new(&heap, &names),
            raised: Shared::new(None),
            handled: Shared::new(Value::None),
            host,
            output_left: Cell::new(u64::MAX),
            modules: heap.dict(),
            builtins: heap.dict(),
            ticks: ticks::Ticks::default(),
            suspension: suspend::Suspension::default(),
            error_span: Cell::new(traceback::NO_SPAN),
            first_iteration_hook: Cell::new(None),
            finalize_hooks: RefCell::default(),
            depth: Cell::new(0),
            max_depth: Cell::new(1000),
            deepest: Cell::new(u32::MAX),
            stack_pieces: Cell::new(0),
            stack_limit: Cell::new(0),
            await_hooks: RefCell::new(Vec::new()),
            operators: operators::Operators::new(|name| names.intern(&heap, name)),
            class_serial: Cell::new(0),
            printing: RefCell::default(),
            next_hooks: Shared::default(),
            scheduler: OnceCell::new(),
            ending_hook: Cell::new(None),
            extensions: RefCell::new(HashMap::new()),
            characters: string::CharCache::default(),
            names,
            bodies: places::Bodies::default(),
            heap,
        }
    }

    /// The string object of an identifier. Names are never freed: only for identifiers of programs and of the library.
    pub fn intern(&self, text: &str) -> Ref<Str> {
        self.names.intern(&self.heap, text)
    }

    /// The table of names.
    pub(crate) fn names(&self) -> &Names {
        &self.names
    }

    /// The string object for `text` if it is a name that something has used.
    pub fn known_name(&self, text: &str) -> Option<Ref<Str>> {
        self.names.get(text)
    }

    /// The name for an attribute given as a string object: the interned object if there is one.
    pub fn name_of(&self, text: &Ref<Str>) -> Ref<Str> {
        if text.as_obj().is_interned() {
            return text.clone();
        }
        self.names.get(text.as_str()).unwrap_or_else(|| text.clone())
    }

    /// A string value.
    #[inline]
    pub fn str_value(&self, text: &str) -> Value {
        Value::from(self.heap.str(text))
    }

    /// The state of a layer above, made at first use.
    pub fn extension<T: Any>(&self, make: impl FnOnce() -> T) -> Rc<T> {
        if let Some(known) = self.find_extension::<T>() {
            return known;
        }
        let made = Rc::new(make());
        self.extensions.borrow_mut().insert(TypeId::of::<T>(), made.clone());
        made
    }

    /// The state of a layer above, if it has been made.
    pub fn find_extension<T: Any>(&self) -> Option<Rc<T>> {
        let known = self.extensions.borrow().get(&TypeId::of::<T>()).cloned()?;
        known.downcast::<T>().ok()
    }

    /// Makes objects of a native type awaitable.
    pub fn set_await_hook(&self, class_index: u16, hook: AwaitHook) {
        let mut hooks = self.await_hooks.borrow_mut();
        if hooks.len() <= class_index as usize {
            hooks.resize(class_index as usize + 1, None);
        }
        hooks[class_index as usize] = Some(hook);
    }

    /// Has objects of a native type that ask for it (`ObjRef::request_finalizer`) finalised by `hook`.
    pub fn set_finalize_hook(&self, class_index: u16, hook: FinalizeHook) {
        let mut hooks = self.finalize_hooks.borrow_mut();
        if hooks.len() <= class_index as usize {
            hooks.resize(class_index as usize + 1, None);
        }
        hooks[class_index as usize] = Some(hook);
    }

    pub(crate) fn finalize_hook(&self, class_index: u16) -> Option<FinalizeHook> {
        self.finalize_hooks.borrow().get(class_index as usize).copied().flatten()
    }

    /// The hook of a native type.
    pub fn await_hook(&self, class_index: u16) -> Option<AwaitHook> {
        self.await_hooks.borrow().get(class_index as usize).copied().flatten()
    }
}

impl Drop for Vm {
    fn drop(&mut self) {
        if let Some(hook) = self.ending_hook.take() {
            hook(self);
        }
    }
}

impl Default for Vm {
    /// For tests: output goes to the process, nothing else is granted.
    fn default() -> Vm {
        Vm::new(Arc::new(Sandbox::new()))
    }
}
