//! No text may panic, hang or overflow the stack, whatever it holds. These run on the 2 MB stacks of test threads.

use std::time::Instant;

use asplet::syntax::{Mode, Source, parse};

/// What the parser says, in a word. Takes as long as a sane parser takes.
fn said(text: impl Into<String>) -> String {
    let text = text.into();
    let (size, begin) = (text.len(), Instant::now());
    let source = Source::new("<hostile>", text);
    let result = parse(&source, Mode::File);
    let answer = match &result {
        Ok(_) => "accepted".to_string(),
        Err(error) => {
            error.render(&source);
            error.kind.to_string()
        }
    };
    drop(result);
    let seconds = begin.elapsed().as_secs_f64();
    assert!(seconds < 5.0 + size as f64 / 100_000.0, "{size} bytes took {seconds} s");
    answer
}

fn nested(open: &str, middle: &str, close: &str, times: usize) -> String {
    format!("{}{middle}{}", open.repeat(times), close.repeat(times))
}

const MANY: usize = 100_000;

#[test]
fn brackets_nest_as_deep_as_in_cpython() {
    for (open, close) in [("(", ")"), ("[", "]"), ("{", "}"), ("f(", ")"), ("a[", "]"), ("{1:", "}"), ("(1,", ")")] {
        assert_eq!(said(nested(open, "1", close, 200)), "accepted", "{open}");
        assert_eq!(said(nested(open, "1", close, 201)), "too many nested parentheses", "{open}");
        assert_eq!(said(nested(open, "1", close, MANY)), "too many nested parentheses", "{open}");
        assert_eq!(said(open.repeat(MANY)), "too many nested parentheses", "{open}");
        said(close.repeat(MANY));
    }
    assert_eq!(said(nested("-(not [-a[lambda: ", "1", "]])", 50)), "accepted");
}

#[test]
fn operators_nest_up_to_a_limit() {
    let deep = "expression is nested too deeply";
    for prefix in ["-", "not ", "~", "lambda: ", "lambda x=1: ", "1 if 2 else ", "a ** ", "a ** -", "await "] {
        let text = |times| format!("{}1\n", prefix.repeat(times));
        if prefix != "await " {
            assert_eq!(said(text(200)), "accepted", "{prefix}");
            assert_eq!(said(text(MANY)), deep, "{prefix}");
        }
        said(text(MANY));
        said(prefix.repeat(MANY));
    }
    // To the left: long chains are ordinary programs.
    for link in [" + 1", ".a", "[0]", "()", " * b", " | c", " - (1)"] {
        let text = |times: usize| format!("x{}\n", link.repeat(times));
        assert_eq!(said(text(5_000)), "accepted", "{link}");
        assert_eq!(said(text(MANY)), deep, "{link}");
        said(format!("{} = = 1", text(5_000)));
    }
    // Flat, however long.
    for link in [" and x", " or x", " < x", ", x", " = x", "; x", " 'a'", ", *x"] {
        let start = if link == " 'a'" { "'a'" } else { "x" };
        assert_eq!(said(format!("{start}{}\n", link.repeat(MANY))), "accepted", "{link}");
    }
}

#[test]
fn blocks_nest_up_to_a_limit() {
    let blocks = |times: usize, line: &str| -> String {
        (0..times).map(|depth| format!("{}{line}\n", " ".repeat(depth))).collect::<String>() + &" ".repeat(times) + "pass\n"
    };
    for line in ["if x:", "def f():", "class A:", "async def f():"] {
        assert_eq!(said(blocks(99, line)), "accepted", "{line}");
        assert_eq!(said(blocks(100, line)), "too many levels of indentation", "{line}");
        said(blocks(3_000, line));
    }
    let too_many = "too many statically nested blocks";
    for line in ["while x:", "with x:", "for x in y:"] {
        assert_eq!(said(blocks(20, line)), "accepted", "{line}");
        assert_eq!(said(blocks(21, line)), too_many, "{line}");
    }
    assert_eq!(said(format!("with x{}: pass\n", ", x".repeat(19))), "accepted");
    assert_eq!(said(format!("with x{}: pass\n", ", x".repeat(MANY))), too_many);
    // `else: if` nests, `elif` does not.
    let deep_else = |times: usize| -> String {
        let step = |depth: usize| format!("{0}if x:\n{0} pass\n{0}else:\n", " ".repeat(depth));
        (0..times).map(step).collect::<String>() + &" ".repeat(times) + "pass\n"
    };
    assert_eq!(said(deep_else(99)), "accepted");
    assert_eq!(said(deep_else(2_000)), "too many levels of indentation");
    assert_eq!(said(format!("if x: pass\n{}", "elif x: pass\n".repeat(MANY))), "accepted");
    assert_eq!(said(format!("try: pass\n{}", "except x: pass\n".repeat(MANY))), "accepted");
    assert_eq!(said(format!("match x:\n{}", " case 1: pass\n".repeat(MANY))), "accepted");
    assert_eq!(said("@f\n".repeat(MANY) + "def g(): pass\n"), "accepted");
}

#[test]
fn fstrings_nest_up_to_a_limit() {
    assert_eq!(said(nested("f'{", "1", "}'", 140)), "accepted");
    assert_eq!(said(nested("f'{", "1", "}'", MANY)), "too many nested f-strings");
    assert_eq!(said("f'{".repeat(MANY)), "too many nested f-strings");
    assert_eq!(said(format!("f'{}'", nested("{x:", "y", "}", MANY))), "f-string: expressions nested too deeply");
    assert_eq!(said(format!("f'{}'", "{x}".repeat(MANY))), "accepted");
    assert_eq!(said(format!("f'{}'", "{x!r:>{y}}".repeat(MANY))), "accepted");
    assert_eq!(said(format!("f'{}'", "{{}}".repeat(MANY))), "accepted");
    said(format!("f'{}", "{x:{y".repeat(MANY)));
}

#[test]
fn patterns_and_targets_nest_up_to_a_limit() {
    for (open, close) in [("(", ",)"), ("[", "]"), ("A(", ")"), ("{1: ", "}"), ("A(x=", ")")] {
        let text = |times| format!("match x:\n case {}: pass\n", nested(open, "_", close, times));
        assert_eq!(said(text(200)), "accepted", "{open}");
        assert_eq!(said(text(MANY)), "too many nested parentheses", "{open}");
    }
    assert_eq!(said(format!("match x:\n case {}1: pass\n", "1 | ".repeat(MANY))), "accepted");
    assert_eq!(said(format!("match x:\n case {}b: pass\n", "a.".repeat(5_000))), "accepted");
    said(format!("match x:\n case {}b: pass\n", "a.".repeat(MANY)));
    assert_eq!(said(format!("{} = x\n", nested("[", "a", "]", 200))), "accepted");
    assert_eq!(said(format!("for {} in y: pass\n", nested("(", "a", ",)", 200))), "accepted");
}

#[test]
fn long_lines_and_long_words_are_read_in_linear_time() {
    let mb = 1_000_000;
    assert_eq!(said("a".repeat(10 * mb)), "accepted");
    assert_eq!(said(format!("x = [{}]", "1, ".repeat(3 * mb))), "accepted");
    assert_eq!(said(format!("x = '{}'", "\\x41".repeat(mb))), "accepted");
    assert_eq!(said(format!("x = 0x{}", "f".repeat(mb))), "accepted");
    assert!(said(format!("x = {}", "9".repeat(mb))).starts_with("Exceeds the limit (4300 digits)"));
    assert_eq!(said(format!("x = 1.{}", "0".repeat(mb))), "accepted");
    said(format!("'{}", "a".repeat(mb)));
    said(format!("'''{}", "a\n".repeat(mb)));
    said(format!("#{}", "x".repeat(mb)));
    said("\n".repeat(mb));
    said(" \n".repeat(mb));
    said("\\\n".repeat(mb));
    said(" ".repeat(mb));
    said("\t".repeat(mb) + "x");
    said("match ".repeat(MANY));
    said("match x:\n".repeat(MANY));
    said("match (x)\n".repeat(MANY));
    said("with (\n".repeat(150) + &"a, ".repeat(MANY));
    said("with (a): pass\n".repeat(MANY));
    said("type x = 1\n".repeat(MANY));
    said("type ".repeat(MANY));
    said("case x\n".repeat(MANY));
    said("é".repeat(mb));
    said("x = é + ".repeat(MANY));
    said("global x\n".repeat(MANY));
    said(format!("def f():\n{}", " global x\n nonlocal y\n".repeat(MANY)));
    said(format!("f({})", (0..MANY).map(|n| format!("a{n}=1, ")).collect::<String>()));
    said(format!("def f({}): pass", (0..MANY).map(|n| format!("a{n}, ")).collect::<String>()));
    said(format!("f(a=1, {})", "*b, ".repeat(MANY)));
    let names = (0..MANY).map(|n| format!("a{n}, ")).collect::<String>();
    said(format!("[({}) for {names} in x]", "(a := 1), ".repeat(MANY)));
    said(format!("def f({names}):\n global {names}b"));
    said((0..MANY).map(|n| format!("ﬁ{n} = 1\n")).collect::<String>());
    said(format!("[x {}]", "for x in y ".repeat(10_000)));
    said(format!("x = (1 {}", "a ".repeat(MANY)));
    said(format!("x = {} = = 2", "a + ".repeat(MANY)));
    said(format!("if {} = 1: pass", vec!["a"; 1_000].join(" + ")));
    said(format!("{{1: 2, {}}}", "x + ".repeat(1_000)));
    said(format!("f'{{{}}}'", "x ".repeat(MANY)));
    said(format!("print {}", "x ".repeat(MANY)));
}

/// A sample of everything, to be broken.
const SAMPLE: &str = r#"
import a.b as c, d
from ..e import (f, g as h,)
@decorated(1)[2].x
async def function[T: int, *Ts, **P](a, /, b: int = 1, *args: *Ts, c, d=2, **kw) -> "x":
    '''doc'''
    global q; nonlocal_ = 1
    async with a as b, (c): await x
    async for i, *j in y: yield i
    else: return
    try:
        raise A from B
    except (A, B) as e: pass
    except: pass
    else: assert x, "y"
    finally: del a[0], b.c, (d)
class C[T](B, metaclass=M, **kw):
    x: int = 1
    (y): "str"
    def m(self): return lambda x, *a, k=1, **kw: (yield)
type Alias[T] = list[T]
if x := 10: a = b = *c, d
elif not x < y <= z is not w not in v: a += 1; b @= 2; c //= 3
else: x = {**a, 'b': c, **d}, {1, *e}, [*f], (g,), ()
while True:
    if a and b or c: break
    continue
with (open("a") as f, open("b")): pass
match x, y:
    case [1, -2.5, *rest] | {"k": 1, **rest} if v: pass
    case A(x, y=B.c) as d: pass
    case (None | True | "s" "t"): pass
    case _: pass
async def comprehensions(): z = [i async for i in x if y if z] + [k for k in l for m in n]
w = f"a{x!r:>{width}.{p}}b{{}}{y = }{z=!s}" rf'\d{a["k"]}' f'''{
    x  # comment
}'''
v = b'\x00\n' b"c", 'é\u00e9\N', 0xff_ff, 1_000.5e-10, 2j, ..., 0o7, 0b1, 12345678901234567890123
u = a[1:2, ::3, *b, c:=4] ** -d // ~e % f << g | h ^ i & j if k else l
print(*a, b=c, **d)(x for x in y)[0].e
"#;

#[test]
fn a_sample_of_everything_is_accepted() {
    assert_eq!(said(SAMPLE.replace("\\N", "\\n")), "accepted");
    assert_eq!(said(SAMPLE.replace("\\N", "\\n").replace('\n', "\r\n")), "accepted");
    assert_eq!(said(SAMPLE.replace("\\N", "\\n").replace('\n', "\r")), "accepted");
}

/// A small generator of numbers, the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

#[test]
fn truncated_programs_are_refused_politely() {
    for (end, _) in SAMPLE.char_indices() {
        said(&SAMPLE[..end]);
        said(&SAMPLE[end..]);
        for mode in [Mode::Eval, Mode::Interactive] {
            let source = Source::new("<hostile>", &SAMPLE[..end]);
            let _ = parse(&source, mode).map_err(|error| error.render(&source));
        }
    }
}

#[test]
fn mutated_programs_are_refused_politely() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let chars: Vec<char> = SAMPLE.chars().collect();
    let spice: Vec<char> = "()[]{}'\"\\\n\r\t :;,.=+-*/@!%&|^~<>#0123fbrjeé€\u{0}\u{c}\u{200b}\u{feff}_ax".chars().collect();
    for _ in 0..6_000 {
        let mut text = chars.clone();
        for _ in 0..=random.below(4) {
            let at = random.below(text.len());
            match random.below(5) {
                0 => {
                    text.remove(at);
                }
                1 => text.insert(at, spice[random.below(spice.len())]),
                2 => text[at] = spice[random.below(spice.len())],
                3 => {
                    let other = random.below(text.len());
                    text.swap(at, other);
                }
                _ => {
                    let end = (at + random.below(40)).min(text.len());
                    let piece: Vec<char> = text[at..end].to_vec();
                    let to = random.below(text.len());
                    text.splice(to..to, piece);
                }
            }
        }
        said(text.into_iter().collect::<String>());
    }
}

#[test]
fn random_words_are_refused_politely() {
    let mut random = Random(0x1234_5678_9abc_def1);
    let words = [
        "if", "else", "elif", ":", "\n", "\n ", "\n  ", "x", "1", "'a'", "f'{", "}'", "f'", "'", "(", ")", "[", "]", "{", "}",
        ",", "=", "==", ":=", "*", "**", "lambda", "for", "in", "not", "is", "async", "await", "yield", "from", "import", "as",
        "def", "class", "with", "match", "case", "_", "type", "try", "except", "finally", "@", ";", ".", "...", "->", "!", "!=",
        "global", "nonlocal", "del", "return", "print", "\\\n", "#", "0x", "'''", "b'", "\t", "and", "or", "+", "-", "|",
    ];
    for _ in 0..20_000 {
        let length = random.below(30);
        let text: String =
            (0..length).map(|_| words[random.below(words.len())].to_string() + [" ", ""][random.below(2)]).collect();
        said(text);
    }
    for _ in 0..5_000 {
        let bytes: Vec<u8> = (0..random.below(200)).map(|_| random.below(256) as u8).collect();
        said(String::from_utf8_lossy(&bytes).into_owned());
    }
}

/// Trees that are accepted are lowered and run as well, on whatever stack there is.
#[test]
fn deep_expressions_run_on_small_stacks() {
    let mut interpreter = asplet::Interpreter::new();
    let right = |times: usize, open: &str, close: &str| nested(open, "x", close, times);
    for text in [
        format!("x{}", "*x".repeat(5_900)),
        format!("x{}", "-x".repeat(2_500)),
        format!("x{}", ".real".repeat(5_900)),
        format!("x{}", "==x".repeat(5_000)),
        right(190, "(x if x else ", ")"),
        right(450, "x and ", ""),
        right(490, "-", ""),
        right(190, "[", " for x in [1]]"),
    ] {
        let program = format!("x = 1\ndef f(n):\n    return f(n - 1) if n else {text}\nf(900)\nf(0)\n");
        interpreter.exec(&program).unwrap();
    }
}

#[test]
fn functions_have_a_most_of_variables() {
    let mut interpreter = asplet::Interpreter::new();
    let function = |count: usize| {
        let names: String = (0..count).map(|n| format!(" v{n} = 1\n")).collect();
        format!("def f():\n{names} return v{}\nprint(f())\n", count - 1)
    };
    interpreter.exec(&function(50_000)).unwrap();
    for text in [
        function(70_000),
        format!("async def f():\n return [{}]\n", "await f(), ".repeat(70_000)),
        format!("match 1:\n{}", " case 2: pass\n".repeat(40_000)),
    ] {
        let error = interpreter.exec(&text).unwrap_err();
        assert!(error.to_string().contains("too many variables or branches"), "{error}");
    }
}
