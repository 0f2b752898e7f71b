"""Counting rows by pairs of codes: what a step of the solver needs to know of the rows.

Most features of a workspace say the same of most rows: no such event, no such word. Of these only the rows that say
something else are counted, and what is common is what is left of the whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.uint8]
Places = NDArray[np.int64]

CHUNK = 1 << 16
COMMON = 0.75
"""From this share of rows on that have one code of a table, only the other codes are counted."""


def cross_counts(codes: Sequence[Codes], sizes: Sequence[int], values: Floats) -> Floats:
    """Return X' diag(values) X, where X has a column of ones and zeros for each code of each table.

    `codes` are those of each table's rows, `sizes` how many codes each has.

    >>> cross_counts([np.array([0, 1, 1], np.uint8), np.array([0, 0, 1], np.uint8)], [2, 2], np.array([1.0, 2.0, 4.0]))
    array([[1., 0., 1., 0.],
           [0., 6., 2., 4.],
           [1., 2., 3., 0.],
           [0., 4., 0., 4.]])
    """
    at = np.cumsum([0, *sizes])
    rows_of = [np.bincount(column, minlength=size) for column, size in zip(codes, sizes, strict=True)]
    seldom = [place for place, rows in enumerate(rows_of) if rows.max() >= max(COMMON * len(values), 1)]
    often = sorted(set(range(len(codes))) - set(seldom))
    common = np.array([at[place] + rows_of[place].argmax() for place in seldom], np.int64)
    found, alone = np.zeros((at[-1], at[-1])), np.zeros(at[-1])
    for begin in range(0, len(values), CHUNK):
        v, part = values[begin : begin + CHUNK], [column[begin : begin + CHUNK] for column in codes]
        alone += np.concatenate([np.bincount(column, v, size) for column, size in zip(part, sizes, strict=True)])
        _count_often(found, at, part, often, v)
        if seldom:
            _count_seldom(found, at, part, often, seldom, common, v)
    _fill_common(found, alone, at, seldom, common)
    for low, high in pairwise(at):  # no row has two codes of a table
        found[low:high, low:high] = np.diag(alone[low:high])
    return found


def _count_often(found: Floats, at: Places, codes: Sequence[Codes], often: Sequence[int], values: Floats) -> None:
    """Count by pairs of tables that say many things."""
    wide = {place: codes[place].astype(np.intp) for place in often}
    for i, j in combinations(often, 2):
        first, second = slice(at[i], at[i + 1]), slice(at[j], at[j + 1])
        height, width = at[i + 1] - at[i], at[j + 1] - at[j]
        cell = np.bincount(wide[i] * width + wide[j], values, height * width).reshape(height, width)
        found[first, second] += cell
        found[second, first] += cell.T


def _count_seldom(
    found: Floats,
    at: Places,
    codes: Sequence[Codes],
    often: Sequence[int],
    seldom: Sequence[int],
    common: Places,
    values: Floats,
) -> None:
    """Count what is not common in a table, by pairs with the same of others and with tables that say many things."""
    whose, column_of = _columns(at, seldom)
    said = [column_of[at[place] + codes[place]] for place in seldom]
    other = [np.flatnonzero(column != column_of[usual]) for column, usual in zip(said, common, strict=True)]
    ones = _ones(other, [column[rows] for column, rows in zip(said, other, strict=True)], len(values), len(whose))
    weighed = ones.multiply(values[:, None]).tocsr()
    found[np.ix_(whose, whose)] += (ones.T @ weighed).toarray()
    if often:
        theirs, column_of = _columns(at, often)
        every = [np.arange(len(values))] * len(often)
        many = _ones(every, [column_of[at[place] + codes[place]] for place in often], len(values), len(theirs))
        cell = (many.T @ weighed).toarray()
        found[np.ix_(theirs, whose)] += cell
        found[np.ix_(whose, theirs)] += cell.T


def _columns(at: Places, tables: Sequence[int]) -> tuple[Places, Places]:
    """Return the columns of some tables, and of each column its place among them."""
    whose = np.concatenate([np.arange(at[table], at[table + 1]) for table in tables])
    place = np.zeros(at[-1], np.int64)
    place[whose] = np.arange(len(whose))
    return whose, place


def _ones(rows: Sequence[Places], columns: Sequence[Places], height: int, width: int) -> Any:
    """Return a sparse matrix with ones in the places given."""
    from scipy.sparse import coo_array

    row, column = np.concatenate(rows), np.concatenate(columns)
    return coo_array((np.ones(len(row)), (row, column)), shape=(height, width)).tocsr()


def _fill_common(found: Floats, alone: Floats, at: Places, seldom: Sequence[int], common: Places) -> None:
    """Fill in what is common: of each column, what is left when all other codes of the table are taken away."""
    rest = np.setdiff1d(np.arange(len(alone)), common)
    tables = [slice(at[table], at[table + 1]) for table in seldom]
    for usual, table in zip(common, tables, strict=True):
        found[rest, usual] = alone[rest] - found[rest, table].sum(1)
        found[usual, rest] = found[rest, usual]
    both = [alone[common] - found[common, table].sum(1) for table in tables]
    if both:
        found[np.ix_(common, common)] = np.stack(both, axis=1)
