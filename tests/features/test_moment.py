from __future__ import annotations

from datetime import datetime

import pytest
from tests.features.tables import day

from leadlight.expr import build
from leadlight.features.moment import Moment

T, EARLIER, LATER = day("2026-03-01"), day("2026-02-01"), day("2026-04-01")
LITERAL = "CAST('2026-03-01 00:00:00' AS TIMESTAMP)"


@pytest.mark.parametrize("given", [{}, {"as_of": T, "table": "pairs"}])
def test_a_moment_is_one_for_all_or_a_table(given: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="a moment is one as_of, or a table"):
        Moment(**given)


@pytest.mark.parametrize("more", [{"only": [1]}, {"events_until": EARLIER}])
def test_keys_in_a_table_come_with_one_moment_alone(more: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="keys in a table come with one as_of, and nothing else"):
        Moment(as_of=T, only_in="wanted", **more)
    with pytest.raises(ValueError, match="keys in a table"):
        Moment(table="pairs", only_in="wanted")


def test_one_for_all_is_a_literal() -> None:
    moment = Moment(as_of=T)
    assert moment.single
    assert moment.keys == []
    assert moment.sql("x").sql("duckdb") == moment.last_event("x").sql("duckdb") == LITERAL


def test_a_table_gives_each_row_its_own() -> None:
    moment = Moment(table="pairs")
    assert not moment.single
    assert moment.keys == ["as_of"]
    assert moment.sql("x").sql("duckdb") == moment.last_event("x").sql("duckdb") == '"x"."as_of"'


@pytest.mark.parametrize(("until", "last"), [(EARLIER, "2026-02-01"), (LATER, "2026-03-01"), (None, "2026-03-01")])
def test_events_end_at_the_as_of_at_the_latest(until: datetime | None, last: str) -> None:
    moment = Moment(as_of=T, events_until=until)
    assert moment.last_event("x").sql("duckdb") == f"CAST('{last} 00:00:00' AS TIMESTAMP)"
    assert moment.sql("x").sql("duckdb") == LITERAL


def test_keys_asked_for() -> None:
    column = build.col("lead")
    assert Moment(as_of=T, only=[3, 5]).among(column).sql("duckdb") == '"lead" IN (3, 5)'
    assert Moment(as_of=T, only=["O'Hara"]).among(column).sql("duckdb") == "\"lead\" IN ('O''Hara')"
    assert Moment(as_of=T, only=[]).among(column).sql("duckdb") == "FALSE"


def test_keys_asked_for_may_stand_in_a_table() -> None:
    moment = Moment(as_of=T, only_in="wanted", prepared=True)
    assert (moment.limited, Moment(as_of=T).limited, Moment(as_of=T, only=[]).limited) == (True, False, True)
    assert moment.among(build.col("account", "a")).sql("duckdb") == '"a"."account" IN (SELECT "account" FROM "wanted")'
    assert moment.sql("x").sql("duckdb") == moment.last_event("x").sql("duckdb") == "CAST($1 AS TIMESTAMP)"
    assert moment.parameters == [T]


def test_a_prepared_statement_has_parameters_in_place_of_all_that_differs() -> None:
    moment = Moment(as_of=T, only=[7, "b"], events_until=EARLIER, prepared=True)
    assert moment.parameters == [T, EARLIER, 7, "b"]
    assert moment.sql("x").sql("duckdb") == "CAST($1 AS TIMESTAMP)"
    assert moment.last_event("x").sql("duckdb") == "CAST($2 AS TIMESTAMP)"
    found = moment.among(build.col("lead")).sql("duckdb")
    assert found == '"lead" IN ($3, $4) AND CAST($2 AS TIMESTAMP) <= CAST($1 AS TIMESTAMP)'
