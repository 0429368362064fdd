//! Blocks, conditionals and loops that may suspend inside. Each keeps its position on the cursor while the frame is being left, and goes
//! back to it in `resume`; what a loop needs again waits in hidden slots.

use super::await_::arrives;
use crate::syntax::Span;
use crate::value::{Place, R, Raised, Value};
use crate::vm::Vm;
use crate::vm::expr::operand::Operand;
use crate::vm::node::{Node, Tree};

/// Statements one after the other. The position is the statement's number.
pub struct SuspendingBlock(pub Box<[(Tree, Span)]>);

impl Node for SuspendingBlock {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        self.exec(vm, l)
    }

    fn exec(&self, vm: &Vm, l: &mut [Value]) -> R {
        self.go_on(vm, l, 0)
    }

    fn place(&self, path: &mut dyn Iterator<Item = u16>) -> Option<Span> {
        let (statement, span) = self.0.get(path.next()? as usize)?;
        statement.place(path).or(Some(*span))
    }

    fn resume(&self, vm: &Vm, l: &mut [Value]) -> R {
        let index = vm.pop_cursor();
        let (statement, span) = &self.0[index as usize];
        match statement.resume(vm, l) {
            Ok(Value::Suspend) => vm.keep_place(Ok(Value::Suspend), index),
            Ok(Value::Next) => self.go_on(vm, l, index + 1),
            Err(Raised) => Err(vm.at(*span)),
            signal => signal,
        }
    }
}

impl SuspendingBlock {
    #[inline(never)]
    fn go_on(&self, vm: &Vm, l: &mut [Value], first: u16) -> R {
        for (index, (statement, span)) in (first..).zip(&self.0[first as usize..]) {
            match statement.exec(vm, l) {
                Ok(Value::Next) => {}
                Ok(Value::Suspend) => return vm.keep_place(Ok(Value::Suspend), index),
                Err(Raised) => return Err(vm.at(*span)),
                signal => return signal,
            }
        }
        Ok(Value::Next)
    }
}

/// `if test: then`, `else: otherwise`; the test itself does not suspend.
pub struct SuspendingIf {
    pub test: Tree,
    pub then: Tree,
    pub otherwise: Option<Tree>,
}

impl Node for SuspendingIf {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        self.exec(vm, l)
    }

    fn exec(&self, vm: &Vm, l: &mut [Value]) -> R {
        if self.test.cond(vm, l)? {
            vm.keep_place(self.then.exec(vm, l), 1)
        } else if let Some(otherwise) = &self.otherwise {
            vm.keep_place(otherwise.exec(vm, l), 0)
        } else {
            Ok(Value::Next)
        }
    }

    fn place(&self, path: &mut dyn Iterator<Item = u16>) -> Option<Span> {
        match (path.next()?, &self.otherwise) {
            (0, Some(otherwise)) => otherwise.place(path),
            _ => self.then.place(path),
        }
    }

    fn resume(&self, vm: &Vm, l: &mut [Value]) -> R {
        match (vm.pop_cursor(), &self.otherwise) {
            (0, Some(otherwise)) => vm.keep_place(otherwise.resume(vm, l), 0),
            _ => vm.keep_place(self.then.resume(vm, l), 1),
        }
    }
}

/// `while test: body`, `else: otherwise`. `before` computes what the test needs, where that suspends.
pub struct SuspendingWhile {
    pub before: Option<Tree>,
    pub test: Tree,
    pub body: Tree,
    pub otherwise: Option<Tree>,
}

const BEFORE: u16 = 0;
const BODY: u16 = 1;
const ELSE: u16 = 2;
const ASSIGN: u16 = 3;

impl Node for SuspendingWhile {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        self.exec(vm, l)
    }

    fn exec(&self, vm: &Vm, l: &mut [Value]) -> R {
        self.turn(vm, l)
    }

    fn place(&self, path: &mut dyn Iterator<Item = u16>) -> Option<Span> {
        match (path.next()?, &self.before, &self.otherwise) {
            (BEFORE, Some(before), _) => before.place(path),
            (ELSE, _, Some(otherwise)) => otherwise.place(path),
            _ => self.body.place(path),
        }
    }

    fn resume(&self, vm: &Vm, l: &mut [Value]) -> R {
        match vm.pop_cursor() {
            BEFORE => {
                if let Some(before) = &self.before {
                    match before.resume(vm, l)? {
                        Value::Next => {}
                        signal => return vm.keep_place(Ok(signal), BEFORE),
                    }
                }
                if !self.test.cond(vm, l)? {
                    return self.finish(vm, l);
                }
                match self.body(vm, l, false)? {
                    Value::Next => self.turn(vm, l),
                    Value::Break => Ok(Value::Next),
                    signal => Ok(signal),
                }
            }
            BODY => match self.body(vm, l, true)? {
                Value::Next => self.turn(vm, l),
                Value::Break => Ok(Value::Next),
                signal => Ok(signal),
            },
            _ => match &self.otherwise {
                Some(otherwise) => vm.keep_place(otherwise.resume(vm, l), ELSE),
                None => Ok(Value::Next),
            },
        }
    }
}

impl SuspendingWhile {
    fn turn(&self, vm: &Vm, l: &mut [Value]) -> R {
        loop {
            if let Some(before) = &self.before {
                match before.exec(vm, l)? {
                    Value::Next => {}
                    signal => return vm.keep_place(Ok(signal), BEFORE),
                }
            }
            if !self.test.cond(vm, l)? {
                return self.finish(vm, l);
            }
            match self.body(vm, l, false)? {
                Value::Next => {}
                Value::Break => return Ok(Value::Next),
                signal => return Ok(signal),
            }
        }
    }

    /// One run of the body: `Next` to go on, `Break` to end the loop, else what leaves the loop.
    #[inline]
    fn body(&self, vm: &Vm, l: &mut [Value], resumed: bool) -> R {
        let result = if resumed { self.body.resume(vm, l) } else { self.body.exec(vm, l) };
        match result? {
            Value::Next | Value::Continue => {
                vm.tick()?;
                Ok(Value::Next)
            }
            signal => vm.keep_place(Ok(signal), BODY),
        }
    }

    fn finish(&self, vm: &Vm, l: &mut [Value]) -> R {
        match &self.otherwise {
            Some(otherwise) => vm.keep_place(otherwise.exec(vm, l), ELSE),
            None => Ok(Value::Next),
        }
    }
}

/// `for target in iterable: body`, `else: otherwise`, with the iterator in a hidden slot.
pub struct SuspendingFor {
    pub iterable: Tree,
    pub iterator: u16,
    pub item: u16,
    pub assign: Option<Tree>,
    pub body: Tree,
    pub otherwise: Option<Tree>,
    pub span: Span,
    pub place: Place,
}

/// Puts the iterator of a loop into its slot.
#[inline(always)]
fn begin(vm: &Vm, l: &mut [Value], iterable: &Tree, iterator: u16, span: Span) -> R<()> {
    let iterable = iterable.eval(vm, l)?;
    l[iterator as usize] = vm.iter(&iterable).map_err(|Raised| vm.at(span))?;
    Ok(())
}

impl Node for SuspendingFor {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        self.exec(vm, l)
    }

    fn exec(&self, vm: &Vm, l: &mut [Value]) -> R {
        begin(vm, l, &self.iterable, self.iterator, self.span)?;
        self.turn(vm, l)
    }

    fn place(&self, path: &mut dyn Iterator<Item = u16>) -> Option<Span> {
        match (path.next()?, &self.assign, &self.otherwise) {
            (ASSIGN, Some(assign), _) => assign.place(path),
            (ELSE, _, Some(otherwise)) => otherwise.place(path),
            _ => self.body.place(path),
        }
    }

    fn resume(&self, vm: &Vm, l: &mut [Value]) -> R {
        match vm.pop_cursor() {
            BODY => {
                let result = self.body.resume(vm, l);
                self.turns(vm, l, result)
            }
            ASSIGN => {
                if let Some(assign) = &self.assign {
                    match assign.resume(vm, l)? {
                        Value::Next => {}
                        signal => return vm.keep_place(Ok(signal), ASSIGN),
                    }
                }
                let result = self.body.exec(vm, l);
                self.turns(vm, l, result)
            }
            _ => match &self.otherwise {
                Some(otherwise) => vm.keep_place(otherwise.resume(vm, l), ELSE),
                None => Ok(Value::Next),
            },
        }
    }
}

impl SuspendingFor {
    /// Goes on behind the body, which gave `result`.
    #[inline]
    fn turns(&self, vm: &Vm, l: &mut [Value], result: R) -> R {
        match result {
            Ok(Value::Next | Value::Continue) => {
                vm.tick()?;
                self.turn(vm, l)
            }
            Ok(Value::Suspend) => vm.keep_place(Ok(Value::Suspend), BODY),
            result => self.leave(l, result),
        }
    }

    #[inline]
    fn turn(&self, vm: &Vm, l: &mut [Value]) -> R {
        loop {
            vm.heap.here.set(self.place);
            let item = match vm.next(&l[self.iterator as usize]) {
                Ok(Some(item)) => item,
                Ok(None) => break,
                Err(Raised) => {
                    drop(std::mem::take(&mut l[self.iterator as usize]));
                    return Err(vm.at(self.span));
                }
            };
            let old = std::mem::replace(&mut l[self.item as usize], item);
            drop(old);
            if let Some(assign) = &self.assign {
                match assign.exec(vm, l)? {
                    Value::Next => {}
                    signal => return vm.keep_place(Ok(signal), ASSIGN),
                }
            }
            match self.body.exec(vm, l) {
                Ok(Value::Suspend) => return vm.keep_place(Ok(Value::Suspend), BODY),
                Ok(Value::Next | Value::Continue) => vm.tick()?,
                result => return self.leave(l, result),
            }
        }
        self.end(vm, l)
    }

    #[inline(never)]
    fn end(&self, vm: &Vm, l: &mut [Value]) -> R {
        drop(std::mem::take(&mut l[self.iterator as usize]));
        match &self.otherwise {
            Some(otherwise) => vm.keep_place(otherwise.exec(vm, l), ELSE),
            None => Ok(Value::Next),
        }
    }

    /// Ends the loop for what its body gave: a `break`, a `return` or an exception.
    #[inline(never)]
    fn leave(&self, l: &mut [Value], result: R) -> R {
        drop(std::mem::take(&mut l[self.iterator as usize]));
        match result {
            Ok(Value::Break) => Ok(Value::Next),
            other => other,
        }
    }
}

/// `for target in iterable: yield value`, without anything to come back to but itself: the position is in no cursor.
pub struct ForYield<A> {
    pub iterable: Tree,
    pub iterator: u16,
    pub item: u16,
    pub assign: Option<Tree>,
    pub value: A,
    /// Of the loop.
    pub span: Span,
    pub place: Place,
    /// Of the statement inside.
    pub yield_span: Span,
}

impl<A: Operand> Node for ForYield<A> {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        self.exec(vm, l)
    }

    fn exec(&self, vm: &Vm, l: &mut [Value]) -> R {
        begin(vm, l, &self.iterable, self.iterator, self.span)?;
        self.turn(vm, l)
    }

    fn knows_its_place(&self) -> bool {
        true
    }

    fn place(&self, _path: &mut dyn Iterator<Item = u16>) -> Option<Span> {
        Some(self.yield_span)
    }

    fn resume(&self, vm: &Vm, l: &mut [Value]) -> R {
        match vm.take_sent() {
            Ok(sent) => {
                drop(sent);
                vm.tick()?;
                self.turn(vm, l)
            }
            Err(Raised) => {
                arrives(vm);
                self.fail(vm, l, self.yield_span)
            }
        }
    }
}

impl<A: Operand> ForYield<A> {
    #[inline]
    fn turn(&self, vm: &Vm, l: &mut [Value]) -> R {
        vm.heap.here.set(self.place);
        let item = match vm.next(&l[self.iterator as usize]) {
            Ok(Some(item)) => item,
            Ok(None) => {
                drop(std::mem::take(&mut l[self.iterator as usize]));
                return Ok(Value::Next);
            }
            Err(Raised) => return self.fail(vm, l, self.span),
        };
        let old = std::mem::replace(&mut l[self.item as usize], item);
        drop(old);
        if let Some(assign) = &self.assign
            && assign.exec(vm, l).is_err()
        {
            return self.fail(vm, l, self.span);
        }
        match self.value.load(vm, l) {
            Ok(value) => {
                vm.suspension.yielded.set(self.value.take(value, l));
                vm.suspension.is_item.set(false);
                Ok(Value::Suspend)
            }
            Err(Raised) => self.fail(vm, l, self.yield_span),
        }
    }

    #[inline(never)]
    fn fail(&self, vm: &Vm, l: &mut [Value], span: Span) -> R {
        let raised = vm.at(span);
        drop(std::mem::take(&mut l[self.iterator as usize]));
        Err(raised)
    }
}

/// `async for target in iterable: body`, `else: otherwise`. The async iterator is in a hidden slot; `step` awaits the next item, or is a
/// `break` at the end.
pub struct AsyncFor {
    pub step: Tree,
    pub iterator: u16,
    pub assign: Option<Tree>,
    pub body: Tree,
    pub otherwise: Option<Tree>,
}

impl Node for AsyncFor {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        self.exec(vm, l)
    }

    fn exec(&self, vm: &Vm, l: &mut [Value]) -> R {
        let stepped = self.step.exec(vm, l);
        self.go_on(vm, l, BEFORE, stepped)
    }

    fn place(&self, path: &mut dyn Iterator<Item = u16>) -> Option<Span> {
        match (path.next()?, &self.assign, &self.otherwise) {
            (BEFORE, ..) => self.step.place(path),
            (ASSIGN, Some(assign), _) => assign.place(path),
            (ELSE, _, Some(otherwise)) => otherwise.place(path),
            _ => self.body.place(path),
        }
    }

    fn resume(&self, vm: &Vm, l: &mut [Value]) -> R {
        let position = vm.pop_cursor();
        let result = match (position, &self.assign, &self.otherwise) {
            (BEFORE, ..) => self.step.resume(vm, l),
            (ASSIGN, Some(assign), _) => assign.resume(vm, l),
            (ELSE, _, Some(otherwise)) => return vm.keep_place(otherwise.resume(vm, l), ELSE),
            _ => self.body.resume(vm, l),
        };
        self.go_on(vm, l, position, result)
    }
}

impl AsyncFor {
    /// Goes on behind the part at `position`, which gave `result`.
    fn go_on(&self, vm: &Vm, l: &mut [Value], mut position: u16, mut result: R) -> R {
        loop {
            match (position, result) {
                (_, Ok(Value::Suspend)) => return vm.keep_place(Ok(Value::Suspend), position),
                (BEFORE, Ok(Value::Break)) => {
                    drop(std::mem::take(&mut l[self.iterator as usize]));
                    return match &self.otherwise {
                        Some(otherwise) => vm.keep_place(otherwise.exec(vm, l), ELSE),
                        None => Ok(Value::Next),
                    };
                }
                (BEFORE, Ok(_)) => {
                    position = ASSIGN;
                    result = match &self.assign {
                        Some(assign) => assign.exec(vm, l),
                        None => Ok(Value::Next),
                    };
                }
                (ASSIGN, Ok(_)) => {
                    position = BODY;
                    result = self.body.exec(vm, l);
                }
                (_, Ok(Value::Next | Value::Continue)) => {
                    vm.tick()?;
                    position = BEFORE;
                    result = self.step.exec(vm, l);
                }
                (_, Ok(Value::Break)) => {
                    drop(std::mem::take(&mut l[self.iterator as usize]));
                    return Ok(Value::Next);
                }
                (_, other) => {
                    drop(std::mem::take(&mut l[self.iterator as usize]));
                    return other;
                }
            }
        }
    }
}
