//! Ranges whose bounds do not fit 64 bits: objects of the class `range` with integers of any size inside. Everything fast
//! (loops, indexing, `in`) knows only the narrow ones; these answer through the methods of the class (`builtins/range.rs`).

use dashu_int::{IBig, Sign};

use super::{Vm, number};
use crate::value::{BigInt, Payload, R, Range, Slice, Value};

/// The payload of a wide range.
pub struct WideRange {
    pub start: IBig,
    pub stop: IBig,
    pub step: IBig,
    pub length: IBig,
}

impl Payload for WideRange {
    crate::native_kind!();
    const CONTAINER: bool = false;
}

/// The range with these bounds, wide only if it has to be. The step is not zero.
pub fn make(vm: &Vm, [start, stop, step]: [IBig; 3]) -> Value {
    if let (Ok(start), Ok(stop), Ok(step)) = (i64::try_from(&start), i64::try_from(&stop), i64::try_from(&step)) {
        return Value::from(vm.heap.alloc(Range { start, stop, step }));
    }
    let (distance, stride) =
        if step.sign() == Sign::Negative { (&start - &stop, -&step) } else { (&stop - &start, step.clone()) };
    let length = if distance > IBig::ZERO { (distance - IBig::ONE) / stride + IBig::ONE } else { IBig::ZERO };
    Value::from(vm.heap.alloc(WideRange { start, stop, step, length }))
}

/// The integer that a bound is, which has an index.
pub fn integer(vm: &Vm, value: &Value) -> R<IBig> {
    Ok(match vm.index(value)? {
        Value::Int(i) => IBig::from(i),
        big => big.downcast::<BigInt>().map_or(IBig::ZERO, |big| big.0.clone()),
    })
}

impl WideRange {
    fn at(&self, index: &IBig) -> IBig {
        &self.start + &self.step * index
    }

    pub fn is_empty(&self) -> bool {
        self.length == IBig::ZERO
    }

    /// What ranges with the same numbers have in common.
    pub fn parts(&self) -> [IBig; 3] {
        [self.length.clone(), self.start.clone(), self.step.clone()]
    }

    /// The index of a value. Numbers are found by dividing, other things by looking at each item.
    pub fn position(&self, vm: &Vm, value: &Value) -> R<Option<IBig>> {
        if matches!(value, Value::Int(_) | Value::Bool(_)) || value.downcast::<BigInt>().is_some() {
            let (index, rest) = number::integer::divmod_big(&(integer(vm, value)? - &self.start), &self.step);
            let inside = rest == IBig::ZERO && index.sign() == Sign::Positive && index < self.length;
            return Ok(inside.then_some(index));
        }
        let mut index = IBig::ZERO;
        while index < self.length {
            vm.charge(1)?;
            if vm.eq(&vm.heap.int(self.at(&index)), value)? {
                return Ok(Some(index));
            }
            index += IBig::ONE;
        }
        Ok(None)
    }

    pub fn get(&self, vm: &Vm, key: &Value) -> R {
        if let Some(slice) = key.downcast::<Slice>() {
            let [start, stop, step] = vm.slice_indices(slice, &self.length)?;
            return Ok(make(vm, [self.at(&start), self.at(&stop), step * &self.step]));
        }
        if !vm.has_index(key) {
            let given = vm.class_of(key).name();
            return Err(vm.type_error(format!("range indices must be integers or slices, not {}", given.as_str())));
        }
        let mut index = integer(vm, key)?;
        if index.sign() == Sign::Negative {
            index += &self.length;
        }
        if index.sign() == Sign::Negative || index >= self.length {
            return Err(vm.index_error("range object index out of range"));
        }
        Ok(vm.heap.int(self.at(&index)))
    }

    pub fn len(&self, vm: &Vm) -> R<i64> {
        i64::try_from(&self.length).map_err(|_| vm.overflow_error("Python int too large to convert to C ssize_t"))
    }

    pub fn reversed(&self, vm: &Vm) -> Value {
        let last = self.at(&(&self.length - IBig::ONE));
        make(vm, [last, &self.start - &self.step, -&self.step])
    }

    pub fn repr(&self) -> String {
        match self.step == IBig::ONE {
            true => format!("range({}, {})", self.start, self.stop),
            false => format!("range({}, {}, {})", self.start, self.stop, self.step),
        }
    }
}
