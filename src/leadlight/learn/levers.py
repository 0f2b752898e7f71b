"""The numbers of a scorecard that learning may move, and how often each was used for each lead.

A *lever* is one number: the points of a value, a band, a cell, a condition, or of each event. Which lever a lead pulls
is asked of the scorecard itself: a copy whose points are the levers' numbers is scored, by the one statement that
scores everything. So nothing of the meaning of a criterion is said twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from leadlight.engines.base import Engine
from leadlight.errors import UsageError
from leadlight.scorecards.scores_at import scores_at
from leadlight.spec import models
from leadlight.spec.resolved import ResolvedScorecard, ResolvedWorkspace

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
Place = tuple[Any, ...]
"""Where in a criterion a number stands: ("points", "vp"), ("bands", 2), ("table", "retail", 0), ("missing",)."""


@dataclass(frozen=True, slots=True)
class Lever:
    """One number of a scorecard: of which criterion (by number), where in it, and how people call that."""

    criterion: int
    name: str
    group: str
    level: str
    place: Place
    points: float


@dataclass(frozen=True, slots=True)
class Pulls:
    """How much of each lever each row has: contribution = points × amount, before the caps of groups.

    Sparse, as coordinates: `amount[k]` of lever `lever[k]` in row `row[k]`; 1 for values, bands, cells and conditions,
    the sum of decay for events.
    """

    levers: tuple[Lever, ...]
    rows: int
    row: Ints = field(repr=False)
    lever: Ints = field(repr=False)
    amount: Floats = field(repr=False)

    def take(self, rows: Ints) -> Pulls:
        """Return some rows, each at most once, in that order."""
        place = np.full(self.rows, -1, np.int64)
        place[rows] = np.arange(len(rows))
        kept = place[self.row] >= 0
        return Pulls(self.levers, len(rows), place[self.row[kept]], self.lever[kept], self.amount[kept])


def levers(card: ResolvedScorecard) -> tuple[Lever, ...]:
    """Return the numbers of a scorecard that learning may move; an event that gives 0 points is none."""
    return tuple(
        Lever(number, criterion.spec.name, criterion.group, level, place, points)
        for number, criterion in enumerate(card.criteria)
        for place, level, points in _numbers(criterion.spec)
    )


def gather(
    engine: Engine, workspace: ResolvedWorkspace, card: ResolvedScorecard, lead: Ints, as_of: pa.Array
) -> tuple[Pulls, Bools]:
    """Return which levers each (lead, as_of) row pulls, and whether the lead existed and is not excluded.

    Raises UsageError for a scorecard of accounts.
    """
    if card.spec.of != "lead":
        raise UsageError(f"{card.name} scores accounts; points are learned for scorecards of leads")
    found = scores_at(engine, workspace, _numbered(card), lead, as_of, contributions=True)
    return pulls(card, np.nan_to_num(found.contributions)), found.scored


def pulls(card: ResolvedScorecard, numbers: Floats) -> Pulls:
    """Read the contributions (rows × criteria) of a numbered scorecard."""
    all_levers = levers(card)
    parts: list[tuple[Ints, Ints, Floats]] = []
    for number, criterion in enumerate(card.criteria):
        mine = [index for index, lever in enumerate(all_levers) if lever.criterion == number]
        if not mine:
            continue
        column = numbers[:, number]
        row = np.flatnonzero(column)
        if isinstance(criterion.spec, models.EventCriterion):
            parts.append((row, np.full(len(row), mine[0]), column[row] / criterion.spec.points))
        else:
            parts.append((row, mine[0] + column[row].round().astype(np.int64) - 1, np.ones(len(row))))
    row, lever, amount = (np.concatenate(part) for part in zip(*parts, strict=True)) if parts else _NOTHING
    return Pulls(all_levers, len(numbers), row, lever, amount)


_NOTHING: tuple[Ints, Ints, Floats] = (np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))


def with_points(card: ResolvedScorecard, points: Floats) -> models.ScorecardSpec:
    """Return the scorecard with other points, in the order of `levers`; all else stays, but for the `max` of events.

    That grows and shrinks with the points of each, so that as many events as before reach it.
    """
    new: dict[int, dict[Place, float]] = {}
    for lever, value in zip(levers(card), points, strict=True):
        new.setdefault(lever.criterion, {})[lever.place] = float(value)
    criteria = iter([_put(item.spec, new.get(number, {})) for number, item in enumerate(card.criteria)])
    groups = {
        name: group.model_copy(update={"criteria": [next(criteria) for _ in group.criteria]})
        for name, group in card.spec.groups.items()
    }
    return card.spec.model_copy(update={"groups": groups})


def _numbered(card: ResolvedScorecard) -> ResolvedScorecard:
    """Return a copy whose contributions say which lever of a criterion was pulled, from 1; events stay as they are."""
    criteria = []
    for criterion in card.criteria:
        spec = criterion.spec
        if not isinstance(spec, models.EventCriterion):
            spec = _put(spec, {place: float(k) for k, (place, _, _) in enumerate(_numbers(spec), 1)})
        criteria.append(replace(criterion, spec=spec))
    plain = card.spec.model_copy(update={"calibration": None, "worth": None, "grades": None, "gates": []})
    return replace(card, spec=plain, criteria=tuple(criteria), gates=())


# -------------------------------------------------------------------------------------------------- inside a criterion


def _numbers(spec: models.Criterion) -> Iterator[tuple[Place, str, float]]:
    """Yield each number of a criterion: where it stands, what people call that, the points."""
    match spec:
        case models.CategoryCriterion():
            yield from ((("points", key), _said(key), given) for key, given in spec.points.items())
            yield ("missing",), "missing", spec.missing
            yield ("other",), "other", spec.other
        case models.BandCriterion():
            yield from ((("bands", k), _band(low, high), given) for k, (low, high, given) in enumerate(spec.bands))
            yield ("missing",), "missing", spec.missing
            if spec.other is not None:
                yield ("other",), "other", spec.other
        case models.PairCriterion():
            yield from _cells(spec)
            yield ("missing",), "missing", spec.missing
            yield ("other",), "other", spec.other
        case models.WhenCriterion():
            yield ("points",), "true", spec.points
        case models.EventCriterion() if spec.points != 0:
            yield ("points",), "each event", spec.points


def _cells(spec: models.PairCriterion) -> Iterator[tuple[Place, str, float]]:
    first, second = spec.features
    for key, row in _side(spec.table):
        for other, given in _side(row):
            label = f"{_side_name(first, key, spec)} × {_side_name(second, other, spec)}"
            yield ("table", key, other), label, float(given)


def _side(cells: Any) -> list[tuple[Any, Any]]:
    return list(cells.items()) if isinstance(cells, dict) else list(enumerate(cells))


def _side_name(feature: str, key: Any, spec: models.PairCriterion) -> str:
    if feature not in spec.bands:
        return _said(key)
    edges = list(pairwise([None, *spec.bands[feature], None]))
    return _band(*edges[key])


def _said(key: Any) -> str:
    return ("true" if key else "false") if isinstance(key, bool) else str(key)


def _band(low: float | None, high: float | None) -> str:
    """Name a half-open band.

    >>> _band(None, 10.0), _band(10.0, 200.0), _band(200.0, None), _band(None, None)
    ('below 10', '10 to 200', 'from 200', 'any')
    """
    if low is None:
        return "any" if high is None else f"below {high:g}"
    return f"from {low:g}" if high is None else f"{low:g} to {high:g}"


def _put(spec: models.Criterion, points: Mapping[Place, float]) -> models.Criterion:
    """Return a criterion with some of its numbers replaced."""
    update: dict[str, Any] = {}
    for place, value in points.items():
        name = place[0]
        if len(place) == 1:
            update[name] = value
        elif name == "points":
            update.setdefault(name, dict(getattr(spec, name)))[place[1]] = value
        elif name == "bands":
            bands = update.setdefault(name, list(getattr(spec, name)))
            bands[place[1]] = (*bands[place[1]][:2], value)
        else:
            table = update.setdefault(name, _copied(getattr(spec, name)))
            table[place[1]][place[2]] = value
    if isinstance(spec, models.EventCriterion) and spec.max is not None and update.get("points"):
        update["max"] = round(spec.max * abs(update["points"] / spec.points), 6)
    return spec.model_copy(update=update)


def _copied(table: Any) -> Any:
    """Copy a table two deep."""
    if isinstance(table, dict):
        return {key: _copied(row) for key, row in table.items()}
    return [_copied(row) for row in table] if isinstance(table, list) else table
