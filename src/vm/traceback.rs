//! Tracebacks: their entries, added while an exception leaves frames, and their text in CPython's layout.

mod chain;

use std::cell::{Cell, OnceCell};
use std::rc::Rc;

pub use chain::format_exception;

use super::Vm;
use crate::syntax::{Source, Span};
use crate::value::{Charged, Exception, Kind, Payload, Raised, Ref, Shared, Str, Value, Visitor};

/// What tracebacks tell about a body of code.
pub struct CodeInfo {
    /// The function's name, `<module>`, `<lambda>`, ...
    pub name: String,
    pub source: Source,
    /// The line of the definition, from 1.
    pub first_line: u32,
    /// `__name__` of the module that it was compiled for.
    pub module: Option<Box<str>>,
    /// Its number in places (see `places.rs`).
    pub number: u32,
    /// `types.coroutine` has made the generators of this function awaitable.
    pub is_iterable_coroutine: Cell<bool>,
    /// The bytes of the source on the account of memory.
    pub held: Rc<Charged>,
    /// The names of its variables, once it is lowered: what a missing name may have been meant to be.
    pub variables: OnceCell<Vec<Ref<Str>>>,
}

/// The payload of a traceback: a place in a body of code, and the entry of the frame it called. The head is the outermost frame.
pub struct Traceback {
    pub info: Rc<CodeInfo>,
    pub span: Span,
    /// The next entry, towards the place of the error, or `None`.
    pub next: Shared<Value>,
}

impl Payload for Traceback {
    const KIND: Kind = Kind::Traceback;
    const CONTAINER: bool = true;

    fn trace(&self, visitor: &mut Visitor<'_>) {
        self.next.with(|value| visitor.value(value));
    }

    fn clear(&self) {
        self.next.set(Value::None);
    }
}

impl Traceback {
    /// The line of the place, from 1.
    pub fn line(&self) -> u32 {
        self.info.source.line_number(self.span.start)
    }
}

/// Marks that no node has yet said where the exception on its way was raised.
pub(super) const NO_SPAN: Span = Span { start: u32::MAX, end: u32::MAX };
/// Marks that the exception on its way was caught in this frame before: it has an entry for it.
const AGAIN: Span = Span { start: u32::MAX, end: 0 };

impl Vm {
    /// Notes where the exception on its way comes from, unless an inner node has.
    #[cold]
    #[inline(never)]
    pub fn at(&self, span: Span) -> Raised {
        if self.error_span.get() == NO_SPAN {
            self.error_span.set(span);
        }
        Raised
    }

    /// Raises an exception that was caught in this frame, which thereby is in its traceback already.
    #[cold]
    #[inline(never)]
    pub fn reraise(&self, exception: Value) -> Raised {
        self.error_span.set(AGAIN);
        self.raise(exception)
    }

    /// Adds an entry for a frame to the exception on its way. Called when it leaves the frame, or is caught in it.
    #[cold]
    #[inline(never)]
    pub fn add_traceback(&self, info: &Rc<CodeInfo>) -> Raised {
        let span = self.error_span.replace(NO_SPAN);
        if span == AGAIN {
            return Raised;
        }
        let exception = self.raised.get();
        if let Some(exception) = exception.as_ref().and_then(|e| e.downcast::<Exception>())
            && !(exception.uncatchable.get() && self.heap.bytes() > self.heap.limit())
        {
            let next = exception.traceback.get();
            let span = if span == NO_SPAN { Span { start: 0, end: 0 } } else { span };
            let entry = Traceback { info: info.clone(), span, next: Shared::new(next) };
            exception.traceback.set(Value::from(self.heap.alloc(entry)));
        }
        Raised
    }
}

/// The most entries of a traceback that are shown in full, at each end.
const SHOWN_ENTRIES: usize = 50;

/// The entries of a traceback, outermost first.
pub fn entries(traceback: &Value) -> Vec<Ref<Traceback>> {
    let mut found = Vec::new();
    let mut at = traceback.clone();
    while let Some(entry) = at.downcast::<Traceback>() {
        found.push(entry.clone());
        let next = entry.next.get();
        at = next;
        if found.len() > 1_000_000 {
            break;
        }
    }
    found
}

/// The lines of the entries: `  File "...", line N, in name`, the source line, the markers.
pub fn format_entries(traceback: &Value, out: &mut String) {
    let all = entries(traceback);
    let mut index = 0;
    while index < all.len() {
        let entry = &all[index];
        // Repetitions beyond three are folded, as CPython does.
        let mut same = 1;
        while index + same < all.len() && is_same(&all[index + same], entry) {
            same += 1;
        }
        for shown in &all[index..index + same.min(3)] {
            format_entry(shown, out);
        }
        if same > 3 {
            let more = same - 3;
            out.push_str(&format!("  [Previous line repeated {more} more time{}]\n", if more == 1 { "" } else { "s" }));
        }
        index += same;
        if index > SHOWN_ENTRIES && all.len() > 2 * SHOWN_ENTRIES + index && all.len() - SHOWN_ENTRIES > index {
            let skipped = all.len() - SHOWN_ENTRIES - index;
            out.push_str(&format!("  ... {skipped} more entries ...\n"));
            index = all.len() - SHOWN_ENTRIES;
        }
    }
}

fn is_same(a: &Ref<Traceback>, b: &Ref<Traceback>) -> bool {
    Rc::ptr_eq(&a.info, &b.info) && a.line() == b.line()
}

/// The text of one entry.
pub fn format_entry(entry: &Ref<Traceback>, out: &mut String) {
    let source = &entry.info.source;
    let line_number = entry.line();
    out.push_str(&format!("  File \"{}\", line {}, in {}\n", source.name(), line_number, entry.info.name));
    let (Some(line), Some(line_span)) = (source.line(line_number), source.line_span(line_number)) else { return };
    let trimmed = line.trim_start();
    let text = trimmed.trim_end();
    if text.is_empty() {
        return;
    }
    out.push_str(&format!("    {text}\n"));
    let removed = (line.len() - trimmed.len()) as u32;
    let start = entry.span.start.saturating_sub(line_span.start + removed) as usize;
    let end = (entry.span.end.saturating_sub(line_span.start + removed) as usize).min(text.len());
    if start >= end || !text.is_char_boundary(start) || !text.is_char_boundary(end) {
        return;
    }
    let marked = &text[start..end];
    let is_one_line = entry.span.end <= line_span.end;
    let anchor = if is_one_line { anchor(marked) } else { None };
    if anchor.is_none() && start == 0 && end >= text.len() {
        return;
    }
    let width = |s: &str| s.chars().count();
    out.push_str("    ");
    out.push_str(&" ".repeat(width(&text[..start])));
    out.push_str(&markers(marked, anchor));
    out.push('\n');
}

/// `^^^^` under an expression; `~~^~~` with the operator of a binary operation or the bracket of a subscript or call marked, as
/// CPython has it for what it calls anchors.
fn markers(marked: &str, anchor: Option<(usize, usize)>) -> String {
    let width = marked.chars().count();
    if let Some((from, to)) = anchor {
        let before = marked[..from].chars().count();
        let at = marked[from..to].chars().count();
        return "~".repeat(before) + &"^".repeat(at) + &"~".repeat(width - before - at);
    }
    "^".repeat(width)
}

/// The bytes of the operator (or the brackets) that an error in this expression points at.
fn anchor(text: &str) -> Option<(usize, usize)> {
    let source = Source::new("<anchor>", text);
    let module = crate::syntax::parse(&source, crate::syntax::Mode::Eval).ok()?;
    use crate::syntax::ast::{ExprKind, StmtKind};
    let StmtKind::Expr { value } = &module.body.first()?.kind else { return None };
    match &value.kind {
        ExprKind::BinOp { left, right, .. } => {
            // Like CPython, which takes whatever stands behind the left operand for the operator, two characters at most.
            let between = text.get(left.span.end as usize..right.span.start as usize)?;
            let skipped = between.len() - between.trim_start_matches(|c: char| c.is_whitespace() || c == ')').len();
            let symbol: String = between[skipped..].chars().take(2).take_while(|c| !c.is_whitespace()).collect();
            let at = left.span.end as usize + skipped;
            (!symbol.is_empty()).then_some((at, at + symbol.len()))
        }
        ExprKind::Subscript { value, slice } => {
            let open = text.get(value.span.end as usize..)?.find('[')? + value.span.end as usize;
            let close = text.get(slice.span.end as usize..)?.find(']')? + slice.span.end as usize;
            Some((open, close + 1))
        }
        _ => None,
    }
}

/// The last lines: `Class: message`, with notes; for syntax errors the place first.
pub fn format_exception_only(vm: &Vm, exception: &Value) -> String {
    let class = vm.class_of(exception);
    let name = match class.lookup(&vm.n.__module__).downcast::<Str>().map(|module| module.as_str().to_owned()) {
        Some(module) if module != "builtins" && module != "__main__" => format!("{module}.{}", class.qualname.get().as_str()),
        _ => class.qualname.get().as_str().to_owned(),
    };
    let mut out = String::new();
    if class.is_subclass(&vm.types.syntax_error)
        && let Some(text) = syntax_error_place(vm, exception)
    {
        out.push_str(&text);
    }
    let message = match message_of(vm, exception) {
        Ok(message) => message,
        Err(Raised) => {
            drop(vm.take_raised());
            "<exception str() failed>".to_owned()
        }
    };
    let suggestion = vm.suggestion(exception);
    if message.is_empty() {
        out.push_str(&name);
    } else {
        out.push_str(&format!("{name}: {message}"));
    }
    if let Some(suggestion) = &suggestion {
        out.push_str(&format!(". Did you mean: '{suggestion}'?"));
    }
    if let Some(module) = vm.forgotten_import(exception) {
        let begin = if suggestion.is_some() { " Or did" } else { ". Did" };
        out.push_str(&format!("{begin} you forget to import '{module}'?"));
    }
    out.push('\n');
    if let Ok(Some(notes)) = vm.find_attr(exception, &vm.n.__notes__)
        && let Ok(notes) = vm.collect(&notes)
    {
        for note in notes {
            if let Ok(text) = vm.str(&note) {
                out.push_str(text.as_str());
                out.push('\n');
            }
        }
    }
    drop(vm.raised.take());
    out
}

fn message_of(vm: &Vm, exception: &Value) -> crate::value::R<String> {
    if vm.is_instance(exception, &vm.types.syntax_error)
        && let Some(e) = exception.downcast::<Exception>()
        && let Some(message) = e.args.get().as_tuple().and_then(|args| args.first().cloned())
    {
        return Ok(vm.str(&message)?.as_str().to_owned());
    }
    Ok(vm.str(exception)?.as_str().to_owned())
}

/// The rendered place of a syntax error, without its last line.
fn syntax_error_place(vm: &Vm, exception: &Value) -> Option<String> {
    let get = |name: &Ref<Str>| vm.find_attr(exception, name).ok().flatten().filter(|value| !value.is_none());
    let filename = get(&vm.n.filename)?;
    let Value::Int(line) = get(&vm.n.lineno)? else { return None };
    let mut out = format!("  File \"{}\", line {line}\n", filename.as_str()?);
    let Some(text) = get(&vm.n.text) else { return Some(out) };
    let text = text.as_str()?;
    let stripped = text.trim_end();
    let shown = stripped.trim_start();
    out.push_str(&format!("    {shown}\n"));
    let removed = stripped.chars().count() - shown.chars().count();
    if let Some(Value::Int(offset)) = get(&vm.n.offset) {
        let start = (offset - 1 - removed as i64).max(0) as usize;
        let end = match get(&vm.n.end_offset) {
            Some(Value::Int(end)) if end > offset => (end - 1 - removed as i64).max(0) as usize,
            _ => start + 1,
        };
        let end = end.min(shown.chars().count().max(start + 1));
        out.push_str(&format!("    {}{}\n", " ".repeat(start), "^".repeat(end.saturating_sub(start).max(1))));
    }
    Some(out)
}

impl Vm {
    /// The module that a missing name may have been meant to be.
    fn forgotten_import(&self, exception: &Value) -> Option<String> {
        if !self.is_instance(exception, &self.types.name_error) {
            return None;
        }
        let name = self.find_attr(exception, &self.n.name).ok().flatten()?;
        name.as_str().filter(|name| super::import::missing::is_of_python(name)).map(str::to_owned)
    }

    /// The name that was probably meant, for an error about a missing one.
    fn suggestion(&self, exception: &Value) -> Option<String> {
        let get = |name: &Ref<Str>| self.find_attr(exception, name).ok().flatten().filter(|value| !value.is_none());
        if self.is_instance(exception, &self.types.import_error) {
            // A name that a module does not have.
            let (wanted, module) = (get(&self.intern("name_from"))?, get(&self.n.name)?);
            let module = self.modules.get_text(module.as_str()?)?;
            let names = module.downcast::<crate::value::Module>()?.dict.keys();
            let names: Vec<&str> = names.iter().filter_map(Value::as_str).collect();
            return super::attribute::suggest(wanted.as_str()?, names).map(str::to_owned);
        }
        let name = get(&self.n.name)?;
        let name = name.as_str()?;
        let mut candidates: Vec<Value> = Vec::new();
        if self.is_instance(exception, &self.types.attribute_error) {
            let object = get(&self.n.obj)?;
            let dir = self.builtins.get_text("dir")?;
            candidates = self.call(&dir, &[object]).ok().and_then(|names| self.collect(&names).ok()).unwrap_or_default();
            drop(self.raised.take());
        } else if self.is_instance(exception, &self.types.name_error) {
            let innermost = exception.downcast::<Exception>().and_then(|e| entries(&e.traceback.get()).pop());
            if let Some(variables) = innermost.as_ref().and_then(|entry| entry.info.variables.get()) {
                candidates.extend(variables.iter().map(Value::from));
            }
            if let Some(main) = self.modules.get_str(&self.n.__main__)
                && let Some(module) = main.downcast::<crate::value::Module>()
            {
                candidates.extend(module.dict.keys());
            }
            candidates.extend(self.builtins.keys());
        }
        let names: Vec<&str> = candidates.iter().filter_map(Value::as_str).collect();
        super::attribute::suggest(name, names).map(str::to_owned)
    }
}
