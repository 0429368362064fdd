//! `asyncio.TaskGroup`: the state behind the block. The methods are in `stdlib/asyncio/task_groups.rs`.

use std::cell::{Cell, RefCell};

use super::event_loop::{self, EventLoop};
use super::future::{AnyFuture, Future, Reaction, State};
use super::task::Task;
use crate::native_kind;
use crate::value::{Exception, ObjRef, Payload, R, Ref, Shared, Value, Visitor};
use crate::vm::Vm;

/// The payload of a task group.
#[derive(Default)]
pub struct TaskGroup {
    pub entered: Cell<bool>,
    pub exiting: Cell<bool>,
    pub aborting: Cell<bool>,
    pub event_loop: Shared<Option<Ref<EventLoop>>>,
    /// The task inside the block.
    pub parent: Shared<Option<Ref<Task>>>,
    /// The group has cancelled the parent to get it out of the block.
    pub parent_cancel_requested: Cell<bool>,
    tasks: RefCell<Vec<Option<Ref<Task>>>>,
    free: RefCell<Vec<u32>>,
    running: Cell<usize>,
    pub errors: RefCell<Vec<Value>>,
    /// A `SystemExit` or `KeyboardInterrupt` of a task or of the block.
    pub base_error: Shared<Value>,
    /// What the end of the block waits for.
    pub completed: Shared<Option<Ref<Future>>>,
}

impl Payload for TaskGroup {
    native_kind!();
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        self.event_loop.with(|it| {
            if let Some(it) = it {
                visitor.reference(it);
            }
        });
        self.parent.with(|it| {
            if let Some(it) = it {
                visitor.reference(it);
            }
        });
        self.completed.with(|it| {
            if let Some(it) = it {
                visitor.reference(it);
            }
        });
        for task in self.tasks.borrow().iter().flatten() {
            visitor.reference(task);
        }
        visitor.values(self.errors.borrow().iter());
        self.base_error.with(|error| visitor.value(error));
    }

    fn clear(&self) {
        self.event_loop.set(None);
        self.parent.set(None);
        self.completed.set(None);
        let tasks = std::mem::take(&mut *self.tasks.borrow_mut());
        let errors = std::mem::take(&mut *self.errors.borrow_mut());
        drop((tasks, errors));
        self.base_error.set(Value::None);
    }
}

impl TaskGroup {
    /// Tasks that are not done.
    pub fn running(&self) -> usize {
        self.running.get()
    }

    /// Cancels all tasks.
    pub fn abort(&self, vm: &Vm) -> R<()> {
        self.aborting.set(true);
        let tasks: Vec<Ref<Task>> = self.tasks.borrow().iter().flatten().cloned().collect();
        for task in tasks {
            vm.charge(1)?;
            if !task.core.is_done() {
                super::task::cancel(vm, &task, &Value::None)?;
            }
        }
        Ok(())
    }

    /// Remembers the first exception that leaves whatever happens.
    pub fn note_base_error(&self, vm: &Vm, exception: &Value) {
        let leaves = exception.downcast::<Exception>().is_some_and(|e| {
            e.class.with(|class| class.is_subclass(&vm.types.system_exit) || class.is_subclass(&vm.types.keyboard_interrupt))
        });
        if leaves && self.base_error.with(|known| known.is_undef() || known.is_none()) {
            self.base_error.set(exception.clone());
        }
    }
}

impl Ref<TaskGroup> {
    /// Takes a task in.
    pub fn adopt(&self, vm: &Vm, task: &Ref<Task>) -> R<()> {
        let future = AnyFuture::from(task);
        if task.core.is_done() {
            return settle(vm, self, &future);
        }
        let place = self.free.borrow_mut().pop();
        let place = match place {
            Some(place) => {
                self.tasks.borrow_mut()[place as usize] = Some(task.clone());
                place
            }
            None => {
                self.tasks.borrow_mut().push(Some(task.clone()));
                self.tasks.borrow().len() as u32 - 1
            }
        };
        self.running.set(self.running.get() + 1);
        future.on_done(vm, Reaction::Group, self.as_obj().clone(), place)
    }
}

pub(super) fn task_done(vm: &Vm, group: &ObjRef, place: u32, future: &AnyFuture) -> R<()> {
    let Some(group) = group.downcast::<TaskGroup>() else { return Ok(()) };
    let gone = group.tasks.borrow_mut().get_mut(place as usize).and_then(Option::take);
    if gone.is_some() {
        group.free.borrow_mut().push(place);
        group.running.set(group.running.get() - 1);
    }
    settle(vm, group, future)
}

/// Deals with the outcome of a task of the group.
fn settle(vm: &Vm, group: &Ref<TaskGroup>, future: &AnyFuture) -> R<()> {
    if group.running() == 0
        && let Some(completed) = group.completed.get()
        && !completed.core.is_done()
    {
        AnyFuture::from(&completed).set_result(vm, Value::TRUE)?;
    }
    if future.core().state() != State::Failed {
        return Ok(());
    }
    future.mark_seen();
    let exception = future.peek_exception();
    group.errors.borrow_mut().push(exception.clone());
    group.note_base_error(vm, &exception);
    let Some(parent) = group.parent.get() else { return Ok(()) };
    if parent.core.is_done() {
        let (task, parent) = (vm.repr(&future.value())?, vm.repr(&AnyFuture::from(&parent).value())?);
        let message =
            format!("Task {} has errored out but its parent task {} is already completed", task.as_str(), parent.as_str());
        let facts = vec![("message", vm.str_value(&message)), ("exception", exception), ("task", future.value())];
        return event_loop::call_exception_handler(vm, &future.core().event_loop, facts);
    }
    if !group.aborting.get() && !group.parent_cancel_requested.get() {
        group.abort(vm)?;
        group.parent_cancel_requested.set(true);
        super::task::cancel(vm, &parent, &Value::None)?;
    }
    Ok(())
}
