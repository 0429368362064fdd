//! Binary files: `BufferedReader`, `BufferedWriter` and `BufferedRandom`, three classes of one payload.

use std::cell::RefCell;
use std::io::SeekFrom;
use std::sync::atomic::AtomicU16;

use crate::host::OpenMode;
use crate::native::{define_methods, note_name};
use crate::rows;
use crate::value::{Base, Bytes, Kind, Payload, R, Ref, Value, Visitor, assign_class_index};
use crate::vm::Vm;
use crate::vm::types::bare_class;

use super::buffer::{Buffer, LineEnd};
use super::common::{self, File, size, with};

/// The payload of a binary file.
pub(super) struct BinaryFile {
    buffer: RefCell<Buffer>,
    name: Value,
    mode: &'static str,
}

impl Payload for BinaryFile {
    const KIND: Kind = Kind::Native;
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.value(&self.name);
    }

    fn class_index() -> u16 {
        CLASSES[0].1.load(std::sync::atomic::Ordering::Relaxed)
    }
}

static CLASSES: [(&str, AtomicU16); 3] =
    [("BufferedReader", AtomicU16::new(0)), ("BufferedWriter", AtomicU16::new(0)), ("BufferedRandom", AtomicU16::new(0))];

common::methods!(BinaryFile);

impl File for BinaryFile {
    fn buffer(&self) -> &RefCell<Buffer> {
        &self.buffer
    }

    fn next(vm: &Vm, file: &Ref<BinaryFile>) -> R<Option<Value>> {
        next(vm, file)
    }
}

impl BinaryFile {
    pub fn make(vm: &Vm, buffer: Buffer, name: Value, mode: OpenMode) -> Value {
        let writes = mode.write || mode.append;
        let class = match (mode.read, writes) {
            (true, true) => 2,
            (_, writes) => writes as usize,
        };
        let mode = match (mode.append, mode.create_new, mode.read, writes) {
            (true, _, false, _) => "ab",
            (true, ..) => "ab+",
            (_, true, false, _) => "xb",
            (_, true, ..) => "xb+",
            (_, _, true, true) => "rb+",
            (_, _, true, false) => "rb",
            _ => "wb",
        };
        let file = BinaryFile { buffer: RefCell::new(buffer), name, mode };
        Value::from(vm.heap.alloc_as(file, assign_class_index(&CLASSES[class].1)))
    }
}

/// Makes the classes.
pub(super) fn install(vm: &Vm) {
    for (name, index) in &CLASSES {
        let index = assign_class_index(index);
        let class = bare_class(&vm.heap, vm.names(), name, Base::Payload(index), &[&vm.types.object]);
        class.dict.set_str(&vm.n.__module__, vm.str_value("_io"));
        note_name(vm, &class, "_io");
        class.is_final.set(true);
        define_methods(
            vm,
            &class,
            &rows![
                "close", "" => close(0);
                "fileno", "" => fileno(0);
                "flush", "" => flush(0);
                "isatty", "" => isatty(0);
                "peek", "size=0, /" => peek(0);
                "read", "size=-1, /" => read(0 1);
                "read1", "size=-1, /" => read1(0 1);
                "readable", "" => readable(0);
                "readinto", "buffer, /" => readinto(0 1);
                "readline", "size=-1, /" => readline(0 1);
                "readlines", "hint=-1, /" => readlines(0 1);
                "seek", "target, whence=0, /" => seek(0 1 2);
                "seekable", "" => seekable(0);
                "tell", "" => tell(0);
                "truncate", "pos=None, /" => truncate(0 1);
                "writable", "" => writable(0);
                "write", "buffer, /" => write(0 1);
                "writelines", "lines, /" => writelines(0 1);
                "__enter__", "" => enter(0);
                "__exit__", "*exc_info" => close(0);
                "__iter__", "" => enter(0);
                "__next__", "" => next_row(0);
                "__repr__", "" => repr(0);
                get "closed" => closed(0);
                get "mode" => mode(0);
                get "name" => name_of(0);
            ],
        );
        vm.types.set_at(index, class);
        vm.set_next_hook(index, |vm, file| match file.downcast::<BinaryFile>() {
            Some(file) => next(vm, file),
            None => Ok(None),
        });
    }
}

fn must_read(vm: &Vm, file: &Ref<BinaryFile>, method: &str) -> R<()> {
    let state = file.buffer.try_borrow().map(|buffer| (buffer.readable, buffer.is_closed()));
    match state {
        Ok((false, _)) => Err(super::unsupported(vm, if method == "read1" { method } else { "read" })),
        Ok((true, true)) => {
            let method = if method == "read1" { "read" } else { method };
            Err(vm.value_error(format!("{method} of closed file")))
        }
        _ => Ok(()),
    }
}

fn must_write(vm: &Vm, file: &Ref<BinaryFile>) -> R<()> {
    let state = file.buffer.try_borrow().map(|buffer| (buffer.writable, buffer.is_closed()));
    match state {
        Ok((false, _)) => Err(super::unsupported(vm, "write")),
        Ok((true, true)) => Err(vm.value_error("write to closed file")),
        _ => Ok(()),
    }
}

fn must_be_open(vm: &Vm, file: &Ref<BinaryFile>, method: &str) -> R<()> {
    if closed(vm, file) { Err(vm.value_error(format!("{method} of closed file"))) } else { Ok(()) }
}

fn fill(vm: &Vm, file: &Ref<BinaryFile>) -> R<bool> {
    vm.charge(8)?;
    let before = with(vm, file, |buffer| Ok(buffer.ahead().len()))?;
    vm.check_alloc(before + 2 * 65536)?;
    with(vm, file, |buffer| buffer.fill(&*vm.host))
}

fn take(vm: &Vm, file: &Ref<BinaryFile>, count: usize) -> R<Ref<Bytes>> {
    let taken = with(vm, file, |buffer| Ok(buffer.take(count)))?;
    Ok(vm.heap.bytes_object(taken))
}

fn read(vm: &Vm, file: &Ref<BinaryFile>, count: &Value) -> R<Ref<Bytes>> {
    let count = size(vm, count)?.unwrap_or(usize::MAX);
    must_read(vm, file, "read")?;
    while with(vm, file, |buffer| Ok(buffer.ahead().len()))? < count && fill(vm, file)? {}
    take(vm, file, count)
}

fn read1(vm: &Vm, file: &Ref<BinaryFile>, count: &Value) -> R<Ref<Bytes>> {
    let count = size(vm, count)?.unwrap_or(usize::MAX);
    must_read(vm, file, "read1")?;
    if with(vm, file, |buffer| Ok(buffer.ahead().is_empty()))? {
        fill(vm, file)?;
    }
    take(vm, file, count)
}

fn peek(vm: &Vm, file: &Ref<BinaryFile>) -> R<Ref<Bytes>> {
    must_read(vm, file, "peek")?;
    if with(vm, file, |buffer| Ok(buffer.ahead().is_empty()))? {
        fill(vm, file)?;
    }
    let ahead = with(vm, file, |buffer| Ok(buffer.ahead().to_vec()))?;
    Ok(vm.heap.bytes_object(ahead))
}

fn readinto(vm: &Vm, file: &Ref<BinaryFile>, into: &Value) -> R<usize> {
    let count = vm.room_in(into)?;
    must_read(vm, file, "readinto")?;
    let data = read(vm, file, &vm.heap.int128(count as i128))?;
    vm.fill_buffer(into, data.data());
    Ok(data.data().len())
}

fn take_line(vm: &Vm, file: &Ref<BinaryFile>, most: usize) -> R<Ref<Bytes>> {
    let mut searched = 0;
    loop {
        let (found, here) = with(vm, file, |buffer| Ok((buffer.line(LineEnd::Feed, searched), buffer.ahead().len())))?;
        match found {
            Some(length) => return take(vm, file, length.min(most)),
            None if here >= most => return take(vm, file, most),
            None => searched = here,
        }
        if !fill(vm, file)? {
            return take(vm, file, most);
        }
    }
}

fn readline(vm: &Vm, file: &Ref<BinaryFile>, count: &Value) -> R<Ref<Bytes>> {
    let most = size(vm, count)?.unwrap_or(usize::MAX);
    must_read(vm, file, "readline")?;
    take_line(vm, file, most)
}

fn next(vm: &Vm, file: &Ref<BinaryFile>) -> R<Option<Value>> {
    must_read(vm, file, "readline")?;
    let line = take_line(vm, file, usize::MAX)?;
    Ok((!line.data().is_empty()).then(|| Value::from(line)))
}

fn readlines(vm: &Vm, file: &Ref<BinaryFile>, hint: &Value) -> R {
    let hint = size(vm, hint)?.filter(|hint| *hint > 0);
    let lines = vm.heap.list(Vec::new());
    let mut total = 0;
    while hint.is_none_or(|hint| total < hint) {
        let Some(line) = next(vm, file)? else { break };
        total += line.downcast::<Bytes>().map_or(0, |line| line.data().len());
        vm.list_push(&lines, line)?;
    }
    Ok(Value::from(lines))
}

fn write(vm: &Vm, file: &Ref<BinaryFile>, data: &Value) -> R<usize> {
    let data = match crate::vm::binary::bytes_of(data) {
        Some(bytes) => bytes,
        None => {
            let class = vm.class_of(data).name();
            return Err(vm.type_error(format!("a bytes-like object is required, not '{}'", class.as_str())));
        }
    };
    must_write(vm, file)?;
    if with(vm, file, |buffer| Ok(buffer.is_stream()))? {
        vm.count_output(data.len())?;
    }
    vm.charge((data.len() / 4096) as u64)?;
    with(vm, file, |buffer| buffer.write(&*vm.host, &data))?;
    Ok(data.len())
}

fn writelines(vm: &Vm, file: &Ref<BinaryFile>, lines: &Value) -> R<()> {
    with(vm, file, |_| Ok(()))?;
    vm.for_each(lines, &mut |line| write(vm, file, &line).map(|_| true))
}

fn seek(vm: &Vm, file: &Ref<BinaryFile>, to: i64, whence: Option<i64>) -> R<i64> {
    must_be_open(vm, file, "seek")?;
    let to = match whence.unwrap_or(0) {
        0 => match u64::try_from(to) {
            Ok(to) => SeekFrom::Start(to),
            Err(_) => return Err(vm.io_error(std::io::Error::from_raw_os_error(22), None)),
        },
        1 => SeekFrom::Current(to),
        2 => SeekFrom::End(to),
        other => return Err(vm.value_error(format!("whence value {other} unsupported"))),
    };
    Ok(with(vm, file, |buffer| buffer.seek(&*vm.host, to))? as i64)
}

fn truncate(vm: &Vm, file: &Ref<BinaryFile>, size: Option<i64>) -> R<i64> {
    must_be_open(vm, file, "truncate")?;
    common::truncate(vm, file, size)
}

fn mode(vm: &Vm, file: &Ref<BinaryFile>) -> Value {
    vm.str_value(file.mode)
}

fn name_of(_vm: &Vm, file: &Ref<BinaryFile>) -> Value {
    file.name.clone()
}

fn repr(vm: &Vm, this: &Value) -> R<String> {
    let Some(file) = this.downcast::<BinaryFile>() else { return Ok(String::new()) };
    let (class, name) = (vm.class_of(this).own_name(), vm.repr(&file.name)?);
    Ok(format!("<_io.{} name={}>", class.as_str(), name.as_str()))
}
