"""Whether probabilities are true: how far wins came as often as was said."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from leadlight.evaluate.arrays import Bools, Floats, Ints, no_gaps, same_length
from leadlight.evaluate.bootstrap import Leads, Metric, leads_of, resamples
from leadlight.evaluate.rates import wilson
from leadlight.spec.words import USUAL, Words, without_words

BINS = 10
"""Rows are put into so many bins of about equal size by probability; equal probabilities stay together."""
LEVEL_LIMITS = (0.8, 1.25)
"""Observed over expected wins of a card that counts as calibrated."""
SLOPE_LIMITS = (0.8, 1.25)
"""Its slope: below 1 probabilities are too extreme, above 1 too timid (Cox 1958)."""
ECE_LIMIT = 0.05
"""Its expected calibration error, beyond what chance alone would show."""
Z = 1.959963984540054
SMALLEST = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """Rows of about the same probability: what was said, and what came, with the interval of the rate (Wilson 1927).

    The interval takes as many trials as the bin has leads, since rows of one lead go together.
    """

    n: int
    won: int
    probability: float
    """The mean of what was said."""
    rate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """How true probabilities are.

    `level` is observed over expected wins (1 is perfect), `slope` that of the outcome's log-odds on those said (Cox
    1958; 1 is perfect), both with intervals that keep rows of one lead together. `ece` is the mean distance
    between said and come over the bins (Naeini et al. 2015, bins of equal size), `ece_by_chance` what true
    probabilities would show in 19 of 20 cases on so few rows. `z` is Spiegelhalter's (1986), standard normal where
    probabilities are true and rows independent, `p_value` two-sided.
    """

    n: int
    won: int
    expected: float
    level: Metric | None
    slope: Metric | None
    ece: float
    ece_by_chance: float
    z: float | None
    p_value: float | None
    bins: tuple[CalibrationBin, ...]
    words: Words = field(default=USUAL, repr=False, compare=False)

    @property
    def calibrated(self) -> bool:
        """Whether level, slope and error are within the limits, as far as these rows can tell.

        A figure with an interval is outside only when the whole interval is.
        """
        return bool(self.n) and not self.faults

    @property
    def faults(self) -> list[str]:
        """What is outside the limits, in sentences."""
        found = []
        if self.level is not None and _outside(self.level, LEVEL_LIMITS):
            found.append(f"{self.won:,} {self.words.wins} came where {self.expected:,.0f} were expected")
        if self.slope is not None and _outside(self.slope, SLOPE_LIMITS):
            way = "extreme" if self.slope.value < 1 else "timid"
            found.append(f"the probabilities are too {way} (slope {self.slope})")
        if self.ece - self.ece_by_chance > ECE_LIMIT:
            chance = f"chance explains {self.ece_by_chance:.3f}"
            found.append(f"said and come lie {self.ece:.3f} apart in the mean, {chance}")
        return found

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain JSON values."""
        return {**without_words(self), "bins": [asdict(item) for item in self.bins], "calibrated": self.calibrated}

    def __str__(self) -> str:
        if not self.n:
            return "nothing to judge the probabilities by"
        if self.faults:
            return "not calibrated: " + "; ".join(self.faults)
        came = f"{self.won:,} {self.words.wins} came where {self.expected:,.0f} were expected"
        return f"calibrated: {came}, slope {self.slope or '–'}"


def _outside(metric: Metric, limits: tuple[float, float]) -> bool:
    return metric.high < limits[0] or metric.low > limits[1]


def calibration(
    probability: Floats, won: Bools, *, lead: Ints | None = None, seed: int = 0, words: Words = USUAL
) -> Calibration:
    """Hold probabilities of rows against what came of them. Raises ValueError where one is NaN or not in 0 to 1.

    >>> said = np.repeat([0.1, 0.4], 500)
    >>> print(calibration(said, np.arange(1000) % 10 < np.repeat([1, 4], 500)))
    calibrated: 250 wins came where 250 were expected, slope 1.000 (0.809 to 1.191)
    """
    rows = same_length(probability=probability, won=won, lead=lead)
    said = as_probability(probability)
    leads = leads_of(lead, rows)
    if not rows:
        return Calibration(0, 0, 0.0, None, None, 0.0, 0.0, None, None, (), words)
    came = won.astype(np.float64)
    place = bins_of(said)
    z = _spiegelhalter(said, came)
    return Calibration(
        n=rows,
        won=int(won.sum()),
        expected=float(said.sum()),
        level=_level(said, came, leads),
        slope=_slope(said, came, leads),
        ece=float(np.abs(np.bincount(place, weights=came - said)).sum() / rows),
        ece_by_chance=_error_by_chance(said, came, place, leads, seed=seed),
        z=z,
        p_value=None if z is None else math.erfc(abs(z) / math.sqrt(2)),
        bins=_bins(said, came, place, leads),
        words=words,
    )


def as_probability(probability: Floats) -> Floats:
    """Return probabilities as double; raises ValueError where one is NaN or not in 0 to 1."""
    said = no_gaps("probability", probability)
    if len(said) and not (said.min() >= 0 and said.max() <= 1):
        raise ValueError(f"probabilities from {said.min()} to {said.max()}, not within 0 to 1")
    return said


def bins_of(probability: Floats, *, bins: int = BINS) -> Ints:
    """Return the bin of each row, from 0, none empty; equal probabilities are in one bin.

    >>> bins_of(np.array([0.1, 0.1, 0.1, 0.9]), bins=2)
    array([0, 0, 0, 1])
    """
    if not len(probability):
        return np.empty(0, np.int64)
    _, value, n = np.unique(probability, return_inverse=True, return_counts=True)
    middle = (np.cumsum(n) - n / 2) / len(probability)  # of each probability's place among all
    return np.unique((bins * middle).astype(np.int64)[value], return_inverse=True)[1].astype(np.int64)


def _level(said: Floats, came: Floats, leads: Leads) -> Metric | None:
    """Return observed over expected wins; the interval from the leads' sums, each a draw of its own."""
    expected = float(said.sum())
    if expected <= 0:
        return None
    value = float(came.sum()) / expected
    off = np.bincount(leads.code, weights=came - value * said)
    half = Z * math.sqrt(float(off @ off)) / expected
    return Metric(value, max(value - half, 0.0), value + half)


def _slope(said: Floats, came: Floats, leads: Leads) -> Metric | None:
    """Return the slope of a logistic regression of the outcome on the log-odds said, errors clustered by lead.

    Newton's method; None where there is no slope: one class or one probability only, or the two sides do not overlap.
    """
    clipped = np.clip(said, SMALLEST, 1 - SMALLEST)
    odds = np.log(clipped / (1 - clipped))
    lost, won = odds[came == 0], odds[came == 1]
    if not len(won) or not len(lost) or won.min() >= lost.max() or won.max() <= lost.min() or np.ptp(odds) < 1e-9:
        return None
    x = np.column_stack([np.ones_like(odds), odds])
    fit = _newton(x, came)
    if fit is None:
        return None
    weights, inverse = fit
    residual = came - _logistic(x @ weights)
    score = np.column_stack([np.bincount(leads.code, weights=residual * x[:, i]) for i in range(2)])
    spread = inverse @ (score.T @ score) @ inverse
    half = Z * math.sqrt(float(spread[1, 1]))
    return Metric(float(weights[1]), float(weights[1] - half), float(weights[1] + half))


def _newton(x: Floats, came: Floats) -> tuple[Floats, Floats] | None:
    """Return the weights of a logistic regression and the inverse of its information; None where it does not settle."""
    weights = np.array([0.0, 1.0])
    loss = _loss(x, came, weights)
    for _ in range(100):
        p = _logistic(x @ weights)
        information = (x * (p * (1 - p))[:, None]).T @ x
        if not np.isfinite(information).all() or np.linalg.cond(information) > 1e14:
            return None
        inverse: Floats = np.linalg.inv(information).astype(np.float64)
        step = inverse @ (x.T @ (came - p))
        while (after := _loss(x, came, weights + step)) > loss + 1e-12 * abs(loss) and np.abs(step).max() > 1e-12:
            step = step / 2
        weights, loss = weights + step, after
        if np.abs(step).max() < 1e-9:
            return weights, inverse
    return None


def _logistic(x: Floats) -> Floats:
    result: Floats = 0.5 * (1 + np.tanh(0.5 * x))
    return result


def _loss(x: Floats, came: Floats, weights: Floats) -> float:
    odds = x @ weights
    return float((np.logaddexp(0.0, odds) - came * odds).sum())


def _spiegelhalter(said: Floats, came: Floats) -> float | None:
    """Return Spiegelhalter's z (1986): the Brier score against what true probabilities would give."""
    spread = float(((1 - 2 * said) ** 2 * said * (1 - said)).sum())
    return float(((came - said) * (1 - 2 * said)).sum()) / math.sqrt(spread) if spread > 0 else None


def _error_by_chance(said: Floats, came: Floats, place: Ints, leads: Leads, *, seed: int) -> float:
    """Return the 95th percentile of the calibration error that noise alone makes.

    The noise of the bins' sums is that of drawing leads again, around what was seen.
    """
    count = int(place.max()) + 1
    n = np.bincount(place, minlength=count)
    centred = came - said - (np.bincount(place, weights=came - said, minlength=count) / n)[place]
    order = np.argsort(place, kind="stable")
    starts = np.concatenate([[0], np.cumsum(n)[:-1]])
    lead, centred = leads.code[order], centred[order]
    sums = [
        np.add.reduceat(np.take(counts, lead, axis=1) * centred, starts, axis=1)
        for counts in resamples(leads, seed=seed, repeats=200)
    ]
    return float(np.quantile(np.abs(np.concatenate(sums)).sum(axis=1) / len(said), 0.95))


def _bins(said: Floats, came: Floats, place: Ints, leads: Leads) -> tuple[CalibrationBin, ...]:
    n = np.bincount(place)
    won = np.bincount(place, weights=came)
    mean = np.bincount(place, weights=said) / n
    trials = np.bincount(np.unique(place * leads.count + leads.code) // leads.count)
    return tuple(
        CalibrationBin(
            int(n[i]), int(won[i]), float(mean[i]), float(won[i] / n[i]),
            *wilson(float(won[i] / n[i] * trials[i]), float(trials[i])),
        )
        for i in range(len(n))
    )  # fmt: skip
