"""The whole allocation as a file."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from leadlight.engines.base import Engine
from leadlight.errors import UsageError
from leadlight.scorecards.export import shown, to_file
from leadlight.store.sql import Sql, fill, quoted

TABLE = "_allocation"
TEXTS = ("id", "grade", "pool", "best_pool")
"""The columns that hold a user's own texts."""


def write_allocation(engine: Engine, target: Path, table: pa.Table) -> None:
    """Write a list to `*.csv` or `*.parquet`, whole or not at all. Raises UsageError for any other file."""
    kind = target.suffix.lower().lstrip(".")
    if kind not in ("csv", "parquet"):
        raise UsageError(f"cannot write {str(target)!r}", fix="Name a file *.csv or *.parquet.")
    columns = [_column(name, safe=kind == "csv") for name in table.column_names]
    engine.register(TABLE, table)
    try:
        query = fill("SELECT {columns} FROM {table} ORDER BY rank", columns=columns, table=TABLE)
        to_file(engine, target, kind, query, table=TABLE)
    finally:
        engine.unregister(TABLE)


def _column(name: str, *, safe: bool) -> Sql:
    return fill("{value} AS {name}", value=shown(quoted(name), safe=safe and name in TEXTS), name=name)
