//! Joining, filling and translating bytes.

use super::{Data, bytes_argument, not_bytes};
use crate::native::Given;
use crate::value::{List, R, Tuple, Value};
use crate::vm::{Vm, binary};

fn fill_byte(vm: &Vm, name: &str, fill: &Value) -> R<u8> {
    if fill.is_undef() {
        return Ok(b' ');
    }
    match binary::bytes_of(fill).as_deref() {
        Some([byte]) => Ok(*byte),
        _ => {
            let class = vm.class_of(fill).name();
            let message = format!("{name}() argument 2 must be a byte string of length 1, not {}", class.as_str());
            Err(vm.type_error(message))
        }
    }
}

fn missing(this: Data<'_>, width: i64) -> usize {
    usize::try_from(width).unwrap_or(0).saturating_sub(this.len())
}

fn padded(vm: &Vm, this: Data<'_>, left: usize, right: usize, fill: u8) -> R {
    if left + right == 0 {
        return Ok(this.itself(vm));
    }
    vm.check_alloc(this.len().saturating_add(left).saturating_add(right))?;
    let mut made = vec![fill; left];
    this.with(|data| made.extend_from_slice(data));
    made.resize(made.len() + right, fill);
    Ok(this.made(vm, made))
}

pub fn center(vm: &Vm, this: Data<'_>, width: i64, fill: &Value) -> R {
    let fill = fill_byte(vm, "center", fill)?;
    let missing = missing(this, width);
    let left = missing / 2 + (missing & width as usize & 1);
    padded(vm, this, left, missing - left, fill)
}

pub fn ljust(vm: &Vm, this: Data<'_>, width: i64, fill: &Value) -> R {
    let fill = fill_byte(vm, "ljust", fill)?;
    padded(vm, this, 0, missing(this, width), fill)
}

pub fn rjust(vm: &Vm, this: Data<'_>, width: i64, fill: &Value) -> R {
    let fill = fill_byte(vm, "rjust", fill)?;
    padded(vm, this, missing(this, width), 0, fill)
}

pub fn zfill(vm: &Vm, this: Data<'_>, width: i64) -> R {
    let missing = missing(this, width);
    if missing == 0 {
        return Ok(this.itself(vm));
    }
    vm.check_alloc(this.len().saturating_add(missing))?;
    let made = this.with(|data| {
        let sign = usize::from(matches!(data.first(), Some(b'+' | b'-')));
        let mut made = data[..sign].to_vec();
        made.resize(sign + missing, b'0');
        made.extend_from_slice(&data[sign..]);
        made
    });
    Ok(this.made(vm, made))
}

pub fn expandtabs(vm: &Vm, this: Data<'_>, Given(tabsize): Given<i64>) -> R {
    let size = usize::try_from(tabsize.unwrap_or(8)).unwrap_or(0);
    vm.will_scan(this.len())?;
    let tabs = this.with(|data| data.iter().filter(|b| **b == b'\t').count());
    vm.check_alloc(this.len().saturating_add(tabs.saturating_mul(size)))?;
    let made = this.with(|data| {
        let mut made = Vec::with_capacity(data.len());
        let mut column = 0usize;
        for &byte in data {
            match byte {
                b'\t' if size > 0 => {
                    let spaces = size - column % size;
                    made.resize(made.len() + spaces, b' ');
                    column += spaces;
                }
                b'\t' => {}
                byte => {
                    made.push(byte);
                    column = if matches!(byte, b'\n' | b'\r') { 0 } else { column + 1 };
                }
            }
        }
        made
    });
    Ok(this.made(vm, made))
}

pub fn join(vm: &Vm, this: Data<'_>, iterable: &Value) -> R {
    let items = if let Some(list) = iterable.downcast::<List>() {
        list.to_vec()
    } else if let Some(tuple) = iterable.downcast::<Tuple>() {
        tuple.items().to_vec()
    } else if !vm.is_iterable(iterable) {
        return Err(vm.type_error("can only join an iterable"));
    } else {
        vm.collect(iterable)?
    };
    let mut total = this.len().saturating_mul(items.len().saturating_sub(1));
    for (at, item) in items.iter().enumerate() {
        let Some(length) = binary::length(item) else {
            let class = vm.class_of(item).name();
            let message = format!("sequence item {at}: expected a bytes-like object, {} found", class.as_str());
            return Err(vm.type_error(message));
        };
        total = total.saturating_add(length);
    }
    vm.check_alloc(total)?;
    vm.charge((items.len() / 32 + total / 4096) as u64)?;
    let mut joined = Vec::with_capacity(total);
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            this.with(|separator| joined.extend_from_slice(separator));
        }
        binary::with_bytes(item, |data| joined.extend_from_slice(data));
    }
    Ok(this.made(vm, joined))
}

pub fn translate(vm: &Vm, this: Data<'_>, table: &Value, delete: &Value) -> R {
    let table = match table {
        Value::None => None,
        table => {
            let table = bytes_argument(vm, table)?;
            if table.len() != 256 {
                return Err(vm.value_error("translation table must be 256 characters long"));
            }
            Some(table)
        }
    };
    let mut gone = [false; 256];
    if !delete.is_undef() {
        bytes_argument(vm, delete)?.iter().for_each(|byte| gone[usize::from(*byte)] = true);
    }
    vm.will_scan(this.len())?;
    vm.check_alloc(this.len())?;
    let made = this.with(|data| {
        let kept = data.iter().copied().filter(|byte| !gone[usize::from(*byte)]);
        match &table {
            Some(table) => kept.map(|byte| table[usize::from(byte)]).collect::<Vec<u8>>(),
            None => kept.collect(),
        }
    });
    Ok(this.made(vm, made))
}

pub fn maketrans(vm: &Vm, from: &Value, to: &Value) -> R {
    let (from, to) = match (binary::bytes_of(from), binary::bytes_of(to)) {
        (Some(from), Some(to)) => (from, to),
        (None, _) => return Err(not_bytes(vm, from)),
        _ => return Err(not_bytes(vm, to)),
    };
    if from.len() != to.len() {
        return Err(vm.value_error("maketrans arguments must have same length"));
    }
    let mut table: Vec<u8> = (0..=255).collect();
    for (from, to) in from.into_iter().zip(to) {
        table[usize::from(from)] = to;
    }
    Ok(Value::from(vm.heap.bytes_object(table)))
}
