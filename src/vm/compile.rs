//! From text to code that runs in a namespace: `compile`, `exec`, `eval`, modules.

use std::rc::Rc;

use super::{Code, Vm};
use crate::syntax::{Mode, Source, SyntaxError};
use crate::value::{Dict, R, Ref, Value};

impl Vm {
    /// Parses and lowers a program for the namespace `globals`. In `Mode::Eval` running it gives the expression's value.
    pub fn compile(&self, _source: Rc<Source>, _mode: Mode, _globals: &Ref<Dict>) -> Result<Ref<Code>, SyntaxError> {
        todo!()
    }

    /// Runs a module's (or expression's) code. With a top-level `await` in it the result is a coroutine to be awaited.
    pub fn run(&self, _code: &Ref<Code>) -> R {
        todo!()
    }
}
