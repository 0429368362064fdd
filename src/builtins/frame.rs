//! Frame objects (`vm/frame_object.rs`) as scripts see them, and their code.

use crate::native::define_class;
use crate::rows;
use crate::value::{Module, R, Ref, Value};
use crate::vm::Vm;
use crate::vm::frame_object::{FrameCode, FrameObject};

pub fn install(vm: &Vm) {
    let frame = define_class::<FrameObject>(
        vm,
        "builtins",
        "frame",
        &rows![
            get "f_back" => back(0);
            get "f_code" => code(0);
            get "f_lineno" => line(0);
            get "f_globals" => globals(0);
            get "f_builtins" => builtins(0);
            get "f_locals" => locals(0);
            get "f_trace" => none(0);
            "clear" , "" => clear(0);
            "__repr__", "" => repr(0);
        ],
    );
    let code = define_class::<FrameCode>(
        vm,
        "builtins",
        "code",
        &rows![
            get "co_name" => name(0);
            get "co_qualname" => name(0);
            get "co_filename" => filename(0);
            get "co_firstlineno" => first_line(0);
            "__eq__", "other, /" => code_eq(0 1);
            "__hash__", "" => code_hash(0);
        ],
    );
    frame.is_final.set(true);
    code.is_final.set(true);
}

fn back(_vm: &Vm, this: &Ref<FrameObject>) -> Value {
    this.back.get()
}

fn code(vm: &Vm, this: &Ref<FrameObject>) -> Value {
    Value::from(vm.heap.alloc(FrameCode(this.info.clone())))
}

fn line(_vm: &Vm, this: &Ref<FrameObject>) -> i64 {
    this.line.into()
}

fn none(_vm: &Vm, _this: &Ref<FrameObject>) {}

fn clear(_vm: &Vm, _this: &Ref<FrameObject>) {}

/// The namespace of the module that the frame's code was compiled for.
fn globals(vm: &Vm, this: &Ref<FrameObject>) -> Value {
    let module = this.info.module.as_deref().and_then(|name| vm.modules.get_text(name));
    match module.as_ref().and_then(|module| module.payload::<Module>()) {
        Some(module) => Value::from(&module.dict),
        None => Value::from(vm.heap.dict()),
    }
}

fn builtins(vm: &Vm, _this: &Ref<FrameObject>) -> Value {
    Value::from(&vm.builtins)
}

fn locals(vm: &Vm, this: &Ref<FrameObject>) -> R {
    if this.info.name == "<module>" {
        return Ok(globals(vm, this));
    }
    Err(vm.not_implemented_error("frames do not tell the variables of functions"))
}

fn repr(vm: &Vm, this: &Value) -> R<String> {
    let Some(frame) = this.downcast::<FrameObject>() else { return Ok(String::new()) };
    let file = vm.repr(&vm.str_value(frame.info.source.name()))?;
    let address = this.as_obj().map_or(0, |object| object.address());
    Ok(format!("<frame at {address:#x}, file {}, line {}, code {}>", file.as_str(), frame.line, frame.info.name))
}

fn name(vm: &Vm, this: &Ref<FrameCode>) -> Value {
    vm.str_value(&this.0.name)
}

fn filename(vm: &Vm, this: &Ref<FrameCode>) -> Value {
    vm.str_value(this.0.source.name())
}

fn first_line(_vm: &Vm, this: &Ref<FrameCode>) -> i64 {
    this.0.first_line.into()
}

fn code_eq(_vm: &Vm, this: &Ref<FrameCode>, other: &Value) -> bool {
    other.downcast::<FrameCode>().is_some_and(|other| std::rc::Rc::ptr_eq(&this.0, &other.0))
}

fn code_hash(_vm: &Vm, this: &Ref<FrameCode>) -> i64 {
    i64::from(this.0.number)
}
