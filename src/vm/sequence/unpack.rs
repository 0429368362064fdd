//! Unpacking: `a, b = value`, `a, *b, c = value`.

use smallvec::SmallVec;

use crate::value::{List, R, Tuple, Value};
use crate::vm::Vm;

impl Vm {
    /// `a, b = value`: exactly `n` items.
    #[inline]
    pub fn unpack(&self, value: &Value, n: usize) -> R<SmallVec<[Value; 4]>> {
        if let Some(tuple) = value.downcast::<Tuple>()
            && tuple.len() == n
        {
            return Ok(SmallVec::from(tuple.items()));
        }
        if let Some(list) = value.downcast::<List>()
            && list.len() == n
        {
            return Ok(list.with(|items| SmallVec::from(items)));
        }
        self.unpack_slowly(value, n)
    }

    #[inline(never)]
    fn unpack_slowly(&self, value: &Value, n: usize) -> R<SmallVec<[Value; 4]>> {
        let mut items = SmallVec::new();
        let iterator = self.unpack_iter(value)?;
        while items.len() < n {
            match self.next(&iterator)? {
                Some(item) => items.push(item),
                None => {
                    let got = items.len();
                    return Err(self.value_error(format!("not enough values to unpack (expected {n}, got {got})")));
                }
            }
        }
        match self.next(&iterator)? {
            None => Ok(items),
            Some(_) => Err(self.value_error(format!("too many values to unpack (expected {n})"))),
        }
    }

    fn unpack_iter(&self, value: &Value) -> R {
        if !self.is_iterable(value) {
            let class = self.class_of(value).name();
            return Err(self.type_error(format!("cannot unpack non-iterable {} object", class.as_str())));
        }
        self.iter(value)
    }

    /// `a, *b, c = value`: `before` items, a list of those between, `after` items.
    pub fn unpack_star(&self, value: &Value, before: usize, after: usize) -> R<SmallVec<[Value; 4]>> {
        let iterator = self.unpack_iter(value)?;
        let mut items = SmallVec::<[Value; 4]>::new();
        let expected = before + after;
        let too_few =
            |got: usize| self.value_error(format!("not enough values to unpack (expected at least {expected}, got {got})"));
        while items.len() < before {
            match self.next(&iterator)? {
                Some(item) => items.push(item),
                None => return Err(too_few(items.len())),
            }
        }
        let mut rest = self.collect(&iterator)?;
        if rest.len() < after {
            return Err(too_few(before + rest.len()));
        }
        let last = rest.split_off(rest.len() - after);
        items.push(Value::from(self.heap.list(rest)));
        items.extend(last);
        Ok(items)
    }
}
