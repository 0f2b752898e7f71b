"""Open a workspace's store by its address."""

from __future__ import annotations

import os
from pathlib import Path

from leadlight.engines.base import Engine
from leadlight.engines.duckdb import DuckDBEngine
from leadlight.errors import MissingExtraError, NotFoundError, StoreError
from leadlight.spec.variables import expand
from leadlight.store.migrate import migrate, store_version
from leadlight.store.schema import VERSION

IN_POSTGRES = "the store in PostgreSQL"
POSTGRES = ("postgresql://", "postgres://")


def store_path(address: str, root: Path) -> Path | None:
    """Return the file an address names, relative to the workspace's folder; None for `duckdb::memory:`.

    Raises StoreError for an address that is no DuckDB file.

    >>> store_path("duckdb:data/leads.duckdb", Path("shop")).as_posix()
    'shop/data/leads.duckdb'
    """
    kind, _, rest = address.partition(":")
    if kind != "duckdb" or not rest:
        shown = f"{kind}://…" if rest.startswith("//") else address  # there may be a password in it
        raise StoreError(
            f"{shown!r} is no address of a store",
            fix="Write `store: duckdb:FILE`, with FILE relative to the workspace, as in duckdb:leadlight.duckdb, "
            "or `store: postgresql://…`.",
        )
    return None if rest == ":memory:" else root / rest


def open_store(address: str, root: Path, *, read_only: bool = False, create: bool = False) -> Engine:
    """Open the store, brought to this version's schema; the caller closes it.

    A store that is not there is made with `create`; without, NotFoundError says how to get one. A store in memory is
    always new. Raises StoreInUse, StoreVersionError, StoreError.

    >>> engine = open_store("duckdb::memory:", Path())
    >>> list(engine.columns("leads"))
    ['lead', 'id', 'created_at']
    >>> engine.close()
    """
    if address.startswith(POSTGRES):
        return _in_postgres(address, create=create)
    path = store_path(address, root)
    if path is None:
        return _prepared(DuckDBEngine(None), "the store in memory", create=True)
    _check_place(path, create=create)
    if not read_only:
        return _prepared(DuckDBEngine(path), f"the store {path}", create=create)
    engine = DuckDBEngine(path, read_only=True)
    if _is_current(engine, path):
        return engine
    engine.close()
    _prepared(DuckDBEngine(path), f"the store {path}", create=create).close()
    return DuckDBEngine(path, read_only=True)


def _in_postgres(address: str, *, create: bool) -> Engine:
    """Open a store in PostgreSQL. One process at a time makes it, or brings it to this version."""
    try:
        from leadlight.engines.postgres import PostgresEngine
    except ImportError:
        raise MissingExtraError(
            "a store in PostgreSQL needs the package psycopg", fix="Install it: pip install 'leadlight[postgres]'"
        ) from None
    engine = PostgresEngine(expand(address, os.environ))
    try:
        if create or store_version(engine, name=IN_POSTGRES) != VERSION:
            with engine.alone():
                _made(engine, IN_POSTGRES, create=create)
                engine.complete()
    except BaseException:
        engine.close()
        raise
    return engine


def _check_place(path: Path, *, create: bool) -> None:
    if path.is_dir():
        raise StoreError(f"the store {path} is a folder", fix="Name a file under `store:`.")
    if path.exists():
        return
    if not create:
        raise _absent(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"the store {path} cannot be made: {error.strerror}") from None


def _absent(path: Path | str) -> NotFoundError:
    return NotFoundError(f"there is no store yet at {path}", fix="Run `leadlight ingest` to make it.")


def _is_current(engine: DuckDBEngine, path: Path) -> bool:
    try:
        return store_version(engine, name=f"the store {path}") == VERSION
    except StoreError:
        engine.close()
        raise


def _prepared(engine: DuckDBEngine, name: str, *, create: bool) -> DuckDBEngine:
    try:
        _made(engine, name, create=create)
    except BaseException:
        engine.close()
        raise
    return engine


def _made(engine: Engine, name: str, *, create: bool) -> None:
    if not create and store_version(engine, name=name) == 0:
        raise _absent(name.removeprefix("the store "))
    migrate(engine, name=name)
