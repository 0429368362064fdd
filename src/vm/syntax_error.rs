//! Syntax errors as exceptions: from the parser's facts to `SyntaxError` and its attributes.

use super::Vm;
use crate::syntax::{Source, SyntaxError, SyntaxErrorClass};
use crate::value::{Raised, Value};

impl Vm {
    /// Raises what the parser found: `SyntaxError(message, (file, line, column, text, end line, end column))`.
    #[cold]
    #[inline(never)]
    pub fn raise_syntax_error(&self, source: &Source, error: &SyntaxError) -> Raised {
        let class = match error.class() {
            SyntaxErrorClass::SyntaxError => &self.types.syntax_error,
            SyntaxErrorClass::IndentationError => &self.types.indentation_error,
            SyntaxErrorClass::TabError => &self.types.tab_error,
        };
        let (start, end) = error.place(source);
        let line = source.line(start.line).map_or(Value::None, |line| self.str_value(&format!("{line}\n")));
        let number = |n: u32| Value::Int(n.into());
        let place =
            [self.str_value(source.name()), number(start.line), number(start.column), line, number(end.line), number(end.column)];
        let args = [self.str_value(&error.kind.to_string()), Value::from(self.heap.tuple(place))];
        match self.call(&Value::from(class), &args) {
            Ok(exception) => self.raise_new(exception),
            Err(raised) => raised,
        }
    }
}
