"""How many times as often: ratios of rates, with their intervals."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import numpy as np

from leadlight.evaluate.arrays import Bools, Floats

Z = 1.959963984540054
"""Standard errors on either side of a 95 % interval."""
HALF = 0.5
"""Added to counts, so that none is zero."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio and its 95 % interval; 1 is no difference.

    >>> print(Ratio.of_log(math.log(3.4), 0.13))
    3.4 × (2.6 to 4.4)
    """

    value: float
    low: float
    high: float

    @classmethod
    def of_log(cls, log: float, error: float) -> Ratio:
        """Return the ratio with this logarithm, whose standard error is `error`."""
        return cls(math.exp(log), math.exp(log - Z * error), math.exp(log + Z * error))

    @property
    def log(self) -> float:
        """The natural logarithm of the value."""
        return math.log(self.value)

    @property
    def certain(self) -> float:
        """How far from 1 it surely is: the logarithm of the interval's nearer end; 0 where 1 lies inside."""
        return max(math.log(self.low), -math.log(self.high), 0.0)

    @property
    def chance(self) -> float:
        """How likely a ratio so far from 1 is by chance alone (its p-value, by the normal approximation)."""
        error = (math.log(self.high) - math.log(self.low)) / (2 * Z)
        return math.erfc(abs(self.log) / error / math.sqrt(2)) if error > 0 else 0.0

    def as_dict(self) -> dict[str, float]:
        """Return the ratio as plain JSON values."""
        return asdict(self)

    def __str__(self) -> str:
        return f"{_short(self.value)} × ({_short(self.low)} to {_short(self.high)})"


FALSE_SHARE = 0.05
"""The share of many findings named that may be chance (Benjamini and Hochberg 1995)."""


def beyond_chance(p: Floats) -> Bools:
    """Return which of many findings are more than chance, from their p-values (Benjamini and Hochberg 1995).

    >>> beyond_chance(np.array([0.001, 0.04, 0.9])).tolist()
    [True, False, False]
    """
    ranked = np.sort(p)
    passing = np.flatnonzero(ranked <= FALSE_SHARE * np.arange(1, len(p) + 1) / max(len(p), 1))
    limit = ranked[passing[-1]] if len(passing) else -1.0
    found: Bools = p <= limit
    return found


def log_rate_ratio(won: Floats, n: Floats, other_won: Floats, other_n: Floats) -> tuple[Floats, Floats]:
    """Return log((won / n) / (other_won / other_n)) and its standard error.

    The logarithm of a risk ratio after Katz et al. (1978), with a half added to the won and a half to the others on
    either side (Haldane 1956), so that none and all have an interval too. Where nobody is on one side the error is
    large, and the interval says that nothing is known.

    >>> log, error = log_rate_ratio(*(np.array([x]) for x in (30.0, 100.0, 10.0, 100.0)))
    >>> round(float(np.exp(log[0])), 2), round(float(error[0]), 2)
    (2.9, 0.33)
    """
    a, b = won + HALF, other_won + HALF
    log = np.log(a / (n + 1)) - np.log(b / (other_n + 1))
    variance = 1 / a - 1 / (n + 1) + 1 / b - 1 / (other_n + 1)
    return log, np.sqrt(variance)


def log_lift(won: Floats, n: Floats, all_won: float, all_n: float) -> tuple[Floats, Floats]:
    """Return the log of a level's share among the won over its share among all, and its standard error.

    That is also its rate of wins over everybody's, (won / n) / (all_won / all_n). Everybody's rate is s p + (1 - s) r
    with s the level's share, p its rate and r that of the rest; so by the delta method the error is (1 - q) times that
    of log(p / r), where q = s p / (s p + (1 - s) r) is the level's share among the won.

    >>> log, error = log_lift(np.array([30.0]), np.array([100.0]), 40.0, 200.0)
    >>> round(float(np.exp(log[0])), 2), round(float(error[0]), 3)
    (1.49, 0.084)
    """
    log, error = log_rate_ratio(won, n, all_won - won, all_n - n)
    times, share = np.exp(log), n / all_n
    among_won = share * times / (share * times + 1 - share)
    found: Floats = log - np.log(share * times + 1 - share)
    return found, (1 - among_won) * error


def shrunken(log: Floats, error: Floats) -> tuple[Floats, Floats]:
    """Draw logs of ratios towards 0 (no difference) by what chance alone would spread them; return logs and errors.

    Empirical Bayes with a normal prior around 0 whose variance is what the estimates spread beyond their own errors
    (DerSimonian and Laird 1986, with the mean known to be 0). Few and noisy counts are drawn in most.

    >>> log, error = shrunken(np.array([0.8, 0.8, 0.0]), np.array([0.1, 1.0, 0.1]))
    >>> [round(float(x), 2) for x in log]
    [0.77, 0.19, 0.0]
    """
    if not len(log):
        return log, error
    weight = error**-2.0
    spread = max((float(np.sum(weight * log**2)) - len(log)) / float(np.sum(weight)), 0.0)
    kept = spread / (spread + error**2)
    return kept * log, np.sqrt(kept) * error


def _short(value: float) -> str:
    return f"{value:.1f}" if 0.95 <= value < 100 else f"{value:.2f}" if value < 0.95 else f"{value:,.0f}"
