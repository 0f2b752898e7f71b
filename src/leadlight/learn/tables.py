"""A sum of tables in log-odds: what fitting yields and a scorecard holds, one or two features to a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

MISSING = 0
"""The place, on every axis, of a value that is missing."""


@dataclass(frozen=True, slots=True)
class NumberAxis:
    """Half-open bands of a number: place 0 is missing, 1 is below the first cut, k + 1 is from the k-th cut on.

    >>> NumberAxis("size", (10.0, 50.0)).places(pa.table({"size": [None, 9.9, 10.0, 1e9]})).tolist()
    [0, 1, 2, 3]
    """

    feature: str
    cuts: tuple[float, ...]

    @property
    def size(self) -> int:
        """How many places the axis has."""
        return len(self.cuts) + 2

    def places(self, features: pa.Table) -> Places:
        """Return the place of each row."""
        values = features.column(self.feature).cast(pa.float64()).to_numpy()
        found: Places = np.searchsorted(np.array(self.cuts), values, side="right").astype(np.int64) + 1
        found[np.isnan(values)] = MISSING
        return found


@dataclass(frozen=True, slots=True)
class CategoryAxis:
    """Groups of values of a text or bool: place 0 is missing, k is the k-th group, the last is any other value.

    >>> axis = CategoryAxis("tier", (("gold", "silver"), ("bronze",)))
    >>> axis.places(pa.table({"tier": [None, "silver", "bronze", "tin"]})).tolist()
    [0, 1, 2, 3]
    """

    feature: str
    groups: tuple[tuple[str | bool, ...], ...]

    @property
    def size(self) -> int:
        """How many places the axis has."""
        return len(self.groups) + 2

    def places(self, features: pa.Table) -> Places:
        """Return the place of each row."""
        column = features.column(self.feature).combine_chunks()
        known = [value for group in self.groups for value in group]
        place_of = np.array([place for place, group in enumerate(self.groups, 1) for _ in group] + [self.size - 1])
        index = pc.index_in(column, pa.array(known, column.type)) if known else pa.nulls(len(column), pa.int32())
        found: Places = place_of[index.fill_null(len(known)).to_numpy(zero_copy_only=False)]
        found[column.is_null().to_numpy(zero_copy_only=False)] = MISSING
        return found


Axis = NumberAxis | CategoryAxis


@dataclass(frozen=True, slots=True)
class Term:
    """One table: log-odds by the place of one feature (shape n) or of two (shape n x m).

    In a table of two, the row and column of missing values hold one and the same number, since a scorecard's pair
    has one. `kept` is the share of the effect that was kept because it held from period to period (1 is all);
    `errors` are standard errors of the log-odds, of the same shape, where they are known.
    """

    axes: tuple[Axis, ...]
    log_odds: Floats = field(repr=False)
    kept: float = 1.0
    errors: Floats | None = field(default=None, repr=False)

    @property
    def features(self) -> tuple[str, ...]:
        """The names of its features."""
        return tuple(axis.feature for axis in self.axes)

    def values(self, features: pa.Table) -> Floats:
        """Return the log-odds this table gives to each row."""
        found: Floats = self.log_odds[tuple(axis.places(features) for axis in self.axes)]
        return found


@dataclass(frozen=True, slots=True)
class Tables:
    """A base and terms; their sum is the log-odds of a win, before calibration.

    >>> size = Term((NumberAxis("size", (10.0,)),), np.array([0.0, -1.0, 1.0]))
    >>> Tables(-2.0, (size,)).log_odds(pa.table({"size": [5.0, 20.0, None]})).tolist()
    [-3.0, -1.0, -2.0]
    """

    base: float
    terms: tuple[Term, ...]

    @property
    def features(self) -> tuple[str, ...]:
        """The names of all features used, each once."""
        return tuple(dict.fromkeys(name for term in self.terms for name in term.features))

    def contributions(self, features: pa.Table) -> Floats:
        """Return what each term gives to each row, of shape (rows, terms)."""
        columns = [term.values(features) for term in self.terms]
        return np.stack(columns, axis=1) if columns else np.zeros((features.num_rows, 0))

    def log_odds(self, features: pa.Table) -> Floats:
        """Return each row's log-odds."""
        start = np.full(features.num_rows, self.base)
        return reduce(np.add, (term.values(features) for term in self.terms), start)


def sigmoid(log_odds: Floats | Sequence[float]) -> Floats:
    """Return the probability of log-odds.

    >>> sigmoid([0.0, 1000.0]).tolist()
    [0.5, 1.0]
    """
    found: Floats = 0.5 * (1.0 + np.tanh(0.5 * np.asarray(log_odds, dtype=np.float64)))
    return found
