//! Statements without blocks: expression statements, `return`, `raise`, `assert`, unpacking, imports, loop control.

use crate::syntax::Span;
use crate::value::{Dict, Exception, Kind, List, Place, R, Raised, Ref, Str, Tuple, Value};
use crate::vm::Vm;
use crate::vm::expr::operand::Operand;
use crate::vm::node::{Node, Tree};
use crate::vm::unowned::Unowned;

/// An expression at the interactive prompt: what `sys.displayhook` shows.
pub struct Show(pub Tree);

impl Node for Show {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        self.exec(vm, l)
    }

    fn exec(&self, vm: &Vm, l: &mut [Value]) -> R {
        let value = self.0.eval(vm, l)?;
        vm.display(&value)?;
        Ok(Value::Next)
    }
}

/// `return value`.
pub struct Return<A> {
    pub value: A,
    pub span: Span,
}

impl<A: Operand> Node for Return<A> {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        self.exec(vm, l)
    }

    fn exec(&self, vm: &Vm, l: &mut [Value]) -> R {
        match self.value.load(vm, l) {
            Ok(value) => Ok(self.value.take(value, l)),
            Err(Raised) => Err(vm.at(self.span)),
        }
    }

    fn knows_its_place(&self) -> bool {
        true
    }
}

/// `pass`, `break`, `continue`: a fixed signal.
pub struct Signal(pub Value);

impl Node for Signal {
    fn eval(&self, _vm: &Vm, _l: &mut [Value]) -> R {
        Ok(Value::None)
    }

    fn exec(&self, _vm: &Vm, _l: &mut [Value]) -> R {
        Ok(self.0.clone())
    }
}

/// `raise`, `raise exception`, `raise exception from cause`.
pub struct Raise {
    pub exception: Option<Tree>,
    pub cause: Option<Tree>,
    pub span: Span,
}

impl Node for Raise {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        self.exec(vm, l)
    }

    fn exec(&self, vm: &Vm, l: &mut [Value]) -> R {
        let Some(exception) = &self.exception else {
            let handled = vm.handled.get();
            if handled.is_none() {
                vm.runtime_error("No active exception to reraise");
                return Err(vm.at(self.span));
            }
            return Err(vm.reraise(handled));
        };
        let exception = exception.eval(vm, l)?;
        let cause = match &self.cause {
            Some(cause) => Some(cause.eval(vm, l)?),
            None => None,
        };
        raise(vm, exception, cause).map_err(|Raised| vm.at(self.span))
    }
}

fn raise(vm: &Vm, exception: Value, cause: Option<Value>) -> R {
    let exception = instance_of(vm, exception, "exceptions must derive from BaseException")?;
    if let (Some(cause), Some(e)) = (cause, exception.downcast::<Exception>()) {
        let cause = match cause {
            Value::None => Value::None,
            cause => instance_of(vm, cause, "exception causes must derive from BaseException")?,
        };
        e.cause.set(cause);
        e.suppress_context.set(true);
    }
    Err(vm.raise_new(exception))
}

/// An exception from what `raise` was given: an instance, or a class that is called.
fn instance_of(vm: &Vm, value: Value, message: &str) -> R {
    if value.kind() == Kind::Exception {
        return Ok(value);
    }
    if let Some(class) = value.downcast::<crate::value::Class>()
        && class.is_subclass(&vm.types.base_exception)
    {
        let made = vm.call(&value, &[])?;
        if made.kind() == Kind::Exception {
            return Ok(made);
        }
        let (asked, given) = (vm.repr(&value)?, vm.repr(&Value::from(vm.class_of(&made)))?);
        return Err(vm.type_error(format!(
            "calling {} should have returned an instance of BaseException, not {}",
            asked.as_str(),
            given.as_str()
        )));
    }
    Err(vm.type_error(message))
}

/// `assert test, message`.
pub struct Assert {
    pub test: Tree,
    pub message: Option<Tree>,
    pub span: Span,
}

impl Node for Assert {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        self.exec(vm, l)
    }

    fn exec(&self, vm: &Vm, l: &mut [Value]) -> R {
        if self.test.cond(vm, l)? {
            return Ok(Value::Next);
        }
        let args = match &self.message {
            Some(message) => vec![message.eval(vm, l)?],
            None => vec![],
        };
        vm.raise_with(&vm.types.assertion_error, args);
        Err(vm.at(self.span))
    }
}

/// `a, *b, c = value`: the items go through hidden slots to the statements that store them.
pub struct Unpack {
    pub value: Tree,
    /// How many targets stand before the starred one (all, if there is none), and after it.
    pub before: usize,
    pub after: Option<usize>,
    /// A hidden slot and the statement that stores what is there; none if the slot is the variable itself.
    pub targets: Box<[(u16, Option<Tree>)]>,
    pub span: Span,
}

impl Node for Unpack {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        self.exec(vm, l)
    }

    fn exec(&self, vm: &Vm, l: &mut [Value]) -> R {
        let value = self.value.eval(vm, l)?;
        if self.after.is_none()
            && let Some(tuple) = value.downcast::<Tuple>()
            && tuple.len() == self.before
        {
            for (item, (slot, _)) in tuple.items().iter().zip(&self.targets) {
                let old = std::mem::replace(&mut l[*slot as usize], item.clone());
                drop(old);
            }
        } else {
            let items = unpack(vm, &value, self.before, self.after).map_err(|Raised| vm.at(self.span))?;
            for (item, (slot, _)) in items.into_iter().zip(&self.targets) {
                let old = std::mem::replace(&mut l[*slot as usize], item);
                drop(old);
            }
        }
        for (_, store) in &self.targets {
            if let Some(store) = store {
                store.exec(vm, l)?;
            }
        }
        Ok(Value::Next)
    }
}

/// The items of an iterable for so many targets before and, with a starred one between, after.
pub fn unpack(vm: &Vm, value: &Value, before: usize, after: Option<usize>) -> R<Vec<Value>> {
    if let Some(after) = after {
        let mut items = match vm.iter(value) {
            Ok(iterator) => vm.collect(&iterator)?,
            Err(Raised) => return Err(not_iterable(vm, value)),
        };
        if items.len() < before + after {
            let (need, got) = (before + after, items.len());
            return Err(vm.value_error(format!("not enough values to unpack (expected at least {need}, got {got})")));
        }
        let tail = items.split_off(items.len() - after);
        let middle = items.split_off(before);
        items.push(Value::from(vm.heap.list(middle)));
        items.extend(tail);
        return Ok(items);
    }
    if let Some(list) = value.downcast::<List>() {
        let items = list.to_vec();
        return check_count(vm, items, before);
    }
    if let Some(tuple) = value.downcast::<Tuple>() {
        return check_count(vm, tuple.items().to_vec(), before);
    }
    let iterator = match vm.iter(value) {
        Ok(iterator) => iterator,
        Err(Raised) => return Err(not_iterable(vm, value)),
    };
    let mut items = Vec::with_capacity(before);
    while let Some(item) = vm.next(&iterator)? {
        if items.len() == before {
            return Err(vm.value_error(format!("too many values to unpack (expected {before})")));
        }
        items.push(item);
    }
    check_count(vm, items, before)
}

fn check_count(vm: &Vm, items: Vec<Value>, expected: usize) -> R<Vec<Value>> {
    let got = items.len();
    if got > expected {
        return Err(vm.value_error(format!("too many values to unpack (expected {expected})")));
    }
    if got < expected {
        return Err(vm.value_error(format!("not enough values to unpack (expected {expected}, got {got})")));
    }
    Ok(items)
}

#[cold]
fn not_iterable(vm: &Vm, value: &Value) -> Raised {
    let class = vm.class_of(value);
    if class.lookup(&vm.n.__iter__).is_undef() && class.lookup(&vm.n.__getitem__).is_undef() {
        drop(vm.take_raised());
        return vm.type_error(format!("cannot unpack non-iterable {} object", class.name().as_str()));
    }
    Raised
}

/// `import a.b.c`, `import a.b.c as d`.
pub struct Import {
    pub module: Ref<Str>,
    /// With `as`, the whole dotted module is the value, else its first part.
    pub whole: bool,
    pub globals: Unowned<Dict>,
    pub span: Span,
    pub place: Place,
}

impl Node for Import {
    fn eval(&self, vm: &Vm, _l: &mut [Value]) -> R {
        vm.heap.here.set(self.place);
        let imported = if self.whole {
            vm.import(self.module.as_str(), Some(self.globals.get()), 0)
        } else {
            vm.import_top(self.module.as_str())
        };
        imported.map_err(|Raised| vm.at(self.span))
    }
}

/// `from module import a as b, c`.
pub struct ImportFrom {
    pub module: Ref<Str>,
    pub level: u32,
    pub globals: Unowned<Dict>,
    /// The names, each with a hidden slot and the statement that stores what is there.
    pub names: Box<[(Ref<Str>, u16, Tree)]>,
    pub span: Span,
    pub place: Place,
}

impl Node for ImportFrom {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        self.exec(vm, l)
    }

    fn exec(&self, vm: &Vm, l: &mut [Value]) -> R {
        vm.heap.here.set(self.place);
        let module = vm.import(self.module.as_str(), Some(self.globals.get()), self.level).map_err(|Raised| vm.at(self.span))?;
        for (name, slot, store) in &self.names {
            let value = vm.import_from(&module, name).map_err(|Raised| vm.at(self.span))?;
            l[*slot as usize] = value;
            store.exec(vm, l)?;
        }
        Ok(Value::Next)
    }
}

/// `from module import *`.
pub struct ImportStar {
    pub module: Ref<Str>,
    pub level: u32,
    pub globals: Unowned<Dict>,
    pub span: Span,
    pub place: Place,
}

impl Node for ImportStar {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        self.exec(vm, l)
    }

    fn exec(&self, vm: &Vm, _l: &mut [Value]) -> R {
        vm.heap.here.set(self.place);
        let globals = self.globals.get();
        let star = || {
            let module = vm.import(self.module.as_str(), Some(globals), self.level)?;
            vm.import_star(&module, globals)
        };
        star().map_err(|Raised| vm.at(self.span))?;
        Ok(Value::Next)
    }
}

/// Something that the language has and this interpreter has not (yet): says so when it is reached.
pub struct Unsupported {
    pub what: &'static str,
}

impl Node for Unsupported {
    fn eval(&self, vm: &Vm, _l: &mut [Value]) -> R {
        Err(vm.not_implemented_error(format!("{} are not supported", self.what)))
    }
}
