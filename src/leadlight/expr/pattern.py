"""LIKE patterns, taken apart so that they mean the same in every engine.

Engines disagree on the escape character (a backslash in PostgreSQL, Spark, BigQuery and ClickHouse; none in DuckDB,
Snowflake and Trino) and BigQuery and ClickHouse know no ESCAPE. Here there is none unless ESCAPE names one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp

from leadlight.expr import build
from leadlight.expr.build import Sql

STAND_INS = {"%": "\ue000", "_": "\ue001", "\\": "\ue002"}
"""Characters of Unicode's private area that stand for those that a pattern cannot hold literally everywhere."""


@dataclass(frozen=True, slots=True)
class Part:
    """A run of literal characters, or a wildcard: % for any number of characters, _ for exactly one."""

    text: str
    wildcard: bool = False


ANY = Part("%", wildcard=True)
ONE = Part("_", wildcard=True)


def pattern_fault(pattern: str, escape: str | None) -> str | None:
    """Say what is wrong with a pattern, or return None.

    >>> pattern_fault("100!", "!")
    "the pattern '100!' ends in its escape character"
    """
    if escape is None:
        return None
    if len(escape) != 1 or escape in "%_":
        return f"escape is one character, other than % and _; found {escape[:20]!r}"
    if _parts(pattern, escape) is None:
        return f"the pattern {pattern[:40]!r} ends in its escape character"
    return None


def parts(pattern: str, escape: str | None = None) -> Sequence[Part]:
    """Take a pattern apart.

    >>> [part.text for part in parts("/pricing%")]
    ['/pricing', '%']
    """
    return _parts(pattern, escape) or ()


def _parts(pattern: str, escape: str | None) -> list[Part] | None:
    """Return the parts, or None for a pattern that ends in its escape character."""
    found: list[Part] = []
    characters = iter(pattern)
    for character in characters:
        if character == escape:
            literal = next(characters, None)
            if literal is None:
                return None
            _append(found, literal)
        elif character in "%_":
            found.append(ANY if character == "%" else ONE)
        else:
            _append(found, character)
    return found


def _append(found: list[Part], character: str) -> None:
    if found and not found[-1].wildcard:
        found[-1] = Part(found[-1].text + character)
    else:
        found.append(Part(character))


def matches(value: Sql, pattern: str, escape: str | None = None) -> Sql:
    """Return SQL that is true where the whole value matches the pattern.

    >>> matches(build.col("path"), "/pricing%").sql()
    '"path" LIKE \\'/pricing%\\''
    """
    pieces = parts(pattern, escape)
    literal = "".join(part.text for part in pieces if not part.wildcard)
    written = "".join(part.text for part in pieces)
    for special in (special for special in STAND_INS if special in literal):
        value = exp.Replace(this=value, expression=build.text(special), replacement=build.text(STAND_INS[special]))
        written = "".join(
            part.text if part.wildcard else part.text.replace(special, STAND_INS[special]) for part in pieces
        )
        pieces = [part if part.wildcard else Part(part.text.replace(special, STAND_INS[special])) for part in pieces]
    return exp.Like(this=value, expression=build.text(written))
