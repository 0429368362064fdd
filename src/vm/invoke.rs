//! Entering script functions: binding arguments to slots, the short way for simple calls, the limits of depth.

use smallvec::SmallVec;

use super::Vm;
use super::code::{Code, CodeKind};
use super::function::{Args, Function};
use super::node::Tree;
use crate::syntax::Span;
use crate::value::{R, Raised, Ref, Str, Value, Variable};

/// Native stack kept free below the limit, for native code that does not check.
const RESERVE: usize = 96 * 1024;
/// A new piece of native stack, when the present one is used up before the limit of depth is reached.
const PIECE: usize = 4 * 1024 * 1024;

impl Vm {
    /// Tells the interpreter how far the native stack of this thread may grow. Called whenever a thread begins to run scripts.
    pub fn measure_stack(&self) {
        let here = stack_pointer();
        let left = stacker::remaining_stack().unwrap_or(1024 * 1024);
        self.stack_limit.set(here.saturating_sub(left.saturating_sub(RESERVE)));
    }

    /// One level deeper; `leave` must follow unless this fails.
    #[inline(always)]
    pub fn enter(&self) -> R<()> {
        let depth = self.depth.get() + 1;
        if depth > self.max_depth.get() {
            return Err(self.too_deep());
        }
        self.depth.set(depth);
        self.tick().inspect_err(|_| self.leave())
    }

    /// Back one level.
    #[inline(always)]
    pub fn leave(&self) {
        self.depth.set(self.depth.get() - 1);
    }

    #[cold]
    #[inline(never)]
    fn too_deep(&self) -> Raised {
        self.recursion_error("maximum recursion depth exceeded")
    }

    /// Whether the native stack is nearly used up.
    #[inline(always)]
    pub fn is_stack_low(&self) -> bool {
        stack_pointer() < self.stack_limit.get()
    }

    /// Runs `inside` with enough native stack, on a new piece if need be.
    #[inline(always)]
    pub fn with_stack<T>(&self, inside: impl FnOnce() -> R<T>) -> R<T> {
        if self.is_stack_low() { self.on_new_stack(inside) } else { inside() }
    }

    #[cold]
    #[inline(never)]
    fn on_new_stack<T>(&self, inside: impl FnOnce() -> R<T>) -> R<T> {
        let limit = self.stack_limit.get();
        let result = stacker::grow(PIECE, || {
            self.stack_limit.set(stack_pointer().saturating_sub(PIECE - RESERVE));
            inside()
        });
        self.stack_limit.set(limit);
        result
    }

    /// Runs `inside` one level deeper, for native recursion over data: `RecursionError` past the limit of depth.
    #[inline]
    pub fn nested<T>(&self, inside: impl FnOnce() -> R<T>) -> R<T> {
        let depth = self.depth.get() + 1;
        if depth > self.max_depth.get() {
            return Err(self.too_deep());
        }
        self.depth.set(depth);
        let result = self.with_stack(inside);
        self.leave();
        result
    }

    /// Calls a function whose code is simple with as many arguments as it has parameters, evaluating them straight into its slots.
    /// `this` is put first unless it is `Undef`. The caller holds a count of the function for as long as it runs.
    #[inline]
    pub fn call_simple(&self, function: &Ref<Function>, this: Value, args: &[Tree], l: &mut [Value], span: Span) -> R {
        let result = match function.code.slots {
            0 | 1 => self.run_simple::<1>(function, this, args, l),
            2 => self.run_simple::<2>(function, this, args, l),
            3 => self.run_simple::<3>(function, this, args, l),
            4 => self.run_simple::<4>(function, this, args, l),
            5 | 6 => self.run_simple::<6>(function, this, args, l),
            7 | 8 => self.run_simple::<8>(function, this, args, l),
            9..=12 => self.run_simple::<12>(function, this, args, l),
            13..=20 => self.run_simple::<20>(function, this, args, l),
            _ => self.run_large(function, this, args, l),
        };
        match result {
            Ok(value) => Ok(value),
            Err(Raised) => Err(self.at(span)),
        }
    }

    #[inline(never)]
    fn run_simple<const N: usize>(&self, function: &Ref<Function>, this: Value, args: &[Tree], l: &mut [Value]) -> R {
        let mut slots = [const { Value::Undef }; N];
        let mut at = 0;
        if !this.is_undef() {
            slots[0] = this;
            at = 1;
        }
        for arg in args {
            slots[at] = arg.eval(self, l)?;
            at += 1;
        }
        self.run_body(function, &mut slots)
    }

    #[inline(never)]
    fn run_large(&self, function: &Ref<Function>, this: Value, args: &[Tree], l: &mut [Value]) -> R {
        let mut slots = vec![Value::Undef; function.code.slots];
        let mut at = 0;
        if !this.is_undef() {
            slots[0] = this;
            at = 1;
        }
        for arg in args {
            slots[at] = arg.eval(self, l)?;
            at += 1;
        }
        self.run_body(function, &mut slots)
    }

    /// Runs an ordinary function whose parameters are in their slots.
    #[inline(always)]
    fn run_body(&self, function: &Ref<Function>, slots: &mut [Value]) -> R {
        let code = &function.code;
        if !function.closure.is_empty() {
            for (slot, variable) in slots[code.free_base..].iter_mut().zip(&function.closure) {
                *slot = Value::from(variable);
            }
        }
        self.enter()?;
        if self.is_stack_low() {
            return self.run_on_new_stack(code, slots);
        }
        let result = code.body.exec(self, slots);
        self.leave();
        match result {
            Ok(Value::Next) => Ok(Value::None),
            Ok(value) => Ok(value),
            Err(Raised) => Err(self.add_traceback(&code.info)),
        }
    }

    #[cold]
    #[inline(never)]
    fn run_on_new_stack(&self, code: &Ref<Code>, slots: &mut [Value]) -> R {
        let result = self.on_new_stack(|| code.body.exec(self, slots));
        self.leave();
        match result {
            Ok(Value::Next) => Ok(Value::None),
            Ok(value) => Ok(value),
            Err(Raised) => Err(self.add_traceback(&code.info)),
        }
    }

    /// Calls a script function: runs it, or makes its generator or coroutine.
    pub fn call_function(&self, function: &Ref<Function>, args: Args<'_>) -> R {
        let function = function.clone();
        let code = &function.code;
        if code.kind != CodeKind::Function {
            let slots = self.bind_arguments(&function, args)?;
            return Ok(self.make_resumable(&function, slots));
        }
        match code.slots {
            0..=4 => return self.bind_and_run::<4>(&function, args),
            5..=8 => return self.bind_and_run::<8>(&function, args),
            9..=16 => return self.bind_and_run::<16>(&function, args),
            _ => {}
        }
        let mut slots = vec![Value::Undef; code.slots];
        self.bind_into(&function, args, &mut slots)?;
        self.run_body(&function, &mut slots)
    }

    #[inline(never)]
    fn bind_and_run<const N: usize>(&self, function: &Ref<Function>, args: Args<'_>) -> R {
        let mut slots = [const { Value::Undef }; N];
        let slots = &mut slots[..function.code.slots];
        self.bind_into(function, args, slots)?;
        self.run_body(function, slots)
    }

    /// The slots of a call of `function` with these arguments, cells included.
    pub fn bind_arguments(&self, function: &Ref<Function>, args: Args<'_>) -> R<Box<[Value]>> {
        let mut slots = vec![Value::Undef; function.code.slots].into_boxed_slice();
        self.bind_into(function, args, &mut slots)?;
        for (slot, variable) in slots[function.code.free_base..].iter_mut().zip(&function.closure) {
            *slot = Value::from(variable);
        }
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
            let rest = args.positional[direct..].to_vec();
            slots[named] = Value::from(self.heap.tuple(rest));
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
        if given < positional && slots[..positional].iter().any(Value::is_undef) {
            function.defaults.with(|defaults| {
                let first = positional - defaults.len().min(positional);
                for (slot, default) in slots[first..positional].iter_mut().zip(defaults) {
                    if slot.is_undef() {
                        *slot = default.clone();
                    }
                }
            });
            if slots[..positional].iter().any(Value::is_undef) {
                return Err(self.missing_arguments(function, &slots[..positional], 0, "positional"));
            }
        }
        if parameters.keyword_only > 0 {
            function.kw_defaults.with(|defaults| {
                for (slot, default) in slots[positional..named].iter_mut().zip(defaults) {
                    if slot.is_undef() {
                        *slot = default.clone();
                    }
                }
            });
            if slots[positional..named].iter().any(Value::is_undef) {
                return Err(self.missing_arguments(function, &slots[positional..named], positional, "keyword-only"));
            }
        }
        for &slot in &code.captured {
            let value = std::mem::take(&mut slots[slot as usize]);
            slots[slot as usize] = Value::from(self.heap.alloc(Variable::new(value)));
        }
        Ok(())
    }

    fn bind_keywords(
        &self,
        function: &Ref<Function>,
        args: Args<'_>,
        slots: &mut [Value],
        kwargs: Option<&Ref<crate::value::Dict>>,
    ) -> R<()> {
        let parameters = &function.code.parameters;
        let named = parameters.positional + parameters.keyword_only;
        for (name, value) in args.keywords {
            let place = parameters.names[..named].iter().position(|known| known.is(name) || known.as_str() == name.as_str());
            match place {
                Some(index) if index >= parameters.positional_only => {
                    if !slots[index].is_undef() {
                        let name = name.as_str();
                        let shown = self.function_text(function);
                        return Err(self.type_error(format!("{shown} got multiple values for argument '{name}'")));
                    }
                    slots[index] = value.clone();
                }
                place => match kwargs {
                    Some(kwargs) => kwargs.set_str(name, value.clone()),
                    None => return Err(self.unexpected_keyword(function, args, name, place.is_some())),
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
    fn unexpected_keyword(&self, function: &Ref<Function>, args: Args<'_>, name: &Ref<Str>, positional: bool) -> Raised {
        let shown = self.function_text(function);
        if positional {
            let only = &function.code.parameters.names[..function.code.parameters.positional_only];
            let passed: Vec<&str> =
                only.iter().map(|n| n.as_str()).filter(|n| args.keywords.iter().any(|(k, _)| k.as_str() == *n)).collect();
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

/// An address on the native stack, near its end.
#[inline(always)]
fn stack_pointer() -> usize {
    let here = 0u8;
    std::ptr::from_ref(std::hint::black_box(&here)) as usize
}
