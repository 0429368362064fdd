//! `str`: construction and the table of its methods, which are in the files beside this one by theme.

mod case;
mod classify;
mod layout;
mod search;
mod split;
mod tables;
mod translate;

use super::codecs;
use super::int::format as format_spec;
use crate::native::define_methods;
use crate::rows;
use crate::value::{Class, Dict, R, Raised, Ref, Str, Tuple, Value};
use crate::vm::format::{Fields, format_template, percent_str};
use crate::vm::{Vm, binary};

use case::{capitalize, casefold, lower, swapcase, title, upper};
use classify::{
    is_alnum, is_alpha, is_ascii, is_decimal, is_digit, is_identifier, is_lower, is_numeric, is_printable, is_space, is_title,
    is_upper,
};
use layout::{center, expandtabs, ljust, rjust, zfill};
pub(super) use search::{bound, clamp};
use search::{count, endswith, find, index, removeprefix, removesuffix, replace, rfind, rindex, startswith};
use split::{join, lstrip, partition, rpartition, rsplit, rstrip, split, splitlines, strip};
use translate::{maketrans, translate};

/// Fills the class in.
pub fn install(vm: &Vm) {
    define_methods(
        vm,
        &vm.types.str,
        &rows![
            static "__new__", "cls, object='', encoding='utf-8', errors='strict'" => new(0 1 2 3);
            "capitalize", "" => capitalize(0);
            "casefold", "" => casefold(0);
            "center", "width, fillchar=' ', /" => center(0 1 2);
            "count", "sub, start=None, end=None, /" => count(0 1 2 3);
            "encode", "encoding='utf-8', errors='strict'" => encode(0 1 2);
            "endswith", "suffix, start=None, end=None, /" => endswith(0 1 2 3);
            "expandtabs", "tabsize=8" => expandtabs(0 1);
            "find", "sub, start=None, end=None, /" => find(0 1 2 3);
            "format", "*args, **kwargs" => format(0 1 2);
            "format_map", "mapping, /" => format_map(0 1);
            "index", "sub, start=None, end=None, /" => index(0 1 2 3);
            "isalnum", "" => is_alnum(0);
            "isalpha", "" => is_alpha(0);
            "isascii", "" => is_ascii(0);
            "isdecimal", "" => is_decimal(0);
            "isdigit", "" => is_digit(0);
            "isidentifier", "" => is_identifier(0);
            "islower", "" => is_lower(0);
            "isnumeric", "" => is_numeric(0);
            "isprintable", "" => is_printable(0);
            "isspace", "" => is_space(0);
            "istitle", "" => is_title(0);
            "isupper", "" => is_upper(0);
            "join", "iterable, /" => join(0 1);
            "ljust", "width, fillchar=' ', /" => ljust(0 1 2);
            "lower", "" => lower(0);
            "lstrip", "chars=None, /" => lstrip(0 1);
            static "maketrans", "x, y=None, z=None, /" => maketrans(0 1 2);
            "partition", "sep, /" => partition(0 1);
            "removeprefix", "prefix, /" => removeprefix(0 1);
            "removesuffix", "suffix, /" => removesuffix(0 1);
            "replace", "old, new, count=-1, /" => replace(0 1 2 3);
            "rfind", "sub, start=None, end=None, /" => rfind(0 1 2 3);
            "rindex", "sub, start=None, end=None, /" => rindex(0 1 2 3);
            "rjust", "width, fillchar=' ', /" => rjust(0 1 2);
            "rpartition", "sep, /" => rpartition(0 1);
            "rsplit", "sep=None, maxsplit=-1" => rsplit(0 1 2);
            "rstrip", "chars=None, /" => rstrip(0 1);
            "split", "sep=None, maxsplit=-1" => split(0 1 2);
            "splitlines", "keepends=False" => splitlines(0 1);
            "startswith", "prefix, start=None, end=None, /" => startswith(0 1 2 3);
            "strip", "chars=None, /" => strip(0 1);
            "swapcase", "" => swapcase(0);
            "title", "" => title(0);
            "translate", "table, /" => translate(0 1);
            "upper", "" => upper(0);
            "zfill", "width, /" => zfill(0 1);
            "__format__", "format_spec, /" => format_spec(0 1);
            "__getnewargs__", "" => new_args(0);
            "__mod__", "value, /" => modulo(0 1);
            "__rmod__", "value, /" => reflected_modulo(0 1);
        ],
    );
}

fn new(vm: &Vm, class: &Ref<Class>, object: &Value, encoding: &Value, errors: &Value) -> R {
    let made = match object {
        Value::Undef => vm.str_value(""),
        object if encoding.is_undef() && errors.is_undef() => Value::from(vm.str(object)?),
        object => {
            let encoding = codecs::argument(vm, encoding, "str", "encoding", "utf-8")?;
            let errors = codecs::argument(vm, errors, "str", "errors", "strict")?;
            let Some(data) = binary::bytes_of(object) else {
                if object.payload::<Str>().is_some() {
                    return Err(vm.type_error("decoding str is not supported"));
                }
                let class = vm.class_of(object).name();
                let message = format!("decoding to str: need a bytes-like object, {} found", class.as_str());
                return Err(vm.type_error(message));
            };
            Value::from(vm.heap.string(codecs::decode(vm, &data, encoding, errors)?))
        }
    };
    vm.wrap_new(class, made)
}

fn encode(vm: &Vm, text: &Ref<Str>, encoding: &Value, errors: &Value) -> R {
    let encoding = codecs::argument(vm, encoding, "encode", "encoding", "utf-8")?;
    let errors = codecs::argument(vm, errors, "encode", "errors", "strict")?;
    let data = codecs::encode(vm, text, encoding, errors)?;
    Ok(Value::from(vm.heap.bytes_object(data)))
}

fn format(vm: &Vm, template: &Ref<Str>, args: &Ref<Tuple>, kwargs: &Ref<Dict>) -> R<Ref<Str>> {
    let fields = Fields::Arguments { positional: args.items(), keywords: kwargs };
    format_template(vm, template.as_str(), &fields)
}

fn format_map(vm: &Vm, template: &Ref<Str>, mapping: &Value) -> R<Ref<Str>> {
    format_template(vm, template.as_str(), &Fields::Mapping(mapping))
}

fn modulo(vm: &Vm, text: &Ref<Str>, values: &Value) -> R {
    percent_str(vm, text, values)
}

fn reflected_modulo(vm: &Vm, values: &Value, text: &Value) -> R {
    match text.payload::<Str>() {
        Some(text) => percent_str(vm, text, values),
        None => Ok(Value::NotImplemented),
    }
}

fn new_args(vm: &Vm, text: &Ref<Str>) -> Value {
    Value::from(vm.heap.tuple([vm.str_value(text.as_str())]))
}

/// The `TypeError` for an argument that is no string: `wanted` is the message up to the class.
#[cold]
fn refuse(vm: &Vm, wanted: &str, value: &Value) -> Raised {
    let class = vm.class_of(value).name();
    let given = if value.is_none() && wanted.contains("argument") { "None" } else { class.as_str() };
    vm.type_error(format!("{wanted}, not {given}"))
}

/// The text itself if it is of class `str`, else one with the same text.
fn plain(_vm: &Vm, text: &Ref<Str>) -> Value {
    // The receiver is always the text inside, never the instance of a derived class.
    Value::from(text)
}
