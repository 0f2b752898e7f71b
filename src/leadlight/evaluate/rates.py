"""Rates with their intervals: wins of a grade, a bin, a group."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from leadlight.evaluate.arrays import Bools, Texts, same_length
from leadlight.spec.words import USUAL, Words, without_words


@dataclass(frozen=True, slots=True)
class Rate:
    """How many of some leads were won, with the 95 % interval of the rate (Wilson 1927)."""

    name: str
    n: int
    won: int
    low: float
    high: float
    words: Words = field(default=USUAL, repr=False, compare=False)

    @property
    def rate(self) -> float | None:
        """The share that was won; None of nobody."""
        return self.won / self.n if self.n else None

    def as_dict(self) -> dict[str, Any]:
        """Return the rate as plain JSON values."""
        return {**without_words(self), "rate": self.rate}

    def __str__(self) -> str:
        if not self.n:
            return f"{self.name}: nobody"
        count = f"{self.won:,} of {self.n:,} {self.words.won}"
        return f"{self.name}: {count}, {self.rate:.1%} ({self.low:.1%} to {self.high:.1%})"


def wilson(successes: float, n: float, z: float = 1.959963984540054) -> tuple[float, float]:
    """Return the interval of a rate (Wilson 1927), at 95 % unless told.

    >>> tuple(round(x, 3) for x in wilson(5, 10))
    (0.237, 0.763)
    """
    if n == 0:
        return 0.0, 1.0
    rate, square = successes / n, z * z
    centre = (rate + square / (2 * n)) / (1 + square / n)
    half = z / (1 + square / n) * math.sqrt(rate * (1 - rate) / n + square / (4 * n * n))
    return max(centre - half, 0.0), min(centre + half, 1.0)


def conversions(
    grade: Texts, won: Bools, *, labels: Sequence[str] | None = None, words: Words = USUAL
) -> tuple[Rate, ...]:
    """Return the rate of wins of each grade, in the order of `labels` (alphabetical unless told).

    >>> print(*conversions(np.array(["B", "A", "A"], object), np.array([False, True, False])), sep="\\n")
    A: 1 of 2 won, 50.0% (9.5% to 90.5%)
    B: 0 of 1 won, 0.0% (0.0% to 79.3%)
    """
    same_length(grade=grade, won=won)
    names, place = np.unique(grade.astype(str), return_inverse=True)
    n = np.bincount(place, minlength=len(names))
    wins = np.bincount(place, weights=won, minlength=len(names))
    found = {str(name): (int(n[i]), int(wins[i])) for i, name in enumerate(names)}
    order = list(found) if labels is None else labels
    counted = [(name, *found.get(name, (0, 0))) for name in order]
    return tuple(Rate(name, count, won_, *wilson(won_, count), words) for name, count, won_ in counted)
