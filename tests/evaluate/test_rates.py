from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from leadlight.evaluate.rates import Rate, conversions, wilson


@pytest.mark.parametrize(
    ("won", "n", "low", "high"),
    [(0, 0, 0, 1), (0, 10, 0, 0.2775), (10, 10, 0.7225, 1), (1, 2, 0.0945, 0.9055), (81, 263, 0.2553, 0.3662)],
)
def test_wilson_against_published_values(won: int, n: int, low: float, high: float) -> None:
    assert wilson(won, n) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


@given(n=st.integers(1, 100_000), share=st.floats(0, 1))
def test_wilson_against_scipy(n: int, share: float) -> None:
    won = round(n * share)
    low, high = binomtest(won, n).proportion_ci(method="wilson")
    assert wilson(won, n) == (pytest.approx(low, abs=1e-9), pytest.approx(high, abs=1e-9))


def test_wins_by_grade_in_the_order_of_the_labels() -> None:
    grade = np.array(["B", "A", "B", "A", "C"], object)
    found = conversions(grade, np.array([True, True, False, True, False]), labels=["A", "B", "D"])
    assert found == (Rate("A", 2, 2, *wilson(2, 2)), Rate("B", 2, 1, *wilson(1, 2)), Rate("D", 0, 0, 0.0, 1.0))
    assert [row.rate for row in found] == [1.0, 0.5, None]
    assert str(found[2]) == "D: nobody"
    assert json.loads(json.dumps(found[1].as_dict())) == found[1].as_dict()


def test_nobody_has_a_grade() -> None:
    assert conversions(np.empty(0, object), np.empty(0, bool)) == ()
