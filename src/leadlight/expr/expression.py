"""A checked expression, as the rest of the house passes it on."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from leadlight.expr.types import Type


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression that was parsed, held to the whitelist and typed.

    `tree` uses few kinds of nodes and no dialect: literals, columns, casts of a literal to a time, the operators, CASE,
    and every function as an Anonymous node with its name from `functions.FUNCTIONS`. `type` is None only for what is
    always missing (a bare NULL). `names` are the names it uses, in lower case.
    """

    text: str
    tree: exp.Expr
    type: Type | None
    names: frozenset[str]
