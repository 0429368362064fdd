//! Warnings that the interpreter gives: about a text that was compiled, and about what is deprecated.

use super::Vm;
use super::node::{Node, Tree};
use crate::syntax::ast::UnaryOp;
use crate::syntax::{Source, Span, SyntaxError, SyntaxErrorKind, Warning};
use crate::value::{Place, R, Raised, Value};

/// `~a`, which is deprecated for booleans.
pub struct Invert {
    pub a: Tree,
    pub span: Span,
    pub place: Place,
}

impl Node for Invert {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        let a = self.a.eval(vm, l)?;
        match a {
            Value::Int(i) => Ok(Value::Int(!i)),
            Value::Bool(b) => {
                vm.heap.here.set(self.place);
                vm.deprecated(INVERTED_BOOL).map_err(|Raised| vm.at(self.span))?;
                Ok(Value::Int(if b == 0 { -1 } else { -2 }))
            }
            _ => vm.unary(UnaryOp::Invert, &a).map_err(|Raised| vm.at(self.span)),
        }
    }
}

const INVERTED_BOOL: &str = "Bitwise inversion '~' on bool is deprecated. This returns the bitwise inversion of the underlying int \
                             object and is usually not what you expect from negating a bool. Use the 'not' operator for boolean \
                             negation or ~int(x) if you really want the bitwise inversion of the underlying int.";

impl Vm {
    /// Gives a `DeprecationWarning` about what is being run.
    #[cold]
    #[inline(never)]
    pub fn deprecated(&self, text: &str) -> R<()> {
        let module = self.import("warnings", None, 0)?;
        let give = self.get_attr(&module, &self.intern("warn"))?;
        self.call(&give, &[self.str_value(text), Value::from(&self.types.deprecation_warning)]).map(drop)
    }

    /// Gives a warning of the parser's; where a filter makes it an error, that is one of syntax.
    pub fn give_syntax_warning(&self, source: &Source, warning: &Warning) -> R<()> {
        let Warning { text, span } = warning;
        let give = || -> R {
            let module = self.import("warnings", None, 0)?;
            let give = self.get_attr(&module, &self.intern("warn_explicit"))?;
            let line = Value::Int(source.line_number(span.start).into());
            let category = Value::from(&self.types.syntax_warning);
            self.call(&give, &[self.str_value(text), category, self.str_value(source.name()), line])
        };
        if let Err(raised) = give() {
            if !self.raised_is(&self.types.syntax_warning) {
                return Err(raised);
            }
            drop(self.take_raised());
            let error = SyntaxError::new(SyntaxErrorKind::Warning(text.as_str().into()), *span);
            return Err(self.raise_syntax_error(source, &error));
        }
        Ok(())
    }
}
