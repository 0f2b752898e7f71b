"""Where reading goes on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from leadlight.connect.dynamics import odata
from leadlight.connect.protocol import Cursor
from leadlight.connect.typed import moment

OVERLAP = timedelta(minutes=5)
"""How far a reading by dates looks back: what is being saved has its date before others can see it."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a table: a page's address in the midst of a reading, a token's or a date at its end."""

    begun: datetime
    """When this reading began, by our clock."""
    columns: str
    """What is asked for: with other columns a token says nothing."""
    since: datetime | None = None
    """The date from which the reading began; None: from the beginning of all."""
    at: datetime | None = None
    """The latest change that was read."""
    next: str | None = None
    """The next page."""
    delta: str | None = None
    """Where what changed since is told."""
    swept: datetime | None = None
    """When all ids were last passed over."""

    @classmethod
    def of(cls, cursor: Cursor | None, columns: str, now: datetime) -> Place:
        """Return the place of a cursor; the beginning where there is none, or one of other columns."""
        told = cursor or {}
        begun, since, at, swept = (moment(told.get(key)) for key in ("begun", "since", "at", "swept"))
        links = {key: told[key] for key in ("next", "delta") if isinstance(told.get(key), str)}
        if told.get("columns") != columns:
            return cls(now, columns, swept=swept)
        if "next" in links and begun is not None:
            return cls(begun, columns, since, at, **links, swept=swept)
        return cls(now, columns, None if at is None else at - OVERLAP, at, **links, swept=swept)

    @property
    def cursor(self) -> Cursor:
        """The place as JSON."""
        times = {"begun": self.begun, "since": self.since, "at": self.at, "swept": self.swept}
        links = {"next": self.next, "delta": self.delta, "columns": self.columns}
        told = {key: at.isoformat() for key, at in times.items() if at is not None}
        return {**told, **{key: link for key, link in links.items() if link}}

    @property
    def first(self) -> bool:
        """Whether nothing was read before this reading."""
        return self.since is None

    def after(self, batch: odata.Batch, latest: datetime | None) -> Place:
        """Return the place after a page."""
        at = max((one for one in (self.at, latest) if one is not None), default=None)
        return replace(self, at=at, next=batch.next)

    def end(self, delta: str | None) -> Place:
        """Return where the next reading begins: never after this one began."""
        at = min(self.at or self.begun, self.begun)
        return Place(self.begun, self.columns, at=at, delta=delta, swept=self.swept)
