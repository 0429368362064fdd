//! `unicodedata`: names and properties of characters, from the crates that know them; what they do not is in `tables.rs`.

mod tables;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

use super::support::add;
use crate::native::{FromValue, ModuleRow, new_module};
use crate::rows;
use crate::syntax::character_named;
use crate::value::{Module, R, Ref, Str, Value};
use crate::vm::{Vm, characters};

pub const MODULE: ModuleRow = ModuleRow { name: "unicodedata", load };

fn load(vm: &Vm) -> R<Ref<Module>> {
    let module = new_module(
        vm,
        "unicodedata",
        "Names and properties of Unicode characters.",
        &rows![
            "bidirectional", "chr, /" => bidirectional(0);
            "category", "chr, /" => category(0);
            "combining", "chr, /" => combining(0);
            "decimal", "chr, default=None, /" => decimal(0 1);
            "digit", "chr, default=None, /" => digit(0 1);
            "east_asian_width", "chr, /" => east_asian_width(0);
            "is_normalized", "form, unistr, /" => is_normalized(0 1);
            "lookup", "name, /" => lookup(0);
            "mirrored", "chr, /" => mirrored(0);
            "name", "chr, default=None, /" => name(0 1);
            "normalize", "form, unistr, /" => normalize(0 1);
            "numeric", "chr, default=None, /" => numeric(0 1);
        ],
    );
    add(vm, &module, "unidata_version", vm.str_value("15.0.0"));
    Ok(module)
}

/// A string of one character, as an argument.
struct Char(char);

impl<'a> FromValue<'a> for Char {
    fn from_value(vm: &Vm, value: &'a Value) -> R<Self> {
        match value.payload::<Str>() {
            Some(text) if text.len() == 1 => Ok(Char(text.char_at(0).unwrap_or_default())),
            _ => {
                let given = vm.class_of(value).name();
                Err(vm.type_error(format!("argument must be a unicode character, not {}", given.as_str())))
            }
        }
    }
}

/// `default`, or the `ValueError` for a character that has no such property.
fn or_default(vm: &Vm, default: &Value, message: &str) -> R {
    if default.is_undef() { Err(vm.value_error(message)) } else { Ok(default.clone()) }
}

fn name(vm: &Vm, char: Char, default: &Value) -> R {
    match unicode_names2::name(char.0) {
        Some(name) => Ok(vm.str_value(&name.to_string())),
        None => or_default(vm, default, "no such name"),
    }
}

fn lookup(vm: &Vm, name: &str) -> R {
    match character_named(name) {
        Some(char) => Ok(vm.str_value(char.encode_utf8(&mut [0; 4]))),
        None => {
            let message = vm.str_value(&format!("undefined character name '{name}'"));
            Err(vm.raise_with(&vm.types.key_error, vec![message]))
        }
    }
}

fn category(_vm: &Vm, char: Char) -> &'static str {
    match char.0.general_category() {
        GeneralCategory::UppercaseLetter => "Lu",
        GeneralCategory::LowercaseLetter => "Ll",
        GeneralCategory::TitlecaseLetter => "Lt",
        GeneralCategory::ModifierLetter => "Lm",
        GeneralCategory::OtherLetter => "Lo",
        GeneralCategory::NonspacingMark => "Mn",
        GeneralCategory::SpacingMark => "Mc",
        GeneralCategory::EnclosingMark => "Me",
        GeneralCategory::DecimalNumber => "Nd",
        GeneralCategory::LetterNumber => "Nl",
        GeneralCategory::OtherNumber => "No",
        GeneralCategory::ConnectorPunctuation => "Pc",
        GeneralCategory::DashPunctuation => "Pd",
        GeneralCategory::OpenPunctuation => "Ps",
        GeneralCategory::ClosePunctuation => "Pe",
        GeneralCategory::InitialPunctuation => "Pi",
        GeneralCategory::FinalPunctuation => "Pf",
        GeneralCategory::OtherPunctuation => "Po",
        GeneralCategory::MathSymbol => "Sm",
        GeneralCategory::CurrencySymbol => "Sc",
        GeneralCategory::ModifierSymbol => "Sk",
        GeneralCategory::OtherSymbol => "So",
        GeneralCategory::SpaceSeparator => "Zs",
        GeneralCategory::LineSeparator => "Zl",
        GeneralCategory::ParagraphSeparator => "Zp",
        GeneralCategory::Control => "Cc",
        GeneralCategory::Format => "Cf",
        GeneralCategory::Surrogate => "Cs",
        GeneralCategory::PrivateUse => "Co",
        GeneralCategory::Unassigned => "Cn",
    }
}

fn bidirectional(vm: &Vm, char: Char) -> &'static str {
    use unicode_bidi::BidiClass::*;
    if category(vm, Char(char.0)) == "Cn" {
        return "";
    }
    match unicode_bidi::bidi_class(char.0) {
        AL => "AL",
        AN => "AN",
        B => "B",
        BN => "BN",
        CS => "CS",
        EN => "EN",
        ES => "ES",
        ET => "ET",
        FSI => "FSI",
        L => "L",
        LRE => "LRE",
        LRI => "LRI",
        LRO => "LRO",
        NSM => "NSM",
        ON => "ON",
        PDF => "PDF",
        PDI => "PDI",
        R => "R",
        RLE => "RLE",
        RLI => "RLI",
        RLO => "RLO",
        S => "S",
        WS => "WS",
    }
}

fn combining(_vm: &Vm, char: Char) -> i64 {
    i64::from(canonical_combining_class(char.0))
}

fn east_asian_width(_vm: &Vm, char: Char) -> &'static str {
    let after = tables::WIDTHS.partition_point(|(start, _)| *start <= char.0 as u32);
    match after.checked_sub(1).map(|at| tables::WIDTHS[at].1) {
        Some(b'A') => "A",
        Some(b'W') => "W",
        Some(b'F') => "F",
        Some(b'H') => "H",
        Some(b'S') => "Na",
        _ => "N",
    }
}

fn mirrored(_vm: &Vm, char: Char) -> i64 {
    let after = tables::MIRRORED.partition_point(|start| *start <= char.0 as u32);
    (after % 2) as i64
}

/// The value of a numeric character that is no decimal digit, and whether it is a digit.
fn number(char: char) -> Option<(i64, u16, bool)> {
    let code = char as u32;
    let after = tables::NUMERIC.partition_point(|run| run.0 <= code);
    let (start, count, first, below, step, is_digit) = tables::NUMERIC[after.checked_sub(1)?];
    let at = code - start;
    (at < u32::from(count)).then_some((first + step * i64::from(at), below, is_digit))
}

fn decimal(vm: &Vm, char: Char, default: &Value) -> R {
    match characters::decimal(char.0) {
        Some(digit) => Ok(Value::Int(digit.into())),
        None => or_default(vm, default, "not a decimal"),
    }
}

fn digit(vm: &Vm, char: Char, default: &Value) -> R {
    match (characters::decimal(char.0), number(char.0)) {
        (Some(digit), _) => Ok(Value::Int(digit.into())),
        (None, Some((digit, _, true))) => Ok(Value::Int(digit)),
        _ => or_default(vm, default, "not a digit"),
    }
}

fn numeric(vm: &Vm, char: Char, default: &Value) -> R {
    match (characters::decimal(char.0), number(char.0)) {
        (Some(digit), _) => Ok(Value::float(f64::from(digit))),
        (None, Some((above, below, _))) => Ok(Value::float(above as f64 / f64::from(below))),
        _ => or_default(vm, default, "not a numeric character"),
    }
}

/// The text in one of the four forms.
fn normalized(vm: &Vm, form: &str, text: &str) -> R<String> {
    vm.check_text(text.len().saturating_mul(2))?;
    vm.charge((text.len() / 64) as u64)?;
    let mut made = String::with_capacity(text.len());
    let mut put = |chars: &mut dyn Iterator<Item = char>| {
        for char in chars {
            if made.len().is_multiple_of(65536) {
                vm.check_text(made.len() + 65536)?;
            }
            made.push(char);
        }
        Ok(())
    };
    match form {
        "NFC" => put(&mut text.nfc())?,
        "NFD" => put(&mut text.nfd())?,
        "NFKC" => put(&mut text.nfkc())?,
        "NFKD" => put(&mut text.nfkd())?,
        _ => return Err(vm.value_error("invalid normalization form")),
    }
    Ok(made)
}

fn normalize(vm: &Vm, form: &str, text: &Ref<Str>) -> R {
    let made = normalized(vm, form, text.as_str())?;
    Ok(if made == text.as_str() { Value::from(text) } else { Value::from(vm.heap.string(made)) })
}

fn is_normalized(vm: &Vm, form: &str, text: &Ref<Str>) -> R<bool> {
    Ok(normalized(vm, form, text.as_str())? == text.as_str())
}
