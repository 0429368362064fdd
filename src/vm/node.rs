//! The tree that runs: what every node can do. The kinds of nodes are in `expr/` and `stmt/`; `resolve/lower` builds them.

use super::Vm;
use crate::syntax::Span;
use crate::value::{R, Value};

/// A node of the tree. `l` are the slots of the running frame: parameters, locals, hidden slots, then captured variables.
pub trait Node {
    /// Evaluates an expression.
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R;

    /// Evaluates an expression as a condition.
    fn cond(&self, vm: &Vm, l: &mut [Value]) -> R<bool> {
        match self.eval(vm, l)? {
            Value::Bool(b) => Ok(b != 0),
            Value::Int(i) => Ok(i != 0),
            Value::None => Ok(false),
            value => vm.truthy(&value),
        }
    }

    /// Executes a statement: `Next`, `Break`, `Continue`, `Suspend`, or the value that the function returns.
    fn exec(&self, vm: &Vm, l: &mut [Value]) -> R {
        self.eval(vm, l)?;
        Ok(Value::Next)
    }

    /// Whether errors of a statement always know their place, so that a block of this one alone need not tell it.
    fn knows_its_place(&self) -> bool {
        false
    }

    /// Where a suspended statement stands, for messages; `path` gives the positions of its blocks, outermost first. Nothing if the whole
    /// statement is the answer.
    fn place(&self, _path: &mut dyn Iterator<Item = u16>) -> Option<Span> {
        None
    }

    /// Goes on with a statement that was suspended, from the place that the cursor tells.
    fn resume(&self, _vm: &Vm, _l: &mut [Value]) -> R {
        unreachable!("a node that cannot suspend is resumed")
    }
}

/// A node of any kind.
pub type Tree = Box<dyn Node>;
