"""Score everybody and keep the result: scores, changes of grade, the version that gave them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from leadlight.engines.base import Engine
from leadlight.scorecards.compile import TOTAL, Options, chance_columns
from leadlight.scorecards.notices import Changes, note
from leadlight.scorecards.rank import count_grades, scored
from leadlight.scorecards.staleness import staleness
from leadlight.spec.entity import many
from leadlight.spec.readable import Readable
from leadlight.spec.resolved import ResolvedScorecard, ResolvedWorkspace
from leadlight.spec.stored import content
from leadlight.store.grades import append_grades
from leadlight.store.runs import finish_run, start_run
from leadlight.store.scorecards import publish
from leadlight.store.scores import append_scores
from leadlight.store.sql import Sql, fill, joined, more

CHANGES = "_changes"
"""The temporary table of those whose grade has changed."""


@dataclass(frozen=True, slots=True, repr=False)
class ScoreRun(Readable):
    """What one run of one scorecard did."""

    scorecard: str
    version: str
    entity: str
    as_of: datetime
    scored: int
    up: int
    down: int
    silent: bool
    """Whether changes of grade alert nobody: the first run, a new version, or a back-fill."""
    published: bool
    """Whether this version was used for the first time."""
    grades: Mapping[str, int]
    seconds: float
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the run as plain JSON values."""
        return {
            "scorecard": self.scorecard,
            "version": self.version,
            "entity": self.entity,
            "as_of": self.as_of.isoformat() + "Z",
            "scored": self.scored,
            "up": self.up,
            "down": self.down,
            "silent": self.silent,
            "published": self.published,
            "grades": dict(self.grades),
            "seconds": round(self.seconds, 3),
            "notes": list(self.notes),
        }

    def __str__(self) -> str:
        moves = f", {self.up:,} went up and {self.down:,} down" if not self.silent else ""
        new = " (new version)" if self.published else ""
        head = (
            f"{self.scorecard} {self.version}{new}: {many(self.scored, self.entity)} scored "
            f"as of {self.as_of:%Y-%m-%d %H:%M} UTC{moves}, in {self.seconds:.1f} s"
        )
        return "\n".join([head, *self.notes])


def score(
    engine: Engine,
    workspace: ResolvedWorkspace,
    scorecard: ResolvedScorecard,
    as_of: datetime,
    *,
    now: datetime,
    among: Sequence[int | str] | None = None,
) -> ScoreRun:
    """Score everybody, or the leads (or accounts) `among`, as of a moment and store it, all or nothing.

    A version not used before is recorded with its content, so that its scores can be computed again for ever.
    """
    began = time.monotonic()
    graded = scorecard.spec.grades is not None
    up, down, grades = 0, 0, dict[str, int]()
    with engine.transaction():
        options = Options(contributions=False)
        with scored(engine, workspace, scorecard, as_of, options=options, among=among) as table:
            published = publish(
                engine, name=scorecard.name, version=scorecard.version, content=content(scorecard.spec),
                published_at=now,
            )  # fmt: skip
            silent = published or _is_back_fill(engine, scorecard, as_of)
            run = start_run(
                engine, "score", started_at=now, as_of=as_of, scorecard=scorecard.name, version=scorecard.version
            )
            count, up, down = keep_scores(
                engine, workspace, scorecard, table, run=run, as_of=as_of, now=now, silent=silent
            )
            if graded:
                grades = count_grades(engine, scorecard, table)
        finish_run(engine, run, finished_at=now, counts={"scored": count, "up": up, "down": down})
    entity = workspace.spec.entity if scorecard.spec.of == "lead" else "account"
    return ScoreRun(
        scorecard.name, scorecard.version, entity, as_of, count, up, down, silent, published, grades,
        time.monotonic() - began, staleness(engine, as_of),
    )  # fmt: skip


def keep_scores(
    engine: Engine,
    workspace: ResolvedWorkspace,
    scorecard: ResolvedScorecard,
    table: str,
    *,
    run: int,
    as_of: datetime,
    now: datetime,
    silent: bool,
    received: datetime | None = None,
) -> tuple[int, int, int]:
    """Keep the scores in a table of what a statement yielded, and the changes of grade: how many, up, down.

    Who wants to hear of the changes is told by way of the outbox; `received` is when the first call came that they
    follow from. Call it inside a transaction. The table may hold everybody or only some.
    """
    count = append_scores(
        engine, _scores(scorecard, table), run=run, scorecard=scorecard.name, version=scorecard.version, as_of=as_of
    )
    if scorecard.spec.grades is None:
        return count, 0, 0
    changes = Changes(CHANGES, run, as_of, now, silent, received)
    return count, *_keep_grades(engine, workspace, scorecard, table, changes)


def _is_back_fill(engine: Engine, scorecard: ResolvedScorecard, as_of: datetime) -> bool:
    """Return whether scores of a later moment exist already."""
    newer = "SELECT 1 FROM runs WHERE verb = 'score' AND scorecard = ? AND as_of > ? LIMIT 1"
    return bool(engine.rows(newer, [scorecard.name, as_of]))


def _scores(scorecard: ResolvedScorecard, table: str) -> Sql:
    spec = scorecard.spec
    return fill(
        "SELECT {key}, score, [{totals}]::DOUBLE[] AS groups{rest} FROM {table} ORDER BY {key}",
        key=spec.of,
        totals=[f"{group}{TOTAL}" for group in spec.groups],
        rest=more(
            Sql("grade, gate") if spec.grades is not None else "",
            joined(chance_columns(spec)),
        ),
        table=table,
    )


def _grades_before(scorecard: ResolvedScorecard, table: str) -> Sql:
    """Return the query of the grades last held by those in the table, at a moment: of few leads, few rows are read."""
    return fill(
        'SELECT * FROM grade_history WHERE scorecard = ? AND "at" <= ? AND {key} IN (SELECT {key} FROM {table}) '
        'QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY "at" DESC, run DESC) = 1',
        key=scorecard.spec.of,
        table=table,
    )


def _keep_grades(
    engine: Engine, workspace: ResolvedWorkspace, scorecard: ResolvedScorecard, table: str, changes: Changes
) -> tuple[int, int]:
    """Append the changes of grade to the history; return how many went up and how many down."""
    spec = scorecard.spec
    assert spec.grades is not None
    levels = [f"level_{number}" for number in range(1, len(spec.grades.axes) + 1)]
    changed = joined(
        [Sql("b.grade IS DISTINCT FROM s.grade"), Sql("b.gate IS DISTINCT FROM s.gate")]
        + [fill("b.{level} IS DISTINCT FROM s.{level}", level=level) for level in levels],
        " OR ",
    )
    engine.execute(
        fill(
            "CREATE TEMPORARY TABLE {changes} AS SELECT s.*, b.grade AS was FROM {table} s LEFT JOIN ({before}) b "
            "ON b.{key} = s.{key} WHERE {changed}",
            changes=changes.table,
            table=table,
            before=_grades_before(scorecard, table),
            key=spec.of,
            changed=changed,
        ),
        [scorecard.name, changes.as_of],
    )
    columns = [spec.of, "grade", "gate", *levels, *(level.replace("level", "since") for level in levels)]
    append_grades(
        engine,
        fill("SELECT {columns} FROM {changes} ORDER BY {key}", columns=columns, changes=changes.table, key=spec.of),
        run=changes.run,
        scorecard=scorecard.name,
        version=scorecard.version,
        at=changes.as_of,
        silent=changes.silent,
    )
    note(engine, workspace, scorecard, changes)
    moves = engine.rows(
        fill("SELECT was, grade, count(*) FROM {changes} WHERE was <> grade GROUP BY ALL", changes=changes.table)
    )
    engine.execute(fill("DROP TABLE {changes}", changes=changes.table))
    place = {label: number for number, label in enumerate(spec.grades.labels)}
    up = sum(int(n) for was, grade, n in moves if place[grade] < place.get(was, len(place)))
    return up, sum(int(n) for _, _, n in moves) - up
