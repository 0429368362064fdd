//! Making classes: what a `class` statement and `type(name, bases, namespace)` do.

use std::rc::Rc;

use super::super::Vm;
use super::super::function::{Args, ClassMethod, Property, StaticMethod};
use super::super::getset::GetSet;
use crate::value::{Base, Class, Dict, Exception, Kind, List, R, Ref, Str, Value, Variable};

/// A `class` statement before its body has run.
pub struct ClassStart {
    pub metaclass: Value,
    pub bases: Vec<Value>,
    /// The bases as they were written, if `__mro_entries__` replaced some.
    pub original_bases: Option<Value>,
    /// What the body runs in: usually a dict.
    pub namespace: Value,
    /// The keywords without `metaclass`.
    pub keywords: Vec<(Ref<Str>, Value)>,
}

impl Vm {
    /// Begins a `class` statement: replaces bases that are no classes, finds the metaclass, asks it for the namespace.
    pub fn begin_class(&self, name: &Ref<Str>, bases: Vec<Value>, mut keywords: Vec<(Ref<Str>, Value)>) -> R<ClassStart> {
        let (resolved, original_bases) = self.resolve_bases(bases)?;
        let given = keywords.iter().position(|(name, _)| name.is(&self.n.metaclass)).map(|index| keywords.remove(index).1);
        let metaclass = self.choose_metaclass(given, &resolved)?;
        let plain = metaclass.downcast::<Class>().is_some_and(|meta| meta.is(&self.types.type_));
        let namespace = if plain {
            Value::from(self.heap.dict())
        } else {
            match self.find_attr(&metaclass, &self.n.__prepare__)? {
                Some(prepare) => {
                    let bases = Value::from(self.heap.tuple(resolved.clone()));
                    let args = Args { positional: &[Value::from(name), bases], keywords: &keywords };
                    let namespace = self.call_with(&prepare, args)?;
                    if namespace.payload::<Dict>().is_none() && self.class_of(&namespace).lookup(&self.n.__setitem__).is_undef() {
                        let meta = metaclass
                            .downcast::<Class>()
                            .map_or_else(|| "<metaclass>".to_owned(), |m| m.name().as_str().to_owned());
                        let given = self.class_of(&namespace).name();
                        return Err(
                            self.type_error(format!("{meta}.__prepare__() must return a mapping, not {}", given.as_str()))
                        );
                    }
                    namespace
                }
                None => Value::from(self.heap.dict()),
            }
        };
        Ok(ClassStart { metaclass, bases: resolved, original_bases, namespace, keywords })
    }

    /// Ends a `class` statement whose body has filled the namespace: makes the class.
    pub fn finish_class(&self, start: ClassStart, name: &Ref<Str>) -> R {
        if let Some(original) = &start.original_bases {
            let key = self.intern("__orig_bases__");
            match start.namespace.downcast::<Dict>() {
                Some(dict) => dict.set_str(&key, original.clone()),
                None => self.set_item(&start.namespace, &Value::from(&key), original.clone())?,
            }
        }
        if let Some(meta) = start.metaclass.downcast::<Class>()
            && meta.is(&self.types.type_)
        {
            return self.build_class(&start.metaclass, name.as_str(), &start.bases, &start.namespace, &start.keywords);
        }
        let bases = Value::from(self.heap.tuple(start.bases));
        let cell = start.namespace.downcast::<Dict>().and_then(|dict| dict.get_str(&self.n.__classcell__));
        let args = [Value::from(name), bases, start.namespace];
        let made = self.call_with(&start.metaclass, Args { positional: &args, keywords: &start.keywords })?;
        if let Some(cell) = cell
            && let Some(cell) = cell.downcast::<Variable>()
            && made.kind() == Kind::Class
            && cell.get().is_undef()
        {
            let message = format!(
                "__class__ not set defining {} as {}. Was __classcell__ propagated to type.__new__?",
                self.repr(&Value::from(name))?.as_str(),
                self.repr(&made)?.as_str()
            );
            return Err(self.runtime_error(message));
        }
        Ok(made)
    }

    /// Replaces bases that are no classes by what their `__mro_entries__` gives.
    pub fn resolve_bases(&self, bases: Vec<Value>) -> R<(Vec<Value>, Option<Value>)> {
        if bases.iter().all(|base| base.kind() == Kind::Class) {
            return Ok((bases, None));
        }
        let original = Value::from(self.heap.tuple(bases.clone()));
        let mut resolved = Vec::with_capacity(bases.len());
        let mut changed = false;
        for base in bases {
            if base.kind() == Kind::Class {
                resolved.push(base);
                continue;
            }
            match self.find_attr(&base, &self.n.__mro_entries__)? {
                None => resolved.push(base),
                Some(method) => {
                    changed = true;
                    let entries = self.call(&method, std::slice::from_ref(&original))?;
                    match entries.as_tuple() {
                        Some(entries) => resolved.extend(entries.iter().cloned()),
                        None => return Err(self.type_error("__mro_entries__ must return a tuple")),
                    }
                }
            }
        }
        Ok((resolved, changed.then_some(original)))
    }

    /// The most derived of the given metaclass and those of the bases.
    pub fn choose_metaclass(&self, given: Option<Value>, bases: &[Value]) -> R {
        let first = match given {
            Some(given) => given,
            None => match bases.first() {
                Some(base) => Value::from(self.class_of(base)),
                None => return Ok(Value::from(&self.types.type_)),
            },
        };
        let Some(mut winner) = first.downcast::<Class>().cloned() else { return Ok(first) };
        for base in bases {
            let meta = self.class_of(base);
            if winner.is_subclass(&meta) {
                continue;
            }
            if !meta.is_subclass(&winner) {
                return Err(self.type_error(
                    "metaclass conflict: the metaclass of a derived class must be a (non-strict) subclass of the metaclasses of all \
                     its bases",
                ));
            }
            winner = meta;
        }
        Ok(Value::from(winner))
    }

    /// What `type.__new__(metaclass, name, bases, namespace, **keywords)` does: linearises the bases, makes the class, calls
    /// `__set_name__` and `__init_subclass__`.
    pub fn build_class(
        &self,
        metaclass: &Value,
        name: &str,
        bases: &[Value],
        namespace: &Value,
        keywords: &[(Ref<Str>, Value)],
    ) -> R {
        let metaclass = self.choose_metaclass(Some(metaclass.clone()), bases)?;
        let Some(metaclass) = metaclass.downcast::<Class>() else {
            return Err(self.type_error("metaclass must be a class"));
        };
        let bases = self.check_bases(bases)?;
        let base = self.common_layout(&bases)?;
        let mro = self.linearise(&bases)?;
        let Some(given) = namespace.payload::<Dict>() else {
            let given = self.class_of(namespace).name();
            return Err(self.type_error(format!("type.__new__() argument 3 must be dict, not {}", given.as_str())));
        };
        self.check_class_name(name)?;
        let dict = given.copy(&self.heap);
        let name = self.intern(name);
        let class = self.heap.alloc(Class::new(name, dict, base, true));
        class.serial.set(self.class_serial.get() + 1);
        self.class_serial.set(class.serial.get());
        self.fill_in(&class)?;
        for base in mro.iter() {
            base.has_derived.set(true);
        }
        class.bases.set(bases.iter().cloned().collect::<Rc<[_]>>());
        class.set_mro(std::iter::once(class.clone()).chain(mro).collect::<Rc<[_]>>());
        if !metaclass.is(&self.types.type_) {
            class.metaclass.set(Some(metaclass.clone()));
        }
        let made = Value::from(&class);
        let cell = class.dict.remove_str(&self.n.__classcell__);
        self.set_slots(&class, &bases)?;
        self.add_descriptors(&class, &bases);
        if let Some(cell) = cell {
            match cell.downcast::<Variable>() {
                Some(cell) => cell.set(made.clone()),
                None => {
                    let given = self.repr(&Value::from(self.class_of(&cell)))?;
                    return Err(self.type_error(format!("__classcell__ must be a nonlocal cell, not {}", given.as_str())));
                }
            }
        }
        self.ask_for_mro(&class)?;
        self.heap.bump_epoch();
        self.tell_names(&class, &made)?;
        let init = class.lookup_after(&class, &self.n.__init_subclass__);
        if !init.is_undef() && (!self.is_native_of(&init, &self.types.object) || !keywords.is_empty()) {
            let init = self.bind(&init, &Value::Undef, &class)?;
            self.call_with(&init, Args { positional: &[], keywords })?;
        }
        Ok(made)
    }

    /// `class.__bases__ = bases`: linearises the class anew, and all that are derived from it.
    pub fn change_bases(&self, class: &Ref<Class>, bases: &[Value]) -> R<()> {
        let bases = self.check_bases(bases)?;
        if bases.iter().any(|base| base.is_subclass(class)) {
            return Err(self.type_error("a __bases__ item causes an inheritance cycle"));
        }
        if self.common_layout(&bases)? != class.base {
            let (new, old) = (bases[0].name(), class.name());
            return Err(self.type_error(format!(
                "__bases__ assignment: '{}' object layout differs from '{}'",
                new.as_str(),
                old.as_str()
            )));
        }
        let mro = self.linearise(&bases)?;
        for base in &mro {
            base.has_derived.set(true);
        }
        class.bases.set(bases.iter().cloned().collect::<Rc<[_]>>());
        class.set_mro(std::iter::once(class.clone()).chain(mro).collect::<Rc<[_]>>());
        self.ask_for_mro(class)?;
        let all = self.heap.objects(Kind::Class);
        let mut derived: Vec<&Ref<Class>> = all
            .iter()
            .filter_map(|object| object.downcast::<Class>())
            .filter(|other| !other.is(class) && other.is_subclass(class))
            .collect();
        // A class comes after its bases.
        derived.sort_by_key(|other| other.serial.get());
        for other in derived {
            let bases = other.bases.get();
            let mro = self.linearise(&bases)?;
            other.set_mro(std::iter::once(other.clone()).chain(mro).collect::<Rc<[_]>>());
        }
        self.heap.bump_epoch();
        Ok(())
    }

    fn check_bases(&self, bases: &[Value]) -> R<Vec<Ref<Class>>> {
        if bases.is_empty() {
            return Ok(vec![self.types.object.clone()]);
        }
        let mut checked = Vec::with_capacity(bases.len());
        for base in bases {
            let Some(class) = base.downcast::<Class>() else {
                return Err(self.type_error("bases must be types"));
            };
            if class.is_final.get() {
                return Err(self.type_error(format!("type '{}' is not an acceptable base type", self.type_name(class))));
            }
            checked.push(class.clone());
        }
        Ok(checked)
    }

    /// The layout of the instances; bases whose layouts differ do not fit together.
    fn common_layout(&self, bases: &[Ref<Class>]) -> R<Base> {
        let mut layout: Option<&Ref<Class>> = None;
        for class in bases.iter().filter(|class| class.base != Base::Object) {
            match layout {
                None => layout = Some(class),
                Some(known) if known.base == class.base => {}
                Some(_) => return Err(self.type_error("multiple bases have instance lay-out conflict")),
            }
        }
        // Two bases that bring slots of their own fit together only if one is derived from the other.
        let mut widest: Option<Ref<Class>> = None;
        for base in bases {
            let Some(solid) = base.mro.get().iter().find(|class| self.brings_slots(class)).cloned() else { continue };
            match &widest {
                Some(known) if known.is_subclass(&solid) => {}
                Some(known) if !solid.is_subclass(known) => {
                    return Err(self.type_error("multiple bases have instance lay-out conflict"));
                }
                _ => widest = Some(solid),
            }
        }
        Ok(layout.map_or(Base::Object, |class| class.base))
    }

    /// Whether a class has room in its instances for slots of its own.
    fn brings_slots(&self, class: &Ref<Class>) -> bool {
        let given = if class.is_script { class.dict.get_str(&self.n.__slots__) } else { None };
        let is_room = |name: &Value| !matches!(name.as_str(), Some("__dict__" | "__weakref__"));
        match &given {
            None => false,
            Some(name) if name.as_str().is_some() => is_room(name),
            Some(names) => match (names.as_tuple(), names.downcast::<List>()) {
                (Some(names), _) => names.iter().any(is_room),
                (None, Some(names)) => names.with(|names| names.iter().any(is_room)),
                (None, None) => false,
            },
        }
    }

    /// The attributes every class has, and the functions that are implicitly class or static methods.
    fn fill_in(&self, class: &Ref<Class>) -> R<()> {
        let dict = &class.dict;
        if let Some(qualname) = dict.remove_str(&self.n.__qualname__) {
            match qualname.payload::<Str>() {
                Some(text) => class.qualname.set(text.clone()),
                None => {
                    let given = self.class_of(&qualname).name();
                    return Err(self.type_error(format!("type __qualname__ must be a str, not {}", given.as_str())));
                }
            }
        }
        if dict.get_str(&self.n.__module__).is_none() {
            let module = Value::from(&self.n.__main__);
            dict.set_str(&self.n.__module__, module);
        }
        if dict.get_str(&self.n.__hash__).is_none() && dict.get_str(&self.n.__eq__).is_some() {
            dict.set_str(&self.n.__hash__, Value::None);
        }
        let wrap = |name: &Ref<Str>, wrapper: &dyn Fn(Value) -> Value| {
            if let Some(found) = dict.get_str(name)
                && found.kind() == Kind::Function
            {
                dict.set_str(name, wrapper(found));
            }
        };
        let class_method = |inner| Value::from(self.heap.alloc(ClassMethod(inner)));
        wrap(&self.n.__new__, &|inner| Value::from(self.heap.alloc(StaticMethod(inner))));
        wrap(&self.n.__init_subclass__, &class_method);
        wrap(&self.n.__class_getitem__, &class_method);
        Ok(())
    }

    /// Names of classes hold no null character.
    pub fn check_class_name(&self, name: &str) -> R<()> {
        if name.contains('\0') { Err(self.value_error("type name must not contain null characters")) } else { Ok(()) }
    }

    /// Reads `__slots__`.
    fn set_slots(&self, class: &Ref<Class>, bases: &[Ref<Class>]) -> R<()> {
        let inherited = class.mro.get().iter().skip(1).any(|base| base.weakly_referable.get());
        let has_room = !matches!(class.base, Base::Payload(index) if is_variable_sized(index));
        let Some(given) = class.dict.get_str(&self.n.__slots__) else {
            class.weakly_referable.set(inherited || has_room);
            return Ok(());
        };
        let mut referable = inherited;
        let items = match given.payload::<Str>() {
            Some(one) => vec![Value::from(one)],
            None => self.collect(&given)?,
        };
        let mut names: Vec<Ref<Str>> = Vec::new();
        let mut has_dict = false;
        for item in items {
            let Some(text) = item.payload::<Str>() else {
                let given = self.class_of(&item).name();
                return Err(self.type_error(format!("__slots__ items must be strings, not '{}'", given.as_str())));
            };
            if !is_identifier(text.as_str()) {
                return Err(self.type_error("__slots__ must be identifiers"));
            }
            match text.as_str() {
                "__dict__" if has_dict || class.mro.get().iter().skip(1).any(|base| self.brings_dict(base)) => {
                    return Err(self.type_error("__dict__ slot disallowed: we already got one"));
                }
                "__dict__" => has_dict = true,
                "__weakref__" if inherited => {
                    return Err(self.type_error("__weakref__ slot disallowed: we already got one"));
                }
                "__weakref__" => referable = true,
                text => {
                    let name = self.intern(&mangle(class.name().as_str(), text));
                    if class.dict.get_str(&name).is_some() {
                        let message = format!("'{}' in __slots__ conflicts with class variable", name.as_str());
                        return Err(self.value_error(message));
                    }
                    names.push(name);
                }
            }
        }
        class.weakly_referable.set(referable);
        if let Base::Payload(index) = class.base
            && (!names.is_empty() || referable && !inherited)
            && is_variable_sized(index)
        {
            let base = bases.iter().find(|base| base.base == class.base).map_or_else(String::new, |b| self.type_name(b));
            return Err(self.type_error(format!("nonempty __slots__ not supported for subtype of '{base}'")));
        }
        // Only when no base brings a dict do the slots limit the attributes.
        for base in class.mro.get().iter().skip(1) {
            if !base.is_script {
                continue;
            }
            match base.slots.get() {
                Some(inherited) => {
                    for name in inherited.iter().rev() {
                        if !names.iter().any(|known| known.is(name)) {
                            names.insert(0, name.clone());
                        }
                    }
                }
                None => has_dict = true,
            }
        }
        if !has_dict && class.base != Base::Exception && class.base != Base::Class {
            class.slots.set(Some(names.into()));
        }
        Ok(())
    }

    /// Whether instances of a base have a dict because of it.
    fn brings_dict(&self, base: &Ref<Class>) -> bool {
        base.is_script && base.slots.with(Option::is_none)
    }

    /// The entries that a class gets for what its instances have and those of its bases had not.
    fn add_descriptors(&self, class: &Ref<Class>, bases: &[Ref<Class>]) {
        let n = &self.n;
        let inherits =
            |name| bases.iter().any(|base| base.mro.get().iter().any(|c| c.is_script && c.dict.get_str(name).is_some()));
        let has_own = matches!(class.base, Base::Exception | Base::Class);
        if !has_own
            && class.slots.with(Option::is_none)
            && !inherits(&n.__dict__)
            && let Some(general) = self.types.object.dict.get_str(&n.__dict__)
            && let Some(general) = general.downcast::<GetSet>()
        {
            let (get, set) = (general.get, general.set);
            let own = GetSet { name: n.__dict__.clone(), owner: class.clone(), get, set };
            class.dict.set_str(&n.__dict__, Value::from(self.heap.alloc(own)));
        }
        let inherited = bases.iter().any(|base| base.mro.get().iter().any(|base| base.weakly_referable.get()));
        if class.weakly_referable.get() && !inherited && class.base != Base::Class {
            let get = |vm: &Vm, this: &Value| {
                let all = this.as_obj().map(|object| vm.heap.weak_references(object)).unwrap_or_default();
                Ok(all.into_iter().next().map_or(Value::None, Value::Obj))
            };
            let own = GetSet { name: n.__weakref__.clone(), owner: class.clone(), get, set: None };
            class.dict.set_str(&n.__weakref__, Value::from(self.heap.alloc(own)));
        }
        if class.dict.get_str(&n.__doc__).is_none() {
            class.dict.set_str(&n.__doc__, Value::None);
        }
    }

    /// Lets a metaclass that overrides `mro` say in which order the class and its bases are looked through.
    fn ask_for_mro(&self, class: &Ref<Class>) -> R<()> {
        let Some(meta) = class.metaclass.get() else { return Ok(()) };
        let method = meta.lookup(&self.n.mro);
        if self.is_native_of(&method, &self.types.type_) {
            return Ok(());
        }
        let given = self.call_slot(&method, &Value::from(class), &[])?;
        let mut order = Vec::new();
        for item in self.collect(&given)? {
            match item.downcast::<Class>() {
                Some(base) => order.push(base.clone()),
                None => {
                    let given = self.class_of(&item).name();
                    return Err(self.type_error(format!("mro() returned a non-class ('{}')", given.as_str())));
                }
            }
        }
        class.set_mro(order.into());
        Ok(())
    }

    /// Calls `__set_name__` of the attributes that have it.
    fn tell_names(&self, class: &Ref<Class>, made: &Value) -> R<()> {
        for (name, value) in class.dict.to_vec() {
            if let Some(property) = value.downcast::<Property>() {
                property.name.set(name);
                continue;
            }
            if !matches!(value.kind(), Kind::Instance | Kind::Native) {
                continue;
            }
            if self.call_special(&value, &self.n.__set_name__, &[made.clone(), name.clone()]).is_ok() {
                continue;
            }
            let exception = self.take_raised();
            if let Some(raised) = exception.downcast::<Exception>()
                && !raised.uncatchable.get()
            {
                let note = format!(
                    "Error calling __set_name__ on '{}' instance {} in '{}'",
                    self.class_of(&value).name().as_str(),
                    self.repr(&name)?.as_str(),
                    class.name().as_str()
                );
                self.add_note(raised, &note);
            }
            return Err(self.raise(exception));
        }
        Ok(())
    }

    /// `exception.add_note(text)`.
    pub fn add_note(&self, exception: &Ref<Exception>, text: &str) {
        let dict = self.exception_dict(exception);
        let notes = dict.get_str(&self.n.__notes__);
        match notes.as_ref().and_then(|notes| notes.payload::<crate::value::List>()) {
            Some(notes) => notes.push(self.str_value(text)),
            None => dict.set_str(&self.n.__notes__, Value::from(self.heap.list(vec![self.str_value(text)]))),
        }
    }
}

/// Whether the built-in type keeps its content in the object itself, in CPython, so that there is no place for slots.
fn is_variable_sized(index: u16) -> bool {
    [Kind::BigInt, Kind::Tuple, Kind::Bytes].iter().any(|kind| *kind as u16 == index)
}

fn is_identifier(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c == '_' || unicode_ident::is_xid_start(c))
        && chars.all(|c| c == '_' || unicode_ident::is_xid_continue(c))
}

/// The name a private attribute has inside the class.
fn mangle(class: &str, name: &str) -> String {
    let class = class.trim_start_matches('_');
    if class.is_empty() || !name.starts_with("__") || name.ends_with("__") || name.contains('.') {
        return name.to_owned();
    }
    format!("_{class}{name}")
}
