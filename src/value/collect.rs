//! The cycle collector: trial deletion over the whole heap, run by the evaluator at a tick when `Heap::collection_due`.
//!
//! For each container it counts the references from other containers; one whose count is larger is held from outside (by a native
//! temporary, a frame, a table of the interpreter) and is a root, as is all it reaches. What is left is garbage: its contents are
//! taken out, and the reference counts free it. Counts held by native code act as roots, so it is safe at any tick, without
//! registration. A collection is due when as many containers have come (less those that went) as survived the last one, or a few
//! times as many if it found little, so the cost per container created is constant.
//! (Trial deletion: Bacon and Rajan, "Concurrent Cycle Collection in Reference Counted Systems", ECOOP 2001, section 2.)

use std::ptr::NonNull;

use super::heap::{Heap, PageHeader};
use super::object::{Header, Kind, ObjRef, Visitor};

/// A container known to be reachable.
const ALIVE: u32 = u32::MAX;

impl Heap {
    /// All live containers of a kind, in no particular order.
    pub fn objects(&self, kind: Kind) -> Vec<ObjRef> {
        let mut found = Vec::new();
        for page in self.pages() {
            // SAFETY: as in `collect`.
            let page = unsafe { page.as_ref() };
            for index in 0..page.cells() {
                if let Some(header) = container(page, index)
                    && header.kind == kind
                    && header.refs() > 0
                {
                    // SAFETY: the object is whole and counted; the reference taken here is forgotten, its clone has a count.
                    let object = unsafe { ObjRef::from_raw(NonNull::from(header)) };
                    found.push(object.clone());
                    std::mem::forget(object);
                }
            }
        }
        found
    }

    /// Frees all unreachable cycles. Returns how many containers were in them.
    pub fn collect(&self) -> usize {
        let pages = self.pages();
        // SAFETY: pages live as long as the heap, and this thread alone uses it.
        let cells = pages.iter().map(|page| unsafe { page.as_ref() }.cells()).sum();
        let mut marks: Vec<u32> = Vec::with_capacity(cells);
        for page in &pages {
            // SAFETY: as above.
            let page = unsafe { page.as_ref() };
            marks.extend((0..page.cells()).map(|index| container(page, index).map_or(0, Header::refs)));
        }
        let mut rest = marks.as_mut_slice();
        for page in &pages {
            // SAFETY: as above.
            let page = unsafe { page.as_ref() };
            let (own, others) = rest.split_at_mut(page.cells());
            page.marks.set(own.as_mut_ptr());
            rest = others;
        }
        each_container(&pages, &mut |cell, _| {
            trace(cell, &mut |child| {
                let mark = mark_of(child);
                // A count of zero means that a payload reported a reference it does not own; leave it alone.
                mark.write_with(|count| count.saturating_sub(1));
            });
        });
        let mut reached: Vec<NonNull<Header>> = Vec::new();
        let mut survivors = 0;
        each_container(&pages, &mut |cell, mark| {
            if mark.get() == 0 || mark.get() == ALIVE {
                return;
            }
            mark.write_with(|_| ALIVE);
            reached.push(cell);
            while let Some(cell) = reached.pop() {
                survivors += 1;
                trace(cell, &mut |child| {
                    let mark = mark_of(child);
                    if mark.get() != ALIVE {
                        mark.write_with(|_| ALIVE);
                        reached.push(child);
                    }
                });
            }
        });
        let mut garbage: Vec<ObjRef> = Vec::new();
        each_container(&pages, &mut |cell, mark| {
            if mark.get() == 0 {
                // SAFETY: the object is whole; taking a counted reference to it is what every clone does.
                let object = unsafe { ObjRef::from_raw(cell) };
                garbage.push(object.clone());
                std::mem::forget(object);
            }
        });
        // Weak references to garbage end before anything that it does on its way, so that nothing finds it any more.
        for object in &garbage {
            if object.is_weakly_referenced() {
                object.set_weakly_referenced(false);
                self.clear_weak_references(object.cell(), &|reference| mark_of(reference).get() == 0);
            }
        }
        for page in &pages {
            // SAFETY: as above.
            unsafe { page.as_ref() }.marks.set(std::ptr::null_mut());
        }
        drop(marks);
        let found = garbage.len();
        // Objects that want to be finalised get their turn first; they are collected the next time if nothing revived them.
        let waiting: Vec<ObjRef> = garbage.iter().filter(|object| wants_finalizer(object)).cloned().collect();
        if !waiting.is_empty() {
            self.finalize_later(waiting);
            drop(garbage);
            self.collected(survivors + found, found);
            return 0;
        }
        for object in &garbage {
            object.clear();
        }
        drop(garbage);
        self.collected(survivors, found);
        found
    }

    /// Calls `visit` with every object on the heap, leaves included.
    pub fn each_object(&self, visit: &mut dyn FnMut(&ObjRef)) {
        for page in self.pages() {
            // SAFETY: as in `collect`; a fresh count is taken for the time of the visit.
            let page = unsafe { page.as_ref() };
            for index in 0..page.cells() {
                let cell = page.cell_at(index);
                unsafe {
                    if (*cell).kind != Kind::Free && (*cell).refs() > 0 {
                        let object = ObjRef::from_raw(NonNull::new_unchecked(cell));
                        let held = object.clone();
                        std::mem::forget(object);
                        visit(&held);
                    }
                }
            }
        }
    }
}

fn wants_finalizer(object: &ObjRef) -> bool {
    // SAFETY: the object is alive.
    unsafe { object.cell().as_ref() }.wants_finalizer()
}

fn container(page: &PageHeader, index: usize) -> Option<&Header> {
    // SAFETY: cells below `cells()` are carved, so their kind can be read.
    let header = unsafe { &*page.cell_at(index) };
    (header.kind != Kind::Free && header.vtable.trace.is_some() && header.refs() > 0).then_some(header)
}

/// A container's count in the table of its page.
struct Mark(*mut u32);

impl Mark {
    fn get(&self) -> u32 {
        // SAFETY: made for cells of pages whose table is set, by index.
        unsafe { *self.0 }
    }

    fn write_with(&self, change: impl FnOnce(u32) -> u32) {
        // SAFETY: as in `get`.
        unsafe { *self.0 = change(*self.0) }
    }
}

fn mark_of(cell: NonNull<Header>) -> Mark {
    // SAFETY: objects lie on pages; the table has an entry per carved cell.
    unsafe {
        let page = &*PageHeader::of(cell.as_ptr());
        Mark(page.marks.get().add(page.index(cell.as_ptr())))
    }
}

fn each_container(pages: &[NonNull<PageHeader>], visit: &mut dyn FnMut(NonNull<Header>, Mark)) {
    for page in pages {
        // SAFETY: as in `collect`.
        let page = unsafe { page.as_ref() };
        for index in 0..page.cells() {
            if let Some(header) = container(page, index) {
                let cell = NonNull::from(header);
                visit(cell, mark_of(cell));
            }
        }
    }
}

/// Calls `visit` with each container that the one in `cell` refers to.
fn trace(cell: NonNull<Header>, visit: &mut dyn FnMut(NonNull<Header>)) {
    // SAFETY: the cell holds a live container.
    unsafe {
        let Some(trace) = cell.as_ref().vtable.trace else { return };
        trace(
            cell.as_ptr(),
            &mut Visitor::new(&mut |child| {
                if child.vtable().trace.is_some() {
                    visit(child.cell());
                }
            }),
        );
    }
}
