"""Where to draw the line for a scorecard, from the leads of the past and what one can do in a day."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from leadlight.engines.base import Engine
from leadlight.errors import NotFoundError, UsageError
from leadlight.evaluate.threshold import (
    Past,
    Threshold,
    curve,
    threshold_for_capacity,
    threshold_for_cost,
    threshold_for_precision,
)
from leadlight.learn.evaluation import notes
from leadlight.learn.training import Rows, past_rows, texts_at
from leadlight.scorecards.scores_at import scores_at
from leadlight.spec.resolved import ResolvedScorecard, ResolvedWorkspace
from leadlight.spec.words import words_of


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for: exactly one of a capacity (leads a day), a cost of a call, and a precision.

    `by` is the attribute that says which group calls: each has its own line, for a capacity of its own or, where one
    number is named, for as much each. `gain` is what a win brings, held against the cost.
    """

    per_day: float | Mapping[str, float] | None = None
    cost: float | None = None
    precision: float | None = None
    gain: float | None = None
    by: str | None = None

    def __post_init__(self) -> None:
        """Raise UsageError for a wish that is none, or two."""
        if sum(value is not None for value in (self.per_day, self.cost, self.precision)) != 1:
            raise UsageError(
                "a line follows from one thing",
                fix="Name one of --per-day N (leads a day), --cost C (of a call), --precision P (a share, as 0.2).",
            )
        if isinstance(self.per_day, Mapping) and self.by is None:
            raise UsageError("capacities by group need to know which", fix="Add --per with the attribute's name.")
        if self.by is not None and self.per_day is None:
            raise UsageError(
                "each group has a line of its own for what it can do in a day",
                fix="Name it with --per-day, or leave out --per.",
            )
        if self.gain is not None and self.cost is None:
            raise UsageError("a gain is held against what a call costs", fix="Add --cost, or leave out --gain.")
        self._check_numbers()

    def _check_numbers(self) -> None:
        capacities = self.per_day.values() if isinstance(self.per_day, Mapping) else [self.per_day]
        said = [("--per-day", each) for each in capacities] + [("--cost", self.cost), ("--gain", self.gain)]
        for option, value in said:
            if value is not None and not math.isfinite(value):
                raise UsageError(f"{option}: {value:g} is no number to reckon with")
            if value is not None and option == "--per-day" and value <= 0:
                raise UsageError(f"{option}: {value:g} is no number above 0")


@dataclass(frozen=True, slots=True)
class Line:
    """The line, for which scorecard, and from which leads it was told."""

    scorecard: str
    entity: str
    since: datetime | None
    until: datetime
    leads: int
    wins: int
    threshold: Threshold
    past: Past = field(repr=False)
    days: float | None = None
    """How many days the moments stand for, where each is one of a calendar grid."""
    notes: tuple[str, ...] = ()
    """What makes the figures kinder than they will be."""

    def as_dict(self) -> dict[str, Any]:
        """Return the line as plain JSON values."""
        return {
            "scorecard": self.scorecard,
            "entity": self.entity,
            "since": None if self.since is None else self.since.isoformat() + "Z",
            "until": self.until.isoformat() + "Z",
            "leads": self.leads,
            "wins": self.wins,
            **self.threshold.as_dict(),
            "notes": list(self.notes),
            "curve": [choice.as_dict() for choice in curve(self.past, days=self.days)],
        }

    def __str__(self) -> str:
        since = "" if self.since is None else f" from {self.since:%Y-%m-%d}"
        said = self.past.words
        head = f"{self.scorecard}, by {self.leads:,} past {said.entities} ({self.wins:,} {said.won}){since}"
        return "\n".join([f"{head} until {self.until:%Y-%m-%d}", str(self.threshold), *self.notes])


def line(
    engine: Engine,
    workspace: ResolvedWorkspace,
    scorecard: ResolvedScorecard,
    wish: Wish,
    *,
    since: datetime | None,
    until: datetime,
) -> Line:
    """Draw the line by leads that were settled at `until`, each counted once, where its score was highest.

    A lead passes a line when its score reaches it at one of the moments it was looked at. Where wins repeat, each of
    these moments is a chance of its own and counts on its own. Raises NotFoundError
    without such leads, UsageError for a wish the data cannot answer.
    """
    rows = past_rows(engine, workspace, until)
    if since is not None:
        rows = rows.take(rows.time >= (since - datetime(1970, 1, 1)).total_seconds() / 86_400)  # noqa: DTZ001
    found = scores_at(engine, workspace, scorecard, rows.lead, rows.as_of)
    rows, found = rows.take(found.scored), found.take(found.scored)
    if not len(rows.lead):
        raise NotFoundError(f"no {workspace.spec.entity} of that period has an outcome that is settled by then")
    score = found.score
    if not _repeats(workspace):
        best = np.zeros(len(rows.lead), np.bool_)
        best[rows.one_each(found.score)] = True
        rows, score = rows.take(best), found.score[best]
    if wish.per_day is not None and not rows.dated:
        raise UsageError(
            "leads have no dates, so nothing tells how many of them come in a day",
            fix="Name their column with `created_at:`, or ask for a --cost or a --precision.",
        )
    group = None if wish.by is None else texts_at(engine, workspace, wish.by, rows)
    past = Past(score, rows.won, rows.worth, rows.time if rows.dated else None, group, words_of(workspace.spec))
    days = _days_of_grid(workspace, rows)
    drawn, wins = _drawn(past, wish, days), int(rows.won.sum())
    kind = notes(scorecard, since)
    return Line(scorecard.name, workspace.spec.entity, since, until, len(score), wins, drawn, past, days, kind)


def _repeats(workspace: ResolvedWorkspace) -> bool:
    return workspace.spec.outcome is not None and workspace.spec.outcome.repeats


def _days_of_grid(workspace: ResolvedWorkspace, rows: Rows) -> float | None:
    """Return the days that the moments of a grid stand for, each for a step; None where moments follow creations."""
    learn = workspace.spec.learn
    every = None if learn.ages else learn.grid
    if every is None or not rows.dated or not _repeats(workspace):
        return None
    return len(np.unique(rows.time)) * (every / timedelta(days=1))


def _drawn(past: Past, wish: Wish, days: float | None) -> Threshold:
    if wish.per_day is not None:
        return threshold_for_capacity(past, wish.per_day, days=days)
    if wish.cost is not None:
        return threshold_for_cost(past, wish.cost, gain=wish.gain, days=days)
    assert wish.precision is not None
    return threshold_for_precision(past, wish.precision, days=days)
