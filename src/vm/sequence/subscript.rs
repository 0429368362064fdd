//! Subscripts of lists, tuples and ranges: `sequence[key]`, `list[key] = value`, `del list[key]`.

use dashu_int::IBig;

use super::PER_UNIT;
use crate::value::{List, R, Range, Ref, Slice, Tuple, Value};
use crate::vm::{Vm, wide_range};

impl Vm {
    /// `list[key]`.
    #[inline]
    pub fn list_get(&self, list: &Ref<List>, key: &Value) -> R {
        if let Value::Int(i) = key {
            let index = if *i < 0 { i.wrapping_add(list.len() as i64) } else { *i };
            return list.get(index as usize).ok_or_else(|| self.out_of_range("list"));
        }
        self.list_get_slowly(list, key)
    }

    #[inline(never)]
    fn list_get_slowly(&self, list: &Ref<List>, key: &Value) -> R {
        let Some(slice) = key.downcast::<Slice>() else {
            let index = self.item_index_of(key, "list")?;
            return self.list_get(list, &Value::Int(index));
        };
        let picked = self.slice_of(slice, || list.len())?;
        self.will_copy(picked.count)?;
        Ok(Value::from(self.heap.list(list.with(|items| picked.of(items)))))
    }

    /// `tuple[key]`.
    #[inline]
    pub fn tuple_get(&self, tuple: &Ref<Tuple>, key: &Value) -> R {
        let Some(slice) = key.downcast::<Slice>() else {
            let index = self.item_index(key, tuple.len(), "tuple")?;
            return Ok(tuple.items()[index].clone());
        };
        let picked = self.slice_of(slice, || tuple.len())?;
        if picked.step == 1 && picked.count == tuple.len() {
            return Ok(Value::from(tuple));
        }
        self.will_copy(picked.count)?;
        Ok(Value::from(self.heap.tuple(picked.of(tuple.items()))))
    }

    /// `range[key]`.
    pub fn range_get(&self, range: &Ref<Range>, key: &Value) -> R {
        let Some(slice) = key.downcast::<Slice>() else {
            let index = self.item_index(key, range.len() as usize, "range object")?;
            return Ok(Value::Int(range.at(index as u64)));
        };
        let picked = self.slice_of(slice, || range.len() as usize)?;
        let at = |index: i64| i128::from(range.start) + i128::from(range.step) * i128::from(index);
        let step = i128::from(range.step) * i128::from(picked.step);
        let bounds = [at(picked.start), at(picked.stop), step].map(IBig::from);
        Ok(wide_range::make(self, bounds))
    }

    /// `list[key] = value`.
    #[inline]
    pub fn list_set(&self, list: &Ref<List>, key: &Value, value: Value) -> R<()> {
        if let Value::Int(i) = key {
            let index = if *i < 0 { i.wrapping_add(list.len() as i64) } else { *i };
            return list.set(index as usize, value).map_err(|_| self.out_of_range("list assignment"));
        }
        match key.downcast::<Slice>() {
            Some(slice) => self.list_set_slice(list, slice, &value),
            None => {
                let index = self.item_index_of(key, "list")?;
                self.list_set(list, &Value::Int(index), value)
            }
        }
    }

    fn list_set_slice(&self, list: &Ref<List>, slice: &Ref<Slice>, value: &Value) -> R<()> {
        let (.., step) = self.slice_parts(slice)?;
        let temporary = value.downcast::<List>().filter(|source| source.as_obj().refs() == 1);
        let items = match (temporary, self.is_iterable(value)) {
            // Nobody else will look at it again.
            (Some(source), _) => source.replace(Vec::new()),
            (None, true) => self.collect(value)?,
            (None, false) if step == 1 => return Err(self.type_error("can only assign an iterable")),
            (None, false) => return Err(self.type_error("must assign iterable to extended slice")),
        };
        let picked = self.slice_of(slice, || list.len())?;
        self.will_copy(items.len())?;
        if step == 1 {
            let from = picked.start as usize;
            let removed = self.splice(list, from..from.max(picked.stop as usize), items)?;
            drop(removed);
            return Ok(());
        }
        if items.len() != picked.count {
            let (given, wanted) = (items.len(), picked.count);
            return Err(
                self.value_error(format!("attempt to assign sequence of size {given} to extended slice of size {wanted}"))
            );
        }
        let old = list.with_mut(|slots| {
            let replace = |(at, item): (usize, Value)| slots.get_mut(at).map(|slot| std::mem::replace(slot, item));
            let old = picked.indices().zip(items).filter_map(replace);
            // Only objects need to be dropped.
            old.filter(|old| matches!(old, Value::Obj(_))).collect::<Vec<_>>()
        });
        drop(old);
        Ok(())
    }

    /// `del list[key]`.
    pub fn list_del(&self, list: &Ref<List>, key: &Value) -> R<()> {
        let Some(slice) = key.downcast::<Slice>() else {
            let index = match key {
                Value::Int(i) => *i,
                other => self.item_index_of(other, "list")?,
            };
            let index = self.item_index(&Value::Int(index), list.len(), "list assignment")?;
            return self.list_take(list, index).map(drop);
        };
        let picked = self.slice_of(slice, || list.len())?;
        if picked.count == 0 {
            return Ok(());
        }
        if let Some(span) = picked.span() {
            return self.splice(list, span, Vec::new()).map(drop);
        }
        self.charge((list.len() / PER_UNIT) as u64)?;
        let removed = list.with_mut(|items| {
            let (first, stride) = if picked.step < 0 {
                (
                    picked.start as usize - (picked.count - 1) * picked.step.unsigned_abs() as usize,
                    picked.step.unsigned_abs() as usize,
                )
            } else {
                (picked.start as usize, picked.step as usize)
            };
            let old = std::mem::take(items);
            let mut removed = Vec::with_capacity(picked.count);
            let mut kept = Vec::with_capacity(old.len() - picked.count);
            for (at, item) in old.into_iter().enumerate() {
                let gone = at >= first && (at - first).is_multiple_of(stride) && removed.len() < picked.count;
                if gone { removed.push(item) } else { kept.push(item) }
            }
            *items = kept;
            removed
        });
        drop(removed);
        Ok(())
    }
}
