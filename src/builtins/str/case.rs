//! Case: full mappings, as Unicode has them, with the final sigma and title case.

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

use super::tables::{FOLDED_BY_UPPER, TITLE};
use crate::value::{R, Ref, Str};
use crate::vm::Vm;

/// The text mapped byte by byte if it is ASCII, else by `full`.
fn map(vm: &Vm, text: &Ref<Str>, ascii: impl FnOnce(&mut [u8]), full: impl FnOnce(&str) -> String) -> R<Ref<Str>> {
    if text.is_ascii() {
        vm.check_text(text.byte_len())?;
        let mut bytes = text.as_str().as_bytes().to_vec();
        ascii(&mut bytes);
        return Ok(vm.heap.string(String::from_utf8(bytes).unwrap_or_default()));
    }
    // No mapping is longer than three times the original.
    vm.check_text(text.byte_len().saturating_mul(3))?;
    vm.charge((text.byte_len() / 128) as u64)?;
    Ok(vm.heap.string(full(text.as_str())))
}

pub fn upper(vm: &Vm, text: &Ref<Str>) -> R<Ref<Str>> {
    map(vm, text, |bytes| bytes.make_ascii_uppercase(), str::to_uppercase)
}

pub fn lower(vm: &Vm, text: &Ref<Str>) -> R<Ref<Str>> {
    map(vm, text, |bytes| bytes.make_ascii_lowercase(), str::to_lowercase)
}

pub fn casefold(vm: &Vm, text: &Ref<Str>) -> R<Ref<Str>> {
    map(
        vm,
        text,
        |bytes| bytes.make_ascii_lowercase(),
        |text| {
            let mut folded = String::with_capacity(text.len());
            text.chars().for_each(|c| fold(c, &mut folded));
            folded
        },
    )
}

pub fn capitalize(vm: &Vm, text: &Ref<Str>) -> R<Ref<Str>> {
    let ascii = |bytes: &mut [u8]| {
        bytes.make_ascii_lowercase();
        if let Some(first) = bytes.first_mut() {
            first.make_ascii_uppercase();
        }
    };
    map(vm, text, ascii, |text| {
        let chars: Vec<char> = text.chars().collect();
        let mut made = String::with_capacity(text.len());
        push_title(chars[0], &mut made);
        for at in 1..chars.len() {
            push_lower(&chars, at, &mut made);
        }
        made
    })
}

pub fn swapcase(vm: &Vm, text: &Ref<Str>) -> R<Ref<Str>> {
    let ascii = |bytes: &mut [u8]| {
        for byte in bytes {
            *byte = if byte.is_ascii_uppercase() { byte.to_ascii_lowercase() } else { byte.to_ascii_uppercase() };
        }
    };
    map(vm, text, ascii, |text| {
        let chars: Vec<char> = text.chars().collect();
        let mut made = String::with_capacity(text.len());
        for (at, &c) in chars.iter().enumerate() {
            match c {
                c if c.is_uppercase() => push_lower(&chars, at, &mut made),
                c if c.is_lowercase() => made.extend(c.to_uppercase()),
                c => made.push(c),
            }
        }
        made
    })
}

pub fn title(vm: &Vm, text: &Ref<Str>) -> R<Ref<Str>> {
    let ascii = |bytes: &mut [u8]| {
        let mut inside = false;
        for byte in bytes {
            *byte = if inside { byte.to_ascii_lowercase() } else { byte.to_ascii_uppercase() };
            inside = byte.is_ascii_alphabetic();
        }
    };
    map(vm, text, ascii, |text| {
        let chars: Vec<char> = text.chars().collect();
        let mut made = String::with_capacity(text.len());
        let mut inside = false;
        for (at, &c) in chars.iter().enumerate() {
            if inside {
                push_lower(&chars, at, &mut made)
            } else {
                push_title(c, &mut made)
            }
            inside = is_cased(c);
        }
        made
    })
}

/// Whether the code point has a case.
pub fn is_cased(c: char) -> bool {
    c.is_lowercase() || c.is_uppercase() || is_title_letter(c)
}

/// Whether the code point is in title case (a capital with a small letter in one).
pub fn is_title_letter(c: char) -> bool {
    !c.is_ascii() && c.general_category() == GeneralCategory::TitlecaseLetter
}

fn push_title(c: char, made: &mut String) {
    if !c.is_ascii() {
        if ('\u{10D0}'..='\u{10FF}').contains(&c) {
            // Georgian has capitals, but no title case.
            made.push(c);
            return;
        }
        if let Ok(at) = TITLE.binary_search_by_key(&(c as u32), |entry| entry.0) {
            made.push_str(TITLE[at].1);
            return;
        }
    }
    made.extend(c.to_uppercase());
}

fn push_lower(chars: &[char], at: usize, made: &mut String) {
    match chars[at] {
        'Σ' => made.push(if is_final_sigma(chars, at) { 'ς' } else { 'σ' }),
        c => made.extend(c.to_lowercase()),
    }
}

/// Whether a sigma ends a word: after a letter, and not before one.
fn is_final_sigma(chars: &[char], at: usize) -> bool {
    let before = chars[..at].iter().rev().find(|c| !is_case_ignorable(**c));
    let after = chars[at + 1..].iter().find(|c| !is_case_ignorable(**c));
    before.is_some_and(|c| is_cased(*c)) && !after.is_some_and(|c| is_cased(*c))
}

fn is_case_ignorable(c: char) -> bool {
    use GeneralCategory as Category;
    matches!(
        c,
        '\'' | '.'
            | ':'
            | '·'
            | '\u{387}'
            | '\u{55F}'
            | '\u{5F4}'
            | '‘'
            | '’'
            | '․'
            | '‧'
            | '︓'
            | '﹒'
            | '﹕'
            | '＇'
            | '．'
            | '：'
    ) || matches!(
        c.general_category(),
        Category::NonspacingMark
            | Category::EnclosingMark
            | Category::Format
            | Category::ModifierLetter
            | Category::ModifierSymbol
    )
}

fn fold(c: char, folded: &mut String) {
    let code = c as u32;
    match code {
        0x1E9E => folded.push_str("ss"),
        // Cherokee folds to its capitals, which are older.
        0x13A0..=0x13F5 => folded.push(c),
        0x13F8..=0x13FD => folded.extend(char::from_u32(code - 8)),
        0xAB70..=0xABBF => folded.extend(char::from_u32(code - 0xAB70 + 0x13A0)),
        code if super::classify::in_ranges(&FOLDED_BY_UPPER, code) => {
            folded.extend(c.to_uppercase().flat_map(char::to_lowercase));
        }
        _ => folded.extend(c.to_lowercase()),
    }
}
