//! The abstract syntax tree: Python 3.12's, with the names and fields of its published abstract grammar.
//!
//! Built by the parser, checked by `validate`, read by `resolve`. What differs from CPython's `ast` module:
//! an `elif` is a row of its `If` rather than an `If` nested in `orelse`; `async` is a flag of the three statements that
//! have it; there is no expression context, because a target is simply an expression that stands in a target's field;
//! implicit concatenation is done and parentheses are gone.
//!
//! # Depth
//!
//! Everything that walks this tree recurses, so its depth is bounded while it is built: every expression knows the
//! [`Depth`] under it. On any path from the root to a leaf there are at most [`MAX_DEPTH`] expressions inside one
//! another and at most [`MAX_BLOCKS`] statement blocks. The bound is generous because of long flat programs such as
//! `a + b + c + ...`, which nest to the left only. A pass that walks the left spine ([`Expr::spine`]) in a loop meets at
//! most [`MAX_NESTING`] further levels; one that simply recurses calls itself through [`with_stack`].

mod operators;
pub mod walk;

use std::fmt;
use std::ops::Deref;
use std::rc::Rc;

use dashu_int::IBig;

pub use operators::{BoolOp, CmpOp, Operator, OperatorRow, UnaryOp};

use super::source::Span;
use super::warning::Warning;

/// The most expressions that may stand inside one another, long left-leaning chains included.
pub const MAX_DEPTH: u16 = 6_000;

/// The most expressions inside one another when a step to the left operand (of an operator, `a.b`, `a[b]`, `a(b)`) does
/// not count.
pub const MAX_NESTING: u16 = 500;

/// The most blocks inside one another: CPython's limit of indentation.
pub const MAX_BLOCKS: usize = 100;

/// An identifier, in normal form NFKC. Cloning is cheap; within one parse equal names share their text (save where it was
/// written in different forms).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(Rc<str>);

/// An identifier that stands in the text at a place of its own.
#[derive(Clone, PartialEq, Debug)]
pub struct Ident {
    pub name: Name,
    pub span: Span,
}

/// A whole source. In `Mode::Eval` its body is exactly one expression statement.
#[derive(PartialEq, Debug, Default)]
pub struct Module {
    pub body: Vec<Stmt>,
    pub span: Span,
    /// What is suspicious in it.
    pub warnings: Vec<Warning>,
}

/// A statement. Its span excludes the line end, and the decorators of a definition.
#[derive(PartialEq, Debug)]
pub struct Stmt {
    pub kind: StmtKind,
    pub span: Span,
}

#[derive(PartialEq, Debug)]
pub enum StmtKind {
    /// `def f(x): ...`, `async def f(x): ...`
    FunctionDef(Box<FunctionDef>),
    /// `class C(B, metaclass=M): ...`
    ClassDef(Box<ClassDef>),
    /// `return`, `return value`
    Return { value: Option<Box<Expr>> },
    /// `del a, b[0], c.d`
    Delete { targets: Vec<Expr> },
    /// `a = b = value`: each target in order of writing
    Assign { targets: Vec<Expr>, value: Box<Expr> },
    /// `type Alias[T] = value`
    TypeAlias { name: Ident, type_params: Vec<TypeParam>, value: Box<Expr> },
    /// `target += value`; the target is a name, an attribute or a subscript
    AugAssign { target: Box<Expr>, op: Operator, value: Box<Expr> },
    /// `target: annotation`, `target: annotation = value`; `simple` for a bare name that is not in parentheses
    AnnAssign { target: Box<Expr>, annotation: Box<Expr>, value: Option<Box<Expr>>, simple: bool },
    /// `for target in iter: ...`, `async for ...`
    For(Box<For>),
    /// `while test: body`, `else: orelse`
    While { test: Box<Expr>, body: Vec<Stmt>, orelse: Vec<Stmt> },
    /// `if test: body`, any number of `elif`, `else: orelse`
    If { test: Box<Expr>, body: Vec<Stmt>, elifs: Vec<Elif>, orelse: Vec<Stmt> },
    /// `with a as b, c: body`, `async with ...`
    With(Box<With>),
    /// `match subject: case ...`
    Match { subject: Box<Expr>, cases: Vec<MatchCase> },
    /// `raise`, `raise exc`, `raise exc from cause`
    Raise { exc: Option<Box<Expr>>, cause: Option<Box<Expr>> },
    /// `try` with its clauses
    Try(Box<Try>),
    /// `assert test, msg`
    Assert { test: Box<Expr>, msg: Option<Box<Expr>> },
    /// `import a.b as c, d`
    Import { names: Vec<Alias> },
    /// `from ..module import a as b`, `from . import *`; `level` counts the leading dots
    ImportFrom { module: Option<Ident>, names: Vec<Alias>, level: u32 },
    /// `global a, b`
    Global { names: Vec<Ident> },
    /// `nonlocal a, b`
    Nonlocal { names: Vec<Ident> },
    /// An expression for its effect
    Expr { value: Box<Expr> },
    /// `pass`
    Pass,
    /// `break`
    Break,
    /// `continue`
    Continue,
}

/// A function definition, ordinary or `async`.
#[derive(PartialEq, Debug)]
pub struct FunctionDef {
    pub is_async: bool,
    pub name: Ident,
    pub type_params: Vec<TypeParam>,
    pub args: Arguments,
    pub returns: Option<Expr>,
    pub body: Vec<Stmt>,
    /// The expressions after each `@`, first written first.
    pub decorator_list: Vec<Expr>,
}

/// A class definition.
#[derive(PartialEq, Debug)]
pub struct ClassDef {
    pub name: Ident,
    pub type_params: Vec<TypeParam>,
    pub bases: Vec<Expr>,
    pub keywords: Vec<Keyword>,
    pub body: Vec<Stmt>,
    /// The expressions after each `@`, first written first.
    pub decorator_list: Vec<Expr>,
}

/// `for target in iter: body`, `else: orelse`.
#[derive(PartialEq, Debug)]
pub struct For {
    pub is_async: bool,
    pub target: Expr,
    pub iter: Expr,
    pub body: Vec<Stmt>,
    pub orelse: Vec<Stmt>,
}

/// `elif test: body`. The span begins at the keyword.
#[derive(PartialEq, Debug)]
pub struct Elif {
    pub test: Expr,
    pub body: Vec<Stmt>,
    pub span: Span,
}

/// `with items: body`.
#[derive(PartialEq, Debug)]
pub struct With {
    pub is_async: bool,
    pub items: Vec<WithItem>,
    pub body: Vec<Stmt>,
}

/// `context_expr as optional_vars`.
#[derive(PartialEq, Debug)]
pub struct WithItem {
    pub context_expr: Expr,
    pub optional_vars: Option<Expr>,
}

/// `try: body` with handlers (`except*` if `is_star`), `else` and `finally`.
#[derive(PartialEq, Debug)]
pub struct Try {
    pub is_star: bool,
    pub body: Vec<Stmt>,
    pub handlers: Vec<ExceptHandler>,
    pub orelse: Vec<Stmt>,
    pub finalbody: Vec<Stmt>,
}

/// `except type as name: body`. The span is the whole clause.
#[derive(PartialEq, Debug)]
pub struct ExceptHandler {
    pub typ: Option<Expr>,
    pub name: Option<Ident>,
    pub body: Vec<Stmt>,
    pub span: Span,
}

/// `case pattern if guard: body`.
#[derive(PartialEq, Debug)]
pub struct MatchCase {
    pub pattern: Pattern,
    pub guard: Option<Expr>,
    pub body: Vec<Stmt>,
    pub span: Span,
}

/// What a `case` compares its subject with.
#[derive(PartialEq, Debug)]
pub struct Pattern {
    pub kind: PatternKind,
    pub span: Span,
}

#[derive(PartialEq, Debug)]
pub enum PatternKind {
    /// A literal other than a singleton, or a dotted name: compared by `==`
    MatchValue { value: Box<Expr> },
    /// `None`, `True`, `False`: compared by `is`
    MatchSingleton { value: Constant },
    /// `[a, b, *rest]`, `(a, b)`, `a, b`
    MatchSequence { patterns: Vec<Pattern> },
    /// `{k: p, **rest}`; as many keys as patterns
    MatchMapping { keys: Vec<Expr>, patterns: Vec<Pattern>, rest: Option<Ident> },
    /// `Cls(p, attr=q)`
    MatchClass { cls: Box<Expr>, patterns: Vec<Pattern>, kwd_patterns: Vec<(Ident, Pattern)> },
    /// `*name`, `*_` (no name), inside a sequence only
    MatchStar { name: Option<Ident> },
    /// `pattern as name`, a capture `name` (no pattern), the wildcard `_` (neither)
    MatchAs { pattern: Option<Box<Pattern>>, name: Option<Ident> },
    /// `p | q`, at least two
    MatchOr { patterns: Vec<Pattern> },
}

/// An expression.
#[derive(PartialEq, Debug)]
pub struct Expr {
    pub kind: ExprKind,
    pub span: Span,
    depth: Depth,
}

#[derive(PartialEq, Debug)]
pub enum ExprKind {
    /// `a and b and c`: at least two values
    BoolOp { op: BoolOp, values: Vec<Expr> },
    /// `target := value`; the target is a `Name`
    NamedExpr { target: Box<Expr>, value: Box<Expr> },
    /// `left op right`
    BinOp { left: Box<Expr>, op: Operator, right: Box<Expr> },
    /// `op operand`
    UnaryOp { op: UnaryOp, operand: Box<Expr> },
    /// `lambda args: body`
    Lambda { args: Box<Arguments>, body: Box<Expr> },
    /// `body if test else orelse`
    IfExp { test: Box<Expr>, body: Box<Expr>, orelse: Box<Expr> },
    /// `{key: value, **value}`; a `None` key marks `**`
    Dict { items: Vec<DictItem> },
    /// `{a, b}`
    Set { elts: Vec<Expr> },
    /// `[elt for ...]`
    ListComp { elt: Box<Expr>, generators: Vec<Comprehension> },
    /// `{elt for ...}`
    SetComp { elt: Box<Expr>, generators: Vec<Comprehension> },
    /// `{key: value for ...}`
    DictComp { key: Box<Expr>, value: Box<Expr>, generators: Vec<Comprehension> },
    /// `(elt for ...)`
    GeneratorExp { elt: Box<Expr>, generators: Vec<Comprehension> },
    /// `await value`
    Await { value: Box<Expr> },
    /// `yield`, `yield value`
    Yield { value: Option<Box<Expr>> },
    /// `yield from value`
    YieldFrom { value: Box<Expr> },
    /// `left < b <= c`: as many operators as comparators
    Compare { left: Box<Expr>, ops: Vec<CmpOp>, comparators: Vec<Expr> },
    /// `func(args, *args, key=value, **kwargs)`
    Call { func: Box<Expr>, args: Vec<Expr>, keywords: Vec<Keyword> },
    /// `{value!r:spec}` inside an f-string; the specification is a `JoinedStr`. The text of `{value=}` is a constant
    /// before it in the `JoinedStr`
    FormattedValue { value: Box<Expr>, conversion: Option<Conversion>, format_spec: Option<Box<Expr>> },
    /// An f-string: `Constant` strings and `FormattedValue`s
    JoinedStr { values: Vec<Expr> },
    /// A literal
    Constant(Constant),
    /// `value.attr`
    Attribute { value: Box<Expr>, attr: Ident },
    /// `value[slice]`
    Subscript { value: Box<Expr>, slice: Box<Expr> },
    /// `*value`
    Starred { value: Box<Expr> },
    /// An identifier
    Name(Name),
    /// `[a, b]`
    List { elts: Vec<Expr> },
    /// `a, b`, `(a, b)`, `()`. The span includes parentheses
    Tuple { elts: Vec<Expr> },
    /// `lower:upper:step`, inside a subscript only
    Slice { lower: Option<Box<Expr>>, upper: Option<Box<Expr>>, step: Option<Box<Expr>> },
}

/// One entry of a dict display: `key: value`, or `**value` without a key.
#[derive(PartialEq, Debug)]
pub struct DictItem {
    pub key: Option<Expr>,
    pub value: Expr,
}

/// The value of a literal.
#[derive(Clone, PartialEq, Debug)]
pub enum Constant {
    None,
    True,
    False,
    Ellipsis,
    Int(i64),
    /// An integer that does not fit the variant before.
    BigInt(Box<IBig>),
    Float(f64),
    /// The imaginary part of a literal like `2j`.
    Complex(f64),
    Str(Rc<str>),
    Bytes(Rc<[u8]>),
}

/// `!s`, `!r`, `!a` in an f-string.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Conversion {
    Str,
    Repr,
    Ascii,
}

/// `for target in iter if ...` of a comprehension, `async for` if `is_async`.
#[derive(PartialEq, Debug)]
pub struct Comprehension {
    pub is_async: bool,
    pub target: Expr,
    pub iter: Expr,
    pub ifs: Vec<Expr>,
    pub span: Span,
}

/// The parameters of a function or lambda.
#[derive(PartialEq, Debug, Default)]
pub struct Arguments {
    /// Before the `/`.
    pub posonlyargs: Vec<Arg>,
    pub args: Vec<Arg>,
    pub vararg: Option<Arg>,
    pub kwonlyargs: Vec<Arg>,
    /// One for each keyword-only parameter; `None` where it is required.
    pub kw_defaults: Vec<Option<Expr>>,
    pub kwarg: Option<Arg>,
    /// Of the last positional parameters (`posonlyargs` followed by `args`).
    pub defaults: Vec<Expr>,
}

/// One parameter.
#[derive(PartialEq, Debug)]
pub struct Arg {
    pub arg: Ident,
    pub annotation: Option<Box<Expr>>,
    /// Name and annotation.
    pub span: Span,
}

/// `arg=value` in a call or class, or `**value` without a name.
#[derive(PartialEq, Debug)]
pub struct Keyword {
    pub arg: Option<Ident>,
    pub value: Expr,
    pub span: Span,
}

/// `name as asname` of an import; the name may be dotted, or `*`.
#[derive(PartialEq, Debug)]
pub struct Alias {
    pub name: Ident,
    pub asname: Option<Ident>,
    pub span: Span,
}

/// A type parameter of PEP 695.
#[derive(PartialEq, Debug)]
pub struct TypeParam {
    pub kind: TypeParamKind,
    pub name: Ident,
    pub span: Span,
}

#[derive(PartialEq, Debug)]
pub enum TypeParamKind {
    /// `T`, `T: bound`
    TypeVar { bound: Option<Box<Expr>> },
    /// `**P`
    ParamSpec,
    /// `*Ts`
    TypeVarTuple,
}

/// How deep the tree under an expression is; see the head of this file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Depth {
    /// The longest path to a leaf.
    pub total: u16,
    /// The same, not counting steps to the left operand.
    pub nesting: u16,
}

impl Depth {
    /// Whether a tree of this depth may exist.
    pub fn is_allowed(self) -> bool {
        self.total <= MAX_DEPTH && self.nesting <= MAX_NESTING
    }

    fn join(self, other: Depth) -> Depth {
        Depth { total: self.total.max(other.total), nesting: self.nesting.max(other.nesting) }
    }

    fn of_all<'a>(exprs: impl IntoIterator<Item = &'a Expr>) -> Depth {
        exprs.into_iter().fold(Depth::default(), |depth, expr| depth.join(expr.depth))
    }

    fn of_generators(generators: &[Comprehension]) -> Depth {
        generators.iter().fold(Depth::default(), |depth, part| {
            depth.join(part.target.depth).join(part.iter.depth).join(Depth::of_all(&part.ifs))
        })
    }
}

impl Stmt {
    /// Whether this is a statement with a block.
    pub fn is_compound(&self) -> bool {
        matches!(
            self.kind,
            StmtKind::FunctionDef(_)
                | StmtKind::ClassDef(_)
                | StmtKind::For(_)
                | StmtKind::While { .. }
                | StmtKind::If { .. }
                | StmtKind::With(_)
                | StmtKind::Match { .. }
                | StmtKind::Try(_)
        )
    }
}

impl Expr {
    /// Makes a node and counts its depth. The parser checks [`Depth::is_allowed`]; others build from parsed parts.
    pub fn new(kind: ExprKind, span: Span) -> Expr {
        let depth = depth_over(&kind);
        Expr { kind, span, depth }
    }

    pub fn depth(&self) -> Depth {
        self.depth
    }

    /// The left operand of an operator, the object of an attribute, subscript or call: the child along which chains
    /// grow long.
    pub fn spine(&self) -> Option<&Expr> {
        match &self.kind {
            ExprKind::BinOp { left: child, .. }
            | ExprKind::Attribute { value: child, .. }
            | ExprKind::Subscript { value: child, .. }
            | ExprKind::Call { func: child, .. } => Some(child),
            _ => None,
        }
    }
}

/// The depth of an expression of this kind: one more than its deepest child, except along the spine.
fn depth_over(kind: &ExprKind) -> Depth {
    let option = |expr: &Option<Box<Expr>>| expr.as_ref().map_or(Depth::default(), |expr| expr.depth);
    let mut spine = Depth::default();
    let rest = match kind {
        ExprKind::Constant(_) | ExprKind::Name(_) => Depth::default(),
        ExprKind::BinOp { left, right, .. } => {
            spine = left.depth;
            right.depth
        }
        ExprKind::Attribute { value, .. } => {
            spine = value.depth;
            Depth::default()
        }
        ExprKind::Subscript { value, slice } => {
            spine = value.depth;
            slice.depth
        }
        ExprKind::Call { func, args, keywords } => {
            spine = func.depth;
            keywords.iter().fold(Depth::of_all(args), |depth, keyword| depth.join(keyword.value.depth))
        }
        ExprKind::BoolOp { values: elts, .. }
        | ExprKind::Set { elts }
        | ExprKind::List { elts }
        | ExprKind::Tuple { elts }
        | ExprKind::JoinedStr { values: elts } => Depth::of_all(elts),
        ExprKind::NamedExpr { target, value } => target.depth.join(value.depth),
        ExprKind::UnaryOp { operand: value, .. }
        | ExprKind::Await { value }
        | ExprKind::YieldFrom { value }
        | ExprKind::Starred { value } => value.depth,
        ExprKind::Yield { value } => option(value),
        ExprKind::Lambda { args, body } => args.depth().join(body.depth),
        ExprKind::IfExp { test, body, orelse } => test.depth.join(body.depth).join(orelse.depth),
        ExprKind::Dict { items } => items.iter().fold(Depth::default(), |depth, item| {
            depth.join(item.value.depth).join(item.key.as_ref().map_or(Depth::default(), |key| key.depth))
        }),
        ExprKind::ListComp { elt, generators }
        | ExprKind::SetComp { elt, generators }
        | ExprKind::GeneratorExp { elt, generators } => elt.depth.join(Depth::of_generators(generators)),
        ExprKind::DictComp { key, value, generators } => key.depth.join(value.depth).join(Depth::of_generators(generators)),
        ExprKind::Compare { left, comparators, .. } => left.depth.join(Depth::of_all(comparators)),
        ExprKind::FormattedValue { value, format_spec, .. } => value.depth.join(option(format_spec)),
        ExprKind::Slice { lower, upper, step } => option(lower).join(option(upper)).join(option(step)),
    };
    Depth { total: spine.total.max(rest.total).saturating_add(1), nesting: spine.nesting.max(rest.nesting.saturating_add(1)) }
}

impl Arguments {
    /// All parameters in the order in which a signature lists them.
    pub fn iter(&self) -> impl Iterator<Item = &Arg> {
        let positional = self.posonlyargs.iter().chain(&self.args);
        positional.chain(&self.vararg).chain(&self.kwonlyargs).chain(&self.kwarg)
    }

    fn depth(&self) -> Depth {
        Depth::of_all(&self.defaults).join(Depth::of_all(self.kw_defaults.iter().flatten()))
    }
}

impl Conversion {
    /// The letter after the exclamation mark.
    pub fn letter(self) -> char {
        match self {
            Conversion::Str => 's',
            Conversion::Repr => 'r',
            Conversion::Ascii => 'a',
        }
    }
}

/// Runs one level of a recursive walk over the tree, on a fresh piece of stack if the present one runs short.
#[inline]
pub fn with_stack<T>(step: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(256 * 1024, 2 * 1024 * 1024, step)
}

/// Walks over trees that are no deeper than this need not look at the stack.
pub const SHALLOW: u16 = 50;

/// A tree may be as deep as [`MAX_DEPTH`], and dropping one recurses.
impl Drop for Module {
    fn drop(&mut self) {
        let body = std::mem::take(&mut self.body);
        if !body.is_empty() {
            let room = drop_stack(self.span.end as usize);
            stacker::maybe_grow(room, room, || drop(body));
        }
    }
}

/// Enough native stack for dropping the deepest tree that a text of this length can have, also in a debug build.
pub(super) fn drop_stack(length: usize) -> usize {
    64 * 1024 + length.min(MAX_DEPTH as usize) * 1_200
}

impl Name {
    pub fn new(text: &str) -> Name {
        Name(text.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl std::borrow::Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
