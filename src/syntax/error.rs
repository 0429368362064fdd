//! What can be wrong with a text: the facts, and the one place that words them.
//!
//! The wording is CPython 3.12's wherever it has one, and so is the shape of the rendered block.

use std::fmt::{self, Write};

use super::source::{Position, Source, Span};

/// Why a text is not a program.
#[derive(Clone, PartialEq, Debug)]
pub struct SyntaxError {
    pub kind: SyntaxErrorKind,
    /// What the carets point at.
    pub span: Span,
    /// The text ended where more was expected: a prompt should ask for another line.
    pub incomplete: bool,
}

/// The facts of a [`SyntaxError`].
#[derive(Clone, PartialEq, Debug)]
pub enum SyntaxErrorKind {
    // What stands where it cannot.
    Invalid,
    ForgottenComma,
    Expected(&'static str),
    ExpectedBlock {
        after: &'static str,
        line: u32,
    },
    ExpectedExceptOrFinally,
    MissingParentheses {
        function: Box<str>,
    },
    ElseRequired,
    MeantEquality,
    MeantFromImport,
    /// Something that is not an expression stands as the value of a dict entry, an argument and so on.
    ExpressionExpected {
        after: &'static str,
    },
    StarredDictValue,
    ColonAfterKey,
    ParenthesizedParameters(&'static str),
    ParenthesizeTarget,
    ParamDefault(&'static str),
    TypeParamBound {
        what: &'static str,
        kind: &'static str,
    },
    MultipleStatements,

    // Lines and brackets.
    UnexpectedIndent,
    UnindentMismatch,
    InconsistentTabs,
    TooManyIndents,
    TooManyBrackets,
    TooDeep,
    SourceTooLarge,
    NullByte,
    /// A warning that a filter has made an error.
    Warning(Box<str>),
    NeverClosed(char),
    Unmatched(char),
    Mismatched {
        closing: char,
        opening: char,
        offset: u32,
        line: Option<u32>,
    },
    AfterContinuation,
    UnexpectedEnd,
    InvalidCharacter(char),

    // Literals.
    UnterminatedString {
        line: u32,
    },
    UnterminatedTriple {
        line: u32,
    },
    UnterminatedFString {
        line: u32,
    },
    UnterminatedFTriple {
        line: u32,
    },
    InvalidNumber(&'static str),
    InvalidDigit {
        digit: char,
        literal: &'static str,
    },
    LeadingZeros,
    TooManyDigits(usize),
    BytesNotAscii,
    MixedBytes,
    BadEscape {
        start: usize,
        end: usize,
        reason: &'static str,
    },
    BadBytesEscape {
        position: usize,
    },
    Surrogate(u32),
    NamedCharacter(Box<str>),
    FString(&'static str),
    FStringExpectingBrace,
    FStringSingleBrace,
    FStringTooDeep,
    FStringUnmatched(char),
    FStringMismatched {
        closing: char,
        opening: char,
    },
    FStringConversion(Box<str>),
    FStringConversionSpace,
    FStringExpressionBefore(char),
    TooManyFStrings,
    TooManyBlocks,
    FunctionTooLarge,
    /// Whoever watches the work wants it to end; see `parse_watched`.
    Stopped,

    // Targets.
    AssignTo {
        what: Box<str>,
        here: bool,
    },
    AssignToYield,
    Delete(&'static str),
    AugmentedTarget(&'static str),
    AnnotatedSeveral(&'static str),
    AnnotatedTarget,
    NamedExprTarget(&'static str),
    LoneStarred,
    StarredHere,
    StarredAssignment,
    SeveralStarred,
    TooManyBeforeStar,

    // Calls, parameters, comprehensions.
    PositionalAfterKeyword,
    PositionalAfterUnpacking,
    StarredAfterDoubleStarred,
    KeywordIsExpression,
    RepeatedKeyword(Box<str>),
    BareGenerator,
    UnpackingInComprehension,
    DictUnpackingInComprehension,
    DuplicateArgument(Box<str>),
    ParamWithoutDefault,
    AfterDoubleStarParam,
    SecondSlash,
    SlashAfterStar,
    SlashFirst,
    SecondStar,
    BareStar,
    WalrusInIterable,
    WalrusRebinds(Box<str>),
    WalrusInClassComprehension,
    WalrusInTypeComprehension,
    InnerLoopRebinds(Box<str>),
    AsyncComprehension,

    // Statements.
    Outside {
        what: &'static str,
        place: &'static str,
    },
    YieldInside(&'static str),
    ContinueNotInLoop,
    ExceptStarJump,
    DefaultExceptLast,
    MixedExcept,
    UnparenthesizedExcept,
    ReturnInAsyncGenerator,
    YieldFromInAsync,
    TrailingImportComma,
    ImportStarInside,
    FutureNotFirst,
    FutureUnknown(Box<str>),
    NotAChance,
    /// Assigning to or deleting `__debug__`.
    Debug(&'static str),
    DuplicateTypeParam(Box<str>),
    NotInType {
        what: &'static str,
        place: &'static str,
    },
    ExceptionTypesExpected,
    ParameterAnd {
        name: Box<str>,
        scope: &'static str,
    },
    UsedPrior {
        name: Box<str>,
        scope: &'static str,
    },
    AssignedPrior {
        name: Box<str>,
        scope: &'static str,
    },
    AnnotatedScope {
        name: Box<str>,
        scope: &'static str,
    },
    NonlocalAndGlobal(Box<str>),
    NonlocalAtModule,
    NoBinding(Box<str>),
    NonlocalTypeParam(Box<str>),
    /// A lambda or comprehension where a type alias or parameter of a class is described.
    InnerScopeInClassAnnotation(&'static str),

    // Patterns.
    WildcardTarget,
    PatternTarget,
    RealRequired,
    ImaginaryRequired,
    PositionalPatternAfterKeyword,
    DifferentNames,
    Unreachable {
        name: Option<Box<str>>,
    },
    MultipleCaptures(Box<str>),
    PatternLiteral,
    SeveralStarPatterns,
    RepeatedAttribute(Box<str>),
    RepeatedMappingKey(Box<str>),
    MappingKeyKind,
}

/// Which exception class a script sees.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SyntaxErrorClass {
    SyntaxError,
    IndentationError,
    TabError,
}

impl SyntaxError {
    pub fn new(kind: SyntaxErrorKind, span: Span) -> SyntaxError {
        SyntaxError { kind, span, incomplete: false }
    }

    pub fn class(&self) -> SyntaxErrorClass {
        self.kind.class()
    }

    /// First and last place of the error, as `lineno`, `offset`, `end_lineno` and `end_offset` give them.
    pub fn place(&self, source: &Source) -> (Position, Position) {
        (source.position(self.span.start), source.position(self.span.end))
    }

    /// The block a traceback ends with.
    pub fn render(&self, source: &Source) -> String {
        let (start, end) = self.place(source);
        let line = source.line(start.line).unwrap_or("");
        let mut out = format!("  File \"{}\", line {}\n", source.name(), start.line);
        let body = line.trim_start_matches([' ', '\x0c']);
        let cut = line.chars().count() - body.chars().count();
        let _ = writeln!(out, "    {body}");
        // What points into the indentation is not shown.
        if let Some(first) = (start.column as usize - 1).checked_sub(cut) {
            let last = if end.line > start.line { body.chars().count() } else { end.column as usize - 1 - cut };
            let blank = body.chars().chain(std::iter::repeat(' ')).take(first).map(|c| if c.is_whitespace() { c } else { ' ' });
            let _ = writeln!(out, "    {}{}", blank.collect::<String>(), "^".repeat(last.saturating_sub(first).max(1)));
        }
        let _ = write!(out, "{}: {}", self.class().name(), self.kind);
        out
    }
}

impl SyntaxErrorClass {
    pub fn name(self) -> &'static str {
        match self {
            SyntaxErrorClass::SyntaxError => "SyntaxError",
            SyntaxErrorClass::IndentationError => "IndentationError",
            SyntaxErrorClass::TabError => "TabError",
        }
    }
}

impl SyntaxErrorKind {
    fn class(&self) -> SyntaxErrorClass {
        use SyntaxErrorKind::*;
        match self {
            ExpectedBlock { .. } | UnexpectedIndent | UnindentMismatch | TooManyIndents => SyntaxErrorClass::IndentationError,
            InconsistentTabs => SyntaxErrorClass::TabError,
            _ => SyntaxErrorClass::SyntaxError,
        }
    }
}

/// Roughly Python's notion: spaces, controls and format characters are not.
fn is_printable(c: char) -> bool {
    let format = matches!(c,
        '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{e000}'..='\u{f8ff}' | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{10ffff}');
    !(format || c.is_control() || c.is_whitespace())
}

impl fmt::Display for SyntaxErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use SyntaxErrorKind::*;
        match self {
            Invalid => f.write_str("invalid syntax"),
            ForgottenComma => f.write_str("invalid syntax. Perhaps you forgot a comma?"),
            Expected(what) => write!(f, "expected {what}"),
            ExpectedBlock { after, line } => write!(f, "expected an indented block after {after} on line {line}"),
            ExpectedExceptOrFinally => f.write_str("expected 'except' or 'finally' block"),
            MissingParentheses { function } => {
                write!(f, "Missing parentheses in call to '{function}'. Did you mean {function}(...)?")
            }
            ElseRequired => f.write_str("expected 'else' after 'if' expression"),
            MeantFromImport => f.write_str("Did you mean to use 'from ... import ...' instead?"),
            MeantEquality => f.write_str("invalid syntax. Maybe you meant '==' or ':=' instead of '='?"),
            ExpressionExpected { after } => write!(f, "expression expected after {after}"),
            StarredDictValue => f.write_str("cannot use a starred expression in a dictionary value"),
            ColonAfterKey => f.write_str("':' expected after dictionary key"),
            ParenthesizedParameters(what) => write!(f, "{what} parameters cannot be parenthesized"),
            ParenthesizeTarget => f.write_str("did you forget parentheses around the comprehension target?"),
            ParamDefault(what) => write!(f, "{what} argument cannot have default value"),
            TypeParamBound { what, kind } => write!(f, "cannot use {what} with {kind}"),
            MultipleStatements => f.write_str("multiple statements found while compiling a single statement"),

            UnexpectedIndent => f.write_str("unexpected indent"),
            UnindentMismatch => f.write_str("unindent does not match any outer indentation level"),
            InconsistentTabs => f.write_str("inconsistent use of tabs and spaces in indentation"),
            TooManyIndents => f.write_str("too many levels of indentation"),
            TooManyBrackets => f.write_str("too many nested parentheses"),
            TooDeep => f.write_str("expression is nested too deeply"),
            SourceTooLarge => f.write_str("source is larger than 4 GiB"),
            Warning(text) => f.write_str(text),
            NullByte => f.write_str("source code string cannot contain null bytes"),
            NeverClosed(bracket) => write!(f, "'{bracket}' was never closed"),
            Unmatched(bracket) => write!(f, "unmatched '{bracket}'"),
            Mismatched { closing, opening, line, .. } => {
                write!(f, "closing parenthesis '{closing}' does not match opening parenthesis '{opening}'")?;
                match line {
                    Some(line) => write!(f, " on line {line}"),
                    None => Ok(()),
                }
            }
            AfterContinuation => f.write_str("unexpected character after line continuation character"),
            UnexpectedEnd => f.write_str("unexpected EOF while parsing"),
            InvalidCharacter(c) if !is_printable(*c) => {
                write!(f, "invalid non-printable character U+{:04X}", *c as u32)
            }
            InvalidCharacter(c) => write!(f, "invalid character '{c}' (U+{:04X})", *c as u32),

            UnterminatedString { line } => write!(f, "unterminated string literal (detected at line {line})"),
            UnterminatedTriple { line } => {
                write!(f, "unterminated triple-quoted string literal (detected at line {line})")
            }
            UnterminatedFString { line } => write!(f, "unterminated f-string literal (detected at line {line})"),
            UnterminatedFTriple { line } => {
                write!(f, "unterminated triple-quoted f-string literal (detected at line {line})")
            }
            InvalidNumber(name) => write!(f, "invalid {name} literal"),
            InvalidDigit { digit, literal } => write!(f, "invalid digit '{digit}' in {literal} literal"),
            LeadingZeros => {
                f.write_str("leading zeros in decimal integer literals are not permitted; use an 0o prefix for octal integers")
            }
            TooManyDigits(digits) => write!(
                f,
                "Exceeds the limit (4300 digits) for integer string conversion: value has {digits} digits; use \
                 sys.set_int_max_str_digits() to increase the limit - Consider hexadecimal for huge integer literals \
                 to avoid decimal conversion limits."
            ),
            BytesNotAscii => f.write_str("bytes can only contain ASCII literal characters"),
            MixedBytes => f.write_str("cannot mix bytes and nonbytes literals"),
            BadEscape { start, end, reason } => {
                write!(f, "(unicode error) 'unicodeescape' codec can't decode bytes in position {start}-{end}: {reason}")
            }
            BadBytesEscape { position } => write!(f, "(value error) invalid \\x escape at position {position}"),
            Surrogate(value) => {
                write!(f, "(unicode error) strings hold Unicode text, which the surrogate '\\u{value:04x}' is not")
            }
            NamedCharacter(name) => {
                write!(f, "(unicode error) character names are not supported: write the character {name} itself, or \\u")
            }
            FString(what) => write!(f, "f-string: {what}"),
            FStringExpectingBrace => f.write_str("f-string: expecting '}'"),
            FStringSingleBrace => f.write_str("f-string: single '}' is not allowed"),
            FStringTooDeep => f.write_str("f-string: expressions nested too deeply"),
            FStringUnmatched(bracket) => write!(f, "f-string: unmatched '{bracket}'"),
            FStringMismatched { closing, opening } => {
                write!(f, "f-string: closing parenthesis '{closing}' does not match opening parenthesis '{opening}'")
            }
            FStringConversion(letter) => {
                write!(f, "f-string: invalid conversion character '{letter}': expected 's', 'r', or 'a'")
            }
            FStringConversionSpace => f.write_str("f-string: conversion type must come right after the exclamanation mark"),
            FStringExpressionBefore(c) => write!(f, "f-string: valid expression required before '{c}'"),
            TooManyFStrings => f.write_str("too many nested f-strings"),
            TooManyBlocks => f.write_str("too many statically nested blocks"),
            FunctionTooLarge => f.write_str("function has too many variables or branches"),
            Stopped => f.write_str("stopped"),

            AssignTo { what, here } => {
                write!(f, "cannot assign to {what}")?;
                f.write_str(if *here { " here. Maybe you meant '==' instead of '='?" } else { "" })
            }
            AssignToYield => f.write_str("assignment to yield expression not possible"),
            Delete(what) => write!(f, "cannot delete {what}"),
            AugmentedTarget(what) => write!(f, "'{what}' is an illegal expression for augmented assignment"),
            AnnotatedSeveral(what) => write!(f, "only single target (not {what}) can be annotated"),
            AnnotatedTarget => f.write_str("illegal target for annotation"),
            NamedExprTarget(what) => write!(f, "cannot use assignment expressions with {what}"),
            LoneStarred => f.write_str("cannot use starred expression here"),
            StarredHere => f.write_str("can't use starred expression here"),
            StarredAssignment => f.write_str("starred assignment target must be in a list or tuple"),
            SeveralStarred => f.write_str("multiple starred expressions in assignment"),
            TooManyBeforeStar => f.write_str("too many expressions in star-unpacking assignment"),

            PositionalAfterKeyword => f.write_str("positional argument follows keyword argument"),
            PositionalAfterUnpacking => f.write_str("positional argument follows keyword argument unpacking"),
            StarredAfterDoubleStarred => f.write_str("iterable argument unpacking follows keyword argument unpacking"),
            KeywordIsExpression => f.write_str("expression cannot contain assignment, perhaps you meant \"==\"?"),
            RepeatedKeyword(name) => write!(f, "keyword argument repeated: {name}"),
            BareGenerator => f.write_str("Generator expression must be parenthesized"),
            UnpackingInComprehension => f.write_str("iterable unpacking cannot be used in comprehension"),
            DictUnpackingInComprehension => f.write_str("dict unpacking cannot be used in dict comprehension"),
            DuplicateArgument(name) => write!(f, "duplicate argument '{name}' in function definition"),
            ParamWithoutDefault => f.write_str("parameter without a default follows parameter with a default"),
            AfterDoubleStarParam => f.write_str("arguments cannot follow var-keyword argument"),
            SecondSlash => f.write_str("/ may appear only once"),
            SlashAfterStar => f.write_str("/ must be ahead of *"),
            SlashFirst => f.write_str("at least one argument must precede /"),
            SecondStar => f.write_str("* argument may appear only once"),
            BareStar => f.write_str("named arguments must follow bare *"),
            WalrusInIterable => f.write_str("assignment expression cannot be used in a comprehension iterable expression"),
            WalrusRebinds(name) => {
                write!(f, "assignment expression cannot rebind comprehension iteration variable '{name}'")
            }
            WalrusInClassComprehension => {
                f.write_str("assignment expression within a comprehension cannot be used in a class body")
            }
            WalrusInTypeComprehension => {
                f.write_str("assignment expression within a comprehension cannot be used within the definition of a generic")
            }
            InnerLoopRebinds(name) => {
                write!(f, "comprehension inner loop cannot rebind assignment expression target '{name}'")
            }
            AsyncComprehension => f.write_str("asynchronous comprehension outside of an asynchronous function"),

            Outside { what, place } => write!(f, "{what} outside {place}"),
            YieldInside(what) => write!(f, "'yield' inside {what}"),
            ContinueNotInLoop => f.write_str("'continue' not properly in loop"),
            ExceptStarJump => f.write_str("'break', 'continue' and 'return' cannot appear in an except* block"),
            DefaultExceptLast => f.write_str("default 'except:' must be last"),
            MixedExcept => f.write_str("cannot have both 'except' and 'except*' on the same 'try'"),
            UnparenthesizedExcept => f.write_str("multiple exception types must be parenthesized"),
            ReturnInAsyncGenerator => f.write_str("'return' with value in async generator"),
            YieldFromInAsync => f.write_str("'yield from' inside async function"),
            TrailingImportComma => f.write_str("trailing comma not allowed without surrounding parentheses"),
            ImportStarInside => f.write_str("import * only allowed at module level"),
            FutureNotFirst => f.write_str("from __future__ imports must occur at the beginning of the file"),
            FutureUnknown(name) => write!(f, "future feature {name} is not defined"),
            NotAChance => f.write_str("not a chance"),
            Debug(verb) => write!(f, "cannot {verb} __debug__"),
            DuplicateTypeParam(name) => write!(f, "duplicate type parameter '{name}'"),
            NotInType { what, place } => write!(f, "{what} expression cannot be used within {place}"),
            ExceptionTypesExpected => f.write_str("expected one or more exception types"),
            ParameterAnd { name, scope } => write!(f, "name '{name}' is parameter and {scope}"),
            UsedPrior { name, scope } => write!(f, "name '{name}' is used prior to {scope} declaration"),
            AssignedPrior { name, scope } => write!(f, "name '{name}' is assigned to before {scope} declaration"),
            AnnotatedScope { name, scope } => write!(f, "annotated name '{name}' can't be {scope}"),
            NonlocalAndGlobal(name) => write!(f, "name '{name}' is nonlocal and global"),
            NonlocalAtModule => f.write_str("nonlocal declaration not allowed at module level"),
            NonlocalTypeParam(name) => write!(f, "nonlocal binding not allowed for type parameter '{name}'"),
            InnerScopeInClassAnnotation(what) => write!(f, "Cannot use {what} in annotation scope within class scope"),
            NoBinding(name) => write!(f, "no binding for nonlocal '{name}' found"),

            WildcardTarget => f.write_str("cannot use '_' as a target"),
            PatternTarget => f.write_str("invalid pattern target"),
            RealRequired => f.write_str("real number required in complex literal"),
            ImaginaryRequired => f.write_str("imaginary number required in complex literal"),
            PositionalPatternAfterKeyword => f.write_str("positional patterns follow keyword patterns"),
            DifferentNames => f.write_str("alternative patterns bind different names"),
            Unreachable { name: Some(name) } => {
                write!(f, "name capture '{name}' makes remaining patterns unreachable")
            }
            Unreachable { name: None } => f.write_str("wildcard makes remaining patterns unreachable"),
            MultipleCaptures(name) => write!(f, "multiple assignments to name '{name}' in pattern"),
            SeveralStarPatterns => f.write_str("multiple starred names in sequence pattern"),
            PatternLiteral => f.write_str("patterns may only match literals and attribute lookups"),
            RepeatedAttribute(name) => write!(f, "attribute name repeated in class pattern: {name}"),
            MappingKeyKind => write!(f, "mapping pattern keys may only match literals and attribute lookups"),
            RepeatedMappingKey(key) => write!(f, "mapping pattern checks duplicate key ({key})"),
        }
    }
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.class().name(), self.kind)
    }
}

impl std::error::Error for SyntaxError {}
