//! Moments as calendars show them, in UTC and in the local zone, and back.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::{Dst, TimeZone};

use super::super::struct_sequence::struct_sequence;
use super::{struct_time, wall};
use crate::host::Capability;
use crate::value::{Class, Instance, R, Ref, Value};
use crate::vm::Vm;

/// A moment as a calendar shows it: the items of a `struct_time`.
#[derive(Clone)]
pub struct Calendar {
    pub year: i64,
    pub month: i64,
    pub day: i64,
    pub hour: i64,
    pub minute: i64,
    pub second: i64,
    /// Monday is 0.
    pub weekday: i64,
    pub yearday: i64,
    pub dst: i64,
    pub zone: String,
    pub offset: i64,
}

/// The local zone, as far as the host lets scripts know.
fn local_zone(vm: &Vm) -> TimeZone {
    if vm.host.grants(Capability::Clock) { TimeZone::system() } else { TimeZone::UTC }
}

fn out_of_range(vm: &Vm) -> crate::value::Raised {
    vm.overflow_error("timestamp out of range for platform time_t")
}

/// Seconds since 1970 as an argument, or now.
fn seconds(vm: &Vm, given: &Value) -> R<i64> {
    match given {
        Value::Undef | Value::None => Ok(wall(vm)?.as_secs() as i64),
        Value::Int(seconds) => Ok(*seconds),
        Value::Float(bits) => {
            let seconds = f64::from_bits(*bits);
            if seconds.is_nan() {
                return Err(vm.value_error("Invalid value NaN (not a number)"));
            }
            if seconds.abs() > 9.2e18 { Err(out_of_range(vm)) } else { Ok(seconds.floor() as i64) }
        }
        given => vm.index_i64(given),
    }
}

fn calendar(vm: &Vm, seconds: i64, zone: &TimeZone, is_utc: bool) -> R<Calendar> {
    let Ok(moment) = Timestamp::from_second(seconds) else {
        return Err(vm.value_error("year is out of range"));
    };
    let civil = zone.to_datetime(moment);
    let info = zone.to_offset_info(moment);
    Ok(Calendar {
        year: civil.year().into(),
        month: civil.month().into(),
        day: civil.day().into(),
        hour: civil.hour().into(),
        minute: civil.minute().into(),
        second: civil.second().into(),
        weekday: civil.weekday().to_monday_zero_offset().into(),
        yearday: civil.day_of_year().into(),
        dst: i64::from(!is_utc && info.dst() == Dst::Yes),
        zone: info.abbreviation().to_owned(),
        offset: info.offset().seconds().into(),
    })
}

pub fn to_value(vm: &Vm, of: &Calendar) -> R {
    let class = struct_time(vm)?;
    let numbers = [of.year, of.month, of.day, of.hour, of.minute, of.second, of.weekday, of.yearday, of.dst];
    Ok(named(vm, &class, numbers.map(Value::Int).to_vec(), vm.str_value(&of.zone), Value::Int(of.offset)))
}

/// A `struct_time` of nine items, with the two attributes beside them.
fn named(vm: &Vm, class: &Ref<Class>, items: Vec<Value>, zone: Value, offset: Value) -> Value {
    let made = struct_sequence(vm, class, items);
    if let Some(instance) = made.downcast::<Instance>() {
        instance.set(&vm.intern("_zone"), zone);
        instance.set(&vm.intern("_gmtoff"), offset);
    }
    made
}

pub fn struct_time_new(vm: &Vm, class: &Ref<Class>, iterable: &Value) -> R {
    let mut items = vm.collect(iterable)?;
    if items.len() < 9 || items.len() > 11 {
        let (bound, given) = (if items.len() < 9 { "at least 9" } else { "at most 11" }, items.len());
        return Err(vm.type_error(format!("time.struct_time() takes an {bound}-sequence ({given}-sequence given)")));
    }
    let rest = items.split_off(9);
    let mut rest = rest.into_iter();
    let (zone, offset) = (rest.next().unwrap_or(Value::None), rest.next().unwrap_or(Value::None));
    Ok(named(vm, class, items, zone, offset))
}

fn attribute(vm: &Vm, value: &Value, name: &str) -> Value {
    match value.downcast::<Instance>().map(|instance| instance.get(&vm.intern(name))) {
        Some(found) if !found.is_undef() => found,
        _ => Value::None,
    }
}

pub fn tm_zone(vm: &Vm, this: &Value) -> Value {
    attribute(vm, this, "_zone")
}

pub fn tm_gmtoff(vm: &Vm, this: &Value) -> Value {
    attribute(vm, this, "_gmtoff")
}

/// The calendar in a `struct_time` or a tuple.
pub fn from_value(vm: &Vm, function: &str, value: &Value) -> R<Calendar> {
    let Some(items) = value.as_tuple() else { return Err(vm.type_error("Tuple or struct_time argument required")) };
    if items.len() != 9 {
        return Err(vm.type_error(format!("{function}(): illegal time tuple argument")));
    }
    let mut numbers = [0; 9];
    for (number, item) in numbers.iter_mut().zip(items) {
        *number = vm.index_i64(item)?;
    }
    let [year, month, day, hour, minute, second, weekday, yearday, dst] = numbers;
    let zone = match attribute(vm, value, "_zone").as_str() {
        Some(zone) => zone.to_owned(),
        None => zone_name(vm, dst > 0),
    };
    let offset = match attribute(vm, value, "_gmtoff") {
        Value::Int(offset) => offset,
        _ => local_offset(vm, dst > 0),
    };
    Ok(Calendar { year, month, day, hour, minute, second, weekday, yearday, dst, zone, offset })
}

pub fn now_local(vm: &Vm) -> R<Calendar> {
    calendar(vm, seconds(vm, &Value::None)?, &local_zone(vm), false)
}

pub fn time_gmtime(vm: &Vm, given: &Value) -> R {
    let seconds = seconds(vm, given)?;
    let mut of = calendar(vm, seconds, &TimeZone::UTC, true)?;
    of.zone = "GMT".to_owned();
    to_value(vm, &of)
}

pub fn time_localtime(vm: &Vm, given: &Value) -> R {
    let seconds = seconds(vm, given)?;
    to_value(vm, &calendar(vm, seconds, &local_zone(vm), false)?)
}

pub fn time_ctime(vm: &Vm, given: &Value) -> R<String> {
    let seconds = seconds(vm, given)?;
    Ok(super::format::asctime(&calendar(vm, seconds, &local_zone(vm), false)?))
}

pub fn time_mktime(vm: &Vm, given: &Value) -> R<f64> {
    let of = from_value(vm, "mktime", given)?;
    // Fields may lie outside of their ranges: days and seconds beyond are carried.
    let months = of.year.saturating_mul(12).saturating_add(of.month - 1);
    let (Ok(year), month) = (i16::try_from(months.div_euclid(12)), months.rem_euclid(12) as i8 + 1) else {
        return Err(vm.overflow_error("mktime argument out of range"));
    };
    let moment = (|| {
        let first = Date::new(year, month, 1).ok()?.to_datetime(jiff::civil::Time::midnight());
        let carried = jiff::Span::new()
            .try_days(of.day - 1)
            .ok()?
            .try_hours(of.hour)
            .ok()?
            .try_minutes(of.minute)
            .ok()?
            .try_seconds(of.second)
            .ok()?;
        let civil: DateTime = first.checked_add(carried).ok()?;
        local_zone(vm).to_ambiguous_timestamp(civil).compatible().ok()
    })();
    match moment {
        Some(moment) => Ok(moment.as_second() as f64),
        None => Err(vm.overflow_error("mktime argument out of range")),
    }
}

/// Names and offsets of the local zone's standard and summer times: `tzname`, `timezone`, `daylight`, `altzone`.
pub fn zone_facts(vm: &Vm) -> (Value, i64, i64, i64) {
    let (standard, summer) = (zone_name(vm, false), zone_name(vm, true));
    let names = vm.heap.tuple([vm.str_value(&standard), vm.str_value(&summer)]);
    let (west, alternative) = (-local_offset(vm, false), -local_offset(vm, true));
    (names.into(), west, i64::from(standard != summer), alternative)
}

/// What the zone has in January or July of a year of our time, whichever has summer time or not.
fn half_year(vm: &Vm, summer: bool) -> (String, i64) {
    let zone = local_zone(vm);
    let half = |month| {
        let civil = Date::new(2024, month, 15).ok()?.to_datetime(jiff::civil::Time::midnight());
        let moment = zone.to_ambiguous_timestamp(civil).compatible().ok()?;
        let info = zone.to_offset_info(moment);
        Some((info.dst() == Dst::Yes, info.abbreviation().to_owned(), i64::from(info.offset().seconds())))
    };
    let halves = [half(1), half(7)];
    let wanted = halves.iter().flatten().find(|(dst, ..)| *dst == summer).or_else(|| halves.iter().flatten().next());
    wanted.map_or_else(|| ("UTC".to_owned(), 0), |(_, name, offset)| (name.clone(), *offset))
}

fn zone_name(vm: &Vm, summer: bool) -> String {
    half_year(vm, summer).0
}

fn local_offset(vm: &Vm, summer: bool) -> i64 {
    half_year(vm, summer).1
}

/// The weekday of a date, Monday being 0, for dates that `strftime` is given without one.
pub fn weekday_name(index: i64) -> &'static str {
    match Weekday::from_monday_zero_offset(index.rem_euclid(7) as i8) {
        Ok(Weekday::Monday) => "Monday",
        Ok(Weekday::Tuesday) => "Tuesday",
        Ok(Weekday::Wednesday) => "Wednesday",
        Ok(Weekday::Thursday) => "Thursday",
        Ok(Weekday::Friday) => "Friday",
        Ok(Weekday::Saturday) => "Saturday",
        _ => "Sunday",
    }
}
