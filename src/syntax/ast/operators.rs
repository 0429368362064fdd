//! The operators, each a row: how it is written and which methods answer it.
//!
//! Read by messages, by the evaluator and by whatever prints a tree.

/// A binary arithmetic or bitwise operator.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Operator {
    Add,
    Sub,
    Mult,
    MatMult,
    Div,
    Mod,
    Pow,
    LShift,
    RShift,
    BitOr,
    BitXor,
    BitAnd,
    FloorDiv,
}

/// What there is to know of a binary operator.
#[derive(Debug)]
pub struct OperatorRow {
    /// `+`
    pub symbol: &'static str,
    /// `__add__`
    pub dunder: &'static str,
    /// `__radd__`
    pub reflected: &'static str,
    /// `__iadd__`
    pub in_place: &'static str,
}

macro_rules! row {
    ($symbol:literal, $stem:literal) => {
        OperatorRow {
            symbol: $symbol,
            dunder: concat!("__", $stem, "__"),
            reflected: concat!("__r", $stem, "__"),
            in_place: concat!("__i", $stem, "__"),
        }
    };
}

/// In the order of [`Operator`].
#[rustfmt::skip]
static OPERATORS: [OperatorRow; 13] = [
    row!("+",  "add"),
    row!("-",  "sub"),
    row!("*",  "mul"),
    row!("@",  "matmul"),
    row!("/",  "truediv"),
    row!("%",  "mod"),
    row!("**", "pow"),
    row!("<<", "lshift"),
    row!(">>", "rshift"),
    row!("|",  "or"),
    row!("^",  "xor"),
    row!("&",  "and"),
    row!("//", "floordiv"),
];

impl Operator {
    pub fn row(self) -> &'static OperatorRow {
        &OPERATORS[self as usize]
    }

    pub fn symbol(self) -> &'static str {
        self.row().symbol
    }
}

/// `and`, `or`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BoolOp {
    And,
    Or,
}

/// `~`, `not`, `+`, `-`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum UnaryOp {
    Invert,
    Not,
    UAdd,
    USub,
}

/// A comparison.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum CmpOp {
    Eq,
    NotEq,
    Lt,
    LtE,
    Gt,
    GtE,
    Is,
    IsNot,
    In,
    NotIn,
}

impl CmpOp {
    /// Whether this order satisfies the comparison; nothing for `is` and `in`, which do not ask for one.
    #[inline(always)]
    pub fn holds(self, order: std::cmp::Ordering) -> Option<bool> {
        Some(match self {
            CmpOp::Eq => order.is_eq(),
            CmpOp::NotEq => order.is_ne(),
            CmpOp::Lt => order.is_lt(),
            CmpOp::LtE => order.is_le(),
            CmpOp::Gt => order.is_gt(),
            CmpOp::GtE => order.is_ge(),
            CmpOp::Is | CmpOp::IsNot | CmpOp::In | CmpOp::NotIn => return None,
        })
    }
}

impl BoolOp {
    pub fn symbol(self) -> &'static str {
        match self {
            BoolOp::And => "and",
            BoolOp::Or => "or",
        }
    }
}

impl UnaryOp {
    pub fn symbol(self) -> &'static str {
        match self {
            UnaryOp::Invert => "~",
            UnaryOp::Not => "not",
            UnaryOp::UAdd => "+",
            UnaryOp::USub => "-",
        }
    }

    /// The method that answers it; `not` asks for truth instead.
    pub fn dunder(self) -> Option<&'static str> {
        match self {
            UnaryOp::Invert => Some("__invert__"),
            UnaryOp::Not => None,
            UnaryOp::UAdd => Some("__pos__"),
            UnaryOp::USub => Some("__neg__"),
        }
    }
}

impl CmpOp {
    pub fn symbol(self) -> &'static str {
        match self {
            CmpOp::Eq => "==",
            CmpOp::NotEq => "!=",
            CmpOp::Lt => "<",
            CmpOp::LtE => "<=",
            CmpOp::Gt => ">",
            CmpOp::GtE => ">=",
            CmpOp::Is => "is",
            CmpOp::IsNot => "is not",
            CmpOp::In => "in",
            CmpOp::NotIn => "not in",
        }
    }

    /// The method asked first, of the left operand (of the right one for `in`); `is` asks nobody.
    pub fn dunder(self) -> Option<&'static str> {
        match self {
            CmpOp::Eq => Some("__eq__"),
            CmpOp::NotEq => Some("__ne__"),
            CmpOp::Lt => Some("__lt__"),
            CmpOp::LtE => Some("__le__"),
            CmpOp::Gt => Some("__gt__"),
            CmpOp::GtE => Some("__ge__"),
            CmpOp::In | CmpOp::NotIn => Some("__contains__"),
            CmpOp::Is | CmpOp::IsNot => None,
        }
    }

    /// The comparison that says the same with its operands exchanged: the reflected method.
    pub fn swapped(self) -> Option<CmpOp> {
        match self {
            CmpOp::Eq | CmpOp::NotEq => Some(self),
            CmpOp::Lt => Some(CmpOp::Gt),
            CmpOp::LtE => Some(CmpOp::GtE),
            CmpOp::Gt => Some(CmpOp::Lt),
            CmpOp::GtE => Some(CmpOp::LtE),
            CmpOp::Is | CmpOp::IsNot | CmpOp::In | CmpOp::NotIn => None,
        }
    }
}
