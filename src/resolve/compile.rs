//! From text to code that runs in a namespace: what `compile`, `exec`, `eval`, imports and the prompt use.

use std::rc::Rc;

use super::{Purpose, lower};
use crate::syntax::ast::{Stmt, StmtKind};
use crate::syntax::{Mode, Options, Source, SyntaxError, parse};
use crate::value::Shared;
use crate::value::{Dict, R, Raised, Ref, Slots, Value};
use crate::vm::Vm;
use crate::vm::code::{Code, CodeKind};
use crate::vm::coroutine::Outcome;
use crate::vm::function::Function;

impl Vm {
    /// Parses and lowers a program for the namespace `globals`. In `Mode::Eval` running it gives the expression's value, in
    /// `Mode::Interactive` expression statements are shown.
    pub fn compile(&self, source: Rc<Source>, mode: Mode, globals: &Ref<Dict>) -> Result<Ref<Code>, SyntaxError> {
        self.compile_with(&source, Options::from(mode), globals)
    }

    /// The same with the parser's options: `top_level_await` makes the code of a program that awaits a coroutine's.
    pub fn compile_with(&self, source: &Source, options: Options, globals: &Ref<Dict>) -> Result<Ref<Code>, SyntaxError> {
        let module = parse(source, options)?;
        let purpose = match options.mode {
            Mode::File => Purpose::File,
            Mode::Interactive => Purpose::Interactive,
            Mode::Eval => Purpose::Eval,
        };
        lower(self, source, module, globals, purpose)
    }

    /// As `compile`, with `await` allowed at top level; running it gives the value of the last statement if that is an expression.
    pub fn compile_script(&self, source: &Source, globals: &Ref<Dict>) -> Result<Ref<Code>, SyntaxError> {
        let mut module = parse(source, Options { mode: Mode::File, top_level_await: true })?;
        if let Some(Stmt { kind, .. }) = module.body.last_mut() {
            *kind = match std::mem::replace(kind, StmtKind::Pass) {
                StmtKind::Expr { value } => StmtKind::Return { value: Some(value) },
                other => other,
            };
        }
        lower(self, source, module, globals, Purpose::File)
    }

    /// As `compile`, for a namespace beside the globals in which names are looked up first and bound: run it with `run_in`.
    pub fn compile_for_namespace(&self, source: &Source, mode: Mode, globals: &Ref<Dict>) -> Result<Ref<Code>, SyntaxError> {
        let module = parse(source, mode)?;
        let purpose = match mode {
            Mode::File => Purpose::FileIn,
            Mode::Interactive => Purpose::InteractiveIn,
            Mode::Eval => Purpose::EvalIn,
        };
        lower(self, source, module, globals, purpose)
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
