"""Features that say when and not who: the same for all leads of a day, or in long runs along time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from leadlight.learn.examples import Floats

WIDTHS: dict[str, float] = {"day": 1.0, "week": 7.0, "month": 30.4375}
LIMIT: dict[str, float] = {"day": 0.98, "week": 0.95, "month": 0.9}
"""From this share of the variation between (and not within) days a feature is one of the calendar."""
ROWS_A_BIN = 3.0
"""So many rows a day (week, month), on average, are needed to compare days."""
FEWEST_BINS = 4
FEWEST_PAIRS = 20.0
"""Rows that would differ from another of all rows by chance; with fewer, nothing can be told."""
MOST_RUNS = 0.05
"""Of the runs that values in random order would make, a feature of the calendar has at most this share."""
FEWEST_RUNS = 100.0
MONOTONE = 0.98


@dataclass(frozen=True, slots=True)
class InTime:
    """How a feature lies in time.

    `between` is the share of its variation that is between days (or weeks or months: `bin`), None where there are too
    few rows a day; `runs` is the number of runs of equal values along time and `expected` that of a random order;
    `rank` is Spearman's correlation with time, NaN for texts.
    """

    bin: Literal["day", "week", "month"] | None
    between: float | None
    bins: int
    runs: int
    expected: float
    rank: float

    @property
    def is_of_a_bin(self) -> bool:
        """Whether it is the same for all leads of a day (week, month)."""
        return self.bin is not None and self.between is not None and self.between >= LIMIT[self.bin]

    @property
    def is_calendar(self) -> bool:
        """Whether it is the same for all leads of a time."""
        return self.is_of_a_bin or (self.expected >= FEWEST_RUNS and self.runs <= MOST_RUNS * self.expected)

    @property
    def is_clock(self) -> bool:
        """Whether it rises or falls with time."""
        return abs(self.rank) >= MONOTONE


def in_time(column: pa.ChunkedArray, time: Floats, *, seed: int = 0) -> InTime:
    """Look at how a column lies in time (days; where they only tell the order, runs decide).

    >>> day = np.repeat(np.arange(50.0), 10)
    >>> in_time(pa.chunked_array([day // 30]), day).is_calendar
    True
    >>> in_time(pa.chunked_array([np.tile([1.0, 2.0], 250)]), day).is_calendar
    False
    """
    codes = exact_codes(column)
    unit, bins = _bins(time)
    between = None if bins is None else between_share(codes, bins)
    numbers = pa.types.is_floating(column.type) or pa.types.is_integer(column.type)
    if bins is not None and between is not None and numbers:
        between = max(between, _between_variance(column, bins))
    order = np.lexsort((np.random.default_rng(seed).permutation(len(time)), time))
    runs = 1 + int((np.diff(codes[order]) != 0).sum()) if len(codes) else 0
    expected = 1 + (len(codes) - 1) * _difference(codes)
    rank = _rank(column, time) if numbers else float("nan")
    return InTime(unit, between, 0 if bins is None else int(bins.max()) + 1, runs, expected, rank)


def exact_codes(column: pa.ChunkedArray) -> NDArray[np.int64]:
    """Return a whole number for each different value, null among them, in the order of their first rows.

    >>> exact_codes(pa.chunked_array([["b", None, "a", "b"]])).tolist()
    [0, 1, 2, 0]
    """
    joined = column.combine_chunks()
    found: Any = joined.dictionary_encode(null_encoding="encode").indices.to_numpy(zero_copy_only=False)
    codes: NDArray[np.int64] = found.astype(np.int64)
    return codes


def between_share(codes: NDArray[np.int64], bins: NDArray[np.int64]) -> float | None:
    """Return how much rarer two rows of a bin differ than any two rows: 1 when never, 0 when just as often.

    One less the within-bin over the total Gini impurity, both over pairs of different rows, so that chance gives 0.
    None where too few rows differ, or stand in bins with another.
    """
    total = _difference(codes)
    if total * len(codes) < FEWEST_PAIRS or int(bins.max()) + 1 < FEWEST_BINS:
        return None
    cell = np.unique(bins * (int(codes.max()) + 1) + codes, return_counts=True)[1].astype(float)
    size = np.bincount(bins).astype(float)
    pairs = float((size * (size - 1)).sum())
    if pairs < FEWEST_PAIRS:
        return None
    return 1 - (1 - float((cell * (cell - 1)).sum()) / pairs) / total


def _bins(time: Floats) -> tuple[Literal["day", "week", "month"] | None, NDArray[np.int64] | None]:
    """Number the days, or the weeks or months where days have too few rows.

    Whole numbers that all differ are places in an order, and no days.
    """
    if (time == np.floor(time)).all() and len(np.unique(time)) == len(time):
        return None, None
    units: tuple[Literal["day", "week", "month"], ...] = ("day", "week", "month")
    for unit in units:
        seen, place = np.unique(np.floor(time / WIDTHS[unit]), return_inverse=True)
        if len(time) >= ROWS_A_BIN * len(seen):
            return unit, place.astype(np.int64)
    return None, None


def _difference(codes: NDArray[np.int64]) -> float:
    """Return the chance that two different rows have different values."""
    count, n = np.bincount(codes).astype(float), len(codes)
    return 1 - float((count * (count - 1)).sum()) / max(n * (n - 1), 1)


def _between_variance(column: pa.ChunkedArray, bins: NDArray[np.int64]) -> float:
    """Return one less the within-bin over the total variance of the ranks (missing rows left out)."""
    from scipy.stats import rankdata

    values = column.cast(pa.float64()).to_numpy()
    known = np.isfinite(values)
    _, place = np.unique(bins[known], return_inverse=True)
    ranks = rankdata(values[known])
    size = np.bincount(place)
    if len(ranks) < FEWEST_PAIRS or len(size) < FEWEST_BINS or len(ranks) < ROWS_A_BIN * len(size):
        return 0.0
    mean = np.bincount(place, weights=ranks) / size
    within = float(((ranks - mean[place]) ** 2).sum()) / (len(ranks) - len(size))
    total = float(ranks.var(ddof=1))
    return 1 - within / total if total > 0 else 0.0


def _rank(column: pa.ChunkedArray, time: Floats) -> float:
    from scipy.stats import rankdata

    values = column.cast(pa.float64()).to_numpy()
    known = np.isfinite(values)
    if known.sum() < FEWEST_PAIRS:
        return float("nan")
    a, b = rankdata(values[known]), rankdata(time[known])
    spread = a.std() * b.std()
    return float(((a - a.mean()) * (b - b.mean())).mean() / spread) if spread > 0 else float("nan")
