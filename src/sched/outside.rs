//! Work of the host: Rust futures that complete futures of the script. They are polled by the driver beside the loop; each is known by
//! its place, so that nothing of a suspended script holds a Rust future.

use std::cell::RefCell;
use std::future::Future as RustFuture;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context as PollContext, Poll, Wake, Waker};

use super::baton::{Baton, ThreadId};
use super::future::{AnyFuture, Future, Reaction};
use super::{EventLoop, of};
use crate::value::{R, Raised, Ref, Visitor};
use crate::vm::Vm;

/// What work of the host ends with: made into a value (or an exception) when the interpreter is at hand again.
pub type Answer = Box<dyn FnOnce(&Vm) -> R + Send>;

/// Work of the host.
pub type Work = Pin<Box<dyn RustFuture<Output = Answer> + Send>>;

/// The work under way for one loop.
#[derive(Default)]
pub struct Outside {
    places: RefCell<Vec<Option<Job>>>,
    /// The places that are empty.
    free: RefCell<Vec<usize>>,
    inbox: RefCell<Option<Arc<Inbox>>>,
}

struct Job {
    what: String,
    work: Option<Work>,
    future: Ref<Future>,
    waker: Waker,
}

/// Where wakers of the work report, from any thread.
struct Inbox {
    woken: Mutex<Vec<usize>>,
    poller: Mutex<Option<Waker>>,
    baton: Arc<Baton>,
    thread: ThreadId,
}

struct JobWaker {
    inbox: Arc<Inbox>,
    place: usize,
}

impl Wake for JobWaker {
    fn wake(self: Arc<Self>) {
        self.inbox.woken.lock().unwrap_or_else(PoisonError::into_inner).push(self.place);
        self.inbox.ring();
    }
}

impl Inbox {
    fn ring(&self) {
        let poller = self.poller.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(poller) = poller {
            poller.wake();
        }
        self.baton.wake(self.thread);
    }
}

impl Outside {
    fn inbox(&self, vm: &Vm, thread: ThreadId) -> Arc<Inbox> {
        let baton = &of(vm).threads.baton;
        let make = || Arc::new(Inbox { woken: Mutex::default(), poller: Mutex::default(), baton: baton.clone(), thread });
        self.inbox.borrow_mut().get_or_insert_with(make).clone()
    }

    /// Reports the references.
    pub(super) fn trace(&self, visitor: &mut Visitor<'_>) {
        for job in self.places.borrow().iter().flatten() {
            visitor.reference(&job.future);
        }
    }

    /// Drops all work.
    pub(super) fn clear(&self) {
        let places = std::mem::take(&mut *self.places.borrow_mut());
        self.free.borrow_mut().clear();
        let count = places.iter().flatten().count();
        drop(places);
        if let Some(inbox) = &*self.inbox.borrow() {
            // The caller has the baton, so nothing hangs on the clock here.
            inbox.baton.count_outside(-(count as isize), false);
        }
    }
}

/// Wakes the executor that polls a run, so that it sees a request to stop. Can be used from any thread.
#[derive(Default)]
pub struct Alarm(Mutex<Option<Waker>>);

impl Alarm {
    /// Wakes whoever polled last.
    pub fn ring(&self) {
        let poller = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(poller) = poller {
            poller.wake();
        }
    }
}

/// The poller of a driving Rust future: it is woken when the loop has something to do, or when the script is to stop.
pub(super) fn listen(vm: &Vm, event_loop: &EventLoop, waker: &Waker) {
    *of(vm).alarm.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(waker.clone());
    let inbox = event_loop.outside.inbox(vm, event_loop.thread.get());
    *inbox.poller.lock().unwrap_or_else(PoisonError::into_inner) = Some(waker.clone());
}

/// Wakes the thread that runs the loop, or the executor that polls it. Called by threads that gave the loop something to do.
pub fn ring(vm: &Vm, event_loop: &EventLoop) {
    if event_loop.running.get() {
        event_loop.outside.inbox(vm, event_loop.thread.get()).ring();
    }
}

/// Begins work of the host: a future of the running loop that it will complete. `what` names the work in messages. Cancelling the future
/// drops the work.
pub fn begin(vm: &Vm, event_loop: &Ref<EventLoop>, what: &str, work: Work) -> R<Ref<Future>> {
    let outside = &event_loop.outside;
    let inbox = outside.inbox(vm, event_loop.thread.get());
    let future = event_loop.create_future(vm);
    let place = {
        let mut places = outside.places.borrow_mut();
        let place = outside.free.borrow_mut().pop().unwrap_or(places.len());
        if place == places.len() {
            places.push(None);
        }
        let waker = Waker::from(Arc::new(JobWaker { inbox: inbox.clone(), place }));
        places[place] = Some(Job { what: what.to_owned(), work: Some(work), future: future.clone(), waker });
        place
    };
    of(vm).threads.baton.count_outside(1, of(vm).clock.is_virtual());
    AnyFuture::from(&future).on_done(vm, Reaction::Outside, event_loop.as_obj().clone(), place as u32)?;
    inbox.woken.lock().unwrap_or_else(PoisonError::into_inner).push(place);
    Ok(future)
}

/// The future of some work is done, or cancelled: the work is dropped.
pub(super) fn over(vm: &Vm, event_loop: &EventLoop, place: u32, future: &AnyFuture) {
    let mut places = event_loop.outside.places.borrow_mut();
    let Some(slot) = places.get_mut(place as usize) else { return };
    if slot.as_ref().is_none_or(|job| !job.future.as_obj().is(future.as_obj())) {
        return;
    }
    let job = slot.take();
    event_loop.outside.free.borrow_mut().push(place as usize);
    drop(places);
    drop(job);
    of(vm).threads.baton.count_outside(-1, of(vm).clock.is_virtual());
}

/// Whether some work was woken.
pub(super) fn is_woken(event_loop: &EventLoop) -> bool {
    let inbox = event_loop.outside.inbox.borrow();
    inbox.as_ref().is_some_and(|inbox| !inbox.woken.lock().unwrap_or_else(PoisonError::into_inner).is_empty())
}

/// Polls the work that was woken. Work that wakes itself as it is polled has its turn next time, when limits have been looked at.
pub(super) fn poll(vm: &Vm, event_loop: &Ref<EventLoop>) -> R<()> {
    let inbox = event_loop.outside.inbox.borrow().clone();
    let Some(inbox) = inbox else { return Ok(()) };
    if !is_woken(event_loop) {
        return Ok(());
    }
    vm.heap.request_attention();
    vm.charge(0)?;
    let woken = std::mem::take(&mut *inbox.woken.lock().unwrap_or_else(PoisonError::into_inner));
    for place in woken {
        let taken = match event_loop.outside.places.borrow_mut().get_mut(place) {
            Some(Some(job)) => job.work.take().map(|work| (work, job.waker.clone(), job.future.clone(), job.what.clone())),
            _ => None,
        };
        let Some((mut work, waker, future, what)) = taken else { continue };
        let polled = catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(&mut PollContext::from_waker(&waker))));
        let result = match polled {
            Ok(Poll::Pending) => {
                if let Some(Some(job)) = event_loop.outside.places.borrow_mut().get_mut(place) {
                    job.work = Some(work);
                }
                continue;
            }
            Ok(Poll::Ready(answer)) => answer(vm),
            Err(_) => Err(vm.runtime_error(format!("the host's function {what}() panicked"))),
        };
        drop(work);
        let future = AnyFuture::from(&future);
        if future.core().is_done() {
            if result.is_err() {
                drop(vm.take_raised());
            }
            continue;
        }
        match result {
            Ok(value) => future.set_result(vm, value)?,
            Err(Raised) if super::event_loop::is_limit(vm) => return Err(Raised),
            Err(Raised) => {
                let exception = vm.take_raised();
                future.fail(vm, exception)?;
            }
        }
    }
    Ok(())
}
