"""Expressions as small trees: written out as text, and given their meaning in plain Python from the definitions.

Nothing here knows the code under test. `TooExtremeError` says that an operand of arithmetic is of a size at which the
definition leaves open whether a result is exact or missing.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

Value = float | str | bool | datetime | None
Row = Mapping[str, Value]


class TooExtremeError(Exception):
    """An operand lies beyond 1e100 or within 1e-100 of zero."""


@dataclass(frozen=True)
class Node:
    """An operator or function and what it is applied to; leaves are `value` and `name`."""

    op: str
    parts: tuple = ()

    def __repr__(self) -> str:
        return write(self)


def value(literal: Value) -> Node:
    return Node("value", (literal,))


def name(of: str) -> Node:
    return Node("name", (of,))


# ---------------------------------------------------------------------------------------------------------- as text

INFIX = {"+", "-", "*", "/", "%", "||", "=", "<>", "<", "<=", ">", ">=", "and", "or"}


def write(node: Node) -> str:
    """Write a node so that it may stand anywhere."""
    op, parts = node.op, node.parts
    if op == "value":
        return literal(parts[0])
    if op == "name":
        return str(parts[0])
    if op in INFIX:
        return f"({f' {op} '.join(write(part) for part in parts)})"
    if op in ("not", "neg"):
        return f"({'not' if op == 'not' else '-'} {write(parts[0])})"
    if op == "between":
        return f"({write(parts[0])} between {write(parts[1])} and {write(parts[2])})"
    if op == "in":
        return f"({write(parts[0])} in ({', '.join(write(part) for part in parts[1:])}))"
    if op == "is":
        return f"({write(parts[0])} is {literal(parts[1])})"
    if op in ("like", "ilike"):
        escape = f" escape {literal(parts[2])}" if parts[2] is not None else ""
        return f"({write(parts[0])} {op} {literal(parts[1])}{escape})"
    if op == "case":
        branches = " ".join(f"when {write(when)} then {write(then)}" for when, then in parts[0])
        return f"case {branches}{f' else {write(parts[1])}' if parts[1] is not None else ''} end"
    if op == "try_cast":
        return f"try_cast({write(parts[0])} as number)"
    return f"{op}({', '.join(write(part) for part in parts)})"


def literal(of: Value) -> str:
    if of is None:
        return "null"
    if isinstance(of, bool):
        return "true" if of else "false"
    if isinstance(of, float):
        return repr(of) if of >= 0 else f"(-{-of!r})"
    if isinstance(of, datetime):
        return f"TIMESTAMP '{of.isoformat()}'"
    return "'" + of.replace("'", "''") + "'"


# ------------------------------------------------------------------------------------------------------- as a value


def meaning(node: Node, row: Row) -> Value:
    """Return what a node is worth for a row."""
    op, parts = node.op, node.parts
    if op == "value":
        return parts[0]
    if op == "name":
        return row[parts[0]]
    if op in ("and", "or"):
        return connective(op, [meaning(part, row) for part in parts])
    if op == "case":
        chosen = next((then for when, then in parts[0] if meaning(when, row) is True), parts[1])
        return meaning(chosen, row) if chosen is not None else None
    if op == "is":
        return meaning(parts[0], row) is parts[1]
    if op in ("like", "ilike"):
        return like(op, meaning(parts[0], row), parts[1], parts[2])
    values = [meaning(part, row) for part in parts]
    if op in LENIENT:
        return LENIENT[op](values)
    return None if any(each is None for each in values) else STRICT[op](*values)


def connective(op: str, values: list[Value]) -> Value:
    decisive = op == "or"
    if decisive in values:
        return decisive
    return None if None in values else not decisive


def like(op: str, text: Value, pattern: str, escape: str | None) -> Value:
    if text is None:
        return None
    made, characters = "", iter(pattern)
    for character in characters:
        if character == escape:
            made += re.escape(next(characters))
        else:
            made += {"%": ".*", "_": "."}.get(character, re.escape(character))
    if op == "ilike":
        made, text = lowered(made), lowered(str(text))
    return re.fullmatch(made, str(text), re.DOTALL) is not None


def lowered(text: str) -> str:
    """Lower each character by itself, as engines do: a Σ at a word's end is not special."""
    return "".join(character.lower() for character in text)


def within(values: list[Value]) -> Value:
    wanted, *options = values
    return None if wanted is None else wanted in options


def usual(*numbers: float) -> None:
    if any(number and not 1e-100 < abs(number) < 1e100 for number in numbers):
        raise TooExtremeError


def plus(*numbers: float) -> Value:
    total = numbers[0]
    for number in numbers[1:]:
        usual(total, number)
        total += number
    return total


def minus(a: float, b: float) -> Value:
    usual(a, b)
    return a - b


def times(a: float, b: float) -> Value:
    usual(a, b)
    return a * b


def divided(a: float, b: float) -> Value:
    usual(a, b)
    return a / b if b else None


def remainder(a: float, b: float) -> Value:
    usual(a, b)
    if not b or abs(a) / abs(b) >= 2**53:
        return None
    return math.copysign(1, a) * (abs(a) - abs(b) * math.floor(abs(a) / abs(b))) if a else 0.0


def rounded(x: float, digits: float = 0) -> Value:
    scale = 10.0**digits
    if abs(x) >= 2**52 / scale:
        return x
    return math.copysign(math.floor(abs(x) * scale + 0.5) / scale, x)


def power(x: float, y: float) -> Value:
    usual(x, y)
    if x == 0:
        return 1.0 if y == 0 else 0.0 if y > 0 else None
    if x < 0 and y != math.floor(y):
        return None
    size = y * math.log(abs(x))
    if abs(size) > 100 * math.log(10):
        return None if size > 0 else 0.0
    return math.pow(x, y)


def exponential(x: float) -> Value:
    return None if x > 690 else 0.0 if x < -690 else math.exp(x)


def as_number(text: str) -> Value:
    trimmed = text.strip(" ")
    found = re.fullmatch(r"[+-]?[0-9]{1,100}([.][0-9]{0,100})?([eE][+-]?[0-9]{1,2})?", trimmed)
    return float(trimmed) if found else None


def substring(text: str, start: float, length: float = 1e6) -> Value:
    return text[int(start) - 1 : int(start) - 1 + int(length)]


def plain_words(text: str) -> list[str]:
    """Words without case and accents, by the definition: runs of letters and digits of alphabets with spaces."""
    found, word = [], ""
    for character in unicodedata.normalize("NFC", text) + " ":
        code = ord(character)
        if character.isascii():
            inside = character.isalnum()
        else:
            inside = (
                (0xC0 <= code <= 0xDFF and character not in "×÷") or character in "ªµº" or 0x10A0 <= code <= 0x10FF
                or 0x1E00 <= code <= 0x1FFE
            )  # fmt: skip
        if inside:
            word += character
        elif word:
            found.append(word)
            word = ""
    return ["".join(map(without_accents, word.lower())) for word in found]


def without_accents(character: str) -> str:
    bare = "".join(each for each in unicodedata.normalize("NFD", character) if not unicodedata.combining(each))
    return {"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ı": "i", "ŧ": "t", "ς": "σ"}.get(bare, bare)


def runs_in(phrase: list[str], words: list[str]) -> bool:
    return any(words[place : place + len(phrase)] == phrase for place in range(len(words)))


LENIENT = {
    "coalesce": lambda values: next((each for each in values if each is not None), None),
    "least": lambda values: min((each for each in values if each is not None), default=None),
    "greatest": lambda values: max((each for each in values if each is not None), default=None),
    "concat": lambda values: "".join(each for each in values if each is not None),
    "nullif": lambda values: None if values[0] == values[1] and values[1] is not None else values[0],
    "in": within,
    "between": lambda values: connective(
        "and",
        [
            None if values[0] is None or values[1] is None else values[0] >= values[1],
            None if values[0] is None or values[2] is None else values[0] <= values[2],
        ],
    ),
}
STRICT = {
    "+": plus,
    "-": minus,
    "*": times,
    "/": divided,
    "%": remainder,
    "neg": lambda x: -x,
    "||": lambda *texts: "".join(texts),
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "not": lambda a: not a,
    "abs": abs,
    "floor": lambda x: float(math.floor(x)) if abs(x) < 2**52 else x,
    "ceil": lambda x: float(math.ceil(x)) if abs(x) < 2**52 else x,
    "round": rounded,
    "ln": lambda x: math.log(x) if x > 0 else None,
    "sqrt": lambda x: math.sqrt(x) if x >= 0 else None,
    "exp": exponential,
    "power": power,
    "length": lambda text: float(len(text)),
    "lower": lowered,
    "upper": str.upper,
    "trim": lambda text: text.strip(" "),
    "substr": substring,
    "starts_with": str.startswith,
    "contains": lambda text, part: part in text,
    "contains_any": lambda text, *phrases: any(runs_in(plain_words(phrase), plain_words(text)) for phrase in phrases),
    "word_count": lambda text: float(len(plain_words(text))),
    "try_cast": as_number,
    "year": lambda time: float(time.year),
    "month": lambda time: float(time.month),
    "day": lambda time: float(time.day),
    "hour": lambda time: float(time.hour),
    "weekday": lambda time: float(time.isoweekday()),
    "days_between": lambda start, end: (end - start) / timedelta(days=1),
}
