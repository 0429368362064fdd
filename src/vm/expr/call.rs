//! Calls: of plain positional calls, of methods without a bound-method object between, and of everything else.

use std::cell::Cell;

use smallvec::SmallVec;

use super::display::Element;
use super::operand::Operand;
use crate::syntax::Span;
use crate::value::{Class, Dict, Instance, Kind, R, Raised, Ref, Str, Value};
use crate::vm::Vm;
use crate::vm::cache::{Cache, find_method};
use crate::vm::function::{Args, Binding, Function, NativeFunction};
use crate::vm::node::{Node, Tree};
use crate::vm::unowned::Unowned;

/// Arguments of a call in progress.
pub type Arguments = SmallVec<[Value; 6]>;

/// `callee(a, b)`: positional arguments only.
pub struct Call {
    pub callee: Tree,
    pub args: Box<[Tree]>,
    pub span: Span,
}

impl Node for Call {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        let callee = self.callee.eval(vm, l)?;
        if let Some(function) = callee.downcast::<Function>()
            && function.code.is_simple
            && function.code.parameters.positional == self.args.len()
        {
            return vm.call_simple(function, Value::Undef, &self.args, l, self.span);
        }
        if let Some(class) = callee.downcast::<Class>()
            && let Some(init) = vm.plain_init(class)
            && let Some(init) = init.downcast::<Function>()
            && init.code.is_simple
            && init.code.parameters.positional == self.args.len() + 1
        {
            let made = Value::from(vm.heap.instance(class));
            let result = vm.call_simple(init, made.clone(), &self.args, l, self.span)?;
            if !result.is_none() {
                let Raised = vm.init_returned(&result);
                return Err(vm.at(self.span));
            }
            return Ok(made);
        }
        let mut args = Arguments::new();
        evaluate(vm, l, Value::Undef, &self.args, &mut args)?;
        if let Some(function) = callee.downcast::<NativeFunction>() {
            vm.tick()?;
            return vm.call_native(function, Args::positional(&args)).map_err(|Raised| vm.at(self.span));
        }
        if let (Some(class), [arg]) = (callee.downcast::<Class>(), args.as_slice())
            && let Some(converted) = vm.convert_quickly(class, arg)
        {
            vm.tick()?;
            return Ok(converted);
        }
        vm.call(&callee, &args).map_err(|Raised| vm.at(self.span))
    }
}

#[inline]
fn evaluate(vm: &Vm, l: &mut [Value], this: Value, args: &[Tree], values: &mut Arguments) -> R<()> {
    if !this.is_undef() {
        values.push(this);
    }
    for arg in args {
        values.push(arg.eval(vm, l)?);
    }
    Ok(())
}

/// `object.name(a, b)`: positional arguments only.
pub struct CallMethod<A> {
    pub object: A,
    pub name: Ref<Str>,
    pub args: Box<[Tree]>,
    pub span: Span,
    pub attribute_span: Span,
    pub cache: Cache<Unowned<Function>>,
    /// The same for objects of built-in types, by class index.
    pub native: NativeCache,
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
            | Kind::Native
    )
}

impl<A: Operand> Node for CallMethod<A> {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        let object = self.object.load(vm, l)?;
        let object = self.object.take(object, l);
        if let Some(instance) = object.downcast::<Instance>() {
            let known = match self.cache.get(vm, instance) {
                Some(function) => Some(function),
                None => self.find(vm, instance),
            };
            if let Some(function) = known {
                // Held, since evaluating the arguments may change the class.
                let function = function.get().clone();
                if function.code.is_simple && function.code.parameters.positional == self.args.len() + 1 {
                    return vm.call_simple(&function, object, &self.args, l, self.span);
                }
                let mut args = Arguments::new();
                evaluate(vm, l, object, &self.args, &mut args)?;
                return vm.call_function(&function, Args::positional(&args)).map_err(|Raised| vm.at(self.span));
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
                let function = function.get().clone();
                let mut args = Arguments::new();
                evaluate(vm, l, object, &self.args, &mut args)?;
                vm.tick()?;
                return vm.enter_native(&function, Args::positional(&args)).map_err(|Raised| vm.at(self.span));
            }
        }
        self.call_slowly(vm, object, l)
    }
}

impl<A: Operand> CallMethod<A> {
    #[cold]
    #[inline(never)]
    fn find(&self, vm: &Vm, instance: &Ref<Instance>) -> Option<Unowned<Function>> {
        let shape = instance.shape();
        let found = find_method(vm, &shape, &self.name)?;
        self.cache.set(vm, &shape, found);
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
        let mut args = Arguments::new();
        evaluate(vm, l, this, &self.args, &mut args)?;
        vm.call(&method, &args).map_err(|Raised| vm.at(self.span))
    }
}

/// A call with keywords or stars.
pub struct CallAny {
    pub callee: Callee,
    pub args: Box<[Element]>,
    /// `name=value`, or `**value` without a name.
    pub keywords: Box<[(Option<Ref<Str>>, Tree)]>,
    pub span: Span,
}

/// What is called.
pub enum Callee {
    Value(Tree),
    Method { object: Tree, name: Ref<Str>, span: Span },
}

impl Node for CallAny {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        let (callee, this) = match &self.callee {
            Callee::Value(tree) => (tree.eval(vm, l)?, Value::Undef),
            Callee::Method { object, name, span } => {
                let object = object.eval(vm, l)?;
                vm.method_parts(&object, name).map_err(|Raised| vm.at(*span))?
            }
        };
        let (args, keywords) = self.arguments(vm, l, &callee, this)?;
        let args = Args { positional: &args, keywords: &keywords };
        vm.call_with(&callee, args).map_err(|Raised| vm.at(self.span))
    }
}

/// Evaluated arguments: positional, and by keyword.
pub type Evaluated = (Arguments, SmallVec<[(Ref<Str>, Value); 4]>);

impl CallAny {
    /// Evaluates the arguments.
    pub fn arguments(&self, vm: &Vm, l: &mut [Value], callee: &Value, this: Value) -> R<Evaluated> {
        let mut args = Arguments::new();
        if !this.is_undef() {
            args.push(this);
        }
        for element in &self.args {
            match element {
                Element::One(tree) => args.push(tree.eval(vm, l)?),
                Element::Star(tree, span) => {
                    let iterable = tree.eval(vm, l)?;
                    self.spread(vm, callee, &iterable, &mut args).map_err(|Raised| vm.at(*span))?;
                }
            }
        }
        let mut keywords: SmallVec<[(Ref<Str>, Value); 4]> = SmallVec::new();
        for (name, tree) in &self.keywords {
            let value = tree.eval(vm, l)?;
            match name {
                Some(name) => {
                    if keywords.iter().any(|(known, _)| known.is(name)) {
                        return Err(self.repeated(vm, callee, name.as_str()));
                    }
                    keywords.push((name.clone(), value));
                }
                None => self.spread_keywords(vm, callee, &value, &mut keywords)?,
            }
        }
        Ok((args, keywords))
    }

    fn spread(&self, vm: &Vm, callee: &Value, iterable: &Value, args: &mut Arguments) -> R<()> {
        if !matches!(iterable.kind(), Kind::List | Kind::Tuple | Kind::Generator | Kind::Iterator) {
            // The message for what cannot be iterated names the function.
            let class = vm.class_of(iterable);
            if class.lookup(&vm.n.__iter__).is_undef() && class.lookup(&vm.n.__getitem__).is_undef() {
                let shown = vm.callee_text(callee);
                let kind = class.name();
                return Err(vm.type_error(format!("{shown} argument after * must be an iterable, not {}", kind.as_str())));
            }
        }
        vm.for_each(iterable, &mut |item| {
            args.push(item);
            Ok(true)
        })
    }

    fn spread_keywords(
        &self,
        vm: &Vm,
        callee: &Value,
        mapping: &Value,
        keywords: &mut SmallVec<[(Ref<Str>, Value); 4]>,
    ) -> R<()> {
        let items = match mapping.downcast::<Dict>() {
            Some(dict) => dict.to_vec(),
            None => {
                let keys = match vm.find_attr(mapping, &vm.n.keys)? {
                    Some(keys) => vm.call(&keys, &[])?,
                    None => {
                        let shown = vm.callee_text(callee);
                        let kind = vm.class_of(mapping).name();
                        vm.type_error(format!("{shown} argument after ** must be a mapping, not {}", kind.as_str()));
                        return Err(vm.at(self.span));
                    }
                };
                let mut items = Vec::new();
                for key in vm.collect(&keys)? {
                    let value = vm.get_item(mapping, &key)?;
                    items.push((key, value));
                }
                items
            }
        };
        for (key, value) in items {
            let Some(name) = key.payload::<Str>() else {
                vm.type_error("keywords must be strings");
                return Err(vm.at(self.span));
            };
            let name = vm.name_of(name);
            if keywords.iter().any(|(known, _)| known.as_str() == name.as_str()) {
                return Err(self.repeated(vm, callee, name.as_str()));
            }
            keywords.push((name, value));
        }
        Ok(())
    }

    #[cold]
    fn repeated(&self, vm: &Vm, callee: &Value, name: &str) -> Raised {
        let shown = vm.callee_text(callee);
        vm.type_error(format!("{shown} got multiple values for keyword argument '{name}'"));
        vm.at(self.span)
    }
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

/// `super()` without arguments: the class whose body defines the method, and the method's first argument.
pub struct SuperWithoutArguments {
    /// The slot of the `__class__` cell, if there is one.
    pub class: Option<u16>,
    /// The slot of the first parameter, if there is one, and whether it holds a cell.
    pub this: Option<(u16, bool)>,
    /// What `super` means; if it is not the built-in class, it is called without arguments.
    pub callee: Tree,
    pub span: Span,
}

impl Node for SuperWithoutArguments {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        let callee = self.callee.eval(vm, l)?;
        if !callee.is(&Value::from(&vm.types.super_)) {
            return vm.call(&callee, &[]).map_err(|Raised| vm.at(self.span));
        }
        let (class, this) = self.parts(vm, l)?;
        vm.make_super(&class, &this).map_err(|Raised| vm.at(self.span))
    }
}

impl SuperWithoutArguments {
    /// The class and the object that `super()` is about.
    pub fn parts(&self, vm: &Vm, l: &[Value]) -> R<(Value, Value)> {
        let Some((slot, is_cell)) = self.this else {
            vm.runtime_error("super(): no arguments");
            return Err(vm.at(self.span));
        };
        let mut this = l[slot as usize].clone();
        if is_cell && let Some(variable) = this.downcast::<crate::value::Variable>() {
            this = variable.get();
        }
        if this.is_undef() {
            vm.runtime_error("super(): arg[0] deleted");
            return Err(vm.at(self.span));
        }
        let Some(slot) = self.class else {
            vm.runtime_error("super(): __class__ cell not found");
            return Err(vm.at(self.span));
        };
        match l[slot as usize].downcast::<crate::value::Variable>().map(|variable| variable.get()) {
            Some(class) if !class.is_undef() => Ok((class, this)),
            _ => {
                vm.runtime_error("super(): empty __class__ cell");
                Err(vm.at(self.span))
            }
        }
    }
}

/// `super().name(a, b)` in a method: looks the method up and calls it without making the `super` object.
pub struct CallSuperMethod {
    pub sup: SuperWithoutArguments,
    pub name: Ref<Str>,
    pub args: Box<[Tree]>,
    pub span: Span,
}

impl Node for CallSuperMethod {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        let callee = self.sup.callee.eval(vm, l)?;
        if callee.is(&Value::from(&vm.types.super_)) {
            let (class, this) = self.sup.parts(vm, l)?;
            if let (Some(class), Value::Obj(_)) = (class.downcast::<crate::value::Class>(), &this)
                && this.kind() != Kind::Class
                && vm.is_instance(&this, class)
            {
                let found = vm.class_of(&this).lookup_after(class, &self.name);
                if let Some(function) = found.downcast::<Function>() {
                    if function.code.is_simple && function.code.parameters.positional == self.args.len() + 1 {
                        return vm.call_simple(function, this, &self.args, l, self.span);
                    }
                    let mut args = Arguments::new();
                    evaluate(vm, l, this, &self.args, &mut args)?;
                    return vm.call_function(function, Args::positional(&args)).map_err(|Raised| vm.at(self.span));
                }
            }
        }
        let object = self.sup.eval(vm, l)?;
        let (method, this) = vm.method_parts(&object, &self.name).map_err(|Raised| vm.at(self.span))?;
        let mut args = Arguments::new();
        evaluate(vm, l, this, &self.args, &mut args)?;
        vm.call(&method, &args).map_err(|Raised| vm.at(self.span))
    }
}
