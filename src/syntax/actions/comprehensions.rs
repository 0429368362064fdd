//! Comprehensions and generator expressions.

use super::Actions;
use crate::syntax::ast::{Comprehension, DictItem, Expr, ExprKind};
use crate::syntax::error::SyntaxErrorKind as Kind;
use crate::syntax::source::Span;

impl Actions<'_> {
    pub fn comprehension(
        &self,
        mut into: Vec<Comprehension>,
        l: u32,
        is_async: bool,
        target: Box<Expr>,
        iter: Box<Expr>,
        r: u32,
    ) -> Vec<Comprehension> {
        let span = Span { start: l, end: r };
        into.push(Comprehension { is_async, target: *target, iter: *iter, ifs: vec![], span });
        into
    }

    pub fn comprehension_if(&self, mut into: Vec<Comprehension>, test: Box<Expr>, r: u32) -> Vec<Comprehension> {
        if let Some(last) = into.last_mut() {
            last.ifs.push(*test);
            last.span.end = r;
        }
        into
    }

    pub fn generator(&self, elt: Box<Expr>, generators: Vec<Comprehension>) -> ExprKind {
        self.refuse_unpacking(&elt);
        ExprKind::GeneratorExp { elt, generators }
    }

    pub fn list_comp(&self, elt: Box<Expr>, generators: Vec<Comprehension>) -> ExprKind {
        self.refuse_unpacking(&elt);
        ExprKind::ListComp { elt, generators }
    }

    pub fn set_comp(&self, elt: Box<Expr>, generators: Vec<Comprehension>) -> ExprKind {
        self.refuse_unpacking(&elt);
        ExprKind::SetComp { elt, generators }
    }

    pub fn dict_comp(&self, item: Box<DictItem>, generators: Vec<Comprehension>) -> ExprKind {
        let DictItem { key, value } = *item;
        match key {
            Some(key) => ExprKind::DictComp { key: Box::new(key), value: Box::new(value), generators },
            None => {
                let start = self.text[..value.span.start as usize].rfind("**").unwrap_or(0);
                self.refuse(Kind::DictUnpackingInComprehension, Span::new(start, start + 2));
                ExprKind::Dict { items: vec![] }
            }
        }
    }

    pub(super) fn refuse_unpacking(&self, elt: &Expr) {
        if matches!(elt.kind, ExprKind::Starred { .. }) {
            self.refuse(Kind::UnpackingInComprehension, elt.span);
        }
    }

    /// `[a, b for ...]`
    pub fn unparenthesized_target(&self, l: u32, elts: Vec<Expr>, r: u32) -> ExprKind {
        self.refuse(Kind::ParenthesizeTarget, Span { start: l, end: r });
        ExprKind::List { elts }
    }
}
