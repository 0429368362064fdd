//! Calls with positional arguments: of any value, and of methods without a bound-method object between. Keywords and stars are in
//! `call_any.rs`, `super()` in `super_.rs`.

use std::cell::Cell;

use smallvec::SmallVec;

use super::operand::Operand;
use crate::syntax::Span;
use crate::value::{Class, Instance, Kind, R, Raised, Ref, Str, Value};
use crate::vm::Vm;
use crate::vm::cache::{Cache, Method, find_class_method, find_method};
use crate::vm::enter::CallSite;
use crate::vm::function::{Args, Binding, BoundMethod, Direct, Function, NativeFunction};
use crate::vm::node::{Node, Tree};
use crate::vm::signature::MAX_DIRECT;
use crate::vm::unowned::Unowned;

/// Arguments of a call in progress.
pub type Arguments = SmallVec<[Value; 6]>;

/// `callee(a, b)`: positional arguments only.
pub struct Call<C> {
    pub callee: C,
    pub site: CallSite,
}

impl<C: Operand> Node for Call<C> {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        match self.call(vm, l) {
            Ok(value) => Ok(value),
            Err(Raised) => Err(vm.at(self.site.span)),
        }
    }

    fn knows_its_place(&self) -> bool {
        true
    }
}

impl<C: Operand> Call<C> {
    #[inline(always)]
    fn call(&self, vm: &Vm, l: &mut [Value]) -> R {
        let callee = self.callee.load(vm, l)?;
        let callee = self.callee.take(callee, l);
        if let Some(function) = callee.downcast::<Function>() {
            return call_static(vm, function, &self.site, l);
        }
        if let Some(function) = callee.downcast::<NativeFunction>()
            && function.binding == Binding::Function
            && let Some(direct) = function.direct(self.site.args.len())
        {
            return enter_directly(vm, l, Value::Undef, &self.site, direct);
        }
        call_value(vm, &callee, &self.site, l)
    }
}

/// Calls what is no function that takes the arguments as they stand.
#[inline(never)]
fn call_value(vm: &Vm, callee: &Value, site: &CallSite, l: &mut [Value]) -> R {
    if let Some(class) = callee.downcast::<Class>()
        && let Some(init) = vm.plain_init(class)
        && let Some(init) = init.downcast::<Function>()
        && site.args.len() < init.code.parameters.positional
    {
        let made = Value::from(vm.heap.instance(class));
        let result = vm.enter_method(init, made.clone(), site, l)?;
        if !result.is_none() {
            let Raised = vm.init_returned(&result);
            return Err(vm.at(site.span));
        }
        return Ok(made);
    }
    if let Some(method) = callee.downcast::<BoundMethod>()
        && let Some(function) = method.function.downcast::<Function>()
        && site.args.len() < function.code.parameters.positional
    {
        return vm.enter_method(function, method.this.clone(), site, l);
    }
    if let ([arg], Some(class)) = (&*site.args, callee.downcast::<Class>()) {
        let arg = arg.eval(vm, l)?;
        vm.heap.here.set(site.place);
        if let Some(converted) = vm.convert_quickly(class, &arg) {
            vm.tick()?;
            return Ok(converted);
        }
        return vm.call_class(class, Args::positional(&[arg])).map_err(|Raised| vm.at(site.span));
    }
    let mut args = Arguments::new();
    evaluate(vm, l, Value::Undef, &site.args, &mut args)?;
    vm.heap.here.set(site.place);
    if let Some(function) = callee.downcast::<NativeFunction>() {
        vm.tick()?;
        return vm.call_native(function, Args::positional(&args)).map_err(|Raised| vm.at(site.span));
    }
    vm.call(callee, &args).map_err(|Raised| vm.at(site.span))
}

#[inline]
pub(super) fn evaluate(vm: &Vm, l: &mut [Value], this: Value, args: &[Tree], values: &mut Arguments) -> R<()> {
    if !this.is_undef() {
        values.push(this);
    }
    for arg in args {
        values.push(arg.eval(vm, l)?);
    }
    Ok(())
}

/// Evaluates arguments and enters a native function that takes them as they are.
#[inline]
fn enter_directly(vm: &Vm, l: &mut [Value], this: Value, site: &CallSite, direct: Direct) -> R {
    match direct.values {
        0 | 1 => enter_with::<1>(vm, l, this, site, direct),
        2 => enter_with::<2>(vm, l, this, site, direct),
        3 => enter_with::<3>(vm, l, this, site, direct),
        _ => enter_with::<MAX_DIRECT>(vm, l, this, site, direct),
    }
}

#[inline(never)]
fn enter_with<const N: usize>(vm: &Vm, l: &mut [Value], this: Value, site: &CallSite, direct: Direct) -> R {
    let mut values = [const { Value::Undef }; N];
    let receivers = !this.is_undef() as usize;
    values[0] = this;
    for (value, arg) in values[receivers..].iter_mut().zip(&site.args) {
        *value = arg.eval(vm, l)?;
    }
    vm.heap.here.set(site.place);
    vm.tick()?;
    (direct.enter)(vm, &values[..direct.values]).map_err(|Raised| vm.at(site.span))
}

/// `object.name(a, b)`: positional arguments only.
pub struct CallMethod<A> {
    pub object: A,
    pub name: Ref<Str>,
    pub site: CallSite,
    pub attribute_span: Span,
    pub cache: Cache<Method>,
    /// The same for objects of built-in types, by class index.
    pub native: NativeCache,
    /// The same for classes, by address.
    pub class: ClassCache,
}

/// What a method site knows about a class: the script function that the name means. True while the address and the epoch are
/// the same, for the reason that `Cache` has.
pub struct ClassCache {
    key: Cell<(usize, u32)>,
    method: Cell<Method>,
}

impl Default for ClassCache {
    fn default() -> Self {
        ClassCache { key: Cell::new((0, 0)), method: Cell::new(Method::Bound(Unowned::none())) }
    }
}

/// What a method site knows about objects of a built-in or library type: the native function that the name means. True while the
/// class index and the epoch are the same, for the reason that `Cache` has.
pub struct NativeCache {
    key: Cell<(u16, u32)>,
    function: Cell<Unowned<NativeFunction>>,
}

impl Default for NativeCache {
    fn default() -> Self {
        Self::new()
    }
}

impl NativeCache {
    pub const fn new() -> Self {
        NativeCache { key: Cell::new((0, 0)), function: Cell::new(Unowned::none()) }
    }
}

/// Whether attributes of an object of this kind are looked up in its class alone.
#[inline(always)]
fn is_by_class(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Str
            | Kind::List
            | Kind::Dict
            | Kind::Set
            | Kind::Tuple
            | Kind::Bytes
            | Kind::ByteArray
            | Kind::FrozenSet
            | Kind::Generator
            | Kind::Coroutine
            | Kind::AsyncGenerator
            | Kind::Iterator
            | Kind::DictView
            | Kind::Native
    )
}

impl<A: Operand> Node for CallMethod<A> {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        match self.call(vm, l) {
            Ok(value) => Ok(value),
            Err(Raised) => Err(vm.at(self.site.span)),
        }
    }

    fn knows_its_place(&self) -> bool {
        true
    }
}

impl<A: Operand> CallMethod<A> {
    #[inline(always)]
    fn call(&self, vm: &Vm, l: &mut [Value]) -> R {
        let object = self.object.load(vm, l)?;
        let object = self.object.take(object, l);
        if let Some(instance) = object.downcast::<Instance>() {
            let known = match self.cache.get(vm, instance) {
                Some(function) => Some(function),
                None => self.find(vm, instance),
            };
            if let Some(method) = known {
                let (function, object) = match method {
                    Method::Bound(function) => (function, object),
                    Method::Static(function) => (function, Value::Undef),
                    Method::Class(function) => (function, Value::from(vm.class_of(&object))),
                };
                // Held, since evaluating the arguments may change the class.
                let function = function.get().clone();
                if object.is_undef() {
                    return call_static(vm, &function, &self.site, l);
                }
                if self.site.args.len() < function.code.parameters.positional {
                    return vm.enter_method(&function, object, &self.site, l);
                }
                return call_bound(vm, &function, object, &self.site, l);
            }
        }
        if let Value::Obj(reference) = &object
            && is_by_class(reference.kind())
        {
            let known = (reference.class_index(), vm.heap.epoch());
            let function = if self.native.key.get() == known {
                Some(self.native.function.get())
            } else {
                self.find_native(vm, &object, known)
            };
            if let Some(function) = function {
                if let Some(direct) = function.get().direct(self.site.args.len() + 1) {
                    return enter_directly(vm, l, object, &self.site, direct);
                }
                let function = function.get().clone();
                let mut args = Arguments::new();
                evaluate(vm, l, object, &self.site.args, &mut args)?;
                vm.heap.here.set(self.site.place);
                vm.tick()?;
                return vm.enter_native(&function, Args::positional(&args)).map_err(|Raised| vm.at(self.site.span));
            }
        }
        if let Some(class) = object.downcast::<Class>() {
            let key = (class.address(), vm.heap.epoch());
            let known = if self.class.key.get() == key { Some(self.class.method.get()) } else { self.find_in_class(vm, class) };
            match known {
                Some(Method::Class(function)) => {
                    let function = function.get().clone();
                    if self.site.args.len() < function.code.parameters.positional {
                        return vm.enter_method(&function, object, &self.site, l);
                    }
                    return call_bound(vm, &function, object, &self.site, l);
                }
                Some(Method::Static(function)) => return call_static(vm, &function.get().clone(), &self.site, l),
                _ => {}
            }
        }
        self.call_slowly(vm, object, l)
    }

    #[inline(never)]
    fn find(&self, vm: &Vm, instance: &Ref<Instance>) -> Option<Method> {
        if let Some(known) = self.cache.get_other(vm, instance) {
            return Some(known);
        }
        let shape = instance.shape();
        let found = find_method(vm, &shape, &self.name)?;
        self.cache.set(vm, &shape, found);
        Some(found)
    }

    #[cold]
    #[inline(never)]
    fn find_in_class(&self, vm: &Vm, class: &Ref<Class>) -> Option<Method> {
        let found = find_class_method(vm, class, &self.name)?;
        self.class.key.set((class.address(), vm.heap.epoch()));
        self.class.method.set(found);
        Some(found)
    }

    #[cold]
    #[inline(never)]
    fn find_native(&self, vm: &Vm, object: &Value, key: (u16, u32)) -> Option<Unowned<NativeFunction>> {
        let class = vm.class_of(object);
        if !vm.has_default_lookup(&class) {
            return None;
        }
        let found = class.lookup(&self.name);
        let function = found.downcast::<NativeFunction>()?;
        if function.binding != Binding::Method {
            return None;
        }
        let function = Unowned::new(function);
        // The lookup may have filled a memo, but not changed the class.
        self.native.key.set(key);
        self.native.function.set(function);
        Some(function)
    }

    #[inline(never)]
    fn call_slowly(&self, vm: &Vm, object: Value, l: &mut [Value]) -> R {
        let (method, this) = vm.method_parts(&object, &self.name).map_err(|Raised| vm.at(self.attribute_span))?;
        if let Some(function) = method.downcast::<Function>()
            && self.site.args.len() + usize::from(!this.is_undef()) <= function.code.parameters.positional
        {
            return (function.code.entry.some)(vm, function, this, &self.site, l);
        }
        let mut args = Arguments::new();
        evaluate(vm, l, this, &self.site.args, &mut args)?;
        vm.heap.here.set(self.site.place);
        vm.call(&method, &args).map_err(|Raised| vm.at(self.site.span))
    }
}

/// Calls a script function as it stands.
#[inline]
fn call_static(vm: &Vm, function: &Ref<Function>, site: &CallSite, l: &mut [Value]) -> R {
    let given = site.args.len();
    if given == function.code.exact {
        return (function.code.entry.plain)(vm, function, site, l);
    }
    if given <= function.code.parameters.positional {
        return (function.code.entry.some)(vm, function, Value::Undef, site, l);
    }
    call_bound(vm, function, Value::Undef, site, l)
}

/// Calls a script function with more arguments than it has positional parameters.
#[inline(never)]
pub(super) fn call_bound(vm: &Vm, function: &Ref<Function>, this: Value, site: &CallSite, l: &mut [Value]) -> R {
    let mut args = Arguments::new();
    evaluate(vm, l, this, &site.args, &mut args)?;
    vm.heap.here.set(site.place);
    vm.call_function(function, Args::positional(&args)).map_err(|Raised| vm.at(site.span))
}

/// The integer that up to 18 ASCII digits with or without a sign are.
#[inline]
fn plain_digits(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text).as_bytes();
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    let mut number = 0i64;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number * 10 + i64::from(digit);
    }
    Some(if digits.len() < text.len() { -number } else { number })
}

impl Vm {
    /// `str(x)`, `int(x)`, `float(x)` of a number or text, where the conversion is all there is to do.
    #[inline]
    fn convert_quickly(&self, class: &Ref<Class>, arg: &Value) -> Option<Value> {
        if class.is_script {
            return None;
        }
        let types = &self.types;
        if class.is(&types.str) {
            return match arg {
                Value::Int(i) => Some(Value::from(self.heap.str(itoa::Buffer::new().format(*i)))),
                Value::Obj(object) if object.kind() == Kind::Str => Some(arg.clone()),
                _ => None,
            };
        }
        if class.is(&types.int) {
            return match arg {
                Value::Int(_) => Some(arg.clone()),
                Value::Bool(b) => Some(Value::Int(*b as i64)),
                Value::Float(bits) if f64::from_bits(*bits).abs() < 9e18 => Some(Value::Int(f64::from_bits(*bits) as i64)),
                Value::Obj(_) => plain_digits(arg.downcast::<Str>()?.as_str()).map(Value::Int),
                _ => None,
            };
        }
        if class.is(&types.float) {
            return match arg {
                Value::Float(_) => Some(arg.clone()),
                Value::Int(i) => Some(Value::float(*i as f64)),
                _ => None,
            };
        }
        None
    }

    /// `object.name` for a call: what to call, and its first argument (`Undef` if there is none).
    #[inline]
    pub(crate) fn method_parts(&self, object: &Value, name: &Ref<Str>) -> R<(Value, Value)> {
        // Functions of modules: the namespace is all there is to look at.
        if let Some(module) = object.downcast::<crate::value::Module>()
            && let Some(value) = module.dict.get_str(name)
        {
            return Ok((value, Value::Undef));
        }
        let (method, bound) = self.load_method(object, name)?;
        Ok((method, if bound { object.clone() } else { Value::Undef }))
    }

    /// A callable as messages about its arguments name it: `module.f()`, `f()`, or its `str`.
    #[cold]
    pub fn callee_text(&self, callee: &Value) -> String {
        let name = match self.find_attr(callee, &self.n.__qualname__) {
            Ok(Some(name)) => name.as_str().map(str::to_owned),
            _ => None,
        };
        let module = match self.find_attr(callee, &self.n.__module__) {
            Ok(Some(module)) => module.as_str().filter(|module| *module != "builtins").map(str::to_owned),
            _ => None,
        };
        drop(self.raised.take());
        match (module, name) {
            (Some(module), Some(name)) => format!("{module}.{name}()"),
            (None, Some(name)) => format!("{name}()"),
            _ => match self.str(callee) {
                Ok(text) => text.as_str().to_owned(),
                Err(Raised) => {
                    drop(self.raised.take());
                    "object".to_owned()
                }
            },
        }
    }
}
