//! Numbers against what CPython 3.12 gives for the same text.

use super::{float, integer, parse, print};
use dashu_int::{IBig, UBig};

#[test]
fn floats_are_written_as_python_writes_them() {
    for (text, expected) in [
        ("1e16", "1e+16"),
        ("9999999999999998", "9999999999999998.0"),
        ("1e-5", "1e-05"),
        ("0.0001", "0.0001"),
        ("1e22", "1e+22"),
        ("5e-324", "5e-324"),
        ("1.7976931348623157e308", "1.7976931348623157e+308"),
        ("-0.0", "-0.0"),
        ("123456.789e3", "123456789.0"),
        ("1e100", "1e+100"),
        ("0.1", "0.1"),
        ("267411013442856.125", "267411013442856.12"),
        ("1512071641038724.25", "1512071641038724.2"),
        ("9007199254740993e3", "9.007199254740993e+18"),
        ("inf", "inf"),
        ("-Infinity", "-inf"),
        ("nan", "nan"),
        (" 1_0.0_1\n", "10.01"),
        ("1e5_0", "1e+50"),
        ("٣.٥", "3.5"),
    ] {
        assert_eq!(print::float(parse::float(text).unwrap()), expected, "{text}");
    }
    for text in ["", "x", "1__0", "1_.0", "1._0", "_1", "1_", "1e", "0x1p3", "+-1", "1 2", "infin", ".", "e5"] {
        assert!(parse::float(text).is_none(), "{text}");
    }
}

#[test]
fn exact_decimals_round_ties_to_even() {
    for (f, digits, expected) in [
        (2.5, 0, "2"),
        (3.5, 0, "4"),
        (0.125, 2, "0.12"),
        (0.375, 2, "0.38"),
        (2.675, 2, "2.67"),
        (1e22, 1, "10000000000000000000000.0"),
    ] {
        assert_eq!(print::fixed(f, digits), expected);
    }
    assert_eq!(print::fixed(1.0, 70_000).len(), 70_002);
}

#[test]
fn quotients_are_nearest() {
    let quotient = |a: &str, b: &str| {
        let parse = |text: &str| UBig::from_str_radix(text, 10).unwrap();
        integer::quotient_to_f64(parse(a), parse(b))
    };
    assert_eq!(quotient("9007199254740993", "1"), Some(9007199254740992.0));
    assert_eq!(quotient("9007199254740995", "1"), Some(9007199254740996.0));
    assert_eq!(quotient("1", "3"), Some(1.0 / 3.0));
    let power = |n: usize| format!("1{}", "0".repeat(n));
    assert_eq!(quotient(&power(308), "1"), Some(1e308));
    assert_eq!(quotient(&power(309), "1"), None);
    assert_eq!(quotient("1", &power(310)), Some(1e-310));
    assert_eq!(quotient("1", &power(323)), Some(1e-323));
    assert_eq!(quotient("1", &power(400)), Some(0.0));
    assert_eq!(quotient("3", &power(324)), Some(5e-324));
    assert_eq!(quotient("2", &power(324)), Some(0.0));
}

#[test]
fn hexadecimal_floats() {
    for (f, expected) in [
        (1.1, "0x1.199999999999ap+0"),
        (5e-324, "0x0.0000000000001p-1022"),
        (-0.0, "-0x0.0p+0"),
        (1e300, "0x1.7e43c8800759cp+996"),
    ] {
        assert_eq!(float::hex(f), expected);
        assert_eq!(float::from_hex(expected).ok().map(f64::to_bits), Some(f.to_bits()));
    }
    let read = |text| float::from_hex(text).ok();
    assert_eq!(read("0x.8"), Some(0.5));
    assert_eq!(read("ff"), Some(255.0));
    assert_eq!(read("0x1p-1075"), Some(0.0));
    assert_eq!(read("0x1.8p-1075"), Some(5e-324));
    assert_eq!(read("0x1.00000000000008p0"), Some(1.0));
    assert_eq!(read("0x1.000000000000080000000000001p0"), Some(1.0000000000000002));
    assert_eq!(read("0x1p1024"), None);
    assert_eq!(read("0x"), None);
}

#[test]
fn signs_of_big_division_and_shifts() {
    let big = |text: &str| IBig::from_str_radix(text, 10).unwrap();
    let (q, r) = integer::divmod_big(&big("-100000000000000000000"), &big("7"));
    assert_eq!((q, r), (big("-14285714285714285715"), big("5")));
    assert_eq!(big("-100000000000000000001") >> 1, big("-50000000000000000001"));
    assert_eq!(integer::hash(&big("-1267650600228229401496703205376")), -549755813888);
    assert_eq!(integer::bits(&big("-18446744073709551616")), 65);
    assert_eq!(!big("18446744073709551616"), big("-18446744073709551617"));
}

#[test]
fn remainders_have_the_divisors_sign() {
    assert_eq!(float::divmod(7.5, -2.0), (-4.0, -0.5));
    assert_eq!(float::divmod(-7.5, 2.0), (-4.0, 0.5));
    assert!(float::modulo(0.0, -1.0).is_sign_negative());
    assert_eq!(float::divmod(1e300, 1e-300).0, f64::INFINITY);
    assert_eq!(float::scale(1.0, -1074), 5e-324);
    assert_eq!(float::scale(9007199254740991.0, 971), f64::MAX);
}
