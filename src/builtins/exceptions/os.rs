//! `OSError`: the error number chooses the class.

use super::fields::{get, set};
use super::{args_of, make, split_class, split_this, str_};
use crate::native::define_methods;
use crate::rows;
use crate::value::{Class, Exception, R, Ref, Value};
use crate::vm::{Args, Vm};

pub fn install(vm: &Vm) {
    define_methods(
        vm,
        &vm.types.os_error,
        &rows![
            raw "__new__", "*args" => new;
            raw "__init__", "*args" => init;
            "__str__", "/" => text(0);
            get "errno" => errno(0), set set_errno(0 1);
            get "strerror" => strerror(0), set set_strerror(0 1);
            get "filename" => filename(0), set set_filename(0 1);
            get "filename2" => filename2(0), set set_filename2(0 1);
            get "characters_written" => characters_written(0), set set_characters_written(0 1);
        ],
    );
}

fn new(vm: &Vm, args: Args<'_>) -> R {
    let (class, rest) = split_class(vm, args)?;
    if !args.keywords.is_empty() && !class.is_script {
        return Err(vm.type_error(format!("{}() takes no keyword arguments", class.name().as_str())));
    }
    let mut class = class.clone();
    if class.is(&vm.types.os_error)
        && let [Value::Int(number), _, ..] = rest
        && rest.len() <= 5
        && let Some(better) = class_of_number(vm, *number)
    {
        class = better.clone();
    }
    let made = make(vm, &class, rest);
    keep(vm, &made, rest);
    Ok(Value::from(made))
}

/// With two to five arguments: error number, text, file name, (nothing,) second file name. Only the first two stay arguments.
fn keep(vm: &Vm, made: &Ref<Exception>, args: &[Value]) {
    let (2..=5) = args.len() else {
        made.args.set(Value::from(vm.heap.tuple(args)));
        made.fields.set(vec![Value::None; 4].into());
        return;
    };
    let at = |index: usize| args.get(index).cloned().unwrap_or(Value::None);
    if made.class.get().is_subclass(&vm.types.blocking_io_error) && is_count(vm, &at(2)) {
        made.fields.set(vec![at(0), at(1), Value::None, at(4), at(2)].into());
        made.args.set(Value::from(vm.heap.tuple(args)));
        return;
    }
    made.fields.set(vec![at(0), at(1), at(2), at(4)].into());
    let shown = if at(2).is_none() { args } else { &args[..2] };
    made.args.set(Value::from(vm.heap.tuple(shown)));
}

fn init(vm: &Vm, args: Args<'_>) -> R {
    let (this, rest) = split_this(vm, args)?;
    super::no_keywords(vm, this, args)?;
    // `__new__` has done it all, unless a script's own `__new__` or `__init__` gave other arguments.
    let class = this.class.get();
    if class.is_script {
        keep(vm, this, rest);
    }
    Ok(Value::None)
}

/// The class for an error number of the system.
fn class_of_number(vm: &Vm, number: i64) -> Option<&Ref<Class>> {
    let types = &vm.types;
    Some(match number {
        1 | 13 => &types.permission_error,
        2 => &types.file_not_found_error,
        3 => &types.process_lookup_error,
        4 => &types.interrupted_error,
        10 => &types.child_process_error,
        11 | 114 | 115 => &types.blocking_io_error,
        17 => &types.file_exists_error,
        20 => &types.not_a_directory_error,
        21 => &types.is_a_directory_error,
        32 | 108 => &types.broken_pipe_error,
        103 => &types.connection_aborted_error,
        104 => &types.connection_reset_error,
        110 => &types.timeout_error,
        111 => &types.connection_refused_error,
        _ => return None,
    })
}

fn text(vm: &Vm, this: &Ref<Exception>) -> R<String> {
    let (errno, strerror) = (get(vm, this, 0), get(vm, this, 1));
    let (filename, filename2) = (get(vm, this, 2), get(vm, this, 3));
    if !filename.is_none() {
        let mut text = format!("[Errno {}] {}: ", vm.str(&errno)?.as_str(), vm.str(&strerror)?.as_str());
        vm.write_repr(&mut text, &filename)?;
        if !filename2.is_none() {
            text.push_str(" -> ");
            vm.write_repr(&mut text, &filename2)?;
        }
        return Ok(text);
    }
    if args_of(this).len() >= 2 && !errno.is_none() && !strerror.is_none() {
        return Ok(format!("[Errno {}] {}", vm.str(&errno)?.as_str(), vm.str(&strerror)?.as_str()));
    }
    Ok(str_(vm, this)?.as_str().to_owned())
}

/// Whether the third argument of a `BlockingIOError` is no file name but how much was written.
pub fn is_count(vm: &Vm, value: &Value) -> bool {
    vm.has_index(value)
}

fn characters_written(vm: &Vm, this: &Ref<Exception>) -> R {
    match get(vm, this, 4) {
        Value::None => Err(vm.attribute_error("characters_written")),
        count => Ok(count),
    }
}

fn set_characters_written(vm: &Vm, this: &Ref<Exception>, value: &Value) -> R<()> {
    if value.is_undef() {
        characters_written(vm, this)?;
        set(vm, this, 4, Value::None);
        return Ok(());
    }
    let count = vm.index(value)?;
    set(vm, this, 4, count);
    Ok(())
}

macro_rules! accessors {
    ($($getter:ident $setter:ident $index:literal,)*) => {
        $(
            fn $getter(vm: &Vm, this: &Ref<Exception>) -> Value {
                get(vm, this, $index)
            }

            fn $setter(vm: &Vm, this: &Ref<Exception>, value: Value) -> R<()> {
                set(vm, this, $index, value);
                Ok(())
            }
        )*
    };
}

accessors! {
    errno set_errno 0,
    strerror set_strerror 1,
    filename set_filename 2,
    filename2 set_filename2 3,
}
