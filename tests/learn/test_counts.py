from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlight.learn import counts
from leadlight.learn.counts import cross_counts


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[np.ndarray], list[int], np.ndarray]:
    """Draw the codes of some tables, some of which say the same of most rows, and a value for each row."""
    rows, sizes = draw(st.integers(0, 40)), draw(st.lists(st.integers(1, 5), min_size=1, max_size=6))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    codes = []
    for size in sizes:
        column = random.integers(0, size, rows)
        if draw(st.booleans()):
            column[random.random(rows) < 0.9] = draw(st.integers(0, size - 1))
        codes.append(column.astype(np.uint8))
    return codes, sizes, random.random(rows)


@given(tables())
def test_they_are_those_of_columns_of_ones_and_zeros(drawn: tuple[list[np.ndarray], list[int], np.ndarray]) -> None:
    codes, sizes, values = drawn
    columns = np.concatenate([np.eye(size)[column] for size, column in zip(sizes, codes, strict=True)], axis=1)
    assert cross_counts(codes, sizes, values) == pytest.approx(columns.T @ (values[:, None] * columns), abs=1e-9)


def test_rows_are_counted_part_by_part(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    often, seldom = random.integers(0, 4, 1000).astype(np.uint8), (random.random(1000) < 0.1).astype(np.uint8)
    whole = cross_counts([often, seldom, seldom[::-1]], [4, 2, 2], values := random.random(1000))
    monkeypatch.setattr(counts, "CHUNK", 64)
    assert cross_counts([often, seldom, seldom[::-1]], [4, 2, 2], values) == pytest.approx(whole)
