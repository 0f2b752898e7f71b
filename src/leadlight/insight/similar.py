"""The past leads most like a lead in what matters for buying, and how they ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from leadlight.engines.base import Engine
from leadlight.errors import NotFoundError
from leadlight.evaluate.rates import wilson
from leadlight.features.moment import Moment
from leadlight.insight.cases import (
    ENDED,
    SAMPLE,
    WON,
    WORTH,
    Cases,
    after_that,
    comparable_age,
    in_days,
    only_leads,
    past_cases,
    scored_cases,
    seen_at,
    temporary,
)
from leadlight.scorecards.ledger import SHOWN, Contribution, Ledger, ledgers
from leadlight.scorecards.sentences import amount, percent
from leadlight.spec.resolved import ResolvedScorecard, ResolvedWorkspace
from leadlight.spec.words import USUAL, Words, words_of
from leadlight.store.sql import Sql, fill

BLOCK = 65_536
"""How many cases are measured at once."""
ALIKE = 3
"""How many items a neighbour agrees in, and differs in, are named at most."""

ROW = ["lead", "id", "as_of", "score", WON, ENDED, WORTH]
"""What is read of each case beside its contributions."""

Points = NDArray[np.float32]
Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Difference:
    """An item of which the two leads have different points, as each has it."""

    key: str
    points: float
    """The neighbour's points less the lead's."""
    reason: str
    """The neighbour's reason."""

    def __str__(self) -> str:
        return f"{self.reason} ({amount(self.points)})"


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A past lead as it stood at the moment it is compared at, and how it ended."""

    id: str
    as_of: datetime
    distance: float
    """The sum over all criteria of the differences in points, without sign."""
    score: float
    won: bool
    ended: str | None
    """Its outcome within the horizon; None where it was still open at its end."""
    worth: float | None
    """What its win was worth."""
    agree: tuple[str, ...]
    """The reasons both have with the same points (within 5 %), the largest first."""
    differ: tuple[Difference, ...]
    """The items that make up most of the distance, the largest first."""
    words: Words = field(default=USUAL, repr=False, compare=False)

    def as_dict(self) -> dict[str, Any]:
        """Return the neighbour as plain JSON values."""
        return {
            "id": self.id, "as_of": self.as_of.isoformat() + "Z", "distance": self.distance, "score": self.score,
            "won": self.won, "ended": self.ended, "worth": self.worth, "agree": list(self.agree),
            "differ": [{"key": d.key, "points": d.points, "reason": d.reason} for d in self.differ],
        }  # fmt: skip

    def __str__(self) -> str:
        worth = f", {self.words.worth} {self.worth:,.0f}" if self.worth is not None else ""
        end = f"{self.ended or 'still open'}{worth}"
        differ = "; ".join(map(str, self.differ)) or "nothing"
        return f"{self.id}: {end}; {self.distance:.1f} points away ({differ})"


@dataclass(frozen=True, slots=True)
class Similar:
    """A lead's nearest past cases, and how they ended."""

    id: str
    entity: str
    scorecard: str
    version: str
    as_of: datetime
    score: float
    age: timedelta | None
    """The time after their creation at which past leads are compared; None where it is `every` instead."""
    every: timedelta | None
    """The step of the calendar grid on which past leads are compared."""
    horizon: timedelta
    dated: bool
    """Whether outcomes have a time; else a win counts whenever it came."""
    cases: int
    base_rate: float
    """The share of all cases that was won."""
    near: int
    """How many are as near as the last of `rows`: with whole points many may be, and all of them count."""
    won: int
    """How many of these were won."""
    median_worth: float | None
    """The median worth of these wins; None where none is known."""
    rows: tuple[Neighbour, ...] = field(repr=False)
    """The nearest, those at the same distance by id."""
    words: Words = field(default=USUAL, repr=False, compare=False)

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the rate of wins among the nearest (Wilson 1927)."""
        return wilson(self.won, self.near)

    @property
    def summary(self) -> str:
        """The answer in a sentence."""
        worth = f", median {self.words.worth} {self.median_worth:,.0f}" if self.median_worth is not None else ""
        low, high = self.interval
        return (
            f"{self.won:,} of the {self.near:,} most like {self.id} were {self.words.won}{worth} "
            f"({percent(round(low, 4))} to {percent(high)}; {percent(self.base_rate)} of all past cases)"
        )

    @property
    def rule(self) -> str:
        """What the lead was compared with, in a sentence."""
        ages = [] if self.age is None else [self.age]
        return (
            f"{self.cases:,} past {self.entity} cases, each as it stood {seen_at(ages, self.every)}; "
            f"{self.words.won} means {after_that(self.horizon, dated=self.dated)}"
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON values."""
        return {
            "id": self.id,
            "entity": self.entity,
            "scorecard": self.scorecard,
            "version": self.version,
            "as_of": self.as_of.isoformat() + "Z",
            "score": self.score,
            "age_days": None if self.age is None else in_days(self.age),
            "every_days": None if self.every is None else in_days(self.every),
            "horizon_days": in_days(self.horizon) if self.dated else None,
            "cases": self.cases,
            "base_rate": self.base_rate,
            "near": self.near,
            "won": self.won,
            "median_worth": self.median_worth,
            "interval": list(self.interval),
            "rows": [row.as_dict() for row in self.rows],
        }

    def __str__(self) -> str:
        return "\n".join([self.summary, self.rule, *(f"  {row}" for row in self.rows)])


def similar(
    engine: Engine,
    workspace: ResolvedWorkspace,
    scorecard: ResolvedScorecard,
    lead: int,
    as_of: datetime,
    *,
    limit: int = 20,
    same_account: bool = True,
    sample: int | None = SAMPLE,
) -> Similar:
    """Return the past leads nearest to a lead (its number in the store), measured in the contributions to the score.

    The lead stands as of the moment; each past lead as of the same age (see `cases.comparable_age`), or at one moment
    of the grid of `learn: every` where there is one, when it was still open and its horizon is over now. The distance
    is the sum of the differences in points, criterion by criterion, so it adds up as the scores do and weighs what
    matters for buying. The search is exact over the cases that are looked at, at most `sample`. The lead itself is
    never among them, nor what was merged into it; `same_account=False` leaves its colleagues out too.

    Raises NotFoundError where the lead did not exist yet or there are no past wins, UsageError for a scorecard of
    accounts or a workspace without `outcome`.
    """
    only_leads(scorecard, "similar")
    mine = ledger_of(engine, workspace, scorecard, lead, as_of)
    ages = comparable_ages(engine, workspace, lead, as_of)
    with (
        past_cases(engine, workspace, as_of, ages, without=lead, sample=sample) as cases,
        scored_cases(engine, workspace, scorecard, cases) as table,
    ):
        keys = [criterion.key for criterion in scorecard.criteria]
        accounts = [] if same_account else _accounts(engine, lead, as_of)
        rows = engine.arrow(_wanted(table, keys, without_account=bool(accounts)), accounts)
        given = {item.key: item.points for item in mine.contributions}
        distance = distances(matrix(rows, keys), np.array([given[key] for key in keys], np.float32))
        near = nearest(distance, rows.column("id"), limit)
        found = rows.take(pa.array(near)).select(ROW)
        theirs = _ledgers_of(engine, workspace, scorecard, found)
    return _similar(workspace, mine, cases, rows, distance, near, found, theirs)


def ledger_of(
    engine: Engine, workspace: ResolvedWorkspace, scorecard: ResolvedScorecard, lead: int, as_of: datetime
) -> Ledger:
    """Return the ledger of a lead. Raises NotFoundError where it did not exist yet."""
    found = ledgers(engine, workspace, scorecard, Moment(as_of=as_of, only=[lead]))
    if not found:
        name = engine.rows("SELECT id FROM leads WHERE lead = ?", [lead])[0][0]
        raise NotFoundError(f"{name} did not exist yet as of {as_of:%Y-%m-%d %H:%M} UTC")
    return found[0]


def comparable_ages(
    engine: Engine, workspace: ResolvedWorkspace, lead: int, as_of: datetime, *, ahead: timedelta = timedelta(0)
) -> list[timedelta]:
    """Return the age at which to compare a lead (see `cases.comparable_age`); none where a grid tells the moments."""
    if workspace.spec.learn.every is not None:
        return []
    created: datetime = engine.rows("SELECT created_at FROM leads WHERE lead = ?", [lead])[0][0]
    return [comparable_age(engine, workspace, as_of, as_of - created, ahead=ahead)]


def matrix(rows: pa.Table, keys: Sequence[str]) -> Points:
    """Return columns of points as a matrix (rows, keys) in single precision."""
    found: Points = np.empty((rows.num_rows, len(keys)), np.float32)
    for place, key in enumerate(keys):
        found[:, place] = rows.column(key).to_numpy()
    return found


def distances(points: Points, mine: Points) -> Points:
    """Return the sum of absolute differences of each row to one, rounded so that equal ones are equal.

    >>> distances(np.array([[1, 2], [4, 0]], np.float32), np.array([1, 1], np.float32)).tolist()
    [1.0, 4.0]
    """
    found: Points = np.empty(len(points), np.float32)
    for start in range(0, len(points), BLOCK):
        block = slice(start, start + BLOCK)
        found[block] = np.abs(points[block] - mine).sum(axis=1)
    return found.round(3)


def nearest(distance: Points, ids: pa.ChunkedArray, limit: int) -> Places:
    """Return the rows at the least distances, ties by id.

    >>> nearest(np.array([2, 0, 2, 9], np.float32), pa.chunked_array([["d", "c", "b", "a"]]), 2).tolist()
    [1, 2]
    """
    limit = min(limit, len(distance))
    if not limit:
        return np.empty(0, np.int64)
    last = np.partition(distance, limit - 1)[limit - 1]
    near = np.flatnonzero(distance <= last)
    names = ids.take(pa.array(near)).to_numpy().astype(str)
    return near[np.lexsort((names, distance[near]))][:limit]


def _wanted(table: str, keys: Sequence[str], *, without_account: bool) -> Sql:
    """Return the query of the scored cases; without the members of an account, which is its parameter then."""
    query = fill("SELECT {columns} FROM {table} s", columns=[*ROW, *keys], table=table)
    return (
        query
        if not without_account
        else fill(
            "{query} WHERE NOT EXISTS (SELECT 1 FROM attributes a WHERE a.lead = s.lead AND a.known_at <= s.as_of "
            "AND a.known_until > s.as_of AND a.account = ?)",
            query=query,
        )
    )


def _accounts(engine: Engine, lead: int, as_of: datetime) -> list[str]:
    found = engine.rows(
        "SELECT account FROM attributes WHERE lead = ? AND known_at <= ? AND known_until > ? AND account IS NOT NULL",
        [lead, as_of, as_of],
    )
    return [account for (account,) in found]


def _ledgers_of(
    engine: Engine, workspace: ResolvedWorkspace, scorecard: ResolvedScorecard, found: pa.Table
) -> dict[int, Ledger]:
    """Explain the few that were found, each as of its own moment."""
    engine.register("_found", found.select(["lead", "as_of"]))
    try:
        with temporary(engine, "_near", Sql("SELECT lead, as_of FROM _found")) as table:
            made = ledgers(engine, workspace, scorecard, Moment(table=table), grade_history=False)
    finally:
        engine.unregister("_found")
    return {int(item.key): item for item in made}


def _similar(
    workspace: ResolvedWorkspace, mine: Ledger, cases: Cases, past: pa.Table,
    distance: Points, near: Places, found: pa.Table, theirs: dict[int, Ledger],
) -> Similar:  # fmt: skip
    as_near = distance <= distance[near[-1]] if len(near) else np.zeros(len(distance), np.bool_)
    won: NDArray[np.bool_] = past.column(WON).to_numpy()
    worth = past.column(WORTH).cast(pa.float64()).to_numpy()[as_near]
    known = worth[~np.isnan(worth)]
    rows = [
        _neighbour(row, float(distance[place]), mine, theirs[row["lead"]])
        for place, row in zip(near, found.to_pylist(), strict=True)
    ]
    return Similar(
        id=mine.id,
        entity=workspace.spec.entity,
        scorecard=mine.scorecard,
        version=mine.version,
        as_of=mine.as_of,
        score=mine.score,
        age=cases.ages[0] if cases.every is None else None,
        every=cases.every,
        horizon=cases.horizon,
        dated=cases.dated,
        cases=len(won),
        base_rate=float(won.mean()) if len(won) else 0.0,
        near=int(as_near.sum()),
        won=int(won[as_near].sum()),
        median_worth=float(np.median(known)) if len(known) else None,
        rows=tuple(rows),
        words=words_of(workspace.spec),
    )


def _neighbour(row: dict[str, Any], distance: float, mine: Ledger, theirs: Ledger) -> Neighbour:
    given = {item.key: item for item in mine.contributions if item.kind == "criterion"}
    items = [item for item in theirs.contributions if item.kind == "criterion"]
    agree = [item for item in items if _agrees(item, given[item.key])]
    differ = [Difference(item.key, item.points - given[item.key].points, item.reason) for item in items]
    differ = sorted((item for item in differ if abs(item.points) > 1e-3), key=lambda item: -abs(item.points))
    return Neighbour(
        id=row["id"], as_of=row["as_of"], distance=distance, score=row["score"], won=row[WON], ended=row[ENDED],
        worth=row[WORTH],
        agree=tuple(item.reason for item in sorted(agree, key=lambda item: -abs(item.points))[:ALIKE]),
        differ=tuple(differ[:ALIKE]), words=mine.words,
    )  # fmt: skip


def _agrees(theirs: Contribution, mine: Contribution) -> bool:
    larger = max(abs(theirs.points), abs(mine.points))
    return larger > SHOWN and abs(theirs.points - mine.points) <= 0.05 * larger
