"""Names and functions that are not known: the nearest one, or what to write instead."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches

from sqlglot import TokenType

from leadlight.errors import did_you_mean, shorten
from leadlight.expr.functions import ALIASES, FUNCTIONS, INSTEAD
from leadlight.expr.problems import Problem, problem_at
from leadlight.expr.scan import Kind, Piece, describe
from leadlight.expr.types import Type

_ONE = "is not allowed: an expression is made of names, values and functions, without statements or subqueries"
_WINDOW = "is not allowed: an expression sees one lead, so it cannot look at other rows"

REFUSED: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "select", "from", "where", "union", "intersect", "except", "join", "group", "having", "limit", "with",
            "insert", "update", "delete", "drop", "create", "alter", "attach", "copy", "pragma", "install", "load",
            "set", "values", "exists", "table",
        ),
        _ONE,
    ),
    **dict.fromkeys(("over", "partition", "filter", "distinct"), _WINDOW),
    "interval": "is not allowed: write days_between(start, end) and compare it with a number of days",
}  # fmt: skip
"""SQL words that people try; what follows one is not looked up, since it is part of the same thing."""


def unknown_names(text: str, pieces: Iterable[Piece], names: Mapping[str, Type]) -> Iterator[Problem]:
    """Yield a problem for every name and function that is not known.

    >>> from leadlight.expr.scan import scan
    >>> [str(p) for p in unknown_names("employes", scan("employes").pieces, {"employees": Type.NUMBER})]
    ["1:1: there is no name 'employes': did you mean 'employees'? Known: employees"]
    """
    before: Piece | None = None
    for piece in pieces:
        is_type = before is not None and before.is_(TokenType.ALIAS)
        compared = before is not None and before.is_(TokenType.EQ, TokenType.NEQ)
        before = piece
        name = str(piece.value)
        known = FUNCTIONS.keys() | ALIASES.keys() if piece.kind is Kind.FUNCTION else names
        if piece.kind not in (Kind.NAME, Kind.FUNCTION) or is_type or name in known:
            continue
        if name in REFUSED and not piece.written.startswith('"'):
            yield problem_at(text, piece.start, f"{shorten(piece.written)} {REFUSED[name]}")
            return
        called = piece.kind is Kind.FUNCTION
        message = _no_function(piece, name) if called else _no_name(piece, names, compared=compared)
        yield problem_at(text, piece.start, message)


def _no_function(piece: Piece, name: str) -> str:
    if name in INSTEAD:
        return f"there is no function {shorten(piece.written)}: {INSTEAD[name]}"
    near = get_close_matches(name, FUNCTIONS, n=1, cutoff=0.7)
    guess = f"did you mean {FUNCTIONS[near[0]].usage}? Known" if near else "known"
    return f"there is no function {shorten(piece.written)}: {guess}: {', '.join(FUNCTIONS)}"


def _no_name(piece: Piece, names: Mapping[str, Type], *, compared: bool) -> str:
    name = str(piece.value)
    if INSTEAD.get(name, "").startswith("use as_of"):
        return f"there is no {shorten(piece.written)}: {INSTEAD[name]}"
    quoted = piece.written.startswith('"')
    written = piece.written[1:-1] if quoted else piece.written
    said = f"there is no name {shorten(written)}"
    near = get_close_matches(name, names, n=1, cutoff=0.6)
    if quoted or (compared and not near):
        said += f" (text is written in single quotes: {_in_quotes(written)})"
    odd = next((character for character in name if ord(character) > 127), None)
    if odd is not None:
        said += f" (it holds {describe(odd)})"
    return f"{said}: {did_you_mean(name, names)}"


def _in_quotes(written: str) -> str:
    inner = written.replace("'", "''")
    return f"'{inner}'" if len(inner) <= 40 else "'…'"
