//! `re.Pattern`, and the iterator of `finditer`.

use std::cell::RefCell;

use super::engine::{Engine, Mode, Subject, Walk};
use super::matching;
use super::parse;
use super::substitute::substitute;
use crate::native::Given;
use crate::native::{define_class, define_iterator};
use crate::rows;
use crate::value::{Class, MappingProxy, Payload, R, Ref, Value, Visitor};
use crate::vm::Vm;

/// The payload of a compiled pattern.
pub struct Pattern {
    /// The pattern as it was given.
    pub pattern: Value,
    /// Its translation.
    pub text: String,
    pub flags: u32,
    pub is_bytes: bool,
    pub groups: usize,
    /// The names of groups with their numbers.
    pub names: Vec<(String, usize)>,
    /// The numbers of the groups, in the order in which they are closed.
    pub closing: Vec<usize>,
    pub weight: u64,
    /// Whether it matches nothing but empty texts.
    pub is_empty: bool,
    /// Whether there is a limit to how far it looks.
    pub is_bounded: bool,
    /// Whether searching may go back, so that its work is not in proportion to the text.
    pub backtracks: bool,
    pub engine: Engine,
}

impl Payload for Pattern {
    crate::native_kind!();
    const CONTAINER: bool = true;
    const BUFFERS: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.value(&self.pattern);
    }

    /// About what the compiled forms take.
    fn buffers(&self) -> usize {
        4096 + self.text.len() + self.weight as usize * 32
    }
}

/// Makes the classes.
pub fn class(vm: &Vm) -> Ref<Class> {
    let class = define_class::<Pattern>(
        vm,
        "re",
        "Pattern",
        &rows![
            "findall", "string, pos=0, endpos=None" => findall(0 1 2 3);
            "finditer", "string, pos=0, endpos=None" => finditer(0 1 2 3);
            "fullmatch", "string, pos=0, endpos=None" => fullmatch(0 1 2 3);
            "match", "string, pos=0, endpos=None" => match_(0 1 2 3);
            "scanner", "string, pos=0, endpos=None" => scanner(0 1 2 3);
            "search", "string, pos=0, endpos=None" => search(0 1 2 3);
            "split", "string, maxsplit=0" => split(0 1 2);
            "sub", "repl, string, count=0" => sub(0 1 2 3);
            "subn", "repl, string, count=0" => subn(0 1 2 3);
            class "__class_getitem__", "item, /" => class_getitem(0 1);
            "__copy__", "" => itself(0);
            "__deepcopy__", "memo, /" => itself(0);
            "__eq__", "value, /" => eq(0 1);
            "__hash__", "/" => hash(0);
            "__repr__", "/" => repr(0);
            get "flags" => flags(0);
            get "groupindex" => groupindex(0);
            get "groups" => groups(0);
            get "pattern" => pattern(0);
        ],
    );
    class.is_final.set(true);
    let iterator = define_class::<Matches>(vm, "builtins", "callable_iterator", &[]);
    define_iterator::<Matches>(vm, &iterator, next);
    iterator.is_final.set(true);
    let scanner = define_class::<Scanner>(
        vm,
        "_sre",
        "SRE_Scanner",
        &rows!["match", "" => scan_match(0); "search", "" => scan_search(0); get "pattern" => scanned(0);],
    );
    scanner.is_final.set(true);
    class
}

/// The part of a text that `pos` and `endpos` leave.
fn bounds(vm: &Vm, subject: &Subject, pos: &Value, endpos: &Value) -> R<(usize, usize)> {
    let length = subject.len() as i64;
    let pos = if pos.is_undef() { 0 } else { vm.index_clamped(pos)? };
    let endpos = if endpos.is_undef() { length } else { vm.index_clamped(endpos)? };
    let (pos, endpos) = (pos.clamp(0, length), endpos.clamp(0, length));
    Ok((pos as usize, endpos as usize))
}

fn find(vm: &Vm, this: &Ref<Pattern>, string: &Value, pos: &Value, endpos: &Value, mode: Mode) -> R {
    let subject = Subject::of(vm, this, string)?;
    let (pos, endpos) = bounds(vm, &subject, pos, endpos)?;
    if pos > endpos {
        return Ok(Value::None);
    }
    let (start, end) = (subject.offset(pos), subject.offset(endpos));
    let Some(spans) = this.engine.find(vm, this, &subject, start, end, mode)? else { return Ok(Value::None) };
    let index = spans[0].map_or(pos, |(byte, _)| subject.index(byte, (start, pos)));
    Ok(Value::from(matching::make(vm, this, string, &subject, (spans, index), (pos, endpos))))
}

fn match_(vm: &Vm, this: &Ref<Pattern>, string: &Value, pos: &Value, endpos: &Value) -> R {
    find(vm, this, string, pos, endpos, Mode::Match)
}

fn fullmatch(vm: &Vm, this: &Ref<Pattern>, string: &Value, pos: &Value, endpos: &Value) -> R {
    find(vm, this, string, pos, endpos, Mode::Full)
}

fn search(vm: &Vm, this: &Ref<Pattern>, string: &Value, pos: &Value, endpos: &Value) -> R {
    find(vm, this, string, pos, endpos, Mode::Search)
}

fn findall(vm: &Vm, this: &Ref<Pattern>, string: &Value, pos: &Value, endpos: &Value) -> R {
    let subject = Subject::of(vm, this, string)?;
    let (pos, endpos) = bounds(vm, &subject, pos, endpos)?;
    let mut walk = Walk::new(subject.clone(), pos, endpos);
    let found = vm.heap.list(Vec::new());
    let empty = subject.part(vm, 0, 0);
    while let Some((spans, _)) = walk.next(vm, this)? {
        let text = |group: usize| match spans[group] {
            Some((start, end)) => subject.part(vm, start, end),
            None => empty.clone(),
        };
        let item = match this.groups {
            0 => text(0),
            1 => text(1),
            groups => {
                let texts: Vec<Value> = (1..=groups).map(text).collect();
                Value::from(vm.heap.tuple(texts))
            }
        };
        vm.list_push(&found, item)?;
    }
    Ok(Value::from(found))
}

fn split(vm: &Vm, this: &Ref<Pattern>, string: &Value, Given(most): Given<i64>) -> R {
    let subject = Subject::of(vm, this, string)?;
    let most = most.unwrap_or(0);
    let length = subject.len();
    let mut walk = Walk::new(subject.clone(), 0, length);
    let parts = vm.heap.list(Vec::new());
    let (mut last, mut done) = (0, 0);
    while most <= 0 || done < most {
        let Some((spans, _)) = walk.next(vm, this)? else { break };
        let Some((start, end)) = spans[0] else { break };
        vm.list_push(&parts, subject.part(vm, last, start))?;
        for group in 1..=this.groups {
            let text = spans[group].map_or(Value::None, |(start, end)| subject.part(vm, start, end));
            vm.list_push(&parts, text)?;
        }
        last = end;
        done += 1;
    }
    vm.list_push(&parts, subject.part(vm, last, subject.offset(length)))?;
    Ok(Value::from(parts))
}

fn sub(vm: &Vm, this: &Ref<Pattern>, by: &Value, string: &Value, Given(count): Given<i64>) -> R {
    substitute(vm, this, by, string, count.unwrap_or(0)).map(|(text, _)| text)
}

fn subn(vm: &Vm, this: &Ref<Pattern>, by: &Value, string: &Value, Given(count): Given<i64>) -> R<(Value, usize)> {
    substitute(vm, this, by, string, count.unwrap_or(0))
}

fn flags(_vm: &Vm, this: &Ref<Pattern>) -> i64 {
    i64::from(this.flags)
}

fn groups(_vm: &Vm, this: &Ref<Pattern>) -> usize {
    this.groups
}

fn pattern(_vm: &Vm, this: &Ref<Pattern>) -> Value {
    this.pattern.clone()
}

fn groupindex(vm: &Vm, this: &Ref<Pattern>) -> Ref<MappingProxy> {
    let index = vm.heap.dict();
    for (name, number) in &this.names {
        index.set_str(&vm.heap.str(name), Value::Int(*number as i64));
    }
    vm.heap.alloc(MappingProxy(Value::from(index)))
}

fn itself(_vm: &Vm, this: &Value) -> Value {
    this.clone()
}

fn class_getitem(vm: &Vm, class: &Value, item: &Value) -> Value {
    vm.generic_alias(class.clone(), item)
}

fn eq(vm: &Vm, this: &Ref<Pattern>, other: &Value) -> R {
    let Some(other) = other.downcast::<Pattern>() else { return Ok(Value::NotImplemented) };
    let alike = this.flags == other.flags && this.is_bytes == other.is_bytes;
    Ok(Value::bool(alike && vm.eq(&this.pattern, &other.pattern)?))
}

fn hash(vm: &Vm, this: &Ref<Pattern>) -> R<i64> {
    let key = vm.heap.tuple([this.pattern.clone(), Value::Int(i64::from(this.flags)), Value::bool(this.is_bytes)]);
    vm.hash(&Value::from(key))
}

fn repr(vm: &Vm, this: &Ref<Pattern>) -> R<String> {
    const NAMES: [(&str, u32); 9] = [
        ("TEMPLATE", 1),
        ("IGNORECASE", parse::IGNORECASE),
        ("LOCALE", parse::LOCALE),
        ("MULTILINE", parse::MULTILINE),
        ("DOTALL", parse::DOTALL),
        ("UNICODE", parse::UNICODE),
        ("VERBOSE", parse::VERBOSE),
        ("DEBUG", 128),
        ("ASCII", parse::ASCII),
    ];
    let shown = vm.repr(&this.pattern)?;
    let shown: String = shown.as_str().chars().take(200).collect();
    // That a text is Unicode goes without saying.
    let flags = if this.is_bytes { this.flags } else { this.flags & !parse::UNICODE };
    let mut names: Vec<String> =
        NAMES.iter().filter(|(_, flag)| flags & flag != 0).map(|(name, _)| format!("re.{name}")).collect();
    if flags > 511 {
        names.push(format!("{:#x}", flags & !511));
    }
    let names = if names.is_empty() { String::new() } else { format!(", {}", names.join("|")) };
    Ok(format!("re.compile({shown}{names})"))
}

/// What `finditer` gives.
struct Matches {
    pattern: Ref<Pattern>,
    string: Value,
    bounds: (usize, usize),
    walk: RefCell<Walk>,
}

impl Matches {
    fn new(vm: &Vm, pattern: &Ref<Pattern>, string: &Value, pos: &Value, endpos: &Value) -> R<Matches> {
        let subject = Subject::of(vm, pattern, string)?;
        let bounds = bounds(vm, &subject, pos, endpos)?;
        let walk = RefCell::new(Walk::new(subject, bounds.0, bounds.1));
        Ok(Matches { pattern: pattern.clone(), string: string.clone(), bounds, walk })
    }

    fn step(&self, vm: &Vm, mode: Mode) -> R<Option<Value>> {
        // Searching runs no script code, but it counts work, and may hand over to another thread.
        let Ok(mut walk) = self.walk.try_borrow_mut() else { return Err(vm.runtime_error("iterator already executing")) };
        let found = walk.step(vm, &self.pattern, mode)?;
        let subject = walk.subject.clone();
        drop(walk);
        Ok(found.map(|found| Value::from(matching::make(vm, &self.pattern, &self.string, &subject, found, self.bounds))))
    }
}

impl Payload for Matches {
    crate::native_kind!();
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.reference(&self.pattern);
        visitor.value(&self.string);
        if let Ok(walk) = self.walk.try_borrow() {
            match &walk.subject {
                Subject::Text(text) => visitor.reference(text),
                Subject::Bytes(bytes) => visitor.reference(bytes),
            }
        }
    }
}

fn finditer(vm: &Vm, this: &Ref<Pattern>, string: &Value, pos: &Value, endpos: &Value) -> R {
    Ok(Value::from(vm.heap.alloc(Matches::new(vm, this, string, pos, endpos)?)))
}

fn next(vm: &Vm, this: &Value) -> R<Option<Value>> {
    match this.downcast::<Matches>() {
        Some(this) => this.step(vm, Mode::Search),
        None => Ok(None),
    }
}

/// What `scanner` gives: the same walk, a match at a time.
struct Scanner(Matches);

impl Payload for Scanner {
    crate::native_kind!();
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        self.0.trace(visitor);
    }
}

fn scanner(vm: &Vm, this: &Ref<Pattern>, string: &Value, pos: &Value, endpos: &Value) -> R {
    Ok(Value::from(vm.heap.alloc(Scanner(Matches::new(vm, this, string, pos, endpos)?))))
}

fn scan_match(vm: &Vm, this: &Ref<Scanner>) -> R<Option<Value>> {
    this.0.step(vm, Mode::Match)
}

fn scan_search(vm: &Vm, this: &Ref<Scanner>) -> R<Option<Value>> {
    this.0.step(vm, Mode::Search)
}

fn scanned(_vm: &Vm, this: &Ref<Scanner>) -> Ref<Pattern> {
    this.0.pattern.clone()
}
