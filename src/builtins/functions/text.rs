//! Built-in functions of text: showing values, printing, reading a line.

use crate::builtins::files;
use crate::host::Stream;
use crate::native::Row;
use crate::rows;
use crate::value::{Kind, R, Ref, Str, Value};
use crate::vm::Vm;
use crate::vm::function::Args;

pub(super) const ROWS: [Row; 6] = rows![
    "ascii", "obj, /" => ascii(0);
    "format", "value, format_spec='', /" => format(0 1);
    "help", "request=None, /" => help(0);
    "input", "prompt='', /" => input(0);
    raw "print", "*args, sep=' ', end='\\n', file=None, flush=False" => print;
    "repr", "obj, /" => repr(0);
];

fn ascii(vm: &Vm, value: &Value) -> R<Ref<Str>> {
    vm.ascii(value)
}

fn repr(vm: &Vm, value: &Value) -> R<Ref<Str>> {
    vm.repr(value)
}

fn format(vm: &Vm, value: &Value, spec: &Value) -> R<Ref<Str>> {
    match spec {
        Value::Undef => vm.format(value, ""),
        spec => match spec.as_str() {
            Some(spec) => vm.format(value, spec),
            None => Err(vm.type_error(format!("format() argument 2 must be str, not {}", vm.class_of(spec).name().as_str()))),
        },
    }
}

/// A text argument of `print` that may be `None`.
fn part<'a>(vm: &Vm, name: &str, value: &'a Value) -> R<Option<&'a str>> {
    if value.is_none() {
        return Ok(None);
    }
    match value.as_str() {
        Some(text) => Ok(Some(text)),
        None => Err(vm.type_error(format!("{name} must be None or a string, not {}", vm.class_of(value).name().as_str()))),
    }
}

fn print(vm: &Vm, args: Args<'_>) -> R {
    let (mut separator, mut end, mut file, mut flush) = (None, None, None, false);
    for (name, value) in args.keywords {
        match name.as_str() {
            "sep" => separator = Some(value),
            "end" => end = Some(value),
            "file" => file = Some(value).filter(|value| !value.is_none()),
            "flush" => flush = vm.truthy(value)?,
            other => return Err(vm.type_error(format!("'{other}' is an invalid keyword argument for print()"))),
        }
    }
    let separator = separator.map_or(Ok(None), |value| part(vm, "sep", value))?.unwrap_or(" ");
    let end = end.map_or(Ok(None), |value| part(vm, "end", value))?.unwrap_or("\n");
    let file = match file {
        Some(file) => Some(file.clone()),
        None => standard_output(vm)?,
    };
    let Some(file) = file else {
        // `sys.stdout` is None.
        return Ok(Value::None);
    };
    match files::stream_of(&file) {
        Some(stream) => {
            write_all(vm, stream, args.positional, separator, end)?;
            if flush {
                vm.host.flush(stream).map_err(|error| vm.io_error(error, None))?;
            }
        }
        None => {
            let write = vm.get_attr(&file, &vm.n.write)?;
            let put = |text: Value| vm.call(&write, &[text]).map(drop);
            for (index, value) in args.positional.iter().enumerate() {
                if index > 0 {
                    put(vm.str_value(separator))?;
                }
                put(Value::from(vm.str(value)?))?;
            }
            put(vm.str_value(end))?;
            if flush {
                vm.call_method(&file, &vm.n.flush, &[])?;
            }
        }
    }
    Ok(Value::None)
}

/// From this length on, what has been put together is written before more is.
const LONG: usize = 1 << 16;

/// Writes what a `print` says, as far as it goes if showing a value fails.
fn write_all(vm: &Vm, stream: Stream, values: &[Value], separator: &str, end: &str) -> R<()> {
    let mut text = String::new();
    // What came before a value that cannot be shown is printed.
    let mut whole = 0;
    let mut put = || {
        for (index, value) in values.iter().enumerate() {
            if index > 0 {
                add(vm, stream, &mut text, separator)?;
            }
            if text.len() >= LONG {
                vm.charge((text.len() / 1024) as u64)?;
                vm.write(stream, &std::mem::take(&mut text))?;
            }
            whole = text.len();
            match value.downcast::<Str>() {
                Some(part) => {
                    vm.check_text(text.len() + part.byte_len())?;
                    text.push_str(part.as_str());
                }
                None if matches!(value.kind(), Kind::Free | Kind::BigInt | Kind::List | Kind::Tuple | Kind::Dict) => {
                    vm.write_repr(&mut text, value)?;
                }
                None => text.push_str(vm.str(value)?.as_str()),
            }
        }
        add(vm, stream, &mut text, end)
    };
    let result = put();
    if result.is_err() {
        text.truncate(whole);
    }
    vm.write(stream, &text)?;
    result
}

/// Adds to what is to be written; what is long is written as it stands.
fn add(vm: &Vm, stream: Stream, text: &mut String, part: &str) -> R<()> {
    if part.len() < LONG {
        text.push_str(part);
        return Ok(());
    }
    vm.write(stream, &std::mem::take(text))?;
    vm.write(stream, part)
}

/// `sys.stdout`: the object there, or nothing if it is `None`. Programs that never import `sys` write to the host's stream.
fn standard_output(vm: &Vm) -> R<Option<Value>> {
    let Some(sys) = vm.modules.get_str(&vm.n.sys) else { return Ok(Some(files::standard_stream(vm, Stream::Out))) };
    match vm.find_attr(&sys, &vm.intern("stdout"))? {
        Some(Value::None) => Ok(None),
        Some(file) => Ok(Some(file)),
        None => Err(vm.runtime_error("lost sys.stdout")),
    }
}

fn input(vm: &Vm, prompt: &Value) -> R {
    let prompt = if prompt.is_undef() { None } else { Some(vm.str(prompt)?) };
    if let Some(prompt) = prompt {
        vm.write(Stream::Out, prompt.as_str())?;
    }
    vm.host.flush(Stream::Out).map_err(|error| vm.io_error(error, None))?;
    let line = vm.host.read_line().map_err(|error| vm.io_error(error, None))?;
    if line.is_empty() {
        return Err(vm.eof_error("EOF when reading a line"));
    }
    let line = String::from_utf8_lossy(&line);
    let line = line.strip_suffix('\n').unwrap_or(&line);
    Ok(vm.str_value(line.strip_suffix('\r').unwrap_or(line)))
}

/// A few lines: the first ones of the documentation.
fn help(vm: &Vm, object: &Value) -> R<()> {
    if object.is_undef() {
        return vm.write(Stream::Out, "Type help(object) for help about an object, dir(object) for its attributes.\n");
    }
    let shown = match vm.find_attr(object, &vm.n.__name__)? {
        Some(name) => vm.str(&name)?,
        None => vm.repr(object)?,
    };
    let class = vm.class_of(object).name();
    let mut text = format!("Help on {} {}:\n\n", class.as_str(), shown.as_str());
    if let Some(doc) = vm.find_attr(object, &vm.n.__doc__)?
        && let Some(doc) = doc.as_str()
    {
        text.extend(doc.lines().map(|line| format!("    {}\n", line.trim())));
    }
    vm.write(Stream::Out, &text)
}
