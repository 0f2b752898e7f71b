"""Give ids to other leads: what was said of an id goes along, and the move is noted, so that it can be undone.

Observations know the key of the id they speak of, events, outcomes, what is set aside and what is rolled up that of
the id they were said of (`_said_of`). So whose they are follows from `ids` alone, and a move back leaves no trace in
them. Scores, grades and their history stay under the number of the lead that they were given to.
"""

from __future__ import annotations

from datetime import datetime

from leadlight.engines.base import Engine
from leadlight.store.sql import Sql, fill

OF_EVENTS = ("events", "outcomes", "set_aside", "rolled_up")
"""The tables whose rows say in `_said_of` whom they were said of."""

UNDONE = "undone"
"""The rule of moves that follow from an undoing; they are not listed as merges."""


def move_keys(engine: Engine, moving: Sql, *, at: datetime | None, who: str | None = None) -> int:
    """Move keys to leads, with all that was said of them; return how many leads lost some.

    `moving` is a query of (key, lead, rule): which key goes to which lead, and by what rule. Moves to where a key is
    already are none. Notes who is `touched`. `at` is naive UTC, the database's clock for None.
    """
    engine.execute(
        fill(
            "CREATE TEMP TABLE moving AS SELECT m.key, i.lead AS was, m.lead AS survivor, m.rule FROM ({moving}) m "
            "JOIN ids i ON i.key = m.key WHERE i.lead <> m.lead",
            moving=moving,
        )
    )
    count = int(engine.rows("SELECT count(DISTINCT was) FROM moving")[0][0])
    if count:
        _note(engine, at, who)
        _carry_along(engine)
        engine.execute("UPDATE ids SET lead = m.survivor FROM moving m WHERE ids.key = m.key")
        engine.execute("INSERT INTO touched SELECT was FROM moving UNION SELECT survivor FROM moving")
        _note_undone(engine, at)
    engine.execute("DROP TABLE moving")
    return count


def _note(engine: Engine, at: datetime | None, who: str | None) -> None:
    """Note the moves: keys that went from one lead to another together are one merge."""
    engine.execute(
        "INSERT INTO merges SELECT (SELECT coalesce(max(merge), 0) FROM merges) + "
        "dense_rank() OVER (ORDER BY m.was, m.survivor), coalesce(?::TIMESTAMP, now()::TIMESTAMP), m.rule, "
        "?::VARCHAR, m.key, m.was, m.survivor, NULL FROM moving m",
        [at, who],
    )


def _note_undone(engine: Engine, at: datetime | None) -> None:
    """Note of the merges of the keys which do not hold any more: the key is another's now than the one it went to."""
    engine.execute(
        "UPDATE merges SET undone_at = coalesce(?::TIMESTAMP, now()::TIMESTAMP) FROM ids k, ids s "
        "WHERE merges.undone_at IS NULL AND merges.key IN (SELECT key FROM moving) "
        "AND k.key = merges.key AND s.key = merges.survivor AND k.lead <> s.lead",
        [at],
    )


def _carry_along(engine: Engine) -> None:
    """Let the rows that were said of the keys be their new leads'; `was` finds them where they lie."""
    theirs = Sql("lead IN (SELECT was FROM moving) AND _said_of IN (SELECT key FROM moving)")
    moved = engine.rows(fill("SELECT count(*) FROM events WHERE {theirs}", theirs=theirs))[0][0]
    engine.execute("UPDATE observations SET lead = m.survivor FROM moving m WHERE observations._key = m.key")
    for table in OF_EVENTS:
        engine.execute(
            fill(
                "UPDATE {table} SET lead = m.survivor FROM moving m "
                "WHERE {table}.lead = m.was AND {table}._said_of = m.key",
                table=table,
            )
        )
    if moved:
        engine.execute("UPDATE layout SET in_order = greatest(in_order - ?, 0) WHERE name = 'events'", [moved])
