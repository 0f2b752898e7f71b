"""SOQL, as far as it is needed: parsed strictly, what is not understood is refused as Salesforce does."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^'\\]|\\.)*')"
    r"|(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?(?:Z|[+-]\d\d:\d\d))"
    r"|(?P<date>\d{4}-\d\d-\d\d)"
    r"|(?P<number>[+-]?\d+(?:\.\d+)?)"
    r"|(?P<word>[A-Za-z][A-Za-z0-9_.]*)"
    r"|(?P<sign><=|>=|!=|<>|[=<>(),]))"
)
ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "'": "'", '"': '"', "\\": "\\"}
WORDS = frozenset({"SELECT", "FROM", "WHERE", "ORDER", "BY", "LIMIT", "AND", "OR", "NOT", "IN", "LIKE", "ASC", "DESC"})
FITS = {
    "text": frozenset({"string", "id", "reference", "picklist", "email", "phone", "url", "combobox"}),
    "time": frozenset({"datetime"}),
    "date": frozenset({"date"}),
    "number": frozenset({"double", "int", "currency", "percent"}),
    "bool": frozenset({"boolean"}),
}


class RefusedError(Exception):
    """What Salesforce says of a query that it does not take."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass(frozen=True)
class Literal:
    """A value as it was written, and what kind it is."""

    kind: str
    value: Any


Condition = Callable[[Mapping[str, Any]], bool]


@dataclass
class Select:
    """A query that was understood."""

    fields: list[str]
    table: str
    order: list[tuple[str, bool]] = field(default_factory=list)
    limit: int | None = None
    compared: list[tuple[str, Literal]] = field(default_factory=list)
    """Which fields are held against which literals, for their types."""
    where: Condition | None = None

    def named(self) -> set[str]:
        """Return all fields that occur."""
        return {*self.fields, *(name for name, _ in self.order), *(name for name, _ in self.compared)}


def parse(text: str) -> Select:
    """Understand a query. Raises RefusedError (MALFORMED_QUERY)."""
    return _Parser(text).select()


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        at = 0
        while text[at:].strip():
            match = TOKEN.match(text, at)
            if match is None:
                raise RefusedError("MALFORMED_QUERY", f"unexpected token: {text[at : at + 20]!r}")
            self._tokens.append((str(match.lastgroup), match.group(str(match.lastgroup))))
            at = match.end()
        self._at = 0
        self._found = Select([], "")

    def select(self) -> Select:
        self._word("SELECT")
        self._found.fields.append(self._name())
        while self._take("sign", ","):
            self._found.fields.append(self._name())
        if len({one.lower() for one in self._found.fields}) < len(self._found.fields):
            raise RefusedError("INVALID_FIELD", "duplicate field selected")
        self._word("FROM")
        self._found.table = self._name()
        if self._take("word", "WHERE"):
            self._found.where = self._conditions()
        if self._take("word", "ORDER"):
            self._word("BY")
            self._found.order.append(self._ordered())
            while self._take("sign", ","):
                self._found.order.append(self._ordered())
        if self._take("word", "LIMIT"):
            self._found.limit = int(self._next("number"))
        if self._at < len(self._tokens):
            self._refuse()
        return self._found

    def _conditions(self) -> Condition:
        parts = [self._condition()]
        joint = None
        while (word := self._peek_word()) in ("AND", "OR"):
            if joint not in (None, word):
                self._refuse()  # AND and OR may not be mixed without parentheses
            joint = word
            self._at += 1
            parts.append(self._condition())
        if joint == "OR":
            return lambda record: any(part(record) for part in parts)
        return lambda record: all(part(record) for part in parts)

    def _condition(self) -> Condition:
        if self._take("sign", "("):
            inner = self._conditions()
            if not self._take("sign", ")"):
                self._refuse()
            return inner
        if self._take("word", "NOT"):
            negated = self._condition()
            return lambda record: not negated(record)
        name = self._name()
        if self._take("word", "IN"):
            if not self._take("sign", "("):
                self._refuse()
            values = [self._literal(name)]
            while self._take("sign", ","):
                values.append(self._literal(name))
            if not self._take("sign", ")"):
                self._refuse()
            known = {_folded(name, one.value) for one in values}
            return lambda record: _folded(name, at(record, name)) in known
        sign = self._next("sign")
        return _comparison(name, sign, self._literal(name).value, self._refuse)

    def _literal(self, name: str) -> Literal:
        kind, told = self._tokens[self._at] if self._at < len(self._tokens) else ("", "")
        self._at += 1
        if kind == "text":
            found = Literal("text", re.sub(r"\\(.)", lambda match: _escaped(match.group(1)), told[1:-1]))
        elif kind in ("time", "date"):
            found = Literal(kind, told.replace("Z", "+00:00") if kind == "time" else told)
        elif kind == "number":
            found = Literal("number", float(told))
        elif kind == "word" and told.lower() in ("true", "false", "null"):
            found = Literal(
                "null" if told.lower() == "null" else "bool", {"true": True, "false": False}.get(told.lower())
            )
        else:
            self._refuse(-1)
        self._found.compared.append((name, found))
        return found

    def _ordered(self) -> tuple[str, bool]:
        name = self._name()
        if self._take("word", "DESC"):
            return name, True
        self._take("word", "ASC")
        return name, False

    def _name(self) -> str:
        found = self._next("word")
        if found.upper() in WORDS:
            self._refuse(-1)
        return found

    def _peek_word(self) -> str:
        kind, told = self._tokens[self._at] if self._at < len(self._tokens) else ("", "")
        return told.upper() if kind == "word" else ""

    def _take(self, kind: str, what: str) -> bool:
        if self._at < len(self._tokens):
            found, told = self._tokens[self._at]
            if found == kind and told.upper() == what:
                self._at += 1
                return True
        return False

    def _word(self, what: str) -> None:
        if not self._take("word", what):
            self._refuse()

    def _next(self, kind: str) -> str:
        if self._at >= len(self._tokens) or self._tokens[self._at][0] != kind:
            self._refuse()
        self._at += 1
        return self._tokens[self._at - 1][1]

    def _refuse(self, by: int = 0) -> Any:
        at = self._at + by
        told = self._tokens[at][1] if 0 <= at < len(self._tokens) else "<EOF>"
        raise RefusedError("MALFORMED_QUERY", f"unexpected token: {told!r}")


def _escaped(letter: str) -> str:
    if letter not in ESCAPED:
        raise RefusedError("MALFORMED_QUERY", f"illegal escape: \\{letter}")
    return ESCAPED[letter]


def at(record: Mapping[str, Any], name: str) -> Any:
    """Return a value of a record, of a related one by its dotted name."""
    value: Any = record
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _folded(name: str, value: Any) -> Any:
    """Texts are the same whatever their case, ids are not; times are held against each other as moments."""
    if isinstance(value, str):
        return value if name.endswith("Id") else _moment(value) or value.lower()
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _moment(value: str) -> Any:
    from datetime import datetime

    if re.fullmatch(r"\d{4}-\d\d-\d\dT.*", value) is None:
        return None
    return datetime.fromisoformat(value)


def _comparison(name: str, sign: str, value: Any, refuse: Callable[[], Any]) -> Condition:
    wanted = _folded(name, value)
    if sign == "=":
        return lambda record: _folded(name, at(record, name)) == wanted
    if sign in ("!=", "<>"):
        return lambda record: _folded(name, at(record, name)) != wanted
    tests: dict[str, Callable[[Any, Any], bool]] = {
        "<": lambda one, other: one < other,
        "<=": lambda one, other: one <= other,
        ">": lambda one, other: one > other,
        ">=": lambda one, other: one >= other,
    }
    if sign not in tests:
        refuse()
    test = tests[sign]
    return lambda record: (found := _folded(name, at(record, name))) is not None and test(found, wanted)


def run(query: Select, rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the rows that a query asks for, in its order."""
    found = [row for row in rows if query.where is None or query.where(row)]
    for name, down in reversed(query.order):
        found.sort(key=lambda row: _sortable(name, at(row, name)), reverse=down)
    return found if query.limit is None else found[: query.limit]


def _sortable(name: str, value: Any) -> tuple[bool, Any]:
    folded = _folded(name, value)
    return (folded is not None, folded if folded is not None else 0)


def check_types(query: Select, types: Mapping[str, str]) -> None:
    """Refuse a literal that is not of its field's type. Raises RefusedError (INVALID_FIELD)."""
    for name, literal in query.compared:
        told = types.get(name)
        if told is None or literal.kind == "null":
            continue
        if told == "textarea":
            raise RefusedError("INVALID_FIELD", f"field '{name}' can not be filtered in a query call")
        if told not in FITS[literal.kind]:
            raise RefusedError("INVALID_FIELD", f"value of filter criterion for field '{name}' must be of type {told}")
