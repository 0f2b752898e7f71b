"""The level of probabilities, corrected by the wins that have come since.

Probabilities are learned from rows whose horizon has passed, so the newest of them is a horizon old. Of the rows since,
part of the wins have come already: as many as were to be expected by now, or more, or fewer. This is the chain-ladder
method of insurers (Mack 1993), which completes young claims by how fast old ones came in: of rows that old, a share
F(age) of the wins within the horizon has come. The ratio of wins that came to wins expected moves the log-odds, as far
as there is evidence.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadlight.learn.calibrate import Calibration

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

USUAL_SPREAD = 0.3
"""How far the level may have moved, in log-odds (standard deviation), where earlier periods do not tell."""
LEAST_SPREAD = 0.1
FEWEST_EXPECTED = 5.0
"""Fewer leads expected to be won by now say nothing."""


@dataclass(frozen=True, slots=True)
class Young:
    """Rows whose horizon has not passed: whose, the age in days, the probability said, and whether won by now."""

    lead: Ints
    age: Floats
    probability: Floats = field(repr=False)
    won: Bools = field(repr=False)


@dataclass(frozen=True, slots=True)
class Level:
    """How many leads were expected to be won by now and how many are, and what that adds to log-odds."""

    rows: int
    expected: float
    came: int
    shift: float

    def as_dict(self) -> dict[str, Any]:
        """Return the facts as plain JSON values, as a scorecard's file has them."""
        return {
            "rows": self.rows, "expected": round(self.expected, 1), "came": self.came, "shift": round(self.shift, 3),
        }  # fmt: skip

    def applied(self, calibration: Calibration) -> Calibration:
        """Return probabilities at this level; the interval keeps its width in log-odds."""
        return calibration.moved(self.shift)


def level_since(young: Young, delays: Floats, *, spread: float | None = None) -> Level | None:
    """Compare the wins that have come of young rows with those to be expected by now.

    `delays` are the days from a settled row's moment to its win, of the rows that were won; `spread` is how far the
    level moves from period to period. None where too little can be expected yet.

    >>> young = Young(np.arange(1000), np.full(1000, 30.0), np.full(1000, 0.2), np.arange(1000) < 50)
    >>> found = level_since(young, np.arange(1.0, 91.0))
    >>> round(found.expected), found.came, found.shift < 0
    (67, 50, True)
    """
    if not len(delays) or not len(young.lead):
        return None
    by_now = np.searchsorted(np.sort(delays), young.age, side="right") / len(delays)
    share = _leads_a_row(young)
    expected, came = float(young.probability @ by_now) * share, len(np.unique(young.lead[young.won]))
    if expected < FEWEST_EXPECTED:
        return None
    prior = max(USUAL_SPREAD if spread is None else spread, LEAST_SPREAD)
    trust = expected / (expected + prior**-2)
    return Level(len(young.lead), expected, came, trust * float(np.log((came + 0.5) / (expected + 0.5))))


def _leads_a_row(young: Young) -> float:
    """Return for how many leads a won row counts: several rows of one lead share its win, or would."""
    shared = young.lead[young.won] if young.won.any() else young.lead
    return len(np.unique(shared)) / len(shared)
