"""What `retain` took out of the store, in short: so many events of a type, said of an id in a calendar month (UTC).

No score needs them, so nothing that scores reads this; a lead's history tells of them. A row is of the id that its
events were said of and of the source that said them, as events are: it goes along when leads are merged, comes back
when that is undone, and goes when the person is erased or the source forgotten.

The keys of what was taken out stay (`taken_out`). So an event that is read again is known, and counted once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from leadlight.engines.base import Engine
from leadlight.spec.consent import ConsentSpec
from leadlight.store.consent import withheld
from leadlight.store.sql import Sql, fill


def roll_up(engine: Engine, condition: Sql) -> None:
    """Count the events that satisfy a condition, and keep their keys: call it in the transaction that deletes them."""
    engine.execute(fill("CREATE TEMP TABLE rolling AS {counted}", counted=_counted(condition)))
    engine.execute(
        "UPDATE rolled_up SET events = rolled_up.events + g.events, first_at = least(rolled_up.first_at, g.first_at), "
        "last_at = greatest(rolled_up.last_at, g.last_at) FROM rolling g "
        "WHERE rolled_up._said_of = g._said_of AND rolled_up.type = g.type AND rolled_up.month = g.month "
        "AND rolled_up._source = g._source"
    )
    engine.execute(
        "INSERT INTO rolled_up BY NAME SELECT g.* FROM rolling g WHERE NOT EXISTS (SELECT 1 FROM rolled_up r "
        "WHERE r._said_of = g._said_of AND r.type = g.type AND r.month = g.month AND r._source = g._source) "
        "ORDER BY g.lead, g.type, g.month"
    )
    engine.execute("DROP TABLE rolling")
    engine.execute(
        fill(
            "INSERT INTO taken_out SELECT _source, _key, coalesce(_said_of, lead) FROM events WHERE {condition}",
            condition=condition,
        )
    )


def _counted(condition: Sql) -> Sql:
    return fill(
        "SELECT lead, type::VARCHAR AS type, date_trunc('month', \"at\")::TIMESTAMP AS month, count(*) AS events, "
        'min("at") AS first_at, max("at") AS last_at, _source, coalesce(_said_of, lead) AS _said_of '
        "FROM events WHERE {condition} GROUP BY ALL",
        condition=condition,
    )


def first_events(owner: str, whose: Sql) -> Sql:
    """Return the query of (owner, first): when the first event of each was, be it in the store or taken out.

    `owner` is `lead` or `_said_of`; `whose` is the condition for those that are asked for.
    """
    return fill(
        'SELECT {owner}, min(first) AS first FROM (SELECT {owner}, min("at") AS first FROM events WHERE {whose} '
        "GROUP BY {owner} UNION ALL SELECT {owner}, min(first_at) AS first FROM rolled_up WHERE {whose} "
        "GROUP BY {owner}) f GROUP BY {owner}",
        owner=owner,
        whose=whose,
    )


# ------------------------------------------------------------------------------------------------------- reading


@dataclass(frozen=True, slots=True)
class RolledUp:
    """The events of a type in a calendar month that were taken out of the store; times are UTC.

    >>> print(RolledUp("page", "2025-09", 1204, datetime(2025, 9, 2), datetime(2025, 9, 30)))
    2025-09  page: 1,204 from 02 Sep to 30 Sep
    """

    type: str
    month: str
    """As `2025-09`."""
    events: int
    first_at: datetime
    last_at: datetime

    def __str__(self) -> str:
        return f"{self.month}  {self.type}: {self.events:,} from {self.first_at:%d %b} to {self.last_at:%d %b}"

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {
            "type": self.type, "month": self.month, "events": self.events,
            "first_at": f"{self.first_at.isoformat()}Z", "last_at": f"{self.last_at.isoformat()}Z",
        }  # fmt: skip


def rolled_up(
    engine: Engine, lead: int, consent: ConsentSpec | None, *, until: datetime | None = None
) -> tuple[RolledUp, ...]:
    """Return what was taken out of a lead's events, by month and type; the oldest first.

    Left out are events that would be set aside for want of consent, and months that were not over for the lead at
    `until` (its last event of the type came later).
    """
    whom = fill("SELECT {lead}::INTEGER AS lead", lead=Sql(str(int(lead))))
    rows = engine.rows(
        fill(
            "SELECT type, month, sum(events)::BIGINT, min(first_at), max(last_at) FROM rolled_up r "
            "WHERE lead IN ({whom}) AND NOT ({withheld}) GROUP BY type, month "
            "HAVING ?::TIMESTAMP IS NULL OR max(last_at) <= ? ORDER BY month, type",
            whom=whom,
            withheld=withheld(consent, whom),
        ),
        [until, until],
    )
    return tuple(RolledUp(kind, f"{month:%Y-%m}", int(events), *ends) for kind, month, events, *ends in rows)
