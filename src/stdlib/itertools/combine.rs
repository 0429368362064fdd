//! Iterators that pick from pools: `product`, `permutations`, `combinations`, `combinations_with_replacement`. A pool is
//! collected once; the state is a row of indices.

use std::cell::RefCell;

use super::super::support::{NativeIterator, iterator_class, wrap_new};
use crate::native::Given;
use crate::value::{Class, Payload, R, Ref, Value, Visitor};
use crate::vm::Vm;
use crate::{native_kind, rows};

pub fn classes(vm: &Vm) -> Vec<Ref<Class>> {
    vec![
        iterator_class::<Product>(
            vm,
            "itertools",
            "product",
            &rows![static "__new__", "cls, *iterables, repeat=1" => product_new(0 1 2);],
        ),
        iterator_class::<Permutations>(
            vm,
            "itertools",
            "permutations",
            &rows![static "__new__", "cls, iterable, r=None" => permutations_new(0 1 2);],
        ),
        iterator_class::<Combinations<false>>(
            vm,
            "itertools",
            "combinations",
            &rows![static "__new__", "cls, iterable, r" => combinations_new(0 1 2);],
        ),
        iterator_class::<Combinations<true>>(
            vm,
            "itertools",
            "combinations_with_replacement",
            &rows![static "__new__", "cls, iterable, r" => combinations_with_replacement_new(0 1 2);],
        ),
    ]
}

/// Which indices come next.
enum Indices {
    /// Before the first result.
    Fresh,
    /// Those of the last result.
    At(Vec<usize>),
    Done,
}

fn negative_r(vm: &Vm) -> crate::value::Raised {
    vm.value_error("r must be non-negative")
}

/// Bytes of a pool and of the row of indices, which the account has from the beginning.
fn bytes_of(pool: &[Value], indices: usize) -> usize {
    size_of_val(pool) + indices * size_of::<usize>()
}

/// `product(*iterables, repeat)`.
struct Product {
    pools: Vec<Value>,
    repeat: usize,
    indices: RefCell<Indices>,
}

impl Payload for Product {
    native_kind!();
    const CONTAINER: bool = true;

    const BUFFERS: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.values(&self.pools);
    }

    fn buffers(&self) -> usize {
        bytes_of(&self.pools, self.pools.len() * self.repeat)
    }
}

fn product_new(vm: &Vm, class: &Value, iterables: &Value, Given(repeat): Given<i64>) -> R {
    let repeat = repeat.unwrap_or(1);
    if repeat < 0 {
        return Err(vm.value_error("repeat argument cannot be negative"));
    }
    let iterables = iterables.as_tuple().unwrap_or_default();
    if (repeat as u64).saturating_mul(iterables.len() as u64) > u64::from(u32::MAX) {
        return Err(vm.overflow_error("repeat argument too large"));
    }
    vm.check_alloc_items(repeat as usize * iterables.len(), size_of::<Value>())?;
    let mut pools = Vec::with_capacity(iterables.len());
    for iterable in iterables {
        pools.push(Value::from(vm.heap.tuple(vm.collect(iterable)?)));
    }
    let made = Product { pools, repeat: repeat as usize, indices: RefCell::new(Indices::Fresh) };
    wrap_new(vm, class, vm.heap.alloc_owning(made).into())
}

impl Product {
    fn pool(&self, position: usize) -> &[Value] {
        self.pools[position % self.pools.len()].as_tuple().unwrap_or_default()
    }
}

impl NativeIterator for Product {
    fn next(&self, vm: &Vm) -> R<Option<Value>> {
        let width = self.pools.len() * self.repeat;
        if width > 64 {
            vm.charge(width as u64 / 64)?;
        }
        let mut indices = self.indices.borrow_mut();
        let more = match &mut *indices {
            Indices::Done => false,
            Indices::Fresh => {
                let empty = width > 0 && (0..self.pools.len()).any(|position| self.pool(position).is_empty());
                if !empty {
                    *indices = Indices::At(vec![0; width]);
                }
                !empty
            }
            Indices::At(at) => {
                let mut position = width;
                loop {
                    if position == 0 {
                        break false;
                    }
                    position -= 1;
                    at[position] += 1;
                    if at[position] < self.pool(position).len() {
                        break true;
                    }
                    at[position] = 0;
                }
            }
        };
        match &*indices {
            Indices::At(at) if more => {
                let items: Vec<Value> =
                    at.iter().enumerate().map(|(position, &index)| self.pool(position)[index].clone()).collect();
                Ok(Some(vm.heap.tuple(items).into()))
            }
            _ => {
                *indices = Indices::Done;
                Ok(None)
            }
        }
    }
}

/// `permutations(iterable, r)`.
struct Permutations {
    pool: Vec<Value>,
    length: usize,
    state: RefCell<PermutationState>,
}

struct PermutationState {
    indices: Indices,
    cycles: Vec<usize>,
}

impl Payload for Permutations {
    native_kind!();
    const CONTAINER: bool = true;

    const BUFFERS: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.values(&self.pool);
    }

    fn buffers(&self) -> usize {
        bytes_of(&self.pool, 2 * self.pool.len())
    }
}

fn permutations_new(vm: &Vm, class: &Value, iterable: &Value, r: &Value) -> R {
    let pool = vm.collect(iterable)?;
    let length = match r {
        Value::Undef | Value::None => pool.len() as i64,
        Value::Obj(_) | Value::Float(_) if !crate::native::is_integer(r) => {
            return Err(vm.type_error("Expected int as r"));
        }
        r => vm.index_i64(r)?,
    };
    if length < 0 {
        return Err(negative_r(vm));
    }
    let state = PermutationState { indices: Indices::Fresh, cycles: Vec::new() };
    let made = Permutations { pool, length: length as usize, state: RefCell::new(state) };
    wrap_new(vm, class, vm.heap.alloc_owning(made).into())
}

impl NativeIterator for Permutations {
    fn next(&self, vm: &Vm) -> R<Option<Value>> {
        let mut state = self.state.borrow_mut();
        let (n, r) = (self.pool.len(), self.length);
        let PermutationState { indices, cycles } = &mut *state;
        let more = match indices {
            Indices::Done => false,
            Indices::Fresh if r > n => false,
            Indices::Fresh => {
                *indices = Indices::At((0..n).collect());
                *cycles = (n - r + 1..=n).rev().collect();
                true
            }
            Indices::At(at) => {
                let mut position = r;
                loop {
                    if position == 0 {
                        break false;
                    }
                    position -= 1;
                    cycles[position] -= 1;
                    if cycles[position] == 0 {
                        at[position..].rotate_left(1);
                        cycles[position] = n - position;
                    } else {
                        at.swap(position, n - cycles[position]);
                        break true;
                    }
                }
            }
        };
        match indices {
            Indices::At(at) if more => {
                let items: Vec<Value> = at[..r].iter().map(|&index| self.pool[index].clone()).collect();
                Ok(Some(vm.heap.tuple(items).into()))
            }
            _ => {
                *indices = Indices::Done;
                Ok(None)
            }
        }
    }
}

/// `combinations(iterable, r)`; with `REPEATED`, `combinations_with_replacement`.
struct Combinations<const REPEATED: bool> {
    pool: Vec<Value>,
    length: usize,
    indices: RefCell<Indices>,
}

macro_rules! combinations_payload {
    ($($repeated:literal)*) => {
        $(impl Payload for Combinations<$repeated> {
            native_kind!();
            const CONTAINER: bool = true;

            const BUFFERS: bool = true;

            fn trace(&self, visitor: &mut Visitor<'_>) {
                visitor.values(&self.pool);
            }

            fn buffers(&self) -> usize {
                bytes_of(&self.pool, self.length)
            }
        }

        impl NativeIterator for Combinations<$repeated> {
            fn next(&self, vm: &Vm) -> R<Option<Value>> {
                self.pick(vm)
            }
        })*
    };
}

combinations_payload!(false true);

fn pool_and_length(vm: &Vm, iterable: &Value, r: &Value) -> R<(Vec<Value>, usize)> {
    let pool = vm.collect(iterable)?;
    let length = vm.index_i64(r)?;
    if length < 0 {
        return Err(negative_r(vm));
    }
    vm.check_alloc_items(length as usize, size_of::<Value>())?;
    Ok((pool, length as usize))
}

fn combinations_new(vm: &Vm, class: &Value, iterable: &Value, r: &Value) -> R {
    let (pool, length) = pool_and_length(vm, iterable, r)?;
    let made = Combinations::<false> { pool, length, indices: RefCell::new(Indices::Fresh) };
    wrap_new(vm, class, vm.heap.alloc_owning(made).into())
}

fn combinations_with_replacement_new(vm: &Vm, class: &Value, iterable: &Value, r: &Value) -> R {
    let (pool, length) = pool_and_length(vm, iterable, r)?;
    let made = Combinations::<true> { pool, length, indices: RefCell::new(Indices::Fresh) };
    wrap_new(vm, class, vm.heap.alloc_owning(made).into())
}

impl<const REPEATED: bool> Combinations<REPEATED> {
    fn pick(&self, vm: &Vm) -> R<Option<Value>> {
        let mut indices = self.indices.borrow_mut();
        let (n, r) = (self.pool.len(), self.length);
        let more = match &mut *indices {
            Indices::Done => false,
            Indices::Fresh => {
                let some = if REPEATED { r == 0 || n > 0 } else { r <= n };
                if some {
                    *indices = Indices::At(if REPEATED { vec![0; r] } else { (0..r).collect() });
                }
                some
            }
            Indices::At(at) => {
                // The last index that can still grow, then those behind it start over.
                let last = |position: usize| if REPEATED { n - 1 } else { position + n - r };
                match (0..r).rev().find(|&position| at[position] != last(position)) {
                    None => false,
                    Some(position) => {
                        let grown = at[position] + 1;
                        for (step, index) in at[position..].iter_mut().enumerate() {
                            *index = if REPEATED { grown } else { grown + step };
                        }
                        true
                    }
                }
            }
        };
        match &*indices {
            Indices::At(at) if more => {
                let items: Vec<Value> = at.iter().map(|&index| self.pool[index].clone()).collect();
                Ok(Some(vm.heap.tuple(items).into()))
            }
            _ => {
                *indices = Indices::Done;
                Ok(None)
            }
        }
    }
}
