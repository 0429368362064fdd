//! Bytes as ASCII letters: case, and questions about all of them.

use super::Data;
use super::split::is_space as is_space_byte;
use crate::value::R;
use crate::vm::Vm;

fn map(vm: &Vm, this: Data<'_>, change: impl FnOnce(&mut [u8])) -> R {
    vm.check_alloc(this.len())?;
    vm.will_scan(this.len())?;
    let mut data = this.with(<[u8]>::to_vec);
    change(&mut data);
    Ok(this.made(vm, data))
}

pub fn upper(vm: &Vm, this: Data<'_>) -> R {
    map(vm, this, |data| data.make_ascii_uppercase())
}

pub fn lower(vm: &Vm, this: Data<'_>) -> R {
    map(vm, this, |data| data.make_ascii_lowercase())
}

pub fn capitalize(vm: &Vm, this: Data<'_>) -> R {
    map(vm, this, |data| {
        data.make_ascii_lowercase();
        if let Some(first) = data.first_mut() {
            first.make_ascii_uppercase();
        }
    })
}

pub fn swapcase(vm: &Vm, this: Data<'_>) -> R {
    map(vm, this, |data| {
        for byte in data {
            *byte = if byte.is_ascii_uppercase() { byte.to_ascii_lowercase() } else { byte.to_ascii_uppercase() };
        }
    })
}

pub fn title(vm: &Vm, this: Data<'_>) -> R {
    map(vm, this, |data| {
        let mut inside = false;
        for byte in data {
            *byte = if inside { byte.to_ascii_lowercase() } else { byte.to_ascii_uppercase() };
            inside = byte.is_ascii_alphabetic();
        }
    })
}

fn all(vm: &Vm, this: Data<'_>, test: impl Fn(u8) -> bool) -> R<bool> {
    vm.will_scan(this.len())?;
    Ok(this.with(|data| !data.is_empty() && data.iter().all(|byte| test(*byte))))
}

pub fn is_alnum(vm: &Vm, this: Data<'_>) -> R<bool> {
    all(vm, this, |byte| byte.is_ascii_alphanumeric())
}

pub fn is_alpha(vm: &Vm, this: Data<'_>) -> R<bool> {
    all(vm, this, |byte| byte.is_ascii_alphabetic())
}

pub fn is_ascii(vm: &Vm, this: Data<'_>) -> R<bool> {
    vm.will_scan(this.len())?;
    Ok(this.with(<[u8]>::is_ascii))
}

pub fn is_digit(vm: &Vm, this: Data<'_>) -> R<bool> {
    all(vm, this, |byte| byte.is_ascii_digit())
}

pub fn is_space(vm: &Vm, this: Data<'_>) -> R<bool> {
    all(vm, this, is_space_byte)
}

pub fn is_lower(vm: &Vm, this: Data<'_>) -> R<bool> {
    vm.will_scan(this.len())?;
    Ok(this.with(|data| data.iter().any(u8::is_ascii_lowercase) && !data.iter().any(u8::is_ascii_uppercase)))
}

pub fn is_upper(vm: &Vm, this: Data<'_>) -> R<bool> {
    vm.will_scan(this.len())?;
    Ok(this.with(|data| data.iter().any(u8::is_ascii_uppercase) && !data.iter().any(u8::is_ascii_lowercase)))
}

pub fn is_title(vm: &Vm, this: Data<'_>) -> R<bool> {
    vm.will_scan(this.len())?;
    Ok(this.with(|data| {
        let (mut found, mut inside) = (false, false);
        for byte in data {
            if byte.is_ascii_alphabetic() {
                if byte.is_ascii_uppercase() == inside {
                    return false;
                }
                (found, inside) = (true, true);
            } else {
                inside = false;
            }
        }
        found
    }))
}
