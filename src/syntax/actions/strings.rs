//! Strings and f-strings: implicit concatenation and the fields.

use super::Actions;
use crate::syntax::ast::{Constant, Conversion, Expr, ExprKind, Ident};
use crate::syntax::error::SyntaxErrorKind as Kind;
use crate::syntax::literal;
use crate::syntax::source::Span;

impl Actions<'_> {
    pub fn string(&self, l: u32, r: u32) -> Box<Expr> {
        let prefix = literal::Prefix::of(self.slice(l, r));
        if !prefix.raw {
            let span = Span { start: l, end: r };
            self.check_escapes(l + prefix.opening as u32, r - prefix.closing as u32, prefix.bytes, span);
        }
        let constant = literal::string(self.slice(l, r), l as usize).unwrap_or_else(|error| {
            self.fail(error);
            Constant::None
        });
        self.expr(l, ExprKind::Constant(constant), r)
    }

    /// Adjacent literals are one.
    pub fn concatenate(&self, l: u32, parts: Vec<Expr>, r: u32) -> Box<Expr> {
        let span = Span { start: l, end: r };
        let is_bytes = |expr: &Expr| matches!(expr.kind, ExprKind::Constant(Constant::Bytes(_)));
        let several = parts.iter().filter(|part| is_bytes(part)).count();
        if several == parts.len() {
            let mut all = Vec::new();
            for part in &parts {
                if let ExprKind::Constant(Constant::Bytes(bytes)) = &part.kind {
                    all.extend_from_slice(bytes);
                }
            }
            return self.expr(l, ExprKind::Constant(Constant::Bytes(all.into())), r);
        }
        if several > 0 {
            self.refuse(Kind::MixedBytes, Span { start: r, end: r + 1 });
            return self.nothing(span);
        }
        if parts.iter().all(|part| matches!(part.kind, ExprKind::Constant(_))) {
            let all: String = parts.iter().filter_map(constant_text).collect();
            return self.expr(l, ExprKind::Constant(Constant::Str(all.into())), r);
        }
        let mut values = Vec::new();
        for part in parts {
            match part.kind {
                ExprKind::JoinedStr { values: inner } => values.extend(inner),
                _ => values.push(part),
            }
        }
        self.expr(l, ExprKind::JoinedStr { values: merge(values) }, r)
    }

    pub fn fstring(&self, l: u32, values: Vec<Expr>, r: u32) -> Box<Expr> {
        self.expr(l, ExprKind::JoinedStr { values: merge(values) }, r)
    }

    pub fn fstring_spec(&self, l: u32, values: Vec<Expr>, r: u32) -> Box<Expr> {
        self.expr(l, ExprKind::JoinedStr { values: merge(values) }, r)
    }

    pub fn fstring_text(&self, mut into: Vec<Expr>, l: u32, raw: bool, r: u32) -> Vec<Expr> {
        let span = Span { start: l, end: r };
        if !raw {
            self.check_escapes(l, r, false, span);
        }
        match literal::fstring_text(self.slice(l, r), raw) {
            Ok(text) => into.push(Expr::new(ExprKind::Constant(Constant::Str(text.into())), span)),
            // CPython points behind the text.
            Err(kind) => self.refuse(kind, Span { start: r, end: r + 1 }),
        }
        into
    }

    /// `debug` is the span of `{value = }` between brace and what follows the equals sign.
    #[allow(clippy::too_many_arguments)]
    pub fn fstring_field(
        &self,
        mut into: Vec<Expr>,
        l: u32,
        value: Box<Expr>,
        debug: Option<Span>,
        conversion: Option<Box<(u32, Ident)>>,
        format_spec: Option<Box<Expr>>,
        r: u32,
    ) -> Vec<Expr> {
        let mut conversion = conversion.and_then(|parts| self.conversion(parts.0, parts.1));
        if let Some(span) = debug {
            let text = self.slice(span.start, span.end).replace("\r\n", "\n").replace('\r', "\n");
            into.push(Expr::new(ExprKind::Constant(Constant::Str(text.into())), span));
            if conversion.is_none() && format_spec.is_none() {
                conversion = Some(Conversion::Repr);
            }
        }
        into.push(*self.expr(l, ExprKind::FormattedValue { value, conversion, format_spec }, r));
        into
    }

    /// The letter behind an exclamation mark that ends at `bang`.
    fn conversion(&self, bang: u32, letter: Ident) -> Option<Conversion> {
        if letter.span.start != bang {
            self.refuse(Kind::FStringConversionSpace, Span { start: bang - 1, end: letter.span.end });
        }
        match letter.name.as_str() {
            "s" => Some(Conversion::Str),
            "r" => Some(Conversion::Repr),
            "a" => Some(Conversion::Ascii),
            other => {
                self.refuse(Kind::FStringConversion(other.into()), letter.span);
                None
            }
        }
    }
}

fn constant_text(expr: &Expr) -> Option<&str> {
    match &expr.kind {
        ExprKind::Constant(Constant::Str(text)) => Some(text),
        _ => None,
    }
}

/// Joins neighbouring constants and drops empty ones.
fn merge(values: Vec<Expr>) -> Vec<Expr> {
    let constants = |pair: &[Expr]| constant_text(&pair[0]).is_some() && constant_text(&pair[1]).is_some();
    if !values.windows(2).any(constants) && !values.iter().any(|value| constant_text(value) == Some("")) {
        return values;
    }
    let mut out: Vec<Expr> = Vec::with_capacity(values.len());
    let mut text: Option<(String, Span)> = None;
    let flush = |text: &mut Option<(String, Span)>, out: &mut Vec<Expr>| {
        if let Some((text, span)) = text.take().filter(|(text, _)| !text.is_empty()) {
            out.push(Expr::new(ExprKind::Constant(Constant::Str(text.into())), span));
        }
    };
    for value in values {
        match constant_text(&value) {
            Some(piece) => {
                let (all, span) = text.get_or_insert_with(|| (String::new(), value.span));
                all.push_str(piece);
                *span = span.to(value.span);
            }
            None => {
                flush(&mut text, &mut out);
                out.push(value);
            }
        }
    }
    flush(&mut text, &mut out);
    out
}
