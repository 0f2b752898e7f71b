"""Bins of a column, made from one sample and used on another: deciles of numbers, the common categories of text."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from leadlight.evaluate.arrays import Floats, Ints, Texts

DECILES = 10
CATEGORIES = 20
"""So many of the most frequent categories are bins of their own; the rest is `OTHER`."""
RARE = 0.01
"""Categories rarer than this are `OTHER` too."""
OTHER, MISSING = "other", "missing"


@dataclass(frozen=True, slots=True)
class Bins:
    """How a column's values are put into bins; the last label is `MISSING`.

    Numbers: bin i holds `cuts[i − 1] <= value < cuts[i]`; the first and the last hold what lies outside the sample that
    the bins were made from. Categories: one bin each, then `OTHER`.
    """

    labels: tuple[str, ...]
    cuts: Floats | None = field(default=None, repr=False)

    def place(self, column: pa.ChunkedArray | pa.Array) -> Ints:
        """Return the bin of each value."""
        if self.cuts is not None:
            value = numbers(column)
            return np.where(np.isnan(value), len(self.labels) - 1, np.searchsorted(self.cuts, value, side="right"))
        found = pc.index_in(_text(column), value_set=pa.array(self.labels[:-2], pa.string()))
        place = found.fill_null(len(self.labels) - 2).to_numpy(zero_copy_only=False).astype(np.int64)
        return np.where(column.is_null().to_numpy(zero_copy_only=False), len(self.labels) - 1, place)

    def counts(self, column: pa.ChunkedArray | pa.Array) -> NDArray[np.int64]:
        """Return how many values each bin holds."""
        return np.bincount(self.place(column), minlength=len(self.labels))


def bins_of(column: pa.ChunkedArray | pa.Array) -> Bins:
    """Make bins from a sample: of deciles for numbers, of the common values for text and booleans.

    >>> bins_of(pa.array(["a", "a", "b", None])).labels
    ('a', 'b', 'other', 'missing')
    >>> found = bins_of(pa.array([1.0, 2.0, None]))
    >>> found.labels, found.place(pa.array([0.0, 1.0, 5.0, None])).tolist()
    (('below 1', '1', '2', 'above 2', 'missing'), [0, 1, 3, 4])
    """
    column = _combined(column)
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or pa.types.is_decimal(column.type):
        return _number_bins(numbers(column))
    counted = _text(column).drop_null().value_counts().to_pylist()
    common = sorted(
        (item for item in counted if item["counts"] >= RARE * len(column)),
        key=lambda item: (-item["counts"], item["values"]),
    )
    return Bins((*(item["values"] for item in common[:CATEGORIES]), OTHER, MISSING))


def _number_bins(value: Floats) -> Bins:
    known = value[~np.isnan(value)]
    if not len(known):
        return Bins(("any", MISSING), np.empty(0))
    distinct, n = np.unique(known, return_counts=True)
    if len(distinct) <= DECILES:
        cuts = distinct
    else:
        often = np.flatnonzero(n >= len(known) / DECILES)  # a bin of its own, so the next value starts another
        after = distinct[np.minimum(often + 1, len(distinct) - 1)]
        deciles = np.quantile(known, np.arange(DECILES) / DECILES, method="higher")
        cuts = np.unique(np.concatenate([deciles, distinct[often], after]))
    starts = np.append(np.searchsorted(distinct, cuts), len(distinct))
    inside = [_span(distinct[low:high]) for low, high in pairwise(starts.tolist())]
    ends = np.append(cuts, np.nextafter(distinct[-1], np.inf))
    return Bins((f"below {distinct[0]:.6g}", *inside, f"above {distinct[-1]:.6g}", MISSING), ends)


def _span(values: Floats) -> str:
    return f"{values[0]:.6g}" if len(values) == 1 else f"{values[0]:.6g} to {values[-1]:.6g}"


def named(texts: Texts) -> Texts:
    """Return the texts with `MISSING` in place of None and of nothing.

    >>> named(np.array(["a", None, ""], object))
    array(['a', 'missing', 'missing'], dtype=object)
    """
    filled: Texts = pa.array(texts, pa.string()).fill_null("").to_numpy(zero_copy_only=False)
    return np.where(filled == "", MISSING, filled).astype(np.object_)


def numbers(column: pa.ChunkedArray | pa.Array) -> Floats:
    """Return a column of numbers as doubles, NaN where missing."""
    cast = _combined(column).cast(pa.float64())
    return np.asarray(cast.to_numpy(zero_copy_only=False), np.float64)


def _text(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    return _combined(column).cast(pa.string())


def _combined(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
