//! `with` and `async with`: lowered to this node around a block. Entering and leaving an async one are statements that await.

use std::rc::Rc;

use super::await_::arrives;
use crate::syntax::Span;
use crate::value::{Exception, Place, R, Raised, Value};
use crate::vm::Vm;
use crate::vm::function::Args;
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
    /// Hidden slots: `__exit__`, its first argument (`Undef` if it is bound), what is awaited, and what happens afterwards.
    pub exit: u16,
    pub leaving: u16,
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
        let ((enter, entering), (exit, leaving)) = self.methods(vm, &manager).map_err(|Raised| vm.at(self.span))?;
        drop(manager);
        l[self.exit as usize] = exit;
        l[self.leaving as usize] = leaving;
        let begun = self.call(vm, "__aenter__", &enter, &entering, &[]);
        drop((enter, entering));
        self.entered(vm, l, begun)
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
                let before = vm.handled.replace(exception.clone());
                let sent = vm.take_sent();
                let begun = vm.continue_await(awaiting, sent).map_err(|Raised| arrives(vm));
                self.after_exit_exception(vm, l, exception, before, begun)
            }
        }
    }
}

impl With {
    /// The methods for entering and leaving, with their first arguments.
    fn methods(&self, vm: &Vm, manager: &Value) -> R<((Value, Value), (Value, Value))> {
        let (enter, exit) = if self.is_async { (&vm.n.__aenter__, &vm.n.__aexit__) } else { (&vm.n.__enter__, &vm.n.__exit__) };
        let Some(entering) = vm.special_parts(manager, enter)? else { return Err(self.not_a_manager(vm, manager, false)) };
        let Some(leaving) = vm.special_parts(manager, exit)? else { return Err(self.not_a_manager(vm, manager, true)) };
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
                let begun = self.leave(vm, l, &[Value::None, Value::None, Value::None]);
                self.after_exit_signal(vm, l, signal, begun)
            }
            Err(Raised) => {
                let Some(exception) = vm.catch_any(&self.info) else { return Err(Raised) };
                let before = vm.handled.replace(exception.clone());
                let class = Value::from(vm.class_of(&exception));
                let traceback = exception.downcast::<Exception>().map_or(Value::None, |e| e.traceback.get());
                let begun = self.leave(vm, l, &[class, exception.clone(), traceback]);
                self.after_exit_exception(vm, l, exception, before, begun)
            }
        }
    }

    fn leave(&self, vm: &Vm, l: &mut [Value], args: &[Value]) -> R<Begun> {
        let exit = std::mem::take(&mut l[self.exit as usize]);
        let leaving = std::mem::take(&mut l[self.leaving as usize]);
        self.call(vm, "__aexit__", &exit, &leaving, args)
    }

    /// Calls a method of the manager; an async one is awaited.
    fn call(&self, vm: &Vm, name: &str, method: &Value, this: &Value, args: &[Value]) -> R<Begun> {
        vm.heap.here.set(Place::new(self.info.number, self.span.start));
        if self.is_async {
            return vm.begin_call(method, this, args, |given| {
                vm.type_error(format!("'async with' received an object from {name} that does not implement __await__: {given}"))
            });
        }
        let given = if this.is_undef() { vm.call(method, args) } else { vm.call_bound(method, this, Args::positional(args)) };
        given.map(Begun::Done)
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
            Ok(false) => Err(vm.reraise(exception)),
            Err(Raised) => Err(vm.at(self.span)),
        }
    }
}
