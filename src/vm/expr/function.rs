//! Definitions: functions, lambdas, classes; decorators.

use super::display::Element;
use crate::syntax::Span;
use crate::value::{Dict, Place, R, Raised, Ref, Shared, Slots, Str, Value, Variable};
use crate::vm::Vm;
use crate::vm::code::Code;
use crate::vm::function::{Function, FunctionExtra};
use crate::vm::node::{Node, Tree};
use crate::vm::unowned::Unowned;

/// `def` and `lambda`: the function object.
pub struct MakeFunction {
    pub code: Unowned<Code>,
    pub defaults: Box<[Tree]>,
    /// For each keyword-only parameter; empty if none has a default.
    pub kw_defaults: Box<[Option<Tree>]>,
    /// Names and annotations; `None` if there are none.
    pub annotations: Option<Box<[(Ref<Str>, Tree)]>>,
    /// The slots of the cells that it captures, in the order of its code's `free`.
    pub captures: Box<[u16]>,
    pub type_params: Option<Tree>,
}

impl Node for MakeFunction {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        let mut defaults = Vec::with_capacity(self.defaults.len());
        for tree in &self.defaults {
            defaults.push(tree.eval(vm, l)?);
        }
        let mut kw_defaults = Vec::with_capacity(self.kw_defaults.len());
        for tree in &self.kw_defaults {
            kw_defaults.push(match tree {
                Some(tree) => tree.eval(vm, l)?,
                None => Value::Undef,
            });
        }
        let mut extra = None;
        if let Some(annotations) = &self.annotations {
            let dict = vm.heap.dict();
            for (name, tree) in annotations {
                dict.set_str(name, tree.eval(vm, l)?);
            }
            extra = Some(Box::new(FunctionExtra { annotations: Some(Value::from(dict)), ..FunctionExtra::default() }));
        }
        if let Some(tree) = &self.type_params {
            let params = tree.eval(vm, l)?;
            extra.get_or_insert_with(Box::default).type_params = Some(params);
        }
        let code = self.code.get();
        let closure: Box<[Ref<Variable>]> =
            self.captures.iter().filter_map(|&slot| l[slot as usize].downcast::<Variable>().cloned()).collect();
        debug_assert_eq!(closure.len(), self.captures.len(), "a captured variable has no cell");
        let function = Function {
            code: code.clone(),
            closure,
            defaults: Shared::new(defaults.into()),
            kw_defaults: Shared::new(kw_defaults.into()),
            extra: Shared::new(extra),
        };
        Ok(Value::from(vm.heap.alloc_owning(function)))
    }
}

/// A generator expression: the generator of a code with one parameter, its first iterator, without a function between.
pub struct MakeGenerator {
    pub code: Unowned<Code>,
    pub captures: Box<[u16]>,
    pub iterable: Tree,
}

impl Node for MakeGenerator {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        let iterable = self.iterable.eval(vm, l)?;
        let code = self.code.get();
        let mut slots = Slots::new(&vm.heap, code.slots);
        slots[0] = iterable;
        for &slot in &code.captured {
            let value = std::mem::take(&mut slots[slot as usize]);
            slots[slot as usize] = Value::from(vm.heap.alloc(Variable::new(value)));
        }
        for (slot, &from) in slots[code.free_base..].iter_mut().zip(&self.captures) {
            *slot = l[from as usize].clone();
        }
        Ok(vm.resumable(code, code.as_obj().clone(), slots))
    }
}

/// `@decorator`: calls it with what it decorates. The decorator is evaluated before.
pub struct Decorate {
    pub decorator: Tree,
    pub decorated: Tree,
    pub span: Span,
    pub place: Place,
}

impl Node for Decorate {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        let decorator = self.decorator.eval(vm, l)?;
        let decorated = self.decorated.eval(vm, l)?;
        vm.heap.here.set(self.place);
        vm.call(&decorator, &[decorated]).map_err(|Raised| vm.at(self.span))
    }
}

/// `class Name(bases, keyword=value): body`.
pub struct MakeClass {
    pub name: Ref<Str>,
    pub code: Unowned<Code>,
    pub captures: Box<[u16]>,
    pub bases: Box<[Element]>,
    pub keywords: Box<[(Option<Ref<Str>>, Tree)]>,
    pub type_params: Option<Tree>,
    pub span: Span,
    pub place: Place,
}

impl Node for MakeClass {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        let type_params = match &self.type_params {
            Some(tree) => Some(tree.eval(vm, l)?),
            None => None,
        };
        let mut bases = super::display::collect_elements(vm, l, &self.bases, true)?;
        if let Some(params) = &type_params {
            bases.push(vm.generic_base(params).map_err(|Raised| vm.at(self.span))?);
        }
        let mut keywords: Vec<(Ref<Str>, Value)> = Vec::new();
        for (name, tree) in &self.keywords {
            let value = tree.eval(vm, l)?;
            match name {
                Some(name) => keywords.push((name.clone(), value)),
                None => {
                    let Some(dict) = value.payload::<Dict>() else {
                        vm.type_error(format!(
                            "argument after ** must be a mapping, not {}",
                            vm.class_of(&value).name().as_str()
                        ));
                        return Err(vm.at(self.span));
                    };
                    for (key, value) in dict.to_vec() {
                        if let Some(name) = key.downcast::<Str>() {
                            keywords.push((vm.name_of(name), value));
                        }
                    }
                }
            }
        }
        self.build(vm, l, bases, keywords, type_params).map_err(|Raised| vm.at(self.span))
    }
}

impl MakeClass {
    fn build(
        &self,
        vm: &Vm,
        l: &mut [Value],
        bases: Vec<Value>,
        keywords: Vec<(Ref<Str>, Value)>,
        type_params: Option<Value>,
    ) -> R {
        let start = vm.begin_class(&self.name, bases, keywords)?;
        let namespace = start.namespace.clone();
        let code = self.code.get().clone();
        let mut slots = vec![Value::Undef; code.slots];
        slots[0] = namespace.clone();
        for &slot in &code.captured {
            slots[slot as usize] = Value::from(vm.heap.alloc(Variable::default()));
        }
        for (slot, &from) in slots[code.free_base..].iter_mut().zip(&self.captures) {
            *slot = l[from as usize].clone();
        }
        let set = |name: &Ref<Str>, value: Value| match namespace.downcast::<Dict>() {
            Some(dict) => {
                dict.set_str(name, value);
                Ok(())
            }
            None => vm.set_item(&namespace, &Value::from(name), value),
        };
        if let Some(module) = code.globals.get_str(&vm.n.__name__) {
            set(&vm.n.__module__, module)?;
        }
        set(&vm.n.__qualname__, Value::from(&code.qualname))?;
        if !code.doc.is_none() {
            set(&vm.n.__doc__, code.doc.clone())?;
        }
        if let Some(params) = type_params {
            set(&vm.n.__type_params__, params)?;
        }
        vm.enter()?;
        let result = vm.with_stack(|| code.body.exec(vm, &mut slots));
        vm.leave();
        if result.is_err() {
            return Err(vm.add_traceback(&code.info));
        }
        vm.heap.here.set(self.place);
        vm.finish_class(start, &self.name)
    }
}
