//! Built-in functions of code: compiling and running it in namespaces that are given, importing.
//!
//! `eval`, `exec`, `globals`, `locals`, `dir` and `vars` without a namespace mean that of the running frame, which only the
//! evaluator knows: it has nodes of its own for calls by these names. What arrives here came another way, and means that of the
//! program.

use crate::native::Row;
use crate::rows;
use crate::syntax::{Mode, Source};
use crate::value::{Dict, Module, R, Ref, Str, Value};
use crate::vm::{Code, Vm, binary};

pub(super) const ROWS: [Row; 7] = rows![
    "__import__", "name, globals=None, locals=None, fromlist=(), level=0" => import(0 1 2 3 4);
    "breakpoint", "*args, **kws" => breakpoint();
    "compile", "source, filename, mode, flags=0, dont_inherit=False, optimize=-1" => compile(0 1 2);
    "eval", "source, globals=None, locals=None, /" => eval(0 1 2);
    "exec", "source, globals=None, locals=None, /, *, closure=None" => exec(0 1 2 3);
    "globals", "" => namespace();
    "locals", "" => namespace();
];

/// The namespace of the program: what a function that needs the running frame takes when it was not called by its name.
#[cold]
pub(super) fn main_namespace(vm: &Vm) -> R<Ref<Dict>> {
    let main = vm.modules.get_str(&vm.n.__main__);
    match main.as_ref().and_then(|main| main.payload::<Module>()) {
        Some(main) => Ok(main.dict.clone()),
        None => Err(vm.system_error("frame does not exist")),
    }
}

fn breakpoint(vm: &Vm) -> R<()> {
    Err(vm.runtime_error("breakpoint() needs a debugger, and this interpreter has none"))
}

fn namespace(vm: &Vm) -> R<Ref<Dict>> {
    main_namespace(vm)
}

fn import(vm: &Vm, name: &Value, globals: &Value, _locals: &Value, from: &Value, level: &Value) -> R {
    let Some(name) = name.as_str() else { return Err(vm.type_error("module name must be a string")) };
    let level = if level.is_undef() { 0 } else { vm.index_i64(level)? };
    let Ok(level) = u32::try_from(level) else { return Err(vm.value_error("level must be >= 0")) };
    let wants_inner = !from.is_undef() && vm.truthy(from)?;
    if level == 0 && !wants_inner {
        return vm.import_top(name);
    }
    vm.import(name, globals.payload::<Dict>(), level)
}

/// Source text given as a string or bytes.
fn text(vm: &Vm, source: &Value) -> R<Option<String>> {
    if let Some(text) = source.payload::<Str>() {
        // It is copied, and once more as the source.
        vm.check_alloc(2 * text.byte_len())?;
        return Ok(Some(text.as_str().to_owned()));
    }
    match binary::bytes_of(source) {
        Some(bytes) => vm.source_text("<string>", bytes).map(Some),
        None => Ok(None),
    }
}

fn compiled(vm: &Vm, text: &str, file: &str, mode: Mode, globals: &Ref<Dict>) -> R<Ref<Code>> {
    vm.charge((text.len() / 64) as u64)?;
    let source = Source::new(file, text);
    vm.compile(&source, mode, globals).map_err(|error| vm.raise_compile_error(&source, error))
}

fn compile(vm: &Vm, source: &Value, file: &Value, mode: &Value) -> R<Ref<Code>> {
    let Some(file) = file.as_str() else {
        let class = vm.class_of(file).name();
        return Err(vm.type_error(format!("expected str, bytes or os.PathLike object, not {}", class.as_str())));
    };
    let mode = match mode.as_str() {
        Some("exec") => Mode::File,
        Some("eval") => Mode::Eval,
        Some("single") => Mode::Interactive,
        Some(_) => return Err(vm.value_error("compile() mode must be 'exec', 'eval' or 'single'")),
        None => {
            let class = vm.class_of(mode).name();
            return Err(vm.type_error(format!("compile() argument 'mode' must be str, not {}", class.as_str())));
        }
    };
    match text(vm, source)? {
        Some(text) => compiled(vm, &text, file, mode, &vm.heap.dict()),
        None => Err(vm.type_error("compile() arg 1 must be a string, bytes or AST object")),
    }
}

fn eval(vm: &Vm, source: &Value, globals: &Value, locals: &Value) -> R {
    if !locals.is_undef() && !locals.is_none() && !is_mapping(vm, locals) {
        return Err(vm.type_error("locals must be a mapping"));
    }
    let namespace = match globals {
        Value::Undef | Value::None => main_namespace(vm)?,
        globals => match globals.payload::<Dict>() {
            Some(globals) => globals.clone(),
            None => return Err(vm.type_error("globals must be a dict")),
        },
    };
    run_in(vm, "eval", source, Mode::Eval, &namespace, locals)
}

fn exec(vm: &Vm, source: &Value, globals: &Value, locals: &Value, closure: &Value) -> R<()> {
    let class = |value: &Value| vm.class_of(value).name().as_str().to_owned();
    if !closure.is_undef() && !closure.is_none() {
        return Err(vm.type_error("closure can only be used when source is a code object"));
    }
    let namespace = match globals {
        Value::Undef | Value::None => main_namespace(vm)?,
        globals => match globals.payload::<Dict>() {
            Some(globals) => globals.clone(),
            None => return Err(vm.type_error(format!("exec() globals must be a dict, not {}", class(globals)))),
        },
    };
    if !locals.is_undef() && !locals.is_none() && !is_mapping(vm, locals) {
        return Err(vm.type_error(format!("locals must be a mapping or None, not {}", class(locals))));
    }
    run_in(vm, "exec", source, Mode::File, &namespace, locals).map(drop)
}

fn is_mapping(vm: &Vm, value: &Value) -> bool {
    !vm.class_of(value).lookup(&vm.n.__getitem__).is_undef()
}

/// Runs source text or a code object in a namespace.
fn run_in(vm: &Vm, name: &str, source: &Value, mode: Mode, globals: &Ref<Dict>, locals: &Value) -> R {
    let separate = !locals.is_undef() && !locals.is_none() && !locals.payload::<Dict>().is_some_and(|locals| locals.is(globals));
    let builtins = vm.intern("__builtins__");
    if globals.get_str(&builtins).is_none()
        && let Some(module) = vm.modules.get_str(&vm.n.builtins)
    {
        globals.set_str(&builtins, module);
    }
    let code = match (source.downcast::<Code>(), text(vm, source)?) {
        // Code is lowered for one namespace, so running it in another means lowering its text again.
        (Some(code), _) => prepared(vm, &code.info.source, code.mode, globals, separate)?,
        (None, Some(text)) => {
            let text = if mode == Mode::Eval { text.trim_start_matches([' ', '\t']) } else { &text };
            vm.charge((text.len() / 64) as u64)?;
            prepared(vm, &Source::new("<string>", text), mode, globals, separate)?
        }
        (None, None) => return Err(vm.type_error(format!("{name}() arg 1 must be a string, bytes or code object"))),
    };
    if separate { vm.run_in(&code, locals.clone()) } else { vm.run(&code) }
}

fn prepared(vm: &Vm, source: &Source, mode: Mode, globals: &Ref<Dict>, separate: bool) -> R<Ref<Code>> {
    let compiled = if separate { vm.compile_for_namespace(source, mode, globals) } else { vm.compile(source, mode, globals) };
    compiled.map_err(|error| vm.raise_compile_error(source, error))
}
