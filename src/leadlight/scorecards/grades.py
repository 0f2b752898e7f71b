"""Grades as SQL: thresholds on one or two axes, left only below a margin and after a dwell, overridden by gates."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from leadlight.expr import build
from leadlight.expr.build import Sql
from leadlight.spec.models import Hysteresis

Levels = Sequence[tuple[str, float | None]]
"""Levels of an axis from the lowest to the highest: (label, lower bound); the lowest has none."""


def raw_level(value: Sql, levels: Levels) -> Sql:
    """Return the highest level whose lower bound the value reaches."""
    branches = [
        (exp.GTE(this=value.copy(), expression=build.number(bound)), build.text(label))
        for label, bound in reversed(levels)
        if bound is not None
    ]
    return build.case(branches, build.text(levels[0][0]))


def held_level(value: Sql, levels: Levels, hysteresis: Hysteresis, *, before: Sql, since: Sql, as_of: Sql) -> Sql:
    """Return the level with the past counted in: up at once, down only below bound - margin and after the dwell.

    `before` is the level held and `since` when it was entered; both missing for a lead never graded.
    """
    branches: list[tuple[Sql, Sql]] = []
    for label, bound in levels:
        if bound is None:
            continue
        held = build.equals(before.copy(), build.text(label))
        falling = exp.LT(this=value.copy(), expression=build.number(bound))
        kept: Sql = exp.GTE(this=value.copy(), expression=build.number(bound - hysteresis.margin))
        if hysteresis.dwell is not None:
            fresh = exp.GT(this=since.copy(), expression=build.earlier(as_of.copy(), hysteresis.dwell))
            kept = exp.Or(this=fresh, expression=kept)
        keeps = build.both(held, falling, kept)
        assert keeps is not None
        branches.append((keeps, build.text(label)))
    return build.case(branches, raw_level(value, levels))
