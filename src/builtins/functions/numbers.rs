//! Built-in functions of numbers.

use crate::native::Row;
use crate::rows;
use crate::syntax::ast::Operator;
use crate::value::{BigInt, ByteArray, Bytes, Kind, R, Str, Value};
use crate::vm::Vm;
use crate::vm::cursor::Cursor;
use crate::vm::number;

pub(super) const ROWS: [Row; 10] = rows![
    "abs", "x, /" => abs(0);
    "bin", "number, /" => bin(0);
    "chr", "i, /" => chr(0);
    "divmod", "x, y, /" => divmod(0 1);
    "hex", "number, /" => hex(0);
    "oct", "number, /" => oct(0);
    "ord", "c, /" => ord(0);
    "pow", "base, exp, mod=None" => pow(0 1 2);
    "round", "number, ndigits=None" => round(0 1);
    "sum", "iterable, /, start=0" => sum(0 1);
];

fn abs(vm: &Vm, x: &Value) -> R {
    if let Some(result) = number::absolute(vm, x)? {
        return Ok(result);
    }
    match vm.call_special(x, &vm.n.__abs__, &[])? {
        Some(result) => Ok(result),
        None => Err(vm.type_error(format!("bad operand type for abs(): '{}'", vm.class_of(x).name().as_str()))),
    }
}

/// Digits in a base that is a power of two.
fn in_base(vm: &Vm, x: &Value, prefix: &str, small: fn(u64) -> String, base: u32) -> R<String> {
    let number = vm.index(x)?;
    match &number {
        Value::Int(i) => {
            let sign = if *i < 0 { "-" } else { "" };
            Ok(format!("{sign}{prefix}{}", small(i.unsigned_abs())))
        }
        big => {
            let Some(big) = big.downcast::<BigInt>() else { return Err(vm.type_error("an integer is required")) };
            let size = number::integer::bits(&big.0) as usize / base.ilog2() as usize + 4;
            vm.check_alloc(size)?;
            vm.charge((size / 64) as u64)?;
            let digits = big.0.in_radix(base as u8).to_string();
            Ok(match digits.strip_prefix('-') {
                Some(digits) => format!("-{prefix}{digits}"),
                None => format!("{prefix}{digits}"),
            })
        }
    }
}

fn bin(vm: &Vm, x: &Value) -> R<String> {
    in_base(vm, x, "0b", |i| format!("{i:b}"), 2)
}

fn hex(vm: &Vm, x: &Value) -> R<String> {
    in_base(vm, x, "0x", |i| format!("{i:x}"), 16)
}

fn oct(vm: &Vm, x: &Value) -> R<String> {
    in_base(vm, x, "0o", |i| format!("{i:o}"), 8)
}

fn chr(vm: &Vm, i: &Value) -> R {
    let code = match vm.index(i)? {
        Value::Int(code) if i32::try_from(code).is_ok() => code,
        _ => return Err(vm.overflow_error("Python int too large to convert to C int")),
    };
    match u32::try_from(code).ok().filter(|code| *code < 0x11_0000) {
        None => Err(vm.value_error("chr() arg not in range(0x110000)")),
        Some(code) => match char::from_u32(code) {
            Some(char) => Ok(vm.str_value(char.encode_utf8(&mut [0; 4]))),
            None => Err(vm.value_error("chr() of a lone surrogate: strings hold whole Unicode characters only")),
        },
    }
}

fn ord(vm: &Vm, c: &Value) -> R<i64> {
    let one_byte = |data: &[u8]| match data {
        [byte] => Ok(i64::from(*byte)),
        data => Err(vm.type_error(format!("ord() expected a character, but string of length {} found", data.len()))),
    };
    if let Some(text) = c.payload::<Str>() {
        return match (text.len(), text.char_at(0)) {
            (1, Some(char)) => Ok(char as i64),
            (len, _) => Err(vm.type_error(format!("ord() expected a character, but string of length {len} found"))),
        };
    }
    if let Some(bytes) = c.payload::<Bytes>() {
        return one_byte(bytes.data());
    }
    if let Some(bytes) = c.payload::<ByteArray>() {
        return bytes.with(one_byte);
    }
    Err(vm.type_error(format!("ord() expected string of length 1, but {} found", vm.class_of(c).name().as_str())))
}

fn divmod(vm: &Vm, x: &Value, y: &Value) -> R {
    if let Some((quotient, remainder)) = number::divmod(vm, x, y)? {
        return Ok(Value::from(vm.heap.tuple([quotient, remainder])));
    }
    let (left, right) = (vm.class_of(x), vm.class_of(y));
    let by_left = |vm: &Vm| vm.call_special(x, &vm.n.__divmod__, std::slice::from_ref(y));
    let by_right = |vm: &Vm| vm.call_special(y, &vm.n.__rdivmod__, std::slice::from_ref(x));
    let derived = !left.is(&right) && right.is_subclass(&left);
    let mut order: [&dyn Fn(&Vm) -> R<Option<Value>>; 2] = [&by_left, &by_right];
    if derived {
        order.reverse();
    }
    for (index, attempt) in order.into_iter().enumerate() {
        if index == 1 && left.is(&right) {
            break;
        }
        match attempt(vm)? {
            None | Some(Value::NotImplemented) => {}
            Some(result) => return Ok(result),
        }
    }
    let (left, right) = (left.name(), right.name());
    Err(vm.type_error(format!("unsupported operand type(s) for divmod(): '{}' and '{}'", left.as_str(), right.as_str())))
}

fn pow(vm: &Vm, base: &Value, exponent: &Value, modulus: &Value) -> R {
    if modulus.is_undef() || modulus.is_none() {
        return match number::binary(vm, Operator::Pow, base, exponent)? {
            Some(result) => Ok(result),
            None => vm.binary(Operator::Pow, base, exponent),
        };
    }
    // A derived class may have an answer of its own.
    if base.kind() != Kind::Instance
        && let Some(result) = number::power(vm, base, exponent, modulus)?
    {
        return Ok(result);
    }
    match vm.call_special(base, &vm.n.__pow__, &[exponent.clone(), modulus.clone()])? {
        Some(result) if !matches!(result, Value::NotImplemented) => Ok(result),
        _ => {
            let name = |value: &Value| vm.class_of(value).name().as_str().to_owned();
            let names = (name(base), name(exponent), name(modulus));
            let message = format!("unsupported operand type(s) for ** or pow(): '{}', '{}', '{}'", names.0, names.1, names.2);
            Err(vm.type_error(message))
        }
    }
}

fn round(vm: &Vm, x: &Value, digits: &Value) -> R {
    let args = if digits.is_undef() || digits.is_none() { &[][..] } else { std::slice::from_ref(digits) };
    match vm.call_special(x, &vm.n.__round__, args)? {
        Some(result) => Ok(result),
        None => Err(vm.type_error(format!("type {} doesn't define __round__ method", vm.class_of(x).name().as_str()))),
    }
}

/// Adds from left to right: integers and floats without making objects, floats with the lost digits carried along.
fn sum(vm: &Vm, iterable: &Value, start: &Value) -> R {
    let start = if start.is_undef() { Value::Int(0) } else { start.clone() };
    let refused = match () {
        () if start.payload::<Str>().is_some() => Some(("strings", "''")),
        () if start.payload::<Bytes>().is_some() => Some(("bytes", "b''")),
        () if start.payload::<ByteArray>().is_some() => Some(("bytearray", "b''")),
        () => None,
    };
    if let Some((what, empty)) = refused {
        return Err(vm.type_error(format!("sum() can't sum {what} [use {empty}.join(seq) instead]")));
    }
    let mut items = Cursor::new(vm, iterable.clone())?;
    let mut total = Total::of(start);
    let mut count = 0u32;
    loop {
        let item = items.next(vm)?;
        if item.is_undef() {
            break;
        }
        count = count.wrapping_add(1);
        if count.is_multiple_of(16) {
            vm.charge(1)?;
        }
        total = total.plus(vm, item)?;
    }
    Ok(total.value())
}

/// A sum so far.
enum Total {
    Int(i64),
    /// The sum and what rounding has lost.
    Float(f64, f64),
    Other(Value),
}

impl Total {
    fn of(value: Value) -> Total {
        match value {
            Value::Int(i) => Total::Int(i),
            Value::Float(bits) => Total::Float(f64::from_bits(bits), 0.0),
            other => Total::Other(other),
        }
    }

    fn value(self) -> Value {
        match self {
            Total::Int(i) => Value::Int(i),
            // The correction must not turn an infinite sum into no number.
            Total::Float(sum, lost) if lost != 0.0 && lost.is_finite() => Value::float(sum + lost),
            Total::Float(sum, _) => Value::float(sum),
            Total::Other(value) => value,
        }
    }

    fn plus(self, vm: &Vm, item: Value) -> R<Total> {
        Ok(match (self, &item) {
            (Total::Int(sum), Value::Int(i)) => match sum.checked_add(*i) {
                Some(sum) => Total::Int(sum),
                None => Total::Other(vm.heap.int128(i128::from(sum) + i128::from(*i))),
            },
            (Total::Int(sum), Value::Bool(b)) if sum < i64::MAX => Total::Int(sum + *b as i64),
            (Total::Float(sum, lost), Value::Float(bits)) => {
                let x = f64::from_bits(*bits);
                let next = sum + x;
                let rest = if sum.abs() >= x.abs() { (sum - next) + x } else { (x - next) + sum };
                Total::Float(next, lost + rest)
            }
            (Total::Float(sum, lost), Value::Int(i)) => Total::Float(sum + *i as f64, lost),
            (Total::Float(sum, lost), Value::Bool(b)) => Total::Float(sum + *b as f64, lost),
            // Beyond machine numbers and their sums, objects are added to the end.
            (Total::Int(sum), _) => Total::of(vm.binary(Operator::Add, &Value::Int(sum), &item)?),
            (total, _) => Total::Other(vm.binary(Operator::Add, &total.value(), &item)?),
        })
    }
}
