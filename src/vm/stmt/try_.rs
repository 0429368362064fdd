//! `try`: handlers, `except*`, `finally`. The same nodes serve blocks that suspend and blocks that do not.
//!
//! A `try` with both handlers and `finally` is a `Finally` around an `Except`. While a handler or a `finally` block runs, the
//! exception is the one being handled (`Vm::handled`); when the frame is suspended there, the exception waits in a hidden slot and
//! is put back on resuming.

use std::rc::Rc;

use crate::syntax::Span;
use crate::value::{Exception, Kind, R, Raised, Value};
use crate::vm::Vm;
use crate::vm::node::{Node, Tree};
use crate::vm::traceback::CodeInfo;

/// `except types as name: body`.
pub struct Handler {
    /// What suspends in the classes, computed before them.
    pub before: Option<Tree>,
    pub types: Option<Tree>,
    /// The hidden slot through which the exception is bound to the name, the statement that does so, and the one that unbinds it.
    pub name: Option<(u16, Tree, Tree)>,
    pub body: Tree,
    pub span: Span,
}

/// `try` with `except` clauses.
pub struct Except {
    pub body: Tree,
    pub handlers: Box<[Handler]>,
    pub otherwise: Option<Tree>,
    /// A hidden slot for the exception while the frame is suspended in a handler.
    pub saved: u16,
    pub info: Rc<CodeInfo>,
}

const BODY: u16 = 0;
const ELSE: u16 = 1;
const FIRST_HANDLER: u16 = 2;

/// Where a frame is left in a handler.
#[derive(Clone, Copy)]
enum Part {
    Before,
    Body,
}

/// The position of a part of a handler: two for each.
fn position(index: usize, part: Part) -> u16 {
    FIRST_HANDLER + 2 * index as u16 + matches!(part, Part::Body) as u16
}

/// The part that a position says.
fn part_at(position: u16) -> (usize, Part) {
    let number = position.saturating_sub(FIRST_HANDLER);
    (number as usize / 2, if number.is_multiple_of(2) { Part::Before } else { Part::Body })
}

/// Where in a handler the frame waits.
fn place_in(handlers: &[Handler], position: u16, path: &mut dyn Iterator<Item = u16>) -> Option<Span> {
    let (index, part) = part_at(position);
    let handler = handlers.get(index)?;
    match part {
        Part::Before => handler.before.as_ref()?.place(path),
        Part::Body => handler.body.place(path),
    }
}

impl Node for Except {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        self.exec(vm, l)
    }

    fn exec(&self, vm: &Vm, l: &mut [Value]) -> R {
        let result = self.body.exec(vm, l);
        self.after_body(vm, l, result)
    }

    fn place(&self, path: &mut dyn Iterator<Item = u16>) -> Option<Span> {
        match (path.next()?, &self.otherwise) {
            (BODY, _) => self.body.place(path),
            (ELSE, Some(otherwise)) => otherwise.place(path),
            (phase, _) => place_in(&self.handlers, phase, path),
        }
    }

    fn resume(&self, vm: &Vm, l: &mut [Value]) -> R {
        match vm.pop_cursor() {
            BODY => {
                let result = self.body.resume(vm, l);
                self.after_body(vm, l, result)
            }
            ELSE => match &self.otherwise {
                Some(otherwise) => vm.keep_place(otherwise.resume(vm, l), ELSE),
                None => Ok(Value::Next),
            },
            phase => {
                let exception = std::mem::take(&mut l[self.saved as usize]);
                let before = vm.handled.replace(exception.clone());
                match (part_at(phase), &self.handlers[part_at(phase).0].before) {
                    ((index, Part::Before), Some(tree)) => {
                        let result = tree.resume(vm, l);
                        self.offer(vm, l, exception, before, index, Some(result))
                    }
                    ((index, _), _) => {
                        drop(exception);
                        let result = self.handlers[index].body.resume(vm, l);
                        self.after_handler(vm, l, index, before, result)
                    }
                }
            }
        }
    }
}

impl Except {
    #[inline]
    fn after_body(&self, vm: &Vm, l: &mut [Value], result: R) -> R {
        match result {
            Ok(Value::Next) => match &self.otherwise {
                Some(otherwise) => vm.keep_place(otherwise.exec(vm, l), ELSE),
                None => Ok(Value::Next),
            },
            Ok(Value::Suspend) => vm.keep_place(Ok(Value::Suspend), BODY),
            Ok(signal) => Ok(signal),
            Err(Raised) => self.handle(vm, l),
        }
    }

    #[inline(never)]
    fn handle(&self, vm: &Vm, l: &mut [Value]) -> R {
        let Some(exception) = vm.catch_any(&self.info) else { return Err(Raised) };
        let before = vm.handled.replace(exception.clone());
        self.offer(vm, l, exception, before, 0, None)
    }

    /// Offers the exception being handled to the handlers from `first` on, whose `before` came to `computed` if that is known.
    fn offer(&self, vm: &Vm, l: &mut [Value], exception: Value, before: Value, first: usize, mut computed: Option<R>) -> R {
        for (index, handler) in self.handlers.iter().enumerate().skip(first) {
            let computed = match &handler.before {
                Some(tree) => computed.take().unwrap_or_else(|| tree.exec(vm, l)),
                None => Ok(Value::Next),
            };
            if let Ok(Value::Suspend) = computed {
                vm.handled.set(before);
                l[self.saved as usize] = exception;
                return vm.keep_place(computed, position(index, Part::Before));
            }
            let matches = match &handler.types {
                None => Ok(true),
                Some(types) => {
                    computed.and_then(|_| types.eval(vm, l)).and_then(|types| vm.exception_matches(&exception, &types))
                }
            };
            match matches {
                Ok(true) => {
                    if let Some((slot, bind, _)) = &handler.name {
                        l[*slot as usize] = exception;
                        if let Err(Raised) = bind.exec(vm, l) {
                            vm.handled.set(before);
                            return Err(Raised);
                        }
                    }
                    let result = handler.body.exec(vm, l);
                    return self.after_handler(vm, l, index, before, result);
                }
                Ok(false) => {}
                Err(Raised) => {
                    vm.at(handler.span);
                    vm.handled.set(before);
                    return Err(Raised);
                }
            }
        }
        vm.handled.set(before);
        Err(vm.reraise(exception))
    }

    fn after_handler(&self, vm: &Vm, l: &mut [Value], index: usize, before: Value, result: R) -> R {
        let exception = vm.handled.replace(before);
        if let Ok(Value::Suspend) = result {
            l[self.saved as usize] = exception;
            return vm.keep_place(result, position(index, Part::Body));
        }
        drop(exception);
        if let Some((_, _, unbind)) = &self.handlers[index].name {
            match &result {
                // The exception on its way must survive whatever unbinding drops.
                Err(Raised) => {
                    let raised = vm.raised.take();
                    let _ = unbind.exec(vm, l);
                    vm.raised.set(raised);
                }
                Ok(_) => {
                    unbind.exec(vm, l)?;
                }
            }
        }
        result
    }
}

/// `try` with `finally`.
pub struct Finally {
    pub body: Tree,
    pub finally: Tree,
    /// A hidden slot for what happens after the `finally` block, while the frame is suspended in it.
    pub saved: u16,
    pub info: Rc<CodeInfo>,
}

const AFTER_SIGNAL: u16 = 1;
const AFTER_EXCEPTION: u16 = 2;

impl Node for Finally {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        self.exec(vm, l)
    }

    fn exec(&self, vm: &Vm, l: &mut [Value]) -> R {
        let result = self.body.exec(vm, l);
        self.after_body(vm, l, result)
    }

    fn place(&self, path: &mut dyn Iterator<Item = u16>) -> Option<Span> {
        match path.next()? {
            BODY => self.body.place(path),
            _ => self.finally.place(path),
        }
    }

    fn resume(&self, vm: &Vm, l: &mut [Value]) -> R {
        match vm.pop_cursor() {
            BODY => {
                let result = self.body.resume(vm, l);
                self.after_body(vm, l, result)
            }
            AFTER_SIGNAL => {
                let signal = std::mem::take(&mut l[self.saved as usize]);
                let result = self.finally.resume(vm, l);
                self.after_signal(vm, l, signal, result)
            }
            _ => {
                let exception = std::mem::take(&mut l[self.saved as usize]);
                let before = vm.handled.replace(exception.clone());
                let result = self.finally.resume(vm, l);
                self.after_exception(vm, l, exception, before, result)
            }
        }
    }
}

impl Finally {
    #[inline]
    fn after_body(&self, vm: &Vm, l: &mut [Value], result: R) -> R {
        match result {
            Ok(Value::Suspend) => vm.keep_place(Ok(Value::Suspend), BODY),
            Ok(signal) => {
                let result = self.finally.exec(vm, l);
                self.after_signal(vm, l, signal, result)
            }
            Err(Raised) => {
                let Some(exception) = vm.catch_any(&self.info) else { return Err(Raised) };
                let before = vm.handled.replace(exception.clone());
                let result = self.finally.exec(vm, l);
                self.after_exception(vm, l, exception, before, result)
            }
        }
    }

    fn after_signal(&self, vm: &Vm, l: &mut [Value], signal: Value, result: R) -> R {
        match result {
            Ok(Value::Next) => Ok(signal),
            Ok(Value::Suspend) => {
                l[self.saved as usize] = signal;
                vm.keep_place(Ok(Value::Suspend), AFTER_SIGNAL)
            }
            other => other,
        }
    }

    fn after_exception(&self, vm: &Vm, l: &mut [Value], exception: Value, before: Value, result: R) -> R {
        vm.handled.set(before);
        match result {
            Ok(Value::Next) => Err(vm.reraise(exception)),
            Ok(Value::Suspend) => {
                l[self.saved as usize] = exception;
                vm.keep_place(Ok(Value::Suspend), AFTER_EXCEPTION)
            }
            other => other,
        }
    }
}

impl Vm {
    /// Stops the exception on its way for handlers to look at, with a traceback entry for this frame. `None` if no handler may: a
    /// limit was crossed.
    #[inline(never)]
    pub(crate) fn catch_any(&self, info: &Rc<CodeInfo>) -> Option<Value> {
        let uncatchable = self
            .raised
            .with(|raised| raised.as_ref().and_then(|value| value.downcast::<Exception>()).is_none_or(|e| e.uncatchable.get()));
        if uncatchable {
            return None;
        }
        let _ = self.add_traceback(info);
        Some(self.take_raised())
    }

    /// Whether an exception is of one of these classes: a class, or a tuple of them.
    pub fn exception_matches(&self, exception: &Value, types: &Value) -> R<bool> {
        if let Some(tuple) = types.as_tuple() {
            let mut found = false;
            for one in tuple {
                found |= self.exception_matches_one(exception, one)?;
            }
            return Ok(found);
        }
        self.exception_matches_one(exception, types)
    }

    fn exception_matches_one(&self, exception: &Value, class: &Value) -> R<bool> {
        match class.downcast::<crate::value::Class>() {
            Some(class) if class.is_subclass(&self.types.base_exception) => {
                Ok(exception.downcast::<Exception>().is_some_and(|e| e.class.with(|of| of.is_subclass(class))))
            }
            _ => Err(self.type_error("catching classes that do not inherit from BaseException is not allowed")),
        }
    }
}

/// `try` with `except*` clauses.
pub struct ExceptStar {
    pub body: Tree,
    pub handlers: Box<[Handler]>,
    pub otherwise: Option<Tree>,
    /// Hidden slots: the part of the group not yet handled, the original exception, the list of exceptions that handlers raised, and the
    /// part being handled.
    pub rest: u16,
    pub original: u16,
    pub raised: u16,
    pub part: u16,
    pub info: Rc<CodeInfo>,
}

impl Node for ExceptStar {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        self.exec(vm, l)
    }

    fn exec(&self, vm: &Vm, l: &mut [Value]) -> R {
        let result = self.body.exec(vm, l);
        self.after_body(vm, l, result)
    }

    fn place(&self, path: &mut dyn Iterator<Item = u16>) -> Option<Span> {
        match (path.next()?, &self.otherwise) {
            (BODY, _) => self.body.place(path),
            (ELSE, Some(otherwise)) => otherwise.place(path),
            (phase, _) => place_in(&self.handlers, phase, path),
        }
    }

    fn resume(&self, vm: &Vm, l: &mut [Value]) -> R {
        match vm.pop_cursor() {
            BODY => {
                let result = self.body.resume(vm, l);
                self.after_body(vm, l, result)
            }
            ELSE => match &self.otherwise {
                Some(otherwise) => vm.keep_place(otherwise.resume(vm, l), ELSE),
                None => Ok(Value::Next),
            },
            phase => match (part_at(phase), &self.handlers[part_at(phase).0].before) {
                ((index, Part::Before), Some(tree)) => {
                    let before = vm.handled.replace(l[self.rest as usize].clone());
                    let result = tree.resume(vm, l);
                    vm.handled.set(before);
                    self.go_on(vm, l, index, Some(result))
                }
                ((index, _), _) => {
                    let before = vm.handled.replace(l[self.part as usize].clone());
                    let result = self.handlers[index].body.resume(vm, l);
                    match self.after_handler(vm, l, index, before, result)? {
                        Value::Next => self.go_on(vm, l, index + 1, None),
                        signal => Ok(signal),
                    }
                }
            },
        }
    }
}

impl ExceptStar {
    fn after_body(&self, vm: &Vm, l: &mut [Value], result: R) -> R {
        match result {
            Ok(Value::Next) => match &self.otherwise {
                Some(otherwise) => vm.keep_place(otherwise.exec(vm, l), ELSE),
                None => Ok(Value::Next),
            },
            Ok(Value::Suspend) => vm.keep_place(Ok(Value::Suspend), BODY),
            Ok(signal) => Ok(signal),
            Err(Raised) => {
                let Some(exception) = vm.catch_any(&self.info) else { return Err(Raised) };
                l[self.original as usize] = exception.clone();
                l[self.rest as usize] = exception;
                l[self.raised as usize] = Value::from(vm.heap.list(Vec::new()));
                self.go_on(vm, l, 0, None)
            }
        }
    }

    /// Offers what is left to the handlers from `first` on, whose `before` came to `computed` if that is known; then raises what
    /// remains.
    fn go_on(&self, vm: &Vm, l: &mut [Value], first: usize, mut computed: Option<R>) -> R {
        for index in first..self.handlers.len() {
            let handler = &self.handlers[index];
            let rest = l[self.rest as usize].clone();
            if rest.is_none() {
                break;
            }
            let Some(types) = &handler.types else { continue };
            let before = vm.handled.replace(rest.clone());
            let computed = match &handler.before {
                Some(tree) => computed.take().unwrap_or_else(|| tree.exec(vm, l)),
                None => Ok(Value::Next),
            };
            if let Ok(Value::Suspend) = computed {
                vm.handled.set(before);
                return vm.keep_place(computed, position(index, Part::Before));
            }
            let split = computed.and_then(|_| types.eval(vm, l)).and_then(|types| self.split(vm, &rest, &types));
            vm.handled.set(before.clone());
            let (part, left) = match split {
                Ok(split) => split,
                Err(Raised) => return Err(vm.at(handler.span)),
            };
            l[self.rest as usize] = left;
            if part.is_none() {
                continue;
            }
            if let Some((slot, bind, _)) = &handler.name {
                l[*slot as usize] = part.clone();
                bind.exec(vm, l)?;
            }
            vm.handled.set(part.clone());
            l[self.part as usize] = part;
            let result = handler.body.exec(vm, l);
            match self.after_handler(vm, l, index, before, result)? {
                Value::Next => {}
                signal => return Ok(signal),
            }
        }
        self.finish(vm, l)
    }

    fn after_handler(&self, vm: &Vm, l: &mut [Value], index: usize, before: Value, result: R) -> R {
        vm.handled.set(before);
        if let Ok(Value::Suspend) = result {
            return vm.keep_place(result, position(index, Part::Body));
        }
        let signal = match result {
            Ok(signal) => signal,
            Err(Raised) => {
                let Some(exception) = vm.catch_any(&self.info) else { return Err(Raised) };
                if let Some(list) = l[self.raised as usize].downcast::<crate::value::List>() {
                    list.push(exception);
                }
                Value::Next
            }
        };
        if let Some((_, _, unbind)) = &self.handlers[index].name {
            unbind.exec(vm, l)?;
        }
        Ok(signal)
    }

    /// The part of `exception` that is of these classes, and the rest; `None` for nothing.
    fn split(&self, vm: &Vm, exception: &Value, types: &Value) -> R<(Value, Value)> {
        let check = |class: &Value| match class.downcast::<crate::value::Class>() {
            Some(class) if class.is_subclass(&vm.types.base_exception_group) => {
                Err(vm.type_error("catching ExceptionGroup with except* is not allowed. Use except instead."))
            }
            Some(class) if class.is_subclass(&vm.types.base_exception) => Ok(()),
            _ => Err(vm.type_error("catching classes that do not inherit from BaseException is not allowed")),
        };
        match types.as_tuple() {
            Some(classes) => classes.iter().try_for_each(check)?,
            None => check(types)?,
        }
        if !vm.is_instance(exception, &vm.types.base_exception_group) {
            if vm.exception_matches(exception, types)? {
                let message = vm.str_value("");
                let members = Value::from(vm.heap.tuple([exception.clone()]));
                let group = vm.new_exception_group(&message, &members)?;
                if let (Some(group), Some(e)) = (group.downcast::<Exception>(), exception.downcast::<Exception>()) {
                    group.traceback.set(e.traceback.get());
                }
                return Ok((group, Value::None));
            }
            return Ok((Value::None, exception.clone()));
        }
        let pair = vm.call_method(exception, &vm.n.split, std::slice::from_ref(types))?;
        match pair.as_tuple() {
            Some([part, rest]) => Ok((part.clone(), rest.clone())),
            _ => Err(vm.type_error("split must return a 2-tuple")),
        }
    }

    /// Raises what no handler took together with what handlers raised.
    fn finish(&self, vm: &Vm, l: &mut [Value]) -> R {
        let rest = std::mem::take(&mut l[self.rest as usize]);
        let original = std::mem::take(&mut l[self.original as usize]);
        let raised = std::mem::take(&mut l[self.raised as usize]);
        drop(std::mem::take(&mut l[self.part as usize]));
        let raised = raised.downcast::<crate::value::List>().map(|list| list.to_vec()).unwrap_or_default();
        if raised.is_empty() {
            return if rest.is_none() { Ok(Value::Next) } else { Err(vm.reraise(rest)) };
        }
        // Exceptions that handlers raised again are parts of the original and rejoin it; new ones stand beside it.
        let (again, new): (Vec<Value>, Vec<Value>) = raised.into_iter().partition(|one| is_part_of(one, &original));
        let mut parts = again;
        if !rest.is_none() {
            parts.push(rest);
        }
        let mut members = new;
        if !parts.is_empty() {
            members.push(vm.rejoin_group(&original, &parts)?);
        }
        if let [only] = members.as_slice() {
            return Err(vm.reraise(only.clone()));
        }
        let message = vm.str_value("");
        let members = Value::from(vm.heap.list(members));
        let group = vm.new_exception_group(&message, &members)?;
        Err(vm.reraise(group))
    }
}

/// Whether a group was split off `original` (they share the traceback that `split` copies).
fn is_part_of(one: &Value, original: &Value) -> bool {
    if one.kind() != Kind::Exception {
        return false;
    }
    match (one.downcast::<Exception>(), original.downcast::<Exception>()) {
        (Some(one_e), Some(original_e)) => one.is(original) || (same_metadata(one_e, original_e)),
        _ => false,
    }
}

fn same_metadata(one: &Exception, original: &Exception) -> bool {
    let context = one.context.get().is(&original.context.get()) && one.cause.get().is(&original.cause.get());
    let last = |e: &Exception| crate::vm::traceback::entries(&e.traceback.get()).pop().map(|entry| entry.address());
    context && last(one).is_some() && last(one) == last(original)
}
