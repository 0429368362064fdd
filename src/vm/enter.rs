//! The short way into script functions: a call site evaluates its arguments straight into the slots of the callee, a native array.
//!
//! The shortest is for a call that gives exactly the parameters, none of which is captured: `Code::entry` is the function for the
//! body's number of slots and of parameters, both constants in it, so that the array is made and filled without a loop. Calls
//! that leave parameters to their defaults, or name some, fill the array by loops; everything else binds evaluated arguments
//! (`bind.rs`).

use super::Vm;
use super::code::CodeKind;
use super::function::Function;
use super::node::Tree;
use crate::syntax::Span;
use crate::value::{Place, R, Raised, Ref, Slots, Str, Value};

/// The positional arguments of a call in the text, and its place.
pub struct CallSite {
    pub args: Box<[Tree]>,
    pub span: Span,
    pub place: Place,
}

/// How a body is entered. The caller holds a count of the function for as long as it runs.
pub struct Entry {
    /// With exactly the arguments it takes.
    pub plain: fn(&Vm, &Ref<Function>, &CallSite, &mut [Value]) -> R,
    /// The same for a method, whose first argument is a value.
    pub method: fn(&Vm, &Ref<Function>, Value, &CallSite, &mut [Value]) -> R,
    /// With at most as many arguments as it has positional parameters; the first is a value unless it is `Undef`.
    pub some: fn(&Vm, &Ref<Function>, Value, &CallSite, &mut [Value]) -> R,
    /// The same with keywords.
    pub keyed: fn(&Vm, Keyed<'_>, &mut [Value]) -> R,
}

/// Any number of parameters.
const ANY: usize = usize::MAX;

/// The entry of bodies with at most `N` slots, and `P` parameters.
struct Sized<const N: usize, const P: usize>;

impl<const N: usize, const P: usize> Sized<N, P> {
    const ENTRY: Entry = Entry { plain: plain::<N, P>, method: method::<N, P>, some: some::<N>, keyed: keyed::<N> };
}

impl Entry {
    /// The entry of bodies of this kind with so many slots and parameters.
    pub fn of(kind: CodeKind, slots: usize, parameters: usize) -> &'static Entry {
        macro_rules! of_size {
            ($size:literal: $($parameters:literal)*) => {
                match parameters {
                    $($parameters => &Sized::<$size, $parameters>::ENTRY,)*
                    _ => &Sized::<$size, ANY>::ENTRY,
                }
            };
        }
        if kind != CodeKind::Function {
            // Nothing runs yet: the call makes a generator or coroutine.
            return &Entry { plain: plain_large, method: method_large, some: make_some, keyed: make_keyed };
        }
        match slots {
            0 | 1 => of_size!(1: 0 1),
            2 => of_size!(2: 0 1 2),
            3 => of_size!(3: 0 1 2 3),
            4 => of_size!(4: 0 1 2 3),
            5 | 6 => of_size!(6: 0 1 2 3),
            7 | 8 => of_size!(8: 1 2),
            9..=12 => of_size!(12:),
            13..=20 => of_size!(20:),
            _ => &Entry { plain: plain_large, method: method_large, some: some_large, keyed: keyed_large },
        }
    }
}

fn plain<const N: usize, const P: usize>(vm: &Vm, function: &Ref<Function>, site: &CallSite, l: &mut [Value]) -> R {
    let mut slots = [const { Value::Undef }; N];
    fill::<P>(vm, &site.args, l, &mut slots, 0, site.span)?;
    finish(vm, function, &mut slots, site)
}

fn method<const N: usize, const P: usize>(vm: &Vm, function: &Ref<Function>, this: Value, site: &CallSite, l: &mut [Value]) -> R {
    let mut slots = [const { Value::Undef }; N];
    slots[0] = this;
    fill::<P>(vm, &site.args, l, &mut slots, 1, site.span)?;
    finish(vm, function, &mut slots, site)
}

fn plain_large(vm: &Vm, function: &Ref<Function>, site: &CallSite, l: &mut [Value]) -> R {
    let mut slots = vec![Value::Undef; function.code.slots];
    fill::<ANY>(vm, &site.args, l, &mut slots, 0, site.span)?;
    finish(vm, function, &mut slots, site)
}

fn method_large(vm: &Vm, function: &Ref<Function>, this: Value, site: &CallSite, l: &mut [Value]) -> R {
    let mut slots = vec![Value::Undef; function.code.slots];
    slots[0] = this;
    fill::<ANY>(vm, &site.args, l, &mut slots, 1, site.span)?;
    finish(vm, function, &mut slots, site)
}

/// Evaluates arguments for the parameters from `first` to `P`.
#[inline(always)]
fn fill<const P: usize>(vm: &Vm, args: &[Tree], l: &mut [Value], slots: &mut [Value], first: usize, span: Span) -> R<()> {
    if P == ANY {
        for (slot, arg) in slots[first..].iter_mut().zip(args) {
            *slot = arg.eval(vm, l).map_err(|Raised| vm.at(span))?;
        }
        return Ok(());
    }
    let args = &args[..P.saturating_sub(first)];
    for (index, arg) in args.iter().enumerate() {
        slots[first + index] = arg.eval(vm, l).map_err(|Raised| vm.at(span))?;
    }
    Ok(())
}

#[inline(always)]
fn finish(vm: &Vm, function: &Ref<Function>, slots: &mut [Value], site: &CallSite) -> R {
    match vm.run_body_from(function, slots, site.place) {
        Ok(value) => Ok(value),
        Err(Raised) => Err(vm.at(site.span)),
    }
}

fn some<const N: usize>(vm: &Vm, function: &Ref<Function>, this: Value, site: &CallSite, l: &mut [Value]) -> R {
    let mut slots = [const { Value::Undef }; N];
    let given = fill_some(vm, this, site, l, &mut slots)?;
    complete(vm, function, &mut slots, given, site.span)?;
    finish(vm, function, &mut slots, site)
}

fn some_large(vm: &Vm, function: &Ref<Function>, this: Value, site: &CallSite, l: &mut [Value]) -> R {
    let mut slots = vec![Value::Undef; function.code.slots];
    let given = fill_some(vm, this, site, l, &mut slots)?;
    complete(vm, function, &mut slots, given, site.span)?;
    finish(vm, function, &mut slots, site)
}

/// The generator or coroutine of a call.
fn make_some(vm: &Vm, function: &Ref<Function>, this: Value, site: &CallSite, l: &mut [Value]) -> R {
    let mut slots = Slots::new(&vm.heap, function.code.slots);
    let given = fill_some(vm, this, site, l, &mut slots)?;
    complete(vm, function, &mut slots, given, site.span)?;
    vm.heap.here.set(site.place);
    function.put_closure(&mut slots);
    Ok(vm.make_resumable(function, slots))
}

/// A call with keywords of which every argument has a parameter of its own.
pub struct Keyed<'a> {
    pub function: &'a Ref<Function>,
    /// The first argument, or `Undef`.
    pub this: Value,
    pub site: &'a CallSite,
    pub keywords: &'a [(Option<Ref<Str>>, Tree)],
    /// The slots of the keyword arguments.
    pub places: &'a [u16],
}

impl Keyed<'_> {
    #[inline(always)]
    fn fill(self, vm: &Vm, l: &mut [Value], slots: &mut [Value]) -> R<()> {
        let given = fill_some(vm, self.this, self.site, l, slots)?;
        for ((_, value), &place) in self.keywords.iter().zip(self.places) {
            slots[place as usize] = value.eval(vm, l).map_err(|Raised| vm.at(self.site.span))?;
        }
        complete(vm, self.function, slots, given, self.site.span)
    }
}

fn keyed<const N: usize>(vm: &Vm, call: Keyed<'_>, l: &mut [Value]) -> R {
    let mut slots = [const { Value::Undef }; N];
    let (function, site) = (call.function, call.site);
    call.fill(vm, l, &mut slots)?;
    finish(vm, function, &mut slots, site)
}

fn keyed_large(vm: &Vm, call: Keyed<'_>, l: &mut [Value]) -> R {
    let mut slots = vec![Value::Undef; call.function.code.slots];
    let (function, site) = (call.function, call.site);
    call.fill(vm, l, &mut slots)?;
    finish(vm, function, &mut slots, site)
}

fn make_keyed(vm: &Vm, call: Keyed<'_>, l: &mut [Value]) -> R {
    let mut slots = Slots::new(&vm.heap, call.function.code.slots);
    let (function, place) = (call.function, call.site.place);
    call.fill(vm, l, &mut slots)?;
    vm.heap.here.set(place);
    function.put_closure(&mut slots);
    Ok(vm.make_resumable(function, slots))
}

/// Evaluates positional arguments; how many there are.
#[inline(always)]
fn fill_some(vm: &Vm, this: Value, site: &CallSite, l: &mut [Value], slots: &mut [Value]) -> R<usize> {
    let mut given = 0;
    if !this.is_undef() {
        slots[0] = this;
        given = 1;
    }
    for arg in &site.args {
        slots[given] = arg.eval(vm, l).map_err(|Raised| vm.at(site.span))?;
        given += 1;
    }
    Ok(given)
}

/// Does what is to be done for the other parameters.
#[inline(always)]
fn complete(vm: &Vm, function: &Ref<Function>, slots: &mut [Value], given: usize, span: Span) -> R<()> {
    let code = &function.code;
    if given == code.parameters.positional && code.has_simple_parameters {
        return Ok(());
    }
    vm.complete(function, slots, given).map_err(|Raised| vm.at(span))
}

impl Vm {
    /// Calls a function of any kind as a method of `this`, with at most as many arguments as it has positional parameters.
    #[inline(always)]
    pub fn enter_method(&self, function: &Ref<Function>, this: Value, site: &CallSite, l: &mut [Value]) -> R {
        let code = &function.code;
        let enter = if site.args.len() + 1 == code.exact { code.entry.method } else { code.entry.some };
        enter(self, function, this, site, l)
    }
}
