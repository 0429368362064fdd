//! `TaskGroup`: tasks that end before the block does.

use super::support::once;
use super::tasks::create_task_by;
use crate::native::define_class;
use crate::rows;
use crate::sched::task_group::TaskGroup;
use crate::sched::{self, Context, Task};
use crate::stdlib::support::{add_class, wrap_new};
use crate::value::{Exception, Module, R, Ref, Value, Visitor};
use crate::vm::Vm;
use crate::vm::coroutine::{NativeFrame, Step};

pub fn load(vm: &Vm, module: &Ref<Module>) {
    let class = define_class::<TaskGroup>(
        vm,
        "asyncio.taskgroups",
        "TaskGroup",
        &rows![
            static "__new__", "cls, *args, **kwargs" => new(0);
            "__init__", "" => init(0);
            "__repr__", "" => repr(0);
            "create_task", "coro, *, name=None, context=None" => create_task(0 1 2 3);
            async "__aenter__", "" => aenter(0);
            async "__aexit__", "et, exc, tb" => aexit(0 2);
        ],
    );
    add_class(vm, module, &class);
}

fn new(vm: &Vm, class: &Value) -> R {
    wrap_new(vm, class, Value::from(vm.heap.alloc(TaskGroup::default())))
}

fn init(_vm: &Vm, _group: &Ref<TaskGroup>) {}

fn repr(_vm: &Vm, group: &Ref<TaskGroup>) -> String {
    let mut text = String::from("<TaskGroup");
    if group.running() > 0 {
        text.push_str(&format!(" tasks={}", group.running()));
    }
    let errors = group.errors.borrow().len();
    if errors > 0 {
        text.push_str(&format!(" errors={errors}"));
    }
    if group.aborting.get() {
        text.push_str(" cancelling");
    } else if group.entered.get() {
        text.push_str(" entered");
    }
    text.push('>');
    text
}

fn create_task(vm: &Vm, group: &Ref<TaskGroup>, coro: &Value, name: Option<Value>, context: Option<&Ref<Context>>) -> R {
    let refuse = |why: &str| -> R { Err(vm.runtime_error(format!("TaskGroup {} {why}", repr(vm, group)))) };
    let (true, Some(event_loop)) = (group.entered.get(), group.event_loop.get()) else {
        return refuse("has not been entered");
    };
    if group.exiting.get() && group.running() == 0 {
        return refuse("is finished");
    }
    if group.aborting.get() {
        return refuse("is shutting down");
    }
    let made = create_task_by(vm, &event_loop, coro, name, context)?;
    match made.payload::<Task>() {
        Some(task) => group.adopt(vm, task)?,
        None => return Err(vm.type_error(format!("the task factory returned {}, which is no task", vm.repr(&made)?.as_str()))),
    }
    Ok(made)
}

fn aenter(_vm: &Vm, group: Value) -> R<impl NativeFrame + use<>> {
    once("__aenter__", [group], |vm, [value]| {
        let Some(group) = value.payload::<TaskGroup>() else { return Ok(Value::None) };
        if group.entered.get() {
            return Err(vm.runtime_error(format!("TaskGroup {} has already been entered", repr(vm, group))));
        }
        group.entered.set(true);
        let event_loop = sched::running_loop(vm)?;
        let Some(parent) = event_loop.current.get() else {
            return Err(vm.runtime_error(format!("TaskGroup {} cannot determine the parent task", repr(vm, group))));
        };
        group.event_loop.set(Some(event_loop));
        group.parent.set(Some(parent));
        Ok(value.clone())
    })
}

/// The end of the block: waits for all tasks, then raises what there is to raise.
struct Exit {
    group: Ref<TaskGroup>,
    /// What ended the block: an exception or `None`.
    exception: Value,
    /// The cancellation that goes on when nothing else is raised.
    cancellation: Value,
    started: bool,
}

fn aexit(_vm: &Vm, group: &Ref<TaskGroup>, exception: Value) -> R<impl NativeFrame + use<>> {
    Ok(Exit { group: group.clone(), exception, cancellation: Value::None, started: false })
}

impl NativeFrame for Exit {
    fn name(&self) -> &'static str {
        "__aexit__"
    }

    fn resume(&mut self, vm: &Vm, sent: R) -> R<Step> {
        let group = self.group.clone();
        if !self.started {
            sent?;
            self.started = true;
            self.begin(vm)?;
        } else {
            if sent.is_err() {
                if !super::support::is_cancellation(vm) {
                    return Err(crate::value::Raised);
                }
                let exception = vm.take_raised();
                if !group.aborting.get() {
                    self.cancellation = exception;
                    group.abort(vm)?;
                }
            }
            group.completed.set(None);
        }
        if group.running() > 0 {
            let event_loop = sched::running_loop(vm)?;
            let future = event_loop.create_future(vm);
            group.completed.set(Some(future.clone()));
            return Ok(Step::Await(Value::from(future)));
        }
        self.end(vm)
    }

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.reference(&self.group);
        visitor.values([&self.exception, &self.cancellation]);
    }
}

impl Exit {
    fn is_cancellation(&self, vm: &Vm) -> bool {
        vm.is_instance(&self.exception, &sched::of(vm).classes.cancelled_error)
    }

    fn begin(&mut self, vm: &Vm) -> R<()> {
        let group = &self.group;
        group.exiting.set(true);
        group.note_base_error(vm, &self.exception);
        if self.is_cancellation(vm) {
            self.cancellation = self.exception.clone();
        }
        if group.parent_cancel_requested.get() && group.parent.get().is_some_and(|parent| parent.uncancel() == 0) {
            self.cancellation = Value::None;
        }
        if !self.exception.is_none() && !group.aborting.get() {
            group.abort(vm)?;
        }
        Ok(())
    }

    fn end(&mut self, vm: &Vm) -> R<Step> {
        let group = &self.group;
        let base_error = group.base_error.get();
        if base_error.downcast::<Exception>().is_some() {
            return Err(vm.raise(base_error));
        }
        let has_errors = !group.errors.borrow().is_empty();
        if !self.cancellation.is_none() && !has_errors {
            return Err(vm.raise(self.cancellation.clone()));
        }
        if !self.exception.is_none() && !self.is_cancellation(vm) {
            group.errors.borrow_mut().push(self.exception.clone());
        }
        let errors = std::mem::take(&mut *group.errors.borrow_mut());
        if errors.is_empty() {
            return Ok(Step::Done(Value::None));
        }
        let errors = Value::from(vm.heap.list(errors));
        let class = Value::from(&vm.types.base_exception_group);
        let group = vm.call(&class, &[vm.str_value("unhandled errors in a TaskGroup"), errors])?;
        if let Some(inner) = group.downcast::<Exception>() {
            inner.suppress_context.set(true);
        }
        Err(vm.raise_new(group))
    }
}
