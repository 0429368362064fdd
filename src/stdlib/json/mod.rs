//! `json`: the table of the module. Values become text in `encode.rs`, text becomes values in `decode.rs`, both native; the classes
//! that scripts derive from are in `json.script`.

mod decode;
mod encode;

use super::support::{add, run_script};
use crate::native::{ModuleRow, new_module};
use crate::rows;
use crate::value::{Module, R, Ref};
use crate::vm::Vm;
use decode::{json_loads, json_scan};
use encode::{json_dumps, json_encode_string};

pub const MODULE: ModuleRow = ModuleRow { name: "json", load };
pub const DECODER: ModuleRow = ModuleRow { name: "json.decoder", load: load_decoder };
pub const ENCODER: ModuleRow = ModuleRow { name: "json.encoder", load: load_encoder };

fn load(vm: &Vm) -> R<Ref<Module>> {
    let module = new_module(
        vm,
        "json",
        "JSON (JavaScript Object Notation) encoder and decoder.",
        &rows![
            raw "dumps", "obj, *, skipkeys=False, ensure_ascii=True, check_circular=True, allow_nan=True, cls=None, indent=None, separators=None, default=None, sort_keys=False, **kw" => json_dumps;
            raw "loads", "s, *, cls=None, object_hook=None, parse_float=None, parse_int=None, parse_constant=None, object_pairs_hook=None, **kw" => json_loads;
            "_scan", "text, start, options" => json_scan(0 1 2);
            "_encode_string", "text, ensure_ascii" => json_encode_string(0 1);
        ],
    );
    // Its parts are modules too.
    add(vm, &module, "__path__", vm.heap.list(Vec::new()).into());
    add(vm, &module, "__package__", vm.str_value("json"));
    run_script(vm, &module, include_str!("json.script"))?;
    // Importing the package imports them.
    for part in ["json.decoder", "json.encoder"] {
        vm.import(part, None, 0)?;
    }
    Ok(module)
}

/// A module with some names of `json`.
fn part(vm: &Vm, name: &str, names: &[&str]) -> R<Ref<Module>> {
    let json = vm.import("json", None, 0)?;
    let module = new_module(vm, name, "", &[]);
    for name in names {
        let name = vm.intern(name);
        module.dict.set_str(&name, vm.get_attr(&json, &name)?);
    }
    Ok(module)
}

fn load_decoder(vm: &Vm) -> R<Ref<Module>> {
    part(vm, "json.decoder", &["JSONDecoder", "JSONDecodeError"])
}

fn load_encoder(vm: &Vm) -> R<Ref<Module>> {
    part(vm, "json.encoder", &["JSONEncoder"])
}

/// A name of the loaded module `json`.
fn own(vm: &Vm, name: &str) -> R {
    let json = vm.import("json", None, 0)?;
    vm.get_attr(&json, &vm.intern(name))
}
