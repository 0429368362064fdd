//! Built-in functions that look at the running frame (`locals()`, `exec(...)`), and a guard for deep expressions.

use crate::syntax::Span;
use crate::value::{Dict, R, Raised, Ref, Str, Value, Variable};
use crate::vm::Vm;
use crate::vm::node::{Node, Tree};
use crate::vm::unowned::Unowned;

/// Which function is called.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ScopeQuestion {
    Locals,
    Globals,
    Vars,
    Dir,
    Eval,
    Exec,
}

impl ScopeQuestion {
    /// The question that a call of this name without arguments asks.
    pub fn named(name: &str) -> Option<ScopeQuestion> {
        match name {
            "locals" => Some(ScopeQuestion::Locals),
            "globals" => Some(ScopeQuestion::Globals),
            "vars" => Some(ScopeQuestion::Vars),
            "dir" => Some(ScopeQuestion::Dir),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            ScopeQuestion::Locals => "locals",
            ScopeQuestion::Globals => "globals",
            ScopeQuestion::Vars => "vars",
            ScopeQuestion::Dir => "dir",
            ScopeQuestion::Eval => "eval",
            ScopeQuestion::Exec => "exec",
        }
    }
}

/// A call of such a function by its name.
pub struct ScopeFunction {
    pub question: ScopeQuestion,
    /// What the name means; if it is not the built-in function, it is simply called.
    pub callee: Tree,
    pub args: Box<[Tree]>,
    pub globals: Unowned<Dict>,
    /// The names are entries of the namespace in slot 0.
    pub in_namespace: bool,
    pub is_module: bool,
    /// Variables of the frame: name, slot, and whether the slot holds a cell.
    pub locals: Box<[(Ref<Str>, u16, bool)]>,
    pub span: Span,
}

impl Node for ScopeFunction {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        let callee = self.callee.eval(vm, l)?;
        let mut args = Vec::with_capacity(self.args.len());
        for arg in &self.args {
            args.push(arg.eval(vm, l)?);
        }
        let builtin = vm.builtins.get_text(self.question.name());
        if !builtin.is_some_and(|builtin| builtin.is(&callee)) {
            return vm.call(&callee, &args).map_err(|Raised| vm.at(self.span));
        }
        self.answer(vm, l, &callee, args).map_err(|Raised| vm.at(self.span))
    }
}

impl ScopeFunction {
    fn answer(&self, vm: &Vm, l: &mut [Value], callee: &Value, mut args: Vec<Value>) -> R {
        match self.question {
            ScopeQuestion::Globals => Ok(Value::from(self.globals.get())),
            ScopeQuestion::Locals | ScopeQuestion::Vars => Ok(self.namespace(vm, l)),
            ScopeQuestion::Dir => {
                let namespace = self.namespace(vm, l);
                let keys = vm.collect(&namespace)?;
                let list = Value::from(vm.heap.list(keys));
                let sorted = vm.builtins.get_text("sorted").unwrap_or(Value::None);
                vm.call(&sorted, &[list])
            }
            ScopeQuestion::Eval | ScopeQuestion::Exec => {
                let given = args.get(1).cloned().unwrap_or(Value::None);
                if args.is_empty() || !given.is_none() {
                    return vm.call(callee, &args);
                }
                args.truncate(1);
                args.push(Value::from(self.globals.get()));
                if !self.is_module {
                    args.push(self.namespace(vm, l));
                }
                vm.call(callee, &args)
            }
        }
    }

    /// The variables of the frame as a dict: the module's or class's own, or a copy for a function.
    fn namespace(&self, vm: &Vm, l: &[Value]) -> Value {
        if self.in_namespace {
            return l[0].clone();
        }
        if self.is_module {
            return Value::from(self.globals.get());
        }
        let dict = vm.heap.dict();
        for (name, slot, is_cell) in &self.locals {
            let mut value = l[*slot as usize].clone();
            if *is_cell && let Some(variable) = value.downcast::<Variable>() {
                value = variable.get();
            }
            if !value.is_undef() {
                dict.set_str(name, value);
            }
        }
        Value::from(dict)
    }
}

/// A part of a deep expression: evaluated on a new piece of native stack where the present one runs short.
pub struct Deep(pub Tree);

impl Node for Deep {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        vm.with_stack(|| self.0.eval(vm, l))
    }
}
