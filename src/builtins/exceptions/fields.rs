//! Attributes that particular exception classes have: `StopIteration.value`, `ImportError.name`, `UnicodeDecodeError.start` and so
//! on. Each class has a row of fields; as long as nobody sets one they follow from the arguments, so raising an exception from
//! native code needs nothing but its arguments.

use super::{args_of, no_keywords, split_this, str_};
use crate::native::define_methods;
use crate::rows;
use crate::value::{Bytes, Exception, Kind, R, Ref, Str, Value};
use crate::vm::{Args, Vm};

pub fn install(vm: &Vm) {
    let types = &vm.types;
    define_methods(vm, &types.stop_iteration, &rows![get "value" => field_0(0), set set_field_0(0 1);]);
    define_methods(vm, &types.system_exit, &rows![get "code" => field_0(0), set set_field_0(0 1);]);
    define_methods(
        vm,
        &types.import_error,
        &rows![
            raw "__init__", "*args, name=None, path=None, name_from=None" => import_error_init;
            "__str__", "/" => import_error_str(0);
            get "name" => field_0(0), set set_field_0(0 1);
            get "path" => field_1(0), set set_field_1(0 1);
            get "msg" => field_2(0), set set_field_2(0 1);
            get "name_from" => field_3(0), set set_field_3(0 1);
        ],
    );
    define_methods(
        vm,
        &types.name_error,
        &rows![raw "__init__", "*args, name=None" => name_error_init; get "name" => field_0(0), set set_field_0(0 1);],
    );
    define_methods(
        vm,
        &types.attribute_error,
        &rows![
            raw "__init__", "*args, name=None, obj=None" => attribute_error_init;
            get "name" => field_0(0), set set_field_0(0 1);
            get "obj" => field_1(0), set set_field_1(0 1);
        ],
    );
    for class in [&types.unicode_decode_error, &types.unicode_encode_error, &types.unicode_translate_error] {
        define_methods(
            vm,
            class,
            &rows![
                raw "__init__", "*args" => unicode_error_init;
                "__str__", "/" => unicode_error_str(0);
                get "encoding" => field_0(0), set set_field_0(0 1);
                get "object" => field_1(0), set set_field_1(0 1);
                get "start" => field_2(0), set set_field_2(0 1);
                get "end" => field_3(0), set set_field_3(0 1);
                get "reason" => field_4(0), set set_field_4(0 1);
            ],
        );
    }
    define_methods(
        vm,
        &types.syntax_error,
        &rows![
            raw "__init__", "*args" => syntax_error_init;
            "__str__", "/" => syntax_error_str(0);
            get "msg" => field_0(0), set set_field_0(0 1);
            get "filename" => field_1(0), set set_field_1(0 1);
            get "lineno" => field_2(0), set set_field_2(0 1);
            get "offset" => field_3(0), set set_field_3(0 1);
            get "text" => field_4(0), set set_field_4(0 1);
            get "end_lineno" => field_5(0), set set_field_5(0 1);
            get "end_offset" => field_6(0), set set_field_6(0 1);
            get "print_file_and_line" => field_7(0), set set_field_7(0 1);
        ],
    );
}

/// A field of an exception, `None` if it is not set.
pub fn get(vm: &Vm, this: &Ref<Exception>, index: usize) -> Value {
    let known = this.fields.with(|fields| if fields.is_empty() { None } else { Some(fields.get(index).cloned()) });
    let found = match known {
        Some(found) => found,
        None => from_args(vm, this).into_iter().nth(index),
    };
    found.filter(|value| !value.is_undef()).unwrap_or(Value::None)
}

/// Sets a field.
pub fn set(vm: &Vm, this: &Ref<Exception>, index: usize, value: Value) {
    let mut fields = this.fields.with(|fields| fields.to_vec());
    if fields.is_empty() {
        fields = from_args(vm, this);
    }
    if fields.len() <= index {
        fields.resize(index + 1, Value::None);
    }
    fields[index] = if value.is_undef() { Value::None } else { value };
    this.fields.set(fields.into());
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
    field_0 set_field_0 0,
    field_1 set_field_1 1,
    field_2 set_field_2 2,
    field_3 set_field_3 3,
    field_4 set_field_4 4,
    field_5 set_field_5 5,
    field_6 set_field_6 6,
    field_7 set_field_7 7,
}

/// What the fields are as the arguments have it.
fn from_args(vm: &Vm, this: &Ref<Exception>) -> Vec<Value> {
    let types = &vm.types;
    let class = this.class.get();
    let args = args_of(this);
    let is = |of: &Ref<crate::value::Class>| class.is_subclass(of);
    if is(&types.stop_iteration) {
        return vec![args.first().cloned().unwrap_or(Value::None)];
    }
    if is(&types.system_exit) {
        return vec![match args.len() {
            0 => Value::None,
            1 => args[0].clone(),
            _ => this.args.get(),
        }];
    }
    if is(&types.import_error) {
        let message = if args.len() == 1 { args[0].clone() } else { Value::None };
        return vec![Value::None, Value::None, message];
    }
    if is(&types.os_error) {
        return match args.len() {
            2..=5 => {
                let filename = args.get(2).cloned().unwrap_or(Value::None);
                let filename2 = args.get(4).cloned().unwrap_or(Value::None);
                if is(&types.blocking_io_error) && super::os::is_count(vm, &filename) {
                    return vec![args[0].clone(), args[1].clone(), Value::None, filename2, filename];
                }
                vec![args[0].clone(), args[1].clone(), filename, filename2]
            }
            _ => vec![Value::None; 4],
        };
    }
    if is(&types.unicode_translate_error) {
        let mut fields = vec![Value::None];
        fields.extend(args);
        return fields;
    }
    if is(&types.unicode_error) {
        return args;
    }
    if is(&types.syntax_error) {
        return syntax_fields(&args);
    }
    Vec::new()
}

/// `SyntaxError(message, (filename, line, offset, text, end_line, end_offset))`.
fn syntax_fields(args: &[Value]) -> Vec<Value> {
    let mut fields = vec![Value::None; 8];
    if let Some(message) = args.first() {
        fields[0] = message.clone();
    }
    if let Some(place) = args.get(1).and_then(Value::as_tuple) {
        for (field, value) in fields[1..7].iter_mut().zip(place) {
            *field = value.clone();
        }
    }
    fields
}

/// Sets the arguments, takes the allowed keywords as the fields of these numbers and refuses others.
fn init_with_keywords(vm: &Vm, args: Args<'_>, names: &[(&str, usize)]) -> R {
    let (this, rest) = split_this(vm, args)?;
    this.args.set(Value::from(vm.heap.tuple(rest)));
    for (keyword, value) in args.keywords {
        match names.iter().find(|(name, _)| *name == keyword.as_str()) {
            Some((_, index)) => set(vm, this, *index, value.clone()),
            None => {
                let class = this.class.get();
                let natives = class.mro.get();
                let named = natives.iter().find(|class| !class.is_script).map_or_else(|| class.name(), |class| class.name());
                let message = format!("'{}' is an invalid keyword argument for {}()", keyword.as_str(), named.as_str());
                return Err(vm.type_error(message));
            }
        }
    }
    Ok(Value::None)
}

fn import_error_init(vm: &Vm, args: Args<'_>) -> R {
    init_with_keywords(vm, args, &[("name", 0), ("path", 1), ("name_from", 3)])
}

fn name_error_init(vm: &Vm, args: Args<'_>) -> R {
    init_with_keywords(vm, args, &[("name", 0)])
}

fn attribute_error_init(vm: &Vm, args: Args<'_>) -> R {
    init_with_keywords(vm, args, &[("name", 0), ("obj", 1)])
}

fn import_error_str(vm: &Vm, this: &Ref<Exception>) -> R<Ref<Str>> {
    match get(vm, this, 2).downcast::<Str>() {
        Some(message) => Ok(message.clone()),
        None => str_(vm, this),
    }
}

fn unicode_error_init(vm: &Vm, args: Args<'_>) -> R {
    let (this, rest) = split_this(vm, args)?;
    no_keywords(vm, this, args)?;
    let class = this.class.get();
    let wanted = if class.is_subclass(&vm.types.unicode_translate_error) { 4 } else { 5 };
    if rest.len() != wanted {
        return Err(vm.type_error(format!("function takes exactly {wanted} arguments ({} given)", rest.len())));
    }
    let decoding = class.is_subclass(&vm.types.unicode_decode_error);
    for (index, (value, position)) in rest.iter().zip(1..).enumerate() {
        let index = index + 5 - wanted;
        let (fits, expected) = match index {
            0 | 4 => (value.payload::<Str>().is_some(), "str"),
            1 if decoding => (matches!(value.unwrapped().kind(), Kind::Bytes | Kind::ByteArray), "bytes"),
            1 => (value.payload::<Str>().is_some(), "str"),
            _ => (vm.has_index(value), "int"),
        };
        if !fits {
            let given = vm.class_of(value).name();
            if expected == "int" {
                let message = format!("'{}' object cannot be interpreted as an integer", given.as_str());
                return Err(vm.type_error(message));
            }
            if expected == "bytes" {
                return Err(vm.type_error(format!("a bytes-like object is required, not '{}'", given.as_str())));
            }
            return Err(vm.type_error(format!("argument {position} must be {expected}, not {}", given.as_str())));
        }
    }
    this.args.set(Value::from(vm.heap.tuple(rest)));
    Ok(Value::None)
}

fn unicode_error_str(vm: &Vm, this: &Ref<Exception>) -> R<String> {
    let class = this.class.get();
    let number = |index| match get(vm, this, index) {
        Value::Int(i) => i,
        _ => 0,
    };
    let (start, end) = (number(2), number(3));
    let object = get(vm, this, 1);
    let reason = vm.str(&get(vm, this, 4))?;
    let codec = vm.str(&get(vm, this, 0))?;
    let one = end == start + 1;
    let span = format!("{start}-{}", end - 1);
    if class.is_subclass(&vm.types.unicode_decode_error) {
        let byte = object.payload::<Bytes>().and_then(|b| b.data().get(usize::try_from(start).ok()?).copied());
        return Ok(match byte {
            Some(byte) if one => {
                let (codec, reason) = (codec.as_str(), reason.as_str());
                format!("'{codec}' codec can't decode byte {byte:#04x} in position {start}: {reason}")
            }
            _ => format!("'{}' codec can't decode bytes in position {span}: {}", codec.as_str(), reason.as_str()),
        });
    }
    let letter = object.payload::<Str>().and_then(|text| text.char_at(usize::try_from(start).ok()?));
    let head = if class.is_subclass(&vm.types.unicode_encode_error) {
        format!("'{}' codec can't encode", codec.as_str())
    } else {
        "can't translate".to_owned()
    };
    let letter = letter.map(|letter| match letter as u32 {
        code @ 0..=0xFF => format!("\\x{code:02x}"),
        code @ 0..=0xFFFF => format!("\\u{code:04x}"),
        code => format!("\\U{code:08x}"),
    });
    Ok(match letter {
        Some(letter) if one => format!("{head} character '{letter}' in position {start}: {}", reason.as_str()),
        _ => format!("{head} characters in position {span}: {}", reason.as_str()),
    })
}

fn syntax_error_init(vm: &Vm, args: Args<'_>) -> R {
    let (this, rest) = split_this(vm, args)?;
    no_keywords(vm, this, args)?;
    this.args.set(Value::from(vm.heap.tuple(rest)));
    let mut fields = syntax_fields(rest);
    if let [_, place] = rest {
        let place = vm.collect(place)?;
        if !(4..=6).contains(&place.len()) || place.len() == 5 {
            if place.len() == 5 {
                return Err(vm.type_error("end_offset must be provided when end_lineno is provided"));
            }
            let bound = if place.len() < 4 { "at least 4 arguments" } else { "at most 6 arguments" };
            return Err(vm.type_error(format!("function takes {bound} ({} given)", place.len())));
        }
        for (field, value) in fields[1..7].iter_mut().zip(place) {
            *field = value;
        }
    }
    this.fields.set(fields.into());
    Ok(Value::None)
}

fn syntax_error_str(vm: &Vm, this: &Ref<Exception>) -> R<String> {
    let message = vm.str(&get(vm, this, 0))?;
    let file = get(vm, this, 1);
    let file = file.as_str().map(|file| file.rsplit('/').next().unwrap_or(file));
    Ok(match (file, get(vm, this, 2)) {
        (Some(file), Value::Int(line)) => format!("{} ({file}, line {line})", message.as_str()),
        (Some(file), _) => format!("{} ({file})", message.as_str()),
        (None, Value::Int(line)) => format!("{} (line {line})", message.as_str()),
        _ => message.as_str().to_owned(),
    })
}
