"""The past, replayed: what calling the top of each ranking week by week would have won."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import UsageError
from leadlight.evaluate.arrays import Bools, Floats, Ints, same_length
from leadlight.evaluate.bootstrap import LEVEL
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
    when the lead was lost. `won_at` is when the win came, where a lead was closed before and won all the same; `closed`
    unless told.
    """

    lead: Ints
    created: Floats
    closed: Floats
    won: Bools
    worth: Floats | None = None
    deals: Deals | None = None
    words: Words = USUAL
    won_at: Floats | None = None

    def __post_init__(self) -> None:
        rows = same_length(
            lead=self.lead, created=self.created, closed=self.closed, won=self.won, worth=self.worth, won_at=self.won_at
        )
        if len(np.unique(self.lead)) != rows:
            raise ValueError("a lead has more than one row")

    @property
    def worth_known(self) -> bool:
        """Whether the worth of any win is known."""
        if self.deals is not None:
            return bool((~np.isnan(self.deals.worth)).any())
        return self.worth is not None and bool((~np.isnan(self.worth[self.won])).any())

    @property
    def wins_at(self) -> Floats:
        """When each lead's win came, if it is one that was won."""
        return self.closed if self.won_at is None else self.won_at

    def brought(self, moment: float, horizon: float) -> Floats:
        """Return what the wins after a moment, within the horizon, brought; NaN for leads that were not won then."""
        if self.deals is not None:
            return self.deals.worth_between(moment, moment + horizon, len(self.lead))
        at = self.wins_at
        won = self.won & (at > moment) & (at <= moment + horizon)
        worth = np.zeros(len(self.lead)) if self.worth is None else np.nan_to_num(self.worth)
        return np.where(won, worth, np.nan)


@dataclass(frozen=True, slots=True)
class Total:
    """A sum over steps with the 95 % interval that the spread between steps tells (Student 1908); one tells none.

    >>> print(Total.of(np.array([1.0, 3.0, 2.0])), Total.of(np.array([3.0])), sep="; ")
    +6.0 (-1.5 to +13.5); +3.0 (one step tells no interval)
    """

    value: float
    low: float | None
    high: float | None

    @classmethod
    def of(cls, by_step: NDArray[np.float64]) -> Total:
        """Return the total of what each step brought."""
        from scipy.special import stdtrit

        steps, total = len(by_step), float(by_step.sum())
        if steps < 2:
            return cls(total, None, None)
        spread = float(np.sqrt(steps) * by_step.std(ddof=1))
        half = float(stdtrit(steps - 1, (1 + LEVEL) / 2)) * spread
        return cls(total, total - half, total + half)

    def as_dict(self) -> dict[str, float | None]:
        """Return the total as plain JSON values."""
        return {"value": self.value, "low": self.low, "high": self.high}

    def said(self, what: str = "", digits: int = 1) -> str:
        """Say it with so many digits, `what` behind the value."""
        value = f"{self.value:+,.{digits}f}{what}"
        if self.low is None or self.high is None:
            return f"{value} (one step tells no interval)"
        return f"{value} ({self.low:+,.{digits}f} to {self.high:+,.{digits}f})"

    def __str__(self) -> str:
        return self.said()


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
    def total_deals(self) -> Total:
        """All deals."""
        return Total.of(self.deals)

    @property
    def total_worth(self) -> Total:
        """What they brought."""
        return Total.of(self.worth)

    def as_dict(self) -> dict[str, Any]:
        """Return totals and steps as plain JSON values."""
        parts = {"called": self.called, "deals": self.deals, "worth": self.worth}
        totals = {name: float(part.sum()) for name, part in parts.items()}
        return {"name": self.name, **totals, "steps": {name: part.tolist() for name, part in parts.items()}}


@dataclass(frozen=True, slots=True)
class Gained:
    """How many more deals, and how much more worth, the first strategy won than another, step held against step."""

    first: str
    other: str
    deals: Total
    worth: Total | None
    words: Words = field(default=USUAL, repr=False, compare=False)

    def as_dict(self) -> dict[str, Any]:
        """Return the difference as plain JSON values."""
        worth = None if self.worth is None else self.worth.as_dict()
        return {"first": self.first, "other": self.other, "deals": self.deals.as_dict(), "worth": worth}

    def __str__(self) -> str:
        text = self.deals.said(f" {self.words.deals}")
        if self.worth is not None:
            text += f" and {self.worth.said(f' in {self.words.worth}', digits=0)}"
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
    outcomes are known. Random order (the mean of `SHUFFLES`) and hindsight are added: the calls that bring the most
    deals and the most worth that any could, where wins do not repeat (see `_knowing`). The differences are those of the
    first strategy to each other one. Leads that a ranking leaves out are not called, and by random order and hindsight
    not those that all leave out (whom the workspace excludes, say). Those of one score are called in an order drawn
    from `seed`: the order of a file may know how they ended. Raises UsageError where no step fits, or `top` is below 1.
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
    ranked = {float(moment): np.zeros(len(outcomes.lead), np.bool_) for moment in moments}
    results = [
        _replay(name, outcomes, _by(rank_at, outcomes, seed, ranked), moments, horizon, top)
        for name, rank_at in strategies.items()
    ]
    results.append(_random(outcomes, ranked, horizon, top, seed=seed))
    ever = np.logical_or.reduce(list(ranked.values()))
    knowing = _knowing(outcomes, ever, moments, horizon, top)
    results.append(_replay(HINDSIGHT, outcomes, knowing, moments, horizon, top))
    known = outcomes.worth_known
    gained = tuple(_gained(results[0], other, known=known, words=outcomes.words) for other in results[1:])
    return Backtest(tuple(moments.tolist()), top, horizon, tuple(results), gained, known, outcomes.words)


Chooser = Callable[[float, Bools], Ints]
"""At a moment, from the rows that may be called (a mask), all of them in the order to call."""


def _by(rank_at: RankAt, outcomes: Outcomes, seed: int, ranked: dict[float, Bools]) -> Chooser:
    """Return the order of a ranking, which marks in `ranked` whom it ranks at each moment.

    It raises ValueError where the ranking names a lead twice or one that has no outcome row.
    """
    rng = np.random.default_rng(seed)
    sorter = np.argsort(outcomes.lead, kind="stable")

    def order(moment: float, free: Bools) -> Ints:
        lead, score = rank_at(moment)
        same_length(lead=lead, score=score)
        place = np.searchsorted(outcomes.lead, lead, sorter=sorter)
        row: Ints = sorter[np.minimum(place, len(sorter) - 1)] if len(sorter) else place.astype(np.int64)
        if len(sorter) < len(lead) or (outcomes.lead[row] != lead).any() or len(np.unique(lead)) != len(lead):
            raise ValueError("the ranking names a lead twice, or one that is not among the outcomes")
        ranked[moment][row] = True
        lot = rng.random(len(outcomes.lead))  # anew at each step: with one lot for all, who is new would come first
        best = row[np.lexsort((lot[row], -score))]
        return best[free[best]]

    return order


def _knowing(outcomes: Outcomes, ranked: Bools, moments: Floats, horizon: float, top: int) -> Chooser:
    """Return the choice of who knows how it ends: of those who win within the horizon, the best that can all be called.

    `ranked` are the leads that may be called.

    No other calls bring more deals, and none more worth (see `_callable`): each step calls those who cannot wait the
    longest. Where wins repeat, a call brings more or less by its moment, and each step calls who brings most then.
    """
    if outcomes.deals is not None:
        kept, last = ranked, np.zeros(len(outcomes.lead), np.int64)
    else:
        kept, last = _callable(outcomes, ranked, moments, horizon, top)

    def order(moment: float, free: Bools) -> Ints:
        brought = outcomes.brought(moment, horizon)
        row = np.flatnonzero(free & kept & ~np.isnan(brought))
        return row[np.lexsort((outcomes.closed[row], -brought[row], last[row]))]

    return order


def _callable(outcomes: Outcomes, ranked: Bools, moments: Floats, horizon: float, top: int) -> tuple[Bools, Ints]:
    """Return which wins can all be called, the most and the worthiest there can be, and the last step for each.

    A win can be called from a first to a last step. A set of them can be called where no run of steps has more that fit
    into it alone than calls (Hall 1935, for intervals). Such sets are a matroid, so taking the worthiest first, as long
    as all can be called, gives the most worth and, no worth being below none, the most wins (Edmonds 1971).
    """
    first = np.maximum(
        np.searchsorted(moments, outcomes.created, side="left"),
        np.searchsorted(moments + horizon, outcomes.wins_at, side="left"),
    )
    last = np.searchsorted(moments, np.fmin(outcomes.closed, outcomes.wins_at), side="left") - 1
    worth = np.zeros(len(first)) if outcomes.worth is None else np.nan_to_num(outcomes.worth)
    row = np.flatnonzero(ranked & outcomes.won & ~np.isnan(outcomes.wins_at) & (first <= last))
    step = np.arange(len(moments))
    room = top * (step[None, :] - step[:, None] + 1)  # of the steps from i to j, less who fits into them alone
    kept, full = np.zeros(len(first), np.bool_), set[tuple[int, int]]()
    for place in row[np.lexsort((outcomes.wins_at[row], -worth[row]))]:
        span = int(first[place]), int(last[place])
        if span in full:
            continue
        around = room[: span[0] + 1, span[1] :]
        if around.min() > 0:
            around -= 1
            kept[place] = True
        else:
            full.add(span)
    return kept, last


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


def _random(outcomes: Outcomes, ranked: dict[float, Bools], horizon: float, top: int, *, seed: int) -> Replayed:
    rng, moments = np.random.default_rng(seed), np.array(list(ranked))

    def order(moment: float, free: Bools) -> Ints:
        row: Ints = np.flatnonzero(free & ranked[moment])
        return rng.choice(row, min(top, len(row)), replace=False, shuffle=False)

    runs = [_replay(RANDOM, outcomes, order, moments, horizon, top) for _ in range(SHUFFLES)]
    called, deals, value = (
        np.mean([getattr(run, part) for run in runs], axis=0) for part in ("called", "deals", "worth")
    )
    return Replayed(RANDOM, called, deals, value)


def _gained(first: Replayed, other: Replayed, *, known: bool, words: Words) -> Gained:
    deals = Total.of(first.deals - other.deals)
    worth = Total.of(first.worth - other.worth) if known else None
    return Gained(first.name, other.name, deals, worth, words)
