//! Files: `open()`, the objects it makes, and the standard streams (`sys.stdout` and its kin).
//!
//! The host opens files and hands out bytes (`host/file.rs`); buffering is in `buffer.rs`, text in `text.rs`, bytes in `binary.rs`,
//! what both have in common in `common.rs`.
//! Neither reads anything the host does not grant.

mod binary;
mod buffer;
mod common;
mod open;
mod text;

use std::cell::RefCell;

use crate::host::Stream;
use crate::native::Row;
use crate::rows;
use crate::value::{Class, R, Raised, Ref, Shared, Value};
use crate::vm::Vm;

use buffer::{Backend, Buffer};
use text::TextFile;

/// The rows of `open`.
pub(super) const ROWS: [Row; 1] = rows![
    "open", "file, mode='r', buffering=-1, encoding=None, errors=None, newline=None, closefd=True, opener=None"
        => open_file(0 1 2 3 4 5 6 7);
];

use open::open_file;

/// What the file types share in one interpreter.
#[derive(Default)]
struct Files {
    unsupported: Shared<Option<Ref<Class>>>,
    streams: RefCell<[Option<Value>; 3]>,
}

/// Makes the classes.
pub fn install(vm: &Vm) {
    text::install(vm);
    binary::install(vm);
}

/// `io.UnsupportedOperation`, which is both an `OSError` and a `ValueError`.
pub fn unsupported_operation(vm: &Vm) -> R<Ref<Class>> {
    let files = vm.extension(Files::default);
    if let Some(known) = files.unsupported.get() {
        return Ok(known);
    }
    let namespace = vm.heap.dict();
    namespace.set_str(&vm.n.__module__, vm.str_value("io"));
    let bases = [Value::from(&vm.types.os_error), Value::from(&vm.types.value_error)];
    let class = vm.build_class(&Value::from(&vm.types.type_), "UnsupportedOperation", &bases, &Value::from(namespace), &[])?;
    let Some(class) = class.downcast::<Class>() else { return Ok(vm.types.os_error.clone()) };
    files.unsupported.set(Some(class.clone()));
    Ok(class.clone())
}

/// Raises `io.UnsupportedOperation`.
#[cold]
fn unsupported(vm: &Vm, message: &str) -> Raised {
    match unsupported_operation(vm) {
        Ok(class) => vm.raise_class(&class, message),
        Err(raised) => raised,
    }
}

/// The stream of the host that a file object writes to, if it is one of `sys.stdout` and `sys.stderr`: `print` goes there directly.
pub fn stream_of(value: &Value) -> Option<Stream> {
    let file = value.downcast::<TextFile>()?;
    let buffer = file.buffer.try_borrow().ok()?;
    match buffer.backend {
        Backend::Stream(stream) if stream != Stream::In => Some(stream),
        _ => None,
    }
}

/// `sys.stdin`, `sys.stdout` or `sys.stderr` as they are at first.
pub fn standard_stream(vm: &Vm, stream: Stream) -> Value {
    let files = vm.extension(Files::default);
    let known = files.streams.borrow()[stream as usize].clone();
    if let Some(known) = known {
        return known;
    }
    let (name, mode) = match stream {
        Stream::Out => ("<stdout>", "w"),
        Stream::Err => ("<stderr>", "w"),
        Stream::In => ("<stdin>", "r"),
    };
    let buffer = Buffer::new(Backend::Stream(stream), mode == "r", mode == "w");
    let made = Value::from(vm.heap.alloc(TextFile::new(buffer, vm.str_value(name), mode)));
    files.streams.borrow_mut()[stream as usize] = Some(made.clone());
    made
}
