//! Signatures of native functions: parsed from script syntax at first need, they bind arguments to parameters.
//!
//! `"prefix, start=0, end=None, /, *rest, key=None, **options"`: the text that `help` shows is the text that binds. What an absent argument means is the
//! function's business (it gets `Undef`), so default values are only shown. The messages are CPython's, which differ with
//! the way a function takes its arguments: by position alone, or with keywords.

use smallvec::SmallVec;

use super::function::{Args, Arity, Binding, Direct, NativeCode, NativeFunction};
use super::{Vm, call::Flat};
use crate::syntax::Source;
use crate::syntax::ast::{Arg, Arguments, Expr};
use crate::value::{Class, R, Raised, Ref, Value};

/// The most values of a call without binding.
pub const MAX_DIRECT: usize = 6;

/// The parameters of a native function, without the receiver.
pub struct Signature {
    /// In the order in which the function gets them: positional ones, then `*args`, keyword-only ones, `**kwargs`.
    pub parameters: Vec<Parameter>,
    /// How many can only be given by position.
    pub positional_only: usize,
    /// How many can be given by position.
    pub positional: usize,
    /// How many must be given, of those that can be given by position.
    pub required: usize,
    pub keyword_only: usize,
    pub has_args: bool,
    pub has_kwargs: bool,
    /// Whether arity is all there is to check when no keywords are given.
    pub is_plain: bool,
}

/// One parameter.
pub struct Parameter {
    pub name: Box<str>,
    /// The default as it is written; nothing for a required parameter.
    pub default: Option<Box<str>>,
}

impl Signature {
    /// Reads the parameters. The text is a program's constant: what is not understood is taken for a name.
    pub fn parse(text: &str) -> Signature {
        let mut signature = Signature {
            parameters: Vec::new(),
            positional_only: 0,
            positional: 0,
            required: 0,
            keyword_only: 0,
            has_args: false,
            has_kwargs: false,
            is_plain: false,
        };
        let mut star = false;
        for part in split_commas(text) {
            let part = part.trim();
            if part == "/" {
                signature.positional_only = signature.positional;
                continue;
            }
            if part == "*" {
                star = true;
                continue;
            }
            if let Some(name) = part.strip_prefix("**") {
                signature.has_kwargs = true;
                signature.parameters.push(Parameter { name: name.into(), default: None });
                continue;
            }
            if let Some(name) = part.strip_prefix('*') {
                signature.has_args = true;
                star = true;
                signature.parameters.push(Parameter { name: name.into(), default: None });
                continue;
            }
            let (name, default) = match part.split_once('=') {
                Some((name, default)) => (name.trim(), Some(default.trim().into())),
                None => (part, None),
            };
            let name = name.split(':').next().unwrap_or(name).trim();
            if star {
                signature.keyword_only += 1;
            } else {
                signature.positional += 1;
                if default.is_none() {
                    signature.required = signature.positional;
                }
            }
            signature.parameters.push(Parameter { name: name.into(), default });
        }
        signature.is_plain = !signature.has_args
            && !signature.has_kwargs
            && !signature.parameters.iter().skip(signature.positional).any(|p| p.default.is_none());
        signature
    }

    /// The signature of a parsed `def`, whose text is `source`.
    pub fn of(arguments: &Arguments, source: &Source) -> Signature {
        let positional = arguments.posonlyargs.len() + arguments.args.len();
        let required = positional - arguments.defaults.len();
        let text = |expr: &Expr| source.slice(expr.span).into();
        let parameter =
            |arg: &Arg, default: Option<&Expr>| Parameter { name: (&*arg.arg.name).into(), default: default.map(text) };
        let mut parameters: Vec<Parameter> = Vec::new();
        for (index, arg) in arguments.posonlyargs.iter().chain(&arguments.args).enumerate() {
            parameters.push(parameter(arg, index.checked_sub(required).and_then(|place| arguments.defaults.get(place))));
        }
        parameters.extend(arguments.vararg.iter().map(|arg| parameter(arg, None)));
        for (arg, default) in arguments.kwonlyargs.iter().zip(&arguments.kw_defaults) {
            parameters.push(parameter(arg, default.as_ref()));
        }
        parameters.extend(arguments.kwarg.iter().map(|arg| parameter(arg, None)));
        Signature {
            parameters,
            positional_only: arguments.posonlyargs.len(),
            positional,
            required,
            keyword_only: arguments.kwonlyargs.len(),
            has_args: arguments.vararg.is_some(),
            has_kwargs: arguments.kwarg.is_some(),
            is_plain: arguments.vararg.is_none()
                && arguments.kwarg.is_none()
                && arguments.kw_defaults.iter().all(Option::is_some),
        }
    }

    /// Whether only positions count: such functions word their complaints differently.
    fn is_positional(&self) -> bool {
        self.positional_only == self.positional && self.keyword_only == 0 && !self.has_kwargs
    }
}

/// Splits at commas outside of brackets and quotes.
fn split_commas(text: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0i32;
    let mut quote = None;
    text.split(move |c: char| {
        match (c, quote) {
            ('\'' | '"', None) => quote = Some(c),
            (_, Some(open)) if c == open => quote = None,
            ('(' | '[' | '{', None) => depth += 1,
            (')' | ']' | '}', None) => depth -= 1,
            (',', None) if depth == 0 => return true,
            _ => {}
        }
        false
    })
    .filter(|part| !part.trim().is_empty())
}

impl NativeFunction {
    /// The parameters, parsed at first need.
    #[inline]
    pub fn signature(&self) -> &Signature {
        self.signature.get_or_init(|| Box::new(Signature::parse(&self.signature_text)))
    }

    /// The way in for `given` positional arguments (receivers included), if they need no binding.
    #[inline]
    pub fn direct(&self, given: usize) -> Option<Direct> {
        let arity = self.arity.get();
        if given >= arity.least as usize && given <= arity.most as usize && arity.is_known {
            let NativeCode::Bound(enter) = self.code else { return None };
            return Some(Direct { enter, values: arity.values as usize });
        }
        if arity.is_known { None } else { self.find_arity(given) }
    }

    #[cold]
    #[inline(never)]
    fn find_arity(&self, given: usize) -> Option<Direct> {
        let signature = self.signature();
        let values = self.receivers() + signature.parameters.len();
        let arity = if matches!(self.code, NativeCode::Bound(_)) && signature.is_plain && values <= MAX_DIRECT {
            Arity {
                least: (self.receivers() + signature.required) as u8,
                most: (self.receivers() + signature.positional) as u8,
                values: values as u8,
                is_known: true,
            }
        } else {
            Arity { least: 1, most: 0, values: 0, is_known: true }
        };
        self.arity.set(arity);
        self.direct(given)
    }

    /// How many leading positional arguments the signature does not mention.
    #[inline]
    pub fn receivers(&self) -> usize {
        (self.binding != Binding::Function) as usize
    }
}

/// How many arguments are padded on the native stack.
pub(crate) const FEW: usize = 6;

impl NativeFunction {
    /// How many values the function gets for so many positional arguments alone, receivers included, if it only takes `Undef` for the
    /// others and they are few.
    #[inline]
    pub(crate) fn padded_count(&self, given: usize) -> Option<usize> {
        let signature = self.signature();
        let receivers = self.receivers();
        let count = receivers + signature.parameters.len();
        let fits = signature.is_plain
            && count <= FEW
            && given >= receivers + signature.required
            && given <= receivers + signature.positional;
        fits.then_some(count)
    }
}

impl Vm {
    /// Brings arguments (receiver first, if there is one) into the order of the parameters. Called when they are not simply
    /// all the positional ones.
    pub(super) fn bind_native(&self, function: &Ref<NativeFunction>, args: Args<'_>) -> R<Flat> {
        let signature = function.signature();
        let receivers = function.receivers();
        if args.positional.len() < receivers {
            return Err(self.needs_receiver(function));
        }
        let (receiver, given) = args.positional.split_at(receivers);
        if args.keywords.is_empty() && signature.is_plain {
            if given.len() < signature.required || given.len() > signature.positional {
                return Err(self.wrong_arity(function, given.len(), args));
            }
            let mut flat = Flat::with_capacity(receivers + signature.parameters.len());
            flat.extend(args.positional.iter().cloned());
            flat.resize(receivers + signature.parameters.len(), Value::Undef);
            return Ok(flat);
        }
        self.bind_fully(function, receiver, given, args)
    }

    /// Calls `enter` with the arguments in the order of the parameters. A few positional ones, the usual case, are padded on the native
    /// stack.
    #[inline]
    pub(super) fn with_padded<T>(
        &self,
        function: &Ref<NativeFunction>,
        args: Args<'_>,
        enter: impl FnOnce(&[Value]) -> R<T>,
    ) -> R<T> {
        let given = args.positional.len();
        let count = if args.keywords.is_empty() { function.padded_count(given) } else { None };
        let Some(count) = count else {
            let flat = self.bind_native(function, args)?;
            return enter(&flat);
        };
        if given == count {
            return enter(args.positional);
        }
        let mut padded = [const { Value::Undef }; FEW];
        for (slot, value) in padded.iter_mut().zip(args.positional) {
            *slot = value.clone();
        }
        enter(&padded[..count])
    }

    #[inline(never)]
    fn bind_fully(&self, function: &Ref<NativeFunction>, receiver: &[Value], given: &[Value], args: Args<'_>) -> R<Flat> {
        let signature = function.signature();
        let count = signature.parameters.len();
        if given.len() > signature.positional && !signature.has_args {
            return Err(self.wrong_arity(function, given.len(), args));
        }
        let mut flat: Flat = SmallVec::with_capacity(receiver.len() + count);
        flat.extend(receiver.iter().cloned());
        let base = receiver.len();
        let direct = given.len().min(signature.positional);
        flat.extend(given[..direct].iter().cloned());
        flat.resize(base + count, Value::Undef);
        if signature.has_args {
            flat[base + signature.positional] = Value::from(self.heap.tuple(&given[direct..]));
        }
        let rest = signature.has_kwargs.then(|| self.heap.dict());
        for (name, value) in args.keywords {
            let place = signature.parameters.iter().enumerate().position(|(index, parameter)| {
                index >= signature.positional_only
                    && &*parameter.name == name.as_str()
                    && !(signature.has_args && index == signature.positional)
                    && !(signature.has_kwargs && index == count - 1)
            });
            match (place, &rest) {
                (Some(index), _) => {
                    if index < direct {
                        return Err(self.type_error(format!(
                            "argument for {}() given by name ('{}') and position ({})",
                            self.display_name(function),
                            name.as_str(),
                            index + 1
                        )));
                    }
                    flat[base + index] = value.clone();
                }
                (None, Some(rest)) => rest.set_str(name, value.clone()),
                (None, None) if self.leaves_keywords(function, args) => {}
                (None, None) => return Err(self.unknown_keyword(function, name.as_str(), args)),
            }
        }
        if let Some(rest) = rest {
            flat[base + count - 1] = Value::from(rest);
        }
        let missing = |index: usize, parameter: &Parameter| {
            parameter.default.is_none() && flat[base + index].is_undef() && index != count - signature.has_kwargs as usize
        };
        let missing = signature.parameters.iter().enumerate().find(|(index, parameter)| missing(*index, parameter));
        match missing {
            Some((index, parameter)) => Err(self.missing_argument(function, index, parameter, given.len(), args)),
            None => Ok(flat),
        }
    }

    /// The name in messages: constructors are called by the name of their class.
    fn display_name(&self, function: &Ref<NativeFunction>) -> String {
        if function.name.is(&self.n.__new__) || function.name.is(&self.n.__init__) {
            let owner = function.owner.get();
            if let Some(class) = owner.downcast::<Class>() {
                return class.own_name().as_str().to_owned();
            }
        }
        function.name.as_str().to_owned()
    }

    /// The name with the class's, for methods: `list.append`.
    fn qualified_name(&self, function: &Ref<NativeFunction>) -> String {
        let owner = function.owner.get();
        match owner.downcast::<Class>() {
            Some(class) if !function.name.is(&self.n.__new__) && !function.name.is(&self.n.__init__) => {
                format!("{}.{}", class.own_name().as_str(), function.name.as_str())
            }
            _ => self.display_name(function),
        }
    }

    /// Constructors take the class first, which nobody counts.
    fn uncounted(&self, function: &Ref<NativeFunction>) -> usize {
        function.name.is(&self.n.__new__) as usize
    }

    #[cold]
    #[inline(never)]
    pub(super) fn needs_receiver(&self, function: &Ref<NativeFunction>) -> Raised {
        let owner = function.owner.get();
        let owner = owner.downcast::<Class>().map_or_else(String::new, |class| class.own_name().as_str().to_owned());
        let name = function.name.as_str();
        if name.starts_with("__") {
            return self.type_error(format!("descriptor '{name}' of '{owner}' object needs an argument"));
        }
        self.type_error(format!("unbound method {owner}.{name}() needs an argument"))
    }

    #[cold]
    #[inline(never)]
    pub(super) fn wrong_receiver(&self, function: &Ref<NativeFunction>, owner: &Ref<Class>, given: &Value) -> Raised {
        let (name, owner, given) = (function.name.as_str(), owner.name(), self.class_of(given).name());
        let (owner, given) = (owner.as_str(), given.as_str());
        if name.starts_with("__") {
            return self.type_error(format!("descriptor '{name}' requires a '{owner}' object but received a '{given}'"));
        }
        self.type_error(format!("descriptor '{name}' for '{owner}' objects doesn't apply to a '{given}' object"))
    }

    #[cold]
    #[inline(never)]
    fn wrong_arity(&self, function: &Ref<NativeFunction>, given: usize, args: Args<'_>) -> Raised {
        let signature = function.signature();
        let skip = self.uncounted(function);
        let given = given.saturating_sub(skip);
        let (least, most) = (signature.required.saturating_sub(skip), signature.positional.saturating_sub(skip));
        let s = |n: usize| if n == 1 { "" } else { "s" };
        let name = self.display_name(function);
        if signature.is_positional() {
            if function.name.as_str().starts_with("__")
                && skip == 0
                && !function.name.is(&self.n.__init__)
                && function.receivers() == 1
                && !self.is_no_slot(function)
            {
                return match (least == most, given < least) {
                    (true, _) => self.type_error(format!("expected {least} argument{}, got {given}", s(least))),
                    (_, true) => self.type_error(format!("expected at least {least} argument{}, got {given}", s(least))),
                    _ => self.type_error(format!("expected at most {most} argument{}, got {given}", s(most))),
                };
            }
            if most == 0 {
                return self.type_error(format!("{}() takes no arguments ({given} given)", self.qualified_name(function)));
            }
            if most == 1 && least == 1 {
                return self
                    .type_error(format!("{}() takes exactly one argument ({given} given)", self.qualified_name(function)));
            }
            if least == most {
                return self.type_error(format!("{name} expected {most} arguments, got {given}"));
            }
            let (bound, n) = if given < least { ("at least", least) } else { ("at most", most) };
            if self.is_search(function) {
                return self.type_error(format!("{name}() takes {bound} {n} argument{} ({given} given)", s(n)));
            }
            return self.type_error(format!("{name} expected {bound} {n} argument{}, got {given}", s(n)));
        }
        if most == 0 {
            return self.type_error(format!("{name}() takes no positional arguments"));
        }
        if given < least {
            let index = given + skip + args.keywords.len();
            let parameter = &signature.parameters[(given + skip).min(signature.parameters.len() - 1)];
            let _ = index;
            return self.missing_argument(function, given + skip, parameter, given, args);
        }
        let given = given + args.keywords.len();
        let how = if least == most { "exactly" } else { "at most" };
        let what = if signature.keyword_only > 0 { "positional argument" } else { "argument" };
        self.type_error(format!("{name}() takes {how} {most} {what}{} ({given} given)", s(most)))
    }

    /// Whether keywords are none of a constructor's business: it takes none, and they are for the other half of making an object, which
    /// the derived class has written itself.
    fn leaves_keywords(&self, function: &Ref<NativeFunction>, args: Args<'_>) -> bool {
        let is_new = function.name.is(&self.n.__new__);
        if !is_new && !function.name.is(&self.n.__init__) || !function.signature().is_positional() {
            return false;
        }
        let owner = function.owner.get();
        let (Some(owner), Some(first)) = (owner.downcast::<Class>(), args.positional.first()) else { return false };
        let other = if is_new { &self.n.__init__ } else { &self.n.__new__ };
        let class = if is_new { first.downcast::<Class>().cloned() } else { Some(self.class_of(first)) };
        class.is_some_and(|class| class.is_script && !class.lookup(other).is(&owner.lookup(other)))
    }

    /// Whether a special method is not behind an operator or a protocol: CPython words its complaints as of any other method.
    fn is_no_slot(&self, function: &Ref<NativeFunction>) -> bool {
        const PLAIN: [&str; 20] = [
            "__format__",
            "__getnewargs__",
            "__class_getitem__",
            "__reduce__",
            "__reduce_ex__",
            "__sizeof__",
            "__dir__",
            "__reversed__",
            "__length_hint__",
            "__setstate__",
            "__copy__",
            "__deepcopy__",
            "__round__",
            "__trunc__",
            "__floor__",
            "__ceil__",
            "__complex__",
            "__instancecheck__",
            "__subclasscheck__",
            "__missing__",
        ];
        let owner = function.owner.get();
        let name = function.name.as_str();
        let coexists = match name {
            "__getitem__" => owner.is(&Value::from(&self.types.list)) || owner.is(&Value::from(&self.types.dict)),
            "__contains__" => owner.is(&Value::from(&self.types.set)) || owner.is(&Value::from(&self.types.dict)),
            _ => false,
        };
        coexists || PLAIN.contains(&name)
    }

    /// The searching methods of text and bytes word theirs in another way.
    fn is_search(&self, function: &Ref<NativeFunction>) -> bool {
        let owner = function.owner.get();
        matches!(function.name.as_str(), "find" | "rfind" | "index" | "rindex" | "count" | "startswith" | "endswith")
            && [&self.types.str, &self.types.bytes, &self.types.bytearray].into_iter().any(|class| owner.is(&Value::from(class)))
    }

    #[cold]
    #[inline(never)]
    fn missing_argument(
        &self,
        function: &Ref<NativeFunction>,
        index: usize,
        parameter: &Parameter,
        given: usize,
        args: Args<'_>,
    ) -> Raised {
        let signature = function.signature();
        let skip = self.uncounted(function);
        if signature.is_positional() && !signature.has_args {
            if !args.keywords.is_empty() {
                return self.unknown_keyword(function, args.keywords[0].0.as_str(), args);
            }
            return self.wrong_arity(function, given, args);
        }
        let name = self.display_name(function);
        if index < signature.positional_only || signature.has_args {
            let least = signature.required.saturating_sub(skip);
            let given = given.saturating_sub(skip);
            let s = if least == 1 { "" } else { "s" };
            if signature.is_positional() || signature.has_args {
                return self.type_error(format!("{name} expected at least {least} argument{s}, got {given}"));
            }
            let bound = if signature.positional == signature.required { "exactly" } else { "at least" };
            return self.type_error(format!("{name}() takes {bound} {least} positional argument{s} ({given} given)"));
        }
        if index >= signature.positional {
            return self.type_error(format!("{name}() missing required keyword-only argument '{}'", parameter.name));
        }
        self.type_error(format!("{name}() missing required argument '{}' (pos {})", parameter.name, index + 1 - skip))
    }

    #[cold]
    #[inline(never)]
    fn unknown_keyword(&self, function: &Ref<NativeFunction>, keyword: &str, _args: Args<'_>) -> Raised {
        if function.signature().is_positional() && !function.signature().has_args {
            return self.type_error(format!("{}() takes no keyword arguments", self.qualified_name(function)));
        }
        self.type_error(format!("'{keyword}' is an invalid keyword argument for {}()", self.display_name(function)))
    }
}

#[cfg(test)]
mod tests {
    use super::Signature;

    #[test]
    fn parameters_are_read_in_order() {
        let signature = Signature::parse("a, b=(1, ','), /, c=None, *rest, d, e=1, **options");
        assert_eq!((signature.positional_only, signature.positional, signature.required), (2, 3, 1));
        assert_eq!((signature.keyword_only, signature.has_args, signature.has_kwargs), (2, true, true));
        let names: Vec<&str> = signature.parameters.iter().map(|p| &*p.name).collect();
        assert_eq!(names, ["a", "b", "c", "rest", "d", "e", "options"]);
        assert_eq!(signature.parameters[1].default.as_deref(), Some("(1, ',')"));
    }

    #[test]
    fn nothing_is_a_signature_too() {
        let signature = Signature::parse(" / ");
        assert!(signature.is_plain && signature.parameters.is_empty());
    }
}
