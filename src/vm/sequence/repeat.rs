//! Concatenation and repetition.

use super::{ITEM, PER_UNIT};
use crate::value::{List, R, Ref, Tuple, Value};
use crate::vm::Vm;

impl Vm {
    /// `list + other`.
    pub fn list_concat(&self, list: &Ref<List>, other: &Value) -> R {
        let Some(other) = other.payload::<List>() else {
            let class = self.class_of(other).name();
            return Err(self.type_error(format!("can only concatenate list (not \"{}\") to list", class.as_str())));
        };
        self.will_copy(list.len().saturating_add(other.len()))?;
        let mut items = Vec::with_capacity(list.len() + other.len());
        list.with(|ours| items.extend_from_slice(ours));
        other.with(|theirs| items.extend_from_slice(theirs));
        Ok(Value::from(self.heap.list(items)))
    }

    /// `tuple + other`.
    pub fn tuple_concat(&self, tuple: &Ref<Tuple>, other: &Value) -> R {
        let Some(other) = other.payload::<Tuple>() else {
            let class = self.class_of(other).name();
            return Err(self.type_error(format!("can only concatenate tuple (not \"{}\") to tuple", class.as_str())));
        };
        if other.is_empty() {
            return Ok(Value::from(tuple));
        }
        if tuple.is_empty() {
            return Ok(Value::from(other));
        }
        self.will_copy(tuple.len().saturating_add(other.len()))?;
        Ok(Value::from(self.heap.tuple([tuple.items(), other.items()].concat())))
    }

    /// How often `sequence * times` repeats; `TypeError` for other than integers, `OverflowError` beyond 64 bits.
    pub fn repeat_count(&self, times: &Value) -> R<usize> {
        if !self.has_index(times) {
            let class = self.class_of(times).name();
            return Err(self.type_error(format!("can't multiply sequence by non-int of type '{}'", class.as_str())));
        }
        match self.index(times)? {
            Value::Int(times) => Ok(usize::try_from(times).unwrap_or(0)),
            _ => {
                let class = self.class_of(times).name();
                Err(self.overflow_error(format!("cannot fit '{}' into an index-sized integer", class.as_str())))
            }
        }
    }

    fn repeated(&self, len: usize, times: usize, items: impl FnOnce(&mut Vec<Value>)) -> R<Vec<Value>> {
        let Some(total) = len.checked_mul(times) else { return Err(self.out_of_memory()) };
        self.check_alloc_items(total, ITEM)?;
        self.charge((total / PER_UNIT) as u64)?;
        let mut all = Vec::with_capacity(total);
        items(&mut all);
        if let [only] = all.as_slice() {
            let only = only.clone();
            all.resize(times, only);
            return Ok(all);
        }
        while all.len() < total {
            let more = (total - all.len()).min(all.len());
            all.extend_from_within(..more);
        }
        Ok(all)
    }

    /// `list * times`.
    pub fn list_repeat(&self, list: &Ref<List>, times: &Value) -> R {
        let times = self.repeat_count(times)?;
        if times == 0 || list.is_empty() {
            return Ok(Value::from(self.heap.list(Vec::new())));
        }
        let items = self.repeated(list.len(), times, |all| list.with(|items| all.extend_from_slice(items)))?;
        Ok(Value::from(self.heap.list(items)))
    }

    /// `list *= times`, without the result.
    pub fn list_repeat_in_place(&self, list: &Ref<List>, times: &Value) -> R<()> {
        let times = self.repeat_count(times)?;
        if times == 0 || list.is_empty() {
            drop(list.replace(Vec::new()));
            return Ok(());
        }
        if times > 1 {
            let items = self.repeated(list.len(), times, |all| list.with(|items| all.extend_from_slice(items)))?;
            drop(list.replace(items));
        }
        Ok(())
    }

    /// `tuple * times`.
    pub fn tuple_repeat(&self, tuple: &Ref<Tuple>, times: &Value) -> R {
        let times = self.repeat_count(times)?;
        if times == 1 || tuple.is_empty() {
            return Ok(Value::from(tuple));
        }
        if times == 0 {
            return Ok(Value::from(self.heap.tuple([])));
        }
        let items = self.repeated(tuple.len(), times, |all| all.extend_from_slice(tuple.items()))?;
        Ok(Value::from(self.heap.tuple(items)))
    }
}
