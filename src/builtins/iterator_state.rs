//! Where the built-in iterators stand, as `__reduce__` tells it and `__setstate__` takes it: what `copy` copies them by.

use dashu_int::IBig;

use crate::native::define_methods;
use crate::rows;
use crate::value::{BigInt, Class, Iter, IteratorKind, NativeIterator, R, Ref, Value};
use crate::vm::Vm;

/// Adds the methods to the class of a kind.
pub fn install(vm: &Vm, class: &Ref<Class>, kind: IteratorKind) {
    define_methods(vm, class, &rows!["__reduce__", "" => reduce(0);]);
    let can_be_moved = matches!(
        kind,
        IteratorKind::List
            | IteratorKind::ListReversed
            | IteratorKind::Tuple
            | IteratorKind::Str
            | IteratorKind::AsciiStr
            | IteratorKind::Bytes
            | IteratorKind::ByteArray
            | IteratorKind::Range
            | IteratorKind::Sequence
            | IteratorKind::Reversed
            | IteratorKind::Zip
    );
    if can_be_moved {
        define_methods(vm, class, &rows!["__setstate__", "state, /" => set_state(0 1);]);
    }
}

/// What makes the iterator anew: a function, its arguments, and for some the state.
fn reduce(vm: &Vm, this: &Value) -> R {
    let Some(iterator) = this.payload::<NativeIterator>() else { return Err(vm.type_error("an iterator is required")) };
    let class = || Value::from(vm.class_of(this));
    let iter = || vm.builtins.get_text("iter").unwrap_or_default();
    let by_iter = |object: Value, index: usize| (iter(), vec![object], Some(Value::Int(index as i64)));
    let (make, args, state) = match iterator.state.get() {
        Iter::List { list, next } => by_iter(Value::from(&list), next),
        Iter::Tuple { tuple, next } => by_iter(Value::from(&tuple), next),
        Iter::Str { text, offset } => by_iter(Value::from(&text), text.as_str()[..offset].chars().count()),
        Iter::Bytes { bytes, next } => by_iter(Value::from(&bytes), next),
        Iter::ByteArray { bytes, next } => by_iter(Value::from(&bytes), next),
        Iter::Sequence { object, next } => (iter(), vec![object], Some(Value::Int(next))),
        Iter::Range { next, step, left } => {
            let stop = vm.heap.int128(next as i128 + step as i128 * left as i128);
            let range = vm.call(&Value::from(&vm.types.range), &[Value::Int(next), stop, Value::Int(step)])?;
            (iter(), vec![range], Some(Value::None))
        }
        Iter::ListReversed { list, next } => (class_named(vm, "reversed"), vec![Value::from(&list)], Some(before(next as i64))),
        Iter::Reversed { object, next } => (class(), vec![object], Some(before(next))),
        Iter::Callable { function, sentinel } => (iter(), vec![function, sentinel], None),
        Iter::Enumerate { inner, next } => (class(), vec![inner, next], None),
        Iter::Zip { inners, strict } => (class(), inners.items().to_vec(), strict.then_some(Value::TRUE)),
        Iter::Map { function, inners } => {
            let args = std::iter::once(function).chain(inners.items().iter().cloned()).collect();
            (class(), args, None)
        }
        Iter::Filter { function, inner } => (class(), vec![function, inner], None),
        state @ (Iter::Dict { .. } | Iter::DictReversed { .. } | Iter::Set { .. }) => {
            let rest = vm.collect(&Value::from(vm.heap.iterator(state)))?;
            (iter(), vec![Value::from(vm.heap.list(rest))], None)
        }
        Iter::Done => {
            let class = vm.class_of(this);
            let nothing = match class.name().as_str() {
                "list_iterator" | "list_reverseiterator" => Value::from(vm.heap.list(Vec::new())),
                "str_iterator" | "str_ascii_iterator" => vm.str_value(""),
                name if name.starts_with("dict_") || name == "set_iterator" => Value::from(vm.heap.list(Vec::new())),
                _ => Value::from(vm.heap.tuple([])),
            };
            (iter(), vec![nothing], None)
        }
    };
    let mut parts = vec![make, Value::from(vm.heap.tuple(args))];
    parts.extend(state);
    Ok(Value::from(vm.heap.tuple(parts)))
}

fn class_named(vm: &Vm, name: &str) -> Value {
    vm.builtins.get_text(name).unwrap_or_default()
}

/// Iterators that go backwards tell the index of the next item.
fn before(next: i64) -> Value {
    Value::Int(next - 1)
}

/// Moves the iterator to an index; for `zip`, whether it is strict.
fn set_state(vm: &Vm, iterator: &Ref<NativeIterator>, state: &Value) -> R<()> {
    let mut at = iterator.state.get();
    if let Iter::Zip { strict, .. } = &mut at {
        *strict = vm.truthy(state)?;
        iterator.state.set(at);
        return Ok(());
    }
    let index = match (&at, state.unwrapped()) {
        (_, Value::Int(index)) => *index,
        (_, Value::Bool(flag)) => i64::from(*flag != 0),
        (Iter::Range { .. }, other) => match vm.index_i64(other) {
            Ok(index) => index,
            Err(raised) if !vm.raised_is(&vm.types.overflow_error) => return Err(raised),
            Err(_) => {
                drop(vm.take_raised());
                if other.downcast::<BigInt>().is_some_and(|big| big.0 < IBig::ZERO) { 0 } else { i64::MAX }
            }
        },
        _ => return Err(vm.type_error("an integer is required")),
    };
    let within = |length: usize| usize::try_from(index.max(0)).unwrap_or(length).min(length);
    match &mut at {
        Iter::List { list, next } => *next = within(list.len()),
        Iter::Tuple { tuple, next } => *next = within(tuple.items().len()),
        Iter::Str { text, offset } => {
            let wanted = usize::try_from(index.max(0)).unwrap_or(usize::MAX);
            *offset = text.as_str().char_indices().nth(wanted).map_or(text.as_str().len(), |(at, _)| at);
        }
        Iter::Bytes { bytes, next } => *next = within(bytes.data().len()),
        Iter::ByteArray { bytes, next } => *next = within(bytes.with(<[u8]>::len)),
        Iter::Sequence { next, .. } => *next = index.max(0),
        Iter::Range { next, step, left } => {
            let skipped = u64::try_from(index.max(0)).unwrap_or(0).min(*left);
            *next = next.wrapping_add(step.wrapping_mul(skipped as i64));
            *left -= skipped;
        }
        Iter::ListReversed { list, next } => *next = within_reversed(index, list.len()),
        Iter::Reversed { object, next } => *next = within_reversed(index, vm.len(object)?) as i64,
        _ => return Ok(()),
    }
    iterator.state.set(at);
    Ok(())
}

/// How many items are to come if the next one is at this index.
fn within_reversed(index: i64, length: usize) -> usize {
    usize::try_from(index.saturating_add(1).max(0)).unwrap_or(length).min(length)
}
