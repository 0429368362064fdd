//! `traceback`: the texts of exceptions come from `vm/traceback.rs`; the module's functions are a script over them.

use super::support::run_script;
use crate::native::{ModuleRow, new_module};
use crate::rows;
use crate::value::{Module, R, Ref, Value};
use crate::vm::Vm;
use crate::vm::traceback::{entries, format_entries, format_entry, format_exception, format_exception_only};

pub const MODULE: ModuleRow = ModuleRow { name: "traceback", load };

fn load(vm: &Vm) -> R<Ref<Module>> {
    let module = new_module(
        vm,
        "traceback",
        "Extract, format and print exceptions and their tracebacks.",
        &rows![
            "_format_exception", "exception" => exception_lines(0);
            "_format_exception_only", "exception" => exception_only_lines(0);
            "_format_tb", "traceback" => traceback_lines(0);
            "_entries", "traceback" => entry_list(0);
        ],
    );
    run_script(vm, &module, include_str!("traceback.script"))?;
    Ok(module)
}

/// The lines of a text, each with its line end, as strings of a list: the lines of one entry together.
fn lines(vm: &Vm, text: &str) -> Value {
    let mut parts: Vec<String> = Vec::new();
    for line in text.split_inclusive('\n') {
        let begins = !line.starts_with("    ") || parts.is_empty();
        match parts.last_mut() {
            Some(last) if !begins => last.push_str(line),
            _ => parts.push(line.to_owned()),
        }
    }
    let items = parts.into_iter().map(|part| Value::from(vm.heap.string(part))).collect();
    vm.heap.list(items).into()
}

fn exception_lines(vm: &Vm, exception: &Value) -> Value {
    lines(vm, &format_exception(vm, exception))
}

fn exception_only_lines(vm: &Vm, exception: &Value) -> Value {
    lines(vm, &format_exception_only(vm, exception))
}

fn traceback_lines(vm: &Vm, traceback: &Value) -> Value {
    let mut text = String::new();
    format_entries(traceback, &mut text);
    lines(vm, &text)
}

/// Tuples of file, line, function, source line, last line, first and last column in bytes, and the text of it all.
fn entry_list(vm: &Vm, traceback: &Value) -> Value {
    let all = entries(traceback);
    let items = all.iter().map(|entry| {
        let source = &entry.info.source;
        let text = source.line(entry.line()).unwrap_or_default().trim();
        let span = entry.span;
        let last = source.line_number(span.end);
        let column = |offset: u32, line: u32| source.line_span(line).map_or(0, |line| offset.saturating_sub(line.start));
        let mut shown = String::new();
        format_entry(entry, &mut shown);
        let parts = [
            vm.str_value(source.name()),
            Value::Int(entry.line().into()),
            vm.str_value(&entry.info.name),
            vm.str_value(text),
            Value::Int(last.into()),
            Value::Int(column(span.start, entry.line()).into()),
            Value::Int(column(span.end, last).into()),
            vm.str_value(&shown),
        ];
        Value::from(vm.heap.tuple(parts))
    });
    vm.heap.list(items.collect()).into()
}
