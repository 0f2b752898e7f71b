"""Events: each once, and in their order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.store.conftest import stage_rows

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.engines.postgres import PostgresEngine
from leadlight.expr.types import Type
from leadlight.store.events import ORDER, load_events, settle_events
from leadlight.store.names import event_types
from leadlight.store.open import open_store
from leadlight.store.sizes import note_sizes
from leadlight.store.staged import Counts, Staged

Stage = Callable[..., Staged]
START = datetime(2025, 1, 1)
ROLES = ["lead", "type", "at"]


def at(day: float) -> datetime:
    return START + timedelta(days=day)


@pytest.fixture
def tell(store: DuckDBEngine, stage: Stage) -> Callable[..., Counts]:
    def told(
        rows: Sequence[Sequence[Any]], *, source: str = "web", roles: Sequence[str] = ROLES, **columns: Type
    ) -> Counts:
        return load_events(store, stage(source, roles, columns, rows), None)

    return told


def count(store: DuckDBEngine) -> int:
    return int(store.rows("SELECT count(*) FROM events")[0][0])


def lying(store: DuckDBEngine, order: str = "rowid") -> list[tuple[Any, ...]]:
    return store.rows(f'SELECT lead, type, "at" FROM events ORDER BY {order}')


def test_few_are_looked_up_among_many(store: DuckDBEngine, stage: Stage) -> None:
    def told(numbers: Sequence[int], *, counting: bool = False) -> Counts:
        rows = [("a", "v", at(0), f"m{number}") for number in numbers]
        return load_events(store, stage("live", [*ROLES, "message_id"], {}, rows), None, counting=counting)

    assert told(range(3_000), counting=True).new == 3_000
    store.execute(
        "INSERT INTO set_aside BY NAME SELECT *, 'bot' AS _reason, \"at\" AS _aside_at, 'test' AS _aside_by "
        "FROM (SELECT * FROM events ORDER BY _key LIMIT 10) e"
    )
    store.execute("DELETE FROM events WHERE _key IN (SELECT _key FROM set_aside)")
    assert told(range(2_950, 3_005)) == Counts()
    assert count(store) == 3_000 - 10 + 5
    assert told([3_004, 3_005], counting=True).new == 1


@pytest.mark.parametrize("store", ["postgres"], indirect=True)
def test_postgres_reads_no_more_to_find_few_among_many(store: PostgresEngine, stage: Stage) -> None:
    def told(numbers: Sequence[int]) -> None:
        rows = [("a", "v", at(0), f"m{number}") for number in numbers]
        load_events(store, stage("live", [*ROLES, "message_id"], {}, rows), None, counting=False)

    def read() -> int:
        store.rows("SELECT pg_stat_force_next_flush()")
        found = store.rows("SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_user_tables WHERE relname = 'events' "
                           "AND schemaname = current_schema()")  # fmt: skip
        entries = store.rows("SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname = 'events' "
                             "AND schemaname = current_schema()")  # fmt: skip
        return int(found[0][0]) + int(entries[0][0])

    told(range(20_000))
    note_sizes(store, "events")
    before = read()
    told([5, 6, 20_000, 20_001])
    assert count(store) == 20_002
    assert read() - before < 100 + 20_002  # the count itself reads them all


@pytest.mark.parametrize("store", ["duckdb"], indirect=True)  # PostgreSQL lays its tables out itself
def test_the_first_load_lies_in_order(store: DuckDBEngine, tell: Callable[..., Counts]) -> None:
    tell([("b", "v", at(2)), ("a", "v", at(3)), ("b", "v", at(1)), ("a", "v", at(0))])
    assert lying(store) == [(1, "v", at(1)), (1, "v", at(2)), (2, "v", at(0)), (2, "v", at(3))]
    assert not settle_events(store)


@pytest.mark.parametrize("store", ["duckdb"], indirect=True)  # PostgreSQL lays its tables out itself
def test_a_short_tail_waits_and_a_long_one_is_put_in_order(store: DuckDBEngine, tell: Callable[..., Counts]) -> None:
    tell([(f"l{n}", "v", at(n)) for n in range(10)])
    tell([("l0", "v", at(99)), ("l3", "v", at(50))])
    assert not settle_events(store)
    assert lying(store)[-2:] == [(1, "v", at(99)), (4, "v", at(50))]
    tell([("l0", "w", at(98))])
    assert settle_events(store)
    assert lying(store) == lying(store, ORDER)
    assert store.rows("SELECT in_order FROM layout") == [(13,)]
    with pytest.raises(Exception, match="NOT NULL"):
        store.execute("INSERT INTO events (lead) VALUES (1)")


def test_what_is_known_is_not_appended_again(store: DuckDBEngine, tell: Callable[..., Counts]) -> None:
    rows = [("a", "v", at(1)), ("a", "v", at(1)), ("b", "w", at(2))]
    assert tell(rows).new == 3  # two like events in one file are two
    counts = tell([*rows, ("a", "v", at(1))])
    assert (counts.new, counts.unchanged) == (1, 3)


def test_the_same_event_in_two_files_is_one(store: DuckDBEngine, stage: Stage) -> None:
    rows = stage("web", ROLES, {}, [("a", "v", at(1)), ("a", "v", at(1))])
    store.execute("INSERT INTO source_rows SELECT _lead, _type, _at, 'b.csv', _place + 2 FROM source_rows")
    store.execute("INSERT INTO source_rows SELECT _lead, _type, _at, _file, 9 FROM source_rows WHERE _place = 3")
    counts = load_events(store, rows, None)
    assert (counts.new, counts.unchanged) == (3, 2)  # a.csv says it twice, b.csv three times


def test_another_source_says_something_else(store: DuckDBEngine, tell: Callable[..., Counts]) -> None:
    tell([("a", "v", at(1))], source="web")
    assert tell([("a", "v", at(1))], source="app").new == 1


def test_a_message_id_is_the_event(store: DuckDBEngine, tell: Callable[..., Counts]) -> None:
    roles = [*ROLES, "message_id"]
    rows = [("a", "v", at(1), "m1"), ("a", "v", at(1), "m1"), ("a", "v", at(1), "m2"), ("a", "v", at(1), None)]
    assert tell(rows, roles=roles).new == 3
    assert tell([("b", "other", at(7), "m1")], roles=roles).new == 0


def test_a_new_property_does_not_make_old_events_new(store: DuckDBEngine, tell: Callable[..., Counts]) -> None:
    tell([("a", "v", at(1), "/p")], path=Type.TEXT)
    counts = tell([("a", "v", at(1), "/p", None), ("a", "v", at(1), "/p", 3.0)], path=Type.TEXT, seconds=Type.NUMBER)
    assert (counts.new, counts.unchanged) == (1, 1)
    assert store.rows("SELECT path, seconds FROM events ORDER BY seconds") == [("/p", 3.0), ("/p", None)]


def test_texts_cannot_pass_for_two_values(store: DuckDBEngine, tell: Callable[..., Counts]) -> None:
    rows = [("a", "v", at(1), "x|b=1:y", None), ("a", "v", at(1), "x", "y"), ("a", "v", at(1), None, "x")]
    assert tell(rows, a=Type.TEXT, b=Type.TEXT).new == 3
    assert len({key for (key,) in store.rows("SELECT _key FROM events")}) == 3


def test_types_grow_and_hold_any_text(tmp_path: Path) -> None:
    types = ["view", "it's", 'a "b" {c}', "ümlaut", "view "]
    for number in range(2):
        engine = open_store("duckdb:x.duckdb", tmp_path, create=True)
        with engine.transaction():
            rows = [("a", kind, at(n)) for n, kind in enumerate([*types, f"kind {number}"])]
            load_events(engine, stage_rows(engine, "web", ROLES, {}, rows), None)
            settle_events(engine)
        engine.close()
    engine = open_store("duckdb:x.duckdb", tmp_path, read_only=True)
    assert event_types(engine) == {*types, "kind 0", "kind 1"}
    assert engine.rows("SELECT count(*) FROM events WHERE type = 'it''s'") == [(1,)]
    assert engine.columns("events")["type"].startswith("ENUM")
    engine.close()


def test_no_events_no_types(store: DuckDBEngine) -> None:
    assert event_types(store) is None


def test_rows_without_lead_type_or_time(store: DuckDBEngine, tell: Callable[..., Counts]) -> None:
    counts = tell([(None, "v", at(1)), ("a", None, at(1)), ("a", "v", None), ("a", "v", at(1))])
    assert (counts.new, counts.unchanged, counts.unusable) == (1, 0, 3)
