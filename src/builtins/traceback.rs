//! Tracebacks as objects: a chain of places.

use crate::native::define_methods;
use crate::rows;
use crate::value::{R, Ref, Value};
use crate::vm::Vm;
use crate::vm::traceback::Traceback;

pub fn install(vm: &Vm) {
    define_methods(
        vm,
        &vm.types.traceback,
        &rows![
            get "tb_next" => next(0), set set_next(0 1);
            get "tb_lineno" => line(0);
            get "tb_lasti" => offset(0);
            get "tb_frame" => frame(0);
        ],
    );
}

fn next(_vm: &Vm, this: &Ref<Traceback>) -> Value {
    this.next.get()
}

fn set_next(vm: &Vm, this: &Ref<Traceback>, value: &Value) -> R<()> {
    match value {
        Value::None => {}
        value => match value.downcast::<Traceback>() {
            None => {
                let given = vm.class_of(value).name();
                return Err(vm.type_error(format!("expected traceback object or None, got '{}'", given.as_str())));
            }
            Some(first) => {
                let mut at = Some(first.clone());
                while let Some(entry) = at {
                    if entry.is(this) {
                        return Err(vm.value_error("traceback loop detected"));
                    }
                    at = entry.next.get().downcast::<Traceback>().cloned();
                }
            }
        },
    }
    this.next.set(value.clone());
    Ok(())
}

fn line(_vm: &Vm, this: &Ref<Traceback>) -> i64 {
    this.line().into()
}

fn offset(_vm: &Vm, this: &Ref<Traceback>) -> i64 {
    this.span.start.into()
}

fn frame(vm: &Vm, this: &Ref<Traceback>) -> Value {
    vm.frame_object(&this.info, this.line(), Value::None)
}
