"""Whether a scorecard still fits: what has shifted since it was learned, and what its probabilities were worth."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from leadlight.engines.base import Engine
from leadlight.errors import NotFoundError, UsageError
from leadlight.evaluate.drift import Watch, watch
from leadlight.learn.card import features_of
from leadlight.learn.training import Rows, features_at, past_rows, texts_at
from leadlight.scorecards.scores_at import scores_at
from leadlight.spec.entity import many
from leadlight.spec.moments import to_utc
from leadlight.spec.resolved import ResolvedScorecard, ResolvedWorkspace
from leadlight.spec.words import words_of

RECENT = timedelta(days=90)
"""How far back "since" reaches for a scorecard that does not say when it was learned."""
FEWEST = 30
"""Fewer leads than this before or since cannot be compared."""
SAME_AGE = 1e-6
"""Days."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What has shifted for which scorecard between the leads before and since a moment."""

    scorecard: str
    version: str
    entity: str
    since: datetime
    until: datetime
    before: int
    after: int
    settled: int
    watch: Watch
    note: str = ""
    """Why nothing can be said yet."""

    @property
    def needs_learning(self) -> bool:
        """Whether it is time to learn again."""
        return self.watch.needs_learning

    def as_dict(self) -> dict[str, Any]:
        """Return the comparison as plain JSON values."""
        return {
            "scorecard": self.scorecard,
            "version": self.version,
            "entity": self.entity,
            "since": self.since.isoformat() + "Z",
            "until": self.until.isoformat() + "Z",
            "before": self.before,
            "after": self.after,
            "settled": self.settled,
            "note": self.note,
            **self.watch.as_dict(),
        }

    def __str__(self) -> str:
        return (
            f"{self.scorecard} {self.version}: {many(self.after, self.entity)} since {self.since:%Y-%m-%d} "
            f"against {self.before:,} before; {self.settled:,} rows settled since\n{self.note or self.watch}"
        )


def watched(
    engine: Engine,
    workspace: ResolvedWorkspace,
    scorecard: ResolvedScorecard,
    *,
    since: datetime | None,
    until: datetime,
    segment: str | None = None,
) -> Watched:
    """Compare the leads since a moment (when the scorecard was learned, unless told) with those before.

    Features and scores are those at one and the same age of each lead, so that young leads are not taken for others.
    Probabilities are held against outcomes that were settled since. Where leads are too few to compare, nothing calls
    for learning, and the note says so. Raises NotFoundError where leads have no dates, or for a `segment` that is none.
    """
    start = since or _learned_until(scorecard) or until - RECENT
    cut = (start - datetime(1970, 1, 1)).total_seconds() / 86_400  # noqa: DTZ001 -- naive UTC
    rows = past_rows(engine, workspace, until, unsettled=True)
    if not rows.dated:
        raise NotFoundError("leads have no dates, so nothing can be said of before and since")
    found = scores_at(engine, workspace, scorecard, rows.lead, rows.as_of)
    rows, found = rows.take(found.scored), found.take(found.scored)
    at_age = _at_one_age(workspace, rows)
    old, new = at_age & (rows.time <= cut), at_age & (rows.time > cut)
    fresh = rows.settled & (rows.time > cut)
    counts = (int(old.sum()), int(new.sum()), int(fresh.sum()))
    full = workspace.with_features(scorecard.features)
    segments = None if segment is None else texts_at(engine, full, segment, rows.take(fresh))
    if min(counts[:2]) < FEWEST:
        return Watched(
            scorecard.name, scorecard.version, workspace.spec.entity, start, until, *counts, Watch(None, (), ()),
            f"Too few to compare yet: {FEWEST} on each side are needed; --since names another day.",
        )  # fmt: skip
    names = features_of(workspace, scorecard)
    known = found.probability is not None
    seen = watch(
        reference=features_at(engine, full, names, rows.take(old)).select(names),
        recent=features_at(engine, full, names, rows.take(new)).select(names),
        reference_score=found.score[old],
        recent_score=found.score[new],
        probability=found.probability[fresh] if found.probability is not None else None,
        won=rows.won[fresh] if known else None,
        segment=segments if known else None,
        lead=rows.lead[fresh] if known else None,
        words=words_of(workspace.spec),
    )
    return Watched(scorecard.name, scorecard.version, workspace.spec.entity, start, until, *counts, seen)


def _learned_until(scorecard: ResolvedScorecard) -> datetime | None:
    to = (scorecard.spec.learned or {}).get("to")
    if to is None:
        return None
    try:
        return to_utc(datetime.fromisoformat(str(to)))
    except ValueError:
        raise UsageError(f"learned: to: {to!r} is no date", fix="Write it as 2026-06-30.") from None


def _at_one_age(workspace: ResolvedWorkspace, rows: Rows) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return which rows to compare, one for each lead: else old leads would hide what is new.

    That is the first on the grid after its arrival, or the one at the middle age; where a grid is all there is, all.
    """
    learn, age, day = workspace.spec.learn, rows.time - rows.created, timedelta(days=1)
    if not learn.ages:
        return np.ones(len(age), np.bool_)
    ages = sorted(set(learn.ages))
    found: np.ndarray[Any, np.dtype[np.bool_]] = np.abs(age - ages[len(ages) // 2] / day) < SAME_AGE
    if learn.grid is not None:
        found = (age > SAME_AGE) & (age <= learn.grid / day + SAME_AGE)
    return found
