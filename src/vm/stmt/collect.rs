//! Statements that comprehensions become where something in them suspends.

use crate::syntax::Span;
use crate::value::{Dict, List, R, Raised, Set, Value};
use crate::vm::Vm;
use crate::vm::node::{Node, Tree};

/// What a comprehension collects into.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NewKind {
    List,
    Set,
    Dict,
}

/// An empty container.
pub struct NewContainer(pub NewKind);

impl Node for NewContainer {
    fn eval(&self, vm: &Vm, _l: &mut [Value]) -> R {
        Ok(match self.0 {
            NewKind::List => Value::from(vm.heap.list(Vec::new())),
            NewKind::Set => Value::from(vm.heap.set()),
            NewKind::Dict => Value::from(vm.heap.dict()),
        })
    }
}

/// Adds an item to the container in a hidden slot.
pub struct Accumulate {
    pub container: u16,
    pub key: Option<Tree>,
    pub item: Tree,
    pub span: Span,
}

impl Node for Accumulate {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        self.exec(vm, l)
    }

    fn exec(&self, vm: &Vm, l: &mut [Value]) -> R {
        let key = match &self.key {
            Some(key) => key.eval(vm, l)?,
            None => Value::Undef,
        };
        let item = self.item.eval(vm, l)?;
        let container = &l[self.container as usize];
        let result = if let Some(list) = container.downcast::<List>() {
            list.push(item);
            Ok(())
        } else if let Some(set) = container.downcast::<Set>().cloned() {
            vm.set_add(&set, item).map(|_| ())
        } else if let Some(dict) = container.downcast::<Dict>().cloned() {
            vm.dict_set(&dict, key, item)
        } else {
            Ok(())
        };
        result.map_err(|Raised| vm.at(self.span))?;
        Ok(Value::Next)
    }
}

/// `iter(iterable)`.
pub struct Iter {
    pub iterable: Tree,
    pub span: Span,
}

impl Node for Iter {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        let iterable = self.iterable.eval(vm, l)?;
        vm.iter(&iterable).map_err(|Raised| vm.at(self.span))
    }
}
