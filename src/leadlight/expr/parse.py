"""Expressions as people write them: parsed by sqlglot, held to a whitelist, typed against the known names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlglot import exp

from leadlight.errors import LeadlightError
from leadlight.expr.types import Type


@dataclass(frozen=True, slots=True)
class Expression:
    """A checked expression; `type` is None only for a bare NULL, `names` are those it uses, in lower case."""

    text: str
    tree: exp.Expression
    type: Type | None
    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, and where in the text (both from 1)."""

    message: str
    line: int
    column: int


class ExpressionError(LeadlightError):
    """A text is no expression we can use; `problems` holds all that was found."""

    exit_code = 3

    def __init__(self, text: str, problems: list[Problem]) -> None:
        self.text = text
        self.problems = problems
        super().__init__("\n".join(f"{p.line}:{p.column}: {p.message}" for p in problems))


def parse_expression(text: str, names: Mapping[str, Type]) -> Expression:
    """Parse a scalar expression over these names."""
    raise NotImplementedError


def parse_condition(text: str, names: Mapping[str, Type]) -> Expression:
    """Parse an expression that must be true or false."""
    raise NotImplementedError
