"""A common calendar grid of moments: leads that stay (customers, subscribers) are looked at again and again on it.

The grid is counted back from the last moment that is settled, `until - horizon`, so that the newest wins known are
used, and goes on beyond it for rows that are too young to know. A lead is on it from its creation on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from leadlight.engines.base import Engine
from leadlight.errors import UsageError
from leadlight.store.sql import Sql, fill

MOST_MOMENTS = 5_000
"""A grid finer than this is a slip of the pen."""
PARTS = 1_000_003


@dataclass(frozen=True, slots=True)
class Grid:
    """The moments from `first` to `last`, `every` so far apart."""

    first: datetime
    last: datetime
    every: timedelta
    looks: int
    """How many (lead, moment) rows there are, open or not."""

    @property
    def parameters(self) -> list[datetime | int]:
        """What the query of `moments` is to be given."""
        return [self.first, self.last, _micros(self.every)]

    def moments(self, *, drawn: float = 1.0) -> Sql:
        """Return the query of (lead, created_at, as_of), for a share of the leads, drawn by their numbers."""
        return fill(
            "SELECT l.lead, l.created_at, g.as_of FROM leads l JOIN "
            "(SELECT unnest(generate_series(?::TIMESTAMP, ?::TIMESTAMP, to_microseconds(?))) AS as_of) g "
            "ON l.created_at <= g.as_of WHERE {drawn}",
            drawn=drawn_leads("l.lead", drawn),
        )


def grid_of(engine: Engine, every: timedelta, *, until: datetime, horizon: timedelta) -> Grid:
    """Return the grid over all the time there have been leads, up to `until`.

    Raises UsageError for a grid of more than `MOST_MOMENTS` moments.
    """
    anchor, step = until - horizon, _micros(every)
    created = engine.rows("SELECT min(created_at) FROM leads WHERE created_at <= ?", [until])[0][0]
    first = anchor - (anchor - (created or anchor)) // every * every
    last = anchor + horizon // every * every
    count = (last - first) // every + 1
    if count > MOST_MOMENTS:
        raise UsageError(
            f"learn: every: {every} makes {count:,} moments since {first:%Y-%m-%d}; {MOST_MOMENTS:,} are the most",
            fix="Name a longer step in leadlight.yaml, as every: 30d.",
        )
    looks = engine.rows(
        "SELECT sum((epoch_us(?::TIMESTAMP) - epoch_us(greatest(created_at, ?::TIMESTAMP))) // ? + 1) FROM leads "
        "WHERE created_at <= ?",
        [last, first, step, last],
    )[0][0]
    return Grid(first, last, every, int(looks or 0))


def drawn_leads(lead: str, share: float) -> Sql:
    """Return the condition that draws a share of the leads by their numbers, the same every time.

    Who is in a small share is in a larger one too.
    """
    if share >= 1:
        return Sql("true")
    most = Sql(repr(share * PARTS))
    return fill("(({lead})::HUGEINT * 2654435761) % {parts} < {most}", lead=Sql(lead), parts=Sql(str(PARTS)), most=most)


def _micros(duration: timedelta) -> int:
    return duration // timedelta(microseconds=1)
