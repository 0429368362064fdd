//! `import` and `from ... import`, which `stmt.rs` hands over; what the first statements of a module import from `__future__` is asked for
//! before it is lowered.

use super::{Lowerer, Statements};
use crate::syntax::Span;
use crate::syntax::ast::{Alias, Ident, Name, Stmt, StmtKind};
use crate::vm::expr::name::TakeTemp;
use crate::vm::stmt::simple::{Import, ImportFrom, ImportStar};

impl Lowerer<'_> {
    pub(super) fn import(&mut self, names: &mut [Alias], span: Span, out: &mut Statements) {
        for alias in names {
            let globals = self.globals_of_code();
            let module = self.name(&alias.name.name);
            let whole = alias.asname.is_some();
            let target = match &alias.asname {
                Some(name) => name.name.clone(),
                None => Name::new(alias.name.name.split('.').next().unwrap_or_default()),
            };
            let value = Box::new(Import { module, whole, globals, span, place: self.at(span) });
            let store = self.store_name(&target, value, span);
            out.push((store, span));
        }
    }

    pub(super) fn import_from(
        &mut self,
        module: Option<&Ident>,
        names: &mut [Alias],
        level: u32,
        span: Span,
        out: &mut Statements,
    ) {
        let module = self.name(module.map_or("", |ident| &ident.name));
        let globals = self.globals_of_code();
        if module.as_str() == "__future__" && level == 0 {
            return;
        }
        if let [alias] = names
            && &*alias.name.name == "*"
        {
            out.push((Box::new(ImportStar { module, level, globals, span, place: self.at(span) }), span));
            return;
        }
        let names = names
            .iter()
            .map(|alias| {
                let target = alias.asname.as_ref().unwrap_or(&alias.name).name.clone();
                let slot = self.temp();
                let store = self.store_name(&target, Box::new(TakeTemp(slot)), alias.span);
                (self.name(&alias.name.name), slot, store)
            })
            .collect();
        out.push((Box::new(ImportFrom { module, level, globals, names, span, place: self.at(span) }), span));
    }
}

/// Whether a module begins with `from __future__ import annotations`.
pub(super) fn imports_future_annotations(body: &[Stmt]) -> bool {
    body.iter().any(|statement| match &statement.kind {
        StmtKind::ImportFrom { module: Some(module), names, .. } => {
            &*module.name == "__future__" && names.iter().any(|alias| &*alias.name.name == "annotations")
        }
        _ => false,
    })
}
