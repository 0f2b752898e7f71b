"""Changes of grade: what hysteresis looks back to, and what `history` shows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from leadlight.engines.base import Engine
from leadlight.store.sql import Sql, fill


def append_grades(
    engine: Engine,
    select: Sql,
    parameters: Sequence[Any] = (),
    *,
    run: int,
    scorecard: str,
    version: str,
    at: datetime,
    silent: bool,
) -> int:
    """Keep the changes of grade that a query gives; return how many.

    `select` names its columns as the table does: lead or account, grade, and any of level_1, since_1, level_2,
    since_2, gate.
    """
    engine.execute(
        fill(
            "INSERT INTO grade_history BY NAME SELECT ?::BIGINT AS run, ? AS scorecard, ? AS version, "
            '?::TIMESTAMP AS "at", ?::BOOLEAN AS silent, q.* FROM ({select}) q',
            select=select,
        ),
        [run, scorecard, version, at, silent, *parameters],
    )
    return int(engine.rows(fill("SELECT count(*) FROM ({select}) q", select=select), parameters)[0][0])


def latest_grades(scorecard: str, as_of: datetime) -> tuple[Sql, list[Any]]:
    """Return the query (and its parameters) of each lead's or account's grade, levels and gate at a moment."""
    return (
        Sql(
            'SELECT * FROM grade_history WHERE scorecard = ? AND "at" <= ? '
            'QUALIFY row_number() OVER (PARTITION BY lead, account ORDER BY "at" DESC, run DESC) = 1'
        ),
        [scorecard, as_of],
    )
