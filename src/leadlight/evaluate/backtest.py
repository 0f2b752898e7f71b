"""The past, replayed: what calling the top of each ranking week by week would have won."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import UsageError
from leadlight.evaluate.arrays import Bools, Floats, Ints, same_length
from leadlight.evaluate.bootstrap import Metric, leads_of, percentile, resamples
from leadlight.spec.words import USUAL, Words

RankAt = Callable[[float], tuple[Ints, Floats]]
"""As of a moment, the leads to choose from and their scores, from what was known then."""

RANDOM, HINDSIGHT = "random order", "hindsight"
WEEK = 7.0
SHUFFLES = 50
"""Random order is the mean over so many."""


@dataclass(frozen=True, slots=True)
class Deals:
    """Wins that repeat, each on its own: the number of its lead's row, when it came, what it brought (NaN unknown)."""

    row: Ints
    at: Floats
    worth: Floats

    def __post_init__(self) -> None:
        same_length(row=self.row, at=self.at, worth=self.worth)

    def worth_between(self, moment: float, until: float, rows: int) -> Floats:
        """Return the worth of each row's deals after a moment and up to another; NaN where there is none."""
        here = (self.at > moment) & (self.at <= until)
        row = self.row[here]
        total = np.bincount(row, np.nan_to_num(self.worth[here]), minlength=rows)
        return np.where(np.bincount(row, minlength=rows) > 0, total, np.nan)


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What happened to each lead: one row each, moments in days since 1970.

    `lead` names it, `created` is when it came, `closed` when its outcome came (NaN while there is none), `won` whether
    that was a win, `worth` what it brought (NaN where unknown). Where wins repeat, they are `deals`, and `closed` is
    when the lead was lost.
    """

    lead: Ints
    created: Floats
    closed: Floats
    won: Bools
    worth: Floats | None = None
    deals: Deals | None = None
    words: Words = USUAL

    def __post_init__(self) -> None:
        rows = same_length(lead=self.lead, created=self.created, closed=self.closed, won=self.won, worth=self.worth)
        if len(np.unique(self.lead)) != rows:
            raise ValueError("a lead has more than one row")

    @property
    def worth_known(self) -> bool:
        """Whether the worth of any win is known."""
        if self.deals is not None:
            return bool((~np.isnan(self.deals.worth)).any())
        return self.worth is not None and bool((~np.isnan(self.worth[self.won])).any())

    def brought(self, moment: float, horizon: float) -> Floats:
        """Return what the wins after a moment, within the horizon, brought; NaN for leads that were not won then."""
        if self.deals is not None:
            return self.deals.worth_between(moment, moment + horizon, len(self.lead))
        won = self.won & (self.closed > moment) & (self.closed <= moment + horizon)
        worth = np.zeros(len(self.lead)) if self.worth is None else np.nan_to_num(self.worth)
        return np.where(won, worth, np.nan)


@dataclass(frozen=True, slots=True)
class Replayed:
    """What one strategy would have won: for each step how many were called, and of those won within the horizon how
    many and worth what.
    """

    name: str
    called: Floats
    deals: Floats
    worth: Floats

    @property
    def total_deals(self) -> Metric:
        """All deals, with the interval from drawing steps."""
        return _total(self.deals, seed=0)

    @property
    def total_worth(self) -> Metric:
        """What they brought, with the interval from drawing steps."""
        return _total(self.worth, seed=0)

    def as_dict(self) -> dict[str, Any]:
        """Return totals and steps as plain JSON values."""
        parts = {"called": self.called, "deals": self.deals, "worth": self.worth}
        totals = {name: float(part.sum()) for name, part in parts.items()}
        return {"name": self.name, **totals, "steps": {name: part.tolist() for name, part in parts.items()}}


@dataclass(frozen=True, slots=True)
class Gained:
    """How many more deals, and how much more worth, the first strategy won than another; intervals by drawing steps."""

    first: str
    other: str
    deals: Metric
    worth: Metric | None
    words: Words = field(default=USUAL, repr=False, compare=False)

    def as_dict(self) -> dict[str, Any]:
        """Return the difference as plain JSON values."""
        worth = None if self.worth is None else self.worth.as_dict()
        return {"first": self.first, "other": self.other, "deals": self.deals.as_dict(), "worth": worth}

    def __str__(self) -> str:
        deals = self.deals
        text = f"{deals.value:+,.1f} {self.words.deals} ({deals.low:+,.1f} to {deals.high:+,.1f})"
        if self.worth is not None:
            worth = self.worth
            text += f" and {worth.value:+,.0f} in {self.words.worth} ({worth.low:+,.0f} to {worth.high:+,.0f})"
        return f"{self.first} against {self.other}: {text}"


@dataclass(frozen=True, slots=True)
class Backtest:
    """Strategies replayed over the same steps, each calling the best `top` of those open and not called before.

    Where wins repeat, a lead may be called again when the horizon of its last call has passed. A deal counts when the
    win came after the call and within `horizon` days of it. That a lead was won does not say that the call won it:
    figures say how well a strategy finds those who buy.
    """

    moments: tuple[float, ...]
    top: int
    horizon: float
    strategies: tuple[Replayed, ...]
    gained: tuple[Gained, ...]
    worth_known: bool
    words: Words = field(default=USUAL, repr=False, compare=False)

    def of(self, name: str) -> Replayed:
        """Return one strategy's results; raises KeyError where it was not replayed."""
        return {item.name: item for item in self.strategies}[name]

    def as_dict(self) -> dict[str, Any]:
        """Return the replay as plain JSON values."""
        return {
            "moments": list(self.moments), "top": self.top, "horizon": self.horizon, "worth_known": self.worth_known,
            "strategies": [item.as_dict() for item in self.strategies],
            "gained": [item.as_dict() for item in self.gained],
        }  # fmt: skip

    def __str__(self) -> str:
        said = self.words
        lines = [
            f"{len(self.moments):,} steps, the top {self.top:,} {said.action} at each, {said.deals} within "
            f"{self.horizon:g} days:"
        ]
        for item in self.strategies:
            worth = f", {said.worth} {item.worth.sum():,.0f}" if self.worth_known else ""
            brought = f"{item.deals.sum():,.1f} {said.deals} of {item.called.sum():,.0f} {said.action}"
            lines.append(f"{item.name}: {brought}{worth}")
        return "\n".join(lines + [str(item) for item in self.gained])


def backtest(
    outcomes: Outcomes,
    strategies: Mapping[str, RankAt],
    *,
    since: float,
    until: float,
    horizon: float,
    top: int,
    every: float = WEEK,
    seed: int = 0,
) -> Backtest:
    """Replay the past: at each step, call the best `top` of each ranking among those open and not called before.

    Steps go from `since`, `every` so many days, as long as the horizon after them ends by `until`, up to which
    outcomes are known. Random order (the mean of `SHUFFLES`) and hindsight (who wins within the horizon, the most worth
    first, then the soonest) are added. The differences are those of the first strategy to each other one.
    Leads that a ranking leaves out are not called. Raises UsageError where no step fits, or `top` is below 1.
    """
    if top < 1:
        raise UsageError(
            f"the top {top} cannot be called", fix="Name how many leads are called at each step, 1 or more."
        )
    moments = np.arange(since, until - horizon + 1e-9, every)
    if not len(moments):
        raise UsageError(
            f"no step fits: {until - since:g} days are known, and each step needs {horizon:g} days after it",
            fix="Begin earlier, or take a shorter horizon.",
        )
    results = [
        _replay(name, outcomes, _by(rank_at, outcomes), moments, horizon, top) for name, rank_at in strategies.items()
    ]
    results.append(_random(outcomes, moments, horizon, top, seed=seed))
    results.append(_replay(HINDSIGHT, outcomes, _knowing(outcomes, horizon), moments, horizon, top))
    known = outcomes.worth_known
    gained = tuple(_gained(results[0], other, known=known, seed=seed, words=outcomes.words) for other in results[1:])
    return Backtest(tuple(moments.tolist()), top, horizon, tuple(results), gained, known, outcomes.words)


Chooser = Callable[[float, Bools], Ints]
"""At a moment, from the rows that may be called (a mask), all of them in the order to call."""


def _by(rank_at: RankAt, outcomes: Outcomes) -> Chooser:
    """Return the order of a ranking; raises ValueError where it names a lead twice or one that has no outcome row."""
    sorter = np.argsort(outcomes.lead, kind="stable")

    def order(moment: float, free: Bools) -> Ints:
        lead, score = rank_at(moment)
        same_length(lead=lead, score=score)
        place = np.searchsorted(outcomes.lead, lead, sorter=sorter)
        row: Ints = sorter[np.minimum(place, len(sorter) - 1)] if len(sorter) else place.astype(np.int64)
        if len(sorter) < len(lead) or (outcomes.lead[row] != lead).any() or len(np.unique(lead)) != len(lead):
            raise ValueError("the ranking names a lead twice, or one that is not among the outcomes")
        ranked = row[np.argsort(-score, kind="stable")]
        return ranked[free[ranked]]

    return order


def _knowing(outcomes: Outcomes, horizon: float) -> Chooser:
    def order(moment: float, free: Bools) -> Ints:
        brought = outcomes.brought(moment, horizon)
        row = np.flatnonzero(free & ~np.isnan(brought))
        return row[np.lexsort((outcomes.closed[row], -brought[row]))]

    return order


def _open_at(outcomes: Outcomes, moment: float) -> Bools:
    return (outcomes.created <= moment) & ~(outcomes.closed <= moment)


def _replay(name: str, outcomes: Outcomes, choose: Chooser, moments: Floats, horizon: float, top: int) -> Replayed:
    rest = np.inf if outcomes.deals is None else horizon - 1e-9
    called_at = np.full(len(outcomes.lead), -np.inf)
    steps = np.zeros((3, len(moments)))
    for step, moment in enumerate(moments):
        chosen = choose(float(moment), _open_at(outcomes, moment) & (moment - called_at >= rest))[:top]
        called_at[chosen] = moment
        brought = outcomes.brought(moment, horizon)[chosen]
        steps[:, step] = len(chosen), (~np.isnan(brought)).sum(), np.nansum(brought)
    return Replayed(name, *steps)


def _random(outcomes: Outcomes, moments: Floats, horizon: float, top: int, *, seed: int) -> Replayed:
    rng = np.random.default_rng(seed)

    def order(_: float, free: Bools) -> Ints:
        row: Ints = np.flatnonzero(free)
        return rng.choice(row, min(top, len(row)), replace=False, shuffle=False)

    runs = [_replay(RANDOM, outcomes, order, moments, horizon, top) for _ in range(SHUFFLES)]
    called, deals, value = (
        np.mean([getattr(run, part) for run in runs], axis=0) for part in ("called", "deals", "worth")
    )
    return Replayed(RANDOM, called, deals, value)


def _gained(first: Replayed, other: Replayed, *, known: bool, seed: int, words: Words) -> Gained:
    deals = _total(first.deals - other.deals, seed=seed)
    worth = _total(first.worth - other.worth, seed=seed) if known else None
    return Gained(first.name, other.name, deals, worth, words)


def _total(by_step: NDArray[np.float64], *, seed: int) -> Metric:
    """Return the total with an interval from drawing steps with replacement."""
    draws = np.concatenate([counts @ by_step for counts in resamples(leads_of(None, len(by_step)), seed=seed)])
    found = percentile(float(by_step.sum()), draws)
    assert found is not None
    return found
