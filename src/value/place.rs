//! Places in programs, as small numbers: what the machine notes while it runs, so that warnings and the like can tell where they are.
//!
//! A call, and whatever else may run code or let objects die, notes its place in `Heap::here`. Entering a function keeps that
//! in `Heap::callers` at the new depth, and leaving takes it back from there: together they are the places of the frames
//! that run. `vm/places.rs` reads them.

use std::cell::Cell;

use super::heap::Heap;

/// The number of a body of code, and an offset in its text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place(u64);

/// So many levels are remembered, the innermost ones.
pub(super) const LEVELS: usize = 1024;

/// Instead of the number of a body: levels to be passed over, which are frames that cannot be told, or no frames.
const UNKNOWN: u32 = u32::MAX;
const NO_FRAMES: u32 = u32::MAX - 1;

/// What a remembered level is.
pub enum Level {
    /// A frame, by the number of its body and the offset. Bodies count from 1; number 0 is what runs outside of any script.
    Frame(u32, u32),
    /// So many frames of which nothing is known.
    Unknown(u32),
    /// Native recursion.
    Native,
}

impl Place {
    /// Outside of any script.
    pub const OUTSIDE: Place = Place(0);

    /// A place in the body with this number.
    pub fn new(body: u32, offset: u32) -> Place {
        Place(u64::from(body) << 32 | u64::from(offset))
    }

    /// What this says.
    pub fn level(self) -> Level {
        let low = self.0 as u32;
        match (self.0 >> 32) as u32 {
            UNKNOWN => Level::Unknown(low),
            NO_FRAMES => Level::Native,
            body => Level::Frame(body, low),
        }
    }
}

/// The places of the frames that run.
pub(super) struct Callers(pub(super) [Cell<Place>; LEVELS]);

impl Default for Callers {
    fn default() -> Callers {
        Callers([const { Cell::new(Place::OUTSIDE) }; LEVELS])
    }
}

impl Heap {
    /// A call enters this depth: the present place is the caller's.
    #[inline(always)]
    pub fn note_caller(&self, depth: u32) {
        self.callers.0[depth as usize % LEVELS].set(self.here.get());
    }

    /// A call leaves this depth: the present place is the caller's again.
    #[inline(always)]
    pub fn back_to_caller(&self, depth: u32) {
        self.here.set(self.callers.0[depth as usize % LEVELS].get());
    }

    /// Native recursion enters this depth.
    #[inline(always)]
    pub fn note_native(&self, depth: u32) {
        self.callers.0[depth as usize % LEVELS].set(Place(u64::from(NO_FRAMES) << 32));
    }

    /// A frame is entered at the depth `outside + 1 + below`, with so many frames below it that are not running themselves.
    #[inline(always)]
    pub fn note_resumption(&self, outside: u32, below: u32) {
        self.note_caller(outside + 1);
        if below > 0 {
            self.callers.0[(outside + 1 + below) as usize % LEVELS].set(Place::new(UNKNOWN, below));
        }
    }

    /// The place that was noted when this depth was entered, and whether it is still remembered from the depth `from`.
    pub fn caller(&self, depth: u32, from: u32) -> Option<Place> {
        (from - depth < LEVELS as u32).then(|| self.callers.0[depth as usize % LEVELS].get())
    }

    /// The remembered levels up to this depth, and the present place, for another thread to have its own.
    pub fn exchange_places(&self, depth: u32, part: (Place, Vec<Place>), part_depth: u32) -> (Place, Vec<Place>) {
        let first = (depth + 1).saturating_sub(LEVELS as u32);
        let kept = (first..=depth).map(|depth| self.callers.0[depth as usize % LEVELS].get()).collect();
        let first = (part_depth + 1).saturating_sub(LEVELS as u32);
        for (depth, place) in (first..=part_depth).zip(part.1) {
            self.callers.0[depth as usize % LEVELS].set(place);
        }
        (self.here.replace(part.0), kept)
    }
}
