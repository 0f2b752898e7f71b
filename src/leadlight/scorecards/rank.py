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
from leadlight.scorecards.staleness import staleness
from leadlight.spec.entity import many
from leadlight.spec.readable import Readable, html_table
from leadlight.spec.resolved import ResolvedScorecard, ResolvedWorkspace
from leadlight.store.sql import Sql, fill, literal

REASONS = 3
"""How many reasons a ranking shows for each lead."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """One place of a ranking."""

    rank: int
    ledger: Ledger = field(repr=False)

    @property
    def reasons(self) -> list[str]:
        """The gate and the largest contributions, in words."""
        gate = [f"{self.ledger.gate.name}: grade {self.ledger.gate.grade}"] if self.ledger.gate else []
        return gate + [str(item) for item in top(self.ledger.contributions, REASONS)]


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
                }
                for row in self.rows
            ],
            "notes": list(self.notes),
        }

    def __str__(self) -> str:
        shown = f"{len(self.rows)} of {many(self.total, self.entity)}"
        lines = [f"{shown} by {self.scorecard} as of {self.as_of:%Y-%m-%d %H:%M} UTC"]
        for row in self.rows:
            grade = row.ledger.grade or ""
            lines.append(
                f"{row.rank:>5}  {row.ledger.score:>8.1f}  {grade:<3} {row.ledger.id}: {'; '.join(row.reasons)}"
            )
        return "\n".join([*lines, *self.notes])

    def _repr_html_(self) -> str:
        groups = list(self.rows[0].ledger.totals) if self.rows else []
        numbers = ["#", "score", *groups]
        rows = [
            [row.rank, row.ledger.id, f"{row.ledger.score:.1f}", row.ledger.grade or "",
             *(f"{row.ledger.totals[group]:.1f}" for group in groups), "; ".join(row.reasons)]
            for row in self.rows
        ]  # fmt: skip
        title = "\n".join([str(self).partition("\n")[0], *self.notes])
        return html_table(title, ["#", self.entity, "score", "grade", *groups, "reasons"], rows, numbers=numbers)


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
    among: Sequence[int] | None = None,
) -> Iterator[str]:
    """Run a scorecard over everybody, or some leads, into a temporary table, and drop it afterwards."""
    options = options or Options()
    options = replace(options, grade_history=continues(engine, scorecard, as_of))
    statement = score_statement(workspace, scorecard, Moment(as_of=as_of), options)
    text = Sql(build.to_text(statement, engine.capabilities.dialect))
    engine.execute(fill("DROP TABLE IF EXISTS {table}", table=table))
    engine.execute(fill("CREATE TEMPORARY TABLE {table} AS {text}", table=table, text=text))
    if among is not None:
        _keep_only(engine, table, among)
    try:
        yield table
    finally:
        engine.execute(fill("DROP TABLE IF EXISTS {table}", table=table))


def _keep_only(engine: Engine, table: str, among: Sequence[int]) -> None:
    engine.register("_among", pa.table({"lead": pa.array(among, pa.int32())}))
    try:
        engine.execute(fill("DELETE FROM {table} WHERE lead NOT IN (SELECT lead FROM _among)", table=table))
    finally:
        engine.unregister("_among")


def order_by(scorecard: ResolvedScorecard) -> Sql:
    """Return the ORDER BY of a ranking over a table of scores; ties go by id, so that it is always the same."""
    key = "account" if scorecard.spec.of == "account" else "id"
    by = Sql("expected DESC, score DESC" if by_value(scorecard) else "score DESC")
    if scorecard.spec.grades is None:
        return fill("{by}, {key}", by=by, key=key)
    return fill(
        "CASE WHEN gate IS NULL THEN 1 WHEN grade = {best} THEN 0 ELSE 2 END, {by}, {key}",
        best=literal(scorecard.spec.grades.labels[0]),
        by=by,
        key=key,
    )


def by_value(scorecard: ResolvedScorecard) -> bool:
    """Return whether leads are ranked by expected value, which takes a probability (or uplift) and the worth of a win."""
    return scorecard.spec.worth is not None and (scorecard.spec.calibration or scorecard.spec.effect) is not None


def rank(
    engine: Engine,
    workspace: ResolvedWorkspace,
    scorecard: ResolvedScorecard,
    as_of: datetime,
    *,
    limit: int = 20,
    grade: str | None = None,
    among: Sequence[int] | None = None,
) -> Ranking:
    """Rank everybody as of a moment (or only the leads `among`), and explain the first `limit` (of one grade, if told).

    Raises NotFoundError for a grade the scorecard does not have.
    """
    of = scorecard.spec.of
    labels = scorecard.spec.grades.labels if scorecard.spec.grades is not None else []
    if grade is not None and grade not in labels:
        raise NotFoundError(f"{scorecard.name} has no grade {grade!r}: {did_you_mean(grade, labels)}")
    with scored(engine, workspace, scorecard, as_of, options=Options(contributions=False), among=among) as table:
        total = int(engine.rows(fill("SELECT count(*) FROM {table}", table=table))[0][0])
        graded = scorecard.spec.grades is not None
        counts = count_grades(engine, scorecard, table) if graded else {}
        places = engine.rows(
            fill(
                "SELECT key, rank FROM (SELECT {of} AS key, row_number() OVER (ORDER BY {order}) AS rank, "
                "{grade} AS grade FROM {table}) WHERE (?::VARCHAR IS NULL OR grade = ?) ORDER BY rank LIMIT ?",
                of=of,
                order=order_by(scorecard),
                grade="grade" if graded else Sql("NULL::VARCHAR"),
                table=table,
            ),
            [grade, grade, limit],
        )
    keys = [key for key, _ in places]
    found_ledgers = {item.key: item for item in ledgers(engine, workspace, scorecard, Moment(as_of=as_of, only=keys))}
    rows = tuple(Ranked(int(place), found_ledgers[key]) for key, place in places)
    existing = _existing(engine, scorecard, as_of)
    entity = workspace.spec.entity if of == "lead" else "account"
    return Ranking(
        entity, scorecard.name, scorecard.version, as_of, total, max(existing - total, 0) if of == "lead" else 0,
        counts, rows, staleness(engine, as_of),
    )  # fmt: skip


def count_grades(engine: Engine, scorecard: ResolvedScorecard, table: str) -> dict[str, int]:
    """Count who holds each grade in a table of scores, the best grade first."""
    assert scorecard.spec.grades is not None
    found = dict(engine.rows(fill("SELECT grade, count(*) FROM {table} GROUP BY grade", table=table)))
    return {label: int(found.get(label, 0)) for label in scorecard.spec.grades.labels}


def _existing(engine: Engine, scorecard: ResolvedScorecard, as_of: datetime) -> int:
    if scorecard.spec.of != "lead":
        return 0
    return int(engine.rows("SELECT count(*) FROM leads WHERE created_at <= ?", [as_of])[0][0])
