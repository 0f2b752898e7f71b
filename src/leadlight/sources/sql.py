"""SQL: a table or query of a DuckDB or SQLite file or a PostgreSQL server, read and never written."""

from __future__ import annotations

import os
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import duckdb

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.errors import DataError, Fault, MissingExtraError, StoreError, did_you_mean
from leadlight.sources.batches import BATCH, Loaded, load_rows
from leadlight.sources.csv import distinct_headers
from leadlight.sources.locate import locate
from leadlight.sources.parquet import typed_columns
from leadlight.sources.part import Part, named
from leadlight.spec.models import SourceSpec

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
SCHEMES = ("duckdb:", "sqlite:", "postgresql://", "postgres://")


def open_sql(engine: DuckDBEngine, source: str, spec: SourceSpec, root: Path, table: str, limit: int | None) -> Part:
    """Read a table or query into a temporary table.

    Raises DataError for an unknown address, variable, table or column; no message holds the address's secrets.
    """
    address = expand(spec.location, source)
    if address.startswith("duckdb:"):
        return _duckdb(engine, source, spec, root, address, table, limit)
    if address.startswith("sqlite:"):
        return _sqlite(engine, source, spec, root, address, table, limit)
    if address.startswith(("postgresql://", "postgres://")):
        return _postgres(engine, source, spec, address, table, limit)
    scheme = spec.location.split(":")[0]
    raise _fault(source, f"{scheme!r} is no database we read: write duckdb:FILE, sqlite:FILE or postgresql://…")


def expand(text: str, source: str) -> str:
    """Put the environment's values in the place of ${VARIABLES}. Raises DataError naming those that are not set."""
    absent = [name for name in _VARIABLE.findall(text) if name not in os.environ]
    if absent:
        raise DataError(
            [Fault(f"the environment variable {name} is not set", path=f"sources.{source}.sql") for name in absent]
        )
    return _VARIABLE.sub(lambda match: os.environ[match[1]], text)


def _statement(spec: SourceSpec, limit: int | None) -> str:
    """Return the query to run; a table's name may have a schema in front."""
    body = spec.query.rstrip().rstrip(";") if spec.query is not None else None
    if body is None:
        body = f"SELECT * FROM {'.'.join(named(part) for part in str(spec.table).split('.'))}"  # noqa: S608
    return f"SELECT * FROM (\n{body}\n) AS q LIMIT {limit}" if limit is not None else body  # noqa: S608


def _duckdb(
    engine: DuckDBEngine, source: str, spec: SourceSpec, root: Path, address: str, table: str, limit: int | None
) -> Part:
    located = locate(address.removeprefix("duckdb:"), root, source)[0]
    try:
        with duckdb.connect(str(located.path), read_only=True) as other:
            other.execute("SET TimeZone = 'UTC'")
            reader = other.sql(_statement(spec, limit)).to_arrow_reader(BATCH)
            engine.connection.register(f"{table}_batch", reader)
            try:
                body = f"SELECT *, CAST(row_number() OVER () AS BIGINT) AS _line FROM {named(table + '_batch')}"  # noqa: S608
                engine.execute(f"CREATE OR REPLACE TEMP TABLE {named(table)} AS {body}")
            finally:
                engine.unregister(f"{table}_batch")
    except duckdb.Error as error:
        names = _duckdb_tables(located.path)
        raise _failed(source, spec, str(error), names) from None
    found = [(name, kind) for name, kind in engine.columns(table).items() if name != "_line"]
    columns, notes = typed_columns(found, located.shown)
    return Part(located.shown, located.path.stat().st_size, columns, named(table), "_line", notes=notes)


def _duckdb_tables(path: Path) -> list[str]:
    try:
        with duckdb.connect(str(path), read_only=True) as other:
            return [str(name) for (name,) in other.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
    except duckdb.Error:
        return []


def _sqlite(
    engine: DuckDBEngine, source: str, spec: SourceSpec, root: Path, address: str, table: str, limit: int | None
) -> Part:
    located = locate(address.removeprefix("sqlite:"), root, source)[0]
    names: list[str] = []
    try:
        with closing(sqlite3.connect(f"{located.path.absolute().as_uri()}?mode=ro", uri=True)) as other:
            tables = other.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")
            names = [str(row[0]) for row in tables]
            cursor = other.execute(_statement(spec, limit))
            headers, _ = distinct_headers([str(column[0]) for column in cursor.description])
            loaded = load_rows(engine, table, len(headers), cursor)
    except sqlite3.Error as error:
        raise _failed(source, spec, str(error), names) from None
    return _from_loaded(located.shown, located.path.stat().st_size, headers, loaded)


def _postgres(engine: DuckDBEngine, source: str, spec: SourceSpec, address: str, table: str, limit: int | None) -> Part:
    try:
        import psycopg
    except ImportError:
        raise MissingExtraError(
            "reading PostgreSQL needs psycopg", fix="Install it with: pip install 'leadlight[postgres]'"
        ) from None
    from leadlight.engines.postgres import parts_of

    try:
        parts_of(address)
    except StoreError as error:
        raise DataError([Fault(error.message, path=f"sources.{source}.sql")], fix=error.fix) from None
    try:
        with psycopg.connect(address, connect_timeout=10, autocommit=False) as other:
            other.read_only = True
            other.execute("SET TIME ZONE 'UTC'")
            with other.cursor(name="leadlight") as cursor:  # a cursor on the server: memory stays bounded
                cursor.itersize = BATCH
                cursor.execute(_statement(spec, limit).encode())
                headers, _ = distinct_headers([column.name for column in cursor.description or ()])
                loaded = load_rows(engine, table, len(headers), cursor)
    except psycopg.Error as error:
        raise _failed(source, spec, _without_secrets(str(error), address), []) from None
    return _from_loaded(f"{spec.table or 'query'} of {_shown(address)}", 0, headers, loaded)


def _from_loaded(shown: str, size: int, headers: list[str], loaded: Loaded) -> Part:
    columns = {header: loaded.cell(index) for index, header in enumerate(headers)}
    return Part(shown, size, columns, named(loaded.table), "_line")


def _shown(address: str) -> str:
    """Return the server and database of an address, without user, password and options."""
    rest = address.split("://", 1)[1].split("?")[0]
    return rest.rpartition("@")[2]


def _without_secrets(text: str, address: str) -> str:
    """Take the address and its password out of a driver's message."""
    clean = text.replace(address, "…")
    user = address.split("://", 1)[1].rpartition("@")[0]
    _, _, password = user.partition(":")
    options = re.findall(r"password=([^&]+)", address)
    for secret in filter(None, [password, *options]):
        clean = clean.replace(secret, "…")
    return clean


def _failed(source: str, spec: SourceSpec, text: str, names: list[str]) -> DataError:
    if spec.table is not None and names and spec.table.split(".")[-1] not in names:
        return _fault(source, f"there is no table {spec.table!r}; {did_you_mean(spec.table, names)}")
    first = next((line for line in text.splitlines() if line.strip()), "no reason given")
    return _fault(source, f"the database says: {first}")


def _fault(source: str, message: str) -> DataError:
    return DataError([Fault(message, path=f"sources.{source}")])
