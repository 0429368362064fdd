//! `strftime` and `asctime`, in the C locale.

use std::fmt::Write;

use super::calendar::{Calendar, from_value, now_local, weekday_name};
use crate::value::{R, Value};
use crate::vm::Vm;

const MONTHS: [&str; 12] =
    ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

fn month_name(of: &Calendar) -> &'static str {
    MONTHS[(of.month - 1).clamp(0, 11) as usize]
}

fn given_or_now(vm: &Vm, function: &str, tuple: &Value) -> R<Calendar> {
    let mut of = if matches!(tuple, Value::Undef) { now_local(vm)? } else { from_value(vm, function, tuple)? };
    // Zero stands for the first, as CPython allows it.
    if of.month == 0 {
        of.month = 1;
    }
    if of.day == 0 {
        of.day = 1;
    }
    if of.yearday == 0 {
        of.yearday = 1;
    }
    let checks = [
        (of.month, 1, 12, "month out of range"),
        (of.day, 1, 31, "day of month out of range"),
        (of.hour, 0, 23, "hour out of range"),
        (of.minute, 0, 59, "minute out of range"),
        (of.second, 0, 61, "seconds out of range"),
        (of.yearday, 1, 366, "day of year out of range"),
    ];
    for (number, low, high, message) in checks {
        if !(low..=high).contains(&number) {
            return Err(vm.value_error(message));
        }
    }
    if of.weekday < -1 {
        return Err(vm.value_error("day of week out of range"));
    }
    of.weekday = of.weekday.rem_euclid(7);
    Ok(of)
}

pub fn asctime(of: &Calendar) -> String {
    format!(
        "{} {}{:3} {:02}:{:02}:{:02} {}",
        &weekday_name(of.weekday)[..3],
        &month_name(of)[..3],
        of.day,
        of.hour,
        of.minute,
        of.second,
        of.year
    )
}

pub fn time_asctime(vm: &Vm, tuple: &Value) -> R<String> {
    Ok(asctime(&given_or_now(vm, "asctime", tuple)?))
}

pub fn time_strftime(vm: &Vm, format: &str, tuple: &Value) -> R<String> {
    let of = given_or_now(vm, "strftime", tuple)?;
    vm.check_alloc(format.len().saturating_mul(8))?;
    let mut out = String::new();
    write_formatted(&mut out, format, &of);
    Ok(out)
}

/// The ISO year and week of a date.
fn iso_week(of: &Calendar) -> (i64, i64) {
    let week = (of.yearday - 1 - of.weekday + 10) / 7;
    if week < 1 {
        return (of.year - 1, weeks_in(of.year - 1));
    }
    if week > weeks_in(of.year) { (of.year + 1, 1) } else { (of.year, week) }
}

fn weeks_in(year: i64) -> i64 {
    let last_day = |year: i64| (year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400)).rem_euclid(7);
    if last_day(year) == 4 || last_day(year - 1) == 3 { 53 } else { 52 }
}

fn write_formatted(out: &mut String, format: &str, of: &Calendar) {
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut directive = chars.next();
        // Flags of the C library: no padding, or other padding.
        let mut flag = None;
        if let Some(given @ ('-' | '_' | '0' | '^' | '#')) = directive {
            flag = Some(given);
            directive = chars.next();
        }
        let Some(letter) = directive else {
            out.push('%');
            if let Some(flag) = flag {
                out.push(flag);
            }
            return;
        };
        let start = out.len();
        let hour12 = if of.hour % 12 == 0 { 12 } else { of.hour % 12 };
        // The day of the week counted from Sunday.
        let sunday0 = (of.weekday + 1) % 7;
        let mut number = |value: i64, width: usize, pad: char| {
            let _ = match (flag, pad) {
                (Some('-'), _) => write!(out, "{value}"),
                (Some('_'), _) | (None, ' ') => write!(out, "{value:width$}"),
                _ => write!(out, "{value:0width$}"),
            };
        };
        match letter {
            'd' => number(of.day, 2, '0'),
            'e' => number(of.day, 2, ' '),
            'H' => number(of.hour, 2, '0'),
            'k' => number(of.hour, 2, ' '),
            'I' => number(hour12, 2, '0'),
            'l' => number(hour12, 2, ' '),
            'j' => number(of.yearday, 3, '0'),
            'm' => number(of.month, 2, '0'),
            'M' => number(of.minute, 2, '0'),
            'S' => number(of.second, 2, '0'),
            'y' => number(of.year.rem_euclid(100), 2, '0'),
            'C' => number(of.year.div_euclid(100), 2, '0'),
            'Y' => number(of.year, 1, '0'),
            'G' => number(iso_week(of).0, 1, '0'),
            'g' => number(iso_week(of).0.rem_euclid(100), 2, '0'),
            'V' => number(iso_week(of).1, 2, '0'),
            'u' => number(of.weekday + 1, 1, '0'),
            'w' => number(sunday0, 1, '0'),
            'U' => number((of.yearday + 6 - sunday0) / 7, 2, '0'),
            'W' => number((of.yearday + 6 - of.weekday) / 7, 2, '0'),
            'a' => out.push_str(&weekday_name(of.weekday)[..3]),
            'A' => out.push_str(weekday_name(of.weekday)),
            'b' | 'h' => out.push_str(&month_name(of)[..3]),
            'B' => out.push_str(month_name(of)),
            'c' => write_formatted(out, "%a %b %e %H:%M:%S %Y", of),
            'D' | 'x' => write_formatted(out, "%m/%d/%y", of),
            'F' => write_formatted(out, "%Y-%m-%d", of),
            'T' | 'X' => write_formatted(out, "%H:%M:%S", of),
            'R' => write_formatted(out, "%H:%M", of),
            'r' => write_formatted(out, "%I:%M:%S %p", of),
            'p' => out.push_str(if of.hour < 12 { "AM" } else { "PM" }),
            'P' => out.push_str(if of.hour < 12 { "am" } else { "pm" }),
            'Z' => out.push_str(&of.zone),
            'z' => {
                let minutes = of.offset.abs() / 60;
                let sign = if of.offset < 0 { '-' } else { '+' };
                let _ = write!(out, "{sign}{:02}{:02}", minutes / 60, minutes % 60);
            }
            'n' => out.push('\n'),
            't' => out.push('\t'),
            '%' => out.push('%'),
            other => {
                out.push('%');
                if let Some(flag) = flag {
                    out.push(flag);
                }
                out.push(other);
            }
        }
        if flag == Some('^') {
            let upper = out[start..].to_uppercase();
            out.truncate(start);
            out.push_str(&upper);
        }
    }
}
