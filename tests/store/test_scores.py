from __future__ import annotations

from datetime import datetime

import pytest

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.store.scores import append_scores, latest_scores, scores_of
from leadlight.store.sql import Sql


def day(number: int) -> datetime:
    return datetime(2026, 1, number)


@pytest.fixture
def scored(store: DuckDBEngine) -> DuckDBEngine:
    given = Sql("SELECT unnest([1, 2]) AS lead, ?::DOUBLE AS score, [1.5, 2.5] AS groups")
    for run, score in enumerate((10.0, 20.0, 30.0), start=1):
        number = append_scores(store, given, [score], run=run, scorecard="house", version="v", as_of=day(min(run, 2)))
        assert number == 2
    append_scores(
        store,
        Sql("SELECT 'Acme' AS account, 5 AS score, 'A' AS grade, 'Rival' AS gate, 0.5 AS probability"),
        run=4,
        scorecard="firms",
        version="w",
        as_of=day(1),
    )
    return store


def test_the_last_as_of_a_moment(scored: DuckDBEngine) -> None:
    def last(number: int) -> list[tuple[int, float]]:
        select, parameters = latest_scores("house", day(number))
        return scored.rows(f"SELECT lead, score FROM ({select}) ORDER BY lead", parameters)

    assert last(1) == [(1, 10.0), (2, 10.0)]
    assert last(3) == [(1, 30.0), (2, 30.0)]  # of two at one moment, that of the later run
    assert latest_scores("none", day(3))[1] == ["none", day(3)]


def test_all_of_one(scored: DuckDBEngine) -> None:
    assert [(row[0], row[3]) for row in scores_of(scored, lead=2)] == [(day(1), 10.0), (day(2), 20.0), (day(2), 30.0)]
    assert scores_of(scored, account="Acme") == [(day(1), "firms", "w", 5.0, "A", "Rival", 0.5)]
    assert scored.rows("SELECT DISTINCT groups FROM scores WHERE lead = 1") == [([1.5, 2.5],)]
