//! `time`: clocks, calendars of a moment, and `sleep`.

mod calendar;
mod format;

use std::time::Duration;

use super::struct_sequence::struct_sequence_class;
use super::support::add;
use crate::native::{ModuleRow, define_methods, new_module};
use crate::rows;
use crate::sched;
use crate::value::{Class, Module, R, Ref, Value};
use crate::vm::Vm;
use calendar::*;
use format::{time_asctime, time_strftime};

pub const MODULE: ModuleRow = ModuleRow { name: "time", load };

/// The items of a `struct_time`.
const FIELDS: [&str; 9] = ["tm_year", "tm_mon", "tm_mday", "tm_hour", "tm_min", "tm_sec", "tm_wday", "tm_yday", "tm_isdst"];

fn load(vm: &Vm) -> R<Ref<Module>> {
    let module = new_module(
        vm,
        "time",
        "Functions to tell the time, and to wait.",
        &rows![
            "time", "" => time_time();
            "time_ns", "" => time_time_ns();
            "monotonic", "" => time_monotonic();
            "monotonic_ns", "" => time_monotonic_ns();
            "perf_counter", "" => time_monotonic();
            "perf_counter_ns", "" => time_monotonic_ns();
            "process_time", "" => time_process_time();
            "process_time_ns", "" => time_process_time_ns();
            "thread_time", "" => time_process_time();
            "thread_time_ns", "" => time_process_time_ns();
            "sleep", "seconds, /" => time_sleep(0);
            "gmtime", "seconds=None, /" => time_gmtime(0);
            "localtime", "seconds=None, /" => time_localtime(0);
            "mktime", "tuple, /" => time_mktime(0);
            "asctime", "tuple=None, /" => time_asctime(0);
            "ctime", "seconds=None, /" => time_ctime(0);
            "strftime", "format, tuple=None, /" => time_strftime(0 1);
            "strptime", "string, format='%a %b %d %H:%M:%S %Y', /" => time_strptime(0 1);
            "get_clock_info", "name, /" => get_clock_info(0);
            "tzset", "" => tzset();
        ],
    );
    let class = struct_sequence_class(vm, "time", "struct_time", &FIELDS);
    define_methods(
        vm,
        &class,
        &rows![
            static "__new__", "cls, iterable, /" => struct_time_new(0 1);
            get "tm_zone" => tm_zone(0);
            get "tm_gmtoff" => tm_gmtoff(0);
        ],
    );
    class.dict.set_str(&vm.intern("n_fields"), Value::Int(11));
    add(vm, &module, "struct_time", Value::from(&class));
    let (names, seconds, daylight, alternative) = zone_facts(vm);
    add(vm, &module, "tzname", names);
    add(vm, &module, "timezone", Value::Int(seconds));
    add(vm, &module, "altzone", Value::Int(alternative));
    add(vm, &module, "daylight", Value::Int(daylight));
    Ok(module)
}

/// By a script, which reads the fields by patterns.
fn time_strptime(vm: &Vm, text: &Value, format: &Value) -> R {
    let module = vm.import("_strptime", None, 0)?;
    let read = vm.get_attr(&module, &vm.intern("time_tuple"))?;
    let args = if format.is_undef() { vec![text.clone()] } else { vec![text.clone(), format.clone()] };
    vm.call(&read, &args)
}

/// The class of calendars of a moment, for other modules' functions too.
pub fn struct_time(vm: &Vm) -> R<Ref<Class>> {
    let module = vm.import("time", None, 0)?;
    let class = vm.get_attr(&module, &vm.intern("struct_time"))?;
    class.downcast::<Class>().cloned().ok_or_else(|| vm.type_error("time.struct_time is no class any more"))
}

/// The wall clock.
pub fn wall(vm: &Vm) -> R<Duration> {
    sched::of(vm).clock.wall(&*vm.host).map_err(|error| vm.io_error(error, None))
}

fn nanoseconds(vm: &Vm, time: Duration) -> Value {
    vm.heap.int128(time.as_nanos() as i128)
}

fn time_time(vm: &Vm) -> R<f64> {
    Ok(wall(vm)?.as_secs_f64())
}

fn time_time_ns(vm: &Vm) -> R {
    Ok(nanoseconds(vm, wall(vm)?))
}

fn time_monotonic(vm: &Vm) -> f64 {
    sched::now(vm)
}

fn time_monotonic_ns(vm: &Vm) -> Value {
    nanoseconds(vm, Duration::try_from_secs_f64(sched::now(vm)).unwrap_or_default())
}

fn cpu(vm: &Vm) -> R<Duration> {
    vm.host.cpu_time().map_err(|error| vm.io_error(error, None))
}

fn time_process_time(vm: &Vm) -> R<f64> {
    Ok(cpu(vm)?.as_secs_f64())
}

fn time_process_time_ns(vm: &Vm) -> R {
    Ok(nanoseconds(vm, cpu(vm)?))
}

fn time_sleep(vm: &Vm, seconds: &Value) -> R<()> {
    let seconds = match seconds {
        Value::Int(seconds) => *seconds as f64,
        seconds => match vm.to_f64(seconds) {
            Ok(seconds) => seconds,
            Err(_) if vm.raised_is(&vm.types.type_error) => {
                drop(vm.take_raised());
                let name = vm.class_of(seconds).name();
                return Err(vm.type_error(format!("'{}' object cannot be interpreted as an integer", name.as_str())));
            }
            Err(raised) => return Err(raised),
        },
    };
    if seconds.is_nan() {
        return Err(vm.value_error("Invalid value NaN (not a number)"));
    }
    if seconds < 0.0 {
        return Err(vm.value_error("sleep length must be non-negative"));
    }
    if seconds > 9.2e9 {
        return Err(vm.overflow_error("timestamp too large to convert to C PyTime_t"));
    }
    sched::threads::sleep(vm, seconds)
}

fn get_clock_info(vm: &Vm, name: &str) -> R {
    let (implementation, is_monotonic, adjustable) = match name {
        "time" => ("clock_gettime(CLOCK_REALTIME)", false, true),
        "monotonic" | "perf_counter" => ("clock_gettime(CLOCK_MONOTONIC)", true, false),
        "process_time" => ("clock_gettime(CLOCK_PROCESS_CPUTIME_ID)", true, false),
        "thread_time" => ("clock_gettime(CLOCK_THREAD_CPUTIME_ID)", true, false),
        _ => return Err(vm.value_error("unknown clock")),
    };
    let types = vm.import("types", None, 0)?;
    let namespace = vm.get_attr(&types, &vm.intern("SimpleNamespace"))?;
    let keywords = [
        (vm.intern("implementation"), vm.str_value(implementation)),
        (vm.intern("monotonic"), Value::bool(is_monotonic)),
        (vm.intern("adjustable"), Value::bool(adjustable)),
        (vm.intern("resolution"), Value::float(1e-9)),
    ];
    vm.call_with(&namespace, crate::vm::Args { positional: &[], keywords: &keywords })
}

fn tzset(_vm: &Vm) {}
