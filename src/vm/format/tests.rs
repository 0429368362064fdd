//! Specifications against what CPython 3.12 gives.

use super::format_builtin;
use crate::value::Value;
use crate::vm::Vm;

#[test]
fn numbers() {
    let vm = Vm::default();
    let format = |value: Value, spec: &str| format_builtin(&vm, &value, spec).unwrap().unwrap().as_str().to_owned();
    for (value, spec, expected) in [
        (Value::Int(-3), "05", "-0003"),
        (Value::Int(-3), "=5", "-   3"),
        (Value::Int(3), "+#010x", "+0x0000003"),
        (Value::Int(3), "<05", "30000"),
        (Value::Int(3), "x<05", "3xxxx"),
        (Value::Int(1234567), "012,", "0,001,234,567"),
        (Value::Int(1234567), "014,", "00,001,234,567"),
        (Value::Int(0xffff_ffff), "#015_x", "0x000_ffff_ffff"),
        (Value::Int(65), "5c", "    A"),
        (Value::Int(1), "%", "100.000000%"),
        (Value::float(1e20), "", "1e+20"),
        (Value::float(1.0), "g", "1"),
        (Value::float(1.0), "#g", "1.00000"),
        (Value::float(12345.678), ".3", "1.23e+04"),
        (Value::float(1.0), ".1", "1e+00"),
        (Value::float(99.99), ".3", "1e+02"),
        (Value::float(f64::INFINITY), "010,", "0000000inf"),
        (Value::float(f64::NAN), "+.2f", "+nan"),
        (Value::float(-0.0001), "z.2f", "0.00"),
        (Value::float(1.5), "#.0e", "2.e+00"),
        (Value::float(-1234567.5), "015,.2f", "-001,234,567.50"),
        (Value::float(0.1), ".20f", "0.10000000000000000555"),
        (Value::float(1234567.0), ".10g", "1234567"),
        (Value::float(1.25), ".1f", "1.2"),
        (Value::float(123456789.0), ",", "123,456,789.0"),
        (Value::float(0.0), "#g", "0.00000"),
    ] {
        assert_eq!(format(value, spec), expected, "{spec}");
    }
}
