"""A DuckDB in memory beside another engine: where files are read and written, whatever the store is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from leadlight.engines.base import Engine
from leadlight.engines.duckdb import DuckDBEngine


def lasting_desk(engine: Engine) -> Engine:
    """Return a desk for as long as the engine is used: itself, where it is a DuckDB."""
    return engine if isinstance(engine, DuckDBEngine) else DuckDBEngine(None)


def bring(table: str, source: Engine, target: Engine) -> None:
    """Make a temporary table of one engine one of another too; nothing, where they are the same."""
    if source is not target:
        with source.batches(table) as rows:  # an open result keeps others from being asked
            target.take(table, rows)


@contextmanager
def desk(engine: Engine, *tables: str) -> Iterator[DuckDBEngine]:
    """Give a DuckDB that has these tables of an engine: the engine itself, or one in memory they are brought to."""
    if isinstance(engine, DuckDBEngine):
        yield engine
        return
    beside = DuckDBEngine(None)
    try:
        for table in tables:
            beside.take(table, engine.batches(table))
        yield beside
    finally:
        beside.close()
