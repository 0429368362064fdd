//! Tuples whose items have names: `time.struct_time`, `sys.version_info` and their kin.

use crate::native::{define_class, define_methods, note_name};
use crate::value::{Base, Class, Instance, Kind, Payload, R, Ref, Shared, Tuple, Value, Visitor};
use crate::vm::Vm;
use crate::vm::types::bare_class;
use crate::{native_kind, rows};

/// The class attribute that an item's name is.
struct Item {
    index: usize,
    doc: Value,
    /// What setting it is answered with.
    refusal: &'static str,
}

impl Payload for Item {
    native_kind!();
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.value(&self.doc);
    }
}

/// The same for classes that `namedtuple` makes: its text can be changed.
struct TupleGetter {
    index: usize,
    doc: Shared<Value>,
}

impl Payload for TupleGetter {
    native_kind!();
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        self.doc.with(|doc| visitor.value(doc));
    }

    fn clear(&self) {
        self.doc.set(Value::None);
    }
}

/// `_tuplegetter(index, doc)`: the attribute of a named tuple's class.
pub fn tuple_getter(vm: &Vm, index: i64, doc: Value) -> Value {
    define_class::<TupleGetter>(
        vm,
        "collections",
        "_tuplegetter",
        &rows![
            "__get__", "instance, owner=None, /" => getter_get(0 1);
            "__set__", "instance, value, /" => getter_set();
            "__delete__", "instance, /" => getter_set();
            "__repr__", "/" => getter_repr(0);
            get "__doc__" => getter_doc(0), set set_getter_doc(0 1);
        ],
    );
    vm.heap.alloc(TupleGetter { index: index.max(0) as usize, doc: Shared::new(doc) }).into()
}

fn getter_get(vm: &Vm, this: &Ref<TupleGetter>, instance: &Value) -> R {
    if instance.is_none() {
        return Ok(Value::from(this));
    }
    let Some(tuple) = instance.payload::<Tuple>() else {
        let class = vm.class_of(instance).name();
        let text = "for tuple subclasses doesn't apply to";
        return Err(vm.type_error(format!("descriptor for index '{}' {text} '{}' object", this.index, class.as_str())));
    };
    tuple.items().get(this.index).cloned().ok_or_else(|| vm.index_error("tuple index out of range"))
}

fn getter_set(vm: &Vm) -> R<()> {
    Err(vm.attribute_error("can't set attribute"))
}

fn getter_repr(vm: &Vm, this: &Ref<TupleGetter>) -> R<String> {
    Ok(format!("_tuplegetter({}, {})", this.index, vm.repr(&this.doc.get())?.as_str()))
}

fn getter_doc(_vm: &Vm, this: &Ref<TupleGetter>) -> Value {
    this.doc.get()
}

fn set_getter_doc(_vm: &Vm, this: &Ref<TupleGetter>, doc: Value) -> R<()> {
    this.doc.set(if doc.is_undef() { Value::None } else { doc });
    Ok(())
}

fn define_items(vm: &Vm) {
    define_class::<Item>(
        vm,
        "builtins",
        "member_descriptor",
        &rows![
            "__get__", "instance, owner=None, /" => item_get(0 1);
            "__set__", "instance, value, /" => item_set(0);
            "__delete__", "instance, /" => item_set(0);
            get "__doc__" => item_doc(0);
        ],
    );
}

fn item_doc(_vm: &Vm, this: &Ref<Item>) -> Value {
    this.doc.clone()
}

/// The class of such tuples. `name` is shown in full by `repr`: `sys.version_info`.
pub fn struct_sequence_class(vm: &Vm, module: &str, name: &str, fields: &[&str]) -> Ref<Class> {
    define_items(vm);
    let class = bare_class(&vm.heap, vm.names(), name, Base::Payload(Kind::Tuple as u16), &[&vm.types.tuple]);
    class.dict.set_str(&vm.n.__module__, vm.str_value(module));
    note_name(vm, &class, module);
    let names: Vec<Value> = fields.iter().map(|field| Value::from(vm.intern(field))).collect();
    for (index, field) in fields.iter().enumerate() {
        class
            .dict
            .set_str(&vm.intern(field), vm.heap.alloc(Item { index, doc: Value::None, refusal: "readonly attribute" }).into());
    }
    class.dict.set_str(&vm.intern("n_fields"), Value::Int(fields.len() as i64));
    class.dict.set_str(&vm.intern("n_sequence_fields"), Value::Int(fields.len() as i64));
    class.dict.set_str(&vm.intern("n_unnamed_fields"), Value::Int(0));
    class.dict.set_str(&vm.n.__match_args__, vm.heap.tuple(names).into());
    define_methods(vm, &class, &rows!["__repr__", "/" => show(0);]);
    class
}

/// An object of such a class.
pub fn struct_sequence(vm: &Vm, class: &Ref<Class>, items: Vec<Value>) -> Value {
    vm.heap.instance_of_base(class, vm.heap.tuple(items).into()).into()
}

fn item_get(vm: &Vm, this: &Ref<Item>, instance: &Value) -> R {
    if instance.is_none() {
        return Ok(Value::from(this));
    }
    match instance.payload::<Tuple>().and_then(|tuple| tuple.items().get(this.index)) {
        Some(item) => Ok(item.clone()),
        None => Ok(if instance.downcast::<Instance>().is_some() { Value::None } else { vm.heap.tuple([]).into() }),
    }
}

fn item_set(vm: &Vm, this: &Ref<Item>) -> R<()> {
    Err(vm.attribute_error(this.refusal))
}

fn show(vm: &Vm, this: &Value) -> R<String> {
    let class = vm.class_of(this);
    let fields = class.lookup(&vm.n.__match_args__);
    let mut parts = Vec::new();
    for (name, value) in fields.as_tuple().unwrap_or_default().iter().zip(this.as_tuple().unwrap_or_default()) {
        parts.push(format!("{}={}", name.as_str().unwrap_or_default(), vm.repr(value)?.as_str()));
    }
    let module = class.dict.get_str(&vm.n.__module__).and_then(|module| module.as_str().map(str::to_owned));
    Ok(format!("{}.{}({})", module.unwrap_or_default(), class.own_name().as_str(), parts.join(", ")))
}
