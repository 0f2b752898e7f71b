"""The figures that say how good an order of leads and its probabilities are, each with its interval."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from leadlight.evaluate.arrays import Bools, Floats, Ints, same_length
from leadlight.evaluate.bootstrap import Leads, Metric, leads_of, percentile, reflected, resamples, share_of
from leadlight.evaluate.calibration import SMALLEST, as_probability, bins_of
from leadlight.evaluate.ranking import SHARES, Order, in_order, rank_figures
from leadlight.spec.words import USUAL, Words

RANKING = ("auc", "average_precision", *(f"gain_{share * 100:.0f}" for share in SHARES))
"""What needs an order only."""
TRUTH = ("log_loss", "brier", "reliability", "resolution", "uncertainty", "ece")
"""What needs probabilities."""


@dataclass(frozen=True, slots=True)
class Metrics:
    """How well scores fit what came; None where the rows do not tell (no win, say) or there is no probability.

    The Brier score is reliability − resolution + uncertainty (Murphy 1973), exactly: reliability is the mean squared
    distance between said and come over ten bins, uncertainty that of always saying the base rate, and
    resolution what is left, so it holds what goes on within bins (Stephenson, Coelho and Jolliffe 2008). Gain is
    the share of all wins among the leads ranked first, lift that share over the coin's.
    """

    n: int
    wins: int
    leads: int
    base_rate: float | None
    auc: Metric | None
    average_precision: Metric | None
    gain_5: Metric | None
    gain_10: Metric | None
    gain_20: Metric | None
    log_loss: Metric | None
    brier: Metric | None
    reliability: Metric | None
    resolution: Metric | None
    uncertainty: Metric | None
    ece: Metric | None
    gain_at: Metric | None = None
    """The share of all wins among the first `capacity`, where one is told."""
    capacity: float | None = None
    words: Words = field(default=USUAL, repr=False, compare=False)

    @property
    def lift_5(self) -> Metric | None:
        """How many times as many wins as a coin finds, among the first 5 %."""
        return _times(self.gain_5, 1 / 0.05)

    @property
    def lift_10(self) -> Metric | None:
        """How many times as many wins as a coin finds, among the first 10 %."""
        return _times(self.gain_10, 1 / 0.1)

    @property
    def lift_20(self) -> Metric | None:
        """How many times as many wins as a coin finds, among the first 20 %."""
        return _times(self.gain_20, 1 / 0.2)

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain JSON values."""
        names = [item.name for item in fields(self) if item.name != "words"] + ["lift_5", "lift_10", "lift_20"]
        values = {name: getattr(self, name) for name in names}
        return {name: item.as_dict() if isinstance(item, Metric) else item for name, item in values.items()}

    def __str__(self) -> str:
        counted = f"{self.wins:,} {self.words.wins} among {self.n:,} rows of {self.leads:,} {self.words.entities}"
        if self.auc is None or self.gain_10 is None:
            return f"{counted}: too few to judge an order by"
        shown = f"AUC {self.auc}, {self.gain_10.value:.0%} of the {self.words.wins} among the first 10 %"
        return f"{shown}; log loss {self.log_loss}; {counted}" if self.log_loss else f"{shown}; {counted}"


def _times(metric: Metric | None, factor: float) -> Metric | None:
    return metric and Metric(metric.value * factor, metric.low * factor, metric.high * factor)


@dataclass(frozen=True, slots=True)
class Draws:
    """The figures of one system: as seen (`value`, names) and in each draw of leads (`draws`, draws × names)."""

    names: tuple[str, ...]
    value: Floats
    draws: Floats
    capacity: float | None = None
    """The share of rows at which `gain_at` is told."""

    def of(self, name: str) -> tuple[float, Floats]:
        """Return one figure as seen, and in each draw. Raises ValueError where it is not among the names."""
        place = self.names.index(name)
        return float(self.value[place]), self.draws[:, place]


def measure(
    score: Floats,
    won: Bools,
    *,
    probability: Floats | None = None,
    lead: Ints | None = None,
    weights: Floats | None = None,
    seed: int = 0,
    words: Words = USUAL,
    capacity: float | None = None,
) -> Metrics:
    """Hold scores, and probabilities where there are any, against what came of the rows.

    Higher scores rank first; a probability does as a score. Rows of one `lead` are drawn together for the intervals.
    Raises ValueError where a score or probability is NaN, or the arrays differ in length.

    >>> found = measure(np.array([3.0, 2.0, 1.0, 0.0]), np.array([True, False, True, False]))
    >>> found.auc.value, found.gain_20.value, found.log_loss
    (0.75, 0.4, None)
    """
    leads = leads_of(lead, same_length(won=won, lead=lead))
    drawn = draw(score, won, leads, probability=probability, weights=weights, seed=seed, capacity=capacity)
    return metrics_of(drawn, won, leads, weights=weights, words=words)


def metrics_of(
    drawn: Draws, won: Bools, leads: Leads, *, weights: Floats | None = None, words: Words = USUAL
) -> Metrics:
    """Return the figures with their intervals, from what `draw` found."""
    wins, others = (len(np.unique(leads.code[part])) for part in (won, ~won))
    metrics: dict[str, Metric | None] = {name: _interval(name, *drawn.of(name), wins, others) for name in drawn.names}
    unknown = {name: None for name in TRUTH if name not in drawn.names}
    weight = np.ones(len(won)) if weights is None else weights
    base_rate = float(weight @ won / weight.sum()) if weight.sum() > 0 else None
    known = {"n": len(won), "wins": int(won.sum()), "leads": leads.count, "base_rate": base_rate}
    figures: dict[str, Any] = {**known, **metrics, **unknown}
    return Metrics(**figures, capacity=drawn.capacity, words=words)


def draw(
    score: Floats,
    won: Bools,
    leads: Leads,
    *,
    probability: Floats | None = None,
    weights: Floats | None = None,
    seed: int = 0,
    capacity: float | None = None,
) -> Draws:
    """Return all figures as seen and in each draw of leads; the same seed gives the same draws for every system.

    With a `capacity` the gain at that share of rows, `gain_at`, is among them.
    """
    same_length(score=score, won=won, probability=probability, lead=leads.code, weights=weights)
    order = in_order(score, won, leads, weights=weights)
    truth = None if probability is None else _truth(probability, won, leads, weights)

    shares = SHARES if capacity is None else (*SHARES, capacity)
    ranked = RANKING if capacity is None else (*RANKING, "gain_at")

    def figures(counts: Floats) -> Floats:
        ranking = rank_figures(order, counts, shares=shares)
        return ranking if truth is None else np.column_stack([ranking, _truth_figures(truth, counts)])

    names = ranked if truth is None else ranked + TRUTH
    seen = figures(np.ones((1, leads.count)))[0]
    drawn = [figures(counts) for counts in resamples(leads, seed=seed)]
    return Draws(names, seen, np.concatenate(drawn) if drawn else np.empty((0, len(names))), capacity)


def _interval(name: str, value: float, draws: Floats, wins: int, others: int) -> Metric | None:
    if name == "auc":
        return share_of(value, draws, among=min(wins, others))
    if name.startswith("gain"):
        return share_of(value, draws, among=wins)
    if name == "reliability":
        return reflected(value, draws)
    if name == "ece":  # it is its square, like reliability, that noise adds to
        square = reflected(value**2, draws**2)
        return square and Metric(*(math.sqrt(part) for part in (square.value, square.low, square.high)))
    return percentile(value, draws)


@dataclass(frozen=True, slots=True)
class _Truth:
    """Rows sorted by bin of probability: per row said, come and the two losses; `starts` says where a bin starts."""

    rows: Order
    starts: Ints
    said: Floats
    losses: Floats
    """2 × rows: log loss, squared error."""


def _truth(probability: Floats, won: Bools, leads: Leads, weights: Floats | None) -> _Truth:
    said = as_probability(probability)
    place = bins_of(said)
    order = np.argsort(place, kind="stable")
    starts = np.flatnonzero(np.diff(place[order], prepend=-1))
    came, said = won[order].astype(np.float64), said[order]
    clipped = np.clip(said, SMALLEST, 1 - SMALLEST)
    losses = np.stack([-np.log(np.where(came > 0, clipped, 1 - clipped)), (came - said) ** 2])
    weight = None if weights is None else weights[order].astype(np.float64)
    return _Truth(Order(leads.code[order], came, weight, starts), starts, said, losses)


def _truth_figures(truth: _Truth, counts: Floats) -> Floats:
    """Return, for each row of counts, the figures of `TRUTH`: draws × 6."""
    if not len(truth.said):
        return np.full((len(counts), len(TRUTH)), np.nan)
    rows = np.take(counts, truth.rows.lead, axis=1)
    if truth.rows.weight is not None:
        rows *= truth.rows.weight
    log_loss, brier = truth.losses @ rows.T
    n = np.add.reduceat(rows, truth.starts, axis=1)
    came = np.add.reduceat(rows * truth.rows.won, truth.starts, axis=1)
    said = np.add.reduceat(rows * truth.said, truth.starts, axis=1)
    total = n.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        off = np.abs(came - said)
        reliability = np.divide(off**2, n, out=np.zeros_like(off), where=n > 0).sum(axis=1) / total
        rate = came.sum(axis=1) / total
        uncertainty = rate * (1 - rate)
        brier = brier / total
        resolution = reliability + uncertainty - brier
        error = off.sum(axis=1) / total
        return np.column_stack([log_loss / total, brier, reliability, resolution, uncertainty, error])
