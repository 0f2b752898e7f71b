"""Who comes first, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from leadlight.engines.base import Engine
from leadlight.expr import build
from leadlight.features.moment import Moment
from leadlight.scorecards.compile import Options, score_statement
from leadlight.scorecards.ledger import Ledger, ledgers, top
from leadlight.spec.resolved import ResolvedScorecard, ResolvedWorkspace

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


@dataclass(frozen=True, slots=True)
class Ranking:
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
                    "groups": dict(row.ledger.totals),
                    "reasons": row.reasons,
                }
                for row in self.rows
            ],
        }

    def __str__(self) -> str:
        shown = f"{len(self.rows)} of {self.total:,} {self.entity}s"
        lines = [f"{shown} by {self.scorecard} as of {self.as_of:%Y-%m-%d %H:%M} UTC"]
        for row in self.rows:
            grade = row.ledger.grade or ""
            lines.append(f"{row.rank:>5}  {row.ledger.score:>8.1f}  {grade:<3} {row.ledger.id}: {'; '.join(row.reasons)}")
        return "\n".join(lines)


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
) -> Iterator[str]:
    """Run a scorecard over everybody into a temporary table, and drop it afterwards."""
    options = options or Options(grade_history=scorecard.spec.grades is not None)
    statement = score_statement(workspace, scorecard, Moment(as_of=as_of), options)
    engine.execute(f'DROP TABLE IF EXISTS "{table}"')
    engine.execute(f'CREATE TEMPORARY TABLE "{table}" AS {build.to_text(statement, engine.capabilities.dialect)}')
    try:
        yield table
    finally:
        engine.execute(f'DROP TABLE IF EXISTS "{table}"')


def order_by(scorecard: ResolvedScorecard) -> str:
    """Return the ORDER BY of a ranking over a table of scores; ties go by id, so that it is always the same."""
    key = "account" if scorecard.spec.of == "account" else "id"
    if scorecard.spec.grades is None:
        return f'score DESC, "{key}"'
    best = scorecard.spec.grades.labels[0].replace("'", "''")
    gated = f"CASE WHEN gate IS NULL THEN 1 WHEN grade = '{best}' THEN 0 ELSE 2 END"
    return f'{gated}, score DESC, "{key}"'


def rank(
    engine: Engine,
    workspace: ResolvedWorkspace,
    scorecard: ResolvedScorecard,
    as_of: datetime,
    *,
    limit: int = 20,
    grade: str | None = None,
) -> Ranking:
    """Rank everybody as of a moment and explain the first `limit` (of one grade, if told)."""
    of = scorecard.spec.of
    slim = Options(grade_history=scorecard.spec.grades is not None, contributions=False)
    with scored(engine, workspace, scorecard, as_of, options=slim) as table:
        total = int(engine.rows(f'SELECT count(*) FROM "{table}"')[0][0])
        counts: dict[str, int] = {}
        if scorecard.spec.grades is not None:
            found = dict(engine.rows(f'SELECT grade, count(*) FROM "{table}" GROUP BY grade'))
            counts = {label: int(found.get(label, 0)) for label in scorecard.spec.grades.labels}
        ranks = f'SELECT "{of}" AS key, row_number() OVER (ORDER BY {order_by(scorecard)}) AS rank'
        graded = ", grade" if scorecard.spec.grades is not None else ", NULL AS grade"
        places = engine.rows(
            f'SELECT key, rank FROM ({ranks}{graded} FROM "{table}") '
            "WHERE (? IS NULL OR grade = ?) ORDER BY rank LIMIT ?",
            [grade, grade, limit],
        )
    keys = [key for key, _ in places]
    found_ledgers = {item.key: item for item in ledgers(engine, workspace, scorecard, Moment(as_of=as_of, only=keys))}
    rows = tuple(Ranked(int(place), found_ledgers[key]) for key, place in places)
    existing = _existing(engine, scorecard, as_of)
    entity = workspace.spec.entity if of == "lead" else "account"
    return Ranking(
        entity, scorecard.name, scorecard.version, as_of, total, max(existing - total, 0) if of == "lead" else 0,
        counts, rows,
    )  # fmt: skip


def _existing(engine: Engine, scorecard: ResolvedScorecard, as_of: datetime) -> int:
    if scorecard.spec.of != "lead":
        return 0
    return int(engine.rows("SELECT count(*) FROM leads WHERE created_at <= ?", [as_of])[0][0])
