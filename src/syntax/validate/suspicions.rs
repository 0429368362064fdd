//! What is allowed and hardly meant: comparing identity with a literal, calling or subscripting what cannot be, asserting a
//! tuple. Each is a warning, in the order in which CPython's compiler gives them.

use super::Validator;
use crate::syntax::Warning;
use crate::syntax::ast::*;
use crate::syntax::source::Span;

impl Validator {
    #[cold]
    fn suspect(&mut self, text: String, span: Span) {
        self.warnings.push(Warning { text, span });
    }

    /// `x is 1`
    pub(super) fn comparison(&mut self, left: &Expr, ops: &[CmpOp], comparators: &[Expr], span: Span) {
        let mut left = left;
        for (op, right) in ops.iter().zip(comparators) {
            if let CmpOp::Is | CmpOp::IsNot = op
                && let Some(kind) = compared_literal(left).or_else(|| compared_literal(right))
            {
                let (word, instead) = if *op == CmpOp::Is { ("is", "==") } else { ("is not", "!=") };
                return self.suspect(format!("\"{word}\" with '{kind}' literal. Did you mean \"{instead}\"?"), span);
            }
            left = right;
        }
    }

    /// `assert (a, "b")`
    pub(super) fn assertion(&mut self, test: &Expr, span: Span) {
        if let ExprKind::Tuple { elts } = &test.kind
            && !elts.is_empty()
        {
            self.suspect("assertion is always true, perhaps remove parentheses?".to_owned(), span);
        }
    }

    /// `"a" (b)`
    pub(super) fn called(&mut self, func: &Expr) {
        if let ExprKind::Lambda { .. } = func.kind {
            return;
        }
        if let Some(class) = class_of(func) {
            self.suspect(format!("'{class}' object is not callable; perhaps you missed a comma?"), func.span);
        }
    }

    /// `1 [2]`, `"a" ["b"]`
    pub(super) fn subscribed(&mut self, value: &Expr, index: &Expr) {
        let Some(class) = class_of(value) else { return };
        match class {
            "str" | "bytes" | "list" | "tuple" => {
                if let Some(of_index) = class_of(index)
                    && !matches!(of_index, "int" | "bool")
                {
                    let text = format!("{class} indices must be integers or slices, not {of_index}; perhaps you missed a comma?");
                    self.suspect(text, value.span);
                }
            }
            "dict" => {}
            _ => self.suspect(format!("'{class}' object is not subscriptable; perhaps you missed a comma?"), value.span),
        }
    }
}

/// The class of a literal whose identity means nothing.
fn compared_literal(expr: &Expr) -> Option<&'static str> {
    match class_of(expr)? {
        "NoneType" | "bool" | "ellipsis" => None,
        class if is_constant(expr) => Some(class),
        _ => None,
    }
}

/// What CPython folds into one constant.
fn is_constant(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Constant(_) => true,
        ExprKind::UnaryOp { op: UnaryOp::USub | UnaryOp::UAdd | UnaryOp::Invert, operand } => is_constant(operand),
        ExprKind::BinOp { left, right, .. } => number(left).is_some() && number(right).is_some(),
        ExprKind::Tuple { elts } => elts.iter().all(is_constant),
        _ => false,
    }
}

/// The class of a number that CPython folds, small expressions included.
fn number(expr: &Expr) -> Option<&'static str> {
    match &expr.kind {
        ExprKind::Constant(Constant::Int(_) | Constant::BigInt(_)) => Some("int"),
        ExprKind::Constant(Constant::Float(_)) => Some("float"),
        ExprKind::Constant(Constant::Complex(_)) => Some("complex"),
        ExprKind::UnaryOp { op: UnaryOp::USub | UnaryOp::UAdd, operand } => number(operand),
        ExprKind::BinOp { left, op: Operator::Add | Operator::Sub | Operator::Mult, right } if expr.depth().total < 20 => {
            let classes = [number(left)?, number(right)?];
            ["complex", "float", "int"].into_iter().find(|class| classes.contains(class))
        }
        _ => None,
    }
}

/// The class of what an expression makes, if its form tells.
fn class_of(expr: &Expr) -> Option<&'static str> {
    Some(match &expr.kind {
        ExprKind::Constant(constant) => match constant {
            Constant::None => "NoneType",
            Constant::True | Constant::False => "bool",
            Constant::Ellipsis => "ellipsis",
            Constant::Int(_) | Constant::BigInt(_) => "int",
            Constant::Float(_) => "float",
            Constant::Complex(_) => "complex",
            Constant::Str(_) => "str",
            Constant::Bytes(_) => "bytes",
        },
        ExprKind::UnaryOp { .. } | ExprKind::BinOp { .. } => return number(expr),
        ExprKind::Tuple { .. } => "tuple",
        ExprKind::List { .. } | ExprKind::ListComp { .. } => "list",
        ExprKind::Dict { .. } | ExprKind::DictComp { .. } => "dict",
        ExprKind::Set { .. } | ExprKind::SetComp { .. } => "set",
        ExprKind::GeneratorExp { .. } => "generator",
        ExprKind::Lambda { .. } => "function",
        ExprKind::JoinedStr { .. } | ExprKind::FormattedValue { .. } => "str",
        _ => return None,
    })
}
