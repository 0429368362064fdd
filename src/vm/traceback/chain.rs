//! The whole text of an exception: before it those that it came from, below it the members of a group, indented behind bars.

use std::collections::HashSet;

use super::{format_entries, format_exception_only};
use crate::value::{Exception, Raised, Value};
use crate::vm::Vm;

/// The deepest groups and the most members that are shown.
const MOST_GROUPS: usize = 10;
const MOST_MEMBERS: usize = 15;
/// The longest chain of causes that is shown.
const LONGEST_CHAIN: usize = 1_000;

const CAUSED: &str = "\nThe above exception was the direct cause of the following exception:\n\n";
const DURING: &str = "\nDuring handling of the above exception, another exception occurred:\n\n";

/// The whole text for an exception, each line ended.
pub fn format_exception(vm: &Vm, exception: &Value) -> String {
    let mut writer = Writer { vm, out: String::new(), seen: HashSet::new(), groups: 0, is_open: false };
    writer.chain(exception);
    writer.out
}

struct Writer<'a> {
    vm: &'a Vm,
    out: String,
    /// The addresses of exceptions that have been shown: none is shown twice as a cause.
    seen: HashSet<usize>,
    /// How many groups are around.
    groups: usize,
    /// The members of a group need a line below the last of them.
    is_open: bool,
}

impl Writer<'_> {
    /// The exceptions that it came from, the oldest first, and the exception.
    fn chain(&mut self, exception: &Value) {
        let mut chain = vec![(exception.clone(), "")];
        let mut newest = exception.clone();
        while let Some(e) = newest.downcast::<Exception>() {
            self.seen.insert(e.address());
            let (cause, context) = (e.cause.get(), e.context.get());
            let (older, words) = if !cause.is_none() {
                (cause, CAUSED)
            } else if !e.suppress_context.get() {
                (context, DURING)
            } else {
                break;
            };
            let known = older.downcast::<Exception>().is_none_or(|older| self.seen.contains(&older.address()));
            if known || chain.len() > LONGEST_CHAIN {
                break;
            }
            chain.push((older.clone(), words));
            newest = older;
        }
        while let Some((one, words)) = chain.pop() {
            self.one(&one);
            self.lines(words);
        }
    }

    fn one(&mut self, exception: &Value) {
        let Some(members) = members(self.vm, exception) else {
            return self.head("Traceback (most recent call last):\n", "| ", exception);
        };
        if self.groups > MOST_GROUPS {
            return self.lines(&format!("... (max_group_depth is {MOST_GROUPS})\n"));
        }
        let outermost = self.groups == 0;
        if outermost {
            self.groups = 1;
        }
        self.head("Exception Group Traceback (most recent call last):\n", if self.groups == 1 { "+ " } else { "| " }, exception);
        let shown = members.len().min(MOST_MEMBERS + 1);
        for (index, member) in members.iter().take(shown).enumerate() {
            let is_last = index + 1 == shown;
            self.is_open |= is_last;
            let title = if index < MOST_MEMBERS { (index + 1).to_string() } else { "...".to_owned() };
            let lead = if index == 0 { "+-" } else { "  " };
            self.indent();
            self.out.push_str(&format!("{lead}+---------------- {title} ----------------\n"));
            self.groups += 1;
            if index < MOST_MEMBERS {
                self.chain(member);
            } else {
                let more = members.len() - MOST_MEMBERS;
                self.lines(&format!("and {more} more exception{}\n", if more == 1 { "" } else { "s" }));
            }
            if is_last && std::mem::take(&mut self.is_open) {
                self.indent();
                self.out.push_str("+------------------------------------\n");
            }
            self.groups -= 1;
        }
        if outermost {
            self.groups = 0;
        }
    }

    /// The traceback of one exception and what it says.
    fn head(&mut self, title: &str, margin: &str, exception: &Value) {
        let mut text = String::new();
        let traceback = exception.downcast::<Exception>().map_or(Value::None, |e| e.traceback.get());
        if !traceback.is_none() {
            self.indent();
            if self.groups > 0 {
                self.out.push_str(margin);
            }
            self.out.push_str(title);
            format_entries(&traceback, &mut text);
        }
        text.push_str(&format_exception_only(self.vm, exception));
        self.lines(&text);
    }

    fn indent(&mut self) {
        self.out.extend(std::iter::repeat_n("  ", self.groups));
    }

    /// Lines of text, each behind the bars of the groups around.
    fn lines(&mut self, text: &str) {
        if self.groups == 0 {
            return self.out.push_str(text);
        }
        for line in text.lines() {
            self.indent();
            self.out.push_str("| ");
            self.out.push_str(line);
            self.out.push('\n');
        }
    }
}

/// The members of an exception group.
fn members(vm: &Vm, exception: &Value) -> Option<Vec<Value>> {
    if !vm.is_instance(exception, &vm.types.base_exception_group) {
        return None;
    }
    let members = exception.downcast::<Exception>()?.args.get().as_tuple()?.get(1)?.clone();
    match vm.collect(&members) {
        Ok(members) => Some(members),
        Err(Raised) => {
            drop(vm.take_raised());
            None
        }
    }
}
