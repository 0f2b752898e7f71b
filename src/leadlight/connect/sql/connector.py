"""The connector for SQL databases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from leadlight.connect.protocol import (
    About,
    Note,
    Object,
    Page,
    PushField,
    Readied,
    Settings,
    Surroundings,
    Value,
    Want,
    Write,
    Written,
)
from leadlight.connect.sql import map, read, write  # noqa: A004
from leadlight.connect.sql.database import Database
from leadlight.connect.sql.describe import describe
from leadlight.connect.sql.settings import ABOUT, SqlSettings


class SqlSession:
    """A database."""

    def __init__(self, database: Database, now: datetime) -> None:
        self._database, self._now = database, now

    def describe(self, objects: Sequence[str] | None = None) -> Sequence[Object]:
        """Return tables and views with their columns."""
        return describe(self._database, objects)

    def read(self, want: Want) -> Iterator[Page]:
        """Yield what has changed since a cursor, or all rows where a table does not say when they change."""
        yield from read.read(self._database, want, self._now)

    def ready(self, object: str, fields: Sequence[PushField], *, dry: bool = False) -> Sequence[Readied]:  # noqa: A002
        """Say which columns are there; none is made."""
        del dry
        return write.ready(self._database, object, fields)

    def look(self, object: str, ids: Sequence[str], fields: Sequence[str]) -> Mapping[str, Mapping[str, Value]]:  # noqa: A002
        """Return what columns of some rows hold now."""
        return write.look(self._database, object, ids, fields)

    def write(self, object: str, batch: Sequence[Write]) -> Sequence[Written]:  # noqa: A002
        """Update these columns of some rows."""
        return write.write(self._database, object, batch)

    def note(self, object: str, notes: Sequence[Note]) -> Sequence[Written]:  # noqa: A002
        """Say that there are no tasks in a database."""
        del object
        return write.note(notes)


class Sql:
    """The connector."""

    about: About = ABOUT
    settings: type[Settings] = SqlSettings
    mapping: Mapping[str, Mapping[str, Any]] = map.MAPPING
    starter: str = map.STARTER
    scorecard: str = map.SCORECARD

    def way(self, settings: Settings, secrets: Mapping[str, str]) -> None:
        """Say that it does not speak HTTP."""
        del settings, secrets

    def open(self, settings: Settings, surroundings: Surroundings) -> SqlSession:
        """Return a session; nothing is asked yet."""
        assert isinstance(settings, SqlSettings)
        return SqlSession(Database(settings, surroundings.secrets), surroundings.now)

    def changed(
        self, headers: Mapping[str, str], body: bytes, *, url: str, secrets: Mapping[str, str], now: datetime
    ) -> Sequence[str]:
        """Say that databases send no webhooks."""
        raise NotImplementedError("a database sends no webhooks")
