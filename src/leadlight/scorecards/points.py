"""The points one criterion gives, as SQL over a row of features."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, assert_never

from sqlglot import exp

from leadlight.expr import build
from leadlight.expr.build import Sql
from leadlight.expr.sql import to_sql
from leadlight.expr.types import Type
from leadlight.features.aggregates import Aggregates, Match
from leadlight.spec import models
from leadlight.spec.resolved import ResolvedCriterion

OTHER = "other"
"""The key of a pair table that stands for all other values."""


def points(criterion: ResolvedCriterion, events: Aggregates, types: Mapping[str, Type]) -> Sql:
    """Return the points of a criterion as a double that is never missing; `types` are those of the features."""
    spec = criterion.spec
    match spec:
        case models.CategoryCriterion() | models.BandCriterion():
            value = factor(spec, types)
        case models.PairCriterion():
            value = _by_pair(spec, types)
        case models.WhenCriterion():
            assert criterion.condition is not None  # resolve parses it
            value = build.case([(to_sql(criterion.condition, build.col), build.number(spec.points))], build.number(0))
        case models.EventCriterion():
            return _by_events(criterion, spec, events)
        case _:
            assert_never(spec)
    return build.double(value)


def factor(spec: models.CategoryCriterion | models.BandCriterion, types: Mapping[str, Type]) -> Sql:
    """Return what a feature gives by category or band, as a number that is never missing."""
    return _by_band(spec) if isinstance(spec, models.BandCriterion) else _by_category(spec, types[spec.feature])


def match_of(criterion: ResolvedCriterion, spec: models.EventCriterion) -> Match:
    """Return which events an event criterion counts."""
    return Match(spec.event, criterion.condition, spec.within)


def literal(value: Any, kind: Type) -> Sql:
    """Write a category's key as a value of the feature's type."""
    return build.constant(value, kind)


def _missing(name: str) -> Sql:
    return exp.Is(this=build.col(name), expression=exp.Null())


def _by_category(spec: models.CategoryCriterion, kind: Type) -> Sql:
    branches = [(_missing(spec.feature), build.number(spec.missing))]
    branches += [
        (build.equals(build.col(spec.feature), literal(key, kind)), build.number(given))
        for key, given in spec.points.items()
    ]
    return build.case(branches, build.number(spec.other))


def _by_band(spec: models.BandCriterion) -> Sql:
    branches = [(_missing(spec.feature), build.number(spec.missing))]
    branches += [(_within(spec.feature, low, high), build.number(given)) for low, high, given in spec.bands]
    return build.case(branches, build.number(spec.other or 0.0))


def _within(name: str, low: float | None, high: float | None) -> Sql:
    """Return low <= value < high."""
    above = None if low is None else exp.GTE(this=build.col(name), expression=build.number(low))
    below = None if high is None else exp.LT(this=build.col(name), expression=build.number(high))
    return build.both(above, below) or exp.true()


def _by_pair(spec: models.PairCriterion, types: Mapping[str, Type]) -> Sql:
    first, second = spec.features
    rows = cells(first, spec, types, spec.table)
    branches = [(build.either(_missing(first), _missing(second)), build.number(spec.missing))]
    fallback: Sql = build.number(spec.other)
    for condition, row in rows:
        inner = build.case(
            [(when, build.number(float(given))) for when, given in cells(second, spec, types, row) if when is not None],
            _fallback(second, spec, types, row),
        )
        if condition is None:
            fallback = inner
        else:
            branches.append((condition, inner))
    return build.case(branches, fallback)


def _fallback(name: str, spec: models.PairCriterion, types: Mapping[str, Type], row: Any) -> Sql:
    others = [given for when, given in cells(name, spec, types, row) if when is None]
    return build.number(float(others[0])) if others else build.number(spec.other)


def cells(name: str, spec: models.PairCriterion, types: Mapping[str, Type], cells: Any) -> list[tuple[Sql | None, Any]]:
    """Return (condition, cell) for one side of a pair table; the condition of `other` is None."""
    if name in spec.bands:
        cuts = [None, *spec.bands[name], None]
        return [(_within(name, low, high), cell) for (low, high), cell in zip(pairwise(cuts), cells, strict=True)]
    return [
        (None if key == OTHER else build.equals(build.col(name), literal(key, types[name])), cell)
        for key, cell in cells.items()
    ]


def _by_events(criterion: ResolvedCriterion, spec: models.EventCriterion, events: Aggregates) -> Sql:
    size = exp.Mul(this=build.number(abs(spec.points)), expression=_weight(match_of(criterion, spec), spec, events))
    limited = build.clip(size, None, spec.max)
    # 0 - x and not -x, so that nothing lost is 0 and never -0.
    return exp.Sub(this=build.number(0), expression=exp.Paren(this=limited)) if spec.points < 0 else limited


def _weight(match: Match, spec: models.EventCriterion, events: Aggregates) -> Sql:
    """Return the sum of decay over the events that count."""
    if spec.half_life is None:
        count = build.or_zero(build.double(events.count(match)))
        return count if spec.first is None else build.clip(count, None, float(spec.first))
    if spec.first is None:
        return build.or_zero(events.sum(match, events.decay(spec.half_life)))
    if spec.first > 1:
        return build.or_zero(events.first(match, events.decay(spec.half_life), spec.first))
    earliest = events.least(match, build.col("at", "e"))
    return build.or_zero(build.decay(build.days_between(earliest, build.col("as_of")), spec.half_life))
