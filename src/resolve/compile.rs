//! From text to code that runs in a namespace: what `compile`, `exec`, `eval`, imports and the prompt use.

use std::cell::Cell;
use std::rc::Rc;

use super::{Purpose, lower};
use crate::syntax::ast::{Module, Stmt, StmtKind};
use crate::syntax::{Mode, Options, Source, SyntaxError, SyntaxErrorKind, parse_watched};
use crate::value::{Dict, Heap, R, Raised, Ref, Shared, Slots, Value};
use crate::vm::Vm;
use crate::vm::code::{Code, CodeKind};
use crate::vm::coroutine::Outcome;
use crate::vm::function::Function;

/// Why a text did not become code.
pub enum CompileError {
    Syntax(SyntaxError),
    /// A limit was crossed, or the script interrupted.
    Raised(Raised),
}

impl From<SyntaxError> for CompileError {
    fn from(error: SyntaxError) -> CompileError {
        match error.kind {
            SyntaxErrorKind::Stopped => CompileError::Raised(Raised),
            _ => CompileError::Syntax(error),
        }
    }
}

/// Code, or why there is none.
pub type Compiled = Result<Ref<Code>, CompileError>;

/// The syntax tree of a token takes at most about so many bytes.
const TOKEN_BYTES: usize = 128;

/// A syntax tree on the account of memory.
struct Tree<'a> {
    heap: &'a Heap,
    bytes: Cell<usize>,
}

impl Drop for Tree<'_> {
    fn drop(&mut self) {
        self.heap.discharge(self.bytes.get());
    }
}

impl Vm {
    /// Parses and lowers a program for the namespace `globals`. In `Mode::Eval` running it gives the expression's value, in
    /// `Mode::Interactive` expression statements are shown.
    pub fn compile(&self, source: &Source, mode: Mode, globals: &Ref<Dict>) -> Compiled {
        self.compile_with(source, Options::from(mode), globals)
    }

    /// The same with the parser's options: `top_level_await` makes the code of a program that awaits a coroutine's.
    pub fn compile_with(&self, source: &Source, options: Options, globals: &Ref<Dict>) -> Compiled {
        let purpose = match options.mode {
            Mode::File => Purpose::File,
            Mode::Interactive => Purpose::Interactive,
            Mode::Eval => Purpose::Eval,
        };
        self.compile_for(source, options, globals, purpose, |_| ())
    }

    /// As `compile`, with `await` allowed at top level; running it gives the value of the last statement if that is an expression.
    pub fn compile_script(&self, source: &Source, globals: &Ref<Dict>) -> Compiled {
        let options = Options { mode: Mode::File, top_level_await: true };
        self.compile_for(source, options, globals, Purpose::File, |module| {
            let Some(Stmt { kind, .. }) = module.body.last_mut() else { return };
            *kind = match std::mem::replace(kind, StmtKind::Pass) {
                StmtKind::Expr { value } => StmtKind::Return { value: Some(value) },
                other => other,
            };
        })
    }

    /// As `compile`, for a namespace beside the globals in which names are looked up first and bound: run it with `run_in`.
    pub fn compile_for_namespace(&self, source: &Source, mode: Mode, globals: &Ref<Dict>) -> Compiled {
        let purpose = match mode {
            Mode::File => Purpose::FileIn,
            Mode::Interactive => Purpose::InteractiveIn,
            Mode::Eval => Purpose::EvalIn,
        };
        self.compile_for(source, mode.into(), globals, purpose, |_| ())
    }

    /// Parses, changes and lowers a text, within the limits.
    fn compile_for(
        &self,
        source: &Source,
        options: Options,
        globals: &Ref<Dict>,
        purpose: Purpose,
        change: impl FnOnce(&mut Module),
    ) -> Compiled {
        // The text, and where its lines begin.
        let text = source.text();
        let bytes = text.len() + size_of::<u32>() * memchr::memchr_iter(b'\n', text.as_bytes()).count();
        self.check_alloc(bytes).map_err(CompileError::Raised)?;
        let held = Rc::new(self.heap.hold(bytes));
        let tree = Tree { heap: &self.heap, bytes: Cell::new(0) };
        let mut module = parse_watched(source, options, &|tokens| {
            let bytes = tokens * TOKEN_BYTES;
            if self.charge(tokens as u64).and_then(|()| self.check_alloc(bytes)).is_err() {
                return false;
            }
            self.heap.charge(bytes);
            tree.bytes.set(tree.bytes.get() + bytes);
            true
        })?;
        change(&mut module);
        let warnings = std::mem::take(&mut module.warnings);
        let code = lower(self, source, module, globals, purpose, held)?;
        for warning in &warnings {
            self.give_syntax_warning(source, warning).map_err(CompileError::Raised)?;
        }
        Ok(code)
    }

    /// What the script gets instead of the code.
    pub fn raise_compile_error(&self, source: &Source, error: CompileError) -> Raised {
        match error {
            CompileError::Syntax(error) => self.raise_syntax_error(source, &error),
            CompileError::Raised(raised) => raised,
        }
    }

    /// Runs a module's (or expression's) code. If it awaits at top level the result is a coroutine to be awaited.
    pub fn run(&self, code: &Ref<Code>) -> R {
        self.run_in(code, Value::Undef)
    }

    /// Runs code compiled for a namespace beside the globals.
    pub fn run_in(&self, code: &Ref<Code>, namespace: Value) -> R {
        let mut slots = vec![Value::Undef; code.slots].into_boxed_slice();
        if let Some(first) = slots.first_mut() {
            *first = namespace;
        }
        if code.kind == CodeKind::Coroutine {
            let function = self.heap.alloc(Function {
                code: code.clone(),
                closure: Box::default(),
                defaults: Shared::default(),
                kw_defaults: Shared::default(),
                extra: Shared::default(),
            });
            return Ok(self.make_resumable(&function, Slots::taken_from(&self.heap, &mut slots)));
        }
        self.enter()?;
        let result = self.with_stack(|| code.body.exec(self, &mut slots));
        self.leave();
        // Before the code goes, and with it the places of what has died in it.
        self.run_finalizers();
        match result {
            Ok(Value::Next) => Ok(Value::None),
            Ok(value) => Ok(value),
            Err(Raised) => Err(self.add_traceback(&code.info)),
        }
    }

    /// Runs a coroutine that must not wait for anything: what a script does with `coroutine.send(None)`.
    pub fn run_to_end(&self, coroutine: &Value) -> R {
        match coroutine.downcast::<crate::vm::coroutine::Coroutine>() {
            Some(coroutine) => match self.resume_coroutine(coroutine, Ok(Value::None))? {
                Outcome::Return(value) => Ok(value),
                Outcome::Yield(_) => Err(self.runtime_error("the coroutine waits, and no event loop runs it")),
            },
            None => Err(self.type_error("a coroutine is required")),
        }
    }
}
