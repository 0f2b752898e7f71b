"""Score everybody and keep the result: scores, changes of grade, the version that gave them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from leadlight.engines.base import Engine
from leadlight.scorecards.compile import TOTAL, Options
from leadlight.scorecards.rank import scored
from leadlight.spec.resolved import ResolvedScorecard, ResolvedWorkspace
from leadlight.spec.version import content


@dataclass(frozen=True, slots=True)
class ScoreRun:
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
        }

    def __str__(self) -> str:
        moves = f", {self.up:,} went up and {self.down:,} down" if not self.silent else ""
        new = " (new version)" if self.published else ""
        return (
            f"{self.scorecard} {self.version}{new}: {self.scored:,} {self.entity}s scored "
            f"as of {self.as_of:%Y-%m-%d %H:%M} UTC{moves}, in {self.seconds:.1f} s"
        )


def score(
    engine: Engine, workspace: ResolvedWorkspace, scorecard: ResolvedScorecard, as_of: datetime, *, now: datetime
) -> ScoreRun:
    """Score everybody as of a moment and store it, all or nothing.

    A version not used before is recorded with its content, so that its scores can be computed again for ever.
    """
    began = time.monotonic()
    with engine.transaction():
        published = _record_version(engine, scorecard, now)
        last = engine.rows(
            "SELECT max(as_of), count(*) FROM runs WHERE verb = 'score' AND scorecard = ?", [scorecard.name]
        )[0]
        silent = published or not last[1] or (last[0] is not None and as_of < last[0])
        run = int(engine.rows("SELECT coalesce(max(run), 0) + 1 FROM runs")[0][0])
        graded = scorecard.spec.grades is not None
        with scored(
            engine, workspace, scorecard, as_of, options=Options(grade_history=graded, contributions=False)
        ) as table:
            count = int(engine.rows(f'SELECT count(*) FROM "{table}"')[0][0])
            _keep_scores(engine, scorecard, table, run)
            up, down, grades = (0, 0, {}) if not graded else _keep_grades(engine, scorecard, table, run, silent=silent)
        engine.execute(
            "INSERT INTO runs VALUES (?, 'score', ?, ?, ?, ?, ?, ?)",
            [run, now, now, as_of, scorecard.name, scorecard.version, f'{{"scored": {count}}}'],
        )
    entity = workspace.spec.entity if scorecard.spec.of == "lead" else "account"
    return ScoreRun(
        scorecard.name, scorecard.version, entity, as_of, count, up, down, silent, published, grades,
        time.monotonic() - began,
    )  # fmt: skip


def _record_version(engine: Engine, scorecard: ResolvedScorecard, now: datetime) -> bool:
    """Make this version the one in use; return whether it was not before."""
    latest = engine.rows(
        "SELECT version FROM scorecards WHERE name = ? ORDER BY published_at DESC, rowid DESC LIMIT 1", [scorecard.name]
    )
    if latest and latest[0][0] == scorecard.version:
        return False
    engine.execute(
        "INSERT INTO scorecards VALUES (?, ?, ?, ?)", [scorecard.name, scorecard.version, content(scorecard.spec), now]
    )
    return True


def _keep_scores(engine: Engine, scorecard: ResolvedScorecard, table: str, run: int) -> None:
    spec = scorecard.spec
    lead, account = ("lead", "NULL") if spec.of == "lead" else ("NULL", "account")
    totals = ", ".join(f'"{group}{TOTAL}"' for group in spec.groups)
    grade, gate = ("grade", "gate") if spec.grades is not None else ("NULL", "NULL")
    probability = "probability" if spec.calibration is not None else "NULL"
    engine.execute(
        f"INSERT INTO scores SELECT ?, ?, ?, as_of, {lead}, {account}, score, [{totals}], {grade}, {gate}, "
        f'{probability} FROM "{table}" ORDER BY {spec.of}',
        [run, scorecard.name, scorecard.version],
    )


def _keep_grades(
    engine: Engine, scorecard: ResolvedScorecard, table: str, run: int, *, silent: bool
) -> tuple[int, int, dict[str, int]]:
    """Append the changes of grade to the history; return how many went up and down, and how many hold each grade."""
    spec = scorecard.spec
    assert spec.grades is not None
    key = spec.of
    lead, account = ("s.lead", "NULL") if key == "lead" else ("NULL", "s.account")
    second = ("s.level_2", "s.since_2") if len(spec.grades.axes) == 2 else ("NULL", "NULL")
    before = (
        f'SELECT {key}, grade, level_1, level_2, gate FROM grade_history WHERE scorecard = ? AND "at" <= '
        f'(SELECT max(as_of) FROM "{table}") QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY "at" DESC, run DESC) = 1'
    )
    order = {label: place for place, label in enumerate(spec.grades.labels)}
    engine.execute(
        f'CREATE TEMPORARY TABLE _changes AS SELECT s.*, b.grade AS was FROM "{table}" s LEFT JOIN ({before}) b '
        f"ON b.{key} = s.{key} WHERE b.{key} IS NULL OR b.grade <> s.grade OR b.level_1 <> s.level_1 "
        f"OR b.level_2 IS DISTINCT FROM {second[0]} OR b.gate IS DISTINCT FROM s.gate",
        [scorecard.name],
    )
    engine.execute(
        f"INSERT INTO grade_history SELECT ?, ?, ?, s.as_of, {lead}, {account}, s.grade, s.level_1, s.since_1, "
        f"{second[0]}, {second[1]}, s.gate, ? FROM _changes s ORDER BY s.{key}",
        [run, scorecard.name, scorecard.version, silent],
    )
    moves = engine.rows("SELECT was, grade, count(*) FROM _changes WHERE was <> grade GROUP BY ALL")
    engine.execute("DROP TABLE _changes")
    up = sum(int(n) for was, grade, n in moves if order.get(grade, 0) < order.get(was, len(order)))
    down = sum(int(n) for _, _, n in moves) - up
    found = dict(engine.rows(f'SELECT grade, count(*) FROM "{table}" GROUP BY grade'))
    return up, down, {label: int(found.get(label, 0)) for label in spec.grades.labels}
