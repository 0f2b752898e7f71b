"""Where to draw the line: how many leads to call, and what each choice would have brought."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from leadlight.errors import UsageError, did_you_mean
from leadlight.evaluate.arrays import Bools, Floats, Ints, Texts, no_gaps, same_length
from leadlight.evaluate.rates import wilson
from leadlight.spec.words import USUAL, Words, without_words

SHARES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0)
"""The shares of leads a table of alternatives shows."""

Kind = Literal["capacity", "cost", "precision"]


@dataclass(frozen=True, slots=True)
class Past:
    """Leads whose outcome is known: one row each, with the score they had, and the day (days since 1970) they came in.

    `worth` is what a win brought, NaN where unknown; `group` is who would have called (a team, say). What a line would
    have brought is told from who won in the past, called or not: it says how well the line finds wins, not what a call
    does.
    """

    score: Floats
    won: Bools
    worth: Floats | None = None
    day: Floats | None = None
    group: Texts | None = None
    words: Words = USUAL

    def __post_init__(self) -> None:
        same_length(score=self.score, won=self.won, worth=self.worth, day=self.day, group=self.group)
        no_gaps("score", self.score)

    @property
    def days(self) -> float | None:
        """How many days the leads came in on, from the first to the last; None where unknown."""
        if self.day is None or not len(self.day):
            return None
        return float(np.floor(self.day.max()) - np.floor(self.day.min()) + 1)

    def of(self, group: str) -> Past:
        """Return the leads of one group."""
        assert self.group is not None
        here = self.group.astype(str) == group
        worth, day = (None if part is None else part[here] for part in (self.worth, self.day))
        return Past(self.score[here], self.won[here], worth, day, self.group[here], self.words)


@dataclass(frozen=True, slots=True)
class Choice:
    """A line, and what calling every lead at or above it would have brought.

    `precision` is the share of those called that was won, with its 95 % interval (Wilson 1927), `recall` the share of
    all wins that was called. `worth` is the sum of what these wins brought, None where no worth is known; `net` is
    what is left of it after the calls, where a cost was named. `cut` is None where nobody is called.
    """

    cut: float | None
    called: int
    share: float
    per_day: float | None
    wins: int
    precision: float | None
    precision_low: float
    precision_high: float
    recall: float | None
    worth: float | None
    net: float | None = None
    group: str | None = None
    words: Words = field(default=USUAL, repr=False, compare=False)

    def as_dict(self) -> dict[str, Any]:
        """Return the choice as plain JSON values."""
        return without_words(self)

    def __str__(self) -> str:
        whose = f"{self.group}: " if self.group is not None else ""
        if self.cut is None:
            return f"{whose}{self.words.nobody}"
        often = "" if self.per_day is None else f", {self.per_day:,.1f} a day"
        said = self.words
        share = f"{self.precision or 0:.1%} of those {said.action}"
        found = f"{self.wins:,} {said.wins} ({self.recall or 0:.0%} of all), {share}"
        worth = "" if self.worth is None else f", {said.worth} {self.worth:,.0f}"
        net = "" if self.net is None else f", {self.net:,.0f} after costs"
        return f"{whose}from {self.cut:.6g}: {self.called:,} {said.action}{often}, {found}{worth}{net}"


@dataclass(frozen=True, slots=True)
class Threshold:
    """The line that fits what was asked for, or one for each group, beside what other lines would have brought.

    `met` is false where no line fits: the choice is then the nearest there is, and `note` says why.
    """

    kind: Kind
    asked: str
    choices: tuple[Choice, ...]
    alternatives: tuple[Choice, ...] = field(repr=False)
    met: bool = True
    note: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the line and its alternatives as plain JSON values."""
        return {
            "kind": self.kind, "asked": self.asked, "met": self.met, "note": self.note,
            "choices": [item.as_dict() for item in self.choices],
            "alternatives": [item.as_dict() for item in self.alternatives],
        }  # fmt: skip

    def __str__(self) -> str:
        return "\n".join([f"For {self.asked}:", *map(str, self.choices), *([self.note] if self.note else [])])


@dataclass(frozen=True, slots=True)
class _Lines:
    """All lines there can be, from the strictest: calling at or above `cut[i]` calls `called[i]` leads."""

    cut: Floats
    called: Ints
    wins: Ints
    worth: Floats | None


def _lines(past: Past) -> _Lines:
    order = np.argsort(-past.score, kind="stable")
    score = past.score[order]
    last = np.flatnonzero(np.concatenate([score[1:] != score[:-1], [True]])) if len(score) else np.empty(0, np.int64)
    worth = None
    if past.worth is not None and not np.isnan(past.worth[past.won]).all():
        worth = np.cumsum(np.where(past.won, np.nan_to_num(past.worth), 0.0)[order])[last]
    return _Lines(score[last], (last + 1).astype(np.int64), np.cumsum(past.won[order])[last].astype(np.int64), worth)


def _choice(past: Past, lines: _Lines, place: int, *, days: float | None = None, cost: float | None = None,
            gain: float | None = None, group: str | None = None) -> Choice:  # fmt: skip
    """Return the choice of a line; place −1 is to call nobody."""
    if place < 0:
        none = None if days is None else 0.0
        return Choice(None, 0, 0.0, none, 0, None, 0.0, 1.0, None, None, None, group, past.words)
    called, wins, total = int(lines.called[place]), int(lines.wins[place]), int(past.won.sum())
    worth = None if lines.worth is None else float(lines.worth[place])
    brought = wins * gain if gain is not None else worth
    return Choice(
        cut=float(lines.cut[place]),
        called=called,
        share=called / len(past.score),
        per_day=None if days is None else called / days,
        wins=wins,
        precision=wins / called,
        precision_low=wilson(wins, called)[0],
        precision_high=wilson(wins, called)[1],
        recall=wins / total if total else None,
        worth=worth,
        net=None if cost is None or brought is None else brought - cost * called,
        group=group,
        words=past.words,
    )


def alternatives(
    past: Past, *, days: float | None = None, cost: float | None = None, gain: float | None = None
) -> tuple[Choice, ...]:
    """Return what calling the best 1, 2, 5 … 100 % of leads would have brought, lines that coincide once only.

    Rows of one score are called together or not at all, so shares are those or a little less.
    """
    lines = _lines(past)
    days = past.days if days is None else days
    places = {int(np.searchsorted(lines.called, share * len(past.score) + 1e-9, side="right")) - 1 for share in SHARES}
    return tuple(_choice(past, lines, place, days=days, cost=cost, gain=gain) for place in sorted(places) if place >= 0)


def threshold_for_capacity(past: Past, per_day: float | Mapping[str, float], *, days: float | None = None) -> Threshold:
    """Return the lowest line at which no more leads pass, in the mean over the days, than can be called.

    A mapping gives each group its own capacity and its own line; one number is the capacity of each, where there are
    groups. `days` is how many days people called; from the first
    to the last day in `past` unless told. Raises UsageError where days or a group is unknown.

    >>> past = Past(np.arange(100.0), np.arange(100) >= 95, day=np.repeat(np.arange(10.0), 10))
    >>> print(threshold_for_capacity(past, 1))
    For 1 a day:
    from 90: 10 called, 1.0 a day, 5 wins (100% of all), 50.0% of those called
    """
    length = past.days if days is None else days
    if length is None:
        raise UsageError("a capacity a day needs to know the days leads came in on", fix="Name the number of days.")
    if isinstance(per_day, Mapping):
        asked = ", ".join(f"{name} {capacity:g}" for name, capacity in per_day.items()) + " a day"
        return _capacity_by_group(past, per_day, length, asked)
    if past.group is not None:
        each = dict.fromkeys(sorted(set(past.group.astype(str).tolist())), per_day)
        return _capacity_by_group(past, each, length, f"{per_day:g} a day each")
    lines = _lines(past)
    place = _within(lines, per_day * length)
    choice = _choice(past, lines, place, days=length)
    note = "" if place >= 0 else _too_many(lines, per_day, length)
    return Threshold("capacity", f"{per_day:g} a day", (choice,), alternatives(past, days=length), not note, note)


def _capacity_by_group(past: Past, per_day: Mapping[str, float], days: float, asked: str) -> Threshold:
    known = set() if past.group is None else set(past.group.astype(str).tolist())
    for name in per_day:
        if name not in known:
            raise UsageError(f"nobody belongs to {name!r}", fix=did_you_mean(name, known))
    choices, notes = [], []
    for name, capacity in per_day.items():
        own = past.of(name)
        lines = _lines(own)
        place = _within(lines, capacity * days)
        choices.append(_choice(own, lines, place, days=days, group=name))
        if place < 0:
            notes.append(f"{name}: {_too_many(lines, capacity, days)}")
    return Threshold("capacity", asked, tuple(choices), alternatives(past, days=days), not notes, "; ".join(notes))


def _within(lines: _Lines, most: float) -> int:
    return int(np.searchsorted(lines.called, most + 1e-9, side="right")) - 1


def _too_many(lines: _Lines, per_day: float, days: float) -> str:
    if not len(lines.called):
        return "there are no leads"
    return f"{lines.called[0] / days:,.1f} a day share the best score, more than {per_day:g}: the score cannot choose"


def threshold_for_cost(past: Past, cost: float, *, gain: float | None = None, days: float | None = None) -> Threshold:
    """Return the line that would have left most, when a call costs `cost` and a win brings `gain` (or its worth).

    With true probabilities and one gain it lies near cost / gain. Raises UsageError where neither gain nor worth is
    known.

    >>> past = Past(np.array([4.0, 3.0, 2.0, 1.0]), np.array([True, False, True, False]))
    >>> print(threshold_for_cost(past, 10, gain=100))
    For a cost of 10 a call and a gain of 100 a win:
    from 2: 3 called, 2 wins (100% of all), 66.7% of those called, 170 after costs
    """
    lines = _lines(past)
    if gain is None and lines.worth is None:
        raise UsageError(
            "no win has a worth, so a call cannot be weighed", fix="Name what a win brings, or the value column."
        )
    brought = lines.wins * gain if gain is not None else lines.worth
    assert brought is not None
    net = brought - cost * lines.called
    place = int(np.argmax(net)) if len(net) and net.max() > 0 else -1
    length = past.days if days is None else days
    choice = _choice(past, lines, place, days=length, cost=cost, gain=gain)
    asked = f"a cost of {cost:g} {past.words.per_action} and " + (
        f"a gain of {gain:g} a {past.words.win}" if gain is not None else f"what {past.words.wins} brought"
    )
    note = "" if place >= 0 else "no line would have brought back its costs"
    return Threshold("cost", asked, (choice,), alternatives(past, days=length, cost=cost, gain=gain), not note, note)


def threshold_for_precision(past: Past, precision: float, *, days: float | None = None) -> Threshold:
    """Return the lowest line at which at least this share of those called was won.

    Where no line reaches it, the one with the highest share of at least ten called (or of all) is returned, not `met`.

    >>> past = Past(np.array([4.0, 3.0, 2.0, 1.0]), np.array([True, False, True, False]))
    >>> threshold_for_precision(past, 0.6).choices[0].cut
    2.0
    """
    if not 0 < precision <= 1:
        raise UsageError(
            f"a precision of {precision:g} is not possible", fix="Name a share above 0 and up to 1, like 0.2."
        )
    lines = _lines(past)
    rate = lines.wins / np.maximum(lines.called, 1)
    length = past.days if days is None else days
    reached = np.flatnonzero(rate >= precision - 1e-12)
    asked, table = f"{precision:.1%} {past.words.won} of those {past.words.action}", alternatives(past, days=length)
    if len(reached):
        return Threshold("precision", asked, (_choice(past, lines, int(reached[-1]), days=length),), table)
    enough = lines.called >= min(10, len(past.score))
    place = int(np.argmax(np.where(enough, rate, -1.0))) if len(rate) else -1
    best = f"the best line reaches {rate[place]:.1%}" if place >= 0 else "there are no leads"
    return Threshold("precision", asked, (_choice(past, lines, place, days=length),), table, False, best)


def curve(past: Past, *, points: int = 100, days: float | None = None) -> tuple[Choice, ...]:
    """Return what each capacity would have brought: about so many lines, evenly from nobody to everybody."""
    lines = _lines(past)
    wanted = np.linspace(0, len(past.score), points + 1)[1:]
    places = np.unique(np.searchsorted(lines.called, wanted + 1e-9, side="right") - 1)
    days = past.days if days is None else days
    return tuple(_choice(past, lines, int(place), days=days) for place in places if place >= 0)
