//! What text files and binary files have in common: their methods that only ask or move the buffer. The rows of both stand for them.

use std::cell::RefCell;

use super::buffer::Buffer;
use crate::value::{Payload, R, Raised, Ref, Value};
use crate::vm::Vm;

/// A file object around a buffer.
pub(super) trait File: Payload {
    fn buffer(&self) -> &RefCell<Buffer>;

    /// The next line; nothing at the end.
    fn next(vm: &Vm, file: &Ref<Self>) -> R<Option<Value>>;
}

#[cold]
fn is_closed(vm: &Vm) -> Raised {
    vm.value_error("I/O operation on closed file.")
}

/// Does something with the buffer of an open file; errors of the host become exceptions.
pub(super) fn with<F: File, T>(vm: &Vm, file: &Ref<F>, action: impl FnOnce(&mut Buffer) -> std::io::Result<T>) -> R<T> {
    let result = {
        let Ok(mut buffer) = file.buffer().try_borrow_mut() else { return Err(vm.runtime_error("reentrant call inside a file")) };
        if buffer.is_closed() {
            return Err(is_closed(vm));
        }
        action(&mut buffer)
    };
    result.map_err(|error| vm.io_error(error, None))
}

/// The `size` argument of the reading methods: nothing for everything.
pub(super) fn size(vm: &Vm, size: &Value) -> R<Option<usize>> {
    match size {
        Value::Undef | Value::None => Ok(None),
        size if vm.has_index(size) => Ok(usize::try_from(vm.index_i64(size)?).ok()),
        size => {
            let class = vm.class_of(size).name();
            Err(vm.type_error(format!("argument should be integer or None, not '{}'", class.as_str())))
        }
    }
}

pub(super) fn next_row<F: File>(vm: &Vm, file: &Ref<F>) -> R {
    F::next(vm, file)?.ok_or_else(|| vm.stop_iteration(Value::None))
}

pub(super) fn close<F: File>(vm: &Vm, file: &Ref<F>) -> R<()> {
    if closed(vm, file) { Ok(()) } else { with(vm, file, |buffer| buffer.close(&*vm.host)) }
}

pub(super) fn flush<F: File>(vm: &Vm, file: &Ref<F>) -> R<()> {
    with(vm, file, |buffer| buffer.flush(&*vm.host))
}

pub(super) fn fileno<F: File>(vm: &Vm, file: &Ref<F>) -> R<i64> {
    match with(vm, file, |buffer| Ok(buffer.number()))? {
        Some(number) => Ok(number.into()),
        None => Err(super::unsupported(vm, "fileno")),
    }
}

pub(super) fn isatty<F: File>(vm: &Vm, file: &Ref<F>) -> R<bool> {
    with(vm, file, |buffer| Ok(buffer.is_terminal(&*vm.host)))
}

pub(super) fn readable<F: File>(vm: &Vm, file: &Ref<F>) -> R<bool> {
    with(vm, file, |buffer| Ok(buffer.readable))
}

pub(super) fn writable<F: File>(vm: &Vm, file: &Ref<F>) -> R<bool> {
    with(vm, file, |buffer| Ok(buffer.writable))
}

pub(super) fn seekable<F: File>(vm: &Vm, file: &Ref<F>) -> R<bool> {
    with(vm, file, |buffer| Ok(buffer.is_seekable()))
}

pub(super) fn tell<F: File>(vm: &Vm, file: &Ref<F>) -> R<i64> {
    Ok(with(vm, file, Buffer::tell)? as i64)
}

pub(super) fn truncate<F: File>(vm: &Vm, file: &Ref<F>, size: Option<i64>) -> R<i64> {
    let writable = with(vm, file, |buffer| Ok(buffer.writable))?;
    if !writable {
        return Err(super::unsupported(vm, "truncate"));
    }
    let size = match size {
        Some(size) => size,
        None => tell(vm, file)?,
    };
    let Ok(wanted) = u64::try_from(size) else { return Err(vm.io_error(std::io::Error::from_raw_os_error(22), None)) };
    with(vm, file, |buffer| buffer.truncate(&*vm.host, wanted))?;
    Ok(size)
}

/// `__enter__` and `__iter__`.
pub(super) fn enter<F: File>(vm: &Vm, this: &Value) -> R {
    if let Some(file) = this.downcast::<F>() {
        with(vm, file, |_| Ok(()))?;
    }
    Ok(this.clone())
}

pub(super) fn closed<F: File>(_vm: &Vm, file: &Ref<F>) -> bool {
    file.buffer().try_borrow().is_ok_and(|buffer| buffer.is_closed())
}

/// The functions above for one type, as its rows name them.
macro_rules! methods {
    ($File:ident) => {
        fn next_row(vm: &Vm, file: &Ref<$File>) -> R {
            common::next_row(vm, file)
        }

        fn close(vm: &Vm, file: &Ref<$File>) -> R<()> {
            common::close(vm, file)
        }

        fn flush(vm: &Vm, file: &Ref<$File>) -> R<()> {
            common::flush(vm, file)
        }

        fn fileno(vm: &Vm, file: &Ref<$File>) -> R<i64> {
            common::fileno(vm, file)
        }

        fn isatty(vm: &Vm, file: &Ref<$File>) -> R<bool> {
            common::isatty(vm, file)
        }

        fn readable(vm: &Vm, file: &Ref<$File>) -> R<bool> {
            common::readable(vm, file)
        }

        fn writable(vm: &Vm, file: &Ref<$File>) -> R<bool> {
            common::writable(vm, file)
        }

        fn seekable(vm: &Vm, file: &Ref<$File>) -> R<bool> {
            common::seekable(vm, file)
        }

        fn tell(vm: &Vm, file: &Ref<$File>) -> R<i64> {
            common::tell(vm, file)
        }

        fn closed(vm: &Vm, file: &Ref<$File>) -> bool {
            common::closed(vm, file)
        }

        fn enter(vm: &Vm, this: &Value) -> R {
            common::enter::<$File>(vm, this)
        }
    };
}

pub(super) use methods;
