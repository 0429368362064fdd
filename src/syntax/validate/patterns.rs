//! Patterns: which names they bind, and which of them can never be reached.

use std::collections::HashSet;

use super::Validator;
use crate::syntax::ast::*;
use crate::syntax::error::SyntaxErrorKind as Kind;

/// Checks the patterns of one `match`.
pub fn check(validator: &mut Validator, cases: &[MatchCase]) {
    for (index, case) in cases.iter().enumerate() {
        let last = index + 1 == cases.len();
        check_names(validator, &case.pattern, &mut HashSet::new());
        if !last && case.guard.is_none() {
            refuse_irrefutable(validator, &case.pattern);
        }
    }
}

/// A pattern that matches everything may only come last.
fn refuse_irrefutable(validator: &mut Validator, pattern: &Pattern) {
    match &pattern.kind {
        PatternKind::MatchAs { pattern: None, name } => {
            let name = name.as_ref().map(|name| name.name.as_str().into());
            validator.code_error(Kind::Unreachable { name }, pattern.span);
        }
        PatternKind::MatchAs { pattern: Some(inner), .. } => refuse_irrefutable(validator, inner),
        PatternKind::MatchOr { patterns } => {
            if let Some(last) = patterns.last() {
                refuse_irrefutable(validator, last);
            }
        }
        _ => {}
    }
}

/// Collects the names a pattern binds and checks everything inside it.
fn check_names<'p>(validator: &mut Validator, pattern: &'p Pattern, bound: &mut HashSet<&'p Name>) {
    match &pattern.kind {
        PatternKind::MatchValue { .. } | PatternKind::MatchSingleton { .. } => {}
        PatternKind::MatchSequence { patterns } => {
            let stars = patterns.iter().filter(|item| matches!(item.kind, PatternKind::MatchStar { .. })).count();
            if stars > 1 {
                validator.code_error(Kind::SeveralStarPatterns, pattern.span);
            }
            patterns.iter().for_each(|item| check_names(validator, item, bound));
        }
        PatternKind::MatchMapping { keys, patterns, rest } => {
            let mut seen = HashSet::new();
            for key in keys {
                if matches!(key.kind, ExprKind::JoinedStr { .. }) {
                    validator.code_error(Kind::MappingKeyKind, pattern.span);
                }
                if let Some(repr) = key_repr(key)
                    && !seen.insert(as_number(&repr).unwrap_or(repr.clone()))
                {
                    validator.code_error(Kind::RepeatedMappingKey(shown_key(repr).into()), pattern.span);
                }
            }
            patterns.iter().for_each(|item| check_names(validator, item, bound));
            bind(validator, rest.as_ref(), pattern, bound);
        }
        PatternKind::MatchClass { patterns, kwd_patterns, .. } => {
            let mut seen = HashSet::new();
            for (name, value) in kwd_patterns {
                if !seen.insert(&name.name) {
                    validator.code_error(Kind::RepeatedAttribute(name.name.as_str().into()), value.span);
                }
                validator.check_debug(&name.name, value.span, "assign to");
            }
            let named = kwd_patterns.iter().map(|(_, item)| item);
            patterns.iter().chain(named).for_each(|item| check_names(validator, item, bound));
        }
        PatternKind::MatchStar { name } => bind(validator, name.as_ref(), pattern, bound),
        PatternKind::MatchAs { pattern: inner, name } => {
            if let Some(inner) = inner {
                check_names(validator, inner, bound);
            }
            bind(validator, name.as_ref(), pattern, bound);
        }
        PatternKind::MatchOr { patterns } => alternatives(validator, pattern, patterns, bound),
    }
}

/// All alternatives bind the same names; only the last may match everything.
fn alternatives<'p>(validator: &mut Validator, pattern: &'p Pattern, patterns: &'p [Pattern], bound: &mut HashSet<&'p Name>) {
    let mut names: Option<HashSet<&Name>> = None;
    for (index, alternative) in patterns.iter().enumerate() {
        if index + 1 < patterns.len() {
            refuse_irrefutable(validator, alternative);
        }
        let mut own = HashSet::new();
        check_names(validator, alternative, &mut own);
        match &names {
            None => names = Some(own),
            Some(names) if *names != own => validator.code_error(Kind::DifferentNames, pattern.span),
            Some(_) => {}
        }
    }
    for name in names.into_iter().flatten() {
        if !bound.insert(name) {
            validator.code_error(Kind::MultipleCaptures(name.as_str().into()), pattern.span);
        }
    }
}

fn bind<'p>(validator: &mut Validator, name: Option<&'p Ident>, pattern: &'p Pattern, bound: &mut HashSet<&'p Name>) {
    let Some(name) = name else { return };
    validator.check_debug(&name.name, pattern.span, "assign to");
    if !bound.insert(&name.name) {
        validator.code_error(Kind::MultipleCaptures(name.name.as_str().into()), pattern.span);
    }
}

/// The number that a key is, so that equal ones are found: `1`, `1.0` and `True` are one key.
fn as_number(repr: &str) -> Option<String> {
    let number = match repr {
        "True" => 1.0,
        "False" => 0.0,
        repr if repr.starts_with(['\'', '"', 'b', 'N']) || repr.ends_with('j') => return None,
        repr => repr.parse::<f64>().ok()?,
    };
    let is_exact = number.abs() < 9e15;
    is_exact.then(|| if number == 0.0 { "0".to_owned() } else { number.to_string() })
}

/// Minus zero is zero.
fn shown_key(repr: String) -> String {
    if repr == "-0" { "0".to_owned() } else { repr }
}

/// How a message shows the key of a mapping pattern; `None` if it is not a literal.
fn key_repr(key: &Expr) -> Option<String> {
    let (sign, literal) = match &key.kind {
        ExprKind::UnaryOp { operand, .. } => ("-", operand.as_ref()),
        _ => ("", key),
    };
    let ExprKind::Constant(constant) = &literal.kind else { return None };
    let text = match constant {
        Constant::None => "None".into(),
        Constant::True => "True".into(),
        Constant::False => "False".into(),
        Constant::Ellipsis => return None,
        Constant::Int(value) => value.to_string(),
        Constant::BigInt(value) => value.to_string(),
        Constant::Float(value) => format!("{value:?}"),
        Constant::Complex(value) => format!("{value}j"),
        Constant::Str(text) if text.contains('\'') && !text.contains('"') => format!("\"{text}\""),
        Constant::Str(text) => format!("'{}'", text.escape_debug()),
        Constant::Bytes(bytes) => format!("b'{}'", bytes.escape_ascii()),
    };
    Some(format!("{sign}{text}"))
}
