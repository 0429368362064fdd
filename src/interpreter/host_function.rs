//! Functions of the host program: Rust closures that scripts call, with their parameters written in script syntax.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use super::data::{Data, FromData, IntoData, Mismatch};
use super::parameters::Parameters;
use crate::error::{HostError, raise_host_error};
use crate::value::{R, Raised, Ref, Shared, Value};
use crate::vm::Vm;
use crate::vm::function::{Binding, NativeCode, NativeFunction};
use crate::vm::signature::Signature;

/// A closure that scripts can call: [`Interpreter::register`](crate::Interpreter::register).
///
/// It has up to eight parameters of types that are [`FromData`], owned (`String`, not `&str`), and returns what is [`IntoData`], or a
/// `Result` of it whose error is any `Error + Send + Sync`, or text. It is `Fn + Send + 'static`: what it changes stands in a `Mutex`, an
/// atomic or a channel that it owns a share of.
#[diagnostic::on_unimplemented(
    message = "this cannot be registered as a function for scripts",
    note = "wanted is an `Fn` closure (not `FnMut`) that is `Send + 'static`, with up to eight owned parameters that are `FromData` \
            (`String`, not `&str`), which returns what is `IntoData`, or `Result<_, E>` where `E: Into<HostError>`"
)]
pub trait HostFunction<Parameters>: Send + 'static {
    #[doc(hidden)]
    const SHAPE: Shape;

    #[doc(hidden)]
    fn call(&self, arguments: Arguments) -> Result<Data, Failure>;
}

/// A closure like [`HostFunction`] that returns a future of the result: [`Interpreter::register_async`].
///
/// The future is `Send + 'static`, so it owns what it uses. It is polled by whatever polls the script: futures that need the context of
/// an executor, such as tokio's timers, work if the script runs there.
///
/// [`Interpreter::register_async`]: crate::Interpreter::register_async
#[diagnostic::on_unimplemented(
    message = "this cannot be registered as an async function for scripts",
    note = "wanted is an `Fn` closure (not `FnMut`) that is `Send + 'static`, with up to eight owned parameters that are `FromData`, \
            which returns a future, `Send + 'static`, of what is `IntoData`, or of `Result<_, E>` where `E: Into<HostError>`: \
            `|key: String| async move {{ ... }}`"
)]
pub trait AsyncHostFunction<Parameters>: Send + 'static {
    #[doc(hidden)]
    const SHAPE: Shape;

    #[doc(hidden)]
    fn call(&self, arguments: Arguments) -> Result<HostFuture, Failure>;
}

/// What is known of a closure before it is called.
#[doc(hidden)]
pub struct Shape {
    /// How many parameters it has.
    pub count: usize,
    /// Whether its parameters can be these defaults; else the number of the first that cannot.
    pub check: fn(&[Option<Data>]) -> Result<(), (usize, Mismatch)>,
}

/// What a function of the host may return: anything that is [`IntoData`], or a `Result` of it.
#[diagnostic::on_unimplemented(
    message = "a function for scripts cannot return `{Self}`",
    note = "it returns what is `IntoData`, or `Result<_, E>` where `E: Into<HostError>`"
)]
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
#[doc(hidden)]
pub struct HostFuture(Option<Pin<Box<dyn Future<Output = Result<Data, HostError>> + Send>>>);

impl HostFuture {
    fn new(future: impl Future<Output = Result<Data, HostError>> + Send + 'static) -> HostFuture {
        HostFuture(Some(Box::pin(future)))
    }
}

impl Future for HostFuture {
    type Output = Result<Data, HostError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Some(future) => future.as_mut().poll(cx),
            None => Poll::Pending,
        }
    }
}

impl Drop for HostFuture {
    /// A panic of the host's code, which the panic hook has told of, stops here.
    fn drop(&mut self) {
        let future = self.0.take();
        drop(catch_unwind(AssertUnwindSafe(|| drop(future))));
    }
}

/// The arguments of one call.
#[doc(hidden)]
pub struct Arguments {
    values: std::vec::IntoIter<Data>,
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
        // There are as many as parameters: it was checked when the function was registered.
        T::from_data(self.values.next().unwrap_or_default()).map_err(|mismatch| Failure::Argument(index, mismatch))
    }
}

/// Whether the default of a parameter, if it has one, is of its type.
fn check_default<T: FromData>(index: usize, defaults: &[Option<Data>]) -> Result<(), (usize, Mismatch)> {
    match defaults.get(index) {
        Some(Some(default)) => T::from_data(default.clone()).map(drop).map_err(|mismatch| (index, mismatch)),
        _ => Ok(()),
    }
}

macro_rules! functions {
    ($(($($name:ident $index:tt)*))*) => {
        $(
            impl<Closure, Out, $($name: FromData),*> HostFunction<($($name,)*)> for Closure
            where
                Closure: Fn($($name),*) -> Out + Send + 'static,
                Out: Outcome,
            {
                const SHAPE: Shape = Shape {
                    count: const { 0 $(+ { let _ = stringify!($name); 1 })* },
                    check: |defaults| {
                        let _ = defaults;
                        $(check_default::<$name>($index, defaults)?;)*
                        Ok(())
                    },
                };

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
                const SHAPE: Shape = Shape {
                    count: const { 0 $(+ { let _ = stringify!($name); 1 })* },
                    check: |defaults| {
                        let _ = defaults;
                        $(check_default::<$name>($index, defaults)?;)*
                        Ok(())
                    },
                };

                #[allow(unused_mut, unused_variables, non_snake_case, reason = "for any number of parameters")]
                fn call(&self, mut arguments: Arguments) -> Result<HostFuture, Failure> {
                    $(let $name = arguments.next::<$name>()?;)*
                    let pending = self($($name),*);
                    Ok(HostFuture::new(async move { pending.await.into_outcome() }))
                }
            }
        )*
    };
}

functions! {
    ()
    (A 0)
    (A 0 B 1)
    (A 0 B 1 C 2)
    (A 0 B 1 C 2 D 3)
    (A 0 B 1 C 2 D 3 E 4)
    (A 0 B 1 C 2 D 3 E 4 F 5)
    (A 0 B 1 C 2 D 3 E 4 F 5 G 6)
    (A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7)
}

/// The function object for a closure. `path` is its name, with its module's before it.
pub(super) fn function<P>(vm: &Vm, path: &str, parameters: Parameters, closure: impl HostFunction<P>) -> Ref<NativeFunction> {
    let (shown, defaults) = (Shown::new(path, &parameters), parameters.defaults);
    let code = NativeCode::Closure(Box::new(move |vm, values| {
        let arguments = copy_out(vm, values, &defaults)?;
        match guarded(|| closure.call(arguments)) {
            Ok(data) => data.into_value(vm),
            Err(failure) => Err(raise(vm, &shown, failure)),
        }
    }));
    native(vm, path, parameters.text, parameters.signature, code)
}

/// The coroutine function object for a closure.
pub(super) fn async_function<P>(
    vm: &Vm,
    path: &str,
    parameters: Parameters,
    closure: impl AsyncHostFunction<P>,
) -> Ref<NativeFunction> {
    let (shown, defaults) = (Shown::new(path, &parameters), parameters.defaults);
    let code = NativeCode::AsyncClosure(Box::new(move |vm, values| {
        let arguments = copy_out(vm, values, &defaults)?;
        match guarded(|| closure.call(arguments)) {
            Ok(pending) => Ok(super::pending::frame(vm, &shown.function, pending)),
            Err(failure) => Err(raise(vm, &shown, failure)),
        }
    }));
    native(vm, path, parameters.text, parameters.signature, code)
}

/// The names that messages use.
struct Shown {
    function: String,
    parameters: Vec<Box<str>>,
}

impl Shown {
    fn new(path: &str, parameters: &Parameters) -> Shown {
        let parameters = parameters.signature.parameters.iter().map(|parameter| parameter.name.clone()).collect();
        Shown { function: super::split(path).1.to_owned(), parameters }
    }
}

fn native(vm: &Vm, path: &str, text: String, signature: Signature, code: NativeCode) -> Ref<NativeFunction> {
    let (module, name) = super::split(path);
    vm.heap.alloc(NativeFunction {
        name: vm.intern(name),
        signature_text: Cow::Owned(text),
        signature: OnceCell::from(Box::new(signature)),
        arity: Default::default(),
        code,
        binding: Binding::Function,
        owner: Shared::new(module.map_or(Value::None, |module| vm.str_value(module))),
    })
}

/// Copies of the arguments; those that were not given are the defaults.
fn copy_out(vm: &Vm, values: &[Value], defaults: &[Option<Data>]) -> R<Arguments> {
    let copy = |(value, default): (&Value, &Option<Data>)| match value.is_undef() {
        true => Ok(default.clone().unwrap_or_default()),
        false => Data::of(vm, value),
    };
    let values: Vec<_> = values.iter().zip(defaults).map(copy).collect::<R<_>>()?;
    Ok(Arguments { values: values.into_iter(), taken: 0 })
}

/// A panic of the host's code stops here: the interpreter's frames are not unwound through, so that it stays usable.
fn guarded<T>(call: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or(Err(Failure::Panic))
}

fn raise(vm: &Vm, shown: &Shown, failure: Failure) -> Raised {
    let name = &shown.function;
    match failure {
        Failure::Argument(index, mismatch) => {
            let parameter = shown.parameters.get(index).map_or("", |name| name);
            vm.type_error(format!("{name}() argument '{parameter}': {mismatch}"))
        }
        Failure::Host(error) => raise_host_error(vm, error),
        Failure::Panic => vm.runtime_error(format!("the host's function {name}() panicked")),
    }
}
