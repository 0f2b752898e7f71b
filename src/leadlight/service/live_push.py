"""Whose scores have changed since they were last written back to a connection, while the service runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from leadlight.engines.base import Engine

EVERY = timedelta(seconds=5)
"""How often it is looked whether scores have changed."""
OVERLAP = timedelta(minutes=10)
"""How far that look reaches back: scores that were being kept meanwhile come late."""
WHOLE = timedelta(hours=1)
"""How often all records are looked at and not only those whose scores have changed: some have to be tried again."""
FEW = 5_000
"""So many leads are looked at by themselves; more are everybody."""


@dataclass(frozen=True, slots=True)
class News:
    """Whose scores were given when; `leads` is None where all are to be looked at."""

    changed: Sequence[tuple[int, datetime]]
    leads: list[int] | None
    at: datetime


@dataclass(slots=True)
class LivePush:
    """How far the writing of one connection has come; for one process."""

    seen: datetime
    """The newest score that was written."""
    handled: dict[int, datetime] = field(default_factory=dict)
    """Of the leads scored lately, which score was written."""
    looked_at: datetime | None = None
    whole_at: datetime | None = None

    def is_due(self, now: datetime) -> bool:
        """Return whether to look again."""
        return self.looked_at is None or now >= self.looked_at + EVERY

    def look(self, engine: Engine, scorecard: str, now: datetime) -> News | None:
        """Return what is to be written; None for nothing."""
        self.looked_at = now
        rows = engine.rows(
            "SELECT lead, max(as_of) FROM scores WHERE scorecard = ? AND as_of > ? AND lead IS NOT NULL GROUP BY lead",
            [scorecard, self.seen - OVERLAP],
        )
        changed = [(lead, at) for lead, at in rows if self.handled.get(lead) != at]
        whole = self.whole_at is None or now >= self.whole_at + WHOLE
        if not changed and not whole:
            return None
        leads = None if whole or len(changed) > FEW else sorted(lead for lead, _ in changed)
        return News(changed, leads, now)

    def wrote(self, news: News) -> None:
        """Note that what was to be written was."""
        if news.leads is None:
            self.whole_at = news.at
        self.handled.update(news.changed)
        self.seen = max([self.seen, *(at for _, at in news.changed)])
        self.handled = {lead: at for lead, at in self.handled.items() if at > self.seen - OVERLAP}
