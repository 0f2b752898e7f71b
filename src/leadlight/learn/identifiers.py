"""Columns that say nothing of a row: unique texts, numbers that count rows, and second copies of a column."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from leadlight.learn.calendar import exact_codes
from leadlight.learn.examples import Floats

UNIQUE = 0.95
UNIQUE_NUMBER = 0.99
FEWEST = 50
"""Among fewer values, all different ones are no evidence."""
FREE_TEXT_WORDS = 3.0
"""From so many words a value on, a text that never repeats is prose and no name."""
DENSE = 2.0
"""Whole numbers that all differ and use half of the numbers between the least and the greatest count something."""
MONOTONE = 0.99
LOOKED_AT = 2_000
FEW_VALUES = 50
FEW_SHARE = 0.25
"""Up to so many values (and so many a row), columns are the same when each value stands for one other."""
FEWEST_BITS = 30.0


@dataclass(frozen=True, slots=True)
class Uniqueness:
    """How many of a column's values there are, and how many differ."""

    values: int
    distinct: int
    missing: int
    words: float
    """Words (two letters or more) a value, on average; NaN for what is no text."""
    counts_rows: bool
    """Whole numbers that rise or fall along the rows (or time), or use most numbers of their range."""

    @property
    def share(self) -> float:
        """Different values, as a share of all."""
        return self.distinct / max(self.values, 1)

    @property
    def is_text(self) -> bool:
        """Whether the values are texts."""
        return not np.isnan(self.words)

    @property
    def is_prose(self) -> bool:
        """Whether these are sentences."""
        return self.words >= FREE_TEXT_WORDS

    @property
    def is_identifier(self) -> bool:
        """Whether a value names its row (sentences apart)."""
        if self.values < FEWEST:
            return False
        if self.is_text:
            return self.share >= UNIQUE and not self.is_prose
        return self.share >= UNIQUE_NUMBER and self.counts_rows


def uniqueness(column: pa.ChunkedArray, order: Floats) -> Uniqueness:
    """Look at how often values repeat; `order` is the rows' time, or their place in the file.

    >>> uniqueness(pa.chunked_array([[f"id {n}" for n in range(100)]]), np.arange(100.0)).is_identifier
    True
    >>> uniqueness(pa.chunked_array([np.tile([1.0, 2.0], 50)]), np.arange(100.0)).is_identifier
    False
    """
    known = column.drop_null()
    distinct = pc.count_distinct(known).as_py() if len(known) else 0
    is_text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    words = _words(known) if is_text and len(known) else float("nan")
    is_number = pa.types.is_floating(column.type) or pa.types.is_integer(column.type)
    counts = is_number and distinct >= FEWEST and _counts_rows(column.cast(pa.float64()).to_numpy(), order, distinct)
    return Uniqueness(len(known), distinct, column.null_count, words, counts)


def same_content(features: pa.Table) -> dict[str, str]:
    """Return, for each column that says what an earlier one says, that one's name.

    Values may be written otherwise (yes and 1, EUR and cents) as long as each stands for one other; columns of many
    different numbers are the same when all rows have the same rank, either way up. Columns that could agree by chance
    (constants, or one row of its own value) are no copies.

    >>> rows = pa.table({"a": ["x", "y"] * 20, "b": [1.0, 0.0] * 20, "c": ["x"] * 20 + ["y"] * 20})
    >>> same_content(rows)
    {'b': 'a'}
    """
    first: dict[bytes, str] = {}
    found: dict[str, str] = {}
    for name in features.column_names:
        key = _key(features.column(name))
        if key is None:
            continue
        if key in first:
            found[name] = first[key]
        else:
            first[key] = name
    return found


def _words(known: pa.ChunkedArray) -> float:
    return float(pc.mean(pc.count_substring_regex(known.slice(0, LOOKED_AT), r"(?:^|\s)\p{L}{2,}")).as_py())


def _counts_rows(values: Floats, order: Floats, distinct: int) -> bool:
    known = np.isfinite(values)
    numbers = values[known]
    if (numbers != np.floor(numbers)).any():
        return False
    if np.ptp(numbers) + 1 <= DENSE * distinct:
        return True
    from scipy.stats import rankdata

    by_value, by_order = rankdata(numbers), rankdata(order[known])
    spread = by_value.std() * by_order.std()
    if spread == 0:
        return False
    rank = ((by_value - by_value.mean()) * (by_order - by_order.mean())).mean() / spread
    return bool(abs(rank) >= MONOTONE)


def _key(column: pa.ChunkedArray) -> bytes | None:
    """Return what columns of the same content share; None for one that may share it by chance."""
    codes = exact_codes(column)
    count = np.bincount(codes)
    if _bits(count) < FEWEST_BITS:
        return None
    few = len(count) <= min(FEW_VALUES, len(codes) * FEW_SHARE)
    if few:
        return codes.tobytes()
    if pa.types.is_floating(column.type) or pa.types.is_integer(column.type):
        ranks = np.unique(column.cast(pa.float64()).to_numpy(), return_inverse=True)[1]
        if ranks[0] > ranks.max() / 2:  # the same number the other way up is the same
            ranks = ranks.max() - ranks
        return ranks.astype(np.int64).tobytes()
    # Of values that hardly repeat, their places say nothing: here they must be the same.
    names = "\0".join(str(value) for value in pc.unique(column).to_pylist())
    return codes.tobytes() + names.encode()


def _bits(count: NDArray[np.int64]) -> float:
    """Return how surprising an agreement by chance would be: the entropy of all rows, in bits."""
    share = count / count.sum()
    return float(-(count * np.log2(share)).sum())
