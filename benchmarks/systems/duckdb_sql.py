"""The best DuckDB SQL we could write by hand, over a table laid out for nothing but this question."""

from __future__ import annotations

from pathlib import Path

import duckdb

from data import AS_OF, TYPES
from measure import MEMORY, THREADS
from result import CRITERIA, Scores

STATEMENT = (Path(__file__).parent / "duckdb_sql.sql").read_text(encoding="utf-8")


def layout(parquet: Path, folder: Path) -> None:
    """Write a DuckDB file: events by type, then lead, so that a vector holds one type; nothing but what is needed."""
    types = ", ".join(f"'{name}'" for name in TYPES)
    with duckdb.connect(str(folder / "own.duckdb")) as connection:
        connection.execute(f"SET threads = {THREADS}; SET memory_limit = '{MEMORY}'")
        connection.execute(f"CREATE TYPE event_type AS ENUM ({types})")
        for table in ("leads", "attributes"):
            connection.execute(f"CREATE TABLE {table} AS FROM '{parquet}/{table}/*.parquet' ORDER BY lead")
        connection.execute(
            'CREATE TABLE events AS SELECT lead, type::event_type AS type, "at", path, seconds::FLOAT AS seconds '
            f"FROM '{parquet}/events/*.parquet' ORDER BY type, lead, \"at\""
        )


def score(folder: Path) -> duckdb.DuckDBPyConnection:
    """Open the file, score everybody, keep the result in a temporary table."""
    connection = duckdb.connect(str(folder / "own.duckdb"), read_only=True)
    connection.execute(f"SET threads = {THREADS}; SET memory_limit = '{MEMORY}'; SET enable_progress_bar = false")
    statement = STATEMENT.replace("$T", f"TIMESTAMP '{AS_OF}'")
    connection.execute(f"CREATE TEMPORARY TABLE result AS {statement}")
    return connection


def scores(connection: duckdb.DuckDBPyConnection) -> Scores:
    """Read the result for the comparison with the others."""
    columns = connection.execute("FROM result").fetchnumpy()
    return Scores(columns["lead"], [columns[name] for name in CRITERIA], columns["score"], columns["grade"])
