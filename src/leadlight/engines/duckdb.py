"""DuckDB: the embedded engine, one file, nothing to start."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from sqlglot import exp

from leadlight.engines.base import Capabilities
from leadlight.errors import StoreError, StoreInUse
from leadlight.expr.types import Type

CAPABILITIES = Capabilities(
    dialect="duckdb",
    types={Type.NUMBER: "DOUBLE", Type.TEXT: "VARCHAR", Type.BOOL: "BOOLEAN", Type.TIME: "TIMESTAMP"},
)


BATCH = 50_000
"""How many rows travel at once between engines."""

_UNUSABLE = (duckdb.IOException, duckdb.OutOfMemoryException, duckdb.FatalException, duckdb.InternalException,
             duckdb.TransactionException, duckdb.ResourceInUseException)  # fmt: skip

DISABLED = "partitioned_execution"
"""An optimizer of DuckDB 2 that sums an ordered table part by part but reads all of it for each part: with it, scoring
10 million leads took twice the CPU (55 s against 24 s), and it helps at no size that was measured."""


class DuckDBEngine:
    """A DuckDB file, or memory.

    >>> engine = DuckDBEngine(None)
    >>> engine.rows("SELECT 1 + ?", [2])
    [(3,)]
    >>> engine.close()
    """

    capabilities = CAPABILITIES
    fault: type[Exception] = duckdb.Error

    def __init__(self, path: Path | None, *, read_only: bool = False, memory_limit: str | None = None) -> None:
        """Open the file, or memory for None.

        Raises StoreInUse when another process holds it, StoreError when it is no DuckDB file.
        """
        self._depth = 0
        self._prepared: dict[str, str] = {}
        self._path = path
        self._read_only = read_only and path is not None
        self._memory_limit = memory_limit
        self._connection = self._connect()

    def _connect(self) -> duckdb.DuckDBPyConnection:
        try:
            connection = duckdb.connect(
                ":memory:" if self._path is None else str(self._path), read_only=self._read_only
            )
        except duckdb.Error as error:
            raise _open_error(self._path, error) from None
        for setting in ("TimeZone = 'UTC'", "enable_progress_bar = false", "preserve_insertion_order = true"):
            connection.execute(f"SET {setting}")
        if connection.execute("SELECT 1 FROM duckdb_optimizers() WHERE name = ?", [DISABLED]).fetchone():
            connection.execute("SET disabled_optimizers = ?", [DISABLED])
        if self._memory_limit is not None:
            connection.execute("SET memory_limit = ?", [self._memory_limit])
        return connection

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The driver's own connection, for what only DuckDB can do (reading files)."""
        return self._connection

    def unusable(self, error: BaseException) -> bool:
        """Return whether a fault is the store's and not the statement's: the same may go well later."""
        return isinstance(error, _UNUSABLE)

    def follows(self, error: BaseException) -> bool:
        """Return whether a fault only says that there was one before in the transaction."""
        return isinstance(error, duckdb.TransactionException)

    def revive(self) -> None:
        """Do nothing: there is no connection that could be lost."""

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        """Run a statement and read nothing back."""
        self._connection.execute(sql, list(parameters)) if parameters else self._connection.execute(sql)

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a query and return its few rows."""
        return self._connection.execute(sql, list(parameters)).fetchall()

    def arrow(self, sql: str, parameters: Sequence[Any] = ()) -> pa.Table:
        """Run a query and return its rows as an Arrow table."""
        return self._connection.sql(sql, params=list(parameters) or None).to_arrow_table()

    def prepared(self, sql: str, parameters: Sequence[int | str | datetime]) -> list[dict[str, Any]]:
        """Run a query with `$1`, `$2` … that is asked again and again.

        It is parsed once; DuckDB plans it each time, unless it reads no table and has no parameter at two places.
        Returns its few rows by column name.

        >>> engine = DuckDBEngine(None)
        >>> [engine.prepared("SELECT $1 + 1 AS n", [value]) for value in (1, 2)]
        [[{'n': 2}], [{'n': 3}]]
        >>> engine.close()
        """
        if sql not in self._prepared:
            name = f"_prepared_{len(self._prepared)}"
            self._connection.execute(f"PREPARE {name} AS {sql}")
            self._prepared[sql] = name
        values = ", ".join(map(_literal, parameters))
        result = self._connection.execute(f"EXECUTE {self._prepared[sql]}({values})")
        names = [column[0] for column in result.description or ()]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    def register(self, name: str, table: pa.Table) -> None:
        """Make an Arrow table readable under a name until `unregister`; nothing is copied."""
        self._connection.register(name, table)

    def batches(self, table: str) -> pa.RecordBatchReader:
        """Return the rows of a table batch by batch; nothing else can be asked before they are read."""
        return self._connection.table(table).to_arrow_reader(BATCH)

    def take(self, name: str, rows: pa.RecordBatchReader) -> None:
        """Make a temporary table of rows that come batch by batch."""
        self.register("_taken", rows.read_all())
        self.execute(
            f"CREATE OR REPLACE TEMPORARY TABLE {exp.to_identifier(name, quoted=True).sql('duckdb')} AS FROM _taken"
        )
        self.unregister("_taken")

    def unregister(self, name: str) -> None:
        """Forget a registered table."""
        self._connection.unregister(name)

    def columns(self, table: str) -> dict[str, str]:
        """Return a table's columns and their engine types, in order; empty where there is no such table."""
        found = self.rows(
            "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = ? ORDER BY column_index", [table]
        )
        return {str(name): str(kind) for name, kind in found}

    def tables(self) -> frozenset[str]:
        """Return the names of all tables that stay, as they are written."""
        found = self.rows("SELECT table_name FROM duckdb_tables() WHERE NOT temporary AND NOT internal")
        return frozenset(str(name) for (name,) in found)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that happens inside is kept together, or not at all. Nested ones join the outer one."""
        if self._depth:
            yield
            return
        self._connection.execute("BEGIN")
        self._depth = 1
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            self._rollback()
            raise
        finally:
            self._depth = 0

    def _rollback(self) -> None:
        try:
            self._connection.execute("ROLLBACK")
        except duckdb.TransactionException:  # a failed COMMIT has rolled back by itself
            return

    def rewrite(self) -> None:
        """Write the file anew with only what is in it: bytes of deleted rows are gone from the disk.

        A deletion, a checkpoint and a vacuum all leave them in blocks that the file no longer uses. Memory is left as
        it is. The old file stays in place until the new one is complete. Temporary tables and settings are lost.
        """
        if self._path is None:
            return
        fresh = self._path.with_name(self._path.name + ".rewrite")
        fresh.unlink(missing_ok=True)
        try:
            self._connection.execute("CHECKPOINT")
            self.copy_to(fresh)
            fresh.replace(self._path)
        finally:
            fresh.unlink(missing_ok=True)
        self._connection.close()
        self._prepared.clear()
        self._connection = self._connect()

    def copy_to(self, path: Path) -> None:
        """Write a store file that holds what this one holds now; others may read meanwhile."""
        own = str(self.rows("SELECT current_database()")[0][0]).replace('"', '""')
        place = str(path).replace("'", "''")
        self._connection.execute(f"ATTACH '{place}' AS fresh; COPY FROM DATABASE \"{own}\" TO fresh; DETACH fresh")

    def close(self) -> None:
        """Let go of the store."""
        self._connection.close()


def _literal(value: int | str | datetime) -> str:
    """Write a value where no parameter may stand.

    >>> _literal("it's"), _literal(datetime(2026, 1, 31))
    ("'it''s'", "TIMESTAMP '2026-01-31 00:00:00'")
    """
    if isinstance(value, datetime):
        return f"TIMESTAMP '{value.isoformat(sep=' ')}'"
    return str(int(value)) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"


def _open_error(path: Path | None, error: duckdb.Error) -> StoreError:
    """Turn DuckDB's message into ours: who holds the file, or what is wrong with it."""
    text = str(error)
    holder = re.search(r"Conflicting lock is held in (.*?)(?: \(PID (\d+)\))", text)
    if holder:
        return StoreInUse(str(path), f"process {holder[2]} ({Path(holder[1]).name})")
    if "Could not set lock" in text or "already open" in text.lower() or "same database file" in text:
        return StoreInUse(str(path), "another process")
    if "not a valid DuckDB database" in text:
        return StoreError(f"{path} is not a store: it is no DuckDB file", fix="Name another file under `store:`.")
    if "newer version" in text or "storage version" in text.lower():
        return StoreError(f"{path} was written by another version of DuckDB", fix="Upgrade leadlight, then try again.")
    return StoreError(f"the store {path} cannot be opened: {text.splitlines()[0]}")
