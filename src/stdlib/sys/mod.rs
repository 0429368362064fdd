//! `sys`: the interpreter as scripts see it. Constant facts are in `facts.rs`.

mod facts;

use super::support::{add, run_script};
use crate::builtins::files::standard_stream;
use crate::host::Stream;
use crate::native::{ModuleRow, new_module, note_name};
use crate::rows;
use crate::syntax::Source;
use crate::value::{Class, Exception, Kind, Module, R, Ref, Str, Value};
use crate::vm::Vm;
use crate::vm::number::print::{digit_limit, set_digit_limit};

pub const MODULE: ModuleRow = ModuleRow { name: "sys", load };

fn load(vm: &Vm) -> R<Ref<Module>> {
    let module = new_module(
        vm,
        "sys",
        "Access to objects used or maintained by the interpreter.",
        &rows![
            "exit", "status=None, /" => exit(0);
            "exc_info", "" => exc_info();
            "exception", "" => exception();
            "getrecursionlimit", "" => getrecursionlimit();
            "setrecursionlimit", "limit, /" => setrecursionlimit(0);
            "get_int_max_str_digits", "" => get_int_max_str_digits();
            "set_int_max_str_digits", "maxdigits" => set_int_max_str_digits(0);
            "getsizeof", "object, default=None" => getsizeof(0 1);
            "getrefcount", "object, /" => getrefcount(0);
            "intern", "string, /" => intern(0);
            "getdefaultencoding", "" => utf_8();
            "getfilesystemencoding", "" => utf_8();
            "getfilesystemencodeerrors", "" => surrogateescape();
            "gettrace", "" => none();
            "getprofile", "" => none();
            "settrace", "function, /" => settrace(0);
            "setprofile", "function, /" => settrace(0);
            "getswitchinterval", "" => getswitchinterval();
            "setswitchinterval", "interval, /" => setswitchinterval(0);
            "is_finalizing", "" => is_finalizing();
            "audit", "event, /, *args" => audit(0);
            "getallocatedblocks", "" => getallocatedblocks();
            "_getframe", "depth=0, /" => getframe(0);
            "_place", "level, /" => place(0);
            "_source_line", "filename, lineno, /" => source_line(0 1);
            "_clear_type_cache", "" => none();
            "_calling_module", "" => calling_module();
            "_note_name", "cls, /" => note_class_name(0);
        ],
    );
    let arguments: Vec<Value> = vm.host.arguments().iter().map(|argument| vm.str_value(argument)).collect();
    add(vm, &module, "argv", vm.heap.list(arguments).into());
    add(vm, &module, "path", vm.import_path().into());
    add(vm, &module, "modules", Value::from(&vm.modules));
    for (name, stream) in [("stdin", Stream::In), ("stdout", Stream::Out), ("stderr", Stream::Err)] {
        add(vm, &module, name, standard_stream(vm, stream));
        add(vm, &module, &format!("__{name}__"), standard_stream(vm, stream));
    }
    facts::install(vm, &module)?;
    run_script(vm, &module, include_str!("sys.script"))?;
    Ok(module)
}

fn exit(vm: &Vm, status: &Value) -> R {
    let args = if status.is_undef() { vec![] } else { vec![status.clone()] };
    let exception = vm.call(&Value::from(&vm.types.system_exit), &args)?;
    Err(vm.raise_new(exception))
}

fn exception(vm: &Vm) -> Value {
    vm.handled.get()
}

fn exc_info(vm: &Vm) -> Value {
    let handled = vm.handled.get();
    let traceback = handled.downcast::<Exception>().map_or(Value::None, |exception| exception.traceback.get());
    let class = if handled.is_none() { Value::None } else { Value::from(vm.class_of(&handled)) };
    vm.heap.tuple([class, handled, traceback]).into()
}

fn getrecursionlimit(vm: &Vm) -> i64 {
    i64::from(vm.max_depth.get())
}

fn setrecursionlimit(vm: &Vm, limit: i64) -> R<()> {
    if limit < 1 {
        return Err(vm.value_error("recursion limit must be greater or equal than 1"));
    }
    let Ok(limit) = u32::try_from(limit) else {
        return Err(vm.overflow_error("Python int too large to convert to C int"));
    };
    if vm.depth.get() >= limit {
        return Err(vm.recursion_error(format!(
            "cannot set the recursion limit to {limit} at the recursion depth {}: the limit is too low",
            vm.depth.get()
        )));
    }
    vm.max_depth.set(limit.min(vm.deepest.get()));
    Ok(())
}

fn get_int_max_str_digits(vm: &Vm) -> i64 {
    digit_limit(vm) as i64
}

fn set_int_max_str_digits(vm: &Vm, digits: i64) -> R<()> {
    if digits != 0 && digits < 640 {
        return Err(vm.value_error("maxdigits must be 0 or larger than 640"));
    }
    set_digit_limit(vm, digits as usize);
    Ok(())
}

/// Bytes of the object itself: its cell and the buffers it owns.
fn getsizeof(vm: &Vm, object: &Value, _default: &Value) -> R {
    if let Some(size) = vm.call_special(object, &vm.intern("__sizeof__"), &[])? {
        return Ok(size);
    }
    Ok(Value::Int(size_of::<Value>() as i64))
}

fn getrefcount(_vm: &Vm, object: &Value) -> i64 {
    object.as_obj().map_or(i64::from(u32::MAX), |object| i64::from(object.refs()))
}

/// Equal strings are compared fast here without being one object, so that interning has nothing to do.
fn intern(vm: &Vm, string: &Value) -> R {
    if string.downcast::<Str>().is_some() {
        return Ok(string.clone());
    }
    Err(vm.type_error(format!("intern() argument must be str, not {}", vm.class_of(string).name().as_str())))
}

fn utf_8(_vm: &Vm) -> &'static str {
    "utf-8"
}

fn surrogateescape(_vm: &Vm) -> &'static str {
    "surrogateescape"
}

fn none(_vm: &Vm) {}

fn settrace(vm: &Vm, function: &Value) -> R<()> {
    if function.is_none() {
        return Ok(());
    }
    Err(vm.not_implemented_error("tracing and profiling functions are not supported"))
}

/// The switch interval as scripts set it; threads take turns by the interpreter's own measure.
struct SwitchInterval(std::cell::Cell<f64>);

fn getswitchinterval(vm: &Vm) -> f64 {
    vm.extension(|| SwitchInterval(std::cell::Cell::new(0.005))).0.get()
}

fn setswitchinterval(vm: &Vm, interval: f64) -> R<()> {
    if interval <= 0.0 {
        return Err(vm.value_error("switch interval must be strictly positive"));
    }
    vm.extension(|| SwitchInterval(std::cell::Cell::new(0.005))).0.set(interval);
    Ok(())
}

fn is_finalizing(_vm: &Vm) -> bool {
    false
}

fn audit(vm: &Vm, event: &Value) -> R<()> {
    match event.kind() {
        Kind::Str => Ok(()),
        _ => Err(vm.type_error(format!("expected str for argument 'event', not {}", vm.class_of(event).name().as_str()))),
    }
}

fn getallocatedblocks(vm: &Vm) -> i64 {
    (vm.heap.bytes() / 16) as i64
}

/// File, line and module of a caller, for warnings: at level 0 of who calls this. `None` past the outermost one; where a frame
/// cannot be told, the next that can.
fn place(vm: &Vm, level: i64) -> R {
    let level = level.clamp(0, 1_000_000) as usize + 1;
    let frames = vm.running_frames(level.saturating_add(1000));
    let Some(at) = frames.into_iter().skip(level - 1).flatten().next() else { return Ok(Value::None) };
    let module = at.info.module.as_deref().unwrap_or("<string>");
    let (file, module) = (vm.str_value(at.info.source.name()), vm.str_value(module));
    Ok(vm.heap.tuple([file, Value::Int(i64::from(at.line())), module]).into())
}

/// A line of a file by its name, of a program in memory or of one that can be read; an empty text if there is none.
fn source_line(vm: &Vm, filename: &str, line: i64) -> String {
    let Some(line) = u32::try_from(line).ok().filter(|line| *line > 0) else { return String::new() };
    if filename.starts_with('<') {
        return String::new();
    }
    if let Some(source) = vm.bodies.source(filename) {
        return source.line(line).unwrap_or_default().to_owned();
    }
    let Ok(bytes) = vm.host.read_file(filename) else { return String::new() };
    let text = String::from_utf8_lossy(&bytes);
    text.lines().nth(line as usize - 1).unwrap_or_default().to_owned()
}

fn getframe(vm: &Vm, depth: Option<i64>) -> R {
    let depth = depth.unwrap_or(0).max(0) as usize;
    vm.running_frame(depth).ok_or_else(|| vm.value_error("call stack is not deep enough"))
}

/// The name of the module whose code runs, the library left out.
fn calling_module(vm: &Vm) -> Value {
    let frames = vm.running_frames(20);
    let is_program = |source: &Source| !source.name().starts_with('<') || matches!(source.name(), "<string>" | "<stdin>");
    let frame = frames.iter().flatten().find(|frame| is_program(&frame.info.source));
    match frame.and_then(|frame| frame.info.module.as_deref()) {
        Some(module) => vm.str_value(module),
        None => Value::from(&vm.n.__main__),
    }
}

/// A class of the library's that is a script has the name in messages that CPython's has.
fn note_class_name(vm: &Vm, class: &Ref<Class>) {
    if let Some(module) = class.dict.get_str(&vm.n.__module__)
        && let Some(module) = module.as_str()
    {
        note_name(vm, class, module);
    }
}
