//! The `__repr__` rows of containers; how containers look is `vm/text.rs`'s matter.

use crate::value::{DictView, R, Value, ViewKind};
use crate::vm::Vm;

/// `repr` of a list, tuple, dict, set or frozenset, or of an instance of a class derived from one.
pub(super) fn container(vm: &Vm, this: &Value) -> R<String> {
    let mut text = String::new();
    vm.write_container(&mut text, this.unwrapped(), this)?;
    Ok(text)
}

/// `repr` of a view of a dict.
pub(super) fn view(vm: &Vm, this: &Value) -> R<String> {
    let Some(view) = this.downcast::<DictView>() else { return Ok(String::new()) };
    if vm.is_printing(this) {
        return Ok("...".to_owned());
    }
    let items = match view.kind {
        ViewKind::Keys => view.dict.keys(),
        ViewKind::Values => view.dict.to_vec().into_iter().map(|(_, value)| value).collect(),
        ViewKind::Items => {
            let pair = |(key, value)| Value::from(vm.heap.tuple([key, value]));
            view.dict.to_vec().into_iter().map(pair).collect()
        }
    };
    let mut text = format!("{}(", view.kind.name());
    // The view stands for the list, so that one that holds itself ends.
    let items = Value::from(vm.heap.list(items));
    vm.write_container(&mut text, &items, this)?;
    text.push(')');
    Ok(text)
}
