"""Values of leads: what a flat file says first, what it says later, what it leaves blank."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import pytest

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.expr.types import Type
from leadlight.store.attributes import Loaded, load_leads
from leadlight.store.history import LEADS
from leadlight.store.leads import refresh_leads
from leadlight.store.periods import rebuild
from leadlight.store.schema import FOREVER
from leadlight.store.sql import fill, joined
from leadlight.store.staged import Staged

Stage = Callable[..., Staged]
ALWAYS = datetime.fromisoformat(FOREVER)
COLUMNS = {"size": Type.NUMBER, "city": Type.TEXT}
CREATED, FIRST, SECOND = datetime(2025, 1, 1), datetime(2026, 1, 1), datetime(2026, 2, 1)


@pytest.fixture
def tell(store: DuckDBEngine, stage: Stage) -> Callable[..., Loaded]:
    def told(
        rows: Sequence[Sequence[Any]],
        now: datetime = FIRST,
        *,
        source: str = "crm",
        roles: Sequence[str] = ("id", "created_at"),
        columns: Mapping[str, Type] = COLUMNS,
    ) -> Loaded:
        loaded = load_leads(store, stage(source, roles, columns, rows), now)
        refresh_leads(store)
        rebuild(store, LEADS)
        store.execute("DELETE FROM touched")
        return loaded

    return told


def periods(store: DuckDBEngine) -> list[tuple[Any, ...]]:
    return store.rows("SELECT known_at, known_until, size, city FROM attributes ORDER BY lead, known_at")


def test_first_since_creation_later_since_the_reading(store: DuckDBEngine, tell: Callable[..., Loaded]) -> None:
    tell([("a", CREATED, 1.0, "Ulm")])
    counts = tell([("a", CREATED, 2.0, "Ulm")], SECOND).counts
    assert (counts.new, counts.changed, counts.unchanged) == (0, 1, 0)
    assert periods(store) == [(CREATED, SECOND, 1.0, "Ulm"), (SECOND, ALWAYS, 2.0, "Ulm")]
    assert tell([("a", CREATED, 2.0, "Ulm")], SECOND).counts.unchanged == 1


def test_there_and_back_again(store: DuckDBEngine, tell: Callable[..., Loaded]) -> None:
    third = datetime(2026, 3, 1)
    for now, size in ((FIRST, 1.0), (SECOND, 2.0), (third, 1.0)):
        tell([("a", CREATED, size, None)], now)
    assert periods(store) == [(CREATED, SECOND, 1.0, None), (SECOND, third, 2.0, None), (third, ALWAYS, 1.0, None)]


def test_two_readings_in_one_moment_keep_the_last(store: DuckDBEngine, tell: Callable[..., Loaded]) -> None:
    for size in (1.0, 2.0, 3.0):
        tell([("a", CREATED, size, None)])
    assert periods(store) == [(CREATED, FIRST, 1.0, None), (FIRST, ALWAYS, 3.0, None)]


def test_a_clock_set_back_does_not_lose_the_change(store: DuckDBEngine, tell: Callable[..., Loaded]) -> None:
    tell([("a", CREATED, 1.0, None)], FIRST)
    tell([("a", CREATED, 2.0, None)], SECOND)
    for changed in (1, 0):
        assert tell([("a", CREATED, 3.0, None)], FIRST).counts.changed == changed
    assert periods(store)[-1] == (SECOND, ALWAYS, 3.0, None)


def test_rows_of_one_id_are_one(store: DuckDBEngine, tell: Callable[..., Loaded]) -> None:
    loaded = tell([("a", FIRST, 1.0, "Ulm"), ("b", CREATED, 5.0, None), ("a", CREATED, 2.0, None)])
    assert (loaded.counts.new, loaded.counts.repeated, loaded.examples) == (2, 1, ("a",))
    assert periods(store) == [(CREATED, ALWAYS, 2.0, "Ulm"), (CREATED, ALWAYS, 5.0, None)]


def test_a_source_takes_back_its_own_value_only(store: DuckDBEngine, tell: Callable[..., Loaded]) -> None:
    tell([("a", CREATED, 1.0, "Ulm")], source="crm")
    tell([("a", CREATED, 9.0, None)], source="web")
    tell([("a", CREATED, 9.0, "Bonn")], SECOND, source="web")
    assert periods(store) == [(CREATED, SECOND, 9.0, "Ulm"), (SECOND, ALWAYS, 9.0, "Bonn")]
    tell([("a", CREATED, None, None)], datetime(2026, 3, 1), source="web")
    assert periods(store)[-1] == (datetime(2026, 3, 1), ALWAYS, 1.0, "Ulm")


def test_saying_something_else_does_not_repeat_old_news(store: DuckDBEngine, tell: Callable[..., Loaded]) -> None:
    """The newer city of one source stays when another source changes only its size."""
    roles = ("id", "created_at", "known_at")
    tell([("a", CREATED, CREATED, 1.0, "Ulm")], roles=roles, source="crm")
    tell([("a", CREATED, FIRST, None, "Bonn")], roles=roles, source="web")
    tell([("a", CREATED, SECOND, 2.0, "Ulm")], roles=roles, source="crm")
    assert periods(store)[-1] == (SECOND, ALWAYS, 2.0, "Bonn")


def test_late_versions_land_in_their_place(store: DuckDBEngine, tell: Callable[..., Loaded]) -> None:
    roles = ("id", "created_at", "known_at")
    tell([("a", CREATED, SECOND, 3.0, None), ("a", CREATED, CREATED, 1.0, None)], roles=roles)
    tell([("a", CREATED, FIRST, 2.0, None)], roles=roles)
    assert [(known_at, size) for known_at, _, size, _ in periods(store)] == [
        (CREATED, 1.0), (FIRST, 2.0), (SECOND, 3.0),
    ]  # fmt: skip


def test_a_version_is_put_right(store: DuckDBEngine, tell: Callable[..., Loaded]) -> None:
    roles = ("id", "known_at")
    tell([("a", FIRST, 1.0, "Ulm"), ("a", None, 7.0, None)], roles=roles)
    for changed in (1, 0):
        assert tell([("a", FIRST, 2.0, "Ulm"), ("a", None, 7.0, None)], roles=roles).counts.changed == changed
    assert len(store.rows("FROM observations")) == 2


def test_a_column_that_is_gone_keeps_what_it_said(store: DuckDBEngine, tell: Callable[..., Loaded]) -> None:
    tell([("a", CREATED, 1.0, "Ulm"), ("b", CREATED, 1.0, "Bonn")])
    counts = tell([("a", CREATED, 2.0), ("b", CREATED, 1.0)], SECOND, columns={"size": Type.NUMBER}).counts
    assert (counts.changed, counts.unchanged) == (1, 1)
    assert [row[2:] for row in periods(store)] == [(1.0, "Ulm"), (2.0, "Ulm"), (1.0, "Bonn")]


def test_a_new_column_is_a_change_where_it_has_a_value(store: DuckDBEngine, tell: Callable[..., Loaded]) -> None:
    tell([("a", CREATED, 1.0), ("b", CREATED, 1.0)], columns={"size": Type.NUMBER})
    counts = tell([("a", CREATED, 1.0, "Ulm"), ("b", CREATED, 1.0, None)], SECOND).counts
    assert (counts.changed, counts.unchanged) == (1, 1)
    assert periods(store)[:2] == [(CREATED, SECOND, 1.0, None), (SECOND, ALWAYS, 1.0, "Ulm")]


def test_only_the_touched_are_made_again(store: DuckDBEngine, tell: Callable[..., Loaded]) -> None:
    tell([("a", CREATED, 1.0, None), ("b", CREATED, 1.0, None)])
    store.execute("UPDATE attributes SET city = 'not made again' WHERE lead = 2")
    tell([("a", CREATED, 2.0, None), ("b", CREATED, 1.0, None)], SECOND)
    assert [city for *_, city in periods(store)] == [None, None, "not made again"]


def test_hostile_names_are_only_names(store: DuckDBEngine, tell: Callable[..., Loaded]) -> None:
    columns = dict.fromkeys(('a" b', "{c}", "x; DROP TABLE leads", "select", "at", "?"), Type.TEXT)
    tell([("a", CREATED, *columns)], columns=columns)
    tell([("a", CREATED, *"123456")], SECOND, columns=columns)
    values = joined(columns)
    assert store.rows(fill("SELECT {values} FROM attributes ORDER BY known_at", values=values)) == [
        tuple(columns), tuple("123456"),
    ]  # fmt: skip
