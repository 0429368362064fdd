//! Functions of the host program: Rust closures that scripts call, with their parameters written in script syntax.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;

use super::data::{Data, FromData, IntoData, Mismatch};
use crate::error::{HostError, raise_host_error};
use crate::value::{R, Raised, Ref, Shared, Value};
use crate::vm::Vm;
use crate::vm::function::{Binding, NativeCode, NativeFunction};

/// A closure that scripts can call: up to six parameters of types that are [`FromData`], and a result that is [`IntoData`], or a
/// `Result` of one.
pub trait HostFunction<Parameters>: Send + 'static {
    #[doc(hidden)]
    fn call(&self, arguments: Arguments) -> Result<Data, Failure>;
}

/// A closure like [`HostFunction`] that returns a future of the result. The future is polled beside the script's event loop, and
/// the script awaits the call like any other coroutine.
pub trait AsyncHostFunction<Parameters>: Send + 'static {
    #[doc(hidden)]
    fn call(&self, arguments: Arguments) -> Result<HostFuture, Failure>;
}

/// What a function of the host may return.
pub trait Outcome {
    #[doc(hidden)]
    fn into_outcome(self) -> Result<Data, HostError>;
}

impl<T: IntoData> Outcome for T {
    fn into_outcome(self) -> Result<Data, HostError> {
        Ok(self.into_data())
    }
}

impl<T: IntoData, E: Into<HostError>> Outcome for Result<T, E> {
    fn into_outcome(self) -> Result<Data, HostError> {
        self.map(T::into_data).map_err(E::into)
    }
}

/// A future of the host, its output converted.
pub type HostFuture = Pin<Box<dyn Future<Output = Result<Data, HostError>> + Send>>;

/// The arguments of one call; `None` for one that was left out.
#[doc(hidden)]
pub struct Arguments {
    values: std::vec::IntoIter<Option<Data>>,
    taken: usize,
}

/// Why a call did not get a result.
#[doc(hidden)]
pub enum Failure {
    Argument(usize, Mismatch),
    Host(HostError),
    Panic,
}

impl Arguments {
    fn next<T: FromData>(&mut self) -> Result<T, Failure> {
        let index = self.taken;
        self.taken += 1;
        let missing = || Mismatch { expected: "a value".to_owned(), found: "nothing".to_owned() };
        match self.values.next().flatten() {
            Some(data) => T::from_data(data).map_err(|mismatch| Failure::Argument(index, mismatch)),
            None => T::absent().ok_or_else(|| Failure::Argument(index, missing())),
        }
    }
}

macro_rules! functions {
    ($(($($name:ident)*))*) => {
        $(
            impl<Closure, Out, $($name: FromData),*> HostFunction<($($name,)*)> for Closure
            where
                Closure: Fn($($name),*) -> Out + Send + 'static,
                Out: Outcome,
            {
                #[allow(unused_mut, unused_variables, non_snake_case, reason = "for any number of parameters")]
                fn call(&self, mut arguments: Arguments) -> Result<Data, Failure> {
                    $(let $name = arguments.next::<$name>()?;)*
                    self($($name),*).into_outcome().map_err(Failure::Host)
                }
            }

            impl<Closure, Pending, $($name: FromData),*> AsyncHostFunction<($($name,)*)> for Closure
            where
                Closure: Fn($($name),*) -> Pending + Send + 'static,
                Pending: Future + Send + 'static,
                Pending::Output: Outcome,
            {
                #[allow(unused_mut, unused_variables, non_snake_case, reason = "for any number of parameters")]
                fn call(&self, mut arguments: Arguments) -> Result<HostFuture, Failure> {
                    $(let $name = arguments.next::<$name>()?;)*
                    let pending = self($($name),*);
                    Ok(Box::pin(async move { pending.await.into_outcome() }))
                }
            }
        )*
    };
}

functions! {
    ()
    (A)
    (A B)
    (A B C)
    (A B C D)
    (A B C D E)
    (A B C D E F)
}

/// The function object for a closure.
pub(super) fn function<P>(vm: &Vm, name: &str, signature: &str, closure: impl HostFunction<P>) -> Ref<NativeFunction> {
    let shown = name.to_owned();
    let code = NativeCode::Closure(Box::new(move |vm, values| {
        let arguments = copy_out(vm, values)?;
        match guarded(|| closure.call(arguments)) {
            Ok(data) => data.into_value(vm),
            Err(failure) => Err(raise(vm, &shown, failure)),
        }
    }));
    native(vm, name, signature, code)
}

/// The coroutine function object for a closure.
pub(super) fn async_function<P>(vm: &Vm, name: &str, signature: &str, closure: impl AsyncHostFunction<P>) -> Ref<NativeFunction> {
    let shown = name.to_owned();
    let code = NativeCode::AsyncClosure(Box::new(move |vm, values| {
        let arguments = copy_out(vm, values)?;
        match guarded(|| closure.call(arguments)) {
            Ok(pending) => Ok(super::pending::frame(vm, pending)),
            Err(failure) => Err(raise(vm, &shown, failure)),
        }
    }));
    native(vm, name, signature, code)
}

fn native(vm: &Vm, name: &str, signature: &str, code: NativeCode) -> Ref<NativeFunction> {
    vm.heap.alloc(NativeFunction {
        name: vm.intern(name),
        signature_text: Cow::Owned(signature.to_owned()),
        signature: OnceCell::new(),
        arity: Default::default(),
        code,
        binding: Binding::Function,
        owner: Shared::new(Value::None),
    })
}

fn copy_out(vm: &Vm, values: &[Value]) -> R<Arguments> {
    let copy = |value: &Value| if value.is_undef() { Ok(None) } else { Data::of(vm, value).map(Some) };
    let values: Vec<_> = values.iter().map(copy).collect::<R<_>>()?;
    Ok(Arguments { values: values.into_iter(), taken: 0 })
}

/// A panic of the host's code stops here: the interpreter's frames are not unwound through, so that it stays usable.
fn guarded<T>(call: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or(Err(Failure::Panic))
}

fn raise(vm: &Vm, name: &str, failure: Failure) -> Raised {
    match failure {
        Failure::Argument(index, mismatch) => vm.type_error(format!("{name}() argument {}: {mismatch}", index + 1)),
        Failure::Host(error) => raise_host_error(vm, error),
        Failure::Panic => vm.runtime_error(format!("the host's function {name}() panicked")),
    }
}
