//! `bytes` and `bytearray`: construction, and the methods that both have; what only a `bytearray` can do is in `bytearray.rs`.

mod bytearray;
pub mod hexadecimal;
mod layout;
mod letters;
mod search;
mod split;

use super::codecs;
use crate::native::{FromValue, Row, define_methods};
use crate::rows;
use crate::value::{ByteArray, Bytes, Class, R, Raised, Ref, Str, Value};
use crate::vm::format::percent_bytes;
use crate::vm::{Vm, binary};

use hexadecimal::{bytearray_fromhex, bytes_fromhex, hex};
use layout::{center, expandtabs, join, ljust, maketrans, rjust, translate, zfill};
use letters::{
    capitalize, is_alnum, is_alpha, is_ascii, is_digit, is_lower, is_space, is_title, is_upper, lower, swapcase, title, upper,
};
use search::{count, endswith, find, index, removeprefix, removesuffix, replace, rfind, rindex, startswith};
use split::{lstrip, partition, rpartition, rsplit, rstrip, split, splitlines, strip};

/// Fills both classes in.
pub fn install(vm: &Vm) {
    for class in [&vm.types.bytes, &vm.types.bytearray] {
        define_methods(vm, class, &SHARED);
    }
    define_methods(
        vm,
        &vm.types.bytes,
        &rows![
            static "__new__", "cls, source=b'', encoding='', errors=''" => new_bytes(0 1 2 3);
            class "fromhex", "string, /" => bytes_fromhex(0 1);
            "__bytes__", "" => to_bytes(0);
            "__getnewargs__", "" => new_args(0);
        ],
    );
    bytearray::install(vm);
    define_methods(vm, &vm.types.bytearray, &rows![class "fromhex", "string, /" => bytearray_fromhex(0 1);]);
}

static SHARED: [Row; 43] = rows![
    "capitalize", "" => capitalize(0);
    "center", "width, fillchar=b' ', /" => center(0 1 2);
    "count", "sub, start=None, end=None, /" => count(0 1 2 3);
    "decode", "encoding='utf-8', errors='strict'" => decode(0 1 2);
    "endswith", "suffix, start=None, end=None, /" => endswith(0 1 2 3);
    "expandtabs", "tabsize=8" => expandtabs(0 1);
    "find", "sub, start=None, end=None, /" => find(0 1 2 3);
    "hex", "sep=None, bytes_per_sep=1" => hex(0 1 2);
    "index", "sub, start=None, end=None, /" => index(0 1 2 3);
    "isalnum", "" => is_alnum(0);
    "isalpha", "" => is_alpha(0);
    "isascii", "" => is_ascii(0);
    "isdigit", "" => is_digit(0);
    "islower", "" => is_lower(0);
    "isspace", "" => is_space(0);
    "istitle", "" => is_title(0);
    "isupper", "" => is_upper(0);
    "join", "iterable_of_bytes, /" => join(0 1);
    "ljust", "width, fillchar=b' ', /" => ljust(0 1 2);
    "lower", "" => lower(0);
    "lstrip", "bytes=None, /" => lstrip(0 1);
    static "maketrans", "frm, to, /" => maketrans(0 1);
    "partition", "sep, /" => partition(0 1);
    "removeprefix", "prefix, /" => removeprefix(0 1);
    "removesuffix", "suffix, /" => removesuffix(0 1);
    "replace", "old, new, count=-1, /" => replace(0 1 2 3);
    "rfind", "sub, start=None, end=None, /" => rfind(0 1 2 3);
    "rindex", "sub, start=None, end=None, /" => rindex(0 1 2 3);
    "rjust", "width, fillchar=b' ', /" => rjust(0 1 2);
    "rpartition", "sep, /" => rpartition(0 1);
    "rsplit", "sep=None, maxsplit=-1" => rsplit(0 1 2);
    "rstrip", "bytes=None, /" => rstrip(0 1);
    "split", "sep=None, maxsplit=-1" => split(0 1 2);
    "splitlines", "keepends=False" => splitlines(0 1);
    "startswith", "prefix, start=None, end=None, /" => startswith(0 1 2 3);
    "strip", "bytes=None, /" => strip(0 1);
    "swapcase", "" => swapcase(0);
    "title", "" => title(0);
    "translate", "table, /, delete=b''" => translate(0 1 2);
    "upper", "" => upper(0);
    "zfill", "width, /" => zfill(0 1);
    "__mod__", "value, /" => modulo(0 1);
    "__rmod__", "value, /" => reflected_modulo(0 1);
];

/// The receiver of a method: `bytes`, a `bytearray`, or an instance of a class derived from one.
#[derive(Clone, Copy)]
enum Data<'a> {
    Fixed(&'a Ref<Bytes>),
    Array(&'a Ref<ByteArray>),
}

impl<'a> FromValue<'a> for Data<'a> {
    fn from_value(vm: &Vm, value: &'a Value) -> R<Self> {
        if let Some(bytes) = value.payload::<Bytes>() {
            return Ok(Data::Fixed(bytes));
        }
        match value.payload::<ByteArray>() {
            Some(array) => Ok(Data::Array(array)),
            None => Err(not_bytes(vm, value)),
        }
    }
}

impl Data<'_> {
    /// Reads the bytes. The closure runs no script code (so it charges nothing).
    fn with<U>(self, read: impl FnOnce(&[u8]) -> U) -> U {
        match self {
            Data::Fixed(bytes) => read(bytes.data()),
            Data::Array(array) => array.with(read),
        }
    }

    fn len(self) -> usize {
        self.with(<[u8]>::len)
    }

    /// Bytes in the type of the receiver.
    fn made(self, vm: &Vm, data: Vec<u8>) -> Value {
        match self {
            Data::Fixed(_) => Value::from(vm.heap.bytes_object(data)),
            Data::Array(_) => Value::from(vm.heap.bytearray(data)),
        }
    }

    /// The receiver itself if it is of class `bytes`, else a copy.
    fn itself(self, vm: &Vm) -> Value {
        match self {
            Data::Fixed(bytes) => Value::from(bytes),
            Data::Array(_) => self.made(vm, self.with(<[u8]>::to_vec)),
        }
    }
}

#[cold]
fn not_bytes(vm: &Vm, value: &Value) -> Raised {
    let class = vm.class_of(value).name();
    vm.type_error(format!("a bytes-like object is required, not '{}'", class.as_str()))
}

/// A bytes-like argument.
fn bytes_argument(vm: &Vm, value: &Value) -> R<Vec<u8>> {
    binary::bytes_of(value).ok_or_else(|| not_bytes(vm, value))
}

fn new_bytes(vm: &Vm, class: &Ref<Class>, source: &Value, encoding: &Value, errors: &Value) -> R {
    if encoding.is_undef() && errors.is_undef() && source.downcast::<Bytes>().is_some() {
        return vm.wrap_new(class, source.clone());
    }
    let data = contents(vm, "bytes", source, encoding, errors)?;
    vm.wrap_new(class, Value::from(vm.heap.bytes_object(data)))
}

/// The bytes that a constructor is asked for.
fn contents(vm: &Vm, name: &str, source: &Value, encoding: &Value, errors: &Value) -> R<Vec<u8>> {
    if let Some(text) = source.payload::<Str>() {
        if encoding.is_undef() {
            return Err(vm.type_error("string argument without an encoding"));
        }
        let encoding = codecs::argument(vm, encoding, name, "encoding", "utf-8")?;
        let errors = codecs::argument(vm, errors, name, "errors", "strict")?;
        return codecs::encode(vm, text, encoding, errors);
    }
    codecs::argument(vm, encoding, name, "encoding", "utf-8")?;
    codecs::argument(vm, errors, name, "errors", "strict")?;
    if !encoding.is_undef() {
        return Err(vm.type_error("encoding without a string argument"));
    }
    if !errors.is_undef() {
        return Err(vm.type_error("errors without a string argument"));
    }
    if source.is_undef() {
        return Ok(Vec::new());
    }
    if let Some(length) = binary::length(source) {
        vm.check_alloc(length)?;
        return Ok(binary::bytes_of(source).unwrap_or_default());
    }
    if name == "bytes"
        && let Some(made) = vm.call_special(source, &vm.n.__bytes__, &[])?
    {
        if made.payload::<Bytes>().is_none() {
            let class = vm.class_of(&made).name();
            return Err(vm.type_error(format!("__bytes__ returned non-bytes (type {})", class.as_str())));
        }
        return Ok(binary::bytes_of(&made).unwrap_or_default());
    }
    if vm.has_index(source) {
        let count = match vm.index(source)? {
            Value::Int(count) => count,
            _ => {
                let class = vm.class_of(source).name();
                return Err(vm.overflow_error(format!("cannot fit '{}' into an index-sized integer", class.as_str())));
            }
        };
        let Ok(count) = usize::try_from(count) else { return Err(vm.value_error("negative count")) };
        vm.check_alloc(count)?;
        vm.charge((count / 16384) as u64)?;
        return Ok(vec![0; count]);
    }
    let class = vm.class_of(source).name();
    let collected = vm.collect_bytes(source, &format!("cannot convert '{}' object to {name}", class.as_str()));
    if name == "bytes" && collected.is_err() && vm.raised_is(&vm.types.value_error) {
        return Err(reworded(vm));
    }
    collected
}

/// `bytes` speaks of its items in the plural.
#[cold]
fn reworded(vm: &Vm) -> Raised {
    let exception = vm.take_raised();
    let is_ours = matches!(vm.str(&exception), Ok(text) if text.as_str() == "byte must be in range(0, 256)");
    if is_ours { vm.value_error("bytes must be in range(0, 256)") } else { vm.raise(exception) }
}

fn decode(vm: &Vm, this: Data<'_>, encoding: &Value, errors: &Value) -> R<String> {
    let encoding = codecs::argument(vm, encoding, "decode", "encoding", "utf-8")?;
    let errors = codecs::argument(vm, errors, "decode", "errors", "strict")?;
    match this {
        Data::Fixed(bytes) => codecs::decode(vm, bytes.data(), encoding, errors),
        Data::Array(array) => codecs::decode(vm, &array.with(<[u8]>::to_vec), encoding, errors),
    }
}

fn modulo(vm: &Vm, this: Data<'_>, values: &Value) -> R {
    let format = this.with(<[u8]>::to_vec);
    Ok(this.made(vm, percent_bytes(vm, &format, values)?))
}

fn reflected_modulo(vm: &Vm, values: &Value, format: &Value) -> R {
    match binary::bytes_of(format) {
        Some(data) => Ok(vm.bytes_like(format, percent_bytes(vm, &data, values)?)),
        None => Ok(Value::NotImplemented),
    }
}

fn to_bytes(vm: &Vm, this: Data<'_>) -> Value {
    this.itself(vm)
}

fn new_args(vm: &Vm, this: Data<'_>) -> Value {
    Value::from(vm.heap.tuple([this.itself(vm)]))
}
