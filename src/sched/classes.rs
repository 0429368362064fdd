//! The classes that the scheduler itself makes objects of: futures, tasks, asyncio's exceptions.
//! Their methods are added by `stdlib/asyncio` when it is imported.

use super::event_loop::EventLoop;
use super::future::{self, Future};
use super::gather::Gathering;
use super::handle::CallHandle;
use super::task::Task;
use crate::value::{Base, Class, Payload, Ref};
use crate::vm::Vm;
use crate::vm::types::bare_class;

/// The classes.
pub struct Classes {
    pub future: Ref<Class>,
    pub task: Ref<Class>,
    pub gathering: Ref<Class>,
    pub abstract_event_loop: Ref<Class>,
    pub base_event_loop: Ref<Class>,
    pub event_loop: Ref<Class>,
    pub handle: Ref<Class>,
    pub timer_handle: Ref<Class>,
    pub cancelled_error: Ref<Class>,
    pub invalid_state_error: Ref<Class>,
    pub queue_full: Ref<Class>,
    pub queue_empty: Ref<Class>,
    pub broken_barrier_error: Ref<Class>,
    pub deadlock_error: Ref<Class>,
}

impl Classes {
    pub(super) fn new(vm: &Vm) -> Classes {
        let types = &vm.types;
        let exception = |module: &str, name: &str, parent: &Ref<Class>| class(vm, module, name, Base::Exception, parent);
        let future = payload_class::<Future>(vm, "_asyncio", "Future", &types.object);
        let abstract_event_loop = class(vm, "asyncio.events", "AbstractEventLoop", Base::Object, &types.object);
        let base_event_loop = class(vm, "asyncio.base_events", "BaseEventLoop", Base::Object, &abstract_event_loop);
        let handle = payload_class::<CallHandle>(vm, "asyncio.events", "Handle", &types.object);
        let classes = Classes {
            task: payload_class::<Task>(vm, "_asyncio", "Task", &future),
            gathering: payload_class::<Gathering>(vm, "asyncio.tasks", "_GatheringFuture", &future),
            event_loop: payload_class::<EventLoop>(vm, "asyncio.unix_events", "_UnixSelectorEventLoop", &base_event_loop),
            timer_handle: payload_class::<super::handle::TimerHandle>(vm, "asyncio.events", "TimerHandle", &handle),
            cancelled_error: exception("asyncio.exceptions", "CancelledError", &types.base_exception),
            invalid_state_error: exception("asyncio.exceptions", "InvalidStateError", &types.exception),
            queue_full: exception("asyncio.queues", "QueueFull", &types.exception),
            queue_empty: exception("asyncio.queues", "QueueEmpty", &types.exception),
            broken_barrier_error: exception("asyncio.exceptions", "BrokenBarrierError", &types.runtime_error),
            deadlock_error: exception("asyncio.exceptions", "DeadlockError", &types.runtime_error),
            future,
            abstract_event_loop,
            base_event_loop,
            handle,
        };
        for index in [Future::class_index(), Task::class_index(), Gathering::class_index()] {
            vm.set_await_hook(index, future::await_hook);
            vm.set_finalize_hook(index, super::report::finalize);
        }
        classes
    }
}

fn class(vm: &Vm, module: &str, name: &str, base: Base, parent: &Ref<Class>) -> Ref<Class> {
    let class = bare_class(&vm.heap, vm.names(), name, base, &[parent]);
    class.dict.set_str(&vm.n.__module__, vm.str_value(module));
    class
}

/// The class of a library type derived from another library class.
pub(crate) fn payload_class<T: Payload>(vm: &Vm, module: &str, name: &str, parent: &Ref<Class>) -> Ref<Class> {
    let index = T::class_index();
    let made = class(vm, module, name, Base::Payload(index), parent);
    vm.types.set_at(index, made.clone());
    made
}
