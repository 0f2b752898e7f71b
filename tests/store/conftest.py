"""A store in memory, and rows put before it as a source would."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from leadlight.engines.base import Engine
from leadlight.expr.types import Type
from leadlight.store.open import open_store
from leadlight.store.sql import quoted
from leadlight.store.staged import Staged

ROLE_TYPES = {"created_at": "TIMESTAMP", "known_at": "TIMESTAMP", "at": "TIMESTAMP", "value": "DOUBLE"}
NOW = datetime(2026, 1, 1)

Stage = Callable[..., Staged]


def stage_rows(
    engine: Engine,
    source: str,
    roles: Sequence[str],
    columns: Mapping[str, Type],
    rows: Sequence[Sequence[Any]],
    *,
    file: str = "a.csv",
) -> Staged:
    """Make a temporary table of rows: first the roles, then the columns."""
    types = engine.capabilities.types
    made = [f'"_{role}" {ROLE_TYPES.get(role, "VARCHAR")}' for role in roles]
    made += [f"{quoted(name)} {types[type_]}" for name, type_ in columns.items()] + ["_file VARCHAR", "_place BIGINT"]
    engine.execute(f"CREATE OR REPLACE TEMP TABLE source_rows ({', '.join(made)})")
    for place, row in enumerate(rows):
        engine.execute(f"INSERT INTO source_rows VALUES ({', '.join('?' * len(made))})", [*row, file, place])
    return Staged(source=source, table="source_rows", roles=frozenset(roles), columns=dict(columns))


@pytest.fixture(params=["duckdb", "postgres"])
def store(request: pytest.FixtureRequest) -> Iterator[Engine]:
    postgres = request.param == "postgres"
    address = request.getfixturevalue("postgres_store") if postgres else "duckdb::memory:"
    engine = open_store(address, Path(), create=True)
    engine.execute("CREATE TEMP TABLE touched (lead INTEGER)")
    engine.execute("CREATE TEMP TABLE touched_accounts (account VARCHAR)")
    yield engine
    engine.close()


@pytest.fixture
def stage(store: Engine) -> Stage:
    def staged(*args: Any, **options: Any) -> Staged:
        return stage_rows(store, *args, **options)

    return staged


@pytest.fixture
def fresh() -> Iterator[Callable[[], tuple[Engine, Stage]]]:
    """Make further stores in memory."""
    made: list[Engine] = []

    def make() -> tuple[Engine, Stage]:
        engine = open_store("duckdb::memory:", Path(), create=True)
        engine.execute("CREATE TEMP TABLE touched (lead INTEGER)")
        engine.execute("CREATE TEMP TABLE touched_accounts (account VARCHAR)")
        made.append(engine)
        return engine, lambda *args, **options: stage_rows(engine, *args, **options)

    yield make
    for engine in made:
        engine.close()
