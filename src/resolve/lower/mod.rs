//! Lowering: from a body of the syntax tree to a tree of nodes.
//!
//! `mod.rs` keeps the frame being built: its slots, hidden ones included, and the code of inner functions. `stmt.rs` and `expr.rs` follow the
//! syntax; `spill.rs` makes suspension points statements, which `waits.rs` emits; `assign.rs` lowers assignments, to what `target.rs` stores
//! into; `compound.rs` loops, `with` and `try`; `function.rs` definitions; `comprehension.rs`, `import.rs` and `pattern.rs` what their names
//! say.

mod assign;
mod compound;
mod comprehension;
mod expr;
mod function;
mod import;
mod pattern;
mod spill;
mod stmt;
mod target;
mod waits;

use std::cell::{Cell, OnceCell};
use std::collections::HashMap;
use std::rc::Rc;

use super::scope::{CLASS_CELL, Meaning, ScopeId, ScopeKind, Scopes};
use crate::syntax::ast::{Module, Name};
use crate::syntax::{Mode, Source, Span, SyntaxError, SyntaxErrorKind};
use crate::value::{Charged, Dict, Ref, Str, Value};
use crate::vm::Vm;
use crate::vm::code::{Code, CodeKind, Parameters};
use crate::vm::enter::Entry;
use crate::vm::node::Tree;
use crate::vm::traceback::CodeInfo;
use crate::vm::unowned::Unowned;

/// What a module is lowered for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// A program or module.
    File,
    /// A line at the prompt: expression statements are shown.
    Interactive,
    /// An expression: running gives its value.
    Eval,
    /// As those, with names in a namespace beside the globals (slot 0), as `exec` and `eval` with two namespaces have it.
    FileIn,
    InteractiveIn,
    EvalIn,
}

impl Purpose {
    pub(crate) fn mode(self) -> Mode {
        match self {
            Purpose::File | Purpose::FileIn => Mode::File,
            Purpose::Interactive | Purpose::InteractiveIn => Mode::Interactive,
            Purpose::Eval | Purpose::EvalIn => Mode::Eval,
        }
    }

    fn has_namespace(self) -> bool {
        matches!(self, Purpose::FileIn | Purpose::InteractiveIn | Purpose::EvalIn)
    }
}

/// The code of a module.
pub type Lowered = Result<Ref<Code>, SyntaxError>;

/// Lowers a module for a namespace. `held` is the text on the account of memory.
pub fn lower(vm: &Vm, source: &Source, mut module: Module, globals: &Ref<Dict>, purpose: Purpose, held: Rc<Charged>) -> Lowered {
    super::mangle::mangle(&mut module);
    let mut scopes = Scopes::analyse(&module)?;
    if purpose.has_namespace() {
        scopes.all[0].kind = ScopeKind::Class;
    }
    let future_annotations = import::imports_future_annotations(&module.body);
    let mut lowerer = Lowerer {
        vm,
        source,
        scopes,
        globals: globals.clone(),
        scope: 0,
        frames: Vec::new(),
        qualname: String::new(),
        future_annotations,
        purpose,
        error: None,
        held,
    };
    let code = lowerer.module(&mut module);
    lowerer.error.map_or(Ok(code), Err)
}

/// Variables of a function: the slots behind them are for what its statements keep.
const MOST_VARIABLES: usize = 60_000;
/// Cases of a `match`, handlers of a `try`.
const MOST_BRANCHES: usize = 30_000;

/// What a body of code takes by itself, and for each statement and expression, in bytes, on an average.
const CODE_BYTES: usize = 512;
const NODE_BYTES: usize = 80;
/// How many of them are lowered between looks at the limits.
const GLANCE: usize = 256;

/// The frame being built.
struct Frame {
    scope: ScopeId,
    /// Slots of variables.
    slots: HashMap<(ScopeId, Name), u16>,
    /// The first of the slots for captured variables of outer frames.
    free_base: u16,
    free: Vec<(ScopeId, Name)>,
    /// The next hidden slot, and the most there have been.
    next: u16,
    most: u16,
    children: Vec<Ref<Code>>,
    info: Rc<CodeInfo>,
    /// Whether it may suspend at all.
    suspends: bool,
    is_async_generator: bool,
    has_walrus: bool,
    /// Statements and expressions lowered.
    nodes: usize,
    /// The slot of the first parameter, for `super()`.
    first: Option<u16>,
}

struct Lowerer<'a> {
    vm: &'a Vm,
    source: &'a Source,
    scopes: Scopes,
    globals: Ref<Dict>,
    scope: ScopeId,
    frames: Vec<Frame>,
    /// The prefix of qualified names.
    qualname: String,
    future_annotations: bool,
    purpose: Purpose,
    /// What makes the code useless.
    error: Option<SyntaxError>,
    /// The text on the account of memory.
    held: Rc<Charged>,
}

/// Where a name lives, for the code being lowered.
enum Place {
    Local(u16),
    Cell {
        slot: u16,
        is_free: bool,
    },
    Global,
    /// In the class body's namespace, or else here.
    Class(Box<Place>),
}

/// Statements with their places.
type Statements = Vec<(Tree, Span)>;

impl Lowerer<'_> {
    fn frame(&mut self) -> &mut Frame {
        self.frames.last_mut().expect("a frame is being built")
    }

    /// A place in the body being built, as the machine notes it.
    fn at(&mut self, span: Span) -> crate::value::Place {
        crate::value::Place::new(self.frame().info.number, span.start)
    }

    fn name(&self, name: &str) -> Ref<Str> {
        self.vm.intern(name)
    }

    fn globals_of_code(&self) -> Unowned<Dict> {
        Unowned::new(&self.globals)
    }

    /// A hidden slot, until `release`.
    fn temp(&mut self) -> u16 {
        let frame = self.frame();
        let slot = frame.next;
        match slot.checked_add(1) {
            Some(next) => frame.next = next,
            None => self.function_too_large(),
        }
        let frame = self.frame();
        frame.most = frame.most.max(frame.next);
        slot
    }

    /// Cursors tell branches apart with two numbers of 16 bits for each.
    fn check_branches(&mut self, count: usize) {
        if count > MOST_BRANCHES {
            self.function_too_large();
        }
    }

    /// Slots are numbers of 16 bits.
    #[cold]
    fn function_too_large(&mut self) {
        let here = self.frame().info.first_line;
        let span = self.source.line_span(here).unwrap_or_default();
        self.error.get_or_insert_with(|| SyntaxError::new(SyntaxErrorKind::FunctionTooLarge, span));
    }

    /// Counts a statement or expression, and looks up from time to time; whether it makes sense to go on.
    fn step(&mut self) -> bool {
        if self.error.is_some() {
            return false;
        }
        let frame = self.frame();
        frame.nodes += 1;
        if !frame.nodes.is_multiple_of(GLANCE) {
            return true;
        }
        let bytes = GLANCE * NODE_BYTES;
        if self.vm.charge(GLANCE as u64).and_then(|()| self.vm.check_alloc(bytes)).is_err() {
            self.error = Some(SyntaxError::new(SyntaxErrorKind::Stopped, Span::default()));
            return false;
        }
        self.vm.heap.charge(bytes);
        true
    }

    fn mark(&mut self) -> u16 {
        self.frame().next
    }

    /// Gives hidden slots back, for other statements.
    fn release(&mut self, mark: u16) {
        self.frame().next = mark;
    }

    fn place(&mut self, name: &Name) -> Place {
        match self.scopes.meaning(self.scope, name) {
            Meaning::Variable(owner) => self.variable(owner, name),
            Meaning::Global => Place::Global,
            Meaning::ClassEntry => {
                let outside = match self.scopes.outer(self.scope, name) {
                    Meaning::Variable(owner) => self.variable(owner, name),
                    _ => Place::Global,
                };
                Place::Class(Box::new(outside))
            }
        }
    }

    fn variable(&mut self, owner: ScopeId, name: &Name) -> Place {
        let captured = self.scopes.is_captured(owner, name);
        let key = (owner, name.clone());
        let home = self.scopes.frame_of(owner);
        let frame = self.frame();
        if home == frame.scope {
            return match frame.slots.get(&key) {
                Some(&slot) if captured => Place::Cell { slot, is_free: false },
                Some(&slot) => Place::Local(slot),
                None => Place::Global,
            };
        }
        match frame.free.iter().position(|entry| *entry == key) {
            Some(index) => Place::Cell { slot: frame.free_base + index as u16, is_free: true },
            None => Place::Global,
        }
    }

    /// The slot of the cell for a variable that an inner function captures.
    fn cell_slot(&mut self, owner: ScopeId, name: &Name) -> u16 {
        match self.variable(owner, name) {
            Place::Cell { slot, .. } | Place::Local(slot) => slot,
            _ => unreachable!("captured variables have cells"),
        }
    }

    fn info(&self, name: &str, span: Span) -> Rc<CodeInfo> {
        self.vm.bodies.add(|number| CodeInfo {
            name: name.to_owned(),
            source: self.source.clone(),
            first_line: self.source.line_number(span.start),
            module: self.globals.get_str(&self.vm.n.__name__).and_then(|name| name.as_str().map(Box::from)),
            number,
            is_iterable_coroutine: Cell::new(false),
            held: self.held.clone(),
            variables: OnceCell::new(),
        })
    }

    /// Begins the frame of `scope`, whose variables get the first slots in this order.
    fn begin(&mut self, scope: ScopeId, variables: &[Name], info: Rc<CodeInfo>) {
        let mut slots = HashMap::new();
        for (index, name) in variables.iter().enumerate() {
            slots.insert((scope, name.clone()), index as u16);
        }
        let free = self.scopes.all[scope].free.clone();
        let free_base = variables.len() as u16;
        let next = free_base.wrapping_add(free.len() as u16);
        let is_full = variables.len() + free.len() > MOST_VARIABLES;
        let of = &self.scopes.all[scope];
        let frame = Frame {
            scope,
            slots,
            free_base,
            free,
            next,
            most: next,
            children: Vec::new(),
            info,
            suspends: of.has_await || of.has_yield,
            is_async_generator: false,
            has_walrus: of.has_walrus,
            nodes: 0,
            first: None,
        };
        self.frames.push(frame);
        if is_full {
            self.function_too_large();
        }
    }

    /// Ends the frame: its code object.
    #[allow(clippy::too_many_arguments, reason = "the parts of a code object")]
    fn finish(
        &mut self,
        name: &str,
        qualname: &str,
        kind: CodeKind,
        parameters: Parameters,
        locals: Vec<Ref<Str>>,
        doc: Value,
        body: Tree,
    ) -> Ref<Code> {
        let frame = self.frames.pop().expect("begun");
        let scope = &self.scopes.all[frame.scope];
        let captured: Vec<u16> =
            scope.captured.iter().filter_map(|name| frame.slots.get(&(frame.scope, name.clone())).copied()).collect();
        let has_simple_parameters =
            parameters.keyword_only == 0 && !parameters.has_args && !parameters.has_kwargs && captured.is_empty();
        let exact = if has_simple_parameters && kind == CodeKind::Function { parameters.positional } else { usize::MAX };
        let slots = frame.most as usize;
        let free: Vec<Ref<Str>> = frame.free.iter().map(|(_, name)| self.vm.intern(name.as_str())).collect();
        let variables = locals.iter().chain(&free).cloned().collect();
        drop(frame.info.variables.set(variables));
        let has_cleanup = scope.has_cleanup;
        let size = CODE_BYTES + frame.nodes * NODE_BYTES;
        self.vm.heap.charge(CODE_BYTES + frame.nodes % GLANCE * NODE_BYTES);
        let code = Code {
            name: self.vm.intern(name),
            qualname: self.vm.intern(qualname),
            kind,
            exact,
            entry: Entry::of(kind, slots, parameters.positional),
            parameters,
            has_simple_parameters,
            locals,
            captured,
            free,
            free_base: frame.free_base as usize,
            slots,
            doc,
            globals: self.globals.clone(),
            children: frame.children,
            info: frame.info,
            mode: self.purpose.mode(),
            has_cleanup,
            size,
            body,
        };
        self.vm.heap.alloc(code)
    }

    fn module(&mut self, module: &mut Module) -> Ref<Code> {
        let span = module.span;
        let info = self.info("<module>", Span { start: 0, end: 0 });
        let class_like = self.purpose.has_namespace();
        let variables: Vec<Name> = if class_like { vec![Name::new(".namespace")] } else { vec![] };
        self.begin(0, &variables, info);
        let suspends = self.frame().suspends;
        let is_eval = self.purpose.mode() == Mode::Eval;
        let doc = if is_eval { Value::None } else { self.docstring(&module.body) };
        let body = if is_eval { self.eval_body(module) } else { self.module_body(module, &doc) };
        let kind = if suspends { CodeKind::Coroutine } else { CodeKind::Module };
        let _ = span;
        self.finish("<module>", "<module>", kind, Parameters::default(), vec![], doc, body)
    }

    /// Whether `name` is the class cell.
    fn is_class_cell(name: &Name) -> bool {
        name.as_str() == CLASS_CELL
    }
}
