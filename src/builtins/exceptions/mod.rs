//! Exceptions: what all have in common. Attributes of particular classes are in `fields.rs`, `OSError` in `os.rs`, groups in
//! `group.rs`.

mod fields;
mod group;
mod os;

use crate::native::define_methods;
use crate::rows;
use crate::value::{Base, Class, Exception, Kind, List, R, Ref, Str, Value};
use crate::vm::traceback::Traceback;
use crate::vm::{Args, Vm};

pub fn install(vm: &Vm) {
    define_methods(
        vm,
        &vm.types.base_exception,
        &rows![
            raw "__new__", "*args, **kwargs" => new;
            raw "__init__", "*args" => init;
            "__str__", "/" => str_(0);
            "__repr__", "/" => repr(0);
            "__reduce__", "/" => reduce(0);
            "__setstate__", "state, /" => set_state(0 1);
            "add_note", "note, /" => add_note(0 1);
            "with_traceback", "tb, /" => with_traceback(0 1);
            get "args" => args(0), set set_args(0 1);
            get "__cause__" => cause(0), set set_cause(0 1);
            get "__context__" => context(0), set set_context(0 1);
            get "__traceback__" => traceback(0), set set_traceback(0 1);
            get "__suppress_context__" => suppress_context(0), set set_suppress_context(0 1);
        ],
    );
    define_methods(vm, &vm.types.key_error, &rows!["__str__", "/" => key_error_str(0);]);
    fields::install(vm);
    os::install(vm);
    group::install(vm);
}

/// The class in the first argument of a `__new__`, and the rest.
fn split_class<'a>(vm: &Vm, args: Args<'a>) -> R<(&'a Ref<Class>, &'a [Value])> {
    let Some((first, rest)) = args.positional.split_first() else {
        return Err(vm.type_error("BaseException.__new__(): not enough arguments"));
    };
    match first.downcast::<Class>() {
        Some(class) if class.base == Base::Exception => Ok((class, rest)),
        Some(class) => {
            let name = class.name();
            let name = name.as_str();
            Err(vm.type_error(format!("BaseException.__new__({name}): {name} is not a subtype of BaseException")))
        }
        None => {
            let given = vm.class_of(first).name();
            Err(vm.type_error(format!("BaseException.__new__(X): X is not a type object ({})", given.as_str())))
        }
    }
}

/// An exception object of a class, which may have been written in a script.
fn make(vm: &Vm, class: &Ref<Class>, args: &[Value]) -> Ref<Exception> {
    let made = vm.heap.alloc(Exception::new(class.clone(), Value::from(vm.heap.tuple(args))));
    if class.is_script && !class.lookup(&vm.n.__del__).is_undef() {
        made.as_obj().request_finalizer();
    }
    made
}

fn new(vm: &Vm, args: Args<'_>) -> R {
    let (class, rest) = split_class(vm, args)?;
    Ok(Value::from(make(vm, class, rest)))
}

fn split_this<'a>(vm: &Vm, args: Args<'a>) -> R<(&'a Ref<Exception>, &'a [Value])> {
    match args.positional.split_first() {
        Some((this, rest)) => match this.downcast::<Exception>() {
            Some(exception) => Ok((exception, rest)),
            None => {
                let given = vm.class_of(this).name();
                Err(vm.type_error(format!(
                    "descriptor '__init__' requires a 'BaseException' object but received a '{}'",
                    given.as_str()
                )))
            }
        },
        None => Err(vm.type_error("descriptor '__init__' of 'BaseException' object needs an argument")),
    }
}

/// Refuses keyword arguments.
fn no_keywords(vm: &Vm, this: &Ref<Exception>, args: Args<'_>) -> R<()> {
    if args.keywords.is_empty() {
        return Ok(());
    }
    let name = this.class.get().name();
    Err(vm.type_error(format!("{}() takes no keyword arguments", name.as_str())))
}

fn init(vm: &Vm, args: Args<'_>) -> R {
    let (this, rest) = split_this(vm, args)?;
    no_keywords(vm, this, args)?;
    this.args.set(Value::from(vm.heap.tuple(rest)));
    Ok(Value::None)
}

/// The arguments as a vector.
fn args_of(this: &Ref<Exception>) -> Vec<Value> {
    this.args.get().as_tuple().map(<[Value]>::to_vec).unwrap_or_default()
}

/// What `BaseException.__str__` does: nothing, the one argument, or all of them.
fn str_(vm: &Vm, this: &Ref<Exception>) -> R<Ref<Str>> {
    match args_of(this).as_slice() {
        [] => Ok(vm.heap.str("")),
        [one] => vm.str(one),
        _ => vm.repr(&this.args.get()),
    }
}

fn repr(vm: &Vm, this: &Ref<Exception>) -> R<String> {
    let mut text = this.class.get().name().as_str().to_owned();
    match args_of(this).as_slice() {
        [one] => {
            text.push('(');
            vm.write_repr(&mut text, one)?;
            text.push(')');
        }
        _ => vm.write_repr(&mut text, &this.args.get())?,
    }
    Ok(text)
}

fn key_error_str(vm: &Vm, this: &Ref<Exception>) -> R<Ref<Str>> {
    match args_of(this).as_slice() {
        [key] => vm.repr(key),
        _ => str_(vm, this),
    }
}

fn reduce(vm: &Vm, this: &Ref<Exception>) -> R {
    let mut parts = vec![Value::from(this.class.get()), this.args.get()];
    if let Some(dict) = this.attributes.get()
        && !dict.is_empty()
    {
        parts.push(Value::from(dict));
    }
    Ok(Value::from(vm.heap.tuple(parts)))
}

fn set_state(vm: &Vm, this: &Value, state: &Value) -> R<()> {
    if state.is_none() {
        return Ok(());
    }
    let Some(dict) = state.payload::<crate::value::Dict>() else { return Err(vm.type_error("state is not a dictionary")) };
    for (name, value) in dict.to_vec() {
        vm.set_attr(this, &super::object::attribute_name(vm, &name)?, value)?;
    }
    Ok(())
}

fn add_note(vm: &Vm, this: &Ref<Exception>, note: &Value) -> R<()> {
    let Some(text) = note.as_str() else {
        let given = vm.class_of(note).name();
        return Err(vm.type_error(format!("note must be a str, not '{}'", given.as_str())));
    };
    let known = this.attributes.get().and_then(|dict| dict.get_str(&vm.n.__notes__));
    if known.is_some_and(|notes| notes.payload::<List>().is_none()) {
        return Err(vm.type_error("Cannot add note: __notes__ is not a list"));
    }
    let _ = text;
    match this.attributes.get().and_then(|dict| dict.get_str(&vm.n.__notes__)) {
        Some(notes) => {
            if let Some(notes) = notes.payload::<List>() {
                notes.push(note.clone());
            }
        }
        None => vm.exception_dict(this).set_str(&vm.n.__notes__, Value::from(vm.heap.list(vec![note.clone()]))),
    }
    Ok(())
}

fn with_traceback(vm: &Vm, this: &Value, traceback: &Value) -> R {
    if let Some(exception) = this.downcast::<Exception>() {
        set_traceback(vm, exception, traceback)?;
    }
    Ok(this.clone())
}

fn args(_vm: &Vm, this: &Ref<Exception>) -> Value {
    this.args.get()
}

fn set_args(vm: &Vm, this: &Ref<Exception>, value: &Value) -> R<()> {
    if value.is_undef() {
        return Err(vm.type_error("args may not be deleted"));
    }
    let items = vm.collect(value)?;
    this.args.set(Value::from(vm.heap.tuple(items)));
    Ok(())
}

fn is_exception(value: &Value) -> bool {
    value.is_none() || value.kind() == Kind::Exception
}

fn cause(_vm: &Vm, this: &Ref<Exception>) -> Value {
    this.cause.get()
}

fn set_cause(vm: &Vm, this: &Ref<Exception>, value: &Value) -> R<()> {
    if value.is_undef() {
        return Err(vm.type_error("__cause__ may not be deleted"));
    }
    if !is_exception(value) {
        return Err(vm.type_error("exception cause must be None or derive from BaseException"));
    }
    this.cause.set(value.clone());
    this.suppress_context.set(true);
    Ok(())
}

fn context(_vm: &Vm, this: &Ref<Exception>) -> Value {
    this.context.get()
}

fn set_context(vm: &Vm, this: &Ref<Exception>, value: &Value) -> R<()> {
    if value.is_undef() {
        return Err(vm.type_error("__context__ may not be deleted"));
    }
    if !is_exception(value) {
        return Err(vm.type_error("exception context must be None or derive from BaseException"));
    }
    this.context.set(value.clone());
    Ok(())
}

fn traceback(_vm: &Vm, this: &Ref<Exception>) -> Value {
    this.traceback.get()
}

fn set_traceback(vm: &Vm, this: &Ref<Exception>, value: &Value) -> R<()> {
    if value.is_undef() {
        return Err(vm.type_error("__traceback__ may not be deleted"));
    }
    if !value.is_none() && value.downcast::<Traceback>().is_none() {
        return Err(vm.type_error("__traceback__ must be a traceback or None"));
    }
    this.traceback.set(value.clone());
    Ok(())
}

fn suppress_context(_vm: &Vm, this: &Ref<Exception>) -> bool {
    this.suppress_context.get()
}

fn set_suppress_context(vm: &Vm, this: &Ref<Exception>, value: &Value) -> R<()> {
    match value {
        Value::Undef => Err(vm.type_error("can't delete numeric/char attribute")),
        Value::Bool(b) => {
            this.suppress_context.set(*b != 0);
            Ok(())
        }
        _ => Err(vm.type_error("attribute value type must be bool")),
    }
}
