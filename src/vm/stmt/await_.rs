//! The statements that suspend: `await`, `yield`, `yield from`, the step of an `async for`. Each leaves its value in a hidden slot.

use std::rc::Rc;

use smallvec::SmallVec;

use crate::syntax::Span;
use crate::value::{Kind, Place, R, Raised, Ref, Str, Value};
use crate::vm::Vm;
use crate::vm::async_generator::StepAction;
use crate::vm::code::CodeKind;
use crate::vm::coroutine::{AsyncGenerator, Generator};
use crate::vm::expr::operand::Operand;
use crate::vm::function::{Args, Function, NativeCode, NativeFunction};
use crate::vm::node::{Node, Tree};
use crate::vm::signature::FEW;
use crate::vm::suspend::Begun;
use crate::vm::traceback::CodeInfo;

/// `slot = await value`. While it waits, the slot holds what `Vm::continue_await` needs.
pub struct Await {
    pub value: Tree,
    pub slot: u16,
    /// Whether anyone looks at the value; else the slot is empty again in the end.
    pub keeps: bool,
    pub span: Span,
    pub place: Place,
}

impl Node for Await {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        self.exec(vm, l)
    }

    fn exec(&self, vm: &Vm, l: &mut [Value]) -> R {
        let value = self.value.eval(vm, l)?;
        vm.heap.here.set(self.place);
        settle(vm, l, self.slot, self.keeps, self.span, vm.begin_await(value))
    }

    fn place(&self, _path: &mut dyn Iterator<Item = u16>) -> Option<Span> {
        Some(self.span)
    }

    fn resume(&self, vm: &Vm, l: &mut [Value]) -> R {
        go_on(vm, l, self.slot, self.keeps, self.span)
    }
}

/// Notes what an await came to.
#[inline]
fn settle(vm: &Vm, l: &mut [Value], slot: u16, keeps: bool, span: Span, begun: R<Begun>) -> R {
    match begun {
        Ok(Begun::Done(value)) => {
            if keeps {
                l[slot as usize] = value;
            }
            Ok(Value::Next)
        }
        Ok(Begun::Pending(awaiting)) => {
            l[slot as usize] = awaiting;
            Ok(Value::Suspend)
        }
        Err(Raised) => Err(vm.at(span)),
    }
}

fn go_on(vm: &Vm, l: &mut [Value], slot: u16, keeps: bool, span: Span) -> R {
    let awaiting = std::mem::take(&mut l[slot as usize]);
    let sent = vm.take_sent();
    settle(vm, l, slot, keeps, span, vm.continue_await(awaiting, sent).map_err(|Raised| arrives(vm)))
}

/// An exception comes in from outside: its context is what the frame itself is handling.
#[cold]
pub(super) fn arrives(vm: &Vm) -> Raised {
    let outside = vm.suspension.handled_outside.take();
    if !vm.handled.get().is(&outside)
        && let Some(exception) = vm.raised.get()
    {
        vm.set_context(&exception);
    }
    Raised
}

/// `slot = await callee(a, b)`: a coroutine function runs at once, without a coroutine object or a frame unless it suspends.
pub struct AwaitCall {
    pub callee: AwaitedCallee,
    pub args: Box<[Tree]>,
    pub slot: u16,
    /// As in `Await`.
    pub keeps: bool,
    pub span: Span,
    pub call_span: Span,
    pub place: Place,
}

/// What is called.
pub enum AwaitedCallee {
    Value(Tree),
    Method { object: Tree, name: Ref<Str>, span: Span },
}

impl Node for AwaitCall {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        self.exec(vm, l)
    }

    fn exec(&self, vm: &Vm, l: &mut [Value]) -> R {
        let (callee, this) = match &self.callee {
            AwaitedCallee::Value(tree) => (tree.eval(vm, l)?, Value::Undef),
            AwaitedCallee::Method { object, name, span } => {
                let object = object.eval(vm, l)?;
                vm.method_parts(&object, name).map_err(|Raised| vm.at(*span))?
            }
        };
        if let Some(function) = callee.downcast::<Function>()
            && function.code.kind == CodeKind::Coroutine
            && function.code.has_simple_parameters
            && function.code.parameters.positional == self.args.len() + usize::from(!this.is_undef())
        {
            let function = function.clone();
            let begun = match function.code.slots {
                0..=4 => begin::<4>(vm, l, &function, this, self),
                5..=8 => begin::<8>(vm, l, &function, this, self),
                9..=16 => begin::<16>(vm, l, &function, this, self),
                _ => begin_large(vm, l, &function, this, self),
            };
            return settle(vm, l, self.slot, self.keeps, self.span, begun);
        }
        if let Some(function) = callee.downcast::<NativeFunction>()
            && let NativeCode::Async(entry) = &function.code
            && let Some(count) = function.padded_count(self.args.len() + usize::from(!this.is_undef()))
        {
            let mut flat = [const { Value::Undef }; FEW];
            let first = usize::from(!this.is_undef());
            flat[0] = this;
            for (slot, arg) in flat[first..].iter_mut().zip(&self.args) {
                *slot = arg.eval(vm, l)?;
            }
            vm.heap.here.set(self.place);
            return settle(vm, l, self.slot, self.keeps, self.span, (entry.begin)(vm, &flat[..count]));
        }
        let mut args: SmallVec<[Value; 6]> = SmallVec::new();
        if !this.is_undef() {
            args.push(this);
        }
        for arg in &self.args {
            args.push(arg.eval(vm, l)?);
        }
        vm.heap.here.set(self.place);
        if let Some(function) = callee.downcast::<NativeFunction>()
            && matches!(function.code, NativeCode::Async(_) | NativeCode::AsyncClosure(_))
        {
            let begun = vm.begin_native_call(function, Args::positional(&args));
            return settle(vm, l, self.slot, self.keeps, self.span, begun);
        }
        let value = vm.call(&callee, &args).map_err(|Raised| vm.at(self.call_span))?;
        settle(vm, l, self.slot, self.keeps, self.span, vm.begin_await(value))
    }

    fn place(&self, _path: &mut dyn Iterator<Item = u16>) -> Option<Span> {
        Some(self.span)
    }

    fn resume(&self, vm: &Vm, l: &mut [Value]) -> R {
        go_on(vm, l, self.slot, self.keeps, self.span)
    }
}

#[inline(never)]
fn begin<const N: usize>(vm: &Vm, l: &mut [Value], function: &Ref<Function>, this: Value, site: &AwaitCall) -> R<Begun> {
    let mut slots = [const { Value::Undef }; N];
    fill(vm, l, function, this, &site.args, &mut slots)?;
    vm.heap.here.set(site.place);
    vm.begin_body(&function.code, &mut slots)
}

#[inline(never)]
fn begin_large(vm: &Vm, l: &mut [Value], function: &Ref<Function>, this: Value, site: &AwaitCall) -> R<Begun> {
    let mut slots = vec![Value::Undef; function.code.slots];
    fill(vm, l, function, this, &site.args, &mut slots)?;
    vm.heap.here.set(site.place);
    vm.begin_body(&function.code, &mut slots)
}

#[inline]
fn fill(vm: &Vm, l: &mut [Value], function: &Ref<Function>, this: Value, args: &[Tree], slots: &mut [Value]) -> R<()> {
    let mut at = 0;
    if !this.is_undef() {
        slots[0] = this;
        at = 1;
    }
    for arg in args {
        slots[at] = arg.eval(vm, l)?;
        at += 1;
    }
    for (slot, variable) in slots[function.code.free_base..].iter_mut().zip(&function.closure) {
        *slot = Value::from(variable);
    }
    Ok(())
}

/// `slot = yield value`. In an async generator the value is marked as an item.
pub struct Yield<A> {
    pub value: A,
    pub slot: u16,
    pub is_async: bool,
    pub span: Span,
}

impl<A: Operand> Node for Yield<A> {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        self.exec(vm, l)
    }

    fn exec(&self, vm: &Vm, l: &mut [Value]) -> R {
        let value = match self.value.load(vm, l) {
            Ok(value) => self.value.take(value, l),
            Err(Raised) => return Err(vm.at(self.span)),
        };
        vm.suspension.yielded.set(value);
        vm.suspension.is_item.set(self.is_async);
        Ok(Value::Suspend)
    }

    fn resume(&self, vm: &Vm, l: &mut [Value]) -> R {
        match vm.take_sent() {
            Ok(sent) => {
                let old = std::mem::replace(&mut l[self.slot as usize], sent);
                drop(old);
                Ok(Value::Next)
            }
            Err(Raised) => {
                arrives(vm);
                Err(vm.at(self.span))
            }
        }
    }

    fn knows_its_place(&self) -> bool {
        true
    }

    fn place(&self, _path: &mut dyn Iterator<Item = u16>) -> Option<Span> {
        Some(self.span)
    }
}

/// `slot = yield from iterable`. While it delegates, the slot holds the iterator; it is empty if the frames of a generator that only
/// this one knows are on top of this one's.
pub struct YieldFrom {
    pub iterable: Tree,
    pub slot: u16,
    pub span: Span,
    pub info: Rc<CodeInfo>,
}

impl Node for YieldFrom {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        self.exec(vm, l)
    }

    fn exec(&self, vm: &Vm, l: &mut [Value]) -> R {
        let iterable = self.iterable.eval(vm, l)?;
        if let Some(begun) = vm.delegate(&iterable) {
            return settle(vm, l, self.slot, true, self.span, begun);
        }
        let iterator = self.iterator(vm, &iterable).map_err(|Raised| vm.at(self.span))?;
        let begun = vm.nested(|| vm.advance(iterator, Ok(Value::None)));
        settle(vm, l, self.slot, true, self.span, begun)
    }

    fn place(&self, _path: &mut dyn Iterator<Item = u16>) -> Option<Span> {
        Some(self.span)
    }

    fn resume(&self, vm: &Vm, l: &mut [Value]) -> R {
        let iterator = std::mem::take(&mut l[self.slot as usize]);
        let sent = vm.take_sent();
        let begun = if iterator.is_undef() { sent.map(Begun::Done) } else { vm.nested(|| vm.advance(iterator, sent)) };
        let begun = begun.map_err(|Raised| arrives(vm));
        settle(vm, l, self.slot, true, self.span, begun)
    }
}

impl YieldFrom {
    /// What is delegated to. Coroutines are only for generators that `types.coroutine` has made awaitable.
    fn iterator(&self, vm: &Vm, iterable: &Value) -> R {
        if iterable.kind() != Kind::Coroutine {
            return vm.iter(iterable);
        }
        match vm.call_special(iterable, &vm.n.__await__, &[])? {
            Some(iterator) if self.info.is_iterable_coroutine.get() => Ok(iterator),
            _ => Err(vm.type_error("cannot 'yield from' a coroutine object in a non-coroutine generator")),
        }
    }
}

/// Whether `types.coroutine` has made a generator awaitable.
pub(in crate::vm) fn is_iterable_coroutine(generator: &Generator) -> bool {
    generator.inner.code().is_some_and(|code| code.info.is_iterable_coroutine.get())
}

/// `slot = await iterator.__anext__()`, the step of an `async for`; `Break` at the end.
pub struct AsyncNext {
    pub iterator: u16,
    pub slot: u16,
    pub span: Span,
}

impl Node for AsyncNext {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        self.exec(vm, l)
    }

    fn exec(&self, vm: &Vm, l: &mut [Value]) -> R {
        let iterator = l[self.iterator as usize].clone();
        let begun = match iterator.downcast::<AsyncGenerator>() {
            Some(generator) => vm.next_of_async_generator(generator),
            None => vm.begin_anext(&iterator),
        };
        self.end(vm, settle(vm, l, self.slot, true, self.span, begun))
    }

    fn place(&self, _path: &mut dyn Iterator<Item = u16>) -> Option<Span> {
        Some(self.span)
    }

    fn resume(&self, vm: &Vm, l: &mut [Value]) -> R {
        self.end(vm, go_on(vm, l, self.slot, true, self.span))
    }
}

impl AsyncNext {
    #[inline]
    fn end(&self, vm: &Vm, result: R) -> R {
        match result {
            Err(Raised) if vm.raised_is(&vm.types.stop_async_iteration) => {
                drop(vm.take_raised());
                vm.forget_span();
                Ok(Value::Break)
            }
            other => other,
        }
    }
}

impl Vm {
    /// `__anext__` of an async generator, without the awaitable between.
    fn next_of_async_generator(&self, generator: &Ref<AsyncGenerator>) -> R<Begun> {
        if generator.busy.get() {
            return Err(self.runtime_error("anext(): asynchronous generator is already running"));
        }
        self.tell_first_iteration(generator)?;
        self.step_async_generator(generator, StepAction::Send(Value::None))
    }

    fn begin_anext(&self, iterator: &Value) -> R<Begun> {
        if let Some((method, this)) = self.special_parts(iterator, &self.n.__anext__)?
            && method.downcast::<Function>().is_some_and(|function| function.code.kind == CodeKind::Coroutine)
        {
            return self.begin_call(&method, &this, &[], |given| {
                self.type_error(format!("object {given} can't be used in 'await' expression"))
            });
        }
        match self.call_special(iterator, &self.n.__anext__, &[])? {
            Some(awaitable) => match self.begin_await(awaitable.clone()) {
                Err(Raised) if self.raised_is(&self.types.type_error) && self.is_not_awaitable(&awaitable) => {
                    let cause = self.take_raised();
                    let class = self.class_of(&awaitable).name();
                    let message = format!("'async for' received an invalid object from __anext__: {}", class.as_str());
                    Err(self.type_error_from(&message, cause))
                }
                other => other,
            },
            None => {
                let class = self.class_of(iterator).name();
                let message = format!("'async for' requires an iterator with __anext__ method, got {}", class.as_str());
                Err(self.type_error(message))
            }
        }
    }

    pub(in crate::vm) fn is_not_awaitable(&self, value: &Value) -> bool {
        !matches!(value.kind(), Kind::Coroutine | Kind::Native)
            && !value.downcast::<Generator>().is_some_and(|generator| is_iterable_coroutine(generator))
            && self.class_of(value).lookup(&self.n.__await__).is_undef()
    }

    fn type_error_from(&self, message: &str, cause: Value) -> Raised {
        let exception = self.exception(&self.types.type_error, vec![self.str_value(message)]);
        if let Some(e) = exception.downcast::<crate::value::Exception>() {
            e.context.set(cause.clone());
            e.cause.set(cause);
            e.suppress_context.set(true);
        }
        self.raise(exception)
    }
}

/// The iterator of an `async for`: `__aiter__()`.
pub struct AsyncIter {
    pub iterable: Tree,
    pub span: Span,
}

impl Node for AsyncIter {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        let iterable = self.iterable.eval(vm, l)?;
        if iterable.kind() == Kind::AsyncGenerator {
            return Ok(iterable);
        }
        let iterator = vm.call_special(&iterable, &vm.n.__aiter__, &[]).map_err(|Raised| vm.at(self.span))?;
        let Some(iterator) = iterator else {
            let class = vm.class_of(&iterable).name();
            vm.type_error(format!("'async for' requires an object with __aiter__ method, got {}", class.as_str()));
            return Err(vm.at(self.span));
        };
        if vm.class_of(&iterator).lookup(&vm.n.__anext__).is_undef() {
            let class = vm.class_of(&iterator).name();
            vm.type_error(format!(
                "'async for' received an object from __aiter__ that does not implement __anext__: {}",
                class.as_str()
            ));
            return Err(vm.at(self.span));
        }
        Ok(iterator)
    }
}
