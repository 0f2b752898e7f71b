"""What the service keeps beside the store's tables."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from leadlight.engines.base import Engine
from leadlight.service import live_tables
from leadlight.store import pushed
from leadlight.store.erase import erase
from leadlight.store.leads import assign_keys
from leadlight.store.open import open_store

NOW = datetime(2026, 1, 1)


@pytest.fixture(params=["duckdb", "postgres"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    postgres = request.param == "postgres"
    address = request.getfixturevalue("postgres_store") if postgres else "duckdb::memory:"
    engine = open_store(address, Path(), create=True)
    live_tables.prepare(engine)
    yield engine
    engine.close()


def test_who_is_erased_is_gone_from_them(engine: Engine) -> None:
    for table in ("live_owners", "live_aliases"):
        engine.execute(f"INSERT INTO {table} VALUES ('ann', 'bob')")  # a former id that was parted from him
    engine.execute("INSERT INTO live_links VALUES ('ann', 'bob', ?)", [NOW])
    for key, name in enumerate(("ann", "bob"), 1):
        engine.execute("INSERT INTO ids VALUES (?, ?, ?)", [name, key, key])
        engine.execute("INSERT INTO live_traits VALUES (?, NULL, ?, 'm', 'email', ?)", [key, NOW, f"{name}@x.example"])
        for table in ("live_owners", "live_aliases"):
            engine.execute(f"INSERT INTO {table} VALUES (?, ?)", [f"device of {name}", name])
        engine.execute("INSERT INTO live_links VALUES (?, ?, ?)", [f"device of {name}", name, NOW])
        live_tables.refuse(engine, NOW, f'{{"userId": "{name}"}}', "too odd")
    erase(engine, "ann", now=NOW)
    for table in ("live_traits", "live_links", "live_owners", "live_aliases", "live_refused"):
        left = str(engine.rows(f"SELECT * FROM {table}"))
        assert "bob" in left
        assert "ann" not in left


def test_nobody_gets_the_number_of_somebody_erased(engine: Engine) -> None:
    for first, names in enumerate((["ann", "bob"], ["cyd"], ["dan"])):
        if first:
            erase(engine, "bob" if first == 1 else "cyd", now=NOW)
        values = ", ".join(f"('{name}', {place})" for place, name in enumerate(names))
        engine.execute(f"CREATE TEMP TABLE given AS SELECT * FROM (VALUES {values}) v(id, _place)")
        assign_keys(engine, "given", "id")
        engine.execute("DROP TABLE given")
    assert engine.rows("SELECT id, key FROM ids ORDER BY key") == [("ann", 1), ("dan", 4)]


def test_what_was_under_way_for_somebody_erased_is_kept_for_nobody(engine: Engine) -> None:
    """A score that is being written to another system while its lead is erased, and a new one comes."""
    engine.execute("INSERT INTO ids VALUES ('ann', 1, 1)")
    erase(engine, "ann", now=NOW)
    engine.execute("CREATE TEMP TABLE given AS SELECT 'bob' AS id, 0 AS _place")
    assign_keys(engine, "given", "id")
    pushed.keep(engine, "crm", "contacts", [pushed.Pushed("record of ann", 1, {"score": 5.0})])
    assert engine.rows("SELECT record FROM pushed") == []


def test_positions_are_those_of_a_journal(engine: Engine) -> None:
    assert live_tables.position(engine, "a") == 0
    for at in (3, 7):
        live_tables.keep_position(engine, "a", at)
    assert (live_tables.position(engine, "a"), live_tables.position(engine, "b")) == (7, 0)
