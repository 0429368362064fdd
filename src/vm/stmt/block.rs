//! Blocks, conditionals and loops that do not suspend.

use crate::syntax::Span;
use crate::value::{Place, R, Raised, Value};
use crate::vm::Vm;
use crate::vm::cursor::Cursor;
use crate::vm::node::{Node, Tree};

/// Statements one after the other, each with its place for tracebacks.
pub struct Block(pub Box<[(Tree, Span)]>);

impl Node for Block {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        self.exec(vm, l)
    }

    #[inline]
    fn exec(&self, vm: &Vm, l: &mut [Value]) -> R {
        for (statement, span) in &self.0 {
            match statement.exec(vm, l) {
                Ok(Value::Next) => {}
                Ok(signal) => return Ok(signal),
                Err(Raised) => return Err(vm.at(*span)),
            }
        }
        Ok(Value::Next)
    }
}

/// Two statements, the most frequent number.
pub struct Pair {
    pub first: (Tree, Span),
    pub second: (Tree, Span),
}

impl Node for Pair {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        self.exec(vm, l)
    }

    fn exec(&self, vm: &Vm, l: &mut [Value]) -> R {
        match self.first.0.exec(vm, l) {
            Ok(Value::Next) => self.second.0.exec(vm, l).map_err(|Raised| vm.at(self.second.1)),
            Err(Raised) => Err(vm.at(self.first.1)),
            signal => signal,
        }
    }
}

/// `if test: then`, `else: otherwise`.
pub struct If {
    pub test: Tree,
    pub then: Tree,
    pub otherwise: Option<Tree>,
}

impl Node for If {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        self.exec(vm, l)
    }

    fn exec(&self, vm: &Vm, l: &mut [Value]) -> R {
        if self.test.cond(vm, l)? {
            self.then.exec(vm, l)
        } else if let Some(otherwise) = &self.otherwise {
            otherwise.exec(vm, l)
        } else {
            Ok(Value::Next)
        }
    }
}

/// `while test: body`, `else: otherwise`.
pub struct While {
    pub test: Tree,
    pub body: Tree,
    pub otherwise: Option<Tree>,
}

impl Node for While {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        self.exec(vm, l)
    }

    fn exec(&self, vm: &Vm, l: &mut [Value]) -> R {
        while self.test.cond(vm, l)? {
            match self.body.exec(vm, l)? {
                Value::Next | Value::Continue => {}
                Value::Break => return Ok(Value::Next),
                signal => return Ok(signal),
            }
            vm.tick()?;
        }
        match &self.otherwise {
            Some(otherwise) => otherwise.exec(vm, l),
            None => Ok(Value::Next),
        }
    }
}

/// `for target in iterable: body`, `else: otherwise`.
pub struct For {
    pub iterable: Tree,
    /// Where the item goes, and the statement that assigns it from there; none if the slot is the variable's own.
    pub item: u16,
    pub assign: Option<Tree>,
    pub body: Tree,
    pub otherwise: Option<Tree>,
    pub span: Span,
    pub place: Place,
}

impl Node for For {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        self.exec(vm, l)
    }

    fn exec(&self, vm: &Vm, l: &mut [Value]) -> R {
        let iterable = self.iterable.eval(vm, l)?;
        let mut cursor = Cursor::new(vm, iterable).map_err(|Raised| vm.at(self.span))?;
        loop {
            vm.heap.here.set(self.place);
            let item = cursor.next(vm).map_err(|Raised| vm.at(self.span))?;
            if item.is_undef() {
                break;
            }
            let old = std::mem::replace(&mut l[self.item as usize], item);
            drop(old);
            if let Some(assign) = &self.assign {
                assign.exec(vm, l)?;
            }
            match self.body.exec(vm, l)? {
                Value::Next | Value::Continue => {}
                Value::Break => return Ok(Value::Next),
                signal => return Ok(signal),
            }
            vm.tick()?;
        }
        match &self.otherwise {
            Some(otherwise) => otherwise.exec(vm, l),
            None => Ok(Value::Next),
        }
    }
}

/// A block of one statement.
pub struct Single {
    pub tree: Tree,
    pub span: Span,
}

impl Node for Single {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        self.exec(vm, l)
    }

    #[inline]
    fn exec(&self, vm: &Vm, l: &mut [Value]) -> R {
        match self.tree.exec(vm, l) {
            Ok(signal) => Ok(signal),
            Err(Raised) => Err(vm.at(self.span)),
        }
    }

    fn place(&self, path: &mut dyn Iterator<Item = u16>) -> Option<Span> {
        self.tree.place(path).or(Some(self.span))
    }

    /// Its one statement needs no position.
    #[inline]
    fn resume(&self, vm: &Vm, l: &mut [Value]) -> R {
        match self.tree.resume(vm, l) {
            Ok(signal) => Ok(signal),
            Err(Raised) => Err(vm.at(self.span)),
        }
    }
}
