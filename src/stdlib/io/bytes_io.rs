//! `io.BytesIO`: bytes in memory.

use std::cell::{Cell, RefCell};

use super::{closed, seek_target, wanted};
use crate::native::{define_class, define_iterator};
use crate::value::{Class, Payload, R, Ref, Value};
use crate::vm::{Vm, binary};
use crate::{native_kind, rows};

/// The payload of a `BytesIO`.
struct BytesIo {
    /// `None` when closed.
    data: RefCell<Option<Vec<u8>>>,
    at: Cell<usize>,
}

impl Payload for BytesIo {
    native_kind!();
    const CONTAINER: bool = false;
    const BUFFERS: bool = true;

    fn buffers(&self) -> usize {
        self.data.borrow().as_ref().map_or(0, Vec::capacity)
    }
}

pub fn class(vm: &Vm) -> Ref<Class> {
    let class = define_class::<BytesIo>(
        vm,
        "_io",
        "BytesIO",
        &rows![
            static "__new__", "cls, *args, **kwargs" => new(0);
            "__init__", "initial_bytes=b''" => init(0 1);
            "write", "b, /" => write(0 1);
            "writelines", "lines, /" => writelines(0 1);
            "read", "size=-1, /" => read(0 1);
            "read1", "size=-1, /" => read(0 1);
            "readinto", "buffer, /" => readinto(0 1);
            "readline", "size=-1, /" => readline(0 1);
            "readlines", "size=None, /" => readlines(0 1);
            "getvalue", "/" => getvalue(0);
            "seek", "pos, whence=0, /" => seek(0 1 2);
            "tell", "/" => tell(0);
            "truncate", "size=None, /" => truncate(0 1);
            "close", "/" => close(0);
            "flush", "/" => check_open(0);
            "readable", "/" => is_open(0);
            "writable", "/" => is_open(0);
            "seekable", "/" => is_open(0);
            "isatty", "/" => isatty(0);
            "fileno", "/" => fileno(0);
            get "closed" => is_closed(0);
            "__enter__", "/" => enter(0);
            "__exit__", "*args" => close(0);
        ],
    );
    define_iterator::<BytesIo>(vm, &class, next_line);
    class
}

fn new(vm: &Vm, class: &Ref<Class>) -> R {
    vm.wrap_new(class, vm.heap.alloc(BytesIo { data: RefCell::new(Some(Vec::new())), at: Cell::new(0) }).into())
}

fn bytes_of(vm: &Vm, value: &Value) -> R<Vec<u8>> {
    match binary::bytes_of(value) {
        Some(bytes) => Ok(bytes),
        None => {
            let name = vm.class_of(value).name();
            Err(vm.type_error(format!("a bytes-like object is required, not '{}'", name.as_str())))
        }
    }
}

fn init(vm: &Vm, this: &Ref<BytesIo>, initial: &Value) -> R<()> {
    let data = if matches!(initial, Value::Undef | Value::None) { Vec::new() } else { bytes_of(vm, initial)? };
    vm.heap.charge(data.capacity());
    let old = this.data.borrow_mut().replace(data);
    vm.heap.discharge(old.map_or(0, |data| data.capacity()));
    this.at.set(0);
    Ok(())
}

fn check_open(vm: &Vm, this: &Ref<BytesIo>) -> R<()> {
    if this.data.borrow().is_none() { Err(closed(vm, "I/O operation on closed file.")) } else { Ok(()) }
}

fn write(vm: &Vm, this: &Ref<BytesIo>, given: &Value) -> R<i64> {
    check_open(vm, this)?;
    let given = bytes_of(vm, given)?;
    if given.is_empty() {
        return Ok(0);
    }
    vm.charge(1 + given.len() as u64 / 1024)?;
    let end = this.at.get().saturating_add(given.len());
    vm.check_alloc(end)?;
    let mut grown = (0, 0);
    if let Some(data) = this.data.borrow_mut().as_mut() {
        let before = data.capacity();
        if data.len() < end {
            data.resize(end, 0);
        }
        data[end - given.len()..end].copy_from_slice(&given);
        grown = (before, data.capacity());
    }
    vm.heap.charge(grown.1);
    vm.heap.discharge(grown.0);
    this.at.set(end);
    Ok(given.len() as i64)
}

fn writelines(vm: &Vm, this: &Ref<BytesIo>, lines: &Value) -> R<()> {
    check_open(vm, this)?;
    vm.for_each(lines, &mut |line| write(vm, this, &line).map(|_| true))
}

/// Takes bytes from the place, as many as `measure` says of the rest.
fn take(vm: &Vm, this: &Ref<BytesIo>, measure: impl FnOnce(&[u8]) -> usize) -> R<Vec<u8>> {
    check_open(vm, this)?;
    let taken = match this.data.borrow().as_deref() {
        Some(data) => {
            let rest = &data[this.at.get().min(data.len())..];
            rest[..measure(rest)].to_vec()
        }
        None => Vec::new(),
    };
    this.at.set(this.at.get() + taken.len());
    Ok(taken)
}

fn read(vm: &Vm, this: &Ref<BytesIo>, size: Option<i64>) -> R {
    let taken = take(vm, this, |rest| wanted(size).min(rest.len()))?;
    Ok(vm.heap.bytes_object(taken).into())
}

fn readinto(vm: &Vm, this: &Ref<BytesIo>, buffer: &Value) -> R<i64> {
    let room = vm.room_in(buffer)?;
    let taken = take(vm, this, |rest| room.min(rest.len()))?;
    vm.fill_buffer(buffer, &taken);
    Ok(taken.len() as i64)
}

fn line(vm: &Vm, this: &Ref<BytesIo>, most: usize) -> R<Vec<u8>> {
    take(vm, this, |rest| rest.iter().position(|&byte| byte == b'\n').map_or(rest.len(), |at| at + 1).min(most))
}

fn readline(vm: &Vm, this: &Ref<BytesIo>, size: Option<i64>) -> R {
    Ok(vm.heap.bytes_object(line(vm, this, wanted(size))?).into())
}

fn readlines(vm: &Vm, this: &Ref<BytesIo>, hint: Option<i64>) -> R {
    let most = hint.filter(|&hint| hint > 0).map_or(usize::MAX, |hint| hint as usize);
    let (mut lines, mut taken) = (Vec::new(), 0);
    while taken < most {
        vm.charge(1)?;
        let next = line(vm, this, usize::MAX)?;
        if next.is_empty() {
            break;
        }
        taken += next.len();
        lines.push(Value::from(vm.heap.bytes_object(next)));
    }
    Ok(vm.heap.list(lines).into())
}

fn next_line(vm: &Vm, this: &Value) -> R<Option<Value>> {
    let Some(this) = this.payload::<BytesIo>() else { return Ok(None) };
    let next = line(vm, this, usize::MAX)?;
    Ok(if next.is_empty() { None } else { Some(vm.heap.bytes_object(next).into()) })
}

fn getvalue(vm: &Vm, this: &Ref<BytesIo>) -> R {
    check_open(vm, this)?;
    let len = this.data.borrow().as_ref().map_or(0, Vec::len);
    vm.check_alloc(len)?;
    let data = this.data.borrow().clone().unwrap_or_default();
    Ok(vm.heap.bytes_object(data).into())
}

fn seek(vm: &Vm, this: &Ref<BytesIo>, offset: i64, whence: Option<i64>) -> R<i64> {
    check_open(vm, this)?;
    let len = this.data.borrow().as_ref().map_or(0, Vec::len);
    this.at.set(seek_target(vm, offset, whence.unwrap_or(0), this.at.get(), len)?);
    Ok(this.at.get() as i64)
}

fn tell(vm: &Vm, this: &Ref<BytesIo>) -> R<i64> {
    check_open(vm, this)?;
    Ok(this.at.get() as i64)
}

fn truncate(vm: &Vm, this: &Ref<BytesIo>, size: Option<i64>) -> R<i64> {
    check_open(vm, this)?;
    let size = size.unwrap_or(this.at.get() as i64);
    if size < 0 {
        return Err(vm.value_error(format!("negative size value {size}")));
    }
    if let Some(data) = this.data.borrow_mut().as_mut() {
        data.truncate(size as usize);
    }
    Ok(size)
}

fn close(vm: &Vm, this: &Ref<BytesIo>) {
    let old = this.data.borrow_mut().take();
    vm.heap.discharge(old.map_or(0, |data| data.capacity()));
}

fn is_open(vm: &Vm, this: &Ref<BytesIo>) -> R<bool> {
    check_open(vm, this)?;
    Ok(true)
}

fn isatty(vm: &Vm, this: &Ref<BytesIo>) -> R<bool> {
    check_open(vm, this)?;
    Ok(false)
}

fn fileno(vm: &Vm, _this: &Ref<BytesIo>) -> R<i64> {
    let error = crate::builtins::files::unsupported_operation(vm)?;
    Err(vm.raise_class(&error, "fileno"))
}

fn is_closed(_vm: &Vm, this: &Ref<BytesIo>) -> bool {
    this.data.borrow().is_none()
}

fn enter(vm: &Vm, this: &Value) -> R {
    match this.payload::<BytesIo>() {
        Some(io) => check_open(vm, io).map(|()| this.clone()),
        None => Err(vm.type_error("a BytesIO is required")),
    }
}
