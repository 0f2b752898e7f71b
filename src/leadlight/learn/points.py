"""From tables in log-odds to criteria with points: the same sum, in the words of a scorecard's file."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from leadlight.learn.tables import MISSING, Axis, CategoryAxis, Floats, NumberAxis, Tables, Term
from leadlight.spec import models

DIGITS = 2
"""Points are rounded to so many decimals; each criterion is then off by at most half a hundredth of a point."""
OTHER = "other"

Cell = float | dict[str | bool, float] | list[float]


def tables_to_groups(tables: Tables, *, double_odds: float = 20.0) -> tuple[float, list[models.Criterion]]:
    """Return the base and the criteria that give what the tables give: points = log-odds × double_odds / ln 2.

    Criteria are named by their features. A table that gives everybody the same goes into the base.

    >>> size = Term((NumberAxis("size", (10.0,)),), np.array([0.0, -0.6931471805599453, 0.6931471805599453]))
    >>> base, (criterion,) = tables_to_groups(Tables(-1.3862943611198906, (size,)))
    >>> base, criterion.bands, criterion.missing
    (-40.0, [(None, 10.0, -20.0), (10.0, None, 20.0)], 0.0)
    """
    scale = double_odds / np.log(2.0)
    base, criteria = tables.base * scale, list[models.Criterion]()
    for term in tables.terms:
        points = np.round(term.log_odds * scale, DIGITS) + 0.0  # + 0 makes a negative zero a plain one
        if np.ptp(points) == 0:
            base += float(points.flat[0])
            continue
        more, criterion = _criterion(term, points)
        base += more
        criteria.append(criterion)
    return round(float(base), DIGITS), criteria


def _criterion(term: Term, points: Floats) -> tuple[float, models.Criterion]:
    """Return a criterion, and what of its points belongs to the base."""
    if len(term.axes) == 2:
        return 0.0, _pair(term.axes, points)
    axis = term.axes[0]
    missing = float(points[MISSING])
    if isinstance(axis, NumberAxis):
        bands = [(low, high, float(given)) for (low, high), given in zip(_limits(axis), points[1:], strict=True)]
        return 0.0, models.BandCriterion(name=axis.feature, feature=axis.feature, bands=bands, missing=missing)
    other = float(points[-1])
    if not axis.groups:  # only whether there is a value makes a difference
        name, given = f"{axis.feature} is missing", round(missing - other, DIGITS)
        return other, models.WhenCriterion(name=name, when=f"{axis.feature} is null", points=given)
    listed: dict[str | bool | int | float, float] = {
        value: float(given) for group, given in zip(axis.groups, points[1:-1], strict=True) for value in group
    }
    return 0.0, models.CategoryCriterion(
        name=axis.feature, feature=axis.feature, points=listed, missing=missing, other=other
    )


def _limits(axis: NumberAxis) -> list[tuple[float | None, float | None]]:
    return list(pairwise((None, *axis.cuts, None)))


def _pair(axes: Sequence[Axis], points: Floats) -> models.PairCriterion:
    """Return the criterion of a table of two features; its missing row and column hold one number."""
    first, second = axes
    rows = [_cells(second, row) for row in points[1:]]
    table: dict[str | bool | int | float, Any] | list[Any] = (
        {key: rows[place] for key, place in _keys(first)} if isinstance(first, CategoryAxis) else rows
    )
    return models.PairCriterion(
        name=f"{first.feature} × {second.feature}",
        features=(first.feature, second.feature),
        bands={axis.feature: list(axis.cuts) for axis in axes if isinstance(axis, NumberAxis)},
        table=table,
        missing=float(points[MISSING, MISSING]),
    )


def _cells(axis: Axis, row: Floats) -> Cell:
    cells = [float(given) for given in row[1:]]
    return {key: cells[place] for key, place in _keys(axis)} if isinstance(axis, CategoryAxis) else cells


def _keys(axis: CategoryAxis) -> list[tuple[str | bool, int]]:
    """Return each value with its place behind that of missing, `other` last: a value of that name is one of these."""
    listed = [(value, place) for place, group in enumerate(axis.groups) for value in group if value != OTHER]
    return [*listed, (OTHER, len(axis.groups))]
