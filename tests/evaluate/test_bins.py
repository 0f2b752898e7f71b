from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlight.evaluate.bins import MISSING, OTHER, bins_of, named

NUMBERS = st.lists(st.none() | st.integers(-3, 3).map(float) | st.floats(-1e6, 1e6), max_size=80)
TEXTS = st.lists(st.none() | st.sampled_from("abcdefghij"), max_size=80)


@given(NUMBERS, NUMBERS)
def test_each_number_has_one_bin_and_order_is_kept(sample: list[float | None], other: list[float | None]) -> None:
    bins = bins_of(pa.array(sample, pa.float64()))
    place = bins.place(pa.array(other, pa.float64()))
    assert len(place) == len(other)
    known = sorted((value, int(bin_)) for value, bin_ in zip(other, place, strict=True) if value is not None)
    assert [bin_ for _, bin_ in known] == sorted(bin_ for _, bin_ in known)
    for value, bin_ in zip(other, place, strict=True):
        assert 0 <= bin_ < len(bins.labels)
        assert (bins.labels[bin_] == MISSING) == (value is None)
    # What the bins were made from is never outside them.
    inside = {bins.labels[bin_] for bin_ in bins.place(pa.array(sample, pa.float64()))}
    assert not any(label.startswith(("below", "above")) for label in inside)


def test_deciles_are_of_equal_size() -> None:
    column = pa.array(np.random.default_rng(0).permutation(1000).astype(float))
    assert bins_of(column).counts(column).tolist() == [0, *[100] * 10, 0, 0]


def test_a_value_that_most_have_is_a_bin_of_its_own() -> None:
    column = pa.chunked_array([[0] * 950, list(range(1, 51))])
    bins = bins_of(column)
    assert bins.labels == ("below 0", "0", "1 to 50", "above 50", MISSING)
    assert bins.counts(column).tolist() == [0, 950, 50, 0, 0]


def test_few_values_are_a_bin_each_and_new_ones_fall_outside() -> None:
    bins = bins_of(pa.array([5, 5, 5]))
    assert bins.labels == ("below 5", "5", "above 5", MISSING)
    assert bins.place(pa.array([4.9, 5.0, 5.1, None])).tolist() == [0, 1, 2, 3]


@given(TEXTS, TEXTS)
def test_categories(sample: list[str | None], other: list[str | None]) -> None:
    bins = bins_of(pa.array(sample, pa.string()))
    found = [bins.labels[bin_] for bin_ in bins.place(pa.array(other, pa.string()))]
    assert found == [MISSING if value is None else value if value in sample else OTHER for value in other]


def test_rare_and_many_categories_are_other() -> None:
    sample = ["a"] * 500 + ["b"] * 495 + ["c"] * 5
    assert bins_of(pa.array(sample)).labels == ("a", "b", OTHER, MISSING)
    many = [f"c{i:02}" for i in range(30) for _ in range(10)]
    assert len(bins_of(pa.array(many)).labels) == 22


@pytest.mark.parametrize("column", [pa.array([True, False, None]), pa.array(["x"]).dictionary_encode(), pa.nulls(2)])
def test_other_types(column: pa.Array) -> None:
    assert bins_of(column).counts(column).sum() == len(column)


def test_names_for_what_has_none() -> None:
    assert named(np.array([None, "a"], object)).tolist() == [MISSING, "a"]
    assert named(np.empty(0, object)).tolist() == []
