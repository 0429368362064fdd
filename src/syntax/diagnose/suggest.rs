//! The rules: each looks at the unexpected token and the tokens before it for one probable mistake.

use super::Place;
use crate::syntax::ast::{ExprKind, StmtKind};
use crate::syntax::error::{SyntaxError, SyntaxErrorKind as Kind};
use crate::syntax::source::Span;
use crate::syntax::token::Token;

impl Place<'_> {
    /// A line that opens a block, and no block.
    pub(super) fn missing_block(&self) -> Option<SyntaxError> {
        if self.back(1) != Some(Token::Newline) || self.back(2) != Some(Token::Colon) || !self.expects("indent") {
            return None;
        }
        let start = self.line_start(self.at - 1);
        let (keyword, index) = self.keyword(start);
        let after = match keyword {
            Token::If => "'if' statement",
            Token::Elif => "'elif' statement",
            Token::Else => "'else' statement",
            Token::While => "'while' statement",
            Token::For => "'for' statement",
            Token::With => "'with' statement",
            Token::Try => "'try' statement",
            Token::Except if self.tokens[index + 1].1 == Token::Star => "'except*' statement",
            Token::Except => "'except' statement",
            Token::Finally => "'finally' statement",
            Token::Match => "'match' statement",
            Token::Case => "'case' statement",
            Token::Def => "function definition",
            Token::Class => "class definition",
            _ => return None,
        };
        let line = crate::syntax::literal::lines_before(self.text, self.tokens[index].0 as usize);
        Some(self.at_token(Kind::ExpectedBlock { after, line }))
    }

    /// A `try` block that nothing follows.
    pub(super) fn missing_except(&self) -> Option<SyntaxError> {
        (self.expects("except") && self.expects("finally") && !self.expects("name"))
            .then(|| self.at_token(Kind::ExpectedExceptOrFinally))
    }

    /// A line that should open a block, without its colon.
    pub(super) fn missing_colon(&self) -> Option<SyntaxError> {
        let (keyword, index) = self.keyword(self.line_start(self.at));
        let strict = match keyword {
            Token::Def => self.tokens[self.at].1 != Token::Colon,
            Token::Else | Token::Try | Token::Finally => index + 1 == self.at,
            Token::If
            | Token::Elif
            | Token::While
            | Token::For
            | Token::With
            | Token::Class
            | Token::Except
            | Token::Match
            | Token::Case => self.token() == Token::Newline,
            _ => false,
        };
        // `def f() -> :`: no arrow could be read.
        if keyword == Token::Def && self.back(1) == Some(Token::Arrow) && self.bracket(self.at).is_none_or(|open| open < index) {
            return Some(self.over(Kind::Expected("':'"), self.at - 1, self.at - 1));
        }
        let inside_lambda = self.tokens[index..self.at].iter().any(|token| token.1 == Token::Lambda);
        (strict && self.expects(":") && self.bracket(self.at).is_none_or(|open| open < index) && !inside_lambda)
            .then(|| self.at_token(Kind::Expected("':'")))
    }

    /// `def f:`, and parameters in parentheses.
    pub(super) fn missing_parameters(&self) -> Option<SyntaxError> {
        let start = self.line_start(self.at);
        let (keyword, index) = self.keyword(start);
        if keyword == Token::Def {
            let name = index + 1;
            if self.at > name && self.tokens[name].1 == Token::Name {
                let behind = &self.tokens[name + 1..=self.at];
                if behind.iter().all(|token| token.1 != Token::LParen) || behind[0].1 == Token::LBracket && self.expects("]") {
                    return Some(self.over(Kind::Expected("'('"), name + 1, name + 1));
                }
            }
        }
        if self.token() != Token::LParen || !self.expects("name") || !self.expects("**") {
            return None;
        }
        let lambda = self.back(1) == Some(Token::Lambda) || self.back(1) == Some(Token::Comma) && self.expects(":");
        let ahead = self.ahead(self.at);
        let close = ahead.iter().position(|token| token.1 == Token::RParen)?;
        let plain = ahead[1..close].iter().all(|token| matches!(token.1, Token::Name | Token::Comma));
        if !plain || close == 1 {
            return None;
        }
        let span = Span { start: self.tokens[self.at].0, end: ahead[close].2 };
        let what = if lambda { "Lambda expression" } else { "Function" };
        Some(SyntaxError::new(Kind::ParenthesizedParameters(what), span))
    }

    /// `a if b` and no `else`.
    pub(super) fn missing_else(&self) -> Option<SyntaxError> {
        if !self.expects("else") || self.expects("pass") || self.expects("finally") || self.token() == Token::Colon {
            return None;
        }
        let mut depth = 0usize;
        let found = (0..self.at).rev().find(|&index| match self.tokens[index].1 {
            Token::RParen | Token::RBracket | Token::RBrace => {
                depth += 1;
                false
            }
            Token::LParen | Token::LBracket | Token::LBrace => {
                depth = depth.saturating_sub(1);
                false
            }
            token => token == Token::If && depth == 0,
        })?;
        let begin = self.expression_start(found)?;
        Some(self.over(Kind::ElseRequired, begin, self.at - 1))
    }

    /// `print x`
    pub(super) fn legacy_statement(&self) -> Option<SyntaxError> {
        // `print not` may go on with `in`.
        let not = usize::from(self.back(1) == Some(Token::Not));
        let begin = self.at - not;
        let name = begin.checked_sub(1)?;
        if self.tokens[name].1 != Token::Name || !matches!(self.text_of(name), "print" | "exec") || self.token() == Token::LParen
        {
            return None;
        }
        let before = self.back(2 + not)?;
        let begins = matches!(
            before,
            Token::StartFile
                | Token::StartInteractive
                | Token::StartEval
                | Token::Newline
                | Token::Indent
                | Token::Dedent
                | Token::Semicolon
                | Token::Colon
                | Token::Comma
                | Token::Equal
                | Token::LParen
                | Token::LBracket
                | Token::LBrace
        );
        let behind = begins.then(|| self.longest(Token::StartExpressions, begin))??;
        let end = self.end_of(begin, behind);
        let function = self.text_of(name).into();
        Some(SyntaxError::new(Kind::MissingParentheses { function }, Span { start: self.tokens[name].0, end }))
    }

    /// Two expressions side by side in brackets.
    pub(super) fn forgotten_comma(&self) -> Option<SyntaxError> {
        let open = self.bracket(self.at)?;
        let begin = self.expression_start(self.at)?;
        let (keyword, _) = self.keyword(self.line_start(open));
        let no_expression = match keyword {
            Token::From | Token::Import => true,
            Token::Case => self.tokens[self.line_start(open)..open].iter().all(|token| token.1 != Token::If),
            _ => self.is_parameters(open) && !matches!(self.tokens[begin - 1].1, Token::Equal | Token::Colon),
        };
        if no_expression {
            return None;
        }
        let first = self.tokens[begin].1;
        if first == Token::Name {
            if matches!(self.text_of(begin), "match" | "case" | "type" | "_") {
                return None;
            }
            if matches!(self.tokens[begin + 1].1, Token::String | Token::FStringStart) {
                return None;
            }
        }
        let behind = self.longest(Token::StartExpression, self.at)?;
        let span = Span { start: self.tokens[begin].0, end: self.end_of(self.at, behind) };
        Some(SyntaxError::new(Kind::ForgottenComma, span))
    }

    /// Where the expression that ends before `end` begins, if an expression may begin there.
    fn expression_start(&self, end: usize) -> Option<usize> {
        let mut depth = 0usize;
        let mut seen_in = false;
        let mut stop = None;
        for index in (0..end).rev() {
            match self.tokens[index].1 {
                Token::RParen | Token::RBracket | Token::RBrace | Token::FStringEnd => depth += 1,
                Token::LParen | Token::WithParen | Token::LBracket | Token::LBrace | Token::FStringStart if depth > 0 => {
                    depth -= 1;
                }
                _ if depth > 0 => {}
                Token::In => seen_in = true,
                Token::LParen | Token::LBracket | Token::LBrace => {
                    stop = Some(index);
                    break;
                }
                Token::Comma
                | Token::Colon
                | Token::Equal
                | Token::ColonEqual
                | Token::Else
                | Token::Yield
                | Token::From
                | Token::Return
                | Token::For
                | Token::StartFile
                | Token::StartInteractive
                | Token::StartEval
                | Token::Newline
                | Token::Indent
                | Token::Dedent
                | Token::Semicolon => {
                    stop = Some(index);
                    break;
                }
                Token::If | Token::Lambda | Token::WithParen => return None,
                _ => {}
            }
        }
        let stop = stop?;
        // What follows the `in` of a comprehension is not a whole expression.
        let loops = |open: usize| self.places(open, |token| token == Token::For).iter().any(|&found| found <= stop);
        if seen_in && matches!(self.tokens[stop].1, Token::For | Token::Comma) && self.bracket(end).is_some_and(loops) {
            return None;
        }
        let mut begin = stop + 1;
        match self.tokens.get(begin)?.1 {
            Token::DoubleStar if self.bracket(end).is_some_and(|open| self.is_call(open)) => begin += 1,
            Token::DoubleStar => return None,
            Token::Star => {
                let opens = matches!(self.tokens[stop].1, Token::LParen | Token::LBracket | Token::LBrace);
                let call = self.bracket(end).is_some_and(|open| self.is_call(open));
                if !opens && !call {
                    return None;
                }
                begin += 1;
            }
            _ => {}
        }
        (begin < end && self.parse_part(Token::StartDisjunction, &self.tokens[begin..end]).is_ok()).then_some(begin)
    }

    /// Whether a parenthesis encloses the parameters of a `def`.
    fn is_parameters(&self, open: usize) -> bool {
        let (keyword, index) = self.keyword(self.line_start(open));
        keyword == Token::Def && self.bracket(open).is_none_or(|outer| outer < index)
    }

    fn is_call(&self, open: usize) -> bool {
        self.tokens[open].1 == Token::LParen
            && open.checked_sub(1).is_some_and(|before| {
                matches!(self.tokens[before].1, Token::Name | Token::RParen | Token::RBracket | Token::FStringEnd)
            })
    }

    /// `f(*a=1)`, `f(**a=1)`
    pub(super) fn unpacked_argument(&self) -> Option<SyntaxError> {
        let open = self.bracket(self.at)?;
        let (keyword, index) = self.keyword(self.line_start(open));
        let is_base = keyword == Token::Class && open == index + 2;
        if self.token() != Token::Equal || !(self.is_call(open) && !self.is_parameters(open) || is_base) {
            return None;
        }
        let begin = self.places(open, |token| token == Token::Comma).last().map_or(open + 1, |comma| comma + 1);
        let what = match self.tokens[begin].1 {
            Token::Star => "iterable argument unpacking",
            Token::DoubleStar => "keyword argument unpacking",
            _ => return None,
        };
        if self.parse_part(Token::StartExpression, &self.tokens[begin + 1..self.at]).is_err() {
            return None;
        }
        let behind = self.longest(Token::StartExpression, self.at + 1)?;
        let span = Span { start: self.tokens[begin].0, end: self.end_of(self.at, behind) };
        Some(SyntaxError::new(Kind::AssignTo { what: what.into(), here: false }, span))
    }

    /// `import a from b`
    pub(super) fn import_from(&self) -> Option<SyntaxError> {
        let start = self.line_start(self.at);
        let start =
            (start..self.at).rev().find(|&index| self.tokens[index].1 == Token::Semicolon).map_or(start, |index| index + 1);
        let names = self.tokens.get(start + 1..self.at)?;
        if self.token() != Token::From
            || self.tokens[start].1 != Token::Import
            || names.is_empty()
            || names.iter().any(|token| !matches!(token.1, Token::Name | Token::Dot | Token::Comma))
        {
            return None;
        }
        let ahead = self.ahead(self.at + 1);
        let length = ahead.iter().take_while(|token| matches!(token.1, Token::Name | Token::Dot)).count();
        let module = length.checked_sub(1).and_then(|last| ahead.get(last))?;
        // CPython's last caret is the one before the end of what follows.
        let end = ahead.get(length).map_or(module.2, |next| next.2 - 1);
        let span = Span { start: self.tokens[start].0, end };
        (ahead[0].1 == Token::Name).then(|| SyntaxError::new(Kind::MeantFromImport, span))
    }

    /// `=` where only `==` or `:=` make sense.
    pub(super) fn equals_sign(&self) -> Option<SyntaxError> {
        if self.token() != Token::Equal || self.at < 2 {
            return None;
        }
        let mut begin = self.at;
        // As far back as there is an operand of `|`.
        let from = self.at.saturating_sub(200);
        for index in (from..self.at).rev() {
            if self.parse_part(Token::StartOperand, &self.tokens[index..self.at]).is_ok() {
                begin = index;
            }
        }
        if begin == self.at || !self.begins_named_expression(begin) {
            return None;
        }
        let behind = self.longest(Token::StartOperand, self.at + 1)?;
        let ahead = self.ahead(self.at);
        if ahead.get(behind - self.at).is_some_and(|token| matches!(token.1, Token::Equal | Token::ColonEqual)) {
            return None;
        }
        if begin + 1 == self.at && self.tokens[begin].1 == Token::Name {
            let span = Span { start: self.tokens[begin].0, end: self.end_of(self.at, behind) };
            return Some(SyntaxError::new(Kind::MeantEquality, span));
        }
        let mut body = self.parse_part(Token::StartOperand, &self.tokens[begin..self.at]).ok()?;
        let StmtKind::Expr { value } = body.pop()?.kind else { return None };
        match value.kind {
            ExprKind::List { .. } | ExprKind::Tuple { .. } | ExprKind::GeneratorExp { .. } => None,
            _ if matches!(self.tokens[begin].1, Token::None | Token::True | Token::False) => None,
            _ => {
                let what = crate::syntax::actions::describe(&value).into();
                Some(SyntaxError::new(Kind::AssignTo { what, here: true }, value.span))
            }
        }
    }

    /// Whether a condition, an element or the like begins at this index.
    fn begins_named_expression(&self, index: usize) -> bool {
        index.checked_sub(1).is_some_and(|before| {
            matches!(
                self.tokens[before].1,
                Token::If
                    | Token::Elif
                    | Token::While
                    | Token::LParen
                    | Token::LBracket
                    | Token::LBrace
                    | Token::Comma
                    | Token::At
                    | Token::Match
            )
        })
    }

    /// Half of an entry of a dict.
    pub(super) fn dict_entry(&self) -> Option<SyntaxError> {
        let open = self.bracket(self.at)?;
        if self.tokens[open].1 != Token::LBrace {
            return None;
        }
        let closes = matches!(self.token(), Token::RBrace | Token::Comma);
        if self.back(1) == Some(Token::Colon) && closes {
            return Some(self.over(Kind::ExpressionExpected { after: "dictionary key and ':'" }, self.at - 1, self.at - 1));
        }
        if self.back(1) == Some(Token::Colon) && self.token() == Token::Star {
            let behind = self.longest(Token::StartOperand, self.at + 1)?;
            let span = Span { start: self.tokens[self.at].0, end: self.end_of(self.at, behind) };
            return Some(SyntaxError::new(Kind::StarredDictValue, span));
        }
        // A key alone, behind whole entries.
        let commas = self.places(open, |token| token == Token::Comma);
        let (&last, entries) = (commas.last()?, open + 1);
        let whole = self.places(open, |token| token == Token::Colon).first().is_some_and(|&colon| colon < last)
            || self.tokens[entries].1 == Token::DoubleStar;
        let key = last + 1..self.at;
        let comprehension = !self.places(open, |token| token == Token::For).is_empty();
        if !whole
            || comprehension
            || self.token() == Token::Colon
            || self.parse_part(Token::StartExpression, &self.tokens[key]).is_err()
        {
            return None;
        }
        let end = self.tokens[self.at - 1].2 as usize;
        Some(SyntaxError::new(Kind::ColonAfterKey, Span::new(end - 1, end)))
    }

    /// Where tokens of a kind stand directly inside an open bracket.
    fn places(&self, open: usize, wanted: impl Fn(Token) -> bool) -> Vec<usize> {
        let mut depth = 0usize;
        let mut found = vec![];
        for index in open + 1..self.at {
            match self.tokens[index].1 {
                Token::LParen | Token::LBracket | Token::LBrace | Token::FStringStart => depth += 1,
                Token::RParen | Token::RBracket | Token::RBrace | Token::FStringEnd => depth = depth.saturating_sub(1),
                token if depth == 0 && wanted(token) => found.push(index),
                _ => {}
            }
        }
        found
    }

    /// `for not x in y`
    pub(super) fn loop_target(&self) -> Option<SyntaxError> {
        if self.back(1) != Some(Token::For) || !matches!(self.token(), Token::Not | Token::Lambda) {
            return None;
        }
        let behind = self.longest(Token::StartExpressions, self.at)?;
        let ahead = self.ahead(self.at);
        let mut body = self.parse_part(Token::StartExpressions, &ahead[..behind - self.at]).ok()?;
        let StmtKind::Expr { value } = body.pop()?.kind else { return None };
        let what = crate::syntax::actions::describe(&value).into();
        Some(SyntaxError::new(Kind::AssignTo { what, here: false }, value.span))
    }

    /// `f(a=)` and `def f(a=):`
    pub(super) fn missing_value(&self) -> Option<SyntaxError> {
        if self.back(1) != Some(Token::Equal) || !matches!(self.token(), Token::Comma | Token::RParen | Token::Colon) {
            return None;
        }
        let (keyword, _) = self.keyword(self.line_start(self.at));
        let open = self.bracket(self.at);
        if keyword == Token::Def && open.is_some_and(|open| self.is_parameters(open)) {
            return Some(self.over(Kind::Expected("default value expression"), self.at - 1, self.at - 1));
        }
        let name = self.at.checked_sub(2)?;
        if self.tokens[name].1 == Token::Name && open.is_some_and(|open| self.is_call(open)) && self.token() != Token::Colon {
            return Some(self.over(Kind::Expected("argument value expression"), name, self.at - 1));
        }
        None
    }

    /// What stands before `=` or `:` cannot be assigned to, whatever is wrong behind it.
    pub(super) fn bad_target(&self) -> Option<SyntaxError> {
        let line = self.line_start(self.at);
        let simple = |token: &Token| matches!(token, Token::Semicolon);
        let start = (line..self.at).rev().find(|&index| simple(&self.tokens[index].1)).map_or(line, |index| index + 1);
        let mut depth = 0usize;
        let mut begin = start;
        for index in start..=self.at {
            match self.tokens[index].1 {
                Token::LParen | Token::LBracket | Token::LBrace | Token::FStringStart => depth += 1,
                Token::RParen | Token::RBracket | Token::RBrace | Token::FStringEnd => depth = depth.saturating_sub(1),
                mark @ (Token::Equal | Token::Colon) if depth == 0 => {
                    let mut body = self.parse_part(Token::StartExpressions, &self.tokens[begin..index]).ok()?;
                    let StmtKind::Expr { value } = body.pop()?.kind else { return None };
                    if mark == Token::Colon {
                        let target = matches!(
                            value.kind,
                            ExprKind::Name(_)
                                | ExprKind::Attribute { .. }
                                | ExprKind::Subscript { .. }
                                | ExprKind::Tuple { .. }
                                | ExprKind::List { .. }
                        );
                        let span = Span { start: self.tokens[begin].0, end: self.tokens[index - 1].2 };
                        return (!target).then(|| SyntaxError::new(Kind::AnnotatedTarget, span));
                    }
                    if let Some(part) = crate::syntax::actions::invalid_target(&value) {
                        let behind = self.longest(Token::StartOperand, index + 1);
                        let next = behind.and_then(|behind| self.ahead(index).get(behind - index).map(|token| token.1));
                        let single = begin == start && behind.is_some() && next != Some(Token::Equal);
                        let tight = self.parse_part(Token::StartOperand, &self.tokens[begin..index]).is_ok();
                        let constant = matches!(self.tokens[begin].1, Token::None | Token::True | Token::False);
                        let what = crate::syntax::actions::describe(part).into();
                        return Some(SyntaxError::new(Kind::AssignTo { what, here: single && tight && !constant }, part.span));
                    }
                    begin = index + 1;
                }
                _ => {}
            }
        }
        None
    }

    /// A line that is indented for no reason.
    pub(super) fn indentation(&self) -> Option<SyntaxError> {
        let at = self.tokens[self.at].0;
        let span = Span { start: at.saturating_sub(1), end: at };
        (self.token() == Token::Indent).then(|| SyntaxError::new(Kind::UnexpectedIndent, span))
    }
}
