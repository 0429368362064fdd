//! The heap of one interpreter: pages of equal cells, reference counts, the account of bytes, and the queue of finalisers.
//!
//! Every object is one cell: a 16-byte `Header` and its payload (see `object.rs`). Cells of a size live on 32 KiB pages aligned
//! to their size, so that the page, and through it the heap, is found from any object's address: no header holds a heap
//! pointer, dropping an object needs no context, and the cycle collector (`collect.rs`) enumerates objects by walking pages
//! instead of keeping lists of them.
//!
//! ```text
//! page:  | PageHeader | cell | cell | free -> | cell | ... not carved yet |
//! cell:  | refs u32 | kind u8 | flags u8 | type u16 | vtable | payload ... |
//! free:  |   0      |  Free   |                     |  next  |
//! ```
//!
//! Slots of suspended frames (`slots.rs`) have pages of their own: values without a header, which the collector reaches through
//! the frames.
//!
//! All `unsafe` of memory management is here, in `object.rs` and in `slots.rs`. The argument: cells are handed out once (from a free list or by
//! carving) and returned once (when the count falls to zero); an `ObjRef` is only made with a count of its own; a heap and all its
//! objects are used by one thread at a time (see `interpreter/mod.rs`).

use std::alloc::{Layout, alloc, dealloc};
use std::cell::{Cell, RefCell};
use std::ptr::{self, NonNull};
use std::rc::Rc;

use super::Value;
use super::object::{Header, Kind, ObjRef};
use super::place::{Callers, Place};
use super::weak::WeakTable;

/// Bytes of a page, and its alignment.
const PAGE: usize = 32 * 1024;
/// Cells come in steps of this many bytes.
pub(super) const STEP: usize = 16;
/// The largest cell; payloads that may be larger keep the rest in a buffer of their own.
pub const MAX_CELL: usize = 512;
const CLASSES: usize = MAX_CELL / STEP + 1;
/// The most pages that are asked of the system at once. The first come one by one, so that a small program asks for little.
const MAX_CHUNK: usize = 32;
/// How much of a page is carved at a time, so that a small program touches little memory.
const CARVE: usize = 4096;
/// How deep destructors may nest before the rest is put on the worklist.
const MAX_DROP_DEPTH: u32 = 64;
/// Containers created (less those dropped) before the first cycle collection.
const FIRST_COLLECTION: i64 = 50_000;
/// The most containers that may come for each survivor.
const MAX_PATIENCE: i64 = 4;

#[repr(C)]
pub(super) struct PageHeader {
    heap: *const Heap,
    pub(super) cell: u32,
    /// 2^32 / `cell`, rounded up: `index` divides by it.
    reciprocal: u32,
    capacity: u32,
    carved: Cell<u32>,
    /// Counts of the collector, one per cell, while it runs.
    pub(super) marks: Cell<*mut u32>,
}

const FIRST_CELL: usize = size_of::<PageHeader>().next_multiple_of(STEP);

fn block_layout(size: usize) -> Layout {
    Layout::from_size_align(FIRST_CELL + size, PAGE).expect("blocks are smaller than the address space")
}

impl PageHeader {
    fn new(heap: &Heap, cell: usize, capacity: usize) -> PageHeader {
        PageHeader {
            heap,
            cell: cell as u32,
            reciprocal: (u32::MAX / cell as u32) + 1,
            capacity: capacity as u32,
            carved: Cell::new(0),
            marks: Cell::new(ptr::null_mut()),
        }
    }

    /// The page that holds the cell at `cell`.
    #[inline(always)]
    pub(super) fn of(cell: *const Header) -> *const PageHeader {
        (cell as usize & !(PAGE - 1)) as *const PageHeader
    }

    /// The number of `cell` on this page.
    #[inline]
    pub(super) fn index(&self, cell: *const Header) -> usize {
        // Exact: an offset is less than 2^15, and the reciprocal is off by less than 1 part in 2^32.
        (((cell as usize - ptr::from_ref(self) as usize - FIRST_CELL) as u64 * u64::from(self.reciprocal)) >> 32) as usize
    }

    pub(super) fn cells(&self) -> usize {
        self.carved.get() as usize
    }

    pub(super) fn cell_at(&self, index: usize) -> *mut Header {
        (ptr::from_ref(self) as usize + FIRST_CELL + index * self.cell as usize) as *mut Header
    }
}

/// A free cell, in place of an object.
#[repr(C)]
struct FreeCell {
    refs: u32,
    kind: Kind,
    next: *mut FreeCell,
}

/// What is due when an object has become unreachable.
pub enum LastRite {
    /// Its finaliser; it is freed after that if nothing revived it.
    Finalize(ObjRef),
    /// The callback of a weak reference to it, which is freed already.
    Notify { reference: ObjRef, callback: Value },
}

/// Cells of all sizes: those that are free, by size, and the pages they are cut from.
struct Cells {
    free: [Cell<*mut FreeCell>; CLASSES],
    filling: [Cell<*const PageHeader>; CLASSES],
    pages: RefCell<Vec<NonNull<PageHeader>>>,
}

/// Pages come from the system in chunks: one that is asked for alone would leave a gap beside it, for the sake of its alignment.
#[derive(Default)]
struct Chunks {
    /// Where each begins and how many pages it has.
    all: Vec<(NonNull<u8>, usize)>,
    /// How many pages of the last are in use.
    used: usize,
}

impl Chunks {
    fn layout(pages: usize) -> Layout {
        Layout::from_size_align(pages * PAGE, PAGE).expect("a chunk is smaller than the address space")
    }

    /// Memory for a page, aligned to its size.
    fn take_page(&mut self) -> NonNull<PageHeader> {
        if self.all.last().is_none_or(|(_, pages)| self.used == *pages) {
            let pages = self.all.len().clamp(1, MAX_CHUNK);
            let layout = Chunks::layout(pages);
            // SAFETY: the layout has a size.
            let Some(chunk) = NonNull::new(unsafe { alloc(layout) }) else { std::alloc::handle_alloc_error(layout) };
            self.all.push((chunk, pages));
            self.used = 0;
        }
        let (chunk, _) = self.all[self.all.len() - 1];
        self.used += 1;
        // SAFETY: the page lies within the chunk.
        unsafe { chunk.add((self.used - 1) * PAGE) }.cast()
    }

    /// Returns all to the system.
    ///
    /// # Safety
    /// Nothing refers to the pages any more.
    unsafe fn dealloc(&mut self) {
        for (chunk, pages) in self.all.drain(..) {
            // SAFETY: allocated in `take_page` with this layout.
            unsafe { dealloc(chunk.as_ptr(), Chunks::layout(pages)) };
        }
    }
}

impl Cells {
    fn new() -> Cells {
        Cells {
            free: [const { Cell::new(ptr::null_mut()) }; CLASSES],
            filling: [const { Cell::new(ptr::null()) }; CLASSES],
            pages: RefCell::new(Vec::new()),
        }
    }

    /// Puts a cell of this class on the list of free ones.
    ///
    /// # Safety
    /// Nothing refers to the cell, which was taken from here and has not been given back since.
    #[inline]
    unsafe fn give_back(&self, cell: NonNull<u8>, class: usize) {
        let free = cell.cast::<FreeCell>();
        // SAFETY: the caller hands the cell over.
        unsafe { free.write(FreeCell { refs: 0, kind: Kind::Free, next: self.free[class].get() }) };
        self.free[class].set(free.as_ptr());
    }
}

/// The heap of one interpreter.
pub struct Heap {
    objects: Cells,
    slots: Cells,
    chunks: RefCell<Chunks>,
    /// Bytes in live cells and in the buffers that objects own.
    bytes: Cell<usize>,
    /// Bytes that were held by `Charged` and are to be taken off.
    returned: Rc<Cell<usize>>,
    /// What `bytes` may reach before the interpreter is asked to stop the script.
    limit: Cell<usize>,
    /// Counts down on container creation, up on release; below zero a collection is due.
    until_collection: Cell<i64>,
    /// How many containers may come, for each that survives, before the next collection.
    patience: Cell<i64>,
    collections: Cell<u64>,
    /// The countdown of the evaluator (see `vm/ticks.rs`): negative means that the evaluator must look up. It lives here
    /// because the heap is what asks for attention.
    pub ticks: Cell<i64>,
    /// Ticks put aside while attention is requested.
    aside: Cell<i64>,
    /// See `class.rs`.
    epoch: Cell<u32>,
    drop_depth: Cell<u32>,
    drop_later: RefCell<Vec<NonNull<Header>>>,
    /// Each with the place that was being run when it became due.
    finalizers: RefCell<Vec<(Place, LastRite)>>,
    /// The place that is being run, as far as it is noted (see `place.rs`).
    pub here: Cell<Place>,
    pub(super) callers: Callers,
    pub(super) weak: WeakTable,
    torn_down: Cell<bool>,
}

/// Bytes on the account of a heap that belong to no object of it: texts of programs.
pub struct Charged {
    bytes: usize,
    returned: Rc<Cell<usize>>,
}

impl Drop for Charged {
    fn drop(&mut self) {
        self.returned.set(self.returned.get().saturating_add(self.bytes));
    }
}

impl Heap {
    /// An empty heap. It is boxed because its pages point at it.
    pub fn new() -> Box<Heap> {
        super::hash::draw_seed();
        Box::new(Heap {
            objects: Cells::new(),
            slots: Cells::new(),
            chunks: RefCell::default(),
            bytes: Cell::new(0),
            returned: Rc::default(),
            limit: Cell::new(usize::MAX),
            until_collection: Cell::new(FIRST_COLLECTION),
            patience: Cell::new(1),
            collections: Cell::new(0),
            ticks: Cell::new(0),
            aside: Cell::new(0),
            epoch: Cell::new(1),
            drop_depth: Cell::new(0),
            drop_later: RefCell::new(Vec::new()),
            finalizers: RefCell::new(Vec::new()),
            here: Cell::new(Place::OUTSIDE),
            callers: Callers::default(),
            weak: WeakTable::default(),
            torn_down: Cell::new(false),
        })
    }

    /// Memory for an object of `size` bytes, accounted for. `object.rs` fills it at once.
    #[inline]
    pub(super) fn take_cell(&self, size: usize) -> NonNull<u8> {
        self.take(&self.objects, size)
    }

    /// Memory for slots of `size` bytes, accounted for.
    #[inline]
    pub(super) fn take_slots(&self, size: usize) -> NonNull<u8> {
        self.take(&self.slots, size)
    }

    /// Takes the memory of slots back.
    ///
    /// # Safety
    /// `cell` came from `take_slots` of this heap, is given back once, and nothing refers to it.
    #[inline]
    pub(super) unsafe fn give_back_slots(&self, cell: NonNull<u8>, size: usize) {
        // SAFETY: as the caller says.
        unsafe { self.slots.give_back(cell, size / STEP) };
        self.bytes.set(self.bytes.get() - size);
    }

    #[inline(always)]
    fn take(&self, cells: &Cells, size: usize) -> NonNull<u8> {
        debug_assert!(size <= MAX_CELL);
        let class = size.div_ceil(STEP);
        let head = cells.free[class].get();
        if head.is_null() {
            return self.carve(cells, class);
        }
        // SAFETY: the list links cells of this class that nothing else refers to.
        cells.free[class].set(unsafe { (*head).next });
        self.bytes.set(self.bytes.get() + class * STEP);
        unsafe { NonNull::new_unchecked(head.cast()) }
    }

    /// Cuts more cells out of the page in use, or out of a new one, and hands out the first.
    #[cold]
    #[inline(never)]
    fn carve(&self, cells: &Cells, class: usize) -> NonNull<u8> {
        let size = class * STEP;
        let mut page = cells.filling[class].get();
        // SAFETY: a page stays allocated as long as the heap; its header was written when it was made.
        if page.is_null() || unsafe { (*page).carved.get() == (*page).capacity } {
            page = self.new_page(size);
            cells.pages.borrow_mut().extend(NonNull::new(page.cast_mut()));
            cells.filling[class].set(page);
        }
        let page = unsafe { &*page };
        let first = page.carved.get() as usize;
        let count = (CARVE / size).max(1).min(page.capacity as usize - first);
        for index in (first..first + count).rev() {
            let cell = page.cell_at(index);
            // SAFETY: the cell lies within the page and has never been handed out.
            unsafe { cells.give_back(NonNull::new_unchecked(cell.cast()), class) };
        }
        page.carved.set((first + count) as u32);
        if self.bytes.get() > self.limit.get() {
            self.request_attention();
        }
        self.take(cells, size)
    }

    fn new_page(&self, cell: usize) -> *const PageHeader {
        let page = self.chunks.borrow_mut().take_page();
        // SAFETY: the page is ours and aligned to its size.
        unsafe { page.write(PageHeader::new(self, cell, (PAGE - FIRST_CELL) / cell)) };
        page.as_ptr()
    }

    /// Memory for one block of `size` bytes that is larger than a cell, behind a page header of its own, accounted for.
    pub(super) fn take_block(&self, size: usize) -> NonNull<u8> {
        let layout = block_layout(size);
        // SAFETY: the layout has a size.
        let Some(page) = NonNull::new(unsafe { alloc(layout) }.cast::<PageHeader>()) else {
            std::alloc::handle_alloc_error(layout)
        };
        // SAFETY: freshly allocated and aligned to PAGE; the first cell lies within it.
        unsafe {
            page.write(PageHeader::new(self, size, 1));
            self.charge(size);
            NonNull::new_unchecked(page.as_ref().cell_at(0).cast())
        }
    }

    /// Takes such a block back.
    ///
    /// # Safety
    /// `block` came from `take_block` of this heap with this size, is given back once, and nothing refers to it.
    pub(super) unsafe fn give_back_block(&self, block: NonNull<u8>, size: usize) {
        let page = PageHeader::of(block.as_ptr().cast()).cast_mut();
        // SAFETY: allocated in `take_block` with this layout.
        unsafe { dealloc(page.cast(), block_layout(size)) };
        self.discharge(size);
    }

    /// The heap that `cell` belongs to.
    #[inline]
    pub(super) fn of<'a>(cell: *const Header) -> &'a Heap {
        // SAFETY: every header lies on a page of a heap that outlives it.
        unsafe { &*(*PageHeader::of(cell)).heap }
    }

    /// Runs the destructor of an object whose count has fallen to zero, and frees its cell. Called by `ObjRef::drop` only.
    #[cold]
    #[inline(never)]
    pub(super) fn release(cell: NonNull<Header>) {
        let heap = Heap::of(cell.as_ptr());
        if heap.torn_down.get() {
            return;
        }
        // SAFETY: nothing refers to the object any more; it is still whole.
        let header = unsafe { cell.as_ref() };
        if header.dies_slowly() && heap.dies_later(cell, header) {
            return;
        }
        if heap.drop_depth.get() >= MAX_DROP_DEPTH {
            heap.drop_later.borrow_mut().push(cell);
            return;
        }
        heap.drop_depth.set(heap.drop_depth.get() + 1);
        heap.free_object(cell);
        heap.drop_depth.set(heap.drop_depth.get() - 1);
        if heap.drop_depth.get() == 0 {
            heap.drain();
        }
    }

    /// What an object with a flag has to have done before it is freed; whether that keeps it for now.
    #[cold]
    #[inline(never)]
    fn dies_later(&self, cell: NonNull<Header>, header: &Header) -> bool {
        if header.wants_finalizer() {
            header.clear_finalizer();
            header.revive();
            // SAFETY: `revive` has just made the one count this reference owns.
            let object = unsafe { ObjRef::from_raw(cell) };
            self.finalizers.borrow_mut().push((self.here.get(), LastRite::Finalize(object)));
            self.request_attention();
            return true;
        }
        if header.is_weakly_referenced() {
            self.clear_weak_references(cell, &|_| false);
        }
        if header.refers_weakly() {
            self.forget_weak_reference(cell);
        }
        false
    }

    fn drain(&self) {
        loop {
            let next = self.drop_later.borrow_mut().pop();
            let Some(cell) = next else { return };
            self.drop_depth.set(1);
            self.free_object(cell);
            self.drop_depth.set(0);
        }
    }

    #[inline]
    fn free_object(&self, cell: NonNull<Header>) {
        // SAFETY: called once per object, when its count is zero; the page is alive.
        unsafe {
            let table = cell.as_ref().vtable;
            let size = (*PageHeader::of(cell.as_ptr())).cell as usize;
            let buffers = (table.drop)(cell.as_ptr());
            if buffers != 0 {
                self.discharge(buffers);
            }
            if table.trace.is_some() {
                self.until_collection.set(self.until_collection.get() + 1);
            }
            self.objects.give_back(cell.cast(), size / STEP);
            self.bytes.set(self.bytes.get() - size);
        }
    }

    /// Counts a new container towards the next collection.
    #[inline(always)]
    pub(super) fn count_container(&self) {
        let left = self.until_collection.get() - 1;
        self.until_collection.set(left);
        if left == 0 {
            self.request_attention();
        }
    }

    /// Adds bytes of an object's own buffer to the account. Check with `room_for` before a large one.
    #[inline]
    pub fn charge(&self, bytes: usize) {
        let total = self.bytes.get().saturating_add(bytes);
        self.bytes.set(total);
        if total > self.limit.get() {
            self.request_attention();
        }
    }

    /// Takes bytes off the account.
    #[inline]
    pub fn discharge(&self, bytes: usize) {
        self.bytes.set(self.bytes.get().saturating_sub(bytes));
    }

    /// Whether `bytes` more would stay within the limit.
    #[inline]
    pub fn room_for(&self, bytes: usize) -> bool {
        self.bytes.get().checked_add(bytes).is_some_and(|total| total <= self.limit.get())
            || self.returned.get() > 0 && self.settle(bytes)
    }

    /// Takes what `Charged` gave back off the account; whether there is room then.
    #[cold]
    #[inline(never)]
    fn settle(&self, bytes: usize) -> bool {
        self.discharge(self.returned.take());
        self.room_for(bytes)
    }

    /// Bytes in use.
    pub fn bytes(&self) -> usize {
        self.bytes.get().saturating_sub(self.returned.get())
    }

    /// Adds bytes to the account that belong to no object, until the result is dropped.
    pub fn hold(&self, bytes: usize) -> Charged {
        self.charge(bytes);
        Charged { bytes, returned: self.returned.clone() }
    }

    /// The limit in bytes; `usize::MAX` means none.
    pub fn limit(&self) -> usize {
        self.limit.get()
    }

    /// Sets the limit in bytes.
    pub fn set_limit(&self, bytes: usize) {
        self.limit.set(bytes);
    }

    /// Whether the evaluator should run `collect`.
    pub fn collection_due(&self) -> bool {
        self.until_collection.get() <= 0
    }

    /// Collections so far.
    pub fn collections(&self) -> u64 {
        self.collections.get()
    }

    /// A collection is over. Programs that make no cycles are looked through ever less often, within bounds.
    pub(super) fn collected(&self, survivors: usize, found: usize) {
        self.collections.set(self.collections.get() + 1);
        let patience = if found * 8 < survivors { (self.patience.get() * 2).min(MAX_PATIENCE) } else { 1 };
        self.patience.set(patience);
        self.until_collection.set(FIRST_COLLECTION.max((survivors as i64).saturating_mul(patience)));
    }

    pub(super) fn pages(&self) -> Vec<NonNull<PageHeader>> {
        self.objects.pages.borrow().clone()
    }

    /// The age of what evaluator caches know about classes; see `class.rs`.
    #[inline(always)]
    pub fn epoch(&self) -> u32 {
        self.epoch.get()
    }

    /// Makes all such caches stale.
    pub fn bump_epoch(&self) {
        self.epoch.set(self.epoch.get().wrapping_add(1));
    }

    /// Makes the evaluator's next tick take the slow path.
    #[inline(never)]
    pub fn request_attention(&self) {
        let left = self.ticks.get();
        if left >= 0 {
            self.aside.set(left);
            self.ticks.set(-1);
        }
    }

    /// The ticks that were left when attention was requested; 0 if it was not.
    pub fn aside(&self) -> i64 {
        self.aside.get()
    }

    /// Ends a request: the ticks that were left when it was made.
    pub fn take_aside(&self) -> i64 {
        self.aside.replace(0)
    }

    /// What scripts are to be told about objects that became unreachable, in that order.
    pub fn take_finalizers(&self) -> Vec<(Place, LastRite)> {
        std::mem::take(&mut *self.finalizers.borrow_mut())
    }

    /// Queues objects that the collector found unreachable and that want to be finalised.
    pub(super) fn finalize_later(&self, objects: Vec<ObjRef>) {
        for object in &objects {
            object.cancel_finalizer();
        }
        let here = self.here.get();
        self.finalizers.borrow_mut().extend(objects.into_iter().map(|object| (here, LastRite::Finalize(object))));
        self.request_attention();
    }

    /// Queues the callback of a weak reference whose object has died.
    pub(super) fn notify_later(&self, reference: ObjRef, callback: Value) {
        self.finalizers.borrow_mut().push((self.here.get(), LastRite::Notify { reference, callback }));
        self.request_attention();
    }

    /// Whether the objects are being dropped, one after the other, without regard to what refers to them.
    pub(super) fn is_torn_down(&self) -> bool {
        self.torn_down.get()
    }

    /// Whether finalisers wait.
    pub fn has_finalizers(&self) -> bool {
        !self.finalizers.borrow().is_empty()
    }
}

impl Drop for Heap {
    fn drop(&mut self) {
        let finalizers = std::mem::take(&mut *self.finalizers.borrow_mut());
        self.torn_down.set(true);
        drop(finalizers);
        for page in &self.pages() {
            // SAFETY: pages are alive; a destructor that drops references only counts down, since `release` returns at once.
            let page = unsafe { page.as_ref() };
            for index in 0..page.cells() {
                let cell = page.cell_at(index);
                unsafe {
                    if (*cell).kind != Kind::Free {
                        ((*cell).vtable.drop)(cell);
                    }
                }
            }
        }
        // SAFETY: all objects have been dropped.
        unsafe { self.chunks.borrow_mut().dealloc() };
    }
}
