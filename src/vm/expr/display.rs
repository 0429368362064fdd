//! Displays: tuples, lists, sets, dicts, f-strings.

use crate::syntax::Span;
use crate::syntax::ast::Conversion;
use crate::value::{R, Raised, Str, Value};
use crate::vm::Vm;
use crate::vm::node::{Node, Tree};

/// One element of a display or argument list: `value` or `*value`.
pub enum Element {
    One(Tree),
    Star(Tree, Span),
}

/// Evaluates elements into a vector. `names_star`: the message for what cannot be iterated speaks of the star.
pub fn collect_elements(vm: &Vm, l: &mut [Value], elements: &[Element], names_star: bool) -> R<Vec<Value>> {
    let mut items = Vec::with_capacity(elements.len());
    for element in elements {
        match element {
            Element::One(tree) => items.push(tree.eval(vm, l)?),
            Element::Star(tree, span) => {
                let iterable = tree.eval(vm, l)?;
                if names_star && !vm.is_iterable(&iterable) {
                    let given = vm.class_of(&iterable).name();
                    let _ = vm.type_error(format!("Value after * must be an iterable, not {}", given.as_str()));
                    return Err(vm.at(*span));
                }
                vm.for_each(&iterable, &mut |item| {
                    vm.will_grow(items.len(), items.capacity())?;
                    items.push(item);
                    Ok(true)
                })
                .map_err(|Raised| vm.at(*span))?;
            }
        }
    }
    Ok(items)
}

/// `(a, b)` without stars.
pub struct MakeTuple(pub Box<[Tree]>);

impl Node for MakeTuple {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        match &*self.0 {
            [a, b] => {
                let items = [a.eval(vm, l)?, b.eval(vm, l)?];
                return Ok(Value::from(vm.heap.tuple(items)));
            }
            [a, b, c] => {
                let items = [a.eval(vm, l)?, b.eval(vm, l)?, c.eval(vm, l)?];
                return Ok(Value::from(vm.heap.tuple(items)));
            }
            _ => {}
        }
        let mut items = Vec::with_capacity(self.0.len());
        for tree in &self.0 {
            items.push(tree.eval(vm, l)?);
        }
        Ok(Value::from(vm.heap.tuple(items)))
    }
}

/// `[a, b]` without stars.
pub struct MakeList(pub Box<[Tree]>);

impl Node for MakeList {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        let mut items = Vec::with_capacity(self.0.len());
        for tree in &self.0 {
            items.push(tree.eval(vm, l)?);
        }
        Ok(Value::from(vm.heap.list(items)))
    }
}

/// What a display with stars makes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum DisplayKind {
    Tuple,
    List,
    Set,
    /// Of three constants or more: built as CPython's compiler does, which shows in the order.
    ConstantSet,
}

/// A tuple or list with stars, or a set.
pub struct Display {
    pub kind: DisplayKind,
    pub elements: Box<[Element]>,
    pub span: Span,
}

impl Node for Display {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        let is_set = matches!(self.kind, DisplayKind::Set | DisplayKind::ConstantSet);
        let items = collect_elements(vm, l, &self.elements, !is_set)?;
        match self.kind {
            DisplayKind::Tuple => Ok(Value::from(vm.heap.tuple(items))),
            DisplayKind::List => Ok(Value::from(vm.heap.list(items))),
            DisplayKind::Set => {
                let set = vm.heap.set();
                for item in items {
                    vm.set_add(&set, item).map_err(|Raised| vm.at(self.span))?;
                }
                Ok(Value::from(set))
            }
            DisplayKind::ConstantSet => {
                // The compiler makes a frozenset, makes it anew from its items, and adds that to an empty set.
                let first = vm.heap.set();
                for item in items {
                    vm.set_add(&first, item).map_err(|Raised| vm.at(self.span))?;
                }
                let constant = vm.heap.set();
                vm.set_update(&constant, &Value::from(vm.heap.list(first.keys().keys())))?;
                let set = vm.heap.set();
                vm.set_update(&set, &Value::from(constant))?;
                Ok(Value::from(set))
            }
        }
    }
}

/// `{key: value, **mapping}`; `**` has no key.
pub struct MakeDict {
    pub items: Box<[(Option<Tree>, Tree)]>,
    pub span: Span,
}

impl Node for MakeDict {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        let dict = vm.heap.dict();
        for (key, value) in &self.items {
            match key {
                Some(key) => {
                    let key = key.eval(vm, l)?;
                    let value = value.eval(vm, l)?;
                    vm.dict_set(&dict, key, value).map_err(|Raised| vm.at(self.span))?;
                }
                None => {
                    let other = value.eval(vm, l)?;
                    vm.spread_mapping(&dict, &other).map_err(|Raised| vm.at(self.span))?;
                }
            }
        }
        Ok(Value::from(dict))
    }
}

/// One piece of an f-string.
pub enum Piece {
    Text(Box<str>),
    /// `{value!conversion:spec}`.
    Field {
        value: Tree,
        conversion: Option<Conversion>,
        spec: Spec,
        span: Span,
    },
}

/// The format specification of a field.
pub enum Spec {
    None,
    Text(Box<str>),
    Computed(Tree),
}

/// An f-string.
pub struct Joined(pub Box<[Piece]>);

impl Node for Joined {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(part) => text.push_str(part),
                Piece::Field { value, conversion, spec, span } => {
                    let value = value.eval(vm, l)?;
                    match (&value, conversion, spec) {
                        (Value::Int(i), None | Some(Conversion::Str | Conversion::Repr), Spec::None) => {
                            text.push_str(itoa::Buffer::new().format(*i));
                        }
                        _ => {
                            if let (None, Spec::None, Some(part)) = (conversion, spec, value.downcast::<Str>()) {
                                text.push_str(part.as_str());
                            } else {
                                let part = field(vm, l, value, *conversion, spec).map_err(|Raised| vm.at(*span))?;
                                text.push_str(part.as_str());
                            }
                        }
                    }
                }
            }
            if text.len() > 1 << 16 {
                vm.charge((text.len() / 8192) as u64)?;
                vm.check_alloc(text.len())?;
            }
        }
        Ok(Value::from(vm.heap.string(text)))
    }
}

fn field(vm: &Vm, l: &mut [Value], value: Value, conversion: Option<Conversion>, spec: &Spec) -> R<crate::value::Ref<Str>> {
    let value = match conversion {
        None => value,
        Some(Conversion::Str) => Value::from(vm.str(&value)?),
        Some(Conversion::Repr) => Value::from(vm.repr(&value)?),
        Some(Conversion::Ascii) => Value::from(vm.ascii(&value)?),
    };
    match spec {
        Spec::None => vm.format(&value, ""),
        Spec::Text(spec) => vm.format(&value, spec),
        Spec::Computed(tree) => {
            let spec = tree.eval(vm, l)?;
            vm.format(&value, spec.as_str().unwrap_or(""))
        }
    }
}

impl Vm {
    /// `{**mapping}`.
    fn spread_mapping(&self, dict: &crate::value::Ref<crate::value::Dict>, mapping: &Value) -> R<()> {
        if mapping.payload::<crate::value::Dict>().is_none() && self.find_attr(mapping, &self.n.keys)?.is_none() {
            let class = self.class_of(mapping).name();
            return Err(self.type_error(format!("'{}' object is not a mapping", class.as_str())));
        }
        self.dict_update(dict, mapping)
    }
}
