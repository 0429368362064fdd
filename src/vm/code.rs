//! Code objects: a body that was resolved and lowered, with what calling it needs to know.

use std::rc::Rc;

use super::enter::Entry;
use super::node::Tree;
use super::traceback::CodeInfo;
use crate::syntax::Mode;
use crate::value::{Dict, Kind, Payload, Ref, Str, Value, Visitor};

/// What a body belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CodeKind {
    Module,
    Class,
    Function,
    Generator,
    Coroutine,
    AsyncGenerator,
}

/// The parameters of a function. Their slots come first, in this order: positional-only, positional, keyword-only, `*args`,
/// `**kwargs`.
#[derive(Default, Debug, Clone)]
pub struct Parameters {
    pub names: Vec<Ref<Str>>,
    /// How many can only be given by position.
    pub positional_only: usize,
    /// How many can be given by position.
    pub positional: usize,
    pub keyword_only: usize,
    pub has_args: bool,
    pub has_kwargs: bool,
}

impl Parameters {
    /// How many slots they take.
    pub fn count(&self) -> usize {
        self.names.len()
    }
}

/// The payload of a code object.
pub struct Code {
    pub name: Ref<Str>,
    pub qualname: Ref<Str>,
    pub kind: CodeKind,
    pub parameters: Parameters,
    /// The number of arguments with which a call enters an ordinary function as it stands: only positional parameters, all given,
    /// none captured. `usize::MAX` if there is more to do.
    pub exact: usize,
    /// How it is entered then.
    pub entry: &'static Entry,
    /// Only positional parameters, none captured, for any kind of function: awaiting a coroutine function takes the short way.
    pub has_simple_parameters: bool,
    /// The names of the slots that are variables of the script: the first ones.
    pub locals: Vec<Ref<Str>>,
    /// Which of them are captured by inner functions; calling puts a fresh cell there (around the argument, if any).
    pub captured: Vec<u16>,
    /// The captured variables of outer functions.
    pub free: Vec<Ref<Str>>,
    /// The first of the slots for them.
    pub free_base: usize,
    /// All slots: locals, free ones, hidden ones.
    pub slots: usize,
    pub doc: Value,
    /// The namespace that global names of the body mean. Nodes refer to it without counting.
    pub globals: Ref<Dict>,
    /// Code of the functions and classes inside. Nodes refer to them without counting.
    pub children: Vec<Ref<Code>>,
    /// What tracebacks tell: the source, the name, the first line.
    pub info: Rc<CodeInfo>,
    /// What the text was compiled as, to compile it again for another namespace.
    pub mode: Mode,
    /// Holds a `try` or `with` in which it may suspend: dropping a suspended frame has code to run.
    pub has_cleanup: bool,
    /// About how many bytes the body takes.
    pub size: usize,
    pub body: Tree,
}

impl Payload for Code {
    const KIND: Kind = Kind::Code;
    const CONTAINER: bool = true;
    const BUFFERS: bool = true;

    fn buffers(&self) -> usize {
        self.size
    }

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.reference(&self.name);
        visitor.reference(&self.qualname);
        for name in self.parameters.names.iter().chain(&self.locals).chain(&self.free) {
            visitor.reference(name);
        }
        visitor.value(&self.doc);
        visitor.reference(&self.globals);
        for child in &self.children {
            visitor.reference(child);
        }
    }
}
