//! Sequences: subscripts, slices, comparison, repetition and unpacking, for lists, tuples and ranges (strings and bytes share the
//! index and slice arithmetic).
//!
//! Items are read one at a time wherever script code may run between them, because a script can change a list at any moment.

use dashu_int::{IBig, Sign};
use smallvec::SmallVec;

use super::Vm;
use crate::syntax::ast::CmpOp;
use crate::value::{BigInt, Kind, List, R, Raised, Range, Ref, Slice, Tuple, Value};

const ITEM: usize = size_of::<Value>();
/// Items that are copied or dropped for one unit of work.
const PER_UNIT: usize = 64;
/// Comparisons of items for one unit of work.
const COMPARISONS: usize = 16;

/// The items that a slice picks: `count` of them, from `start` on, `step` apart. `stop` is where the slice ends, for insertions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Picked {
    pub start: i64,
    pub stop: i64,
    pub step: i64,
    pub count: usize,
}

impl Picked {
    /// The indices, in order.
    pub fn indices(self) -> impl Iterator<Item = usize> {
        let mut next = self.start;
        (0..self.count).map(move |_| {
            let at = next;
            next = next.wrapping_add(self.step);
            at as usize
        })
    }

    /// The indices as a span, if the step is 1.
    pub fn span(self) -> Option<std::ops::Range<usize>> {
        (self.step == 1).then(|| self.start as usize..self.start as usize + self.count)
    }

    /// The items picked out of a slice.
    pub fn of<T: Clone>(self, items: &[T]) -> Vec<T> {
        match self.span() {
            Some(span) => items[span].to_vec(),
            None => self.indices().map(|at| items[at].clone()).collect(),
        }
    }
}

/// Sequences whose items can be read one at a time.
pub trait Items {
    fn len(&self) -> usize;
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    fn item(&self, index: usize) -> Option<Value>;
}

impl Items for Ref<List> {
    fn len(&self) -> usize {
        List::len(self)
    }

    fn item(&self, index: usize) -> Option<Value> {
        self.get(index)
    }
}

impl Items for Ref<Tuple> {
    fn len(&self) -> usize {
        Tuple::len(self)
    }

    fn item(&self, index: usize) -> Option<Value> {
        self.items().get(index).cloned()
    }
}

impl Items for [Value] {
    fn len(&self) -> usize {
        <[Value]>::len(self)
    }

    fn item(&self, index: usize) -> Option<Value> {
        self.get(index).cloned()
    }
}

/// Indices and slices.
impl Vm {
    /// Whether a value can stand for an integer (`__index__`).
    pub fn has_index(&self, value: &Value) -> bool {
        match value {
            Value::Int(_) | Value::Bool(_) => true,
            Value::Obj(object) if object.kind() == Kind::BigInt => true,
            Value::Obj(_) => !self.class_of(value).lookup(&self.n.__index__).is_undef(),
            _ => false,
        }
    }

    /// A value as an integer by `__index__`; integers beyond 64 bits become the nearest bound.
    pub fn index_clamped(&self, value: &Value) -> R<i64> {
        match value {
            Value::Int(i) => Ok(*i),
            value => match self.index(value)? {
                Value::Int(i) => Ok(i),
                big => Ok(match big.downcast::<BigInt>() {
                    Some(big) if big.0.sign() == Sign::Negative => i64::MIN,
                    _ => i64::MAX,
                }),
            },
        }
    }

    /// The position that a subscript means in a sequence of `len` items. `what` begins the messages: "list", "tuple", "range object",
    /// "list assignment".
    #[inline]
    pub fn item_index(&self, key: &Value, len: usize, what: &str) -> R<usize> {
        let index = match key {
            Value::Int(i) => *i,
            other => self.item_index_of(other, what)?,
        };
        let at = if index < 0 { index.wrapping_add(len as i64) } else { index };
        if (at as u64) < len as u64 { Ok(at as usize) } else { Err(self.out_of_range(what)) }
    }

    #[cold]
    #[inline(never)]
    fn out_of_range(&self, what: &str) -> Raised {
        self.index_error(format!("{what} index out of range"))
    }

    #[cold]
    #[inline(never)]
    fn item_index_of(&self, key: &Value, what: &str) -> R<i64> {
        if !self.has_index(key) {
            let sequence = what.split(' ').next().unwrap_or(what);
            let class = self.class_of(key).name();
            return Err(self.type_error(format!("{sequence} indices must be integers or slices, not {}", class.as_str())));
        }
        match self.index(key)? {
            Value::Int(i) => Ok(i),
            _ => {
                let class = self.class_of(key).name();
                Err(self.index_error(format!("cannot fit '{}' into an index-sized integer", class.as_str())))
            }
        }
    }

    fn slice_part(&self, part: &Value, default: i64) -> R<i64> {
        if part.is_none() {
            return Ok(default);
        }
        if !self.has_index(part) {
            return Err(self.type_error("slice indices must be integers or None or have an __index__ method"));
        }
        self.index_clamped(part)
    }

    /// The three parts of a slice as integers, before the length is known.
    fn slice_parts(&self, slice: &Slice) -> R<(i64, i64, i64)> {
        let step = self.slice_part(&slice.step, 1)?.max(-i64::MAX);
        if step == 0 {
            return Err(self.value_error("slice step cannot be zero"));
        }
        let start = self.slice_part(&slice.start, if step < 0 { i64::MAX } else { 0 })?;
        let stop = self.slice_part(&slice.stop, if step < 0 { i64::MIN } else { i64::MAX })?;
        Ok((start, stop, step))
    }

    /// What a slice picks out of a sequence. The length is asked after `__index__` of the parts has run, which may change it.
    pub fn slice_of(&self, slice: &Ref<Slice>, len: impl FnOnce() -> usize) -> R<Picked> {
        let (start, stop, step) = self.slice_parts(slice)?;
        let len = len() as i64;
        let clamp = |at: i64| {
            let at = if at < 0 { at.saturating_add(len) } else { at };
            if step < 0 { at.clamp(-1, len - 1) } else { at.clamp(0, len) }
        };
        let (start, stop) = (clamp(start), clamp(stop));
        let distance = if step < 0 { i128::from(start) - i128::from(stop) } else { i128::from(stop) - i128::from(start) };
        let stride = i128::from(step).abs();
        let count = if distance <= 0 { 0 } else { ((distance - 1) / stride + 1) as usize };
        Ok(Picked { start, stop, step, count })
    }
}

/// Subscripts.
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

    /// Counts the work and asks for the memory of copying items.
    #[inline]
    pub fn will_copy(&self, count: usize) -> R<()> {
        if count > PER_UNIT {
            self.charge((count / PER_UNIT) as u64)?;
            self.check_alloc_items(count, ITEM)?;
        }
        Ok(())
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

    /// Removes the item at a position, which exists.
    pub fn list_take(&self, list: &Ref<List>, index: usize) -> R {
        let behind = list.len().saturating_sub(index);
        if behind > 4 * PER_UNIT {
            self.charge((behind / (4 * PER_UNIT)) as u64)?;
        }
        let taken = list.with_mut(|items| if index < items.len() { Some(items.remove(index)) } else { None });
        taken.ok_or_else(|| self.out_of_range("pop"))
    }

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
        Ok(super::wide_range::make(self, bounds))
    }
}

/// Concatenation and repetition.
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

/// Comparison and search.
impl Vm {
    /// Whether two sequences are equal.
    pub fn items_eq(&self, a: &(impl Items + ?Sized), b: &(impl Items + ?Sized)) -> R<bool> {
        if a.len() != b.len() {
            return Ok(false);
        }
        Ok(self.first_difference(a, b)?.is_none() && a.len() == b.len())
    }

    /// The first pair of items that are not equal. `None` if one sequence is the beginning of the other.
    fn first_difference(&self, a: &(impl Items + ?Sized), b: &(impl Items + ?Sized)) -> R<Option<(Value, Value)>> {
        self.nested(|| {
            let mut index = 0;
            while let (Some(x), Some(y)) = (a.item(index), b.item(index)) {
                index += 1;
                if index.is_multiple_of(COMPARISONS) {
                    self.charge(1)?;
                }
                if !x.is(&y) {
                    let same = match (&x, &y) {
                        (Value::Int(x), Value::Int(y)) => x == y,
                        _ => self.eq(&x, &y)?,
                    };
                    if !same {
                        return Ok(Some((x, y)));
                    }
                }
            }
            Ok(None)
        })
    }

    /// `a op b` for two sequences of one type: the comparison of the first items that differ, else of the lengths.
    pub fn items_compare(&self, op: CmpOp, a: &(impl Items + ?Sized), b: &(impl Items + ?Sized)) -> R {
        if a.len() != b.len() && matches!(op, CmpOp::Eq | CmpOp::NotEq) {
            return Ok(Value::bool(op == CmpOp::NotEq));
        }
        let difference = self.first_difference(a, b)?;
        match (op, difference) {
            (CmpOp::Eq, Some(_)) => Ok(Value::FALSE),
            (CmpOp::NotEq, Some(_)) => Ok(Value::TRUE),
            (op, Some((x, y))) => self.nested(|| self.compare(op, &x, &y)),
            (op, None) => Ok(Value::bool(op.holds(a.len().cmp(&b.len())) == Some(true))),
        }
    }

    /// The first position from `from` on, before `to`, of an item equal to `wanted`.
    pub fn items_find(&self, items: &(impl Items + ?Sized), wanted: &Value, from: usize, to: usize) -> R<Option<usize>> {
        let mut at = from;
        while at < to {
            let Some(item) = items.item(at) else { break };
            if at.is_multiple_of(COMPARISONS) {
                self.charge(1)?;
            }
            let same = match (&item, wanted) {
                (Value::Int(x), Value::Int(y)) => x == y,
                _ => self.eq(&item, wanted)?,
            };
            if same {
                return Ok(Some(at));
            }
            at += 1;
        }
        Ok(None)
    }

    /// `wanted in items`.
    pub fn items_contain(&self, items: &(impl Items + ?Sized), wanted: &Value) -> R<bool> {
        Ok(self.items_find(items, wanted, 0, usize::MAX)?.is_some())
    }

    /// `items.count(wanted)`.
    pub fn items_count(&self, items: &(impl Items + ?Sized), wanted: &Value) -> R<usize> {
        let mut count = 0;
        let mut from = 0;
        while let Some(at) = self.items_find(items, wanted, from, usize::MAX)? {
            count += 1;
            from = at + 1;
        }
        Ok(count)
    }

    /// `number in range`, without walking for integers.
    pub fn range_contains(&self, range: &Range, item: &Value) -> R<bool> {
        Ok(self.range_position(range, item)?.is_some())
    }

    /// The index of a number in a range.
    pub fn range_position(&self, range: &Range, item: &Value) -> R<Option<u64>> {
        let number = match item {
            Value::Int(i) => i128::from(*i),
            Value::Bool(b) => i128::from(*b),
            item if item.kind() == Kind::BigInt => return Ok(None),
            item => {
                // Other numbers may equal an integer; other objects may claim to.
                if let Value::Float(bits) = item {
                    let float = f64::from_bits(*bits);
                    if float.fract() != 0.0 || float.abs() >= 9.3e18 {
                        return Ok(None);
                    }
                    float as i128
                } else if !matches!(item.kind(), Kind::Instance | Kind::Native | Kind::Complex) {
                    return Ok(None);
                } else {
                    for index in 0..range.len() {
                        self.charge(1)?;
                        if self.eq(&Value::Int(range.at(index)), item)? {
                            return Ok(Some(index));
                        }
                    }
                    return Ok(None);
                }
            }
        };
        let (start, step) = (i128::from(range.start), i128::from(range.step));
        let distance = number - start;
        if distance % step != 0 || distance / step < 0 {
            return Ok(None);
        }
        let index = (distance / step) as u128;
        Ok((index < u128::from(range.len())).then_some(index as u64))
    }

    /// A slice's bounds as `slice.indices(length)` gives them, for lengths of any size.
    pub fn slice_indices(&self, slice: &Ref<Slice>, length: &IBig) -> R<[IBig; 3]> {
        let part = |part: &Value| -> R<Option<IBig>> {
            if part.is_none() {
                return Ok(None);
            }
            if !self.has_index(part) {
                return Err(self.type_error("slice indices must be integers or None or have an __index__ method"));
            }
            Ok(Some(match self.index(part)? {
                Value::Int(i) => IBig::from(i),
                big => big.downcast::<BigInt>().map_or(IBig::ZERO, |big| big.0.clone()),
            }))
        };
        let step = part(&slice.step)?.unwrap_or(IBig::ONE);
        if step == IBig::ZERO {
            return Err(self.value_error("slice step cannot be zero"));
        }
        let backwards = step.sign() == Sign::Negative;
        let (lower, upper) = if backwards { (IBig::from(-1), length - IBig::ONE) } else { (IBig::ZERO, length.clone()) };
        let clamp = |at: IBig| {
            let at = if at.sign() == Sign::Negative { at + length } else { at };
            at.max(lower.clone()).min(upper.clone())
        };
        let start = part(&slice.start)?.map_or_else(|| if backwards { upper.clone() } else { lower.clone() }, clamp);
        let stop = part(&slice.stop)?.map_or_else(|| if backwards { lower.clone() } else { upper.clone() }, clamp);
        Ok([start, stop, step])
    }
}

/// Unpacking.
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
