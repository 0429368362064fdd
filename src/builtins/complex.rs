//! `complex`: construction and methods. The arithmetic is in `vm/number/complex.rs`.

use super::int::format;
use crate::native::define_methods;
use crate::rows;
use crate::value::{Class, Complex, R, Ref, Str, Value};
use crate::vm::Vm;
use crate::vm::number;
use crate::vm::number::complex::{self, ParseError};

/// Fills the class in.
pub fn install(vm: &Vm) {
    define_methods(
        vm,
        &vm.types.complex,
        &rows![
            static "__new__", "cls, real=0, imag=0" => new(0 1 2);
            "conjugate", "" => conjugate(0);
            "__complex__", "" => itself(0);
            "__format__", "format_spec, /" => format(0 1);
            "__getnewargs__", "" => new_args(0);
            "__pow__", "value, mod=None, /" => pow(0 1 2);
            get "real" => real(0);
            get "imag" => imag(0);
        ],
    );
}

fn new(vm: &Vm, class: &Ref<Class>, real: &Value, imag: &Value) -> R {
    if let Some(text) = real.payload::<Str>() {
        if !imag.is_undef() {
            return Err(vm.type_error("complex() can't take second arg if first is a string"));
        }
        return vm.wrap_new(class, Value::from(vm.heap.complex(from_text(vm, text)?)));
    }
    if imag.payload::<Str>().is_some() {
        return Err(vm.type_error("complex() second arg can't be a string"));
    }
    if imag.is_undef() && class.is(&vm.types.complex) && real.downcast::<Complex>().is_some() {
        return Ok(real.clone());
    }
    let first = match real {
        Value::Undef => Complex::new(0.0, 0.0),
        real => match number(vm, real)? {
            Some(number) => number,
            None => {
                let given = vm.class_of(real).name();
                let message = format!("complex() first argument must be a string or a number, not '{}'", given.as_str());
                return Err(vm.type_error(message));
            }
        },
    };
    let made = match imag {
        Value::Undef => first,
        imag => match complex::of(imag) {
            Some(second) => Complex::new(first.real - second.imag, first.imag + second.real),
            None if has_float(vm, imag) => {
                let second = vm.to_f64(imag)?;
                // A sum would lose the sign of a zero.
                let is_real = real.is_undef() || vm.class_of(real).lookup(&vm.n.__complex__).is_undef();
                Complex::new(first.real, if is_real { second } else { first.imag + second })
            }
            None => {
                let given = vm.class_of(imag).name();
                let message = format!("complex() second argument must be a number, not '{}'", given.as_str());
                return Err(vm.type_error(message));
            }
        },
    };
    vm.wrap_new(class, Value::from(vm.heap.complex(made)))
}

fn from_text(vm: &Vm, text: &Ref<Str>) -> R<Complex> {
    vm.will_scan(text.byte_len())?;
    match complex::parse(text.as_str()) {
        Ok(number) => Ok(number),
        Err(ParseError::Malformed) => Err(vm.value_error("complex() arg is a malformed string")),
        Err(ParseError::Underscore) => {
            let shown = vm.repr(&Value::from(text))?;
            Err(vm.value_error(format!("could not convert string to complex: {}", shown.as_str())))
        }
    }
}

fn has_float(vm: &Vm, value: &Value) -> bool {
    vm.has_index(value) || matches!(value, Value::Float(_)) || !vm.class_of(value).lookup(&vm.n.__float__).is_undef()
}

/// The complex number that a number stands for: by `__complex__`, else `__float__` or `__index__`; `None` if the value is no number.
pub fn number(vm: &Vm, value: &Value) -> R<Option<Complex>> {
    if let Some(number) = value.downcast::<Complex>() {
        return Ok(Some(**number));
    }
    if let Some(made) = vm.call_special(value, &vm.n.__complex__, &[])? {
        return match complex::of(&made) {
            Some(number) => Ok(Some(number)),
            None => {
                let given = vm.class_of(&made).name();
                Err(vm.type_error(format!("__complex__ returned non-complex (type {})", given.as_str())))
            }
        };
    }
    if has_float(vm, value) { Ok(Some(Complex::new(vm.to_f64(value)?, 0.0))) } else { Ok(None) }
}

fn conjugate(vm: &Vm, this: &Ref<Complex>) -> Ref<Complex> {
    vm.heap.complex(Complex::new(this.real, -this.imag))
}

fn itself(vm: &Vm, this: &Ref<Complex>) -> Ref<Complex> {
    vm.heap.complex(**this)
}

fn new_args(vm: &Vm, this: &Ref<Complex>) -> Value {
    Value::from(vm.heap.tuple([Value::float(this.real), Value::float(this.imag)]))
}

fn pow(vm: &Vm, this: &Value, exponent: &Value, modulus: &Value) -> R {
    Ok(number::power(vm, this.unwrapped(), exponent.unwrapped(), modulus)?.unwrap_or(Value::NotImplemented))
}

fn real(_vm: &Vm, this: &Ref<Complex>) -> f64 {
    this.real
}

fn imag(_vm: &Vm, this: &Ref<Complex>) -> f64 {
    this.imag
}
