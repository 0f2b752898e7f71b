"""Where reading goes on: after a record in the middle, or since a moment when the last reading came to its end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from leadlight.connect.protocol import Cursor
from leadlight.connect.salesforce import soql
from leadlight.connect.typed import moment

OVERLAP = timedelta(minutes=10)
"""How far a reading looks back: a transaction may take ten minutes from a record's stamp until others can see it."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the order of (SystemModstamp, Id)."""

    begun: datetime
    """When this reading began, by our clock: what changes later, the next one reads."""
    since: datetime | None = None
    """From where the reading began; None: from the beginning of all."""
    at: datetime | None = None
    """The stamp of the last record that was read."""
    id: str | None = None
    """Its id, in the middle of a reading."""

    @classmethod
    def of(cls, cursor: Cursor | None, now: datetime) -> Place:
        """Return the place of a cursor; the beginning where there is none, or one that cannot be understood."""
        told = cursor or {}
        begun, since, at = (moment(told.get(key)) for key in ("begun", "since", "at"))
        middle = told.get("id")
        if soql.is_id(middle) and begun is not None and at is not None:
            return cls(begun, since, at, str(middle))
        return cls(now, None if at is None else at - OVERLAP, at)

    @property
    def cursor(self) -> Cursor:
        """The place as JSON."""
        told = {"begun": self.begun, "since": self.since, "at": self.at}
        return {key: at.isoformat() for key, at in told.items() if at is not None} | (
            {"id": self.id} if self.id else {}
        )

    def after(self, stamp: datetime | None, record: str) -> Place:
        """Return the place after a record."""
        return self if stamp is None else replace(self, at=stamp, id=record)

    def end(self) -> Place:
        """Return where the next reading begins: never after this one began."""
        return Place(self.begun, at=min(self.at or self.begun, self.begun))

    def condition(self) -> str | None:
        """Return what records have to satisfy to come after it."""
        if self.id is not None and self.at is not None:
            at = soql.moment(self.at)
            return f"(SystemModstamp > {at} OR (SystemModstamp = {at} AND Id > {soql.text(self.id)}))"
        return None if self.since is None else f"SystemModstamp >= {soql.moment(self.since)}"
