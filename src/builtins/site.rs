//! The module `builtins`, whose namespace is that of the built-in names, and the names that CPython's `site` adds to it: `exit`,
//! `quit`, `copyright`, `credits`, `license`.

use crate::native::define_class;
use crate::rows;
use crate::value::{Module, Payload, R, Raised, Ref, Value};
use crate::vm::Vm;

const COPYRIGHT: &str = "Copyright (c) the contributors to Asplet.\nMIT or Apache-2.0 licence.";
const CREDITS: &str = "    Asplet speaks Python, which Guido van Rossum and many others have made: www.python.org.";
const LICENSE: &str = "Asplet may be used under the MIT or the Apache-2.0 licence, whichever you prefer.";

/// Adds the names, and enters the module.
pub fn install(vm: &Vm) {
    let quitter = define_class::<Quitter>(
        vm,
        "_sitebuiltins",
        "Quitter",
        &rows![
            "__call__", "code=None" => quit(1);
            "__repr__", "/" => quitter_repr(0);
            get "eof" => eof(0);
            get "name" => name(0);
        ],
    );
    quitter.is_final.set(true);
    let printer = define_class::<Printer>(
        vm,
        "_sitebuiltins",
        "_Printer",
        &rows!["__call__", "" => print(0); "__repr__", "/" => printer_repr(0);],
    );
    printer.is_final.set(true);
    for name in ["exit", "quit"] {
        vm.builtins.set_str(&vm.intern(name), Value::from(vm.heap.alloc(Quitter(name))));
    }
    for (name, text) in [("copyright", COPYRIGHT), ("credits", CREDITS), ("license", LICENSE)] {
        vm.builtins.set_str(&vm.intern(name), Value::from(vm.heap.alloc(Printer(text))));
    }
    let name = vm.n.builtins.clone();
    vm.builtins.set_str(&vm.n.__name__, Value::from(&name));
    vm.builtins.set_str(&vm.n.__doc__, vm.str_value("Built-in functions, types, exceptions, and other objects."));
    vm.builtins.set_str(&vm.n.__package__, vm.str_value(""));
    vm.builtins.set_str(&vm.n.__loader__, Value::None);
    vm.builtins.set_str(&vm.n.__spec__, Value::None);
    let module = vm.heap.alloc(Module { name: name.clone(), dict: vm.builtins.clone() });
    vm.modules.set_str(&name, Value::from(module));
}

/// `exit` or `quit`.
struct Quitter(&'static str);

impl Payload for Quitter {
    crate::native_kind!();
    const CONTAINER: bool = false;
}

fn quit(vm: &Vm, code: &Value) -> Result<Value, Raised> {
    let code = if code.is_undef() { Value::None } else { code.clone() };
    Err(vm.raise_with(&vm.types.system_exit, vec![code]))
}

fn quitter_repr(_vm: &Vm, this: &Ref<Quitter>) -> String {
    format!("Use {}() or Ctrl-D (i.e. EOF) to exit", this.0)
}

fn eof(_vm: &Vm, _this: &Ref<Quitter>) -> &'static str {
    "Ctrl-D (i.e. EOF)"
}

fn name(_vm: &Vm, this: &Ref<Quitter>) -> &'static str {
    this.0
}

/// A text that shows itself.
struct Printer(&'static str);

impl Payload for Printer {
    crate::native_kind!();
    const CONTAINER: bool = false;
}

fn print(vm: &Vm, this: &Ref<Printer>) -> R<()> {
    let function = vm.builtins.get_text("print").unwrap_or_default();
    vm.call(&function, &[vm.str_value(this.0)]).map(|_| ())
}

fn printer_repr(_vm: &Vm, this: &Ref<Printer>) -> &'static str {
    this.0
}
