"""Bounds of sizes hold for the doubles they bound."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from leadlight.expr.magnitude import Size, size_of

NUMBERS = st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False).filter(
    lambda x: 1e-100 < abs(x) < 1e100
)


def holds(size: Size, value: float) -> bool:
    return value == 0 or size.low - 1e-9 <= math.log10(abs(value)) <= size.high + 1e-9


@given(NUMBERS, NUMBERS)
def test_results_are_within_their_bounds(a, b):
    assert holds(size_of(a).plus(size_of(b)), a + b)
    assert holds(size_of(a).plus(size_of(b)), a - b)
    assert holds(size_of(a).times(size_of(b)), a * b)
    assert holds(size_of(a).over(size_of(b)), a / b)
    assert holds(size_of(a) | size_of(b), a)


def test_what_fits_a_double():
    assert size_of(1e300).fits
    assert not size_of(1e300).times(size_of(10)).fits
    assert not size_of(1e-300).over(size_of(10)).fits
    assert size_of(0) == Size(0.0, 0.0)
