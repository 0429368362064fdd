"""Writes a program of random calls on numbers, text and bytes; CPython and Asplet must print the same.

    python3 scripts/dev/random_text.py SEED [COUNT] > /tmp/random.script
    python3 -W ignore /tmp/random.script > /tmp/expected; asplet /tmp/random.script | diff /tmp/expected -
"""

import random
import sys

LETTERS = list("abcABC xyz  \t\n,.-_+0123456789%{}'\"\\éßÉıİΣσςǆǅﬁ²½٣€😀\u0301\u200b\xa0\x85\x1c\x00")
BYTES = list(range(32, 128)) + [0, 9, 10, 13, 255, 200]


def text(limit=8):
    return "".join(random.choice(LETTERS) for _ in range(random.randrange(limit)))


def word():
    return random.choice([text(3), "a", "b", "ab", " ", ",", "", "é", "1"])


def data(limit=8):
    return bytes(random.choice(BYTES) for _ in range(random.randrange(limit)))


def piece():
    return random.choice([data(3), b"a", b"1", b" ", b"", b","])


def whole():
    kind = random.random()
    if kind < 0.4:
        return random.randrange(-20, 21)
    if kind < 0.7:
        return random.choice([1, -1]) * random.getrandbits(random.choice([31, 62, 63, 64, 65]))
    return random.choice([1, -1]) * random.getrandbits(random.randrange(1, 400))


def real():
    kind = random.random()
    if kind < 0.3:
        return random.choice([0.0, -0.0, 0.5, 1.5, 2.5, -2.5, 1e16, 1e22, 1e-5, 5e-324, 1.7976931348623157e308, 123456.789])
    if kind < 0.6:
        return round(random.uniform(-1000, 1000), random.randrange(6))
    return random.uniform(-1, 1) * 10.0 ** random.randrange(-320, 308)


def number():
    return random.choice([whole, real])()


def spec():
    parts = [
        random.choice(["", "", "", "<", ">", "^", "=", "*<", "x=", "é^"]),
        random.choice(["", "", "+", "-", " "]),
        random.choice(["", "", "", "z"]),
        random.choice(["", "", "", "#"]),
        random.choice(["", "", "0"]),
        random.choice(["", "", "1", "5", "12", "30"]),
        random.choice(["", "", "", ",", "_"]),
        random.choice(["", "", ".0", ".1", ".3", ".10", ".25"]),
        random.choice(["", "d", "x", "X", "o", "b", "c", "e", "E", "f", "F", "g", "G", "n", "%", "s"]),
    ]
    return "".join(parts)


def percent():
    flags = "".join(random.choice("-+ #0") for _ in range(random.randrange(3)))
    width = random.choice(["", "", "5", "12"])
    precision = random.choice(["", "", ".0", ".3", ".12"])
    return "%" + flags + width + precision + random.choice("diouxXeEfFgGcrsa%")


def bounds():
    return random.choice(["", "", f", {random.randrange(-9, 10)}", f", {random.randrange(-9, 10)}, {random.randrange(-9, 10)}"])


def cut():
    part = lambda: random.choice(["", str(random.randrange(-9, 10))])
    return random.choice([f"{part()}:{part()}", f"{part()}:{part()}:{random.choice([-3, -2, -1, 1, 2, 3])}"])


def sequence_call(make, small):
    value = repr(make())
    return random.choice([
        lambda: f"{value}.{random.choice(['find', 'rfind', 'index', 'rindex', 'count', 'startswith', 'endswith'])}({small()!r}{bounds()})",
        lambda: f"{value}.{random.choice(['split', 'rsplit'])}({random.choice(['None', repr(small())])}, {random.randrange(-1, 4)})",
        lambda: f"{value}.{random.choice(['partition', 'rpartition', 'removeprefix', 'removesuffix'])}({small()!r})",
        lambda: f"{value}.{random.choice(['strip', 'lstrip', 'rstrip'])}({random.choice(['', repr(small())])})",
        lambda: f"{value}.replace({small()!r}, {small()!r}{random.choice(['', ', 1', ', 2'])})",
        lambda: f"{value}.{random.choice(['center', 'ljust', 'rjust', 'zfill', 'expandtabs'])}({random.randrange(15)})",
        lambda: f"{value}.{random.choice(['upper', 'lower', 'title', 'capitalize', 'swapcase', 'isalnum', 'isalpha', 'isascii', 'isdigit', 'islower', 'isspace', 'istitle', 'isupper'])}()",
        lambda: f"{value}.splitlines({random.choice(['', 'True'])})",
        lambda: f"{small()!r}.join([{small()!r}, {value}, {small()!r}])",
        lambda: f"{value}[{cut()}]",
        lambda: f"{value}[{random.randrange(-9, 10)}]",
        lambda: f"{small()!r} in {value}",
        lambda: f"{value} {random.choice(['<', '==', '>=', '+'])} {make()!r}",
        lambda: f"{value} * {random.randrange(-1, 4)}",
    ])()


def call():
    return random.choice([
        lambda: sequence_call(text, word),
        lambda: sequence_call(text, word),
        lambda: sequence_call(data, piece),
        lambda: f"{text()!r}.{random.choice(['casefold', 'isdecimal', 'isnumeric', 'isidentifier', 'isprintable'])}()",
        lambda: f"{text()!r}.encode({random.choice(['utf-8', 'ascii', 'latin-1', 'utf-16', 'utf-32-be'])!r}, {random.choice(['strict', 'ignore', 'replace', 'backslashreplace', 'xmlcharrefreplace'])!r})",
        lambda: f"{bytes(random.randrange(256) for _ in range(random.randrange(8)))!r}.decode({random.choice(['utf-8', 'utf-8', 'ascii', 'latin-1', 'utf-16-le', 'utf-32'])!r}, {random.choice(['strict', 'ignore', 'replace', 'backslashreplace'])!r})",
        lambda: f"{data()!r}.hex({random.choice(['', repr(':'), repr('-') + ', 2', repr('-') + ', -3'])})",
        lambda: f"ascii({text()!r})",
        lambda: f"format({number()!r}, {spec()!r})",
        lambda: f"format({number()!r}, {spec()!r})",
        lambda: f"format({text()!r}, {spec()!r})",
        lambda: f"{percent()!r} % ({random.choice([number, number, text])()!r},)",
        lambda: f"{percent().encode()!r} % ({number()!r},)",
        lambda: f"{random.choice(['{}', '{:>{}}', '{0!r:^9}', '{1}{0}', '{0}{', '{a}', '}', '{:.2f}', '{[0]}', '{0.real}', '{!s:5}', '{{{}}}'])!r}.format({number()!r}, {random.randrange(9)})",
        lambda: f"{number()!r} {random.choice(['+', '-', '*', '/', '//', '%', '<', '==', '>=', '!='])} {number()!r}",
        lambda: f"{whole()!r} {random.choice(['+', '-', '*', '/', '//', '%', '&', '|', '^', '<', '=='])} {whole()!r}",
        lambda: f"{whole()!r} {random.choice(['<<', '>>'])} {random.randrange(-1, 130)}",
        lambda: f"({whole()!r}) ** {random.randrange(-3, 40)}",
        lambda: f"({abs(real())!r}) ** {random.randrange(-3, 9)}",
        lambda: f"pow({whole()!r}, {whole()!r}, {whole()!r})",
        lambda: f"divmod({number()!r}, {number()!r})",
        lambda: f"round({number()!r}, {random.randrange(-5, 6)})",
        lambda: f"round({number()!r})",
        lambda: f"hash({number()!r})",
        lambda: f"int({random.choice([str(whole()), text(4), hex(whole()), '1_000', ' 12 '])!r}, {random.choice([0, 10, 16, 36, 2])})",
        lambda: f"float({random.choice([repr(real()), text(4), '1_0.5', 'inf', '-nan', ' 1e5 ', '1e400'])!r})",
        lambda: f"int({real()!r})",
        lambda: f"float({whole()!r})",
        lambda: f"({real()!r}).{random.choice(['hex', 'is_integer', 'as_integer_ratio'])}()",
        lambda: f"({whole()!r}).{random.choice(['bit_length', 'bit_count'])}()",
        lambda: f"({whole()!r}).to_bytes({random.randrange(12)}, {random.choice(['big', 'little'])!r}, signed={random.choice([True, False])})",
        lambda: f"int.from_bytes({data(20)!r}, {random.choice(['big', 'little'])!r}, signed={random.choice([True, False])})",
        lambda: f"float.fromhex({random.choice([real().hex(), text(4), '0x.8p1', '-0X1F', '0x1.fffffffffffff8p1023', '0x1.00000000000008p-3'])!r})",
        lambda: f"(-{number()!r}, abs({number()!r}), ~{whole()!r})",
    ])()


random.seed(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
print("def show(call, source):\n    try:\n        print(source, '->', repr(call()))\n    except Exception as error:\n        print(source, '->', type(error).__name__, error)\n\n")
for _ in range(int(sys.argv[2]) if len(sys.argv) > 2 else 2000):
    source = call()
    print(f"show(lambda: {source}, {source!r})")
