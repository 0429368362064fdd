//! Binding the arguments of a call to the parameters of a script function, and the errors where they do not fit.

use smallvec::SmallVec;

use super::Vm;
use super::function::{Args, Function};
use crate::value::{Dict, R, Raised, Ref, Slots, Str, Value, Variable};

impl Vm {
    /// The slots of a call of `function` with these arguments, cells included.
    pub fn bind_arguments(&self, function: &Ref<Function>, args: Args<'_>) -> R<Slots> {
        let mut slots = Slots::new(&self.heap, function.code.slots);
        self.bind_into(function, args, &mut slots)?;
        function.put_closure(&mut slots);
        Ok(slots)
    }

    /// Puts arguments into the slots of the parameters.
    pub fn bind_into(&self, function: &Ref<Function>, args: Args<'_>, slots: &mut [Value]) -> R<()> {
        let code = &function.code;
        let parameters = &code.parameters;
        let given = args.positional.len();
        let positional = parameters.positional;
        let direct = given.min(positional);
        for (slot, value) in slots.iter_mut().zip(&args.positional[..direct]) {
            *slot = value.clone();
        }
        let named = positional + parameters.keyword_only;
        if parameters.has_args {
            slots[named] = Value::from(self.heap.tuple(&args.positional[direct..]));
        }
        let kwargs = parameters.has_kwargs.then(|| self.heap.dict());
        if !args.keywords.is_empty() {
            self.bind_keywords(function, args, slots, kwargs.as_ref())?;
        }
        if let Some(kwargs) = kwargs {
            slots[named + usize::from(parameters.has_args)] = Value::from(kwargs);
        }
        if given > positional && !parameters.has_args {
            return Err(self.too_many_arguments(function, given, slots));
        }
        self.fill_up(function, slots, given)
    }

    /// What is to be done when all arguments have a parameter of their own, the first `given` by position, and are in its slot.
    pub(super) fn complete(&self, function: &Ref<Function>, slots: &mut [Value], given: usize) -> R<()> {
        let parameters = &function.code.parameters;
        let mut next = parameters.positional + parameters.keyword_only;
        if parameters.has_args {
            slots[next] = Value::from(self.heap.tuple([]));
            next += 1;
        }
        if parameters.has_kwargs {
            slots[next] = Value::from(self.heap.dict());
        }
        self.fill_up(function, slots, given)
    }

    /// Puts defaults into the slots of parameters that have no argument, and cells around those that are captured.
    #[inline]
    fn fill_up(&self, function: &Ref<Function>, slots: &mut [Value], given: usize) -> R<()> {
        let code = &function.code;
        let parameters = &code.parameters;
        let positional = parameters.positional;
        let named = positional + parameters.keyword_only;
        if given < positional {
            let missing = function.defaults.with(|defaults| {
                let first = positional - defaults.len().min(positional);
                let mut missing = false;
                for (index, slot) in slots[..positional].iter_mut().enumerate().skip(given) {
                    if slot.is_undef() {
                        match defaults.get(index.wrapping_sub(first)) {
                            Some(default) => *slot = default.clone(),
                            None => missing = true,
                        }
                    }
                }
                missing
            });
            if missing {
                return Err(self.missing_arguments(function, &slots[..positional], 0, "positional"));
            }
        }
        if parameters.keyword_only > 0 {
            let missing = function.kw_defaults.with(|defaults| {
                let mut missing = false;
                for (index, slot) in slots[positional..named].iter_mut().enumerate() {
                    if slot.is_undef() {
                        *slot = defaults.get(index).cloned().unwrap_or_default();
                        missing |= slot.is_undef();
                    }
                }
                missing
            });
            if missing {
                return Err(self.missing_arguments(function, &slots[positional..named], positional, "keyword-only"));
            }
        }
        for &slot in &code.captured {
            let value = std::mem::take(&mut slots[slot as usize]);
            slots[slot as usize] = Value::from(self.heap.alloc(Variable::new(value)));
        }
        Ok(())
    }

    fn bind_keywords(&self, function: &Ref<Function>, args: Args<'_>, slots: &mut [Value], kwargs: Option<&Ref<Dict>>) -> R<()> {
        let parameters = &function.code.parameters;
        let named = parameters.positional + parameters.keyword_only;
        self.charge((args.keywords.len() * (named + 1) / 64) as u64)?;
        for (name, value) in args.keywords {
            let names = &parameters.names[..named];
            // Nearly all names are interned.
            let place = names
                .iter()
                .position(|known| known.is(name))
                .or_else(|| names.iter().position(|known| known.as_str() == name.as_str()));
            match place {
                Some(index) if index >= parameters.positional_only => {
                    if !slots[index].is_undef() {
                        let name = name.as_str();
                        let shown = self.function_text(function);
                        return Err(self.type_error(format!("{shown} got multiple values for argument '{name}'")));
                    }
                    slots[index] = value.clone();
                }
                _ => match kwargs {
                    Some(kwargs) => kwargs.set_str(name, value.clone()),
                    None => return Err(self.unexpected_keyword(function, args, name)),
                },
            }
        }
        Ok(())
    }

    /// `name()` with the qualified name.
    fn function_text(&self, function: &Ref<Function>) -> String {
        let changed = function.extra.with(|extra| extra.as_ref().and_then(|extra| extra.qualname.clone()));
        match changed.as_ref().and_then(Value::as_str) {
            Some(name) => format!("{name}()"),
            None => format!("{}()", function.code.qualname.as_str()),
        }
    }

    #[cold]
    #[inline(never)]
    fn unexpected_keyword(&self, function: &Ref<Function>, args: Args<'_>, name: &Ref<Str>) -> Raised {
        let shown = self.function_text(function);
        let only = &function.code.parameters.names[..function.code.parameters.positional_only];
        let passed: Vec<&str> =
            only.iter().map(|n| n.as_str()).filter(|n| args.keywords.iter().any(|(k, _)| k.as_str() == *n)).collect();
        if !passed.is_empty() {
            let list = passed.join(", ");
            return self.type_error(format!("{shown} got some positional-only arguments passed as keyword arguments: '{list}'"));
        }
        self.type_error(format!("{shown} got an unexpected keyword argument '{}'", name.as_str()))
    }

    #[cold]
    #[inline(never)]
    fn too_many_arguments(&self, function: &Ref<Function>, given: usize, slots: &[Value]) -> Raised {
        let parameters = &function.code.parameters;
        let positional = parameters.positional;
        let defaults = function.defaults.with(|defaults| defaults.len());
        let keyword_only = slots[positional..positional + parameters.keyword_only].iter().filter(|slot| !slot.is_undef()).count();
        let takes = if defaults > 0 { format!("from {} to {positional}", positional - defaults) } else { positional.to_string() };
        let plural = if positional == 1 && defaults == 0 { "" } else { "s" };
        let and_keywords = if keyword_only > 0 {
            let s = if given == 1 { "" } else { "s" };
            let ks = if keyword_only == 1 { "" } else { "s" };
            format!(" positional argument{s} (and {keyword_only} keyword-only argument{ks})")
        } else {
            String::new()
        };
        let verb = if given == 1 && keyword_only == 0 { "was" } else { "were" };
        let shown = self.function_text(function);
        self.type_error(format!("{shown} takes {takes} positional argument{plural} but {given}{and_keywords} {verb} given"))
    }

    #[cold]
    #[inline(never)]
    fn missing_arguments(&self, function: &Ref<Function>, slots: &[Value], first: usize, kind: &str) -> Raised {
        let names = &function.code.parameters.names[first..];
        let missing: SmallVec<[String; 4]> =
            slots.iter().zip(names).filter(|(slot, _)| slot.is_undef()).map(|(_, name)| format!("'{}'", name.as_str())).collect();
        let list = match missing.as_slice() {
            [one] => one.clone(),
            [a, b] => format!("{a} and {b}"),
            [rest @ .., last] => format!("{}, and {last}", rest.join(", ")),
            [] => String::new(),
        };
        let count = missing.len();
        let plural = if count == 1 { "" } else { "s" };
        let shown = self.function_text(function);
        self.type_error(format!("{shown} missing {count} required {kind} argument{plural}: {list}"))
    }
}
