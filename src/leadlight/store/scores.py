"""The scores that were given."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from leadlight.engines.base import Engine
from leadlight.store.sql import Sql, fill


def append_scores(
    engine: Engine,
    select: Sql,
    parameters: Sequence[Any] = (),
    *,
    run: int,
    scorecard: str,
    version: str,
    as_of: datetime,
) -> int:
    """Keep the scores that a query gives; return how many.

    `select` names its columns as the table does: lead or account, score, and any of groups, grade, gate, probability.
    """
    engine.execute(
        fill(
            "INSERT INTO scores BY NAME SELECT ?::BIGINT AS run, ? AS scorecard, ? AS version, "
            "?::TIMESTAMP AS as_of, q.* FROM ({select}) q",
            select=select,
        ),
        [run, scorecard, version, as_of, *parameters],
    )
    return int(engine.rows(fill("SELECT count(*) FROM ({select}) q", select=select), parameters)[0][0])


def latest_scores(scorecard: str, as_of: datetime) -> tuple[Sql, list[Any]]:
    """Return the query (and its parameters) of each lead's or account's last score of a scorecard at a moment."""
    return (
        Sql(
            "SELECT * FROM scores WHERE scorecard = ? AND as_of <= ? "
            "QUALIFY row_number() OVER (PARTITION BY lead, account ORDER BY as_of DESC, run DESC) = 1"
        ),
        [scorecard, as_of],
    )


def scores_of(engine: Engine, *, lead: int | None = None, account: str | None = None) -> list[tuple[Any, ...]]:
    """Return all scores of a lead or an account, oldest first.

    The columns are as_of, scorecard, version, score, grade, gate, probability.
    """
    return engine.rows(
        "SELECT as_of, scorecard, version, score, grade, gate, probability FROM scores "
        "WHERE lead IS NOT DISTINCT FROM ? AND account IS NOT DISTINCT FROM ? ORDER BY as_of, run",
        [lead, account],
    )
