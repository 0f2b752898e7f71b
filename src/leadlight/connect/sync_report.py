"""What a sync did: for each connection and object how much came, what of it was new, and what had to be said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from leadlight.spec.entity import many
from leadlight.spec.readable import Readable

if TYPE_CHECKING:
    from leadlight.errors import LeadlightError
    from leadlight.sources.ingest_report import IngestReport


MANY = 1_000
"""Rows from which on it is worth saying how quick it was."""


@dataclass(frozen=True, slots=True)
class SyncUpdate:
    """How far reading an object has come; systems do not tell how much there is."""

    connection: str
    object: str
    rows: int
    seconds: float


@dataclass(frozen=True, slots=True)
class ObjectReport:
    """What became of an object of a connection."""

    object: str
    rows: int = 0
    """Rows that came: a record's past counts too, and what comes again."""
    read: int = 0
    """Records that they are about."""
    new: int = 0
    """Records that were never read before."""
    changed: int = 0
    """New versions of records that were."""
    gone: int = 0
    merged: int = 0
    """Records that were merged or converted into another one."""
    seconds: float = 0.0
    whole: bool = False
    """All was read, not only what has changed."""
    misfits: Mapping[str, int] = field(default_factory=dict)
    """Field → values that were not of its type, and so are missing."""
    notes: tuple[str, ...] = ()

    @property
    def is_news(self) -> bool:
        """Whether anything new was said."""
        return bool(self.new or self.changed or self.gone or self.merged)

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON values."""
        return {
            "object": self.object, "rows": self.rows, "read": self.read, "new": self.new, "changed": self.changed,
            "gone": self.gone, "merged": self.merged, "seconds": round(self.seconds, 3), "whole": self.whole,
            "misfits": dict(self.misfits), "notes": list(self.notes),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Extracted:
    """What was read of a connection; with `errors`, what stopped it (what came until then is kept)."""

    connection: str
    system: str
    at: datetime
    objects: tuple[ObjectReport, ...] = ()
    requests: int = 0
    quota_used: int | None = None
    quota_most: int | None = None
    """Requests of today that may be used, where the system counts them."""
    seconds: float = 0.0
    errors: tuple[LeadlightError, ...] = ()
    """What stopped it, or one of its objects."""

    @property
    def error(self) -> LeadlightError | None:
        """What stopped it first."""
        return self.errors[0] if self.errors else None

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON values."""
        return {
            "connection": self.connection, "system": self.system, "at": f"{self.at.isoformat()}Z",
            "objects": [one.as_dict() for one in self.objects], "requests": self.requests,
            "quota_used": self.quota_used, "quota_most": self.quota_most, "seconds": round(self.seconds, 3),
            "error": None if self.error is None else self.error.as_dict(),
            "errors": [one.as_dict() for one in self.errors],
        }  # fmt: skip


@dataclass(frozen=True, slots=True, repr=False)
class SyncReport(Readable):
    """What was read of each connection, and what the store made of it."""

    connections: tuple[Extracted, ...]
    ingested: IngestReport | None = None
    """What became of their sources; None where there are none."""
    joined: int = 0
    """Leads that are one now because the system made them so."""

    @property
    def error(self) -> LeadlightError | None:
        """What stopped the first connection that was stopped."""
        return next((one.error for one in self.connections if one.error is not None), None)

    @property
    def changed(self) -> bool:
        """Whether anything in the store is other than it was."""
        return bool(self.joined) or (self.ingested is not None and self.ingested.changed)

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON values."""
        return {
            "connections": [one.as_dict() for one in self.connections],
            "ingested": None if self.ingested is None else self.ingested.as_dict(),
            "joined": self.joined,
        }

    def __str__(self) -> str:
        lines = [line for one in self.connections for line in _lines(one)]
        if self.joined:
            lines.append(f"{many(self.joined, 'lead')} merged or converted by the system are one with another now")
        return "\n".join(lines)


def _lines(one: Extracted) -> list[str]:
    asked = [many(one.requests, "request")] if one.requests else []
    asked += [f"{one.quota_used:,} of {one.quota_most:,} of today"] if one.quota_most is not None else []
    lines = [f"{one.connection} ({one.system}): {', '.join([*asked, f'{one.seconds:.1f} s'])}"]
    quiet = [found.object for found in one.objects if not found.is_news]
    lines += [f"  {_line(found)}" for found in one.objects if found.is_news]
    lines += [f"  nothing new in {', '.join(quiet)}"] if quiet else []
    lines += [f"  {found.object}: {note}" for found in one.objects for note in found.notes]
    for error in one.errors:
        lines += [f"  stopped: {error.message}", *([f"  {error.fix}"] if error.fix else [])]
    return lines


def _line(found: ObjectReport) -> str:
    told = [("new", found.new), ("changed", found.changed), ("gone", found.gone), ("merged", found.merged)]
    counts = ", ".join(f"{count:,} {word}" for word, count in told if count)
    rate = f" ({found.rows / found.seconds:,.0f} rows a second)" if found.rows >= MANY and found.seconds else ""
    return f"{found.object}: {counts}{rate}"
