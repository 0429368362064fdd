//! Text files: `TextIOWrapper`.

use std::cell::RefCell;
use std::io::SeekFrom;

use crate::native::define_class;
use crate::rows;
use crate::value::{Payload, R, Ref, Str, Value, Visitor};
use crate::vm::Vm;

use super::buffer::{Backend, Buffer, LineEnd};
use super::common::{self, File, size, with};

/// Bytes read or written for one unit of work.
const PER_UNIT: usize = 4096;

/// How line ends are translated: the `newline` argument.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Newline {
    /// Any line end is read as `\n`.
    Translate,
    /// Lines end at any line end, which stays.
    Keep,
    /// Lines end at this one, which `\n` is written as.
    Is(&'static str),
}

impl Newline {
    pub fn parse(vm: &Vm, text: Option<&str>) -> R<Newline> {
        Ok(match text {
            None => Newline::Translate,
            Some("") => Newline::Keep,
            Some("\n") => Newline::Is("\n"),
            Some("\r") => Newline::Is("\r"),
            Some("\r\n") => Newline::Is("\r\n"),
            Some(other) => return Err(vm.value_error(format!("illegal newline value: {other}"))),
        })
    }

    fn line_end(self) -> LineEnd {
        match self {
            Newline::Translate | Newline::Keep => LineEnd::Any,
            Newline::Is("\r") => LineEnd::Return,
            Newline::Is("\r\n") => LineEnd::Both,
            Newline::Is(_) => LineEnd::Feed,
        }
    }
}

/// An encoding in which line ends are the bytes that ASCII has for them.
#[derive(Clone, Default)]
pub(super) struct Encoding {
    /// As it was given; nothing for the default.
    name: Option<Box<str>>,
    is_utf8: bool,
    /// Whether every byte is a character.
    is_single: bool,
}

impl Encoding {
    pub fn find(vm: &Vm, name: &str) -> R<Encoding> {
        let known = name.to_ascii_lowercase().replace(['_', ' '], "-");
        let (is_utf8, is_single) = match known.as_str() {
            "utf-8" | "utf8" | "u8" | "utf" | "cp65001" => (true, false),
            "utf-8-sig" => (false, false),
            "ascii" | "us-ascii" | "646" | "latin-1" | "latin1" | "iso-8859-1" | "iso8859-1" | "l1" | "8859" | "cp819"
            | "latin" => (false, true),
            other if other.starts_with("utf-16") || other.starts_with("utf-32") || other.starts_with("utf16") => {
                return Err(vm.lookup_error(format!("text files in the encoding {name} are not supported")));
            }
            _ => return Err(vm.lookup_error(format!("unknown encoding: {name}"))),
        };
        Ok(Encoding { name: Some(name.into()), is_utf8, is_single })
    }

    fn name(&self) -> &str {
        self.name.as_deref().unwrap_or("UTF-8")
    }

    fn is_utf8(&self) -> bool {
        self.is_utf8 || self.name.is_none()
    }
}

/// The payload of a text file.
pub(super) struct TextFile {
    pub buffer: RefCell<Buffer>,
    name: Value,
    mode: Box<str>,
    pub encoding: Encoding,
    pub errors: Box<str>,
    pub newline: Newline,
}

impl Payload for TextFile {
    crate::native_kind!();
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.value(&self.name);
    }
}

common::methods!(TextFile);

impl File for TextFile {
    fn buffer(&self) -> &RefCell<Buffer> {
        &self.buffer
    }

    fn next(vm: &Vm, file: &Ref<TextFile>) -> R<Option<Value>> {
        next(vm, file)
    }
}

impl TextFile {
    pub fn new(buffer: Buffer, name: Value, mode: &str) -> TextFile {
        TextFile {
            buffer: RefCell::new(buffer),
            name,
            mode: mode.into(),
            encoding: Encoding::default(),
            errors: "strict".into(),
            newline: Newline::Translate,
        }
    }
}

/// Makes the class.
pub(super) fn install(vm: &Vm) {
    let class = define_class::<TextFile>(
        vm,
        "_io",
        "TextIOWrapper",
        &rows![
            "close", "" => close(0);
            "fileno", "" => fileno(0);
            "flush", "" => flush(0);
            "isatty", "" => isatty(0);
            "read", "size=-1, /" => read(0 1);
            "readable", "" => readable(0);
            "readline", "size=-1, /" => readline(0 1);
            "readlines", "hint=-1, /" => readlines(0 1);
            "reconfigure", "*, encoding=None, errors=None, newline=None, line_buffering=None, write_through=None" => reconfigure(0);
            "seek", "cookie, whence=0, /" => seek(0 1 2);
            "seekable", "" => seekable(0);
            "tell", "" => tell(0);
            "truncate", "pos=None, /" => truncate(0 1);
            "writable", "" => writable(0);
            "write", "text, /" => write(0 1);
            "writelines", "lines, /" => writelines(0 1);
            "__enter__", "" => enter(0);
            "__exit__", "*exc_info" => close(0);
            "__iter__", "" => enter(0);
            "__next__", "" => next_row(0);
            "__repr__", "" => repr(0);
            get "closed" => closed(0);
            get "encoding" => encoding(0);
            get "errors" => errors(0);
            get "line_buffering" => line_buffering(0);
            get "mode" => mode(0);
            get "name" => name(0);
        ],
    );
    class.is_final.set(true);
    vm.set_next_hook(TextFile::class_index(), |vm, file| match file.downcast::<TextFile>() {
        Some(file) => next(vm, file),
        None => Ok(None),
    });
}

fn must_read(vm: &Vm, file: &Ref<TextFile>) -> R<()> {
    let readable = with(vm, file, |buffer| Ok(buffer.readable))?;
    if readable { Ok(()) } else { Err(super::unsupported(vm, "not readable")) }
}

/// Reads another chunk; whether there was one. Bytes that are no text are found here, as CPython finds them a chunk at a time.
fn fill(vm: &Vm, file: &Ref<TextFile>) -> R<bool> {
    vm.charge(8)?;
    let before = with(vm, file, |buffer| Ok(buffer.ahead().len()))?;
    vm.check_alloc(before + 2 * 65536)?;
    let more = with(vm, file, |buffer| buffer.fill(&*vm.host))?;
    if file.encoding.is_utf8() && &*file.errors == "strict" {
        let bad = with(vm, file, |buffer| {
            Ok(match std::str::from_utf8(buffer.ahead()) {
                Ok(_) => None,
                Err(error) if error.error_len().is_none() && more => None,
                Err(_) => Some(buffer.ahead().to_vec()),
            })
        })?;
        if let Some(bytes) = bad {
            decode_by_method(vm, file, bytes)?;
        }
    }
    Ok(more)
}

fn decode_by_method(vm: &Vm, file: &Ref<TextFile>, bytes: Vec<u8>) -> R<String> {
    let bytes = Value::from(vm.heap.bytes_object(bytes));
    let args = [vm.str_value(&file.encoding.name().to_ascii_lowercase()), vm.str_value(&file.errors)];
    let text = vm.call_method(&bytes, &vm.intern("decode"), &args)?;
    Ok(text.as_str().unwrap_or_default().to_owned())
}

/// Bytes as text, with its line ends translated.
fn decode(vm: &Vm, file: &Ref<TextFile>, bytes: Vec<u8>) -> R {
    vm.charge((bytes.len() / PER_UNIT) as u64)?;
    let text = if file.encoding.is_utf8() {
        match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => decode_by_method(vm, file, error.into_bytes())?,
        }
    } else {
        decode_by_method(vm, file, bytes)?
    };
    if file.newline == Newline::Translate && text.contains('\r') {
        return Ok(Value::from(vm.heap.string(text.replace("\r\n", "\n").replace('\r', "\n"))));
    }
    Ok(Value::from(vm.heap.string(text)))
}

fn read(vm: &Vm, file: &Ref<TextFile>, count: &Value) -> R {
    let count = size(vm, count)?;
    must_read(vm, file)?;
    match count {
        None => {
            while fill(vm, file)? {}
            let bytes = with(vm, file, |buffer| Ok(buffer.take(usize::MAX)))?;
            decode(vm, file, bytes)
        }
        Some(count) => {
            let bytes = take_chars(vm, file, count, None)?;
            decode(vm, file, bytes)
        }
    }
}

/// Takes the bytes of at most `count` characters, none behind `end` bytes if that is given.
fn take_chars(vm: &Vm, file: &Ref<TextFile>, count: usize, end: Option<usize>) -> R<Vec<u8>> {
    let translate = file.newline == Newline::Translate;
    let (mut at, mut chars) = (0, 0);
    loop {
        let (wants_more, stop) = with(vm, file, |buffer| {
            let ahead = buffer.ahead();
            let limit = end.unwrap_or(ahead.len()).min(ahead.len());
            while chars < count && at < limit {
                let width = match ahead[at] {
                    b'\r' if translate && at + 1 == ahead.len() => return Ok((true, false)),
                    b'\r' if translate && ahead[at + 1] == b'\n' => 2,
                    _ if file.encoding.is_single => 1,
                    0..0xC0 => 1,
                    0xC0..0xE0 => 2,
                    0xE0..0xF0 => 3,
                    _ => 4,
                };
                if at + width > ahead.len() {
                    return Ok((true, false));
                }
                at += width;
                chars += 1;
            }
            Ok((chars < count && end.is_none_or(|end| at < end), at >= end.unwrap_or(usize::MAX)))
        })?;
        if chars >= count || stop || !wants_more {
            break;
        }
        if !fill(vm, file)? {
            // An unfinished character or line end at the end of the file.
            at = with(vm, file, |buffer| Ok(buffer.ahead().len()))?;
            break;
        }
    }
    with(vm, file, |buffer| Ok(buffer.take(at)))
}

/// The next line; empty at the end.
fn take_line(vm: &Vm, file: &Ref<TextFile>, most: Option<usize>) -> R<Vec<u8>> {
    let mut searched = 0usize;
    loop {
        let end = file.newline.line_end();
        let (found, here) = with(vm, file, |buffer| Ok((buffer.line(end, searched.saturating_sub(1)), buffer.ahead().len())))?;
        match (found, most) {
            (Some(length), None) => return with(vm, file, |buffer| Ok(buffer.take(length))),
            (Some(length), Some(most)) => return take_chars(vm, file, most, Some(length)),
            (None, Some(most)) if here > most.saturating_mul(4) => return take_chars(vm, file, most, None),
            (None, _) => {}
        }
        searched = here;
        if !fill(vm, file)? {
            return match most {
                None => with(vm, file, |buffer| Ok(buffer.take(usize::MAX))),
                Some(most) => take_chars(vm, file, most, Some(here)),
            };
        }
    }
}

fn readline(vm: &Vm, file: &Ref<TextFile>, count: &Value) -> R {
    let most = size(vm, count)?;
    must_read(vm, file)?;
    let line = take_line(vm, file, most)?;
    decode(vm, file, line)
}

fn next(vm: &Vm, file: &Ref<TextFile>) -> R<Option<Value>> {
    must_read(vm, file)?;
    let line = take_line(vm, file, None)?;
    if line.is_empty() { Ok(None) } else { decode(vm, file, line).map(Some) }
}

fn readlines(vm: &Vm, file: &Ref<TextFile>, hint: &Value) -> R {
    let hint = size(vm, hint)?.filter(|hint| *hint > 0);
    let lines = vm.heap.list(Vec::new());
    let mut total = 0;
    while hint.is_none_or(|hint| total < hint) {
        let Some(line) = next(vm, file)? else { break };
        total += line.payload::<Str>().map_or(0, |line| line.len());
        vm.list_push(&lines, line)?;
    }
    Ok(Value::from(lines))
}

fn write(vm: &Vm, file: &Ref<TextFile>, text: &Value) -> R<usize> {
    let Some(text) = text.payload::<Str>() else {
        let class = vm.class_of(text).name();
        return Err(vm.type_error(format!("write() argument must be str, not {}", class.as_str())));
    };
    let writable = with(vm, file, |buffer| Ok(buffer.writable))?;
    if !writable {
        return Err(super::unsupported(vm, "not writable"));
    }
    if with(vm, file, |buffer| Ok(buffer.is_stream()))? {
        vm.count_output(text.byte_len())?;
    }
    vm.charge((text.byte_len() / PER_UNIT) as u64)?;
    let translated = match file.newline {
        Newline::Is(end) if end != "\n" => Some(text.as_str().replace('\n', end)),
        _ => None,
    };
    if file.encoding.is_utf8() {
        let data = translated.as_deref().unwrap_or(text.as_str()).as_bytes();
        with(vm, file, |buffer| buffer.write(&*vm.host, data))?;
    } else {
        let whole = match translated {
            Some(text) => Value::from(vm.heap.string(text)),
            None => Value::from(text),
        };
        let args = [vm.str_value(file.encoding.name()), vm.str_value(&file.errors)];
        let data = vm.call_method(&whole, &vm.intern("encode"), &args)?;
        if let Some(data) = data.payload::<crate::value::Bytes>() {
            with(vm, file, |buffer| buffer.write(&*vm.host, data.data()))?;
        }
    }
    Ok(text.len())
}

fn writelines(vm: &Vm, file: &Ref<TextFile>, lines: &Value) -> R<()> {
    with(vm, file, |_| Ok(()))?;
    vm.for_each(lines, &mut |line| write(vm, file, &line).map(|_| true))
}

/// Standard streams are UTF-8 always; there is nothing to change.
fn reconfigure(vm: &Vm, file: &Ref<TextFile>) -> R<()> {
    flush(vm, file)
}

fn truncate(vm: &Vm, file: &Ref<TextFile>, size: Option<i64>) -> R<i64> {
    common::truncate(vm, file, size)
}

fn seek(vm: &Vm, file: &Ref<TextFile>, to: i64, whence: Option<i64>) -> R<i64> {
    with(vm, file, |_| Ok(()))?;
    let to = match whence.unwrap_or(0) {
        0 if to < 0 => return Err(vm.value_error(format!("negative seek position {to}"))),
        0 => SeekFrom::Start(to as u64),
        1 if to != 0 => return Err(super::unsupported(vm, "can't do nonzero cur-relative seeks")),
        1 => SeekFrom::Current(0),
        2 if to != 0 => return Err(super::unsupported(vm, "can't do nonzero end-relative seeks")),
        2 => SeekFrom::End(0),
        other => return Err(vm.value_error(format!("invalid whence ({other}, should be 0, 1 or 2)"))),
    };
    Ok(with(vm, file, |buffer| buffer.seek(&*vm.host, to))? as i64)
}

fn encoding(vm: &Vm, file: &Ref<TextFile>) -> Value {
    let standard = file.buffer.try_borrow().is_ok_and(|buffer| matches!(buffer.backend, Backend::Stream(_)));
    vm.str_value(if standard { "utf-8" } else { file.encoding.name() })
}

fn errors(vm: &Vm, file: &Ref<TextFile>) -> Value {
    vm.str_value(&file.errors)
}

fn line_buffering(_vm: &Vm, file: &Ref<TextFile>) -> bool {
    file.buffer.try_borrow().is_ok_and(|buffer| buffer.unbuffered)
}

fn mode(vm: &Vm, file: &Ref<TextFile>) -> Value {
    vm.str_value(&file.mode)
}

fn name(_vm: &Vm, file: &Ref<TextFile>) -> Value {
    file.name.clone()
}

fn repr(vm: &Vm, file: &Ref<TextFile>) -> R<String> {
    let name = vm.repr(&file.name)?;
    let encoding = encoding(vm, file);
    let encoding = encoding.as_str().unwrap_or_default();
    Ok(format!("<_io.TextIOWrapper name={} mode='{}' encoding='{encoding}'>", name.as_str(), file.mode))
}
