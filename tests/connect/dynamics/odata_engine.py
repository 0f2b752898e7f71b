"""OData's $filter and $orderby, as far as they are needed: parsed strictly, what is not understood is refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')"
    r"|(?P<guid>[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12})"
    r"|(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)"
    r"|(?P<number>-?\d+(?:\.\d+)?)"
    r"|(?P<word>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<sign>[()]))"
)
TESTS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": lambda one, other: one == other,
    "ne": lambda one, other: one != other,
    "ge": lambda one, other: one >= other,
    "gt": lambda one, other: one > other,
    "le": lambda one, other: one <= other,
    "lt": lambda one, other: one < other,
}
Condition = Callable[[Mapping[str, Any]], bool]


class RefusedError(Exception):
    """What Dataverse says of a question that it does not take."""


def condition(text: str, columns: Mapping[str, str]) -> Condition:
    """Understand a $filter over columns of these types. Raises RefusedError."""
    return _Parser(text, columns).whole()


class _Parser:
    def __init__(self, text: str, columns: Mapping[str, str]) -> None:
        self._columns = columns
        self._tokens: list[tuple[str, str]] = []
        at = 0
        while text[at:].strip():
            match = TOKEN.match(text, at)
            if match is None:
                raise RefusedError(f"Syntax error at position {at} in '{text[:80]}'.")
            self._tokens.append((str(match.lastgroup), match.group(str(match.lastgroup))))
            at = match.end()
        self._at = 0

    def whole(self) -> Condition:
        found = self._either()
        if self._at < len(self._tokens):
            raise RefusedError(f"Syntax error: unexpected '{self._tokens[self._at][1]}'.")
        return found

    def _either(self) -> Condition:
        parts = [self._both()]
        while self._take("or"):
            parts.append(self._both())
        return lambda record: any(part(record) for part in parts)

    def _both(self) -> Condition:
        parts = [self._one()]
        while self._take("and"):
            parts.append(self._one())
        return lambda record: all(part(record) for part in parts)

    def _one(self) -> Condition:
        if self._take("("):
            found = self._either()
            if not self._take(")"):
                raise RefusedError("Syntax error: ')' expected.")
            return found
        name, sign = self._next("word"), self._next("word")
        if name not in self._columns:
            raise RefusedError(f"Could not find a property named '{name}'")
        if sign not in TESTS:
            raise RefusedError(f"Syntax error: no operator '{sign}'.")
        wanted = self._literal(name)
        test = TESTS[sign]

        def holds(record: Mapping[str, Any]) -> bool:
            value = record.get(name)
            if value is None or wanted is None:
                return value is wanted if sign == "eq" else (value is not wanted if sign == "ne" else False)
            return test(value, wanted)

        return holds

    def _literal(self, name: str) -> Any:
        kind, told = self._tokens[self._at] if self._at < len(self._tokens) else ("", "")
        self._at += 1
        own = self._columns[name]
        fits = {"guid": "guid", "time": "time", "number": "number", "text": "text"}.get(kind)
        if kind == "word" and told in ("true", "false", "null"):
            return {"true": True, "false": False}.get(told)
        if fits is None or own != fits:
            raise RefusedError(f"A binary operator with incompatible types was detected: {own} and {told}.")
        if kind == "text":
            return told[1:-1].replace("''", "'")
        return float(told) if kind == "number" else told.lower() if kind == "guid" else told

    def _take(self, what: str) -> bool:
        if self._at < len(self._tokens) and self._tokens[self._at][1] == what:
            self._at += 1
            return True
        return False

    def _next(self, kind: str) -> str:
        if self._at >= len(self._tokens) or self._tokens[self._at][0] != kind:
            raise RefusedError(f"Syntax error: a {kind} expected.")
        self._at += 1
        return self._tokens[self._at - 1][1]


def order(text: str, columns: Mapping[str, str]) -> list[tuple[str, bool]]:
    """Understand an $orderby: columns, and whether they go down. Raises RefusedError."""
    found = []
    for part in text.split(","):
        name, _, way = part.strip().partition(" ")
        if name not in columns or way not in ("", "asc", "desc"):
            raise RefusedError(f"Could not find a property named '{part}'")
        found.append((name, way == "desc"))
    return found


def ordered(rows: Sequence[Mapping[str, Any]], by: Sequence[tuple[str, bool]]) -> list[Mapping[str, Any]]:
    """Return rows in an order; what is missing comes first."""
    found = list(rows)
    for name, down in reversed(by):
        found.sort(key=lambda row: (row.get(name) is not None, row.get(name) or 0), reverse=down)
    return found
