//! Trees written out in a form that `scripts/dev/compare-trees` compares with those of CPython's `ast` module.

use std::fmt::Write;

use asplet::syntax::ast::*;
use asplet::syntax::{Mode, Source, Span, parse};

/// Writes the trees of the files listed in `TREE_LIST` (one path per line) to the file `TREE_OUTPUT`.
#[test]
#[ignore = "run by scripts/dev/compare-trees"]
fn write_trees() {
    let list = std::fs::read_to_string(std::env::var("TREE_LIST").expect("TREE_LIST names a file")).expect("a list of files");
    let mut out = String::new();
    for path in list.lines() {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let source = Source::new(path, text);
        let tree = match parse(&source, Mode::File) {
            Ok(module) => {
                let mut dump = Dump { out: String::new(), starts: line_starts(source.text()) };
                dump.body(&module.body);
                dump.out
            }
            Err(error) => format!("error: {}", error.kind),
        };
        let _ = writeln!(out, "{path}\n{tree}");
    }
    std::fs::write(std::env::var("TREE_OUTPUT").expect("TREE_OUTPUT names a file"), out).expect("written");
}

#[test]
fn elif_is_written_as_cpython_nests_it() {
    let source = Source::new("x", "if a: b\nelif c: d");
    let module = parse(&source, Mode::File).unwrap();
    let mut dump = Dump { out: String::new(), starts: line_starts(source.text()) };
    dump.body(&module.body);
    assert!(dump.out.contains("[(If@2:0-2:9"), "{}", dump.out);
}

fn line_starts(text: &str) -> Vec<u32> {
    let ends = text
        .bytes()
        .enumerate()
        .filter(|&(at, byte)| byte == b'\n' || byte == b'\r' && text.as_bytes().get(at + 1) != Some(&b'\n'));
    std::iter::once(0).chain(ends.map(|(at, _)| at as u32 + 1)).collect()
}

/// `(Kind@line:column-line:column field field ...)`, lists in brackets, nothing as `-`.
struct Dump {
    out: String,
    starts: Vec<u32>,
}

impl Dump {
    fn place(&mut self, offset: u32) {
        let line = self.starts.partition_point(|&start| start <= offset);
        let _ = write!(self.out, "{line}:{}", offset - self.starts[line - 1]);
    }

    fn span(&mut self, span: Span) {
        self.out.push('@');
        self.place(span.start);
        self.out.push('-');
        self.place(span.end);
    }

    fn node(&mut self, kind: &str, span: Option<Span>, fields: impl FnOnce(&mut Self)) {
        self.out.push('(');
        self.out.push_str(kind);
        if let Some(span) = span {
            self.span(span);
        }
        fields(self);
        self.out.push(')');
    }

    fn word(&mut self, word: &str) {
        self.out.push(' ');
        self.out.push_str(word);
    }

    fn list<T>(&mut self, items: impl IntoIterator<Item = T>, each: impl Fn(&mut Self, T)) {
        self.word("[");
        for item in items {
            each(self, item);
        }
        self.out.push(']');
    }

    fn option<T>(&mut self, item: Option<T>, each: impl FnOnce(&mut Self, T)) {
        match item {
            Some(item) => each(self, item),
            None => self.word("-"),
        }
    }

    fn name(&mut self, ident: Option<&Ident>) {
        self.word(ident.map_or("-", |ident| ident.name.as_str()));
    }

    fn body(&mut self, body: &[Stmt]) {
        self.list(body, Self::stmt);
    }

    fn exprs(&mut self, exprs: &[Expr]) {
        self.list(exprs, Self::expr);
    }

    fn maybe(&mut self, expr: Option<&Expr>) {
        self.option(expr, Self::expr);
    }

    fn stmt(&mut self, stmt: &Stmt) {
        let span = Some(stmt.span);
        match &stmt.kind {
            StmtKind::FunctionDef(node) => {
                let kind = if node.is_async { "AsyncFunctionDef" } else { "FunctionDef" };
                self.node(kind, span, |d| {
                    d.name(Some(&node.name));
                    d.arguments(&node.args);
                    d.body(&node.body);
                    d.exprs(&node.decorator_list);
                    d.maybe(node.returns.as_ref());
                    d.list(&node.type_params, Self::type_param);
                });
            }
            StmtKind::ClassDef(node) => self.node("ClassDef", span, |d| {
                d.name(Some(&node.name));
                d.exprs(&node.bases);
                d.list(&node.keywords, Self::keyword);
                d.body(&node.body);
                d.exprs(&node.decorator_list);
                d.list(&node.type_params, Self::type_param);
            }),
            StmtKind::Return { value } => self.node("Return", span, |d| d.maybe(value.as_deref())),
            StmtKind::Delete { targets } => self.node("Delete", span, |d| d.exprs(targets)),
            StmtKind::Assign { targets, value } => self.node("Assign", span, |d| {
                d.exprs(targets);
                d.expr(value);
            }),
            StmtKind::TypeAlias { name, type_params, value } => self.node("TypeAlias", span, |d| {
                d.node("Name", Some(name.span), |d| d.name(Some(name)));
                d.list(type_params, Self::type_param);
                d.expr(value);
            }),
            StmtKind::AugAssign { target, op, value } => self.node("AugAssign", span, |d| {
                d.expr(target);
                d.word(&format!("{op:?}"));
                d.expr(value);
            }),
            StmtKind::AnnAssign { target, annotation, value, simple } => self.node("AnnAssign", span, |d| {
                d.expr(target);
                d.expr(annotation);
                d.maybe(value.as_deref());
                d.word(if *simple { "1" } else { "0" });
            }),
            StmtKind::For(node) => self.node(if node.is_async { "AsyncFor" } else { "For" }, span, |d| {
                d.expr(&node.target);
                d.expr(&node.iter);
                d.body(&node.body);
                d.body(&node.orelse);
            }),
            StmtKind::While { test, body, orelse } => self.node("While", span, |d| {
                d.expr(test);
                d.body(body);
                d.body(orelse);
            }),
            StmtKind::If { test, body, elifs, orelse } => self.if_statement(stmt.span, test, body, elifs, orelse),
            StmtKind::With(node) => self.node(if node.is_async { "AsyncWith" } else { "With" }, span, |d| {
                d.list(&node.items, |d, item| {
                    d.node("withitem", None, |d| {
                        d.expr(&item.context_expr);
                        d.maybe(item.optional_vars.as_ref());
                    });
                });
                d.body(&node.body);
            }),
            StmtKind::Match { subject, cases } => self.node("Match", span, |d| {
                d.expr(subject);
                d.list(cases, |d, case| {
                    d.node("match_case", None, |d| {
                        d.pattern(&case.pattern);
                        d.maybe(case.guard.as_ref());
                        d.body(&case.body);
                    });
                });
            }),
            StmtKind::Raise { exc, cause } => self.node("Raise", span, |d| {
                d.maybe(exc.as_deref());
                d.maybe(cause.as_deref());
            }),
            StmtKind::Try(node) => self.node(if node.is_star { "TryStar" } else { "Try" }, span, |d| {
                d.body(&node.body);
                d.list(&node.handlers, |d, handler| {
                    d.node("ExceptHandler", Some(handler.span), |d| {
                        d.maybe(handler.typ.as_ref());
                        d.name(handler.name.as_ref());
                        d.body(&handler.body);
                    });
                });
                d.body(&node.orelse);
                d.body(&node.finalbody);
            }),
            StmtKind::Assert { test, msg } => self.node("Assert", span, |d| {
                d.expr(test);
                d.maybe(msg.as_deref());
            }),
            StmtKind::Import { names } => self.node("Import", span, |d| d.list(names, Self::alias)),
            StmtKind::ImportFrom { module, names, level } => self.node("ImportFrom", span, |d| {
                d.name(module.as_ref());
                d.list(names, Self::alias);
                d.word(&level.to_string());
            }),
            StmtKind::Global { names } => self.node("Global", span, |d| d.list(names, |d, name| d.name(Some(name)))),
            StmtKind::Nonlocal { names } => self.node("Nonlocal", span, |d| d.list(names, |d, name| d.name(Some(name)))),
            StmtKind::Expr { value } => self.node("Expr", span, |d| d.expr(value)),
            StmtKind::Pass => self.node("Pass", span, |_| {}),
            StmtKind::Break => self.node("Break", span, |_| {}),
            StmtKind::Continue => self.node("Continue", span, |_| {}),
        }
    }

    fn if_statement(&mut self, span: Span, test: &Expr, body: &[Stmt], elifs: &[Elif], orelse: &[Stmt]) {
        self.node("If", Some(span), |d| {
            d.expr(test);
            d.body(body);
            match elifs.split_first() {
                // CPython's ends where the whole statement ends.
                Some((first, rest)) => d.list([first], |d, elif| {
                    d.if_statement(Span { start: elif.span.start, end: span.end }, &elif.test, &elif.body, rest, orelse);
                }),
                None => d.body(orelse),
            }
        });
    }

    fn alias(&mut self, alias: &Alias) {
        self.node("alias", Some(alias.span), |d| {
            d.name(Some(&alias.name));
            d.name(alias.asname.as_ref());
        });
    }

    fn keyword(&mut self, keyword: &Keyword) {
        self.node("keyword", Some(keyword.span), |d| {
            d.name(keyword.arg.as_ref());
            d.expr(&keyword.value);
        });
    }

    fn type_param(&mut self, param: &TypeParam) {
        let span = Some(param.span);
        match &param.kind {
            TypeParamKind::TypeVar { bound } => self.node("TypeVar", span, |d| {
                d.name(Some(&param.name));
                d.maybe(bound.as_deref());
            }),
            TypeParamKind::ParamSpec => self.node("ParamSpec", span, |d| d.name(Some(&param.name))),
            TypeParamKind::TypeVarTuple => self.node("TypeVarTuple", span, |d| d.name(Some(&param.name))),
        }
    }

    fn arguments(&mut self, args: &Arguments) {
        self.node("arguments", None, |d| {
            d.list(&args.posonlyargs, Self::arg);
            d.list(&args.args, Self::arg);
            d.option(args.vararg.as_ref(), Self::arg);
            d.list(&args.kwonlyargs, Self::arg);
            d.list(&args.kw_defaults, |d, default| d.maybe(default.as_ref()));
            d.option(args.kwarg.as_ref(), Self::arg);
            d.exprs(&args.defaults);
        });
    }

    fn arg(&mut self, arg: &Arg) {
        self.node("arg", Some(arg.span), |d| {
            d.name(Some(&arg.arg));
            d.maybe(arg.annotation.as_deref());
        });
    }

    fn pattern(&mut self, pattern: &Pattern) {
        let span = Some(pattern.span);
        match &pattern.kind {
            PatternKind::MatchValue { value } => self.node("MatchValue", span, |d| d.expr(value)),
            PatternKind::MatchSingleton { value } => self.node("MatchSingleton", span, |d| d.constant(value)),
            PatternKind::MatchSequence { patterns } => self.node("MatchSequence", span, |d| d.list(patterns, Self::pattern)),
            PatternKind::MatchMapping { keys, patterns, rest } => self.node("MatchMapping", span, |d| {
                d.exprs(keys);
                d.list(patterns, Self::pattern);
                d.name(rest.as_ref());
            }),
            PatternKind::MatchClass { cls, patterns, kwd_patterns } => self.node("MatchClass", span, |d| {
                d.expr(cls);
                d.list(patterns, Self::pattern);
                d.list(kwd_patterns, |d, (name, _)| d.name(Some(name)));
                d.list(kwd_patterns, |d, (_, pattern)| d.pattern(pattern));
            }),
            PatternKind::MatchStar { name } => self.node("MatchStar", span, |d| d.name(name.as_ref())),
            PatternKind::MatchAs { pattern, name } => self.node("MatchAs", span, |d| {
                d.option(pattern.as_deref(), Self::pattern);
                d.name(name.as_ref());
            }),
            PatternKind::MatchOr { patterns } => self.node("MatchOr", span, |d| d.list(patterns, Self::pattern)),
        }
    }

    fn generators(&mut self, generators: &[Comprehension]) {
        self.list(generators, |d, part| {
            d.node("comprehension", None, |d| {
                d.expr(&part.target);
                d.expr(&part.iter);
                d.exprs(&part.ifs);
                d.word(if part.is_async { "1" } else { "0" });
            });
        });
    }

    fn expr(&mut self, expr: &Expr) {
        let span = Some(expr.span);
        match &expr.kind {
            ExprKind::BoolOp { op, values } => self.node("BoolOp", span, |d| {
                d.word(&format!("{op:?}"));
                d.exprs(values);
            }),
            ExprKind::NamedExpr { target, value } => self.node("NamedExpr", span, |d| {
                d.expr(target);
                d.expr(value);
            }),
            ExprKind::BinOp { left, op, right } => self.node("BinOp", span, |d| {
                d.expr(left);
                d.word(&format!("{op:?}"));
                d.expr(right);
            }),
            ExprKind::UnaryOp { op, operand } => self.node("UnaryOp", span, |d| {
                d.word(&format!("{op:?}"));
                d.expr(operand);
            }),
            ExprKind::Lambda { args, body } => self.node("Lambda", span, |d| {
                d.arguments(args);
                d.expr(body);
            }),
            ExprKind::IfExp { test, body, orelse } => self.node("IfExp", span, |d| {
                d.expr(test);
                d.expr(body);
                d.expr(orelse);
            }),
            ExprKind::Dict { items } => self.node("Dict", span, |d| {
                d.list(items, |d, item| d.maybe(item.key.as_ref()));
                d.list(items, |d, item| d.expr(&item.value));
            }),
            ExprKind::Set { elts } => self.node("Set", span, |d| d.exprs(elts)),
            ExprKind::ListComp { elt, generators } => self.comprehension("ListComp", span, &[elt], generators),
            ExprKind::SetComp { elt, generators } => self.comprehension("SetComp", span, &[elt], generators),
            ExprKind::GeneratorExp { elt, generators } => self.comprehension("GeneratorExp", span, &[elt], generators),
            ExprKind::DictComp { key, value, generators } => self.comprehension("DictComp", span, &[key, value], generators),
            ExprKind::Await { value } => self.node("Await", span, |d| d.expr(value)),
            ExprKind::Yield { value } => self.node("Yield", span, |d| d.maybe(value.as_deref())),
            ExprKind::YieldFrom { value } => self.node("YieldFrom", span, |d| d.expr(value)),
            ExprKind::Compare { left, ops, comparators } => self.node("Compare", span, |d| {
                d.expr(left);
                d.list(ops, |d, op| d.word(&format!("{op:?}")));
                d.exprs(comparators);
            }),
            ExprKind::Call { func, args, keywords } => self.node("Call", span, |d| {
                d.expr(func);
                d.exprs(args);
                d.list(keywords, Self::keyword);
            }),
            // CPython 3.12 places the parts of f-strings in its own way.
            ExprKind::FormattedValue { value, conversion, format_spec } => self.node("FormattedValue", None, |d| {
                d.expr(value);
                d.word(&conversion.map_or("-".to_string(), |conversion| conversion.letter().to_string()));
                d.maybe(format_spec.as_deref());
            }),
            ExprKind::JoinedStr { values } => self.node("JoinedStr", None, |d| {
                d.list(values, |d, value| match &value.kind {
                    ExprKind::Constant(constant) => d.node("Constant", None, |d| d.constant(constant)),
                    _ => d.expr(value),
                });
            }),
            ExprKind::Constant(constant) => self.node("Constant", span, |d| d.constant(constant)),
            ExprKind::Attribute { value, attr } => self.node("Attribute", span, |d| {
                d.expr(value);
                d.name(Some(attr));
            }),
            ExprKind::Subscript { value, slice } => self.node("Subscript", span, |d| {
                d.expr(value);
                d.expr(slice);
            }),
            ExprKind::Starred { value } => self.node("Starred", span, |d| d.expr(value)),
            ExprKind::Name(name) => self.node("Name", span, |d| d.word(name)),
            ExprKind::List { elts } => self.node("List", span, |d| d.exprs(elts)),
            ExprKind::Tuple { elts } => self.node("Tuple", span, |d| d.exprs(elts)),
            ExprKind::Slice { lower, upper, step } => self.node("Slice", span, |d| {
                d.maybe(lower.as_deref());
                d.maybe(upper.as_deref());
                d.maybe(step.as_deref());
            }),
        }
    }

    fn comprehension(&mut self, kind: &str, span: Option<Span>, elements: &[&Expr], generators: &[Comprehension]) {
        self.node(kind, span, |d| {
            for element in elements {
                d.expr(element);
            }
            d.generators(generators);
        });
    }

    fn constant(&mut self, constant: &Constant) {
        let text = match constant {
            Constant::None => "None".into(),
            Constant::True => "True".into(),
            Constant::False => "False".into(),
            Constant::Ellipsis => "Ellipsis".into(),
            Constant::Int(value) => format!("int:{value:x}"),
            Constant::BigInt(value) => format!("int:{:x}", **value),
            Constant::Float(value) => format!("float:{:x}", value.to_bits()),
            Constant::Complex(value) => format!("complex:{:x}", value.to_bits()),
            Constant::Str(text) => format!("str:{}", hex(text.as_bytes())),
            Constant::Bytes(bytes) => format!("bytes:{}", hex(bytes)),
        };
        self.word(&text);
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
