"""The levels of a criterion: values, bands, how often an event came; which one each lead had, and in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any, assert_never

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from leadlight.expr.types import Type
from leadlight.learn.tables import CategoryAxis, NumberAxis, Places
from leadlight.scorecards.compile import EVENTS, VALUE
from leadlight.scorecards.points import OTHER
from leadlight.scorecards.sentences import value
from leadlight.spec import models
from leadlight.spec.durations import format_duration
from leadlight.spec.resolved import ResolvedCriterion

TIMES = (1.0, 2.0, 5.0)
"""Where the levels of an event begin: once, twice, five times."""
VALUES = 30
"""How many values of a category are levels of their own, beside those the scorecard names; the most frequent."""
UNKNOWN, REST = "not known", "any other"


@dataclass(frozen=True, slots=True)
class Levels:
    """The levels of one criterion: `place[row]` is the place in `names` of the level that row has."""

    names: tuple[str, ...]
    place: Places


def columns(criterion: ResolvedCriterion) -> list[str]:
    """Name the columns of a table of scores with evidence that tell a criterion's levels."""
    match criterion.spec:
        case models.EventCriterion():
            return [criterion.key + EVENTS]
        case models.WhenCriterion():
            return [criterion.key]
        case models.PairCriterion():
            return [criterion.key + VALUE, criterion.key + VALUE + "1"]
        case _:
            return [criterion.key + VALUE]


def levels(criterion: ResolvedCriterion, rows: pa.Table, types: Mapping[str, Type]) -> Levels:
    """Return the level of each row; `rows` has the criterion's `columns`, `types` are those of the features.

    A category's levels are the values the scorecard names and the most frequent others. Those of an event are never,
    once, 2 to 4 times, and 5 times or more (within the criterion's window).
    """
    spec, seen = criterion.spec, columns(criterion)
    match spec:
        case models.EventCriterion():
            return _of_event(spec, seen[0], rows)
        case models.WhenCriterion():
            holds = rows.column(seen[0]).to_numpy() != 0
            return Levels((f"{spec.name}: no", f"{spec.name}: yes"), holds.astype(np.int64))
        case models.PairCriterion():
            first, second = (_one_side(seen[i], name, spec, rows, types) for i, name in enumerate(spec.features))
            return _of_pair(spec.name, first, second)
        case models.CategoryCriterion():
            found = _of_category(seen[0], list(spec.points), rows, types[spec.feature])
        case models.BandCriterion():
            cuts = sorted({float(end) for low, high, _ in spec.bands for end in (low, high) if end is not None})
            found = _of_number(seen[0], cuts, rows)
        case _:
            assert_never(spec)
    return Levels(tuple(f"{spec.name}: {name}" for name in found.names), found.place)


def bands_in_words(cuts: Sequence[float]) -> list[str]:
    """Name the half-open bands between cuts.

    >>> bands_in_words([10.0, 5000.0])
    ['below 10', '10 to 5,000', 'from 5,000']
    """
    if not cuts:
        return ["any"]
    inner = [f"{value(low)} to {value(high)}" for low, high in pairwise(cuts)]
    return [f"below {value(cuts[0])}", *inner, f"from {value(cuts[-1])}"]


def _of_event(spec: models.EventCriterion, column: str, rows: pa.Table) -> Levels:
    within = f" in {format_duration(spec.within)}" if spec.within else ""
    count = rows.column(column).to_numpy()
    names = (f"{spec.name}: never", f"{spec.name} once", f"{spec.name} 2 to 4 times", f"{spec.name} 5 times or more")
    return Levels(tuple(name + within for name in names), np.searchsorted(TIMES, count, side="right"))


def _of_number(column: str, cuts: Sequence[float], rows: pa.Table) -> Levels:
    return Levels((UNKNOWN, *bands_in_words(cuts)), NumberAxis(column, tuple(cuts)).places(rows))


def _of_category(column: str, listed: Sequence[Any], rows: pa.Table, kind: Type) -> Levels:
    known = [_as_type(key, kind) for key in listed if key != OTHER or kind is not Type.TEXT]
    known += [found for found in _frequent(rows.column(column), kind) if found not in known]
    place = CategoryAxis(column, tuple((key,) for key in known)).places(rows)
    return Levels((UNKNOWN, *map(value, known), REST), place)


def _frequent(column: pa.ChunkedArray, kind: Type) -> list[Any]:
    """Return the most frequent values of a text, ties in the order of the alphabet."""
    if kind is not Type.TEXT:
        return []
    counted = [(item["values"], item["counts"]) for item in pc.value_counts(column.drop_null()).to_pylist()]
    return [found for found, _ in sorted(counted, key=lambda item: (-item[1], item[0]))[:VALUES]]


def _as_type(key: Any, kind: Type) -> Any:
    return float(key) if kind is Type.NUMBER else str(key) if kind is Type.TEXT else key


def _one_side(column: str, name: str, spec: models.PairCriterion, rows: pa.Table, types: Mapping[str, Type]) -> Levels:
    if name in spec.bands:
        return _of_number(column, spec.bands[name], rows)
    return _of_category(column, _keys(spec, name), rows, types[name])


def _keys(spec: models.PairCriterion, name: str) -> list[Any]:
    """Return the values of one side that a pair's table names."""
    if name == spec.features[0]:
        return list(spec.table)
    inner = spec.table.values() if isinstance(spec.table, dict) else spec.table
    return list(dict.fromkeys(key for row in inner for key in row))


def _of_pair(name: str, first: Levels, second: Levels) -> Levels:
    names = [f"{name}: {a}, {b}" for a, b in product(first.names, second.names)]
    place: NDArray[np.int64] = first.place * len(second.names) + second.place
    return Levels(tuple(names), place)
