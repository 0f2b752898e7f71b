from __future__ import annotations

from datetime import timedelta

import pytest
from tests.features.tables import day

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
    assert [name for name, _ in events.columns.values()] == ["_e1", "_e2", "_e3"]


def test_each_aggregate(events: Aggregates) -> None:
    match, worth = Match("sale"), events.property("worth")
    for asked in (events.count, lambda m: events.sum(m, worth), lambda m: events.least(m, worth),
                  lambda m: events.greatest(m, worth), lambda m: events.mean(m, worth),
                  lambda m: events.distinct(m, worth)):  # fmt: skip
        asked(match)
    sale = f"CASE WHEN {TYPE} = 'sale' THEN"
    assert [sql.sql("duckdb") for _, sql in events.columns.values()] == [
        f"SUM({sale} 1e0 ELSE 0e0 END)",
        f'SUM({sale} "e"."worth" ELSE 0e0 END)',
        f'MIN({sale} "e"."worth" END)',
        f'MAX({sale} "e"."worth" END)',
        f'AVG({sale} "e"."worth" END)',
        f'COUNT(DISTINCT {sale} "e"."worth" END)',
    ]


def test_the_n_earliest_need_a_pass_each(events: Aggregates) -> None:
    first = events.first(Match("sale"), build.ONE, 2)
    second = events.first(Match("sale"), build.ONE, 3)
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


@pytest.mark.parametrize(
    ("matches", "relevant"),
    [
        ([], None),
        ([Match("b"), Match("a")], f"{TYPE} IN ('a', 'b')"),
        ([Match("a"), Match(ANY)], None),
        ([Match("a", within=DAY), Match("b", within=3 * DAY)], f"{TYPE} IN ('a', 'b') AND {after('02-26')}"),
        ([Match("a", within=DAY), Match("b")], f"{TYPE} IN ('a', 'b')"),
        ([Match(ANY, within=DAY)], after("02-28")),
        ([Match(c) for c in "abcde"], f"CASE {TYPE} WHEN 'a' THEN TRUE WHEN 'b' THEN TRUE WHEN 'c' THEN TRUE "
         "WHEN 'd' THEN TRUE WHEN 'e' THEN TRUE ELSE FALSE END"),
    ],
)  # fmt: skip
def test_what_any_event_that_counts_satisfies(events: Aggregates, matches: list[Match], relevant: str | None) -> None:
    for match in matches:
        events.count(match)
    assert duckdb(events.relevant()) == relevant


def test_decay_is_by_age_in_days(events: Aggregates) -> None:
    found = duckdb(events.decay(2 * DAY))
    assert found == 'EXP(GREATEST(-700, "e"."_age" * (-0.34657359027997264e0)))'
