"""Who comes first, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pyarrow as pa

from leadlight.engines.base import Engine
from leadlight.errors import NotFoundError, did_you_mean
from leadlight.expr import build
from leadlight.features.moment import Moment
from leadlight.scorecards.compile import Options, score_statement
from leadlight.scorecards.ledger import Ledger, ledgers, top
from leadlight.scorecards.past import continues
from leadlight.scorecards.places import BY_SCORE, Way, count_groups, due, names_of, placed
from leadlight.scorecards.sentences import time_left
from leadlight.scorecards.staleness import staleness
from leadlight.spec.entity import many
from leadlight.spec.readable import Readable, html_table
from leadlight.spec.resolved import ResolvedScorecard, ResolvedWorkspace
from leadlight.store.sql import Sql, fill

REASONS = 3
"""How many reasons a ranking shows for each lead."""
GROUPS = 50
"""How many groups a ranking within groups shows."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """One place of a ranking."""

    rank: int
    ledger: Ledger = field(repr=False)
    group: str | None = None
    """The value of the attribute that a ranking within groups is by, and the place within it."""
    rank_in_group: int | None = None
    deadline: datetime | None = None
    days_left: float | None = None
    """The days until it is due, negative when that has passed; None where it has no deadline."""
    in_time: bool | None = None
    """Whether it can still be done in time, where that was asked for."""

    @property
    def reasons(self) -> list[str]:
        """The gate and the largest contributions, in words."""
        gate = [f"{self.ledger.gate.name}: grade {self.ledger.gate.grade}"] if self.ledger.gate else []
        return gate + [str(item) for item in top(self.ledger.contributions, REASONS)]

    @property
    def due(self) -> str:
        """How long it is until the deadline, or since: empty where there is none."""
        return "" if self.days_left is None else time_left(self.days_left)


@dataclass(frozen=True, slots=True)
class RankedGroup:
    """A group of a ranking within groups: how many are in it, and the rank of its first among all."""

    name: str
    count: int
    best: int


@dataclass(frozen=True, slots=True, repr=False)
class Ranking(Readable):
    """The leads in order: gates that give the best grade first, then by score, then other gated ones."""

    entity: str
    scorecard: str
    version: str
    as_of: datetime
    total: int
    excluded: int
    grades: Mapping[str, int]
    """Grade → how many leads have it, the best grade first."""
    rows: tuple[Ranked, ...] = field(repr=False)
    notes: tuple[str, ...] = ()
    way: Way = BY_SCORE
    groups: tuple[RankedGroup, ...] = ()
    """With `way.per`: the groups shown, the one whose first ranks best first."""
    has_deadline: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return the ranking as plain JSON values."""
        return {
            "entity": self.entity,
            "scorecard": self.scorecard,
            "version": self.version,
            "as_of": self.as_of.isoformat() + "Z",
            "total": self.total,
            "excluded": self.excluded,
            "grades": dict(self.grades),
            "rows": [
                {
                    "rank": row.rank,
                    "id": row.ledger.id,
                    "score": row.ledger.score,
                    "grade": row.ledger.grade,
                    "gate": row.ledger.gate.name if row.ledger.gate else None,
                    "probability": row.ledger.probability,
                    "interval": None if row.ledger.interval is None else list(row.ledger.interval),
                    "uplift": row.ledger.uplift,
                    "uplift_interval": None if row.ledger.uplift_interval is None else list(row.ledger.uplift_interval),
                    "expected": row.ledger.expected,
                    "groups": dict(row.ledger.totals),
                    "reasons": row.reasons,
                    **self._beside(row),
                }
                for row in self.rows
            ],
            "notes": list(self.notes),
            **self._how(),
        }

    def _beside(self, row: Ranked) -> dict[str, Any]:
        """Return what stands beside a row where it was asked for."""
        found: dict[str, Any] = {}
        if self.way.per is not None:
            found |= {"group": row.group, "rank_in_group": row.rank_in_group}
        if self.has_deadline:
            deadline = None if row.deadline is None else row.deadline.isoformat() + "Z"
            found |= {"deadline": deadline, "days_left": row.days_left}
        return found | ({"in_time": row.in_time} if self.way.order == "rescue" else {})

    def _how(self) -> dict[str, Any]:
        found: dict[str, Any] = {} if self.way.order == "score" else {"order": self.way.order}
        if self.way.per is not None:
            groups = [{"name": group.name, "count": group.count, "best": group.best} for group in self.groups]
            found |= {"per": self.way.per, "members": groups}
        return found

    def __str__(self) -> str:
        shown = f"{len(self.rows)} of {many(self.total, self.entity)}"
        lines = [f"{shown} by {self.scorecard} as of {self.as_of:%Y-%m-%d %H:%M} UTC"]
        sizes = {group.name: group.count for group in self.groups}
        for row in self.rows:
            if row.rank_in_group == 1 and row.group is not None:
                lines.append(f"{self.way.per} {row.group}: {many(sizes[row.group], self.entity)}")
            grade, place = row.ledger.grade or "", row.rank if row.rank_in_group is None else row.rank_in_group
            due = f" ({row.due})" if row.due else ""
            lines.append(
                f"{place:>5}  {row.ledger.score:>8.1f}  {grade:<3} {row.ledger.id}{due}: {'; '.join(row.reasons)}"
            )
        return "\n".join([*lines, *self.notes])

    def _repr_html_(self) -> str:
        groups = list(self.rows[0].ledger.totals) if self.rows else []
        beside = [name for name, shown in ((self.way.per, self.way.per), ("due", self.has_deadline)) if name and shown]
        columns = ["#", self.entity, *beside, "score", "grade", *groups, "reasons"]
        rows = [
            [row.rank, row.ledger.id, *self._cells(row), f"{row.ledger.score:.1f}", row.ledger.grade or "",
             *(f"{row.ledger.totals[group]:.1f}" for group in groups), "; ".join(row.reasons)]
            for row in self.rows
        ]  # fmt: skip
        title = "\n".join([str(self).partition("\n")[0], *self.notes])
        return html_table(title, columns, rows, numbers=["#", "score", *groups])

    def _cells(self, row: Ranked) -> list[str]:
        """Return what stands beside the id in a notebook: the group, the time left."""
        group = [row.group or ""] if self.way.per is not None else []
        return group + ([row.due] if self.has_deadline else [])


FEW = 1000
"""So many leads are scored for themselves; of more, everybody is scored and the others are left out."""
SCORED = "_scored"
"""The temporary table that holds what a statement yielded, for the verbs that look at it more than once."""


@contextmanager
def scored(
    engine: Engine,
    workspace: ResolvedWorkspace,
    scorecard: ResolvedScorecard,
    as_of: datetime,
    *,
    options: Options | None = None,
    table: str = SCORED,
    among: Sequence[int | str] | None = None,
) -> Iterator[str]:
    """Run a scorecard over everybody, or some leads (or accounts), into a temporary table, and drop it afterwards."""
    options = options or Options()
    options = replace(options, grade_history=continues(engine, scorecard, as_of))
    only = among if among is not None and len(among) <= FEW else None
    statement = score_statement(workspace, scorecard, Moment(as_of=as_of, only=only), options)
    text = Sql(build.to_text(statement, engine.capabilities.dialect))
    engine.execute(fill("DROP TABLE IF EXISTS {table}", table=table))
    engine.execute(fill("CREATE TEMPORARY TABLE {table} AS {text}", table=table, text=text))
    if among is not None and only is None:
        _keep_only(engine, table, scorecard.spec.of, among)
    try:
        yield table
    finally:
        engine.execute(fill("DROP TABLE IF EXISTS {table}", table=table))


def _keep_only(engine: Engine, table: str, key: str, among: Sequence[int | str]) -> None:
    engine.register("_among", pa.table({key: pa.array(among, pa.int32() if key == "lead" else pa.string())}))
    try:
        engine.execute(fill("DELETE FROM {table} WHERE {key} NOT IN (SELECT {key} FROM _among)", table=table, key=key))
    finally:
        engine.unregister("_among")


def rank(
    engine: Engine,
    workspace: ResolvedWorkspace,
    scorecard: ResolvedScorecard,
    as_of: datetime,
    *,
    limit: int | None = None,
    grade: str | None = None,
    among: Sequence[int] | None = None,
    way: Way = BY_SCORE,
) -> Ranking:
    """Rank everybody as of a moment (or only the leads `among`), and explain the first `limit` (of one grade, if told).

    `limit` is 20 unless told; within groups (`way.per`) it is for each group, and 5. Raises NotFoundError for a grade
    the scorecard does not have, and for names that are none.
    """
    of = scorecard.spec.of
    labels = scorecard.spec.grades.labels if scorecard.spec.grades is not None else []
    if grade is not None and grade not in labels:
        raise NotFoundError(f"{scorecard.name} has no grade {grade!r}: {did_you_mean(grade, labels)}")
    options = Options(contributions=False, carry=names_of(workspace, scorecard, way))
    with scored(engine, workspace, scorecard, as_of, options=options, among=among) as table:
        total = int(engine.rows(fill("SELECT count(*) FROM {table}", table=table))[0][0])
        graded = scorecard.spec.grades is not None
        counts = count_grades(engine, scorecard, table) if graded else {}
        with placed(engine, workspace, scorecard, table, way) as (query, notes):
            groups, more = _groups(engine, query, way)
            places = _first(engine, query, way, groups, grade=grade, limit=limit)
    keys = [place["key"] for place in places]
    found_ledgers = {item.key: item for item in ledgers(engine, workspace, scorecard, Moment(as_of=as_of, only=keys))}
    rows = tuple(
        Ranked(
            place["rank"], found_ledgers[place["key"]], place.get("group"), place.get("rank_in_group"),
            place.get("deadline"), place.get("days_left"), place.get("in_time"),
        )
        for place in places
    )  # fmt: skip
    existing = _existing(engine, scorecard, as_of) if among is None else len(set(among))
    entity = workspace.spec.entity if of == "lead" else "account"
    return Ranking(
        entity, scorecard.name, scorecard.version, as_of, total, max(existing - total, 0) if of == "lead" else 0,
        counts, rows, (*staleness(engine, as_of), *notes, *more), way, tuple(groups),
        due(workspace, scorecard) is not None,
    )  # fmt: skip


def _groups(engine: Engine, places: Sql, way: Way) -> tuple[list[RankedGroup], tuple[str, ...]]:
    """Return the groups to show, and a note where there are more."""
    if way.per is None:
        return [], ()
    total, found = count_groups(engine, places, GROUPS)
    more = f"{total:,} values of {way.per}: the {GROUPS} whose first rank best are shown" if total > GROUPS else None
    return [RankedGroup(*group) for group in found], (more,) if more else ()


def _first(
    engine: Engine, places: Sql, way: Way, groups: Sequence[RankedGroup], *, grade: str | None, limit: int | None
) -> list[dict[str, Any]]:
    """Return the first places, of each group where there are groups."""
    asked = fill("SELECT * FROM ({places}) WHERE (?::VARCHAR IS NULL OR grade = ?)", places=places)
    if way.per is None:
        query = fill("{asked} ORDER BY rank LIMIT ?", asked=asked)
        return list(engine.arrow(query, [grade, grade, limit or 20]).to_pylist())
    engine.register("_groups", pa.table({"group": [group.name for group in groups], "at": range(len(groups))}))
    try:
        query = fill(
            'SELECT p.* FROM ({asked} AND rank_in_group <= ?) p JOIN _groups g ON g."group" = p."group" '
            "ORDER BY g.at, p.rank",
            asked=asked,
        )
        return list(engine.arrow(query, [grade, grade, limit or 5]).to_pylist())
    finally:
        engine.unregister("_groups")


def count_grades(engine: Engine, scorecard: ResolvedScorecard, table: str) -> dict[str, int]:
    """Count who holds each grade in a table of scores, the best grade first."""
    assert scorecard.spec.grades is not None
    found = dict(engine.rows(fill("SELECT grade, count(*) FROM {table} GROUP BY grade", table=table)))
    return {label: int(found.get(label, 0)) for label in scorecard.spec.grades.labels}


def _existing(engine: Engine, scorecard: ResolvedScorecard, as_of: datetime) -> int:
    if scorecard.spec.of != "lead":
        return 0
    return int(engine.rows("SELECT count(*) FROM leads WHERE created_at <= ?", [as_of])[0][0])
