//! `operator`: the operators as functions, and the callables that pick items, attributes and methods.

use super::support::{Meter, add, add_class, wrap_new};
use crate::native::Given;
use crate::native::{ModuleRow, define_class, new_module};
use crate::syntax::ast::{CmpOp, Operator, UnaryOp};
use crate::value::{Module, Payload, R, Ref, Str, Tuple, Value, Visitor};
use crate::vm::{Args, Vm};
use crate::{native_kind, rows};

pub const MODULE: ModuleRow = ModuleRow { name: "operator", load };

fn load(vm: &Vm) -> R<Ref<Module>> {
    let module = new_module(
        vm,
        "operator",
        "Operator interface: functions that do what the operators of the language do.",
        &rows![
            "abs", "a, /" => absolute(0);
            "add", "a, b, /" => op_add(0 1);
            "and_", "a, b, /" => op_and(0 1);
            raw "call", "obj, /, *args, **kwargs" => call;
            "concat", "a, b, /" => concat(0 1);
            "contains", "a, b, /" => contains(0 1);
            "countOf", "a, b, /" => count_of(0 1);
            "delitem", "a, b, /" => delitem(0 1);
            "eq", "a, b, /" => op_eq(0 1);
            "floordiv", "a, b, /" => op_floordiv(0 1);
            "ge", "a, b, /" => op_ge(0 1);
            "getitem", "a, b, /" => getitem(0 1);
            "gt", "a, b, /" => op_gt(0 1);
            "iadd", "a, b, /" => op_iadd(0 1);
            "iand", "a, b, /" => op_iand(0 1);
            "iconcat", "a, b, /" => iconcat(0 1);
            "ifloordiv", "a, b, /" => op_ifloordiv(0 1);
            "ilshift", "a, b, /" => op_ilshift(0 1);
            "imatmul", "a, b, /" => op_imatmul(0 1);
            "imod", "a, b, /" => op_imod(0 1);
            "imul", "a, b, /" => op_imul(0 1);
            "index", "a, /" => index(0);
            "indexOf", "a, b, /" => index_of(0 1);
            "inv", "a, /" => invert(0);
            "invert", "a, /" => invert(0);
            "ior", "a, b, /" => op_ior(0 1);
            "ipow", "a, b, /" => op_ipow(0 1);
            "irshift", "a, b, /" => op_irshift(0 1);
            "is_", "a, b, /" => is(0 1);
            "is_not", "a, b, /" => is_not(0 1);
            "isub", "a, b, /" => op_isub(0 1);
            "itruediv", "a, b, /" => op_itruediv(0 1);
            "ixor", "a, b, /" => op_ixor(0 1);
            "le", "a, b, /" => op_le(0 1);
            "length_hint", "obj, default=0, /" => length_hint(0 1);
            "lshift", "a, b, /" => op_lshift(0 1);
            "lt", "a, b, /" => op_lt(0 1);
            "matmul", "a, b, /" => op_matmul(0 1);
            "mod", "a, b, /" => op_mod(0 1);
            "mul", "a, b, /" => op_mul(0 1);
            "ne", "a, b, /" => op_ne(0 1);
            "neg", "a, /" => negative(0);
            "not_", "a, /" => not(0);
            "or_", "a, b, /" => op_or(0 1);
            "pos", "a, /" => positive(0);
            "pow", "a, b, /" => op_pow(0 1);
            "rshift", "a, b, /" => op_rshift(0 1);
            "setitem", "a, b, c, /" => setitem(0 1 2);
            "sub", "a, b, /" => op_sub(0 1);
            "truediv", "a, b, /" => op_truediv(0 1);
            "truth", "a, /" => truth(0);
            "xor", "a, b, /" => op_xor(0 1);
        ],
    );
    // Each function also has the name of the special method it stands for.
    for (name, function) in module.dict.to_vec() {
        let Some(name) = name.as_str().filter(|name| !name.starts_with('_')) else { continue };
        if !matches!(name, "countOf" | "indexOf" | "is_" | "is_not" | "length_hint" | "truth") {
            add(vm, &module, &format!("__{}__", name.trim_end_matches('_')), function);
        }
    }
    let getter = &rows![
        static "__new__", "cls, item, /, *items" => itemgetter_new(0 1 2);
        raw "__call__", "obj, /" => itemgetter_call;
        "__repr__", "" => itemgetter_repr(0);
    ];
    add_class(vm, &module, &define_class::<ItemGetter>(vm, "operator", "itemgetter", getter));
    let getter = &rows![
        static "__new__", "cls, attr, /, *attrs" => attrgetter_new(0 1 2);
        raw "__call__", "obj, /" => attrgetter_call;
        "__repr__", "" => attrgetter_repr(0);
    ];
    add_class(vm, &module, &define_class::<AttrGetter>(vm, "operator", "attrgetter", getter));
    let caller = &rows![
        raw "__new__", "cls, name, /, *args, **kwargs" => methodcaller_new;
        raw "__call__", "obj, /" => methodcaller_call;
        "__repr__", "" => methodcaller_repr(0);
    ];
    let class = define_class::<MethodCaller>(vm, "operator", "methodcaller", caller);
    super::support::make_static(vm, &class, "__new__");
    add_class(vm, &module, &class);
    Ok(module)
}

macro_rules! binary {
    ($($name:ident $inplace:ident $operator:ident;)*) => {
        $(fn $name(vm: &Vm, a: &Value, b: &Value) -> R {
            vm.binary(Operator::$operator, a, b)
        }

        fn $inplace(vm: &Vm, a: Value, b: &Value) -> R {
            vm.inplace(Operator::$operator, a, b)
        })*
    };
}

binary! {
    op_add op_iadd Add;
    op_sub op_isub Sub;
    op_mul op_imul Mult;
    op_matmul op_imatmul MatMult;
    op_truediv op_itruediv Div;
    op_floordiv op_ifloordiv FloorDiv;
    op_mod op_imod Mod;
    op_pow op_ipow Pow;
    op_lshift op_ilshift LShift;
    op_rshift op_irshift RShift;
    op_or op_ior BitOr;
    op_xor op_ixor BitXor;
    op_and op_iand BitAnd;
}

macro_rules! compare {
    ($($name:ident $operator:ident;)*) => {
        $(fn $name(vm: &Vm, a: &Value, b: &Value) -> R {
            vm.compare(CmpOp::$operator, a, b)
        })*
    };
}

compare! {
    op_eq Eq;
    op_ne NotEq;
    op_lt Lt;
    op_le LtE;
    op_gt Gt;
    op_ge GtE;
}

fn invert(vm: &Vm, a: &Value) -> R {
    vm.unary(UnaryOp::Invert, a)
}

fn negative(vm: &Vm, a: &Value) -> R {
    vm.unary(UnaryOp::USub, a)
}

fn positive(vm: &Vm, a: &Value) -> R {
    vm.unary(UnaryOp::UAdd, a)
}

fn absolute(vm: &Vm, a: &Value) -> R {
    match vm.call_special(a, &vm.n.__abs__, &[])? {
        Some(result) => Ok(result),
        None => Err(vm.type_error(format!("bad operand type for abs(): '{}'", vm.class_of(a).name().as_str()))),
    }
}

fn not(vm: &Vm, a: &Value) -> R<bool> {
    Ok(!vm.truthy(a)?)
}

fn truth(vm: &Vm, a: &Value) -> R<bool> {
    vm.truthy(a)
}

fn is(_vm: &Vm, a: &Value, b: &Value) -> bool {
    a.is(b)
}

fn is_not(_vm: &Vm, a: &Value, b: &Value) -> bool {
    !a.is(b)
}

fn index(vm: &Vm, a: &Value) -> R {
    vm.index(a)
}

fn length_hint(vm: &Vm, object: &Value, Given(default): Given<i64>) -> R<i64> {
    match vm.known_length_hint(object)? {
        Some(hint) => Ok(hint as i64),
        None => Ok(default.unwrap_or(0)),
    }
}

fn call(vm: &Vm, args: Args<'_>) -> R {
    match args.positional {
        [callable, rest @ ..] => vm.call_with(callable, Args { positional: rest, keywords: args.keywords }),
        [] => Err(vm.type_error("call expected at least 1 argument, got 0")),
    }
}

fn check_sequence(vm: &Vm, a: &Value) -> R<()> {
    let class = vm.class_of(a);
    if a.payload::<crate::value::Dict>().is_some() || class.lookup(&vm.n.__getitem__).is_undef() {
        return Err(vm.type_error(format!("'{}' object can't be concatenated", class.name().as_str())));
    }
    Ok(())
}

fn concat(vm: &Vm, a: &Value, b: &Value) -> R {
    check_sequence(vm, a)?;
    vm.binary(Operator::Add, a, b)
}

fn iconcat(vm: &Vm, a: Value, b: &Value) -> R {
    check_sequence(vm, &a)?;
    vm.inplace(Operator::Add, a, b)
}

fn contains(vm: &Vm, a: &Value, b: &Value) -> R<bool> {
    vm.contains(a, b)
}

fn count_of(vm: &Vm, a: &Value, b: &Value) -> R<i64> {
    let mut count = 0;
    let mut meter = Meter::default();
    vm.for_each(a, &mut |item| {
        meter.step(vm)?;
        count += i64::from(vm.eq(&item, b)?);
        Ok(true)
    })?;
    Ok(count)
}

fn index_of(vm: &Vm, a: &Value, b: &Value) -> R<i64> {
    let (mut index, mut found) = (0, false);
    let mut meter = Meter::default();
    vm.for_each(a, &mut |item| {
        meter.step(vm)?;
        found = vm.eq(&item, b)?;
        index += i64::from(!found);
        Ok(!found)
    })?;
    if found { Ok(index) } else { Err(vm.value_error("sequence.index(x): x not in sequence")) }
}

fn getitem(vm: &Vm, a: &Value, b: &Value) -> R {
    vm.get_item(a, b)
}

fn setitem(vm: &Vm, a: &Value, b: &Value, c: Value) -> R<()> {
    vm.set_item(a, b, c)
}

fn delitem(vm: &Vm, a: &Value, b: &Value) -> R<()> {
    vm.del_item(a, b)
}

/// The receiver of a getter and its one argument.
fn receiver<'a, T: Payload>(vm: &Vm, name: &str, args: Args<'a>) -> R<(&'a Ref<T>, &'a Value)> {
    match args.positional {
        [this, object] if args.keywords.is_empty() => match this.payload::<T>() {
            Some(this) => Ok((this, object)),
            None => Err(vm.type_error(format!("descriptor '__call__' requires a '{name}' object"))),
        },
        _ if !args.keywords.is_empty() => Err(vm.type_error(format!("{name}() takes no keyword arguments"))),
        given => {
            let count = given.len().saturating_sub(1);
            Err(vm.type_error(format!("{name} expected 1 argument, got {count}")))
        }
    }
}

/// One result as it is, several as a tuple.
fn one_or_tuple(vm: &Vm, count: usize, get: impl Fn(usize) -> R) -> R {
    if count == 1 {
        return get(0);
    }
    let items: Vec<Value> = (0..count).map(get).collect::<R<_>>()?;
    Ok(vm.heap.tuple(items).into())
}

fn listed(vm: &Vm, name: &str, items: &[Value]) -> R<String> {
    let texts: Vec<String> = items.iter().map(|item| Ok(vm.repr(item)?.as_str().to_owned())).collect::<R<_>>()?;
    Ok(format!("operator.{name}({})", texts.join(", ")))
}

/// `itemgetter(*items)`.
struct ItemGetter {
    items: Box<[Value]>,
}

impl Payload for ItemGetter {
    native_kind!();
    const CONTAINER: bool = true;
    const BUFFERS: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.values(self.items.iter());
    }

    fn buffers(&self) -> usize {
        size_of_val(&*self.items)
    }
}

fn itemgetter_new(vm: &Vm, class: &Value, item: Value, rest: &Ref<Tuple>) -> R {
    let items = std::iter::once(item).chain(rest.items().iter().cloned()).collect();
    wrap_new(vm, class, vm.heap.alloc_owning(ItemGetter { items }).into())
}

fn itemgetter_call(vm: &Vm, args: Args<'_>) -> R {
    let (this, object) = receiver::<ItemGetter>(vm, "itemgetter", args)?;
    one_or_tuple(vm, this.items.len(), |index| vm.get_item(object, &this.items[index]))
}

fn itemgetter_repr(vm: &Vm, this: &Ref<ItemGetter>) -> R<String> {
    listed(vm, "itemgetter", &this.items)
}

/// `attrgetter(*names)`, the names with dots.
struct AttrGetter {
    paths: Box<[Box<[Ref<Str>]>]>,
    names: Box<[Value]>,
}

impl Payload for AttrGetter {
    native_kind!();
    const CONTAINER: bool = true;
    const BUFFERS: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        for name in self.paths.iter().flat_map(|path| path.iter()) {
            visitor.reference(name);
        }
        visitor.values(self.names.iter());
    }

    fn buffers(&self) -> usize {
        size_of_val(&*self.names) + self.paths.iter().map(|path| size_of_val(path) + size_of_val(&**path)).sum::<usize>()
    }
}

fn attrgetter_new(vm: &Vm, class: &Value, name: Value, rest: &Ref<Tuple>) -> R {
    let names: Box<[Value]> = std::iter::once(name).chain(rest.items().iter().cloned()).collect();
    let path = |name: &Value| match name.as_str() {
        Some(text) => Ok(text.split('.').map(|part| vm.name_of(&vm.heap.str(part))).collect()),
        None => Err(vm.type_error("attribute name must be a string")),
    };
    let paths = names.iter().map(path).collect::<R<_>>()?;
    wrap_new(vm, class, vm.heap.alloc_owning(AttrGetter { paths, names }).into())
}

fn attrgetter_call(vm: &Vm, args: Args<'_>) -> R {
    let (this, object) = receiver::<AttrGetter>(vm, "attrgetter", args)?;
    one_or_tuple(vm, this.paths.len(), |index| {
        let mut value = object.clone();
        for name in &this.paths[index] {
            // The name may have become an identifier of the program since the getter was made.
            value = vm.get_attr(&value, &vm.name_of(name))?;
        }
        Ok(value)
    })
}

fn attrgetter_repr(vm: &Vm, this: &Ref<AttrGetter>) -> R<String> {
    listed(vm, "attrgetter", &this.names)
}

/// `methodcaller(name, *args, **kwargs)`.
struct MethodCaller {
    name: Ref<Str>,
    args: Box<[Value]>,
    keywords: Box<[(Ref<Str>, Value)]>,
}

impl Payload for MethodCaller {
    native_kind!();
    const CONTAINER: bool = true;
    const BUFFERS: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.reference(&self.name);
        visitor.values(self.args.iter());
        for (name, value) in &self.keywords {
            visitor.reference(name);
            visitor.value(value);
        }
    }

    fn buffers(&self) -> usize {
        size_of_val(&*self.args) + size_of_val(&*self.keywords)
    }
}

fn methodcaller_new(vm: &Vm, args: Args<'_>) -> R {
    let [class, name, rest @ ..] = args.positional else {
        return Err(vm.type_error("methodcaller needs at least one argument, the method name"));
    };
    let Some(name) = name.payload::<Str>() else {
        return Err(vm.type_error("method name must be a string"));
    };
    let made = MethodCaller { name: vm.name_of(name), args: rest.into(), keywords: args.keywords.into() };
    wrap_new(vm, class, vm.heap.alloc_owning(made).into())
}

fn methodcaller_call(vm: &Vm, args: Args<'_>) -> R {
    let (this, object) = receiver::<MethodCaller>(vm, "methodcaller", args)?;
    let name = vm.name_of(&this.name);
    if this.keywords.is_empty() {
        return vm.call_method(object, &name, &this.args);
    }
    let method = vm.get_attr(object, &name)?;
    vm.call_with(&method, Args { positional: &this.args, keywords: &this.keywords })
}

fn methodcaller_repr(vm: &Vm, this: &Ref<MethodCaller>) -> R<String> {
    let mut parts = vec![vm.repr(&Value::from(&this.name))?.as_str().to_owned()];
    for value in &this.args {
        parts.push(vm.repr(value)?.as_str().to_owned());
    }
    for (name, value) in &this.keywords {
        parts.push(format!("{}={}", name.as_str(), vm.repr(value)?.as_str()));
    }
    Ok(format!("operator.methodcaller({})", parts.join(", ")))
}
