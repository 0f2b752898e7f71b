"""Bring a store to this version's schema, one numbered step after the other."""

from __future__ import annotations

from collections.abc import Sequence

from leadlight.engines.base import Engine
from leadlight.errors import StoreError, StoreVersionError
from leadlight.store.schema import MIGRATIONS, Migration

_TABLE = "CREATE TABLE migrations (number INTEGER NOT NULL, name VARCHAR NOT NULL, taken_at TIMESTAMP NOT NULL)"
_COLUMNS = ["number", "name", "taken_at"]


def store_version(engine: Engine, *, name: str = "the store") -> int:
    """Return the number of the last step taken; 0 for an empty database.

    Raises StoreError for a database that holds tables but no store.
    """
    columns = list(engine.columns("migrations"))
    if columns == _COLUMNS:
        return int(engine.rows("SELECT coalesce(max(number), 0) FROM migrations")[0][0])
    if columns or engine.tables():
        raise StoreError(
            f"{name} is a database, but not a store of Leadlight",
            fix="Name another one under `store:`; Leadlight makes it.",
        )
    return 0


def migrate(engine: Engine, *, name: str = "the store", migrations: Sequence[Migration] = MIGRATIONS) -> int:
    """Take the steps that this store has not taken yet, each in a transaction of its own; return how many.

    Raises StoreVersionError when the store is newer than `migrations`, StoreError when it is not ours.

    >>> from leadlight.engines.duckdb import DuckDBEngine
    >>> engine = DuckDBEngine(None)
    >>> migrate(engine), migrate(engine)
    (7, 0)
    """
    version = store_version(engine, name=name)
    last = migrations[-1][0]
    if version > last:
        raise StoreVersionError(
            f"{name} is of version {version}; this Leadlight knows versions up to {last}",
            fix="Upgrade it with `pip install --upgrade leadlight`, or name another file under `store:`.",
        )
    steps = [step for step in migrations if step[0] > version]
    for step in steps:
        _take(engine, step)
    return len(steps)


def _take(engine: Engine, step: Migration) -> None:
    number, what, statements = step
    with engine.transaction():
        if not engine.columns("migrations"):
            engine.execute(_TABLE)
        for statement in statements:
            engine.execute(statement)
        engine.execute("INSERT INTO migrations VALUES (?, ?, now()::TIMESTAMP)", [number, what])
