//! Running script functions whose arguments are known, and the limits of depth. Binding arguments to parameters is in `bind.rs`, the
//! short way from call sites in `enter.rs`.

use super::Vm;
use super::call::prepend;
use super::code::{Code, CodeKind};
use super::function::{Args, Function};
use crate::value::{Place, R, Raised, Ref, Value};

/// Native stack kept free below the limit, for native code that does not check.
const RESERVE: usize = 96 * 1024;
/// A new piece of native stack, when the present one is used up before the limit of depth is reached.
const PIECE: usize = 4 * 1024 * 1024;
/// A gigabyte of them, whatever limit of depth a script has set.
const MOST_PIECES: u32 = 256;

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
        self.heap.note_caller(depth);
        self.tick().inspect_err(|_| self.leave())
    }

    /// Back one level.
    #[inline(always)]
    pub fn leave(&self) {
        let depth = self.depth.get();
        self.heap.back_to_caller(depth);
        self.depth.set(depth - 1);
    }

    /// As `enter`, after `may_enter`.
    #[inline(always)]
    pub(super) fn go_down(&self) {
        let depth = self.depth.get() + 1;
        self.heap.note_caller(depth);
        self.depth.set(depth);
    }

    /// Whether there is room for `levels` levels more, as `enter` asks for one; the caller keeps the account.
    #[inline(always)]
    pub fn may_enter(&self, levels: u32) -> R<()> {
        if self.depth.get() + levels > self.max_depth.get() {
            return Err(self.too_deep());
        }
        self.tick()
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
        let pieces = self.stack_pieces.get();
        if pieces >= MOST_PIECES {
            return Err(self.too_deep());
        }
        self.stack_pieces.set(pieces + 1);
        let result = stacker::grow(PIECE, || {
            self.stack_limit.set(stack_pointer().saturating_sub(PIECE - RESERVE));
            inside()
        });
        self.stack_limit.set(limit);
        self.stack_pieces.set(pieces);
        result
    }

    /// Runs `inside` one level deeper, for native recursion over data: `RecursionError` past the limit of depth. It counts as a step:
    /// lists that are shared at each level are short to make and endless to walk.
    #[inline]
    pub fn nested<T>(&self, inside: impl FnOnce() -> R<T>) -> R<T> {
        let depth = self.depth.get() + 1;
        if depth > self.max_depth.get() {
            return Err(self.too_deep());
        }
        self.tick()?;
        self.heap.note_native(depth);
        self.depth.set(depth);
        let here = self.heap.here.get();
        let result = self.with_stack(inside);
        self.heap.here.set(here);
        self.depth.set(depth - 1);
        result
    }

    /// Runs an ordinary function whose parameters are in their slots.
    #[inline(always)]
    pub(super) fn run_body(&self, function: &Ref<Function>, slots: &mut [Value]) -> R {
        self.run_body_from(function, slots, self.heap.here.get())
    }

    /// The same from a call at this place.
    #[inline(always)]
    pub(super) fn run_body_from(&self, function: &Ref<Function>, slots: &mut [Value], place: Place) -> R {
        let code = &function.code;
        if !function.closure.is_empty() {
            function.put_closure(slots);
        }
        self.heap.here.set(place);
        self.enter()?;
        if self.is_stack_low() {
            return self.run_on_new_stack(code, slots);
        }
        let result = code.body.exec(self, slots);
        self.depth.set(self.depth.get() - 1);
        self.heap.here.set(place);
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

    /// `function(this, *positional)`, for native code.
    pub fn call_method_function(&self, function: &Ref<Function>, this: &Value, args: Args<'_>) -> R {
        let given = args.positional.len() + 1;
        if given != function.code.exact || !args.keywords.is_empty() {
            let flat = prepend(this, args.positional);
            return self.call_function(function, Args { positional: &flat, keywords: args.keywords });
        }
        let function = function.clone();
        match function.code.slots {
            0..=2 => self.run_method::<2>(&function, this, args.positional),
            3 | 4 => self.run_method::<4>(&function, this, args.positional),
            5..=8 => self.run_method::<8>(&function, this, args.positional),
            9..=16 => self.run_method::<16>(&function, this, args.positional),
            _ => {
                let mut slots = vec![Value::Undef; function.code.slots];
                self.run_method_in(&function, this, args.positional, &mut slots)
            }
        }
    }

    #[inline(never)]
    fn run_method<const N: usize>(&self, function: &Ref<Function>, this: &Value, rest: &[Value]) -> R {
        let mut slots = [const { Value::Undef }; N];
        self.run_method_in(function, this, rest, &mut slots)
    }

    #[inline(always)]
    fn run_method_in(&self, function: &Ref<Function>, this: &Value, rest: &[Value], slots: &mut [Value]) -> R {
        slots[0] = this.clone();
        for (slot, value) in slots[1..].iter_mut().zip(rest) {
            *slot = value.clone();
        }
        self.run_body(function, slots)
    }

    #[inline(never)]
    fn bind_and_run<const N: usize>(&self, function: &Ref<Function>, args: Args<'_>) -> R {
        let mut slots = [const { Value::Undef }; N];
        let slots = &mut slots[..function.code.slots];
        if args.positional.len() == function.code.exact && args.keywords.is_empty() {
            for (slot, value) in slots.iter_mut().zip(args.positional) {
                *slot = value.clone();
            }
        } else {
            self.bind_into(function, args, slots)?;
        }
        self.run_body(function, slots)
    }
}

/// An address on the native stack, near its end.
#[inline(always)]
fn stack_pointer() -> usize {
    let here = 0u8;
    std::ptr::from_ref(std::hint::black_box(&here)) as usize
}
