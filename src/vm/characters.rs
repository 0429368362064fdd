//! Properties of code points that both numbers and strings ask for.

/// The value of a decimal digit of any script (category Nd): such digits come in runs of ten, in order.
pub fn decimal(c: char) -> Option<u32> {
    if c.is_ascii() {
        return c.to_digit(10);
    }
    let code = c as u32;
    let run = match DECIMAL_ZEROS.binary_search(&code) {
        Ok(run) => run,
        Err(0) => return None,
        Err(after) => after - 1,
    };
    let digit = code - DECIMAL_ZEROS[run];
    if digit < 10 {
        return Some(digit);
    }
    // The mathematical digits are five runs with one beginning.
    (0x1D7CE..=0x1D7FF).contains(&code).then(|| (code - 0x1D7CE) % 10)
}

/// Whether Python counts it as white space (`str.isspace`, `str.split`).
#[inline]
pub fn is_space(c: char) -> bool {
    match c {
        '\t'..='\r' | '\x1c'..='\x1f' | ' ' => true,
        c if c.is_ascii() => false,
        c => c.is_whitespace(),
    }
}

/// The zeros of the runs of decimal digits beyond ASCII (Unicode 15).
#[rustfmt::skip]
static DECIMAL_ZEROS: [u32; 63] = [
    0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66,
    0x0DE6, 0x0E50, 0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90,
    0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10,
    0x104A0, 0x10D30, 0x11066, 0x110F0, 0x11136, 0x111D0, 0x112F0, 0x11450, 0x114D0, 0x11650, 0x116C0, 0x11730,
    0x118E0, 0x11950, 0x11C50, 0x11D50, 0x11DA0, 0x11F50, 0x16A60, 0x16AC0, 0x16B50, 0x1D7CE, 0x1E140, 0x1E2F0,
    0x1E4F0, 0x1E950, 0x1FBF0,
];
