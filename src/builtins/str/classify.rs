//! Questions about all code points of a text: `isalpha` and its kin.

use unicode_properties::{GeneralCategory as Category, GeneralCategoryGroup, UnicodeGeneralCategory};

use super::case::is_title_letter;
use super::tables::{DIGITS, NUMERIC};
use crate::value::{R, Ref, Str};
use crate::vm::{Vm, characters, text};

/// Whether there is text, and every code point answers yes.
fn all(vm: &Vm, text: &Ref<Str>, test: impl Fn(char) -> bool) -> R<bool> {
    vm.charge((text.byte_len() / 256) as u64)?;
    Ok(!text.is_empty() && text.as_str().chars().all(test))
}

/// Whether sorted ranges contain a code point.
pub fn in_ranges(ranges: &[(u32, u32)], code: u32) -> bool {
    let at = ranges.partition_point(|range| range.1 < code);
    ranges.get(at).is_some_and(|range| range.0 <= code)
}

fn alpha(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_alphabetic() } else { c.general_category_group() == GeneralCategoryGroup::Letter }
}

fn digit(c: char) -> bool {
    characters::decimal(c).is_some() || !c.is_ascii() && in_ranges(&DIGITS, c as u32)
}

fn numeric(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_digit();
    }
    matches!(c.general_category(), Category::DecimalNumber | Category::LetterNumber | Category::OtherNumber)
        || in_ranges(&NUMERIC, c as u32)
}

pub fn is_alpha(vm: &Vm, text: &Ref<Str>) -> R<bool> {
    all(vm, text, alpha)
}

pub fn is_alnum(vm: &Vm, text: &Ref<Str>) -> R<bool> {
    all(vm, text, |c| alpha(c) || numeric(c))
}

pub fn is_ascii(_vm: &Vm, text: &Ref<Str>) -> bool {
    text.is_ascii()
}

pub fn is_decimal(vm: &Vm, text: &Ref<Str>) -> R<bool> {
    all(vm, text, |c| characters::decimal(c).is_some())
}

pub fn is_digit(vm: &Vm, text: &Ref<Str>) -> R<bool> {
    all(vm, text, digit)
}

pub fn is_numeric(vm: &Vm, text: &Ref<Str>) -> R<bool> {
    all(vm, text, numeric)
}

pub fn is_space(vm: &Vm, text: &Ref<Str>) -> R<bool> {
    all(vm, text, characters::is_space)
}

pub fn is_printable(vm: &Vm, text: &Ref<Str>) -> R<bool> {
    Ok(text.is_empty() || all(vm, text, text::is_printable)?)
}

pub fn is_identifier(vm: &Vm, text: &Ref<Str>) -> R<bool> {
    let starts = text.as_str().starts_with(|c: char| c == '_' || unicode_ident::is_xid_start(c));
    Ok(starts && all(vm, text, unicode_ident::is_xid_continue)?)
}

/// Whether there are letters with a case, all of them in the one that `wanted` accepts.
fn cased(vm: &Vm, text: &Ref<Str>, wanted: impl Fn(char) -> bool, refused: impl Fn(char) -> bool) -> R<bool> {
    vm.charge((text.byte_len() / 256) as u64)?;
    let mut found = false;
    for c in text.as_str().chars() {
        if refused(c) {
            return Ok(false);
        }
        found |= wanted(c);
    }
    Ok(found)
}

pub fn is_lower(vm: &Vm, text: &Ref<Str>) -> R<bool> {
    cased(vm, text, char::is_lowercase, |c| c.is_uppercase() || is_title_letter(c))
}

pub fn is_upper(vm: &Vm, text: &Ref<Str>) -> R<bool> {
    cased(vm, text, char::is_uppercase, |c| c.is_lowercase() || is_title_letter(c))
}

pub fn is_title(vm: &Vm, text: &Ref<Str>) -> R<bool> {
    vm.charge((text.byte_len() / 256) as u64)?;
    let (mut found, mut inside) = (false, false);
    for c in text.as_str().chars() {
        if c.is_uppercase() || is_title_letter(c) {
            if inside {
                return Ok(false);
            }
            (found, inside) = (true, true);
        } else if c.is_lowercase() {
            if !inside {
                return Ok(false);
            }
            found = true;
        } else {
            inside = false;
        }
    }
    Ok(found)
}
