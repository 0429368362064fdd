//! The library: a file or folder per import name, and the list of them. A module costs nothing until a script imports it.
//!
//! What is hot, or data, is Rust; pure glue is a script beside it (`<name>.script`), compiled in the module's namespace at the
//! first import.

mod abc;
mod asyncio;
mod atexit;
mod binascii;
mod bisect;
mod cmath;
mod collections;
mod concurrent;
mod contextvars;
mod functools;
mod gc;
mod hashlib;
mod heapq;
mod inspect;
mod io;
mod itertools;
mod json;
mod math;
mod operator;
mod random;
#[cfg(feature = "re")]
mod re;
mod scripts;
mod struct_;
mod struct_sequence;
mod support;
mod sys;
mod threading;
mod time;
mod traceback;
#[cfg(feature = "unicode")]
mod unicodedata;
mod weakref;

pub use crate::native::ModuleRow;
use crate::vm::import::Loader;

/// The modules, sorted by import name.
pub const MODULES: &[ModuleRow] = &[
    #[cfg(feature = "re")]
    scripts::STRPTIME,
    scripts::SUPPORT,
    abc::MODULE,
    scripts::ARRAY,
    asyncio::MODULE,
    atexit::MODULE,
    scripts::BASE64,
    binascii::MODULE,
    bisect::MODULE,
    cmath::MODULE,
    collections::MODULE,
    collections::ABC,
    concurrent::PACKAGE,
    concurrent::FUTURES,
    scripts::CONTEXTLIB,
    contextvars::MODULE,
    scripts::COPY,
    scripts::COPYREG,
    scripts::DATACLASSES,
    scripts::DATETIME,
    scripts::ENUM,
    #[cfg(feature = "re")]
    scripts::FRACTIONS,
    functools::MODULE,
    gc::MODULE,
    hashlib::MODULE,
    heapq::MODULE,
    scripts::HMAC,
    inspect::MODULE,
    io::MODULE,
    itertools::MODULE,
    json::MODULE,
    json::DECODER,
    json::ENCODER,
    scripts::KEYWORD,
    math::MODULE,
    scripts::NUMBERS,
    operator::MODULE,
    #[cfg(feature = "re")]
    scripts::PPRINT,
    scripts::QUEUE,
    random::MODULE,
    #[cfg(feature = "re")]
    re::MODULE,
    scripts::STATISTICS,
    scripts::STRING,
    struct_::MODULE,
    sys::MODULE,
    scripts::TEXTWRAP,
    threading::MODULE,
    time::MODULE,
    traceback::MODULE,
    scripts::TYPES,
    scripts::TYPING,
    #[cfg(feature = "unicode")]
    unicodedata::MODULE,
    scripts::UNITTEST,
    scripts::WARNINGS,
    weakref::MODULE,
];

/// What makes the module of this import name: the finder that imports ask (`Vm::set_module_finder`).
pub fn find(name: &str) -> Option<Loader> {
    let index = MODULES.binary_search_by(|row| row.name.cmp(name)).ok()?;
    Some(MODULES[index].load)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted() {
        assert!(MODULES.windows(2).all(|pair| pair[0].name < pair[1].name));
    }
}
