//! `Queue`, `LifoQueue`, `PriorityQueue`.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use super::support::Home;
use crate::native::{define_class, define_methods};
use crate::native_kind;
use crate::rows;
use crate::sched::wait_queue::Ticket;
use crate::sched::{self, AnyFuture, WaitQueue};
use crate::stdlib::support::{add_class, wrap_new};
use crate::value::{Base, Class, Kind, Module, Payload, R, Raised, Ref, Value, Visitor};
use crate::vm::Vm;
use crate::vm::coroutine::{NativeFrame, Step};
use crate::vm::types::bare_class;

pub fn load(vm: &Vm, module: &Ref<Module>) {
    let queue = define_class::<Queue>(
        vm,
        "asyncio.queues",
        "Queue",
        &rows![
            static "__new__", "cls, *args, **kwargs" => new(0);
            "__init__", "maxsize=0" => init(0 1);
            "__repr__", "" => repr(0);
            "__str__", "" => str(0);
            class "__class_getitem__", "item, /" => class_getitem(0 1);
            "qsize", "" => own_count(0);
            "empty", "" => empty(0);
            "full", "" => full(0);
            async "put", "item" => put(0 1);
            async "get", "" => get(0);
            "put_nowait", "item" => put_nowait(0 1);
            "get_nowait", "" => get_nowait(0);
            "task_done", "" => task_done(0);
            async "join", "" => join(0);
            "_init", "maxsize" => init_hook(0 1);
            "_put", "item" => put_hook(0 1);
            "_get", "" => get_hook(0);
            get "maxsize" => maxsize(0);
        ],
    );
    add_class(vm, module, &queue);
    for (name, order) in [("LifoQueue", Order::Lifo), ("PriorityQueue", Order::Priority)] {
        let class = bare_class(&vm.heap, vm.names(), name, Base::Payload(Queue::class_index()), &[&queue]);
        class.dict.set_str(&vm.n.__module__, vm.str_value("asyncio.queues"));
        let new = match order {
            Order::Lifo => &rows![static "__new__", "cls, *args, **kwargs" => new_lifo(0);],
            _ => &rows![static "__new__", "cls, *args, **kwargs" => new_priority(0);],
        };
        define_methods(vm, &class, new);
        add_class(vm, module, &class);
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    Fifo,
    Lifo,
    Priority,
}

/// The payload of a queue.
struct Queue {
    order: Order,
    items: RefCell<VecDeque<Value>>,
    maxsize: Cell<i64>,
    unfinished: Cell<u64>,
    getters: WaitQueue,
    putters: WaitQueue,
    joiners: WaitQueue,
    home: Home,
}

impl Payload for Queue {
    native_kind!();
    const CONTAINER: bool = true;
    const BUFFERS: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.values(self.items.borrow().iter());
        for waiters in [&self.getters, &self.putters, &self.joiners] {
            waiters.trace(visitor);
        }
        self.home.trace(visitor);
    }

    fn clear(&self) {
        let items = std::mem::take(&mut *self.items.borrow_mut());
        drop(items);
        for waiters in [&self.getters, &self.putters, &self.joiners] {
            waiters.clear();
        }
        self.home.clear();
    }

    fn buffers(&self) -> usize {
        self.items.borrow().capacity() * size_of::<Value>()
    }
}

impl Queue {
    fn len(&self) -> usize {
        self.items.borrow().len()
    }

    fn put(&self, vm: &Vm, item: Value) -> R<()> {
        let before = self.items.borrow().capacity();
        if self.len() == before {
            vm.check_alloc(before * size_of::<Value>())?;
        }
        let mut items = self.items.borrow_mut();
        items.push_back(item);
        vm.heap.charge((items.capacity() - before) * size_of::<Value>());
        drop(items);
        if self.order == Order::Priority { self.sift_up(vm) } else { Ok(()) }
    }

    fn get(&self, vm: &Vm) -> R {
        let item = match self.order {
            Order::Fifo => self.items.borrow_mut().pop_front(),
            Order::Lifo => self.items.borrow_mut().pop_back(),
            Order::Priority => return self.pop_least(vm),
        };
        item.ok_or_else(|| vm.index_error("pop from an empty queue"))
    }

    /// Whether item `a` comes before item `b`.
    fn before(&self, vm: &Vm, a: usize, b: usize) -> R<bool> {
        let pair = {
            let items = self.items.borrow();
            items.get(a).cloned().zip(items.get(b).cloned())
        };
        match pair {
            Some((a, b)) => vm.lt(&a, &b),
            None => Ok(false),
        }
    }

    fn swap(&self, a: usize, b: usize) {
        let mut items = self.items.borrow_mut();
        if a < items.len() && b < items.len() {
            items.swap(a, b);
        }
    }

    fn sift_up(&self, vm: &Vm) -> R<()> {
        let mut at = self.len().saturating_sub(1);
        while at > 0 {
            let parent = (at - 1) / 2;
            if !self.before(vm, at, parent)? {
                break;
            }
            self.swap(at, parent);
            at = parent;
        }
        Ok(())
    }

    /// Takes the least item out as `heapq.heappop` does: the last takes its place, sinks to the bottom, and rises to where it belongs.
    fn pop_least(&self, vm: &Vm) -> R {
        let last = self.items.borrow_mut().pop_back();
        let Some(last) = last else { return Err(vm.index_error("index out of range")) };
        let least = match self.items.borrow_mut().front_mut() {
            None => return Ok(last),
            Some(front) => std::mem::replace(front, last),
        };
        let mut at = 0;
        loop {
            let (left, right) = (2 * at + 1, 2 * at + 2);
            if left >= self.len() {
                break;
            }
            let child = if right < self.len() && !self.before(vm, left, right)? { right } else { left };
            self.swap(at, child);
            at = child;
        }
        while at > 0 {
            let parent = (at - 1) / 2;
            if !self.before(vm, at, parent)? {
                break;
            }
            self.swap(at, parent);
            at = parent;
        }
        Ok(least)
    }
}

fn make(vm: &Vm, class: &Value, order: Order) -> R {
    let queue = Queue {
        order,
        items: RefCell::default(),
        maxsize: Cell::new(0),
        unfinished: Cell::new(0),
        getters: WaitQueue::default(),
        putters: WaitQueue::default(),
        joiners: WaitQueue::default(),
        home: Home::default(),
    };
    wrap_new(vm, class, Value::from(vm.heap.alloc(queue)))
}

fn new(vm: &Vm, class: &Value) -> R {
    make(vm, class, Order::Fifo)
}

fn new_lifo(vm: &Vm, class: &Value) -> R {
    make(vm, class, Order::Lifo)
}

fn new_priority(vm: &Vm, class: &Value) -> R {
    make(vm, class, Order::Priority)
}

/// The queue behind an object.
fn of<'a>(vm: &Vm, this: &'a Value) -> R<&'a Ref<Queue>> {
    crate::native::FromValue::from_value(vm, this)
}

/// Whether a script class may have put its own `_put` and `_get` in place.
fn is_derived(vm: &Vm, this: &Value) -> bool {
    this.kind() == Kind::Instance && vm.class_of(this).is_script
}

fn init(vm: &Vm, this: &Value, maxsize: Option<i64>) -> R<()> {
    let maxsize = maxsize.unwrap_or(0);
    of(vm, this)?.maxsize.set(maxsize);
    if is_derived(vm, this) {
        vm.call_method(this, &vm.intern("_init"), &[Value::Int(maxsize)])?;
    }
    Ok(())
}

fn init_hook(_vm: &Vm, _queue: &Ref<Queue>, _maxsize: &Value) {}

fn put_hook(vm: &Vm, queue: &Ref<Queue>, item: Value) -> R<()> {
    queue.put(vm, item)
}

fn get_hook(vm: &Vm, queue: &Ref<Queue>) -> R {
    queue.get(vm)
}

fn class_getitem(vm: &Vm, class: Value, item: &Value) -> Value {
    vm.generic_alias(class, item)
}

fn maxsize(_vm: &Vm, queue: &Ref<Queue>) -> i64 {
    queue.maxsize.get()
}

/// How many items there are, as a derived class may count them.
fn count(vm: &Vm, this: &Value) -> R<usize> {
    if is_derived(vm, this) {
        let count = vm.call_method(this, &vm.intern("qsize"), &[])?;
        return Ok(vm.index_i64(&count)?.max(0) as usize);
    }
    Ok(of(vm, this)?.len())
}

fn is_full(vm: &Vm, this: &Value) -> R<bool> {
    let maxsize = of(vm, this)?.maxsize.get();
    Ok(maxsize > 0 && count(vm, this)? as i64 >= maxsize)
}

/// A derived class with items of its own keeps them in `_queue`, as the class in Python's library does.
fn own_items(vm: &Vm, this: &Value) -> R<Option<Value>> {
    if is_derived(vm, this) { vm.find_attr(this, &vm.intern("_queue")) } else { Ok(None) }
}

fn own_count(vm: &Vm, this: &Value) -> R<usize> {
    match own_items(vm, this)? {
        Some(items) => vm.len(&items),
        None => Ok(of(vm, this)?.len()),
    }
}

fn empty(vm: &Vm, this: &Value) -> R<bool> {
    Ok(count(vm, this)? == 0)
}

fn full(vm: &Vm, this: &Value) -> R<bool> {
    is_full(vm, this)
}

fn put_nowait(vm: &Vm, this: &Value, item: Value) -> R<()> {
    let queue = of(vm, this)?;
    if is_full(vm, this)? {
        return Err(vm.raise_with(&sched::of(vm).classes.queue_full, vec![]));
    }
    if is_derived(vm, this) {
        vm.call_method(this, &vm.intern("_put"), &[item])?;
    } else {
        queue.put(vm, item)?;
    }
    queue.unfinished.set(queue.unfinished.get() + 1);
    queue.getters.wake_one(vm, Value::None).map(drop)
}

fn get_nowait(vm: &Vm, this: &Value) -> R {
    let queue = of(vm, this)?;
    if count(vm, this)? == 0 {
        return Err(vm.raise_with(&sched::of(vm).classes.queue_empty, vec![]));
    }
    let item = if is_derived(vm, this) { vm.call_method(this, &vm.intern("_get"), &[])? } else { queue.get(vm)? };
    queue.putters.wake_one(vm, Value::None)?;
    Ok(item)
}

fn task_done(vm: &Vm, queue: &Ref<Queue>) -> R<()> {
    if queue.unfinished.get() == 0 {
        return Err(vm.value_error("task_done() called too many times"));
    }
    queue.unfinished.set(queue.unfinished.get() - 1);
    if queue.unfinished.get() == 0 {
        queue.joiners.wake_all(vm, &Value::TRUE)?;
    }
    Ok(())
}

/// `put` and `get`: the two sides of one wait.
enum Side {
    Put(Value),
    Get,
}

struct Transfer {
    this: Value,
    side: Side,
    ticket: Option<Ticket>,
}

impl Transfer {
    fn waiters<'a>(&self, queue: &'a Queue) -> &'a WaitQueue {
        match self.side {
            Side::Put(_) => &queue.putters,
            Side::Get => &queue.getters,
        }
    }

    /// Whether it has to wait.
    fn is_blocked(&self, vm: &Vm) -> R<bool> {
        match self.side {
            Side::Put(_) => is_full(vm, &self.this),
            Side::Get => Ok(count(vm, &self.this)? == 0),
        }
    }

    /// The wait was broken off: a waking that was meant for it goes to the next.
    fn pass_on(&self, vm: &Vm, queue: &Queue, ticket: Ticket) -> R<()> {
        let Some(future) = self.waiters(queue).leave(ticket) else { return Ok(()) };
        let future = AnyFuture::from(&future);
        future.cancel(vm, &Value::None)?;
        if !future.core().is_cancelled() && !self.is_blocked(vm)? {
            self.waiters(queue).wake_one(vm, Value::None)?;
        }
        Ok(())
    }
}

impl NativeFrame for Transfer {
    fn name(&self) -> &'static str {
        match self.side {
            Side::Put(_) => "put",
            Side::Get => "get",
        }
    }

    fn resume(&mut self, vm: &Vm, sent: R) -> R<Step> {
        let queue = of(vm, &self.this)?;
        match self.ticket.take() {
            Some(ticket) => match sent {
                Ok(_) => drop(self.waiters(queue).leave(ticket)),
                Err(Raised) => {
                    let exception = vm.take_raised();
                    self.pass_on(vm, queue, ticket)?;
                    return Err(vm.raise(exception));
                }
            },
            None => drop(sent?),
        }
        if self.is_blocked(vm)? {
            let event_loop = queue.home.get(vm, &|| self.this.clone())?;
            let (ticket, future) = self.waiters(queue).join(vm, &event_loop);
            self.ticket = Some(ticket);
            return Ok(Step::Await(future));
        }
        match &mut self.side {
            Side::Put(item) => {
                let item = std::mem::take(item);
                if is_derived(vm, &self.this) {
                    vm.call_method(&self.this, &vm.intern("put_nowait"), &[item])?;
                } else {
                    put_nowait(vm, &self.this, item)?;
                }
                Ok(Step::Done(Value::None))
            }
            Side::Get if is_derived(vm, &self.this) => vm.call_method(&self.this, &vm.intern("get_nowait"), &[]).map(Step::Done),
            Side::Get => get_nowait(vm, &self.this).map(Step::Done),
        }
    }

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.value(&self.this);
        if let Side::Put(item) = &self.side {
            visitor.value(item);
        }
    }
}

fn put(_vm: &Vm, this: Value, item: Value) -> R<impl NativeFrame + use<>> {
    Ok(Transfer { this, side: Side::Put(item), ticket: None })
}

fn get(_vm: &Vm, this: Value) -> R<impl NativeFrame + use<>> {
    Ok(Transfer { this, side: Side::Get, ticket: None })
}

/// `queue.join()`.
struct Join {
    queue: Ref<Queue>,
    ticket: Option<Ticket>,
}

impl NativeFrame for Join {
    fn name(&self) -> &'static str {
        "join"
    }

    fn resume(&mut self, vm: &Vm, sent: R) -> R<Step> {
        let queue = &self.queue;
        if let Some(ticket) = self.ticket.take() {
            drop(queue.joiners.leave(ticket));
            return sent.map(|_| Step::Done(Value::None));
        }
        sent?;
        if queue.unfinished.get() == 0 {
            return Ok(Step::Done(Value::None));
        }
        let event_loop = queue.home.get(vm, &|| Value::from(queue))?;
        let (ticket, future) = queue.joiners.join(vm, &event_loop);
        self.ticket = Some(ticket);
        Ok(Step::Await(future))
    }

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.reference(&self.queue);
    }
}

fn join(_vm: &Vm, queue: &Ref<Queue>) -> R<impl NativeFrame + use<>> {
    Ok(Join { queue: queue.clone(), ticket: None })
}

/// What reprs say about a queue.
fn describe(vm: &Vm, this: &Value) -> R<String> {
    let queue = of(vm, this)?;
    let mut text = format!("maxsize={}", queue.maxsize.get());
    let items = match own_items(vm, this)? {
        Some(items) => vm.collect(&items)?,
        None => queue.items.borrow().iter().cloned().collect(),
    };
    if !items.is_empty() {
        text.push_str(&format!(" _queue={}", vm.repr(&Value::from(vm.heap.list(items)))?.as_str()));
    }
    for (name, waiters) in [("_getters", &queue.getters), ("_putters", &queue.putters)] {
        if !waiters.is_empty() {
            text.push_str(&format!(" {name}[{}]", waiters.len()));
        }
    }
    if queue.unfinished.get() > 0 {
        text.push_str(&format!(" tasks={}", queue.unfinished.get()));
    }
    Ok(text)
}

fn name_of(class: &Ref<Class>) -> String {
    class.name().as_str().to_owned()
}

fn repr(vm: &Vm, this: &Value) -> R<String> {
    let address = this.as_obj().map_or(0, |object| object.address());
    Ok(format!("<{} at {address:#x} {}>", name_of(&vm.class_of(this)), describe(vm, this)?))
}

fn str(vm: &Vm, this: &Value) -> R<String> {
    Ok(format!("<{} {}>", name_of(&vm.class_of(this)), describe(vm, this)?))
}
