"""What a stand-in is made of: its time, its records, and connections to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Self

import orjson

from leadlight.connect.http import Http
from leadlight.connect.pace import Clock
from leadlight.connect.protocol import Connector, Cursor, Object, Page, Row, Session, Value, Want

START = datetime(2026, 3, 2, 9, 0, 0)


@dataclass(frozen=True)
class Kind:
    """What the suite needs to know of an object to fill it."""

    object: str
    text: str
    """A text field that may be written to (a job title)."""
    number: str | None = None
    history: str | None = None
    """A field whose history is kept."""
    writes: bool = True
    """Whether scores can be written to it."""
    more: Mapping[str, Value] = field(default_factory=dict)
    """Values that a record must have besides."""


@dataclass
class Change:
    """A field's change."""

    at: datetime
    field: str
    old: Value
    new: Value


@dataclass
class Record:
    """A record as the system keeps it."""

    object: str
    id: str
    values: dict[str, Value]
    created: datetime
    modified: datetime
    order: int
    """Of its last change among all changes."""
    gone: bool = False
    into: str | None = None
    history: list[Change] = field(default_factory=list)


class StandClock:
    """Time that goes on only where it is told to, or waited."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        """Return the time, naive UTC."""
        return START + timedelta(seconds=self.seconds)

    def advance(self, seconds: float) -> None:
        """Let time go on."""
        self.seconds += seconds

    def sleep(self, seconds: float) -> None:
        """Wait, in no time."""
        self.slept.append(seconds)
        self.seconds += seconds

    def clock(self) -> Clock:
        """Return it as connections take it."""
        return Clock(now=self.now, monotonic=lambda: self.seconds, sleep=self.sleep)


@dataclass
class Opened:
    """A connection to a stand-in."""

    session: Session
    http: Http | None
    connector: Connector
    cursor: Cursor | None = None

    def describe(self, name: str, fields: Sequence[str] | None = None) -> Object:
        """Return an object, with some of its fields."""
        (found,) = self.session.describe([name])
        if fields is None:
            return found
        kept = tuple(one for one in found.fields if one.name in fields)
        assert len(kept) == len(set(fields)), f"{name} has {[one.name for one in found.fields]}"
        return replace(found, fields=kept)

    def pages(
        self, name: str, fields: Sequence[str] | None = None, *, cursor: Cursor | None = None, history: bool = True
    ) -> Iterator[Page]:
        """Yield pages of an object from a cursor on, each cursor through JSON as sync keeps it."""
        for page in self.session.read(Want(self.describe(name, fields), cursor, history)):
            self.cursor = orjson.loads(orjson.dumps(page.cursor))
            yield page

    def read(
        self, name: str, fields: Sequence[str] | None = None, *, cursor: Cursor | None = None, history: bool = True
    ) -> list[Row]:
        """Return all rows of an object from a cursor on."""
        return [row for page in self.pages(name, fields, cursor=cursor, history=history) for row in page.rows]

    def close(self) -> None:
        """Close it."""
        if self.http is not None:
            self.http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
