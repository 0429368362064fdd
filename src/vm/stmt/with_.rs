//! `with` and `async with`: lowered to this node around a block. Entering and leaving an async one are statements that await.

use std::rc::Rc;

use crate::syntax::Span;
use crate::value::{Exception, R, Raised, Value};
use crate::vm::Vm;
use crate::vm::node::{Node, Tree};
use crate::vm::suspend::Begun;
use crate::vm::traceback::CodeInfo;

/// `with manager as target: body`.
pub struct With {
    pub manager: Tree,
    pub is_async: bool,
    /// A hidden slot for what `__enter__` gives, and the statement that assigns it to the target.
    pub entered: u16,
    pub assign: Option<Tree>,
    pub body: Tree,
    /// Hidden slots: the bound `__exit__`, what is awaited, and what happens afterwards.
    pub exit: u16,
    pub awaiting: u16,
    pub saved: u16,
    pub info: Rc<CodeInfo>,
    pub span: Span,
}

const ENTER: u16 = 0;
const BODY: u16 = 1;
const EXIT_SIGNAL: u16 = 2;
const EXIT_EXCEPTION: u16 = 3;

impl Node for With {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        self.exec(vm, l)
    }

    fn exec(&self, vm: &Vm, l: &mut [Value]) -> R {
        let manager = self.manager.eval(vm, l)?;
        let (enter, exit) = self.methods(vm, &manager).map_err(|Raised| vm.at(self.span))?;
        l[self.exit as usize] = exit;
        let entered = vm.call(&enter, &[]).map_err(|Raised| vm.at(self.span))?;
        drop((manager, enter));
        if self.is_async {
            let begun = vm.begin_await(entered);
            return self.entered(vm, l, begun);
        }
        self.run(vm, l, entered)
    }

    fn place(&self, path: &mut dyn Iterator<Item = u16>) -> Option<Span> {
        match path.next()? {
            BODY => self.body.place(path),
            _ => Some(self.span),
        }
    }

    fn resume(&self, vm: &Vm, l: &mut [Value]) -> R {
        match vm.pop_cursor() {
            ENTER => {
                let awaiting = std::mem::take(&mut l[self.awaiting as usize]);
                let sent = vm.take_sent();
                let begun = vm.continue_await(awaiting, sent);
                self.entered(vm, l, begun)
            }
            BODY => {
                let result = self.body.resume(vm, l);
                self.after_body(vm, l, result)
            }
            EXIT_SIGNAL => {
                let awaiting = std::mem::take(&mut l[self.awaiting as usize]);
                let sent = vm.take_sent();
                let begun = vm.continue_await(awaiting, sent);
                let signal = std::mem::take(&mut l[self.saved as usize]);
                self.after_exit_signal(vm, l, signal, begun)
            }
            _ => {
                let awaiting = std::mem::take(&mut l[self.awaiting as usize]);
                let exception = std::mem::take(&mut l[self.saved as usize]);
                let sent = vm.take_sent();
                let before = vm.handled.replace(exception.clone());
                let begun = vm.continue_await(awaiting, sent);
                self.after_exit_exception(vm, l, exception, before, begun)
            }
        }
    }
}

impl With {
    /// The bound methods for entering and leaving.
    fn methods(&self, vm: &Vm, manager: &Value) -> R<(Value, Value)> {
        let (enter, exit) = if self.is_async { (&vm.n.__aenter__, &vm.n.__aexit__) } else { (&vm.n.__enter__, &vm.n.__exit__) };
        let Some(entering) = vm.special(manager, enter)? else { return Err(self.not_a_manager(vm, manager, false)) };
        let Some(leaving) = vm.special(manager, exit)? else { return Err(self.not_a_manager(vm, manager, true)) };
        Ok((entering, leaving))
    }

    #[cold]
    fn not_a_manager(&self, vm: &Vm, manager: &Value, missed_exit: bool) -> Raised {
        let class = vm.class_of(manager);
        let kind = if self.is_async { "asynchronous context manager" } else { "context manager" };
        let missed = match (missed_exit, self.is_async) {
            (false, _) => "",
            (true, false) => " (missed __exit__ method)",
            (true, true) => " (missed __aexit__ method)",
        };
        vm.type_error(format!("'{}' object does not support the {kind} protocol{missed}", class.qualname.get().as_str()))
    }

    fn entered(&self, vm: &Vm, l: &mut [Value], begun: R<Begun>) -> R {
        match begun {
            Ok(Begun::Done(value)) => self.run(vm, l, value),
            Ok(Begun::Pending(awaiting)) => {
                l[self.awaiting as usize] = awaiting;
                vm.keep_place(Ok(Value::Suspend), ENTER)
            }
            Err(Raised) => Err(vm.at(self.span)),
        }
    }

    fn run(&self, vm: &Vm, l: &mut [Value], entered: Value) -> R {
        let assigned = match &self.assign {
            Some(assign) => {
                l[self.entered as usize] = entered;
                assign.exec(vm, l)
            }
            None => Ok(Value::Next),
        };
        let result = match assigned {
            Ok(_) => self.body.exec(vm, l),
            Err(Raised) => Err(Raised),
        };
        self.after_body(vm, l, result)
    }

    fn after_body(&self, vm: &Vm, l: &mut [Value], result: R) -> R {
        match result {
            Ok(Value::Suspend) => vm.keep_place(Ok(Value::Suspend), BODY),
            Ok(signal) => {
                let exit = std::mem::take(&mut l[self.exit as usize]);
                let left = vm.call(&exit, &[Value::None, Value::None, Value::None]);
                let begun = self.maybe_await(vm, left);
                self.after_exit_signal(vm, l, signal, begun)
            }
            Err(Raised) => {
                let Some(exception) = vm.catch_any(&self.info) else { return Err(Raised) };
                let before = vm.handled.replace(exception.clone());
                let exit = std::mem::take(&mut l[self.exit as usize]);
                let class = Value::from(vm.class_of(&exception));
                let traceback = exception.downcast::<Exception>().map_or(Value::None, |e| e.traceback.get());
                let left = vm.call(&exit, &[class, exception.clone(), traceback]);
                let begun = self.maybe_await(vm, left);
                self.after_exit_exception(vm, l, exception, before, begun)
            }
        }
    }

    fn maybe_await(&self, vm: &Vm, left: R) -> R<Begun> {
        match left {
            Ok(value) if self.is_async => vm.begin_await(value),
            Ok(value) => Ok(Begun::Done(value)),
            Err(Raised) => Err(Raised),
        }
    }

    fn after_exit_signal(&self, vm: &Vm, l: &mut [Value], signal: Value, begun: R<Begun>) -> R {
        match begun {
            Ok(Begun::Done(_)) => Ok(signal),
            Ok(Begun::Pending(awaiting)) => {
                l[self.awaiting as usize] = awaiting;
                l[self.saved as usize] = signal;
                vm.keep_place(Ok(Value::Suspend), EXIT_SIGNAL)
            }
            Err(Raised) => Err(vm.at(self.span)),
        }
    }

    fn after_exit_exception(&self, vm: &Vm, l: &mut [Value], exception: Value, before: Value, begun: R<Begun>) -> R {
        let swallowed = match begun {
            Ok(Begun::Done(value)) => vm.truthy(&value),
            Ok(Begun::Pending(awaiting)) => {
                vm.handled.set(before);
                l[self.awaiting as usize] = awaiting;
                l[self.saved as usize] = exception;
                return vm.keep_place(Ok(Value::Suspend), EXIT_EXCEPTION);
            }
            Err(Raised) => Err(Raised),
        };
        vm.handled.set(before);
        match swallowed {
            Ok(true) => Ok(Value::Next),
            Ok(false) => Err(vm.raise(exception)),
            Err(Raised) => Err(vm.at(self.span)),
        }
    }
}
