//! The patterns of `match`.

use super::{Actions, end_of};
use crate::syntax::ast::*;
use crate::syntax::error::SyntaxErrorKind as Kind;
use crate::syntax::source::Span;

impl Actions<'_> {
    pub fn case(&self, l: u32, pattern: Box<Pattern>, guard: Option<Box<Expr>>, body: Vec<Stmt>) -> MatchCase {
        let end = end_of(&body).unwrap_or(l);
        let guard = guard.map(|guard| *guard);
        MatchCase { pattern: *pattern, guard, body, span: Span { start: l, end } }
    }

    /// A name that a pattern binds; `_` binds nothing.
    pub fn capture(&self, name: Ident) -> Option<Ident> {
        (name.name.as_str() != "_").then_some(name)
    }

    pub fn as_pattern(&self, l: u32, pattern: Box<Pattern>, target: Box<Expr>, r: u32) -> Box<Pattern> {
        let name = match &target.kind {
            ExprKind::Name(name) if name.as_str() == "_" => {
                self.refuse(Kind::WildcardTarget, target.span);
                None
            }
            ExprKind::Name(name) => Some(Ident { name: name.clone(), span: target.span }),
            ExprKind::Attribute { value, .. } | ExprKind::Subscript { value, .. } | ExprKind::Call { func: value, .. } => {
                self.refuse(Kind::Invalid, Span { start: value.span.end, end: value.span.end + 1 });
                None
            }
            _ => {
                self.refuse(Kind::PatternTarget, target.span);
                None
            }
        };
        self.pattern(l, PatternKind::MatchAs { pattern: Some(pattern), name }, r)
    }

    /// `(*a)`
    pub fn lone_star_pattern(&self, close: u32) -> PatternKind {
        self.refuse(Kind::Invalid, Span { start: close, end: close + 1 });
        PatternKind::MatchSequence { patterns: vec![] }
    }

    pub fn literal_pattern(&self, value: Box<Expr>) -> PatternKind {
        if matches!(value.kind, ExprKind::JoinedStr { .. }) {
            self.refuse(Kind::PatternLiteral, value.span);
        }
        PatternKind::MatchValue { value }
    }

    /// `1 + 2j`
    pub fn complex_pattern(&self, l: u32, left: Box<Expr>, op: Operator, right: Box<Expr>, r: u32) -> Box<Expr> {
        let is_complex = |expr: &Expr| matches!(expr.kind, ExprKind::Constant(Constant::Complex(_)));
        let real = match &left.kind {
            ExprKind::UnaryOp { operand, .. } => operand,
            _ => &left,
        };
        if is_complex(real) {
            self.refuse(Kind::RealRequired, left.span);
        } else if !is_complex(&right) {
            self.refuse(Kind::ImaginaryRequired, right.span);
        }
        self.binary(l, left, op, right, r)
    }

    pub fn mapping_pattern(&self, items: Vec<(Option<Box<Expr>>, Box<Pattern>)>) -> PatternKind {
        let (mut keys, mut patterns, mut rest) = (vec![], vec![], None);
        for (key, pattern) in items {
            if rest.is_some() {
                self.refuse(Kind::Invalid, key.as_ref().map_or(pattern.span, |key| key.span));
            }
            match (key, *pattern) {
                (Some(key), pattern) => {
                    keys.push(*key);
                    patterns.push(pattern);
                }
                (None, Pattern { kind: PatternKind::MatchStar { name }, .. }) => {
                    if let Some(name) = name.as_ref().filter(|name| name.name.as_str() == "_") {
                        self.refuse(Kind::Invalid, name.span);
                    }
                    rest = name;
                }
                (None, _) => {}
            }
        }
        PatternKind::MatchMapping { keys, patterns, rest }
    }

    pub fn class_pattern(&self, cls: Box<Expr>, items: Vec<(Option<Box<Ident>>, Box<Pattern>)>) -> PatternKind {
        let (mut patterns, mut kwd_patterns) = (vec![], vec![]);
        for (name, pattern) in items {
            match name {
                Some(name) => kwd_patterns.push((*name, *pattern)),
                None => {
                    if !kwd_patterns.is_empty() {
                        self.refuse(Kind::PositionalPatternAfterKeyword, pattern.span);
                    }
                    patterns.push(*pattern);
                }
            }
        }
        PatternKind::MatchClass { cls, patterns, kwd_patterns }
    }
}
