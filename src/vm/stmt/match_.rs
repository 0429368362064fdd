//! `match`: patterns, and the statement around them.

use crate::syntax::Span;
use crate::value::memory_view::MemoryView;
use crate::value::{Class, Collection, Dict, Kind, List, R, Raised, Ref, Str, Tuple, Value};
use crate::vm::Vm;
use crate::vm::node::{Node, Tree};

/// A pattern.
pub enum Pattern {
    /// Compared by `==`.
    Equal(Tree),
    /// Compared by `is`.
    Same(Value),
    /// Patterns before the starred one (all, if there is none), the capture of the starred one, patterns after.
    Sequence {
        before: Box<[Pattern]>,
        star: Option<Option<usize>>,
        after: Box<[Pattern]>,
    },
    Mapping {
        keys: Box<[Tree]>,
        patterns: Box<[Pattern]>,
        rest: Option<usize>,
    },
    Class {
        class: Tree,
        positional: Box<[Pattern]>,
        keywords: Box<[(Ref<Str>, Pattern)]>,
        span: Span,
    },
    Or(Box<[Pattern]>),
    /// Captures what the inner pattern (if any) matches under the numbered name.
    Capture(Option<Box<Pattern>>, usize),
    Wildcard,
}

/// One `case`.
pub struct Case {
    pub pattern: Pattern,
    pub guard: Option<Guard>,
    pub body: Tree,
}

/// The condition behind `if`, with the statements that compute it where it suspends.
pub struct Guard {
    pub before: Option<Tree>,
    pub test: Tree,
}

/// `match subject: ...`. The subject is in a hidden slot while cases are tried.
pub struct Match {
    pub subject: Tree,
    pub slot: u16,
    /// For each capture, a hidden slot and the statement that stores what is there.
    pub captures: Box<[(u16, Option<Tree>)]>,
    pub cases: Box<[Case]>,
    pub span: Span,
}

type Captured = Vec<(usize, Value)>;

impl Node for Match {
    fn eval(&self, vm: &Vm, l: &mut [Value]) -> R {
        self.exec(vm, l)
    }

    fn exec(&self, vm: &Vm, l: &mut [Value]) -> R {
        let subject = self.subject.eval(vm, l)?;
        l[self.slot as usize] = subject;
        self.try_from(vm, l, 0)
    }

    fn place(&self, path: &mut dyn Iterator<Item = u16>) -> Option<Span> {
        let position = path.next()?;
        let case = self.cases.get((position / 2) as usize)?;
        match &case.guard {
            Some(Guard { before: Some(before), .. }) if position % 2 == 0 => before.place(path),
            _ => case.body.place(path),
        }
    }

    fn resume(&self, vm: &Vm, l: &mut [Value]) -> R {
        let position = vm.pop_cursor();
        let index = (position / 2) as usize;
        let case = &self.cases[index];
        if position % 2 == 1 {
            return vm.keep_place(case.body.resume(vm, l), position);
        }
        let passed = match &case.guard {
            Some(Guard { before: Some(before), test }) => {
                match before.resume(vm, l)? {
                    Value::Next => {}
                    signal => return vm.keep_place(Ok(signal), position),
                }
                test.cond(vm, l)?
            }
            _ => true,
        };
        if passed { self.run(vm, l, index) } else { self.try_from(vm, l, index + 1) }
    }
}

impl Match {
    fn try_from(&self, vm: &Vm, l: &mut [Value], first: usize) -> R {
        for index in first..self.cases.len() {
            let case = &self.cases[index];
            let subject = l[self.slot as usize].clone();
            let mut captured = Captured::new();
            if !matches(vm, l, &case.pattern, &subject, &mut captured).map_err(|Raised| vm.at(self.span))? {
                continue;
            }
            drop(subject);
            for (name, value) in captured {
                let (slot, store) = &self.captures[name];
                let old = std::mem::replace(&mut l[*slot as usize], value);
                drop(old);
                if let Some(store) = store {
                    store.exec(vm, l)?;
                }
            }
            if let Some(guard) = &case.guard {
                if let Some(before) = &guard.before {
                    match before.exec(vm, l)? {
                        Value::Next => {}
                        signal => return vm.keep_place(Ok(signal), index as u16 * 2),
                    }
                }
                if !guard.test.cond(vm, l)? {
                    continue;
                }
            }
            return self.run(vm, l, index);
        }
        drop(std::mem::take(&mut l[self.slot as usize]));
        Ok(Value::Next)
    }

    fn run(&self, vm: &Vm, l: &mut [Value], index: usize) -> R {
        drop(std::mem::take(&mut l[self.slot as usize]));
        vm.keep_place(self.cases[index].body.exec(vm, l), index as u16 * 2 + 1)
    }
}

fn matches(vm: &Vm, l: &mut [Value], pattern: &Pattern, subject: &Value, captured: &mut Captured) -> R<bool> {
    match pattern {
        Pattern::Wildcard => Ok(true),
        Pattern::Same(value) => Ok(value.is(subject)),
        Pattern::Equal(tree) => {
            let value = tree.eval(vm, l)?;
            let equal = vm.compare(crate::syntax::ast::CmpOp::Eq, subject, &value)?;
            vm.truthy(&equal)
        }
        Pattern::Capture(inner, name) => {
            if let Some(inner) = inner
                && !matches(vm, l, inner, subject, captured)?
            {
                return Ok(false);
            }
            captured.push((*name, subject.clone()));
            Ok(true)
        }
        Pattern::Or(alternatives) => {
            for alternative in alternatives {
                let length = captured.len();
                if matches(vm, l, alternative, subject, captured)? {
                    return Ok(true);
                }
                captured.truncate(length);
            }
            Ok(false)
        }
        Pattern::Sequence { before, star, after } => matches_sequence(vm, l, before, star, after, subject, captured),
        Pattern::Mapping { keys, patterns, rest } => matches_mapping(vm, l, keys, patterns, *rest, subject, captured),
        Pattern::Class { class, positional, keywords, span } => {
            matches_class(vm, l, class, positional, keywords, subject, captured).map_err(|Raised| vm.at(*span))
        }
    }
}

fn matches_sequence(
    vm: &Vm,
    l: &mut [Value],
    before: &[Pattern],
    star: &Option<Option<usize>>,
    after: &[Pattern],
    subject: &Value,
    captured: &mut Captured,
) -> R<bool> {
    let needed = before.len() + after.len();
    if is_other_sequence(vm, subject) {
        // The length decides first, and what no pattern wants to see is not asked for.
        let fits = match star {
            Some(_) => needed == 0 || vm.len(subject)? >= needed,
            None => vm.len(subject)? == needed,
        };
        if !fits {
            return Ok(false);
        }
        let sees_none = before.iter().chain(after).all(|pattern| matches!(pattern, Pattern::Wildcard));
        match star {
            None | Some(None) if sees_none => return Ok(true),
            Some(None) => return matches_ends(vm, l, before, after, subject, captured),
            _ => {}
        }
    }
    let Some(items) = items_of_sequence(vm, subject)? else { return Ok(false) };
    if items.len() < needed || (star.is_none() && items.len() != needed) {
        return Ok(false);
    }
    for (pattern, item) in before.iter().zip(&items) {
        if !matches(vm, l, pattern, item, captured)? {
            return Ok(false);
        }
    }
    let tail = items.len() - after.len();
    for (pattern, item) in after.iter().zip(&items[tail..]) {
        if !matches(vm, l, pattern, item, captured)? {
            return Ok(false);
        }
    }
    if let Some(Some(name)) = star {
        let middle = items[before.len()..tail].to_vec();
        captured.push((*name, Value::from(vm.heap.list(middle))));
    }
    Ok(true)
}

/// `[first, *_, last]`: what the star stands for is not looked at, so the items are asked for one by one. There are
/// enough of them.
fn matches_ends(
    vm: &Vm,
    l: &mut [Value],
    before: &[Pattern],
    after: &[Pattern],
    subject: &Value,
    captured: &mut Captured,
) -> R<bool> {
    let first = before.iter().zip(0..);
    let from_end = after.iter().zip(-(after.len() as i64)..);
    for (pattern, place) in first.chain(from_end) {
        if matches!(pattern, Pattern::Wildcard) {
            continue;
        }
        // Like CPython, which asks for the length anew for each item that it counts from the end.
        let index = if place < 0 { vm.len(subject)? as i64 + place } else { place };
        let item = vm.get_item(subject, &Value::Int(index))?;
        if !matches(vm, l, pattern, &item, captured)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether the subject is a sequence as patterns understand it, other than a list or tuple.
fn is_other_sequence(vm: &Vm, subject: &Value) -> bool {
    subject.payload::<List>().is_none()
        && subject.payload::<Tuple>().is_none()
        && (subject.kind() == Kind::Range || subject.downcast::<MemoryView>().is_some() || vm.is_sequence(subject))
}

/// The items, if the subject is a sequence as patterns understand it (not text or bytes).
fn items_of_sequence(vm: &Vm, subject: &Value) -> R<Option<Vec<Value>>> {
    if let Some(list) = subject.payload::<List>() {
        return Ok(Some(list.to_vec()));
    }
    if let Some(tuple) = subject.payload::<Tuple>() {
        return Ok(Some(tuple.items().to_vec()));
    }
    if is_other_sequence(vm, subject) {
        return vm.collect(&vm.iter(subject)?).map(Some);
    }
    Ok(None)
}

fn matches_mapping(
    vm: &Vm,
    l: &mut [Value],
    keys: &[Tree],
    patterns: &[Pattern],
    rest: Option<usize>,
    subject: &Value,
    captured: &mut Captured,
) -> R<bool> {
    if subject.payload::<Dict>().is_none() && !vm.is_mapping(subject) {
        return Ok(false);
    }
    if vm.len(subject)? < keys.len() {
        return Ok(false);
    }
    let mut seen: Vec<Value> = Vec::with_capacity(keys.len());
    for (key, pattern) in keys.iter().zip(patterns) {
        let key = key.eval(vm, l)?;
        for known in &seen {
            if vm.eq(known, &key)? {
                let shown = vm.repr(&key)?;
                return Err(vm.value_error(format!("mapping pattern checks duplicate key ({})", shown.as_str())));
            }
        }
        let value = match subject.downcast::<Dict>() {
            Some(dict) => vm.dict_get(dict, &key)?,
            None => {
                let sentinel = Value::from(vm.heap.dict());
                let value = vm.call_method(subject, &vm.n.get, &[key.clone(), sentinel.clone()])?;
                (!value.is(&sentinel)).then_some(value)
            }
        };
        let Some(value) = value else { return Ok(false) };
        if !matches(vm, l, pattern, &value, captured)? {
            return Ok(false);
        }
        seen.push(key);
    }
    if let Some(name) = rest {
        let dict = vm.heap.dict();
        vm.dict_update(&dict, subject)?;
        for key in &seen {
            vm.dict_del(&dict, key)?;
        }
        captured.push((name, Value::from(dict)));
    }
    Ok(true)
}

fn matches_class(
    vm: &Vm,
    l: &mut [Value],
    class: &Tree,
    positional: &[Pattern],
    keywords: &[(Ref<Str>, Pattern)],
    subject: &Value,
    captured: &mut Captured,
) -> R<bool> {
    let class_value = class.eval(vm, l)?;
    let Some(class) = class_value.downcast::<Class>() else {
        return Err(vm.type_error("called match pattern must be a class"));
    };
    if !vm.instance_check(subject, &class_value)? {
        return Ok(false);
    }
    let mut names: Vec<Ref<Str>> = Vec::new();
    if !positional.is_empty() {
        let shown = class.name();
        let too_many = |allowed: usize| {
            let plural = if allowed == 1 { "" } else { "s" };
            let got = positional.len();
            vm.type_error(format!("{}() accepts {allowed} positional sub-pattern{plural} ({got} given)", shown.as_str()))
        };
        let args = class.lookup(&vm.n.__match_args__);
        if args.is_undef() {
            if !matches_itself(vm, class) {
                return Err(too_many(0));
            }
            let [only] = positional else { return Err(too_many(1)) };
            if !matches(vm, l, only, subject, captured)? {
                return Ok(false);
            }
        } else {
            let Some(args) = args.downcast::<Tuple>().cloned() else {
                let kind = vm.class_of(&args).name();
                let text = format!("{}.__match_args__ must be a tuple (got {})", shown.as_str(), kind.as_str());
                return Err(vm.type_error(text));
            };
            if positional.len() > args.len() {
                return Err(too_many(args.len()));
            }
            for (pattern, name) in positional.iter().zip(args.items()) {
                let Some(name) = name.downcast::<Str>() else {
                    let kind = vm.class_of(name).name();
                    return Err(vm.type_error(format!("__match_args__ elements must be strings (got {})", kind.as_str())));
                };
                let name = vm.name_of(name);
                if names.iter().any(|known| known.is(&name)) {
                    return Err(several_for(vm, class, &name));
                }
                if !matches_attribute(vm, l, &name, pattern, subject, captured)? {
                    return Ok(false);
                }
                names.push(name);
            }
        }
    }
    for (name, pattern) in keywords {
        if names.iter().any(|known| known.as_str() == name.as_str()) {
            return Err(several_for(vm, class, name));
        }
        if !matches_attribute(vm, l, name, pattern, subject, captured)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn several_for(vm: &Vm, class: &Ref<Class>, name: &Ref<Str>) -> Raised {
    let class = class.name();
    vm.type_error(format!("{}() got multiple sub-patterns for attribute '{}'", class.as_str(), name.as_str()))
}

fn matches_attribute(
    vm: &Vm,
    l: &mut [Value],
    name: &Ref<Str>,
    pattern: &Pattern,
    subject: &Value,
    captured: &mut Captured,
) -> R<bool> {
    match vm.find_attr(subject, name)? {
        Some(value) => matches(vm, l, pattern, &value, captured),
        None => Ok(false),
    }
}

/// Classes whose single positional sub-pattern is the subject itself.
fn matches_itself(vm: &Vm, class: &Ref<Class>) -> bool {
    let t = &vm.types;
    let bases = [&t.bool_, &t.bytearray, &t.bytes, &t.dict, &t.float, &t.frozenset, &t.int, &t.list, &t.set, &t.str, &t.tuple];
    bases.iter().any(|base| class.is_subclass(base))
}

impl Vm {
    /// Whether a value's class is derived from `collections.abc.Sequence`, or registered there.
    fn is_sequence(&self, value: &Value) -> bool {
        self.collection_of(&self.class_of(value)) == Some(Collection::Sequence)
    }

    /// Whether a value's class is derived from `collections.abc.Mapping`, or registered there.
    fn is_mapping(&self, value: &Value) -> bool {
        value.kind() == Kind::MappingProxy || self.collection_of(&self.class_of(value)) == Some(Collection::Mapping)
    }

    /// What patterns take the instances of a class for: the first of its bases that is one of the two decides.
    pub fn collection_of(&self, class: &Ref<Class>) -> Option<Collection> {
        class.mro.get().iter().find_map(|base| {
            let of_name = match base.own_name().as_str() {
                "Sequence" | "MutableSequence" | "deque" => Collection::Sequence,
                "Mapping" | "MutableMapping" => Collection::Mapping,
                _ => return base.registered.get(),
            };
            let module = base.dict.get_str(&self.n.__module__)?;
            let is_it = module.as_str().is_some_and(|module| module.starts_with("collections") || module == "typing");
            if is_it { Some(of_name) } else { base.registered.get() }
        })
    }
}
