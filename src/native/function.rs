//! Rows, and the typed call behind each.

use std::borrow::Cow;
use std::cell::OnceCell;

use crate::value::{Base, Class, Payload, R, Ref, Shared, Value};
use crate::vm::Vm;
use crate::vm::function::{Args, AsyncEntry, Binding, NativeCode, NativeFunction};
use crate::vm::getset::{GetSet, Getter, Setter};
use crate::vm::iterate::NextHook;
use crate::vm::types::bare_class;

/// One native function: what a table holds.
#[derive(Clone, Copy)]
pub struct Row {
    /// The name in scripts.
    pub name: &'static str,
    /// The parameters in script syntax, without the receiver.
    pub signature: &'static str,
    /// The function.
    pub entry: Entry,
    /// How it is bound when it is looked up in a class (functions of modules are never bound).
    pub binding: Binding,
}

/// How the function of a row is entered; see `NativeCode`.
#[derive(Clone, Copy)]
pub enum Entry {
    Bound(fn(&Vm, &[Value]) -> R),
    Raw(fn(&Vm, Args<'_>) -> R),
    Async(AsyncEntry),
    /// A computed attribute: what reads it, and what sets it (or deletes it: the value is `Undef` then).
    Attribute(Getter, Option<Setter>),
}

/// A table of rows for functions with typed parameters. Behind the arrow: the Rust function, then in parentheses the numbers of
/// its parameters beside the `Vm` (the receiver of a method counts as 0).
///
/// ```text
/// rows![
///     "startswith", "prefix, start=0, end=None" => str_startswith(0 1 2 3);
///     raw "print", "*values, sep=' ', end='\n', file=None, flush=False" => print;
///     async "wait", "" => event_wait(0);
///     class "fromhex", "string, /" => bytes_fromhex(0 1);       // a class method: parameter 0 is the class
///     static "maketrans", "x, y=None, z=None, /" => str_maketrans(0 1 2);
///     get "real" => int_real(0);                                // a read-only attribute
///     get "args" => exception_args(0), set exception_set_args(0 1);   // fn(..) -> R<()>; the value is Undef for `del`
/// ]
/// ```
#[macro_export]
macro_rules! rows {
    (@acc [$($done:expr,)*]) => { [$($done),*] };
    (@acc [$($done:expr,)*] raw $name:literal, $signature:literal => $function:path; $($rest:tt)*) => {
        $crate::rows!(@acc [$($done,)* $crate::native::Row {
            name: $name, signature: $signature,
            entry: $crate::native::Entry::Raw($function),
            binding: $crate::vm::function::Binding::Method,
        },] $($rest)*)
    };
    (@acc [$($done:expr,)*] async $name:literal, $signature:literal => $function:ident($($index:tt)*); $($rest:tt)*) => {
        $crate::rows!(@acc [$($done,)* $crate::native::Row {
            name: $name, signature: $signature,
            entry: $crate::native::Entry::Async($crate::vm::function::AsyncEntry {
                make: |vm, args| {
                    let _ = args;
                    Ok(Box::new($function(vm, $($crate::native::FromValue::from_value(vm, &args[$index])?),*)?))
                },
                begin: |vm, args| {
                    let _ = args;
                    vm.begin_native($function(vm, $($crate::native::FromValue::from_value(vm, &args[$index])?),*)?)
                },
            }),
            binding: $crate::vm::function::Binding::Method,
        },] $($rest)*)
    };
    (@acc [$($done:expr,)*] get $name:literal => $getter:ident($($index:tt)*), set $setter:ident($($at:tt)*); $($rest:tt)*) => {
        $crate::rows!(@acc [$($done,)* $crate::rows!(@attribute $name, $getter, ($($index)*), Some(|vm, this, value| {
            let args = [this.clone(), value.clone()];
            $setter(vm, $($crate::native::FromValue::from_value(vm, &args[$at])?),*)
        })),] $($rest)*)
    };
    (@acc [$($done:expr,)*] get $name:literal => $getter:ident($($index:tt)*); $($rest:tt)*) => {
        $crate::rows!(@acc [$($done,)* $crate::rows!(@attribute $name, $getter, ($($index)*), None),] $($rest)*)
    };
    (@attribute $name:literal, $getter:ident, ($($index:tt)*), $set:expr) => {
        $crate::native::Row {
            name: $name, signature: "",
            entry: $crate::native::Entry::Attribute(|vm, this| {
                let args = std::slice::from_ref(this);
                $crate::native::IntoValue::into_result($getter(vm, $($crate::native::FromValue::from_value(vm, &args[$index])?),*), vm)
            }, $set),
            binding: $crate::vm::function::Binding::Method,
        }
    };
    (@acc [$($done:expr,)*] class $name:literal, $signature:literal => $function:ident($($index:tt)*); $($rest:tt)*) => {
        $crate::rows!(@acc [$($done,)* $crate::rows!(@bound Class, $name, $signature, $function, $($index)*),] $($rest)*)
    };
    (@acc [$($done:expr,)*] static $name:literal, $signature:literal => $function:ident($($index:tt)*); $($rest:tt)*) => {
        $crate::rows!(@acc [$($done,)* $crate::rows!(@bound Function, $name, $signature, $function, $($index)*),] $($rest)*)
    };
    (@acc [$($done:expr,)*] $name:literal, $signature:literal => $function:ident($($index:tt)*); $($rest:tt)*) => {
        $crate::rows!(@acc [$($done,)* $crate::rows!(@bound Method, $name, $signature, $function, $($index)*),] $($rest)*)
    };
    (@bound $binding:ident, $name:literal, $signature:literal, $function:ident, $($index:tt)*) => {
        $crate::native::Row {
            name: $name, signature: $signature,
            entry: $crate::native::Entry::Bound(|vm, args| {
                let _ = args;
                $crate::native::IntoValue::into_result($function(vm, $($crate::native::FromValue::from_value(vm, &args[$index])?),*), vm)
            }),
            binding: $crate::vm::function::Binding::$binding,
        }
    };
    ($($rest:tt)*) => { $crate::rows!(@acc [] $($rest)*) };
}

/// The function object of a row. `owner` is the class of a method or the name of the module.
pub fn native_function(vm: &Vm, row: &Row, binding: Binding, owner: Value) -> Ref<NativeFunction> {
    let code = match row.entry {
        Entry::Bound(function) => NativeCode::Bound(function),
        Entry::Raw(function) => NativeCode::Raw(function),
        Entry::Async(function) => NativeCode::Async(function),
        Entry::Attribute(..) => unreachable!("attributes only stand in the tables of classes"),
    };
    // A constructor gets the class like any argument.
    let binding = if row.name == "__new__" { Binding::Function } else { binding };
    vm.heap.alloc(NativeFunction {
        name: vm.intern(row.name),
        signature_text: Cow::Borrowed(row.signature),
        signature: OnceCell::new(),
        arity: Default::default(),
        code,
        binding,
        owner: Shared::new(owner),
    })
}

/// Puts the functions of a table into a class as its methods.
pub fn define_methods(vm: &Vm, class: &Ref<Class>, rows: &[Row]) {
    for row in rows {
        let name = vm.intern(row.name);
        let value = match row.entry {
            Entry::Attribute(get, set) => {
                Value::from(vm.heap.alloc(GetSet { name: name.clone(), owner: class.clone(), get, set }))
            }
            _ => Value::from(native_function(vm, row, row.binding, Value::from(class))),
        };
        class.dict.set_str(&name, value);
    }
    vm.heap.bump_epoch();
}

/// The class of a library or host type `T`, derived from `object`, made with the module that has it. `module` is its `__module__`.
pub fn define_class<T: Payload>(vm: &Vm, module: &str, name: &str, rows: &[Row]) -> Ref<Class> {
    let index = T::class_index();
    if let Some(known) = vm.types.at(index) {
        return known;
    }
    let class = bare_class(&vm.heap, vm.names(), name, Base::Payload(index), &[&vm.types.object]);
    class.dict.set_str(&vm.n.__module__, vm.str_value(module));
    note_name(vm, &class, module);
    define_methods(vm, &class, rows);
    // Who can be equal without being the same has to say how to be hashed.
    if class.dict.get_str(&vm.n.__eq__).is_some() && class.dict.get_str(&vm.n.__hash__).is_none() {
        class.dict.set_str(&vm.n.__hash__, Value::None);
    }
    vm.types.set_at(index, class.clone());
    class
}

/// Classes that CPython's messages call by their module's name too: those that are written in C, of some modules.
const KNOWN_WITH_MODULE: [&str; 20] = [
    "array.array",
    "collections.deque",
    "collections.defaultdict",
    "collections.OrderedDict",
    "datetime.date",
    "datetime.datetime",
    "datetime.time",
    "datetime.timedelta",
    "datetime.timezone",
    "datetime.tzinfo",
    "functools.partial",
    "functools._lru_cache_wrapper",
    "re.Pattern",
    "re.Match",
    "_struct.Struct",
    "_contextvars.ContextVar",
    "time.struct_time",
    "types.SimpleNamespace",
    "types.GenericAlias",
    "types.UnionType",
];
/// Modules of which that is true of all classes.
const KNOWN_MODULES: [&str; 7] = ["itertools", "operator", "_io", "_thread", "weakref", "_asyncio", "sys"];

/// Notes the name of a class that messages tell with its module.
pub fn note_name(vm: &Vm, class: &Ref<Class>, module: &str) {
    let name = format!("{module}.{}", class.own_name().as_str());
    if KNOWN_MODULES.contains(&module) || KNOWN_WITH_MODULE.contains(&name.as_str()) {
        class.name_in_messages.set(Some(vm.intern(&name)));
    }
}

/// Makes a class an iterator in the short way: `next` gives the items, and nothing at the end, without an exception. Adds
/// `__iter__` and `__next__`.
pub fn define_iterator<T: Payload>(vm: &Vm, class: &Ref<Class>, next: NextHook) {
    vm.set_next_hook(T::class_index(), next);
    define_methods(vm, class, &crate::rows!["__iter__", "/" => itself(0); "__next__", "/" => next_item(0);]);
}

fn itself(_vm: &Vm, this: &Value) -> Value {
    this.clone()
}

fn next_item(vm: &Vm, this: &Value) -> R {
    match vm.next(this.unwrapped())? {
        Some(item) => Ok(item),
        None => Err(vm.stop_iteration(Value::None)),
    }
}
