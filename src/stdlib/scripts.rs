//! Modules that are scripts and nothing else.

use super::support::run_script;
use crate::native::{ModuleRow, new_module};
use crate::value::{Module, R, Ref};
use crate::vm::Vm;

macro_rules! scripts {
    ($($(#[$gate:meta])? $constant:ident = $name:literal, $file:literal;)*) => {
        $($(#[$gate])? pub const $constant: ModuleRow = ModuleRow {
            name: $name,
            load: |vm: &Vm| -> R<Ref<Module>> {
                let module = new_module(vm, $name, "", &[]);
                run_script(vm, &module, include_str!($file))?;
                Ok(module)
            },
        };)*
    };
}

scripts! {
    ARRAY = "array", "array.script";
    BASE64 = "base64", "base64.script";
    CONTEXTLIB = "contextlib", "contextlib.script";
    COPY = "copy", "copy.script";
    COPYREG = "copyreg", "copyreg.script";
    DATACLASSES = "dataclasses", "dataclasses.script";
    DATETIME = "datetime", "datetime.script";
    ENUM = "enum", "enum.script";
    #[cfg(feature = "re")]
    FRACTIONS = "fractions", "fractions.script";
    HMAC = "hmac", "hmac.script";
    KEYWORD = "keyword", "keyword.script";
    NUMBERS = "numbers", "numbers.script";
    #[cfg(feature = "re")]
    PPRINT = "pprint", "pprint.script";
    QUEUE = "queue", "queue.script";
    STATISTICS = "statistics", "statistics.script";
    STRING = "string", "string.script";
    #[cfg(feature = "re")]
    STRPTIME = "_strptime", "strptime.script";
    SUPPORT = "_support", "support.script";
    TEXTWRAP = "textwrap", "textwrap.script";
    TYPES = "types", "types.script";
    TYPING = "typing", "typing.script";
    UNITTEST = "unittest", "unittest.script";
    WARNINGS = "warnings", "warnings.script";
}
