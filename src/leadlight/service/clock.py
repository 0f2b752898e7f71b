"""Time alone moves scores: points fade, events leave windows. Now and then whoever this can be about is scored again.

How often is said in leadlight.yaml (`clock: {every: 1h}`); who it is follows from the scorecards (`scorecards.due`).
They are many at once, so they wait in a table of their own, and some are scored at a time: what happens meanwhile is
stored and scored in between, as ever. The moment up to which all is done stands in the store, so a stop of an hour or
of a month is made up for.

live_clock   up to when everybody is scored whose score time has moved
live_due     those of them who still wait
"""

from __future__ import annotations

from datetime import datetime, timedelta

from leadlight.engines.base import Engine
from leadlight.expr.build import to_text
from leadlight.scorecards.due import due_statement
from leadlight.spec.resolved import ResolvedWorkspace
from leadlight.store.sql import Sql, fill

TABLES = (
    'CREATE TABLE IF NOT EXISTS live_clock ("at" TIMESTAMP NOT NULL)',
    "CREATE TABLE IF NOT EXISTS live_due (lead INTEGER NOT NULL)",
)
AT_ONCE = 20_000
"""Leads that are scored again at a time; storing events waits for so many."""
LOOK = timedelta(minutes=1)
"""How often the store is asked at most whether it is time: another process may have been faster."""


class Clock:
    """Knows when it is time again; for one worker's thread."""

    def __init__(self, engine: Engine, now: datetime, every: timedelta | None) -> None:
        """Go on where a former process ended; where none has been, the clock begins now: everybody has a score."""
        with engine.transaction():
            if not engine.rows("SELECT 1 FROM live_clock"):
                engine.execute("INSERT INTO live_clock VALUES (?)", [now])
        self._waiting = bool(engine.rows("SELECT 1 FROM live_due LIMIT 1"))
        self._plan(engine, now, every)

    def strikes(self, now: datetime) -> bool:
        """Return whether to `wind`; it costs nothing to ask."""
        return self._waiting or now >= self._look_at

    def wind(self, engine: Engine, workspace: ResolvedWorkspace, now: datetime) -> int:
        """Put some of those who are due among those to be scored again; return how many.

        Call it in the transaction that scores them. Where it is time, those who are due are gathered first.
        """
        every = workspace.spec.clock.every
        if every is not None and (since := _taken(engine, now, every)) is not None:
            for scorecard in workspace.scorecards.values():
                due = Sql(to_text(due_statement(workspace, scorecard, since, now), "duckdb"))
                engine.execute(fill("INSERT INTO live_due SELECT lead FROM ({due}) d WHERE lead IS NOT NULL", due=due))
        self._plan(engine, now, every)
        return self._some(engine)

    def _plan(self, engine: Engine, now: datetime, every: timedelta | None) -> None:
        """Look again when it is time, or before: the workspace's file may change meanwhile."""
        done = _done(engine)
        self._look_at = now + LOOK if every is None else max(now, min(done + every, now + LOOK))

    def _some(self, engine: Engine) -> int:
        """Move some from those who wait to those to be scored again."""
        engine.execute(
            "INSERT INTO live_unscored SELECT DISTINCT lead, NULL::VARCHAR FROM "
            "(SELECT lead FROM live_due ORDER BY lead LIMIT ?) d",
            [AT_ONCE],
        )
        engine.execute("DELETE FROM live_due WHERE lead IN (SELECT lead FROM live_unscored)")
        left = int(engine.rows("SELECT count(*) FROM live_due")[0][0])
        found = int(engine.rows("SELECT count(*) FROM live_unscored")[0][0])
        self._waiting = left > 0
        return found


def _done(engine: Engine) -> datetime:
    found: datetime = engine.rows('SELECT max("at") FROM live_clock')[0][0]
    return found


def _taken(engine: Engine, now: datetime, every: timedelta) -> datetime | None:
    """Return since when scores have not been looked after, where that is long enough; nobody else takes it then."""
    done = _done(engine)
    if now - done < every:
        return None
    taken = engine.rows('UPDATE live_clock SET "at" = ? WHERE "at" = ? RETURNING "at"', [now, done])
    return done if taken else None
