//! `str.format`: a template with replacement fields, `{name.attribute[key]!conversion:spec}`.

use crate::value::{Dict, R, Raised, Ref, Str, Value};
use crate::vm::Vm;

/// What the fields of a template refer to.
pub enum Fields<'a> {
    /// The arguments of `str.format`.
    Arguments { positional: &'a [Value], keywords: &'a Ref<Dict> },
    /// The mapping of `str.format_map`.
    Mapping(&'a Value),
}

/// How fields without a name are numbered.
#[derive(Default)]
struct Numbering {
    next: usize,
    automatic: Option<bool>,
}

/// `template.format(...)`.
pub fn format_template(vm: &Vm, template: &str, fields: &Fields<'_>) -> R<Ref<Str>> {
    let text = expand(vm, template, fields, &mut Numbering::default(), 2)?;
    Ok(vm.heap.string(text))
}

/// A replacement field, cut out of the template.
struct Field<'t> {
    name: &'t str,
    conversion: Option<char>,
    spec: &'t str,
}

fn expand(vm: &Vm, template: &str, fields: &Fields<'_>, numbering: &mut Numbering, depth: u32) -> R<String> {
    if depth == 0 {
        return Err(vm.value_error("Max string recursion exceeded"));
    }
    vm.will_scan(template.len().saturating_mul(8))?;
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(at) = rest.bytes().position(|b| matches!(b, b'{' | b'}')) {
        out.push_str(&rest[..at]);
        let brace = rest.as_bytes()[at];
        rest = &rest[at + 1..];
        if rest.as_bytes().first() == Some(&brace) {
            out.push(brace as char);
            rest = &rest[1..];
            continue;
        }
        if brace == b'}' || rest.is_empty() {
            return Err(vm.value_error(format!("Single '{}' encountered in format string", brace as char)));
        }
        let (field, after) = cut_field(rest).map_err(|message| vm.value_error(message))?;
        rest = after;
        replace(vm, &mut out, &field, fields, numbering, depth)?;
        vm.check_text(out.len())?;
        vm.charge(1)?;
    }
    out.push_str(rest);
    Ok(out)
}

/// Cuts a field off behind its opening brace: the field, and what follows its closing brace.
fn cut_field(text: &str) -> Result<(Field<'_>, &str), String> {
    let bytes = text.as_bytes();
    let mut at = 0;
    let end = loop {
        match bytes.get(at) {
            None => return Err("expected '}' before end of string".to_owned()),
            Some(b'{') => return Err("unexpected '{' in field name".to_owned()),
            Some(b'[') => {
                while bytes.get(at).is_some_and(|b| *b != b']') {
                    at += 1;
                }
            }
            Some(b'}' | b':' | b'!') => break at,
            Some(_) => at += 1,
        }
    };
    let name = &text[..end];
    let mut conversion = None;
    let mut rest = &text[end..];
    if let Some(after) = rest.strip_prefix('!') {
        let mut chars = after.chars();
        conversion = chars.next();
        if conversion.is_none() {
            return Err("end of string while looking for conversion specifier".to_owned());
        }
        rest = chars.as_str();
        match rest.as_bytes().first() {
            None => return Err("unmatched '{' in format spec".to_owned()),
            Some(b'}' | b':') => {}
            Some(_) => return Err("expected ':' after conversion specifier".to_owned()),
        }
    }
    if let Some(after) = rest.strip_prefix('}') {
        return Ok((Field { name, conversion, spec: "" }, after));
    }
    let spec = &rest[1..];
    let mut open = 1;
    for (at, byte) in spec.bytes().enumerate() {
        match byte {
            b'{' => open += 1,
            b'}' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Ok((Field { name, conversion, spec: &spec[..at] }, &spec[at + 1..]));
        }
    }
    Err("unmatched '{' in format spec".to_owned())
}

fn replace(vm: &Vm, out: &mut String, field: &Field<'_>, fields: &Fields<'_>, numbering: &mut Numbering, depth: u32) -> R<()> {
    let mut value = find(vm, field.name, fields, numbering)?;
    match field.conversion {
        None => {}
        Some('r') => value = Value::from(vm.repr(&value)?),
        Some('s') => value = Value::from(vm.str(&value)?),
        Some('a') => value = Value::from(vm.ascii(&value)?),
        Some(c) if c > ' ' && c < '\x7f' => return Err(vm.value_error(format!("Unknown conversion specifier {c}"))),
        Some(c) => return Err(vm.value_error(format!("Unknown conversion specifier \\x{:x}", c as u32))),
    }
    let expanded;
    let spec = if field.spec.contains('{') {
        expanded = expand(vm, field.spec, fields, numbering, depth - 1)?;
        expanded.as_str()
    } else {
        field.spec
    };
    out.push_str(vm.format(&value, spec)?.as_str());
    Ok(())
}

/// The value that a field's name refers to.
fn find(vm: &Vm, name: &str, fields: &Fields<'_>, numbering: &mut Numbering) -> R {
    let end = name.find(['.', '[']).unwrap_or(name.len());
    let (first, mut rest) = name.split_at(end);
    let mut value = argument(vm, first, fields, numbering)?;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            let (attribute, after) = after.split_at(end);
            if attribute.is_empty() {
                return Err(vm.value_error("Empty attribute in format string"));
            }
            value = vm.get_attr(&value, &vm.name_of(&vm.heap.str(attribute)))?;
            rest = after;
        } else if let Some(after) = rest.strip_prefix('[') {
            let Some(end) = after.find(']') else { return Err(vm.value_error("Missing ']' in format string")) };
            let key = &after[..end];
            if key.is_empty() {
                return Err(vm.value_error("Empty attribute in format string"));
            }
            let key = match index(vm, key)? {
                Some(index) => Value::Int(index as i64),
                None => vm.str_value(key),
            };
            value = vm.get_item(&value, &key)?;
            rest = &after[end + 1..];
        } else {
            return Err(vm.value_error("Only '.' or '[' may follow ']' in format field specifier"));
        }
    }
    Ok(value)
}

fn argument(vm: &Vm, name: &str, fields: &Fields<'_>, numbering: &mut Numbering) -> R {
    let number = if name.is_empty() { None } else { index(vm, name)? };
    if !name.is_empty() && number.is_none() {
        return match fields {
            Fields::Arguments { keywords, .. } => keywords.get_text(name).ok_or_else(|| vm.key_error(&vm.str_value(name))),
            Fields::Mapping(mapping) => vm.get_item(mapping, &vm.str_value(name)),
        };
    }
    let automatic = number.is_none();
    if *numbering.automatic.get_or_insert(automatic) != automatic {
        return Err(vm.value_error(switched(automatic)));
    }
    let number = number.unwrap_or_else(|| {
        numbering.next += 1;
        numbering.next - 1
    });
    match fields {
        Fields::Mapping(_) => Err(vm.value_error("Format string contains positional fields")),
        Fields::Arguments { positional, .. } => positional.get(number).cloned().ok_or_else(|| out_of_range(vm, number)),
    }
}

fn switched(to_automatic: bool) -> &'static str {
    if to_automatic {
        "cannot switch from manual field specification to automatic field numbering"
    } else {
        "cannot switch from automatic field numbering to manual field specification"
    }
}

fn out_of_range(vm: &Vm, number: usize) -> Raised {
    vm.index_error(format!("Replacement index {number} out of range for positional args tuple"))
}

/// The number that a name consists of, if it does.
fn index(vm: &Vm, name: &str) -> R<Option<usize>> {
    let mut number: usize = 0;
    for c in name.chars() {
        let Some(digit) = crate::vm::characters::decimal(c) else { return Ok(None) };
        number = match number.checked_mul(10).and_then(|n| n.checked_add(digit as usize)) {
            Some(number) if number <= isize::MAX as usize => number,
            _ => return Err(vm.value_error("Too many decimal digits in format string")),
        };
    }
    Ok(Some(number))
}
