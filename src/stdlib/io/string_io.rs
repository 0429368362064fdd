//! `io.StringIO`: text in memory, read and written by code points.

use std::cell::{Cell, RefCell};

use super::{closed, seek_target, wanted};
use crate::native::{define_class, define_iterator};
use crate::value::{Class, Payload, R, Ref, Str, Value};
use crate::vm::Vm;
use crate::{native_kind, rows};

const CLOSED: &str = "I/O operation on closed file";

/// How line ends are written.
#[derive(Clone, Copy, PartialEq)]
enum Newline {
    /// As they are.
    Keep,
    /// `\r\n` and `\r` become `\n`.
    Universal,
    /// `\n` becomes this.
    To(&'static str),
}

/// The payload of a `StringIO`.
struct StringIo {
    /// `None` when closed.
    text: RefCell<Option<String>>,
    /// Code points in the text, and the place among them.
    len: Cell<usize>,
    at: Cell<usize>,
    newline: Cell<Newline>,
}

impl Payload for StringIo {
    native_kind!();
    const CONTAINER: bool = false;
    const BUFFERS: bool = true;

    fn buffers(&self) -> usize {
        self.text.borrow().as_ref().map_or(0, String::capacity)
    }
}

pub fn class(vm: &Vm) -> Ref<Class> {
    let class = define_class::<StringIo>(
        vm,
        "_io",
        "StringIO",
        &rows![
            static "__new__", "cls, *args, **kwargs" => new(0);
            "__init__", "initial_value='', newline='\\n'" => init(0 1 2);
            "write", "s, /" => write(0 1);
            "writelines", "lines, /" => writelines(0 1);
            "read", "size=-1, /" => read(0 1);
            "readline", "size=-1, /" => readline(0 1);
            "readlines", "hint=-1, /" => readlines(0 1);
            "getvalue", "/" => getvalue(0);
            "seek", "pos, whence=0, /" => seek(0 1 2);
            "tell", "/" => tell(0);
            "truncate", "pos=None, /" => truncate(0 1);
            "close", "/" => close(0);
            "flush", "/" => check_open(0);
            "readable", "/" => is_open(0);
            "writable", "/" => is_open(0);
            "seekable", "/" => is_open(0);
            "isatty", "/" => isatty(0);
            "fileno", "/" => fileno(0);
            get "closed" => is_closed(0);
            get "line_buffering" => line_buffering(0);
            get "newlines" => nothing(0);
            get "encoding" => nothing(0);
            get "errors" => nothing(0);
            "__enter__", "/" => enter(0);
            "__exit__", "*args" => close(0);
        ],
    );
    define_iterator::<StringIo>(vm, &class, next_line);
    class
}

fn new(vm: &Vm, class: &Ref<Class>) -> R {
    let made = StringIo {
        text: RefCell::new(Some(String::new())),
        len: Cell::new(0),
        at: Cell::new(0),
        newline: Cell::new(Newline::Keep),
    };
    vm.wrap_new(class, vm.heap.alloc(made).into())
}

fn init(vm: &Vm, this: &Ref<StringIo>, initial: &Value, newline: &Value) -> R<()> {
    this.newline.set(match newline {
        Value::Undef => Newline::Keep,
        Value::None => Newline::Universal,
        value => match value.as_str() {
            Some("" | "\n") => Newline::Keep,
            Some("\r") => Newline::To("\r"),
            Some("\r\n") => Newline::To("\r\n"),
            Some(_) => return Err(vm.value_error(format!("illegal newline value: {}", vm.repr(value)?.as_str()))),
            None => {
                let name = vm.class_of(value).name();
                return Err(vm.type_error(format!("newline must be str or None, not {}", name.as_str())));
            }
        },
    });
    *this.text.borrow_mut() = Some(String::new());
    this.len.set(0);
    this.at.set(0);
    match initial {
        Value::Undef | Value::None => {}
        value => match value.payload::<Str>() {
            Some(text) => put(vm, this, text.as_str())?,
            None => {
                let name = vm.class_of(value).name();
                return Err(vm.type_error(format!("initial_value must be str or None, not {}", name.as_str())));
            }
        },
    }
    this.at.set(0);
    Ok(())
}

/// The byte offset of a code point.
fn offset(text: &str, len: usize, index: usize) -> usize {
    if len == text.len() {
        return index.min(len);
    }
    text.char_indices().nth(index).map_or(text.len(), |(offset, _)| offset)
}

/// Writes text at the place.
fn put(vm: &Vm, this: &Ref<StringIo>, given: &str) -> R<()> {
    let translated;
    let given = match this.newline.get() {
        Newline::Keep => given,
        Newline::Universal if !given.contains('\r') => given,
        Newline::Universal => {
            translated = given.replace("\r\n", "\n").replace('\r', "\n");
            &translated
        }
        Newline::To(end) => {
            translated = given.replace('\n', end);
            &translated
        }
    };
    let mut guard = this.text.borrow_mut();
    let Some(text) = guard.as_mut() else {
        drop(guard);
        return Err(closed(vm, CLOSED));
    };
    let (at, len) = (this.at.get(), this.len.get());
    let gap = at.saturating_sub(len);
    let count = given.chars().count();
    if given.is_empty() {
        return Ok(());
    }
    if let Err(raised) = vm.check_alloc(text.len().saturating_add(given.len()).saturating_add(gap)) {
        drop(guard);
        return Err(raised);
    }
    let before = text.capacity();
    if at >= len {
        text.extend(std::iter::repeat_n('\0', gap));
        text.push_str(given);
        this.len.set(len + gap + count);
    } else {
        let from = offset(text, len, at);
        let to = offset(text, len, at + count);
        text.replace_range(from..to, given);
        this.len.set(len.max(at + count));
    }
    vm.heap.charge(text.capacity());
    vm.heap.discharge(before);
    this.at.set(at + count);
    Ok(())
}

fn write(vm: &Vm, this: &Ref<StringIo>, given: &Value) -> R<i64> {
    let Some(text) = given.payload::<Str>() else {
        let name = vm.class_of(given).name();
        return Err(vm.type_error(format!("string argument expected, got '{}'", name.as_str())));
    };
    vm.charge(1 + text.byte_len() as u64 / 1024)?;
    put(vm, this, text.as_str())?;
    check_open(vm, this)?;
    Ok(text.len() as i64)
}

fn writelines(vm: &Vm, this: &Ref<StringIo>, lines: &Value) -> R<()> {
    check_open(vm, this)?;
    vm.for_each(lines, &mut |line| write(vm, this, &line).map(|_| true))
}

/// Takes text from the place: what `measure` says of the rest, in bytes.
fn take(vm: &Vm, this: &Ref<StringIo>, measure: impl FnOnce(&str) -> usize) -> R<String> {
    let guard = this.text.borrow();
    let Some(text) = guard.as_deref() else {
        drop(guard);
        return Err(closed(vm, CLOSED));
    };
    let rest = &text[offset(text, this.len.get(), this.at.get())..];
    let taken = rest[..measure(rest)].to_owned();
    this.at.set(this.at.get().max(this.at.get() + taken.chars().count()));
    Ok(taken)
}

/// The bytes of the first `count` code points.
fn bytes_of(rest: &str, count: usize) -> usize {
    if count >= rest.len() {
        return rest.len();
    }
    rest.char_indices().nth(count).map_or(rest.len(), |(offset, _)| offset)
}

fn read(vm: &Vm, this: &Ref<StringIo>, size: Option<i64>) -> R<String> {
    take(vm, this, |rest| bytes_of(rest, wanted(size)))
}

fn line(vm: &Vm, this: &Ref<StringIo>, most: usize) -> R<String> {
    take(vm, this, |rest| {
        let end = rest.find('\n').map_or(rest.len(), |at| at + 1);
        bytes_of(&rest[..end], most)
    })
}

fn readline(vm: &Vm, this: &Ref<StringIo>, size: Option<i64>) -> R<String> {
    line(vm, this, wanted(size))
}

fn readlines(vm: &Vm, this: &Ref<StringIo>, hint: Option<i64>) -> R {
    let most = hint.filter(|&hint| hint > 0).map_or(usize::MAX, |hint| hint as usize);
    let (mut lines, mut taken) = (Vec::new(), 0);
    while taken < most {
        vm.charge(1)?;
        let next = line(vm, this, usize::MAX)?;
        if next.is_empty() {
            break;
        }
        taken += next.chars().count();
        lines.push(Value::from(vm.heap.string(next)));
    }
    Ok(vm.heap.list(lines).into())
}

fn next_line(vm: &Vm, this: &Value) -> R<Option<Value>> {
    let Some(this) = this.payload::<StringIo>() else { return Ok(None) };
    let next = line(vm, this, usize::MAX)?;
    Ok(if next.is_empty() { None } else { Some(vm.heap.string(next).into()) })
}

fn getvalue(vm: &Vm, this: &Ref<StringIo>) -> R {
    let guard = this.text.borrow();
    let Some(text) = guard.as_deref() else {
        drop(guard);
        return Err(closed(vm, CLOSED));
    };
    if !vm.heap.room_for(text.len()) {
        drop(guard);
        return Err(vm.out_of_memory());
    }
    Ok(vm.heap.str(text).into())
}

fn seek(vm: &Vm, this: &Ref<StringIo>, offset: i64, whence: Option<i64>) -> R<i64> {
    check_open(vm, this)?;
    let whence = whence.unwrap_or(0);
    if whence == 0 && offset < 0 {
        return Err(vm.value_error(format!("Negative seek position {offset}")));
    }
    if !(0..=2).contains(&whence) {
        return Err(vm.value_error(format!("Invalid whence ({whence}, should be 0, 1 or 2)")));
    }
    if whence != 0 && offset != 0 {
        return Err(vm.raise_class(&vm.types.os_error, "Can't do nonzero cur-relative seeks"));
    }
    this.at.set(seek_target(vm, offset, whence, this.at.get(), this.len.get())?);
    Ok(this.at.get() as i64)
}

fn tell(vm: &Vm, this: &Ref<StringIo>) -> R<i64> {
    check_open(vm, this)?;
    Ok(this.at.get() as i64)
}

fn truncate(vm: &Vm, this: &Ref<StringIo>, position: Option<i64>) -> R<i64> {
    let position = position.unwrap_or(this.at.get() as i64);
    if position < 0 {
        return Err(vm.value_error(format!("Negative size value {position}")));
    }
    check_open(vm, this)?;
    let len = this.len.get();
    if let Some(text) = this.text.borrow_mut().as_mut()
        && (position as usize) < len
    {
        let end = offset(text, len, position as usize);
        text.truncate(end);
        this.len.set(position as usize);
    }
    Ok(position)
}

fn close(vm: &Vm, this: &Ref<StringIo>) {
    let old = this.text.borrow_mut().take();
    vm.heap.discharge(old.map_or(0, |text| text.capacity()));
}

fn check_open(vm: &Vm, this: &Ref<StringIo>) -> R<()> {
    if this.text.borrow().is_none() { Err(closed(vm, CLOSED)) } else { Ok(()) }
}

fn is_open(vm: &Vm, this: &Ref<StringIo>) -> R<bool> {
    check_open(vm, this)?;
    Ok(true)
}

fn isatty(vm: &Vm, this: &Ref<StringIo>) -> R<bool> {
    check_open(vm, this)?;
    Ok(false)
}

fn fileno(vm: &Vm, _this: &Ref<StringIo>) -> R<i64> {
    let error = crate::builtins::files::unsupported_operation(vm)?;
    Err(vm.raise_class(&error, "fileno"))
}

fn is_closed(_vm: &Vm, this: &Ref<StringIo>) -> bool {
    this.text.borrow().is_none()
}

fn line_buffering(vm: &Vm, this: &Ref<StringIo>) -> R<bool> {
    isatty(vm, this)
}

fn nothing(_vm: &Vm, _this: &Ref<StringIo>) -> Value {
    Value::None
}

fn enter(vm: &Vm, this: &Value) -> R {
    match this.payload::<StringIo>() {
        Some(io) => check_open(vm, io).map(|()| this.clone()),
        None => Err(vm.type_error("a StringIO is required")),
    }
}
