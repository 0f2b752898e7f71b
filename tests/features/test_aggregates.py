from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from tests.features.tables import day

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.expr import build
from leadlight.expr.parse import parse_condition
from leadlight.expr.types import Type
from leadlight.features.aggregates import ANY, Aggregates, Match

DAY = timedelta(days=1)
TYPE = '"e"."type"'


@pytest.fixture
def events() -> Aggregates:
    return Aggregates(build.moment(day("2026-03-01")), "_e", build.col("_age", "e"))


def duckdb(tree: build.Sql | None) -> str | None:
    return None if tree is None else tree.sql("duckdb")


def after(day: str) -> str:
    return f'"e"."at" > CAST(\'2026-{day} 00:00:00\' AS TIMESTAMP)'


def test_what_is_asked_twice_is_computed_once(events: Aggregates) -> None:
    where = parse_condition("path = '/'", {"path": Type.TEXT})
    again = parse_condition("path   =   '/'", {"path": Type.TEXT})
    columns = [
        events.count(Match("view", where)).sql(),
        events.count(Match("view", again)).sql(),
        events.count(Match("view")).sql(),
        events.sum(Match("view"), events.property("worth")).sql(),
        events.count(Match("view", where)).sql(),
    ]
    assert columns == ['"_e1"', '"_e1"', '"_e2"', '"_e3"', '"_e1"']
    assert [item.column for item in events.columns.values()] == ["_e1", "_e2", "_e3"]


def test_each_aggregate(events: Aggregates) -> None:
    match, worth = Match("sale"), events.property("worth")
    for asked in (events.count, lambda m: events.sum(m, worth), lambda m: events.least(m, worth),
                  lambda m: events.greatest(m, worth), lambda m: events.mean(m, worth),
                  lambda m: events.distinct(m, worth)):  # fmt: skip
        asked(match)
    sale = f"CASE WHEN {TYPE} = 'sale' THEN"
    assert [item.over(item.value).sql("duckdb") for item in events.columns.values()] == [
        f"COUNT({sale} TRUE END)",
        f'SUM({sale} "e"."worth" ELSE 0e0 END)',
        f'MIN({sale} "e"."worth" END)',
        f'MAX({sale} "e"."worth" END)',
        f'AVG({sale} "e"."worth" END)',
        f'COUNT(DISTINCT {sale} "e"."worth" END)',
    ]


def test_the_n_earliest_need_a_pass_each(events: Aggregates) -> None:
    first = events.first(Match("sale"), build.number(1), 2)
    second = events.first(Match("sale"), build.number(1), 3)
    assert [first.sql(), second.sql()] == ['"_efirst1"', '"_efirst2"']
    assert [(column, n) for column, _, _, n in events.ranked] == [("_efirst1", 2), ("_efirst2", 3)]
    assert events.columns == {}


@pytest.mark.parametrize(
    ("match", "condition"),
    [
        (Match("view"), f"{TYPE} = 'view'"),
        (Match(ANY), "TRUE"),
        (Match("it's"), f"{TYPE} = 'it''s'"),
        (Match(ANY, within=DAY), after("02-28")),
        (Match("view", within=2 * DAY, until=DAY), f"{TYPE} = 'view' AND {after('02-27')} AND "
         "\"e\".\"at\" <= CAST('2026-02-28 00:00:00' AS TIMESTAMP)"),
    ],
)  # fmt: skip
def test_which_events_match(events: Aggregates, match: Match, condition: str) -> None:
    assert duckdb(events.condition(match)) == condition


def test_an_or_in_where_stays_together(events: Aggregates) -> None:
    where = parse_condition("path = 'a' or path = 'b'", {"path": Type.TEXT})
    found = duckdb(events.condition(Match("view", where)))
    assert found == f"""{TYPE} = 'view' AND (("e"."path" = 'a') OR ("e"."path" = 'b'))"""


@pytest.fixture(scope="module")
def engine() -> Iterator[DuckDBEngine]:
    """An engine with events of six types, today and each of the four days before: a0 … f4."""
    engine = DuckDBEngine(None)
    engine.execute(
        "CREATE TABLE events AS SELECT chr(97 + k::INTEGER) AS type, "
        "TIMESTAMP '2026-03-01' - to_days(d::INTEGER) AS at, d FROM range(6) t(k), range(5) s(d)"
    )
    yield engine
    engine.close()


ALL = {f"{kind}{days}" for kind in "abcdef" for days in range(5)}


@pytest.mark.parametrize(
    ("matches", "kept"),
    [
        ([], ALL),
        ([Match("b")], {"b0", "b1", "b2", "b3", "b4"}),
        ([Match("a"), Match(ANY)], ALL),
        ([Match("a", within=DAY), Match("b", within=3 * DAY)], {"a0", "a1", "a2", "b0", "b1", "b2"}),
        ([Match("a", within=DAY), Match("b")], {each for each in ALL if each[0] in "ab"}),
        ([Match(ANY, within=2 * DAY)], {each for each in ALL if each[1] in "01"}),
        ([Match(kind) for kind in "abcde"], {each for each in ALL if each[0] != "f"}),
        ([Match("rocket"), Match("x")], set()),
    ],
)
def test_events_that_cannot_count_are_left_out_early(
    engine: DuckDBEngine, events: Aggregates, matches: list[Match], kept: set[str]
) -> None:
    """By type and by the longest window; what is kept may still count for one match only, or for none."""
    for match in matches:
        events.count(match)
    relevant = duckdb(events.relevant()) or "TRUE"
    assert {each for (each,) in engine.rows(f"SELECT type || d FROM events e WHERE {relevant}")} == kept


def test_decay_is_by_age_in_days(events: Aggregates) -> None:
    found = duckdb(events.decay(2 * DAY))
    assert found == 'EXP("e"."_age" * (-0.34657359027997264e0))'
