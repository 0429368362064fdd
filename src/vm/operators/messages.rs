//! What is said when an operator has no answer.

use super::super::Vm;
use super::is_number;
use crate::syntax::ast::{CmpOp, Operator};
use crate::value::{Complex, Kind, Raised, Value};

impl Vm {
    /// `unsupported operand type(s)`, or what sequences say instead.
    #[cold]
    #[inline(never)]
    pub(super) fn unsupported(&self, op: Operator, a: &Value, b: &Value, in_place: bool) -> Raised {
        let (left, right) = (self.type_name(&self.class_of(a)), self.type_name(&self.class_of(b)));
        let sequence = |value: &Value| match value.unwrapped().kind() {
            Kind::Str => Some("str"),
            Kind::List => Some("list"),
            Kind::Tuple => Some("tuple"),
            Kind::Bytes => Some("bytes"),
            Kind::ByteArray => Some("bytearray"),
            _ => None,
        };
        match (op, sequence(a), sequence(b)) {
            (Operator::Add, Some(what @ ("bytes" | "bytearray")), _) => {
                let _ = what;
                return self.type_error(format!("can't concat {right} to {left}"));
            }
            (Operator::Add, Some(what), _) => {
                return self.type_error(format!("can only concatenate {what} (not \"{right}\") to {what}"));
            }
            (Operator::Mult, Some(_), _) => {
                return self.type_error(format!("can't multiply sequence by non-int of type '{right}'"));
            }
            (Operator::Mult, None, Some(_)) if !self.is_generic_number(a) || a.unwrapped().downcast::<Complex>().is_some() => {
                return self.type_error(format!("can't multiply sequence by non-int of type '{left}'"));
            }
            _ => {}
        }
        let symbol = match (op, in_place) {
            (Operator::Pow, false) => "** or pow()".to_owned(),
            (op, false) => op.symbol().to_owned(),
            (op, true) => format!("{}=", op.symbol()),
        };
        let hint = match op {
            Operator::RShift if self.builtins.get_text("print").is_some_and(|print| print.is(a)) => {
                ". Did you mean \"print(<message>, file=<output_stream>)\"?"
            }
            _ => "",
        };
        self.type_error(format!("unsupported operand type(s) for {symbol}: '{left}' and '{right}'{hint}"))
    }

    /// What `sequence.__add__` says of an operand of another type.
    #[cold]
    pub(crate) fn cannot_concatenate(&self, a: &Value, b: &Value) -> Raised {
        self.unsupported(Operator::Add, a, b, false)
    }

    /// Whether a value is an integer, which sequences can be multiplied by.
    fn is_generic_number(&self, value: &Value) -> bool {
        is_number(value.unwrapped()) && !matches!(value.unwrapped(), Value::Float(_))
    }

    #[cold]
    #[inline(never)]
    pub(super) fn not_ordered(&self, op: CmpOp, a: &Value, b: &Value) -> Raised {
        let (left, right) = (self.type_name(&self.class_of(a)), self.type_name(&self.class_of(b)));
        self.type_error(format!("'{}' not supported between instances of '{left}' and '{right}'", op.symbol()))
    }

    /// `unhashable type: 'list'`.
    #[cold]
    #[inline(never)]
    pub fn unhashable(&self, value: &Value) -> Raised {
        self.type_error(format!("unhashable type: '{}'", self.type_name(&self.class_of(value))))
    }
}
