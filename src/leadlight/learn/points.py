"""From tables in log-odds to the criteria of a scorecard, in points."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadlight.learn.tables import MISSING, Axis, CategoryAxis, NumberAxis, Tables
from leadlight.spec.models import BandCriterion, CategoryCriterion, PairCriterion, WhenCriterion

Floats = NDArray[np.float64]
LearnedCriterion = BandCriterion | CategoryCriterion | PairCriterion | WhenCriterion

DOUBLE_ODDS = 20.0
DIGITS = 2


def points_per_unit(double_odds: float = DOUBLE_ODDS) -> float:
    """Return how many points one unit of log-odds is.

    >>> float(round(points_per_unit(20.0) * np.log(2), 9))
    20.0
    """
    return float(double_odds / np.log(2))


def tables_to_groups(tables: Tables, *, double_odds: float = DOUBLE_ODDS) -> tuple[float, list[LearnedCriterion]]:
    """Return the base and the criteria that say what the tables say.

    Base plus points is the tables' log-odds times `double_odds` / ln 2 for every row. The base and every table's points
    are rounded to hundredths, each by itself, so the sum is exact within half a hundredth for each of them.

    >>> from leadlight.learn.tables import Term
    >>> size = Term((NumberAxis("company_size", (10.0,)),), np.array([0.0, -0.5, 1.0]))
    >>> base, (criterion,) = tables_to_groups(Tables(-2.0, (size,)))
    >>> base, criterion.name, criterion.bands, criterion.missing
    (-57.71, 'Company size', [(None, 10.0, -14.43), (10.0, None, 28.85)], 0.0)
    """
    scale = points_per_unit(double_odds)
    names = _names([term.features for term in tables.terms])
    base, criteria = scale * tables.base, list[LearnedCriterion]()
    for name, term in zip(names, tables.terms, strict=True):
        points = _rounded(scale * term.log_odds)
        if _names_no_value(term.axes):
            base += float(points[MISSING])
            criteria.append(_known(name, term.axes[0], points))
        else:
            criteria.append(criterion(name, term.axes, points))
    return float(_rounded(np.array(base))), criteria


def _names_no_value(axes: tuple[Axis, ...]) -> bool:
    """Return whether a table tells only whether there is a value, since none was seen often enough to be named."""
    return len(axes) == 1 and isinstance(axes[0], CategoryAxis) and not axes[0].groups


def _known(name: str, axis: Axis, points: Floats) -> WhenCriterion:
    given = float(_rounded(points[-1] - points[MISSING]))
    return WhenCriterion(name=f"{name} is known", when=f"{axis.feature} is not null", points=given)


def criterion(name: str, axes: tuple[Axis, ...], points: Floats) -> LearnedCriterion:
    """Return one table of points as a criterion."""
    if len(axes) == 2:
        return _pair(name, axes[0], axes[1], points)
    axis = axes[0]
    if isinstance(axis, NumberAxis):
        edges = (None, *axis.cuts, None)
        bands = [(low, high, float(p)) for low, high, p in zip(edges, edges[1:], points[1:], strict=False)]
        return BandCriterion(name=name, feature=axis.feature, bands=bands, missing=float(points[MISSING]), other=None)
    by_value: dict[Any, float] = dict(zip(*_values(axis, points[1:-1].tolist()), strict=True))
    other, missing = float(points[-1]), float(points[MISSING])
    return CategoryCriterion(name=name, feature=axis.feature, points=by_value, missing=missing, other=other)


def label(feature: str) -> str:
    """Return a feature's name for people.

    >>> label("lead_source")
    'Lead source'
    """
    words = feature.replace("_", " ").strip() or feature
    return words[0].upper() + words[1:]


def _names(features: list[tuple[str, ...]]) -> list[str]:
    """Return a name for each table; where two would have the same, the features' own names."""
    names = [" × ".join(label(name) for name in pair) for pair in features]
    return [name if names.count(name) == 1 else " × ".join(own) for name, own in zip(names, features, strict=True)]


def _rounded(values: Floats) -> Floats:
    return np.round(values, DIGITS) + 0.0


def _values(axis: CategoryAxis, of_groups: list[Any]) -> tuple[list[Any], list[Any]]:
    """Return each single value and what its group has."""
    pairs = [(value, of) for group, of in zip(axis.groups, of_groups, strict=True) for value in group]
    return [value for value, _ in pairs], [of for _, of in pairs]


def _pair(name: str, first: Axis, second: Axis, points: Floats) -> PairCriterion:
    rows = [_along(second, row) for row in points[1:, 1:]]
    bands = {axis.feature: list(axis.cuts) for axis in (first, second) if isinstance(axis, NumberAxis)}
    return PairCriterion(
        name=name,
        features=(first.feature, second.feature),
        bands=bands,
        table=_keyed(first, rows),
        missing=float(points[MISSING, MISSING]),
        other=0.0,
    )


def _along(axis: Axis, row: Floats) -> Any:
    """Return a row of a pair's table: a list by band, or a map by value."""
    return _keyed(axis, [float(value) for value in row])


def _keyed(axis: Axis, parts: list[Any]) -> Any:
    if isinstance(axis, NumberAxis):
        return parts
    found = dict(zip(*_values(axis, parts[:-1]), strict=True))
    return found if _all_bools(axis) else {**found, "other": parts[-1]}


def _all_bools(axis: CategoryAxis) -> bool:
    return all(isinstance(value, bool) for group in axis.groups for value in group)
