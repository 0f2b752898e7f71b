"""Chance, by drawing leads again and again: rows of one lead are drawn together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from leadlight.evaluate.arrays import Floats, Ints
from leadlight.evaluate.rates import wilson

REPEATS = (100, 1000)
"""The fewest and the most repeats; between them as many as `WORK` allows."""
WORK = 20_000_000
"""How many rows are drawn in all."""
BLOCK = 100_000
"""How many rows are drawn at once: what fits into the processor's cache."""
LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure and its 95 % interval."""

    value: float
    low: float
    high: float

    def as_dict(self) -> dict[str, float]:
        """Return the figure as plain JSON values."""
        return {"value": self.value, "low": self.low, "high": self.high}

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


@dataclass(frozen=True, slots=True)
class Leads:
    """Which rows belong to one lead: `code` numbers the leads of the rows from 0; there are `count` leads."""

    code: Ints
    count: int


def leads_of(lead: Ints | None, rows: int) -> Leads:
    """Number the leads of the rows; without `lead` every row is a lead of its own.

    >>> leads_of(np.array([7, 3, 7]), 3)
    Leads(code=array([1, 0, 1]), count=2)
    """
    if lead is None:
        return Leads(np.arange(rows, dtype=np.int64), rows)
    names, code = np.unique(lead, return_inverse=True)
    return Leads(code.astype(np.int64), len(names))


def resamples(leads: Leads, *, seed: int, repeats: int | None = None) -> Iterator[Floats]:
    """Yield blocks (repeats in the block × leads) of how often each lead was drawn, with replacement (Efron 1979).

    The same seed gives the same draws, so figures of several systems on the same rows can be paired.

    >>> block = next(resamples(Leads(np.array([0, 1, 1]), 2), seed=1))
    >>> block.shape, set(block.sum(axis=1).tolist())
    ((1000, 2), {2.0})
    """
    if not leads.count:
        return
    rows = len(leads.code)
    total = int(np.clip(WORK // max(rows, 1), *REPEATS)) if repeats is None else repeats
    size = max(1, min(total, BLOCK // max(rows, leads.count, 1)))
    rng = np.random.default_rng(seed)
    shift = np.arange(size)[:, None] * leads.count
    for start in range(0, total, size):
        here = min(size, total - start)
        drawn = rng.integers(0, leads.count, (here, leads.count), dtype=np.int32) + shift[:here]
        counts = np.bincount(drawn.ravel(), minlength=here * leads.count)
        yield counts.reshape(here, leads.count).astype(np.float64)


def percentile(value: float, draws: Floats) -> Metric | None:
    """Return the figure with the interval between the draws' percentiles; None where it is not defined.

    Draws in which it was not defined (no win was drawn, say) are left out.

    >>> print(percentile(0.5, np.linspace(0, 1, 101)))
    0.500 (0.025 to 0.975)
    """
    if np.isnan(value):
        return None
    defined = draws[~np.isnan(draws)]
    if not len(defined):
        return Metric(float(value), float(value), float(value))
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(defined, [tail, 1 - tail])
    return Metric(float(value), float(min(low, value)), float(max(high, value)))


def reflected(value: float, draws: Floats) -> Metric | None:
    """Return the figure with the basic interval (Davison and Hinkley 1997, 5.2), never below 0.

    For figures that noise can only raise, such as calibration errors: drawing again raises them once more, and
    reflecting the draws at the figure takes both rises away.
    """
    plain = percentile(value, draws)
    if plain is None:
        return None
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(draws[~np.isnan(draws)], [tail, 1 - tail]) if len(draws) else (value, value)
    return Metric(plain.value, float(max(min(2 * value - high, value), 0.0)), float(max(2 * value - low, value)))


def share_of(value: float, draws: Floats, *, among: float) -> Metric | None:
    """Return a share with its percentile interval; at exactly 0 or 1 the one by Wilson, among so many.

    Where all that was seen agrees, so do all draws, and drawing again would claim certainty.

    >>> print(share_of(1.0, np.ones(9), among=3))
    1.000 (0.439 to 1.000)
    """
    plain = percentile(value, draws)
    if plain is None or 0 < value < 1:
        return plain
    low, high = wilson(value * among, among)
    return Metric(plain.value, min(low, plain.low), max(high, plain.high))
