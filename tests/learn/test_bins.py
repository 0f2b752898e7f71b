from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlight.learn.bins import bin_features, codes_of, number_cuts, short_between
from leadlight.learn.tables import CategoryAxis

FINITE = st.floats(-1e12, 1e12, allow_nan=False)


@given(st.lists(st.tuples(FINITE, FINITE).filter(lambda pair: pair[0] < pair[1]), min_size=1))
def test_a_cut_lies_between_its_values(pairs: list[tuple[float, float]]) -> None:
    below, above = (np.array(side) for side in zip(*pairs, strict=True))
    cuts = short_between(below, above)
    assert ((below < cuts) & (cuts <= above)).all()


@given(st.lists(FINITE, min_size=2, max_size=200), st.integers(2, 20))
def test_cuts_rise_and_no_band_is_empty(values: list[float], most: int) -> None:
    cuts = number_cuts(np.array(values), most=most)
    assert len(cuts) < most or len(cuts) < len(set(values))
    counts = np.bincount(np.searchsorted(cuts, values, side="right"), minlength=len(cuts) + 1)
    assert (counts > 0).all()
    assert list(cuts) == sorted(set(cuts))


def test_rare_values_are_the_others_and_so_are_those_never_seen() -> None:
    rows = pa.table({"city": ["Rome"] * 20 + ["Oslo"] * 20 + ["Bonn"] * 3 + [None]})
    binned = bin_features(rows, rarest=5)
    assert binned.axes == (CategoryAxis("city", (("Oslo",), ("Rome",))),)
    (codes,) = codes_of(binned.axes, pa.table({"city": ["Rome", "Bonn", "Paris", None]}))
    assert codes.tolist() == [2, 3, 3, 0]


def test_a_number_of_one_value_tells_whether_it_is_missing() -> None:
    binned = bin_features(pa.table({"x": [7.0, None, 7.0]}))
    assert binned.codes[0].tolist() == [1, 0, 1]


@pytest.mark.parametrize("values", [[True, False, None], [True, True, False]])
def test_bools_are_two_values(values: list[bool | None]) -> None:
    binned = bin_features(pa.table({"member": values}))
    assert binned.codes[0].tolist() == [{None: 0, False: 1, True: 2}[value] for value in values]


def test_a_thousand_values_fit_in_a_byte() -> None:
    rows = pa.table({"city": np.repeat(np.arange(1000).astype(str), 20)})
    assert bin_features(rows).axes[0].size <= 256
