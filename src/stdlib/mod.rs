//! The library: a file or folder per import name, and the list of them. A module costs nothing until a script imports it.
//!
//! What is hot, or data, is Rust; pure glue is a script beside it (`<name>.script`), compiled in the module's namespace at the
//! first import.

mod itertools;
mod math;
mod support;

pub use crate::native::ModuleRow;

/// The modules, sorted by import name.
pub const MODULES: &[ModuleRow] = &[itertools::MODULE, math::MODULE];

/// The module of this import name.
pub fn find(name: &str) -> Option<&'static ModuleRow> {
    let index = MODULES.binary_search_by(|row| row.name.cmp(name)).ok()?;
    Some(&MODULES[index])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted() {
        assert!(MODULES.windows(2).all(|pair| pair[0].name < pair[1].name));
    }
}
