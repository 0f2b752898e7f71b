from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from leadlight.learn.merge import USUAL, merge_axis, neighbours
from leadlight.learn.tables import CategoryAxis, NumberAxis


@given(st.lists(st.floats(-3, 3), min_size=1, max_size=40), st.integers(1, 8))
def test_never_more_than_asked_and_only_neighbours(values: list[float], most: int) -> None:
    found = neighbours(np.array(values), np.ones(len(values)), most=most)
    assert found[0] == 0
    assert set(np.diff(found)) <= {0, 1}
    assert found[-1] < most


def test_more_than_the_usual_number_only_where_each_is_worth_it() -> None:
    steps = np.arange(20.0)
    assert neighbours(steps, np.full(20, 100.0), most=12)[-1] + 1 == 12
    assert neighbours(steps, np.full(20, 1e-2), most=12)[-1] + 1 == USUAL


def test_bands_keep_the_cuts_where_it_steps() -> None:
    merged = merge_axis(NumberAxis("x", (1.0, 2.0, 3.0)), np.array([9.0, 0, 0, 1, 1]), np.ones(5) * 50, most=8)
    assert merged.axis == NumberAxis("x", (2.0,))
    assert merged.place_of.tolist() == [0, 1, 1, 2, 2]


def test_values_alike_are_one_group_while_missing_and_other_stand_alone() -> None:
    axis = CategoryAxis("city", (("Rome",), ("Oslo",), ("Bonn",)))
    merged = merge_axis(axis, np.array([0.0, 1.0, -1.0, 1.0, 1.0]), np.ones(5) * 50, most=8)
    assert merged.axis == CategoryAxis("city", (("Rome", "Bonn"), ("Oslo",)))
    assert merged.place_of.tolist() == [0, 1, 2, 1, 3]


def test_bands_of_a_rising_table_rise() -> None:
    values = np.concatenate([[5.0], np.sort(np.random.default_rng(0).normal(size=40))])
    merged = merge_axis(NumberAxis("x", tuple(map(float, range(39)))), values, np.ones(41), most=6)
    means = [values[merged.place_of == k].mean() for k in range(1, merged.axis.size)]
    assert means == sorted(means)
    assert merged.axis.size <= 8
