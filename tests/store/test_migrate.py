from __future__ import annotations

from collections.abc import Callable

import pytest

from leadlight.engines.base import Engine
from leadlight.engines.duckdb import DuckDBEngine
from leadlight.engines.postgres import PostgresEngine
from leadlight.errors import StoreVersionError
from leadlight.store.merges import list_merges
from leadlight.store.migrate import migrate, store_version
from leadlight.store.schema import MIGRATIONS


@pytest.fixture(params=["duckdb", "postgres"])
def open_empty(request: pytest.FixtureRequest) -> Callable[[], Engine]:
    """Open an empty database of either sort."""
    if request.param == "duckdb":
        return lambda: DuckDBEngine(None)
    return lambda: PostgresEngine(request.getfixturevalue("postgres_store"))


LATER = (*MIGRATIONS, (len(MIGRATIONS) + 1, "a column more", ("ALTER TABLE leads ADD COLUMN nickname VARCHAR",)))


def test_numbers_rise_by_one_without_gaps() -> None:
    assert [number for number, _, _ in MIGRATIONS] == list(range(1, len(MIGRATIONS) + 1))


def test_an_older_store_keeps_its_rows() -> None:
    engine = DuckDBEngine(None)
    migrate(engine)
    engine.execute("INSERT INTO leads VALUES (1, 'ann', TIMESTAMP '2026-01-01')")
    assert migrate(engine, migrations=LATER) == 1
    assert engine.rows("SELECT id, nickname FROM leads") == [("ann", None)]
    assert store_version(engine) == len(LATER)
    engine.close()


def test_rows_from_before_step_5_are_said_of_their_lead_and_merges_are_listed(
    open_empty: Callable[[], Engine],
) -> None:
    engine = open_empty()
    migrate(engine, migrations=MIGRATIONS[:4])
    engine.execute("INSERT INTO ids VALUES ('a', 1, 1), ('b', 2, 1), ('c', 3, 3)")
    engine.execute(
        'INSERT INTO events (lead, type, "at", _source, _key) '
        "VALUES (1, 'page', TIMESTAMP '2026-01-01', 's', md5_number('1')), "
        "(3, 'page', TIMESTAMP '2026-01-01', 's', md5_number('2'))"
    )
    assert migrate(engine) == len(MIGRATIONS) - 4
    assert engine.rows("SELECT lead, _said_of FROM events ORDER BY lead") == [(1, 1), (3, 3)]
    (merge,) = list_merges(engine).merges
    assert (merge.rule, merge.ids, merge.into) == ("before", ("b",), "a")
    engine.close()


def test_a_step_that_fails_changes_nothing() -> None:
    engine = DuckDBEngine(None)
    migrate(engine)
    broken = (*MIGRATIONS, (len(MIGRATIONS) + 1, "broken", ("CREATE TABLE half (a INTEGER)", "SELECT nonsense")))
    with pytest.raises(Exception, match="nonsense"):
        migrate(engine, migrations=broken)
    assert engine.columns("half") == {}
    assert store_version(engine) == len(MIGRATIONS)
    engine.close()


def test_a_newer_store_is_left_alone() -> None:
    engine = DuckDBEngine(None)
    migrate(engine, migrations=LATER)
    with pytest.raises(StoreVersionError, match="Upgrade it"):
        migrate(engine)
    engine.close()
