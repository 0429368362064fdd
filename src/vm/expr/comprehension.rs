//! List, set and dict comprehensions that do not suspend: loops that run in the enclosing frame (PEP 709), with slots of their own.

use crate::syntax::Span;
use crate::value::{R, Raised, Value};
use crate::vm::Vm;
use crate::vm::cursor::Cursor;
use crate::vm::node::{Node, Tree};

/// One `for target in iterable if condition ...` of a comprehension.
pub struct Clause {
    pub iterable: Tree,
    /// The hidden slot where the item is put, and the statement that assigns it from there; for a plain variable the slot is the
    /// variable's and there is no statement.
    pub item: u16,
    pub assign: Option<Tree>,
    pub conditions: Box<[Tree]>,
    pub span: Span,
}

/// What is collected.
pub enum Collected {
    List(Tree),
    Set(Tree),
    Dict(Tree, Tree),
}

/// A comprehension.
pub struct Comprehension {
    pub clauses: Box<[Clause]>,
    pub collected: Collected,
    /// Makes cells for captured variables.
    pub prepare: Option<Tree>,
    /// The variables' slots, emptied at the end.
    pub slots: Box<[u16]>,
    pub span: Span,
}

impl Node for Comprehension {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        if let Some(prepare) = &self.prepare {
            prepare.exec(vm, l)?;
        }
        let result = match &self.collected {
            Collected::List(element) => {
                let mut items = Vec::new();
                self.run(vm, l, 0, &mut |vm, l| {
                    items.push(element.eval(vm, l)?);
                    if items.len() & 0xFFF == 0 {
                        vm.check_alloc(items.len() * size_of::<Value>())?;
                    }
                    Ok(())
                })
                .map(|()| Value::from(vm.heap.list(items)))
            }
            Collected::Set(element) => {
                let set = vm.heap.set();
                self.run(vm, l, 0, &mut |vm, l| {
                    let item = element.eval(vm, l)?;
                    vm.set_add(&set, item).map(|_| ()).map_err(|Raised| vm.at(self.span))
                })
                .map(|()| Value::from(&set))
            }
            Collected::Dict(key, value) => {
                let dict = vm.heap.dict();
                self.run(vm, l, 0, &mut |vm, l| {
                    let key = key.eval(vm, l)?;
                    let value = value.eval(vm, l)?;
                    vm.dict_set(&dict, key, value).map_err(|Raised| vm.at(self.span))
                })
                .map(|()| Value::from(&dict))
            }
        };
        for &slot in &self.slots {
            drop(std::mem::take(&mut l[slot as usize]));
        }
        result
    }
}

impl Comprehension {
    fn run(&self, vm: &Vm, l: &mut [Value], depth: usize, each: &mut dyn FnMut(&Vm, &mut [Value]) -> R<()>) -> R<()> {
        let clause = &self.clauses[depth];
        let iterable = clause.iterable.eval(vm, l)?;
        let mut cursor = Cursor::new(vm, iterable).map_err(|Raised| vm.at(clause.span))?;
        let is_last = depth + 1 == self.clauses.len();
        'items: loop {
            let item = cursor.next(vm).map_err(|Raised| vm.at(clause.span))?;
            if item.is_undef() {
                return Ok(());
            }
            vm.tick()?;
            let old = std::mem::replace(&mut l[clause.item as usize], item);
            drop(old);
            if let Some(assign) = &clause.assign {
                assign.exec(vm, l)?;
            }
            for condition in &clause.conditions {
                if !condition.cond(vm, l)? {
                    continue 'items;
                }
            }
            if is_last {
                each(vm, l)?;
            } else {
                self.run(vm, l, depth + 1, each)?;
            }
        }
    }
}
