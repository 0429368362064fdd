//! What `sys` says about the machine, the version and the numbers.

use super::super::struct_sequence::{struct_sequence, struct_sequence_class};
use super::super::support::add;
use crate::value::{Module, R, Ref, Value, hash};
use crate::vm::Vm;

/// The version of the language.
const VERSION: (i64, i64, i64) = (3, 12, 1);

pub fn install(vm: &Vm, module: &Ref<Module>) -> R<()> {
    let (major, minor, micro) = VERSION;
    let text = |text: &str| vm.str_value(text);
    let int = Value::Int;
    let own = env!("CARGO_PKG_VERSION");
    let platform = match std::env::consts::OS {
        "macos" => "darwin",
        "windows" => "win32",
        os => os,
    };
    let plain = [
        ("version", text(&format!("{major}.{minor}.{micro} (Asplet {own})"))),
        ("hexversion", int(major << 24 | minor << 16 | micro << 8 | 0xF0)),
        ("api_version", int(1013)),
        ("copyright", text("Copyright (c) the Asplet authors.\nAll Rights Reserved.")),
        ("platform", text(platform)),
        ("platlibdir", text("lib")),
        ("byteorder", text(if cfg!(target_endian = "big") { "big" } else { "little" })),
        ("maxsize", int(i64::MAX)),
        ("maxunicode", int(0x10_FFFF)),
        ("executable", text("")),
        ("prefix", text("")),
        ("exec_prefix", text("")),
        ("base_prefix", text("")),
        ("base_exec_prefix", text("")),
        ("float_repr_style", text("short")),
        ("dont_write_bytecode", Value::TRUE),
        ("pycache_prefix", Value::None),
        ("warnoptions", vm.heap.list(Vec::new()).into()),
        ("orig_argv", vm.heap.list(Vec::new()).into()),
        ("meta_path", vm.heap.list(Vec::new()).into()),
        ("path_hooks", vm.heap.list(Vec::new()).into()),
        ("path_importer_cache", vm.heap.dict().into()),
        ("_xoptions", vm.heap.dict().into()),
        ("tracebacklimit", Value::Undef),
    ];
    for (name, value) in plain {
        if !value.is_undef() {
            add(vm, module, name, value);
        }
    }
    let names: Vec<Value> = super::super::MODULES.iter().map(|row| text(row.name)).collect();
    add(vm, module, "builtin_module_names", vm.heap.tuple(names).into());

    let sequence = |name: &str, fields: &[(&str, Value)]| {
        let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
        let class = struct_sequence_class(vm, "sys", name, &names);
        let values = fields.iter().map(|(_, value)| value.clone()).collect();
        add(vm, module, name, struct_sequence(vm, &class, values));
    };
    sequence(
        "version_info",
        &[
            ("major", int(major)),
            ("minor", int(minor)),
            ("micro", int(micro)),
            ("releaselevel", text("final")),
            ("serial", int(0)),
        ],
    );
    sequence(
        "float_info",
        &[
            ("max", Value::float(f64::MAX)),
            ("max_exp", int(1024)),
            ("max_10_exp", int(308)),
            ("min", Value::float(f64::MIN_POSITIVE)),
            ("min_exp", int(-1021)),
            ("min_10_exp", int(-307)),
            ("dig", int(15)),
            ("mant_dig", int(53)),
            ("epsilon", Value::float(f64::EPSILON)),
            ("radix", int(2)),
            ("rounds", int(1)),
        ],
    );
    sequence(
        "int_info",
        &[
            ("bits_per_digit", int(30)),
            ("sizeof_digit", int(4)),
            ("default_max_str_digits", int(4300)),
            ("str_digits_check_threshold", int(640)),
        ],
    );
    sequence(
        "hash_info",
        &[
            ("width", int(64)),
            ("modulus", int(hash::MODULUS as i64)),
            ("inf", int(314_159)),
            ("nan", int(0)),
            ("imag", int(1_000_003)),
            ("algorithm", text("foldhash")),
            ("hash_bits", int(64)),
            ("seed_bits", int(64)),
            ("cutoff", int(0)),
        ],
    );
    sequence("thread_info", &[("name", text("pthread")), ("lock", text("semaphore")), ("version", Value::None)]);
    let off = [
        "debug",
        "inspect",
        "interactive",
        "optimize",
        "dont_write_bytecode",
        "no_user_site",
        "no_site",
        "ignore_environment",
        "verbose",
        "bytes_warning",
        "quiet",
        "hash_randomization",
        "isolated",
        "dev_mode",
        "utf8_mode",
        "warn_default_encoding",
        "safe_path",
        "int_max_str_digits",
    ];
    let flag = |name: &&'static str| {
        let value = match *name {
            "dont_write_bytecode" | "hash_randomization" | "utf8_mode" => int(1),
            "dev_mode" | "safe_path" => Value::FALSE,
            "int_max_str_digits" => int(4300),
            _ => int(0),
        };
        (*name, value)
    };
    sequence("flags", &off.iter().map(flag).collect::<Vec<_>>());
    Ok(())
}
