//! Sorting: stable, and safe with comparisons that run script code, raise, or contradict each other.
//!
//! Keys of one simple type (integers, floats that are numbers, strings) are left to the standard library's sort. Everything else goes
//! through a merge sort of natural runs: short ones are grown by binary insertion, then merged in the order that powersort gives.
//! Items are moved, never copied, so that what an error leaves behind is always a permutation of the input.

use std::cmp::Ordering;

use crate::value::dict::LONG_TEXT;
use crate::value::{R, Str, Value};
use crate::vm::Vm;

/// Comparisons for one unit of work.
const COMPARISONS: u64 = 16;

/// An item and what it is sorted by.
trait Sortable: Default {
    fn key(&self) -> &Value;
}

impl Sortable for Value {
    fn key(&self) -> &Value {
        self
    }
}

/// An item with its key.
#[derive(Default)]
struct Keyed {
    key: Value,
    item: Value,
}

impl Sortable for Keyed {
    fn key(&self) -> &Value {
        &self.key
    }
}

/// Sorts `items`. After an error they are all still there, in some order.
pub fn sort(vm: &Vm, items: &mut Vec<Value>, key: Option<&Value>, reverse: bool) -> R<()> {
    let Some(function) = key else { return sort_by_key(vm, items, reverse) };
    let mut keyed = Vec::with_capacity(items.len());
    vm.check_alloc_items(items.len(), size_of::<Keyed>())?;
    for item in items.iter() {
        keyed.push(vm.call(function, std::slice::from_ref(item))?);
    }
    let mut keyed: Vec<Keyed> = keyed.into_iter().zip(items.drain(..)).map(|(key, item)| Keyed { key, item }).collect();
    let result = sort_by_key(vm, &mut keyed, reverse);
    items.extend(keyed.iter_mut().map(|keyed| std::mem::take(&mut keyed.item)));
    result
}

fn sort_by_key<T: Sortable>(vm: &Vm, items: &mut [T], reverse: bool) -> R<()> {
    if items.len() < 2 {
        return Ok(());
    }
    // Sorting backwards between two reversals keeps equal items in their order.
    if reverse {
        items.reverse();
    }
    let result = match uniform(items) {
        Some(order) => sort_natively(vm, items, order),
        None => Sorter::new(vm, items.len()).sort(items),
    };
    if reverse {
        items.reverse();
    }
    result
}

/// An order that needs no script code.
type Order = fn(&Value, &Value) -> Ordering;

/// The order of keys of one simple type.
fn uniform<T: Sortable>(items: &[T]) -> Option<Order> {
    let all = |is: fn(&Value) -> bool| items.iter().all(|item| is(item.key()));
    match items.first()?.key() {
        Value::Int(_) if all(|key| matches!(key, Value::Int(_))) => Some(|a, b| match (a, b) {
            (Value::Int(a), Value::Int(b)) => a.cmp(b),
            _ => Ordering::Equal,
        }),
        Value::Float(_) if all(|key| matches!(key, Value::Float(bits) if !f64::from_bits(*bits).is_nan())) => {
            Some(|a, b| match (a, b) {
                (Value::Float(a), Value::Float(b)) => {
                    f64::from_bits(*a).partial_cmp(&f64::from_bits(*b)).unwrap_or(Ordering::Equal)
                }
                _ => Ordering::Equal,
            })
        }
        // Comparing long text is work that counts.
        Value::Obj(_) if all(|key| key.downcast::<Str>().is_some_and(|text| text.byte_len() <= LONG_TEXT)) => {
            Some(|a, b| match (a.downcast::<Str>(), b.downcast::<Str>()) {
                (Some(a), Some(b)) => a.as_str().cmp(b.as_str()),
                _ => Ordering::Equal,
            })
        }
        _ => None,
    }
}

fn sort_natively<T: Sortable>(vm: &Vm, items: &mut [T], order: Order) -> R<()> {
    let len = items.len() as u64;
    if len > 64 {
        vm.charge(len * u64::from(len.ilog2()) / 256)?;
        vm.check_alloc_items(items.len() / 2 + 1, size_of::<T>())?;
    }
    items.sort_by(|a, b| order(a.key(), b.key()));
    Ok(())
}

/// A span of items that is in order, and the weight of the border behind it.
#[derive(Clone, Copy)]
struct Run {
    start: usize,
    len: usize,
    power: u32,
}

struct Sorter<'v> {
    vm: &'v Vm,
    len: usize,
    compared: u64,
    runs: Vec<Run>,
}

impl<'v> Sorter<'v> {
    fn new(vm: &'v Vm, len: usize) -> Self {
        Sorter { vm, len, compared: 0, runs: Vec::new() }
    }

    fn less<T: Sortable>(&mut self, a: &T, b: &T) -> R<bool> {
        self.compared += 1;
        if self.compared.is_multiple_of(COMPARISONS) {
            self.vm.charge(1)?;
        }
        match (a.key(), b.key()) {
            (Value::Int(a), Value::Int(b)) => Ok(a < b),
            (Value::Float(a), Value::Float(b)) => Ok(f64::from_bits(*a) < f64::from_bits(*b)),
            (a, b) => self.vm.lt(a, b),
        }
    }

    fn sort<T: Sortable>(mut self, items: &mut [T]) -> R<()> {
        if self.len >= 64 {
            self.vm.check_alloc_items(self.len / 2, size_of::<T>())?;
        }
        let least = least_run(self.len);
        let mut start = 0;
        while start < self.len {
            let rest = &mut items[start..];
            let mut len = self.natural_run(rest)?;
            if len < least {
                let wanted = least.min(rest.len());
                self.insert(&mut rest[..wanted], len)?;
                len = wanted;
            }
            self.found_run(items, Run { start, len, power: 0 })?;
            start += len;
        }
        while self.runs.len() > 1 {
            self.merge_top(items)?;
        }
        Ok(())
    }

    /// The length of the run at the beginning, which is turned round if it falls.
    fn natural_run<T: Sortable>(&mut self, items: &mut [T]) -> R<usize> {
        if items.len() < 2 {
            return Ok(items.len());
        }
        let falls = self.less(&items[1], &items[0])?;
        let mut len = 2;
        while len < items.len() && self.less(&items[len], &items[len - 1])? == falls {
            len += 1;
        }
        if falls {
            items[..len].reverse();
        }
        Ok(len)
    }

    /// Binary insertion of the items behind the first `sorted` ones.
    fn insert<T: Sortable>(&mut self, items: &mut [T], sorted: usize) -> R<()> {
        for next in sorted..items.len() {
            let (mut low, mut high) = (0, next);
            while low < high {
                let middle = low + (high - low) / 2;
                if self.less(&items[next], &items[middle])? {
                    high = middle;
                } else {
                    low = middle + 1;
                }
            }
            items[low..=next].rotate_right(1);
        }
        Ok(())
    }

    /// Merges what powersort merges before the next run is put on the stack.
    fn found_run<T: Sortable>(&mut self, items: &mut [T], run: Run) -> R<()> {
        if let Some(last) = self.runs.last().copied() {
            let power = border_power(last.start, last.len, run.len, self.len);
            while let [.., before, _] = self.runs.as_slice()
                && before.power > power
            {
                self.merge_top(items)?;
            }
            if let Some(last) = self.runs.last_mut() {
                last.power = power;
            }
        }
        self.runs.push(run);
        Ok(())
    }

    fn merge_top<T: Sortable>(&mut self, items: &mut [T]) -> R<()> {
        let (Some(right), Some(left)) = (self.runs.pop(), self.runs.pop()) else { return Ok(()) };
        self.runs.push(Run { start: left.start, len: left.len + right.len, power: right.power });
        self.merge(&mut items[left.start..left.start + left.len + right.len], left.len)
    }

    /// Merges the runs before and behind `border`.
    fn merge<T: Sortable>(&mut self, items: &mut [T], border: usize) -> R<()> {
        // Items that are in their place already need not move.
        let first = self.bound(&items[..border], &items[border], true)?;
        if first == border {
            return Ok(());
        }
        let end = border + self.bound(&items[border..], &items[border - 1], false)?;
        let items = &mut items[first..end];
        let border = border - first;
        let mut left: Vec<T> = items[..border].iter_mut().map(std::mem::take).collect();
        let (mut to, mut from_left, mut from_right) = (0, 0, border);
        let mut result = Ok(());
        while from_left < left.len() && from_right < items.len() {
            match self.less(&items[from_right], &left[from_left]) {
                Ok(true) => {
                    items.swap(to, from_right);
                    from_right += 1;
                }
                Ok(false) => {
                    std::mem::swap(&mut items[to], &mut left[from_left]);
                    from_left += 1;
                }
                Err(raised) => {
                    result = Err(raised);
                    break;
                }
            }
            to += 1;
        }
        // The gap is as long as what is left over.
        for (gap, item) in items[to..].iter_mut().zip(&mut left[from_left..]) {
            std::mem::swap(gap, item);
        }
        result
    }

    /// How many items of a run stand before `item`: those not greater than it, or (not `after`) those less.
    fn bound<T: Sortable>(&mut self, run: &[T], item: &T, after: bool) -> R<usize> {
        let (mut low, mut high) = (0, run.len());
        while low < high {
            let middle = low + (high - low) / 2;
            let before = if after { !self.less(item, &run[middle])? } else { self.less(&run[middle], item)? };
            if before {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }
}

/// Runs shorter than this are grown: between 32 and 64, so that the number of runs is a power of two or a little less.
fn least_run(mut len: usize) -> usize {
    let mut rest = 0;
    while len >= 64 {
        rest |= len & 1;
        len >>= 1;
    }
    len + rest
}

/// The depth at which the border between two runs stands in an ideally balanced tree over all items.
fn border_power(start: usize, left: usize, right: usize, len: usize) -> u32 {
    let (start, left, right, len) = (start as u128, left as u128, right as u128, len as u128);
    let mut a = 2 * start + left;
    let mut b = a + left + right;
    let mut power = 0;
    loop {
        power += 1;
        if a >= len {
            a -= len;
            b -= len;
        } else if b >= len {
            return power;
        }
        a <<= 1;
        b <<= 1;
        if power > 128 {
            return power;
        }
    }
}
