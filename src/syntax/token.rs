//! The words of the language, cut by logos. Called by `layout` alone.
//!
//! A token carries nothing: whoever wants its text looks at its span. What is better cut by hand (the ends of strings
//! and numbers, letters outside ASCII) is only begun here and finished in `layout` and `literal`.

use logos::Logos;

#[derive(Logos, Clone, Copy, PartialEq, Eq, Debug)]
#[logos(skip r"[ \t\x0c]+")]
#[logos(skip(r"#[^\r\n]*", allow_greedy = true))]
pub enum Token {
    // What parse is asked for: the first token of every stream.
    StartFile,
    StartInteractive,
    StartEval,
    StartExpressions,
    StartExpression,
    StartDisjunction,
    StartOperand,

    // Made by layout.
    Newline,
    Indent,
    Dedent,
    /// `match` and `case` where they begin a statement or a clause, `type` where it begins an alias.
    Match,
    Case,
    Type,
    /// The parenthesis of `with (a as b, c as d):`.
    WithParen,
    /// Text of an f-string between the fields, or of a format specification.
    FStringMiddle,
    FStringRawMiddle,
    FStringEnd,

    /// The start of a line end.
    #[regex(r"\r\n|\r|\n")]
    LineEnd,
    /// A backslash that joins lines.
    #[regex(r"\\(\r\n|\r|\n)")]
    Continuation,
    #[token("\\")]
    Backslash,

    #[regex("[A-Za-z_][A-Za-z0-9_]*")]
    Name,
    /// The first letter of a name that begins outside ASCII.
    #[regex(r"[^\x00-\x7f]")]
    WideChar,
    /// The beginning of a number.
    #[regex(r"[0-9]|\.[0-9]")]
    Number,
    /// The beginning of a string: prefix and opening quotes.
    #[regex(r#"([uU]|[rR]|[bB]|[bB][rR]|[rR][bB])?("|'|"""|''')"#)]
    String,
    #[regex(r#"([fF]|[fF][rR]|[rR][fF])("|'|"""|''')"#)]
    FStringStart,

    #[token("False")]
    False,
    #[token("None")]
    None,
    #[token("True")]
    True,
    #[token("and")]
    And,
    #[token("as")]
    As,
    #[token("assert")]
    Assert,
    #[token("async")]
    Async,
    #[token("await")]
    Await,
    #[token("break")]
    Break,
    #[token("class")]
    Class,
    #[token("continue")]
    Continue,
    #[token("def")]
    Def,
    #[token("del")]
    Del,
    #[token("elif")]
    Elif,
    #[token("else")]
    Else,
    #[token("except")]
    Except,
    #[token("finally")]
    Finally,
    #[token("for")]
    For,
    #[token("from")]
    From,
    #[token("global")]
    Global,
    #[token("if")]
    If,
    #[token("import")]
    Import,
    #[token("in")]
    In,
    #[token("is")]
    Is,
    #[token("lambda")]
    Lambda,
    #[token("nonlocal")]
    Nonlocal,
    #[token("not")]
    Not,
    #[token("or")]
    Or,
    #[token("pass")]
    Pass,
    #[token("raise")]
    Raise,
    #[token("return")]
    Return,
    #[token("try")]
    Try,
    #[token("while")]
    While,
    #[token("with")]
    With,
    #[token("yield")]
    Yield,

    #[token("(")]
    LParen,
    #[token(")")]
    RParen,
    #[token("[")]
    LBracket,
    #[token("]")]
    RBracket,
    #[token("{")]
    LBrace,
    #[token("}")]
    RBrace,
    #[token(":")]
    Colon,
    #[token(":=")]
    ColonEqual,
    #[token(",")]
    Comma,
    #[token(";")]
    Semicolon,
    #[token(".")]
    Dot,
    #[token("...")]
    Ellipsis,
    #[token("->")]
    Arrow,
    #[token("=")]
    Equal,
    #[token("!")]
    Exclamation,
    #[token("@")]
    At,
    #[token("+")]
    Plus,
    #[token("-")]
    Minus,
    #[token("*")]
    Star,
    #[token("**")]
    DoubleStar,
    #[token("/")]
    Slash,
    #[token("//")]
    DoubleSlash,
    #[token("%")]
    Percent,
    #[token("<<")]
    LeftShift,
    #[token(">>")]
    RightShift,
    #[token("&")]
    Ampersand,
    #[token("|")]
    Bar,
    #[token("^")]
    Caret,
    #[token("~")]
    Tilde,
    #[token("<")]
    Less,
    #[token(">")]
    Greater,
    #[token("==")]
    EqualEqual,
    #[token("!=")]
    NotEqual,
    /// The old spelling of `!=`, known only to be refused.
    #[token("<>")]
    LessGreater,
    #[token("<=")]
    LessEqual,
    #[token(">=")]
    GreaterEqual,
    #[token("+=")]
    PlusEqual,
    #[token("-=")]
    MinusEqual,
    #[token("*=")]
    StarEqual,
    #[token("@=")]
    AtEqual,
    #[token("/=")]
    SlashEqual,
    #[token("%=")]
    PercentEqual,
    #[token("&=")]
    AmpersandEqual,
    #[token("|=")]
    BarEqual,
    #[token("^=")]
    CaretEqual,
    #[token("<<=")]
    LeftShiftEqual,
    #[token(">>=")]
    RightShiftEqual,
    #[token("**=")]
    DoubleStarEqual,
    #[token("//=")]
    DoubleSlashEqual,
}

impl Token {
    /// Whether this is a reserved word.
    pub fn is_keyword(self) -> bool {
        (Token::False as u8..=Token::Yield as u8).contains(&(self as u8))
    }
}
