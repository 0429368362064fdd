//! `from __future__ import ...`: which features there are, and that it comes first.

use crate::syntax::ast::{Constant, ExprKind, Stmt, StmtKind};
use crate::syntax::error::{SyntaxError, SyntaxErrorKind as Kind};
use crate::syntax::source::Span;

const FEATURES: [&str; 10] = [
    "nested_scopes",
    "generators",
    "division",
    "absolute_import",
    "with_statement",
    "print_function",
    "unicode_literals",
    "barry_as_FLUFL",
    "generator_stop",
    "annotations",
];

/// Checks the imports that stand first, and that no other statement of the module is one.
pub fn check(body: &[Stmt]) -> Option<SyntaxError> {
    let mut leading = true;
    for (index, stmt) in body.iter().enumerate() {
        match &stmt.kind {
            StmtKind::ImportFrom { module: Some(module), names, level: 0 } if module.name.as_str() == "__future__" => {
                if !leading {
                    return Some(SyntaxError::new(Kind::FutureNotFirst, stmt.span));
                }
                let first_column = Span::at(stmt.span.start as usize);
                for alias in names {
                    let name = alias.name.name.as_str();
                    if name == "braces" {
                        return Some(SyntaxError::new(Kind::NotAChance, first_column));
                    }
                    if !FEATURES.contains(&name) {
                        return Some(SyntaxError::new(Kind::FutureUnknown(name.into()), first_column));
                    }
                }
            }
            StmtKind::Expr { value } if index == 0 && matches!(value.kind, ExprKind::Constant(Constant::Str(_))) => {}
            _ => leading = false,
        }
    }
    None
}
