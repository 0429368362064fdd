//! `Cursor`: what a `for` loop walks with, on the native stack. Loops that may suspend use an iterator object in a hidden slot instead.

use super::Vm;
use super::coroutine::Generator;
use crate::value::{List, R, Range, Ref, Tuple, Value};

/// A walk over an iterable.
pub enum Cursor {
    Range { next: i64, left: u64, step: i64 },
    List { list: Ref<List>, index: usize },
    Tuple { tuple: Ref<Tuple>, index: usize },
    Generator(Ref<Generator>),
    Other(Value),
}

impl Cursor {
    /// Begins a walk: `iter(iterable)`.
    #[inline]
    pub fn new(vm: &Vm, iterable: Value) -> R<Cursor> {
        if let Value::Obj(object) = &iterable {
            if let Some(range) = object.downcast::<Range>() {
                return Ok(Cursor::Range { next: range.start, left: range.len(), step: range.step });
            }
            if let Some(list) = object.downcast::<List>() {
                return Ok(Cursor::List { list: list.clone(), index: 0 });
            }
            if let Some(tuple) = object.downcast::<Tuple>() {
                return Ok(Cursor::Tuple { tuple: tuple.clone(), index: 0 });
            }
            if let Some(generator) = object.downcast::<Generator>() {
                return Ok(Cursor::Generator(generator.clone()));
            }
        }
        vm.iter(&iterable).map(Cursor::Other)
    }

    /// The next item; `Undef` at the end.
    #[inline]
    pub fn next(&mut self, vm: &Vm) -> R {
        match self {
            Cursor::Range { next, left, step } => {
                if *left == 0 {
                    return Ok(Value::Undef);
                }
                *left -= 1;
                let item = *next;
                *next = item.wrapping_add(*step);
                Ok(Value::Int(item))
            }
            Cursor::List { list, index } => {
                let item = list.get(*index);
                *index += 1;
                Ok(item.unwrap_or_default())
            }
            Cursor::Tuple { tuple, index } => {
                let item = tuple.items().get(*index);
                *index += 1;
                Ok(item.cloned().unwrap_or_default())
            }
            Cursor::Generator(generator) => vm.next_of_generator(generator),
            Cursor::Other(iterator) => Ok(vm.next(iterator)?.unwrap_or_default()),
        }
    }
}
