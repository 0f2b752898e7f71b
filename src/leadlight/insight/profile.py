"""Who the ideal buyer is: what the won have more often than all, criterion by criterion, and which pairs matter."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from leadlight.engines.base import Engine
from leadlight.evaluate.arrays import Bools, Floats
from leadlight.expr.types import Type
from leadlight.insight.cases import (
    SAMPLE,
    WON,
    Cases,
    after_that,
    in_days,
    only_leads,
    past_cases,
    scored_cases,
    seen_at,
)
from leadlight.insight.levels import Levels, columns, levels
from leadlight.insight.pairs import Pair, find_pairs
from leadlight.insight.ratio import Ratio, beyond_chance, log_lift
from leadlight.scorecards.compile import Options, name_types
from leadlight.scorecards.sentences import amount, percent
from leadlight.spec.resolved import ResolvedCriterion, ResolvedScorecard, ResolvedWorkspace
from leadlight.spec.words import USUAL, Words, words_of
from leadlight.store.sql import fill

SUPPORT = 30
"""The fewest cases of a level, or of a pair of levels, that say anything."""
SHOWN = 6
"""How many levels of each kind a profile names, of each group of the scorecard."""
USUAL_AGES = [timedelta(days=1), timedelta(days=7), timedelta(days=30)]
"""How long after its creation a lead is looked at, beside its creation, where the workspace does not say."""
EQUAL = 0.05
"""Points that differ by less count as the same."""


@dataclass(frozen=True, slots=True)
class Level:
    """One level of a criterion: how often the won have it, how often all, and the points it gives."""

    key: str
    """The criterion's key."""
    group: str
    criterion: str
    text: str
    """The criterion and the level in words."""
    count: int
    won: int
    share_won: float
    """Its share among the won."""
    share_all: float
    lift: Ratio
    """Its share among the won over its share among all; so much more often than others it was won."""
    points: float
    """The mean points it gives."""
    beyond: float
    """Those points, less the mean over all cases: what having it changes in a score."""
    words: Words = field(default=USUAL, repr=False, compare=False)

    @property
    def adds(self) -> float:
        """How much it adds to buying and to the score: log2 of the lift × points beyond the mean."""
        return math.log2(self.lift.value) * self.beyond

    def as_dict(self) -> dict[str, Any]:
        """Return the level as plain JSON values."""
        return {
            "key": self.key, "group": self.group, "criterion": self.criterion, "text": self.text, "count": self.count,
            "won": self.won, "share_won": self.share_won, "share_all": self.share_all, "lift": self.lift.as_dict(),
            "points": self.points, "beyond": self.beyond,
        }  # fmt: skip

    def __str__(self) -> str:
        shares = f"{percent(self.share_won)} of the {self.words.won}, {percent(self.share_all)} of all"
        return f"{self.text} ({self.count:,}): {shares}, {self.lift}, {amount(self.beyond)} points against the mean"


@dataclass(frozen=True, slots=True)
class Profile:
    """The ideal buyer and the opposite, as a scorecard's criteria tell them apart in past cases.

    `ideal` and `anti` are levels whose lift is above (below) 1 beyond chance and whose points say so too, those that
    add most first; as there are many levels, chance is kept to a twentieth of those named. `contrary` are levels of
    which points and outcomes say the opposite: the scorecard's own blind spots. `pairs` matter beyond their singles.
    Intervals are 95 %.
    """

    entity: str
    scorecard: str
    version: str
    as_of: datetime
    ages: tuple[timedelta, ...]
    """How long after its creation each case was looked at; none where it was on a calendar grid."""
    every: timedelta | None
    """The step of that grid."""
    horizon: timedelta
    dated: bool
    """Whether outcomes have a time; else a win counts whenever it came."""
    cases: int
    won: int
    ideal: tuple[Level, ...]
    anti: tuple[Level, ...]
    contrary: tuple[Level, ...]
    pairs: tuple[Pair, ...]
    levels: tuple[Level, ...] = field(repr=False)
    """All levels that occur, criterion by criterion."""
    words: Words = field(default=USUAL, repr=False, compare=False)

    @property
    def rule(self) -> str:
        """How the cases came about, in a sentence."""
        share = percent(self.won / self.cases)
        return (
            f"{self.cases:,} past {self.entity} cases, each as it stood {seen_at(self.ages, self.every)}; "
            f"{self.won:,} ({share}) were {self.words.won} {after_that(self.horizon, dated=self.dated)}"
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the profile as plain JSON values."""
        return {
            "entity": self.entity,
            "scorecard": self.scorecard,
            "version": self.version,
            "as_of": self.as_of.isoformat() + "Z",
            "ages_days": [in_days(age) for age in self.ages],
            "every_days": None if self.every is None else in_days(self.every),
            "horizon_days": in_days(self.horizon) if self.dated else None,
            "cases": self.cases,
            "won": self.won,
            "ideal": [level.as_dict() for level in self.ideal],
            "anti": [level.as_dict() for level in self.anti],
            "contrary": [level.as_dict() for level in self.contrary],
            "pairs": [pair.as_dict() for pair in self.pairs],
            "levels": [level.as_dict() for level in self.levels],
        }

    def __str__(self) -> str:
        parts: list[tuple[str, Sequence[Level | Pair]]] = [
            (f"The {self.words.won} are more often", self.ideal),
            (f"The {self.words.won} are less often", self.anti),
            ("Points and outcomes disagree", self.contrary),
            ("Together more, or less, than each alone", self.pairs),
        ]
        lines = [f"Ideal {self.entity} by {self.scorecard} as of {self.as_of:%Y-%m-%d}", self.rule]
        for title, items in parts:
            lines += [title, *(f"  {item}" for item in items)] if items else []
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class _Facts:
    """What one criterion shows in the cases."""

    criterion: ResolvedCriterion
    levels: Levels
    points: Floats


def _ages(workspace: ResolvedWorkspace) -> list[timedelta]:
    named = workspace.spec.learn.moments
    return USUAL_AGES if named is None else named


def profile(
    engine: Engine,
    workspace: ResolvedWorkspace,
    scorecard: ResolvedScorecard,
    as_of: datetime,
    *,
    support: int = SUPPORT,
    sample: int | None = SAMPLE,
) -> Profile:
    """Hold what the won are and do against what all are and do, as far as it was known then.

    Each past lead is looked at once, at its creation or one of `learn: moments` after it, which of them is drawn from
    its id (see `insight.cases`); so nothing counts that came after, and least of all after the outcome. Levels
    with fewer than `support` cases are counted and never named as ideal. At most `sample` cases are drawn.

    Raises UsageError for a scorecard of accounts or a workspace without `outcome`, NotFoundError without past wins.
    """
    only_leads(scorecard, "a profile")
    with (
        past_cases(engine, workspace, as_of, [timedelta(0), *_ages(workspace)], sample=sample) as cases,
        scored_cases(engine, workspace, scorecard, cases, options=Options(evidence=True)) as table,
    ):
        won: Bools = engine.arrow(fill("SELECT {won} FROM {table}", won=WON, table=table)).column(0).to_numpy()
        types = name_types(workspace.with_features(scorecard.features))
        facts = [_facts(engine, criterion, table, types) for criterion in scorecard.criteria]
    found = [level for item in facts for level in _levels(item, won, words_of(workspace.spec))]
    return _profile(
        workspace,
        scorecard,
        as_of,
        cases,
        won,
        found,
        support,
        tuple(
            replace(pair, words=words_of(workspace.spec))
            for pair in find_pairs([item.levels for item in facts], won, support)
        ),
    )


def _profile(
    workspace: ResolvedWorkspace, scorecard: ResolvedScorecard, as_of: datetime, cases: Cases, won: Bools,
    found: list[Level], support: int, pairs: tuple[Pair, ...],
) -> Profile:  # fmt: skip
    enough = [level for level in found if level.count >= support]
    told = beyond_chance(np.array([level.lift.chance for level in enough]))
    sure = [level for level, is_told in zip(enough, told, strict=True) if is_told and level.lift.certain]
    by_adding = sorted(sure, key=lambda level: -level.adds)
    agreeing = [level for level in by_adding if level.adds > 0 and abs(level.beyond) >= EQUAL]
    contrary = [level for level in by_adding[::-1] if level.adds < 0 and abs(level.beyond) >= EQUAL]
    return Profile(
        entity=workspace.spec.entity,
        scorecard=scorecard.name,
        version=scorecard.version,
        as_of=as_of,
        ages=cases.ages,
        every=cases.every,
        horizon=cases.horizon,
        dated=cases.dated,
        cases=len(won),
        won=int(won.sum()),
        ideal=_of_each_group([level for level in agreeing if level.beyond > 0]),
        anti=_of_each_group([level for level in agreeing if level.beyond < 0]),
        contrary=_of_each_group(contrary),
        pairs=pairs,
        levels=tuple(found),
        words=words_of(workspace.spec),
    )


def _of_each_group(found: Sequence[Level]) -> tuple[Level, ...]:
    """Return the first of each group of the scorecard, so that what people do leaves room for who they are."""
    seen: Counter[str] = Counter()
    kept = []
    for level in found:
        seen[level.group] += 1
        kept += [level] if seen[level.group] <= SHOWN else []
    return tuple(kept)


def _facts(engine: Engine, criterion: ResolvedCriterion, table: str, types: Mapping[str, Type]) -> _Facts:
    """Read what one criterion saw: a criterion at a time, so that wide scorecards fit into memory."""
    names = list(dict.fromkeys([criterion.key, *columns(criterion)]))
    rows: pa.Table = engine.arrow(fill("SELECT {names} FROM {table}", names=names, table=table))
    return _Facts(criterion, levels(criterion, rows, types), rows.column(criterion.key).to_numpy())


def _levels(facts: _Facts, won: Bools, words: Words) -> list[Level]:
    """Count cases, wins and points of each level that occurs."""
    size, place = len(facts.levels.names), facts.levels.place
    n = np.bincount(place, minlength=size).astype(np.float64)
    wins = np.bincount(place, weights=won, minlength=size).astype(np.float64)
    points = np.bincount(place, weights=facts.points, minlength=size)
    total, all_wins, mean = len(won), int(won.sum()), float(facts.points.mean())
    occurs = np.flatnonzero(n)
    log, error = log_lift(wins[occurs], n[occurs], all_wins, total)
    return [
        Level(
            key=facts.criterion.key,
            group=facts.criterion.group,
            criterion=facts.criterion.spec.name,
            text=facts.levels.names[i],
            count=int(n[i]),
            won=int(wins[i]),
            share_won=float(wins[i] / all_wins),
            share_all=float(n[i] / total),
            lift=Ratio.of_log(float(log[j]), float(error[j])),
            points=float(points[i] / n[i]),
            beyond=float(points[i] / n[i] - mean),
            words=words,
        )
        for j, i in enumerate(occurs)
    ]
