//! `re.Match`.

use super::engine::{Spans, Subject};
use super::pattern::Pattern;
use super::substitute;
use crate::native::define_class;
use crate::rows;
use crate::value::{Class, Dict, Payload, R, Raised, Ref, Value, Visitor};
use crate::vm::Vm;

/// The payload of a match.
pub struct Match {
    pub pattern: Ref<Pattern>,
    /// What was searched, as it was given.
    string: Value,
    pub subject: Subject,
    pub spans: Spans,
    /// The index of the code point at which the match begins.
    index: usize,
    pos: usize,
    endpos: usize,
}

impl Payload for Match {
    crate::native_kind!();
    const CONTAINER: bool = true;
    const BUFFERS: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        visitor.reference(&self.pattern);
        visitor.value(&self.string);
        match &self.subject {
            Subject::Text(text) => visitor.reference(text),
            Subject::Bytes(bytes) => visitor.reference(bytes),
        }
    }

    fn buffers(&self) -> usize {
        size_of_val(&*self.spans)
    }
}

/// Makes the class.
pub fn class(vm: &Vm) -> Ref<Class> {
    let class = define_class::<Match>(
        vm,
        "re",
        "Match",
        &rows![
            "end", "group=0, /" => end(0 1);
            "expand", "template" => expand(0 1);
            raw "group", "*groups" => group;
            "groupdict", "default=None" => groupdict(0 1);
            "groups", "default=None" => groups(0 1);
            "span", "group=0, /" => span(0 1);
            "start", "group=0, /" => start(0 1);
            class "__class_getitem__", "item, /" => class_getitem(0 1);
            "__copy__", "" => itself(0);
            "__deepcopy__", "memo, /" => itself(0);
            "__getitem__", "key, /" => get_item(0 1);
            "__repr__", "/" => repr(0);
            get "endpos" => endpos(0);
            get "lastgroup" => lastgroup(0);
            get "lastindex" => lastindex(0);
            get "pos" => pos(0);
            get "re" => pattern(0);
            get "regs" => regs(0);
            get "string" => string(0);
        ],
    );
    class.is_final.set(true);
    class
}

/// A match as a value.
pub fn make(
    vm: &Vm,
    pattern: &Ref<Pattern>,
    string: &Value,
    subject: &Subject,
    (spans, index): (Spans, usize),
    (pos, endpos): (usize, usize),
) -> Ref<Match> {
    let (pattern, string, subject) = (pattern.clone(), string.clone(), subject.clone());
    vm.heap.alloc_owning(Match { pattern, string, subject, spans, index, pos, endpos })
}

impl Match {
    /// The text that a group matched; `default` if it did not take part.
    fn text(&self, vm: &Vm, group: usize, default: &Value) -> Value {
        match self.spans[group] {
            Some((start, end)) => self.subject.part(vm, start, end),
            None if default.is_undef() => Value::None,
            None => default.clone(),
        }
    }

    /// Where a group matched, in code points; -1 if it did not take part.
    fn place(&self, group: usize) -> (i64, i64) {
        let Some((start, end)) = self.spans[group] else { return (-1, -1) };
        let known = (self.spans[0].map_or(0, |whole| whole.0), self.index);
        let from = self.subject.index(start, known);
        (from as i64, self.subject.index(end, (start, from)) as i64)
    }

    /// The group that ended last.
    fn last(&self) -> Option<usize> {
        let ends = self.pattern.closing.iter().filter_map(|group| Some((self.spans[*group]?.1, *group)));
        // Of those that ended at the same place, the one whose parenthesis is closed last.
        ends.fold(None, |best: Option<(usize, usize)>, next| match best {
            Some(best) if best.0 > next.0 => Some(best),
            _ => Some(next),
        })
        .map(|(_, group)| group)
    }
}

#[cold]
fn no_such_group(vm: &Vm) -> Raised {
    vm.index_error("no such group")
}

/// The number of the group that a script names.
fn number(vm: &Vm, this: &Match, key: &Value) -> R<usize> {
    if vm.has_index(key) {
        return match vm.index(key)? {
            Value::Int(index) if index >= 0 && (index as usize) < this.spans.len() => Ok(index as usize),
            _ => Err(no_such_group(vm)),
        };
    }
    let name = key.as_str().and_then(|name| this.pattern.names.iter().find(|(known, _)| known == name));
    name.map(|(_, number)| *number).ok_or_else(|| no_such_group(vm))
}

fn or_whole(vm: &Vm, this: &Match, key: &Value) -> R<usize> {
    if key.is_undef() { Ok(0) } else { number(vm, this, key) }
}

fn group(vm: &Vm, args: crate::vm::function::Args<'_>) -> R {
    let Some((this, keys)) = args.positional.split_first() else { return Err(no_such_group(vm)) };
    let this: &Ref<Match> = crate::native::FromValue::from_value(vm, this)?;
    if !args.keywords.is_empty() {
        return Err(vm.type_error("Match.group() takes no keyword arguments"));
    }
    match keys {
        [] => Ok(this.text(vm, 0, &Value::None)),
        [key] => Ok(this.text(vm, number(vm, this, key)?, &Value::None)),
        keys => {
            let mut texts = Vec::with_capacity(keys.len());
            for key in keys {
                texts.push(this.text(vm, number(vm, this, key)?, &Value::None));
            }
            Ok(Value::from(vm.heap.tuple(texts)))
        }
    }
}

fn get_item(vm: &Vm, this: &Ref<Match>, key: &Value) -> R {
    Ok(this.text(vm, number(vm, this, key)?, &Value::None))
}

fn groups(vm: &Vm, this: &Ref<Match>, default: &Value) -> Value {
    let texts: Vec<Value> = (1..this.spans.len()).map(|group| this.text(vm, group, default)).collect();
    Value::from(vm.heap.tuple(texts))
}

fn groupdict(vm: &Vm, this: &Ref<Match>, default: &Value) -> Ref<Dict> {
    let found = vm.heap.dict();
    for (name, group) in &this.pattern.names {
        found.set_str(&vm.heap.str(name), this.text(vm, *group, default));
    }
    found
}

fn start(vm: &Vm, this: &Ref<Match>, group: &Value) -> R<i64> {
    Ok(this.place(or_whole(vm, this, group)?).0)
}

fn end(vm: &Vm, this: &Ref<Match>, group: &Value) -> R<i64> {
    Ok(this.place(or_whole(vm, this, group)?).1)
}

fn span(vm: &Vm, this: &Ref<Match>, group: &Value) -> R<(i64, i64)> {
    Ok(this.place(or_whole(vm, this, group)?))
}

fn regs(vm: &Vm, this: &Ref<Match>) -> Value {
    let places = (0..this.spans.len()).map(|group| {
        let (start, end) = this.place(group);
        Value::from(vm.heap.tuple([Value::Int(start), Value::Int(end)]))
    });
    let places: Vec<Value> = places.collect();
    Value::from(vm.heap.tuple(places))
}

fn expand(vm: &Vm, this: &Ref<Match>, template: &Value) -> R {
    let template = substitute::template(vm, &this.pattern, template)?;
    let mut out = Vec::new();
    substitute::expand(vm, &template, this, &mut out)?;
    Ok(substitute::made(vm, this.pattern.is_bytes, out))
}

fn lastindex(_vm: &Vm, this: &Ref<Match>) -> Option<usize> {
    this.last()
}

fn lastgroup(_vm: &Vm, this: &Ref<Match>) -> Option<String> {
    let last = this.last()?;
    this.pattern.names.iter().find(|(_, number)| *number == last).map(|(name, _)| name.clone())
}

fn pos(_vm: &Vm, this: &Ref<Match>) -> usize {
    this.pos
}

fn endpos(_vm: &Vm, this: &Ref<Match>) -> usize {
    this.endpos
}

fn pattern(_vm: &Vm, this: &Ref<Match>) -> Ref<Pattern> {
    this.pattern.clone()
}

fn string(_vm: &Vm, this: &Ref<Match>) -> Value {
    this.string.clone()
}

fn itself(_vm: &Vm, this: &Value) -> Value {
    this.clone()
}

fn class_getitem(vm: &Vm, class: &Value, item: &Value) -> Value {
    vm.generic_alias(class.clone(), item)
}

fn repr(vm: &Vm, this: &Ref<Match>) -> R<String> {
    let (start, end) = this.place(0);
    let shown = vm.repr(&this.text(vm, 0, &Value::None))?;
    Ok(format!("<re.Match object; span=({start}, {end}), match={}>", shown.as_str()))
}
