//! `repr` of containers, which may hold themselves.

use std::cell::RefCell;

use crate::value::{Dict, DictView, Kind, List, R, Tuple, Value, ViewKind};
use crate::vm::Vm;
use crate::vm::mapping::set_keys;

/// Bytes of text for one unit of work.
const PER_UNIT: usize = 256;

/// The containers whose text is being made, outermost first.
#[derive(Default)]
struct Showing(RefCell<Vec<usize>>);

/// Makes the text of an object by `inside`, or `again` if that is already under way further out.
pub(crate) fn guarded(vm: &Vm, object: &Value, again: &str, inside: impl FnOnce() -> R<String>) -> R<String> {
    let Some(address) = object.as_obj().map(|object| object.address()) else { return inside() };
    let showing = vm.extension(Showing::default);
    if showing.0.borrow().contains(&address) {
        return Ok(again.to_owned());
    }
    showing.0.borrow_mut().push(address);
    let result = vm.nested(inside);
    showing.0.borrow_mut().pop();
    result
}

/// Text that grows within the limits.
pub(crate) struct Text<'v> {
    vm: &'v Vm,
    text: String,
    asked: usize,
}

impl<'v> Text<'v> {
    pub fn new(vm: &'v Vm) -> Self {
        Text { vm, text: String::new(), asked: 4096 }
    }

    /// Appends text.
    pub fn push(&mut self, part: &str) -> R<()> {
        if self.text.len() + part.len() > self.asked {
            self.grow(part.len())?;
        }
        self.text.push_str(part);
        Ok(())
    }

    #[cold]
    fn grow(&mut self, more: usize) -> R<()> {
        let needed = self.text.len() + more;
        if needed > crate::value::str::MAX_LEN {
            return Err(self.vm.out_of_memory());
        }
        self.asked = needed.saturating_mul(2);
        self.vm.charge((needed / PER_UNIT) as u64)?;
        self.vm.check_alloc(self.asked)
    }

    /// Appends the `repr` of a value.
    pub fn push_repr(&mut self, value: &Value) -> R<()> {
        if let Value::Int(i) = value {
            return self.push(itoa(*i, &mut [0; 20]));
        }
        let shown = self.vm.repr(value)?;
        self.push(shown.as_str())
    }

    pub fn into_string(self) -> String {
        self.text
    }
}

/// The decimal digits of a number, in a buffer.
fn itoa(number: i64, buffer: &mut [u8; 20]) -> &str {
    let mut at = buffer.len();
    let mut rest = number.unsigned_abs();
    loop {
        at -= 1;
        buffer[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        at -= 1;
        buffer[at] = b'-';
    }
    std::str::from_utf8(&buffer[at..]).unwrap_or_default()
}

/// Items between commas. They are asked for one at a time, as a `__repr__` may change what they come from.
fn join(vm: &Vm, text: &mut Text<'_>, mut item: impl FnMut() -> Option<Value>) -> R<usize> {
    let mut count = 0;
    while let Some(value) = item() {
        if count > 0 {
            text.push(", ")?;
        }
        count += 1;
        if count % 8 == 0 {
            vm.charge(1)?;
        }
        text.push_repr(&value)?;
    }
    Ok(count)
}

/// `repr(list)`.
pub(crate) fn list(vm: &Vm, this: &Value) -> R<String> {
    let Some(list) = this.payload::<List>() else { return Ok(String::new()) };
    if list.is_empty() {
        return Ok("[]".to_owned());
    }
    guarded(vm, this, "[...]", || {
        let mut text = Text::new(vm);
        text.push("[")?;
        let mut index = 0;
        join(vm, &mut text, || {
            index += 1;
            list.get(index - 1)
        })?;
        text.push("]")?;
        Ok(text.into_string())
    })
}

/// `repr(tuple)`.
pub(crate) fn tuple(vm: &Vm, this: &Value) -> R<String> {
    let Some(tuple) = this.payload::<Tuple>() else { return Ok(String::new()) };
    if tuple.is_empty() {
        return Ok("()".to_owned());
    }
    guarded(vm, this, "(...)", || {
        let mut text = Text::new(vm);
        text.push("(")?;
        let mut items = tuple.items().iter().cloned();
        let count = join(vm, &mut text, || items.next())?;
        text.push(if count == 1 { ",)" } else { ")" })?;
        Ok(text.into_string())
    })
}

/// `repr(dict)`.
pub(crate) fn dict(vm: &Vm, this: &Value) -> R<String> {
    let Some(dict) = this.payload::<Dict>() else { return Ok(String::new()) };
    if dict.is_empty() {
        return Ok("{}".to_owned());
    }
    guarded(vm, this, "{...}", || {
        let mut text = Text::new(vm);
        let mut at = 0;
        while let Some((position, entry)) = dict.next_entry(at) {
            text.push(if at == 0 && text.text.is_empty() { "{" } else { ", " })?;
            at = position + 1;
            if at.is_multiple_of(8) {
                vm.charge(1)?;
            }
            text.push_repr(&entry.key)?;
            text.push(": ")?;
            text.push_repr(&entry.value)?;
        }
        text.push("}")?;
        Ok(text.into_string())
    })
}

/// `repr` of a set or frozenset.
pub(crate) fn set(vm: &Vm, this: &Value) -> R<String> {
    let class = vm.class_of(this).name();
    set_named(vm, this, class.as_str())
}

fn set_named(vm: &Vm, this: &Value, class: &str) -> R<String> {
    let Some(keys) = set_keys(this) else { return Ok(String::new()) };
    if keys.is_empty() {
        return Ok(format!("{class}()"));
    }
    guarded(vm, this, &format!("{class}(...)"), || {
        let plain = this.kind() == Kind::Set;
        let mut text = Text::new(vm);
        if !plain {
            text.push(class)?;
            text.push("(")?;
        }
        text.push("{")?;
        let mut items = keys.keys().into_iter();
        join(vm, &mut text, || items.next())?;
        text.push(if plain { "}" } else { "})" })?;
        Ok(text.into_string())
    })
}

/// `repr` of a view of a dict.
pub(crate) fn view(vm: &Vm, this: &Value) -> R<String> {
    let Some(view) = this.downcast::<DictView>() else { return Ok(String::new()) };
    guarded(vm, this, "...", || {
        let mut text = Text::new(vm);
        text.push(view.kind.name())?;
        text.push("([")?;
        let mut entries = view.dict.to_vec().into_iter();
        join(vm, &mut text, || {
            entries.next().map(|(key, value)| match view.kind {
                ViewKind::Keys => key,
                ViewKind::Values => value,
                ViewKind::Items => Value::from(vm.heap.tuple([key, value])),
            })
        })?;
        text.push("])")?;
        Ok(text.into_string())
    })
}
