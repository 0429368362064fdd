//! Calls with keywords and stars.

use smallvec::SmallVec;

use super::call::{Arguments, evaluate};
use super::display::Element;
use crate::syntax::Span;
use crate::value::{Class, Dict, Kind, Place, R, Raised, Ref, Str, Tuple, Value};
use crate::vm::Vm;
use crate::vm::code::Parameters;
use crate::vm::enter::{CallSite, Keyed};
use crate::vm::function::{Args, Function};
use crate::vm::node::{Node, Tree};

/// `callee(a, name=b)`: keywords, but no stars.
pub struct CallKeywords {
    pub callee: Callee,
    pub site: CallSite,
    /// Each has a name.
    pub keywords: Box<[(Option<Ref<Str>>, Tree)]>,
}

/// Parameters of which the places of keyword arguments are looked up on the native stack.
const MAX_KEYWORDS: usize = 8;

impl Node for CallKeywords {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        let (callee, this) = self.callee.load(vm, l)?;
        let given = self.site.args.len() + usize::from(!this.is_undef());
        let mut places = [0; MAX_KEYWORDS];
        if let Some(function) = callee.downcast::<Function>()
            && let Some(places) = self.places(&function.code.parameters, given, &mut places)
        {
            let call = Keyed { function, this, site: &self.site, keywords: &self.keywords, places };
            return (function.code.entry.keyed)(vm, call, l);
        }
        if let Some(class) = callee.downcast::<Class>()
            && let Some(init) = vm.plain_init(class)
            && let Some(function) = init.downcast::<Function>()
            && let Some(places) = self.places(&function.code.parameters, given + 1, &mut places)
        {
            let made = Value::from(vm.heap.instance(class));
            let call = Keyed { function, this: made.clone(), site: &self.site, keywords: &self.keywords, places };
            let result = (function.code.entry.keyed)(vm, call, l)?;
            if !result.is_none() {
                let Raised = vm.init_returned(&result);
                return Err(vm.at(self.site.span));
            }
            return Ok(made);
        }
        let mut args = Arguments::new();
        evaluate(vm, l, this, &self.site.args, &mut args)?;
        let mut keywords = Keywords::new();
        for (name, tree) in &self.keywords {
            if let Some(name) = name {
                let value = tree.eval(vm, l)?;
                keywords.push((name.clone(), value));
            }
        }
        let args = Args { positional: &args, keywords: &keywords };
        vm.heap.here.set(self.site.place);
        vm.call_with(&callee, args).map_err(|Raised| vm.at(self.site.span))
    }
}

impl CallKeywords {
    /// The slots of the parameters that the keywords name, if all arguments of the call have a parameter of their own.
    #[inline]
    fn places<'a>(&self, parameters: &Parameters, given: usize, places: &'a mut [u16; MAX_KEYWORDS]) -> Option<&'a [u16]> {
        let places = places.get_mut(..self.keywords.len())?;
        let from = given.max(parameters.positional_only);
        let to = parameters.positional + parameters.keyword_only;
        if given > parameters.positional {
            return None;
        }
        let names = parameters.names.get(from..to)?;
        for (place, (name, _)) in places.iter_mut().zip(&self.keywords) {
            let name = name.as_ref()?;
            *place = (from + names.iter().position(|known| known.is(name))?) as u16;
        }
        Some(places)
    }
}

/// A call with stars.
pub struct CallAny {
    pub callee: Callee,
    pub args: Box<[Element]>,
    /// `name=value`, or `**value` without a name.
    pub keywords: Box<[(Option<Ref<Str>>, Tree)]>,
    pub span: Span,
    pub place: Place,
}

/// What is called.
pub enum Callee {
    Value(Tree),
    Method { object: Tree, name: Ref<Str>, span: Span },
}

impl Callee {
    /// What is called, and its first argument or `Undef`.
    #[inline]
    fn load(&self, vm: &Vm, l: &mut [Value]) -> R<(Value, Value)> {
        match self {
            Callee::Value(tree) => Ok((tree.eval(vm, l)?, Value::Undef)),
            Callee::Method { object, name, span } => {
                let object = object.eval(vm, l)?;
                vm.method_parts(&object, name).map_err(|Raised| vm.at(*span))
            }
        }
    }
}

impl Node for CallAny {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        let (callee, this) = self.callee.load(vm, l)?;
        let mut args = Arguments::new();
        if !this.is_undef() {
            args.push(this);
        }
        let mut keywords = Keywords::new();
        self.arguments(vm, l, &callee, &mut args, &mut keywords)?;
        let args = Args { positional: &args, keywords: &keywords };
        vm.heap.here.set(self.place);
        vm.call_with(&callee, args).map_err(|Raised| vm.at(self.span))
    }
}

/// Evaluated arguments by keyword.
type Keywords = SmallVec<[(Ref<Str>, Value); 4]>;

impl CallAny {
    /// Evaluates the arguments.
    fn arguments(&self, vm: &Vm, l: &mut [Value], callee: &Value, args: &mut Arguments, keywords: &mut Keywords) -> R<()> {
        for element in &self.args {
            match element {
                Element::One(tree) => args.push(tree.eval(vm, l)?),
                Element::Star(tree, span) => {
                    let iterable = tree.eval(vm, l)?;
                    self.spread(vm, callee, &iterable, args).map_err(|Raised| vm.at(*span))?;
                }
            }
        }
        for (name, tree) in &self.keywords {
            let value = tree.eval(vm, l)?;
            match name {
                Some(name) => {
                    if keywords.iter().any(|(known, _)| known.is(name)) {
                        return Err(self.repeated(vm, callee, name.as_str()));
                    }
                    keywords.push((name.clone(), value));
                }
                None => self.spread_keywords(vm, callee, &value, keywords)?,
            }
        }
        Ok(())
    }

    fn spread(&self, vm: &Vm, callee: &Value, iterable: &Value, args: &mut Arguments) -> R<()> {
        if let Some(tuple) = iterable.downcast::<Tuple>() {
            vm.charge(tuple.len() as u64 / 16)?;
            args.extend(tuple.items().iter().cloned());
            return Ok(());
        }
        if !matches!(iterable.kind(), Kind::List | Kind::Generator | Kind::Iterator) {
            // The message for what cannot be iterated names the function.
            let class = vm.class_of(iterable);
            if class.lookup(&vm.n.__iter__).is_undef() && class.lookup(&vm.n.__getitem__).is_undef() {
                let kind = class.name();
                let what = match self.args.len() {
                    1 => format!("{} argument", vm.callee_text(callee)),
                    _ => "Value".to_owned(),
                };
                return Err(vm.type_error(format!("{what} after * must be an iterable, not {}", kind.as_str())));
            }
        }
        vm.for_each(iterable, &mut |item| {
            vm.will_grow(args.len(), args.capacity())?;
            args.push(item);
            Ok(true)
        })
    }

    fn spread_keywords(&self, vm: &Vm, callee: &Value, mapping: &Value, keywords: &mut Keywords) -> R<()> {
        let items = match mapping.downcast::<Dict>() {
            Some(dict) if dict.is_empty() => return Ok(()),
            Some(dict) => {
                vm.will_copy(2 * dict.len())?;
                dict.to_vec()
            }
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
        // The keys of one mapping are compared with those that came before, and with each other only if they could be equal.
        let before = keywords.len();
        let differ = mapping.downcast::<Dict>().is_some();
        for (key, value) in items {
            let Some(name) = key.payload::<Str>() else {
                vm.type_error("keywords must be strings");
                return Err(vm.at(self.span));
            };
            let name = vm.name_of(name);
            let among = if differ { before } else { keywords.len() };
            vm.charge(among as u64 / 64)?;
            if keywords[..among].iter().any(|(known, _)| known.as_str() == name.as_str()) {
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
