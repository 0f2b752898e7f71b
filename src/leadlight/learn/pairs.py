"""Pairs of features that tell more together than apart, found by what they would have told in other periods."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from leadlight.learn.tables import Axis, CategoryAxis, NumberAxis, Term

Floats = NDArray[np.float64]
Codes = NDArray[np.uint8]

MOST_SIDE = 6
"""Bands of a number in a pair."""
MOST_SIDE_VALUES = 8
"""Values of a category in a pair, beside other."""
OTHER = "other"
"""A value of this name cannot stand in a pair's table, where it means all values without a row."""
EXPECTED = 0.3
"""How large a pair's effects are thought to be before looking, in log-odds."""


@dataclass(frozen=True, slots=True)
class Side:
    """A feature as it stands in pairs: a coarse axis and the code of each row."""

    axis: Axis
    place_of: Codes = field(repr=False)

    @property
    def cells(self) -> int:
        """How many places there are beside missing."""
        return self.axis.size - 1


@dataclass(frozen=True, slots=True)
class Pair:
    """Two features that were found to belong together, and the nats per 1,000 rows they gain in other periods."""

    first: int
    second: int
    gain: float


def side(axis: Axis, codes: Codes) -> Side:
    """Return the coarse axis of a feature: bands with about equal counts, or the most frequent values."""
    counts = np.bincount(codes, minlength=axis.size).astype(np.float64)
    if isinstance(axis, CategoryAxis):
        codes_by_count = np.argsort(-counts[1:-1], kind="stable") + 1
        known = np.array([c for c in codes_by_count if axis.groups[c - 1] != (OTHER,)][:MOST_SIDE_VALUES], np.int64)
        place_of = np.full(axis.size, len(known) + 1, np.uint8)
        place_of[known], place_of[0] = np.arange(1, len(known) + 1), 0
        return Side(CategoryAxis(axis.feature, tuple(axis.groups[code - 1] for code in known)), place_of)
    cluster = _equal_parts(counts[1:], MOST_SIDE)
    cuts = tuple(cut for cut, step in zip(axis.cuts, np.diff(cluster), strict=True) if step)
    return Side(NumberAxis(axis.feature, cuts), np.concatenate([[0], cluster + 1]).astype(np.uint8))


def _equal_parts(counts: Floats, most: int) -> NDArray[np.int64]:
    """Return a part for each bin so that parts have about equal counts and none is empty."""
    if len(counts) <= most:
        return np.arange(len(counts))
    middle = (np.cumsum(counts) - counts / 2) / max(counts.sum(), 1.0)
    part = np.minimum((middle * most).astype(np.int64), most - 1)
    found: NDArray[np.int64] = np.unique(part, return_inverse=True)[1]
    return found


def pair_codes(first: Side, second: Side, a: Codes, b: Codes) -> Codes:
    """Return each row's cell, given its fine codes: 0 where either is missing, then row by row."""
    left, right = first.place_of[a].astype(np.int64), second.place_of[b].astype(np.int64)
    cell = 1 + (left - 1) * second.cells + (right - 1)
    cell[(left == 0) | (right == 0)] = 0
    return cell.astype(np.uint8)


def pair_term(first: Side, second: Side, values: Floats, errors: Floats, kept: float = 1.0) -> Term:
    """Return the table of a pair from its cells' values."""
    return Term((first.axis, second.axis), _spread(first, second, values), kept, _spread(first, second, errors))


def _spread(first: Side, second: Side, values: Floats) -> Floats:
    found = np.full((first.cells + 1, second.cells + 1), values[0])
    found[1:, 1:] = values[1:].reshape(first.cells, second.cells)
    return found


def choose_pairs(
    sides: list[Side],
    codes: tuple[Codes, ...],
    residual: Floats,
    weight: Floats,
    period: NDArray[np.int64],
    *,
    most: int,
    allowed: list[int],
) -> tuple[list[Pair], int]:
    """Return the pairs that gain most, best first, and how many were considered.

    `residual` is w (won - p) and `weight` w p (1 - p) of each row under the one-feature tables. What a pair's cells
    show in all other periods is tried on each period; the second-order gain in log-likelihood is summed.
    """
    rows, gains, considered = len(residual), [], 0
    places = {j: sides[j].place_of[codes[j]].astype(np.int64) for j in allowed}
    for i, j in combinations(allowed, 2):
        considered += 1
        shape = (int(period.max()) + 1, sides[i].cells + 1, sides[j].cells + 1)
        cell = (period * shape[1] + places[i]) * shape[2] + places[j]
        gain = held_out_gain(_by_cell(cell, residual, shape), _by_cell(cell, weight, shape))
        if gain > 0:
            gains.append(Pair(i, j, 1000 * gain / rows))
    return sorted(gains, key=lambda pair: (-pair.gain, pair.first, pair.second))[:most], considered


def _by_cell(cell: NDArray[np.int64], values: Floats, shape: tuple[int, int, int]) -> Floats:
    """Return sums by period and cell, without the cells of missing values."""
    sums = np.bincount(cell, values, shape[0] * shape[1] * shape[2]).astype(np.float64)
    return sums.reshape(shape)[:, 1:, 1:]


def held_out_gain(g: Floats, h: Floats) -> float:
    """Return the gain of each period's cells under what all others show, summed; axis 0 is the period."""
    others_g, others_h = g.sum(0) - g, h.sum(0) - h
    beta = others_g / (others_h + 1 / EXPECTED**2)
    return float((g * beta - 0.5 * h * beta**2).sum())
