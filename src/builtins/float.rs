//! `float`: construction and methods. The arithmetic is in `vm/number/`.

use super::int::format;
use crate::native::{FromValue, define_methods};
use crate::rows;
use crate::value::{Class, R, Ref, Value};
use crate::vm::Vm;
use crate::vm::binary;
use crate::vm::number::{Number, float as floats, parse};

/// Fills the class in.
pub fn install(vm: &Vm) {
    define_methods(
        vm,
        &vm.types.float,
        &rows![
            static "__new__", "cls, x=0, /" => new(0 1);
            "as_integer_ratio", "" => as_integer_ratio(0);
            "conjugate", "" => itself(0);
            class "fromhex", "string, /" => fromhex(0 1);
            "hex", "" => hex(0);
            "is_integer", "" => is_integer(0);
            class "__getformat__", "typestr, /" => get_format(0 1);
            "__ceil__", "" => ceil(0);
            "__float__", "/" => itself(0);
            "__floor__", "" => floor(0);
            "__format__", "format_spec, /" => format(0 1);
            "__getnewargs__", "" => new_args(0);
            "__int__", "/" => trunc(0);
            "__pow__", "value, mod=None, /" => pow(0 1 2);
            "__round__", "ndigits=None, /" => round(0 1);
            "__trunc__", "" => trunc(0);
            get "real" => itself(0);
            get "imag" => zero(0);
        ],
    );
}

/// A float as the receiver of a method.
struct Float(f64);

impl<'a> FromValue<'a> for Float {
    fn from_value(vm: &Vm, value: &'a Value) -> R<Self> {
        match Number::of(value) {
            Some(Number::Float(f)) => Ok(Float(f)),
            _ => {
                let class = vm.class_of(value).name();
                Err(vm.type_error(format!("descriptor requires a 'float' object but received a '{}'", class.as_str())))
            }
        }
    }
}

fn new(vm: &Vm, class: &Ref<Class>, x: &Value) -> R {
    let made = if x.is_undef() { 0.0 } else { to_float(vm, x)? };
    vm.wrap_new(class, Value::float(made))
}

/// `float(x)`.
pub fn to_float(vm: &Vm, x: &Value) -> R<f64> {
    if let Value::Float(bits) = x {
        return Ok(f64::from_bits(*bits));
    }
    if let Some(text) = x.as_str() {
        vm.will_scan(text.len())?;
        return match parse::float(text) {
            Some(f) => Ok(f),
            None => Err(not_a_float(vm, x)),
        };
    }
    if let Some(data) = binary::bytes_of(x) {
        vm.will_scan(data.len())?;
        let parsed = std::str::from_utf8(&data).ok().filter(|text| text.is_ascii()).and_then(parse::float);
        return parsed.ok_or_else(|| not_a_float(vm, x));
    }
    if Number::of(x).is_none() && !vm.has_index(x) && vm.class_of(x).lookup(&vm.n.__float__).is_undef() {
        let class = vm.class_of(x).name();
        let message = format!("float() argument must be a string or a real number, not '{}'", class.as_str());
        return Err(vm.type_error(message));
    }
    vm.to_f64(x)
}

#[cold]
fn not_a_float(vm: &Vm, x: &Value) -> crate::value::Raised {
    match vm.repr(x.unwrapped()) {
        Ok(shown) => vm.value_error(format!("could not convert string to float: {}", shown.as_str())),
        Err(raised) => raised,
    }
}

fn itself(_vm: &Vm, this: Float) -> f64 {
    this.0
}

fn zero(_vm: &Vm, _this: Float) -> f64 {
    0.0
}

fn new_args(vm: &Vm, this: Float) -> Value {
    Value::from(vm.heap.tuple([Value::float(this.0)]))
}

fn as_integer_ratio(vm: &Vm, this: Float) -> R<(Value, Value)> {
    floats::ratio(vm, this.0)
}

fn fromhex(vm: &Vm, class: &Value, text: &Value) -> R {
    let Some(text) = text.as_str() else { return Err(vm.type_error("bad argument type for built-in operation")) };
    let parsed = match floats::from_hex(text) {
        Ok(f) => Value::float(f),
        Err(floats::HexError::Invalid) => return Err(vm.value_error("invalid hexadecimal floating-point string")),
        Err(floats::HexError::TooLarge) => {
            return Err(vm.overflow_error("hexadecimal value too large to represent as a float"));
        }
    };
    match class.downcast::<Class>() {
        Some(class) if !class.is(&vm.types.float) => vm.call(&Value::from(class), &[parsed]),
        _ => Ok(parsed),
    }
}

fn hex(_vm: &Vm, this: Float) -> String {
    floats::hex(this.0)
}

fn is_integer(_vm: &Vm, this: Float) -> bool {
    this.0.is_finite() && this.0 == this.0.trunc()
}

fn get_format(vm: &Vm, _class: &Value, kind: &Value) -> R<&'static str> {
    match kind.as_str() {
        Some("double" | "float") if cfg!(target_endian = "little") => Ok("IEEE, little-endian"),
        Some("double" | "float") => Ok("IEEE, big-endian"),
        _ => Err(vm.value_error("__getformat__() argument 1 must be 'double' or 'float'")),
    }
}

fn ceil(vm: &Vm, this: Float) -> R {
    floats::to_int(vm, this.0.ceil())
}

fn floor(vm: &Vm, this: Float) -> R {
    floats::to_int(vm, this.0.floor())
}

fn trunc(vm: &Vm, this: Float) -> R {
    floats::to_int(vm, this.0)
}

fn pow(vm: &Vm, this: &Value, exponent: &Value, modulus: &Value) -> R {
    if Number::of(exponent).is_none() {
        return Ok(Value::NotImplemented);
    }
    Ok(crate::vm::number::power(vm, this, exponent, modulus)?.unwrap_or(Value::NotImplemented))
}

fn round(vm: &Vm, this: Float, digits: &Value) -> R {
    match digits {
        Value::Undef | Value::None => floats::round_to_int(vm, this.0),
        digits => {
            vm.index(digits)?;
            let digits = vm.index_clamped(digits)?;
            floats::round(vm, this.0, digits).map(Value::float)
        }
    }
}
