//! `atexit`: functions that are called when the program ends, the last registered first.

use std::cell::RefCell;

use crate::native::{ModuleRow, new_module};
use crate::rows;
use crate::value::{Module, R, Raised, Ref, Value};
use crate::vm::Vm;
use crate::vm::exit::Stage;
use crate::vm::function::Args;

pub const MODULE: ModuleRow = ModuleRow { name: "atexit", load };

/// A function and what it is called with.
struct Call {
    function: Value,
    positional: Vec<Value>,
    keywords: Vec<(Ref<crate::value::Str>, Value)>,
}

impl Call {
    /// Bytes on the account of memory.
    fn bytes(&self) -> usize {
        size_of::<Call>() + size_of_val(&*self.positional) + size_of_val(&*self.keywords)
    }
}

#[derive(Default)]
struct Registered(RefCell<Vec<Call>>);

fn load(vm: &Vm) -> R<Ref<Module>> {
    vm.on_exit(Stage::Functions, run);
    Ok(new_module(
        vm,
        "atexit",
        "Functions that are called when the program ends.",
        &rows![
            raw "register", "func, /, *args, **kwargs" => register;
            "unregister", "func, /" => unregister(0);
            "_clear", "" => clear();
            "_ncallbacks", "" => count();
            "_run_exitfuncs", "" => run();
        ],
    ))
}

fn register(vm: &Vm, args: Args<'_>) -> R {
    let Some((function, positional)) = args.positional.split_first() else {
        return Err(vm.type_error("register() takes at least 1 argument (0 given)"));
    };
    if !vm.is_callable(function) {
        return Err(vm.type_error("the first argument must be callable"));
    }
    let call = Call { function: function.clone(), positional: positional.to_vec(), keywords: args.keywords.to_vec() };
    vm.check_alloc(call.bytes())?;
    vm.heap.charge(call.bytes());
    vm.extension(Registered::default).0.borrow_mut().push(call);
    Ok(function.clone())
}

fn unregister(vm: &Vm, function: &Value) -> R<()> {
    let registered = vm.extension(Registered::default);
    let mut at = 0;
    // Comparing may run script code that registers more.
    loop {
        let Some(known) = registered.0.borrow().get(at).map(|call| call.function.clone()) else { return Ok(()) };
        if !vm.eq(&known, function)? {
            at += 1;
            continue;
        }
        let gone = {
            let mut calls = registered.0.borrow_mut();
            (at < calls.len()).then(|| calls.remove(at))
        };
        if let Some(gone) = gone {
            vm.heap.discharge(gone.bytes());
        }
    }
}

fn clear(vm: &Vm) {
    let all = std::mem::take(&mut *vm.extension(Registered::default).0.borrow_mut());
    for call in all {
        vm.heap.discharge(call.bytes());
    }
}

fn count(vm: &Vm) -> usize {
    vm.extension(Registered::default).0.borrow().len()
}

fn run(vm: &Vm) -> R<()> {
    let registered = vm.extension(Registered::default);
    // What these functions register comes too late.
    let all = std::mem::take(&mut *registered.0.borrow_mut());
    for call in all.into_iter().rev() {
        vm.heap.discharge(call.bytes());
        if let Err(Raised) = vm.call_with(&call.function, Args { positional: &call.positional, keywords: &call.keywords }) {
            vm.unraisable("Exception ignored in atexit callback", &call.function);
        }
    }
    clear(vm);
    Ok(())
}
