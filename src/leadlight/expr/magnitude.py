"""How large and how small the numbers of an expression can get.

PostgreSQL raises an error where a result is too large or too small for a double, DuckDB goes on with infinity or zero.
So bounds of each value's size are known before any SQL is made, and where a result could leave the range of doubles
its operands are held to sizes from 1e-100 to 1e100: larger ones are missing, smaller ones are zero.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

LIMIT = 300.0
"""The decimal exponent no result may pass, a little inside what a double can hold."""
HELD = 100.0
"""The exponent that operands are held to."""
CANCELLATION = 16.0
"""How many digits a difference of two doubles can lose."""


@dataclass(frozen=True, slots=True)
class Size:
    """The decimal exponents between which the size of a number lies, unless it is zero."""

    low: float
    high: float

    def __or__(self, other: Size) -> Size:
        return Size(min(self.low, other.low), max(self.high, other.high))

    def plus(self, other: Size) -> Size:
        """Return the size of a sum or difference."""
        return Size(min(self.low, other.low) - CANCELLATION, max(self.high, other.high) + 0.31)

    def times(self, other: Size) -> Size:
        """Return the size of a product."""
        return Size(self.low + other.low, self.high + other.high)

    def over(self, other: Size) -> Size:
        """Return the size of a quotient."""
        return Size(self.low - other.high, self.high - other.low)

    @property
    def fits(self) -> bool:
        """Whether a double can hold it without becoming infinite or vanishing."""
        return self.low >= -LIMIT and self.high <= LIMIT


ANYTHING = Size(-324.0, 309.0)
"""What a column may hold."""
COUNT = Size(0.0, 10.0)
"""Lengths and parts of dates."""
DAYS = Size(-11.0, 8.0)
LOGARITHM = Size(-16.0, 3.0)
POWER = Size(-HELD, HELD)
EXPONENTIAL = Size(-LIMIT, LIMIT)
CAST = Size(-200.0, 200.0)
"""What try_cast lets through."""


def size_of(value: float) -> Size:
    """Return the size of a number written out.

    >>> size_of(0.01)
    Size(low=-2.0, high=-2.0)
    """
    exponent = math.log10(abs(value)) if value else 0.0
    return Size(exponent, exponent)
