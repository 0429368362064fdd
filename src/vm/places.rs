//! Where the machine is: the frames that run, by what calls have noted (`value/place.rs`), innermost first.
//!
//! Bodies of code have numbers, so that a place is one machine word that nothing owns; the table of them forgets bodies that are gone.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use super::Vm;
use super::traceback::CodeInfo;
use crate::syntax::Source;
use crate::value::{Level, Place, Value};

/// The bodies of code that there are, by their number less one.
#[derive(Default)]
pub struct Bodies {
    known: RefCell<Vec<Weak<CodeInfo>>>,
    free: RefCell<Vec<u32>>,
    /// When the table has this length, it is time to look for bodies that are gone.
    look: Cell<usize>,
}

impl Bodies {
    /// Makes a body's description with a number of its own.
    pub fn add(&self, make: impl FnOnce(u32) -> CodeInfo) -> Rc<CodeInfo> {
        let mut known = self.known.borrow_mut();
        let mut free = self.free.borrow_mut();
        if free.is_empty() && known.len() >= self.look.get() {
            free.extend((0..known.len() as u32).filter(|&index| known[index as usize].strong_count() == 0));
            self.look.set((2 * (known.len() - free.len())).max(1000));
        }
        let index = free.pop().unwrap_or(known.len() as u32);
        let made = Rc::new(make(index + 1));
        match known.get_mut(index as usize) {
            Some(entry) => *entry = Rc::downgrade(&made),
            None => known.push(Rc::downgrade(&made)),
        }
        made
    }

    /// The body with a number.
    fn get(&self, number: u32) -> Option<Rc<CodeInfo>> {
        self.known.borrow().get((number as usize).checked_sub(1)?)?.upgrade()
    }

    /// The text of a program or module that is in memory, by the name of its file.
    pub fn source(&self, name: &str) -> Option<Source> {
        let known = self.known.borrow();
        known.iter().filter_map(Weak::upgrade).map(|body| body.source.clone()).find(|source| source.name() == name)
    }
}

/// The place of a frame that runs.
pub struct Where {
    pub info: Rc<CodeInfo>,
    pub offset: u32,
}

impl Where {
    /// The line, from 1.
    pub fn line(&self) -> u32 {
        self.info.source.line_number(self.offset)
    }
}

impl Vm {
    /// Drops a value that a statement at this place replaces.
    #[inline(always)]
    pub fn drop_at(&self, value: Value, place: Place) {
        if let Value::Obj(object) = &value
            && object.refs() == 1
        {
            self.heap.here.set(place);
        }
        drop(value);
    }

    /// What a noted place means; nothing outside of scripts.
    pub fn place(&self, place: Place) -> Option<Where> {
        match place.level() {
            Level::Frame(number, offset) => self.bodies.get(number).map(|info| Where { info, offset }),
            _ => None,
        }
    }

    /// The frame that runs, then its callers, at most so many; `None` for those that cannot be told.
    pub fn running_frames(&self, most: usize) -> Vec<Option<Where>> {
        let mut frames = Vec::new();
        let from = self.depth.get();
        let mut depth = from;
        let mut place = Some(self.heap.here.get());
        while frames.len() < most {
            match place.map(Place::level) {
                None | Some(Level::Frame(0, _)) => break,
                Some(Level::Unknown(levels)) => {
                    for _ in 0..(levels as usize).min(most - frames.len()) {
                        frames.push(None);
                    }
                    depth = depth.saturating_sub(levels - 1);
                }
                Some(Level::Native) => {}
                Some(Level::Frame(number, offset)) => {
                    frames.push(self.bodies.get(number).map(|info| Where { info, offset }));
                }
            }
            if depth == 0 {
                break;
            }
            place = self.heap.caller(depth, from);
            depth -= 1;
        }
        frames
    }
}
