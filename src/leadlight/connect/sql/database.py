"""A database that is open: its tables as they are, and its errors in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from leadlight.connect.secrets import hide
from leadlight.connect.sql.settings import ABOUT, SqlSettings
from leadlight.connect.unknown import no_object
from leadlight.errors import MissingExtraError, NotFoundError, RemoteError, RemoteTrouble

if TYPE_CHECKING:
    import sqlite3

    from sqlalchemy import Connection, Engine, Table

MESSAGE_MOST = 300
TABLE = "Write one that is there as `object` of the source; of another schema, name that as `db_schema`."
SIGNS: tuple[tuple[RemoteTrouble, tuple[str, ...], str], ...] = (
    ("sign_in", ("password", "authentication", "access denied", "login failed", "role", "no pg_hba"),
     "Look at the user in `url` and at password (LEADLIGHT_SQL_PASSWORD)."),
    ("scope", ("permission denied", "not authorized", "insufficient", "readonly", "read-only", "command denied"),
     "Grant the user SELECT on the table, and UPDATE on the columns that take scores."),
    ("absent", ("no such table", "no such column", "does not exist", "doesn't exist", "unknown column"),
     "Look at the names of the tables and columns in leadlight.yaml, and at `db_schema`."),
    ("unreachable", ("refused", "could not", "unable to open", "timeout", "timed out", "server closed", "translate",
                     "resolve", "connection"),
     "Look whether the database is running, and whether host, port and path in `url` are right."),
)  # fmt: skip
"""What a driver's message is about, by words in it: the first that fits."""


class Database:
    """A database, connected to when it is asked something."""

    def __init__(self, settings: SqlSettings, secrets: Mapping[str, str]) -> None:
        self.settings, self._secrets = settings, tuple(secrets.values())
        self._password = secrets.get("password")
        self._tables: dict[str, Table] = {}

    @contextmanager
    def connect(self, *, write: bool = False) -> Iterator[Connection]:
        """Open a transaction, which ends with the context. Raises RemoteError, MissingExtraError."""
        with self.words(), (self._engine if write else self._reader).begin() as connection:
            yield connection

    def names(self) -> tuple[str, ...]:
        """Return the names of all tables and views, in alphabetical order."""
        from sqlalchemy import inspect

        schema = self.settings.db_schema
        with self.words():
            inspector = inspect(self._reader)
            return tuple(sorted({*inspector.get_table_names(schema), *inspector.get_view_names(schema)}))

    def table(self, name: str) -> Table:
        """Return a table with its columns. Raises NotFoundError where there is none."""
        from sqlalchemy import MetaData, Table
        from sqlalchemy.exc import NoSuchTableError

        if name not in self._tables:
            try:
                with self.words():
                    self._tables[name] = Table(
                        name, MetaData(), autoload_with=self._reader, schema=self.settings.db_schema, resolve_fks=False
                    )
            except NoSuchTableError:
                raise self._no_table(name) from None
        return self._tables[name]

    def _no_table(self, name: str) -> NotFoundError:
        """Return the error for a table that is not there, or that we may not see."""
        known, schema = self.names(), self.settings.db_schema
        if known:
            return no_object("the database has no table", name, known, fix=TABLE)
        where = "its tables" if schema is None else f"the tables of {schema}"
        fix = f"Look whether `url` and `db_schema` name the right place, and whether the user may read {where}."
        return NotFoundError(f"the database has no table {name!r}, and no other one that its user may see", fix=fix)

    def forget(self) -> None:
        """Look at the tables anew when they are asked for."""
        self._tables.clear()

    @contextmanager
    def words(self) -> Iterator[None]:
        """Turn a driver's errors into ours."""
        from sqlalchemy.exc import DBAPIError, NoSuchModuleError, SQLAlchemyError

        try:
            yield
        except DBAPIError as error:
            raise self.failed(str(error.orig)) from None
        except (NoSuchModuleError, ModuleNotFoundError) as error:
            raise _no_driver(error) from None
        except SQLAlchemyError as error:
            if type(error).__name__ == "NoSuchTableError":
                raise
            raise self.failed(str(error)) from None
        except ValueError as error:  # a value that its column's type does not allow (SQLite takes any)
            raise self.failed(str(error)) from None

    def failed(self, message: str) -> RemoteError:
        """Return what a driver's message means, without secrets."""
        flat = hide(" ".join(message.split())[:MESSAGE_MOST], self._secrets)
        low = flat.lower()
        for trouble, signs, fix in SIGNS:
            if any(sign in low for sign in signs):
                return RemoteError(ABOUT.title, trouble, flat, fix=fix)
        return RemoteError(ABOUT.title, "trouble", flat, fix="Look at the database's own log; what was read is kept.")

    @cached_property
    def _reader(self) -> Engine:
        """The same, in transactions that only read, where the database knows such."""
        engine = self._engine
        return engine.execution_options(postgresql_readonly=True) if engine.dialect.name == "postgresql" else engine

    @cached_property
    def _engine(self) -> Engine:
        try:
            from sqlalchemy import create_engine, make_url
            from sqlalchemy.exc import ArgumentError, NoSuchModuleError
            from sqlalchemy.pool import NullPool
        except ModuleNotFoundError as error:
            raise _no_driver(error) from None
        try:
            url = make_url(self.settings.url)
            url = url if self._password is None else url.set(password=self._password)
            engine = create_engine(url, poolclass=NullPool)
        except (NoSuchModuleError, ModuleNotFoundError) as error:
            raise _no_driver(error) from None
        except ArgumentError as error:
            raise self.failed(str(error)) from None
        if engine.dialect.name == "sqlite":
            _see_file(url.database)
            _begin_in_time(engine)
        return engine


def _see_file(path: str | None) -> None:
    """Raise RemoteError where there is no such file: SQLite would make an empty one."""
    if path and not path.startswith(("file:", ":")) and not Path(path).is_file():
        fix = "Look at `url`: sqlite:/// and the path, so that four slashes stand before one from the root."
        raise RemoteError(ABOUT.title, "absent", f"there is no file {path}", fix=fix)


def _begin_in_time(engine: Engine) -> None:
    """Let transactions of SQLite begin with BEGIN: its driver waits too long, so that each savepoint ends one."""
    from sqlalchemy import event

    def connected(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None

    def begun(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", begun)


def _no_driver(error: Exception) -> MissingExtraError:
    name = getattr(error, "name", None) or str(error)
    fix = (
        "Install it (`pip install 'leadlight[connect]'` brings SQLAlchemy; the driver of a database comes on its own)."
    )
    return MissingExtraError(f"reading that database needs a package that is not there: {name}", fix=fix)
