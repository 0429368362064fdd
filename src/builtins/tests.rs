//! The object protocol without an evaluator: classes, attributes, operators and errors of native objects.

use super::install;
use crate::syntax::ast::{CmpOp, Operator};
use crate::value::{Dict, Exception, R, Ref, Value};
use crate::vm::{Args, Vm};

fn vm() -> Vm {
    let vm = Vm::default();
    install(&vm);
    vm
}

fn builtin(vm: &Vm, name: &str) -> Value {
    vm.builtins.get_text(name).unwrap_or_default()
}

fn list(vm: &Vm, items: &[i64]) -> Value {
    Value::from(vm.heap.list(items.iter().map(|i| Value::Int(*i)).collect()))
}

/// How an error looks as the last line of a traceback.
fn error<T: std::fmt::Debug>(vm: &Vm, result: R<T>) -> String {
    assert!(result.is_err(), "{result:?} is no error");
    let exception = vm.take_raised();
    let class = vm.class_of(&exception).name();
    let text = vm.str(&exception).expect("exceptions print");
    format!("{}: {}", class.as_str(), text.as_str())
}

fn shown(vm: &Vm, value: R) -> String {
    match value {
        Ok(value) => vm.repr(&value).expect("values print").as_str().to_owned(),
        Err(raised) => error(vm, Err::<(), _>(raised)),
    }
}

fn build(vm: &Vm, name: &str, bases: &[Value], namespace: &Ref<Dict>) -> R {
    vm.build_class(&Value::from(&vm.types.type_), name, bases, &Value::from(namespace), &[])
}

#[test]
fn native_calls_check_their_arguments() {
    let vm = vm();
    let items = list(&vm, &[1, 2]);
    let append = vm.intern("append");
    assert_eq!(shown(&vm, vm.call_method(&items, &append, &[Value::Int(3)])), "None");
    assert_eq!(shown(&vm, Ok(items.clone())), "[1, 2, 3]");
    let wrong = vm.call_method(&items, &append, &[]);
    assert_eq!(error(&vm, wrong), "TypeError: list.append() takes exactly one argument (0 given)");
    let wrong = vm.call_method(&items, &vm.intern("clear"), &[Value::Int(1)]);
    assert_eq!(error(&vm, wrong), "TypeError: list.clear() takes no arguments (1 given)");
    let wrong = vm.call_method(&items, &vm.n.get, &[]);
    assert_eq!(error(&vm, wrong), "AttributeError: 'list' object has no attribute 'get'");
    let unbound = vm.get_attr(&builtin(&vm, "list"), &append).expect("list.append");
    let wrong = vm.call(&unbound, &[Value::Int(1), Value::Int(2)]);
    assert_eq!(error(&vm, wrong), "TypeError: descriptor 'append' for 'list' objects doesn't apply to a 'int' object");
    let keywords = [(vm.intern("x"), Value::None)];
    let wrong = vm.call_with(&unbound, Args { positional: &[items], keywords: &keywords });
    assert_eq!(error(&vm, wrong), "TypeError: list.append() takes no keyword arguments");
}

#[test]
fn operators_answer_or_complain() {
    let vm = vm();
    let text = vm.str_value("a");
    let items = list(&vm, &[1]);
    assert_eq!(shown(&vm, vm.binary(Operator::Mult, &text, &Value::Int(3))), "'aaa'");
    assert_eq!(shown(&vm, vm.binary(Operator::Add, &items, &items)), "[1, 1]");
    assert_eq!(shown(&vm, vm.binary(Operator::Add, &Value::Int(i64::MAX), &Value::Int(1))), "9223372036854775808");
    let cases = [
        (Operator::Add, Value::Int(1), text.clone(), "TypeError: unsupported operand type(s) for +: 'int' and 'str'"),
        (Operator::Add, text.clone(), Value::Int(1), "TypeError: can only concatenate str (not \"int\") to str"),
        (Operator::Mult, text.clone(), text.clone(), "TypeError: can't multiply sequence by non-int of type 'str'"),
        (
            Operator::Pow,
            Value::None,
            Value::Int(1),
            "TypeError: unsupported operand type(s) for ** or pow(): 'NoneType' and 'int'",
        ),
    ];
    for (op, a, b, message) in cases {
        assert_eq!(error(&vm, vm.binary(op, &a, &b)), message);
    }
    let wrong = vm.inplace(Operator::Sub, items.clone(), &Value::Int(1));
    assert_eq!(error(&vm, wrong), "TypeError: unsupported operand type(s) for -=: 'list' and 'int'");
    let wrong = vm.compare(CmpOp::Lt, &items, &Value::Int(1));
    assert_eq!(error(&vm, wrong), "TypeError: '<' not supported between instances of 'list' and 'int'");
    assert_eq!(shown(&vm, vm.compare(CmpOp::Eq, &items, &Value::Int(1))), "False");
    assert_eq!(error(&vm, vm.hash(&items)), "TypeError: unhashable type: 'list'");
    assert_eq!(error(&vm, vm.len(&Value::Int(1))), "TypeError: object of type 'int' has no len()");
    assert_eq!(error(&vm, vm.get_item(&Value::Int(1), &Value::Int(1))), "TypeError: 'int' object is not subscriptable");
    assert_eq!(error(&vm, vm.contains(&Value::Int(1), &text)), "TypeError: argument of type 'int' is not iterable");
    assert_eq!(error(&vm, vm.call(&Value::Int(1), &[])), "TypeError: 'int' object is not callable");
}

#[test]
fn classes_are_built_and_looked_up() {
    let vm = vm();
    let namespace = vm.heap.dict();
    let x = vm.intern("x");
    namespace.set_str(&x, Value::Int(1));
    let a = build(&vm, "A", &[], &namespace).expect("a class");
    let b = build(&vm, "B", std::slice::from_ref(&a), &vm.heap.dict()).expect("a class");
    let made = vm.call(&b, &[]).expect("an instance");
    assert_eq!(shown(&vm, vm.get_attr(&made, &x)), "1");
    vm.set_attr(&made, &x, Value::Int(2)).expect("set");
    assert_eq!(shown(&vm, vm.get_attr(&made, &x)), "2");
    assert_eq!(shown(&vm, vm.get_attr(&b, &x)), "1");
    vm.set_attr(&a, &x, Value::Int(3)).expect("set");
    assert_eq!(shown(&vm, vm.get_attr(&b, &x)), "3");
    vm.del_attr(&made, &x).expect("deleted");
    assert_eq!(shown(&vm, vm.get_attr(&made, &x)), "3");
    assert_eq!(shown(&vm, vm.get_attr(&b, &vm.n.__mro__)), "(<class '__main__.B'>, <class '__main__.A'>, <class 'object'>)");
    assert_eq!(shown(&vm, vm.call_method(&a, &vm.n.__subclasses__, &[])), "[<class '__main__.B'>]");
    let y = vm.intern("y");
    assert_eq!(error(&vm, vm.get_attr(&made, &y)), "AttributeError: 'B' object has no attribute 'y'");
    assert_eq!(error(&vm, vm.get_attr(&b, &y)), "AttributeError: type object 'B' has no attribute 'y'");
    assert_eq!(error(&vm, vm.call(&b, &[Value::None])), "TypeError: B() takes no arguments");
    let bool_ = builtin(&vm, "bool");
    let wrong = build(&vm, "C", &[bool_], &vm.heap.dict());
    assert_eq!(error(&vm, wrong), "TypeError: type 'bool' is not an acceptable base type");
    let wrong = build(&vm, "C", &[builtin(&vm, "int"), builtin(&vm, "str")], &vm.heap.dict());
    assert_eq!(error(&vm, wrong), "TypeError: multiple bases have instance lay-out conflict");
    let wrong = build(&vm, "C", &[a.clone(), b.clone()], &vm.heap.dict());
    let message = "TypeError: Cannot create a consistent method resolution\norder (MRO) for bases A, B";
    assert_eq!(error(&vm, wrong), message);
}

#[test]
fn classes_derived_from_built_in_ones_hold_a_value() {
    let vm = vm();
    let mine = build(&vm, "Mine", &[builtin(&vm, "list")], &vm.heap.dict()).expect("a class");
    let made = vm.call(&mine, &[list(&vm, &[3, 4])]).expect("an instance");
    assert_eq!(shown(&vm, Ok(made.clone())), "[3, 4]");
    assert_eq!(vm.len(&made), Ok(2));
    assert_eq!(shown(&vm, vm.get_item(&made, &Value::Int(-1))), "4");
    assert_eq!(shown(&vm, vm.binary(Operator::Add, &made, &list(&vm, &[5]))), "[3, 4, 5]");
    assert_eq!(shown(&vm, vm.compare(CmpOp::Eq, &made, &list(&vm, &[3, 4]))), "True");
    let collected = vm.collect(&made).expect("items").len();
    assert_eq!(collected, 2);
}

#[test]
fn exceptions_have_their_attributes() {
    let vm = vm();
    let os_error = builtin(&vm, "OSError");
    let args = [Value::Int(2), vm.str_value("No such file or directory"), vm.str_value("x")];
    let made = vm.call(&os_error, &args).expect("an exception");
    assert_eq!(vm.class_of(&made).name().as_str(), "FileNotFoundError");
    assert_eq!(vm.str(&made).expect("text").as_str(), "[Errno 2] No such file or directory: 'x'");
    assert_eq!(shown(&vm, vm.get_attr(&made, &vm.n.filename)), "'x'");
    assert_eq!(shown(&vm, vm.get_attr(&made, &vm.n.args)), "(2, 'No such file or directory')");
    let raised = vm.stop_iteration(Value::Int(7));
    assert_eq!(raised, crate::value::Raised);
    let stop = vm.take_raised();
    assert_eq!(shown(&vm, vm.get_attr(&stop, &vm.n.value)), "7");
    let items = Value::from(vm.heap.list(vec![made.clone(), stop.clone()]));
    let group = vm.call(&builtin(&vm, "BaseExceptionGroup"), &[vm.str_value("many"), items]).expect("a group");
    assert_eq!(vm.class_of(&group).name().as_str(), "ExceptionGroup");
    let (caught, left) = vm.split_for_except(&group, &os_error).expect("two parts");
    assert_eq!(vm.str(&caught.expect("caught")).expect("text").as_str(), "many (1 sub-exception)");
    assert!(left.is_some_and(|left| left.downcast::<Exception>().is_some()));
    let wrong = vm.call(&builtin(&vm, "ExceptionGroup"), &[vm.str_value("none")]);
    assert_eq!(error(&vm, wrong), "TypeError: BaseExceptionGroup.__new__() takes exactly 2 arguments (1 given)");
}

#[test]
fn types_with_parameters_and_unions_print_as_written() {
    let vm = vm();
    let (int, items) = (builtin(&vm, "int"), builtin(&vm, "list"));
    let alias = vm.get_item(&items, &int).expect("an alias");
    assert_eq!(shown(&vm, Ok(alias.clone())), "list[int]");
    let union = vm.binary(Operator::BitOr, &int, &Value::None).expect("a union");
    assert_eq!(shown(&vm, Ok(union.clone())), "int | None");
    assert_eq!(vm.instance_check(&Value::None, &union), Ok(true));
    assert_eq!(vm.instance_check(&Value::float(1.0), &union), Ok(false));
    let wrong = vm.instance_check(&Value::None, &alias);
    assert_eq!(error(&vm, wrong), "TypeError: isinstance() argument 2 cannot be a parameterized generic");
    assert_eq!(error(&vm, vm.get_item(&int, &int)), "TypeError: type 'int' is not subscriptable");
}
