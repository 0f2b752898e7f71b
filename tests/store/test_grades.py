from __future__ import annotations

from datetime import datetime

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.store.grades import append_grades, latest_grades
from leadlight.store.sql import Sql


def day(number: int) -> datetime:
    return datetime(2026, 1, number)


def test_the_last_change_as_of_a_moment(store: DuckDBEngine) -> None:
    select = Sql("SELECT unnest([1, 2]) AS lead, ? AS grade, ? AS level_1, ?::TIMESTAMP AS since_1")
    for number, grade in ((1, "A"), (3, "B")):
        count = append_grades(
            store, select, [grade, grade, day(number)], run=number, scorecard="house", version="v", at=day(number),
            silent=number == 1,
        )  # fmt: skip
        assert count == 2
    for moment, expected in ((day(2), "A"), (day(3), "B")):
        query, parameters = latest_grades("house", moment)
        found = store.rows(f"SELECT lead, grade, level_1 FROM ({query}) ORDER BY lead", parameters)
        assert found == [(1, expected, expected), (2, expected, expected)]
    query, parameters = latest_grades("house", datetime(2025, 1, 1))
    assert store.rows(query, parameters) == []
    assert store.rows('SELECT DISTINCT "at", silent FROM grade_history ORDER BY 1') == [(day(1), True), (day(3), False)]
