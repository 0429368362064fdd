//! `open()`: what its arguments mean.

use crate::host::OpenMode;
use crate::value::{Bytes, R, Raised, Value};
use crate::vm::Vm;

use super::binary::BinaryFile;
use super::buffer::{Backend, Buffer};
use super::text::{Encoding, Newline, TextFile};

/// The letters of a mode.
struct Mode {
    open: OpenMode,
    binary: bool,
}

fn parse_mode(vm: &Vm, mode: &str) -> R<Mode> {
    let has = |letter: char| mode.contains(letter);
    let invalid = mode.chars().any(|letter| !"axrwb+t".contains(letter))
        || mode.chars().enumerate().any(|(at, letter)| mode.chars().skip(at + 1).any(|other| other == letter));
    if invalid {
        return Err(vm.value_error(format!("invalid mode: '{mode}'")));
    }
    if has('t') && has('b') {
        return Err(vm.value_error("can't have text and binary mode at once"));
    }
    let plus = has('+');
    let open = match mode.chars().filter(|letter| "axrw".contains(*letter)).collect::<String>().as_str() {
        "r" => OpenMode { read: true, write: plus, ..OpenMode::default() },
        "w" => OpenMode { read: plus, write: true, create: true, truncate: true, ..OpenMode::default() },
        "a" => OpenMode { read: plus, write: false, append: true, create: true, ..OpenMode::default() },
        "x" => OpenMode { read: plus, write: true, create_new: true, ..OpenMode::default() },
        "" => {
            return Err(vm.value_error("Must have exactly one of create/read/write/append mode and at most one plus"));
        }
        _ => return Err(vm.value_error("must have exactly one of create/read/write/append mode")),
    };
    Ok(Mode { open, binary: has('b') })
}

/// A path given as a string, bytes, or an object with `__fspath__`.
fn path_of(vm: &Vm, file: &Value) -> R<String> {
    let text = |value: &Value| -> R<Option<String>> {
        if let Some(text) = value.as_str() {
            return Ok(Some(text.to_owned()));
        }
        match value.payload::<Bytes>() {
            Some(bytes) => match std::str::from_utf8(bytes.data()) {
                Ok(text) => Ok(Some(text.to_owned())),
                Err(_) => Err(vm.value_error("paths that are not UTF-8 are not supported")),
            },
            None => Ok(None),
        }
    };
    let path = match text(file)? {
        Some(path) => path,
        None => {
            let special = vm.call_special(file, &vm.intern("__fspath__"), &[])?;
            match special.as_ref().map(text).transpose()?.flatten() {
                Some(path) => path,
                None => {
                    let class = vm.class_of(file).name();
                    let message = format!("expected str, bytes or os.PathLike object, not {}", class.as_str());
                    return Err(vm.type_error(message));
                }
            }
        }
    };
    if path.contains('\0') {
        return Err(vm.value_error("embedded null byte"));
    }
    Ok(path)
}

/// An argument that is text, or absent.
fn optional_text<'a>(vm: &Vm, name: &str, value: &'a Value) -> R<Option<&'a str>> {
    if value.is_undef() || value.is_none() {
        return Ok(None);
    }
    match value.as_str() {
        Some(text) => Ok(Some(text)),
        None => Err(wrong_text(vm, name, "str or None", value)),
    }
}

#[cold]
fn wrong_text(vm: &Vm, name: &str, expected: &str, value: &Value) -> Raised {
    let class = vm.class_of(value).name();
    vm.type_error(format!("open() argument '{name}' must be {expected}, not {}", class.as_str()))
}

#[allow(clippy::too_many_arguments, reason = "the parameters are those of `open()`")]
pub(super) fn open_file(
    vm: &Vm,
    file: &Value,
    mode: &Value,
    buffering: Option<i64>,
    encoding: &Value,
    errors: &Value,
    newline: &Value,
    close: &Value,
    opener: &Value,
) -> R {
    let mode_text = match mode {
        Value::Undef => "r",
        mode => mode.as_str().ok_or_else(|| wrong_text(vm, "mode", "str", mode))?,
    };
    let encoding = optional_text(vm, "encoding", encoding)?;
    let errors = optional_text(vm, "errors", errors)?;
    let newline = optional_text(vm, "newline", newline)?;
    if matches!(file, Value::Int(_) | Value::Bool(_)) {
        return Err(vm.not_implemented_error("open() of a file descriptor is not supported"));
    }
    let path = path_of(vm, file)?;
    let mode = parse_mode(vm, mode_text)?;
    let given = [(encoding.is_some(), "an encoding"), (errors.is_some(), "an errors"), (newline.is_some(), "a newline")];
    if let Some((_, what)) = given.into_iter().find(|(given, _)| *given && mode.binary) {
        return Err(vm.value_error(format!("binary mode doesn't take {what} argument")));
    }
    if buffering == Some(0) && !mode.binary {
        return Err(vm.value_error("can't have unbuffered text I/O"));
    }
    if !opener.is_undef() && !opener.is_none() {
        return Err(vm.not_implemented_error("open() with an opener is not supported"));
    }
    if !close.is_undef() && !vm.truthy(close)? {
        return Err(vm.value_error("Cannot use closefd=False with file name"));
    }
    let newline = Newline::parse(vm, newline)?;
    let encoding = match (encoding, mode.binary) {
        (Some(name), false) => Encoding::find(vm, name)?,
        _ => Encoding::default(),
    };
    let opened = vm.host.open(&path, mode.open).map_err(|error| vm.io_error(error, Some(&path)))?;
    let mut buffer = Buffer::new(Backend::File(opened), mode.open.read, mode.open.write || mode.open.append);
    if mode.open.append {
        // Positions count from the end, where everything goes.
        buffer.seek(&*vm.host, std::io::SeekFrom::End(0)).map_err(|error| vm.io_error(error, Some(&path)))?;
    }
    buffer.unbuffered = buffering == Some(0) || buffering == Some(1) && !mode.binary;
    if mode.binary {
        return Ok(BinaryFile::make(vm, buffer, file.clone(), mode.open));
    }
    let mut made = TextFile::new(buffer, file.clone(), mode_text);
    made.encoding = encoding;
    made.errors = errors.unwrap_or("strict").into();
    made.newline = newline;
    Ok(Value::from(vm.heap.alloc(made)))
}
