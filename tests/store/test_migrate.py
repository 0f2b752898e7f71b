from __future__ import annotations

import pytest

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.errors import StoreVersionError
from leadlight.store.migrate import migrate, store_version
from leadlight.store.schema import MIGRATIONS

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
