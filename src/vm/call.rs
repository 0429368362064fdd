//! Calls of values of any type: dispatch on what is called, native functions, and making instances.
//!
//! The evaluator comes here for whatever its own short ways (script functions at known sites) do not cover; native code for
//! everything.

use smallvec::SmallVec;

use super::Vm;
use super::function::{Args, Binding, BoundMethod, Function, NativeCode, NativeFunction, StaticMethod};
use crate::value::{Base, Class, Exception, FrozenSet, Instance, Kind, R, Raised, Ref, Str, Value};

/// Arguments in a row, on the native stack when there are few.
pub type Flat = SmallVec<[Value; 8]>;

/// `this` and then `args`.
#[inline]
pub(super) fn prepend(this: &Value, args: &[Value]) -> Flat {
    let mut flat = Flat::with_capacity(args.len() + 1);
    flat.push(this.clone());
    flat.extend(args.iter().cloned());
    flat
}

impl Vm {
    /// `callable(*positional)`.
    #[inline]
    pub fn call(&self, callable: &Value, positional: &[Value]) -> R {
        self.call_with(callable, Args::positional(positional))
    }

    /// `callable(*positional, **keywords)`.
    #[inline]
    pub fn call_with(&self, callable: &Value, args: Args<'_>) -> R {
        let Value::Obj(object) = callable else { return Err(self.not_callable(callable)) };
        if let Some(function) = object.downcast::<Function>() {
            return self.call_function(function, args);
        }
        if let Some(function) = object.downcast::<NativeFunction>() {
            return self.call_native(function, args);
        }
        if let Some(method) = object.downcast::<BoundMethod>() {
            return self.call_bound(&method.function, &method.this, args);
        }
        if let Some(class) = object.downcast::<Class>() {
            return self.call_class(class, args);
        }
        self.call_other(callable, args)
    }

    /// `object.name(*positional)`, without making a bound method.
    pub fn call_method(&self, object: &Value, name: &Ref<Str>, positional: &[Value]) -> R {
        let (callable, is_method) = self.load_method(object, name)?;
        if is_method {
            self.call_bound(&callable, object, Args::positional(positional))
        } else {
            self.call(&callable, positional)
        }
    }

    /// `function(this, *args)`: what calling a bound method does.
    #[inline]
    pub fn call_bound(&self, function: &Value, this: &Value, args: Args<'_>) -> R {
        if let Some(function) = function.downcast::<Function>() {
            return self.call_method_function(function, this, args);
        }
        let flat = prepend(this, args.positional);
        let args = Args { positional: &flat, keywords: args.keywords };
        match function {
            Value::Obj(object) => {
                // Native code that calls native code: methods of methods, views of views.
                if let Some(function) = object.downcast::<NativeFunction>() {
                    return self.nested(|| self.enter_native(function, args));
                }
                self.nested(|| self.call_with(function, args))
            }
            _ => Err(self.not_callable(function)),
        }
    }

    /// Calls a native function as a script does: the receiver of a method is checked.
    #[inline]
    pub fn call_native(&self, function: &Ref<NativeFunction>, args: Args<'_>) -> R {
        if function.binding == Binding::Method {
            self.check_receiver(function, args)?;
        }
        self.nested(|| self.enter_native(function, args))
    }

    /// A method's receiver must be of the class that has the method.
    fn check_receiver(&self, function: &Ref<NativeFunction>, args: Args<'_>) -> R<()> {
        let fits = function.owner.with(|owner| match owner.downcast::<Class>() {
            None => true,
            Some(owner) => args.positional.first().is_some_and(|this| self.is_instance(this, owner)),
        });
        if fits { Ok(()) } else { self.refuse_receiver(function, args) }
    }

    #[cold]
    #[inline(never)]
    fn refuse_receiver(&self, function: &Ref<NativeFunction>, args: Args<'_>) -> R<()> {
        let owner = function.owner.get();
        let Some(owner) = owner.downcast::<Class>() else { return Ok(()) };
        match args.positional.first() {
            None => Err(self.needs_receiver(function)),
            Some(this) if owner.is(&self.types.object) || self.is_instance(this, owner) => Ok(()),
            Some(this) => Err(self.wrong_receiver(function, owner, this)),
        }
    }

    /// Calls a native function whose receiver, if it has one, comes first and is known to be right.
    #[inline]
    pub fn enter_native(&self, function: &Ref<NativeFunction>, args: Args<'_>) -> R {
        if self.heap.ticks.get() < 0 {
            // Somebody asked for attention: a finaliser that became due runs before the next call, like everywhere.
            self.charge(0)?;
        }
        match &function.code {
            NativeCode::Raw(enter) => enter(self, args),
            NativeCode::Bound(enter) => {
                if self.fits(function, args) {
                    return enter(self, args.positional);
                }
                self.with_padded(function, args, |flat| enter(self, flat))
            }
            NativeCode::Closure(enter) => {
                let flat = self.bind_native(function, args)?;
                enter(self, &flat)
            }
            NativeCode::Async(entry) => {
                let flat = self.bind_native(function, args)?;
                Ok(self.native_coroutine((entry.make)(self, &flat)?))
            }
            NativeCode::AsyncClosure(enter) => {
                let flat = self.bind_native(function, args)?;
                Ok(self.native_coroutine(enter(self, &flat)?))
            }
        }
    }

    /// Whether the arguments are the parameters, one by one.
    #[inline]
    fn fits(&self, function: &Ref<NativeFunction>, args: Args<'_>) -> bool {
        let signature = function.signature();
        args.keywords.is_empty()
            && signature.is_plain
            && args.positional.len() == function.receivers() + signature.parameters.len()
            && signature.parameters.len() == signature.positional
    }

    /// `class(*args)`.
    pub fn call_class(&self, class: &Ref<Class>, args: Args<'_>) -> R {
        if let Some(init) = self.plain_init(class)
            && let Some(init) = init.downcast::<Function>()
        {
            let made = Value::from(self.heap.instance(class));
            let result = self.call_method_function(init, &made, args)?;
            return if result.is_none() { Ok(made) } else { Err(self.init_returned(&result)) };
        }
        match class.metaclass.get() {
            None => self.construct(class, args),
            Some(meta) => {
                let call = meta.lookup(&self.n.__call__);
                if self.is_native_of(&call, &self.types.type_) {
                    return self.construct(class, args);
                }
                self.call_slot_with(&call, &Value::from(class), args)
            }
        }
    }

    /// What `type.__call__` does: `__new__`, then `__init__`.
    pub fn construct(&self, class: &Ref<Class>, args: Args<'_>) -> R {
        let new = class.lookup(&self.n.__new__);
        if class.base == Base::Object && self.is_native_of(&new, &self.types.object) {
            let init = class.lookup(&self.n.__init__);
            if self.is_native_of(&init, &self.types.object) && !(args.positional.is_empty() && args.keywords.is_empty()) {
                return Err(self.type_error(format!("{}() takes no arguments", class.name().as_str())));
            }
            let made = Value::from(self.new_instance(class)?);
            if !self.is_native_of(&init, &self.types.object) {
                let result = self.call_slot_with(&init, &made, args)?;
                if !result.is_none() {
                    return Err(self.init_returned(&result));
                }
            }
            return Ok(made);
        }
        self.construct_otherwise(class, &new, args)
    }

    #[inline(never)]
    fn construct_otherwise(&self, class: &Ref<Class>, new: &Value, args: Args<'_>) -> R {
        if class.is(&self.types.type_) && args.keywords.is_empty() && args.positional.len() == 1 {
            return Ok(Value::from(self.class_of(&args.positional[0])));
        }
        let owner = Value::from(class);
        let new = match new.downcast::<StaticMethod>() {
            Some(wrapper) => wrapper.0.clone(),
            None if new.kind() == Kind::NativeFunction => new.clone(),
            None if new.is_undef() => return Err(self.cannot_create(class)),
            None => self.bind(new, &Value::Undef, class)?,
        };
        if self.is_native_of(&new, &self.types.object) && class.base != Base::Object {
            return Err(self.cannot_create(class));
        }
        let made = self.call_bound(&new, &owner, args)?;
        let made_class = self.class_of(&made);
        if !made_class.is_subclass(class) {
            return Ok(made);
        }
        let init = made_class.lookup(&self.n.__init__);
        if self.is_native_of(&init, &self.types.object) {
            return Ok(made);
        }
        let result = self.call_slot_with(&init, &made, args)?;
        if !result.is_none() {
            return Err(self.init_returned(&result));
        }
        Ok(made)
    }

    /// A new object of a class whose instances are plain: what `object.__new__` makes.
    #[inline]
    pub fn new_instance(&self, class: &Ref<Class>) -> R<Ref<Instance>> {
        if !class.lookup(&self.n.__abstractmethods__).is_undef() {
            self.check_abstract(class)?;
        }
        let made = self.heap.instance(class);
        self.watch_finalizer(&made, class);
        Ok(made)
    }

    /// Asks for `__del__` to be called on the instance, if its class has one.
    #[inline]
    pub fn watch_finalizer(&self, made: &Ref<Instance>, class: &Ref<Class>) {
        if !class.lookup(&self.n.__del__).is_undef() {
            made.as_obj().request_finalizer();
        }
    }

    /// Whether calling the class does nothing but make a plain instance and call a script's `__init__`, and that function (`Undef` if
    /// there is none to call).
    #[inline]
    pub fn plain_init(&self, class: &Ref<Class>) -> Option<Value> {
        if class.plain_at.get() != self.heap.epoch() && !self.is_plain(class) {
            return None;
        }
        let init = class.lookup(&self.n.__init__);
        match init.kind() {
            Kind::Function => Some(init),
            _ if self.is_native_of(&init, &self.types.object) => Some(Value::Undef),
            _ => None,
        }
    }

    /// Whether instances are made in the plain way; if so it is noted for as long as no class changes.
    #[inline(never)]
    fn is_plain(&self, class: &Ref<Class>) -> bool {
        if class.base != Base::Object || !class.is_script {
            return false;
        }
        let called_plainly = match class.metaclass.get() {
            Some(meta) => self.is_native_of(&meta.lookup(&self.n.__call__), &self.types.type_),
            None => true,
        };
        let plain = called_plainly
            && self.is_native_of(&class.lookup(&self.n.__new__), &self.types.object)
            && !self.may_be_abstract(class)
            && class.lookup(&self.n.__del__).is_undef();
        if plain {
            class.plain_at.set(self.heap.epoch());
        }
        plain
    }

    /// Whether the class may have abstract methods: one whose set of them is empty has none.
    fn may_be_abstract(&self, class: &Ref<Class>) -> bool {
        match class.lookup(&self.n.__abstractmethods__) {
            Value::Undef => false,
            marked => marked.downcast::<FrozenSet>().is_none_or(|names| !names.keys().is_empty()),
        }
    }

    /// Whether a value is a native method that `class` itself defines: that nothing has overridden it.
    #[inline]
    pub fn is_native_of(&self, value: &Value, class: &Ref<Class>) -> bool {
        match value.downcast::<NativeFunction>() {
            Some(function) => function.owner.with(|owner| owner.downcast::<Class>().is_some_and(|owner| owner.is(class))),
            None => false,
        }
    }

    /// Calls a special method that was found in the class of `this`, as descriptors have it.
    #[inline]
    pub(crate) fn call_slot(&self, method: &Value, this: &Value, args: &[Value]) -> R {
        self.call_slot_with(method, this, Args::positional(args))
    }

    #[inline]
    pub(crate) fn call_slot_with(&self, method: &Value, this: &Value, args: Args<'_>) -> R {
        match method {
            Value::Obj(object) => {
                if let Some(function) = object.downcast::<Function>() {
                    return self.call_method_function(function, this, args);
                }
                if let Some(function) = object.downcast::<NativeFunction>()
                    && function.binding == Binding::Method
                {
                    let flat = prepend(this, args.positional);
                    return self.nested(|| self.enter_native(function, Args { positional: &flat, keywords: args.keywords }));
                }
                let bound = self.bind(method, this, &self.class_of(this))?;
                self.call_with(&bound, args)
            }
            _ => Err(self.not_callable(method)),
        }
    }

    #[inline(never)]
    fn call_other(&self, callable: &Value, args: Args<'_>) -> R {
        let class = self.class_of(callable);
        let call = class.lookup(&self.n.__call__);
        if call.is_undef() {
            return Err(self.not_callable(callable));
        }
        self.nested(|| self.call_slot_with(&call, callable, args))
    }

    /// Whether `callable(value)` holds.
    pub fn is_callable(&self, value: &Value) -> bool {
        match value.kind() {
            Kind::Function | Kind::NativeFunction | Kind::BoundMethod | Kind::Class => true,
            _ => !self.class_of(value).lookup(&self.n.__call__).is_undef(),
        }
    }

    #[inline(never)]
    fn check_abstract(&self, class: &Ref<Class>) -> R<()> {
        let marked = class.lookup(&self.n.__abstractmethods__);
        if marked.downcast::<super::getset::GetSet>().is_some() {
            return Ok(());
        }
        let mut names = Vec::new();
        for name in self.collect(&marked)? {
            names.push(self.str(&name)?.as_str().to_owned());
        }
        if names.is_empty() {
            return Ok(());
        }
        names.sort();
        let s = if names.len() == 1 { "" } else { "s" };
        let names: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
        Err(self.type_error(format!(
            "Can't instantiate abstract class {} without an implementation for abstract method{s} {}",
            class.name().as_str(),
            names.join(", ")
        )))
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn not_callable(&self, value: &Value) -> Raised {
        self.type_error(format!("'{}' object is not callable", self.class_of(value).name().as_str()))
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn cannot_create(&self, class: &Ref<Class>) -> Raised {
        self.type_error(format!("cannot create '{}' instances", self.type_name(class)))
    }

    /// `__init__() should return None`.
    #[cold]
    #[inline(never)]
    pub fn init_returned(&self, result: &Value) -> Raised {
        self.type_error(format!("__init__() should return None, not '{}'", self.class_of(result).name().as_str()))
    }

    /// A new exception object of any exception class, calling its constructor; an exception stays as it is.
    pub fn make_exception(&self, value: &Value) -> R {
        if value.downcast::<Exception>().is_some() {
            return Ok(value.clone());
        }
        if let Some(class) = value.downcast::<Class>()
            && class.base == Base::Exception
        {
            let made = self.call_class(class, Args::default())?;
            if made.downcast::<Exception>().is_some() {
                return Ok(made);
            }
            return Err(self.type_error(format!(
                "calling {} should have returned an instance of BaseException, not {}",
                self.repr(value)?.as_str(),
                self.repr(&Value::from(self.class_of(&made)))?.as_str()
            )));
        }
        Err(self.type_error("exceptions must derive from BaseException"))
    }
}
