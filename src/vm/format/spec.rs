//! The format specification mini-language: `[[fill]align][sign]["z"]["#"]["0"][width][grouping]["." precision][type]`.

use crate::value::{R, Raised, Value};
use crate::vm::Vm;
use crate::vm::characters;

/// Where the text stands within the width.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Align {
    Left,
    Right,
    Center,
    /// Filled between sign and digits.
    AfterSign,
}

/// What a specification says, with the defaults of the type filled in.
#[derive(Clone, Debug)]
pub struct Spec {
    pub fill: char,
    pub align: Align,
    /// `+`, `-` or a space, if given.
    pub sign: Option<char>,
    pub no_negative_zero: bool,
    pub alternate: bool,
    pub width: usize,
    /// `,` or `_`.
    pub grouping: Option<char>,
    pub precision: Option<usize>,
    /// The type character, or the default one.
    pub kind: char,
}

fn align_of(c: char) -> Option<Align> {
    Some(match c {
        '<' => Align::Left,
        '>' => Align::Right,
        '^' => Align::Center,
        '=' => Align::AfterSign,
        _ => return None,
    })
}

impl Spec {
    /// Reads a specification for `value`.
    pub fn parse(vm: &Vm, text: &str, value: &Value, kind: char, align: Align) -> R<Spec> {
        let mut spec = Spec {
            fill: ' ',
            align,
            sign: None,
            no_negative_zero: false,
            alternate: false,
            width: 0,
            grouping: None,
            precision: None,
            kind,
        };
        let mut rest = text.chars();
        let mut has_fill = false;
        let mut has_align = false;
        let mut ahead = text.chars();
        let (first, second) = (ahead.next(), ahead.next());
        if let (Some(fill), Some(align)) = (first, second.and_then(align_of)) {
            (spec.fill, spec.align, has_fill, has_align) = (fill, align, true, true);
            rest = ahead;
        } else if let Some(align) = first.and_then(align_of) {
            (spec.align, has_align) = (align, true);
            rest.next();
        }
        if rest.as_str().starts_with([' ', '+', '-']) {
            spec.sign = rest.next();
        }
        spec.no_negative_zero = skip(&mut rest, 'z');
        spec.alternate = skip(&mut rest, '#');
        if !has_fill && skip(&mut rest, '0') {
            spec.fill = '0';
            if !has_align && align == Align::Right {
                spec.align = Align::AfterSign;
            }
        }
        spec.width = digits(vm, &mut rest)?.unwrap_or(0);
        if skip(&mut rest, ',') {
            spec.grouping = Some(',');
        }
        if skip(&mut rest, '_') {
            if spec.grouping.is_some() {
                return Err(vm.value_error("Cannot specify both ',' and '_'."));
            }
            spec.grouping = Some('_');
        }
        if spec.grouping == Some('_') && rest.as_str().starts_with(',') {
            return Err(vm.value_error("Cannot specify both ',' and '_'."));
        }
        if skip(&mut rest, '.') {
            spec.precision = digits(vm, &mut rest)?;
            if spec.precision.is_none() {
                return Err(vm.value_error("Format specifier missing precision"));
            }
        }
        if let Some(kind) = rest.next() {
            if !rest.as_str().is_empty() {
                let class = vm.class_of(value).name();
                let message = format!("Invalid format specifier '{text}' for object of type '{}'", class.as_str());
                return Err(vm.value_error(message));
            }
            spec.kind = kind;
        }
        spec.check_grouping(vm)?;
        Ok(spec)
    }

    fn check_grouping(&self, vm: &Vm) -> R<()> {
        let Some(grouping) = self.grouping else { return Ok(()) };
        match self.kind {
            'd' | 'e' | 'f' | 'g' | 'E' | 'G' | '%' | 'F' | '\0' => Ok(()),
            'b' | 'o' | 'x' | 'X' if grouping == '_' => Ok(()),
            kind => Err(vm.value_error(format!("Cannot specify '{grouping}' with '{}'.", shown(kind)))),
        }
    }

    /// The `ValueError` for a type character that the type of `value` does not have.
    pub fn unknown_kind(&self, vm: &Vm, value: &Value) -> Raised {
        let class = vm.class_of(value).name();
        vm.value_error(format!("Unknown format code '{}' for object of type '{}'", shown(self.kind), class.as_str()))
    }
}

/// A type character as messages show it.
fn shown(kind: char) -> String {
    if kind > ' ' && kind < '\u{80}' { kind.to_string() } else { format!("\\x{:x}", kind as u32) }
}

fn skip(rest: &mut std::str::Chars<'_>, wanted: char) -> bool {
    let found = rest.as_str().starts_with(wanted);
    if found {
        rest.next();
    }
    found
}

/// A number, if digits are there.
fn digits(vm: &Vm, rest: &mut std::str::Chars<'_>) -> R<Option<usize>> {
    let mut number: Option<usize> = None;
    while let Some(digit) = rest.clone().next().and_then(characters::decimal) {
        rest.next();
        number = match number.unwrap_or(0).checked_mul(10).and_then(|n| n.checked_add(digit as usize)) {
            Some(number) if number <= isize::MAX as usize => Some(number),
            _ => return Err(vm.value_error("Too many decimal digits in format string")),
        };
    }
    Ok(number)
}
