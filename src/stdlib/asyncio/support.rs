//! What the pages of asyncio share.

use crate::native::{Row, native_function};
use crate::sched::{self, EventLoop};
use crate::value::{Module, R, Ref, Value, Visitor};
use crate::vm::Vm;
use crate::vm::coroutine::{NativeFrame, Step};
use crate::vm::function::Binding;

/// The body of a coroutine function that never waits.
pub struct Once<const N: usize> {
    pub name: &'static str,
    pub args: [Value; N],
    pub body: fn(&Vm, &[Value; N]) -> R,
}

impl<const N: usize> NativeFrame for Once<N> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn resume(&mut self, vm: &Vm, sent: R) -> R<Step> {
        sent?;
        (self.body)(vm, &self.args).map(Step::Done)
    }

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.values(&self.args);
    }
}

/// The frame of such a coroutine.
pub fn once<const N: usize>(name: &'static str, args: [Value; N], body: fn(&Vm, &[Value; N]) -> R) -> R<Once<N>> {
    Ok(Once { name, args, body })
}

/// Puts functions into a module.
pub fn add_functions(vm: &Vm, module: &Ref<Module>, rows: &[Row]) {
    for row in rows {
        let function = native_function(vm, row, Binding::Function, Value::from(&module.name));
        module.dict.set_str(&vm.intern(row.name), Value::from(function));
    }
}

/// The loop a primitive belongs to: the first one that it waited in.
#[derive(Default)]
pub struct Home(crate::value::Shared<Option<Ref<EventLoop>>>);

impl Home {
    /// The running loop, which must be the one of the primitive.
    pub fn get(&self, vm: &Vm, owner: &dyn Fn() -> Value) -> R<Ref<EventLoop>> {
        let running = sched::running_loop(vm)?;
        match self.0.get() {
            None => self.0.set(Some(running.clone())),
            Some(home) if home.is(&running) => {}
            Some(_) => {
                let shown = vm.repr(&owner())?;
                return Err(vm.runtime_error(format!("{} is bound to a different event loop", shown.as_str())));
            }
        }
        Ok(running)
    }

    /// Reports the reference.
    pub fn trace(&self, visitor: &mut Visitor<'_>) {
        self.0.with(|home| {
            if let Some(home) = home {
                visitor.reference(home);
            }
        });
    }

    /// Takes it out.
    pub fn clear(&self) {
        self.0.set(None);
    }
}

/// Whether the exception on its way is a `CancelledError`.
pub fn is_cancellation(vm: &Vm) -> bool {
    vm.raised_is(&sched::of(vm).classes.cancelled_error)
}

/// `<module.Class object at 0x...` as reprs of primitives begin: without the closing bracket.
pub fn plain_repr(vm: &Vm, value: &Value) -> String {
    let class = vm.class_of(value);
    let module = class.lookup(&vm.n.__module__);
    let module = module.as_str().unwrap_or("builtins");
    let address = value.as_obj().map_or(0, |object| object.address());
    format!("<{module}.{} object at {address:#x}", class.qualname.get().as_str())
}

/// Adds what is in the square brackets of a primitive's repr.
pub fn bracketed(vm: &Vm, value: &Value, mut extra: String, waiters: usize) -> String {
    if waiters > 0 {
        extra.push_str(&format!(", waiters:{waiters}"));
    }
    format!("{} [{extra}]>", plain_repr(vm, value))
}

/// `__iter__` of iterators.
pub fn itself(_vm: &Vm, this: Value) -> Value {
    this
}
