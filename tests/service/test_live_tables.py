"""What the service keeps beside the store's tables."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from leadlight.engines.base import Engine
from leadlight.service import live_tables
from leadlight.store.erase import erase
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


def test_positions_are_those_of_a_journal(engine: Engine) -> None:
    assert live_tables.position(engine, "a") == 0
    for at in (3, 7):
        live_tables.keep_position(engine, "a", at)
    assert (live_tables.position(engine, "a"), live_tables.position(engine, "b")) == (7, 0)
