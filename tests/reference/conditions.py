"""Conditions as small trees: rendered to SQL text for the spec, and evaluated here with three-valued logic.

The values are those of a row: float, str, bool, datetime, or None for missing. Nothing is parsed: whoever makes a tree
keeps it, so that the meaning of a text does not come from the parser under test.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

Value = float | str | bool | datetime | None
Lookup = Callable[[str], Value]


@dataclass(frozen=True, slots=True)
class Const:
    """A literal; `text` overrides how it is written."""

    value: Value
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Name:
    """A name; `text` overrides how it is written (another case, say)."""

    name: str
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Compare:
    """One of = <> < <= > >= between two values."""

    op: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class IsNull:
    """Is (not) missing: never unknown itself."""

    value: Node
    negated: bool = False


@dataclass(frozen=True, slots=True)
class And:
    """True when all are."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """True when one is."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """True when false, unknown when unknown."""

    part: Node


@dataclass(frozen=True, slots=True)
class In:
    """Equal to one of some constants."""

    value: Node
    options: tuple[Const, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Between:
    """Between two bounds, both included."""

    value: Node
    low: Node
    high: Node
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Like:
    """Text against a pattern: % any run of characters, _ one character; `fold` ignores the case (of ASCII)."""

    value: Node
    pattern: str
    fold: bool = False
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """One of + - * / % over numbers; division and remainder by zero are missing."""

    op: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Coalesce:
    """The first value that is not missing."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Abs:
    """The size of a number."""

    part: Node


@dataclass(frozen=True, slots=True)
class Case:
    """The value behind the first true condition, else the last value."""

    branches: tuple[tuple[Node, Node], ...]
    otherwise: Node | None


Node = (
    Const | Name | Compare | IsNull | And | Or | Not | In | Between | Like | Arithmetic | Coalesce | Abs | Case
)  # fmt: skip


# ------------------------------------------------------------------------------------------------------ evaluation


def is_true(node: Node, lookup: Lookup) -> bool:
    """Say whether a condition is true; unknown is not."""
    return evaluate(node, lookup) is True


def evaluate(node: Node, lookup: Lookup) -> Value:
    """Compute the value of a tree, None where it is missing or unknown."""
    if isinstance(node, Const):
        return _number(node.value)
    if isinstance(node, Name):
        return _number(lookup(node.name))
    if isinstance(node, And):
        return _all(evaluate(part, lookup) for part in node.parts)
    if isinstance(node, Or):
        return _not(_all(_not(evaluate(part, lookup)) for part in node.parts))
    if isinstance(node, Not):
        return _not(evaluate(node.part, lookup))
    if isinstance(node, IsNull):
        return (evaluate(node.value, lookup) is None) != node.negated
    if isinstance(node, Compare):
        return _compare(node.op, evaluate(node.left, lookup), evaluate(node.right, lookup))
    if isinstance(node, Between):
        return _between(node, lookup)
    if isinstance(node, In):
        return _in(node, lookup)
    if isinstance(node, Like):
        return _like(node, lookup)
    return _scalar(node, lookup)


def _scalar(node: Arithmetic | Coalesce | Abs | Case, lookup: Lookup) -> Value:
    if isinstance(node, Arithmetic):
        return _arithmetic(node.op, evaluate(node.left, lookup), evaluate(node.right, lookup))
    if isinstance(node, Abs):
        value = evaluate(node.part, lookup)
        return None if value is None else abs(value)
    if isinstance(node, Coalesce):
        for part in node.parts:
            value = evaluate(part, lookup)
            if value is not None:
                return value
        return None
    for condition, value in node.branches:
        if is_true(condition, lookup):
            return evaluate(value, lookup)
    return None if node.otherwise is None else evaluate(node.otherwise, lookup)


def _number(value: Value) -> Value:
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _all(values) -> bool | None:
    answer: bool | None = True
    for value in values:
        if value is False:
            return False
        if value is None:
            answer = None
    return answer


def _not(value: Value) -> bool | None:
    return None if value is None else not value


def _compare(op: str, left: Value, right: Value) -> bool | None:
    if left is None or right is None:
        return None
    if op == "=":
        return left == right
    if op == "<>":
        return left != right
    if op == "<":
        return left < right
    if op == "<=":
        return left <= right
    if op == ">":
        return left > right
    assert op == ">="
    return left >= right


def _between(node: Between, lookup: Lookup) -> bool | None:
    value = evaluate(node.value, lookup)
    above = _compare(">=", value, evaluate(node.low, lookup))
    below = _compare("<=", value, evaluate(node.high, lookup))
    inside = _all([above, below])
    return _not(inside) if node.negated else inside


def _in(node: In, lookup: Lookup) -> bool | None:
    value = evaluate(node.value, lookup)
    found: bool | None = False
    for option in node.options:
        same = _compare("=", value, evaluate(option, lookup))
        if same:
            found = True
            break
        if same is None:
            found = None
    return _not(found) if node.negated else found


def _like(node: Like, lookup: Lookup) -> bool | None:
    value = evaluate(node.value, lookup)
    if value is None:
        return None
    text, pattern = (_lower(str(value)), _lower(node.pattern)) if node.fold else (str(value), node.pattern)
    expression = "".join(
        ".*" if character == "%" else "." if character == "_" else re.escape(character) for character in pattern
    )
    return (re.fullmatch(expression, text, re.DOTALL) is not None) != node.negated


def _lower(text: str) -> str:
    return "".join(character.lower() if character.isascii() else character for character in text)


def _arithmetic(op: str, left: Value, right: Value) -> float | None:
    if left is None or right is None:
        return None
    assert isinstance(left, float)
    assert isinstance(right, float)
    if op == "+":
        return left + right
    if op == "-":
        return left - right
    if op == "*":
        return left * right
    if right == 0:
        return None
    return left / right if op == "/" else math.fmod(left, right)


# ------------------------------------------------------------------------------------------------------- rendering

_OR, _AND, _NOT, _PREDICATE, _SUM, _PRODUCT, _ATOM = range(1, 8)
_PLAIN = re.compile(r"[a-z_][a-z0-9_]*", re.IGNORECASE)
_KEYWORDS = frozenset({"order", "user", "group", "select", "end", "rank"})


def render(node: Node) -> str:
    """Write a tree as the SQL that a user would write, with no more parentheses than its meaning needs."""
    return _render(node)[0]


def quoted(text: str) -> str:
    """Write a text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def _render(node: Node) -> tuple[str, int]:
    if isinstance(node, Const):
        return _literal(node), _ATOM
    if isinstance(node, Name):
        return node.text or _identifier(node.name), _ATOM
    if isinstance(node, And):
        return " and ".join(_inside(part, _AND) for part in node.parts), _AND
    if isinstance(node, Or):
        return " or ".join(_inside(part, _OR) for part in node.parts), _OR
    if isinstance(node, Not):
        return f"not {_inside(node.part, _NOT - 1)}", _NOT
    if isinstance(node, Arithmetic):
        level = _SUM if node.op in "+-" else _PRODUCT
        return f"{_inside(node.left, level - 1)} {node.op} {_inside(node.right, level)}", level
    if isinstance(node, Coalesce):
        return f"coalesce({', '.join(render(part) for part in node.parts)})", _ATOM
    if isinstance(node, Abs):
        return f"abs({render(node.part)})", _ATOM
    if isinstance(node, Case):
        return _case(node), _ATOM
    return _predicate(node), _PREDICATE


def _predicate(node: Compare | IsNull | In | Between | Like) -> str:
    if isinstance(node, Compare):
        return f"{_inside(node.left, _PREDICATE)} {node.op} {_inside(node.right, _PREDICATE)}"
    subject, negation = _inside(node.value, _PREDICATE), "not " if node.negated else ""
    if isinstance(node, IsNull):
        return f"{subject} is {negation}null"
    if isinstance(node, In):
        return f"{subject} {negation}in ({', '.join(render(option) for option in node.options)})"
    if isinstance(node, Between):
        low, high = _inside(node.low, _PREDICATE), _inside(node.high, _PREDICATE)
        return f"{subject} {negation}between {low} and {high}"
    return f"{subject} {negation}{'ilike' if node.fold else 'like'} {quoted(node.pattern)}"


def _inside(node: Node, level: int) -> str:
    text, own = _render(node)
    return text if own > level else f"({text})"


def _case(node: Case) -> str:
    branches = " ".join(f"when {render(condition)} then {render(value)}" for condition, value in node.branches)
    tail = "" if node.otherwise is None else f" else {render(node.otherwise)}"
    return f"case {branches}{tail} end"


def _identifier(name: str) -> str:
    return name if _PLAIN.fullmatch(name) and name.lower() not in _KEYWORDS else f'"{name}"'


def _literal(node: Const) -> str:
    if node.text is not None:
        return node.text
    value = node.value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return f"timestamp '{value.isoformat(sep=' ')}'"
    if isinstance(value, str):
        return quoted(value)
    return repr(int(value)) if float(value).is_integer() and abs(value) < 1e16 else repr(float(value))
