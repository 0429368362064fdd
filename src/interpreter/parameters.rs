//! The parameters of a function of the host: read from script syntax when the function is registered, so that whatever is wrong with them
//! is said there.

use super::data::{Data, Mismatch};
use super::host_function::Shape;
use crate::error::{Error, SyntaxProblem};
use crate::resolve::CompileError;
use crate::syntax::ast::{FunctionDef, Stmt, StmtKind};
use crate::syntax::{Mode, Source, parse};
use crate::value::{R, Value};
use crate::vm::Vm;
use crate::vm::function::Function;
use crate::vm::signature::Signature;

/// What a function is called with.
pub(super) struct Parameters {
    pub text: String,
    pub signature: Signature,
    /// What those that are not given become, in the order of the signature; nothing for those that must be given.
    pub defaults: Vec<Option<Data>>,
}

/// Reads the parameters of the function `name`, and evaluates the defaults.
pub(super) fn read(vm: &Vm, name: &str, text: &str) -> Result<R<Parameters>, Error> {
    let source = Source::new(format!("<parameters of {name}>"), format!("def {name}({text}): pass"));
    let module = parse(&source, Mode::File).map_err(|error| Error::syntax(&source, &error))?;
    let Some(definition) = only_definition(&module.body) else { return Err(not_parameters(&source)) };
    let signature = Signature::of(&definition.args, &source);
    let globals = vm.module("<parameters>", None, None).dict.clone();
    let code = match vm.compile_with(&source, Mode::File.into(), &globals) {
        Ok(code) => code,
        Err(CompileError::Syntax(error)) => return Err(Error::syntax(&source, &error)),
        Err(CompileError::Raised(raised)) => return Ok(Err(raised)),
    };
    Ok(vm.run(&code).and_then(|_| {
        let made = globals.get_text(name);
        let Some(function) = made.as_ref().and_then(|made| made.downcast::<Function>()) else {
            return Err(vm.value_error(format!("'{name}' is not a name")));
        };
        let last = function.defaults.with(|defaults| defaults.to_vec());
        let keyword_only = function.kw_defaults.with(|defaults| defaults.to_vec());
        let defaults = in_order(vm, &signature, &last, &keyword_only)?;
        Ok(Parameters { text: text.to_owned(), signature, defaults })
    }))
}

/// The function, if the text in the brackets was parameters and nothing else.
fn only_definition(body: &[Stmt]) -> Option<&FunctionDef> {
    match body {
        [Stmt { kind: StmtKind::FunctionDef(definition), .. }]
            if definition.returns.is_none() && matches!(&*definition.body, [Stmt { kind: StmtKind::Pass, .. }]) =>
        {
            Some(definition)
        }
        _ => None,
    }
}

/// The brackets were closed and opened again.
fn not_parameters(source: &Source) -> Error {
    let message = "the text is more than the parameters of a function";
    Error::Syntax(Box::new(SyntaxProblem {
        class: "SyntaxError",
        message: message.to_owned(),
        source: source.name().to_owned(),
        line: 1,
        column: 1,
        incomplete: false,
        rendered: format!("  File \"{}\", line 1\n    {}\nSyntaxError: {message}", source.name(), source.text()),
    }))
}

/// The defaults in the order of the parameters: positional ones, `*args`, keyword-only ones, `**kwargs`.
fn in_order(vm: &Vm, signature: &Signature, last: &[Value], keyword_only: &[Value]) -> R<Vec<Option<Data>>> {
    let mut defaults: Vec<Option<Data>> = signature.parameters.iter().map(|_| None).collect();
    let first_keyword = signature.positional + usize::from(signature.has_args);
    let positional = (signature.positional.saturating_sub(last.len())..).zip(last);
    let keyword_only = (first_keyword..).zip(keyword_only).filter(|(_, value)| !value.is_undef());
    for (index, value) in positional.chain(keyword_only) {
        if let Some(default) = defaults.get_mut(index) {
            *default = Some(Data::of(vm, value)?);
        }
    }
    Ok(defaults)
}

impl Parameters {
    /// Compares them with those of the closure.
    pub(super) fn check(&self, name: &str, shape: &Shape) -> Result<(), Mismatch> {
        let wanted = self.signature.parameters.len();
        if shape.count != wanted {
            let s = if wanted == 1 { "" } else { "s" };
            return Err(Mismatch {
                expected: format!("a closure of {wanted} parameter{s} for {name}({})", self.text),
                found: format!("one of {}", shape.count),
                place: String::new(),
            });
        }
        (shape.check)(&self.defaults).map_err(|(index, mismatch)| {
            let parameter = self.signature.parameters.get(index).map_or("", |parameter| &*parameter.name);
            mismatch.at(format!("the default of '{parameter}' in {name}({})", self.text))
        })
    }
}
