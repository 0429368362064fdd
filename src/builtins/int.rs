//! `int` and what `bool` shares with it: construction and methods. The arithmetic is in `vm/number/`.

use dashu_int::ops::UnsignedAbs;
use dashu_int::{IBig, UBig};

use crate::native::{FromValue, define_methods};
use crate::rows;
use crate::value::{Bytes, Class, R, Raised, Ref, Str, Value};
use crate::vm::Vm;
use crate::vm::binary;
use crate::vm::number::{Number, float, integer, parse};

/// Fills the class in.
pub fn install(vm: &Vm) {
    define_methods(
        vm,
        &vm.types.int,
        &rows![
            static "__new__", "cls, x=0, /, base=10" => new(0 1 2);
            "as_integer_ratio", "" => as_integer_ratio(0);
            "bit_count", "" => bit_count(0);
            "bit_length", "" => bit_length(0);
            "conjugate", "" => whole(0);
            class "from_bytes", "bytes, byteorder='big', *, signed=False" => from_bytes(0 1 2 3);
            "is_integer", "" => is_integer(0);
            "to_bytes", "length=1, byteorder='big', *, signed=False" => to_bytes(0 1 2 3);
            "__ceil__", "" => whole(0);
            "__floor__", "" => whole(0);
            "__format__", "format_spec, /" => format(0 1);
            "__getnewargs__", "" => new_args(0);
            "__index__", "/" => whole(0);
            "__int__", "/" => whole(0);
            "__float__", "/" => to_float(0);
            "__pow__", "value, mod=None, /" => pow(0 1 2);
            "__round__", "ndigits=None, /" => round(0 1);
            "__trunc__", "" => whole(0);
            get "real" => whole(0);
            get "imag" => zero(0);
            get "numerator" => whole(0);
            get "denominator" => one(0);
        ],
    );
}

/// An integer as the receiver of a method.
pub struct Int<'a>(pub Number<'a>);

impl<'a> FromValue<'a> for Int<'a> {
    fn from_value(vm: &Vm, value: &'a Value) -> R<Self> {
        match Number::integer(value) {
            Some(number) => Ok(Int(number)),
            None => {
                let class = vm.class_of(value).name();
                Err(vm.type_error(format!("descriptor requires a 'int' object but received a '{}'", class.as_str())))
            }
        }
    }
}

fn new(vm: &Vm, class: &Ref<Class>, x: &Value, base: &Value) -> R {
    let made = match (x, base) {
        (Value::Undef, Value::Undef) => Value::Int(0),
        (Value::Undef, _) => return Err(vm.type_error("int() missing string argument")),
        (x, Value::Undef) => to_int(vm, x)?,
        (x, base) => {
            let base = vm.index_clamped(base)?;
            if base != 0 && !(2..=36).contains(&base) {
                return Err(vm.value_error("int() base must be >= 2 and <= 36, or 0"));
            }
            match parse_text(vm, x, base as u32) {
                Some(parsed) => parsed?,
                None => return Err(vm.type_error("int() can't convert non-string with explicit base")),
            }
        }
    };
    vm.wrap_new(class, made)
}

/// `int(x)`.
pub fn to_int(vm: &Vm, x: &Value) -> R {
    match x {
        Value::Int(_) => return Ok(x.clone()),
        Value::Bool(b) => return Ok(Value::Int(*b as i64)),
        Value::Float(bits) => return float::to_int(vm, f64::from_bits(*bits)),
        _ => {}
    }
    if x.downcast::<Str>().is_some()
        && let Some(parsed) = parse_text(vm, x, 10)
    {
        return parsed;
    }
    if let Some(made) = vm.call_special(x, &vm.n.__int__, &[])? {
        return vm.integer_returned("__int__", &made);
    }
    if vm.has_index(x) {
        return vm.index(x);
    }
    if let Some(made) = vm.call_special(x, &vm.n.__trunc__, &[])? {
        if vm.has_index(&made) {
            return vm.index(&made);
        }
        let class = vm.class_of(&made).name();
        return Err(vm.type_error(format!("__trunc__ returned non-Integral (type {})", class.as_str())));
    }
    match parse_text(vm, x, 10) {
        Some(parsed) => parsed,
        None => {
            let class = vm.class_of(x).name();
            let wanted = "int() argument must be a string, a bytes-like object or a real number";
            Err(vm.type_error(format!("{wanted}, not '{}'", class.as_str())))
        }
    }
}

/// The integer that a string or bytes write; `None` for values of other types.
fn parse_text(vm: &Vm, value: &Value, base: u32) -> Option<R> {
    if let Some(text) = value.as_str() {
        return Some(parse_int(vm, text, base, value));
    }
    let bytes = binary::bytes_of(value)?;
    // The message shows a bytearray as bytes.
    let shown = Value::from(vm.heap.bytes_object(bytes.as_slice()));
    Some(match std::str::from_utf8(&bytes) {
        Ok(text) if text.is_ascii() => parse_int(vm, text, base, &shown),
        _ => Err(invalid(vm, base, &shown)),
    })
}

fn parse_int(vm: &Vm, text: &str, base: u32, shown: &Value) -> R {
    match parse::int(vm, text, base) {
        Ok(parsed) => parsed,
        Err(parse::IntError::TooLong(digits)) => Err(parse::too_long(vm, digits)),
        Err(parse::IntError::Invalid) => Err(invalid(vm, base, shown)),
    }
}

#[cold]
fn invalid(vm: &Vm, base: u32, shown: &Value) -> Raised {
    match vm.repr(shown.unwrapped()) {
        Ok(shown) => {
            let shown: String = shown.as_str().chars().take(200).collect();
            vm.value_error(format!("invalid literal for int() with base {base}: {shown}"))
        }
        Err(raised) => raised,
    }
}

fn whole(_vm: &Vm, this: Int<'_>) -> Value {
    this.0.to_value()
}

fn zero(_vm: &Vm, _this: Int<'_>) -> i64 {
    0
}

fn one(_vm: &Vm, _this: Int<'_>) -> i64 {
    1
}

fn is_integer(_vm: &Vm, _this: Int<'_>) -> bool {
    true
}

fn as_integer_ratio(_vm: &Vm, this: Int<'_>) -> (Value, Value) {
    (this.0.to_value(), Value::Int(1))
}

fn bit_count(_vm: &Vm, this: Int<'_>) -> i64 {
    integer::bit_count(this.0) as i64
}

fn bit_length(_vm: &Vm, this: Int<'_>) -> i64 {
    integer::bit_length(this.0) as i64
}

fn to_float(vm: &Vm, this: Int<'_>) -> R<f64> {
    this.0.to_f64(vm)
}

fn new_args(vm: &Vm, this: Int<'_>) -> Value {
    Value::from(vm.heap.tuple([this.0.to_value()]))
}

fn pow(vm: &Vm, this: &Value, exponent: &Value, modulus: &Value) -> R {
    if Number::integer(this).is_none() || Number::integer(exponent).is_none() {
        return Ok(Value::NotImplemented);
    }
    Ok(crate::vm::number::power(vm, this, exponent, modulus)?.unwrap_or(Value::NotImplemented))
}

fn round(vm: &Vm, this: Int<'_>, digits: &Value) -> R {
    match digits {
        Value::Undef => Ok(this.0.to_value()),
        digits => {
            let digits = vm.index(digits)?;
            match Number::integer(&digits) {
                Some(digits) => integer::round(vm, this.0, digits),
                None => Ok(this.0.to_value()),
            }
        }
    }
}

/// `__format__` of numbers and strings.
pub fn format(vm: &Vm, this: &Value, spec: &Value) -> R {
    let Some(spec) = spec.as_str() else {
        let class = vm.class_of(spec).name();
        return Err(vm.type_error(format!("__format__() argument must be str, not {}", class.as_str())));
    };
    match crate::vm::format::format_builtin(vm, this, spec)? {
        Some(text) => Ok(Value::from(text)),
        None => vm.default_format(this, spec).map(Value::from),
    }
}

fn is_little(vm: &Vm, order: &Value) -> R<bool> {
    match order {
        Value::Undef => Ok(false),
        order => match order.as_str() {
            Some("little") => Ok(true),
            Some("big") => Ok(false),
            Some(_) => Err(vm.value_error("byteorder must be either 'little' or 'big'")),
            None => {
                let class = vm.class_of(order).name();
                Err(vm.type_error(format!("argument 'byteorder' must be str, not {}", class.as_str())))
            }
        },
    }
}

fn from_bytes(vm: &Vm, class: &Value, bytes: &Value, order: &Value, signed: Option<bool>) -> R {
    let little = is_little(vm, order)?;
    let mut data = match binary::bytes_of(bytes) {
        Some(data) => data,
        None => match vm.call_special(bytes, &vm.n.__bytes__, &[])? {
            Some(made) if made.payload::<Bytes>().is_some() => binary::bytes_of(&made).unwrap_or_default(),
            Some(made) => {
                let class = vm.class_of(&made).name();
                return Err(vm.type_error(format!("__bytes__ returned non-bytes (type {})", class.as_str())));
            }
            None => {
                let class = vm.class_of(bytes).name();
                vm.collect_bytes(bytes, &format!("cannot convert '{}' object to bytes", class.as_str()))?
            }
        },
    };
    vm.charge((data.len() / 512) as u64)?;
    if !little {
        data.reverse();
    }
    let negative = signed.unwrap_or(false) && data.last().is_some_and(|top| *top >= 0x80);
    let mut number = IBig::from(UBig::from_le_bytes(&data));
    if negative {
        number -= IBig::ONE << (data.len() * 8);
    }
    let made = vm.heap.int(number);
    match class.downcast::<Class>() {
        Some(class) if !class.is(&vm.types.int) => vm.call(&Value::from(class), &[made]),
        _ => Ok(made),
    }
}

fn to_bytes(vm: &Vm, this: Int<'_>, length: &Value, order: &Value, signed: Option<bool>) -> R {
    let length = if length.is_undef() { 1 } else { vm.index_i64(length)? };
    let little = is_little(vm, order)?;
    let signed = signed.unwrap_or(false);
    let Ok(length) = usize::try_from(length) else {
        return Err(vm.value_error("length argument must be non-negative"));
    };
    vm.check_alloc(length)?;
    vm.charge((length / 512) as u64)?;
    if this.0.is_negative() && !signed {
        return Err(vm.overflow_error("can't convert negative int to unsigned"));
    }
    let negative = this.0.is_negative();
    // The ones' complement of a negative number takes as many bits as it needs beside the sign.
    let number = this.0.to_big();
    let magnitude = if negative { (number + IBig::ONE).unsigned_abs() } else { number.unsigned_abs() };
    let mut data = magnitude.to_le_bytes().into_vec();
    while data.last() == Some(&0) {
        data.pop();
    }
    let needs_sign_byte = signed && data.last().is_some_and(|top| *top >= 0x80);
    if data.len() + usize::from(needs_sign_byte) > length {
        return Err(vm.overflow_error("int too big to convert"));
    }
    data.resize(length, 0);
    if negative {
        for byte in &mut data {
            *byte = !*byte;
        }
    }
    if !little {
        data.reverse();
    }
    Ok(Value::from(vm.heap.bytes_object(data)))
}
