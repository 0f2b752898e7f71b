"""What a criterion or condition could come to if attributes were other than they are: exact ends, as SQL.

An attribute that is open may be any value of its type, or missing. So may a feature that is worked out of one (an
expression, an age, a sum over the account): its own range is not narrowed by what it is made of.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

from sqlglot import exp

from leadlight.expr import build
from leadlight.expr.build import Sql
from leadlight.expr.expression import Expression
from leadlight.expr.sql import translate
from leadlight.expr.types import Type
from leadlight.scorecards.points import cells
from leadlight.spec import models
from leadlight.spec.resolve import feature_uses
from leadlight.spec.resolved import ResolvedCriterion, ResolvedWorkspace

Opened = Callable[[str], Sql | None]
"""Name → the condition under which it is open; None where it never is."""


@dataclass(frozen=True, slots=True)
class Rests:
    """The attributes that a name rests on: the lead's `own`, and those of all leads of its account (`wide`)."""

    own: frozenset[str] = frozenset()
    wide: frozenset[str] = frozenset()

    def __or__(self, other: Rests) -> Rests:
        """Rest on both."""
        return Rests(self.own | other.own, self.wide | other.wide)

    @property
    def all(self) -> frozenset[str]:
        """The attributes, whosesoever."""
        return self.own | self.wide


NOTHING = Rests()


def rests_on(workspace: ResolvedWorkspace, name: str, attributes: frozenset[str], *, of: str = "lead") -> Rests:
    """Return which of the attributes a name's value rests on, for a lead or for an account."""
    feature = workspace.features.get(name)
    spec = None if feature is None else feature.spec
    if feature is None or (isinstance(spec, models.AttributeFeature) and spec.attribute == name):
        return Rests(own=attributes & {name}) if of == "lead" else NOTHING
    if isinstance(spec, models.AttributeFeature | models.AgeFeature):
        used = spec.attribute if isinstance(spec, models.AttributeFeature) else spec.age
        return rests_on(workspace, used, attributes, of=of)
    if isinstance(spec, models.AccountFeature):
        within = _all_of(workspace, feature_uses(feature), attributes, "lead")
        return Rests(wide=within.all)
    return _all_of(workspace, feature_uses(feature), attributes, of)


def _all_of(workspace: ResolvedWorkspace, names: Iterable[str], attributes: frozenset[str], of: str) -> Rests:
    return reduce(Rests.__or__, (rests_on(workspace, name, attributes, of=of) for name in names), NOTHING)


# ------------------------------------------------------------------------------------------------------ conditions


def reached(condition: Expression, opened: Opened, *, most: bool) -> Sql:
    """Return whether a condition could be true (`most`), or is true whatever is answered (not `most`); never missing.

    Comparisons that rest on what is open count as either; `and`, `or` and `not` follow from them. Exact where these
    comparisons do not depend on each other.
    """
    return exp.Coalesce(this=exp.Paren(this=_end(condition.tree, opened, most)), expressions=[exp.false()])


def _end(node: exp.Expr, opened: Opened, most: bool) -> Sql:
    if isinstance(node, exp.And | exp.Or):
        left, right = _end(node.this, opened, most), _end(node.args["expression"], opened, most)
        return exp.Paren(this=type(node)(this=left, expression=right))
    if isinstance(node, exp.Not):
        return exp.Paren(this=exp.Not(this=_end(node.this, opened, not most)))
    names = sorted({column.name for column in node.find_all(exp.Column)})
    conditions = [condition for name in names if (condition := opened(name)) is not None]
    value = translate(node, build.col)
    if not conditions:
        return value
    return build.case([(build.either(*conditions), exp.true() if most else exp.false())], value)


# -------------------------------------------------------------------------------------------------------- criteria


def range_of(
    criterion: ResolvedCriterion, now: Sql, types: Mapping[str, Type], opened: Opened
) -> tuple[Sql, Sql] | None:
    """Return the least and the most a criterion could give; None where nothing it rests on is ever open.

    `now` is what it gives with the values as they are.
    """
    spec = criterion.spec
    if isinstance(spec, models.WhenCriterion):
        return _range_of_condition(criterion, spec, opened)
    if isinstance(spec, models.PairCriterion):
        return _range_of_pair(spec, now, types, opened)
    if isinstance(spec, models.EventCriterion):
        return None
    condition = opened(spec.feature)
    if condition is None:
        return None
    given = _by_band(spec) if isinstance(spec, models.BandCriterion) else _by_category(spec, types[spec.feature])
    return _either_way(condition, build.number(min(given)), build.number(max(given)), now)


def _either_way(condition: Sql, low: Sql, high: Sql, now: Sql) -> tuple[Sql, Sql]:
    def chosen(end: Sql) -> Sql:
        return build.double(build.case([(condition.copy(), end)], now.copy()))

    return chosen(low), chosen(high)


def _by_category(spec: models.CategoryCriterion, kind: Type) -> list[float]:
    other = [] if _is_complete(spec.points, kind) else [spec.other]
    return [*spec.points.values(), *other, spec.missing]


def _is_complete(keys: Iterable[Any], kind: Type) -> bool:
    """Return whether there is no value but these: true and false."""
    return kind is Type.BOOL and {True, False} <= {key for key in keys if isinstance(key, bool)}


def _by_band(spec: models.BandCriterion) -> list[float]:
    other = [spec.other or 0.0] if _has_gap(spec.bands) else []
    return [*(given for _, _, given in spec.bands), *other, spec.missing]


def _has_gap(bands: Sequence[tuple[float | None, float | None, float]]) -> bool:
    reach = -math.inf
    for low, high in sorted(
        (-math.inf if low is None else low, math.inf if high is None else high) for low, high, _ in bands
    ):
        if low > reach:
            return True
        reach = max(reach, high)
    return reach < math.inf


def _range_of_condition(
    criterion: ResolvedCriterion, spec: models.WhenCriterion, opened: Opened
) -> tuple[Sql, Sql] | None:
    condition = criterion.condition
    assert condition is not None  # resolve parses it
    if all(opened(name) is None for name in condition.names):
        return None

    def given(*, most: bool) -> Sql:
        reach = reached(condition, opened, most=most)
        return build.double(build.case([(reach, build.number(spec.points))], build.number(0)))

    rarely, often = given(most=False), given(most=True)
    return (rarely, often) if spec.points >= 0 else (often, rarely)


# ----------------------------------------------------------------------------------------------------------- pairs


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of a pair table (or one of its cells): the condition of its value, None for all other values."""

    when: Sql | None
    given: Any


def _range_of_pair(
    spec: models.PairCriterion, now: Sql, types: Mapping[str, Type], opened: Opened
) -> tuple[Sql, Sql] | None:
    """Either side may be open, or both."""
    first, second = (opened(name) for name in spec.features)
    if first is None and second is None:
        return None
    rows = _rows(spec.features[0], spec, types, spec.table)
    ends = []
    for choose in (min, max):
        branches: list[tuple[Sql, Sql]] = []
        if first is not None and second is not None:
            every = [given for row in rows for given in _row_values(row, spec, types)]
            both = exp.Paren(this=exp.And(this=first.copy(), expression=second.copy()))
            branches.append((both, build.number(choose([*every, spec.missing]))))
        if first is not None:
            branches.append((first.copy(), _first_open(spec, types, rows, choose)))
        if second is not None:
            branches.append((second.copy(), _second_open(spec, types, rows, choose)))
        ends.append(build.double(build.case(branches, now.copy())))
    return ends[0], ends[1]


def _rows(name: str, spec: models.PairCriterion, types: Mapping[str, Type], table: Any) -> list[_Row]:
    """Return the rows (or cells) for each value of one side, with what others get where there are others."""
    found = [_Row(when, given) for when, given in cells(name, spec, types, table)]
    if name in spec.bands:
        return found
    if _is_complete(table, types[name]):
        return [row for row in found if row.when is not None]
    return found if any(row.when is None for row in found) else [*found, _Row(None, spec.other)]


def _row_values(row: _Row, spec: models.PairCriterion, types: Mapping[str, Type]) -> list[float]:
    """Return all that a row can give where the second side is any value."""
    if not isinstance(row.given, Mapping | Sequence):
        return [float(row.given)]
    return [float(cell.given) for cell in _rows(spec.features[1], spec, types, row.given)]


def _first_open(
    spec: models.PairCriterion, types: Mapping[str, Type], rows: list[_Row], choose: Callable[[Iterable[float]], float]
) -> Sql:
    """Return the least (or most) over all rows for the second side's value."""
    second = spec.features[1]
    ends: list[Sql] = [build.number(spec.missing)]
    for row in rows:
        if not isinstance(row.given, Mapping | Sequence):
            ends.append(build.number(float(row.given)))
            continue
        ends.append(_by_value(_rows(second, spec, types, row.given), lambda cell: float(cell.given)))
    kind = exp.Least if choose is min else exp.Greatest
    end = kind(this=ends[0], expressions=ends[1:], ignore_nulls=True)
    missing = exp.Is(this=build.col(second), expression=exp.Null())
    return build.case([(missing, build.number(spec.missing))], end)


def _second_open(
    spec: models.PairCriterion, types: Mapping[str, Type], rows: list[_Row], choose: Callable[[Iterable[float]], float]
) -> Sql:
    """Return the least (or most) of the row of the first side's value."""
    missing = exp.Is(this=build.col(spec.features[0]), expression=exp.Null())
    by_row = _by_value(rows, lambda row: choose([*_row_values(row, spec, types), spec.missing]))
    return build.case([(missing, build.number(spec.missing))], by_row)


def _by_value(rows: list[_Row], given: Callable[[_Row], float]) -> Sql:
    """Return what the row of a known value gives."""
    branches = [(row.when.copy(), build.number(given(row))) for row in rows if row.when is not None]
    others = [build.number(given(row)) for row in rows if row.when is None]
    return build.case(branches, others[0] if others else build.number(0))
