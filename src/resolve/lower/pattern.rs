//! `match` statements.

use super::{Lowerer, Statements};
use crate::syntax::Span;
use crate::syntax::ast::{self, Expr, MatchCase, PatternKind};
use crate::vm::node::Tree;
use crate::vm::stmt::match_::{Case, Guard, Match, Pattern};

/// Names that patterns of a statement capture.
type Captures = Vec<(u16, Option<Tree>)>;

impl Lowerer<'_> {
    pub(super) fn match_statement(&mut self, subject: &mut Expr, cases: &mut [MatchCase], span: Span, out: &mut Statements) {
        let subject = self.spilled(subject, out);
        let slot = self.temp();
        let mut captures = Captures::new();
        let cases = cases
            .iter_mut()
            .map(|case| {
                let pattern = self.pattern(&mut case.pattern, &mut captures);
                let guard = case.guard.as_mut().map(|guard| {
                    let mut before = Statements::new();
                    let test = self.spilled(guard, &mut before);
                    let before = (!before.is_empty()).then(|| self.suspending_block(before));
                    Guard { before, test }
                });
                let body = self.body(&mut case.body);
                Case { pattern, guard, body }
            })
            .collect();
        out.push((Box::new(Match { subject, slot, captures: captures.into(), cases, span }), span));
    }

    fn pattern(&mut self, pattern: &mut ast::Pattern, captures: &mut Captures) -> Pattern {
        let span = pattern.span;
        match &mut pattern.kind {
            PatternKind::MatchValue { value } => Pattern::Equal(self.expr(value)),
            PatternKind::MatchSingleton { value } => Pattern::Same(self.constant(value)),
            PatternKind::MatchSequence { patterns } => {
                let star = patterns.iter().position(|p| matches!(p.kind, PatternKind::MatchStar { .. }));
                let Some(at) = star else {
                    let before = patterns.iter_mut().map(|p| self.pattern(p, captures)).collect();
                    return Pattern::Sequence { before, star: None, after: Box::default() };
                };
                let before = patterns[..at].iter_mut().map(|p| self.pattern(p, captures)).collect();
                let name = match &patterns[at].kind {
                    PatternKind::MatchStar { name } => name.clone(),
                    _ => None,
                };
                let star = name.map(|name| self.capture(&name, captures));
                let after = patterns[at + 1..].iter_mut().map(|p| self.pattern(p, captures)).collect();
                Pattern::Sequence { before, star: Some(star), after }
            }
            PatternKind::MatchMapping { keys, patterns, rest } => {
                let keys = keys.iter_mut().map(|key| self.expr(key)).collect();
                let patterns = patterns.iter_mut().map(|p| self.pattern(p, captures)).collect();
                let rest = rest.as_ref().map(|name| self.capture(name, captures));
                Pattern::Mapping { keys, patterns, rest }
            }
            PatternKind::MatchClass { cls, patterns, kwd_patterns } => {
                let class = self.expr(cls);
                let positional = patterns.iter_mut().map(|p| self.pattern(p, captures)).collect();
                let keywords =
                    kwd_patterns.iter_mut().map(|(name, p)| (self.vm.intern(&name.name), self.pattern(p, captures))).collect();
                Pattern::Class { class, positional, keywords, span }
            }
            PatternKind::MatchStar { .. } => Pattern::Wildcard,
            PatternKind::MatchAs { pattern: inner, name } => match (inner, name) {
                (None, None) => Pattern::Wildcard,
                (inner, Some(name)) => {
                    let inner = inner.as_mut().map(|inner| Box::new(self.pattern(inner, captures)));
                    Pattern::Capture(inner, self.capture(name, captures))
                }
                (Some(inner), None) => self.pattern(inner, captures),
            },
            PatternKind::MatchOr { patterns } => Pattern::Or(patterns.iter_mut().map(|p| self.pattern(p, captures)).collect()),
        }
    }

    fn capture(&mut self, name: &ast::Ident, captures: &mut Captures) -> usize {
        let mut target = Expr::new(ast::ExprKind::Name(name.name.clone()), name.span);
        let entry = self.item_target(&mut target);
        captures.push(entry);
        captures.len() - 1
    }
}
