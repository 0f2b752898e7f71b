"""How many rows tables have, and of what values, told to an engine that plans by it and does not look by itself."""

from __future__ import annotations

from leadlight.engines.base import Engine
from leadlight.store.sql import fill

READ_TO_SCORE = ("ids", "leads", "attributes", "account_attributes", "events", "outcomes")
"""The tables of the store that statements which score read."""


def note_sizes(engine: Engine, *tables: str) -> None:
    """Let the engine look at tables that have just got their rows; those that always know do nothing.

    PostgreSQL takes a table of which it knows nothing for some hundred rows: it looks by itself a minute later, and at
    temporary tables never.

    >>> from leadlight.engines.duckdb import DuckDBEngine
    >>> note_sizes(DuckDBEngine(None), "any")
    """
    if engine.capabilities.one_file:
        return
    for table in tables:
        engine.execute(fill("ANALYZE {table}", table=table))
