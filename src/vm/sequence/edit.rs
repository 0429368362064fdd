//! Lists that grow and shrink.

use super::{COMPARISONS, ITEM, PER_UNIT};
use crate::value::{Kind, List, R, Ref, Value};
use crate::vm::Vm;

impl Vm {
    /// Appends an item.
    #[inline]
    pub fn list_push(&self, list: &Ref<List>, value: Value) -> R<()> {
        let len = list.len();
        if len >= 4096 && len.is_power_of_two() {
            self.check_alloc_items(len * 2, ITEM)?;
        }
        list.push(value);
        Ok(())
    }

    /// `list.extend(iterable)`; also `list += iterable`.
    pub fn list_extend(&self, list: &Ref<List>, iterable: &Value) -> R<()> {
        match iterable.kind() {
            Kind::List | Kind::Tuple => {
                let items = self.collect(iterable)?;
                self.check_alloc_items(list.len() + items.len(), ITEM)?;
                list.with_mut(|slots| slots.extend(items));
                Ok(())
            }
            _ => {
                // Items arrive one at a time: a script can see them come, and keeps those before an error.
                let iterator = self.iter(iterable)?;
                let mut count = 0usize;
                while let Some(item) = self.next(&iterator)? {
                    count += 1;
                    if count.is_multiple_of(COMPARISONS) {
                        self.charge(1)?;
                    }
                    self.list_push(list, item)?;
                }
                Ok(())
            }
        }
    }

    /// Removes the item at a position, which exists.
    pub fn list_take(&self, list: &Ref<List>, index: usize) -> R {
        let behind = list.len().saturating_sub(index);
        if behind > 4 * PER_UNIT {
            self.charge((behind / (4 * PER_UNIT)) as u64)?;
        }
        let taken = list.with_mut(|items| if index < items.len() { Some(items.remove(index)) } else { None });
        taken.ok_or_else(|| self.out_of_range("pop"))
    }

    /// Puts `items` in the place of a span of a list and returns what was there.
    pub fn splice(&self, list: &Ref<List>, span: std::ops::Range<usize>, items: Vec<Value>) -> R<Vec<Value>> {
        let len = list.len();
        // What stands behind moves.
        self.charge(((len - span.end.min(len)) / (4 * PER_UNIT)) as u64)?;
        if items.len() > PER_UNIT {
            self.check_alloc_items(len.saturating_add(items.len()), ITEM)?;
        }
        Ok(list.with_mut(|slots| {
            let end = span.end.min(slots.len());
            let start = span.start.min(end);
            slots.splice(start..end, items).collect()
        }))
    }
}
